"""What this machine lets us use: the one place that decides how many threads, how much memory and how many processes.

What counts is what this process may use, not what the machine was built with: processors by its affinity (which a cpuset
narrows), a share of processors and a limit of memory by the control groups above it (version 1 and 2, as systemd and
containers set them), a limit of its address space (``ulimit -v``). ``CANBAO_THREADS``, ``CANBAO_MEMORY_GB`` and
``CANBAO_PROCESSES`` say otherwise; whoever sets one is believed. What is done never depends on any of it, only how soon it is
done (tests/comparison/test_machine_sizes.py).
"""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

import psutil

from models.errors import WrongUse

THREADS, MEMORY, PROCESSES = "CANBAO_THREADS", "CANBAO_MEMORY_GB", "CANBAO_PROCESSES"
GIGABYTE = 10**9
MOST_THREADS, MOST_MEMORY_GB, MOST_PROCESSES = 1024, 65_536, 256
"""More than these is a slip of the pen."""

LEAST_DATABASE_BYTES = GIGABYTE // 2
"""A database that has less spends its time with putting aside and fetching back."""
LEAST_BYTES_A_THREAD = GIGABYTE // 4
"""What a thread that writes or joins a wide table holds: a row group of each of some sixty columns, and its part of a hash table."""
OF_WHAT_IS_FREE = 0.8
BYTES_A_FILE = 4 * GIGABYTE
"""Taking in the register of a city of five million holds 3.3 GB (docs/benchmarks.md)."""
BYTES_A_PROCESS = GIGABYTE
"""A process that writes rosters or exports a register, with what it imports and what it holds."""
BYTES_A_RUN = 2 * GIGABYTE
"""A flow run's process holds 0.3 GB before it does anything; a comparison or a register more."""
MOST_RUNS = 16
"""Each has connections to the record and asks the Prefect server: more would only wait there."""
PROCESSES_BY_ITSELF = 8
"""Starting a process costs a second or two of imports: more than these are only started where somebody asks for them."""

NO_LIMIT_BYTES = 1 << 60
"""Version 1 has no word for "no limit" but a number that no machine has."""
_ROOT = Path("/")
Settings = dict[str, str | bool | int | float | list[str]]
"""What ``duckdb.connect(config=…)`` takes."""


