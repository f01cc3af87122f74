"""Deadlines: what every organisation owes, from which instant to which, and how such a row stands at any moment.

Three instants are kept apart: due (``due_before``), on time (due with the extensions granted in time) and locked
(``lock_before``). All are exclusive and stand in the plan's time zone: 「每月2日前」 includes the 2nd to 24:00, so a
report is due before the 3rd, 00:00 (C20). Nominal and effective dates are both kept. Expected comes from assignment,
never from arrivals; lateness is kept for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from models.cadences import WEEK_DAYS
from models.errors import CanbaoError
from models.plan import Cadence, Due, Feed, Obligation, Organisation, Plan, RollPolicy
from rules.calendar import WorkCalendar
from rules.periods import ONE_DAY, Period, month, next_month, periods

Status = Literal[
    "not_yet_due", "open", "due_soon", "overdue", "submitted", "sent_back", "accepted", "accepted_late", "excused",
    "missing",
]


# --- one date -------------------------------------------------------------------------------------------


def nominal_due(due: Due, period: Period) -> date:
    """The last day on which a period's report may come, as the document states it (inclusive, not yet rolled).

    A ``day`` is counted in the month ``months_after`` the one in which the period ends: the report for 2021-05 is due
    on 2021-06-02 with ``day: 2``. A ``weekday`` is the last such day of the period, or its last day where a clipped one has none,
    and so many weeks after. Raises CanbaoError for a day which that month does not have.
    """
    if due.date is not None:
        return due.date
    if due.days_after_end is not None:
        return period.ends + timedelta(days=due.days_after_end)
    if due.days_before_end is not None:
        return period.ends - timedelta(days=due.days_before_end)
    if due.weekday is not None:
        back = (period.ends.weekday() - WEEK_DAYS.index(due.weekday)) % 7
        within = period.ends - timedelta(days=back)
        return (within if within >= period.starts else period.ends) + timedelta(weeks=due.weeks_after)
    target = month(f"{period.ends:%Y-%m}")
    for _ in range(due.months_after):
        target = month(next_month(target.label))
    if due.day is None or due.day == "last_day":
        return target.ends
    if due.day > target.ends.day:
        raise CanbaoError(
            f"due day {due.day} does not exist in {target.label}.",
            where=f"period {period.label}", cure=f"Use day {target.ends.day} or `last_day`.",
        )
    return target.starts.replace(day=due.day)


def effective_due(nominal: date, roll: RollPolicy | None, calendar: WorkCalendar) -> date:
    """The day the nominal date becomes; make-up workdays count as workdays. ``None`` is the plan's own policy.

    Raises CalendarUnknown outside the known years if the calendar was made to refuse them.
    """
    return calendar.roll(nominal, roll)


def zone_of(zone: tzinfo | str) -> tzinfo:
    """A zone by its IANA name, or as it is."""
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def opens(day: date, zone: tzinfo | str) -> datetime:
    """The first instant of ``day`` in the plan's zone."""
    return datetime.combine(day, time(0), tzinfo=zone_of(zone))


def closes(day: date, zone: tzinfo | str, cut_off: time | None = None) -> datetime:
    """The instant before which something due on ``day`` must arrive, in the plan's zone: the next day, 00:00, or the
    ``cut_off`` hour of the day itself."""
    if cut_off is None:
        return opens(day + ONE_DAY, zone)
    return datetime.combine(day, cut_off, tzinfo=zone_of(zone))


def hour_of(plan: Plan, item: str) -> time | None:
    """The hour before which an item is due on its day: its own, else the plan's; None where the whole day counts."""
    section, _, key = ("feeds", "", item.removeprefix("feed:")) if item.startswith("feed:") else ("obligations", "", item)
    due: Due = plan.item(section, key).due
    return due.at or plan.calendar.cut_off


