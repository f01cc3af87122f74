"""Whether a report that came back can be believed, and what a second one for the same period changes (C20, C22).

What registers prove is prefilled and guarded where the form is read; here stands what is judged of the rest: numbers
against each other, against the record and against last month, texts against last month's and other units', and claims
handed in all at once. Thresholds and whether a finding sends the report back are plan data
(``models.plan.ReportChecks``). Blank is never zero: nothing is concluded from a number that nobody gave.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal

from rapidfuzz import fuzz

from models.plan import Judgement, ReportChecks, Section

CheckName = Literal[
    "sums", "beyond_record", "falls", "jumps", "copied_from_last", "copied_from_others", "last_day_claims",
]
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿两")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a report says: texts and numbers by section (``None`` = left blank), and whether it explains itself in the
    field for disagreement (数据异议说明)."""

    texts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float | None] = field(default_factory=dict)
    is_explained: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What a report is held against. ``earlier`` are the unit's accepted reports of former periods, the latest last;
    ``others`` the texts of other units for the same period by their short name; ``recorded`` the record's own figures;
    ``claims_by_day`` the claims that the unit handed in during the period, ``last_workday`` the period's last."""

    earlier: Sequence[Stated] = ()
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    recorded: Mapping[str, float | None] = field(default_factory=dict)
    claims_by_day: Mapping[date, int] = field(default_factory=dict)
    last_workday: date = date.max


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding: which check, on which section ("" for the report as a whole), and the Chinese what and cure."""

    check: CheckName
    section: str
    judgement: Judgement
    what: str
    cure: str


def marks(sections: Sequence[Section], checks: ReportChecks, stated: Stated, ground: Ground) -> tuple[Mark, ...]:
    """Everything there is to say about a report, in the order of its sections; an empty tuple is a clean report."""
    numbers = [section for section in sections if section.kind == "number"]
    found: list[Mark] = []
    for section in numbers:
        found += _sums(section, sections, checks, stated)
        found += _beyond_record(section, checks, stated, ground)
        found += _against_last(section, checks, stated, ground)
    for section in sections:
        if section.kind == "text":
            found += _copied(section, checks, stated, ground)
    found += _last_day(checks, ground)
    return tuple(found)


# --- numbers --------------------------------------------------------------------------------------------


def _sums(section: Section, sections: Sequence[Section], checks: ReportChecks, stated: Stated) -> Iterator[Mark]:
    total = stated.figures.get(section.id)
    if not section.sum_of or total is None:
        return
    names = {entry.id: entry.name for entry in sections}
    blank = [names.get(part, part) for part in section.sum_of if stated.figures.get(part) is None]
    if blank:
        # A blank part is no zero: the total can be right or wrong, but it cannot be checked.
        yield Mark("sums", section.id, checks.sums, f"“{section.name}”的分项“{'”“'.join(blank)}”未填，合计无法核对。",
                   "请补填分项；确无发生填 0，留空不等于零。")
        return
    parts = sum(stated.figures[part] or 0 for part in section.sum_of)
    if abs(parts - total) > 0.005:
        yield Mark("sums", section.id, checks.sums, f"“{section.name}”为{_plain(total)}，各分项之和为{_plain(parts)}，不相等。",
                   "请核对合计与分项后更正。")


def _beyond_record(section: Section, checks: ReportChecks, stated: Stated, ground: Ground) -> Iterator[Mark]:
    value = stated.figures.get(section.id)
    held = ground.recorded.get(section.recorded) if section.recorded else None
    if value is not None and held is not None and value > held * (1 + checks.beyond_record_share):
        yield Mark("beyond_record", section.id, checks.beyond_record,
                   f"“{section.name}”为{_plain(value)}，超过系统已登记的{_plain(held)}。",
                   "请先交回相应花名册，或据实更正；有异议写入“数据异议说明”。")


def _against_last(section: Section, checks: ReportChecks, stated: Stated, ground: Ground) -> Iterator[Mark]:
    value = stated.figures.get(section.id)
    known = [before for report in ground.earlier if (before := report.figures.get(section.id)) is not None]
    if value is None or not known:
        return
    if section.cumulative and value < known[-1]:
        # A reason given makes it the office's to judge; without one it goes back.
        yield Mark("falls", section.id, "remark" if stated.is_explained else checks.falls,
                   f"“{section.name}”为累计数，上期为{_plain(known[-1])}，本期为{_plain(value)}，不应减少。",
                   "请核对更正；确需核减的，在“数据异议说明”写明原因。")
        return
    series = _growth([*known, value]) if section.cumulative else [*known, value]
    if len(series) > 1 and _jumps(series[-2], series[-1], checks):
        yield Mark("jumps", section.id, "remark" if stated.is_explained else checks.jumps,
                   f"“{section.name}”本期{'新增' if section.cumulative else ''}{_plain(series[-1])}，"
                   f"上期{'新增' if section.cumulative else ''}{_plain(series[-2])}，变化过大。",
                   "请核对；确属实际的，在“数据异议说明”写明原因。")


def _growth(levels: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(levels)]


def _jumps(before: float, now: float, checks: ReportChecks) -> bool:
    return now > before * checks.jump_times and now - before >= checks.jump_at_least


# --- texts ----------------------------------------------------------------------------------------------


def _copied(section: Section, checks: ReportChecks, stated: Stated, ground: Ground) -> Iterator[Mark]:
    own = bare(stated.texts.get(section.id, ""))
    if len(own) < checks.copied_letters_at_least:
        return
    if ground.earlier and similarity(own, bare(ground.earlier[-1].texts.get(section.id, ""))) >= checks.copied_share:
        yield Mark("copied_from_last", section.id, checks.copied_from_last, f"“{section.name}”与上期报告基本相同。",
                   "请写明本期新情况；确无新进展的，写明“本期无新进展”和原因。")
    alike = [name for name, texts in ground.others.items()
             if similarity(own, bare(texts.get(section.id, ""))) >= checks.copied_share]
    if alike:
        # Who wrote first cannot be told: the unit's own copy names nobody, the office sees who is meant.
        is_remark = checks.copied_from_others == "remark"
        whom = f"（{'、'.join(alike)}）" if is_remark else ""
        yield Mark("copied_from_others", section.id, checks.copied_from_others,
                   f"“{section.name}”与其他单位本期报告基本相同{whom}。", "请结合本单位实际重新填写。")


def bare(text: str) -> str:
    """A text without what changes from month to month or says nothing: digits, numerals, marks, spaces, width."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold()
                   if letter.isalpha() and letter not in _NUMERALS)


