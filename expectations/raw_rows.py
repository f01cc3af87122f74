"""What reading hands on: every row below a header as columns of text, whatever kind of file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.headers import Header, with_stand_ins
from expectations.households import one_row_a_person
from models.contract import Contract, vocabulary
from models.errors import FileReturned

LEADS = ("lead_1", "lead_2", "lead_3")
"""The first columns of the file: 合计 and 填表人 stand there, under whatever header."""
SAVE_AS = "请用 Excel 另存为 .xlsx 或 CSV 后重新报送。"
EXPORT_AGAIN = "请重新导出后报送。"

ODD = "\ufffd"
"""What stands where bytes meant nothing."""

RowFault = Literal["shifted_columns", "odd_bytes", "failed_formula"]
"""Why a row as a whole is doubtful; the last is found only when its cells are read."""
Remark = Literal[
    "hidden_sheet", "hidden_rows", "hidden_columns", "filtered", "odd_bytes", "nul_bytes", "formulas_without_value",
    "other_feed_rows",
]
"""What a sender is told of a file that was read all the same; worded in ``vocabulary.yaml`` under ``remarks``."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of rows with its own header: one sheet, or a text file. ``line = row_number - offset``; the first and the
    last row belong to it."""

    name: str
    offset: int
    first_row: int
    last_row: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds. ``table`` has ``row_number`` (1-based line in the file; the sheets of a workbook count on),
    ``member`` (1; on a line that holds a household, 1 to n for its persons), ``row_fault``, the leads and every column
    of the contract as text; (row_number, member) stands once. ``units`` are factors that headers state (万元),
    ``counting_leads`` the leads in which a bare number may be a count of rows, ``notes`` rows of sheets that hold no
    data of this feed, ``remarks`` how often something was met that the sender should know of. ``titles`` are the lines
    above the header, ``cells`` the header's own, known or not."""

    table: pa.Table
    kind: Literal["workbook", "text", "web_page"]
    encoding: str | None
    headers: Mapping[str, str]
    parts: tuple[Part, ...]
    units: Mapping[str, int]
    counting_leads: tuple[str, ...]
    notes: int = 0
    remarks: Mapping[Remark, int] = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


def needed(header: Header, width: int) -> list[int]:
    """Positions, among so many columns, that are kept: the leads and whatever the header names."""
    named = {*header.positions.values(), *(position for group in header.groups for position in group.values())}
    return sorted(position for position in {*range(len(LEADS)), *named} if position < width)


def numbered(table: pa.Table, numbers: np.ndarray, faults: pa.Array | None) -> pa.Table:
    """The columns with their line numbers and row faults beside them."""
    fault = pa.nulls(table.num_rows, pa.string()) if faults is None else faults
    return table.append_column("row_number", pa.array(numbers)).append_column("row_fault", fault)


def canonical(table: pa.Table, header: Header, contract: Contract) -> pa.Table:
    """Columns by position (``c0``, ``c1``, …) become leads and canonical columns, a line of a household one row a person,
    in the order of the file. What the file does not have is null."""
    if not header.groups:
        return _named(table, header.positions, contract, 1)
    persons = one_row_a_person(table, header.groups, header.positions)
    rows = pa.concat_tables(
        _named(lines, with_stand_ins(positions, contract), contract, member)
        for member, (lines, positions) in enumerate(persons, start=1)
    )
    return rows.sort_by([("row_number", "ascending"), ("member", "ascending")])


def _named(table: pa.Table, positions: Mapping[str, int], contract: Contract, member: int) -> pa.Table:
    absent = pa.nulls(table.num_rows, pa.string())

    def at(position: int | None) -> Any:
        return table[f"c{position}"] if f"c{position}" in table.column_names else absent

    columns = {"row_number": table["row_number"], "member": pa.array(np.full(table.num_rows, member, np.int32))}
    columns |= {"row_fault": table["row_fault"]}
    columns |= {lead: at(position) for position, lead in enumerate(LEADS)}
    columns |= {name: at(positions.get(name)) for name in contract.columns}
    return pa.table(columns)


def units(header: Header, contract: Contract) -> dict[str, int]:
    """Amounts in 万元 are told only by their header (domain.md 39: check the unit)."""
    amounts = contract.of_type("amount", "number")
    return {name: 10_000 for name in amounts if "万" in header.texts.get(name, "")}


def counting_leads(header: Header, contract: Contract) -> tuple[str, ...]:
    """The leads that hold no amounts, dates or counts of their own: in a 合计 row a number there counts rows."""
    own_numbers = {
        position for name, position in header.positions.items()
        if contract.columns[name].type in ("amount", "number", "int", "date", "month")
    }
    return tuple(lead for position, lead in enumerate(LEADS) if position not in own_numbers)


def with_odd_rows(table: pa.Table) -> pa.Table:
    """The rows with a kept cell in which bytes meant nothing have that fault: whoever they are about, no such cell can
    be trusted."""
    odd = np.zeros(table.num_rows, bool)
    for name in table.column_names:
        if name != "row_fault" and pa.types.is_string(table.schema.field(name).type):
            odd |= pc.fill_null(pc.match_substring(table[name], ODD), False).to_numpy(zero_copy_only=False)
    fault: RowFault = "odd_bytes"
    faults = pc.if_else(pa.array(odd), pa.scalar(fault), table["row_fault"])
    return table.set_column(table.column_names.index("row_fault"), "row_fault", faults)


def with_odd_rows_told(reading: Reading) -> Reading:
    """The same for a file read whole, with the remark. Raises FileReturned where they are too many."""
    table = with_odd_rows(reading.table)
    odd = pc.sum(pc.equal(table["row_fault"], "odd_bytes")).as_py() or 0
    refuse_odd(odd, table.num_rows)
    return replace(reading, table=table, remarks={**reading.remarks, "odd_bytes": odd} if odd else reading.remarks)


def refuse_odd(odd_rows: int, rows: int) -> None:
    """Raises FileReturned for a file in which more than a few rows hold bytes that are no text."""
    limits = vocabulary()["reading"]
    is_few = odd_rows <= limits["most_odd_rows"] or odd_rows <= rows * limits["most_odd_share"]
    if odd_rows * 2 > rows or not is_few:
        raise FileReturned(
            f"{rows} 行中有 {odd_rows} 行含有无法识别的字符，文件前后编码不一致或已损坏。",
            cure=f"请用同一种编码重新导出。{SAVE_AS}",
        )
