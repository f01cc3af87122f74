"""Control totals: what a file says of itself in its 合计 and 小计 rows, against what its rows add up to (domain.md 10).

What a mark counts is not said: a 合计 may stand for its sheet or for the whole workbook, count persons or lines of
households; a 小计 may stand below its rows or above them. A statement holds if it holds for one of these; all 小计 of a
file stand on the same side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Measures = Mapping[str, float | None]
"""``rows``, ``lines`` and one sum per column that can be added up; None where nothing is stated, or there is no row."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One 合计 or 小计 row: what it states, and the same measures of what it may stand for."""

    kind: Literal["total", "subtotal"]
    says: Measures
    sheet: Measures
    file: Measures
    above: Measures
    below: Measures


@dataclass(frozen=True, slots=True)
class Total:
    """One stated number and the nearest of the numbers found. ``column`` is None for a count of rows."""

    kind: Literal["total", "subtotal"]
    column: str | None
    stated: float
    found: float

    def within(self, share: float, difference: float = 0.0) -> bool:
        """Whether both agree, up to a share of what is stated or up to a difference."""
        return abs(self.stated - self.found) <= max(difference, share * abs(self.stated))


def totals(marks: Sequence[Mark]) -> tuple[Total, ...]:
    """Every stated number beside the number found for it."""
    subtotals = [mark for mark in marks if mark.kind == "subtotal"]
    sides = ([(mark, (mark.above,)) for mark in subtotals], [(mark, (mark.below,)) for mark in subtotals])
    found = [_compared(mark, scopes) for mark, scopes in min(sides, key=_wrong)]
    whole = [_compared(mark, (mark.sheet, mark.file)) for mark in marks if mark.kind == "total"]
    return tuple(total for group in (*whole, *found) for total in group)


def stated_rows(marks: Sequence[Mark]) -> int | None:
    """How many rows the file says it has: the largest 合计, else the sum of the 小计; None where nothing says so."""
    whole, parts = (
        [int(rows) for mark in marks if mark.kind == kind and (rows := mark.says["rows"]) is not None]
        for kind in ("total", "subtotal")
    )
    return max(whole) if whole else sum(parts) if parts else None


def _wrong(side: Iterable[tuple[Mark, Sequence[Measures]]]) -> int:
    return sum(total.stated != total.found for mark, scopes in side for total in _compared(mark, scopes))


def _compared(mark: Mark, scopes: Sequence[Measures]) -> list[Total]:
    compared = []
    for name, stated in mark.says.items():
        if stated is None:
            continue
        counts = ("rows", "lines") if name == "rows" else (name,)
        found = [scope[count] or 0.0 for scope in scopes for count in counts]
        nearest = min(found, key=lambda number: abs(number - stated))
        compared.append(Total(mark.kind, None if name == "rows" else name, stated, nearest))
    return compared
