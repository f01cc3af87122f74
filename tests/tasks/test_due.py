"""What is due and not yet done, asked of a real record: the same answer after any number of missed or doubled ticks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.database import transaction
from models.store import campaigns, documents
from rules.phases import field_flows
from tasks.campaign import store_plan
from tasks.comparison import run_comparison
from tasks.due import (
    acceptance_due,
    bulletins_due,
    campaigns_in_force,
    comparison_on_schedule,
    comparisons_due,
    everything_due,
    why_idle,
)
from tests.tasks import a_comparison

ZONE = ZoneInfo("Asia/Shanghai")
CHENGJIANG, LIANYUNGANG = "chengjiang-2021", a_comparison.CAMPAIGN


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture
def chengjiang(record: Path) -> str:
    store_plan.fn(CHENGJIANG, _at("2021-05-27T09:00"))
    return CHENGJIANG


def _issued(campaign: str, bulletin: str, period: str) -> None:
    with transaction() as tx:
        documents.record(tx, campaign_id=campaign, kind=f"bulletin:{bulletin}", period=period, organisation="office", path=f"/{period}",
                         sha256=period, made_at=_at("2021-06-15T17:00"), rows=0, run_id=None, content_sha256="")


def test_a_bulletin_is_due_from_its_hour_until_it_is_issued(chengjiang: str) -> None:
    assert bulletins_due(chengjiang, _at("2021-06-15T16:59")) == []
    assert [run.period for run in bulletins_due(chengjiang, _at("2021-06-15T17:00"))] == ["2021-05"]
    _issued(chengjiang, "monthly_bulletin", "2021-05")
    assert bulletins_due(chengjiang, _at("2021-06-20T17:00")) == []


def test_bulletins_missed_are_made_up_for_in_order_and_old_ones_left_to_a_person(chengjiang: str) -> None:
    # On 09-15 those of 08-16 (30 days ago) and of the day itself; those of June and July are older than 31 days.
    assert [run.period for run in bulletins_due(chengjiang, _at("2021-09-15T17:00"))] == ["2021-07", "2021-08"]


def test_nothing_is_owed_for_the_time_before_the_plan_was_in_force(record: Path) -> None:
    store_plan.fn(CHENGJIANG, _at("2021-06-16T09:00"))
    assert bulletins_due(CHENGJIANG, _at("2021-06-16T10:00")) == []
    assert [run.period for run in bulletins_due(CHENGJIANG, _at("2021-07-15T17:00"))] == ["2021-06"]


def test_a_month_is_looked_at_from_the_morning_after_its_files_were_due(chengjiang: str) -> None:
    assert comparison_on_schedule(chengjiang, _at("2021-06-11T05:59")) == ["2021-04"]
    assert comparison_on_schedule(chengjiang, _at("2021-06-11T06:00")) == ["2021-05"]


def test_months_that_are_complete_and_were_never_compared_are_due_once(record: Path, tmp_path: Path) -> None:
    a_comparison.accept(tmp_path, persons=300)
    # March and April lie there; nothing ran while they came.
    assert comparisons_due(LIANYUNGANG, a_comparison.NOW) == ["2016-03", "2016-04"]
    assert comparisons_due(LIANYUNGANG, _at("2016-04-30T09:00")) == ["2016-03"]  # April is not over
    keys = {thing.key for thing in everything_due(LIANYUNGANG, a_comparison.NOW)}
    assert {thing.key for thing in everything_due(LIANYUNGANG, a_comparison.NOW + timedelta(hours=3))} == keys
    for label in ("2016-03", "2016-04"):
        run_comparison.fn(LIANYUNGANG, label, a_comparison.NOW)
    assert comparisons_due(LIANYUNGANG, a_comparison.NOW) == []
    # The tick of the month looks at it all the same, to say what it waits for.
    assert comparison_on_schedule(LIANYUNGANG, _at("2016-05-11T06:00")) == ["2016-04"]


def test_the_final_acceptance_waits_for_the_last_months_comparison(chengjiang: str) -> None:
    assert acceptance_due(chengjiang, _at("2022-01-14T19:00")) is None


def test_a_campaign_that_was_not_started_has_nothing_to_do(record: Path) -> None:
    assert why_idle(CHENGJIANG, "sweep", _at("2021-06-01T09:00")) is not None


def test_a_rehearsals_record_is_left_to_its_own_clock(chengjiang: str) -> None:
    assert why_idle(chengjiang, "sweep", _at("2021-06-01T09:00")) is None
    assert campaigns_in_force() == [chengjiang]
    with transaction() as tx:
        campaigns.mark(tx, chengjiang, "mobilisation", _at("2021-06-01T09:00"))
    assert "演练" in str(why_idle(chengjiang, "sweep", _at("2021-06-01T09:00")))
    assert campaigns_in_force() == []


def test_only_one_of_the_field_flows_takes_back_on_a_day(record: Path) -> None:
    store_plan.fn(LIANYUNGANG, _at("2016-02-01T09:00"))
    for day, turn in (("2016-03-01", "pilot"), ("2016-05-01", "survey"), ("2016-11-01", "contribution")):
        working = [flow for flow in field_flows() if why_idle(LIANYUNGANG, flow, _at(f"{day}T09:00")) is None]
        assert working == [turn]
