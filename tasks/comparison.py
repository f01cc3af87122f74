"""One comparison run: accepted snapshots in, profile and lists out, the difference merged into the findings' life.

A run is a row, its chunks are rows, and a chunk's result is a file that is whole before its row says so. Whatever ends a
run, beginning it again goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from comparison.chunks import Known
from comparison.difference import category_changes, list_changes
from comparison.engine import Comparison, Outcome, Room, code_version, refuse_runaways
from comparison.exports import export_for_record
from comparison.figures import figures
from models.database import engine, transaction
from models.errors import CanbaoError, RunDoesNotBalance, StorageUnavailable, WrongUse
from models.plan import Plan
from models.store import campaigns, deliveries, life, runs
from models.store import findings as store
from rules.finding_life import TRANSITIONS
from rules.ownership import replaced_on, standing
from rules.periods import month
from tasks import attempts, events
from tasks.campaign import actor, folder, plan_in_force, today
from tasks.decisions import decisions_file, old_numbers_file
from tasks.effect import effect

DECISIONS, OLD_NUMBERS = "decisions", "old_numbers"
"""Among a run's inputs: no feeds, but what people decided of identities, and the numbers that were replaced
(``tasks.decisions``)."""


@contextmanager
def one_at_a_time(campaign: str, period: str) -> Iterator[None]:
    """Nobody else compares this period while the block lasts, whatever process they are in. Raises WrongUse if somebody
    does already; a process that dies lets go."""
    with engine().connect() as lock:
        if not store.try_lock(lock, campaign, period):
            raise WrongUse("another comparison of this period is running.", where=f"{campaign} {period}",
                           cure="Wait for it to end, then run this again.")
        yield


@effect("数据比对 compare")
def run_comparison(
    campaign: str, period: str, as_of: datetime, redo: Sequence[str] = (), reason: str = "", by: str = ""
) -> dict[str, Any]:
    """Runs the comparison of a period over the accepted snapshots, or answers with the run that did so already.

    One at a time per campaign and period. Inputs are the snapshots' hashes and the plan's hash: the same inputs are the
    same run; an unfinished one is gone on with. ``redo`` names chunks to be run again whatever their marks say. Raises
    RunDoesNotBalance; nothing of the earlier run is replaced then.
    """
    with one_at_a_time(campaign, period):
        begun = begin_comparison.fn(campaign, period, as_of, redo, reason, by)
        for part in in_parts(campaign, begun["run"], begun["chunks"]):
            compare_chunks.fn(campaign, begun["run"], part)
        return record_comparison.fn(campaign, begun["run"], as_of) if begun["new"] else begun["answer"]


@effect("开始比对 begin comparison")
def begin_comparison(
    campaign: str, period: str, as_of: datetime, redo: Sequence[str] = (), reason: str = "", by: str = ""
) -> dict[str, Any]:
    """Lays a run out: its row, its attempt, and the chunks that are still to be run, in order.

    ``by`` is the post that asks for it, the account that runs the process if empty. An attempt that was to make parts of a
    finished run anew and did not get to its end is gone on with. Only to be called while :func:`one_at_a_time` holds the period.
    """
    plan, period = plan_in_force(campaign), month(period).label
    with transaction() as tx:
        plan_sha256 = campaigns.plan_in_force(tx, campaign)
        inputs = _inputs(tx, plan, period)
        digest = _digest(plan_sha256, inputs)
        done = store.done_run(tx, campaign, period, digest)
        if done is not None and not redo and runs.is_settled(tx, done["id"]):
            return {"run": done["id"], "new": False, "chunks": [], "answer": _answer(done, new=False)}
        store.close_abandoned_runs(tx, campaign, period)
        place = str(folder(campaign, "runs", period) / digest[:16])
        begun = done or runs.unfinished(tx, campaign, period, digest)
        if begun is not None:
            run_id: int = begun["id"]
            if done is None:  # a run that is done stays so until what is redone is recorded
                runs.reopen(tx, run_id, as_of)
        else:
            run_id = store.start_run(tx, campaign_id=campaign, period=period, as_of=as_of, inputs=inputs,
                                     inputs_sha256=digest, plan_sha256=plan_sha256, folder=place)
        comparison = _comparison(campaign, period, plan_sha256, json.dumps(inputs), place)
        runs.lay_out(tx, run_id, comparison.keys, code_version(), comparison.with_dependents(redo))
        attempts.begin(tx, run_id, as_of, redo, reason, by)
        waiting = [row["name"] for row in runs.chunks(tx, run_id)
                   if row["state"] != "done" or not comparison.has(comparison.chunk(row["name"]))]
    return {"run": run_id, "new": True, "chunks": waiting}


def in_parts(campaign: str, run_id: int, chunks: Sequence[str]) -> list[list[str]]:
    """How the chunks of a run are shared out among task runs: each its own, or all together where the place is small."""
    if _run_of(campaign, run_id).is_small:
        return [list(chunks)] if chunks else []
    return [[chunk] for chunk in chunks]


@effect("比对步骤 compare chunks", "{called}")
def compare_chunks(campaign: str, run_id: int, chunks: Sequence[str], called: str = "") -> list[dict[str, Any]]:
    """Runs chunks, one after another, and marks each done; one that another run of the campaign has with the same key is
    taken over. Where one fails, those before it are done.

    A chunk's tables are in the run's folder, whole, before its mark is made: killed between the two, it is run again.
    ``called`` is what the task run is called.
    """
    comparison = _run_of(campaign, run_id)
    with ExitStack() as stack:
        room = cache(lambda: stack.enter_context(comparison.room()))  # none is needed where all are taken over
        return [_compare(campaign, run_id, comparison, chunk, room) for chunk in chunks]


def called(chunks: Sequence[str]) -> str:
    """How a task run over these chunks is called: by the one, or by the first and the last of them."""
    return chunks[0] if len(chunks) == 1 else f"{chunks[0]} … {chunks[-1]} ({len(chunks)})"


def _compare(campaign: str, run_id: int, comparison: Comparison, chunk: str, room: Callable[[], Room]) -> dict[str, Any]:
    part = comparison.chunk(chunk)
    with transaction() as tx:
        runs.begin_chunk(tx, run_id, chunk)
        others = runs.folders_with(tx, campaign, run_id, chunk)
        is_redo = any(row["name"] == chunk and row["attempts"] > 1 for row in runs.chunks(tx, run_id))
    began = time.perf_counter()
    try:
        taken_over = not is_redo and any(comparison.adopt(part, Path(other)) for other in others)
        rows = 0 if taken_over else comparison.run(part, room())
    except Exception as error:
        with transaction() as tx:
            runs.fail_chunk(tx, run_id, chunk, type(error).__name__)
            _failed(tx, run_id, error)
        raise
    seconds = time.perf_counter() - began
    with transaction() as tx:
        runs.end_chunk(tx, run_id, chunk, rows=rows, seconds=seconds)
    return {"chunk": chunk, "rows": rows, "seconds": round(seconds, 3), "taken_over": taken_over}


@effect("比对入账 record comparison")
def record_comparison(campaign: str, run_id: int, as_of: datetime) -> dict[str, Any]:
    """Records what a run found, once all its chunks are done: its balance, figures, and the difference it makes.

    Raises RunDoesNotBalance where the accounts do not add up or a guard trips.
    """
    comparison = _run_of(campaign, run_id)
    plan, period = comparison.plan, comparison.period
    try:
        with transaction() as tx:
            missing = [row["name"] for row in runs.chunks(tx, run_id) if row["state"] != "done"]
            before = runs.lists_before(tx, campaign, period)
        if missing:
            raise RunDoesNotBalance(f"{len(missing)} chunks are not done: {', '.join(missing)}.",
                                    where=f"{campaign} {period}", cure="Run the comparison again; it goes on from there.")
        outcome = comparison.outcome()
        refuse_runaways(plan, outcome, before)
        measured = figures(plan, period, comparison.folder, comparison.inputs.get("statistics", ()))
        moved = _record(campaign, run_id, outcome, as_of, plan, [vars(figure) for figure in measured])
    except (CanbaoError, OSError) as error:
        with transaction() as tx:
            _failed(tx, run_id, error)
        if isinstance(error, OSError):
            raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(comparison.folder)) from None
        raise
    return {"run": run_id, "new": True, "persons": outcome.persons, "unbalanced": outcome.unbalanced,
            "findings": sum(outcome.by_list.values()), "events": moved}


def rehearse_comparison(campaign: str, period: str, redo: Sequence[str] = ()) -> dict[str, Any]:
    """A dry run: what comparing now would find, beside the run before, and whether a guard would stop it.

    ``redo`` names the chunks to be worked out; the others are taken from the run before where they are the same. Without it
    everything is worked out. Nothing is written to the record, and what was worked out is deleted again: it holds persons.
    """
    plan, period = plan_in_force(campaign), month(period).label
    with transaction() as tx:
        plan_sha256 = campaigns.plan_in_force(tx, campaign)
        inputs = _inputs(tx, plan, period)
        listed = runs.lists_before(tx, campaign, period)
        before = _before(tx, campaign, period)
        done_before = {row["name"]: row["key"] for row in runs.chunks(tx, before.run)} if before.run is not None else {}
    place = folder(campaign, "runs", period) / f"dry-{_digest(plan_sha256, inputs)[:16]}"
    comparison = _comparison(campaign, period, plan_sha256, json.dumps(inputs), str(place))
    wanted = comparison.with_dependents(redo or [chunk.name for chunk in comparison.chunks])
    try:
        with comparison.shared_room() as room:
            for chunk in comparison.chunks:
                is_same = chunk.name not in wanted and done_before.get(chunk.name) == comparison.keys[chunk.name]
                if not (is_same and before.folder is not None and comparison.adopt(chunk, before.folder)):
                    comparison.run(chunk, room)
        outcome = comparison.outcome()
        return {"dry_run": True, **_beside(plan, before, outcome), "stopped_by": _stopped(plan, outcome, listed)}
    finally:
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True)
class Before:
    """The run that stands before another one is made: its counts, and the folder with what it listed (None: no run yet)."""

    run: int | None
    period: str | None
    categories: dict[str, int]
    folder: Path | None


def _before(tx: Connection, campaign: str, period: str) -> Before:
    found = store.latest_run(tx, campaign, period) or store.latest_run(tx, campaign)
    if found is None:
        return Before(None, None, {}, None)
    counted: Counter[str] = Counter()
    for row in store.categories(tx, found["id"]):
        counted[row["category"]] += row["persons"]
    return Before(found["id"], found["period"], dict(counted), Path(found["folder"]) if found["folder"] else None)


@contextmanager
def before_replacing(campaign: str, period: str) -> Iterator[Before]:
    """The run that stands, kept for the duration though its parts are made anew in their place."""
    with transaction() as tx:
        before = _before(tx, campaign, period)
    listed = before.folder / "findings.parquet" if before.folder is not None else None
    if listed is None or not listed.exists():
        yield before
        return
    kept = folder(campaign, "runs", period) / f"before-{before.run}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    try:
        os.link(listed, kept / listed.name)  # the file stays as it is: a chunk replaces it by another one
        yield replace(before, folder=kept)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def what_changes(campaign: str, run_id: int, before: Before) -> dict[str, Any]:
    """What recording a run, whose chunks are done, would change: counts old against new. Raises RunDoesNotBalance."""
    comparison = _run_of(campaign, run_id)
    with transaction() as tx:
        listed = runs.lists_before(tx, campaign, comparison.period)
    outcome = comparison.outcome()
    return {"dry_run": False, **_beside(comparison.plan, before, outcome), "stopped_by": _stopped(comparison.plan, outcome, listed)}


def _beside(plan: Plan, before: Before, outcome: Outcome) -> dict[str, Any]:
    return {
        "names": {category.id: category.name for category in plan.categories} | {entry.id: entry.name for entry in plan.lists},
        "period": outcome.period, "persons": outcome.persons, "unbalanced": outcome.unbalanced,
        "against": None if before.run is None else {"run": before.run, "period": before.period},
        "categories": [vars(change) for change in category_changes(before.categories, outcome)],
        "lists": [vars(change) for change in list_changes(before.folder, outcome)],
    }


def _stopped(plan: Plan, outcome: Outcome, before: dict[str, int] | None) -> str | None:
    try:
        refuse_runaways(plan, outcome, before)
    except RunDoesNotBalance as guard:
        return str(guard)
    return None


def _failed(tx: Connection, run_id: int, error: Exception) -> None:
    """Closes a run and its attempt as failed; of an unforeseen error only the kind is kept, for its text may quote a cell."""
    store.fail_run(tx, run_id, str(error) if isinstance(error, CanbaoError) else type(error).__name__)
    attempts.end(tx, run_id, "failed")


def _run_of(campaign: str, run_id: int) -> Comparison:
    """A run that was begun. Raises WrongUse if the plan has changed since: its chunks would not fit together."""
    with transaction() as tx:
        run = store.run(tx, run_id)
        in_force = campaigns.plan_in_force(tx, campaign)
    if run is None or run["campaign_id"] != campaign:
        raise WrongUse(f"there is no run {run_id}.", where=campaign, cure="Begin it with `canbao compare`.")
    if run["plan_sha256"] != in_force:
        raise WrongUse(f"the plan has changed since run {run_id} was begun.", where=campaign,
                       cure="Run `canbao compare` again: it begins a run under the plan in force.")
    return _comparison(campaign, run["period"], in_force, json.dumps(run["inputs"]), run["folder"])


@lru_cache(maxsize=8)
def _comparison(campaign: str, period: str, plan_sha256: str, inputs: str, place: str) -> Comparison:
    """The same comparison for each of its chunks; ``plan_sha256`` is the plan in force."""
    paths = _paths(json.loads(inputs))
    known = Known(*(paths.pop(name, [None])[0] for name in (DECISIONS, OLD_NUMBERS)))
    return Comparison(plan_in_force(campaign), period, paths, Path(place), known)


def _digest(plan_sha256: str, inputs: dict[str, list[dict[str, str]]]) -> str:
    return hashlib.sha256(json.dumps([plan_sha256, inputs], sort_keys=True).encode()).hexdigest()


def _answer(run: Any, *, new: bool) -> dict[str, Any]:
    return {"run": run["id"], "new": new, "persons": run["persons"], "unbalanced": run["unbalanced"]}


def _inputs(tx: Connection, plan: Plan, period: str) -> dict[str, list[dict[str, str]]]:
    """Feed → deliveries in force, by hash; one of an earlier period is named as such, so that staleness shows.

    A full snapshot stands for itself; the files of a supplement add up from the first period on. Last, if there are any,
    what people know beside the registers (``DECISIONS``, ``OLD_NUMBERS``).
    """
    chosen: dict[str, list[dict[str, str]]] = {}
    adding = [feed.feed for feed in plan.feeds if feed.snapshot == "supplement"]
    whole = [row for row in deliveries.accepted(tx, plan.id, period) if row["feed"] not in adding]
    rows = standing(plan, month(period).ends, whole)
    for feed in adding:
        rows += deliveries.supplements(tx, plan.id, feed, period)
    for row in rows:
        chosen.setdefault(row["feed"], []).append(
            {"sha256": row["sha256"], "period": row["period"], "provider": row["provider"], "path": row["snapshot"]})
    for name, path in ((DECISIONS, decisions_file(tx, plan.id, folder(plan.id, "decisions"))),
                       (OLD_NUMBERS, old_numbers_file(folder(plan.id)))):
        if path is not None:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            chosen[name] = [{"sha256": digest, "period": period, "provider": plan.office, "path": str(path)}]
    return chosen


def _paths(inputs: dict[str, list[dict[str, str]]]) -> dict[str, list[Path]]:
    return {feed: [Path(entry["path"]) for entry in entries] for feed, entries in inputs.items()}


def _record(campaign: str, run_id: int, outcome: Outcome, as_of: datetime, plan: Plan,
            measured: list[dict[str, Any]]) -> dict[str, int]:
    """Everything a run leaves in the record, in one transaction: a run is done whole or not at all."""
    current, gone = export_for_record(plan, outcome.folder)
    try:
        with transaction() as tx:
            newest = store.latest_run(tx, campaign)
            store.finish_run(tx, run_id, persons=outcome.persons, unbalanced=outcome.unbalanced,
                             content_sha256=outcome.content_sha256, categories=outcome.categories, links=outcome.links,
                             lists=outcome.by_list)
            store.record_measurements(tx, campaign, outcome.period, run_id, measured)
            moved: dict[str, int] = {}
            # An old month compared anew corrects its figures; it must not turn back the findings' life.
            if newest is None or newest["period"] <= outcome.period:
                out_of_scope = [category.id for category in plan.categories if not category.in_scope]
                leads = replaced_on(plan, today(plan, as_of))
                moved = life.merge(tx, campaign, outcome.period, run_id, as_of, current, gone, out_of_scope,
                                   TRANSITIONS, leads)
                events.note_contradictions(tx, campaign, run_id, outcome.period, as_of)
            campaigns.audit(tx, campaign, at=as_of, actor=actor(), action="comparison run", subject=f"run {run_id}",
                            count=outcome.persons, reason=outcome.period)
            attempts.end(tx, run_id, "done")
    finally:
        current.unlink(missing_ok=True)
        gone.unlink(missing_ok=True)
    return moved


def latest_run(campaign: str, period: str | None = None) -> dict[str, Any]:
    """The latest finished run. Raises WrongUse if there is none."""
    with transaction() as tx:
        found = store.latest_run(tx, campaign, period)
    if found is None:
        raise WrongUse("no comparison has been run yet.", where=f"{campaign} {period or ''}".strip(),
                       cure="Take the feeds in, then `canbao compare`.")
    return dict(found)
