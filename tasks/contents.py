"""From the record to the plain values that documents print. No figure is made here: rules and queries made them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from documents.model import (
    Contact,
    Deadline,
    DispositionChoice,
    FeedLine,
    LateReport,
    ListLine,
    Origin,
    ProgressLine,
    ProgressTable,
    ReasonCount,
    ReportingLine,
)
from models.database import transaction
from models.plan import Plan, Target
from models.store import deliveries
from models.store import findings as findings_store
from rules.calendar import WorkCalendar
from rules.periods import month, previous_month
from rules.progress import forecast, gap, rank, rate, time_progress
from tasks.campaign import period_name, short_name, today
from tasks.obligations import statuses

FEED_STATES = {"on_time": "按时", "late": "迟交", "returned": "退回", "missing": "未交", "waiting": "未到期"}


def origin(plan: Plan, organisation: str, period: str, as_of: date, *, run_id: object = "",
           content_sha256: str = "") -> Origin:
    """Where a document comes from."""
    return Origin(campaign=plan.id, campaign_name=plan.name, organisation=organisation,
                  organisation_name=short_name(plan, organisation), period=period, period_name=period_name(period),
                  as_of=as_of, run_id=str(run_id), content_sha256=content_sha256)


def contact(plan: Plan) -> Contact:
    """Whom to call: the office's clerk post."""
    office = plan.organisation(plan.office)
    post = next((entry.title for entry in office.contacts if entry.role == "clerk"), "综合联络岗")
    return Contact(post=f"{office.short}{post}")


def dispositions(plan: Plan) -> tuple[DispositionChoice, ...]:
    """The plan's results of a visit."""
    return tuple(DispositionChoice(entry.name, entry.claims, entry.excuses, entry.needs_note, entry.note)
                 for entry in plan.dispositions)


def deadline_of(row: Any) -> Deadline:
    """Both dates of an obligation row."""
    return Deadline(nominal=row["nominal_due"], effective=row["effective_due"])


def figures_by_period(plan: Plan) -> dict[tuple[str, str], dict[str, float | None]]:
    """(indicator, organisation) → period → value in force."""
    with transaction() as tx:
        rows = findings_store.measurements(tx, plan.id)
    result: dict[tuple[str, str], dict[str, float | None]] = defaultdict(dict)
    for row in rows:
        result[row["indicator"], row["organisation"]][row["period"]] = row["value"]
    return result


def progress_tables(plan: Plan, period: str) -> tuple[ProgressTable, ...]:
    """One table per target: every organisation with a stated level, ranked by completion, blanks last."""
    figures = figures_by_period(plan)
    pace = time_progress(plan.starts, plan.ends, month(period).ends)
    return tuple(_progress_table(plan, target, period, figures, pace) for target in plan.targets)


def _progress_table(plan: Plan, target: Target, period: str,
                    figures: dict[tuple[str, str], dict[str, float | None]], pace: float) -> ProgressTable:
    indicator = plan.item("indicators", target.indicator)
    lines = []
    for code, level in target.level.items():
        values = figures.get((indicator.id, code), {})
        current, before = values.get(period), values.get(previous_month(period))
        base = target.derived_base.get(code, 0)
        added = _minus(current, before)
        added_before = _minus(before, values.get(previous_month(previous_month(period))))
        ahead = forecast([(month(label).ends, value) for label, value in values.items() if label <= period], level,
                         target.measured_on, indicator.direction)
        done = rate(_minus(current, base), level - base) if level != base else None
        # A month that lost members is no base for a share.
        change = rate(_minus(added, added_before), added_before) if (added_before or 0) > 0 else None
        lines.append(ProgressLine(
            label=short_name(plan, code), unit=indicator.unit, target=level, previous=before, added=added,
            month_on_month=change, current=current, completion=done, pace=pace,
            gap=gap(current, level, indicator.direction), needed_per_month=ahead.needed_per_month, reaches=ahead.reaches))
    places = rank({line.label: line.completion for line in lines})
    ranked = [ProgressLine(**{**vars(line), "rank": places[line.label] if len(lines) > 1 else None}) for line in lines]
    ranked.sort(key=lambda line: (line.rank is None, line.rank or 0))
    basis = "完成率＝（现状－推算基数）÷（目标－推算基数）" if target.derived_base else ""
    return ProgressTable(indicator=indicator.name, unit=indicator.unit, lines=tuple(ranked), basis=basis)


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


@dataclass(frozen=True)
class Work:
    """How findings stand and what was answered, by owner and list, as the record counts it."""

    counts: list[RowMapping]
    outcomes: list[RowMapping]


