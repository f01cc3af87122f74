"""An operator's day in Prefect's own pages, in a real browser: retry, approve, make anew, and see what was found.

One installation (`canbao up`) for all; the tests go on from one another as a day does.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as hour
from pathlib import Path
from typing import Any, Literal
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import duckdb
import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import create_engine, text

from comparison.plan_check import load_sound
from models.errors import CanbaoError
from models.prefect_password import password
from rules.calendar import WorkCalendar
from tests import patience
from tests.addresses import address_of
from tests.canary import Canary
from tests.command_line import canbao, environment_of
from tests.ui.browser import browser, see, shot

pytestmark = pytest.mark.long
CAMPAIGN, PERIOD = "chengjiang-2021", "2021-04"
PREPARER, APPROVER = "经办岗", "办公室副主任（审核）"
SCHEDULED_AHEAD = timedelta(minutes=2)
"""Far enough for Prefect's scheduler to make the run, near enough to have come when it is asked for."""
SHORTEST_TELLING_NAME = 3
"""Names of two characters stand in ordinary words, too."""


@dataclass
class Site:
    """A home, its server, and a browser."""

    home: Path
    address: str
    page: Page
    shots: Path

    @property
    def pages(self) -> str:
        """Where its pages are: those that a browser without an opinion is shown."""
        return f"{self.address}/v2"

    @property
    def _word(self) -> str:
        """The password of the home's own server, as its pages keep it and as a request sends it."""
        return base64.b64encode(password(self.home).encode()).decode()

    @property
    def _headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "authorization": f"Basic {self._word}"}

    def log_in(self) -> None:
        """What the page of the login does once somebody has typed the password."""
        self.page.add_init_script(f"localStorage.setItem('prefect-password', '{self._word}')")

    def api(self, path: str, **body: Any) -> Any:
        """What Prefect's server answers."""
        request = Request(f"{self.address}/api/{path}", json.dumps(body).encode(), self._headers)
        with urlopen(request, timeout=patience.HANGS_AFTER_SECONDS) as answer:
            return json.load(answer)

    def runs(self, flow: str, *states: str) -> list[dict[str, Any]]:
        """Runs of a flow in these states, the newest first."""
        found: list[dict[str, Any]] = self.api("flow_runs/filter", sort="START_TIME_DESC", flows={"name": {"any_": [flow]}})
        return [run for run in found if not states or run["state_name"] in states]

    def deployment(self, flow: str) -> dict[str, Any]:
        """The campaign's deployment of a flow."""
        (found,) = self.api("deployments/filter", flows={"name": {"any_": [flow]}})
        return dict(found)

    def schedule_once(self, flow: str, instant: datetime) -> None:
        """Moves the one schedule of a campaign's deployment to one minute, and lets it run."""
        deployment = self.deployment(flow)
        (schedule,) = deployment["schedules"]
        at = instant.astimezone(UTC)
        body = {"active": True, "schedule": {"cron": f"{at.minute} {at.hour} {at.day} {at.month} *", "timezone": "UTC"}}
        place = f"{self.address}/api/deployments/{deployment['id']}/schedules/{schedule['id']}"
        request = Request(place, json.dumps(body).encode(), self._headers, method="PATCH")
        with urlopen(request, timeout=patience.HANGS_AFTER_SECONDS):
            pass

    def begin(self, flow: str, **parameters: Any) -> dict[str, Any]:
        """Begins a run of the campaign's deployment of a flow."""
        made: dict[str, Any] = self.api(f"deployments/{self.deployment(flow)['id']}/create_flow_run",
                                        parameters={"campaign": CAMPAIGN, **parameters})
        return made

    def await_run(self, flow: str, *states: str, identity: str | None = None) -> dict[str, Any]:
        """Waits for a run of a flow in one of these states, or for just this one."""
        return patience.until(lambda: [run for run in self.runs(flow, *states) if identity in (None, run["id"])],
                              lambda: [(run["name"], run["state_name"]) for run in self.runs(flow)], pause_seconds=1)[0]

    def rows(self, sql: str, record: str = "canbao") -> list[tuple[Any, ...]]:
        """Rows of the record, or of Prefect's database."""
        address = address_of(self.home, record)
        engine = create_engine(address)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(sql))]
        engine.dispose()
        return found

    def show(self, run: dict[str, Any]) -> None:
        """Opens a run's page."""
        self.open(f"runs/flow-run/{run['id']}", run["name"])

    def open(self, place: str, *words: str) -> None:
        """Goes to a page, and waits until these words can be read there."""
        self.page.goto(f"{self.pages}/{place}")
        see(self.page, *words)

    def shot(self, name: str) -> None:
        """A picture of what is shown."""
        shot(self.page, self.shots, name)

    def press(self, name: str, role: Literal["button", "menuitem", "option"] = "button", within: Page | Locator | None = None) -> None:
        """Presses what bears this name."""
        (within or self.page).get_by_role(role, name=name, exact=True).first.click()

    @property
    def dialog(self) -> Locator:
        """The window before the page."""
        return self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog"))

    def field(self, label: str) -> Locator:
        """The field of the form that bears this label."""
        named = self.page.locator("label").filter(has_text=re.compile(rf"^{label}( \(Optional\))?$"))
        return self.page.locator(f"id={named.get_attribute('for')}")

    def choose(self, label: str, option: str) -> None:
        """Opens the choices that bear this label, and takes one."""
        self.field(label).click()
        self.press(option, "option")

    def close_choices(self) -> None:
        """Closes the list of choices that is open."""
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("option")).to_have_count(0)


