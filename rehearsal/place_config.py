"""What a synthetic place is like: the schema of ``place.yaml`` and the defaults derived from a plan alone.

Counts are stated at the place's full size and scaled when a smaller place is asked for. A copied plan with other
townships needs no ``place.yaml``: sizes then come from its targets, or evenly. Estimates are those of domain.md,
Sizes; whoever knows the place better writes them into ``place.yaml`` beside the plan.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from models.errors import Fault, PlanUnsound
from models.plan import Disposition, MonthLabel, Organisation, Plan, Slug, Strict
from rehearsal.defects import DefectSettings
from rules.periods import month, previous_month

PLACE_FILE = "place.yaml"
DEFAULT_PERSONS = 100_000
RESIDENT_PENSION_SHARE_OF_POPULATION = 0.62
"""domain.md, Sizes: the resident pension covers 40–62 % of a county's population; targets ask for the upper end."""

PERMIT_HOLDER_SHARE = 0.05
"""domain.md, Sizes: 5–8 % hold a residence certificate where such are counted."""
DOTTED_NAME_SHARE = {"65": 0.40, "15": 0.06, "54": 0.02, "63": 0.03}
DOTTED_NAME_SHARE_ELSEWHERE = 0.004
"""By province: the share of names with a separator (domain.md, Identity and Sizes: a large share in 博州)."""

INSURED_SHARE = 0.65
"""domain.md, Sizes: persons in a pension scheme, of the population."""
DEAD_IN_REGISTER_YEARS = 16 / 12
"""How long the dead stay in the registers of a place at its start."""

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Weight = Annotated[float, Field(gt=0)]
Outcome = Literal[
    "enrolled", "away", "unwilling", "cannot_pay", "student", "other",
    "declined", "deceased", "gone", "insured_elsewhere", "already_insured", "serving",
    "closed", "without_staff", "stopped",
    "unreachable", "insured_in_province", "empty_registration", "abroad", "imprisoned", "data_error",
]
"""What a clerk can find. The first six are drawn; the others follow from what is really so, from the list, or tell one of
the six more finely (``visits.yaml``)."""
Claim = Literal[
    "joined_resident", "joined_employee", "resumed", "converted", "tier_raised", "benefit_started", "joined_medical",
    "card_issued", "duplicate_resolved", "ended_after_death", "employer_registered", "workers_covered",
    "project_insured",
]
"""What a claim says was done, in place of the outcome ``enrolled``."""


class VisitShares(Strict):
    """What a visit finds among those still to be worked (domain.md, Sizes). Shares add up to 1."""

    enrolled: Share = 0.45
    away: Share = 0.20
    unwilling: Share = 0.12
    cannot_pay: Share = 0.08
    student: Share = 0.06
    other: Share = 0.09

    @model_validator(mode="after")
    def _whole(self) -> VisitShares:
        total = sum(self.as_pairs().values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"shares add up to {total:.3f}, not 1")
        return self

    def as_pairs(self) -> dict[Outcome, float]:
        """The shares by outcome, in a fixed order."""
        return {
            "enrolled": self.enrolled, "away": self.away, "unwilling": self.unwilling,
            "cannot_pay": self.cannot_pay, "student": self.student, "other": self.other,
        }


class TownshipSize(Strict):
    """One township at full size. ``resident_pension`` is who takes part at the start, those drawing included; without
    it everyone of working age but ``uninsured_share`` takes part. Weights say where employees live."""

    persons: Annotated[int, Field(ge=1)]
    resident_pension: Count | None = None
    employee_weight: Annotated[float, Field(gt=0)] = 1.0
    institution_weight: Annotated[float, Field(gt=0)] = 1.0
    rural_share: Share = 0.85
    honesty: Share | None = None
    visits: VisitShares | None = None
    raises_tier_share: Share | None = None
    villages: Annotated[int, Field(ge=1)] | None = None


class Levels(Strict):
    """Persons in each register with status active at the start, at full size (domain.md, Sizes)."""

    employee_pension: Count
    flexible: Count
    institution_pension: Count
    unemployment: Count
    work_injury: Count
    employed_without_pension: Count
    conversion_candidates: Count
    two_pension_schemes: Count
    employee_retirees: Count
    institution_retirees: Count
    converted_before: Count = 0
    resident_medical_share: Share = 0.775
    interrupted_share_of_rest: Share = 0.42


