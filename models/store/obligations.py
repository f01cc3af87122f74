"""Obligations, what was handed in for them, the ladder's ledger, and the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from models.store.bulk import insert_new, upsert
from models.tables import Acknowledgement, Extension, Obligation, StepRow, Submission

Row = RowMapping


def make(tx: Connection, campaign: str, expected: Iterable[Mapping[str, Any]], as_of: datetime) -> dict[str, int]:
    """Makes obligation rows ahead. Of those that exist, the ones not open yet follow a changed plan; an open one keeps
    the dates it was announced with (an extension is the way to change them).

    One that the plan no longer expects and that is not open yet is excused, never erased. Returns ``made``, ``changed``
    and ``excused``.
    """
    rows = [{"campaign_id": campaign, **row, "look_at": None} for row in expected]
    before = tx.execute(select(func.count()).select_from(Obligation).where(Obligation.campaign_id == campaign)).scalar_one()
    ahead = tx.connection.cursor().mogrify("obligation.opens_at > %s", [as_of]).decode()
    written = upsert(tx, Obligation, rows, ("campaign_id", "item", "organisation", "period"), only_if=ahead)
    after = tx.execute(select(func.count()).select_from(Obligation).where(Obligation.campaign_id == campaign)).scalar_one()
    dropped = tx.execute(text("""
        UPDATE obligation o SET excused_at = :as_of, excuse_reason = '计划调整，不再要求报送', look_at = NULL
        WHERE o.campaign_id = :campaign AND o.excused_at IS NULL AND o.opens_at > :as_of
          AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:items AS text[]), CAST(:units AS text[]), CAST(:periods AS text[]))
                                        AS e (item, organisation, period)
                          WHERE (e.item, e.organisation, e.period) = (o.item, o.organisation, o.period))
    """), {"as_of": as_of, "campaign": campaign, "items": [row["item"] for row in rows],
           "units": [row["organisation"] for row in rows], "periods": [row["period"] for row in rows]}).rowcount
    return {"made": after - before, "changed": written - (after - before), "excused": dropped}


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
             AS recorded,
           coalesce((SELECT bool_and(m.sent_at IS NULL AND (m.held_at IS NOT NULL OR m.dead_at IS NOT NULL)) FROM message m
             WHERE m.obligation_id = o.id AND m.organisation = o.organisation AND m.written_at = (
                 SELECT max(n.written_at) FROM message n WHERE n.obligation_id = o.id AND n.organisation = o.organisation)), false)
             AS is_unreached
    FROM obligation o
    WHERE o.campaign_id = :campaign AND o.ladder = ANY(:ladders) AND o.excused_at IS NULL
      AND o.due_before <= :horizon AND (o.look_at IS NULL OR o.look_at <= :as_of) AND o.id > :after
    ORDER BY o.id LIMIT :limit
    FOR UPDATE OF o SKIP LOCKED
""")


def climbing(tx: Connection, campaign: str, as_of: datetime, horizon: datetime, ladders: Sequence[str], *,
             after: int = 0, limit: int = 5000) -> list[Row]:
    """Obligations on a ladder at which a sweep has to look now (``look_at``), due before ``horizon``, beyond id
    ``after``; locked for this transaction, those another sweep holds are skipped."""
    return list(tx.execute(CLIMBING, {"campaign": campaign, "as_of": as_of, "horizon": horizon, "after": after,
                                      "ladders": list(ladders), "limit": limit}).mappings())


def look_again(tx: Connection, when: Mapping[int, datetime]) -> None:
    """Says from when on a sweep has to look at each obligation again."""
    if when:
        tx.execute(text("""
            UPDATE obligation o SET look_at = w.at
            FROM unnest(CAST(:ids AS bigint[]), CAST(:instants AS timestamptz[])) AS w (id, at) WHERE o.id = w.id
        """), {"ids": list(when), "instants": list(when.values())})


def _look_now(tx: Connection, obligation_id: Any) -> None:
    """Something happened to an obligation: the next sweep looks at it."""
    tx.execute(update(Obligation).where(Obligation.id == obligation_id).values(look_at=None))


def _of_submission(submission_id: int) -> Any:
    return select(Submission.obligation_id).where(Submission.id == submission_id).scalar_subquery()


def record_steps(tx: Connection, steps: Sequence[Mapping[str, Any]]) -> None:
    """Writes ledger rows; a rung that stands already is left alone."""
    insert_new(tx, StepRow, steps)


