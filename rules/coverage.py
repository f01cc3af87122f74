"""Coverage: which item of a plan carries which line of the requirements, and which line none carries.

Every item of a plan names its ``source``; a source cites lines of ``docs/requirements.csv`` by their numbers (``C20``).
From that alone follows what a document asks for and a plan forgot, and what a plan cites that no document says.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from pydantic import BaseModel

from models.errors import CanbaoError
from models.plan import Plan, Sourced

Kind = Literal["plan", "duty", "software"]
"""``plan``: a value of the plan carries the line. ``duty``: people owe it, software only tracks it. ``software``: a
capability of the code, which a plan may cite but need not."""

HEADER = ("line", "campaign", "text", "kind")
LINE_NUMBER = re.compile(r"\b[CBGL]\d+\b", re.ASCII)
"""ASCII, so that a Chinese letter right after the number ends it."""
KEYS = ("id", "code", "feed", "what", "list")
"""What an item is called by, in this order; an item with none of these is called by its place, from 0."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One numbered line of what a document asks for, in short English."""

    line: str
    campaign: str
    text: str
    kind: Kind


def requirements(text: str) -> tuple[Requirement, ...]:
    """The lines of ``docs/requirements.csv``, in the file's order. Raises CanbaoError for another header, an unknown
    kind, a number of another form or a number that stands twice."""
    rows = list(csv.reader(text.splitlines()))
    if not rows or tuple(rows[0]) != HEADER:
        raise CanbaoError("the first line is not the header.", where="requirements, line 1",
                          cure=f"Write `{','.join(HEADER)}`.")
    found: dict[str, Requirement] = {}
    for number, row in enumerate(rows[1:], start=2):
        requirement = _requirement(row, f"requirements, line {number}")
        if requirement.line in found:
            raise CanbaoError(f"{requirement.line} stands twice.", where=f"requirements, line {number}",
                              cure="Keep one; a number names one line.")
        found[requirement.line] = requirement
    return tuple(found.values())


def coverage(plan: Plan, lines: Collection[str]) -> dict[str, tuple[str, ...]]:
    """For each of ``lines``, in their order, the items of the plan that cite it; an empty tuple where none does.

    Items are named as in ``targets.employee_pension`` or ``acceptance.items.reports``, in the plan's order.
    """
    found: dict[str, list[str]] = {line: [] for line in lines}
    for path, cited in _citations(plan):
        for line in cited:
            if line in found:
                found[line].append(path)
    return {line: tuple(paths) for line, paths in found.items()}


def uncovered(plan: Plan, asked: Collection[Requirement]) -> tuple[str, ...]:
    """The lines asked of this plan that it does not carry, in the order of ``asked``.

    A ``plan`` line needs any item. A ``duty`` line needs a duty or an obligation, for only these name who owes it.
    Lines of other campaigns and of the code (``software``) ask nothing of the plan.
    """
    own = [requirement for requirement in asked if requirement.campaign == plan.id]
    carried = coverage(plan, [requirement.line for requirement in own])
    return tuple(requirement.line for requirement in own if not _is_carried(requirement, carried[requirement.line]))


def unknown_citations(plan: Plan, asked: Collection[Requirement]) -> dict[str, tuple[str, ...]]:
    """Line numbers the plan cites though its own document has no such line, each with the items that cite it.

    A number of another campaign's document is unknown too: a plan stands on its own notice only.
    """
    own = {requirement.line for requirement in asked if requirement.campaign == plan.id}
    found: dict[str, list[str]] = {}
    for path, cited in _citations(plan):
        for line in cited:
            if line not in own:
                found.setdefault(line, []).append(path)
    return {line: tuple(paths) for line, paths in found.items()}


def without_line(plan: Plan) -> tuple[str, ...]:
    """The items whose source cites no line at all: nobody can check where they come from."""
    return tuple(path for path, cited in _citations(plan) if not cited)


def _requirement(row: list[str], where: str) -> Requirement:
    if len(row) != len(HEADER):
        raise CanbaoError(f"{len(row)} cells where {len(HEADER)} are expected.", where=where,
                          cure="Put a text that holds a comma in double quotes.")
    line, campaign, text, kind = (cell.strip() for cell in row)
    if LINE_NUMBER.fullmatch(line) is None:
        raise CanbaoError(f"{line!r} is no line number.", where=where, cure="Write a letter and a number, as in C20.")
    if kind not in get_args(Kind):
        raise CanbaoError(f"the kind {kind!r} is unknown.", where=where, cure=f"Use {', '.join(get_args(Kind))}.")
    return Requirement(line, campaign, text, cast(Kind, kind))


def _is_carried(requirement: Requirement, paths: tuple[str, ...]) -> bool:
    if requirement.kind == "software":
        return True
    if requirement.kind == "duty":
        return any(path.startswith(("duties.", "obligations.")) for path in paths)
    return bool(paths)


def _citations(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every sourced item with the lines it cites, each once, in the plan's order."""
    for path, item in _sourced(plan, ""):
        yield path, tuple(dict.fromkeys(LINE_NUMBER.findall(item.source)))


def _sourced(value: object, path: str) -> Iterator[tuple[str, Sourced]]:
    if isinstance(value, Sourced):
        yield path, value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _sourced(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _sourced(entry, f"{path}.{key}")
    elif isinstance(value, tuple):
        for place, entry in enumerate(value):
            yield from _sourced(entry, f"{path}.{_called(entry, place)}")


def _called(entry: object, place: int) -> str:
    return next((str(key) for name in KEYS if (key := getattr(entry, name, None)) is not None), str(place))
