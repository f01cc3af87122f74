"""Obligations, what was handed in for them, the ladder's ledger, and the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import Acknowledgement, Extension, Message, Obligation, StepRow, Submission

Row = RowMapping


def make(tx: Connection, campaign: str, expected: Iterable[Mapping[str, Any]]) -> int:
    """Makes obligation rows ahead; those that exist stay as they are. Returns how many are new."""
    rows = [{"campaign_id": campaign, **row} for row in expected]
    made = 0
    for start in range(0, len(rows), 5000):
        statement = insert(Obligation).values(rows[start:start + 5000]).on_conflict_do_nothing()
        made += tx.execute(statement).rowcount
    return made


FACTS = text("""
    SELECT o.*,
           coalesce((SELECT json_agg(json_build_object('id', s.id, 'received_at', s.received_at,
                        'sent_back_at', s.sent_back_at, 'accepted_at', s.accepted_at) ORDER BY s.received_at, s.id)
                     FROM submission s WHERE s.obligation_id = o.id), '[]') AS submissions,
           coalesce((SELECT json_agg(json_build_object('granted_at', e.granted_at, 'due_before', e.due_before)
                        ORDER BY e.granted_at) FROM extension e WHERE e.obligation_id = o.id), '[]') AS extensions,
           (SELECT max(a.acknowledged_at) FROM acknowledgement a
             WHERE a.obligation_id = o.id AND a.acknowledged_at <= :as_of) AS acknowledged_at
    FROM obligation o
    WHERE o.campaign_id = :campaign
      AND (:item IS NULL OR o.item = :item)
      AND (:period IS NULL OR o.period = :period)
      AND (:organisation IS NULL OR o.organisation = :organisation)
      AND (CAST(:open_at AS timestamptz) IS NULL OR (o.opens_at <= :open_at AND NOT EXISTS (
            SELECT 1 FROM submission s WHERE s.obligation_id = o.id AND s.accepted_at <= :open_at)))
    ORDER BY o.due_before, o.item, o.organisation
""")


def facts(tx: Connection, campaign: str, as_of: datetime, *, item: str | None = None, period: str | None = None,
          organisation: str | None = None, only_open: bool = False) -> list[Row]:
    """Obligations with everything their status is computed from; ``only_open``: begun and not accepted yet."""
    return list(tx.execute(FACTS, {"campaign": campaign, "as_of": as_of, "item": item, "period": period,
                                   "organisation": organisation, "open_at": as_of if only_open else None}).mappings())


def one(tx: Connection, campaign: str, item: str, organisation: str, period: str) -> Row | None:
    """The obligation row of an item, organisation and period."""
    return tx.execute(select(Obligation.__table__).where(
        Obligation.campaign_id == campaign, Obligation.item == item, Obligation.organisation == organisation,
        Obligation.period == period)).mappings().first()


CLIMBING = text("""
    SELECT o.*,
           (SELECT max(a.acknowledged_at) FROM acknowledgement a
             WHERE a.obligation_id = o.id AND a.acknowledged_at <= :as_of) AS acknowledged_at,
           (SELECT min(s.received_at) FROM submission s
             WHERE s.obligation_id = o.id AND s.received_at <= :as_of
               AND (s.sent_back_at IS NULL OR s.accepted_at > s.sent_back_at)) AS ended_at,
           (SELECT max(e.due_before) FROM extension e
             WHERE e.obligation_id = o.id AND e.granted_at <= :as_of AND e.due_before > o.due_before) AS extended_to,
           coalesce((SELECT array_agg(s.step_id || '#' || s.occurrence) FROM step s WHERE s.obligation_id = o.id), '{}')
             AS recorded
    FROM obligation o
    WHERE o.campaign_id = :campaign AND o.ladder = ANY(:ladders) AND o.excused_at IS NULL
      AND o.due_before <= :horizon
      AND (SELECT count(*) FROM step s WHERE s.obligation_id = o.id) < o_rungs(o.ladder, :ladders, :rungs)
    ORDER BY o.id
    FOR UPDATE OF o SKIP LOCKED
