"""Whose files these are: everything under CANBAO_HOME is for the account that runs canbao, and for nobody else.

Whole populations' numbers lie there, in files that a dozen libraries write. So it is not left to whoever writes a file: the
process itself creates nothing that others could open, and what it starts inherits that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077
"""The bits of a mode by which group or others may do anything."""


def keep_private() -> None:
    """Whatever this process makes from now on, and whatever it starts, is for its own account. Called where a program of ours
    begins, and where a home is first used."""
    os.umask(UMASK)


def close_folder(folder: Path) -> None:
    """Takes a folder of ours from others, if it was made under an open umask. One of another account is left to its owner."""
    found = folder.stat()
    if found.st_mode & OTHERS and found.st_uid == os.geteuid():
        folder.chmod(FOLDER_MODE)


def open_to_others(top: Path) -> Iterator[tuple[Path, int]]:
    """Whatever lies in a folder, and the folder itself, that group or others may open, with its mode. A link is followed to what
    it stands for (a larger disk), once."""
    seen: set[tuple[int, int]] = set()
    below = [top]
    while below:
        path = below.pop()
        try:
            found = path.stat()
            if (found.st_dev, found.st_ino) in seen:
                continue
            if stat.S_ISDIR(found.st_mode):
                seen.add((found.st_dev, found.st_ino))
                below += sorted(path.iterdir(), reverse=True)
        except OSError:  # gone in the meantime, or a link to nothing
            continue
        if found.st_mode & OTHERS and not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
            yield path, stat.S_IMODE(found.st_mode)


def close(path: Path, mode: int) -> bool:
    """Takes one entry from group and others; whether that could be done."""
    try:
        path.chmod(mode & ~OTHERS)
    except OSError:
        return False
    return True
