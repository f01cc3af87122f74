"""连云港 2016: the plan against the notice's own months, offices and rules, each worked out by hand from the text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from comparison.plan_check import check
from models.plan import Plan
from models.plan_file import find, read
from rules.deadlines import Expected, expected

Verdict = Any
"""The judge of ``conftest.py``, which pytest loads under a name of its own."""
POOLING_AREAS = ("haizhou", "lianyun", "ganyu", "donghai", "guanyun", "guannan")
BUREAU_UNITS = ("shebao", "zhengjiao", "yibao", "jiuye", "rencai", "jibao", "nongbao", "xinxi", "guihua")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read(find("lianyungang-2016")).plan


@pytest.fixture(scope="module")
def owed(plan: Plan) -> list[Expected]:
    return expected(plan)


@pytest.fixture(scope="module")
def judged(plan: Plan, verdict: Callable[[Plan], Verdict]) -> Verdict:
    return verdict(plan)


def test_the_plan_is_sound_and_leaves_nothing_to_remark() -> None:
    report = check(find("lianyungang-2016"))
    assert (report.faults, report.notes) == ([], [])


def test_no_number_is_set_as_a_target(plan: Plan) -> None:
    assert plan.targets == ()  # L21
    assert not [item.id for item in plan.acceptance.items if item.target]


# --- phases (四、实施步骤) ------------------------------------------------------------------------------


def test_the_phases_have_the_months_of_the_notice(plan: Plan) -> None:
    assert [(phase.kind, phase.starts, phase.ends) for phase in plan.phases] == [
        ("mobilisation", date(2016, 2, 1), date(2016, 3, 31)),    # L7
        ("preparation", date(2016, 2, 1), date(2016, 3, 31)),     # L8, the same months
        ("comparison", date(2016, 3, 1), date(2016, 4, 30)),      # L9 (1)
        ("pilot", date(2016, 3, 1), date(2016, 4, 30)),           # L9 (2)
        ("survey", date(2016, 5, 1), date(2016, 10, 31)),         # L9 (3)
        ("acceptance", date(2016, 11, 21), date(2016, 11, 30)),   # L10, L21 下旬
        ("acceptance", date(2016, 12, 1), date(2016, 12, 31)),    # L11
        ("routine", date(2017, 1, 1), None),                      # L12 「2017年1月起」
    ]


def test_gathering_and_comparing_are_over_before_the_survey_begins(plan: Plan) -> None:
    assert plan.item("phases", "comparison").ends < plan.item("phases", "survey").starts  # L6 先汇集、再比对、后调查


def test_every_pooling_area_has_its_own_pilot(plan: Plan) -> None:
    pilots = [plan.organisation(code) for code in plan.item("phases", "pilot").pilots]
    assert sorted(str(place.parent) for place in pilots) == sorted(POOLING_AREAS)  # L9 (2) 「各统筹区选择」
    assert {place.kind for place in pilots} == {"township"}


# --- who (五、部门职责) ---------------------------------------------------------------------------------


def test_nine_units_of_the_bureau_and_six_pooling_areas(plan: Plan) -> None:
    assert [unit.code for unit in plan.organisations if unit.kind == "agency"] == list(BUREAU_UNITS)
    assert {plan.organisation(code).parent for code in BUREAU_UNITS} == {"renshe"}
    counties = [unit for unit in plan.organisations if unit.kind == "county"]
    assert [(unit.code, unit.region_code) for unit in counties] == list(zip(
        POOLING_AREAS, ["320706", "320703", "320707", "320722", "320723", "320724"], strict=True
    ))


@pytest.mark.parametrize(("feed", "providers"), [
    ("employee_pension", {"zhengjiao"}),              # L14 征缴中心
    ("employee_medical", {"zhengjiao"}),
    ("work_injury", {"zhengjiao"}),
    ("maternity", {"zhengjiao"}),
    ("resident_medical", {"yibao", "weiji"}),         # L15 医保处; L9 新农合
    ("unemployment", {"jiuye"}),                      # L16 就业处
    ("institution_pension", {"jibao"}),               # L16 机关事业单位保险管理处
    ("resident_pension", {"nongbao"}),                # L16 农保处
    ("cards", {"xinxi"}),                             # L17 信息中心
    ("population", {"gongan"}),                       # L4, L8
])
def test_each_register_comes_from_the_office_that_keeps_it(plan: Plan, feed: str, providers: set[str]) -> None:
    assert set(plan.item("feeds", feed).providers) == providers


def test_retirees_come_from_the_leading_office(plan: Plan) -> None:
    assert "shebao" in plan.item("feeds", "benefits").providers  # L13 「负责提供市区企业离退休人员信息」


def test_both_medical_registers_are_owed_each_month(owed: list[Expected]) -> None:
    rows = [row for row in owed if (row.item, row.period) == ("feed:resident_medical", "2016-03")]
    assert [row.organisation for row in rows] == ["yibao", "weiji"]


def test_the_tax_exchange_begins_with_routine_operation(owed: list[Expected]) -> None:
    assert [row.period for row in owed if row.item == "feed:tax_units"] == ["2017-01", "2017-02"]  # L12


def test_the_first_registers_are_in_before_the_comparison_ends(plan: Plan, owed: list[Expected]) -> None:
    first = next(row for row in owed if row.item == "feed:population")
    assert (first.nominal, first.effective) == (date(2016, 4, 10), date(2016, 4, 11)), "04-10 is a Sunday"
    assert first.effective < plan.item("phases", "comparison").ends


def test_unemployed_graduates_are_no_register_because_no_rule_reads_it(plan: Plan) -> None:
    assert "rencai" not in {code for feed in plan.feeds for code in feed.providers}
    assert any("未就业毕业生" in entry.source for entry in plan.not_built)


# --- what is owed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "nominal", "effective", "count"), [
    ("county_rules", date(2016, 3, 31), date(2016, 3, 31), 6),             # L7, a Thursday
    ("survey_team", date(2016, 3, 31), date(2016, 3, 31), 6),              # L8
    ("provincial_comparison", date(2016, 4, 30), date(2016, 5, 3), 1),     # L9 (1), Saturday in the May holiday
    ("duplicate_review", date(2016, 4, 30), date(2016, 5, 3), 5),
    ("pilot_summary", date(2016, 4, 30), date(2016, 5, 3), 6),             # L9 (2)
    ("survey_completion", date(2016, 10, 31), date(2016, 10, 31), 6),      # L9 (3), a Monday
    ("quality_report", date(2016, 11, 30), date(2016, 11, 30), 1),         # L10
    ("final_summary", date(2016, 12, 31), date(2017, 1, 3), 15),           # L11, the New Year holiday
])
def test_the_end_of_a_month_becomes_the_workday_that_counts(
    owed: list[Expected], item: str, nominal: date, effective: date, count: int
) -> None:
    rows = [row for row in owed if row.item == item]
    assert {(row.nominal, row.effective) for row in rows} == {(nominal, effective)}
    assert len(rows) == count


def test_the_quality_of_the_database_is_reported_to_the_government(owed: list[Expected]) -> None:
    [report] = [row for row in owed if row.item == "quality_report"]
    assert report.to == "gov"  # L10 「并形成报告上报政府」
    assert report.opens_at.date() == date(2016, 11, 21)


def test_the_survey_is_reported_by_its_four_channels(plan: Plan) -> None:
    channels = plan.item("obligations", "survey_completion").content[0]
    for channel in ("柜面", "网上", "单位排查", "重点入户"):  # L9 (3)
        assert channel in channels.name


def test_progress_is_reported_from_the_first_comparison_to_the_end_of_the_year(owed: list[Expected]) -> None:
    months = [row.period for row in owed if (row.item, row.organisation) == ("progress_report", "guanyun")]
    assert months == [f"2016-{month:02d}" for month in range(3, 13)]


# --- compare first, survey second (四（三）) ------------------------------------------------------------

A_RECORD = {
    "township": "qingkou", "village": "社区一", "age_years": 40, "birth_date": "1976-01-01", "sex": "F", "name": "甲",
    "has_card": True,
}
INSURED = {"employee_pension_active": True, "any_pension_active": True, "any_pension_enrolled": True,
           "any_medical_active": True, "pension_schemes_active": 1, "medical_schemes_active": 1}


def test_a_complete_record_is_confirmed_directly_and_on_no_list(judged: Verdict) -> None:
    assert judged.category(**A_RECORD, **INSURED) == "insured_employee"
    assert judged.lists(**A_RECORD, **INSURED) == set()  # L9 「直接确认参保登记,无需重新申报、重复采集信息」


def test_missing_information_is_a_survey_case_even_of_the_insured(judged: Verdict) -> None:
    for missing in ("township", "village", "birth_date", "sex", "name"):
        assert judged.lists(**{**A_RECORD, missing: None}, **INSURED) == {"survey_case"}
    assert judged.lists(**{**A_RECORD, "village": None}, **INSURED, address="海州湾路1号") == set()


def test_a_doubtful_identity_is_reviewed_and_nobody_is_visited_for_it(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD, needs_identity_review=True) == {"identity_review"}


def test_whoever_is_in_no_register_and_whoever_works_uninsured_are_found(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD) == {"uninsured"}  # L9 「未就业、未参保人群」
    assert judged.lists(**A_RECORD, is_employed=True) == {"employed_uninsured"}
    assert judged.lists(**A_RECORD, any_pension_enrolled=True) == {"interrupted"}


def test_a_permit_holder_is_a_person_of_this_place(judged: Verdict) -> None:
    assert judged.lists(**A_RECORD, is_permit_holder=True) == judged.lists(**A_RECORD)  # L2


def test_a_child_owes_medical_insurance_only(judged: Verdict) -> None:
    child = {**A_RECORD, "age_years": 15}
    assert judged.lists(**child, any_medical_active=True) == set()
    assert judged.lists(**child) == {"uninsured"}
    assert judged.lists(**{**child, "age_years": 16}, any_medical_active=True) == {"medical_without_pension"}


def test_each_office_helps_to_widen_its_own_scheme(judged: Verdict) -> None:
    assert judged.co_owners("medical_without_pension", **A_RECORD) == ["nongbao"]    # L16
    assert judged.co_owners("pension_without_medical", **A_RECORD) == ["yibao"]      # L15
    assert "zhengjiao" in judged.co_owners("employed_uninsured", **A_RECORD)         # L14


def test_a_double_enrolment_belongs_to_the_sorting_centre_and_the_schemes_concerned(judged: Verdict) -> None:
    twice = {**A_RECORD, **INSURED, "resident_pension_active": True, "pension_schemes_active": 2}
    assert judged.lists(**twice) == {"duplicate_enrolment"}  # L3, L9
    assert judged.lead("duplicate_enrolment", **twice) == "zhengjiao"
    assert judged.co_owners("duplicate_enrolment", **twice) == ["nongbao"]
    medical = {**A_RECORD, **INSURED, "medical_schemes_active": 2}
    assert judged.lead("duplicate_enrolment", **medical) == "yibao"


def test_a_duplicate_goes_only_after_review_and_confirmation(plan: Plan) -> None:
    duplicates = plan.item("lists", "duplicate_enrolment")
    assert "复审" in duplicates.closes_when                                           # L9 「经复审、确认后」
    assert "确认" in duplicates.closes_when
    assert plan.approval.prepared_by != plan.approval.approved_by


def test_the_dead_are_checked_by_the_office_that_pays(judged: Verdict) -> None:
    paid = {**A_RECORD, "is_deceased": True, "is_drawing_benefit": True}
    assert judged.lists(**paid) == {"deceased_enrolled"}
    assert judged.lead("deceased_enrolled", **paid, benefit_scheme="resident_pension") == "nongbao"
    assert judged.lead("deceased_enrolled", **paid, benefit_scheme="institution_pension") == "jibao"
    assert judged.lead("deceased_enrolled", **paid, benefit_scheme="employee_pension") == "shebao"


def test_only_traders_with_employees_are_units_to_register(judged: Verdict) -> None:
    open_for_business = {"is_operating": True, "township": "xinan"}
    assert not judged.holds("uninsured_employer", **open_for_business, kind="individual")  # L1 有雇工的个体经济组织
    assert judged.holds("uninsured_employer", **open_for_business, kind="individual", employed_persons=1)
    for kind in ("government", "enterprise", "institution", "social_organisation"):
        assert judged.holds("uninsured_employer", **open_for_business, kind=kind)


def test_whoever_has_no_card_is_asked_to_apply(judged: Verdict) -> None:
    assert judged.lists(**{**A_RECORD, **INSURED, "has_card": False}) == {"no_card"}


def test_voluntary_schemes_are_annotated_with_a_reason_and_kept_in_a_ledger(plan: Plan) -> None:
    annotated = plan.item("dispositions", "voluntary_annotated")
    assert (annotated.excuses, annotated.claims, annotated.needs_note) == (True, False, True)  # L9 (3) 标注
    assert plan.item("ledgers", "voluntary_annotated").only_excused


# --- acceptance and privacy -----------------------------------------------------------------------------


def test_the_three_nothing_missed_are_judged_by_people(plan: Plan) -> None:
    judged_items = {item.name: item.judged_by for item in plan.acceptance.items if item.judged_by}
    assert {"查不漏户", "户不漏人", "人不漏项"} <= set(judged_items)  # L10
    assert judged_items["建库质量"] == "guihua"                       # L17 保证工作质量
    assert sum(item.weight for item in plan.acceptance.items) == 100


def test_the_final_result_waits_for_the_registers_that_confirm_the_survey(plan: Plan, owed: list[Expected]) -> None:
    last = next(row for row in owed if (row.item, row.period) == ("feed:population", plan.acceptance.final_period))
    assert last.period_ends > plan.item("phases", "survey").ends
    assert last.effective < plan.acceptance.final_on


def test_what_was_collected_serves_this_plan_alone(plan: Plan) -> None:
    assert "不得提供给任何单位和个人" in plan.purpose  # L20
    bound = {unit.kind for unit in plan.select(plan.item("duties", "confidentiality").who)}
    assert bound == {"agency", "department", "county", "township"}
    assert any("不得提供给任何单位和个人" in entry.source for entry in plan.not_built)


def test_rosters_and_originals_are_gone_within_half_a_year(plan: Plan) -> None:
    kept = {entry.what: entry.keep_days for entry in plan.retention}
    assert max(kept["originals"], kept["snapshots"], kept["rosters"], kept["quarantine"]) <= 183  # L20
