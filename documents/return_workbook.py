"""The return workbook (更正单): a department's refused rows as it sent them, each with its fault and its cure.

What is corrected in it comes back through any door and is recognised by its ``_meta`` sheet, whatever the file is then
called. Cells hold what the file held, as text; one that would start a formula is escaped (domain.md, files, row 46).
It names persons: it is written for its owner only.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from documents.files import write_atomically
from documents.form_sheet import CHOICES_SHEET
from documents.model import Origin
from documents.wording import chinese_date, printable, safe_cell
from documents.workbook import (
    GREY,
    HEAD_FONT,
    META_SHEET,
    MUTED,
    Formats,
    Sheet,
    address,
    as_text,
    lines_needed,
    merge_text,
    open_returned,
    origin_head,
    print_setup,
    save_workbook,
    write_meta,
    write_text,
)
from models.errors import FileReturned

CORRECTIONS_SCHEMA = "canbao-corrections-1"
COVER_SHEET, ROWS_SHEET = "更正说明", "需更正的行"
KEY_TITLE, SHEET_TITLE, LINE_TITLE, PROBLEM_TITLE, CURE_TITLE = "行标识", "工作表", "原表行号", "问题", "改正办法"
RED = "#F4B6B6"
_HEADER_ROW = 2
_COVER_WIDTHS = (14.0, 20.0, 52.0, 52.0)
_MARKER_BYTES = 1 << 16
HOW_TO = (
    "只改「需更正的行」表中标红的单元格；鼠标停在上面可看说明。其他单元格发现有误的，也可一并改正。",
    "身份证号、信用代码等各列已设为文本，直接输入即可；有下拉箭头的，请从列表中选择。",
    "某一行本不应报送的，把该行各项内容清空（「行标识」不动），不要删除整行。",
    "一时查不清的行可以不改，留待下次；已改的先行接收。不要在本表增加人员，新增人员请另行报送。",
    "改完直接保存，把本文件原样报回（文件名可以改，不要另存为 CSV 或 .xls，不要复制到新工作簿）。系统会把改正的行并入原文件，重新检查。",
)


@dataclass(frozen=True, slots=True)
class RowColumn:
    """A column of the refused rows. ``title`` is what the department calls it; ``choices`` fill a drop-down list."""

    name: str
    title: str
    width: float = 14.0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused row as it came: ``row_number`` and ``member`` are its key, ``sheet`` and ``line`` where a clerk finds
    it. ``faults`` gives for each cell to be marked what its comment says."""

    row_number: int
    member: int
    sheet: str
    line: int
    cells: Mapping[str, str]
    faults: Mapping[str, str]
    problem: str
    cure: str


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong with the file as a whole, what follows (退回, 提示) and how it is mended."""

    consequence: str
    says: str
    cure: str


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """How many rows were refused for one reason."""

    says: str
    rows: int
    cure: str


@dataclass(frozen=True, slots=True)
class ReturnContent:
    """Everything a return workbook says. ``counts`` are (label, rows) and add up, the first being the rows of the
    file; ``refused`` may be fewer than the rows refused (``unlisted`` is the rest); ``notes`` say what became of an
    earlier correction."""

    origin: Origin
    feed: str
    feed_name: str
    delivery: int
    sha256: str
    file_name: str
    received_on: date
    verdict: str
    counts: tuple[tuple[str, int], ...]
    columns: tuple[RowColumn, ...]
    refused: tuple[RefusedRow, ...]
    reasons: tuple[ReasonLine, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    unlisted: int = 0
    notes: tuple[str, ...] = ()
    most_comments: int = 2000
    """Comments make a workbook slow: rows beyond have their words in the last columns only."""


@dataclass(frozen=True, slots=True)
class CorrectedRows:
    """What came back: whose delivery it corrects, and for each row key the cells as they stand now. ``unkeyed`` counts
    filled lines without a key of ours, ``repeated`` lines whose key stood before."""

    campaign: str
    delivery: int
    sha256: str
    feed: str
    period: str
    provider: str
    rows: Mapping[tuple[int, int], Mapping[str, Any]] = field(default_factory=dict)
    unkeyed: int = 0
    repeated: int = 0


def write_return_workbook(path: Path, content: ReturnContent) -> None:
    """Write the workbook, readable by its owner only. Raises StorageUnavailable."""
    title = f"{content.feed_name}数据更正单"

    def fill(book: Any, formats: Formats) -> None:
        _Cover(book, formats, content, title).write()
        if content.refused:
            _write_rows(book, formats, content)
        head = origin_head(CORRECTIONS_SCHEMA, content.origin) | {
            "delivery": content.delivery, "sha256": content.sha256, "feed": content.feed,
            "columns": {column.title: column.name for column in content.columns},
        }
        write_meta(book, head, (), [])

    write_atomically(path, lambda draft: save_workbook(draft, content.origin, title, fill))


# --- the cover ------------------------------------------------------------------------------------------


class _Cover:
    """The first sheet, written downwards: what it is about, the account of the rows, the problems, what to do."""

    def __init__(self, book: Any, formats: Formats, content: ReturnContent, title: str) -> None:
        self.formats, self.content, self.title = formats, content, title
        self.sheet = book.add_worksheet(COVER_SHEET)
        self.row, self.last = 0, len(_COVER_WIDTHS) - 1
        self.section = iter("一二三四五")

    def write(self) -> None:
        for column, width in enumerate(_COVER_WIDTHS):
            self.sheet.set_column(column, column, width)
        self.sheet.hide_gridlines(2)
        self.sheet.set_tab_color("#C00000")
        self._line(self.formats.titled(self.title), self.formats.title(), 36)
        self._facts()
        self._counts()
        self._problems()
        self._reasons()
        self._how_to()
        print_setup(self.sheet, self.content.origin, landscape=True)

    def _facts(self) -> None:
        content, origin = self.content, self.content.origin
        facts = [
            ("报送单位", origin.organisation_name), ("数据", f"{content.feed_name}　{origin.period_name}"),
            ("原文件", content.file_name), ("收到日期", chinese_date(content.received_on)), ("处理结果", content.verdict),
        ]
        facts += [("更正情况", note) for note in content.notes]
        for label, text in facts:
            write_text(self.sheet, self.row, 0, label, self._label())
            look = self.formats.boxed(text_wrap=True, indent=1)
            merge_text(self.sheet, self.row, (1, self.last), text, look)
            self._height(text, sum(_COVER_WIDTHS[1:]))

    def _counts(self) -> None:
        self._heading("行数去向")
        shown = [f"{label} {rows:,}" for label, rows in self.content.counts]
        text = f"{shown[0]} ＝ {' ＋ '.join(shown[1:])}"
        if self.content.unlisted:
            listed, unlisted = len(self.content.refused), self.content.unlisted
            text += f"。需更正的行较多，本表列出前 {listed:,} 行，另有 {unlisted:,} 行未列；宜从业务系统重新导出全表报送"
        merge_text(self.sheet, self.row, (0, self.last), text, self.formats.boxed(text_wrap=True, indent=1))
        self._height(text, sum(_COVER_WIDTHS))

    def _problems(self) -> None:
        rows = [(problem.consequence, problem.says, problem.cure) for problem in self.content.problems]
        self._table("文件的问题", ("后果", "问题", "改正办法"), rows)

    def _reasons(self) -> None:
        rows = [(f"{line.rows:,}", line.says, line.cure) for line in self.content.reasons]
        self._table(f"需更正的行（逐行见「{ROWS_SHEET}」）", ("行数", "原因", "改正办法"), rows)

    def _table(self, heading: str, titles: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> None:
        if not rows:
            return
        self._heading(heading)
        self._cells(titles, [self.formats.column_head()] * 3)
        text = self.formats.boxed(text_wrap=True, indent=1)
        for row in rows:
            self._cells(row, [self.formats.boxed(align="center"), text, text])

    def _cells(self, cells: tuple[str, str, str], looks: list[Any]) -> None:
        """First cell, the problem over two columns, the cure."""
        write_text(self.sheet, self.row, 0, cells[0], looks[0])
        merge_text(self.sheet, self.row, (1, 2), cells[1], looks[1])
        write_text(self.sheet, self.row, 3, cells[2], looks[2])
        lines = max(lines_needed(cells[1], sum(_COVER_WIDTHS[1:3]) - 2, font_size=10),
                    lines_needed(cells[2], _COVER_WIDTHS[3] - 2, font_size=10))
        self.sheet.set_row(self.row, lines * 14.0 + 6)
        self.row += 1

    def _how_to(self) -> None:
        if not self.content.refused:
            return
        self._heading("怎样更正")
        for number, text in enumerate(HOW_TO, start=1):
            self._line(f"{number}. {text}", self.formats.get(text_wrap=True, indent=1), None)

    def _heading(self, text: str) -> None:
        self._line(f"{next(self.section)}、{text}", self.formats.heading(), 26)

    def _line(self, text: str, look: Any, height: float | None) -> None:
        merge_text(self.sheet, self.row, (0, self.last), text, look)
        if height is None:
            self._height(text, sum(_COVER_WIDTHS))
        else:
            self.sheet.set_row(self.row, height)
            self.row += 1

    def _height(self, text: str, width: float) -> None:
        self.sheet.set_row(self.row, lines_needed(text, width - 2, font_size=10) * 14.0 + 6)
        self.row += 1

    def _label(self) -> Any:
        return self.formats.column_head()


# --- the rows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A column of the sheet: its title, its width, and what stands in it."""

    title: str
    width: float
    text: Callable[[RefusedRow], str]
    column: RowColumn | None = None


