"""The working calendar, against the table at the end of the requirements and against its own promises."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CalendarUnknown, CanbaoError
from models.plan import CalendarPolicy
from rules.calendar import WorkCalendar

known_days = st.dates(date(2004, 2, 1), date(2026, 11, 30))
policies = st.sampled_from(["none", "next_workday", "previous_workday"])


def a_calendar(beyond="weekends", **changes) -> WorkCalendar:
    return WorkCalendar(CalendarPolicy(source="choice", **changes), beyond)


@pytest.mark.parametrize(
    ("nominal", "next_workday"),
    [
        ("2018-09-15", "2018-09-17"),
        ("2018-09-30", "2018-09-30"),
        ("2018-12-31", "2019-01-02"),
        ("2021-05-02", "2021-05-06"),
        ("2021-10-02", "2021-10-08"),
        ("2021-10-31", "2021-11-01"),
        ("2021-12-05", "2021-12-06"),
        ("2022-01-02", "2022-01-04"),
    ],
)
def test_the_eight_dates_of_the_requirements_move_to_the_next_workday(nominal, next_workday):
    assert a_calendar().roll(date.fromisoformat(nominal), "next_workday") == date.fromisoformat(next_workday)


def test_make_up_sunday_counts_as_a_working_day():
    assert a_calendar().is_workday(date(2018, 9, 30))


def test_make_up_saturday_counts_as_a_working_day():
    assert a_calendar().is_workday(date(2021, 5, 8))


def test_a_holiday_on_a_weekday_is_no_working_day():
    assert not a_calendar().is_workday(date(2021, 5, 5))


def test_a_date_rolls_back_over_the_whole_holiday_to_the_previous_workday():
    # 2021-05-01 is a Saturday and a holiday; Friday 04-30 was worked.
    assert a_calendar().roll(date(2021, 5, 2), "previous_workday") == date(2021, 4, 30)


def test_a_date_that_does_not_move_stays_on_the_holiday():
    assert a_calendar().roll(date(2021, 5, 2), "none") == date(2021, 5, 2)


def test_the_plans_own_policy_moves_a_date_if_none_is_asked_for():
    assert a_calendar(roll="previous_workday").roll(date(2021, 5, 2)) == date(2021, 4, 30)


def test_the_plans_holidays_and_workdays_win_over_the_public_calendar():
    calendar = a_calendar(extra_holidays=(date(2021, 5, 6),), extra_workdays=(date(2021, 5, 5),))
    assert not calendar.is_workday(date(2021, 5, 6))
    assert calendar.is_workday(date(2021, 5, 5))


def test_a_day_that_the_plan_calls_both_is_refused_with_its_cure():
    with pytest.raises(CanbaoError, match="2021-05-06 is named as a holiday and as a workday") as refused:
        a_calendar(extra_holidays=(date(2021, 5, 6),), extra_workdays=(date(2021, 5, 6),))
    assert "extra_holidays" in refused.value.cure


@pytest.mark.parametrize(
    ("count", "answer"),
    [
        (0, date(2021, 5, 2)),  # zero is the day itself, although a holiday
        (1, date(2021, 5, 6)),
        (3, date(2021, 5, 8)),  # Saturday, made up
        (4, date(2021, 5, 10)),
        (-1, date(2021, 4, 30)),
        (-6, date(2021, 4, 25)),  # Sunday, made up: 30 29 28 27 26 25
    ],
)
def test_workdays_are_counted_over_the_may_holiday(count, answer):
    assert a_calendar().add_workdays(date(2021, 5, 2), count) == answer


def test_workdays_between_counts_the_last_day_and_not_the_first():
    calendar = a_calendar()
    assert calendar.workdays_between(date(2021, 4, 30), date(2021, 5, 10)) == 4  # 6 7 8 10
    assert calendar.workdays_between(date(2021, 5, 10), date(2021, 4, 30)) == -4  # 8 7 6 and 04-30
    assert calendar.workdays_between(date(2021, 5, 6), date(2021, 5, 6)) == 0


@pytest.mark.parametrize(
    ("day", "is_covered"),
    [
        (date(2003, 12, 31), False), (date(2004, 1, 1), True), (date(2026, 12, 31), True), (date(2027, 1, 1), False),
    ],
)
def test_the_public_calendar_covers_2004_to_2026(day, is_covered):
    assert a_calendar().covers(day) is is_covered


def test_beyond_the_known_years_the_calendar_falls_back_to_weekends():
    assert a_calendar().roll(date(2027, 5, 1), "next_workday") == date(2027, 5, 3)  # a Saturday


def test_beyond_the_known_years_a_strict_calendar_refuses_and_says_what_to_do():
    with pytest.raises(CalendarUnknown, match="2004 to 2026, not 2027-05-03") as refused:
        a_calendar("raise").is_workday(date(2027, 5, 3))
    assert "canbao calendar import" in refused.value.cure


def test_a_strict_calendar_knows_the_days_that_the_plan_names():
    calendar = a_calendar("raise", extra_holidays=(date(2027, 5, 3),), extra_workdays=(date(2027, 5, 8),))
    assert calendar.covers(date(2027, 5, 3))
    assert not calendar.is_workday(date(2027, 5, 3))
    assert calendar.is_workday(date(2027, 5, 8))


@given(known_days, st.integers(0, 60), policies)
def test_rolling_never_reverses_two_dates(day, apart, policy):
    calendar = a_calendar()
    assert calendar.roll(day, policy) <= calendar.roll(day + timedelta(days=apart), policy)


@given(known_days)
def test_the_next_workday_is_never_before_and_the_previous_never_after(day):
    calendar = a_calendar()
    assert calendar.roll(day, "previous_workday") <= day <= calendar.roll(day, "next_workday")


@given(known_days, policies.filter(lambda policy: policy != "none"))
def test_a_rolled_date_is_a_workday_and_rolls_no_further(day, policy):
    calendar = a_calendar()
    rolled = calendar.roll(day, policy)
    assert calendar.is_workday(rolled)
    assert calendar.roll(rolled, policy) == rolled


@given(known_days, st.integers(-15, 15))
def test_as_many_workdays_lie_between_as_were_added(day, count):
    calendar = a_calendar()
    assert calendar.workdays_between(day, calendar.add_workdays(day, count)) == count
