"""Rows of text become typed rows, each with one outcome: set-based, in DuckDB, by the SQL files in ``sql/``.

``10``-``35`` say how a cell is read, ``read/<type>.sql`` what each distinct text of a column means, ``40`` reads the
rows, ``50`` gives each its outcome, ``60`` and ``65`` count, ``70``-``90`` hand out. Feeds differ only in which column
has which type: the expressions at the end of this module put a contract's column names into the files' places.

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

from expectations.contract import HERE, Column, Contract, vocabulary
from expectations.places import region_names, spellings
from expectations.reading import LEADS, Reading
from models.plan import Plan

SQL = HERE / "sql"
READ_BY_TEXT = ("code", "slug", "org", "uscc", "date", "month", "amount", "number", "int")
"""Types with few distinct texts: each text is read once and joined back."""
LOOKS_LIKE_DATA = {"id": "[0-9]{14}", "uscc": "[0-9A-Za-z]{14}"}
"""So many digits or letters in the identity cell, and the row is one of data, whatever else stands in it."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of a file's rows. ``repaired`` and ``emptied`` count cells by ``<column>_<kind>``; ``faulty`` counts
    the rows with each fault by which a file as a whole is judged; ``valid`` those whose identity is valid."""

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

    @property
    def data_rows(self) -> int:
        """Rows that are neither footer, total, repeated header, note nor blank."""
        return self.rows - self.dropped

    @property
    def valid_share(self) -> float | None:
        """The share of data rows with a valid identity; None where there is no identity or no row to judge."""
        return self.valid / self.data_rows if self.valid is not None and self.data_rows else None


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database in memory a process, with the macros. Each file has a connection to it, and its tables are temporary
    ones of that connection: starting a database for every file would take longer than reading a small one."""
    database = duckdb.connect()
    database.execute("SET preserve_insertion_order = false")  # what is handed out is ordered by row number
    for name in ("10_text", "20_numbers", "30_values"):
        database.execute(_sql(name))
    return database


