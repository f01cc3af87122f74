"""Files with defects, and the truth of each: what carries which defect and what is to become of it.

:func:`deliver` writes what one department sends of one feed in one month: one file, or a faulty one and, days later,
the right one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.contract import Contract, for_feed
from models.errors import StorageUnavailable
from models.plan import Feed, Plan
from rehearsal import defect_names, defect_numbers
from rehearsal.defect_bytes import broken, content_of
from rehearsal.defect_chance import Chance
from rehearsal.defect_draft import DROPPED, OUTCOMES, RETURNED, Draft
from rehearsal.defect_files import FilePlan, plan_of_file
from rehearsal.defect_layout import Layout, lay_out
from rehearsal.defect_rows import (
    AMOUNT_FORMS,
    FORMULA,
    addresses_for_townships,
    amounts_with_units,
    blank_numbers,
    failed_formulas,
    impossible_dates,
    put_repeated_rows,
    put_row_faults,
)
from rehearsal.defects import DefectSettings
from rehearsal.feeds import (
    Columns,
    columns_of,
    file_name,
    providers_in,
    titles,
)
from rehearsal.names import Integers
from rehearsal.place import Place
from rehearsal.state import label
from rules.deadlines import expected, zone_of
from rules.periods import month

IDENTITY = (20, 21, 23)
"""Defects of numbers; a file that falls by too many of them is sent again without."""
EXCEL_DAY_0 = date(1899, 12, 30)
CORRECTED_AFTER = timedelta(days=2)
LATE_DAYS_AT_MOST = 12


@dataclass(frozen=True)
class Sent:
    """One file of a delivery: where it lies, what is wrong with it, and what is to become of it.

    ``verdict``: accepted (with or without warnings), returned, or repeated (the same bytes, known already).
    """

    path: Path
    feed: str
    provider: str
    period: str
    arrived: datetime
    is_late: bool
    defects: frozenset[int]
    verdict: str
    reason: str
    corrects: str
    rows: int
    truth: pa.Table | None


def deliver_all(place: Place, plan: Plan, inbox: Path, settings: DefectSettings, *, has_previous: bool) -> list[Sent]:
    """Every delivery of the place's current month, each with the files it takes."""
    return [
        sent for feed in plan.feeds for provider in providers_in(plan, feed, place.period)
        for sent in deliver(place, plan, feed, provider, inbox, settings, has_previous=has_previous)
    ]


def deliver(
    place: Place, plan: Plan, feed: Feed, provider: str, inbox: Path, settings: DefectSettings, *, has_previous: bool,
) -> list[Sent]:
    """What a department sends of a feed this month: last month's file by mistake, a faulty file, the right one, the right
    one again. ``has_previous``: last month's files lie in the inbox."""
    chance = Chance(settings, place.seed, feed.feed)
    arrived, is_late = _arrival(plan, chance, feed, provider, place.period)
    folder = inbox / feed.feed / place.period
    sent: list[Sent] = []
    if has_previous and chance.has(42, provider, place.period, part="last_month"):
        sent += _last_months(plan, feed, provider, place.period, inbox, arrived - timedelta(days=1))
    first = _attempt(place, plan, feed, provider, chance, has_previous=has_previous)
    sent.append(_kept(first, folder, arrived, is_late, corrects=""))
    if first.verdict == "returned":
        second = _mended(place, plan, feed, provider, chance, first)
        sent.append(_kept(second, folder, arrived + CORRECTED_AFTER, is_late, corrects=sent[-1].path.name))
    if chance.has(42, provider, place.period, part="twice"):
        sent.append(_twice(sent[-1]))
    return sent


def write_one(place: Place, plan: Plan, feed: Feed, provider: str, inbox: Path, settings: DefectSettings) -> Path:
    """One file that will be accepted, with the defects that leave it so: how a rehearsal's departments export."""
    chance = Chance(settings, place.seed, feed.feed)
    attempt = _attempt(place, plan, feed, provider, chance, has_previous=False)
    if attempt.verdict == "returned":
        attempt = _mended(place, plan, feed, provider, chance, attempt)
    path = inbox / feed.feed / place.period / attempt.name.replace("_更正", "")
    _write_bytes(path, attempt.content)
    return path


# --- one file -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Attempt:
    """A file as it will be written, with its truth."""

    feed: str
    provider: str
    period: str
    name: str
    content: bytes
    plan: FilePlan
    verdict: str
    reason: str
    rows: int
    truth: pa.Table | None


