"""The engine that runs the comparison's SQL files in order over Parquet snapshots.

Pure data in, files out: no database, no clock. A run reads accepted snapshots, leaves profile, links and findings as
Parquet in its folder, and answers with counts only. A run whose categories do not add up to the population raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from comparison.database import connect, period_end, quoted, script
from comparison.expressions import parameters_of, render
from comparison.lists import finding_select, heirs_on
from models.errors import RunDoesNotBalance, StorageUnavailable
from models.plan import Plan
from models.profile import SCHEMES

PERSON_REGISTERS = (
    "deaths", "students", "hardship", "poverty", "disability", "employment", *SCHEMES, "benefits", "cards",
)
STAGES = ("10_people", "20_links", "30_registers", "40_profile", "45_employers", "60_findings", "70_balance")


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


def _open_feeds(connection: duckdb.DuckDBPyConnection, inputs: Mapping[str, Sequence[Path]]) -> None:
    """Typed views over the accepted snapshots; a feed that did not come is an empty table of the same shape."""
    connection.execute(script("00_feeds"))
    names = [row[0] for row in connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'feed'").fetchall()]
    for feed in names:
        union = f"FROM feed.{feed}"
        if paths := inputs.get(feed):
            files = ", ".join(quoted(path) for path in paths)
            union += f" UNION ALL BY NAME FROM read_parquet([{files}], union_by_name = true)"
        connection.execute(f"CREATE VIEW {feed} AS {union}")


def _said(scheme: str) -> str:
    extra = ", r.tier_yuan, r.paid_yuan, r.ended_on, r.end_reason" if scheme == "resident_pension" else ""
    return f"""
CREATE TABLE said_{scheme} AS
SELECT l.person_id, r.status, r.enrolled_on, r.last_paid_month{extra}
FROM {scheme} r JOIN links l ON l.feed = '{scheme}' AND l.row_number = r.row_number AND l.source_file = r.source_file
WHERE l.person_id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY l.person_id ORDER BY strength(r.status), r.last_paid_month DESC NULLS LAST, r.enrolled_on) = 1;"""


def _scheme_columns(scheme: str) -> str:
    alias = "rp" if scheme == "resident_pension" else scheme
    return (
        f"{alias}.status AS {scheme}_status, coalesce({alias}.status = 'active', false) AS {scheme}_active, "
        f"{alias}.enrolled_on AS {scheme}_enrolled_on, {alias}.last_paid_month AS {scheme}_last_paid, "
        f"CASE WHEN {alias}.last_paid_month IS NULL THEN NULL "
        f"ELSE months_between({alias}.last_paid_month, getvariable('period')) END AS {scheme}_months_unpaid"
    )


def _scheme_join(scheme: str) -> str:
    alias = "rp" if scheme == "resident_pension" else scheme
    return f"LEFT JOIN said_{scheme} {alias} ON {alias}.person_id = p.person_id"


def _category_cases(plan: Plan) -> str:
    return "\n            ".join(
        f"WHEN coalesce({render(category.where, parameters_of(plan))}, false) THEN {quoted(category.id)}"
        for category in plan.categories
    )


def _fills(plan: Plan, period: str) -> dict[str, str]:
    heirs = heirs_on(plan, period_end(period))
    links = "\n    UNION ALL\n    ".join(
        f"SELECT '{feed}' AS feed, row_number, source_file, id_number, name FROM {feed}" for feed in PERSON_REGISTERS
    )
    return {
        "register_rows": links,
        "said_schemes": "\n".join(_said(scheme) for scheme in SCHEMES),
        "scheme_columns": ",\n           ".join(_scheme_columns(scheme) for scheme in SCHEMES),
        "scheme_joins": "\n    ".join(_scheme_join(scheme) for scheme in SCHEMES),
        "category_cases": _category_cases(plan),
        "findings": "\nUNION ALL".join(finding_select(plan, item, heirs) for item in plan.lists),
    }


def _execute(connection: duckdb.DuckDBPyConnection, stage: str, sql: str) -> None:
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        # A DuckDB message may quote a cell: keep only its kind and the part that names columns.
        known = re.search(r'(Referenced column "[^"]+" not found|Table with name \S+ does not exist)', str(error))
        raise RunDoesNotBalance(
            f"stage {stage} failed: {type(error).__name__}{': ' + known.group(1) if known else ''}.",
            where="comparison", cure="Check the snapshots' columns against the contracts, then run it again.",
        ) from None


def compare(
    plan: Plan, period: str, inputs: Mapping[str, Sequence[Path]], folder: Path,
    *, on_stage: Callable[[str, float], None] | None = None,
) -> Outcome:
    """One comparison of a period's accepted snapshots.

    Leaves ``person_profile``, ``employer_profile``, ``project_profile``, ``links`` and ``findings`` as Parquet in
    ``folder`` (made anew: a half-written earlier attempt is replaced). Raises RunDoesNotBalance when a person has no
    category, the sum differs from the population, or a guard trips; StorageUnavailable when the folder cannot be
    written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(folder)) from None
    with connect(folder / "spill") as connection:
        connection.execute("SET VARIABLE period = ?", [period])
        connection.execute("SET VARIABLE period_end = ?::DATE", [period_end(period)])
        connection.execute("SET VARIABLE campaign_starts = ?::DATE", [plan.starts])
        _open_feeds(connection, inputs)
        fills = _fills(plan, period)
        for position, stage in enumerate(STAGES):
            _execute(connection, stage, script(stage, fills))
            if on_stage:
                on_stage(stage, (position + 1) / len(STAGES))
        outcome = _outcome(connection, period, folder)
        _refuse_runaways(plan, outcome)
        for table in ("person_profile", "employer_profile", "project_profile", "links", "findings"):
            connection.execute(
                f"COPY {table} TO {quoted(folder / f'{table}.parquet')} (FORMAT parquet, COMPRESSION snappy)")
    return outcome


