"""The right answers of a synthetic place: who belongs where, worked out from what is really so.

A comparison is checked against this (``canbao evaluate``). The rules here say in Python what categories and lists
*mean* (C5, C7, C13, C14, C17, and the plan's notes); they are written from the clauses and read neither the plan's
expressions nor its SQL, or the check would prove nothing. Only ids, the order of the categories, parameters and the
owners' codes come from the plan. What has no meaning here is left out, never guessed: :func:`write_truth` says what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from models.errors import StorageUnavailable
from models.plan import FindingList, OwnerCase, Plan
from rehearsal.names import Bools, Integers, Strings
from rehearsal.place import (
    ACTIVE,
    CANCELLED,
    CARD_ISSUED,
    CONVERTED,
    DEREGISTERED,
    EM,
    ENROLLED_AT_SCHOOL,
    EP,
    INDIVIDUAL,
    IP,
    MA,
    OPERATING,
    PAYING,
    PENSIONS,
    RP,
    SUSPENDED,
    UN,
    WI,
    Place,
    day_number,
)

PERSON_TRUTH, LIST_TRUTH, LINK_TRUTH, EMPLOYER_TRUTH = "persons.csv", "lists.csv", "links.csv", "employers.csv"
NEVER_MONTHS = 10**6
"""Months since the last payment of somebody who never stopped paying a pension."""


# --- what is so -----------------------------------------------------------------------------------------


class PersonFacts:
    """What is really so about each person the comparison can know: registered here, or holding a permit."""

    def __init__(self, place: Place, plan: Plan) -> None:
        people, self.place, self.plan = place.people, place, plan
        permits_are_told = any(feed.feed == "residence_permits" for feed in plan.feeds)
        self.rows = rows = np.flatnonzero(people.registered | (people.permit & permits_are_told))
        pensions = people.scheme[:, rows][list(PENSIONS)]
        self.age, self.male = place.ages(rows), people.male[rows]
        self.dead, self.gone = people.death_day[rows] >= 0, people.status[rows] >= CANCELLED
        self.employed = (people.employer[rows] >= 0) & ~self.dead
        self.at_school = (people.student[rows] == ENROLLED_AT_SCHOOL) & ~self.dead
        self.paying, self.stopped = pensions == ACTIVE, pensions == SUSPENDED
        self.drawing = people.benefit_state[rows] == PAYING
        since_payment = place.now - people.last_paid[:, rows][list(PENSIONS)]
        self.months_since_payment = np.where(self.stopped, since_payment, NEVER_MONTHS).min(axis=0)
        self.poor = (people.hardship[rows] > 0) | (people.poverty[rows] > 0)
        self.disabled = people.disability[rows] > 0
        self.tier = people.tier[rows]

    def number(self, parameter: str) -> float:
        """A parameter of the plan."""
        return float(self.plan.parameters[parameter].value)

    def pays_into(self, scheme: int) -> Bools:
        """Who is active in one pension scheme."""
        return self.paying[PENSIONS.index(scheme)]

    @property
    def schemes_at_once(self) -> Integers:
        """In how many pension schemes somebody is active."""
        return np.asarray(self.paying.sum(axis=0))

    @property
    def enrolled(self) -> Bools:
        """Whom some pension register still carries, paying or not."""
        return np.asarray(self.paying.any(axis=0) | self.stopped.any(axis=0))

    def everyone(self, answer: bool) -> Bools:
        """The same answer for each person."""
        return np.full(len(self.rows), answer)


class EmployerFacts:
    """What is really so about each employer and each project."""

    def __init__(self, place: Place, plan: Plan) -> None:
        self.place, self.plan, firms = place, plan, place.employers
        self.staff = place.staff
        self.pension_insured = _insured_through(place, EP, IP)
        self.injury_insured = _insured_through(place, WI)
        self.is_insured = _insured_through(place, EP, IP, EM, UN, WI, MA) > 0
        self.operating = firms.status == OPERATING
        self.dust_covered = np.minimum(self.injury_insured, firms.exposed)

    @property
    def pays_tax(self) -> Bools:
        """Who has paid tax lately; how lately is the plan's parameter (C17)."""
        firms, months = self.place.employers, self.plan.parameters["tax_recent_months"].value
        return firms.taxed & (firms.last_taxed >= 0) & (self.place.now - firms.last_taxed <= months)


def _insured_through(place: Place, *schemes: int) -> Integers:
    """Persons active in any of the schemes through each employer; on a building site through its contractor."""
    people = place.people
    active = place.active(*schemes) & (people.employer >= 0)
    on_site = (people.scheme[WI] == ACTIVE) & (people.employer < 0) & (people.site >= 0) & (WI in schemes)
    through = np.select([active, on_site], [people.employer, people.site], -1)
    return np.bincount(through[through >= 0], minlength=len(place.employers))


