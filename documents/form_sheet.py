"""A form on one sheet: what is prefilled, what is to be filled in, and the map by which it is read back.

Every cell that matters gets a defined name, which moves with the cell when someone inserts rows, and a line in
``_meta`` that says what belongs there. The reader needs that map alone: no plan, no fixed addresses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from documents.model import CellFault, FieldKind, FormSection
from documents.wording import UNKNOWN, count, safe_cell, share, unit_name
from documents.workbook import (
    GREY,
    HEAD_BLUE,
    HEAD_FONT,
    HEAD_YELLOW,
    MUTED,
    YELLOW,
    CellValue,
    Formats,
    Returned,
    address,
    as_date,
    as_number,
    as_text,
    column_index,
    lines_needed,
    merge_text,
    write_meta,
    write_text,
)

PREFILLED = "prefilled"
CHOICES_SHEET = "_choices"
_META_COLUMNS = ("name", "key", "kind", "sheet", "cell", "label", "required", "content")
_NAME_PREFIX = "canbao_"
Prefilled = str | float | None
CellKind = FieldKind | Literal["name"]


@dataclass(frozen=True)
class Column:
    """A column of a prefilled table: its header, the sheet columns it spans, how it is shown (``text``, ``label``,
    ``count``, ``share``). Columns with numbers span one sheet column."""

    title: str
    first: int
    last: int
    style: str = "text"


@dataclass(frozen=True)
class Field:
    """One cell of the map. ``content`` is the prefilled value with the way it is shown, or the choices."""

    key: str
    kind: str
    sheet: str
    row: int
    column: int
    label: str
    required: bool = False
    content: Any = None


_NUMBER_FORMATS = {"count": "#,##0", "decimal": "#,##0.00", "share": "0.00%"}


class FormSheet:
    """Writes a form downwards, row by row, and remembers its fields."""

    def __init__(self, book: Any, formats: Formats, name: str, widths: tuple[float, ...]) -> None:
        self.book, self.formats, self.name, self.widths = book, formats, name, widths
        self.sheet = book.add_worksheet(name)
        self.row = 0
        self.fields: list[Field] = []
        self._choices: list[tuple[str, ...]] = []
        self._last = len(widths) - 1
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        self.sheet.hide_gridlines(2)

    # --- what is printed ---

    def title(self, text: str) -> None:
        self.sheet.set_row(self.row, 34)
        self._line(self.formats.titled(text), self.formats.title())

    def note(self, text: str) -> None:
        self.sheet.set_row(self.row, self._height(text, 0, self._last, 9))
        self._line(text, self.formats.get(font_size=9, font_color=MUTED, text_wrap=True))

    def heading(self, text: str) -> None:
        self.sheet.set_row(self.row, 24)
        self._line(text, self.formats.heading())

    def fact(self, label: str, text: str) -> None:
        """A prefilled line: what it is, and what it says over the rest of the row."""
        grey_label = self.formats.boxed(font_name=HEAD_FONT, bg_color=HEAD_BLUE, align="center", text_wrap=True)
        write_text(self.sheet, self.row, 0, label, grey_label)
        look = self.formats.boxed(bg_color=GREY, text_wrap=True, indent=1)
        merge_text(self.sheet, self.row, (1, self._last), text, look)
        self.sheet.set_row(self.row, self._height(text, 1, self._last, 10))
        self.row += 1

    def table(self, key: str, columns: tuple[Column, ...], rows: Iterable[tuple[Prefilled, ...]]) -> None:
        """A prefilled table. Its figures are watched: a changed one is a fault when the form comes back."""
        self.sheet.set_row(self.row, 30)
        for column in columns:
            merge_text(self.sheet, self.row, (column.first, column.last), column.title, self.formats.column_head())
        self.row += 1
        for number, row in enumerate(rows):
            label = str(row[0])
            height = 20.0
            for column, value in zip(columns, row, strict=True):
                self._prefilled(f"{key}.{number}", label, column, value)
                if isinstance(value, str):
                    height = max(height, self._height(value, column.first, column.last, 9))
            self.sheet.set_row(self.row, height)
            self.row += 1

    def _prefilled(self, key: str, label: str, column: Column, value: Prefilled) -> None:
        align = {"indent": 1} if column.style == "text" else {"align": "center"}
        look = self.formats.boxed(bg_color=GREY, text_wrap=True, font_size=9, **align)
        if value is None or isinstance(value, str):
            value = safe_cell(value or UNKNOWN)
            shown = value
            merge_text(self.sheet, self.row, (column.first, column.last), value, look)
        else:
            shown = share(value) if column.style == "share" else count(value)
            style = "decimal" if column.style == "count" and not float(value).is_integer() else column.style
            look = self.formats.boxed(bg_color=GREY, align="center", font_size=9, num_format=_NUMBER_FORMATS[style])
            self.sheet.write_number(self.row, column.first, value, look)
        self.fields.append(Field(
            f"{key}.{column.title}", PREFILLED, self.name, self.row, column.first, f"{label}·{column.title}",
            content={"value": value, "shown": shown},
        ))

    # --- what is to be filled in ---

    def section(self, key: str, section: FormSection, *, height: float) -> None:
        """One thing to be filled in, over the whole width for texts, in a small cell for all else."""
        mark = "★" if section.required else ""
        label = f"{mark}{section.name}" + (f"\n{section.hint}" if section.hint else "")
        write_text(self.sheet, self.row, 0, label, self._label_look())
        last = self._last if section.kind in ("text", "choice") else min(3, self._last)
        self.fill_in(key, section.kind, section.name, (1, last), required=section.required, choices=section.choices)
        if section.unit and last < self._last:
            write_text(self.sheet, self.row, last + 1, unit_name(section.unit), self.formats.get())
        own = self._height(label, 0, 0, 10)
        self.sheet.set_row(self.row, max(own, height if section.kind == "text" else 26.0))
        self.row += 1

    def fill_in(
        self, key: str, kind: CellKind, label: str, columns: tuple[int, int], *, required: bool,
        choices: tuple[str, ...] = (), value: date | None = None,
    ) -> None:
        """A yellow cell of the current row; ``value`` proposes a date."""
        look = self._fill_look(kind)
        first, last = columns
        if first != last:
            self.sheet.merge_range(self.row, first, self.row, last, "", look)
        if value is not None:
            self.sheet.write_datetime(self.row, first, value, look)
        else:
            self.sheet.write_blank(self.row, first, None, look)
        self._validate(kind, first, choices)
        self.fields.append(Field(
            key, kind, self.name, self.row, first, label, required, [safe_cell(choice) for choice in choices],
        ))

    def _fill_look(self, kind: CellKind) -> Any:
        base: dict[str, Any] = {"bg_color": YELLOW, "locked": False, "text_wrap": True}
        if kind == "date":
            return self.formats.boxed(num_format="yyyy-mm-dd", align="center", **base)
        if kind == "number":
            return self.formats.boxed(num_format="General", align="center", **base)
        if kind in ("choice", "name"):
            return self.formats.boxed(num_format="@", align="center", **base)
        return self.formats.boxed(num_format="@", align="left", indent=1, **{**base, "valign": "top"})

    def _validate(self, kind: CellKind, column: int, choices: tuple[str, ...]) -> None:
        rules: dict[str, dict[str, Any]] = {
            "date": {
                "validate": "date", "criteria": ">=", "value": date(1950, 1, 1),
                "error_title": "日期格式不正确", "error_message": "请按“年-月-日”填写，例如 2021-05-31。",
            },
            "number": {
                "validate": "decimal", "criteria": ">=", "value": 0,
                "error_title": "应为数字", "error_message": "请填不小于零的数字；确无发生填 0，不掌握请留空。",
            },
        }
        if kind == "choice":
            self._choices.append(choices)
            letter = address(0, len(self._choices) - 1)[:-1]
            rules["choice"] = {
                "validate": "list", "source": f"={CHOICES_SHEET}!${letter}$1:${letter}${len(choices)}",
                "error_title": "不在可选项内", "error_message": "请点开单元格右侧的下拉箭头，从列表中选择。",
            }
        if kind in rules:
            self.sheet.data_validation(self.row, column, self.row, column, rules[kind])

    def label(self, column: int, text: str) -> None:
        """A label beside a small cell to be filled in."""
        write_text(self.sheet, self.row, column, text, self._label_look())

    # --- the end ---

    def finish(self, head: dict[str, Any]) -> None:
        """Name the cells, write the map, and lock what is prefilled (without a password: it only prevents slips)."""
        if self._choices:
            sheet = self.book.add_worksheet(CHOICES_SHEET)
            sheet.very_hidden()
            for column, choices in enumerate(self._choices):
                sheet.write_column(0, column, [safe_cell(choice) for choice in choices])
        rows: list[tuple[CellValue, ...]] = []
        for number, field in enumerate(self.fields, start=1):
            name, cell = f"{_NAME_PREFIX}{number:03d}", address(field.row, field.column)
            column_letters = cell.rstrip("0123456789")
            self.book.define_name(name, f"='{field.sheet}'!${column_letters}${field.row + 1}")
            rows.append((
                name, field.key, field.kind, field.sheet, cell, field.label, int(field.required),
                json.dumps(field.content, ensure_ascii=False),
            ))
        write_meta(self.book, head, _META_COLUMNS, rows)
        self.sheet.protect("", {"format_rows": True, "format_columns": True})

    def _line(self, text: str, look: Any) -> None:
        merge_text(self.sheet, self.row, (0, self._last), text, look)
        self.row += 1

    def _label_look(self) -> Any:
        return self.formats.boxed(font_name=HEAD_FONT, bg_color=HEAD_YELLOW, align="center", text_wrap=True)

    def _height(self, text: str, first: int, last: int, font_size: int) -> float:
        width = sum(self.widths[first:last + 1])
        return max(20.0, lines_needed(text, width, font_size=font_size) * (font_size + 4.0) + 6)


# --- what comes back ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filled:
    """A field of the map with the value found where its cell is now."""

    field: Field
    value: CellValue

    def fault(self, what: str, cure: str) -> CellFault:
        return CellFault(self.field.sheet, address(self.field.row, self.field.column), what, cure)


def read_fields(returned: Returned) -> Iterator[Filled]:
    """Every field of the map with its value. A field whose cell is gone has no value."""
    for row in returned.meta_rows:
        name, key, kind, sheet, cell, label, required, content = (*row, *([""] * len(_META_COLUMNS)))[:8]
        if not name:
            continue
        first_place = _place(sheet, cell)
        place = returned.names.get(name, first_place)
        sheet_now, line, column = place or first_place
        field = Field(key, kind, sheet_now, line, column, label, bool(required), json.loads(content))
        found = returned.sheets.get(sheet_now)
        yield Filled(field, found.at(line, column) if found and place else None)


def _place(sheet: str, cell: str) -> tuple[str, int, int]:
    """The address a field had when the form went out: the last resort if its name was lost."""
    letters = cell.rstrip("0123456789")
    return sheet, int(cell[len(letters):]) - 1, column_index(letters)


def is_untouched(filled: Filled) -> bool:
    """Whether a prefilled cell still holds what went out; numbers may differ by rounding in the last place."""
    expected = filled.field.content["value"]
    if isinstance(expected, str):
        return as_text(filled.value) == as_text(expected)
    try:
        value = as_number(filled.value)
    except ValueError:
        return False
    return value is not None and math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)


def check_filled(filled: Filled) -> CellFault | None:
    """What is wrong with a cell that was to be filled in, if anything. Blank is never zero."""
    field, text = filled.field, as_text(filled.value)
    if not text:
        return filled.fault(f"“{field.label}”未填。", _BLANK_CURES[field.kind]) if field.required else None
    try:
        if field.kind == "number" and (as_number(filled.value) or 0) < 0:
            return filled.fault(f"“{field.label}”为负数。", "请填不小于零的数字。")
        if field.kind == "date":
            as_date(filled.value)
    except ValueError:
        return filled.fault(f"“{field.label}”{_KIND_FAULTS[field.kind]}", _KIND_CURES[field.kind])
    if field.kind == "choice" and text not in field.content:
        return filled.fault(f"“{field.label}”不在可选项内。", f"请从下拉列表选择：{'、'.join(field.content)}。")
    return None


_BLANK_CURES = {
    "text": "请填写；确无内容的写明“无”和原因。", "name": "请填写。", "choice": "请从下拉列表选择一项。",
    "number": "请填数字；确无发生填 0，留空不等于零。", "date": "请按“年-月-日”填写，例如 2021-05-31。",
}
_KIND_FAULTS = {"number": "不是数字。", "date": "不是有效日期。"}
_KIND_CURES = {"number": "请只填数字，不带单位和文字。", "date": "请按“年-月-日”填写，例如 2021-05-31。"}
