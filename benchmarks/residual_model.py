"""Trains the residual model of ``comparison/residual.py`` on synthetic places, and writes it as a new version.

Once for a version, by hand: ``python -m benchmarks.residual_model residual-1 FOLDER bozhou-2018:40000:101 …`` (campaign,
persons and seed of each place; FOLDER keeps what is made). A model is never changed in place, and never by a run. Seeds
from 100 on are for training: nothing is measured on them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from comparison import names
from comparison.database import connect, quoted
from comparison.residual import MODELS, open_linker

ROWS_A_FEED = 4000
"""Of each register and place; enough for every level of every comparison to be met often."""
DEFECTS = "16,17,18,19,20,21,23,24,25,26,27,28,33,35"
"""Those of numbers, names and places: what a file as a whole has is not asked here."""
LEAST = {"m_probability": 0.005, "u_probability": 1e-6}
"""A probability that no pair showed is not zero."""
SAID = ("birth_date", "sex", "township", "village", "household_no")


def _level(sql: str, label: str, **more: Any) -> dict[str, Any]:
    return {"sql_condition": sql, "label_for_charts": label, **more}


def _null(*columns: str) -> dict[str, Any]:
    either = " OR ".join(f'"{column}_{side}" IS NULL' for column in columns for side in "lr")
    return _level(either, "not said", is_null_level=True)


def _compared(column: str, *levels: dict[str, Any]) -> dict[str, Any]:
    return {"output_column_name": column, "comparison_levels": [*levels, _level("ELSE", "differs")]}


def _equal(column: str, label: str = "same") -> dict[str, Any]:
    return _level(f'"{column}_l" = "{column}_r"', label)


def comparisons() -> list[dict[str, Any]]:
    """What is compared, and in which degrees."""
    return [
        _compared(
            "core", _null("core"),
            _level('"core_l" = "core_r"', "same name", tf_adjustment_column="core", tf_adjustment_weight=1.0),
            _level('"near_l" = "near_r" OR list_sort("words_l") = list_sort("words_r") OR "near_l" = "reversed_r"',
                   "same sound or words"),
            _level('sound_likeness("near_l", "near_r") >= 0.8', "like sound"),
            _level('"letters_l" >= 3 AND "letters_r" >= 3 AND (starts_with("near_l", "near_r") '
                   'OR starts_with("near_r", "near_l"))', "cut off"),
        ),
        _compared("birth_date", _null("birth_date"), _equal("birth_date", "same day"),
                  _level('year("birth_date_l") = year("birth_date_r") AND (month("birth_date_l") = month("birth_date_r") '
                         'OR day("birth_date_l") = day("birth_date_r"))', "same year and month or day")),
        _compared("sex", _null("sex"), _equal("sex")),
        _compared("township", _null("township"),
                  _level('"township_l" = "township_r" AND "village_l" = "village_r"', "same village"),
                  _level('"township_l" = "township_r" AND ("village_l" IS NULL OR "village_r" IS NULL)', "same township"),
                  _level('"township_l" = "township_r"', "other village of the township")),
        _compared("household_no", _null("household_no"), _equal("household_no")),
        _compared("employers", _null("employers"), _level('list_has_any("employers_l", "employers_r")', "same employer")),
        _compared("area", _null("area"), _equal("area")),
        _compared("serial", _null("serial"), _equal("serial")),
    ]


def untrained() -> dict[str, Any]:
    """The model's shape. The blocking rule is there because Splink wants one; pairs are registered, not blocked."""
    return {
        "link_type": "link_only", "probability_two_random_records_match": 1e-6, "comparisons": comparisons(),
        "blocking_rules_to_generate_predictions": ['l."core" = r."core"'], "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False, "unique_id_column_name": "unique_id", "sql_dialect": "duckdb",
    }


@dataclass(frozen=True)
class Place:
    """A synthetic place as registers: its snapshots by feed, who is who in them, and its persons."""

    name: str
    snapshots: dict[str, list[Path]]
    people: Path
    links: Path


def made(folder: Path, campaign: str, persons: int, seed: int) -> Place:
    """Simulates a place with defects, takes its files in and lists its persons; what is there is taken as it is."""
    from comparison.engine import Comparison
    from comparison.plan_check import load_sound
    from expectations.intake import take
    from rehearsal.place_config import read_place
    from rehearsal.simulate import simulate

    loaded = load_sound(campaign)
    period = read_place(loaded.plan, loaded.path).first_period
    target = folder / f"{campaign}-{persons}-{seed}"
    if not target.exists():
        simulate(loaded, persons=persons, seed=seed, periods=[period], out=target, defects=DEFECTS)
    snapshots: dict[str, list[Path]] = {}
    for feed in loaded.plan.feeds:
        for path in sorted((target / "inbox" / feed.feed / period).glob("*")):
            intake = take(path, feed=feed.feed, plan=loaded.plan, period=period, provider=None, snapshots=target / "snapshots")
            if intake.snapshot is not None:
                snapshots.setdefault(feed.feed, []).append(intake.snapshot)
    comparison = Comparison(loaded.plan, period, snapshots, target / "run")
    comparison.run(comparison.chunks[0])
    return Place(target.name, snapshots, comparison.table("people"), target / "truth" / period / "links.csv")


