"""Prefect's API runs commands for whoever it answers: so it answers nobody without the password, under another name, or from a foreign page."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import websockets
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import temporary_settings
from sqlalchemy.engine import URL
from starlette.responses import PlainTextResponse

from deployments import prefect_app, server
from deployments.installation import FIXED_JOB, ensure_pool
from deployments.listing import listing
from models import prefect_password
from models.database import home
from models.errors import StorageUnavailable
from tests.conftest import fresh_record

NOBODY = 65534
PUBLIC = "https://canbao.example.invalid"
MANY = (("POST", "deployments/"), ("POST", "flow_runs/"), ("POST", "flow_runs/filter"), ("POST", "flows/"), ("POST", "work_pools/"),
        ("POST", "variables/"), ("POST", "block_documents/"), ("POST", "automations/"), ("POST", "events"), ("POST", "logs/"),
        ("GET", "admin/settings"),
        ("POST", "admin/database/clear"), ("POST", "admin/database/drop"), ("DELETE", "work_pools/canbao"), ("GET", "version"),
        ("POST", "block_documents/filter"), ("GET", "csrf-token?client=x"), ("POST", "variables/name/health"))


@pytest.fixture(scope="module")
def api(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A home's own server, as a rehearsal has it too, with the pool of an installation."""
    from deployments.server import WITHOUT_SCHEDULES, as_our_client, prefect_server

    place = tmp_path_factory.mktemp("api") / "home"
    with fresh_record(server, place), pytest.MonkeyPatch.context() as patch:
        patch.delenv(prefect_password.GIVEN, raising=False)
        patch.setenv("CANBAO_PUBLIC_URL", PUBLIC)
        with prefect_server(0, settings=WITHOUT_SCHEDULES) as found:
            with temporary_settings(as_our_client(found)), get_client(sync_client=True) as client:
                client.create_work_pool(WorkPoolCreate(name=listing()["pool"], type="process"))  # as an older version left it
                ensure_pool(client)
            yield found


def _word() -> str:
    return prefect_password.password(home())


def _basic(word: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(word.encode()).decode()}


