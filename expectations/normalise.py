"""Rows of text become typed rows, each with one outcome: set-based, in DuckDB, by the SQL files in ``sql/``.

What is sound by its bytes (``soundness``) is taken as it stands. Of the SQL files, ``10``-``35`` say how a cell is
read, ``read/<type>.sql`` what each distinct text of a column means, ``40`` reads the rows, ``50`` gives each its outcome,
``60`` and ``65`` count, from ``70`` on they hand out. Feeds differ only in which column has which type: the expressions
at the end of this module put a contract's column names into the files' places.

Accepted + quarantined + duplicate + dropped = rows in the file, for every file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from expectations.blank_rows import without_blank_rows
from expectations.places import region_names, spellings
from expectations.reading import LEADS, Reading
from expectations.reasons import kinds
from expectations.soundness import sound_columns
from models.contract import HERE, Column, Contract, vocabulary
from models.database import home
from models.machine import Share, database_settings, machine
from models.plan import Plan
from rules.totals import Mark, Total, stated_rows, totals

SQL = HERE / "sql"
READ_BY_TEXT = ("code", "slug", "org", "uscc", "date", "month", "amount", "number", "int")
"""Types with few distinct texts: each text is read once and joined back."""
LOOKS_LIKE_DATA = {"id": "[0-9]{14}", "uscc": "[0-9A-Za-z]{14}"}
"""So many digits or letters in the identity cell, and the row is one of data, whatever else stands in it."""

_WHOLE_NUMBER = {"id": "[1-9][0-9]{16}[0-9Xx]", "uscc": "[0-9][0-9A-Za-z]{17}"}
"""A number of a person or a code of a unit, complete: what stands so in another column has shifted."""

ROWS_FOR_ONE_THREAD = 50_000


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of a file's rows. ``repaired`` and ``emptied`` count cells by ``<column>_<kind>``; ``faulty`` counts
    the rows with each fault by which a file as a whole is judged; ``valid`` those whose identity is valid. ``totals``
    are the numbers that 合计 and 小计 rows state, beside those found."""

    rows: int
    accepted: int
    quarantined: int
    duplicate: int
    dropped: int
    dropped_kinds: Mapping[str, int]
    quarantine_reasons: Mapping[str, int]
    repaired: Mapping[str, int]
    emptied: Mapping[str, int]
    unassigned: int
    control_total: int | None
    valid: int | None
    faulty: Mapping[str, int]
    totals: tuple[Total, ...] = ()

    @property
    def data_rows(self) -> int:
        """Rows that are neither footer, total, repeated header, note nor blank."""
        return self.rows - self.dropped

    @property
    def valid_share(self) -> float | None:
        """The share of data rows with a valid identity; None where there is no identity or no row to judge."""
        return self.valid / self.data_rows if self.valid is not None and self.data_rows else None


