"""A department's scorecard for one period: what it owed, how it came, how good it was, and whether that is better.

Arithmetic over what the record counted; nothing is weighed into one mark, so that every figure can be checked. What
is not due yet is not owed. Blank is never zero: a share without a base is ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rules.progress import rate

Trend = Literal["better", "worse", "same"]


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One delivery that a department owed. ``late_working_days`` runs to the day it came, or to today while it has not.

    ``rows`` are those of the delivery in force that hold data, ``quarantined`` those of them refused, ``valid_share``
    its share of valid identities. ``first_returned_at`` and ``accepted_at`` time the way back of a returned file.
    """

    provider: str
    is_due: bool
    is_delivered: bool
    is_late: bool
    late_working_days: int = 0
    returned: int = 0
    rows: int = 0
    quarantined: int = 0
    valid_share: float | None = None
    first_returned_at: datetime | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One department's figures. ``due = on_time + late + missing``."""

    provider: str
    due: int
    on_time: int
    late: int
    missing: int
    late_working_days: int
    returned: int
    quarantined_share: float | None
    valid_share: float | None
    redelivery_days: float | None

    @property
    def complete(self) -> float | None:
        """Delivered of owed, late or not."""
        return rate(self.on_time + self.late, self.due)

    @property
    def punctual(self) -> float | None:
        """Delivered in time of owed."""
        return rate(self.on_time, self.due)


def scorecards(records: Iterable[FeedRecord]) -> tuple[Scorecard, ...]:
    """One scorecard a provider that owes something, in the order in which the providers first appear."""
    owed: dict[str, list[FeedRecord]] = {}
    for record in records:
        if record.is_due or record.is_delivered:
            owed.setdefault(record.provider, []).append(record)
    return tuple(_scorecard(provider, own) for provider, own in owed.items())


def _scorecard(provider: str, own: list[FeedRecord]) -> Scorecard:
    delivered = [record for record in own if record.is_delivered]
    late = sum(record.is_late for record in delivered)
    rows = sum(record.rows for record in delivered)
    judged = [record for record in delivered if record.valid_share is not None and record.rows]
    return Scorecard(
        provider=provider, due=len(own), on_time=len(delivered) - late, late=late, missing=len(own) - len(delivered),
        late_working_days=sum(record.late_working_days for record in own if record.is_late or not record.is_delivered),
        returned=sum(record.returned for record in own),
        quarantined_share=rate(sum(record.quarantined for record in delivered), rows),
        valid_share=rate(sum((record.valid_share or 0) * record.rows for record in judged), sum(r.rows for r in judged)),
        redelivery_days=_mean([days for record in delivered if (days := redelivery_days(record)) is not None]),
    )


def redelivery_days(record: FeedRecord) -> float | None:
    """Days from the first return of a file to the acceptance of the one that mended it; ``None`` without a return, or
    where what was accepted came before it."""
    returned, accepted = record.first_returned_at, record.accepted_at
    if returned is None or accepted is None or accepted < returned:
        return None
    return (accepted - returned).total_seconds() / 86_400


def change(now: float | None, before: float | None) -> float | None:
    """The difference of two shares; ``None`` if either is blank."""
    return None if now is None or before is None else round(now - before, 9)


def trend(now: Scorecard, before: Scorecard | None) -> Trend | None:
    """Whether a department does better than the month before: by what came in time, then by what came at all, then by
    the share of valid identities. ``None`` without a month before."""
    if before is None:
        return None
    for difference in (change(now.punctual, before.punctual), change(now.complete, before.complete),
                       change(now.valid_share, before.valid_share)):
        if difference:
            return "better" if difference > 0 else "worse"
    return "same"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
