"""When flows run by themselves: worked out by hand from 澄江's and the others' notices."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from models.plan import Plan
from models.plan_file import find, read
from rules import phases, schedule


@pytest.fixture(scope="module")
def chengjiang() -> Plan:
    return read(find("chengjiang-2021")).plan


@pytest.fixture(scope="module")
def district() -> Plan:
    return read(find("district-registration")).plan


def _days(plan: Plan, flow: str) -> list[str]:
    return [f"{run.at:%m-%d %H:%M}" for run in schedule.dated_runs(plan) if run.flow == flow]


def test_a_month_is_compared_the_morning_after_its_files_were_due(chengjiang: Plan) -> None:
    # The 10th; in July it is a Saturday, so the 12th; in October a Sunday, so the 11th.
    assert _days(chengjiang, "data-comparison") == [
        "05-11 06:00", "06-11 06:00", "07-13 06:00", "08-11 06:00", "09-11 06:00", "10-12 06:00", "11-11 06:00", "12-11 06:00",
        "01-11 06:00"]


def test_bulletins_run_on_their_days_of_issue(chengjiang: Plan) -> None:
    # The 15th; in August it is a Sunday.
    assert _days(chengjiang, "bulletin") == [
        "06-15 17:00", "07-15 17:00", "08-16 17:00", "09-15 17:00", "10-15 17:00", "11-15 17:00", "12-15 17:00"]


def test_a_cut_off_hour_makes_the_comparison_run_after_it(chengjiang: Plan) -> None:
    cut = chengjiang.model_copy(update={"calendar": chengjiang.calendar.model_copy(update={
        "cut_off": datetime(2021, 1, 1, 17, 30, tzinfo=UTC).time()})})
    assert _days(cut, "data-comparison")[0] == "05-11 06:00"
    early = cut.model_copy(update={"schedule": cut.schedule.model_copy(update={
        "compare_at": datetime(2021, 1, 1, 18, 0, tzinfo=UTC).time()})})
    assert _days(early, "data-comparison")[0] == "05-10 18:00"


def test_a_run_is_due_from_its_instant_on(chengjiang: Plan) -> None:
    first = next(run for run in schedule.dated_runs(chengjiang) if run.flow == "bulletin")
    assert schedule.due_runs(chengjiang, "bulletin", first.at) == (first,)
    before = datetime(2021, 6, 15, 8, 59, 59, tzinfo=UTC)
    assert schedule.due_runs(chengjiang, "bulletin", before) == ()


def test_months_that_share_a_day_share_a_cron(chengjiang: Plan) -> None:
    runs = [run.at for run in schedule.dated_runs(chengjiang) if run.flow == "bulletin"]
    assert [(entry.slug, entry.cron) for entry in schedule.on_days(runs)] == [
        ("day-15-at-1700", "0 17 15 6,7,9,10,11,12 *"), ("day-16-at-1700", "0 17 16 8 *")]


def test_routine_compares_once_nothing_else_runs(district: Plan) -> None:
    assert phases.comparing_flow(district, date(2015, 3, 31)) == "data-comparison"
    assert phases.comparing_flow(district, date(2015, 4, 1)) == "routine"
    assert _days(district, "data-comparison") == ["12-11 06:00", "01-13 06:00", "02-11 06:00", "03-11 06:00"]
    assert _days(district, "routine")[0] == "04-11 06:00"


def test_the_survey_takes_back_while_it_lasts_and_contribution_otherwise(district: Plan) -> None:
    assert phases.field_flow(district, date(2014, 12, 31)) == "contribution"
    assert phases.field_flow(district, date(2015, 1, 1)) == "survey"
    assert phases.field_flow(district, date(2015, 3, 31)) == "survey"
    assert phases.field_flow(district, date(2015, 4, 1)) == "contribution"
    assert schedule.in_months(district, "survey") == {1, 2, 3}
    assert schedule.in_months(district, "contribution") is None


def test_the_sweep_meets_steps_planned_between_its_own_minutes(chengjiang: Plan) -> None:
    assert schedule.sweep(chengjiang).cron == "0,30 8-18 * * *"
    ladder = chengjiang.ladders[0]
    odd = ladder.model_copy(update={"steps": (ladder.steps[0].model_copy(update={
        "at": datetime(2021, 1, 1, 9, 15, tzinfo=UTC).time()}), *ladder.steps[1:])})
    moved = chengjiang.model_copy(update={"ladders": (odd, *chengjiang.ladders[1:])})
    assert schedule.sweep(moved).cron == "0,15,30 8-18 * * *"
