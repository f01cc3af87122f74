"""What a workbook's package says of its sheets that the reader of cells does not tell.

Hidden rows and columns, filters (domain.md 8), formulas without a kept value and failed ones (44), days counted from
1904 (31), and how far a sheet reaches: one cell in the last corner makes an empty sheet of 17 thousand million cells.
The XML is looked through as bytes, piece by piece; nothing in it is expanded or followed.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from lxml import etree

from expectations.file_kinds import damaged, nth_sheet
from models.contract import vocabulary
from models.errors import FileReturned

PIECE_BYTES = 1 << 20
NO_RESULT = "#公式无结果"
"""What a formula whose value was never kept is read as; ``sql/10_text.sql`` knows it for an error."""
_COLUMN_LIMIT = 16_384

_TAG = rb"<(?:\w+:)?"
_ROW = re.compile(_TAG + rb"row\s([^>]*)>")
_ROW_NUMBERS = re.compile(rb"row r=\"([0-9]{1,7})\"")
_LATE_ROW_NUMBERS = re.compile(_TAG + rb"row\s[^>]*\sr=\"([0-9]{1,7})\"")
_HIDDEN = re.compile(rb"\shidden=\"(?:1|true)\"")
_WIDE = re.compile(rb"r=\"([A-Z]{2,3})[0-9]")
_REFERENCE = re.compile(rb"r=\"([A-Z]{1,3})[0-9]")
_FORMULA = _TAG + rb"f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"
_ERROR = re.compile(
    _TAG + rb"c\sr=\"([A-Z]{1,3})([0-9]{1,7})\"[^>]*\st=\"e\"[^>]*>(?:" + _FORMULA + rb")?"
    + _TAG + rb"v>([^<]{1,20})<")
_NO_VALUE = re.compile(
    _TAG + rb"c\sr=\"([A-Z]{1,3})([0-9]{1,7})\"((?:\s[^>]*)?)>" + _FORMULA
    + rb"(?:" + _TAG + rb"v\s?/>|" + _TAG + rb"v></(?:\w+:)?v>)?</(?:\w+:)?c>")
_COLUMN = re.compile(_TAG + rb"col\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"(min|max)=\"([0-9]{1,6})\"")
_FILTER = re.compile(_TAG + rb"(?:autoFilter|filterColumn)\b")

Place = tuple[int, int]


@dataclass(slots=True)
class SheetMarks:
    """Of one sheet: how many of its rows and columns are hidden, or filtered away, how many formulas have no value;
    ``texts`` by row and column (from 0) of cells whose formula failed or has no value; ``merged`` where the reader of
    cells does not know."""

    hidden_rows: int = 0
    hidden_columns: int = 0
    filtered_rows: int = 0
    formulas_without_value: int = 0
    counts_from_1904: bool = False
    texts: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: Sequence[tuple[Place, Place]] = ()


def of_xml_workbook(archive: zipfile.ZipFile, names: set[str]) -> Mapping[str, SheetMarks]:
    """The marks of an .xlsx by sheet name."""
    book = _xml(archive, "xl/workbook.xml")
    counts_from_1904 = any(
        element.get("date1904") in ("1", "true") for element in book.iter("{*}workbookPr")
    )
    targets = relations_of(archive, "xl/_rels/workbook.xml.rels")
    marks: dict[str, SheetMarks] = {}
    for number, sheet in enumerate(book.iter("{*}sheet"), start=1):
        name = part_name(targets.get(next((value for key, value in sheet.items() if key.endswith("}id")), ""), ""))
        if name in names:
            with archive.open(name) as part:
                marks[sheet.get("name") or ""] = _of_sheet(part, number)
            marks[sheet.get("name") or ""].counts_from_1904 = counts_from_1904
    return marks


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    """A small part as elements; one that declares entities is refused, none is ever resolved."""
    content = archive.read(name)
    if b"<!DOCTYPE" in content:
        raise damaged()
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def relations_of(archive: zipfile.ZipFile, name: str) -> Mapping[str, str]:
    """What the parts of a workbook are called, by the name under which it refers to them."""
    return {
        relation.get("Id") or "": relation.get("Target") or "" for relation in _xml(archive, name).iter("{*}Relationship")
    }


def part_name(target: str) -> str:
    """Where a part stands in the package."""
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _of_sheet(part: IO[bytes], number: int) -> SheetMarks:
    marks = SheetMarks()
    last_row = last_column = hidden = 0
    tail = head = b""
    for piece in _pieces(part):
        head = head or piece[:PIECE_BYTES]
        last_row = _last_row(piece, last_row)
        if b"hidden=" in piece:
            hidden += sum(1 for row in _ROW.finditer(piece) if _HIDDEN.search(b" " + row[1]))
        columns = set(_WIDE.findall(piece)) or set(_REFERENCE.findall(piece[:PIECE_BYTES // 16]))
        last_column = max(last_column, *map(_column_number, columns), 0)
        _look_for_failed(piece, marks)
        tail = piece
    reaches_too_far(number, last_row, last_column)
    marks.hidden_columns = _hidden_columns(head, last_column)
    if _FILTER.search(tail):
        marks.filtered_rows = hidden
    else:
        marks.hidden_rows = hidden
    return marks


def _last_row(piece: bytes, before: int) -> int:
    """The number of the last row of a piece; rows that do not say theirs are counted on from those before."""
    numbers = _ROW_NUMBERS.findall(piece) or _LATE_ROW_NUMBERS.findall(piece)
    return max(map(int, numbers)) if numbers else before + len(_ROW.findall(piece))


def reaches_too_far(number: int, rows: int, columns: int) -> None:
    """Raises FileReturned for a sheet that is too large to be opened: its cells are laid out whether filled or not."""
    if rows * columns > vocabulary()["reading"]["most_cells"]:
        raise FileReturned(
            f"{nth_sheet(number)}的数据区延伸到第 {rows} 行第 {columns} 列，未予打开。",
            cure="请删除数据以外的行和列（含最后一行、最后一列中的零星内容），保存后重新报送。",
        )


def _pieces(part: IO[bytes]) -> Iterator[bytes]:
    """The part in pieces that end where a row ends; the last holds what follows the rows."""
    limit = vocabulary()["reading"]["largest_row_bytes"]
    rest = b""
    while chunk := part.read(PIECE_BYTES):
        text = rest + chunk
        cut = text.rfind(b"row>") + 4
        rest = text[cut:] if cut > 3 else text
        if cut > 3:
            yield _in_double_quotes(text[:cut])
        if len(rest) > limit:
            raise damaged()
    yield _in_double_quotes(rest)


def _in_double_quotes(piece: bytes) -> bytes:
    """Attributes may stand in either; what else a quote means does not matter here."""
    return piece.replace(b"'", b'"') if b"r='" in piece else piece


def _look_for_failed(piece: bytes, marks: SheetMarks) -> None:
    if b'="e"' in piece:
        for letters, number, text in _ERROR.findall(piece):
            _note(marks, letters, number, text.decode("utf-8", "replace"))
    if b"<f" in piece or b":f>" in piece or b":f " in piece:
        for letters, number, attributes in _NO_VALUE.findall(piece):
            if b't="str"' not in attributes:  # a formula whose result is an empty text
                marks.formulas_without_value += 1
                _note(marks, letters, number, NO_RESULT)


def _note(marks: SheetMarks, letters: bytes, number: bytes, text: str) -> None:
    marks.texts.setdefault(int(number) - 1, {})[_column_number(letters) - 1] = text


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return min(number, _COLUMN_LIMIT)


def _hidden_columns(head: bytes, last_column: int) -> int:
    """Hidden columns among those in use: hiding everything to the right of the table is common and hides nothing."""
    count = 0
    for column in _COLUMN.finditer(head):
        if _HIDDEN.search(b" " + column[1]):
            bounds = {key: int(value) for key, value in _ATTRIBUTE.findall(column[1])}
            first, last = bounds.get(b"min", 1), bounds.get(b"max", 1)
            count += max(min(last, last_column) - first + 1, 0)
    return count
