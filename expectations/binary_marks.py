"""The same marks for workbooks that are no XML: .xlsb (MS-XLSB) and .xls (MS-XLS in a compound file, MS-CFB).

Both are runs of records: a kind, a length, and content. Only the records that say of hidden rows and columns, filters,
merged cells, failed formulas and how far the sheet reaches are looked at; lengths that lead nowhere end the file.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from expectations.file_kinds import damaged, macros, outside_links
from expectations.sheet_marks import SheetMarks, part_name, reaches_too_far, relations_of

_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
           0x2B: "#GETTING_DATA"}
_NO_CODE = "#N/A"


@dataclass(slots=True)
class _Sheet:
    """What one sheet's records have told so far."""

    marks: SheetMarks = field(default_factory=SheetMarks)
    hidden: int = 0
    last_row: int = 0
    last_column: int = 0
    is_filtered: bool = False
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    hidden_runs: list[tuple[int, int]] = field(default_factory=list)

    def reach(self, row: int, column: int) -> None:
        self.last_row, self.last_column = max(self.last_row, row + 1), max(self.last_column, column + 1)

    def failed(self, place: tuple[int, int], code: int) -> None:
        row, column = place
        self.marks.texts.setdefault(row, {})[column] = _ERRORS.get(code, _NO_CODE)

    def finished(self, number: int) -> SheetMarks:
        reaches_too_far(number, self.last_row, self.last_column)
        marks = self.marks
        marks.merged = self.merged
        marks.hidden_columns = sum(max(min(last + 1, self.last_column) - first, 0) for first, last in self.hidden_runs)
        marks.hidden_rows, marks.filtered_rows = (0, self.hidden) if self.is_filtered else (self.hidden, 0)
        return marks


# --- .xlsb ----------------------------------------------------------------------------------------------

_ROW, _CELLS, _ERROR_CELLS = 0, range(1, 12), (3, 11)
_COLUMN_INFO, _BOOK_PROPERTIES, _SHEET_OF_BOOK, _FILTER, _MERGED = 60, 153, 156, 161, 176


def of_binary_workbook(archive: zipfile.ZipFile, names: set[str]) -> Mapping[str, SheetMarks]:
    """The marks of an .xlsb by sheet name. Raises ValueError or struct.error where its records make no sense."""
    targets = relations_of(archive, "xl/_rels/workbook.bin.rels")
    counts_from_1904, number = False, 0
    found: dict[str, SheetMarks] = {}
    for kind, content in _records(archive.read("xl/workbook.bin")):
        if kind == _BOOK_PROPERTIES:
            counts_from_1904 = bool(content[0] & 1)
        elif kind == _SHEET_OF_BOOK:
            relation, at = _wide_text(content, 8)
            name, _ = _wide_text(content, at)
            number += 1
            part = part_name(targets.get(relation, ""))
            if part in names:
                found[name] = _binary_sheet(archive.read(part), number)
                found[name].counts_from_1904 = counts_from_1904
    return found


