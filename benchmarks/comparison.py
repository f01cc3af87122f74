"""The comparison at the size of a prefecture, beside the least that could do its work: ``python -m benchmarks comparison``.

Floor: one bare DuckDB query over the same Parquet that checks every check digit and joins every register on the number.
Peers: the exact-number part by pandas merges; with ``--splink`` Splink alone over every row. ``--whole`` adds the record in
PostgreSQL and the rosters. Rounds alternate, so that a busy machine slows both sides alike.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Figure, alone, of_pairs, table
from benchmarks.snapshots import write
from comparison.database import connect, quoted
from comparison.engine import Comparison, compare
from comparison.plan_check import load_sound
from comparison.registers import PERSON_REGISTERS
from models.plan import Plan

CAMPAIGN, PERIOD, NEXT = "lianyungang-2016", "2016-03", "2016-04"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
GIGABYTE = 1e9
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

    joined = " ".join(f"LEFT JOIN {numbers(feed)} AS {feed} USING (id_number)" for feed in PERSON_REGISTERS if feed in inputs)
    return f"SELECT count(*) FROM {numbers('population')} AS population {joined}"


def bare(inputs: Inputs) -> None:
    """The floor."""
    with connect(memory_gb=6) as connection:
        connection.execute(bare_query(inputs)).fetchall()


def whole_stage(inputs: Inputs, folder: Path, period: str = PERIOD) -> None:
    """Snapshots to lists and balance, from nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    compare(plan(), period, inputs, folder)


def exact_part(inputs: Inputs, folder: Path) -> None:
    """Of it, the people and the rows whose number and name place them."""
    comparison = Comparison(plan(), PERIOD, inputs, folder)
    for chunk in comparison.chunks:
        if chunk.name == "people" or chunk.name.startswith("link:"):
            comparison.run(chunk)


def corrected_feed(inputs: Inputs, folder: Path, earlier: Path) -> None:
    """A run after one corrected file: what the earlier run did and is still so is taken over."""
    shutil.rmtree(folder, ignore_errors=True)
    before, now = (Comparison(plan(), PERIOD, given, place) for given, place in (
        (inputs, earlier), ({**inputs, "cards": [inputs["cards"][0].with_name("corrected.parquet")]}, folder)))
    for chunk in now.chunks:
        if now.keys[chunk.name] != before.keys[chunk.name] or not now.adopt(chunk, earlier):
            now.run(chunk)
    now.outcome()


def rounds(name: str, bar: float, count: int, ours: Callable[[], object], floor: Callable[[], object]) -> tuple[Figure, float]:
    """(ratio, peak of ours in bytes); each side in a process of its own, in turn."""
    pairs, most = [], 0.0
    for _ in range(count):
        own, peak = alone(ours)
        pairs.append((own, alone(floor)[0]))
        most = max(most, peak)
    return of_pairs(name, pairs, bar), most


def main(arguments: list[str]) -> int:
    """Prints the table with its bars; 1 if one is missed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks comparison", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--persons", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--splink", action="store_true", help="Splink alone over everything; minutes")
    options.add_argument("--whole", action="store_true", help="the record and the rosters as well")
    options.add_argument("--scratch", type=Path, default=None, help="folder for the place and the runs; kept")
    told = options.parse_args(arguments)
    scratch = told.scratch or Path(tempfile.mkdtemp(prefix="canbao-bench-"))
    try:
        figures = measure(told, scratch)
    finally:
        if told.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    print(table(figures))
    return int(any(figure.met == "no" for figure in figures))


def measure(told: argparse.Namespace, scratch: Path) -> list[Figure]:
    """Every figure that was asked for."""
    print(f"{told.persons:,} persons: writing the place …", file=sys.stderr)
    inputs = write(plan(), scratch / "place", persons=told.persons, period=PERIOD)
    run, size = scratch / "run", f"{told.persons:,} persons"
    stage, most = rounds(f"{size}: snapshots to lists / bare query", 2.5, told.rounds,
                         partial(whole_stage, inputs, run), partial(bare, inputs))
    figures = [stage, Figure(f"{size}: most memory", "GB", most / GIGABYTE, 6, most / GIGABYTE, most / GIGABYTE)]
    corrected, _ = _corrected(inputs, run, scratch, told.rounds)
    figures.append(corrected)
    exact, _ = rounds(f"{size}: exact numbers / pandas merges", 0.25, told.rounds,
                      partial(exact_part, inputs, scratch / "exact"), partial(peers.pandas_merges, inputs))
    figures.append(exact)
    tenth = write(plan(), scratch / "tenth", persons=told.persons // 10, period=PERIOD)
    grown, _ = rounds(f"{size} / a tenth of them", 11, told.rounds,
                      partial(whole_stage, inputs, run), partial(whole_stage, tenth, scratch / "run of a tenth"))
    figures.append(grown)
    if told.splink:
        alone_all, _ = rounds(f"{size}: snapshots to lists / Splink alone over everything", 0.2, 1,
                              partial(whole_stage, inputs, run), partial(peers.splink_over_everything, inputs))
        figures.append(alone_all)
    if told.whole:
        seconds = [peers.whole_run(told.persons, scratch / f"whole {number}") for number in range(1)]
        minutes = statistics.median(seconds) / 60
        figures.append(Figure(f"{size}: snapshots to PostgreSQL and rosters", "min", minutes, 6, minutes, minutes,
                              statistics.median(seconds)))
    return figures


def _corrected(inputs: Inputs, run: Path, scratch: Path, count: int) -> tuple[Figure, float]:
    """One register comes again with every hundredth row mended."""
    (cards,) = inputs["cards"]
    with connect() as connection:
        connection.execute(f"COPY (FROM read_parquet({quoted(cards)}) WHERE row_number % 100 > 0) "
                           f"TO {quoted(cards.with_name('corrected.parquet'))}")
    return rounds("a run after one corrected register / a full run", 0.4, count,
                  partial(corrected_feed, inputs, scratch / "corrected", run), partial(whole_stage, inputs, scratch / "again"))
