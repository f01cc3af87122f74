"""Progress: worked out by hand, with the blanks kept blank."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CanbaoError
from rules.progress import Forecast, forecast, gap, rank, rate, time_progress

JANUARY, DECEMBER = date(2021, 1, 1), date(2021, 12, 31)


@pytest.mark.parametrize(
    ("as_of", "share"),
    [
        (date(2020, 12, 31), 0.0),
        (date(2021, 1, 1), 1 / 365),
        (date(2021, 5, 31), 151 / 365),  # 31 + 28 + 31 + 30 + 31
        (date(2021, 12, 30), 364 / 365),
        (date(2021, 12, 31), 1.0),
        (date(2022, 1, 1), 1.0),
    ],
)
def test_time_progress_counts_both_ends_of_the_year(as_of, share):
    assert time_progress(JANUARY, DECEMBER, as_of) == share


def test_a_span_of_one_day_is_over_at_its_end():
    assert time_progress(JANUARY, JANUARY, JANUARY) == 1.0


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(CanbaoError, match="before it starts"):
        time_progress(DECEMBER, JANUARY, date(2021, 5, 31))


def test_a_rate_above_one_is_shown_and_not_clipped():
    assert rate(478_500, 450_000) == pytest.approx(1.0633, abs=0.0001)


@pytest.mark.parametrize(
    ("numerator", "denominator"), [(5, 0), (5, None), (None, 5), (None, None), (5, float("nan")), (float("nan"), 5)]
)
def test_a_rate_without_both_figures_is_blank(numerator, denominator):
    assert rate(numerator, denominator) is None


def test_a_rate_of_nothing_done_is_zero_and_not_blank():
    assert rate(0, 5) == 0.0


def test_the_gap_is_what_is_missing_and_negative_once_exceeded():
    assert gap(12_375, 17_900) == 5_525  # C1
    assert gap(18_000, 17_900) == -100
    assert gap(12, 10, "at_most") == 2
    assert gap(None, 17_900) is None
    assert gap(12_375, None) is None


def test_equals_share_a_place_and_the_next_one_is_skipped():
    values = {"龙街街道": 0.9, "右所镇": 0.8, "海口镇": 0.8, "九村镇": 0.7}
    assert rank(values, "at_least") == {"龙街街道": 1, "右所镇": 2, "海口镇": 2, "九村镇": 4}


def test_less_is_better_under_a_ceiling():
    assert rank({"a": 3, "b": 1, "c": 2}, "at_most") == {"a": 3, "b": 1, "c": 2}


def test_blank_has_no_place_and_zero_has_the_last():
    assert rank({"a": None, "b": 0, "c": 0.5, "d": float("nan")}, "at_least") == {"a": None, "b": 2, "c": 1, "d": None}


def test_the_same_share_of_different_totals_is_the_same_place():
    assert rank({"a": 1 / 3, "b": 7_000 / 21_000}, "at_least") == {"a": 1, "b": 1}


def test_a_pace_of_500_a_month_misses_a_need_of_600():
    # 06-30 to 08-31 two months, +1,000; four months are left for 2,400.
    points = [(date(2021, 6, 30), 12_500), (date(2021, 7, 31), 13_400), (date(2021, 8, 31), 13_500)]
    assert forecast(points, 15_900, DECEMBER) == Forecast(600.0, 500.0, 15_500.0, False)


def test_a_pace_that_just_reaches_the_target_reaches_it():
    points = [(date(2021, 8, 31), 13_500), (date(2021, 6, 30), 12_500)]
    assert forecast(points, 15_500, DECEMBER) == Forecast(500.0, 500.0, 15_500.0, True)


def test_a_half_month_counts_half():
    points = [(date(2021, 5, 31), 100), (date(2021, 6, 15), 110)]
    assert forecast(points, 130, date(2021, 6, 30)) == Forecast(40.0, 20.0, 120.0, False)


def test_one_point_gives_a_need_but_no_forecast():
    assert forecast([(date(2021, 8, 31), 13_500)], 15_900, DECEMBER) == Forecast(600.0, None, None, None)


def test_without_points_nothing_is_said():
    assert forecast([(date(2021, 8, 31), None)], 15_900, DECEMBER) == Forecast(None, None, None, None)


def test_blanks_are_left_out_and_not_read_as_zero():
    points = [(date(2021, 6, 30), 12_500), (date(2021, 7, 31), None), (date(2021, 8, 31), 13_500)]
    assert forecast(points, 15_900, DECEMBER).actual_per_month == 500.0


def test_a_target_already_met_needs_nothing_more_but_may_still_be_lost():
    points = [(date(2021, 6, 30), 120), (date(2021, 8, 31), 110)]
    assert forecast(points, 100, DECEMBER) == Forecast(0.0, -5.0, 90.0, False)


def test_a_ceiling_is_reached_from_above():
    points = [(date(2021, 6, 30), 100), (date(2021, 8, 31), 80)]
    assert forecast(points, 40, DECEMBER, "at_most") == Forecast(-10.0, -10.0, 40.0, True)


@pytest.mark.parametrize(("level", "needed", "reaches"), [(330, 0.0, True), (329, None, False)])
def test_on_the_due_day_the_level_itself_decides(level, needed, reaches):
    assert forecast([(DECEMBER, level)], 330, DECEMBER) == Forecast(needed, None, level, reaches)


def test_points_after_the_due_day_do_not_count():
    points = [(DECEMBER, 329), (date(2022, 1, 31), 400)]
    assert forecast(points, 330, DECEMBER).reaches is False


@given(st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 5), max_size=12))
def test_a_place_is_one_more_than_the_number_of_better_ones(values):
    places = rank(values, "at_least")
    for key, value in values.items():
        better = [other for other in values.values() if other is not None and value is not None and other > value]
        assert places[key] == (None if value is None else 1 + len(better))
