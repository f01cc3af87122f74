"""The campaign board: drawn from what the record holds as of an instant, and hung up anew by the sweep when it is stale."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping

from documents.board import (
    Ahead,
    BoardContent,
    Column,
    Department,
    Duty,
    FeedMark,
    Findings,
    Group,
    Owed,
    PhaseBar,
    Place,
    Source,
    Standing,
    Tone,
    Waiting,
    board_page,
)
from documents.files import write_atomically
from documents.model import FeedLine, ProgressLine, ProgressTable
from documents.wording import chinese_date
from models.database import transaction
from models.plan import Organisation, Plan
from models.store import campaigns, outbox
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from rules.calendar import WorkCalendar
from rules.deadlines import effective_due, item_periods, nominal_due
from rules.periods import is_month, month, period_name
from rules.phases import running
from rules.progress import time_progress
from tasks.approvals import newest
from tasks.attention import attention
from tasks.campaign import as_instant, drill_note, folder, plan_in_force, short_name, today
from tasks.contents import FEED_STATES, feed_lines, progress_tables, scorecard_lines, work_done
from tasks.effect import effect
from tasks.obligations import punctuality, statuses
from tasks.ownership import waiting as disputes_waiting
from tasks.release import decide_before
from tasks.trail import head_in_words

PLACE_KINDS = ("county", "zone", "township")
STATES: dict[str, tuple[str, Tone]] = {
    "not_yet_due": ("未到期", "wait"), "open": ("待报", "wait"), "due_soon": ("即将到期", "soon"), "overdue": ("逾期未报", "bad"),
    "submitted": ("已报待审", "good"), "sent_back": ("退回待补", "soon"), "accepted": ("按时", "good"),
    "accepted_late": ("迟报", "late"), "excused": ("免报", "wait"), "missing": ("未报，已截止", "bad"),
}
FEED_TONES: dict[str, Tone] = {
    FEED_STATES["on_time"]: "good", FEED_STATES["late"]: "late", FEED_STATES["returned"]: "bad", FEED_STATES["missing"]: "bad",
    FEED_STATES["waiting"]: "wait"}
SETTLED = ("accepted", "accepted_late", "excused")
AHEAD = ("not_yet_due", "open", "due_soon", "sent_back")
COLUMNS = (("new", "persisting"), ("released", "reopened"), ("contradicted",), ("claimed",), ("excused",), ("confirmed",), ("closed",))
"""The columns of the lists by the states of a finding; one withdrawn was listed by mistake and is not shown."""
FRACTIONAL = ("percent", "yuan", "yuan_per_year", "times")
HEAD_BYTES = 4096
"""The board's own mark stands at the top of its file."""
Row = dict[str, Any]
Shares = Mapping[tuple[str, str], tuple[float | None, float | None]]


def _is_fresh(campaign: str, as_of: datetime) -> dict[str, bool] | None:
    """The board that hangs is good enough: drawn for a later instant, or not long ago of what still holds."""
    plan, drawn = plan_in_force(campaign), _drawn(board_file(campaign))
    if drawn is None:
        return None
    at, of_what = drawn
    age = as_of - at
    is_resting = age < timedelta(minutes=plan.board.rest_minutes)
    if at > as_of or is_resting or (age < timedelta(minutes=plan.board.oldest_minutes) and of_what == _mark(plan, as_of)):
        return {"drawn": False}
    return None


@effect("工作看板 board", idle=_is_fresh)
def refresh_board(campaign: str, as_of: datetime) -> dict[str, bool]:
    """Draws the board anew if something has happened since, a day has begun, or it is older than the plan allows; not within
    the plan's rest after the last time.

    Never goes back: one that was drawn for a later instant stays. Whoever looks at it sees a whole one at any moment.
    """
    if (nothing := _is_fresh(campaign, as_of)) is not None:
        return nothing
    draw_board(campaign, as_of, board_file(campaign))
    return {"drawn": True}


def board_file(campaign: str) -> Path:
    """Where the board of a campaign hangs."""
    return folder(campaign, "documents") / "board.html"


