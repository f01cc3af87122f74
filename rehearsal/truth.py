"""The right answers of a synthetic place: who belongs where, worked out from what is really so.

A comparison is checked against this (``canbao evaluate``). The rules here say in Python what categories and lists
*mean* (C7, C8, C13, C17, and the notes in the plan); they are written from the clauses and read neither the plan's
expressions nor its SQL, or the check would prove nothing. Only ids, the order of categories, parameters and owners'
codes come from the plan. A category or list whose meaning is not written here is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from models.errors import CanbaoError
from models.plan import FindingList, OwnerCase, Plan
from rehearsal.names import Bools, Integers, Strings
from rehearsal.place import (
    ACTIVE,
    DEREGISTERED,
    EM,
    EP,
    INDIVIDUAL,
    IP,
    MA,
    MEDICALS,
    OPERATING,
    PAYING,
    PENSIONS,
    RP,
    SUSPENDED,
    UN,
    WI,
    Array,
    Place,
    day_number,
)

PERSON_TRUTH = "persons.csv"
LIST_TRUTH = "lists.csv"
LINK_TRUTH = "links.csv"
EMPLOYER_TRUTH = "employers.csv"


class PersonFacts:
    """What is really so about each person the comparison can know: registered here, or holding a permit."""

    def __init__(self, place: Place, plan: Plan) -> None:
        people, self.plan, self.place = place.people, plan, place
        has_permits = any(feed.feed == "residence_permits" for feed in plan.feeds)
        self.rows = np.flatnonzero(people.registered | (people.permit & has_permits))
        rows = self.rows
        self.age = place.ages(rows)
        self.male = people.male[rows]
        self.dead = people.death_day[rows] >= 0
        self.gone = people.status[rows] >= 2
        self.employed = (people.employer[rows] >= 0) & ~self.dead
        self.at_school = (people.student[rows] == 1) & ~self.dead
        self.paying_pension = people.scheme[:, rows][list(PENSIONS)] == ACTIVE
        self.resident_active = people.scheme[RP, rows] == ACTIVE
        self.drawing = people.benefit_state[rows] == PAYING
        self.medical = (people.scheme[:, rows][list(MEDICALS)] == ACTIVE).any(axis=0)
        self.stopped = people.scheme[:, rows][list(PENSIONS)] == SUSPENDED
        gaps = np.where(self.stopped, place.now - people.last_paid[:, rows][list(PENSIONS)], 10**6)
        self.months_since_payment = gaps.min(axis=0)
        self.hardship = people.hardship[rows] > 0
        self.poor = people.poverty[rows] > 0
        self.disabled = people.disability[rows] > 0
        self.tier = people.tier[rows]
        self.card = people.card[rows] == 2
        self.permit = people.permit[rows]

    def number(self, parameter: str) -> float:
        """A parameter of the plan."""
        return float(self.plan.parameters[parameter].value)

    @property
    def schemes_at_once(self) -> Integers:
        """In how many pension schemes somebody is active."""
        return np.asarray(self.paying_pension.sum(axis=0))

    @property
    def enrolled(self) -> Bools:
        """Whom some pension register still carries, paying or not."""
        return np.asarray(self.paying_pension.any(axis=0) | self.stopped.any(axis=0))


CATEGORY_MEANS: dict[str, Callable[[PersonFacts], Bools]] = {
    "deceased": lambda who: who.dead,
    "gone": lambda who: who.gone,
    "under_age": lambda who: who.age < who.number("pension_min_age_years"),
    "insured_both": lambda who: who.schemes_at_once >= 2,
    "insured_employee": lambda who: who.paying_pension[PENSIONS.index(EP)],
    "insured_institution": lambda who: who.paying_pension[PENSIONS.index(IP)],
    "drawing_benefit": lambda who: who.drawing,
    "insured_resident": lambda who: who.resident_active,
    "student": lambda who: who.at_school,
    "paying_pause": lambda who: who.enrolled & (who.months_since_payment < who.number("interruption_months")),
    "identity_pending": lambda who: np.zeros(len(who.rows), dtype=bool),
    "sixty_plus_without_benefit": lambda who: who.age >= who.number("benefit_age_years"),
    "employed_uninsured": lambda who: who.employed,
    "interrupted": lambda who: who.enrolled,
    "uninsured": lambda who: np.ones(len(who.rows), dtype=bool),
}
"""What each category means; the first in the plan's order that holds takes the person."""


