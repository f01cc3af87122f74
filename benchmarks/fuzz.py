"""Thousands of broken files taken in, each in a process that may die: ``python -m benchmarks fuzz --files 10000``.

A file must end in a receipt: its rows add up, what it says is kept is kept, the file is as it was, and the answer names
nobody. A traceback, the end of the interpreter, more than a minute, or anything else is a failure; the file that caused
it is saved with how it was made (``benchmarks/mutations.py`` makes it again from its number).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import Any

import psutil

from benchmarks.mutations import MARK, Case, case
from models.machine import processors
from models.plan import Plan
from models.plan_file import find, read

CAMPAIGN, PERIOD = "chengjiang-2021", "2021-05"
PROVIDERS = {"population": "gongan", "deaths": "weijian", "hardship": "minzheng"}
AT_MOST_SECONDS = 60
"""Of the worker's own processor time: on a crowded machine the clock on the wall says little."""
AT_MOST_WAITED_SECONDS = 600
"""On the wall, for one that sleeps, or does not start."""
MEMORY_BYTES = 6 << 30
"""Address space of a worker: a file that makes it ask for more is as deadly as one that crashes it."""
_PERSON = re.compile(rf"{MARK}|(?<!\d)\d{{17}}[\dXx]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: ``verdict`` of the receipt, or what went wrong in ``failure``."""

    number: int
    made_by: str
    seconds: float
    verdict: str = ""
    failure: str = ""


# --- in the worker --------------------------------------------------------------------------------------


@cache
def _plan() -> Plan:
    return read(find(CAMPAIGN)).plan


def _take(number: int, seed: int, folder: Path) -> tuple[str, str]:
    """(verdict, failure) of one case."""
    from expectations.intake import take

    broken = case(number, seed)
    path = folder / broken.name
    path.write_bytes(broken.content)
    try:
        receipt = take(path, feed=broken.feed, plan=_plan(), period=PERIOD,
                       provider=PROVIDERS[broken.feed], snapshots=folder / "snapshots")
    except BaseException as error:
        return "", f"{type(error).__name__}\n{traceback.format_exc()}"
    return receipt.verdict, "; ".join(_faults(broken, path, receipt))


def _faults(broken: Case, path: Path, receipt: Any) -> Iterator[str]:
    import pyarrow.parquet as pq

    if path.read_bytes() != broken.content or receipt.sha256 != hashlib.sha256(broken.content).hexdigest():
        yield "the file is not what it was"
    if receipt.accepted + receipt.quarantined + receipt.duplicate + receipt.dropped != receipt.rows:
        yield "the accounts do not add up"
    if (receipt.verdict == "returned") == (receipt.snapshot is not None):
        yield "a returned file has a snapshot, or another has none"
    if receipt.snapshot is not None and pq.read_metadata(receipt.snapshot).num_rows != receipt.accepted:
        yield "the snapshot does not hold the accepted rows"
    if receipt.quarantine is not None and pq.read_metadata(receipt.quarantine).num_rows != receipt.quarantined:
        yield "the quarantine does not hold the quarantined rows"
    if not receipt.reason:
        yield "the answer says nothing"
    if any(_PERSON.search(text) for text in (receipt.reason, *(check.says for check in receipt.checks))):
        yield "the answer names a person"


def _work(seat: Connection, folder: str, seed: int) -> None:
    """Takes one number after the other. Starts with whatever takes long to import."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    place = Path(folder)
    with (place / "stderr").open("ab") as sink:  # a library's panic speaks there
        os.dup2(sink.fileno(), 2)
    import great_expectations  # noqa: F401 - takes seconds, which are no file's

    seat.send("ready")
    with suppress(EOFError):  # the parent is gone
        while True:
            seat.send(_take(seat.recv(), seed, place))
            for left in place.iterdir():
                if left.name != "stderr":
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


# --- in the parent --------------------------------------------------------------------------------------


class Worker:
    """A process that takes files in, and is replaced when it dies or hangs."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._begin()

    def _begin(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="canbao-fuzz-")
        context = multiprocessing.get_context("spawn")
        self.seat, there = context.Pipe()
        self.process = context.Process(target=_work, args=(there, self.folder, self.seed), daemon=True)
        self.process.start()
        there.close()
        if not self.seat.poll(AT_MOST_WAITED_SECONDS):
            raise RuntimeError("a worker did not start")
        self.seat.recv()

    def take(self, number: int) -> Outcome:
        """What becomes of one case."""
        made_by = case(number, self.seed).made_by
        began = time.monotonic()
        self.seat.send(number)
        try:
            self._wait()
            verdict, failure = self.seat.recv()
        except (EOFError, ConnectionError, TimeoutError) as end:
            self.process.join(0 if isinstance(end, TimeoutError) else 5)
            failure = "hang" if isinstance(end, TimeoutError) else f"crash: exit code {self.process.exitcode}\n{self._last_words()}"
            verdict = ""
            self.close()
            self._begin()
        return Outcome(number, made_by, time.monotonic() - began, verdict, failure)

    def _wait(self) -> None:
        """Until there is an answer. Raises TimeoutError for one that takes too long."""
        watched = psutil.Process(self.process.pid)
        worked, until = _worked(watched), time.monotonic() + AT_MOST_WAITED_SECONDS
        while not self.seat.poll(5):
            if _worked(watched) - worked > AT_MOST_SECONDS or time.monotonic() > until:
                raise TimeoutError

    def _last_words(self) -> str:
        return (Path(self.folder) / "stderr").read_text(encoding="utf-8", errors="replace")[-2000:]

    def close(self) -> None:
        """Ends the process and removes its folder."""
        self.process.kill()
        self.process.join()
        self.seat.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _worked(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it is gone: the answer says so
        return 0.0
    return float(times.user + times.system)


def run(numbers: Iterable[int], *, seed: int = 1, workers: int = 1, saved: Path | None = None) -> Iterator[Outcome]:
    """Takes the cases in; the outcomes come as they are ready. What fails is saved with how it was made."""
    seats: Queue[Worker] = Queue()
    for _ in range(workers):
        seats.put(Worker(seed))

    def taken(number: int) -> Outcome:
        worker = seats.get()
        try:
            return worker.take(number)
        finally:
            seats.put(worker)

    try:
        with ThreadPoolExecutor(workers) as pool:
            for outcome in pool.map(taken, numbers):
                if outcome.failure and saved is not None:
                    _save(outcome, seed, saved)
                yield outcome
    finally:
        while not seats.empty():
            seats.get().close()


def _save(outcome: Outcome, seed: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    broken = case(outcome.number, seed)
    (folder / f"{seed}-{outcome.number}.bin").write_bytes(broken.content)
    (folder / f"{seed}-{outcome.number}.txt").write_text(
        f"{broken.name}\n{broken.feed}\n{broken.made_by}\n{outcome.failure}\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Runs so many cases and tells what became of them; 0 if none failed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks fuzz", description=__doc__.splitlines()[0])
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0, help="the first number")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=max(1, processors() - 1))
    options.add_argument("--saved", type=Path, default=Path("var/fuzz"), help="where failures are kept")
    told = options.parse_args(arguments)
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an ordinary end: the workers are ended too
    began = time.monotonic()
    verdicts: Counter[str] = Counter()
    slowest, failures = 0.0, 0
    for done, outcome in enumerate(run(range(told.first, told.first + told.files), seed=told.seed, workers=told.workers,
                                       saved=told.saved), start=1):
        verdicts[outcome.failure.partition("\n")[0].partition(":")[0] or outcome.verdict] += 1
        slowest = max(slowest, outcome.seconds)
        failures += bool(outcome.failure)
        if done % 500 == 0:
            print(f"{done} files, {failures} failures, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps({"files": told.files, "first": told.first, "seed": told.seed, "failures": failures, "outcomes": dict(verdicts.most_common()),
                      "slowest_seconds": round(slowest, 1), "seconds": round(time.monotonic() - began)}, ensure_ascii=False))
    return 1 if failures else 0
