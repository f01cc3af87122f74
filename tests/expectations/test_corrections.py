"""Corrected rows laid over a file: what changes, what stays, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.corrections import Account, Correction, apply
from expectations.raw_rows import Reading
from expectations.reading import read
from models import contract as contracts

HEADERS = ["身份证号", "姓名", "救助类别", "户号", "乡镇"]
ROWS = [
    ["530422198506070013", "王一", "低保", "H1", "凤麓街道"],
    ["530422198506070021", "李 二 ", "困难", "=H2", "凤麓街道"],
    ["5304221985060700", "张三", "特困", "H3", "凤麓街道"],
]


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """Three rows on lines 2 to 4."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in [HEADERS, *ROWS]), encoding="utf-8")
    return read(path, contracts.for_feed("hardship"))


def corrected(reading: Reading, *changes: dict[tuple[int, int], dict[str, Any]], refused: Any = ((3, 1), (4, 1))) -> Any:
    return apply(reading, [Correction(rows, frozenset(refused)) for rows in changes])


def cell(reading: Reading, line: int, name: str) -> str | None:
    return reading.table[name][reading.table["row_number"].to_pylist().index(line)].as_py()  # type: ignore[no-any-return]


def test_a_changed_cell_takes_the_place_of_what_the_file_held(reading: Reading) -> None:
    new, account = corrected(reading, {(3, 1): {"kind": "低保"}, (4, 1): {"id_number": "53042219850607003X"}})
    assert (cell(new, 3, "kind"), cell(new, 4, "id_number")) == ("低保", "53042219850607003X")
    assert account == Account(changed_rows=2, changed_cells=2)
    assert cell(reading, 3, "kind") == "困难"


def test_rows_that_were_not_corrected_stay_as_they_are(reading: Reading) -> None:
    new, _ = corrected(reading, {(3, 1): {"kind": "低保"}})
    assert [cell(new, 2, name) for name in ("id_number", "name", "kind")] == ROWS[0][:3]
    assert new.table.num_rows == reading.table.num_rows


def test_a_cell_that_comes_back_as_it_went_out_keeps_every_space(reading: Reading) -> None:
    new, account = corrected(reading, {(3, 1): {"name": "李 二", "household_no": "'=H2", "kind": "低保"}})
    assert (cell(new, 3, "name"), cell(new, 3, "household_no")) == ("李 二 ", "=H2")
    assert account.changed_cells == 1


def test_a_row_without_a_change_is_counted_as_untouched(reading: Reading) -> None:
    _, account = corrected(reading, {(3, 1): {"kind": "困难"}, (4, 1): {"kind": "低保"}})
    assert account == Account(changed_rows=1, changed_cells=1, untouched=1)


def test_a_row_that_was_deleted_from_the_workbook_stays_and_is_said(reading: Reading) -> None:
    new, account = corrected(reading, {(3, 1): {"kind": "低保"}})
    assert account.absent == 1
    assert cell(new, 4, "id_number") == "5304221985060700"


def test_a_row_that_was_never_refused_cannot_be_changed(reading: Reading) -> None:
    new, account = corrected(reading, {(2, 1): {"name": "赵六"}, (99, 1): {"name": "钱七"}, (3, 1): {}, (4, 1): {}})
    assert account == Account(untouched=2, foreign=2)
    assert cell(new, 2, "name") == "王一"


def test_an_emptied_row_becomes_a_blank_one(reading: Reading) -> None:
    new, account = corrected(reading, {(4, 1): dict.fromkeys(("id_number", "name", "kind", "household_no", "township"))})
    assert account.emptied == 1
    assert [cell(new, 4, name) for name in ("id_number", "name", "lead_1")] == ["", "", None]


def test_a_number_that_excel_spoilt_stays_recognisable_as_spoilt(reading: Reading) -> None:
    new, _ = corrected(reading, {(4, 1): {"id_number": 530422198506070000.0}})
    assert "E+17" in (cell(new, 4, "id_number") or "")


def test_a_column_that_was_taken_out_of_the_workbook_stays(reading: Reading) -> None:
    new, _ = corrected(reading, {(4, 1): {"id_number": "53042219850607003X"}})
    assert cell(new, 4, "name") == "张三"


def test_corrections_of_corrections_apply_in_their_order(reading: Reading) -> None:
    new, account = corrected(reading, {(3, 1): {"kind": "五保户"}}, {(3, 1): {"kind": "低保"}, (4, 1): {}})
    assert cell(new, 3, "kind") == "低保"
    assert account == Account(changed_rows=1, changed_cells=1, untouched=1)


def test_without_corrections_the_reading_is_untouched(reading: Reading) -> None:
    assert apply(reading, []) == (reading, Account())
