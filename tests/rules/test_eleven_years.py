"""Every cadence under every roll policy from 2016 to 2026: both sides of each boundary second, nothing lost or doubled."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from models.plan import Cadence, CalendarPolicy, Due, RollPolicy
from rules.calendar import WorkCalendar
from rules.deadlines import ObligationFacts, SubmissionFact, closes, effective_due, is_late, nominal_due, opens, status
from rules.periods import periods

ZONE = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)
STARTS, ENDS = date(2016, 1, 1), date(2026, 12, 31)
CADENCES = {
    # cadence, when it is due, how many periods eleven years hold
    "month": (Cadence(every="month", first="2016-01", last="2026-12"), Due(day=2, months_after=1), 132),
    "late_month": (Cadence(every="month", first="2016-01", last="2026-12"), Due(day="last_day", months_after=0), 132),
    "quarter": (Cadence(every="quarter", first="2016-01", last="2026-12"), Due(day=10, months_after=1), 44),
    "year": (Cadence(every="year", first="2016-01", last="2026-12"), Due(day=15, months_after=1), 11),
    # 4,018 days are 287 fortnights; the last stub is its own.
    "two_weeks": (Cadence(every="two_weeks", starts=STARTS, ends=ENDS), Due(days_after_end=2), 287),
    "half_month": (Cadence(every="half_month", starts=STARTS, ends=ENDS), Due(days_after_end=3), 264),
    "once": (Cadence(every="once", starts=STARTS, ends=ENDS), Due(date=date(2026, 12, 5)), 1),
}
ROLLS: tuple[RollPolicy, ...] = ("none", "next_workday", "previous_workday")


def _calendar(cut_off: time | None = None) -> WorkCalendar:
    return WorkCalendar(CalendarPolicy(source="a choice", cut_off=cut_off))


@pytest.mark.parametrize("name", CADENCES)
def test_eleven_years_hold_each_period_once_and_every_day_in_one(name: str) -> None:
    cadence, _, count = CADENCES[name]
    found = periods(cadence)
    assert len(found) == count
    assert len({period.label for period in found}) == count
    assert (found[0].starts, found[-1].ends) == (STARTS, ENDS)
    for earlier, later in pairwise(found):
        assert later.starts == earlier.ends + timedelta(days=1)


@pytest.mark.parametrize("roll", ROLLS)
@pytest.mark.parametrize("name", CADENCES)
@pytest.mark.parametrize("cut_off", [None, time(17, 30)], ids=["whole_day", "half_past_five"])
def test_each_boundary_second_of_each_period(name: str, roll: RollPolicy, cut_off: time | None) -> None:
    cadence, due, _ = CADENCES[name]
    calendar, before = _calendar(cut_off), None
    for period in periods(cadence):
        nominal = nominal_due(due, period)
        # The public calendar ends with 2026: what is due in January 2027 stays where it is stated.
        effective = effective_due(nominal, roll, calendar) if nominal.year <= 2026 else nominal
        due_before = closes(effective, ZONE, cut_off)
        facts = ObligationFacts(opens_at=opens(period.starts, ZONE), due_before=due_before, lock_before=due_before + timedelta(days=5))
        assert status(facts, facts.opens_at - SECOND) == "not_yet_due"
        assert status(facts, due_before - SECOND) in ("open", "due_soon")
        assert status(facts, due_before) == "overdue"
        assert facts.lock_before is not None
        assert status(facts, facts.lock_before - SECOND) == "overdue"
        assert status(facts, facts.lock_before) == "missing"
        assert not is_late(_handed_in(facts, due_before - SECOND))
        assert is_late(_handed_in(facts, due_before))
        last_second = (due_before - SECOND).astimezone(ZONE)
        assert last_second.date() == effective
        assert last_second.time() == (time(23, 59, 59) if cut_off is None else time(17, 29, 59))
        if roll != "none" and nominal.year <= 2026:
            assert calendar.is_workday(effective)
            assert (effective >= nominal) if roll == "next_workday" else (effective <= nominal)
        else:
            assert effective == nominal
        assert before is None or due_before >= before, "a later period is never due before an earlier one"
        before = due_before


def _handed_in(facts: ObligationFacts, received_at: datetime) -> ObligationFacts:
    return ObligationFacts(opens_at=facts.opens_at, due_before=facts.due_before, lock_before=facts.lock_before,
                           submissions=(SubmissionFact(received_at, None, received_at),))


def test_the_second_of_each_month_from_2016_to_2026_as_the_public_calendar_moves_it() -> None:
    """Worked out by hand from the State Council's notices: days on which the 2nd was no workday."""
    calendar = _calendar()
    moved = {
        day: effective_due(day, "next_workday", calendar)
        for year in range(2016, 2027) for month in range(1, 13)
        if effective_due(day := date(year, month, 2), "next_workday", calendar) != day
    }
    for day, to in {
        date(2016, 1, 2): date(2016, 1, 4), date(2016, 10, 2): date(2016, 10, 8), date(2017, 1, 2): date(2017, 1, 3),
        date(2018, 5, 2): date(2018, 5, 2), date(2019, 5, 2): date(2019, 5, 5), date(2020, 2, 2): date(2020, 2, 3),
        date(2020, 5, 2): date(2020, 5, 6), date(2020, 10, 2): date(2020, 10, 9), date(2021, 5, 2): date(2021, 5, 6),
        date(2021, 10, 2): date(2021, 10, 8), date(2022, 10, 2): date(2022, 10, 8), date(2023, 1, 2): date(2023, 1, 3),
        date(2024, 5, 2): date(2024, 5, 6), date(2025, 10, 2): date(2025, 10, 9), date(2021, 5, 6): date(2021, 5, 6),
    }.items():
        assert moved.get(day, day) == to, day
    assert all(to.day <= 9 and to.month == day.month for day, to in moved.items())
