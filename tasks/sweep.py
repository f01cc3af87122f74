"""The sweep: what is due as of this instant and not yet done? Steps and messages in one transaction, sending after.

Safe at any time, any number of times, by two processes at once, after any downtime (design.md, 2 and 4).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import RowMapping

from documents.files import write_atomically
from models.database import transaction
from models.plan import Ladder, LadderStep, Plan, Recipient
from models.store import campaigns
from models.store import findings as candidates_store
from models.store import obligations as store
from rules.calendar import WorkCalendar
from rules.ladder import Rung, next_actions, pause_ends, rungs, wording
from tasks.campaign import folder, period_name, plan_in_force, short_name, today
from tasks.effect import effect


@lru_cache(maxsize=64)
def _calendar(plan_id: str, policy: Any) -> WorkCalendar:
    return WorkCalendar(policy)


@effect("巡检催办 sweep")
def sweep_obligations(campaign: str, as_of: datetime) -> dict[str, int]:
    """Records every rung reached as of an instant and writes its messages into the outbox, all in one transaction."""
    plan = plan_in_force(campaign)
    calendar = _calendar(plan.id, plan.calendar)
    ladders = {ladder.id: ladder for ladder in plan.ladders}
    sizes = {name: len(rungs(ladder, plan.starts, calendar, plan.time_zone)) for name, ladder in ladders.items()}
    counted: Counter[str] = Counter()
    if not ladders:
        return {}
    earliest = min(step.offset_working_days for ladder in plan.ladders for step in ladder.steps)
    # A workday offset of n reaches at most 2 n + 15 calendar days: the longest run of days off is shorter than that.
    horizon = as_of + timedelta(days=2 * max(0, -earliest) + 15)
    with transaction() as tx:
        steps: list[dict[str, Any]] = []
        messages: list[dict[str, Any]] = []
        for row in store.climbing(tx, campaign, as_of, horizon, sizes):
            _climb(plan, ladders[row["ladder"]], calendar, row, as_of, steps, messages, tx)
        for step in steps:
            counted[step["state"]] += 1
        store.record_steps(tx, steps)
        store.write_messages(tx, messages)
        campaigns.record_sweep(tx, campaign, as_of, counted["sent"])
    return {"sent": counted["sent"], "superseded": counted["superseded"], "cancelled": counted["cancelled"],
            "messages": len(messages)}


def _climb(plan: Plan, ladder: Ladder, calendar: WorkCalendar, row: RowMapping, as_of: datetime,
           steps: list[dict[str, Any]], messages: list[dict[str, Any]], tx: Any) -> None:
    due_day = row["effective_due"]
    if row["extended_to"] is not None:
        due_day = today(plan, row["extended_to"] - timedelta(seconds=1))
    recorded = {(key.rpartition("#")[0], int(key.rpartition("#")[2])) for key in row["recorded"]}
    paused = pause_ends(ladder, row["acknowledged_at"], calendar, plan.time_zone) if row["acknowledged_at"] else None
    all_rungs = rungs(ladder, due_day, calendar, plan.time_zone)
    actions = next_actions(ladder, all_rungs, recorded, as_of, ended_at=row["ended_at"], paused_until=paused,
                           calendar=calendar)
    for state, chosen in (("superseded", actions.supersede), ("cancelled", actions.cancel), ("sent", actions.send)):
        for rung in chosen:
            steps.append({"obligation_id": row["id"], "step_id": rung.step_id, "occurrence": rung.occurrence,
                          "kind": rung.kind, "planned_at": rung.planned_at, "recorded_at": as_of, "state": state})
    for rung in actions.send:
        step = next(entry for entry in ladder.steps if entry.id == rung.step_id)
        messages.extend(_messages(plan, step, rung, row, due_day, as_of, calendar))
        if step.kind == "candidate":
            candidates_store.propose_candidate(
                tx, plan.id, row["organisation"], "supervision", f"{row['item']}/{row['period']}",
                {"report": row["name"], "period": row["period"], "due": row["effective_due"].isoformat()}, as_of)


def _messages(plan: Plan, step: LadderStep, rung: Rung, row: RowMapping, due_day: Any, as_of: datetime,
              calendar: WorkCalendar) -> Iterable[dict[str, Any]]:
    subject, body = wording(
        step, org=short_name(plan, row["organisation"]), report=row["name"], period=period_name(row["period"]),
        due=f"{due_day.month}月{due_day.day}日", nominal_due=f"{row['nominal_due'].month}月{row['nominal_due'].day}日",
        campaign=plan.name, office=short_name(plan, row["owed_to"]), step=step.name,
        days_late=max(0, calendar.workdays_between(due_day, today(plan, as_of))))
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


@effect("发送消息 send")
def send_messages(campaign: str, as_of: datetime) -> dict[str, int]:
    """Empties the outbox. The embedded channel writes each message as a file; its name is its key's hash, so a message
    written before a crash and again after it is one file."""
    outbox = folder(campaign, "messages")
    sent = 0
    with transaction() as tx:
        for message in store.waiting_messages(tx, campaign):
            name = f"{message['written_at']:%Y%m%d}-{hashlib.sha256(message['key'].encode()).hexdigest()[:12]}.txt"
            text = (f"收件：{short_name(plan_in_force(campaign), message['organisation'])} {message['role']} "
                    f"<{message['address']}>\n主题：{message['subject']}\n时间：{as_of.isoformat()}\n\n{message['body']}\n")
            write_atomically(outbox / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))  # type: ignore[misc]
            store.message_sent(tx, message["id"], as_of)
            sent += 1
    return {"sent": sent}
