"""参保缴费: worked rosters and reports come back, claims wait for the next register, progress is drawn up."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.due import idle
from flows.parameters import Campaign, Place
from flows.summary import publish
from tasks.campaign import actor, door, keep_phases
from tasks.effect import guarded
from tasks.refusals import kept
from tasks.reports import issue_forms
from tasks.submissions import returned_files, take_returns


@flow(name="contribution", description="参保缴费：回收花名册和报表、登记核查结果、预填下期月报", flow_run_name=run_name("参保缴费"))
@guarded
def contribution(campaign: Campaign, as_of: datetime | None = None, returns: Place | None = None) -> dict[str, object]:
    """Takes back what organisations handed in (rosters, reports, summaries) and issues the forms that are open now.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        returns: folder with <organisation>/<file>; the campaign's own if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "contribution", now):
        return nothing
    result = take_back(campaign, now, returns)
    publish("contribution", campaign, "", result)
    return result


def take_back(campaign: str, now: datetime, returns: str | None) -> dict[str, object]:
    """The order of tasks that contribution shares with pilot, survey and self-assessment: phases, what came back, forms."""
    phases = keep_phases(campaign, now)
    with kept(campaign, "folder named", "returns", actor(), now):
        place = door(campaign, "returns", returns)
    taken = take_returns(campaign, list(returned_files(campaign, place, now)))
    return {
        "phases": phases, "taken": sum(bool(entry["new"]) for entry in taken),
        "sent_back": sum(bool(entry["sent_back"]) for entry in taken),
        "claims": sum(int(entry["claims"]) for entry in taken), "forms": issue_forms(campaign, now),
    }
