"""By when a returned file is to be sent again."""

from __future__ import annotations

from datetime import date

import pytest

from models.plan import CalendarPolicy
from rules.calendar import WorkCalendar
from rules.redelivery import redeliver_by

CALENDAR = WorkCalendar(CalendarPolicy(source="choice"))


@pytest.mark.parametrize(("returned_on", "due", "last_day"), [
    (date(2021, 6, 1), date(2021, 6, 10), date(2021, 6, 10)),    # time is left: the deadline itself
    (date(2021, 6, 9), date(2021, 6, 10), date(2021, 6, 15)),    # 06-12 to 06-14 is the Dragon Boat holiday
    (date(2021, 6, 9), None, date(2021, 6, 15)),
])
def test_three_workdays_but_not_before_the_deadline(returned_on: date, due: date | None, last_day: date) -> None:
    assert redeliver_by(returned_on, due, 3, CALENDAR) == last_day
