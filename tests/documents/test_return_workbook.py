"""The return workbook: what a department sees, and that the same comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from documents.model import Origin
from documents.return_workbook import (
    COVER_SHEET,
    CURE_TITLE,
    KEY_TITLE,
    LINE_TITLE,
    PROBLEM_TITLE,
    ROWS_SHEET,
    SHEET_TITLE,
    FileProblem,
    ReasonLine,
    RefusedRow,
    ReturnContent,
    RowColumn,
    is_copy_of_rows,
    is_return_workbook,
    read_return_workbook,
    write_return_workbook,
)
from documents.workbook import META_SHEET
from models.errors import FileReturned

ORIGIN = Origin("chengjiang-2021", "2021年全民参保扩面专项行动", "minzheng", "市民政局", "2021-05", "2021年5月", date(2021, 6, 2))
COLUMNS = (RowColumn("id_number", "身份证号", 21), RowColumn("name", "姓名"), RowColumn("kind", "救助类别", 12, ("低保", "特困")))
WRONG = "「身份证号」校验位不符。\n请逐位核对。"


def a_row(line: int = 15, member: int = 1, sheet: str = "", **cells: str) -> RefusedRow:
    """A refused row with a wrong number."""
    shown = {"id_number": "530422198506070014", "name": "王一", "kind": "低保", **cells}
    return RefusedRow(line, member, sheet, line, shown, {"id_number": WRONG}, "「身份证号」校验位不符", "请逐位核对")


def a_content(*rows: RefusedRow, **changes: Any) -> ReturnContent:
    """A return of these rows."""
    content = ReturnContent(
        ORIGIN, "hardship", "低保和特困人员", 17, "ab" * 32, "民政局_低保.xlsx", date(2021, 6, 2), "退回，请更正",
        (("文件行数", 420), ("可用", 400), ("待核", 18), ("重复", 1), ("剔除", 1)), COLUMNS, rows or (a_row(),),
        (ReasonLine("「身份证号」校验位不符", 18, "请逐位核对"),), (FileProblem("退回", "有效的行占 94.20%", "请更正标红的号码"),))
    return replace(content, **changes)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes a return and gives the path."""

    def write(*rows: RefusedRow, **changes: Any) -> Path:
        path = tmp_path / "更正单.xlsx"
        write_return_workbook(path, a_content(*rows, **changes))
        return path

    return write


def text_of(path: Path, sheet: str) -> str:
    return "\n".join(str(cell) for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True) for cell in row if cell)


def test_the_cover_accounts_for_every_row_and_says_what_is_wrong_and_what_to_do(written: Any) -> None:
    cover = text_of(written(), COVER_SHEET)
    for words in ("市民政局", "低保和特困人员　2021年5月", "民政局_低保.xlsx", "文件行数 420 ＝ 可用 400 ＋ 待核 18 ＋ 重复 1 ＋ 剔除 1",
                  "有效的行占 94.20%", "请更正标红的号码", "18", "怎样更正", "原样报回"):
        assert words in cover


def test_each_row_stands_with_its_line_its_cells_its_fault_and_its_cure(written: Any) -> None:
    rows = list(openpyxl.load_workbook(written())[ROWS_SHEET].iter_rows(min_row=3, values_only=True))
    assert rows[0] == (LINE_TITLE, "身份证号", "姓名", "救助类别", PROBLEM_TITLE, CURE_TITLE, KEY_TITLE)
    assert rows[1] == ("15", "530422198506070014", "王一", "低保", "「身份证号」校验位不符", "请逐位核对", "15")


def test_the_faulty_cell_is_red_unlocked_and_commented_and_its_neighbour_is_not(written: Any) -> None:
    sheet = openpyxl.load_workbook(written())[ROWS_SHEET]
    faulty, sound = sheet["B4"], sheet["C4"]
    assert faulty.fill.fgColor.rgb == "FFF4B6B6"
    assert "请逐位核对" in faulty.comment.text
    assert (sound.fill.fill_type, sound.comment) == (None, None)
    assert [cell.protection.locked for cell in (faulty, sound, sheet["E4"], sheet["G4"])] == [False, False, True, True]


