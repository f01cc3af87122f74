"""Documents that were made: rosters, forms, bulletins, reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, text
from sqlalchemy.dialects.postgresql import insert

from models.tables import DocumentRow


def record(tx: Connection, **values: Any) -> bool:
    """Records a document; the same bytes again are the same document. Returns whether it is new."""
    return bool(tx.execute(insert(DocumentRow).values(**values).on_conflict_do_nothing()).rowcount)


def latest(tx: Connection, campaign: str, kind: str, period: str, organisation: str) -> RowMapping | None:
    """The latest document of a kind for a period and organisation."""
    return tx.execute(select(DocumentRow.__table__).where(
        DocumentRow.campaign_id == campaign, DocumentRow.kind == kind, DocumentRow.period == period,
        DocumentRow.organisation == organisation).order_by(DocumentRow.id.desc()).limit(1)).mappings().first()


def latest_of(tx: Connection, campaign: str, kind: str, organisation: str) -> RowMapping | None:
    """The latest document of a kind that an organisation holds, of whatever period."""
    return tx.execute(select(DocumentRow.path, DocumentRow.content_sha256).where(
        DocumentRow.campaign_id == campaign, DocumentRow.kind == kind, DocumentRow.organisation == organisation,
    ).order_by(DocumentRow.id.desc()).limit(1)).mappings().first()


def series(tx: Connection, campaign: str, kinds: Sequence[str]) -> list[RowMapping]:
    """The documents of some kinds that bear a number, in the order in which they were first made: bulletins once a
    period, corrections once a period and run."""
    return list(tx.execute(text("""
        SELECT kind, period, CASE WHEN kind LIKE 'correction:%' THEN run_id END AS run_id, min(made_at) AS made_at, min(id) AS id
        FROM document WHERE campaign_id = :campaign AND kind = ANY(:kinds) GROUP BY 1, 2, 3 ORDER BY min(id)
    """), {"campaign": campaign, "kinds": list(kinds)}).mappings())


def of_period(tx: Connection, campaign: str, kind: str, period: str) -> list[RowMapping]:
    """Every document of a kind for a period, in the order in which they were made."""
    return list(tx.execute(select(DocumentRow.__table__).where(
        DocumentRow.campaign_id == campaign, DocumentRow.kind == kind, DocumentRow.period == period,
    ).order_by(DocumentRow.id)).mappings())


def issued_before(tx: Connection, campaign: str, kind: str, period: str) -> datetime | None:
    """When the last document of a kind for an earlier period was made."""
    return tx.execute(select(func.max(DocumentRow.made_at)).where(
        DocumentRow.campaign_id == campaign, DocumentRow.kind == kind, DocumentRow.period < period)).scalar()


def all_of(tx: Connection, campaign: str, kind: str | None = None) -> list[RowMapping]:
    """All documents of a campaign, or those of a kind."""
    query = select(DocumentRow.__table__).where(DocumentRow.campaign_id == campaign)
    if kind:
        query = query.where(DocumentRow.kind == kind)
    return list(tx.execute(query.order_by(DocumentRow.id)).mappings())
