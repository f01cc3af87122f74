"""The chunks of comparison runs with their done-marks, and the attempts to run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import Run, RunAttempt, RunChunk

Row = RowMapping


def unfinished(tx: Connection, campaign: str, period: str, inputs_sha256: str) -> Row | None:
    """The latest run over exactly these inputs that was begun and not done: it is gone on with, not begun anew."""
    return tx.execute(select(Run.__table__).where(
        Run.campaign_id == campaign, Run.period == period, Run.inputs_sha256 == inputs_sha256, Run.state != "done",
    ).order_by(Run.id.desc()).limit(1)).mappings().first()


def reopen(tx: Connection, run_id: int, as_of: datetime) -> None:
    """Takes a run up again."""
    tx.execute(update(Run).where(Run.id == run_id).values(state="running", reason="", as_of=as_of))


def add_attempt(tx: Connection, run_id: int, at: datetime, actor: str, reason: str, code_version: str,
                chunks: Sequence[str], flow_run: str | None = None, flow_run_count: int | None = None) -> None:
    """Records who has a run begun or gone on with, why, and in which flow run."""
    digest = select(Run.inputs_sha256).where(Run.id == run_id).scalar_subquery()
    tx.execute(insert(RunAttempt).values(
        run_id=run_id, at=at, actor=actor, reason=reason, inputs_sha256=digest, code_version=code_version,
        chunks=list(chunks), flow_run=flow_run, flow_run_count=flow_run_count))


def end_attempt(tx: Connection, run_id: int, outcome: str, took: timedelta) -> None:
    """Closes the open attempt of a run, so long after it was begun: done or failed."""
    tx.execute(update(RunAttempt).where(RunAttempt.run_id == run_id, RunAttempt.ended_at.is_(None))
               .values(ended_at=RunAttempt.at + took, outcome=outcome))


def close_dead_attempts(tx: Connection, run_id: int, at: datetime) -> list[tuple[str, int]]:
    """Closes the open attempts of a run that nobody works on: their processes have died. Returns their flow runs, each with
    which execution of it that was."""
    ended = tx.execute(update(RunAttempt).where(RunAttempt.run_id == run_id, RunAttempt.ended_at.is_(None)).values(
        ended_at=func.greatest(RunAttempt.at, at), outcome="crashed").returning(RunAttempt.flow_run, RunAttempt.flow_run_count))
    return [(row.flow_run, row.flow_run_count or 0) for row in ended if row.flow_run]


def is_settled(tx: Connection, run_id: int) -> bool:
    """Whether the latest attempt at a run was brought to its end; one that was to make parts anew may not have been."""
    outcome = tx.execute(select(RunAttempt.outcome).where(RunAttempt.run_id == run_id)
                         .order_by(RunAttempt.id.desc()).limit(1)).scalar()
    return outcome == "done"


def attempted_by(tx: Connection, flow_run: str) -> bool:
    """Whether a flow run has made an attempt before: then it is being retried."""
    return bool(tx.execute(select(RunAttempt.id).where(RunAttempt.flow_run == flow_run).limit(1)).scalar())


def attempts_of(tx: Connection, campaign: str, run_id: int | None = None, limit: int | None = None) -> list[Row]:
    """Attempts in a campaign or at one of its runs, with the month, the newest first; numbered from 1 within a run."""
    number = func.row_number().over(partition_by=RunAttempt.run_id, order_by=RunAttempt.id).label("number")
    query = (select(RunAttempt.__table__, Run.period, number).join(Run, Run.id == RunAttempt.run_id)
             .where(Run.campaign_id == campaign).order_by(RunAttempt.id.desc()).limit(limit))
    return list(tx.execute(query if run_id is None else query.where(Run.id == run_id)).mappings())


def open_runs(tx: Connection, campaign: str) -> list[Row]:
    """Runs of a campaign that are marked as running, or that have an attempt that never ended."""
    is_open = select(RunAttempt.id).where(RunAttempt.run_id == Run.id, RunAttempt.ended_at.is_(None)).exists()
    return list(tx.execute(select(Run.__table__).where(
        Run.campaign_id == campaign, (Run.state == "running") | is_open).order_by(Run.id)).mappings())


def attempts(tx: Connection, run_id: int) -> list[Row]:
    """The attempts of a run, the first one first."""
    return list(tx.execute(select(RunAttempt.__table__).where(RunAttempt.run_id == run_id)
                           .order_by(RunAttempt.id)).mappings())


def lay_out(tx: Connection, run_id: int, keys: Mapping[str, str], code_version: str, redo: Sequence[str]) -> None:
    """The chunks of a run in their order. One whose key has changed, or that is to be redone, loses its done-mark."""
    for position, (name, key) in enumerate(keys.items()):
        values = {"position": position, "key": key, "code_version": code_version}
        new = insert(RunChunk).values(run_id=run_id, name=name, state="waiting", attempts=0, **values)
        state = RunChunk.state if name not in redo else "waiting"
        tx.execute(new.on_conflict_do_update(index_elements=["run_id", "name"], set_=values | {"state": state},
                                             where=(RunChunk.key == key)))
        tx.execute(update(RunChunk).where(RunChunk.run_id == run_id, RunChunk.name == name, RunChunk.key != key)
                   .values(**values, state="waiting"))


def chunks(tx: Connection, run_id: int) -> list[Row]:
    """The chunks of a run in their order."""
    return list(tx.execute(select(RunChunk.__table__).where(RunChunk.run_id == run_id)
                           .order_by(RunChunk.position)).mappings())


def begin_chunk(tx: Connection, run_id: int, name: str) -> None:
    """Counts an attempt at a chunk."""
    tx.execute(update(RunChunk).where(RunChunk.run_id == run_id, RunChunk.name == name)
               .values(state="running", attempts=RunChunk.attempts + 1, error=None))


def end_chunk(tx: Connection, run_id: int, name: str, *, rows: int, seconds: float) -> None:
    """The done-mark: its tables lie in the folder."""
    tx.execute(update(RunChunk).where(RunChunk.run_id == run_id, RunChunk.name == name)
               .values(state="done", rows=rows, seconds=seconds))


def fail_chunk(tx: Connection, run_id: int, name: str, error: str) -> None:
    """Notes of which kind the error was that ended an attempt."""
    tx.execute(update(RunChunk).where(RunChunk.run_id == run_id, RunChunk.name == name)
               .values(state="failed", error=error))


def folders_with(tx: Connection, campaign: str, run_id: int, name: str) -> list[str]:
    """Folders of other runs of the campaign in which a chunk with the same key is done, the latest first."""
    key = select(RunChunk.key).where(RunChunk.run_id == run_id, RunChunk.name == name).scalar_subquery()
    rows = tx.execute(
        select(Run.folder).join(RunChunk, RunChunk.run_id == Run.id)
        .where(Run.campaign_id == campaign, Run.id != run_id, RunChunk.name == name, RunChunk.key == key,
               RunChunk.state == "done").order_by(Run.id.desc()))
    return [row.folder for row in rows]


def lists_before(tx: Connection, campaign: str, period: str) -> dict[str, int] | None:
    """Findings by list of the latest run of an earlier month; None if there was none."""
    found = tx.execute(select(Run.lists).where(
        Run.campaign_id == campaign, Run.period < period, Run.state == "done", func.jsonb_typeof(Run.lists) == "object",
    ).order_by(Run.period.desc(), Run.id.desc()).limit(1)).scalar()
    return dict(found) if found else None
