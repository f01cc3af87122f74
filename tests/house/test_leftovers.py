"""A process of the tests that is killed leaves nothing running and nothing lying about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import patience
from tests.leftovers import MARK, marked

STARTS_ANOTHER = """
import subprocess, sys, time
from pathlib import Path
from tests.leftovers import look_after
look_after(Path(sys.argv[1]))
other = subprocess.Popen([sys.executable, "-c", sys.argv[2]], start_new_session=True)
print(other.pid, flush=True)
time.sleep(3600)
"""
SLEEPS = "import time; time.sleep(3600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"


@pytest.mark.parametrize(("sent", "other"), [(signal.SIGKILL, SLEEPS), (signal.SIGTERM, SLEEPS), (signal.SIGKILL, DEAF)])
def test_what_a_process_started_ends_when_it_is_killed(tmp_path: Path, sent: signal.Signals, other: str) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen([sys.executable, "-c", STARTS_ANOTHER, str(scratch), other], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    started = psutil.Process(int(process.stdout.readline()))
    assert started.is_running()
    process.send_signal(sent)
    process.wait()
    patience.until(lambda: not started.is_running() or started.status() == psutil.STATUS_ZOMBIE, "it runs on")
    patience.until(lambda: not scratch.exists(), "its scratch folder is there")


def test_the_database_of_the_tests_bears_the_mark_by_which_it_is_found(server: object) -> None:
    assert "postgres" in {process.name() for process in marked(os.environ[MARK])}
