"""Deliveries, their checks, and which snapshots a comparison reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import CheckRow, Delivery

Row = RowMapping
IN_FORCE = (Delivery.superseded_at.is_(None), Delivery.verdict != "returned")


def record(tx: Connection, values: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> tuple[int, bool]:
    """Records a delivery with its checks. The same file again for the same feed, period and provider is recognised.

    An accepted one supersedes the provider's earlier delivery of the period without erasing it. Returns (id, is new).
    """
    new = tx.execute(insert(Delivery).values(**values).on_conflict_do_nothing().returning(Delivery.id)).scalar()
    if new is None:
        return tx.execute(select(Delivery.id).where(
            Delivery.campaign_id == values["campaign_id"], Delivery.feed == values["feed"],
            Delivery.period == values["period"], Delivery.provider == values["provider"],
            Delivery.sha256 == values["sha256"])).scalar_one(), False
    if checks:
        tx.execute(insert(CheckRow).values([{"delivery_id": new, **check} for check in checks])
                   .on_conflict_do_nothing())
    if values["verdict"] != "returned":
        tx.execute(update(Delivery).where(
            Delivery.campaign_id == values["campaign_id"], Delivery.feed == values["feed"],
            Delivery.period == values["period"], Delivery.provider == values["provider"], Delivery.id != new, *IN_FORCE,
        ).values(superseded_at=values["received_at"]))
    return new, True


def known(tx: Connection, campaign: str, sha256: str) -> Row | None:
    """An earlier delivery of the same bytes, if any."""
    return tx.execute(select(Delivery.__table__).where(Delivery.campaign_id == campaign, Delivery.sha256 == sha256)
                      .order_by(Delivery.id)).mappings().first()


def previous_rows(tx: Connection, campaign: str, feed: str, provider: str, period: str) -> int | None:
    """Accepted rows of the provider's last accepted delivery of an earlier period."""
    return tx.execute(select(Delivery.accepted).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.provider == provider,
        Delivery.period < period, *IN_FORCE).order_by(Delivery.period.desc(), Delivery.id.desc()).limit(1)).scalar()


def accepted(tx: Connection, campaign: str, period: str) -> list[Row]:
    """For each feed and provider the accepted delivery in force for the period, or the latest earlier one (stale)."""
    nth = func.row_number().over(
        partition_by=(Delivery.feed, Delivery.provider), order_by=(Delivery.period.desc(), Delivery.id.desc()))
    ranked = select(Delivery.__table__, nth.label("nth")).where(
        Delivery.campaign_id == campaign, Delivery.period <= period, *IN_FORCE).subquery()
    return list(tx.execute(select(ranked).where(ranked.c.nth == 1)
                           .order_by(ranked.c.feed, ranked.c.provider)).mappings())


def supplements(tx: Connection, campaign: str, feed: str, period: str) -> list[Row]:
    """Every accepted delivery in force of a feed whose files only add, up to a period, in the order received."""
    return list(tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.period <= period, *IN_FORCE,
    ).order_by(Delivery.period, Delivery.id)).mappings())


def all_of(tx: Connection, campaign: str, period: str | None = None) -> list[Row]:
    """Every delivery, in the order received."""
    query = select(Delivery.__table__).where(Delivery.campaign_id == campaign)
    if period:
        query = query.where(Delivery.period == period)
    return list(tx.execute(query.order_by(Delivery.received_at, Delivery.id)).mappings())


def accounts(tx: Connection, campaign: str) -> Row:
    """Files and rows of the whole campaign by outcome."""
    return tx.execute(select(
        func.count().label("files"), func.count().filter(Delivery.verdict == "returned").label("returned"),
        func.coalesce(func.sum(Delivery.rows), 0).label("rows"),
        func.coalesce(func.sum(Delivery.accepted), 0).label("accepted"),
        func.coalesce(func.sum(Delivery.quarantined), 0).label("quarantined"),
        func.coalesce(func.sum(Delivery.duplicate), 0).label("duplicate"),
        func.coalesce(func.sum(Delivery.dropped), 0).label("dropped"),
    ).where(Delivery.campaign_id == campaign)).mappings().one()
