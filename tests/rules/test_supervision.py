"""Who is slow: both sides of the bound, months in a row, the forecast, and what nobody can judge."""

from __future__ import annotations

import pytest

from models.plan import Cadence, Due, Selector, Supervision
from rules.supervision import Standing, slow_months


def a_rule(*, behind: float = 0.1, running: int = 2, not_reaching: bool = False) -> Supervision:
    return Supervision(
        id="quarterly", name="季度督导", kind="quarterly", cadence=Cadence(every="quarter", first="2021-04", last="2021-12"),
        due=Due(day=20), about=Selector(kinds=("township",)), behind_share=behind, months_running=running,
        not_reaching=not_reaching, decided_by="leading_group", source="C23")


def at(completion: float | None, pace: float | None = 0.5, reaches: bool | None = None) -> Standing:
    return Standing("2021-06", completion, pace, reaches)


BEHIND, NEAR, AHEAD, UNKNOWN = at(0.4), at(0.41), at(0.7), at(None)


@pytest.mark.parametrize(("rule", "standings", "slow"), [
    pytest.param(a_rule(), [BEHIND, BEHIND], True, id="exactly the bound, two months running"),
    pytest.param(a_rule(), [NEAR, BEHIND], False, id="one month inside the bound"),
    pytest.param(a_rule(), [BEHIND, NEAR], False, id="caught up in the last month"),
    pytest.param(a_rule(), [AHEAD, BEHIND, BEHIND], True, id="only the last months count"),
    pytest.param(a_rule(), [BEHIND], False, id="too few months"),
    pytest.param(a_rule(), [BEHIND, UNKNOWN], False, id="an unknown month is not slow"),
    pytest.param(a_rule(running=1), [BEHIND], True, id="one month is enough if the plan says so"),
    pytest.param(a_rule(), [at(0.9, reaches=False)] * 2, False, id="the forecast is not asked"),
    pytest.param(a_rule(not_reaching=True), [at(0.9, reaches=False)] * 2, True, id="ahead of time and yet not reaching"),
    pytest.param(a_rule(not_reaching=True), [at(0.9, reaches=True)] * 2, False, id="reaching"),
    pytest.param(a_rule(not_reaching=True), [at(None, None, False)] * 2, True, id="where less is better the forecast alone"),
    pytest.param(a_rule(not_reaching=True), [at(1.0, 1.2, False)] * 2, False, id="what is reached is never slow"),
])
def test_who_is_slow(rule: Supervision, standings: list[Standing], slow: bool) -> None:
    assert slow_months(rule, standings) == (tuple(standings[-rule.months_running:]) if slow else ())
