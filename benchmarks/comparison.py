"""The comparison at the size of a prefecture, beside the least that could do its work: ``python -m benchmarks comparison``.

Floor: one bare DuckDB query over the same Parquet that checks every check digit and joins every register on the number.
Peers: the same exact links by pandas merges, and Splink alone over every row. The record in PostgreSQL and the rosters come
with ``whole``. Rounds alternate, so that a busy machine slows both sides alike; ``--part`` asks for single lines, and a place
that lies in ``--scratch`` already is not written again.

``--threads 1,2,4`` measures something else: the same stage with so many threads, each beside the first of them, chunk by
chunk, and whether every table is the same row for row.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Cost, Figure, cost_alone, of_pairs, table
from benchmarks.snapshots import write
from comparison.database import connect, quoted
from comparison.engine import Comparison, compare
from comparison.plan_check import load_sound
from comparison.registers import registers
from models.errors import RunDoesNotBalance
from models.machine import MEMORY, THREADS
from models.plan import Plan

CAMPAIGN, PERIOD, MONTH_AFTER = "lianyungang-2016", "2016-03", "2016-04"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
GIGABYTE = 1e9
MEMORY_GB = 8.0
"""The county's machine: a comparison's database has half of it."""
PLANNED_THREADS = 16
CHUNKS_SHOWN = 12
Inputs = dict[str, list[Path]]


def plan() -> Plan:
    """连云港's plan without its guards: shares of a made-up place say nothing."""
    return load_sound(CAMPAIGN).plan.model_copy(update={"guards": ()})


def bare_query(inputs: Inputs) -> str:
    """Every number with its check digit verified, every register joined to the population: nothing else."""
    total = " + ".join(f"substr(id_number, {place}, 1)::INTEGER * {weight}" for place, weight in enumerate(WEIGHTS, start=1))

    def numbers(feed: str) -> str:
        return (f"(SELECT id_number FROM read_parquet({quoted(inputs[feed][0])}) "
                f"WHERE substr('10X98765432', ({total}) % 11 + 1, 1) = substr(id_number, 18, 1))")

    joined = " ".join(f"LEFT JOIN {numbers(feed)} AS {feed} USING (id_number)" for feed in registers() if feed in inputs)
    return f"SELECT count(*) FROM {numbers('population')} AS population {joined}"


def bare(inputs: Inputs) -> None:
    """The floor."""
    with connect(memory_gb=6) as connection:
        connection.execute(bare_query(inputs)).fetchall()


def whole_stage(of: Plan, inputs: Inputs, folder: Path) -> None:
    """Snapshots to lists and balance, from nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    compare(of, PERIOD, inputs, folder)


def exact_part(of: Plan, inputs: Inputs, folder: Path) -> None:
    """Of it, the people and which register rows bear number and name of one of them: what pandas' merges find as well."""
    comparison = Comparison(of, PERIOD, inputs, folder)
    for name in ("people", "numbers"):
        comparison.run(comparison.chunk(name))


def links_alone(inputs: Inputs, folder: Path) -> None:
    """Of it, everything up to whose each register row is, in every tier."""
    shutil.rmtree(folder, ignore_errors=True)
    comparison = Comparison(plan(), PERIOD, inputs, folder)
    for chunk in comparison.chunks:
        if chunk.name in ("people", "numbers", "identity") or chunk.name.startswith("link:"):
            comparison.run(chunk)


def corrected_feed(of: Plan, inputs: Inputs, folder: Path, earlier: Path) -> None:
    """A run after one corrected file: what the earlier run did and is still so is taken over."""
    shutil.rmtree(folder, ignore_errors=True)
    before, now = (Comparison(of, PERIOD, given, place) for given, place in (
        (inputs, earlier), ({**inputs, "cards": [inputs["cards"][0].with_name("corrected.parquet")]}, folder)))
    for chunk in now.chunks:
        if now.keys[chunk.name] != before.keys[chunk.name] or not now.adopt(chunk, earlier):
            now.run(chunk)
    now.outcome()


