"""The glossary names everything the code calls by a Chinese term, once, and nothing that the code does not have."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from expectations.intake import Verdict
from models import contract
from models.plan import OrganisationKind, Plan, Role
from models.plan_file import read
from models.states import STATES
from models.words import CHANNELS, PHASE_KINDS, SUBJECT_KINDS
from rules.deadlines import Status
from rules.finding_life import LIFE

REPOSITORY = Path(__file__).resolve().parents[2]
PLANS = [read(path).plan for path in sorted((REPOSITORY / "campaigns").glob("*/plan.yaml"))]
CODE = ("models", "rules", "comparison", "expectations", "documents", "tasks", "flows", "canbao", "campaigns")
CHINESE = re.compile("[\u4e00-\u9fff]")


class Row(NamedTuple):
    """One line of a table: synonyms apart, code words without their backticks."""

    chinese: tuple[str, ...]
    english: str
    code: tuple[str, ...]


def rows_of(text: str) -> list[Row]:
    """The rows of every table, heads and rules left out. A line that is not three cells fails the test."""
    found = []
    for line in text.splitlines():
        if not line.startswith("|") or line.startswith(("| 中文", "|---")):
            continue
        chinese, english, code = (cell.strip() for cell in line.strip("|").split("|"))
        found.append(Row(tuple(chinese.split(" / ")), english, tuple(re.findall(r"`([^`]+)`", code))))
    return found


ROWS = rows_of((REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8"))
NAMED = {word for row in ROWS for word in row.code}


def twice(words: list[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def statuses_of_findings() -> set[str]:
    """Every event and state in the life of a finding, and what may become of a claim."""
    return {*STATES, *LIFE, "moot"}


def words_of_the_code() -> set[str]:
    files = [path for room in CODE for path in (REPOSITORY / room).rglob("*")
             if path.suffix in (".py", ".sql", ".yaml")]
    return {word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"), re.ASCII)}


def test_the_glossary_has_rows_of_chinese_english_and_code() -> None:
    assert len(ROWS) > 200
    assert [row for row in ROWS if not (row.english and row.code and all(map(CHINESE.search, row.chinese)))] == []


def test_no_chinese_term_stands_twice() -> None:
    assert twice([term for row in ROWS for term in row.chinese]) == []


def test_no_english_name_stands_for_two_terms() -> None:
    assert twice([row.english for row in ROWS]) == []


@pytest.mark.parametrize("plan", PLANS, ids=[plan.id for plan in PLANS])
def test_every_category_and_every_result_of_a_visit_is_named(plan: Plan) -> None:
    assert {category.id for category in plan.categories} - NAMED == set()
    assert {disposition.code for disposition in plan.dispositions} - NAMED == set()


@pytest.mark.parametrize("words", [
    pytest.param(tuple(entry.id for plan in PLANS for entry in plan.lists), id="lists"),
    pytest.param(tuple(PHASE_KINDS), id="kinds of phases"),
    pytest.param(tuple(CHANNELS), id="channels"),
    pytest.param(tuple(SUBJECT_KINDS), id="subjects"),
    pytest.param(tuple(entry.feed for entry in contract.all()), id="feeds"),
    pytest.param(get_args(OrganisationKind), id="kinds of organisations"),
    pytest.param(get_args(Role), id="posts"),
    pytest.param(get_args(Status), id="how an obligation stands"),
    pytest.param(get_args(Verdict), id="verdicts on a delivery"),
    pytest.param(statuses_of_findings(), id="states of findings and claims"),
])
def test_every_word_the_code_decides_by_is_named(words: tuple[str, ...]) -> None:
    assert set(words) - NAMED == set()


def test_every_word_in_the_code_column_stands_in_the_code() -> None:
    assert NAMED - words_of_the_code() == set()
