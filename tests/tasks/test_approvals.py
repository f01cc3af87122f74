"""A release waits for somebody else's decision on exactly its content; the rows decide, however they were written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models.database import transaction
from models.errors import ApprovalMissing, WrongUse
from models.store import findings as store
from tasks import approvals
from tasks.campaign import plan_in_force
from tasks.release import approve, propose, refuse, release
from tests.record.a_life import CAMPAIGN, Life, newest_run


@pytest.fixture
def life(record: Path, tmp_path: Path) -> Life:
    """A run that lists two findings of one owner, proposed for release."""
    made = Life(tmp_path)
    made.run("2021-04", [("uninsured", "a"), ("uninsured", "b")])
    propose.fn(CAMPAIGN, newest_run(), "经办岗", made.now)
    return made


def _newest(life: Life) -> approvals.Proposal:
    found = approvals.newest(CAMPAIGN, life.now)
    assert found is not None
    return found


def _waiting_events() -> list[str]:
    with transaction() as tx:
        return list(tx.execute(text("SELECT subject FROM event WHERE event = 'canbao.approval.waiting' ORDER BY id")).scalars())


def test_a_proposal_waits_and_is_told_once(life: Life) -> None:
    propose.fn(CAMPAIGN, newest_run(), "经办岗", life.now + timedelta(hours=1))
    found = _newest(life)
    assert (found.state, found.findings, found.period) == ("waiting", 2, "2021-04")
    assert found.lists[0][1:] == ("凤麓街道", 2) or found.lists[0][2] == 2
    assert _waiting_events() == [f"release {found.release}"]


def test_who_prepared_it_cannot_approve_it_and_is_told_why(life: Life) -> None:
    found = _newest(life)
    assert "提请岗位不能批准" in approvals.decide(CAMPAIGN, found, True, "经办岗", "", life.now)
    assert _newest(life).state == "waiting"
    assert approvals.decide(CAMPAIGN, found, True, "办公室副主任（审核）", "数量已核对", life.now) == ""
    assert _newest(life).state == "approved"


def test_a_refusal_needs_a_reason_and_holds_as_long_as_the_content_is_the_same(life: Life) -> None:
    found = _newest(life)
    assert "须写明理由" in approvals.decide(CAMPAIGN, found, False, "办公室副主任（审核）", " ", life.now)
    assert approvals.decide(CAMPAIGN, found, False, "办公室副主任（审核）", "凤麓数量有误", life.now) == ""
    propose.fn(CAMPAIGN, found.run, "经办岗", life.now + timedelta(days=30))
    assert _newest(life).state == "refused"
    with pytest.raises(ApprovalMissing, match="凤麓数量有误"):
        release.fn(CAMPAIGN, found.run, life.now)


def test_changed_lists_need_a_decision_of_their_own(life: Life) -> None:
    shown = _newest(life)
    with transaction() as tx:
        tx.execute(text("UPDATE finding SET owner = 'longjie' WHERE subject = 'b'"))
    assert _newest(life).state == "changed"
    assert "有变化" in approvals.decide(CAMPAIGN, shown, True, "办公室副主任（审核）", "", life.now)
    renewed = approvals.propose_what_changed(CAMPAIGN, life.now)
    assert renewed is not None
    assert (renewed.state, renewed.prepared_by) == ("waiting", "经办岗")
    assert approvals.standing(CAMPAIGN, shown.release, life.now).state == "replaced"
    # A form that was opened before decides nothing about what is proposed now.
    assert "新的提请" in approvals.decide(CAMPAIGN, shown, True, "办公室副主任（审核）", "", life.now)
    assert len(_waiting_events()) == 2


@pytest.mark.parametrize(("minutes", "state"), [(0, "waiting"), (1, "lapsed")])
def test_a_proposal_waits_for_the_plans_days_and_not_longer(life: Life, minutes: int, state: str) -> None:
    found = _newest(life)
    ends = found.prepared_at + timedelta(days=plan_in_force(CAMPAIGN).approval.decide_within_days, minutes=minutes)
    assert approvals.standing(CAMPAIGN, found.release, ends).state == state
    if state == "lapsed":
        with pytest.raises(ApprovalMissing, match="within"):
            approve.fn(CAMPAIGN, found.run, "办公室副主任（审核）", ends)
        propose.fn(CAMPAIGN, found.run, "另一经办岗", ends)
        assert approvals.standing(CAMPAIGN, found.release, ends).prepared_by == "另一经办岗"
        assert len(_waiting_events()) == 2


def test_an_expired_approval_is_none_and_the_same_lists_are_proposed_anew(life: Life) -> None:
    found = _newest(life)
    approve.fn(CAMPAIGN, found.run, "办公室副主任（审核）", life.now)
    after = life.now + timedelta(days=plan_in_force(CAMPAIGN).approval.expires_days, minutes=1)
    assert approvals.standing(CAMPAIGN, found.release, after).state == "lapsed"
    with pytest.raises(ApprovalMissing, match="expired"):
        release.fn(CAMPAIGN, found.run, after)
    propose.fn(CAMPAIGN, found.run, "经办岗", after)
    assert approvals.standing(CAMPAIGN, found.release, after).state == "waiting"


def test_what_was_refused_may_be_approved_after_all_and_nothing_is_decided_twice(life: Life) -> None:
    found = _newest(life)
    refuse.fn(CAMPAIGN, found.run, "办公室副主任（审核）", life.now, "请核对")
    approve.fn(CAMPAIGN, found.run, "办公室副主任（审核）", life.now, "已核对")
    assert _newest(life).state == "approved"
    with transaction() as tx:
        store.close_release(tx, found.release, life.now)
    assert _newest(life).state == "released"
    with pytest.raises(WrongUse, match="released already"):
        refuse.fn(CAMPAIGN, found.run, "办公室副主任（审核）", life.now, "太迟")


def test_a_newer_run_replaces_what_waits(life: Life) -> None:
    found = _newest(life)
    life.run("2021-05", [("uninsured", "a")])
    assert approvals.standing(CAMPAIGN, found.release, life.now).state == "replaced"
    assert approvals.newest(CAMPAIGN, life.now) is None
