"""Tables that bulletins, the acceptance report and their annexes share."""

from __future__ import annotations

from documents.model import FeedLine, ListLine, ProgressLine, ProgressTable, ReasonCount
from documents.table import Cell, Table, TableColumn
from documents.wording import in_unit, month_day, unit_name

_PROGRESS_COLUMNS = (
    TableColumn("排名", 9, "count"), TableColumn("单位", 19), TableColumn("年度目标", 16.5, "count"),
    TableColumn("上月末累计", 20, "count"), TableColumn("本月新增", 16.5, "count"),
    TableColumn("本月末累计", 20, "count"), TableColumn("完成率", 15.5, "share"),
    TableColumn("序时进度", 16.5, "share"), TableColumn("差额", 14, "count"), TableColumn("月环比", 16, "signed"),
)
_FORECAST_COLUMNS = (TableColumn("后续月均需新增", 18, "count"), TableColumn("按目前进度能否完成", 20))
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
        return (*cells, in_unit(line.needed_per_month, table.unit), _REACHES[line.reaches]) if forecast else cells

    rows = [row(line, line.rank) for line in table.lines]
    if table.total is not None:
        rows.append(row(table.total, ""))
    columns = (*_PROGRESS_COLUMNS, *_FORECAST_COLUMNS) if forecast else _PROGRESS_COLUMNS
    caption = f"{table.indicator}完成情况（单位：{unit_name(table.unit)}）"
    note = f"注：{table.basis}" if table.basis else ""
    return Table(caption, columns, tuple(rows), total=table.total is not None, note=note)


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
