"""From the record to the plain values that documents print. No figure is made here: rules and queries made them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from documents.model import (
    Contact,
    Deadline,
    DispositionChoice,
    FeedLine,
    FigureWords,
    LateReport,
    ListLine,
    Origin,
    ProgressLine,
    ProgressTable,
    ReasonCount,
    ReportingLine,
    ScorecardLine,
)
from models.database import transaction
from models.plan import Bulletin, Indicator, Organisation, Plan, Target
from models.states import NOT_HANDED_OUT
from models.store import deliveries
from models.store import findings as findings_store
from rules.bulletins import Told
from rules.calendar import WorkCalendar
from rules.periods import month, period_name, previous_month
from rules.progress import forecast, gap, rank, rate, time_progress
from rules.scorecard import FeedRecord, scorecards, trend
from tasks.campaign import drill_note, short_name, today
from tasks.obligations import statuses

VERDICTS = {"accepted_with_warnings": "有提示"}
SHORTEST_UNIT_NAME = 2
"""A title that shares one character with its unit's name does not name it (局 of 「局长」)."""
FEED_STATES = {"on_time": "按时", "late": "迟交", "returned": "退回", "missing": "未交", "waiting": "未到期"}


def origin(plan: Plan, organisation: str, period: str, as_of: date, *, run_id: object = "",
           content_sha256: str = "") -> Origin:
    """Where a document comes from."""
    return Origin(campaign=plan.id, campaign_name=plan.name, organisation=organisation,
                  organisation_name=short_name(plan, organisation), period=period, period_name=period_name(period),
                  as_of=as_of, run_id=str(run_id), content_sha256=content_sha256,
                  drill=drill_note(plan))


def contact(plan: Plan) -> Contact:
    """Whom to call: the office's clerk post."""
    office = plan.organisation(plan.office)
    post = next((entry.title for entry in office.contacts if entry.role == "clerk"), "综合联络岗")
    return Contact(post=post_name(office, post))


def post_name(unit: Organisation, title: str) -> str:
    """A post with its unit before it, the unit named once: 「办公室经办」 of 「…领导小组办公室」 (市扩面办) is 「市扩面办经办」."""
    lengths = range(len(title), SHORTEST_UNIT_NAME - 1, -1)
    named = next((length for length in lengths if any(name.endswith(title[:length]) for name in (unit.short, unit.name))), 0)
    return f"{unit.short}{title[named:]}"


def register_periods(run: Any) -> dict[str, str]:
    """Feed → the period of the data that a run compared, the latest where several files stand together."""
    return {feed: max(entry["period"] for entry in entries) for feed, entries in run["inputs"].items() if entries}


def dispositions(plan: Plan) -> tuple[DispositionChoice, ...]:
    """The plan's results of a visit."""
    return tuple(DispositionChoice(entry.name, entry.claims, entry.excuses, entry.needs_note, entry.note)
                 for entry in plan.dispositions)


def deadline_of(row: Any) -> Deadline:
    """Both dates of an obligation row."""
    return Deadline(nominal=row["nominal_due"], effective=row["effective_due"])


def figures_by_period(plan: Plan) -> dict[tuple[str, str], dict[str, float | None]]:
    """(indicator, organisation) → period → value in force."""
    return figures_in_force(plan).values


@dataclass(frozen=True)
class Figures:
    """The figures in force: (indicator, organisation) → period → value, and the run that counted each."""

    values: dict[tuple[str, str], dict[str, float | None]]
    runs: dict[tuple[str, str, str], int]


def figures_in_force(plan: Plan) -> Figures:
    """Read once for any number of tables."""
    with transaction() as tx:
        rows = findings_store.measurements(tx, plan.id)
    values: dict[tuple[str, str], dict[str, float | None]] = defaultdict(dict)
    for row in rows:
        values[row["indicator"], row["organisation"]][row["period"]] = row["value"]
    return Figures(values, {(row["indicator"], row["organisation"], row["period"]): row["run_id"] for row in rows})


def targets_in_force(plan: Plan, day: date) -> tuple[Target, ...]:
    """Of targets that set one indicator for the same units year by year (B1–B4), the one that comes next; once the last
    is over, that one. In the plan's order."""
    groups: dict[tuple[str, frozenset[str]], list[Target]] = defaultdict(list)
    for target in plan.targets:
        groups[target.indicator, frozenset(target.level)].append(target)
    chosen = {min(own, key=lambda target: (target.measured_on < day, abs((target.measured_on - day).days))).id
              for own in groups.values()}
    return tuple(target for target in plan.targets if target.id in chosen)


