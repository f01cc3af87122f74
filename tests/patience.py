"""How long a test waits: never by how quick a machine is, only until it is plain that nothing will come.

A limit on the clock is there for what hangs. It is so far above what anything takes that a machine with many neighbours
does not reach it; work that shows signs of life is waited for as long as it shows them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeVar

import psutil

from deployments.child import end_family
from models.stacks import ASKED_BY

HANGS_AFTER_SECONDS = 900.0
"""What has not moved for so long hangs. (An idle machine needs a minute for the longest thing without a sign of life.)"""
PLAYS_AT_MOST_SECONDS = 7200
"""A limit for tests that wait for whole rehearsals and installations, each of which is watched while it works."""
LOOK_EVERY_SECONDS = 5.0
USUAL_UMASK = 0o022
"""As most machines have it; what is closed all the same was closed by us."""
SERVERS_OWN = ("postgres", "prefect", "run")
"""Folders of a home in which idle servers write, too."""
ANSWERS_WITHIN_SECONDS = 2.0
TOLD_CHARACTERS = 12_000
"""How much of what a hanging command has written is told."""
Answer = TypeVar("Answer")


def until(condition: Callable[[], Answer], what: Callable[[], object] | str, pause_seconds: float = 0.1,
          hangs_after_seconds: float = HANGS_AFTER_SECONDS) -> Answer:
    """Waits until ``condition`` gives something true, and returns it. ``what`` says what was waited for in vain."""
    ends = time.monotonic() + hangs_after_seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"nothing for {hangs_after_seconds:.0f} s: {what() if callable(what) else what}"
        time.sleep(pause_seconds)
    return found


def run(command: Sequence[str], environment: Mapping[str, str], home: Path,
        hangs_after_seconds: float = HANGS_AFTER_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, however long that takes, as long as it moves: it writes to its output, or files appear
    in its home. Fails where nothing has moved for ``hangs_after_seconds``; all it started is ended then."""
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(list(command), env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                   umask=USUAL_UMASK)
        try:
            _watch(process, lambda: (_size(output), _size(errors), newest(home)), hangs_after_seconds)
        except BaseException as fault:
            _ask_where(process.pid)
            end_family(process.pid)
            process.wait()
            fault.add_note(_text(errors)[-TOLD_CHARACTERS:])
            raise
        return subprocess.CompletedProcess(list(command), process.returncode, _text(output), _text(errors))


def _watch(process: subprocess.Popen[bytes], signs: Callable[[], object], hangs_after_seconds: float) -> None:
    seen, moved = signs(), time.monotonic()
    while True:
        try:
            process.wait(min(LOOK_EVERY_SECONDS, hangs_after_seconds))
            return
        except subprocess.TimeoutExpired:
            now = signs()
            if now != seen:
                seen, moved = now, time.monotonic()
            assert time.monotonic() < moved + hangs_after_seconds, f"{process.args!r} has not moved for {hangs_after_seconds:.0f} s"


def newest(home: Path) -> int:
    """When a file of a home was last written (nanoseconds), those of its servers left out; 0 for a home without files."""
    latest = 0
    for folder, below, files in os.walk(home):
        if Path(folder) == home:
            below[:] = [name for name in below if name not in SERVERS_OWN]
            files = [name for name in files if not name.endswith(".log")]
        for name in files:
            try:
                latest = max(latest, os.stat(os.path.join(folder, name)).st_mtime_ns)
            except FileNotFoundError:  # moved to its place in the meantime
                continue
    return latest


def _ask_where(pid: int) -> None:
    """Lets a process of ours and those it started write to its error output where they stand."""
    with contextlib.suppress(psutil.NoSuchProcess):
        asked = psutil.Process(pid)
        for process in [asked, *asked.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if _catches(process.pid, ASKED_BY):
                    process.send_signal(ASKED_BY)
        time.sleep(ANSWERS_WITHIN_SECONDS)


def _catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal; the others would die of it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> number - 1 & 1)
    return False


def _size(stream: IO[str]) -> int:
    return os.fstat(stream.fileno()).st_size


def _text(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()
