"""What a made-up place can write into a department's file: who or what stands in it, and what stands in each cell.

A contract names these sources (``made_up``); a site's own feed uses the same ones, and those that make something up by chance
(``among``, ``whole_number``, ``days_ago``). In this module every row is right; mistakes are made afterwards (``defects``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.contract import Contract, MadeUp, MadeUpCell
from models.plan import Organisation
from models.profile import SCHEMES
from rehearsal import names
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.place import Place
from rehearsal.state import INDIVIDUAL, NO_CARD, NONE, NOT_DRAWING, STILL, WI, Array, label, months_of

Columns: TypeAlias = dict[str, pa.Array]


# --- which rows -----------------------------------------------------------------------------------------


def on_record(place: Place) -> Bools:
    """Whom departments know by number: the registered, and holders of permits."""
    return place.people.registered | place.people.permit


def _local(place: Place, kind: Integers) -> Bools:
    return np.asarray((kind > 0) & place.here & place.people.registered)


@dataclass(frozen=True)
class Rows:
    """Who or what stands in a file: ``chosen`` of the persons, employers or projects of a place (``of``). ``told_in`` is the month
    in which each is first told of, for feeds that may come as supplements; negative is never."""

    of: str
    chosen: Callable[[Place, str], Bools]
    told_in: Callable[[Place], Integers] | None = None


ROWS: dict[str, Rows] = {
    "registered": Rows("person", lambda place, feed: place.people.registered),
    "living_permit_holders": Rows("person", lambda place, feed: place.people.permit & place.alive),
    "residents": Rows("person", lambda place, feed: place.here & on_record(place)),
    "dead": Rows("person", lambda place, feed: (place.people.death_day >= 0) & (place.people.reported_month <= place.now),
                 lambda place: np.where(place.people.death_day >= 0, place.people.reported_month, -1)),
    "unnumbered_newborns": Rows("person", lambda place, feed: ~on_record(place) & (place.people.mother >= 0),
                                lambda place: np.where(place.people.mother >= 0, months_of(place.people.birth), -1)),
    "at_school": Rows("person", lambda place, feed: (place.people.student > 0) & place.here & (place.ages() < 25)),
    "on_hardship": Rows("person", lambda place, feed: _local(place, place.people.hardship)),
    "out_of_poverty": Rows("person", lambda place, feed: _local(place, place.people.poverty)),
    "disabled": Rows("person", lambda place, feed: _local(place, place.people.disability)),
    "employed": Rows("person", lambda place, feed: (place.people.employer >= 0) & place.alive),
    "in_scheme": Rows("person", lambda place, feed: (place.people.scheme[SCHEMES.index(feed)] != NONE) & on_record(place)),
    "drawing": Rows("person", lambda place, feed: place.people.benefit_state != NOT_DRAWING),
    "card_holders": Rows("person", lambda place, feed: (place.people.card != NO_CARD) & place.here & on_record(place)),
    "units": Rows("employer", lambda place, feed: np.full(len(place.employers), True)),
    "taxed_units": Rows("employer", lambda place, feed: place.employers.taxed & (place.employers.last_taxed >= 0)),
    "dusty_units": Rows("employer", lambda place, feed: place.employers.dust),
    "projects": Rows("project", lambda place, feed: np.full(len(place.projects), True)),
    "published": Rows("statistic", lambda place, feed: np.empty(0, dtype=bool)),
}
"""Sources of rows, in the order of the file. ``in_scheme`` is of the feed's own scheme."""


def rows_now(place: Place, contract: Contract, made_up: MadeUp) -> Integers:
    """Which rows of the place a feed holds now. Of a ``share`` of them another part is in it every month: whoever is in it goes,
    and somebody else comes, in so many months as the contract says."""
    chosen = np.flatnonzero(ROWS[made_up.rows].chosen(place, contract.feed))
    if made_up.share >= 1:
        return chosen
    turn = unit_hash(place.seed, chosen, salt_of(contract.feed)) + place.now / made_up.changes_in_months
    return chosen[(turn % 1.0) < made_up.share]


def salt_of(word: str) -> int:
    """A number that stands for a word, the same on every machine."""
    return 1000 + sum((place + 1) * ord(letter) for place, letter in enumerate(word))


# --- what stands in a row -------------------------------------------------------------------------------


def texts(values: Strings | list[str]) -> pa.Array:
    """Texts as Arrow. Converting a NumPy text array directly takes a hundred times as long as going through a list."""
    return pa.array(values if isinstance(values, list) else values.tolist(), type=pa.string())


