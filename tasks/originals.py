"""Files as they came: known by their SHA-256, kept untouched, never taken while still being written."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tasks.campaign import folder

IGNORED = (".part", ".tmp", ".crdownload", "~")
"""Endings of files that are still being written or copied."""


def sha256_of(path: Path) -> str:
    """The file's SHA-256, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep_original(campaign: str, path: Path, sha256: str) -> Path:
    """Copies a file into ``originals/`` under its hash, once, readable by the owner only."""
    target = folder(campaign, "originals", sha256[:2]) / f"{sha256}{path.suffix.lower()}"
    if not target.exists():
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(path, partial)
        partial.chmod(0o400)
        partial.replace(target)
    return target
