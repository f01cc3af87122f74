"""The one place where the clock is read, and what run names say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from models.errors import CanbaoError
from models.plan_file import REPOSITORY, find, read
from tasks.accounts import Typed


def instant(as_of: datetime | None) -> datetime:
    """``as_of`` if given; otherwise the instant the run was scheduled for, so that a late start changes nothing."""
    if as_of is not None:
        return as_of
    return flow_run.scheduled_start_time or datetime.now(UTC)


def typed(code: str) -> Typed:
    """A single-use code that was typed just now."""
    return Typed(code, datetime.now(UTC))


def is_of_deployment() -> bool:
    """Whether this run is a deployment's. Prefect's own ``runtime.deployment.id`` asks the server where there is none."""
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    return getattr(run, "deployment_id", None) is not None


def run_name(what: str) -> Callable[[], str]:
    """A run name that says campaign, period and what: ``chengjiang-2021 2021-05 数据比对``. Never a person.

    Whatever else tells runs of a flow apart stands at its end: a bulletin, a proposal, a run, a trial.
    """

    def name() -> str:
        parameters = flow_run.parameters
        campaign = parameters.get("campaign") or _plan_id(parameters.get("plan"))
        more = [shown.format(parameters[key]) for key, shown in TOLD.items() if parameters.get(key) is not None]
        return " ".join(str(part) for part in (campaign, parameters.get("period"), what, *more) if part)

    return name


TOLD = {"bulletin_id": "{}", "release": "提请{}", "run_id": "比对{}", "final": "终期={}"}
"""Parameters that a run's name shows beside campaign and period."""


def name_run(campaign: str, periods: Sequence[str], what: str) -> None:
    """Names the running flow run after the periods that it found due."""
    if flow_run.id and periods:
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(flow_run.id), name=" ".join((campaign, "、".join(periods), what)))


def _plan_id(plan: object) -> str:
    """The campaign of a plan that is given by its id or by a path; what cannot be read is named as it was given, for the run
    itself says what is wrong with it."""
    given = str(plan or "")
    try:
        path = find(given)
        return path.parent.name if path.parent.parent == REPOSITORY / "campaigns" else read(path).plan.id
    except CanbaoError:
        return Path(given).name
