"""数据比对: departments' files in, everybody in exactly one category, lists proposed for release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from prefect import flow

from flows.approval import ask_for_approval
from flows.clock import instant, name_run, run_name
from flows.due import idle
from flows.inbox_watch import admit_all
from flows.parameters import Campaign, Code, Month, Place, Post
from flows.preparer import prepared_by
from flows.summary import Progress, publish, publish_run
from models.errors import CanbaoError
from tasks.attempts import is_retry
from tasks.campaign import actor, door
from tasks.comparison import begin_comparison, called, compare_chunks, in_parts, one_at_a_time, record_comparison
from tasks.doors import look
from tasks.due import comparison_on_schedule
from tasks.effect import guarded
from tasks.events import announce
from tasks.inbox import Moment
from tasks.intake import waits_for
from tasks.refusals import kept
from tasks.release import propose


@flow(name="data-comparison", description="数据比对：接收数据、质量检查、比对、生成清单、提请下发", flow_run_name=run_name("数据比对"))
@guarded
def data_comparison(
    campaign: Campaign, period: Month | None = None, as_of: datetime | None = None, inbox: Place | None = None,
    by: Post | None = None, code: Code = "",
) -> dict[str, object]:
    """Takes in what has arrived for a period; once every required feed is there, compares and proposes the lists.

    Running it again takes only what is new, and compares only if the inputs have changed.

    Args:
        campaign: id of the campaign.
        period: month of the data, YYYY-MM; left empty, the month whose day has come by the plan, and every month that is
            complete and was never compared.
        as_of: the instant to act as of; the scheduled time if left empty.
        inbox: folder with <feed>/<period>/<file>; the campaign's own inbox if left empty.
        by: post that prepares the release; it cannot approve it.
        code: what the post's authenticator shows, in a campaign with accounts.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "data-comparison", now):
        return nothing
    return compare_months("comparison", campaign, period, now, inbox, prepared_by(campaign, by, now, code))


def compare_months(
    kind: str, campaign: str, period: str | None, now: datetime, inbox: str | None, by: str | None
) -> dict[str, object]:
    """One month, or every one that is due. A month that fails keeps no other waiting; the first fault is raised at the end."""
    if period is not None:
        return _compare_month(kind, campaign, period, now, inbox, by)
    months: dict[str, object] = {}
    faults: list[CanbaoError] = []
    due = comparison_on_schedule(campaign, now)
    name_run(campaign, due, "数据比对")
    for label in due:
        try:
            months[label] = _compare_month(kind, campaign, label, now, inbox, by)
        except CanbaoError as fault:
            faults.append(fault)
    if faults:
        raise faults[0]
    return {"months": months}


def _compare_month(
    kind: str, campaign: str, period: str, now: datetime, inbox: str | None, by: str | None
) -> dict[str, object]:
    result = compare_when_complete(campaign, period, now, inbox, by)
    publish(kind, campaign, period, result)
    announce(campaign, now)
    return result


def compare_when_complete(campaign: str, period: str, now: datetime, inbox: str | None, by: str | None) -> dict[str, object]:
    """The order of tasks that the comparison shares with routine operation."""
    with kept(campaign, "folder named", "inbox", actor(), now):
        place = door(campaign, "inbox", inbox)
    result: dict[str, object] = {**admit_all(campaign, look(campaign, place, Moment(now), period))}
    waiting = waits_for(campaign, period, now)
    result["waiting_for"] = waiting
    if not waiting:
        with one_at_a_time(campaign, period):
            compared = compare_in_chunks(campaign, period, now, by=by or "")
        result.update(compared)
        result["proposal"] = propose(campaign, compared["run"], by or actor(), now)
        ask_for_approval(campaign, now)
    return result


def compare_in_chunks(
    campaign: str, period: str, now: datetime, *, redo: Sequence[str] = (), reason: str = "", by: str = "",
    before_recording: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """One task run per chunk (all in one where the place is small): what is done is seen, and what failed is run again alone.
    The caller holds the period.

    ``before_recording`` is told the run when its chunks are done and nothing of the run before is replaced yet.
    """
    begun = begin_comparison(campaign, period, now, redo, reason, by)
    if not begun["new"]:
        if is_retry():  # it may have been ended before it could show what it had recorded
            publish_run(campaign, begun["run"])
        answer: dict[str, Any] = begun["answer"]
        return answer
    run: int = begun["run"]
    parts = in_parts(campaign, run, begun["chunks"])
    progress = Progress(campaign, period, len(parts) + 1)
    for chunks in parts:
        compare_chunks(campaign, run, chunks, called(chunks))
        progress.step()
    if before_recording is not None:
        before_recording(run)
    recorded = record_comparison(campaign, run, now)
    publish_run(campaign, run, progress.finish)
    return recorded
