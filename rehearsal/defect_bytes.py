"""A file with defects as bytes: its headers, its cells, and the forms of file it comes in (domain.md 1 to 15, 29 to 31,
44, 45)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.csv as pa_csv
import xlsxwriter

from rehearsal import old_excel
from rehearsal.defect_draft import Draft
from rehearsal.defect_files import FilePlan
from rehearsal.defect_layout import PERSONS_A_LINE, Layout, Sheet
from rehearsal.defect_rows import FORMULA
from rehearsal.defects import words

Cell: TypeAlias = str | int | float | date | None


# --- headers and cells ----------------------------------------------------------------------------------


def _headers(draft: Draft, file: FilePlan, provider: str) -> dict[str, str]:
    """What each column is called: as the department does, by another word the contract knows, or by its field code."""
    made_up, columns = draft.contract.made_up, draft.contract.columns
    assert made_up is not None
    called = {name: made_up.columns[name].header for name in draft.columns}
    kept = [name for name in called if name in columns]  # departments send more than anybody asked for
    if file.headers == "codes":
        called = {name: name for name in called}
        called |= {name: next((a for a in columns[name].aliases if a.isascii() and a.isupper()), name) for name in kept}
    if file.headers == "synonyms":
        called |= {name: _synonym(draft, name, provider) for name in kept}
    if file.unknown_header:
        called[draft.contract.required[0]] = "编号"
    if file.swapped:
        called["id_number"], called["name"] = called["name"], called["id_number"]
    return called


def _synonym(draft: Draft, name: str, provider: str) -> str:
    """One of the contract's words for a column. 万 would change the unit; codes are another defect."""
    column = draft.contract.columns[name]
    pool = [alias for alias in (column.label, *column.aliases) if not alias.isascii() and "万" not in alias]
    return pool[int(draft.chance.draw(9, provider, name, part="word") * len(pool))]


def _header_lines(called: dict[str, str], file: FilePlan) -> list[list[str]]:
    """One line of headers, or two: a merged one that says what the columns below are about."""
    lower = [*(["序号"] if file.numbered else []), *called.values()]
    if not file.two_lines:
        return [lower]
    upper = ["" for _ in lower]
    first = int(file.numbered)
    upper[first] = "人员基本信息"
    if len(lower) > first + 4:
        upper[first + 4] = "业务信息"
    if file.numbered:
        upper[0], lower[0] = "序号", ""
    return [upper, lower]


def _table(draft: Draft, file: FilePlan, sheet: Sheet) -> tuple[list[str], list[list[Cell]]]:
    """The columns of a sheet and their cells, column by column; a household's persons stand side by side."""
    if not file.households:
        picked = pa.array(sheet.positions)
        return list(draft.columns), [_typed(draft, file, name, values.take(picked)) for name, values in draft.columns.items()]
    heads = sheet.positions[sheet.member == 1]
    names, cells = [], []
    for member in range(1, PERSONS_A_LINE + 1):
        here = sheet.member == member
        for name in ("name", "id_number"):
            column: list[Cell] = [None] * sheet.height
            for line, cell in zip(sheet.line[here].tolist(), draft.columns[name].take(
                    pa.array(sheet.positions[here])).to_pylist(), strict=True):
                column[line] = cell
            names.append(f"{name}:{member}")
            cells.append(column)
    for name, values in draft.columns.items():
        if name not in ("name", "id_number"):
            names.append(name)
            cells.append(_typed(draft, file, name, values.take(pa.array(heads))))
    return names, cells


def _typed(draft: Draft, file: FilePlan, name: str, values: pa.Array) -> list[Cell]:
    """Cells as the file holds them: text, but for numbers, and for what an office let Excel have its way with."""
    cells: list[Cell] = values.to_pylist()
    kind = draft.contract.columns[name].type if name in draft.contract.columns else "text"
    if kind == "id" and file.numeric_ids:
        return [_as_number(cell, is_text=file.form in ("csv", "html")) for cell in cells]
    if kind == "date" and file.dates == "serial" and file.form in ("xlsx", "xls"):
        return [int(cell) if isinstance(cell, str) and len(cell) == 5 and cell.isdigit() else cell for cell in cells]
    if kind == "date" and file.dates in ("cells", "cells_1904"):
        return [date.fromisoformat(cell) if isinstance(cell, str) and cell[4:5] == "-" and len(cell) == 10 else cell for cell in cells]
    return cells