def rounds(name: str, bar: float, count: int, ours: Callable[[], object], floor: Callable[[], object]) -> tuple[list[Figure], float]:
    """(by the clock, and by the processor's time, which others' work disturbs less; peak of ours in bytes). Each side in a
    process of its own, in turn."""
    costs = [(cost_alone(ours), cost_alone(floor)) for _ in range(count)]
    clock = of_pairs(name, [(own.seconds, least.seconds) for own, least in costs], bar)
    processor = of_pairs(f"{name}, processor time", [(own.processor_seconds, least.processor_seconds) for own, least in costs], bar)
    return [clock, processor], max(own.most_bytes for own, _ in costs)


def with_threads(threads: int, inputs: Inputs, folder: Path) -> None:
    """The whole stage with so many threads; leaves beside its tables how long each chunk took."""
    os.environ[THREADS] = str(threads)
    shutil.rmtree(folder, ignore_errors=True)
    took: dict[str, float] = {}
    compare(plan(), PERIOD, inputs, folder, on_chunk=took.__setitem__)
    (folder / CHUNK_SECONDS).write_text(json.dumps(took), encoding="utf-8")


CHUNK_SECONDS = "chunk_seconds.json"


def by_threads(persons: int, count: int, scratch: Path, numbers: Sequence[int]) -> tuple[list[Figure], str]:
    """The stage with each number of threads in turn, and the chunks that take longest as a table. Raises RunDoesNotBalance if
    one number finds otherwise than another."""
    inputs, first, size = _place(persons, scratch), numbers[0], f"{persons:,} persons"
    costs: dict[int, list[Cost]] = {number: [] for number in numbers}
    chunks: dict[int, dict[str, list[float]]] = {number: {} for number in numbers}
    for _ in range(count):
        for number in numbers:
            folder = scratch / f"threads-{number}"
            costs[number].append(cost_alone(with_threads, number, inputs, folder))
            for name, took in json.loads((folder / CHUNK_SECONDS).read_text(encoding="utf-8")).items():
                chunks[number].setdefault(name, []).append(took)
            if _every_row(folder) != _every_row(scratch / f"threads-{first}"):
                raise RunDoesNotBalance(f"{number} threads find otherwise than {first}.", where=str(scratch))
    figures = []
    for number in numbers:
        clock, processor = ([getattr(cost, kind) for cost in costs[number]] for kind in ("seconds", "processor_seconds"))
        gigabytes = max(cost.most_bytes for cost in costs[number]) / GIGABYTE
        figures += [Figure(f"{size}: {number} threads, by the clock", "s", statistics.median(clock), None, min(clock), max(clock)),
                    Figure(f"{size}: {number} threads, processor time", "s", statistics.median(processor), None, min(processor), max(processor)),
                    Figure(f"{size}: {number} threads, most memory", "GB", gigabytes, None, gigabytes, gigabytes)]
        if number > first:
            pairs = [(own.seconds, least.seconds) for own, least in zip(costs[number], costs[first], strict=True)]
            ratio = of_pairs(f"{size}: {number} threads / {first}, by the clock", pairs, 1)
            planned = _planned(ratio.value, first, number)
            figures += [ratio, Figure(f"{size}: {PLANNED_THREADS} threads / {first}, reckoned from these two", "×", planned, None, planned, planned)]
    longest = sorted(chunks[first], key=lambda name: -statistics.median(chunks[first][name]))[:CHUNKS_SHOWN]
    lines = ["| chunk | " + " | ".join(f"{number} threads, s" for number in numbers) + " |", "|---|" + "---:|" * len(numbers),
             *(f"| {name} | " + " | ".join(f"{statistics.median(chunks[number][name]):.2f}" for number in numbers) + " |" for name in longest)]
    return figures, "\n".join(lines)


