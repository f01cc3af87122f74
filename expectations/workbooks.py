"""Workbooks (.xlsx, .xlsm without macros, .xlsb, .xls): their sheets as grids of cells.

The cells are read by calamine; what it does not tell - hidden rows and columns, filters, failed formulas, how far a
sheet reaches - is looked up in the package (``marks``) before a sheet is opened.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from expectations.file_kinds import damaged, macros, nth_sheet, password
from expectations.grids import Grid, read_grids
from expectations.headers import Words
from expectations.marks import marks_of
from expectations.raw_rows import EXPORT_AGAIN, Reading, Remark
from expectations.sheet_marks import SheetMarks
from models.contract import Contract
from models.errors import FileReturned

NO_MARKS = SheetMarks()
_Read = TypeVar("_Read")


def read_workbook(path: Path, contract: Contract, words: Words) -> Reading:
    """A workbook's sheets as columns of text. Raises FileReturned where it cannot be opened."""
    marks = marks_of(path)
    with path.open("rb") as file, _no_garbage_collection():
        workbook = _guarded(lambda: CalamineWorkbook.from_filelike(file), damaged())
        return read_grids(_grids(workbook, marks), contract, words, "workbook")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Millions of cells become objects that all stay: collecting among them doubles the time and frees nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _guarded(read: Callable[[], _Read], refusal: FileReturned) -> _Read:
    """What the reader reads, or the refusal: its panics are no Exception, and its messages may quote cells."""
    try:
        return read()
    except PasswordError:
        raise password() from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        raise refusal from None


def _grids(workbook: CalamineWorkbook, marks: Mapping[str, SheetMarks]) -> Iterator[Grid]:
    for number, meta in enumerate(workbook.sheets_metadata, start=1):
        if meta.typ == SheetTypeEnum.MacroSheet:
            raise macros()
        if meta.typ == SheetTypeEnum.WorkSheet:
            yield _guarded(
                partial(_grid, workbook, meta, number, marks.get(meta.name, NO_MARKS)),
                FileReturned(f"{nth_sheet(number)}已损坏，读不出来。", cure=EXPORT_AGAIN),
            )


def _grid(workbook: CalamineWorkbook, meta: SheetMetadata, number: int, marks: SheetMarks) -> Grid:
    sheet = workbook.get_sheet_by_name(meta.name)
    top, left = sheet.start or (0, 0)
    last = max(sheet.end[0] if sheet.end else -1, *marks.texts, -1)
    remarks: dict[Remark, int] = {
        "hidden_sheet": int(meta.visible != SheetVisibleEnum.Visible), "hidden_rows": marks.hidden_rows,
        "hidden_columns": marks.hidden_columns, "filtered": marks.filtered_rows,
        "formulas_without_value": marks.formulas_without_value,
    }
    return Grid(
        meta.name, nth_sheet(number), _rows(sheet, marks.texts), last + 1, top, left,
        marks.merged if sheet.merged_cell_ranges is None else sheet.merged_cell_ranges, marks.counts_from_1904, remarks,
    )


def _rows(sheet: CalamineSheet, texts: Mapping[int, Mapping[int, str]]) -> Iterator[list[Any]]:
    """The rows from the first that holds anything, with the texts of failed formulas where they stand; rows that hold
    nothing else come last."""
    top, left = sheet.start or (0, 0)
    line = top - 1
    for line, row in enumerate(islice(sheet.iter_rows(), top, None), start=top):
        yield _with_texts(row, texts[line], left) if line in texts else row
    width = sheet.width
    for further in range(line + 1, max(texts, default=-1) + 1):
        yield _with_texts([""] * width, texts.get(further, {}), left)


def _with_texts(row: list[Any], texts: Mapping[int, str], left: int) -> list[Any]:
    for column, text in texts.items():
        if 0 <= column - left < len(row):
            row[column - left] = text
    return row
