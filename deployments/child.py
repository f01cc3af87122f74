"""A process that is kept alive: started, watched, ended with everything it started, begun again with a growing pause.

It never outlives us: a watcher (this file, run as a script) ends it when we are gone, even if we were killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from models.private import UMASK

ENDS_WITHIN_SECONDS = 20.0
"""What has not ended by then is killed. A flow's process needs a moment to say that it was stopped."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
IS_STEADY_AFTER_SECONDS = 60.0
"""Who has run for so long starts again with the shortest pause."""
LAST_WORDS_LENGTH = 300


@dataclass
class Child:
    """One process of an installation. Its output goes to ``log``; ``mark`` keeps its number for the next start, and beside it a
    lock says whether whoever started it lives."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    mark: Path
    folder: Path
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _created: str = ""
    _lock: IO[bytes] | None = field(default=None, repr=False)
    _log_begins: int = 0
    _started: float = 0.0
    _pause_seconds: float = SHORTEST_PAUSE_SECONDS
    _not_before: float = 0.0

    def start(self) -> None:
        """Starts it in a session of its own, so that Ctrl-C reaches only us, and we end it in our order. Raises BlockingIOError if
        another process that lives has started it already."""
        if self._lock is None:
            self._lock = hold(self.mark.with_suffix(".lock"))
        end_orphan(self.mark, self.name)
        with self.log.open("ab") as output:
            self._log_begins = output.tell()
            self._process = subprocess.Popen(list(self.command), env=dict(self.environment), stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=output, cwd=self.folder, start_new_session=True, umask=UMASK)
        self._started = time.monotonic()
        self._created = _created(self._process.pid)
        _watch(add=(self._process.pid, self._created))
        self.mark.write_text(f"{self._process.pid} {self._created}")

    def last_words(self) -> str:
        """The last line that it has written since it was started; empty if there is none."""
        with contextlib.suppress(OSError), self.log.open("rb") as written:
            written.seek(self._log_begins)
            lines = [line.strip() for line in written.read().decode("utf-8", "replace").splitlines()]
            return next((line[:LAST_WORDS_LENGTH] for line in reversed(lines) if line), "")
        return ""

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
            end_session(self._process.pid, self._created)
            self._process.wait()
            _watch(remove=self._process.pid)
        self.mark.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def hold(place: Path) -> IO[bytes]:
    """A lock that is held until it is closed, or its holder dies. Raises BlockingIOError if another process holds it."""
    lock = place.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def end_family(pid: int) -> None:
    """Asks a process to end, waits, and kills what is left of it and of those it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        _end([parent], parent.children(recursive=True))


def end_session(pid: int, created: str) -> None:
    """Ends a process that was started in a session of its own, and all who belong to it, even if it is gone itself. A number that
    was given to somebody else since is left alone: the system gives none away as long as somebody is left of the session."""
    try:
        leader = psutil.Process(pid)
        if str(leader.create_time()) != created:
            return
        _end([leader], [*leader.children(recursive=True), *_session(pid)])
    except psutil.NoSuchProcess:
        _end(_session(pid), [])


def _session(pid: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if process.pid != pid and os.getsid(process.pid) == pid:
                found.append(process)
    return found


def _end(asked: list[psutil.Process], others: list[psutil.Process]) -> None:
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(asked, timeout=ENDS_WITHIN_SECONDS)
    _, alive = psutil.wait_procs({*alive, *others}, timeout=1)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def end_orphan(mark: Path, name: str) -> None:
    """Ends what a killed process of this home left behind: two servers must not share one database. A number that was
    given to somebody else since is left alone."""
    with contextlib.suppress(OSError, ValueError, psutil.Error):  # nothing was left behind
        pid, created = mark.read_text().split()
        end_session(int(pid), created)
    mark.unlink(missing_ok=True)


def _created(pid: int) -> str:
    return str(psutil.Process(pid).create_time())


# --- the watcher ----------------------------------------------------------------------------------------

_watched: dict[int, str] = {}
_watcher: subprocess.Popen[bytes] | None = None


def _watch(*, add: tuple[int, str] | None = None, remove: int | None = None) -> None:
    """Tells the watcher whom to end when we are gone; there is one for all."""
    global _watcher
    if add:
        _watched[add[0]] = add[1]
    if remove:
        _watched.pop(remove, None)
    told = json.dumps(list(_watched.items())).encode() + b"\n"
    for _ in range(2):
        if _watcher is None or _watcher.poll() is not None:
            # Whoever ends our session leaves it to its work; only we hold the other end of its pipe.
            _watcher = subprocess.Popen([sys.executable, "-I", __file__], stdin=subprocess.PIPE, start_new_session=True)
        assert _watcher.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            _watcher.stdin.write(told)
            _watcher.stdin.flush()
            return


def _wait_for_the_end() -> None:
    """Reads until whoever started this process is gone, then ends those that it has named last."""
    named: list[tuple[int, str]] = []
    for line in sys.stdin.buffer:
        named = json.loads(line)
    for pid, created in named:
        end_session(pid, created)


if __name__ == "__main__":
    _wait_for_the_end()
