"""A bad day of a real installation: nothing runs over the scheduled moment, the worker dies at work, the server dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import temporary_settings
from prefect.states import Scheduled
from sqlalchemy import URL, create_engine, text

from comparison.plan_check import load_sound
from deployments import automations, installation, listing
from deployments.child import end_family
from deployments.server import as_our_client
from models import database
from models.database import transaction
from tests import patience
from tests.conftest import fresh_record
from tests.tasks import a_comparison

CAMPAIGN = a_comparison.CAMPAIGN
COMPARISON = ("flows/data_comparison.py:data_comparison", CAMPAIGN)
ACCEPTANCE = ("flows/acceptance.py:acceptance", CAMPAIGN)
MONTHLY = CronSchedule(cron="0 3 1 * *", timezone="Asia/Shanghai")
MISSED = [datetime(2016, 5, day, 6, tzinfo=ZoneInfo("Asia/Shanghai")) for day in (11, 12, 13)]
"""Three moments over which nothing ran."""
pytestmark = pytest.mark.long


@pytest.fixture
def home(server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A campaign in force with two months of accepted files, never compared, and its own list of deployments."""
    plan = load_sound(CAMPAIGN).plan
    listed = tmp_path / "prefect.yaml"
    # Inactive, and only what is needed: the test alone decides what runs. Only a schedule that is far off is active.
    own = [entry for entry in listing.entries(plan, active=False) if (entry["entrypoint"], CAMPAIGN) in (COMPARISON, ACCEPTANCE)]
    own[-1]["schedules"] = [{"slug": "monthly", "cron": MONTHLY.cron, "timezone": MONTHLY.timezone, "active": True}]
    listed.write_text(listing.text(listing.with_campaign([], CAMPAIGN, own)), encoding="utf-8")
    monkeypatch.setenv("CANBAO_PREFECT_FILE", str(listed))
    monkeypatch.delenv("PREFECT_HOME")
    (tmp_path / "home").mkdir(mode=0o700)
    with fresh_record(server, tmp_path / "home") as made:
        a_comparison.accept(tmp_path, persons=400)
        yield made
        _drop_history(server)


def _drop_history(server: URL) -> None:
    admin = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = str(create_engine(database.url("prefect")).url.database)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


class Up:
    """`canbao up` in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen([sys.executable, "-m", "canbao", "up", "--port", "0", "--json"], stdout=subprocess.PIPE,
                                        stderr=(home / "up.log").open("ab"), text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (home / "up.log").read_text()
        self.health: dict[str, Any] = json.loads(line)

    def now(self) -> dict[str, Any]:
        """How it stands at this moment, as its health file says."""
        found: dict[str, Any] = json.loads((self.home / "up.json").read_text())
        return found

    def client(self) -> SyncPrefectClient:
        """A client of its server."""
        with temporary_settings(as_our_client(self.health["api"])):
            return get_client(sync_client=True)

    def stop(self) -> int:
        """SIGTERM, as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience.HANGS_AFTER_SECONDS)


def _await(what: str, condition: Callable[[], object]) -> None:
    patience.until(condition, what)


def _of_record(query: str) -> Any:
    with transaction() as tx:
        return tx.execute(text(query)).scalar()


def _made_ahead(client: SyncPrefectClient, deployment: UUID) -> list[datetime]:
    """The instants of the runs that the scheduler has made."""
    chosen = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    return sorted(run.expected_start_time for run in client.read_flow_runs(flow_run_filter=chosen) if run.expected_start_time)


def _make_missed(client: SyncPrefectClient, deployment: UUID) -> list[UUID]:
    """What the scheduler had made ahead when the power went: runs whose moments pass while nothing runs."""
    ids = [client.create_flow_run_from_deployment(deployment, state=Scheduled(scheduled_time=at)).id for at in MISSED]
    history = create_engine(database.url("prefect"))
    with history.begin() as connection:
        connection.execute(text("UPDATE flow_run SET auto_scheduled = true, tags = '[\"auto-scheduled\"]' WHERE id = ANY(:ids)"), {"ids": ids})
    history.dispose()
    return ids