def _attempt(
    place: Place, plan: Plan, feed: Feed, provider: str, chance: Chance, *, has_previous: bool,
    given: FilePlan | None = None,
) -> _Attempt:
    contract = for_feed(feed.feed, plan.contracts)
    rows, columns = columns_of(place, plan, feed, provider, dates="%Y-%m-%d")
    file = given or plan_of_file(chance, feed, contract, provider, place.period, _length(columns), set(columns),
                                 has_previous=has_previous)
    draft = _draft(place, contract, rows, columns, chance, file)
    reason = file.returned_for or _falls_by_numbers(draft, feed)
    layout = lay_out(draft, file)
    content = content_of(draft, file, layout, provider, titles(place, plan, feed, provider))
    name = _name(plan, feed, provider, place.period, file, len(draft), is_correction=given is not None)
    truth = None if file.broken else _truth(draft, layout, feed.feed, provider, place.period, name, is_returned=bool(reason))
    return _Attempt(feed.feed, provider, place.period, name, broken(content, file), file,
                    "returned" if reason else "accepted", reason, len(draft), truth)


def _mended(place: Place, plan: Plan, feed: Feed, provider: str, chance: Chance, first: _Attempt) -> _Attempt:
    """The file that follows a returned one: without what it came back for."""
    right = first.plan.mended()
    if first.reason == "valid_share":
        chance = replace(chance, settings=chance.settings.without(IDENTITY))
    return _attempt(place, plan, feed, provider, chance, has_previous=False, given=right)


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def _draft(place: Place, contract: Contract, rows: Integers, columns: Columns, chance: Chance, file: FilePlan) -> Draft:
    """The rows with every fault of theirs. Statistics are about no row of the place, and have none."""
    if contract.subject == "statistic":
        return Draft(place, contract, np.arange(_length(columns)), columns, chance)
    unit = _households(place, rows) if file.households else None
    draft = Draft(place, contract, rows, columns, chance, unit)
    if file.households:
        draft.arrange(np.lexsort((np.arange(len(rows)), draft.unit)))
    put_row_faults(draft)
    if file.addresses:
        addresses_for_townships(draft)
    if file.has_impossible_dates:
        impossible_dates(draft)
    if file.amounts is not None:
        amounts_with_units(draft, AMOUNT_FORMS[file.amounts])
    if file.formulas:
        failed_formulas(draft, may_hold_formulas=file.form == "xlsx")
    if file.blanks:
        blank_numbers(draft, np.flatnonzero(~draft.touched["id_number"])[: 1 + len(rows) // 20_000])
    put_repeated_rows(draft)
    if file.cut_share:
        draft.arrange(np.arange(int(len(draft) * (1 - file.cut_share))))
    if file.dates:
        _reshape_dates(draft, file)
    return draft


def _households(place: Place, rows: Integers) -> Integers:
    """For each row the household of its line; persons of one household with other support have a line of their own."""
    people = place.people
    key = people.household[rows].astype(np.int64) * 8 + people.hardship[rows]
    key = key * len(place.townships) + people.township[rows]
    _, unit = np.unique(key, return_inverse=True)
    return unit


def _falls_by_numbers(draft: Draft, feed: Feed) -> str:
    """Whether so few numbers are valid that the plan's gate, or the contract's own, returns the file."""
    identity = draft.contract.identity
    if identity is None or not len(draft):
        return ""
    bound = feed.gates.return_below_valid_id_share if identity.return_below is None else identity.return_below
    faulty = [number for number, reason in enumerate(draft.reasons)
              if reason.startswith(f"{identity.column}_") and not reason.endswith(("two_names", "emptied"))]
    return "valid_share" if 1 - np.isin(draft.reason, faulty).mean() < bound else ""


def _reshape_dates(draft: Draft, file: FilePlan) -> None:
    """31: every day of the file in the department's way; cells that hold a day of their own are made when written."""
    if file.dates in ("cells", "cells_1904"):
        draft.mark(31, np.arange(len(draft)))
        return
    for column in draft.contract.of_type("date"):
        if column not in draft.columns:
            continue
        texts = draft.columns[column]
        whole = pc.match_substring_regex(texts, r"^\d{4}-\d{2}-\d{2}$")
        days = pc.if_else(whole, texts, None).cast(pa.date32())
        draft.columns[column] = pc.if_else(pc.fill_null(whole, False), _dated(days, file.dates), texts)
        draft.mark(31, np.flatnonzero(days.is_valid()))


def _dated(days: pa.Array, form: str) -> pa.Array:
    if form == "serial":
        return pc.add(days.cast(pa.int32()), -(EXCEL_DAY_0 - date(1970, 1, 1)).days).cast(pa.string())
    if form == "compact":
        return pc.strftime(days, "%Y%m%d")
    year, mon, day = (part(days).cast(pa.string()) for part in (pc.year, pc.month, pc.day))
    if form == "chinese":
        return pc.binary_join_element_wise(year, "年", mon, "月", day, "日", "")
    return pc.binary_join_element_wise(year, mon, day, "." if form == "dots" else "/")


# --- names, times, truth --------------------------------------------------------------------------------


def _name(
    plan: Plan, feed: Feed, provider: str, period: str, file: FilePlan, rows: int, *, is_correction: bool,
) -> str:
    suffix = "xlsx" if file.broken in ("password", "corrupt") else "xls" if file.broken else file.suffix
    stem = file_name(plan, feed, provider, period, suffix).removesuffix(f".{suffix}")
    if file.count_in_name:
        stem += f"_{rows + (17 if file.count_in_name == 'wrong' else 0)}人"
    return f"{stem}{'_更正' if is_correction else ''}.{suffix}"


@lru_cache(maxsize=2)
def _dues(key: str, plan: _Plan) -> dict[tuple[str, str, str], datetime]:
    return {(row.item, row.organisation, row.period): row.due_before for row in expected(plan.plan) if row.kind == "feed"}


class _Plan:
    """A plan as part of a cache's key."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return id(self.plan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plan) and other.plan is self.plan


def _arrival(plan: Plan, chance: Chance, feed: Feed, provider: str, period: str) -> tuple[datetime, bool]:
    """When a department's file arrives: on the due day, or (42) up to twelve days later."""
    due = _dues(plan.id, _Plan(plan)).get((f"feed:{feed.feed}", provider, period))
    day = due or datetime.combine(month(period).ends + timedelta(days=5), datetime.min.time(), zone_of(plan.time_zone))
    is_late = chance.has(42, provider, period)
    late_days = 1 + int(chance.draw(42, provider, period, part="days") * LATE_DAYS_AT_MOST) if is_late else 0
    return day - timedelta(days=1) + timedelta(days=late_days, hours=10), is_late


def _kept(attempt: _Attempt, folder: Path, arrived: datetime, is_late: bool, *, corrects: str) -> Sent:
    path = folder / attempt.name
    _write_bytes(path, attempt.content)
    os.utime(path, (arrived.timestamp(), arrived.timestamp()))
    return Sent(path, attempt.feed, attempt.provider, attempt.period, arrived, is_late,
                attempt.plan.made | ({42} if is_late else frozenset()), attempt.verdict, attempt.reason, corrects,
                attempt.rows, attempt.truth)


def _last_months(plan: Plan, feed: Feed, provider: str, period: str, inbox: Path, arrived: datetime) -> Iterator[Sent]:
    """42: last month's file once more, under this month's name."""
    before = label(int(period[:4]) * 12 + int(period[5:]) - 2)
    short = plan.organisation(provider).short
    folder = inbox / feed.feed / before
    old = sorted(path for path in folder.glob(f"{short}_*") if "_副本" not in path.name and "_初次" not in path.name)
    if not old:
        return
    source = old[-1]  # a correction's name comes after its first file's
    path = inbox / feed.feed / period / f"{Path(file_name(plan, feed, provider, period, 'x')).stem}_初次{source.suffix}"
    _write_bytes(path, source.read_bytes())
    os.utime(path, (arrived.timestamp(), arrived.timestamp()))
    yield Sent(path, feed.feed, provider, period, arrived, False, frozenset({42}), "returned", "same_file", "", 0, None)


def _twice(sent: Sent) -> Sent:
    """42: the same file again, an hour later and under another name."""
    path = sent.path.with_name(f"{sent.path.stem}_副本{sent.path.suffix}")
    shutil.copyfile(sent.path, path)
    arrived = sent.arrived + timedelta(hours=1)
    os.utime(path, (arrived.timestamp(), arrived.timestamp()))
    return replace(sent, path=path, arrived=arrived, defects=frozenset({42}), verdict="repeated", reason="same_file",
                   corrects="", truth=None)


def _write_bytes(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as fault:
        raise StorageUnavailable(f"the file cannot be written: {fault.strerror}.", where=str(path.parent),
                                 cure="Make the folder writable and write again.") from None


def _truth(
    draft: Draft, layout: Layout, feed: str, provider: str, period: str, name: str, *, is_returned: bool,
) -> pa.Table:
    """One row per row of the file, in the file's order; totals and signatures at the end."""
    positions = np.concatenate([sheet.positions for sheet in layout.sheets])
    outcome = np.full(len(positions), RETURNED) if is_returned else draft.outcome[positions]
    told = {
        "feed": _same(feed, len(positions)), "period": _same(period, len(positions)),
        "provider": _same(provider, len(positions)), "file": _same(name, len(positions)),
        "row_number": pa.array(np.concatenate([sheet.row_numbers for sheet in layout.sheets]), pa.int64()),
        "member": pa.array(np.concatenate([sheet.member for sheet in layout.sheets]), pa.int32()),
        **_who(draft, positions),
        "defects": _numbers_of(draft.marks[positions]),
        "expected_outcome": _chosen(OUTCOMES, outcome),
        "expected_reason": _chosen(draft.reasons, draft.reason[positions]),
    }
    return pa.concat_tables([pa.table(told), _feet_rows(layout, feed, provider, period, name)], promote_options="default")


def _who(draft: Draft, positions: Integers) -> dict[str, pa.Array]:
    """Who each row is about, and how number and name were written."""
    if draft.contract.subject not in ("person", "employer"):
        return {}
    people, firms, rows = draft.place.people, draft.place.employers, draft.rows[positions]
    is_person = draft.contract.subject == "person"
    numbers, names = (people.id_number, people.name) if is_person else (firms.credit_code, firms.name)
    picked = pa.array(positions)
    key = "id_number" if is_person else "credit_code"
    known = people.registered[rows] | people.permit[rows] if is_person else np.ones(len(rows), dtype=bool)
    true = pa.array(np.where(known, numbers[rows], "").tolist(), pa.string())
    written_name = pc.if_else(pc.equal(draft.columns["name"], FORMULA), None, draft.columns["name"])
    return {
        "person_id": true, "id_number_true": true, "name_true": pa.array(names[rows].tolist(), pa.string()),
        "id_number_written": draft.columns[key].take(picked) if key in draft.columns else pa.nulls(len(rows), pa.string()),
        "name_written": written_name.take(picked),
        "number_mistake": _chosen(defect_numbers.MISTAKES, draft.number_mistake[positions]),
        "name_mistake": _chosen(defect_names.MISTAKES, draft.name_mistake[positions]),
    }


def _feet_rows(layout: Layout, feed: str, provider: str, period: str, name: str) -> pa.Table:
    below = [sheet.first_row + sheet.height for sheet in layout.sheets if sheet.has_subtotal]
    last = layout.sheets[-1]
    after = last.first_row + last.height + last.has_subtotal
    numbers = [*below, *range(after, after + len(layout.feet))]
    carried = [10 if number in below or (layout.feet[number - after][0] == "合计") else 11 for number in numbers]
    return pa.table({
        "feed": _same(feed, len(numbers)), "period": _same(period, len(numbers)), "provider": _same(provider, len(numbers)),
        "file": _same(name, len(numbers)), "row_number": pa.array(numbers, pa.int64()),
        "member": pa.array([1] * len(numbers), pa.int32()),
        "defects": pa.array([[number] for number in carried], pa.list_(pa.int16())),
        "expected_outcome": _same(OUTCOMES[DROPPED], len(numbers)), "expected_reason": _same("", len(numbers)),
    })


def _same(text: str, count: int) -> pa.Array:
    return pa.array([text], pa.string()).take(pa.array(np.zeros(count, dtype=np.int64)))


def _chosen(pool: Sequence[str], which: Integers) -> pa.Array:
    return pa.array(list(pool), pa.string()).take(pa.array(which.astype(np.int64)))


def _numbers_of(marks: np.ndarray) -> pa.Array:
    """The defects of each row as a list, from the bits of its marks."""
    flags = np.unpackbits(marks.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")[:, :46]
    offsets = np.concatenate([[0], np.cumsum(flags.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array((np.nonzero(flags)[1] + 1).astype(np.int16)))
