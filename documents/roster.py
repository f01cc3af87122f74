"""The roster of one owner: what is to be checked goes out, what was found comes back.

A worked roster may be sorted, filtered, shortened, its columns moved: a row is known by its task number alone, and the
person beside it is compared with what was sent, because a clerk who sorts part of the columns would otherwise give a
result to somebody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from documents.files import write_atomically
from documents.model import (
    CellFault,
    DispositionChoice,
    Roster,
    RosterList,
    RosterResult,
    RosterReturn,
    RosterRow,
)
from documents.wording import chinese_date, deadline, names, safe_cell
from documents.workbook import (
    GREEN,
    GREY,
    ORANGE,
    ROSTER_SCHEMA,
    YELLOW,
    CellValue,
    Formats,
    Returned,
    Sheet,
    address,
    as_date,
    as_text,
    lines_needed,
    merge_text,
    open_returned,
    origin_head,
    print_setup,
    save_workbook,
    sheet_name,
    write_meta,
    write_text,
)
from models.words import SUBJECT_KINDS

COVER = "填报说明"
CHOICES_SHEET = "_choices"
NUMBER, RESULT, NOTE, ENROLLED, WORKER, CHECKED = "任务编号", "核查结果", "原因说明", "参保时间", "核查人", "核查日期"
_HEAD_ROW = 2
_EARLIEST_DATE = date(1950, 1, 1)
_CHECK_LENGTH = 12
_SEXES = {"M": "男", "F": "女"}


@dataclass(frozen=True)
class _Column:
    """A column of a list sheet. An ``optional`` one is left out of a sheet where it would be empty throughout."""

    title: str
    width: float
    value: Callable[[RosterList, RosterRow], str | int | None] = lambda _list, _row: None
    centred: bool = False
    optional: bool = False
    fill_in: bool = False


def write_roster(path: Path, roster: Roster) -> None:
    """Write one owner's workbook: cover, one sheet per list, the choices and ``_meta`` hidden.

    The file is readable by its owner only: it names persons. Raises StorageUnavailable.
    """
    title = f"{roster.origin.campaign_name}核查任务清单"

    def fill(book: Any, formats: Formats) -> None:
        cover = book.add_worksheet(COVER)
        taken = {COVER, CHOICES_SHEET, "_meta"}
        places = [(entry, sheet_name(entry.name, taken)) for entry in roster.lists if entry.rows]
        columns = {entry.id: _columns(entry) for entry, _ in places}
        for entry, name in places:
            _ListSheet(book, formats, roster, entry, name, columns[entry.id]).write()
        _write_cover(cover, formats, roster, {entry.id: (name, columns[entry.id]) for entry, name in places})
        _write_choices(book, roster.dispositions)
        _write_roster_meta(book, roster, places)

    write_atomically(path, lambda draft: save_workbook(draft, roster.origin, title, fill))


# --- list sheets ----------------------------------------------------------------------------------------


def _columns(entry: RosterList) -> list[_Column]:
    words = SUBJECT_KINDS[entry.subject]
    of_person = entry.subject == "person"
    every = [
        _Column(NUMBER, 11, lambda _list, row: row.finding_id, centred=True),
        _Column("清单", 10, lambda finding_list, _row: finding_list.name),
        _Column(words.heads_name, 9 if of_person else 24, lambda _list, row: row.name),
        _Column(words.heads_number, 20, lambda _list, row: row.id_number, centred=True),
        _Column("性别", 5, lambda _list, row: _SEXES.get(row.sex), centred=True, optional=True),
        _Column("年龄", 5, lambda _list, row: row.age_years, centred=True, optional=True),
        _Column("镇（街道）", 10, lambda _list, row: row.township, optional=True),
        _Column("村（社区）", 11, lambda _list, row: row.village, optional=True),
        _Column("地址", 16, lambda _list, row: row.address, optional=True),
        _Column("联系电话", 13, lambda _list, row: row.phone, centred=True, optional=True),
        _Column(words.heads_employer, 20, lambda _list, row: row.employer_name, optional=True),
        _Column("统一社会信用代码", 20, lambda _list, row: row.employer_code, centred=True, optional=True),
        _Column("判定依据", 30, lambda _list, row: row.evidence),
        _Column("协办单位", 10, lambda _list, row: names(row.co_owners), optional=True),
        _Column("往期情况", 12, lambda _list, row: row.history, optional=True),
        _Column(RESULT, 13, fill_in=True, centred=True),
        _Column(NOTE, 18, fill_in=True),
        _Column(ENROLLED, 11.5, fill_in=True, centred=True),
        _Column(WORKER, 9, fill_in=True, centred=True),
        _Column(CHECKED, 11.5, fill_in=True, centred=True),
    ]
    # An employer's list has the employer in the columns of the subject already.
    titles_of_subject = {words.heads_name, words.heads_number}
    return [
        column for column in every
        if not column.optional or (_is_used(column, entry) and column.title not in titles_of_subject)
    ]


def _is_used(column: _Column, entry: RosterList) -> bool:
    return any(column.value(entry, row) not in (None, "") for row in entry.rows)


class _ListSheet:
    """Writes one list: title, header, rows, what may be filled in, and how it prints."""

    def __init__(
        self, book: Any, formats: Formats, roster: Roster, entry: RosterList, name: str, columns: list[_Column],
    ) -> None:
        self.sheet = book.add_worksheet(name)
        self.formats, self.roster, self.entry, self.columns = formats, roster, entry, columns
        self.last_column = len(columns)
        self.last_row = _HEAD_ROW + len(entry.rows)

    def write(self) -> None:
        self._head()
        self._rows()
        self._validation()
        self._marks()
        sheet = self.sheet
        sheet.freeze_panes(_HEAD_ROW + 1, 4)
        sheet.autofilter(_HEAD_ROW, 0, self.last_row, self.last_column)
        sheet.set_tab_color("#2F5D8A")
        print_setup(sheet, self.roster.origin, landscape=True, repeat=(_HEAD_ROW, _HEAD_ROW))

    def _head(self) -> None:
        origin, sheet, formats = self.roster.origin, self.sheet, self.formats
        title = f"{self.entry.name}核查清单（{origin.organisation_name}）"
        merge_text(sheet, 0, (0, self.last_column), formats.titled(title), formats.title())
        line = (
            f"数据期：{origin.period_name}　数据截止：{chinese_date(origin.as_of)}　共 {len(self.entry.rows):,} 条　"
            f"报回时限：{deadline(self.roster.return_by)}　黄色栏由核查单位填写，说明见首页　"
            "★含个人信息，仅限本项工作使用，不得外传"
        )
        merge_text(sheet, 1, (0, self.last_column), line, formats.get(font_size=9, font_color="#595959"))
        sheet.set_row(0, 30)
        sheet.set_row(1, 18)
        sheet.set_row(_HEAD_ROW, 32)
        sheet.set_column(0, 0, 5.5)
        write_text(sheet, _HEAD_ROW, 0, "序号", formats.column_head())
        for place, column in enumerate(self.columns, start=1):
            sheet.set_column(place, place, column.width)
            write_text(sheet, _HEAD_ROW, place, column.title, formats.column_head(fill_in=column.fill_in))

    def _rows(self) -> None:
        # Looks are found once a column: there are up to 20,000 rows.
        sheet, number_look = self.sheet, self.formats.boxed(bg_color=GREY, align="center", font_size=9)
        looks = [self._look(column) for column in self.columns]
        for number, row in enumerate(self.entry.rows, start=1):
            line = _HEAD_ROW + number
            sheet.set_row(line, self._row_height(row))
            sheet.write_number(line, 0, number, number_look)
            for place, (column, look) in enumerate(zip(self.columns, looks, strict=True), start=1):
                value = column.value(self.entry, row)
                if isinstance(value, int):
                    sheet.write_number(line, place, value, look)
                else:
                    write_text(sheet, line, place, value or "", look)

    def _row_height(self, row: RosterRow) -> float:
        lines = 1
        for column in self.columns:
            value = column.value(self.entry, row)
            if isinstance(value, str):
                lines = max(lines, lines_needed(value, column.width, font_size=9))
        return max(18.0, lines * 12.0 + 5)

    def _look(self, column: _Column) -> Any:
        align = {"align": "center"} if column.centred else {}
        if column.title in (ENROLLED, CHECKED):
            return self.formats.boxed(bg_color=YELLOW, num_format="yyyy-mm-dd", font_size=9, **align)
        ground = YELLOW if column.fill_in else GREY
        # "@" keeps what is typed over a number as text: a corrected ID stays eighteen digits.
        return self.formats.boxed(bg_color=ground, num_format="@", text_wrap=True, font_size=9, **align)

    def _place(self, title: str) -> int:
        return 1 + next(place for place, column in enumerate(self.columns) if column.title == title)

    def _validation(self) -> None:
        first = _HEAD_ROW + 1
        result = self._place(RESULT)
        self.sheet.data_validation(first, result, self.last_row, result, {
            "validate": "list", "source": _choices_range(len(self.roster.dispositions)),
            "error_title": "核查结果不在可选项内",
            "error_message": "请点开单元格右侧的下拉箭头，从列表中选择，不要自行填写。",
        })
        for title in (ENROLLED, CHECKED):
            place = self._place(title)
            self.sheet.data_validation(first, place, self.last_row, place, {
                "validate": "date", "criteria": ">=", "value": _EARLIEST_DATE,
                "error_title": f"{title}格式不正确", "error_message": "请按“年-月-日”填写，例如 2021-06-02。",
            })

    def _marks(self) -> None:
        """Green once a row is done; orange while a reason or a signature is still missing."""
        first, line = _HEAD_ROW + 1, _HEAD_ROW + 2
        result, note, worker, checked = (
            f"${address(0, self._place(title))[:-1]}{line}" for title in (RESULT, NOTE, WORKER, CHECKED)
        )
        needing = sum(1 for choice in self.roster.dispositions if choice.needs_note)
        no_note = f"AND(COUNTIF({_needing_range(needing)},{result})>0,{note}=\"\")" if needing else "FALSE"
        area = (first, 0, self.last_row, self.last_column)
        missing = f'=AND({result}<>"",OR({worker}="",{checked}="",{no_note}))'
        self.sheet.conditional_format(*area, {
            "type": "formula", "criteria": missing, "stop_if_true": True,
            "format": self.formats.get(bg_color=ORANGE),
        })
        self.sheet.conditional_format(*area, {
            "type": "formula", "criteria": f'={result}<>""', "format": self.formats.get(bg_color=GREEN),
        })


def _choices_range(number: int) -> str:
    return f"={CHOICES_SHEET}!$A$1:$A${number}"


def _needing_range(number: int) -> str:
    return f"{CHOICES_SHEET}!$B$1:$B${number}"


def _write_choices(book: Any, dispositions: tuple[DispositionChoice, ...]) -> None:
    """The drop-down's source on a sheet of its own: a list written into the rule may hold only 255 characters."""
    sheet = book.add_worksheet(CHOICES_SHEET)
    sheet.very_hidden()
    sheet.write_column(0, 0, [safe_cell(choice.name) for choice in dispositions])
    sheet.write_column(0, 1, [safe_cell(choice.name) for choice in dispositions if choice.needs_note])