class Firms(Strict):
    """Employers, projects and the dust-hazard list, at full size."""

    units: Annotated[int, Field(ge=20)]
    individuals: Count
    uninsured_share: Share = 0.14
    injury_only_share: Share = 0.12
    operating_share: Share = 0.88
    abnormal_share: Share = 0.08
    dust_hazard: Count
    dust_uninsured_share: Share = 0.25
    projects_at_start: Count
    projects_per_month: Annotated[float, Field(ge=0)]
    projects_insured_share: Share = 0.78


class People(Strict):
    """How the population is made up and moves (shares; yearly rates where the name says so).

    ``own_account_share``: of residents of working age with no employer and not at school, who farms, trades or does odd
    jobs; ``works_on_share``: who still does between sixty and seventy. The statistics bureau counts them as 从业人员.
    """

    bands: tuple[tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)], float], ...] = (
        (0, 6, 0.073), (6, 16, 0.107), (16, 23, 0.082), (23, 40, 0.262), (40, 60, 0.326), (60, 75, 0.112),
        (75, 96, 0.038),
    )
    household_size: Annotated[float, Field(gt=1)] = 3.1
    dotted_name_share: Share = 0.004
    foreign_area_share: Share = 0.05
    former_code_until: date | None = None
    away_share: Share = 0.07
    moved_out_share: Share = 0.006
    permit_holder_share: Share = 0.0
    deaths_per_year: Share = 0.007
    births_per_year: Share = 0.009
    moved_out_per_year: Share = 0.004
    moved_in_per_year: Share = 0.002
    birth_registered_after_months: Annotated[int, Field(ge=0, le=12)] = 2
    death_report_lag_months: Annotated[int, Field(ge=0, le=12)] = 0
    dead_still_insured_share: Share = 0.12
    school_share_16_to_18: Share = 0.68
    school_share_19_to_22: Share = 0.12
    dibao_share: Share = 0.030
    tekun_share: Share = 0.004
    tuopin_share: Share = 0.045
    bianyuan_share: Share = 0.005
    disabled_share: Share = 0.027
    card_share: Share = 0.93
    sixty_plus_without_benefit_share: Share = 0.035
    own_account_share: Share = 0.80
    works_on_share: Share = 0.30


class Money(Strict):
    """Resident pension tiers (yuan a year) with their weights, tilted so that payers pay ``mean_yuan`` on average.

    For most of the poor, low-income and severely disabled the government pays ``subsidised_tier``: they pay nothing.
    """

    tiers: dict[int, Weight] = Field(
        default={200: 80, 300: 10, 500: 5, 800: 2, 1000: 1.5, 2000: 1, 3000: 0.5}, min_length=2)
    mean_yuan: Annotated[float, Field(gt=0)] = 223
    paid_by_start_share: Share = 0.34
    raises_tier_share: Share = 0.38
    raised_tiers: dict[int, Weight] = Field(default={300: 55, 500: 33, 1000: 12}, min_length=1)
    subsidised_tier: int = 100
    resident_benefit_yuan: Annotated[float, Field(gt=0)] = 118
    resident_medical_yuan: Annotated[int, Field(gt=0)] = 280

    @model_validator(mode="after")
    def _mean_is_possible(self) -> Money:
        if not min(self.tiers) < self.mean_yuan < max(self.tiers):
            tiers = f"{min(self.tiers)} to {max(self.tiers)}"
            raise ValueError(f"mean_yuan {self.mean_yuan} lies outside the tiers {tiers}")
        return self


class Monthly(Strict):
    """What happens by itself each month (shares of those it can happen to). Who leaves a job is replaced; staff grows by
    ``staff_growth_per_thousand`` beyond that. ``joins_flexible_share``: without an employer, of those in no scheme."""

    falls_behind_share: Share = 0.0012
    resumes_share: Share = 0.012
    staff_growth_per_thousand: Annotated[float, Field(ge=0)] = 2.0
    hired_from_resident_share: Share = 0.15
    leaves_job_share: Share = 0.005
    joins_resident_share: Share = 0.012
    joins_flexible_share: Share = 0.004
    graduate_hired_share: Share = 0.12
    card_applied_share: Share = 0.004
    card_issued_share: Share = 0.24


