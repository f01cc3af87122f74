"""What goes wrong says what, where and what to do; nothing is half done; no traceback reaches anybody."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command_line import canbao
from tests.plan.whole import whole_text


@pytest.fixture(scope="module")
def mobilised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(CANBAO_HOME with 澄江 in force, a folder with its April files)."""
    folder = tmp_path_factory.mktemp("errors")
    assert canbao(folder / "home", "mobilise", "chengjiang-2021", "--as-of", "2021-03-18T08:00:00+08:00").returncode == 0
    made = canbao(folder / "home", "simulate", "chengjiang-2021", "--persons", "1500", "--periods", "2021-04", "--out", str(folder))
    assert made.returncode == 0, made.stderr
    return folder / "home", folder / "inbox"


def _refused(home: Path, *arguments: str, code: int) -> str:
    done = canbao(home, *arguments)
    assert done.returncode == code, (done.returncode, done.stderr, done.stdout)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_an_unknown_campaign_names_those_there_are(tmp_path: Path) -> None:
    assert "chengjiang-2021" in _refused(tmp_path, "calendar", "nowhere-2030", code=2)


def test_a_bad_plan_starts_nothing_and_lists_its_faults(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    source = whole_text("chengjiang-2021")
    broken = source.replace("office: office", "office: nobody", 1).replace("day: 2\n", "day: 31\n", 1)
    plan.write_text(broken, encoding="utf-8")
    said = _refused(tmp_path / "home", "rehearse", str(plan), code=1)
    assert "nobody" in said
    assert "last_day" in said
    assert not (tmp_path / "home" / "postgres").exists()


def test_a_command_before_mobilisation_says_how_to_start(tmp_path: Path) -> None:
    assert "canbao rehearse" in _refused(tmp_path / "home", "status", "chengjiang-2021", code=2)


def test_a_missing_file_is_named_by_feed_and_provider(mobilised: tuple[Path, Path], tmp_path: Path) -> None:
    home, inbox = mobilised
    partial = tmp_path / "inbox"
    shutil.copytree(inbox / "deaths", partial / "deaths")
    taken = canbao(home, "intake", "chengjiang-2021", "--inbox", str(partial), "--period", "2021-04", "--as-of",
                   "2021-05-08T09:00+08:00")
    assert taken.returncode == 0, taken.stderr
    said = _refused(home, "compare", "chengjiang-2021", "--period", "2021-04", "--as-of", "2021-05-20T09:00+08:00", code=1)
    assert "population/gongan" in said
    assert "deaths" not in said


def test_a_wrong_column_is_returned_with_what_to_write(mobilised: tuple[Path, Path], tmp_path: Path) -> None:
    home, inbox = mobilised
    source = next((inbox / "employee_pension" / "2021-04").iterdir())
    target = tmp_path / "inbox" / "employee_pension" / "2021-04" / source.name
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes().replace("身份证号码".encode("gb18030"), "编号".encode("gb18030"), 1))
    said = _refused(home, "intake", "chengjiang-2021", "--inbox", str(tmp_path / "inbox"), "--period", "2021-04", code=1)
    assert "returned" in said
    assert "身份证号" in said


def test_a_folder_that_is_not_there_and_a_month_that_is_none(mobilised: tuple[Path, Path]) -> None:
    home, inbox = mobilised
    assert "no such folder" in _refused(home, "intake", "chengjiang-2021", "--inbox", "/nowhere", "--period", "2021-04", code=2)
    assert "2021-05" in _refused(home, "intake", "chengjiang-2021", "--inbox", str(inbox), "--period", "2021-13", code=2)


def test_a_database_that_is_down_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import subprocess
    import sys

    environment = {**{key: value for key, value in os.environ.items() if not key.startswith("CANBAO_")},
                   "CANBAO_HOME": str(tmp_path), "CANBAO_DATABASE_URL": "postgresql://canbao:secret@127.0.0.1:1/canbao"}
    done = subprocess.run([sys.executable, "-m", "canbao", "status", "chengjiang-2021"], env=environment, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = _refused(tmp_path / "file" / "home", "mobilise", "chengjiang-2021", code=1)
    assert "CANBAO_HOME" in said
