"""The doctor says what is wrong and what to do, and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments import doctor
from models import database
from models.errors import StorageUnavailable
from tasks.campaign import store_plan
from tasks.sweep import sweep_obligations

CAMPAIGN = "chengjiang-2021"


def _now() -> datetime:
    return database.clock()


def _of(check: str, as_of: datetime) -> list[doctor.Finding]:
    return [finding for finding in doctor.look_over(as_of) if finding.check == check]


def test_a_fresh_installation_is_told_to_start(record: Path) -> None:
    database.engine()
    found = {finding.check: finding for finding in doctor.look_over(_now())}
    assert (found["Prefect"].state, found["Prefect"].cure) == ("mend", "canbao up（或 systemctl start canbao）")
    assert found["数据库"].state == "ok"
    assert found["软件"].state == "ok"
    assert found["方案"].state == "warn"
    assert all(finding.cure for finding in found.values() if finding.state != "ok")


def test_a_campaign_that_nobody_sweeps_must_be_mended(record: Path) -> None:
    now = _now()
    store_plan.fn(CAMPAIGN, now - timedelta(days=3))
    assert "从未巡检" in [finding.says for finding in _of(CAMPAIGN, now) if finding.state == "mend"]
    sweep_obligations.fn(CAMPAIGN, now - timedelta(hours=27))
    assert "27.0 小时前巡检" in [finding.says for finding in _of(CAMPAIGN, now) if finding.state == "mend"]
    sweep_obligations.fn(CAMPAIGN, now - timedelta(hours=1))
    assert "mend" not in {finding.state for finding in _of(CAMPAIGN, now)}


def test_a_clock_that_is_off_is_seen(record: Path) -> None:
    database.engine()
    assert _of("时钟", _now())[0].state == "ok"
    assert _of("时钟", _now() + timedelta(minutes=5))[0].state == "mend"


@pytest.mark.parametrize(("day", "state"), [("2026-09-01", "ok"), ("2026-11-01", "warn"), ("2027-01-01", "mend")])
def test_the_holiday_calendar_runs_out_with_a_warning(day: str, state: str) -> None:
    assert next(doctor._calendar(datetime.fromisoformat(day).replace(tzinfo=UTC))).state == state


def test_a_channel_without_its_address_and_one_that_means_nothing(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_plan.fn(CAMPAIGN, _now())
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "email")
    assert "CANBAO_SMTP_URL" in next(finding for finding in _of("通道", _now()) if finding.state == "mend").says
    monkeypatch.setenv("CANBAO_SMTP_URL", "smtp://mail.example.invalid:25?from=office@example.invalid")
    monkeypatch.setenv("CANBAO_ALARM_URL", "nonsense://x")
    assert "CANBAO_ALARM_URL is no address" in next(finding for finding in _of("通道", _now()) if finding.state == "mend").says


def test_a_database_that_is_down_is_one_finding_not_the_end(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_DATABASE_URL", "postgresql://canbao:secret@127.0.0.1:1/canbao")
    found = doctor.look_over(datetime(2026, 6, 1, tzinfo=UTC))
    (down,) = [finding for finding in found if finding.check == "数据库"]
    assert down.state == "mend"
    assert "does not answer" in down.says
    assert "secret" not in repr(found)
    with pytest.raises(StorageUnavailable):
        database.clock()


def test_what_the_machine_lets_us_use_is_told(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_THREADS", "16")
    monkeypatch.setenv("CANBAO_MEMORY_GB", "64")
    (found,) = _of("机器", _now())
    assert (found.state, found.cure) == ("ok", "")
    assert found.says == "16 个线程，内存 64.0 GB：比对用 32.0 GB，读文件用 9.6 GB；同时接收 16 个文件、运行 16 个流程，写表进程 8 个"


def test_a_setting_that_means_nothing_is_named_with_its_variable(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_THREADS", "abc")
    (found,) = _of("机器", _now())
    assert found.state == "mend"
    assert "CANBAO_THREADS" in found.says
    assert "'abc'" in found.says
    assert found.cure


def test_whatever_others_can_open_is_told_with_its_mode_and_mended(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backups = tmp_path / "backups"
    monkeypatch.setenv("CANBAO_BACKUPS", str(backups))
    home, larger = database.home(), tmp_path / "larger"
    for folder in (backups, larger, home / "chengjiang-2021" / "inbox" / "population"):
        folder.mkdir(parents=True, mode=0o700)
    (home / "chengjiang-2021" / "snapshots").symlink_to(larger)
    (larger / "back").symlink_to(home)
    opened = {home / "errors.log": 0o640, larger / "p.parquet": 0o604, backups / "canbao-20210527T010000Z.tar": 0o644,
              home / "chengjiang-2021" / "inbox" / "population": 0o755}
    for path, mode in opened.items():
        path.touch()
        path.chmod(mode)
    brought = home / "chengjiang-2021" / "inbox" / "population" / "110101199001011234.csv"
    brought.touch(mode=0o644)
    brought.chmod(0o644)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    said = " ".join(entry.says for entry in _of("目录", now) if entry.state == "mend" and entry.cure == "canbao doctor --mend")
    assert all(f"权限 {mode:o}" in said and path.name in said for path, mode in opened.items())
    assert brought.name not in said, "a department's file has the mode that it came with; its folder is closed"
    mended = [entry for entry in doctor.look_over(now, mend=True) if entry.check == "目录"]
    assert [entry.state for entry in mended] == ["ok", "ok"]
    assert [path.stat().st_mode & 0o777 for path in opened] == [0o600, 0o600, 0o600, 0o700]
    assert [entry.state for entry in _of("目录", now)] == ["ok"]


def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("typer==0.0.1 \\\n    --hash=sha256:00\nwindows-only==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n", encoding="utf-8")
    monkeypatch.setattr(doctor, "LOCK", lock)
    assert [(name, want) for name, want, _ in doctor._strayed()] == [("typer", "0.0.1")]
