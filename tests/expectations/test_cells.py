"""Cells: what each shape of a number, date, month, amount, code and name is taken for, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.expectations.a_file import POPULATION, a_credit_code, a_number, a_person, csv_file, population_file

STANDARD = "11010519491231002X"
"""The example of GB 11643 itself. Digits by weights: 7+9+0+5+0+20+2+9+24+27+7+18+30+5+0+0+4 = 167; 167 mod 11 = 2,
and the third letter of 10X98765432 is X."""


@pytest.fixture
def numbers(normalise: Any, tmp_path: Path) -> Any:
    """Numbers as given; out come the accepted ones and the reasons of the others, in file order."""

    def read(*given: str) -> tuple[list[str], list[str], dict[str, int]]:
        rows = [a_person(serial, 身份证号=number, 性别="", 出生日期="") for serial, number in enumerate(given, start=1)]
        accounts, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
        return [row["id_number"] for row in accepted], [row["reason"] for row in quarantined], accounts.repaired

    return read


# --- citizen numbers ------------------------------------------------------------------------------------


def test_the_standards_own_example_is_valid(numbers: Any) -> None:
    assert numbers(STANDARD)[0] == [STANDARD]


def test_check_letters_worked_out_by_hand_are_the_only_ones_accepted(numbers: Any) -> None:
    # 53042219850607001?: 35+27+0+20+16+8+2+9+48+15+0+54+0+35+0+0+2 = 271; 271 mod 11 = 7, and the eighth of
    # 10X98765432 is 5.
    good = "530422198506070015"
    accepted, reasons, _ = numbers(*(good[:-1] + letter for letter in "0123456789X"))
    assert accepted == [good]
    assert set(reasons) == {"id_number_check_digit"}
    assert len(reasons) == 10


def test_every_single_wrong_digit_is_noticed(numbers: Any) -> None:
    good = a_number(7)
    wrong = [good[:i] + str((int(good[i]) + 1) % 10) + good[i + 1:] for i in range(17)]
    accepted, reasons, _ = numbers(*wrong)
    assert accepted == []
    assert len(reasons) == 17


def test_fifteen_digits_become_eighteen(numbers: Any) -> None:
    # 110105491231002 is the standard's example as it was written before 1999: 19 goes in, the check letter goes on.
    accepted, _, repaired = numbers("110105491231002")
    assert accepted == [STANDARD]
    assert repaired == {"id_number_15_digits": 1}


def test_marks_spaces_and_width_are_taken_away_and_counted(numbers: Any) -> None:
    ending_in_x = [number for number in map(a_number, range(1, 300)) if number.endswith("X")]
    written = [
        "{0}×", "'{0}X", " {0} X ", "{0}\u00a0X", "\ufeff{0}\u200bX", "{0}Ｘ", "{0}Х", "\t{0}X", "“{0}X”", "{0}x",
    ]
    given = [way.format(number[:17]) for way, number in zip(written, ending_in_x, strict=False)]
    accepted, reasons, repaired = numbers(*given)
    assert accepted == ending_in_x[:len(written)]
    assert reasons == []
    assert repaired == {"id_number_marks": 9, "id_number_lower_x": 1}


def test_what_is_no_number_is_quarantined_with_its_reason(numbers: Any) -> None:
    wrong = {
        "": "blank", "无": "blank", "-": "blank", "5304221985": "shape", "1101051949123100 2Y": "shape", "5.30422198506070E+17": "lost_digits",
        "5.30422E+17": "lost_digits", "530422198506070000": "lost_digits", "E12345678": "other_document", "H1234567890": "other_document",
        "030422198506070013": "shape",
    }
    assert numbers(*wrong)[:2] == ([], [f"id_number_{reason}" for reason in wrong.values()])


def test_a_birth_date_must_exist_and_not_lie_ahead(numbers: Any) -> None:
    # The period ends on 2021-05-31; a register extracted within 31 days after it may hold births up to 07-01.
    good = ["19000101", "18900101", "20210530", "20210701", "20000229"]
    bad = ["18891231", "20210702", "20901231", "19850230", "19000229", "19851301"]
    accepted, reasons, _ = numbers(*(a_number(1, born=born) for born in [*good, *bad]))
    assert accepted == [a_number(1, born=born) for born in good]
    assert reasons == ["id_number_birth_date"] * len(bad)


def test_a_retired_or_foreign_area_is_never_a_fault(numbers: Any) -> None:
    given = [a_number(1, area=area) for area in ("530422", "530481", "659004", "810000", "830000", "911100")]
    assert numbers(*given)[0] == given


def test_the_first_eighteen_of_a_certificate_are_the_number_where_the_field_may_hold_one(normalise: Any, tmp_path: Path) -> None:
    rows = [["残疾人证号", "姓名", "残疾等级"], [a_number(1) + "44", "王二", "四级"], [a_number(2) + "71B1", "王三", "壹级"]]
    accounts, accepted, _ = normalise(csv_file(tmp_path / "a.csv", rows), "disability")
    assert [(row["id_number"], row["certificate_no"], row["grade"]) for row in accepted] == [
        (a_number(1), a_number(1) + "44", "4"), (a_number(2), a_number(2) + "71B1", "1")]
    assert accounts.repaired == {"id_number_first_18": 2}


def test_more_than_eighteen_characters_are_no_number_elsewhere(numbers: Any) -> None:
    assert numbers(a_number(1) + "44")[1] == ["id_number_shape"]


def test_the_number_wins_over_sex_and_birth_date_and_they_are_flagged(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 性别="女", 出生日期="1985-06-08"), a_person(2), a_person(3, 性别="", 出生日期="")]
    accounts, accepted, _ = normalise(population_file(tmp_path / "a.csv", rows))
    assert [(row["sex"], row["birth_date"]) for row in accepted] == [
        ("M", date(1985, 6, 7)), ("F", date(1985, 6, 7)), ("M", date(1985, 6, 7))]
    assert accounts.repaired == {"sex_from_id": 1, "birth_date_from_id": 1}


def test_a_wrong_number_of_the_mother_empties_the_cell_and_keeps_the_child(normalise: Any, tmp_path: Path) -> None:
    rows = [["新生儿姓名", "出生日期", "母亲姓名", "母亲身份证号"], ["王小", "2021-05-03", "李大", a_number(2)[:-1] + "*"]]
    accounts, accepted, _ = normalise(csv_file(tmp_path / "a.csv", rows), "newborns")
    assert accepted[0]["mother_id_number"] is None
    assert accounts.emptied == {"mother_id_number_shape": 1}


def test_a_wrong_number_proves_nothing(normalise: Any, tmp_path: Path) -> None:
    right = a_number(1, born="20210504")
    wrong = right[:-1] + ("1" if right[-1] != "1" else "2")
    rows = [["新生儿姓名", "出生日期", "身份证号"], ["王小", "2021-05-03", wrong], ["李小", "2021-05-03", a_number(2, born="20210504")]]
    _, accepted, _ = normalise(csv_file(tmp_path / "a.csv", rows), "newborns")
    assert [row["birth_date"] for row in accepted] == [date(2021, 5, 3), date(2021, 5, 4)]


# --- credit codes ---------------------------------------------------------------------------------------


@pytest.fixture
def employers(normalise: Any, tmp_path: Path) -> Any:
    def read(*codes: str) -> tuple[Any, list[str], list[str]]:
        rows = [["统一社会信用代码", "企业名称", "登记状态", "乡镇"], *([code, "某厂", "存续", "凤麓"] for code in codes)]
        accounts, accepted, quarantined = normalise(csv_file(tmp_path / "a.csv", rows), "employers")
        return accounts, [row["credit_code"] for row in accepted], [row["reason"] for row in quarantined]

    return read


def test_the_check_letter_of_a_credit_code_is_the_standard_librarys(employers: Any) -> None:
    from stdnum.cn import uscc

    codes = [a_credit_code(serial) for serial in range(40)]
    assert all(uscc.is_valid(code) for code in codes)
    assert employers(*codes)[1] == codes


def test_letters_that_a_code_leaves_out_are_read_as_digits_where_the_check_then_holds(employers: Any) -> None:
    code = a_credit_code(1)
    accounts, accepted, _ = employers(code.replace("0", "O").lower())
    assert accepted == [code]
    assert accounts.repaired == {"credit_code_look_alike": 1}


def test_other_wrong_codes_are_quarantined_by_kind(employers: Any) -> None:
    code = a_credit_code(1)
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    _, accepted, reasons = employers(wrong, "530422100012345", "XK-1", "", a_credit_code(2))
    assert accepted == [a_credit_code(2)]
    assert reasons == [f"credit_code_{kind}" for kind in ("check_letter", "old_number", "shape", "blank")]


# --- dates, months, amounts, counts ---------------------------------------------------------------------


def deaths(path: Path, dates: Sequence[str]) -> Path:
    return csv_file(path, [["身份证号", "姓名", "死亡日期"], *([a_number(i + 1), "王二", text] for i, text in enumerate(dates))], separator="\t")


def test_a_date_in_any_common_shape_is_the_same_day(normalise: Any, tmp_path: Path) -> None:
    # Excel counts 2021-05-03 as day 44319.
    shapes = [
        "2021-05-03", "2021/5/3", "2021/05/03", "2021.5.3", "2021.05.03", "20210503", "2021年5月3日", "2021年05月03日", "2021-5-3",
        "2021-05-03 00:00:00", "2021-05-03T08:30:00", "2021/5/3 8:30", "44319", "44319.5", "２０２１－０５－０３", " 2021-05-03 ",
        "'2021-05-03", "2021年5月3号",
    ]
    _, accepted, _ = normalise(deaths(tmp_path / "a.csv", shapes), "deaths")
    found = {shapes[row["row_number"] - 2]: row["death_date"] for row in accepted}
    assert found == dict.fromkeys(shapes, date(2021, 5, 3))


def test_what_is_no_date_is_quarantined_where_a_date_is_required(normalise: Any, tmp_path: Path) -> None:
    wrong = [
        "2021-02-30", "20210230", "2021-13-01", "85-2", "85-2-3", "2021", "五月三日", "1899-12-31", "2100-01-01", "epoch", "#N/A",
    ]
    _, accepted, quarantined = normalise(deaths(tmp_path / "a.csv", wrong), "deaths")
    assert accepted == []
    assert [row["reason"] for row in quarantined] == ["death_date_unreadable"] * len(wrong)


@pytest.fixture
def pensions(normalise: Any, tmp_path: Path) -> Any:
    """Resident pension rows with these cells; tab-separated, for amounts hold commas."""

    def read(header: str, *texts: str) -> tuple[Any, list[dict[str, Any]]]:
        rows = [["身份证号", "姓名", "乡镇", "参保状态", header],
                *([a_number(i + 1), "王二", "凤麓", "1", text] for i, text in enumerate(texts))]
        accounts, accepted, _ = normalise(csv_file(tmp_path / "a.csv", rows, separator="\t"), "resident_pension")
        return accounts, accepted

    return read


def test_a_month_in_any_common_shape_is_the_same_month(pensions: Any) -> None:
    shapes = [
        "2021-04", "202104", "2021年4月", "2021年04月", "2021/4", "2021.04", "2021-4", "2021-04-30", "20210430", "2021年4月份", "202104期",
    ]
    assert [row["last_paid_month"] for row in pensions("最后缴费年月", *shapes)[1]] == ["2021-04"] * len(shapes)


def test_what_is_no_month_empties_an_optional_cell(pensions: Any) -> None:
    wrong = ["2021-13", "202100", "4月", "1850-01", "去年"]
    accounts, accepted = pensions("最后缴费年月", *wrong)
    assert [row["last_paid_month"] for row in accepted] == [None] * len(wrong)
    assert accounts.emptied == {"last_paid_month_unreadable": len(wrong)}


def test_an_amount_is_read_in_yuan(pensions: Any) -> None:
    amounts = {
        "330": 330.0, "330.50": 330.5, "330元": 330.0, "1,200.50": 1200.5, "¥1,200": 1200.0, "￥330": 330.0, "0.0330万": 330.0,
        "0.033万元": 330.0, "330元/年": 330.0, "３３０": 330.0, "0": 0.0, " 330 ": 330.0,
    }
    assert [row["paid_yuan"] for row in pensions("本年缴费金额", *amounts)[1]] == pytest.approx([*amounts.values()])


def test_what_is_no_amount_empties_the_cell(pensions: Any) -> None:
    accounts, accepted = pensions("本年缴费金额", "-330", "1,2", "三百", "330-500")
    assert [row["paid_yuan"] for row in accepted] == [None] * 4
    assert accounts.emptied == {"paid_yuan_negative": 1, "paid_yuan_unreadable": 3}


def test_a_blank_amount_is_blank_and_never_zero(pensions: Any) -> None:
    accounts, accepted = pensions("本年缴费金额", "", "-", "0")
    assert [row["paid_yuan"] for row in accepted] == [None, None, 0.0]
    assert accounts.emptied == {}


def test_a_header_in_ten_thousands_counts_unless_the_cell_says_otherwise(pensions: Any) -> None:
    assert [row["paid_yuan"] for row in pensions("本年缴费金额（万元）", "0.033", "330元")[1]] == [pytest.approx(330), 330]


def test_a_count_is_a_whole_number(normalise: Any, tmp_path: Path) -> None:
    counts = {"12": 12, "12.0": 12, "12人": 12, "1,200": 1200, "": None}
    rows = [[a_credit_code(i), "某厂", "存续", "凤麓", text] for i, text in enumerate(counts)]
    path = csv_file(tmp_path / "a.csv", [["统一社会信用代码", "企业名称", "登记状态", "乡镇", "从业人数"], *rows], separator="\t")
    assert [row["employees"] for row in normalise(path, "employers")[1]] == [*counts.values()]


# --- codes and names ------------------------------------------------------------------------------------


def test_code_spellings_become_codes(normalise: Any, tmp_path: Path) -> None:
    words = {
        "正常缴费": "active", "1": "active", " 参保缴费": "active", "１": "active", "暂停缴费（中断）": "suspended", "3": "terminated",
        "active": "active",
    }
    rows = [[a_number(i), "王二", "凤麓", word] for i, word in enumerate(words)]
    path = csv_file(tmp_path / "a.csv", [["身份证号", "姓名", "乡镇", "参保状态"], *rows])
    assert [row["status"] for row in normalise(path, "resident_pension")[1]] == [*words.values()]


def test_an_unknown_code_is_quarantined_where_it_is_required_and_emptied_where_not(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 状态="不明白"), a_person(2, 户口性质="居民户口")]
    accounts, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
    assert [row["reason"] for row in quarantined] == ["status_unknown"]
    assert accepted[0]["hukou_type"] is None
    assert accounts.emptied == {"hukou_type_unknown": 1}


def test_names_lose_stray_spaces_and_have_one_separator(normalise: Any, tmp_path: Path) -> None:
    names = {
        "王二": "王二", " 王 二 ": "王二", "王　二": "王二", "欧阳 建国": "欧阳建国", "买买提·艾力": "买买提·艾力", "买买提•艾力": "买买提·艾力",
        "买买提．艾力": "买买提·艾力", "买买提.艾力": "买买提·艾力", "买买提 · 艾力": "买买提·艾力", "买买提●艾力": "买买提·艾力",
        "阿不都热合曼 艾力": "阿不都热合曼 艾力", "王?": "王?", "\ufeff王二": "王二", "ＬＩ": "LI",
    }
    path = population_file(tmp_path / "a.csv", [a_person(i, 姓名=name) for i, name in enumerate(names)])
    assert [row["name"] for row in normalise(path)[1]] == [*names.values()]


def test_what_is_no_name_is_quarantined(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 姓名=""), a_person(2, 姓名="#N/A"), a_person(3, 姓名=a_number(9))]
    _, _, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
    assert [row["reason"] for row in quarantined] == ["name_blank", "name_unreadable", "name_holds_number"]


def test_a_quarantined_row_is_kept_as_it_came_with_its_line(normalise: Any, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [["户籍人口"], POPULATION, a_person(1), a_person(2, 身份证号=" 53042219850607 ")])
    _, _, quarantined = normalise(path)
    assert (quarantined[0]["row_number"], quarantined[0]["line"], quarantined[0]["id_number"]) == (4, 4, " 53042219850607 ")
