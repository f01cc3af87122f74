"""澄江's eight monthly reports under scripted behaviour: the whole ledger equals one worked out by hand (C19, C20, C23).

By hand, from the State Council's notice for 2021: days off 5-1…5-5, 6-12…6-14, 9-19…9-21, 10-1…10-7; worked on 4-25, 5-8,
9-18, 9-26 and 10-9. Rungs stand at -3, 0, +1, +3, +5 and +10 workdays from the effective due day, at 09:00.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from models.database import transaction
from models.store import obligations as store
from tasks.campaign import store_plan
from tasks.obligations import make_obligations, statuses
from tasks.sweep import sweep_obligations
from tests.conftest import fresh_record

ZONE = ZoneInfo("Asia/Shanghai")
CAMPAIGN, ITEM = "chengjiang-2021", "monthly_report"
STEPS = ("remind_before", "remind_due_day", "overdue", "escalate", "name_in_bulletin", "supervision_candidate")
SILENT = {
    # month reported on: before, due day, overdue, escalated, bulletin, candidate
    "2021-04": ("04-28", "05-06", "05-07", "05-10", "05-12", "05-19"),
    "2021-05": ("05-28", "06-02", "06-03", "06-07", "06-09", "06-17"),
    "2021-06": ("06-29", "07-02", "07-05", "07-07", "07-09", "07-16"),
    "2021-07": ("07-28", "08-02", "08-03", "08-05", "08-09", "08-16"),
    "2021-08": ("08-30", "09-02", "09-03", "09-07", "09-09", "09-16"),
    "2021-09": ("09-28", "10-08", "10-09", "10-12", "10-14", "10-21"),
    "2021-10": ("10-28", "11-02", "11-03", "11-05", "11-09", "11-16"),
    "2021-11": ("11-29", "12-02", "12-03", "12-07", "12-09", "12-16"),
}
SECOND_WORKDAY_AFTER = ("05-08", "06-04", "07-06", "08-04", "09-06", "10-11", "11-04", "12-06")
"""When 九村's pause of one workday is over and its overdue reminder goes out after all."""
HAIKOU_BY_HAND = {
    **SILENT,
    # Extended on 06-28 to 07-09 (a Friday): everything counts from there.
    "2021-06": ("07-06", "07-09", "07-12", "07-14", "07-16", "07-23"),
    # Handed in on 09-01, sent back the same day, handed in again on 09-06.
    "2021-08": ("08-30", "09-02", "09-03"),
    # Handed in on the due day, corrected after acceptance: the correction changes nothing in the ledger.
    "2021-10": ("10-28", "11-02"),
}


def _at(day: str, hour: str) -> datetime:
    return datetime.combine(date.fromisoformat(f"2021-{day}"), time.fromisoformat(hour), tzinfo=ZONE)


def _due(period: str) -> date:
    return date.fromisoformat(f"2021-{SILENT[period][1]}")


def _hand_in(tx: Connection, org: str, period: str, at: datetime, *, accepted: bool = True) -> int:
    owed = store.one(tx, CAMPAIGN, ITEM, org, period)
    assert owed is not None
    submission, _ = store.submit(tx, owed["id"], received_at=at, sha256=f"{org}{period}{at.isoformat()}", path="", prepared_by="",
                                 reviewed_by="", texts={}, faults={})
    if accepted:
        store.accept(tx, submission, at)
    return submission


def _script(tx: Connection, now: datetime) -> None:
    """What townships and the office do at this instant."""
    for period, rungs in SILENT.items():
        due = _due(period)
        if now == _at(rungs[1], "10:00"):
            _hand_in(tx, "fenglu", period, now)
            owed = store.one(tx, CAMPAIGN, ITEM, "jiucun", period)
            assert owed is not None
            store.acknowledge(tx, owed["id"], now, "jiucun")
        if now == _at(rungs[1], "23:59:59"):
            _hand_in(tx, "longjie", period, now)
        if now == datetime.combine(due + timedelta(days=1), time(0), tzinfo=ZONE):
            _hand_in(tx, "youshuo", period, now)
        if now == _at(rungs[2], "15:00"):
            _hand_in(tx, "luju", period, now)
        if now == _at(rungs[3], "08:00"):
            _hand_in(tx, "jiucun", period, now)
    if now == _at("06-28", "10:00"):
        owed = store.one(tx, CAMPAIGN, ITEM, "haikou", "2021-06")
        assert owed is not None
        store.extend(tx, owed["id"], due_before=_at("07-10", "00:00"), granted_at=now, granted_by="office", reason="停电")
    if now == _at("09-01", "10:00"):
        submission = _hand_in(tx, "haikou", "2021-08", now, accepted=False)
        store.send_back(tx, submission, _at("09-01", "16:00"))
    if now == _at("09-06", "11:00"):
        _hand_in(tx, "haikou", "2021-08", now)
    if now in (_at("11-02", "10:00"), _at("11-10", "10:00")):
        _hand_in(tx, "haikou", "2021-10", now)


