"""Rows with nothing in them are counted as dropped and move no other row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from expectations.blank_rows import without_blank_rows
from expectations.normalise import Accounts
from tests.expectations.a_file import POPULATION, csv_file, people

Normalise = Callable[..., tuple[Accounts, list[dict[str, Any]], list[dict[str, Any]]]]


def test_blank_rows_are_dropped_and_counted_and_the_others_keep_their_lines(normalise: Normalise, tmp_path: Path) -> None:
    first, second = people(2)
    spaces = ["  "] * len(POPULATION)
    path = csv_file(tmp_path / "a.csv", [POPULATION, first, [""], spaces, second, *[[""]] * 1000])
    accounts, accepted, _ = normalise(path)
    assert (accounts.rows, accounts.accepted, accounts.dropped) == (1004, 2, 1002)
    assert accounts.dropped_kinds == {"blank": 1002}
    assert [row["row_number"] for row in accepted] == [2, 5]


def test_what_did_not_come_from_the_file_fills_no_row() -> None:
    table = pa.table({"row_number": [2, 3], "member": [1, 1], "row_fault": ["shifted_columns", None],
                      "id_number": pa.array([None, ""], pa.string()), "name": ["", None]})
    assert without_blank_rows(table).num_rows == 0


def test_a_table_without_rows_stays_one() -> None:
    assert without_blank_rows(pa.table({"row_number": pa.array([], pa.int64()), "name": pa.array([], pa.string())})).num_rows == 0
