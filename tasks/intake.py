"""Taking department files in: receipt, snapshot, verdict, accounts. The original is kept untouched by its SHA-256."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations.intake import Intake, sender, take
from models.database import transaction
from models.errors import FileReturned
from models.store import campaigns, obligations
from models.store import deliveries as store
from models.store import findings as runs
from tasks.campaign import folder, plan_in_force
from tasks.effect import effect
from tasks.originals import IGNORED, keep_original, sha256_of

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it reports every scratch folder it makes


def waiting_files(
    campaign: str, inbox: Path, period: str, as_of: datetime | None = None
) -> Iterator[tuple[str, Path, datetime]]:
    """(feed, file, arrival) of complete files for a period, not taken yet, that arrived by ``as_of`` if one is given.

    Arrival is the file's modification time.
    """
    with transaction() as tx:
        rows = store.all_of(tx, campaign, period)
    taken = {(row["feed"], row["sha256"]) for row in rows}
    # Reading every file again each day would take longer than taking the new ones in.
    seen = {(row["feed"], row["file_name"], row["size_bytes"], row["received_at"]) for row in rows}
    for folder_of_feed in sorted(path for path in inbox.iterdir() if path.is_dir()) if inbox.is_dir() else ():
        place = folder_of_feed / period
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if not path.is_file() or path.name.startswith((".", "~$")) or path.name.endswith(IGNORED):
                continue
            feed, facts = folder_of_feed.name, path.stat()
            arrival = datetime.fromtimestamp(facts.st_mtime, UTC)
            if (as_of is not None and arrival > as_of) or (feed, path.name, facts.st_size, arrival) in seen:
                continue
            if (feed, sha256_of(path)) not in taken:
                yield feed, path, arrival


@effect("接收数据文件 take in")
def take_in(campaign: str, feed: str, period: str, path: str, received_at: datetime) -> dict[str, Any]:
    """Takes one file in: original kept, rows accounted for, verdict recorded, obligation met unless it is returned.

    The same file again changes nothing; last month's bytes again are returned to the sender. The result holds counts
    only.
    """
    plan = plan_in_force(campaign)
    source = Path(path)
    contract_of_plan = next((entry for entry in plan.feeds if entry.feed == feed), None)
    if contract_of_plan is None:
        raise FileReturned(f"this campaign expects no feed {feed!r}.", where=source.name,
                           cure=f"Expected: {', '.join(sorted(entry.feed for entry in plan.feeds))}.")
    digest = sha256_of(source)
    with transaction() as tx:
        before = store.known(tx, campaign, digest)
    if before is not None and (before["feed"], before["period"]) == (feed, period):
        return {"delivery": before["id"], "feed": feed, "verdict": before["verdict"], "reason": before["reason"], "new": False}
    keep_original(campaign, source, digest)
    provider = sender(source, contract_of_plan, plan, period)
    with transaction() as tx:
        previous = store.previous_rows(tx, campaign, feed, provider or "", period)
    taken = take(source, feed=feed, plan=plan, period=period, provider=provider,
                 snapshots=folder(campaign, "snapshots"), previous_rows=previous)
    return _record(campaign, taken, received_at, repeated_from=before["period"] if before else None)


def _record(campaign: str, taken: Intake, received_at: datetime, repeated_from: str | None) -> dict[str, Any]:
    verdict, reason = taken.verdict, taken.reason
    if repeated_from is not None:
        verdict, reason = "returned", f"该文件与{repeated_from}期所报文件完全相同，请报送本期数据。"
    values = {
        "campaign_id": campaign, "feed": taken.feed, "period": taken.period, "provider": taken.provider or "",
        "file_name": taken.file_name, "sha256": taken.sha256, "size_bytes": taken.size_bytes,
        "original": f"originals/{taken.sha256[:2]}/{taken.sha256}", "received_at": received_at, "rows": taken.rows,
        "accepted": taken.accepted, "quarantined": taken.quarantined, "duplicate": taken.duplicate,
        "dropped": taken.dropped, "unassigned": taken.unassigned, "valid_id_share": taken.valid_id_share,
        "verdict": verdict, "reason": reason,
        "reasons": {"repaired": taken.repaired, "quarantined": taken.quarantine_reasons},
        "snapshot": str(taken.snapshot) if taken.snapshot and verdict != "returned" else None,
        "quarantine": str(taken.quarantine) if taken.quarantine else None,
    }
    checks = [{"rule_id": check.rule_id, "severity": check.severity, "passed": check.passed,
               "observed": str(check.observed)} for check in taken.checks]
    with transaction() as tx:
        delivery, is_new = store.record(tx, values, checks)
        if is_new:
            _meet_obligation(tx, campaign, taken, verdict, received_at)
            campaigns.audit(tx, campaign, at=received_at, actor=taken.provider or "unknown", action="delivery taken in",
                            subject=f"{taken.feed}/{taken.period}/{taken.sha256[:16]}", count=taken.rows, reason=verdict)
    return {"delivery": delivery, "feed": taken.feed, "verdict": verdict, "reason": reason, "new": is_new, "rows": taken.rows,
            "accepted": taken.accepted, "quarantined": taken.quarantined, "duplicate": taken.duplicate,
            "dropped": taken.dropped}


def _meet_obligation(tx: Any, campaign: str, taken: Intake, verdict: str, received_at: datetime) -> None:
    owed = obligations.one(tx, campaign, f"feed:{taken.feed}", taken.provider or "", taken.period)
    if owed is None:
        return
    submission, _ = obligations.submit(
        tx, owed["id"], received_at=received_at, sha256=taken.sha256, path=taken.file_name, prepared_by=None,
        reviewed_by=None, texts={}, faults={} if verdict != "returned" else {"returned": taken.reason})
    if verdict == "returned":
        obligations.send_back(tx, submission, received_at)
    else:
        obligations.accept(tx, submission, received_at)


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
