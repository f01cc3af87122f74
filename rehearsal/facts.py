"""What is really so in a synthetic place: of each person the comparison can know, each employer, each project."""

from __future__ import annotations

import numpy as np

from models.plan import Plan
from rehearsal.names import Bools, Integers
from rehearsal.place import Place
from rehearsal.state import (
    ACTIVE,
    CANCELLED,
    CARD_ISSUED,
    EM,
    ENROLLED_AT_SCHOOL,
    EP,
    IP,
    MA,
    OPERATING,
    PAYING,
    PENSIONS,
    RM,
    RP,
    SUSPENDED,
    UN,
    WI,
)

NEVER_MONTHS = 10**6
"""Months since the last payment of somebody who never stopped paying a pension."""


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
        self.at_school = (people.student[rows] == ENROLLED_AT_SCHOOL) & ~self.dead & (self.age < 25)
        self.paying, self.stopped = pensions == ACTIVE, pensions == SUSPENDED
        self.drawing = people.benefit_state[rows] == PAYING
        since_payment = place.now - people.last_paid[:, rows][list(PENSIONS)]
        self.months_since_payment = np.where(self.stopped, since_payment, NEVER_MONTHS).min(axis=0)
        here = place.here[rows] & people.registered[rows]
        self.on_hardship, self.out_of_poverty = here & (people.hardship[rows] > 0), here & (people.poverty[rows] > 0)
        self.poor = (people.hardship[rows] > 0) | (people.poverty[rows] > 0)
        self.certified = here & (people.disability[rows] > 0)
        self.disabled = people.disability[rows] > 0
        self.tier = people.tier[rows]
        self.medical = people.scheme[:, rows][[EM, RM]] == ACTIVE
        self.permit, self.rural = people.permit[rows] & ~people.registered[rows], people.rural[rows]
        self.has_card = (people.card[rows] == CARD_ISSUED) & place.here[rows]
        self.draws_from_residents = self.drawing & (people.benefit[rows] == PENSIONS.index(RP))
        self.draws_from_institutions = self.drawing & (people.benefit[rows] == PENSIONS.index(IP))

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
    def in_medical(self) -> Bools:
        """Who is active in a medical scheme."""
        return np.asarray(self.medical.any(axis=0))

    @property
    def in_two_schemes(self) -> Bools:
        """Who is active in two pension schemes, or in two medical ones."""
        return np.asarray((self.schemes_at_once >= 2) | (self.medical.sum(axis=0) >= 2))

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
    def has_tax_record(self) -> Bools:
        """Whom the tax office names, if it sends a file at all."""
        told = any(feed.feed == "tax_units" for feed in self.plan.feeds)
        firms = self.place.employers
        return np.asarray(firms.taxed & (firms.last_taxed >= 0) & told)

    @property
    def pays_tax(self) -> Bools:
        """Who has paid tax lately; how lately is the plan's parameter (C17)."""
        months = self.plan.parameters["tax_recent_months"].value
        return np.asarray(self.has_tax_record & (self.place.now - self.place.employers.last_taxed <= months))


def _insured_through(place: Place, *schemes: int) -> Integers:
    """Persons active in any of the schemes through each employer; on a building site through its contractor."""
    people = place.people
    active = place.active(*schemes) & (people.employer >= 0)
    on_site = (people.scheme[WI] == ACTIVE) & (people.employer < 0) & (people.site >= 0) & (WI in schemes)
    through = np.select([active, on_site], [people.employer, people.site], -1)
    return np.bincount(through[through >= 0], minlength=len(place.employers))
