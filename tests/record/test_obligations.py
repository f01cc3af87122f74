"""The ledger of duties: made ahead, once, and every step in it once."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from models.database import transaction
from models.errors import WrongUse
from models.store import campaigns
from models.store import obligations as store
from tasks.campaign import store_plan
from tasks.obligations import excuse_before, fallen_due, make_obligations, statuses
from tasks.sending import send_messages
from tasks.sweep import sweep_obligations

SHANGHAI = ZoneInfo("Asia/Shanghai")
CAMPAIGN = "chengjiang-2021"
START = datetime(2021, 3, 18, 8, tzinfo=SHANGHAI)


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, START)
    make_obligations.fn(CAMPAIGN, START)
    return CAMPAIGN


def _at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2021, month, day, hour, minute, tzinfo=SHANGHAI)


def test_every_monthly_report_of_every_unit_exists_before_anyone_reports(campaign: str) -> None:
    rows = statuses(campaign, START, item="monthly_report")
    per_unit = Counter(row["organisation"] for row in rows)
    # C20: eight reports from each of six townships and fifteen departments.
    assert len(per_unit) == 21
    assert set(per_unit.values()) == {8}
    october = [row for row in rows if row["period"] == "2021-09"]
    assert {(row["nominal_due"].isoformat(), row["effective_due"].isoformat()) for row in october} == {("2021-10-02", "2021-10-08")}
    assert {row["due_before"].astimezone(SHANGHAI).isoformat() for row in october} == {"2021-10-09T00:00:00+08:00"}


def test_making_obligations_again_makes_none(campaign: str) -> None:
    assert make_obligations.fn(campaign, START)["made"] == 0


def test_a_silent_township_climbs_every_rung_once(campaign: str) -> None:
    day = _at(5, 20)
    while day < _at(6, 25):
        sweep_obligations.fn(campaign, day)
        sweep_obligations.fn(campaign, day + timedelta(minutes=1))
        day += timedelta(days=1)
    with transaction() as tx:
        steps = [row for row in store.steps_of(tx, campaign, "fenglu", "monthly_report") if row["period"] == "2021-05"]
    # Due 06-02 (Wednesday); 06-14 is the Dragon Boat holiday, so ten workdays later is 06-17.
    assert [(row["step_id"], row["recorded_at"].astimezone(SHANGHAI).date().isoformat(), row["state"]) for row in steps] == [
        ("remind_before", "2021-05-28", "sent"), ("remind_due_day", "2021-06-02", "sent"), ("overdue", "2021-06-03", "sent"),
        ("escalate", "2021-06-07", "sent"), ("name_in_bulletin", "2021-06-09", "sent"),
        ("supervision_candidate", "2021-06-17", "sent")]


def test_a_submission_ends_the_ladder_and_lateness_is_kept(campaign: str) -> None:
    sweep_obligations.fn(campaign, _at(6, 3))
    with transaction() as tx:
        owed = store.one(tx, campaign, "monthly_report", "fenglu", "2021-05")
        assert owed is not None
        submission, _ = store.submit(tx, owed["id"], received_at=_at(6, 4), sha256="a" * 64, path="a.xlsx", prepared_by="甲",
                                     reviewed_by="乙", texts={}, faults={})
        store.accept(tx, submission, _at(6, 4))
    sweep_obligations.fn(campaign, _at(6, 30))
    with transaction() as tx:
        steps = {row["step_id"]: row["state"] for row in store.steps_of(tx, campaign, "fenglu", "monthly_report")
                 if row["period"] == "2021-05"}
    assert steps == {"remind_before": "superseded", "remind_due_day": "superseded", "overdue": "sent", "escalate": "cancelled",
                     "name_in_bulletin": "cancelled", "supervision_candidate": "cancelled"}
    row, = statuses(campaign, _at(6, 30), item="monthly_report", period="2021-05", organisation="fenglu")
    assert row["status"] == "accepted_late"
    earlier, = statuses(campaign, _at(6, 3, 12), item="monthly_report", period="2021-05", organisation="fenglu")
    assert earlier["status"] == "overdue"


@pytest.mark.parametrize(("received", "late"), [(_at(6, 2, 23, 59), False), (_at(6, 3, 0), True)])
def test_the_second_counts_to_midnight(campaign: str, received: datetime, late: bool) -> None:
    with transaction() as tx:
        owed = store.one(tx, campaign, "monthly_report", "longjie", "2021-05")
        assert owed is not None
        submission, _ = store.submit(tx, owed["id"], received_at=received, sha256="b" * 64, path="b.xlsx", prepared_by=None,
                                     reviewed_by=None, texts={}, faults={})
        store.accept(tx, submission, received)
    row, = statuses(campaign, _at(6, 30), item="monthly_report", period="2021-05", organisation="longjie")
    assert row["late"] is late


def test_a_message_written_is_sent_once_however_often_the_sender_runs(campaign: str, record: Path) -> None:
    written = sweep_obligations.fn(campaign, _at(6, 3))["messages"]
    assert written > 0
    assert send_messages.fn(campaign, _at(6, 3))["sent"] == written
    assert send_messages.fn(campaign, _at(6, 3))["sent"] == 0
    # What one post is told at once is one letter.
    with transaction() as tx:
        letters = tx.execute(text("SELECT count(DISTINCT (organisation, role, address)) FROM message")).scalar()
    assert len(list((record / CAMPAIGN / "messages").glob("*.txt"))) == letters < written


def test_an_extension_moves_the_ladder_and_the_due_instant(campaign: str) -> None:
    with transaction() as tx:
        owed = store.one(tx, campaign, "monthly_report", "luju", "2021-05")
        assert owed is not None
        store.extend(tx, owed["id"], due_before=datetime(2021, 6, 12, tzinfo=SHANGHAI), granted_at=_at(6, 1), granted_by="office",
                     reason="停电")
    sweep_obligations.fn(campaign, _at(6, 4))
    with transaction() as tx:
        steps = [row["step_id"] for row in store.steps_of(tx, campaign, "luju", "monthly_report") if row["period"] == "2021-05"]
    assert steps == []
    row, = statuses(campaign, _at(6, 4), item="monthly_report", period="2021-05", organisation="luju")
    assert row["status"] == "open"


def _excused(campaign: str, as_of: datetime) -> set[tuple[str, str, str]]:
    return {(row["item"], row["organisation"], row["period"]) for row in statuses(campaign, as_of) if row["status"] == "excused"}


def test_what_fell_due_before_a_campaign_was_begun_is_excused_at_once_and_nothing_else(campaign: str) -> None:
    begun = _at(6, 4)
    # Reports for May were due on 2 June, those for April on 6 May (the 2nd lay in the holidays).
    with transaction() as tx:
        handed_in, sent_back, extended = (store.one(tx, campaign, "monthly_report", unit, "2021-05") for unit in ("luju", "haikou", "jiucun"))
        assert handed_in
        assert sent_back
        assert extended
        for row in (handed_in, sent_back):
            number, _ = store.submit(tx, row["id"], received_at=_at(6, 3), sha256=str(row["id"]), path="", prepared_by=None,
                                     reviewed_by=None, texts={}, faults={})
        store.send_back(tx, number, _at(6, 3, 12))
        store.extend(tx, extended["id"], due_before=_at(6, 12, 0), granted_at=_at(6, 1), granted_by="office", reason="停电")
    owed = fallen_due(campaign, begun)
    answer = excuse_before(campaign, date(2021, 6, 3), "office", "六月起实施", begun)
    assert (answer["excused"], answer["by_item"]["monthly_report"]) == (owed, 2 * 21 - 2)
    assert fallen_due(campaign, begun) == 0
    excused = _excused(campaign, begun)
    assert len(excused) == owed
    assert {("monthly_report", unit, "2021-05") for unit in ("luju", "haikou", "jiucun", "fenglu")} & excused == {
        ("monthly_report", "haikou", "2021-05"), ("monthly_report", "fenglu", "2021-05")}
    assert all(row["due_before"] <= _at(6, 3, 0) for row in statuses(campaign, begun) if row["status"] == "excused")
    assert _excused(campaign, begun - timedelta(seconds=1)) == set(), "what was, was"
    assert sweep_obligations.fn(campaign, _at(6, 3, 9))["sent"] == 0


def test_excusing_again_excuses_nobody_and_is_written_down_once(campaign: str) -> None:
    first = excuse_before(campaign, date(2021, 5, 7), "office", "五月起实施", _at(5, 7))
    assert first["excused"] > 0
    assert excuse_before(campaign, date(2021, 5, 7), "office", "五月起实施", _at(5, 8))["excused"] == 0
    with transaction() as tx:
        entry, = tx.execute(text("SELECT actor, subject, count, reason FROM audit WHERE action = 'obligations excused'")).all()
        assert tuple(entry) == ("office", "due before 2021-05-07", first["excused"], "五月起实施")
        assert campaigns.audit_is_whole(tx)


def test_the_last_day_itself_is_not_before_it(campaign: str) -> None:
    # April's reports are due on 6 May: they are owed on that day, and have fallen due on the next.
    assert excuse_before(campaign, date(2021, 5, 6), "office", "五月起实施", _at(5, 7), item="monthly_report")["excused"] == 0
    assert excuse_before(campaign, date(2021, 5, 7), "office", "五月起实施", _at(5, 7), item="monthly_report", organisation="luju")["excused"] == 1
    assert excuse_before(campaign, date(2021, 5, 7), "office", "五月起实施", _at(5, 7), item="monthly_report")["excused"] == 20


def test_what_is_not_due_yet_is_not_excused_in_advance(campaign: str) -> None:
    with pytest.raises(WrongUse, match="has not come"):
        excuse_before(campaign, date(2021, 5, 8), "office", "五月起实施", _at(5, 7))


def test_nothing_in_the_ledger_can_stand_twice(campaign: str) -> None:
    sweep_obligations.fn(campaign, _at(6, 17))
    with transaction() as tx:
        twice = tx.execute(text("SELECT count(*) FROM (SELECT 1 FROM step GROUP BY obligation_id, step_id, occurrence "
                                "HAVING count(*) > 1) AS double")).scalar()
    assert twice == 0