# --- what it means --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Meaning:
    """What the categories and lists of a family of plans mean. ``leads``: where a list's conditional first owner
    leads; the plan says who that is, and who leads elsewhere."""

    categories: dict[str, Callable[[PersonFacts], Bools]]
    persons: dict[str, Callable[[PersonFacts, Strings], Bools]]
    employers: dict[str, Callable[[EmployerFacts], Bools]]
    projects: dict[str, Callable[[EmployerFacts], Bools]]
    leads: dict[str, Callable[[EmployerFacts], Bools]]

    def covers(self, plan: Plan) -> bool:
        """Whether every category of the plan has a meaning here; with one unknown, no person's would be certain."""
        return all(category.id in self.categories for category in plan.categories)

    def knows(self, item: FindingList) -> bool:
        """Whether a list, and every condition on its owner, has a meaning here."""
        known = {"person": set(self.persons), "employer": set(self.employers), "project": set(self.projects)}
        conditional = any(case.when != "true" for case in item.owner)
        return item.id in known[item.subject] and (item.id in self.leads or not conditional)


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
MEANINGS = (EXPANSION,)


def meaning_of(plan: Plan) -> Meaning | None:
    """The meanings that cover a plan, if any do."""
    return next((meaning for meaning in MEANINGS if meaning.covers(plan)), None)


def categories(who: PersonFacts, meaning: Meaning) -> Strings:
    """The category of each person: the first in the plan's order whose meaning holds."""
    ids = [category.id for category in who.plan.categories]
    return np.select([meaning.categories[id_](who) for id_ in ids], ids, "")


# --- who is on which list, and whose it is --------------------------------------------------------------


@dataclass(frozen=True)
class TrueList:
    """Who is to be on a list (citizen numbers, credit codes or permit numbers) and the lead owner of each."""

    item: FindingList
    keys: Strings
    owners: Strings


def true_lists(place: Place, plan: Plan) -> tuple[TrueList, ...]:
    """Every list of the plan that has a meaning here, as it is to stand now."""
    meaning = meaning_of(plan)
    return () if meaning is None else tuple(_lists(meaning, PersonFacts(place, plan), EmployerFacts(place, plan)))


def _lists(meaning: Meaning, who: PersonFacts, facts: EmployerFacts) -> Iterator[TrueList]:
    category = categories(who, meaning)
    for item in who.plan.lists:
        if not meaning.knows(item):
            continue
        if item.subject == "person":
            yield _person_list(item, who, meaning.persons[item.id](who, category))
        elif item.subject == "employer":
            yield _employer_list(item, facts, meaning)
        else:
            yield _project_list(item, facts, meaning)


def _person_list(item: FindingList, who: PersonFacts, on_list: Bools) -> TrueList:
    people, firms, codes = who.place.people, who.place.employers, _codes(who.place)
    rows = who.rows[on_list]
    at = people.employer[rows]
    columns = {"township": codes[people.township[rows]],
               "employer_township": np.where(at >= 0, codes[firms.township[at]], "")}
    return TrueList(item, people.id_number[rows], _owners(who.plan, item, columns, np.full(len(rows), True)))


