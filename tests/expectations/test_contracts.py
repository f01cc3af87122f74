"""Contracts: every feed has one, with exactly the documented columns, and each column says why it is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from expectations import contract
from expectations.contract import Contract, header_key, read_contract
from models.errors import CanbaoError
from models.plan import FeedName
from rehearsal.feeds import HEADERS, SPELLINGS

SCHEME = "id_number* name* employer_code employer_name status* enrolled_on last_paid_month"
COLUMNS = {
    "population": "id_number* name* sex birth_date hukou_type household_no township* village address phone status* status_date",
    "residence_permits": "id_number* name* sex permit_no valid_to township* village phone",
    "deaths": "id_number* name* death_date* township",
    "newborns": "id_number name* birth_date* mother_name mother_id_number township",
    "students": "id_number* name* school* status*",
    "hardship": "id_number* name* kind* household_no township",
    "poverty": "id_number* name* kind* household_no township",
    "disability": "id_number* name* certificate_no grade* township",
    "employment": "id_number* name* employer_code* employer_name* month* since",
    **dict.fromkeys(
        ("employee_pension", "institution_pension", "employee_medical", "unemployment", "work_injury", "maternity"), SCHEME
    ),
    "resident_pension": "id_number* name* township* village status* enrolled_on last_paid_month tier_yuan paid_yuan ended_on end_reason",
    "resident_medical": "id_number* name* township status* enrolled_on last_paid_month paid_yuan",
    "benefits": "id_number* name* scheme* status* monthly_yuan",
    "cards": "id_number* name* status*",
    "employers": "credit_code* name* kind status* registered_on township* address phone employees",
    "tax_units": "credit_code* name* last_taxed_month* withholding_employees township",
    "construction_projects":
        "permit_no* name* employer_code employer_name department* township started_on* work_injury_insured* insured_on",
    "dust_hazard_employers": "credit_code* name* exposed_workers* township",
    "statistics": "indicator* region* year* value* unit source_document",
}
NOT_KEPT = {
    "residence_permits": {"origin"}, "deaths": {"reported_by"}, "students": {"stage", "enrolled_from"}, "hardship": {"valid_from"},
    "disability": {"category"}, "benefits": {"first_paid_month"}, "cards": {"issued_on"}, "dust_hazard_employers": {"industry"},
    **dict.fromkeys(
        ("employee_pension", "institution_pension", "employee_medical", "unemployment", "work_injury", "maternity"), frozenset({"base_yuan"})
    ),
}
"""What the synthetic departments send because real ones do, and no rule asks for: it is not even read (PIPL art. 6)."""
EVERY = contract.all()
REPOSITORY = Path(__file__).resolve().parents[2]
ASKED = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "comparison").rglob("*"))
    if path.suffix in (".sql", ".py", ".yaml") and path.name != "00_feeds.sql"
)
"""The comparison: rules, lists and evidence. What it never names, only intake itself can have a use for."""


def test_every_feed_of_the_plan_model_has_a_contract() -> None:
    assert {entry.feed for entry in EVERY} == set(get_args(FeedName)) == set(COLUMNS)


@pytest.mark.parametrize("feed", sorted(COLUMNS))
def test_a_contract_has_exactly_the_documented_columns(feed: str) -> None:
    stated = [f"{name}{'*' if column.required else ''}" for name, column in contract.for_feed(feed).columns.items()]
    assert stated == COLUMNS[feed].split()


def used_by_intake(entry: Contract) -> set[str]:
    """Columns by which rows are told apart, checked against each other, or placed."""
    own = {*entry.key, *(column.address for column in entry.columns.values()), *(c.stands_in for c in entry.columns.values())}
    crossed = " ".join(expectation.holds or "" for expectation in entry.expectations)
    return {str(name) for name in own} | {name for name in entry.columns if re.search(rf"\b{name}\b", crossed)}


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_a_column_that_nothing_asks_for_is_not_kept(entry: Contract) -> None:
    published = {"unit", "source_document"}  # a figure without its unit and source is none (B5)
    asked = {name for name in entry.columns if re.search(rf"\b{name}\b", ASKED)}
    assert set(entry.columns) - asked - used_by_intake(entry) - published == set()


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_every_column_says_why_it_is_kept_and_where_that_stands(entry: Contract) -> None:
    clause = re.compile(r"\b[CBGL]\d+\b|domain\.md|AA[CE]\d+")
    assert [name for name, column in entry.columns.items() if not clause.search(column.why)] == []


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_numbers_names_and_phones_of_persons_are_marked_as_personal(entry: Contract) -> None:
    personal = {name for name, column in entry.columns.items() if column.personal}
    must = {name for name, column in entry.columns.items() if column.type in ("id", "name")}
    if entry.subject == "person":
        must |= {"phone", "address", "household_no"} & set(entry.columns)
    assert must <= personal


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_a_contract_expects_something_of_its_key_and_of_every_code(entry: Contract) -> None:
    looked_at = {expectation.column for expectation in entry.expectations}
    assert any(expectation.kind == "uniqueness" for expectation in entry.expectations)
    assert {name for name in entry.of_type("code") if entry.columns[name].required} <= looked_at


@pytest.mark.parametrize(("feed", "column", "header"), [
    (feed, column, header) for feed, headers in HEADERS.items() for column, header in headers.items()
    if column not in NOT_KEPT.get(feed, ())
])
def test_the_headers_of_the_synthetic_place_are_known(feed: str, column: str, header: str) -> None:
    assert contract.for_feed(feed).headers[header_key(header)][0] == column


def test_the_code_words_of_the_synthetic_place_are_known() -> None:
    for feed, columns in SPELLINGS.items():
        for column, words in columns.items():
            if column in NOT_KEPT.get(feed, ()):
                continue
            codes = contract.for_feed(feed).columns[column].codes
            known = {header_key(word) for code, spellings in codes.items() for word in (code, *spellings)}
            assert {header_key(word) for word in words if word} <= known, (feed, column)


@pytest.mark.parametrize(("header", "column"), [
    ("公民身份号码", "id_number"), ("证件号码", "id_number"), ("AAC002", "id_number"), ("ＡＡＣ００２", "id_number"),
    (" 身份证\n号 *", "id_number"), ("姓  名", "name"), ("乡镇（街道）", "township"), ("出生日期(yyyy-mm-dd)", "birth_date"),
])
def test_width_spaces_stars_and_remarks_do_not_matter_in_a_header(header: str, column: str) -> None:
    assert contract.for_feed("population").headers[header_key(header)][0] == column


@pytest.mark.parametrize(("feed", "column", "word", "code"), [
    ("employee_pension", "status", "参保缴费", "active"), ("employee_pension", "status", "2", "suspended"),
    ("resident_pension", "status", "终止缴费", "terminated"), ("population", "sex", "2", "F"),
    ("hardship", "kind", "031", "tekun"), ("disability", "grade", "壹级", "1"), ("benefits", "scheme", "170", "resident_pension"),
    ("construction_projects", "work_injury_insured", "是", "yes"),
])
def test_codes_and_words_mean_the_same(feed: str, column: str, word: str, code: str) -> None:
    assert word in contract.for_feed(feed).columns[column].codes[code]


def test_an_unknown_feed_is_refused_with_those_there_are() -> None:
    with pytest.raises(CanbaoError, match=r"no feed 'peopel'.*population"):
        contract.for_feed("peopel")


def a_contract(**changes: str) -> str:
    parts = {
        "head": "feed: cards\nname: 卡\nsubject: person\nsource: G5\nknown_as: [卡]\nkey: [id_number]\n",
        "columns": "columns:\n  id_number: {as: person_number, required: true}\n  name: {as: person_name, required: true}\n",
        "rest": "",
    }
    return "".join({**parts, **changes}.values())


@pytest.mark.parametrize(("fault", "told"), [
    ({"rest": "expectation: []\n"}, "expectation: Extra inputs"),
    ({"head": "feed: cards\nname: 卡\nsubject: person\nsource: G5\nknown_as: [卡]\nkey: [id]\n"}, "columns it does not have: id"),
    ({"columns": "columns:\n  id_number: {as: persons_number}\n"}, "no 'persons_number'"),
    ({"rest": "  status: {type: code, label: 状态, why: x}\n"}, "lists its spellings"),
    ({"rest": "  status: {type: code, label: 状态, why: x, codes: {yes: [是]}}\n"}, "quote yes"),
    ({"rest": "  status: {type: code, label: 状态, why: x, codes: {a: [是], b: [' 是']}}\n"}, "means both a and b"),
    ({"rest": "  other: {type: text, label: 姓名, why: x}\n"}, "belongs to both name and other"),
    ({"rest": "  place: {type: org, label: 地方, why: x}\n"}, "organisation_kinds"),
    ({"rest": "  note: {type: text, label: 备注}\n"}, "why: Field required"),
    ({"rest": "expectations:\n  - {id: a, kind: validity, at_least: 1, severity: warn}\n"}, "`column` belongs to"),
    ({"rest": "expectations:\n  - {id: a, kind: cross_column, holds: 'true', at_least: 1, severity: warn}\n"}, "says"),
    ({"rest": "expectations:\n  - {id: a, kind: uniqueness, at_least: 95, severity: warn}\n"}, "less than or equal to 1"),
    ({"rest": "faults:\n  lost_digit: {above: 0.1}\n"}, "lost_digit"),
    ({"head": "feed: [\n"}, "cannot be read"),
])
def test_an_unsound_contract_is_refused_with_its_place(tmp_path: Path, fault: dict[str, str], told: str) -> None:
    path = tmp_path / "cards.yaml"
    path.write_text(a_contract(**fault), encoding="utf-8")
    with pytest.raises(CanbaoError) as refusal:
        read_contract(path)
    assert told in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_contract_takes_shared_columns_over_and_adds_its_own_aliases_in_front(tmp_path: Path) -> None:
    path = tmp_path / "cards.yaml"
    path.write_text(a_contract(columns=(
        "columns:\n  id_number: {as: person_number, required: true, aliases: [持卡人号码]}\n  name: {as: person_name}\n"
    )), encoding="utf-8")
    column = read_contract(path).columns["id_number"]
    assert column.aliases[0] == "持卡人号码"
    assert "公民身份号码" in column.aliases
