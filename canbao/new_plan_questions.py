"""The questions of ``canbao plan new``: what flags did not say is asked at a terminal; a script is told which flag is missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import typer

from canbao.app import say
from canbao.new_plan import (
    Answers,
    Unit,
    chain_of,
    items_of,
    number_of,
    patterns,
    slug_of,
    target_of,
    text_of,
    units_of,
    units_of_file,
    whole_of,
)
from canbao.shifted_plan import shifted
from models.errors import PlanUnsound, WrongUse
from models.plan_file import find, read

T = TypeVar("T")


@dataclass(frozen=True)
class Given:
    """What the flags said; empty where they said nothing."""

    base: str = ""
    region: str = ""
    region_code: str = ""
    name: str = ""
    id: str = ""
    number: str = ""
    title: str = ""
    issuer: str = ""
    issued: str = ""
    starts: str = ""
    ends: str = ""
    units_file: Path | None = None
    units: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    measured_on: str = ""


def written(out: Path, given: Given, like: str | None, year: int | None) -> None:
    """Writes the plan. Raises WrongUse if the file exists or an answer is missing or unfit; then nothing is written."""
    if out.exists():
        raise WrongUse("the file exists, and a plan is never overwritten.", where=str(out), cure="Name another file, or move that one.")
    if not out.resolve().parent.is_dir():
        raise WrongUse("the folder does not exist.", where=str(out.parent), cure=f"Make it: mkdir -p {out.parent}")
    if (like is None) != (year is None):
        raise WrongUse("--like and --year belong together.", where="--like", cure="Give both: --like PLAN --year 2027.")
    if like is not None and year is not None:
        source = find(like)
        _write(out, shifted(source.read_text(encoding="utf-8-sig"), year))
        return
    answers = _answers(given)
    _write(out, text_of(answers, out))
    try:
        whole = whole_of(read(out))
    except PlanUnsound:
        return  # the caller checks the file and tells each fault with its line; the answers are not lost
    out.write_text(text_of(answers, out, whole), encoding="utf-8")


def _write(out: Path, text: str) -> None:
    with out.open("x", encoding="utf-8") as file:
        file.write(text)


def _answers(given: Given) -> Answers:
    known = patterns()
    named = "、".join(f"{key} {title}" for key, title in known.items())
    base = _ask(given.base, "--base", f"以哪个基础计划为底（{named}）", _base, next(iter(known)) if sys.stdin.isatty() else None)
    region = _ask(given.region, "--region", "地区名称（如 示例县）", _some)
    code = _ask(given.region_code, "--region-code", "6 位行政区划代码", _code)
    starts = _ask(given.starts, "--starts", "行动开始日（YYYY-MM-DD）", _day)
    ends = _ask(given.ends, "--ends", "行动结束日（含）", lambda text: _day_from(text, starts, "--ends"), f"{starts.year}-12-31")
    kind = known.get(base, base)
    name = _ask(given.name, "--name", "行动名称", _some, f"{starts.year}年{region}{kind}")
    plan_id = _ask(given.id, "--id", "行动标识（小写字母、数字和 -）", _id, f"{slug_of(region) or 'campaign'}-{starts.year}")
    number = _ask(given.number, "--number", "通知文号", _some)
    title = _ask(given.title, "--title", "通知标题", _some, f"{name}实施方案")
    issuer = _ask(given.issuer, "--issuer", "发文机关", _some, f"{region}人民政府办公室")
    issued = _ask(given.issued, "--issued", "印发日期", _day)
    units = _units(given, base)
    totals, units = _targets(given, base, units)
    measured = given.measured_on or (str(ends) if given.targets or not sys.stdin.isatty() else "")
    measured_on = _ask(measured, "--measured-on", "目标考核日期", lambda text: _day_from(text, starts, "--measured-on"), str(ends)) \
        if totals or any(unit.numbers for unit in units) else ends
    return Answers(base, plan_id, name, region, code, number, title, issuer, issued, starts, ends, units, totals, measured_on)


def _ask(given: str, flag: str, question: str, read_answer: Callable[[str], T], default: str | None = None) -> T:
    """The flag's answer, or the terminal's, asked until it fits; without a terminal the default. Raises WrongUse."""
    if given:
        return read_answer(given)
    if not sys.stdin.isatty():
        if default:
            return read_answer(default)
        raise WrongUse(f"{flag} is missing.", where="canbao plan new", cure=f"Give {flag} ({question}), or run it at a terminal.")
    while True:
        try:
            return read_answer(str(typer.prompt(question, default=default, err=True)))
        except WrongUse as fault:
            say(f"  {fault}")


def _units(given: Given, base: str) -> tuple[Unit, ...]:
    if given.units_file is not None:
        return units_of_file(given.units_file, base)
    names = list(given.units)
    if not names and sys.stdin.isatty():
        say("参加的乡镇、街道，一行一个，空行结束（也可用 --units units.csv）：")
        while entered := str(typer.prompt("  单位", default="", show_default=False, err=True)).strip():
            try:
                units_of([{"name": known} for known in [*names, entered]], base, "单位")
                names.append(entered)
            except WrongUse as fault:
                say(f"  {fault}")
    if not names:
        raise WrongUse("no unit is given.", where="canbao plan new", cure="Give --units units.csv, or --unit 东山镇 for each.")
    return units_of([{"name": entered} for entered in names], base, "--unit")


def _targets(given: Given, base: str, units: tuple[Unit, ...]) -> tuple[dict[str, float], tuple[Unit, ...]]:
    told = list(given.targets)
    if not told and not any(unit.numbers for unit in units) and sys.stdin.isatty():
        say("目标总数；没有的直接回车（分单位的目标用 --units 的列，或 --target 指标=单位:数,单位:数）：")
        for indicator, title in _named_indicators(base):
            while entered := str(typer.prompt(f"  {title}", default="", show_default=False, err=True)).strip():
                try:
                    number_of(entered, title)
                    told.append(f"{indicator}={entered}")
                    break
                except WrongUse as fault:
                    say(f"  {fault}")
    totals: dict[str, float] = {}
    levels: dict[str, dict[str, float]] = {}
    for one in told:
        indicator, total, by_unit = target_of(one, base, units)
        if total is not None:
            totals[indicator] = total
        for code, number in by_unit.items():
            levels.setdefault(code, {})[indicator] = number
    return totals, tuple(replace(unit, numbers={**unit.numbers, **levels.get(unit.code, {})}) for unit in units)


def _named_indicators(base: str) -> list[tuple[str, str]]:
    names = {entry["id"]: entry["name"] for layer in reversed(chain_of(base)) for entry in layer.get("indicators", ()) if "name" in entry}
    return [(key, names.get(key, key)) for key in items_of(base, "indicators", "id")]


# --- what an answer must be -----------------------------------------------------------------------------


def _base(text: str) -> str:
    chain_of(text)
    return text


def _some(text: str) -> str:
    if not text.strip():
        raise WrongUse("nothing was written.", where="canbao plan new", cure="Write it as the notice does.")
    return text.strip()


def _code(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{5}", text):
        raise WrongUse(f"{text!r} is no code of 6 digits.", where="--region-code", cure="Write the 6 digits of GB/T 2260.")
    return text


def _id(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise WrongUse(f"{text!r} is no id.", where="--id", cure="Use small letters, digits and -, beginning with a letter.")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is no day.", where="canbao plan new", cure="Write YYYY-MM-DD, for example 2027-03-31.") from None


def _day_from(text: str, first: date, flag: str) -> date:
    day = _day(text)
    if day < first:
        raise WrongUse(f"{day} lies before the campaign begins ({first}).", where=flag, cure=f"Give a day from {first} on.")
    return day
