"""The clerical bench (身份核对表): a register's row and the person it may be about, side by side, for a person to decide.

One line is one pair; a row with several candidates has several lines. Who decides writes 是, 不是 or 查不清 in the yellow
column. It names persons with their full numbers: it is written for its owner only, and every one is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents.files import write_atomically
from documents.model import Origin
from documents.wording import safe_cell
from documents.workbook import (
    GREY,
    MUTED,
    YELLOW,
    Formats,
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

BENCH_SCHEMA = "canbao-bench-1"
TITLE, SHEET = "身份核对表", "身份核对"
IS_SAME, IS_OTHER, UNCLEAR = "是", "不是", "查不清"
REASONS = {
    "number_under_another_name": "号码是此人的，姓名明显不同（可能改名、录错号码）",
    "number_of_relative": "号码是同户另一人的，姓名与此人相符",
    "number_of_stranger": "号码是另一人的，姓名及其他各项与此人相符",
    "status_in_doubt": "号码、姓名与此人相符，日期或状态读不出",
    "two_numbers": "姓名、出生日期相符，号码不同（可能一人两个号码）",
    "several_fit": "号码有一处写错，改正后与此人相符，但不止一人或此人在该库已有记录",
    "old_number": "旧号码对应此人，姓名不符",
    "shared_number": "户籍登记中一个号码有两个姓名",
    "likeness": "没有可用的号码，其他各项与此人相近",
}
"""Why a pair is on the bench, for whoever decides; by the codes of ``comparison/sql/24_settled.sql``."""
_NUMBER, _ROW, _PERSON, _FILL = 0, 1, 2, 3
_HEADER_ROW = 3
_HOW_TO = (
    f"逐行核对左（登记库的记录）右（户籍人口中的人）是否同一人，在黄色列选择「{IS_SAME}」「{IS_OTHER}」「{UNCLEAR}」。"
    f"编号相同的几行是同一条记录的几个可能，至多一行选「{IS_SAME}」。认定后长期有效，以后各月不再询问；改变认定的，重新填报即可。"
)


@dataclass(frozen=True, slots=True)
class BenchPair:
    """One line of the bench. ``question`` numbers the row from 1; ``where`` says in which registers it stands."""

    question: int
    row_key: str
    person_id: str
    where: str
    row_name: str
    row_number: str
    row_birth: str
    row_township: str
    person_name: str
    person_number: str
    person_birth: str
    person_sex: str
    person_place: str
    person_household: str
    reason: str
    likelihood: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody decided of one pair; undecided ones are left out."""

    row_key: str
    person_id: str
    is_same: bool
    note: str


@dataclass(frozen=True, slots=True)
class Answers:
    """A bench that came back."""

    campaign: str
    period: str
    answers: tuple[Answer, ...]
    undecided: int


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: float
    side: int


_COLUMNS = (
    _Column("编号", 6, _NUMBER), _Column("登记库", 16, _ROW), _Column("登记姓名", 12, _ROW), _Column("登记号码", 21, _ROW),
    _Column("登记出生日期", 12, _ROW), _Column("登记乡镇", 12, _ROW), _Column("人口库姓名", 12, _PERSON),
    _Column("人口库号码", 21, _PERSON), _Column("出生日期", 12, _PERSON), _Column("性别", 6, _PERSON),
    _Column("住址（乡镇、村）", 18, _PERSON), _Column("户号", 15, _PERSON), _Column("为什么要核对", 30, _PERSON),
    _Column("相近程度", 9, _PERSON), _Column("是否同一人", 11, _FILL), _Column("依据或说明", 24, _FILL),
)
_ANSWER, _NOTE = len(_COLUMNS) - 2, len(_COLUMNS) - 1


def write_bench(path: Path, origin: Origin, pairs: tuple[BenchPair, ...]) -> None:
    """Writes the workbook, readable by its owner only. Raises StorageUnavailable."""

    def fill(book: Any, formats: Formats) -> None:
        _write_pairs(book, formats, origin, pairs)
        write_meta(book, origin_head(BENCH_SCHEMA, origin), ("line", "row_key", "person_id"),
                   [(line, pair.row_key, pair.person_id) for line, pair in enumerate(pairs, start=1)])

    write_atomically(path, lambda draft: save_workbook(draft, origin, TITLE, fill))


