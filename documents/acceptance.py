"""The acceptance report (总结验收, C15) and its workbook annex.

It states what was reached against what the notice states, keeps stated and derived figures apart, shows that the
categories add up to the population, and prepares candidates for commendation and criticism with their evidence. It
decides nothing about them: a named post does (C23).
"""

from __future__ import annotations

from pathlib import Path

from documents.common_tables import list_table, list_total, reason_table
from documents.model import AcceptanceContent, Candidate, ObligationLine, ResultLine, ResultTable, ScoreLine
from documents.official import OfficialDocument
from documents.table import Cell, Table, TableColumn, source_line, write_annex
from documents.wording import chinese_date, count, in_unit, names, quantity, share, unit_name
from models.errors import RunDoesNotBalance

_REACHED = {True: "完成", False: "未完成", None: "待定"}
_KINDS = {"commend": "拟通报表扬", "criticise": "拟通报批评"}
_PENDING = "待评"
_MOST_ITEM_COLUMNS = 6
"""More scored items than this do not fit beside the names on a page; the annex has them all."""


def write_acceptance_report(path: Path, content: AcceptanceContent) -> None:
    """Write the report. Raises RunDoesNotBalance if the categories are not the population, StorageUnavailable."""
    _require_balance(content)
    document = OfficialDocument(content.origin, content.head.title)
    document.red_head(content.head)
    state = "初步结果，待年末数据核定后印发正式结果" if content.provisional else "年末数据核定结果"
    document.paragraph(
        f"根据{content.basis}要求，对{content.origin.campaign_name}进行了总结验收。现将有关情况报告如下"
        f"（数据截至{chinese_date(content.origin.as_of)}，为{state}）。"
    )
    _results(document, content.results)
    _balance(document, content)
    _lists(document, content)
    _obligations(document, content.obligations)
    _scores(document, content.scores)
    _candidates(document, content)
    if content.open_questions:
        document.heading("待研究确定的问题")
        document.items(content.open_questions)
    document.remark(source_line(content.origin))
    document.annex_note((content.annex_name,) if content.annex_name else ())
    document.signature(content.head)
    document.imprint(content.head)
    document.save(path)


def write_acceptance_annex(path: Path, content: AcceptanceContent) -> None:
    """The report's tables as a workbook, every scored item included. Raises RunDoesNotBalance, StorageUnavailable."""
    _require_balance(content)
    tables = [_result_table(table) for table in content.results]
    tables.append(_category_table(content))
    if content.lists:
        tables.append(list_table(content.lists, "清单核查结果", "清单"))
    if any(line.excused for line in content.lists):
        tables.append(reason_table(content.lists, "无法参保原因"))
    if content.obligations:
        tables.append(_obligation_table(content.obligations))
    if content.scores:
        tables.append(_score_table(content.scores, every_item=True))
    if content.candidates:
        tables.append(_candidate_table(content))
    if content.open_questions:
        rows: tuple[tuple[Cell, ...], ...] = tuple(enumerate(content.open_questions, start=1))
        tables.append(Table("待研究确定的问题", (TableColumn("序号", 14, "count"), TableColumn("问题", 142, "text")), rows))
    title = content.annex_name.removesuffix(".xlsx") or content.head.title
    write_annex(path, content.origin, title, tuple(tables))


def _require_balance(content: AcceptanceContent) -> None:
    """A report is not printed over figures that do not add up (design.md, decision 7)."""
    total = sum(line.count for line in content.categories)
    if total != content.population:
        raise RunDoesNotBalance(
            f"the categories add up to {total:,}, the population is {content.population:,}.",
            where=f"acceptance report {content.origin.campaign} {content.origin.period}",
            cure="Run the comparison of this period again before drawing up the report.",
        )


# --- results --------------------------------------------------------------------------------------------


def _results(document: OfficialDocument, tables: tuple[ResultTable, ...]) -> None:
    if not tables:
        return
    document.heading("目标任务完成情况")
    for table in tables:
        document.heading(table.indicator, 2)
        document.paragraph(_result_sentence(table))
        document.table(_result_table(table))


