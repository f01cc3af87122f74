"""Whoever can write to the database, but has no key, changes nothing in the audit trail that is not found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from canbao.commands import app
from deployments.backup import backup, restore
from models import database, trail_key
from models.database import transaction
from models.errors import StorageUnavailable, WrongUse
from models.store import audit
from models.store.audit import Verdict
from tests.losses import lose_everything

NOW = datetime(2021, 5, 27, 1, tzinfo=UTC)
ROWS = 12
SET = "UPDATE audit SET"


def _write(rows: int = 1, actor: str = "经办岗") -> None:
    for number in range(rows):
        with transaction() as tx:
            audit.audit(tx, "chengjiang-2021", at=NOW + timedelta(minutes=number), actor=actor, action="findings exported",
                        subject="2021-05", count=number, reason="核查")


@pytest.fixture
def trail(record: Path) -> Path:
    """A home with a trail of twelve rows."""
    _write(ROWS)
    return record


def _verify(told: str = "") -> Verdict:
    with transaction() as tx:
        return audit.verify(tx, told)


def _whats(verdict: Verdict) -> str:
    return " · ".join(flaw.what for flaw in verdict.flaws)


def _behind_its_back(work: Callable[[Connection], object]) -> None:
    """What somebody does who is superuser of the database: the triggers are off meanwhile, and on again after."""
    with transaction() as tx:
        tx.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        work(tx)
        for name in audit._GUARDS:
            tx.execute(text(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {name}"))


def _sql(*statements: str) -> None:
    _behind_its_back(lambda tx: [tx.execute(text(statement)) for statement in statements])


def test_a_trail_that_nobody_touched_is_whole_and_says_where_it_ends(trail: Path) -> None:
    verdict = _verify()
    assert (verdict.is_whole, verdict.rows) == (True, ROWS)
    assert verdict.ends_at.startswith(f"{ROWS}:")
    assert _verify(verdict.ends_at).is_whole
    assert (trail / "audit.key").stat().st_mode & 0o777 == 0o600
    assert (trail / "audit.head").stat().st_mode & 0o777 == 0o600


def test_an_empty_trail_is_whole(record: Path) -> None:
    assert _verify().is_whole
    assert not (record / "audit.key").exists(), "looking makes nothing"


COPY = "INSERT INTO audit (id, campaign_id, at, actor, action, subject, count, reason, previous, digest) SELECT"
MANIPULATIONS: dict[str, tuple[tuple[str, ...], int | None, str]] = {
    "who did it": ((f"{SET} actor = '审批岗' WHERE id = 5",), 5, "row 5 was changed"),
    "how many": ((f"{SET} count = 0 WHERE id = 7",), 7, "row 7 was changed"),
    "when": ((f"{SET} at = at - interval '1 microsecond' WHERE id = 3",), 3, "row 3 was changed"),
    "a letter of the reason moved into the subject": ((f"{SET} subject = subject || '核', reason = '查' WHERE id = 4",), 4, "row 4 was changed"),
    "the first row taken away": (("DELETE FROM audit WHERE id = 1",), 1, "row 1 missing"),
    "a row in the middle taken away": (("DELETE FROM audit WHERE id = 6",), 6, "row 6 missing"),
    "several taken away": (("DELETE FROM audit WHERE id IN (6, 7, 8)",), 6, "rows 6 to 8 missing"),
    "taken away, and the others moved up": (("DELETE FROM audit WHERE id = 6", f"{SET} id = id - 1 WHERE id > 6"), 6, "row 6"),
    "taken away, moved up, and linked again": (
        ("DELETE FROM audit WHERE id = 6", f"{SET} id = id - 1 WHERE id > 6",
         f"{SET} previous = (SELECT digest FROM audit WHERE id = 5) WHERE id = 6"), 6, "row 6 was changed"),
    "two rows changed places": (
        (f"{SET} id = -5 WHERE id = 5", f"{SET} id = 5 WHERE id = 6", f"{SET} id = 6 WHERE id = -5"), 5, "row 5 does not follow"),
    "a row put in at the end": ((f"{COPY} 13, campaign_id, at, actor, action, subject, count, reason, digest, 'x' FROM audit WHERE id = 12",),
                                13, "row 13 carries no proof"),
    "a row of before repeated at the end": (
        (f"{COPY} 13, campaign_id, at, actor, action, subject, count, reason, previous, digest FROM audit WHERE id = 2",), 13, "row 13"),
    "a row put in before the first": (
        (f"{COPY} 0, campaign_id, at, actor, action, subject, count, reason, '', 'x' FROM audit WHERE id = 1",), 0, "row 0"),
    "proven as it was done before there was a key": (
        (f"{SET} digest = encode(sha256(convert_to(concat_ws('|', previous, campaign_id, at, actor, action, subject, count, reason), 'UTF8')), "
         "'hex') WHERE id = 12",), 12, "row 12 carries no proof"),
    "the last row taken away": (("DELETE FROM audit WHERE id = 12",), 12, "rows 12 to 12 are missing at the end"),
    "the last ten taken away": (("DELETE FROM audit WHERE id > 2",), 3, "rows 3 to 12 are missing at the end"),
    "all of them taken away": (("DELETE FROM audit",), 1, "all 12 rows are gone"),
    "emptied": (("TRUNCATE audit",), 1, "all 12 rows are gone"),
}


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_what_was_done_to_the_table_is_found_with_its_first_row(trail: Path, name: str) -> None:
    statements, row, says = MANIPULATIONS[name]
    _sql(*statements)
    verdict = _verify()
    assert not verdict.is_whole
    assert verdict.flaws[0].row == row
    assert says in _whats(verdict)
    # Going on working covers nothing.
    _write()
    assert not _verify().is_whole


def test_a_table_that_is_gone_is_found(trail: Path) -> None:
    with transaction() as tx:
        tx.execute(text("DROP TABLE audit"))
    assert "the whole table is gone" in _whats(_verify())


def test_a_table_whose_guards_are_off_is_found(trail: Path) -> None:
    with transaction() as tx:
        tx.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_refuses_change"))
    assert "audit_refuses_change is off" in _whats(_verify())
    with transaction() as tx:
        tx.execute(text("DROP TRIGGER audit_refuses_truncate ON audit"))
    assert "audit_refuses_truncate is off or gone" in _whats(_verify())


def test_a_head_that_was_put_back_is_found(trail: Path) -> None:
    old = (trail / "audit.head").read_bytes()
    _write(2)
    (trail / "audit.head").write_bytes(old)
    assert "it was put back" in _whats(_verify())
    _write()
    assert "an earlier loss is on record" in _whats(_verify()), "the next row keeps what the head told"


def test_a_head_that_was_taken_away_is_found(trail: Path) -> None:
    (trail / "audit.head").unlink()
    assert "the head file is gone" in _whats(_verify())
    _write()
    assert "there was no head" in _whats(_verify())


def test_a_head_that_was_changed_is_found(trail: Path) -> None:
    path = trail / "audit.head"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["known"]["last"] = found["intended"]["last"] = 2
    path.write_text(json.dumps(found), encoding="utf-8")
    assert "the head file is not ours" in _whats(_verify())
    path.write_text("{", encoding="utf-8")
    assert "the head file is not ours" in _whats(_verify())
    _write()
    assert "an earlier loss is on record" in _whats(_verify())


def test_head_and_table_put_back_together_are_found_against_a_head_that_was_told(trail: Path) -> None:
    old = (trail / "audit.head").read_bytes()
    _write(3)
    told = _verify().ends_at
    _sql(f"DELETE FROM audit WHERE id > {ROWS}")
    (trail / "audit.head").write_bytes(old)
    assert _verify().is_whole, "nothing on this machine tells"
    assert f"the head that was told ({told}) stands nowhere" in _whats(_verify(told))
    _write(3, actor="审批岗")
    assert "stands nowhere" in _whats(_verify(told)), "as many rows, and others"


def test_rows_under_a_foreign_key_are_found(trail: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_AUDIT_KEY", "f" * 64)
    _write()
    monkeypatch.delenv("CANBAO_AUDIT_KEY")
    assert "row 13 was written under another key" in _whats(_verify())


def test_a_key_that_is_gone_is_not_made_anew(trail: Path) -> None:
    (trail / "audit.key").unlink()
    assert "nothing can be proven" in _whats(_verify())
    with pytest.raises(StorageUnavailable, match="Put it back from the backup"):
        _write()
    (trail / "audit.head").unlink()
    with pytest.raises(StorageUnavailable, match="key of the audit trail"):
        _write()
    assert not (trail / "audit.key").exists()


def test_a_key_from_outside_leaves_none_in_the_home_and_may_not_be_short(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_AUDIT_KEY", "geheim")
    with pytest.raises(WrongUse, match="fewer than 32"):
        _write()
    monkeypatch.setenv("CANBAO_AUDIT_KEY", "0123456789abcdef" * 4)
    _write(2)
    assert not (record / "audit.key").exists()
    assert _verify().is_whole


@pytest.mark.parametrize("statement", [
    "UPDATE audit SET actor = '甲' WHERE id = 1", "DELETE FROM audit", "DELETE FROM audit WHERE id = 0", "TRUNCATE audit",
    "UPDATE audit SET reason = reason", "SET LOCAL session_replication_role = replica; DELETE FROM audit",
])
def test_the_table_is_only_added_to(trail: Path, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only added to"), transaction() as tx:
        tx.execute(text(statement))
    assert _verify().is_whole


HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "handbook"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_handbooks_role_can_work_and_cannot_change_the_trail(trail: Path, language: str) -> None:
    recipe = re.search(r"```sql\n(.*?)```", (HANDBOOK / language / "administrator.md").read_text(encoding="utf-8"), re.DOTALL)
    assert recipe is not None
    name = database.url().rpartition("/")[2].partition("?")[0]
    statements = recipe[1].replace("canbao, canbao_prefect", name).replace("canbao_app", f"app_{name}")
    with transaction() as tx:
        tx.execute(text(statements))
        tx.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))  # what the role may do, whatever the triggers say
    try:
        with transaction() as tx:
            tx.execute(text(f"SET LOCAL ROLE app_{name}"))
            audit.audit(tx, "chengjiang-2021", at=NOW, actor="经办岗", action="x", subject="", count=1, reason="")
        for statement in ("UPDATE audit SET actor = '甲'", "DELETE FROM audit", "TRUNCATE audit", "ALTER TABLE audit DISABLE TRIGGER ALL"):
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), transaction() as tx:
                tx.execute(text(f"SET LOCAL ROLE app_{name}; {statement}"))
    finally:
        with transaction() as tx:
            tx.execute(text(f"DROP OWNED BY app_{name}; DROP ROLE app_{name}"))
    assert {flaw.row for flaw in _verify().flaws} == {None}, "nothing but the triggers"


def test_what_is_rolled_back_leaves_no_gap_and_no_claim(trail: Path) -> None:
    with transaction() as tx:
        audit.audit(tx, "chengjiang-2021", at=NOW, actor="甲岗", action="plan stored", subject="", count=1, reason="")
        tx.rollback()
    assert _verify().is_whole
    _write()
    assert (_verify().is_whole, _verify().rows) == (True, ROWS + 1)


def test_a_process_that_dies_around_its_commit_raises_no_false_alarm(trail: Path) -> None:
    with transaction() as tx:
        before = audit.end(tx)
    # Died between writing its intention and committing.
    trail_key.intend(before, trail_key.End(before.last + 1, "0:0"), NOW.isoformat())
    assert _verify().is_whole
    _write()
    # Died between committing and confirming.
    head = trail_key.read_head()
    assert head is not None
    trail_key._put(replace(head, known=before))
    assert _verify().is_whole
    _write()
    assert _verify().is_whole


def test_rows_of_the_time_before_there_was_a_key_stay_proven_by_their_chain(record: Path) -> None:
    with transaction() as tx:
        tx.execute(text("SET LOCAL TimeZone = 'UTC'"))
        previous = ""
        for number in (2, 3, 7):  # numbers had gaps then
            row = {"id": number, "campaign_id": "c", "at": NOW, "actor": "甲岗", "action": "x", "subject": "", "count": 1, "reason": "",
                   "previous": previous}
            previous = audit.hashlib.sha256(audit._content_before_keys(row).encode()).hexdigest()
            tx.execute(text("INSERT INTO audit (id, campaign_id, at, actor, action, subject, count, reason, previous, digest) VALUES "
                            "(:id, :campaign_id, :at, :actor, :action, :subject, :count, :reason, :previous, :digest)"), {**row, "digest": previous})
    assert _verify().is_whole
    _write(2)
    assert _verify().is_whole
    _sql("UPDATE audit SET count = 2 WHERE id = 3")
    assert _verify().flaws[0].what == "row 3 was changed"


def test_many_at_once_append_one_after_the_other(record: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _write(5), range(4)))
    verdict = _verify()
    assert (verdict.is_whole, verdict.rows) == (True, 20)


def test_the_command_says_which_row_what_to_do_and_answers_no(trail: Path) -> None:
    runner = CliRunner()
    well = runner.invoke(app, ["audit", "verify", "--json"])
    assert (well.exit_code, json.loads(well.stdout)["whole"]) == (0, True)
    _sql("UPDATE audit SET count = 99 WHERE id = 7")
    ill = runner.invoke(app, ["audit", "verify"])
    assert ill.exit_code == 1
    assert "row 7 was changed" in ill.output
    assert "canbao restore" in ill.output


def test_after_a_restore_it_is_whole_and_says_so_itself(trail: Path, server: URL, tmp_path: Path) -> None:
    told = _verify().ends_at
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    _sql("DELETE FROM audit WHERE id > 4", "UPDATE audit SET actor = '甲' WHERE id = 2")
    assert not _verify().is_whole
    lose_everything(trail, server)
    back = restore(made, NOW)
    assert (back["audit_whole"], back["audit_flaws"]) == (True, [])
    assert _verify().is_whole
    assert _verify(told).is_whole, "what was told before the backup stands in it"
    with transaction() as tx:
        last = tx.execute(text("SELECT action, subject, reason FROM audit ORDER BY id DESC LIMIT 1")).one()
    assert (last.action, last.subject) == ("backup restored", made.name)
    assert "the trail ended at 13:" in last.reason
    _write()
    assert _verify().is_whole


def test_a_backup_of_a_changed_trail_comes_back_and_says_that_it_is_not_whole(trail: Path, server: URL, tmp_path: Path) -> None:
    _sql("UPDATE audit SET actor = '甲' WHERE id = 2")
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    lose_everything(trail, server)
    assert restore(made, NOW)["audit_flaws"] == ["row 2 was changed"]
    assert not _verify().is_whole


def test_a_backup_whose_key_is_kept_elsewhere_needs_it(record: Path, server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_AUDIT_KEY", "0123456789abcdef" * 4)
    _write(3)
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    lose_everything(record, server)
    monkeypatch.delenv("CANBAO_AUDIT_KEY")
    with pytest.raises(StorageUnavailable, match="set CANBAO_AUDIT_KEY as before"):
        restore(made, NOW)
