"""A department that gives a view instead of a file: its rows become a text file, which then goes the ordinary way.

A description names an environment variable that holds the address (any SQLAlchemy URL), and a view or table; it holds
no SQL, no password and no condition. Only the contract's columns are asked for (PIPL art. 6), under names that the
database itself has confirmed. The session is read-only, rows are streamed, and they are ordered by everything that is
selected: the same data gives the same bytes, and is recognised. No error repeats an address, a statement or a value.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from threading import Event, Timer
from typing import Annotated, Any
from uuid import uuid4

import yaml
from pydantic import Field, StringConstraints, ValidationError
from sqlalchemy import Column as TableColumn
from sqlalchemy import Connection, Engine, MetaData, NullPool, Select, Table, create_engine, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql import quoted_name

from models.contract import Contract, header_key
from models.errors import CanbaoError, FileReturned, StorageUnavailable, WrongUse
from models.plan import Slug, Strict, Text

READ_ONLY: dict[str, tuple[str, ...]] = {
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY",),
    "sqlite": ("PRAGMA query_only = ON",),
}
"""What makes a session read-only, where the database knows how. Elsewhere the account must have no other right."""
CONNECT_WITHIN: dict[str, str] = {
    "psycopg2": "connect_timeout", "psycopg": "connect_timeout", "pymysql": "connect_timeout",
    "mysqldb": "connect_timeout", "pyodbc": "timeout", "sqlite3": "timeout", "pysqlite": "timeout",
}
"""What a driver calls the number of seconds within which it must connect."""
EncodedName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class DatabaseSource(Strict):
    """Where a department's rows are. ``view`` may be written ``schema.view``; ``columns`` names, for canonical columns,
    the view's own column where its name is no alias of the contract's."""

    provider: Slug | None = None
    url_env: EncodedName
    view: Text
    columns: dict[Slug, Text] = Field(default_factory=dict)

    @property
    def schema_and_view(self) -> tuple[str | None, str]:
        """The parts of ``view``."""
        schema, separator, name = self.view.rpartition(".")
        return (schema or None, name) if separator else (None, self.view)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a department's database may take, and how many rows travel at a time."""

    connect_within_seconds: int
    finish_within_seconds: int
    rows_at_a_time: int


@dataclass(frozen=True, slots=True)
class Extract:
    """What came out of a view: so many rows, under these canonical columns."""

    path: Path
    rows: int
    columns: tuple[str, ...]


def read_description(path: Path) -> DatabaseSource:
    """The description in a file. Raises FileReturned naming every fault."""
    try:
        return described(yaml.safe_load(path.read_text(encoding="utf-8-sig")))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise FileReturned("the description is no YAML.", where=f"*{path.suffix}",
                           cure="Write `url_env: NAME` and `view: NAME`, each on a line of its own.") from None
    except CanbaoError as fault:
        raise FileReturned(fault.what, where=f"*{path.suffix}", cure=fault.cure) from None


def described(stated: Any) -> DatabaseSource:
    """A description from its parts. Raises WrongUse naming every fault."""
    try:
        return DatabaseSource.model_validate(stated)
    except ValidationError as refusal:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}" for fault in refusal.errors())
        raise WrongUse(f"the description of the view is unsound: {faults}.",
                       cure="It has `url_env`, `view`, and perhaps `provider` and `columns`.") from None


def extract(url: str, source: DatabaseSource, contract: Contract, target: Path, limits: Limits) -> Extract:
    """Writes the view's rows into ``target`` as UTF-8 text under the contract's labels, whole or not at all.

    Raises WrongUse for an address or a driver that cannot be, FileReturned for a view that is not there or lacks a
    required column, StorageUnavailable where the database does not answer, refuses, or takes too long.
    """
    where = f"{source.url_env} {source.view}"
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        with _connected(url, where, limits) as connection:
            chosen = _chosen_columns(connection, source, contract)
            rows = _written(connection.execution_options(stream_results=True), _query(source, chosen),
                            [contract.columns[name].label for name in chosen], partial, limits.rows_at_a_time)
        partial.replace(target)
    except OSError as refusal:
        raise StorageUnavailable(f"the rows could not be written ({refusal.strerror}).", where=str(target.parent),
                                 cure="Check that the folder may be written and the disk has room.") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return Extract(target, rows, tuple(chosen))


# --- the connection -------------------------------------------------------------------------------------


@contextmanager
def _connected(url: str, where: str, limits: Limits) -> Iterator[Connection]:
    """A read-only session that is broken off when its time is over. Its errors say which kind, and nothing else."""
    engine = _engine(url, where, limits)
    late = Event()
    try:
        with engine.connect() as connection:
            for statement in READ_ONLY.get(engine.dialect.name, ()):
                connection.exec_driver_sql(statement)
            connection.commit()
            timer = Timer(limits.finish_within_seconds, _break_off, (connection, late))
            timer.daemon = True
            timer.start()
            try:
                yield connection
            finally:
                timer.cancel()
    except CanbaoError:
        raise
    except SQLAlchemyError as error:
        raise _too_late(where, limits) if late.is_set() else _refused(error, where) from None
    except (ValueError, OverflowError, ArithmeticError, TypeError) as error:  # a driver that cannot read a value
        raise FileReturned(f"a value of the view cannot be read ({type(error).__name__}).", where=where,
                           cure="Give dates and numbers in their own types, or as text.") from None
    finally:
        engine.dispose()


