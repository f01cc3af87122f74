"""Simulated clerks: they open the very workbooks that were issued, fill in the yellow cells, and hand them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from documents.bench_workbook import IS_OTHER, IS_SAME, UNCLEAR, answer_cells
from documents.form_sheet import PREFILLED, read_fields
from documents.roster import CHECKED, ENROLLED, NOTE, NUMBER, RESULT, WORKER
from documents.workbook import FORM_SCHEMA, ROSTER_SCHEMA, as_text, open_returned
from models.plan import Section
from rehearsal.filling import Place, enter
from rehearsal.writing import Author, own_figures

SECTION = "section:"
PREPARER, REVIEWER = "演练填报岗", "演练审核岗"


@dataclass(frozen=True)
class Answer:
    """What goes beside one finding on a roster."""

    result: str
    note: str
    enrolled_on: date | None
    worker: str
    checked_on: date


@dataclass(frozen=True)
class OnRoster:
    """One finding as a roster shows it to its owner: number, list, and the subject's own number."""

    finding_id: str
    list_name: str
    subject_number: str


def read_tasks(path: Path) -> list[OnRoster]:
    """What a roster asks its owner to check, read from its visible sheets."""
    tasks = []
    for sheet in open_returned(path, ROSTER_SCHEMA).sheets.values():
        for head, row in enumerate(sheet.rows):
            titles = [as_text(value) for value in row]
            if NUMBER not in titles or RESULT not in titles:
                continue
            number = next(titles.index(title) for title in ("证件号码", "统一社会信用代码", "施工许可证号") if title in titles)
            of_list = titles.index("清单")
            for line in sheet.rows[head + 1:]:
                if as_text(line[titles.index(NUMBER)]):
                    tasks.append(OnRoster(as_text(line[titles.index(NUMBER)]), as_text(line[of_list]), as_text(line[number])))
            break
    return tasks


def fill_roster(issued: Path, handed_in: Path, answers: Mapping[str, Answer]) -> int:
    """Fills the result columns for the findings answered; returns how many rows were, and writes nothing if none."""
    if not answers:
        return 0
    values: dict[Place, Any] = {}
    filled = 0
    for name, sheet in open_returned(issued, ROSTER_SCHEMA).sheets.items():
        places: dict[str, int] = {}
        for number, row in enumerate(sheet.rows):
            if not places:
                titles = {as_text(value): column for column, value in enumerate(row)}
                places = titles if NUMBER in titles and RESULT in titles else {}
                continue
            answer = answers.get(as_text(row[places[NUMBER]]))
            if answer is None:
                continue
            said = {RESULT: answer.result, NOTE: answer.note, ENROLLED: answer.enrolled_on, WORKER: answer.worker,
                    CHECKED: answer.checked_on}
            values |= {(name, number, places[title]): value for title, value in said.items() if value not in (None, "")}
            filled += 1
    enter(issued, handed_in, values)
    return filled


@dataclass(frozen=True)
class Slip:
    """What is wrong with a careless clerk's form: a part is left blank, or ``repeats`` what it said last month."""

    part: str
    repeats: bool = False


def fill_form(issued: Path, handed_in: Path, author: Author, sections: Sequence[Section], slip: Slip | None = None) -> None:
    """Fills every part of a form as its author writes, with the figures the form shows; a careless clerk with a slip."""
    values: dict[Place, Any] = {}
    fields = list(read_fields(open_returned(issued, FORM_SCHEMA)))
    figures, numbers = own_figures(fields), author.numbers(sections)
    for filled in fields:
        field = filled.field
        key = field.key.removeprefix(SECTION)
        if field.kind == PREFILLED or not field.required or filled.value is not None or (slip == Slip(key)):
            continue
        value: Any = {"prepared_by": PREPARER, "reviewed_by": REVIEWER}.get(key)
        if value is None and field.kind == "choice":
            value = field.content[0]
        if value is None and field.kind == "number":
            value = numbers.get(key, 0)
        if value is None:
            value = author.text(field.label, figures, last_month=slip == Slip(key, repeats=True))
        values[field.sheet, field.row, field.column] = value
    enter(issued, handed_in, values)


def fill_bench(issued: Path, handed_in: Path, same: Mapping[tuple[str, str], bool | None]) -> int:
    """Answers every pair (row_key, person_id) of a bench as somebody would who went and asked; None, and what ``same`` does
    not know, cannot be found out. Returns how many are the same person."""
    answers = {True: IS_SAME, False: IS_OTHER, None: UNCLEAR}
    cells = answer_cells(issued)
    enter(issued, handed_in, {(sheet, row - 1, column - 1): answers[same.get(pair)] for pair, (sheet, row, column) in cells.items()})
    return sum(same.get(pair) is True for pair in cells)
