"""What the categories and lists of each campaign *mean*, in Python, over what is really so.

Written from the clauses (C5, C7, C13, C14, C17; B14, B19–B26; G1, G3–G12; L1–L3, L9) and the plan's notes; they read
neither the plan's expressions nor its SQL, or checking a comparison against them would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.plan import FindingList, Plan
from rehearsal.facts import EmployerFacts, PersonFacts
from rehearsal.names import Bools, Strings
from rehearsal.state import DEREGISTERED, EP, INDIVIDUAL, IP, RP, day_number


@dataclass(frozen=True)
class Meaning:
    """What the categories and lists of a family of plans mean.

    ``leads`` and ``person_leads``: where each conditional owner of a list leads, in the order of the plan's cases; the plan
    says who they are, and who leads elsewhere.
    """

    categories: dict[str, Callable[[PersonFacts], Bools]]
    persons: dict[str, Callable[[PersonFacts, Strings], Bools]]
    employers: dict[str, Callable[[EmployerFacts], Bools]]
    projects: dict[str, Callable[[EmployerFacts], Bools]]
    leads: dict[str, Callable[[EmployerFacts], Bools]] = field(default_factory=dict)
    person_leads: dict[str, tuple[Callable[[PersonFacts, Strings], Bools], ...]] = field(default_factory=dict)

    def covers(self, plan: Plan) -> bool:
        """Whether every category of the plan has a meaning here; with one unknown, no person's would be certain."""
        return all(category.id in self.categories for category in plan.categories)

    def knows(self, item: FindingList) -> bool:
        """Whether a list, and every condition on its owner, has a meaning here."""
        known = {"person": set(self.persons), "employer": set(self.employers), "project": set(self.projects)}
        conditional = sum(case.when != "true" for case in item.owner)
        decided = len(self.person_leads.get(item.id, ())) if item.subject == "person" else int(item.id in self.leads)
        return item.id in known[item.subject] and (not conditional or decided == conditional)


def _worth_converting(who: PersonFacts, category: Strings) -> Bools:
    """C14: residents with a job, or well off (a high tier), not poor, young enough for the employee scheme."""
    men, women = who.number("conversion_before_age_men_years"), who.number("conversion_before_age_women_years")
    has_means = who.employed | (who.tier >= who.number("well_off_tier_yuan"))
    return (category == "insured_resident") & has_means & ~who.poor & (who.age < np.where(who.male, men, women))


def _on_lowest_tier(who: PersonFacts, category: Strings) -> Bools:
    """C14: residents of paying age on the lowest tier, but not those for whom the government pays."""
    payers = (category == "insured_resident") & (who.age < who.number("benefit_age_years"))
    return payers & (who.tier <= who.number("low_tier_yuan")) & ~who.poor & ~who.disabled


def _without_insurance(facts: EmployerFacts) -> Bools:
    """C13, C17: operating, with staff or (not an individual) paying tax, and nobody insured through it."""
    at_work = (facts.staff > 0) | ((facts.place.employers.kind != INDIVIDUAL) & facts.pays_tax)
    return facts.operating & ~facts.is_insured & at_work


def _dust_uncovered(facts: EmployerFacts) -> Bools:
    """C5: on the key list, not deregistered, and one exposed worker or more without work injury insurance."""
    firms = facts.place.employers
    return firms.dust & (firms.status != DEREGISTERED) & (facts.dust_covered < firms.exposed)


def _project_uncovered(facts: EmployerFacts) -> Bools:
    """C4: started since the campaign's first day, and no work injury insurance taken out."""
    projects = facts.place.projects
    return (projects.started >= day_number(facts.plan.starts)) & (projects.insured_day < 0)


