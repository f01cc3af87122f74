"""What a Prefect server must hold for canbao to run by itself: work pool, queues, deployments, automations.

All of it can be put in place any number of times; each time it ends the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.schedules import Cron
from prefect.states import Cancelled

from deployments.listing import in_force, listing
from models.errors import CanbaoError
from models.plan_file import REPOSITORY

PAGE = 200
FIXED_JOB: dict[str, Any] = {"job_configuration": {"stream_output": True},
                             "variables": {"type": "object", "properties": {}, "additionalProperties": False}}
"""How the worker runs a flow. Prefect lets whoever begins a run choose the command, the folder and the environment of its process
unless the pool says otherwise: here nobody chooses any of it."""
SUPERSEDED = "由后一次运行代替：运行时按当前记录补办，不逐次重做"


def ensure_pool(client: SyncPrefectClient) -> None:
    """The work pool and its queues with their priorities and limits, as the listing names them."""
    name = listing()["pool"]
    with suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=name, type="process", description="参保：本机进程", base_job_template=FIXED_JOB))
    if client.read_work_pool(name).base_job_template != FIXED_JOB:
        client.update_work_pool(name, WorkPoolUpdate(base_job_template=FIXED_JOB))
    for queue, wanted in listing()["queues"].items():
        try:
            found = client.read_work_queue_by_name(queue, work_pool_name=name)
        except ObjectNotFound:
            found = client.create_work_queue(queue, work_pool_name=name)
        client.request("PATCH", "/work_pools/{work_pool_name}/queues/{name}", path_params={
            "work_pool_name": name, "name": found.name}, json=dict(wanted)).raise_for_status()


def deploy(entries: Iterable[Mapping[str, Any]]) -> int:
    """Puts entries of a prefect.yaml in place, as ``prefect deploy`` would; how many. Needs the API's address in Prefect's
    settings. Raises CanbaoError for an entry whose flow cannot be loaded."""
    count = 0
    for entry in entries:
        limit = entry.get("concurrency_limit")
        try:
            flow = Flow.from_source(str(REPOSITORY), entrypoint=entry["entrypoint"])
        except Exception as error:
            raise CanbaoError(f"the flow cannot be loaded ({type(error).__name__}).", where=f"{entry['name']} {entry['entrypoint']}",
                              cure="Make the entry anew with `canbao deployments CAMPAIGN --write`.") from None
        flow.to_deployment(  # type: ignore[union-attr]
            name=entry["name"], description=entry["description"], tags=list(entry["tags"]), parameters=dict(entry["parameters"]),
            work_pool_name=entry["work_pool"]["name"], work_queue_name=entry["work_pool"]["work_queue_name"],
            concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
            schedules=[Cron(cron["cron"], timezone=cron["timezone"], active=cron["active"], slug=cron["slug"])
                       for cron in entry.get("schedules", ())],
        ).apply()
        count += 1
    return count


def deployed(client: SyncPrefectClient) -> dict[tuple[str, str], DeploymentResponse]:
    """The deployments of our pool: (flow's entrypoint, name) → deployment."""
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[listing()["pool"]]))
    found: dict[tuple[str, str], DeploymentResponse] = {}
    while page := client.read_deployments(work_pool_filter=pool, limit=PAGE, offset=len(found)):
        found |= {(str(entry.entrypoint), entry.name): entry for entry in page}
        if len(page) < PAGE:
            break
    return found


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the server's deployments are not what the list in force says. Those only on the server may be anybody's."""

    to_deploy: tuple[dict[str, Any], ...]
    only_there: tuple[str, ...]


def differences(client: SyncPrefectClient) -> Differences:
    """Compares the server with the list. Whether a schedule is active is the operator's to change in the UI: no difference."""
    there = deployed(client)
    wanted = {(entry["entrypoint"], entry["name"]): entry for entry in in_force()}
    return Differences(
        tuple(entry for key, entry in wanted.items() if key not in there or _told(there[key]) != _wanted(entry)),
        tuple(sorted(f"{name} {entrypoint}" for entrypoint, name in there if (entrypoint, name) not in wanted)))


def _told(found: DeploymentResponse) -> tuple[Any, ...]:
    crons = sorted((item.slug, getattr(item.schedule, "cron", ""), getattr(item.schedule, "timezone", "")) for item in found.schedules)
    limit, options = found.global_concurrency_limit, found.concurrency_options
    at_once = (limit.limit, str(options.collision_strategy.value) if options else None) if limit else None
    return crons, sorted(found.tags), found.parameters, found.work_queue_name, found.description, _path(found), at_once


def _path(found: DeploymentResponse) -> str:
    """Where its worker takes the code from: another place after a move, or an update beside the old one."""
    steps = found.pull_steps or [{}]
    return next((str(given["directory"]) for step in steps for given in step.values() if "directory" in given), "")


def _wanted(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    crons = sorted((cron["slug"], cron["cron"], cron["timezone"]) for cron in entry.get("schedules", ()))
    limit = entry.get("concurrency_limit")
    at_once = (limit["limit"], limit["collision_strategy"]) if limit else None
    return (crons, sorted(entry["tags"]), entry["parameters"], entry["work_pool"]["work_queue_name"], entry["description"],
            str(REPOSITORY), at_once)


def remove_outdated_schedules(client: SyncPrefectClient, entries: Iterable[Mapping[str, Any]]) -> int:
    """Prefect keeps schedules whose slug is not named any more: a changed plan would run on its old days, too. How many
    were removed."""
    there, removed = deployed(client), 0
    for entry in entries:
        found = there.get((entry["entrypoint"], entry["name"]))
        named = {cron["slug"] for cron in entry.get("schedules", ())}
        for item in found.schedules if found else ():
            if item.slug not in named:
                client.delete_deployment_schedule(found.id, item.id)  # type: ignore[union-attr]
                removed += 1
    return removed


def supersede_missed(client: SyncPrefectClient, as_of: datetime) -> int:
    """Of the runs of a deployment that were to start while nothing ran, only the last is left: it asks the record what is
    due, so that the others would do nothing, or speak of days that are over. How many were cancelled."""
    waiting: dict[UUID, list[Any]] = defaultdict(list)
    offset = 0
    missed = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": as_of}))
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[listing()["pool"]]))
    while page := client.read_flow_runs(flow_run_filter=missed, work_pool_filter=pool, limit=PAGE, offset=offset):
        offset += len(page)
        for run in page:
            if run.deployment_id is not None and run.auto_scheduled:
                waiting[run.deployment_id].append(run)
    cancelled = 0
    for runs in waiting.values():
        runs.sort(key=lambda run: run.expected_start_time)
        for run in runs[:-1]:
            client.set_flow_run_state(run.id, Cancelled(name="Superseded", message=SUPERSEDED))
            cancelled += 1
    return cancelled


def refuse_unknown_pool(entries: Iterable[Mapping[str, Any]]) -> None:
    """Raises CanbaoError for a deployment that no worker of ours would ever run."""
    strange = sorted({entry["work_pool"]["name"] for entry in entries} - {listing()["pool"]})
    if strange:
        raise CanbaoError(f"deployments name the work pool {', '.join(strange)}.", where="prefect.yaml",
                          cure=f"Only {listing()['pool']} has a worker here.")
