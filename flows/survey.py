"""入户调查: survey rosters and forms go out and come back; what was found waits for the next register."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import run_name
from flows.field_work import take_back
from flows.parameters import Campaign, Place
from tasks.effect import guarded


@flow(name="survey", description="入户调查：回收调查花名册、登记调查结果、下发调查表", flow_run_name=run_name("入户调查"))
@guarded
def survey(campaign: Campaign, as_of: datetime | None = None, returns: Place | None = None) -> dict[str, object]:
    """Takes back worked survey rosters and forms (L9, G11, G12).

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        returns: folder with <organisation>/<file>; the campaign's own if left empty.
    """
    return take_back("survey", campaign, as_of, returns)
