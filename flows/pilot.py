"""试点: the same work in the chosen places only. While a pilot runs alone, rosters go to its places and nobody else."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import run_name
from flows.field_work import take_back
from flows.parameters import Campaign, Place
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
    return take_back("pilot", campaign, as_of, returns)
