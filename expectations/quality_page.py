"""The quality page of one delivery: what came, what became of it, which checks failed, how it compares, what follows.
Without any person on it: counts, shares, labels and rules only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from expectations.checks import Check, share_text
from expectations.intake import Intake, Verdict
from expectations.reasons import reason, repair, wording
from models.contract import Contract

_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "accepted": ("已接收", "#1f7a45"), "accepted_with_warnings": ("已接收（有提示）", "#9a6700"), "returned": ("退回", "#b42318"),
}
_OUTCOMES = (("accepted", "可用", "#3b8f5a"), ("quarantined", "待核", "#d9922e"), ("duplicate", "重复", "#8a94a3"), ("dropped", "剔除", "#c9ced6"))
STYLE = """
@media screen{main{max-width:1000px}}
.verdict{flex:none;color:#fff;padding:6px 18px;border-radius:18px;font-weight:600;font-size:16px}
.tile i{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:6px}
.bar{display:flex;height:12px;border-radius:6px;overflow:hidden;background:var(--line)}.bar i{display:block}
.next{background:#f3f7fc;border:1px solid #cfdff0;border-radius:8px;padding:12px 18px;margin:18px 0 0}.next b{color:var(--accent)}
.reason{margin:14px 0 0}.next p{margin:0 0 6px}.next ol{margin:4px 0 0;padding-left:22px}
.fault{border-left:4px solid #b42318;background:#fdf3f2;padding:8px 14px;margin:8px 0;border-radius:0 6px 6px 0}
.fault.warn{border-color:#d9922e;background:#fdf8ef}.fault b{margin-right:8px}
.ok{color:#1f7a45}.bad{color:#b42318;font-weight:600}.cure{color:var(--muted);font-size:13px}
details summary{cursor:pointer;color:var(--accent);margin-top:8px}code{font-size:12px;color:var(--muted);word-break:break-all}
svg text{font:12px "Noto Sans CJK SC","Microsoft YaHei",sans-serif;fill:#5b6775}
@media print{details>*{display:block}}
"""
"""What this page has beside the look that all pages share; whoever writes it puts the frame around it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier delivery of the same feed by the same provider: one point of the trend."""

    period: str
    accepted: int
    quarantined: int
    valid_id_share: float | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the page says beyond the receipt. ``notes`` tell what a correction changed, ``next_steps`` what follows;
    ``earlier`` runs from old to new and leaves this delivery out; ``chain`` are the SHA-256 of what this corrects."""

    provider: str
    period: str
    received: str = ""
    notes: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    chain: tuple[str, ...] = ()


def page_title(contract: Contract, period: str) -> str:
    """What the page is called."""
    return f"{contract.name} {period} 数据质量"


def quality_page(intake: Intake, contract: Contract, around: Surroundings | None = None) -> str:
    """What stands on the page, in Chinese, without its frame. Everything that came from outside is escaped."""
    around = around or Surroundings(intake.provider or "未知", intake.period)
    return "".join([
        _head(intake, contract, around), _accounts(intake), _next(around), _failed(intake.checks),
        _table("待核的行", ("原因", "改正办法", "行数"), _reasons(intake, contract)),
        _trend(intake, around), _passed(intake.checks),
        _counts("自动更正的单元格", "单元格数", ((repair(code, contract), n) for code, n in intake.repaired.items())),
        _counts("无法识别而留空的单元格", "单元格数", ((reason(code, contract).says, n) for code, n in intake.emptied.items())),
        _counts("剔除的行", "行数", ((wording()["dropped"].get(kind, kind), n) for kind, n in intake.dropped_kinds.items())),
        _origin(intake, around),
    ])


# --- the top: what came and what became of it -------------------------------------------------------------


def _head(intake: Intake, contract: Contract, around: Surroundings) -> str:
    word, colour = _VERDICTS[intake.verdict]
    received = f"　收到：{escape(around.received)}" if around.received else ""
    return (
        f"<header><div><h1>{escape(contract.name)} · {escape(around.period)}</h1>"
        f'<div class="meta">数据质量报告　报送单位：{escape(around.provider)}{received}</div></div>'
        f'<span class="verdict" style="background:{colour}">{word}</span></header>'
    )


def _accounts(intake: Intake) -> str:
    """The four outcomes as tiles and as a bar: they add up to the rows of the file."""
    if not intake.rows:
        return f'<p class="reason">{escape(intake.reason)}</p>'
    counts = [(label, getattr(intake, name), colour) for name, label, colour in _OUTCOMES]
    tiles = [_tile("文件行数", f"{intake.rows:,}")]
    tiles += [_tile(label, f"{count:,}", colour) for label, count, colour in counts]
    if intake.valid_id_share is not None:
        tiles.append(_tile("号码有效率", share_text(intake.valid_id_share)))
    if intake.unassigned:
        tiles.append(_tile("所属单位未识别", f"{intake.unassigned:,}"))
    if intake.control_total is not None:
        tiles.append(_tile("合计行写明", f"{intake.control_total:,}"))
    bar = "".join(f'<i style="width:{count / intake.rows:.4%};background:{colour}"></i>' for _, count, colour in counts)
    return f'<div class="tiles">{"".join(tiles)}</div><div class="bar">{bar}</div>'


def _tile(label: str, figure: str, colour: str | None = None) -> str:
    dot = f'<i style="background:{colour}"></i>' if colour else ""
    return f'<div class="tile"><b>{figure}</b><span>{dot}{label}</span></div>'


def _next(around: Surroundings) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in around.notes)
    steps = "".join(f"<li>{escape(step)}</li>" for step in around.next_steps)
    if not notes and not steps:
        return ""
    return f'<div class="next">{notes}' + (f"<b>下一步</b><ol>{steps}</ol>" if steps else "") + "</div>"


# --- checks -----------------------------------------------------------------------------------------------


def _failed(checks: Sequence[Check]) -> str:
    failed = sorted((check for check in checks if not check.passed), key=lambda check: check.severity != "return")
    if not failed:
        return "<h2>检查</h2><p class=\"ok\">各项检查全部通过。</p>" if checks else ""
    cards = "".join(
        f'<div class="fault{"" if check.severity == "return" else " warn"}">'
        f"<b>{'退回' if check.severity == 'return' else '提示'}</b>{escape(check.says)} <code>{escape(check.rule_id)}</code></div>"
        for check in failed
    )
    return f"<h2>未通过的检查（{len(failed)}）</h2>{cards}"


def _passed(checks: Sequence[Check]) -> str:
    passed = [check for check in checks if check.passed]
    rows = "".join(
        f'<tr><td class="ok">通过</td><td>{escape(check.says)}</td><td><code>{escape(check.rule_id)}</code></td></tr>'
        for check in passed
    )
    return f"<details><summary>已通过的检查（{len(passed)}）</summary><table>{rows}</table></details>" if rows else ""


# --- the trend --------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _FOOT, _TOP, _WIDEST_SLOT = 900, 190, 24, 30, 150


def _trend(intake: Intake, around: Surroundings) -> str:
    """Rows by period as columns, usable and refused, with the share of valid numbers above. Nothing to compare with:
    nothing is drawn."""
    if not around.earlier:
        return ""
    this = Earlier(around.period, intake.accepted, intake.quarantined, intake.valid_id_share)
    points = [*around.earlier, this]
    largest = max(max(point.accepted + point.quarantined for point in points), 1)
    slot = min(_WIDTH / len(points), _WIDEST_SLOT)
    columns = "".join(_column(point, number * slot, slot, largest) for number, point in enumerate(points))
    base = _HEIGHT - _FOOT
    axis = f'<line x1="0" y1="{base}" x2="{_WIDTH}" y2="{base}" stroke="#c9ced6"/>'
    return (
        f'<h2>与前几次报送相比</h2><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" aria-label="各期行数和号码有效率">'
        f"{axis}{columns}</svg>{_since(around.earlier[-1], this)}"
    )


def _column(point: Earlier, left: float, slot: float, largest: int) -> str:
    base, room = _HEIGHT - _FOOT, _HEIGHT - _FOOT - _TOP
    width, middle = min(slot * 0.5, 64), left + slot / 2
    tall = point.accepted / largest * room
    refused = max(point.quarantined / largest * room, 1.5 if point.quarantined else 0)
    share = "" if point.valid_id_share is None else f" · {share_text(point.valid_id_share)}"
    return (
        f'<rect x="{middle - width / 2:.1f}" y="{base - tall:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="#3b8f5a"/>'
        f'<rect x="{middle - width / 2:.1f}" y="{base - tall - refused:.1f}" width="{width:.1f}" height="{refused:.1f}" fill="#d9922e"/>'
        f'<text x="{middle:.1f}" y="{base - tall - refused - 6:.1f}" text-anchor="middle">{point.accepted:,}{share}</text>'
        f'<text x="{middle:.1f}" y="{_HEIGHT - 7}" text-anchor="middle">{escape(point.period)}</text>'
    )


def _since(before: Earlier, now: Earlier) -> str:
    sentence = f"可用行数比{before.period}{_moved(now.accepted - before.accepted)}，待核行数{_moved(now.quarantined - before.quarantined)}"
    if before.valid_id_share is not None and now.valid_id_share is not None:
        points = round((now.valid_id_share - before.valid_id_share) * 100, 2)
        moved = f"{'上升' if points > 0 else '下降'} {abs(points):.2f} 个百分点" if points else "持平"
        sentence += f"，号码有效率{moved}"
    return f'<p class="meta">{escape(sentence)}。绿色为可用，橙色为待核。</p>'


def _moved(difference: int) -> str:
    return f"{'增加' if difference > 0 else '减少'} {abs(difference):,}" if difference else "持平"


# --- counts -----------------------------------------------------------------------------------------------


def _reasons(intake: Intake, contract: Contract) -> Iterable[tuple[str, str, int]]:
    for code, count in intake.quarantine_reasons.items():
        told = reason(code, contract)
        yield told.says, told.cure, count


def _table(title: str, heads: tuple[str, str, str], rows: Iterable[tuple[str, str, int]]) -> str:
    listed = sorted(rows, key=lambda row: -row[2])
    if not listed:
        return ""
    lines = "".join(
        f'<tr><td>{escape(says)}</td><td class="cure">{escape(cure)}</td><td class="n">{count:,}</td></tr>'
        for says, cure, count in listed
    )
    head = f'<tr><th>{heads[0]}</th><th>{heads[1]}</th><th class="n">{heads[2]}</th></tr>'
    return f"<h2>{title}</h2><table>{head}{lines}</table>"


def _counts(title: str, unit: str, rows: Iterable[tuple[str, int]]) -> str:
    listed = sorted(rows, key=lambda row: -row[1])
    if not listed:
        return ""
    lines = "".join(f'<tr><td>{escape(label)}</td><td class="n">{count:,}</td></tr>' for label, count in listed)
    return f'<h2>{title}</h2><table><tr><th>种类</th><th class="n">{unit}</th></tr>{lines}</table>'


_LONG_NUMBER = re.compile(r"[0-9]{13,}[0-9Xx]?")
"""Senders put anything into file names: a number as long as this may be somebody's."""


def _origin(intake: Intake, around: Surroundings) -> str:
    """Which bytes this page is about, and which those corrected: the originals are kept under these names."""
    facts: Mapping[str, str] = {"文件": _LONG_NUMBER.sub("…", intake.file_name), "大小": f"{intake.size_bytes:,} 字节", "SHA-256": intake.sha256}
    rows = "".join(f"<tr><td>{name}</td><td><code>{escape(fact)}</code></td></tr>" for name, fact in facts.items())
    rows += "".join(f"<tr><td>所更正的文件 SHA-256</td><td><code>{escape(sha256)}</code></td></tr>" for sha256 in around.chain)
    return f"<h2>文件</h2><table>{rows}</table>"
