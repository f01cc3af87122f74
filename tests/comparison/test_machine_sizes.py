"""How many threads and how much memory a comparison has changes when it is done, and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.snapshots import write
from comparison import engine
from comparison.database import connect
from comparison.engine import compare, doubtful_of
from comparison.exports import links_file
from comparison.plan_check import load_sound
from models.errors import StorageUnavailable
from models.machine import MEMORY, THREADS
from models.plan import Plan

PERIOD, PERSONS = "2016-03", 12_000
SMALL_PIECES = "ROW_GROUP_SIZE 2048"
"""A thread takes a row group at a time: with those of usual size a small place would be one thread's work."""
Tables = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_sound("lianyungang-2016").plan.model_copy(update={"guards": ()})


@pytest.fixture(scope="module")
def inputs(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Snapshots that are read by several threads at once."""
    folder = tmp_path_factory.mktemp("place")
    made: dict[str, list[Path]] = {}
    for feed, (path,) in write(plan, folder / "whole", persons=PERSONS, period=PERIOD).items():
        for part in (path, doubtful_of(path)):
            if part.exists():
                piece = folder / "pieces" / feed / part.name
                piece.parent.mkdir(parents=True, exist_ok=True)
                duckdb.execute(f"COPY (FROM read_parquet('{part}')) TO '{piece}' (FORMAT parquet, {SMALL_PIECES})")
        made[feed] = [folder / "pieces" / feed / path.name]
    return made


def run_with(plan: Plan, inputs: dict[str, list[Path]], folder: Path, threads: int, memory_gb: float) -> tuple[str, Tables]:
    """The content's hash, and for every table of the run, and its links as they are exported, its rows and a sum of their hashes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "PARQUET", f"{engine.PARQUET}, {SMALL_PIECES}")
        patch.setenv(THREADS, str(threads))
        patch.setenv(MEMORY, str(memory_gb))
        content = compare(plan, PERIOD, inputs, folder).content_sha256
        links_file(folder)
    tables: Tables = {}
    for path in sorted(folder.rglob("*.parquet")):
        ((rows, sums),) = duckdb.execute(f"SELECT count(*), sum(hash(t)::HUGEINT) FROM read_parquet('{path}') t").fetchall()
        tables[path.stem] = (rows, sums)
    return content, tables


@pytest.fixture(scope="module")
def alone(plan: Plan, inputs: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Tables]:
    """What one thread with plenty of memory finds."""
    return run_with(plan, inputs, tmp_path_factory.mktemp("alone") / "run", 1, 8)


@pytest.mark.parametrize(("threads", "memory_gb"), [(2, 8), (4, 16), (2, 1)])
def test_any_machine_finds_the_same(
    plan: Plan, inputs: dict[str, list[Path]], alone: tuple[str, Tables], tmp_path: Path, threads: int, memory_gb: float,
) -> None:
    content, tables = run_with(plan, inputs, tmp_path / "run", threads, memory_gb)
    expected, expected_tables = alone
    assert [name for name in expected_tables if tables.get(name) != expected_tables[name]] == []
    assert tables.keys() == expected_tables.keys()
    assert content == expected


def test_too_little_memory_is_told_with_the_setting_to_change(
    plan: Plan, inputs: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "connect", lambda work=None, **_: connect(work, memory_gb=0.02))
    with pytest.raises(StorageUnavailable, match=r"chunk \w+ needs more memory") as fault:
        compare(plan, PERIOD, inputs, tmp_path / "run")
    assert MEMORY in fault.value.cure
    assert THREADS in fault.value.cure


def test_what_is_compared_holds_findings_links_and_categories(alone: tuple[str, Tables]) -> None:
    _, tables = alone
    assert {"findings", "person_profile", "category_counts", "list_counts", "link_counts", "linked_cards"} <= tables.keys()
    assert tables["person_profile"][0] > 5 * 2048  # several pieces, so several threads
