"""Who leads: owners dispute it, and somebody else settles it; until then who leads goes on leading."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.database import transaction
from models.errors import WrongUse
from models.store import campaigns, life
from rules.ownership import refuse_dispute, refuse_settlement
from tasks import accounts, refusals
from tasks.campaign import plan_in_force, today


def dispute(campaign: str, finding_id: int, by: str, to: str, reason: str, as_of: datetime) -> dict[str, Any]:
    """Records that ``by`` says ``to`` should lead. Until somebody else settles it, who leads goes on leading.

    Raises WrongUse if ``by`` has nothing to do with the finding, ``to`` cannot lead, or a dispute is waiting already.
    """
    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    with transaction() as tx:
        finding = _finding(tx, campaign, finding_id)
        refuse_dispute(plan, day, dict(finding), by, to)
        number = life.raise_dispute(tx, campaign, finding, by, to, reason, as_of, f"{day:%Y-%m}")
        if number is None:
            raise WrongUse("a dispute about it is waiting already.", where=f"finding {finding_id}",
                           cure="Have that one settled first.")
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="owner disputed", subject=f"finding {finding_id}", count=1,
                        reason=reason)
    return {"dispute": number, "finding": finding_id, "lead": finding["owner"], "wanted": to}


def settle(campaign: str, dispute_id: int, by: str, accepted: bool, reason: str, as_of: datetime) -> dict[str, Any]:
    """Settles a dispute: the wanted owner leads from now on, or who led goes on. Raises WrongUse for a party to it."""
    plan = plan_in_force(campaign)
    period = f"{today(plan, as_of):%Y-%m}"
    accounts.prove(plan, by, f"dispute settled {dispute_id}", as_of)
    with refusals.kept(campaign, "dispute settled", f"dispute {dispute_id}", by, as_of), transaction() as tx:
        found = life.dispute(tx, campaign, dispute_id)
        if found is None:
            raise WrongUse(f"there is no dispute {dispute_id}.", where=campaign, cure="`canbao disputes` lists those waiting.")
        refuse_settlement(plan, dict(found), by)
        finding = _finding(tx, campaign, found["finding_id"])
        life.settle_dispute(tx, found, finding, by, accepted, reason, as_of, period)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="dispute accepted" if accepted else "dispute refused",
                        subject=f"dispute {dispute_id}", count=1, reason=reason)
    return {"dispute": dispute_id, "finding": found["finding_id"], "accepted": accepted,
            "lead": found["wanted_owner"] if accepted else finding["owner"]}


def waiting(campaign: str) -> list[dict[str, Any]]:
    """Disputes nobody has settled yet, the oldest first. No person is named in them."""
    with transaction() as tx:
        return [{"dispute": row["id"], "finding": row["finding_id"], "by": row["raised_by"], "lead": row["owner_then"],
                 "wanted": row["wanted_owner"], "reason": row["reason"], "since": row["raised_at"].isoformat()}
                for row in life.open_disputes(tx, campaign)]


def _finding(tx: Any, campaign: str, finding_id: int) -> Any:
    finding = life.one(tx, campaign, finding_id)
    if finding is None:
        raise WrongUse(f"there is no finding {finding_id}.", where=campaign, cure="The task number stands on the roster.")
    return finding
