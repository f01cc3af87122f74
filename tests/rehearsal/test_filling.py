"""What a simulated clerk writes stands in the cells, and the rest of the workbook is as it was issued."""

import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from rehearsal.filling import enter


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    path = tmp_path / "issued.xlsx"
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("填报 & 汇总")
    sheet.merge_range(0, 0, 0, 5, "标题")
    sheet.write_string(2, 1, "旧")
    sheet.write_blank(2, 3, None, day)
    sheet.data_validation(2, 1, 2, 1, {"validate": "list", "source": ["甲", "乙"]})
    book.add_worksheet("另一页").write_number(0, 0, 7)
    book.define_name("field_1", "='填报 & 汇总'!$B$3")
    book.close()
    return path


def test_values_stand_in_cells_that_were_there_and_in_cells_that_were_not(issued: Path, tmp_path: Path) -> None:
    filled = tmp_path / "filled.xlsx"
    enter(issued, filled, {("填报 & 汇总", 2, 1): " 甲<&>\n", ("填报 & 汇总", 2, 0): 3, ("填报 & 汇总", 2, 2): 1.5,
                           ("填报 & 汇总", 2, 3): date(2021, 5, 26), ("填报 & 汇总", 1, 30): "新", ("填报 & 汇总", 9, 0): "末"})
    sheet, before = openpyxl.load_workbook(filled)["填报 & 汇总"], openpyxl.load_workbook(issued)["填报 & 汇总"]
    assert [cell.value for cell in sheet[3][:3]] == [3, " 甲<&>\n", 1.5]
    assert sheet["D3"].value.date() == date(2021, 5, 26)
    assert (sheet["AE2"].value, sheet["A10"].value, sheet["A1"].value) == ("新", "末", "标题")
    assert sheet.data_validations.dataValidation[0].sqref == before.data_validations.dataValidation[0].sqref


def test_nothing_but_the_sheets_written_to_changes(issued: Path, tmp_path: Path) -> None:
    filled = tmp_path / "filled.xlsx"
    enter(issued, filled, {("填报 & 汇总", 2, 1): "甲"})
    with zipfile.ZipFile(issued) as before, zipfile.ZipFile(filled) as after:
        changed = [name for name in before.namelist() if before.read(name) != after.read(name)]
        assert before.namelist() == after.namelist()
        assert changed == ["xl/worksheets/sheet1.xml"]


def test_a_workbook_can_be_filled_in_place(issued: Path) -> None:
    enter(issued, issued, {("另一页", 0, 0): "改"})
    assert openpyxl.load_workbook(issued)["另一页"]["A1"].value == "改"


def test_a_sheet_that_is_not_there_is_said(issued: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        enter(issued, tmp_path / "filled.xlsx", {("没有", 0, 0): 1})
    assert not (tmp_path / "filled.xlsx").exists()
