"""A synthetic place: its people, employers and projects, how they change by the month, and what a visit finds.

The state here is what is *really* so (latent). Departments' files are written from it by ``rehearsal.feeds``, the
answers to check a comparison against by ``rehearsal.truth``. Everything follows from a seed: the same seed gives the
same place, month by month, also after a restart from :meth:`Place.save`. Arrays, not objects: a place has up to
millions of persons. Times are months as ordinals (year x 12 + month - 1) and days since 1970-01-01.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.errors import CanbaoError, StorageUnavailable, WrongUse
from models.plan import Organisation, Plan
from models.profile import SCHEMES
from rehearsal import names
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.place_config import Claim, Outcome, PlaceConfig
from rules.periods import month, next_month

Array = NDArray[Any]

EP, IP, RP, EM, RM, UN, WI, MA = range(len(SCHEMES))
PENSIONS, MEDICALS = (EP, IP, RP), (EM, RM)
NONE, ACTIVE, SUSPENDED, TERMINATED = range(4)
RESIDENT, AWAY, CANCELLED, MOVED_OUT = range(4)
DIBAO, TEKUN = 1, 2
TUOPIN, BIANYUAN = 1, 2
ENROLLED_AT_SCHOOL, LEFT_SCHOOL = 1, 2
HIGH_SCHOOL, VOCATIONAL, UNIVERSITY, OTHER_STAGE = 1, 2, 3, 4
NOT_DRAWING, PAYING, STOPPED = range(3)
NO_CARD, CARD_APPLIED, CARD_ISSUED = range(3)
ENTERPRISE, INDIVIDUAL, INSTITUTION, SOCIAL, GOVERNMENT = range(5)
OPERATING, ABNORMAL, DEREGISTERED = range(3)
UNCOVERED, INJURY_ONLY, COVERED = range(3)
STILL, CONVERTED, ENDED_BY_DEATH, ENDED_BY_MOVE, ENDED_OTHERWISE = range(5)

(JOIN_RESIDENT, JOIN_EMPLOYEE, RESUME, CONVERT, RAISE_TIER, STOP_DECEASED, ONE_SCHEME, JOIN_MEDICAL, ISSUE_CARD,
 START_BENEFIT) = (1 << bit for bit in range(10))
"""What a truthful visit brings about; a person can have several pending until the next month."""

PENSION_AGE, WORKING_AGE, DAYS_A_YEAR, MALE_SHARE = 60, 16, 365.2425, 0.512
SCHEME_BEGAN = tuple(
    (date(year, number, 1) - date(1970, 1, 1)).days
    for year, number in ((1998, 1), (2014, 10), (2011, 7), (2001, 1), (2017, 1), (1999, 6), (2004, 1), (2005, 1)))
"""First day anyone could enrol, by scheme in the order of ``SCHEMES``."""


def ordinal(period: str) -> int:
    """A month label as a number that can be counted with."""
    return int(period[:4]) * 12 + int(period[5:7]) - 1


def label(number: int) -> str:
    """The month label of an ordinal."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def column(dtype: str, fill: Any = 0, rows: int = 0) -> Any:
    """One column of a table: its NumPy type, what it holds for a new row, and how many rows deep it is (0 = flat)."""
    return field(metadata={"dtype": dtype, "fill": fill, "rows": rows})


