"""Runs in chunks: gone on with after a kill, redone in part, one at a time, and rehearsed without leaving a trace."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from comparison import engine
from comparison.exports import links_of
from comparison.plan_check import load_sound
from models.database import transaction
from models.errors import RunDoesNotBalance, WrongUse
from models.plan import Guard
from models.store import findings as store
from models.store import runs
from tasks import comparison as tasks
from tests.conftest import fresh_record
from tests.tasks.a_comparison import BEFORE, CAMPAIGN, NOW, PERIOD, accept, deliver


@pytest.fixture(scope="module")
def place(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record with two months of accepted deliveries and no run."""
    folder = tmp_path_factory.mktemp("comparisons")
    with fresh_record(server, folder / "home"):
        accept(folder)
        yield folder


@pytest.fixture(autouse=True)
def no_run(place: Path) -> None:
    """Each test begins without a run."""
    with transaction() as tx:
        tx.execute(text("TRUNCATE run, finding CASCADE"))


class Killed(BaseException):
    """What no handler of errors sees, as a kill is not seen."""


def _findings() -> list[tuple[Any, ...]]:
    with transaction() as tx:
        return sorted(map(tuple, tx.execute(text("SELECT list, subject, owner, status, first_seen, evidence FROM finding"))))


def _events() -> int:
    with transaction() as tx:
        return int(tx.execute(text("SELECT count(*) FROM finding_event")).scalar_one())


def _states(run: int) -> dict[str, tuple[str, int]]:
    with transaction() as tx:
        return {row["name"]: (row["state"], row["attempts"]) for row in runs.chunks(tx, run)}


def test_a_run_is_done_chunk_by_chunk_and_the_same_inputs_are_the_same_run() -> None:
    first = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW, reason="第一次")
    assert set(_states(first["run"]).values()) == {("done", 1)}
    again = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
    assert (again["run"], again["new"]) == (first["run"], False)
    with transaction() as tx:
        assert [row["reason"] for row in runs.attempts(tx, first["run"])] == ["第一次"]


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.long)])
def test_killed_at_random_points_and_gone_on_with_the_findings_are_the_same_each_once(
    monkeypatch: pytest.MonkeyPatch, times: int,
) -> None:
    tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
    undisturbed, events = _findings(), _events()
    chance, left, kills = random.Random(50), [0], 0

    def dies(work: Any) -> Any:
        def perhaps(*args: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            result = work(*args, **named)
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return result
        return perhaps

    # Before and after each file is put in its place, each mark, and each statement of the final transaction.
    for room, name in ((engine.os, "replace"), (runs, "begin_chunk"), (runs, "end_chunk"), (store, "finish_run"),
                       (store, "record_measurements"), (tasks.life, "merge"), (tasks.campaigns, "audit")):
        monkeypatch.setattr(room, name, dies(getattr(room, name)))
    while kills < times:
        with transaction() as tx:
            tx.execute(text("TRUNCATE run, finding CASCADE"))
        for _ in range(200):
            left[0] = chance.randint(1, 60) if kills < times else 0
            try:
                tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
                break
            except Killed:
                kills += 1
        assert _findings() == undisturbed
        assert _events() == events


def test_what_was_done_before_a_kill_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run_chunk = engine.Comparison.run

    def dies_at_cards(comparison: engine.Comparison, chunk: Any, room: engine.Room | None = None) -> int:
        if chunk.name == "link:cards":
            raise Killed
        return run_chunk(comparison, chunk, room)

    with monkeypatch.context() as patch:
        patch.setattr(engine.Comparison, "run", dies_at_cards)
        with pytest.raises(Killed):
            tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
    run = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)["run"]
    states = _states(run)
    assert states["people"] == ("done", 1)
    assert states["link:cards"] == ("done", 2)
    assert {state for state, _ in states.values()} == {"done"}


def test_a_chunk_is_redone_with_those_that_read_it_and_no_others() -> None:
    run = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)["run"]
    findings, events = _findings(), _events()
    tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW, redo=("registers",), reason="复核")
    redone = {name for name, (_, attempts) in _states(run).items() if attempts == 2}
    assert redone == {"registers", "profile", "lists", "balance"}
    assert (_findings(), _events()) == (findings, events)
    with pytest.raises(WrongUse, match="no chunk 'link:card'"):
        tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW, redo=("link:card",))


