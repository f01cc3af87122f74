"""重新比对: parts of a month's comparison made anew by hand, old against new shown before anything is replaced."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from comparison.chunks import CHUNKS
from flows.approval import ask_for_approval
from flows.clock import instant, run_name
from flows.data_comparison import compare_in_chunks
from flows.parameters import Campaign, Code, Month, Post, Words
from flows.preparer import prepared_by
from flows.summary import publish, publish_changes
from models.errors import CanbaoError, WrongUse
from tasks.attempts import is_retry
from tasks.comparison import before_replacing, one_at_a_time, rehearse_comparison, what_changes
from tasks.effect import guarded
from tasks.events import announce
from tasks.intake import missing_feeds
from tasks.release import propose

Part = StrEnum("Part", {name: name for name in CHUNKS})  # type: ignore[misc]
"""The parts of a comparison, as the form offers them."""
SHORTEST_REASON = 4


@flow(name="rerun-comparison", description="重新比对：选定步骤重做，先对照新旧，再替换", flow_run_name=run_name("重新比对"))
@guarded
def rerun_comparison(
    campaign: Campaign,
    period: Month,
    by: Post,
    reason: Annotated[Words, Field(min_length=SHORTEST_REASON)],
    chunks: list[Part] = [],  # noqa: B006 - a form's default
    dry_run: bool = True,
    as_of: datetime | None = None,
    code: Code = "",
) -> dict[str, object]:
    """Makes parts of a month's comparison anew and shows what that changes; replaces it only if it is no dry run.

    Retried, it goes on with what is not done.

    Args:
        campaign: id of the campaign.
        period: month of the data, YYYY-MM.
        by: post that asks for it; it stands beside the attempt and cannot approve the lists that follow.
        reason: why; it stands beside the attempt.
        chunks: the parts to be made anew, and with them all that read them; all of them if none is chosen.
        dry_run: show old against new only; nothing is recorded or replaced.
        as_of: the instant to act as of; the scheduled time if left empty.
        code: what the post's authenticator shows, in a campaign with accounts.
    """
    now = instant(as_of)
    if len(reason.strip()) < SHORTEST_REASON:
        raise WrongUse("the reason says nothing.", where=f"{campaign} {period}", cure="Say why; it stands beside the attempt.")
    if waiting := missing_feeds(campaign, period, now):
        raise CanbaoError(f"{len(waiting)} required deliveries are missing: {', '.join(waiting)}.",
                          where=f"{campaign} {period}", cure="Take them in first.")
    if not dry_run:
        prepared_by(campaign, by, now, code)
    chosen = [str(part) for part in chunks]
    with one_at_a_time(campaign, period):
        result = _tried(campaign, period, chosen) if dry_run else _replaced(campaign, period, chosen, reason, by, now)
    if not dry_run:
        result["proposal"] = propose(campaign, result["run"], by, now)
        ask_for_approval(campaign, now)
    publish("rerun", campaign, period, result)
    announce(campaign, now)
    return result


def _tried(campaign: str, period: str, chosen: list[str]) -> dict[str, Any]:
    changes = rehearse_comparison(campaign, period, chosen)
    publish_changes(campaign, period, changes)
    return _in_short(changes)


def _replaced(campaign: str, period: str, chosen: list[str], reason: str, by: str, now: datetime) -> dict[str, Any]:
    # A retry must not make anew what this very run has made: the marks say what is left.
    redo = [] if is_retry() else chosen or list(CHUNKS)
    with before_replacing(campaign, period) as before:
        def show(run: int) -> None:
            changes = what_changes(campaign, run, before)
            publish_changes(campaign, period, changes)
            shown.update(_in_short(changes))

        shown: dict[str, Any] = {}
        recorded = compare_in_chunks(campaign, period, now, redo=redo, reason=reason, by=by, before_recording=show)
    return {**shown, **recorded}


def _in_short(changes: dict[str, Any]) -> dict[str, Any]:
    """How much changes, for the summary; the table beside it says what."""
    return {
        "dry_run": changes["dry_run"], "persons": changes["persons"], "unbalanced": changes["unbalanced"],
        "categories_changed": sum(entry["old"] != entry["new"] for entry in changes["categories"]),
        "appear": sum(entry["appear"] or 0 for entry in changes["lists"]),
        "vanish": sum(entry["vanish"] or 0 for entry in changes["lists"]), "stopped_by": changes["stopped_by"]}