def categories(who: PersonFacts) -> Strings:
    """The category of each person. Raises CanbaoError for a category whose meaning is not written above."""
    _known("category", [category.id for category in who.plan.categories], CATEGORY_MEANS)
    masks = [CATEGORY_MEANS[category.id](who) for category in who.plan.categories]
    return np.select(masks, [category.id for category in who.plan.categories], "")


def _worth_converting(who: PersonFacts, category: Strings) -> Bools:
    """C14: residents with a job, or well off (a high tier), not poor, young enough for the employee scheme."""
    limit = np.where(who.male, who.number("conversion_before_age_men_years"), who.number("conversion_before_age_women_years"))
    means = who.employed | (who.tier >= who.number("well_off_tier_yuan"))
    return (category == "insured_resident") & means & ~who.hardship & ~who.poor & (who.age < limit)


def _on_lowest_tier(who: PersonFacts, category: Strings) -> Bools:
    """C14: residents of paying age on the lowest tier, but not those for whom the government pays."""
    helped = who.hardship | who.poor | who.disabled
    payers = (category == "insured_resident") & (who.age < who.number("benefit_age_years"))
    return payers & (who.tier <= who.number("low_tier_yuan")) & ~helped


PERSON_LIST_MEANS: dict[str, Callable[[PersonFacts, Strings], Bools]] = {
    "employed_uninsured": lambda who, category: category == "employed_uninsured",
    "uninsured": lambda who, category: category == "uninsured",
    "interrupted": lambda who, category: category == "interrupted",
    "sixty_plus_without_benefit": lambda who, category: category == "sixty_plus_without_benefit",
    "duplicate_enrolment": lambda who, category: who.schemes_at_once.astype(bool) & (category == "insured_both"),
    "deceased_enrolled": lambda who, category: who.dead & (who.paying_pension.any(axis=0) | who.drawing),
    "conversion_candidate": _worth_converting,
    "low_tier_payer": _on_lowest_tier,
    "identity_review": lambda who, category: np.zeros(len(who.rows), dtype=bool),
}
"""Whom each list of persons is to hold (C13, C14, C7, C16)."""


class EmployerFacts:
    """What is really so about each employer and each project."""

    def __init__(self, place: Place, plan: Plan) -> None:
        firms, people, self.place, self.plan = place.employers, place.people, place, plan
        count = len(firms)
        alive = place.alive
        self.staff = np.bincount(people.employer[alive & (people.employer >= 0)], minlength=count)
        self.pension_insured = _insured_through(place, (EP, IP))
        self.injury_insured = _insured_through(place, (WI,))
        self.insured = _insured_through(place, (EP, IP, EM, UN, WI, MA)) > 0
        self.operating = firms.status == OPERATING
        recent = place.now - firms.last_taxed <= plan.parameters["tax_recent_months"].value if "tax_recent_months" in plan.parameters else firms.taxed
        self.paying_tax = firms.taxed & (firms.last_taxed >= 0) & recent
        self.dust_covered = np.minimum(self.injury_insured, firms.exposed)


def _insured_through(place: Place, schemes: tuple[int, ...]) -> Integers:
    """Persons active in any of the schemes through each employer; on building sites through the contractor."""
    people = place.people
    by_site = np.where(people.site >= 0, people.site, people.employer) if WI in schemes else people.employer
    insured = (people.scheme[list(schemes)] == ACTIVE).any(axis=0) & (people.employer >= 0)
    on_site = (people.scheme[WI] == ACTIVE) & (by_site >= 0) if WI in schemes else np.zeros(len(people), dtype=bool)
    through = np.where(insured, people.employer, np.where(on_site, by_site, -1))
    return np.bincount(through[through >= 0], minlength=len(place.employers))


def _without_insurance(facts: EmployerFacts) -> Bools:
    """C13, C17: operating, with staff or (not an individual) paying tax, and nobody insured through it."""
    firms = facts.place.employers
    at_work = (facts.staff > 0) | ((firms.kind != INDIVIDUAL) & facts.paying_tax)
    return facts.operating & ~facts.insured & at_work