def _write_roster_meta(book: Any, roster: Roster, places: list[tuple[RosterList, str]]) -> None:
    head = origin_head(ROSTER_SCHEMA, roster.origin) | {
        "dispositions": [
            {"name": safe_cell(choice.name), "needs_note": choice.needs_note} for choice in roster.dispositions
        ],
    }
    rows: list[tuple[CellValue, ...]] = [
        (row.finding_id, entry.id, _check(row.finding_id, row.name), _check(row.finding_id, row.id_number))
        for entry, _ in places for row in entry.rows
    ]
    write_meta(book, head, ("finding_id", "list", "name_check", "number_check"), rows)


def _check(finding_id: str, value: str) -> str:
    """A short hash of a printed value: enough to notice that rows and numbers were shuffled against each other."""
    printed = as_text(safe_cell(value))
    return hashlib.sha256(f"{finding_id}|{printed}".encode()).hexdigest()[:_CHECK_LENGTH]


# --- cover ----------------------------------------------------------------------------------------------


def _write_cover(
    sheet: Any, formats: Formats, roster: Roster, places: dict[str, tuple[str, list[_Column]]],
) -> None:
    origin = roster.origin
    for column, width in enumerate((24, 9, 9, 9, 10, 38)):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 40)
    merge_text(sheet, 0, (0, 5), formats.titled(f"{origin.campaign_name}核查任务清单"), formats.title())
    row = _cover_facts(sheet, formats, roster)
    row = _cover_lists(sheet, formats, roster, places, row + 1)
    row = _cover_rules(sheet, formats, row + 1)
    _cover_dispositions(sheet, formats, roster.dispositions, row + 1)
    sheet.set_tab_color("#C00000")
    sheet.activate()
    print_setup(sheet, origin, landscape=False)