def test_a_corrected_file_runs_only_what_depends_on_it(place: Path) -> None:
    tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
    with transaction() as tx:
        old = dict(tx.execute(text(
            "SELECT id, provider, snapshot FROM delivery WHERE feed = 'cards' AND period = :period AND superseded_at IS NULL"),
            {"period": BEFORE}).mappings().one())
    corrected = place / "corrected.parquet"
    duckdb.execute(f"COPY (FROM read_parquet('{old['snapshot']}') WHERE row_number % 7 > 0) TO '{corrected}'")
    new = deliver("cards", BEFORE, old["provider"], corrected, (old["id"],))
    try:
        with transaction() as tx:
            before = len(_findings())
        run = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)["run"]
        with transaction() as tx:
            worked = {row["name"] for row in runs.chunks(tx, run) if row["rows"]}
        assert "link:cards" in worked
        assert not worked & {"people", "link:resident_medical", "link:employee_pension"}
        assert len(_findings()) > before
    finally:
        with transaction() as tx:
            tx.execute(text("UPDATE delivery SET superseded_at = NULL WHERE id = :old"), {"old": old["id"]})
            tx.execute(text("DELETE FROM delivery WHERE id = :new"), {"new": new})


def test_only_one_comparison_of_a_period_runs_at_a_time() -> None:
    with (tasks.one_at_a_time(CAMPAIGN, BEFORE),
          pytest.raises(WrongUse, match="another comparison of this period is running")):
        tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)


def test_a_dry_run_tells_old_from_new_and_leaves_no_trace(place: Path) -> None:
    tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)
    findings = _findings()
    with transaction() as tx:
        rows = tx.execute(text("SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM run_chunk), (SELECT count(*) FROM audit)")).one()
    found = tasks.rehearse_comparison(CAMPAIGN, PERIOD)
    with transaction() as tx:
        assert tx.execute(text("SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM run_chunk), (SELECT count(*) FROM audit)")).one() == rows
    assert _findings() == findings
    assert not list((place / "home").rglob("dry-*"))
    lists = {change["name"]: change for change in found["lists"]}
    for name in {row[0] for row in findings}:
        change = lists[name]
        assert change["old"] == sum(row[0] == name for row in findings)
        assert change["new"] == change["old"] + change["appear"] - change["vanish"]
    assert sum(change["new"] for change in found["categories"]) == found["persons"]
    tasks.run_comparison.fn(CAMPAIGN, PERIOD, NOW)
    with transaction() as tx:
        listed = dict(tx.execute(text("SELECT list, count(*) FROM finding WHERE closed_in IS NULL GROUP BY list")).all())
    assert {name: change["new"] for name, change in lists.items() if change["new"]} == listed


def test_a_list_that_jumps_stops_the_run_and_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load_sound(CAMPAIGN).plan
    tight = Guard(list="no_card", max_share_of_population=1, max_jump_share=0.01, source="test")
    guarded = plan.model_copy(update={"guards": (tight,)})
    outcome = engine.Outcome(PERIOD, Path(), 1000, 0, 0, (), (), (("no_card", "a", 70), ("no_card", "b", 30)), "")
    engine.refuse_runaways(guarded, outcome, {"no_card": 90})
    engine.refuse_runaways(guarded, outcome, {"no_card": 110})
    engine.refuse_runaways(guarded, outcome, None)
    with pytest.raises(RunDoesNotBalance, match="has grown by"):
        engine.refuse_runaways(guarded, outcome, {"no_card": 89})
    with pytest.raises(RunDoesNotBalance, match="has shrunk by"):
        engine.refuse_runaways(guarded, outcome, {"no_card": 111})


def test_every_register_row_stands_in_the_links_once() -> None:
    run = tasks.run_comparison.fn(CAMPAIGN, BEFORE, NOW)["run"]
    with transaction() as tx:
        row = store.run(tx, run)
        assert row is not None
        counted = tx.execute(text("SELECT sum(rows) FROM link_count WHERE run_id = :run AND feed NOT LIKE '%:%'"),
                             {"run": run}).scalar_one()
    links = links_of(Path(row["folder"]))
    assert len(links) == counted
    assert {tier for *_, tier, _ in links} <= {"exact", "old_number", "repaired", "probable", "clerical", "review", "unlinked"}
