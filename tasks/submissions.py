"""What organisations hand back: reports are checked, accepted or sent back; worked rosters become claims."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from documents.model import CellFault, ReportReturn, RosterReturn
from documents.returned import read_returned
from documents.sent_back import write_sent_back
from models.database import transaction
from models.errors import CanbaoError, FileReturned
from models.places import file_name
from models.plan import Plan
from models.store import campaigns, life
from models.store import findings as findings_store
from models.store import obligations as store
from rules.finding_life import TRANSITIONS, excused_until
from rules.report_checks import changes
from tasks import refusals, workers
from tasks.campaign import actor, folder, plan_in_force, today, unit_of
from tasks.effect import effect
from tasks.originals import IGNORED, keep_original, sha256_of, sha256_of_delivered
from tasks.report_checks import DISPUTE, as_cell_faults, as_remarks, as_rows, judge, sections_of, stated
from tasks.report_receipts import give_receipt
from tasks.told import told_file

NOTHING = {"new": False, "sent_back": False, "claims": 0}
Returned = tuple[str, Path, datetime]
"""organisation (as its folder is called), file, arrival"""


def returned_files(campaign: str, returns: Path, as_of: datetime) -> Iterator[Returned]:
    """Workbooks not taken yet that arrived by ``as_of``, in order of arrival. A link is named, never followed: :func:`take_return`
    says of it, and of a folder that is called after no unit, what is to be done."""
    found = []
    for place in sorted(path for path in returns.iterdir() if path.is_dir()) if returns.is_dir() else ():
        for path in [place] if place.is_symlink() else sorted(place.glob("*.xlsx")):
            if path.name.startswith((".", "~$")) or path.name.endswith(IGNORED):
                continue
            facts = path.lstat()
            arrival = datetime.fromtimestamp(facts.st_mtime, UTC)
            if arrival > as_of or (stat.S_ISREG(facts.st_mode) and _taken_mark(campaign, _content_of(path)).exists()):
                continue
            found.append((arrival, place.name, path))
    for arrival, organisation, path in sorted(found):
        yield organisation, path, arrival


def _content_of(path: Path) -> str:
    state = path.stat()
    return _read(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=10_000)
def _read(path: Path, size: int, changed: int, inode: int) -> str:
    """A file's hash, read once by a process as long as it stays what it was: what came in earlier months still lies there."""
    return sha256_of(path)


def _taken_mark(campaign: str, sha256: str) -> Path:
    return folder(campaign, "originals", sha256[:2]) / f"{sha256}.taken"


def _nothing_came(campaign: str, returned: Sequence[Returned]) -> list[dict[str, Any]] | None:
    return None if returned else []


@effect("回收报表 take returns", idle=_nothing_came)
def take_returns(campaign: str, returned: Sequence[Returned]) -> list[dict[str, Any]]:
    """Takes back whatever :func:`returned_files` found, each as :func:`take_return` does; they are read side by side where
    processes are open. One that cannot be taken keeps no other waiting; the first fault is raised at the end."""
    faults: list[CanbaoError] = []
    begun, taken = [], []
    for organisation, path, arrival in returned:
        with _collected(faults):
            begun.append((organisation, _begun(campaign, organisation, path), arrival))
    for organisation, reading, arrival in begun:
        with _collected(faults):
            taken.append(_take(campaign, organisation, reading, arrival))
    if faults:
        raise faults[0]
    return taken


@contextmanager
def _collected(faults: list[CanbaoError]) -> Iterator[None]:
    try:
        yield
    except CanbaoError as fault:
        faults.append(fault)


