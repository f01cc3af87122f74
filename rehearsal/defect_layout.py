"""Where the rows of a draft stand in its file: sheet by sheet, line by line, person by person.

Row numbers are those of intake: the physical line, the lines of a workbook's sheets counted on; ``member`` tells the
persons of one line apart (domain.md 7, 8, 10, 11, 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rehearsal.defect_draft import Draft
from rehearsal.defect_files import FilePlan
from rehearsal.defect_rows import township_of
from rehearsal.defects import words
from rehearsal.feeds import XLSX_ROWS_AT_MOST
from rehearsal.names import Integers

PERSONS_A_LINE = 6


@dataclass(frozen=True)
class Sheet:
    """One sheet: its rows as positions in the draft, the line of each (from 0) and which person of the line it is;
    ``first_row`` is the number of its first line of data, the lines of all sheets counted on."""

    name: str
    positions: Integers
    line: Integers
    member: Integers
    first_row: int
    is_hidden: bool
    has_subtotal: bool

    @property
    def height(self) -> int:
        """Lines of data."""
        return int(self.line[-1]) + 1 if len(self.line) else 0

    @property
    def row_numbers(self) -> Integers:
        """The number of each row's line in the file."""
        return self.first_row + self.line


@dataclass(frozen=True)
class Layout:
    """Where every row stands, and the rows below them that belong to nobody: totals and signatures."""

    sheets: tuple[Sheet, ...]
    feet: tuple[tuple[str, ...], ...]


def lay_out(draft: Draft, file: FilePlan) -> Layout:
    above = file.titles + (2 if file.two_lines else 1)
    feet = tuple(_feet(file, len(draft)))
    sheets: list[Sheet] = []
    row = 0
    for name, positions, is_hidden in _groups(draft, file):
        line, member = _lines_of(draft, file, positions)
        has_subtotal = bool(file.total) and file.sheets == "townships"
        sheets.append(Sheet(name, positions, line, member, row + above + 1, is_hidden, has_subtotal))
        row += above + sheets[-1].height + has_subtotal
    return Layout(tuple(sheets), feet)


def _feet(file: FilePlan, rows: int) -> Iterator[tuple[str, ...]]:
    """合计 and signatures. A wrong total states some rows more than there are."""
    if file.total:
        yield "合计", f"{rows + (3 if file.total == 'wrong' else 0)}人"
    if file.footer:
        yield from ((text,) for text in words()["footer_lines"][:2])


def _groups(draft: Draft, file: FilePlan) -> Iterator[tuple[str, Integers, bool]]:
    """Sheet by sheet: name, rows, whether it is hidden."""
    everybody = np.arange(len(draft))
    if file.sheets == "townships":
        yield from _by_township(draft, hides_last=file.hidden == "sheet")
        return
    if file.merged:
        everybody = np.argsort(township_of(draft), kind="stable")
    if file.sheets == "pages":
        for page in range(0, len(draft), XLSX_ROWS_AT_MOST):
            yield f"第{page // XLSX_ROWS_AT_MOST + 1}页", everybody[page:page + XLSX_ROWS_AT_MOST], False
        return
    apart = max(1, len(draft) // 20) if file.hidden == "sheet" and len(draft) > 1 and not file.households else 0
    yield "Sheet1", everybody[: len(draft) - apart], False
    if apart:
        yield "补录", everybody[len(draft) - apart:], True


def _by_township(draft: Draft, *, hides_last: bool) -> Iterator[tuple[str, Integers, bool]]:
    which, townships = township_of(draft), draft.place.townships
    present = [number for number in range(len(townships)) if (which == number).any()]
    for number in present or [0]:
        is_last = number == present[-1:][0] if present else False
        yield townships[number].short, np.flatnonzero(which == number), hides_last and is_last and len(present) > 1


def _lines_of(draft: Draft, file: FilePlan, positions: Integers) -> tuple[Integers, Integers]:
    """The line of each row and which person of it: a line each, or one for each household of up to six."""
    count = len(positions)
    if not file.households or not count:
        return np.arange(count), np.ones(count, dtype=np.int64)
    unit = draft.unit[positions]
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]])
    rank = np.arange(count) - np.repeat(starts, np.diff(np.r_[starts, count]))
    member = rank % PERSONS_A_LINE + 1
    return np.cumsum(member == 1) - 1, member
