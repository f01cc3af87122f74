"""试点: the same work in the chosen places only. While a pilot runs alone, rosters go to its places and nobody else."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.contribution import take_back
from flows.due import idle
from flows.parameters import Campaign, Place
from flows.summary import publish
from tasks.effect import guarded


@flow(name="pilot", description="试点：试点单位回收花名册、登记核查结果", flow_run_name=run_name("试点"))
@guarded
def pilot(campaign: Campaign, as_of: datetime | None = None, returns: Place | None = None) -> dict[str, object]:
    """Takes back what the pilot places found (L9).

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        returns: folder with <organisation>/<file>; the campaign's own if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "pilot", now):
        return nothing
    result = take_back(campaign, now, returns)
    publish("pilot", campaign, "", result)
    return result
