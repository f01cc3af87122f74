"""The next runs that Prefect works out are the days of `canbao calendar`."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from canbao.timetable import calendar_rows
from deployments import listing
from models.plan import Plan
from models.plan_file import read

ROOT = Path(__file__).resolve().parents[2]
PLANS = {plan.id: plan for plan in (read(path).plan for path in sorted((ROOT / "campaigns").glob("*/plan.yaml")))}
ENTRIES = listing.read(ROOT / "prefect.yaml")
DATED = ("data_comparison", "routine", "bulletin", "acceptance")
IN_ONE_YEAR = ("chengjiang-2021",)


def _entry(campaign: str, flow: str) -> dict[str, Any] | None:
    return next((entry for entry in ENTRIES if entry["name"] == campaign and entry["entrypoint"].endswith(f":{flow}")), None)


def _runs(entry: dict[str, Any] | None, start: datetime, end: datetime) -> set[datetime]:
    """Every instant at which Prefect's own scheduler would run a deployment."""
    found: set[datetime] = set()
    for cron in entry.get("schedules", ()) if entry else ():
        schedule = CronSchedule(cron=cron["cron"], timezone=cron["timezone"])
        after = start
        while dates := [date for date in asyncio.run(schedule.get_dates(n=500, start=after, end=end)) if date > after]:
            found.update(dates)
            after = max(dates)
    return found


def _span(plan: Plan) -> tuple[datetime, datetime]:
    rows = [row["at"] for row in calendar_rows(plan) if "at" in row]
    zone = ZoneInfo(plan.time_zone)
    return (datetime(plan.starts.year, plan.starts.month, plan.starts.day, tzinfo=zone) - timedelta(seconds=1), max(rows))


def _calendar(plan: Plan, flow: str) -> set[datetime]:
    name = flow.replace("_", "-")
    return {row["at"] for row in calendar_rows(plan) if row.get("flow") == name}


@pytest.mark.parametrize("flow", DATED)
@pytest.mark.parametrize("campaign", IN_ONE_YEAR)
def test_the_next_runs_are_the_calendar_and_nothing_else(campaign: str, flow: str) -> None:
    plan = PLANS[campaign]
    assert _runs(_entry(campaign, flow), *_span(plan)) == _calendar(plan, flow)


@pytest.mark.parametrize("flow", DATED)
@pytest.mark.parametrize("campaign", sorted(set(PLANS) - set(IN_ONE_YEAR)))
def test_over_several_years_no_day_is_missed_and_others_are_days_of_another_year(campaign: str, flow: str) -> None:
    plan = PLANS[campaign]
    runs, calendar = _runs(_entry(campaign, flow), *_span(plan)), _calendar(plan, flow)
    assert calendar <= runs
    zone = ZoneInfo(plan.time_zone)
    days = {(at.month, at.day, at.hour) for at in calendar}
    assert {(at.astimezone(zone).month, at.astimezone(zone).day, at.astimezone(zone).hour) for at in runs} == days


@pytest.mark.parametrize("campaign", sorted(PLANS))
def test_the_sweep_runs_at_every_instant_at_which_a_step_is_planned(campaign: str) -> None:
    plan = PLANS[campaign]
    steps = {step["at"] for row in calendar_rows(plan) for step in row.get("steps", ())}
    assert steps
    assert steps <= _runs(_entry(campaign, "sweep"), min(steps) - timedelta(seconds=1), max(steps))


@pytest.mark.parametrize("campaign", sorted(PLANS))
def test_what_came_in_time_is_taken_back_before_anybody_is_reminded(campaign: str) -> None:
    plan = PLANS[campaign]
    steps = {step["at"] for row in calendar_rows(plan) for step in row.get("steps", ())}
    taken = _runs(_entry(campaign, "contribution"), min(steps) - timedelta(days=1), max(steps))
    assert all(at - timedelta(hours=1) in taken for at in steps)


@pytest.mark.parametrize(("campaign", "flow", "kind"), [
    ("lianyungang-2016", "pilot", "pilot"), ("lianyungang-2016", "survey", "survey"), ("district-registration", "survey", "survey"),
    ("bozhou-2018", "self_assessment", "self_assessment"), ("bozhou-2018", "preparation", "preparation"),
    ("district-registration", "preparation", "preparation")])
def test_a_phase_of_its_own_is_worked_on_every_day_of_it(campaign: str, flow: str, kind: str) -> None:
    plan = PLANS[campaign]
    zone = ZoneInfo(plan.time_zone)
    phase = next(phase for phase in plan.phases if phase.kind == kind)
    assert phase.ends is not None
    start = datetime(phase.starts.year, phase.starts.month, phase.starts.day, tzinfo=zone)
    end = datetime(phase.ends.year, phase.ends.month, phase.ends.day, tzinfo=zone) + timedelta(days=1)
    days = {at.astimezone(zone).date() for at in _runs(_entry(campaign, flow), start - timedelta(seconds=1), end)}
    assert {phase.starts + timedelta(days=number) for number in range((phase.ends - phase.starts).days + 1)} <= days
