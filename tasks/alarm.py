"""Alarms to whoever operates the system: written into the outbox like any message, once for each thing and day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.database import transaction
from models.errors import WrongUse
from models.plan import Plan
from models.store import campaigns, outbox
from rules.periods import period_name
from tasks.campaign import as_instant, plan_in_force
from tasks.effect import effect
from tasks.events import SWEEP, notice_stale_sweep, stale_since
from tasks.obligations import statuses
from tasks.trail import head_in_words

HEAD = "trail_head"
NAMED_AT_MOST = 6
"""Files that an alarm names; `canbao status` has them all."""
WORDING = Path(__file__).with_name("alarm.yaml")


@cache
def wording() -> Mapping[str, Any]:
    """Kinds of alarm with their words and the post they go to, and the words for states of runs."""
    found: Mapping[str, Any] = yaml.safe_load(WORDING.read_text(encoding="utf-8"))
    return found


def kinds() -> tuple[str, ...]:
    """The kinds of alarm there are."""
    return tuple(name for name in wording() if name not in ("states", "trail"))


@effect("告警 alarm")
def raise_alarm(
    campaign: str, kind: str, at: datetime, subject: str = "", period: str = "", event: str = ""
) -> dict[str, object]:
    """Writes one message to a post of the campaign's office; ``written`` is 0 if the same was said that day, or if the
    campaign is not in force and nobody can be told.

    The key is made of what is told and the day of ``at``, the event's own instant: the same event, however often it comes,
    is one message. Raises WrongUse for a kind that has no words.
    """
    if kind not in kinds():
        raise WrongUse(f"there is no alarm {kind!r}.", where=WORDING.name, cure=f"There are: {', '.join(kinds())}.")
    with transaction() as tx:
        if not campaigns.is_stored(tx, campaign):
            return {"kind": kind, "written": 0}
    plan, count = plan_in_force(campaign), 0
    if kind == "feed_late":  # however many files are late, they are told of together
        period, (subject, count) = "", _late_feeds(plan, at)
        if not count:
            return {"kind": kind, "written": 0}
    message = _message(plan, kind, at, subject, period, event, count)
    # An alarm leaves the machine: where the trail ended then is known outside from then on.
    message["body"] = f"{message['body']}\n\n{wording()['trail'].format(head=head_in_words())}"
    with transaction() as tx:
        return {"kind": kind, "written": outbox.write(tx, [message])}


def _late_feeds(plan: Plan, at: datetime) -> tuple[str, int]:
    """The files that are late as of an instant, in words (the oldest first, and those a comparison needs), and how many."""
    late = [row for row in statuses(plan.id, at, only_open=True)
            if row["kind"] == "feed" and row["status"] in ("overdue", "missing", "sent_back") and row["due_in_force"] <= at]
    place = {f"feed:{feed.feed}": (not feed.required, number) for number, feed in enumerate(plan.feeds)}
    late.sort(key=lambda row: (row["period_ends"], place.get(row["item"], (True, len(place)))))
    named = list(dict.fromkeys(f"{row['name']}（{period_name(row['period'])}）" for row in late))
    return "、".join(named[:NAMED_AT_MOST]) + (" 等" if len(named) > NAMED_AT_MOST else ""), len(late)


def _no_gap(campaign: str, as_of: datetime) -> dict[str, object] | None:
    with transaction() as tx:
        is_well = campaigns.is_rehearsed(tx, campaign) or stale_since(tx, campaign, as_of) is None
    return {"kind": "sweep_stale", "written": 0} if is_well else None


@effect("巡检中断 alarm of a gap", idle=_no_gap)
def alarm_of_gap(campaign: str, as_of: datetime) -> dict[str, object]:
    """Before a sweep: if nobody has swept for longer than the plan allows, says so, with Prefect or without it. A rehearsal
    sweeps only when something is due, so its gaps mean nothing."""
    if (nothing := _no_gap(campaign, as_of)) is not None:
        return nothing
    notice_stale_sweep(campaign, as_of)
    return raise_alarm.fn(campaign, "sweep_stale", as_of, SWEEP)


def _told_today(campaign: str, as_of: datetime) -> dict[str, object] | None:
    with transaction() as tx:
        is_told = campaigns.is_rehearsed(tx, campaign) or outbox.is_written(tx, _key(plan_in_force(campaign), HEAD, as_of))
    return {"kind": HEAD, "written": 0} if is_told else None


@effect("审计链末 tell head", idle=_told_today)
def tell_head(campaign: str, as_of: datetime) -> dict[str, object]:
    """Once a day, with the first sweep: where the audit trail ends leaves the machine, so that one cut off later is found out. A
    rehearsal's trail proves nothing to anybody."""
    return _told_today(campaign, as_of) or raise_alarm.fn(campaign, HEAD, as_of)


def _key(plan: Plan, kind: str, at: datetime, subject: str = "", period: str = "") -> str:
    return f"alarm/{plan.id}/{kind}/{as_instant(plan, at):%Y-%m-%d}/{subject}/{period}"


def _message(
    plan: Plan, kind: str, at: datetime, subject: str, period: str, event: str, count: int
) -> dict[str, object]:
    words, states, local = wording()[kind], wording()["states"], as_instant(plan, at)
    facts = {"campaign": plan.name, "subject": subject, "count": count, "period": period or "本期",
             "at": f"{local:%Y年%-m月%-d日 %H:%M}", "state": states.get(event, states["other"])}
    contacts = plan.organisation(plan.office).contacts
    return {
        "campaign_id": plan.id, "obligation_id": None, "organisation": plan.office, "role": words["to"], "channel": "alarm",
        "key": _key(plan, kind, at, "" if count else subject, period), "kind": "alarm", "attempts": 0,
        "address": next((entry.address for entry in contacts if entry.role == words["to"]), ""),
        "subject": words["subject"].format(**facts), "body": words["body"].format(**facts), "written_at": at,
    }
