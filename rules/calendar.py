"""The working calendar: which days are workdays, and how a date moves when it is none.

The public calendar (holidays and make-up workdays, 调休) is known for the years that ``chinesecalendar`` holds and for those
that the plan states (a site imports them as they are published, and they win); a plan adds local holidays and workdays,
and these win over both. Beyond the known years nothing is certain: the calendar either
refuses (``raise``) or falls back to Monday to Friday, and ``covers`` says so, so that whoever shows a date can too.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Literal

from chinese_calendar import holidays, workdays

from models.errors import CalendarUnknown, CanbaoError
from models.plan import CalendarPolicy, RollPolicy
from rules.periods import ONE_DAY

SATURDAY = 5
FIRST_KNOWN_YEAR, LAST_KNOWN_YEAR = min(holidays).year, max(holidays).year


@cache
def _is_public_workday(day: date) -> bool:
    """Cached over all calendars: a sweep over every township of the country asks for the same few days."""
    return day in workdays or (day.weekday() < SATURDAY and day not in holidays)


class WorkCalendar:
    """The workdays of one plan. Raises CanbaoError if the plan calls one day both a holiday and a workday."""

    def __init__(self, policy: CalendarPolicy, beyond: Literal["raise", "weekends"] = "weekends") -> None:
        self.policy = policy
        self.beyond = beyond
        self._holidays = frozenset(policy.extra_holidays)
        self._workdays = frozenset(policy.extra_workdays)
        self._stated_years = frozenset(entry.year for entry in policy.years)
        self._stated_holidays = frozenset(day for entry in policy.years for day in entry.holidays)
        self._stated_workdays = frozenset(day for entry in policy.years for day in entry.workdays)
        self._counted: dict[tuple[date, int], date] = {}
        self._between: dict[tuple[date, date], int] = {}
        if both := sorted(self._holidays & self._workdays):
            raise CanbaoError(
                f"{both[0]} is named as a holiday and as a workday.",
                where="calendar", cure="Take it out of `extra_holidays` or of `extra_workdays`.",
            )

    def covers(self, day: date) -> bool:
        """Whether ``day`` is known: in a year of the public calendar, or named by the plan."""
        return self.knows_year(day.year) or day in self._holidays or day in self._workdays

    def knows_year(self, year: int) -> bool:
        """Whether the holidays of a year are published, as far as the program and the plan know."""
        return FIRST_KNOWN_YEAR <= year <= LAST_KNOWN_YEAR or year in self._stated_years

    def is_workday(self, day: date) -> bool:
        """Whether people work that day; make-up Saturdays and Sundays count. The plan's own days win.

        Beyond the known years Monday to Friday, or CalendarUnknown under ``beyond='raise'``.
        """
        if day in self._holidays:
            return False
        if day in self._workdays:
            return True
        if day in self._stated_holidays:
            return False
        if day in self._stated_workdays:
            return True
        if day.year in self._stated_years:
            return day.weekday() < SATURDAY
        if self.beyond == "raise" and not self.covers(day):
            raise CalendarUnknown(
                f"the public holiday calendar knows {FIRST_KNOWN_YEAR} to {LAST_KNOWN_YEAR}, not {day}.",
                cure="`canbao calendar import FILE` once the State Council has published that year.",
            )
        return _is_public_workday(day)

    def roll(self, day: date, policy: RollPolicy | None = None) -> date:
        """The date a nominal date becomes: itself on a workday, else moved by ``policy`` (``None``: the plan's own)."""
        policy = policy or self.policy.roll
        if policy == "none" or self.is_workday(day):
            return day
        return self.add_workdays(day, 1 if policy == "next_workday" else -1)

    def add_workdays(self, day: date, count: int) -> date:
        """The ``count``-th workday after ``day`` (before it, if negative). Zero is ``day`` itself, workday or not."""
        known = self._counted.get((day, count))
        if known is None:
            known = self._counted[day, count] = self._count(day, count)
        return known

    def _count(self, day: date, count: int) -> date:
        step = ONE_DAY if count > 0 else -ONE_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def workdays_between(self, start: date, end: date) -> int:
        """How many workdays lie after ``start`` up to and including ``end``; so ``add_workdays(start, n)`` is n away.

        Negative if ``end`` is before ``start``: the workdays before ``start`` down to and including ``end``.
        """
        known = self._between.get((start, end))
        if known is None:
            step, sign = (ONE_DAY, 1) if end >= start else (-ONE_DAY, -1)
            known = sign * sum(self.is_workday(start + step * number) for number in range(1, abs((end - start).days) + 1))
            self._between[start, end] = known
        return known
