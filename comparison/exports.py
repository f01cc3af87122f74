"""What leaves a finished run: rows for the record, details for rosters, links for the audited export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from comparison.database import connect, quoted
from models.plan import Plan


def export_for_record(plan: Plan, folder: Path) -> tuple[Path, Path]:
    """Two CSV files for PostgreSQL's COPY: the findings, and the subjects that left the scope (dead, moved away).

    The caller deletes them: they hold persons.
    """
    current, gone = folder / "findings.csv", folder / "gone.csv"
    out_of_scope = ", ".join(quoted(category.id) for category in plan.categories if not category.in_scope) or "''"
    with connect() as connection:
        connection.execute(f"""
            COPY (SELECT list, subject, subject_kind, id_number, name, category, owner,
                         '{{' || array_to_string(co_owners, ',') || '}}', priority, reason, evidence
                  FROM read_parquet({quoted(folder / 'findings.parquet')}))
            TO {quoted(current)} (FORMAT csv, HEADER false)""")
        connection.execute(f"""
            COPY (SELECT person_id FROM read_parquet({quoted(folder / 'person_profile.parquet')})
                  WHERE category IN ({out_of_scope}))
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


def links_of(folder: Path) -> list[tuple[object, ...]]:
    """feed, row_number, id_number, name, person_id, tier, score of every register row of a run."""
    with connect() as connection:
        return connection.execute(
            f"SELECT feed, row_number, id_number, name, person_id, tier, score "
            f"FROM read_parquet({quoted(folder / 'links.parquet')}) ORDER BY feed, source_file, row_number").fetchall()