@cache
def _threads() -> int:
    """Threads of this process's database while it reads a large file."""
    return machine().database_threads(Share.READING)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database in memory a process, with the macros. Each file has a connection to it, and its tables are temporary
    ones of that connection: starting a database for every file would take longer than reading a small one."""
    database = duckdb.connect(config=database_settings(Share.READING))
    database.execute("SET temp_directory = $folder", {"folder": str(home() / "spill")})
    database.execute("SET preserve_insertion_order = false")  # what is handed out is ordered by row number
    known = ", ".join(f"'{kind}'" for kind in kinds())
    database.execute(f"CREATE TYPE kind AS ENUM ({known})")  # one byte a cell: text would take sixteen
    for name in ("10_text", "20_numbers", "30_values"):
        database.execute(_sql(name))
    return database


class Normalised:
    """A file's rows with their outcomes. They live until it is closed."""

    def __init__(self, reading: Reading, contract: Contract, plan: Plan, period_end: date, source_file: str) -> None:
        self.contract, self.reading = contract, reading
        self._db = _database().cursor()
        # Sharing a small file out among threads costs a fifth more than it saves. Another file that is read beside this one
        # changes the number too: that costs time, never a row.
        threads = 1 if reading.table.num_rows <= ROWS_FOR_ONE_THREAD else _threads()
        self._db.execute(f"SET threads = {threads}")
        self._set_variables(period_end, source_file)
        self._register(plan, period_end)
        self._run("35_spellings")
        for name, column in contract.columns.items():
            if column.type in READ_BY_TEXT:
                self._db.execute(_read_sql(name, column, reading.units.get(name, 1)))
        self._run("40_rows", "50_outcomes", "60_accounts")

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def accounts(self) -> Accounts:
        """The counts. Rows of sheets that hold only notes count as dropped."""
        answers = _by_question(self._db.execute("FROM accounts ORDER BY ALL").fetchall())
        cells = self._cells()
        outcome, notes = answers["outcome"], self.reading.notes
        identity = self.contract.identity
        marks = self._marks() if {"total", "subtotal"} & set(answers["dropped"]) else []
        return Accounts(
            rows=self.reading.table.num_rows + notes,
            accepted=outcome.get("accepted", 0),
            quarantined=outcome.get("quarantined", 0),
            duplicate=outcome.get("duplicate", 0),
            dropped=outcome.get("dropped", 0) + self._blank_rows + notes,
            dropped_kinds=_with(answers["dropped"], blank=self._blank_rows, note=notes),
            quarantine_reasons=answers["quarantined"],
            repaired=_named((name, said.repairs) for name, said in cells.items()),
            emptied=_named((name, said.faults) for name, said in cells.items() if _is_emptied(self.contract.columns[name])),
            unassigned=answers["unassigned"].get("rows", 0),
            control_total=stated_rows(marks),
            valid=cells[identity.column].filled if identity else None,
            faulty=_faulty(answers, cells, self.contract),
            totals=totals(marks),
        )

    def ask(self, question: str, **places: str) -> list[tuple[Any, ...]]:
        """The rows that one of the SQL files from 90 on answers with. Its places are filled from the contract's own
        column names and from paths, never from a file's content."""
        return self._db.execute(_filled(question, **places)).fetchall()

    def flags(self) -> pd.DataFrame:
        """States of cells and hashes of keys for the expectations: nothing of a person."""
        return self._db.execute(_filled("70_flags", **_flags_places(self.contract))).df()

    def write_snapshot(self, path: Path) -> None:
        """The accepted rows, typed, as Parquet (zstd)."""
        self._write(_filled("80_snapshot", columns=", ".join(self.contract.columns)), path)

    def write_quarantine(self, path: Path) -> None:
        """The quarantined rows as they came, with line and reason, as Parquet (zstd)."""
        columns = self.contract.columns
        faults = ", ".join(f"'{name}_' || rows.{name}_fault" for name in columns)
        self._write(
            _filled("85_quarantine", columns=", ".join(f"raw.{name}" for name in columns), faults=faults), path
        )

    def write_doubtful(self, path: Path) -> None:
        """The rows quarantined for a doubt about their person alone, or about what they say of a person who is beyond
        doubt, typed, as Parquet (zstd); often none."""
        columns = self.contract.columns
        proven = [name for name, column in columns.items() if column.from_id]
        faulty = " OR ".join(f"rows.{name}_fault IS NOT NULL" for name, column in columns.items()
                             if column.fault_quarantines and name not in _PERSON)
        self._write(
            _filled("82_doubtful",
                    columns=", ".join(f"own_{name} AS {name}" if name in proven else _PERSON.get(name, name) for name in columns),
                    names=", ".join(columns), otherwise_faulty=faulty or "false",
                    own="".join(f", read_{name}.value AS own_{name}" for name in proven),
                    own_cells="".join(f" LEFT JOIN read_{name} ON read_{name}.text = raw.{name}" for name in proven)), path
        )

    def write_doubtful_units(self, path: Path) -> None:
        """The rows quarantined for a doubt about their employer alone, typed, as Parquet (zstd); often none."""
        columns = self.contract.columns
        sound = "".join(f" AND rows.{name}_fault IS NULL" for name, column in columns.items()
                        if column.fault_quarantines and name != "credit_code")
        told = ", ".join("NULL::VARCHAR AS credit_code" if name == "credit_code" else f"rows.{name}" for name in columns)
        self._write(_filled("83_doubtful_units", columns=told, otherwise_sound=sound), path)

    def _write(self, query: str, path: Path) -> None:
        self._db.sql(query).write_parquet(str(path), compression="zstd")

    def _run(self, *names: str) -> None:
        for name in names:
            self._db.execute(_filled(name, **_places(self.contract)))

    def _cells(self) -> dict[str, _Cells]:
        """What became of the cells, column by column. Kinds are only asked for where there are any."""
        names = [*self.contract.columns]
        told = [f"{name}_{what}" for name in names for what in ("fault", "repair")]
        counts = self._counts([f"count({column})" for column in (*names, *told)])
        found = [column for column, count in zip(told, counts[len(names):], strict=True) if count]
        kinds = dict(zip(found, self._counts([f"histogram({column})" for column in found]), strict=True))
        return {
            name: _Cells(counts[i], kinds.get(f"{name}_fault", {}), kinds.get(f"{name}_repair", {}))
            for i, name in enumerate(names)
        }

    def _counts(self, aggregates: list[str]) -> Sequence[Any]:
        if not aggregates:
            return ()
        return self._db.execute(_filled("65_cells", aggregates=", ".join(aggregates))).fetchall()[0]

    def _marks(self) -> list[Mark]:
        """The 合计 and 小计 rows with what they state and what they may stand for."""
        cells = ", ".join(f"raw.{cell}" for cell in self.reading.counting_leads)
        return [Mark(*answer) for answer in self.ask("90_control_total", cells=cells or "NULL", **_total_places(self.contract))]

    def _set_variables(self, period_end: date, source_file: str) -> None:
        bounds = vocabulary()["bounds"]
        latest = period_end + timedelta(days=bounds["grace_days"])
        stated = {name: bounds[name] for name in ("earliest_birth", "earliest_date", "latest_date", "rows_per_phone")}
        for name, value in {**stated, "latest_day": latest, "source_file": source_file}.items():
            self._db.execute(f"SET VARIABLE {name} = $value", {"value": value})

    def _register(self, plan: Plan, on: date) -> None:
        """Hand over the file's text and what contract and plan say about spellings."""
        columns, reading = self.contract.columns.items(), self.reading
        table = without_blank_rows(reading.table)
        self._blank_rows = reading.table.num_rows - table.num_rows
        for name, cells in sound_columns(table, self.contract).items():
            table = table.append_column(name, cells)
        self._db.register("raw", table)
        self._db.register("region_name", _table(("text",), [(text,) for text in region_names(plan)]))
        self._db.register("found_header", _table(("column_name", "text"), reading.headers.items()))
        codes = [(name, code, text) for name, column in columns
                 for code, texts in column.codes.items() for text in (code, *texts)]
        self._db.register("stated_spelling", _table(("column_name", "code", "text"), codes))
        places = [(name, way.text, way.organisation, way.is_full) for name, column in columns
                  if column.type == "org" for way in spellings(plan, on, column.organisation_kinds)]
        self._db.register("stated_place", _table(("column_name", "text", "organisation", "is_full"), places))
        parts = [(part.name, part.offset, part.first_row, part.last_row) for part in reading.parts]
        self._db.register("part", _table(("sheet", "skipped_lines", "first_row", "last_row"), parts))


