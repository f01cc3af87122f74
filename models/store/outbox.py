"""The outbox: messages written with the step they belong to, claimed by a sender, sent, tried again, given up.

A claim is committed before anything leaves: it counts the attempt and says when the next one may be made. A sender
that dies in between therefore loses nothing: the message is claimed again, and its row says that an earlier attempt's
outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, case, exists, func, or_, select, text, update

from models.store.bulk import insert_new
from models.tables import Message

Row = RowMapping
UNKNOWN = "outcome unknown"
"""What a row says of an attempt that was begun and never settled."""

CLAIM = text("""
    UPDATE message m
    SET attempts = m.attempts + 1,
        last_error = CASE WHEN m.attempts > 0 THEN coalesce(m.last_error, :unknown) ELSE m.last_error END,
        next_attempt_at = CAST(:as_of AS timestamptz) + CASE WHEN m.attempts < cardinality(CAST(:waits AS interval[]))
            THEN (CAST(:waits AS interval[]))[m.attempts + 1] ELSE (CAST(:waits AS interval[]))[cardinality(CAST(:waits AS interval[]))] END
    WHERE m.id IN (
        SELECT id FROM message
        WHERE campaign_id = :campaign AND sent_at IS NULL AND dead_at IS NULL
          AND (next_attempt_at IS NULL OR next_attempt_at <= :as_of)
        ORDER BY organisation, role, address, channel, id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING m.*
""")


def write(tx: Connection, messages: Sequence[Mapping[str, Any]]) -> int:
    """Puts messages into the outbox, each key once. Returns how many are new."""
    return insert_new(tx, Message, messages)


def is_written(tx: Connection, key: str) -> bool:
    """Whether there is a message of this key, sent or not."""
    return tx.execute(select(Message.id).where(Message.key == key)).first() is not None


def claim(tx: Connection, campaign: str, as_of: datetime, waits: Sequence[timedelta],
          limit: int = 1000) -> list[list[Row]]:
    """Takes waiting messages for one attempt each, as letters: those to one recipient by one channel go together.
    Messages that another sender holds are skipped.

    What was once put together stays together: a second attempt is at the same letter, so that a receiver can tell that
    it is. ``waits`` are the pauses after the first, second, … attempt; the last one repeats.
    """
    rows = tx.execute(CLAIM, {"campaign": campaign, "as_of": as_of, "unknown": UNKNOWN, "limit": limit,
                              "waits": [str(wait) for wait in waits]}).mappings().all()
    letters: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        recipient = (row["organisation"], row["role"], row["address"], row["channel"])
        letters.setdefault((*recipient, row["letter"]), []).append(row)
    fresh = {row["id"]: rows[0]["id"] for key, rows in letters.items() if key[-1] is None for row in rows}
    if fresh:
        tx.execute(text("""
            UPDATE message m SET letter = f.letter
            FROM unnest(CAST(:ids AS bigint[]), CAST(:letters AS bigint[])) AS f (id, letter) WHERE m.id = f.id
        """), {"ids": list(fresh), "letters": list(fresh.values())})
    return list(letters.values())


def has_waiting(tx: Connection, campaign: str, as_of: datetime) -> bool:
    """Whether there is a message that may be sent now."""
    return bool(tx.execute(select(exists().where(
        Message.campaign_id == campaign, Message.sent_at.is_(None), Message.dead_at.is_(None),
        or_(Message.next_attempt_at.is_(None), Message.next_attempt_at <= as_of)))).scalar())


def sent(tx: Connection, ids: Sequence[int], at: datetime) -> None:
    """Records that messages left; what went wrong before stays on the row."""
    tx.execute(update(Message).where(Message.id.in_(ids)).values(sent_at=at, next_attempt_at=None, held_at=None))


AGAIN_AFTER = timedelta(minutes=1)
"""A held message is looked at with every sending; not twice in the same one."""


def hold(tx: Connection, ids: Sequence[int], reason: str, at: datetime) -> int:
    """Records that messages have no way out: no attempt was made. Answers how many were not held before."""
    fresh: int = tx.execute(select(func.count()).where(Message.id.in_(ids), Message.held_at.is_(None))).scalar_one()
    tx.execute(update(Message).where(Message.id.in_(ids)).values(
        attempts=Message.attempts - 1, held_at=func.coalesce(Message.held_at, at), last_error=reason, next_attempt_at=at + AGAIN_AFTER))
    return fresh


def failed(tx: Connection, ids: Sequence[int], error: str, at: datetime, give_up_after: int) -> int:
    """Records that an attempt failed; a message tried ``give_up_after`` times is dead. Returns how many died now."""
    died = case((Message.attempts >= give_up_after, at), else_=None)
    return len([found for found in tx.execute(
        update(Message).where(Message.id.in_(ids)).values(last_error=error, dead_at=died, held_at=None).returning(Message.dead_at)
    ).scalars() if found])


def counts(tx: Connection, campaign: str, as_of: datetime) -> dict[str, int]:
    """Messages written up to an instant by what had become of them then: waiting, sent, dead, held."""
    row = tx.execute(select(
        func.count().filter(Message.sent_at <= as_of).label("sent"),
        func.count().filter(Message.dead_at <= as_of).label("dead"),
        func.count().filter((Message.sent_at.is_(None) | (Message.sent_at > as_of))
                            & (Message.dead_at.is_(None) | (Message.dead_at > as_of))
                            & (Message.held_at.is_(None) | (Message.held_at > as_of))).label("waiting"),
        func.count().filter((Message.held_at <= as_of) & Message.sent_at.is_(None) & Message.dead_at.is_(None)).label("held"),
    ).where(Message.campaign_id == campaign, Message.written_at <= as_of)).mappings().one()
    return dict(row)


def dead(tx: Connection, campaign: str) -> list[Row]:
    """Messages that could not be delivered, oldest first: to whom, why, after how many attempts."""
    return list(tx.execute(
        select(Message.id, Message.organisation, Message.role, Message.channel, Message.kind, Message.attempts,
               Message.last_error, Message.written_at, Message.dead_at)
        .where(Message.campaign_id == campaign, Message.dead_at.is_not(None), Message.sent_at.is_(None))
        .order_by(Message.id)).mappings())


def held(tx: Connection, campaign: str) -> list[Row]:
    """How many messages have no way out now, by the channel they name and what is missing."""
    return list(tx.execute(
        select(Message.channel, Message.last_error, func.count().label("messages"), func.min(Message.held_at).label("since"))
        .where(Message.campaign_id == campaign, Message.held_at.is_not(None), Message.sent_at.is_(None), Message.dead_at.is_(None))
        .group_by(Message.channel, Message.last_error).order_by(Message.channel, Message.last_error)).mappings())


def revive(tx: Connection, campaign: str, ids: Sequence[int] | None = None) -> int:
    """Lets dead messages be tried again from the start (all, or some by id); returns how many."""
    query = update(Message).where(Message.campaign_id == campaign, Message.dead_at.is_not(None),
                                  Message.sent_at.is_(None))
    if ids is not None:
        query = query.where(Message.id.in_(ids))
    return tx.execute(query.values(dead_at=None, attempts=0, next_attempt_at=None)).rowcount
