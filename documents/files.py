"""How a document reaches its place: whole or not at all, and the same content as the same bytes."""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from models.errors import StorageUnavailable
from models.private import FILE_MODE

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_DATED_PROPERTY = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")


def write_atomically(path: Path, produce: Callable[[Path], None]) -> None:
    """Let ``produce`` write a file beside ``path``, then put it in place in one step.

    A reader never sees half a document, and a failed write leaves an older one untouched. It can be read by
    its owner only: what is for others is handed over by copying. Raises StorageUnavailable if the folder cannot be made or written.
    """
    draft: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft_name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        draft = Path(draft_name)
        produce(draft)
        draft.chmod(FILE_MODE)  # whatever wrote it may have put another file in its place
        _flush_to_disk(draft)
        os.replace(draft, path)
    except OSError as error:
        raise StorageUnavailable(
            f"the document cannot be written ({error.strerror or type(error).__name__}).",
            where=str(path), cure="Make the folder writable or free space, then run the same command again.",
        ) from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())


def settle_zip(path: Path, as_of: date) -> None:
    """Rewrite a zip (docx, xlsx) without the clock's traces: fixed entry times, properties dated ``as_of``."""
    with zipfile.ZipFile(path) as source:
        entries = [(entry.filename, source.read(entry)) for entry in source.infolist()]
    stamp = f"{as_of.isoformat()}T00:00:00Z".encode()
    entries = [
        (name, _DATED_PROPERTY.sub(rb"\g<1>" + stamp + rb"\g<2>", content) if name == "docProps/core.xml" else content)
        for name, content in entries
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, content)
