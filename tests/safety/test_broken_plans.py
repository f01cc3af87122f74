"""Whoever writes a person into a plan where something else belongs is told the line, and nobody is told the person."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from comparison.plan_check import load_sound
from models.errors import CanbaoError
from tests.canary import Canary
from tests.expectations.a_file import a_number
from tests.plan.whole import whole_text

NAMED, NUMBER = "欧阳小娜", a_number(977)
PERSON = f"{NAMED}{NUMBER}"
CANARY = Canary({NUMBER}, {NAMED})
BREAKS: dict[str, Callable[[str], str]] = {
    "kind": lambda plan: plan.replace("- kind: office\n", f"- kind: {PERSON}\n", 1),
    "code": lambda plan: plan.replace("    code: office\n", f"    code: {PERSON}\n", 1),
    "date": lambda plan: plan.replace("starts: 2021-03-18", f"starts: {PERSON}", 1),
    "key": lambda plan: plan.replace("    code: office\n", f"    {PERSON}: 1\n    code: office\n", 1),
    "reference": lambda plan: plan.replace("  approved_by: office", f"  approved_by: {PERSON}", 1),
    "no YAML": lambda plan: plan.replace("    code: office\n", f"    code: office\n  {PERSON}: [\n", 1),
    "expression": lambda plan: re.sub(r"    where: .*", f'    where: "{PERSON} = 1"', plan, count=1),
    "text for number": lambda plan: plan.replace("expires_days: 7", f"expires_days: {PERSON}", 1),
    "number": lambda plan: plan.replace("expires_days: 7", f"expires_days: {NUMBER}", 1),
    "time zone": lambda plan: plan.replace("starts: 2021-03-18", f"time_zone: {PERSON}\nstarts: 2021-03-18", 1),
    "region": lambda plan: re.sub(r"(region:\s*code:) *\S+", rf'\1 "{PERSON}"', plan, count=1),
    "id": lambda plan: re.sub(r"^id: .*", f"id: {PERSON}", plan, count=1, flags=re.MULTILINE),
}


@pytest.mark.parametrize("what", BREAKS)
def test_no_fault_repeats_a_person(tmp_path: Path, what: str) -> None:
    whole = whole_text("chengjiang-2021")
    broken = BREAKS[what](whole)
    assert broken != whole
    path = tmp_path / "plan.yaml"
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(CanbaoError) as refusal:
        load_sound(str(path))
    assert not CANARY.sees(str(refusal.value)), str(refusal.value)
    assert "line " in str(refusal.value)
