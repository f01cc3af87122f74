"""What the command line prints for people: plan reports, the calendar, receipts, status, the rehearsal's summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from models.errors import Fault
from models.plan import Plan
from rules.calendar import WorkCalendar
from rules.deadlines import expected, item_periods, nominal_due
from rules.ladder import rungs
from tasks.campaign import period_name

WEEKDAYS = "一二三四五六日"


def _width(text: str) -> int:
    """Columns a text takes on a terminal: Chinese letters take two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * max(0, width - _width(text))
    return space + text if right else text + space


def table(rows: Sequence[Sequence[object]], *, numbers: Iterable[int] = ()) -> str:
    """Aligned columns; those in ``numbers`` to the right."""
    cells = [["–" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(cells[0]))] if cells else []
    right = set(numbers)
    return "\n".join(
        "  " + "  ".join(_pad(cell, widths[column], right=column in right) for column, cell in enumerate(row)).rstrip()
        for row in cells)


def plan_report(name: str, faults: Sequence[Fault], notes: Sequence[Fault]) -> str:
    """Faults and notes, one a line."""
    lines = [f"{name}: {'sound' if not faults else f'{len(faults)} fault(s)'}"]
    lines += [f"  fault  {fault}" for fault in faults]
    lines += [f"  note   {note}" for note in notes]
    return "\n".join(lines)


def calendar_rows(plan: Plan) -> list[dict[str, Any]]:
    """Phases, deadlines (one row per item and period) and their ladder steps, in order of the effective day."""
    calendar = WorkCalendar(plan.calendar)
    ladders = {ladder.id: ladder for ladder in plan.ladders}
    rows: list[dict[str, Any]] = []
    for phase in plan.phases:
        rows.append({"day": phase.starts, "kind": "phase starts", "what": phase.name, "nominal": phase.starts})
        if phase.ends:
            rows.append({"day": phase.ends, "kind": "phase ends", "what": phase.name, "nominal": phase.ends,
                         "next_workday": calendar.roll(phase.ends, "next_workday")})
        for step in phase.steps:
            rows.append({"day": step.ends, "kind": "step ends", "what": f"{phase.name} · {step.name}",
                         "nominal": step.ends, "next_workday": calendar.roll(step.ends, "next_workday")})
    grouped: dict[tuple[str, str], list[Any]] = {}
    for owed in expected(plan):
        grouped.setdefault((owed.item, owed.period), []).append(owed)
    for (item, period), members in grouped.items():
        first = members[0]
        entry: dict[str, Any] = {
            "day": first.effective, "kind": "due", "what": f"{first.name}（{period_name(period)}）", "item": item,
            "period": period, "nominal": first.nominal, "effective": first.effective, "due_before": first.due_before,
            "organisations": len(members)}
        if first.ladder:
            entry["steps"] = [{"step": rung.step_id, "at": rung.planned_at} for rung in rungs(
                ladders[first.ladder], first.effective, calendar, plan.time_zone)]
        rows.append(entry)
    for bulletin in plan.bulletins:
        for period_of in item_periods(plan, bulletin.cadence, bulletin.due):
            nominal = nominal_due(bulletin.due, period_of)
            day = calendar.roll(nominal, plan.calendar.roll)
            rows.append({"day": day, "kind": "bulletin", "what": f"{bulletin.name}（{period_name(period_of.label)}）",
                         "nominal": nominal, "effective": day})
    for name, day in (("初评", plan.acceptance.provisional_on), ("终评", plan.acceptance.final_on)):
        rows.append({"day": day, "kind": "acceptance", "what": f"验收{name}", "nominal": day})
    for entry in rows:
        entry["in_calendar"] = calendar.covers(entry["day"])
    return sorted(rows, key=lambda row: (row["day"], row["kind"], row["what"]))


def _day(day: date) -> str:
    return f"{day} 周{WEEKDAYS[day.weekday()]}"


