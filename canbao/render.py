"""What the command line shows people: plan reports, the calendar, receipts, status, the rehearsal's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from canbao.pages import page, table
from rules.periods import period_name

if TYPE_CHECKING:
    from models.errors import Fault
    from models.plan import Plan

WEEKDAYS = "一二三四五六日"


def plan_values(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Each value of a plan behind its key, with the file and line that set it."""
    def shown(value: Any) -> str:
        return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list) else "" if value is None else str(value)

    return table([(f"{row['file']}:{row['line']}", row["key"], shown(row["value"])) for row in rows])


def plan_report(name: str, faults: Sequence[Fault], notes: Sequence[Fault]) -> RenderableType:
    """Faults and notes, one a line."""
    lines = [f"{name}: {'sound' if not faults else f'{len(faults)} fault(s)'}"]
    lines += [f"  fault  {fault}" for fault in faults]
    if any(fault.file and not fault.file.startswith("feeds/") for fault in faults):
        lines.append("         Where a file is named, the plan inherits the value: write the same key in the plan to say it otherwise.")
    lines += [f"  note   {note}" for note in notes]
    return page(*lines)


def _day(day: date) -> str:
    return f"{day} 周{WEEKDAYS[day.weekday()]}"


def calendar_page(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The calendar as a table; a nominal date that moved is shown beside the effective one."""
    kinds = {"phase starts": "阶段开始", "phase ends": "阶段结束", "step ends": "步骤期限", "due": "应报", "bulletin": "通报",
             "acceptance": "验收", "comparison": "比对"}
    lines: list[Sequence[object]] = []
    for row in rows:
        effective = row.get("effective", row["nominal"])
        moved = f"原定 {_day(row['nominal'])}" if row["nominal"] != effective else (
            f"顺延至 {_day(row['next_workday'])}" if row.get("next_workday", effective) != effective else "")
        units = f"{row['organisations']}个单位" if "organisations" in row else f"{row['at']:%H:%M}" if "at" in row else ""
        steps = " ".join(f"{step['at']:%m-%d}" for step in row.get("steps", ()))
        lines.append((_day(effective), kinds[row["kind"]], row["what"], units, moved, steps and f"催办 {steps}"))
    unknown = [row for row in rows if not row["in_calendar"]]
    warning = ["", f"注意：{len(unknown)} 个日期所在年份的放假安排尚未导入，仅按周末计算。"] if unknown else []
    return page(f"{plan.name}（{plan.id}）", "", table(lines), *warning)


def receipts(
    entries: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]] = (), elsewhere: Mapping[str, int] | None = None
) -> RenderableType:
    """One line per file: verdict and the four counts that add up to its rows; then what was not taken, and why."""
    parts = _receipt_lines(entries) if entries else ["nothing new: every file here was taken in before."]
    parts += inbox(held)
    if elsewhere:
        parts += ["", "另有其他期的文件：" + "，".join(f"{period} {count} 个" for period, count in sorted(elsewhere.items()))]
    return page(*parts)


def _receipt_lines(entries: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    lines = [(entry["file"], entry["verdict"] + ("" if entry.get("new", True) else " (again)"), entry.get("rows"),
               entry.get("accepted"), entry.get("quarantined"), entry.get("duplicate"), entry.get("dropped"))
              for entry in entries]
    told = [line for entry in entries if entry.get("reason") for line in (
        f"  {_numbered(entry)}{entry['file']}: {entry['reason']}", *_answers(entry),
        *(f"      {command}" for command in entry.get("next", ())))]
    header = ("file", "verdict", "rows", "accepted", "quarantined", "duplicate", "dropped")
    return [table(lines, header=header, numbers=range(2, 7)), *told]


def _answers(entry: Mapping[str, Any]) -> list[str]:
    """Where what goes back to the department lies."""
    names = {"return_workbook": "更正单", "quality_page": "质量报告"}
    return [f"      {name} {entry[key]}" for key, name in names.items() if entry.get(key)]


def _numbered(entry: Mapping[str, Any]) -> str:
    return f"[{entry['delivery']}] " if entry.get("delivery") else ""


def receipt(result: Mapping[str, Any]) -> RenderableType:
    """The receipt of one delivery, in Chinese: what the department is told, and what the record holds of it."""
    states = {"in force": "有效", "superseded": "已被后来的报送替代", "returned": "退回"}
    facts: list[Sequence[object]] = [
        ("回执", f"第 {result['delivery']} 号　{result['feed_name']}　{period_name(result['period'])}　{states[result['in_force']]}"),
        ("报送单位", result["provider_name"] or "未知"),
        ("文件", result["file_name"] + (f"（分部：{result['part']}）" if result["part"] else "")), ("SHA-256", result["sha256"]),
        ("收到", result["received_at"]), ("结论", result["reason"]),
        ("行数", f"{result['rows']:,} = 可用 {result['accepted']:,} + 待核 {result['quarantined']:,} + 重复 "
                 f"{result['duplicate']:,} + 剔除 {result['dropped']:,}；未能识别所属单位 {result['unassigned']:,}"),
        ("号码有效率", "–" if result["valid_id_share"] is None else f"{result['valid_id_share']:.2%}")]
    optional = (("更正或重新判定", "corrects"), ("重新报送期限", "redeliver_by"), ("确认", "waived_by"), ("确认依据", "waived_reason"),
                ("质量页", "quality_page"), ("更正单", "return_workbook"))
    facts += [(label, result[name]) for label, name in optional if result[name]]
    checks: list[Sequence[object]] = [
        ("通过" if check["passed"] else "退回" if check["severity"] == "return" else "提示", check["says"], check["observed"])
        for check in result["checks"]]
    parts: list[RenderableType] = [table(facts), "", "检查", table(checks) if checks else "  文件未能读取，没有逐项检查"]
    for label, name in (("待核的行", "quarantined_for"), ("自动更正的单元格", "repaired"), ("无法识别而留空的单元格", "emptied"),
                        ("剔除的行", "dropped_kinds")):
        if result[name]:
            counts = sorted(result[name].items(), key=lambda item: -item[1])
            parts += ["", label, table([(says, count) for says, count in counts], numbers=(1,))]
    return page(*parts)


def mappings(entries: Sequence[Mapping[str, Any]]) -> RenderableType:
    """What is remembered of departments' headers."""
    lines = [(entry["feed"], entry["provider"], entry["header"], entry["column"] or "（不采用）", entry["by"], entry["reason"])
              for entry in entries]
    header = ("数据", "单位", "表头", "含义", "确认", "依据")
    return table(lines, header=header) if entries else page("nothing is remembered yet.")


def mapped(result: Mapping[str, Any]) -> RenderableType:
    """What was remembered or forgotten, and what became of the files judged once more."""
    meaning = {None: "forgotten", "": "left out"}.get(result["column"], f"means {result['column']}")
    head = f"{result['feed']}/{result['provider']}: the header {result['header']!r} {'is ' if not result['column'] else ''}{meaning}."
    return page(head, *(_receipt_lines(result["judged"]) if result["judged"] else ()))


def inbox(held: Sequence[Mapping[str, Any]]) -> list[str]:
    """What lies in the inbox and is not taken: waiting entries, then those in the wrong place."""
    parts: list[str] = []
    for state, name in (("waiting", "收件箱：暂未接收"), ("misplaced", "收件箱：放错位置或不能接收")):
        entries = [entry for entry in held if entry["state"] == state]
        if entries:
            parts += ["", f"{name}（{len(entries)}）", *(f"  {entry['place']}：{entry['says']}" for entry in entries[:20])]
        if len(entries) > 20:
            parts.append(f"  …… 另有 {len(entries) - 20} 项（--json 全部列出）")
    return parts


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _reports_line(name: str, counted: Mapping[str, int]) -> str:
    due = counted.get("expected", 0)
    return (f"  {name}：应报 {due}，按时 {counted.get('on_time', 0)}（{_share(counted.get('on_time', 0), due)}），"
            f"迟报 {counted.get('late', 0)}，未报 {counted.get('missing', 0)}")


def status(result: Mapping[str, Any]) -> RenderableType:
    """The whole picture for an operator."""
    marks = {"closed": "✔", "open": "▶", "ahead": "·"}
    parts: list[RenderableType] = [f"{result['name']}（{result['campaign']}）  截至 {result['as_of']}", "", "阶段"]
    parts += [f"  {marks[row['state']]} {row['name']}  {row['starts']} – {row['ends'] or '长期'}" for row in result["phases"]]
    parts += ["", "报送", _reports_line("报告", result["reports"]), _reports_line("数据", result["feeds"])]
    if result["owing"]:
        parts += ["", f"逾期未报（{len(result['owing'])}）"]
        parts.append(table([(row["organisation"], row["item"], period_name(row["period"]), row["status"], f"应于 {row['due']}")
                            for row in result["owing"][:20]]))
        if len(result["owing"]) > 20:
            parts.append(f"  …… 另有 {len(result['owing']) - 20} 项（--json 全部列出）")
    parts += _accounts(result["files"])
    parts += inbox(result["inbox"]["held"])
    parts += _departments(result["departments"])
    parts += _corrections(result["corrections"])
    if result["run"]:
        parts += _balance(result["run"])
        parts += _lists(result["lists"])
        parts += _outcomes(result["outcomes"])
        parts += _progress(result["progress"])
    parts += _runs(result["attempts"], result["proposal"])
    parts += _attention(result["attention"])
    parts += _sending(result["messages"], result["dead_messages"], result["held_messages"])
    stale = "（超过约定时间未巡检！）" if result["sweep_is_stale"] else ""
    parts += ["", f"最近巡检 {result['last_sweep'] or '从未'}{stale}；审计链{'完整' if result['audit_whole'] else '不完整！'}"]
    return page(*parts)


def trail(found: Mapping[str, Any]) -> RenderableType:
    """How the audit trail stands: every flaw, what to do, and where it ends."""
    lines = [f"审计链{'完整' if found['whole'] else '不完整'}：{found['rows']:,} 条，链末 {found['head']}"]
    lines += [f"✘ {flaw['what']}" for flaw in found["flaws"]]
    if found["cure"]:
        lines += ["", f"→ {found['cure']}"]
    return page(*lines)


OUTCOMES = {"done": "完成", "failed": "失败", "crashed": "中断", None: "进行中"}
PROPOSALS = {"waiting": "等待批准", "approved": "已批准，未下发", "refused": "不予下发", "released": "已下发",
             "lapsed": "已过期，需重新提请", "changed": "清单已变化，需重新提请", "replaced": "已由新的提请代替"}
SHOWN_ATTEMPTS = 5


def attempt(entry: Mapping[str, Any]) -> str:
    """One attempt at a run: who, when, why, how it ended."""
    why = f"：{entry['reason']}" if entry["reason"] else ""
    parts = f"，重做 {'、'.join(entry['chunks'])}" if entry["chunks"] else ""
    return (f"  第 {entry['run']} 次比对（{period_name(entry['period'])}）第 {entry['attempt']} 次运行　{entry['started'][:16]}　"
            f"{OUTCOMES[entry['outcome']]}　{entry['by']}{why}{parts}")


def _runs(attempts: Sequence[Mapping[str, Any]], proposal: Mapping[str, Any] | None) -> list[str]:
    """The latest attempts at comparisons, and how the proposed release stands."""
    lines = ["", "运行", *map(attempt, attempts[:SHOWN_ATTEMPTS])] if attempts else []
    if proposal is not None:
        ends = f"，请于 {proposal['decide_before'][:16]} 前决定" if proposal["state"] == "waiting" else ""
        lines += ["", f"清单下发（第 {proposal['run']} 次比对，提请 {proposal['release']}，{proposal['findings']:,} 条，"
                      f"{proposal['prepared_by']}提请）：{PROPOSALS[proposal['state']]}{ends}"]
    return lines


def _attention(waiting: Mapping[str, Any]) -> list[str]:
    """What somebody in the office should look at or decide; nothing where nothing waits."""
    lines: list[str] = []
    if waiting["candidates"]:
        counted = "，".join(f"{name} {count}" for name, count in waiting["candidates"].items())
        lines.append(f"  待决定：{counted}（canbao candidates CAMPAIGN）")
    if waiting["outdated_bulletins"]:
        named = "、".join(f"{entry['bulletin']} {entry['period']}（{entry['figures']} 项）" for entry in waiting["outdated_bulletins"])
        lines.append(f"  已通报数字有变，待更正：{named}（canbao correct-bulletin CAMPAIGN）")
    lines += [f"  报告更正：{row['organisation']} {period_name(row['period'])}{row['name']}：{'；'.join(row['changes']) or '签署信息'}"
              for row in waiting["restated"][-10:]]
    lines += [f"  待核实：{row['organisation']} {period_name(row['period'])}{row['name']}：{row['says']}"
              for row in waiting["remarks"][-10:]]
    more = max(0, len(waiting["restated"]) - 10) + max(0, len(waiting["remarks"]) - 10)
    lines += [f"  …… 另有 {more} 项（--json 全部列出）"] if more else []
    return ["", "待办公室处理", *lines] if lines else []


def candidates(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Candidates with their evidence; nothing follows from them unless somebody decides."""
    lines: list[str] = []
    for entry in found:
        state = (f"{'同意' if entry['decision'] == 'accepted' else '不同意'}（{entry['decided_by']}：{entry['reason']}）"
                 if entry["decision"] else f"待{entry['decided_by_post']}决定")
        lines.append(f"[{entry['candidate']}] {entry['organisation_name']}　{entry['name']}　{entry['occasion']}　{state}")
        lines += [f"      {says}" for says in _evidence(entry["evidence"])]
    return page(*lines or ("no candidate is waiting.",))


def _evidence(evidence: Mapping[str, Any]) -> list[str]:
    """The evidence of a candidate in words: slow months with their runs, a missing report, a score."""
    if "targets" in evidence:
        return [f"{target['indicator']}（目标 {_plain(target['level'])}）：" + "；".join(
            f"{period_name(month['period'])} {_plain(month['value'])}，完成 {_percent(month['completion']) or '—'}，序时 "
            f"{_percent(month['pace']) or '—'}，{_REACHES[month['reaches']]}（第 {month['run']} 次比对）" for month in target["months"])
            for target in evidence["targets"]]
    if "report" in evidence:
        return [f"{evidence['report']}（{period_name(evidence['period'])}）应于 {evidence['due']} 报送，未报"]
    return list(evidence.get("evidence", ()))


_REACHES = {True: "预计可达", False: "预计不可达", None: "尚不能预计"}


def _sending(counts: Mapping[str, int], dead: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    if not any(counts.values()):
        return []
    lines: list[RenderableType] = ["", f"消息  已发 {counts['sent']}，待发 {counts['waiting']}，发送失败 {counts['dead']}，留存 {counts['held']}"]
    if held:
        lines.append(table([(row["channel"], row["error"], f"{row['messages']} 条") for row in held]))
        lines.append("  没有可用的发送通道，相应的逐级催办已暂停；设置后自动补发。canbao doctor 说明缺什么。")
    if dead:
        lines.append(table([(row["organisation"], row["role"], row["channel"], row["error"], f"试过 {row['attempts']} 次")
                            for row in dead[:10]]))
        lines.append("  修好通道后：canbao resend CAMPAIGN")
    return lines


def figure_explained(result: Mapping[str, Any]) -> RenderableType:
    """A figure with its rule, run and files."""
    rule = result["rule"]
    lines: list[RenderableType] = [
        f"{result['organisation_name']} {period_name(result['period'])} {result['figure']}：{_plain(result['value'])}"
        f"（{_plain(result['numerator'])} / {_plain(result['denominator'])}，单位 {result['unit']}）",
        "", "口径", f"  分子 {_rule(rule['numerator'])}"]
    if rule["denominator"]:
        lines.append(f"  分母 {_rule(rule['denominator'])}")
    lines += [f"  分组 {rule['by']}；依据 {rule['source']}", "",
              f"比对 第 {result['run']['id']} 次，截至 {result['run']['as_of']}，方案 {result['run']['plan_sha256'][:16]}"]
    lines += [attempt(entry) for entry in result["run"]["attempts"]]
    if len(result["history"]) > 1:
        lines.append("  历次 " + " → ".join(f"{_plain(entry['value'])}（第 {entry['run']} 次）" for entry in result["history"]))
    lines += ["", f"数据文件（{len(result['files'])}）", table([
        (row["feed"], row["period"], row["provider"], row["file"], f"{row['accepted']:,}/{row['rows']:,} 行", row["sha256"][:12])
        for row in result["files"]])]
    if "rows" in result:
        lines += ["", f"明细 {result['rows']:,} 行已写入 {result['out']}（已记入审计）"]
    return page(*lines)


def _plain(value: float | None) -> str:
    return "—" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def _rule(measure: Mapping[str, Any]) -> str:
    if "statistic" in measure:
        return f"公布数 {measure['statistic']}"
    total = f"合计 {measure['sum']}，" if "sum" in measure else ""
    return f"{total}{measure['of']} 满足 {measure['where']}"


def duty_explained(result: Mapping[str, Any]) -> RenderableType:
    """A duty with its dates, what was handed in, and its ladder."""
    lines: list[RenderableType] = [
        f"{result['organisation_name']} {period_name(result['period'])} {result['name']}：{result['status']}"
        f"{'（迟）' if result['late'] else ''}，截至 {result['as_of']}",
        f"  原定 {result['nominal_due']}，实际 {result['effective_due']}（须早于 {result['due_before']}）"]
    lines += [f"  延期至 {entry['due_before']}（{entry['granted_at']} 批准）" for entry in result["extensions"]]
    lines += [f"  免报：{result['excused']}"] if result["excused"] else []
    lines += ["", f"报送（{len(result['submissions'])}）"]
    for entry in result["submissions"]:
        lines.append(f"  {entry['received_at']} 收到；退回 {entry['sent_back_at'] or '—'}；接收 {entry['accepted_at'] or '—'}；"
                     f"{entry['sha256'][:12]}")
        lines += [f"    退回原因：{says}" for says in entry["faults"]] + [f"    待核实：{says}" for says in entry["remarks"]]
        if entry["restates"] is not None:
            lines.append(f"    更正第 {entry['restates']} 号报送：{'；'.join(entry['changes']) or '签署或联系信息更正'}")
    lines += ["", f"催办（{len(result['steps'])}）", table([
        (entry["step"], entry["occurrence"], entry["state"], entry["planned_at"], entry["recorded_at"])
        for entry in result["steps"]])]
    return page(*lines)


def _accounts(files: Mapping[str, int]) -> list[str]:
    total = files["accepted"] + files["quarantined"] + files["duplicate"] + files["dropped"]
    return ["", "数据文件",
            f"  {files['files']} 个文件（退回 {files['returned']} 个），{files['rows']:,} 行 = 接受 {files['accepted']:,} + 隔离 "
            f"{files['quarantined']:,} + 重复 {files['duplicate']:,} + 剔除 {files['dropped']:,}"
            f"{' ✔' if total == files['rows'] else ' ✘ 不平！'}"]


def _departments(departments: Mapping[str, Any] | None) -> list[RenderableType]:
    if departments is None or not departments["lines"]:
        return []
    header = ("部门", "应报", "按时", "迟报", "未报", "迟报工作日", "退回", "待核占比", "有效率", "重报天数", "比上月")
    rows = [
        (line["department"], line["due"], line["on_time"], line["late"], line["missing"], line["late_working_days"],
         line["returned"], _percent(line["quarantined_share"]), _percent(line["valid_id_share"]),
         None if line["redelivery_days"] is None else f"{line['redelivery_days']:.1f}", line["trend"])
        for line in departments["lines"]]
    return ["", f"部门报送（{period_name(departments['period'])}）", table(rows, header=header, numbers=range(1, 10))]


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.2%}"


def _corrections(corrections: Mapping[str, Any]) -> list[RenderableType]:
    """Whose rows wait for a correction, with the workbook that says how; nothing where nothing was ever refused."""
    waiting = corrections["open"]
    if not waiting and not corrections["merged"]:
        return []
    parts: list[RenderableType] = ["", f"待更正（{len(waiting)}）；更正单已并入 {corrections['merged']} 份，改好 {corrections['rows_mended']:,} 行"]
    rows: list[Sequence[object]] = [
        (entry["organisation"], entry["name"], period_name(entry["period"]),
         "退回" if entry["verdict"] == "returned" else "已接收", f"{entry['rows']:,} 行", entry["return_workbook"])
        for entry in waiting[:20]]
    return [*parts, table(rows)] if rows else parts


def _balance(run: Mapping[str, Any]) -> list[RenderableType]:
    rows: list[Sequence[object]] = [(entry["name"], entry["persons"], _share(entry["persons"], run["persons"]))
                                    for entry in run["categories"]]
    total = sum(entry["persons"] for entry in run["categories"])
    rows.append(("合计", total, "= 总人口 ✔" if total == run["persons"] else f"≠ 总人口 {run['persons']:,} ✘"))
    return ["", f"比对（{period_name(run['period'])}，第 {run['id']} 次）：每人归入且仅归入一类", table(rows, numbers=(1, 2))]


def _lists(lists: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
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


def _progress(progress: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    header = ("指标", "单位", "目标", "现状", "结果", "照此进度")
    rows = []
    for entry in progress:
        current, ahead = entry["current"], entry["expected"]
        rows.append((
            entry["indicator"], entry["organisation"], f"{entry['level']:,.0f}",
            None if current is None else f"{current:,.1f}".removesuffix(".0"),
            {True: "达到", False: "未达到", None: "–"}[entry["reached"]],
            None if ahead is None else f"{ahead:,.0f} {'可达' if entry['reaches'] else '不可达'}"))
    return ["", "目标", table(rows, header=header, numbers=(2, 3))]


def rehearsal(result: Mapping[str, Any]) -> RenderableType:
    """The summary at the end of a rehearsal: what a person wants to know, and where the documents are."""
    stand = result["status"]
    steps: dict[tuple[str, str], dict[str, int]] = {}
    for row in stand["steps"]:
        steps.setdefault((row["ladder"], row["step_id"]), {})[row["state"]] = row["steps"]
    header = ("催办阶梯", "步骤", "已发", "被取代", "因已报取消")
    lines = [(ladder, step, states.get("sent", 0), states.get("superseded", 0), states.get("cancelled", 0))
              for (ladder, step), states in steps.items()]
    ended = "" if result["finished"] else f"（演练停在 {result['until']}，再次运行同一命令即可继续）"
    parts: list[RenderableType] = [
        "", "═" * 78, status(stand), "", f"催办：应报事项 {result['obligations']:,} 条，事先生成", table(lines, header=header, numbers=(2, 3, 4)),
    ]
    if result.get("silent"):
        parts += ["", "全程未报单位逐级催办：" + "；".join(
            f"{entry['organisation']}：{' → '.join(entry['steps'])}" for entry in result["silent"])]
    if result.get("simulated_failures"):
        parts += ["", f"演练模拟故障 {len(result['simulated_failures'])} 次（{'、'.join(result['simulated_failures'])} 的比对）："
                      "失败的运行留在 Prefect 记录中，重新运行后已完成"]
    parts += ["", f"演练{'完成' if result['finished'] else '未完'}{ended}：{result['events']:,} 个事件，"
                  f"{result['flow_runs']:,} 次流程运行，用时 {result['seconds']:.0f} 秒", "", "文件", table(result["places"].items()),
              "", "最值得一看", table(result["worth_opening"].items()),
              "", "查看：canbao status " + stand["campaign"] + "；make up 打开 Prefect 界面。", "═" * 78]
    return page(*parts)


def disputes(found: list[dict[str, Any]]) -> RenderableType:
    """Disputes between owners that wait, one a line."""
    lines = [f"{row['dispute']:>5}  {row['since'][:10]}  finding {row['finding']}: {row['lead']} → {row['wanted']} "
             f"({row['by']}: {row['reason']})" for row in found]
    return page(*lines or ("no dispute is waiting.",))


def dry_run(found: Mapping[str, Any]) -> RenderableType:
    """Old against new by category and by list; what would appear and vanish; the guard that would stop the run."""
    against = found["against"]
    head = (f"{found['persons']:,} persons, unbalanced {found['unbalanced']}; against "
            + (f"run {against['run']} of {against['period']}" if against else "nothing: no run was made before"))
    lines = [(change["name"], change["old"], change["new"], change["appear"], change["vanish"])
              for kind in ("categories", "lists") for change in found[kind]]
    end = f"Would be stopped: {found['stopped_by']}" if found["stopped_by"] else "Nothing was recorded or replaced."
    return page(head, table(lines, header=("", "old", "new", "appear", "vanish"), numbers=range(1, 5)), end)


def evaluation(result: Mapping[str, Any]) -> RenderableType:
    """Shares with their 95 % intervals."""
    def row(name: str, share: Mapping[str, Any]) -> Sequence[object]:
        if share["value"] is None:
            return name, f"{share['part']:,}/{share['whole']:,}", "—", ""
        return (name, f"{share['part']:,}/{share['whole']:,}", f"{share['value']:.4%}",
                f"[{share['low']:.4%}, {share['high']:.4%}]")

    rows = [row("persons known to the run", result["persons_known"]), row("links, automatic: precision", result["precision"]),
            row("links, automatic: recall", result["recall"]), row("links, with clerical: recall", result["recall_with_clerical"])]
    rows += [row(f"  tier {name}: precision", share) for name, share in result["tiers"].items()]
    for name, group in result["groups"].items():
        ratio = group["ratio_to_han"]
        rows.append(row(f"missed, {name}{'' if ratio is None else f' (x {ratio:.2f} of Han)'}", group["missed"]))
    rows += [row("rows in review : persons", result["review"]["rows"]), row("persons in review", result["review"]["persons"])]
    for name, entry in result["lists"].items():
        rows += [row(f"list {name}: precision", entry["precision"]), row(f"list {name}: recall", entry["recall"])]
    return table(rows)
