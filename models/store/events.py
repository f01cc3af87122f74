"""Facts for Prefect's event feed: written in the transaction of what they tell, told after it is committed, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, text, update

from models.store.bulk import insert_new
from models.tables import EventRow

Row = RowMapping

DUE_PASSED = text("""
    -- Reports and feeds whose last day ended between two sweeps and for which nothing stands at the second one.
    WITH looked_at AS (
        SELECT id FROM obligation WHERE campaign_id = :campaign AND due_before > :since AND due_before <= :until
        UNION SELECT obligation_id FROM extension WHERE due_before > :since AND due_before <= :until
    ),
    due AS (
        SELECT o.id, o.kind, o.item, o.organisation, o.period,
               coalesce((SELECT max(e.due_before) FROM extension e WHERE e.obligation_id = o.id AND e.granted_at <= :until),
                        o.due_before) AS due_before
        FROM obligation o JOIN looked_at USING (id) WHERE o.campaign_id = :campaign AND o.excused_at IS NULL
    )
    SELECT kind, item, period, due_before, array_agg(organisation ORDER BY organisation) AS organisations
    FROM due
    WHERE due_before > :since AND due_before <= :until
      AND NOT EXISTS (SELECT FROM submission s WHERE s.obligation_id = due.id AND s.received_at <= :until
                      AND (s.sent_back_at IS NULL OR s.accepted_at > s.sent_back_at))
    GROUP BY kind, item, period, due_before ORDER BY due_before, item, period
""")


def due_passed(tx: Connection, campaign: str, since: datetime, until: datetime) -> list[Row]:
    """What fell due after ``since`` and up to ``until`` and is not there: by item, period and due instant."""
    return list(tx.execute(DUE_PASSED, {"campaign": campaign, "since": since, "until": until}).mappings())


def contradicted(tx: Connection, run_id: int) -> list[Row]:
    """Answers that a run refuted, by owner: how many."""
    return list(tx.execute(text("""
        SELECT f.owner, count(*) AS findings FROM finding_event e JOIN finding f ON f.id = e.finding_id
        WHERE e.run_id = :run AND e.event = 'contradicted' GROUP BY f.owner ORDER BY f.owner
    """), {"run": run_id}).mappings())


def note(tx: Connection, campaign: str, facts: Iterable[Mapping[str, Any]]) -> int:
    """Writes facts, each key once. Returns how many are new."""
    rows = [{"campaign_id": campaign, "run_id": None, **fact} for fact in facts]
    return insert_new(tx, EventRow, rows)


def untold(tx: Connection, campaign: str, limit: int = 500) -> list[Row]:
    """Facts that Prefect has not been told, oldest first; what another process is telling is skipped."""
    return list(tx.execute(select(EventRow.__table__).where(
        EventRow.campaign_id == campaign, EventRow.told_at.is_(None),
    ).order_by(EventRow.id).limit(limit).with_for_update(skip_locked=True)).mappings())


def told(tx: Connection, ids: Sequence[int], at: datetime) -> None:
    """Marks facts as told."""
    tx.execute(update(EventRow).where(EventRow.id.in_(ids)).values(told_at=at))