def calendar_text(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> str:
    """The calendar as a table; a nominal date that moved is shown beside the effective one."""
    kinds = {"phase starts": "阶段开始", "phase ends": "阶段结束", "step ends": "步骤期限", "due": "应报", "bulletin": "通报",
             "acceptance": "验收"}
    lines: list[Sequence[object]] = []
    for row in rows:
        effective = row.get("effective", row["nominal"])
        moved = f"原定 {_day(row['nominal'])}" if row["nominal"] != effective else (
            f"顺延至 {_day(row['next_workday'])}" if row.get("next_workday", effective) != effective else "")
        units = f"{row['organisations']}个单位" if "organisations" in row else ""
        steps = " ".join(f"{step['at']:%m-%d}" for step in row.get("steps", ()))
        lines.append((_day(effective), kinds[row["kind"]], row["what"], units, moved, steps and f"催办 {steps}"))
    unknown = [row for row in rows if not row["in_calendar"]]
    warning = (f"\n\n注意：{len(unknown)} 个日期在公布的节假日历（2004–2026）之外，仅按周末计算。" if unknown else "")
    return f"{plan.name}（{plan.id}）\n\n{table(lines)}{warning}"


def receipts(entries: Sequence[Mapping[str, Any]]) -> str:
    """One line per file: verdict and the four counts that add up to its rows."""
    if not entries:
        return "nothing new: every file here was taken in before."
    lines: list[Sequence[object]] = [("file", "verdict", "rows", "accepted", "quarantined", "duplicate", "dropped")]
    lines += [(entry["file"], entry["verdict"] + ("" if entry.get("new", True) else " (again)"), entry.get("rows"),
               entry.get("accepted"), entry.get("quarantined"), entry.get("duplicate"), entry.get("dropped"))
              for entry in entries]
    refused = [f"  {entry['file']}: {entry['reason']}" for entry in entries if entry.get("reason")]
    return "\n".join([table(lines, numbers=range(2, 7)), *refused])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _reports_line(name: str, counted: Mapping[str, int]) -> str:
    due = counted.get("expected", 0)
    return (f"  {name}：应报 {due}，按时 {counted.get('on_time', 0)}（{_share(counted.get('on_time', 0), due)}），"
            f"迟报 {counted.get('late', 0)}，未报 {counted.get('missing', 0)}")


def status(result: Mapping[str, Any]) -> str:
    """The whole picture for an operator."""
    marks = {"closed": "✔", "open": "▶", "ahead": "·"}
    parts = [f"{result['name']}（{result['campaign']}）  截至 {result['as_of']}", "", "阶段"]
    parts += [f"  {marks[row['state']]} {row['name']}  {row['starts']} – {row['ends'] or '长期'}" for row in result["phases"]]
    parts += ["", "报送", _reports_line("报告", result["reports"]), _reports_line("数据", result["feeds"])]
    if result["owing"]:
        parts += ["", f"逾期未报（{len(result['owing'])}）"]
        parts.append(table([(row["organisation"], row["item"], period_name(row["period"]), row["status"], f"应于 {row['due']}")
                            for row in result["owing"][:20]]))
        if len(result["owing"]) > 20:
            parts.append(f"  …… 另有 {len(result['owing']) - 20} 项（--json 全部列出）")
    parts += _accounts(result["files"])
    if result["run"]:
        parts += _balance(result["run"])
        parts += _lists(result["lists"])
        parts += _outcomes(result["outcomes"])
        parts += _progress(result["progress"])
    parts += ["", f"最近巡检 {result['last_sweep'] or '从未'}；审计链{'完整' if result['audit_whole'] else '不完整！'}"]
    return "\n".join(parts)


def _accounts(files: Mapping[str, int]) -> list[str]:
    total = files["accepted"] + files["quarantined"] + files["duplicate"] + files["dropped"]
    return ["", "数据文件",
            f"  {files['files']} 个文件（退回 {files['returned']} 个），{files['rows']:,} 行 = 接受 {files['accepted']:,} + 隔离 "
            f"{files['quarantined']:,} + 重复 {files['duplicate']:,} + 剔除 {files['dropped']:,}"
            f"{' ✔' if total == files['rows'] else ' ✘ 不平！'}"]


def _balance(run: Mapping[str, Any]) -> list[str]:
    rows: list[Sequence[object]] = [(entry["name"], entry["persons"], _share(entry["persons"], run["persons"]))
                                    for entry in run["categories"]]
    total = sum(entry["persons"] for entry in run["categories"])
    rows.append(("合计", total, "= 总人口 ✔" if total == run["persons"] else f"≠ 总人口 {run['persons']:,} ✘"))
    return ["", f"比对（{period_name(run['period'])}，第 {run['id']} 次）：每人归入且仅归入一类", table(rows, numbers=(1, 2))]


def _lists(lists: Sequence[Mapping[str, Any]]) -> list[str]:
    rows: list[Sequence[object]] = []
    for entry in lists:
        if entry["findings"]:
            owners = "、".join(f"{owner} {count:,}" for owner, count in list(entry["owners"].items())[:6])
            more = len(entry["owners"]) - 6
            rows.append((entry["name"], entry["findings"], owners + (f" 等{len(entry['owners'])}个" if more > 0 else "")))
    return ["", "在办清单", table(rows, numbers=(1,)) if rows else "  无"]


def _outcomes(outcomes: Mapping[str, int]) -> list[str]:
    get = outcomes.get
    return ["", "核查结果",
            f"  反馈 {get('answers', 0):,}：报称已办 {get('claimed', 0):,}（登记证实 {get('confirmed', 0):,}，登记不符 "
            f"{get('contradicted', 0):,}，待下月登记 {get('waiting', 0):,}，已死亡或迁出 {get('moot', 0):,}），"
            f"因故不参保 {get('excused', 0):,}"]


def _progress(progress: Sequence[Mapping[str, Any]]) -> list[str]:
    rows: list[Sequence[object]] = [("指标", "单位", "目标", "现状", "结果", "照此进度")]
    for entry in progress:
        current, ahead = entry["current"], entry["expected"]
        rows.append((
            entry["indicator"], entry["organisation"], f"{entry['level']:,.0f}",
            None if current is None else f"{current:,.1f}".removesuffix(".0"),
            {True: "达到", False: "未达到", None: "–"}[entry["reached"]],
            None if ahead is None else f"{ahead:,.0f} {'可达' if entry['reaches'] else '不可达'}"))
    return ["", "目标", table(rows, numbers=(2, 3))]


def rehearsal(result: Mapping[str, Any]) -> str:
    """The summary at the end of a rehearsal: what a person wants to know, and where the documents are."""
    stand = result["status"]
    steps: dict[tuple[str, str], dict[str, int]] = {}
    for row in stand["steps"]:
        steps.setdefault((row["ladder"], row["step_id"]), {})[row["state"]] = row["steps"]
    lines: list[Sequence[object]] = [("催办阶梯", "步骤", "已发", "被取代", "因已报取消")]
    lines += [(ladder, step, states.get("sent", 0), states.get("superseded", 0), states.get("cancelled", 0))
              for (ladder, step), states in steps.items()]
    ended = "" if result["finished"] else f"（演练停在 {result['until']}，再次运行同一命令即可继续）"
    parts = [
        "", "═" * 78, status(stand), "", f"催办：应报事项 {result['obligations']:,} 条，事先生成", table(lines, numbers=(2, 3, 4)),
    ]
    if result.get("silent"):
        parts += ["", "全程未报单位逐级催办：" + "；".join(
            f"{entry['organisation']}：{' → '.join(entry['steps'])}" for entry in result["silent"])]
    parts += ["", f"演练{'完成' if result['finished'] else '未完'}{ended}：{result['events']:,} 个事件，"
                  f"{result['flow_runs']:,} 次流程运行，用时 {result['seconds']:.0f} 秒", "", "文件"]
    parts += [f"  {name:<12}{path}" for name, path in result["places"].items()]
    parts += ["", "查看：canbao status " + stand["campaign"] + "；make up 打开 Prefect 界面。", "═" * 78]
    return "\n".join(parts)