def _result_sentence(table: ResultTable) -> str:
    reached = tuple(line.organisation for line in table.lines if line.reached)
    missed = tuple(line.organisation for line in table.lines if line.reached is False)
    parts = [f"考核时点{chinese_date(table.measured_on)}"]
    if table.stated_total is not None:
        parts.append(f"文件明确的总目标为{quantity(table.stated_total, table.unit)}")
    elif table.derived_total is not None:
        parts.append(f"文件未列总目标，按分解任务推算为{quantity(table.derived_total, table.unit)}")
    if table.result_total is not None:
        parts.append(f"实际达到{quantity(table.result_total, table.unit)}")
    text = "，".join(parts)
    if len(table.lines) > 1:
        text += f"。完成目标的{len(reached)}家" + (f"（{names(reached)}）" if reached else "")
        text += f"，未完成的{len(missed)}家（{names(missed)}）" if missed else ""
    elif reached or missed:
        text += "，完成目标" if reached else "，未完成目标"
    return f"{text}。"


def _result_table(table: ResultTable) -> Table:
    """Columns for increases and derived bases only where the target has them."""
    has_base = any(line.increase is not None or line.derived_base is not None for line in table.lines)
    has_note = any(line.note for line in table.lines)
    columns = [TableColumn("单位", 26), TableColumn("目标（文件明确）", 32, "count")]
    columns += [TableColumn("其中新增", 19, "count"), TableColumn("基数（推算）", 24, "count")] if has_base else []
    columns += [TableColumn("实际", 20, "count"), TableColumn("完成率", 18, "share"), TableColumn("结果", 16)]
    columns += [TableColumn("说明", 34, "text")] if has_note else []
    rows = [_result_row(line, table.unit, has_base=has_base, has_note=has_note) for line in table.lines]
    notes = [table.basis] if table.basis else []
    if None not in (table.stated_total, table.derived_total) and table.stated_total != table.derived_total:
        notes.append(
            f"文件明确的总目标{count(in_unit(table.stated_total, table.unit))}与分解任务推算数"
            f"{count(in_unit(table.derived_total, table.unit))}不一致，分别列示，不作调整"
        )
    if has_base:
        notes.append("基数由目标减去新增推算，文件未列")
    note = f"注：{'；'.join(notes)}。" if notes else ""
    caption = f"{table.indicator}（单位：{unit_name(table.unit)}）"
    return Table(caption, tuple(columns), tuple(rows), note=note.replace("。。", "。").replace("。；", "；"))


def _result_row(line: ResultLine, unit: str, *, has_base: bool, has_note: bool) -> tuple[Cell, ...]:
    base = (in_unit(line.increase, unit), in_unit(line.derived_base, unit)) if has_base else ()
    note = (line.note,) if has_note else ()
    return (
        line.organisation, in_unit(line.stated, unit), *base, in_unit(line.result, unit), line.completion,
        _REACHED[line.reached], *note,
    )


# --- balance and lists ----------------------------------------------------------------------------------


def _balance(document: OfficialDocument, content: AcceptanceContent) -> None:
    if not content.categories:
        return
    document.heading("人员分类和平衡情况")
    scope = [line for line in content.categories if line.in_scope]
    in_scope, insured = sum(line.count for line in scope), sum(line.count for line in scope if line.insured)
    rate = share(insured / in_scope) if in_scope else "—"
    document.paragraph(
        f"纳入比对人员{content.population:,}人，逐人归入唯一类别，各类之和与总数相等，差额为0。其中应参保范围内"
        f"{in_scope:,}人，已参保{insured:,}人，参保率{rate}；未参保{in_scope - insured:,}人。"
    )
    document.table(_category_table(content))


def _category_table(content: AcceptanceContent) -> Table:
    columns = (
        TableColumn("类别", 62, "text"), TableColumn("应参保范围", 28), TableColumn("参保情况", 28),
        TableColumn("人数", 26, "count"), TableColumn("占比", 22, "share"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            line.name, "范围内" if line.in_scope else "范围外",
            ("已参保" if line.insured else "未参保") if line.in_scope else None, line.count,
            line.count / content.population if content.population else None,
        )
        for line in content.categories
    ]
    rows.append(("合计（等于比对人员总数）", None, None, content.population, 1.0 if content.population else None))
    return Table("人员分类平衡表（单位：人）", columns, tuple(rows), total=True)


def _lists(document: OfficialDocument, content: AcceptanceContent) -> None:
    if not content.lists:
        return
    document.heading("清单核查结果")
    total = list_total(content.lists)
    document.paragraph(
        f"共下发清单任务{total.released:,}条，已核查{total.checked:,}条，核查率{share(total.check_share)}；"
        f"报已参保{total.claimed:,}条，经登记数据核实{total.confirmed:,}条，核实不符{total.contradicted:,}条；"
        f"确属无法参保{total.excused_total:,}条；未核查{total.released - total.checked:,}条。"
    )
    document.table(list_table(content.lists, "清单核查结果（单位：条）", "清单"))
    if total.excused:
        document.table(reason_table(content.lists, "无法参保原因（单位：条）"))