def test_numbers_stay_text(written: Any) -> None:
    cell = openpyxl.load_workbook(written())[ROWS_SHEET]["B4"]
    assert (cell.data_type, cell.number_format) == ("s", "@")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_becomes_a_formula(written: Any, start: str) -> None:
    cell = openpyxl.load_workbook(written(a_row(name=f"{start}HYPERLINK(1)")))[ROWS_SHEET]["C4"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


def test_codes_are_chosen_from_a_list(written: Any) -> None:
    book = openpyxl.load_workbook(written())
    (rule,) = book[ROWS_SHEET].data_validations.dataValidation
    assert (rule.type, str(rule.sqref), rule.errorStyle) == ("list", "D4", "warning")
    assert [cell.value for cell in book["_choices"]["A"]] == ["低保", "特困"]


def test_several_sheets_are_told_apart_and_one_needs_no_column(written: Any) -> None:
    titles = [cell.value for cell in openpyxl.load_workbook(written(a_row(15, sheet="凤麓"), a_row(99, sheet="龙街")))[ROWS_SHEET][3]]
    assert titles[0] == SHEET_TITLE
    assert SHEET_TITLE not in text_of(written(a_row(sheet="名册")), ROWS_SHEET)


def test_both_sheets_print_on_a4_across_with_the_header_repeated(written: Any) -> None:
    book = openpyxl.load_workbook(written())
    for name in (COVER_SHEET, ROWS_SHEET):
        setup = book[name].page_setup
        assert (setup.orientation, int(setup.paperSize), setup.fitToHeight) == ("landscape", 9, 0)
    assert book[ROWS_SHEET].print_title_rows == "$1:$3"


def test_the_identity_is_out_of_sight(written: Any) -> None:
    assert openpyxl.load_workbook(written())[META_SHEET].sheet_state == "veryHidden"


def test_rows_that_are_not_listed_are_said(written: Any) -> None:
    assert "另有 30 行未列" in text_of(written(unlisted=30), COVER_SHEET)


def test_rows_beyond_the_limit_have_no_comment_but_their_words(written: Any) -> None:
    sheet = openpyxl.load_workbook(written(a_row(15), a_row(16), most_comments=1))[ROWS_SHEET]
    assert [sheet[f"B{line}"].comment is None for line in (4, 5)] == [False, True]
    assert sheet["F5"].value == "请逐位核对"


def test_the_file_is_for_its_owner_only(written: Any) -> None:
    assert written().stat().st_mode & 0o077 == 0


def test_the_same_return_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_return_workbook(tmp_path / name, a_content())
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


# --- what comes back ------------------------------------------------------------------------------------


def test_what_went_out_comes_back_under_any_name(written: Any, tmp_path: Path) -> None:
    path = written(a_row(15), a_row(19, member=2)).rename(tmp_path / "随便什么.dat")
    assert is_return_workbook(path)
    returned = read_return_workbook(path)
    assert (returned.campaign, returned.delivery, returned.sha256, returned.feed, returned.period, returned.provider) == (
        "chengjiang-2021", 17, "ab" * 32, "hardship", "2021-05", "minzheng")
    assert {key: cells["name"] for key, cells in returned.rows.items()} == {(15, 1): "王一", (19, 2): "王一"}


def test_moved_columns_and_a_line_above_the_header_do_no_harm(written: Any, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written())
    sheet = book[ROWS_SHEET]
    sheet.insert_rows(1)
    sheet.insert_cols(1)
    book.save(tmp_path / "b.xlsx")
    assert read_return_workbook(tmp_path / "b.xlsx").rows[15, 1]["id_number"] == "530422198506070014"


def test_lines_without_a_key_and_repeated_keys_are_counted(written: Any, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written())
    sheet = book[ROWS_SHEET]
    sheet["B5"], sheet["C5"] = "530422198506070030", "赵六"
    sheet["C6"], sheet["G6"] = "王二", "15"
    book.save(tmp_path / "b.xlsx")
    returned = read_return_workbook(tmp_path / "b.xlsx")
    assert (len(returned.rows), returned.unkeyed, returned.repeated) == (1, 1, 1)


def test_a_workbook_without_its_table_is_returned(written: Any, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written())
    book.remove(book[ROWS_SHEET])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(FileReturned, match="找不到"):
        read_return_workbook(tmp_path / "b.xlsx")


def test_other_files_are_no_return_workbooks(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["身份证号", "姓名"])
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "a.csv").write_text("身份证号,姓名\n1,王\n", encoding="gb18030")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "empty").write_bytes(b"")
    for path in tmp_path.iterdir():
        assert not is_return_workbook(path)
        assert not is_copy_of_rows(path)


def test_a_workbook_saved_as_an_old_xls_is_recognised_and_asked_for_as_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600 + b'{"schema": "canbao-corrections-1"}')
    assert is_return_workbook(path)
    with pytest.raises(FileReturned, match="xlsx"):
        read_return_workbook(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_rows_saved_as_text_are_known_as_a_copy(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{LINE_TITLE},身份证号,{PROBLEM_TITLE},{CURE_TITLE},{KEY_TITLE}\n15,1,错,改,15\n", encoding=encoding)
    assert is_copy_of_rows(path)