@dataclass
class Rows:
    """A table as a bundle of arrays of one length, which grows, and travels through Parquet."""

    @classmethod
    def blank(cls, count: int) -> Self:
        """``count`` rows holding every column's fill."""
        made = {}
        for item in fields(cls):
            shape = (item.metadata["rows"], count) if item.metadata["rows"] else (count,)
            made[item.name] = np.full(shape, item.metadata["fill"], dtype=item.metadata["dtype"])
        return cls(**made)

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).shape[-1])

    def extended(self, more: Self) -> Self:
        """These rows followed by ``more``; row numbers stay what they were."""
        return type(self)(**{
            item.name: np.concatenate([getattr(self, item.name), getattr(more, item.name)], axis=-1)
            for item in fields(self)})

    def table(self) -> pa.Table:
        """The rows as an Arrow table; a deep column becomes one column per level."""
        flat: dict[str, Any] = {}
        for item in fields(self):
            values = getattr(self, item.name)
            is_deep = bool(item.metadata["rows"])
            levels = {f"{item.name}:{i}": level for i, level in enumerate(values)} if is_deep else {item.name: values}
            # Arrow takes a hundred times as long over a NumPy text array as over a list.
            flat |= {name: pa.array(part.tolist() if part.dtype.kind == "U" else part) for name, part in levels.items()}
        return pa.table(flat)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The inverse of :meth:`table`."""
        made = {}
        for item in fields(cls):
            dtype, rows = item.metadata["dtype"], item.metadata["rows"]
            levels = [table[name] for name in [f"{item.name}:{i}" for i in range(rows)] or [item.name]]
            read = [np.array(it.to_pylist() if dtype.startswith("U") else it.to_numpy(), dtype=dtype) for it in levels]
            made[item.name] = np.stack(read) if rows else read[0]
        return cls(**made)


@dataclass
class People(Rows):
    """Everyone: local hukou, holders of residence permits, and newborns not yet registered."""

    id_number: Strings = column("U18", "")
    name: Strings = column("U16", "")
    male: Bools = column("?")
    birth: Integers = column("i4")
    township: Integers = column("i2")
    village: Integers = column("i2")
    household: Integers = column("i4")
    rural: Bools = column("?")
    status: Integers = column("i1")
    status_day: Integers = column("i4")
    registered: Bools = column("?", True)
    register_month: Integers = column("i4", -1)
    permit: Bools = column("?")
    mother: Integers = column("i4", -1)
    death_day: Integers = column("i4", -1)
    reported_month: Integers = column("i4", -1)
    stage: Integers = column("i1")
    school: Integers = column("i1")
    student: Integers = column("i1")
    student_day: Integers = column("i4")
    hardship: Integers = column("i1")
    poverty: Integers = column("i1")
    disability: Integers = column("i1")
    employer: Integers = column("i4", -1)
    job_month: Integers = column("i4", -1)
    site: Integers = column("i4", -1)
    wage: Integers = column("i4")
    scheme: Integers = column("i1", NONE, len(SCHEMES))
    enrolled: Integers = column("i4", -1, len(SCHEMES))
    last_paid: Integers = column("i4", -1, len(SCHEMES))
    tier: Integers = column("i4")
    paid: Integers = column("i4")
    pay_month: Integers = column("i1")
    medical_paid: Integers = column("i4")
    ended_day: Integers = column("i4", -1)
    end_reason: Integers = column("i1", STILL)
    benefit: Integers = column("i1", -1)
    benefit_state: Integers = column("i1", NOT_DRAWING)
    benefit_month: Integers = column("i4", -1)
    benefit_yuan: Integers = column("i4")
    card: Integers = column("i1", NO_CARD)
    card_day: Integers = column("i4", -1)
    pending: Integers = column("i2")


@dataclass
class Employers(Rows):
    """Units and individual businesses; ``cover`` says for what they have enrolled their staff."""

    credit_code: Strings = column("U18", "")
    name: Strings = column("U40", "")
    kind: Integers = column("i1")
    status: Integers = column("i1")
    registered: Integers = column("i4")
    township: Integers = column("i2")
    industry: Integers = column("i1")
    weight: Array = column("f8")
    cover: Integers = column("i1")
    taxed: Bools = column("?")
    last_taxed: Integers = column("i4", -1)
    dust: Bools = column("?")
    exposed: Integers = column("i4")
    pending: Integers = column("i2")


@dataclass
class Projects(Rows):
    """Construction projects with a building permit."""

    permit_no: Strings = column("U24", "")
    name: Strings = column("U48", "")
    employer: Integers = column("i4")
    department: Integers = column("i1")
    township: Integers = column("i2")
    started: Integers = column("i4")
    insured_day: Integers = column("i4", -1)
    pending: Integers = column("i2")


@dataclass(frozen=True)
class Visit:
    """What a clerk writes about one subject of a roster. ``truly`` is what nobody sees: whether a claim is true."""

    id_number: str
    disposition_code: str
    note: str
    truly: bool


_TABLES = ("people", "employers", "projects")
_NOTES: dict[str, tuple[str, ...]] = {
    "enrolled": ("已到服务窗口办理", "村组干部协助线上办理", "已办理登记并缴费"),
    "away": ("长期在外务工，电话联系", "外出务工未返乡", "多次上门家中无人"),
    "unwilling": ("已讲解政策，暂不愿参保", "表示不参保"),
    "declined": ("已讲解政策，维持现状", "暂不考虑"),
    "cannot_pay": ("收入低，暂无力缴费", "支出大，缴费困难"),
    "student": ("在校就读，毕业后参保", "本人在校"),
    "other": ("需进一步核实", "情况另行说明"),
    "deceased": ("经核实已死亡，待销户", "家属反映已去世"),
    "gone": ("户口已迁出", "户口已注销"),
    "insured_elsewhere": ("已在外地参加职工养老保险", "在外地单位参保"),
    "already_insured": ("系统查询已在缴", "已参保，名单未更新"),
    "serving": ("服现役", "服刑期间"),
    "closed": ("已停业", "已办理注销"),
    "without_staff": ("无雇工", "暂无用工"),
    "stopped": ("项目停工", "尚未开工"),
}
_OFFERS = ("conversion_candidate", "low_tier_payer")
"""Lists of persons to whom something is offered; who declines owes nothing."""
_BY_OFFICE = ("duplicate_enrolment", "deceased_enrolled", "no_card", "sixty_plus_without_benefit")
"""Lists that an office settles at its own counter, without anybody's willingness."""
_CLAIMS: dict[int, Claim] = {
    0: "joined_resident", JOIN_RESIDENT: "joined_resident", JOIN_RESIDENT | JOIN_MEDICAL: "joined_resident",
    JOIN_EMPLOYEE: "joined_employee", JOIN_EMPLOYEE | JOIN_MEDICAL: "joined_employee", RESUME: "resumed",
    CONVERT: "converted", RAISE_TIER: "tier_raised", STOP_DECEASED: "ended_after_death",
    ONE_SCHEME: "duplicate_resolved", JOIN_MEDICAL: "joined_medical", ISSUE_CARD: "card_issued",
    START_BENEFIT: "benefit_started",
}
"""What a clerk calls each effect."""


