"""What may not matter does not: the same place written otherwise, delivered in another order, gives the same lists.

The order of rows and of files of one register stands in ``test_engine_chunks``; here are the spelling of numbers, names
and townships, from the file on, and the order of registers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from comparison.engine import compare
from comparison.plan_check import load_sound
from expectations.intake import take
from models.plan_file import LoadedPlan
from rehearsal.simulate import simulate

CAMPAIGN, PERIOD, PERSONS = "bozhou-2018", "2018-09", 2500
Run = Callable[..., Path]
Table = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def loaded() -> LoadedPlan:
    found = load_sound(CAMPAIGN)
    return replace(found, plan=found.plan.model_copy(update={"guards": ()}))


@pytest.fixture(scope="module")
def run(loaded: LoadedPlan, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The folder of a comparison over the same place, its files with these faults, its registers in this order."""

    def compared(*rates: str, backwards: bool = False) -> Path:
        folder = tmp_path_factory.mktemp("place")
        numbers = {rate.partition("=")[0].partition(".")[0] for rate in rates}
        simulate(loaded, persons=PERSONS, seed=4, periods=[PERIOD], out=folder, defects=",".join(sorted(numbers)) or None,
                 defect_rates=rates)
        snapshots: dict[str, list[Path]] = {}
        for feed in loaded.plan.feeds:
            for path in sorted((folder / "inbox" / feed.feed / PERIOD).glob("*")):
                intake = take(path, feed=feed.feed, plan=loaded.plan, period=PERIOD, provider=None, snapshots=folder / "snapshots")
                assert intake.snapshot is not None, f"{path.name}: {intake.reason}"
                snapshots.setdefault(feed.feed, []).append(intake.snapshot)
        given = dict(reversed(snapshots.items())) if backwards else snapshots
        compare(loaded.plan, PERIOD, given, folder / "run")
        return folder / "run"

    return compared


@pytest.fixture(scope="module")
def plain(run: Run) -> Path:
    """The place as its registers stand, without a fault."""
    return run()


def categories(folder: Path) -> Table:
    return duckdb.execute(
        f"SELECT id_number, category, township FROM read_parquet('{folder}/person_profile.parquet') ORDER BY ALL").fetchall()


def findings(folder: Path) -> Table:
    return duckdb.execute(
        f"SELECT list, subject, owner, category FROM read_parquet('{folder}/findings.parquet') ORDER BY ALL").fetchall()


@pytest.mark.parametrize("rates", [
    # × and x for X, digits of a Chinese keyboard
    pytest.param(("17=1", "17.full_width=1"), id="width", marks=pytest.mark.long),
    # apostrophes, spaces, NBSP, zero-width letters
    pytest.param(("16=1",), id="marks", marks=pytest.mark.long),
    # names spaced, their separators another letter or none
    pytest.param(("26=1", "26.dotted=1"), id="separators"),
    # townships in every spelling they have
    pytest.param(("35=1", "35.unknown=0"), id="townships", marks=pytest.mark.long),
])
def test_another_spelling_changes_no_category_and_no_list(run: Run, plain: Path, rates: tuple[str, ...]) -> None:
    spelled = run(*rates)
    assert categories(spelled) == categories(plain)
    assert findings(spelled) == findings(plain)


@pytest.mark.long
def test_the_order_of_registers_changes_no_category_and_no_list(run: Run, plain: Path) -> None:
    turned = run(backwards=True)
    assert categories(turned) == categories(plain)
    assert findings(turned) == findings(plain)


def test_the_place_has_everybody_whom_spelling_could_harm(plain: Path) -> None:
    ((dotted, townships),) = duckdb.execute(f"""
        SELECT count(*) FILTER (WHERE contains(name, '·')), count(DISTINCT township)
        FROM read_parquet('{plain}/people.parquet')""").fetchall()
    assert dotted > PERSONS / 4
    assert townships > 3
