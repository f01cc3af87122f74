"""A delivery against what is known already: the last period, the files in force, other months and places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expectations.history import Held, History, part_of
from expectations.intake import Intake
from models.plan import Plan
from rules.drift import Profile
from tests.expectations.a_file import POPULATION, a_number, a_person, csv_file, people, population_file, workbook

Take = Callable[..., Intake]
DEATHS = ["死者身份证号", "死者姓名", "死亡日期"]


def failed(intake: Intake) -> dict[str, str]:
    """Rules that did not pass, by their names, with their consequence."""
    return {check.rule_id.partition(".")[2]: check.severity for check in intake.checks if not check.passed}


def held(intake: Intake, delivery: int = 1, **changes: Any) -> Held:
    """A delivery that was taken in before."""
    assert intake.snapshot is not None, intake.reason
    given = {"part": intake.part, "rows": intake.accepted, "snapshot": intake.snapshot, "profile": intake.profile}
    return Held(delivery, **{**given, **changes})


def some(path: Path, first: int, last: int, **cells: str) -> Path:
    return population_file(path, [a_person(serial, **cells) for serial in range(first, last)])


# --- parts ----------------------------------------------------------------------------------------------


def test_a_township_of_its_own_stands_beside_the_one_in_force(take_in: Take, tmp_path: Path) -> None:
    first = take_in(some(tmp_path / "人口_凤麓.csv", 1, 60))
    second = take_in(some(tmp_path / "人口_右所.csv", 60, 120), history=History(current=(held(first),)))
    assert (second.verdict, second.replaces, second.part) == ("accepted", (), "右所")


def test_the_same_register_again_takes_the_place_of_the_first(take_in: Take, tmp_path: Path) -> None:
    first = take_in(some(tmp_path / "人口.csv", 1, 60))
    second = take_in(some(tmp_path / "人口更正.csv", 2, 62), history=History(current=(held(first, 9),)))
    assert (second.verdict, second.replaces, second.part) == ("accepted", (9,), "")


def test_a_file_that_shares_some_persons_is_returned_asking_which_it_is(take_in: Take, tmp_path: Path) -> None:
    history = History(current=(held(take_in(some(tmp_path / "人口.csv", 1, 61))),))
    unclear = take_in(some(tmp_path / "人口又.csv", 45, 105), history=history)
    assert (unclear.verdict, failed(unclear)) == ("returned", {"unclear_part": "return"})
    assert "补报" in unclear.reason
    assert take_in(some(tmp_path / "人口_补报.csv", 45, 105), history=history).replaces == ()
    assert take_in(some(tmp_path / "人口_更正.csv", 45, 105), history=history).replaces == (1,)


def test_a_person_in_two_parts_stays_in_both(take_in: Take, tmp_path: Path) -> None:
    first = take_in(some(tmp_path / "人口_凤麓.csv", 1, 61))
    second = take_in(some(tmp_path / "人口_右所.csv", 60, 120), history=History(current=(held(first),)))
    assert (second.replaces, second.accepted) == ((), 60)


@pytest.mark.parametrize(("name", "part"), [
    ("户籍人口信息_2021年5月", ""), ("户籍人口信息_凤麓街道_2021年5月", "凤麓街道"), ("凤麓街道户籍人口20210602（更正）", "凤麓街道"),
    ("人口_补报_35人", ""), ("人口分表1", "分1"), ("户籍人口_龙街(1)", "龙街"),
])
def test_a_part_is_what_the_name_says_beyond_feed_date_and_version(plan: Plan, name: str, part: str) -> None:
    from models.contract import for_feed

    assert part_of(name, for_feed("population"), plan.item("feeds", "population")) == part


def test_a_part_is_compared_with_the_same_part_of_the_last_period(take_in: Take, tmp_path: Path) -> None:
    last = (Held(1, "凤麓", 60, Path("a"), Profile(60)), Held(2, "右所", 5000, Path("b"), Profile(5000)))
    intake = take_in(some(tmp_path / "人口_凤麓.csv", 1, 60), history=History(last=last))
    assert intake.verdict == "accepted"
    smaller = take_in(some(tmp_path / "人口_凤麓街.csv", 1, 60), history=History(last=last))
    assert failed(smaller) == {"shrink": "return"}


def test_parts_without_a_like_in_the_last_period_are_compared_as_a_whole(take_in: Take, tmp_path: Path) -> None:
    first = take_in(some(tmp_path / "人口_凤麓.csv", 1, 60))
    last = (Held(5, "", 119, Path("a"), Profile(119)),)
    second = some(tmp_path / "人口_右所.csv", 60, 120)
    assert take_in(second, history=History((held(first),), last)).verdict == "accepted"
    assert failed(take_in(second, history=History(last=last))) == {"shrink": "return"}


def test_beside_a_part_that_was_waived_a_further_one_only_warns_of_shrinking(take_in: Take, tmp_path: Path) -> None:
    first = take_in(some(tmp_path / "人口_凤麓.csv", 1, 60))
    history = History((held(first, waived=True),), (Held(5, "", 900, Path("a"), Profile(900)),))
    assert failed(take_in(some(tmp_path / "人口_右所.csv", 60, 120), history=history)) == {"shrink": "warn"}


def test_files_of_a_supplement_add_up(take_in: Take, tmp_path: Path) -> None:
    rows = [[a_number(serial), "王二", "2021-05-03"] for serial in range(1, 5)]
    first = take_in(csv_file(tmp_path / "a.csv", [DEATHS, *rows]), "deaths")
    more = csv_file(tmp_path / "b.csv", [DEATHS, rows[0], [a_number(50), "王三", "2021-05-04"], [a_number(51), "王四", "2021-05-04"]])
    assert take_in(more, "deaths", history=History(current=(held(first),))).replaces == ()


# --- against the last period ----------------------------------------------------------------------------


def test_shares_that_moved_are_a_warning_that_names_the_value(take_in: Take, tmp_path: Path) -> None:
    before = take_in(some(tmp_path / "a.csv", 1, 301))
    rows = [a_person(serial, 状态="注销" if serial <= 120 else "正常", 住址="" if serial > 100 else "某村") for serial in range(1, 301)]
    now = take_in(population_file(tmp_path / "b.csv", rows), history=History(last=(held(before),)))
    assert failed(now) == {"drift": "warn", "filled_drift": "warn"}
    assert "「人员状态」中的「注销」由 0.00% 变为 40.00%" in now.reason
    assert "「住址」由 100.00% 变为 33.33%" in now.reason


def test_a_small_register_may_jump(take_in: Take, tmp_path: Path) -> None:
    before = take_in(some(tmp_path / "a.csv", 1, 31))
    now = take_in(some(tmp_path / "b.csv", 1, 31, 状态="外出"), history=History(last=(held(before),)))
    assert now.verdict == "accepted"


def test_last_months_rows_saved_under_another_name_are_recognised(take_in: Take, tmp_path: Path) -> None:
    rows = people(250)
    before = take_in(population_file(tmp_path / "a.csv", rows))
    again = take_in(workbook(tmp_path / "五月.xlsx", {"一": [POPULATION, *reversed(rows)]}), history=History(last=(held(before),)))
    assert failed(again) == {"same_content": "return"}
    changed = [*rows[:-1], a_person(250, 状态="外出")]
    assert take_in(population_file(tmp_path / "c.csv", changed), history=History(last=(held(before),))).verdict == "accepted"


def test_a_small_register_may_stand_still(take_in: Take, tmp_path: Path) -> None:
    before = take_in(population_file(tmp_path / "a.csv", people(30)))
    again = take_in(population_file(tmp_path / "b.csv", people(30)), history=History(last=(held(before),)))
    assert again.verdict == "accepted"


def test_the_very_bytes_of_another_month_or_feed_are_returned_saying_which(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a.csv", people(3)), history=History(same_file="已作为2021年4月「户籍人口登记」接收"))
    assert failed(intake) == {"same_file": "return"}
    assert "2021年4月" in intake.reason


# --- in the wrong place ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "faults"), [
    ("户籍人口_2021年4月.csv", {"other_period": "return"}), ("户籍人口_2021年6月.csv", {"next_period": "warn"}),
    ("户籍人口_2021年5月.csv", {}), ("失业保险参保.csv", {"other_feed": "return"}),
])
def test_a_name_that_says_another_month_or_feed_is_believed(take_in: Take, tmp_path: Path, name: str, faults: dict[str, str]) -> None:
    assert failed(take_in(population_file(tmp_path / name, people(30)))) == faults


def test_the_senders_own_name_says_nothing_of_the_feed(take_in: Take, tmp_path: Path, plan: Plan) -> None:
    federation = next(org for org in plan.organisations if "残" in org.short)
    assert failed(take_in(population_file(tmp_path / f"{federation.short}_a.csv", people(30)))) == {}


def test_a_title_above_the_header_is_read(take_in: Take, tmp_path: Path) -> None:
    rows = [["某市失业保险参保人员名册"], POPULATION, *people(30)]
    assert failed(take_in(workbook(tmp_path / "a.xlsx", {"一": rows}))) == {"other_feed": "return"}


def test_a_header_of_another_feed_is_told_by_that_feeds_name(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(csv_file(tmp_path / "a.csv", [DEATHS, [a_number(1), "王二", "2021-05-03"]]), "students")
    assert intake.verdict == "returned"
    assert "应为「死亡人员」" in intake.reason


def test_numbers_of_another_county_return_the_file_with_its_code(take_in: Take, tmp_path: Path) -> None:
    rows = [a_person(serial, 身份证号=a_number(serial, area="650104")) for serial in range(1, 31)]
    intake = take_in(population_file(tmp_path / "a.csv", rows))
    assert failed(intake) == {"other_county": "return"}
    assert "650104" in intake.reason


def test_a_third_from_elsewhere_is_normal(take_in: Take, tmp_path: Path) -> None:
    rows = [a_person(serial, 身份证号=a_number(serial, area="650104" if serial % 3 == 0 else "530422")) for serial in range(1, 31)]
    assert take_in(population_file(tmp_path / "a.csv", rows)).verdict == "accepted"


# --- totals ---------------------------------------------------------------------------------------------

PAID = ["身份证号", "姓名", "乡镇", "参保状态", "本年缴费金额"]


def paid(*serials: int) -> list[list[str]]:
    return [[a_number(serial), "王二", "凤麓", "1", "100.50"] for serial in serials]


@pytest.mark.parametrize(("total", "rule"), [("301.50", set()), ("301.60", set()), ("401.5", {"amount_total"})])
def test_a_stated_sum_is_compared_with_the_rows(take_in: Take, tmp_path: Path, total: str, rule: set[str]) -> None:
    path = csv_file(tmp_path / "a.csv", [PAID, *paid(1, 2, 3), ["合计", "", "", "", total]])
    intake = take_in(path, "resident_medical")
    assert set(failed(intake)) == rule
    assert not rule or "合计「本年缴费金额」写明 401.5，实有 301.5" in intake.reason


def test_each_subtotal_is_compared_with_its_own_rows(take_in: Take, tmp_path: Path) -> None:
    def file(second: str) -> Path:
        rows = [*paid(1, 2), ["凤麓小计", "2人", "", "", "201"], *paid(3, 4, 5), ["右所小计", second, "", "", "301.5"], ["合计", "5人"]]
        return csv_file(tmp_path / "a.csv", [PAID, *rows])

    assert failed(take_in(file("3人"), "resident_medical")) == {}
    wrong = take_in(file("4人"), "resident_medical")
    assert failed(wrong) == {"control_total": "warn"}
    assert "小计写明 4，实有 3" in wrong.reason


def test_each_sheet_may_have_a_total_of_its_own(take_in: Take, tmp_path: Path) -> None:
    sheets = {"凤麓": [PAID, *paid(1, 2), ["合计", "2人", None, None, 201]], "右所": [PAID, *paid(3), ["合计", "1人", None, None, 100.5]]}
    assert failed(take_in(workbook(tmp_path / "a.xlsx", sheets), "resident_medical")) == {}


# --- waivers --------------------------------------------------------------------------------------------


def test_what_was_waived_is_a_warning_and_nothing_else_is(take_in: Take, tmp_path: Path) -> None:
    history = History(last=(Held(5, "", 900, Path("a"), Profile(900)),))
    path = population_file(tmp_path / "户籍人口_共61条.csv", people(60))
    rules = ("population.shrink",)
    assert failed(take_in(path, history=history, waived=rules)) == {"shrink": "warn", "file_name_count": "return"}
    both = take_in(path, history=history, waived=(*rules, "population.file_name_count"))
    assert both.verdict == "accepted_with_warnings"
    assert "经办人已确认" in both.reason


def test_lost_digits_cannot_be_waived(take_in: Take, tmp_path: Path) -> None:
    rows = [POPULATION, *([float(a_number(i)[:17] + "0"), *a_person(i)[1:]] for i in range(1, 30))]
    path = workbook(tmp_path / "a.xlsx", {"一": rows})
    rules = {check.rule_id for check in take_in(path).checks if not check.passed}
    assert failed(take_in(path, waived=rules))["lost_digits"] == "return"
