"""Many rows in few statements: tens of thousands of duties are made, and swept, at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from psycopg2.extras import Json, execute_values
from sqlalchemy import Connection

from models.tables import Base

PAGE = 5000
"""Rows to a statement: more gain nothing, and their text takes memory."""


def insert_new(tx: Connection, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> int:
    """Inserts rows that all name the same columns; one that breaks a unique key is left out. Returns how many are new."""
    return _insert(tx, table, rows, "ON CONFLICT DO NOTHING")


def upsert(tx: Connection, table: type[Base], rows: Iterable[Mapping[str, Any]], key: Sequence[str],
           only_if: str = "true") -> int:
    """Inserts rows, or replaces what stands under the same ``key`` where ``only_if`` (SQL over the table's own name)
    holds and something differs. Returns how many were written."""
    rows = list(rows)
    if not rows:
        return 0
    name = table.__tablename__
    others = [column for column in rows[0] if column not in key]
    values = ", ".join(f"{column} = excluded.{column}" for column in others)
    mine, new = (", ".join(f"{side}.{column}" for column in others) for side in (name, "excluded"))
    return _insert(tx, table, rows, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {values} "
                                    f"WHERE ({only_if}) AND ({mine}) IS DISTINCT FROM ({new})")


def _insert(tx: Connection, table: type[Base], rows: Iterable[Mapping[str, Any]], on_conflict: str) -> int:
    cursor, waiting, written = tx.connection.cursor(), iter(rows), 0
    while page := list(islice(waiting, PAGE)):
        columns = list(page[0])
        statement = f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) VALUES %s {on_conflict}"
        execute_values(cursor, statement, [tuple(_plain(row[column]) for column in columns) for row in page], page_size=PAGE)
        written += cursor.rowcount
    return written


def _plain(value: Any) -> Any:
    return Json(value) if isinstance(value, dict) else value