class Habits(Strict):
    """Small shares that make a place look alive (estimates; seldom a reason to change them)."""

    dead_cancelled_share: Share = 0.85
    cancelled_monthly_share: Share = 0.6
    past_insured_share: Share = 0.8
    returns_monthly_share: Share = 0.01
    goes_away_monthly_share: Share = 0.0012
    left_school_share: Share = 0.06
    to_university_share: Share = 0.35
    works_near_home_share: Share = 0.75
    institutions_share: Share = 0.06
    government_share: Share = 0.03
    societies_share: Share = 0.03
    individual_size: Annotated[float, Field(gt=0)] = 0.004
    society_size: Annotated[float, Field(gt=0)] = 0.2
    individual_uncovered_share: Share = 0.85
    individual_taxed_share: Share = 0.3
    idle_untaxed_share: Share = 0.85
    flexible_medical_share: Share = 0.6
    maternity_share: Share = 0.96
    urged_unemployment_share: Share = 0.75
    urged_work_injury_share: Share = 0.85
    baby_medical_monthly_share: Share = 0.35
    arrivals_medical_share: Share = 0.8
    arrivals_pension_share: Share = 0.6
    arrivals_card_share: Share = 0.7


class ConductShares(Strict):
    """How organisations behave where ``conduct`` does not say: the rest is punctual. Exactly one township is silent."""

    late: Share = 0.15
    wrong: Share = 0.10
    silent_townships: Annotated[int, Field(ge=0, le=1)] = 1
    late_days_at_most: Annotated[int, Field(ge=1, le=60)] = 4
    acknowledges_share: Share = 0.6
    visited_per_month_share: Share = 0.40
    visited_share_by_list: dict[Slug, Share] = Field(default={"low_tier_payer": 0.12})


class StatedConduct(Strict):
    """How one organisation behaves, where the place says so.

    ``late`` comes ``late_days`` after the due day; ``wrong`` is in time, but its first file has a fault and a right one
    follows ``corrects_after_days`` after its return; ``silent`` never reports.
    """

    manner: Literal["punctual", "late", "wrong", "silent"]
    late_days: Annotated[int, Field(ge=0, le=60)] = 0
    corrects_after_days: Annotated[int, Field(ge=0, le=30)] = 2
    acknowledges_share: Share = 0.6
    visited_per_month_share: Share = 0.40


class PlaceConfig(Strict):
    """The whole of ``place.yaml``. Every key may be left out; what is left out comes from :func:`derived`.

    ``defects``: which faults of the catalogue its departments' files have. None, unless it says so: a rehearsal whose
    lists are to be compared with the truth needs clean files.
    """

    first_period: MonthLabel
    townships: dict[Slug, TownshipSize] = Field(min_length=1)
    people: People = People()
    levels: Levels
    firms: Firms
    money: Money = Money()
    monthly: Monthly = Monthly()
    habits: Habits = Habits()
    uninsured_share: Share = 0.06
    honesty: Share = 0.97
    visits: VisitShares = VisitShares()
    changes_mind_monthly_share: Share = 0.15
    outcomes: dict[Outcome, Slug] = Field(default_factory=dict)
    claims: dict[Claim, Slug] = Field(default_factory=dict)
    conduct_shares: ConductShares = ConductShares()
    conduct: dict[Slug, StatedConduct] = Field(default_factory=dict)
    defects: DefectSettings = DefectSettings()

    @property
    def persons(self) -> int:
        """Persons at full size: the sum over the townships."""
        return sum(size.persons for size in self.townships.values())

    def with_defects(self, settings: DefectSettings) -> PlaceConfig:
        """The same place with these defects; those of the place itself (22, 34, 41) change what is so in it.

        Without them the place keeps the foreign prefixes, double enrolments and insured dead that it states.
        """
        people, levels = {}, {}
        insured = self.persons * INSURED_SHARE
        if 22 in settings.numbers:
            people["foreign_area_share"] = settings.rate(22)
        if 34 in settings.numbers:
            levels["two_pension_schemes"] = round(settings.rate(34) * insured)
        if 41 in settings.numbers:
            dead = max(1.0, self.persons * self.people.deaths_per_year * DEAD_IN_REGISTER_YEARS)
            people["dead_still_insured_share"] = min(1.0, settings.rate(41) * insured / dead)
        return self.model_copy(update={
            "defects": settings, "people": self.people.model_copy(update=people),
            "levels": self.levels.model_copy(update=levels)})

    def honesty_of(self, township: str) -> float:
        """How likely a claim from this township is true."""
        size = self.townships.get(township)
        return self.honesty if size is None or size.honesty is None else size.honesty

    def visits_of(self, township: str) -> VisitShares:
        """What its visits find."""
        size = self.townships.get(township)
        return self.visits if size is None or size.visits is None else size.visits

    def raises_tier_of(self, township: str) -> float:
        """The share of those paying in the campaign who choose a higher tier by themselves."""
        size = self.townships.get(township)
        own = None if size is None else size.raises_tier_share
        return self.money.raises_tier_share if own is None else own


