"""What Prefect costs: a comparison run as a flow against a real server, beside the same work called directly.

The flow makes the same chunks, each as a task run, and leaves its progress bar, tables and pictures. Its share is what is
left of the run's time once that of the work itself is taken off, both measured within one run: from one run to the next the
work itself differs by more than Prefect costs. Bar: ≤ 5 % for a million persons. A worker starts a process for each run;
what that takes before the flow begins is shown beside it.

All is measured in a process with the settings that ``canbao up`` gives a worker's runs: Prefect reads its own when it is
imported.
"""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from prefect import flow
from prefect.settings import temporary_settings

from benchmarks.comparison import CAMPAIGN, PERIOD, plan
from benchmarks.measure import Figure, of_pairs, seconds, table
from benchmarks.peers import accepted
from benchmarks.snapshots import write
from deployments.server import QUIET, as_our_client, prefect_server

BAR_PERCENT = 5.0


def main(arguments: list[str]) -> int:
    """Prints the table with its bar; 1 if it is missed."""
    if any(os.environ.get(name) != value for name, value in QUIET.items()):
        command = [sys.executable, "-m", "benchmarks", "orchestration", *arguments]
        return subprocess.run(command, env={**os.environ, **QUIET}, check=False).returncode
    options = argparse.ArgumentParser(prog="python -m benchmarks orchestration", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--persons", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    told = options.parse_args(arguments)
    scratch = Path(tempfile.mkdtemp(prefix="canbao-orchestration-"))
    try:
        figures = measure(told.persons, told.rounds, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(table(figures))
    return int(any(figure.met == "no" for figure in figures))


def measure(persons: int, rounds: int, scratch: Path) -> list[Figure]:
    """Rounds of both, in turn, over the same record; every chunk is made anew each time."""
    now = accepted(write(plan(), scratch / "place", persons=persons, period=PERIOD), scratch)
    os.environ.setdefault("PREFECT_HOME", str(scratch / "prefect"))
    inside: list[tuple[float, float]] = []
    beside: list[tuple[float, float]] = []
    with prefect_server(4399) as api, temporary_settings(as_our_client(api)):
        as_flow, direct = _both(now)
        with _timed_work() as spent:
            direct()  # a warm-up that is not counted
            for _ in range(rounds):
                spent.clear()
                whole = seconds(as_flow)
                inside.append((whole, sum(spent)))
                beside.append((whole, seconds(direct)))
    start = statistics.median(seconds(_start_process) for _ in range(rounds))
    size = f"{persons:,} persons"
    return [_share(f"{size}: orchestration's share of a flow run", inside, BAR_PERCENT),
            _share(f"{size}: the same with the start of its process", [(whole + start, work) for whole, work in inside], None),
            Figure("a process that can run flows: start", "s", start, None, start, start, start, None),
            of_pairs(f"{size}: flow run / the same called directly", beside, None)]


@contextmanager
def _timed_work() -> Iterator[list[float]]:
    """Notes the seconds that the work of a comparison takes, whoever calls it."""
    from tasks.comparison import begin_comparison, compare_chunks, record_comparison

    spent: list[float] = []
    kept = {task: task.fn for task in (begin_comparison, compare_chunks, record_comparison)}

    def timed(work: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(work)
        def run(*args: object, **named: object) -> object:
            began = time.perf_counter()
            try:
                return work(*args, **named)
            finally:
                spent.append(time.perf_counter() - began)

        return run

    try:
        for task, work in kept.items():
            task.fn = timed(work)  # type: ignore[assignment]
        yield spent
    finally:
        for task, work in kept.items():
            task.fn = work


def _both(now: datetime) -> tuple[Callable[[], object], Callable[[], object]]:
    from comparison.chunks import CHUNKS
    from flows.data_comparison import compare_in_chunks
    from tasks.comparison import one_at_a_time, run_comparison

    @flow(name="orchestrated")
    def orchestrated() -> None:
        with one_at_a_time(CAMPAIGN, PERIOD):
            compare_in_chunks(CAMPAIGN, PERIOD, now, redo=CHUNKS, reason="benchmark")

    return orchestrated, lambda: run_comparison.fn(CAMPAIGN, PERIOD, now, CHUNKS, "benchmark")


def _start_process() -> None:
    subprocess.run([sys.executable, "-c", "import prefect.flow_engine, flows.data_comparison"], check=True)


def _share(name: str, pairs: list[tuple[float, float]], bar: float | None) -> Figure:
    shares = [100 * (flow - work) / flow for flow, work in pairs]
    own, least = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Figure(name, "%", statistics.median(shares), bar, min(shares), max(shares), own, least)