EXPANSION = Meaning(
    categories={
        "deceased": lambda who: who.dead,
        "gone": lambda who: who.gone,
        "under_age": lambda who: who.age < who.number("pension_min_age_years"),
        "insured_both": lambda who: who.schemes_at_once >= 2,
        "insured_employee": lambda who: who.pays_into(EP),
        "insured_institution": lambda who: who.pays_into(IP),
        "drawing_benefit": lambda who: who.drawing,
        "insured_resident": lambda who: who.pays_into(RP),
        "student": lambda who: who.at_school,
        "paying_pause": lambda who: who.enrolled & (who.months_since_payment < who.number("interruption_months")),
        "identity_pending": lambda who: who.everyone(False),
        "sixty_plus_without_benefit": lambda who: who.age >= who.number("benefit_age_years"),
        "employed_uninsured": lambda who: who.employed,
        "interrupted": lambda who: who.enrolled,
        "uninsured": lambda who: who.everyone(True),
    },
    persons={
        "employed_uninsured": lambda who, category: category == "employed_uninsured",
        "uninsured": lambda who, category: category == "uninsured",
        "interrupted": lambda who, category: category == "interrupted",
        "sixty_plus_without_benefit": lambda who, category: category == "sixty_plus_without_benefit",
        "duplicate_enrolment": lambda who, category: category == "insured_both",
        "deceased_enrolled": lambda who, category: who.dead & (who.paying.any(axis=0) | who.drawing),
        "conversion_candidate": _worth_converting,
        "low_tier_payer": _on_lowest_tier,
        "identity_review": lambda who, category: who.everyone(False),
    },
    employers={"uninsured_employer": _without_insurance, "dust_hazard_uninsured": _dust_uncovered},
    projects={"project_uninsured": _project_uncovered},
    leads={
        "uninsured_employer": lambda facts: facts.pays_tax,
        "project_uninsured": lambda facts: np.full(len(facts.place.projects), True),
    },
)
"""A campaign that enrols everyone of working age in a pension scheme (C13, C14 and the plan of 澄江)."""


# --- 博州: everybody in pension and medical insurance, each group by its department --------------------


def _minor_or_at_school(who: PersonFacts) -> Bools:
    return (who.age < who.number("pension_min_age_years")) | who.at_school


def _none_at_all(who: PersonFacts) -> Bools:
    return ~who.enrolled & ~who.in_medical & ~who.drawing


def _in_place(who: PersonFacts) -> Bools:
    return ~who.dead & ~who.gone


def _sixty_without(who: PersonFacts, category: Strings) -> Bools:
    """B22: 60 or older, drawing nothing, not paying as an employee, of local hukou."""
    return ((who.age >= who.number("benefit_age_years")) & ~who.drawing & _in_place(who)
            & ~who.pays_into(EP) & ~who.pays_into(IP) & ~who.permit)


def _dead_but_insured(who: PersonFacts, category: Strings) -> Bools:
    return who.dead & (who.paying.any(axis=0) | who.in_medical | who.drawing)


_UNINSURED_HERE = ("uninsured_rural", "uninsured_urban")