def ground_organisations(plan: Plan, period: str) -> tuple[Organisation, ...]:
    """The organisations people live in: townships, else counties, else zones, that exist at the period's end (C24)."""
    day = month(period).ends
    for kind in ("township", "county", "zone"):
        found = tuple(org for org in plan.organisations if org.kind == kind and org.exists_on(day))
        if found:
            return found
    raise PlanUnsound(plan.id, [Fault(
        "organisations", "nobody can live here: there is no township, county or zone.", "Add at least one.")])


def first_period(plan: Plan) -> str:
    """The first month the registers are expected for, or the month before the campaign starts."""
    months = [feed.cadence.first for feed in plan.feeds if feed.cadence.every == "month" and feed.cadence.first]
    return min(months) if months else previous_month(f"{plan.starts:%Y-%m}")


def derived(plan: Plan) -> PlaceConfig:
    """A place for any plan, from the plan alone."""
    begin = first_period(plan)
    sizes = _sizes(plan, ground_organisations(plan, begin))
    persons = sum(size.persons for size in sizes.values())
    has_permits = any(feed.feed == "residence_permits" for feed in plan.feeds)
    return PlaceConfig(
        first_period=begin, townships=sizes, levels=_levels(persons), firms=_firms(persons),
        people=People(permit_holder_share=PERMIT_HOLDER_SHARE if has_permits else 0.0,
                      dotted_name_share=DOTTED_NAME_SHARE.get(plan.region.code[:2], DOTTED_NAME_SHARE_ELSEWHERE)),
        outcomes=outcomes_of(plan), claims=claims_of(plan),
    )


