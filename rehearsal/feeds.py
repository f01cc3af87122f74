"""The files departments send: one per feed, provider and month, written from a synthetic place.

In this module every row is right (no wrong numbers, no duplicates); what is realistic is the shape: headers as the
department calls them, titles above and a signature below, sex and status as codes or words, townships by any of their
names, GB18030 for what comes out of old systems. All that is said by the feed's contract (``made_up``). The rows of a feed are
decided once, in :func:`rows_of`; the links of the truth are taken from the same decision, so that a row number means the same
in both.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import xlsxwriter

from models.contract import MadeUp, for_feed
from models.errors import StorageUnavailable, WrongUse
from models.plan import Feed, Organisation, Plan
from rehearsal.cells import ROWS, Columns, Writer, on_record, rows_now, same, texts
from rehearsal.names import Bools, Integers, unit_hash
from rehearsal.place import Place
from rehearsal.state import ENROLLED_AT_SCHOOL, PENSION_AGE, RESIDENT, WORKING_AGE, label, ordinal
from rules.deadlines import carrier
from rules.periods import month

XLSX_ROWS_AT_MOST = 60_000
"""Beyond it a department sends text: one sheet of old Excel held 65,536 rows, and writing cells is slow."""

# --- which rows -----------------------------------------------------------------------------------------


def made_up_of(plan: Plan, feed: str) -> MadeUp:
    """How a place fills a feed of the plan. Raises WrongUse where its contract does not say."""
    contract = for_feed(feed, plan.contracts)
    if contract.made_up is None:
        raise WrongUse(f"nobody says how a made-up place fills the feed {feed}.", where=f"plan {plan.id}",
                       cure="Give its contract a `made_up` section (docs/plan.md), or leave the feed out of the rehearsed plan.")
    return contract.made_up


def headers_of(plan: Plan, feed: str) -> dict[str, str]:
    """Canonical column to the department's header; each is among the contract's aliases (a test holds it)."""
    return {name: cell.header for name, cell in made_up_of(plan, feed).columns.items()}


def is_of_persons(plan: Plan, feed: str) -> bool:
    """Whether the rows of a feed are persons."""
    return ROWS[made_up_of(plan, feed).rows].of == "person"


def providers_in(plan: Plan, feed: Feed, period: str) -> tuple[str, ...]:
    """Who sends a feed for a month: its providers, or whoever has taken their duties over by then (B36)."""
    day = month(period).ends
    carriers = dict.fromkeys(carrier(plan, code, day) for code in feed.providers)
    return tuple(code for code in carriers if plan.organisation(code).exists_on(day))


def rows_of(place: Place, plan: Plan, feed: Feed, provider: str) -> Integers:
    """The rows one provider's file of this month holds.

    A supplement holds what is first told this month; the first one all there was till then. Where several provide a
    feed, each has its own part: a department its projects, a county its townships, otherwise an even share.
    """
    return _part_of(place, plan, feed, provider, _rows_told(place, plan, feed, place.now))


def _rows_told(place: Place, plan: Plan, feed: Feed, when: int) -> Integers:
    contract, made_up = for_feed(feed.feed, plan.contracts), made_up_of(plan, feed.feed)
    told_in = ROWS[made_up.rows].told_in
    if feed.snapshot == "full" or told_in is None:
        return rows_now(place, contract, made_up)
    told, first = told_in(place), ordinal(place.config.first_period)
    return np.flatnonzero((told >= 0) & (told <= when) if when == first else told == when)


def _part_of(place: Place, plan: Plan, feed: Feed, provider: str, rows: Integers) -> Integers:
    providers = providers_in(plan, feed, place.period)
    if len(providers) == 1:
        return rows
    return rows[_share_of(place, plan, feed, providers, rows) == providers.index(provider)]


def _share_of(place: Place, plan: Plan, feed: Feed, providers: tuple[str, ...], rows: Integers) -> Integers:
    of = ROWS[made_up_of(plan, feed.feed).rows].of
    if of == "project":
        return place.projects.department[rows] % len(providers)
    by_township = _providers_by_township(place, plan, providers)
    if by_township is not None:
        table = place.people if of == "person" else place.employers
        return by_township[table.township[rows]]
    return (unit_hash(place.seed, rows, 91) * len(providers)).astype(int)


def _providers_by_township(place: Place, plan: Plan, providers: tuple[str, ...]) -> Integers | None:
    """For each township the provider that is its county or stands under it; None unless each has exactly one."""
    parents = {org.code: org.parent for org in plan.organisations}
    counties = {org.code for org in plan.organisations if org.kind in ("county", "zone")}
    found = []
    for org in place.townships:
        above = set(_ancestors(org.code, parents)) & counties
        near = [i for i, code in enumerate(providers) if code in above or parents[code] in above]
        if len(near) != 1:
            return None
        found.append(near[0])
    return np.array(found)


def _ancestors(code: str | None, parents: dict[str, str | None]) -> Iterator[str]:
    while code is not None:
        yield code
        code = parents.get(code)


def links_table(place: Place, plan: Plan) -> pa.Table:
    """Which line of which file is about which person: feed, source_file, row_number (1-based line), id_number, and which
    person of the line, which of the place, and the true name.

    Supplements of earlier months are still in force, and so listed too. A newborn without a number has none here
    either: there is nobody yet to link to.
    """
    registered = np.where(on_record(place), place.people.id_number, "")
    parts = []
    for feed in plan.feeds:
        for when in _months_in_force(place, plan, feed) if is_of_persons(plan, feed.feed) else ():
            for provider in providers_in(plan, feed, label(when)):
                rows = _part_of(place, plan, feed, provider, _rows_told(place, plan, feed, when))
                form = form_of(plan, feed.feed, len(rows))
                above = 1 + (made_up_of(plan, feed.feed).titles if form == "xlsx" else 0)
                parts.append(pa.table({
                    "feed": same(feed.feed, len(rows)),
                    "source_file": same(file_name(plan, feed, provider, label(when), form), len(rows)),
                    "row_number": pa.array(np.arange(len(rows)) + above + 1),
                    "id_number": texts(registered[rows]),
                    "member": pa.array(np.ones(len(rows), dtype=np.int32)), "person_id": texts(registered[rows]),
                    "name": texts(place.people.name[rows]),
                }))
    return pa.concat_tables(parts)


def _months_in_force(place: Place, plan: Plan, feed: Feed) -> range:
    is_supplement = feed.snapshot == "supplement" and ROWS[made_up_of(plan, feed.feed).rows].told_in is not None
    return range(ordinal(place.config.first_period) if is_supplement else place.now, place.now + 1)


# --- what the statistics bureau publishes ----------------------------------------------------------------


STATISTICS: dict[str, tuple[str, Callable[[Place], Bools]]] = {
    "resident_population": ("常住人口", lambda place: place.here & (place.people.status == RESIDENT)),
    "registered_population": ("户籍人口", lambda place: place.here & place.people.registered),
    "employed_persons": ("从业人员", lambda place: _at_work(place)),
}
"""What a published figure is called, and whom it counts."""


def _at_work(place: Place) -> Bools:
    """Whom the statistics bureau counts as 从业人员: residents who work, with an employer or on their own account. The
    employment register knows the former alone (B5: a rate over it would find five insured for every one at work)."""
    people, age, wishes = place.people, place.ages(), place.config.people
    chance = unit_hash(place.seed, np.arange(len(people)), 97)
    share = np.select([age < WORKING_AGE, age < PENSION_AGE, age < 70], [0.0, wishes.own_account_share, wishes.works_on_share], 0.0)
    alone = (people.student != ENROLLED_AT_SCHOOL) & (chance < share)
    return place.here & (people.status == RESIDENT) & ((people.employer >= 0) | alone)


@dataclass(frozen=True)
class Published:
    """One figure of the statistics bureau: its name as the contract codes it and as the bureau writes it, for whom, how many."""

    indicator: str
    word: str
    organisation: Organisation
    value: int


def published(place: Place, plan: Plan) -> Iterator[Published]:
    """The figures the plan's denominators ask for, for every government, county and township (B5, B42)."""
    measures = [measure for item in plan.indicators for measure in (item.numerator, item.denominator)]
    wanted = {measure.statistic for measure in measures if measure is not None and measure.statistic}
    for name, (word, counts) in STATISTICS.items():
        if name in wanted:
            counted = counts(place)
            for org, below in _regions(place, plan):
                yield Published(name, word, org, int(np.count_nonzero(counted & below)))