def submit(tx: Connection, obligation_id: int, *, received_at: datetime, sha256: str, path: str,
           prepared_by: str | None, reviewed_by: str | None, texts: Mapping[str, Any],
           faults: Mapping[str, Any], figures: Mapping[str, Any] | None = None, remarks: Sequence[Mapping[str, Any]] = (),
           ) -> tuple[int, bool]:
    """Records a submission; the same content again is the same submission. Returns (id, is new)."""
    new = tx.execute(insert(Submission).values(
        obligation_id=obligation_id, received_at=received_at, sha256=sha256, path=path, prepared_by=prepared_by,
        reviewed_by=reviewed_by, texts=dict(texts), faults=dict(faults), figures=dict(figures or {}),
        remarks=[dict(remark) for remark in remarks],
    ).on_conflict_do_nothing().returning(Submission.id)).scalar()
    if new is not None:
        _look_now(tx, obligation_id)
        return new, True
    known = tx.execute(select(Submission.id).where(
        Submission.obligation_id == obligation_id, Submission.sha256 == sha256)).scalar_one()
    return known, False


def accepted(tx: Connection, obligation_id: int) -> Row | None:
    """The submission that stands for an obligation: of those accepted the one that came last."""
    return tx.execute(select(Submission.__table__).where(
        Submission.obligation_id == obligation_id, Submission.accepted_at.is_not(None))
        .order_by(Submission.received_at.desc(), Submission.id.desc()).limit(1)).mappings().first()


def restate(tx: Connection, submission_id: int, restates: int, changes: Sequence[Mapping[str, Any]]) -> None:
    """Marks an accepted submission as the correction of an earlier one, with what it says otherwise (C22)."""
    tx.execute(update(Submission).where(Submission.id == submission_id)
               .values(restates=restates, changes=[dict(change) for change in changes]))


def accepted_reports(tx: Connection, campaign: str, item: str, organisation: str, before: date) -> list[Row]:
    """What a unit's accepted reports of an item said in former periods, one a period, the latest period last."""
    return list(tx.execute(text("""
        SELECT DISTINCT ON (o.period_ends, o.period) o.period, s.texts, s.figures
        FROM submission s JOIN obligation o ON o.id = s.obligation_id
        WHERE o.campaign_id = :campaign AND o.item = :item AND o.organisation = :organisation
          AND o.period_ends < :before AND s.accepted_at IS NOT NULL
        ORDER BY o.period_ends, o.period, s.received_at DESC, s.id DESC
    """), {"campaign": campaign, "item": item, "organisation": organisation, "before": before}).mappings())


def others_texts(tx: Connection, campaign: str, item: str, period: str, organisation: str) -> list[Row]:
    """What the accepted reports of all other units say in the same period, one a unit."""
    return list(tx.execute(text("""
        SELECT DISTINCT ON (o.organisation) o.organisation, s.texts
        FROM submission s JOIN obligation o ON o.id = s.obligation_id
        WHERE o.campaign_id = :campaign AND o.item = :item AND o.period = :period
          AND o.organisation <> :organisation AND s.accepted_at IS NOT NULL
        ORDER BY o.organisation, s.received_at DESC, s.id DESC
    """), {"campaign": campaign, "item": item, "period": period, "organisation": organisation}).mappings())


def submissions_of(tx: Connection, obligation_id: int, as_of: datetime) -> list[Row]:
    """Everything handed in for an obligation by an instant, in order."""
    return list(tx.execute(select(Submission.__table__).where(
        Submission.obligation_id == obligation_id, Submission.received_at <= as_of)
        .order_by(Submission.received_at, Submission.id)).mappings())


def worth_a_look(tx: Connection, campaign: str, as_of: datetime) -> list[Row]:
    """Accepted reports that carry remarks or restate an earlier one, as of an instant, in the order they came."""
    return list(tx.execute(text("""
        SELECT o.item, o.name, o.organisation, o.period, o.period_ends, o.effective_due, s.id, s.received_at, s.remarks,
               s.restates, s.changes
        FROM submission s JOIN obligation o ON o.id = s.obligation_id
        WHERE o.campaign_id = :campaign AND s.accepted_at <= :as_of
          AND (s.remarks <> '[]'::jsonb OR s.restates IS NOT NULL)
        ORDER BY s.received_at, s.id
    """), {"campaign": campaign, "as_of": as_of}).mappings())


def accept(tx: Connection, submission_id: int, at: datetime) -> None:
    """Accepts a submission; the first acceptance counts."""
    tx.execute(update(Submission).where(Submission.id == submission_id, Submission.accepted_at.is_(None))
               .values(accepted_at=at))
    _look_now(tx, _of_submission(submission_id))


def send_back(tx: Connection, submission_id: int, at: datetime) -> None:
    """Sends a submission back; the obligation is open again."""
    tx.execute(update(Submission).where(Submission.id == submission_id, Submission.sent_back_at.is_(None))
               .values(sent_back_at=at))
    _look_now(tx, _of_submission(submission_id))


