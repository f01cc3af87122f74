"""Saved mappings: what an operator once confirmed of a department's headers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects.postgresql import insert

from models.tables import SavedMapping

Row = RowMapping


def save(tx: Connection, campaign: str, feed: str, provider: str, header_key: str, column: str, *, by: str, at: datetime,
         reason: str) -> None:
    """Remembers what a header means ('' = nothing that is kept); what was confirmed before of it is replaced."""
    said = {"column_name": column, "confirmed_by": by, "confirmed_at": at, "reason": reason}
    tx.execute(insert(SavedMapping).values(
        campaign_id=campaign, feed=feed, provider=provider, header_key=header_key, **said,
    ).on_conflict_do_update(index_elements=["campaign_id", "feed", "provider", "header_key"], set_=said))


def forget(tx: Connection, campaign: str, feed: str, provider: str, header_key: str) -> bool:
    """Removes a confirmed header; returns whether there was one."""
    return bool(tx.execute(delete(SavedMapping).where(
        SavedMapping.campaign_id == campaign, SavedMapping.feed == feed, SavedMapping.provider == provider,
        SavedMapping.header_key == header_key)).rowcount)


def mapping(tx: Connection, campaign: str, feed: str, provider: str) -> dict[str, str]:
    """Header key to column for one provider's files of a feed."""
    return {row["header_key"]: row["column_name"] for row in listed(tx, campaign, feed, provider)}


def listed(tx: Connection, campaign: str, feed: str | None = None, provider: str | None = None) -> list[Row]:
    """What is remembered, of the whole campaign or of one feed or provider."""
    query = select(SavedMapping.__table__).where(SavedMapping.campaign_id == campaign)
    if feed is not None:
        query = query.where(SavedMapping.feed == feed)
    if provider is not None:
        query = query.where(SavedMapping.provider == provider)
    return list(tx.execute(query.order_by(
        SavedMapping.feed, SavedMapping.provider, SavedMapping.header_key)).mappings())
