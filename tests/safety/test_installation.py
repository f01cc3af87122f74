"""A rehearsal that is killed and an installation that runs, looked at by another account of the machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from models import prefect_password, private
from tests.command_line import environment_of
from tests.patience import HANGS_AFTER_SECONDS, until

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as somebody else")]
NOBODY = 65534
USUAL_UMASK = 0o022


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in a folder that every account may enter."""
    around = Path(tempfile.mkdtemp(prefix="canbao-open-", dir="/tmp"))
    around.chmod(0o755)
    yield around / "home"
    shutil.rmtree(around, ignore_errors=True)


def _begun(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "canbao", *arguments], env={**environment_of(home), "CANBAO_ALLOW_ROOT": "1"}, text=True,
                            stdout=subprocess.PIPE, stderr=(home.parent / "said").open("a"), umask=USUAL_UMASK)


def _open(home: Path) -> list[str]:
    return [f"{path.relative_to(home)} {mode:o}" for path, mode in private.open_to_others(home)]


def _as_nobody(command: str) -> bytes:
    return subprocess.run(["sh", "-c", command], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, check=False).stdout


def _arguments() -> list[str]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found.append(" ".join(process.cmdline()))
    return found


def test_a_rehearsal_at_work_and_one_that_was_killed_are_open_to_nobody(home: Path) -> None:
    rehearsal = _begun(home, "rehearse", "chengjiang-2021", "--persons", "1500", "--until", "2021-05-31")
    try:
        until(lambda: rehearsal.poll() is not None or len(list(home.glob("*/originals/*/*"))) > 3, "no file was taken in")
        assert rehearsal.poll() is None, (home.parent / "said").read_text()[-2000:]
        assert _open(home) == []
        word = prefect_password.kept(home)
        assert word is not None
        assert word.partition(":")[2] not in " ".join(_arguments())
        assert _as_nobody(f"find {home} -mindepth 1; cat {home}/prefect-password {home}/*/* {home}/*/*/*") == b""
        rehearsal.kill()
        rehearsal.wait()
        assert _open(home) == []
        again = _begun(home, "rehearse", "chengjiang-2021", "--persons", "1500", "--until", "2021-04-30")
        assert again.wait(HANGS_AFTER_SECONDS) == 0, (home.parent / "said").read_text()[-2000:]
        assert _open(home) == []
        assert _as_nobody(f"find {home} -mindepth 1") == b""
    finally:
        rehearsal.kill()


def test_an_installation_is_open_to_nobody_and_does_nothing_for_whoever_asks(home: Path) -> None:
    home.parent.joinpath("list.yaml").write_text("deployments: []\n", encoding="utf-8")
    os.environ["CANBAO_PREFECT_FILE"] = str(home.parent / "list.yaml")
    up = _begun(home, "up", "--port", "0", "--json")
    try:
        assert up.stdout is not None
        line = up.stdout.readline()
        assert line, (home.parent / "said").read_text()[-2000:]
        health = json.loads(line)
        word = prefect_password.password(home).partition(":")[2]
        assert health["password"] == str(home / prefect_password.FILE)
        assert word not in line + (home / "up.json").read_text() + (home.parent / "said").read_text() + " ".join(_arguments())
        assert _open(home) == []
        seen = _as_nobody(f"cat /proc/*/environ /proc/*/cmdline {home}/up.json {home}/*.log 2>/dev/null")
        assert word.encode() not in seen
        with httpx.Client(trust_env=False) as anybody:
            assert anybody.post(f"{health['api']}/work_pools/", json={"name": "mine", "type": "process"}).status_code == 401
            assert anybody.post(f"{health['api']}/deployments/", content=b'{"name": "x", "flow_id": "x"}',
                                headers={"content-type": "text/plain", "origin": "http://evil.example"}).status_code == 403
        assert "prefect-password" in (home.parent / "said").read_text(), "whoever began it is told where the password stands"
        up.send_signal(signal.SIGKILL)
        up.wait()
        until(lambda: not any(health["api"].removesuffix("/api").rpartition(":")[2] in line and "prefect_app" in line for line in _arguments()),
              "the server outlived its supervisor")
        assert _open(home) == []
    finally:
        os.environ.pop("CANBAO_PREFECT_FILE", None)
        up.kill()
