"""A new plan from a base and a few answers: what the notice says, its units, days and targets, and what it leaves open as questions.

The text is short because all else is inherited; every question stands beside the value that holds until somebody decides otherwise.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from models.errors import WrongUse
from models.plan import OrganisationKind
from models.plan_file import BASES, REPOSITORY, LoadedPlan
from models.plan_schema import MARK, SCHEMA_FILE
from rules.calendar import WorkCalendar

ITEM_KEYS = ("id", "code", "feed", "list", "what")
QUESTIONS_FILE = REPOSITORY / "models" / "plan_questions.yaml"
UNIT_COLUMNS = ("name", "level", "parent", "code", "short", "region_code")
OPEN = "待定 (choice)："
SHIPPED_TEMPLATES = "templates"
SHORTEST_SHORT = 2


@dataclass(frozen=True)
class Unit:
    """A unit that takes part: a township, street, village …; ``numbers`` are its targets by indicator."""

    name: str
    kind: str
    code: str
    short: str
    parent: str | None = None
    region_code: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """What only the notice can say."""

    base: str
    id: str
    name: str
    region: str
    region_code: str
    number: str
    title: str
    issuer: str
    issued: date
    starts: date
    ends: date
    units: tuple[Unit, ...]
    totals: Mapping[str, float]
    measured_on: date


@cache
def asked() -> Mapping[str, Any]:
    """``plan_questions.yaml``."""
    return cast("dict[str, Any]", yaml.safe_load(QUESTIONS_FILE.read_text(encoding="utf-8")))


# --- bases ----------------------------------------------------------------------------------------------


def patterns() -> dict[str, str]:
    """The bases a notice can stand on, with what each is called: those that extend the common one."""
    found = {}
    for file in sorted(BASES.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if re.search(r"(?m)^extends:", text):
            found[file.stem] = text.splitlines()[0].lstrip("# ").partition(":")[0]
    return found


def chain_of(base: str) -> list[dict[str, Any]]:
    """A base and what it extends, as plain values. Raises WrongUse where there is none of that name."""
    found: list[dict[str, Any]] = []
    name: str | None = base
    while name is not None:
        file = BASES / f"{name}.yaml"
        if not re.fullmatch(r"[\w-]+", name) or not file.is_file() or len(found) > len(list(BASES.glob("*.yaml"))):
            raise WrongUse(f"there is no base {name!r}.", where="--base",
                           cure="; ".join(f"{known} ({title})" for known, title in patterns().items()))
        found.append(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader))
        name = found[-1].get("extends")
    return found


def items_of(base: str, section: str, key: str) -> list[str]:
    """The keys of the items that a base holds in a section."""
    return list(dict.fromkeys(entry[key] for layer in reversed(chain_of(base)) for entry in layer.get(section, ())
                              if isinstance(entry, dict) and entry.get("remove") != "true"))


def templates_of(base: str) -> set[str]:
    """The kinds of unit for which a base has a pattern."""
    return {name for layer in chain_of(base) for name in layer.get(SHIPPED_TEMPLATES, {}).get("organisations", {})}


# --- units ----------------------------------------------------------------------------------------------


def slug_of(name: str) -> str:
    """A name as small letters: Chinese by its pinyin."""
    from pypinyin import lazy_pinyin

    return re.sub(r"[^a-z0-9]+", "", "".join(lazy_pinyin(name)).lower().replace("ü", "v"))


def short_of(name: str) -> str:
    """A unit's name without what says its level, where two letters are left: 东山 for 东山镇人民政府."""
    ends = sorted((end for kind in ("township", "village") for end in asked()["levels"][kind]), key=len, reverse=True)
    end = next((end for end in ends if name.endswith(end) and len(name) - len(end) >= SHORTEST_SHORT), "")
    return name.removesuffix(end)


def kind_of(word: str, name: str, where: str) -> str:
    """The kind of unit that a word, or else the end of the unit's name, means. Raises WrongUse: no kind is guessed."""
    kinds = [word for word in (*get_args(OrganisationKind), *asked()["levels"]) if isinstance(word, str)]
    kinds = list(dict.fromkeys(kinds))
    if word in kinds:
        return word
    told = {end: kind for kind, ends in asked()["levels"].items() for end in ends}
    if word:
        if word in told:
            return str(told[word])
        raise WrongUse(f"{word!r} is no level of a unit.", where=where, cure=f"Write one of {', '.join([*told, *kinds])}.")
    for end in sorted(told, key=len, reverse=True):
        if name.endswith(end):
            return str(told[end])
    raise WrongUse(f"the name {name!r} does not show which level the unit is of.", where=where,
                   cure=f"Write its level: {', '.join(kinds)}.")


