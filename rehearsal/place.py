"""A synthetic place: its people, employers and projects, how they change by the month, and what a visit finds.

The state here is what is *really* so (latent). Departments' files are written from it by ``rehearsal.feeds``, the
answers to check a comparison against by ``rehearsal.truth``. Everything follows from a seed: the same seed gives the
same place, month by month, also after a restart from :meth:`Place.save`. Arrays, not objects: a place has up to
millions of persons. Times are months as ordinals (year x 12 + month - 1) and days since 1970-01-01.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from models.errors import StorageUnavailable, WrongUse
from models.plan import Organisation, Plan
from rehearsal import names, visits
from rehearsal.founding import Founding
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.passing import Month
from rehearsal.place_config import Claim, Outcome, PlaceConfig
from rehearsal.state import (
    ACTIVE,
    AWAY,
    CANCELLED,
    CARD_ISSUED,
    CONVERT,
    DEREGISTERED,
    ENROLLED_AT_SCHOOL,
    EP,
    IP,
    ISSUE_CARD,
    JOIN_EMPLOYEE,
    JOIN_MEDICAL,
    JOIN_RESIDENT,
    MEDICALS,
    ONE_SCHEME,
    PAYING,
    PENSION_AGE,
    PENSIONS,
    RAISE_TIER,
    RESUME,
    START_BENEFIT,
    STOP_DECEASED,
    WORKING_AGE,
    Array,
    Employers,
    People,
    Projects,
    day_number,
    ordinal,
)
from rehearsal.visits import Finder
from rules.periods import month, next_month


@dataclass(frozen=True)
class Visit:
    """What a clerk writes about one subject of a roster. ``truly`` is what nobody sees: whether a claim is true."""

    id_number: str
    disposition_code: str
    note: str
    truly: bool


_TABLES = ("people", "employers", "projects")
_CLAIMS: dict[int, Claim] = {
    0: "joined_resident", JOIN_RESIDENT: "joined_resident", JOIN_RESIDENT | JOIN_MEDICAL: "joined_resident",
    JOIN_EMPLOYEE: "joined_employee", JOIN_EMPLOYEE | JOIN_MEDICAL: "joined_employee", RESUME: "resumed",
    CONVERT: "converted", RAISE_TIER: "tier_raised", STOP_DECEASED: "ended_after_death",
    ONE_SCHEME: "duplicate_resolved", JOIN_MEDICAL: "joined_medical", ISSUE_CARD: "card_issued",
    START_BENEFIT: "benefit_started",
}
"""What a clerk calls each effect."""


class Place:
    """One synthetic place at the end of one month."""

    def __init__(self, plan: Plan, config: PlaceConfig, *, seed: int, scale: float, period: str,
                 people: People, employers: Employers, projects: Projects) -> None:
        self.plan, self.config, self.seed, self.scale, self.period = plan, config, seed, scale, period
        self.people, self.employers, self.projects = people, employers, projects
        self.townships: tuple[Organisation, ...] = tuple(plan.organisation(code) for code in config.townships)
        self.departments: tuple[str, ...] = _project_departments(plan)
        self._orders: dict[str, Integers] = {}

    # --- making, keeping -------------------------------------------------------------------------------

    @classmethod
    def create(cls, plan: Plan, config: PlaceConfig, *, seed: int, persons: int | None = None) -> Place:
        """The place at the end of ``config.first_period``; ``persons`` scales everything in proportion."""
        scale = 1.0 if persons is None else persons / config.persons
        place = cls(plan, config, seed=seed, scale=scale, period=config.first_period,
                    people=People.blank(0), employers=Employers.blank(0), projects=Projects.blank(0))
        Founding(place).settle()
        return place

    def save(self, folder: Path) -> None:
        """Everything needed to go on from here. ``place.json`` comes last: with it, the folder is complete."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in _TABLES:
                partial = folder / f"{name}.parquet.part"
                pq.write_table(getattr(self, name).table(), partial)
                partial.replace(folder / f"{name}.parquet")
            state = {"period": self.period, "seed": self.seed, "scale": self.scale,
                     "config": self.config.model_dump(mode="json"), "plan": self.plan.model_dump(mode="json")}
            partial = folder / "place.json.part"
            partial.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
            partial.replace(folder / "place.json")
        except OSError as fault:
            raise StorageUnavailable(f"the place cannot be kept: {fault.strerror}.", where=str(folder),
                                     cure="Make the folder writable and save again.") from None

    @classmethod
    def load(cls, folder: Path) -> Place:
        """The place that :meth:`save` kept. Raises StorageUnavailable if there is none."""
        try:
            state = json.loads((folder / "place.json").read_text(encoding="utf-8"))
            kept = {name: pq.read_table(folder / f"{name}.parquet") for name in _TABLES}
        except OSError:
            raise StorageUnavailable("no place is kept here.", where=str(folder), cure="Create it anew.") from None
        return cls(Plan.model_validate(state["plan"]), PlaceConfig.model_validate(state["config"]),
                   seed=state["seed"], scale=state["scale"], period=state["period"],
                   people=People.from_table(kept["people"]), employers=Employers.from_table(kept["employers"]),
                   projects=Projects.from_table(kept["projects"]))

    # --- what is so now --------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The current month as an ordinal."""
        return ordinal(self.period)

    @property
    def today(self) -> int:
        """The last day of the current month as a day number."""
        return day_number(month(self.period).ends)

    @property
    def first_of_month(self) -> int:
        """The first day of the current month as a day number."""
        return day_number(month(self.period).starts)

    def ages(self, rows: Array | slice = slice(None)) -> Integers:
        """Completed years on the last day of the month."""
        born = self.people.birth[rows].astype("datetime64[D]")
        months = born.astype("datetime64[M]")
        birthday = (months.astype(int) % 12 + 1) * 100 + (born - months).astype(int) + 1
        end = month(self.period).ends
        had_birthday = birthday <= end.month * 100 + end.day
        return end.year - (born.astype("datetime64[Y]").astype(int) + 1970) - ~had_birthday

    @property
    def alive(self) -> Bools:
        """Who lives."""
        return self.people.death_day < 0

    @property
    def here(self) -> Bools:
        """Who lives and belongs here (resident or away for a time)."""
        return self.alive & (self.people.status <= AWAY)

    def active(self, *schemes: int) -> Bools:
        """Who is active in at least one of the schemes."""
        return np.asarray((self.people.scheme[list(schemes)] == ACTIVE).any(axis=0))

    @property
    def staff(self) -> Integers:
        """Living persons working for each employer."""
        at_work = self.people.employer[self.alive & (self.people.employer >= 0)]
        return np.bincount(at_work, minlength=len(self.employers))

    def scaled(self, count: float) -> int:
        """A count stated at full size, at this place's size."""
        return round(count * self.scale)

    @cached_property
    def villages(self) -> list[list[str]]:
        """Village names by township: the plan's own where it has them, else invented."""
        made = []
        for index, (code, size) in enumerate(self.config.townships.items()):
            own = [org.name for org in self.plan.organisations if org.kind == "village" and org.parent == code]
            count = size.villages or max(3, round(size.persons / 3400))
            rng = np.random.default_rng([self.seed, 7, index])
            made.append(own or names.village_names(rng, count, urban=size.rural_share < 0.5))
        return made

    @cached_property
    def areas(self) -> Integers:
        """The six-digit area code of each township: its own, the nearest above it, or the region's."""
        known = {org.code: org for org in self.plan.organisations}
        found = []
        for org in self.townships:
            above: Organisation | None = org
            while above is not None and above.region_code is None:
                above = known.get(above.parent or "")
            found.append(int((above.region_code if above and above.region_code else self.plan.region.code)[:6]))
        return np.array(found)

    # --- a month later ---------------------------------------------------------------------------------

    def advance(self, period: str) -> None:
        """Move to the end of ``period``, which must be the month after the current one."""
        if period != next_month(self.period):
            raise WrongUse(f"the place stands at {self.period} and cannot move to {period}.",
                           cure=f"Advance to {next_month(self.period)} first.")
        self.period = period
        Month(self).pass_by()

    # --- visits ----------------------------------------------------------------------------------------

    def visit(self, org: str, list_id: str, id_numbers: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about the persons on its roster of a list, with the plan's disposition codes.

        What is really so comes first (a dead person is found dead); the rest is drawn by the shares of the township, as far
        as it can be found on that list and fits the person. True claims take effect with the next :meth:`advance`, false
        ones never. Asking twice in one period gives the same answer. A number nobody here has is ``other``.
        """
        self._refuse_other_period(period)
        rows, known = self._found("people", self.people.id_number, id_numbers)
        finder = self._finder(list_id)
        outcomes = finder.persons(rows, self.config.visits_of(org), self.ages(rows), self.people.male[rows], self._young_share)
        for outcome, really in self._plain_facts(list_id, rows).items():
            outcomes[really] = outcome
        outcomes[~known] = "other"
        effects = self._effects(list_id, rows)
        honest = self._chance(rows, 31) < self.config.honesty_of(org)
        done = known & (outcomes == "enrolled") & honest
        truly = done | (known & (outcomes == "already_insured"))
        self.people.pending[rows[done]] |= effects[done].astype(np.int16)
        claims: Strings = np.array([_CLAIMS[effect] for effect in effects.tolist()], dtype="U20")
        return self._written(finder, id_numbers, rows, outcomes, claims, truly)

    def visit_employers(self, org: str, list_id: str, credit_codes: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about employers; a true claim enrols their staff with the next month (C14, C17)."""
        self._refuse_other_period(period)
        rows, known = self._found("employers", self.employers.credit_code, credit_codes)
        finder = self._finder(list_id, visits.EMPLOYERS)
        outcomes = finder.units(rows, self.config.visits_of(org))
        outcomes[self.staff[rows] == 0] = "without_staff"
        outcomes[self.employers.status[rows] == DEREGISTERED] = "closed"
        claim: Claim = "workers_covered" if list_id == "dust_hazard_uninsured" else "employer_registered"
        return self._units_written(finder, self.employers, org, credit_codes, rows, known, outcomes, claim)

    def visit_projects(self, org: str, list_id: str, permits: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about projects of a list; a true claim insures the project (C4)."""
        self._refuse_other_period(period)
        rows, known = self._found("projects", self.projects.permit_no, permits)
        finder = self._finder(list_id, visits.PROJECTS)
        outcomes = finder.units(rows, self.config.visits_of(org))
        return self._units_written(finder, self.projects, org, permits, rows, known, outcomes, "project_insured")

    def _finder(self, list_id: str, subject: str = "") -> Finder:
        return Finder(self.seed, self.now, list_id, changes=self.config.changes_mind_monthly_share, subject=subject)

    @property
    def _young_share(self) -> float:
        """How many of those without a pension scheme, whom most visits go to, are of an age to be students."""
        fit, age = visits.policy().fits["student"], self.ages()
        without = self.here & ~self.active(*PENSIONS) & (self.people.student != ENROLLED_AT_SCHOOL)
        without &= (age >= fit.from_age) & (age < PENSION_AGE)
        return float((without & (age < fit.below_age)).sum() / max(1, without.sum()))

    def _refuse_other_period(self, period: str) -> None:
        if period != self.period:
            raise WrongUse(f"the place stands at {self.period}, not at {period}.", cure="Ask before advancing.")

    def _found(self, table: str, keys: Strings, wanted: Sequence[str]) -> tuple[Integers, Bools]:
        """The row of each wanted key, and whether there is one (row 0 where not). Keys only ever grow in number, so
        their order is worked out once until they do."""
        order = self._orders.get(table)
        if order is None or len(order) != len(keys):
            order = self._orders[table] = np.argsort(keys)
        if not len(keys):
            return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
        asked: Strings = np.asarray(wanted, dtype=f"U{max(map(len, wanted), default=1)}")
        rows = order[np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)]
        known = keys[rows] == asked
        return np.where(known, rows, 0), known

    def _chance(self, rows: Integers, salt: int) -> Array:
        """A number in [0, 1) per row and month."""
        return unit_hash(self.seed, rows * 8192 + self.now % 8192, salt)

    def _plain_facts(self, list_id: str, rows: Integers) -> dict[Outcome, Bools]:
        """What is really so, the strongest fact last."""
        people = self.people
        dead = people.death_day[rows] >= 0
        return {
            "student": (people.student[rows] == ENROLLED_AT_SCHOOL) & (list_id not in ("student_uninsured", "no_card")),
            "already_insured": self._settled(list_id, rows),
            "gone": people.status[rows] >= CANCELLED,
            "enrolled" if list_id == "deceased_enrolled" else "deceased": dead,
        }

    def _settled(self, list_id: str, rows: Integers) -> Bools:
        """Whose case the registers show as settled: the roster is older than they are."""
        people, pension = self.people, self.active(*PENSIONS)[rows]
        medical = self.active(*MEDICALS)[rows]
        if list_id in ("uninsured", "interrupted", "medical_without_pension", "residence_permit_not_enrolled"):
            return pension | (people.benefit_state[rows] == PAYING)
        return {
            "employed_uninsured": self.active(EP, IP)[rows],
            "conversion_candidate": self.active(EP)[rows],
            "hardship_uninsured": pension & medical,
            "student_uninsured": medical,
            "newborn_uninsured": medical,
            "pension_without_medical": medical,
            "no_card": people.card[rows] == CARD_ISSUED,
            "residence_permit_enrolled": pension | medical,
            "sixty_plus_without_benefit": people.benefit_state[rows] == PAYING,
        }.get(list_id, np.zeros(len(rows), dtype=bool))

    def _effects(self, list_id: str, rows: Integers) -> Integers:
        """What a true claim on this list brings about, by person."""
        minor = self.ages(rows) < WORKING_AGE
        join = np.select([minor, self.people.employer[rows] >= 0], [JOIN_MEDICAL, JOIN_EMPLOYEE], JOIN_RESIDENT)
        effects: dict[str, Any] = {
            "uninsured": join, "medical_without_pension": join, "residence_permit_not_enrolled": join | JOIN_MEDICAL,
            "hardship_uninsured": np.where(minor, JOIN_MEDICAL, JOIN_RESIDENT | JOIN_MEDICAL),
            "employed_uninsured": JOIN_EMPLOYEE, "interrupted": RESUME, "conversion_candidate": CONVERT,
            "low_tier_payer": RAISE_TIER, "student_uninsured": JOIN_MEDICAL, "newborn_uninsured": JOIN_MEDICAL,
            "pension_without_medical": JOIN_MEDICAL, "no_card": ISSUE_CARD, "duplicate_enrolment": ONE_SCHEME,
            "sixty_plus_without_benefit": START_BENEFIT, "deceased_enrolled": STOP_DECEASED,
        }
        return np.broadcast_to(np.asarray(effects.get(list_id, 0)), rows.shape)

    def _units_written(self, finder: Finder, table: Employers | Projects, org: str, keys: Sequence[str], rows: Integers,
                       known: Bools, outcomes: Strings, claim: Claim) -> list[Visit]:
        outcomes[~known] = "other"
        honest = self._chance(rows, 42 if isinstance(table, Employers) else 52) < self.config.honesty_of(org)
        truly = known & (outcomes == "enrolled") & honest
        table.pending[rows[truly]] |= JOIN_EMPLOYEE
        return self._written(finder, keys, rows, outcomes, np.full(len(rows), claim, dtype="U20"), truly)

    def _written(self, finder: Finder, keys: Sequence[str], rows: Integers, outcomes: Strings, claims: Strings,
                 truly: Bools) -> list[Visit]:
        codes = {str(outcome): code for outcome, code in self.config.outcomes.items()}
        done = {str(claim): code for claim, code in self.config.claims.items()}
        return [
            Visit(key, done[claim] if outcome == "enrolled" else codes[outcome], note, bool(true))
            for key, outcome, claim, note, true in zip(
                keys, outcomes.tolist(), claims.tolist(), finder.notes(rows, outcomes), truly.tolist(), strict=True)
        ]

    # --- files and answers -----------------------------------------------------------------------------

    def write_feeds(self, plan: Plan, period: str, inbox: Path, feeds: Iterable[str] | None = None,
                    provider: str | None = None) -> list[Path]:
        """The departments' files of the current month; see :func:`rehearsal.feeds.write_feeds`."""
        from rehearsal.feeds import write_feeds  # feeds read places, so they import this module

        self._refuse_other_period(period)
        return write_feeds(self, plan, inbox, feeds, provider)

    def write_truth(self, plan: Plan, period: str, folder: Path) -> None:
        """The right answers for the current month; see :func:`rehearsal.truth.write_truth`."""
        from rehearsal.truth import write_truth  # as above

        self._refuse_other_period(period)
        write_truth(self, plan, folder)


def _project_departments(plan: Plan) -> tuple[str, ...]:
    """Who keeps building permits: the providers of the projects' feed, else the office."""
    return next((feed.providers for feed in plan.feeds if feed.feed == "construction_projects"), (plan.office,))
