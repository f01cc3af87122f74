"""Progress: rates, gaps, ranks, the share of time gone (序时进度) and whether the pace reaches the target.

Blank is never zero: what nobody reported is ``None`` and stays ``None``. Nothing is clipped: a rate above 1 shows that
numerator and denominator count different people (B5) and must be seen. A target is never moved to what was done.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from models.errors import CanbaoError

Direction = Literal["at_least", "at_most"]
"""Whether the target is a floor (more is better) or a ceiling (less is better)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the pace leads, in the indicator's own unit and per calendar month; ``None`` where it cannot be said."""

    needed_per_month: float | None
    actual_per_month: float | None
    expected_level: float | None
    reaches: bool | None


def time_progress(starts: date, ends: date, as_of: date) -> float:
    """序时进度: the share of the days from ``starts`` to ``ends`` that have passed by the end of ``as_of`` (0 to 1).

    Both ends belong to the span, so the last day of May is 151/365 of the year 2021. Raises CanbaoError for a span
    that ends before it starts.
    """
    if ends < starts:
        raise CanbaoError(f"the span ends on {ends}, before it starts on {starts}.", cure="Exchange the two dates.")
    passed = (as_of - starts).days + 1
    whole = (ends - starts).days + 1
    return min(max(passed, 0), whole) / whole


def rate(numerator: float | None, denominator: float | None) -> float | None:
    """Numerator over denominator, unclipped: it may exceed 1 (B5). ``None`` if either is blank or the latter is 0."""
    above, below = _known(numerator), _known(denominator)
    return None if above is None or not below else above / below


def gap(value: float | None, target: float | None, direction: Direction = "at_least") -> float | None:
    """What is still missing to the target (差额): negative once it is exceeded, ``None`` if either is blank."""
    level, aim = _known(value), _known(target)
    if level is None or aim is None:
        return None
    return aim - level if direction == "at_least" else level - aim


def rank(values: Mapping[str, float | None], direction: Direction = "at_least") -> dict[str, int | None]:
    """Places from 1, best first; equals share a place and the next is skipped (1, 2, 2, 4). Blank has no place."""
    known = {key: _known(value) for key, value in values.items()}
    ordered = sorted((value for value in known.values() if value is not None), reverse=direction == "at_least")
    places: dict[float, int] = {}
    for place, value in enumerate(ordered, start=1):
        places.setdefault(value, place)
    return {key: None if value is None else places[value] for key, value in known.items()}


def forecast(
    points: Iterable[tuple[date, float | None]], target: float, due: date, direction: Direction = "at_least"
) -> Forecast:
    """Whether a straight line from the first to the latest known level reaches ``target`` by the end of ``due``.

    ``points`` are levels at the end of a day, in any order (a later one for the same day replaces an earlier one);
    blanks and points after ``due`` are left out. Months are calendar months, so month ends lie whole months apart.
    Where the target is met nothing more is needed (0). With fewer than two points there is no pace and nothing is
    foretold, unless the latest point is on ``due`` itself.
    """
    levels = {day: level for day, value in points if day <= due and (level := _known(value)) is not None}
    if not levels:
        return Forecast(None, None, None, None)
    first_day, last_day = min(levels), max(levels)
    last, months_seen, months_left = levels[last_day], _months(first_day, last_day), _months(last_day, due)
    is_met = _reaches(last, target, direction)
    needed = 0.0 if is_met else rate(target - last, months_left)
    pace = rate(last - levels[first_day], months_seen)
    if months_left and pace is None:
        return Forecast(needed, None, None, None)
    level = last + (pace or 0) * months_left
    return Forecast(needed, pace, level, _reaches(level, target, direction))


def _known(value: float | None) -> float | None:
    """NaN is how a data frame writes a blank."""
    return None if value is None or math.isnan(value) else value


def _reaches(level: float, target: float, direction: Direction) -> bool:
    return level >= target if direction == "at_least" else level <= target


def _months(earlier: date, later: date) -> float:
    """Calendar months from the end of one day to the end of another: 05-31 to 08-31 is 3, 05-31 to 06-15 is a half."""
    return _month_count(later) - _month_count(earlier)


def _month_count(day: date) -> float:
    return day.year * 12 + day.month + day.day / monthrange(day.year, day.month)[1]
