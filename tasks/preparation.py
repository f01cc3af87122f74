"""Readiness before a campaign's data work: what is named in the plan and still cannot work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from expectations.contract import for_feed
from models.errors import CanbaoError
from tasks.campaign import plan_in_force, short_name, today
from tasks.effect import effect


@effect("就绪检查 readiness")
def readiness(campaign: str, as_of: datetime) -> dict[str, Any]:
    """Feeds without a contract, providers and townships without a clerk to write to, an approver's post that is vacant.

    Answers with counts and the names of units and posts.
    """
    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    without_contract = [feed.feed for feed in plan.feeds if not _has_contract(feed.feed)]
    owing = {code for feed in plan.feeds for code in feed.providers}
    owing |= {org.code for entry in plan.obligations for org in plan.select(entry.who, day)}
    unreachable = sorted(short_name(plan, code) for code in owing
                         if plan.organisation(code).exists_on(day)
                         and not any(post.role == "clerk" and post.address for post in plan.organisation(code).contacts))
    approver = plan.organisation(plan.approval.approved_by)
    has_approver = any(post.role == plan.approval.approver_role for post in approver.contacts)
    return {"feeds": len(plan.feeds), "without_contract": without_contract, "units": len(owing),
            "unreachable": unreachable, "approver_named": has_approver,
            "ready": not without_contract and not unreachable and has_approver}


def _has_contract(feed: str) -> bool:
    try:
        for_feed(feed)
    except CanbaoError:
        return False
    return True
