"""Grids of cells - the sheets of a workbook, the tables of a web page - become one run of rows as columns of text.

All sheets with data are read one after the other (domain.md 7), each under its own header. Sheets of notes are counted,
and sheets of another feed are left to a delivery of their own.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from expectations.headers import Header, Words, complete, find_header, with_stand_ins
from expectations.raw_rows import Part, Reading, Remark, canonical, counting_leads, needed, numbered, units
from models import contract as contracts
from models.contract import Contract, vocabulary
from models.errors import FileReturned

EXACT_DIGITS = 15
"""Excel keeps 15 significant digits: a longer number is no longer what was typed (domain.md, Identity)."""
DAYS_FROM_1900_TO_1904 = 1462
"""Workbooks begun on a Mac count days from 1904 (domain.md 31)."""
ROWS_AT_ONCE = 20_000
_LIKE_A_NUMBER = re.compile("[0-9]{14}|[0-9A-Z]{18}|[0-9.]+E[+]?[0-9]+")

Place = tuple[int, int]
"""Row and column, from 0."""
Cells = Sequence[Any]


@dataclass(slots=True)
class Grid:
    """One sheet: its rows from line ``top`` and column ``left`` on (from 0), to be gone through once, and how many lines
    it has. ``called`` is what it is called in words that may be repeated.

    ``merged`` are the corners of merged ranges, ``remarks`` what its sender should know of it, ``counts_from_1904`` how
    its dates are counted where they stand as bare numbers.
    """

    name: str
    called: str
    rows: Iterator[list[Any]]
    height: int
    top: int = 0
    left: int = 0
    merged: Sequence[tuple[Place, Place]] = ()
    counts_from_1904: bool = False
    remarks: Mapping[Remark, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet with data: its header, its rows as columns, and where they stand."""

    header: Header
    table: pa.Table
    part: Part


def read_grids(
    grids: Iterable[Grid], contract: Contract, words: Words, kind: Literal["workbook", "web_page"],
    encoding: str | None = None,
) -> Reading:
    """All grids with data, one after the other. Raises FileReturned where none has any, or where rows of data stand
    without a header that has the required columns."""
    sheets: list[_Sheet] = []
    remarks: Counter[Remark] = Counter()
    offset = notes = 0
    refused: FileReturned | None = None
    for grid in grids:
        top = list(islice(grid.rows, vocabulary()["reading"]["header_within_rows"]))
        header = _header(grid, top, contract, words)
        if isinstance(header, Header):
            sheets.append(_sheet(grid, top, header, contract, offset))
        else:
            refused = refused or header
            filled, holds_data = _looked_through(chain(top, grid.rows), contract)
            if _is_of_another_feed(top, contract):
                remarks["other_feed_rows"] += filled
            elif holds_data:
                raise header
            notes += filled
        remarks.update(grid.remarks)
        offset += grid.height
    if not sheets:
        raise refused or _nothing(contract)
    return _joined(sheets, contract, notes, {code: count for code, count in remarks.items() if count}, kind, encoding)


def _nothing(contract: Contract) -> FileReturned:
    return FileReturned("工作簿里没有数据。", cure=f"请核对报送的是否为「{contract.name}」，补上表头和内容后重新报送。")


def _joined(
    sheets: Sequence[_Sheet], contract: Contract, notes: int, remarks: Mapping[Remark, int],
    kind: Literal["workbook", "web_page"], encoding: str | None,
) -> Reading:
    factors = [units(sheet.header, contract) for sheet in sheets]
    if any(factor != factors[0] for factor in factors):
        raise FileReturned("各工作表的金额单位不一致（元、万元）。", cure="请统一为元后重新报送。")
    first = sheets[0].header
    return Reading(
        pa.concat_tables(sheet.table for sheet in sheets), kind, encoding, first.texts,
        tuple(sheet.part for sheet in sheets), factors[0], counting_leads(first, contract), notes, remarks,
        first.titles, first.cells,
    )


# --- what a sheet is ------------------------------------------------------------------------------------


def _header(grid: Grid, top: Sequence[Cells], contract: Contract, words: Words) -> Header | FileReturned:
    """The sheet's header, or why it has none: what that means is decided by what else stands on the sheet."""
    texts = [[text_of(cell) for cell in row] for row in top]
    try:
        return complete(find_header(texts, contract, words), texts, contract, grid.called)
    except FileReturned as refusal:
        return refusal


def _looked_through(rows: Iterable[Cells], contract: Contract) -> tuple[int, bool]:
    """How many rows hold anything, and whether any of them looks like data."""
    filled, holds_data = 0, False
    for row in rows:
        texts = [text_of(cell) for cell in row if cell != ""]
        filled += bool(texts)
        holds_data = holds_data or _looks_like_data(texts, contract)
    return filled, holds_data


