"""Report forms: prefilled, filled in, read back, and sent back with their faults marked."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.cell import Cell

from documents.model import CellFault, DutyLine, Fact, FeedLine, FormSection
from documents.report_form import read_report_form, write_report_form, write_text_form
from documents.roster import read_roster, write_roster
from documents.sent_back import write_sent_back
from models.errors import FileReturned
from tests.documents.content import (
    COMPLETE,
    DUE,
    SECTIONS,
    a_form,
    a_roster,
    a_text_form,
    an_indicator,
    fill_form,
    fill_roster,
)


@pytest.fixture
def form(tmp_path: Path) -> Path:
    path = tmp_path / "form.xlsx"
    write_report_form(path, a_form())
    return path


def cell_under(path: Path, title: str) -> str:
    """The address of the first figure under a column title."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    head = next(cell for row in sheet.iter_rows() for cell in row if cell.value == title)
    return f"{head.column_letter}{head.row + 1}"


def test_a_complete_report_comes_back_without_faults(form):
    returned = read_report_form(fill_form(form, COMPLETE | {"联系电话": "0877-1", "数据异议说明": "五月新增少计两人"}))
    assert returned.faults == ()
    assert returned.texts == {"progress": "入户动员310户。", "problems": "外出人员联系难。", "measures": "分组包村。"}
    assert (returned.prepared_by, returned.reviewed_by, returned.phone) == ("甲某", "乙某", "0877-1")
    assert (returned.campaign, returned.organisation, returned.item) == ("chengjiang-2021", "longjie", "monthly_report")
    assert (returned.period, returned.data_until) == ("2021-05", date(2021, 5, 31))
    assert (returned.dispute, returned.run_id) == ("五月新增少计两人", "run-7")


def test_every_column_the_registers_prove_is_prefilled(form):
    sheet = openpyxl.load_workbook(form)["月报表"]
    texts = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {
        "年度目标", "上月末累计", "本月新增", "本月末累计", "完成率", "序时进度", "差额", "排名", "下发数", "已核查", "核查率",
        "报已参保", "数据核实", "核实不符", "无法参保", "在校学生 88",
    } <= texts
    assert sheet[cell_under(form, "年度目标")].value == 36000
    assert sheet[cell_under(form, "完成率")].number_format == "0.00%"


def test_what_is_not_known_is_a_dash_and_never_zero(tmp_path):
    path = tmp_path / "form.xlsx"
    write_report_form(path, a_form(indicators=(an_indicator(added=None, rank=None),)))
    sheet = openpyxl.load_workbook(path)["月报表"]
    assert sheet[cell_under(path, "本月新增")].value == "—"
    assert sheet[cell_under(path, "排名")].value == "—"


def test_blank_required_parts_are_faults_with_cell_and_cure(form):
    returned = read_report_form(fill_form(form, COMPLETE | {"存在问题": "   "}))
    fault, = returned.faults
    assert fault.what == "“存在问题”未填。"
    assert openpyxl.load_workbook(form)["月报表"][fault.cell].value == "   "
    assert "problems" not in returned.texts
    assert fault.cure


def test_an_empty_form_lacks_three_parts_and_two_names(form):
    assert [fault.what for fault in read_report_form(form).faults] == [
        "“进展情况”未填。", "“存在问题”未填。", "“对策措施”未填。", "“填报人”未填。", "“审核人”未填。",
    ]


@pytest.mark.parametrize("reviewer", ["甲某", " 甲 某 ", "甲·某"])
def test_whoever_prepares_does_not_review(form, reviewer):
    returned = read_report_form(fill_form(form, COMPLETE | {"审核人": reviewer}))
    assert [fault.what for fault in returned.faults] == ["审核人与填报人为同一人。"]


def test_an_overwritten_figure_is_a_fault_that_names_the_original(form):
    book = openpyxl.load_workbook(fill_form(form, COMPLETE))
    place = cell_under(form, "本月末累计")
    book["月报表"][place] = 36000
    book.save(form)
    fault, = read_report_form(form).faults
    assert fault.cell == place
    assert "34,430" in fault.cure
    assert "数据异议说明" in fault.cure


def test_an_emptied_figure_is_a_fault_too(form):
    book = openpyxl.load_workbook(fill_form(form, COMPLETE))
    book["月报表"][cell_under(form, "完成率")] = None
    book.save(form)
    fault, = read_report_form(form).faults
    assert "95.64%" in fault.cure


def test_asked_figures_keep_blank_and_zero_apart(tmp_path):
    path = tmp_path / "form.xlsx"
    asked = (
        FormSection("visits", "入户户次", required=False, kind="number", unit="times"),
        FormSection("events", "宣传场次", required=False, kind="number", unit="times"),
    )
    write_report_form(path, a_form(sections=(*SECTIONS, *asked)))
    returned = read_report_form(fill_form(path, COMPLETE | {"入户户次": 0}))
    assert returned.figures == {"visits": 0.0, "events": None}
    assert returned.faults == ()