def draw_board(campaign: str, as_of: datetime, out: Path) -> dict[str, Any]:
    """Writes the board as of an instant. Duties and reports are as they were then; lists as they are now, which it says."""
    plan = plan_in_force(campaign)
    content = board_content(plan, as_of)
    text = board_page(content, _mark(plan, as_of), plan.board.oldest_minutes)
    write_atomically(out, lambda draft: _put(draft, text))
    return {"campaign": campaign, "as_of": as_of.isoformat(), "out": str(out), "places": len(content.places),
            "late": len(content.late) + content.late_left_out}


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _mark(plan: Plan, as_of: datetime) -> str:
    """What a board is drawn of: how far the record has grown, the plan, and the day."""
    with transaction() as tx:
        grown, sha256 = campaigns.high_water(tx), campaigns.plan_in_force(tx, plan.id)
    return hashlib.sha256(f"{grown}|{sha256}|{today(plan, as_of)}".encode()).hexdigest()[:16]


def _drawn(place: Path) -> tuple[datetime, str] | None:
    """For which instant and of what the board was drawn; None where there is none that says so."""
    if not place.exists():
        return None
    with place.open("rb") as stream:
        head = stream.read(HEAD_BYTES).decode("utf-8", "ignore")
    _, found, rest = head.partition('<meta name="canbao-board" content="')
    if not found:
        return None
    at, _, mark = rest.partition('"')[0].partition(" ")
    return datetime.fromisoformat(at), mark


# --- content --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _View:
    """What the parts of a board share: the plan, the day, every obligation as it stood then, the rungs sent by then, and
    the comparison that was the latest."""

    plan: Plan
    as_of: datetime
    day: date
    calendar: WorkCalendar
    rows: list[Row]
    opened: list[Row]
    late: list[Row]
    sent: Mapping[int, tuple[str, date]]
    run: RowMapping | None
    places: tuple[Organisation, ...]

    @property
    def owing(self) -> Counter[str]:
        return Counter(row["organisation"] for row in self.late)


def board_content(plan: Plan, as_of: datetime) -> BoardContent:
    """Everything that stands on the board: figures of the record and the rules, in the order of the plan."""
    view = _view(plan, as_of)
    tables = progress_tables(plan, view.run["period"]) if view.run else ()
    report_columns, place_duties = _duties(view, {org.code for org in view.places})
    target_columns, standings, region = _standings(view, tables)
    owing = view.owing
    places = tuple(Place(
        org.code, org.short, _above(plan, org), owing[org.code], place_duties.get(org.code, (None,) * len(report_columns)),
        standings.get(org.short, (None,) * len(target_columns))) for org in _most_owing(view))
    period, department_columns, departments = _departments(view)
    groups, by_owner, by_list, waiting = _balance(view), *_findings(view), _waiting(view)
    late = _owed(view)
    room = plan.board.most_late
    return BoardContent(
        campaign=plan.id, name=plan.name, as_of=as_instant(plan, as_of), phases=_phases(view), today_at=_time_gone(plan, view.day),
        ahead=_ahead(view), tiles=_tiles(view, groups, waiting), region=region, report_columns=report_columns, target_columns=target_columns,
        places=places, places_left_out=len(view.places) - len(places), targets_note=_targets_note(view), department_columns=department_columns,
        departments=departments, feeds_period=period_name(period) if period else "", late=tuple(late[:room]),
        late_left_out=max(0, len(late) - room), groups=groups, by_owner=by_owner, by_list=by_list, waiting=waiting,
        figures_source=_figures_source(view), lists_source=_lists_source(view), sources=_sources(view, tables),
        trail_head=head_in_words(), drill=drill_note(plan))


def _view(plan: Plan, as_of: datetime) -> _View:
    day = today(plan, as_of)
    names = {(ladder.id, step.id): step.name for ladder in plan.ladders for step in ladder.steps}
    rows = statuses(plan.id, as_of)
    with transaction() as tx:
        sent = {row["obligation_id"]: (names.get((row["ladder"], row["step_id"]), row["step_id"]), today(plan, row["recorded_at"]))
                for row in obligations_store.reached(tx, plan.id, as_of)}
        run = findings_store.latest_run(tx, plan.id, as_of=as_of)
    opened = [row for row in rows if row["opens_at"] <= as_of]
    late = sorted((row for row in opened if _is_late(row, as_of)), key=lambda row: row["due_in_force"])
    places = tuple(org for org in plan.organisations if org.kind in PLACE_KINDS and org.exists_on(day))
    return _View(plan, as_of, day, WorkCalendar(plan.calendar), rows, opened, late, sent, run, _by_parent(places))


def _by_parent(places: Sequence[Organisation]) -> tuple[Organisation, ...]:
    """A county, then its townships; the plan's order otherwise."""
    known = {org.code for org in places}
    below: dict[str | None, list[Organisation]] = defaultdict(list)
    for org in places:
        below[org.parent].append(org)
    return tuple(org for head in places if head.parent not in known for org in (head, *below[head.code]))


