"""The forms an organisation fills in: the monthly report, and summaries, acknowledgements and records (C15, C18, C20).

What the registers already prove is prefilled and grey: nobody is asked for it again. Yellow cells are for what only the
organisation knows: progress, problems, measures. Whoever disagrees with a figure says so in a field of its own
instead of overwriting it (C22).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from documents.files import write_atomically
from documents.form_sheet import (
    PREFILLED,
    Column,
    Filled,
    FormSheet,
    Prefilled,
    check_filled,
    is_untouched,
    read_fields,
)
from documents.model import (
    REPORT_SHEET,
    CellFault,
    Contact,
    Deadline,
    FeedLine,
    FigureWords,
    FormSection,
    ListLine,
    Origin,
    ProgressLine,
    ReportForm,
    ReportReturn,
    TextForm,
    TextFormKind,
)
from documents.wording import UNKNOWN, chinese_date, deadline, in_unit, numeral, unit_name
from documents.workbook import (
    FORM_SCHEMA,
    Formats,
    Returned,
    address,
    as_date,
    as_number,
    as_text,
    open_returned,
    origin_head,
    print_setup,
    save_workbook,
)
from rules.actors import is_same, normal

_SECTION = "section:"
_DISPUTE, _PREPARED, _REVIEWED, _PHONE, _UNTIL = "dispute", "prepared_by", "reviewed_by", "phone", "data_until"
_REPORT_WIDTHS = (24.0, *(11.5,) * 11)
_TEXT_WIDTHS = (18.0, *(13.0,) * 6)

DEFAULT_SECTIONS: dict[TextFormKind, tuple[FormSection, ...]] = {
    "summary": (
        FormSection("results", "工作开展情况和成效"),
        FormSection("experience", "主要做法和经验"),
        FormSection("problems", "存在问题"),
        FormSection("next_steps", "下一步打算"),
    ),
    "acknowledgement": (
        FormSection("receipt", "接收确认", kind="choice", choices=("已收悉，按要求办理", "已收悉，有异议")),
        FormSection("arrangement", "任务分解和承办科室"),
        FormSection("objection", "异议说明", required=False),
    ),
    "record": (
        FormSection("held_on", "日期", kind="date"),
        FormSection("content", "记录内容"),
        FormSection("follow_up", "需跟进事项", required=False),
    ),
}
"""What such forms customarily ask for, where the plan's obligation does not name its own parts."""

_TEXT_SHEETS: dict[TextFormKind, str] = {"summary": "工作总结", "acknowledgement": "回执", "record": "工作记录"}
_TEXT_HEIGHTS: dict[TextFormKind, float] = {"summary": 170, "acknowledgement": 80, "record": 150}



def _indicator_columns(words: FigureWords) -> tuple[Column, ...]:
    return (
        Column("指标", 0, 0), Column("计量单位", 1, 1, "label"), Column("年度目标", 2, 2, "count"),
        Column(words.was, 3, 3, "count"), Column(words.added, 4, 4, "count"), Column(words.now, 5, 5, "count"),
        Column("完成率", 6, 6, "share"), Column("序时进度", 7, 7, "share"), Column("差额", 8, 8, "count"),
        Column("排名", 9, 9, "count"), Column("口径和来源", 10, 11),
    )


_LIST_COLUMNS = (
    Column("清单", 0, 0), Column("下发数", 1, 1, "count"), Column("已核查", 2, 2, "count"),
    Column("核查率", 3, 3, "share"), Column("报已参保", 4, 4, "count"), Column("数据核实", 5, 5, "count"),
    Column("核实不符", 6, 6, "count"), Column("未核查", 7, 7, "count"), Column("无法参保", 8, 8, "count"),
    Column("无法参保原因", 9, 11),
)
_FEED_COLUMNS = (
    Column("数据", 0, 0), Column("报送时限", 1, 2, "label"), Column("实报日期", 3, 4, "label"),
    Column("情况", 5, 5, "label"), Column("行数", 6, 6, "count"), Column("证件有效率", 7, 7, "share"),
    Column("说明", 8, 11),
)
_DUTY_COLUMNS = (Column("职责任务", 0, 9), Column("时限", 10, 11, "label"))


