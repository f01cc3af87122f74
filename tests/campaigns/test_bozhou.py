"""博州 2018–2020: the plan against the notice's own percentages, dates and owners, each worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from comparison.plan_check import check
from models.plan import Plan, Target
from models.plan_file import find, read
from rules.calendar import WorkCalendar
from rules.deadlines import Expected, expected
from rules.ladder import rungs

SHANGHAI = ZoneInfo("Asia/Shanghai")
Verdict = Any
"""The judge of ``conftest.py``, which pytest loads under a name of its own."""
COUNTIES = ("bole", "alashankou", "jinghe", "wenquan")
ZONES = ("sailimu", "wutai")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read(find("bozhou-2018")).plan


@pytest.fixture(scope="module")
def owed(plan: Plan) -> list[Expected]:
    return expected(plan)


@pytest.fixture(scope="module")
def judged(plan: Plan, verdict: Callable[[Plan], Verdict]) -> Verdict:
    return verdict(plan)


def target(plan: Plan, key: str) -> Target:
    found: Target = plan.item("targets", key)
    return found


def of(owed: list[Expected], item: str, organisation: str) -> list[Expected]:
    return [row for row in owed if (row.item, row.organisation) == (item, organisation)]


def who_owes(owed: list[Expected], item: str, period: str) -> list[str]:
    return [row.organisation for row in owed if (row.item, row.period) == (item, period)]


def test_the_plan_is_sound_and_leaves_nothing_to_remark() -> None:
    report = check(find("bozhou-2018"))
    assert (report.faults, report.notes) == ([], [])


# --- targets (二、工作目标) -----------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "percent", "measured_on"), [
    ("medical_2018", 92, date(2018, 12, 31)),   # B2 常住人口的92%
    ("pension_2018", 90, date(2018, 12, 31)),   # B2 从业人员的90%
    ("medical_2019", 94, date(2019, 12, 31)),   # B3
    ("pension_2019", 93, date(2019, 12, 31)),   # B3
])
def test_medical_and_pension_rise_by_year(plan: Plan, key: str, percent: int, measured_on: date) -> None:
    goal = target(plan, key)
    assert goal.level == {"gov": percent} | dict.fromkeys(COUNTIES, percent)
    assert goal.measured_on == measured_on


def test_every_one_of_the_five_schemes_is_to_reach_ninety_five_percent_in_2020(plan: Plan) -> None:
    last = [goal for goal in plan.targets if goal.measured_on.year == 2020]  # B1, B4 「各险种参保率达到95%以上」
    assert {goal.indicator for goal in last} == {
        "medical_rate", "pension_rate", "unemployment_rate", "work_injury_rate", "maternity_rate",
    }
    assert {level for goal in last for level in goal.level.values()} == {95}
    assert len({goal.measured_on for goal in last}) == 1, "one measuring date, however ambiguous (B13)"


def test_rates_divide_by_the_published_figures_the_notice_names(plan: Plan) -> None:
    assert plan.item("indicators", "medical_rate").denominator.statistic == "resident_population"  # B2 常住人口
    assert plan.item("indicators", "pension_rate").denominator.statistic == "employed_persons"     # B2 从业人员
    assert plan.item("feeds", "statistics").providers == ("tongji",)                               # B42


# --- phases (四、工作步骤) ------------------------------------------------------------------------------


def test_the_three_phases_have_the_days_of_the_notice(plan: Plan) -> None:
    days = {phase.id: (phase.starts, phase.ends) for phase in plan.phases}
    assert days["preparation"][1] == date(2018, 9, 15)                         # B9
    assert days["contribution"] == (date(2018, 9, 16), date(2020, 9, 30))      # B10
    assert days["acceptance"] == (date(2020, 10, 1), date(2020, 12, 31))       # B11
    assert days["self_assessment"][1] == date(2020, 9, 30)                     # B10 (3)


def test_the_three_tasks_of_the_implementation_end_when_the_notice_says(plan: Plan) -> None:
    steps = plan.item("phases", "contribution").steps
    assert [step.ends for step in steps] == [date(2018, 12, 31), date(2019, 12, 31), date(2020, 9, 30)]


def test_comparison_runs_beside_the_first_task(plan: Plan) -> None:
    comparison, whole = plan.item("phases", "comparison"), plan.item("phases", "contribution")
    assert whole.starts <= comparison.starts < comparison.ends <= whole.steps[0].ends


# --- deadlines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "organisation", "nominal", "effective"), [
    ("notice_acknowledgement", "bole", date(2018, 9, 15), date(2018, 9, 17)),      # a Saturday
    ("county_plan", "bole", date(2018, 9, 30), date(2018, 9, 30)),                 # a make-up workday Sunday
    ("launch_meeting_record", "wutai", date(2018, 9, 30), date(2018, 9, 30)),
    ("yearly_evaluation", "jinghe", date(2018, 12, 31), date(2019, 1, 2)),         # the New Year holiday
    ("department_yearly", "canlian", date(2018, 12, 31), date(2019, 1, 2)),
    ("self_assessment", "wenquan", date(2020, 9, 30), date(2020, 9, 30)),          # a Wednesday
    ("acceptance_report", "office", date(2020, 12, 31), date(2020, 12, 31)),       # a Thursday
])
def test_a_day_of_the_notice_becomes_the_workday_that_counts(
    owed: list[Expected], item: str, organisation: str, nominal: date, effective: date
) -> None:
    first = of(owed, item, organisation)[0]
    assert (first.nominal, first.effective) == (nominal, effective)


def test_a_county_plan_is_on_time_until_the_end_of_the_make_up_sunday(owed: list[Expected]) -> None:
    [row] = of(owed, "county_plan", "alashankou")
    assert row.due_before == datetime(2018, 10, 1, 0, 0, tzinfo=SHANGHAI)


def test_the_four_counties_and_the_two_units_outside_them_report(owed: list[Expected]) -> None:
    for item in ("county_plan", "progress_report", "core_table", "yearly_evaluation", "self_assessment"):
        assert {row.organisation for row in owed if row.item == item} == {*COUNTIES, *ZONES}  # B12, B32, B44


def test_progress_is_reported_every_month_and_the_core_table_every_quarter(owed: list[Expected]) -> None:
    months = [row.period for row in of(owed, "progress_report", "bole")]
    assert (months[0], months[-1], len(months)) == ("2018-09", "2020-11", 27)  # B32, the frequency is a choice
    quarters = [row.period for row in of(owed, "core_table", "bole")]
    assert (quarters[0], quarters[-1], len(quarters)) == ("2018-Q3", "2020-Q3", 9)


def test_the_first_progress_report_comes_after_the_first_registers(owed: list[Expected]) -> None:
    report, register = of(owed, "progress_report", "bole")[0], of(owed, "feed:population", "gongan")[0]
    assert register.effective == date(2018, 10, 10)
    assert report.effective == date(2018, 10, 15)


def test_the_self_assessment_asks_for_causes_below_the_target(plan: Plan) -> None:
    parts = [part.name for part in plan.item("obligations", "self_assessment").content if part.required]
    assert "低于95%的原因分析" in parts   # B10 (3) 「对参保率低于95%的,深入分析并查找原因」
    assert "查缺补漏措施" in parts


def test_the_result_is_published_to_all_and_copied_to_the_inspection_office(plan: Plan, owed: list[Expected]) -> None:
    informed = {unit.code for unit in plan.select(plan.item("bulletins", "acceptance_bulletin").to)}
    assert {*COUNTIES, *ZONES, "duchashi"} <= informed  # B11
    assert "duchashi" not in {row.organisation for row in owed}


def test_the_ladder_of_a_county_plan_passes_over_the_national_day_holiday(plan: Plan) -> None:
    steps = rungs(plan.item("ladders", "report_ladder"), date(2018, 9, 30), WorkCalendar(plan.calendar), SHANGHAI)
    assert [(rung.step_id, rung.planned_at.date()) for rung in steps] == [
        ("remind_before", date(2018, 9, 27)),          # 09-29 and 09-30 are make-up workdays
        ("remind_due_day", date(2018, 9, 30)),
        ("overdue", date(2018, 10, 8)),
        ("escalate", date(2018, 10, 10)),
        ("name_in_bulletin", date(2018, 10, 12)),
        ("supervision_candidate", date(2018, 10, 19)),
    ]


# --- who delivers, and who succeeds (三（一）, 五（二）) ------------------------------------------------


def test_ten_of_the_eleven_departments_deliver_and_the_eleventh_is_a_member(plan: Plan) -> None:
    named = {  # B16
        "fupin", "canlian", "shuiwu", "gongan", "sifa", "tongji", "zhujian", "gongshang", "jiaoyu", "weiji", "minzheng",
    }
    providers = {code for feed in plan.feeds for code in feed.providers}
    assert named - providers == {"sifa"}, "the notice names no data of 司法"
    assert plan.organisation("sifa").kind == "department"


@pytest.mark.parametrize(("feed", "until_2018", "from_2019"), [
    ("employers", "gongshang", "shichang"),
    ("newborns", "weiji", "weijian"),
    ("resident_medical", "yibao_agency", "yibao"),
])
def test_after_the_reform_the_successor_owes_the_file(
    owed: list[Expected], feed: str, until_2018: str, from_2019: str
) -> None:
    assert who_owes(owed, f"feed:{feed}", "2018-12") == [until_2018]  # B36
    assert who_owes(owed, f"feed:{feed}", "2019-01") == [from_2019]
    assert len([row for row in owed if row.item == f"feed:{feed}"]) == 27, "no month without, none with two"


def test_deaths_come_from_civil_affairs_and_from_health_before_and_after(owed: list[Expected]) -> None:
    assert who_owes(owed, "feed:deaths", "2018-12") == ["minzheng", "weiji"]  # B40
    assert who_owes(owed, "feed:deaths", "2019-01") == ["minzheng", "weijian"]


def test_the_poverty_office_stays_through_the_reform(plan: Plan) -> None:
    assert plan.organisation("fupin").valid_to is None


def test_the_department_report_of_2018_is_still_the_old_bureaus_and_then_the_new_ones(owed: list[Expected]) -> None:
    assert [row.period for row in of(owed, "department_yearly", "gongshang")] == ["2018"]
    assert [row.period for row in of(owed, "department_yearly", "shichang")] == ["2019", "2020"]


def test_leading_group_and_coordination_group_are_one_body(plan: Plan) -> None:
    groups = [unit for unit in plan.organisations if unit.kind == "leading_group"]  # B30
    assert len(groups) == 1
    assert {"协调小组", "领导小组"} <= set(groups[0].aliases)
    assert plan.organisation("office").parent == groups[0].code


def test_counties_carry_their_codes_and_their_townships(plan: Plan) -> None:
    assert [plan.organisation(code).region_code for code in COUNTIES] == ["652701", "652702", "652722", "652723"]
    townships = [unit for unit in plan.organisations if unit.kind == "township"]
    assert {unit.parent for unit in townships} == set(COUNTIES)


# --- 分类施策 (三（四）) --------------------------------------------------------------------------------

ADULT = {"age_years": 40, "township": "tuoli", "hukou_type": "rural", "has_card": True}
IN_BOTH = {"any_pension_active": True, "any_pension_enrolled": True, "any_medical_active": True}


def test_a_rural_disabled_student_is_led_by_education_with_the_others_beside_it(judged: Verdict) -> None:
    facts = {**ADULT, "age_years": 17, "is_student": True, "is_disabled": True}
    assert judged.lists(**facts) == {"student_uninsured"}                          # B19, B24
    assert judged.lead("student_uninsured", **facts) == "jiaoyu"
    assert judged.co_owners("student_uninsured", **facts) == ["canlian", "tuoli"]


@pytest.mark.parametrize(("flags", "lead", "others"), [
    ({"is_poor": True}, "fupin", []),
    ({"is_hardship": True}, "minzheng", []),
    ({"is_disabled": True}, "canlian", []),
    ({"is_poor": True, "is_hardship": True}, "fupin", ["minzheng"]),
    ({"is_hardship": True, "is_disabled": True}, "minzheng", ["canlian"]),
    ({"is_poor": True, "is_hardship": True, "is_disabled": True}, "fupin", ["minzheng", "canlian"]),
])
def test_hardship_has_one_lead_in_the_texts_order_and_the_rest_help(
    judged: Verdict, flags: dict[str, bool], lead: str, others: list[str]
) -> None:
    facts = {**ADULT, **flags}
    assert judged.lists(**facts) == {"hardship_uninsured"}  # B23, B24
    assert judged.lead("hardship_uninsured", **facts) == lead
    assert judged.co_owners("hardship_uninsured", **facts) == [*others, "tuoli"]


def test_the_rural_belong_to_the_township_of_their_hukou_and_the_urban_to_their_street(judged: Verdict) -> None:
    assert judged.category(**ADULT) == "uninsured_rural"                                       # B21, B25
    urban = {**ADULT, "hukou_type": "urban", "township": "gulimutu"}
    assert judged.category(**urban) == "uninsured_urban"                                       # B20, B25
    assert judged.lists(**ADULT) == judged.lists(**urban) == {"uninsured"}
    assert judged.lead("uninsured", **ADULT) == "tuoli"
    assert judged.lead("uninsured", **urban) == "gulimutu"


def test_sixty_without_benefit_and_without_a_card_belong_to_human_resources(judged: Verdict) -> None:
    at_59, at_60 = {**ADULT, **IN_BOTH, "age_years": 59}, {**ADULT, **IN_BOTH, "age_years": 60}
    assert judged.lists(**at_59) == set()
    assert judged.lists(**at_60) == {"sixty_plus_without_benefit"}                             # B22
    assert judged.lists(**at_60, is_drawing_benefit=True) == set()
    assert judged.lists(**{**ADULT, **IN_BOTH, "has_card": False}) == {"no_card"}              # B22
    assert judged.lead("sixty_plus_without_benefit", **at_60) == judged.lead("no_card", **ADULT) == "renshe"


def test_sixty_and_still_paying_as_an_employee_draws_nothing_yet(judged: Verdict) -> None:
    assert judged.lists(**{**ADULT, **IN_BOTH, "age_years": 60}, employee_pension_active=True) == set()


def test_an_uninsured_employer_belongs_to_human_resources_with_the_inspecting_offices(judged: Verdict) -> None:
    firm = {"is_operating": True, "kind": "enterprise", "employed_persons": 3, "is_taxed": True, "township": "dalete"}
    assert judged.holds("uninsured_employer", **firm)                                          # B22, B28
    assert not judged.holds("uninsured_employer", **firm, is_insured=True)
    assert judged.lead("uninsured_employer", **firm) == "renshe"
    assert judged.co_owners("uninsured_employer", **firm) == ["shuiwu", "gongshang", "dalete"]


def test_an_employee_without_pension_is_the_employers_case(judged: Verdict) -> None:
    facts = {**ADULT, "is_employed": True, "any_medical_active": True, "employer_township": "jinghe_zhen"}
    assert judged.lists(**facts) == {"employed_uninsured"}
    assert judged.lead("employed_uninsured", **facts) == "renshe"
    assert judged.co_owners("employed_uninsured", **facts) == ["jinghe_zhen", "tuoli"]


@pytest.mark.parametrize("facts", [
    {}, {"is_student": True, "age_years": 17}, {"is_poor": True}, {"is_employed": True}, {"hukou_type": "urban"},
    {"any_medical_active": True}, {"any_pension_enrolled": True}, {"age_years": 0, "is_newborn": True},
    {"age_years": 8}, {"needs_identity_review": True}, {"is_permit_holder": True, "hukou_type": None},
    {"age_years": 70}, {"age_years": 70, "is_disabled": True},
])
def test_everybody_who_lacks_a_scheme_is_on_exactly_one_list_for_it(judged: Verdict, facts: dict[str, Any]) -> None:
    leading_lists = {
        "student_uninsured", "hardship_uninsured", "employed_uninsured", "uninsured", "newborn_uninsured",
        "medical_without_pension", "pension_without_medical", "residence_permit_not_enrolled", "identity_review",
    }
    assert len(judged.lists(**{**ADULT, **facts}) & leading_lists) == 1  # B24 「不落一企一户一人」


# --- 双联动 and the two ledgers -------------------------------------------------------------------------


def test_medical_asks_for_pension_and_pension_for_medical(judged: Verdict) -> None:
    assert judged.lists(**ADULT, any_medical_active=True) == {"medical_without_pension"}       # B26
    assert judged.lists(**ADULT, any_pension_active=True, any_pension_enrolled=True) == {"pension_without_medical"}
    assert judged.lists(**ADULT, **IN_BOTH) == set()


def test_a_child_and_a_student_with_medical_insurance_owe_nothing(judged: Verdict) -> None:
    assert judged.lists(**{**ADULT, "age_years": 15}, any_medical_active=True) == set()
    assert judged.lists(**{**ADULT, "age_years": 16}, any_medical_active=True) == {"medical_without_pension"}
    assert judged.lists(**{**ADULT, "age_years": 19}, any_medical_active=True, is_student=True) == set()


def test_two_schemes_of_a_kind_are_listed_as_double(judged: Verdict) -> None:
    both = {**ADULT, **IN_BOTH}
    assert judged.lists(**both, pension_schemes_active=2, medical_schemes_active=1) == {"duplicate_enrolment"}
    assert judged.lists(**both, pension_schemes_active=1, medical_schemes_active=2) == {"duplicate_enrolment"}
    assert judged.lists(**both, pension_schemes_active=1, medical_schemes_active=1) == set()


@pytest.mark.parametrize("facts", [
    {}, IN_BOTH, {"any_medical_active": True}, {"any_pension_enrolled": True}, {"is_drawing_benefit": True},
    {"is_student": True, "age_years": 17}, {"is_employed": True}, {"is_disabled": True}, {"age_years": 65},
])
def test_a_permit_holder_stands_in_exactly_one_of_the_two_ledgers(judged: Verdict, facts: dict[str, Any]) -> None:
    two = {"residence_permit_enrolled", "residence_permit_not_enrolled"}  # B14
    holder = {**ADULT, "is_permit_holder": True, "hukou_type": None, **facts}
    assert len(judged.lists(**holder) & two) == 1
    assert not judged.lists(**{**holder, "is_permit_holder": False}) & two


def test_a_permit_holder_keeps_one_lead_on_both_lists(judged: Verdict) -> None:
    pupil = {**ADULT, "is_permit_holder": True, "hukou_type": None, "age_years": 17, "is_student": True}
    pupil["category"] = judged.category(**pupil)
    assert judged.lead("residence_permit_not_enrolled", **pupil) == judged.lead("student_uninsured", **pupil)


def test_a_newborn_is_the_townships_with_the_health_commission_beside_it(judged: Verdict) -> None:
    baby = {**ADULT, "age_years": 0, "is_newborn": True, "has_card": False}
    assert judged.lists(**baby) == {"newborn_uninsured"}  # B40
    assert judged.co_owners("newborn_uninsured", **baby) == ["weiji"]


def test_the_dead_and_those_who_left_are_asked_nothing(judged: Verdict) -> None:
    assert judged.lists(**ADULT, **IN_BOTH, is_deceased=True) == {"deceased_enrolled"}
    assert judged.lists(**ADULT, is_deceased=True) == set()
    assert judged.lists(**ADULT, is_gone=True) == set()


def test_a_project_without_cover_is_led_by_human_resources_with_construction_beside_it(judged: Verdict) -> None:
    project = {"is_new": True, "township": "dalete"}
    assert judged.holds("project_uninsured", **project)                    # B42 同舟计划
    assert judged.lead("project_uninsured", **project) == "renshe"
    assert judged.co_owners("project_uninsured", **project) == ["zhujian", "dalete"]


def test_whatever_takes_a_person_off_a_list_needs_a_written_reason(plan: Plan) -> None:
    excuses = [entry for entry in plan.dispositions if entry.excuses]
    assert excuses
    assert all(entry.needs_note for entry in excuses)                      # B15 「精确标识原因」
    assert plan.item("ledgers", "not_enrollable").only_excused


# --- a person decides -----------------------------------------------------------------------------------


def test_special_supervision_is_only_proposed_to_the_head_of_the_office(plan: Plan) -> None:
    candidates = [step for ladder in plan.ladders for step in ladder.steps if step.kind == "candidate"]
    assert [[(post.org, post.role) for post in step.to] for step in candidates] == [[("office", "leader")]]  # B33
    assert plan.acceptance.candidates.decided_by == "leading_group"


def test_biometrics_and_movements_are_refused_and_no_planning_status_is_read(plan: Plan) -> None:
    refused = " ".join(entry.source for entry in plan.not_built)
    assert "活动轨迹" in refused                                           # B41
    assert "计划生育特殊家庭" in refused
    assert plan.acceptance.items
    assert sum(item.weight for item in plan.acceptance.items) == 100
