"""One small campaign rehearsed whole, shared by the tests that look at it from different sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PERSONS = "4000"
MOST_SECONDS = 1200
"""A whole campaign takes minutes, and more where the machine is shared."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here waits for a rehearsal."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(MOST_SECONDS))


def canbao(home: Path, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process and a home of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CANBAO_", "PREFECT_"))}
    environment["CANBAO_HOME"] = str(home)
    return subprocess.run([sys.executable, "-m", "canbao", *arguments], env=environment, text=True, capture_output=True,
                          timeout=timeout, check=False)


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """澄江 2021 from plan to acceptance with a few thousand synthetic people: (CANBAO_HOME, the answer as JSON)."""
    home = tmp_path_factory.mktemp("rehearsed") / "home"
    done = canbao(home, "rehearse", "chengjiang-2021", "--persons", PERSONS, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return home, answer