@effect("回收报表 take return")
def take_return(campaign: str, organisation: str, path: str, received_at: datetime) -> dict[str, Any]:
    """Takes one workbook back: a report form, a text form or a worked roster, told by what is hidden in it.

    A foreign workbook, or one of another campaign or organisation, is sent back with the reason; the original stays.
    The same content again changes nothing. Raises WrongUse for an organisation that the plan does not have, FileReturned for
    what is no file.
    """
    with refusals.kept(campaign, "workbook handed in", "for a unit that the plan does not have", actor(), received_at):
        unit_of(plan_in_force(campaign), organisation)
    return _take(campaign, organisation, _begun(campaign, organisation, Path(path)), received_at)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A workbook that came back: where it lies, its original that is kept, and what stands in it once it is read."""

    source: Path
    digest: str
    original: Path
    content: Future[RosterReturn | ReportReturn]


def _begun(campaign: str, organisation: str, source: Path) -> _Reading:
    unit_of(plan_in_force(campaign), organisation)
    digest = sha256_of_delivered(source)
    original = keep_original(campaign, source, digest)
    return _Reading(source, digest, original, workers.submit(read_returned, original))


def _take(campaign: str, organisation: str, reading: _Reading, received_at: datetime) -> dict[str, Any]:
    plan, source = plan_in_force(campaign), reading.source
    digest, original = reading.digest, reading.original
    try:
        returned = reading.content.result()
        if returned.campaign != campaign or returned.organisation != organisation:
            raise FileReturned(
                f"the workbook belongs to {returned.campaign}/{returned.organisation}.", where=told_file(source.name, plan),
                cure=f"Hand in the one issued to {campaign}/{organisation}.")
    except FileReturned as refusal:
        _explain(plan, organisation, source, str(refusal))
        result = {**NOTHING, "sent_back": True}
    else:
        if isinstance(returned, RosterReturn):
            result = _take_roster(plan, returned, original, digest, received_at)
        else:
            result = _take_report(plan, returned, original, digest, received_at)
    _taken_mark(campaign, digest).touch()
    return result


def _explain(plan: Plan, organisation: str, source: Path, why: str) -> None:
    told = told_file(source.name, plan)
    place = folder(plan.id, "sent_back", organisation) / file_name(Path(told).stem, "_退回说明.txt")
    place.write_text(f"文件：{told}\n退回原因：{why}\n", encoding="utf-8")


def _take_report(plan: Plan, returned: ReportReturn, path: Path, digest: str, at: datetime) -> dict[str, Any]:
    """Faults send a report back; remarks do not. A second one for a period already accepted stands beside the first as
    its correction, with what it changes (C22)."""
    with transaction() as tx:
        owed = store.one(tx, plan.id, returned.item, returned.organisation, returned.period)
        if owed is None:
            _explain(plan, returned.organisation, path, f"nothing is owed under {returned.item}/{returned.period}.")
            return {**NOTHING, "sent_back": True}
        found = judge(tx, plan, owed, returned)
        faults = returned.faults + as_cell_faults(found, returned)
        before = store.accepted(tx, owed["id"])
        submission, is_new = store.submit(
            tx, owed["id"], received_at=at, sha256=digest, path=str(path), prepared_by=returned.prepared_by or None,
            reviewed_by=returned.reviewed_by or None, texts={**returned.texts, DISPUTE: returned.dispute},
            faults=_faults(faults), figures=returned.figures, remarks=as_remarks(found))
        if not is_new:
            return dict(NOTHING)
        changed: list[dict[str, Any]] = []
        if faults:
            store.send_back(tx, submission, at)
        else:
            store.accept(tx, submission, at)
            if before is not None:
                changed = as_rows(changes(sections_of(plan, returned.item), stated(before["texts"], before["figures"]),
                                          stated({**returned.texts, DISPUTE: returned.dispute}, returned.figures)))
                store.restate(tx, submission, before["id"], changed)
        campaigns.audit(tx, plan.id, at=at, actor=returned.organisation, action="report received",
                        subject=f"{returned.item}/{returned.period}", count=len(faults),
                        reason="sent back" if faults else "restated" if before is not None else "accepted")
        # Before the commit: whoever dies here does the same again, and nobody is left without an answer.
        if faults:
            name = f"退回_{returned.item}_{returned.period}_{today(plan, at):%m%d}.xlsx"
            write_sent_back(path, folder(plan.id, "sent_back", returned.organisation) / name, faults)
        else:
            give_receipt(tx, plan, returned, digest, at, remarks=len(as_remarks(found)),
                         restated=None if before is None else changed)
    return {"new": True, "sent_back": bool(faults), "claims": 0}


def _faults(faults: tuple[CellFault, ...]) -> dict[str, Any]:
    return {"cells": [{"sheet": fault.sheet, "cell": fault.cell, "what": fault.what} for fault in faults]}


def _take_roster(plan: Plan, returned: RosterReturn, path: Path, digest: str, at: datetime) -> dict[str, Any]:
    """A claim speaks of the month in which the person was visited; the register of a later month judges it."""
    codes = {entry.name: entry for entry in plan.dispositions}
    received_on = today(plan, at)
    with transaction() as tx:
        owners = findings_store.owners_of(tx, plan.id, [int(result.finding_id) for result in returned.results])
        claims = []
        for result in returned.results:
            known = owners.get(int(result.finding_id))
            if known is None or returned.organisation not in (known["owner"], *known["co_owners"]):
                continue
            chosen = codes[result.disposition_name]
            visited_on = min(result.checked_on or received_on, received_on)
            claims.append({
                "period": f"{visited_on:%Y-%m}", "finding_id": int(result.finding_id), "organisation": returned.organisation,
                "disposition": chosen.code, "claims": chosen.claims, "excuses": chosen.excuses, "note": result.note,
                "worker": result.worker,
                "excused_until": excused_until(chosen.expires, visited_on) if chosen.excuses else None})
        _, is_new = findings_store.record_roster_return(
            tx, campaign_id=plan.id, organisation=returned.organisation, period=returned.period, run_id=int(returned.run_id),
            sha256=digest, path=str(path), received_at=at, results=len(returned.results),
            faults=_faults(returned.faults))
        if not is_new:
            return dict(NOTHING)
        stand = life.record_claims(tx, plan.id, at, claims, TRANSITIONS)
        campaigns.audit(tx, plan.id, at=at, actor=returned.organisation, action="roster returned",
                        subject=f"run {returned.run_id}", count=stand, reason=plan.purpose)
    if returned.faults:
        name = f"退回_花名册_{returned.period}_{today(plan, at):%m%d}.xlsx"
        write_sent_back(path, folder(plan.id, "sent_back", returned.organisation) / name, returned.faults)
    return {"new": True, "sent_back": bool(returned.faults), "claims": stand}
