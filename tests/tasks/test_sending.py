"""The sender against a real SMTP server and a real webhook: at least once, never lost, visible when it fails."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from models.database import transaction
from models.store import outbox
from tasks import channels
from tasks.campaign import store_plan
from tasks.obligations import make_obligations
from tasks.sending import send_messages
from tasks.sweep import sweep_obligations
from tests.patience import HANGS_AFTER_SECONDS
from tests.tasks.mail_server import Mailbox, mail_server

CAMPAIGN = "chengjiang-2021"
NOW = datetime(2021, 6, 3, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, NOW)
    return CAMPAIGN


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mail_server() as box:
        monkeypatch.setenv("CANBAO_SMTP_URL", box.url)
        monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "email")
        yield box


def _write(*keys: str, address: str = "fenglu.clerk@example.invalid", channel: str = "message") -> None:
    with transaction() as tx:
        outbox.write(tx, [{
            "campaign_id": CAMPAIGN, "obligation_id": None, "organisation": "fenglu", "role": "clerk", "channel": channel,
            "key": key, "address": address, "kind": "reminder", "attempts": 0, "subject": f"催报{key}", "body": f"请报送{key}。",
            "written_at": NOW} for key in keys])


def _rows() -> list[dict[str, Any]]:
    with transaction() as tx:
        return [dict(row) for row in tx.execute(text("SELECT * FROM message WHERE kind = 'reminder' ORDER BY id")).mappings()]


def test_one_message_is_one_mail_and_several_to_one_post_are_one_digest(campaign: str, mailbox: Mailbox) -> None:
    _write("甲")
    assert send_messages.fn(campaign, NOW)["sent"] == 1
    _write("乙", "丙")
    assert send_messages.fn(campaign, NOW)["sent"] == 2
    single, digest = mailbox.mails
    assert single["To"] == "fenglu.clerk@example.invalid"
    body = digest.get_payload(decode=True).decode()
    for part in ("请报送乙。", "请报送丙。", "2项"):
        assert part in body


def test_a_mailbox_that_is_busy_is_tried_again_after_the_plan_s_pauses(campaign: str, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 later", "451 later"]
    _write("甲")
    assert send_messages.fn(campaign, NOW) == {"sent": 0, "failed": 1, "dead": 0, "held": 0}
    assert send_messages.fn(campaign, NOW + timedelta(minutes=4))["sent"] == 0, "the first pause is five minutes"
    assert send_messages.fn(campaign, NOW + timedelta(minutes=5))["failed"] == 1
    assert send_messages.fn(campaign, NOW + timedelta(minutes=34))["sent"] == 0, "the second is half an hour"
    assert send_messages.fn(campaign, NOW + timedelta(minutes=35))["sent"] == 1
    row, = _rows()
    assert (row["attempts"], row["last_error"]) == (3, "SMTP 451")


def test_what_can_never_be_delivered_is_dead_at_once_and_the_office_is_alarmed(campaign: str, mailbox: Mailbox, record: Path) -> None:
    mailbox.answers = ["550 no such user"]
    _write("甲")
    result = send_messages.fn(campaign, NOW)
    assert (result["failed"], result["dead"]) == (1, 1)
    with transaction() as tx:
        dead, = outbox.dead(tx, campaign)
        assert (dead["organisation"], dead["last_error"]) == ("fenglu", "SMTP 550")
    alarms = [path.read_text() for path in (record / CAMPAIGN / "messages").glob("*.txt")]
    assert len(alarms) == 1
    assert "消息发送失败" in alarms[0]
    assert "SMTP 550" in alarms[0]


def test_after_the_last_pause_a_message_is_given_up_and_can_be_revived(campaign: str, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 later"] * 6
    _write("甲")
    at = NOW
    for _ in range(6):
        outcome = send_messages.fn(campaign, at)
        at += timedelta(days=1)
    assert outcome["dead"] == 1
    assert send_messages.fn(campaign, at + timedelta(days=9))["sent"] == 0
    with transaction() as tx:
        assert outbox.revive(tx, campaign) == 1
    assert send_messages.fn(campaign, at)["sent"] == 1


def test_a_server_that_hangs_up_after_taking_the_mail_gets_it_again_with_the_same_mark(campaign: str, mailbox: Mailbox) -> None:
    mailbox.hang_up_after_data = True
    _write("甲", "乙")
    assert send_messages.fn(campaign, NOW)["failed"] == 2
    mailbox.hang_up_after_data = False
    _write("丙")
    assert send_messages.fn(campaign, NOW + timedelta(minutes=5))["sent"] == 3
    marks = [mail["Message-ID"] for mail in mailbox.mails]
    assert marks.count(marks[0]) == 2, "the second attempt is at the same letter: 丙 goes in one of its own"
    assert len(marks) == 3


def test_a_server_that_says_nothing_counts_as_failed_and_holds_nobody_up(
    campaign: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.3)
    mailbox.stall_seconds = 2.0
    _write("甲")
    assert send_messages.fn(campaign, NOW)["failed"] == 1
    row, = _rows()
    assert row["last_error"] in ("TimeoutError", "SMTPServerDisconnected")


def _die_after_sending(home: str, url: str) -> None:
    os.environ.update(CANBAO_HOME=home, CANBAO_SMTP_URL=url, CANBAO_MESSAGE_CHANNEL="email")
    deliver = channels.Mail.deliver

    def and_die(self: channels.Mail, letter: channels.Letter, at: datetime) -> None:
        deliver(self, letter, at)
        os._exit(9)

    channels.Mail.deliver = and_die  # type: ignore[method-assign]
    send_messages.fn(CAMPAIGN, NOW)


def test_a_sender_that_dies_between_sending_and_recording_leaves_its_mark(campaign: str, mailbox: Mailbox, record: Path) -> None:
    _write("甲")
    process = multiprocessing.get_context("spawn").Process(target=_die_after_sending, args=(str(record), mailbox.url))
    process.start()
    process.join(HANGS_AFTER_SECONDS)
    assert process.exitcode == 9
    assert send_messages.fn(campaign, NOW)["sent"] == 0, "nobody takes it before the pause is over"
    assert send_messages.fn(campaign, NOW + timedelta(minutes=5))["sent"] == 1
    row, = _rows()
    assert (row["attempts"], row["last_error"]) == (2, outbox.UNKNOWN)
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


def test_two_senders_at_once_send_each_message_once(campaign: str, mailbox: Mailbox) -> None:
    _write(*(f"第{number}件" for number in range(40)))
    with transaction() as tx:
        tx.execute(text("UPDATE message SET role = 'r' || id"))
    threads = [threading.Thread(target=send_messages.fn, args=(campaign, NOW)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox.mails) == 40
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 40


def test_a_webhook_gets_the_message_and_one_that_fails_is_tried_again(campaign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[dict[str, Any]] = []
    codes = [500, 200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(codes[len(received) - 1])
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CANBAO_WEBHOOK_URL", f"json://127.0.0.1:{server.server_address[1]}/hook")
        _write("甲", channel="webhook")
        assert send_messages.fn(campaign, NOW)["failed"] == 1
        assert send_messages.fn(campaign, NOW + timedelta(minutes=5))["sent"] == 1
        server.shutdown()
    assert [entry["title"] for entry in received] == ["催报甲", "催报甲"]
    assert received[0]["message"] == received[1]["message"]


def _held(campaign: str) -> list[dict[str, Any]]:
    with transaction() as tx:
        return [dict(row) for row in outbox.held(tx, campaign)]


@pytest.mark.parametrize(("named", "missing"), [
    ("emial", "CANBAO_MESSAGE_CHANNEL names no channel"), ("email", "CANBAO_SMTP_URL is not set"), ("webhook", "CANBAO_WEBHOOK_URL is not set"),
])
def test_what_has_no_way_out_is_held_told_of_and_leaves_when_that_is_mended(
    campaign: str, record: Path, monkeypatch: pytest.MonkeyPatch, named: str, missing: str
) -> None:
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", named)
    _write("甲", "乙")
    assert send_messages.fn(campaign, NOW) == {"sent": 1, "failed": 0, "dead": 0, "held": 2}, "the alarm alone leaves, as a file"
    assert [(row["last_error"], row["messages"]) for row in _held(campaign)] == [(missing, 2)]
    assert send_messages.fn(campaign, NOW + timedelta(hours=1))["held"] == 2
    assert {(row["attempts"], row["sent_at"]) for row in _rows()} == {(0, None)}, "nothing was tried, nothing used up"
    alarm, = [path.read_text() for path in (record / CAMPAIGN / "messages").glob("*.txt")]
    assert "消息无法发出" in alarm
    with mail_server() as box:
        monkeypatch.setenv("CANBAO_SMTP_URL", box.url)
        monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "email")
        assert send_messages.fn(campaign, NOW + timedelta(hours=2))["sent"] == 2
    assert _held(campaign) == []


def test_nobody_is_taken_further_up_a_ladder_whom_no_message_reached(campaign: str, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "emial")
    make_obligations.fn(campaign, NOW)
    asked, overdue = datetime(2021, 6, 30, 10, tzinfo=NOW.tzinfo), datetime(2021, 7, 9, 10, tzinfo=NOW.tzinfo)
    first = sweep_obligations.fn(campaign, asked)
    assert first["sent"] > 0
    assert send_messages.fn(campaign, asked)["held"] > 0
    steps = _steps()
    assert sweep_obligations.fn(campaign, overdue)["sent"] == sum(1 for step in _steps() - steps), "those never asked before alone"
    assert {step for step in _steps() - steps if step[0] in {known[0] for known in steps}} == set()
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "files")
    assert send_messages.fn(campaign, overdue + timedelta(minutes=5))["held"] == 0
    sweep_obligations.fn(campaign, overdue + timedelta(minutes=10))
    assert {step for step in _steps() - steps if step[0] in {known[0] for known in steps}}, "the ladder goes on"


def _steps() -> set[tuple[int, str, int]]:
    with transaction() as tx:
        return {tuple(row) for row in tx.execute(text("SELECT obligation_id, step_id, occurrence FROM step WHERE state = 'sent'"))}
