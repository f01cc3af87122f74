"""What the four plans say of lists, mechanisms and excuses."""

from __future__ import annotations

import pytest

from models.plan import Plan
from models.plan_file import find, read
from rules.coverage import LINE_NUMBER
from rules.soundness import faults

PLANS = {name: read(find(name)).plan for name in
         ("bozhou-2018", "chengjiang-2021", "district-registration", "lianyungang-2016")}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_every_list_names_owner_priority_reason_and_clause(plan: Plan) -> None:
    for entry in plan.lists:
        assert entry.owner
        assert entry.reason
        assert LINE_NUMBER.findall(entry.source), entry.id


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_students_are_excused_to_their_graduation_only(plan: Plan) -> None:
    student = next(entry for entry in plan.dispositions if entry.code == "student")
    assert student.expires is not None
    assert student.expires.month_of_year == 7


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_every_campaign_says_what_is_done_for_each_group(plan: Plan) -> None:
    assert plan.policies
    assert faults(plan) == []


def test_bozhou_has_its_three_mechanisms() -> None:
    assert [policy.name for policy in PLANS["bozhou-2018"].policies] == ["分类施策", "参保“双兜底”", "参保“双联动”"]


def test_a_mechanism_that_promises_another_lead_than_the_list_has_is_a_fault() -> None:
    plan = PLANS["bozhou-2018"]
    policy = plan.policies[0]
    rule = policy.rules[0].model_copy(update={"lead": policy.rules[0].lead.model_copy(update={"org": "shuiwu"})})
    wrong = plan.model_copy(update={"policies": (policy.model_copy(update={"rules": (rule,)}),)})
    fault, = faults(wrong)
    assert "never led by `shuiwu`" in fault.what
