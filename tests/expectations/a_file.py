"""Small builders of delivered files for the tests: citizen numbers, credit codes, workbooks and text files.

Every person and unit is made up. The check characters are worked out here a second time, digit by digit as the
standards write it, so that the tests do not borrow the answer from the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

POPULATION = ("身份证号", "姓名", "性别", "出生日期", "户口性质", "乡镇", "住址", "状态")


def a_number(serial: int = 1, *, born: str = "19850607", area: str = "530422") -> str:
    """A citizen number with its check character (GB 11643); odd serials are men."""
    digits = f"{area}{born}{serial:03d}"
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]


def a_credit_code(serial: int = 1) -> str:
    """A unified social credit code with its check character (GB 32100)."""
    body = f"91530481MA6{serial:06d}"
    total = sum(CREDIT_LETTERS.index(letter) * 3**place for place, letter in enumerate(body))
    return body + CREDIT_LETTERS[(31 - total % 31) % 31]


def a_person(serial: int = 1, **cells: str) -> list[str]:
    """A row of the population register under the headers of ``POPULATION``, correct unless told otherwise."""
    number = a_number(serial)
    row = {
        "身份证号": number, "姓名": f"王{'一二三四五六七八九十'[serial % 10]}", "性别": "男" if serial % 2 else "女",
        "出生日期": "1985-06-07", "户口性质": "农业", "乡镇": "凤麓街道", "住址": "澄江市凤麓街道一村1号", "状态": "正常",
    }
    return [*{**row, **cells}.values()]


def people(count: int, **cells: str) -> list[list[str]]:
    """So many different, correct rows."""
    return [a_person(serial, **cells) for serial in range(1, count + 1)]


def csv_file(path: Path, rows: Sequence[Sequence[Any]], *, encoding: str = "utf-8", separator: str = ",") -> Path:
    """A text file of these rows, cells as they stand, header included."""
    path.write_bytes("".join(separator.join(map(str, row)) + "\r\n" for row in rows).encode(encoding))
    return path


def population_file(path: Path, rows: Sequence[Sequence[Any]], headers: Sequence[str] = POPULATION) -> Path:
    """A population register as text."""
    return csv_file(path, [headers, *rows])


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[Any]]], *, hidden: tuple[str, ...] = ()) -> Path:
    """A workbook of these sheets; dates become date cells, numbers number cells."""
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for line, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(line, place, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(line, place, cell)
                elif cell is not None:
                    sheet.write(line, place, cell)
    book.close()
    return path
