"""Periods: which months, weeks, years … a cadence holds, and how they are called.

A period is a run of whole days, both ends inclusive. Its label is what people and rows call it: ``2021-05``,
``2021-Q2``, ``2021-H1``, ``2021``, ``2016-03a`` (1st to 15th), ``2016-03t1`` (上旬), ``2016-F01``, ``2016-W01``, ``2016-03-05`` (so many
days from then) and ``once``. The rhythms are one table (``models.cadences``).
「每半月」 and 「每两周」 are two different cycles (G19): 24 and 26 a year.
"""

from __future__ import annotations

import re
from datetime import date

from models.cadences import CADENCES, ONE_DAY, Period, Span, label_in_words, last_day
from models.errors import CanbaoError, WrongUse
from models.plan import Cadence

__all__ = ["ONE_DAY", "Period", "is_month", "month", "months_between", "next_month", "period", "period_name", "periods", "previous_month"]

_MONTH_LABEL = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


# --- months ---------------------------------------------------------------------------------------------


def month(label: str) -> Period:
    """The month ``YYYY-MM`` as a period. Raises WrongUse for anything that is no month."""
    year, number = _year_and_month(label)
    return Period(label, date(year, number, 1), last_day(year, number))


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


# --- cadences -------------------------------------------------------------------------------------------


def periods(cadence: Cadence, *, starts: date | None = None, ends: date | None = None) -> tuple[Period, ...]:
    """Every period of a cadence, in order, none lost and none doubled.

    Months, quarters, halves and years are whole: those that ``first`` and ``last`` fall into are included. What goes by days is
    clipped to ``starts`` and ``ends``. ``once`` runs from the cadence's own dates; where it has none the keywords ``starts`` and
    ``ends`` stand in (a campaign's span). Raises CanbaoError for ``once`` without any dates.
    """
    return tuple(CADENCES[cadence.every].cut(_span(cadence, starts, ends)))


def _span(cadence: Cadence, starts: date | None, ends: date | None) -> Span:
    first = cadence.starts or (month(cadence.first).starts if cadence.first else starts)
    last = cadence.ends or (month(cadence.last).ends if cadence.last else ends)
    if first is None or last is None:
        raise CanbaoError(
            f"a cadence `{cadence.every}` without dates has no span of its own.",
            cure="Give it `starts` and `ends`, or ask with those of the campaign.",
        )
    return Span(first, last, cadence.days or 0, cadence.weekday_number)


def period(cadence: Cadence, label: str, *, starts: date | None = None, ends: date | None = None) -> Period:
    """The period of a cadence with this label. Raises WrongUse, saying which there are."""
    known = {entry.label: entry for entry in periods(cadence, starts=starts, ends=ends)}
    if label not in known:
        raise WrongUse(
            f"there is no period {label!r} every {cadence.every}.",
            cure=f"The periods run from {min(known)} to {max(known)}.",
        )
    return known[label]


# --- names ----------------------------------------------------------------------------------------------


def period_name(label: str) -> str:
    """「2021年5月」 for 2021-05; other cadences have their own words."""
    return label_in_words(label)
