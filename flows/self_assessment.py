"""自查自评: where does each unit stand against its target, and what is still missing (B10)?"""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.contribution import take_back
from flows.due import idle
from flows.parameters import Campaign, Place
from flows.summary import publish
from tasks.effect import guarded
from tasks.self_assessment import shortfalls


@flow(name="self-assessment", description="自查自评：各单位与目标的差距、未达标单位", flow_run_name=run_name("自查自评"))
@guarded
def self_assessment(campaign: Campaign, as_of: datetime | None = None, returns: Place | None = None) -> dict[str, object]:
    """Takes back what came in and draws up who is below target, by how much.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        returns: folder with <organisation>/<file>; the campaign's own if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "self-assessment", now):
        return nothing
    result = {**take_back(campaign, now, returns), **shortfalls(campaign, now)}
    publish("self-assessment", campaign, "", result)
    return result
