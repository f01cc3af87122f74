"""Checks of a delivery against what is already known: the last period, the other deliveries, other feeds and places.

Each yields a check only where there is something to compare with. What is found stands in ``history.Found``; bounds,
wording and consequences stand in the contract's faults.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from expectations import mistaken
from expectations.checks import Check, share_text, told
from expectations.history import Found, History
from models.contract import Contract, FaultName
from models.plan import Feed, Plan
from rules.drift import Drift, filled_drifts, value_drifts
from rules.periods import next_month


def history_checks(found: Found, history: History, contract: Contract, feed: Feed, plan: Plan) -> Iterator[Check]:
    """The file against the same part, or the whole register, of the last period, and against those in force."""
    if history.same_file is not None:
        yield _failed(contract, "same_file", history.same_file)
    if found.repeats_last and found.profile.rows >= contract.faults["same_content"].least_rows:
        yield _failed(contract, "same_content", f"{found.profile.rows} 行")
    if found.standing.unclear:
        yield _failed(contract, "unclear_part", f"{len(found.standing.unclear)} 个文件")
    if feed.snapshot == "full" and found.before is not None:
        yield from _shrink(found, contract, feed)
        yield from _drift(contract, "drift", found, plan)
        yield from _drift(contract, "filled_drift", found, plan)


def place_checks(
    texts: Collection[str], headers: Collection[str], area: tuple[str, int] | None, rows: int, contract: Contract,
    period: str, plan: Plan,
) -> Iterator[Check]:
    """Whether the file belongs here at all. ``texts``: its name and the titles above its header; ``area``: the area
    that most of its numbers begin with, and how many of its ``rows`` do."""
    other = mistaken.other_feed(texts, headers, contract, plan.contracts)
    if other is not None:
        yield _failed(contract, "other_feed", f"按文件名、标题或表头应为「{other.name}」，报在「{contract.name}」", other.feed)
    month = mistaken.month_fault(mistaken.stated_months(texts), period)
    if month is not None:
        fault: FaultName = "next_period" if month == next_month(period) else "other_period"
        yield _failed(contract, fault, f"写明 {month}，本期为 {period}", month)
    yield from _county(area, rows, contract, plan)


def waived(checks: Collection[Check], rules: Collection[str]) -> tuple[Check, ...]:
    """The checks with those rules turned into warnings, as far as they may be: a named post has confirmed the file."""
    return tuple(
        replace(check, severity="warn", says=f"{check.says}（经办人已确认）")
        if check.rule_id in rules and check.waivable and not check.passed else check
        for check in checks
    )


def _shrink(found: Found, contract: Contract, feed: Feed) -> Iterator[Check]:
    """A full register that lost more than the plan's share of last period's accepted rows is cut off somewhere (43).
    Beside a part that a post accepted as smaller the further parts only warn: the register is still filling up."""
    before, now = found.before.rows if found.before else 0, found.now.rows
    if not before:
        return
    fault, bound = contract.faults["shrink"], feed.gates.block_shrink_share
    lost = round(1 - now / before, 9)  # 1 - 95/100 is a little more than 0.05 in binary
    text = f"{fault.says}：可用行数 {now}，上期为 {before}，减少 {share_text(max(lost, 0.0))}，允许 {share_text(bound)}"
    severity = "warn" if found.beside_a_waived_one else fault.severity
    passed = lost <= bound
    says = told(text if not passed else f"可用行数 {now}，上期为 {before}", fault.cure, passed)
    yield Check(f"{contract.feed}.shrink", severity, passed, f"{lost:.6f}", says, fault.waivable)


def _drift(contract: Contract, name: FaultName, found: Found, plan: Plan) -> Iterator[Check]:
    """The columns whose shares moved, the farthest named."""
    fault, before = contract.faults[name], found.before
    if before is None or fault.above is None or min(found.now.rows, before.rows) < fault.least_rows:
        return
    drifts = (value_drifts if name == "drift" else filled_drifts)(found.now, before)
    if not drifts:
        return
    worst = max(drifts, key=lambda drift: drift.distance)
    moved = [drift for drift in sorted(drifts, key=lambda drift: -drift.distance) if drift.distance > fault.above]
    passed = not moved
    listed = "；".join(_moved(drift, contract, plan) for drift in moved[:3])
    says = fault.says if passed else told(f"{fault.says}：{listed}", fault.cure, passed)
    yield Check(f"{contract.feed}.{name}", fault.severity, passed, f"{worst.distance:.6f}", says, fault.waivable)


def _moved(drift: Drift, contract: Contract, plan: Plan) -> str:
    label, value = contract.columns[drift.column].label, drift.value
    spoken = "" if value is None else f"中的「{_spoken(value, drift.column, contract, plan)}」"
    return f"「{label}」{spoken}由 {share_text(drift.before)} 变为 {share_text(drift.now)}"


def _spoken(value: str, column: str, contract: Contract, plan: Plan) -> str:
    """A code or an organisation as the sender calls it."""
    if not value:
        return "空白"
    spellings = contract.columns[column].codes.get(value)
    if spellings:
        return next((text for text in spellings if not text.isascii()), spellings[0])
    return next((org.short for org in plan.organisations if org.code == value), value)


def _county(area: tuple[str, int] | None, rows: int, contract: Contract, plan: Plan) -> Iterator[Check]:
    fault = contract.faults.get("other_county")
    if fault is None or fault.above is None or area is None or rows < fault.least_rows:
        return
    code, holders = area
    share = 0.0 if mistaken.is_local(code, plan) else holders / rows
    passed = share <= fault.above
    says = told(f"{fault.says}：前六位为 {code} 的占 {share_text(share)}，本地为 {plan.region.code}" if not passed else "身份证号多属本地",
                fault.cure, passed)
    yield Check(f"{contract.feed}.other_county", fault.severity, passed, f"{share:.6f}", says, fault.waivable)


def _failed(contract: Contract, name: FaultName, finding: str, observed: str = "1") -> Check:
    fault = contract.faults[name]
    return Check(f"{contract.feed}.{name}", fault.severity, False, observed, told(f"{fault.says}：{finding}", fault.cure, False),
                 fault.waivable)
