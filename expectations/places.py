"""How organisations are written in files: every spelling of the plan's units, and to whom it leads.

Spellings come from the plan (name, short, aliases, region code) and from habits of writing that hold everywhere:
with the region's or parent's name before, with 办事处 or 人民政府 after, a street still called a town (domain.md 35).
A spelling that two units of the kinds in question claim leads nowhere: it is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from models.plan import Organisation, Plan

_SUFFIX = re.compile(r"(街道办事处|街道办|街道|镇人民政府|镇政府|镇|乡人民政府|乡政府|乡)$")
_TOWNSHIP_SUFFIXES = ("街道", "街道办", "街道办事处", "镇", "镇政府", "镇人民政府", "乡", "乡政府", "乡人民政府")
_REGION_SUFFIX = re.compile(r"(自治州|地区|市|县|区|州|盟|旗)$")


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a unit. ``is_full``: long enough to be looked for inside a longer text."""

    text: str
    organisation: str
    is_full: bool


def spellings(plan: Plan, on: date, kinds: Collection[str]) -> tuple[Spelling, ...]:
    """Every unambiguous spelling of the units of these kinds existing on ``on``; one that was dissolved leads to its
    successor. What the plan states wins over what follows from habits of writing."""
    stated = [(text, heir, is_full) for org in plan.organisations if (heir := _heir(org, plan, on)) is not None
              and heir.kind in kinds for text, is_full in _ways(org, plan)]
    derived = [way for way in _renamed(plan, on) if way[1].kind in kinds]
    known = {text for text, _, _ in stated}
    return (*_unambiguous(stated), *_unambiguous(way for way in derived if way[0] not in known))


def _unambiguous(ways: Iterable[tuple[str, Organisation, bool]]) -> list[Spelling]:
    claims: dict[str, dict[str, Spelling]] = {}
    for text, org, is_full in ways:
        claims.setdefault(text, {}).setdefault(org.code, Spelling(text, org.code, is_full))
    return [next(iter(owners.values())) for owners in claims.values() if len(owners) == 1]


def region_names(plan: Plan) -> tuple[str, ...]:
    """How the region itself is written at the start of an address."""
    stem = _REGION_SUFFIX.sub("", plan.region.name)
    governments = [org for org in plan.organisations if org.code == plan.region_organisation]
    aliases = [alias for org in governments for alias in org.aliases]
    return tuple(dict.fromkeys(name for name in (plan.region.name, stem, *aliases) if len(name) >= 2))


def _heir(org: Organisation, plan: Plan, on: date) -> Organisation | None:
    """The unit itself while it exists, else the one that took over its duties (C24, B36), else nobody."""
    if org.exists_on(on):
        return org
    heirs = [other for other in plan.organisations if org.code in other.succeeds and other.exists_on(on)]
    return heirs[0] if len(heirs) == 1 else None


def _ways(org: Organisation, plan: Plan) -> Iterator[tuple[str, bool]]:
    own = (org.name, org.short, *org.aliases)
    for text in own:
        yield text, bool(_SUFFIX.search(text))
    for before in _before(org, plan):
        for text in own:
            yield before + text, True
    if org.region_code:
        yield org.region_code, False
        yield org.region_code.ljust(12, "0"), False
    if org.code == plan.region_organisation:
        yield plan.region.name, False
        yield plan.region.code, False


def _before(org: Organisation, plan: Plan) -> Iterable[str]:
    """What is written before a township: its county, or the region."""
    if org.kind != "township":
        return ()
    parent = next((other for other in plan.organisations if other.code == org.parent and other.kind == "county"), None)
    return (plan.region.name, *((parent.name, parent.short, plan.region.name + parent.name) if parent else ()))


def _renamed(plan: Plan, on: date) -> Iterator[tuple[str, Organisation, bool]]:
    """A township whose stem no other has, under any suffix: 凤麓镇 is 凤麓街道 as long as there is one 凤麓."""
    townships = [org for org in plan.organisations if org.kind == "township" and org.exists_on(on)]
    stems = [_SUFFIX.sub("", org.name) for org in townships]
    for org, stem in zip(townships, stems, strict=True):
        if len(stem) >= 2 and stems.count(stem) == 1:
            for suffix in _TOWNSHIP_SUFFIXES:
                yield stem + suffix, org, True
                yield plan.region.name + stem + suffix, org, True
