"""What all flows of field work have in common: phases, what came back, the forms that are open now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from flows.clock import instant
from flows.due import idle
from flows.summary import publish
from tasks.campaign import actor, door, keep_phases
from tasks.refusals import kept
from tasks.reports import issue_forms
from tasks.submissions import returned_files, take_returns


def take_back(
    flow: str, campaign: str, as_of: datetime | None, returns: str | None,
    then: Callable[[str, datetime], Mapping[str, object]] | None = None,
) -> dict[str, object]:
    """One run of a flow that takes back what organisations handed in; ``then`` is what it does besides, as of the same
    instant. Answers what it counted, or why a scheduled run had nothing to do."""
    now = instant(as_of)
    if nothing := idle(campaign, flow, now):
        return nothing
    phases = keep_phases(campaign, now)
    with kept(campaign, "folder named", "returns", actor(), now):
        place = door(campaign, "returns", returns)
    taken = take_returns(campaign, list(returned_files(campaign, place, now)))
    result: dict[str, object] = {
        "phases": phases, "taken": sum(bool(entry["new"]) for entry in taken),
        "sent_back": sum(bool(entry["sent_back"]) for entry in taken),
        "claims": sum(int(entry["claims"]) for entry in taken), "forms": issue_forms(campaign, now),
        **(then(campaign, now) if then is not None else {}),
    }
    publish(flow, campaign, "", result)
    return result