class Normalised:
    """A file's rows with their outcomes. They live until it is closed."""

    def __init__(self, reading: Reading, contract: Contract, plan: Plan, period_end: date, source_file: str) -> None:
        self.contract, self.reading = contract, reading
        self._db = _database().cursor()
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
        return Accounts(
            rows=self.reading.table.num_rows + notes,
            accepted=outcome.get("accepted", 0),
            quarantined=outcome.get("quarantined", 0),
            duplicate=outcome.get("duplicate", 0),
            dropped=outcome.get("dropped", 0) + notes,
            dropped_kinds={**answers["dropped"], **({"note": notes} if notes else {})},
            quarantine_reasons=answers["quarantined"],
            repaired=_named((name, said.repairs) for name, said in cells.items()),
            emptied=_named((name, said.faults) for name, said in cells.items() if _is_emptied(self.contract.columns[name])),
            unassigned=answers["unassigned"].get("rows", 0),
            control_total=self._control_total(),
            valid=cells[identity.column].filled if identity else None,
            faulty=_faulty(answers, cells, self.contract),
        )

    def flags(self) -> pd.DataFrame:
        """States of cells and hashes of keys for the expectations: nothing of a person."""
        return self._db.execute(_filled("70_flags", **_flags_places(self.contract))).df()

    def write_snapshot(self, path: Path) -> None:
        """The accepted rows, typed, as Parquet (zstd)."""
        self._write(_filled("80_snapshot", columns=", ".join(self.contract.columns)), path)

    def write_quarantine(self, path: Path) -> None:
        """The quarantined rows as they came, with line and reason, as Parquet (zstd)."""
        self._write(_filled("85_quarantine", columns=", ".join(f"raw.{name}" for name in self.contract.columns)), path)

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

    def _control_total(self) -> int | None:
        cells = ", ".join(f"raw.{cell}" for cell in self.reading.counting_leads)
        if not cells:
            return None
        found = self._db.execute(_filled("90_control_total", cells=cells)).fetchone()
        return None if found is None else found[0]

    def _set_variables(self, period_end: date, source_file: str) -> None:
        bounds = vocabulary()["bounds"]
        latest = period_end + timedelta(days=bounds["grace_days"])
        dates = {name: bounds[name] for name in ("earliest_birth", "earliest_date", "latest_date")}
        for name, value in {**dates, "latest_day": latest, "source_file": source_file}.items():
            self._db.execute(f"SET VARIABLE {name} = $value", {"value": value})

    def _register(self, plan: Plan, on: date) -> None:
        """Hand over the file's text and what contract and plan say about spellings."""
        columns, reading = self.contract.columns.items(), self.reading
        self._db.register("raw", reading.table)
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
    return {
        **_row_places(contract),
        "tidied": _each(contract.of_type("text", "name"), lambda name: f"tidy(raw.{name}) AS {name}_tidied"),
        "joined_names": _each(contract.of_type("name"), lambda name: f"joined_name({name}_tidied) AS {name}_joined"),
        **{place: _each(contract.of_type("id"), make) for place, make in _NUMBER_STAGES.items()},
        "readings": "".join(_reading(name, column) for name, column in columns.items()),
        "joins": "\n    ".join(_join(name, column) for name, column in columns.items() if column.type in READ_BY_TEXT),
        **_agreement_places(contract),
        "reasons": _each([n for n, c in columns.items() if c.fault_quarantines], _reason),
        "person": "id_number" if has_number else "NULL::VARCHAR",
        "person_name": "name" if has_number else "NULL::VARCHAR",
        "number_for_name": "regexp_full_match(squeeze(name), '[0-9]{17}[0-9X]')" if has_number else "false",
        "key": ", ".join(contract.key),
        "same_key": " AND ".join(f"s.{name} IS NOT DISTINCT FROM r.{name}" for name in contract.key),
        "unassigned": " OR ".join(_unassigned(n, columns[n]) for n in contract.of_type("org")) or "false",
    }


def _each(names: Iterable[str], make: Callable[[str], str]) -> str:
    return "".join(f",\n           {make(name)}" for name in names)


_NUMBER_STAGES: dict[str, Callable[[str], str]] = {
    "plain_numbers": lambda name: f"plain_number(raw.{name}) AS {name}_plain",
    "births": lambda name: f"born({name}_final) AS {name}_born, check_letter({name}_final) AS {name}_letter",
    "number_faults": lambda name: f"number_fault({name}_final, {name}_letter, {name}_born) AS {name}_fault",
}
"""The stages of reading a number, one after the other so that each is worked out once."""


def _row_places(contract: Contract) -> dict[str, str]:
    """How a row of data is told from footers, totals and blanks, and what of a certificate is the number."""
    columns = contract.columns
    first = contract.identity.column if contract.identity else contract.required[0]
    pattern = LOOKS_LIKE_DATA.get(columns[first].type) if contract.identity else None
    filled = " AND ".join(f"raw.{name} <> ''" for name in contract.required)
    return {
        "is_plausible": f"regexp_matches(raw.{first}, '{pattern}')" if pattern else filled,
        "heading": first,
        "heading_cell": f"raw.{first}",
        "foot_cells": ", ".join(f"raw.{name}" for name in (*LEADS, *contract.key)),
        "all_cells": ", ".join(f"raw.{name}" for name in columns),
        "final_numbers": _each(contract.of_type("id"), lambda name: _final_number(name, columns[name])),
    }


def _final_number(name: str, column: Column) -> str:
    plain = f"{name}_plain"
    if column.holds_certificate:
        plain = f"CASE WHEN length({plain}) BETWEEN 19 AND 22 THEN left({plain}, 18) ELSE {plain} END"
    return f"eighteen({plain}) AS {name}_final"


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
    return f"CASE WHEN {fault} IS NULL THEN {tidied} END", fault, f"CASE WHEN {tidied} <> c.{name} THEN 'marks' END"


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
