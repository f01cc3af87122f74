"""Four eyes: the lists are proposed, approved by somebody else for exactly this content, and only then handed out."""

from __future__ import annotations

import hashlib
import json
import struct
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

from documents.model import Roster, RosterList, RosterRow
from models.database import transaction
from models.errors import ApprovalMissing, WrongUse
from models.plan import Plan
from models.store import campaigns, documents, life
from models.store import findings as store
from rules.actors import refuse_approver, refuse_preparer, refuse_undecider
from rules.finding_life import TRANSITIONS
from rules.periods import month
from rules.phases import owners_in_play
from tasks import accounts, events, refusals, workers
from tasks.campaign import actor, folder, plan_in_force, short_name, today
from tasks.contents import contact, dispositions, origin, register_periods, return_deadline
from tasks.effect import effect
from tasks.originals import sha256_of

Details = dict[tuple[str, str], dict[str, object]]
_CELLS = attrgetter(*(field.name for field in fields(RosterRow)))
_PACKED = struct.Struct(">q8s")
"""A finding's number and the first bytes of its row's digest."""


@dataclass(frozen=True)
class Content:
    """What a release would print now, and its digest: over every cell of every row, whose roster it stands on, and what the plan says
    around them. ``rows`` packs what each row says; the day on which it is to be returned is no part of it."""

    digest: str
    rows: bytes
    findings: list[Any]
    beside: Details
    disputes: Mapping[int, Any]


def content(tx: Any, plan: Plan, run: Any, as_of: datetime) -> Content:
    """Reads from the record and from the run's files what would stand on rosters now."""
    findings = store.to_hand_out(tx, limits(plan, as_of))
    disputes = {row["finding_id"]: row for row in life.open_disputes(tx, plan.id)}
    beside, stands = _beside(run, findings), register_periods(run)
    around = [plan.purpose, plan.organisation(plan.office).name, contact(plan), dispositions(plan), [
        (entry.id, entry.name, entry.subject, entry.reason, entry.closes_when, entry.asks) for entry in plan.lists]]
    whole, rows = hashlib.sha256(json.dumps(around, ensure_ascii=False, default=str).encode()), []
    for finding in findings:
        printed = _row(plan, finding, beside.get((finding["list"], finding["subject"]), {}), disputes.get(finding["id"]), stands)
        said = hashlib.sha256(json.dumps([finding["owner"], short_name(plan, finding["owner"]), finding["list"], finding["subject"],
                                          *_CELLS(printed)], ensure_ascii=False, default=str).encode()).digest()
        whole.update(said)
        rows.append(_PACKED.pack(finding["id"], said[:8]))
    return Content(whole.hexdigest(), b"".join(rows), findings, beside, disputes)


def _beside(run: Any, findings: list[Any]) -> Details:
    from comparison.exports import details

    if not (Path(run["folder"]) / "findings.parquet").is_file():  # deleted by then, or a run without files
        return {}
    return details(Path(run["folder"]), [(finding["list"], finding["subject"]) for finding in findings])


@effect("提请下发 propose release")
def propose(campaign: str, run_id: int, by: str, as_of: datetime) -> dict[str, Any]:
    """Proposes the release of what the run left open; the proposal names the content's hash.

    Proposed again before its release, changed content gets a new proposal; after it, the one released stands. So does one
    that was refused, as long as its content is the same.
    """
    plan = plan_in_force(campaign)
    with refusals.kept(campaign, "release proposed", f"run {run_id}", by, as_of):
        refuse_preparer(plan, by)
    with transaction() as tx:
        made = store.release_of(tx, campaign, run_id)
        if made is not None and made["released_at"] is not None:
            return {"release": made["id"], "findings": made["findings"], "content_sha256": made["content_sha256"]}
        run = store.run(tx, run_id)
        if run is None:
            raise WrongUse(f"there is no run {run_id}.", where=campaign, cure="Run the comparison first.")
        found = content(tx, plan, run, as_of)
        digest, count = found.digest, len(found.findings)
        wait = timedelta(days=plan.approval.decide_within_days)
        proposal, is_new = store.propose_release(tx, campaign, run_id, digest, count, by, as_of, wait, found.rows)
        if is_new:
            events.note(tx, campaign, events.APPROVAL_WAITING, f"{proposal}/{as_of.isoformat()}", as_of,
                        f"release {proposal}", organisations=[plan.approval.approved_by], run=run_id, release=proposal,
                        period=run["period"], findings=count, content_sha256=digest)
    return {"release": proposal, "findings": count, "content_sha256": digest}


