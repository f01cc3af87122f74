"""Half-monthly bulletins and two-weekly reports are two cycles (G19): no report is told twice, and none is lost."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from models.plan import Bulletin, Plan
from models.plan_file import REPOSITORY, read
from rules.bulletins import issue_day, told
from rules.deadlines import expected, item_periods

PLANS = {path.parent.name: read(path).plan for path in sorted((REPOSITORY / "campaigns").glob("*/plan.yaml"))}
BULLETINS = [(plan, bulletin) for plan in PLANS.values() for bulletin in plan.bulletins]


def _deadlines(plan: Plan, item: str) -> dict[str, tuple[date, date]]:
    """Period → (effective due, last day)."""
    return {row.period: (row.effective, row.period_ends) for row in expected(plan) if row.item == item}


def _told(plan: Plan, bulletin: Bulletin, item: str) -> dict[str, list[str]]:
    spans = item_periods(plan, bulletin.cadence, bulletin.due)
    return {span.label: [period for period, (due, ends) in _deadlines(plan, item).items()
                         if told(plan, bulletin, span.label).holds(due, ends)] for span in spans}


def test_a_half_month_meets_one_or_two_of_the_fortnights() -> None:
    plan = PLANS["district-registration"]
    by_half = _told(plan, plan.bulletins[0], "fortnightly_report")
    assert len(by_half) == 24
    # By hand for 2015: the fortnight to 01-14 is due on 01-16, the next (to 01-28) on 01-30, the third on 02-13.
    assert by_half["2015-01a"] == ["2015-F01"]
    assert by_half["2015-01b"] == ["2015-F02"]
    assert max(map(len, by_half.values())) == 2


@pytest.mark.parametrize(("plan", "bulletin"), [
    pytest.param(plan, bulletin, id=f"{plan.id}-{bulletin.id}") for plan, bulletin in BULLETINS])
def test_every_deadline_up_to_the_last_bulletin_is_told_exactly_once(plan: Plan, bulletin: Bulletin) -> None:
    spans = item_periods(plan, bulletin.cadence, bulletin.due)
    for item in bulletin.obligations:
        counted = Counter(period for periods in _told(plan, bulletin, item).values() for period in periods)
        asked = {period for period, (due, ends) in _deadlines(plan, item).items()
                 if due <= issue_day(plan, bulletin, spans[-1]) and ends >= spans[0].starts}
        assert counted == Counter(asked)


def test_nobody_is_named_for_days_before_the_first_bulletin_s_period() -> None:
    plan = PLANS["chengjiang-2021"]
    by_month = _told(plan, plan.bulletins[0], "monthly_report")
    assert by_month["2021-05"] == ["2021-05"]
    assert "2021-04" not in {period for periods in by_month.values() for period in periods}
    # The summary due on 2021-12-06 belongs to the bulletin of 2021-12-15.
    assert _told(plan, plan.bulletins[0], "written_summary")["2021-11"] == ["once"]