""".replace("o_rungs(o.ladder, :ladders, :rungs)", "(CAST(:rungs AS int[]))[array_position(:ladders, o.ladder)]"))


def climbing(tx: Connection, campaign: str, as_of: datetime, horizon: datetime, rungs: Mapping[str, int]) -> list[Row]:
    """Obligations on a ladder with rungs still unrecorded and a due instant before ``horizon``; locked for this
    transaction, those another sweep holds are skipped. ``rungs`` gives the number of rungs of each ladder."""
    ladders = sorted(rungs)
    return list(tx.execute(CLIMBING, {"campaign": campaign, "as_of": as_of, "horizon": horizon, "ladders": ladders,
                                      "rungs": [rungs[name] for name in ladders]}).mappings())


def record_steps(tx: Connection, steps: Sequence[Mapping[str, Any]]) -> int:
    """Writes ledger rows; a rung that stands already is left alone. Returns how many are new."""
    if not steps:
        return 0
    return tx.execute(insert(StepRow).values(list(steps)).on_conflict_do_nothing()).rowcount


def write_messages(tx: Connection, messages: Sequence[Mapping[str, Any]]) -> int:
    """Puts messages into the outbox, each key once. Returns how many are new."""
    if not messages:
        return 0
    return tx.execute(insert(Message).values(list(messages)).on_conflict_do_nothing(index_elements=["key"])).rowcount


def waiting_messages(tx: Connection, campaign: str, limit: int = 500) -> list[Row]:
    """Messages not sent yet, oldest first; another sender's are skipped."""
    return list(tx.execute(
        select(Message.__table__).where(Message.campaign_id == campaign, Message.sent_at.is_(None))
        .order_by(Message.id).limit(limit).with_for_update(skip_locked=True)).mappings())


def message_sent(tx: Connection, message_id: int, at: datetime) -> None:
    """Records that a message left."""
    tx.execute(update(Message).where(Message.id == message_id)
               .values(sent_at=at, attempts=Message.attempts + 1, last_error=None))


def submit(tx: Connection, obligation_id: int, *, received_at: datetime, sha256: str, path: str,
           prepared_by: str | None, reviewed_by: str | None, texts: Mapping[str, Any],
           faults: Mapping[str, Any]) -> tuple[int, bool]:
    """Records a submission; the same content again is the same submission. Returns (id, is new)."""
    new = tx.execute(insert(Submission).values(
        obligation_id=obligation_id, received_at=received_at, sha256=sha256, path=path, prepared_by=prepared_by,
        reviewed_by=reviewed_by, texts=dict(texts), faults=dict(faults),
    ).on_conflict_do_nothing().returning(Submission.id)).scalar()
    if new is not None:
        return new, True
    known = tx.execute(select(Submission.id).where(
        Submission.obligation_id == obligation_id, Submission.sha256 == sha256)).scalar_one()
    return known, False


def accept(tx: Connection, submission_id: int, at: datetime) -> None:
    """Accepts a submission; the first acceptance counts."""
    tx.execute(update(Submission).where(Submission.id == submission_id, Submission.accepted_at.is_(None))
               .values(accepted_at=at))


def send_back(tx: Connection, submission_id: int, at: datetime) -> None:
    """Sends a submission back; the obligation is open again."""
    tx.execute(update(Submission).where(Submission.id == submission_id, Submission.sent_back_at.is_(None))
               .values(sent_back_at=at))


def acknowledge(tx: Connection, obligation_id: int, at: datetime, by: str) -> None:
    """Records 「收到」."""
    tx.execute(insert(Acknowledgement).values(obligation_id=obligation_id, acknowledged_at=at, acknowledged_by=by)
               .on_conflict_do_nothing())


def extend(tx: Connection, obligation_id: int, *, due_before: datetime, granted_at: datetime, granted_by: str,
           reason: str) -> None:
    """Grants a later due instant as a dated row of its own."""
    tx.execute(insert(Extension).values(obligation_id=obligation_id, due_before=due_before, granted_at=granted_at,
                                        granted_by=granted_by, reason=reason))


def excuse(tx: Connection, obligation_id: int, at: datetime, reason: str) -> None:
    """Excuses an organisation from one obligation, with the reason."""
    tx.execute(update(Obligation).where(Obligation.id == obligation_id, Obligation.excused_at.is_(None))
               .values(excused_at=at, excuse_reason=reason))


def step_counts(tx: Connection, campaign: str) -> list[Row]:
    """Rungs by step and state over the whole campaign."""
    return list(tx.execute(
        select(Obligation.ladder, StepRow.step_id, StepRow.kind, StepRow.state, func.count().label("steps"))
        .join(Obligation, Obligation.id == StepRow.obligation_id).where(Obligation.campaign_id == campaign)
        .group_by(Obligation.ladder, StepRow.step_id, StepRow.kind, StepRow.state)
        .order_by(Obligation.ladder, StepRow.step_id, StepRow.state)).mappings())


def steps_of(tx: Connection, campaign: str, organisation: str, item: str | None = None) -> list[Row]:
    """The ledger of one organisation in the order it was planned."""
    query = (
        select(Obligation.item, Obligation.period, StepRow.step_id, StepRow.occurrence, StepRow.kind, StepRow.state,
               StepRow.planned_at, StepRow.recorded_at)
        .join(Obligation, Obligation.id == StepRow.obligation_id)
        .where(Obligation.campaign_id == campaign, Obligation.organisation == organisation))
    if item:
        query = query.where(Obligation.item == item)
    return list(tx.execute(query.order_by(StepRow.planned_at, StepRow.id)).mappings())