def _above(plan: Plan, org: Organisation) -> str:
    return plan.organisation(org.parent).short if org.parent and plan.organisation(org.parent).kind in PLACE_KINDS else ""


def _most_owing(view: _View) -> Sequence[Organisation]:
    """All places, or where there are too many those that owe most."""
    room, owing = view.plan.board.most_units, view.owing
    return view.places if len(view.places) <= room else sorted(view.places, key=lambda org: -owing[org.code])[:room]


# --- duties ---------------------------------------------------------------------------------------------


def _is_late(row: Row, as_of: datetime) -> bool:
    """Owed and not there, after the instant due. A report sent back before it is due is not late yet."""
    return row["status"] in ("overdue", "missing") or (row["status"] == "sent_back" and row["due_in_force"] <= as_of)


def _duty(view: _View, row: Row) -> Duty:
    word, tone = STATES[row["status"]]
    is_owed = _is_late(row, view.as_of)
    if is_owed and row["status"] == "sent_back":
        word, tone = "退回未补", "bad"
    elif row["status"] == "submitted" and row["late"]:
        word, tone = "迟报待审", "late"
    due = today(view.plan, row["due_in_force"] - timedelta(seconds=1))
    step, step_on = view.sent.get(row["id"], ("", None)) if is_owed else ("", None)
    return Duty(row["name"], period_name(row["period"]), due, word, tone, _days_late(view, row, due), step, step_on)


def _days_late(view: _View, row: Row, due: date) -> int | None:
    """Workdays from the due day to the day it came, or to today if it is still owed."""
    if _is_late(row, view.as_of):
        return view.calendar.workdays_between(due, view.day)
    if not row["late"] or row["status"] not in ("accepted_late", "submitted"):
        return None
    received = min(datetime.fromisoformat(entry["received_at"]) for entry in row["submissions"])
    return max(1, view.calendar.workdays_between(due, today(view.plan, received)))


def _owed(view: _View) -> list[Owed]:
    """What is late, by unit and item, the longest first."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in view.late:
        grouped[row["organisation"], row["item"]].append(row)
    return [Owed(short_name(view.plan, code), _duty(view, rows[0]), tuple(period_name(row["period"]) for row in rows))
            for (code, _), rows in grouped.items()]


def _duties(view: _View, units: Collection[str]) -> tuple[tuple[Column, ...], dict[str, tuple[Duty | None, ...]]]:
    """The reports that run now, as columns, and each unit's latest of each. One that is owed once runs until all have it."""
    once = {entry.id for entry in view.plan.obligations if entry.cadence.every == "once"}
    latest: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in view.opened:
        if row["kind"] == "report" and row["organisation"] in units:
            before = latest[row["item"]].get(row["organisation"])
            if before is None or row["period_ends"] >= before["period_ends"]:
                latest[row["item"]][row["organisation"]] = row
    running = [entry for entry in view.plan.obligations if entry.id in latest and (
        entry.id not in once or any(row["status"] not in SETTLED for row in latest[entry.id].values()))]
    found = {code: tuple(_duty(view, latest[entry.id][code]) if code in latest[entry.id] else None for entry in running)
             for code in units}
    return tuple(_column(entry.name, [own[place] for own in found.values()]) for place, entry in enumerate(running)), found


def _column(name: str, duties: Iterable[Duty | None]) -> Column:
    periods = {(duty.period_name, duty.due) for duty in duties if duty is not None}
    return Column(name, *next(iter(periods))) if len(periods) == 1 else Column(name)


def _departments(view: _View) -> tuple[str | None, tuple[Column, ...], tuple[Department, ...]]:
    """Every other unit that owes reports or files: the month of the files, the columns, the lines."""
    plan, owing = view.plan, view.owing
    places = {org.code for org in view.places}
    columns, duties = _duties(view, {org.code for org in plan.organisations} - places)
    months = [row["period"] for row in view.opened if row["kind"] == "feed" and is_month(row["period"])]
    period = max(months, default=None)
    files: dict[str, list[FeedLine]] = defaultdict(list)
    cards = {}
    if period is not None:
        for line in feed_lines(plan, period, view.as_of):
            files[line.department].append(line)
        cards = {card.department: card for card in scorecard_lines(plan, period, view.as_of)}
    lines = []
    for org in plan.organisations:
        own, card = files.get(org.short, []), cards.get(org.short)
        owed = duties.get(org.code, ())
        if org.code in places or not (own or any(owed)):
            continue
        lines.append(Department(
            org.code, org.short, owing[org.code], owed, tuple(_feed_mark(line) for line in own),
            arrived=sum(line.delivered_on is not None for line in own), late=card.late if card else 0,
            returned=card.returned if card else 0, valid_id_share=card.valid_id_share if card else None,
            quarantined_share=card.quarantined_share if card else None, trend=card.trend if card else None))
    return period, columns, tuple(lines)


