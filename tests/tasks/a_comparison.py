"""A record whose deliveries were accepted already: a few thousand made-up persons of 连云港 as snapshots of two months."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.snapshots import write
from comparison.plan_check import load_sound
from models.database import transaction
from models.store import deliveries
from tasks.campaign import store_plan

CAMPAIGN, BEFORE, PERIOD = "lianyungang-2016", "2016-03", "2016-04"
NOW = datetime(2016, 5, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


def accept(folder: Path, persons: int = 2000) -> None:
    """Puts the plan in force and records an accepted delivery for every feed of both months."""
    store_plan.fn(CAMPAIGN, NOW)
    plan = load_sound(CAMPAIGN).plan
    providers = {feed.feed: feed.providers[0] for feed in plan.feeds}
    for month, period in enumerate((BEFORE, PERIOD)):
        inputs = write(plan, folder / "snapshots", persons=persons, period=period, month=month)
        for feed, (path,) in inputs.items():
            deliver(feed, period, providers[feed], path)


def deliver(feed: str, period: str, provider: str, path: Path, supersedes: tuple[int, ...] = ()) -> int:
    """An accepted delivery of one snapshot."""
    with transaction() as tx:
        number, _ = deliveries.record(tx, {
            "campaign_id": CAMPAIGN, "feed": feed, "period": period, "provider": provider, "file_name": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size_bytes": 1, "original": str(path),
            "received_at": NOW, "rows": 1, "accepted": 1, "quarantined": 0, "duplicate": 0, "dropped": 0, "unassigned": 0,
            "valid_id_share": 1.0, "verdict": "accepted", "reason": "", "reasons": {}, "snapshot": str(path),
            "quarantine": None, "part": ""}, [], supersedes, NOW)
    return number
