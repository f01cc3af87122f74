"""The plan a rehearsal puts in force: the campaign's own, marked as a drill, and cut to the size of its place.

A place of 20,000 made-up people cannot meet a target that was set for 171,400: whatever counts people, units or money is
multiplied by the share of the population that is there. Rates and averages stay. The mark says so on the board and in every
document that comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from models.plan import Drill, Plan, Target
from rules.plan_ground import ADDS_UP

BOARD_REST_MINUTES = 14 * 24 * 60
"""Nobody looks at the board of a simulated day: it is drawn twice a month, and at the end."""
WORDS = "演练：人员均为虚构"
SCALED_WORDS = "演练：人员均为虚构，目标按人口折算（{persons}/{of_persons}）"


def drill_plan(plan: Plan, persons: int, of_persons: int) -> Plan:
    """The plan with its mark, and with targets and bases for ``persons`` of ``of_persons``; at full size they stay."""
    plan = plan.model_copy(update={"board": plan.board.model_copy(update={"rest_minutes": BOARD_REST_MINUTES})})
    if persons == of_persons:
        return plan.model_copy(update={"drill": Drill(persons=persons, of_persons=of_persons, note=WORDS)})
    units = {indicator.id: indicator.unit for indicator in plan.indicators}
    share = persons / of_persons
    targets = tuple(_scaled(target, share) if units[target.indicator] in ADDS_UP else target for target in plan.targets)
    note = SCALED_WORDS.format(persons=persons, of_persons=of_persons)
    return plan.model_copy(update={"targets": targets, "drill": Drill(persons=persons, of_persons=of_persons, note=note)})


def _scaled(target: Target, share: float) -> Target:
    """A target for a share of the population. Each value is rounded by itself and at least one where the notice asks for
    any; what follows from others (increase, total) still does."""
    level, base = _each(target.level, share), _each(target.derived_base, share)
    increase = {code: level[code] - base[code] if code in base else _some(value, share)
                for code, value in target.increase.items()}
    adds_up = target.derived_total is not None and target.derived_total == sum(target.level.values())
    return target.model_copy(update={
        "level": level, "derived_base": base, "increase": increase,
        "derived_total": sum(level.values()) if adds_up else _some(target.derived_total, share),
        "stated_total": sum(level.values()) if adds_up and target.stated_total == target.derived_total
        else _some(target.stated_total, share),
    })


def _each(values: Mapping[str, float], share: float) -> dict[str, float]:
    return {code: _some(value, share) for code, value in values.items()}


def _some(value: Any, share: float) -> Any:
    return value if not value else max(1, round(value * share))


def write(plan: Plan, path: Path) -> Path:
    """Writes a plan file, for a mobilisation to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = plan.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"canbao": plan.canbao}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
