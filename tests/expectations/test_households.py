"""One household a line: 民政 writes names and numbers side by side, and each person becomes a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations.households import member_of
from expectations.reading import read
from models import contract
from tests.expectations.a_file import a_number, csv_file, workbook

HARDSHIP = contract.for_feed("hardship")
DISABILITY = contract.for_feed("disability")


def persons(path: Path) -> list[tuple[int, int, str, str]]:
    table = read(path, HARDSHIP).table
    return [(row["row_number"], row["member"], row["name"], row["id_number"]) for row in table.to_pylist()]


@pytest.mark.parametrize("headers", [
    ["户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号", "成员2姓名", "成员2身份证号"],
    ["户主姓名", "户主公民身份号码", "家庭成员姓名1", "家庭成员身份证号1", "家庭成员姓名2", "家庭成员身份证号2"],
    ["姓名", "身份证号", "姓名", "身份证号", "姓名", "身份证号"],
    ["姓名1", "身份证号1", "姓名2", "身份证号2", "姓名3", "身份证号3"],
    ["姓名", "身份证号", "成员一姓名", "成员一证件号码", "成员二姓名", "成员二证件号码"],
    ["申请人姓名", "申请人身份证号", "第1成员姓名", "第1成员身份证号", "第2成员姓名", "第2成员身份证号"],
    ["姓名", "身份证号码", "姓名（成员1）", "身份证号码（成员1）", "姓名（成员2）", "身份证号码（成员2）"],
])
def test_each_person_of_a_line_becomes_a_row(tmp_path: Path, headers: list[str]) -> None:
    rows = [
        ["户号", "乡镇", "救助类别", *headers],
        ["H1", "凤麓", "低保", "王一", a_number(1), "王二", a_number(2), "王三", a_number(3)],
        ["H2", "龙街", "特困", "李一", a_number(4), "", "", "", ""],
    ]
    assert persons(csv_file(tmp_path / "a.csv", rows)) == [
        (2, 1, "王一", a_number(1)), (2, 2, "王二", a_number(2)), (2, 3, "王三", a_number(3)), (3, 1, "李一", a_number(4)),
    ]
    shared = read(tmp_path / "a.csv", HARDSHIP).table
    assert shared["township"].to_pylist() == ["凤麓"] * 3 + ["龙街"]
    assert shared["kind"].to_pylist() == ["低保"] * 3 + ["特困"]
    assert shared["household_no"].to_pylist() == ["H1"] * 3 + ["H2"]


def test_a_member_keeps_its_place_where_the_one_before_is_blank(tmp_path: Path) -> None:
    rows = [["户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号", "成员2姓名", "成员2身份证号", "救助类别"],
            ["王一", a_number(1), "", " ", "王三", a_number(3), "低保"]]
    assert [row[1:3] for row in persons(csv_file(tmp_path / "a.csv", rows))] == [(1, "王一"), (3, "王三")]


def test_a_person_with_a_number_but_no_name_is_not_lost(tmp_path: Path) -> None:
    rows = [["姓名1", "身份证号1", "姓名2", "身份证号2", "救助类别"], ["王一", a_number(1), "", a_number(2), "低保"]]
    assert persons(csv_file(tmp_path / "a.csv", rows))[1] == (2, 2, "", a_number(2))


def test_the_head_named_with_each_member_makes_no_household_of_a_line(tmp_path: Path) -> None:
    rows = [["户主姓名", "户主身份证号", "成员姓名", "成员身份证号", "救助类别"],
            ["王一", a_number(1), "王一", a_number(1), "低保"], ["王一", a_number(1), "王二", a_number(2), "低保"]]
    assert persons(csv_file(tmp_path / "a.csv", rows)) == [(2, 1, "王一", a_number(1)), (3, 1, "王二", a_number(2))]


def test_a_repeated_name_alone_makes_no_household(tmp_path: Path) -> None:
    rows = [["姓名", "身份证号", "救助类别", "姓名"], ["王一", a_number(1), "低保", "村干部"]]
    assert persons(csv_file(tmp_path / "a.csv", rows)) == [(2, 1, "王一", a_number(1))]


def test_columns_of_each_member_go_with_the_member(tmp_path: Path) -> None:
    rows = [["乡镇", "姓名1", "身份证号1", "残疾等级1", "姓名2", "身份证号2", "残疾等级2"],
            ["凤麓", "王一", a_number(1), "一级", "王二", a_number(2), "四级"]]
    table = read(csv_file(tmp_path / "a.csv", rows), DISABILITY).table
    assert table["grade"].to_pylist() == ["一级", "四级"]
    assert table["township"].to_pylist() == ["凤麓"] * 2


def test_a_two_line_header_of_members_is_read(tmp_path: Path) -> None:
    above = ["户号", "救助类别", "户主", "", "成员1", "", "成员2", ""]
    below = ["", "", "姓名", "身份证号", "姓名", "身份证号", "姓名", "身份证号"]
    rows = [["低保家庭花名册"], above, below, ["H1", "低保", "王一", a_number(1), "王二", a_number(2), "王三", a_number(3)]]
    assert [row[1:3] for row in persons(workbook(tmp_path / "a.xlsx", {"一": rows}))] == [(1, "王一"), (2, "王二"), (3, "王三")]


def test_every_person_has_an_outcome_and_footers_stay_one_line(normalise: Any, tmp_path: Path) -> None:
    rows = [
        ["户号", "乡镇", "救助类别", "户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号"],
        ["H1", "凤麓", "低保", "王一", a_number(1), "王二", a_number(2)],
        ["H2", "凤麓", "低保", "李一", a_number(3), "李二", "53042219"],
        ["合计", "", "", "", "", "", ""], ["填表人：某", "", "", "", "", "", ""],
    ]
    accounts, accepted, quarantined = normalise(csv_file(tmp_path / "a.csv", rows), "hardship")
    assert [(row["row_number"], row["member"], row["name"]) for row in accepted] == [(2, 1, "王一"), (2, 2, "王二"), (3, 1, "李一")]
    assert [(row["row_number"], row["member"], row["line"], row["reason"]) for row in quarantined] == [(3, 2, 3, "id_number_shape")]
    assert (accounts.rows, accounts.accepted, accounts.quarantined, accounts.dropped) == (6, 3, 1, 2)


def test_the_same_person_twice_in_one_line_is_a_duplicate_of_itself(normalise: Any, tmp_path: Path) -> None:
    rows = [["救助类别", "户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号"], ["低保", "王一", a_number(1), "王一", a_number(1)]]
    accounts, accepted, _ = normalise(csv_file(tmp_path / "a.csv", rows), "hardship")
    assert (accounts.accepted, accounts.duplicate) == (1, 1)
    assert accepted[0]["member"] == 1


def test_what_is_merged_over_a_household_counts_for_its_rows_and_for_no_other(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["户号", "乡镇", "救助类别", "姓名", "身份证号"])
    for serial in range(1, 6):
        sheet.append(["", "", "低保", f"王{serial}", a_number(serial)])
    sheet["A2"], sheet["A4"], sheet["B2"] = "H1", "H2", "凤麓"
    for merged in ("A2:A3", "A4:A5", "B2:B6"):
        sheet.merge_cells(merged)
    book.save(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx", HARDSHIP).table
    assert table["household_no"].to_pylist() == ["H1", "H1", "H2", "H2", ""]
    assert table["township"].to_pylist() == ["凤麓"] * 5


@pytest.mark.parametrize(("key", "told"), [
    ("成员1姓名", ("member", 1, "姓名")), ("姓名2", ("member", 2, "姓名")), ("家庭成员姓名3", ("member", 3, "姓名")),
    ("户主身份证号", ("head", None, "身份证号")), ("成员十一姓名", ("member", 11, "姓名")), ("姓名", None), ("住址", None),
])
def test_a_header_says_which_member_it_is_about(key: str, told: tuple[str, int | None, str] | None) -> None:
    found = member_of(key)
    assert (found and (found.who, found.ordinal, found.rest)) == told