def _cover_facts(sheet: Any, formats: Formats, roster: Roster) -> int:
    origin = roster.origin
    facts = (
        ("核查单位", origin.organisation_name),
        ("数据期", f"{origin.period_name}（数据截止{chinese_date(origin.as_of)}）"),
        ("下发单位", roster.issuer),
        ("报回时限", deadline(roster.return_by)),
        ("咨询联系", "　".join(part for part in (roster.contact.post, roster.contact.phone) if part)),
        ("使用目的", roster.purpose),
        ("下发批次", f"{origin.run_id}　内容校验码 {origin.content_sha256[:16]}" if origin.run_id else ""),
    )
    row = 1
    for label, text in facts:
        write_text(sheet, row, 0, label, formats.boxed(font_name="黑体", bg_color=GREY, align="center"))
        merge_text(sheet, row, (1, 5), text, formats.boxed(text_wrap=True, indent=1))
        sheet.set_row(row, _height(text, 73))
        row += 1
    return row


def _cover_lists(
    sheet: Any, formats: Formats, roster: Roster, places: dict[str, tuple[str, list[_Column]]], row: int,
) -> int:
    merge_text(sheet, row, (0, 5), "一、清单目录（已填数随填写自动更新）", formats.heading())
    for column, title in enumerate(("清单", "条数", "已填", "未填", "完成率", "列入原因和办结条件")):
        write_text(sheet, row + 1, column, title, formats.column_head())
    row += 2
    first = row
    for entry in roster.lists:
        _cover_list(sheet, formats, entry, places.get(entry.id), row)
        row += 1
    _cover_total(sheet, formats, first, row, sum(len(entry.rows) for entry in roster.lists))
    return row + 1