@effect("批准下发 approve release")
def approve(
    campaign: str, run_id: int, by: str, as_of: datetime, reason: str = "", content_sha256: str | None = None, code: accounts.Typed | None = None,
) -> dict[str, Any]:
    """Approves exactly the content proposed; ``code`` proves in a form whose post it is (:func:`tasks.accounts.prove`).

    Raises ApprovalMissing if the approver prepared it, it has changed, or nobody decided on it in time; also if ``content_sha256``,
    what the approver was shown, is no longer what is proposed.
    """
    plan = plan_in_force(campaign)
    _prove(plan, by, "approved", run_id, content_sha256, as_of, code)
    with refusals.kept(campaign, "release approved", f"run {run_id}", by, as_of), transaction() as tx:
        proposal = _decidable(tx, plan, run_id, by, content_sha256, as_of)
        refuse_approver(plan, by, proposal["prepared_by"], f"run {run_id}")
        _refuse_changed(tx, plan, proposal, as_of)
        store.approve_release(tx, proposal, by, as_of, as_of + timedelta(days=plan.approval.expires_days), reason)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="release approved", subject=f"run {run_id}",
                        count=proposal["findings"], reason=" ".join(filter(None, (proposal["content_sha256"][:16], reason))))
    return {"release": proposal["id"], "findings": proposal["findings"]}


@effect("不予下发 refuse release")
def refuse(
    campaign: str, run_id: int, by: str, as_of: datetime, reason: str, content_sha256: str | None = None, code: accounts.Typed | None = None,
) -> dict[str, Any]:
    """Records that exactly this content is not to be released, and why. A new content is proposed anew; the same one only
    goes out if it is approved after all."""
    plan = plan_in_force(campaign)
    if not reason.strip():
        raise WrongUse("a refusal needs a reason.", where=f"run {run_id}", cure="Say what is to be mended.",
                       told="不批准须写明理由。")
    _prove(plan, by, "refused", run_id, content_sha256, as_of, code)
    with refusals.kept(campaign, "release refused", f"run {run_id}", by, as_of), transaction() as tx:
        proposal = _decidable(tx, plan, run_id, by, content_sha256, as_of)
        refuse_undecider(plan, by, f"run {run_id}")
        store.refuse_release(tx, proposal, by, as_of, reason)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="release refused", subject=f"run {run_id}",
                        count=proposal["findings"], reason=f"{proposal['content_sha256'][:16]} {reason}")
    return {"release": proposal["id"], "findings": proposal["findings"]}


def _prove(
    plan: Plan, by: str, decision: str, run_id: int, content_sha256: str | None, as_of: datetime, code: accounts.Typed | None,
) -> None:
    """A code counts for this decision on this proposal: proposed anew, the same content asks for another."""
    with transaction() as tx:
        made = store.release_of(tx, plan.id, run_id)
    proposed = f"{made['prepared_at']:%Y-%m-%dT%H:%M:%S}" if made is not None else ""
    purpose = " ".join(filter(None, (f"release {decision} run {run_id}", proposed, (content_sha256 or "")[:16])))
    accounts.prove(plan, by, purpose, as_of, code=code)


def _decidable(tx: Any, plan: Plan, run_id: int, by: str, content_sha256: str | None, as_of: datetime) -> Any:
    """The proposal of a run, if it can be decided on. Raises ApprovalMissing or WrongUse if not."""
    proposal, where = _proposal(tx, plan.id, run_id), f"run {run_id}"
    if not by.strip():
        raise WrongUse("nobody is named.", where=where, cure="Give the post or account that decides.", told="请填写审批岗位。")
    if proposal["released_at"] is not None:
        raise WrongUse("the lists have been released already.", where=where, cure="Nothing is left to decide.",
                       told="清单已经下发，无须再决定。")
    if content_sha256 not in (None, proposal["content_sha256"]):
        raise ApprovalMissing("other lists than those shown are proposed by now.", where=where,
                              cure="Decide on the new proposal.", told="所示清单已被新的提请取代，请对新的提请作出决定。")
    if proposal["approved_at"] is None and as_of > decide_before(plan, proposal):
        raise ApprovalMissing(f"nobody decided on the proposal within {plan.approval.decide_within_days} days.", where=where,
                              cure="Propose the lists again: run the comparison of the month.",
                              told=f"{plan.approval.decide_within_days}天内未作决定，提请已失效，请重新比对提请。")
    return proposal


