"""Which phases run on a day, and what follows from that."""

from __future__ import annotations

from datetime import date

from models.plan import Phase, Plan
from models.words import COMPARISON_FLOW, PHASE_KINDS


def running(plan: Plan, day: date) -> tuple[Phase, ...]:
    """The phases whose days include ``day``, in the plan's order; an open end runs on. Phases may overlap (C12, C13)."""
    return tuple(phase for phase in plan.phases if phase.starts <= day and (phase.ends is None or day <= phase.ends))


def field_work(plan: Plan, day: date) -> str | None:
    """Which kind of field work is done on a day: the last begun of those running, None outside all of them."""
    kinds = [phase.kind for phase in running(plan, day) if PHASE_KINDS[phase.kind].takes_back]
    return kinds[-1] if kinds else None


def field_flow(plan: Plan, day: date) -> str:
    """Whose flow takes back on a day what organisations hand in."""
    kind = field_work(plan, day)
    return PHASE_KINDS[kind].flow if kind else next(row.flow for row in PHASE_KINDS.values() if row.takes_back_otherwise)


def field_flows() -> frozenset[str]:
    """Every flow whose turn it may be to take back."""
    return frozenset(row.flow for row in PHASE_KINDS.values() if row.takes_back)


def comparing_flow(plan: Plan, day: date) -> str:
    """Whose flow compares on a day: that of the kind which is alone (常态运行), else ``data-comparison``."""
    kinds = {phase.kind for phase in running(plan, day)}
    alone = PHASE_KINDS[kinds.pop()] if len(kinds) == 1 else None
    return alone.flow if alone is not None and alone.compares_alone else COMPARISON_FLOW


def comparing_flows() -> frozenset[str]:
    """Every flow whose turn it may be to compare."""
    return frozenset({COMPARISON_FLOW, *(row.flow for row in PHASE_KINDS.values() if row.compares_alone)})


def turn_of_another(plan: Plan, flow: str, day: date) -> str | None:
    """Why it is not this flow's turn on a day, in words; None if it is, or if no phase decides about it."""
    if flow in comparing_flows() and comparing_flow(plan, day) != flow:
        return f"本日由 {comparing_flow(plan, day)} 比对"
    if flow in field_flows() and field_flow(plan, day) != flow:
        return f"本日由 {field_flow(plan, day)} 回收"
    for kind, row in PHASE_KINDS.items():
        if row.only_meanwhile and row.flow == flow and all(phase.kind != kind for phase in running(plan, day)):
            return f"不在{row.name}阶段"
    return None


def owners_in_play(plan: Plan, day: date) -> frozenset[str] | None:
    """While a pilot runs alone only its places, and the units below them, are handed rosters; otherwise everybody
    (``None``). 「试点先行」 (L6, L9)."""
    kind = field_work(plan, day)
    if kind is None or not PHASE_KINDS[kind].in_chosen_places:
        return None
    chosen = {code for phase in running(plan, day) if PHASE_KINDS[phase.kind].in_chosen_places for code in phase.pilots}
    parents = {org.code: org.parent for org in plan.organisations}

    def within(code: str | None) -> bool:
        while code is not None:
            if code in chosen:
                return True
            code = parents.get(code)
        return False

    return frozenset(code for code in parents if within(code))
