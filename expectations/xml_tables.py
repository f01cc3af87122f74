"""Tables written as XML: OpenDocument (.ods), and Excel's own of 2003, which many systems still export as .xls.

Both are read as a stream. No entity is resolved, nothing is fetched, and a file that declares entities is refused.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from lxml import etree

from expectations.file_kinds import damaged, nth_sheet, outside_links
from expectations.grid_builder import GridBuilder
from expectations.grids import Grid, read_grids
from expectations.headers import Words
from expectations.raw_rows import SAVE_AS, Reading
from expectations.sheet_marks import NO_RESULT
from models.contract import Contract, vocabulary
from models.errors import FileReturned

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_OPEN_DOCUMENT = b"urn:oasis:names:tc:opendocument:xmlns:office"
_ROOT_WITHIN = 1 << 13
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
LONGEST_RUN = 1_048_576
"""No sheet has more rows; a program that fills the rest of one writes a run of so many."""


def read_spreadsheet_xml(path: Path, contract: Contract, words: Words) -> Reading:
    """An XML Spreadsheet 2003, or an OpenDocument written as one XML file. Raises FileReturned for other XML, and for what
    is not well formed."""
    _refuse_large(path.stat().st_size)
    try:
        with path.open("rb") as file:
            _refuse_entities(file)
            is_open_document = _OPEN_DOCUMENT in file.read(_ROOT_WITHIN)
            file.seek(0)
            grids = _document_grids(file) if is_open_document else _spreadsheet_grids(file)
            return read_grids(grids, contract, words, "web_page")
    except etree.LxmlError:
        raise damaged() from None


def read_open_document(path: Path, contract: Contract, words: Words) -> Reading:
    """An OpenDocument spreadsheet. Raises FileReturned where it is damaged or links to other files."""
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_large(archive.getinfo("content.xml").file_size)
            with archive.open("content.xml") as part:
                _refuse_entities(part)
            with archive.open("content.xml") as part:
                return read_grids(_document_grids(part), contract, words, "workbook")
    except (etree.LxmlError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError):
        raise damaged() from None


def _refuse_large(size_bytes: int) -> None:
    if size_bytes > vocabulary()["reading"]["largest_page_bytes"]:
        raise FileReturned("文件过大，未予打开。", cure=SAVE_AS)


def _refuse_entities(file: IO[bytes]) -> None:
    """Neither kind of file declares a document type; what does may unfold without end."""
    if b"<!DOCTYPE" in file.read(1 << 16).replace(b"\0", b"").upper():
        raise FileReturned("文件内含实体声明，未予打开。", cure=SAVE_AS)
    if file.seekable():
        file.seek(0)


def _parsed(file: IO[bytes], *tags: str) -> Iterator[tuple[str, etree._Element]]:
    """Starts and ends of these elements. What has ended is let go of by who takes it."""
    return etree.iterparse(file, events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, load_dtd=False)


def _let_go(element: etree._Element) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


# --- Excel's XML of 2003 --------------------------------------------------------------------------------


def _spreadsheet_grids(file: IO[bytes]) -> Iterator[Grid]:
    builder, number = None, 0
    for event, element in _parsed(file, f"{_SS}Worksheet", f"{_SS}Column", f"{_SS}Row", f"{_SS}AutoFilter", "{*}AutoFilter"):
        is_start = event == "start"
        if element.tag == f"{_SS}Worksheet" and is_start:
            number += 1
            builder = GridBuilder(element.get(f"{_SS}Name") or "", nth_sheet(number))
        elif builder is None or is_start:
            continue
        elif element.tag == f"{_SS}Column" and element.get(f"{_SS}Hidden") == "1":
            builder.remark("hidden_columns", 1 + _number(element.get(f"{_SS}Span"), 0))
        elif element.tag == f"{_SS}Row":
            _add_spreadsheet_row(element, builder)
            _let_go(element)
        elif element.tag == f"{_SS}Worksheet":
            if element.find("{*}WorksheetOptions/{*}Visible") is not None:
                builder.remark("hidden_sheet")
            yield builder.grid()
            builder = None
            _let_go(element)


def _add_spreadsheet_row(row: etree._Element, builder: GridBuilder) -> None:
    index = _number(row.get(f"{_SS}Index"), 0)
    if index:
        builder.skip_to_row(min(index, LONGEST_RUN) - 1)
    if row.get(f"{_SS}Hidden") == "1":
        builder.remark("hidden_rows")
    for cell in row.iterfind(f"{_SS}Cell"):
        column = _number(cell.get(f"{_SS}Index"), 0)
        if column:
            builder.skip_to_column(column - 1)
        across, down = _number(cell.get(f"{_SS}MergeAcross"), 0), _number(cell.get(f"{_SS}MergeDown"), 0)
        builder.add(_spreadsheet_value(cell, builder), columns=across + 1, rows=down + 1)
    builder.end_row(1 + min(_number(row.get(f"{_SS}Span"), 0), LONGEST_RUN))


def _spreadsheet_value(cell: etree._Element, builder: GridBuilder) -> Any:
    data = cell.find(f"{_SS}Data")
    if data is None:
        if cell.get(f"{_SS}Formula") is None:
            return ""
        builder.remark("formulas_without_value")
        return NO_RESULT
    return _typed("".join(data.itertext()), data.get(f"{_SS}Type") or "String")


def _typed(text: str, kind: str) -> Any:
    """Numbers and dates as a workbook would give them, so that they are written the same."""
    try:
        if kind in ("Number", "float", "percentage", "currency"):
            return float(text)
        if kind in ("DateTime", "date"):
            return datetime.fromisoformat(text)
    except ValueError:
        return text
    return text


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else default


# --- OpenDocument ---------------------------------------------------------------------------------------


def _document_grids(file: IO[bytes]) -> Iterator[Grid]:
    builder, blanks, number = None, 0, 0
    hiding: set[str | None] = set()
    tags = ("table", "table-row", "table-column", "table-source")
    for event, element in _parsed(file, f"{_STYLE}style", *(f"{_TABLE}{tag}" for tag in tags)):
        is_start = event == "start"
        if element.tag == f"{_STYLE}style":
            if any(properties.get(f"{_TABLE}display") == "false" for properties in element):
                hiding.add(element.get(f"{_STYLE}name"))
            continue
        if element.tag == f"{_TABLE}table-source":
            raise outside_links()
        if element.tag == f"{_TABLE}table" and is_start:
            number += 1
            builder, blanks = GridBuilder(element.get(f"{_TABLE}name") or "", nth_sheet(number), spans_cover=False), 0
            if element.get(f"{_TABLE}style-name") in hiding:
                builder.remark("hidden_sheet")
        elif builder is None or is_start:
            continue
        elif element.tag == f"{_TABLE}table-column" and element.get(f"{_TABLE}visibility") == "collapse":
            builder.remark("hidden_columns")
        elif element.tag == f"{_TABLE}table-row":
            blanks = _add_document_row(element, builder, blanks)
            _let_go(element)
        elif element.tag == f"{_TABLE}table":
            yield builder.grid()
            builder = None
            _let_go(element)


def _add_document_row(row: etree._Element, builder: GridBuilder, blanks: int) -> int:
    """Adds a row, and the blank ones that went before it. Returns how many blank ones are waiting for what follows."""
    times = min(_number(row.get(f"{_TABLE}number-rows-repeated"), 1), LONGEST_RUN)
    cells = [
        (cell, min(_number(cell.get(f"{_TABLE}number-columns-repeated"), 1), LONGEST_RUN))
        for cell in row if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
    ]
    while cells and not len(cells[-1][0]):
        cells.pop()
    if not cells:
        return blanks + times
    builder.skip_to_row(len(builder.rows) + blanks)
    hidden = row.get(f"{_TABLE}visibility")
    if hidden in ("collapse", "filter"):
        builder.remark("hidden_rows" if hidden == "collapse" else "filtered", times)
    column = 0
    for cell, repeated in cells:
        builder.skip_to_column(column + repeated - 1) if not len(cell) else None
        value = _document_value(cell)
        for _ in range(repeated if len(cell) else 1):
            builder.add(value, columns=_number(cell.get(f"{_TABLE}number-columns-spanned"), 1),
                        rows=_number(cell.get(f"{_TABLE}number-rows-spanned"), 1))
        column += repeated
    builder.end_row(times)
    return 0


def _document_value(cell: etree._Element) -> Any:
    kind = cell.get(f"{_OFFICE}value-type") or "string"
    stated = cell.get(f"{_OFFICE}date-value") if kind == "date" else cell.get(f"{_OFFICE}value")
    if stated is not None:
        return _typed(stated, kind)
    return "\n".join("".join(paragraph.itertext()) for paragraph in cell.iterfind(f"{_TEXT}p"))
