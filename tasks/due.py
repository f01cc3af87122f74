"""What is due as of an instant and not yet done? The record says so, whatever ran or did not run before.

A schedule's tick, a tick that comes late, the first look after a week without power: all ask here, and what is done already
is not due any more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from models.database import transaction
from models.plan import Plan
from models.store import campaigns, deliveries, documents
from models.store import findings as runs
from rules.periods import month
from rules.phases import comparing_flow, comparing_flows, turn_of_another
from rules.schedule import DatedRun, dated_runs, due_runs
from tasks.campaign import plan_in_force, today
from tasks.intake import absent_feeds, waits_for


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to be begun: a flow for a period. ``key`` is the same as long as it is the same thing."""

    flow: str
    period: str
    item: str
    key: str


def why_idle(campaign: str, flow: str, as_of: datetime) -> str | None:
    """Why a scheduled run of a flow has nothing to do at all; None if it may have.

    A rehearsal's record is left to its own clock: a sweep of today would end the year that it plays.
    """
    with transaction() as tx:
        if not campaigns.is_stored(tx, campaign):
            return "方案尚未启动（先运行宣传发动）"
        if campaigns.is_rehearsed(tx, campaign):
            return "演练数据按演练时钟运行，不随真实时间"
    plan = plan_in_force(campaign)
    return turn_of_another(plan, flow, today(plan, as_of))


def campaigns_in_force() -> list[str]:
    """The campaigns that run on the real clock: in the record, and no rehearsal."""
    with transaction() as tx:
        return [campaign for campaign in campaigns.all_of(tx) if not campaigns.is_rehearsed(tx, campaign)]


def comparisons_due(campaign: str, as_of: datetime) -> list[str]:
    """Months whose files are complete and that were never compared, and the latest compared one if files that were late
    then have all come since; the oldest first."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        newest = runs.latest_run(tx, campaign)
    found = []
    for label in _months(plan, as_of):
        with transaction() as tx:
            run = runs.latest_run(tx, campaign, label)
            taken = [row for row in deliveries.all_of(tx, campaign, label) if _stands(row)]
        if run is None:
            is_due = bool(taken) and not waits_for(campaign, label, as_of)
        else:
            is_due = (newest is not None and newest["period"] == label
                      and any(row["received_at"] > run["as_of"] for row in taken) and not absent_feeds(campaign, label, as_of))
        if is_due:
            found.append(label)
    return found


def comparison_on_schedule(campaign: str, as_of: datetime) -> list[str]:
    """What a scheduled comparison is to look at: what is due, and the month whose day has come, if only to say what it
    waits for."""
    plan = plan_in_force(campaign)
    passed = [run.period for run in dated_runs(plan) if run.flow in comparing_flows() and run.at <= as_of]
    return sorted({*comparisons_due(campaign, as_of), *([max(passed)] if passed else [])})


def bulletins_due(campaign: str, as_of: datetime) -> list[DatedRun]:
    """Bulletins whose day has come and that were not issued, the oldest first: each deadline is told of exactly once (C19).

    Nothing is owed for the time before the plan was in force, and what is older than the plan's ``catch_up_days`` is left
    to a person.
    """
    plan = plan_in_force(campaign)
    with transaction() as tx:
        since = campaigns.in_force_since(tx, campaign)
        owed = [run for run in due_runs(plan, "bulletin", as_of) if since is not None and run.at >= since
                and as_of - run.at <= timedelta(days=plan.schedule.catch_up_days)]
        return [run for run in owed if not documents.of_period(tx, campaign, f"bulletin:{run.item}", run.period)]


def acceptance_due(campaign: str, as_of: datetime) -> str | None:
    """``provisional`` or ``final``: the latest whose day has come, if its report was not drawn up. The final one waits for
    the comparison of the last month."""
    plan = plan_in_force(campaign)
    passed = due_runs(plan, "acceptance", as_of)
    if not passed:
        return None
    latest = passed[-1]
    with transaction() as tx:
        since = campaigns.in_force_since(tx, campaign)
        drawn_up = documents.all_of(tx, campaign, f"acceptance:{latest.item}")
        run = runs.latest_run(tx, campaign, latest.period if latest.item == "final" else None)
    is_owed = since is not None and latest.at >= since and run is not None and not drawn_up
    return latest.item if is_owed else None


def everything_due(campaign: str, as_of: datetime) -> list[Due]:
    """All that should have been begun by now and was not: what an unattended installation makes up for by itself.

    What belongs to a day of the calendar is left to its own schedule for the plan's ``catch_up_after_minutes``.
    """
    plan = plan_in_force(campaign)
    before = as_of - timedelta(minutes=plan.schedule.catch_up_after_minutes)
    flow = comparing_flow(plan, today(plan, as_of))
    found = [Due(flow, label, "", f"{campaign}/{flow}/{label}/{_files(campaign, label)}")
             for label in comparisons_due(campaign, as_of)]
    found += [Due("bulletin", run.period, run.item, f"{campaign}/bulletin/{run.item}/{run.period}")
              for run in bulletins_due(campaign, before)]
    if item := acceptance_due(campaign, before):
        found.append(Due("acceptance", "", item, f"{campaign}/acceptance/{item}"))
    return found


def _months(plan: Plan, as_of: datetime) -> list[str]:
    labels = {run.period for run in dated_runs(plan) if run.flow in comparing_flows()}
    return sorted(label for label in labels if month(label).ends < today(plan, as_of))


def _stands(row: RowMapping) -> bool:
    return row["superseded_at"] is None and row["verdict"] != "returned"


def _files(campaign: str, label: str) -> str:
    """Stands for the files of a month as they are now."""
    with transaction() as tx:
        ids = sorted(row["id"] for row in deliveries.all_of(tx, campaign, label) if _stands(row))
    return hashlib.sha256(repr(ids).encode()).hexdigest()[:16]
