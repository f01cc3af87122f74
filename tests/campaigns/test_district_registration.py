"""District registration: what the anonymised text fixes, and the two cycles it does not make one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from models.plan import Plan
from models.plan_file import find, read
from rules.deadlines import expected
from rules.periods import periods

Verdict = Any
"""The judge of ``conftest.py``, which pytest loads under a name of its own."""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read(find("district-registration")).plan


@pytest.fixture(scope="module")
def judged(plan: Plan, verdict: Callable[[Plan], Verdict]) -> Verdict:
    return verdict(plan)


def test_units_report_twenty_six_times_and_the_office_publishes_twenty_four_times_a_year(plan: Plan) -> None:
    reports = plan.item("obligations", "fortnightly_report")
    bulletin = plan.item("bulletins", "half_monthly_bulletin")
    assert len(periods(reports.cadence)) == 26    # G19 「每两周上报一次」
    assert len(periods(bulletin.cadence)) == 24   # G19 「每半月通报一次」


def test_january_belongs_to_two_phases_and_routine_has_no_end(plan: Plan) -> None:
    days = {phase.id: (phase.starts, phase.ends) for phase in plan.phases}
    assert days["mobilisation"] == (date(2015, 1, 1), date(2015, 1, 31))  # G15
    assert days["survey"] == (date(2015, 1, 1), date(2015, 3, 31))
    assert days["routine"] == (date(2015, 4, 1), None)


def test_comparison_is_over_before_the_survey_begins(plan: Plan) -> None:
    comparison, survey = plan.item("phases", "comparison"), plan.item("phases", "survey")
    assert comparison.ends < survey.starts  # G8 「先进行数据比对…再进行入户调查」


def test_the_five_schemes_and_the_cards_come_in(plan: Plan) -> None:
    assert {
        "employee_pension", "institution_pension", "resident_pension", "employee_medical", "resident_medical",
        "unemployment", "work_injury", "maternity", "cards",
    } <= {feed.feed for feed in plan.feeds}  # G5


def test_people_from_elsewhere_have_ledgers_of_their_own(plan: Plan) -> None:
    local = ("uninsured", "employed_uninsured", "interrupted", "medical_without_pension", "pension_without_medical")
    assert all("not is_permit_holder" in plan.item("lists", key).where for key in local)  # G3
    assert {listed for ledger in plan.ledgers for listed in ledger.lists} >= {
        "residence_permit_enrolled", "residence_permit_not_enrolled",
    }


def test_training_confirmed_on_a_saturday_moves_to_monday(plan: Plan) -> None:
    [row] = [row for row in expected(plan) if (row.item, row.organisation) == ("training_confirmation", "donghu")]
    assert (row.nominal, row.effective) == (date(2015, 1, 31), date(2015, 2, 2))


A_RECORD = {"township": "donghu", "village": "东湖社区", "age_years": 40, "has_card": True}
INSURED = {"any_pension_active": True, "any_pension_enrolled": True, "any_medical_active": True}


def test_a_complete_record_is_confirmed_directly_and_on_no_list(judged: Verdict) -> None:
    assert judged.category(**A_RECORD, **INSURED) == "insured_full"
    assert judged.lists(**A_RECORD, **INSURED) == set()  # G9 「直接确认登记,无需重复采集信息」


def test_wrong_incomplete_and_missing_records_are_visited(judged: Verdict) -> None:
    assert "survey_case" in judged.lists(**A_RECORD, **INSURED, needs_identity_review=True)   # G10 错误
    assert "survey_case" in judged.lists(**{**A_RECORD, "village": None}, **INSURED)          # G10 信息不全
    assert judged.lists(**A_RECORD) == {"survey_case", "uninsured"}                           # G10 遗漏人员, G11 花名册


def test_the_dead_and_those_who_left_are_not_visited(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD, is_deceased=True) == set()
    assert judged.lists(**A_RECORD, is_gone=True) == set()


def test_one_of_the_two_basic_schemes_is_half_an_enrolment(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD, any_medical_active=True) == {"medical_without_pension"}
    pension = {"any_pension_active": True, "any_pension_enrolled": True}
    assert judged.lists(**A_RECORD, **pension) == {"pension_without_medical"}


def test_a_child_and_a_student_owe_medical_insurance_only(judged: Verdict) -> None:
    child = {**A_RECORD, "age_years": 15}
    assert judged.category(**child, any_medical_active=True) == "minor_insured"
    assert judged.category(**child) == "minor_uninsured"
    assert judged.category(**A_RECORD, is_student=True, any_medical_active=True) == "student_insured"


def test_two_schemes_of_a_kind_or_paying_and_drawing_at_once_is_a_duplicate(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD, **INSURED, medical_schemes_active=2) == {"duplicate_enrolment"}
    assert judged.lists(**A_RECORD, **INSURED, medical_schemes_active=1) == set()
    both_ways = {"is_drawing_benefit": True, "benefit_scheme": "resident_pension", "employee_pension_active": True}
    assert judged.lists(**A_RECORD, **INSURED, **both_ways) == {"duplicate_enrolment"}  # G1 重复领取待遇


def test_a_permit_holder_is_on_one_of_the_two_ledgers(judged: Verdict) -> None:
    holder = {**A_RECORD, "is_permit_holder": True}
    assert judged.lists(**holder, **INSURED) == {"residence_permit_enrolled"}
    assert judged.lists(**holder, any_medical_active=True) == {"residence_permit_not_enrolled"}


def test_whoever_holds_no_card_is_listed_unless_from_elsewhere(judged: Verdict) -> None:
    without = {**A_RECORD, **INSURED, "has_card": False}
    assert judged.lists(**without) == {"no_card"}  # G5 「全部制发社会保障卡」
    assert "no_card" not in judged.lists(**without, is_permit_holder=True)