# --- counting -------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class _Cells:
    """What became of the cells of one column."""

    filled: int
    faults: Mapping[str, int]
    repairs: Mapping[str, int]


def _by_question(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    answers: dict[str, dict[str, int]] = defaultdict(dict)
    for question, answer, count in rows:
        answers[question][answer] = count
    return answers


def _is_emptied(column: Column) -> bool:
    """Whether an unreadable cell is emptied while its row stays. An unknown township is counted as unassigned."""
    return not column.fault_quarantines and column.type != "org"


def _with(kinds: Mapping[str, int], **more: int) -> dict[str, int]:
    """Counts by kind with more of them; a kind of which there is none is left out."""
    return {kind: count for kind in (*kinds, *more) if (count := kinds.get(kind, 0) + more.get(kind, 0))}


def _named(counts: Iterable[tuple[str, Mapping[str, int]]]) -> dict[str, int]:
    return {f"{column}_{kind}": count for column, kinds in counts for kind, count in sorted(kinds.items())}


def _faulty(
    answers: Mapping[str, Mapping[str, int]], cells: Mapping[str, _Cells], contract: Contract
) -> dict[str, int]:
    """Rows with each fault that the contract judges a file by, as far as it is a fault of rows."""
    counts = {
        "shifted_columns": answers["shifted_columns"].get("rows", 0),
        "swapped_name_and_id": answers["number_for_name"].get("rows", 0),
        "two_names": answers["quarantined"].get("id_number_two_names", 0),
        "unassigned": answers["unassigned"].get("rows", 0),
        "wrong_phone": answers["wrong_phone"].get("rows", 0),
        "shared_phone": answers["shared_phone"].get("rows", 0),
    }
    if contract.identity:
        faults = cells[contract.identity.column].faults
        counts |= {"blank_key": faults.get("blank", 0), "lost_digits": faults.get("lost_digits", 0)}
    return counts


# --- filling the SQL files' places ----------------------------------------------------------------------


@cache
def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _filled(name: str, **places: str) -> str:
    text = _sql(name)
    for place, filling in places.items():
        text = text.replace("{{" + place + "}}", filling)
    return text


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> pa.Table:
    """A small table for the database; typed also when it is empty."""
    types = {"is_full": pa.bool_()} | dict.fromkeys(("skipped_lines", "first_row", "last_row"), pa.int64())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)


