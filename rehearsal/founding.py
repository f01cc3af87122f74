"""How a synthetic place comes to be: everybody who lives there in its first month, and what they have behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.profile import SCHEMES
from rehearsal import names
from rehearsal.lives import (
    begun_projects,
    benefit_amount,
    builds,
    drawn_by_weight,
    enter_school,
    file_taxes,
    frailty,
    house,
    may_be_mother,
    name_and_number,
    own_share,
    pays,
    short_names,
)
from rehearsal.names import Bools, Integers, unit_hash
from rehearsal.state import (
    ABNORMAL,
    ACTIVE,
    AWAY,
    BIANYUAN,
    CANCELLED,
    CARD_APPLIED,
    CARD_ISSUED,
    CONVERTED,
    COVERED,
    DAYS_A_YEAR,
    DEREGISTERED,
    DIBAO,
    EM,
    ENDED_BY_DEATH,
    ENDED_BY_MOVE,
    ENROLLED_AT_SCHOOL,
    ENTERPRISE,
    EP,
    GOVERNMENT,
    INDIVIDUAL,
    INJURY_ONLY,
    INSTITUTION,
    IP,
    LEFT_SCHOOL,
    MA,
    MALE_SHARE,
    MEDICALS,
    MOVED_OUT,
    NO_CARD,
    NONE,
    NOT_DRAWING,
    OPERATING,
    PAYING,
    PENSION_AGE,
    PENSIONS,
    RESIDENT,
    RM,
    RP,
    SCHEME_BEGAN,
    SOCIAL,
    STILL,
    SUSPENDED,
    TEKUN,
    TERMINATED,
    TUOPIN,
    UN,
    UNCOVERED,
    WI,
    WORKING_AGE,
    Array,
    Employers,
    People,
    day_number,
    months_of,
    pick,
    tilted,
)

if TYPE_CHECKING:
    from rehearsal.place import Place



DUST_HAZARD_AT_LEAST = 10
"""Key dust-hazard employers of a small place: a rate over the workers of two or three would leap from 40 to 100."""


class Founding:
    """Builds a place step by step. Each step takes people out of the pool of those not yet placed."""

    def __init__(self, place: Place) -> None:
        self.place, self.config = place, place.config
        self.rng = np.random.default_rng([place.seed, 1])
        self.age: Array = np.empty(0)
        self.free: Bools = np.empty(0, dtype=bool)
        self.habits = place.config.habits

    def settle(self) -> None:
        """All steps in the order in which they depend on each other."""
        place = self.place
        place.people = self._population()
        self._lives_and_deaths()
        self._welfare()
        self._students()
        place.employers = self._employers()
        projects = max(2 * len(place.departments), place.scaled(self.config.firms.projects_at_start))
        place.projects = begun_projects(place, self.rng, projects, first=0)
        self._pensions()
        self._idle_firms()
        self._other_schemes()
        self._histories()
        self._benefits_and_cards()
        self._dust()
        self._newborns()
        file_taxes(place)

    # --- people ---

    def _population(self) -> People:
        place, rng, wishes = self.place, self.rng, self.config.people
        sizes = [size.persons for size in self.config.townships.values()]
        # Rounding the running total keeps the sum exact, whatever the scale.
        counts = np.diff(np.round(np.cumsum([0, *sizes]) * place.scale).astype(int))
        permits = np.round(counts * wishes.permit_holder_share).astype(int)
        people = People.blank(int(counts.sum() + permits.sum()))
        townships = np.arange(len(counts))
        people.township[:] = np.r_[np.repeat(townships, counts), np.repeat(townships, permits)]
        people.permit[counts.sum():] = True
        people.registered[:] = ~people.permit
        age = _ages_drawn(rng, len(people), wishes.bands)
        age[people.permit] = rng.uniform(18, 55, int(people.permit.sum()))
        people.birth[:] = place.today - (age * DAYS_A_YEAR).astype(int) - 1
        people.male[:] = rng.random(len(people)) < MALE_SHARE
        place.people = people
        self.age = place.ages()
        house(place, rng, np.arange(len(people)))
        name_and_number(place, rng, np.arange(len(people)))
        return people

    def _lives_and_deaths(self) -> None:
        """Deaths of the last 16 months (their rows are still in the register), moves, and who is away."""
        people, place, rng, wishes = self.place.people, self.place, self.rng, self.config.people
        count = len(people)
        local = np.flatnonzero(people.registered)
        dead = pick(rng, local, round(len(local) * wishes.deaths_per_year * 16 / 12), frailty(self.age[local]))
        people.death_day[dead] = np.maximum(place.today - rng.integers(0, 16 * 30, len(dead)), people.birth[dead])
        people.reported_month[dead] = place.now
        cancelled = dead[rng.random(len(dead)) < self.habits.dead_cancelled_share]
        people.status[cancelled] = CANCELLED
        people.status_day[:] = people.birth
        people.status_day[cancelled] = np.minimum(place.today, people.death_day[cancelled] + 30)
        alive = np.flatnonzero(people.registered & (people.death_day < 0))
        moved = pick(rng, alive, round(count * wishes.moved_out_share))
        people.status[moved] = MOVED_OUT
        people.status_day[moved] = place.today - rng.integers(0, 900, len(moved))
        staying = np.flatnonzero(people.registered & (people.death_day < 0) & (people.status == RESIDENT))
        # The young work elsewhere: most of those away are around 28.
        wanderlust = np.exp(-((self.age[staying] - 28) / 12) ** 2) + 0.02
        away = pick(rng, staying, round(count * wishes.away_share), wanderlust)
        people.status[away] = AWAY
        people.status_day[away] = place.today - rng.integers(0, 1500, len(away))
        people.status_day[:] = np.maximum(people.status_day, people.birth)

    def _welfare(self) -> None:
        """Households on low-income allowance or out of poverty; persons with special support or a certificate."""
        people, seed, wishes = self.place.people, self.place.seed, self.config.people
        by_house = unit_hash(seed, people.household, 61)
        people.hardship[by_house < wishes.dibao_share] = DIBAO
        rural_share = max(0.05, float(people.rural.mean()))
        poor = unit_hash(seed, people.household, 62) * rural_share
        people.poverty[people.rural & (poor < wishes.tuopin_share)] = TUOPIN
        people.poverty[people.rural & (poor > rural_share - wishes.bianyuan_share)] = BIANYUAN
        by_person = unit_hash(seed, np.arange(len(people)), 63)
        frail = np.clip(self.age / 45, 0.2, 2.2)
        people.disability[by_person < wishes.disabled_share * frail / frail.mean()] = 1
        certified = people.disability > 0
        people.disability[certified] = 1 + (unit_hash(seed, np.flatnonzero(certified), 64) * 4).astype(int)
        old = self.age >= PENSION_AGE
        alone = unit_hash(seed, np.arange(len(people)), 65) < wishes.tekun_share / max(0.01, float(old.mean()))
        people.hardship[old & alone] = TEKUN
        for kind in (people.hardship, people.poverty, people.disability):
            kind[people.permit] = 0

    def _students(self) -> None:
        people, place, wishes = self.place.people, self.place, self.config.people
        chance = unit_hash(place.seed, np.arange(len(people)), 66)
        local = place.here & people.registered
        at_school = local & (self.age >= 16) & (self.age <= 18) & (chance < wishes.school_share_16_to_18)
        at_university = local & (self.age >= 19) & (self.age <= 22) & (chance < wishes.school_share_19_to_22)
        enter_school(place, np.flatnonzero(at_school), university=False)
        enter_school(place, np.flatnonzero(at_university), university=True)
        left = local & (self.age >= 19) & (self.age <= 23) & (chance > 1 - self.habits.left_school_share)
        enter_school(place, np.flatnonzero(left), university=False)
        people.student[left] = LEFT_SCHOOL

    # --- employers ---

    def _employers(self) -> Employers:
        place, rng, habits = self.place, self.rng, self.habits
        units = max(20, place.scaled(self.config.firms.units))
        firms = Employers.blank(units + place.scaled(self.config.firms.individuals))
        order = np.arange(len(firms))
        part = unit_hash(place.seed, order, 71)
        shares = (habits.institutions_share, habits.government_share, habits.societies_share)
        public, offices, societies = np.cumsum(shares)
        kinds = [INDIVIDUAL, INSTITUTION, GOVERNMENT, SOCIAL]
        firms.kind[:] = np.select([order >= units, part < public, part < offices, part < societies], kinds, ENTERPRISE)
        firms.kind[:2] = INSTITUTION, GOVERNMENT
        lure = self._township_weights("employee_weight")
        firms.township[:] = rng.choice(len(lure), size=len(firms), p=lure / lure.sum())
        firms.industry[:] = rng.integers(0, len(names.INDUSTRIES), len(firms))
        firms.registered[:] = place.today - rng.integers(60, 7000, len(firms))
        self._standing(firms)
        areas = place.areas[firms.township]
        firms.credit_code[:] = names.credit_codes(areas, order + place.seed % 9973 * 40_000, firms.kind.astype(int))
        towns = short_names(place)[firms.township]
        firms.name[:] = names.employer_names(rng, place.plan.region.name, towns, firms.kind, firms.industry)
        return firms

    def _standing(self, firms: Employers) -> None:
        """Which firms operate, how big they are, for what they have enrolled their staff, and who pays tax."""
        rng, wishes, habits, order = self.rng, self.config.firms, self.habits, np.arange(len(firms))
        public = np.isin(firms.kind, (INSTITUTION, GOVERNMENT))
        state = rng.random(len(firms))
        operating, abnormal = np.cumsum([wishes.operating_share, wishes.abnormal_share])
        firms.status[:] = np.select(
            [public | (state < operating), state < abnormal], [OPERATING, ABNORMAL], DEREGISTERED)
        # Sizes spread over two powers of ten; a society has few employees, an individual business hardly any.
        firms.weight[:] = rng.lognormal(0.0, 1.1, len(firms))
        firms.weight[firms.kind == INDIVIDUAL] *= habits.individual_size
        firms.weight[firms.kind == SOCIAL] *= habits.society_size
        firms.weight[firms.status != OPERATING] = 0
        cover = rng.random(len(firms))
        none, injury = np.cumsum([wishes.uninsured_share, wishes.injury_only_share])
        firms.cover[:] = np.select([public, cover < none, cover < injury], [COVERED, UNCOVERED, INJURY_ONLY], COVERED)
        alone = (firms.kind == INDIVIDUAL) & (unit_hash(self.place.seed, order, 72) < habits.individual_uncovered_share)
        firms.cover[alone | (firms.status != OPERATING)] = UNCOVERED
        small_taxed = unit_hash(self.place.seed, order, 73) < habits.individual_taxed_share
        firms.taxed[:] = (firms.status != DEREGISTERED) & ((firms.kind != INDIVIDUAL) | small_taxed)

    def _township_weights(self, key: str) -> Array:
        return np.array([size.persons * getattr(size, key) for size in self.config.townships.values()], dtype=float)

    # --- who is insured where ---

    def _pensions(self) -> None:
        """Exact numbers for each pension scheme, in the order in which a job decides."""
        place, levels, rng = self.place, self.config.levels, self.rng
        people, age = place.people, self.age
        eligible = place.here & (age >= WORKING_AGE) & (people.student != ENROLLED_AT_SCHOOL)
        self.free = eligible & (age < PENSION_AGE)
        for_staff = self._lure("employee_weight")
        institution = self._take(levels.institution_pension, (age >= 22), self._lure("institution_weight"))
        self._hire(institution, (INSTITUTION, GOVERNMENT), (COVERED,))
        people.scheme[IP, institution] = ACTIVE
        at_work = (age >= 18) & (people.male | (age < 55))
        staff = self._take(levels.employee_pension - levels.flexible, at_work, for_staff)
        self._hire(staff, (ENTERPRISE, SOCIAL, INDIVIDUAL), (COVERED,))
        flexible = self._take(levels.flexible, age >= 25, for_staff)
        people.scheme[EP, np.r_[staff, flexible]] = ACTIVE
        bare = self._take(levels.employed_without_pension, age >= 18, for_staff)
        convertible = self._take(levels.conversion_candidates, age >= 18, for_staff)
        private = (ENTERPRISE, SOCIAL, INDIVIDUAL)
        self._hire(np.r_[bare, convertible], private, (UNCOVERED, INJURY_ONLY, COVERED), even=True)
        people.scheme[RP, convertible] = ACTIVE
        people.scheme[RP, pick(rng, np.r_[staff, flexible], place.scaled(levels.two_pension_schemes))] = ACTIVE
        self._pensioners(eligible & (age >= PENSION_AGE))
        self._residents()
        self._interrupted_and_past()

    def _lure(self, key: str) -> Array:
        weights = np.array([getattr(size, key) for size in self.config.townships.values()])
        return weights[self.place.people.township]

    def _take(self, count: int, who: Bools, weights: Array) -> Integers:
        pool = np.flatnonzero(self.free & who)
        taken = pick(self.rng, pool, self.place.scaled(count), weights[pool])
        self.free[taken] = False
        return taken

    def _hire(self, who: Integers, kinds: tuple[int, ...], covers: tuple[int, ...], even: bool = False) -> None:
        """Give persons an employer of these kinds, most near home. ``even`` gives each cover the same weight."""
        people, firms = self.place.people, self.place.employers
        fits = np.isin(firms.kind, kinds) & np.isin(firms.cover, covers) & (firms.status == OPERATING)
        weight = np.where(fits, firms.weight + 1e-6, 0.0)
        if even:
            for cover in covers:
                chosen = fits & (firms.cover == cover)
                weight[chosen] /= max(weight[chosen].sum(), 1e-9)
        near = self.rng.random(len(who)) < self.habits.works_near_home_share
        home = people.township[who]
        for township in range(len(self.config.townships)):
            local = np.where(firms.township == township, weight, 0)
            stays = near & (home == township) & (local.sum() > 0)
            people.employer[who[stays]] = drawn_by_weight(self.rng, local, int(stays.sum()))
            near &= ~(~stays & (home == township))
        people.employer[who[~near]] = drawn_by_weight(self.rng, weight, int((~near).sum()))
        people.job_month[who] = self.place.now - self.rng.geometric(1 / 40, len(who)).clip(0, 240)

    def _pensioners(self, old: Bools) -> None:
        """Everyone of 60 and over draws from one scheme, but for a few who never claimed or never enrolled."""
        place, people, levels, rng = self.place, self.place.people, self.config.levels, self.rng
        left = old.copy()
        retired = ((IP, levels.institution_retirees, "institution_weight"),
                   (EP, levels.employee_retirees, "employee_weight"))
        for scheme, count, lure in retired:
            pool = np.flatnonzero(left)
            chosen = pick(rng, pool, place.scaled(count), self._lure(lure)[pool])
            people.scheme[scheme, chosen] = TERMINATED
            people.benefit[chosen] = PENSIONS.index(scheme)
            people.benefit_state[chosen] = PAYING
            left[chosen] = False
        rest = np.flatnonzero(left)
        chance = rng.random(len(rest))
        without = self.config.people.sixty_plus_without_benefit_share
        drawing, waiting = rest[chance >= without], rest[(chance < without) & (chance >= without / 2)]
        people.scheme[RP, np.r_[drawing, waiting]] = ACTIVE
        people.benefit[drawing] = PENSIONS.index(RP)
        people.benefit_state[drawing] = PAYING

    def _residents(self) -> None:
        """Fill the resident pension of each township to its level, leaving some uninsured."""
        place, people = self.place, self.place.people
        for index, size in enumerate(self.config.townships.values()):
            here = people.township == index
            pool = np.flatnonzero(self.free & here)
            spare = round(self.config.uninsured_share * (len(pool) + int((here & place.active(*PENSIONS)).sum())))
            wanted = len(pool) - spare
            if size.resident_pension is not None:
                wanted = place.scaled(size.resident_pension) - int((here & (people.scheme[RP] == ACTIVE)).sum())
            joined = pick(self.rng, pool, min(wanted, round(len(pool) * 0.985)))
            people.scheme[RP, joined] = ACTIVE
            self.free[joined] = False

    def _interrupted_and_past(self) -> None:
        """Of those left over, some once paid; and of the dead and moved, most had been insured."""
        place, people, rng = self.place, self.place.people, self.rng
        rest = np.flatnonzero(self.free)
        chance = rng.random(len(rest)) / max(self.config.levels.interrupted_share_of_rest, 1e-9)
        people.scheme[RP, rest[chance < 0.68]] = SUSPENDED
        people.scheme[EP, rest[(chance >= 0.68) & (chance < 1) & (self.age[rest] >= 20)]] = SUSPENDED
        was_insured = rng.random(len(people)) < self.habits.past_insured_share
        past = np.flatnonzero(~place.here & (self.age >= WORKING_AGE) & ~people.permit & was_insured)
        people.scheme[RP, past] = TERMINATED
        dead = people.death_day[past] >= 0
        people.end_reason[past] = np.where(dead, ENDED_BY_DEATH, ENDED_BY_MOVE)
        people.ended_day[past] = np.maximum(people.death_day[past], people.status_day[past])
        lingering = past[dead & (rng.random(len(past)) < self.config.people.dead_still_insured_share)]
        people.scheme[RP, lingering] = ACTIVE
        people.end_reason[lingering], people.ended_day[lingering] = STILL, -1
        people.benefit[lingering] = np.where(self.age[lingering] >= PENSION_AGE, PENSIONS.index(RP), -1)
        people.benefit_state[lingering] = np.where(self.age[lingering] >= PENSION_AGE, PAYING, NOT_DRAWING)
        people.employer[~place.here] = -1
        self._converted_before()

    def _converted_before(self) -> None:
        """Some of the employees left the resident scheme years ago: no conversions of this campaign (C7)."""
        place, people, rng = self.place, self.place.people, self.rng
        pool = np.flatnonzero(place.active(EP) & (people.scheme[RP] == NONE))
        rows = pick(rng, pool, place.scaled(self.config.levels.converted_before))
        people.scheme[RP, rows], people.end_reason[rows] = TERMINATED, CONVERTED
        earlier = min(day_number(place.plan.starts), place.today)
        people.ended_day[rows] = earlier - rng.integers(30, 1200, len(rows))

    def _idle_firms(self) -> None:
        """A unit without staff seldom files taxes."""
        firms = self.place.employers
        idle = (self.place.staff == 0) & (firms.kind != INDIVIDUAL)
        silent = unit_hash(self.place.seed, np.arange(len(firms)), 74) < self.habits.idle_untaxed_share
        firms.taxed &= ~(idle & silent)

    def _other_schemes(self) -> None:
        place, people, levels, rng = self.place, self.place.people, self.config.levels, self.rng
        at_work = people.employer >= 0
        staff = at_work & place.active(EP, IP)
        flexible = ~at_work & place.active(EP)
        retired = (people.benefit_state == PAYING) & (people.benefit >= 0) & (people.benefit != PENSIONS.index(RP))
        flexible &= rng.random(len(people)) < self.habits.flexible_medical_share
        people.scheme[EM, staff | retired | flexible] = ACTIVE
        people.scheme[MA, staff & (rng.random(len(people)) < self.habits.maternity_share)] = ACTIVE
        covered = np.flatnonzero(staff)
        # Officials are not insured against unemployment, other public staff are.
        weight = np.where(people.scheme[IP, covered] == ACTIVE, 0.12, 1.0)
        people.scheme[UN, pick(rng, covered, place.scaled(levels.unemployment), weight)] = ACTIVE
        pool = np.flatnonzero((place.here | people.permit) & place.alive & (people.scheme[EM] != ACTIVE))
        wanted = round(int(people.registered.sum()) * levels.resident_medical_share)
        people.scheme[RM, pick(rng, pool, wanted, np.where(people.status[pool] == AWAY, 0.35, 1.0))] = ACTIVE
        self._work_injury(staff)

    def _work_injury(self, staff: Bools) -> None:
        """Everyone at work in a covered firm, then workers on building sites, up to the level."""
        place, people, firms, rng = self.place, self.place.people, self.place.employers, self.rng
        by_firm = (people.employer >= 0) & (firms.cover[people.employer] == INJURY_ONLY)
        wanted = place.scaled(self.config.levels.work_injury)
        at_firms = np.flatnonzero(staff | by_firm)
        people.scheme[WI, pick(rng, at_firms, wanted)] = ACTIVE
        builders = np.flatnonzero(builds(firms) & (firms.cover >= INJURY_ONLY))
        farmers = place.here & people.male & (people.employer < 0) & (people.scheme[RP] == ACTIVE)
        pool = np.flatnonzero(farmers & (self.age >= 20) & (self.age < PENSION_AGE))
        on_site = pick(rng, pool, (wanted - len(at_firms)) if len(builders) else 0)
        people.scheme[WI, on_site] = ACTIVE
        if len(on_site):
            people.site[on_site] = builders[rng.integers(0, len(builders), len(on_site))]

    # --- since when, how much ---

    def _histories(self) -> None:
        """Enrolment days and last payments that fit the status; tiers with the wanted mean."""
        place, people = self.place, self.place.people
        for scheme in range(len(SCHEMES)):
            self._history(scheme)
        people.wage[:] = 3300 + (unit_hash(place.seed, np.arange(len(people)), 81) ** 2 * 7000).astype(int) // 10 * 10
        self._resident_payments()
        medical = np.flatnonzero(people.scheme[RM] == ACTIVE)
        # The resident medical scheme collects for a year in the last months of the year before.
        people.last_paid[RM, medical] = place.now // 12 * 12 - 12 + self.rng.integers(8, 12, len(medical))
        people.medical_paid[medical] = self.config.money.resident_medical_yuan

    def _history(self, scheme: int) -> None:
        place, people, rng = self.place, self.place.people, self.rng
        rows = np.flatnonzero(people.scheme[scheme] != NONE)
        grown = people.birth[rows] + (0 if scheme == RM else int(WORKING_AGE * DAYS_A_YEAR))
        first = np.maximum(grown, SCHEME_BEGAN[scheme]).clip(max=place.today - 40)
        enrolled = first + (rng.random(len(rows)) * (place.today - 30 - first)).astype(int)
        ended = np.where((scheme == RP) & (people.ended_day[rows] >= 0), people.ended_day[rows], place.today)
        people.enrolled[scheme, rows] = np.minimum(enrolled, ended)
        people.last_paid[scheme, rows] = place.now
        behind = rows[people.scheme[scheme, rows] != ACTIVE]
        recent = rng.random(len(behind)) < 0.2
        gap = np.where(recent, rng.integers(2, 6, len(behind)), rng.integers(6, 49, len(behind)))
        people.last_paid[scheme, behind] = np.maximum(place.now - gap, months_of(people.enrolled[scheme, behind]))

    def _resident_payments(self) -> None:
        """Tiers with the wanted mean among those who pay themselves; some have paid for this year already."""
        place, people, rng, money = self.place, self.place.people, self.rng, self.config.money
        rows = np.flatnonzero(people.scheme[RP] != NONE)
        values, chances = tilted(money.tiers, money.mean_yuan)
        people.tier[rows] = values[rng.choice(len(values), len(rows), p=chances)]
        aided = (people.hardship[rows] > 0) | (people.poverty[rows] > 0) | np.isin(people.disability[rows], (1, 2))
        people.tier[rows[aided & (rng.random(len(rows)) < 0.85)]] = money.subsidised_tier
        people.pay_month[rows] = rng.choice(12, len(rows), p=_PAYING_SEASON)
        paying = rows[pays(place, rows)]
        year_start = place.now // 12 * 12
        early = rng.random(len(paying)) < money.paid_by_start_share
        this_year = year_start + rng.integers(0, place.now - year_start + 1, len(paying))
        people.last_paid[RP, paying] = np.where(early, this_year, year_start - 12 + rng.integers(2, 12, len(paying)))
        people.paid[paying] = np.where(early, own_share(place, paying), 0)
        drawing = np.flatnonzero((people.scheme[RP] != NONE) & (people.benefit_state == PAYING))
        people.last_paid[RP, drawing] = np.minimum(_sixty(people.birth[drawing]), place.now)

    def _benefits_and_cards(self) -> None:
        place, people, rng = self.place, self.place.people, self.rng
        drawing = np.flatnonzero(people.benefit_state == PAYING)
        people.benefit_month[drawing] = np.minimum(_sixty(people.birth[drawing]) + 1, place.now)
        people.benefit_yuan[drawing] = benefit_amount(place, drawing)
        chance = unit_hash(place.seed, np.arange(len(people)), 82)
        has = self.config.people.card_share * np.where(self.age < 6, 0.75, 1.0)
        people.card[:] = np.select([chance < has, chance < has + 0.015], [CARD_ISSUED, CARD_APPLIED], NO_CARD)
        people.card_day[:] = place.today - rng.integers(20, 2500, len(people))

    def _dust(self) -> None:
        """The key dust-hazard employers: of dusty trades, with staff; a part of them has enrolled nobody."""
        place, firms, wishes = self.place, self.place.employers, self.config.firms
        staff = place.staff
        wanted = max(DUST_HAZARD_AT_LEAST, place.scaled(wishes.dust_hazard))
        dusty = np.flatnonzero((firms.kind == ENTERPRISE) & (firms.status == OPERATING) & (staff >= 2))
        bare = dusty[firms.cover[dusty] == UNCOVERED]
        covered = dusty[firms.cover[dusty] != UNCOVERED]
        preferred = np.where(np.isin(firms.industry[covered], names.DUST_INDUSTRIES), 20.0, 1.0)
        without = round(wanted * wishes.dust_uninsured_share)
        chosen = np.r_[pick(self.rng, bare, without), pick(self.rng, covered, wanted - without, preferred)]
        firms.dust[chosen] = True
        firms.industry[chosen] = np.array(names.DUST_INDUSTRIES)[chosen % len(names.DUST_INDUSTRIES)]
        firms.exposed[chosen] = np.maximum(1, (staff[chosen] * self.rng.uniform(0.3, 0.9, len(chosen))).astype(int))


    def _newborns(self) -> None:
        """Where a feed tells of newborns, the youngest are not yet in the population register (B40)."""
        place, people = self.place, self.place.people
        if all(feed.feed != "newborns" for feed in place.plan.feeds):
            return
        lag = self.config.people.birth_registered_after_months
        born = months_of(people.birth)
        babies = np.flatnonzero(people.registered & (born > place.now - lag) & place.here)
        mothers = np.flatnonzero(may_be_mother(place, self.age))
        by_home = np.argsort(people.township[mothers], kind="stable")
        position = np.searchsorted(people.township[mothers][by_home], people.township[babies], side="right") - 1
        people.mother[babies] = mothers[by_home[position.clip(0)]] if len(mothers) else babies
        people.registered[babies] = False
        people.register_month[babies] = born[babies] + lag
        for scheme in MEDICALS:
            people.scheme[scheme, babies] = NONE
            people.enrolled[scheme, babies] = people.last_paid[scheme, babies] = -1


_PAYING_SEASON = np.array([2, 4, 6, 8, 9, 10, 11, 12, 13, 12, 8, 5]) / 100
"""In which month a resident pays the yearly contribution: collection runs over summer and autumn."""


def _ages_drawn(rng: np.random.Generator, count: int, bands: Sequence[tuple[int, int, float]]) -> Array:
    """Ages in years by bands; within the last band the old are fewer."""
    shares = np.array([share for _, _, share in bands])
    which = rng.choice(len(bands), count, p=shares / shares.sum())
    low = np.array([band[0] for band in bands])[which]
    high = np.array([band[1] for band in bands])[which]
    position = rng.random(count)
    oldest = which == len(bands) - 1
    return low + np.where(oldest, position ** 1.8, position) * (high - low)



def _sixty(birth: Integers) -> Integers:
    """The month in which somebody turns sixty."""
    return months_of(birth + int(PENSION_AGE * DAYS_A_YEAR))