def acknowledge(tx: Connection, obligation_id: int, at: datetime, by: str) -> None:
    """Records 「收到」."""
    _look_now(tx, obligation_id)
    tx.execute(insert(Acknowledgement).values(obligation_id=obligation_id, acknowledged_at=at, acknowledged_by=by)
               .on_conflict_do_nothing())


def extend(tx: Connection, obligation_id: int, *, due_before: datetime, granted_at: datetime, granted_by: str,
           reason: str) -> None:
    """Grants a later due instant as a dated row of its own."""
    _look_now(tx, obligation_id)
    tx.execute(insert(Extension).values(obligation_id=obligation_id, due_before=due_before, granted_at=granted_at,
                                        granted_by=granted_by, reason=reason))


def excuse(tx: Connection, obligation_id: int, at: datetime, reason: str) -> None:
    """Excuses an organisation from one obligation, with the reason."""
    tx.execute(update(Obligation).where(Obligation.id == obligation_id, Obligation.excused_at.is_(None))
               .values(excused_at=at, excuse_reason=reason))


FALLEN_DUE = """
    o.campaign_id = :campaign AND o.excused_at IS NULL AND o.due_before <= :until
    AND (CAST(:item AS text) IS NULL OR o.item = :item) AND (CAST(:organisation AS text) IS NULL OR o.organisation = :organisation)
    AND (CAST(:period AS text) IS NULL OR o.period = :period)
    AND NOT EXISTS (SELECT FROM extension e WHERE e.obligation_id = o.id AND e.granted_at <= :at AND e.due_before > :until)
    AND NOT EXISTS (SELECT FROM submission s WHERE s.obligation_id = o.id AND s.received_at <= :at
                    AND (s.sent_back_at IS NULL OR s.accepted_at > s.sent_back_at))
"""
"""Owed, last due up to ``until`` with every extension, and nothing stands for it."""


def _fallen_due(campaign: str, until: datetime, at: datetime, narrowed: Mapping[str, str | None]) -> dict[str, Any]:
    return {"campaign": campaign, "until": until, "at": at, "item": None, "organisation": None, "period": None, **narrowed}


def count_fallen_due(tx: Connection, campaign: str, until: datetime, at: datetime) -> int:
    """How many obligations fell due up to ``until`` and have nothing that stands for them."""
    return tx.execute(text(f"SELECT count(*) FROM obligation o WHERE {FALLEN_DUE}"), _fallen_due(campaign, until, at, {})).scalar_one()


def excuse_fallen_due(tx: Connection, campaign: str, until: datetime, at: datetime, reason: str, *, item: str | None = None,
                      organisation: str | None = None, period: str | None = None) -> dict[str, int]:
    """Excuses all of them, of one item, organisation or period if one is named; how many by item."""
    narrowed = {"item": item, "organisation": organisation, "period": period}
    rows = tx.execute(text(f"""
        WITH excused AS (UPDATE obligation o SET excused_at = :at, excuse_reason = :reason WHERE {FALLEN_DUE} RETURNING o.item)
        SELECT item, count(*) FROM excused GROUP BY item ORDER BY item
    """), {**_fallen_due(campaign, until, at, narrowed), "reason": reason})
    return {row[0]: row[1] for row in rows}


def step_counts(tx: Connection, campaign: str) -> list[Row]:
    """Rungs by step and state over the whole campaign."""
    return list(tx.execute(
        select(Obligation.ladder, StepRow.step_id, StepRow.kind, StepRow.state, func.count().label("steps"))
        .join(Obligation, Obligation.id == StepRow.obligation_id).where(Obligation.campaign_id == campaign)
        .group_by(Obligation.ladder, StepRow.step_id, StepRow.kind, StepRow.state)
        .order_by(Obligation.ladder, StepRow.step_id, StepRow.state)).mappings())


def reached(tx: Connection, campaign: str, as_of: datetime) -> list[Row]:
    """The highest rung sent by an instant, of every obligation that has one: obligation, ladder, step, when."""
    return list(tx.execute(
        select(StepRow.obligation_id, Obligation.ladder, StepRow.step_id, StepRow.recorded_at)
        .join(Obligation, Obligation.id == StepRow.obligation_id)
        .where(Obligation.campaign_id == campaign, StepRow.state == "sent", StepRow.recorded_at <= as_of)
        .ext(distinct_on(StepRow.obligation_id)).order_by(StepRow.obligation_id, StepRow.planned_at.desc(), StepRow.id.desc())).mappings())


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
