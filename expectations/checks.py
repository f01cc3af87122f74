"""Checks of a delivery as a whole: what was found, whether it passes, and what the sender is told.

The gates of the plan and the file faults of the contract are judged here, on counts; the expectations on cells are
judged by Great Expectations (``suites``). A check holds a rule id, shares and counts: never a value from the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from expectations.contract import Contract, Severity
from expectations.normalise import Accounts
from models.plan import Feed

NOT_RUN = "not run"
_COUNT_IN_NAME = re.compile(r"(\d{1,9})\s*(?:人|条|行)(?!\w*\d)")


@dataclass(frozen=True, slots=True)
class Check:
    """One rule's outcome. ``observed`` is a share, a count or ``not run``; ``says`` is for the sender, in Chinese."""

    rule_id: str
    severity: Severity
    passed: bool
    observed: str
    says: str


def file_checks(
    accounts: Accounts, contract: Contract, feed: Feed, file_name: str, previous_rows: int | None, remarks: tuple[str, ...]
) -> tuple[Check, ...]:
    """The plan's gates and the contract's file faults. What cannot apply (no last period, no total) is left out."""
    return (
        *_usable(accounts, contract),
        *_valid_share(accounts, contract, feed),
        *_shrink(accounts, contract, feed, previous_rows),
        *_faults(accounts, contract),
        *_stated_counts(accounts, contract, file_name),
        *_remarks(contract, remarks),
    )


def share_text(share: float) -> str:
    """A share as a percentage that never rounds a failure up to a pass: two digits after the point, cut off."""
    return f"{int(share * 10_000) / 100:.2f}%"


def _usable(accounts: Accounts, contract: Contract) -> Iterator[Check]:
    if accounts.data_rows:
        passed = accounts.accepted > 0
        says = _told(f"可用的行：{accounts.accepted}", "请核对表头与内容后重新报送", passed)
        yield Check(f"{contract.feed}.usable", "return", passed, str(accounts.accepted), says)


def _valid_share(accounts: Accounts, contract: Contract, feed: Feed) -> Iterator[Check]:
    """The share of valid numbers against the plan's gates, or the contract's own where it states them (C40: codes)."""
    identity, share = contract.identity, accounts.valid_share
    if identity is None or share is None:
        return
    below_returned = feed.gates.return_below_valid_id_share if identity.return_below is None else identity.return_below
    below_warned = feed.gates.warn_below_valid_id_share if identity.warn_below is None else identity.warn_below
    label = contract.columns[identity.column].label
    bounds: tuple[tuple[Severity, float], ...] = (("return", below_returned), ("warn", below_warned))
    for severity, bound in bounds:
        says = f"「{label}」有效的行占 {share_text(share)}，要求不低于 {share_text(bound)}"
        yield Check(f"{contract.feed}.valid_share_{severity}", severity, share >= bound, f"{share:.6f}", says)


def _shrink(accounts: Accounts, contract: Contract, feed: Feed, previous_rows: int | None) -> Iterator[Check]:
    """A full snapshot that lost more than the plan's share of last period's accepted rows is cut off somewhere (43)."""
    if feed.snapshot != "full" or not previous_rows:
        return
    lost = round(1 - accounts.accepted / previous_rows, 9)  # 1 - 95/100 is a little more than 0.05 in binary
    passed = lost <= feed.gates.block_shrink_share
    finding = (
        f"可用行数 {accounts.accepted}，上期为 {previous_rows}，减少 {share_text(max(lost, 0.0))}，"
        f"允许 {share_text(feed.gates.block_shrink_share)}"
    )
    yield Check(f"{contract.feed}.shrink", "return", passed, f"{lost:.6f}", _told(finding, "请核对是否漏报", passed))


def _faults(accounts: Accounts, contract: Contract) -> Iterator[Check]:
    for name, fault in contract.faults.items():
        if name in accounts.faulty and accounts.data_rows:
            rows = accounts.faulty[name]
            share = rows / accounts.data_rows
            says = _told(f"{fault.says}：{rows} 行，占 {share:.2%}", fault.cure, share <= fault.above)
            yield Check(f"{contract.feed}.{name}", fault.severity, share <= fault.above, f"{share:.6f}", says)


def _told(finding: str, cure: str, passed: bool) -> str:
    """A cure is only of use where something is to be cured."""
    return finding if passed else f"{finding}。{cure}"


def _stated_counts(accounts: Accounts, contract: Contract, file_name: str) -> Iterator[Check]:
    """Counts that the file states of itself, in its name and in its 合计 row (12, 10)."""
    in_name = _COUNT_IN_NAME.search(file_name)
    stated = {"file_name_count": int(in_name[1]) if in_name else None, "control_total": accounts.control_total}
    for name, fault in contract.faults.items():
        count = stated.get(name)
        if count is not None:
            passed = abs(count - accounts.data_rows) <= fault.above
            says = _told(f"{fault.says}：写明 {count}，实有 {accounts.data_rows}", fault.cure, passed)
            yield Check(f"{contract.feed}.{name}", fault.severity, passed, f"{count}/{accounts.data_rows}", says)


def _remarks(contract: Contract, remarks: tuple[str, ...]) -> Iterator[Check]:
    if "hidden_sheet" in remarks:
        says = "工作簿中有隐藏的工作表，其中的数据已一并读入。请核对是否应当报送"
        yield Check(f"{contract.feed}.hidden_sheet", "warn", False, "1", says)