def _places(content: ReturnContent) -> list[_Place]:
    """The sheet's columns: where the row stood, its cells, what is wrong and how it is mended, and last its key."""
    several = len({row.sheet for row in content.refused}) > 1
    own = [_Place(column.title, column.width, _cell_of(column.name), column) for column in content.columns]
    return [
        *([_Place(SHEET_TITLE, 12.0, lambda row: row.sheet)] if several else []),
        _Place(LINE_TITLE, 8.0, lambda row: str(row.line)), *own, _Place(PROBLEM_TITLE, 30.0, lambda row: row.problem),
        _Place(CURE_TITLE, 38.0, lambda row: row.cure), _Place(KEY_TITLE, 9.0, key_text),
    ]


def _cell_of(name: str) -> Callable[[RefusedRow], str]:
    return lambda row: row.cells.get(name) or ""


def key_text(row: RefusedRow) -> str:
    """How a row's key is written: 15, or 15-2 for the second person of a household's line."""
    return str(row.row_number) if row.member == 1 else f"{row.row_number}-{row.member}"


def _write_rows(book: Any, formats: Formats, content: ReturnContent) -> None:
    sheet = book.add_worksheet(ROWS_SHEET)
    places = _places(content)
    last = len(places) - 1
    for number, place in enumerate(places):
        sheet.set_column(number, number, place.width)
    sheet.set_row(0, 32)
    merge_text(sheet, 0, (0, last), formats.titled(f"{content.feed_name}　{ROWS_SHEET}"), formats.title())
    note = "标红的单元格需要更正；灰色各列请勿改动。改完保存，把本文件原样报回。"
    merge_text(sheet, 1, (0, last), note, formats.get(font_size=9, font_color=MUTED))
    sheet.set_row(_HEADER_ROW, 30)
    for number, place in enumerate(places):
        write_text(sheet, _HEADER_ROW, number, place.title, formats.column_head(fill_in=place.column is not None))
    for number, row in enumerate(content.refused, start=_HEADER_ROW + 1):
        _write_row(sheet, formats, number, places, row, commented=number <= content.most_comments + _HEADER_ROW)
    _offer_choices(book, sheet, places, len(content.refused))
    sheet.freeze_panes(_HEADER_ROW + 1, sum(place.column is None for place in places[:2]))
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + len(content.refused), last)
    sheet.protect("", {"format_rows": True, "format_columns": True, "autofilter": True, "sort": True})
    print_setup(sheet, content.origin, landscape=True, repeat=(0, _HEADER_ROW))


