"""What leaves a finished run: rows for the record, details for rosters, links for the audited export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from comparison.chunks import links_sql
from comparison.database import connect, quoted, view_of
from models.plan import Plan


def export_for_record(plan: Plan, folder: Path) -> tuple[Path, Path]:
    """Two CSV files for PostgreSQL's COPY: the findings, and the subjects that left the scope (dead, moved away).

    The caller deletes them: they hold persons.
    """
    current, gone = folder / "findings.csv", folder / "gone.csv"
    out_of_scope = ", ".join(quoted(category.id) for category in plan.categories if not category.in_scope) or "''"
    with connect() as connection:
        connection.execute(view_of("people", folder / "people.parquet"))
        connection.execute(f"""
            COPY (SELECT list, subject, subject_kind, id_number, name, category, owner,
                         '{{' || array_to_string(co_owners, ',') || '}}', priority, reason, evidence
                  FROM read_parquet({quoted(folder / 'findings.parquet')}))
            TO {quoted(current)} (FORMAT csv, HEADER false)""")
        connection.execute(f"""
            COPY (SELECT person_id FROM people SEMI JOIN (
                      FROM read_parquet({quoted(folder / 'person_profile.parquet')}) WHERE category IN ({out_of_scope})
                  ) USING (person))
            TO {quoted(gone)} (FORMAT csv, HEADER false)""")
    for path in (current, gone):
        path.chmod(0o600)
    return current, gone


def details(folder: Path, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, object]]:
    """What rosters print beside the ``wanted`` findings, by (list, subject): age, sex, village, address, phone,
    employer."""
    with connect() as connection:
        connection.register("wanted", pa.table({"list": [entry[0] for entry in wanted],
                                                "subject": [entry[1] for entry in wanted]}))
        cursor = connection.execute(
            f"SELECT list, subject, sex, age_years, township, village, address, phone, employer_code, employer_name "
            f"FROM read_parquet({quoted(folder / 'findings.parquet')}) SEMI JOIN wanted USING (list, subject)")
        names = [column[0] for column in cursor.description]
        return {(row[0], row[1]): dict(zip(names[2:], row[2:], strict=True)) for row in cursor.fetchall()}


def findings_of(path: Path) -> Iterator[dict[str, Any]]:
    """The findings of a run as it left them, by list, owner and subject."""
    with connect() as connection:
        cursor = connection.execute(
            f"SELECT list, subject, id_number, name, category, owner, co_owners, reason, evidence "
            f"FROM read_parquet({quoted(path)}) ORDER BY list, owner, subject")
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(10_000):
            for row in rows:
                yield dict(zip(names, row, strict=True))


def links_file(folder: Path) -> Path:
    """The links of a finished run as Parquet, one row per register row; put together when first asked for."""
    path = folder / "links.parquet"
    if not path.exists():
        with connect(folder / "spill") as connection:
            for table in folder.glob("*.parquet"):
                connection.execute(view_of(table.stem, table))
            connection.execute(links_sql(sorted(table.stem.removeprefix("linked_") for table in folder.glob("linked_*.parquet"))))
            partial = path.with_suffix(".part")
            connection.execute(f"COPY links TO {quoted(partial)} (FORMAT parquet)")
            partial.replace(path)
    return path


def links_of(folder: Path) -> list[tuple[object, ...]]:
    """feed, row_number, id_number, name, person_id, tier, score of every register row of a run.

    A row whose own number is in doubt shows it as it came.
    """
    with connect() as connection:
        return connection.execute(
            f"SELECT feed, row_number, coalesce(id_number, id_given) AS id_number, name, person_id, tier, score "
            f"FROM read_parquet({quoted(links_file(folder))}) ORDER BY feed, source_file, row_number, member").fetchall()


def bench_of(folder: Path) -> list[dict[str, object]]:
    """What a person has to decide of a run: one row per question and candidate, the same question of several registers
    once, the likeliest candidate first."""
    with connect() as connection:
        cursor = connection.execute(f"""
            WITH pairs AS (
                SELECT row_key, person_id, any_value(person) AS person, list_sort(list(DISTINCT feed)) AS feeds,
                       any_value(name) AS name, any_value(coalesce(id_number, id_given)) AS row_number_told,
                       any_value(birth_date) AS row_birth, any_value(c.township) AS row_township, max(score) AS score,
                       min_by(reason, (-score, reason)) AS reason
                FROM read_parquet({quoted(folder / 'identity_candidates.parquet')}) c GROUP BY row_key, person_id
            )
            SELECT dense_rank() OVER (ORDER BY c.row_key)::INTEGER AS question, c.* EXCLUDE (person),
                   p.name AS person_name, p.id_number AS person_number, p.birth_date, p.sex, p.township, p.village,
                   p.household_no
            FROM pairs c JOIN read_parquet({quoted(folder / 'people.parquet')}) p USING (person)
            ORDER BY question, score DESC, person_id""")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
