"""Campaigns, plan versions, organisations, phases, audit, sweeps and rehearsal marks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.errors import WrongUse
from models.plan import Plan
from models.store.audit import audit as audit
from models.store.audit import audit_is_whole as audit_is_whole
from models.store.audit import audited as audited
from models.store.bulk import upsert
from models.tables import (
    Audit,
    Campaign,
    Candidate,
    Claim,
    Delivery,
    Extension,
    Mark,
    Message,
    Obligation,
    OrganisationRow,
    PhaseRow,
    PlanVersion,
    Release,
    Run,
    StepRow,
    Submission,
    Sweep,
)


def store_plan(tx: Connection, plan: Plan, body: str, sha256: str, as_of: datetime) -> bool:
    """Puts a plan in force; returns whether anything changed. The earlier version stays in ``plan_version``."""
    in_force = tx.execute(select(Campaign.plan_sha256).where(Campaign.id == plan.id)).scalar()
    if in_force == sha256:
        return False
    values = {"name": plan.name, "plan_sha256": sha256, "time_zone": plan.time_zone, "stored_at": as_of}
    tx.execute(insert(Campaign).values(id=plan.id, **values).on_conflict_do_update(index_elements=["id"], set_=values))
    tx.execute(insert(PlanVersion).values(campaign_id=plan.id, sha256=sha256, body=body, stored_at=as_of)
               .on_conflict_do_nothing())
    upsert(tx, OrganisationRow, ({
        "campaign_id": plan.id, "code": org.code, "name": org.name, "short": org.short, "kind": org.kind,
        "parent": org.parent, "valid_from": org.valid_from, "valid_to": org.valid_to,
    } for org in plan.organisations), ("campaign_id", "code"))
    for phase in plan.phases:
        row = {"kind": phase.kind, "name": phase.name, "starts": phase.starts, "ends": phase.ends}
        tx.execute(insert(PhaseRow).values(campaign_id=plan.id, id=phase.id, **row)
                   .on_conflict_do_update(index_elements=["campaign_id", "id"], set_=row))
    # Ladders may have changed: every row is looked at again.
    tx.execute(update(Obligation).where(Obligation.campaign_id == plan.id).values(look_at=None))
    return True


def is_in_force(tx: Connection, campaign: str) -> bool:
    """Whether a plan of this campaign was ever put in force."""
    return tx.execute(select(Campaign.plan_sha256).where(Campaign.id == campaign)).scalar() is not None


def plan_in_force(tx: Connection, campaign: str) -> str:
    """The hash of the plan in force. Raises WrongUse for a campaign that was never mobilised."""
    sha256 = tx.execute(select(Campaign.plan_sha256).where(Campaign.id == campaign)).scalar()
    if sha256 is None:
        raise WrongUse("this campaign is not in the record yet.", where=campaign,
                       cure=f"Start it with `canbao rehearse {campaign}` or run its mobilisation flow.")
    return sha256


def plan_text(tx: Connection, campaign: str, sha256: str) -> str:
    """The text of a plan version that is or was in force."""
    return tx.execute(select(PlanVersion.body).where(
        PlanVersion.campaign_id == campaign, PlanVersion.sha256 == sha256)).scalar_one()


def is_stored(tx: Connection, campaign: str) -> bool:
    """Whether a campaign is in the record."""
    return tx.execute(select(Campaign.id).where(Campaign.id == campaign)).scalar() is not None


def all_of(tx: Connection) -> list[str]:
    """The campaigns in the record."""
    return list(tx.execute(select(Campaign.id).order_by(Campaign.id)).scalars())


def in_force_since(tx: Connection, campaign: str) -> datetime | None:
    """When a campaign's first plan was put in force; None if none ever was."""
    return tx.execute(select(func.min(PlanVersion.stored_at)).where(PlanVersion.campaign_id == campaign)).scalar()


def open_phase(tx: Connection, campaign: str, phase: str, as_of: datetime) -> bool:
    """Marks a phase as opened; returns False if it was open before."""
    done = tx.execute(update(PhaseRow).where(PhaseRow.campaign_id == campaign, PhaseRow.id == phase,
                                             PhaseRow.opened_at.is_(None)).values(opened_at=as_of))
    return bool(done.rowcount)


def close_phase(tx: Connection, campaign: str, phase: str, as_of: datetime) -> bool:
    """Marks a phase as closed; returns False if it was closed before."""
    done = tx.execute(update(PhaseRow).where(PhaseRow.campaign_id == campaign, PhaseRow.id == phase,
                                             PhaseRow.closed_at.is_(None)).values(closed_at=as_of))
    return bool(done.rowcount)


def phases(tx: Connection, campaign: str) -> list[RowMapping]:
    """The phases in the order they start."""
    return list(tx.execute(select(PhaseRow.__table__).where(PhaseRow.campaign_id == campaign)
                           .order_by(PhaseRow.starts, PhaseRow.ends, PhaseRow.id)).mappings())


def hold(tx: Connection, campaign: str, what: str) -> None:
    """Lets one process at a time do something in a campaign, until the transaction ends."""
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"{what}/{campaign}"})


def record_sweep(tx: Connection, campaign: str, as_of: datetime, sent: int) -> None:
    """Remembers when the last sweep was: a stale one is an alarm."""
    tx.execute(insert(Sweep).values(campaign_id=campaign, as_of=as_of, sent=sent).on_conflict_do_update(
        index_elements=["campaign_id"], set_={"as_of": func.greatest(Sweep.as_of, as_of), "sent": sent}))


def last_sweep(tx: Connection, campaign: str) -> datetime | None:
    """The instant of the last sweep."""
    return tx.execute(select(Sweep.as_of).where(Sweep.campaign_id == campaign)).scalar()


def high_water(tx: Connection) -> list[int]:
    """How far the record has grown: the last number given in every table that grows when something happens. Cheap at any
    size; every decision of a person stands in the audit trail, which is among them."""
    growing = (Audit, Submission, Delivery, Claim, StepRow, Message, Candidate, Release, Run, Extension)
    return list(tx.execute(select(*(
        select(func.coalesce(func.max(table.id), 0)).scalar_subquery().label(table.__tablename__) for table in growing))).one())


def marked(tx: Connection, campaign: str) -> set[str]:
    """The rehearsal's done-marks."""
    return set(tx.execute(select(Mark.key).where(Mark.campaign_id == campaign)).scalars())


def is_rehearsed(tx: Connection, campaign: str) -> bool:
    """Whether a campaign lives on a rehearsal's clock."""
    return tx.execute(select(Mark.key).where(Mark.campaign_id == campaign).limit(1)).scalar() is not None


def mark(tx: Connection, campaign: str, key: str, at: datetime) -> None:
    """Sets a rehearsal mark; twice is once."""
    tx.execute(insert(Mark).values(campaign_id=campaign, key=key, at=at).on_conflict_do_nothing())
