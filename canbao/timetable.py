"""The calendar of a plan: every phase, step, deadline with its reminders, and whatever runs by itself, by day."""

from __future__ import annotations

from typing import Any

from models.plan import Plan
from rules.calendar import WorkCalendar
from rules.deadlines import expected, item_periods, nominal_due
from rules.ladder import rungs
from rules.periods import period_name
from rules.schedule import DatedRun, dated_runs


def calendar_rows(plan: Plan) -> list[dict[str, Any]]:
    """Phases, deadlines (one row per item and period) with their ladder steps, and what runs by itself on a day of its own,
    in order of the effective day."""
    calendar = WorkCalendar(plan.calendar)
    ladders = {ladder.id: ladder for ladder in plan.ladders}
    rows: list[dict[str, Any]] = []
    for phase in plan.phases:
        rows.append({"day": phase.starts, "kind": "phase starts", "what": phase.name, "nominal": phase.starts})
        if phase.ends:
            rows.append({"day": phase.ends, "kind": "phase ends", "what": phase.name, "nominal": phase.ends,
                         "next_workday": calendar.roll(phase.ends, "next_workday")})
        for step in phase.steps:
            rows.append({"day": step.ends, "kind": "step ends", "what": f"{phase.name} · {step.name}",
                         "nominal": step.ends, "next_workday": calendar.roll(step.ends, "next_workday")})
    grouped: dict[tuple[str, str], list[Any]] = {}
    for owed in expected(plan):
        grouped.setdefault((owed.item, owed.period), []).append(owed)
    for (item, period), members in grouped.items():
        first = members[0]
        entry: dict[str, Any] = {
            "day": first.effective, "kind": "due", "what": f"{first.name}（{period_name(period)}）", "item": item,
            "period": period, "nominal": first.nominal, "effective": first.effective, "due_before": first.due_before,
            "organisations": len(members)}
        if first.ladder:
            entry["steps"] = [{"step": rung.step_id, "at": rung.planned_at} for rung in rungs(
                ladders[first.ladder], first.effective, calendar, plan.time_zone)]
        rows.append(entry)
    rows += [_dated_row(plan, run) for run in dated_runs(plan)]
    for entry in rows:
        entry["in_calendar"] = calendar.covers(entry["day"])
    return sorted(rows, key=lambda row: (row["day"], row["kind"], row["what"]))


def _dated_row(plan: Plan, run: DatedRun) -> dict[str, Any]:
    """A comparison, bulletin or acceptance: its day, and the instant at which it runs by itself."""
    row: dict[str, Any] = {"day": run.at.date(), "at": run.at, "flow": run.flow, "item": run.item, "period": run.period}
    if run.flow == "bulletin":
        bulletin = plan.item("bulletins", run.item)
        span = next(span for span in item_periods(plan, bulletin.cadence, bulletin.due) if span.label == run.period)
        return {**row, "kind": "bulletin", "what": f"{bulletin.name}（{period_name(run.period)}）",
                "nominal": nominal_due(bulletin.due, span), "effective": run.at.date()}
    if run.flow == "acceptance":
        return {**row, "kind": "acceptance", "what": {"provisional": "验收初评", "final": "验收终评"}[run.item], "nominal": run.at.date()}
    return {**row, "kind": "comparison", "what": f"数据比对（{period_name(run.period)}）", "nominal": run.at.date()}
