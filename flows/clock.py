"""The one place where the clock is read, and what run names say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from prefect.runtime import flow_run


def instant(as_of: datetime | None) -> datetime:
    """``as_of`` if given; otherwise the instant the run was scheduled for, so that a late start changes nothing."""
    if as_of is not None:
        return as_of
    return flow_run.scheduled_start_time or datetime.now(UTC)


def run_name(what: str) -> Callable[[], str]:
    """A run name that says campaign, period and what: ``chengjiang-2021 2021-05 数据比对``. Never a person."""

    def name() -> str:
        parameters = flow_run.parameters
        parts = [parameters.get("campaign") or "", parameters.get("period") or "", what]
        return " ".join(part for part in parts if part)

    return name
