"""An alarm is one message to a post of the office, however often the same thing is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from models.database import transaction
from models.errors import WrongUse
from tasks.alarm import kinds, raise_alarm
from tasks.campaign import store_plan
from tasks.obligations import make_obligations
from tasks.sending import send_messages

CAMPAIGN = "chengjiang-2021"
NOW = datetime(2021, 6, 11, 6, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, NOW)
    return CAMPAIGN


def _messages() -> list[Any]:
    with transaction() as tx:
        return list(tx.execute(text("SELECT * FROM message ORDER BY id")).mappings())


def test_a_failed_run_is_told_once_a_day_and_again_the_next(campaign: str) -> None:
    for _ in range(3):
        raise_alarm.fn(campaign, "run_failed", NOW, "chengjiang-2021 2021-05 数据比对", event="prefect.flow-run.Crashed")
    (message,) = _messages()
    assert (message["organisation"], message["role"], message["channel"]) == ("office", "clerk", "alarm")
    assert message["address"] == "office.clerk@example.invalid"
    assert message["subject"] == "【2021年澄江市社会保险全民参保扩面专项行动】运行未完成：chengjiang-2021 2021-05 数据比对"
    assert "6月11日 06:05" in message["body"]
    assert "意外中断" in message["body"]
    again = raise_alarm.fn(campaign, "run_failed", NOW + timedelta(days=1), "chengjiang-2021 2021-05 数据比对")
    assert again["written"] == 1


def test_however_many_files_are_late_they_are_told_of_together(campaign: str) -> None:
    make_obligations.fn(campaign, NOW - timedelta(days=60))
    for subject in ("feed:population", "feed:students", "feed:deaths"):
        raise_alarm.fn(campaign, "feed_late", NOW, subject, "2021-05")
    (message,) = _messages()
    # Both months' 21 files (one of 19 feeds has three providers) were due by 06-10; nothing has come.
    assert message["subject"].endswith("】42项部门数据逾期未到")
    assert "户籍人口信息（2021年4月）" in message["body"]
    assert "feed:" not in message["body"]


def test_files_that_have_come_meanwhile_alarm_nobody(campaign: str) -> None:
    make_obligations.fn(campaign, NOW - timedelta(days=60))
    assert raise_alarm.fn(campaign, "feed_late", NOW - timedelta(days=40), "feed:population", "2021-04")["written"] == 0


@pytest.mark.parametrize("kind", kinds())
def test_every_alarm_has_words_and_a_post_that_the_office_has(campaign: str, kind: str, record: Path) -> None:
    make_obligations.fn(campaign, NOW - timedelta(days=60))
    assert raise_alarm.fn(campaign, kind, NOW, "feed:population", "2021-05", "canbao.feed.late")["written"] == 1
    (message,) = _messages()
    assert message["address"]
    assert "{" not in message["subject"] + message["body"]
    assert send_messages.fn(campaign, NOW)["sent"] == 1
    assert list((record / campaign / "messages").glob("*.txt"))


def test_a_campaign_that_is_not_in_force_has_nobody_to_tell(record: Path) -> None:
    assert raise_alarm.fn("nowhere-2030", "run_failed", NOW)["written"] == 0


def test_an_alarm_without_words_is_refused(campaign: str) -> None:
    with pytest.raises(WrongUse, match="feed_late"):
        raise_alarm.fn(campaign, "surprise", NOW)
