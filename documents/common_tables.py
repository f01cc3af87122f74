"""Tables that bulletins, the acceptance report and their annexes share."""

from __future__ import annotations

import math
from collections.abc import Callable

from documents.model import (
    Correction,
    FeedLine,
    FigureWords,
    ListLine,
    ProgressLine,
    ProgressTable,
    ReasonCount,
    Reference,
    RemarkLine,
    RestatedReport,
    ScorecardLine,
)
from documents.table import Cell, Table, TableColumn
from documents.wording import in_unit, month_day, unit_name


def _progress_columns(words: FigureWords) -> tuple[TableColumn, ...]:
    return (
        TableColumn("排名", 9, "count"), TableColumn("单位", 19), TableColumn("年度目标", 16.5, "count"),
        TableColumn(words.was, 20, "count"), TableColumn(words.added, 16.5, "count"),
        TableColumn(words.now, 20, "count"), TableColumn("完成率", 15.5, "share"),
        TableColumn("序时进度", 16.5, "share"), TableColumn("差额", 14, "count"), TableColumn("月环比", 16, "signed"),
    )


_FORECAST_COLUMNS = (
    TableColumn("前期月均新增", 18, "count"), TableColumn("后续月均需新增", 18, "count"),
    TableColumn("按目前进度预计达到", 20, "count"), TableColumn("按目前进度能否完成", 20), TableColumn("比对批次", 12),
)
_WHOLE = frozenset({"person", "employer", "project"})
_REACHES = {True: "能", False: "不能", None: None}


def progress_table(table: ProgressTable, *, forecast: bool = False) -> Table:
    """One indicator by organisation, best rank first as given; with ``forecast`` needed and expected pace as well."""

    def row(line: ProgressLine, rank: Cell) -> tuple[Cell, ...]:
        in_its_unit = [
            in_unit(value, table.unit) for value in (line.target, line.previous, line.added, line.current, line.gap)
        ]
        target, previous, added, current, gap = in_its_unit
        cells: tuple[Cell, ...] = (
            rank, line.label, target, previous, added, current, line.completion, line.pace, gap, line.month_on_month,
        )
        return (*cells, *_forecast_cells(line, table.unit), _run(line)) if forecast else cells

    rows = [row(line, line.rank) for line in table.lines]
    if table.total is not None:
        rows.append(row(table.total, ""))
    columns = (*_progress_columns(table.words), *_FORECAST_COLUMNS) if forecast else _progress_columns(table.words)
    caption = f"{table.indicator}完成情况（单位：{unit_name(table.unit)}）"
    note = f"注：{table.basis}" if table.basis else ""
    return Table(caption, columns, tuple(rows), total=table.total is not None, note=note)


def overview_table(tables: tuple[ProgressTable, ...], caption: str) -> Table:
    """Indicators with one figure each, one a row: a table of its own for each would be mostly head."""
    words = tables[0].words if tables else FigureWords()
    columns = (
        TableColumn("指标", 34, "text"), TableColumn("目标", 16, "count"), TableColumn(words.was, 21, "count"),
        TableColumn(words.added, 17, "count"), TableColumn(words.now, 21, "count"), TableColumn("完成率", 17, "share"),
        TableColumn("序时进度", 17, "share"), TableColumn("差额", 13, "count"),
    )
    rows: list[tuple[Cell, ...]] = []
    for table in tables:
        line = table.lines[0]
        target, previous, added, current, gap = (
            in_unit(value, table.unit) for value in (line.target, line.previous, line.added, line.current, line.gap))
        rows.append((f"{table.indicator}（{unit_name(table.unit)}）", target, previous, added, current, line.completion,
                     line.pace, gap))
    notes = tuple(dict.fromkeys(table.basis for table in tables if table.basis))
    return Table(caption, columns, tuple(rows), note=f"注：{'；'.join(notes)}" if notes else "")


def _run(line: ProgressLine) -> str | None:
    """A number of a comparison, not a quantity: without thousands."""
    return None if line.run_id is None else str(line.run_id)