def _read_sql(name: str, column: Column, unit: int) -> str:
    return _filled(f"read/{column.type}", column=name, unit=str(unit), address=column.address or name)


def _places(contract: Contract) -> dict[str, str]:
    """What stands in the places of files 40 to 60 for this contract."""
    columns = contract.columns
    has_number = "two_names" in contract.faults
    shared_key = ("id_number",) if has_number else contract.key
    return {
        **_row_places(contract),
        "tidied": _each(contract.of_type("text", "name"), _tidied),
        "joined_names": _each(contract.of_type("name"), _joined_name),
        **{place: _each(contract.of_type("id"), make) for place, make in _NUMBER_STAGES.items()},
        "readings": "".join(_reading(name, column) for name, column in columns.items()),
        "joins": "\n    ".join(_join(name, column) for name, column in columns.items() if column.type in READ_BY_TEXT),
        **_agreement_places(contract),
        "kinds": ", ".join(f"{name}_{what}::kind AS {name}_{what}" for name in columns for what in ("fault", "repair")),
        "failed_formulas": " OR ".join(
            _failed_formula(name, c) for name, c in columns.items() if not c.fault_quarantines
        ) or "false",
        "reasons": _each([n for n, c in columns.items() if c.fault_quarantines], _reason),
        "person": "id_number" if has_number else "NULL::VARCHAR",
        "person_name": "name" if has_number else "NULL::VARCHAR",
        "number_for_name": "NOT name_plain AND length(name) >= 18 AND regexp_full_match(squeeze(name), '[0-9]{17}[0-9X]')" if has_number else "false",
        "shared_key": ", ".join(shared_key),
        "same_shared_key": " AND ".join(f"s.{name} IS NOT DISTINCT FROM r.{name}" for name in shared_key),
        "key": ", ".join(contract.key),
        "same_key": " AND ".join(f"s.{name} IS NOT DISTINCT FROM r.{name}" for name in contract.key),
        "unassigned": " OR ".join(_unassigned(n, columns[n]) for n in contract.of_type("org")) or "false",
        "phone": next((name for name, column in columns.items() if column.is_phone), "NULL::VARCHAR"),
    }


def _failed_formula(name: str, column: Column) -> str:
    """A failed formula in a column in which a fault does not quarantine the row by itself."""
    doubtful = {"text": f"NOT c.{name}_plain", "name": f"NOT c.{name}_plain", "id": f"c.{name}_sound IS NULL"}
    return f"({doubtful.get(column.type, f'read_{name}.fault IS NOT NULL')} AND coalesce(is_excel_error(c.{name}), false))"


def _each(names: Iterable[str], make: Callable[[str], str]) -> str:
    return "".join(f",\n           {make(name)}" for name in names)


def _tidied(name: str) -> str:
    return f"CASE WHEN raw.{name}_plain THEN raw.{name} ELSE tidy(raw.{name}) END AS {name}_tidied"


def _joined_name(name: str) -> str:
    return f"CASE WHEN {name}_plain THEN {name}_tidied ELSE joined_name({name}_tidied) END AS {name}_joined"


