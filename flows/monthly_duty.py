"""The duty across all phases: reminders and escalation (sweep), candidates for supervision, bulletins and corrections."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.approval import ask_for_approval
from flows.clock import instant, run_name
from flows.due import idle
from flows.parameters import Campaign, PeriodLabel, Slug
from flows.summary import publish, publish_documents
from tasks.alarm import alarm_of_gap, tell_head
from tasks.attempts import close_dead_runs
from tasks.board import refresh_board
from tasks.bulletin import issue_bulletin
from tasks.campaign import keep_phases
from tasks.correction import issue_corrections
from tasks.due import bulletins_due
from tasks.effect import guarded
from tasks.events import announce
from tasks.sending import send_messages
from tasks.supervision import prepare_supervision
from tasks.sweep import sweep_obligations


@flow(name="sweep", description="巡检催办：到期提醒、逾期催办、逐级上报", flow_run_name=run_name("巡检催办"))
@guarded
def sweep(campaign: Campaign, as_of: datetime | None = None) -> dict[str, object]:
    """Reminds, escalates, records. Safe at any time, any number of times.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "sweep", now):
        return nothing
    tell_head(campaign, now)
    keep_phases(campaign, now)
    dead = close_dead_runs(campaign, now)
    alarm_of_gap(campaign, now)
    swept = sweep_obligations(campaign, now)
    result = {**swept, **dead, "candidates": prepare_supervision(campaign, now)["candidates"],
              "delivered": send_messages(campaign, now)["sent"], "asked": ask_for_approval(campaign, now)}
    announce(campaign, now)
    return {**result, "board": refresh_board(campaign, now)["drawn"]}


@flow(name="bulletin", description="工作通报：进度、报送、清单、数据，附表", flow_run_name=run_name("工作通报"))
@guarded
def bulletin(
    campaign: Campaign, bulletin_id: Slug | None = None, period: PeriodLabel | None = None, as_of: datetime | None = None
) -> dict[str, object]:
    """Issues one bulletin of the plan for a period (C19), and first corrects those published before that no longer hold.

    Args:
        campaign: id of the campaign.
        bulletin_id: id of the bulletin in the plan. Left empty like the period: every bulletin whose day has come and that
            was not issued.
        period: label of the period it covers.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "bulletin", now):
        return nothing
    if bulletin_id is not None and period is not None:
        wanted = [(bulletin_id, period)]
    else:
        wanted = [(run.item, run.period) for run in bulletins_due(campaign, now)
                  if bulletin_id in (None, run.item) and period in (None, run.period)]
    corrections = issue_corrections(campaign, now)
    issued = []
    for name, label in wanted:
        result = {**issue_bulletin(campaign, name, label, now), "corrections": corrections["corrections"]}
        publish("bulletin", campaign, label, result)
        publish_documents(campaign, f"bulletin:{name}", label)
        issued.append(result)
    return issued[0] if len(issued) == 1 else {"issued": issued, "corrections": corrections["corrections"]}


@flow(name="correction", description="更正通报：已通报数字变化的，另行编发更正", flow_run_name=run_name("更正通报"))
@guarded
def correction(campaign: Campaign, as_of: datetime | None = None) -> dict[str, object]:
    """Issues a correction for every published bulletin whose figures have changed (C22); nothing where none has.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    issued = issue_corrections(campaign, instant(as_of))
    result = {"corrections": issued["corrections"], "numbers": [entry["number"] for entry in issued["issued"]]}
    publish("correction", campaign, "", result)
    return result
