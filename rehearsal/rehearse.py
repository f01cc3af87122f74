"""A whole campaign on a simulated clock, through the same flows an operator runs.

The world (departments, townships, people) lives in ``rehearsal/``; the campaign lives in the record. Each event of the
world has a mark: killed and started again, the rehearsal goes on where it stopped, because every event can be made
twice. The clock is only ever an argument.
"""

from __future__ import annotations

import heapq
import importlib
import itertools
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from prefect.context import SyncClientContext
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import (
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)
from rich.console import Console

from comparison.plan_check import load_sound
from deployments import listing
from deployments.server import WITHOUT_SCHEDULES, as_our_client, prefect_server
from models.database import home, transaction
from models.errors import StorageUnavailable, WrongUse
from models.garbage import spare_what_stays
from models.plan import Plan
from models.plan_file import PLAN_NAME
from models.store import campaigns, documents
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from models.words import PHASE_KINDS
from rehearsal import beginning, outages
from rehearsal.diary import Diary
from rehearsal.drill import drill_plan, write
from rehearsal.outages import Outage
from rehearsal.world import World
from rules.actors import SIMULATED_APPROVER, SIMULATED_PREPARER
from rules.calendar import WorkCalendar
from rules.deadlines import expected, item_periods, nominal_due
from rules.ladder import rungs
from rules.periods import month
from rules.phases import comparing_flow, field_flow
from tasks.board import board_file, draw_board
from tasks.campaign import plan_in_force, short_name
from tasks.status import status

SLOW_IMPORTS = ("flows.mobilisation", "flows.data_comparison", "matplotlib.pyplot")
PREPARER, APPROVER = SIMULATED_PREPARER, SIMULATED_APPROVER
BEFORE_A_LOOK = timedelta(minutes=10)
"""How long before a sweep or a publication everything that has come is taken in."""
TOLD_WITHIN_SECONDS = 20.0
"""How long Prefect's client may take to deliver the last events and log lines of a rehearsal."""
FAR = datetime(9999, 1, 1, tzinfo=UTC)
PATIENCE_DAYS = 60
"""How long an acceptance waits for the last month's comparison before it fails for want of it."""


@dataclass(order=True)
class Event:
    """Something that happens at an instant. ``key`` is its mark; an event without one may happen again."""

    at: datetime
    order: int
    key: str = field(compare=False)
    what: str = field(compare=False)
    act: Callable[[datetime], object] = field(compare=False)
    """Does it; answers with a flow's result, or with nothing if no flow ran."""