def write_report_form(path: Path, form: ReportForm) -> None:
    """Write one organisation's monthly report workbook. Raises StorageUnavailable."""

    def fill(book: Any, formats: Formats) -> None:
        page = _Page(book, formats, REPORT_SHEET, _REPORT_WIDTHS)
        page.head(f"{form.title}（{form.origin.period_name}）", form.origin, form.addressee, form.due, form.contact)
        indicators = _indicator_rows(form.indicators)
        page.part("目标任务完成情况（已由登记数据核实）", "indicators", _indicator_columns(form.words), indicators)
        page.part("清单核查情况", "lists", _LIST_COLUMNS, _list_rows(form.lists))
        page.part("数据报送情况", "feeds", _FEED_COLUMNS, _feed_rows(form.feeds))
        page.part("职责任务", "duties", _DUTY_COLUMNS, (
            (duty.what, f"{chinese_date(duty.by)}前" if duty.by else "按工作需要") for duty in form.duties
        ))
        page.sections(form.sections, height=96)
        if form.indicators or form.lists or form.feeds or any(part.kind == "number" for part in form.sections):
            page.dispute()
        page.signatures(form.origin.as_of, columns=((1, 2), (4, 5), (7, 8), (10, 11)))
        page.form.finish(_head(form.origin, "monthly_report", form.item))
        print_setup(page.form.sheet, form.origin, landscape=True)

    write_atomically(path, lambda draft: save_workbook(draft, form.origin, form.title, fill))


def write_text_form(path: Path, form: TextForm) -> None:
    """Write a summary, acknowledgement or record to be filled in. Raises StorageUnavailable."""

    def fill(book: Any, formats: Formats) -> None:
        page = _Page(book, formats, _TEXT_SHEETS[form.form], _TEXT_WIDTHS)
        page.head(form.title, form.origin, form.addressee, form.due, form.contact)
        if form.facts:
            page.form.heading(page.numbered("有关情况"))
            for fact in form.facts:
                page.form.fact(fact.label, fact.text)
        page.sections(form.sections or DEFAULT_SECTIONS[form.form], height=_TEXT_HEIGHTS[form.form])
        page.signatures(form.origin.as_of if form.form == "summary" else None, columns=((1, 2), (4, 6)))
        page.form.finish(_head(form.origin, form.form, form.item))
        print_setup(page.form.sheet, form.origin, landscape=False)

    write_atomically(path, lambda draft: save_workbook(draft, form.origin, form.title, fill))


def _head(origin: Origin, form: str, item: str) -> dict[str, Any]:
    return origin_head(FORM_SCHEMA, origin) | {"form": form, "item": item}


class _Page:
    """The parts all forms share, numbered as they come."""

    def __init__(self, book: Any, formats: Formats, name: str, widths: tuple[float, ...]) -> None:
        self.form = FormSheet(book, formats, name, widths)
        self._number = 0

    def numbered(self, text: str) -> str:
        self._number += 1
        return f"{numeral(self._number)}、{text}"

    def head(self, title: str, origin: Origin, addressee: str, due: Deadline, contact: Contact) -> None:
        self.form.title(title)
        self.form.note(f"填报单位：{origin.organisation_name}　　报送：{addressee}　　报送时限：{deadline(due)}")
        call = "　".join(part for part in (contact.post, contact.phone) if part)
        self.form.note(f"灰色为已核实数据，请勿改动；黄色由填报单位填写，带★的必填；留空不等于零。　　咨询：{call}")

    def part(
        self, title: str, key: str, columns: tuple[Column, ...], rows: Iterable[tuple[Prefilled, ...]],
    ) -> None:
        """A prefilled table, left out if the organisation has nothing of the kind."""
        held = tuple(rows)
        if held:
            self.form.heading(self.numbered(title))
            self.form.table(key, columns, held)

    def sections(self, sections: tuple[FormSection, ...], *, height: float) -> None:
        self.form.heading(self.numbered("填报内容（行高可拖动调整）"))
        for section in sections:
            self.form.section(f"{_SECTION}{section.id}", section, height=height)

    def dispute(self) -> None:
        section = FormSection(_DISPUTE, "数据异议说明", required=False, hint="（异议写在这里，勿改灰色数据）")
        self.form.section(_DISPUTE, section, height=52)

    def signatures(self, as_of: date | None, *, columns: tuple[tuple[int, int], ...]) -> None:
        """Who prepared, who reviewed, whom to call and, where there are data, until when they go; as many on a line as
        there are ``columns``."""
        self.form.heading(self.numbered("填报信息"))
        fields: list[Callable[[tuple[int, int]], None]] = [
            lambda place: self._small(_PREPARED, "★填报人", place),
            lambda place: self._small(_REVIEWED, "★审核人", place),
            lambda place: self._small(_PHONE, "联系电话", place, required=False),
        ]
        if as_of is not None:
            fields.append(lambda place: self._until(as_of, place))
        for number, write in enumerate(fields):
            place = columns[number % len(columns)]
            self.form.sheet.set_row(self.form.row, 30)
            write(place)
            if place == columns[-1] or number == len(fields) - 1:
                self.form.row += 1
        gap = "　" * 12
        self.form.note(f"单位负责人（签字）：{gap}填报单位（盖章）：{gap}年　　月　　日")

    def _small(self, key: str, label: str, place: tuple[int, int], *, required: bool = True) -> None:
        self.form.label(place[0] - 1, label)
        self.form.fill_in(key, "name", label.removeprefix("★"), place, required=required)

    def _until(self, as_of: date, place: tuple[int, int]) -> None:
        self.form.label(place[0] - 1, "★数据截止时间")
        self.form.fill_in(_UNTIL, "date", "数据截止时间", place, required=True, value=as_of)