_NUMBER_STAGES: dict[str, Callable[[str], str]] = {
    "plain_numbers": lambda name: (
        f"CASE WHEN raw.{name}_sound IS NULL THEN plain_number(raw.{name}) ELSE raw.{name} END AS {name}_plain"
    ),
    "births": lambda name: f"coalesce({name}_sound, born({name}_final)) AS {name}_born",
    "number_faults": lambda name: (
        f"CASE WHEN {name}_sound IS NULL THEN number_fault({name}_final, {name}_born) "
        f"ELSE birth_fault({name}_sound) END AS {name}_fault"
    ),
}
"""The stages of reading a number, one after the other so that each is worked out once."""


def _row_places(contract: Contract) -> dict[str, str]:
    """How a row of data is told from footers, totals and blanks, and what of a certificate is the number."""
    columns = contract.columns
    first = contract.identity.column if contract.identity else contract.required[0]
    pattern = LOOKS_LIKE_DATA.get(columns[first].type) if contract.identity else None
    filled = " AND ".join(f"raw.{name} <> ''" for name in contract.required)
    return {
        "is_plausible": _is_plausible(first, columns[first].type) if pattern else filled,
        "is_shifted": _is_shifted(contract),
        "heading": first,
        "heading_cell": f"raw.{first}",
        "foot_cells": ", ".join(f"raw.{name}" for name in (*LEADS, *contract.key)),
        "all_cells": ", ".join(f"raw.{name}" for name in columns),
        "final_numbers": _each(contract.of_type("id"), lambda name: _final_number(name, columns[name])),
    }


def _is_shifted(contract: Contract) -> str:
    """Whether the number by which a row is known stands in a cell where only something else can stand."""
    pattern = _WHOLE_NUMBER.get(contract.columns[contract.identity.column].type) if contract.identity else None
    if contract.identity is None or pattern is None:
        return "false"
    others = ", ".join(f"raw.{name}" for name in contract.of_type("name", "code", "slug", "org", "date", "month", "amount", "int"))
    elsewhere = f"regexp_matches(concat_ws('|', {others}), '(^|\\|)[ '']*{pattern}[ '']*(\\||$)')"
    if "name" not in contract.columns:
        return elsewhere
    swapped = f"regexp_full_match(squeeze(raw.name), '{pattern}') AND NOT regexp_matches(raw.{contract.identity.column}, '[0-9]')"
    return f"{elsewhere} AND NOT coalesce({swapped}, false)"


def _is_plausible(name: str, column_type: str) -> str:
    sound = f"raw.{name}_sound IS NOT NULL OR " if column_type == "id" else ""
    return f"({sound}regexp_matches(raw.{name}, '{LOOKS_LIKE_DATA[column_type]}'))"


def _final_number(name: str, column: Column) -> str:
    plain = f"{name}_plain"
    if column.holds_certificate:
        plain = f"CASE WHEN length({plain}) BETWEEN 19 AND 22 THEN left({plain}, 18) ELSE {plain} END"
    return f"CASE WHEN {name}_sound IS NULL THEN eighteen({plain}) ELSE {name}_plain END AS {name}_final"


def _reading(name: str, column: Column) -> str:
    """Value, fault and repair of one column."""
    value, fault, repair = _CELL.get(column.type, _joined_cell)(name, column)
    born = f",\n           CASE WHEN {fault} IS NULL THEN c.{name}_born END AS {name}_born" if column.type == "id" else ""
    return f",\n           {value} AS {name}, {fault} AS {name}_fault, {repair} AS {name}_repair{born}"


def _number_cell(name: str, column: Column) -> tuple[str, str, str]:
    fault = f"c.{name}_fault"
    value = f"CASE WHEN {fault} IS NULL THEN c.{name}_final END"
    return value, fault, f"CASE WHEN {fault} IS NULL THEN number_repair(c.{name}, c.{name}_plain, c.{name}_final) END"


def _name_cell(name: str, column: Column) -> tuple[str, str, str]:
    return _told_apart(f"name_fault(c.{name})", f"c.{name}_joined", name)


def _text_cell(name: str, column: Column) -> tuple[str, str, str]:
    return _told_apart(f"text_fault(c.{name})", f"c.{name}_tidied", name)


def _told_apart(fault: str, tidied: str, name: str) -> tuple[str, str, str]:
    plain, looked = f"c.{name}_plain", f"CASE WHEN c.{name}_plain THEN NULL ELSE {fault} END"
    value = f"CASE WHEN {plain} OR {fault} IS NULL THEN {tidied} END"
    return value, looked, f"CASE WHEN NOT {plain} AND {tidied} <> c.{name} THEN 'marks' END"