def _as_number(cell: Cell, *, is_text: bool) -> Cell:
    """What Excel makes of a long number: fifteen digits stay; shown in a text file, six."""
    if not (isinstance(cell, str) and cell.isdigit() and len(cell) == 18 and cell.isascii()):
        return cell
    return f"{float(cell):.5E}" if is_text else float(cell[:15] + "000")


def _called(names: Sequence[str], called: dict[str, str], file: FilePlan) -> dict[str, str]:
    """Headers of the columns as they stand, persons of a household counted."""
    if not file.households:
        return called
    return {name: _of_member(name, called) for name in names}


def _of_member(name: str, called: dict[str, str]) -> str:
    column, _, member = name.partition(":")
    if not member:
        return called[column]
    word = "姓名" if column == "name" else "身份证号"
    return f"户主{word}" if member == "1" else f"家庭成员{int(member) - 1}{word}"


# --- the bytes ------------------------------------------------------------------------------------------


def content_of(draft: Draft, file: FilePlan, layout: Layout, provider: str, titles: list[str]) -> bytes:
    """The file. ``titles`` are what this department writes above a table; more follow where the file has more."""
    called = _headers(draft, file, provider)
    if file.form == "csv":
        return _csv(draft, file, layout, called)
    above = [*titles, *words()["title_lines"]][: file.titles]
    sheets = [_grid(draft, file, sheet, called, above, layout.feet if sheet is layout.sheets[-1] else ())
              for sheet in layout.sheets]
    if file.form == "html":
        return _html(sheets[0])
    if file.form == "xls":
        return old_excel.old_workbook([old_excel.OldSheet(sheet.name, _plain(grid), sheet.is_hidden)
                                       for sheet, grid in zip(layout.sheets, sheets, strict=True)])
    return _xlsx(draft, file, layout, sheets)


def _csv(draft: Draft, file: FilePlan, layout: Layout, called: dict[str, str]) -> bytes:
    """Text. A long register is written by Arrow, whole; what has odd lines, line by line."""
    sheet = layout.sheets[0]
    buffer = io.BytesIO()
    if file.households or file.shifted or file.numeric_ids:
        text = io.StringIO(newline="")
        names, cells = _table(draft, file, sheet)
        writer = csv.writer(text)
        writer.writerow(_called(names, called, file)[name] for name in names)
        writer.writerows(_shifted([list(line) for line in zip(*cells, strict=True)], file))
        return text.getvalue().encode(file.encoding)
    table = pa.table({called[name]: values for name, values in draft.columns.items()})
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue() if file.encoding == "utf-8" else buffer.getvalue().decode("utf-8").encode(file.encoding)


def _shifted(lines: list[list[Cell]], file: FilePlan) -> list[list[Cell]]:
    """30: from two fifths of the file on, a number stands before each row."""
    if not file.shifted:
        return lines
    start = len(lines) * 2 // 5
    return [*lines[:start], *([str(number), *line] for number, line in enumerate(lines[start:], start=1))]


def _grid(
    draft: Draft, file: FilePlan, sheet: Sheet, called: dict[str, str], above: list[str], feet: Iterable[Sequence[str]],
) -> list[list[Cell]]:
    """A sheet's lines from its first title to its last signature."""
    names, columns = _table(draft, file, sheet)
    body: list[list[Cell]] = [list(line) for line in zip(*columns, strict=True)]
    if file.numbered:
        body = [[number, *line] for number, line in enumerate(body, start=1)]
    lines: list[list[Cell]] = [[text] for text in above]
    lines += [list(line) for line in _header_lines(_called(names, called, file), file)]
    lines += _shifted(body, file)
    if sheet.has_subtotal:
        lines.append(["小计", f"{len(sheet.positions)}人"])
    lines += [list(foot) for foot in feet]
    return lines


