"""The engine that runs the comparison's chunks over Parquet snapshots.

Pure data in, files out: no database, no clock. Each chunk leaves its tables as Parquet in the run's folder, whole or not
at all; who keeps the marks of what is done decides what is run. A run whose categories do not add up raises.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb

from comparison.chunks import Chunk, Known, Step, chunks_of
from comparison.database import connect, period_end, quoted, view_of
from comparison.registers import common_sql
from models.errors import RunDoesNotBalance, StorageUnavailable, WrongUse
from models.machine import MEMORY, THREADS
from models.plan import Plan

PARQUET = "FORMAT parquet, COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 2000"
"""A column of more different values than that is not worth a dictionary; looking for one is what writing costs."""
SMALL_BYTES = 4_000_000
"""Snapshots of a place of some fifty thousand persons: one thread does not take longer over them than two."""
TOGETHER_BYTES = 16_000_000
"""Snapshots of a place of some two hundred thousand persons: a chunk of it is done in a second, and a room of its own, or a task
run, would cost as much again."""
Inputs = Mapping[str, Sequence[Path]]


class Room:
    """Where chunks are run one after another: a database, with the feeds that were opened in it so far.

    Each chunk has a catalogue of its own, which is gone when it ends: nothing but the feeds passes from one to the next. Where
    one has failed, no other is run.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.feeds: set[str] = set()

    @contextmanager
    def catalogue(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A catalogue for the time of one chunk."""
        self.connection.execute("ATTACH ':memory:' AS chunk; SET search_path = 'chunk.main,memory.main'")
        yield self.connection
        self.connection.execute("SET search_path = 'memory.main'; DETACH chunk")


@dataclass(frozen=True)
class Outcome:
    """What a run found, in counts: safe to log, to show and to store."""

    period: str
    folder: Path
    persons: int
    unbalanced: int
    register_rows: int
    categories: tuple[tuple[str, str, int], ...]
    """(township or '', category, persons)"""
    links: tuple[tuple[str, str, int], ...]
    """(feed, tier, rows)"""
    lists: tuple[tuple[str, str, int], ...]
    """(list, owner, findings)"""
    content_sha256: str

    @property
    def by_list(self) -> dict[str, int]:
        """Findings of each list, over all owners."""
        counts: dict[str, int] = {}
        for name, _, findings in self.lists:
            counts[name] = counts.get(name, 0) + findings
        return counts

    @property
    def by_category(self) -> dict[str, int]:
        """Persons of each category, over all townships."""
        counts: dict[str, int] = {}
        for _, name, persons in self.categories:
            counts[name] = counts.get(name, 0) + persons
        return counts


@dataclass(frozen=True)
class Comparison:
    """One comparison: a plan, a period, its accepted snapshots, and the folder that holds what it finds."""

    plan: Plan
    period: str
    inputs: Inputs
    folder: Path
    known: Known = field(default_factory=Known)

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks in the order in which they are run."""
        return chunks_of(self.plan, self.period, self.known)

    @cached_property
    def keys(self) -> dict[str, str]:
        """What each chunk's result depends on, as one hash: its own SQL, its snapshots, and the chunks it reads.

        A chunk whose key and tables are there need not be run again, whoever made them; a change anywhere above it
        changes the key.
        """
        made_by: dict[str, str] = {}
        keys: dict[str, str] = {}
        base = [self.period, str(self.plan.starts), code_version()]
        known = _fingerprints("known", [path for path in (self.known.decisions, self.known.old_numbers) if path])
        for chunk in self.chunks:
            parts = [*base, chunk.name, *(step.sql for step in chunk.steps),
                     *(known if chunk.name == "identity" else ()),
                     *sorted({made_by[table] for table in chunk.reads})]
            came = [_fingerprints(feed, self._paths(feed)) for feed in chunk.feeds]
            keys[chunk.name] = _hashed([*parts, *(line for lines in came for line in lines)])
            made_by |= ({table: _hashed(parts + own) for table, own in zip(chunk.makes, came, strict=True)} if chunk.parted
                        else dict.fromkeys(chunk.makes, keys[chunk.name]))
        return keys

    def has(self, chunk: Chunk) -> bool:
        """Whether all tables of a chunk are in the folder."""
        return all(self.table(name).exists() for name in chunk.makes)

    def table(self, name: str) -> Path:
        """Where a table of this run lies."""
        return self.folder / f"{name}.parquet"

    def chunk(self, name: str) -> Chunk:
        """The chunk of that name. Raises WrongUse if there is none."""
        for chunk in self.chunks:
            if chunk.name == name:
                return chunk
        raise WrongUse(f"there is no chunk {name!r}.", where=f"{self.plan.id} {self.period}",
                       cure=f"Chunks: {', '.join(chunk.name for chunk in self.chunks)}.")

    def with_dependents(self, names: Iterable[str]) -> list[str]:
        """These chunks and all that read what they make, in order."""
        wanted = {self.chunk(name).name for name in names}
        stale: set[str] = set()
        for chunk in self.chunks:
            if chunk.name in wanted or stale & set(chunk.reads):
                wanted.add(chunk.name)
                stale |= set(chunk.makes)
        return [chunk.name for chunk in self.chunks if chunk.name in wanted]

    def adopt(self, chunk: Chunk, folder: Path) -> bool:
        """Takes a chunk's tables over from another run's folder, if all are still there."""
        tables = [folder / f"{name}.parquet" for name in chunk.makes]
        if not all(table.exists() for table in tables):
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for table in tables:
            partial = self.folder / f"{table.name}.part"
            partial.unlink(missing_ok=True)
            os.link(table, partial)
            os.replace(partial, self.folder / table.name)
        return True

    @property
    def input_bytes(self) -> int:
        """How much the snapshots hold, as they lie on the disk."""
        return sum(path.stat().st_size for paths in self.inputs.values() for path in paths)

    @property
    def is_small(self) -> bool:
        """Whether its chunks are done so soon that they are better run all together."""
        return self.input_bytes <= TOGETHER_BYTES

    def shared_room(self) -> AbstractContextManager[Room | None]:
        """One room for all chunks, or none where each is better off in its own."""
        return self.room() if self.is_small else nullcontext()

    @contextmanager
    def room(self) -> Iterator[Room]:
        """A room in which chunks of this comparison are run one after another. Raises StorageUnavailable where its folder
        cannot be made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(self.folder)) from None
        with connect(self.folder / "spill", is_small=self.input_bytes < SMALL_BYTES) as connection:
            connection.execute("SET VARIABLE period = ?", [self.period])
            connection.execute("SET VARIABLE period_end = ?::DATE", [period_end(self.period)])
            connection.execute("SET VARIABLE campaign_starts = ?::DATE", [self.plan.starts])
            connection.execute(common_sql(self.plan.contracts))
            yield Room(connection)

    def run(self, chunk: Chunk, room: Room | None = None) -> int:
        """Runs one chunk, in a room of its own or in one that others used, and leaves its tables, replacing those of an
        earlier attempt; answers with their rows.

        Raises RunDoesNotBalance where its SQL fails, StorageUnavailable where the folder cannot be written or the memory
        does not do.
        """
        try:
            with nullcontext(room) if room is not None else self.room() as used:
                for feed in chunk.feeds:
                    self._open(used, feed)
                with used.catalogue() as connection:
                    for name in chunk.reads:
                        connection.execute(view_of(name, self.table(name)))
                    return sum(self._take(connection, step) for step in chunk.steps)
        except duckdb.OutOfMemoryException:
            raise StorageUnavailable(
                f"chunk {chunk.name} needs more memory than a comparison may hold here, or the disk for what it puts aside is full.",
                where=str(self.folder / "spill"),
                cure=f"Set {MEMORY} to twice what the comparison shall have, or {THREADS} to fewer (`canbao doctor` tells both), "
                     "and run it again: it goes on with this chunk.") from None
        except duckdb.Error as error:
            raise _without_cells(chunk.name, error) from None
        except OSError as error:
            raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(self.folder)) from None

    def _take(self, connection: duckdb.DuckDBPyConnection, step: Step) -> int:
        rows = 0
        connection.execute(step.sql)
        if step.work is not None:
            step.work(connection)
        for name in step.makes:
            partial = self.folder / f"{name}.parquet.part"
            rows += connection.execute(f"COPY (FROM {name}) TO {quoted(partial)} ({PARQUET})").fetchall()[0][0]
            os.replace(partial, self.table(name))
        return rows

    def _paths(self, feed: str) -> list[Path]:
        # In an order of their own: it must not matter in which order files were taken in.
        return sorted(self.inputs.get(feed, ()))

    def _open(self, room: Room, feed: str) -> None:
        """A typed view over a feed's accepted snapshots, and one over the doubtful rows beside them; once in a room."""
        if feed in room.feeds:
            return
        room.feeds.add(feed)
        paths = self._paths(feed)
        doubtful = [(number, path) for number, path in enumerate(map(doubtful_of, paths)) if path.exists()]
        for name, files in ((feed, list(enumerate(paths))), (f"{feed}_doubtful", doubtful)):
            union = f"FROM memory.feed.{feed}"
            if files:
                listed = ", ".join(quoted(path) for _, path in files)
                numbers = ", ".join(str(number) for number, _ in files)
                number = f"([{numbers}])[file_index::INTEGER + 1]" if len(files) > 1 else numbers
                union += (f" UNION ALL BY NAME SELECT {number}::INTEGER AS file, * "
                          f"FROM read_parquet([{listed}], union_by_name = true)")
            room.connection.execute(
                f"CREATE VIEW {name} AS SELECT * REPLACE (coalesce(member, 1)::INTEGER AS member) FROM ({union})"
                if files else f"CREATE VIEW {name} AS FROM memory.feed.{feed} LIMIT 0")

    def outcome(self) -> Outcome:
        """The counts of a run whose chunks are all done. Raises RunDoesNotBalance if they do not add up."""
        def rows(name: str) -> tuple[tuple[Any, ...], ...]:
            with connect() as connection:
                return tuple(connection.execute(
                    f"FROM read_parquet({quoted(self.table(name))}) ORDER BY ALL").fetchall())

        ((persons, unbalanced, register_rows, unaccounted),) = rows("balance")
        outcome = Outcome(
            period=self.period, folder=self.folder, persons=int(persons), unbalanced=int(unbalanced),
            register_rows=int(register_rows), categories=rows("category_counts"), links=rows("link_counts"),
            lists=rows("list_counts"), content_sha256=str(rows("content")[0][0]),
        )
        where = f"{self.plan.id} {self.period}"
        if outcome.persons == 0:
            raise RunDoesNotBalance("the population is empty.", where=where,
                                    cure="Take in the population feed of this period first.")
        if outcome.unbalanced:
            raise RunDoesNotBalance(f"categories and population differ by {outcome.unbalanced} persons.", where=where,
                                    cure="Nothing was replaced; check the plan's categories.")
        if unaccounted:
            raise RunDoesNotBalance(f"{unaccounted} register rows are unaccounted for.", where=where,
                                    cure="Nothing was replaced; run the comparison's chunk `identity` again.")
        return outcome


def doubtful_of(snapshot: Path) -> Path:
    """Where intake keeps the rows of a snapshot that were set aside for their identity only."""
    return snapshot.with_suffix(".doubtful.parquet")


def _hashed(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _fingerprints(feed: str, paths: Iterable[Path]) -> list[str]:
    found = []
    for path in paths:
        for part in (path, doubtful_of(path)):
            if part.exists():
                state = part.stat()
                found.append(f"{feed} {part} {state.st_size} {state.st_mtime_ns}")
    return found


@cache
def code_version() -> str:
    """The version of the code and policy by which chunks are made."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".sql", ".yaml", ".json"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _without_cells(stage: str, error: duckdb.Error) -> RunDoesNotBalance:
    """A DuckDB message may quote a cell: only its kind and the part that names columns are kept."""
    known = re.search(r'(Referenced column "[^"]+" not found|Table with name \S+ does not exist)', str(error))
    return RunDoesNotBalance(
        f"stage {stage} failed: {type(error).__name__}{': ' + known.group(1) if known else ''}.",
        where="comparison", cure="Check the snapshots' columns against the contracts, then run it again.")


def compare(
    plan: Plan, period: str, inputs: Inputs, folder: Path,
    *, before: Mapping[str, int] | None = None, on_chunk: Callable[[str, float], None] | None = None,
) -> Outcome:
    """One comparison of a period's accepted snapshots from its first chunk to its last.

    Leaves the tables of all chunks as Parquet in ``folder`` (an earlier attempt's are replaced). ``before`` holds the
    findings by list of the month before, for the guards. Raises RunDoesNotBalance when a person has no category, the sum
    differs from the population, or a guard trips; StorageUnavailable when the folder cannot be written.
    """
    comparison = Comparison(plan, period, inputs, folder)
    with comparison.shared_room() as room:
        for chunk in comparison.chunks:
            began = time.perf_counter()
            comparison.run(chunk, room)
            if on_chunk:
                on_chunk(chunk.name, time.perf_counter() - began)
    outcome = comparison.outcome()
    refuse_runaways(plan, outcome, before)
    return outcome


def refuse_runaways(plan: Plan, outcome: Outcome, before: Mapping[str, int] | None = None) -> None:
    """Raises RunDoesNotBalance where a list is absurdly long, or has jumped since the month before."""
    by_list, where = outcome.by_list, f"{plan.id} {outcome.period}"
    for guard in plan.guards:
        count = by_list.get(guard.list, 0)
        share = count / outcome.persons
        if share > guard.max_share_of_population:
            raise RunDoesNotBalance(
                f"list {guard.list} holds {share:.1%} of the population; the plan allows "
                f"{guard.max_share_of_population:.1%}.", where=where,
                cure="A register is probably incomplete: check the deliveries' row counts, then run it again.")
        if before is None or guard.max_jump_share is None:
            continue
        jump = (count - before.get(guard.list, 0)) / outcome.persons
        if abs(jump) > guard.max_jump_share:
            raise RunDoesNotBalance(
                f"list {guard.list} has {'grown' if jump > 0 else 'shrunk'} by {abs(jump):.1%} of the population in a "
                f"month; the plan allows {guard.max_jump_share:.1%}.", where=where,
                cure="Look at `canbao compare --dry-run`; a register is probably incomplete or doubled.")
