"""No other account of the machine opens anything of a home: not while it works, not after a kill, a backup or a restore."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import database, private
from models.errors import WrongUse
from tests.command_line import environment_of
from tests.patience import USUAL_UMASK

CAMPAIGN = "chengjiang-2021"
NOBODY = 65534
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as somebody else")


@pytest.fixture(scope="module")
def around() -> Iterator[Path]:
    """A folder that every account may enter, as /var/lib is."""
    place = Path(tempfile.mkdtemp(prefix="canbao-open-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def _canbao(home: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """A command under the umask that most machines have."""
    done = subprocess.run([sys.executable, "-m", "canbao", *arguments], env=environment_of(home), capture_output=True, text=True, check=False,
                          umask=USUAL_UMASK)
    assert done.returncode in codes, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def home(around: Path) -> Path:
    """A month's work (tests/flows/test_first_month.py looks at one in every run of the short tests): a plan in
    force, its letters, files taken in, some returned, compared; then a backup."""
    made = around / "home"
    _canbao(made, "mobilise", CAMPAIGN, "--as-of", "2021-03-18T08:00:00+08:00")
    _canbao(made, "simulate", CAMPAIGN, "--persons", "600", "--periods", "2021-04", "--out", str(made / "place"))
    _canbao(made, "intake", CAMPAIGN, "--period", "2021-04", "--inbox", str(made / "place" / "inbox"), codes=(0, 1))
    _canbao(made, "compare", CAMPAIGN, "--period", "2021-04", "--as-of", "2021-05-20T08:00:00+08:00", codes=(0, 1))
    _canbao(made, "board", CAMPAIGN)
    _canbao(made, "findings", CAMPAIGN, "--period", "2021-04", "--out", str(made / "findings.csv"), codes=(0, 1, 2))
    _canbao(made, "backup")
    return made


def _opened(home: Path) -> list[str]:
    return [f"{path.relative_to(home)} {mode:o}" for path, mode in private.open_to_others(home)]


def _seen_by_nobody(home: Path) -> list[str]:
    """Whatever an account without any right finds or reads there."""
    done = subprocess.run(["find", str(home), "-mindepth", "1"], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
                          capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


@pytest.mark.long
def test_nothing_of_a_months_work_is_open_to_group_or_others(home: Path) -> None:
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 200
    assert {path.suffix for path in files} >= {".parquet", ".html", ".tar"}
    assert _opened(home) == []


@pytest.mark.long
@is_root
def test_another_account_finds_nothing_in_a_home_though_it_may_enter_the_folder_above(home: Path, around: Path) -> None:
    listed = subprocess.run(["ls", str(around)], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=True, cwd="/")
    assert listed.stdout.split() == sorted(entry.name for entry in around.iterdir()), "it may enter, so that the home itself must be closed"
    assert _seen_by_nobody(home) == []
    for path in [path for path in home.rglob("*") if path.is_file()][::20]:
        read = subprocess.run(["cat", str(path)], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, check=False, cwd="/")
        assert (read.returncode, read.stdout) == (1, b"")


@pytest.mark.long
@is_root
def test_another_account_does_not_reach_the_embedded_database(home: Path) -> None:
    psql = subprocess.run(["cat", str(home / "postgres" / "PG_VERSION")], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                          check=False, cwd="/")
    assert psql.returncode == 1
    assert (home / "postgres" / "PG_VERSION").is_file()


@pytest.mark.long
def test_the_folder_above_a_home_keeps_its_mode(home: Path, around: Path) -> None:
    assert around.stat().st_mode & 0o777 == 0o755
    assert Path("/tmp").stat().st_mode & 0o7777 == 0o1777


@pytest.mark.long
def test_what_a_restore_brings_back_is_closed_too(home: Path) -> None:
    (archive,) = (home / "backups").glob("canbao-*.tar")
    kept = home.with_name("kept")
    home.rename(kept)
    try:
        home.mkdir(mode=0o755)
        home.chmod(0o755)
        _canbao(home, "restore", str(kept / "backups" / archive.name))
        assert len(list(home.rglob("*.parquet"))) > 10
        assert _opened(home) == []
        if os.geteuid() == 0:
            assert _seen_by_nobody(home) == []
    finally:
        shutil.rmtree(home)
        kept.rename(home)


@pytest.mark.parametrize("mode", [0o711, 0o755, 0o777, 0o770])
def test_a_home_that_was_open_is_closed_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    monkeypatch.setenv("CANBAO_HOME", str(home))
    database.home()
    assert home.stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o700, "as it was"


def test_what_a_child_of_ours_writes_is_closed_whatever_the_umask_of_who_started_it(tmp_path: Path) -> None:
    from deployments.child import Child

    before = os.umask(0)
    try:
        child = Child("x", [sys.executable, "-c", "import pathlib; pathlib.Path('made').write_text('x'); pathlib.Path('d').mkdir()"],
                      dict(os.environ), tmp_path / "log", tmp_path / "pid", tmp_path)
        child.start()
        assert child._process is not None
        child._process.wait()
        child.stop()
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("made", "d")] == [0o600, 0o700]


def test_what_a_worker_process_writes_is_closed(tmp_path: Path) -> None:
    from tasks import workers

    before = os.umask(0)
    try:
        with workers.processes(count=1):
            workers.submit(os.mkdir, str(tmp_path / "made")).result()
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


@is_root
def test_root_is_told_to_use_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.supervisor import refuse_root

    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "home"))
    for value in ("", "0", "yes"):
        monkeypatch.setenv("CANBAO_ALLOW_ROOT", value)
        with pytest.raises(WrongUse, match="sudo -u canbao"):
            refuse_root()
    monkeypatch.setenv("CANBAO_ALLOW_ROOT", "1")
    refuse_root()


@is_root
@pytest.mark.parametrize("kept", [2, 1])
def test_the_databases_account_keeps_the_one_right_to_pass_and_nothing_else(tmp_path: Path, kept: int) -> None:
    """Read by itself: what a server that root started may do."""
    from models import keeper

    command = [sys.executable, "-I", keeper.__file__, "as", f"{NOBODY}:{NOBODY}:{kept}", "/bin/cat", "/proc/self/status"]
    said = dict(line.split(":\t", 1) for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())
    assert said["Uid"].split() == [str(NOBODY)] * 4
    assert (said["Groups"].split(), said["Umask"]) == ([], "0077")
    assert [int(said[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == [1 << kept] * 4
