"""The monthly bulletin on progress (按月通报, C19) and its workbook annex.

Facts by organisation, in the order cause, facts, what is asked next (domain.md, Documents). Sentences are made from
the same values as the tables; a part without facts is left out. It names organisations only, never a person.
"""

from __future__ import annotations

from pathlib import Path

from documents.chart import progress_chart
from documents.common_tables import (
    correction_table,
    feed_table,
    forecast_table,
    list_table,
    list_total,
    overview_table,
    progress_table,
    reason_table,
    reference_table,
    remark_table,
    restated_table,
    scorecard_table,
)
from documents.model import (
    BulletinContent,
    FeedLine,
    ListLine,
    ProgressLine,
    ProgressTable,
    ReportingLine,
    RestatedReport,
    ScorecardLine,
)
from documents.official import OfficialDocument
from documents.table import Table, TableColumn, source_line, write_annex
from documents.wording import chinese_date, names, quantity, share

NO_CHART_FONT = "chart left out: no font with Chinese letters is installed (fonts-noto-cjk has them)"
_TOLD_ONE_BY_ONE = 2
"""A report of more periods than this in one bulletin is told in one table with a row a period."""
_RANKED_FROM = 6
"""With fewer organisations naming the first and last three would name them all twice."""


def write_bulletin(path: Path, content: BulletinContent) -> tuple[str, ...]:
    """Write the bulletin; the notes returned say what was left out. Raises StorageUnavailable."""
    document = OfficialDocument(content.origin, content.head.title)
    document.red_head(content.head)
    document.paragraph(
        f"根据{content.basis}要求，现将截至{chinese_date(content.origin.as_of)}{content.origin.campaign_name}"
        "工作进展情况通报如下。"
    )
    notes = _progress(document, content.progress)
    _lists(document, content.lists)
    _reports(document, content.reports, content.restated)
    _feeds(document, content.feeds, content.scorecards)
    _corrections(document, content)
    if content.asks:
        document.heading("下一步工作要求")
        document.items(content.asks)
    document.remark(source_line(content.origin))
    document.annex_note((content.annex_name,) if content.annex_name else ())
    document.signature(content.head)
    document.imprint(content.head)
    document.save(path)
    return notes


def write_bulletin_annex(path: Path, content: BulletinContent) -> None:
    """The bulletin's tables as a workbook, with the forecast beside the progress. Raises StorageUnavailable."""
    tables = [progress_table(table, forecast=True) for table in content.progress]
    if content.lists:
        tables.append(list_table(content.lists, "清单核查情况", "单位"))
    if any(line.excused for line in content.lists):
        tables.append(reason_table(content.lists, "无法参保原因"))
    tables += [_reporting_table(line) for line in content.reports]
    if content.restated:
        tables.append(restated_table(content.restated))
    if content.remarks:
        tables.append(remark_table(content.remarks))
    if content.feeds:
        tables.append(feed_table(content.feeds, "部门数据报送情况"))
    if content.scorecards:
        tables.append(scorecard_table(content.scorecards, "部门数据报送质量"))
    if content.corrections:
        tables.append(correction_table(content.corrections, references=True))
    if content.references:
        tables.append(reference_table(content.references))
    title = content.annex_name.removesuffix(".xlsx") or content.head.title
    write_annex(path, content.origin, title, tuple(tables))


# --- parts ----------------------------------------------------------------------------------------------


def _progress(document: OfficialDocument, tables: tuple[ProgressTable, ...]) -> tuple[str, ...]:
    if not tables:
        return ()
    document.heading("目标任务完成情况")
    known = [table for table in tables if any(line.current is not None for line in table.lines)]
    by_unit = [table for table in known if len(table.lines) > 1]
    single = [table for table in known if len(table.lines) == 1]
    several = len(by_unit) + bool(single) > 1
    if single:
        if several:
            document.heading("总体目标", 2)
        document.paragraph(_overview_sentence(single))
        document.table(overview_table(tuple(single), "总体目标完成情况"))
    for table in by_unit:
        if several:
            document.heading(table.indicator, 2)
        sentence = _progress_sentence(table)
        if sentence:
            document.paragraph(sentence)
        document.table(progress_table(table))
        if any(line.reaches is False for line in table.lines):
            document.table(forecast_table(table))
    unknown = tuple(dict.fromkeys(table.indicator for table in tables if table not in known))
    if unknown:
        document.paragraph(f"{names(unknown)}本期尚无登记数据，待数据报送后通报。")
    image = progress_chart(tables)
    if image is not None:
        document.picture(image, "图1　各单位完成率与序时进度")
        return ()
    drawable = any(line.completion is not None for table in tables for line in table.lines)
    return (NO_CHART_FONT,) if drawable else ()


