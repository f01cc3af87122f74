"""Who leads: every finding has one lead owner on every day, and who must answer a dispute about it (B24, B36, C24).

The owner that a plan's rule names may have ended (a reform, a township that changed hands), or the register may name no
place at all. Then the successor leads, and where there is none, the owner of last resort: never nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from models.errors import WrongUse
from models.plan import Plan
from rules.actors import is_same, organisations_named
from rules.deadlines import carrier

Row = TypeVar("Row", bound=Mapping[Any, Any])


def leads_on(plan: Plan, day: date) -> dict[str, str]:
    """Organisation → who leads in its place on ``day``, for every organisation of the plan: itself, its successor, or
    (it has ended and nobody has taken over) the owner of last resort."""
    last = carrier(plan, plan.owner_of_last_resort, day)
    found = {}
    for org in plan.organisations:
        chosen = carrier(plan, org.code, day)
        found[org.code] = chosen if plan.organisation(chosen).exists_on(day) else last
    return found


def replaced_on(plan: Plan, day: date) -> dict[str, str]:
    """Only those organisations in whose place another leads on ``day``."""
    return {code: lead for code, lead in leads_on(plan, day).items() if code != lead}


def standing(plan: Plan, day: date, deliveries: Sequence[Row]) -> list[Row]:
    """The deliveries that stand on ``day``: not those of a provider that has ended, once its successor has sent the same
    register. Until then the last one of the old provider is the best there is."""
    sent = {(row["feed"], row["provider"]) for row in deliveries}
    leads = leads_on(plan, day)
    return [row for row in deliveries
            if (lead := leads.get(row["provider"], row["provider"])) == row["provider"] or (row["feed"], lead) not in sent]


def refuse_dispute(plan: Plan, day: date, finding: Mapping[str, object], by: str, to: str) -> None:
    """Refuses a dispute that cannot lead anywhere. Raises WrongUse.

    Only who has the finding may dispute it: its lead owner, or a co-owner. ``to`` must be an organisation of the plan
    that exists on ``day`` and does not lead already.
    """
    known = {org.code: org for org in plan.organisations}
    co_owners = finding["co_owners"]
    assert isinstance(co_owners, Sequence)
    if by not in (finding["owner"], *co_owners):
        raise WrongUse(f"`{by}` neither leads nor helps with this finding.", where=f"finding {finding['id']}",
                       cure="Let its lead owner or a co-owner dispute it.")
    if to not in known or not known[to].exists_on(day):
        raise WrongUse(f"the organisation `{to}` does not exist on {day}.", where=f"plan {plan.id}",
                       cure="Name an organisation of the plan by its code.")
    if to == finding["owner"]:
        raise WrongUse(f"`{to}` leads already.", where=f"finding {finding['id']}", cure="Name who should lead instead.")


def refuse_settlement(plan: Plan, dispute: Mapping[str, object], by: str) -> None:
    """Four eyes: nobody decides in a case of their own, under whatever name of theirs. Raises WrongUse."""
    parties = {str(dispute[key]) for key in ("raised_by", "wanted_owner", "owner_then")}
    if any(is_same(by, party) for party in parties) or organisations_named(plan, by) & parties:
        raise WrongUse(f"`{by}` is a party to this dispute.", where=f"dispute {dispute['id']}",
                       cure="Let a post of the office settle it.")
    if dispute["settled_at"] is not None:
        raise WrongUse("it is settled already.", where=f"dispute {dispute['id']}", cure="Raise a new dispute.")
