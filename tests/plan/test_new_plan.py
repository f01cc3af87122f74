"""A new plan is sound, short, and says what it leaves open; a plan of another year keeps its meaning and its comments."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from canbao.new_plan import (
    MARK,
    OPEN,
    Answers,
    asked,
    items_of,
    kind_of,
    number_of,
    patterns,
    short_of,
    target_of,
    text_of,
    units_of,
    units_of_file,
    whole_of,
)
from canbao.shifted_plan import shifted
from comparison.plan_check import check
from models import plan_schema
from models.errors import WrongUse
from models.plan_file import REPOSITORY, read
from rules.overdue import overdue_notes

BASES = sorted(patterns())
CAMPAIGNS = sorted((REPOSITORY / "campaigns").glob("*/plan.yaml"))
TOWNS = ({"name": "东湖街道"}, {"name": "西山镇", "level": "乡镇"}, {"name": "中和乡", "short": "中和乡"})


def answers(base: str, **changes: Any) -> Answers:
    said: dict[str, Any] = {
        "base": base, "id": "shili-2025", "name": "2025年示例县专项行动", "region": "示例县", "region_code": "530999",
        "number": "示政办发〔2025〕5号", "title": "实施方案: 第一稿", "issuer": "示例县人民政府办公室", "issued": date(2025, 2, 20),
        "starts": date(2025, 3, 1), "ends": date(2025, 12, 31), "units": units_of(TOWNS, base, "test"), "totals": {},
        "measured_on": date(2025, 12, 31)}
    return Answers(**{**said, **changes})


def made(base: str, folder: Path, **changes: Any) -> Path:
    path = folder / f"{base}.yaml"
    told = answers(base, **changes)
    path.write_text(text_of(told, path), encoding="utf-8")
    path.write_text(text_of(told, path, whole_of(read(path))), encoding="utf-8")
    return path


@pytest.mark.parametrize("base", BASES)
def test_a_new_plan_is_sound_and_short_and_what_an_editor_expects(base: str, tmp_path: Path) -> None:
    first, *_ = items_of(base, "indicators", "id")
    path = made(base, tmp_path, totals={first: 90})
    report, text = check(path), path.read_text(encoding="utf-8")

    assert [str(fault) for fault in report.faults] == []
    assert report.plan is not None
    assert [target.indicator for target in report.plan.targets] == [first]
    assert len(text.splitlines()) < 120
    schema = tmp_path / text.splitlines()[0].removeprefix(MARK)
    assert schema.resolve() == plan_schema.SCHEMA_FILE
    plain = yaml.load(text, Loader=plan_schema._Loader)
    assert [error.message for error in Draft202012Validator(plan_schema.schema()).iter_errors(plain)] == []


@pytest.mark.parametrize("base", BASES)
def test_what_is_left_open_says_what_holds_anyway(base: str, tmp_path: Path) -> None:
    """The values beside the questions are the base's: the plan with them and the plan without are one."""
    told = answers(base, totals={items_of(base, "indicators", "id")[0]: 90})
    bare = tmp_path / "bare.yaml"
    bare.write_text(text_of(told, bare), encoding="utf-8")
    full = made(base, tmp_path, totals=told.totals)
    assert read(bare).plan == read(full).plan
    assert full.read_text(encoding="utf-8").count(OPEN) >= 15


def test_every_question_is_asked_of_some_base(tmp_path: Path) -> None:
    far = {"starts": date(2097, 5, 1), "ends": date(2098, 4, 30), "issued": date(2097, 4, 1), "measured_on": date(2098, 4, 30)}
    texts = [made(base, tmp_path, totals={items_of(base, "indicators", "id")[0]: 90}, **far).read_text(encoding="utf-8") for base in BASES]
    assert [question["at"] for question in asked()["questions"] if not any(question["ask"] in text for text in texts)] == []


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("starts", "ends"), [(date(2024, 12, 1), date(2025, 11, 30)), (date(2024, 2, 29), date(2026, 12, 31)),
                                              (date(2097, 5, 1), date(2098, 4, 30))])
def test_a_campaign_over_the_turn_of_the_year_is_sound_too(base: str, starts: date, ends: date, tmp_path: Path) -> None:
    report = check(made(base, tmp_path, starts=starts, ends=ends, issued=starts, measured_on=ends))
    assert [str(fault) for fault in report.faults] == []


# --- units ----------------------------------------------------------------------------------------------


def test_units_come_from_a_file_as_excel_writes_it(tmp_path: Path) -> None:
    text = "name,level,parent,conversions\n东湖街道,街道,,\"1,200\"\n湖滨社区,社区,东湖街道,\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        file = tmp_path / f"{encoding}.csv"
        file.write_text(text, encoding=encoding)
        street, village = units_of_file(file, "expansion")
        assert (street.code, street.kind, street.short, dict(street.numbers)) == ("donghu", "township", "东湖", {"conversions": 1200})
        assert (village.kind, village.parent) == ("village", "donghu")


@pytest.mark.parametrize("base", BASES)
def test_units_that_sound_alike_get_codes_of_their_own(base: str, tmp_path: Path) -> None:
    units = units_of([{"name": "东山镇"}, {"name": "东山乡"}, {"name": "董善镇"}, {"name": "人社镇"}], base, "test")
    taken = items_of(base, "organisations", "code")
    assert len({unit.code for unit in units} | set(taken)) == len(units) + len(taken)
    assert len({unit.short for unit in units}) == len(units)
    assert check(made(base, tmp_path, units=units)).faults == []


