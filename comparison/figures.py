"""Indicators of the plan, counted from a run's profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from comparison.database import connect, quoted, view_of
from comparison.expressions import parameters_of, render
from comparison.lists import WITH_PEOPLE
from models.plan import Measure, Plan
from models.words import SUBJECT_KINDS


@dataclass(frozen=True)
class Figure:
    """One indicator for one organisation: value = numerator / denominator (x 100 for percent), or the numerator."""

    indicator: str
    organisation: str
    numerator: float | None
    denominator: float | None
    value: float | None


def _counted(
    connection: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[Measure, str]], plan: Plan
) -> dict[tuple[Measure, str], dict[str, float]]:
    """Every measure by organisation. Those over one profile and broken down alike are counted in one reading of it."""
    alike: dict[tuple[str, str], list[Measure]] = {}
    for measure, by in dict.fromkeys(wanted):
        alike.setdefault((measure.of, by), []).append(measure)
    parameters = parameters_of(plan)
    result: dict[tuple[Measure, str], dict[str, float]] = {}
    for (subject, by), measures in alike.items():
        values = ", ".join(
            f"nullif({f'sum({render(measure.sum, parameters)})' if measure.sum else 'count(*)'} "
            f"FILTER (WHERE coalesce({render(measure.where or 'true', parameters)}, false)), "
            f"{'NULL' if measure.sum else 0})::DOUBLE" for measure in measures)
        rows = connection.execute(
            f"SELECT {by}, grouping({by}) = 1, {values} FROM {subject}_profile GROUP BY ROLLUP ({by})").fetchall()
        for place, measure in enumerate(measures, start=2):
            result[measure, by] = _by_organisation(plan, [(row[0], row[1], row[place]) for row in rows])
    return result


def _by_organisation(plan: Plan, rows: Sequence[tuple[str | None, bool, float | None]]) -> dict[str, float]:
    """Figures per organisation; units above a township get the sum of theirs, the region gets everybody, the
    unassigned included. An organisation of which nothing is counted is left out: blank is never zero."""
    result: dict[str, float] = {}
    parents = {org.code: org.parent for org in plan.organisations}
    for code, is_whole, value in rows:
        if is_whole:
            result[plan.region_organisation] = value or 0.0
            continue
        while value is not None and code and code != plan.region_organisation:
            result[code] = result.get(code, 0.0) + value
            code = parents.get(code)
    return result


def figures(plan: Plan, period: str, folder: Path, statistics: Sequence[Path] = ()) -> list[Figure]:
    """Every indicator of the plan, per organisation of its breakdown and for the region as a whole.

    The region as a whole is counted, never summed from rounded parts. A denominator of zero gives no value: blank is
    never zero.
    """
    result: list[Figure] = []
    with connect() as connection:
        for subject in SUBJECT_KINDS:
            connection.execute(
                f"CREATE VIEW {subject}_profile AS FROM read_parquet({quoted(folder / f'{subject}_profile.parquet')})")
        published = _published(connection, statistics)
        counted = _counted(connection, [
            (measure, indicator.by) for indicator in plan.indicators
            for measure in (indicator.numerator, indicator.denominator) if measure is not None and not measure.statistic
        ], plan)
        for indicator in plan.indicators:
            parts: list[dict[str, float] | None] = []
            for measure in (indicator.numerator, indicator.denominator):
                if measure is None:
                    parts.append(None)
                elif measure.statistic:
                    parts.append({org: value for (name, org), value in published.items() if name == measure.statistic})
                else:
                    parts.append(counted[measure, indicator.by])
            numerators, denominators = parts
            assert numerators is not None
            codes = sorted(set(numerators) | set(denominators or ()))
            for code in codes:
                top = numerators.get(code, 0.0)
                bottom = None if denominators is None else denominators.get(code)
                result.append(Figure(indicator.id, code, top, bottom, _value(indicator.unit, top, bottom, denominators)))
    return result


def _value(unit: str, top: float | None, bottom: float | None, denominators: object) -> float | None:
    if denominators is None:
        return top
    if not bottom or top is None:
        return None
    return top / bottom * (100 if unit == "percent" else 1)


def _published(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[tuple[str, str], float]:
    if not paths:
        return {}
    files = ", ".join(quoted(path) for path in paths)
    rows = connection.execute(
        f"SELECT indicator, region, arg_max(value, year) FROM read_parquet([{files}], union_by_name = true) GROUP BY ALL"
    ).fetchall()
    return {(indicator, region): value for indicator, region, value in rows}


def rows_behind(plan: Plan, folder: Path, measure: Measure, by: str, organisation: str) -> list[tuple[object, ...]]:
    """The rows that a measure counts for an organisation (for those above it, and the region, all theirs). They hold
    persons."""
    where = render(measure.where or "true", parameters_of(plan))
    codes = {organisation}
    while below := {org.code for org in plan.organisations if org.parent in codes} - codes:
        codes |= below
    scope = "true" if organisation == plan.region_organisation else f"{by} IN ({', '.join(map(quoted, sorted(codes)))})"
    subject = measure.of
    with connect() as connection:
        connection.execute(view_of(f"{subject}_profile", folder / f"{subject}_profile.parquet"))
        connection.execute(view_of("people", folder / "people.parquet"))
        counted = f"(FROM {subject}_profile WHERE coalesce({where}, false) AND {scope}) counted"
        joined = "JOIN people ON people.person = counted.person" if subject == "person" else ""
        shown = (f"people.{name}" if subject == "person" and name in WITH_PEOPLE else f"counted.{name}" for name in SUBJECT_KINDS[subject].shown)
        return connection.execute(f"SELECT {', '.join(shown)} FROM {counted} {joined} ORDER BY ALL").fetchall()
