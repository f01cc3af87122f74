"""Runs, findings and their life, claims, releases, measurements and candidates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from models.states import WAITING
from models.tables import (
    Candidate,
    CategoryCount,
    Claim,
    Finding,
    LinkCount,
    Measurement,
    Release,
    ReleaseContent,
    ReleaseDecision,
    RosterReturn,
    Run,
)

Row = RowMapping


# --- runs -----------------------------------------------------------------------------------------------


def done_run(tx: Connection, campaign: str, period: str, inputs_sha256: str) -> Row | None:
    """The finished run over exactly these inputs and this plan, if there is one."""
    return tx.execute(select(Run.__table__).where(
        Run.campaign_id == campaign, Run.period == period, Run.inputs_sha256 == inputs_sha256,
        Run.state == "done")).mappings().first()


def latest_run(tx: Connection, campaign: str, period: str | None = None, as_of: datetime | None = None) -> Row | None:
    """The latest finished run of a period, or of the whole campaign; with ``as_of`` of those made by then."""
    query = select(Run.__table__).where(Run.campaign_id == campaign, Run.state == "done")
    if period:
        query = query.where(Run.period == period)
    if as_of is not None:
        query = query.where(Run.as_of <= as_of)
    return tx.execute(query.order_by(Run.period.desc(), Run.id.desc()).limit(1)).mappings().first()


def run(tx: Connection, run_id: int) -> Row | None:
    """One run."""
    return tx.execute(select(Run.__table__).where(Run.id == run_id)).mappings().first()


def runs_of(tx: Connection, campaign: str, period: str) -> list[Row]:
    """Every finished run of a period, in the order in which they were made."""
    return list(tx.execute(select(Run.__table__).where(
        Run.campaign_id == campaign, Run.period == period, Run.state == "done").order_by(Run.id)).mappings())


def start_run(tx: Connection, **values: Any) -> int:
    """Opens a run row."""
    return tx.execute(insert(Run).values(state="running", reason="", **values).returning(Run.id)).scalar_one()


def fail_run(tx: Connection, run_id: int, reason: str) -> None:
    """Closes a run as failed, with the reason; one that was done before stays so."""
    tx.execute(update(Run).where(Run.id == run_id, Run.state != "done").values(state="failed", reason=reason))


def close_abandoned_runs(tx: Connection, campaign: str, period: str) -> int:
    """Closes runs a dead process left open. Only safe while the period's advisory lock is held."""
    return tx.execute(update(Run).where(Run.campaign_id == campaign, Run.period == period, Run.state == "running")
                      .values(state="failed", reason="the process that ran it ended before it was done")).rowcount


def try_lock(tx: Connection, campaign: str, period: str) -> bool:
    """Takes the advisory lock of a campaign's period for this transaction; False if another process holds it."""
    return bool(tx.execute(text("SELECT pg_try_advisory_xact_lock(hashtext(:campaign), hashtext(:period))"),
                           {"campaign": campaign, "period": period}).scalar())


def finish_run(tx: Connection, run_id: int, *, persons: int, unbalanced: int, content_sha256: str,
               categories: Sequence[tuple[str, str, int]], links: Sequence[tuple[str, str, int]],
               lists: Mapping[str, int] | None = None) -> None:
    """Closes a run as done, with its balance and accounts; those of an earlier attempt are replaced."""
    tx.execute(update(Run).where(Run.id == run_id).values(
        state="done", persons=persons, unbalanced=unbalanced, content_sha256=content_sha256, lists=dict(lists or {})))
    for table in (CategoryCount, LinkCount, Measurement):
        tx.execute(delete(table).where(table.run_id == run_id))
    tx.execute(insert(CategoryCount).values([
        {"run_id": run_id, "organisation": org, "category": category, "persons": count}
        for org, category, count in categories]))
    if links:
        tx.execute(insert(LinkCount).values([
            {"run_id": run_id, "feed": feed, "tier": tier, "rows": rows} for feed, tier, rows in links]))


# --- findings -------------------------------------------------------------------------------------------

TO_HAND_OUT = """
    SELECT * FROM (
        SELECT f.*, row_number() OVER (PARTITION BY f.list, f.owner ORDER BY f.status = 'released' DESC, f.id) AS place
        FROM finding f
        WHERE f.campaign_id = :campaign AND f.status = ANY(:statuses)
          AND (CAST(:owners AS text[]) IS NULL OR f.owner = ANY(:owners))
    ) AS waiting
    WHERE place <= coalesce((CAST(:batches AS jsonb) ->> list)::int, place)
"""
"""What stands on rosters: open, not waiting for a register's proof, not excused, and within the list's batch."""


