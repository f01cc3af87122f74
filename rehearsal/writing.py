"""What units write into their forms: plausible texts from ``writing.yaml`` with the figures that the form itself shows them.

Which sentences are taken follows from the seed, the unit and the period: no unit repeats what it wrote the month before, and
no two write the same, but for careless ones, who hand in one and the same filler.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import Field, model_validator

from documents.form_sheet import PREFILLED, Filled
from documents.workbook import as_text
from models.plan import Plan, Section, Strict
from rehearsal.behaviour import chance

POLICY = Path(__file__).with_name("writing.yaml")
GROUND_KINDS = ("township", "county", "zone")
_BY_UNIT, _BY_PERIOD = 7919, 104729
"""Steps of two primes through all texts of a topic: neighbours of either kind never meet in one text."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
Slots = tuple[tuple[str, ...], ...]


class Topic(Strict):
    """What a part of a form can be about: the words that say so, and its sentences slot by slot."""

    id: str
    words: tuple[str, ...]
    any: Slots = ()
    ground: Slots = ()
    office: Slots = ()

    @model_validator(mode="after")
    def _is_for_everybody(self) -> Topic:
        if not self.any and not (self.ground and self.office):
            raise ValueError(f"topic {self.id} has sentences neither for any unit nor for both kinds")
        return self

    def slots(self, is_ground: bool) -> Slots:
        """The sentences for one kind of unit."""
        return (self.ground if is_ground else self.office) or self.any


class WritingPolicy(Strict):
    """The whole of ``writing.yaml``."""

    lazy: tuple[str, ...] = Field(min_length=2)
    topics: tuple[Topic, ...] = Field(min_length=1)

    def topic_of(self, name: str) -> Topic:
        """What a part of that name is about: the topic of the first word in the policy's order, else the last topic."""
        return next((topic for topic in self.topics if any(word in name for word in topic.words)), self.topics[-1])


@cache
def policy() -> WritingPolicy:
    """What ``writing.yaml`` says."""
    return WritingPolicy.model_validate(yaml.safe_load(POLICY.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Author:
    """Who fills a form in: the unit, its place among its kind in the plan, and for which duty and period.

    ``is_careless``: hands in filler. ``persons`` live in its area; numbers that only the unit knows are drawn from them.
    """

    seed: int
    unit: str
    rank: int
    is_ground: bool
    duty: str
    period: str
    month: int
    months_on: int = 0
    persons: int = 0
    is_careless: bool = False

    @classmethod
    def of(cls, plan: Plan, seed: int, organisation: str, duty: str, period: str, month: int, *, months_on: int = 0,
           persons: int = 0, is_careless: bool = False) -> Author:
        """The author of one organisation's form."""
        org = plan.organisation(organisation)
        is_ground = org.kind in GROUND_KINDS
        alike = [entry.code for entry in plan.organisations if (entry.kind in GROUND_KINDS) == is_ground]
        return cls(seed, org.short, alike.index(organisation), is_ground, duty, period, month, months_on, persons, is_careless)

    def text(self, name: str, figures: Mapping[str, str], last_month: bool = False) -> str:
        """What stands in the part of that name; with ``last_month`` what stood there the month before, figures aside."""
        count = int("".join(filter(str.isdigit, self.period)) or 0) - int(last_month)
        if self.is_careless:
            return policy().lazy[count % len(policy().lazy)]
        known = {**figures, "month": str(self.month), "unit": self.unit}
        slots = [[sentence for sentence in slot if set(_PLACEHOLDER.findall(sentence)) <= known.keys()]
                 for slot in policy().topic_of(name).slots(self.is_ground)]
        start = int(chance(self.seed, "writes", self.duty, name) * 10**6)
        position = start + self.rank * _BY_UNIT + count * _BY_PERIOD
        chosen = []
        for slot in filter(None, slots):
            position, which = divmod(position, len(slot))
            chosen.append(_PLACEHOLDER.sub(lambda found: known[found[1]], slot[which]))
        return "".join(chosen)

    def numbers(self, sections: Sequence[Section]) -> dict[str, float]:
        """Numbers that only the unit knows: counts that grow month by month, and sums of the others where the plan says so."""
        found: dict[str, float] = {}
        for section in sections:
            if section.kind == "number" and not section.sum_of:
                share = 0.004 + 0.02 * chance(self.seed, "counts", self.unit, self.duty, section.id)
                months = self.months_on + 1 if section.cumulative else 1
                found[section.id] = round(self.persons * share * months)
        for section in sections:
            if section.kind == "number" and section.sum_of:
                found[section.id] = sum(found.get(part, 0) for part in section.sum_of)
        return found


def own_figures(fields: Iterable[Filled]) -> dict[str, str]:
    """What the form's grey cells tell its unit, by placeholder: sums over its lists, the list with most still open, its
    first figure with a gap, the feed it owes, and one of its duties. What is blank or nothing is left out."""
    rows: dict[str, dict[str, Filled]] = {}
    for filled in fields:
        parts = filled.field.key.split(".")
        if filled.field.kind == PREFILLED and len(parts) == 3:
            rows.setdefault(".".join(parts[:2]), {})[parts[2]] = filled
    found: dict[str, str] = {}
    lists = [row for key, row in rows.items() if key.startswith("lists.")]
    for name, column in (("issued", "下发数"), ("checked", "已核查"), ("open", "未核查"), ("enrolled", "报已参保"), ("cannot", "无法参保")):
        total = sum(_number(row.get(column)) for row in lists)
        if total > 0:
            found[name] = f"{total:.0f}"
    if lists:
        most = max(lists, key=lambda row: _number(row.get("未核查")))
        if _number(most.get("未核查")) > 0 and "清单" in most:
            found |= {"list": _shown(most["清单"]), "list_open": f"{_number(most['未核查']):.0f}"}
    for row in rows.values():
        if "指标" in row and _number(row.get("差额")) > 0 and _number(row.get("本月末累计")) > 0:
            found |= {"indicator": _shown(row["指标"]), "reached": _shown(row["本月末累计"]), "gap": _shown(row["差额"]),
                      "unit_of": _shown(row["计量单位"])}
            break
    for name, column in (("feed", "数据"), ("duty", "职责任务")):
        told = [row[column] for row in rows.values() if column in row]
        if told:
            found[name] = _shown(told[0])
    return found


def _shown(filled: Filled) -> str:
    return as_text(filled.field.content["shown"])


def _number(filled: Filled | None) -> float:
    value = None if filled is None else filled.field.content["value"]
    return float(value) if isinstance(value, int | float) else 0.0