def _overview_sentence(tables: list[ProgressTable]) -> str:
    """One figure after the other, and which of them will not be reached at this pace."""
    parts = []
    for table in tables:
        line = table.lines[0]
        text = f"{table.indicator}{quantity(line.current, table.unit)}"
        if line.target is not None:
            text += f"（目标{quantity(line.target, table.unit)}"
            text += f"，完成{share(line.completion)}）" if line.completion is not None else "）"
        parts.append(text)
    short = tuple(table.indicator for table in tables if table.lines[0].reaches is False)
    late = f"按目前进度预计不能如期完成的有{names(short)}。" if short else ""
    return f"{'；'.join(parts)}。{late}"


def _progress_sentence(table: ProgressTable) -> str:
    sentences = []
    if table.total is not None:
        sentences.append(_total_sentence(table, table.total))
    behind = tuple(line.label for line in table.lines if _is_behind(line))
    ranked = [line for line in table.lines if line.rank is not None]
    if len(ranked) >= _RANKED_FROM:
        first = names(tuple(f"{line.label}（{share(line.completion)}）" for line in ranked[:3]))
        sentences.append(f"完成率居前三位的是{first}。")
    if behind:
        sentences.append(f"低于序时进度的有{names(behind)}。")
    elif all(line.completion is not None and line.pace is not None for line in table.lines):
        sentences.append("各单位均达到序时进度。")
    short = tuple(line.label for line in table.lines if line.reaches is False)
    if short:
        sentences.append(f"按目前进度预计不能如期完成年度目标的有{names(short)}。")
    return "".join(sentences)


def _total_sentence(table: ProgressTable, total: ProgressLine) -> str:
    text = f"{table.indicator}年度目标{quantity(total.target, table.unit)}，"
    if total.added is not None:
        text += f"{table.words.added}{quantity(total.added, table.unit)}，"
    text += f"累计达到{quantity(total.current, table.unit)}，完成年度目标的{share(total.completion)}"
    if total.completion is None or total.pace is None:
        return f"{text}。"
    points = (total.completion - total.pace) * 100
    return f"{text}，{'高' if points >= 0 else '低'}于序时进度{abs(points):.2f}个百分点。"


def _is_behind(line: ProgressLine) -> bool:
    return line.completion is not None and line.pace is not None and line.completion < line.pace


def _lists(document: OfficialDocument, lines: tuple[ListLine, ...]) -> None:
    if not lines:
        return
    document.heading("清单核查情况")
    total = list_total(lines)
    reasons = sorted(total.excused, key=lambda entry: -entry.count)[:3]
    main = f"，主要原因为{names(tuple(f'{entry.reason}{entry.count:,}' for entry in reasons))}" if reasons else ""
    document.paragraph(
        f"共下发清单任务{total.released:,}条，已核查{total.checked:,}条，核查率{share(total.check_share)}；"
        f"报已参保{total.claimed:,}条，其中登记数据已核实{total.confirmed:,}条、核实不符{total.contradicted:,}条；"
        f"确属无法参保{total.excused_total:,}条{main}；尚未核查{total.released - total.checked:,}条。"
    )
    idle = tuple(line.label for line in lines if line.released and not line.checked)
    if idle:
        document.paragraph(f"尚未开展核查的有{names(idle)}。")
    document.table(list_table(lines, "各单位清单核查情况（单位：条）", "单位"))


