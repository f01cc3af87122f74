"""数据比对: departments' files in, everybody in exactly one category, lists proposed for release."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.clock import instant, run_name
from flows.summary import publish
from tasks.campaign import actor, folder
from tasks.comparison import run_comparison
from tasks.intake import take_in, waiting_files, waits_for
from tasks.release import propose


@flow(name="data-comparison", description="数据比对：接收数据、质量检查、比对、生成清单、提请下发", flow_run_name=run_name("数据比对"),
      task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def data_comparison(
    campaign: str, period: str, as_of: datetime | None = None, inbox: str | None = None, by: str | None = None
) -> dict[str, object]:
    """Takes in what has arrived for a period; once every required feed is there, compares and proposes the lists.

    Running it again takes only what is new, and compares only if the inputs have changed.

    Args:
        campaign: id of the campaign.
        period: month of the data, YYYY-MM.
        as_of: the instant to act as of; the scheduled time if left empty.
        inbox: folder with <feed>/<period>/<file>; the campaign's own inbox if left empty.
        by: post that prepares the release; it cannot approve it.
    """
    result = compare_when_complete(campaign, period, instant(as_of), inbox, by)
    publish("comparison", campaign, period, result)
    return result


def compare_when_complete(campaign: str, period: str, now: datetime, inbox: str | None, by: str | None) -> dict[str, object]:
    """The order of tasks that the comparison shares with routine operation."""
    place = Path(inbox) if inbox else folder(campaign, "inbox")
    # Two at a time: a file is read while another is judged.
    arriving = [take_in.submit(campaign, feed, period, str(path), arrival)
                for feed, path, arrival in waiting_files(campaign, place, period, now)]
    taken = [future.result() for future in arriving]
    result: dict[str, object] = {"files": sum(bool(entry["new"]) for entry in taken),
                                 "returned": sum(entry["verdict"] == "returned" for entry in taken if entry["new"])}
    waiting = waits_for(campaign, period, now)
    result["waiting_for"] = waiting
    if not waiting:
        compared = run_comparison(campaign, period, now)
        result.update(compared)
        result["proposal"] = propose(campaign, compared["run"], by or actor(), now)
    return result
