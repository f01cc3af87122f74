"""Decisions of identity: what people said at the clerical bench. Nothing here names a person or a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import IdentityDecision


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer: the row that asks ``row_key`` is (or is not) about that person."""

    row_key: str
    person_id: str
    is_same: bool
    reason: str = ""


def standing(tx: Connection, campaign: str) -> list[RowMapping]:
    """The decisions in force, in an order of their own."""
    return list(tx.execute(select(IdentityDecision.__table__).where(
        IdentityDecision.campaign_id == campaign, IdentityDecision.superseded_at.is_(None),
    ).order_by(IdentityDecision.row_key, IdentityDecision.person_id)).mappings())


def record(tx: Connection, campaign: str, decisions: Sequence[Decision], *, period: str, by: str, at: datetime) -> int:
    """Remembers decisions; answers with how many are new or changed. The same answer twice is one.

    A row is about one person: who says that it is another's takes the earlier answer back, and the earlier row stays as
    superseded. The caller has seen to it that no two of ``decisions`` contradict each other.
    """
    known = {(row["row_key"], row["person_id"]): row for row in standing(tx, campaign)}
    changed = [it for it in decisions
               if (row := known.get((it.row_key, it.person_id))) is None or row["is_same"] != it.is_same]
    answered = {(it.row_key, it.person_id) for it in changed}
    settled = {it.row_key for it in changed if it.is_same}
    outdated = [row["id"] for pair, row in known.items() if pair in answered or (row["is_same"] and pair[0] in settled)]
    _supersede(tx, outdated, at)
    if changed:
        tx.execute(insert(IdentityDecision), [
            {"campaign_id": campaign, "row_key": it.row_key, "person_id": it.person_id, "is_same": it.is_same,
             "period": period, "decided_by": by, "decided_at": at, "reason": it.reason} for it in changed])
    return len(changed)


def _supersede(tx: Connection, ids: Iterable[int], at: datetime) -> None:
    tx.execute(update(IdentityDecision).where(IdentityDecision.id.in_(list(ids))).values(superseded_at=at))
