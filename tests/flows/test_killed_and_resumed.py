"""Killed at any moment and started again, a rehearsal ends where an undisturbed one ends."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from models import database
from tests.flows.conftest import canbao

ARGUMENTS = ("rehearse", "chengjiang-2021", "--persons", "1500", "--until", "2021-06-12", "--json")
LEDGERS = {
    "steps": "SELECT o.item, o.organisation, o.period, s.step_id, s.occurrence, s.state, s.recorded_at FROM step s "
             "JOIN obligation o ON o.id = s.obligation_id",
    "messages": "SELECT key, subject, body, written_at FROM message",
    "findings": "SELECT list, subject, owner, status, first_seen, last_seen FROM finding",
    "events": "SELECT f.list, f.subject, e.event, e.period, e.at FROM finding_event e JOIN finding f ON f.id = e.finding_id",
    "submissions": "SELECT o.item, o.organisation, o.period, s.received_at, s.accepted_at, s.sent_back_at FROM submission s "
                   "JOIN obligation o ON o.id = s.obligation_id",
    "deliveries": "SELECT feed, period, provider, verdict, rows, received_at FROM delivery",
    "categories": "SELECT r.period, c.organisation, c.category, c.persons FROM category_count c JOIN run r ON r.id = c.run_id",
}


def _ledger(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    address = database._embedded(home).replace("postgresql://postgres:@/postgres", "postgresql+psycopg2://postgres@/canbao")
    engine = create_engine(address)
    with engine.connect() as connection:
        rows = {name: sorted(map(tuple, connection.execute(text(query)).all()), key=repr) for name, query in LEDGERS.items()}
    engine.dispose()
    return rows


def _kill_after(home: Path, seconds: float) -> bool:
    """Starts a rehearsal and kills it, without a chance to tidy up, after a while; False if it was done before."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CANBAO_", "PREFECT_"))}
    process = subprocess.Popen([sys.executable, "-m", "canbao", *ARGUMENTS], env={**environment, "CANBAO_HOME": str(home)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def test_a_killed_rehearsal_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    began = time.monotonic()
    done = canbao(undisturbed, *ARGUMENTS)
    whole = time.monotonic() - began
    assert done.returncode == 0, done.stderr[-3000:]
    chance = random.Random(20210318)
    kills = sum(_kill_after(disturbed, chance.uniform(0.45, 0.75) * whole) for _ in range(3))
    assert kills >= 2
    done = canbao(disturbed, *ARGUMENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["status"]["audit_whole"]
    first, second = _ledger(undisturbed), _ledger(disturbed)
    for name in LEDGERS:
        assert first[name] == second[name], name


def test_no_server_of_a_killed_rehearsal_is_left_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _kill_after(home, 20)
    done = canbao(home, "rehearse", "chengjiang-2021", "--persons", "1500", "--until", "2021-03-20", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    left = [process for process in psutil.process_iter(["cmdline", "environ"])
            if "prefect" in (process.info["cmdline"] or []) and "server" in process.info["cmdline"]
            and (process.info["environ"] or {}).get("CANBAO_HOME") == str(home)]
    assert left == []
