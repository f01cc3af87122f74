"""Every reason for which a row can be refused has words for its sender: what is wrong, and how it is mended."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from expectations.normalise import READ_BY_TEXT
from expectations.raw_rows import RowFault
from expectations.reasons import cell_words, choices, reason, wording
from models import contract as contracts
from models.contract import Contract

SQL = contracts.HERE / "sql"
FAULT_MACROS = {"id": ("20_numbers", "number_fault"), "name": ("10_text", "name_fault"), "text": ("10_text", "text_fault")}


def kinds_in(sql: str) -> set[str]:
    """The words that a CASE expression can end in."""
    return set(re.findall(r"(?:THEN|ELSE)\s+'([a-z0-9_]+)'", sql))


def kinds_of_type(column_type: str) -> set[str]:
    """Every kind of fault that the SQL finds in cells of a type, read from its text."""
    if column_type in FAULT_MACROS:
        file, macro = FAULT_MACROS[column_type]
        text = (SQL / f"{file}.sql").read_text(encoding="utf-8")
        return kinds_in(re.search(rf"CREATE MACRO {macro}\(.*?;", text, re.DOTALL)[0])  # type: ignore[index]
    text = (SQL / "read" / f"{column_type}.sql").read_text(encoding="utf-8")
    return {kind for case in re.findall(r"CASE(?:(?!\bCASE\b).)*?END AS fault", text, re.DOTALL) for kind in kinds_in(case)}


def codes_of(contract: Contract) -> set[str]:
    """Every reason code that a feed's rows can be refused with."""
    cells = {f"{name}_{kind}" for name, column in contract.columns.items()
             for kind in kinds_of_type(column.type) | ({"blank"} if column.required and column.fault_quarantines else set())}
    return cells | set(wording()["rows"])


def test_the_sql_names_faults_for_every_type_that_can_have_one() -> None:
    assert {kind for name in READ_BY_TEXT for kind in kinds_of_type(name)} >= {"unknown", "unreadable", "negative", "old_number"}
    assert kinds_of_type("id") == {"lost_digits", "other_document", "shape", "check_digit", "birth_date"}
    assert kinds_of_type("name") == {"unreadable", "holds_number"}


@pytest.mark.parametrize("contract", contracts.all(), ids=lambda contract: contract.feed)
def test_every_reason_of_a_feed_has_words_and_a_cure(contract: Contract) -> None:
    for code in codes_of(contract):
        told = reason(code, contract)
        assert told.says
        assert told.cure
        assert "{" not in told.says + told.cure


def test_reasons_of_whole_rows_are_those_that_reading_and_outcomes_give() -> None:
    outcomes = (SQL / "50_outcomes.sql").read_text(encoding="utf-8")
    given = set(re.findall(r"'([a-z_]+)' AS reason", outcomes))
    assert given | set(get_args(RowFault)) == set(wording()["rows"])


def test_a_reason_names_the_column_as_the_sender_calls_it() -> None:
    told = reason("id_number_check_digit", contracts.for_feed("hardship"))
    assert told.columns == ("id_number",)
    assert told.says == "「身份证号」校验位不符，至少有一位数字写错"


def test_a_cure_lists_the_choices_of_a_code() -> None:
    assert reason("kind_unknown", contracts.for_feed("hardship")).cure == "请从下拉列表选择：低保、特困"


def test_a_row_with_two_names_marks_number_and_name() -> None:
    assert reason("id_number_two_names", contracts.for_feed("deaths")).columns == ("id_number", "name")


def test_choices_are_written_in_chinese_where_there_is_chinese() -> None:
    population = contracts.for_feed("population").columns
    assert choices(population["sex"]) == ("男", "女")
    assert choices(contracts.for_feed("disability").columns["grade"]) == ("一级", "二级", "三级", "四级")


def test_every_kind_with_words_for_its_type_is_one_that_can_occur() -> None:
    for column_type, kinds in wording()["cells"].items():
        if column_type != "any":
            assert set(kinds) <= kinds_of_type(column_type) | {"blank"}, column_type


def test_a_kind_that_a_type_says_nothing_of_has_general_words() -> None:
    assert cell_words("text", "unreadable")["cure"] == "请直接填写内容，不要用公式"
