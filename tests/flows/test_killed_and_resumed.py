"""Killed at any moment and started again, a rehearsal ends where an undisturbed one ends."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tests import patience
from tests.addresses import address_of
from tests.command_line import canbao, environment_of

pytestmark = pytest.mark.long
ARGUMENTS = ("rehearse", "chengjiang-2021", "--persons", "1500", "--coarse", "--until", "2021-05-28", "--json")
LEDGERS = {
    "steps": "SELECT o.item, o.organisation, o.period, s.step_id, s.occurrence, s.state, s.recorded_at FROM step s "
             "JOIN obligation o ON o.id = s.obligation_id",
    "messages": "SELECT key, subject, body, written_at FROM message",
    "findings": "SELECT list, subject, owner, status, first_seen, last_seen FROM finding",
    "events": "SELECT f.list, f.subject, e.event, e.period, e.at FROM finding_event e JOIN finding f ON f.id = e.finding_id",
    "submissions": "SELECT o.item, o.organisation, o.period, s.received_at, s.accepted_at, s.sent_back_at FROM submission s "
                   "JOIN obligation o ON o.id = s.obligation_id",
    "deliveries": "SELECT feed, period, provider, verdict, rows, received_at FROM delivery",
    "facts": "SELECT event, subject, at, organisations, facts FROM event WHERE run_id IS NULL",
    "categories": "SELECT r.period, c.organisation, c.category, c.persons FROM category_count c JOIN run r ON r.id = c.run_id",
}


def _ledger(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine(address_of(home, "canbao"))
    with engine.connect() as connection:
        rows = {name: sorted(map(tuple, connection.execute(text(query)).all()), key=repr) for name, query in LEDGERS.items()}
    engine.dispose()
    return rows


def _marks(home: Path) -> int:
    """How many events of the rehearsal are done; 0 before there is a record."""
    engine = create_engine(address_of(home, "canbao"))
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM rehearsal_mark")).scalar_one())
    except (OperationalError, ProgrammingError):
        return 0
    finally:
        engine.dispose()


def _kill_at(home: Path, marks: int, later_seconds: float) -> None:
    """Starts a rehearsal and kills it, without a chance to tidy up, a moment after so many events were done."""
    process = subprocess.Popen([sys.executable, "-m", "canbao", *ARGUMENTS], env=environment_of(home),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_so_far() -> bool:
        assert process.poll() is None, "the rehearsal ended before it could be killed"
        return _marks(home) >= marks

    patience.until(is_so_far, lambda: f"{_marks(home)} of {marks} events are done", hangs_after_seconds=patience.PLAYS_AT_MOST_SECONDS)
    time.sleep(later_seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _left_running(home: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline", "environ"])
            if "prefect" in (process.info["cmdline"] or []) and "server" in process.info["cmdline"]
            and (process.info["environ"] or {}).get("CANBAO_HOME") == str(home)]


def test_a_killed_rehearsal_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    done = canbao(undisturbed, *ARGUMENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    whole = _marks(undisturbed)
    disturbed.mkdir()
    chance = random.Random(20210318)
    for share in (0.1, 0.4, 0.8):
        _kill_at(disturbed, int(share * whole), chance.uniform(0, 0.8))
    done = canbao(disturbed, *ARGUMENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["status"]["audit_whole"]
    first, second = _ledger(undisturbed), _ledger(disturbed)
    for name in LEDGERS:
        assert first[name] == second[name], name
    # The server of each killed run was ended by the next one, that of the last by itself.
    assert _left_running(disturbed) == []
