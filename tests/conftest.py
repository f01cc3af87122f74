"""Shared fixtures: a real PostgreSQL for the session, a fresh database and home for each test that asks for one."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from models.garbage import collect_seldom, spare_what_stays
from models.machine import processors
from tests.leftovers import look_after
from tests.patience import PLAYS_AT_MOST_SECONDS

collect_seldom()
_scratch = Path(tempfile.mkdtemp(prefix="canbao-tests-"))
look_after(_scratch)
os.environ.update({
    "CANBAO_HOME": str(_scratch / "home"), "PREFECT_HOME": str(_scratch / "prefect"), "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "GX_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "WARNING",
    "PGOPTIONS": "-c synchronous_commit=off",  # tests kill processes, never the machine
    "PYTEST_DEBUG_TEMPROOT": str(_scratch),  # in a folder that sessions share, the next one takes the database's way to its files
    "MPLBACKEND": "Agg",
    "CANBAO_ALLOW_ROOT": "1",  # whoever runs them: what they start is gone with them
    "MPLCONFIGDIR": str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "matplotlib"),  # its list of fonts takes ten seconds to make
})
os.environ.pop("CANBAO_DATABASE_URL", None)
os.environ.pop("PREFECT_API_URL", None)
# By default an example that takes longer than 200 ms on the clock fails: on a busy machine any of them may.
settings.register_profile("canbao", settings.get_profile(settings.get_current_profile_name()), deadline=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("canbao")
_count = itertools.count()
STARTS_TRIED = 5
"""The embedded PostgreSQL gives its start ten seconds, which are few where several begin at once."""
SLOW_FIRST = ("flows", "ui", "deployments", "tasks", "comparison", "expectations", "campaigns", "rehearsal")
"""Rooms whose files take longest: begun last, one of them would run alone at the end."""
PROCESSES_AT_MOST = 8
"""Each has its own PostgreSQL, and some a Prefect server."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than there are processors that may be used: tests wait for their databases and servers a third of their time."""
    return min(processors() + 2, PROCESSES_AT_MOST)


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay to the end."""
    spare_what_stays()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that processes that share the work end together. Long tests may take as long as they move."""
    here = Path(__file__).parent
    turn = {room: number for number, room in enumerate(SLOW_FIRST)}
    items.sort(key=lambda item: turn.get(item.path.relative_to(here).parts[0], len(turn)))
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(PLAYS_AT_MOST_SECONDS))


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """An embedded PostgreSQL with a migrated template database; stopped with the session."""
    from models import database, embedded

    place = _scratch / "server"
    place.mkdir(parents=True)
    address = make_url(_begun(place).replace("postgres:@", "postgres@")).set(drivername="postgresql+psycopg2")
    template = address.set(database="canbao_template")
    database.create_if_missing(template.render_as_string(hide_password=False))
    engine = create_engine(template)
    database.migrate(engine)
    engine.dispose()
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:  # every test makes a database and drops it; none of them outlives the machine
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    yield address
    embedded.leave(place)


def _begun(place: Path) -> str:
    from models import database
    from models.errors import StorageUnavailable

    for tried in range(1, STARTS_TRIED + 1):
        try:
            return database._embedded(place)
        except StorageUnavailable:
            if tried == STARTS_TRIED:
                raise
    raise AssertionError("unreachable")


@contextmanager
def fresh_record(server: URL, home: Path) -> Iterator[Path]:
    """A record and a CANBAO_HOME of their own for as long as the block lasts."""
    from models import database

    name = f"t{next(_count)}"
    admin = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE canbao_template"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANBAO_HOME", str(home))
        patch.setenv("CANBAO_DATABASE_URL", server.set(database=name).render_as_string(hide_password=False))
        yield home
        database._engine(database.url()).dispose()
        database._engine.cache_clear()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def record(server: URL, tmp_path: Path) -> Iterator[Path]:
    """A fresh record and an empty CANBAO_HOME, which is returned."""
    with fresh_record(server, tmp_path / "home") as home:
        yield home