THIS_MONTH = FigureWords()


def words_for(period: str, data: str) -> FigureWords:
    """How the figures of a month of data are called in a document about a period: by 本月 where it is about that very month, by the
    months' own names where it is about a week, ten days or a quarter, or where its month is not compared yet."""
    if period == data:
        return THIS_MONTH
    now, before = (f"{int(label[5:7])}月" for label in (data, previous_month(data)))
    return FigureWords(f"{before}末累计", f"{now}新增", f"{now}末累计")


def progress_tables(
    plan: Plan, period: str, bulletin: Bulletin | None = None, words: FigureWords = THIS_MONTH
) -> tuple[ProgressTable, ...]:
    """One table per target in force: every organisation with a stated level, ranked by completion, blanks last.

    For a bulletin only its indicators, those without a target (G19's duplicates, say) as plain figures of whom it is about.
    """
    figures = figures_in_force(plan)
    ends = month(period).ends
    shown = {entry.id for entry in plan.indicators} if bulletin is None else set(bulletin.indicators)
    targets = [target for target in targets_in_force(plan, ends) if target.indicator in shown]
    tables = [_progress_table(plan, target, period, figures) for target in targets]
    if bulletin is not None:
        aimed = {target.indicator for target in plan.targets}
        tables += [_plain_table(plan, plan.item("indicators", name), bulletin, period, figures)
                   for name in bulletin.indicators if name not in aimed]
    return tuple(replace(table, words=words) for table in tables if table.lines)


def _plain_table(plan: Plan, indicator: Indicator, bulletin: Bulletin, period: str, figures: Figures) -> ProgressTable:
    """An indicator without a target: the month's figure and the one before, by unit; the region's own as the total."""
    lines = {}
    for code in (*(org.code for org in plan.select(bulletin.about)), plan.region_organisation):
        values = figures.values.get((indicator.id, code), {})
        current, before = values.get(period), values.get(previous_month(period))
        if current is not None or before is not None:
            lines[code] = ProgressLine(
                label=short_name(plan, code), unit=indicator.unit, previous=before, current=current,
                added=_minus(current, before), run_id=figures.runs.get((indicator.id, code, period)))
    total = lines.pop(plan.region_organisation, None) if len(lines) > 1 else None
    return ProgressTable(indicator=indicator.name, unit=indicator.unit, lines=tuple(lines.values()), total=total)


def _progress_table(plan: Plan, target: Target, period: str, figures: Figures) -> ProgressTable:
    indicator = plan.item("indicators", target.indicator)
    is_floor = indicator.direction == "at_least"
    # 序时进度 counts to the day on which this target is measured; where less is better there is no such share.
    pace = time_progress(plan.starts, target.measured_on, month(period).ends) if is_floor else None
    lines = []
    for code, level in target.level.items():
        values = figures.values.get((indicator.id, code), {})
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
            gap=gap(current, level, indicator.direction), needed_per_month=ahead.needed_per_month, reaches=ahead.reaches,
            actual_per_month=ahead.actual_per_month, expected=ahead.expected_level,
            run_id=figures.runs.get((indicator.id, code, period))))
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
        if owner in (None, row["owner"]) and row["status"] not in NOT_HANDED_OUT:
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


def told_rows(plan: Plan, bulletin: Bulletin, told: Told, as_of: datetime) -> list[dict[str, Any]]:
    """The obligations that a bulletin tells of, with their status as of an instant, report by report and in order of time."""
    about = {org.code for org in plan.select(bulletin.about)}
    rows: list[dict[str, Any]] = []
    for item in bulletin.obligations:
        own = [row for row in statuses(plan.id, as_of, item=item)
               if row["organisation"] in about and told.holds(row["effective_due"], row["period_ends"])]
        rows += sorted(own, key=lambda row: row["period_ends"])
    return rows


