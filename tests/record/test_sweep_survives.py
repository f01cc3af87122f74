"""The ledger after trouble: a server that was off, two sweeps at once, a clock that jumps back, kills at any moment."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from models import database
from models.database import transaction
from models.store import obligations as store
from tasks.campaign import store_plan
from tasks.obligations import make_obligations
from tasks.sweep import sweep_obligations

ZONE = ZoneInfo("Asia/Shanghai")
CAMPAIGN = "chengjiang-2021"
KILLS = int(os.environ.get("CANBAO_KILLS", "40"))
"""How often the sweep is killed where there is time; 200 take a minute."""


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, _at(4, 1))
    make_obligations.fn(CAMPAIGN, _at(4, 1))
    return CAMPAIGN


def _at(month: int, day: int, hour: int = 9, minute: int = 5) -> datetime:
    return datetime(2021, month, day, hour, minute, tzinfo=ZONE)


def _ledger() -> list[tuple[object, ...]]:
    with transaction() as tx:
        return [tuple(row) for row in tx.execute(text("""
            SELECT o.item, o.organisation, o.period, s.step_id, s.occurrence, s.state, s.planned_at, s.recorded_at
            FROM step s JOIN obligation o ON o.id = s.obligation_id ORDER BY 1, 2, 3, 4, 5"""))]


def _messages() -> list[tuple[object, ...]]:
    with transaction() as tx:
        return [tuple(row) for row in tx.execute(text("SELECT split_part(key, '/', 2), organisation, role, subject, written_at "
                                                      "FROM message ORDER BY obligation_id, key"))]


def test_a_server_that_was_off_from_the_1st_to_the_9th_sends_one_step_and_explains_the_rest(campaign: str) -> None:
    day = _at(5, 20)
    while day < _at(6, 1):
        sweep_obligations.fn(campaign, day)
        day += timedelta(days=1)
    sweep_obligations.fn(campaign, _at(6, 9, 12))
    with transaction() as tx:
        rows = [row for row in store.steps_of(tx, campaign, "fenglu", "monthly_report") if row["period"] == "2021-05"]
    assert [(row["step_id"], row["state"]) for row in rows] == [
        ("remind_before", "sent"), ("remind_due_day", "superseded"), ("overdue", "superseded"), ("escalate", "superseded"),
        ("name_in_bulletin", "sent")]
    gaps = [row for row in rows if row["state"] == "superseded"]
    assert all(row["planned_at"] < row["recorded_at"] == _at(6, 9, 12) for row in gaps), "each gap says when it was due and noticed"


def test_two_sweeps_at_once_write_each_step_once(campaign: str) -> None:
    barrier, failures = threading.Barrier(4), []

    def one() -> None:
        barrier.wait()
        try:
            sweep_obligations.fn(campaign, _at(6, 3))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sweep_obligations.fn(campaign, _at(6, 3, 9, 6))
    with transaction() as tx:
        owed = {row["id"] for row in store.facts(tx, campaign, _at(6, 3), item="monthly_report", period="2021-05")}
        overdue = tx.execute(text("SELECT obligation_id FROM step WHERE step_id = 'overdue' AND state = 'sent'")).scalars().all()
    assert owed <= set(overdue)
    assert len(overdue) == len(set(overdue))


def test_a_clock_that_jumps_back_an_hour_changes_nothing(campaign: str) -> None:
    sweep_obligations.fn(campaign, _at(6, 3, 10))
    before = _ledger(), _messages()
    result = sweep_obligations.fn(campaign, _at(6, 3, 9))
    assert (result["sent"], result["messages"]) == (0, 0)
    sweep_obligations.fn(campaign, _at(6, 3, 10, 1))
    assert (_ledger(), _messages()) == before


@pytest.mark.parametrize("kills", [10, pytest.param(KILLS, marks=pytest.mark.long)])
def test_kills_at_any_moment_lose_no_duty_and_double_no_step(campaign: str, kills: int) -> None:
    """Killed over and over, then left to finish: the same ledger and messages as of a sweep that nobody disturbed."""
    instants = [_at(5, 28), _at(6, 2), _at(6, 3), _at(6, 7), _at(6, 9)]
    chance = random.Random(20210603)
    for number in range(kills):
        now = instants[number * len(instants) // kills]
        child = os.fork()
        if child == 0:
            database._engine.cache_clear()  # a connection must not be shared over a fork
            sweep_obligations.fn(campaign, now)
            os._exit(0)
        time.sleep(chance.uniform(0.0, 0.35))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if (number + 1) % (kills // len(instants)) == 0:
            sweep_obligations.fn(campaign, now)  # what a restart does
    disturbed = _ledger(), _messages()
    with transaction() as tx:
        tx.execute(text("TRUNCATE step, message, candidate RESTART IDENTITY CASCADE"))
        tx.execute(text("UPDATE obligation SET look_at = NULL"))
    for now in instants:
        sweep_obligations.fn(campaign, now)
    assert (_ledger(), _messages()) == disturbed