def _cover_list(
    sheet: Any, formats: Formats, entry: RosterList, place: tuple[str, list[_Column]] | None, row: int,
) -> None:
    number = formats.boxed(num_format="#,##0", align="center")
    if place is None:
        write_text(sheet, row, 0, entry.name, formats.boxed(text_wrap=True))
        filled = "=0"
    else:
        name, columns = place
        link = formats.boxed(font_color="#1F4E79", underline=1, text_wrap=True)
        sheet.write_url(row, 0, f"internal:'{name}'!A1", link, safe_cell(entry.name))
        letter = address(0, 1 + next(at for at, column in enumerate(columns) if column.title == RESULT))[:-1]
        first, last = _HEAD_ROW + 2, _HEAD_ROW + 1 + len(entry.rows)
        filled = f"=COUNTA('{name}'!{letter}{first}:{letter}{last})"
    sheet.write_number(row, 1, len(entry.rows), number)
    sheet.write_formula(row, 2, filled, number, 0)
    sheet.write_formula(row, 3, f"=B{row + 1}-C{row + 1}", number, len(entry.rows))
    sheet.write_formula(row, 4, f'=IF(B{row + 1}=0,"—",C{row + 1}/B{row + 1})', formats.boxed(
        num_format="0.0%", align="center"), 0 if entry.rows else "—")
    text = f"{entry.reason}；{entry.closes_when}即办结" if entry.closes_when else entry.reason
    write_text(sheet, row, 5, text, formats.boxed(text_wrap=True, font_size=9))
    sheet.set_row(row, max(_height(text, 38, font_size=9), _height(entry.name, 24)))