def similarity(one: str, other: str) -> float:
    """How alike two bare texts are, 0 to 1; two blanks are not alike."""
    return fuzz.ratio(one, other) / 100 if one and other else 0.0


# --- claims ---------------------------------------------------------------------------------------------


def _last_day(checks: ReportChecks, ground: Ground) -> Iterator[Mark]:
    """Claims saved up for the last workday: a remark to the office, for there may be good reasons."""
    total = sum(ground.claims_by_day.values())
    late = sum(count for day, count in ground.claims_by_day.items() if day >= ground.last_workday)
    if total >= checks.last_day_claims_at_least and late > total * checks.last_day_claims_share:
        yield Mark("last_day_claims", "", "remark", f"本期报已参保{total}条，其中{late}条在最后一个工作日集中上报。",
                   "请抽查核实。")


# --- restatements ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One part that a later report for the same period restates; of texts only that they differ."""

    part: str
    was: float | None = None
    now: float | None = None
    is_text: bool = False


def changes(sections: Iterable[Section], before: Stated, after: Stated) -> tuple[Change, ...]:
    """What a second report says otherwise than the accepted one, in the order of the sections (C22: never silent)."""
    found = []
    for section in sections:
        if section.kind == "number":
            was, now = before.figures.get(section.id), after.figures.get(section.id)
            if was != now:
                found.append(Change(section.name, was, now))
        elif before.texts.get(section.id, "").strip() != after.texts.get(section.id, "").strip():
            found.append(Change(section.name, is_text=True))
    return tuple(found)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
