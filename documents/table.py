"""One table, printed in an official document or as a sheet of its annex: the same figures in both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal

from documents.files import write_atomically
from documents.model import Origin
from documents.wording import UNKNOWN, chinese_date, count, share, signed_share, two_digits
from documents.workbook import (
    Formats,
    lines_needed,
    merge_text,
    print_setup,
    save_workbook,
    sheet_name,
    write_text,
)

Cell = str | int | float | date | None
Style = Literal["text", "label", "count", "decimal", "share", "signed"]
"""``text`` is left-aligned, ``label`` centred, the rest are numbers (``decimal``: always two digits;
``signed``: a share with its sign)."""


@dataclass(frozen=True)
class TableColumn:
    """A column: header, width in millimetres (scaled to the page), how its cells are shown."""

    title: str
    width_mm: float
    style: Style = "label"


@dataclass(frozen=True)
class Table:
    """A captioned table. With ``total`` the last row is a total and set apart."""

    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: bool = False
    note: str = ""


def shown(cell: Cell, style: Style) -> str:
    """A cell as text."""
    if cell is None or cell == "":
        return UNKNOWN
    if isinstance(cell, date):
        return chinese_date(cell)
    if isinstance(cell, str):
        return cell
    return {"share": share, "signed": signed_share, "decimal": two_digits}.get(style, count)(cell)


_NUMBER_FORMATS: dict[Style, str] = {"decimal": "#,##0.00", "share": "0.00%", "signed": "+0.00%;-0.00%;0.00%"}


def write_annex(path: Path, origin: Origin, title: str, tables: tuple[Table, ...]) -> None:
    """A workbook with one sheet per table and a contents sheet. Raises StorageUnavailable."""

    def fill(book: Any, formats: Formats) -> None:
        contents = book.add_worksheet("目录")
        taken = {"目录"}
        named = [(sheet_name(f"{number}.{table.caption}", taken), table) for number, table in enumerate(tables, 1)]
        _write_contents(contents, formats, origin, title, named)
        for name, table in named:
            _write_sheet(book.add_worksheet(name), formats, origin, table)

    write_atomically(path, lambda draft: save_workbook(draft, origin, title, fill))


def _write_contents(sheet: Any, formats: Formats, origin: Origin, title: str, named: list[tuple[str, Table]]) -> None:
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, 1, 62)
    sheet.set_column(2, 2, 12)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 36)
    merge_text(sheet, 0, (0, 2), formats.titled(title), formats.title())
    merge_text(sheet, 1, (0, 2), f"数据截止{chinese_date(origin.as_of)}", formats.get(align="center"))
    for column, head in enumerate(("序号", "表名", "行数")):
        write_text(sheet, 3, column, head, formats.column_head())
    row = 3
    for row, (name, table) in enumerate(named, start=4):
        sheet.write_number(row, 0, row - 3, formats.boxed(align="center"))
        link = formats.boxed(font_color="#1F4E79", underline=1)
        sheet.write_url(row, 1, f"internal:'{name}'!A1", link, table.caption)
        sheet.write_number(row, 2, len(table.rows), formats.boxed(align="center"))
    merge_text(sheet, row + 2, (0, 2), source_line(origin), formats.get(font_size=9, text_wrap=True))
    sheet.set_row(row + 2, 40)
    print_setup(sheet, origin, landscape=False)


def source_line(origin: Origin) -> str:
    """Where every figure of a document comes from, so that it can be opened down to its rows."""
    if not origin.run_id:
        return f"数据来源：有关部门登记数据，截至{chinese_date(origin.as_of)}。"
    checksum = f"，内容校验码{origin.content_sha256[:16]}" if origin.content_sha256 else ""
    return f"数据来源：有关部门登记数据，截至{chinese_date(origin.as_of)}；比对批次{origin.run_id}{checksum}。"


def _write_sheet(sheet: Any, formats: Formats, origin: Origin, table: Table) -> None:
    last = len(table.columns) - 1
    widths = [max(8.0, column.width_mm * 0.62) for column in table.columns]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 32)
    merge_text(sheet, 0, (0, last), formats.titled(table.caption), formats.title())
    merge_text(sheet, 1, (0, last), f"数据截止{chinese_date(origin.as_of)}", formats.get(font_size=9, align="right"))
    sheet.set_row(2, 32)
    for column, head in enumerate(table.columns):
        write_text(sheet, 2, column, head.title, formats.column_head())
    for number, cells in enumerate(table.rows, start=3):
        is_total = table.total and number == len(table.rows) + 2
        height = 20.0
        for column, cell in enumerate(cells):
            _write_cell(sheet, formats, (number, column), cell, table.columns[column].style, is_total)
            if isinstance(cell, str):
                height = max(height, lines_needed(cell, widths[column], font_size=10) * 14.0 + 6)
        sheet.set_row(number, height)
    if table.note:
        row = len(table.rows) + 3
        merge_text(sheet, row, (0, last), table.note, formats.get(font_size=9, text_wrap=True))
        sheet.set_row(row, lines_needed(table.note, sum(widths), font_size=9) * 13.0 + 6)
    sheet.freeze_panes(3, 1)
    sheet.autofilter(2, 0, 2 + len(table.rows) - int(table.total), last)
    print_setup(sheet, origin, landscape=sum(widths) > 95, repeat=(0, 2))


def _write_cell(
    sheet: Any, formats: Formats, place: tuple[int, int], cell: Cell, style: Style, is_total: bool,
) -> None:
    bold = {"bold": True} if is_total else {}
    if cell is None or isinstance(cell, str):
        align = {"align": "left", "indent": 1} if style == "text" else {"align": "center"}
        write_text(sheet, *place, cell or UNKNOWN, formats.boxed(text_wrap=True, num_format="@", **align, **bold))
    elif isinstance(cell, date):
        look = formats.boxed(num_format="yyyy-mm-dd", align="center", **bold)
        sheet.write_datetime(*place, datetime.combine(cell, time()), look)
    else:
        plain = "#,##0" if float(cell).is_integer() else "#,##0.00"
        look = formats.boxed(num_format=_NUMBER_FORMATS.get(style, plain), align="center", **bold)
        sheet.write_number(*place, cell, look)