def _cover_total(sheet: Any, formats: Formats, first: int, row: int, total: int) -> None:
    number = formats.boxed(num_format="#,##0", align="center", bold=True)
    write_text(sheet, row, 0, "合计", formats.boxed(bold=True, align="center"))
    for column, (letter, value) in enumerate((("B", total), ("C", 0), ("D", total)), start=1):
        sheet.write_formula(row, column, f"=SUM({letter}{first + 1}:{letter}{row})", number, value)
    sheet.write_formula(row, 4, f'=IF(B{row + 1}=0,"—",C{row + 1}/B{row + 1})', formats.boxed(
        num_format="0.0%", align="center", bold=True))
    write_text(sheet, row, 5, "", formats.boxed())


_RULES = (
    "逐条核查，只填黄色栏；灰色栏为下发数据，请勿改动。发现下发数据有误，写入“原因说明”。",
    "“核查结果”从下拉列表选择；选择须说明原因的结果时，“原因说明”必填且须具体（时间、地点、去向）。",
    "“核查人”和“核查日期”逐条填写，可先填一行再向下拖动填充；日期按“年-月-日”，例如 2021-06-02。",
    "可以筛选，也可以整表排序；排序时须选中全部列，不要只对某一列排序。没有核查完的行留空，留空不等于零。",
    "报“已参保”的，以下期登记数据核实为准；登记数据没有的，将退回重新核查。",
    "填写后直接保存，原文件报回。不要新建工作簿，不要改为 .xls、图片或扫描件。",
    "本表含个人信息，仅限本项工作使用，不得复制、转发或提供给其他单位和个人；用后按规定删除。",
)


def _cover_rules(sheet: Any, formats: Formats, row: int) -> int:
    merge_text(sheet, row, (0, 5), "二、填写方法", formats.heading())
    for number, text in enumerate(_RULES, start=1):
        row += 1
        merge_text(sheet, row, (0, 5), f"{number}. {text}", formats.get(text_wrap=True))
        sheet.set_row(row, _height(text, 97))
    return row + 1


def _cover_dispositions(
    sheet: Any, formats: Formats, dispositions: tuple[DispositionChoice, ...], row: int,
) -> None:
    merge_text(sheet, row, (0, 5), "三、核查结果的含义", formats.heading())
    row += 1
    merge_text(sheet, row, (0, 1), "核查结果", formats.column_head())
    write_text(sheet, row, 2, "须说明原因", formats.column_head())
    merge_text(sheet, row, (3, 5), "含义和后续", formats.column_head())
    for choice in dispositions:
        row += 1
        meaning = disposition_meaning(choice)
        merge_text(sheet, row, (0, 1), choice.name, formats.boxed())
        write_text(sheet, row, 2, "是" if choice.needs_note else "", formats.boxed(align="center"))
        merge_text(sheet, row, (3, 5), meaning, formats.boxed(text_wrap=True))
        sheet.set_row(row, _height(meaning, 56))


def disposition_meaning(choice: DispositionChoice) -> str:
    """What choosing a result leads to, after its own explanation."""
    if choice.claims:
        follows = "报为已参保，下期登记数据核实后计入成效"
    elif choice.excuses:
        follows = "属确实不能参保，转入台账，不再下发"
    else:
        follows = "继续跟进，下期仍在清单内"
    return f"{choice.explanation}；{follows}" if choice.explanation else follows


