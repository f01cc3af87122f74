"""The rhythms in which something is owed: one row for each word, from which everything that branches on a rhythm reads how its periods
are cut and called, and what it needs to be told.

Pure arithmetic of days: no clock, no plan, no calendar of holidays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

ONE_DAY = timedelta(days=1)
FORTNIGHT = timedelta(days=14)
WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK_DAY_NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS_A_YEAR_HAS_BEYOND_26_FORTNIGHTS = 2
"""365 = 26 x 14 + 1 and 366 = 26 x 14 + 2. Such a remainder is no fortnight of its own, or a year would have 27."""


@dataclass(frozen=True, slots=True)
class Period:
    """A labelled run of days; ``starts`` and ``ends`` both belong to it."""

    label: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Span:
    """What a rhythm runs through: the days, and what its words need besides (``days`` of every n days, ``begins_on`` of weeks: 0 is
    Monday)."""

    starts: date
    ends: date
    days: int = 0
    begins_on: int = 0


@dataclass(frozen=True, slots=True)
class CadenceKind:
    """One rhythm. ``by`` says what it is told: whole months (``first``, ``last``), days (``starts``, ``ends``), or neither. ``cut`` makes
    its periods of a span, in order, without gap and without overlap; ``label`` tells its labels from all others, and ``called``
    says one in Chinese."""

    name: str
    by: Literal["months", "days", "once"]
    cut: Callable[[Span], Iterator[Period]]
    label: re.Pattern[str]
    called: Callable[[re.Match[str]], str]
    needs_days: bool = False
    has_weekday: bool = False


# --- how periods are cut ----------------------------------------------------------------------------------


def last_day(year: int, number: int) -> date:
    """The last day of a month; the year 9999 must not overflow into a next one."""
    return date(year, 12, 31) if number == 12 else date(year, number + 1, 1) - ONE_DAY


def _months(span: Span) -> Iterator[tuple[int, int]]:
    number = span.starts.year * 12 + span.starts.month - 1
    while number <= span.ends.year * 12 + span.ends.month - 1:
        yield number // 12, number % 12 + 1
        number += 1


def _whole(months: int, called: str) -> Callable[[Span], Iterator[Period]]:
    """Parts of the year of so many months each, whole: those that the span falls into are included."""
    def cut(span: Span) -> Iterator[Period]:
        seen = set()
        for year, number in _months(span):
            part = (number - 1) // months
            if (year, part) not in seen:
                seen.add((year, part))
                first = part * months + 1
                label = called.format(year=year, part=part + 1, month=first)
                yield Period(label, date(year, first, 1), last_day(year, first + months - 1))
    return cut


def _clipped(parts: Iterator[Period], span: Span) -> Iterator[Period]:
    for part in parts:
        if part.ends >= span.starts and part.starts <= span.ends:
            yield Period(part.label, max(part.starts, span.starts), min(part.ends, span.ends))


def _split(ends: tuple[int, ...], marks: tuple[str, ...]) -> Callable[[Span], Iterator[Period]]:
    """Each month cut behind these days, clipped to the span."""
    def parts(span: Span) -> Iterator[Period]:
        for year, number in _months(span):
            begin = date(year, number, 1)
            for end, mark in zip((*ends, 0), marks, strict=True):
                last = begin.replace(day=end) if end else last_day(year, number)
                yield Period(f"{year:04d}-{number:02d}{mark}", begin, last)
                begin = last + ONE_DAY if last < date.max else last
    return lambda span: _clipped(parts(span), span)


def _weeks(span: Span) -> Iterator[Period]:
    """Seven days each, the first and last clipped to the span. A week is numbered as the ISO week that holds its fourth day."""
    begin = span.starts - timedelta(days=(span.starts.weekday() - span.begins_on) % 7)
    while begin <= span.ends:
        year, number, _ = (begin + timedelta(days=3)).isocalendar()
        yield Period(f"{year:04d}-W{number:02d}", max(begin, span.starts), min(begin + timedelta(days=6), span.ends))
        begin += timedelta(days=7)


def _fortnights(span: Span) -> Iterator[Period]:
    """Every 14 days from the first, numbered within the year in which they begin; the last is clipped, and one or two days left over
    join it."""
    in_year: Counter[int] = Counter()
    begin = span.starts
    while begin <= span.ends:
        last = min(begin + FORTNIGHT - ONE_DAY, span.ends)
        if (span.ends - last).days <= DAYS_A_YEAR_HAS_BEYOND_26_FORTNIGHTS:
            last = span.ends
        in_year[begin.year] += 1
        yield Period(f"{begin.year:04d}-F{in_year[begin.year]:02d}", begin, last)
        begin = last + ONE_DAY


def _every_so_many_days(span: Span) -> Iterator[Period]:
    """Called by their first day; the last is clipped."""
    begin = span.starts
    while begin <= span.ends:
        last = min(begin + timedelta(days=span.days - 1), span.ends)
        yield Period(f"{begin:%Y-%m-%d}", begin, last)
        begin = last + ONE_DAY


def _once(span: Span) -> Iterator[Period]:
    yield Period("once", min(span.starts, span.ends), span.ends)


# --- the table --------------------------------------------------------------------------------------------

_Y, _M = r"(?P<year>\d{4})", r"(?P<month>0[1-9]|1[0-2])"


def _label(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


CADENCES: dict[str, CadenceKind] = {
    "month": CadenceKind("每月", "months", _whole(1, "{year:04d}-{month:02d}"),
                         _label(f"{_Y}-{_M}"), lambda found: f"{found['year']}年{int(found['month'])}月"),
    "quarter": CadenceKind("每季度", "months", _whole(3, "{year:04d}-Q{part}"),
                           _label(rf"{_Y}-Q(?P<part>[1-4])"), lambda found: f"{found['year']}年第{found['part']}季度"),
    "half_year": CadenceKind("每半年", "months", _whole(6, "{year:04d}-H{part}"),
                             _label(rf"{_Y}-H(?P<part>[12])"),
                             lambda found: f"{found['year']}年{'上' if found['part'] == '1' else '下'}半年"),
    "year": CadenceKind("每年", "months", _whole(12, "{year:04d}"),
                        _label(_Y), lambda found: f"{found['year']}年"),
    "half_month": CadenceKind("每半月", "days", _split((15,), ("a", "b")),
                              _label(rf"{_Y}-{_M}(?P<part>[ab])"),
                              lambda found: f"{found['year']}年{int(found['month'])}月{'上' if found['part'] == 'a' else '下'}半月"),
    "ten_days": CadenceKind("每旬", "days", _split((10, 20), ("t1", "t2", "t3")),
                            _label(rf"{_Y}-{_M}t(?P<part>[123])"),
                            lambda found: f"{found['year']}年{int(found['month'])}月{'上中下'[int(found['part']) - 1]}旬"),
    "two_weeks": CadenceKind("每两周", "days", _fortnights,
                             _label(rf"{_Y}-F(?P<part>\d\d)"), lambda found: f"{found['year']}年第{int(found['part'])}期（两周）"),
    "week": CadenceKind("每周", "days", _weeks,
                        _label(rf"{_Y}-W(?P<part>0[1-9]|[1-4]\d|5[0-3])"),
                        lambda found: f"{found['year']}年第{int(found['part'])}周", has_weekday=True),
    "days": CadenceKind("定期", "days", _every_so_many_days,
                        _label(rf"{_Y}-{_M}-(?P<day>0[1-9]|[12]\d|3[01])"),
                        lambda found: f"{found['year']}年{int(found['month'])}月{int(found['day'])}日起", needs_days=True),
    "once": CadenceKind("一次", "once", _once, _label("once"), lambda found: "专项"),
}


def kind_of_label(label: str) -> str | None:
    """The rhythm that a label belongs to; no label belongs to two."""
    return next((word for word, row in CADENCES.items() if row.label.fullmatch(label)), None)


def label_in_words(label: str) -> str:
    """A period as people say it: 「2021年5月」. A label of no rhythm stays as it is."""
    for row in CADENCES.values():
        if found := row.label.fullmatch(label):
            return row.called(found)
    return label
