"""How much of a plan lies in the past before it has begun."""

from __future__ import annotations

from datetime import date

from models.errors import Fault
from models.plan import Plan
from rules.deadlines import expected


def overdue_notes(plan: Plan, as_of: date) -> list[Fault]:
    """A note if duties of the plan fell due before ``as_of`` (a day in the plan's time zone), with how many and since when."""
    past = [owed for owed in expected(plan) if owed.effective < as_of]
    if not past:
        return []
    first = min(past, key=lambda owed: owed.effective)
    return [Fault("starts", f"{len(past):,} duties are overdue already as of {as_of}, the first since {first.effective} ({first.item}).",
                  f"Begin later, or excuse them after `canbao mobilise`: canbao excuse {plan.id} --before {as_of} --by POST --reason …")]
