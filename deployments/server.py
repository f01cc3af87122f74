"""The Prefect server as a child process, its database beside ours in the same PostgreSQL."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
from sqlalchemy.engine import make_url

from models.database import create_if_missing, home, url
from models.errors import StorageUnavailable

START_WITHIN_SECONDS = 120
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_CLI_COLORS": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING", "PREFECT_CLIENT_METRICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}


def free_port(wanted: int) -> int:
    """The wanted port of this machine's loopback, or a free one if it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StorageUnavailable("no free port on 127.0.0.1.", cure="Stop something, then try again.")


def environment() -> dict[str, str]:
    """The server's environment: our PostgreSQL, PREFECT_HOME under CANBAO_HOME, nothing phoned home."""
    address = url("prefect")
    create_if_missing(address)
    database = make_url(address).set(drivername="postgresql+asyncpg")
    return {
        **os.environ, **QUIET,
        "PREFECT_HOME": str(home() / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": database.render_as_string(hide_password=False),
    }


def _end_orphan(mark: Path) -> None:
    """Ends the server that a killed process of this home left behind: two servers must not share one database."""
    if not mark.exists():
        return
    with suppress(psutil.Error, ValueError):
        orphan = psutil.Process(int(mark.read_text()))
        if "prefect" in " ".join(orphan.cmdline()):
            orphan.terminate()
            orphan.wait(20)
    mark.unlink(missing_ok=True)


def _healthy(api: str) -> bool:
    try:
        with urlopen(f"{api}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def prefect_server(port: int = 4200, *, meanwhile: Callable[[], object] = lambda: None) -> Iterator[str]:
    """Runs a Prefect server on the loopback for the duration; yields its API address.

    ``meanwhile`` is done while the server starts, which takes ten seconds and more. Raises StorageUnavailable if it
    does not answer in time; its log says why.
    """
    mark = home() / "prefect-server.pid"
    _end_orphan(mark)
    chosen = free_port(port)
    api = f"http://127.0.0.1:{chosen}/api"
    target = home() / "prefect-server.log"
    with target.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(chosen)],
            env={**environment(), "PREFECT_API_URL": api, "PREFECT_UI_API_URL": api}, stdout=output, stderr=output,
            start_new_session=True)
    mark.write_text(str(process.pid))
    try:
        meanwhile()
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while not _healthy(api):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StorageUnavailable("the Prefect server did not start.", where=str(target),
                                         cure="Read the end of that log.")
            time.sleep(0.3)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        mark.unlink(missing_ok=True)