def test_an_installation_lives_through_a_bad_day(home: Path) -> None:
    up = Up(home)
    try:
        assert (up.health["healthy"], up.health["sweeps"]) == (True, {CAMPAIGN: True})
        with up.client() as client:
            first = {entry.id for entry in client.read_automations()}
            assert len(first) == 8
            assert installation.differences(client) == installation.Differences((), ())
            # The power goes while the moments pass.
            client.update_work_pool(listing.listing()["pool"], WorkPoolUpdate(is_paused=True))
            missed = _make_missed(client, installation.deployed(client)[COMPARISON].id)
            # Prefect's own scheduler works: the next months' runs are made ahead, at the instants of the schedule.
            acceptance = installation.deployed(client)[ACCEPTANCE].id
            _await("no run was made ahead", lambda: _made_ahead(client, acceptance))
            assert _made_ahead(client, acceptance)[:3] == asyncio.run(MONTHLY.get_dates(n=3))
        children = [psutil.Process(up.health[name]["pid"]) for name in ("server", "worker")]
        assert up.stop() == 0, (home / "up.log").read_text()
        assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
        assert not (home / "up.json").exists()

        up = Up(home)
        assert (up.health["superseded"], up.health["deployed_now"]) == (2, 0)
        with up.client() as client:
            assert {entry.id for entry in client.read_automations()} == first, "automations deployed twice are there once"
            assert {entry.name for entry in client.read_automations()} == {core.name for core in automations.automations(
                installation.deployed(client)[listing.ALARM, "canbao"].id, automations.timedelta(hours=1))}
            client.update_work_pool(listing.listing()["pool"], WorkPoolUpdate(is_paused=False))

            # The worker is killed in the middle of the comparison, with the process in which it runs.
            _await("no chunk was done", lambda: _of_record("SELECT count(*) FROM run_chunk WHERE state = 'done'"))
            worker = psutil.Process(up.now()["worker"]["pid"])
            for process in [worker, *worker.children(recursive=True)]:
                process.kill()
            done_before = _of_record("SELECT count(*) FROM run_chunk WHERE state = 'done'")
            _await("the worker was not started again", lambda: up.now()["worker"]["restarts"] == 1 and up.now()["healthy"])
            assert client.read_flow_run(missed[-1]).state.type.value == "RUNNING", "Prefect has not noticed"  # type: ignore[union-attr]
            swept = subprocess.run([sys.executable, "-m", "canbao", "sweep", CAMPAIGN, "--json"], capture_output=True, text=True, check=True,
                                   env={**os.environ, "PREFECT_API_URL": up.health["api"]})
            assert client.read_flow_run(missed[-1]).state.type.value == "CRASHED", swept.stdout  # type: ignore[union-attr]
            messages = _of_record("SELECT count(*) FROM message WHERE kind <> 'alarm'")

            # Retry, as the UI does it.
            client.request("POST", "/flow_runs/{id}/set_state", path_params={"id": missed[-1]}, json={
                "state": {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}, "force": True})
            _await("the retried run did not complete", lambda: client.read_flow_run(missed[-1]).state.is_completed())  # type: ignore[union-attr]
            states = [client.read_flow_run(run).state.name for run in missed]  # type: ignore[union-attr]
            assert states[:2] == ["Superseded", "Superseded"]
            assert _of_record("SELECT count(*) FROM run WHERE state = 'done'") == 2, "March and April, once each"
            assert _of_record("SELECT max(attempts) FROM run_chunk WHERE state = 'done'") <= 2
            assert _of_record("SELECT count(*) FROM run_chunk WHERE attempts = 1") >= done_before > 0, "what was done was not done again"
            assert _of_record("SELECT count(*) FROM message WHERE kind <> 'alarm'") == messages, "nothing is sent twice"

        # The server is killed; whoever supervises starts it again.
        psutil.Process(up.now()["server"]["pid"]).kill()
        _await("the server was not started again", lambda: up.now()["server"]["restarts"] == 1 and up.now()["healthy"])
        found = subprocess.run([sys.executable, "-m", "canbao", "doctor", "--json"], capture_output=True, text=True, check=False)
        wrong = [entry for entry in json.loads(found.stdout)["findings"] if entry["state"] == "mend"]
        assert wrong == [], wrong
        assert up.stop() == 0
    finally:
        end_family(up.process.pid)