def decide_before(plan: Plan, proposal: Any) -> datetime:
    """Until when a proposal waits for a decision."""
    prepared_at: datetime = proposal["prepared_at"]
    return prepared_at + timedelta(days=plan.approval.decide_within_days)


def limits(plan: Plan, as_of: datetime) -> store.HandOut:
    """What limits a release on a day: batches per list and owner (C13), and the pilot's places while it runs alone."""
    batches: dict[str, int] = {entry.id: entry.batch_per_owner for entry in plan.lists if entry.batch_per_owner is not None}
    batches |= {entry.id: 0 for entry in plan.lists if not entry.asks}
    return store.HandOut(plan.id, batches, owners_in_play(plan, today(plan, as_of)))


def _proposal(tx: Any, campaign: str, run_id: int) -> Any:
    proposal = store.release_of(tx, campaign, run_id)
    if proposal is None:
        raise WrongUse(f"run {run_id} has no proposal to release.", where=campaign, cure="Run the comparison first.")
    return proposal


def _refuse_changed(tx: Any, plan: Plan, proposal: Any, as_of: datetime) -> Content:
    """What would be printed now, if it is what was proposed. Raises ApprovalMissing with how many rows differ."""
    run = store.run(tx, proposal["run_id"])
    assert run is not None  # the proposal's foreign key holds it
    found = content(tx, plan, run, as_of)
    if found.digest != proposal["content_sha256"]:
        differ, added, gone = _differences(store.proposed_rows(tx, proposal["id"]) or b"", found.rows)
        around = "" if differ or added or gone else " The rows are the same: the plan or their order has changed around them."
        raise ApprovalMissing(
            f"the lists have changed since they were proposed: {differ:,} of {proposal['findings']:,} rows say something else, "
            f"{added:,} are new, {gone:,} are gone.{around}", where=f"run {proposal['run_id']}",
            cure=f"Find out why; then propose the new content (`canbao compare {plan.id} --period {run['period']}`) and have it approved.",
            told=f"清单在提请后有变化（{differ}条内容不同，{added}条新增，{gone}条减少），请查明原因，对新的提请作出决定。")
    return found


def _differences(before: bytes, now: bytes) -> tuple[int, int, int]:
    """(rows that say something else, rows that are new, rows that are gone)."""
    was, stands = (dict(_PACKED.iter_unpack(packed)) for packed in (before, now))
    return (sum(was[number] != said for number, said in stands.items() if number in was), len(stands.keys() - was.keys()),
            len(was.keys() - stands.keys()))


@effect("下发花名册 release rosters")
def release(campaign: str, run_id: int, as_of: datetime) -> dict[str, Any]:
    """Writes one roster workbook per owner and marks the findings released. A second call changes nothing.

    Raises ApprovalMissing without a valid approval of exactly this content.
    """
    plan = plan_in_force(campaign)
    with refusals.kept(campaign, "rosters released", f"run {run_id}", actor(), as_of), transaction() as tx:
        proposal = _proposal(tx, campaign, run_id)
        run = store.run(tx, run_id)
        assert run is not None  # the proposal's foreign key holds it
        if proposal["released_at"] is not None:
            return {"release": proposal["id"], "rosters": 0, "findings": 0, "new": False}
        if proposal["refused_at"] is not None:
            raise ApprovalMissing(f"the release was refused: {proposal['reason']}.", where=f"run {run_id}",
                                  cure="Mend the lists and propose them anew, or have this content approved after all.")
        if proposal["approved_at"] is None:
            raise ApprovalMissing("the release is not approved.", where=f"run {run_id}",
                                  cure=f"`canbao approve {campaign} --run {run_id} --by NAME`, by another person.")
        if as_of > proposal["expires_at"]:
            raise ApprovalMissing("the approval has expired.", where=f"run {run_id}", cure="Have it approved again.")
        # Asked again: whoever writes into the record by another way has not passed the approval.
        refuse_approver(plan, proposal["approved_by"], proposal["prepared_by"], f"run {run_id}")
        # What is printed below is what was looked at here, and nothing that is read anew.
        approved = _refuse_changed(tx, plan, proposal, as_of)
    findings, beside, disputes = approved.findings, approved.beside, approved.disputes
    by_owner: dict[str, list[Any]] = defaultdict(list)
    for finding in findings:
        by_owner[finding["owner"]].append(finding)
    with transaction() as tx:
        latest = {owner: documents.latest_of(tx, campaign, "roster", owner) for owner in by_owner}
    held = {owner: row["content_sha256"] for owner, row in latest.items() if row is not None}
    # Who holds exactly this roster already is not bothered again.
    with workers.processes_for(len(findings), "documents.roster"):
        writing = [_write(plan, run, digest, owner, rows, beside, disputes, as_of) for owner, rows in sorted(by_owner.items())
                   if (digest := _digest(rows, disputes)) != held.get(owner)]
        for _, written in writing:
            written.result()
    made = [{**document, "sha256": sha256_of(Path(document["path"]))} for document, _ in writing]
    with transaction() as tx:
        for document in made:
            documents.record(tx, **document)
        store.close_release(tx, proposal["id"], as_of)
        handed = life.mark_released(tx, run, [finding["id"] for finding in findings], as_of, TRANSITIONS)
        campaigns.audit(tx, campaign, at=as_of, actor=proposal["approved_by"], action="rosters released",
                        subject=f"run {run_id}", count=len(findings), reason=plan.purpose)
    return {"release": proposal["id"], "rosters": len(made), "findings": handed, "new": True}


