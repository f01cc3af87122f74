"""告警: what Prefect's automations start when something needs somebody, and nobody may be looking."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import get_client

from flows.clock import instant
from flows.parameters import Campaign, PeriodLabel, Slug, Told
from tasks.alarm import raise_alarm
from tasks.effect import guarded
from tasks.sending import send_messages


@flow(name="alarm", description="告警：运行失败、数据逾期、巡检中断、待批准、消息无法送达", flow_run_name="告警 {kind}")
@guarded
def alarm(
    kind: Slug, campaign: Campaign | Literal[""] = "", subject: Told = "", period: PeriodLabel | Literal[""] = "", event: Told = "",
    flow_run: UUID | None = None,
    at: datetime | None = None,
) -> dict[str, object]:
    """Tells a post of the campaign's office, by its alarm channel, once for each thing and day.

    Args:
        kind: which alarm: run_failed, feed_late, sweep_stale, approval_waiting, delivery_dead or delivery_held.
        campaign: id of the campaign; left empty for a run, which names its own.
        subject: what it is about; left empty for a run, whose name it is.
        period: the period concerned, if any.
        event: name of the event that raised it.
        flow_run: the run that failed, if any.
        at: the instant of the event; the scheduled time if left empty.
    """
    now = instant(at)
    if flow_run is not None:
        campaign, name = _of_run(flow_run)
        subject = subject or name
    result = raise_alarm(campaign, kind, now, subject, period, event)
    if result["written"]:
        result["delivered"] = send_messages(campaign, now)["sent"]
    return result


def _of_run(flow_run: UUID) -> tuple[str, str]:
    """The campaign and the name of a run."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(flow_run)
    return str(run.parameters.get("campaign") or run.parameters.get("plan") or ""), run.name
