"""Years of holidays and make-up workdays that a site has taken over from the State Council's notice, one file each.

The package ``chinesecalendar`` knows the years that were published when it was released. What is published later a site imports
(``canbao calendar import``): it lies under CANBAO_HOME, and a plan that is read there takes the years over that it runs in, so that
what the record stores of a plan in force holds the very days its deadlines were worked out with.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from models.errors import WrongUse
from models.private import FOLDER_MODE, keep_private

FOLDER = "calendars"
KINDS = {"holiday": "holiday", "休": "holiday", "放假": "holiday", "节假日": "holiday", "假": "holiday",
         "workday": "workday", "班": "workday", "上班": "workday", "调休": "workday", "补班": "workday"}
"""How a file may call a day, and what it is."""
FORMAT = ("a CSV file with the columns date,kind[,name] (kind: holiday/休 or workday/班), or a YAML file with year, source, holidays and "
          "workdays; a day as 2027-02-06, days in a row as 2027-02-06..2027-02-12")
SATURDAY = 5
ALWAYS = ((1, 1), (5, 1), (10, 1))
"""Days off in every year by the law (全国年节及纪念日放假办法)."""


@dataclass(frozen=True)
class Year:
    """One year as it was published. Its first holidays may lie in the last week of the year before."""

    year: int
    source: str
    holidays: tuple[date, ...]
    workdays: tuple[date, ...]

    def values(self) -> dict[str, Any]:
        """As a plan states it under ``calendar.years``."""
        return {"year": self.year, "source": self.source, "holidays": [day.isoformat() for day in self.holidays],
                "workdays": [day.isoformat() for day in self.workdays]}


def place() -> Path:
    """The folder of the imported years; nothing is made."""
    return Path(os.environ.get("CANBAO_HOME", "var")).resolve() / FOLDER


def imported() -> dict[int, Path]:
    """The file of every year that was imported here."""
    return {int(file.stem): file for file in sorted(place().glob("*.yaml")) if file.stem.isdigit()}


def read_year(path: Path, source: str = "") -> Year:
    """A year from a file in one of the forms of :data:`FORMAT`. Raises WrongUse with the line of what is wrong, and its cure."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise WrongUse("the file cannot be read as UTF-8 text.", where=path.name, cure=f"Give {FORMAT}.") from None
    stated = re.search(r"(?m)^#\s*(?:source|来源)\s*[:：]\s*(\S.*)$", text)
    days = list(_of_yaml(text, path.name) if path.suffix.lower() in (".yaml", ".yml") else _of_csv(text, path.name))
    told = source or (stated[1].strip() if stated else "") or next((value for kind, value, _ in days if kind == "source"), "")
    if not told:
        raise WrongUse("the file does not say where the days come from.", where=path.name,
                       cure="Write a line `# source: 国办发明电〔…〕…号, day of the notice`, or give --source.")
    return _checked([(kind, value, line) for kind, value, line in days if kind != "source"], told, path.name)


def _of_csv(text: str, name: str) -> Iterator[tuple[str, str, int]]:
    for line, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#") or cells[0].lower() in ("date", "日期"):
            continue
        kind = KINDS.get(cells[1].lower()) if len(cells) > 1 else None
        if kind is None:
            raise WrongUse("it is not said whether this day is worked.", where=f"{name}, line {line}",
                           cure=f"Write the day and, behind a comma, one of: {', '.join(KINDS)}.")
        yield kind, cells[0], line


def _of_yaml(text: str, name: str) -> Iterator[tuple[str, str, int]]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise WrongUse("the file is no valid YAML.", where=f"{name}, line {mark.line + 1 if mark else 1}", cure=f"Give {FORMAT}.") from None
    if not isinstance(root, yaml.MappingNode):
        raise WrongUse("the file holds no keys.", where=name, cure=f"Give {FORMAT}.")
    for key, value in root.value:
        word = str(key.value)
        if word in ("source", "来源"):
            yield "source", str(value.value), key.start_mark.line + 1
        elif word in ("holidays", "workdays") and isinstance(value, yaml.SequenceNode):
            for entry in value.value:
                yield word.removesuffix("s"), str(entry.value), entry.start_mark.line + 1
        elif word != "year":
            raise WrongUse(f"the key `{word}` means nothing here.", where=f"{name}, line {key.start_mark.line + 1}", cure=f"Give {FORMAT}.")


def _checked(days: list[tuple[str, str, int]], source: str, name: str) -> Year:
    """The year, if the days make one: all of one year, each once, free days that the law gives among them, made up at weekends."""
    found: dict[date, tuple[str, int]] = {}
    for kind, text, line in days:
        for day in _days(text, f"{name}, line {line}"):
            if day in found:
                raise WrongUse(f"{day} stands there twice, first on line {found[day][1]}.", where=f"{name}, line {line}", cure="Keep one.")
            found[day] = kind, line
    if not found:
        raise WrongUse("the file names no day.", where=name, cure=f"Give {FORMAT}.")
    year = max(found).year
    for day, (kind, line) in found.items():
        at = f"{name}, line {line}"
        if day.year != year and day < date(year - 1, 12, 25):
            raise WrongUse(f"{day} lies in another year than {year}.", where=at, cure="Give one file for each year.")
        if kind == "workday" and day.weekday() < SATURDAY:
            raise WrongUse(f"{day} is a workday anyway.", where=at, cure="Make-up workdays are Saturdays and Sundays: look at the date again.")
    missing = [date(year, *day) for day in ALWAYS if found.get(date(year, *day), ("",))[0] != "holiday"]
    if missing:
        raise WrongUse(f"{missing[0]} is no holiday in it.", where=name, cure="By the law it is one: the file is not whole, or not this year's.")
    return Year(year, source, *(tuple(sorted(day for day, (kind, _) in found.items() if kind == wanted)) for wanted in ("holiday", "workday")))


def _days(text: str, at: str) -> Iterator[date]:
    first, _, last = (part.strip() for part in text.partition(".."))
    try:
        begin = date.fromisoformat(first)
        end = date.fromisoformat(last) if last else begin
    except ValueError:
        raise WrongUse("this is no date.", where=at, cure="Write 2027-02-06, or 2027-02-06..2027-02-12 for days in a row.") from None
    if not begin <= end <= begin + timedelta(days=30):
        raise WrongUse("these are no days in a row.", where=at, cure="Write the earlier day first; no holiday is longer than a month.")
    for number in range((end - begin).days + 1):
        yield begin + timedelta(days=number)


def take_over(path: Path, source: str = "", *, replace: bool = False) -> tuple[Year, bool]:
    """Imports a year into this site; answers with it, and whether that changed anything. Raises WrongUse where another one lies there
    already and ``replace`` is not said."""
    year = read_year(path, source)
    target = place() / f"{year.year}.yaml"
    text = yaml.safe_dump(year.values(), allow_unicode=True, sort_keys=False)
    if target.exists():
        if target.read_text(encoding="utf-8") == text:
            return year, False
        if not replace:
            raise WrongUse(f"other days of {year.year} were imported before.", where=str(target),
                           cure="Compare the two; with --replace the new ones take their place.")
    keep_private()
    target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, target)
    return year, True


def years_beside(first: int, last: int) -> list[Year]:
    """The imported years from one to another, oldest first."""
    return [read_year(file) for year, file in sorted(imported().items()) if first <= year <= last]