@dataclass(frozen=True)
class HandOut:
    """What limits a release: ``batches`` per list and owner (C13), ``owners`` while a pilot runs alone (L9)."""

    campaign: str
    batches: Mapping[str, int]
    owners: frozenset[str] | None = None

    def parameters(self) -> dict[str, Any]:
        """For the query above."""
        return {"campaign": self.campaign, "statuses": list(WAITING), "batches": json.dumps(dict(self.batches)),
                "owners": None if self.owners is None else sorted(self.owners)}


def to_hand_out(tx: Connection, limits: HandOut) -> list[Row]:
    """The findings a release would print, by owner."""
    return list(tx.execute(text(f"{TO_HAND_OUT} ORDER BY owner, priority, list, id"), limits.parameters()).mappings())


def hand_out_counts(tx: Connection, limits: HandOut) -> list[Row]:
    """How many findings a release would print, by list and owner."""
    return list(tx.execute(text(f"SELECT list, owner, count(*) AS findings FROM ({TO_HAND_OUT}) AS handed "
                                "GROUP BY list, owner ORDER BY list, owner"), limits.parameters()).mappings())


def lives(tx: Connection, campaign: str) -> list[Row]:
    """What has become of every finding, without the person: list, subject, status, months, owners."""
    return list(tx.execute(select(
        Finding.list, Finding.subject, Finding.status, Finding.first_seen, Finding.last_seen, Finding.owner,
        Finding.co_owners).where(Finding.campaign_id == campaign)).mappings())


def counts_by_owner(tx: Connection, campaign: str) -> list[Row]:
    """Findings by owner, list and status."""
    return list(tx.execute(
        select(Finding.owner, Finding.list, Finding.status, func.count().label("findings"))
        .where(Finding.campaign_id == campaign).group_by(Finding.owner, Finding.list, Finding.status)
        .order_by(Finding.owner, Finding.list, Finding.status)).mappings())


# --- releases -------------------------------------------------------------------------------------------


def propose_release(tx: Connection, campaign: str, run_id: int, digest: str, findings: int, by: str,
                    at: datetime, wait: timedelta, rows: bytes = b"") -> tuple[int, bool]:
    """Proposes the release of exactly this content; the same content again is the same proposal, unless nobody decided on
    it for as long as ``wait``, or its approval has expired: then it is proposed anew. ``rows`` tells what each row said.
    Returns (id, whether it is new)."""
    values = {"prepared_by": by, "prepared_at": at, "findings": findings}
    undecided = (Release.released_at.is_(None) & Release.refused_at.is_(None)
                 & func.coalesce(Release.expires_at < at, Release.prepared_at + wait < at))
    proposed = insert(Release).values(campaign_id=campaign, run_id=run_id, content_sha256=digest, **values)
    made = tx.execute(proposed.on_conflict_do_update(
        index_elements=["run_id", "content_sha256"], where=undecided,
        set_={**values, "approved_by": None, "approved_at": None, "expires_at": None, "reason": None},
    ).returning(Release.id)).scalar()
    if made is not None:
        tx.execute(insert(ReleaseContent).values(release_id=made, rows=rows).on_conflict_do_update(
            index_elements=["release_id"], set_={"rows": rows}))
        return made, True
    return tx.execute(select(Release.id).where(
        Release.run_id == run_id, Release.content_sha256 == digest)).scalar_one(), False


def release_of(tx: Connection, campaign: str, run_id: int) -> Row | None:
    """The latest proposal of a run."""
    return tx.execute(select(Release.__table__).where(Release.campaign_id == campaign, Release.run_id == run_id)
                      .order_by(Release.id.desc()).limit(1)).mappings().first()


def proposal(tx: Connection, campaign: str, release_id: int) -> Row | None:
    """One proposal of a campaign."""
    return tx.execute(select(Release.__table__).where(
        Release.campaign_id == campaign, Release.id == release_id)).mappings().first()


def releases(tx: Connection, campaign: str) -> list[Row]:
    """All proposals of a campaign."""
    return list(tx.execute(select(Release.__table__).where(Release.campaign_id == campaign)
                           .order_by(Release.id)).mappings())


def proposed_rows(tx: Connection, release_id: int) -> bytes | None:
    """What each row of a proposal said, packed; None for one of an earlier version."""
    return tx.execute(select(ReleaseContent.rows).where(ReleaseContent.release_id == release_id)).scalar()