# --- everything a plan expects --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """One thing one organisation owes for one period. ``item`` is an obligation's id or ``feed:<feed>``.

    ``nominal`` and ``effective`` are the last days, inclusive; ``due_before`` and ``lock_before`` are exclusive
    instants; ``lock_before`` is ``None`` where nothing is ever locked.
    """

    kind: Literal["report", "feed"]
    item: str
    name: str
    organisation: str
    to: str
    period: str
    period_ends: date
    nominal: date
    effective: date
    opens_at: datetime
    due_before: datetime
    lock_before: datetime | None
    ladder: str | None


def expected(plan: Plan) -> list[Expected]:
    """Every row a plan expects: obligations, then feeds, each in the plan's order, by period, then by organisation.

    An organisation owes for a period if it exists on the period's last day (for ``once``: on the nominal due date).
    From its ``valid_from`` a successor owes in place of the units it succeeds, whether or not the plan's selector
    names it (C24, B36), and also receives in their place. Feeds are owed to the plan's office. Raises CanbaoError
    with the item's place for a due day that does not exist.
    """
    calendar = WorkCalendar(plan.calendar)
    succession = _Succession(plan)
    rows: list[Expected] = []
    for obligation in plan.obligations:
        rows += _reports(plan, obligation, calendar, succession)
    for feed in plan.feeds:
        rows += _deliveries(plan, feed, calendar, succession)
    return rows


def item_periods(plan: Plan, cadence: Cadence, due: Due) -> tuple[Period, ...]:
    """The periods of an obligation, feed or bulletin. ``once`` without dates runs from the campaign's first day to
    its own due date, or to the campaign's last day if the due date is not fixed."""
    return periods(cadence, starts=plan.starts, ends=due.date or plan.ends)


def _reports(
    plan: Plan, obligation: Obligation, calendar: WorkCalendar, succession: _Succession
) -> Iterator[Expected]:
    selected = plan.select(obligation.who)
    for period in item_periods(plan, obligation.cadence, obligation.due):
        nominal = _placed_nominal(plan, f'obligations "{obligation.id}"', obligation.due, period)
        effective = effective_due(nominal, obligation.roll, calendar)
        lock_before = None
        if obligation.lock_working_days is not None:
            lock_before = closes(
                calendar.add_workdays(effective, obligation.lock_working_days), plan.time_zone, obligation.due.at or plan.calendar.cut_off)
        present_on = nominal if obligation.cadence.every == "once" else period.ends
        # Opening counts from the earlier of both dates: a holiday lengthens the time to report, never shortens it.
        opening_day = min(nominal, effective) - timedelta(days=obligation.opens_days_before)
        to = succession.receiver(obligation.to, present_on)
        template = Expected(
            "report", obligation.id, obligation.name, "", to, period.label, period.ends, nominal, effective,
            opens(opening_day, plan.time_zone), closes(effective, plan.time_zone, obligation.due.at or plan.calendar.cut_off), lock_before,
            obligation.ladder,
        )
        for org in succession.bearers(selected, present_on, obligation.who.except_codes):
            yield replace(template, organisation=org.code)


def _deliveries(plan: Plan, feed: Feed, calendar: WorkCalendar, succession: _Succession) -> Iterator[Expected]:
    providers = [plan.organisation(code) for code in feed.providers]
    for period in item_periods(plan, feed.cadence, feed.due):
        nominal = _placed_nominal(plan, f'feeds "{feed.feed}"', feed.due, period)
        effective = effective_due(nominal, None, calendar)
        is_once = feed.cadence.every == "once"
        present_on = nominal if is_once else period.ends
        # A snapshot shows the last day of its period, so it cannot come before that day; one asked for once can.
        opening_day = min(period.starts if is_once else period.ends, nominal, effective)
        template = Expected(
            "feed", f"feed:{feed.feed}", feed.name, "", succession.receiver(plan.office, present_on), period.label,
            period.ends, nominal, effective, opens(opening_day, plan.time_zone),
            closes(effective, plan.time_zone, feed.due.at or plan.calendar.cut_off), None, feed.ladder,
        )
        for org in succession.bearers(providers, present_on):
            yield replace(template, organisation=org.code)


def _placed_nominal(plan: Plan, item: str, due: Due, period: Period) -> date:
    try:
        return nominal_due(due, period)
    except CanbaoError as fault:
        where = f"plan {plan.id}, {item}, {fault.where}"
        raise CanbaoError(fault.what, where=where, cure=fault.cure) from None


def carrier(plan: Plan, code: str, day: date) -> str:
    """Who carries an organisation's duties on a day: the unit itself, or the first that took them over (C24, B36)."""
    return _Succession(plan).receiver(code, day)


