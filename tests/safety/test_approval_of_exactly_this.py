"""An approval counts for every cell that is printed, by a post that the plan lets approve, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.database import transaction
from models.errors import ApprovalMissing, CanbaoError, WrongUse
from models.store import findings as store
from models.store.audit import audit_is_whole
from tasks import approvals
from tasks.release import approve, propose, refuse, release
from tests.record.a_life import CAMPAIGN, Life, newest_run

APPROVER, PREPARER = "办公室副主任（审核）", "prep"
PERSONS = "abcde"
DETAILS = ("sex", "age_years", "township", "village", "address", "phone", "employer_code", "employer_name")


@pytest.fixture
def life(record: Path, tmp_path: Path) -> Life:
    """A run that lists five findings with what its files say beside them, proposed and approved."""
    made = Life(tmp_path)
    made.run("2021-04", [("uninsured", subject) for subject in PERSONS])
    _files(tmp_path)
    with transaction() as tx:
        tx.execute(text("UPDATE run SET folder = :folder"), {"folder": str(tmp_path)})
    propose.fn(CAMPAIGN, newest_run(), PREPARER, made.now)
    return made


def _files(folder: Path, **changed: object) -> None:
    rows = [{"list": "uninsured", "subject": subject, "sex": "F", "age_years": 40, "township": "fenglu", "village": "一社区",
             "address": f"{subject} 号",
             "phone": "1", "employer_code": "", "employer_name": ""} for subject in PERSONS]
    rows[2] |= changed
    pq.write_table(pa.Table.from_pylist(rows), folder / "findings.parquet")


def _refusals() -> list[tuple[str, str]]:
    with transaction() as tx:
        assert audit_is_whole(tx)
        return [(row.actor, row.action) for row in tx.execute(text("SELECT actor, action FROM audit WHERE action LIKE 'not allowed%' ORDER BY id"))]


def _approved(life: Life) -> int:
    approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now)
    return newest_run()


ATTEMPTS = ["prep", "prep ", "prep\u2009", "prep\u200b", "PREP", "ｐｒｅｐ", "рrеp", "p.r-e_p", "pre\u0301p",
            "不存在的岗位", "审批岗", "root", "canbao",
            "办公室经办", "办公室主任", "office", "领导小组组长", "演练审批岗", "gov", "市扩面办"]


def test_nobody_else_approves_under_whatever_name_and_each_attempt_is_in_the_trail(life: Life) -> None:
    for by in ATTEMPTS:
        with pytest.raises(ApprovalMissing):
            approve.fn(CAMPAIGN, newest_run(), by, life.now)
    assert _refusals() == [(by, "not allowed: release approved") for by in ATTEMPTS]
    with pytest.raises(ApprovalMissing, match="not approved"):
        release.fn(CAMPAIGN, newest_run(), life.now)


@pytest.mark.parametrize("by", ["", "   "])
def test_nobody_is_nobody(life: Life, by: str) -> None:
    with pytest.raises(WrongUse, match="nobody is named"):
        approve.fn(CAMPAIGN, newest_run(), by, life.now)
    assert len(_refusals()) == 1


def test_whoever_may_not_approve_may_not_refuse_either(life: Life) -> None:
    with pytest.raises(ApprovalMissing, match="办公室副主任（审核）"):
        refuse.fn(CAMPAIGN, newest_run(), "不存在的岗位", life.now, "不同意")
    assert _refusals() == [("不存在的岗位", "not allowed: release refused")]


def test_a_rehearsals_post_proposes_nothing_in_a_campaign(life: Life) -> None:
    with pytest.raises(WrongUse, match="rehearsal's post"):
        propose.fn(CAMPAIGN, newest_run(), "演练经办岗", life.now)
    assert _refusals() == [("演练经办岗", "not allowed: release proposed")]


def test_an_approver_written_into_the_record_has_not_passed_the_approval(life: Life) -> None:
    with transaction() as tx:
        tx.execute(text("UPDATE release SET approved_by = 'prep ', approved_at = now(), expires_at = '2999-01-01'"))
    with pytest.raises(ApprovalMissing, match="preparer cannot approve"):
        release.fn(CAMPAIGN, newest_run(), life.now)


CHANGES: dict[str, Callable[[Path], object]] = {
    **{column: lambda folder, column=column: _files(folder, **{column: 41 if column == "age_years" else "longjie" if column == "township" else "9"})
       for column in DETAILS},
}
IN_THE_RECORD = {
    "name": "name = '乙'", "number": "id_number = '9'", "evidence": "evidence = '别的'", "co_owners": "co_owners = '{gongan}'",
    "history": "status = 'contradicted'", "owner": "owner = 'longjie'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_cell_changed_in_the_runs_file_after_the_approval_is_not_released(life: Life, tmp_path: Path, column: str) -> None:
    run = _approved(life)
    CHANGES[column](tmp_path)
    with pytest.raises(ApprovalMissing, match="1 of 5 rows say something else, 0 are new, 0 are gone") as refused:
        release.fn(CAMPAIGN, run, life.now)
    assert "have it approved" in str(refused.value)
    assert _refusals()[-1][1] == "not allowed: rosters released"


@pytest.mark.parametrize("column", IN_THE_RECORD)
def test_a_cell_changed_in_the_record_after_the_approval_is_not_released(life: Life, column: str) -> None:
    run = _approved(life)
    with transaction() as tx:
        tx.execute(text(f"UPDATE finding SET {IN_THE_RECORD[column]} WHERE subject = 'c'"))
    with pytest.raises(ApprovalMissing, match="1 of 5 rows say something else"):
        release.fn(CAMPAIGN, run, life.now)
    found = approvals.newest(CAMPAIGN, life.now)
    assert found is not None
    assert found.state == "changed"


def test_rows_that_are_gone_or_new_are_counted(life: Life) -> None:
    run = _approved(life)
    with transaction() as tx:
        tx.execute(text("UPDATE finding SET status = 'excused' WHERE subject IN ('a', 'b')"))
    with pytest.raises(ApprovalMissing, match="0 of 5 rows say something else, 0 are new, 2 are gone"):
        release.fn(CAMPAIGN, run, life.now)


def test_files_that_are_gone_are_a_change(life: Life, tmp_path: Path) -> None:
    run = _approved(life)
    (tmp_path / "findings.parquet").unlink()
    with pytest.raises(ApprovalMissing, match="5 of 5 rows say something else"):
        release.fn(CAMPAIGN, run, life.now)


def test_what_nobody_changed_is_released(life: Life, record: Path) -> None:
    assert release.fn(CAMPAIGN, _approved(life), life.now) == {"release": 1, "rosters": 1, "findings": 5, "new": True}
    assert len(list((record / CAMPAIGN / "rosters").rglob("*.xlsx"))) == 1


def test_every_decision_is_a_row_of_its_own_with_who_when_and_which_content(life: Life) -> None:
    run = newest_run()
    refuse.fn(CAMPAIGN, run, APPROVER, life.now, "请核对")
    approve.fn(CAMPAIGN, run, "office:approver", life.now, "已核对")
    approve.fn(CAMPAIGN, run, APPROVER, life.now, "再次核对")
    with transaction() as tx:
        proposal = store.release_of(tx, CAMPAIGN, run)
        assert proposal is not None
        rows = store.decisions(tx, proposal["id"])
    assert [(row["decision"], row["decided_by"], row["reason"]) for row in rows] == [
        ("refused", APPROVER, "请核对"), ("approved", "office:approver", "已核对"), ("approved", APPROVER, "再次核对")]
    assert {row["content_sha256"] for row in rows} == {proposal["content_sha256"]}
    assert proposal["approved_by"] == APPROVER


@pytest.mark.parametrize("statement", ["UPDATE release_decision SET decided_by = '甲'", "DELETE FROM release_decision"])
def test_a_decision_stands_as_it_was_made(life: Life, statement: str) -> None:
    _approved(life)
    with pytest.raises(DBAPIError, match="stands as it was made"), transaction() as tx:
        tx.execute(text(statement))


def test_a_refused_attempt_is_told_without_keeping_a_long_text(life: Life) -> None:
    with pytest.raises(CanbaoError):
        approve.fn(CAMPAIGN, newest_run(), "甲" * 500, life.now)
    assert _refusals() == [("甲" * 60, "not allowed: release approved")]
