"""常态运行: after the campaign the same comparison goes on, month by month (L12, G14)."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.data_comparison import compare_months
from flows.due import idle
from flows.parameters import Campaign, Code, Month, Place, Post
from flows.preparer import prepared_by
from tasks.campaign import keep_phases
from tasks.effect import guarded


@flow(name="routine", description="常态运行：每月接收数据、比对、更新清单", flow_run_name=run_name("常态运行"))
@guarded
def routine(
    campaign: Campaign, period: Month | None = None, as_of: datetime | None = None, inbox: Place | None = None,
    by: Post | None = None, code: Code = "",
) -> dict[str, object]:
    """Keeps the register alive: takes in what has arrived and compares once every required feed is there.

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
    if nothing := idle(campaign, "routine", now):
        return nothing
    return {"phases": keep_phases(campaign, now), **compare_months("routine", campaign, period, now, inbox, prepared_by(campaign, by, now, code))}