def _binary_sheet(content: bytes, number: int) -> SheetMarks:
    sheet, row = _Sheet(), 0
    for kind, record in _records(content):
        if kind in _CELLS:
            column = int.from_bytes(record[:4], "little")
            sheet.reach(row, column)
            if kind in _ERROR_CELLS:
                sheet.failed((row, column), record[8])
        elif kind == _ROW:
            row = int.from_bytes(record[:4], "little")
            sheet.hidden += bool(record[11] & 0x10)
        elif kind == _COLUMN_INFO and record[16] & 1:
            sheet.hidden_runs.append(struct.unpack_from("<II", record))
        elif kind == _MERGED:
            top, bottom, left, right = struct.unpack_from("<IIII", record)
            sheet.merged.append(((top, left), (bottom, right)))
        elif kind == _FILTER:
            sheet.is_filtered = True
    return sheet.finished(number)


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record; both kind and length are written in sevens of bits."""
    at, end = 0, len(content)
    while at < end:
        kind = content[at]
        at += 1
        if kind & 0x80:
            kind = kind & 0x7F | (content[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        more = True
        while more and shift < 28:
            byte = content[at]
            length |= (byte & 0x7F) << shift
            shift, at, more = shift + 7, at + 1, bool(byte & 0x80)
        yield kind, content[at:at + length]
        at += length


def _wide_text(content: bytes, at: int) -> tuple[str, int]:
    letters = int.from_bytes(content[at:at + 4], "little")
    if letters == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * letters
    return content[at + 4:end].decode("utf-16-le"), end


# --- .xls -----------------------------------------------------------------------------------------------

_BOF, _EOF, _BOUND_SHEET, _EXTERNAL_BOOK, _DATES = 0x0809, 0x000A, 0x0085, 0x01AE, 0x0022
_OLD_ROW, _OLD_COLUMN_INFO, _FILTER_MODE, _BOOL_OR_ERROR, _FORMULA = 0x0208, 0x007D, 0x009B, 0x0205, 0x0006
_OWN_BOOK, _ADD_INS = 0x0401, 0x3A01
_NO_SECTOR = 0xFFFFFFFA
_MACRO_SHEET = 1


def of_old_workbook(path: Path) -> Mapping[str, SheetMarks]:
    """The marks of an .xls by sheet name; none for the formats before 1997. Raises FileReturned for macros and links to
    other files."""
    try:
        book = stream_of(path.read_bytes(), "Workbook")
        return _old_marks(book) if book else {}
    except (struct.error, IndexError, ValueError):
        raise damaged() from None


def _old_marks(book: bytes) -> Mapping[str, SheetMarks]:
    found: dict[str, SheetMarks] = {}
    counts_from_1904 = False
    for kind, record in _old_records(book, 0):
        if kind == _DATES:
            counts_from_1904 = record[:2] == b"\x01\x00"
        elif kind == _EXTERNAL_BOOK and struct.unpack_from("<H", record, 2)[0] not in (_OWN_BOOK, _ADD_INS):
            raise outside_links()
        elif kind == _BOUND_SHEET:
            at, _, sheet_type, letters, is_wide = struct.unpack_from("<IBBBB", record)
            if sheet_type == _MACRO_SHEET:
                raise macros()
            text = record[8:8 + letters * (2 if is_wide & 1 else 1)].decode("utf-16-le" if is_wide & 1 else "latin-1")
            found[text] = _old_sheet(book, at, len(found) + 1)
    for marks in found.values():
        marks.counts_from_1904 = counts_from_1904
    return found


def _old_sheet(book: bytes, at: int, number: int) -> SheetMarks:
    sheet = _Sheet()
    for kind, record in _old_records(book, at):
        if kind == _OLD_ROW:
            row, _, past_column = struct.unpack_from("<HHH", record)
            sheet.reach(row, past_column - 1)
            sheet.hidden += bool(record[12] & 0x20)
        elif kind == _BOOL_OR_ERROR and record[7] == 1:
            sheet.failed(_place(record), record[6])
        elif kind == _FORMULA and record[12:14] == b"\xff\xff" and record[6] == 2:
            sheet.failed(_place(record), record[8])
        elif kind == _OLD_COLUMN_INFO and record[8] & 1:
            sheet.hidden_runs.append(struct.unpack_from("<HH", record))
        elif kind == _FILTER_MODE:
            sheet.is_filtered = True
    return sheet.finished(number)


def _place(record: bytes) -> tuple[int, int]:
    row, column = struct.unpack_from("<HH", record)
    return row, column


def _old_records(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, from its beginning to its end; charts within it are passed over."""
    depth = 0
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 1:
            yield kind, book[at + 4:at + 4 + length]
        at += 4 + length
        if depth <= 0:
            return


def stream_of(content: bytes, name: str) -> bytes:
    """One stream of a compound file, empty where there is none. Small ones live in a stream of their own."""
    size = 1 << struct.unpack_from("<H", content, 0x1E)[0]
    small_size = 1 << struct.unpack_from("<H", content, 0x20)[0]
    if size not in (512, 4096) or small_size != 64:
        raise ValueError
    directory_at, = struct.unpack_from("<I", content, 0x30)
    cutoff, small_table_at = struct.unpack_from("<II", content, 0x38)
    table = _sector_table(content, size)
    sectors = content[size:]
    directory = _chain(sectors, directory_at, table, size)
    root, wanted = directory[:128], b""
    for at in range(0, len(directory) - 127, 128):
        entry = directory[at:at + 128]
        length, = struct.unpack_from("<H", entry, 64)
        if entry[:max(length - 2, 0)].decode("utf-16-le", "replace") == name:
            wanted = entry
    if not wanted:
        return b""
    start, stream_size = struct.unpack_from("<II", wanted, 0x74)
    if stream_size >= cutoff:
        return _chain(sectors, start, table, size)[:stream_size]
    small_table = _integers(_chain(sectors, small_table_at, table, size))
    small = _chain(sectors, struct.unpack_from("<I", root, 0x74)[0], table, size)
    return _chain(small, start, small_table, small_size)[:stream_size]


def _sector_table(content: bytes, size: int) -> list[int]:
    """Which sector follows which. The first 109 sectors of this table are named in the head, the others in a chain."""
    named = list(struct.unpack_from("<109I", content, 0x4C))
    further, = struct.unpack_from("<I", content, 0x44)
    seen = 0
    while further < _NO_SECTOR and seen <= len(content) // size:
        sector = _integers(content[(further + 1) * size:(further + 2) * size])
        named, further, seen = named + sector[:-1], sector[-1], seen + 1
    return _integers(b"".join(content[(at + 1) * size:(at + 2) * size] for at in named if at < _NO_SECTOR))


def _integers(content: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(content) // 4}I", content[:len(content) // 4 * 4]))


def _chain(content: bytes, start: int, table: list[int], size: int) -> bytes:
    """The sectors from ``start`` on. Raises ValueError where they run in a circle."""
    parts: list[bytes] = []
    at = start
    while at < _NO_SECTOR:
        if len(parts) > len(table):
            raise ValueError
        parts.append(content[at * size:(at + 1) * size])
        at = table[at]
    return b"".join(parts)
