"""By when a returned file is to be sent again."""

from __future__ import annotations

from datetime import date

from rules.calendar import WorkCalendar


def redeliver_by(returned_on: date, due: date | None, working_days: int, calendar: WorkCalendar) -> date:
    """The last day, inclusive: so many workdays after the day on which it was returned, but not before the deadline
    itself (``due``, the last day as it is in force; None where nothing was owed). The clock of the obligation and its
    ladder run on: a returned file was never delivered."""
    again = calendar.add_workdays(returned_on, working_days)
    return again if due is None else max(again, due)
