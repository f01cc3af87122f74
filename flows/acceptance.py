"""总结验收: results against targets, ranks, candidates for a person to decide, the final report."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.due import idle
from flows.parameters import Campaign
from flows.summary import publish, publish_documents
from tasks.acceptance import draw_up
from tasks.campaign import keep_phases
from tasks.due import acceptance_due
from tasks.effect import guarded


@flow(name="acceptance", description="总结验收：目标结果、评分排名、表扬和批评建议、验收报告", flow_run_name=run_name("总结验收"))
@guarded
def acceptance(campaign: Campaign, final: bool | None = None, as_of: datetime | None = None) -> dict[str, object]:
    """Draws up the acceptance report, provisional or final. Nothing accusatory is decided here (C23).

    Args:
        campaign: id of the campaign.
        final: whether the year-end registers are in and this is the final report; left empty, the one whose day has come
            by the plan, once.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "acceptance", now):
        return nothing
    if final is None:
        item = acceptance_due(campaign, now)
        if item is None:
            return {"idle": "没有到期未办的验收报告"}
        final = item == "final"
    keep_phases(campaign, now)
    result = draw_up(campaign, final, now)
    stage = "final" if final else "provisional"
    publish("acceptance", campaign, stage, result)
    publish_documents(campaign, f"acceptance:{stage}", str(result["period"]))
    return result
