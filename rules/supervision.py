"""Who is slow: a rule over progress whose answer is a candidate for a person to decide on, never a measure (C23, B33)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.plan import Supervision


@dataclass(frozen=True, slots=True)
class Standing:
    """How an organisation stood against one target at the end of a month. Shares; ``None`` is unknown."""

    period: str
    completion: float | None
    pace: float | None
    reaches: bool | None

    @property
    def behind(self) -> float | None:
        """How far completion stays behind the share of time gone; negative once it is ahead."""
        return None if self.completion is None or self.pace is None else self.pace - self.completion


def slow_months(rule: Supervision, standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """The last ``months_running`` months if the organisation was slow in each of them, else nothing.

    ``standings`` are consecutive months in order. A month that nobody can judge is not slow: who is named must be
    named by figures. What is reached cannot be slow, whatever the calendar says.
    """
    last = tuple(standings[-rule.months_running:])
    if len(last) < rule.months_running or not all(_is_slow(rule, standing) for standing in last):
        return ()
    return last


def _is_slow(rule: Supervision, standing: Standing) -> bool:
    if standing.completion is not None and standing.completion >= 1:
        return False
    # Shares come from divisions: a gap of exactly the bound counts as the bound.
    is_behind = standing.behind is not None and standing.behind >= rule.behind_share - 1e-9
    return is_behind or (rule.not_reaching and standing.reaches is False)
