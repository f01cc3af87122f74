"""The embedded PostgreSQL starts where people put it, ends with its last user, and never signals what is not ours."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from models import embedded, keeper
from models.errors import StorageUnavailable
from models.private import open_to_others
from tests.patience import until

ROOT = Path(__file__).parents[2]
USE = """
import sys
from models import database
database.create_if_missing(database.url("kept"))
engine = database.create_engine(database.url("kept"))
with engine.begin() as connection:
    connection.execute(database.text("CREATE TABLE IF NOT EXISTS seen (at timestamptz DEFAULT now())"))
    connection.execute(database.text("INSERT INTO seen DEFAULT VALUES"))
    rows = connection.execute(database.text("SELECT count(*) FROM seen")).scalar()
print(rows, flush=True)
sys.stdin.read()
"""
"""Joins the server, writes a row, says how many there are, and stays until it is told to go."""


def _environment(home: Path | str, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if name not in ("CANBAO_DATABASE_URL", "PGOPTIONS", "XDG_RUNTIME_DIR")}
    found |= {"CANBAO_HOME": str(home), "PYTHONPATH": str(ROOT)}
    for name, value in (changes or {}).items():
        found.pop(name, None)
        if value is not None:
            found[name] = value
    return found


class User:
    """A process that uses the server of a home."""

    def __init__(self, home: Path | str, changes: Mapping[str, str | None] | None = None, **more: object) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", USE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=_environment(home, changes), **more)  # type: ignore[call-overload]

    def rows(self) -> int:
        """How many have written into this record, this one among them."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return int(line)

    def go(self) -> None:
        """Ends it in order."""
        self.process.communicate()
        assert self.process.returncode == 0


@contextmanager
def using(home: Path | str, changes: Mapping[str, str | None] | None = None, **more: object) -> Iterator[int]:
    """Uses the server for the duration; yields how many have written into the record."""
    user = User(home, changes, **more)
    try:
        yield user.rows()
        user.go()
    finally:
        user.process.kill()
        user.process.communicate()


def _working_in(home: Path) -> list[psutil.Process]:
    """Whatever still runs in a home: the server works in its data folder, the keeper names it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and (
                    Path(process.cwd()).is_relative_to(home) or f"{home}/run/postgres.users" in process.cmdline()):
                found.append(process)
    return found


def _postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))


def _await(condition: Callable[[], object]) -> None:
    until(condition, "what was waited for", pause_seconds=0.02)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one row was written; nothing runs."""
    home = tmp_path_factory.mktemp("made") / "home"
    with using(home) as rows:
        assert rows == 1
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A home of this test's own with one row."""
    return _copied(made, tmp_path / "home")


