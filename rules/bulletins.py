"""What a bulletin tells of reports: each deadline exactly once, whatever cycle the reports have (C19, G19).

「每半月」 and 「每两周」 are two cycles: a half-monthly bulletin meets one fortnight's report or two. So a bulletin tells of
the reports that fell due since the one before it was due, not of those that share its label.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.plan import Bulletin, Plan
from rules.calendar import WorkCalendar
from rules.deadlines import effective_due, item_periods, nominal_due
from rules.periods import Period


@dataclass(frozen=True, slots=True)
class Told:
    """Which deadlines one bulletin tells of: those after ``after`` (None: from the first), up to ``until``, of periods
    that end on ``periods_from`` or later."""

    after: date | None
    until: date
    periods_from: date

    def holds(self, due: date, period_ends: date) -> bool:
        """Whether a report of a period, due on a day, belongs here."""
        return (self.after is None or due > self.after) and due <= self.until and period_ends >= self.periods_from


def issue_day(plan: Plan, bulletin: Bulletin, period: Period) -> date:
    """The day on which a bulletin is due, moved to a workday as the plan says."""
    return effective_due(nominal_due(bulletin.due, period), plan.calendar.roll, WorkCalendar(plan.calendar))


def told(plan: Plan, bulletin: Bulletin, label: str) -> Told:
    """The reports that the bulletin of a period tells of. What was reported on before the first bulletin's own period
    is left alone: nobody is named for days before the office began to name."""
    spans = item_periods(plan, bulletin.cadence, bulletin.due)
    place = [span.label for span in spans].index(label)
    before = issue_day(plan, bulletin, spans[place - 1]) if place else None
    return Told(before, issue_day(plan, bulletin, spans[place]), spans[0].starts)
