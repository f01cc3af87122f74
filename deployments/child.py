"""A process that is kept alive: started, watched, ended with everything it started, begun again with a growing pause."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ENDS_WITHIN_SECONDS = 20.0
"""What has not ended by then is killed. A flow's process needs a moment to say that it was stopped."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
IS_STEADY_AFTER_SECONDS = 60.0
"""Who has run for so long starts again with the shortest pause."""


@dataclass
class Child:
    """One process of an installation. Its output goes to ``log``; ``mark`` keeps its number for the next start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    mark: Path
    folder: Path
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started: float = 0.0
    _pause_seconds: float = SHORTEST_PAUSE_SECONDS
    _not_before: float = 0.0

    def start(self) -> None:
        """Starts it in a session of its own, so that Ctrl-C reaches only us, and we end it in our order."""
        end_orphan(self.mark, self.name)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(list(self.command), env=dict(self.environment), stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=output, cwd=self.folder, start_new_session=True)
        self._started = time.monotonic()
        self.mark.write_text(f"{self._process.pid} {_created(self._process.pid)}")

    @property
    def pid(self) -> int | None:
        """Its number while it lives."""
        return self._process.pid if self._process is not None and self.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def revive(self, now: float) -> bool:
        """Starts a dead one again once its pause is over; returns whether it was started. Each death that follows soon
        doubles the pause."""
        if self.is_alive:
            return False
        if not self._not_before:
            is_steady = now - self._started >= IS_STEADY_AFTER_SECONDS
            self._pause_seconds = SHORTEST_PAUSE_SECONDS if is_steady else min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
            self._not_before = now + self._pause_seconds
        if now < self._not_before:
            return False
        self._not_before = 0.0
        self.restarts += 1
        self.start()
        return True

    def stop(self) -> None:
        """Ends it and whatever it started, politely first."""
        if self._process is not None:
            end_family(self._process.pid)
            self._process.wait()
        self.mark.unlink(missing_ok=True)


def end_family(pid: int) -> None:
    """Asks a process to end, waits, and kills what is left of it and of those it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
        with contextlib.suppress(psutil.NoSuchProcess):
            parent.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([parent], timeout=ENDS_WITHIN_SECONDS)
        _, alive = psutil.wait_procs([*alive, *(process for process in family if process is not parent)], timeout=1)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=5)


def end_orphan(mark: Path, name: str) -> None:
    """Ends what a killed process of this home left behind: two servers must not share one database. A number that was
    given to somebody else since is left alone."""
    try:
        pid, created = mark.read_text().split()
        if _created(int(pid)) == created:
            end_family(int(pid))
    except (OSError, ValueError, psutil.Error):
        pass  # nothing was left behind
    mark.unlink(missing_ok=True)


def _created(pid: int) -> str:
    return str(psutil.Process(pid).create_time())