def _looks_like_data(texts: Sequence[str], contract: Contract) -> bool:
    """As many filled cells as the contract requires, and more than a line of explanation has; one of them a number of a
    person or unit, where the feed is about these. A summary by township has none."""
    if len(texts) < max(len(contract.required), 3):
        return False
    return contract.identity is None or any(_LIKE_A_NUMBER.search(text) for text in texts)


def _is_of_another_feed(top: Sequence[Cells], contract: Contract) -> bool:
    """Whether the sheet has all that another feed requires, and names more of its columns than of this one's."""
    texts = [[text_of(cell) for cell in row] for row in top]
    ours = find_header(texts, contract)
    least = len(ours.positions) if ours else 0
    for other in contracts.all():
        found = find_header(texts, other) if other.feed != contract.feed else None
        if found and len(found.positions) > least:
            has = with_stand_ins(found.positions, other)
            if all(name in has for name in other.required):
                return True
    return False


# --- its rows -------------------------------------------------------------------------------------------


def _sheet(grid: Grid, top: Sequence[list[Any]], header: Header, contract: Contract, offset: int) -> _Sheet:
    body = header.at + header.height
    first = offset + grid.top + body + 1
    rows = chain(top[body:], grid.rows)
    fill = _FillDown(grid, header, contract, body)
    shifted = _serial_positions(header, contract) if grid.counts_from_1904 else frozenset()
    tables: list[pa.Table] = []
    count = 0
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        columns = {position: [row[position] for row in batch] for position in needed(header, len(batch[0]))}
        fill.down(columns, count)
        table = pa.table({f"c{at}": _text_array(cells, at in shifted) for at, cells in columns.items()})
        numbers = np.arange(first + count, first + count + len(batch), dtype=np.int64)
        tables.append(canonical(numbered(table, numbers, None), header, contract))
        count += len(batch)
    if not tables:
        tables.append(canonical(numbered(_no_columns(header), np.arange(0), None), header, contract))
    return _Sheet(header, pa.concat_tables(tables), Part(grid.name, offset, first, first + count - 1))


def _no_columns(header: Header) -> pa.Table:
    return pa.table({f"c{position}": pa.array([], pa.string()) for position in needed(header, header.width)})


def _serial_positions(header: Header, contract: Contract) -> frozenset[int]:
    return frozenset(at for name, at in header.positions.items() if contract.columns[name].type in ("date", "month"))


class _FillDown:
    """A township or household merged over several rows counts for each of them (domain.md 14); a person never does, nor
    what a row is known by. Only what is merged: a blank below is a blank."""

    def __init__(self, grid: Grid, header: Header, contract: Contract, body: int) -> None:
        identity = contract.identity.column if contract.identity else None
        fillable = {
            position for name, position in header.positions.items()
            if name != identity and contract.columns[name].type in ("org", "text", "code")
        }
        self._runs: dict[int, deque[tuple[int, int]]] = {}
        for (first_row, left), (last_row, right) in sorted(grid.merged):
            position, start, end = left - grid.left, first_row - grid.top - body, last_row - grid.top - body
            if position in fillable and left == right and 0 <= start < end:
                self._runs.setdefault(position, deque()).append((start, end))
        self._carried: dict[int, Any] = {}

    def down(self, columns: dict[int, list[Any]], first: int) -> None:
        """Fill one batch of rows, the first of which is row ``first`` of the body. Batches come in order."""
        for position, runs in self._runs.items():
            cells = columns.get(position, [])
            past = first + len(cells)
            while runs and runs[0][0] < past:
                start, end = runs[0]
                if start >= first:
                    self._carried[position] = cells[start - first]
                low, high = max(start, first) - first, min(end + 1, past) - first
                cells[low:high] = [self._carried[position]] * (high - low)
                if end >= past:
                    break
                runs.popleft()


def _text_array(cells: list[Any], counts_from_1904: bool) -> pa.Array:
    if {str}.issuperset(map(type, cells)):
        return pa.array(cells, pa.string())
    if counts_from_1904:
        cells = [cell + DAYS_FROM_1900_TO_1904 if _is_serial(cell) else cell for cell in cells]
    return pa.array([cell if type(cell) is str else text_of(cell) for cell in cells], pa.string())


def _is_serial(cell: Any) -> bool:
    """A day's number of the years 1927 to 2090 as counted from 1904; 202105 is a month, 20210531 a day."""
    return isinstance(cell, int | float) and not isinstance(cell, bool) and 10_000 <= cell < 68_000


def text_of(cell: Any) -> str:
    """A cell as it would have been typed: no trailing ``.0``, dates as ISO. A number of more than 15 digits is written
    with an exponent, for what Excel stores is not what was typed, and must never pass for it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if abs(cell) >= 10**EXACT_DIGITS:
            return f"{cell:.14E}"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, datetime):
        midnight = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