def _statistics(place: Place, plan: Plan) -> Columns:
    """The bureau's cells, by source."""
    lines = list(published(place, plan))
    count = len(lines)
    return {
        "statistic_indicator": texts([line.word for line in lines]), "statistic_region": texts([line.organisation.name for line in lines]),
        "statistic_year": pa.array([int(place.period[:4])] * count, type=pa.int64()),
        "statistic_value": pa.array([line.value for line in lines], type=pa.int64()),
        "statistic_unit": same("人", count), "statistic_source_document": same(f"{place.plan.region.name}统计资料", count),
    }


def _regions(place: Place, plan: Plan) -> Iterator[tuple[Organisation, Bools]]:
    """Governments, counties and townships with the persons below each."""
    parents = {org.code: org.parent for org in plan.organisations}
    for org in plan.organisations:
        below = np.array([org.code in set(_ancestors(town.code, parents)) for town in place.townships])
        if org.kind in ("government", "county", "zone", "township") and below.any():
            yield org, below[place.people.township]


# --- files ----------------------------------------------------------------------------------------------


def file_name(plan: Plan, feed: Feed, provider: str, period: str, form: str) -> str:
    """``市公安局_户籍人口信息_2021年5月.csv``: the provider's short name first, by which intake tells the provider."""
    end = month(period).ends
    return f"{plan.organisation(provider).short}_{feed.name}_{end.year}年{end.month}月.{form}"


