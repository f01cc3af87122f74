"""Attempts at a run: what failed is gone on with, what died is noticed and closed, and every attempt says how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from comparison import engine
from comparison.chunks import CHUNKS, Chunk, chunks_of
from comparison.plan_check import load_sound
from models.database import transaction
from models.errors import RunDoesNotBalance
from models.store import runs
from tasks import comparison as tasks
from tasks.attempts import attempts, close_dead_runs
from tests.conftest import fresh_record
from tests.tasks.a_comparison import CAMPAIGN, NOW, PERIOD, accept

LATER = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def place(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record with accepted deliveries and one finished run."""
    folder = tmp_path_factory.mktemp("attempts")
    with fresh_record(server, folder / "home"):
        accept(folder, persons=500)
        tasks.run_comparison.fn(CAMPAIGN, PERIOD, NOW, reason="首次")
        yield folder


@pytest.fixture(autouse=True)
def _done(place: Path) -> None:
    """Each test begins with one finished run."""
    with transaction() as tx:
        tx.execute(text("UPDATE run SET state = 'done'"))
        tx.execute(text("DELETE FROM run_attempt WHERE id > (SELECT min(id) FROM run_attempt)"))
        tx.execute(text("UPDATE run_attempt SET outcome = 'done', ended_at = at"))
        tx.execute(text("UPDATE run_chunk SET state = 'done'"))


def _run() -> int:
    with transaction() as tx:
        return int(tx.execute(text("SELECT id FROM run")).scalar_one())


def _chunks_run(monkeypatch: pytest.MonkeyPatch, fails: str = "") -> list[str]:
    """The names of the chunks that are really run from now on; ``fails`` is one whose SQL does not hold."""
    made: list[str] = []
    really = engine.Comparison.run

    def run(comparison: engine.Comparison, chunk: Chunk, room: engine.Room | None = None) -> int:
        if chunk.name == fails:
            raise RunDoesNotBalance("stage failed.", where="comparison")
        made.append(chunk.name)
        return really(comparison, chunk, room)

    monkeypatch.setattr(engine.Comparison, "run", run)
    return made


@pytest.mark.parametrize("campaign", ["chengjiang-2021", "bozhou-2018", "district-registration", "lianyungang-2016"])
def test_the_form_offers_exactly_the_parts_of_a_comparison(campaign: str) -> None:
    assert tuple(chunk.name for chunk in chunks_of(load_sound(campaign).plan, PERIOD)) == CHUNKS


def test_an_attempt_says_who_why_with_what_and_how_it_ended(place: Path) -> None:
    (attempt,) = attempts(CAMPAIGN, NOW)
    assert (attempt["attempt"], attempt["reason"], attempt["outcome"], attempt["chunks"]) == (1, "首次", "done", [])
    assert attempt["code_version"] == engine.code_version()
    assert attempt["started"] <= attempt["ended"]


def test_what_failed_is_gone_on_with_and_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        _chunks_run(patch, fails="lists")
        with pytest.raises(RunDoesNotBalance):
            tasks.run_comparison.fn(CAMPAIGN, PERIOD, NOW, ["profile"], "口径调整", "经办岗")
    made = _chunks_run(monkeypatch)
    again = tasks.run_comparison.fn(CAMPAIGN, PERIOD, LATER)
    assert made == ["lists", "balance"]
    assert again["run"] == _run()
    latest, failed, _ = attempts(CAMPAIGN, LATER)
    assert (failed["by"], failed["reason"], failed["chunks"], failed["outcome"]) == ("经办岗", "口径调整", ["profile"], "failed")
    assert latest["outcome"] == "done"


def test_a_run_whose_process_died_is_closed_and_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with tasks.one_at_a_time(CAMPAIGN, PERIOD):
        begun = tasks.begin_comparison.fn(CAMPAIGN, PERIOD, NOW, ["lists"], "试")
    assert close_dead_runs.fn(CAMPAIGN, LATER) == {"closed": 1, "crashed": 0}
    assert attempts(CAMPAIGN, LATER)[0]["outcome"] == "crashed"
    assert close_dead_runs.fn(CAMPAIGN, LATER) == {"closed": 0, "crashed": 0}
    made = _chunks_run(monkeypatch)
    assert tasks.run_comparison.fn(CAMPAIGN, PERIOD, LATER)["run"] == begun["run"]
    assert made == ["lists", "balance"]


def test_a_run_that_somebody_works_on_is_left_alone() -> None:
    with tasks.one_at_a_time(CAMPAIGN, PERIOD):
        begun = tasks.begin_comparison.fn(CAMPAIGN, PERIOD, NOW, ["lists"], "试")
        assert close_dead_runs.fn(CAMPAIGN, LATER) == {"closed": 0, "crashed": 0}
        with transaction() as tx:
            assert runs.open_runs(tx, CAMPAIGN)[0]["id"] == begun["run"]


def test_an_attempt_cut_off_before_it_was_recorded_is_recorded_by_the_next() -> None:
    with tasks.one_at_a_time(CAMPAIGN, PERIOD):
        begun = tasks.begin_comparison.fn(CAMPAIGN, PERIOD, NOW, ["balance"], "试")
        tasks.compare_chunks.fn(CAMPAIGN, begun["run"], ["balance"])
    again = tasks.run_comparison.fn(CAMPAIGN, PERIOD, LATER)
    assert again["new"]
    assert [attempt["outcome"] for attempt in attempts(CAMPAIGN, LATER)] == ["done", "crashed", "done"]


def test_a_dry_run_of_some_parts_takes_the_others_as_they_are(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _chunks_run(monkeypatch)
    found = tasks.rehearse_comparison(CAMPAIGN, PERIOD, ["lists"])
    assert made == ["lists", "balance"]
    assert not any(entry["appear"] or entry["vanish"] for entry in found["lists"])
    assert len(attempts(CAMPAIGN, LATER)) == 1
    assert not list((place / "home").rglob("dry-*"))


def test_old_stands_against_new_before_anything_is_replaced(place: Path) -> None:
    with tasks.one_at_a_time(CAMPAIGN, PERIOD), tasks.before_replacing(CAMPAIGN, PERIOD) as before:
        begun: dict[str, Any] = tasks.begin_comparison.fn(CAMPAIGN, PERIOD, NOW, ["lists"], "试")
        for chunk in begun["chunks"]:
            tasks.compare_chunks.fn(CAMPAIGN, begun["run"], [chunk])
        changes = tasks.what_changes(CAMPAIGN, begun["run"], before)
        tasks.record_comparison.fn(CAMPAIGN, begun["run"], NOW)
    assert changes["against"] == {"run": begun["run"], "period": PERIOD}
    assert all(entry["old"] == entry["new"] for entry in changes["lists"])
    assert {entry["name"] for entry in changes["categories"]} <= set(changes["names"])
    assert not list((place / "home").rglob("before-*"))
