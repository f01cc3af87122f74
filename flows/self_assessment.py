"""自查自评: where does each unit stand against its target, and what is still missing (B10)?"""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import run_name
from flows.field_work import take_back
from flows.parameters import Campaign, Place
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
    return take_back("self-assessment", campaign, as_of, returns, then=shortfalls)
