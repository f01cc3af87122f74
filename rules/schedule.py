"""When flows run by themselves: the days follow from the plan's deadlines and phases, the hours from its ``schedule``.

A run at such an instant asks the record what is due and not yet done, so a missed, late or doubled one changes nothing
(design.md, State, not ticks). Cron has no year: a schedule made of a plan's days comes again on the same days of other
years, and finds nothing due then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.plan import Plan
from rules.bulletins import issue_day
from rules.deadlines import expected, item_periods
from rules.periods import ONE_DAY, is_month
from rules.phases import comparing_flow, field_flow, turn_of_another


@dataclass(frozen=True, slots=True)
class DatedRun:
    """A run that belongs to one day of the calendar. ``item`` is the bulletin's id, or ``provisional`` or ``final``."""

    flow: str
    at: datetime
    period: str
    item: str = ""


def dated_runs(plan: Plan) -> tuple[DatedRun, ...]:
    """Every comparison, bulletin and acceptance of a plan with the instant of its run, in order of time."""
    runs = [*_comparisons(plan), *_bulletins(plan), *_acceptance(plan)]
    return tuple(sorted(runs, key=lambda run: (run.at, run.flow, run.item)))


def due_runs(plan: Plan, flow: str, at: datetime) -> tuple[DatedRun, ...]:
    """The dated runs of a flow whose instant has come, in order of time."""
    return tuple(run for run in dated_runs(plan) if run.flow == flow and run.at <= at)


def _comparisons(plan: Plan) -> Iterable[DatedRun]:
    """One for each month of which files are expected: at the first ``compare_at`` after the last of them was due."""
    due: dict[str, datetime] = {}
    for row in expected(plan):
        if row.kind == "feed" and is_month(row.period):
            due[row.period] = max(due.get(row.period, row.due_before), row.due_before)
    for label, due_before in due.items():
        day = due_before.astimezone(ZoneInfo(plan.time_zone)).date()
        at = _instant(plan, day, plan.schedule.compare_at)
        if at < due_before:
            at = _instant(plan, day + ONE_DAY, plan.schedule.compare_at)
        yield DatedRun(comparing_flow(plan, at.date()), at, label)


def _bulletins(plan: Plan) -> Iterable[DatedRun]:
    for entry in plan.bulletins:
        for period in item_periods(plan, entry.cadence, entry.due):
            yield DatedRun("bulletin", _instant(plan, issue_day(plan, entry, period), plan.schedule.bulletins_at), period.label,
                           entry.id)


def _acceptance(plan: Plan) -> Iterable[DatedRun]:
    for item, day in (("provisional", plan.acceptance.provisional_on), ("final", plan.acceptance.final_on)):
        yield DatedRun("acceptance", _instant(plan, day, plan.schedule.acceptance_at), plan.acceptance.final_period, item)


def _instant(plan: Plan, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZoneInfo(plan.time_zone))


# --- as cron --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CronEntry:
    """One schedule of a deployment. ``slug`` is its name there, stable as long as its hour and days are."""

    slug: str
    cron: str


def on_days(instants: Iterable[datetime]) -> tuple[CronEntry, ...]:
    """The cron schedules that meet these instants on their days of the year, months that share a day together."""
    months: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    for at in instants:
        months[at.hour, at.minute, at.day].add(at.month)
    return tuple(
        CronEntry(f"day-{day:02d}-at-{hour:02d}{minute:02d}", f"{minute} {hour} {day} {_listed(found)} *")
        for (hour, minute, day), found in sorted(months.items()))


def in_months(plan: Plan, flow: str) -> frozenset[int] | None:
    """The months of the year in which it is ever this flow's turn; ``None``: any month, for its turn is when no phase says
    otherwise, the campaign over or not."""
    if field_flow(plan, date.min) == flow:
        return None
    days = (plan.starts + timedelta(days=number) for number in range((_last_day(plan) - plan.starts).days + 1))
    return frozenset(day.month for day in days if turn_of_another(plan, flow, day) is None)


def _last_day(plan: Plan) -> date:
    return max([plan.ends, *(phase.ends for phase in plan.phases if phase.ends)])


def preparation(plan: Plan) -> CronEntry:
    """Once a day in the months in which a preparation phase runs."""
    clock = plan.schedule.prepare_at
    return CronEntry("every-day", f"{clock.minute} {clock.hour} * {_months(in_months(plan, 'preparation'))} *")


def inbox(plan: Plan) -> CronEntry:
    """Day and night: files arrive when an export is through."""
    return CronEntry("all-day", f"{_minutes(plan.schedule.inbox_every_minutes)} * * * *")


def returns(plan: Plan, flow: str) -> CronEntry:
    """Through the hours at which somebody may be reminded, so that what came in time is never reminded of."""
    return CronEntry("office-hours", f"{_minutes(plan.schedule.returns_every_minutes)} {_hours(plan)} * {_months(in_months(plan, flow))} *")


def sweep(plan: Plan) -> CronEntry:
    """Through the same hours, and at the very minutes at which the ladders' steps are planned."""
    minutes = set(range(0, 60, plan.schedule.sweep_every_minutes))
    minutes |= {step.at.minute for ladder in plan.ladders for step in ladder.steps}
    return CronEntry("office-hours", f"{_listed(minutes)} {_hours(plan)} * * *")


def _minutes(every: int) -> str:
    return "0" if every == 60 else f"*/{every}"


def _hours(plan: Plan) -> str:
    """From the first hour at which a ladder may speak, or a step is planned, to the last."""
    clocks = [clock for ladder in plan.ladders for clock in (ladder.quiet_to, ladder.quiet_from)]
    clocks += [step.at for ladder in plan.ladders for step in ladder.steps]
    return f"{min(clocks).hour}-{max(clocks).hour}" if clocks else "*"


def _months(months: frozenset[int] | None) -> str:
    return "*" if months is None or len(months) == 12 else _listed(months)


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