class Rehearsal:
    """The agenda of one campaign and what is needed to act on it."""

    def __init__(self, plan: Plan, path: str, world: World, *, coarse: bool = False) -> None:
        self.plan, self.path, self.world, self.coarse = plan, path, world, coarse
        self.zone = ZoneInfo(plan.time_zone)
        self.calendar = WorkCalendar(plan.calendar)
        self._count = itertools.count()
        self._keys: set[str] = set()
        self.agenda: list[Event] = []
        self._looks: list[datetime] = []
        # What has come and was not taken in yet: nobody looks where nothing has. Of a rehearsal taken up again nothing is known.
        self._taken: set[str] = set()
        self._all_taken_back = False
        self.flow_runs = 0
        self.outages: dict[str, Outage] = {}

    # --- the agenda --------------------------------------------------------------------------------------

    def at(self, day: date, clock: str) -> datetime:
        """An instant in the plan's zone."""
        return datetime.combine(day, hour.fromisoformat(clock), tzinfo=self.zone)

    def add(self, at: datetime, key: str, what: str, act: Callable[[datetime], object]) -> None:
        """Puts an event on the agenda, each key once."""
        if key in self._keys:
            return
        self._keys.add(key)
        heapq.heappush(self.agenda, Event(at, next(self._count), key, what, act))

    def schedule(self) -> None:
        """Everything that is known before it starts: what the plan expects and how the world will behave."""
        plan = self.plan
        self.add(self.at(plan.starts, "08:00"), "mobilisation", "宣传发动", self._mobilise)
        for phase in plan.phases:
            kind = PHASE_KINDS[phase.kind]
            if kind.only_meanwhile:
                # Nothing can be prepared before the plan is in force, which takes the morning of its first day.
                self.add(self.at(max(phase.starts, plan.starts), "10:00"), f"{phase.kind}:{phase.id}", kind.name,
                         partial(self._of_phase, flow=kind.flow))
        rows = expected(plan)
        months = sorted({row.period for row in rows if row.kind == "feed" and row.period[5:].isdigit()})
        self.outages = outages.planned(plan.id, months, self.world.seed)
        deliveries, submissions = list(self.world.deliveries(rows)), list(self.world.submissions(rows))
        form_days = self._form_days(rows)
        sweeps = self._sweep_instants(rows, {
            **{(f"feed:{feed}", provider, period): arrival for feed, provider, period, arrival, is_faulty in deliveries if not is_faulty},
            **{(item, unit, period): arrival for item, unit, period, arrival, is_faulty in submissions if not is_faulty}})
        for instant in sweeps:
            self.add(instant, f"sweep:{instant.isoformat()}", "巡检催办", self._sweep)
        self._looks = sorted({*sweeps, *(self.at(day, "08:00") for day in form_days), *self._publications()})
        due = {(row.item, row.organisation, row.period): row.due_before for row in rows}
        for feed, provider, period, arrival, is_faulty in deliveries:
            key = f"deliver:{feed}:{provider}:{period}:{'faulty' if is_faulty else 'good'}"
            self.add(arrival, key, "部门送数", lambda at, args=(feed, provider, period, is_faulty): self._deliver(at, *args))  # type: ignore[misc]
            self._collect_on(arrival, period, due[f"feed:{feed}", provider, period], at_once=is_faulty)
        for item, organisation, period, arrival, is_faulty in submissions:
            key = f"hand-in:{item}:{organisation}:{period}:{'faulty' if is_faulty else 'good'}"
            self.add(arrival, key, "单位报送", lambda at, args=(item, organisation, period, is_faulty): self._hand_in(at, *args))  # type: ignore[misc]
            self._take_back_on(arrival)
        for day in form_days:
            self.add(self.at(day, "08:00"), f"contribution:{day}:open", "下发报表", self._contribute)
        for month_start in self.world.working_months():
            working_day = self._working_day(month_start)
            if working_day is not None:
                self.add(self.at(working_day, "09:00"), f"work:{working_day:%Y-%m}", "入户核查", self._work_rosters)
                self._take_back_on(self.at(working_day, "09:00"), at_once=True)
        for label in months:
            self.add(self.at(month(label).ends.replace(day=28), "12:00"), f"month:{label}", "月末",
                     lambda at, label=label: self.world.pass_month(label))  # type: ignore[misc]
        for bulletin_id, label, instant in self._bulletins():
            self.add(instant, f"bulletin:{bulletin_id}:{label}", "编发通报",
                     lambda at, args=(bulletin_id, label): self._bulletin(at, *args))  # type: ignore[misc]
        for final, day in ((False, plan.acceptance.provisional_on), (True, plan.acceptance.final_on)):
            self.add(self.at(day, "19:00"), f"acceptance:{final}", "总结验收",
                     lambda at, final=final: self._accept(at, final))  # type: ignore[misc]

    def _working_day(self, month_start: date) -> date | None:
        """The day of a month on which worked rosters come back; None where no field work is done."""
        if month_start not in self.world.working_months():
            return None
        return self.calendar.roll(month_start.replace(day=26), "previous_workday")

    def _bulletins(self) -> Iterator[tuple[str, str, datetime]]:
        for bulletin in self.plan.bulletins:
            for span in item_periods(self.plan, bulletin.cadence, bulletin.due):
                day = self.calendar.roll(nominal_due(bulletin.due, span), self.plan.calendar.roll)
                yield bulletin.id, span.label, self.at(day, "18:00")

    def _publications(self) -> Iterator[datetime]:
        """When something is published, for which everything that has come must be in."""
        yield from (instant for _, _, instant in self._bulletins())
        yield from (self.at(day, "19:00") for day in (self.plan.acceptance.provisional_on, self.plan.acceptance.final_on))

    def _collect_on(self, arrival: datetime, period: str, due_before: datetime, *, at_once: bool) -> None:
        """A department's file is taken in at the end of its day if it is faulty or late; files in good time wait for each
        other until the last day, or until somebody looks (on a coarse clock until the twentieth)."""
        day = arrival.astimezone(self.zone).date()
        instant = max(self.at(day, "17:00"), arrival + BEFORE_A_LOOK)
        if self.coarse:
            instant = self.at(max(day, min(day.replace(day=20), month(f"{day:%Y-%m}").ends)), "17:00")
        elif not at_once and arrival < due_before:
            last_day = self.at((due_before - timedelta(seconds=1)).astimezone(self.zone).date(), "17:00")
            instant = min(max(last_day, instant), self._before_next_look(arrival, last_day))
        self.add(instant, f"compare:{period}:{instant.isoformat()}", "数据比对", lambda at: self._compare(at, period))

    def _take_back_on(self, arrival: datetime, *, at_once: bool = False) -> None:
        """What has come in is taken back before somebody looks, ``at_once`` or at the latest at the month's end (on a coarse
        clock always then); the arrival itself is what counts."""
        day = arrival.astimezone(self.zone).date()
        instant = self.at(month(f"{day:%Y-%m}").ends, "23:59")
        if at_once:
            instant = self.at(day, "23:59")
        elif not self.coarse:
            instant = min(instant, self._before_next_look(arrival, instant))
        self.add(instant, f"contribution:{instant.isoformat()}", "回收报表", self._take_back)

    def _before_next_look(self, arrival: datetime, otherwise: datetime) -> datetime:
        """Shortly before the first sweep, form or publication after an arrival."""
        following = bisect_right(self._looks, arrival + BEFORE_A_LOOK)
        return self._looks[following] - BEFORE_A_LOOK if following < len(self._looks) else otherwise

    def _form_days(self, rows: list[Any]) -> list[date]:
        # Each of them, on a coarse clock too: who has no form hands nothing in.
        return sorted({row.opens_at.astimezone(self.zone).date() for row in rows if row.kind == "report"} - {self.plan.starts})

    def _sweep_instants(self, rows: list[Any], arrivals: Mapping[tuple[str, str, str], datetime]) -> list[datetime]:
        """Every instant at which a sweep finds something to do: a rung is reached for a unit that has not delivered, or a
        supervision falls due. The sweep asks for state, so others would do nothing."""
        ladders = {ladder.id: ladder for ladder in self.plan.ladders}
        ended: dict[tuple[str, date], datetime] = {}
        for row in rows:
            if row.ladder:
                came = arrivals.get((row.item, row.organisation, row.period), FAR)
                ended[row.ladder, row.effective] = max(came, ended.get((row.ladder, row.effective), came))
        instants = {rung.planned_at for (name, day), last in ended.items()
                    for rung in rungs(ladders[name], day, self.calendar, self.plan.time_zone) if rung.planned_at < last}
        for rule in self.plan.supervisions:
            for span in item_periods(self.plan, rule.cadence, rule.due):
                day = self.calendar.roll(nominal_due(rule.due, span), self.plan.calendar.roll)
                instants.add(self.at(day, "09:00"))
        ahead = sorted(instant for instant in instants if instant >= self.at(self.plan.starts, "08:30"))
        if not self.coarse:
            return ahead
        # A sweep asks for the state: what an earlier one would have sent is superseded by what a later one finds. Two a month do.
        halves = itertools.groupby(ahead, key=lambda instant: (instant.year, instant.month, instant.day > 15))
        return [max(half) for _, half in halves]

    # --- what happens ------------------------------------------------------------------------------------

    def _flow(self, flow: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self.flow_runs += 1
        return flow(*args, **named)

    def _mobilise(self, at: datetime) -> object:
        from flows.mobilisation import mobilisation

        result = self._flow(mobilisation, self.path, at)
        self.world.draft_forms()
        return result

    def _deliver(self, at: datetime, feed: str, provider: str, period: str, is_faulty: bool) -> None:
        self.world.deliver(feed, provider, period, at, is_faulty=is_faulty)
        self._taken.discard(period)

    def _of_phase(self, at: datetime, flow: str) -> object:
        return self._flow(listing.flow_named(flow), self.plan.id, at)

    def _compare(self, at: datetime, period: str) -> object:
        if period in self._taken:
            return {}
        self._taken.add(period)
        flow = listing.flow_named(comparing_flow(self.plan, at.astimezone(self.zone).date()))
        result = self._compared(flow, period, at)
        if result.get("waiting"):  # a file that came just now is not taken before it has settled
            self._taken.discard(period)
        if result.get("proposal"):
            self._await_release(result["run"], at)
        return result

    def _compared(self, flow: Callable[..., Any], period: str, at: datetime) -> Any:
        """What comparing answers; where the month's outage strikes, the run fails, and is made again when that is put right."""
        outage = self.outages.get(period)
        if outage is None or outage.has_struck:
            return self._flow(flow, self.plan.id, period, at, None, PREPARER)
        try:
            with outages.hanging(outage, at):
                return self._flow(flow, self.plan.id, period, at, None, PREPARER)
        except StorageUnavailable:
            if not outage.has_struck:
                raise
        return self._flow(flow, self.plan.id, period, at + outage.put_right_after, None, PREPARER)

    def _await_release(self, run_id: int, at: datetime) -> None:
        day = self.calendar.add_workdays(at.astimezone(self.zone).date(), 1)
        self.add(self.at(day, "10:00"), f"release:{run_id}", "清单下发", lambda moment: self._release(moment, run_id))

    def _release(self, at: datetime, run_id: int) -> object:
        from flows.release import release_lists

        result: object = {}

        with transaction() as tx:
            newest = findings_store.latest_run(tx, self.plan.id)
        if newest is not None and newest["id"] == run_id:
            # A newer run has its own proposal: an outdated one is never released.
            result = self._flow(release_lists, self.plan.id, run_id, APPROVER, at)
            day = self._working_day(at.astimezone(self.zone).date().replace(day=1))
            if day is not None and day > at.astimezone(self.zone).date():
                self.world.begin_rosters(self.at(day, "09:00"))
        return result

    def _work_rosters(self, at: datetime) -> None:
        self.world.work_rosters(at)
        self._all_taken_back = False

    def _hand_in(self, at: datetime, item: str, organisation: str, period: str, is_faulty: bool) -> None:
        self.world.hand_in(item, organisation, period, at, is_faulty=is_faulty)
        self._all_taken_back = False

    def _take_back(self, at: datetime) -> object:
        return {} if self._all_taken_back else self._contribute(at)

    def _contribute(self, at: datetime) -> object:
        self._all_taken_back = True
        result = self._flow(listing.flow_named(field_flow(self.plan, at.astimezone(self.zone).date())), self.plan.id, at)
        self.world.draft_forms()
        return result

    def _sweep(self, at: datetime) -> object:
        from flows.monthly_duty import sweep

        return self._flow(sweep, self.plan.id, at)

    def _bulletin(self, at: datetime, bulletin_id: str, period: str) -> object:
        from flows.monthly_duty import bulletin

        return self._flow(bulletin, self.plan.id, bulletin_id, period, at)

    def _accept(self, at: datetime, final: bool) -> object:
        from flows.acceptance import acceptance

        with transaction() as tx:
            ready = findings_store.latest_run(tx, self.plan.id, self.plan.acceptance.final_period if final else None)
        if ready is not None or at.date() > self.plan.acceptance.final_on + timedelta(days=PATIENCE_DAYS):
            return self._flow(acceptance, self.plan.id, final, at)
        # A register of the last month is late: nobody accepts without it.
        day = self.calendar.add_workdays(at.astimezone(self.zone).date(), 1)
        self.add(self.at(day, "19:00"), f"acceptance:{final}:{day}", "总结验收", lambda moment: self._accept(moment, final))
        return {}

    # --- playing it --------------------------------------------------------------------------------------

    def resume(self) -> set[str]:
        """The marks set so far; a proposal still waiting goes back onto the agenda."""
        with transaction() as tx:
            done = campaigns.marked(tx, self.plan.id)
            for period, outage in self.outages.items():
                outage.has_struck = f"{outages.MARK}{period}" in done
            if done:
                for release in findings_store.releases(tx, self.plan.id):
                    if release["released_at"] is None and f"release:{release['run_id']}" not in done:
                        self._await_release(release["run_id"], release["prepared_at"])
        return done

    def play(self, until: date | None) -> Iterator[tuple[Event, object]]:
        """Acts on every event in order of time, each once, and yields it with its answer when it is done; what was done
        before a rehearsal was taken up again is not told again."""
        done = self.resume()
        end = None if until is None else self.at(until + timedelta(days=1), "00:00")
        while self.agenda:
            event = heapq.heappop(self.agenda)
            if end is not None and event.at >= end:
                heapq.heappush(self.agenda, event)
                return
            if event.key in done:
                yield event, {}
                continue
            result = event.act(event.at)
            done.add(event.key)
            with transaction() as tx:
                campaigns.mark(tx, self.plan.id, event.key, event.at)
            yield event, result


def rehearse(campaign: str, *, persons: int | None = None, seed: int = 1, until: date | None = None,
             coarse: bool = False) -> dict[str, Any]:
    """Plays a campaign from its plan to its acceptance and answers with the figures of the summary.

    Raises PlanUnsound before anything is touched. With ``until`` it stops after that day; called again it goes on. A
    ``coarse`` clock looks at the campaign twice a month instead of every day: every phase, run and document is there, but
    reminders that a daily sweep would have sent are superseded.
    """
    began = time.monotonic()
    loaded = load_sound(campaign)
    plan = loaded.plan
    home()
    _refuse_a_real_campaign(plan.id)
    console = Console(stderr=True)
    prepared: list[Rehearsal] = []

    def prepare() -> None:
        world = World.open(loaded, persons=persons, seed=seed)
        drilled = drill_plan(plan, round(world.place.scale * world.place.config.persons), world.place.config.persons)
        if persons is not None and drilled.drill is not None and drilled.drill.persons != persons:
            raise WrongUse(f"a rehearsal with {drilled.drill.persons:,} persons was begun here.", where=str(home() / plan.id),
                           cure="Go on with as many, delete that folder's home, or rehearse in another: `--out DIR`.")
        path = write(drilled, home() / plan.id / "world" / PLAN_NAME)
        rehearsal = Rehearsal(drilled, str(path), world, coarse=coarse)
        rehearsal.schedule()
        console.print(f"{plan.name}：{world.place.scale * world.place.config.persons:,.0f} 名虚构人员，{len(rehearsal.agenda)} 个事件",
                      highlight=False, soft_wrap=True)
        prepared.append(rehearsal)
        for module in SLOW_IMPORTS:
            importlib.import_module(module)

    with ExitStack() as stack:
        stack.enter_context(beginning.processes())
        console.print("正在启动数据库和 Prefect 服务 …", highlight=False)
        stack.enter_context(served(meanwhile=prepare))
        spare_what_stays()
        last = _play(prepared[0], until, console)
        if last is not None:
            draw_board(plan.id, last.at, board_file(plan.id))
    return _result(plan, prepared[0], last, time.monotonic() - began)


@contextmanager
def served(*, meanwhile: Callable[[], object] = lambda: None) -> Iterator[None]:
    """A Prefect server for the duration, and the settings under which a rehearsal runs its flows; ``meanwhile`` is done while
    it starts. What one run costs under them is measured by ``python -m benchmarks flow_run``."""
    with prefect_server(meanwhile=meanwhile, settings=WITHOUT_SCHEDULES) as api, temporary_settings({
        **as_our_client(api), PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
        PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    }), SyncClientContext.get_or_create():  # one client for all runs, not one for each
        try:
            yield
        finally:
            # What the client still has to say goes out while there is a server: else it tries to reach one when the process ends.
            for service in (EventsWorker, APILogWorker):
                service.drain_all(timeout=TOLD_WITHIN_SECONDS)


def _refuse_a_real_campaign(campaign: str) -> None:
    """Raises WrongUse where the campaign is in force for real: made-up people must not be mixed with its own."""
    with transaction() as tx:
        is_real = campaigns.is_in_force(tx, campaign) and not campaigns.is_rehearsed(tx, campaign)
    if is_real and plan_in_force(campaign).drill is None:
        raise WrongUse("this campaign is in force here, with people of its own.", where=campaign,
                       cure="Rehearse in a home of its own: `canbao rehearse … --out DIR`.")


def _play(rehearsal: Rehearsal, until: date | None, console: Console) -> Event | None:
    """Plays the agenda, telling each day; returns the last event."""
    last: Event | None = None
    with Diary(console, rehearsal.plan.name, len(rehearsal.agenda)) as diary:
        for done, (event, result) in enumerate(rehearsal.play(until), start=1):
            last = event
            diary.happened(event.at.astimezone(rehearsal.zone).date(), event.what, result, done, done + len(rehearsal.agenda))
    return last


def _result(plan: Plan, rehearsal: Rehearsal, last: Event | None, seconds: float) -> dict[str, Any]:
    as_of = last.at if last else datetime.combine(plan.starts, hour(0), tzinfo=rehearsal.zone)
    with transaction() as tx:
        obligations = len(obligations_store.facts(tx, plan.id, as_of))
        silent = [
            {"organisation": short_name(plan, code), "steps": [
                f"{row['step_id']}{'' if row['state'] == 'sent' else '（' + row['state'] + '）'}"
                for row in obligations_store.steps_of(tx, plan.id, code) if row["period"] == period and row["item"] == item]}
            for code, item, period in rehearsal.world.silent_example()]
        marks = campaigns.marked(tx, plan.id)
        written = documents.all_of(tx, plan.id)
    failures = sorted(key.removeprefix(outages.MARK) for key in marks if key.startswith(outages.MARK))
    place = home() / plan.id
    return {
        "campaign": plan.id, "finished": not rehearsal.agenda, "until": as_of.date().isoformat(), "events": len(marks) - len(failures),
        "simulated_failures": failures,
        "flow_runs": rehearsal.flow_runs, "seconds": seconds, "obligations": obligations, "silent": silent,
        "status": status(plan.id, as_of),
        "worth_opening": {"工作看板": str(board_file(plan.id)), **{
            name: path for name, kind in (("验收报告", "acceptance:"), ("最近一期工作通报", "bulletin:"))
            if (path := _newest(written, kind)) is not None}},
        "places": {"验收报告": str(place / "documents" / "acceptance"),
                   "工作通报": str(place / "documents" / "bulletins"),
                   "手册和告知书": str(place / "documents" / "mobilisation"), "花名册": str(place / "rosters"),
                   "报表": str(place / "forms"), "催办消息": str(place / "messages"), "Prefect 日志": str(home() / "prefect-server.log")},
    }


def _newest(written: Sequence[Any], kind: str) -> str | None:
    """Where the newest text of a kind lies; its annexes are not asked for."""
    paths = [row["path"] for row in written if row["kind"].startswith(kind) and row["path"].endswith(".docx")]
    return paths[-1] if paths else None
