"""What people decided of identities is remembered, once, and only people change it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, select

from models.database import transaction
from models.store import identities
from models.store.identities import Decision
from models.tables import IdentityDecision
from tasks.campaign import store_plan
from tasks.decisions import decisions_file

CAMPAIGN = "chengjiang-2021"
NOON, LATER = datetime(2021, 6, 3, 4, tzinfo=UTC), datetime(2021, 7, 3, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def campaign(record: Path) -> None:
    store_plan.fn(CAMPAIGN, NOON)


def told(tx: Connection, *decisions: Decision, at: datetime = NOON) -> int:
    return identities.record(tx, CAMPAIGN, decisions, period="2021-05", by="专班综合岗", at=at)


def standing(tx: Connection) -> dict[tuple[str, str], bool]:
    return {(row["row_key"], row["person_id"]): row["is_same"] for row in identities.standing(tx, CAMPAIGN)}


def test_the_same_answer_twice_is_one() -> None:
    with transaction() as tx:
        assert told(tx, Decision("k1", "P1", True), Decision("k2", "P2", False)) == 2
        assert told(tx, Decision("k1", "P1", True), at=LATER) == 0
        assert standing(tx) == {("k1", "P1"): True, ("k2", "P2"): False}


def test_another_answer_supersedes_and_the_first_is_kept() -> None:
    with transaction() as tx:
        told(tx, Decision("k1", "P1", True))
        assert told(tx, Decision("k1", "P1", False), at=LATER) == 1
        assert standing(tx) == {("k1", "P1"): False}
        assert len(tx.execute(select(IdentityDecision.id)).all()) == 2


def test_a_row_that_is_now_anothers_is_no_longer_the_firsts() -> None:
    with transaction() as tx:
        told(tx, Decision("k1", "P1", True), Decision("k1", "P3", False))
        told(tx, Decision("k1", "P2", True), at=LATER)
        assert standing(tx) == {("k1", "P2"): True, ("k1", "P3"): False}


def test_a_run_is_given_the_decisions_in_force_as_a_file_named_after_them(tmp_path: Path) -> None:
    with transaction() as tx:
        assert decisions_file(tx, CAMPAIGN, tmp_path) is None
        told(tx, Decision("k2", "P2", False), Decision("k1", "P1", True))
        path = decisions_file(tx, CAMPAIGN, tmp_path)
        assert path is not None
        assert pq.read_table(path).to_pylist() == [
            {"row_key": "k1", "person_id": "P1", "is_same": True}, {"row_key": "k2", "person_id": "P2", "is_same": False}]
        assert decisions_file(tx, CAMPAIGN, tmp_path) == path
        told(tx, Decision("k2", "P2", True), at=LATER)
        assert decisions_file(tx, CAMPAIGN, tmp_path) != path
