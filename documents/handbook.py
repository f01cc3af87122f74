"""The operating handbook of a campaign (工作操作手册, C12) and the letter that tells each organisation its tasks (C18).

Both are made from the plan: what they say about dates, owners and definitions is what the software does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from documents.model import (
    DeadlineLine,
    DispositionChoice,
    FeedDuty,
    HandbookContent,
    ListGuide,
    ProgressLine,
    ProgressTable,
    TaskLetterContent,
)
from documents.official import OfficialDocument
from documents.roster import disposition_meaning
from documents.table import Table, TableColumn
from documents.wording import chinese_date, deadline, in_unit, names, quantity, span, unit_name

_REQUIRED = {True: "必报", False: "选报"}
_FORM_STEPS = (
    "下发的表格分两色：灰色是登记数据已经证明的内容，不用填、不要改；黄色由填报单位填写，带★的必填。",
    "留空表示没有掌握，零表示确实没有发生，两者不同；不掌握的请留空，不要填零。",
    "填报人和审核人必须是两个人。审核人对内容负责。",
    "对灰色数据有异议的，写在“数据异议说明”里，由领导小组办公室核对后答复，不要直接改数。",
    "填好后保存原文件报回，不要新建工作簿，不要改成.xls、图片或扫描件，文件名可以改。",
    "退回的表格首页有“退回说明”，逐处写明问题和更正方法，错误单元格标红；更正后把同一文件报回即可。",
)
_ROSTER_STEPS = (
    "核查清单每个单位一个工作簿，每类清单一张表，首页是填报说明。",
    "逐条核查后，从下拉列表选择“核查结果”；须说明原因的，原因要具体到时间、地点、去向。",
    "逐条填写核查人和核查日期，以备抽查。",
    "可以筛选、可以整表排序，但排序必须选中全部列；不要删除或改动“任务编号”。",
    "报“已参保”的任务，以下一期登记数据为准：有登记的计入成效，没有登记的退回重新核查。",
)
_PRIVACY = (
    "清单和采集的信息只用于本次专项行动，不得提供给其他单位和个人，不得用于其他目的。",
    "清单只发给负责核查的单位；屏幕、日志和消息中的姓名、证件号码一律遮盖显示。",
    "每次导出完整信息都记录由谁、因何、导出什么、多少条；数据按规定期限保存，到期删除。",
    "涉及批评、问责和停发待遇的，系统只列出线索和依据，由有权的负责人决定。",
)


def write_handbook(path: Path, content: HandbookContent) -> None:
    """Write the handbook: cover, contents, and one chapter per question people ask. Raises StorageUnavailable."""
    chapters = _chapters(content)
    document = OfficialDocument(content.origin, content.title)
    document.cover(content.origin.campaign_name, content.title, (content.issuer, chinese_date(content.issued_on)))
    document.contents(tuple(title for title, _ in chapters))
    for title, write in chapters:
        document.heading(title)
        write(document)
    document.save(path)


_Chapter = tuple[str, Callable[[OfficialDocument], None]]


def _chapters(content: HandbookContent) -> tuple[_Chapter, ...]:
    """The chapters there is something to say in, in the order people need them."""
    every: tuple[tuple[str, object, Callable[[OfficialDocument], None]], ...] = (
        ("工作依据和目的", True, lambda document: _purpose(document, content)),
        ("工作阶段", content.phases, lambda document: _phases(document, content)),
        ("目标任务", content.targets, lambda document: _targets(document, content.targets)),
        ("职责分工", content.roles, lambda document: _roles(document, content)),
        ("时限一览", content.deadlines, lambda document: _deadlines(document, content.deadlines)),
        ("数据报送", content.feeds, lambda document: _feeds(document, content.feeds)),
        ("分类措施和责任", content.policies, lambda document: _policies(document, content)),
        ("核查清单", content.lists, lambda document: _lists(document, content.lists)),
        ("核查清单怎么填", True, lambda document: document.items(_ROSTER_STEPS)),
        ("核查结果的含义", content.dispositions, lambda document: _dispositions(document, content.dispositions)),
        ("报表怎么填", True, lambda document: document.items(_FORM_STEPS)),
        ("提醒和督办", content.ladder, lambda document: _ladder(document, content)),
        ("口径和参数", content.parameters, lambda document: _parameters(document, content)),
        ("个人信息保护", True, lambda document: _privacy(document, content)),
    )
    return tuple((title, write) for title, held, write in every if held)


def _purpose(document: OfficialDocument, content: HandbookContent) -> None:
    document.paragraph(f"本手册依据{content.basis}编写，供各有关单位办理专项行动各项工作时使用。")
    document.paragraph(content.purpose)
    phone = f"，电话{content.contact.phone}" if content.contact.phone else ""
    document.paragraph(f"工作中遇到问题，请与{content.contact.post}联系{phone}。")


def _phases(document: OfficialDocument, content: HandbookContent) -> None:
    columns = (TableColumn("阶段", 30), TableColumn("起止时间", 50), TableColumn("主要任务", 76, "text"))
    rows = tuple((line.name, span(line.starts, line.ends), "；".join(line.tasks) or None) for line in content.phases)
    document.table(Table("工作阶段", columns, rows))


def _targets(document: OfficialDocument, tables: tuple[ProgressTable, ...]) -> None:
    for table in tables:
        columns = (TableColumn("单位", 70), TableColumn(f"年度目标（{unit_name(table.unit)}）", 70, "count"))
        lines = [*table.lines, *([table.total] if table.total else [])]
        rows = tuple((line.label, in_unit(line.target, table.unit)) for line in lines)
        note = f"注：{table.basis}" if table.basis else ""
        document.table(Table(table.indicator, columns, rows, total=table.total is not None, note=note))


def _roles(document: OfficialDocument, content: HandbookContent) -> None:
    columns = (TableColumn("单位", 42), TableColumn("职责", 114, "text"))
    rows = tuple((line.organisation, line.responsibility) for line in content.roles)
    document.table(Table("职责分工", columns, rows))


def _deadlines(document: OfficialDocument, lines: tuple[DeadlineLine, ...]) -> None:
    document.paragraph(
        "“原定日期”是文件规定的日期，“实际截止”是遇非工作日按规定调整后的日期；截止日当天24时前报到均为按时。"
    )
    document.table(_deadline_table(lines, with_who=True))


def _deadline_table(lines: tuple[DeadlineLine, ...], *, with_who: bool) -> Table:
    who = (TableColumn("责任单位", 36, "text"),) if with_who else ()
    columns = (
        TableColumn("事项", 36, "text"), *who, TableColumn("期别", 24), TableColumn("原定日期", 30),
        TableColumn("实际截止", 30),
    )
    rows = tuple(
        (line.what, *((line.who,) if with_who else ()), line.period_name, line.due.nominal, line.due.effective)
        for line in lines
    )
    return Table("时限一览", columns, rows)


def _feeds(document: OfficialDocument, lines: tuple[FeedDuty, ...]) -> None:
    document.paragraph(
        "数据用Excel（.xlsx）或CSV文件报送，一期一个文件；证件号码必须设为文本格式后再粘贴，"
        "否则末三位会变成零，文件将被退回。列名可用本单位习惯的叫法，含义不明的列会退回询问。"
    )
    document.table(_feed_table(lines))


def _feed_table(lines: tuple[FeedDuty, ...]) -> Table:
    columns = (
        TableColumn("数据", 30, "text"), TableColumn("报送单位", 30, "text"), TableColumn("频次", 16),
        TableColumn("时限", 28), TableColumn("要求", 12), TableColumn("必须包含的列", 44, "text"),
    )
    rows = tuple(
        (line.feed, names(line.providers), line.rhythm, line.due, _REQUIRED[line.required], names(line.columns) or None)
        for line in lines
    )
    return Table("数据报送要求", columns, rows)


def _policies(document: OfficialDocument, content: HandbookContent) -> None:
    columns = (
        TableColumn("机制", 22, "text"), TableColumn("对象", 36, "text"), TableColumn("牵头单位", 26, "text"),
        TableColumn("措施", 42, "text"), TableColumn("清单", 32, "text"),
    )
    rows = tuple((line.policy, line.group, line.lead, line.measure, names(line.lists)) for line in content.policies)
    document.table(Table("分类措施和责任单位", columns, rows))


def _lists(document: OfficialDocument, lines: tuple[ListGuide, ...]) -> None:
    document.paragraph("每条任务只有一个牵头单位，协办单位配合；下一期登记数据符合办结条件的，自动办结。")
    document.table(_list_table(lines))


def _list_table(lines: tuple[ListGuide, ...]) -> Table:
    columns = (
        TableColumn("清单", 32, "text"), TableColumn("列入原因", 44, "text"), TableColumn("牵头单位", 26, "text"),
        TableColumn("协办单位", 26, "text"), TableColumn("办结条件", 32, "text"),
    )
    rows = tuple(
        (line.name, line.reason, line.owner, names(line.co_owners) or None, line.closes_when) for line in lines
    )
    return Table("核查清单", columns, rows)


def _dispositions(document: OfficialDocument, choices: tuple[DispositionChoice, ...]) -> None:
    columns = (TableColumn("核查结果", 46, "text"), TableColumn("须说明原因", 24), TableColumn("含义和后续", 86, "text"))
    rows = tuple((choice.name, "是" if choice.needs_note else "", disposition_meaning(choice)) for choice in choices)
    document.table(Table("核查结果", columns, rows))


def _ladder(document: OfficialDocument, content: HandbookContent) -> None:
    document.paragraph("到期前提醒，逾期后逐级督办；已报送的不再提醒，迟报记录保留。涉及批评和问责的步骤只准备材料，由人决定。")
    columns = (TableColumn("时间", 44, "text"), TableColumn("对象", 46, "text"), TableColumn("内容", 66, "text"))
    rows = tuple((line.when, line.to, line.what) for line in content.ladder)
    document.table(Table("提醒和督办步骤", columns, rows))


def _parameters(document: OfficialDocument, content: HandbookContent) -> None:
    document.paragraph("文件没有写明的，由方案选定如下口径，统一执行。")
    columns = (TableColumn("项目", 66, "text"), TableColumn("取值", 44, "text"), TableColumn("依据", 46, "text"))
    rows = tuple((line.name, line.value, line.source) for line in content.parameters)
    document.table(Table("口径和参数", columns, rows))


def _privacy(document: OfficialDocument, content: HandbookContent) -> None:
    document.items(_PRIVACY)
    if content.not_collected:
        document.paragraph(f"下列信息不收集、不使用：{names(content.not_collected)}。")


# --- task letter ----------------------------------------------------------------------------------------


def write_task_letter(path: Path, content: TaskLetterContent) -> None:
    """Write one organisation's task letter (任务告知书). Raises StorageUnavailable."""
    document = OfficialDocument(content.origin, content.head.title)
    document.red_head(content.head)
    document.paragraph(
        f"根据{content.basis}，现将你单位在{content.origin.campaign_name}中承担的任务告知如下，请分解落实、按时办理。"
    )
    if content.targets:
        document.heading("目标任务")
        document.items(tuple(_target_text(line) for line in content.targets))
    if content.duties:
        document.heading("职责任务")
        document.items(tuple(
            f"{duty.what.rstrip('。')}（{chinese_date(duty.by)}前）。" if duty.by else f"{duty.what.rstrip('。')}。"
            for duty in content.duties
        ))
    if content.feeds:
        document.heading("应报送的数据")
        document.table(_feed_table(content.feeds))
    if content.lists:
        document.heading("负责核查的清单")
        document.table(_list_table(content.lists))
    if content.deadlines:
        document.heading("应报送的材料和时限")
        document.table(_deadline_table(content.deadlines, with_who=False))
    _reply(document, content)
    document.signature(content.head)
    document.imprint(content.head)
    document.save(path)


def _target_text(line: ProgressLine) -> str:
    basis = f"（{line.basis.rstrip('。')}）" if line.basis else ""
    return f"{line.label}：{quantity(line.target, line.unit)}{basis}。"


def _reply(document: OfficialDocument, content: TaskLetterContent) -> None:
    document.heading("联系和回执")
    phone = f"，电话{content.contact.phone}" if content.contact.phone else ""
    text = f"工作联系：{content.contact.post}{phone}。"
    if content.acknowledge_by is not None:
        text += f"请于{deadline(content.acknowledge_by)}将回执报回；对任务有异议的，在回执中一并说明。"
    document.paragraph(text)
