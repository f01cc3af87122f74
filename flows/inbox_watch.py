"""The watched inbox: whatever has arrived complete, for any period, is taken in; the rest is counted and waits."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.due import begin_what_is_due, idle
from flows.parameters import Campaign, Place
from flows.summary import publish
from models.errors import CanbaoError
from tasks.campaign import actor, door
from tasks.doors import admit_files, look
from tasks.effect import guarded
from tasks.events import announce, notice_stale_sweep
from tasks.inbox import Inbox, Moment
from tasks.refusals import kept


@flow(name="inbox-watch", description="收件箱：接收各部门已送达的完整文件", flow_run_name=run_name("收件箱"))
@guarded
def inbox_watch(campaign: Campaign, as_of: datetime | None = None, inbox: Place | None = None) -> dict[str, object]:
    """Takes in what lies complete in the inbox. Safe at any time, any number of times: what is known is left alone.

    Run by its deployment it then begins what is due and was not begun: the comparison of a month that has become complete,
    and whatever was missed while nothing ran.

    Fails, after everything else was taken, if something could not be taken for another reason than its content.

    Args:
        campaign: id of the campaign.
        as_of: the instant to act as of; the scheduled time if left empty.
        inbox: folder with <feed>/<period>/<file>; the campaign's own inbox if left empty.
    """
    now = instant(as_of)
    if nothing := idle(campaign, "inbox-watch", now):
        return nothing
    with kept(campaign, "folder named", "inbox", actor(), now):
        place = door(campaign, "inbox", inbox)
    result = admit_all(campaign, look(campaign, place, Moment(now)))
    result["begun"] = begin_what_is_due(campaign, now)
    notice_stale_sweep(campaign, now)
    announce(campaign, now)
    publish("inbox", campaign, "", result)
    if result["failed"]:
        raise CanbaoError(f"{result['failed']} entries of the inbox could not be taken in.", where=campaign,
                          cure="`canbao intake` says why for each; the next run tries again.")
    return result


def admit_all(campaign: str, found: Inbox) -> dict[str, object]:
    """Takes in what was found, and says what is held. Counts only."""
    held = Counter(entry.state for entry in found.held)
    return {**admit_files(campaign, found.arrived), "waiting": held["waiting"], "misplaced": held["misplaced"]}
