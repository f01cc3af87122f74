"""How right a comparison was: precision and recall of its links and lists against the truth of a synthetic place.

Shares come with 95 % intervals (Wilson). Only rows that intake handed on are judged, of persons whose own row in the
population register it handed on: a returned file or a quarantined person is nobody's missed match. How many of the true
persons the run knows is said beside. Nothing here names a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import duckdb

from comparison.database import connect, quoted, view_of
from comparison.exports import links_file
from models.errors import WrongUse

SQL = Path(__file__).with_name("evaluation.sql")
AUTOMATIC = ("exact", "old_number", "repaired", "probable")
"""Tiers that link without a person; ``clerical`` adds what people decided."""
Z = 1.959964
GROUPS = {
    "Han": "NOT is_minority", "minority": "is_minority", "60 and older": "is_old", "under 16": "is_young",
    "permit holders": "is_permit_holder",
}


@dataclass(frozen=True)
class Share:
    """``part`` of ``whole`` with its 95 % interval; ``value`` is None where there is nothing to judge."""

    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None


def share(part: int, whole: int) -> Share:
    """A share with the Wilson interval, which holds for shares near one too."""
    if not whole:
        return Share(part, whole, None, None, None)
    p, n = part / whole, whole
    middle, spread = (p + Z * Z / (2 * n)) / (1 + Z * Z / n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Share(part, whole, p, max(0.0, middle - spread), min(1.0, middle + spread))


def evaluate(folder: Path, truth: Path, period: str) -> dict[str, Any]:
    """A run's folder against ``truth`` (the folder that ``canbao simulate`` wrote, or its period's).

    Gives precision per tier, recall over the automatic tiers and with clerical ones, missed shares by group and their
    ratio to Han, the share of persons in review, and precision and recall of each list that the truth knows.
    """
    with connect(folder / "spill") as db:
        _open(db, folder, _truth_of(truth, period))
        db.execute(SQL.read_text(encoding="utf-8"))
        return {"period": period, **_links(db), "groups": _groups(db), "review": _review(db), "lists": _lists(db)}


def true_pairs(folder: Path, truth: Path, period: str) -> dict[tuple[str, str], bool | None]:
    """What a run's bench asks, by (row_key, person_id): whether the row is about that person; None where rows that look the
    same are about two, which nobody can answer."""
    place = _truth_of(truth, period)
    with connect(folder / "spill") as db:
        _open(db, folder, place)
        db.execute(SQL.read_text(encoding="utf-8"))
        candidates = quoted(folder / "identity_candidates.parquet")
        rows = _rows(db, f"""
            SELECT c.row_key, c.person_id, bool_and(w.truly = t.id_number), bool_or(w.truly = t.id_number)
            FROM read_parquet({candidates}) c JOIN whois w USING (person_id)
            JOIN truth_link t ON t.feed = c.feed AND t.source_file = c.source_file AND t.row_number = c.row_number
                AND t.member = c.member
            GROUP BY ALL""")
        return {(key, person): every if every == some else None for key, person, every, some in rows}


def _truth_of(truth: Path, period: str) -> Path:
    """The folder of the period's truth. Raises WrongUse where it is none."""
    place = truth / period if (truth / period).is_dir() else truth
    for name in ("links.csv", "persons.csv", "lists.csv"):
        if not (place / name).is_file():
            raise WrongUse(f"there is no {name}.", where=str(place),
                           cure="Give the truth folder that `canbao simulate` wrote for this period.")
    return place


