"""Files as they came: known by their SHA-256, kept untouched, never taken while still being written."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from uuid import uuid4

from models.errors import FileReturned, StorageUnavailable
from tasks.campaign import folder
from tasks.told import told_file

IGNORED = (".part", ".tmp", ".crdownload", "~")
"""Endings of files that are still being written or copied."""
PIECE = 1 << 20
_PLAIN_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}", re.ASCII)


def sha256_of(path: Path) -> str:
    """The file's SHA-256, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_delivered(path: Path) -> BufferedReader:
    """A delivered file for reading. Raises FileReturned for a link or anything else that is no file of its own.

    Checked on what was opened, not on the name: who may write into an inbox could swap the one for the other.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as refusal:
        if path.is_symlink():
            raise FileReturned("a link is not taken.", where=told_file(path.name), cure="Copy the file itself.") from None
        raise StorageUnavailable(f"the file cannot be read ({refusal.strerror}).", where=str(path),
                                 cure="Check that it is there and may be read.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileReturned("this is no ordinary file.", where=told_file(path.name), cure="Copy the file itself.")
    return os.fdopen(descriptor, "rb")


def sha256_of_delivered(path: Path) -> str:
    """The SHA-256 of a file that somebody else put there. Raises FileReturned for a link or anything else that is no file of
    its own, before anything of it is read: a pipe or a device would never end."""
    with open_delivered(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_original(campaign: str, path: Path, sha256: str) -> Path:
    """Copies a file into ``originals/`` under its hash, once, readable by the owner only.

    What is kept has exactly this hash and is on the disk when this returns. Raises StorageUnavailable, and keeps
    nothing, if the file has changed since it was hashed or cannot be written.
    """
    target = folder(campaign, "originals", sha256[:2]) / Path(place_of_original(path, sha256)).name
    if not target.exists():
        with open_delivered(path) as source:
            _copied(source, target, sha256)
    return target


def place_of_original(path: Path, sha256: str) -> str:
    """Where ``keep_original`` keeps a file, below the campaign's folder; its ending says what to open it with."""
    suffix = path.suffix.lower()
    return f"originals/{sha256[:2]}/{sha256}{suffix if _PLAIN_SUFFIX.fullmatch(suffix) else ''}"


def kept_original(campaign: str, sha256: str) -> Path:
    """The original with this hash. Raises StorageUnavailable where it is no longer kept."""
    place = folder(campaign, "originals", sha256[:2])
    found = next((path for path in sorted(place.glob(f"{sha256}*")) if path.stem == sha256), None)
    if found is None:
        raise StorageUnavailable("the original is not kept any more.", where=f"{place.name}/{sha256[:16]}",
                                 cure="Ask the department for the file and take it in again.")
    return found


def _copied(source: BufferedReader, target: Path, sha256: str) -> None:
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as copy:
            while piece := source.read(PIECE):
                digest.update(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise StorageUnavailable("the file changed while it was taken in.", where=target.parent.name,
                                     cure="Nothing was recorded; take it in again when it is complete.")
        partial.chmod(0o400)
        partial.replace(target)
    except OSError as refusal:
        raise StorageUnavailable(f"the original could not be kept ({refusal.strerror}).", where=str(target.parent),
                                 cure="Check that the folder may be written and the disk has room.") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
