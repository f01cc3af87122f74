"""Readiness before a campaign's data work: what is named in the plan and still cannot work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tasks.campaign import plan_in_force, short_name, today
from tasks.effect import effect


@effect("就绪检查 readiness")
def readiness(campaign: str, as_of: datetime) -> dict[str, Any]:
    """Providers and townships without a clerk to write to, an approver's post that is vacant.

    Answers with counts and the names of units and posts.
    """
    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    owing = {code for feed in plan.feeds for code in feed.providers}
    owing |= {org.code for entry in plan.obligations for org in plan.select(entry.who, day)}
    unreachable = sorted(short_name(plan, code) for code in owing
                         if plan.organisation(code).exists_on(day)
                         and not any(post.role == "clerk" and post.address for post in plan.organisation(code).contacts))
    approver = plan.organisation(plan.approval.approved_by)
    has_approver = any(post.role == plan.approval.approver_role for post in approver.contacts)
    return {"feeds": len(plan.feeds), "units": len(owing),
            "unreachable": unreachable, "approver_named": has_approver,
            "ready": not unreachable and has_approver}
