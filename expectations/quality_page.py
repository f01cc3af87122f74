"""The quality page of one delivery: what came, what became of it, which checks failed. One HTML file without any
person on it and without anything from the network: counts, shares, column labels and rules only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from expectations.contract import Contract
from expectations.intake import Intake

_VERDICTS = {
    "accepted": ("已接收", "#1f7a45"), "accepted_with_warnings": ("已接收（有提示）", "#9a6700"), "returned": ("退回", "#b42318"),
}
_KINDS = {
    "blank": "空白", "unreadable": "无法识别", "unknown": "不在代码表内", "shape": "位数或格式不对", "check_digit": "校验位不符",
    "check_letter": "校验位不符", "birth_date": "出生日期不成立", "lost_digits": "末几位丢失（被存成数字）",
    "other_document": "其他证件", "old_number": "旧注册号", "holds_number": "填成了号码", "negative": "负数",
    "two_names": "同号不同名", "15_digits": "15 位升 18 位", "first_18": "取证号前 18 位", "lower_x": "小写 x 改大写",
    "marks": "去除空格、引号或全角", "look_alike": "形近字母改正", "serial": "Excel 日期序号", "unit": "去除单位或千分号",
    "longest_match": "按最长名称匹配", "by_address": "按地址匹配", "from_id": "以身份证号为准",
}
_SHAPED = {"date", "month"}
_DROPPED = {
    "blank": "空行", "footer": "填表人、备注等", "total": "合计", "subtotal": "小计", "header": "重复的表头", "note": "说明页",
}
_STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;color:#1d2733;margin:0;background:#f5f6f8}
main{max-width:960px;margin:24px auto;background:#fff;padding:28px 36px;border-radius:8px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:28px 0 8px;border-left:4px solid #3b6ea8;padding-left:8px}
.meta{color:#5b6775;font-size:13px;word-break:break-all}.verdict{display:inline-block;color:#fff;padding:2px 12px;border-radius:12px}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #e3e7ec;padding:5px 8px;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.bad{color:#b42318;font-weight:600}.ok{color:#1f7a45}
.bar{display:flex;height:14px;border-radius:7px;overflow:hidden;background:#e3e7ec;margin:10px 0}.bar i{display:block}
@media print{body{background:#fff}main{margin:0;padding:0}}
"""
_OUTCOMES = (("accepted", "可用", "#3b8f5a"), ("quarantined", "待核", "#d9922e"), ("duplicate", "重复", "#8a94a3"), ("dropped", "剔除", "#c9ced6"))


def quality_page(intake: Intake, contract: Contract) -> str:
    """The page, complete in itself, in Chinese. Everything that came from outside is escaped."""
    word, colour = _VERDICTS[intake.verdict]
    body = "".join([
        f"<h1>{escape(contract.name)} · {escape(intake.period)} 数据质量</h1>",
        f'<p><span class="verdict" style="background:{colour}">{word}</span></p>',
        f"<p>{escape(intake.reason)}</p>",
        _meta(intake), _accounts(intake), _checks(intake),
        _counts("待核的行", _reasons(intake.quarantine_reasons, contract), "原因", "行数"),
        _counts("自动更正的单元格", _cells(intake.repaired, contract), "更正", "单元格数"),
        _counts("无法识别而留空的单元格", _cells(intake.emptied, contract), "原因", "单元格数"),
        _counts("剔除的行", ((_DROPPED.get(k, k), n) for k, n in intake.dropped_kinds.items()), "种类", "行数"),
    ])
    title = f"{contract.name} {intake.period} 数据质量"
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def _meta(intake: Intake) -> str:
    facts = {
        "文件": intake.file_name, "报送单位": intake.provider or "未知", "大小": f"{intake.size_bytes:,} 字节",
        "SHA-256": intake.sha256,
    }
    return '<p class="meta">' + "<br>".join(f"{name}：{escape(str(fact))}" for name, fact in facts.items()) + "</p>"


def _accounts(intake: Intake) -> str:
    """The four outcomes, their bar, and the sum that equals the rows in the file."""
    total = max(intake.rows, 1)
    counts = [(label, getattr(intake, name), colour) for name, label, colour in _OUTCOMES]
    bar = "".join(f'<i style="width:{count / total:.4%};background:{colour}"></i>' for _, count, colour in counts)
    rows = "".join(f'<tr><td>{label}</td><td class="n">{count:,}</td></tr>' for label, count, _ in counts)
    rows += f'<tr><td><b>合计（文件行数）</b></td><td class="n"><b>{intake.rows:,}</b></td></tr>'
    rows += f'<tr><td>其中所属乡镇街道或部门未能识别</td><td class="n">{intake.unassigned:,}</td></tr>'
    if intake.valid_id_share is not None:
        rows += f'<tr><td>号码有效率</td><td class="n">{intake.valid_id_share:.2%}</td></tr>'
    if intake.control_total is not None:
        rows += f'<tr><td>合计行写明的条数</td><td class="n">{intake.control_total:,}</td></tr>'
    return f'<h2>行数去向</h2><div class="bar">{bar}</div><table>{rows}</table>'


def _checks(intake: Intake) -> str:
    if not intake.checks:
        return ""
    ordered = sorted(intake.checks, key=lambda check: (check.passed, check.severity != "return"))
    rows = "".join(
        f'<tr><td class="{"ok" if check.passed else "bad"}">{"通过" if check.passed else "未通过"}</td>'
        f'<td>{"退回" if check.severity == "return" else "提示"}</td><td>{escape(check.says)}</td>'
        f'<td class="n">{escape(check.observed)}</td><td class="meta">{escape(check.rule_id)}</td></tr>'
        for check in ordered
    )
    head = '<tr><th>结果</th><th>后果</th><th>检查</th><th class="n">实测</th><th>规则</th></tr>'
    return f"<h2>检查</h2><table>{head}{rows}</table>"


def _counts(title: str, rows: Iterable[tuple[str, int]], what: str, unit: str) -> str:
    listed = sorted(rows, key=lambda row: -row[1])
    if not listed:
        return ""
    lines = "".join(f'<tr><td>{escape(label)}</td><td class="n">{count:,}</td></tr>' for label, count in listed)
    return f'<h2>{title}</h2><table><tr><th>{what}</th><th class="n">{unit}</th></tr>{lines}</table>'


def _reasons(counts: Mapping[str, int], contract: Contract) -> Iterable[tuple[str, int]]:
    own = {"shifted_columns": "列数多于表头，内容可能错列"}
    return ((own.get(reason) or _label(reason, contract), count) for reason, count in counts.items())


def _cells(counts: Mapping[str, int], contract: Contract) -> Iterable[tuple[str, int]]:
    return ((_label(name, contract), count) for name, count in counts.items())


def _label(name: str, contract: Contract) -> str:
    """``id_number_check_digit`` as 「身份证号」校验位不符: the longest column name that it begins with, then the kind."""
    column = max((c for c in contract.columns if name.startswith(f"{c}_")), key=len, default=None)
    if column is None:
        return name
    kind = name[len(column) + 1:]
    shaped = kind == "shape" and contract.columns[column].type in _SHAPED
    return f"「{contract.columns[column].label}」{'统一写法' if shaped else _KINDS.get(kind, kind)}"
