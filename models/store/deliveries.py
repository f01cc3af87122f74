"""Deliveries, their checks, and which snapshots a comparison reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import CheckRow, Delivery

Row = RowMapping
IN_FORCE = (Delivery.superseded_at.is_(None), Delivery.verdict != "returned")


def hold(tx: Connection, campaign: str, feed: str, period: str, sender: str) -> None:
    """Lets one file of a sender, feed and period be judged at a time, until this transaction ends: whether a file is
    another part or a new version can only be told beside those already in force."""
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
               {"key": f"delivery/{campaign}/{feed}/{period}/{sender}"})


def record(
    tx: Connection, values: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], supersedes: Collection[int], at: datetime
) -> tuple[int, bool]:
    """Records a delivery with its checks, in the place of those it supersedes as of ``at``; these are not erased. The
    same file again for the same feed, period and provider is recognised. Returns (id, is new)."""
    tx.execute(update(Delivery).where(Delivery.id.in_(list(supersedes)), Delivery.superseded_at.is_(None))
               .values(superseded_at=at))
    new = tx.execute(insert(Delivery).values(**values).on_conflict_do_nothing().returning(Delivery.id)).scalar()
    if new is None:
        return tx.execute(select(Delivery.id).where(
            Delivery.campaign_id == values["campaign_id"], Delivery.feed == values["feed"],
            Delivery.period == values["period"], Delivery.provider == values["provider"],
            Delivery.sha256 == values["sha256"], Delivery.superseded_at.is_(None))).scalar_one(), False
    if checks:
        tx.execute(insert(CheckRow).values([{"delivery_id": new, **check} for check in checks])
                   .on_conflict_do_nothing())
    return new, True


def known(tx: Connection, campaign: str, feed: str, period: str, sha256: str) -> Row | None:
    """The latest judgement of the same bytes for the same feed and period, if any."""
    return tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.period == period, Delivery.sha256 == sha256,
    ).order_by(Delivery.id.desc())).mappings().first()


def taken_elsewhere(tx: Connection, campaign: str, feed: str, period: str, sha256: str) -> Row | None:
    """Where the same bytes were accepted for another feed or period, if anywhere."""
    return tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.sha256 == sha256, Delivery.verdict != "returned",
        or_(Delivery.feed != feed, Delivery.period != period)).order_by(Delivery.id)).mappings().first()


def in_force(tx: Connection, campaign: str, feed: str, provider: str, period: str) -> list[Row]:
    """The parts of a provider's register that are in force for a period, in the order received."""
    return list(tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.provider == provider,
        Delivery.period == period, *IN_FORCE).order_by(Delivery.id)).mappings())


def last_in_force(tx: Connection, campaign: str, feed: str, provider: str, period: str) -> list[Row]:
    """The same of the latest earlier period that has any."""
    latest = tx.execute(select(func.max(Delivery.period)).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.provider == provider,
        Delivery.period < period, *IN_FORCE)).scalar()
    return in_force(tx, campaign, feed, provider, latest) if latest else []


def failed_checks(tx: Connection, delivery: int) -> list[Row]:
    """The checks that a delivery did not pass, with their severity."""
    return list(tx.execute(select(CheckRow.__table__).where(
        CheckRow.delivery_id == delivery, CheckRow.passed.is_(False)).order_by(CheckRow.rule_id)).mappings())


def failed_by_delivery(tx: Connection, numbers: Collection[int]) -> dict[int, int]:
    """How many checks each of these deliveries failed."""
    return {row.delivery_id: row.failed for row in tx.execute(
        select(CheckRow.delivery_id, func.count().label("failed")).where(
            CheckRow.delivery_id.in_(numbers), CheckRow.passed.is_(False)).group_by(CheckRow.delivery_id))}


def checks_of(tx: Connection, delivery: int) -> list[Row]:
    """Every check of a delivery."""
    return list(tx.execute(select(CheckRow.__table__).where(CheckRow.delivery_id == delivery)
                           .order_by(CheckRow.passed, CheckRow.rule_id)).mappings())


