"""The Prefect server as a child process, its database beside ours in the same PostgreSQL."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from urllib.request import urlopen

from sqlalchemy.engine import make_url

from deployments.child import Child
from models.database import create_if_missing, home, url
from models.errors import StorageUnavailable
from models.plan_file import REPOSITORY

START_WITHIN_SECONDS = 120
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
HEARTBEAT_SECONDS = 30
"""How often a flow run says that it lives; the shortest that Prefect allows."""
SERVER, WORKER = "prefect-server", "prefect-worker"


_promised: dict[int, TextIO] = {}


def _is_promised(port: int) -> bool:
    """Whether another process of ours has chosen this port and its server, which takes ten seconds to start, is not there yet:
    two would talk to one server."""
    if port in _promised:
        return False
    mark = (Path(tempfile.gettempdir()) / f"canbao-{os.getuid()}-{port}.lock").open("w")
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
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


def environment(api: str) -> dict[str, str]:
    """What server, worker and the command line of Prefect are started with: our PostgreSQL, PREFECT_HOME under CANBAO_HOME,
    nothing phoned home, no page of another origin let in.

    ``CANBAO_PUBLIC_URL`` is the address under which people reach the UI if a proxy stands before it.
    """
    address = url("prefect")
    create_if_missing(address)
    database = make_url(address).set(drivername="postgresql+asyncpg")
    public = os.environ.get("CANBAO_PUBLIC_URL", "").rstrip("/") or api.removesuffix("/api")
    given = {**QUIET, "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": public, "PREFECT_UI_API_URL": f"{public}/api",
             "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS)}
    own = {
        "PREFECT_HOME": str(home() / "prefect"), "PREFECT_API_URL": api,
        "PREFECT_API_DATABASE_CONNECTION_URL": database.render_as_string(hide_password=False),
    }
    if auth := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        own["PREFECT_API_AUTH_STRING"] = auth  # workers and our own client speak to the same door
    return {**os.environ, **given, **own}


def server_child(port: int) -> Child:
    """The Prefect server, bound to the loopback."""
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    return Child(SERVER, command, environment(api_of(port)), home() / f"{SERVER}.log", home() / f"{SERVER}.pid", REPOSITORY)


def api_of(port: int) -> str:
    """The API's address on the loopback."""
    return f"http://127.0.0.1:{port}/api"


def is_healthy(api: str) -> bool:
    """Whether the server answers."""
    try:
        with urlopen(f"{api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def await_server(child: Child, api: str) -> None:
    """Waits until the server answers. Raises StorageUnavailable if it does not in time; its log says why."""
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while not is_healthy(api):
        if not child.is_alive or time.monotonic() > deadline:
            raise StorageUnavailable("the Prefect server did not start.", where=str(child.log), cure="Read the end of that log.")
        time.sleep(0.3)


@contextmanager
def prefect_server(port: int = 4200, *, meanwhile: Callable[[], object] = lambda: None) -> Iterator[str]:
    """Runs a Prefect server on the loopback for the duration; yields its API address.

    ``meanwhile`` is done while the server starts, which takes ten seconds and more. Raises StorageUnavailable if it
    does not answer in time.
    """
    chosen = free_port(port)
    child = server_child(chosen)
    child.start()
    try:
        meanwhile()
        await_server(child, api_of(chosen))
        yield api_of(chosen)
    finally:
        child.stop()