def _forecast_cells(line: ProgressLine, unit: str) -> tuple[Cell, ...]:
    """Needed against actual pace, and where the latter leads. Nobody enrols a third of a person: what is needed is
    rounded up, the rest to whole ones."""
    actual, needed, expected = (in_unit(value, unit) for value in (line.actual_per_month, line.needed_per_month, line.expected))
    if unit in _WHOLE:
        cells = (_whole(actual, round), _whole(needed, math.ceil), _whole(expected, round))
    else:
        cells = (_whole(actual, _hundredths), _whole(needed, _hundredths), _whole(expected, _hundredths))
    return (*cells, _REACHES[line.reaches])


def _hundredths(value: float) -> float:
    return round(value, 2)


def _whole(value: float | None, rounded: Callable[[float], float]) -> float | None:
    return None if value is None else rounded(value)


def forecast_table(table: ProgressTable) -> Table:
    """The organisations whose pace does not lead to the target: needed against actual, worst first."""
    short = [line for line in table.lines if line.reaches is False]
    rows: list[tuple[Cell, ...]] = [
        (line.label, in_unit(line.gap, table.unit), *_forecast_cells(line, table.unit)[:-1]) for line in short]
    columns = (
        TableColumn("单位", 32), TableColumn("差额", 26, "count"), TableColumn("前期月均新增", 32, "count"),
        TableColumn("后续月均需新增", 34, "count"), TableColumn("按目前进度预计达到", 34, "count"),
    )
    return Table(f"{table.indicator}进度预测（单位：{unit_name(table.unit)}）", columns, tuple(rows),
                 note="注：仅列预计不能如期完成的单位；按首次和最近一次登记数据之间的平均进度推算，供调度参考。")


def list_total(lines: tuple[ListLine, ...], label: str = "合计") -> ListLine:
    """The sum over lines. Each finding has one lead owner, so nothing is counted twice."""
    reasons: dict[str, int] = {}
    for line in lines:
        for entry in line.excused:
            reasons[entry.reason] = reasons.get(entry.reason, 0) + entry.count
    return ListLine(
        label, sum(line.released for line in lines), sum(line.checked for line in lines),
        sum(line.claimed for line in lines), sum(line.confirmed for line in lines),
        sum(line.contradicted for line in lines), tuple(ReasonCount(*entry) for entry in reasons.items()),
    )


def list_table(lines: tuple[ListLine, ...], caption: str, label: str) -> Table:
    """Findings released, checked, claimed, confirmed, contradicted, excused and open, with their total."""
    columns = (
        TableColumn(label, 26), TableColumn("下发数", 15, "count"), TableColumn("已核查", 15, "count"),
        TableColumn("核查率", 16, "share"), TableColumn("报已参保", 15, "count"), TableColumn("数据核实", 15, "count"),
        TableColumn("核实不符", 15, "count"), TableColumn("无法参保", 15, "count"), TableColumn("未核查", 15, "count"),
    )
    rows = tuple(
        (
            line.label, line.released, line.checked, line.check_share, line.claimed, line.confirmed,
            line.contradicted, line.excused_total, line.released - line.checked,
        )
        for line in (*lines, list_total(lines))
    )
    note = "注：“数据核实”指报已参保且下一期登记数据已证实；“核实不符”指报已参保而登记数据没有，已退回重新核查。"
    return Table(caption, columns, rows, total=True, note=note)


def reason_table(lines: tuple[ListLine, ...], caption: str) -> Table:
    """Why findings were excused, most frequent first."""
    counted = sorted(list_total(lines).excused, key=lambda entry: -entry.count)
    total = sum(entry.count for entry in counted)
    rows: list[tuple[Cell, ...]] = [(entry.reason, entry.count, entry.count / total) for entry in counted]
    rows.append(("合计", total, 1.0 if total else None))
    shares = (TableColumn("人（户）数", 40, "count"), TableColumn("占比", 40, "share"))
    return Table(caption, (TableColumn("无法参保原因", 60), *shares), tuple(rows), total=True)