def _planned(ratio: float, few: int, many: int) -> float:
    """The ratio to be expected of ``PLANNED_THREADS`` by Amdahl's law, with the part that does not fall with threads as two
    measurements show it: time = alone + shared / threads."""
    alone = max(0.0, (ratio - few / many) / (1 - few / many))
    return alone + (1 - alone) * few / PLANNED_THREADS


def _every_row(folder: Path) -> dict[str, tuple[int, int]]:
    """Of every table of a run, its rows and a sum of their hashes."""
    with connect() as connection:
        return {path.name: connection.execute(f"SELECT count(*), sum(hash(t)::HUGEINT) FROM read_parquet({quoted(path)}) t").fetchall()[0]
                for path in sorted(folder.glob("*.parquet"))}


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(","))
    if any(number < 1 for number in numbers):
        raise ValueError(text)
    return numbers


def main(arguments: list[str]) -> int:
    """Prints the table with its bars; 1 if one is missed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks comparison", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--persons", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--part", action="append", choices=PARTS, help="only these lines of the table")
    options.add_argument("--threads", type=_numbers, default=(), help="numbers of threads to hold against each other, such as 1,2")
    options.add_argument("--memory-gb", type=float, default=MEMORY_GB, help="the memory of the machine; a comparison has half of it")
    options.add_argument("--scratch", type=Path, default=None, help="folder for the place and the runs; kept")
    told = options.parse_args(arguments)
    scratch = told.scratch or Path(tempfile.mkdtemp(prefix="canbao-bench-"))
    os.environ[MEMORY] = str(told.memory_gb)
    try:
        if told.threads:
            figures, chunks = by_threads(told.persons, told.rounds, scratch, told.threads)
            print(chunks, end="\n\n")
            print(table(figures))
            return int(any(figure.met == "no" for figure in figures))
        figures = [figure for part in told.part or OF_MAKE_BENCH
                   for figure in PARTS[part](told.persons, told.rounds, scratch)]
    finally:
        if told.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    print(table(figures))
    return int(any(figure.met == "no" for figure in figures))


def _place(persons: int, scratch: Path, period: str = PERIOD) -> Inputs:
    """The place's snapshots of the first month or of the one after it, written unless they lie there already."""
    folder = scratch / f"place-{persons}"
    complete = folder / ("complete" if period == PERIOD else f"complete-{period}")
    if not complete.exists():
        print(f"{persons:,} persons: writing the place …", file=sys.stderr)
        write(plan(), folder, persons=persons, period=period, month=int(period == MONTH_AFTER))
        complete.touch()
    return {path.parent.name: [path] for path in sorted(folder.glob(f"*/{period}.parquet"))}


def _stage(persons: int, count: int, scratch: Path) -> list[Figure]:
    inputs, size = _place(persons, scratch), f"{persons:,} persons"
    stage, most = rounds(f"{size}: snapshots to lists / bare query", 2.5, count,
                         partial(whole_stage, plan(), inputs, scratch / "run"), partial(bare, inputs))
    gigabytes = most / GIGABYTE
    return [*stage, Figure(f"{size}: most memory", "GB", gigabytes, 6, gigabytes, gigabytes)]


def _exact(persons: int, count: int, scratch: Path) -> list[Figure]:
    inputs = _place(persons, scratch)
    return rounds(f"{persons:,} persons: exact numbers / pandas merges", 0.25, count,
                   partial(exact_part, plan(), inputs, scratch / "exact"), partial(peers.pandas_merges, inputs))[0]


def _splink(persons: int, count: int, scratch: Path) -> list[Figure]:
    """Splink links and does nothing else: beside the whole stage stands the part of it that ends with the links."""
    inputs, told, size = _place(persons, scratch), scratch / "splink-linked", f"{persons:,} persons"
    theirs = partial(peers.splink_over_everything, inputs, told)
    stage, _ = rounds(f"{size}: snapshots to lists / Splink alone over everything", 0.2, count,
                      partial(whole_stage, plan(), inputs, scratch / "run"), theirs)
    links, _ = rounds(f"{size}: snapshots to links / Splink alone over everything", 0.2, count,
                      partial(links_alone, inputs, scratch / "links"), theirs)
    more = int(told.read_text(encoding="utf-8")) / _linked(scratch / "run")
    return [*stage, *links, Figure(f"{size}: register rows linked by Splink alone / by ours", "×", more, 1, more, more)]