@pytest.mark.parametrize(("written", "what"), [("约三百", "“入户户次”不是数字。"), (-3, "“入户户次”为负数。"), (None, "“入户户次”未填。")])
def test_a_required_figure_must_be_a_number_from_zero(tmp_path, written, what):
    path = tmp_path / "form.xlsx"
    write_report_form(path, a_form(sections=(*SECTIONS, FormSection("visits", "入户户次", kind="number"))))
    returned = read_report_form(fill_form(path, COMPLETE | {"入户户次": written}))
    assert [fault.what for fault in returned.faults] == [what]
    assert "visits" not in returned.figures


def test_data_later_than_the_period_are_refused(form):
    fill_form(form, COMPLETE | {"数据截止时间": date(2021, 6, 1)})
    returned = read_report_form(form)
    assert [fault.what for fault in returned.faults] == ["数据截止时间晚于本期末。"]
    assert returned.data_until is None


def test_data_that_end_earlier_are_taken_as_said(form):
    assert read_report_form(fill_form(form, COMPLETE | {"数据截止时间": "2021年5月25日"})).data_until == date(2021, 5, 25)


def test_cells_are_found_after_someone_inserted_rows(form):
    """openpyxl does not move defined names as Excel does, so they are moved here by hand."""
    book = openpyxl.load_workbook(fill_form(form, COMPLETE))
    sheet = book["月报表"]
    for area in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(area))
    sheet.insert_rows(1, 3)
    for name in book.defined_names.values():
        place = name.attr_text.rsplit("$", 1)
        name.attr_text = f"{place[0]}${int(place[1]) + 3}"
    book.save(form)
    returned = read_report_form(form)
    assert returned.faults == ()
    assert returned.texts["progress"] == "入户动员310户。"


def test_a_deleted_cell_is_missing_and_not_its_neighbour(form):
    book = openpyxl.load_workbook(fill_form(form, COMPLETE))
    place = next(
        name for name in book.defined_names.values()
        if book["月报表"][name.attr_text.split("!")[1].replace("$", "")].value == "分组包村。"
    )
    place.attr_text = "#REF!"
    book.save(form)
    returned = read_report_form(form)
    assert "measures" not in returned.texts
    assert [fault.what for fault in returned.faults] == ["“对策措施”未填。"]


def test_only_yellow_cells_are_unlocked(form):
    sheet = openpyxl.load_workbook(form)["月报表"]
    assert sheet.protection.sheet is True
    cells = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell, Cell)]
    unlocked = {cell.fill.fgColor.rgb for cell in cells if not cell.protection.locked}
    assert unlocked == {"FFFFFBE0"}


def test_a_department_without_targets_gets_its_feeds_duties_and_texts_only(tmp_path):
    path = tmp_path / "form.xlsx"
    feeds = (FeedLine("市民政局", "低保、特困人员", DUE, date(2021, 5, 19), "按时", 4213, 0.9834),)
    write_report_form(path, a_form(indicators=(), lists=(), feeds=feeds, duties=(DutyLine("提供低保对象信息"),)))
    texts = {cell.value for row in openpyxl.load_workbook(path)["月报表"].iter_rows() for cell in row}
    assert texts.isdisjoint({"年度目标", "下发数"})
    assert {"一、数据报送情况", "二、职责任务", "提供低保对象信息", "三、填报内容（行高可拖动调整）"} <= texts
    assert read_report_form(fill_form(path, COMPLETE)).faults == ()


def test_the_same_form_gives_the_same_bytes(form, tmp_path):
    again = tmp_path / "again.xlsx"
    write_report_form(again, a_form())
    assert again.read_bytes() == form.read_bytes()


# --- text forms ---


@pytest.mark.parametrize(("kind", "values", "texts"), [
    (
        "summary", {"工作开展情况和成效": "甲", "主要做法和经验": "乙", "存在问题": "丙", "下一步打算": "丁"},
        {"results": "甲", "experience": "乙", "problems": "丙", "next_steps": "丁"},
    ),
    (
        "acknowledgement", {"接收确认": "已收悉，按要求办理", "任务分解和承办科室": "社保中心"},
        {"receipt": "已收悉，按要求办理", "arrangement": "社保中心", "objection": ""},
    ),
    (
        "record", {"日期": date(2021, 6, 3), "记录内容": "专题会"},
        {"held_on": "2021-06-03", "content": "专题会", "follow_up": ""},
    ),
])
def test_every_kind_of_text_form_has_a_template(tmp_path, kind, values, texts):
    path = tmp_path / "form.xlsx"
    write_text_form(path, a_text_form(kind, facts=(Fact("目标任务", "参保36,000人"),)))
    returned = read_report_form(fill_form(path, values | {"填报人": "甲某", "审核人": "乙某"}))
    assert returned.faults == ()
    assert returned.texts == texts
    assert returned.item == kind