EMPLOYER_LIST_MEANS: dict[str, Callable[[EmployerFacts], Bools]] = {
    "uninsured_employer": _without_insurance,
    "dust_hazard_uninsured": lambda facts: facts.place.employers.dust
    & (facts.place.employers.status != DEREGISTERED) & (facts.dust_covered < facts.place.employers.exposed),
}
"""Which employers each list is to hold (C13, C17, C5)."""
PROJECT_LIST_MEANS: dict[str, Callable[[EmployerFacts], Bools]] = {
    "project_uninsured": lambda facts: (facts.place.projects.started >= day_number(facts.plan.starts))
    & (facts.place.projects.insured_day < 0),
}
"""Which projects each list is to hold (C4)."""

OWNER_HOLDS: dict[str, Callable[[EmployerFacts], Array]] = {
    "uninsured_employer": lambda facts: facts.paying_tax,
    "project_uninsured": lambda facts: np.ones(len(facts.place.projects), dtype=bool),
}
"""For lists whose first owner leads on a condition: where it holds (C17: the tax office urges those who pay tax)."""


def _known(what: str, wanted: list[str], written: dict[str, object] | dict[str, Callable[..., Bools]]) -> None:
    missing = sorted(set(wanted) - set(written))
    if missing:
        raise CanbaoError(f"no meaning is written for the {what} {', '.join(missing)}.", where="rehearsal/truth.py",
                          cure="Write what it means there, from its clause.")


def _owners(plan: Plan, item: FindingList, rows: Integers, columns: dict[str, Strings], leads: Array) -> Strings:
    """The lead owner of each subject: the first case that holds; where none names anybody, the owner of last resort."""
    owner = np.full(len(rows), "", dtype="U40")
    for case in item.owner:
        holds = np.ones(len(rows), dtype=bool) if case.when == "true" else leads[rows]
        owner = np.where((owner == "") & holds, _named_by(case, columns, len(rows)), owner)
    return np.where(owner == "", plan.owner_of_last_resort, owner)


def _named_by(case: OwnerCase, columns: dict[str, Strings], count: int) -> Strings:
    return np.full(count, case.org, dtype="U40") if case.org else columns[str(case.column)]


def write_truth(place: Place, plan: Plan, folder: Path) -> None:
    """``folder/<period>/`` with persons, lists, links and employers of the place's current month (CSV, UTF-8)."""
    from rehearsal.feeds import links_table  # feeds import this package's place, and nothing imports both ways

    target = folder / place.period
    target.mkdir(parents=True, exist_ok=True)
    who, facts = PersonFacts(place, plan), EmployerFacts(place, plan)
    category = categories(who)
    pa_csv.write_csv(_persons_table(who, category), target / PERSON_TRUTH)
    pa_csv.write_csv(_lists_table(who, category, facts), target / LIST_TRUTH)
    pa_csv.write_csv(links_table(place, plan), target / LINK_TRUTH)
    pa_csv.write_csv(_employers_table(facts), target / EMPLOYER_TRUTH)


def _texts(values: Strings) -> pa.Array:
    return pa.array(values.tolist(), type=pa.string())


def _codes(place: Place) -> Strings:
    return np.array([org.code for org in place.townships], dtype="U40")


def _persons_table(who: PersonFacts, category: Strings) -> pa.Table:
    people, rows = who.place.people, who.rows
    in_scope = {item.id for item in who.plan.categories if item.in_scope}
    insured = {item.id for item in who.plan.categories if item.insured}
    return pa.table({
        "person_key": _texts(people.id_number[rows]),
        "id_number": _texts(people.id_number[rows]),
        "name": _texts(people.name[rows]),
        "township": _texts(_codes(who.place)[people.township[rows]]),
        "category": _texts(category),
        "in_scope": np.isin(category, list(in_scope)),
        "insured": np.isin(category, list(insured)),
        "age_years": who.age,
        "dotted_name": np.char.find(people.name[rows], "·") >= 0,
        "is_permit_holder": who.permit,
    })


