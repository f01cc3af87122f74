"""Small builders for tests of identity: a few persons, a few rows that exact numbers did not place. All are made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from comparison.identity import resolve
from comparison.registers import common_sql

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
REGISTERS = ("resident_pension", "deaths", "employee_pension", "employment", "hardship")
_ROW = ("file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_number VARCHAR, id_given VARCHAR, "
        "id_fault VARCHAR, name VARCHAR, sex VARCHAR, birth_date DATE, township VARCHAR, village VARCHAR, "
        "household_no VARCHAR, employer_code VARCHAR")


def a_number(serial: int = 1, *, born: str = "19850607", area: str = "530422") -> str:
    """A citizen number with its check letter, worked out here a second time; odd serials are men."""
    body = f"{area}{born}{serial:03d}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


@dataclass
class World:
    """Persons of the population, rows that were placed, and rows that were not."""

    persons: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    placed: list[tuple[str, str, str | None]] = field(default_factory=list)
    decisions: list[tuple[str, str, bool]] = field(default_factory=list)
    old_numbers: list[tuple[str, str]] = field(default_factory=list)

    def person(self, number: str, name: str = "王大明", *, doubtful: bool = False, **said: Any) -> str:
        """A person; answers with the person_id. ``doubtful``: the population's own number is none."""
        key = len(self.persons) + 1
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14])) if not doubtful else None
        row = {"person": -key if doubtful else key, "number": None if doubtful else int(number[:17]),
               "person_id": f"{'D' if doubtful else 'P'}{key}", "id_number": number, "name": name,
               "sex": ("M" if int(number[16]) % 2 else "F") if number else None, "birth_date": born, "township": "fenglu",
               "village": "大河村", "household_no": None}
        self.persons.append({**row, **said})
        return str(row["person_id"])

    def row(self, given: str | None, name: str | None = "王大明", *, feed: str = "resident_pension", fault: str | None = "",
            **said: Any) -> int:
        """A row with a number that is none (``fault``), or a sound one (``fault=None``); answers with its place."""
        sound = fault is None
        self.rows.append({
            "feed": feed, "file": 1, "source_file": f"{feed}.csv", "row_number": len(self.rows) + 2, "member": 1,
            "id_number": given if sound else None, "id_given": None if sound else given,
            "id_fault": fault if fault != "" else "id_number_check_digit" if given else "id_number_blank", "name": name, **said})
        return len(self.rows) - 1

    def has_row(self, feed: str, person_id: str, employer_code: str | None = None) -> None:
        """The person stands in a register already."""
        self.placed.append((feed, person_id, employer_code))

    def _old_numbers(self, path: Path) -> Path | None:
        path.write_text("old,new\n" + "".join(f"{old},{new}\n" for old, new in self.old_numbers), encoding="utf-8")
        return path if self.old_numbers else None

    def resolved(self, folder: Path) -> Answers:
        """What becomes of the rows."""
        db = duckdb.connect()
        db.execute("SET VARIABLE period_end = DATE '2021-05-31'")
        db.execute(common_sql())
        db.execute("CREATE TABLE people (person BIGINT, number BIGINT, person_id VARCHAR, id_number VARCHAR, name VARCHAR, "
                   "sex VARCHAR, birth_date DATE, township VARCHAR, village VARCHAR, household_no VARCHAR, is_in_doubt BOOLEAN)")
        _insert(db, "people", self.persons)
        for feed in REGISTERS:
            db.execute(f"CREATE TABLE residual_{feed} ({_ROW})")
            _insert(db, f"residual_{feed}", [{k: v for k, v in row.items() if k != "feed"} for row in self.rows if row["feed"] == feed])
            db.execute(f"CREATE TABLE linked_{feed} AS SELECT person, 1 AS file, person AS row_number, 1 AS member, "
                       "NULL::VARCHAR AS employer_code FROM people WHERE false")
        for feed, person_id, employer_code in self.placed:
            db.execute(f"INSERT INTO linked_{feed} SELECT person, 1, person, 1, ? FROM people WHERE person_id = ?",
                       [employer_code, person_id])
        resolve(db, REGISTERS, decisions=_file(folder / "decisions.parquet", ("row_key", "person_id", "is_same"), self.decisions),
                old_numbers=self._old_numbers(folder / "old_numbers.csv"))
        return Answers(db, self)


@dataclass
class Answers:
    """What became of a world's rows."""

    db: duckdb.DuckDBPyConnection
    world: World

    def of(self, place: int = 0) -> tuple[str, str | None, str | None]:
        """(tier, person_id, reason) of a row."""
        row = self.world.rows[place]
        found = self.db.execute(
            "SELECT tier, person_id, reason FROM resolved LEFT JOIN people USING (person) WHERE feed = ? AND row_number = ?",
            [row["feed"], row["row_number"]]).fetchall()
        assert len(found) == 1
        return found[0]  # type: ignore[no-any-return]

    def candidates(self, place: int = 0) -> list[str]:
        """Whom the bench shows for a row, the likeliest first."""
        row = self.world.rows[place]
        return [found[0] for found in self.db.execute(
            "SELECT person_id FROM identity_candidates WHERE feed = ? AND row_number = ? ORDER BY rank",
            [row["feed"], row["row_number"]]).fetchall()]

    def row_key(self, place: int = 0) -> str:
        """The question a row asks."""
        row = self.world.rows[place]
        return str(self.db.execute("SELECT row_key FROM asked WHERE feed = ? AND row_number = ?",
                                   [row["feed"], row["row_number"]]).fetchall()[0][0])

    def cases(self) -> set[tuple[str, str]]:
        """(person_id, reason) of everybody about whom somebody must decide."""
        return set(self.db.execute("SELECT person_id, reason FROM identity_cases").fetchall())


def _insert(db: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.register("rows_given", pa.Table.from_pylist(rows))
        db.execute(f"INSERT INTO {table} BY NAME FROM rows_given")


def _file(path: Path, names: tuple[str, ...], rows: list[Any]) -> Path | None:
    if not rows:
        return None
    pq.write_table(pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)}), path)
    return path