def approve_release(tx: Connection, proposal: Row, by: str, at: datetime, expires_at: datetime, reason: str) -> None:
    """Records the approval as a row of its own; it holds from now on, in place of whatever was decided before. The database refuses
    the preparer."""
    _decided(tx, proposal, "approved", by, at, reason, expires_at)
    tx.execute(update(Release).where(Release.id == proposal["id"]).values(
        approved_by=by, approved_at=at, expires_at=expires_at, reason=reason, refused_by=None, refused_at=None))


def refuse_release(tx: Connection, proposal: Row, by: str, at: datetime, reason: str) -> None:
    """Records as a row of its own that a proposal was not approved; it holds from now on."""
    _decided(tx, proposal, "refused", by, at, reason, None)
    tx.execute(update(Release).where(Release.id == proposal["id"], Release.released_at.is_(None)).values(
        refused_by=by, refused_at=at, reason=reason, approved_by=None, approved_at=None, expires_at=None))


def _decided(tx: Connection, proposal: Row, decision: str, by: str, at: datetime, reason: str, expires_at: datetime | None) -> None:
    tx.execute(insert(ReleaseDecision).values(
        release_id=proposal["id"], decision=decision, decided_by=by, decided_at=at, content_sha256=proposal["content_sha256"],
        expires_at=expires_at, reason=reason))


def decisions(tx: Connection, release_id: int) -> list[Row]:
    """Everything that was decided on a proposal, in its order."""
    return list(tx.execute(select(ReleaseDecision.__table__).where(ReleaseDecision.release_id == release_id)
                           .order_by(ReleaseDecision.id)).mappings())


def close_release(tx: Connection, release_id: int, at: datetime) -> None:
    """Marks the release as done; a second time changes nothing."""
    tx.execute(update(Release).where(Release.id == release_id, Release.released_at.is_(None)).values(released_at=at))


# --- claims ---------------------------------------------------------------------------------------------


def record_roster_return(tx: Connection, **values: Any) -> tuple[int, bool]:
    """Records a worked roster that came back; the same content again is recognised. Returns (id, is new)."""
    new = tx.execute(insert(RosterReturn).values(**values).on_conflict_do_nothing()
                     .returning(RosterReturn.id)).scalar()
    if new is not None:
        return new, True
    return tx.execute(select(RosterReturn.id).where(
        RosterReturn.campaign_id == values["campaign_id"], RosterReturn.organisation == values["organisation"],
        RosterReturn.sha256 == values["sha256"])).scalar_one(), False


def owners_of(tx: Connection, campaign: str, finding_ids: Sequence[int]) -> dict[int, Row]:
    """Owner, co-owners and status of findings by id."""
    rows = tx.execute(select(Finding.id, Finding.owner, Finding.co_owners, Finding.status).where(
        Finding.campaign_id == campaign, Finding.id.in_(finding_ids))).mappings()
    return {row["id"]: row for row in rows}


def outcomes(tx: Connection, campaign: str) -> list[Row]:
    """Claims by owner, disposition and outcome (claimed = still waiting for a register)."""
    outcome = func.coalesce(Claim.outcome, "waiting").label("outcome")
    return list(tx.execute(
        select(Finding.owner, Finding.list, Claim.disposition, Claim.claims, Claim.excuses, outcome,
               func.count().label("claims_made"))
        .join(Finding, Finding.id == Claim.finding_id).where(Finding.campaign_id == campaign)
        .group_by(Finding.owner, Finding.list, Claim.disposition, Claim.claims, Claim.excuses, outcome)
        .order_by(Finding.owner, Finding.list, Claim.disposition, outcome)).mappings())


# --- figures --------------------------------------------------------------------------------------------


def record_measurements(tx: Connection, campaign: str, period: str, run_id: int,
                        figures: Sequence[Mapping[str, Any]]) -> None:
    """Records figures of a run; a restatement is a second row under a later run."""
    if figures:
        tx.execute(insert(Measurement).values([
            {"campaign_id": campaign, "period": period, "run_id": run_id, **figure} for figure in figures
        ]).on_conflict_do_nothing())


def measurements(tx: Connection, campaign: str, period: str | None = None) -> list[Row]:
    """The figures in force: for each indicator, organisation and period those of the latest run."""
    query = (select(Measurement.__table__).where(Measurement.campaign_id == campaign)
             .ext(distinct_on(Measurement.indicator, Measurement.organisation, Measurement.period))
             .order_by(Measurement.indicator, Measurement.organisation, Measurement.period,
                       Measurement.run_id.desc()))
    if period:
        query = query.where(Measurement.period == period)
    return list(tx.execute(query).mappings())


