"""How far a register's shares moved, from counts alone."""

from __future__ import annotations

import pytest

from rules.drift import Profile, filled_drifts, together, value_drifts


def a_profile(active: int, stopped: int, phones: int = 0) -> Profile:
    return Profile(active + stopped, {"status": {"active": active, "stopped": stopped}}, {"phone": phones})


def test_the_same_shares_of_another_number_of_rows_are_no_drift() -> None:
    assert value_drifts(a_profile(90, 10), a_profile(900, 100))[0].distance == pytest.approx(0)


def test_the_distance_is_half_the_sum_of_differences_and_names_what_moved_most() -> None:
    drift, = value_drifts(a_profile(60, 40), a_profile(90, 10))
    assert drift.distance == pytest.approx(0.3)
    assert (drift.column, drift.value, drift.before, drift.now) == ("status", "active", 0.9, 0.6)


def test_a_value_that_was_not_there_before_counts() -> None:
    now = Profile(10, {"status": {"new": 10}})
    assert value_drifts(now, a_profile(10, 0))[0].distance == pytest.approx(1)


def test_a_column_that_comes_empty_moves_its_filled_share() -> None:
    drift, = filled_drifts(a_profile(50, 50, phones=20), a_profile(50, 50, phones=95))
    assert (drift.column, drift.value) == ("phone", None)
    assert drift.distance == pytest.approx(0.75)


def test_a_column_that_one_period_does_not_know_is_not_compared() -> None:
    assert value_drifts(Profile(5, {"kind": {"a": 5}}), a_profile(5, 0)) == ()


def test_an_empty_register_has_no_shares() -> None:
    assert value_drifts(Profile(), a_profile(5, 0)) == ()
    assert filled_drifts(a_profile(5, 0), Profile()) == ()


def test_parts_add_up_to_one_register_and_survive_the_record() -> None:
    whole = together([a_profile(5, 1, 2), a_profile(3, 1, 4)])
    assert Profile.of(whole.to_store()) == Profile(10, {"status": {"active": 8, "stopped": 2}}, {"phone": 6})
    assert Profile.of({}) == Profile()