def _write_pairs(book: Any, formats: Formats, origin: Origin, pairs: tuple[BenchPair, ...]) -> None:
    sheet = book.add_worksheet(SHEET)
    last = len(_COLUMNS) - 1
    for number, column in enumerate(_COLUMNS):
        sheet.set_column(number, number, column.width)
    sheet.set_row(0, 32)
    merge_text(sheet, 0, (0, last), formats.titled(f"{origin.period_name}　{TITLE}"), formats.title())
    sheet.set_row(1, 28)
    merge_text(sheet, 1, (0, last), _HOW_TO, formats.get(font_size=9, font_color=MUTED, text_wrap=True))
    for side, text in ((_ROW, "登记库的记录"), (_PERSON, "户籍人口中的人"), (_FILL, "认定")):
        places = [number for number, column in enumerate(_COLUMNS) if column.side == side]
        merge_text(sheet, 2, (places[0], places[-1]), text, formats.column_head(fill_in=side == _FILL))
    sheet.set_row(_HEADER_ROW, 28)
    for number, column in enumerate(_COLUMNS):
        write_text(sheet, _HEADER_ROW, number, column.title, formats.column_head(fill_in=column.side == _FILL))
    for line, pair in enumerate(pairs, start=1):
        _write_pair(sheet, formats, _HEADER_ROW + line, line, pair)
    if pairs:
        sheet.data_validation(_HEADER_ROW + 1, _ANSWER, _HEADER_ROW + len(pairs), _ANSWER, {
            "validate": "list", "source": [IS_SAME, IS_OTHER, UNCLEAR],
            "error_title": "请选择", "error_message": f"请选择「{IS_SAME}」「{IS_OTHER}」「{UNCLEAR}」。"})
    sheet.freeze_panes(_HEADER_ROW + 1, 1)
    sheet.protect("", {"format_rows": True, "format_columns": True})
    print_setup(sheet, origin, landscape=True, repeat=(0, _HEADER_ROW))


def _write_pair(sheet: Any, formats: Formats, row: int, line: int, pair: BenchPair) -> None:
    cells = (
        f"{pair.question}", pair.where, pair.row_name, pair.row_number, pair.row_birth, pair.row_township,
        pair.person_name, pair.person_number, pair.person_birth, pair.person_sex, pair.person_place,
        pair.person_household, REASONS.get(pair.reason, pair.reason), f"{pair.likelihood:.0%}",
    )
    lines = 1
    for number, text in enumerate(cells):
        # What differs is what has to be looked at.
        differs = (number, bool(text)) in ((6, pair.row_name != text), (7, pair.row_number != text))
        look = formats.boxed(text_wrap=True, bg_color=GREY, bold=bool(differs and text), locked=True)
        write_text(sheet, row, number, safe_cell(text), look)
        lines = max(lines, lines_needed(text, _COLUMNS[number].width - 1, font_size=10))
    for number in (_ANSWER, _NOTE):
        write_text(sheet, row, number, "", formats.boxed(text_wrap=True, bg_color=YELLOW, locked=False))
    sheet.set_row(row, min(lines, 8) * 13.5 + 6)


def answer_cells(path: Path) -> dict[tuple[str, str], tuple[str, int, int]]:
    """Where the answer to each pair (row_key, person_id) of an issued bench is written: sheet, row and column from 1."""
    returned = open_returned(path, BENCH_SCHEMA)
    return {(str(row_key), str(person_id)): (SHEET, _HEADER_ROW + int(line) + 1, _ANSWER + 1)
            for line, row_key, person_id, *_ in returned.meta_rows}


# --- what comes back ------------------------------------------------------------------------------------


def read_bench(path: Path) -> Answers:
    """The decisions in a bench that came back. Raises FileReturned if it is none of ours, an answer is none of the three,
    or one row is said to be two persons."""
    returned = open_returned(path, BENCH_SCHEMA)
    sheet = returned.sheets.get(SHEET)
    if sheet is None:
        raise FileReturned(f"缺少「{SHEET}」表。", where="报送文件", cure="请在原下发的工作簿上填写，不要删除或改名工作表。")
    answers = list(_answers(sheet, returned.meta_rows))
    _refuse_contradictions(answers)
    return Answers(campaign=str(returned.head["campaign"]), period=str(returned.head["period"]),
                   answers=tuple(answers), undecided=len(returned.meta_rows) - len(answers))


def _answers(sheet: Any, keys: list[list[Any]]) -> Iterator[Answer]:
    for line, row_key, person_id, *_ in keys:
        row = _HEADER_ROW + int(line)
        said = as_text(sheet.at(row, _ANSWER))
        if said not in (IS_SAME, IS_OTHER, UNCLEAR, ""):
            raise FileReturned(f"第 {row + 1} 行的「是否同一人」无法识别。", where="报送文件",
                               cure=f"请填「{IS_SAME}」「{IS_OTHER}」或「{UNCLEAR}」。")
        if said in (IS_SAME, IS_OTHER):
            yield Answer(str(row_key), str(person_id), said == IS_SAME, as_text(sheet.at(row, _NOTE)))


def _refuse_contradictions(answers: list[Answer]) -> None:
    same = [answer.row_key for answer in answers if answer.is_same]
    twice = len(same) - len(set(same))
    if twice:
        raise FileReturned(f"有 {twice} 条记录被认定为两个人。", where="报送文件",
                           cure=f"编号相同的几行至多一行填「{IS_SAME}」，请改正后重新报送。")
