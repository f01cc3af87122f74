"""Automations as code: what Prefect does by itself when a run dies, a feed is late or nobody has swept.

Each starts the ``alarm`` deployment, which writes one message through the campaign's own channels. Prefect's automations
know rolling windows and events, not calendar dates: deadlines are the sweep's business, never theirs. Putting them in place
again changes what has changed and nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from deployments.listing import listing
from deployments.server import HEARTBEAT_SECONDS
from tasks.events import APPROVAL_WAITING, DELIVERY_DEAD, DELIVERY_HELD, FEED_LATE, SWEEP, SWEEP_STALE

PREFIX = "canbao · "
"""What our automations' names begin with: others on the server are left alone."""
MISSED_HEARTBEATS = 4
"""So many without a sign of life are a dead process, not a slow one (platform: at least three)."""


def automations(alarm: UUID, stale_sweep: timedelta) -> list[AutomationCore]:
    """All of them. ``alarm`` is the alarm deployment, ``stale_sweep`` how long a campaign may go without a sweep."""
    return [_dead_process(), _not_completed(alarm), _no_sweep(alarm, stale_sweep),
            *(_fact(alarm, event, **words) for event, words in FACTS.items())]


GATHERED = timedelta(hours=1)
"""One sweep may find a hundred files late: the first fact begins one alarm, which counts them all; those of the same hour begin
none."""

FACTS: dict[str, dict[str, Any]] = {
    FEED_LATE: {"kind": "feed_late", "name": "数据逾期", "says": "部门数据过期未到", "within": GATHERED},
    SWEEP_STALE: {"kind": "sweep_stale", "name": "巡检中断", "says": "恢复后发现此前久未巡检"},
    APPROVAL_WAITING: {"kind": "approval_waiting", "name": "待批准", "says": "清单已编制，等待批准"},
    DELIVERY_DEAD: {"kind": "delivery_dead", "name": "消息无法送达", "says": "消息多次发送未成功，已停止重试", "within": GATHERED},
    DELIVERY_HELD: {"kind": "delivery_held", "name": "消息无法发出", "says": "没有可用的发送通道，消息已留存", "within": GATHERED},
}


def _fact(alarm: UUID, event: str, kind: str, name: str, says: str, within: timedelta = timedelta(0)) -> AutomationCore:
    """One of the campaign's own facts (``tasks.events``); of those ``within`` a while of each other only the first acts."""
    trigger = EventTrigger(expect={event}, match={"prefect.resource.id": "canbao.campaign.*"}, for_each={"prefect.resource.id"},
                           posture=Posture.Reactive, threshold=1, within=within)
    return _core(name, says, trigger, _alarm(
        alarm, kind, campaign="{{ event.payload.campaign }}", subject="{{ event.payload.subject }}",
        period="{{ event.payload.period | default('') }}"))


def _not_completed(alarm: UUID) -> AutomationCore:
    """A run that failed or crashed. An alarm that fails raises none: there would be no end."""
    trigger = EventTrigger(
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}, match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=[_flow("!alarm"), _ours()],
        for_each={"prefect.resource.id"}, posture=Posture.Reactive)
    return _core("运行未完成", "运行失败或意外中断", trigger, _alarm(alarm, "run_failed", flow_run="{{ flow_run.id }}"))


def _dead_process() -> AutomationCore:
    """A run whose process gives no sign of life is closed as crashed, so that it can be retried."""
    trigger = EventTrigger(
        after={"prefect.flow-run.heartbeat"}, expect={"prefect.flow-run.*"}, match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=[_ours()], for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1,
        within=timedelta(seconds=MISSED_HEARTBEATS * HEARTBEAT_SECONDS))
    action = ChangeFlowRunState(force=False, state=StateType.CRASHED, name="Crashed", message="运行进程已中断，可在排除原因后重试（Retry）。")
    return AutomationCore(name=f"{PREFIX}进程中断", description="运行进程无心跳：标记为中断，可重试", trigger=trigger, actions=[action],
                          tags=[listing()["pool"]])


def _no_sweep(alarm: UUID, stale_sweep: timedelta) -> AutomationCore:
    """A sweep that was once completed is expected again, for each campaign by itself."""
    trigger = EventTrigger(
        after={"prefect.flow-run.Completed"}, expect={"prefect.flow-run.Completed"}, match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=[_flow("sweep"), _ours()],
        for_each={"related:deployment:prefect.resource.id"}, posture=Posture.Proactive, threshold=1, within=stale_sweep)
    return _core("久未巡检", "巡检在规定时间内没有完成", trigger, _alarm(alarm, "sweep_stale", flow_run="{{ flow_run.id }}", subject=SWEEP))


def _ours() -> ResourceSpecification:
    """Runs of our work pool; whoever else uses the server is left alone."""
    return ResourceSpecification({"prefect.resource.role": "work-pool", "prefect.resource.name": listing()["pool"]})


def _flow(name: str) -> ResourceSpecification:
    """Runs of one flow, or with ``!`` before its name of all others: a run has exactly one related flow."""
    return ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": name})


def _alarm(alarm: UUID, kind: str, **parameters: str) -> RunDeployment:
    templates = {**parameters, "event": "{{ event.event }}", "at": "{{ event.occurred }}"}
    given: dict[str, Any] = {name: {"__prefect_kind": "jinja", "template": text} for name, text in templates.items()}
    return RunDeployment(source="selected", deployment_id=alarm, parameters={"kind": kind, **given}, job_variables=None)


def _core(name: str, says: str, trigger: EventTrigger, action: RunDeployment) -> AutomationCore:
    return AutomationCore(name=PREFIX + name, description=f"{says}：按方案的告警通道通知办公室", trigger=trigger, actions=[action],
                          tags=[listing()["pool"]])


def put_in_place(client: SyncPrefectClient, wanted: list[AutomationCore]) -> dict[str, int]:
    """Creates what is missing, updates what differs, deletes what is ours, doubled or no longer wanted. Counts."""
    found = [entry for entry in client.read_automations() if entry.name.startswith(PREFIX)]
    counted = {"created": 0, "updated": 0, "deleted": 0}
    by_name = {entry.name: entry for entry in reversed(found)}
    for core in wanted:
        there = by_name.pop(core.name, None)
        if there is None:
            client.create_automation(core)
            counted["created"] += 1
        elif _body(there) != _body(core):
            # Whether it is switched on is the operator's decision.
            body = {**core.model_dump(exclude={"owner_resource"}), "enabled": there.enabled}
            client.update_automation(there.id, AutomationCore.model_validate(body))
            counted["updated"] += 1
        found = [entry for entry in found if there is None or entry.id != there.id]
    for entry in found:
        client.delete_automation(entry.id)
        counted["deleted"] += 1
    return counted


def _body(core: AutomationCore) -> dict[str, Any]:
    return core.model_dump(mode="json", include={"name", "description", "trigger", "actions", "tags"})
