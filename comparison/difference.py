"""What a run would change: its counts beside those of the run before, and the findings that appear and vanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from comparison.database import connect, quoted
from comparison.engine import Outcome


@dataclass(frozen=True)
class Change:
    """One category or list, old against new. ``appear`` and ``vanish`` are findings (None for categories, and where the
    earlier run's folder is gone)."""

    name: str
    old: int | None
    new: int
    appear: int | None = None
    vanish: int | None = None


def category_changes(old: Mapping[str, int], outcome: Outcome) -> list[Change]:
    """Persons by category; ``old`` is empty before the first run."""
    new = outcome.by_category
    return [Change(name, old.get(name, 0) if old else None, new.get(name, 0)) for name in sorted({*old, *new})]


def list_changes(old: Path | None, outcome: Outcome) -> list[Change]:
    """Findings by list; ``old`` is the folder of the run before."""
    new = outcome.by_list
    earlier = old / "findings.parquet" if old is not None else None
    if earlier is None or not earlier.exists():
        return [Change(name, None, count) for name, count in sorted(new.items())]
    with connect() as connection:
        rows = connection.execute(f"""
            SELECT list, count(*) FILTER (was), count(*) FILTER (is_now), count(*) FILTER (is_now AND was IS NULL),
                   count(*) FILTER (was AND is_now IS NULL)
            FROM (SELECT list, subject, true AS was FROM read_parquet({quoted(earlier)}))
            FULL JOIN (SELECT list, subject, true AS is_now
                       FROM read_parquet({quoted(outcome.folder / 'findings.parquet')})) USING (list, subject)
            GROUP BY list ORDER BY list""").fetchall()
    return [Change(*row) for row in rows]
