"""Whoever tries a way that is not open, or a decision that is not theirs, stands in the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from flows.data_comparison import compare_when_complete
from models.database import transaction
from models.errors import CanbaoError, WrongUse
from models.store import findings as store
from tasks import ownership
from tasks.campaign import store_plan
from tasks.submissions import take_return
from tasks.supervision import decide
from tests.record.a_life import CAMPAIGN, Life

NOW = datetime(2021, 6, 8, 1, tzinfo=UTC)


def _refusals() -> list[tuple[str, str]]:
    with transaction() as tx:
        return [(row.action, row.reason) for row in tx.execute(text("SELECT action, reason FROM audit WHERE action LIKE 'not allowed%' ORDER BY id"))]


@pytest.fixture
def campaign(record: Path) -> Path:
    store_plan.fn(CAMPAIGN, NOW)
    return record


@pytest.mark.parametrize("unit", ["../../../X", "/tmp/X", "fenglu/../longjie", "甲某某", ""])
def test_a_workbook_for_a_place_outside_of_the_plan(campaign: Path, tmp_path: Path, unit: str) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"x")
    with pytest.raises(CanbaoError):
        take_return.fn(CAMPAIGN, unit, str(tmp_path / "x.xlsx"), NOW)
    (action, reason), = _refusals()
    assert action == "not allowed: workbook handed in"
    assert not unit or unit not in reason


def test_a_folder_that_files_are_not_taken_from(campaign: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="none that files are taken from"):
        compare_when_complete(CAMPAIGN, "2021-05", NOW, "/etc", "经办岗")
    assert [action for action, _ in _refusals()] == ["not allowed: folder named"]


@pytest.mark.parametrize("by", ["fenglu", "凤麓街道", " FENGLU.", "longjie", "ｌongjie", ""])
def test_a_party_settles_its_own_dispute(record: Path, tmp_path: Path, by: str) -> None:
    life = Life(tmp_path)
    life.run("2021-04", [("uninsured", "a")])
    number = ownership.dispute(CAMPAIGN, life.row(("uninsured", "a"))["id"], "fenglu", "longjie", "户口已迁", life.now)["dispute"]
    with pytest.raises(WrongUse, match="party to this dispute"):
        ownership.settle(CAMPAIGN, number, by, True, "同意", life.now)
    assert [action for action, _ in _refusals()] == ["not allowed: dispute settled"]


@pytest.mark.parametrize("by", ["不存在的岗位", "办公室主任", "root", "市扩面办"])
def test_a_candidate_decided_by_another_post_than_the_plans(campaign: Path, by: str) -> None:
    with transaction() as tx:
        store.propose_candidate(tx, CAMPAIGN, "fenglu", "criticise", "acceptance/2021-10", {}, NOW)
    with pytest.raises(WrongUse, match="领导小组组长"):
        decide(CAMPAIGN, 1, accept=True, by=by, reason="迟报", as_of=NOW)
    assert [action for action, _ in _refusals()] == ["not allowed: candidate decided"]
    assert decide(CAMPAIGN, 1, accept=True, by="领导小组组长", reason="迟报", as_of=NOW)["decision"] == "accepted"