def _height(text: str, width: float, *, font_size: int = 10) -> float:
    """Row height in points for text wrapped in a cell of the cover."""
    return max(20.0, lines_needed(text, width, font_size=font_size) * (font_size + 4.0) + 5)


# --- what comes back ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """What ``_meta`` says about one finding that was sent out."""

    name_check: str
    number_check: str


@dataclass(frozen=True)
class _Filled:
    """A row of a returned sheet with something filled in, and where its columns stand."""

    sheet: Sheet
    line: int
    places: dict[str, int]

    def value(self, title: str) -> CellValue:
        return self.sheet.at(self.line, self.places[title]) if title in self.places else None

    def text(self, title: str) -> str:
        return as_text(self.value(title))

    def fault(self, title: str, what: str, cure: str) -> CellFault:
        return CellFault(self.sheet.name, address(self.line, self.places[title]), what, cure)


def read_roster(path: Path) -> RosterReturn:
    """Read a worked roster (:func:`roster_of`). Raises FileReturned if the workbook is none of ours."""
    return roster_of(open_returned(path, ROSTER_SCHEMA))


def roster_of(returned: Returned) -> RosterReturn:
    """What stands in a worked roster. Rows with nothing filled in are passed over.

    A row is refused (a fault) if its number is unknown or given twice with different results, its result is none of
    the plan's, a required reason is missing, a date cannot be read, or both name and number beside it are no longer
    those that were sent. Who checked and when is asked for but does not hold a row back.
    """
    known = {
        as_text(row[0]): _Known(as_text(row[2]), as_text(row[3])) for row in returned.meta_rows if as_text(row[0])
    }
    reader = _Reader(known, {entry["name"]: entry["needs_note"] for entry in returned.head["dispositions"]})
    for sheet in returned.sheets.values():
        reader.read(sheet)
    return RosterReturn(
        campaign=returned.head["campaign"], organisation=returned.head["organisation"],
        period=returned.head["period"], run_id=returned.head["run_id"],
        content_sha256=returned.head["content_sha256"], results=tuple(reader.results.values()),
        faults=tuple(_in_order(reader.faults, returned)), warnings=tuple(_in_order(reader.warnings, returned)),
    )


def _in_order(faults: list[CellFault], returned: Returned) -> list[CellFault]:
    order = {name: place for place, name in enumerate(returned.sheets)}
    return sorted(faults, key=lambda fault: (order[fault.sheet], int("".join(filter(str.isdigit, fault.cell)))))