def returned(tx: Connection, campaign: str, feed: str, provider: str) -> list[Row]:
    """A provider's returned files of a feed that were not judged again since."""
    return list(tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.provider == provider,
        Delivery.verdict == "returned", Delivery.superseded_at.is_(None)).order_by(Delivery.id)).mappings())


def accepted(tx: Connection, campaign: str, period: str) -> list[Row]:
    """For each feed and provider every part in force of the period, or of the latest earlier one that has any (stale)."""
    nth = func.dense_rank().over(
        partition_by=(Delivery.feed, Delivery.provider), order_by=Delivery.period.desc())
    ranked = select(Delivery.__table__, nth.label("nth")).where(
        Delivery.campaign_id == campaign, Delivery.period <= period, *IN_FORCE).subquery()
    return list(tx.execute(select(ranked).where(ranked.c.nth == 1)
                           .order_by(ranked.c.feed, ranked.c.provider, ranked.c.id)).mappings())


def supplements(tx: Connection, campaign: str, feed: str, period: str) -> list[Row]:
    """Every accepted delivery in force of a feed whose files only add, up to a period, in the order received."""
    return list(tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.period <= period, *IN_FORCE,
    ).order_by(Delivery.period, Delivery.id)).mappings())


def by_sha256(tx: Connection, campaign: str, hashes: Sequence[str]) -> list[Row]:
    """The deliveries in force with these contents, by feed and period."""
    return list(tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.sha256.in_(hashes), Delivery.verdict != "returned",
    ).order_by(Delivery.feed, Delivery.period, Delivery.id)).mappings())


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


def one(tx: Connection, campaign: str, delivery: int) -> Row | None:
    """A delivery by its key; None where the campaign has no such one."""
    return tx.execute(select(Delivery.__table__).where(
        Delivery.campaign_id == campaign, Delivery.id == delivery)).mappings().first()


def any_received_after(tx: Connection, numbers: Collection[int], instant: datetime) -> bool:
    """Whether one of these deliveries came after an instant."""
    return tx.execute(select(Delivery.id).where(
        Delivery.id.in_(list(numbers)), Delivery.received_at > instant).limit(1)).scalar() is not None


def latest_judgement(tx: Connection, delivery: Row) -> Row:
    """The delivery itself, or the last judgement of the same bytes that took its place (a waiver, a saved mapping)."""
    again = tx.execute(select(Delivery.__table__).where(
        Delivery.corrects == delivery["id"], Delivery.sha256 == delivery["sha256"],
        Delivery.feed == delivery["feed"]).order_by(Delivery.id.desc()).limit(1)).mappings().first()
    return latest_judgement(tx, again) if again is not None else delivery


def note_answers(tx: Connection, delivery: int, places: Mapping[str, str | None]) -> None:
    """Where a delivery's answers lie: ``quality_page`` and ``return_workbook``."""
    tx.execute(update(Delivery).where(Delivery.id == delivery).values(**places))


def earlier_periods(tx: Connection, campaign: str, feed: str, provider: str, period: str, most: int) -> list[Row]:
    """What was accepted from a provider for the last periods before this one, from old to new, parts together. The
    share of valid identities is weighed by rows."""
    judged = func.sum(Delivery.accepted + Delivery.quarantined).filter(Delivery.valid_id_share.is_not(None))
    rows = tx.execute(select(
        Delivery.period, func.sum(Delivery.accepted).label("accepted"), func.sum(Delivery.quarantined).label("quarantined"),
        (func.sum(Delivery.valid_id_share * (Delivery.accepted + Delivery.quarantined)) / func.nullif(judged, 0))
        .label("valid_id_share"),
    ).where(
        Delivery.campaign_id == campaign, Delivery.feed == feed, Delivery.provider == provider, Delivery.period < period,
        *IN_FORCE).group_by(Delivery.period).order_by(Delivery.period.desc()).limit(most)).mappings()
    return list(reversed(rows.all()))
