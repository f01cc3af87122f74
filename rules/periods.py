"""Periods: which months, quarters, years, half-months and fortnights a cadence holds, and how they are called.

A period is a run of whole days, both ends inclusive. Its label is what people and rows call it: ``2021-05``,
``2021-Q2``, ``2021``, ``2016-03a`` (1st to 15th), ``2016-03b`` (16th to the end), ``2016-F01`` and ``once``.
「每半月」 and 「每两周」 are two different cycles (G19): 24 and 26 a year.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from models.errors import CanbaoError, WrongUse
from models.plan import Cadence

ONE_DAY = timedelta(days=1)
FORTNIGHT = timedelta(days=14)
LAST_DAY_OF_FIRST_HALF = 15
DAYS_A_YEAR_HAS_BEYOND_26_FORTNIGHTS = 2
"""365 = 26 x 14 + 1 and 366 = 26 x 14 + 2. Such a remainder is no fortnight of its own, or a year would have 27."""

_MONTH_LABEL = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A labelled run of days; ``starts`` and ``ends`` both belong to it."""

    label: str
    starts: date
    ends: date


# --- months ---------------------------------------------------------------------------------------------


def month(label: str) -> Period:
    """The month ``YYYY-MM`` as a period. Raises WrongUse for anything that is no month."""
    year, number = _year_and_month(label)
    return Period(label, date(year, number, 1), _last_day(year, number))


def is_month(label: str) -> bool:
    """Whether a label is a month, and not a year, a quarter or a fortnight."""
    return _MONTH_LABEL.fullmatch(label) is not None


def next_month(label: str) -> str:
    """The label of the month after: ``2021-12`` gives ``2022-01``."""
    return _moved(label, 1)


def previous_month(label: str) -> str:
    """The label of the month before: ``2021-01`` gives ``2020-12``."""
    return _moved(label, -1)


def months_between(earlier: str, later: str) -> int:
    """Whole months from one month label to another: ``2021-05`` to ``2021-08`` is 3; negative the other way round."""
    first, last = _year_and_month(earlier), _year_and_month(later)
    return (last[0] - first[0]) * 12 + last[1] - first[1]


def _year_and_month(label: str) -> tuple[int, int]:
    found = _MONTH_LABEL.fullmatch(label)
    if found is None or found[1] == "0000":
        raise WrongUse(f"{label!r} is no month.", cure="Write it as YYYY-MM, for example 2021-05.")
    return int(found[1]), int(found[2])


def _moved(label: str, months: int) -> str:
    year, number = _year_and_month(label)
    count = year * 12 + number - 1 + months
    return month(f"{count // 12:04d}-{count % 12 + 1:02d}").label


def _last_day(year: int, number: int) -> date:
    """The last day of a month; the year 9999 must not overflow into a next one."""
    return date(year, 12, 31) if number == 12 else date(year, number + 1, 1) - ONE_DAY


# --- cadences -------------------------------------------------------------------------------------------


def periods(cadence: Cadence, *, starts: date | None = None, ends: date | None = None) -> tuple[Period, ...]:
    """Every period of a cadence, in order, none lost and none doubled.

    Quarters and years are whole: those that ``first`` and ``last`` fall into are included. Half-months are clipped to
    ``starts`` and ``ends``. Fortnights run every 14 days from ``starts`` and are numbered within the year in which
    they begin; the last is clipped to ``ends``, and one or two days left over (what a year has beyond 26 fortnights)
    join it. ``once`` runs from the cadence's own dates; where it has none the keywords ``starts`` and ``ends`` stand
    in (a campaign's span). Raises CanbaoError for ``once`` without any dates.
    """
    if cadence.every in _BY_MONTH and cadence.first and cadence.last:
        make = _BY_MONTH[cadence.every]
        return tuple(dict.fromkeys(make(label) for label in _labels(cadence.first, cadence.last)))
    if cadence.every in _BY_DAY and cadence.starts and cadence.ends:
        return _BY_DAY[cadence.every](cadence.starts, cadence.ends)
    return (_once(cadence, starts, ends),)


def period(cadence: Cadence, label: str, *, starts: date | None = None, ends: date | None = None) -> Period:
    """The period of a cadence with this label. Raises WrongUse, saying which there are."""
    known = {entry.label: entry for entry in periods(cadence, starts=starts, ends=ends)}
    if label not in known:
        raise WrongUse(
            f"there is no period {label!r} every {cadence.every}.",
            cure=f"The periods run from {min(known)} to {max(known)}.",
        )
    return known[label]


def _labels(first: str, last: str) -> list[str]:
    labels = [first]
    while labels[-1] < last:
        labels.append(next_month(labels[-1]))
    return labels


def _quarter(label: str) -> Period:
    year, number = _year_and_month(label)
    quarter = (number + 2) // 3
    return Period(f"{year:04d}-Q{quarter}", date(year, quarter * 3 - 2, 1), _last_day(year, quarter * 3))


def _year(label: str) -> Period:
    year, _ = _year_and_month(label)
    return Period(f"{year:04d}", date(year, 1, 1), date(year, 12, 31))


_BY_MONTH: dict[str, Callable[[str], Period]] = {"month": month, "quarter": _quarter, "year": _year}


def _half_months(starts: date, ends: date) -> tuple[Period, ...]:
    halves = []
    for label in _labels(f"{starts:%Y-%m}", f"{ends:%Y-%m}"):
        whole = month(label)
        middle = whole.starts.replace(day=LAST_DAY_OF_FIRST_HALF)
        halves += [
            Period(f"{label}a", whole.starts, middle),
            Period(f"{label}b", middle + ONE_DAY, whole.ends),
        ]
    return tuple(
        Period(half.label, max(half.starts, starts), min(half.ends, ends))
        for half in halves if half.ends >= starts and half.starts <= ends
    )


def _fortnights(starts: date, ends: date) -> tuple[Period, ...]:
    in_year: Counter[int] = Counter()
    found = []
    begin = starts
    while begin <= ends:
        last = begin + FORTNIGHT - ONE_DAY
        if (ends - last).days <= DAYS_A_YEAR_HAS_BEYOND_26_FORTNIGHTS:
            last = ends
        in_year[begin.year] += 1
        found.append(Period(f"{begin.year:04d}-F{in_year[begin.year]:02d}", begin, last))
        begin = last + ONE_DAY
    return tuple(found)


_BY_DAY: dict[str, Callable[[date, date], tuple[Period, ...]]] = {
    "half_month": _half_months, "two_weeks": _fortnights,
}


def _once(cadence: Cadence, starts: date | None, ends: date | None) -> Period:
    first = cadence.starts or (month(cadence.first).starts if cadence.first else starts)
    last = cadence.ends or (month(cadence.last).ends if cadence.last else ends)
    if first is None or last is None:
        raise CanbaoError(
            "a cadence `once` without dates has no span of its own.",
            cure="Give it `starts` and `ends`, or ask with those of the campaign.",
        )
    return Period("once", min(first, last), last)


# --- names ----------------------------------------------------------------------------------------------


def period_name(label: str) -> str:
    """「2021年5月」 for 2021-05; other cadences have their own words."""
    year, _, rest = label.partition("-")
    if not rest:
        return "专项" if label == "once" else f"{year}年"
    if rest.startswith("Q"):
        return f"{year}年第{rest[1]}季度"
    if rest.startswith("F"):
        return f"{year}年第{int(rest[1:])}期（两周）"
    if rest[-1] in "ab":
        return f"{year}年{int(rest[:-1])}月{'上' if rest[-1] == 'a' else '下'}半月"
    return f"{year}年{int(rest)}月"
