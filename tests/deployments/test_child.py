"""A process that is kept alive is started again with a growing pause, and ends with everything it started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deployments import child
from deployments.child import Child, end_orphan
from tests import patience

PARENT = ("import subprocess, sys, time; "
          "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('ready', flush=True); time.sleep(600)")


def _child(folder: Path, code: str = PARENT) -> Child:
    return Child("parent", [sys.executable, "-c", code], dict(os.environ), folder / "log", folder / "pid", folder)


def _await_ready(log: Path) -> None:
    patience.until(lambda: log.exists() and "ready" in log.read_text(), "the child is not ready", pause_seconds=0.05)


def _family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def test_it_ends_with_everything_it_started(tmp_path: Path) -> None:
    process = _child(tmp_path)
    process.start()
    _await_ready(tmp_path / "log")
    assert process.pid is not None
    family = _family(process.pid)
    assert len(family) == 2
    process.stop()
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)
    assert not (tmp_path / "pid").exists()


def test_who_dies_is_started_again_each_time_after_a_longer_pause(tmp_path: Path) -> None:
    process = _child(tmp_path, "raise SystemExit(1)")
    process.start()
    pauses, now = [], time.monotonic()
    for _ in range(3):
        assert process._process is not None
        process._process.wait()
        assert not process.revive(now), "never at once"
        pauses.append(process._pause_seconds)
        assert not process.revive(now + process._pause_seconds - 0.1)
        now += process._pause_seconds
        assert process.revive(now)
    process.stop()
    assert pauses == [2.0, 4.0, 8.0]
    assert process.restarts == 3


def test_who_ran_steadily_is_started_again_after_the_shortest_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "IS_STEADY_AFTER_SECONDS", 0.0)
    process = _child(tmp_path, "raise SystemExit(1)")
    process.start()
    assert process._process is not None
    process._process.wait()
    process.revive(time.monotonic())
    assert process._pause_seconds == child.SHORTEST_PAUSE_SECONDS
    process.stop()


def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path: Path) -> None:
    left = _child(tmp_path)
    left.start()
    _await_ready(tmp_path / "log")
    assert left.pid is not None
    family = _family(left.pid)
    end_orphan(tmp_path / "pid", "parent")
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)


def test_a_number_that_was_given_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()} 1.0")
    end_orphan(tmp_path / "pid", "parent")
    assert not (tmp_path / "pid").exists()


ANOTHER = """
import os, sys
from pathlib import Path
from deployments.child import Child
from deployments.server import begin
folder = Path(sys.argv[1])
other = Child("parent", [sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ), folder / "log", folder / "pid", folder)
if sys.argv[2] == "begin":
    begin(other)
else:
    other.start()
    os.kill(os.getpid(), 9)
"""


def test_a_second_one_of_the_same_home_is_refused_and_the_first_runs_on(tmp_path: Path) -> None:
    first = _child(tmp_path)
    first.start()
    found = subprocess.run([sys.executable, "-c", ANOTHER, str(tmp_path), "begin"], capture_output=True, text=True, check=False)
    assert "a parent of this home runs already" in found.stderr
    assert first.is_alive
    first.stop()


def test_it_ends_with_whoever_started_it_however_that_was_ended(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, "-c", ANOTHER, str(tmp_path), "killed"], capture_output=True, check=False)
    assert found.returncode == -9
    pid = int((tmp_path / "pid").read_text().split()[0])
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = _child(tmp_path)
    again.start()  # nobody holds it any more
    again.stop()