def _indicator_rows(lines: tuple[ProgressLine, ...]) -> Iterator[tuple[Prefilled, ...]]:
    for line in lines:
        figures = (in_unit(value, line.unit) for value in (line.target, line.previous, line.added, line.current))
        yield (
            line.label, unit_name(line.unit), *figures, line.completion, line.pace, in_unit(line.gap, line.unit),
            line.rank, line.basis or UNKNOWN,
        )


def _list_rows(lines: tuple[ListLine, ...]) -> Iterator[tuple[Prefilled, ...]]:
    for line in lines:
        reasons = "；".join(f"{entry.reason} {entry.count:,}" for entry in line.excused)
        yield (
            line.label, line.released, line.checked, line.check_share, line.claimed, line.confirmed,
            line.contradicted, line.released - line.checked, line.excused_total, reasons or UNKNOWN,
        )


def _feed_rows(lines: tuple[FeedLine, ...]) -> Iterator[tuple[Prefilled, ...]]:
    for line in lines:
        due = chinese_date(line.due.effective) if line.due else UNKNOWN
        yield (
            line.feed, due, chinese_date(line.delivered_on), line.state, line.rows, line.valid_id_share,
            line.remark or UNKNOWN,
        )


# --- what comes back ------------------------------------------------------------------------------------


@dataclass
class _Taken:
    """What was read so far."""

    texts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float | None] = field(default_factory=dict)
    own: dict[str, Filled] = field(default_factory=dict)
    cells: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)

    def text(self, key: str) -> str:
        return as_text(self.own[key].value) if key in self.own else ""


def read_report_form(path: Path) -> ReportReturn:
    """Read a form that came back (:func:`report_form_of`). Raises FileReturned if the workbook is none of ours."""
    return report_form_of(open_returned(path, FORM_SCHEMA))


def report_form_of(returned: Returned) -> ReportReturn:
    """What stands in a form that came back: a monthly report or a text form.

    Faults: a required part blank, a prefilled figure changed, a preparer who is also the reviewer, a date or number
    that is none, data later than the period.
    """
    as_of = date.fromisoformat(returned.head["as_of"])
    taken = _Taken()
    for filled in read_fields(returned):
        if filled.field.kind == PREFILLED:
            if not is_untouched(filled):
                taken.faults.append(_overwritten(filled))
        else:
            _take(filled, taken)
    taken.faults += _four_eyes(taken)
    data_until = _data_until(taken, as_of)
    head = returned.head
    return ReportReturn(
        campaign=head["campaign"], organisation=head["organisation"], item=head["item"], period=head["period"],
        run_id=head["run_id"], content_sha256=head["content_sha256"], texts=taken.texts, figures=taken.figures,
        dispute=taken.text(_DISPUTE), prepared_by=taken.text(_PREPARED), reviewed_by=taken.text(_REVIEWED),
        phone=taken.text(_PHONE), data_until=data_until, faults=tuple(taken.faults), cells=taken.cells,
    )


def _overwritten(filled: Filled) -> CellFault:
    original = filled.field.content["shown"]
    return filled.fault(f"预填数据“{filled.field.label}”被改动。", f"请恢复为“{original}”；有异议写入“数据异议说明”。")


def _take(filled: Filled, taken: _Taken) -> None:
    key, kind = filled.field.key, filled.field.kind
    if key.startswith(_SECTION):
        taken.cells[key.removeprefix(_SECTION)] = filled.field.sheet, address(filled.field.row, filled.field.column)
    fault = check_filled(filled)
    if fault is not None:
        taken.faults.append(fault)
    elif not key.startswith(_SECTION):
        taken.own[key] = filled
    elif kind == "number":
        taken.figures[key.removeprefix(_SECTION)] = as_number(filled.value)
    else:
        day = as_date(filled.value) if kind == "date" else None
        taken.texts[key.removeprefix(_SECTION)] = day.isoformat() if day else as_text(filled.value)


def _four_eyes(taken: _Taken) -> Iterator[CellFault]:
    """Whoever prepares a report does not review it; spaces, dots and look-alike letters in a name make no second person."""
    prepared, reviewed = taken.text(_PREPARED), taken.text(_REVIEWED)
    if normal(prepared) and is_same(prepared, reviewed) and normal(reviewed):
        yield taken.own[_REVIEWED].fault("审核人与填报人为同一人。", "请由另一名负责人审核并填写。")


def _data_until(taken: _Taken, as_of: date) -> date | None:
    filled = taken.own.get(_UNTIL)
    if filled is None:
        return None
    day = as_date(filled.value)
    if day is not None and day > as_of:
        taken.faults.append(filled.fault(
            "数据截止时间晚于本期末。", f"本期数据截至{chinese_date(as_of)}，之后的情况在下期报告。",
        ))
        return None
    return day
