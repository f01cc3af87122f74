"""Scores, completion and candidates, with answers worked out by hand."""

from __future__ import annotations

import pytest

from models.plan import AcceptanceItem, Candidates
from rules.acceptance import candidate_kinds, completion, score

POLICY = Candidates(
    source="C23", commend_score_at_least=90, commend_on_time_share_at_least=0.9, criticise_score_below=60,
    criticise_missing_reports_at_least=3, decided_by="gov")


@pytest.mark.parametrize(("value", "level", "base", "direction", "answer"), [
    (17_900, 17_900, 12_375, "at_least", 1.0),          # C1 reached
    (12_375, 17_900, 12_375, "at_least", 0.0),          # nothing done yet is no progress, though the level is 69 %
    (15_137.5, 17_900, 12_375, "at_least", 0.5),
    (19_005, 17_900, 12_375, "at_least", 1.2),          # more is not cut off
    (None, 17_900, 12_375, "at_least", None),           # blank is never zero
    (5, 10, 0, "at_most", 1.0),
    (20, 10, 0, "at_most", 0.5),
    (330, 330, 330, "at_least", 1.0),
    (329, 330, 330, "at_least", 0.0),
])
def test_completion_counts_from_the_base(value, level, base, direction, answer) -> None:
    assert completion(value, level, base, direction) == answer


def _item(key: str, weight: float, **measure: object) -> AcceptanceItem:
    return AcceptanceItem(id=key, name=key, weight=weight, source="C15", **(measure or {"target": "t"}))


def test_an_item_that_does_not_apply_leaves_the_denominator() -> None:
    items = (_item("target", 40), _item("reports", 60, obligation="monthly_report"))
    assert score(items, {"target": "n/a", "reports": 0.5}).total == 50
    assert score(items, {"target": 1.0, "reports": 0.5}).total == 70


def test_a_blank_that_was_owed_earns_nothing() -> None:
    assert score((_item("a", 50), _item("b", 50)), {"a": None, "b": 1.0}).total == 50


def test_more_than_the_target_earns_no_more_than_its_weight() -> None:
    assert score((_item("a", 100),), {"a": 3.8}).total == 100


def test_what_people_judge_is_shown_as_open_and_not_counted() -> None:
    result = score((_item("a", 50), _item("judged", 50, judged_by="gov")), {"a": 0.5, "judged": None})
    assert result.points == {"a": 25, "judged": None}
    assert result.total == 50


@pytest.mark.parametrize(("total", "on_time", "missing", "answer"), [
    (90, 0.9, 0, ("commend",)), (89.9, 1.0, 0, ()), (95, 0.89, 0, ()), (95, None, 0, ()),
    (60, 1.0, 0, ()), (59.9, 1.0, 0, ("criticise",)), (95, 0.95, 3, ("criticise",)), (95, 0.95, 2, ("commend",)),
    (None, None, 0, ()), (None, None, 3, ("criticise",)),
])
def test_candidates_at_both_sides_of_each_threshold(total, on_time, missing, answer) -> None:
    assert candidate_kinds(POLICY, total, on_time, missing) == answer
