"""A population register of any size as a department sends it, for measuring: GB18030 text or a workbook.

Numbers are valid and distinct, townships come in their several spellings, one row in two hundred has a wrong digit and
one in a hundred stands twice. Everything follows from a running number: no two runs differ.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from models.plan import Plan

HEADERS = ("公民身份号码", "姓名", "性别", "出生日期", "户口性质", "户号", "乡镇（街道）", "村（居）委会", "户籍地址", "联系电话",
           "人员状态", "变动日期")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉萍红鹏飞玲健俊峰琴志"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_AREA, _FIRST_DAY, _DAYS = "530422", date(1930, 1, 1), 33_000
"""33,000 days of 999 numbers each: more than any city needs."""
_WRONG_EVERY, _TWICE_EVERY = 200, 100


def rows(plan: Plan, count: int) -> Iterator[tuple[str, ...]]:
    """So many rows, header not counted."""
    towns = [way for org in plan.organisations if org.kind == "township" for way in (org.name, org.short)]
    made = number = 0
    while made < count:
        row = _row(number, towns, plan.region.name)
        yield row
        made += 1
        if number % _TWICE_EVERY == 0 and made < count:
            yield row
            made += 1
        number += 1


def _row(number: int, towns: list[str], region: str) -> tuple[str, ...]:
    born = _FIRST_DAY + timedelta(days=number * 7919 % _DAYS)
    serial = number // _DAYS
    body = f"{_AREA}{born:%Y%m%d}{serial + 1:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    check = "10X98765432"[(total + 1) % 11 if number % _WRONG_EVERY == 7 else total]
    town, village = towns[number * 31 % len(towns)], number * 17 % 30 + 1
    name = _letter(_SURNAMES, number * 13) + _letter(_GIVEN, number * 7) + (_letter(_GIVEN, number * 11) if number % 5 else "")
    has_left = number % 40 == 0
    return (body + check, name, "男" if serial % 2 == 0 else "女", born.isoformat(), "农业户口" if number % 9 < 5 else "非农业户口",
            f"H{number // 3:09d}", town, f"第{village}村", f"{region}{town}第{village}村{number % 700 + 1}号",
            f"13{number * 37 % 10**9:09d}", "迁出" if has_left else "正常", "2020-03-01" if has_left else "")


def _letter(letters: str, number: int) -> str:
    return letters[number % len(letters)]


def write_text(plan: Plan, path: Path, count: int) -> Path:
    """The register as GB18030 text."""
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADERS)
        writer.writerows(rows(plan, count))
    return path


def write_workbook(plan: Plan, path: Path, count: int) -> Path:
    """The register as one sheet of text cells below a title."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "户籍人口登记")
    for line, row in enumerate((HEADERS, *rows(plan, count)), start=1):
        for place, cell in enumerate(row):
            sheet.write_string(line, place, cell)
    book.close()
    return path
