"""Taking department files in: receipt, snapshot, verdict, accounts. The original is kept untouched by its SHA-256."""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping

from expectations.history import Held, History
from expectations.intake import Intake, refused, sender, take
from models import contract as contracts
from models.database import transaction
from models.errors import FileReturned
from models.plan import Feed, Plan
from models.store import campaigns, mappings, obligations
from models.store import deliveries as store
from models.store import findings as runs
from rules.calendar import WorkCalendar
from rules.drift import Profile
from rules.periods import period_name
from rules.redelivery import redeliver_by
from tasks import events, workers
from tasks.answers import Answered, Mended, answer, correction_notes, refusal
from tasks.answers import mended as mended_by
from tasks.campaign import folder, plan_in_force, today
from tasks.effect import effect
from tasks.originals import keep_original, place_of_original, sha256_of_delivered
from tasks.told import told_file

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it reports every scratch folder it makes


@effect("接收数据文件 take in")
def take_in(campaign: str, feed: str, period: str, path: str, received_at: datetime) -> dict[str, Any]:
    """Takes one file in: original kept, rows accounted for, verdict recorded, obligation met unless it is returned.

    The same file again changes nothing, unless it was returned and something may have changed since: it comes under
    another name, or an operator has confirmed what its headers mean. The result holds counts only.
    """
    plan = plan_in_force(campaign)
    source = Path(path)
    digest = sha256_of_delivered(source)
    mended = _mended(campaign, source, feed, period)
    if mended is not None:
        feed, period = mended.feed, mended.period
    entry = _feed(plan, feed, source)
    name = told_file(source.name, plan)
    provider = (mended and mended.provider) or sender(name, entry, plan, period)
    file = Arrival(entry, period, provider, source, name, digest, received_at)
    with transaction() as lock:
        store.hold(lock, campaign, feed, period, file.provider or "")
        with transaction() as tx:
            before = store.known(tx, campaign, feed, period, digest)
            mapping = mappings.mapping(tx, campaign, feed, file.provider or "")
        if before is not None and (mended is not None or not _may_end_otherwise(before, file.name, mapping)):
            return {"delivery": before["id"], "feed": feed, "verdict": before["verdict"], "reason": before["reason"],
                    "new": False}
        keep_original(campaign, source, digest)
        if mended is None:
            return judge(plan, file, again=before)
        # Asked once more now that nobody else can take its place: what it corrects may have been replaced meanwhile.
        return judge(plan, file, mended=_mended(campaign, source, feed, period))


