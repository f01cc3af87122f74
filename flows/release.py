"""下发: the approved lists go to their owners, one roster workbook each."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, is_of_deployment, run_name, typed
from flows.parameters import Campaign, Code, Post
from flows.summary import publish
from tasks.effect import guarded
from tasks.events import announce
from tasks.release import approve, release


@flow(name="release-lists", description="清单下发：经他人批准后，按责任单位下发花名册", flow_run_name=run_name("清单下发"))
@guarded
def release_lists(
    campaign: Campaign, run_id: int, approved_by: Post | None = None, as_of: datetime | None = None, code: Code = "",
) -> dict[str, object]:
    """Releases a run's rosters, after recording the approval if a name is given.

    Args:
        campaign: id of the campaign.
        run_id: the comparison run whose lists are released.
        approved_by: post or account that approves, never a person's name; refused if it prepared the release. Empty if the
            approval is recorded already.
        as_of: the instant to act as of; the scheduled time if left empty.
        code: what the post's authenticator shows, in a campaign with accounts.
    """
    now = instant(as_of)
    if approved_by:
        approve(campaign, run_id, approved_by, now, code=typed(code) if is_of_deployment() else None)
    result = release(campaign, run_id, now)
    publish("release", campaign, f"run-{run_id}", result)
    announce(campaign, now)
    return result
