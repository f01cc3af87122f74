"""The workbooks' common ground: one look, one hidden ``_meta`` sheet, one way to open what comes back.

Grey cells are prefilled, yellow ones are to be filled in. ``_meta`` is very hidden (Excel offers no way to show it) and
says which campaign, organisation, period and run a workbook belongs to, so that a file is recognised by its content
and never by its name.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook, PasswordError
from xlsxwriter.exceptions import XlsxWriterException

from documents.model import Origin
from documents.wording import printable, safe_cell
from models.errors import FileReturned

META_SHEET = "_meta"
ROSTER_SCHEMA, FORM_SCHEMA = "canbao-roster-1", "canbao-form-1"
FONT, HEAD_FONT = "宋体", "黑体"
GREY, YELLOW, HEAD_BLUE, HEAD_YELLOW, GREEN, ORANGE = "#EDEDED", "#FFFBE0", "#D9E2EC", "#FFE699", "#E2F0D9", "#FBE0CC"
INK, BORDER, MUTED = "#000000", "#8C8C8C", "#595959"
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
"""A returned workbook unpacks to a few megabytes; far above that it is damaged or meant to do harm."""
_NAME_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DEFINED = re.compile(r"^'?(?P<sheet>.+?)'?!\$?(?P<column>[A-Z]{1,3})\$?(?P<row>\d+)")
_FORBIDDEN_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
_DATE_PARTS = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$")
_DATE_DIGITS = re.compile(r"^(\d{4})(\d{2})(\d{2})$")

CellValue = str | int | float | bool | date | datetime | time | None


class Formats:
    """The formats of one workbook, made once each."""

    def __init__(self, book: Any, drill: str = "") -> None:
        self._book, self._drill = book, drill
        self._made: dict[str, Any] = {}

    def get(self, **properties: Any) -> Any:
        """A format on top of the house look: small Song type, vertically centred."""
        key = json.dumps(properties, sort_keys=True)
        if key not in self._made:
            look = {"font_name": FONT, "font_size": 10, "valign": "vcenter", "font_color": INK, **properties}
            self._made[key] = self._book.add_format(look)
        return self._made[key]

    def boxed(self, **properties: Any) -> Any:
        """The same with a thin border round the cell."""
        return self.get(border=1, border_color=BORDER, **properties)

    def title(self) -> Any:
        """A sheet's title line."""
        return self.get(font_name=HEAD_FONT, font_size=16, align="center")

    def titled(self, title: str) -> str:
        """The text of a title line: a rehearsal's sheet says what it is."""
        return f"{title}（{self._drill}）" if self._drill else title

    def heading(self) -> Any:
        """A heading between the parts of a sheet."""
        return self.get(font_name=HEAD_FONT, font_size=11, align="left")

    def column_head(self, *, fill_in: bool = False) -> Any:
        """A table's header cell; yellow above columns to be filled in."""
        return self.boxed(
            font_name=HEAD_FONT, align="center", text_wrap=True, bg_color=HEAD_YELLOW if fill_in else HEAD_BLUE,
        )


def save_workbook(path: Path, origin: Origin, title: str, fill: Callable[[Any, Formats], None]) -> None:
    """Make an xlsx at ``path``. Dated by the data, not by the clock; nothing is spooled to a temporary folder."""
    # Strings stay strings: an ID must not become a number, nor an address a link or a formula.
    book = xlsxwriter.Workbook(str(path), {
        "in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False,
    })
    book.set_properties({
        "title": printable(title), "subject": printable(origin.campaign_name), "author": "", "company": "",
        "created": datetime.combine(origin.as_of, time()),
    })
    fill(book, Formats(book, origin.drill))
    try:
        book.close()
    except XlsxWriterException as error:
        raise OSError(str(error)) from None


def sheet_name(wanted: str, taken: set[str]) -> str:
    """A legal sheet name close to the wanted one and not taken yet (31 characters at most, compared without case)."""
    base = _FORBIDDEN_IN_SHEET_NAMES.sub("", printable(wanted)).strip()[:28] or "清单"
    name, number = base, 1
    while name.casefold() in taken or name.casefold() == "history":
        number += 1
        name = f"{base}{number}"
    taken.add(name.casefold())
    return name