# --- reporting, scores, candidates ----------------------------------------------------------------------


def _obligations(document: OfficialDocument, lines: tuple[ObligationLine, ...]) -> None:
    if not lines:
        return
    document.heading("工作报告报送情况")
    expected, on_time = sum(line.expected for line in lines), sum(line.on_time for line in lines)
    late, missing = sum(line.late for line in lines), sum(line.missing for line in lines)
    document.paragraph(
        f"应报{expected:,}期（次），按时{on_time:,}期（次），按时率{share(on_time / expected if expected else None)}；"
        f"迟报{late:,}期（次），未报{missing:,}期（次）。"
    )
    document.table(_obligation_table(lines))


def _obligation_table(lines: tuple[ObligationLine, ...]) -> Table:
    columns = (
        TableColumn("单位", 46), TableColumn("应报", 22, "count"), TableColumn("按时", 22, "count"),
        TableColumn("迟报", 22, "count"), TableColumn("未报", 22, "count"), TableColumn("按时率", 22, "share"),
    )
    rows = tuple(
        (
            line.organisation, line.expected, line.on_time, line.late, line.missing,
            line.on_time / line.expected if line.expected else None,
        )
        for line in lines
    )
    return Table("工作报告报送情况（单位：期次）", columns, rows)


def _scores(document: OfficialDocument, lines: tuple[ScoreLine, ...]) -> None:
    if not lines:
        return
    document.heading("考核得分和排名")
    pending = sorted({item.name for line in lines for item in line.items if item.points is None})
    text = "按方案规定的项目和权重计分，得分和排名见下表。"
    if pending:
        text += f"{names(tuple(pending))}由有关单位评定，尚未评定的标为“{_PENDING}”，评定前得分不含该项。"
    document.paragraph(text)
    document.table(_score_table(lines, every_item=False))


def _score_table(lines: tuple[ScoreLine, ...], *, every_item: bool) -> Table:
    items = list(dict.fromkeys((item.name, item.weight) for line in lines for item in line.items))
    shown = items if every_item or len(items) <= _MOST_ITEM_COLUMNS else []
    columns = (
        TableColumn("排名", 12, "count"), TableColumn("单位", 30),
        *(TableColumn(f"{name}（{count(weight)}分）", 20, "decimal") for name, weight in shown),
        TableColumn("得分", 18, "decimal"),
    )
    rows: list[tuple[Cell, ...]] = []
    for line in lines:
        points = {(item.name, item.weight): item.points for item in line.items}
        cells = [(_PENDING if points[key] is None else points[key]) if key in points else None for key in shown]
        rows.append((line.rank, line.organisation, *cells, line.score))
    return Table("考核得分和排名（单位：分）", columns, tuple(rows))


def _candidates(document: OfficialDocument, content: AcceptanceContent) -> None:
    document.heading("拟表扬和拟批评的建议对象")
    document.paragraph(_reservation(content))
    for kind, title in _KINDS.items():
        document.heading(title, 2)
        chosen = tuple(candidate for candidate in content.candidates if candidate.kind == kind)
        if not chosen:
            document.paragraph("无。")
        for number, candidate in enumerate(chosen, start=1):
            document.paragraph(f"{number}. {candidate.organisation}：{_evidence(candidate)}")


def _reservation(content: AcceptanceContent) -> str:
    return (
        "以下名单仅依据登记数据和报送记录整理，供研究参考，不是结论。是否通报表扬、通报批评，以及是否向纪检监察部门"
        f"提供问责线索，由{content.decided_by}研究决定；决定前应听取有关单位的说明。"
    )


def _evidence(candidate: Candidate) -> str:
    return "；".join(text.rstrip("。；") for text in candidate.evidence) + "。"


def _candidate_table(content: AcceptanceContent) -> Table:
    columns = (TableColumn("建议", 26), TableColumn("单位", 34), TableColumn("依据", 96, "text"), TableColumn("决定", 24))
    rows = tuple(
        (_KINDS[candidate.kind], candidate.organisation, _evidence(candidate), "待研究决定")
        for candidate in content.candidates
    )
    return Table("拟表扬和拟批评的建议对象", columns, rows, note=f"注：{_reservation(content)}")
