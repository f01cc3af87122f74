"""The short way past the SQL must come to what the long way comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.normalise import _database
from expectations.soundness import sound_columns
from models import contract
from tests.expectations.a_file import a_number

PEOPLE = contract.for_feed("population")
BOUNDS = {"earliest_birth": date(1890, 1, 1), "latest_day": date(2021, 7, 1)}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    found = _database().cursor()
    for name, value in BOUNDS.items():
        found.execute(f"SET VARIABLE {name} = $value", {"value": value})
    yield found
    found.close()


def looked_at(cells: list[str | None], column: str) -> list[object]:
    """What is told of these cells, in two chunks of which the second is a slice."""
    values = pa.chunked_array([pa.array(cells[:1], pa.string()), pa.array(["", *cells[1:]], pa.string())[1:]])
    table = pa.table(dict.fromkeys(PEOPLE.columns, values))
    return list(sound_columns(table, PEOPLE)[column].to_pylist())


letters = st.one_of(
    st.sampled_from(["王", "买买提", "·", "•", " ", "\u3000", "\u200b", "'", "#N/A", "无", "不详", "暂无", "NULL", "-"]),
    st.sampled_from(["１", "1", "Ａ", "x", "\ufeff", "一", "鿿", "㐀", "𠮷"]), st.characters(codec="utf-8"),
)
texts = st.lists(letters, max_size=8).map("".join)


@settings(max_examples=60)
@given(cells=st.lists(texts, min_size=1, max_size=20))
def test_what_is_plain_is_what_tidying_leaves_alone(database: duckdb.DuckDBPyConnection, cells: list[str]) -> None:
    for column, long_way in (("address", "tidy(x)"), ("name", "joined_name(tidy(x))")):
        fault = "text_fault(x)" if column == "address" else "name_fault(x)"
        for cell, is_plain in zip(cells, looked_at([*cells], f"{column}_plain"), strict=True):
            if is_plain:
                assert database.execute(f"SELECT {long_way}, {fault} FROM (SELECT $cell AS x)", {"cell": cell}).fetchall() == [(cell, None)]


@settings(max_examples=60)
@given(serial=st.integers(0, 999), born=st.dates(date(1880, 1, 1), date(2030, 1, 1)), at=st.integers(0, 17),
       letter=st.sampled_from("0123456789Xx一 "))
def test_a_sound_number_is_one_in_which_nothing_is_found(
    database: duckdb.DuckDBPyConnection, serial: int, born: date, at: int, letter: str
) -> None:
    good = a_number(serial, born=born.strftime("%Y%m%d"))
    changed = good[:at] + letter + good[at + 1:]
    told = looked_at([good, changed, None, ""], "id_number_sound")
    assert told[0] == born
    assert told[2:] == [None, None]
    found = database.execute(
        "SELECT number_fault(x, born(x)), born(x) FROM (SELECT plain_number($cell) AS x)", {"cell": changed}).fetchall()[0]
    if told[1] is not None:
        assert found[1] == told[1]
        assert found[0] in (None, "birth_date")
    else:
        assert found[0] is not None or changed != changed.upper().strip()


@pytest.mark.parametrize(("born", "told"), [
    ("20000229", date(2000, 2, 29)), ("19000229", None), ("19840229", date(1984, 2, 29)), ("19851301", None), ("19850431", None),
    ("19850400", None), ("19850430", date(1985, 4, 30)), ("00000101", None),
])
def test_only_days_that_there_are_make_a_number_sound(born: str, told: date | None) -> None:
    assert looked_at([a_number(1, born=born)], "id_number_sound") == [told]


@pytest.mark.parametrize(("cell", "is_plain"), [
    ("王一二", True), ("王一", True), ("不详", False), ("暂无", False), ("无", False), ("王 一", False), ("王一·二", False),
    ("WANG", False), ("", False), (None, False),
])
def test_a_name_of_nothing_but_letters_is_plain(cell: str | None, is_plain: bool) -> None:
    assert looked_at([cell], "name_plain") == [is_plain]


def test_a_table_without_rows_has_nothing_to_tell() -> None:
    empty = pa.table({name: pa.array([], pa.string()) for name in PEOPLE.columns})
    assert {len(cells) for cells in sound_columns(empty, PEOPLE).values()} == {0}
