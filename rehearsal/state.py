"""What is really so in a synthetic place, as columns: its people, employers and projects, and what their codes mean.

Times are months as ordinals (year x 12 + month - 1) and days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.profile import SCHEMES
from rehearsal.names import Bools, Integers, Strings

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


def months_of(days: Integers) -> Integers:
    """The month ordinals of day numbers."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(int) + 1970 * 12
