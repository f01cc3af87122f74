"""The police's table of replaced numbers: what is taken, what is refused and by which line, and where chains lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.old_numbers import OldNumbers, read_old_numbers
from models.errors import FileReturned
from tests.comparison.a_question import a_number

OLD, NEW, THIRD = a_number(1, area="530422"), a_number(1, area="530481"), a_number(3, area="530481")


def read(
    folder: Path, *lines: str, header: str = "旧身份证号,新身份证号", encoding: str = "utf-8", known: dict[str, str] | None = None,
) -> OldNumbers:
    path = folder / "table.csv"
    path.write_bytes("\r\n".join((header, *lines, "")).encode(encoding))
    return read_old_numbers(path, known or {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_it_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, f"{OLD},{NEW}", encoding=encoding).replaced == {OLD: NEW}


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    assert read(tmp_path, f"1,{NEW},{OLD}", header="序号,变更后公民身份号码,变更前公民身份号码").replaced == {OLD: NEW}


def test_marks_case_and_fifteen_digits_are_made_plain(tmp_path: Path) -> None:
    fifteen = OLD[:6] + OLD[8:17]
    assert read(tmp_path, f"'{fifteen}, {NEW.lower()}").replaced == {OLD: NEW}


@pytest.mark.parametrize(("line", "reason"), [
    (f"{OLD[:17]}?,{NEW}", "no_number"), (f"{OLD},", "no_number"), (f"{OLD},5.30481E+17", "no_number"), (f"{NEW},{NEW}", "same_number"),
])
def test_a_line_that_cannot_be_used_is_told_by_its_place(tmp_path: Path, line: str, reason: str) -> None:
    table = read(tmp_path, f"{OLD},{NEW}", line)
    assert (table.replaced, table.refused) == ({OLD: NEW}, {reason: (3,)})


def test_one_old_number_with_two_new_ones_keeps_the_first_and_says_so(tmp_path: Path) -> None:
    table = read(tmp_path, f"{OLD},{NEW}", f"{OLD},{THIRD}", f"{OLD},{NEW}")
    assert (table.replaced, table.refused) == ({OLD: NEW}, {"two_new_numbers": (3,)})


def test_a_number_replaced_twice_leads_to_the_last(tmp_path: Path) -> None:
    assert read(tmp_path, f"{NEW},{THIRD}", known={OLD: NEW}).replaced == {OLD: THIRD, NEW: THIRD}


def test_a_number_that_would_replace_itself_in_the_end_is_refused(tmp_path: Path) -> None:
    table = read(tmp_path, f"{OLD},{NEW}", f"{NEW},{THIRD}", f"{THIRD},{OLD}")
    assert (table.replaced, table.refused) == ({OLD: THIRD, NEW: THIRD}, {"circle": (4,)})


@pytest.mark.parametrize("header", ["序号,身份证号", "旧身份证号,姓名", "旧身份证号,原号码"])
def test_a_table_without_the_two_columns_is_returned_without_a_number_in_the_message(tmp_path: Path, header: str) -> None:
    with pytest.raises(FileReturned) as returned:
        read(tmp_path, f"{OLD},{NEW}", header=header)
    assert OLD not in str(returned.value)