def _org_cell(name: str, column: Column) -> tuple[str, str, str]:
    if column.address is None:
        return _joined_cell(name, column)
    read, address = f"read_{name}", f"read_{name}_address"
    return (
        f"coalesce({read}.value, {address}.value)",
        f"CASE WHEN {address}.value IS NULL THEN {read}.fault END",
        f"CASE WHEN {read}.value IS NULL AND {address}.value IS NOT NULL THEN 'by_address' ELSE {read}.repair END",
    )


def _joined_cell(name: str, column: Column) -> tuple[str, str, str]:
    return f"read_{name}.value", f"read_{name}.fault", f"read_{name}.repair"


_CELL: dict[str, Callable[[str, Column], tuple[str, str, str]]] = {
    "id": _number_cell, "name": _name_cell, "text": _text_cell, "org": _org_cell,
}


def _join(name: str, column: Column) -> str:
    join = f"LEFT JOIN read_{name} ON read_{name}.text = c.{name}"
    if column.address:
        join += f" LEFT JOIN read_{name}_address ON read_{name}_address.text = c.{column.address}"
    return join


_PERSON = {
    "id_number": "NULL::VARCHAR AS id_number",
    "name": "CASE WHEN is_swapped THEN joined_name(tidy(number_cell)) ELSE name END AS name",
}
"""The columns that say whose a row is, as a doubtful row gives them."""


_PROVEN = {"sex": "CASE WHEN id_number IS NOT NULL THEN sex_of(id_number) END", "birth_date": "id_number_born"}
"""What a citizen number proves, by what a column says of itself (``from_id``)."""


def _agreement_places(contract: Contract) -> dict[str, str]:
    """The number wins over the cell that differs (domain.md 24, 25), and the cell is flagged. A blank is a fault only
    where the contract requires a value and the number does not give it."""
    replaced: list[str] = []
    agreements: list[str] = []
    for name, column in contract.columns.items():
        value = name
        if column.from_id:
            proof = _PROVEN[column.from_id]
            value = f"coalesce({proof}, {name})"
            replaced.append(f"{value} AS {name}")
            replaced.append(f"CASE WHEN {name} <> {proof} THEN 'from_id' ELSE {name}_repair END AS {name}_repair")
            agreements.append(f", {name} = {proof} AS {name}_agrees")
        if column.required and column.fault_quarantines:
            replaced.append(f"coalesce({name}_fault, CASE WHEN {value} IS NULL THEN 'blank' END) AS {name}_fault")
    return {"replacements": f"REPLACE ({', '.join(replaced)})" if replaced else "", "agreements": "".join(agreements)}


def _reason(name: str) -> str:
    return f"CASE WHEN {name}_fault IS NOT NULL THEN '{name}_' || {name}_fault END"


def _unassigned(name: str, column: Column) -> str:
    return f"{name} IS NULL" if column.required else f"{name} IS NULL AND {name}_fault IS NOT NULL"


def _total_places(contract: Contract) -> dict[str, str]:
    """The columns that can be added up: amounts and counts that are no part of the key (a year is)."""
    names = [name for name in contract.of_type("amount", "int") if name not in contract.key]
    found = "".join(f", '{name}': coalesce(sum({name}), 0)" for name in names)
    return {
        "sums": "".join(f", sum({name}) AS {name}" for name in names),
        "stated": "".join(f", '{name}': {name}" for name in names),
        "measures": f"{{'rows': coalesce(sum(rows), 0), 'lines': coalesce(sum(lines), 0){found}}}",
    }


def _flags_places(contract: Contract) -> dict[str, str]:
    """One column of states per column that an expectation looks at, one truth value per cross-column expectation."""
    looked_at = dict.fromkeys(e.column for e in contract.expectations if e.column)
    states = _each([*looked_at], _state)
    holds = "".join(f",\n       CAST({e.holds} AS FLOAT) AS {e.id}" for e in contract.expectations if e.holds)
    return {"key": ", ".join(contract.key), "states": states + holds}


def _state(name: str) -> str:
    return (
        f"CAST(CASE WHEN {name}_fault <> 'blank' THEN 3 WHEN {name} IS NULL THEN NULL "
        f"WHEN {name}_repair IS NOT NULL THEN 2 ELSE 1 END AS FLOAT) AS {name}"
    )
