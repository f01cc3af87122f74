"""The embedded database is started again under whoever supervises it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from models import database
from tests.patience import HANGS_AFTER_SECONDS


def test_an_embedded_server_that_was_killed_comes_back_with_what_it_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CANBAO_DATABASE_URL", raising=False)
    monkeypatch.delenv("PGOPTIONS", raising=False)  # other tests need no commit to reach the disk; this one does
    address = database.url()
    database.create_if_missing(address)
    engine = create_engine(address, pool_pre_ping=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 7 AS number"))
    database.ensure_running()  # it runs: nothing happens
    server = psutil.Process(int((tmp_path / "home" / "postgres" / "postmaster.pid").read_text().split()[0]))
    helpers = server.children()
    server.kill()
    psutil.wait_procs([server, *helpers], timeout=HANGS_AFTER_SECONDS)
    database.ensure_running()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT number FROM kept")).scalar() == 7
    engine.dispose()