def work_done(plan: Plan) -> Work:
    """Read once for any number of ``list_lines``."""
    with transaction() as tx:
        return Work(findings_store.counts_by_owner(tx, plan.id), findings_store.outcomes(tx, plan.id))


def list_lines(plan: Plan, work: Work, *, owner: str | None = None, by: str = "owner") -> tuple[ListLine, ...]:
    """Counts of findings by owner (bulletin) or by list (one owner's form): released, checked, and what came of it."""
    counts, outcomes = work.counts, work.outcomes
    names: dict[str, str] = {entry.id: entry.name for entry in plan.lists}
    reasons = {entry.code: entry.name for entry in plan.dispositions}
    totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    excused: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in counts:
        if owner in (None, row["owner"]) and row["status"] != "new":
            totals[row[by]]["released"] += row["findings"]
    for row in outcomes:
        if owner not in (None, row["owner"]):
            continue
        entry = totals[row[by]]
        entry["checked"] += row["claims_made"]
        if row["claims"]:
            entry["claimed"] += row["claims_made"]
            entry[str(row["outcome"])] += row["claims_made"]
        if row["excuses"]:
            excused[row[by]][reasons.get(row["disposition"], row["disposition"])] += row["claims_made"]
    return tuple(
        ListLine(label=short_name(plan, key) if by == "owner" else names.get(key, key), released=entry["released"],
                 checked=entry["checked"], claimed=entry["claimed"], confirmed=entry["confirmed"],
                 contradicted=entry["contradicted"],
                 excused=tuple(ReasonCount(reason, count) for reason, count in sorted(excused[key].items())))
        for key, entry in sorted(totals.items()))


def reporting_lines(plan: Plan, period: str, as_of: datetime) -> tuple[ReportingLine, ...]:
    """Who handed in each report of a period in time, late or not at all; extensions are named."""
    calendar = WorkCalendar(plan.calendar)
    lines = []
    for obligation in plan.obligations:
        rows = [row for row in statuses(plan.id, as_of, item=obligation.id, period=period)
                if row["status"] not in ("not_yet_due", "open", "due_soon")]
        if not rows:
            continue
        on_time, late, missing, extended = [], [], [], []
        for row in rows:
            name = short_name(plan, row["organisation"])
            if row["extensions"]:
                extended.append(name)
            if row["status"] in ("accepted", "accepted_late", "submitted"):
                if row["late"]:
                    received = min(entry["received_at"] for entry in row["submissions"])
                    handed_in = today(plan, datetime.fromisoformat(received))
                    late.append(LateReport(name, max(1, calendar.workdays_between(row["effective_due"], handed_in))))
                else:
                    on_time.append(name)
            elif row["status"] != "excused":
                missing.append(name)
        lines.append(ReportingLine(report=obligation.name, period_name=period_name(period), on_time=tuple(on_time),
                                   late=tuple(late), missing=tuple(missing), extended=tuple(extended)))
    return tuple(lines)


def feed_lines(plan: Plan, period: str, as_of: datetime, provider: str | None = None) -> tuple[FeedLine, ...]:
    """The departments' scorecard of a period: due, delivered, state, rows and share of valid numbers."""
    with transaction() as tx:
        taken = deliveries.all_of(tx, plan.id, period)
    lines = []
    for row in statuses(plan.id, as_of, period=period, organisation=provider):
        if row["kind"] != "feed":
            continue
        feed = row["item"].removeprefix("feed:")
        own = [entry for entry in taken if (entry["feed"], entry["provider"]) == (feed, row["organisation"])
               and entry["received_at"] <= as_of]
        good = next((entry for entry in reversed(own) if entry["verdict"] != "returned"), None)
        if good is not None:
            state = "late" if row["late"] else "on_time"
        elif own:
            state = "returned"
        else:
            state = "missing" if row["status"] in ("overdue", "missing") else "waiting"
        returned = sum(entry["verdict"] == "returned" for entry in own)
        lines.append(FeedLine(
            department=short_name(plan, row["organisation"]), feed=row["name"], due=deadline_of(row),
            delivered_on=today(plan, good["received_at"]) if good else None, state=FEED_STATES[state],
            rows=good["accepted"] if good else None, valid_id_share=good["valid_id_share"] if good else None,
            remark=f"退回{returned}次" if returned else ""))
    return tuple(lines)


def return_deadline(plan: Plan, released_on: date) -> Deadline:
    """Until when a roster released on a day comes back: the next monthly report's due day, in the plan's rhythm."""
    calendar = WorkCalendar(plan.calendar)
    nominal = (released_on.replace(day=28) + timedelta(days=7)).replace(day=2)
    return Deadline(nominal, calendar.roll(nominal, plan.calendar.roll))