def same(text: str, count: int) -> pa.Array:
    """One text in every row."""
    return pa.array([text], type=pa.string()).take(pa.array(np.zeros(count, dtype=np.int64)))


def chosen(pool: Iterable[str], which: Array) -> pa.Array:
    """``pool[which]``; a negative choice is blank."""
    kept = pa.array(list(pool), type=pa.string())
    return kept.take(pa.array(np.where(which < 0, 0, which), mask=which < 0))


def numbers(values: Array) -> pa.Array:
    """Whole numbers as Arrow."""
    return pa.array(values.astype(np.int64))


class Writer:
    """The cells of one feed's file for one provider; township names follow one spelling a file."""

    def __init__(self, place: Place, contract: Contract, made_up: MadeUp, provider: str, dates: str | None, rows: Integers) -> None:
        self.place, self.feed, self.rows = place, contract.feed, rows
        self.dates, self.months = dates or made_up.dates, made_up.months
        self.spelling = sum(ord(letter) for letter in contract.feed + provider) % 4

    def cell(self, name: str, how: MadeUpCell) -> pa.Array:
        """One column: its source's cells, in the department's spelling if they are codes."""
        made = CELLS[how.cell](self) if how.cell in CELLS else BY_CHANCE[how.cell](self, name, how)
        if isinstance(made, pa.Array):
            return made
        return chosen(how.written, made.astype(np.int64)) if how.written else numbers(made)

    def chance(self, name: str) -> Array:
        """A number from 0 to 1 for each row, the same every month."""
        return unit_hash(self.place.seed, self.rows, salt_of(f"{self.feed}.{name}"))

    def township(self, which: Integers) -> pa.Array:
        return chosen([spelled(org, self.spelling) for org in self.place.townships], which)

    def in_full(self, which: Integers) -> pa.Array:
        """The place's and the township's name, as an address begins."""
        return chosen([self.place.plan.region.name + org.name for org in self.place.townships], which)

    def village(self, townships: Integers, villages: Integers) -> pa.Array:
        starts = np.cumsum([0, *(len(found) for found in self.place.villages)])
        return chosen([name for found in self.place.villages for name in found], starts[townships] + villages)

    def day(self, days: Integers) -> pa.Array:
        """Dates as the department writes them; before 1900 is blank."""
        kept = pa.array(days.astype(np.int32), mask=days <= -25_000).cast(pa.date32())
        return kept.cast(pa.string()) if self.dates == "%Y-%m-%d" else pc.strftime(kept, self.dates)

    def day_if(self, days: Integers) -> pa.Array:
        """Dates where -1 means none."""
        return self.day(np.where(days < 0, -30_000, days))

    def month(self, ordinals: Integers) -> pa.Array:
        """Months as the department writes them; a negative one is blank."""
        if not len(ordinals):
            return pa.array([], type=pa.string())
        first = int(max(0, ordinals.min()))
        known = [label(number).replace("-", self.months) for number in range(first, int(ordinals.max()) + 1)]
        return chosen(known or [""], np.where(ordinals < 0, -1, ordinals - first))

    def household(self) -> pa.Array:
        """Household numbers: the region's code and a running number."""
        numbers = int(self.place.plan.region.code) * 10**7 + self.place.people.household[self.rows].astype(np.int64)
        return texts(numbers.astype("U13"))

    def employer(self, which: Integers, code: str = "employer_code", name: str = "employer_name") -> Columns:
        firms = self.place.employers
        return {code: chosen(firms.credit_code.tolist(), which), name: chosen(firms.name.tolist(), which)}


def spelled(org: Organisation, style: int) -> str:
    """One township name in one of the ways people write it: in full, short, or one of its other names."""
    others = [alias for alias in org.aliases if alias != org.short] or [org.name]
    return (org.name, org.short, others[0], others[-1])[style]


def _person(column: str) -> Callable[[Writer], Array]:
    return lambda file: getattr(file.place.people, column)[file.rows]


def _firm(column: str) -> Callable[[Writer], Array]:
    return lambda file: getattr(file.place.employers, column)[file.rows]


def _scheme(column: str) -> Callable[[Writer], Integers]:
    """A column of the feed's own scheme."""
    return lambda file: getattr(file.place.people, column)[SCHEMES.index(file.feed), file.rows]


def _payer(file: Writer) -> Integers:
    """The employer who pays; on a building site, in work injury, its contractor."""
    people = file.place.people
    through = people.employer[file.rows]
    return np.where(through >= 0, through, people.site[file.rows]) if SCHEMES.index(file.feed) == WI else through


