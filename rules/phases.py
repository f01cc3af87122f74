"""Which phases run on a day, and what follows from that."""

from __future__ import annotations

from datetime import date

from models.plan import Phase, PhaseKind, Plan

FIELD_WORK: tuple[PhaseKind, ...] = ("contribution", "survey", "self_assessment", "pilot")
"""Phases in which owners work their rosters."""


def running(plan: Plan, day: date) -> tuple[Phase, ...]:
    """The phases whose days include ``day``, in the plan's order; an open end runs on. Phases may overlap (C12, C13)."""
    return tuple(phase for phase in plan.phases if phase.starts <= day and (phase.ends is None or day <= phase.ends))


def field_work(plan: Plan, day: date) -> PhaseKind | None:
    """Which kind of field work is done on a day: the last begun of those running, None outside all of them."""
    kinds: list[PhaseKind] = [phase.kind for phase in running(plan, day) if phase.kind in FIELD_WORK]
    return kinds[-1] if kinds else None


def owners_in_play(plan: Plan, day: date) -> frozenset[str] | None:
    """While a pilot runs alone only its places, and the units below them, are handed rosters; otherwise everybody
    (``None``). 「试点先行」 (L6, L9)."""
    here = running(plan, day)
    if not any(phase.kind == "pilot" for phase in here) or field_work(plan, day) != "pilot":
        return None
    chosen = {code for phase in here if phase.kind == "pilot" for code in phase.pilots}
    parents = {org.code: org.parent for org in plan.organisations}

    def within(code: str | None) -> bool:
        while code is not None:
            if code in chosen:
                return True
            code = parents.get(code)
        return False

    return frozenset(code for code in parents if within(code))
