"""Fixtures for intake: the plan, and a way to take a file in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.intake import Intake, take
from expectations.normalise import Accounts, Normalised
from expectations.reading import read
from models import contract, plan_file
from models.plan import Feed, Plan


@pytest.fixture(scope="session")
def plan() -> Plan:
    """澄江 2021, with the feeds it does not ask for expected too, so that every contract can be tried."""
    plan = plan_file.read(plan_file.find("chengjiang-2021")).plan
    model = plan.item("feeds", "population")
    expected = {feed.feed for feed in plan.feeds}
    further = ("residence_permits", "newborns", "resident_medical", "maternity", "cards", "statistics")
    added = tuple(
        Feed.model_validate({**model.model_dump(), "feed": name, "providers": ("renshe",)})
        for name in further if name not in expected
    )
    return plan.model_copy(update={"feeds": (*plan.feeds, *added)})


@pytest.fixture
def take_in(plan: Plan, tmp_path: Path) -> Callable[..., Intake]:
    """Take a file in for May 2021."""

    def taken(path: Path, feed: str = "population", **settings: Any) -> Intake:
        given: dict[str, Any] = {
            "plan": plan, "period": "2021-05", "provider": None, "snapshots": tmp_path / "snapshots",
        }
        return take(path, feed=feed, **{**given, **settings})

    return taken


@pytest.fixture
def rows_of() -> Callable[[Path | None], list[dict[str, Any]]]:
    """The rows of a snapshot or quarantine file, in the order in which they stand there."""

    def rows(path: Path | None) -> list[dict[str, Any]]:
        assert path is not None
        found = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    return rows


@pytest.fixture
def normalise(plan: Plan, tmp_path: Path, rows_of: Any) -> Callable[..., tuple[Accounts, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Read and normalise a file without judging it: accounts, accepted rows, quarantined rows."""

    def normalised(path: Path, feed: str = "population") -> tuple[Accounts, list[dict[str, Any]], list[dict[str, Any]]]:
        entry = contract.for_feed(feed)
        with closing(Normalised(read(path, entry), entry, plan, date(2021, 5, 31), path.name)) as rows:
            rows.write_snapshot(tmp_path / "accepted.parquet")
            rows.write_quarantine(tmp_path / "quarantined.parquet")
            return rows.accounts(), rows_of(tmp_path / "accepted.parquet"), rows_of(tmp_path / "quarantined.parquet")

    return normalised