def _write_row(
    sheet: Any, formats: Formats, number: int, places: list[_Place], row: RefusedRow, *, commented: bool
) -> None:
    lines = 1
    for column, place in enumerate(places):
        text = place.text(row)
        write_text(sheet, number, column, text, _look(formats, place, row))
        if commented and place.column and (said := row.faults.get(place.column.name)):
            options = {"author": "更正单", "x_scale": 2.2, "y_scale": 1.1, "font_size": 9}
            sheet.write_comment(number, column, printable(said), options)
        lines = max(lines, lines_needed(text, place.width - 1, font_size=10 if place.column else 9))
    sheet.set_row(number, min(lines, 12) * 13.5 + 6)


def _look(formats: Formats, place: _Place, row: RefusedRow) -> Any:
    if place.column is None:
        align = {"align": "left"} if place.title in (PROBLEM_TITLE, CURE_TITLE) else {"align": "center"}
        return formats.boxed(bg_color=GREY, font_size=9, text_wrap=True, num_format="@", **align)
    if place.column.name in row.faults:
        return formats.boxed(bg_color=RED, text_wrap=True, num_format="@", locked=False, font_name=HEAD_FONT)
    return formats.boxed(text_wrap=True, num_format="@", locked=False)


def _offer_choices(book: Any, sheet: Any, places: list[_Place], rows: int) -> None:
    """Drop-down lists for codes and units. Another spelling that is known passes as well, hence only a warning."""
    offered = [(number, place.column.choices) for number, place in enumerate(places)
               if place.column is not None and place.column.choices]
    if not offered or not rows:
        return
    lists = book.add_worksheet(CHOICES_SHEET)
    lists.very_hidden()
    for at, (number, choices) in enumerate(offered):
        lists.write_column(0, at, [safe_cell(choice) for choice in choices])
        letter = address(0, at)[:-1]
        sheet.data_validation(_HEADER_ROW + 1, number, _HEADER_ROW + rows, number, {
            "validate": "list", "source": f"={CHOICES_SHEET}!${letter}$1:${letter}${len(choices)}", "error_type": "warning",
            "error_title": "不在列表内", "error_message": "建议从下拉列表选择。仍要保留现在的写法吗？",
        })


