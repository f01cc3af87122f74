"""Who prepares a release: what was typed counts once it is proven, where the campaign has accounts."""

from __future__ import annotations

from datetime import datetime

from prefect.runtime import flow_run

from flows.clock import is_of_deployment, typed
from tasks import accounts


def prepared_by(campaign: str, by: str | None, now: datetime, code: str) -> str | None:
    """The post that prepares, proven if the campaign asks for that; whoever runs the installation where nothing was typed. Raises
    ActorUnproven before anything is done."""
    return accounts.preparer(campaign, by, f"release prepared by run {flow_run.id}", now, typed(code) if is_of_deployment() else None)
