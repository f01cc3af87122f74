"""Whose row is it? The rows that an exact number and name did not place, tier by tier (docs/decisions/0021).

Tier 0 proper is ``20_links``; here the names that differ under one number are judged, slips of the hand are repaired
where name and more agree, the rest is asked of the residual model, and what stays doubtful goes to a person. Nothing is
merged silently and no stored number is changed: a link is a row with its tier, its score and its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from comparison import names, residual
from comparison.database import quoted, script

POLICY = Path(__file__).parent / "identity.yaml"
TIERS = ("exact", "old_number", "repaired", "probable", "clerical", "review", "unlinked")
"""How a register row found its person, the surest first; the last two found none."""
_TOLD = {
    "sex": "VARCHAR", "birth_date": "DATE", "township": "VARCHAR", "village": "VARCHAR", "household_no": "VARCHAR",
    "employer_code": "VARCHAR", "school": "VARCHAR", "kind": "VARCHAR", "scheme": "VARCHAR", "death_date": "DATE",
}
"""What a register may say of a person beside name and number, as far as it tells persons apart."""


@cache
def policy() -> dict[str, Any]:
    """The whole of ``identity.yaml``."""
    policies: dict[str, Any] = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    return policies


def resolve(
    connection: duckdb.DuckDBPyConnection, registers: Sequence[str], *, decisions: Path | None = None,
    old_numbers: Path | None = None,
) -> None:
    """Settles every row of the ``residual_<register>`` tables as far as it can be.

    In: ``people``, ``residual_<register>``, ``linked_<register>``. ``decisions`` is a Parquet file of what people decided
    (row_key, person_id, is_same), ``old_numbers`` a CSV file of numbers that were replaced (old, new; 18 characters).
    Leaves ``resolved``, ``identity_candidates`` and ``identity_cases``.
    """
    names.prepare(connection)
    _given(connection, decisions, old_numbers)
    _asked(connection, registers)
    connection.execute(script("22_pairs", _digit_fills()))
    connection.execute(script("23_evidence"))
    _claimed(connection, registers)
    _plausible_ages(connection)
    connection.execute(script("24_settled", _score_fills()))
    _probable(connection, registers)
    connection.execute(script("25_identity", {
        "candidates_at_most": str(policy()["residual"]["candidates_at_most"]),
        "status_decides": _list(policy()["status_in_doubt"]["registers"]), "status_faults": _list(policy()["status_in_doubt"]["faults"]),
    }))


def _given(connection: duckdb.DuckDBPyConnection, decisions: Path | None, old_numbers: Path | None) -> None:
    """What people know that no register says; empty tables where nothing was given."""
    connection.execute("CREATE TABLE decisions (row_key VARCHAR, person_id VARCHAR, is_same BOOLEAN)")
    if decisions is not None:
        connection.execute(f"INSERT INTO decisions BY NAME FROM read_parquet({quoted(decisions)})")
    connection.execute("CREATE TABLE old_numbers (old BIGINT, new BIGINT)")
    if old_numbers is not None:
        connection.execute("INSERT INTO old_numbers SELECT DISTINCT number_of(trim(old)), number_of(trim(new)) "
                           f"FROM read_csv({quoted(old_numbers)}, all_varchar = true, header = true) WHERE old <> new")


def _asked(connection: duckdb.DuckDBPyConnection, registers: Sequence[str]) -> None:
    """``asked``: every residual row, numbered, with whatever its register says that tells persons apart."""
    rows = []
    for feed in registers:
        has = {row[0] for row in connection.execute(f"DESCRIBE residual_{feed}").fetchall()}
        told = ", ".join(f"{name if name in has else 'NULL'}::{kind} AS {name}" for name, kind in _TOLD.items())
        rows.append(f"SELECT {quoted(feed)} AS feed, file, source_file, row_number, member, id_number, id_given, id_fault, "
                    f"name, {told} FROM residual_{feed}")
    connection.execute(script("21_asked", {"rows": "\nUNION ALL\n".join(rows), "told": ", ".join(_TOLD)}))


def _probable(connection: duckdb.DuckDBPyConnection, registers: Sequence[str]) -> None:
    """Tier 2: what the residual model makes of rows that still have no person."""
    rules, several = policy()["residual"], policy()["several_rows"]
    counts = " UNION ALL ".join(
        f"SELECT {quoted(feed)} AS feed, count(*) AS rows, {feed not in several} AS is_single FROM linked_{feed}"
        for feed in registers)
    connection.execute(f"CREATE TABLE linked_counts AS {counts}")
    connection.execute(script("24_wanted"))
    taken = " UNION ALL ".join(f"SELECT {quoted(feed)} AS feed, person FROM linked_{feed} SEMI JOIN thought_of USING (person)"
                               for feed in registers if feed not in several)
    connection.execute(f"""
        CREATE TABLE claimed_all AS
        SELECT DISTINCT * FROM ({taken} UNION ALL
            SELECT feed, person FROM settled JOIN asked USING (row_id) WHERE feed NOT IN ({_list(several)}))""")
    connection.execute(script("24_questions", {"namesakes_at_most": str(rules["namesakes_at_most"])}))
    _company(connection, registers)
    residual.weigh(connection, rules["model"])
    connection.execute(script("24_probable", {
        "not_thought_of": str(rules["not_thought_of"]), "automatic_from": str(rules["automatic_from"]),
        "review_from": str(rules["review_from"]), "never_automatic": _list(policy()["never_automatic"]),
        "several_rows": _list(several),
    }))


def _company(connection: duckdb.DuckDBPyConnection, registers: Sequence[str]) -> None:
    """``company_weight``: what the registers a person stands in say for a row of another register."""
    rules = policy()["residual"]
    groups = list(rules["company"].values())
    every = _scalar(connection, f"SELECT greatest(count(*) // {rules['company_persons']}, 1) FROM people")
    asked = f"hash(person) % {every} = 0 OR person IN (SELECT person FROM questions)"
    stands = " UNION ALL ".join(
        f"SELECT person, {bit} AS bit FROM linked_{feed} WHERE {asked}"
        for bit, feeds in enumerate(groups) for feed in feeds if feed in registers)
    connection.execute(f"CREATE VIEW stands AS {stands}")
    connection.execute("CREATE TABLE groups (feed VARCHAR, mask BIGINT)")
    connection.executemany("INSERT INTO groups VALUES (?, ?)", [
        (feed, 1 << bit) for bit, feeds in enumerate(groups) for feed in feeds])
    connection.execute(script("24_company", {"every": str(every), "ages": str(rules["company_ages"])}))


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _claimed(connection: duckdb.DuckDBPyConnection, registers: Sequence[str]) -> None:
    """``stood``: who of the persons in question has a row of his or her own in which register."""
    rows = " UNION ALL ".join(
        f"SELECT {quoted(feed)} AS feed, person FROM linked_{feed} SEMI JOIN evidence USING (person)" for feed in registers)
    connection.execute(f"CREATE TABLE stood AS SELECT DISTINCT * FROM ({rows})")


def _plausible_ages(connection: duckdb.DuckDBPyConnection) -> None:
    """``plausible_ages``: between which completed years a person can stand in a register at all."""
    connection.execute("CREATE TABLE plausible_ages (feed VARCHAR, least_age INTEGER, most_age INTEGER)")
    connection.executemany("INSERT INTO plausible_ages VALUES (?, ?, ?)",
                           [(feed, *ages) for feed, ages in policy()["plausible_ages"].items()])


def _digit_fills() -> Mapping[str, str]:
    digits = policy()["digits"]
    return {"letters_for_digits": "".join(digits), "digits": "".join(digits.values()),
            "digits_apart": str(policy()["two_numbers"]["digits_apart_at_most"]),
            "strangers_of_the_name": str(policy()["unnumbered"]["strangers_of_the_name_at_most"])}


def _score_fills() -> Mapping[str, str]:
    scores = policy()["scores"]
    return {
        "closest": _case({verdict: place for place, verdict in enumerate(("same", "spelling", "part", "last", "different", "missing"))}),
        "exact_score": _case(scores["exact"]), "repaired_score": _case(scores["repaired"]),
        "several_rows": _list(policy()["several_rows"]), "never_automatic": _list(policy()["never_automatic"]),
    }


def _case(values: Mapping[str, float]) -> str:
    return "CASE names " + " ".join(f"WHEN {quoted(key)} THEN {value}" for key, value in values.items()) + " END"


def _list(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)