def reporting_lines(plan: Plan, rows: list[dict[str, Any]]) -> tuple[ReportingLine, ...]:
    """Who handed in each report of each period in time, late or not at all; who holds an extension is none of these."""
    calendar = WorkCalendar(plan.calendar)
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["item"], row["period"]].append(row)
    lines = []
    for (item, period), own in grouped.items():
        on_time, late, missing, extended = [], [], [], []
        for row in own:
            name = short_name(plan, row["organisation"])
            if row["status"] in ("accepted", "accepted_late", "submitted"):
                if row["late"]:
                    received = min(entry["received_at"] for entry in row["submissions"])
                    handed_in = today(plan, datetime.fromisoformat(received))
                    late.append(LateReport(name, max(1, calendar.workdays_between(row["effective_due"], handed_in))))
                else:
                    on_time.append(name)
            elif row["status"] in ("overdue", "missing", "sent_back"):
                missing.append(name)
            elif row["extensions"]:
                extended.append(name)
        if on_time or late or missing or extended:
            lines.append(ReportingLine(
                report=plan.item("obligations", item).name, period_name=period_name(period), on_time=tuple(on_time),
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
            remark=f"退回{returned}次" if returned else "", verdict=VERDICTS.get(good["verdict"], "") if good else ""))
    return tuple(lines)


TRENDS = {"better": "好转", "worse": "变差", "same": "持平", None: None}


def scorecard_lines(plan: Plan, period: str, as_of: datetime) -> tuple[ScorecardLine, ...]:
    """Every department's scorecard of a month, beside the month before."""
    before = {card.provider: card for card in scorecards(_feed_records(plan, previous_month(period), as_of))}
    return tuple(
        ScorecardLine(
            department=short_name(plan, card.provider), due=card.due, on_time=card.on_time, late=card.late,
            missing=card.missing, late_working_days=card.late_working_days, complete=card.complete, returned=card.returned,
            quarantined_share=card.quarantined_share, valid_id_share=card.valid_share, redelivery_days=card.redelivery_days,
            trend=TRENDS[trend(card, before.get(card.provider))])
        for card in scorecards(_feed_records(plan, period, as_of)))


def _feed_records(plan: Plan, period: str, as_of: datetime) -> list[FeedRecord]:
    """What each department owed for a period and how it came, as far as the record knew by ``as_of``."""
    calendar = WorkCalendar(plan.calendar)
    with transaction() as tx:
        taken = [row for row in deliveries.all_of(tx, plan.id, period) if row["received_at"] <= as_of]
    owed = [row for row in statuses(plan.id, as_of, period=period) if row["kind"] == "feed" and row["status"] != "excused"]
    return [_feed_record(plan, calendar, row, [
        entry for entry in taken if (f"feed:{entry['feed']}", entry["provider"]) == (row["item"], row["organisation"])], as_of)
        for row in owed]


def _feed_record(plan: Plan, calendar: WorkCalendar, row: Any, own: list[RowMapping], as_of: datetime) -> FeedRecord:
    good = [entry for entry in own if entry["verdict"] != "returned"]
    returned = [entry["received_at"] for entry in own if entry["verdict"] == "returned"]
    in_force = [entry for entry in good if entry["superseded_at"] is None or entry["superseded_at"] > as_of]
    came = min((entry["received_at"] for entry in good), default=None)
    is_late = came is not None and row["late"]
    is_due = row["due_in_force"] <= as_of
    late = calendar.workdays_between(row["effective_due"], today(plan, came or as_of)) if is_late or (is_due and not came) else 0
    judged = [entry for entry in in_force if entry["valid_id_share"] is not None]
    return FeedRecord(
        provider=row["organisation"], is_due=is_due, is_delivered=came is not None, is_late=is_late,
        late_working_days=max(late, 1) if is_late else max(late, 0), returned=len(returned),
        rows=sum(map(_data_rows, in_force)), quarantined=sum(entry["quarantined"] for entry in in_force),
        valid_share=rate(sum(entry["valid_id_share"] * _data_rows(entry) for entry in judged), sum(map(_data_rows, judged))),
        first_returned_at=min(returned, default=None), accepted_at=came)


def _data_rows(entry: RowMapping) -> int:
    """Rows that are neither footer, total nor blank."""
    return int(entry["rows"] - entry["dropped"])


def return_deadline(plan: Plan, released_on: date) -> Deadline:
    """Until when a roster released on a day comes back: the next monthly report's due day, in the plan's rhythm."""
    calendar = WorkCalendar(plan.calendar)
    nominal = (released_on.replace(day=28) + timedelta(days=7)).replace(day=2)
    return Deadline(nominal, calendar.roll(nominal, plan.calendar.roll))
