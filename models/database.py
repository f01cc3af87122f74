"""The one small module that knows where the database is and how it is started.

``CANBAO_DATABASE_URL`` names a real server; without it an embedded PostgreSQL runs under ``CANBAO_HOME/postgres``
(``embedded.py``) and ends with the last process that uses it. Prefect's own database stands beside ours in the same server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from models import embedded
from models.errors import StorageUnavailable
from models.private import FOLDER_MODE, close_folder, keep_private

MIGRATION_LOCK = 7_203_001  # any constant will do, as long as every canbao process takes the same one
ALREADY_THERE = ("42P04", "23505")
"""What PostgreSQL answers to whoever makes a database that another has just made, or is just making."""


_tried: set[Path] = set()
"""Homes in which this process has written a file: writing one each time somebody asks would be what most commands do."""


def home() -> Path:
    """``CANBAO_HOME`` (default ``./var``), made if need be, and closed to other accounts. Raises StorageUnavailable where it
    cannot be written."""
    folder = Path(os.environ.get("CANBAO_HOME", "var")).resolve()
    try:
        if not (folder in _tried and folder.is_dir() and os.access(folder, os.W_OK)):
            keep_private()
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            close_folder(folder)
            with TemporaryFile(dir=folder):
                _tried.add(folder)
    except OSError as error:
        raise StorageUnavailable(
            f"the folder cannot be written ({error.strerror})", where=str(folder),
            cure="Set CANBAO_HOME to a folder this account may write, or free space on the disk.",
        ) from None
    return folder


@cache
def _embedded(folder: Path) -> str:
    """The address of this home's own server, which this process uses from now on until it ends."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    return URL.create("postgresql", "postgres", database="postgres", query={
        "host": str(_running(embedded.join, folder)), "port": str(embedded.PORT)}).render_as_string()


def ensure_running() -> None:
    """Starts the embedded server again if it has died under us; a given one is somebody else's to start. Raises
    StorageUnavailable if it does not come back."""
    if not os.environ.get("CANBAO_DATABASE_URL"):
        _running(embedded.ensure, home())


def _running(how: Callable[[Path], Path], folder: Path) -> Path:
    try:
        return how(folder)
    except OSError as error:
        raise StorageUnavailable(
            f"the embedded PostgreSQL cannot be started ({error.strerror or type(error).__name__})", where=error.filename or str(folder),
            cure="Set CANBAO_HOME to a folder on a local disk that this account owns, or free space on the disk.") from None


def url(database: str = "canbao") -> str:
    """The SQLAlchemy URL of a database on our server (``postgresql+psycopg2://…``)."""
    given = os.environ.get("CANBAO_DATABASE_URL")
    if given:
        parsed = make_url(given)
        if not parsed.drivername.startswith("postgresql"):
            raise StorageUnavailable(
                f"CANBAO_DATABASE_URL names {parsed.drivername}", cure="Only PostgreSQL is supported (postgresql://…)."
            )
        name = parsed.database if database == "canbao" else f"{parsed.database}_{database}"
        return parsed.set(drivername="postgresql+psycopg2", database=name).render_as_string(hide_password=False)
    return make_url(_embedded(home())).set(drivername="postgresql+psycopg2", database=database).render_as_string(hide_password=False)


def create_if_missing(address: str) -> None:
    """Creates the database the URL names unless it is there. Raises StorageUnavailable if no server answers."""
    if exists(address):
        return
    target = make_url(address)
    admin = create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{target.database}"'))
    except OperationalError:
        raise _unavailable(target.render_as_string(hide_password=True)) from None
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in ALREADY_THERE:  # another process was faster: fine
            raise


def _unavailable(address: str) -> StorageUnavailable:
    return StorageUnavailable(
        "the database does not answer", where=address,
        cure="Start PostgreSQL, or unset CANBAO_DATABASE_URL to use the embedded one; then run the command again.",
    )


@cache
def _engine(address: str) -> Engine:
    create_if_missing(address)
    engine = create_engine(address, pool_pre_ping=True, pool_size=4)
    migrate(engine)
    return engine


def engine() -> Engine:
    """The engine for our record, migrated to the newest version. One per process and address."""
    return _engine(_address(os.environ.get("CANBAO_HOME"), os.environ.get("CANBAO_DATABASE_URL"), os.getcwd()))


@lru_cache(maxsize=8)
def _address(_home: str | None, _given: str | None, _from: str) -> str:
    """The record's address as long as nothing that names it changes: a run asks thousands of times, and looking whether the
    home can be written costs a file each time."""
    return url()


def migrate(target: Engine) -> None:
    """Brings the schema to head, one process at a time. One that is there is left alone, before Alembic is even imported: that
    would cost more than most commands do."""
    with target.connect() as connection:
        if _current_revision(connection) == newest_revision():
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with target.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()


def exists(address: str) -> bool:
    """Whether a database is there. Raises StorageUnavailable if no server answers."""
    target = make_url(address)
    try:
        with create_engine(target).connect():
            return True
    except OperationalError:
        # Why a connection failed is only told in the server's own language: its catalogue says whether the database is there.
        try:
            with create_engine(target.set(database="postgres")).connect() as connection:
                found = connection.execute(text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": target.database}).scalar()
        except OperationalError:
            found = 1
        if found:
            raise _unavailable(target.render_as_string(hide_password=True)) from None
    return False


def revision() -> tuple[str | None, str]:
    """The schema's version in the record (None: there is none yet) and the newest one; nothing is changed."""
    address = url()
    if not exists(address):
        return None, newest_revision()
    with create_engine(address).connect() as connection:
        return _current_revision(connection), newest_revision()


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def newest_revision() -> str:
    """The revision that no migration follows, as the files under ``migrations/versions`` say."""
    files = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")
    words = [dict(re.findall(r'^(revision|down_revision)\b.*?= ["\'](\w+)["\']', path.read_text(encoding="utf-8"), re.MULTILINE)) for path in files]
    (newest,) = {found["revision"] for found in words} - {found.get("down_revision") for found in words}
    return newest


def is_empty() -> bool:
    """Whether our database holds no table yet, or is not there."""
    address = url()
    return not exists(address) or not inspect(create_engine(address)).get_table_names()


def clock() -> datetime:
    """The database's clock: only to be held against our own, never to decide by."""
    with transaction() as tx:
        return tx.execute(text("SELECT now()")).scalar_one()


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction: everything inside is recorded, or nothing. Raises StorageUnavailable if the server is gone."""
    try:
        with engine().begin() as connection:
            yield connection
    except OperationalError as error:
        # Without a code the server has said nothing: it was not reached.
        if error.connection_invalidated or getattr(error.orig, "pgcode", None) is None:
            raise _unavailable("the record") from None
        raise
