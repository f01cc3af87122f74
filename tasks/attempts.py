"""Attempts at comparison runs: who had one begun, retried or made anew, why, and how it ended; and what dead workers left.

A run that is worked on holds its period's lock (``tasks.comparison.one_at_a_time``). An attempt that is open while nobody
holds that lock is of a process that has died, whatever Prefect shows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from models.database import engine, transaction
from models.store import campaigns, runs
from models.store import findings as store
from tasks.campaign import actor
from tasks.effect import effect

RETRIED = "在 Prefect 中重试（第{count}次运行）"
DIED = "运行进程已中断：由巡检关闭，可重试，已完成的步骤不再重做"
SHOWN_AT_MOST = 20
"""Attempts that ``canbao status`` holds; ``canbao explain`` and the record have them all."""
_began: dict[int, float] = {}


def begin(tx: Connection, run_id: int, as_of: datetime, redo: Sequence[str], reason: str, by: str) -> None:
    """Records an attempt while nobody else works on the run; one that is still open is of a process that has died.

    Prefect cannot say who pressed Retry: that attempt is the account's that runs the worker.
    """
    from comparison.engine import code_version
    from tasks.prefect_server import execution, show_as_crashed

    for identity, begun in runs.close_dead_attempts(tx, run_id, as_of):
        show_as_crashed(UUID(identity), begun, DIED)
    own, _, count = execution() or (None, None, None)
    said = reason or (RETRIED.format(count=count) if (count or 0) > 1 else "")
    runs.add_attempt(tx, run_id, as_of, by or actor(), said, code_version(), redo, own, count)
    _began[run_id] = time.monotonic()


def end(tx: Connection, run_id: int, outcome: str) -> None:
    """Closes a run's attempt: done or failed. It ended as long after it was begun as it took, on whatever clock."""
    took = time.monotonic() - _began.pop(run_id) if run_id in _began else 0.0
    runs.end_attempt(tx, run_id, outcome, timedelta(seconds=took))


def is_retry() -> bool:
    """Whether this flow run has begun an attempt before: what it was to make anew is marked in the record already."""
    from tasks.prefect_server import execution

    own = execution()
    if own is None:
        return False
    with transaction() as tx:
        return runs.attempted_by(tx, own[0])


def _none_open(campaign: str, as_of: datetime) -> dict[str, int] | None:
    with transaction() as tx:
        return None if runs.open_runs(tx, campaign) else {"closed": 0, "crashed": 0}


@effect("关闭中断的比对 close dead runs", idle=_none_open)
def close_dead_runs(campaign: str, as_of: datetime) -> dict[str, int]:
    """Closes runs whose process has died: our row, our attempt, and the flow run that Prefect still shows as running.

    A *Retry* there goes on from the chunks that are done. A run that is worked on is left alone.
    """
    with transaction() as tx:
        left_open = runs.open_runs(tx, campaign)
    if not left_open:  # a sweep by command must not import Prefect for nothing
        return {"closed": 0, "crashed": 0}
    from tasks.prefect_server import show_as_crashed

    closed, crashed = 0, 0
    for row in left_open:
        with engine().connect() as lock:
            if not store.try_lock(lock, campaign, row["period"]):
                continue
            with transaction() as tx:
                store.fail_run(tx, row["id"], DIED)
                flow_runs = runs.close_dead_attempts(tx, row["id"], as_of)
                campaigns.audit(tx, campaign, at=as_of, actor=actor(), action="comparison run closed", reason=DIED,
                                subject=f"run {row['id']}", count=len(flow_runs))
            closed += 1
            crashed += sum(show_as_crashed(UUID(identity), begun, DIED) for identity, begun in flow_runs)
    return {"closed": closed, "crashed": crashed}


def attempts(campaign: str, as_of: datetime, limit: int = SHOWN_AT_MOST) -> list[dict[str, Any]]:
    """The latest attempts made by ``as_of``, the newest first. No person stands in them: posts and accounts do."""
    with transaction() as tx:
        rows = runs.attempts_of(tx, campaign, limit=limit)
    return [_shown(row) for row in rows if row["at"] <= as_of]


def attempts_at(campaign: str, run_id: int) -> list[dict[str, Any]]:
    """Every attempt at one run, the newest first."""
    with transaction() as tx:
        return [_shown(row) for row in runs.attempts_of(tx, campaign, run_id)]


def _shown(row: runs.Row) -> dict[str, Any]:
    return {"run": row["run_id"], "period": row["period"], "attempt": row["number"], "by": row["actor"],
            "reason": row["reason"], "chunks": row["chunks"], "inputs_sha256": row["inputs_sha256"],
            "code_version": row["code_version"], "flow_run": row["flow_run"], "started": row["at"].isoformat(),
            "ended": row["ended_at"].isoformat() if row["ended_at"] else None, "outcome": row["outcome"]}
