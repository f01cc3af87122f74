"""A backup comes back whole, and never over anything that exists."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text

from deployments.backup import _unpack, backup, latest, restore
from models import database
from models.errors import CanbaoError, WrongUse
from models.store import campaigns
from tasks.campaign import folder, store_plan
from tasks.obligations import make_obligations
from tests.losses import lose_everything

CAMPAIGN = "chengjiang-2021"
NOW = datetime(2021, 5, 27, 1, tzinfo=UTC)


@pytest.fixture
def filled(record: Path) -> Path:
    """A home with a record, a document and a private file."""
    store_plan.fn(CAMPAIGN, NOW)
    make_obligations.fn(CAMPAIGN, NOW)
    (folder(CAMPAIGN, "rosters") / "凤麓街道.xlsx").write_bytes(b"roster")
    secret = folder(CAMPAIGN, "snapshots") / "population.parquet"
    secret.write_bytes(b"persons")
    secret.chmod(0o600)
    (record / "prefect-server.log").write_text("noise")
    return record


def _counts() -> tuple[Any, ...]:
    with database.transaction() as tx:
        return tuple(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in ("obligation", "audit", "plan_version"))


def test_what_was_lost_comes_back_whole(filled: Path, server: URL, tmp_path: Path) -> None:
    before = _counts()
    made = backup(tmp_path / "backups", NOW)
    lose_everything(filled, server)
    back = restore(Path(made["backup"]), NOW)
    assert (back["files"], back["history"]) == (3, False), "two, and the key of the audit trail"
    obligations, audited, versions = _counts()
    assert (obligations, versions) == (before[0], before[2])
    assert audited == before[1] + 2, "that it was begun to be made, and that it came back"
    assert before[0] > 100
    with database.transaction() as tx:
        assert campaigns.audit_is_whole(tx)
    assert (filled / CAMPAIGN / "rosters" / "凤麓街道.xlsx").read_bytes() == b"roster"
    assert (filled / CAMPAIGN / "snapshots" / "population.parquet").stat().st_mode & 0o777 == 0o600
    assert not (filled / "prefect-server.log").exists()


def test_a_backup_is_private_and_holds_its_own_checksums(filled: Path, tmp_path: Path) -> None:
    path = Path(backup(tmp_path / "backups", NOW)["backup"])
    assert path.name == "canbao-20210527T010000Z.tar"
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        assert {"record.dump", "manifest.json"} <= set(archive.getnames())
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_only_the_newest_stay_where_so_many_are_kept(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_BACKUPS", str(tmp_path / "backups"))
    assert latest() is None
    for day in range(3):
        made = backup(tmp_path / "backups", NOW + timedelta(days=day), keep=2)
    assert made["removed"] == 1
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == ["canbao-20210528T010000Z.tar", "canbao-20210529T010000Z.tar"]
    assert latest() == NOW + timedelta(days=2)


def test_nothing_that_exists_is_written_over(filled: Path, tmp_path: Path) -> None:
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    with pytest.raises(WrongUse, match="not empty"):
        restore(made, NOW)
    shutil.rmtree(filled / CAMPAIGN)
    with pytest.raises(WrongUse, match="holds a record already"):
        restore(made, NOW)


def test_a_backup_of_another_home_is_refused_with_what_to_do(filled: Path, server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(WrongUse, match=f"Set CANBAO_HOME={filled}"):
        restore(made, NOW)


def test_a_file_that_is_no_backup_is_refused(record: Path, tmp_path: Path) -> None:
    other = tmp_path / "holiday.tar"
    other.write_bytes(b"no archive")
    with pytest.raises(WrongUse, match="no backup"):
        restore(other, NOW)
    with pytest.raises(WrongUse, match="no such file"):
        restore(tmp_path / "nowhere.tar", NOW)


def test_a_damaged_dump_is_found_before_anything_is_restored(filled: Path, server: URL, tmp_path: Path) -> None:
    made = Path(backup(tmp_path / "backups", NOW)["backup"])
    content = made.read_bytes()
    place = content.index(b"PGDMP") + 2000
    made.write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4:])
    lose_everything(filled, server)
    with pytest.raises(CanbaoError, match=r"record\.dump is damaged"):
        restore(made, NOW)
    assert database.is_empty()


def _archive(place: Path, *members: tuple[str, bytes, dict[str, Any]]) -> Path:
    """An archive with members of any kind, as somebody who means harm would make it."""
    with tarfile.open(place, "w") as archive:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in kind.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return place


@pytest.mark.parametrize(("name", "kind"), [
    ("files/../../outside", {}), ("/tmp/canbao-outside", {}), ("files/x", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
    ("files/x", {"type": tarfile.SYMTYPE, "linkname": "../../outside"}), ("files/x", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"}),
    ("files/x", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}), ("files/x", {"type": tarfile.FIFOTYPE}),
], ids=["up", "absolute", "link", "link_up", "hard_link_out", "device", "pipe"])
def test_an_archive_that_leads_elsewhere_is_refused_and_nothing_is_written(record: Path, tmp_path: Path, name: str, kind: dict[str, Any]) -> None:
    database.home()
    made = _archive(tmp_path / "canbao-20210527T010000Z.tar", ("files", b"", {"type": tarfile.DIRTYPE}), (name, b"", kind))
    before = set(tmp_path.rglob("*"))
    with pytest.raises(WrongUse):
        restore(made, NOW)
    assert set(tmp_path.rglob("*")) == before
    assert not Path("/tmp/canbao-outside").exists()


def test_no_file_comes_back_with_more_than_reading_and_writing(record: Path, tmp_path: Path) -> None:
    made = _archive(tmp_path / "a.tar", ("x", b"#!", {"mode": 0o6777}), ("folder", b"", {"type": tarfile.DIRTYPE, "mode": 0o7777}),
                    ("folder/y", b"y", {"mode": 0o000}))
    with tarfile.open(made) as archive:
        _unpack(archive, tmp_path / "out")
    assert [(tmp_path / "out" / name).stat().st_mode & 0o7777 for name in ("x", "folder", "folder/y")] == [0o600, 0o700, 0o600]


def test_a_folder_on_another_disk_and_files_with_two_names_come_back(filled: Path, server: URL, tmp_path: Path) -> None:
    """A site moves what grows to a larger disk and leaves a link; a run that changes nothing keeps its lists under a second name."""
    larger = tmp_path / "larger"
    shutil.move(str(filled / CAMPAIGN), larger)
    (filled / CAMPAIGN).symlink_to(larger)
    (larger / "round").symlink_to(larger)
    os.link(larger / "rosters" / "凤麓街道.xlsx", larger / "rosters" / "again.xlsx")
    made = backup(tmp_path / "backups", NOW)
    lose_everything(filled, server)
    shutil.rmtree(larger)
    assert restore(Path(made["backup"]), NOW)["files"] == 4
    assert (filled / CAMPAIGN / "rosters" / "again.xlsx").read_bytes() == b"roster"
    assert not (filled / CAMPAIGN).is_symlink()
