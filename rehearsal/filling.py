"""Writes into cells of a workbook and leaves all else in it as it was issued, byte for byte.

Opening a form of many merged cells as a whole and saving it again takes a hundred times as long, and forgets what the library
does not know.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from lxml import etree

from documents.workbook import address, column_index

Place = tuple[str, int, int]
"""sheet, row and column, both from zero"""
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DAY_ZERO = date(1899, 12, 30)


def enter(issued: Path, filled: Path, values: Mapping[Place, str | int | float | date]) -> None:
    """Makes ``filled`` of ``issued`` with these values in its cells; a date goes into a cell that shows dates as such."""
    by_sheet: dict[str, dict[tuple[int, int], str | int | float | date]] = defaultdict(dict)
    for (sheet, row, column), value in values.items():
        by_sheet[sheet][row, column] = value
    with zipfile.ZipFile(issued) as source:
        parts = {part: by_sheet.pop(name) for name, part in _sheets(source).items() if name in by_sheet}
        if by_sheet:
            raise KeyError(f"{len(by_sheet)} sheets are not in the workbook")
        entries = [(entry, source.read(entry)) for entry in source.infolist()]
    with zipfile.ZipFile(filled, "w", zipfile.ZIP_DEFLATED) as target:  # which may be the same file
        for entry, content in entries:
            target.writestr(entry, _entered(content, parts[entry.filename]) if entry.filename in parts else content)


def _sheets(book: zipfile.ZipFile) -> dict[str, str]:
    """Name of each sheet → its part of the file."""
    links = etree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    sheets = etree.fromstring(book.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
    return {str(sheet.get("name")): f"xl/{targets[sheet.get(f'{_OFFICE}id')].removeprefix('/xl/')}" for sheet in sheets}


def _entered(content: bytes, values: Mapping[tuple[int, int], str | int | float | date]) -> bytes:
    sheet = etree.fromstring(content)
    data = sheet.find(f"{_MAIN}sheetData")
    rows = {int(row.get("r")) - 1: row for row in data}
    for number in sorted({row for row, _ in values} - rows.keys()):
        rows[number] = etree.Element(f"{_MAIN}row", r=str(number + 1))
        data.insert(sum(known < number for known in rows if known != number), rows[number])
    by_row: dict[int, dict[int, str | int | float | date]] = defaultdict(dict)
    for (row, column), value in values.items():
        by_row[row][column] = value
    for row, wanted in by_row.items():
        cells = {column_index(re.sub(r"\d", "", cell.get("r"))): cell for cell in rows[row]}
        for column, value in sorted(wanted.items()):
            if column not in cells:
                cells[column] = etree.Element(f"{_MAIN}c", r=address(row, column))
                rows[row].insert(sum(known < column for known in cells), cells[column])
            _write(cells[column], value)
    written: bytes = etree.tostring(sheet, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


def _write(cell: etree._Element, value: str | int | float | date) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)
    if isinstance(value, str):
        cell.set("t", "inlineStr")
        text = etree.SubElement(etree.SubElement(cell, f"{_MAIN}is"), f"{_MAIN}t")
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        text.text = value
    else:
        number = (value - _DAY_ZERO).days if isinstance(value, date) else value
        etree.SubElement(cell, f"{_MAIN}v").text = str(number)
