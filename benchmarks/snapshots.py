"""Accepted snapshots of a big place, written directly as Parquet: for measuring, not for judging what a link is worth.

Everything follows from hashes of a running number and the seed, so the same seed gives the same files, and the second
month is the first one lived on: deaths, births, moves, first enrolments, stopped payments, and a later last month paid
for everyone whose employer pays. What intake would have left is there as well: names in another spelling, one number
under two names, and the doubtful rows (a wrong digit) beside the snapshot they were taken from.

Sizes are shares of the population after ``domain.md``: about three register rows a person, one employer per ninety.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from comparison.database import connect, period_end, quoted
from comparison.names import letters
from models.plan import Plan
from rehearsal import names

EMPLOYEE_SCHEMES = {"employee_pension": 0, "employee_medical": 1, "work_injury": 2, "maternity": 3, "unemployment": 4}
LATER_THAN_HERE = 0.03
"""Insured here and registered elsewhere: rows that rightly find nobody."""


@dataclass(frozen=True)
class Rates:
    """Shares of register rows with a defect of identity (domain.md, Files: 20, 26–28)."""

    wrong_digit: float = 0.005
    homophone: float = 0.005
    two_names: float = 0.001


def _letters(rng: np.random.Generator, count: int) -> pa.Table:
    """A pool of names to draw from: Han names, and one in twenty with a separator."""
    male = rng.random(count) < 0.5
    han = names.han_names(rng, names.surnames(rng, count), male)
    dotted = names.dotted_names(rng, male)
    chosen: list[str] = np.where(rng.random(count) < 0.05, dotted, han).tolist()
    known = letters().to_pydict()
    sounds = dict(zip(known["letter"], known["sound"], strict=True))
    used = sorted({letter for name in chosen for letter in name if letter in sounds})
    alike: dict[str, str] = {}
    for letter in used:  # the next letter in use of the same sound
        same = [other for other in used if sounds[other] == sounds[letter]]
        alike[letter] = same[(same.index(letter) + 1) % len(same)]
    misspelt = [name[:-1] + alike.get(name[-1], name[-1]) for name in chosen]
    return pa.table({"place": np.arange(count), "male": male, "name": chosen, "misspelt": misspelt})


def _townships(plan: Plan) -> pa.Table:
    codes = [org.code for org in plan.organisations if org.kind == "township"]
    return pa.table({"place": list(range(len(codes))), "township": codes})


_CHECK = "substr('10X98765432', (" + " + ".join(
    f"substr(body, {place}, 1)::INTEGER * {weight}"
    for place, weight in enumerate((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), start=1)
) + ") % 11 + 1, 1)"

_MACROS = """
-- A number in [0, 1) for a person and a question: the same whenever it is asked.
CREATE MACRO u(i, question) AS (hash(i, question, getvariable('seed')) >> 11)::DOUBLE / 9007199254740992.0;
-- Whether something drawn with this yearly rate has happened to i by month m (0 or 1).
CREATE MACRO befell(i, question, rate) AS u(i, question) < rate * getvariable('month');
CREATE MACRO month_label(back) AS strftime(getvariable('ends') - to_months(back::INTEGER), '%Y-%m');
"""

_PERSONS = """
CREATE TABLE person AS
WITH numbered AS (
    SELECT i, (i * 7_368_787) % (33_000::BIGINT * 12 * 900) AS slot FROM range(getvariable('persons')) t(i)
),
born AS (
    SELECT i, slot % 900 AS serial, DATE '1926-01-01' + ((slot // 900) % 33_000)::INTEGER AS birth_date,
           [320705, 320721, 320722, 320703, 320706, 320723, 320724, 320707, 341202, 370211, 321322, 410103]
             [1 + slot // (900 * 33_000)] AS area
    FROM numbered
),
bodied AS (
    SELECT *, area::VARCHAR || strftime(birth_date, '%Y%m%d') || lpad(serial::VARCHAR, 3, '0') AS body FROM born
)
SELECT i, body || {check} AS id_number, letters.name, CASE WHEN serial % 2 = 1 THEN 'M' ELSE 'F' END AS sex, birth_date,
       date_diff('year', birth_date, getvariable('ends')) AS age,
       townships.township, 1 + (hash(i // 3, 5) % 30)::INTEGER AS village_no, i // 3 AS household,
       u(i, 1) AS works, u(i, 2) AS luck, (hash(i, 3) % getvariable('employers'))::BIGINT AS employer,
       u(i, 4) AS stays
FROM bodied
JOIN letters ON letters.place = hash(i, 6, getvariable('seed')) % getvariable('names')
JOIN townships ON townships.place = (i // 3) * (SELECT count(*) FROM townships) * 3 // getvariable('persons')
WHERE birth_date <= getvariable('ends') AND birth_date < DATE '2016-03-01' + 40 * getvariable('month')::INTEGER
"""

_FEEDS = {
    "population": """
        SELECT id_number, CASE WHEN befell(i, 31, 0.0002) THEN left(name, 1) || '明' ELSE name END AS name, sex,
               birth_date, CASE WHEN u(i, 7) < 0.55 THEN 'rural' ELSE 'urban' END AS hukou_type,
               'H' || lpad(household::VARCHAR, 9, '0') AS household_no,
               CASE WHEN u(i, 8) < 0.002 THEN NULL ELSE township END AS township, '第' || village_no || '村' AS village,
               '连云港市第' || village_no || '村' || (household % 700) || '号' AS address,
               '13' || lpad((hash(household, 9) % 1_000_000_000)::VARCHAR, 9, '0') AS phone,
               CASE WHEN stays < 0.004 THEN 'cancelled' WHEN stays < 0.010 OR befell(i, 32, 0.0008) THEN 'moved_out'
                    WHEN stays < 0.16 THEN 'away' ELSE 'resident' END AS status, NULL::DATE AS status_date, i AS nth
        FROM person WHERE u(i, 10) >= 0.03""",
    "residence_permits": """
        SELECT id_number, name, sex, 'JZ' || i AS permit_no, getvariable('ends') + 200 AS valid_to, township,
               '第' || village_no || '村' AS village, '河南省' AS origin, NULL::VARCHAR AS phone, hash(i, 40) AS nth
        FROM person WHERE u(i, 10) < 0.03""",
    "deaths": """
        SELECT id_number, name, getvariable('ends') - 20 AS death_date, '人民医院' AS reported_by, township,
               hash(i, 41) AS nth
        FROM person WHERE u(i, 11) < 0.006 OR befell(i, 33, 0.0006)""",
    "employment": """
        SELECT id_number, name, credit_code AS employer_code, employer_name, month_label(0) AS month,
               DATE '2012-01-01' + (hash(i, 12) % 1400)::INTEGER AS since, hash(i, 42) AS nth
        FROM person JOIN firm ON firm.f = employer
        WHERE age BETWEEN 18 AND 59 AND (works < 0.24 OR befell(i, 34, 0.002))""",
    "resident_pension": """
        SELECT id_number, name, township, '第' || village_no || '村' AS village,
               CASE WHEN luck < 0.04 OR befell(i, 35, 0.002) THEN 'suspended' WHEN luck < 0.05 THEN 'terminated'
                    ELSE 'active' END AS status,
               DATE '2011-07-01' + (hash(i, 13) % 1000)::INTEGER AS enrolled_on,
               month_label(CASE WHEN luck < 0.05 THEN 18 ELSE 3 + i % 9 + getvariable('month') END) AS last_paid_month,
               (100 + 100 * (hash(i, 14) % 5))::DOUBLE AS tier_yuan,
               (100 + 100 * (hash(i, 14) % 5))::DOUBLE AS paid_yuan, NULL::DATE AS ended_on,
               NULL::VARCHAR AS end_reason, hash(i, 43) AS nth
        FROM person WHERE age >= 16 AND (works BETWEEN 0.30 AND 0.87 OR works < 0.006 OR befell(i, 36, 0.003))""",
    "resident_medical": """
        SELECT id_number, name, township, 'active' AS status, DATE '2005-01-01' + (hash(i, 15) % 3000)::INTEGER AS enrolled_on,
               month_label(CASE WHEN getvariable('month') > 0 AND i % 12 = 0 THEN 0
                                ELSE i % 12 + getvariable('month') END) AS last_paid_month,
               120.0 AS paid_yuan, hash(i, 44) AS nth
        FROM person WHERE (works > 0.275 OR age >= 60 OR age < 16) AND u(i, 16) < 0.96 OR works < 0.004""",
    "benefits": """
        SELECT id_number, name, CASE WHEN works < 0.28 THEN 'employee_pension' ELSE 'resident_pension' END AS scheme,
               'paying' AS status, (100 + hash(i, 17) % 3000)::DOUBLE AS monthly_yuan,
               strftime(birth_date + to_months(720), '%Y-%m') AS first_paid_month, hash(i, 45) AS nth
        FROM person WHERE age >= 60 AND u(i, 18) < 0.95 AND u(i, 11) >= 0.005""",
    "cards": """
        SELECT id_number, name, 'issued' AS status, DATE '2012-01-01' + (hash(i, 19) % 1400)::INTEGER AS issued_on,
               hash(i, 46) AS nth
        FROM person WHERE u(i, 20) < 0.92 + 0.002 * getvariable('month')""",
    "institution_pension": """
        SELECT id_number, name, credit_code AS employer_code, employer_name, 'active' AS status,
               DATE '2014-10-01' AS enrolled_on, month_label(0) AS last_paid_month, 4000.0 AS base_yuan, hash(i, 47) AS nth
        FROM person JOIN firm ON firm.f = employer WHERE age BETWEEN 20 AND 59 AND works BETWEEN 0.24 AND 0.28""",
    **{scheme: f"""
        SELECT id_number, name, credit_code AS employer_code, employer_name,
               CASE WHEN u(i, {50 + number}) < 0.03 OR befell(i, {60 + number}, 0.004) THEN 'suspended'
                    ELSE 'active' END AS status,
               DATE '1998-01-01' + (hash(i, 21) % 6000)::INTEGER AS enrolled_on,
               month_label(CASE WHEN u(i, {50 + number}) < 0.03 THEN 7 + getvariable('month') ELSE 0 END)
                 AS last_paid_month,
               (2500 + hash(i, 22) % 6000)::DOUBLE AS base_yuan, hash(i, {70 + number}) AS nth
        FROM person JOIN firm ON firm.f = employer
        WHERE age BETWEEN 18 AND 59 AND works < {0.24 - 0.02 * number}"""
       for scheme, number in EMPLOYEE_SCHEMES.items()},
}

_FIRMS = """
CREATE TABLE firm AS
SELECT f, '9132' || lpad((hash(f, 23) % 100_000_000)::VARCHAR, 8, '0') || lpad(f::VARCHAR, 6, '0') AS credit_code,
       '连云港' || (hash(f, 24) % 90_000) || '商贸有限公司' AS employer_name,
       (SELECT list(township ORDER BY place) FROM townships)[1 + f % (SELECT count(*) FROM townships)] AS township
FROM range(getvariable('employers')) t(f)
"""

_UNITS = {
    "employers": """
        SELECT credit_code, employer_name AS name, CASE WHEN f % 3 = 0 THEN 'individual' ELSE 'enterprise' END AS kind,
               CASE WHEN f % 20 = 0 THEN 'deregistered' ELSE 'operating' END AS status, DATE '2008-01-01' AS registered_on,
               township, '连云港市' AS address, NULL::VARCHAR AS phone, (1 + f % 40)::BIGINT AS employees, f AS nth
        FROM firm""",
    "tax_units": """
        SELECT credit_code, employer_name AS name, month_label(0) AS last_taxed_month,
               (1 + f % 40)::BIGINT AS withholding_employees, township, f AS nth FROM firm WHERE f % 5 > 0""",
}


def write(plan: Plan, out: Path, *, persons: int, period: str, month: int = 0, seed: int = 1,
          rates: Rates = Rates()) -> dict[str, list[Path]]:
    """Writes ``out/<feed>/<period>.parquet`` (and ``….doubtful.parquet``) and answers with the engine's inputs.

    ``month`` 0 is the first month; 1 the one after it, of the same persons.
    """
    out.mkdir(parents=True, exist_ok=True)
    inputs: dict[str, list[Path]] = {}
    with connect(out / "spill", memory_gb=6) as db:
        db.execute("SET preserve_insertion_order = true")
        sizes = {"persons": persons, "employers": max(20, persons // 88), "names": min(200_000, persons)}
        for name, value in {"seed": seed, "month": month, **sizes}.items():
            db.execute(f"SET VARIABLE {name} = {value}")
        ends: date = period_end(period)
        db.execute(f"SET VARIABLE ends = DATE '{ends}'")
        db.register("letters", _letters(np.random.default_rng(seed), min(200_000, persons)))
        db.register("townships", _townships(plan))
        for statement in _MACROS.split(";"):
            if statement.strip():
                db.execute(statement)
        db.execute(_PERSONS.replace("{check}", _CHECK))
        db.execute(_FIRMS)
        for number, (feed, rows) in enumerate({**_FEEDS, **_UNITS}.items()):
            path = out / feed / f"{period}.parquet"
            path.parent.mkdir(exist_ok=True)
            if feed in _FEEDS:
                _write_persons(db, feed, rows, path, number, rates)
            else:
                _copy(db, f"SELECT * EXCLUDE (nth), row_number() OVER (ORDER BY nth) + 1 AS row_number, 1 AS member, "
                          f"{quoted(feed)} AS source_file FROM ({rows})", path)
            inputs[feed] = [path]
    return inputs


def _write_persons(db: duckdb.DuckDBPyConnection, feed: str, rows: str, path: Path, number: int, rates: Rates) -> None:
    """Clean rows with their misspelt names into the snapshot, those with a wrong digit into the doubtful one."""
    salt = 1000 + 10 * number
    is_register = feed != "population"
    db.execute(f"""
        CREATE OR REPLACE TEMP TABLE written AS
        SELECT r.* EXCLUDE (nth) REPLACE (
                   CASE WHEN {is_register} AND u(id_number, {salt}) < {rates.two_names} THEN other.name
                        WHEN {is_register} AND u(id_number, {salt}) < {rates.two_names + rates.homophone}
                        THEN coalesce(own.misspelt, r.name) ELSE r.name END AS name),
               row_number() OVER (ORDER BY nth) + 1 AS row_number, 1 AS member, {quoted(feed)} AS source_file,
               u(id_number, {salt + 1}) < {rates.wrong_digit if is_register else 0} AS is_doubtful,
               1 + (hash(id_number, {salt + 2}) % 17)::INTEGER AS place
        FROM ({rows}) r JOIN letters other ON other.place = hash(r.id_number, {salt + 3}) % getvariable('names')
        LEFT JOIN (SELECT name, any_value(misspelt) AS misspelt FROM letters GROUP BY name) own ON own.name = r.name""")
    _copy(db, "SELECT * EXCLUDE (is_doubtful, place) FROM written WHERE NOT is_doubtful ORDER BY row_number", path)
    digit = "((substr(id_number, place, 1)::INTEGER + 1 + row_number % 8) % 10)::VARCHAR"
    wrong = f"substr(id_number, 1, place - 1) || {digit} || substr(id_number, place + 1)"
    _copy(db, f"SELECT * EXCLUDE (is_doubtful, place) REPLACE (NULL::VARCHAR AS id_number), {wrong} AS id_given, "
              "'id_number_check_digit' AS id_fault FROM written WHERE is_doubtful ORDER BY row_number",
          path.with_suffix(".doubtful.parquet"))


def _copy(db: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    db.execute(f"COPY ({rows}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd)")