def measurement_history(tx: Connection, campaign: str, indicator: str, organisation: str, period: str) -> list[Row]:
    """One figure as each run made it, the one in force last."""
    return list(tx.execute(select(Measurement.__table__).where(
        Measurement.campaign_id == campaign, Measurement.indicator == indicator,
        Measurement.organisation == organisation, Measurement.period == period,
    ).order_by(Measurement.run_id)).mappings())


def restatements(tx: Connection, campaign: str, published_at: datetime) -> list[Row]:
    """Figures that stood when the last bulletin was published and that a later run of the same month has changed."""
    return list(tx.execute(text("""
        WITH figure AS (
            SELECT m.indicator, m.organisation, m.period, m.value, m.run_id, r.as_of <= :published AS was_known
            FROM measurement m JOIN run r ON r.id = m.run_id WHERE m.campaign_id = :campaign
        ),
        published AS (
            SELECT DISTINCT ON (indicator, organisation, period) indicator, organisation, period, value AS was
            FROM figure WHERE was_known ORDER BY indicator, organisation, period, run_id DESC
        ),
        current AS (
            SELECT DISTINCT ON (indicator, organisation, period) indicator, organisation, period, value AS now
            FROM figure ORDER BY indicator, organisation, period, run_id DESC
        )
        SELECT * FROM published JOIN current USING (indicator, organisation, period)
        WHERE was IS DISTINCT FROM now
        ORDER BY period, indicator, organisation
    """), {"campaign": campaign, "published": published_at}).mappings())


def categories(tx: Connection, run_id: int) -> list[Row]:
    """Persons per township and category of a run."""
    return list(tx.execute(select(CategoryCount.__table__).where(CategoryCount.run_id == run_id)
                           .order_by(CategoryCount.organisation, CategoryCount.category)).mappings())


def links(tx: Connection, run_id: int) -> list[Row]:
    """Register rows of a run by feed and by how they were linked to a person."""
    return list(tx.execute(select(LinkCount.__table__).where(LinkCount.run_id == run_id)
                           .order_by(LinkCount.feed, LinkCount.tier)).mappings())


def propose_candidate(tx: Connection, campaign: str, organisation: str, kind: str, occasion: str,
                      evidence: Mapping[str, Any], at: datetime) -> bool:
    """Prepares a candidate for a person to decide (C23); returns whether it is new."""
    return bool(tx.execute(insert(Candidate).values(
        campaign_id=campaign, organisation=organisation, kind=kind, occasion=occasion, evidence=dict(evidence),
        prepared_at=at).on_conflict_do_nothing()).rowcount)


def candidates(tx: Connection, campaign: str, as_of: datetime) -> list[Row]:
    """The candidates prepared by an instant, those that nobody has decided on first."""
    return list(tx.execute(select(Candidate.__table__).where(
        Candidate.campaign_id == campaign, Candidate.prepared_at <= as_of,
    ).order_by(Candidate.decided_at.is_not(None), Candidate.prepared_at, Candidate.id)).mappings())


def candidate(tx: Connection, campaign: str, number: int) -> Row | None:
    """One candidate of a campaign."""
    return tx.execute(select(Candidate.__table__).where(
        Candidate.campaign_id == campaign, Candidate.id == number)).mappings().first()


def decide_candidate(tx: Connection, campaign: str, number: int, *, decision: str, by: str, reason: str,
                     at: datetime) -> Row | None:
    """Records what a person decided on a candidate; None if there is none or it is decided already."""
    return tx.execute(update(Candidate).where(
        Candidate.campaign_id == campaign, Candidate.id == number, Candidate.decided_at.is_(None),
    ).values(decision=decision, decided_by=by, decided_at=at, reason=reason).returning(Candidate.__table__)).mappings().first()


def claims_by_day(tx: Connection, campaign: str, organisation: str, since: datetime, before: datetime, zone: str) -> dict[date, int]:
    """How many claims ("enrolled") a unit handed in per calendar day of the zone, from an instant up to another."""
    rows = tx.execute(text("""
        SELECT (c.received_at AT TIME ZONE :zone)::date AS day, count(*) AS claims_made
        FROM claim c JOIN finding f ON f.id = c.finding_id
        WHERE f.campaign_id = :campaign AND c.organisation = :organisation AND c.claims
          AND c.received_at >= :since AND c.received_at < :before
        GROUP BY 1
    """), {"campaign": campaign, "organisation": organisation, "since": since, "before": before, "zone": zone})
    return {row.day: row.claims_made for row in rows}
