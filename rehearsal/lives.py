"""What people and firms are like, whenever they appear: names and numbers, households, schools, what they pay and draw."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from models.errors import CanbaoError
from rehearsal import names
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.state import (
    ACTIVE,
    ENROLLED_AT_SCHOOL,
    ENTERPRISE,
    HIGH_SCHOOL,
    INDIVIDUAL,
    OPERATING,
    OTHER_STAGE,
    PENSION_AGE,
    RP,
    UNIVERSITY,
    VOCATIONAL,
    Array,
    Employers,
    Projects,
    day_number,
)
from rules.periods import month

if TYPE_CHECKING:
    from rehearsal.place import Place



def short_names(place: Place) -> Strings:
    return np.array([org.short for org in place.townships])


def drawn_by_weight(rng: np.random.Generator, weight: Array, count: int) -> Integers:
    if count == 0 or weight.sum() <= 0:
        return np.full(count, -1, dtype=np.int64)
    edges = np.cumsum(weight)
    return np.searchsorted(edges, rng.random(count) * edges[-1], side="right")


def house(place: Place, rng: np.random.Generator, rows: Integers) -> None:
    """A village and a household for each person, so that ages within a household fit together.

    Every household has a place in the order of its grown-ups' ages; a child goes to parents some 28 years older, an
    old person to children some 26 years younger; whose order is beyond all lives with anybody of the village.
    """
    people, age = place.people, place.ages(rows)
    base = 0
    to_parents, to_children = rng.normal(28, 4, len(rows)), rng.normal(26, 4, len(rows))
    # Ages are whole years: without a part of a year all grown-ups of one age and village would share a household.
    exact = age + unit_hash(place.seed, rows, 58)
    between = np.select([age < 18, age >= 60], [age + to_parents, age - to_children], exact)
    order = (between - 18) / 42
    place_in_order = np.where((order >= 0) & (order < 1), order, unit_hash(place.seed, rows, 59))
    for index, size in enumerate(place.config.townships.values()):
        mine = people.township[rows] == index
        villages = len(place.villages[index])
        houses = max(1, int(place.scaled(size.persons) / place.config.people.household_size / villages))
        village = rng.integers(0, villages, int(mine.sum()))
        people.village[rows[mine]] = village
        people.household[rows[mine]] = base + village * houses + (place_in_order[mine] * houses).astype(int)
        people.rural[rows[mine]] = unit_hash(place.seed, people.household[rows[mine]], 60) < size.rural_share
        base += villages * houses


def name_and_number(place: Place, rng: np.random.Generator, rows: Integers) -> None:
    people, wishes = place.people, place.config.people
    family = names.family_names(place.seed, people.household[rows])
    married_in = ~people.male[rows] & (place.ages(rows) >= 24) & (rng.random(len(rows)) < 0.93)
    family = np.where(married_in, names.surnames(rng, len(rows)), family)
    spelled = names.han_names(rng, family, people.male[rows])
    dotted = unit_hash(place.seed, people.household[rows], 67) < wishes.dotted_name_share
    long = names.dotted_names(rng, people.male[rows], seed=place.seed, households=people.household[rows],
                              is_child=place.ages(rows) < 24, region=place.plan.region.code)
    people.name[rows] = np.where(dotted, long, spelled)
    people.id_number[rows] = numbered(place, rng, rows, married_in)


def numbered(place: Place, rng: np.random.Generator, rows: Integers, married_in: Bools) -> Strings:
    """Citizen numbers nobody has yet. The area is the one at birth: a former code, or elsewhere for who moved in."""
    people, wishes, region = place.people, place.config.people, place.plan.region
    areas = place.areas[people.township[rows]]
    if region.former_codes:
        until = wishes.former_code_until
        before = people.birth[rows] < day_number(until) if until else rng.random(len(rows)) < 0.6
        # In a prefecture a former code is one county's among many.
        was_renamed = (areas == int(region.code)) | (rng.random(len(rows)) < 0.15)
        retired = np.array([int(code) for code in region.former_codes])
        areas = np.where(before & was_renamed, retired[rng.integers(0, len(retired), len(rows))], areas)
    came = np.where(married_in, 2 * wishes.foreign_area_share, wishes.foreign_area_share / 2)
    elsewhere = people.permit[rows] | (rng.random(len(rows)) < came)
    foreign = np.array(names.FOREIGN_AREAS)[rng.integers(0, len(names.FOREIGN_AREAS), len(rows))]
    areas = np.where(elsewhere, foreign, areas)
    # Only somebody born on the same day can have the same number.
    born_alike = people.id_number[np.isin(people.birth, people.birth[rows])]
    taken = born_alike[born_alike != ""]
    for attempt in range(100):
        serials = names.serials(areas, people.birth[rows], people.male[rows], place.seed + attempt)
        numbers = names.citizen_numbers(areas, people.birth[rows], serials)
        if not (len(taken) and np.isin(numbers, taken).any()):
            return numbers
    raise CanbaoError("no free citizen numbers are left for newcomers.", where="synthetic place",
                      cure="Rehearse with fewer persons or give its townships more area codes.")


def enter_school(place: Place, rows: Integers, *, university: bool) -> None:
    people = place.people
    chance = unit_hash(place.seed, rows, 68)
    stages = np.select([chance < 0.62, chance < 0.98], [HIGH_SCHOOL, VOCATIONAL], OTHER_STAGE)
    people.stage[rows] = UNIVERSITY if university else stages
    people.student[rows] = ENROLLED_AT_SCHOOL
    people.school[rows] = (unit_hash(place.seed, rows, 69) * 6).astype(int)
    age = place.ages(rows)
    since = place.now // 12 + (0 if place.now % 12 >= 8 else -1) - (age - 16) % 3
    people.student_day[rows] = [day_number(date(int(year), 9, 1)) for year in since]


def begun_projects(place: Place, rng: np.random.Generator, count: int, *, first: int) -> Projects:
    """New projects; those of the first month began over the last two years, later ones in the month itself."""
    firms, wishes = place.employers, place.config.firms
    builders = np.flatnonzero(builds(firms) & (firms.kind == ENTERPRISE))
    builders = builders if len(builders) else np.flatnonzero(firms.kind != INDIVIDUAL)
    made = Projects.blank(count)
    made.township[:] = rng.integers(0, len(place.townships), count)
    made.department[:] = (first + np.arange(count)) % len(place.departments)
    made.employer[:] = builders[rng.integers(0, len(builders), count)]
    back = rng.integers(0, 700, count) if first == 0 else rng.integers(0, month(place.period).ends.day, count)
    made.started[:] = place.today - back
    made.name[:] = names.project_names(rng, place.plan.region.name, short_names(place)[made.township])
    year, area = place.period[:4], place.plan.region.code
    made.permit_no[:] = [f"{area}{year}{place.period[5:7]}{first + i + 1:06d}" for i in range(count)]
    insured = rng.random(count) < wishes.projects_insured_share
    made.insured_day[insured] = made.started[insured] - rng.integers(0, 20, int(insured.sum()))
    return made


def builds(firms: Employers) -> Bools:
    """Operating firms of the building trades."""
    return (firms.status == OPERATING) & np.isin(firms.industry, names.BUILDING_INDUSTRIES)


def frailty(age: Array) -> Array:
    """How likely one dies, relative to somebody of sixty: twice as likely with every eight years (Gompertz)."""
    return np.exp((age - 60) / 11)


def may_be_mother(place: Place, age: Integers) -> Bools:
    people = place.people
    return place.here & people.registered & ~people.male & (age >= 20) & (age <= 42)


def pays(place: Place, rows: Integers) -> Bools:
    """Who pays a yearly contribution to the resident scheme: active, alive and under 60."""
    people = place.people
    return (people.scheme[RP, rows] == ACTIVE) & (people.death_day[rows] < 0) & (place.ages(rows) < PENSION_AGE)


def own_share(place: Place, rows: Integers) -> Integers:
    """What of the tier persons pay themselves: nothing where the government pays the subsidised one."""
    tier = place.people.tier[rows]
    return np.where(tier == place.config.money.subsidised_tier, 0, tier)


def benefit_amount(place: Place, rows: Integers) -> Integers:
    """Monthly amounts: the resident scheme pays little, the others a part of a wage."""
    people, chance = place.people, unit_hash(place.seed, rows, 83)
    resident = place.config.money.resident_benefit_yuan * (0.9 + 0.6 * chance)
    scheme = people.benefit[rows]
    return np.select([scheme == 0, scheme == 1], [1900 + 1600 * chance, 3600 + 2600 * chance], resident).astype(int)


def file_taxes(place: Place) -> None:
    """The last month taxed: most file each month, some a little late, a few have stopped."""
    firms = place.employers
    chance = unit_hash(place.seed, np.arange(len(firms)), 84)
    late = np.select([chance < 0.86, chance < 0.95], [0, 1], 2)
    current = firms.taxed & ((chance < 0.97) & (firms.status == OPERATING) | (firms.last_taxed < 0))
    stopped = firms.taxed & ((chance >= 0.97) | (firms.status != OPERATING))
    firms.last_taxed[current] = place.now - late[current]
    first_time = stopped & (firms.last_taxed >= place.now - 2) & (firms.last_taxed >= 0)
    if place.period == place.config.first_period:
        firms.last_taxed[first_time] = place.now - 8 - (chance[first_time] * 100).astype(int) % 20