def truth_lists(place: Place, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The keys (citizen number, credit code or permit number) each list of the plan is to hold now."""
    who, facts = PersonFacts(place, plan), EmployerFacts(place, plan)
    category = categories(who)
    return {
        item.id: tuple(keys.tolist())
        for item, keys, _ in (_list_of(item, who, category, facts) for item in plan.lists)
    }


def _list_of(item: FindingList, who: PersonFacts, category: Strings, facts: EmployerFacts) -> tuple[FindingList, Strings, Strings]:
    """A list with its keys and lead owners."""
    place, plan = who.place, who.plan
    codes = _codes(place)
    if item.subject == "person":
        _known("list", [item.id], PERSON_LIST_MEANS)
        rows = who.rows[PERSON_LIST_MEANS[item.id](who, category)]
        people = place.people
        at = people.employer[rows]
        columns = {"township": codes[people.township[rows]],
                   "employer_township": np.where(at >= 0, codes[place.employers.township[at]], "")}
        return item, people.id_number[rows], _owners(plan, item, rows, columns, np.ones(len(people), dtype=bool))
    if item.subject == "employer":
        _known("list", [item.id], EMPLOYER_LIST_MEANS)
        rows = np.flatnonzero(EMPLOYER_LIST_MEANS[item.id](facts))
        columns = {"township": codes[place.employers.township[rows]]}
        return item, place.employers.credit_code[rows], _owners(plan, item, rows, columns, _leads(item, facts, len(place.employers)))
    _known("list", [item.id], PROJECT_LIST_MEANS)
    rows = np.flatnonzero(PROJECT_LIST_MEANS[item.id](facts))
    departments = np.array(place.departments, dtype="U40")
    columns = {"department": departments[place.projects.department[rows]], "township": codes[place.projects.township[rows]]}
    return item, place.projects.permit_no[rows], _owners(plan, item, rows, columns, _leads(item, facts, len(place.projects)))


def _leads(item: FindingList, facts: EmployerFacts, count: int) -> Array:
    """Where the list's conditional owner leads; without a conditional owner nobody asks."""
    if all(case.when == "true" for case in item.owner):
        return np.ones(count, dtype=bool)
    _known("owner of list", [item.id], OWNER_HOLDS)
    return OWNER_HOLDS[item.id](facts)


def _lists_table(who: PersonFacts, category: Strings, facts: EmployerFacts) -> pa.Table:
    parts = []
    for item in who.plan.lists:
        _, keys, owners = _list_of(item, who, category, facts)
        parts.append(pa.table({
            "list": pa.array([item.id] * len(keys), type=pa.string()),
            "subject": pa.array([item.subject] * len(keys), type=pa.string()),
            "id_number": _texts(keys),
            "owner": _texts(owners),
        }))
    return pa.concat_tables(parts)


def _employers_table(facts: EmployerFacts) -> pa.Table:
    firms = facts.place.employers
    return pa.table({
        "credit_code": _texts(firms.credit_code),
        "name": _texts(firms.name),
        "township": _texts(_codes(facts.place)[firms.township]),
        "is_operating": facts.operating,
        "employed_persons": facts.staff,
        "pension_insured_persons": facts.pension_insured,
        "work_injury_insured_persons": facts.injury_insured,
        "is_insured": facts.insured,
        "is_dust_hazard": firms.dust,
        "exposed_workers": firms.exposed,
        "dust_insured_workers": facts.dust_covered,
    })


def figures(place: Place, plan: Plan) -> dict[str, float]:
    """What the campaign's own figures are, for looking at a place: persons per scheme, participants, payments (C1–C8)."""
    people, who = place.people, PersonFacts(place, plan)
    started = (plan.starts - date(1970, 1, 1)).days
    living = ~who.dead
    converted = (people.end_reason[who.rows] == 1) & (people.ended_day[who.rows] >= started) & (people.scheme[EP, who.rows] == ACTIVE)
    paid = people.paid[who.rows]
    taking_part = (who.resident_active | (who.drawing & (people.benefit[who.rows] == PENSIONS.index(RP)))) & living
    return {
        "employee_pension": float(((people.scheme[EP, who.rows] == ACTIVE) & living).sum()),
        "unemployment": float(((people.scheme[UN, who.rows] == ACTIVE) & living).sum()),
        "work_injury": float(((people.scheme[WI, who.rows] == ACTIVE) & living).sum()),
        "resident_pension": float(taking_part.sum()),
        "conversions": float(converted.sum()),
        "average_payment_yuan": float(paid[paid > 0].mean()) if (paid > 0).any() else 0.0,
    }
