"""The ground that checks of a plan stand on: its names looked up once, its deadlines worked out, its places written.

Used by ``rules.soundness`` and its neighbours only; everything else asks the plan itself.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from models.errors import CanbaoError, Fault
from models.plan import Bulletin, Cadence, Due, Feed, Obligation, Organisation, Plan, Supervision
from rules.deadlines import item_periods, nominal_due
from rules.periods import Period

WIDEST_CADENCE_DAYS = 3 * 366
"""A cadence may begin before its campaign (last year's statistics) and outlive it, but hardly by three years: beyond
that a year is mistyped."""
ADDS_UP = frozenset({"person", "employer", "project", "yuan"})
"""Units of which a sum over organisations means something; a rate or an average has none."""
_NAMES_SHOWN = 5


def place(section: str, index: int, key: str, inside: str = "") -> str:
    """Where a fault stands: ``obligations[2] "monthly_report".due.day``."""
    return f'{section}[{index}] "{key}"' + (f".{inside}" if inside else "")


def nearest(given: str, known: Collection[str], otherwise: str) -> str:
    """The cure for an unknown name: the nearest known one, or else what to do."""
    close = difflib.get_close_matches(given, known, n=1)
    return f"Did you mean `{close[0]}`?" if close else otherwise


@dataclass(frozen=True)
class Schedule:
    """The periods of one item with their nominal due dates, as far as they can be worked out, and what hindered."""

    key: str
    where: str
    cadence: Cadence
    due: Due
    dates: tuple[tuple[Period, date], ...]
    faults: tuple[Fault, ...]

    @property
    def days(self) -> list[date]:
        """The days on which the organisations that owe must exist (``rules.deadlines.expected``)."""
        return [nominal if self.cadence.every == "once" else period.ends for period, nominal in self.dates]


@dataclass(frozen=True)
class Ground:
    """A plan with its names looked up once: a plan may hold every township of the country."""

    plan: Plan
    organisations: dict[str, Organisation]
    heirs: dict[str, list[Organisation]]
    schedules: dict[str, Schedule] = field(default_factory=dict)

    @staticmethod
    def of(plan: Plan) -> Ground:
        heirs: dict[str, list[Organisation]] = defaultdict(list)
        for org in plan.organisations:
            for code in org.succeeds:
                heirs[code].append(org)
        ground = Ground(plan, {org.code: org for org in plan.organisations}, heirs)
        for section, index, key, item in _dated_items(plan):
            where = place(section, index, key)
            ground.schedules[where] = _schedule(plan, key, where, item.cadence, item.due)
        return ground

    def line_of_succession(self, code: str) -> list[Organisation]:
        """The organisation and everyone who takes over from it, each once."""
        found: dict[str, Organisation] = {}
        waiting = [self.organisations[code]] if code in self.organisations else []
        while waiting:
            org = waiting.pop()
            if org.code not in found:
                found[org.code] = org
                waiting += self.heirs.get(org.code, [])
        return list(found.values())

    def stands(self, code: str, day: date) -> bool:
        """Whether the organisation or a successor exists on ``day``."""
        return any(org.exists_on(day) for org in self.line_of_succession(code))

    def organisation_faults(self, where: str, code: str, days: Sequence[date] = ()) -> Iterator[Fault]:
        """The organisation is unknown, or neither it nor a successor exists on one of ``days``."""
        if code not in self.organisations:
            yield unknown(where, "organisation", code, self.organisations)
        elif gone := [day for day in days if not self.stands(code, day)]:
            yield Fault(where, f"`{code}` does not exist on {gone[0]}, and no organisation succeeds it.",
                        "Correct `valid_from` and `valid_to`, or name its successor's `succeeds`.")


def _dated_items(plan: Plan) -> Iterator[tuple[str, int, str, Feed | Obligation | Bulletin | Supervision]]:
    for index, feed in enumerate(plan.feeds):
        yield "feeds", index, feed.feed, feed
    for index, obligation in enumerate(plan.obligations):
        yield "obligations", index, obligation.id, obligation
    for index, bulletin in enumerate(plan.bulletins):
        yield "bulletins", index, bulletin.id, bulletin
    for index, supervision in enumerate(plan.supervisions):
        yield "supervisions", index, supervision.id, supervision


def _schedule(plan: Plan, key: str, where: str, cadence: Cadence, due: Due) -> Schedule:
    hindrance = _mistyped_span(plan, where, cadence)
    dates: list[tuple[Period, date]] = []
    if hindrance is None:
        try:
            for period in item_periods(plan, cadence, due):
                dates.append((period, nominal_due(due, period)))
        except CanbaoError as error:
            inside = "due.day" if dates or due.day is not None else "cadence"
            hindrance = Fault(f"{where}.{inside}", error.what, error.cure)
    return Schedule(key, where, cadence, due, tuple(dates), (hindrance,) if hindrance else ())


def _mistyped_span(plan: Plan, where: str, cadence: Cadence) -> Fault | None:
    """A year so far off that the periods between would be counted in thousands."""
    years = {
        "first": int(cadence.first[:4]) if cadence.first else None,
        "last": int(cadence.last[:4]) if cadence.last else None,
        "starts": cadence.starts.year if cadence.starts else None,
        "ends": cadence.ends.year if cadence.ends else None,
    }
    earliest = (plan.starts - timedelta(days=min(WIDEST_CADENCE_DAYS, plan.starts.toordinal() - 1))).year
    latest = (plan.ends + timedelta(days=min(WIDEST_CADENCE_DAYS, date.max.toordinal() - plan.ends.toordinal()))).year
    for name, year in years.items():
        if year is not None and not earliest <= year <= latest:
            return Fault(f"{where}.cadence.{name}", f"{year} is more than three years outside the campaign.",
                         f"The campaign runs from {plan.starts} to {plan.ends}: correct the year.")
    return None


def unknown(where: str, kind: str, given: str, known: Collection[str]) -> Fault:
    some = ", ".join(list(known)[:_NAMES_SHOWN]) + (", …" if len(known) > _NAMES_SHOWN else "")
    return Fault(where, f"the {kind} `{given}` is unknown.",
                 nearest(given, known, f"The plan defines: {some or 'none'}. Define it or correct the name."))


def twice(section: str, keys: Iterable[str], word: str = "id") -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key in first:
            yield Fault(place(section, index, key, word), f"`{key}` is already used by {section}[{first[key]}].",
                        f"Give each its own `{word}`, or delete one of the two.")
        first.setdefault(key, index)


def shortened(codes: Sequence[str]) -> str:
    more = len(codes) - _NAMES_SHOWN
    return ", ".join(codes[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def equal(one: float, other: float) -> bool:
    """Equal as decimal figures: 331.23 + 0.1 must not differ by its binary tail."""
    return round(one - other, 6) == 0


Check = Callable[[Ground], Iterator[Fault]]
"""One question to a plan; what it yields are faults, or notes."""