def _engine(url: str, where: str, limits: Limits) -> Engine:
    try:
        parsed = make_url(url)
        driver = parsed.get_driver_name()
        arguments = {CONNECT_WITHIN[driver]: limits.connect_within_seconds} if driver in CONNECT_WITHIN else {}
        engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    except (NoSuchModuleError, ImportError):
        raise WrongUse("the driver that the address names is not installed.", where=where,
                       cure="Install it beside canbao, or name another in the address.") from None
    except ArgumentError:
        raise WrongUse("the variable holds no SQLAlchemy address.", where=where,
                       cure="Write it like postgresql+psycopg2://account:password@host/database.") from None
    _must_be_there(parsed, where)
    return engine


def _must_be_there(url: URL, where: str) -> None:
    """SQLite would make an empty database of a misspelt path."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StorageUnavailable("there is no such SQLite file.", where=where, cure="Check the path in the variable.")


def _break_off(connection: Connection, late: Event) -> None:
    """Ends the statement from outside, in the way the driver has for it."""
    late.set()
    driver: Any = connection.connection.driver_connection
    end = getattr(driver, "cancel", None) or getattr(driver, "interrupt", None) or getattr(driver, "close", None)
    with suppress(Exception):  # it is over either way: the next batch asks
        if end is not None:
            end()


def _too_late(where: str, limits: Limits) -> CanbaoError:
    return StorageUnavailable(f"the view took longer than {limits.finish_within_seconds} seconds.", where=where,
                              cure="Ask the department for a faster view, or take it in at night.")


def _refused(error: SQLAlchemyError, where: str) -> CanbaoError:
    """The kind of error and its code: the text of a database quotes hosts, accounts, statements and values."""
    code = getattr(getattr(error, "orig", None), "pgcode", None)
    kind = f"{type(error).__name__}, {code}" if code else type(error).__name__
    is_connection = isinstance(error, DBAPIError) and (error.connection_invalidated or error.statement is None)
    what = "the database does not answer" if is_connection else "the view could not be read"
    return StorageUnavailable(f"{what} ({kind}).", where=where,
                              cure="Check address, account, rights and the network, then try again; nothing was taken in.")


# --- the question ---------------------------------------------------------------------------------------


def _chosen_columns(connection: Connection, source: DatabaseSource, contract: Contract) -> dict[str, str]:
    """Canonical column to the view's own, in the contract's order. Names come from the database, never from the file."""
    where = f"{source.url_env} {source.view}"
    schema, view = source.schema_and_view
    try:
        there = [column["name"] for column in inspect(connection).get_columns(view, schema)]
    except NoSuchTableError:
        there = []
    if not there:
        raise FileReturned("there is no such view or table.", where=where,
                           cure="Check its name and schema, and that the account may read it.")
    chosen = _by_alias(there, contract) | _as_stated(source.columns, there, contract, where)
    missing = [contract.columns[name] for name in contract.required
               if name not in chosen and contract.columns[name].stands_in not in chosen]
    if missing:
        raise FileReturned(f"视图缺少必需的列：{'、'.join(f'「{column.label}」' for column in missing)}。", where=where,
                           cure=f"视图的列有：{'、'.join(there)}。请补上，或在 columns 中写明对应的列。")
    return {name: chosen[name] for name in contract.columns if name in chosen}


def _by_alias(there: Sequence[str], contract: Contract) -> dict[str, str]:
    """Of two columns for one canonical column the one that the contract lists earlier wins."""
    known = contract.headers
    ranked = sorted((known[header_key(name)][1], name) for name in there if header_key(name) in known)
    found: dict[str, str] = {}
    for _, name in ranked:
        found.setdefault(known[header_key(name)][0], name)
    return found


def _as_stated(stated: Mapping[str, str], there: Sequence[str], contract: Contract, where: str) -> dict[str, str]:
    unknown = sorted({*stated} - {*contract.columns} | {*stated.values()} - {*there})
    if unknown:
        raise FileReturned(
            f"`columns` names what is not there: {', '.join(unknown)}.", where=where,
            cure=f"On the left: {', '.join(contract.columns)}; on the right: {', '.join(there)}.")
    return dict(stated)


def _query(source: DatabaseSource, chosen: Mapping[str, str]) -> Select[Any]:
    """The columns, ordered by all of them: a view has no order of its own."""
    schema, view = source.schema_and_view
    columns: list[TableColumn[Any]] = [TableColumn(quoted_name(name, quote=True)) for name in dict.fromkeys(chosen.values())]
    table = Table(quoted_name(view, quote=True), MetaData(), *columns,
                  schema=quoted_name(schema, quote=True) if schema else None)
    return select(*(table.c[name] for name in chosen.values())).order_by(*table.c)


# --- the file -------------------------------------------------------------------------------------------

_NEVER_IN_A_CELL = str.maketrans({"\r": " ", "\n": " ", "\0": None})
"""A zero byte would make the file look like UTF-16; a row stands on one line, so that its number is its place."""


def _written(connection: Connection, query: Select[Any], header: list[str], path: Path, rows_at_a_time: int) -> int:
    rows = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for batch in connection.execute(query.execution_options(yield_per=rows_at_a_time)).partitions():
            writer.writerows([_text(cell) for cell in row] for row in batch)
            rows += len(batch)
        stream.flush()
        os.fsync(stream.fileno())
    return rows


def _text(cell: Any) -> str:
    """A value as it would have been typed: whole numbers to their last digit, dates as ISO, a truth as 是 or 否."""
    if isinstance(cell, str):
        return cell.translate(_NEVER_IN_A_CELL)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, Decimal):
        return str(int(cell)) if cell == cell.to_integral_value() else format(cell, "f")
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return str(cell)
    raise TypeError(type(cell).__name__)
