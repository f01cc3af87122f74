"""Facts for Prefect's event feed: written with what they tell, told once after it, with organisations and counts only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    temporary_settings,
)
from sqlalchemy import text

from models.database import transaction
from tasks import events
from tasks.campaign import store_plan
from tasks.obligations import extend, make_obligations
from tasks.sweep import sweep_obligations

CAMPAIGN = "chengjiang-2021"
ZONE = ZoneInfo("Asia/Shanghai")
BEGUN = datetime(2021, 3, 18, 9, tzinfo=ZONE)


@pytest.fixture
def campaign(record: Path) -> Path:
    """澄江 in force with its obligations made, and nothing swept."""
    store_plan.fn(CAMPAIGN, BEGUN)
    make_obligations.fn(CAMPAIGN, BEGUN)
    return record


class PrefectServer(BaseHTTPRequestHandler):
    """Takes events as Prefect's server does, and keeps them."""

    told: list[dict[str, Any]] = []  # noqa: RUF012 - one for the test that opens it
    answer = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/api/events":
            type(self).told += json.loads(body)
        self.send_response(self.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def prefect(answer: int = 204) -> Iterator[list[dict[str, Any]]]:
    """A server that takes events; what it was told."""
    handler: Any = type("Handler", (PrefectServer,), {"told": [], "answer": answer})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with temporary_settings({
            PREFECT_API_URL: f"http://127.0.0.1:{server.server_port}/api", PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
            PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}):
            yield handler.told
        server.shutdown()


def _noted(event: str) -> list[dict[str, Any]]:
    with transaction() as tx:
        return [dict(row) for row in tx.execute(text("SELECT * FROM event WHERE event = :event ORDER BY id"), {"event": event}).mappings()]


def _first_due(kind: str) -> tuple[str, str, datetime, list[str]]:
    with transaction() as tx:
        row = tx.execute(text("SELECT item, period, due_before, array_agg(organisation ORDER BY organisation) AS organisations "
                              "FROM obligation WHERE kind = :kind GROUP BY item, period, due_before ORDER BY due_before, item LIMIT 1"),
                         {"kind": kind}).one()
    return row.item, row.period, row.due_before, row.organisations


@pytest.mark.parametrize(("kind", "event"), [("report", events.REPORT_MISSED), ("feed", events.FEED_LATE)])
def test_what_is_due_and_not_there_is_noted_at_the_instant_it_falls_due_and_once(campaign: Path, kind: str, event: str) -> None:
    item, period, due_before, organisations = _first_due(kind)
    sweep_obligations.fn(CAMPAIGN, due_before - timedelta(seconds=1))
    assert [row for row in _noted(event) if row["subject"] == item] == []
    sweep_obligations.fn(CAMPAIGN, due_before)
    sweep_obligations.fn(CAMPAIGN, due_before)
    sweep_obligations.fn(CAMPAIGN, due_before + timedelta(minutes=1))
    (fact,) = (row for row in _noted(event) if row["subject"] == item)
    assert (fact["facts"]["period"], fact["organisations"], fact["facts"]["organisations"]) == (period, organisations, len(organisations))


def test_an_extended_report_is_missed_at_its_new_end_only(campaign: Path) -> None:
    item, period, due_before, organisations = _first_due("report")
    later = due_before.astimezone(ZONE).date() + timedelta(days=2)
    extend(CAMPAIGN, item, organisations[0], period, later, "办公室", "汛期", due_before - timedelta(days=1))
    sweep_obligations.fn(CAMPAIGN, due_before)
    (fact,) = (row for row in _noted(events.REPORT_MISSED) if row["subject"] == item)
    assert fact["organisations"] == organisations[1:]
    sweep_obligations.fn(CAMPAIGN, due_before + timedelta(days=4))
    assert [organisations[0]] in [row["organisations"] for row in _noted(events.REPORT_MISSED) if row["subject"] == item]


def test_every_step_that_was_sent_is_in_one_fact_and_no_other_step(campaign: Path) -> None:
    sweep_obligations.fn(CAMPAIGN, BEGUN + timedelta(days=60))
    with transaction() as tx:
        sent = set(tx.execute(text(
            "SELECT o.item, o.period, s.step_id, s.occurrence, o.organisation FROM step s JOIN obligation o ON o.id = s.obligation_id "
            "WHERE s.state = 'sent'")))
    told = {(row["subject"], row["facts"]["period"], row["facts"]["step"], row["facts"]["occurrence"], code)
            for row in _noted(events.STEP_SENT) for code in row["organisations"]}
    assert sent
    assert told == sent


def test_many_organisations_are_told_in_parts(campaign: Path) -> None:
    codes = [f"u{number}" for number in range(2 * events.RELATED_AT_MOST + 1)]
    with transaction() as tx:
        events.note(tx, CAMPAIGN, events.STEP_SENT, "k", BEGUN, "monthly_report", organisations=codes)
    parts = _noted(events.STEP_SENT)
    assert [len(row["organisations"]) for row in parts] == [events.RELATED_AT_MOST, events.RELATED_AT_MOST, 1]
    assert {row["facts"]["organisations"] for row in parts} == {len(codes)}


def test_the_feed_names_what_happened_without_being_opened(campaign: Path) -> None:
    item, period, due_before, _ = _first_due("report")
    with prefect() as told:
        sweep_obligations.fn(CAMPAIGN, due_before)
        events.announce(CAMPAIGN, due_before)
    names = {event["resource"]["prefect.resource.name"] for event in told if event["event"] == events.REPORT_MISSED}
    assert f"{CAMPAIGN} {period} {item}" in names
    assert {event["resource"]["prefect.resource.id"] for event in told} == {f"canbao.campaign.{CAMPAIGN}"}


def _one_fact(key: str = "7", at: datetime = BEGUN) -> None:
    with transaction() as tx:
        events.note(tx, CAMPAIGN, events.FEED_RETURNED, key, at, "population", organisations=["gongan"], rows=3)


def test_a_fact_is_told_once_with_what_it_concerns_and_counts_only(campaign: Path) -> None:
    _one_fact()
    _one_fact()
    with prefect() as told:
        assert events.announce(CAMPAIGN, BEGUN) == 1
        assert events.announce(CAMPAIGN, BEGUN) == 0
    (event,) = told
    assert event["event"] == "canbao.feed.returned"
    assert event["resource"]["prefect.resource.id"] == f"canbao.campaign.{CAMPAIGN}"
    assert event["related"][0]["prefect.resource.id"] == f"canbao.organisation.{CAMPAIGN}.gongan"
    assert event["payload"] == {"rows": 3, "organisations": 1, "campaign": CAMPAIGN, "subject": "population",
                                "as_of": BEGUN.isoformat()}


def test_told_again_after_a_crash_it_is_the_same_event(campaign: Path) -> None:
    _one_fact()
    with prefect() as told:
        events.announce(CAMPAIGN, BEGUN)
        with transaction() as tx:
            tx.execute(text("UPDATE event SET told_at = NULL"))
        events.announce(CAMPAIGN, BEGUN)
    assert len(told) == 2
    assert told[0]["id"] == told[1]["id"]


def test_without_a_server_nothing_fails_and_the_next_one_is_told(campaign: Path) -> None:
    _one_fact()
    assert events.announce(CAMPAIGN, BEGUN) == 0
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        assert events.announce(CAMPAIGN, BEGUN) == 0
    with prefect(answer=404) as refused:
        assert events.announce(CAMPAIGN, BEGUN) == 0
    assert refused
    with prefect() as told:
        assert events.announce(CAMPAIGN, BEGUN) == 1
    assert len(told) == 1


def test_what_is_no_news_any_more_is_not_told(campaign: Path) -> None:
    _one_fact()
    with prefect() as told:
        assert events.announce(CAMPAIGN, BEGUN + timedelta(days=3)) == 0
        assert events.announce(CAMPAIGN, BEGUN) == 0
    assert told == []


@pytest.mark.parametrize(("hours", "is_stale"), [(26, False), (27, True)])
def test_a_stale_sweep_is_noticed_once_by_whatever_else_runs(campaign: Path, hours: int, is_stale: bool) -> None:
    sweep_obligations.fn(CAMPAIGN, BEGUN)
    for _ in range(2):
        assert events.notice_stale_sweep(CAMPAIGN, BEGUN + timedelta(hours=hours)) is is_stale
    assert len(_noted(events.SWEEP_STALE)) == int(is_stale)