def units_of(rows: Iterable[Mapping[str, str]], base: str, source: str) -> tuple[Unit, ...]:
    """Units from rows of name, level, parent, code, short and a column for each indicator. Codes that are missing are made from the
    name's pinyin; a parent may be named by name or by code. Raises WrongUse with the row."""
    indicators, taken = items_of(base, "indicators", "id"), set(items_of(base, "organisations", "code"))
    units: list[Unit] = []
    by_name: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{source}, row {number}"
        cells = {(key or "").strip(): (value or "").strip() for key, value in row.items()}
        unknown = [key for key in cells if key not in (*UNIT_COLUMNS, *indicators)]
        if unknown:
            raise WrongUse(f"the column {unknown[0]!r} is neither about units nor an indicator.", where=where,
                           cure=f"Columns are {', '.join(UNIT_COLUMNS)}, and of this base {', '.join(indicators)}.")
        name = cells.get("name", "")
        if not name:
            raise WrongUse("a unit has no name.", where=where, cure="Write its name, or delete the row.")
        code = cells.get("code") or _free(slug_of(short_of(name)) or "unit", taken)
        if code in taken or not re.fullmatch(r"[a-z][a-z0-9_]*", code):
            raise WrongUse(f"the code {code!r} is taken, or not of small letters, digits and _.", where=where, cure="Choose another code.")
        parent = cells.get("parent") or None
        if parent is not None and parent not in taken:
            if parent not in by_name:
                raise WrongUse(f"the unit above, {parent!r}, is not known.", where=where,
                               cure="List it in a row before, or write the code of a unit of the base.")
            parent = by_name[parent]
        taken.add(code)
        by_name[name] = code
        short = cells.get("short") or short_of(name)
        if any(short in (other.short, other.name) for other in units):
            short = name
        units.append(Unit(name, kind_of(cells.get("level", ""), name, where), code, short, parent, cells.get("region_code") or None,
                          {key: number_of(cells[key], f"{where}, {key}") for key in indicators if cells.get(key)}))
    return tuple(units)


def units_of_file(path: Path, base: str) -> tuple[Unit, ...]:
    """Units from a CSV file, UTF-8 or, as Excel writes it here, GB18030."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WrongUse(f"the file cannot be read: {error.strerror}.", where=str(path), cure="Check the path.") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    return units_of(csv.DictReader(text.splitlines()), base, path.name)


def number_of(text: str, where: str) -> float:
    """A number as people write it: 6,550 or 90%. Raises WrongUse."""
    try:
        number = float(text.replace(",", "").replace("，", "").rstrip("%％"))
    except ValueError:
        raise WrongUse(f"{text!r} is no number.", where=where, cure="Write digits only.") from None
    return int(number) if number == int(number) else number


def target_of(told: str, base: str, units: Sequence[Unit]) -> tuple[str, float | None, dict[str, float]]:
    """``INDICATOR=NUMBER`` for the region, or ``INDICATOR=UNIT:NUMBER,UNIT:NUMBER``: the indicator, the total, the levels by code."""
    indicator, _, said = (part.strip() for part in told.partition("="))
    known = items_of(base, "indicators", "id")
    if indicator not in known or not said:
        raise WrongUse(f"{told!r} names no indicator of this base, or no number.", where="--target",
                       cure=f"Write INDICATOR=NUMBER; indicators: {', '.join(known)}.")
    if ":" not in said.replace("：", ":"):
        return indicator, number_of(said, f"--target {indicator}"), {}
    codes = {word: unit.code for unit in units for word in (unit.code, unit.name, unit.short)}
    levels: dict[str, float] = {}
    for pair in re.split(r"[,;，；]", said):
        unit, _, number = (part.strip() for part in pair.replace("：", ":").partition(":"))
        if unit not in codes:
            raise WrongUse(f"{unit!r} is no unit given here.", where=f"--target {indicator}", cure=f"Units: {', '.join(codes)}.")
        levels[codes[unit]] = number_of(number, f"--target {indicator} {unit}")
    return indicator, None, levels


def _free(wanted: str, taken: set[str]) -> str:
    wanted = wanted if wanted[0].isalpha() else f"u{wanted}"
    number = 1
    while (code := wanted if number == 1 else f"{wanted}_{number}") in taken:
        number += 1
    return code


# --- the text -------------------------------------------------------------------------------------------


def text_of(answers: Answers, out: Path, whole: Mapping[str, Any] | None = None) -> str:
    """The plan's text. ``whole`` is the plan as it stands with the base: with it, the open questions are written too."""
    return "\n".join(_lines(answers, out, whole)) + "\n"