class Share(Enum):
    """Parts of the memory that go to databases in our own processes. The rest is PostgreSQL's, Prefect's and Python's."""

    COMPARISON = 0.5
    """One at a time, because the work queue ``matching`` admits one (deployments/listing.yaml)."""
    READING = 0.15
    """For all files that a process is reading; the rows as they came are held beside it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a process may use. ``free_bytes`` is what nobody holds now, and None where the memory was set by hand."""

    threads: int
    memory_bytes: int
    free_bytes: int | None
    processes: int

    @property
    def files_at_once(self) -> int:
        """How many delivered files a flow takes in side by side."""
        return max(1, min(self.threads, self.memory_bytes // BYTES_A_FILE))

    @property
    def runs_at_once(self) -> int:
        """Flow runs in parallel, each a process of its own: mostly they wait, but a duty must never wait for a comparison."""
        return max(2, min(2 * self.threads, self.memory_bytes // BYTES_A_RUN, MOST_RUNS))

    def database_bytes(self, share: Share) -> int:
        """What a database may hold before it puts aside on disk: its share of the memory, or most of what is free where
        other jobs hold more than was left for them."""
        whole = int(self.memory_bytes * share.value)
        free = whole if self.free_bytes is None else int(self.free_bytes * OF_WHAT_IS_FREE)
        return max(min(whole, free), min(whole, LEAST_DATABASE_BYTES))

    def database_threads(self, share: Share) -> int:
        """Threads of a database: all there are, unless its memory is too little for so many."""
        return max(1, min(self.threads, self.database_bytes(share) // LEAST_BYTES_A_THREAD))


def machine() -> Machine:
    """What there is, with what is set laid over it. Raises WrongUse where a setting is no number or out of bounds."""
    set_threads = _number(THREADS, "the threads that canbao may use at once, such as 8", 1, MOST_THREADS, whole=True)
    set_memory = _number(MEMORY, "the memory that canbao may use, in GB, such as 16", 0.5, MOST_MEMORY_GB)
    set_processes = _number(PROCESSES, "the processes that write rosters and exports, such as 4", 1, MOST_PROCESSES, whole=True)
    threads = int(set_threads) if set_threads else processors()
    memory = int(set_memory * GIGABYTE) if set_memory else memory_bytes()
    # Each has an interpreter and its imports, so memory bounds them as well.
    processes = int(set_processes or max(1, min(threads, PROCESSES_BY_ITSELF, memory // BYTES_A_PROCESS)))
    return Machine(threads, memory, None if set_memory else free_bytes(), processes)


def database_settings(share: Share, *, is_small: bool = False) -> Settings:
    """The settings with which a DuckDB of ours is opened (``duckdb.connect(config=…)``). Where what it works on ``is_small``,
    threads would cost more than they save: one, unless somebody set how many."""
    found = machine()
    threads = 1 if is_small and not os.environ.get(THREADS, "").strip() else found.database_threads(share)
    return {"threads": threads, "memory_limit": f"{found.database_bytes(share) // 10**6}MB"}


def small_database() -> Settings:
    """The settings of a DuckDB that holds some thousand rows: threads would cost more than they save."""
    return {"threads": 1, "memory_limit": f"{LEAST_DATABASE_BYTES // 10**6}MB"}


def _number(name: str, means: str, least: float, most: float, *, whole: bool = False) -> float | None:
    """A setting's value; None where it is not set or left empty."""
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(int(text)) if whole else float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise WrongUse(f"{text!r} is no {'whole ' if whole else ''}number from {least:g} to {most:g}.", where=f"environment variable {name}",
                       cure=f"It says {means}; leave it out, and it follows from the machine.")
    return value


# --- what there is --------------------------------------------------------------------------------------


def processors(root: Path = _ROOT) -> int:
    """How many processors this process may keep busy. A share of one and a half counts as two: one would leave half unused."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(share) for share in _processor_shares(root))]))


def memory_bytes(root: Path = _ROOT) -> int:
    """How much memory this process may hold, other processes of its control group included."""
    of_process = resource.getrlimit(resource.RLIMIT_AS)[0]
    limits = [limit for limit, _ in _memory_limits(root)]
    return min([psutil.virtual_memory().total, *limits, *([of_process] if of_process != resource.RLIM_INFINITY else [])])


def free_bytes(root: Path = _ROOT) -> int:
    """How much memory nobody holds now. Pages of files that the kernel would give up count as free."""
    return max(0, min([psutil.virtual_memory().available, *(limit - used for limit, used in _memory_limits(root))]))


def _processor_shares(root: Path) -> Iterator[float]:
    for group in _groups(root, "cpu"):
        match _words(group / "cpu.max"):
            case [quota, period] if quota.isdigit() and period.isdigit() and int(period):
                yield int(quota) / int(period)
        slice_us, every_us = _figure(group / "cpu.cfs_quota_us"), _figure(group / "cpu.cfs_period_us")
        if slice_us and every_us:
            yield slice_us / every_us


def _memory_limits(root: Path) -> Iterator[tuple[int, int]]:
    """(limit, what is held) of every control group above this process that has a limit."""
    for group in _groups(root, "memory"):
        for limit_file, used_file in (("memory.max", "memory.current"), ("memory.high", "memory.current"),
                                      ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            limit = _figure(group / limit_file)
            if limit is not None and limit < NO_LIMIT_BYTES:
                yield limit, max(0, (_figure(group / used_file) or 0) - _inactive_files(group))


def _inactive_files(group: Path) -> int:
    """Bytes of files that a group holds in memory and that the kernel would give up first."""
    found = {words[0]: int(words[1]) for line in _lines(group / "memory.stat") if len(words := line.split()) == 2 and words[1].isdigit()}
    return found.get("total_inactive_file", found.get("inactive_file", 0))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the control groups in which this process is, from its own up to the outermost that can be seen: a limit
    further up binds as well. Version 1 has a tree for each controller, version 2 one for all; both may be there."""
    mounts = list(_mounts(root, controller))
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_second = number == "0" and not controllers
        if not is_second and controller not in controllers.split(","):
            continue
        for of_second, begins, folder in mounts:
            if of_second == is_second:
                yield from _upwards(folder, _below(PurePosixPath(path), begins))


def _mounts(root: Path, controller: str) -> Iterator[tuple[bool, PurePosixPath, Path]]:
    """Where control groups are mounted: (is version 2, which group stands at the mount, the folder)."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        place, kind = before.split(), after.split()
        if len(place) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2" or (kind[0] == "cgroup" and controller in kind[2].split(",")):
            yield kind[0] == "cgroup2", PurePosixPath(place[3]), root / place[4].lstrip("/")


def _below(path: PurePosixPath, begins: PurePosixPath) -> PurePosixPath:
    """A group's path below the mount. A container may be told its path on the host, of which its mount shows only the end."""
    if ".." in path.parts or not path.is_relative_to(begins):
        return PurePosixPath()
    return path.relative_to(begins)


def _upwards(folder: Path, path: PurePosixPath) -> Iterator[Path]:
    for group in (path, *path.parents):
        yield folder / group
        if group == PurePosixPath():
            return


def _figure(file: Path) -> int | None:
    """The number a file holds; None where it holds ``max``, ``-1`` or nothing, or is not there."""
    words = _words(file)
    return int(words[0]) if len(words) == 1 and words[0].isdigit() else None


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:  # no control groups here, or none that we may see
        return []
