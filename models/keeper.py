"""Keeps the embedded PostgreSQL for as long as somebody uses it, and ends it after the last one: run by ``embedded.py``, as a
script that needs nothing but Python's own library.

It is the server's parent: the number that it signals cannot have been given to anybody else. It waits for a lock that every
user holds, and that the kernel takes away from whoever dies, however that happens. If it dies itself, the server ends too.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import FrameType

ENDS_WITHIN_SECONDS = 60.0
"""So long may a fast shutdown write what must be written. Then an immediate one: the next start recovers."""
PR_SET_PDEATHSIG = 1


class Over(Exception):
    """There is nothing more to wait for: the server has ended, or this process is asked to."""


def main(users: str, account: str, scratch: str, *command: str) -> None:
    """Runs ``command`` until nobody holds the file ``users``. ``account`` is ``uid:gid`` where root may not run it, ``scratch`` a
    folder that goes with the server; either may be empty. An open descriptor above 2 is a lock: the server, too, is to hold it."""
    if os.fork():
        os._exit(0)  # the keeper is nobody's child: who ends a process with its family leaves it alone
    uid, _, gid = account.partition(":")
    whose = {"user": int(uid), "group": int(gid), "extra_groups": []} if account else {}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=_following(os.getpid()), **whose)  # type: ignore[call-overload]
    with ExitStack() as until_the_end:
        try:
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, _over)
            if server.poll() is None:
                # Held until the server has ended: whoever needs it next waits, and then starts it anew.
                fcntl.flock(until_the_end.enter_context(open(users, "rb")), fcntl.LOCK_EX)
        except (Over, OSError):
            pass
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(server)
        if scratch:
            with suppress(OSError):
                os.rmdir(scratch)


def _over(number: int, frame: FrameType | None) -> None:
    raise Over


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            server.wait(ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _following(keeper: int) -> Callable[[], None]:
    """What the server's process does before it becomes PostgreSQL: asks for a fast shutdown if the keeper is killed. Only Linux can
    do that. Everything is looked up beforehand: the server's account may not be allowed to read Python."""
    if sys.platform != "linux":
        return lambda: None
    from ctypes import CDLL

    prctl, number = CDLL(None).prctl, int(signal.SIGINT)

    def follow() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != keeper:
            os._exit(1)

    return follow


if __name__ == "__main__":
    main(*sys.argv[1:])
