"""The Prefect server as a child process, its database beside ours in the same PostgreSQL."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import psutil
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL
from prefect.settings.legacy import Setting
from sqlalchemy.engine import make_url

from deployments.child import Child
from models.database import create_if_missing, home, url
from models.errors import StorageUnavailable
from models.loopback import LOOPBACK, reach_directly
from models.plan_file import REPOSITORY
from models.prefect_password import GIVEN, SENT, password

HANGS_AFTER_SECONDS = 900
"""A server that dies is told at once. One that lives so long and answers nobody hangs; a slow machine needs minutes."""
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_CLI_COLORS": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING", "PREFECT_CLIENT_METRICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # Prefect writes every state of every task run in a transaction of its own unless told to gather them, which is two fifths
    # of the server's work. What is gathered is written after two seconds at the latest, and when the server ends.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "2",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",  # every run would ask; both are one installation, the doctor looks
}
WITHOUT_SCHEDULES = {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in (
    "SCHEDULER", "LATE_RUNS", "FOREMAN", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP", "TRIGGERS")}
"""For a server to which nothing is deployed, such as a rehearsal's: nothing to schedule, no worker to miss, no automation to
weigh each event for."""
HEARTBEAT_SECONDS = 30
"""How often a flow run says that it lives; the shortest that Prefect allows."""
SERVER, WORKER = "prefect-server", "prefect-worker"
PROGRAM = "deployments.prefect_app"
TEMPORARY = "run/tmp"
STATIC = "prefect/ui"
PLACES = ("CANBAO_BACKUPS", "CANBAO_PREFECT_FILE")
_DIRECTLY = build_opener(ProxyHandler({}))
"""No proxy stands between us and our own server, whatever the environment names."""


_promised: dict[int, socket.socket] = {}


def _is_promised(port: int) -> bool:
    """Whether another process of ours has chosen this port and its server, which takes ten seconds to start, is not there yet:
    two would talk to one server.

    The promise is a name that only the living hold, and no file: one in the folder for temporary files may be somebody else's.
    """
    if port in _promised or sys.platform != "linux":
        return False
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0canbao-port-{port}")
    except OSError:
        mark.close()
        return True
    _promised[port] = mark  # held as long as this process lives
    return False


def free_port(wanted: int) -> int:
    """The wanted port of this machine's loopback, or a free one if it is taken or another process is about to take it."""
    for port in (0,) if _is_promised(wanted) else (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just left is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StorageUnavailable("no free port on 127.0.0.1.", cure="Stop something, then try again.")


def environment(api: str, settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """What server, worker and the command line of Prefect are started with: our PostgreSQL, PREFECT_HOME under CANBAO_HOME,
    nothing phoned home, no page of another origin let in, nobody without the password.

    ``CANBAO_PUBLIC_URL`` is the address under which people reach the UI if a proxy stands before it. Temporary files go under
    CANBAO_HOME: Prefect wants a folder of a fixed name, which in a shared place may be somebody else's, and they may hold people.
    ``settings`` of the server's own come on top.
    """
    address = url("prefect")
    create_if_missing(address)
    database = make_url(address).set(drivername="postgresql+asyncpg")
    public = os.environ.get("CANBAO_PUBLIC_URL", "").rstrip("/") or api.removesuffix("/api")
    given = {**QUIET, **settings, "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": public, "PREFECT_UI_API_URL": f"{public}/api",
             "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS)}
    temporary = home() / TEMPORARY
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = {
        "PREFECT_HOME": str(home() / "prefect"), "PREFECT_API_URL": api, "TMPDIR": str(temporary),
        # Theirs is another folder to work in: what is relative would be another place.
        "CANBAO_HOME": str(home()), **{name: str(Path(value).resolve()) for name in PLACES if (value := os.environ.get(name))},
        "PREFECT_API_DATABASE_CONNECTION_URL": database.render_as_string(hide_password=False),
    }
    own[GIVEN] = own[SENT] = password(home())  # workers and our own client speak to the same door
    (home() / STATIC).mkdir(mode=0o700, parents=True, exist_ok=True)
    own["PREFECT_UI_STATIC_DIRECTORY"] = str(home() / STATIC)  # else it writes into its own package, which may be somebody else's
    found = {**os.environ, **given, **own}
    reach_directly(found)
    return found


def server_child(port: int, settings: Mapping[str, str] = MappingProxyType({})) -> Child:
    """The Prefect server, bound to the loopback, with ``settings`` of its own."""
    command = [sys.executable, "-m", PROGRAM, str(port)]
    return Child(SERVER, command, environment(api_of(port), settings), home() / f"{SERVER}.log", home() / f"{SERVER}.pid", REPOSITORY)


def begin(child: Child) -> None:
    """Starts it. Raises StorageUnavailable if one of this home runs already: two servers on one database disturb each other."""
    try:
        child.start()
    except BlockingIOError:
        raise StorageUnavailable(f"a {child.name} of this home runs already (canbao up, or a rehearsal).", where=str(home()),
                                 cure="Stop that one, or set CANBAO_HOME to another folder.") from None


def api_of(port: int) -> str:
    """The API's address on the loopback."""
    return f"http://127.0.0.1:{port}/api"


def as_our_client(api: str) -> dict[Setting, str]:
    """The settings under which Prefect's client speaks to this home's server. No server elsewhere is told this home's password."""
    is_here = urlsplit(api).hostname in LOOPBACK
    return {PREFECT_API_URL: api, **({PREFECT_API_AUTH_STRING: password(home())} if is_here else {})}


def is_healthy(api: str) -> bool:
    """Whether the server answers."""
    try:
        with _DIRECTLY.open(f"{api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def await_server(child: Child, api: str) -> None:
    """Waits until our server answers. Raises StorageUnavailable with its last words if it ends, or if somebody else answers."""
    deadline = time.monotonic() + HANGS_AFTER_SECONDS
    while not is_healthy(api):
        if not child.is_alive or time.monotonic() > deadline:
            raise StorageUnavailable(f"the Prefect server did not start: {child.last_words() or 'it says nothing.'}", where=str(child.log),
                                     cure="Mend that; the log says more.")
        time.sleep(0.3)
    if not _listens(child, int(api.removesuffix("/api").rpartition(":")[2])):
        raise StorageUnavailable("another program took the port while the Prefect server was starting.", where=api,
                                 cure="Run the command again, or give another --port.")


def _listens(child: Child, port: int) -> bool:
    """Whether it is our process, or one that it started, to whom one speaks at this port."""
    try:
        parent = psutil.Process(child.pid) if child.pid is not None else None
        family = [parent, *parent.children(recursive=True)] if parent else []
        return any(link.laddr.port == port for process in family for link in process.net_connections(kind="tcp")
                   if link.status == psutil.CONN_LISTEN)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def prefect_server(
    port: int = 4200, *, meanwhile: Callable[[], object] = lambda: None, settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Runs a Prefect server on the loopback for the duration, with ``settings`` of its own; yields its API address.

    ``meanwhile`` is done while the server starts, which takes ten seconds and more. Raises StorageUnavailable if it
    does not answer in time, or one of this home runs already.
    """
    reach_directly(os.environ)
    chosen = free_port(port)
    child = server_child(chosen, settings)
    begin(child)
    try:
        meanwhile()
        await_server(child, api_of(chosen))
        yield api_of(chosen)
    finally:
        child.stop()
