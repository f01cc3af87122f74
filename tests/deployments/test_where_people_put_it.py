"""An installation runs where people put it, and nothing of it is left however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest

from deployments import server
from deployments.child import Child, end_session
from models.errors import StorageUnavailable
from models.loopback import reach_directly
from tests.patience import HANGS_AFTER_SECONDS, until

pytestmark = pytest.mark.timeout(1200)
HOSTILE = {
    "http_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9", "no_proxy": "[::1],.invalid",
    "LANG": "zh_CN.GB18030", "PGPORT": "6543", "PGHOST": "db.example.invalid", "XDG_RUNTIME_DIR": "/nowhere/at/all",
}
"""A desktop of an office: proxies of two kinds, a language that is not installed, the settings of another database."""


def _await(what: str, condition: Callable[[], object]) -> None:
    until(condition, what)


def _of(home: Path) -> list[str]:
    """Whatever runs for a home, whoever its parent is now."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid() and (
                    Path(process.cwd()).is_relative_to(home) or process.environ().get("CANBAO_HOME") == str(home)):
                found.append(" ".join(process.cmdline()))
    return found


@contextmanager
def _canbao(home: Path, *arguments: str, folder: Path | None = None, **changes: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if name not in ("CANBAO_DATABASE_URL", "PREFECT_HOME", "MPLCONFIGDIR")}
    with (home.parent / "output.log").open("a") as output:
        given = str(home.relative_to(folder)) if folder else str(home)
        process = subprocess.Popen([sys.executable, "-m", "canbao", *arguments], stdout=subprocess.PIPE, stderr=output, text=True,
                                   env={**environment, **changes, "CANBAO_HOME": given}, start_new_session=True, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _listening(taken: socket.socket) -> int:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return int(taken.getsockname()[1])


def _said(process: subprocess.Popen[str], home: Path) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home.parent / "output.log").read_text() + (home / "prefect-server.log").read_text()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.long
def test_it_comes_up_where_people_put_it_and_goes_with_whoever_is_killed(tmp_path: Path) -> None:
    temporary = tmp_path / "shared"
    temporary.mkdir(mode=0o711)
    (temporary / "runner_storage").write_text("somebody else's, under the name that Prefect wants")
    listed = tmp_path / "prefect.yaml"
    listed.write_text("deployments: []\n", encoding="utf-8")
    home = tmp_path / f"我的 参保 100% {'long' * 25}"
    hostile = {**HOSTILE, "TMPDIR": str(temporary)}
    with _canbao(home, "up", "--port", "0", "--json", **hostile) as up:
        health = _said(up, home)
        assert health["healthy"]
        assert len(_of(home)) > 4
        # A second one says where the first is, and disturbs nothing.
        with _canbao(home, "up", "--port", "0", "--json", **hostile) as second:
            assert second.wait(HANGS_AFTER_SECONDS) == 1
        assert f"runs already ({health['ui']})" in (tmp_path / "output.log").read_text()
        assert server.is_healthy(health["api"])
        found = subprocess.run([sys.executable, "-m", "canbao", "doctor", "--json"], capture_output=True, text=True, check=False,
                               env={**os.environ, **hostile, "CANBAO_HOME": str(home), "PREFECT_HOME": str(home / "prefect")})
        told = {entry["check"]: entry for entry in json.loads(found.stdout)["findings"] if entry["check"] == "代理"}
        assert "ALL_PROXY" in told["代理"]["says"]
        up.kill()
        _await("something outlived a supervisor that was killed", lambda: not _of(home))
    assert not (home / "postgres" / "postmaster.pid").exists(), "the database ended in order"

    # Its folder given as seen from where one stands: what it starts stands elsewhere.
    with socket.socket() as taken, _canbao(home, "up", "--port", str(_listening(taken)), "--json", folder=tmp_path, **hostile) as up:
        health = _said(up, home)
        assert (health["healthy"], health["home"]) == (True, str(home))
        assert {psutil.Process(health[name]["pid"]).environ()["CANBAO_HOME"] for name in ("server", "worker")} == {str(home)}
        assert f"port {taken.getsockname()[1]} is taken" in (tmp_path / "output.log").read_text()
        up.send_signal(signal.SIGHUP)  # its terminal was closed
        assert up.wait(HANGS_AFTER_SECONDS) == 0
        assert not _of(home), "whoever ends in order leaves nothing even for a moment"