def test_a_plans_own_parts_replace_the_customary_ones(tmp_path):
    path = tmp_path / "form.xlsx"
    write_text_form(path, a_text_form("summary", sections=(FormSection("work", "主要工作"),)))
    assert next(fault.what for fault in read_report_form(path).faults) == "“主要工作”未填。"


def test_an_acknowledgement_outside_the_choices_is_a_fault(tmp_path):
    path = tmp_path / "form.xlsx"
    write_text_form(path, a_text_form("acknowledgement"))
    values = {"接收确认": "好的", "任务分解和承办科室": "社保中心", "填报人": "甲某", "审核人": "乙某"}
    fault, = read_report_form(fill_form(path, values)).faults
    assert fault.what == "“接收确认”不在可选项内。"


def test_a_rolled_deadline_shows_both_dates(tmp_path):
    path = tmp_path / "form.xlsx"
    write_text_form(path, a_text_form("summary"))
    texts = " ".join(str(cell.value) for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for cell in row)
    assert "2021年10月8日（星期五）前（含当日）；原定10月2日为非工作日，顺延至该日" in texts


def test_a_roster_is_no_form(tmp_path):
    path = tmp_path / "roster.xlsx"
    write_roster(path, a_roster())
    with pytest.raises(FileReturned):
        read_report_form(path)


# --- sent back ---


def test_faulty_cells_are_red_commented_and_listed(form, tmp_path):
    back = tmp_path / "back.xlsx"
    fill_form(form, {key: value for key, value in COMPLETE.items() if key != "存在问题"})
    faults = read_report_form(form).faults
    write_sent_back(form, back, faults)
    book = openpyxl.load_workbook(back)
    cell = book["月报表"][faults[0].cell]
    assert cell.fill.fgColor.rgb == "FFF4B6B6"
    assert "“存在问题”未填。" in cell.comment.text
    listed = [[entry.value for entry in row][:5] for row in book["退回说明"].iter_rows(min_row=4)]
    assert listed == [[1, "月报表", faults[0].cell, faults[0].what, faults[0].cure]]
    assert book["_meta"].sheet_state == "veryHidden"


def test_a_corrected_copy_comes_back_clean_and_loses_its_marks(form, tmp_path):
    back, again = tmp_path / "back.xlsx", tmp_path / "again.xlsx"
    fill_form(form, {key: value for key, value in COMPLETE.items() if key != "存在问题"})
    faults = read_report_form(form).faults
    write_sent_back(form, back, faults)
    book = openpyxl.load_workbook(back)
    book["月报表"][faults[0].cell] = "外出人员联系难。"
    book.save(back)
    assert read_report_form(back).faults == ()
    write_sent_back(back, again, (replace(faults[0], cell=cell_under(form, "本月新增")),))
    sheet = openpyxl.load_workbook(again)["月报表"]
    assert sheet[faults[0].cell].fill.fgColor.rgb == "FFFFFBE0"
    assert sheet[faults[0].cell].comment is None


def test_a_roster_can_be_sent_back_too_and_stays_private(tmp_path):
    path, back = tmp_path / "roster.xlsx", tmp_path / "back.xlsx"
    write_roster(path, a_roster())
    fill_roster(path, "未参保人员", {1: {"核查结果": "随便"}})
    write_sent_back(path, back, read_roster(path).faults)
    assert back.stat().st_mode & 0o777 == 0o600
    assert len(read_roster(back).faults) == 1
    assert openpyxl.load_workbook(back)["未参保人员"].data_validations.dataValidation


def test_a_fault_inside_a_merged_area_marks_its_first_cell(tmp_path):
    path, back = tmp_path / "roster.xlsx", tmp_path / "back.xlsx"
    write_roster(path, a_roster())
    book = openpyxl.load_workbook(path)
    book["未参保人员"].merge_cells("N4:N6")
    book.save(path)
    write_sent_back(path, back, (CellFault("未参保人员", "N5", "问题。", "更正。"),))
    assert openpyxl.load_workbook(back)["未参保人员"]["N4"].comment is not None


def test_a_sent_back_copy_carries_no_trace_of_the_clock(form, tmp_path):
    copies = [tmp_path / "one.xlsx", tmp_path / "two.xlsx"]
    for copy in copies:
        write_sent_back(form, copy, read_report_form(form).faults)
    assert copies[0].read_bytes() == copies[1].read_bytes()
    with zipfile.ZipFile(copies[0]) as archive:
        assert b"2021-05-31T00:00:00Z" in archive.read("docProps/core.xml")
