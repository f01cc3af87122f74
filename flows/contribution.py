"""参保缴费: worked rosters and reports come back, claims wait for the next register, progress is drawn up."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import run_name
from flows.field_work import take_back
from flows.parameters import Campaign, Place
from tasks.effect import guarded


@flow(name="contribution", description="参保缴费：回收花名册和报表、登记核查结果、预填下期月报", flow_run_name=run_name("参保缴费"))
@guarded
def contribution(campaign: Campaign, as_of: datetime | None = None, returns: Place | None = None) -> dict[str, object]:
    """Takes back what organisations handed in (rosters, reports, summaries) and issues the forms that are open now.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        returns: folder with <organisation>/<file>; the campaign's own if left empty.
    """
    return take_back("contribution", campaign, as_of, returns)
