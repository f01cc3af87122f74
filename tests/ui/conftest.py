"""An installation as an operator has it, and a browser before it. Without a Chromium there is nothing to look with."""

from __future__ import annotations

import pytest

from tests.ui.chromium import installed

MOST_SECONDS = 900
collect_ignore = [] if installed() else ["test_operators_day.py"]


def pytest_report_header() -> list[str]:
    """Says plainly where the browser's tests are missing."""
    return [] if installed() else ["no Chromium on this machine: the tests of Prefect's pages (tests/ui) are not collected"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Server, worker and runs in processes of their own take minutes where the machine is shared."""
    for item in items:
        if item.path.parent.name == "ui":
            item.add_marker(pytest.mark.timeout(MOST_SECONDS))
