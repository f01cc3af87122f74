"""How a synthetic place changes from one month to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models.profile import SCHEMES
from rehearsal.lives import (
    begun_projects,
    benefit_amount,
    drawn_by_weight,
    enter_school,
    file_taxes,
    frailty,
    house,
    may_be_mother,
    name_and_number,
    own_share,
    pays,
)
from rehearsal.names import Bools, Integers, unit_hash
from rehearsal.state import (
    ACTIVE,
    AWAY,
    CANCELLED,
    CARD_APPLIED,
    CARD_ISSUED,
    CONVERT,
    CONVERTED,
    COVERED,
    EM,
    ENDED_BY_DEATH,
    ENDED_BY_MOVE,
    ENDED_OTHERWISE,
    ENROLLED_AT_SCHOOL,
    ENTERPRISE,
    EP,
    IP,
    ISSUE_CARD,
    JOIN_EMPLOYEE,
    JOIN_MEDICAL,
    JOIN_RESIDENT,
    LEFT_SCHOOL,
    MA,
    MALE_SHARE,
    MEDICALS,
    MOVED_OUT,
    NO_CARD,
    NONE,
    NOT_DRAWING,
    ONE_SCHEME,
    OPERATING,
    PAYING,
    PENSION_AGE,
    PENSIONS,
    RAISE_TIER,
    RESIDENT,
    RESUME,
    RM,
    RP,
    SOCIAL,
    START_BENEFIT,
    STILL,
    STOP_DECEASED,
    STOPPED,
    SUSPENDED,
    TERMINATED,
    UN,
    UNIVERSITY,
    WI,
    WORKING_AGE,
    People,
    pick,
    tilted,
)
from rules.periods import month

if TYPE_CHECKING:
    from rehearsal.place import Place



PROJECTS_PER_MONTH_AT_LEAST = 2.0
"""Building permits do not shrink with a rehearsal's population: of one project in half a year no rate can be told."""


