"""Making obligations ahead of time and answering how each of them stands."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from models.database import transaction
from models.errors import WrongUse
from models.plan import Plan
from models.store import campaigns
from models.store import obligations as store
from rules.deadlines import (
    ObligationFacts,
    Status,
    SubmissionFact,
    closes,
    due_in_force,
    expected,
    hour_of,
    is_late,
    status,
)
from rules.periods import ONE_DAY
from tasks import accounts
from tasks.campaign import plan_in_force, today
from tasks.effect import effect


@effect("生成应报事项 obligations")
def make_obligations(campaign: str, as_of: datetime) -> dict[str, int]:
    """Makes every obligation of the plan: before anyone reports, once however often it runs (design.md, 3).

    After a change of the plan it runs again: what is not open yet as of that instant follows the new plan.
    """
    rows = expected(plan_in_force(campaign))
    with transaction() as tx:
        made = store.make(tx, campaign, ({
            "kind": row.kind, "item": row.item, "name": row.name, "organisation": row.organisation,
            "owed_to": row.to, "period": row.period, "period_ends": row.period_ends, "nominal_due": row.nominal,
            "effective_due": row.effective, "opens_at": row.opens_at, "due_before": row.due_before,
            "lock_before": row.lock_before, "ladder": row.ladder,
        } for row in rows), as_of)
    return {"expected": len(rows), **made}


def facts_of(row: RowMapping) -> ObligationFacts:
    """The rule's view of one stored obligation with its submissions and extensions."""
    return ObligationFacts(
        opens_at=row["opens_at"], due_before=row["due_before"], lock_before=row["lock_before"],
        extensions=tuple((_instant(entry["granted_at"]), _instant(entry["due_before"])) for entry in row["extensions"]),
        submissions=tuple(SubmissionFact(_instant(entry["received_at"]), _maybe(entry["sent_back_at"]),
                                         _maybe(entry["accepted_at"])) for entry in row["submissions"]),
        excused_at=row["excused_at"],
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def statuses(campaign: str, as_of: datetime, *, item: str | None = None, period: str | None = None,
             organisation: str | None = None, only_open: bool = False) -> list[dict[str, Any]]:
    """Every obligation with its status as of an instant; any past status can be asked for again."""
    with transaction() as tx:
        rows = store.facts(tx, campaign, as_of, item=item, period=period, organisation=organisation, only_open=only_open)
    result = []
    for row in rows:
        facts = facts_of(row)
        state: Status = status(facts, as_of)
        result.append({**row, "status": state, "late": is_late(facts), "due_in_force": due_in_force(facts)})
    return result


def punctuality(rows: list[dict[str, Any]]) -> Counter[str]:
    """How obligations came in: ``expected`` so far due, ``on_time``, ``late``, ``missing`` (due and not there)."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted["all"] += 1
        if row["status"] in ("not_yet_due", "open", "due_soon"):
            continue
        counted["expected"] += 1
        if row["status"] == "excused":
            counted["excused"] += 1
        elif row["status"] in ("accepted", "accepted_late", "submitted"):
            counted["late" if row["late"] else "on_time"] += 1
        else:
            counted["missing"] += 1
    return counted


def form_of(plan: Plan, item: str) -> str:
    """The form an obligation is handed in with; feeds have none."""
    return next((entry.form for entry in plan.obligations if entry.id == item), "feed")


def _owed(tx: Connection, campaign: str, item: str, organisation: str, period: str) -> int:
    row = store.one(tx, campaign, item, organisation, period)
    if row is None:
        raise WrongUse(f"{organisation} owes no {item} for {period}.", where=campaign,
                       cure="`canbao status CAMPAIGN --json` lists what is owed.")
    return int(row["id"])


def extend(campaign: str, item: str, organisation: str, period: str, last_day: date, by: str, reason: str,
           as_of: datetime) -> dict[str, Any]:
    """Grants a later last day (inclusive). One granted after the row was due heals no lateness, but it holds off the
    lock and the ladder."""
    plan = plan_in_force(campaign)
    accounts.prove(plan, by, "extension granted", as_of, office=True)
    due_before = closes(last_day, plan.time_zone, hour_of(plan, item))
    with transaction() as tx:
        store.extend(tx, _owed(tx, campaign, item, organisation, period), due_before=due_before, granted_at=as_of,
                     granted_by=by, reason=reason)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="extension granted",
                        subject=f"{item}/{organisation}/{period}", count=1, reason=reason)
    return {"item": item, "organisation": organisation, "period": period, "due_before": due_before.isoformat()}


def excuse(campaign: str, item: str, organisation: str, period: str, by: str, reason: str,
           as_of: datetime) -> dict[str, Any]:
    """Excuses an organisation from one obligation."""
    accounts.prove(plan_in_force(campaign), by, "obligation excused", as_of, office=True)
    with transaction() as tx:
        store.excuse(tx, _owed(tx, campaign, item, organisation, period), as_of, reason)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="obligation excused",
                        subject=f"{item}/{organisation}/{period}", count=1, reason=reason)
    return {"item": item, "organisation": organisation, "period": period}


def excuse_before(campaign: str, before: date, by: str, reason: str, as_of: datetime, *, item: str | None = None,
                  organisation: str | None = None, period: str | None = None) -> dict[str, Any]:
    """Excuses everything whose last day lay before ``before`` (exclusive) and for which nothing was handed in: what a campaign
    that is begun when its plan's first deadlines are over would owe at once. Once however often it is done.

    Raises WrongUse for a day that has not come: what is not due yet is owed.
    """
    plan = plan_in_force(campaign)
    if before > today(plan, as_of):
        raise WrongUse(f"{before} has not come yet.", where=campaign, cure="Give today or a day before it; what is not due yet is owed.")
    accounts.prove(plan, by, "obligations excused", as_of, office=True)
    until = closes(before - ONE_DAY, plan.time_zone, plan.calendar.cut_off)
    with transaction() as tx:
        excused = store.excuse_fallen_due(tx, campaign, until, as_of, reason, item=item, organisation=organisation, period=period)
        count = sum(excused.values())
        if count:
            narrowed = "/".join(name for name in (item, organisation, period) if name)
            campaigns.audit(tx, campaign, at=as_of, actor=by, action="obligations excused",
                            subject=" ".join(part for part in (f"due before {before}", narrowed) if part), count=count, reason=reason)
    return {"before": before.isoformat(), "excused": count, "by_item": excused}


def fallen_due(campaign: str, as_of: datetime) -> int:
    """How many obligations fell due before the day of ``as_of`` with nothing handed in."""
    plan = plan_in_force(campaign)
    until = closes(today(plan, as_of) - ONE_DAY, plan.time_zone, plan.calendar.cut_off)
    with transaction() as tx:
        return store.count_fallen_due(tx, campaign, until, as_of)


def acknowledge(campaign: str, item: str, organisation: str, period: str, as_of: datetime) -> dict[str, Any]:
    """Records that an organisation has seen its reminder."""
    with transaction() as tx:
        store.acknowledge(tx, _owed(tx, campaign, item, organisation, period), as_of, organisation)
    return {"item": item, "organisation": organisation, "period": period}