def _digest(findings: list[Any], disputes: Mapping[int, Any]) -> str:
    lines = sorted(f"{row['list']}|{row['subject']}|{row['status'] == 'contradicted'}"
                   f"{'|disputed' if row['id'] in disputes else ''}" for row in findings)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _write(plan: Plan, run: Any, digest: str, owner: str, findings: list[Any],
           beside: Details, disputes: Mapping[int, Any], as_of: datetime) -> tuple[dict[str, Any], Future[None]]:
    """Begins to write one owner's roster; the row to record once it is there, and the writing itself."""
    from documents.roster import write_roster

    day = today(plan, as_of)
    lists = []
    stands = register_periods(run)
    for entry in plan.lists:
        rows = tuple(_row(plan, finding, beside.get((entry.id, finding["subject"]), {}), disputes.get(finding["id"]), stands)
                     for finding in findings if finding["list"] == entry.id)
        if rows:
            lists.append(RosterList(entry.id, entry.name, entry.subject, entry.reason, entry.closes_when, rows))
    roster = Roster(
        origin=origin(plan, owner, run["period"], month(run["period"]).ends, run_id=run["id"], content_sha256=digest),
        issuer=plan.organisation(plan.office).name, purpose=plan.purpose, return_by=return_deadline(plan, day),
        contact=contact(plan), dispositions=dispositions(plan), lists=tuple(lists))
    path = folder(plan.id, "rosters", run["period"]) / f"{short_name(plan, owner)}_花名册_{run['period']}_{len(findings)}条.xlsx"
    row = {"campaign_id": plan.id, "kind": "roster", "period": run["period"], "organisation": owner, "path": str(path),
           "made_at": as_of, "rows": len(findings), "run_id": run["id"], "content_sha256": digest}
    return row, workers.submit(write_roster, path, roster)


def _row(plan: Plan, finding: Any, beside: Mapping[str, Any], dispute: Any, stands: Mapping[str, str]) -> RosterRow:
    from comparison.evidence import dated

    return RosterRow(
        finding_id=str(finding["id"]), name=finding["name"], id_number=finding["id_number"] or "",
        evidence=dated(plan, finding["evidence"], stands), sex=beside.get("sex") or "", age_years=beside.get("age_years"),
        township=short_name(plan, beside["township"]) if beside.get("township") else "",
        village=beside.get("village") or "", address=beside.get("address") or "", phone=beside.get("phone") or "",
        employer_name=beside.get("employer_name") or "", employer_code=beside.get("employer_code") or "",
        co_owners=tuple(short_name(plan, code) for code in finding["co_owners"]),
        history=_history(plan, finding, dispute))


def _history(plan: Plan, finding: Any, dispute: Any) -> str:
    """What the owner should know of the finding's past: a refuted answer, a transfer, a dispute that is waiting."""
    told = []
    if finding["status"] == "contradicted":
        told.append("上期反馈与登记不符，请重新核查")
    if finding["status"] == "reopened":
        told.append("曾已办结，现登记中再次出现")
    if finding["assigned_owner"] is not None:
        told.append(f"经认定由{short_name(plan, finding['assigned_from'])}转入")
    if dispute is not None:
        told.append(f"{short_name(plan, dispute['raised_by'])}提出应由{short_name(plan, dispute['wanted_owner'])}负责，"
                    f"认定前仍由{short_name(plan, finding['owner'])}牵头")
    return "；".join(told)
