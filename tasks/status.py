"""How a campaign stands as of an instant: phases, obligations, feeds, lists, progress, forecast. Counts only."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from models.database import transaction
from models.plan import Plan
from models.store import campaigns, deliveries
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from rules.periods import month
from rules.progress import forecast, time_progress
from tasks.campaign import plan_in_force, short_name
from tasks.contents import figures_by_period
from tasks.obligations import punctuality, statuses


def status(campaign: str, as_of: datetime) -> dict[str, Any]:
    """Everything ``canbao status`` shows; the same instant gives the same answer later (deadlines and reports)."""
    plan = plan_in_force(campaign)
    rows = statuses(campaign, as_of)
    reports = [row for row in rows if row["kind"] == "report"]
    feeds = [row for row in rows if row["kind"] == "feed"]
    with transaction() as tx:
        phases = campaigns.phases(tx, campaign)
        accounts = dict(deliveries.accounts(tx, campaign))
        run = findings_store.latest_run(tx, campaign)
        categories = findings_store.categories(tx, run["id"]) if run else []
        lists = findings_store.counts_by_owner(tx, campaign)
        outcomes = findings_store.outcomes(tx, campaign)
        steps = obligations_store.step_counts(tx, campaign)
        swept = campaigns.last_sweep(tx, campaign)
        whole = campaigns.audit_is_whole(tx)
    return {
        "campaign": campaign, "name": plan.name, "as_of": as_of.isoformat(),
        "phases": [{"id": row["id"], "name": row["name"], "starts": row["starts"].isoformat(),
                    "ends": row["ends"].isoformat() if row["ends"] else None,
                    "state": _phase_state(row, as_of)} for row in phases],
        "reports": dict(punctuality(reports)), "feeds": dict(punctuality(feeds)),
        "owing": _owing(plan, reports + feeds),
        "files": {key: int(value) for key, value in accounts.items()},
        "run": None if run is None else {
            "id": run["id"], "period": run["period"], "persons": run["persons"], "unbalanced": run["unbalanced"],
            "categories": _categories(plan, categories)},
        "lists": _lists(plan, lists), "outcomes": _outcomes(outcomes), "steps": [dict(row) for row in steps],
        "progress": progress(plan, run["period"]) if run else [],
        "last_sweep": swept.isoformat() if swept else None, "audit_whole": whole,
    }


def _phase_state(row: Any, as_of: datetime) -> str:
    if row["closed_at"] is not None and row["closed_at"] <= as_of:
        return "closed"
    return "open" if row["opened_at"] is not None and row["opened_at"] <= as_of else "ahead"


def _owing(plan: Plan, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who owes what at this moment."""
    return [{"organisation": short_name(plan, row["organisation"]), "item": row["item"], "period": row["period"],
             "status": row["status"], "due": row["effective_due"].isoformat()}
            for row in rows if row["status"] in ("overdue", "missing", "sent_back")]


def _categories(plan: Plan, rows: Any) -> list[dict[str, Any]]:
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row["category"]] += row["persons"]
    return [{"id": entry.id, "name": entry.name, "persons": counted[entry.id]} for entry in plan.categories]


def _lists(plan: Plan, rows: Any) -> list[dict[str, Any]]:
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["status"] not in ("closed", "confirmed"):
            held[row["list"]][row["owner"]] += row["findings"]
    return [{"list": entry.id, "name": entry.name, "findings": held[entry.id].total(),
             "owners": {short_name(plan, owner): count for owner, count in held[entry.id].most_common()}}
            for entry in plan.lists]


def _outcomes(rows: Any) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for row in rows:
        counted["answers"] += row["claims_made"]
        if row["excuses"]:
            counted["excused"] += row["claims_made"]
        if row["claims"]:
            counted["claimed"] += row["claims_made"]
            counted[row["outcome"]] += row["claims_made"]
    return dict(counted)


def progress(plan: Plan, period: str) -> list[dict[str, Any]]:
    """Target by target and unit by unit: level, current figure, whether reached, and where the pace leads."""
    figures = figures_by_period(plan)
    ends = month(period).ends
    result = []
    for target in plan.targets:
        indicator = plan.item("indicators", target.indicator)
        for code, level in target.level.items():
            values = {label: value for label, value in figures.get((indicator.id, code), {}).items() if label <= period}
            current = values.get(period)
            ahead = forecast([(month(label).ends, value) for label, value in values.items()], level,
                             target.measured_on, indicator.direction)
            result.append({
                "target": target.id, "indicator": indicator.name, "organisation": short_name(plan, code),
                "level": level, "current": current, "expected": ahead.expected_level, "reaches": ahead.reaches,
                "needed_per_month": ahead.needed_per_month, "actual_per_month": ahead.actual_per_month,
                "reached": None if current is None
                else current >= level if indicator.direction == "at_least" else current <= level,
                "time_progress": time_progress(plan.starts, plan.ends, ends)})
    return result