def _instants() -> Iterator[datetime]:
    """Every instant at which somebody acts, and two sweeps a day, weekends too."""
    day = date(2021, 4, 20)
    while day <= date(2021, 12, 31):
        for hour in ("00:00", "08:00", "09:05", "10:00", "11:00", "14:05", "15:00", "23:59:59"):
            yield datetime.combine(day, time.fromisoformat(hour), tzinfo=ZONE)
        day += timedelta(days=1)


@pytest.fixture(scope="module")
def year(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("eight") / "home"
    with fresh_record(server, home):
        start = datetime(2021, 3, 18, 8, tzinfo=ZONE)
        store_plan.fn(CAMPAIGN, start)
        make_obligations.fn(CAMPAIGN, start)
        acted = {(instant.month, instant.day) for instant in _acting()}
        for now in _instants():
            if (now.month, now.day) in acted and now.time() not in (time(9, 5), time(14, 5)):
                with transaction() as tx:
                    _script(tx, now)
            if now.time() in (time(9, 5), time(14, 5)):
                sweep_obligations.fn(CAMPAIGN, now)
        yield home


def _acting() -> Iterator[datetime]:
    for period, rungs in SILENT.items():
        yield from (_at(rungs[number], "10:00") for number in (1, 2, 3))
        yield datetime.combine(_due(period) + timedelta(days=1), time(0), tzinfo=ZONE)
    yield from (_at(day, "10:00") for day in ("06-28", "09-01", "09-06", "11-02", "11-10"))


def _sent(org: str) -> dict[str, tuple[str, ...]]:
    with transaction() as tx:
        rows = [row for row in store.steps_of(tx, CAMPAIGN, org, ITEM) if row["state"] == "sent"]
    found: dict[str, dict[str, str]] = {period: {} for period in SILENT}
    for row in rows:
        found[row["period"]][row["step_id"]] = f"{row['recorded_at'].astimezone(ZONE):%m-%d}"
    assert all(list(steps) == list(STEPS[:len(steps)]) for steps in found.values()), "in the ladder's order, none left out"
    return {period: tuple(steps.values()) for period, steps in found.items()}


def test_units_that_report_in_time_hear_two_reminders(year: Path) -> None:
    for org in ("fenglu", "longjie"):
        assert _sent(org) == {period: rungs[:2] for period, rungs in SILENT.items()}
        assert {row["status"] for row in _rows(org)} == {"accepted"}


def test_a_report_at_midnight_is_late_and_hears_no_more(year: Path) -> None:
    assert _sent("youshuo") == {period: rungs[:2] for period, rungs in SILENT.items()}
    assert {row["status"] for row in _rows("youshuo")} == {"accepted_late"}


def test_a_late_unit_hears_that_it_is_overdue(year: Path) -> None:
    assert _sent("luju") == {period: rungs[:3] for period, rungs in SILENT.items()}


def test_an_acknowledgement_delays_the_overdue_reminder_by_its_workday(year: Path) -> None:
    expected = {period: (*rungs[:2], later) for (period, rungs), later in zip(SILENT.items(), SECOND_WORKDAY_AFTER, strict=True)}
    assert _sent("jiucun") == expected


def test_a_silent_unit_climbs_to_the_end_unless_extended_sent_back_or_corrected(year: Path) -> None:
    assert _sent("haikou") == HAIKOU_BY_HAND
    states = {row["period"]: (row["status"], row["late"]) for row in _rows("haikou")}
    assert states["2021-08"] == ("accepted_late", True)
    assert states["2021-10"] == ("accepted", False)
    assert states["2021-04"][0] == "missing"


def test_every_message_belongs_to_a_rung_and_every_rung_to_one_outcome(year: Path) -> None:
    with transaction() as tx:
        rungs = tx.execute(text("SELECT count(*), count(DISTINCT (obligation_id, step_id, occurrence)) FROM step")).one()
        stray = tx.execute(text("""
            SELECT count(*) FROM message m
            WHERE NOT EXISTS (SELECT 1 FROM step s WHERE s.obligation_id = m.obligation_id AND s.state = 'sent'
                              AND split_part(m.key, '/', 2) = s.step_id AND split_part(m.key, '/', 3) = s.occurrence::text)
        """)).scalar()
        per_rung = dict(tx.execute(text("""
            SELECT split_part(m.key, '/', 2), count(*) FROM message m JOIN obligation o ON o.id = m.obligation_id
            WHERE o.organisation = 'haikou' AND o.item = 'monthly_report' AND o.period = '2021-04' GROUP BY 1""")).fetchall())
    assert rungs[0] == rungs[1]
    assert stray == 0
    # Clerk; clerk; clerk and leader; leader and office; office; office's leader.
    assert per_rung == dict(zip(STEPS, (1, 1, 2, 2, 1, 1), strict=True))


def _rows(org: str) -> list[dict[str, object]]:
    return statuses(CAMPAIGN, datetime(2021, 12, 31, 18, tzinfo=ZONE), item=ITEM, organisation=org)
