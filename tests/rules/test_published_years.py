"""Years of holidays: as they are published, imported once, and a fault where a deadline falls into one that nobody published."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from comparison.plan_check import check, load_sound
from models import calendars
from models.errors import WrongUse
from models.plan_file import parse
from rules.calendar import LAST_KNOWN_YEAR, WorkCalendar
from tests.command_line import canbao
from tests.plan.a_plan import a_plan, plan_file

BEYOND = LAST_KNOWN_YEAR + 1
NOTICE = f"""\
# source: 国办发明电〔{LAST_KNOWN_YEAR}〕9号 (made up for a test)
date,kind,name
{BEYOND}-01-01..{BEYOND}-01-03,holiday,元旦
{BEYOND}-02-06..{BEYOND}-02-12,休,春节
{{made_up}},班,春节
{BEYOND}-05-01..{BEYOND}-05-03,holiday,劳动节
{BEYOND}-10-01..{BEYOND}-10-07,holiday,国庆节
"""


def a_saturday() -> date:
    """The first Saturday after the made-up spring festival."""
    day = date(BEYOND, 2, 13)
    return day + timedelta(days=(5 - day.weekday()) % 7)


def a_notice(folder: Path, **changes: str) -> Path:
    """A year's notice as CSV."""
    text = NOTICE.replace("{made_up}", a_saturday().isoformat())
    for old, new in changes.items():
        text = text.replace(old.replace("_", "-"), new)
    path = folder / "notice.csv"
    path.write_text(text, encoding="utf-8")
    return path


def a_later_plan() -> dict[str, object]:
    """The small plan, so many years later that its last duties fall beyond what is published."""
    text = json.dumps(a_plan(), ensure_ascii=False, default=str)
    return dict(json.loads(text.replace("2021", str(BEYOND))))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_deadline_in_an_unpublished_year_is_a_fault_with_its_cure(home: Path, tmp_path: Path) -> None:
    fault, = check(plan_file(tmp_path, a_later_plan())).faults
    assert f"no holidays of {BEYOND}" in fault.what
    assert "canbao calendar import" in fault.cure
    assert "unpublished: weekends" in fault.cure
    assert (fault.line or 0) > 1


def test_a_plan_may_say_that_weekends_alone_count(home: Path, tmp_path: Path) -> None:
    plan = a_later_plan()
    assert check(plan_file(tmp_path, {**plan, "calendar": {**plan["calendar"], "unpublished": "weekends"}})).faults == []  # type: ignore[dict-item]


def test_an_imported_year_makes_the_plan_sound_and_goes_into_the_record_with_it(home: Path, tmp_path: Path) -> None:
    path = plan_file(tmp_path, a_later_plan())
    calendars.take_over(a_notice(tmp_path))
    loaded = load_sound(str(path))
    year, = loaded.plan.calendar.years
    assert "9号" in year.source
    calendar = WorkCalendar(loaded.plan.calendar)
    assert not calendar.is_workday(date(BEYOND, 2, 8))
    assert calendar.is_workday(a_saturday())
    assert not calendar.is_workday(a_saturday() + timedelta(days=7))
    # What is stored holds the days: a site without the file reads the same plan.
    (calendars.place() / f"{BEYOND}.yaml").unlink()
    assert parse(loaded.text, "stored") == loaded.plan


def test_a_year_is_taken_over_once_and_another_one_only_on_request(home: Path, tmp_path: Path) -> None:
    path = a_notice(tmp_path)
    assert calendars.take_over(path)[1] is True
    assert calendars.take_over(path)[1] is False
    other = a_notice(tmp_path, **{f"{BEYOND}_10_07": f"{BEYOND}-10-08"})
    with pytest.raises(WrongUse, match="--replace"):
        calendars.take_over(other)
    assert calendars.take_over(other, replace=True)[1] is True
    assert date(BEYOND, 10, 8) in calendars.years_beside(BEYOND, BEYOND)[0].holidays


def test_yaml_says_the_same_as_csv(home: Path, tmp_path: Path) -> None:
    year = calendars.read_year(a_notice(tmp_path))
    path = tmp_path / "year.yaml"
    path.write_text(json.dumps(year.values(), ensure_ascii=False), encoding="utf-8")
    assert calendars.read_year(path) == year


@pytest.mark.parametrize(("old", "new", "told"), [
    ("# source", "# remark", "does not say where"),
    (f"{BEYOND}_01_01..", f"{BEYOND}-01-02..", "is no holiday in it"),
    (f"{BEYOND}_05_01..", f"{BEYOND}-13-01..", "no date"),
    (f"{BEYOND}_10_01..{BEYOND}_10_07", f"{BEYOND}-10-07..{BEYOND}-10-01", "no days in a row"),
    (f"{BEYOND}_05_03,holiday", f"{BEYOND}-05-03,party", "not said whether"),
    ("班", "休息日", "not said whether"),
    (f"{BEYOND}_02_12", f"{BEYOND + 2}-02-12", "no days in a row"),
])
def test_a_file_that_is_no_year_is_refused_with_line_and_cure(home: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(WrongUse, match=told) as refused:
        calendars.take_over(a_notice(tmp_path, **{old: new}))
    assert refused.value.cure
    assert not calendars.imported()


def test_make_up_days_lie_at_weekends(home: Path, tmp_path: Path) -> None:
    weekday = date(BEYOND, 3, 1) + timedelta(days=(2 - date(BEYOND, 3, 1).weekday()) % 7)
    with pytest.raises(WrongUse, match="a workday anyway"):
        calendars.take_over(a_notice(tmp_path, **{a_saturday().isoformat(): weekday.isoformat()}))


def test_the_command_takes_a_year_over_and_the_campaign_s_calendar_still_shows(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = canbao(home, "calendar", "import", str(a_notice(tmp_path)), "--json")
    assert json.loads(done.stdout)["changed"] is True
    assert (home / "calendars" / f"{BEYOND}.yaml").is_file()
    assert canbao(home, "calendar", "chengjiang-2021", "--json").returncode == 0
    assert canbao(home, "calendar", "import").returncode == 2
