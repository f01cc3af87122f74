"""The sender: empties the outbox, tries again what failed, gives up what cannot be delivered and raises the alarm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from models.database import transaction
from models.plan import Plan, Wording
from models.store import campaigns, outbox
from tasks import events
from tasks.campaign import actor, folder, plan_in_force, short_name
from tasks.channels import Channels, Files, Held, Letter, NotDelivered
from tasks.effect import effect


def _nothing_waits(campaign: str, as_of: datetime) -> dict[str, int] | None:
    with transaction() as tx:
        return None if outbox.has_waiting(tx, campaign, as_of) else {"sent": 0, "failed": 0, "dead": 0, "held": 0}


@effect("发送消息 send", idle=_nothing_waits)
def send_messages(campaign: str, as_of: datetime) -> dict[str, int]:
    """Sends what waits, one letter per recipient: several messages to one post go as a digest.

    Each attempt is claimed and committed before it is made, so two senders never take the same message and a sender
    that dies leaves a row that says so. Failures wait for the plan's next pause; after the last one the message is
    dead, stays visible in ``canbao status``, and an alarm goes to the office. What has no way out of the house at all is held, with
    an alarm too, and leaves with the first sending after that was mended. Returns ``sent``, ``failed``, ``dead``, ``held``.
    """
    plan = plan_in_force(campaign)
    waits = [timedelta(minutes=minutes) for minutes in plan.sending.retry_after_minutes]
    channels, counted = Channels(folder(campaign, "messages"), files_only=plan.drill is not None), Counter(sent=0, failed=0, dead=0, held=0)
    try:
        while True:
            with transaction() as tx:
                claimed = outbox.claim(tx, campaign, as_of, waits)
            if not claimed:
                return dict(counted)
            counted.update(_sent(plan, claimed, channels, as_of))
    finally:
        channels.close()


def _sent(plan: Plan, letters: Sequence[Sequence[outbox.Row]], channels: Channels, as_of: datetime) -> Counter[str]:
    """Delivers claimed letters. What went into files is settled at once at the end: writing them again is harmless."""
    counted: Counter[str] = Counter()
    written: list[int] = []
    for rows in letters:
        ids = [row["id"] for row in rows]
        try:
            channel = channels.of(rows[0]["channel"])
        except Held as obstacle:
            counted["held"] += _hold(plan, ids, obstacle, as_of)
            continue
        try:
            channel.deliver(_letter(plan, rows), as_of)
        except NotDelivered as failure:
            counted["failed"] += len(ids)
            counted["dead"] += _give_up_or_wait(plan, ids, failure, as_of)
            continue
        counted["sent"] += len(ids)
        if isinstance(channel, Files):
            written += ids
            continue
        with transaction() as tx:
            outbox.sent(tx, ids, as_of)
    with transaction() as tx:
        outbox.sent(tx, written, as_of)
    return counted


def _letter(plan: Plan, rows: Sequence[outbox.Row]) -> Letter:
    """A message as it is, or several as a digest."""
    first = rows[0]
    subject, body, org = first["subject"], first["body"], short_name(plan, first["organisation"])
    if len(rows) > 1:
        facts = {"count": len(rows), "campaign": plan.name, "org": org}
        items = (f"{number}. {row['subject']}\n{row['body']}" for number, row in enumerate(rows, start=1))
        subject = plan.sending.digest.subject.format(**facts)
        body = "\n\n".join([plan.sending.digest.body.format(**facts), *items])
    if plan.drill:
        subject, body = f"【演练】{subject}", f"{body}\n\n（{plan.drill.note}）"
    return Letter("\n".join(row["key"] for row in rows), f"{org} {first['role']}", first["address"], subject, body,
                  first["written_at"])


def _hold(plan: Plan, ids: Sequence[int], obstacle: Held, as_of: datetime) -> int:
    """Keeps messages that have no way out, tells the office once a day for each cause, and answers how many they are."""
    with transaction() as tx:
        fresh = outbox.hold(tx, ids, obstacle.kind, as_of)
        outbox.write(tx, [_alarm(plan, as_of, len(ids), obstacle.kind, plan.sending.held, "held")])
        if fresh:
            events.note(tx, plan.id, events.DELIVERY_HELD, f"{min(ids)}/{as_of.isoformat()}", as_of, obstacle.kind, messages=fresh)
            campaigns.audit(tx, plan.id, at=as_of, actor="sender", action="messages held", subject=obstacle.kind, count=fresh,
                            reason="no way out of the house")
    return len(ids)


def _give_up_or_wait(plan: Plan, ids: Sequence[int], failure: NotDelivered, as_of: datetime) -> int:
    attempts = 1 if failure.for_good else len(plan.sending.retry_after_minutes) + 1
    with transaction() as tx:
        died = outbox.failed(tx, ids, failure.kind, as_of, give_up_after=attempts)
        if died:
            outbox.write(tx, [_alarm(plan, as_of, died, failure.kind, plan.sending.alarm, "dead")])
            events.note(tx, plan.id, events.DELIVERY_DEAD, f"{min(ids)}/{as_of.isoformat()}", as_of, failure.kind, messages=died)
            campaigns.audit(tx, plan.id, at=as_of, actor="sender", action="messages given up", subject=failure.kind,
                            count=died, reason="every attempt failed")
    return died


def _alarm(plan: Plan, as_of: datetime, count: int, kind: str, words: Wording, state: str) -> dict[str, object]:
    """One alarm per day and kind of failure, to the office; by the alarm channel, for the usual one may be what fails."""
    facts = {"count": count, "kind": kind, "campaign": plan.name}
    return {
        "campaign_id": plan.id, "obligation_id": None, "organisation": plan.office, "role": "clerk", "channel": "alarm",
        "key": f"alarm/{plan.id}/{state}/{as_of:%Y-%m-%d}/{kind}", "address": "", "kind": "alarm", "attempts": 0,
        "subject": words.subject.format(**facts), "body": words.body.format(**facts),
        "written_at": as_of,
    }


def resend_dead(campaign: str, as_of: datetime) -> dict[str, int]:
    """Lets every message that was given up be tried again from the start; who did so is in the audit trail."""
    with transaction() as tx:
        revived = outbox.revive(tx, campaign)
        campaigns.audit(tx, campaign, at=as_of, actor=actor(), action="messages revived", subject=campaign, count=revived,
                        reason="canbao resend")
    return {"revived": revived}
