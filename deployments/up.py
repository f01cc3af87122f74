"""An installation that runs by itself: database, Prefect server with its UI, worker, deployments, automations, and a first
sweep. Whatever dies is started again; whatever was missed is made up for by asking the record.

The supervisor does nothing else: flows run in processes of the worker, the sweep in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import temporary_settings

from deployments import automations, installation, listing
from deployments.child import Child
from deployments.server import (
    TEMPORARY,
    WORKER,
    api_of,
    as_our_client,
    await_server,
    begin,
    environment,
    free_port,
    is_healthy,
    server_child,
)
from deployments.supervisor import HEALTH_FILE
from documents.files import write_atomically
from models.database import engine, ensure_running, home
from models.errors import StorageUnavailable
from models.loopback import reach_directly
from models.machine import machine
from models.plan_file import REPOSITORY
from models.prefect_password import GIVEN, place
from tasks.campaign import plan_in_force
from tasks.due import campaigns_in_force

LOOK_EVERY_SECONDS = 2.0
UNANSWERED_LOOKS = 15
"""A server that lives and has not answered for so many looks is started again."""
SWEEP_WITHIN_SECONDS = 600.0
STALE_SWEEP_HOURS = 26
"""Where no campaign is in force yet whose plan would say so."""

Clock = Callable[[], datetime]


@dataclass
class Installation:
    """What runs, and how it stands."""

    port: int
    clock: Clock
    say: Callable[[str], None]
    server: Child = field(init=False)
    worker: Child = field(init=False)
    told: dict[str, Any] = field(default_factory=dict)
    _unanswered: int = 0

    @property
    def api(self) -> str:
        """The API's address on the loopback."""
        return api_of(self.port)

    def start(self) -> None:
        """Everything in its order: the record, the server, what it must hold, one sweep, and only then the worker, so that
        late runs find done what the sweep did. Raises WrongUse for a setting of the machine that means nothing, before
        anything is started: every run would fail by it."""
        runs_at_once = machine().runs_at_once
        engine()
        self.server = server_child(self.port)
        begin(self.server)
        await_server(self.server, self.api)
        env = environment(self.api)
        with self.client() as client:
            installation.ensure_pool(client)
            self.deploy(client)
            self.told["automations"] = self._automate(client)
            self.told["sweeps"] = self.sweep()
            self.told["superseded"] = installation.supersede_missed(client, self.clock())
        self.worker = _worker(env, runs_at_once)
        begin(self.worker)

    def deploy(self, client: SyncPrefectClient) -> None:
        """Brings the deployments in step with the list in force; those that are, are left alone."""
        found = listing.in_force()
        installation.refuse_unknown_pool(found)
        wanting = installation.differences(client).to_deploy
        installation.deploy(wanting)
        installation.remove_outdated_schedules(client, wanting)
        self.told |= {"deployments": len(found), "deployed_now": len(wanting)}

    def _automate(self, client: SyncPrefectClient) -> int:
        alarm = next(entry.id for (entrypoint, _), entry in installation.deployed(client).items() if entrypoint == listing.ALARM)
        hours = [plan_in_force(campaign).sending.stale_sweep_hours for campaign in campaigns_in_force()]
        wanted = automations.automations(alarm, timedelta(hours=min(hours, default=STALE_SWEEP_HOURS)))
        automations.put_in_place(client, wanted)
        return len(wanted)

    def sweep(self) -> dict[str, bool]:
        """One sweep of every campaign in force as of now: of the steps missed only the highest is sent, what happened is told
        to the server, and runs that a power cut ended are shown as crashed."""
        env = environment(self.api)
        return {campaign: _swept(campaign, env) for campaign in campaigns_in_force()}

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """A client of this server, whatever the environment names."""
        with temporary_settings(as_our_client(self.api)), get_client(sync_client=True) as client:
            yield client

    def look(self) -> dict[str, Any]:
        """One look: the dead are started again, a silent server ended. Returns the health."""
        try:
            ensure_running()
        except StorageUnavailable as fault:
            self.say(str(fault))  # tried again at the next look
        answers = is_healthy(self.api)
        self._unanswered = 0 if answers else self._unanswered + 1
        if self._unanswered >= UNANSWERED_LOOKS and self.server.is_alive:
            self.server.stop()
        now = time.monotonic()
        for child in (self.server, self.worker):
            if child.revive(now):
                self._unanswered = 0
                self.say(f"{child.name} had ended and was started again (number {child.restarts}); {child.log} says why.")
        return self.health(answers)

    def health(self, answers: bool) -> dict[str, Any]:
        """How it stands, as the health file says it. Of the password it says where it stands."""
        return {
            "ui": self.api.removesuffix("/api"), "api": self.api,
            "password": (os.environ.get(GIVEN) and GIVEN) or str(place(home())), "home": str(home()), "supervisor": os.getpid(),
            "server": {"pid": self.server.pid, "healthy": answers, "restarts": self.server.restarts},
            "worker": {"pid": self.worker.pid, "healthy": self.worker.is_alive, "restarts": self.worker.restarts},
            **self.told, "healthy": answers and self.worker.is_alive, "at": self.clock().isoformat(),
        }

    def stop(self) -> None:
        """Ends the worker, then the server; the database goes with the last process that uses it."""
        for name in ("worker", "server"):
            if hasattr(self, name):
                getattr(self, name).stop()


