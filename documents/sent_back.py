"""A returned workbook with its faults marked: red cells, a comment on each, and a sheet that lists them all."""

from __future__ import annotations

import json
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

from documents.files import settle_zip, write_atomically
from documents.model import CellFault
from documents.workbook import BORDER, FORM_SCHEMA, ROSTER_SCHEMA, open_returned

FAULTS_SHEET = "退回说明"
_RED = PatternFill("solid", fgColor="FFF4B6B6")
_HEAD = ("序号", "工作表", "单元格", "问题", "如何更正", "原底色")
_WIDTHS = (6, 20, 10, 46, 60, 2)
_FIRST_ROW = 4
_ORIGINAL_FILL = 6


def write_sent_back(path_in: Path, path_out: Path, faults: tuple[CellFault, ...]) -> None:
    """Write a copy of a returned roster or form with ``faults`` marked; marks of an earlier return are taken off.

    Marked cells are unlocked, so that they can be put right. Raises FileReturned if the workbook is none of ours and
    StorageUnavailable if the copy cannot be written.
    """
    head = open_returned(path_in, ROSTER_SCHEMA, FORM_SCHEMA).head
    book = load_workbook(path_in)
    _unmark(book)
    _list(book, faults, {fault: _mark(book, fault) for fault in dict.fromkeys(faults)})
    book.active = 0
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet.title == FAULTS_SHEET

    def save(draft: Path) -> None:
        book.save(draft)
        settle_zip(draft, date.fromisoformat(head["as_of"]))

    write_atomically(path_out, save)


def _mark(book: Workbook, fault: CellFault) -> str:
    """Mark one cell and return its former ground as JSON, to be put back when the next return is right."""
    cell = _anchor(book[fault.sheet], fault.cell)
    former = cell.fill.fgColor.rgb if cell.fill.fill_type == "solid" else None
    text = f"{fault.what}{fault.cure}"
    if cell.comment is not None:
        text = f"{cell.comment.text}\n{text}"
    cell.comment = Comment(text, "退回说明", height=110, width=280)
    cell.fill = copy(_RED)
    cell.protection = Protection(locked=False)
    return json.dumps(former if isinstance(former, str) else None)


def _anchor(sheet: Any, address: str) -> Any:
    """The cell itself, or the first cell of the area someone merged it into: only that one can be marked."""
    for area in sheet.merged_cells.ranges:
        if address in area:
            return sheet.cell(area.min_row, area.min_col)
    return sheet[address]


def _unmark(book: Workbook) -> None:
    if FAULTS_SHEET not in book.sheetnames:
        return
    listing: Any = book[FAULTS_SHEET]
    # Upwards: a cell with two faults gets the ground it had before the first.
    for row in reversed(list(listing.iter_rows(min_row=_FIRST_ROW, values_only=True))):
        _, sheet, address, _, _, former = row[:_ORIGINAL_FILL]
        if sheet in book.sheetnames and address:
            cell = _anchor(book[sheet], address)
            ground = json.loads(former or "null")
            cell.fill = PatternFill("solid", fgColor=ground) if ground else PatternFill()
            cell.comment = None
    book.remove(listing)


def _list(book: Workbook, faults: tuple[CellFault, ...], formers: dict[CellFault, str]) -> None:
    sheet = book.create_sheet(FAULTS_SHEET, 0)
    sheet["A1"] = f"退回说明：共 {len(formers)} 处需要更正"
    sheet["A1"].font = Font(name="黑体", size=16)
    sheet["A2"] = "请按下表更正标红的单元格（鼠标停在单元格上可看批注），保存后将本文件重新报送；其余内容无须重填。"
    sheet["A2"].font = Font(name="宋体", size=10, color="FF595959")
    line = Side(style="thin", color=f"FF{BORDER.removeprefix('#')}")
    box = Border(left=line, right=line, top=line, bottom=line)
    for column, (title, width) in enumerate(zip(_HEAD, _WIDTHS, strict=True), start=1):
        cell = sheet.cell(_FIRST_ROW - 1, column, title)
        cell.font, cell.border = Font(name="黑体", size=10), box
        cell.alignment = Alignment(horizontal="center")
        sheet.column_dimensions[cell.column_letter].width = width
    for number, (fault, former) in enumerate(formers.items(), start=1):
        values = (number, fault.sheet, fault.cell, fault.what, fault.cure, former)
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(_FIRST_ROW + number - 1, column, value)
            cell.font, cell.border = Font(name="宋体", size=10), box
            cell.alignment = Alignment(vertical="center", wrap_text=True)
        link = sheet.cell(_FIRST_ROW + number - 1, 3)
        link.hyperlink = f"#'{fault.sheet}'!{fault.cell}"
        link.font = Font(name="宋体", size=10, color="FF1F4E79", underline="single")
    sheet.column_dimensions["F"].hidden = True
    sheet.freeze_panes = f"A{_FIRST_ROW}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.sheet_properties.tabColor = "FFC00000"
