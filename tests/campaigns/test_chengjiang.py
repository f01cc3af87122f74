"""澄江 2021: the plan against the notice's own numbers and dates, each worked out by hand from the text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.plan import Plan, Target
from models.plan_file import find, read
from rules.calendar import WorkCalendar
from rules.deadlines import Expected, expected
from rules.ladder import rungs

SHANGHAI = ZoneInfo("Asia/Shanghai")
Verdict = Any
"""The judge of ``conftest.py``, which pytest loads under a name of its own."""
TOWNSHIPS = ("fenglu", "longjie", "youshuo", "haikou", "jiucun", "luju")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read(find("chengjiang-2021")).plan


@pytest.fixture(scope="module")
def owed(plan: Plan) -> list[Expected]:
    return expected(plan)


def target(plan: Plan, key: str) -> Target:
    found: Target = plan.item("targets", key)
    return found


def of(owed: list[Expected], item: str, organisation: str) -> list[Expected]:
    return [row for row in owed if (row.item, row.organisation) == (item, organisation)]


# --- targets (三、目标任务) -----------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "level", "increase", "base"), [
    ("employee_pension", 17900, 5525, 12375),   # C1 新增0.5525万人,达1.79万人
    ("unemployment", 11150, 349, 10801),        # C2 新增0.0349万人,达1.115万人
    ("work_injury", 23800, 396, 23404),         # C3 新增0.0396万人,达2.38万人
    ("average_payment_city", 330, 107, 223),    # C6 由223元提高至330元
])
def test_stated_level_and_increase_give_the_derived_base(
    plan: Plan, key: str, level: int, increase: int, base: int
) -> None:
    goal = target(plan, key)
    assert (goal.level, goal.increase, goal.derived_base) == ({"gov": level}, {"gov": increase}, {"gov": base})


@pytest.mark.parametrize(("key", "unit"), [("project_work_injury", "percent"), ("dust_workers", "percent")])
def test_both_rates_are_to_reach_ninety_percent(plan: Plan, key: str, unit: str) -> None:
    assert target(plan, key).level == {"gov": 90}  # C4, C5 「90%以上」
    assert plan.item("indicators", target(plan, key).indicator).unit == unit


def test_projects_are_counted_by_project_and_dust_by_worker(plan: Plan) -> None:
    projects = plan.item("indicators", "project_work_injury_rate")
    dust = plan.item("indicators", "dust_worker_coverage")
    assert (projects.numerator.of, projects.numerator.sum) == ("project", None)
    assert (dust.numerator.sum, dust.denominator.sum) == ("dust_insured_workers", "exposed_workers")


def test_resident_pension_participants_by_township(plan: Plan) -> None:
    goal = target(plan, "resident_enrolled")  # C8
    assert [goal.level[code] for code in TOWNSHIPS] == [6550, 36000, 22050, 13550, 7950, 20700]
    assert goal.stated_total is None, "the notice states no city total"
    assert goal.derived_total == sum(goal.level.values()) == 106_800


def test_conversions_by_township_add_up_to_the_stated_eight_hundred(plan: Plan) -> None:
    goal = target(plan, "conversions_township")  # C9
    assert [goal.level[code] for code in TOWNSHIPS] == [250, 250, 100, 50, 50, 100]
    assert goal.stated_total == sum(goal.level.values()) == target(plan, "conversions_city").level["gov"] == 800  # C7


def test_average_payment_by_township_is_three_hundred_and_thirty_but_in_fenglu(plan: Plan) -> None:
    goal = target(plan, "average_payment_township")  # C10
    assert [goal.level[code] for code in TOWNSHIPS] == [350, 330, 330, 330, 330, 330]


def test_the_weighted_average_payment_is_kept_apart_from_the_stated_one(plan: Plan) -> None:
    payment, people = target(plan, "average_payment_township"), target(plan, "resident_enrolled").level
    weighted = sum(payment.level[code] * people[code] for code in TOWNSHIPS) / sum(people.values())
    assert round(weighted, 2) == payment.derived_total == 331.23
    assert payment.stated_total == 330


def test_every_target_is_measured_at_the_end_of_2021(plan: Plan) -> None:
    assert {goal.measured_on for goal in plan.targets} == {date(2021, 12, 31)}


# --- phases (四、主要内容) ------------------------------------------------------------------------------


def test_the_four_phases_have_the_days_of_the_notice(plan: Plan) -> None:
    assert [(phase.kind, phase.starts, phase.ends) for phase in plan.phases] == [
        ("mobilisation", date(2021, 3, 18), date(2021, 5, 31)),   # C12
        ("comparison", date(2021, 3, 18), date(2021, 5, 31)),     # C13
        ("contribution", date(2021, 6, 1), date(2021, 10, 31)),   # C14
        ("acceptance", date(2021, 11, 1), date(2021, 12, 31)),    # C15
    ]
    assert (plan.ends - plan.starts).days + 1 == 289


def test_the_five_lists_of_the_notice_are_in_the_plan(plan: Plan) -> None:
    assert {"uninsured_employer", "employed_uninsured", "uninsured", "interrupted", "dust_hazard_uninsured"} <= {
        listed.id for listed in plan.lists
    }


# --- reports (五（三）) ---------------------------------------------------------------------------------


def test_monthly_reports_have_eight_dates_from_may_to_december(owed: list[Expected]) -> None:
    rows = of(owed, "monthly_report", "fenglu")  # C20 「2021年5月—12月期间,于每月2日前」
    assert [row.nominal for row in rows] == [date(2021, month, 2) for month in range(5, 13)]
    assert [row.period for row in rows] == [f"2021-{month:02d}" for month in range(4, 12)]


def test_reports_due_on_a_day_off_move_to_the_next_workday(owed: list[Expected]) -> None:
    effective = [row.effective for row in of(owed, "monthly_report", "fenglu")]
    assert effective == [
        date(2021, 5, 6),    # 05-02 in the May holiday
        date(2021, 6, 2),
        date(2021, 7, 2),
        date(2021, 8, 2),
        date(2021, 9, 2),
        date(2021, 10, 8),   # 10-02 in the National Day holiday
        date(2021, 11, 2),
        date(2021, 12, 2),
    ]


def test_the_second_of_the_month_itself_is_still_on_time(owed: list[Expected]) -> None:
    june = of(owed, "monthly_report", "luju")[1]
    assert june.due_before == datetime(2021, 6, 3, 0, 0, tzinfo=SHANGHAI)


def test_fifteen_departments_and_six_townships_report_to_the_office(owed: list[Expected]) -> None:
    rows = [row for row in owed if row.item == "monthly_report"]
    assert len({row.organisation for row in rows}) == 15 + 6
    assert len(rows) == 21 * 8
    assert {row.to for row in rows} == {"office"}


def test_the_monthly_report_has_the_three_parts_of_the_notice(plan: Plan) -> None:
    parts = plan.item("obligations", "monthly_report").content
    assert [part.name for part in parts] == ["工作进展情况", "存在问题", "对策措施"]
    assert all(part.required for part in parts)


def test_the_written_summary_moves_from_sunday_to_monday(owed: list[Expected]) -> None:
    [summary] = of(owed, "written_summary", "renshe")  # C15 「于2021年12月5日前」
    assert (summary.nominal, summary.effective) == (date(2021, 12, 5), date(2021, 12, 6))


def test_the_yearly_account_moves_out_of_the_new_year_holiday(owed: list[Expected]) -> None:
    [account] = of(owed, "year_end_account", "haikou")  # C19 「年交账」
    assert (account.nominal, account.effective) == (date(2022, 1, 2), date(2022, 1, 4))


def test_the_office_supervises_three_times_once_a_quarter(owed: list[Expected]) -> None:
    rows = of(owed, "quarterly_supervision", "office")  # C19 「季督导」
    assert [row.nominal for row in rows] == [date(2021, 7, 10), date(2021, 10, 10), date(2022, 1, 10)]
    assert rows[0].effective == date(2021, 7, 12), "07-10 is a Saturday"
    assert rows[1].effective == date(2021, 10, 11), "10-10 is a Sunday; the make-up day was 10-09"


def test_construction_projects_come_from_three_departments(plan: Plan, owed: list[Expected]) -> None:
    assert plan.item("feeds", "construction_projects").providers == ("zhujian", "jiaotong", "shuili")  # C17
    assert len([row for row in owed if row.item == "feed:construction_projects" and row.period == "2021-05"]) == 3


def test_the_ladder_for_the_june_report_by_hand(plan: Plan) -> None:
    ladder = plan.item("ladders", "report_ladder")
    steps = rungs(ladder, date(2021, 6, 2), WorkCalendar(plan.calendar), SHANGHAI)
    assert [(rung.step_id, rung.planned_at.date()) for rung in steps] == [
        ("remind_before", date(2021, 5, 28)),           # Friday; 05-31, 06-01 lie between
        ("remind_due_day", date(2021, 6, 2)),
        ("overdue", date(2021, 6, 3)),
        ("escalate", date(2021, 6, 7)),
        ("name_in_bulletin", date(2021, 6, 9)),
        ("supervision_candidate", date(2021, 6, 17)),   # 06-14 is the Dragon Boat holiday
    ]
    assert {rung.planned_at.hour for rung in steps} == {9}


# --- a person decides (五（四）) ------------------------------------------------------------------------


def test_a_candidate_is_only_laid_before_the_head_of_the_office(plan: Plan) -> None:
    candidates = [step for ladder in plan.ladders for step in ladder.steps if step.kind == "candidate"]
    assert [[(post.org, post.role) for post in step.to] for step in candidates] == [[("office", "leader")]]
    assert plan.acceptance.candidates.decided_by == "leading_group"  # C23


def test_lists_that_accuse_are_marked_so(plan: Plan) -> None:
    assert {listed.id for listed in plan.lists if listed.accusing} == {
        "uninsured_employer", "dust_hazard_uninsured", "deceased_enrolled",
    }


def test_the_acceptance_weights_make_a_hundred(plan: Plan) -> None:
    assert sum(item.weight for item in plan.acceptance.items) == 100


def test_numbers_of_the_former_county_are_at_home_here(plan: Plan) -> None:
    assert (plan.region.code, plan.region.former_codes) == ("530481", ("530422",))  # C24


# --- categories and lists -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged(plan: Plan, verdict: Callable[[Plan], Verdict]) -> Verdict:
    return verdict(plan)


def test_sixteenth_birthday_brings_a_person_into_scope(judged: Verdict) -> None:
    assert judged.category(age_years=15) == "under_age"
    assert judged.category(age_years=16) == "uninsured"


def test_a_gap_of_two_months_is_no_interruption_and_three_are(judged: Verdict) -> None:
    enrolled = {"age_years": 40, "any_pension_enrolled": True}
    assert judged.category(**enrolled, pension_months_unpaid=2) == "paying_pause"
    assert judged.category(**enrolled, pension_months_unpaid=3) == "interrupted"
    assert judged.category(**enrolled) == "interrupted", "enrolled and no payment known"


def test_an_employee_whose_payments_stopped_is_the_employers_case(judged: Verdict) -> None:
    assert judged.category(age_years=40, any_pension_enrolled=True, pension_months_unpaid=9, is_employed=True) == (
        "employed_uninsured"
    )


def test_the_dead_are_nobodys_uninsured_even_if_still_insured(judged: Verdict) -> None:
    facts = {"age_years": 70, "is_deceased": True, "is_drawing_benefit": True}
    assert judged.category(**facts) == "deceased"
    assert judged.lists(**facts) == {"deceased_enrolled"}


def test_a_student_of_sixteen_is_on_no_list(judged: Verdict) -> None:
    assert judged.lists(age_years=16, is_student=True) == set()


def test_whoever_draws_a_pension_is_insured(judged: Verdict) -> None:
    pensioner = {"age_years": 66, "is_drawing_benefit": True, "benefit_scheme": "resident_pension"}
    assert judged.category(**pensioner) == "drawing_benefit"
    assert judged.lists(**pensioner) == set()


def test_sixty_without_benefit_is_a_list_of_its_own(judged: Verdict) -> None:
    assert judged.lists(age_years=59) == {"uninsured"}
    assert judged.lists(age_years=60) == {"sixty_plus_without_benefit"}


def test_a_doubtful_match_goes_to_review_and_not_to_the_township(judged: Verdict) -> None:
    assert judged.lists(age_years=30, needs_identity_review=True) == {"identity_review"}


def test_two_pensions_at_once_are_one_category_and_one_list(judged: Verdict) -> None:
    facts = {"age_years": 40, "employee_pension_active": True, "resident_pension_active": True,
             "any_pension_active": True, "pension_schemes_active": 2}
    assert judged.category(**facts) == "insured_both"
    assert judged.lists(**facts) == {"duplicate_enrolment"}


def test_a_low_tier_payer_is_asked_unless_poor_low_income_or_disabled(judged: Verdict) -> None:
    payer = {"age_years": 40, "sex": "F", "resident_pension_active": True, "resident_pension_tier_yuan": 200}
    assert judged.lists(**payer) == {"low_tier_payer"}
    assert judged.lists(**{**payer, "resident_pension_tier_yuan": 300}) == set()
    for spared in ("is_poor", "is_hardship", "is_disabled"):
        assert judged.lists(**payer, **{spared: True}) == set()


def test_conversion_is_offered_to_women_below_fifty_five_and_men_below_sixty(judged: Verdict) -> None:
    payer = {"resident_pension_active": True, "resident_pension_tier_yuan": 2000}
    assert judged.lists(**payer, sex="F", age_years=54) == {"conversion_candidate"}
    assert judged.lists(**payer, sex="F", age_years=55) == set()
    assert judged.lists(**payer, sex="M", age_years=59) == {"conversion_candidate"}
    assert judged.lists(**payer, sex="M", age_years=60) == set()


def test_a_trader_without_employees_is_no_uninsured_employer(judged: Verdict) -> None:
    taxed = {"is_operating": True, "is_taxed": True, "months_since_taxed": 1}
    assert not judged.holds("uninsured_employer", **taxed, kind="individual")
    assert judged.holds("uninsured_employer", **taxed, kind="individual", employed_persons=1)
    assert judged.holds("uninsured_employer", **taxed, kind="enterprise")
    assert not judged.holds("uninsured_employer", **taxed, kind="enterprise", is_insured=True)


def test_tax_leads_on_employers_taxed_within_three_months(judged: Verdict) -> None:
    taxed = {"is_taxed": True, "township": "luju"}
    assert judged.lead("uninsured_employer", **taxed, months_since_taxed=3) == "shuiwu"  # C17
    assert judged.lead("uninsured_employer", **taxed, months_since_taxed=4) == "luju"
    assert judged.co_owners("uninsured_employer", **taxed, months_since_taxed=3) == ["luju", "renshe"]


def test_the_township_leads_on_an_uninsured_person_and_the_naming_department_helps(judged: Verdict) -> None:
    facts = {"township": "jiucun", "is_disabled": True, "any_medical_active": True}
    assert judged.lead("uninsured", **facts) == "jiucun"
    assert judged.co_owners("uninsured", **facts) == ["canlian", "yibao"]


def test_a_dust_employer_stays_listed_until_every_exposed_worker_is_covered(judged: Verdict) -> None:
    employer = {"is_dust_hazard": True, "exposed_workers": 10}
    assert judged.holds("dust_hazard_uninsured", **employer)
    assert judged.holds("dust_hazard_uninsured", **employer, dust_insured_workers=9)
    assert not judged.holds("dust_hazard_uninsured", **employer, dust_insured_workers=10)


def test_a_new_project_without_cover_belongs_to_its_department(judged: Verdict) -> None:
    project = {"is_new": True, "department": "shuili"}
    assert judged.holds("project_uninsured", **project)
    assert judged.lead("project_uninsured", **project) == "shuili"
    assert not judged.holds("project_uninsured", **project, is_insured=True)
