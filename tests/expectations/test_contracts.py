"""Contracts: every feed has one, with exactly the documented columns, and each column says why it is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models import contract
from models.contract import Contract, header_key, read_contract
from models.errors import CanbaoError
from models.feeds_page import feeds_markdown
from rehearsal.cells import ROWS, known_cells

EVERY = contract.all()
REPOSITORY = Path(__file__).resolve().parents[2]
ASKED = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "comparison").rglob("*"))
    if path.suffix in (".sql", ".py", ".yaml")
)
"""The comparison: rules, lists and evidence. What it never names, only intake itself can have a use for."""


def test_the_page_of_the_feeds_is_made_from_their_contracts() -> None:
    page = REPOSITORY / "docs" / "feeds.md"
    assert page.read_text(encoding="utf-8") == feeds_markdown(), "write it anew: python -m models.feeds_page > docs/feeds.md"


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_a_made_up_place_can_fill_every_required_column_from_sources_there_are(entry: Contract) -> None:
    assert entry.made_up is not None
    assert entry.made_up.rows in ROWS
    assert ROWS[entry.made_up.rows].of == entry.subject
    assert {cell.cell for cell in entry.made_up.columns.values()} <= known_cells()
    assert set(entry.required) <= set(entry.made_up.columns)
    assert entry.identity is None or next(iter(entry.made_up.columns)) == entry.identity.column or entry.feed == "newborns"


def test_ranks_tell_the_feeds_apart() -> None:
    assert len({entry.rank for entry in EVERY}) == len(EVERY)


def used_by_intake(entry: Contract) -> set[str]:
    """Columns by which rows are told apart, checked against each other, or placed."""
    own = {*entry.key, *(column.address for column in entry.columns.values()), *(c.stands_in for c in entry.columns.values())}
    crossed = " ".join(expectation.holds or "" for expectation in entry.expectations)
    return {str(name) for name in own} | {name for name in entry.columns if re.search(rf"\b{name}\b", crossed)}


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_a_column_that_nothing_asks_for_is_not_kept(entry: Contract) -> None:
    published = {"unit", "source_document"}  # a figure without its unit and source is none (B5)
    told = " ".join(str(part) for fact in entry.tells.values() for part in (fact.column, fact.flag))
    told += f" {entry.counts_if} {entry.newest} {entry.strongest_first}"
    asked = {name for name in entry.columns if re.search(rf"\b{name}\b", ASKED + told)}
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


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.feed)
def test_headers_and_code_words_of_a_made_up_place_are_known(entry: Contract) -> None:
    assert entry.made_up is not None
    for name, cell in entry.made_up.columns.items():
        # Departments send more columns than any rule needs: those must not be taken for others, nor read (PIPL art. 6).
        known = entry.headers.get(header_key(cell.header), ("nothing", 0))[0]
        assert known == (name if name in entry.columns else "nothing"), cell.header
        codes = entry.columns[name].codes if name in entry.columns else {}
        if codes and cell.written:
            words = {header_key(word) for code, spellings in codes.items() for word in (code, *spellings)}
            assert {header_key(word) for word in cell.written if word} <= words


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
    ({"columns": "columns:\n  id_number: {as: persons_number}\n"}, "nothing shared is called 'persons_number'"),
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