class _Succession:
    """Who carries an organisation's duties on a day: itself, or those that took them over by then."""

    def __init__(self, plan: Plan) -> None:
        self._heirs: dict[str, list[Organisation]] = {}
        self._by_code = {org.code: org for org in plan.organisations}
        for org in plan.organisations:
            for code in org.succeeds:
                self._heirs.setdefault(code, []).append(org)

    def bearers(
        self, selected: Iterable[Organisation], day: date, except_codes: tuple[str, ...] = ()
    ) -> list[Organisation]:
        """Each bearer once, however many selected units it succeeds."""
        found = {bearer.code: bearer for org in selected for bearer in self._carrying(org, day)}
        return [org for code, org in found.items() if code not in except_codes]

    def receiver(self, code: str, day: date) -> str:
        """Who receives in place of ``code``; ``code`` itself where nobody can be named."""
        return next((org.code for org in self._carrying(self._by_code[code], day)), code)

    def _carrying(self, org: Organisation, day: date, passed: tuple[str, ...] = ()) -> Iterator[Organisation]:
        """``passed`` stops a plan in which units succeed each other in a ring."""
        heirs = [
            heir for heir in self._heirs.get(org.code, ())
            if heir.code not in passed and self._has_taken_over(heir, org, day)
        ]
        for heir in heirs:
            yield from self._carrying(heir, day, (*passed, org.code))
        if not heirs and org.exists_on(day):
            yield org

    @staticmethod
    def _has_taken_over(heir: Organisation, org: Organisation, day: date) -> bool:
        """From the heir's first day; where the plan gives none, when the unit itself has ended."""
        return heir.valid_from <= day if heir.valid_from else not org.exists_on(day)


# --- how a row stands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubmissionFact:
    """One submission. Of the instants sent back and accepted the later holds, acceptance if they are the same;
    ``None`` means that it has not happened."""

    received_at: datetime
    sent_back_at: datetime | None = None
    accepted_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Accepted or still pending, not sent back."""
        return self.sent_back_at is None or self.is_accepted

    @property
    def is_accepted(self) -> bool:
        """Accepted, and not sent back since."""
        if self.accepted_at is None:
            return False
        return self.sent_back_at is None or self.sent_back_at <= self.accepted_at


@dataclass(frozen=True, slots=True)
class ObligationFacts:
    """All that is known of one row. ``due_before`` is the original one; ``extensions`` are (granted_at, due_before)."""

    opens_at: datetime
    due_before: datetime
    lock_before: datetime | None = None
    extensions: tuple[tuple[datetime, datetime], ...] = ()
    submissions: tuple[SubmissionFact, ...] = ()
    excused_at: datetime | None = None


def due_in_force(facts: ObligationFacts) -> datetime:
    """The exclusive instant that decides lateness. An extension counts if it was granted before the row was due, and
    never shortens: one granted at or after that instant heals nothing."""
    due_before = facts.due_before
    for granted_at, extended_to in sorted(facts.extensions):
        if granted_at < due_before:
            due_before = max(due_before, extended_to)
    return due_before


def is_late(facts: ObligationFacts) -> bool:
    """Whether the first submission that stands came at or after the instant due. Later ones do not heal it.

    A row without a submission that stands is not late but overdue or missing; ``status`` says so.
    """
    standing = [submission.received_at for submission in facts.submissions if submission.stands]
    return bool(standing) and min(standing) >= due_in_force(facts)


def status(facts: ObligationFacts, as_of: datetime, due_soon_days: int = 3) -> Status:
    """How a row stands at ``as_of``, from nothing that happened later: any past status can be worked out again.

    Submissions are judged first, time second. ``missing`` is locked without a submission that stands: one sent back
    and never mended is missing too. An extension, however late it was granted, holds off the lock. ``due_soon`` are
    the last ``due_soon_days`` times 24 hours before the row is due.
    """
    known = _known(facts, as_of)
    if any(submission.is_accepted for submission in known.submissions):
        return "accepted_late" if is_late(known) else "accepted"
    if known.excused_at is not None:
        return "excused"
    if any(submission.stands for submission in known.submissions):
        return "submitted"
    if known.lock_before is not None and as_of >= max(known.lock_before, *_extended_to(known)):
        return "missing"
    if known.submissions:
        return "sent_back"
    return _waiting(known, as_of, timedelta(days=due_soon_days))


def _waiting(known: ObligationFacts, as_of: datetime, due_soon: timedelta) -> Status:
    due_before = due_in_force(known)
    if as_of >= due_before:
        return "overdue"
    if as_of < known.opens_at:
        return "not_yet_due"
    return "due_soon" if as_of >= due_before - due_soon else "open"


def _extended_to(facts: ObligationFacts) -> list[datetime]:
    return [facts.due_before, *(extended_to for _, extended_to in facts.extensions)]


def _known(facts: ObligationFacts, as_of: datetime) -> ObligationFacts:
    """The same row as it was known at ``as_of``."""
    return replace(
        facts,
        extensions=tuple(extension for extension in facts.extensions if extension[0] <= as_of),
        submissions=tuple(
            SubmissionFact(entry.received_at, _until(entry.sent_back_at, as_of), _until(entry.accepted_at, as_of))
            for entry in facts.submissions if entry.received_at <= as_of
        ),
        excused_at=_until(facts.excused_at, as_of),
    )


def _until(instant: datetime | None, as_of: datetime) -> datetime | None:
    return instant if instant is not None and instant <= as_of else None