def _outcome(connection: duckdb.DuckDBPyConnection, period: str, folder: Path) -> Outcome:
    rows = lambda sql: tuple(connection.execute(sql).fetchall())  # noqa: E731
    persons, unbalanced, register_rows = rows("FROM balance")[0]
    digest = rows(
        "SELECT sha256(coalesce(string_agg(list || '|' || subject || '|' || owner, chr(10) "
        "ORDER BY list, subject), '')) FROM findings")[0][0]
    return Outcome(
        period=period, folder=folder, persons=persons, unbalanced=int(unbalanced), register_rows=int(register_rows),
        categories=rows("FROM category_counts ORDER BY ALL"), links=rows("FROM link_counts ORDER BY ALL"),
        lists=rows("FROM list_counts ORDER BY ALL"), content_sha256=digest,
    )


def _refuse_runaways(plan: Plan, outcome: Outcome) -> None:
    if outcome.persons == 0:
        raise RunDoesNotBalance(
            "the population is empty.", where=f"{plan.id} {outcome.period}",
            cure="Take in the population feed of this period first.")
    if outcome.unbalanced:
        raise RunDoesNotBalance(
            f"categories and population differ by {outcome.unbalanced} persons.",
            where=f"{plan.id} {outcome.period}", cure="Nothing was replaced; check the plan's categories.")
    by_list: dict[str, int] = {}
    for name, _, findings in outcome.lists:
        by_list[name] = by_list.get(name, 0) + findings
    for guard in plan.guards:
        share = by_list.get(guard.list, 0) / outcome.persons
        if share > guard.max_share_of_population:
            raise RunDoesNotBalance(
                f"list {guard.list} holds {share:.1%} of the population; the plan allows "
                f"{guard.max_share_of_population:.1%}.", where=f"{plan.id} {outcome.period}",
                cure="A register is probably incomplete: check the deliveries' row counts, then run it again.")