def _rows_of(db: duckdb.DuckDBPyConnection, place: Place, feed: str) -> str:
    """SELECT of rows as tier 2 would see them: three in four without any number, one in four with two wrong digits."""
    files = ", ".join(quoted(path) for path in place.snapshots[feed])
    has = {row[0] for row in db.execute(f"DESCRIBE FROM read_parquet([{files}], union_by_name = true)").fetchall()}
    said = {name: f"r.{name}" if name in has else "NULL" for name in SAID}
    said["employers"] = "[r.employer_code]" if "employer_code" in has else "NULL::VARCHAR[]"
    # What is left of a number with two wrong digits: birth and sex mostly, area and serial less often.
    left = {
        "birth_date": "try_strptime(substr(t.id_number, 7, 8), '%Y%m%d')::DATE",
        "sex": "CASE WHEN substr(t.id_number, 17, 1)::INTEGER % 2 = 1 THEN 'M' ELSE 'F' END",
        "area": "CASE WHEN r.row_number % 16 = 0 THEN '110101' ELSE left(t.id_number, 6) END",
        "serial": "CASE WHEN r.row_number % 16 <= 4 THEN '999' ELSE substr(t.id_number, 15, 3) END",
    }
    for name, part in left.items():
        if said.get(name, "NULL") == "NULL":
            said[name] = f"CASE WHEN r.row_number % 4 = 0 AND length(t.id_number) = 18 THEN {part} END"
    columns = ", ".join(f"{part} AS {name}" for name, part in said.items())
    return f"""
        SELECT {quoted(place.name + feed)} || r.row_number AS unique_id, {quoted(place.name)} || t.id_number AS label, r.name,
               {columns}
        FROM read_parquet([{files}], union_by_name = true) r
        JOIN truth t ON t.feed = {quoted(feed)} AND t.source_file = r.source_file AND t.row_number = r.row_number
        WHERE r.name IS NOT NULL ORDER BY hash(r.row_number) LIMIT {ROWS_A_FEED}"""


def frames(db: duckdb.DuckDBPyConnection, places: list[Place]) -> None:
    """``residual_rows``, ``residual_people`` and ``residual_frequencies`` over all places, labelled with the truth."""
    from comparison.registers import registers

    rows: list[str] = []
    for number, place in enumerate(places):
        db.execute(f"CREATE OR REPLACE TABLE truth AS FROM read_csv({quoted(place.links)}, types = {{'id_number': 'VARCHAR'}})")
        parts = [_rows_of(db, place, feed) for feed in place.snapshots if feed in registers()]
        db.execute(f"CREATE TABLE rows_{number} AS " + " UNION ALL ".join(f"({part})" for part in parts))
        rows.append(f"FROM rows_{number}")
        works = ", ".join(quoted(path) for path in place.snapshots["employment"])
        db.execute(f"""
            CREATE TABLE people_{number} AS
            SELECT {quoted(place.name)} || person AS unique_id, {quoted(place.name)} || id_number AS label, name, birth_date, sex,
                   township, village, household_no, employers, left(id_number, 6) AS area, substr(id_number, 15, 3) AS serial
            FROM read_parquet({quoted(place.people)})
            LEFT JOIN (SELECT id_number, list(DISTINCT employer_code) AS employers
                       FROM read_parquet([{works}], union_by_name = true) GROUP BY ALL) USING (id_number)
            WHERE person > 0""")
    for table, parts in (("rows", rows), ("people", [f"FROM people_{number}" for number in range(len(places))])):
        db.execute(f"CREATE TABLE all_{table} AS " + " UNION ALL BY NAME ".join(parts))
    db.execute("CREATE VIEW asked_names AS SELECT DISTINCT name FROM (SELECT name FROM all_rows UNION ALL SELECT name FROM all_people)")
    db.execute("CREATE TABLE keys AS SELECT name, core, near, reversed, words, letters FROM name_keys('asked_names')")
    for table in ("rows", "people"):
        db.execute(f"CREATE TABLE residual_{table} AS SELECT a.* EXCLUDE (name), k.* EXCLUDE (name) "
                   f"FROM all_{table} a JOIN keys k USING (name)")
    db.execute("CREATE TABLE residual_frequencies AS SELECT core, count(*) / (SELECT count(*) FROM residual_people) AS tf_core "
               "FROM residual_people GROUP BY core")


def train(places: list[Place]) -> dict[str, Any]:
    """m from pairs whose truth is known, u from pairs drawn at random."""
    with connect() as db:
        names.prepare(db)
        frames(db, places)
        linker = open_linker(db, untrained())
        linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        linker.training.estimate_m_from_label_column("label")
        settings: dict[str, Any] = linker.misc.save_model_to_json()
    return floored(settings)


def floored(settings: dict[str, Any]) -> dict[str, Any]:
    """Degrees of likeness that no pair showed are rare, not impossible: a synthetic household never moves, a real one does."""
    for comparison in settings["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for kind in ("m_probability", "u_probability"):
            for level in levels:
                level[kind] = max(level.get(kind) or 0.0, LEAST[kind])
            whole = sum(level[kind] for level in levels)
            for level in levels:
                level[kind] /= whole
    return settings


def main(name: str, folder: Path, asked: list[str]) -> None:
    """Writes the version ``name``; refuses one that is there."""
    target = MODELS / f"{name}.json"
    if target.exists():
        sys.exit(f"{target} exists: a version is never changed.")
    places = []
    for place in asked:
        campaign, persons, seed = place.split(":")
        places.append(made(folder, campaign, int(persons), int(seed)))
    target.write_text(json.dumps(train(places), indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