class Month:
    """What happens in one month, in this order: visits bear fruit, life goes on, people pay or fall behind."""

    def __init__(self, place: Place) -> None:
        self.place, self.config, self.people, self.habits = place, place.config, place.people, place.config.habits
        self.rng = np.random.default_rng([place.seed, 2, place.now])
        self.age = place.ages()
        self.staff_before = 0

    def pass_by(self) -> None:
        """All of it, for the month the place has just been moved to."""
        if self.place.now % 12 == 0:
            self.people.paid[:] = 0
        self._visits_bear_fruit()
        self.staff_before = int(self._insured_staff().sum())
        self._deaths()
        self._moves()
        self._school_year()
        self._retirements()
        self._jobs()
        self._falling_behind_and_resuming()
        self._payments()
        self._cards()
        self._newcomers()
        self._new_projects()
        file_taxes(self.place)

    def _some(self, who: Bools, share: float) -> Integers:
        rows = np.flatnonzero(who)
        return rows[self.rng.random(len(rows)) < share]

    def _part(self, who: Bools, share: float) -> Integers:
        """The share of them, as a number of persons: in a small place whole months must not hang on a few throws."""
        rows = np.flatnonzero(who)
        return pick(self.rng, rows, int(len(rows) * share + self.rng.random()))

    def _insured_staff(self) -> Bools:
        return self.place.active(EP) & (self.people.employer >= 0) & self.place.alive

    # --- effects of visits ---

    def _visits_bear_fruit(self) -> None:
        people, place = self.people, self.place
        firms = place.employers
        newly = np.flatnonzero(firms.pending & JOIN_EMPLOYEE)
        firms.cover[newly] = COVERED
        firms.pending[:] = 0
        self._join_employee(np.flatnonzero(np.isin(people.employer, newly) & place.here), self._urged)
        insured = np.flatnonzero((place.projects.pending > 0) & (place.projects.insured_day < 0))
        place.projects.insured_day[insured] = place.first_of_month + 4
        place.projects.pending[:] = 0

        def asked(effect: int) -> Integers:
            return np.flatnonzero((people.pending & effect > 0) & place.alive)

        self._join_employee(asked(JOIN_EMPLOYEE), self._urged)
        self._join_employee(asked(CONVERT), self._urged)
        self._join_resident(asked(JOIN_RESIDENT))
        self._resume(asked(RESUME))
        self._raise_tier(asked(RAISE_TIER), pay=True)
        self._join_medical(asked(JOIN_MEDICAL))
        self._start_benefit(asked(START_BENEFIT))
        twice = asked(ONE_SCHEME)
        self._end_resident(twice[place.active(EP, IP)[twice]], ENDED_OTHERWISE)
        people.scheme[RM, twice[place.active(EM)[twice] & place.active(RM)[twice]]] = TERMINATED
        cards = asked(ISSUE_CARD)
        people.card[cards], people.card_day[cards] = CARD_ISSUED, place.first_of_month + 9
        self._end_all(np.flatnonzero(people.pending & STOP_DECEASED))
        people.pending[:] = 0

    def _activate(self, scheme: int, rows: Integers) -> None:
        """Active from this month; the first day of enrolment stays if there was one."""
        people = self.people
        new = rows[people.enrolled[scheme, rows] < 0]
        people.enrolled[scheme, new] = self.place.first_of_month
        people.scheme[scheme, rows] = ACTIVE
        people.last_paid[scheme, rows] = self.place.now

    @property
    def _urged(self) -> dict[int, float]:
        """For what employers enrol staff whom somebody asks them to enrol: the pension and the medical scheme always, the
        others by and by."""
        habits = self.habits
        return {UN: habits.urged_unemployment_share, WI: habits.urged_work_injury_share, MA: habits.maternity_share}

    @property
    def _usual(self) -> dict[int, float]:
        """For what employers enrol whom they hire: the share of the staff they have."""
        staff = self._insured_staff()
        count = max(1, int(staff.sum()))
        return {scheme: float((staff & self.place.active(scheme)).sum()) / count for scheme in (UN, WI, MA)}

    def _join_employee(self, rows: Integers, others: Mapping[int, float]) -> None:
        """Into the employee pension, with the employer's other schemes if there is one (unemployment, work injury and
        maternity for these shares); the resident schemes end."""
        people = self.people
        rows = rows[people.scheme[IP, rows] != ACTIVE]
        self._activate(EP, rows)
        staff = rows[people.employer[rows] >= 0]
        self._activate(EM, staff)
        for scheme, share in others.items():
            self._activate(scheme, pick(self.rng, staff, int(len(staff) * share + self.rng.random())))
        people.site[staff] = -1
        ended = staff[people.scheme[RM, staff] == ACTIVE]
        people.scheme[RM, ended] = TERMINATED
        self._end_resident(rows, CONVERTED)

    def _end_resident(self, rows: Integers, reason: int) -> None:
        people = self.people
        rows = rows[np.isin(people.scheme[RP, rows], (ACTIVE, SUSPENDED))]
        people.scheme[RP, rows] = TERMINATED
        people.ended_day[rows], people.end_reason[rows] = self.place.first_of_month, reason

    def _join_resident(self, rows: Integers) -> None:
        """Into the resident pension; at 60 and over with a benefit at once, under 60 with a first payment."""
        people, money = self.people, self.config.money
        rows = rows[~self.place.active(*PENSIONS)[rows]]
        fresh = rows[people.scheme[RP, rows] != SUSPENDED]
        values, chances = tilted(money.tiers, min(money.mean_yuan * 1.3, max(money.tiers) - 1))
        people.tier[fresh] = values[self.rng.choice(len(values), len(fresh), p=chances)]
        people.ended_day[rows], people.end_reason[rows] = -1, STILL
        self._activate(RP, rows)
        self._start_benefit(rows[self.age[rows] >= PENSION_AGE])
        payers = rows[self.age[rows] < PENSION_AGE]
        people.paid[payers] = own_share(self.place, payers)
        people.pay_month[payers] = self.place.now % 12

    def _resume(self, rows: Integers) -> None:
        people = self.people
        employee = rows[people.scheme[EP, rows] == SUSPENDED]
        self._join_employee(employee, self._usual)
        resident = rows[(people.scheme[RP, rows] == SUSPENDED)]
        self._join_resident(resident)

    def _raise_tier(self, rows: Integers, *, pay: bool) -> None:
        """A higher tier; with ``pay`` the difference for this year is paid at once."""
        people, tiers = self.people, self.config.money.raised_tiers
        rows = rows[pays(self.place, rows)]
        weights = np.array(list(tiers.values()), dtype=float)
        chosen = np.array(list(tiers))[self.rng.choice(len(tiers), len(rows), p=weights / weights.sum())]
        people.tier[rows] = np.maximum(people.tier[rows], chosen)
        if pay:
            people.paid[rows] = people.tier[rows]
            people.last_paid[RP, rows] = self.place.now

    def _join_medical(self, rows: Integers) -> None:
        rows = rows[~self.place.active(*MEDICALS)[rows]]
        staff = (self.people.employer[rows] >= 0) & self.place.active(EP, IP)[rows]
        self._activate(EM, rows[staff])
        self._activate(RM, rows[~staff])
        self.people.medical_paid[rows[~staff]] = self.config.money.resident_medical_yuan

    def _start_benefit(self, rows: Integers) -> None:
        """The resident benefit from this month; who never enrolled enrols by it."""
        people = self.people
        rows = rows[(self.age[rows] >= PENSION_AGE) & (people.benefit_state[rows] != PAYING)]
        fresh = rows[people.scheme[RP, rows] != ACTIVE]
        self._activate(RP, fresh)
        people.ended_day[fresh], people.end_reason[fresh] = -1, STILL
        self._pay_out(rows, PENSIONS.index(RP))

    def _pay_out(self, rows: Integers, slot: int) -> None:
        """A benefit is paid from this month; ``slot`` is the scheme's place in ``PENSIONS``."""
        people = self.people
        people.benefit[rows], people.benefit_state[rows], people.benefit_month[rows] = slot, PAYING, self.place.now
        people.benefit_yuan[rows] = benefit_amount(self.place, rows)

    def _end_all(self, rows: Integers) -> None:
        """Registers close for a dead person, benefits stop."""
        people = self.people
        self._end_resident(rows, ENDED_BY_DEATH)
        for scheme in range(len(SCHEMES)):
            open_rows = rows[np.isin(people.scheme[scheme, rows], (ACTIVE, SUSPENDED))]
            people.scheme[scheme, open_rows] = TERMINATED
        people.benefit_state[rows[people.benefit_state[rows] == PAYING]] = STOPPED

    # --- life ---

    def _deaths(self) -> None:
        """Deaths by age; most registers close at once, some are left open until somebody is told."""
        people, place, wishes = self.people, self.place, self.config.people
        living = np.flatnonzero(place.here & people.registered)
        force = frailty(self.age[living])
        dying = living[self.rng.random(len(living)) < wishes.deaths_per_year / 12 * force / max(force.mean(), 1e-9)]
        people.death_day[dying] = place.first_of_month + self.rng.integers(0, month(place.period).ends.day, len(dying))
        people.reported_month[dying] = place.now + wishes.death_report_lag_months
        people.employer[dying] = -1
        people.student[dying] = 0
        told = dying[self.rng.random(len(dying)) >= wishes.dead_still_insured_share]
        self._end_all(told)
        long_dead = (people.death_day >= 0) & (people.death_day < place.first_of_month) & people.registered
        cancelled = self._some(long_dead & (people.status <= AWAY), self.habits.cancelled_monthly_share)
        people.status[cancelled], people.status_day[cancelled] = CANCELLED, place.first_of_month + 10

    def _moves(self) -> None:
        people, place, wishes = self.people, self.place, self.config.people
        leaving = self._some(place.here & people.registered & (people.employer < 0), wishes.moved_out_per_year / 12)
        people.status[leaving], people.status_day[leaving] = MOVED_OUT, place.first_of_month + 14
        self._end_resident(leaving, ENDED_BY_MOVE)
        for scheme in (EP, RM):
            open_rows = leaving[people.scheme[scheme, leaving] == ACTIVE]
            people.scheme[scheme, open_rows] = TERMINATED
        returning = self._some(place.here & (people.status == AWAY), self.habits.returns_monthly_share)
        people.status[returning], people.status_day[returning] = RESIDENT, place.first_of_month + 14
        settled = place.here & people.registered & (people.status == RESIDENT) & (people.employer < 0)
        going = self._some(settled & (self.age >= 18) & (self.age < 45), self.habits.goes_away_monthly_share)
        people.status[going], people.status_day[going] = AWAY, place.first_of_month + 14

    def _school_year(self) -> None:
        """Sixteen-year-olds stay at school; in July the grown-up ones leave, in September some go to university."""
        people, place, wishes = self.people, self.place, self.config.people
        chance = unit_hash(place.seed, np.arange(len(people)), 66)
        at_home = place.here & people.registered & (people.student == 0) & (people.employer < 0)
        sixteen = at_home & (self.age == 16) & (chance < wishes.school_share_16_to_18)
        enter_school(place, np.flatnonzero(sixteen & ~place.active(*PENSIONS)), university=False)
        pupil = people.student == ENROLLED_AT_SCHOOL
        if place.now % 12 == 6:
            people.student[pupil & (people.stage != UNIVERSITY) & (self.age >= 18)] = LEFT_SCHOOL
            people.student[pupil & (people.stage == UNIVERSITY) & (self.age >= 22)] = LEFT_SCHOOL
        if place.now % 12 == 8:
            leavers = (people.student == LEFT_SCHOOL) & (people.stage != UNIVERSITY) & (people.employer < 0)
            admitted = self._some(leavers & (self.age >= 18) & (self.age <= 19), self.habits.to_university_share)
            enter_school(place, admitted, university=True)

    def _jobs(self) -> None:
        """People leave jobs and fall out of the employee schemes; as many are hired as left, died or retired, and some
        more. Graduates come first, and more of those who live where the jobs are."""
        people, place, wishes = self.people, self.place, self.config.monthly
        leaving = self._part(self._insured_staff(), wishes.leaves_job_share)
        usual = self._usual
        people.employer[leaving] = -1
        for scheme in (EP, UN, WI, MA, EM):
            rows = leaving[people.scheme[scheme, leaving] == ACTIVE]
            people.scheme[scheme, rows], people.last_paid[scheme, rows] = SUSPENDED, place.now - 1
        vacant = self.staff_before - int(self._insured_staff().sum())
        hires = int(vacant + self.staff_before * wishes.staff_growth_per_thousand / 1000 + self.rng.random())
        hired = self._hired(max(0, hires))
        firms = place.employers
        offers_jobs = (firms.status == OPERATING) & (firms.cover == COVERED) & np.isin(firms.kind, (ENTERPRISE, SOCIAL))
        weight = np.where(offers_jobs, firms.weight, 0)
        people.employer[hired] = drawn_by_weight(self.rng, weight, len(hired))
        people.job_month[hired] = place.now
        self._join_employee(hired, usual)
        firms.exposed[:] = np.minimum(firms.exposed, np.maximum(1, place.staff))

    def _hired(self, count: int) -> Integers:
        """Who is hired: graduates, farmers of the resident scheme, and others without a job."""
        people, place, wishes = self.people, self.place, self.config.monthly
        idle = place.here & (people.employer < 0) & (people.student != ENROLLED_AT_SCHOOL) & ~place.active(EP, IP)
        seeking = idle & (self.age >= 18) & (self.age < 50)
        lure = np.array([size.employee_weight for size in self.config.townships.values()])[people.township]
        graduates = pick(self.rng, self._some(seeking & (people.student == LEFT_SCHOOL), wishes.graduate_hired_share), count)
        seeking[graduates] = False
        insured = seeking & place.active(RP)
        pool = np.flatnonzero(insured)
        farmers = pick(self.rng, pool, round((count - len(graduates)) * wishes.hired_from_resident_share), lure[pool])
        pool = np.flatnonzero(seeking & ~insured)
        others = pick(self.rng, pool, count - len(graduates) - len(farmers), lure[pool])
        return np.r_[graduates, farmers, others]

    def _retirements(self) -> None:
        """At sixty a benefit begins: employees leave work, residents stop paying; a few do not claim."""
        people, place = self.people, self.place
        turned = (self.age == PENSION_AGE) & (people.benefit_state == NOT_DRAWING) & place.here
        for slot, scheme in enumerate((EP, IP)):
            rows = np.flatnonzero(turned & (people.scheme[scheme] == ACTIVE))
            people.scheme[scheme, rows] = TERMINATED
            people.employer[rows] = -1
            for other in (UN, WI, MA):
                people.scheme[other, rows[people.scheme[other, rows] == ACTIVE]] = TERMINATED
            self._end_resident(rows, ENDED_OTHERWISE)
            self._pay_out(rows, slot)
        without = self.config.people.sixty_plus_without_benefit_share
        claims = unit_hash(place.seed, np.arange(len(people)), 85) >= without
        self._start_benefit(np.flatnonzero(turned & claims & (people.scheme[RP] == ACTIVE)))

    def _falling_behind_and_resuming(self) -> None:
        people, place, wishes = self.people, self.place, self.config.monthly
        payers = place.here & (people.scheme[RP] == ACTIVE) & (self.age < PENSION_AGE) & (people.employer < 0)
        behind = self._some(payers & (people.last_paid[RP] < place.now - 9), wishes.falls_behind_share)
        people.scheme[RP, behind] = SUSPENDED
        alone = self._some(place.here & place.active(EP) & (people.employer < 0), wishes.falls_behind_share * 4)
        people.scheme[EP, alone], people.last_paid[EP, alone] = SUSPENDED, place.now - 1
        outside = place.here & ~place.active(*PENSIONS) & (people.benefit_state != PAYING)
        stopped = (people.scheme[RP] == SUSPENDED) | (people.scheme[EP] == SUSPENDED)
        self._resume(self._some(outside & stopped & (self.age < PENSION_AGE), wishes.resumes_share))
        at_home = people.registered & (people.employer < 0) & (people.student != ENROLLED_AT_SCHOOL)
        alone = outside & at_home & (self.age >= 20) & (self.age < 55) & (people.scheme[RP] == NONE)
        self._join_employee(self._part(alone, wishes.joins_flexible_share), {})
        outside &= ~place.active(EP)
        joining = outside & at_home & (self.age >= WORKING_AGE) & (people.scheme[EP] == NONE)
        self._join_resident(self._some(joining, wishes.joins_resident_share))

    def _payments(self) -> None:
        """Monthly schemes are paid for this month; residents pay in their own month, some at a higher tier (C6)."""
        people, place = self.people, self.place
        for scheme in (EP, IP, EM, UN, WI, MA):
            people.last_paid[scheme, (people.scheme[scheme] == ACTIVE) & place.alive] = place.now
        unpaid = (people.paid == 0) & (people.last_paid[RP] < place.now)
        owing = np.flatnonzero((people.scheme[RP] == ACTIVE) & unpaid & (people.pay_month == place.now % 12))
        owing = owing[pays(place, owing)]
        readiness = np.array([self.config.raises_tier_of(code) for code in self.config.townships])
        able = people.tier[owing] != self.config.money.subsidised_tier
        willing = self.rng.random(len(owing)) < readiness[people.township[owing]]
        self._raise_tier(owing[able & willing], pay=False)
        people.paid[owing] = own_share(place, owing)
        people.last_paid[RP, owing] = place.now

    def _cards(self) -> None:
        people = self.people
        wishes = self.config.monthly
        without = self.place.here & (people.card == NO_CARD) & (self.age >= 1)
        people.card[self._some(without, wishes.card_applied_share)] = CARD_APPLIED
        issued = self._some(self.place.here & (people.card == CARD_APPLIED), wishes.card_issued_share)
        people.card[issued], people.card_day[issued] = CARD_ISSUED, self.place.first_of_month + 12

    # --- newcomers ---

    def _newcomers(self) -> None:
        """Births, and people moving in: new rows at the end, so that row numbers stay."""
        place, rng, wishes = self.place, self.rng, self.config.people
        self.people.registered[self.people.register_month == place.now] = True
        living = int((place.here & self.people.registered).sum())
        births = _whole(rng, living * wishes.births_per_year / 12)
        mothers = pick(rng, np.flatnonzero(may_be_mother(place, self.age)), births)
        arriving = _whole(rng, living * wishes.moved_in_per_year / 12)
        before, born = len(self.people), len(mothers)
        place.people = self.people = self.people.extended(self._new_rows(mothers, arriving))
        self.age = place.ages()
        babies, arrivals = np.arange(before, before + born), np.arange(before + born, len(self.people))
        house(place, rng, arrivals)
        name_and_number(place, rng, np.r_[babies, arrivals])
        self._insure_newcomers(babies, arrivals)

    def _new_rows(self, mothers: Integers, arriving: int) -> People:
        """The babies of these mothers, in their households, then grown-ups from elsewhere."""
        place, rng, born = self.place, self.rng, len(mothers)
        lag = self.config.people.birth_registered_after_months
        more = People.blank(born + arriving)
        more.male[:] = rng.random(len(more)) < MALE_SHARE
        more.birth[:born] = place.first_of_month + rng.integers(0, month(place.period).ends.day, born)
        more.birth[born:] = place.today - rng.integers(20 * 365, 50 * 365, arriving)
        more.township[born:] = rng.integers(0, len(place.townships), arriving)
        for name in ("township", "village", "household", "rural"):
            getattr(more, name)[:born] = getattr(self.people, name)[mothers]
        more.mother[:born] = mothers
        more.registered[:born] = lag == 0
        more.register_month[:born] = place.now + lag
        more.status_day[:] = np.maximum(place.first_of_month + 14, more.birth)
        more.wage[:] = 3300 + rng.integers(0, 4000, len(more)) // 10 * 10
        return more

    def _insure_newcomers(self, babies: Integers, arrivals: Integers) -> None:
        """Babies join the resident medical scheme after registration; most arrivals bring both resident schemes."""
        place, people, habits = self.place, self.people, self.habits
        small = place.alive & (self.age < 1) & people.registered & ~place.active(*MEDICALS)
        self._join_medical(self._some(small, habits.baby_medical_monthly_share))
        chance = self.rng.random(len(arrivals))
        self._join_medical(arrivals[chance < habits.arrivals_medical_share])
        self._join_resident(arrivals[chance < habits.arrivals_pension_share])
        people.card[arrivals] = np.where(chance < habits.arrivals_card_share, CARD_ISSUED, NO_CARD)
        people.card_day[np.r_[babies, arrivals]] = place.first_of_month + 12

    def _new_projects(self) -> None:
        place, rng = self.place, self.rng
        count = _whole(rng, max(PROJECTS_PER_MONTH_AT_LEAST, place.config.firms.projects_per_month * place.scale))
        place.projects = place.projects.extended(begun_projects(place, rng, count, first=len(place.projects)))


def _whole(rng: np.random.Generator, expected: float) -> int:
    """A whole number with this expectation."""
    return int(rng.poisson(expected))
