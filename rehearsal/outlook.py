"""What a synthetic place delivers against the targets of its plan, month by month, without a campaign being run.

The place is created, its organisations visit who is really on their lists as they would in a rehearsal, and months pass;
the plan's own indicators are counted over what is really so. Hundreds of flow runs fall away, so a place can be judged in
seconds before anybody is shown it: whether its year is one that such a place could see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from comparison.figures import figures
from models.plan import Plan
from models.profile import SCHEMES
from rehearsal import behaviour
from rehearsal.behaviour import Conduct
from rehearsal.facts import EmployerFacts, PersonFacts
from rehearsal.feeds import published
from rehearsal.meanings import categories, meaning_of
from rehearsal.place import Place, Visit
from rehearsal.place_config import PlaceConfig
from rehearsal.state import CONVERTED, EP, PENSIONS, RP, day_number
from rehearsal.truth import true_lists
from rules.periods import month, next_month


@dataclass(frozen=True)
class Outlook:
    """One target of one organisation: where it started, what is asked by when, and where it stood at each month's end.

    Persons are those of the place as it was made: ``level`` and ``base`` are scaled with it.
    """

    target: str
    organisation: str
    unit: str
    base: float | None
    level: float
    values: dict[str, float | None]

    @property
    def completion(self) -> float | None:
        """(value - base) / (level - base) at the last month; without a base value / level; a ceiling of 0 has none."""
        last = list(self.values.values())[-1]
        base = self.base or 0.0
        return None if last is None or self.level == base else (last - base) / (self.level - base)


@dataclass
class Year:
    """A place moved through a campaign: its figures at the end of each month and every answer its clerks gave."""

    place: Place
    figures: dict[str, dict[tuple[str, str], float | None]]
    visits: dict[str, list[Visit]]


def year_of(plan: Plan, config: PlaceConfig, *, persons: int | None, seed: int, until: str | None = None) -> Year:
    """The place after the months its plan's targets are measured over, or till ``until`` (YYYY-MM)."""
    place = Place.create(plan, config, seed=seed, persons=persons)
    year = Year(place, {}, {entry.id: [] for entry in plan.lists})
    last = until or max([f"{target.measured_on:%Y-%m}" for target in plan.targets] or [plan.acceptance.final_period])
    conduct = behaviour.conducts(plan, config, seed)
    field_work = {f"{day:%Y-%m}" for day in behaviour.working_months(plan)}
    settled: set[str] = set()
    while True:
        year.figures[place.period] = _figures(place, plan)
        if place.period >= last:
            return year
        if next_month(place.period) in field_work:
            _work_lists(year, plan, conduct, settled)
        place.advance(next_month(place.period))


def outlooks(plan: Plan, year: Year) -> Iterator[Outlook]:
    """Every target of the plan for each organisation it is set for, in the plan's order."""
    for target in plan.targets:
        indicator = plan.item("indicators", target.indicator)
        scale = year.place.scale if indicator.unit == "person" else 1.0
        measured = f"{target.measured_on:%Y-%m}"
        for code, level in target.level.items():
            base = target.derived_base.get(code)
            yield Outlook(target.id, code, indicator.unit, None if base is None else base * scale, level * scale, {
                period: found.get((target.indicator, code)) for period, found in year.figures.items() if period <= measured})


def _work_lists(year: Year, plan: Plan, conduct: dict[str, Conduct], settled: set[str]) -> None:
    """Each owner works its part of every list. Who was excused is not asked again."""
    place, excuses = year.place, {item.code for item in plan.dispositions if item.excuses}
    ask = {"person": place.visit, "employer": place.visit_employers, "project": place.visit_projects}
    for entry in true_lists(place, plan):
        for owner in np.unique(entry.owners).tolist():
            keys = [key for key in entry.keys[entry.owners == owner].tolist() if f"{entry.item.id} {key}" not in settled]
            who = conduct.get(owner) or Conduct(owner, "punctual")
            chosen = behaviour.plan_visits(who, entry.item.id, keys, place.period, place.seed)
            visits = ask[entry.item.subject](owner, entry.item.id, chosen, place.period) if chosen else []
            year.visits[entry.item.id] += visits
            settled |= {f"{entry.item.id} {visit.id_number}" for visit in visits if visit.disposition_code in excuses}


