"""Numbers, dates and cells as documents write and read them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.files import write_atomically
from documents.model import Deadline
from documents.wording import (
    EXCEL_TEXT_LIMIT,
    chinese_date,
    count,
    deadline,
    numeral,
    quantity,
    safe_cell,
    share,
    span,
)
from documents.workbook import address, as_date, as_number, column_index, sheet_name
from models.errors import StorageUnavailable


@pytest.mark.parametrize(("number", "text"), [
    (1, "一"), (9, "九"), (10, "十"), (11, "十一"), (19, "十九"), (20, "二十"), (21, "二十一"), (99, "九十九"),
])
def test_headings_count_in_chinese(number, text):
    assert numeral(number) == text


@pytest.mark.parametrize("number", [0, 100])
def test_headings_end_at_ninety_nine(number):
    with pytest.raises(ValueError, match="1 to 99"):
        numeral(number)


def test_a_deadline_on_a_workday_has_one_date():
    assert deadline(Deadline(date(2021, 6, 2), date(2021, 6, 2))) == "2021年6月2日（星期三）前（含当日）"


def test_a_moved_deadline_says_from_where_and_which_way():
    assert deadline(Deadline(date(2021, 12, 5), date(2021, 12, 6))).endswith("原定12月5日为非工作日，顺延至该日")
    assert deadline(Deadline(date(2021, 12, 5), date(2021, 12, 3))).endswith("原定12月5日为非工作日，提前至该日")


def test_spans_name_the_year_again_only_where_it_changes():
    assert span(date(2021, 3, 18), date(2021, 5, 31)) == "2021年3月18日至5月31日"
    assert span(date(2018, 9, 16), date(2020, 9, 30)) == "2018年9月16日至2020年9月30日"
    assert span(date(2022, 1, 1), None) == "2022年1月1日起长期"
    assert span(None, date(2018, 9, 15)) == "2018年9月15日前"


@pytest.mark.parametrize(("value", "unit", "text"), [
    (17900, "person", "17,900人"), (90, "percent", "90%"), (0.9, "share", "90%"), (330, "yuan_per_year", "330元/年"),
    (331.234, "yuan", "331.23元"), (None, "person", "—"), (0, "person", "0人"),
])
def test_quantities_carry_their_unit_and_unknown_is_no_zero(value, unit, text):
    assert quantity(value, unit) == text


def test_unknown_is_a_dash_everywhere():
    assert {count(None), share(None), chinese_date(None)} == {"—"}


@given(st.text())
def test_no_cell_begins_a_formula(text):
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.text(alphabet="中文abc 12.，", max_size=50))
def test_harmless_text_is_left_alone(text):
    assert safe_cell(text) == text


def test_a_text_too_long_for_excel_is_cut_and_says_so():
    cut = safe_cell("长" * 40_000)
    assert len(cut) == EXCEL_TEXT_LIMIT
    assert cut.endswith("…")


@given(st.integers(0, 16_383), st.integers(0, 1_048_575))
def test_addresses_and_columns_are_each_others_inverse(column, row):
    text = address(row, column)
    letters = text.rstrip("0123456789")
    assert (column_index(letters), int(text[len(letters):]) - 1) == (column, row)


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_however_clerks_write_it(day):
    for text in (f"{day.year}-{day.month}-{day.day}", f"{day:%Y%m%d}", chinese_date(day), f"{day:%Y.%m.%d}", f" {day:%Y/%m/%d} "):
        assert as_date(text) == day


@pytest.mark.parametrize("text", ["六月", "2021-06", "2021-02-30", "21-6-2", "20216002"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        as_date(text)


@pytest.mark.parametrize(("value", "number"), [(3, 3.0), ("1,200", 1200.0), ("0", 0.0), (None, None)])
def test_numbers_are_read_with_separators_and_blank_stays_blank(value, number):
    assert as_number(value) == number


@pytest.mark.parametrize("text", ["nan", "inf", "三", "3人"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        as_number(text)


def test_sheet_names_are_legal_and_never_repeat():
    taken: set[str] = set()
    names = [sheet_name(wanted, taken) for wanted in ("清单/一:*?", "清单一", "长" * 60, "长" * 60, "", "History")]
    assert len({name.casefold() for name in names}) == 6
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in names)


def test_a_failed_writing_leaves_the_older_document_untouched(tmp_path):
    path = tmp_path / "document.txt"
    path.write_text("older")

    def fail(draft):
        draft.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageUnavailable, match="No space left"):
        write_atomically(path, fail)
    assert path.read_text() == "older"
    assert [entry.name for entry in tmp_path.iterdir()] == ["document.txt"]


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "one" / "two" / "document.txt"

    def write(draft: Path) -> None:
        draft.write_text("whole")

    write_atomically(path, write)
    assert path.read_text() == "whole"
