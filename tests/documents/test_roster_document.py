"""Rosters: what goes out, and what is understood of a workbook that clerks have worked in."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from documents.model import DispositionChoice, ReportReturn, RosterResult, RosterReturn
from documents.report_form import write_report_form
from documents.returned import read_returned
from documents.roster import read_roster, write_roster
from models.errors import FileReturned, StorageUnavailable
from tests.documents.content import DISPOSITIONS, a_form, a_list, a_roster, a_row, fill_roster

SHEET = "未参保人员"
DONE = {"核查结果": "我市参加居保", "核查人": "甲某", "核查日期": date(2021, 6, 20)}


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster())
    return path


def head_of(sheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[3]}


# --- going out ---


def test_ids_are_text_and_no_cell_of_a_list_is_a_formula(roster):
    sheet = openpyxl.load_workbook(roster)[SHEET]
    column = head_of(sheet)["证件号码"]
    assert sheet.cell(4, column).value == "530422199001010001"
    assert sheet.cell(4, column).number_format == "@"
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_header_is_frozen_filtered_and_repeated_on_every_printed_page(roster):
    sheet = openpyxl.load_workbook(roster)[SHEET]
    assert sheet.freeze_panes == "E4"
    assert sheet.auto_filter.ref == f"A3:{openpyxl.utils.get_column_letter(sheet.max_column)}8"
    assert sheet.print_title_rows == "$3:$3"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert "第 &P 页" in sheet.oddFooter.center.text


def test_results_are_chosen_from_the_plans_dispositions(roster):
    book = openpyxl.load_workbook(roster)
    rules = {rule.type: rule for rule in book[SHEET].data_validations.dataValidation}
    assert rules["list"].formula1 == "_choices!$A$1:$A$3"
    assert rules["list"].error.startswith("请点开")
    assert [cell.value for cell in book["_choices"]["A"]] == [choice.name for choice in DISPOSITIONS]
    assert "date" in rules


def test_meta_is_very_hidden_and_the_cover_comes_first(roster):
    book = openpyxl.load_workbook(roster)
    assert book.sheetnames[0] == "填报说明"
    assert book["_meta"].sheet_state == "veryHidden"
    cover = "\n".join(str(cell.value) for row in book["填报说明"].iter_rows() for cell in row if cell.value)
    for wanted in ("2021年6月2日（星期三）前（含当日）", "依据社会保险法", "0877-0000000", "未参保人员", "下期登记数据核实后计入成效"):
        assert wanted in cover


def test_a_cell_that_would_be_a_formula_is_escaped(tmp_path):
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster(a_list((a_row(1, address="=cmd|' /C calc'!A0", phone="+86 1", name="@测试"),))))
    sheet = openpyxl.load_workbook(path)[SHEET]
    columns = head_of(sheet)
    assert sheet.cell(4, columns["地址"]).value == "'=cmd|' /C calc'!A0"
    assert sheet.cell(4, columns["联系电话"]).value == "'+86 1"
    assert sheet.cell(4, columns["姓名"]).value == "'@测试"


def test_an_escaped_name_still_belongs_to_its_finding(tmp_path):
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster(a_list((a_row(1, name="=测试"),))))
    returned = read_roster(fill_roster(path, SHEET, {1: DONE}))
    assert len(returned.results) == 1
    assert returned.warnings == ()


def test_columns_nobody_needs_are_left_out(tmp_path):
    path = tmp_path / "roster.xlsx"
    employer = a_row(2, name="测试商贸有限公司", id_number="91530422TESTTEST0X", sex="", age_years=None, co_owners=())
    write_roster(path, a_roster(
        a_list((a_row(1),)), a_list((employer,), id="uninsured_employer", name="未参保用人单位", subject="employer"),
    ))
    book = openpyxl.load_workbook(path)
    assert "单位名称" not in head_of(book[SHEET])
    assert head_of(book["未参保用人单位"]).keys().isdisjoint({"性别", "年龄", "协办单位", "姓名"})
    assert {"单位名称", "统一社会信用代码"} <= head_of(book["未参保用人单位"]).keys()


def test_an_empty_list_has_a_line_on_the_cover_and_no_sheet(tmp_path):
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster(a_list(()), a_list((a_row(1),), id="interrupted", name="中断缴费人员")))
    book = openpyxl.load_workbook(path)
    assert "未参保人员" not in book.sheetnames
    assert "未参保人员" in [row[0].value for row in book["填报说明"].iter_rows()]


def test_lists_with_like_names_get_sheets_of_their_own(tmp_path):
    path = tmp_path / "roster.xlsx"
    name = "未参加工伤保险的新开工工程建设项目[交通、水利、住建各部门负责核查]"
    write_roster(path, a_roster(
        a_list((a_row(1),), id="a", name=name), a_list((a_row(2),), id="b", name=name),
    ))
    visible = [sheet.title for sheet in openpyxl.load_workbook(path) if sheet.sheet_state == "visible"]
    assert len(set(visible)) == 3
    assert all(len(title) <= 31 for title in visible)


def test_the_same_roster_gives_the_same_bytes_dated_by_its_data(roster, tmp_path):
    again = tmp_path / "again.xlsx"
    write_roster(again, a_roster())
    assert again.read_bytes() == roster.read_bytes()
    assert openpyxl.load_workbook(again).properties.created.date() == date(2021, 5, 31)


def test_a_roster_can_be_read_by_its_owner_only(roster):
    assert roster.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_said_to_be_one(tmp_path):
    (tmp_path / "blocked").write_text("a file, no folder")
    with pytest.raises(StorageUnavailable, match="Make the folder writable"):
        write_roster(tmp_path / "blocked" / "roster.xlsx", a_roster())


def test_ten_times_the_rows_take_ten_times_the_work(tmp_path):
    # Its own processor time: a clock on the wall says more of the neighbours than of the roster.
    def work(rows: int) -> float:
        path, began = tmp_path / f"{rows}.xlsx", time.process_time()
        write_roster(path, a_roster(a_list(tuple(a_row(number) for number in range(1, rows + 1)))))
        assert read_roster(path).results == ()
        return time.process_time() - began

    work(10)  # imports
    assert work(20_000) < 2 * 10 * work(2_000)


# --- coming back ---


def test_only_rows_with_something_filled_in_come_back(roster):
    returned = read_roster(fill_roster(roster, SHEET, {
        2: DONE | {"参保时间": date(2021, 6, 1)}, 4: DONE | {"核查结果": "在校学生", "原因说明": "昆明某校在读"},
    }))
    assert returned.results == (
        RosterResult("F00002", "我市参加居保", "", date(2021, 6, 1), "甲某", date(2021, 6, 20)),
        RosterResult("F00004", "在校学生", "昆明某校在读", None, "甲某", date(2021, 6, 20)),
    )
    assert (returned.campaign, returned.organisation, returned.period) == ("chengjiang-2021", "longjie", "2021-05")
    assert (returned.run_id, returned.content_sha256) == ("run-7", "ab" * 32)
    assert (returned.faults, returned.warnings) == ((), ())


def test_an_untouched_roster_has_no_results_and_no_faults(roster):
    returned = read_roster(roster)
    assert (returned.results, returned.faults) == ((), ())


@pytest.mark.parametrize("written", ["2021-6-20", "2021/06/20", "2021.6.20", "2021年6月20日", "20210620"])
def test_dates_typed_as_text_are_understood(roster, written):
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"核查日期": written}}))
    assert returned.results[0].checked_on == date(2021, 6, 20)


def test_a_result_none_of_the_plans_is_a_fault_with_its_cell(roster):
    returned = read_roster(fill_roster(roster, SHEET, {3: DONE | {"核查结果": "已经办好了"}}))
    fault, = returned.faults
    assert returned.results == ()
    assert (fault.sheet, fault.cell[1:], fault.what) == (SHEET, "6", "核查结果不在可选项内。")
    assert "下拉" in fault.cure


def test_a_reason_is_required_where_the_disposition_asks_for_one(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"核查结果": "在校学生", "原因说明": "  "}}))
    assert [fault.what for fault in returned.faults] == ["该核查结果须说明原因，原因说明为空。"]


def test_a_row_without_a_result_but_with_a_worker_is_a_fault(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: {"核查人": "甲某"}}))
    assert [fault.what for fault in returned.faults] == ["已填其他栏，但没有核查结果。"]


def test_an_impossible_date_is_a_fault(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"参保时间": "2021-13-01"}}))
    assert [fault.what for fault in returned.faults] == ["参保时间不是有效日期。"]


def test_a_missing_worker_is_asked_for_but_holds_nothing_back(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: {"核查结果": "我市参加居保"}}))
    assert len(returned.results) == 1
    assert [warning.what for warning in returned.warnings] == ["核查人未填。", "核查日期未填。"]


def test_rows_may_be_sorted_and_deleted(roster):
    book = openpyxl.load_workbook(fill_roster(roster, SHEET, {1: DONE, 5: DONE}))
    sheet = book[SHEET]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4, max_row=8)]
    for line, row in enumerate(reversed(rows), start=4):
        for column, value in enumerate(row, start=1):
            sheet.cell(line, column).value = value
    sheet.delete_rows(6)
    book.save(roster)
    returned = read_roster(roster)
    assert sorted(result.finding_id for result in returned.results) == ["F00001", "F00005"]
    assert returned.faults == ()


def test_columns_and_header_may_be_moved(roster):
    book = openpyxl.load_workbook(fill_roster(roster, SHEET, {1: DONE}))
    sheet = book[SHEET]
    sheet.insert_cols(3)
    sheet.insert_rows(1, 2)
    book.save(roster)
    assert [result.finding_id for result in read_roster(roster).results] == ["F00001"]


def test_results_sorted_without_their_persons_are_refused(roster):
    """A clerk who sorts only some columns would give a result to somebody else."""
    book = openpyxl.load_workbook(fill_roster(roster, SHEET, {1: DONE}))
    sheet = book[SHEET]
    columns = head_of(sheet)
    for title in ("姓名", "证件号码"):
        first, second = sheet.cell(4, columns[title]), sheet.cell(5, columns[title])
        first.value, second.value = second.value, first.value
    book.save(roster)
    returned = read_roster(roster)
    assert returned.results == ()
    assert [fault.what for fault in returned.faults] == ["任务编号与姓名、证件号码对不上，可能只对部分列作了排序。"]


def test_a_corrected_name_does_not_hold_a_result_back(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"姓名": "测试改"}}))
    assert len(returned.results) == 1
    assert [warning.cell for warning in returned.warnings] == ["B4"]


def test_a_number_that_was_not_sent_is_a_fault(roster):
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"任务编号": "F99999"}, 2: DONE | {"任务编号": None}}))
    assert [fault.cell for fault in returned.faults] == ["B4", "B5"]


def test_the_same_finding_twice_counts_once_and_a_contradiction_not_at_all(roster):
    same = {"任务编号": "F00001", "姓名": "测试001", "证件号码": "530422199001010001"}
    fill_roster(roster, SHEET, {1: DONE, 2: DONE | same})
    assert len(read_roster(roster).results) == 1
    fill_roster(roster, SHEET, {2: DONE | same | {"核查结果": "联系不上"}})
    returned = read_roster(roster)
    assert returned.results == ()
    assert [fault.what for fault in returned.faults] == ["同一任务编号填了两个不同的结果。"]


def test_merged_cells_count_for_every_row_they_cover(roster):
    book = openpyxl.load_workbook(fill_roster(roster, SHEET, {
        1: DONE, 2: {"核查结果": "联系不上"}, 3: {"核查结果": "联系不上"},
    }))
    sheet = book[SHEET]
    for title in ("核查人", "核查日期"):
        letter = openpyxl.utils.get_column_letter(head_of(sheet)[title])
        sheet.merge_cells(f"{letter}4:{letter}6")
    book.save(roster)
    returned = read_roster(roster)
    assert [result.worker for result in returned.results] == ["甲某"] * 3
    assert returned.warnings == ()


def test_a_list_sheet_without_its_header_is_a_fault_not_an_empty_list(roster):
    book = openpyxl.load_workbook(fill_roster(roster, SHEET, {1: DONE}))
    book[SHEET].delete_rows(3)
    book.save(roster)
    assert [fault.what for fault in read_roster(roster).faults] == ["缺少表头行，本表无法读取。"]


def test_a_count_on_the_cover_that_equals_a_task_number_is_no_fault(tmp_path):
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster(a_list((a_row(1, finding_id="2"), a_row(2, finding_id="3")))))
    assert read_roster(path).faults == ()


def test_no_fault_quotes_what_stands_in_a_cell(roster):
    """A shifted column may hold a person's number where a result belongs."""
    returned = read_roster(fill_roster(roster, SHEET, {1: DONE | {"核查结果": "530422199001010001", "核查日期": "测试001"}}))
    assert len(returned.faults) == 2
    assert not any("53042219" in f"{fault.what}{fault.cure}" or "测试" in fault.what for fault in returned.faults)


