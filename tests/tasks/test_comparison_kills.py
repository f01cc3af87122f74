"""A comparison whose process is really killed (SIGKILL), at random points, and gone on with by another: the same findings,
each once. ``KILLS=50 pytest tests/tasks/test_comparison_kills.py`` kills as often as one likes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from models.database import transaction
from tests import patience
from tests.conftest import fresh_record
from tests.patience import HANGS_AFTER_SECONDS
from tests.tasks.a_comparison import BEFORE, CAMPAIGN, NOW, accept

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("KILLS", "3"))


@pytest.fixture(scope="module")
def place(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record with accepted deliveries and no run."""
    folder = tmp_path_factory.mktemp("kills")
    with fresh_record(server, folder / "home"):
        accept(folder)
        yield folder


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """New processes that have imported everything already: what is killed is work, not the start of Python."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tasks.comparison", "comparison.identity", "splink"])
    return context


def _compare(environment: dict[str, str]) -> None:
    """One comparison in a process of its own, against the record of the test."""
    os.environ.update(environment)
    from tasks import comparison

    comparison.run_comparison.fn(CAMPAIGN, BEFORE, NOW)


def _begin(processes: ForkServerContext) -> Any:
    environment = {name: os.environ[name] for name in ("CANBAO_HOME", "CANBAO_DATABASE_URL")}
    process = processes.Process(target=_compare, args=(environment,))
    process.start()
    return process


def _recorded() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The findings, what happened to them, and the categories: whatever a run leaves in the record."""
    with transaction() as tx:
        return (
            sorted(map(tuple, tx.execute(text("SELECT list, subject, owner, status, first_seen, evidence FROM finding")))),
            sorted(map(tuple, tx.execute(text("SELECT event, count(*) FROM finding_event GROUP BY event")))),
            sorted(map(tuple, tx.execute(text("SELECT organisation, category, persons FROM category_count")))),
        )


def _until_it_is_let_go() -> None:
    """The server notices a client's death by itself, a moment later."""
    def is_free() -> bool:
        with transaction() as tx:
            return not tx.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar_one()

    patience.until(is_free, "a dead process still holds the period", pause_seconds=0.02)


def test_killed_for_real_at_random_points_and_gone_on_with_the_record_is_the_same(
    place: Path, processes: ForkServerContext,
) -> None:
    whole = _begin(processes)
    began = time.monotonic()
    whole.join(HANGS_AFTER_SECONDS)
    lasts = time.monotonic() - began
    assert whole.exitcode == 0
    undisturbed = _recorded()
    assert undisturbed[0]
    chance, kills = random.Random(50), 0
    while kills < KILLS:
        with transaction() as tx:
            tx.execute(text("TRUNCATE run, finding CASCADE"))
        while True:
            process = _begin(processes)
            process.join(chance.uniform(0, lasts) if kills < KILLS else HANGS_AFTER_SECONDS)
            if process.exitcode is not None:
                assert process.exitcode == 0
                break
            process.kill()
            process.join()
            kills += 1
            _until_it_is_let_go()
        assert _recorded() == undisturbed
        assert not list(place.rglob("*.part")), "half a table lies about"
