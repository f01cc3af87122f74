"""实施准备: is everything there that the comparison will need? Providers, contracts, contacts, people to approve."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.due import idle
from flows.parameters import Campaign
from flows.summary import publish
from tasks.campaign import keep_phases
from tasks.effect import guarded
from tasks.preparation import readiness
from tasks.reports import issue_forms


@flow(name="preparation", description="实施准备：数据提供单位、数据约定、联系人、审批岗位是否就绪", flow_run_name=run_name("实施准备"))
@guarded
def preparation(campaign: Campaign, as_of: datetime | None = None) -> dict[str, object]:
    """Checks readiness and issues the forms that are open (L8, B9, G15).

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "preparation", now):
        return nothing
    phases = keep_phases(campaign, now)
    ready = readiness(campaign, now)
    result: dict[str, object] = {"phases": phases, **ready, "forms": issue_forms(campaign, now)}
    publish("preparation", campaign, "", result)
    return result