def _feed_mark(line: FeedLine) -> FeedMark:
    said = "，".join(part for part in (line.verdict, line.remark) if part)
    return FeedMark(line.feed, line.state, FEED_TONES[line.state], said)


def _ahead(view: _View) -> tuple[Ahead, ...]:
    """What is due within the plan's days: duties by day and report, a month's files together, bulletins, phases' ends."""
    plan, last = view.plan, view.day + timedelta(days=view.plan.board.next_days)
    grouped: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for row in view.rows:
        due = today(plan, row["due_in_force"] - timedelta(seconds=1))
        if row["status"] in AHEAD and not _is_late(row, view.as_of) and view.day <= due <= last:
            what = row["name"] if row["kind"] == "report" else "部门数据"
            grouped[due, f"{period_name(row['period'])}{what}"].append(row)
    found = []
    for (due, what), rows in grouped.items():
        nominal = rows[0]["nominal_due"]
        moved = nominal if nominal != due and rows[0]["effective_due"] == due else None
        found.append(Ahead(due, what, len({row["organisation"] for row in rows}), moved))
    for entry in plan.bulletins:
        for span in item_periods(plan, entry.cadence, entry.due):
            nominal = nominal_due(entry.due, span)
            due = effective_due(nominal, plan.calendar.roll, view.calendar)
            if view.day <= due <= last:
                found.append(Ahead(due, f"编发{period_name(span.label)}{entry.name}", None, nominal if nominal != due else None))
    found += [Ahead(phase.ends, f"{phase.name}阶段结束") for phase in plan.phases
              if phase.ends is not None and view.day <= phase.ends <= last]
    return tuple(sorted(found, key=lambda entry: (entry.day, entry.what)))


# --- figures --------------------------------------------------------------------------------------------


def _standings(
    view: _View, tables: Sequence[ProgressTable]
) -> tuple[tuple[str, ...], dict[str, tuple[Standing | None, ...]], tuple[Standing, ...]]:
    """The targets that places have, as columns; each place's figures; and what is counted for the region as a whole."""
    plan = view.plan
    shares = _shares(view)
    names = {org.short for org in view.places}
    whole = short_name(plan, plan.region_organisation)
    local = [table for table in tables if any(line.label in names for line in table.lines)]
    lines = [{line.label: line for line in table.lines} for table in local]
    found = {name: tuple(_standing(table, own.get(name), shares) for table, own in zip(local, lines, strict=True)) for name in names}
    region = [_standing(table, line, shares) for table in tables for line in table.lines if line.label == whole]
    return tuple(table.indicator for table in local), found, tuple(entry for entry in region if entry is not None)


def _targets_note(view: _View) -> str:
    """Why there is no column of targets, if there is none."""
    codes = {org.code for org in view.places}
    if not any(codes & target.level.keys() for target in view.plan.targets):
        return "方案没有给各地下达目标数。"
    return "" if view.run else "各地的目标完成情况，首次比对后显示。"


def _standing(table: ProgressTable, line: ProgressLine | None, shares: Shares) -> Standing | None:
    if line is None:
        return None
    numerator, denominator = shares.get((table.indicator, line.label), (None, None))
    return Standing(
        table.indicator, line.unit, _rounded(line.current, line.unit), line.target, numerator, denominator, line.completion, line.pace,
        line.rank, sum(entry.rank is not None for entry in table.lines), line.reaches, _rounded(line.expected, line.unit))


def _rounded(value: float | None, unit: str) -> float | None:
    """People and things are whole; money and shares have the digits a board can be read with."""
    return None if value is None else round(value, 4 if unit == "share" else 1 if unit in FRACTIONAL else 0)


def _shares(view: _View) -> Shares:
    """(indicator, unit) → numerator and denominator, where there are both."""
    if view.run is None:
        return {}
    names = {entry.id: entry.name for entry in view.plan.indicators}
    with transaction() as tx:
        rows = findings_store.measurements(tx, view.plan.id, view.run["period"])
    return {(names[row["indicator"]], short_name(view.plan, row["organisation"])): (row["numerator"], row["denominator"])
            for row in rows if row["denominator"] is not None and row["indicator"] in names}