def test_a_foreign_workbook_goes_back_with_a_cure(tmp_path):
    path = tmp_path / "甲某.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(FileReturned, match="不是本系统下发的表格") as returned:
        read_roster(path)
    assert "甲某" not in str(returned.value)
    assert "原下发的工作簿" in returned.value.cure


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"PK\x03\x04 torn", b"a,b\n"])
def test_what_is_no_xlsx_goes_back(tmp_path, content):
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileReturned, match=r"另存为|重新报送"):
        read_roster(path)


def test_a_monthly_report_is_no_roster(tmp_path):
    path = tmp_path / "report.xlsx"
    write_report_form(path, a_form())
    with pytest.raises(FileReturned):
        read_roster(path)
    assert isinstance(read_returned(path), ReportReturn)


def test_a_tampered_meta_sheet_is_refused(roster):
    book = openpyxl.load_workbook(roster)
    book["_meta"]["A1"] = book["_meta"]["A1"].value.replace("longjie", "fenglu")
    book.save(roster)
    with pytest.raises(FileReturned, match="识别信息"):
        read_roster(roster)


def test_a_long_list_of_dispositions_still_fits_the_drop_down(tmp_path):
    path = tmp_path / "roster.xlsx"
    choices = tuple(DispositionChoice(f"第{number}种需要详细说明情况的核查结果") for number in range(40))
    write_roster(path, a_roster(dispositions=choices))
    rules = openpyxl.load_workbook(path)[SHEET].data_validations.dataValidation
    assert any(rule.formula1 == "_choices!$A$1:$A$40" for rule in rules)
    assert isinstance(read_returned(path), RosterReturn)
