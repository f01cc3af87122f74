"""The campaign board (工作看板): one page for the wall, the telephone and the printer. Counts only, never a person.

What stands on it was decided before it comes here. A state is told by a mark and words and only then by its colour, and
what is empty is said in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from documents.page import framed
from documents.wording import chinese_date, count, month_day, quantity, share, span, unit_name

Tone = Literal["good", "late", "soon", "wait", "bad"]
MARKS: dict[Tone, str] = {"good": "✓", "late": "△", "soon": "◔", "wait": "○", "bad": "✕"}
"""Told apart by shape as well: red and green look alike to one man in twelve, and on a copy everything is grey."""
COLOURS: dict[Tone, tuple[str, str]] = {
    "good": ("#0b4f86", "#e8f1f9"), "late": ("#7a4a00", "#fdf3e1"), "soon": ("#5b3a8c", "#f2edf9"),
    "wait": ("#4a5563", "#f1f3f5"), "bad": ("#a1182a", "#fdecee"),
}
"""Letters and ground of a state, at least 4.5 to 1; blue, ochre and dark red stay apart for the colour-blind."""


@dataclass(frozen=True)
class Duty:
    """How one thing that is owed stands. ``due`` is the last day in force; ``days_late`` are workdays; ``step`` is the last
    rung of its ladder that was sent."""

    what: str
    period_name: str
    due: date
    word: str
    tone: Tone
    days_late: int | None = None
    step: str = ""
    step_on: date | None = None


@dataclass(frozen=True)
class Column:
    """A report that units owe now; period and last day where they are the same for all."""

    name: str
    period_name: str = ""
    due: date | None = None


@dataclass(frozen=True)
class Standing:
    """A figure against its target. ``rank`` of ``ranked``; ``expected`` is where the pace leads; nothing is clipped (B5).
    ``numerator`` and ``denominator`` are given where the figure is a share or an average."""

    indicator: str
    unit: str
    current: float | None
    target: float | None
    numerator: float | None = None
    denominator: float | None = None
    completion: float | None = None
    pace: float | None = None
    rank: int | None = None
    ranked: int = 0
    reaches: bool | None = None
    expected: float | None = None


@dataclass(frozen=True)
class Place:
    """One row of the first table. ``duties`` and ``standings`` follow the board's own columns; None where nothing is owed."""

    code: str
    name: str
    above: str
    owing: int
    duties: tuple[Duty | None, ...]
    standings: tuple[Standing | None, ...]

    @property
    def is_asked(self) -> bool:
        """Whether it owes anything, or has a target, of its own; where townships report to their county they do not."""
        return bool(self.owing or any(self.duties) or any(self.standings))


@dataclass(frozen=True)
class FeedMark:
    """One file a department owes: its state in words, its verdict if it came, and how often it was returned."""

    name: str
    word: str
    tone: Tone
    remark: str = ""


@dataclass(frozen=True)
class Department:
    """One department: its reports and its files of the month."""

    code: str
    name: str
    owing: int
    duties: tuple[Duty | None, ...]
    feeds: tuple[FeedMark, ...]
    arrived: int
    late: int
    returned: int
    valid_id_share: float | None = None
    quarantined_share: float | None = None
    trend: str | None = None


@dataclass(frozen=True)
class Owed:
    """What one unit owes of one report or file: the longest overdue, and the periods of all that are."""

    unit: str
    duty: Duty
    periods: tuple[str, ...]


@dataclass(frozen=True)
class Ahead:
    """Something that is due soon. ``units`` still owe it; None where it is no duty of units."""

    day: date
    what: str
    units: int | None = None
    moved_from: date | None = None


@dataclass(frozen=True)
class PhaseBar:
    """A phase on the line of time; ``left`` and ``width`` are shares of the whole campaign."""

    name: str
    starts: date
    ends: date | None
    state: Literal["closed", "open", "ahead"]
    left: float
    width: float


@dataclass(frozen=True)
class Findings:
    """Findings of one owner or one list by what has become of them."""

    label: str
    waiting: int
    open: int
    contradicted: int
    claimed: int
    excused: int
    confirmed: int
    closed: int

    @property
    def figures(self) -> tuple[int, ...]:
        """In the order of the columns."""
        return (self.waiting, self.open, self.contradicted, self.claimed, self.excused, self.confirmed, self.closed)


@dataclass(frozen=True)
class Group:
    """Persons of one category; ``kind`` says on which side of the balance they stand."""

    name: str
    persons: int
    kind: Literal["insured", "open", "outside"]


@dataclass(frozen=True)
class Waiting:
    """Something that a person in the office has to decide, and the command that does it."""

    what: str
    says: str
    command: str


@dataclass(frozen=True)
class Source:
    """Where figures come from, and the command that opens them."""

    what: str
    data: str
    command: str


@dataclass(frozen=True)
class BoardContent:
    """Everything that stands on the board. ``left_out`` counts what there was no room for."""

    campaign: str
    name: str
    as_of: datetime
    phases: tuple[PhaseBar, ...]
    today_at: float
    ahead: tuple[Ahead, ...]
    tiles: tuple[tuple[str, str, str], ...]
    region: tuple[Standing, ...]
    report_columns: tuple[Column, ...]
    target_columns: tuple[str, ...]
    places: tuple[Place, ...]
    places_left_out: int
    targets_note: str
    department_columns: tuple[Column, ...]
    departments: tuple[Department, ...]
    feeds_period: str
    late: tuple[Owed, ...]
    late_left_out: int
    groups: tuple[Group, ...]
    by_owner: tuple[Findings, ...]
    by_list: tuple[Findings, ...]
    waiting: tuple[Waiting, ...]
    figures_source: str
    lists_source: str
    sources: tuple[Source, ...]
    trail_head: str
    """Where the audit trail ends: whoever keeps a copy of the board can find a trail that was cut off."""
    drill: str = ""

    @property
    def persons(self) -> int:
        """Everybody: each person stands in exactly one category."""
        return sum(group.persons for group in self.groups)


def board_page(content: BoardContent, mark: str, reload_minutes: int) -> str:
    """The page. ``mark`` says of what it was drawn; a browser that shows it looks again after ``reload_minutes``."""
    head = (f'<meta http-equiv="refresh" content="{reload_minutes * 60}">'
            f'<meta name="canbao-board" content="{escape(content.as_of.isoformat())} {escape(mark)}">')
    body = _environment().get_template("board.html.j2").render(board=content)
    style = _environment().get_template("board.css.j2").render(colours=COLOURS)
    return framed(f"{content.name} 工作看板", body, style, head, content.drill)


@cache
def _environment() -> Environment:
    place = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    place.filters |= {"count": count, "share": share, "short_share": short_share, "quantity": quantity, "day": month_day,
                      "date": chinese_date, "unit": unit_name, "moment": moment}
    place.globals |= {"MARKS": MARKS, "span": span}
    return place


def short_share(value: float | None) -> str:
    """A share with one digit: a board is read from afar."""
    return "—" if value is None else f"{value * 100:.1f}%"


def moment(instant: datetime) -> str:
    """2021年7月20日 星期二 09:00."""
    return f"{chinese_date(instant.date())} 星期{'一二三四五六日'[instant.weekday()]} {instant:%H:%M}"
