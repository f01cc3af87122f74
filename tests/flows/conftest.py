"""Small campaigns rehearsed, each shared by the tests that look at it from different sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import canbao

PERSONS = "4000"


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """澄江 2021 from plan to acceptance with a few thousand synthetic people: (CANBAO_HOME, the answer as JSON)."""
    home = tmp_path_factory.mktemp("rehearsed") / "home"
    done = canbao(home, "rehearse", "chengjiang-2021", "--persons", PERSONS, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return home, answer
