"""Periods: how they are cut, how they are called, and that none is lost or doubled."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CanbaoError, WrongUse
from models.plan import Cadence
from rules.periods import Period, month, months_between, next_month, period, periods, previous_month

days = st.dates(date(2010, 1, 1), date(2030, 12, 31))


def spans(found: tuple[Period, ...]) -> list[tuple[str, str, str]]:
    return [(entry.label, entry.starts.isoformat(), entry.ends.isoformat()) for entry in found]


def test_months_run_from_first_to_last_over_the_new_year():
    found = periods(Cadence(every="month", first="2020-11", last="2021-02"))
    assert spans(found) == [
        ("2020-11", "2020-11-01", "2020-11-30"),
        ("2020-12", "2020-12-01", "2020-12-31"),
        ("2021-01", "2021-01-01", "2021-01-31"),
        ("2021-02", "2021-02-01", "2021-02-28"),
    ]


def test_quarters_are_whole_and_named_once():
    found = periods(Cadence(every="quarter", first="2021-05", last="2021-12"))
    assert spans(found) == [
        ("2021-Q2", "2021-04-01", "2021-06-30"),
        ("2021-Q3", "2021-07-01", "2021-09-30"),
        ("2021-Q4", "2021-10-01", "2021-12-31"),
    ]


def test_the_three_years_of_a_three_year_campaign():
    found = periods(Cadence(every="year", first="2018-09", last="2020-12"))
    assert spans(found) == [
        ("2018", "2018-01-01", "2018-12-31"),
        ("2019", "2019-01-01", "2019-12-31"),
        ("2020", "2020-01-01", "2020-12-31"),
    ]


def test_half_months_are_clipped_at_both_ends():
    found = periods(Cadence(every="half_month", starts=date(2016, 2, 10), ends=date(2016, 3, 20)))
    assert spans(found) == [
        ("2016-02a", "2016-02-10", "2016-02-15"),
        ("2016-02b", "2016-02-16", "2016-02-29"),
        ("2016-03a", "2016-03-01", "2016-03-15"),
        ("2016-03b", "2016-03-16", "2016-03-20"),
    ]


def test_half_months_that_lie_outside_are_left_out():
    found = periods(Cadence(every="half_month", starts=date(2016, 3, 16), ends=date(2016, 4, 15)))
    assert [entry.label for entry in found] == ["2016-03b", "2016-04a"]


def test_a_half_month_of_a_single_day_is_one():
    found = periods(Cadence(every="half_month", starts=date(2016, 3, 15), ends=date(2016, 3, 16)))
    assert spans(found) == [("2016-03a", "2016-03-15", "2016-03-15"), ("2016-03b", "2016-03-16", "2016-03-16")]


def test_fortnights_begin_every_fourteenth_day_and_the_last_is_clipped():
    found = periods(Cadence(every="two_weeks", starts=date(2016, 4, 4), ends=date(2016, 5, 10)))
    assert spans(found) == [
        ("2016-F01", "2016-04-04", "2016-04-17"),
        ("2016-F02", "2016-04-18", "2016-05-01"),
        ("2016-F03", "2016-05-02", "2016-05-10"),
    ]


def test_fortnights_are_numbered_within_the_year_in_which_they_begin():
    found = periods(Cadence(every="two_weeks", starts=date(2016, 12, 12), ends=date(2017, 1, 22)))
    assert [entry.label for entry in found] == ["2016-F01", "2016-F02", "2017-F01"]


@pytest.mark.parametrize("year", [2016, 2017])
def test_a_year_holds_26_fortnights_and_24_half_months(year):
    # G19: units report 「每两周」, the office 「每半月」. 2016 is a leap year: 26 x 14 + 2 days.
    starts, ends = date(year, 1, 1), date(year, 12, 31)
    assert len(periods(Cadence(every="two_weeks", starts=starts, ends=ends))) == 26
    assert len(periods(Cadence(every="half_month", starts=starts, ends=ends))) == 24


@pytest.mark.parametrize(("days_left", "count", "last_day_number"), [(0, 2, 14), (2, 2, 16), (3, 3, 3)])
def test_two_days_left_over_join_the_last_fortnight_and_three_are_their_own(days_left, count, last_day_number):
    starts = date(2016, 4, 4)
    found = periods(Cadence(every="two_weeks", starts=starts, ends=starts + timedelta(days=27 + days_left)))
    assert len(found) == count
    assert (found[-1].ends - found[-1].starts).days + 1 == last_day_number


def test_a_campaign_of_one_day_has_one_fortnight_of_one_day():
    found = periods(Cadence(every="two_weeks", starts=date(2016, 4, 4), ends=date(2016, 4, 4)))
    assert spans(found) == [("2016-F01", "2016-04-04", "2016-04-04")]


def test_once_runs_from_its_own_dates_or_months():
    by_day = Cadence(every="once", starts=date(2021, 3, 18), ends=date(2021, 5, 31))
    by_month = Cadence(every="once", first="2021-05", last="2021-12")
    assert spans(periods(by_day)) == [("once", "2021-03-18", "2021-05-31")]
    assert spans(periods(by_month)) == [("once", "2021-05-01", "2021-12-31")]


def test_once_without_dates_takes_those_of_the_campaign():
    found = periods(Cadence(every="once"), starts=date(2021, 3, 18), ends=date(2021, 12, 31))
    assert spans(found) == [("once", "2021-03-18", "2021-12-31")]


def test_once_without_any_dates_is_refused_with_a_cure():
    with pytest.raises(CanbaoError, match="no span of its own") as refused:
        periods(Cadence(every="once"))
    assert "`starts` and `ends`" in refused.value.cure


def test_a_period_is_found_by_its_label():
    cadence = Cadence(every="month", first="2021-04", last="2021-11")
    assert period(cadence, "2021-05") == month("2021-05")


def test_an_unknown_label_is_refused_with_those_there_are():
    with pytest.raises(WrongUse, match="no period '2021-12'") as refused:
        period(Cadence(every="month", first="2021-04", last="2021-11"), "2021-12")
    assert "2021-04 to 2021-11" in refused.value.cure


@pytest.mark.parametrize("label", ["2021-13", "2021-00", "2021-5", "2021", "0000-05", "2021-05-01", "２０２１-05"])
def test_what_is_no_month_is_refused(label):
    with pytest.raises(WrongUse, match="is no month"):
        month(label)


def test_february_of_a_leap_year_ends_on_the_29th():
    assert month("2020-02").ends == date(2020, 2, 29)


def test_months_turn_over_at_the_new_year():
    assert next_month("2021-12") == "2022-01"
    assert previous_month("2021-01") == "2020-12"


def test_months_between_are_signed():
    assert months_between("2021-05", "2021-08") == 3
    assert months_between("2021-02", "2020-11") == -3
    assert months_between("2021-05", "2021-05") == 0


@given(days, st.integers(0, 1500), st.sampled_from(["two_weeks", "half_month"]))
def test_no_day_is_lost_or_doubled_between_starts_and_ends(starts, length, every):
    ends = starts + timedelta(days=length)
    found = periods(Cadence(every=every, starts=starts, ends=ends))
    covered = [
        entry.starts + timedelta(days=number)
        for entry in found for number in range((entry.ends - entry.starts).days + 1)
    ]
    assert covered == [starts + timedelta(days=number) for number in range(length + 1)]
    assert len({entry.label for entry in found}) == len(found)


@given(days, st.integers(0, 60), st.sampled_from(["month", "quarter", "year"]))
def test_every_month_lies_in_exactly_one_period(first_day, further, every):
    labels = [f"{first_day:%Y-%m}"]
    for _ in range(further):
        labels.append(next_month(labels[-1]))
    found = periods(Cadence(every=every, first=labels[0], last=labels[-1]))
    for label in labels:
        holding = [entry for entry in found if entry.starts <= month(label).starts and month(label).ends <= entry.ends]
        assert len(holding) == 1
    assert all(later.starts == earlier.ends + timedelta(days=1) for earlier, later in pairwise(found))


@given(days, st.integers(-200, 200))
def test_moving_by_months_and_counting_them_agree(day, count):
    start = label = f"{day:%Y-%m}"
    for _ in range(abs(count)):
        label = next_month(label) if count > 0 else previous_month(label)
    assert months_between(start, label) == count