def _balance(view: _View) -> tuple[Group, ...]:
    if view.run is None:
        return ()
    with transaction() as tx:
        rows = findings_store.categories(tx, view.run["id"])
    persons: Counter[str] = Counter()
    for row in rows:
        persons[row["category"]] += row["persons"]
    return tuple(Group(entry.name, persons[entry.id], "insured" if entry.insured else "open" if entry.in_scope else "outside")
                 for entry in view.plan.categories) if persons.total() else ()


def _findings(view: _View) -> tuple[tuple[Findings, ...], tuple[Findings, ...]]:
    """Findings by owner, in the plan's order, and by list."""
    plan, rows = view.plan, work_done(view.plan).counts
    order = {org.code: place for place, org in enumerate(plan.organisations)}
    owners = sorted({row["owner"] for row in rows}, key=lambda code: order.get(code, len(order)))
    lists = [entry.id for entry in plan.lists if any(row["list"] == entry.id for row in rows)]
    return (tuple(_counted(short_name(plan, code), (row for row in rows if row["owner"] == code)) for code in owners),
            tuple(_counted(plan.item("lists", name).name, (row for row in rows if row["list"] == name)) for name in lists))


def _counted(label: str, rows: Iterable[RowMapping]) -> Findings:
    held: Counter[str] = Counter()
    for row in rows:
        held[row["status"]] += row["findings"]
    return Findings(label, *(sum(held[state] for state in states) for states in COLUMNS))


def _tiles(view: _View, groups: Sequence[Group], waiting: Sequence[Waiting]) -> tuple[tuple[str, str, str], ...]:
    """What a leader asks first: what is late, whether this period's reports and files came, and what waits for a decision."""
    late = len(view.late)
    tiles = [(f"{late}", "项逾期", "bad") if late else ("0", "项逾期", "good")]
    tiles += [_came(view, "report", "本期报告"), _came(view, "feed", "本期数据")]
    if groups:
        tiles.append((f"{sum(group.persons for group in groups if group.kind == 'open'):,}", "人须核查", ""))
    tiles.append((f"{len(waiting)}", "项待批准、待决定", "soon" if waiting else "good"))
    tiles.append((f"{_time_gone(view.plan, view.day):.0%}", "时间已过", ""))
    with transaction() as tx:
        dead = outbox.counts(tx, view.plan.id, view.as_of)["dead"]
    if dead:
        tiles.append((f"{dead}", "条消息发送失败", "bad"))
    return tuple(tiles)


def _came(view: _View, kind: str, what: str) -> tuple[str, str, str]:
    """How many of the latest period of every report (or file) are there, of those owed."""
    own = [row for row in view.opened if row["kind"] == kind and row["status"] != "excused"]
    latest: dict[str, date] = {}
    for row in own:
        latest[row["item"]] = max(latest.get(row["item"], row["period_ends"]), row["period_ends"])
    counted = punctuality([row for row in own if row["period_ends"] == latest[row["item"]]])
    there = counted["on_time"] + counted["late"]
    tone = "bad" if counted["missing"] else "good" if there == counted["all"] else ""
    return f"{there}／{counted['all']}", f"{what}已到／应报" + (f"，迟 {counted['late']}" if counted["late"] else ""), tone


def _phases(view: _View) -> tuple[PhaseBar, ...]:
    first, last = _span(view.plan)
    whole = (last - first).days + 1
    open_now = {phase.id for phase in running(view.plan, view.day)}
    return tuple(PhaseBar(
        phase.name, phase.starts, phase.ends, "open" if phase.id in open_now else "ahead" if phase.starts > view.day else "closed",
        (phase.starts - first).days / whole, ((phase.ends or last) - phase.starts).days / whole + 1 / whole)
        for phase in view.plan.phases)


def _span(plan: Plan) -> tuple[date, date]:
    return (min(plan.starts, *(phase.starts for phase in plan.phases)),
            max(plan.ends, *(phase.ends or phase.starts for phase in plan.phases)))


def _time_gone(plan: Plan, day: date) -> float:
    first, last = _span(plan)
    return time_progress(first, last, day)


# --- what waits, and where it comes from ----------------------------------------------------------------


