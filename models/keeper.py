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
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAPABILITY_VERSION_3 = 0x20080522
UMASK = 0o077


class Over(Exception):
    """There is nothing more to wait for: the server has ended, or this process is asked to."""


def main(users: str, account: str, scratch: str, *command: str) -> None:
    """Runs ``command`` until nobody holds the file ``users``. ``account`` says under whom (:func:`become`) where root may not run
    it, ``scratch`` a folder that goes with the server; either may be empty. An open descriptor above 2 is a lock: the server, too, is
    to hold it."""
    os.umask(UMASK)
    if os.fork():
        os._exit(0)  # the keeper is nobody's child: who ends a process with its family leaves it alone
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=_beginning(account, os.getpid()))
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


def _beginning(account: str, keeper: int) -> Callable[[], None]:
    """What the server's process does before it becomes PostgreSQL."""
    become, follow = becoming(account), _following(keeper)

    def begin() -> None:
        become()
        follow()  # after the change of account, which would undo it

    return begin


def becoming(account: str) -> Callable[[], None]:
    """What a process of root's does to become another account, once and for good. ``account`` is ``uid:gid:capability``, or empty: it
    stays who it is.

    The capability, if one is named, is all that it keeps of root: to find its way through folders that are root's alone, so that
    no folder need be opened to anybody. Only Linux has it. Everything is looked up beforehand: a process that was just forked off
    should do little.
    """
    if not account:
        return lambda: None
    uid, gid, capability = (int(part) if part else None for part in account.split(":"))
    assert uid is not None
    assert gid is not None
    if capability is None:
        def leave_root() -> None:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)

        return leave_root
    from ctypes import CDLL, byref, c_uint32

    libc = CDLL(None, use_errno=True)
    head = (c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    low, high = (1 << capability) & 0xFFFFFFFF, (1 << capability) >> 32
    kept = (c_uint32 * 6)(low, low, low, high, high, high)  # effective, permitted, inheritable

    def become() -> None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        if libc.capset(byref(head), byref(kept)) or libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0):
            os._exit(126)

    return become


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


def run_as(account: str, *command: str) -> None:
    """Becomes another account and then the command."""
    os.umask(UMASK)
    becoming(account)()
    os.execv(command[0], command)


if __name__ == "__main__":
    (main if sys.argv[1] == "keep" else run_as)(*sys.argv[2:])
