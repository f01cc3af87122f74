"""The ladder: which reminders and steps stand between a deadline and a decision, and which of them is sent now.

A ladder is data (``models.plan.Ladder``). Its rungs are worked out from the effective due day; what was sent is
recorded under (obligation, step, occurrence), so a sweep asks for state, not for ticks: after downtime only the
highest rung reached is sent and the ones passed are superseded. An acknowledgement pauses, a submission ends.
Nothing here accuses: a ``candidate`` rung only prepares a case for a person to decide (C23).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from string import Formatter

from models.errors import CanbaoError
from models.plan import Ladder, LadderStep
from rules.calendar import WorkCalendar
from rules.deadlines import closes, zone_of
from rules.periods import ONE_DAY

PLACEHOLDERS = frozenset(
    {"org", "report", "period", "due", "nominal_due", "campaign", "office", "days_late", "step"}
)
"""What a message may ask for. None of them is a person's name or number."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One message of a ladder for one deadline. ``occurrence`` counts a step's repeats from 1."""

    step_id: str
    occurrence: int
    planned_at: datetime
    kind: str

    @property
    def key(self) -> tuple[str, int]:
        """What is recorded once it was sent, superseded or cancelled."""
        return self.step_id, self.occurrence


@dataclass(frozen=True, slots=True)
class Actions:
    """What a sweep does about one row. ``held_until`` is set if something would be sent but must wait until then."""

    send: tuple[Rung, ...] = ()
    supersede: tuple[Rung, ...] = ()
    cancel: tuple[Rung, ...] = ()
    held_until: datetime | None = None


# --- when -----------------------------------------------------------------------------------------------


def rungs(ladder: Ladder, effective_due: date, calendar: WorkCalendar, zone: tzinfo | str) -> tuple[Rung, ...]:
    """Every rung for a deadline, in the order in which they are climbed.

    Offsets are workdays from the effective due day: -3 the third workday before it, 0 that day, +1 the first workday
    after it. ``repeat_times`` is how often a step happens in all. A rung that falls into the quiet hours, or on a day
    off if ``workdays_only``, moves to the next allowed instant. At the same instant the ladder's order decides.
    """
    found = []
    for step in ladder.steps:
        for occurrence, offset in enumerate(_offsets(step), start=1):
            day = calendar.add_workdays(effective_due, offset)
            wished = datetime.combine(day, step.at, tzinfo=zone_of(zone))
            found.append(Rung(step.id, occurrence, next_allowed(ladder, wished, calendar), step.kind))
    return tuple(sorted(found, key=lambda rung: rung.planned_at))


def next_allowed(ladder: Ladder, instant: datetime, calendar: WorkCalendar | None = None) -> datetime:
    """The first instant from ``instant`` on at which the ladder may speak, in the zone of ``instant``.

    Quiet hours run from ``quiet_from`` up to, not including, ``quiet_to``; over midnight if ``quiet_to`` is the
    earlier hour; equal hours mean none. Without a calendar only the hours are looked at, not days off.
    """
    while True:
        moved = _after_quiet_hours(ladder, instant)
        if ladder.workdays_only and calendar is not None and not calendar.is_workday(moved.date()):
            moved = datetime.combine(calendar.add_workdays(moved.date(), 1), time(0), tzinfo=moved.tzinfo)
        if moved == instant:
            return instant
        instant = moved


def pause_ends(ladder: Ladder, acknowledged_at: datetime, calendar: WorkCalendar, zone: tzinfo | str) -> datetime:
    """Until when an acknowledgement keeps the ladder silent (exclusive): the end of the last paused workday, the
    first being the workday after the acknowledgement. A ladder that does not pause gives ``acknowledged_at``."""
    workdays = ladder.acknowledgement_pauses_working_days
    if workdays == 0:
        return acknowledged_at
    return closes(calendar.add_workdays(acknowledged_at.astimezone(zone_of(zone)).date(), workdays), zone)


def _offsets(step: LadderStep) -> list[int]:
    if step.repeat_every_working_days is None:
        return [step.offset_working_days]
    return [step.offset_working_days + step.repeat_every_working_days * done for done in range(step.repeat_times)]


def _after_quiet_hours(ladder: Ladder, instant: datetime) -> datetime:
    hour, starts, ends = instant.time(), ladder.quiet_from, ladder.quiet_to
    if starts <= ends:
        return _at(instant, ends) if starts <= hour < ends else instant
    if hour >= starts:
        return _at(instant + ONE_DAY, ends)
    return _at(instant, ends) if hour < ends else instant


def _at(instant: datetime, hour: time) -> datetime:
    return datetime.combine(instant.date(), hour, tzinfo=instant.tzinfo)


# --- what now -------------------------------------------------------------------------------------------


def next_actions(
    ladder: Ladder,
    rungs: Sequence[Rung],
    recorded: Set[tuple[str, int]],
    as_of: datetime,
    ended_at: datetime | None = None,
    paused_until: datetime | None = None,
    *,
    calendar: WorkCalendar | None = None,
    send_in_quiet_hours: bool = False,
    is_unreached: bool = False,
) -> Actions:
    """What a sweep at ``as_of`` does about one row, given the rungs and those already recorded.

    Only the highest rung reached is sent, the others passed are superseded; nobody is ever taken a rung down, so a
    rung below a recorded one is superseded too. A submission at ``ended_at`` cancels the rungs reached since and
    supersedes those reached before but never sent. A pause, the quiet hours and (given a ``calendar``, on a ladder of
    workdays) days off hold everything back: then nothing is done but to say in ``held_until`` from when it can be.
    Nobody is taken further whom the rung before did not reach (``is_unreached``: what was written to whoever owes could not leave).
    ``send_in_quiet_hours`` lifts the quiet hours and days off, not the pause. What lies after ``as_of`` is ignored.
    """
    reached = [rung for rung in rungs if rung.planned_at <= as_of]
    pending = tuple(rung for rung in reached if rung.key not in recorded)
    if not pending:
        return Actions()
    if ended_at is not None and ended_at <= as_of:
        return Actions(
            supersede=tuple(rung for rung in pending if rung.planned_at < ended_at),
            cancel=tuple(rung for rung in pending if rung.planned_at >= ended_at),
        )
    if pending[-1] != reached[-1]:
        return Actions(supersede=pending)
    allowed_at = max(as_of, paused_until or as_of).astimezone(pending[-1].planned_at.tzinfo)
    if not send_in_quiet_hours:
        allowed_at = next_allowed(ladder, allowed_at, calendar)
    if is_unreached:
        return Actions(held_until=max(allowed_at, as_of))
    if allowed_at > as_of:
        return Actions(held_until=allowed_at)
    return Actions(send=pending[-1:], supersede=pending[:-1])


# --- in which words -------------------------------------------------------------------------------------


def unknown_placeholders(step: LadderStep) -> tuple[str, ...]:
    """Placeholders in a step's wording that no message can fill, in the order they are written. Raises CanbaoError
    for braces that do not pair up."""
    texts = (step.wording.subject, step.wording.body)
    return tuple(name for text in texts for name in _fields(step, text) if name not in PLACEHOLDERS)


def wording(step: LadderStep, /, **facts: object) -> tuple[str, str]:
    """Subject and body of a step's message. ``facts`` fill the placeholders; ``step`` is the step's name if not given.

    Raises CanbaoError naming a placeholder that is unknown or for which there is no fact; values never travel in the
    error.
    """
    if unknown := unknown_placeholders(step):
        raise CanbaoError(
            f"unknown placeholder {{{unknown[0]}}}.", where=_place(step),
            cure=f"Known are {', '.join(sorted(PLACEHOLDERS))}.",
        )
    values = {"step": step.name, **facts}
    texts = (step.wording.subject, step.wording.body)
    if missing := [name for text in texts for name in _fields(step, text) if name not in values]:
        raise CanbaoError(
            f"there is nothing to put in for {{{missing[0]}}}.", where=_place(step),
            cure="Leave it out of the wording, or send the message where this is known.",
        )
    subject, body = (text.format(**values) for text in texts)
    return subject, body


def _fields(step: LadderStep, text: str) -> list[str]:
    """What stands between braces, as written: ``{org.name}`` and ``{org!r}`` must not reach into an object."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise CanbaoError(
            "a brace in the wording has no partner.", where=_place(step), cure="Write {{ or }} for a brace itself."
        ) from None
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in parts if name is not None
    ]


def _place(step: LadderStep) -> str:
    return f'ladder step "{step.id}", wording'