# --- the plan's indicators over what is really so ---------------------------------------------------------


def _figures(place: Place, plan: Plan) -> dict[tuple[str, str], float | None]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        pq.write_table(_persons(place, plan), root / "person_profile.parquet")
        employers, projects = _employers(place, plan)
        pq.write_table(employers, root / "employer_profile.parquet")
        pq.write_table(projects, root / "project_profile.parquet")
        pq.write_table(_statistics(place, plan), root / "statistics.parquet")
        return {(figure.indicator, figure.organisation): figure.value
                for figure in figures(plan, place.period, root, [root / "statistics.parquet"])}


def _persons(place: Place, plan: Plan) -> pa.Table:
    """The profile as a comparison without a mistake would make it."""
    people, who, meaning = place.people, PersonFacts(place, plan), meaning_of(plan)
    rows = who.rows
    stopped = who.enrolled & ~who.paying.any(axis=0)
    paying = {scheme: people.scheme[number, rows] == 1 for number, scheme in enumerate(SCHEMES)}
    codes = np.array([org.code for org in place.townships], dtype="U40")
    schemes = np.array([SCHEMES[scheme] for scheme in PENSIONS], dtype="U30")
    converted = (people.end_reason[rows] == CONVERTED) & (people.ended_day[rows] >= day_number(plan.starts)) & who.pays_into(EP)
    nobody = np.zeros(len(rows), dtype=bool)
    columns: dict[str, Any] = {
        **{f"{scheme}_active": active for scheme, active in paying.items()},
        "is_deceased": who.dead, "is_gone": who.gone, "is_student": who.at_school, "is_employed": who.employed,
        "is_hardship": who.on_hardship, "is_poor": who.out_of_poverty, "is_disabled": who.certified,
        "is_permit_holder": who.permit, "has_card": who.has_card, "is_drawing_benefit": who.drawing,
        "any_pension_active": who.paying.any(axis=0), "any_pension_enrolled": who.enrolled | stopped,
        "any_medical_active": who.in_medical, "pension_schemes_active": who.schemes_at_once,
        "medical_schemes_active": who.medical.sum(axis=0), "age_years": who.age, "was_converted": converted,
        "needs_identity_review": nobody,
        "resident_pension_paid_yuan": np.where(people.scheme[RP, rows] > 0, people.paid[rows], 0),
    }
    return pa.table({
        **columns,
        "benefit_scheme": pa.array(schemes[people.benefit[rows].clip(0)].tolist(), pa.string(), mask=~who.drawing),
        "category": pa.array([] if meaning is None else categories(who, meaning).tolist(), pa.string())
        if meaning is not None else pa.nulls(len(rows), pa.string()),
        "township": pa.array(codes[people.township[rows]].tolist(), pa.string()),
    })


def _employers(place: Place, plan: Plan) -> tuple[pa.Table, pa.Table]:
    """The profiles of employers and of projects."""
    facts, firms, projects = EmployerFacts(place, plan), place.employers, place.projects
    codes = np.array([org.code for org in place.townships], dtype="U40")
    departments = np.array(place.departments, dtype="U40")
    return pa.table({
        "township": pa.array(codes[firms.township].tolist(), pa.string()), "is_operating": facts.operating,
        "is_insured": facts.is_insured, "is_dust_hazard": firms.dust, "exposed_workers": firms.exposed,
        "dust_insured_workers": facts.dust_covered,
    }), pa.table({
        "department": pa.array(departments[projects.department].tolist(), pa.string()),
        "township": pa.array(codes[projects.township].tolist(), pa.string()),
        "is_new": projects.started >= day_number(plan.starts), "is_insured": projects.insured_day >= 0,
    })


def _statistics(place: Place, plan: Plan) -> pa.Table:
    rows = list(published(place, plan))
    return pa.table({
        "indicator": pa.array([row.indicator for row in rows], pa.string()), "region": pa.array([row.organisation.code for row in rows], pa.string()),
        "value": pa.array([float(row.value) for row in rows]), "year": pa.array([month(place.period).ends.year] * len(rows), pa.int64()),
    })