def _asked(api: str, method: str = "POST", path: str = "flow_runs/count", **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as anybody:
        return anybody.request(method, f"{api}/{path}", headers=headers, content=b"{}" if method == "POST" else None)


# --- the password ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), MANY, ids=lambda text: text)
def test_nobody_without_the_password_does_or_reads_anything(api: str, method: str, path: str) -> None:
    assert _asked(api, method, path).status_code == 401


@pytest.mark.parametrize("header", [
    "Basic", "Basic Og==", "Basic " + base64.b64encode(b"canbao:").decode(), "Basic " + base64.b64encode(b"canbao:canbao").decode(),
    "Bearer canbao", "Basic !!!", "Digest x", "Basic " + base64.b64encode("管理员:123456".encode()).decode()])
def test_a_wrong_password_is_none(api: str, header: str) -> None:
    assert _asked(api, **{"Authorization": header}).status_code in (401, 500)  # Prefect stumbles over letters that are not ASCII, and stays shut


def test_whoever_has_the_password_is_answered(api: str) -> None:
    assert _asked(api, **_basic(_word())).json() == 0
    assert _asked(api, "GET", "health").json() is True


def test_the_password_is_long_kept_for_this_account_and_the_same_for_all_who_ask(api: str) -> None:
    place = prefect_password.place(home())
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert len(_word().partition(":")[2]) >= 32
    assert _word() == _word()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as somebody else")
def test_no_other_account_finds_the_password_in_a_file_an_argument_or_an_environment(api: str) -> None:
    (ours,) = [process for process in psutil.process_iter() if _is_the_server(process, api)]
    word = _word().partition(":")[2]
    command = f"cat {prefect_password.place(home())} /proc/{ours.pid}/environ /proc/*/environ /proc/*/cmdline 2>/dev/null"
    seen = subprocess.run(["sh", "-c", command], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, check=False).stdout
    assert server.PROGRAM.encode() in seen, "it does see arguments"
    assert word.encode() not in seen
    assert word in " ".join(ours.environ().values()), "the server itself has it"


def _is_the_server(process: psutil.Process, api: str) -> bool:
    try:
        return process.cmdline()[-2:] == [server.PROGRAM, api.removesuffix("/api").rpartition(":")[2]]
    except psutil.Error:
        return False


def test_no_log_and_no_health_file_tells_the_password(api: str) -> None:
    word = _word().partition(":")[2].encode()
    holders = [path.name for path in home().rglob("*") if path.is_file() and word in path.read_bytes()]
    assert holders == [prefect_password.FILE]


def test_a_site_may_give_its_own_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(prefect_password.GIVEN, "site:its-own-word")
    assert prefect_password.password(tmp_path) == "site:its-own-word"
    assert not prefect_password.place(tmp_path).exists()


def test_an_empty_password_file_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(prefect_password.GIVEN, raising=False)
    prefect_password.place(tmp_path).touch()
    with pytest.raises(StorageUnavailable, match="Remove it"):
        prefect_password.password(tmp_path)


@pytest.mark.parametrize("address", ["http://prefect.example.invalid/api", "http://127.0.0.1.example.invalid/api",
                                     "http://127.0.0.1@example.invalid/api", ""])
def test_no_server_elsewhere_is_told_the_password(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    prefect_password.password(tmp_path)
    environment = {prefect_password.API: address}
    prefect_password.send_to_our_own(environment, tmp_path)
    assert environment == {prefect_password.API: address}
    assert [*server.as_our_client(address).values()] == [address]


# --- names and origins ----------------------------------------------------------------------------------

FOREIGN_HOSTS = ("evil.example", "evil.example:4200", "127.0.0.1.evil.example", "localhost.evil.example", "canbao.example.invalid.evil.example",
                 "evil.example#127.0.0.1", "evil.example/127.0.0.1", "127.0.0.1@evil.example", "x@127.0.0.1", "192.168.1.5:4200", "0.0.0.0:4200",
                 "", "[::1", "127.0.0.1:x", "127.0.0.2", "2130706433")
FOREIGN_ORIGINS = ("http://evil.example", "https://canbao.example.invalid.evil.example", "http://canbao.example.invalid", "null", "http://127.0.0.1:1",
                   "https://127.0.0.1", "http://localhost.evil.example", "file://", "chrome-extension://x")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_under_another_name_nobody_is_answered_even_with_the_password(api: str, host: str) -> None:
    answer = _asked(api, Host=host, **_basic(_word()))
    assert answer.status_code in (400, 421)
    if answer.status_code == 421:
        assert "CANBAO_PUBLIC_URL" in answer.text


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_page_of_another_origin_is_not_answered_even_with_the_password(api: str, origin: str) -> None:
    answer = _asked(api, Origin=origin, **_basic(_word()))
    assert answer.status_code == 403
    assert "own address" in answer.text
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:4200", "[::1]:4200", "canbao.example.invalid", "canbao.example.invalid:443"])
def test_under_its_own_names_it_is_answered(api: str, host: str) -> None:
    assert _asked(api, Host=host, **_basic(_word())).status_code == 200


def test_its_own_pages_are_answered(api: str) -> None:
    port = api.removesuffix("/api").rpartition(":")[2]
    for origin in (PUBLIC, f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        assert _asked(api, Origin=origin, **_basic(_word())).status_code == 200


def _socket(api: str, token: str, **headers: str) -> str:
    """What becomes of somebody who listens to all events."""
    async def listen() -> str:
        address = api.replace("http:", "ws:") + "/events/out"
        try:
            async with websockets.connect(address, subprotocols=[websockets.Subprotocol("prefect")], additional_headers=headers, proxy=None) as found:
                await found.send(json.dumps({"type": "auth", "token": token}))
                return str(json.loads(await found.recv())["type"])
        except (websockets.InvalidStatus, websockets.ConnectionClosed) as refusal:
            return type(refusal).__name__

    return asyncio.run(listen())


def test_a_web_socket_needs_the_password_and_an_origin_of_ours(api: str) -> None:
    assert _socket(api, _word()) == "auth_success"
    assert _socket(api, "canbao:wrong") == "ConnectionClosedError"
    assert _socket(api, "") == "ConnectionClosedError"
    assert _socket(api, _word(), Origin="http://evil.example") == "InvalidStatus"


def test_two_names_in_one_request_are_none() -> None:
    app = prefect_app.OnlyOurs(PlainTextResponse("in"), "")

    async def asked(*hosts: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get("/", headers=[("host", host) for host in hosts])).status_code

    assert [asyncio.run(asked(*hosts)) for hosts in (("localhost",), ("localhost", "evil.example"), ("evil.example",))] == [200, 421, 421]


# --- what a run may be told -----------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [{"command": "touch /tmp/canbao-outside"}, {"env": {"PATH": "/tmp"}}, {"working_dir": "/tmp"}, {"x": 1}])
def test_whoever_begins_a_run_chooses_no_command_no_folder_and_no_environment(api: str, chosen: dict[str, Any]) -> None:
    with temporary_settings(server.as_our_client(api)), get_client(sync_client=True) as client:
        assert client.read_work_pool(listing()["pool"]).base_job_template == FIXED_JOB
        flow = client.request("POST", "/flows/", json={"name": "any"}).json()["id"]
        deployment = client.create_deployment(flow, "any", work_pool_name=listing()["pool"], entrypoint="x.py:x")
    with httpx.Client(trust_env=False, headers=_basic(_word())) as anybody:
        answer = anybody.post(f"{api}/deployments/{deployment}/create_flow_run", json={"job_variables": chosen})
    assert answer.status_code in (400, 409, 422)
