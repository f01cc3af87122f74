"""Outcomes: every row of a file ends in exactly one of four places, and the four add up."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.expectations.a_file import (
    POPULATION,
    a_credit_code,
    a_number,
    a_person,
    csv_file,
    people,
    population_file,
    workbook,
)


def test_clean_rows_are_all_accepted_in_file_order(normalise: Any, tmp_path: Path) -> None:
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", people(50)))
    assert (accounts.rows, accounts.accepted) == (50, 50)
    assert [row["row_number"] for row in accepted] == list(range(2, 52))
    assert {row["source_file"] for row in accepted} == {"a.csv"}


# --- dropped --------------------------------------------------------------------------------------------


def test_totals_signatures_notes_and_blanks_are_dropped_and_counted(normalise: Any, tmp_path: Path) -> None:
    foot = [
        ["小计", "2"], [], ["合计：3人"], ["填表人：某某", "", "审核人：某某"], ["注：以上数据截至5月底"], ["", "", "", ""], ["备注"],
        ["单位负责人：", ""],
    ]
    accounts, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", [*people(3), *foot]))
    assert (accounts.rows, len(accepted), quarantined) == (11, 3, [])
    assert accounts.dropped_kinds == {"blank": 2, "footer": 4, "subtotal": 1, "total": 1}
    assert accounts.control_total == 3


def test_a_total_under_a_running_number_is_found(normalise: Any, tmp_path: Path) -> None:
    rows = [["序号", *POPULATION], *([i, *row] for i, row in enumerate(people(2), start=1)), ["合计", "2条"], ["填表人：某某    审核人：某某"]]
    accounts, accepted, _ = normalise(workbook(tmp_path / "a.xlsx", {"一": rows}))
    assert (len(accepted), accounts.dropped, accounts.control_total) == (2, 2, 2)


def test_rows_numbered_ahead_but_empty_are_blank(normalise: Any, tmp_path: Path) -> None:
    rows = [["序号", *POPULATION], [1, *a_person()], [2], [3]]
    accounts, _, _ = normalise(workbook(tmp_path / "a.xlsx", {"一": rows}))
    assert accounts.dropped_kinds == {"blank": 2}


def test_a_header_repeated_on_every_page_is_dropped(normalise: Any, tmp_path: Path) -> None:
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", [a_person(1), POPULATION, a_person(2)]))
    assert (len(accepted), accounts.dropped_kinds) == (2, {"header": 1})


def test_a_person_is_never_taken_for_a_footer(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 姓名="合计"), a_person(2, 住址="注：见备注"), a_person(3, 乡镇="小计")]
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", rows))
    assert (len(accepted), accounts.dropped) == (3, 0)


def test_a_row_without_a_number_is_a_row_and_no_footer(normalise: Any, tmp_path: Path) -> None:
    accounts, _, quarantined = normalise(population_file(tmp_path / "a.csv", [a_person(1), a_person(2, 身份证号="")]))
    assert [row["reason"] for row in quarantined] == ["id_number_blank"]
    assert accounts.dropped == 0


def test_subtotals_add_up_to_the_control_total_where_no_total_stands(normalise: Any, tmp_path: Path) -> None:
    rows = [*people(2), ["凤麓小计", "2"], a_person(3), ["龙街小计：1人"]]
    assert normalise(population_file(tmp_path / "a.csv", rows))[0].control_total == 3


# --- duplicate and doubtful -----------------------------------------------------------------------------


def test_of_rows_with_the_same_key_the_first_stays(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1), a_person(2), a_person(1), a_person(1, 乡镇="右所镇")]
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", rows))
    assert (accounts.accepted, accounts.duplicate) == (2, 2)
    assert [row["row_number"] for row in accepted] == [2, 3]


def test_a_person_with_two_employers_stands_for_each_of_them(normalise: Any, tmp_path: Path) -> None:
    headers = ["身份证号", "姓名", "单位统一社会信用代码", "参保状态"]
    rows = [[a_number(1), "王二", a_credit_code(unit), status] for unit, status in ((1, "3"), (2, "1"), (2, "1"))]
    accounts, accepted, _ = normalise(csv_file(tmp_path / "a.csv", [headers, *rows]), "employee_pension")
    assert [row["status"] for row in accepted] == ["terminated", "active"]
    assert accounts.duplicate == 1


def test_flexible_workers_without_an_employer_are_duplicates_of_each_other_only_by_number(normalise: Any, tmp_path: Path) -> None:
    rows = [["身份证号", "姓名", "参保状态"], [a_number(1), "王二", "1"], [a_number(2), "王三", "1"], [a_number(1), "王二", "1"]]
    accounts, _, _ = normalise(csv_file(tmp_path / "a.csv", rows), "employee_pension")
    assert (accounts.accepted, accounts.duplicate) == (2, 1)


def test_one_number_under_two_names_goes_to_review_with_all_its_rows(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1), a_person(2), a_person(1, 姓名="赵六")]
    accounts, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
    assert [row["id_number"] for row in accepted] == [a_number(2)]
    assert [(row["row_number"], row["reason"]) for row in quarantined] == [(2, "id_number_two_names"), (4, "id_number_two_names")]
    assert accounts.duplicate == 0


def test_spaces_and_dots_make_no_second_name(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 姓名="买买提·艾力"), a_person(1, 姓名="买买提艾力"), a_person(1, 姓名="买买提 艾力")]
    accounts, _, _ = normalise(population_file(tmp_path / "a.csv", rows))
    assert (accounts.accepted, accounts.duplicate, accounts.quarantined) == (1, 2, 0)


def test_a_row_with_more_cells_than_headers_is_quarantined_as_shifted(normalise: Any, tmp_path: Path) -> None:
    _, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", [a_person(1), [*a_person(2), "多", "出"], a_person(3)]))
    assert [row["row_number"] for row in accepted] == [2, 4]
    assert [row["reason"] for row in quarantined] == ["shifted_columns"]


def test_a_quarantined_row_of_a_second_sheet_knows_its_sheet_and_line(normalise: Any, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {
        "凤麓": [POPULATION, *people(3)], "龙街": [["标题"], POPULATION, a_person(5), a_person(6, 身份证号="1")]})
    _, _, quarantined = normalise(path)
    assert [(row["sheet"], row["line"], row["row_number"]) for row in quarantined] == [("龙街", 4, 8)]


# --- townships ------------------------------------------------------------------------------------------


def township_of(normalise: Any, tmp_path: Path, text: str, address: str = "") -> Any:
    return normalise(population_file(tmp_path / "a.csv", [a_person(1, 乡镇=text, 住址=address)]))[1][0]["township"]


def test_every_way_of_writing_a_township_leads_to_it(normalise: Any, tmp_path: Path) -> None:
    ways = {
        "凤麓": "fenglu", "凤麓镇": "fenglu", "凤麓街道办": "fenglu", "凤麓街道办事处": "fenglu", "澄江市凤麓街道": "fenglu", " 凤 麓 街道": "fenglu",
        "530481001": "fenglu", "530481001000": "fenglu", "澄江县海口镇": "haikou", "海口镇人民政府": "haikou", "海口乡": "haikou",
        "云南省玉溪市澄江市海口镇": "haikou", "右所镇矣旧社区": "youshuo",
        "昆明市西山区海口镇": None, "凤庆县": None, "": None, "无": None, "澄江市": None,
    }
    rows = [a_person(serial, 乡镇=text, 住址="") for serial, text in enumerate(ways)]
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", rows))
    assert {text: row["township"] for text, row in zip(ways, accepted, strict=True)} == ways
    assert accounts.unassigned == 5
    assert accounts.repaired == {"township_longest_match": 2}


@pytest.mark.parametrize(("address", "township"), [
    ("澄江市海口镇永和村3号", "haikou"), ("云南省澄江县龙街街道双树村", "longjie"), ("九村镇东山村", "jiucun"),
    ("昆明市西山区海口镇中滩村", None), ("永和村3号", None),
])
def test_where_the_township_is_not_said_the_address_may_say_it(normalise: Any, tmp_path: Path, address: str, township: str | None) -> None:
    assert township_of(normalise, tmp_path, "", address) == township


def test_the_address_does_not_overrule_a_township_that_is_known(normalise: Any, tmp_path: Path) -> None:
    assert township_of(normalise, tmp_path, "右所", "澄江市海口镇永和村") == "youshuo"


# --- the sum --------------------------------------------------------------------------------------------

cells = st.one_of(
    st.sampled_from([
        "", " ", "合计", "小计", "填表人：", "注：", "3人", "#N/A", "'", "无", "１", "2021-05-31", "44319", "凤麓", "1", "x,y", "\t",
    ]),
    st.integers(1, 6).map(a_number), st.integers(1, 6).map(lambda serial: a_number(serial)[:-1] + "*"), st.text(max_size=6),
)
tables = st.lists(
    st.one_of(st.lists(cells, max_size=11), st.integers(1, 6).map(a_person), st.just([*POPULATION])), max_size=14
)


@settings(max_examples=30)
@given(table=tables, seed=st.integers(0, 9))
def test_the_four_outcomes_always_add_up_to_the_rows_of_the_file(normalise: Any, tmp_path: Path, table: list[list[str]], seed: int) -> None:
    """As text: whatever stands in the cells, no row is lost or counted twice, and each has a line of its own.
    (Line ends and quotes inside cells make other rows, hence they are left out; a test of their own has them.)"""
    rows = [[re.sub(r'[\r\n\0"]', "", cell) for cell in row] for row in table]
    path = csv_file(tmp_path / "a.csv", [POPULATION, *rows], encoding=random.Random(seed).choice(["utf-8-sig", "gb18030"]), separator="\t")
    accounts, accepted, quarantined = normalise(path)
    written = path.read_bytes().decode("utf-8-sig" if path.read_bytes()[:3] == b"\xef\xbb\xbf" else "gb18030")
    assert accounts.rows == len(written.split("\r\n")) - 2
    assert accounts.accepted + accounts.quarantined + accounts.duplicate + accounts.dropped == accounts.rows
    assert (len(accepted), len(quarantined)) == (accounts.accepted, accounts.quarantined)
    assert sum(accounts.quarantine_reasons.values()) == accounts.quarantined
    assert sum(accounts.dropped_kinds.values()) == accounts.dropped
    lines = [row["row_number"] for row in [*accepted, *quarantined]]
    assert len(lines) == len(set(lines))
    assert len({row["id_number"] for row in accepted}) == len(accepted)


@settings(max_examples=10)
@given(table=tables)
def test_the_outcomes_add_up_in_workbooks_too(normalise: Any, tmp_path: Path, table: list[list[str]]) -> None:
    path = workbook(tmp_path / "a.xlsx", {"一": [POPULATION, *table, a_person(7)]})
    accounts, _, _ = normalise(path)
    assert accounts.rows == len(table) + 1
    assert accounts.accepted + accounts.quarantined + accounts.duplicate + accounts.dropped == accounts.rows
