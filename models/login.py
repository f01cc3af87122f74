"""Who sits at the keyboard, as the operating system knows: for commands that only a certain account may give."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")
_UNSET = 2**32 - 1


def login_name() -> str:
    """The account of whoever logged in, also where the command runs as another by sudo: nobody can change that number once the login
    has set it. Where no login set one (a container, a service) it is the account that runs the process, or who called it by sudo."""
    try:
        number = int(LOGIN.read_text())
    except (OSError, ValueError):
        number = _UNSET
    if number == _UNSET:
        caller = os.environ.get("SUDO_UID", "")
        number = int(caller) if caller.isdecimal() else os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