def _address(file: Writer) -> pa.Array:
    people, rows = file.place.people, file.rows
    village = file.village(people.township[rows], people.village[rows])
    number = texts((people.household[rows] % 700 + 1).astype("U4"))
    return pc.binary_join_element_wise(file.in_full(people.township[rows]), village, number, "号", "")


def _unit_address(file: Writer) -> pa.Array:
    place, firms, rows = file.place, file.place.employers, file.rows
    villages = np.array([len(found) for found in place.villages])[firms.township[rows]]
    village = (unit_hash(place.seed, rows, 96) * villages).astype(int)
    return pc.binary_join_element_wise(
        file.in_full(firms.township[rows]), file.village(firms.township[rows], village), texts((rows % 300 + 1).astype("U4")), "号", "")


def _hospital(file: Writer) -> pa.Array:
    hospitals = [f"{org.name}卫生院" for org in file.place.townships] + [f"{file.place.plan.region.name}人民医院"]
    central = unit_hash(file.place.seed, file.rows, 93) < 0.4
    return chosen(hospitals, np.where(central, len(hospitals) - 1, file.place.people.township[file.rows]))


def _school(file: Writer) -> pa.Array:
    people, rows, region = file.place.people, file.rows, file.place.plan.region.name
    widest = max(len(schools) for schools in names.SCHOOLS)
    schools = [(own[i % len(own)] if number == 2 else region + own[i % len(own)])
               for number, own in enumerate(names.SCHOOLS) for i in range(widest)]
    return chosen(schools, (people.stage[rows].astype(int) - 1) * widest + people.school[rows] % widest)