def _waiting(view: _View) -> tuple[Waiting, ...]:
    """What somebody in the office has to approve, decide or correct. No account is named: it may be a person's."""
    plan, campaign = view.plan, view.plan.id
    found = [entry for entry in [_release(view)] if entry]
    asked = attention(plan, view.as_of)
    found += [Waiting(name, f"{number} 件，已备材料，由人决定", f"canbao candidates {campaign}") for name, number in asked["candidates"].items()]
    if asked["outdated_bulletins"]:
        found.append(Waiting("更正通报", f"{len(asked['outdated_bulletins'])} 期已通报的数字有变", f"canbao correct-bulletin {campaign}"))
    if asked["remarks"]:
        found.append(Waiting("报告待核实", f"{len(asked['remarks'])} 处", f"canbao status {campaign}"))
    if disputes := disputes_waiting(campaign):
        found.append(Waiting("责任争议", f"{len(disputes)} 件，认定前仍由原牵头单位负责", f"canbao dispute {campaign} --list"))
    return tuple(found)


def _release(view: _View) -> Waiting | None:
    """The proposal of the latest run's lists as it stood then, if it was not handed out by then."""
    if view.run is None:
        return None
    plan, as_of = view.plan, view.as_of
    with transaction() as tx:
        made = findings_store.release_of(tx, plan.id, view.run["id"])
    if made is None or made["prepared_at"] > as_of or _had(made["released_at"], as_of):
        return None
    number, lists = made["run_id"], f"第 {made['run_id']} 次比对，{made['findings']:,} 条"
    approve = f"canbao approve {plan.id} --run {number} --by 岗位"
    anew = f"canbao compare {plan.id} --period {view.run['period']}"
    if _had(made["refused_at"], as_of):
        return Waiting("清单不予下发", f"{lists}；查明原因后重新比对、提请", anew)
    standing = newest(plan.id, as_of)
    if standing is not None and standing.release == made["id"] and standing.state == "changed":
        return Waiting("清单已变化", f"{lists}；内容与提请时不同，重新提请后批准", anew)
    if _had(made["approved_at"], as_of):
        if made["expires_at"] < as_of:
            return Waiting("清单下发批准已过期", lists, approve)
        return Waiting("清单已批准，待下发", lists, f"canbao release {plan.id} --run {number}")
    if decide_before(plan, made) < as_of:
        return Waiting("清单下发逾期未批准", f"{lists}；须重新提请", anew)
    return Waiting("清单下发待批准", f"{lists}；须由经办以外的人批准", approve)


def _had(instant: datetime | None, as_of: datetime) -> bool:
    return instant is not None and instant <= as_of


def _figures_source(view: _View) -> str:
    if view.run is None:
        return "还没有比对过"
    return (f"数据截至{chinese_date(month(view.run['period']).ends)}，第 {view.run['id']} 次比对"
            f"（{chinese_date(today(view.plan, view.run['as_of']))}）")


def _lists_source(view: _View) -> str:
    """Lists are shown as they stand; a board of an earlier day says so."""
    with transaction() as tx:
        newest = findings_store.latest_run(tx, view.plan.id)
    if newest is None:
        return ""
    back = "，不回溯到截至之日" if view.run is None or newest["id"] != view.run["id"] else ""
    return f"第 {newest['id']} 次比对后的现状{back}"


def _sources(view: _View, tables: Sequence[ProgressTable]) -> tuple[Source, ...]:
    plan, campaign = view.plan, view.plan.id
    moment = as_instant(plan, view.as_of).isoformat()
    found = [Source("报送、逾期、催办", f"应报台账，截至 {moment}",
                    f"canbao explain {campaign} --item 应报事项 --org 单位代码 --period 期 --as-of {moment}"),
             Source("部门数据", "每份文件的回执和质量报告", f"canbao status {campaign} --as-of {moment}；canbao receipt {campaign} --delivery 编号")]
    if view.run is not None:
        period = view.run["period"]
        shown = {table.indicator for table in tables}
        found += [Source(entry.name, f"{_figures_source(view)}；依据 {entry.source.split(' · ')[0]}",
                         f"canbao explain {campaign} --indicator {entry.id} --org 单位代码 --period {period}")
                  for entry in plan.indicators if entry.name in shown]
        found.append(Source("分类、清单", f"{_figures_source(view)}，读取 {sum(len(entries) for entries in view.run['inputs'].values())} 份文件",
                            f"canbao findings {campaign} --period {period} --out 清单.csv --purpose 用途"))
    return tuple(found)