def write_text(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    """Text that stays text, made safe against formulas."""
    if text:
        sheet.write_string(row, column, safe_cell(text), look)
    else:
        sheet.write_blank(row, column, None, look)


def merge_text(sheet: Any, row: int, columns: tuple[int, int], text: str, look: Any, *, rows: int = 1) -> None:
    """Text over several cells; a range of a single cell is no merge."""
    first, last = columns
    if first == last and rows == 1:
        write_text(sheet, row, first, text, look)
        return
    sheet.merge_range(row, first, row + rows - 1, last, "", look)
    write_text(sheet, row, first, text, look)


def lines_needed(text: str, width: float, *, font_size: float) -> int:
    """How many lines ``text`` takes in a column of that width: Excel does not grow merged cells by itself, nor any row
    of a file it did not write. A column unit is 7 pixels; a Chinese letter is as wide as the font is high."""
    letter = font_size * 4 / 3
    room = max(width * 7 - 5, letter)
    return sum(
        max(1, math.ceil(sum(letter if ord(sign) > 0x2E7F else letter / 2 for sign in line) / room))
        for line in text.split("\n")
    )


def print_setup(sheet: Any, origin: Origin, *, landscape: bool, repeat: tuple[int, int] | None = None) -> None:
    """A4, one page wide, narrow margins, page numbers, and where the figures come from at the foot."""
    sheet.set_paper(9)
    if landscape:
        sheet.set_landscape()
    else:
        sheet.set_portrait()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    source = f"{origin.organisation_name}　{origin.period_name}".replace("&", "&&")
    sheet.set_footer(f'&L&"{FONT},Regular"&8{printable(source)}&C&"{FONT},Regular"&9第 &P 页　共 &N 页')
    if origin.drill:
        sheet.set_header(f'&R&"{FONT},Regular"&8{printable(origin.drill)}')
    if repeat is not None:
        sheet.repeat_rows(*repeat)


def write_meta(book: Any, head: dict[str, Any], columns: tuple[str, ...], rows: list[tuple[CellValue, ...]]) -> None:
    """The very hidden sheet: a JSON head in A1, then a table, sealed with a checksum over both.

    The checksum tells a damaged sheet from a sound one; it is no proof against somebody who means to forge.
    """
    sheet = book.add_worksheet(META_SHEET)
    sheet.very_hidden()
    sealed = head | {"checksum": _checksum(head, rows)}
    sheet.write_string(0, 0, json.dumps(sealed, ensure_ascii=False, sort_keys=True))
    sheet.write_row(1, 0, columns)
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif value is not None:
                sheet.write_number(number, column, value)


def _checksum(head: dict[str, Any], rows: Iterable[Iterable[CellValue]]) -> str:
    """Over what a reader sees: blanks at a row's end and the difference between 1 and 1.0 do not count."""
    texts = ["\t".join(as_text(value) for value in row).rstrip("\t") for row in rows]
    content = json.dumps([head, texts], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def origin_head(schema: str, origin: Origin) -> dict[str, Any]:
    """The part of ``_meta`` that every workbook carries."""
    return {
        "schema": schema, "campaign": origin.campaign, "organisation": origin.organisation, "period": origin.period,
        "run_id": origin.run_id, "content_sha256": origin.content_sha256, "as_of": origin.as_of.isoformat(),
    }


# --- what comes back ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """The values of one returned sheet, addressed from zero; blank cells are ``None``."""

    name: str
    rows: list[list[Any]]

    def at(self, row: int, column: int) -> CellValue:
        if row >= len(self.rows) or column >= len(self.rows[row]):
            return None
        value: CellValue = self.rows[row][column]
        return None if value == "" else value


@dataclass(frozen=True)
class Returned:
    """A workbook of ours that came back: its ``_meta`` head and table, its visible sheets, its defined names."""

    head: dict[str, Any]
    meta_rows: list[list[Any]]
    sheets: dict[str, Sheet]
    names: dict[str, tuple[str, int, int] | None]


def open_returned(path: Path, *schemas: str) -> Returned:
    """Read a workbook that came back. Raises FileReturned, in the sender's language, if not ours or unreadable."""
    _refuse_what_is_no_xlsx(path)
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            sheets = {name: _sheet(book, name) for name in book.sheet_names}
        names = dict(_defined_names(path))
    except PasswordError:
        raise _returned("文件设有打开密码，无法读取。", "请取消密码后重新报送。") from None
    except (CalamineError, zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError, ValueError):
        raise _returned("文件已损坏，无法读取。", "请用 Excel 或 WPS 打开原下发文件，填写后重新报送。") from None
    meta = sheets.pop(META_SHEET, None)
    head = _head(meta)
    if meta is None or head is None or head.get("schema") not in schemas or not _is_whole(head, meta.rows[2:]):
        raise _returned(
            "不是本系统下发的表格（识别信息缺少或不符）。", "请在原下发的工作簿上填写，不要复制到新工作簿。",
        )
    return Returned(head, meta.rows[2:], sheets, names)


def _sheet(book: CalamineWorkbook, name: str) -> Sheet:
    """A sheet's values; each cell of a merged area holds the area's value, as the eye reads it."""
    sheet = book.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    for (first_row, first_column), (last_row, last_column) in sheet.merged_cell_ranges or ():
        if first_row >= len(rows) or first_column >= len(rows[first_row]):
            continue
        for row in rows[first_row:last_row + 1]:
            row[first_column:last_column + 1] = [rows[first_row][first_column]] * len(row[first_column:last_column + 1])
    return Sheet(name, rows)


def _refuse_what_is_no_xlsx(path: Path) -> None:
    """Old .xls and encrypted files share one container; both must be saved anew by the sender."""
    try:
        if not zipfile.is_zipfile(path):
            raise _returned(
                "不是 .xlsx 文件，或文件设有打开密码。", "请取消密码，用 Excel 或 WPS“另存为”.xlsx 后重新报送。",
            )
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        raise _returned("文件已损坏，无法读取。", "请重新报送原下发的工作簿。") from None
    if unpacked > MAX_UNPACKED_BYTES:
        raise _returned("文件异常庞大，未予读取。", "请在原下发的工作簿上填写，不要成片设置空白行的格式。")


def _returned(what: str, cure: str) -> FileReturned:
    """The file's own name is left out: senders put people's names into it."""
    return FileReturned(what, where="报送文件", cure=cure)


def _is_whole(head: dict[str, Any], rows: list[list[Any]]) -> bool:
    sealed = {key: value for key, value in head.items() if key != "checksum"}
    return bool(head.get("checksum") == _checksum(sealed, rows))


def _head(meta: Sheet | None) -> dict[str, Any] | None:
    text = meta.at(0, 0) if meta is not None else None
    if not isinstance(text, str):
        return None
    try:
        head = json.loads(text)
    except ValueError:
        return None
    return head if isinstance(head, dict) else None


def _defined_names(path: Path) -> Iterator[tuple[str, tuple[str, int, int] | None]]:
    """Names that move with their cells when rows are inserted; ``None`` where the cell was deleted."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    for entry in root.iter(f"{_NAME_SPACE}definedName"):
        match = _DEFINED.match(entry.text or "")
        place = None
        if match:
            place = (match["sheet"].replace("''", "'"), int(match["row"]) - 1, column_index(match["column"]))
        yield entry.get("name", ""), place


def column_index(letters: str) -> int:
    """A → 0, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def address(row: int, column: int) -> str:
    """The cell's address as people read it: (0, 0) → A1."""
    letters, number = "", column + 1
    while number:
        number, remainder = divmod(number - 1, 26)
        letters = chr(ord("A") + remainder) + letters
    return f"{letters}{row + 1}"


def as_text(value: CellValue) -> str:
    """A cell as text without edge spaces; a whole number loses its ``.0``."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\u00a0", " ").replace("\u3000", " ").strip()


def as_date(value: CellValue) -> date | None:
    """A cell as a date: a date cell, 2021-6-2, 2021/6/2, 2021.6.2, 2021年6月2日 or 20210602. Raises ValueError else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None:
        return value
    text = as_text(value)
    match = _DATE_PARTS.match(text) or _DATE_DIGITS.match(text)
    if not match:
        raise ValueError("not a date")
    return date(int(match[1]), int(match[2]), int(match[3]))


def as_number(value: CellValue) -> float | None:
    """A cell as a number; thousands separators are allowed in text. Raises ValueError if it is none."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return None if value is None else float(value)
    text = as_text(value).replace(",", "").replace("，", "")
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("not a number")
    return number