def _linked(folder: Path) -> int:
    """Register rows of a run that have a person."""
    with connect() as connection:
        return int(connection.execute(f"SELECT sum(rows) FROM read_parquet({quoted(folder / 'link_counts.parquet')}) "
                                      "WHERE feed NOT LIKE '%:employer' AND tier NOT IN ('review', 'unlinked')").fetchall()[0][0])


def _growth(persons: int, count: int, scratch: Path) -> list[Figure]:
    inputs, tenth = _place(persons, scratch), _place(persons // 10, scratch)
    return rounds(f"{persons:,} persons / a tenth of them", 11, count, partial(whole_stage, plan(), inputs, scratch / "run"),
                   partial(whole_stage, plan(), tenth, scratch / "run-of-a-tenth"))[0]


def _corrected(persons: int, count: int, scratch: Path) -> list[Figure]:
    """One register comes again with every hundredth row left out."""
    inputs = _place(persons, scratch)
    (cards,) = inputs["cards"]
    with connect() as connection:
        connection.execute(f"COPY (FROM read_parquet({quoted(cards)}) WHERE row_number % 100 > 0) "
                           f"TO {quoted(cards.with_name('corrected.parquet'))}")
    whole_stage(plan(), inputs, scratch / "run")
    return rounds(f"{persons:,} persons: a run after one corrected register / a full run", 0.4, count,
                   partial(corrected_feed, plan(), inputs, scratch / "corrected", scratch / "run"),
                   partial(whole_stage, plan(), inputs, scratch / "again"))[0]


def _whole(persons: int, count: int, scratch: Path) -> list[Figure]:
    inputs = _place(persons, scratch)
    taken = [cost_alone(peers.whole_run, inputs, _fresh(scratch / f"whole-{number}")).seconds for number in range(count)]
    minutes = statistics.median(taken) / 60
    return [Figure(f"{persons:,} persons: snapshots to PostgreSQL and rosters", "min", minutes, 6, min(taken) / 60, max(taken) / 60,
                   statistics.median(taken))]


def _difference(persons: int, count: int, scratch: Path) -> list[Figure]:
    """A month after another, to record and rosters, beside the same month in a home that has both months' files and nothing more."""
    first, after = _place(persons, scratch), _place(persons, scratch, MONTH_AFTER)
    pairs = []
    for number in range(count):
        known, new = (_fresh(scratch / f"{home}-{number}") for home in ("known", "new"))
        cost_alone(peers.whole_run, first, known)
        cost_alone(peers.accepted, first, new)
        pairs.append((cost_alone(peers.whole_run, after, known).seconds, cost_alone(peers.whole_run, after, new).seconds))
        if _listed(known) != _listed(new):
            raise RunDoesNotBalance("the month after another lists otherwise than the month alone.", where=f"{known} and {new}")
    return [of_pairs(f"{persons:,} persons: a month after another / the month alone, to record and rosters", pairs, 0.4)]


def _fresh(home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    return home


def _listed(home: Path) -> object:
    """The hash of whose finding is whose in the second month."""
    (content,) = home.glob(f"**/runs/{MONTH_AFTER}/*/content.parquet")
    with connect() as connection:
        return connection.execute(f"FROM read_parquet({quoted(content)})").fetchall()


PARTS: dict[str, Callable[[int, int, Path], list[Figure]]] = {
    "stage": _stage, "corrected": _corrected, "exact": _exact, "growth": _growth, "splink": _splink, "whole": _whole,
    "difference": _difference}
OF_MAKE_BENCH = ("stage", "corrected", "exact", "growth")
"""The others take minutes."""
