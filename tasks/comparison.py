"""One comparison run: accepted snapshots in, profile and lists out, the difference merged into the findings' life."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from comparison.engine import Outcome, compare
from comparison.exports import export_for_record
from comparison.figures import figures
from models.database import engine, transaction
from models.errors import CanbaoError, StorageUnavailable, WrongUse
from models.plan import Plan
from models.store import campaigns, deliveries
from models.store import findings as store
from tasks.campaign import actor, folder, plan_in_force
from tasks.effect import effect


@effect("数据比对 compare")
def run_comparison(campaign: str, period: str, as_of: datetime) -> dict[str, Any]:
    """Runs the comparison of a period over the accepted snapshots, or answers with the run that did so already.

    One at a time per campaign and period (advisory lock). Inputs are the snapshots' hashes and the plan's hash: the
    same inputs are the same run. Raises RunDoesNotBalance; nothing of the earlier run is replaced then.
    """
    plan = plan_in_force(campaign)
    with engine().connect() as lock:
        if not store.try_lock(lock, campaign, period):
            raise WrongUse("another comparison of this period is running.", where=f"{campaign} {period}",
                           cure="Wait for it to end, then run this again.")
        with transaction() as tx:
            plan_sha256 = campaigns.plan_in_force(tx, campaign)
            inputs = _inputs(tx, plan, period)
            digest = hashlib.sha256(json.dumps([plan_sha256, inputs], sort_keys=True).encode()).hexdigest()
            done = store.done_run(tx, campaign, period, digest)
            if done is not None:
                return {"run": done["id"], "new": False, "persons": done["persons"], "unbalanced": done["unbalanced"]}
            store.close_abandoned_runs(tx, campaign, period)
            place = folder(campaign, "runs", period) / digest[:16]
            run_id = store.start_run(tx, campaign_id=campaign, period=period, as_of=as_of, inputs=inputs,
                                     inputs_sha256=digest, plan_sha256=plan_sha256, folder=str(place))
        try:
            outcome = compare(plan, period, _paths(inputs), place)
            measured = figures(plan, period, place, _paths(inputs).get("statistics", []))
            events = _record(campaign, run_id, outcome, as_of, plan, [vars(figure) for figure in measured])
        except (CanbaoError, OSError) as error:
            with transaction() as tx:
                store.fail_run(tx, run_id, str(error) if isinstance(error, CanbaoError) else type(error).__name__)
            if isinstance(error, OSError):
                raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(place)) from None
            raise
    return {"run": run_id, "new": True, "persons": outcome.persons, "unbalanced": outcome.unbalanced,
            "findings": sum(count for _, _, count in outcome.lists), "events": events}


def _inputs(tx: Connection, plan: Plan, period: str) -> dict[str, list[dict[str, str]]]:
    """Feed → deliveries in force, by hash; one of an earlier period is named as such, so that staleness shows.

    A full snapshot stands for itself; the files of a supplement add up from the first period on.
    """
    chosen: dict[str, list[dict[str, str]]] = {}
    adding = [feed.feed for feed in plan.feeds if feed.snapshot == "supplement"]
    rows = [row for row in deliveries.accepted(tx, plan.id, period) if row["feed"] not in adding]
    for feed in adding:
        rows += deliveries.supplements(tx, plan.id, feed, period)
    for row in rows:
        chosen.setdefault(row["feed"], []).append(
            {"sha256": row["sha256"], "period": row["period"], "provider": row["provider"], "path": row["snapshot"]})
    return chosen


def _paths(inputs: dict[str, list[dict[str, str]]]) -> dict[str, list[Path]]:
    return {feed: [Path(entry["path"]) for entry in entries] for feed, entries in inputs.items()}


def _record(campaign: str, run_id: int, outcome: Outcome, as_of: datetime, plan: Plan,
            measured: list[dict[str, Any]]) -> dict[str, int]:
    """Everything a run leaves in the record, in one transaction: a run is done whole or not at all."""
    current, gone = export_for_record(plan, outcome.folder)
    try:
        with transaction() as tx:
            newest = store.latest_run(tx, campaign)
            store.finish_run(tx, run_id, persons=outcome.persons, unbalanced=outcome.unbalanced,
                             content_sha256=outcome.content_sha256, categories=outcome.categories, links=outcome.links)
            store.record_measurements(tx, campaign, outcome.period, run_id, measured)
            events: dict[str, int] = {}
            # An old month compared anew corrects its figures; it must not turn back the findings' life.
            if newest is None or newest["period"] <= outcome.period:
                out_of_scope = [category.id for category in plan.categories if not category.in_scope]
                events = store.merge(tx, campaign, outcome.period, run_id, as_of, current, gone, out_of_scope,
                                     newest["period"] if newest else None)
            campaigns.audit(tx, campaign, at=as_of, actor=actor(), action="comparison run", subject=f"run {run_id}",
                            count=outcome.persons, reason=outcome.period)
    finally:
        current.unlink(missing_ok=True)
        gone.unlink(missing_ok=True)
    return events


def latest_run(campaign: str, period: str | None = None) -> dict[str, Any]:
    """The latest finished run. Raises WrongUse if there is none."""
    with transaction() as tx:
        found = store.latest_run(tx, campaign, period)
    if found is None:
        raise WrongUse("no comparison has been run yet.", where=f"{campaign} {period or ''}".strip(),
                       cure="Take the feeds in, then `canbao compare`.")
    return dict(found)
