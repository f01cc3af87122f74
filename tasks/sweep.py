"""The sweep: what is due as of this instant and not yet done? Steps and messages in one transaction, sending after.

Safe at any time, any number of times, by two processes at once, after any downtime (design.md, 2 and 4).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping

from models.database import transaction
from models.plan import Ladder, LadderStep, Plan, Recipient
from models.store import campaigns, outbox
from models.store import findings as candidates_store
from models.store import obligations as store
from rules.calendar import WorkCalendar
from rules.ladder import Rung, next_actions, pause_ends, rungs, wording
from rules.periods import period_name
from tasks import events
from tasks.campaign import plan_in_force, short_name, today
from tasks.effect import effect

BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
"""Before every deadline: the last sweep of a campaign that was never swept."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Nothing is left to do about a row unless something happens to it."""


class StepOf(NamedTuple):
    """One step of a ladder for one item and period: what many organisations get at the same time."""

    item: str
    period: str
    step: str
    occurrence: int


@lru_cache(maxsize=64)
def _calendar(plan_id: str, policy: Any) -> WorkCalendar:
    return WorkCalendar(policy)


@effect("巡检催办 sweep")
def sweep_obligations(campaign: str, as_of: datetime) -> dict[str, int]:
    """Records every rung reached as of an instant and writes its messages into the outbox, all in one transaction.

    Only rows at which something can have changed are looked at: each remembers when that is the earliest, and whatever
    happens to it (a submission, an extension, an acknowledgement) clears that.
    """
    plan = plan_in_force(campaign)
    counted: Counter[str] = Counter(sent=0, superseded=0, cancelled=0, messages=0)
    if not plan.ladders:
        return dict(counted)
    climb = _Climb(plan, as_of)
    earliest = min(step.offset_working_days for ladder in plan.ladders for step in ladder.steps)
    # A workday offset of n reaches at most 2 n + 15 calendar days: the longest run of days off is shorter than that.
    horizon = as_of + timedelta(days=2 * max(0, -earliest) + 15)
    sent: dict[StepOf, list[str]] = defaultdict(list)
    with transaction() as tx:
        last = 0
        while rows := store.climbing(tx, campaign, as_of, horizon, sorted(climb.ladders), after=last):
            done = climb.all(rows)
            store.record_steps(tx, done.steps)
            outbox.write(tx, done.messages)
            for candidate in done.candidates:
                candidates_store.propose_candidate(tx, plan.id, **candidate, at=as_of)
            store.look_again(tx, done.look_at)
            counted.update(step["state"] for step in done.steps)
            counted["messages"] += len(done.messages)
            last = rows[-1]["id"]
            for step_of, organisations in done.sent.items():
                sent[step_of] += organisations
        _note_facts(tx, campaign, as_of, sent)
        campaigns.record_sweep(tx, campaign, as_of, counted["sent"])
    return dict(counted)


