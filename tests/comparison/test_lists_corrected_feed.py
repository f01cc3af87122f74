"""A feed that is corrected gives exactly the difference it makes: nobody else's finding moves."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from comparison.plan_check import load_sound
from models.database import transaction
from rehearsal.simulate import simulate
from tasks.campaign import store_plan
from tasks.comparison import run_comparison
from tasks.doors import waiting_files
from tasks.intake import take_in

CAMPAIGN, PERIOD, FEED = "chengjiang-2021", "2021-04", "resident_pension"
NOW = datetime(2021, 5, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
LEFT_OUT = 40


def _findings() -> dict[tuple[str, str], tuple[str, str]]:
    with transaction() as tx:
        rows = tx.execute(text("SELECT list, id_number, status, owner FROM finding")).all()
    return {(row.list, row.id_number): (row.status, row.owner) for row in rows}


def _without_some(path: Path, kept: Path) -> set[str]:
    """Leaves lines out of a text file; the numbers of the persons on them."""
    shutil.copy2(path, kept)
    lines = path.read_bytes().decode("gb18030").splitlines(keepends=True)
    path.write_bytes("".join([lines[0], *lines[1 + LEFT_OUT:]]).encode("gb18030"))
    return {line.split(",")[0].strip('"') for line in lines[1:1 + LEFT_OUT]}


def _run(at: datetime) -> dict[str, Any]:
    return dict(run_comparison.fn(CAMPAIGN, PERIOD, at))


@pytest.mark.long
def test_a_corrected_feed_moves_only_whom_it_speaks_of(record: Path, tmp_path: Path) -> None:
    loaded = load_sound(CAMPAIGN)
    simulate(loaded, persons=2_500, seed=3, periods=[PERIOD], out=tmp_path)
    store_plan.fn(CAMPAIGN, NOW)
    faulty = next((tmp_path / "inbox" / FEED / PERIOD).iterdir())
    whole = tmp_path / faulty.name
    spoken_of = _without_some(faulty, whole)
    for feed, path, _ in waiting_files(CAMPAIGN, tmp_path / "inbox", PERIOD):
        assert take_in.fn(CAMPAIGN, feed, PERIOD, str(path), NOW)["verdict"] != "returned"
    first = _run(NOW)
    before = _findings()
    shutil.copy2(whole, faulty)
    assert take_in.fn(CAMPAIGN, FEED, PERIOD, str(faulty), NOW + timedelta(days=1))["verdict"] != "returned"
    second = _run(NOW + timedelta(days=1))
    after = _findings()

    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed
    assert {number for _, number in changed} <= spoken_of
    events = second["events"]
    assert events["withdrawn"] + events.get("new", 0) == len(changed)
    assert events["persisting"] == sum(first["events"].values()) - events["withdrawn"]
    assert _run(NOW + timedelta(days=1))["new"] is False