def _mended(campaign: str, source: Path, feed: str, period: str) -> Mended | None:
    """What a file corrects, if it is a return workbook: its own feed and period count then, whatever the door."""
    with transaction() as tx:
        return mended_by(tx, campaign, source, feed, period)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file, what it was delivered for, and the name under which it came, as it may be told."""

    feed: Feed
    period: str
    provider: str | None
    path: Path
    name: str
    sha256: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Waiver:
    """A named post accepts what these rules found, for a reason, at an instant."""

    rules: tuple[str, ...]
    by: str
    reason: str
    at: datetime


def judge(
    plan: Plan, file: Arrival, *, again: RowMapping | None = None, waiver: Waiver | None = None, mended: Mended | None = None
) -> dict[str, Any]:
    """Judges a file whose original is kept, and records the verdict. ``again`` is an earlier judgement of the same file,
    whose place it takes; ``mended`` what it corrects. The caller holds the sender's files of that feed and period
    (``store.hold``)."""
    sender_code, feed = file.provider or "", file.feed.feed
    line = mended or _line(plan, file, again)
    if line.refusal:
        taken = refused(file.path, feed=feed, plan=plan, period=file.period, provider=file.provider, reason=line.refusal)
        return _record(plan, file, taken, "", again, waiver, line)
    with transaction() as tx:
        history = _history(tx, plan, file, {again["id"] if again else None, line.corrects})
        mapping = mappings.mapping(tx, plan.id, feed, sender_code)
    taken = workers.submit(
        take, line.original or file.path, feed=feed, plan=plan, period=file.period, provider=file.provider,
        name=line.file_name or file.name, snapshots=folder(plan.id, "snapshots"), history=history, mapping=mapping,
        waived=waiver.rules if waiver else (), corrections=line.corrections, sent_in=file.path).result()
    if line.corrects is not None and _is_overtaken(line, taken.replaces):
        # What was corrected had been returned, and a whole file has come for it since: the newer one stays.
        taken = refused(file.path, feed=feed, plan=plan, period=file.period, provider=file.provider,
                        reason=refusal("superseded"))
    return _record(plan, file, taken, mapping_mark(mapping), again, waiver, line)


def _is_overtaken(line: Mended, replaces: Collection[int]) -> bool:
    """Whether a correction would take the place of a file that came after the one it corrects."""
    with transaction() as tx:
        return line.received_at is not None and store.any_received_after(tx, replaces, line.received_at)


def _line(plan: Plan, file: Arrival, again: RowMapping | None) -> Mended:
    """What a file corrects that is judged again: mostly nothing, but a return workbook is no register then either."""
    found = _mended(plan.id, file.path, file.feed.feed, file.period) if again is not None else None
    return found or Mended(file.feed.feed, file.period, file.provider, None)


def _feed(plan: Plan, feed: str, source: Path) -> Feed:
    for entry in plan.feeds:
        if entry.feed == feed:
            return entry
    raise FileReturned(f"this campaign expects no feed {feed!r}.", where=told_file(source.name, plan),
                       cure=f"Expected: {', '.join(sorted(entry.feed for entry in plan.feeds))}.")


def _may_end_otherwise(before: RowMapping, name: str, mapping: Mapping[str, str]) -> bool:
    """Whether a returned file may be judged differently now: its name says who sent it and which part it is, a saved
    mapping what its headers mean."""
    changed = before["file_name"] != name or before["reasons"].get("mapping", "") != mapping_mark(mapping)
    return before["verdict"] == "returned" and before["superseded_at"] is None and changed


def mapping_mark(mapping: Mapping[str, str]) -> str:
    """Stands for a saved mapping as it was when a file was judged; '' for none."""
    return hashlib.sha256(json.dumps(sorted(mapping.items())).encode()).hexdigest()[:16] if mapping else ""


def _history(tx: Connection, plan: Plan, file: Arrival, without: Collection[int | None]) -> History:
    """Earlier deliveries of the sender, without the one that is judged again or corrected."""
    named = (plan.id, file.feed.feed, file.provider or "", file.period)
    twin = store.taken_elsewhere(tx, plan.id, file.feed.feed, file.period, file.sha256)
    same_file = f"已作为{period_name(twin['period'])}「{contracts.for_feed(twin['feed'], plan.contracts).name}」接收" if twin else None
    current = [row for row in store.in_force(tx, *named) if row["id"] not in without]
    return History(_held(current), _held(store.last_in_force(tx, *named)), same_file)


def _held(rows: Iterable[RowMapping]) -> tuple[Held, ...]:
    return tuple(
        Held(row["id"], row["part"], row["accepted"], Path(row["snapshot"]), Profile.of(row["profile"]),
             row["waived_at"] is not None)
        for row in rows if row["snapshot"]
    )


def _record(
    plan: Plan, file: Arrival, taken: Intake, mark: str, again: RowMapping | None, waiver: Waiver | None, line: Mended
) -> dict[str, Any]:
    at, taken = waiver.at if waiver else file.received_at, replace(taken, file_name=file.name)
    checks = [{"rule_id": check.rule_id, "severity": check.severity, "passed": check.passed,
               "observed": str(check.observed)} for check in taken.checks]
    corrected = again["id"] if again else line.corrects
    replaces = () if taken.verdict == "returned" else tuple(
        dict.fromkeys((*taken.replaces, *([line.corrects] if line.corrects else []))))
    notes = correction_notes(taken.correction, line) if line.corrections and taken.rows else ()
    places: dict[str, str | None] = {}
    with transaction() as tx:
        owed = obligations.one(tx, plan.id, f"feed:{taken.feed}", taken.provider or "", taken.period)
        due = _redelivery(plan, file, at, owed) if taken.verdict == "returned" else None
        reason = "".join(notes) + taken.reason + (f"请于{due:%Y年%-m月%-d日}前重新报送。" if due else "")
        values = {**_values(plan.id, file, taken, corrected), "reason": reason, "reasons": _reasons(taken, mark, due)}
        if notes:
            values["reasons"]["correction"] = asdict(taken.correction)
        if waiver:
            values |= {"waived_at": waiver.at, "waived_by": waiver.by, "waived_reason": waiver.reason}
        delivery, is_new = store.record(tx, values, checks, (*replaces, *([again["id"]] if again else [])), at)
        if is_new:
            _meet_obligation(tx, owed, taken, file.received_at, at)
            places = answer(tx, plan, Answered(delivery, replace(taken, reason=reason), at, due, notes, line.chain))
            if taken.verdict == "returned":
                events.note(tx, plan.id, events.FEED_RETURNED, str(delivery), at, taken.feed, delivery=delivery,
                            organisations=[taken.provider] if taken.provider else [], period=taken.period, rows=taken.rows)
            campaigns.audit(tx, plan.id, at=at, actor=waiver.by if waiver else taken.provider or "unknown",
                            action="delivery waived" if waiver else "delivery taken in",
                            subject=f"{taken.feed}/{taken.period}/{taken.sha256[:16]}", count=taken.rows,
                            reason=waiver.reason if waiver else taken.verdict)
    return {"delivery": delivery, "feed": taken.feed, "verdict": taken.verdict, "reason": reason, "new": is_new,
            "rows": taken.rows, "accepted": taken.accepted, "quarantined": taken.quarantined, "duplicate": taken.duplicate,
            "dropped": taken.dropped, "provider": taken.provider, "part": taken.part, "replaces": list(replaces),
            "redeliver_by": due.isoformat() if due else None, "next": _next_commands(plan.id, taken, delivery),
            **places}


def _values(campaign: str, file: Arrival, taken: Intake, corrected: int | None) -> dict[str, Any]:
    return {
        "campaign_id": campaign, "feed": taken.feed, "period": taken.period, "provider": taken.provider or "",
        "file_name": taken.file_name, "sha256": taken.sha256, "size_bytes": taken.size_bytes,
        "original": place_of_original(file.path, taken.sha256), "received_at": file.received_at, "rows": taken.rows,
        "accepted": taken.accepted, "quarantined": taken.quarantined, "duplicate": taken.duplicate,
        "dropped": taken.dropped, "unassigned": taken.unassigned, "valid_id_share": taken.valid_id_share,
        "verdict": taken.verdict, "snapshot": str(taken.snapshot) if taken.snapshot else None,
        "quarantine": str(taken.quarantine) if taken.quarantine else None, "part": taken.part,
        "corrects": corrected, "profile": taken.profile.to_store(),
    }


def _reasons(taken: Intake, mark: str, due: date | None) -> dict[str, Any]:
    """What the receipt says besides the four counts; no row stands in it."""
    return {
        "repaired": dict(taken.repaired), "quarantined": dict(taken.quarantine_reasons), "emptied": dict(taken.emptied),
        "dropped": dict(taken.dropped_kinds), "mapping": mark,
        "unknown_headers": list(taken.unknown_headers), "missing_columns": list(taken.missing_columns),
        "redeliver_by": due.isoformat() if due else None,
    }


def _next_commands(campaign: str, taken: Intake, delivery: int) -> list[str]:
    """What an operator, not the department, can do about a returned file: say what an unknown header means, or accept
    what may be accepted once the department has confirmed it."""
    confirmed = "--by 经办岗位 --reason 依据"
    fatal = [check for check in taken.checks if not check.passed and check.severity == "return"]
    if fatal and all(check.waivable for check in fatal):
        return [f"canbao waive {campaign} --delivery {delivery} {confirmed}"]
    return [
        f"canbao map {campaign} --feed {taken.feed} --provider {taken.provider} --header {shlex.quote(header)} "
        f"--column {'|'.join(taken.missing_columns)} {confirmed}"
        for header in taken.unknown_headers if taken.missing_columns
    ]


def _redelivery(plan: Plan, file: Arrival, at: datetime, owed: RowMapping | None) -> date:
    """Until when a returned file is to be sent again."""
    days = file.feed.redeliver_within_working_days
    return redeliver_by(today(plan, at), owed["effective_due"] if owed else None, days, WorkCalendar(plan.calendar))


def _meet_obligation(tx: Connection, owed: RowMapping | None, taken: Intake, received_at: datetime, at: datetime) -> None:
    """A file came for what was owed: accepted, or sent back, which leaves it owed."""
    if owed is None:
        return
    submission, _ = obligations.submit(
        tx, owed["id"], received_at=received_at, sha256=taken.sha256, path=taken.file_name, prepared_by=None,
        reviewed_by=None, texts={}, faults={} if taken.verdict != "returned" else {"returned": taken.reason})
    if taken.verdict == "returned":
        obligations.send_back(tx, submission, at)
    else:
        obligations.accept(tx, submission, at)


def absent_feeds(campaign: str, period: str, as_of: datetime) -> list[tuple[str, datetime]]:
    """Deliveries of a period that are owed and not in, as (``feed/provider``, due before); excused ones are not owed."""
    with transaction() as tx:
        present = {(row["feed"], row["provider"]) for row in store.accepted(tx, campaign, period)
                   if row["period"] == period}
        owed = obligations.facts(tx, campaign, as_of, period=period)
    return sorted(
        (f"{row['item'].removeprefix('feed:')}/{row['organisation']}", row["due_before"]) for row in owed
        if row["kind"] == "feed" and row["excused_at"] is None
        and (row["item"].removeprefix("feed:"), row["organisation"]) not in present)


def missing_feeds(campaign: str, period: str, as_of: datetime) -> list[str]:
    """What a comparison of the period cannot do without: required feeds until they come (or are excused), the others
    until they are due."""
    required = {feed.feed for feed in plan_in_force(campaign).feeds if feed.required}
    return [name for name, due_before in absent_feeds(campaign, period, as_of)
            if name.partition("/")[0] in required or as_of < due_before]


def waits_for(campaign: str, period: str, as_of: datetime) -> list[str]:
    """What the scheduled comparison waits for. Once a period was compared without its late files it waits for all of
    them: one comparison more when they are in, not one for each."""
    with transaction() as tx:
        compared = runs.latest_run(tx, campaign, period) is not None
    if compared:
        return [name for name, _ in absent_feeds(campaign, period, as_of)]
    return missing_feeds(campaign, period, as_of)
