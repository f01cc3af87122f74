"""Corrected rows laid over the file they belong to, so that the whole can be judged again.

A correction may only touch rows that were refused. A cell that came back as it went out keeps what the file held, to
the last space; an emptied row becomes a blank one, which is dropped and counted. The rows of the file stay as many as
they were, so its accounts still add up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.grids import text_of
from expectations.raw_rows import LEADS, Reading

Key = tuple[int, int]
"""The line of the file and, on a household's line, which of its persons."""
_MEMBERS = 1 << 20
"""More persons than any line holds: row number and member fit into one integer."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What one return workbook brought back, and the keys of the rows it may touch."""

    rows: Mapping[Key, Mapping[str, Any]]
    refused: Collection[Key]


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rows that came back: ``changed_rows`` with ``changed_cells`` were taken over, ``emptied`` of
    them emptied altogether; ``untouched`` came back as they went out; ``absent`` did not come back; ``foreign`` were
    never refused and are left alone."""

    changed_rows: int = 0
    changed_cells: int = 0
    emptied: int = 0
    untouched: int = 0
    absent: int = 0
    foreign: int = 0


def apply(reading: Reading, corrections: Sequence[Correction]) -> tuple[Reading, Account]:
    """The reading with the corrections laid over it in their order, and what became of the last one's rows."""
    account = Account()
    for correction in corrections:
        reading, account = _apply(reading, correction)
    return reading, account


def _apply(reading: Reading, correction: Correction) -> tuple[Reading, Account]:
    places = _places(reading.table, [key for key in correction.rows if key in correction.refused])
    changes = {key: dict(_changed(reading.table, place, correction.rows[key])) for key, place in places.items()}
    changed = {key: cells for key, cells in changes.items() if cells}
    touched = {places[key]: cells for key, cells in changed.items()}
    table = _overlaid(reading.table, touched)
    emptied = sum(_is_blank(table, place) for place in touched)
    account = Account(
        changed_rows=len(changed), changed_cells=sum(map(len, changed.values())), emptied=emptied,
        untouched=len(changes) - len(changed), absent=len(set(correction.refused) - set(correction.rows)),
        foreign=len(correction.rows) - len(changes),
    )
    return replace(reading, table=table), account


def _places(table: pa.Table, keys: Sequence[Key]) -> dict[Key, int]:
    """Where in the table the rows with these keys stand; a key that no row has is left out."""
    if not keys or not table.num_rows:
        return {}
    numbers = table["row_number"].to_numpy() * _MEMBERS + table["member"].to_numpy()
    order = np.argsort(numbers, kind="stable")
    wanted = np.array([row_number * _MEMBERS + member for row_number, member in keys], dtype=np.int64)
    found = np.minimum(np.searchsorted(numbers, wanted, sorter=order), len(order) - 1)
    return {
        key: int(order[at]) for key, number, at in zip(keys, wanted, found, strict=True) if numbers[order[at]] == number
    }


def _changed(table: pa.Table, place: int, cells: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The cells that say something else now."""
    for name, cell in cells.items():
        text = text_of("" if cell is None else cell)
        if name in table.column_names and _plain(text) != _plain(table[name][place].as_py() or ""):
            yield name, text


def _plain(text: str) -> str:
    """A cell without what a workbook adds or loses on its way: unprintable signs, spaces at the edges, and the
    apostrophe by which a cell is kept from being a formula (domain.md 46)."""
    return "".join(sign for sign in text if sign.isprintable()).strip().lstrip("'")


def _overlaid(table: pa.Table, touched: Mapping[int, Mapping[str, str]]) -> pa.Table:
    """The table with new texts in these rows. A corrected row is no longer shifted, and what stood in its first columns
    (which may be the very cells that were wrong) is no longer asked whether it is a total or a signature."""
    if not touched:
        return table
    names = {name for cells in touched.values() for name in cells}
    for name in [name for name in table.column_names if name in names]:
        texts = {place: cells[name] for place, cells in touched.items() if name in cells}
        table = _replaced(table, name, texts)
    for name in ("row_fault", *LEADS):
        table = _replaced(table, name, dict.fromkeys(touched))
    return table


def _replaced(table: pa.Table, name: str, texts: Mapping[int, str | None]) -> pa.Table:
    mask = np.zeros(table.num_rows, dtype=bool)
    places = sorted(texts)
    mask[places] = True
    new = pa.array([texts[place] for place in places], pa.string())
    column = pc.replace_with_mask(table[name].combine_chunks(), pa.array(mask), new)
    return table.set_column(table.column_names.index(name), name, column)


def _is_blank(table: pa.Table, place: int) -> bool:
    not_of_the_file = {"row_number", "member", "row_fault"}
    return not any(
        (table[name][place].as_py() or "").strip() for name in table.column_names if name not in not_of_the_file
    )