def form_of(plan: Plan, feed: str, count: int) -> str:
    """Whether so many rows come as text or as a workbook."""
    return "csv" if count > XLSX_ROWS_AT_MOST else made_up_of(plan, feed).form


def write_feeds(
    place: Place, plan: Plan, inbox: Path, feeds: Iterable[str] | None = None, provider: str | None = None,
) -> list[Path]:
    """The files of the place's current month, ``inbox/<feed>/<period>/<file>``: all the plan's feeds, or those named;
    of all providers or one. Raises WrongUse for a feed the plan does not expect.

    Where the place states ``defects``, files have them, as far as they are accepted all the same: what stops a delivery
    is a matter of the organisations' conduct.
    """
    from rehearsal.defect_delivery import write_one  # files with defects are made from these columns

    wanted = None if feeds is None else set(feeds)
    unknown = sorted((wanted or set()) - {feed.feed for feed in plan.feeds})
    if unknown:
        raise WrongUse(f"the plan expects no feed {', '.join(unknown)}.", where=f"plan {plan.id}")
    settings = place.config.defects
    return [
        write_one(place, plan, feed, code, inbox, settings) if settings.numbers else _write(place, plan, feed, code, inbox)
        for feed in plan.feeds if wanted is None or feed.feed in wanted
        for code in providers_in(plan, feed, place.period) if provider is None or code == provider
    ]


def columns_of(place: Place, plan: Plan, feed: Feed, provider: str, *, dates: str | None = None) -> tuple[Integers, Columns]:
    """What one provider's file of the month holds: which rows of the place, and their cells by canonical column.

    ``dates`` writes days otherwise than the department does. Statistics are about no row of the place.
    """
    contract, made_up = for_feed(feed.feed, plan.contracts), made_up_of(plan, feed.feed)
    if ROWS[made_up.rows].of == "statistic":
        cells = _statistics(place, plan)
        return np.empty(0, dtype=np.int64), {name: cells[how.cell] for name, how in made_up.columns.items()}
    rows = rows_of(place, plan, feed, provider)
    file = Writer(place, contract, made_up, provider, dates, rows)
    return rows, {name: file.cell(name, how) for name, how in made_up.columns.items()}


def _write(place: Place, plan: Plan, feed: Feed, provider: str, inbox: Path) -> Path:
    _, columns = columns_of(place, plan, feed, provider)
    headers, made_up = headers_of(plan, feed.feed), made_up_of(plan, feed.feed)
    table = pa.table({headers[column]: values for column, values in columns.items()})
    form = form_of(plan, feed.feed, table.num_rows)
    path = inbox / feed.feed / place.period / file_name(plan, feed, provider, place.period, form)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "csv":
            _write_text(table, path, made_up.encoding)
        else:
            _write_workbook(table, path, made_up, titles(place, plan, feed, provider))
    except OSError as fault:
        raise StorageUnavailable(f"the file cannot be written: {fault.strerror}.", where=str(path.parent),
                                 cure="Make the folder writable and write again.") from None
    return path


def titles(place: Place, plan: Plan, feed: Feed, provider: str) -> list[str]:
    """What stands above a table: what it is, whose, as of when."""
    end = month(place.period).ends
    org = plan.organisation(provider)
    return [
        f"{plan.region.name}{feed.name}（{end.year}年{end.month}月）", f"填报单位：{org.name}", f"数据截止时间：{end:%Y-%m-%d}",
    ]


def _write_text(table: pa.Table, path: Path, encoding: str) -> None:
    """CSV with the department's encoding. Arrow writes UTF-8 only, so the text is turned over as a whole."""
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    path.write_bytes(buffer.getvalue() if encoding == "utf-8" else buffer.getvalue().decode("utf-8").encode(encoding))


def _write_workbook(table: pa.Table, path: Path, shape: MadeUp, titles: list[str]) -> None:
    """A workbook as an office keeps it. Every cell but counts and amounts is text: Excel spoils long numbers."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Sheet1")
    line = 0
    for title in titles[: shape.titles]:
        sheet.write_string(line, 0, title)
        line += 1
    headers = (["序号"] if shape.numbered else []) + table.column_names
    for place_in_line, header in enumerate(headers):
        sheet.write_string(line, place_in_line, header)
    columns = [values.to_pylist() for values in table.columns]
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        line += 1
        if shape.numbered:
            sheet.write_number(line, 0, number)
        for place_in_line, cell in enumerate(cells, start=int(shape.numbered)):
            _write_cell(sheet, line, place_in_line, cell)
    if shape.footer:
        sheet.write_string(line + 1, 0, "合计")
        sheet.write_string(line + 1, 1, f"{table.num_rows}条")
        sheet.write_string(line + 2, 0, "填表人：经办员    审核人：负责人")
    book.close()


def _write_cell(sheet: Any, line: int, place_in_line: int, cell: str | int | None) -> None:
    if isinstance(cell, str):
        sheet.write_string(line, place_in_line, cell)
    elif cell is not None:
        sheet.write_number(line, place_in_line, cell)
