"""``make bench``: how far intake and comparison are from the least that could do their work.

Floors: pyarrow's bare read of the same CSV; one bare DuckDB query over the same Parquet that joins every register on the
number. Each pair runs in turn, several times, and the median ratio is printed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pa_csv

from comparison.database import connect
from comparison.engine import PERSON_REGISTERS, compare
from comparison.plan_check import load_sound
from expectations.intake import take
from rehearsal.simulate import simulate

CAMPAIGN, PERIOD, ROUNDS = "chengjiang-2021", "2021-04", 5


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ratio(name: str, ours: Callable[[], object], floor: Callable[[], object]) -> None:
    ours(), floor()  # a warm-up that is not counted
    pairs = [(_seconds(ours), _seconds(floor)) for _ in range(ROUNDS)]
    ratio = statistics.median(own / least for own, least in pairs)
    own, least = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{name:<58}{own:8.2f} s{least:8.2f} s{ratio:8.1f} x")


def main() -> None:
    """Prints one line per benchmark: ours, floor, ratio."""
    plan = load_sound(CAMPAIGN)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        made = simulate(plan, persons=None, seed=1, periods=[PERIOD], out=place)
        print(f"{CAMPAIGN} {PERIOD}: {made['persons']:,} persons, {made['files']} files\n")
        print(f"{'':<58}{'ours':>10}{'floor':>10}{'ratio':>10}")
        files = {(feed.feed, code): path for feed in plan.plan.feeds for code in feed.providers
                 for path in (place / "inbox" / feed.feed / PERIOD).iterdir()
                 if path.name.startswith(plan.plan.organisation(code).short)}
        population = files["population", "gongan"]

        def intake_population() -> object:
            return take(population, feed="population", plan=plan.plan, period=PERIOD, provider="gongan",
                        snapshots=place / "snapshots", previous_rows=None)

        _ratio("intake of the population CSV / pyarrow's bare read", intake_population,
               lambda: pa_csv.read_csv(population, read_options=pa_csv.ReadOptions(encoding="gb18030")))
        inputs: dict[str, list[Path]] = {}
        for (feed, code), path in files.items():
            taken = take(path, feed=feed, plan=plan.plan, period=PERIOD, provider=code, snapshots=place / "snapshots",
                         previous_rows=None)
            assert taken.snapshot is not None, taken.reason
            inputs.setdefault(feed, []).append(taken.snapshot)
        joined = " ".join(f"LEFT JOIN read_parquet('{inputs[feed][0]}') AS {feed} USING (id_number)"
                          for feed in PERSON_REGISTERS if feed in inputs)
        bare = f"SELECT count(*) FROM read_parquet('{inputs['population'][0]}') {joined}"

        def bare_join() -> object:
            with connect() as connection:
                return connection.execute(bare).fetchall()

        _ratio("comparison, snapshots to lists / bare join on the number",
               lambda: compare(plan.plan, PERIOD, inputs, place / "run"), bare_join)


if __name__ == "__main__":
    main()
