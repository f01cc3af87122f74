"""The comparison's database: an in-memory DuckDB with bounded memory, and the SQL files it runs."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb

from models.machine import GIGABYTE, Share, database_settings

SQL = Path(__file__).parent / "sql"


def period_end(period: str) -> date:
    """The last day of a month label."""
    year, month = map(int, period.split("-"))
    return date(year, month, monthrange(year, month)[1])


def quoted(text: object) -> str:
    """A value as an SQL text literal."""
    return "'" + str(text).replace("'", "''") + "'"


def connect(work: Path | None = None, *, memory_gb: float | None = None, is_small: bool = False) -> duckdb.DuckDBPyConnection:
    """A private in-memory DuckDB that spills to ``work``. Threads and memory are what the machine lets a comparison have
    (models.machine; one thread where it ``is_small``), or so much memory as is said. Raises WrongUse where a setting means
    nothing."""
    settings = database_settings(Share.COMPARISON, is_small=is_small)
    if memory_gb is not None:
        settings["memory_limit"] = f"{int(memory_gb * GIGABYTE) // 10**6}MB"
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    if work is not None:
        connection.execute(f"SET temp_directory = {quoted(work)}")
    return connection


def view_of(name: str, path: Path) -> str:
    """A view over a run's table. What follows from a person's key is not stored but added to ``people``: ``number``, of
    whoever has a citizen number, and ``person_id``, by which the record knows a person ('D': the number is in doubt)."""
    added = """, CASE WHEN person BETWEEN 0 AND 99999999999999999 THEN person END AS number,
        CASE WHEN person < 0 THEN 'D' || printf('%015x', -person) ELSE 'P' || substr(md5(id_number), 1, 15) END AS person_id"""
    return f"CREATE VIEW {name} AS SELECT *{added if name == 'people' else ''} FROM read_parquet({quoted(path)})"


def script(name: str, fill: Mapping[str, str] | None = None) -> str:
    """A file of ``sql/`` with its ``{{places}}`` filled."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    for marker, replacement in (fill or {}).items():
        text = text.replace("{{" + marker + "}}", replacement)
    return text
