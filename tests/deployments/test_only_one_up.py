"""A second `canbao up` on one home: it names the first and touches nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.supervisor import HEALTH_FILE, LOCK_FILE, only_one
from models.errors import CanbaoError

UI = "http://127.0.0.1:4317"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty CANBAO_HOME."""
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    return tmp_path


def test_a_second_up_names_address_and_process_of_the_first_and_leaves_it_alone(home: Path) -> None:
    with only_one():
        (home / HEALTH_FILE).write_text(json.dumps({"ui": UI}), encoding="utf-8")
        second = subprocess.run([sys.executable, "-m", "canbao", "up", "--json"], capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (1, "")
        assert f"runs already ({UI}), process {os.getpid()}" in second.stderr
        assert f"kill {os.getpid()}" in second.stderr
        assert json.loads((home / HEALTH_FILE).read_text(encoding="utf-8")) == {"ui": UI}
        assert not (home / "postgres").exists()


def test_one_that_is_still_being_started_is_named_too(home: Path) -> None:
    with only_one(), pytest.raises(CanbaoError, match=f"being started already by process {os.getpid()}"), only_one():
        pass


def test_what_a_killed_process_left_behind_is_in_nobodys_way(home: Path) -> None:
    (home / LOCK_FILE).write_text(str(os.getppid()), encoding="utf-8")
    (home / HEALTH_FILE).write_text(json.dumps({"ui": UI}), encoding="utf-8")
    with only_one():
        assert (home / LOCK_FILE).read_text(encoding="utf-8") == str(os.getpid())
    with only_one():
        pass


def test_two_homes_do_not_know_each_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with only_one():
        monkeypatch.setenv("CANBAO_HOME", str(home / "other"))
        with only_one():
            pass