def stay_up(port: int, clock: Clock, say: Callable[[str], None], ready: Callable[[dict[str, Any]], None]) -> None:
    """Runs an installation until Ctrl-C or SIGTERM; ``ready`` gets the health when everything runs. The health file
    ``up.json`` under CANBAO_HOME says how it stands, and is gone when nothing runs.
    Whoever calls it holds ``supervisor.only_one``."""
    place = home() / HEALTH_FILE
    reach_directly(os.environ)
    with ExitStack() as stack:
        place.unlink(missing_ok=True)
        shutil.rmtree(home() / TEMPORARY, ignore_errors=True)  # what killed runs left
        found = Installation(free_port(port), clock, say)
        if port not in (0, found.port):
            say(f"port {port} is taken by another program; a proxy that points there must point to {found.port}.")
        stack.enter_context(_stopping())
        stack.callback(place.unlink, missing_ok=True)
        stack.callback(found.stop)
        found.start()
        health = found.health(is_healthy(found.api))
        _write(place, health)
        ready(health)
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            _write(place, found.look())


class Stopped(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or a closed terminal: whatever is being waited for is given up."""


@contextmanager
def _stopping() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the block in good order, whatever is being done; asked again while it ends, they
    do nothing. Under nohup a closed terminal means nothing."""
    asking = [number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
              if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]

    def ask(number: int, frame: FrameType | None) -> None:
        for again in asking:
            signal.signal(again, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, ask) for number in asking}
    try:
        yield
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _worker(env: Mapping[str, str], runs_at_once: int) -> Child:
    """The worker: short duties beside one comparison (the queue ``matching`` lets one through)."""
    pool = listing.listing()["pool"]
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", pool,
               "--limit", str(runs_at_once), "--install-policy", "never"]
    return Child(WORKER, command, env, home() / f"{WORKER}.log", home() / f"{WORKER}.pid", REPOSITORY)


def _swept(campaign: str, env: Mapping[str, str]) -> bool:
    """A sweep in a process of its own: the supervisor stays small, and survives whatever happens in it."""
    try:
        with (home() / "sweep.log").open("ab") as output:
            done = subprocess.run([sys.executable, "-m", "canbao", "sweep", campaign], env=dict(env), stdout=output, stderr=output,
                                  cwd=REPOSITORY, timeout=SWEEP_WITHIN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False  # the worker's own sweeps go on; an installation without its first one is better than none
    return done.returncode == 0


def _write(place: Path, health: dict[str, Any]) -> None:
    def produce(path: Path) -> None:
        path.write_text(json.dumps(health, ensure_ascii=False), encoding="utf-8")

    write_atomically(place, produce)
