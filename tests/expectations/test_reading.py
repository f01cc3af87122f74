"""Reading: whatever a department saves, the same rows come out, or a reason in its own language."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations import reading
from expectations.reading import find_header, read
from models import contract
from models.errors import FileReturned
from tests.expectations.a_file import POPULATION, a_number, a_person, csv_file, people, population_file, workbook

PEOPLE = contract.for_feed("population")
DEATHS = contract.for_feed("deaths")


def names(found: reading.Reading) -> list[str]:
    return found.table["name"].to_pylist()


# --- text files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_every_encoding_and_separator_gives_the_same_rows(tmp_path: Path, encoding: str, separator: str) -> None:
    path = csv_file(tmp_path / "a.csv", [POPULATION, *people(3)], encoding=encoding, separator=separator)
    found = read(path, PEOPLE)
    assert names(found) == ["王二", "王三", "王四"]
    assert found.table["id_number"].to_pylist() == [a_number(serial) for serial in (1, 2, 3)]
    assert found.table["row_number"].to_pylist() == [2, 3, 4]


def test_rare_letters_of_gb18030_survive(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [POPULATION, a_person(姓名="𠮷䶮")], encoding="gb18030")
    assert names(read(path, PEOPLE)) == ["𠮷䶮"]


@pytest.mark.parametrize("titles", range(7))
def test_a_header_is_found_under_up_to_six_title_lines(tmp_path: Path, titles: int) -> None:
    above = [[f"澄江市户籍人口信息（{line}）"] for line in range(titles)]
    found = read(csv_file(tmp_path / "a.csv", [*above, POPULATION, *people(2)]), PEOPLE)
    assert found.table["row_number"].to_pylist() == [titles + 2, titles + 3]


def test_columns_that_the_contract_does_not_name_are_not_kept(tmp_path: Path) -> None:
    headers = [*POPULATION, "民族", "婚姻状况"]
    found = read(population_file(tmp_path / "a.csv", [[*a_person(), "彝族", "已婚"]], headers), PEOPLE)
    assert set(found.table.column_names) == {"row_number", "member", "row_fault", *reading.LEADS, *PEOPLE.columns}
    assert "彝族" not in str(found.table.to_pydict())


def test_of_two_headers_for_one_column_the_one_listed_first_wins(tmp_path: Path) -> None:
    headers = ["社会保障号码", *POPULATION]
    found = read(population_file(tmp_path / "a.csv", [["", *a_person()]], headers), PEOPLE)
    assert found.headers["id_number"] == "身份证号"


def test_quoted_cells_may_hold_separators_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([POPULATION, a_person(住址="一村,\n二组"), a_person(2)])
    found = read(path, PEOPLE)
    assert found.table["address"].to_pylist()[0] == "一村,\n二组"
    assert found.table.num_rows == 2


def test_an_odd_quote_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    found = read(population_file(tmp_path / "a.csv", [a_person(住址='"一村'), *people(5)]), PEOPLE)
    assert found.table.num_rows == 6


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path: Path) -> None:
    rows = [a_person(1, 住址='"一村'), *[a_person(serial) for serial in range(2, 6)], a_person(6, 住址='一村"')]
    assert read(population_file(tmp_path / "a.csv", rows), PEOPLE).table.num_rows == 6


def test_blank_and_ragged_rows_keep_their_place_and_none_is_lost(tmp_path: Path) -> None:
    short = a_person(2)[:3]
    long = [*a_person(3), "多", "余"]
    found = read(population_file(tmp_path / "a.csv", [a_person(1), [""], short, long, a_person(4)]), PEOPLE)
    assert found.table["row_number"].to_pylist() == [2, 3, 4, 5, 6]
    assert names(found) == ["王二", "", "王三", "王四", "王五"]
    assert found.table["row_fault"].to_pylist() == [None, None, None, "shifted_columns", None]


def test_rows_saved_without_trailing_separators_are_read(tmp_path: Path) -> None:
    headers = [*POPULATION, "联系电话", "状态日期"]
    rows = [a_person(1), [*a_person(2), "13800000000"], a_person(3)]
    found = read(population_file(tmp_path / "a.csv", rows, headers), PEOPLE)
    assert names(found) == ["王二", "王三", "王四"]
    assert found.table["phone"].to_pylist() == [None, "13800000000", None]
    assert found.table["row_fault"].to_pylist() == [None, None, None]


def test_a_file_that_mixes_encodings_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(",".join(POPULATION).encode("utf-8-sig") + b"\r\n" + ",".join(a_person()).encode("gb18030"))
    with pytest.raises(FileReturned, match="编码"):
        read(path, PEOPLE)


# --- workbooks ------------------------------------------------------------------------------------------


def test_a_workbook_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Sheet1": [["户籍人口"], POPULATION, *people(2)]})
    disguised = path.rename(tmp_path / "a.csv")
    found = read(disguised, PEOPLE)
    assert (found.kind, names(found)) == ("workbook", ["王二", "王三"])
    assert found.table["row_number"].to_pylist() == [3, 4]


def test_a_text_file_called_xls_is_read_as_text(tmp_path: Path) -> None:
    assert read(population_file(tmp_path / "a.xls", people(2)), PEOPLE).kind == "text"


def test_numbers_lose_their_point_and_dates_become_iso(tmp_path: Path) -> None:
    rows = [["序号", "死者身份证号", "死者姓名", "死亡日期", "户籍乡镇"], [1, a_number(1), "王二", date(2021, 5, 3), 1.5]]
    found = read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}), DEATHS)
    assert found.table["lead_1"].to_pylist() == ["1"]
    assert found.table["death_date"].to_pylist() == ["2021-05-03"]
    assert found.table["township"].to_pylist() == ["1.5"]


def test_a_number_stored_as_a_number_never_looks_like_the_number_it_was(tmp_path: Path) -> None:
    rows = [POPULATION, [530422198506070015.0, *a_person()[1:]]]
    found = read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}), PEOPLE)
    assert found.table["id_number"].to_pylist() == ["5.30422198506070E+17"]


def test_all_sheets_are_read_one_after_the_other(tmp_path: Path) -> None:
    swapped = [POPULATION[1], POPULATION[0], *POPULATION[2:]]
    second = [[row[1], row[0], *row[2:]] for row in people(2)]
    path = workbook(tmp_path / "a.xlsx", {"凤麓": [POPULATION, *people(2)], "龙街": [["标题"], swapped, *second], "说明": [["填报说明"]]})
    found = read(path, PEOPLE)
    assert names(found) == ["王二", "王三", "王二", "王三"]
    # The first sheet ends on line 3; the second's rows stand on its lines 3 and 4.
    assert found.table["row_number"].to_pylist() == [2, 3, 6, 7]
    assert [(part.name, part.first_row - part.offset) for part in found.parts] == [("凤麓", 2), ("龙街", 3)]
    assert found.notes == 1


def test_a_sheet_of_data_without_a_header_is_not_lost_silently(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"一": [POPULATION, *people(2)], "二": people(2)})
    with pytest.raises(FileReturned, match=r"第2张工作表.*找不到表头"):
        read(path, PEOPLE)


def test_hidden_sheets_are_read_and_remarked_upon(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"一": [POPULATION, *people(1)], "二": [POPULATION, a_person(2)]}, hidden=("二",))
    found = read(path, PEOPLE)
    assert found.table.num_rows == 2
    assert found.remarks == {"hidden_sheet": 1}


def test_a_township_merged_over_several_rows_counts_for_each(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [POPULATION, *people(3, 乡镇=""), a_person(4, 乡镇="右所镇")]:
        sheet.append(list(row))
    sheet["F2"] = "凤麓街道"
    sheet.merge_cells("F2:F4")
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx", PEOPLE).table["township"].to_pylist() == ["凤麓街道"] * 3 + ["右所镇"]


def test_a_two_line_header_is_read_as_one(tmp_path: Path) -> None:
    above = ["序号", "基本信息", "", "", "", "", "户籍情况", "", ""]
    below = ["", "身份证号", "姓名", "性别", "出生日期", "户口性质", "乡镇", "住址", "状态"]
    path = workbook(tmp_path / "a.xlsx", {"一": [["标题"], above, below, *[[1, *row] for row in people(2)]]})
    found = read(path, PEOPLE)
    assert names(found) == ["王二", "王三"]
    assert found.table["row_number"].to_pylist() == [4, 5]


def test_amounts_in_ten_thousands_are_told_by_their_header(tmp_path: Path) -> None:
    rows = [["身份证号", "姓名", "乡镇", "参保状态", "本年缴费金额（万元）"], [a_number(1), "王二", "凤麓", "1", 0.033]]
    found = read(workbook(tmp_path / "a.xlsx", {"一": rows}), contract.for_feed("resident_pension"))
    assert found.units == {"paid_yuan": 10_000}


@pytest.mark.parametrize("name", ["old_workbook.xls", "open_document.ods"])
def test_old_workbooks_and_open_documents_are_read(name: str) -> None:
    found = read(Path(__file__).parent / name, PEOPLE)
    assert found.table["birth_date"].to_pylist() == ["1985-06-07"] * 3 + [""] + ["1985-06-07"] * 2
    assert found.table["row_number"].to_pylist() == [3, 4, 5, 6, 8, 9]


def test_a_broken_old_workbook_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096))
    with pytest.raises(FileReturned, match="已损坏"):
        read(path, PEOPLE)


# --- what is returned -----------------------------------------------------------------------------------


def test_a_missing_required_column_is_named_with_what_is_there_and_the_cure(tmp_path: Path) -> None:
    headers = ["身份证号", "姓名", "性别", "出生日期"]
    with pytest.raises(FileReturned) as refusal:
        read(population_file(tmp_path / "a.csv", [[a_number(1), "王二", "男", "1985-06-07"]], headers), PEOPLE)
    told = str(refusal.value)
    assert "缺少必需的列：「乡镇街道」、「人员状态」" in told
    assert "表头里有：身份证号、姓名、性别、出生日期" in told
    assert "「乡镇街道」也可写作 乡镇" in told
    assert "王二" not in told


def test_a_file_without_a_header_is_returned_without_quoting_it(tmp_path: Path) -> None:
    with pytest.raises(FileReturned) as refusal:
        read(csv_file(tmp_path / "a.csv", people(3)), PEOPLE)
    assert "找不到表头" in str(refusal.value)
    assert "王二" not in str(refusal.value)
    assert a_number(1) not in str(refusal.value)


def encrypted(path: Path) -> None:
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512) + "EncryptedPackage".encode("utf-16-le"))


def a_word_document(path: Path) -> None:
    import docx

    docx.Document().save(str(path))


@pytest.mark.parametrize(("make", "told"), [
    (lambda path: path.write_bytes(b""), "空的"),
    (lambda path: path.write_bytes(b"\xef\xbb\xbf\r\n \r\n"), "空的"),
    (lambda path: path.write_bytes(b"%PDF-1.7 ..."), "PDF"),
    (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0 ..."), "图片"),
    (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "已损坏"),
    (lambda path: path.write_bytes(b"<html><table><tr><td>x</td></tr></table></html>"), "网页"),
    (encrypted, "密码"),
    (a_word_document, "Word"),
])
def test_what_is_no_table_is_returned_with_the_reason(tmp_path: Path, make: Any, told: str) -> None:
    path = tmp_path / "a.xlsx"
    make(path)
    with pytest.raises(FileReturned, match=told) as refusal:
        read(path, PEOPLE)
    assert "报送" in str(refusal.value)


def test_a_truncated_workbook_is_returned(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"一": [POPULATION, *people(50)]})
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(FileReturned, match="已损坏"):
        read(path, PEOPLE)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(50_000_000))
    with pytest.raises(FileReturned, match="过大"):
        read(tmp_path / "a.xlsx", PEOPLE)


def test_one_known_header_alone_is_no_header() -> None:
    assert find_header([["姓名", "甲", "乙"], ["x"]], PEOPLE) is None
    assert find_header([["姓名", "身份证号"]], PEOPLE) is not None
