"""A password stands in no argument, where every account reads it, and reaches no program that does not need it."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from deployments import backup as backups
from models import database
from models.errors import WrongUse
from models.plan_file import REPOSITORY
from tasks.campaign import store_plan

NOW = datetime(2021, 5, 27, 1, tzinfo=UTC)
WORD = "p:a\\ss w%rd'$HOME;参保"
TOOL = """#!/bin/sh
{{ tr '\\0' '\\n' < /proc/$$/cmdline; echo; echo ---; env; echo ---; stat -c '%a %n' "$PGPASSFILE"; cat "$PGPASSFILE"; }} >> {said}
exec {real} "$@"
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What PostgreSQL's tools were told, which then do their work."""
    from models.embedded import binaries

    place, folder = tmp_path / "said", tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(TOOL.format(said=place, real=binaries() / name), encoding="utf-8")
        (folder / name).chmod(0o700)
    monkeypatch.setenv("CANBAO_PG_BIN", str(folder))
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "canbao:another-secret")
    monkeypatch.setenv("CANBAO_SMTP_URL", "smtp://office:third-secret@mail.example.invalid")
    return place


@pytest.mark.parametrize("in_query", [False, True])
def test_a_backup_names_the_databases_password_to_nobody(record: Path, said: Path, monkeypatch: pytest.MonkeyPatch, in_query: bool) -> None:
    store_plan.fn("chengjiang-2021", NOW)
    address = make_url(os.environ["CANBAO_DATABASE_URL"])
    address = address.update_query_dict({"password": WORD}) if in_query else address.set(password=WORD)
    monkeypatch.setenv("CANBAO_DATABASE_URL", address.render_as_string(hide_password=False))
    made = backups.backup(record / "backups", NOW)
    assert made["files"] >= 0
    arguments, environment, told = said.read_text(encoding="utf-8").split("---\n")[:3]
    for secret in (WORD, "p:a", "p%3Aa", "another-secret", "third-secret"):
        assert secret not in arguments
        assert secret not in environment
    mode, line, *_ = told.splitlines()
    assert mode.split()[0] == "600"
    assert line == "*:*:*:*:" + WORD.replace("\\", "\\\\").replace(":", "\\:")
    assert not Path(mode.split(maxsplit=1)[1]).exists(), "it is gone with the tool"
    assert not list(record.glob(".pgpass*"))


def test_a_password_that_no_file_can_hold_is_refused_with_the_cure() -> None:
    with pytest.raises(WrongUse, match="another one") as refusal:
        backups._without_password("postgresql://canbao:a%0Ab@db/canbao")
    assert "a\nb" not in str(refusal.value)


def test_an_address_without_a_password_needs_no_file() -> None:
    assert backups._without_password("postgresql+psycopg2://canbao@db:5432/canbao?sslmode=verify-full") == (
        "postgresql://canbao@db:5432/canbao?sslmode=verify-full", None)


def test_no_instruction_puts_a_secret_into_arguments() -> None:
    """What people copy: documents, units, the compose file and the Makefile."""
    places = [*REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("*.md"), *REPOSITORY.glob("deployments/site/**/*"), REPOSITORY / "Makefile"]
    wrong = re.compile(r"\benv \$\((?!…)|\bexport PGPASSWORD|PGPASSWORD=\S|--password[= ]\S|-e [A-Z_]*PASSWORD=|"
                       r"openssl passwd [^-\n]|curl [^\n]*-u \S")
    found = [f"{path.name}: {line.strip()}" for path in places if path.is_file() and path.suffix != ".png"
             for line in path.read_text(encoding="utf-8").splitlines() if wrong.search(line)]
    assert found == []


def test_what_a_refused_database_is_told_about_hides_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    monkeypatch.setenv("CANBAO_DATABASE_URL", "postgresql://canbao:very-secret@127.0.0.1:1/canbao")
    with pytest.raises(Exception, match="does not answer") as refusal:
        database.create_if_missing(database.url())
    assert "very-secret" not in str(refusal.value)


def test_a_home_of_its_own_needs_no_password_for_its_database(record: Path) -> None:
    """The embedded database is reached by a socket that only its own account may open."""
    socket_mode = stat.S_IMODE(next(Path(str(make_url(database.url()).query["host"])).glob(".s.PGSQL.*[0-9]")).stat().st_mode)
    assert socket_mode == 0o700
