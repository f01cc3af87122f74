"""Small builders for the values documents are made from. All persons and organisations are made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from documents.model import (
    AcceptanceContent,
    BulletinContent,
    Candidate,
    CategoryLine,
    Contact,
    Correction,
    Deadline,
    DeadlineLine,
    DispositionChoice,
    DutyLine,
    FeedDuty,
    FeedLine,
    FormSection,
    HandbookContent,
    LadderLine,
    LateReport,
    ListGuide,
    ListLine,
    ObligationLine,
    OfficialHead,
    Origin,
    ParameterLine,
    PhaseLine,
    ProgressLine,
    ProgressTable,
    ReasonCount,
    ReportForm,
    ReportingLine,
    ResultLine,
    ResultTable,
    RoleLine,
    Roster,
    RosterList,
    RosterRow,
    ScoreItem,
    ScoreLine,
    TaskLetterContent,
    TextForm,
)

ORIGIN = Origin(
    "chengjiang-2021", "2021年全民参保扩面专项行动", "longjie", "龙街街道", "2021-05", "2021年5月", date(2021, 5, 31),
    "run-7", "ab" * 32,
)
DUE = Deadline(date(2021, 6, 2), date(2021, 6, 2))
ROLLED = Deadline(date(2021, 10, 2), date(2021, 10, 8))
CONTACT = Contact("领导小组办公室社保股", "0877-0000000")
DISPOSITIONS = (
    DispositionChoice("我市参加居保", claims=True),
    DispositionChoice("在校学生", excuses=True, needs_note=True),
    DispositionChoice("联系不上"),
)


def a_row(number: int = 1, **changes: Any) -> RosterRow:
    row = RosterRow(
        f"F{number:05d}", f"测试{number:03d}", f"53042219900101{number:04d}",
        "公安户籍登记（截至2021-05-31）为在册常住；养老登记无有效记录", sex="F", age_years=31, village="双树社区",
        address="双树社区1组1号", phone="13800000000", co_owners=("市人社局", "市税务局"),
    )
    return replace(row, **changes)


def a_list(rows: tuple[RosterRow, ...], **changes: Any) -> RosterList:
    entry = RosterList("uninsured", "未参保人员", "person", "16周岁以上无养老保险", "养老登记有效", rows)
    return replace(entry, **changes)


def a_roster(*lists: RosterList, **changes: Any) -> Roster:
    held = lists or (a_list(tuple(a_row(number) for number in range(1, 6))),)
    roster = Roster(ORIGIN, "领导小组办公室", "依据社会保险法核查应参保人员。", DUE, CONTACT, DISPOSITIONS, held)
    return replace(roster, **changes)


def an_indicator(**changes: Any) -> ProgressLine:
    line = ProgressLine(
        "居保参保人数", "person", target=36000, previous=34120, added=310, current=34430, completion=34430 / 36000,
        pace=151 / 365, gap=1570, rank=4, basis="居民养老登记，截至2021-05-31",
    )
    return replace(line, **changes)


SECTIONS = (
    FormSection("progress", "进展情况"), FormSection("problems", "存在问题"), FormSection("measures", "对策措施"),
)


def a_form(**changes: Any) -> ReportForm:
    form = ReportForm(
        ORIGIN, "monthly_report", "工作月报表", "领导小组办公室", DUE, CONTACT, SECTIONS, (an_indicator(),),
        (ListLine("未参保人员", 1500, 702, 388, 341, 20, (ReasonCount("在校学生", 88),)),),
    )
    return replace(form, **changes)


def a_text_form(kind: Any, **changes: Any) -> TextForm:
    return replace(TextForm(ORIGIN, str(kind), "工作总结", kind, "领导小组办公室", ROLLED, CONTACT), **changes)


TOWNSHIPS = ("凤麓街道", "龙街街道", "右所镇", "海口镇", "九村镇", "路居镇")


def a_progress_table(**changes: Any) -> ProgressTable:
    lines = tuple(
        ProgressLine(
            name, "person", 1000, 400, 100 - place, 500 - place, (500 - place) / 1000, 0.4959 if place else 0.4,
            500 + place, place, 0.1, 70.0, place != 6,
        )
        for place, name in enumerate(TOWNSHIPS, start=1)
    )
    total = ProgressLine("合计", "person", 6000, 2400, 579, 2979, 2979 / 6000, 0.4, 3021)
    return replace(ProgressTable("居保参保人数", "person", lines, total, "居民养老登记"), **changes)


def a_head(**changes: Any) -> OfficialHead:
    head = OfficialHead(
        "专项扩面工作领导小组办公室文件", "专项扩面工作领导小组办公室", "澄扩面办通〔2021〕1号",
        "关于2021年5月全民参保扩面专项行动工作进展情况的通报", ("各镇（街道）", "市直各有关部门"), date(2021, 6, 10),
        ("市政府办公室",),
    )
    return replace(head, **changes)


def a_bulletin(**changes: Any) -> BulletinContent:
    content = BulletinContent(
        ORIGIN, a_head(), "《实施方案》", (a_progress_table(),),
        (
            ListLine("龙街街道", 100, 60, 40, 30, 2, (ReasonCount("在校学生", 12), ReasonCount("服刑", 1))),
            ListLine("海口镇", 50, 0),
        ),
        (ReportingLine("工作月报", "2021年5月", ("凤麓街道", "龙街街道"), (LateReport("九村镇", 2),), ("市公安局",), ("路居镇",)),),
        (FeedLine("市公安局", "户籍人口", DUE, date(2021, 5, 30), "按时", 171402, 0.9991),
         FeedLine("市卫生健康局", "死亡人员", DUE, None, "未交")),
        (Correction("龙街街道4月末参保人数", "34,188人", "34,120人", "公安局更正户籍注销68人"),),
        ("海口镇请于6月20日前启动核查。", "各单位于7月2日前报送6月情况。"), "2021年5月工作进展情况表.xlsx",
    )
    return replace(content, **changes)


def an_acceptance(**changes: Any) -> AcceptanceContent:
    content = AcceptanceContent(
        ORIGIN, a_head(title="关于专项行动总结验收情况的报告", number="澄扩面办发〔2022〕1号"), "《实施方案》", True, 1000,
        (
            CategoryLine("职工养老", 300, insured=True), CategoryLine("居民养老", 500, insured=True),
            CategoryLine("未参保", 150), CategoryLine("16周岁以下", 50, in_scope=False),
        ),
        "领导小组组长",
        (
            ResultTable(
                "企业职工养老参保人数", "person", date(2021, 12, 31),
                (ResultLine("全市", 17900, 17952, True, 5525, 12375, 17952 / 17900),), 17900, None, 17952,
            ),
            ResultTable(
                "居保参保人数", "person", date(2021, 12, 31),
                (ResultLine("龙街街道", 36000, 35900, False), ResultLine("九村镇", 7950, 7960, True)), None, 43950, 43860,
            ),
        ),
        (ListLine("未参保人员", 1500, 1400, 388, 341, 20, (ReasonCount("在校学生", 88),)),),
        (ObligationLine("龙街街道", 8, 7, 1, 0), ObligationLine("市公安局", 8, 6, 1, 1)),
        (
            ScoreLine("龙街街道", 1, 86.0, (ScoreItem("参保目标", 60, 56.0), ScoreItem("组织领导", 10, None))),
            ScoreLine("九村镇", 2, 55.5, (ScoreItem("参保目标", 60, 35.5), ScoreItem("组织领导", 10, None))),
        ),
        (Candidate("龙街街道", "commend", ("得分居首", "报告按时率87.5%")),), ("转职工人员是否计入居保参保人数，文件未说明。",),
        "总结验收情况表.xlsx",
    )
    return replace(content, **changes)


def a_handbook(**changes: Any) -> HandbookContent:
    content = HandbookContent(
        ORIGIN, "专项扩面工作领导小组办公室", "全民参保扩面专项行动工作操作手册", date(2021, 3, 25), "《实施方案》",
        "实现应保尽保。", CONTACT,
        (PhaseLine("数据比对", date(2021, 3, 18), date(2021, 5, 31), ("分批次下发清单",)),
         PhaseLine("常态化", date(2022, 1, 1), None)),
        (RoleLine("市民政局", "提供低保对象、特困人员信息"),), (a_progress_table(),),
        (DeadlineLine("工作月报", "各镇（街道）", "2021年9月", ROLLED),),
        (FeedDuty("户籍人口", ("市公安局",), "每月", "每月20日前", True, ("公民身份号码", "姓名")),),
        (ListGuide("未参保人员", "无养老保险", "户籍所在镇（街道）", "养老登记有效"),), DISPOSITIONS,
        ladder=(LadderLine("到期前3个工作日", "本单位经办人", "提醒报送"),),
        parameters=(ParameterLine("中断缴费", "末次缴费满3个月", "方案选定"),), not_collected=("生物特征", "行动轨迹"),
    )
    return replace(content, **changes)


def a_task_letter(**changes: Any) -> TaskLetterContent:
    content = TaskLetterContent(
        ORIGIN, a_head(title="任务告知书", addressees=("龙街街道",)), "《实施方案》", CONTACT, (an_indicator(),),
        deadlines=(DeadlineLine("工作月报", "", "2021年9月", ROLLED),), duties=(DutyLine("建立相应工作制度"),),
        acknowledge_by=DUE,
    )
    return replace(content, **changes)


# --- filling in by hand ---------------------------------------------------------------------------------


def fill_roster(path: Path, sheet_name: str, rows: dict[int, dict[str, Any]], into: Path | None = None) -> Path:
    """Write into the columns named by their header, as a clerk does; row 1 is the first finding."""
    book = openpyxl.load_workbook(path)
    sheet = book[sheet_name]
    columns = {cell.value: cell.column for cell in sheet[3]}
    for number, values in rows.items():
        for title, value in values.items():
            sheet.cell(3 + number, columns[title]).value = value
    target = into or path
    book.save(target)
    return target


def fill_form(path: Path, values: dict[str, Any]) -> Path:
    """Write into the cell right of each label."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for label, value in values.items():
        cell = next(
            cell for row in sheet.iter_rows() for cell in row
            if isinstance(cell.value, str) and cell.value.removeprefix("★").split("\n")[0] == label
        )
        sheet.cell(cell.row, cell.column + 1).value = value
    book.save(path)
    return path


COMPLETE = {
    "进展情况": "入户动员310户。", "存在问题": "外出人员联系难。", "对策措施": "分组包村。", "填报人": "甲某", "审核人": "乙某",
}
