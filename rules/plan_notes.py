"""Notes on a plan: what does not hinder a campaign but should be known before it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.errors import Fault
from models.plan import Plan
from rules.calendar import FIRST_KNOWN_YEAR, LAST_KNOWN_YEAR
from rules.plan_ground import ADDS_UP, Check, Ground, equal, place, shortened


def _unknown_years(ground: Ground) -> Iterator[Fault]:
    """Loud, because every deadline of such a year may be wrong by a week."""
    plan = ground.plan
    days = [plan.starts, plan.ends, plan.acceptance.final_on]
    days += [nominal for schedule in ground.schedules.values() for _, nominal in schedule.dates]
    years = range(min(days).year, max(days).year + 1)
    stated = {entry.year for entry in plan.calendar.years}
    unknown = [str(year) for year in years if not FIRST_KNOWN_YEAR <= year <= LAST_KNOWN_YEAR and year not in stated]
    if unknown:
        yield Fault("calendar", f"WARNING: THE PUBLIC HOLIDAYS OF {shortened(unknown)} ARE NOT KNOWN: only weekends "
                                "count there, and deadlines may move once they are.",
                    f"Known are {FIRST_KNOWN_YEAR} to {LAST_KNOWN_YEAR}; when a later one is published: `canbao calendar import FILE`.")


def _stated_totals(ground: Ground) -> Iterator[Fault]:
    units = {indicator.id: indicator.unit for indicator in ground.plan.indicators}
    for index, target in enumerate(ground.plan.targets):
        adds_up = units.get(target.indicator) in ADDS_UP
        derived = sum(target.level.values()) if adds_up else target.derived_total
        if target.stated_total is not None and derived is not None and not equal(target.stated_total, derived):
            yield Fault(place("targets", index, target.id, "stated_total"),
                        f"the document states {target.stated_total:g}, the levels give {derived:g}.",
                        "Both are kept and shown; nothing is forced to agree (C11).")


def _suspicious_percents(ground: Ground) -> Iterator[Fault]:
    percents = {indicator.id for indicator in ground.plan.indicators if indicator.unit == "percent"}
    for index, target in enumerate(ground.plan.targets):
        low = [code for code, level in target.level.items() if 0 < level <= 1 and target.indicator in percents]
        if low:
            yield Fault(place("targets", index, target.id, "level"), f"at most 1 percent for {shortened(low)}.",
                        "If a share was meant, write 95 for 95 %.")


def _early_deadlines(ground: Ground) -> Iterator[Fault]:
    """C20: the first monthly report was due before the notice was issued."""
    issued = ground.plan.document.issued
    early = [f"{schedule.key} {period.label}" for schedule in ground.schedules.values()
             for period, nominal in schedule.dates if nominal < issued]
    if early:
        yield Fault("document.issued", f"due before the document itself ({issued}): {shortened(early)}.",
                    "Nobody can be blamed for these: begin later, or expect them to be excused.")


def _unused(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    used = set(re.findall(r"\$(\w+)", "\n".join(_expressions(plan))))
    for name in plan.parameters:
        if name not in used:
            yield Fault(f"parameters.{name}", "no expression of the plan uses it.",
                        "Keep it if a rule reads it by name; otherwise delete it.")
    climbed = {obligation.ladder for obligation in plan.obligations} | {feed.ladder for feed in plan.feeds}
    for index, ladder in enumerate(plan.ladders):
        if ladder.id not in climbed:
            yield Fault(place("ladders", index, ladder.id), "no obligation and no feed climbs this ladder.",
                        "Name it in their `ladder`, or delete it.")


def _expressions(plan: Plan) -> Iterator[str]:
    yield from (category.where for category in plan.categories)
    for entry in plan.lists:
        yield entry.where
        yield from (case.when for case in (*entry.owner, *entry.co_owners))
    for indicator in plan.indicators:
        for measure in (indicator.numerator, indicator.denominator):
            if measure is not None:
                yield from (text for text in (measure.where, measure.sum) if text is not None)


def _curiosities(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    by_priority: dict[int, str] = {}
    for index, entry in enumerate(plan.lists):
        other = by_priority.setdefault(entry.priority, entry.id)
        if other != entry.id:
            yield Fault(place("lists", index, entry.id, "priority"),
                        f"`{other}` has the priority {entry.priority} too.", "The plan's order decides between them.")
    for index, category in enumerate(plan.categories):
        if category.insured and not category.in_scope:
            yield Fault(place("categories", index, category.id), "insured, but out of scope: no rate counts it.",
                        "Say `in_scope: true` if it should count.")
    for index, bulletin in enumerate(plan.bulletins):
        if not bulletin.indicators and not bulletin.obligations:
            yield Fault(place("bulletins", index, bulletin.id), "reports on nothing.",
                        "Name indicators or obligations.")
    for index, obligation in enumerate(plan.obligations):
        if obligation.to in {org.code for org in plan.select(obligation.who)}:
            yield Fault(place("obligations", index, obligation.id, "who"), f"`{obligation.to}` reports to itself.",
                        "Add it to `except_codes` unless that is meant.")


REMARKS: tuple[Check, ...] = (
    _unknown_years, _stated_totals, _suspicious_percents, _early_deadlines, _unused, _curiosities,
)
