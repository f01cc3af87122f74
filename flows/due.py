"""What a scheduled run asks first, and how what was missed is begun."""

from __future__ import annotations

from datetime import datetime

from prefect.deployments import run_deployment
from prefect.runtime import flow_run

from flows.clock import is_of_deployment
from tasks.due import everything_due, why_idle

TICK = "auto-scheduled"
"""The tag of every run that Prefect's scheduler made."""


def idle(campaign: str, flow: str, now: datetime) -> dict[str, object] | None:
    """The result of a scheduled run with nothing to do: the campaign is not in force, or it is another flow's turn.

    Only a schedule is told so; whoever starts a run by hand means it.
    """
    if TICK not in flow_run.tags:
        return None
    why = why_idle(campaign, flow, now)
    return None if why is None else {"idle": why}


def begin_what_is_due(campaign: str, now: datetime) -> list[str]:
    """Begins what should have been begun and was not, each as a run of its own deployment; returns what was begun.

    The same thing is begun once, whoever asks how often: Prefect knows its key. Outside a deployment (a rehearsal, a test)
    nothing is begun.
    """
    if not is_of_deployment():
        return []
    begun = []
    for thing in everything_due(campaign, now):
        parameters: dict[str, object] = {"campaign": campaign}
        if thing.flow == "acceptance":
            parameters["final"] = thing.item == "final"
        else:
            parameters["period"] = thing.period
        if thing.flow == "bulletin":
            parameters["bulletin_id"] = thing.item
        what = " ".join(part for part in (thing.period, thing.flow, thing.item) if part)
        run_deployment(f"{thing.flow}/{campaign}", parameters=parameters, timeout=0, as_subflow=False,
                       flow_run_name=f"{campaign} {what}", idempotency_key=thing.key)
        begun.append(what)
    return begun