def test_a_rehearsal_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with _canbao(home, "rehearse", "chengjiang-2021", "--persons", "2000") as rehearsal:
        _await("no server came up", lambda: rehearsal.poll() is not None or ((home / "prefect-server.pid").exists()
               and any(server.PROGRAM in process for process in _of(home))))
        assert rehearsal.poll() is None, (tmp_path / "output.log").read_text()
        rehearsal.kill()
        _await("something outlived a rehearsal that was killed", lambda: not _of(home))


# --- whose server answers -------------------------------------------------------------------------------


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _child(folder: Path, code: str) -> Child:
    return Child("prefect-server", [sys.executable, "-c", code], dict(os.environ), folder / "log", folder / "pid", folder)


def test_a_stranger_who_took_the_port_is_not_taken_for_our_server(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        Thread(target=stranger.serve_forever, daemon=True).start()
        ours = _child(tmp_path, "import time; time.sleep(600)")
        ours.start()
        try:
            with pytest.raises(StorageUnavailable, match="another program took the port"):
                server.await_server(ours, server.api_of(stranger.server_port))
        finally:
            ours.stop()
            stranger.shutdown()


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    ours = _child(tmp_path, "raise SystemExit('the disk is full')")
    (tmp_path / "log").write_text("what an earlier one said\n")
    ours.start()
    with pytest.raises(StorageUnavailable, match="the disk is full"):
        server.await_server(ours, server.api_of(9))
    ours.stop()


def test_a_port_that_is_taken_on_all_addresses_is_not_chosen() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        wanted = int(taken.getsockname()[1])
        assert server.free_port(wanted) != wanted


# --- proxies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [
    {"http_proxy": "http://127.0.0.1:9"}, {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.invalid"}, {"all_proxy": "socks5://127.0.0.1:9"},
    {"ALL_PROXY": "socks://127.0.0.1:9", "http_proxy": "127.0.0.1:9"}, {"https_proxy": "socks5h://127.0.0.1:9", "no_proxy": "10.0.0.0/8, *.local,"},
    {"http_proxy": "http://127.0.0.1:9", "no_proxy": "[::1],localhost"}, {"http_proxy": "http://127.0.0.1:9", "no_proxy": "*"},
    {"http_proxy": ""}, {}], ids=str)
def test_this_machine_is_reached_past_any_proxy(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reach_directly(os.environ)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as here:
        Thread(target=here.serve_forever, daemon=True).start()
        assert server.is_healthy(server.api_of(here.server_port))
        with httpx.Client() as client:  # what Prefect speaks through
            assert client.get(f"http://127.0.0.1:{here.server_port}/").status_code == 200
        here.shutdown()


def test_what_is_outside_is_still_asked_through_the_proxy() -> None:
    environment = {"http_proxy": "http://proxy.example.invalid:3128", "NO_PROXY": "intranet.example.invalid"}
    reach_directly(environment)
    assert environment["http_proxy"] == "http://proxy.example.invalid:3128"
    assert environment["no_proxy"].split(",")[0] == "intranet.example.invalid"


# --- sessions -------------------------------------------------------------------------------------------

PARENT = ("import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
          "stdout=subprocess.DEVNULL).pid, flush=True); sys.stdin.read()")


def test_who_was_started_by_one_that_has_died_is_ended_too() -> None:
    """A worker that crashed leaves the runs that it started; they are nobody's children any more."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    created = str(psutil.Process(parent.pid).create_time())
    grandchild = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    end_session(parent.pid, created)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_session_whose_number_is_somebody_elses_now_is_left_alone() -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    end_session(stranger.pid, "1.0")
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
