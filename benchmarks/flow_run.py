"""What one flow run with one empty effect costs in a rehearsal: ``python -m benchmarks flow_run``.

The flows are as empty as flows can be and run as a rehearsal runs its own: in this process, against its server, with its
settings (``rehearsal.rehearse.served``). Processor time is that of all who work for a run: this process, the Prefect server,
PostgreSQL; what server and PostgreSQL use while nobody asks anything is taken off. It says more than the clock where others
use the machine as well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from deployments.server import QUIET, SERVER
from models.database import engine, home

RUNS, WARM_UP = 100, 10
IDLE_SECONDS = 15.0
Spent = dict[str, float]
"""Seconds by the clock, and of the processor by who used them."""


def main(arguments: list[str]) -> int:
    """Prints the table, in milliseconds a run."""
    if any(os.environ.get(name) != value for name, value in QUIET.items()):  # Prefect reads its settings when it is imported
        command = [sys.executable, "-m", "benchmarks", "flow_run", *arguments]
        return subprocess.run(command, env={**os.environ, **QUIET}, check=False).returncode
    options = argparse.ArgumentParser(prog="python -m benchmarks flow_run", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--runs", type=int, default=RUNS)
    told = options.parse_args(arguments)
    scratch = Path(tempfile.mkdtemp(prefix="canbao-flow-run-"))
    os.environ["CANBAO_HOME"], os.environ["PREFECT_HOME"] = str(scratch / "home"), str(scratch / "prefect")
    os.environ.pop("CANBAO_DATABASE_URL", None)
    try:
        print(measure(told.runs))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def measure(runs: int) -> str:
    """The table: each kind of run, what it costs by the clock and of whose processor time."""
    from rehearsal.rehearse import served

    engine()
    lines = ["| one of | clock, ms | processor, ms | of it this process | Prefect server | PostgreSQL |", "|---|---:|---:|---:|---:|---:|"]
    with served():
        kinds = _kinds()
        for _, work in kinds:
            _spent(work, WARM_UP)
        idle = _spent(lambda: time.sleep(IDLE_SECONDS), 1)
        for name, work in kinds:
            spent = _spent(work, runs)
            own, server, record = (
                1000 / runs * max(0.0, spent[who] - idle[who] / idle["clock"] * spent["clock"] * (who != "own"))
                for who in ("own", "server", "record"))
            lines.append(f"| {name} | {1000 * spent['clock'] / runs:.0f} | {own + server + record:.0f} | {own:.0f} | {server:.0f} | {record:.0f} |")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join([*lines, "", f"{runs} runs of each after {WARM_UP}; load {load} at the end"])


def _kinds() -> list[tuple[str, Callable[[], object]]]:
    from prefect import flow

    from tasks.effect import effect, guarded

    @effect("nothing")
    def nothing(number: int) -> int:
        return number

    def kind(effects: int) -> Callable[[], object]:
        @flow(name=f"effects-{effects}")
        @guarded
        def empty() -> None:
            for number in range(effects):
                nothing(number)

        return empty

    return [("flow run without an effect", kind(0)), ("flow run with one empty effect", kind(1)),
            ("flow run with ten empty effects", kind(10)), ("the effect called directly", lambda: nothing.fn(1))]


def _spent(work: Callable[[], object], times: int) -> Spent:
    before, began = _used(), time.perf_counter()
    for _ in range(times):
        work()
    took, after = time.perf_counter() - began, _used()
    return {"clock": took, **{who: after[who] - before[who] for who in before}}


def _used() -> Spent:
    server, _, _ = (home() / f"{SERVER}.pid").read_text(encoding="utf-8").partition(" ")
    postmaster = (home() / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    return {"own": time.process_time(), "server": _family(int(server)), "record": _family(int(postmaster))}


def _family(pid: int) -> float:
    """Processor seconds of a process, its children, and those that have ended."""
    parent = psutil.Process(pid)
    used = sum(parent.cpu_times()[:4])  # its own and its ended children's, user and system
    for child in parent.children(recursive=True):
        try:
            used += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:  # it counts among the ended ones next time
            continue
    return float(used)
