"""Failures that a rehearsal lets happen: planned by the seed, struck once, said to be simulated, and gone afterwards."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import URL

from comparison.engine import Comparison
from comparison.plan_check import load_sound
from models.database import transaction
from models.errors import StorageUnavailable
from models.store import campaigns, runs
from models.store import findings as store
from rehearsal.outages import MARK, SIMULATED, Kind, Outage, hanging, planned, policy
from rehearsal.simulate import simulate
from tasks.attempts import attempts
from tasks.campaign import store_plan
from tasks.comparison import run_comparison
from tasks.doors import waiting_files
from tasks.intake import take_in
from tests.conftest import fresh_record

CAMPAIGN, PERIOD = "chengjiang-2021", "2021-04"
MONTHS = [f"2021-{number:02d}" for number in range(4, 13)]
NOW = datetime(2021, 5, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_seed_says_which_months_fail_and_never_the_first() -> None:
    for seed in range(30):
        found = planned(CAMPAIGN, MONTHS, seed)
        assert found == planned(CAMPAIGN, MONTHS, seed)
        assert len(found) == round(len(MONTHS) / policy().months_to_one_failure)
        assert MONTHS[0] not in found
    assert len({tuple(planned(CAMPAIGN, MONTHS, seed)) for seed in range(30)}) > 5


def test_kinds_take_turns() -> None:
    kinds = [outage.kind.id for outage in planned(CAMPAIGN, MONTHS, 1).values()]
    assert kinds == [kind.id for kind in policy().kinds][:len(kinds)]


def test_a_campaign_that_never_compares_has_no_outage() -> None:
    assert planned(CAMPAIGN, [], 1) == {}


# tests/tasks/test_comparison_runs.py guards a change: chunks that fail, runs that are killed. Every kind of outage is played with the
# whole rehearsals.
@pytest.mark.long
@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.id) for kind in policy().kinds])
def test_a_comparison_that_fails_once_goes_on_from_there_and_finds_the_same(kind: Kind, server: URL, tmp_path: Path) -> None:
    loaded = load_sound(CAMPAIGN)
    simulate(loaded, persons=1500, seed=5, periods=[PERIOD], out=tmp_path)

    def taken_in() -> None:
        store_plan.fn(CAMPAIGN, NOW)
        for feed, path, _ in waiting_files(CAMPAIGN, tmp_path / "inbox", PERIOD):
            take_in.fn(CAMPAIGN, feed, PERIOD, str(path), NOW)

    with fresh_record(server, tmp_path / "calm"):
        taken_in()
        undisturbed = run_comparison.fn(CAMPAIGN, PERIOD, NOW)
    outage, before = Outage(CAMPAIGN, PERIOD, kind), (Comparison.run, Comparison.outcome)
    with fresh_record(server, tmp_path / "home"):
        taken_in()
        with hanging(outage, NOW), pytest.raises(StorageUnavailable, match=SIMULATED) as failure:
            run_comparison.fn(CAMPAIGN, PERIOD, NOW)
        assert kind.words in str(failure.value)
        assert (Comparison.run, Comparison.outcome) == before
        with transaction() as tx:
            assert f"{MARK}{PERIOD}" in campaigns.marked(tx, CAMPAIGN)
            assert store.latest_run(tx, CAMPAIGN, PERIOD) is None, "nothing is recorded of a run that failed"
        with hanging(outage, NOW):
            answer = run_comparison.fn(CAMPAIGN, PERIOD, NOW)
        assert [attempt["outcome"] for attempt in attempts(CAMPAIGN, NOW)] == ["done", "failed"]
        with transaction() as tx:
            assert {row["state"] for row in runs.chunks(tx, answer["run"])} == {"done"}
    assert {key: answer[key] for key in ("persons", "unbalanced", "findings")} == {
        key: undisturbed[key] for key in ("persons", "unbalanced", "findings")}


@pytest.mark.long
def test_an_outage_of_one_month_spares_another(server: URL, tmp_path: Path) -> None:
    simulate(load_sound(CAMPAIGN), persons=1500, seed=5, periods=[PERIOD], out=tmp_path)
    other = Outage(CAMPAIGN, "2021-05", policy().kinds[0])
    with fresh_record(server, tmp_path / "home"):
        store_plan.fn(CAMPAIGN, NOW)
        for feed, path, _ in waiting_files(CAMPAIGN, tmp_path / "inbox", PERIOD):
            take_in.fn(CAMPAIGN, feed, PERIOD, str(path), NOW)
        with hanging(other, NOW):
            assert run_comparison.fn(CAMPAIGN, PERIOD, NOW)["unbalanced"] == 0
    assert not other.has_struck
