"""How numbers, dates and names are written in Chinese official documents.

Arabic dates without leading zeros (GB/T 9704-2012, 7.3.5.4); what is not known is a dash, never zero.
"""

from __future__ import annotations

import re
from datetime import date

from documents.model import Deadline

UNKNOWN = "—"
UNIT_NAMES = {
    "person": "人", "employer": "户", "project": "个", "percent": "%", "share": "%", "yuan_per_year": "元/年",
    "yuan": "元", "day": "天", "month": "个月", "year": "年", "times": "次",
}
_WEEKDAYS = "一二三四五六日"
_DIGITS = "零一二三四五六七八九"
# XML 1.0 has no way to write these, and both Word and Excel call a file with them damaged.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A cell that starts like this becomes a formula once the table is saved as CSV (domain.md, files, row 46).
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
EXCEL_TEXT_LIMIT = 32_767


def printable(text: str) -> str:
    """The text without characters that no document format can hold."""
    return _UNPRINTABLE.sub("", text)


def safe_cell(text: str) -> str:
    """The text as it may stand in a table cell: printable, no formula, within Excel's length.

    A first character that would start a formula gets an apostrophe before it, which stays visible: someone who saves
    the sheet as CSV is then safe too.
    """
    clean = printable(text)
    if clean.startswith(_FORMULA_START):
        clean = "'" + clean
    return clean if len(clean) <= EXCEL_TEXT_LIMIT else clean[: EXCEL_TEXT_LIMIT - 1] + "…"


def chinese_date(day: date | None) -> str:
    """2021年6月2日."""
    return UNKNOWN if day is None else f"{day.year}年{day.month}月{day.day}日"


def month_day(day: date) -> str:
    """6月2日."""
    return f"{day.month}月{day.day}日"


def deadline(due: Deadline) -> str:
    """「2021年10月8日（星期五）前（含当日）」, and why it differs from the notice's date if it does."""
    text = f"{chinese_date(due.effective)}（星期{_WEEKDAYS[due.effective.weekday()]}）前（含当日）"
    if due.effective == due.nominal:
        return text
    moved = "顺延" if due.effective > due.nominal else "提前"
    return f"{text}；原定{month_day(due.nominal)}为非工作日，{moved}至该日"


def span(starts: date | None, ends: date | None) -> str:
    """A phase's dates. An open end is routine operation."""
    if starts is None:
        return f"{chinese_date(ends)}前"
    if ends is None:
        return f"{chinese_date(starts)}起长期"
    same_year = starts.year == ends.year
    return f"{chinese_date(starts)}至{month_day(ends) if same_year else chinese_date(ends)}"


def count(value: float | None) -> str:
    """12,375; fractions with two digits."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def two_digits(value: float) -> str:
    """27.00: figures of one column that are compared with each other."""
    return f"{value:,.2f}"


def share(value: float | None) -> str:
    """A fraction as a percentage with two digits."""
    return UNKNOWN if value is None else f"{value * 100:.2f}%"


def unit_name(unit: str) -> str:
    """The Chinese name of a plan unit; an unknown unit is printed as it is."""
    return UNIT_NAMES.get(unit, unit)


def in_unit(value: float | None, unit: str) -> float | None:
    """The number as it stands beside its unit's Chinese name: a share becomes percent."""
    return value * 100 if unit == "share" and value is not None else value


def quantity(value: float | None, unit: str) -> str:
    """A number with its unit: 17,900人, 90%."""
    if value is None:
        return UNKNOWN
    return f"{count(in_unit(value, unit))}{unit_name(unit)}"


def signed_share(value: float | None) -> str:
    """A change as a share, with its sign."""
    return UNKNOWN if value is None else f"{value * 100:+.2f}%"


def numeral(number: int) -> str:
    """1–99 in Chinese numerals, as headings count."""
    if not 1 <= number <= 99:
        raise ValueError(f"headings are numbered 1 to 99, not {number}")
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_DIGITS[tens]}十")
    return head + (_DIGITS[ones] if ones else "")


def names(items: tuple[str, ...]) -> str:
    """Names in a sentence, parted by 、."""
    return "、".join(items)