def _reports(
    document: OfficialDocument, lines: tuple[ReportingLine, ...], restated: tuple[RestatedReport, ...]
) -> None:
    if not lines and not restated:
        return
    document.heading("工作报告报送情况")
    by_report: dict[str, list[ReportingLine]] = {}
    for line in lines:
        by_report.setdefault(line.report, []).append(line)
    for report, own in by_report.items():
        if len(own) > _TOLD_ONE_BY_ONE:
            document.paragraph(f"{report}共{len(own)}期，{_reporting_sentence(_together(own), '份')}")
            document.table(_periods_table(report, own))
            continue
        for line in own:
            document.paragraph(f"{line.period_name}{report}{_reporting_sentence(line)}")
            document.table(_reporting_table(line))
    if restated:
        document.paragraph(f"已接收的报告中，有{len(restated)}份经报送单位更正，更正前后内容均已留存。")
        document.table(restated_table(restated))


def _reporting_sentence(line: ReportingLine, measure_word: str = "家") -> str:
    expected = len(line.on_time) + len(line.late) + len(line.missing) + len(line.extended)
    parts = [f"按时报送{len(line.on_time)}{measure_word}"]
    parts += [f"{word}{len(held)}{measure_word}" for word, held in (
        ("迟报", line.late), ("未报", line.missing), ("经批准延期", line.extended)) if held]
    return f"应报{expected}{measure_word}，{'，'.join(parts)}。"


def _together(lines: list[ReportingLine]) -> ReportingLine:
    """Several periods of one report as one count."""
    return ReportingLine(
        lines[0].report, "", tuple(name for line in lines for name in line.on_time),
        tuple(entry for line in lines for entry in line.late), tuple(name for line in lines for name in line.missing),
        tuple(name for line in lines for name in line.extended))


def _periods_table(report: str, lines: list[ReportingLine]) -> Table:
    """One row a period, where a bulletin looks back on many."""
    rows = tuple(
        (line.period_name, len(line.on_time), len(line.late), len(line.missing), names(line.missing) or None)
        for line in lines)
    columns = (
        TableColumn("报告期", 40), TableColumn("按时", 14, "count"), TableColumn("迟报", 14, "count"),
        TableColumn("未报", 14, "count"), TableColumn("未报单位", 74, "text"),
    )
    return Table(f"{report}各期报送情况", columns, rows)


def _reporting_table(line: ReportingLine) -> Table:
    late = tuple(f"{entry.organisation}（迟{entry.late_working_days}个工作日）" for entry in line.late)
    rows = tuple(
        (state, len(held), names(held) or None)
        for state, held in (("按时", line.on_time), ("迟报", late), ("未报", line.missing), ("延期", line.extended))
    )
    columns = (TableColumn("情况", 16), TableColumn("家数", 14, "count"), TableColumn("单位", 126, "text"))
    return Table(f"{line.period_name}{line.report}报送情况", columns, rows)


def _feeds(
    document: OfficialDocument, lines: tuple[FeedLine, ...], scorecards: tuple[ScorecardLine, ...]
) -> None:
    if not lines:
        return
    document.heading("部门数据报送情况")
    states: dict[str, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    counted = "、".join(f"{state}{number}项" for state, number in states.items())
    document.paragraph(f"本期应报数据{len(lines)}项，其中{counted}。{_scorecard_sentence(scorecards)}")
    document.table(feed_table(lines, "部门数据报送情况"))


def _scorecard_sentence(lines: tuple[ScorecardLine, ...]) -> str:
    """Who had files returned, and who does better or worse than the month before; the figures are in the annex."""
    returned = tuple(f"{line.department}（{line.returned}次）" for line in lines if line.returned)
    parts = [f"数据被退回的有{names(returned)}。"] if returned else []
    for trend in ("好转", "变差"):
        departments = tuple(line.department for line in lines if line.trend == trend)
        parts += [f"报送质量比上月{trend}的有{names(departments)}。"] if departments else []
    return "".join(parts)


def _corrections(document: OfficialDocument, content: BulletinContent) -> None:
    if content.corrections:
        document.heading("更正说明")
        document.paragraph("因有关部门更正数据，对前期通报的下列数字更正如下。")
        document.table(correction_table(content.corrections))
