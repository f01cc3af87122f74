"""Indicators of the plan, counted from a run's profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from comparison.database import connect, quoted
from comparison.expressions import parameters_of, render
from models.plan import Measure, Plan


@dataclass(frozen=True)
class Figure:
    """One indicator for one organisation: value = numerator / denominator (x 100 for percent), or the numerator."""

    indicator: str
    organisation: str
    numerator: float | None
    denominator: float | None
    value: float | None


def _measure_sql(measure: Measure, by: str, parameters: Mapping[str, int | float]) -> str:
    value = f"sum({render(measure.sum, parameters)})" if measure.sum else "count(*)"
    where = render(measure.where or "true", parameters)
    return (
        f"SELECT {by} AS organisation, grouping({by}) = 1 AS is_whole, ({value})::DOUBLE AS value "
        f"FROM {measure.of}_profile WHERE coalesce({where}, false) GROUP BY ROLLUP ({by})"
    )


def _by_organisation(
    connection: duckdb.DuckDBPyConnection, measure: Measure, by: str, plan: Plan
) -> dict[str, float]:
    """Figures per organisation; units above a township get the sum of theirs, the region gets everybody, the
    unassigned included."""
    result: dict[str, float] = {}
    parents = {org.code: org.parent for org in plan.organisations}
    for code, is_whole, value in connection.execute(_measure_sql(measure, by, parameters_of(plan))).fetchall():
        if is_whole:
            result[plan.region_organisation] = value or 0.0
            continue
        while code and code != plan.region_organisation:
            result[code] = result.get(code, 0.0) + (value or 0.0)
            code = parents.get(code)
    return result


def figures(plan: Plan, period: str, folder: Path, statistics: Sequence[Path] = ()) -> list[Figure]:
    """Every indicator of the plan, per organisation of its breakdown and for the region as a whole.

    The region as a whole is counted, never summed from rounded parts. A denominator of zero gives no value: blank is
    never zero.
    """
    result: list[Figure] = []
    with connect() as connection:
        for subject in ("person", "employer", "project"):
            connection.execute(
                f"CREATE VIEW {subject}_profile AS FROM read_parquet({quoted(folder / f'{subject}_profile.parquet')})")
        published = _published(connection, statistics)
        for indicator in plan.indicators:
            parts: list[dict[str, float] | None] = []
            for measure in (indicator.numerator, indicator.denominator):
                if measure is None:
                    parts.append(None)
                elif measure.statistic:
                    parts.append({org: value for (name, org), value in published.items() if name == measure.statistic})
                else:
                    parts.append(_by_organisation(connection, measure, indicator.by, plan))
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