def feed_table(lines: tuple[FeedLine, ...], caption: str) -> Table:
    """Deliveries by department: due, delivered, how good."""
    columns = (
        TableColumn("部门", 24), TableColumn("数据", 44, "text"), TableColumn("应报时限", 19),
        TableColumn("实报日期", 19), TableColumn("情况", 12), TableColumn("行数", 16, "count"),
        TableColumn("证件有效率", 20, "share"),
    )
    rows = tuple(
        (
            line.department, line.feed + (f"（{line.remark}）" if line.remark else ""),
            month_day(line.due.effective) if line.due else None,
            month_day(line.delivered_on) if line.delivered_on else None, line.state, line.rows, line.valid_id_share,
        )
        for line in lines
    )
    return Table(caption, columns, rows)


def scorecard_table(lines: tuple[ScorecardLine, ...], caption: str) -> Table:
    """Departments' deliveries in figures: in time, complete, returned, refused, valid, and against the month before."""
    columns = (
        TableColumn("部门", 26), TableColumn("应报", 11, "count"), TableColumn("按时", 11, "count"),
        TableColumn("迟报", 11, "count"), TableColumn("未报", 11, "count"), TableColumn("迟报工作日", 15, "count"),
        TableColumn("报送率", 17, "share"), TableColumn("退回次数", 13, "count"), TableColumn("待核占比", 17, "share"),
        TableColumn("证件有效率", 18, "share"), TableColumn("退回后重报用时（天）", 17, "decimal"), TableColumn("比上月", 13),
    )
    rows = tuple(
        (
            line.department, line.due, line.on_time, line.late, line.missing, line.late_working_days, line.complete,
            line.returned, line.quarantined_share, line.valid_id_share, line.redelivery_days, line.trend,
        )
        for line in lines
    )
    note = "注：“待核占比”指因号码、代码等有误而未采用、列入更正单的行所占比例；“比上月”依次看按时率、报送率、证件有效率。"
    return Table(caption, columns, rows, note=note)


def correction_table(corrections: tuple[Correction, ...], *, references: bool = False) -> Table:
    """Published figures and what they are now; with ``references`` the command that opens each."""
    several = len({entry.published_in for entry in corrections if entry.published_in}) > 0
    columns = [TableColumn("项目", 46, "text"), TableColumn("原通报数", 24), TableColumn("更正数", 24)]
    columns += [TableColumn("原通报", 34)] if several else []
    columns += [TableColumn("原因", 52, "text")]
    columns += [TableColumn("查询命令", 120, "text")] if references else []
    rows: list[tuple[Cell, ...]] = []
    for entry in corrections:
        row: list[Cell] = [entry.what, entry.was, entry.now]
        row += [entry.published_in] if several else []
        row += [entry.reason]
        row += [entry.reference] if references else []
        rows.append(tuple(row))
    return Table("更正情况", tuple(columns), tuple(rows))


def restated_table(lines: tuple[RestatedReport, ...]) -> Table:
    """Reports that units corrected after acceptance."""
    columns = (
        TableColumn("单位", 30), TableColumn("报告", 44, "text"), TableColumn("报告期", 26), TableColumn("更正日期", 20),
        TableColumn("更正内容", 60, "text"),
    )
    return Table("已接收报告的更正情况", columns, tuple(
        (line.organisation, line.report, line.period_name, month_day(line.restated_on), line.changed) for line in lines))


def remark_table(lines: tuple[RemarkLine, ...]) -> Table:
    """What the office should look at in accepted reports."""
    columns = (
        TableColumn("单位", 28), TableColumn("报告", 44, "text"), TableColumn("报告期", 24), TableColumn("提示", 84, "text"),
    )
    return Table("报告待核实事项", columns, tuple(
        (line.organisation, line.report, line.period_name, line.remark) for line in lines),
        note="注：由系统比对提示，仅供核实，不作为结论。")


def reference_table(references: tuple[Reference, ...]) -> Table:
    """Every printed figure with the comparison it comes from and the command that opens it to its rows."""
    columns = (
        TableColumn("项目", 70, "text"), TableColumn("数值", 24), TableColumn("比对批次", 18),
        TableColumn("查询命令", 150, "text"),
    )
    return Table("数字来源", columns, tuple((entry.what, entry.value, entry.run, entry.command) for entry in references),
                 note="注：在系统中运行“查询命令”，可看到口径、比对批次、数据文件和逐行明细（明细导出记入审计）。")