# --- what comes back ------------------------------------------------------------------------------------


def is_return_workbook(path: Path) -> bool:
    """Whether a file is a return workbook, whatever it is called. A workbook without the hidden sheet is not opened;
    one that somebody saved as an old .xls is told by the mark in its bytes."""
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            content = start + file.read()
            return any(CORRECTIONS_SCHEMA.encode(encoding) in content for encoding in ("ascii", "utf-16-le"))
    return start.startswith(b"PK\x03\x04") and META_SHEET in _sheet_names(path) and _has_our_mark(path)


def _has_our_mark(path: Path) -> bool:
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            rows = book.get_sheet_by_name(META_SHEET).to_python(nrows=1)
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError):
        return False
    return bool(rows and rows[0]) and f'"schema": "{CORRECTIONS_SCHEMA}"' in str(rows[0][0])


def _sheet_names(path: Path) -> str:
    """The part of a workbook that names its sheets; nothing where there is none."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as stream:
            return stream.read(_MARKER_BYTES).decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError, EOFError, ValueError):
        return ""


def is_copy_of_rows(path: Path) -> bool:
    """Whether a file holds the rows of a return workbook without its mark: copied elsewhere or saved as CSV. Taken for
    a delivery of its own it would replace a register by its refused rows."""
    try:
        with path.open("rb") as file:
            start = file.read(_MARKER_BYTES)
        if start.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(path) as archive, archive.open("xl/sharedStrings.xml") as stream:
                start = stream.read(_MARKER_BYTES)
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError, EOFError, ValueError):
        return False
    marks = (KEY_TITLE, LINE_TITLE, PROBLEM_TITLE, CURE_TITLE)
    return any(all(mark.encode(encoding) in start for mark in marks) for encoding in ("utf-8", "gb18030", "utf-16-le"))


def read_return_workbook(path: Path) -> CorrectedRows:
    """The corrected rows. Raises FileReturned, in the sender's language, if the workbook cannot be read back."""
    returned = open_returned(path, CORRECTIONS_SCHEMA)
    head = returned.head
    identity = {name: head[name] for name in ("campaign", "delivery", "sha256", "feed", "period")}
    sheet = _sheet_with_rows(returned.sheets)
    if sheet is None:
        raise FileReturned(
            f"更正单里找不到「{ROWS_SHEET}」的表头（{KEY_TITLE}、{PROBLEM_TITLE}）。", where="报送文件",
            cure="请在原下发的更正单上改，不要改动表头。",
        )
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    unkeyed = repeated = 0
    for key, cells in _lines(*sheet, head["columns"]):
        if key is None:
            unkeyed += 1
        elif key in rows:
            repeated += 1
        else:
            rows[key] = cells
    return CorrectedRows(**identity, provider=head["organisation"], rows=rows, unkeyed=unkeyed, repeated=repeated)


def _sheet_with_rows(sheets: Mapping[str, Sheet]) -> tuple[Sheet, int] | None:
    """The sheet and the line of its header, wherever both were moved."""
    for sheet in sheets.values():
        for line, row in enumerate(sheet.rows[:20]):
            if {KEY_TITLE, PROBLEM_TITLE} <= {as_text(cell) for cell in row}:
                return sheet, line
    return None


def _lines(
    sheet: Sheet, header: int, columns: Mapping[str, str]
) -> Iterator[tuple[tuple[int, int] | None, dict[str, Any]]]:
    """Key and cells of every filled line below the header. A column that was taken out is left out: its cells stay."""
    titles = [as_text(cell) for cell in sheet.rows[header]]
    at_key = titles.index(KEY_TITLE)
    places = {name: titles.index(title) for title, name in columns.items() if title in titles}
    for row in sheet.rows[header + 1:]:
        cells = {name: row[place] for name, place in places.items()}
        key = _key(as_text(row[at_key]))
        if key is not None or any(as_text(cell) for cell in cells.values()):
            yield key, cells


def _key(text: str) -> tuple[int, int] | None:
    row_number, dash, member = text.partition("-")
    if not row_number.isascii() or not row_number.isdigit() or (dash and not (member.isascii() and member.isdigit())):
        return None
    return int(row_number), int(member) if dash else 1
