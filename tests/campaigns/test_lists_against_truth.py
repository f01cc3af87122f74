"""On clean files the lists of every campaign equal the truth, subject by subject and owner by owner."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlalchemy.engine import URL

from comparison.plan_check import load_sound
from rehearsal.place_config import first_period
from rehearsal.simulate import simulate
from rules.periods import next_month
from tasks.campaign import store_plan
from tasks.comparison import latest_run, run_comparison
from tasks.doors import waiting_files
from tasks.intake import take_in
from tests.conftest import fresh_record

OTHERS = ("district-registration", *(pytest.param(other, marks=pytest.mark.long) for other in ("bozhou-2018", "lianyungang-2016")))
"""澄江's are compared in tests/comparison/test_exact_lists.py."""


@pytest.fixture(params=OTHERS, scope="module")
def compared(request: pytest.FixtureRequest, server: URL, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """(campaign, folder of the run, folder of the truth) of the second month of a small place."""
    campaign: str = request.param
    folder = tmp_path_factory.mktemp(campaign)
    loaded = load_sound(campaign)
    before = first_period(loaded.plan)
    period = next_month(before)
    simulate(loaded, persons=6_000, seed=5, periods=[before, period], out=folder)
    year, month = map(int, next_month(period).split("-"))
    now = datetime(year, month, 20, 9, tzinfo=ZoneInfo(loaded.plan.time_zone))
    with fresh_record(server, folder / "home"):
        store_plan.fn(campaign, now)
        for label in (before, period):
            for feed, path, _ in waiting_files(campaign, folder / "inbox", label):
                take_in.fn(campaign, feed, label, str(path), now)
        run_comparison.fn(campaign, period, now)
        return campaign, Path(latest_run(campaign, period)["folder"]), folder / "truth" / period


def test_every_person_is_in_the_true_category(compared: tuple[str, Path, Path]) -> None:
    _, run, truth = compared
    wrong = duckdb.execute(f"""
        SELECT a.category, t.category, count(*) FROM read_parquet('{run}/person_profile.parquet') a
        FULL JOIN read_csv('{truth}/persons.csv', all_varchar = true) t USING (id_number)
        WHERE a.category IS DISTINCT FROM t.category GROUP BY ALL""").fetchall()
    assert wrong == []


def test_every_list_equals_the_truth_with_its_owner(compared: tuple[str, Path, Path]) -> None:
    campaign, run, truth = compared
    wrong = duckdb.execute(f"""
        SELECT coalesce(a.list, t.list), a.owner, t.owner, count(*) FROM read_parquet('{run}/findings.parquet') a
        FULL JOIN read_csv('{truth}/lists.csv', all_varchar = true) t ON a.list = t.list AND a.id_number = t.id_number
        WHERE a.owner IS DISTINCT FROM t.owner GROUP BY ALL""").fetchall()
    assert wrong == []
    known = {row[0] for row in duckdb.execute(f"SELECT DISTINCT list FROM read_csv('{truth}/lists.csv')").fetchall()}
    assert len(known) >= 8, f"{campaign}: {known}"


def test_nobody_listed_is_without_an_owner_a_reason_or_evidence(compared: tuple[str, Path, Path]) -> None:
    _, run, _ = compared
    bare = duckdb.execute(f"""SELECT count(*) FROM read_parquet('{run}/findings.parquet')
        WHERE coalesce(owner, '') = '' OR coalesce(reason, '') = '' OR coalesce(evidence, '') = ''""").fetchall()
    assert bare == [(0,)]