def _copied(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    _await(lambda: not _working_in(tmp_path))


# --- what is not ours -----------------------------------------------------------------------------------


@contextmanager
def _stranger(home: Path) -> Iterator[psutil.Process]:
    """A process of the account under which the server runs: the one case in which a signal would reach it."""
    owner = (home / "postgres").stat()
    whose = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen(["sleep", "600"], cwd="/", **whose)  # type: ignore[call-overload]
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _stale(home: Path, pid: int) -> None:
    """What a power failure leaves, its number given to somebody else since."""
    (home / "postgres" / "postmaster.pid").write_text(
        f"{pid}\n{home}/postgres\n1700000000\n5432\n{home}/postgres\n\n  5432001     32768\nready   \n")
    (home / "postgres" / ".s.PGSQL.5432.lock").write_text(f"{pid}\n{home}/postgres\n1700000000\n5432\n{home}/postgres\n")


def test_a_stale_number_of_somebody_else_is_not_signalled(home: Path) -> None:
    with _stranger(home) as stranger:
        _stale(home, stranger.pid)
        with using(home) as rows:
            assert rows == 2
            assert _postmaster(home).pid != stranger.pid
        assert stranger.is_running()
        assert stranger.status() != psutil.STATUS_ZOMBIE


def test_a_stale_number_of_another_homes_server_leaves_that_one_alone(home: Path, made: Path, tmp_path: Path) -> None:
    other = _copied(made, tmp_path / "other")
    with using(other):
        theirs = _postmaster(other)
        _stale(home, theirs.pid)
        with using(home) as rows:
            assert rows == 2
            assert _postmaster(home).pid != theirs.pid
        assert theirs.is_running()
        with using(other) as rows:
            assert rows == 3


def test_a_home_copied_while_it_runs_has_a_server_of_its_own(home: Path, tmp_path: Path) -> None:
    with using(home):
        running = _postmaster(home)
        copy = _copied(home, tmp_path / "copy")
        with using(copy):
            assert _postmaster(copy).pid != running.pid
        assert running.is_running()
        with using(home) as rows:
            assert rows == 3
            assert _postmaster(home).pid == running.pid


def test_half_a_number_is_no_number(home: Path) -> None:
    (home / "postgres" / "postmaster.pid").write_text("1\n")
    with using(home) as rows:
        assert rows == 2


# --- its end --------------------------------------------------------------------------------------------


def test_it_has_ended_when_the_last_user_has(home: Path) -> None:
    with using(home):
        with using(home) as rows:
            assert rows == 3
        assert _working_in(home), "somebody still uses it"
    assert not _working_in(home), "whoever ends last waits: systemd kills what is left"


def test_it_ends_with_a_user_that_was_killed_and_keeps_what_was_written(home: Path) -> None:
    user = User(home)
    assert user.rows() == 2
    user.process.kill()
    user.process.communicate()
    _await(lambda: not _working_in(home))
    assert not (home / "postgres" / "postmaster.pid").exists(), "in order, not by force"
    with using(home) as rows:
        assert rows == 3


def test_it_goes_on_for_others_if_the_one_who_started_it_is_killed(home: Path) -> None:
    first = User(home)
    first.rows()
    with using(home):
        server = _postmaster(home)
        first.process.kill()
        first.process.communicate()
        with using(home) as rows:
            assert rows == 4
            assert _postmaster(home) == server


def test_it_ends_in_order_if_its_keeper_is_killed_and_comes_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = home.resolve()
    embedded.join(place)
    server = _postmaster(place)
    (keeper,) = [process for process in _working_in(place) if "keeper.py" in " ".join(process.cmdline())]
    keeper.kill()
    _await(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    embedded.ensure(place)
    assert _postmaster(place) != server
    assert (place / "postgres" / "log").read_text().count("received fast shutdown request") >= 2
    embedded.leave(place)
    assert not _working_in(place)


def test_one_that_an_older_version_left_is_ended_in_order(home: Path) -> None:
    """It holds no lock; what it wrote is there."""
    with using(home):
        pass
    owner = (home / "postgres").stat()
    data = home / "postgres"
    sockets = Path(tempfile.mkdtemp(prefix="canbao-old-", dir="/tmp"))  # the kernel wants a short path
    os.chown(sockets, owner.st_uid, owner.st_gid)
    subprocess.run([sys.executable, "-I", keeper.__file__, "as", embedded._owner(home, data).text, str(embedded.binaries() / "pg_ctl"),
                    "-D", str(data), "-w", "-o", f"-k {sockets} -h ''", "-l", str(data / "log"), "start"],
                   check=True, stdout=subprocess.DEVNULL, cwd=data)
    left = _postmaster(home)
    with using(home) as rows:
        assert rows == 3
        assert not left.is_running()
    assert "was not properly shut down" not in (data / "log").read_text()


def test_many_that_begin_at_once_share_one(home: Path) -> None:
    users = [User(home) for _ in range(6)]
    assert all(user.rows() > 1 for user in users)
    assert (home / "postgres" / "log").read_text().count("starting PostgreSQL") == 2, "once when it was made, once now"
    for user in users:
        assert user.process.stdin is not None
        user.process.stdin.close()
    for user in users:
        user.process.wait()
    assert not _working_in(home)


# --- where people put it --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [
    "with a space", "参保 数据", "100% 'quoted' #1, \"so\"?&x=y+z", "long" * 40, "a" * 75 + "/" + "参" * 30],
    ids=["space", "chinese", "signs", "long", "long_chinese"])