def _employer_list(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> TrueList:
    firms, rows = facts.place.employers, np.flatnonzero(meaning.employers[item.id](facts))
    columns = {"township": _codes(facts.place)[firms.township[rows]]}
    return TrueList(item, firms.credit_code[rows], _owners(facts.plan, item, columns, _leads(item, facts, meaning)[rows]))


def _project_list(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> TrueList:
    projects, rows = facts.place.projects, np.flatnonzero(meaning.projects[item.id](facts))
    departments = np.array(facts.place.departments, dtype="U40")
    columns = {"department": departments[projects.department[rows]],
               "township": _codes(facts.place)[projects.township[rows]]}
    return TrueList(item, projects.permit_no[rows], _owners(facts.plan, item, columns, _leads(item, facts, meaning)[rows]))


def _leads(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> Bools:
    count = len(facts.place.projects if item.subject == "project" else facts.place.employers)
    return meaning.leads[item.id](facts) if item.id in meaning.leads else np.full(count, True)


def _owners(plan: Plan, item: FindingList, columns: dict[str, Strings], leads: Bools) -> Strings:
    """The lead owner of each subject: of the first case that holds; where it names nobody, the owner of last resort."""
    owner: Strings = np.full(len(leads), "", dtype="U40")
    decided = np.full(len(leads), False)
    for case in item.owner:
        holds = ~decided & (leads if case.when != "true" else True)
        owner = np.where(holds, _named_by(case, columns, len(leads)), owner)
        decided |= holds
    return np.where(owner == "", plan.owner_of_last_resort, owner)


def _named_by(case: OwnerCase, columns: dict[str, Strings], count: int) -> Strings:
    return np.full(count, case.org, dtype="U40") if case.org else columns[str(case.column)]


def _codes(place: Place) -> Strings:
    return np.array([org.code for org in place.townships], dtype="U40")


# --- files ----------------------------------------------------------------------------------------------


def write_truth(place: Place, plan: Plan, folder: Path) -> tuple[str, ...]:
    """``folder/<period>/`` with persons, lists, links and employers of the place's current month (CSV, UTF-8).

    Returns what was left out because no meaning is written for it: ``category`` for a plan whose categories are not
    all known here, and the ids of lists.
    """
    from rehearsal.feeds import links_table  # feeds and truth both read places; neither needs the other to be imported

    meaning, who, facts = meaning_of(plan), PersonFacts(place, plan), EmployerFacts(place, plan)
    lists = () if meaning is None else tuple(_lists(meaning, who, facts))
    target = folder / place.period
    try:
        target.mkdir(parents=True, exist_ok=True)
        pa_csv.write_csv(_persons_table(who, meaning), target / PERSON_TRUTH)
        pa_csv.write_csv(_lists_table(lists), target / LIST_TRUTH)
        pa_csv.write_csv(links_table(place, plan), target / LINK_TRUTH)
        pa_csv.write_csv(_employers_table(facts), target / EMPLOYER_TRUTH)
    except OSError as fault:
        raise StorageUnavailable(f"the truth cannot be written: {fault.strerror}.", where=str(target),
                                 cure="Make the folder writable and write again.") from None
    written = {entry.item.id for entry in lists}
    return (*(() if meaning else ("category",)), *(item.id for item in plan.lists if item.id not in written))


def _texts(values: Strings) -> pa.Array:
    return pa.array(values.tolist(), type=pa.string())


def _persons_table(who: PersonFacts, meaning: Meaning | None) -> pa.Table:
    """One row per person: key, name, township, category, and the groups by which matching is measured."""
    people, rows, plan = who.place.people, who.rows, who.plan
    category = None if meaning is None else categories(who, meaning)
    nothing = pa.nulls(len(rows))
    return pa.table({
        "person_key": _texts(people.id_number[rows]),
        "id_number": _texts(people.id_number[rows]),
        "name": _texts(people.name[rows]),
        "township": _texts(_codes(who.place)[people.township[rows]]),
        "category": nothing if category is None else _texts(category),
        "in_scope": nothing if category is None else np.isin(category, [it.id for it in plan.categories if it.in_scope]),
        "insured": nothing if category is None else np.isin(category, [it.id for it in plan.categories if it.insured]),
        "age_years": who.age,
        "has_dotted_name": np.char.find(people.name[rows], "·") >= 0,
        "is_permit_holder": people.permit[rows],
        "has_card": people.card[rows] == CARD_ISSUED,
    })


def _lists_table(lists: tuple[TrueList, ...]) -> pa.Table:
    parts = [
        pa.table({
            "list": pa.array([entry.item.id] * len(entry.keys), type=pa.string()),
            "subject": pa.array([entry.item.subject] * len(entry.keys), type=pa.string()),
            "id_number": _texts(entry.keys),
            "owner": _texts(entry.owners),
        })
        for entry in lists
    ]
    text = pa.string()
    empty = pa.schema([("list", text), ("subject", text), ("id_number", text), ("owner", text)]).empty_table()
    return pa.concat_tables([empty, *parts])


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
        "is_insured": facts.is_insured,
        "is_dust_hazard": firms.dust,
        "exposed_workers": firms.exposed,
        "dust_insured_workers": facts.dust_covered,
    })


def figures(place: Place, plan: Plan) -> dict[str, float]:
    """The campaign's figures as they really are: persons in each scheme, participants, conversions, payments (C1–C8)."""
    people, who = place.people, PersonFacts(place, plan)
    living, paid = ~who.dead, people.paid[who.rows]
    converted = (people.end_reason == CONVERTED) & (people.ended_day >= day_number(plan.starts)) & place.active(EP)
    from_residents = who.drawing & (people.benefit[who.rows] == PENSIONS.index(RP))

    def insured(scheme: int) -> float:
        return float(np.count_nonzero((people.scheme[scheme, who.rows] == ACTIVE) & living))

    return {
        "employee_pension": insured(EP), "unemployment": insured(UN), "work_injury": insured(WI),
        "resident_pension": float(np.count_nonzero((who.pays_into(RP) | from_residents) & living)),
        "conversions": float(np.count_nonzero(converted[who.rows])),
        "average_payment_yuan": float(paid[paid > 0].mean()) if (paid > 0).any() else 0.0,
    }