def pick(rng: np.random.Generator, pool: Integers, count: int, weights: Array | None = None) -> Integers:
    """``count`` different members of ``pool`` (all of it if it is smaller), by weight if given."""
    count = max(0, min(count, len(pool)))
    if count == 0:
        return np.empty(0, dtype=np.int64)
    draw = rng.random(len(pool))
    keys = draw if weights is None else draw ** (1.0 / np.maximum(weights, 1e-9))
    return np.asarray(pool)[np.argpartition(-keys, count - 1)[:count]]


def tilted(tiers: dict[int, float], mean: float) -> tuple[Integers, Array]:
    """The tiers and probabilities that keep the weights' shape but have this mean (exponential tilting)."""
    values, weights = np.array(list(tiers)), np.array(list(tiers.values()), dtype=float)
    low, high = -0.1, 0.1
    for _ in range(80):
        middle = (low + high) / 2
        shares = weights * np.exp(np.clip(middle * (values - values.mean()), -500, 500))
        low, high = (middle, high) if shares @ values / shares.sum() < mean else (low, middle)
    return values, shares / shares.sum()


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
        _Founding(place).settle()
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
        _Month(self).pass_by()

    # --- visits ----------------------------------------------------------------------------------------

    def visit(self, org: str, list_id: str, id_numbers: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about the persons on its roster of a list, with the plan's disposition codes.

        What is really so comes first (a dead person is found dead); the rest is drawn by the shares of the township.
        True claims take effect with the next :meth:`advance`, false ones never. Asking twice in one period gives the
        same answer. A number nobody here has is ``other``.
        """
        self._refuse_other_period(period)
        rows, known = self._found("people", self.people.id_number, id_numbers)
        outcomes = self._drawn(org, list_id, rows)
        for outcome, really in self._plain_facts(list_id, rows).items():
            outcomes[really] = outcome
        outcomes[~known] = "other"
        effects = self._effects(list_id, rows)
        honest = self._chance(rows, 31) < self.config.honesty_of(org)
        done = known & (outcomes == "enrolled") & honest
        truly = done | (known & (outcomes == "already_insured"))
        self.people.pending[rows[done]] |= effects[done].astype(np.int16)
        claims: Strings = np.array([_CLAIMS[effect] for effect in effects.tolist()], dtype="U20")
        return self._written(id_numbers, rows, outcomes, claims, truly)

    def visit_employers(self, org: str, list_id: str, credit_codes: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about employers; a true claim enrols their staff with the next month (C14, C17)."""
        self._refuse_other_period(period)
        rows, known = self._found("employers", self.employers.credit_code, credit_codes)
        outcomes = self._drawn_for_firms(org, rows, 41)
        outcomes[self.staff[rows] == 0] = "without_staff"
        outcomes[self.employers.status[rows] == DEREGISTERED] = "closed"
        claim: Claim = "workers_covered" if list_id == "dust_hazard_uninsured" else "employer_registered"
        return self._firms_written(self.employers, org, credit_codes, rows, known, outcomes, claim)

    def visit_projects(self, org: str, list_id: str, permits: Sequence[str], period: str) -> list[Visit]:
        """What ``org`` writes about projects of a list; a true claim insures the project (C4)."""
        self._refuse_other_period(period)
        rows, known = self._found("projects", self.projects.permit_no, permits)
        outcomes = self._drawn_for_firms(org, rows, 51)
        outcomes[outcomes == "unwilling"] = "stopped"
        return self._firms_written(self.projects, org, permits, rows, known, outcomes, "project_insured")

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

    def _drawn(self, org: str, list_id: str, rows: Integers) -> Strings:
        """The outcome by chance: a lasting trait of the person, which some change from month to month."""
        shares = self.config.visits_of(org).as_pairs()
        changed = self._chance(rows, 34) < self.config.changes_mind_monthly_share
        drawn = np.where(changed, self._chance(rows, 33), unit_hash(self.seed, rows, 32))
        bounds = np.cumsum(list(shares.values()))
        chosen = np.searchsorted(bounds, drawn * bounds[-1], side="right")
        outcomes = np.array(list(shares), dtype="U20")[np.minimum(chosen, len(shares) - 1)]
        kind = unit_hash(self.seed, rows, 36)
        outcomes[(outcomes == "other") & (kind < 0.35)] = "insured_elsewhere"
        outcomes[(outcomes == "other") & (kind > 0.92)] = "serving"
        if list_id in _OFFERS:
            # An offer is accepted or declined: nobody is a student or in the army towards it.
            outcomes[np.isin(outcomes, ("unwilling", "student", "serving", "insured_elsewhere", "other"))] = "declined"
        if list_id in _BY_OFFICE:
            outcomes[:] = "enrolled"
        return outcomes

    def _drawn_for_firms(self, org: str, rows: Integers, salt: int) -> Strings:
        """An employer is no student and not away: those shares count as enrolling and as refusing."""
        shares = self.config.visits_of(org)
        drawn = self._chance(rows, salt)
        enrolled = shares.enrolled + shares.student
        refused = enrolled + shares.away + shares.unwilling
        return np.select([drawn < enrolled, drawn < refused, drawn < refused + shares.cannot_pay],
                         ["enrolled", "unwilling", "cannot_pay"], "other").astype("U20")

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

    def _firms_written(self, table: Employers | Projects, org: str, keys: Sequence[str], rows: Integers, known: Bools,
                       outcomes: Strings, claim: Claim) -> list[Visit]:
        outcomes[~known] = "other"
        honest = self._chance(rows, 42 if isinstance(table, Employers) else 52) < self.config.honesty_of(org)
        truly = known & (outcomes == "enrolled") & honest
        table.pending[rows[truly]] |= JOIN_EMPLOYEE
        return self._written(keys, rows, outcomes, np.full(len(rows), claim, dtype="U20"), truly)

    def _written(
        self, keys: Sequence[str], rows: Integers, outcomes: Strings, claims: Strings, truly: Bools,
    ) -> list[Visit]:
        chosen = (unit_hash(self.seed, rows, 35) * 6).astype(int)
        codes = {str(outcome): code for outcome, code in self.config.outcomes.items()}
        done = {str(claim): code for claim, code in self.config.claims.items()}
        return [
            Visit(key, done[claim] if outcome == "enrolled" else codes[outcome],
                  _NOTES[outcome][which % len(_NOTES[outcome])], bool(true))
            for key, outcome, claim, which, true in zip(
                keys, outcomes.tolist(), claims.tolist(), chosen.tolist(), truly.tolist(), strict=True)
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


class _Founding:
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
        place.projects = _projects(place, self.rng, projects, first=0)
        self._pensions()
        self._idle_firms()
        self._other_schemes()
        self._histories()
        self._benefits_and_cards()
        self._dust()
        self._newborns()
        _file_taxes(place)

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
        _house(place, rng, np.arange(len(people)))
        _name_and_number(place, rng, np.arange(len(people)))
        return people

    def _lives_and_deaths(self) -> None:
        """Deaths of the last 16 months (their rows are still in the register), moves, and who is away."""
        people, place, rng, wishes = self.place.people, self.place, self.rng, self.config.people
        count = len(people)
        local = np.flatnonzero(people.registered)
        dead = pick(rng, local, round(len(local) * wishes.deaths_per_year * 16 / 12), _frailty(self.age[local]))
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
        _enter_school(place, np.flatnonzero(at_school), university=False)
        _enter_school(place, np.flatnonzero(at_university), university=True)
        left = local & (self.age >= 19) & (self.age <= 23) & (chance > 1 - self.habits.left_school_share)
        _enter_school(place, np.flatnonzero(left), university=False)
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
        towns = _short_names(place)[firms.township]
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
            people.employer[who[stays]] = _drawn_by_weight(self.rng, local, int(stays.sum()))
            near &= ~(~stays & (home == township))
        people.employer[who[~near]] = _drawn_by_weight(self.rng, weight, int((~near).sum()))
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
        builders = np.flatnonzero(_builds(firms) & (firms.cover >= INJURY_ONLY))
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
        paying = rows[_pays(place, rows)]
        year_start = place.now // 12 * 12
        early = rng.random(len(paying)) < money.paid_by_start_share
        this_year = year_start + rng.integers(0, place.now - year_start + 1, len(paying))
        people.last_paid[RP, paying] = np.where(early, this_year, year_start - 12 + rng.integers(2, 12, len(paying)))
        people.paid[paying] = np.where(early, _own_share(place, paying), 0)
        drawing = np.flatnonzero((people.scheme[RP] != NONE) & (people.benefit_state == PAYING))
        people.last_paid[RP, drawing] = np.minimum(_sixty(people.birth[drawing]), place.now)

    def _benefits_and_cards(self) -> None:
        place, people, rng = self.place, self.place.people, self.rng
        drawing = np.flatnonzero(people.benefit_state == PAYING)
        people.benefit_month[drawing] = np.minimum(_sixty(people.birth[drawing]) + 1, place.now)
        people.benefit_yuan[drawing] = _benefit_amount(place, drawing)
        chance = unit_hash(place.seed, np.arange(len(people)), 82)
        has = self.config.people.card_share * np.where(self.age < 6, 0.75, 1.0)
        people.card[:] = np.select([chance < has, chance < has + 0.015], [CARD_ISSUED, CARD_APPLIED], NO_CARD)
        people.card_day[:] = place.today - rng.integers(20, 2500, len(people))

    def _dust(self) -> None:
        """The key dust-hazard employers: of dusty trades, with staff; a part of them has enrolled nobody."""
        place, firms, wishes = self.place, self.place.employers, self.config.firms
        staff = place.staff
        wanted = max(2, place.scaled(wishes.dust_hazard))
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
        mothers = np.flatnonzero(_may_be_mother(place, self.age))
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


def _short_names(place: Place) -> Strings:
    return np.array([org.short for org in place.townships])


def _drawn_by_weight(rng: np.random.Generator, weight: Array, count: int) -> Integers:
    if count == 0 or weight.sum() <= 0:
        return np.full(count, -1, dtype=np.int64)
    edges = np.cumsum(weight)
    return np.searchsorted(edges, rng.random(count) * edges[-1], side="right")


def _house(place: Place, rng: np.random.Generator, rows: Integers) -> None:
    """A village and a household for each person, so that ages within a household fit together.

    Every household has a place in the order of its grown-ups' ages; a child goes to parents some 28 years older, an
    old person to children some 26 years younger.
    """
    people, age = place.people, place.ages(rows)
    base = 0
    to_parents, to_children = rng.normal(28, 4, len(rows)), rng.normal(26, 4, len(rows))
    between = np.select([age < 18, age >= 60], [age + to_parents, age - to_children], age)
    place_in_order = np.clip((between - 18) / 42, 0, 0.9999)
    for index, size in enumerate(place.config.townships.values()):
        mine = people.township[rows] == index
        villages = len(place.villages[index])
        houses = max(1, int(place.scaled(size.persons) / place.config.people.household_size / villages))
        village = rng.integers(0, villages, int(mine.sum()))
        people.village[rows[mine]] = village
        people.household[rows[mine]] = base + village * houses + (place_in_order[mine] * houses).astype(int)
        people.rural[rows[mine]] = unit_hash(place.seed, people.household[rows[mine]], 60) < size.rural_share
        base += villages * houses


def _name_and_number(place: Place, rng: np.random.Generator, rows: Integers) -> None:
    people, wishes = place.people, place.config.people
    family = names.family_names(place.seed, people.household[rows])
    married_in = ~people.male[rows] & (place.ages(rows) >= 24) & (rng.random(len(rows)) < 0.93)
    family = np.where(married_in, names.surnames(rng, len(rows)), family)
    spelled = names.han_names(rng, family, people.male[rows])
    dotted = unit_hash(place.seed, people.household[rows], 67) < wishes.dotted_name_share
    long = names.dotted_names(rng, people.male[rows], seed=place.seed, households=people.household[rows],
                              is_child=place.ages(rows) < 24)
    people.name[rows] = np.where(dotted, long, spelled)
    people.id_number[rows] = _numbered(place, rng, rows, married_in)


def _numbered(place: Place, rng: np.random.Generator, rows: Integers, married_in: Bools) -> Strings:
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


def _enter_school(place: Place, rows: Integers, *, university: bool) -> None:
    people = place.people
    chance = unit_hash(place.seed, rows, 68)
    stages = np.select([chance < 0.62, chance < 0.98], [HIGH_SCHOOL, VOCATIONAL], OTHER_STAGE)
    people.stage[rows] = UNIVERSITY if university else stages
    people.student[rows] = ENROLLED_AT_SCHOOL
    people.school[rows] = (unit_hash(place.seed, rows, 69) * 6).astype(int)
    age = place.ages(rows)
    since = place.now // 12 + (0 if place.now % 12 >= 8 else -1) - (age - 16) % 3
    people.student_day[rows] = [day_number(date(int(year), 9, 1)) for year in since]


def _projects(place: Place, rng: np.random.Generator, count: int, *, first: int) -> Projects:
    """New projects; those of the first month began over the last two years, later ones in the month itself."""
    firms, wishes = place.employers, place.config.firms
    builders = np.flatnonzero(_builds(firms) & (firms.kind == ENTERPRISE))
    builders = builders if len(builders) else np.flatnonzero(firms.kind != INDIVIDUAL)
    made = Projects.blank(count)
    made.township[:] = rng.integers(0, len(place.townships), count)
    made.department[:] = (first + np.arange(count)) % len(place.departments)
    made.employer[:] = builders[rng.integers(0, len(builders), count)]
    back = rng.integers(0, 700, count) if first == 0 else rng.integers(0, month(place.period).ends.day, count)
    made.started[:] = place.today - back
    made.name[:] = names.project_names(rng, place.plan.region.name, _short_names(place)[made.township])
    year, area = place.period[:4], place.plan.region.code
    made.permit_no[:] = [f"{area}{year}{place.period[5:7]}{first + i + 1:06d}" for i in range(count)]
    insured = rng.random(count) < wishes.projects_insured_share
    made.insured_day[insured] = made.started[insured] - rng.integers(0, 20, int(insured.sum()))
    return made


def _builds(firms: Employers) -> Bools:
    """Operating firms of the building trades."""
    return (firms.status == OPERATING) & np.isin(firms.industry, names.BUILDING_INDUSTRIES)


def _frailty(age: Array) -> Array:
    """How likely one dies, relative to somebody of sixty: twice as likely with every eight years (Gompertz)."""
    return np.exp((age - 60) / 11)


def _may_be_mother(place: Place, age: Integers) -> Bools:
    people = place.people
    return place.here & people.registered & ~people.male & (age >= 20) & (age <= 42)


def _pays(place: Place, rows: Integers) -> Bools:
    """Who pays a yearly contribution to the resident scheme: active, alive and under 60."""
    people = place.people
    return (people.scheme[RP, rows] == ACTIVE) & (people.death_day[rows] < 0) & (place.ages(rows) < PENSION_AGE)


def _own_share(place: Place, rows: Integers) -> Integers:
    """What of the tier persons pay themselves: nothing where the government pays the subsidised one."""
    tier = place.people.tier[rows]
    return np.where(tier == place.config.money.subsidised_tier, 0, tier)


def months_of(days: Integers) -> Integers:
    """The month ordinals of day numbers."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(int) + 1970 * 12


def _sixty(birth: Integers) -> Integers:
    """The month in which somebody turns sixty."""
    return months_of(birth + int(PENSION_AGE * DAYS_A_YEAR))


def _benefit_amount(place: Place, rows: Integers) -> Integers:
    """Monthly amounts: the resident scheme pays little, the others a part of a wage."""
    people, chance = place.people, unit_hash(place.seed, rows, 83)
    resident = place.config.money.resident_benefit_yuan * (0.9 + 0.6 * chance)
    scheme = people.benefit[rows]
    return np.select([scheme == 0, scheme == 1], [1900 + 1600 * chance, 3600 + 2600 * chance], resident).astype(int)


def _file_taxes(place: Place) -> None:
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


class _Month:
    """What happens in one month, in this order: visits bear fruit, life goes on, people pay or fall behind."""

    def __init__(self, place: Place) -> None:
        self.place, self.config, self.people, self.habits = place, place.config, place.people, place.config.habits
        self.rng = np.random.default_rng([place.seed, 2, place.now])
        self.age = place.ages()

    def pass_by(self) -> None:
        """All of it, for the month the place has just been moved to."""
        if self.place.now % 12 == 0:
            self.people.paid[:] = 0
        self._visits_bear_fruit()
        self._deaths()
        self._moves()
        self._school_year()
        self._jobs()
        self._retirements()
        self._falling_behind_and_resuming()
        self._payments()
        self._cards()
        self._newcomers()
        self._new_projects()
        _file_taxes(self.place)

    def _some(self, who: Bools, share: float) -> Integers:
        rows = np.flatnonzero(who)
        return rows[self.rng.random(len(rows)) < share]

    # --- effects of visits ---

    def _visits_bear_fruit(self) -> None:
        people, place = self.people, self.place
        firms = place.employers
        newly = np.flatnonzero(firms.pending & JOIN_EMPLOYEE)
        firms.cover[newly] = COVERED
        firms.pending[:] = 0
        self._join_employee(np.flatnonzero(np.isin(people.employer, newly) & place.here))
        insured = np.flatnonzero((place.projects.pending > 0) & (place.projects.insured_day < 0))
        place.projects.insured_day[insured] = place.first_of_month + 4
        place.projects.pending[:] = 0

        def asked(effect: int) -> Integers:
            return np.flatnonzero((people.pending & effect > 0) & place.alive)

        self._join_employee(asked(JOIN_EMPLOYEE))
        self._join_employee(asked(CONVERT))
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

    def _join_employee(self, rows: Integers) -> None:
        """Into the employee pension, with the employer's other schemes if there is one; the resident schemes end."""
        people = self.people
        rows = rows[people.scheme[IP, rows] != ACTIVE]
        self._activate(EP, rows)
        staff = rows[people.employer[rows] >= 0]
        for scheme in (UN, WI, MA, EM):
            self._activate(scheme, staff)
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
        people.paid[payers] = _own_share(self.place, payers)
        people.pay_month[payers] = self.place.now % 12

    def _resume(self, rows: Integers) -> None:
        people = self.people
        employee = rows[people.scheme[EP, rows] == SUSPENDED]
        self._join_employee(employee)
        resident = rows[(people.scheme[RP, rows] == SUSPENDED)]
        self._join_resident(resident)

    def _raise_tier(self, rows: Integers, *, pay: bool) -> None:
        """A higher tier; with ``pay`` the difference for this year is paid at once."""
        people, tiers = self.people, self.config.money.raised_tiers
        rows = rows[_pays(self.place, rows)]
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
        people.benefit_yuan[rows] = _benefit_amount(self.place, rows)

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
        force = _frailty(self.age[living])
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
        _enter_school(place, np.flatnonzero(sixteen & ~place.active(*PENSIONS)), university=False)
        pupil = people.student == ENROLLED_AT_SCHOOL
        if place.now % 12 == 6:
            people.student[pupil & (people.stage != UNIVERSITY) & (self.age >= 18)] = LEFT_SCHOOL
            people.student[pupil & (people.stage == UNIVERSITY) & (self.age >= 22)] = LEFT_SCHOOL
        if place.now % 12 == 8:
            leavers = (people.student == LEFT_SCHOOL) & (people.stage != UNIVERSITY) & (people.employer < 0)
            admitted = self._some(leavers & (self.age >= 18) & (self.age <= 19), self.habits.to_university_share)
            _enter_school(place, admitted, university=True)

    def _jobs(self) -> None:
        """People leave jobs and fall out of the employee schemes; others, and graduates, are hired and enrolled."""
        people, place, wishes = self.people, self.place, self.config.monthly
        leaving = self._some(place.alive & (people.employer >= 0) & place.active(EP), wishes.leaves_job_share)
        people.employer[leaving] = -1
        for scheme in (EP, UN, WI, MA, EM):
            rows = leaving[people.scheme[scheme, leaving] == ACTIVE]
            people.scheme[scheme, rows], people.last_paid[scheme, rows] = SUSPENDED, place.now - 1
        idle = place.here & (people.employer < 0) & (people.student != ENROLLED_AT_SCHOOL) & ~place.active(EP, IP)
        seeking = idle & (self.age >= 18) & (self.age < 50)
        graduates = self._some(seeking & (people.student == LEFT_SCHOOL), wishes.graduate_hired_share)
        insured_staff = int((place.active(EP) & (people.employer >= 0)).sum())
        hires = round(insured_staff * wishes.hired_per_thousand_employees / 1000)
        from_fields = round(hires * wishes.hired_from_resident_share)
        farmers = pick(self.rng, np.flatnonzero(seeking & place.active(RP)), from_fields)
        others = pick(self.rng, np.flatnonzero(seeking & ~place.active(RP)), hires - len(farmers))
        hired = np.unique(np.r_[graduates, others, farmers])
        firms = place.employers
        offers_jobs = (firms.status == OPERATING) & (firms.cover == COVERED) & np.isin(firms.kind, (ENTERPRISE, SOCIAL))
        weight = np.where(offers_jobs, firms.weight, 0)
        people.employer[hired] = _drawn_by_weight(self.rng, weight, len(hired))
        people.job_month[hired] = place.now
        self._join_employee(hired)
        firms.exposed[:] = np.minimum(firms.exposed, np.maximum(1, place.staff))

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
        joining = outside & at_home & (self.age >= WORKING_AGE) & (people.scheme[EP] == NONE)
        self._join_resident(self._some(joining, wishes.joins_resident_share))

    def _payments(self) -> None:
        """Monthly schemes are paid for this month; residents pay in their own month, some at a higher tier (C6)."""
        people, place = self.people, self.place
        for scheme in (EP, IP, EM, UN, WI, MA):
            people.last_paid[scheme, (people.scheme[scheme] == ACTIVE) & place.alive] = place.now
        unpaid = (people.paid == 0) & (people.last_paid[RP] < place.now)
        owing = np.flatnonzero((people.scheme[RP] == ACTIVE) & unpaid & (people.pay_month == place.now % 12))
        owing = owing[_pays(place, owing)]
        readiness = np.array([self.config.raises_tier_of(code) for code in self.config.townships])
        able = people.tier[owing] != self.config.money.subsidised_tier
        willing = self.rng.random(len(owing)) < readiness[people.township[owing]]
        self._raise_tier(owing[able & willing], pay=False)
        people.paid[owing] = _own_share(place, owing)
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
        mothers = pick(rng, np.flatnonzero(_may_be_mother(place, self.age)), births)
        arriving = _whole(rng, living * wishes.moved_in_per_year / 12)
        before, born = len(self.people), len(mothers)
        place.people = self.people = self.people.extended(self._new_rows(mothers, arriving))
        self.age = place.ages()
        babies, arrivals = np.arange(before, before + born), np.arange(before + born, len(self.people))
        _house(place, rng, arrivals)
        _name_and_number(place, rng, np.r_[babies, arrivals])
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
        count = _whole(rng, place.config.firms.projects_per_month * place.scale)
        place.projects = place.projects.extended(_projects(place, rng, count, first=len(place.projects)))


def _whole(rng: np.random.Generator, expected: float) -> int:
    """A whole number with this expectation."""
    return int(rng.poisson(expected))