def schema_line(out: Path) -> str:
    """The line by which an editor finds the schema: a path from the plan's folder."""
    return MARK + os.path.relpath(SCHEMA_FILE, out.resolve().parent)


def _lines(answers: Answers, out: Path, whole: Mapping[str, Any] | None) -> Iterator[str]:
    yield from (
        schema_line(out),
        f"# {answers.name}",
        "#",
        "# 通知写明的写在这里；其余取自 extends 所指的基础计划（canbao plan show 可看全部）。键的含义见 docs/plan.md。",
        f"# “{OPEN.rstrip('：')}” 是通知没有写明的事项：现按所列的值执行，请逐项确定；确定后把出处写进 source 或删去注释。",
        "# 改后运行 canbao plan check，再用 canbao calendar 和 canbao rehearse 试一遍。",
        "",
        "canbao: 1",
        f"extends: {answers.base}",
        f"id: {answers.id}",
        f"name: {_flow(answers.name)}",
        "document:",
        f"  number: {_flow(answers.number)}",
        f"  title: {_flow(answers.title)}",
        f"  issuer: {_flow(answers.issuer)}",
        f"  issued: {answers.issued}",
        "  source: 通知的文头和落款",
        f'region: {{code: "{answers.region_code}", name: {_flow(answers.region)}}}',
        f"starts: {answers.starts}",
        f"ends: {answers.ends}",
        "",
        "# 乡镇、街道等；部门和领导小组已在基础计划中。收件地址请换成各岗位的真实地址。",
        "organisations:",
    )
    templates = templates_of(answers.base)
    yield from (f"  - {_flow(_unit(unit, answers, templates))}" for unit in answers.units)
    targets = list(_targets(answers, whole))
    if targets:
        yield from ("", "targets:")
        yield from (f"  - {_flow(target)}" for target in targets)
    if whole is not None:
        yield from ("", "# --- 通知没有写明的 -----------------------------------------------------------------------------------")
        yield from _choices(whole, has_targets=bool(targets))


