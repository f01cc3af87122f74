"""Acceptance: how far a target is reached, what a unit scores, and who becomes a candidate. People decide (C23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.plan import AcceptanceItem, Candidates

CandidateKind = Literal["commend", "criticise"]


@dataclass(frozen=True, slots=True)
class Score:
    """Points per item that applies (None: a person has still to judge it) and the total out of 100 over the rest."""

    points: dict[str, float | None]
    total: float | None


def completion(
    value: float | None, level: float, base: float = 0, direction: Literal["at_least", "at_most"] = "at_least"
) -> float | None:
    """How far from ``base`` to ``level`` a value has come: 1 is reached, more is not cut off, blank stays blank.

    For ``at_most`` a value at or below the level is 1, and above it the share ``level / value``.
    """
    if value is None:
        return None
    if direction == "at_most":
        return 1.0 if value <= level else level / value
    if level == base:
        return 1.0 if value >= level else 0.0
    return (value - base) / (level - base)


def score(items: Iterable[AcceptanceItem], shares: Mapping[str, float | str | None]) -> Score:
    """Weights times shares (each between 0 and 1), scaled to 100 over the items that apply and can be judged by data.

    An item that does not apply to a unit (``"n/a"``) leaves its denominator: a department without targets is not
    punished for having none. One that is blank counts as zero points: it was owed. Judged items are shown as open.
    """
    points: dict[str, float | None] = {}
    earned = possible = 0.0
    for item in items:
        share = shares[item.id]
        if isinstance(share, str):
            continue
        if item.judged_by is not None:
            points[item.id] = None
            continue
        points[item.id] = item.weight * min(max(share or 0.0, 0.0), 1.0)
        earned += points[item.id] or 0.0
        possible += item.weight
    return Score(points, earned / possible * 100 if possible else None)


def candidate_kinds(
    policy: Candidates, total: float | None, on_time_share: float | None, missing_reports: int
) -> tuple[CandidateKind, ...]:
    """Whether a unit becomes a candidate for commendation or for criticism; never both, and never by itself (C23)."""
    if missing_reports >= policy.criticise_missing_reports_at_least:
        return ("criticise",)
    if total is None:
        return ()
    if total < policy.criticise_score_below:
        return ("criticise",)
    punctual = on_time_share is not None and on_time_share >= policy.commend_on_time_share_at_least
    return ("commend",) if punctual and total >= policy.commend_score_at_least else ()