def test_it_starts_in_any_folder(made: Path, tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.parent.mkdir(parents=True, exist_ok=True)
    _copied(made, home)
    with using(home), using(home) as rows:
        assert rows == 3
    assert not _working_in(home)


def test_a_new_home_with_an_odd_name_is_set_up(tmp_path: Path) -> None:
    with using(tmp_path / "新 home; $(x)") as rows:
        assert rows == 1


def test_no_folder_for_the_socket_stays_behind(made: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir(mode=0o711)
    home = _copied(made, tmp_path / "with a space")
    with using(home, {"TMPDIR": str(temporary)}):
        pass
    assert not list(temporary.glob("canbao-*"))


def test_a_home_behind_a_link_or_a_relative_path_is_the_same_home(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    with using(home), using(tmp_path / "link") as rows:
        assert rows == 3
        with using("home", cwd=tmp_path) as rows:
            assert rows == 4


def test_its_data_may_be_behind_a_link_to_another_disk(home: Path, tmp_path: Path) -> None:
    shutil.move(str(home / "postgres"), tmp_path / "fast")
    (home / "postgres").symlink_to(tmp_path / "fast")
    with using(home) as rows:
        assert rows == 2


def test_a_home_that_was_moved_is_found_with_what_it_held_even_while_it_runs(home: Path, tmp_path: Path) -> None:
    home.rename(tmp_path / "second")
    with using(tmp_path / "second") as rows:
        assert rows == 2
        server = _postmaster(tmp_path / "second")
        (tmp_path / "second").rename(tmp_path / "third")
        with using(tmp_path / "third") as rows:
            assert rows == 3
            assert _postmaster(tmp_path / "third") == server
    _await(lambda: not server.is_running())


@pytest.mark.parametrize("changes", [
    {"LANG": "zh_CN.GB18030", "LC_ALL": "xx_YY.UTF-8"}, {"LANG": "C", "LC_ALL": "C"}, {"LANG": None, "LC_ALL": None, "HOME": None},
    {"PGPORT": "6543", "PGHOST": "db.example.invalid", "PGHOSTADDR": "192.0.2.1", "PGUSER": "nobody", "PGDATABASE": "other",
     "PGSERVICE": "missing", "PGSSLMODE": "verify-full", "PGCLIENTENCODING": "GBK", "PGDATA": "/nowhere"},
    {"TMPDIR": "/nowhere/at/all"}, {"XDG_RUNTIME_DIR": "/nowhere/at/all"}, {"TZ": "Asia/Shanghai"},
], ids=["language_not_installed", "c", "bare", "another_server", "no_tmpdir", "no_runtime_folder", "shanghai"])
def test_it_starts_under_any_environment(made: Path, tmp_path: Path, changes: Mapping[str, str | None]) -> None:
    with using(_copied(made, tmp_path / "home"), changes), using(tmp_path / "home") as rows:
        assert rows == 3


def test_a_new_home_is_the_same_whatever_the_language_of_whoever_made_it(tmp_path: Path) -> None:
    with using(tmp_path / "home", {"LANG": "zh_CN.GB18030", "LC_ALL": "xx_YY.UTF-8", "PGPORT": "6543", "PGCLIENTENCODING": "GBK"}) as rows:
        assert rows == 1
    settings = (tmp_path / "home" / "postgres" / "postgresql.conf").read_text()
    assert re.findall(r"^lc_\w+ = *'?(\w+)", settings, re.MULTILINE) == ["C"] * 4


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o027])
def test_it_starts_under_any_umask_and_nobody_else_reads_it(tmp_path: Path, mask: int) -> None:
    with using(tmp_path / "home", umask=mask):
        assert (tmp_path / "home" / "postgres").stat().st_mode & 0o077 == 0
        assert (tmp_path / "home" / "run").stat().st_mode & 0o077 == 0


def test_whoever_owns_the_home_can_use_it_after_root(tmp_path: Path) -> None:
    """`sudo canbao doctor` must not take an installation away from its account."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    with using(home):
        owners = {path.stat().st_uid for folder in (home / "run", home / "postgres") for path in (folder, *folder.iterdir())}
    assert owners == {home.stat().st_uid}


@pytest.mark.parametrize("above", [0o700, 0o750, 0o711])
def test_folders_above_are_left_as_they_are_and_the_home_is_closed(tmp_path: Path, above: int) -> None:
    private = tmp_path / "private"
    private.mkdir()
    private.chmod(above)
    with using(private / "home", umask=0o022):
        assert stat.S_IMODE(private.stat().st_mode) == above
        assert list(open_to_others(private / "home")) == []


# --- true causes ----------------------------------------------------------------------------------------


def test_a_folder_of_another_version_is_named(home: Path) -> None:
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(StorageUnavailable, match="initialized by PostgreSQL version 17"):
        embedded.join(home)
    embedded.leave(home)


def test_a_setting_that_means_nothing_is_named(home: Path) -> None:
    with (home / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = much\n")
    with pytest.raises(StorageUnavailable, match="shared_buffers"):
        embedded.join(home)
    embedded.leave(home)


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "home" / "postgres").mkdir(parents=True)
    (tmp_path / "home" / "postgres" / "holiday.jpg").write_bytes(b"picture")
    with pytest.raises(StorageUnavailable, match="no PostgreSQL"):
        embedded.join(tmp_path / "home")
    embedded.leave(tmp_path / "home")
    assert (tmp_path / "home" / "postgres" / "holiday.jpg").read_bytes() == b"picture"


def test_a_first_start_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    """Killed at any moment: what it left must not be taken for a record."""
    home = tmp_path / "home"
    for moment in range(3):
        user = User(home)
        _await((home / "postgres" / "PG_VERSION").exists)
        time.sleep(0.15 * moment)
        for process in [*psutil.Process(user.process.pid).children(recursive=True), user.process]:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        user.process.communicate()
    with using(home) as rows:
        assert rows == 1
