"""What happened, for Prefect's event feed: facts written with the rows they tell of, told once those are committed.

An automation can act on them and an operator sees them beside the runs. Organisations, ids and counts only. Each fact is
told once: its event has an id made from its key, so telling it again after a crash is the same event to Prefect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from models.database import transaction
from models.plan import Plan
from models.store import campaigns
from models.store import events as store
from tasks.campaign import as_instant, plan_in_force, short_name

REPORT_MISSED = "canbao.report.missed"
STEP_SENT = "canbao.step.sent"
FEED_RETURNED = "canbao.feed.returned"
FEED_LATE = "canbao.feed.late"
RUN_CONTRADICTED = "canbao.run.contradicted"
APPROVAL_WAITING = "canbao.approval.waiting"
DELIVERY_DEAD = "canbao.delivery.dead"
DELIVERY_HELD = "canbao.delivery.held"
SWEEP_STALE = "canbao.sweep.stale"
SWEEP = "sweep"
"""What a stale sweep is called in its event and its alarm, so that both make one message."""

NAMESPACE = UUID("6f1b5a52-7d0e-4d0c-9a53-0c5ac2c2f0a1")
"""Of the ids of our events: any constant will do, as long as it never changes."""
RELATED_AT_MOST = 80
"""Organisations in one event; Prefect takes a hundred related resources, and the flow run brings some of its own."""


def note(tx: Connection, campaign: str, event: str, key: str, at: datetime, subject: str, *,
         organisations: Sequence[str] = (), run: int | None = None, **facts: object) -> None:
    """Writes a fact in the transaction of what it tells, once per ``key``. ``subject`` is what it is about (an item, a
    feed, a release); ``facts`` are counts and ids. One that concerns very many organisations is told in parts."""
    store.note(tx, campaign, _parts(event, key, at, subject, organisations, run, facts))


def _parts(event: str, key: str, at: datetime, subject: str, organisations: Sequence[str], run: int | None,
           facts: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    for first in range(0, max(1, len(organisations)), RELATED_AT_MOST):
        part = list(organisations[first:first + RELATED_AT_MOST])
        yield {"event": event, "key": f"{key}#{first}" if first else key, "at": at, "subject": subject,
               "organisations": part, "run_id": run, "facts": {**facts, "organisations": len(organisations)}}


def note_due_passed(tx: Connection, campaign: str, since: datetime, as_of: datetime) -> None:
    """Reports missed and feeds late: what fell due since the last sweep, and nothing has come."""
    for row in store.due_passed(tx, campaign, since, as_of):
        event = FEED_LATE if row["kind"] == "feed" else REPORT_MISSED
        note(tx, campaign, event, f"{row['item']}/{row['period']}/{row['due_before'].isoformat()}", as_of,
             row["item"], organisations=row["organisations"], period=row["period"], due_before=row["due_before"].isoformat())


def note_contradictions(tx: Connection, campaign: str, run: int, period: str, as_of: datetime) -> None:
    """Answers that this run's registers refuted, by owner."""
    owners = {row["owner"]: row["findings"] for row in store.contradicted(tx, run)}
    if owners:
        # A run that is made anew may refute more: that is another fact.
        note(tx, campaign, RUN_CONTRADICTED, f"{run}/{sum(owners.values())}", as_of, f"run {run}", organisations=list(owners),
             run=run, period=period, findings=sum(owners.values()))


def notice_stale_sweep(campaign: str, as_of: datetime) -> bool:
    """Notes that nobody has swept for longer than the plan allows; whatever else still runs asks. Once for each last sweep."""
    with transaction() as tx:
        swept = stale_since(tx, campaign, as_of)
        if swept is not None:
            note(tx, campaign, SWEEP_STALE, swept.isoformat(), as_of, SWEEP, last_sweep=swept.isoformat(),
                 hours=int((as_of - swept).total_seconds() // 3600))
    return swept is not None


def stale_since(tx: Connection, campaign: str, as_of: datetime) -> datetime | None:
    """The last sweep, if it was longer ago than the plan allows."""
    swept = campaigns.last_sweep(tx, campaign)
    if swept is None or as_of - swept <= timedelta(hours=plan_in_force(campaign).sending.stale_sweep_hours):
        return None
    return swept


def announce(campaign: str, as_of: datetime) -> int:
    """Tells Prefect the facts it does not know yet; how many. Harmless where no server is configured or none answers: the
    next run that finds one tells them, unless they have grown too old to be news (the plan's ``sending.news_days``)."""
    from tasks import prefect_server

    if not prefect_server.is_configured():
        return 0
    plan = plan_in_force(campaign)
    with transaction() as tx:
        waiting = store.untold(tx, campaign)
        news = [row for row in waiting if row["at"] > as_of - timedelta(days=plan.sending.news_days)]
        teller = prefect_server.execution()
        if news and not prefect_server.tell([_event(plan, row, teller) for row in news]):
            return 0
        store.told(tx, [row["id"] for row in waiting], as_of)
    return len(news)


def _event(plan: Plan, row: store.Row, teller: tuple[str, str, int] | None) -> dict[str, Any]:
    """A fact as Prefect's server takes it; ``teller`` is the flow run that tells it."""
    facts = row["facts"]
    # The feed shows the resource's name and nothing else of what happened until a person opens the event.
    told = " ".join(part for part in (plan.id, facts.get("period"), row["subject"], facts.get("step")) if part)
    related = [{"prefect.resource.id": f"canbao.organisation.{plan.id}.{code}", "prefect.resource.role": "organisation",
                "prefect.resource.name": short_name(plan, code), "canbao.organisation": code}
               for code in row["organisations"]]
    if row["run_id"] is not None:
        related.append({"prefect.resource.id": f"canbao.run.{row['run_id']}", "prefect.resource.role": "run"})
    if teller is not None:
        related.append({"prefect.resource.id": f"prefect.flow-run.{teller[0]}", "prefect.resource.role": "flow-run",
                        "prefect.resource.name": teller[1]})
    return {
        "id": uuid5(NAMESPACE, f"{plan.id}/{row['event']}/{row['key']}"), "event": row["event"],
        "resource": {"prefect.resource.id": f"canbao.campaign.{plan.id}", "prefect.resource.name": told,
                     "canbao.campaign": plan.id, "canbao.subject": row["subject"]},
        "related": related,
        "payload": {**facts, "campaign": plan.id, "subject": row["subject"], "as_of": as_instant(plan, row["at"]).isoformat()}}