@pytest.mark.parametrize(("row", "word"), [
    ({"name": ""}, "no name"), ({"name": "东山镇", "level": "大队"}, "大队"), ({"name": "东山"}, "which level"),
    ({"name": "东山镇", "parent": "西山镇"}, "西山镇"), ({"name": "东山镇", "code": "office"}, "office"),
    ({"name": "东山镇", "code": "East Hill"}, "East Hill"), ({"name": "东山镇", "colour": "red"}, "colour"),
    ({"name": "东山镇", "conversions": "many"}, "many"),
])
def test_a_unit_that_cannot_be_understood_is_refused_with_its_row(row: dict[str, str], word: str) -> None:
    with pytest.raises(WrongUse) as fault:
        units_of([{"name": "北亭镇"}, row], "expansion", "units.csv")
    assert word in str(fault.value)
    assert "row 3" in str(fault.value)


def test_every_word_for_a_level_is_a_kind_of_unit() -> None:
    for kind, words in asked()["levels"].items():
        assert all(kind_of(word, "x", "test") == kind == kind_of("", f"东山{word}", "test") for word in words), kind


@given(st.text(alphabet="东西南北山水镇乡街道村", min_size=1, max_size=8))
def test_a_short_name_is_never_shorter_than_two_letters_of_a_longer_one(name: str) -> None:
    short = short_of(name)
    assert name.startswith(short)
    assert len(short) >= min(2, len(name))


def test_targets_are_told_for_the_region_or_by_unit() -> None:
    units = units_of(TOWNS, "expansion", "test")
    assert target_of("conversions=800", "expansion", units) == ("conversions", 800, {})
    assert target_of("conversions=东湖街道:1200，xishan：3", "expansion", units) == ("conversions", None, {"donghu": 1200, "xishan": 3})
    for wrong in ("conversion=8", "conversions", "conversions=x", "conversions=南桥镇:3"):
        with pytest.raises(WrongUse):
            target_of(wrong, "expansion", units)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_number_is_read_as_people_write_it(number: int) -> None:
    assert number_of(f"{number:,}", "test") == number_of(str(number), "test") == number_of(f"{number}%", "test") == number


# --- another year ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("year", [2024])
def test_a_plan_of_another_year_is_the_same_plan_moved(path: Path, year: int, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    moved = tmp_path / "moved.yaml"
    moved.write_text(shifted(text, year), encoding="utf-8")
    before, report = read(path).plan, check(moved)

    assert [str(fault) for fault in report.faults] == []
    after = report.plan
    assert after is not None
    assert after.id != before.id
    assert str(year) in after.id
    by = year - before.starts.year
    assert (after.starts, after.ends) == (before.starts.replace(year=year), before.ends.replace(year=before.ends.year + by))
    assert [(phase.starts.month, phase.starts.day, phase.starts.year - by) for phase in after.phases] == [
        (phase.starts.month, phase.starts.day, phase.starts.year) for phase in before.phases]
    assert [target.level for target in after.targets] == [target.level for target in before.targets]
    assert [org.source for org in after.organisations] == [org.source for org in before.organisations]
    assert "新通知的文号" in moved.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.parent.name)
def test_a_move_there_and_back_is_the_plan_again(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    year = int(re.search(r"(?m)^starts: (\d{4})", text)[1])  # type: ignore[index]
    back = shifted(shifted(text, year + 8), year)
    plain = [re.sub(rf"  # {re.escape(OPEN)}.*", "", line) for line in back.split("\n")]
    same = sum(old == new for old, new in zip(text.split("\n"), plain, strict=True))
    assert same >= len(plain) - 2  # an id without a year got one


def test_comments_stay_where_they_are_and_a_leap_day_becomes_the_last_of_february() -> None:
    text = ("# 2024年示例县行动\nid: shili-2024  # ours\nname: 2024年示例县行动\nstarts: 2024-02-29\nends: 2025-01-31\n"
            "document: {number: 示政〔2024〕1号, source: 示政〔2024〕1号}\nlists:\n  # kept\n  - {id: seen_2025, source: of 2024-03-01}\n"
            "targets: [{level: {a: 2024}}]\n")
    assert shifted(text, 2027).split("\n") == [
        "# 2027年示例县行动", "id: shili-2027  # ours", "name: 2027年示例县行动", "starts: 2027-02-28", "ends: 2028-01-31",
        f"document: {{number: 示政〔2027〕1号, source: 示政〔2024〕1号}}  # {OPEN}新通知的文号？", "lists:", "  # kept",
        "  - {id: seen_2028, source: of 2024-03-01}", "targets: [{level: {a: 2024}}]", ""]


@pytest.mark.parametrize("text", ["a: [", "[]", "", "id: x\n"])
def test_what_is_no_plan_is_not_moved(text: str) -> None:
    with pytest.raises(WrongUse):
        shifted(text, 2027)


# --- the past -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_a_plan_whose_duties_lie_in_the_past_is_told_how_many(base: str, tmp_path: Path) -> None:
    plan = read(made(base, tmp_path)).plan
    assert overdue_notes(plan, date(2025, 3, 1)) == []
    (note,) = overdue_notes(plan, date(2025, 7, 1))
    assert re.match(r"[1-9]\d* duties are overdue already as of 2025-07-01", note.what)
    (later,) = overdue_notes(plan, date(2030, 1, 1))
    assert json.dumps(later.what) != json.dumps(note.what)
