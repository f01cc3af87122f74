"""Ends what a process of the tests leaves running, however that process ended.

Tests start databases, servers, workers and whole rehearsals. Whoever ends in order stops them. Killed, or with a worker
of xdist that died, they would run on for days. So every process of the tests starts this one, which waits for its end
(a pipe that only the living hold), ends whoever bears its mark in the environment, and removes its scratch folder.
It needs nothing but psutil, as it must outlive everything else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

MARK = "TESTS_OF_CANBAO"
"""The variable that names the scratch folder of the process whose child one is. Not CANBAO_…: tests take those away."""
ENDS_WITHIN_SECONDS = 10.0


def look_after(scratch: Path) -> None:
    """Marks this process's children from now on, and starts who ends them when this process is gone."""
    os.environ[MARK] = str(scratch)
    # A session of its own: Ctrl-C and a kill of the group leave it to its work. The write end of its pipe is ours alone.
    _watchers.append(subprocess.Popen([sys.executable, __file__, str(scratch)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True))


_watchers: list[subprocess.Popen[bytes]] = []
"""Kept, for a pipe that nobody holds is closed."""


def marked(scratch: str) -> list[psutil.Process]:
    """Who bears this mark and lives. The process itself is not among them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == scratch and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end(scratch: str) -> None:
    """Ends whoever bears this mark: politely, at last with force."""
    for process in (left := marked(scratch)):
        with contextlib.suppress(psutil.Error):
            # To PostgreSQL SIGTERM means: when all clients have gone; SIGINT: now, with everything written.
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    psutil.wait_procs(left, ENDS_WITHIN_SECONDS)
    while left := marked(scratch):  # whoever started somebody else in the meantime
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, ENDS_WITHIN_SECONDS)


def main(scratch: str) -> None:
    """Waits for the end of the process that started this one, then tidies up after it."""
    sys.stdin.buffer.read()
    end(scratch)
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
