"""Scorecards of departments: figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.scorecard import FeedRecord, Scorecard, change, redelivery_days, scorecards, trend


def a_record(provider: str = "minzheng", **facts: Any) -> FeedRecord:
    """A feed that is due and came in time, unless told otherwise."""
    return FeedRecord(**{"provider": provider, "is_due": True, "is_delivered": True, "is_late": False, **facts})


def the_card(*records: FeedRecord) -> Scorecard:
    (card,) = scorecards(records)
    return card


def test_in_time_late_and_missing_add_up_to_what_was_due() -> None:
    card = the_card(a_record(), a_record(is_late=True, late_working_days=3), a_record(is_delivered=False, late_working_days=5))
    assert (card.due, card.on_time, card.late, card.missing) == (3, 1, 1, 1)
    assert card.late_working_days == 8
    assert card.complete == pytest.approx(2 / 3)
    assert card.punctual == pytest.approx(1 / 3)


def test_what_is_not_due_yet_is_not_owed() -> None:
    assert scorecards([a_record(is_due=False, is_delivered=False)]) == ()


def test_what_came_before_it_was_due_counts_as_in_time() -> None:
    assert the_card(a_record(is_due=False)).on_time == 1


def test_shares_are_weighed_by_rows() -> None:
    card = the_card(a_record(rows=900, quarantined=9, valid_share=0.99), a_record(rows=100, quarantined=11, valid_share=0.89))
    assert card.quarantined_share == pytest.approx(20 / 1000)
    assert card.valid_share == pytest.approx(0.98)


def test_a_feed_without_identities_does_not_lower_the_valid_share() -> None:
    assert the_card(a_record(rows=100, valid_share=0.97), a_record(rows=900)).valid_share == pytest.approx(0.97)


def test_shares_of_nothing_are_blank_not_zero() -> None:
    card = the_card(a_record(is_delivered=False))
    assert (card.quarantined_share, card.valid_share, card.redelivery_days) == (None, None, None)


def test_redelivery_runs_from_the_first_return_to_the_acceptance() -> None:
    record = a_record(returned=2, first_returned_at=datetime(2021, 6, 1, 8, tzinfo=UTC),
                      accepted_at=datetime(2021, 6, 4, 20, tzinfo=UTC))
    assert redelivery_days(record) == 3.5
    assert the_card(record, a_record()).redelivery_days == 3.5


def test_a_return_after_the_acceptance_times_no_redelivery() -> None:
    assert redelivery_days(a_record(first_returned_at=datetime(2021, 6, 4, tzinfo=UTC),
                                    accepted_at=datetime(2021, 6, 1, tzinfo=UTC))) is None


def test_each_department_has_its_own_card_in_order_of_appearance() -> None:
    assert [card.provider for card in scorecards([a_record("gongan"), a_record("minzheng"), a_record("gongan")])] == [
        "gongan", "minzheng"]


def test_the_trend_looks_at_punctuality_first() -> None:
    before, now = the_card(a_record(is_late=True, rows=10, valid_share=0.99)), the_card(a_record(rows=10, valid_share=0.95))
    assert trend(now, before) == "better"
    assert trend(before, now) == "worse"


def test_with_equal_punctuality_the_trend_looks_at_the_identities() -> None:
    before, now = the_card(a_record(rows=10, valid_share=0.95)), the_card(a_record(rows=10, valid_share=0.99))
    assert trend(now, before) == "better"
    assert trend(now, now) == "same"
    assert trend(now, None) is None


def test_a_change_from_the_unknown_is_unknown() -> None:
    assert change(0.9, None) is None
    assert change(0.95, 0.9) == pytest.approx(0.05)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=20))
def test_nothing_owed_is_lost(facts: list[tuple[bool, bool, bool]]) -> None:
    records = [a_record(is_due=due, is_delivered=come, is_late=come and late) for due, come, late in facts]
    counted = sum(card.on_time + card.late + card.missing for card in scorecards(records))
    assert counted == sum(record.is_due or record.is_delivered for record in records)