EVERYBODY = Meaning(
    categories={
        "deceased": lambda who: who.dead,
        "gone": lambda who: who.gone,
        "drawing_and_medical": lambda who: who.drawing & who.in_medical,
        "minor_or_student_insured": lambda who: _minor_or_at_school(who) & who.in_medical,
        "pension_and_medical": lambda who: who.enrolled & who.in_medical,
        "identity_pending": lambda who: who.everyone(False),
        "student_uninsured": lambda who: who.at_school,
        "hardship_uninsured": lambda who: who.out_of_poverty | who.on_hardship | who.certified,
        "employed_uninsured": lambda who: (
            who.employed & ~who.enrolled & ~who.drawing & (who.age >= who.number("pension_min_age_years"))),
        "medical_only": lambda who: who.in_medical,
        "pension_only": lambda who: who.enrolled | who.drawing,
        "uninsured_permit_holder": lambda who: who.permit,
        "uninsured_rural": lambda who: who.rural,
        "uninsured_urban": lambda who: who.everyone(True),
    },
    persons={
        "deceased_enrolled": _dead_but_insured,
        "student_uninsured": lambda who, category: category == "student_uninsured",
        "hardship_uninsured": lambda who, category: category == "hardship_uninsured",
        "employed_uninsured": lambda who, category: category == "employed_uninsured",
        "uninsured": lambda who, category: np.isin(category, _UNINSURED_HERE) & (who.age >= 1),
        "newborn_uninsured": lambda who, category: np.isin(category, _UNINSURED_HERE) & (who.age < 1),
        "sixty_plus_without_benefit": _sixty_without,
        "medical_without_pension": lambda who, category: (
            (category == "medical_only") & (who.age < who.number("benefit_age_years"))),
        "pension_without_medical": lambda who, category: category == "pension_only",
        "duplicate_enrolment": lambda who, category: who.in_two_schemes & ~who.dead,
        "residence_permit_not_enrolled": lambda who, category: who.permit & _none_at_all(who) & _in_place(who),
        "residence_permit_enrolled": lambda who, category: who.permit & ~_none_at_all(who) & _in_place(who),
        "no_card": lambda who, category: ~who.has_card & ~_none_at_all(who) & (who.age >= 1) & _in_place(who),
        "identity_review": lambda who, category: who.everyone(False),
    },
    employers={"uninsured_employer": _without_insurance},
    projects={"project_uninsured": _project_uncovered},
    person_leads={
        "hardship_uninsured": (lambda who, category: who.out_of_poverty, lambda who, category: who.on_hardship),
        "uninsured": (lambda who, category: who.rural,),
        "medical_without_pension": (lambda who, category: who.rural,),
        "pension_without_medical": (lambda who, category: who.rural,),
        "residence_permit_not_enrolled": (lambda who, category: category == "student_uninsured",
                                          lambda who, category: category == "employed_uninsured"),
    },
)
"""A campaign that wants everybody in a pension and a medical scheme, minors and students in the latter (B2, B19–B26)."""


# --- a district: one complete register of everybody ---------------------------------------------------


def _pensioned(who: PersonFacts) -> Bools:
    return np.asarray(who.paying.any(axis=0) | who.drawing)


def _benefit_and_work(who: PersonFacts) -> Bools:
    """G1: drawing a resident's pension while paying into an employee's."""
    return who.draws_from_residents & (who.pays_into(EP) | who.pays_into(IP)) & ~who.dead


_REGISTER_INSURED = ("insured_full", "insured_twice", "minor_insured", "student_insured", "paying_pause")
_REGISTER_OPEN = ("uninsured", "minor_uninsured", "employed_uninsured", "interrupted", "medical_only", "pension_only")

REGISTER = Meaning(
    categories={
        "deceased": lambda who: who.dead,
        "gone": lambda who: who.gone,
        "insured_twice": lambda who: who.in_two_schemes,
        "minor_insured": lambda who: (who.age < who.number("pension_min_age_years")) & who.in_medical,
        "minor_uninsured": lambda who: who.age < who.number("pension_min_age_years"),
        "insured_full": lambda who: _pensioned(who) & who.in_medical,
        "student_insured": lambda who: who.at_school & who.in_medical,
        "pension_only": _pensioned,
        "identity_pending": lambda who: who.everyone(False),
        "paying_pause": lambda who: (
            who.enrolled & (who.months_since_payment < who.number("interruption_months")) & who.in_medical),
        "employed_uninsured": lambda who: who.employed,
        "interrupted": lambda who: who.enrolled,
        "medical_only": lambda who: who.in_medical,
        "uninsured": lambda who: who.everyone(True),
    },
    persons={
        "survey_case": lambda who, category: _in_place(who) & _none_at_all(who),
        "uninsured": lambda who, category: np.isin(category, ("uninsured", "minor_uninsured")) & ~who.permit,
        "employed_uninsured": lambda who, category: (category == "employed_uninsured") & ~who.permit,
        "interrupted": lambda who, category: (category == "interrupted") & ~who.permit,
        "medical_without_pension": lambda who, category: (category == "medical_only") & ~who.permit,
        "pension_without_medical": lambda who, category: (category == "pension_only") & ~who.permit,
        "duplicate_enrolment": lambda who, category: (category == "insured_twice") | _benefit_and_work(who),
        "deceased_enrolled": _dead_but_insured,
        "no_card": lambda who, category: _in_place(who) & ~who.has_card & ~who.permit,
        "residence_permit_enrolled": lambda who, category: who.permit & np.isin(category, _REGISTER_INSURED),
        "residence_permit_not_enrolled": lambda who, category: who.permit & np.isin(category, _REGISTER_OPEN),
        "identity_review": lambda who, category: who.everyone(False),
    },
    employers={"uninsured_employer": lambda facts: (
        facts.operating & ~facts.is_insured & ((facts.place.employers.kind != INDIVIDUAL) | (facts.staff > 0)))},
    projects={},
)
"""A campaign that registers everybody, completes what is missing, and visits who stands in no scheme (G3–G12)."""