def _open(db: duckdb.DuckDBPyConnection, folder: Path, place: Path) -> None:
    run = {"link": links_file(folder), **{name: folder / f"{file}.parquet" for name, file in {
        "finding": "findings", "identity_case": "identity_cases"}.items()}}
    for name, path in run.items():
        db.execute(f"CREATE VIEW {name} AS FROM read_parquet({quoted(path)})")
    db.execute(view_of("people", folder / "people.parquet"))
    for name, file in {"truth_link": "links", "truth_person": "persons", "truth_list": "lists"}.items():
        db.execute(f"CREATE VIEW {name}_text AS FROM read_csv({quoted(place / f'{file}.csv')}, all_varchar = true, header = true)")
    columns = {row[0] for row in db.execute("DESCRIBE truth_link_text").fetchall()}
    written = "id_number_written, name_written" if "id_number_written" in columns else (
        "id_number AS id_number_written, NULL::VARCHAR AS name_written")
    member = "coalesce(try_cast(member AS INTEGER), 1)" if "member" in columns else "1"
    db.execute(f"CREATE TABLE truth_link AS SELECT feed, source_file, row_number::BIGINT AS row_number, {member} AS member, "
               f"nullif(id_number, '') AS id_number, {written} FROM truth_link_text")
    db.execute("CREATE TABLE truth_person AS SELECT id_number, has_dotted_name::BOOLEAN AS has_dotted_name, "
               "age_years::INTEGER AS age_years, is_permit_holder::BOOLEAN AS is_permit_holder FROM truth_person_text")
    db.execute("CREATE TABLE truth_list AS SELECT DISTINCT list, id_number FROM truth_list_text")


def _rows(db: duckdb.DuckDBPyConnection, query: str) -> Sequence[tuple[Any, ...]]:
    return db.execute(query).fetchall()


def _links(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    tiers = {tier: (linked, right) for tier, linked, right in _rows(
        db, "SELECT tier, count(*), count(*) FILTER (WHERE is_right) FROM judged_link WHERE is_linked GROUP BY ALL ORDER BY ALL")}
    linkable = _rows(db, "SELECT count(*) FROM judged_link WHERE is_linkable")[0][0]

    def over(names: Sequence[str]) -> tuple[int, int]:
        chosen = [tiers[name] for name in names if name in tiers]
        return sum(linked for linked, _ in chosen), sum(right for _, right in chosen)

    linked, right = over(AUTOMATIC)
    _, with_people = over([*AUTOMATIC, "clerical"])
    return {
        "rows": _rows(db, "SELECT count(*) FROM judged_link")[0][0],
        "persons_known": asdict(share(*_rows(db, "SELECT count(*) FILTER (WHERE id_number IN (SELECT truly FROM whois)), count(*) "
                                                 "FROM truth_person")[0])),
        "precision": asdict(share(right, linked)), "recall": asdict(share(right, linkable)),
        "recall_with_clerical": asdict(share(with_people, linkable)),
        "tiers": {tier: asdict(share(right, linked)) for tier, (linked, right) in tiers.items()},
    }


def _groups(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for name, where in GROUPS.items():
        missed, whole = _rows(db, f"SELECT count(*) FILTER (WHERE NOT is_right), count(*) FROM judged_link "
                                  f"WHERE is_linkable AND {where}")[0]
        found[name] = {"missed": asdict(share(missed, whole))}
    han = found["Han"]["missed"]["value"]
    for entry in found.values():
        value = entry["missed"]["value"]
        entry["ratio_to_han"] = value / han if han and value is not None else None
    return found


def _review(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    persons = _rows(db, "SELECT count(*) FROM people")[0][0]
    rows = _rows(db, "SELECT count(*) FROM link WHERE tier = 'review'")[0][0]
    waiting = _rows(db, "SELECT count(DISTINCT person) FROM identity_case")[0][0]
    return {"rows": asdict(share(rows, persons)), "persons": asdict(share(waiting, persons))}


def _lists(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    counts = _rows(db, """
        SELECT list, count(*) FILTER (WHERE is_right), count(*), (SELECT count(*) FROM missed_finding m WHERE m.list = f.list)
        FROM judged_finding f WHERE list IN (SELECT list FROM truth_list) GROUP BY list ORDER BY list""")
    return {name: {"precision": asdict(share(right, listed)), "recall": asdict(share(right, right + missed))}
            for name, right, listed, missed in counts}