def _prepared(home: Path) -> None:
    """A campaign in force, with the files of one month taken in, and its deployments without a clock."""
    def done(*arguments: str, codes: tuple[int, ...] = (0,)) -> None:
        process = canbao(home, *arguments)
        assert process.returncode in codes, process.stderr[-2000:]

    done("mobilise", CAMPAIGN, "--as-of", "2021-03-18T08:00:00+08:00")
    done("simulate", CAMPAIGN, "--persons", "800", "--periods", PERIOD, "--out", str(home / "place"))
    done("intake", CAMPAIGN, "--period", PERIOD, "--inbox", str(home / "place" / "inbox"), codes=(0, 1))
    done("deployments", CAMPAIGN, "--write", "--inactive", "--file", str(home / "prefect.yaml"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`canbao up`, and a browser. Of all schedules one is to come while the day goes on: that of the sweep."""
    folder = tmp_path_factory.mktemp("operator")
    home, shots = folder / "home", Path(os.environ.get("CANBAO_TEST_SHOTS", str(folder / "shots")))
    home.mkdir()
    shots.mkdir(parents=True, exist_ok=True)
    _prepared(home)
    environment = {**environment_of(home), "CANBAO_ALLOW_ROOT": "1", "CANBAO_PREFECT_FILE": str(home / "prefect.yaml")}
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen([sys.executable, "-m", "canbao", "up", "--port", "0"], env=environment, stdout=log, stderr=log)
    try:
        with browser() as page:
            found = Site(home, _address(home, up, folder / "up.log"), page, shots)
            found.log_in()
            found.schedule_once("sweep", datetime.now(UTC) + SCHEDULED_AHEAD)
            yield found
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(patience.HANGS_AFTER_SECONDS)


def _address(home: Path, up: subprocess.Popen[bytes], log: Path) -> str:
    health = home / "up.json"

    def is_ready() -> bool:
        assert up.poll() is None, log.read_text()[-3000:]
        return health.exists() and bool(json.loads(health.read_text()).get("healthy"))

    patience.until(is_ready, lambda: log.read_text()[-3000:], pause_seconds=0.5)
    return str(json.loads(health.read_text())["ui"])


def _chunks(site: Site) -> dict[str, int]:
    return {str(name): int(count) for name, count in site.rows("SELECT name, attempts FROM run_chunk")}


def test_the_campaigns_deployments_are_found(site: Site) -> None:
    site.open("deployments", "Deployments", CAMPAIGN)
    names = {entry["name"] for entry in site.api("flows/filter")}
    assert {"data-comparison", "rerun-comparison", "approve-release", "release-lists", "sweep", "bulletin"} <= names
    site.shot("deployments")


def test_what_the_first_sweep_found_is_told_before_anything_runs(site: Site) -> None:
    ((noted, told),) = site.rows("SELECT count(*), count(told_at) FROM event")
    assert noted == told > 0
    assert site.runs("data-comparison") == []


def test_a_run_whose_part_failed_is_retried_and_redoes_only_what_was_not_done(site: Site) -> None:
    snapshot = Path(site.rows("SELECT snapshot FROM delivery WHERE feed = 'disability' AND snapshot IS NOT NULL LIMIT 1")[0][0])
    state, kept = snapshot.stat(), snapshot.with_suffix(".kept")
    shutil.copy2(snapshot, kept)
    snapshot.write_bytes(b"unreadable" + kept.read_bytes()[10:])
    os.utime(snapshot, ns=(state.st_atime_ns, state.st_mtime_ns))
    site.begin("data-comparison", period=PERIOD, by=PREPARER)
    failed = site.await_run("data-comparison", "Failed")
    assert failed["name"] == f"{CAMPAIGN} {PERIOD} 数据比对"
    before = _chunks(site)
    assert before["people"] == 1
    assert before["lists"] == 0

    os.replace(kept, snapshot)
    os.utime(snapshot, ns=(state.st_atime_ns, state.st_mtime_ns))
    site.show(failed)
    see(site.page, "Failed")
    site.press("Open menu")
    site.press("Retry", "menuitem")
    see(site.dialog, "AwaitingRetry")
    site.press("Retry", within=site.dialog)
    completed = site.await_run("data-comparison", "Completed")
    assert completed["id"] == failed["id"]

    after = _chunks(site)
    assert after["people"] == before["people"]
    assert after["link:disability"] == before["link:disability"] + 1
    attempts = site.rows("SELECT flow_run, outcome, reason FROM run_attempt ORDER BY id")
    assert [(flow_run, outcome) for flow_run, outcome, _ in attempts] == [(failed["id"], "failed"), (failed["id"], "done")]
    assert "重试" in attempts[1][2]


def test_a_finished_run_shows_its_tables_and_pictures(site: Site) -> None:
    run = site.await_run("data-comparison", "Completed")
    site.show(run)
    tab = site.page.get_by_role("tab", name="Artifacts")
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    kinds = ("accounts", "categories", "lists", "links", "charts", "progress", "comparison")
    see(site.page, *(f"{CAMPAIGN}-{kind}-{PERIOD}" for kind in kinds))
    site.shot("artifacts")
    made = {entry["key"]: entry for entry in site.api("artifacts/filter")}
    site.open(f"artifacts/artifact/{made[f'{CAMPAIGN}-categories-{PERIOD}']['id']}", "户籍和居住证人口", "各类合计", "差额（应为 0）")
    site.shot("categories")
    site.open(f"artifacts/artifact/{made[f'{CAMPAIGN}-charts-{PERIOD}']['id']}")
    site.page.wait_for_function("[...document.querySelectorAll('img')].filter(image => image.naturalWidth > 100).length === 2")
    site.shot("charts")


def test_a_waiting_release_is_approved_in_its_form_by_somebody_else_and_goes_out(site: Site) -> None:
    waiting = site.await_run("approve-release", "Suspended")
    _decide(site, waiting, PREPARER)
    expect(site.page.locator("body")).not_to_contain_text("Provide input", use_inner_text=True)
    again = _asked_again(site, waiting)
    # From here on the approver has an account: the name alone counts for nothing.
    added = canbao(site.home, "account", "add", CAMPAIGN, "--post", APPROVER, "--codes", "--json")
    assert added.returncode == 0, added.stderr
    _decide(site, again, APPROVER, told="提请岗位不能批准")
    last = _asked_again(site, again)
    _decide(site, last, APPROVER, told="验证码无效", code=pyotp.TOTP(json.loads(added.stdout)["secret"]).now)
    site.await_run("approve-release", "Completed")
    proven = site.rows("SELECT actor, action, subject FROM audit WHERE action LIKE 'proven%'")
    assert proven == [(APPROVER, "proven by code", "account 1")]
    # The runs that are retried below were begun in a name that nobody has proven, which no campaign with accounts would take again.
    assert canbao(site.home, "account", "remove", CAMPAIGN, "--account", "1").returncode == 0
    assert [row[:2] for row in site.rows("SELECT approved_by, reason, released_at FROM release WHERE released_at IS NOT NULL")] == [
        (APPROVER, "数量已核对")]
    assert list((site.home / CAMPAIGN / "rosters").rglob("*.xlsx"))


def _asked_again(site: Site, before: dict[str, Any]) -> dict[str, Any]:
    """The run that waits once more, after an answer that did not count."""
    found = patience.until(lambda: [run for run in site.runs("approve-release", "Suspended") if run["state_id"] != before["state_id"]],
                           lambda: [run["state_name"] for run in site.runs("approve-release")], pause_seconds=1)
    assert site.rows("SELECT approved_by FROM release") == [(None,)]
    return found[0]


def _decide(site: Site, run: dict[str, Any], by: str, told: str = "", code: Callable[[], str] = str) -> None:
    site.show(run)
    site.press("Open menu")
    site.press("Resume", "menuitem")
    see(site.dialog, "审批岗位", "清单下发", told)
    site.shot("asked-again" if told else "asked")
    site.field("审批岗位").fill(by)
    site.choose("决定", "批准")
    site.field("理由").fill("数量已核对")
    site.field("验证码").fill(code())
    if told:
        site.shot("approval")
    site.press("Resume", within=site.dialog)


def test_a_rerun_is_begun_from_its_form_and_shows_old_against_new(site: Site) -> None:
    listed = site.rows("SELECT list, subject, status FROM finding ORDER BY 1, 2")
    site.open(f"deployments/deployment/{site.deployment('rerun-comparison')['id']}")
    site.press("Run")
    site.press("Custom run", "menuitem")
    see(site.page, "dry_run")
    for label, written in {"period": PERIOD, "by": PREPARER, "reason": "口径复核"}.items():
        site.field(label).fill(written)
    site.choose("chunks", "lists")
    site.close_choices()
    site.shot("rerun")
    site.press("Submit")
    run = site.await_run("rerun-comparison", "Completed", "Failed")
    assert (run["state_name"], run["parameters"]["chunks"]) == ("Completed", ["lists"])
    changes = next(entry for entry in site.api("artifacts/filter") if entry["key"] == f"{CAMPAIGN}-changes-{PERIOD}")
    site.open(f"artifacts/artifact/{changes['id']}", "新旧对照", "试算，未替换")
    site.shot("changes")
    assert site.rows("SELECT list, subject, status FROM finding ORDER BY 1, 2") == listed
    assert len(site.rows("SELECT id FROM run_attempt")) == 2


def test_a_run_that_only_the_schedule_began_was_picked_up_and_completed(site: Site) -> None:
    run = site.await_run("sweep", "Completed")
    assert run["auto_scheduled"]
    assert run["parameters"] == {"campaign": CAMPAIGN}
    expected, began, ended = (datetime.fromisoformat(run[name]) for name in ("expected_start_time", "start_time", "end_time"))
    assert expected <= began <= ended


def test_what_happened_stands_in_the_event_feed_with_what_it_concerns(site: Site) -> None:
    # Ladders keep silent on days off: a sweep of the next workday sends something on whatever day this runs.
    plan = load_sound(CAMPAIGN).plan
    today = datetime.now(ZoneInfo(plan.time_zone)).date()
    workday = datetime.combine(WorkCalendar(plan.calendar).add_workdays(today, 1), hour(10), tzinfo=ZoneInfo(plan.time_zone))
    begun = site.begin("sweep", as_of=workday.isoformat())
    site.await_run("sweep", "Completed", identity=begun["id"])
    for event in ("canbao.report.missed", "canbao.step.sent", "canbao.feed.late", "canbao.approval.waiting"):
        # Prefect gathers events for two seconds before it writes them.
        patience.until(lambda event=event: site.api("events/filter", filter={"event": {"name": [event]}})["total"], event)  # type: ignore[misc]
    (waiting,) = site.api("events/filter", filter={"event": {"name": ["canbao.approval.waiting"]}})["events"]
    assert waiting["resource"]["prefect.resource.id"] == f"canbao.campaign.{CAMPAIGN}"
    assert {"organisation", "run", "flow-run"} <= {entry["prefect.resource.role"] for entry in waiting["related"]}
    site.open("events")
    site.press("Filter by event type")
    site.press("canbao.report.missed", "option")
    site.close_choices()
    see(site.page, "Canbao Report Missed", f"{CAMPAIGN} 2021-04 monthly_report")
    site.shot("events")


def test_a_finished_run_that_is_retried_redoes_nothing(site: Site) -> None:
    finished, before = site.await_run("data-comparison", "Completed"), _chunks(site)
    answer = site.api(f"flow_runs/{finished['id']}/set_state", state={"type": "SCHEDULED", "name": "AwaitingRetry"})
    assert answer["status"] == "ACCEPT"
    patience.until(
        lambda: (again := site.runs("data-comparison")[0])["run_count"] > finished["run_count"] and again["state_name"] == "Completed",
        lambda: site.runs("data-comparison")[0]["state_name"], pause_seconds=1)
    assert _chunks(site) == before
    assert len(site.rows("SELECT id FROM run_attempt")) == 2


def test_no_result_is_kept_and_no_person_stands_anywhere_in_prefect(site: Site) -> None:
    truth = site.home / "place" / "truth" / PERIOD / "persons.csv"
    people = duckdb.execute("SELECT id_number, name FROM read_csv($1, all_varchar = true)", [str(truth)]).fetchall()
    assert len(people) >= 800
    canary = Canary({row[0] for row in people}, {row[1] for row in people if len(row[1]) >= SHORTEST_TELLING_NAME})
    seen: Counter[str] = Counter()
    for (table,) in site.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "prefect"):
        for (row,) in site.rows(f'SELECT to_jsonb(t)::text FROM "{table}" t', "prefect"):
            seen[table] += 1
            assert not canary.sees(row), table
    assert all(seen[table] for table in ("artifact", "events", "event_resources", "flow_run_input", "log"))
    # Prefect keeps what ended a run that failed; that is our own error, which names nobody, and of the others nothing.
    kept = list((site.home / "prefect" / "storage").iterdir())
    assert len(kept) == len({row[0] for row in site.rows("SELECT flow_run FROM run_attempt WHERE outcome = 'failed'")}) == 1
    fault = pickle.loads(base64.b64decode(kept[0].read_bytes()))
    assert isinstance(fault, CanbaoError)
    assert fault.__cause__ is fault.__context__ is fault.__traceback__ is None