def _unit(unit: Unit, answers: Answers, templates: set[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"code": unit.code}
    if unit.kind in templates:
        said["like"] = unit.kind
    else:
        said |= {"like": "township", "kind": unit.kind}
    said |= {"name": unit.name, "short": unit.short}
    aliases = [name for name in dict.fromkeys((short_of(unit.name), f"{answers.region}{unit.name}", f"{unit.name}人民政府"
                                               if unit.name.endswith(("镇", "乡")) else f"{unit.name}办事处" if unit.name.endswith("街道") else ""))
               if name and name not in (unit.name, unit.short) and all(name not in (other.name, other.short, short_of(other.name))
                                                                       for other in answers.units if other is not unit)]
    if aliases:
        said["aliases"] = aliases
    if unit.parent:
        said["parent"] = unit.parent
    if unit.region_code:
        said["region_code"] = unit.region_code
    return {**said, "source": "通知所列单位"}


def _targets(answers: Answers, whole: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    government = next((entry["code"] for entry in (whole or {}).get("organisations", ()) if entry.get("kind") == "government"), "gov")
    for indicator in dict.fromkeys([*answers.totals, *(name for unit in answers.units for name in unit.numbers)]):
        level = {unit.code: unit.numbers[indicator] for unit in answers.units if indicator in unit.numbers}
        if indicator in answers.totals:
            level[government] = answers.totals[indicator]
        yield {"id": indicator, "indicator": indicator, "measured_on": answers.measured_on, "level": level, "source": "通知所列目标"}


# --- what is open ---------------------------------------------------------------------------------------


@dataclass
class _Node:
    """A place of the plan under way: keys or items below it, or a value with its question."""

    below: dict[str, _Node] = field(default_factory=dict)
    item_key: str = ""
    value: Any = None
    ask: str = ""
    is_example: bool = False


def _choices(whole: Mapping[str, Any], *, has_targets: bool) -> Iterator[str]:
    root = _Node()
    for question in asked()["questions"]:
        parts = question["at"].split(".")
        if parts[0] == "supervisions" and not has_targets:
            continue
        if "from" in question:
            found = list(_found(whole, question["from"].split("."), ()))
            if found:
                _put(root, parts, found[0][1], question)
            continue
        *head, last = parts
        is_first = True
        for path, holder in _found(whole, head, ()):
            for key in last.split("+"):
                value = holder.get(key) if isinstance(holder, dict) else None
                if value is None and "example" not in question:
                    continue
                _put(root, [*path, key], value, question if is_first else {**question, "ask": ""})
                is_first = False
    if not has_targets and whole.get("supervisions"):
        # Without a target nobody can be slow: a plan that supervises then is not sound.
        root.below["supervisions"] = _Node({f"id={rule['id']}": _Node({"remove": _Node(value=True, ask="没有目标，不设督导；有目标后删去本行")})
                                            for rule in whole["supervisions"]})
    for key, node in root.below.items():
        yield from _written(key, node, 0)


def _found(node: Any, path: Sequence[str], passed: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The places that a path with ``*`` reaches, and what stands there."""
    if not path:
        yield passed, node
        return
    part, *rest = path
    if isinstance(node, list):
        for entry in node:
            key = next((name for name in ITEM_KEYS if name in entry), "")
            if key and part in ("*", entry[key]):
                yield from _found(entry, rest, (*passed, f"{key}={entry[key]}"))
    elif isinstance(node, dict):
        for key in list(node) if part == "*" else [part]:
            if key in node:
                yield from _found(node[key], rest, (*passed, key))


def _put(root: _Node, path: Sequence[str], value: Any, question: Mapping[str, Any]) -> None:
    node = root
    for part in path:
        node = node.below.setdefault(part, _Node())
    node.value, node.ask = (question["example"], question["ask"]) if value is None else (value, question["ask"])
    node.is_example = value is None


def _written(part: str, node: _Node, indent: int) -> Iterator[str]:
    pad = " " * indent
    key, _, name = part.partition("=")
    comment = f"  # {OPEN}{node.ask}" if node.ask else ""
    if not node.below:
        yield f"{pad}{'# ' if node.is_example else ''}{key}: {_flow(node.value)}{comment}"
        return
    head = f"{pad}- {key}: {name}" if name else f"{pad}{key}:"
    flat = {inner: below for inner, below in node.below.items() if not below.below}
    if len(flat) == len(node.below) and not any(below.is_example for below in flat.values()):
        told = [below.ask for below in flat.values() if below.ask]
        values = _flow({**({key: name} if name else {}), **{inner: below.value for inner, below in flat.items()}})
        comment = f"  # {OPEN}{''.join(told)}" if told else ""
        yield f"{pad}- {values}{comment}" if name else f"{pad}{key}: {values}{comment}"
        return
    yield head
    for inner, below in node.below.items():
        yield from _written(inner, below, indent + 2)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_DAY_OR_HOUR = re.compile(r"\d{4}-\d\d(-\d\d)?|\d\d:\d\d(:\d\d)?")
_Dumper.add_representer(date, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat()))
_Dumper.add_representer(str, lambda dumper, value: dumper.represent_scalar(
    "tag:yaml.org,2002:timestamp" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else "tag:yaml.org,2002:str", value,
    style='"' if value.isdigit() else None))


def _flow(value: Any) -> str:
    """A value on one line, as people write it in a plan."""
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, default_flow_style=True, width=100_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def whole_of(loaded: LoadedPlan) -> dict[str, Any]:
    """A whole plan as plain values. Where it runs into a year whose holidays nobody has published, it says that weekends alone
    count until then: the plan is sound, and the question stands beside it."""
    whole = cast("dict[str, Any]", json.loads(loaded.text))
    plan = loaded.plan
    calendar = WorkCalendar(plan.calendar)
    if not all(calendar.knows_year(year) for year in range(plan.starts.year, max(plan.ends, plan.acceptance.final_on).year + 1)):
        whole["calendar"] = {**whole["calendar"], "unpublished": "weekends"}
    return whole
