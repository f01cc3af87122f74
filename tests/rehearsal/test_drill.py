"""A rehearsal's plan: marked as one, and cut to the size of its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparison.plan_check import load_sound
from models import plan_file
from models.plan import Plan
from rehearsal.drill import drill_plan, write
from rules import soundness
from rules.plan_ground import ADDS_UP

CAMPAIGNS = ("chengjiang-2021", "bozhou-2018", "district-registration", "lianyungang-2016")


def plan_of(campaign: str) -> Plan:
    return load_sound(campaign).plan


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("persons", [1, 137, 20_000])
def test_a_plan_cut_to_any_size_is_as_sound_as_before(campaign: str, persons: int, tmp_path: Path) -> None:
    cut = drill_plan(plan_of(campaign), persons, 171_400)
    read = plan_file.read(write(cut, tmp_path / "drill" / "plan.yaml")).plan
    assert read == cut
    assert [fault for fault in soundness.faults(read) if "derived" in fault.where or "level" in fault.where] == []


def test_what_counts_people_is_a_share_and_rates_stay() -> None:
    plan = plan_of("chengjiang-2021")
    cut = drill_plan(plan, 20_000, 171_400)
    units = {indicator.id: indicator.unit for indicator in plan.indicators}
    for before, after in zip(plan.targets, cut.targets, strict=True):
        for code, level in before.level.items():
            expected = max(1, round(level * 20_000 / 171_400)) if units[before.indicator] in ADDS_UP else level
            assert after.level[code] == expected
    by_id = {target.id: target for target in cut.targets}
    # C8 by hand: 6,550 × 20,000 / 171,400 = 764.3; C1: 17,900 gives 2,089 and its base of 12,375 gives 1,444.
    assert by_id["resident_enrolled"].level["fenglu"] == 764
    assert by_id["employee_pension"].level["gov"] == 2089
    assert by_id["employee_pension"].increase["gov"] == 2089 - 1444
    assert by_id["conversions_township"].stated_total == sum(by_id["conversions_township"].level.values())


def test_at_full_size_targets_are_the_notices_own() -> None:
    plan = plan_of("chengjiang-2021")
    cut = drill_plan(plan, 171_400, 171_400)
    assert cut.targets == plan.targets
    assert cut.drill is not None
    assert "折算" not in cut.drill.note


def test_a_target_of_zero_stays_zero() -> None:
    plan = plan_of("chengjiang-2021")
    nothing = plan.targets[0].model_copy(update={"level": {"gov": 0}, "increase": {}, "derived_base": {}})
    cut = drill_plan(plan.model_copy(update={"targets": (nothing,)}), 100, 171_400)
    assert cut.targets[0].level == {"gov": 0}