# --- 连云港: register, compare, survey -----------------------------------------------------------------


def _settled_in_medical_only(who: PersonFacts, category: Strings) -> Bools:
    two_pensions = who.schemes_at_once >= 2
    return (who.medical.sum(axis=0) >= 2) & ~two_pensions


def _employer_to_visit(facts: EmployerFacts) -> Bools:
    """L1, L3: operating, nobody insured; a trader only with staff; not one whose tax payments have stopped."""
    with_staff = (facts.staff > 0) | (facts.place.employers.kind != INDIVIDUAL)
    return facts.operating & ~facts.is_insured & with_staff & (~facts.has_tax_record | facts.pays_tax)


SURVEY = Meaning(
    categories={
        "deceased": lambda who: who.dead,
        "gone": lambda who: who.gone,
        "identity_pending": lambda who: who.everyone(False),
        "information_missing": lambda who: who.everyone(False),
        "insured_twice": lambda who: who.in_two_schemes,
        "minor_insured": lambda who: (who.age < who.number("pension_min_age_years")) & who.in_medical,
        "insured_employee": lambda who: who.pays_into(EP),
        "insured_institution": lambda who: who.pays_into(IP),
        "drawing_benefit": lambda who: who.drawing,
        "insured_resident": lambda who: who.pays_into(RP),
        "employed_uninsured": lambda who: who.employed & (who.age >= who.number("pension_min_age_years")),
        "paused": lambda who: who.enrolled,
        "medical_only": lambda who: who.in_medical,
        "uninsured": lambda who: who.everyone(True),
    },
    persons={
        "duplicate_enrolment": lambda who, category: who.in_two_schemes & ~who.dead,
        "deceased_enrolled": _dead_but_insured,
        "identity_review": lambda who, category: who.everyone(False),
        "survey_case": lambda who, category: category == "information_missing",
        "employed_uninsured": lambda who, category: category == "employed_uninsured",
        "uninsured": lambda who, category: category == "uninsured",
        "interrupted": lambda who, category: category == "paused",
        "medical_without_pension": lambda who, category: (
            (category == "medical_only") & (who.age >= who.number("pension_min_age_years"))),
        "pension_without_medical": lambda who, category: _pensioned(who) & ~who.in_medical & _in_place(who),
        "no_card": lambda who, category: ~who.has_card & (_pensioned(who) | who.in_medical) & _in_place(who),
    },
    employers={"uninsured_employer": _employer_to_visit},
    projects={},
    person_leads={
        "duplicate_enrolment": (_settled_in_medical_only,),
        "deceased_enrolled": (lambda who, category: who.draws_from_residents,
                              lambda who, category: who.draws_from_institutions,
                              lambda who, category: who.drawing),
    },
)
"""A campaign that gathers all registers, compares them, and surveys whom they do not show as insured (L1–L3, L9)."""

MEANINGS = (EXPANSION, EVERYBODY, REGISTER, SURVEY)


def meaning_of(plan: Plan) -> Meaning | None:
    """The meanings that cover a plan, if any do."""
    return next((meaning for meaning in MEANINGS if meaning.covers(plan)), None)


def categories(who: PersonFacts, meaning: Meaning) -> Strings:
    """The category of each person: the first in the plan's order whose meaning holds."""
    ids = [category.id for category in who.plan.categories]
    return np.select([meaning.categories[id_](who) for id_ in ids], ids, "")
