"""What every task needs: the plan in force, folders under CANBAO_HOME, and Chinese names of units and periods."""

from __future__ import annotations

import os
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from models.database import home, transaction
from models.errors import StorageUnavailable, WrongUse
from models.places import inside
from models.plan import Plan
from models.plan_file import parse
from models.store import campaigns, life
from rules.ownership import replaced_on
from tasks.effect import effect


@lru_cache(maxsize=8)
def _parsed(campaign: str, sha256: str) -> Plan:
    with transaction() as tx:
        return parse(campaigns.plan_text(tx, campaign, sha256), campaign)


def plan_in_force(campaign: str) -> Plan:
    """The plan as the record holds it: an edited file changes nothing until mobilisation stores it."""
    with transaction() as tx:
        sha256 = campaigns.plan_in_force(tx, campaign)
    return _parsed(campaign, sha256)


def folder(campaign: str, *parts: str) -> Path:
    """A folder of a campaign under CANBAO_HOME, made if need be: the one way by which a code, a feed or a period becomes a
    path. Raises WrongUse for a word that leads elsewhere."""
    path = inside(home(), campaign, *parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot be written ({error.strerror})", where=str(path), cure="Free space or mend the permissions."
        ) from None
    return path


def as_instant(plan: Plan, as_of: datetime) -> datetime:
    """``as_of`` in the plan's zone. Raises WrongUse without a zone: an instant that may mean two is none."""
    if as_of.tzinfo is None:
        raise WrongUse(f"as_of {as_of.isoformat()} has no time zone.", cure="Write it like 2021-06-03T09:00:00+08:00.")
    return as_of.astimezone(ZoneInfo(plan.time_zone))


def today(plan: Plan, as_of: datetime) -> date:
    """The calendar day of ``as_of`` in the plan's zone."""
    return as_instant(plan, as_of).date()


def unit_of(plan: Plan, code: str) -> str:
    """The code of a unit as somebody outside gave it (an option, a folder's name). Raises WrongUse unless the plan has it."""
    if code not in plan.by_code:
        raise WrongUse("the plan has no unit of this code.", where=f"{plan.id}, organisation",
                       cure=f"Its codes are {', '.join(org.code for org in plan.organisations)}.")
    return code


DOORS = "CANBAO_DOORS"


def door(campaign: str, name: str, given: str | None) -> Path:
    """The folder that a flow takes files from: the campaign's own, or one that a form or a request names.

    Who may begin a run is not yet who may read every file of this account: another folder must lie in CANBAO_HOME or in one
    of those that whoever runs the installation lists in ``CANBAO_DOORS`` (separated like PATH). Raises WrongUse otherwise.
    """
    if not given:
        return folder(campaign, name)
    place = Path(given).resolve()
    allowed = [home(), *(Path(entry).resolve() for entry in os.environ.get(DOORS, "").split(os.pathsep) if entry)]
    if not any(place.is_relative_to(entry) for entry in allowed):
        raise WrongUse(f"the folder given as `{name}` is none that files are taken from.", where=campaign,
                       cure=f"Leave it empty for the campaign's own, or have it listed in {DOORS} where canbao runs.")
    return place


def short_name(plan: Plan, code: str) -> str:
    """The short Chinese name of a unit; a code nobody knows is shown as it is."""
    try:
        return plan.organisation(code).short
    except KeyError:
        return code


def drill_note(plan: Plan) -> str:
    """What every document of a rehearsal says of itself; nothing for a campaign."""
    return plan.drill.note if plan.drill else ""


@effect("计划入库 store plan")
def store_plan(path: str, as_of: datetime) -> dict[str, object]:
    """Checks a plan file and puts it in force, and makes the inbox with a folder for each feed, for clerks to see where
    files go. Raises PlanUnsound with every fault; nothing is stored then."""
    from comparison.plan_check import load_sound

    loaded = load_sound(path)
    with transaction() as tx:
        changed = campaigns.store_plan(tx, loaded.plan, loaded.text, loaded.sha256, as_of)
        if changed:
            campaigns.audit(tx, loaded.plan.id, at=as_of, actor=actor(), action="plan stored",
                            subject=loaded.sha256[:16], count=len(loaded.plan.organisations), reason="mobilisation")
    for feed in loaded.plan.feeds:
        folder(loaded.plan.id, "inbox", feed.feed)
    return {"campaign": loaded.plan.id, "sha256": loaded.sha256, "changed": changed}


def actor() -> str:
    """Who acts, for the audit trail: the account that runs the process, unless CANBAO_ACTOR names another."""
    return os.environ.get("CANBAO_ACTOR") or os.environ.get("USER") or "canbao"


def _phases_kept(campaign: str, as_of: datetime) -> dict[str, int] | None:
    """No phase begins or ends, and no unit has ended."""
    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    with transaction() as tx:
        rows = {row["id"]: row for row in campaigns.phases(tx, campaign)}
    moves = any((row := rows.get(phase.id)) is None or (phase.starts <= day and row["opened_at"] is None)
                or (phase.ends is not None and phase.ends < day and row["closed_at"] is None) for phase in plan.phases)
    return None if moves or replaced_on(plan, day) else {"opened": 0, "closed": 0}


@effect("阶段开闭 phases", idle=_phases_kept)
def keep_phases(campaign: str, as_of: datetime) -> dict[str, int]:
    """What passing time alone changes: opens phases whose first day has come and closes those whose last day is over
    (they may overlap: C12, C13), and hands the findings of units that have ended to who leads in their place (B36)."""
    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    opened = closed = 0
    with transaction() as tx:
        for phase in plan.phases:
            if phase.starts <= day:
                opened += campaigns.open_phase(tx, campaign, phase.id, as_of)
            if phase.ends and phase.ends < day:
                closed += campaigns.close_phase(tx, campaign, phase.id, as_of)
        handed_over = life.hand_over(tx, campaign, replaced_on(plan, day), f"{day:%Y-%m}", as_of)
        if handed_over:
            campaigns.audit(tx, campaign, at=as_of, actor="succession", action="findings handed over", subject=f"{day}",
                            count=handed_over, reason=plan.purpose)
    return {"opened": opened, "closed": closed}
