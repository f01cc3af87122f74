"""Alarms to the office: one for each thing and day, with Prefect or without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.database import transaction
from models.errors import WrongUse
from models.store import audit, campaigns
from models.tables import Message
from tasks.alarm import alarm_of_gap, kinds, raise_alarm, tell_head
from tasks.campaign import plan_in_force, store_plan
from tasks.events import SWEEP
from tasks.obligations import make_obligations
from tasks.sweep import sweep_obligations

CAMPAIGN = "chengjiang-2021"
START = datetime(2021, 3, 18, 1, tzinfo=UTC)


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, START)
    make_obligations.fn(CAMPAIGN, START)
    sweep_obligations.fn(CAMPAIGN, START)
    return CAMPAIGN


def alarms() -> list[tuple[str, str, str]]:
    with transaction() as tx:
        rows = tx.execute(select(Message.organisation, Message.role, Message.subject).where(Message.kind == "alarm")).all()
    return [(organisation, role, subject) for organisation, role, subject in rows]


def test_a_sweep_within_the_hours_of_the_plan_alarms_nobody(campaign: str) -> None:
    hours = plan_in_force(campaign).sending.stale_sweep_hours
    assert alarm_of_gap.fn(campaign, START + timedelta(hours=hours))["written"] == 0
    assert alarms() == []


def test_a_gap_is_told_to_the_office_once_whoever_notices_it(campaign: str) -> None:
    late = START + timedelta(hours=plan_in_force(campaign).sending.stale_sweep_hours, seconds=1)
    assert alarm_of_gap.fn(campaign, late)["written"] == 1
    assert alarm_of_gap.fn(campaign, late)["written"] == 0
    assert raise_alarm.fn(campaign, "sweep_stale", late, SWEEP)["written"] == 0, "the event of the same gap"
    plan = plan_in_force(campaign)
    assert alarms() == [(plan.office, "clerk", f"【{plan.name}】巡检中断")]


def test_once_swept_again_there_is_nothing_to_tell(campaign: str) -> None:
    late = START + timedelta(days=9)
    assert alarm_of_gap.fn(campaign, late)["written"] == 1
    sweep_obligations.fn(campaign, late)
    assert alarm_of_gap.fn(campaign, late + timedelta(hours=1))["written"] == 0


def test_a_rehearsals_clock_has_gaps_that_mean_nothing(campaign: str) -> None:
    with transaction() as tx:
        campaigns.mark(tx, campaign, "sweep", START)
    assert alarm_of_gap.fn(campaign, START + timedelta(days=9))["written"] == 0


def test_where_the_trail_ends_leaves_the_machine_once_a_day(campaign: str) -> None:
    for hours in (1, 2, 30):
        tell_head.fn(campaign, START + timedelta(hours=hours))
    with transaction() as tx:
        bodies = tx.execute(select(Message.body).where(Message.kind == "alarm").order_by(Message.id)).scalars().all()
        end = audit.end(tx)
    assert len(bodies) == 2
    assert all(str(end) in body for body in bodies)


def test_a_rehearsals_trail_is_told_to_nobody(campaign: str) -> None:
    with transaction() as tx:
        campaigns.mark(tx, campaign, "sweep", START)
    assert tell_head.fn(campaign, START)["written"] == 0


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_words_that_name_nobody(campaign: str, kind: str) -> None:
    june = START + timedelta(days=90)  # files are late by then
    assert raise_alarm.fn(campaign, kind, june, "run 3", "2021-05", "prefect.flow-run.Failed")["written"] == 1
    assert "{" not in alarms()[0][2]


def test_an_alarm_without_words_is_refused(campaign: str) -> None:
    with pytest.raises(WrongUse, match="there is no alarm 'fire'"):
        raise_alarm.fn(campaign, "fire", START)
