"""What a workbook says of its sheets that the reader of cells does not tell, whichever way it is stored."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from expectations.binary_marks import of_binary_workbook, of_old_workbook
from expectations.file_kinds import damaged
from expectations.sheet_marks import PIECE_BYTES, SheetMarks, of_xml_workbook

_UNPACKED_BY_THE_READER = frozenset(("xl/sharedStrings.xml", "xl/styles.xml", "xl/sharedStrings.bin", "xl/styles.bin"))


def marks_of(path: Path) -> Mapping[str, SheetMarks]:
    """The marks of each sheet by its name. Raises FileReturned for a damaged package, one that unpacks to more than it
    says, and a sheet that reaches absurdly far."""
    if not zipfile.is_zipfile(path):
        return of_old_workbook(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            for name in names & _UNPACKED_BY_THE_READER:
                _unpack(archive, name)
            return (of_xml_workbook if "xl/workbook.xml" in names else of_binary_workbook)(archive, names)
    except (
        zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, IndexError, RuntimeError,
        NotImplementedError, struct.error, etree.LxmlError,
    ):
        raise damaged() from None


def _unpack(archive: zipfile.ZipFile, name: str) -> None:
    """Unpacking to the end compares size and checksum: what says it is small and is not ends here."""
    with archive.open(name) as part:
        while part.read(PIECE_BYTES):
            pass
