"""Intake beside the least that could do its work: ``python -m benchmarks intake``.

Floors are pyarrow's and calamine's bare reads of the same file; peers are pandas' readers followed by the same suite of
expectations, with nothing normalised. ``docs/benchmarks.md`` says how to read the table.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pyarrow.csv as pa_csv
from python_calamine import CalamineWorkbook

from benchmarks.measure import Figure, alone, of_pairs, ratio, seconds, table
from benchmarks.registers import HEADERS, write_text, write_workbook
from expectations import intake, suites
from expectations.intake import Intake, take
from expectations.normalise import Normalised
from models import contract as contracts
from models.machine import MEMORY
from models.plan import Plan
from models.plan_file import find, read

CAMPAIGN, PERIOD, FEED, PROVIDER = "chengjiang-2021", "2021-05", "population", "gongan"
TEXT_ROWS, WORKBOOK_ROWS, CITY_ROWS = 500_000, 60_000, 5_300_000
GIGABYTE = 1e9
MEMORY_GB = "8"
"""The county's machine, for which the bar of memory was set; unless the environment says otherwise."""


def taken(path: Path, snapshots: Path) -> Intake:
    """The file, from bytes to a typed snapshot and its verdict."""
    receipt = take(path, feed=FEED, plan=_plan(), period=PERIOD, provider=PROVIDER, snapshots=snapshots)
    assert receipt.snapshot is not None, receipt.reason
    return receipt


@cache
def _plan() -> Plan:
    """Read once: a plan is no part of a file."""
    return read(find(CAMPAIGN)).plan


# --- floors and peers -----------------------------------------------------------------------------------


def bare_text(path: Path) -> object:
    """pyarrow's read of the whole file into a table."""
    return pa_csv.read_csv(path, read_options=pa_csv.ReadOptions(encoding="gb18030"))


def bare_workbook(path: Path) -> object:
    """calamine's read of every sheet into lists of cells."""
    book = CalamineWorkbook.from_path(path)
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def pandas_text(path: Path) -> object:
    """``pandas.read_csv`` and the suite."""
    return _judged(pd.read_csv(path, encoding="gb18030", dtype=str))


def pandas_workbook(path: Path) -> object:
    """``pandas.read_excel`` (openpyxl, its default) and the suite."""
    return _judged(pd.read_excel(path, dtype=str, header=1))


def _judged(frame: pd.DataFrame) -> object:
    """The contract's suite on a frame whose cells are taken as they stand: filled is readable."""
    contract = contracts.for_feed(FEED)
    known = contract.headers
    found = {known[contracts.header_key(header)][0]: header for header in HEADERS}
    states = {name: frame[found[name]].notna().map({True: 1, False: None}).astype("float") for name in found}
    crossed = {expectation.id: 1.0 for expectation in contract.expectations if expectation.kind == "cross_column"}
    flags = pd.DataFrame({**states, "key_of_row": frame[found["id_number"]]}).assign(**crossed)
    return suites.judge(contract, flags, empty="return")


# --- the parts of an intake -----------------------------------------------------------------------------


@contextmanager
def _parts() -> Iterator[dict[str, float]]:
    """Seconds by part while it lasts: reading the file, and judging it by expectations (their states included)."""
    spent: dict[str, float] = defaultdict(float)

    def timed(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                spent[part] += time.perf_counter() - began

        return watched

    with (patch.object(intake, "read", timed("reading", intake.read)),
          patch.object(intake.suites, "judge", timed("expectations", suites.judge)),
          patch.object(Normalised, "flags", timed("expectations", Normalised.flags)),
          patch.object(Normalised, "__init__", timed("normalising", Normalised.__init__)),
          patch.object(Normalised, "write_snapshot", timed("writing", Normalised.write_snapshot))):
        yield spent


def _part_by_part(path: Path, snapshots: Path) -> dict[str, float]:
    with _parts() as spent:
        spent["whole"] = seconds(lambda: taken(path, snapshots))
    return dict(spent)


def _figures_of(name: str, path: Path, snapshots: Path, bare: Callable[[Path], object], bar: float, rounds: int) -> list[Figure]:
    """The whole of an intake and its parts, over the bare read of the same file in the same round."""
    taken(path, snapshots), bare(path)  # a warm-up that is not counted
    pairs = [(_part_by_part(path, snapshots), seconds(lambda: bare(path))) for _ in range(rounds)]
    parts = "；".join(f"{part} {sum(ours[part] for ours, _ in pairs) / rounds:.2f} s" for part in pairs[0][0])
    print(f"{name}: {parts}", file=sys.stderr)
    return [
        of_pairs(f"{name}: bytes to typed snapshot / bare read",
                 [(ours["whole"] - ours["expectations"], floor) for ours, floor in pairs], bar),
        of_pairs(f"{name}: the same with expectations / bare read", [(ours["whole"], floor) for ours, floor in pairs], None),
        of_pairs(f"{name}: expectations / our reading", [(ours["expectations"], ours["reading"]) for ours, _ in pairs], 1),
    ]


def _city(path: Path, snapshots: Path, rounds: int) -> list[Figure]:
    """A whole city's register, each time in a process of its own."""
    runs = [alone(taken, path, snapshots) for _ in range(rounds)]
    took, most = sorted(run[0] for run in runs), sorted(run[1] / GIGABYTE for run in runs)
    middle = len(runs) // 2
    rows = f"population register of {CITY_ROWS:,} rows"
    return [
        Figure(f"{rows}: time", "s", took[middle], 90, took[0], took[-1]),
        Figure(f"{rows}: most memory", "GB", most[middle], 4, most[0], most[-1]),
    ]


def main(arguments: list[str]) -> int:
    """Prints the table; 0 if every bar is met."""
    options = argparse.ArgumentParser(prog="python -m benchmarks intake", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--city-rounds", type=int, default=1, help="rounds of the city's register; 0 leaves it out")
    told = options.parse_args(arguments)
    os.environ.setdefault(MEMORY, MEMORY_GB)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as scratch:
        place, plan = Path(scratch), _plan()
        text = write_text(plan, place / "人口.csv", TEXT_ROWS)
        book = write_workbook(plan, place / "人口.xlsx", WORKBOOK_ROWS)
        figures += _figures_of(f"CSV, {TEXT_ROWS:,} rows", text, place / "s", bare_text, 2, told.rounds)
        figures += _figures_of(f"xlsx, {WORKBOOK_ROWS:,} rows", book, place / "s", bare_workbook, 1.5, told.rounds)
        figures += [
            ratio("CSV: our whole intake / pandas.read_csv + suite", partial(taken, text, place / "s"), partial(pandas_text, text), None,
                  min(3, told.rounds)),
            ratio("xlsx: our whole intake / pandas.read_excel + suite", partial(taken, book, place / "s"), partial(pandas_workbook, book),
                  None, min(3, told.rounds)),
        ]
        text.unlink()
        if told.city_rounds:
            figures += _city(write_text(plan, place / "市.csv", CITY_ROWS), place / "s", told.city_rounds)
    print(table(figures))
    return 1 if any(figure.met == "no" for figure in figures) else 0
