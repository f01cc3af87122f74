"""An export of persons is in the audit trail before there is a file, with who takes how much for whom and what for."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from canbao.app import purpose_of
from canbao.commands import app
from deployments.backup import backup
from models.database import transaction
from models.errors import StorageUnavailable, WrongUse
from rules.purposes import UNSTATED
from tasks.campaign import store_plan
from tasks.export import export

NOW = datetime(2021, 6, 8, 1, tzinfo=UTC)
CAMPAIGN = "chengjiang-2021"


def _trail() -> list[tuple[str, int, str]]:
    with transaction() as tx:
        return [(row.action, row.count, row.reason) for row in tx.execute(text("SELECT action, count, reason FROM audit ORDER BY id"))]


def test_purpose_receiver_and_rows_stand_there_before_the_file_and_its_hash_after(record: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "清单.csv", list[tuple[str, int, str]]()

    def produce() -> None:
        seen.extend(_trail())
        out.write_bytes(b"rows")

    export(CAMPAIGN, "findings", "2021-05", 7, out, produce, purpose=" 市社保局 7月抽查 ", receiver="市社保局稽核科", as_of=NOW)
    assert seen == [("findings export begun", 7, "市社保局 7月抽查; for 市社保局稽核科")]
    assert _trail()[1:] == [("findings exported", 7, f"sha256 {hashlib.sha256(b'rows').hexdigest()}; 市社保局 7月抽查; for 市社保局稽核科")]


def test_an_export_that_failed_was_begun(record: Path, tmp_path: Path) -> None:
    def produce() -> None:
        raise StorageUnavailable("no room.")

    with pytest.raises(StorageUnavailable):
        export(CAMPAIGN, "links", "2021-05", 7, tmp_path / "x", produce, purpose="市社保局抽查", receiver="", as_of=NOW)
    assert [action for action, _, _ in _trail()] == ["links export begun"]


@pytest.mark.parametrize("purpose", [None, "", "   ", "x", "----", "核查", "aaaaaaa"])
def test_without_a_purpose_nothing_is_written(record: Path, tmp_path: Path, purpose: str | None) -> None:
    with pytest.raises(WrongUse, match="--purpose"):
        export(CAMPAIGN, "findings", "2021-05", 7, tmp_path / "x", lambda: (tmp_path / "x").touch(), purpose=purpose, receiver="", as_of=NOW)
    assert not (tmp_path / "x").exists()
    assert _trail() == []


@pytest.mark.parametrize("command", ["findings", "links", "bench"])
def test_every_full_export_can_be_told_what_it_is_for(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert "--purpose" in shown
    assert "--receiver" in shown


@pytest.mark.parametrize(("given", "environment", "kept"), [
    ("市社保局抽查", {}, "市社保局抽查"), (None, {"CANBAO_PURPOSE": "省厅核查"}, "省厅核查"), (None, {}, UNSTATED),
    (None, {"CANBAO_PURPOSE_REQUIRED": "1"}, None), ("", {}, UNSTATED),
])
def test_a_script_that_says_nothing_is_noted_or_refused_as_the_site_has_it(
    given: str | None, environment: dict[str, str], kept: str | None, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert purpose_of(given) == kept


def test_whoever_sits_at_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "市社保局抽查")
    assert purpose_of(None) == "市社保局抽查"


def test_a_backup_is_in_the_trail_with_its_hash(record: Path, tmp_path: Path) -> None:
    store_plan.fn(CAMPAIGN, NOW)
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    begun, done = _trail()[-2:]
    assert begun[0] == "backup begun"
    assert done[0] == "backup made"
    assert hashlib.sha256(made.read_bytes()).hexdigest() in done[2]
