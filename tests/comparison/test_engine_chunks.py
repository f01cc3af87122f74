"""The engine over snapshots: what may not matter does not, rows are told apart, chunks know what they depend on."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.snapshots import write
from comparison.chunks import profile_columns
from comparison.engine import Comparison, compare, doubtful_of
from comparison.exports import links_file
from comparison.plan_check import load_sound
from models.errors import RunDoesNotBalance
from models.plan import Plan
from models.profile import columns

PERIOD = "2016-03"
Inputs = dict[str, list[Path]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_sound("lianyungang-2016").plan.model_copy(update={"guards": ()})


@pytest.fixture(scope="module")
def place(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Path]:
    """Snapshots of 2,000 persons and the folder of a run over them."""
    folder = tmp_path_factory.mktemp("engine")
    inputs = write(plan, folder / "place", persons=2000, period=PERIOD)
    compare(plan, PERIOD, inputs, folder / "run")
    return inputs, folder / "run"


def _table(run: Path, name: str, chosen: str = "*") -> list[tuple[object, ...]]:
    return duckdb.execute(f"SELECT {chosen} FROM read_parquet('{run}/{name}.parquet') ORDER BY ALL").fetchall()


def _same(one: Path, other: Path) -> bool:
    listed = "list, subject, owner, co_owners, category, evidence"
    return (_table(one, "person_profile") == _table(other, "person_profile")
            and _table(one, "findings", listed) == _table(other, "findings", listed)
            and _table(one, "employer_profile") == _table(other, "employer_profile"))


def _rewritten(inputs: Inputs, folder: Path, rows: str) -> Inputs:
    """The same snapshots with their rows (``{rows}``) chosen anew."""
    made: Inputs = {}
    for feed, paths in inputs.items():
        for path in paths:
            for part in (path, doubtful_of(path)):
                if part.exists():
                    target = folder / feed / part.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    chosen = rows.format(source=f"read_parquet('{part}')")
                    duckdb.execute(f"COPY ({chosen}) TO '{target}' (FORMAT parquet)")
            made.setdefault(feed, []).append(folder / feed / path.name)
    return made


def test_the_order_of_rows_changes_nothing(plan: Plan, place: tuple[Inputs, Path], tmp_path: Path) -> None:
    inputs, run = place
    shuffled = _rewritten(inputs, tmp_path / "in", "SELECT * FROM {source} ORDER BY hash(row_number)")
    compare(plan, PERIOD, shuffled, tmp_path / "run")
    assert _same(run, tmp_path / "run")


def test_one_register_in_three_files_is_the_same_register_in_any_order(
    plan: Plan, place: tuple[Inputs, Path], tmp_path: Path,
) -> None:
    inputs, run = place
    thirds = [_rewritten(inputs, tmp_path / str(part), f"SELECT * FROM {{source}} WHERE row_number % 3 = {part}") for part in range(3)]
    together = {feed: [thirds[part][feed][0] for part in (2, 0, 1)] for feed in inputs}
    compare(plan, PERIOD, together, tmp_path / "run")
    assert _same(run, tmp_path / "run")
    back = {feed: list(reversed(paths)) for feed, paths in together.items()}
    compare(plan, PERIOD, back, tmp_path / "back")
    assert _table(tmp_path / "run", "linked_cards") == _table(tmp_path / "back", "linked_cards")


def test_two_files_of_one_name_and_numbering_keep_their_rows_apart(
    plan: Plan, place: tuple[Inputs, Path], tmp_path: Path,
) -> None:
    inputs, _ = place
    halves = [_rewritten({"cards": inputs["cards"]}, tmp_path / str(half), f"""
        SELECT * REPLACE (row_number() OVER (ORDER BY row_number) + 1 AS row_number)
        FROM {{source}} WHERE row_number % 2 = {half}""") for half in range(2)]
    compare(plan, PERIOD, {**inputs, "cards": [half["cards"][0] for half in halves]}, tmp_path / "run")
    path, = inputs["cards"]
    ((rows,),) = duckdb.execute(
        f"SELECT count(*) FROM read_parquet(['{path}', '{doubtful_of(path)}'], union_by_name = true)").fetchall()
    linked = _table(tmp_path / "run", "linked_cards", "file, row_number, member")
    assert len(linked) == len(set(linked))
    feed = f"SELECT count(*) FROM read_parquet('{links_file(tmp_path / 'run')}') WHERE feed = 'cards'"
    assert duckdb.execute(feed).fetchall() == [(rows,)]


def test_a_snapshot_without_members_counts_one_person_a_line(plan: Plan, place: tuple[Inputs, Path], tmp_path: Path) -> None:
    inputs, run = place
    old = _rewritten({"deaths": inputs["deaths"]}, tmp_path / "in", "SELECT * EXCLUDE (member) FROM {source}")
    compare(plan, PERIOD, {**inputs, **old}, tmp_path / "run")
    assert _same(run, tmp_path / "run")


def test_of_several_rows_the_strongest_speaks(plan: Plan, place: tuple[Inputs, Path], tmp_path: Path) -> None:
    inputs, run = place
    linked = ", ".join(str(row[0]) for row in _table(run, "linked_resident_pension", "row_number"))
    doubled = _rewritten({"resident_pension": inputs["resident_pension"]}, tmp_path / "in", f"""
        SELECT * FROM {{source}} UNION ALL BY NAME
        SELECT * REPLACE ('terminated' AS status, '2012-01' AS last_paid_month, row_number + 1000000 AS row_number)
        FROM {{source}} WHERE id_number IS NOT NULL AND row_number IN ({linked})""")
    compare(plan, PERIOD, {**inputs, **doubled}, tmp_path / "run")
    active = "person, resident_pension_status, resident_pension_last_paid"
    before = {row[0]: row[1:] for row in _table(run, "person_profile", active)}
    after = {row[0]: row[1:] for row in _table(tmp_path / "run", "person_profile", active)}
    assert {key for key, said in after.items() if said != before[key]} == set()


def test_an_empty_population_is_refused(plan: Plan, place: tuple[Inputs, Path], tmp_path: Path) -> None:
    inputs, _ = place
    empty = {feed: paths for feed, paths in inputs.items() if feed not in ("population", "residence_permits")}
    with pytest.raises(RunDoesNotBalance, match="the population is empty"):
        compare(plan, PERIOD, empty, tmp_path / "run")


def test_a_changed_register_changes_the_keys_of_what_reads_it_and_of_nothing_else(
    plan: Plan, place: tuple[Inputs, Path], tmp_path: Path,
) -> None:
    inputs, run = place
    other = _rewritten({"cards": inputs["cards"]}, tmp_path / "in", "SELECT * FROM {source} WHERE row_number > 9")
    one, two = (Comparison(plan, PERIOD, given, run) for given in (inputs, {**inputs, **other}))
    changed = [name for name, key in one.keys.items() if two.keys[name] != key]
    assert changed == ["numbers", "link:cards", "identity", "registers", "profile", "lists", "balance"]
    assert changed[1:] == one.with_dependents(["link:cards"])


def test_a_chunk_that_fails_leaves_the_earlier_tables(plan: Plan, place: tuple[Inputs, Path], tmp_path: Path) -> None:
    inputs, _ = place
    compare(plan, PERIOD, inputs, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.parquet")}
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no Parquet")
    comparison = Comparison(plan, PERIOD, {**inputs, "cards": [broken]}, tmp_path / "run")
    for name in ("numbers", "link:cards"):
        with pytest.raises(RunDoesNotBalance, match=f"stage {name} failed"):
            comparison.run(comparison.chunk(name))
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.parquet")} == before


def test_the_profile_keeps_only_what_the_plan_asks(plan: Plan, place: tuple[Inputs, Path]) -> None:
    _, run = place
    kept = [row[0] for row in duckdb.execute(f"DESCRIBE FROM read_parquet('{run}/person_profile.parquet')").fetchall()]
    assert kept == ["person", *profile_columns(plan)]
    assert set(kept) - {"person"} <= set(columns("person"))
    assert "phone" not in kept  # nobody's phone is copied before somebody is listed
    assert "resident_pension_tier_yuan" not in kept  # no rule of this plan asks for it