def _plain(grid: list[list[Cell]]) -> list[list[old_excel.Cell]]:
    return [[cell.isoformat() if isinstance(cell, date) else cell for cell in line] for line in grid]


def _html(grid: list[list[Cell]]) -> bytes:
    """4: what many systems call an export to Excel."""
    lines = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else escape(str(cell))}</td>" for cell in line) + "</tr>\r\n"
        for line in grid)
    head = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
    return f'{head}<table border="1">\r\n{lines}</table></body></html>'.encode()


def _xlsx(draft: Draft, file: FilePlan, layout: Layout, grids: list[list[list[Cell]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "date_1904": file.dates == "cells_1904"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for sheet, grid in zip(layout.sheets, grids, strict=True):
        page = book.add_worksheet(sheet.name)
        header = sheet_header(file)
        merged = _merged_townships(draft, file, grid, header)
        for row, line in enumerate(grid):
            for column, cell in enumerate(line):
                if (row, column) not in merged:
                    _write_cell(page, row, column, cell, day)
        for (row, column), (last, text) in merged.items():
            if last > row:
                page.merge_range(row, column, last, column, text)
        if sheet.is_hidden:
            page.hide()
        _hide_rows(page, file, header, sheet)
    book.close()
    return _without_saved_values(buffer.getvalue()) if file.formulas else buffer.getvalue()


def sheet_header(file: FilePlan) -> int:
    """The line (from 0) below the header of every sheet of a file."""
    return file.titles + (2 if file.two_lines else 1)


def _merged_townships(
    draft: Draft, file: FilePlan, grid: list[list[Cell]], body: int
) -> dict[tuple[int, int], tuple[int, Cell]]:
    """14: runs of one township, by their first cell, with their last row; cells inside a run are listed as blank runs."""
    if not file.merged:
        return {}
    column = [*draft.columns].index("township") + int(file.numbered)
    runs: dict[tuple[int, int], tuple[int, Cell]] = {}
    start = body
    end = next((row for row in range(body, len(grid)) if len(grid[row]) <= column), len(grid))
    for row in range(body, end):
        is_last = row + 1 == end or grid[row + 1][column] != grid[start][column]
        if is_last:
            if row > start and grid[start][column]:
                runs[start, column] = row, grid[start][column]
                runs |= {(inside, column): (inside, None) for inside in range(start + 1, row + 1)}
            start = row + 1
    return runs


def _hide_rows(page: Any, file: FilePlan, header: int, sheet: Sheet) -> None:
    """8: rows out of sight, by hand or by a filter."""
    if file.hidden == "filter":
        page.autofilter(header - 1, 0, header + sheet.height - 1, 3)
    if file.hidden in ("rows", "filter"):
        for row in range(header, header + min(3, sheet.height)):
            page.set_row(row, None, None, {"hidden": True})


def _write_cell(page: Any, row: int, column: int, cell: Cell, day: Any) -> None:
    if cell == FORMULA:
        page.write_formula(row, column, "=VLOOKUP(A1,Z:Z,1,0)", None, "")
    elif isinstance(cell, str):
        page.write_string(row, column, cell)
    elif isinstance(cell, date):
        page.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001 a day
    elif cell is not None:
        page.write_number(row, column, cell)


def _without_saved_values(content: bytes) -> bytes:
    """44: formulas as a program writes them that does not work them out: no value beside."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename.startswith("xl/worksheets/"):
                part = part.replace(b"<v></v>", b"").replace(b' t="str"><f>', b"><f>")
            new.writestr(entry, part)
    return buffer.getvalue()


def broken(content: bytes, file: FilePlan) -> bytes:
    """45: under a password, cut off, or another table altogether."""
    if file.broken == "password":
        return old_excel.locked_workbook(content)
    if file.broken == "corrupt":
        return b"PK\x03\x04" + content[4: max(200, len(content) * 2 // 3)]
    if file.broken == "template":
        return old_excel.old_workbook([old_excel.OldSheet("Sheet1", [
            ["全民参保工作推进计划表"], ["序号", "工作内容", "责任科室", "完成时限"], [1, "组织培训", "办公室", "月底前"],
            [2, "入户宣传", "各村社区", "季度末"]])])
    return content
