"""Where the record lives, and what is said when it cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

from models import database
from models.errors import StorageUnavailable
from models.tables import Base


def test_migrations_make_exactly_the_tables_of_the_model(record: Path) -> None:
    with database.engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_newest_revision_is_the_head_that_alembic_sees(record: Path) -> None:
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    assert database.newest_revision() == scripts.get_current_head()
    assert database.revision() == (database.newest_revision(), database.newest_revision())


def test_a_record_of_an_older_revision_is_brought_to_the_newest(server: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    address = server.set(database="older").render_as_string(hide_password=False)
    monkeypatch.setenv("CANBAO_DATABASE_URL", address)
    database.create_if_missing(address)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with create_engine(address).begin() as config.attributes["connection"]:
        command.upgrade(config, "0008")
    assert database.revision() == ("0008", database.newest_revision())
    with database.engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert database.revision() == (database.newest_revision(), database.newest_revision())
    database._engine(database.url()).dispose()
    database._engine.cache_clear()


def test_a_given_server_is_used_and_its_database_made(server: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    address = server.set(database="made_on_demand").render_as_string(hide_password=False)
    monkeypatch.setenv("CANBAO_DATABASE_URL", address)
    assert make_url(database.url()).database == "made_on_demand"
    assert make_url(database.url("prefect")).database == "made_on_demand_prefect"
    with database.transaction() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM campaign").scalar() == 0
    database._engine(database.url()).dispose()
    database._engine.cache_clear()


def test_the_embedded_server_starts_where_no_url_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CANBAO_DATABASE_URL", raising=False)
    with database.transaction() as tx:
        assert tx.exec_driver_sql("SHOW server_version").scalar().startswith("18")
    database._engine(database.url()).dispose()
    database._engine.cache_clear()


def test_a_database_that_is_down_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_DATABASE_URL", "postgresql://canbao:secret@127.0.0.1:1/canbao")
    with pytest.raises(StorageUnavailable) as fault, database.transaction():
        pass
    assert "does not answer" in str(fault.value)
    assert "unset CANBAO_DATABASE_URL" in str(fault.value)
    assert "secret" not in str(fault.value)


def test_only_postgresql_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_DATABASE_URL", "sqlite:///x.db")
    with pytest.raises(StorageUnavailable, match="Only PostgreSQL"):
        database.url()


def test_a_home_that_cannot_be_written_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("CANBAO_HOME", str(in_the_way / "home"))
    with pytest.raises(StorageUnavailable, match="Set CANBAO_HOME"):
        database.home()
