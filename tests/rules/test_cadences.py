"""Rhythms: every word cuts the years 2016–2030 into periods without gap or overlap, calls each so that it is told apart and sorts, and
says when something is due."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from models import words
from models.cadences import CADENCES, WEEK_DAYS, CadenceKind, Period, Span, kind_of_label, label_in_words
from models.errors import CanbaoError
from models.plan import Cadence, CalendarPolicy, Due, Plan
from rules.calendar import WorkCalendar
from rules.deadlines import closes, effective_due, expected, nominal_due
from rules.periods import ONE_DAY, period, period_name, periods
from rules.soundness import faults
from tests.plan.a_plan import a_plan

DAYS = st.dates(date(2016, 1, 1), date(2030, 12, 31))
EVERY = sorted(CADENCES)


def a_cadence(every: str, first: date, last: date, days: int = 5, begins_on: str | None = None) -> Cadence:
    """A cadence of a word from one day, or its month, to another."""
    row = CADENCES[every]
    if row.by == "months":
        return Cadence(every=every, first=f"{first:%Y-%m}", last=f"{last:%Y-%m}")
    return Cadence(every=every, starts=first, ends=last, days=days if row.needs_days else None,
                   begins_on=begins_on if row.has_weekday else None)


@st.composite
def cadences(draw: Any) -> Cadence:
    """Any cadence within 2016–2030, of four years at most."""
    first = draw(DAYS)
    last = min(first + timedelta(days=draw(st.integers(0, 1461))), date(2030, 12, 31))
    return a_cadence(draw(st.sampled_from(EVERY)), first, last, draw(st.integers(1, 60)), draw(st.sampled_from(WEEK_DAYS)))


@given(cadences())
def test_periods_follow_each_other_without_gap_and_overlap(cadence: Cadence) -> None:
    found = periods(cadence)
    for one, other in pairwise(found):
        assert one.starts <= one.ends
        assert other.starts == one.ends + ONE_DAY
    if cadence.starts and cadence.ends:
        assert (found[0].starts, found[-1].ends) == (cadence.starts, cadence.ends)
    else:
        assert f"{found[0].starts:%Y-%m}" <= str(cadence.first)
        assert f"{found[-1].ends:%Y-%m}" >= str(cadence.last)


@given(cadences())
def test_labels_are_told_apart_sort_in_time_and_lead_back(cadence: Cadence) -> None:
    found = periods(cadence)
    labels = [entry.label for entry in found]
    assert labels == sorted(set(labels))
    for entry in (found[0], found[len(found) // 2], found[-1]):
        assert kind_of_label(entry.label) == cadence.every
        assert period(cadence, entry.label) == entry
        assert re.fullmatch(r"[\w-]+", entry.label, re.ASCII), "a file may be called so"
        assert re.search(r"[\u4e00-\u9fff]", period_name(entry.label))


@pytest.mark.parametrize(("every", "first", "last", "says"), [
    ("week", date(2026, 12, 28), date(2027, 1, 10), [("2026-W53", "2026年第53周"), ("2027-W01", "2027年第1周")]),
    ("ten_days", date(2027, 2, 1), date(2027, 2, 28), [
        ("2027-02t1", "2027年2月上旬"), ("2027-02t2", "2027年2月中旬"), ("2027-02t3", "2027年2月下旬")]),
    ("half_year", date(2026, 3, 1), date(2026, 8, 1), [("2026-H1", "2026年上半年"), ("2026-H2", "2026年下半年")]),
    ("days", date(2026, 3, 1), date(2026, 3, 12), [
        ("2026-03-01", "2026年3月1日起"), ("2026-03-06", "2026年3月6日起"), ("2026-03-11", "2026年3月11日起")]),
    ("half_month", date(2016, 3, 1), date(2016, 3, 31), [("2016-03a", "2016年3月上半月"), ("2016-03b", "2016年3月下半月")]),
    ("two_weeks", date(2016, 1, 1), date(2016, 1, 28), [("2016-F01", "2016年第1期（两周）"), ("2016-F02", "2016年第2期（两周）")]),
])
def test_periods_are_called_as_people_call_them(every: str, first: date, last: date, says: list[tuple[str, str]]) -> None:
    assert [(entry.label, label_in_words(entry.label)) for entry in periods(a_cadence(every, first, last))] == says


def test_a_week_begins_on_the_day_that_the_plan_says() -> None:
    found = periods(a_cadence("week", date(2027, 3, 6), date(2027, 3, 19), begins_on="saturday"))
    assert [(entry.starts, entry.ends) for entry in found] == [(date(2027, 3, 6), date(2027, 3, 12)), (date(2027, 3, 13), date(2027, 3, 19))]


def test_a_made_up_rhythm_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(span: Span) -> Any:
        for year in range(span.starts.year, span.ends.year + 1):
            yield Period(f"{year:04d}-S1", date(year, 1, 1), date(year, 12, 31))

    monkeypatch.setitem(CADENCES, "season", CadenceKind(
        "每季节", "days", cut, re.compile(r"(?P<year>\d{4})-S1"), lambda found: f"{found['year']}年度季节"))
    cadence = Cadence(every="season", starts=date(2021, 2, 1), ends=date(2022, 3, 1))
    assert [entry.label for entry in periods(cadence)] == ["2021-S1", "2022-S1"]
    assert period_name("2021-S1") == "2021年度季节"
    assert "season" in words.CADENCES


@pytest.mark.parametrize(("given", "told"), [
    ({"every": "weekly", "starts": "2021-01-01", "ends": "2021-02-01"}, "week"),
    ({"every": "week"}, "needs `starts` and `ends`"),
    ({"every": "half_year", "first": "2021-01"}, "needs `first` and `last`"),
    ({"every": "days", "starts": "2021-01-01", "ends": "2021-02-01"}, "how many"),
    ({"every": "week", "starts": "2021-01-01", "ends": "2021-02-01", "days": 3}, "no number of `days`"),
    ({"every": "month", "first": "2021-01", "last": "2021-03", "begins_on": "monday"}, "drop `begins_on`"),
    ({"every": "week", "starts": "2021-01-01", "ends": "2021-02-01", "begins_on": "mondays"}, "monday"),
])
def test_what_a_rhythm_lacks_or_has_too_much_is_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Cadence.model_validate(given)


# --- when it is due ---------------------------------------------------------------------------------------


@st.composite
def dues(draw: Any) -> Due:
    """Any way to say when something is due that fits every period."""
    at = draw(st.sampled_from((None, time(17, 0))))
    return draw(st.sampled_from((
        Due(day="last_day", months_after=draw(st.integers(0, 3)), at=at), Due(days_after_end=draw(st.integers(0, 40)), at=at),
        Due(weekday=draw(st.sampled_from(WEEK_DAYS)), weeks_after=draw(st.integers(0, 3)), at=at), Due(days_before_end=1, at=at))))


@given(cadences(), dues())
def test_deadlines_follow_the_order_of_their_periods_and_fall_on_workdays(cadence: Cadence, due: Due) -> None:
    assume(cadence.every != "once")
    calendar = WorkCalendar(CalendarPolicy(source="C20"))
    found = [(entry, nominal_due(due, entry)) for entry in periods(cadence)[:40]]
    days = [nominal for _, nominal in found]
    assert days == sorted(days)
    for entry, nominal in found:
        assert nominal >= entry.starts - ONE_DAY
        effective = effective_due(nominal, "next_workday", calendar)
        assert effective >= nominal
        assert calendar.is_workday(effective)
        instant = closes(effective, "Asia/Shanghai", due.at)
        assert instant.time() == (due.at or time(0))
        assert instant.date() == (effective if due.at else effective + ONE_DAY)


@pytest.mark.parametrize(("every", "due", "days"), [
    ("week", {"weekday": "friday"}, [date(2027, 3, 5), date(2027, 3, 12)]),
    ("week", {"weekday": "monday", "weeks_after": 1}, [date(2027, 3, 8), date(2027, 3, 15)]),
    ("ten_days", {"days_after_end": 2}, [date(2027, 3, 12), date(2027, 3, 16)]),
    ("month", {"weekday": "friday"}, [date(2027, 3, 26)]),
    ("month", {"day": 25, "months_after": 0}, [date(2027, 3, 25)]),
])
def test_due_within_and_after_the_period(every: str, due: dict[str, Any], days: list[date]) -> None:
    cadence = a_cadence(every, date(2027, 3, 1), date(2027, 3, 14))
    assert [nominal_due(Due.model_validate(due), entry) for entry in periods(cadence)] == days


def test_a_weekly_report_is_due_on_friday_at_five() -> None:
    plan = a_plan()
    plan["obligations"][0] |= {"cadence": {"every": "week", "starts": "2021-05-03", "ends": "2021-05-16"},
                               "due": {"weekday": "friday", "at": "17:00"}}
    loaded = Plan.model_validate(plan)
    assert faults(loaded) == []
    zone = ZoneInfo("Asia/Shanghai")
    rows = {row.period: row.due_before for row in expected(loaded) if row.item == "monthly_report"}
    assert rows == {"2021-W18": datetime(2021, 5, 7, 17, tzinfo=zone), "2021-W19": datetime(2021, 5, 14, 17, tzinfo=zone)}


@pytest.mark.parametrize(("section", "change", "told"), [
    ("obligations", {"due": {"days_before_end": 40}}, "before the period begins"),
    ("feeds", {"due": {"day": 20, "months_after": 0}}, "before the period ends"),
    ("feeds", {"cadence": {"every": "quarter", "first": "2021-04", "last": "2021-09"}}, "nothing would ever be compared"),
])
def test_what_cannot_be_in_time_is_a_fault(section: str, change: dict[str, Any], told: str) -> None:
    plan = a_plan()
    plan[section][0] |= change
    assert any(told in fault.what for fault in faults(Plan.model_validate(plan)))


def test_one_way_to_say_when_and_no_more() -> None:
    for said in ({"day": 2, "weekday": "friday"}, {}, {"day": 2, "weeks_after": 1}):
        with pytest.raises(ValidationError):
            Due.model_validate(said)
    with pytest.raises(CanbaoError, match="does not exist"):
        nominal_due(Due(day=31), Period("2021-05", date(2021, 5, 1), date(2021, 5, 31)))