class _Reader:
    """Takes filled rows one by one and remembers which finding already has a result."""

    def __init__(self, known: dict[str, _Known], needs_note: dict[str, bool]) -> None:
        self.known, self.needs_note = known, needs_note
        self.results: dict[str, RosterResult] = {}
        self.refused: set[str] = set()
        self.faults: list[CellFault] = []
        self.warnings: list[CellFault] = []

    def read(self, sheet: Sheet) -> None:
        head = _head_line(sheet)
        if head is None:
            if sheet.name != COVER:  # its counts may look like task numbers
                self._look_for_stray_rows(sheet)
            return
        for row in _filled_rows(sheet, head):
            finding_id = row.text(NUMBER)
            faults = self._faults(row, finding_id)
            if faults:
                self.faults += faults
                continue
            self._take(row, finding_id)

    def _look_for_stray_rows(self, sheet: Sheet) -> None:
        """A list sheet without its header must not pass for one with nothing filled in."""
        for line, row in enumerate(sheet.rows):
            if any(as_text(value) in self.known for value in row):
                self.faults.append(CellFault(
                    sheet.name, address(line, 0), "缺少表头行，本表无法读取。",
                    f"请恢复含“{NUMBER}”“{RESULT}”的表头行。",
                ))
                return

    def _faults(self, row: _Filled, finding_id: str) -> list[CellFault]:
        if not finding_id or finding_id not in self.known:
            return [row.fault(
                NUMBER, "任务编号为空或不在本次下发范围内。",
                "请恢复下发时的任务编号；新增对象另行上报，不在本表添加。",
            )]
        if self._is_somebody_else(row, finding_id):
            return [row.fault(
                NUMBER, "任务编号与姓名、证件号码对不上，可能只对部分列作了排序。",
                "请用原下发文件重新填写本行，排序时选中全部列。",
            )]
        return [*self._result_faults(row), *_date_faults(row)]

    def _is_somebody_else(self, row: _Filled, finding_id: str) -> bool:
        """Both must differ: one alone is a clerk's correction or Excel's rounding of the number."""
        return not any(self._subject_matches(row, finding_id))

    def _subject_matches(self, row: _Filled, finding_id: str) -> tuple[bool, bool]:
        known = self.known[finding_id]
        words = next((kind for kind in SUBJECT_KINDS.values() if {kind.heads_name, kind.heads_number} <= row.places.keys()), None)
        if words is None:
            return False, False
        return (
            _check(finding_id, row.text(words.heads_name)) == known.name_check,
            _check(finding_id, row.text(words.heads_number)) == known.number_check,
        )

    def _result_faults(self, row: _Filled) -> Iterator[CellFault]:
        result = row.text(RESULT)
        if not result:
            yield row.fault(RESULT, "已填其他栏，但没有核查结果。", "请从下拉列表选择核查结果；未核查的行全部留空。")
        elif result not in self.needs_note:
            yield row.fault(RESULT, "核查结果不在可选项内。", "请点开单元格右侧的下拉箭头选择，各项含义见首页。")
        elif self.needs_note[result] and not row.text(NOTE):
            yield row.fault(NOTE, "该核查结果须说明原因，原因说明为空。", "请写明具体原因（时间、地点、去向）。")

    def _take(self, row: _Filled, finding_id: str) -> None:
        result = RosterResult(
            finding_id, row.text(RESULT), row.text(NOTE), as_date(row.value(ENROLLED)), row.text(WORKER),
            as_date(row.value(CHECKED)),
        )
        earlier = self.results.get(finding_id)
        if finding_id in self.refused or (earlier is not None and earlier != result):
            self.refused.add(finding_id)
            self.results.pop(finding_id, None)
            self.faults.append(row.fault(NUMBER, "同一任务编号填了两个不同的结果。", "请只保留一行。"))
            return
        self.results[finding_id] = result
        self._warn(row, finding_id)

    def _warn(self, row: _Filled, finding_id: str) -> None:
        for title in (WORKER, CHECKED):
            if title in row.places and not row.text(title):
                self.warnings.append(row.fault(title, f"{title}未填。", f"请补填{title}，以备抽查。"))
        if not all(self._subject_matches(row, finding_id)):
            self.warnings.append(row.fault(
                NUMBER, "本行姓名或证件号码与下发时不同，结果已采用，改动未采用。", "下发数据有误的，请写入原因说明。",
            ))


def _date_faults(row: _Filled) -> Iterator[CellFault]:
    for title in (ENROLLED, CHECKED):
        try:
            as_date(row.value(title))
        except ValueError:
            yield row.fault(title, f"{title}不是有效日期。", "请按“年-月-日”填写，例如 2021-06-02。")


def _filled_rows(sheet: Sheet, head: int) -> Iterator[_Filled]:
    """Rows below the header with something in a column that is to be filled in."""
    titles = [as_text(value) for value in sheet.rows[head]]
    places = {title: titles.index(title) for title in dict.fromkeys(titles) if title}
    for line in range(head + 1, len(sheet.rows)):
        row = _Filled(sheet, line, places)
        if any(row.text(title) for title in (RESULT, NOTE, ENROLLED, WORKER, CHECKED)):
            yield row


def _head_line(sheet: Sheet) -> int | None:
    """The header may have moved by lines inserted above it; it is known by its two indispensable columns."""
    for line, row in enumerate(sheet.rows[:20]):
        titles = {as_text(value) for value in row}
        if {NUMBER, RESULT} <= titles:
            return line
    return None
