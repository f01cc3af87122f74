"""How a campaign stands as of an instant: phases, obligations, feeds, lists, progress, forecast. Counts only."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from models.contract import for_feed
from models.database import transaction
from models.plan import Plan
from models.states import LISTED
from models.store import campaigns, deliveries, outbox
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from rules.periods import is_month, month
from rules.progress import forecast, time_progress
from tasks.approvals import newest
from tasks.attempts import attempts
from tasks.attention import attention
from tasks.campaign import folder, plan_in_force, short_name
from tasks.contents import figures_by_period, scorecard_lines
from tasks.doors import look
from tasks.inbox import Moment
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
        taken = [row for row in deliveries.all_of(tx, campaign) if row["received_at"] <= as_of]
        run = findings_store.latest_run(tx, campaign)
        categories = findings_store.categories(tx, run["id"]) if run else []
        lists = findings_store.counts_by_owner(tx, campaign)
        outcomes = findings_store.outcomes(tx, campaign)
        steps = obligations_store.step_counts(tx, campaign)
        swept = campaigns.last_sweep(tx, campaign)
        messages, dead, held = outbox.counts(tx, campaign, as_of), outbox.dead(tx, campaign), outbox.held(tx, campaign)
        whole = campaigns.audit_is_whole(tx)
    return {
        "campaign": campaign, "name": plan.name, "as_of": as_of.isoformat(),
        "phases": [{"id": row["id"], "name": row["name"], "starts": row["starts"].isoformat(),
                    "ends": row["ends"].isoformat() if row["ends"] else None,
                    "state": _phase_state(row, as_of)} for row in phases],
        "reports": dict(punctuality(reports)), "feeds": dict(punctuality(feeds)),
        "owing": _owing(plan, reports + feeds),
        "files": {key: int(value) for key, value in accounts.items()}, "inbox": _inbox(campaign, as_of),
        "departments": _departments(plan, feeds, as_of), "corrections": _corrections(plan, taken, as_of),
        "run": None if run is None else {
            "id": run["id"], "period": run["period"], "persons": run["persons"], "unbalanced": run["unbalanced"],
            "categories": _categories(plan, categories)},
        "attempts": attempts(campaign, as_of), "proposal": _proposal(campaign, as_of),
        "lists": _lists(plan, lists), "outcomes": _outcomes(outcomes), "steps": [dict(row) for row in steps],
        "progress": progress(plan, run["period"]) if run else [],
        "messages": messages, "held_messages": [
            {"channel": row["channel"], "error": row["last_error"], "messages": row["messages"]} for row in held],
        "dead_messages": [
            {"organisation": short_name(plan, row["organisation"]), "role": row["role"], "channel": row["channel"],
             "attempts": row["attempts"], "error": row["last_error"]} for row in dead],
        "sweep_is_stale": swept is not None and as_of - swept > timedelta(hours=plan.sending.stale_sweep_hours),
        "last_sweep": swept.isoformat() if swept else None, "audit_whole": whole, "attention": attention(plan, as_of),
    }


def _proposal(campaign: str, as_of: datetime) -> dict[str, Any] | None:
    """How the newest proposal of a release stands, in counts; None if nothing was proposed."""
    found = newest(campaign, as_of)
    return None if found is None else {
        "release": found.release, "run": found.run, "period": found.period, "findings": found.findings, "state": found.state,
        "prepared_by": found.prepared_by, "decide_before": found.decide_before.isoformat()}


def _inbox(campaign: str, as_of: datetime) -> dict[str, Any]:
    """What lies in the campaign's own inbox: how many files may be taken, and what is held, why."""
    found = look(campaign, folder(campaign, "inbox"), Moment(as_of))
    return {"arrived": len(found.arrived), "held": [{
        "place": entry.place, "state": entry.state, "kind": entry.kind, "says": entry.says} for entry in found.held]}


def _departments(plan: Plan, feeds: list[dict[str, Any]], as_of: datetime) -> dict[str, Any] | None:
    """Every department's scorecard of the last month of which something was due; None before that."""
    months = [row["period"] for row in feeds if row["due_in_force"] <= as_of and is_month(row["period"])]
    if not months:
        return None
    period = max(months)
    return {"period": period, "lines": [asdict(line) for line in scorecard_lines(plan, period, as_of)]}


def _corrections(plan: Plan, taken: list[RowMapping], as_of: datetime) -> dict[str, Any]:
    """Deliveries with rows that the sender still has to correct, and what corrections brought so far."""
    merged = [row for row in taken if row["reasons"].get("correction") is not None]
    open_ones = [row for row in taken if row["return_workbook"] is not None and _is_open(row, taken, as_of)]
    return {
        "merged": len(merged), "rows_mended": sum(row["reasons"]["correction"]["changed_rows"] for row in merged),
        "open": [{"organisation": short_name(plan, row["provider"]), "feed": row["feed"], "name": for_feed(row["feed"], plan.contracts).name,
                  "period": row["period"], "verdict": row["verdict"], "rows": row["quarantined"],
                  "return_workbook": row["return_workbook"], "quality_page": row["quality_page"]} for row in open_ones],
    }


def _is_open(row: RowMapping, taken: list[RowMapping], as_of: datetime) -> bool:
    """Whether a return workbook still waits: its file neither superseded nor corrected, nor replaced after a return."""
    own = ("feed", "period", "provider", "part")
    later = [other for other in taken if other["id"] > row["id"] and all(other[name] == row[name] for name in own)]
    overtaken = any(other["verdict"] != "returned" or (other["corrects"] == row["id"] and other["rows"]) for other in later)
    return not overtaken and (row["superseded_at"] is None or row["superseded_at"] > as_of)


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
        if row["status"] in LISTED:
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
                "time_progress": time_progress(plan.starts, target.measured_on, ends)})
    return result