@dataclass
class _Done:
    """What a sweep does about some obligations: ledger rows, messages, candidates, and when to look again."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    candidates: list[dict[str, Any]] = field(default_factory=list)
    look_at: dict[int, datetime] = field(default_factory=dict)
    sent: dict[StepOf, list[str]] = field(default_factory=lambda: defaultdict(list))


def _note_facts(tx: Connection, campaign: str, as_of: datetime, sent: dict[StepOf, list[str]]) -> None:
    """What this sweep did and found, for the event feed: steps sent, and what fell due since the last one and is not there."""
    for step_of, organisations in sent.items():
        events.note(tx, campaign, events.STEP_SENT, f"{'/'.join(map(str, step_of))}/{as_of.isoformat()}", as_of, step_of.item,
                    organisations=sorted(organisations), period=step_of.period, step=step_of.step, occurrence=step_of.occurrence)
    events.note_due_passed(tx, campaign, campaigns.last_sweep(tx, campaign) or BEGINNING, as_of)


class _Climb:
    """One sweep's view of a plan: its ladders, and the rungs of each deadline worked out once."""

    def __init__(self, plan: Plan, as_of: datetime) -> None:
        self.plan, self.as_of = plan, as_of
        self.ladders = {ladder.id: ladder for ladder in plan.ladders}
        self.calendar = _calendar(plan.id, plan.calendar)
        self._steps = {(ladder.id, step.id): step for ladder in plan.ladders for step in ladder.steps}
        self._rungs: dict[tuple[str, date], tuple[Rung, ...]] = {}
        self._days_late: dict[date, int] = {}

    def all(self, rows: Sequence[RowMapping]) -> _Done:
        """What is to be done about each row."""
        done = _Done()
        for row in rows:
            self._one(row, done)
        return done

    def _one(self, row: RowMapping, done: _Done) -> None:
        ladder, due_day = self.ladders[row["ladder"]], self._due_day(row)
        rungs_of_row = self._rungs_for(ladder, due_day)
        recorded = {(key.rpartition("#")[0], int(key.rpartition("#")[2])) for key in row["recorded"]}
        paused = None
        if row["acknowledged_at"]:
            paused = pause_ends(ladder, row["acknowledged_at"], self.calendar, self.plan.time_zone)
        actions = next_actions(ladder, rungs_of_row, recorded, self.as_of, ended_at=row["ended_at"],
                               paused_until=paused, calendar=self.calendar, is_unreached=row["is_unreached"])
        for state, chosen in (("superseded", actions.supersede), ("cancelled", actions.cancel), ("sent", actions.send)):
            done.steps += [
                {"obligation_id": row["id"], "step_id": rung.step_id, "occurrence": rung.occurrence, "kind": rung.kind,
                 "planned_at": rung.planned_at, "recorded_at": self.as_of, "state": state} for rung in chosen]
        for rung in actions.send:
            done.sent[StepOf(row["item"], row["period"], rung.step_id, rung.occurrence)].append(row["organisation"])
            self._speak(row, self._steps[ladder.id, rung.step_id], rung, due_day, done)
        ahead = [rung.planned_at for rung in rungs_of_row if rung.planned_at > self.as_of]
        done.look_at[row["id"]] = min([*ahead[:1], *([actions.held_until] if actions.held_until else [])], default=NEVER)

    def _due_day(self, row: RowMapping) -> date:
        if row["extended_to"] is None:
            day: date = row["effective_due"]
            return day
        return today(self.plan, row["extended_to"] - timedelta(seconds=1))

    def _rungs_for(self, ladder: Ladder, due_day: date) -> tuple[Rung, ...]:
        key = ladder.id, due_day
        if key not in self._rungs:
            self._rungs[key] = rungs(ladder, due_day, self.calendar, self.plan.time_zone)
        return self._rungs[key]

    def _late(self, due_day: date) -> int:
        if due_day not in self._days_late:
            late = self.calendar.workdays_between(due_day, today(self.plan, self.as_of))
            self._days_late[due_day] = max(0, late)
        return self._days_late[due_day]

    def _speak(self, row: RowMapping, step: LadderStep, rung: Rung, due_day: date, done: _Done) -> None:
        done.messages += _messages(self.plan, step, rung, row, due_day, self.as_of, self._late(due_day))
        if step.kind == "candidate":
            done.candidates.append({
                "organisation": row["organisation"], "kind": "supervision", "occasion": f"{row['item']}/{row['period']}",
                "evidence": {"report": row["name"], "period": row["period"], "due": row["effective_due"].isoformat()}})


def _messages(plan: Plan, step: LadderStep, rung: Rung, row: RowMapping, due_day: date, as_of: datetime,
              days_late: int) -> Iterator[dict[str, Any]]:
    subject, body = wording(
        step, org=short_name(plan, row["organisation"]), report=row["name"], period=period_name(row["period"]),
        due=f"{due_day.month}月{due_day.day}日", nominal_due=f"{row['nominal_due'].month}月{row['nominal_due'].day}日",
        campaign=plan.name, office=short_name(plan, row["owed_to"]), step=step.name,
        days_late=days_late)
    for recipient in step.to:
        code = _code(plan, recipient, row)
        yield {
            "campaign_id": plan.id, "obligation_id": row["id"], "organisation": code, "role": recipient.role,
            "key": f"{row['id']}/{step.id}/{rung.occurrence}/{code}/{recipient.role}", "channel": step.channel,
            "address": _address(plan, code, recipient.role), "kind": step.kind, "subject": subject, "body": body,
            "written_at": as_of, "attempts": 0,
        }


def _code(plan: Plan, recipient: Recipient, row: RowMapping) -> str:
    if recipient.org == "self":
        return str(row["organisation"])
    if recipient.org == "to":
        return str(row["owed_to"])
    if recipient.org == "parent":
        return plan.organisation(row["organisation"]).parent or plan.office
    return recipient.org


def _address(plan: Plan, code: str, role: str) -> str:
    contacts = plan.organisation(code).contacts
    return next((entry.address for entry in contacts if entry.role == role), "")