def _sizes(plan: Plan, ground: tuple[Organisation, ...]) -> dict[str, TownshipSize]:
    wanted = _resident_pension_levels(plan)
    known = [round(wanted[org.code] / RESIDENT_PENSION_SHARE_OF_POPULATION) for org in ground if org.code in wanted]
    usual = round(sum(known) / len(known)) if known else max(1, DEFAULT_PERSONS // len(ground))
    return {
        org.code: TownshipSize(persons=max(1, round(wanted[org.code] / RESIDENT_PENSION_SHARE_OF_POPULATION)))
        if org.code in wanted else TownshipSize(persons=usual)
        for org in ground
    }


def _resident_pension_levels(plan: Plan) -> dict[str, float]:
    """Stated persons in the resident pension by organisation, if the plan has such a target (C8)."""
    for target in plan.targets:
        indicator = plan.item("indicators", target.indicator)
        counted = indicator.numerator.where or ""
        simple = indicator.numerator.sum is None and indicator.denominator is None
        if indicator.unit == "person" and simple and "resident_pension" in counted and "was_converted" not in counted:
            return {code: float(level) for code, level in target.level.items()}
    return {}


def _levels(persons: int) -> Levels:
    def of(share: float) -> int:
        return round(persons * share)

    return Levels(
        employee_pension=of(0.10), flexible=of(0.015), institution_pension=of(0.028), unemployment=of(0.075),
        work_injury=of(0.13), employed_without_pension=of(0.024), conversion_candidates=of(0.009),
        two_pension_schemes=of(0.004), employee_retirees=of(0.012), institution_retirees=of(0.008),
        converted_before=of(0.007),
    )


def _firms(persons: int) -> Firms:
    return Firms(
        units=max(20, persons // 75), individuals=persons // 15, dust_hazard=max(4, persons // 4000),
        projects_at_start=max(6, persons // 3500), projects_per_month=max(1.0, persons / 25_000),
    )


_OUTCOME_WORDS: dict[Outcome, tuple[str, ...]] = {
    "student": ("在校", "学生"),
    "unwilling": ("意愿", "自愿", "不愿参保"),
    "declined": ("不愿转保", "提档", "意愿", "自愿"),
    "cannot_pay": ("困难", "无力"),
    "away": ("外出", "联系不上", "失联"),
    "unreachable": ("联系不上", "失联", "外出"),
    "deceased": ("死亡未销户", "死亡"),
    "gone": ("户口不在", "迁出", "注销", "空挂"),
    "insured_elsewhere": ("省外职工", "省外职保", "外地", "异地"),
    "already_insured": ("本市已参", "我区参加", "已参加养老", "已参保"),
    "insured_in_province": ("省内职工", "省内职保"),
    "serving": ("现役",),
    "imprisoned": ("服刑",),
    "abroad": ("出国",),
    "empty_registration": ("空挂",),
    "data_error": ("数据错误",),
    "closed": ("停业", "注销"),
    "without_staff": ("无用工",),
    "stopped": ("停工", "未开工"),
    "other": ("其他",),
}
_CLAIM_WORDS: dict[Claim, tuple[str, ...]] = {
    "joined_resident": ("参加居民", "居民养老", "居保", "参保"),
    "joined_employee": ("参加职工", "职工养老", "职保"),
    "resumed": ("续保", "恢复缴费"),
    "converted": ("转职工", "转企业职工"),
    "tier_raised": ("提高", "档次"),
    "benefit_started": ("待遇领取", "领取待遇"),
    "joined_medical": ("医疗", "医保"),
    "card_issued": ("社会保障卡", "社保卡", "办卡"),
    "duplicate_resolved": ("重复",),
    "ended_after_death": ("死亡",),
    "employer_registered": ("单位已", "单位"),
    "workers_covered": ("接尘", "尘肺"),
    "project_insured": ("项目",),
}


def outcomes_of(plan: Plan) -> dict[Outcome, str]:
    """Which of the plan's dispositions says what a clerk found, by the words of its name.

    An outcome for which the plan has no word becomes its "other", or else its last disposition that claims nothing:
    codes are data and differ from place to place. ``enrolled`` is not here: what was done says :func:`claims_of`.
    """
    candidates = [item for item in plan.dispositions if not item.claims] or list(plan.dispositions)
    rest = _named(candidates, _OUTCOME_WORDS["other"]) or candidates[-1].code
    return {outcome: _named(candidates, words) or rest for outcome, words in _OUTCOME_WORDS.items()}


def claims_of(plan: Plan) -> dict[Claim, str]:
    """Which of the plan's claiming dispositions says what was done; without a word of its own, the first of them."""
    candidates = [item for item in plan.dispositions if item.claims] or list(plan.dispositions)
    return {claim: _named(candidates, words) or candidates[0].code for claim, words in _CLAIM_WORDS.items()}


def _named(candidates: list[Disposition], words: tuple[str, ...]) -> str:
    return next((item.code for word in words for item in candidates if word in item.name), "")


def read_place(plan: Plan, plan_path: Path) -> PlaceConfig:
    """The place of a plan: ``place.yaml`` beside it over the derived defaults. Raises PlanUnsound with every fault."""
    base = derived(plan)
    path = plan_path.parent / PLACE_FILE
    if not path.exists():
        return base
    written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(written, dict):
        cure = "Start with `first_period: YYYY-MM`."
        raise PlanUnsound(plan.id, [Fault(PLACE_FILE, "is not a table of keys.", cure)])
    return _checked(plan, base, written)


def _checked(plan: Plan, base: PlaceConfig, written: dict[str, Any]) -> PlaceConfig:
    try:
        config = PlaceConfig.model_validate(_over(base.model_dump(exclude_unset=True), written))
    except ValidationError as wrong:
        raise PlanUnsound(plan.id, [
            Fault(f"{PLACE_FILE}: {'.'.join(map(str, error['loc']))}", error["msg"] + ".", "Correct or remove it.")
            for error in wrong.errors(include_input=False, include_url=False)
        ]) from None
    faults = _faults(plan, config)
    if faults:
        raise PlanUnsound(plan.id, faults)
    return config


def _over(base: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """``written`` over ``base``. ``townships`` replaces as a whole: a place has the townships it names."""
    merged = dict(base)
    for key, value in written.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = {**base[key], **value} if both_tables and key != "townships" else value
    return merged


def _faults(plan: Plan, config: PlaceConfig) -> list[Fault]:
    ground = {org.code for org in ground_organisations(plan, config.first_period)}
    codes = {org.code for org in plan.organisations}
    dispositions = {item.code for item in plan.dispositions}
    faults = [
        Fault(f"{PLACE_FILE}: townships.{code}", "the plan has no such township.",
              f"It has: {', '.join(sorted(ground))}.")
        for code in config.townships if code not in ground
    ]
    faults += [
        Fault(f"{PLACE_FILE}: townships", f"{code} is missing.", "Give its `persons`.")
        for code in sorted(ground - config.townships.keys())
    ]
    faults += [
        Fault(f"{PLACE_FILE}: conduct.{code}", "the plan has no such organisation.", "Use a code of its organisations.")
        for code in config.conduct if code not in codes
    ]
    faults += [
        Fault(f"{PLACE_FILE}: outcomes.{outcome}", f"the plan has no disposition {code}.",
              f"It has: {', '.join(sorted(dispositions))}.")
        for outcome, code in [*config.outcomes.items(), *config.claims.items()] if code not in dispositions
    ]
    return faults
