"""The tests of Prefect's pages need a browser: without one they fail where nobody would notice that they are missing."""

from __future__ import annotations

import os

import pytest

from tests.ui.browser import INSTALL, installed


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    """A Chromium is there. In CI its absence is a failure; on somebody's own machine a reason to skip, with the cure."""
    if installed() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL)