def _hardship_since(file: Writer) -> pa.Array:
    since = file.place.today - 30 - (unit_hash(file.place.seed, file.place.people.household[file.rows], 94) * 2500).astype(int)
    return file.day(since // 30 * 30)


def _disability_kind(file: Writer) -> Integers:
    """One of seven kinds; the certificate's number holds it too."""
    return np.asarray((unit_hash(file.place.seed, file.rows, 95) * 7).astype(int))


def _certificate(file: Writer) -> pa.Array:
    people, rows = file.place.people, file.rows
    return texts(np.char.add(people.id_number[rows], ((_disability_kind(file) + 1) * 10 + people.disability[rows]).astype("U2")))


def _job_since(file: Writer) -> pa.Array:
    months = file.place.people.job_month[file.rows] - 1970 * 12
    return file.day(months.astype("datetime64[M]").astype("datetime64[D]").astype(int))


def _card_issued_on(file: Writer) -> pa.Array:
    people, rows = file.place.people, file.rows
    return file.day_if(np.where(people.card[rows] == 2, people.card_day[rows], -1))


def _unit_employees(file: Writer) -> Integers:
    staff = file.place.staff[file.rows]
    return np.where((file.place.employers.kind[file.rows] == INDIVIDUAL) & (staff == 0), 1, staff)


def _project_department(file: Writer) -> pa.Array:
    place = file.place
    return chosen([place.plan.organisation(code).name for code in place.departments], place.projects.department[file.rows].astype(int))


CELLS: dict[str, Callable[[Writer], pa.Array | Array]] = {
    # Persons.
    "id_number": lambda file: texts(file.place.people.id_number[file.rows]),
    "name": lambda file: texts(file.place.people.name[file.rows]),
    "sex": _person("male"), "hukou_type": _person("rural"), "population_status": _person("status"),
    "birth_date": lambda file: file.day(file.place.people.birth[file.rows]),
    "population_status_on": lambda file: file.day(file.place.people.status_day[file.rows]),
    "household_no": lambda file: file.household(),
    "township": lambda file: file.township(file.place.people.township[file.rows]),
    "village": lambda file: file.village(file.place.people.township[file.rows], file.place.people.village[file.rows]),
    "address": _address,
    "household_phone": lambda file: texts(names.phones(file.place.seed, file.place.people.household[file.rows])),
    "phone": lambda file: texts(names.phones(file.place.seed, file.rows)),
    "permit_no": lambda file: texts(np.char.add("JZ", (file.rows + 10_000_000).astype("U8"))),
    "permit_valid_to": lambda file: file.day(file.place.today + 60 + file.rows % 300),
    "death_date": lambda file: file.day(file.place.people.death_day[file.rows]), "reporting_hospital": _hospital,
    "mother_name": lambda file: texts(file.place.people.name[file.place.people.mother[file.rows]]),
    "mother_id_number": lambda file: texts(file.place.people.id_number[file.place.people.mother[file.rows]]),
    "school": _school, "school_stage": _person("stage"), "student_status": _person("student"),
    "student_since": lambda file: file.day(file.place.people.student_day[file.rows]),
    "hardship": _person("hardship"), "hardship_since": _hardship_since, "poverty": _person("poverty"),
    "disability": _person("disability"), "disability_kind": _disability_kind, "disability_certificate": _certificate,
    "employer_code": lambda file: file.employer(file.place.people.employer[file.rows])["employer_code"],
    "employer_name": lambda file: file.employer(file.place.people.employer[file.rows])["employer_name"],
    "this_month": lambda file: file.month(np.full(len(file.rows), file.place.now)), "job_since": _job_since,
    # Schemes: of the feed's own.
    "scheme_status": _scheme("scheme"),
    "scheme_enrolled_on": lambda file: file.day(_scheme("enrolled")(file)),
    "scheme_last_paid": lambda file: file.month(_scheme("last_paid")(file)),
    "payer_code": lambda file: file.employer(_payer(file))["employer_code"],
    "payer_name": lambda file: file.employer(_payer(file))["employer_name"],
    "wage": _person("wage"), "tier": _person("tier"), "paid": _person("paid"), "medical_paid": _person("medical_paid"),
    "ended_on": lambda file: file.day_if(file.place.people.ended_day[file.rows]),
    "end_reason": lambda file: np.where(file.place.people.end_reason[file.rows] == STILL, -1, file.place.people.end_reason[file.rows]),
    "benefit_scheme": _person("benefit"), "benefit_state": _person("benefit_state"), "benefit_yuan": _person("benefit_yuan"),
    "benefit_since": lambda file: file.month(file.place.people.benefit_month[file.rows]),
    "card": _person("card"), "card_issued_on": _card_issued_on,
    # Employers.
    "unit_code": lambda file: file.employer(file.rows)["employer_code"], "unit_name": lambda file: file.employer(file.rows)["employer_name"],
    "unit_kind": _firm("kind"), "unit_status": _firm("status"),
    "unit_registered_on": lambda file: file.day(file.place.employers.registered[file.rows]),
    "unit_township": lambda file: file.township(file.place.employers.township[file.rows]), "unit_address": _unit_address,
    "unit_phone": lambda file: texts(names.phones(file.place.seed, file.rows + 50_000_000)), "unit_employees": _unit_employees,
    "unit_last_taxed": lambda file: file.month(file.place.employers.last_taxed[file.rows]),
    "unit_withholding": lambda file: file.place.staff[file.rows],
    "unit_industry": lambda file: chosen(names.INDUSTRIES, file.place.employers.industry[file.rows].astype(int)),
    "unit_exposed": _firm("exposed"),
    # Projects.
    "project_permit_no": lambda file: texts(file.place.projects.permit_no[file.rows]),
    "project_name": lambda file: texts(file.place.projects.name[file.rows]),
    "project_employer_code": lambda file: file.employer(file.place.projects.employer[file.rows])["employer_code"],
    "project_employer_name": lambda file: file.employer(file.place.projects.employer[file.rows])["employer_name"],
    "project_department": _project_department,
    "project_township": lambda file: file.township(file.place.projects.township[file.rows]),
    "project_started_on": lambda file: file.day(file.place.projects.started[file.rows]),
    "project_insured": lambda file: file.place.projects.insured_day[file.rows] >= 0,
    "project_insured_on": lambda file: file.day_if(file.place.projects.insured_day[file.rows]),
}
"""Sources of cells. What is no text is a number, or the number of a code that the contract spells."""

BY_CHANCE: dict[str, Callable[[Writer, str, MadeUpCell], pa.Array | Array]] = {
    "among": lambda file, name, how: chosen(how.among, (file.chance(name) * len(how.among)).astype(int)),
    "whole_number": lambda file, name, how: how.least + (file.chance(name) * (how.most - how.least + 1)).astype(int),
    "days_ago": lambda file, name, how: file.day(file.place.today - how.least - (file.chance(name) * (how.most - how.least + 1)).astype(int)),
}
"""Sources that know nothing of the place: one value for each row, the same every month. ``days_ago`` counts from the month's end."""

PUBLISHED = ("statistic_indicator", "statistic_region", "statistic_year", "statistic_value", "statistic_unit", "statistic_source_document")
"""Cells of the statistics bureau's file, which is about no row of the place (``rehearsal.feeds.published``)."""


def known_cells() -> frozenset[str]:
    """Every source of cells by name."""
    return frozenset({*CELLS, *BY_CHANCE, *PUBLISHED})
