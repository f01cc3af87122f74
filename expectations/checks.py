"""Checks of a delivery as a whole: what was found, whether it passes, and what the sender is told.

The gates of the plan and the file faults of the contract are judged here, on counts; the expectations on cells are
judged by Great Expectations (``suites``). A check holds a rule id, shares and counts: never a value from the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from expectations.normalise import Accounts
from expectations.raw_rows import Remark
from models.contract import Contract, Severity, vocabulary
from models.plan import Feed
from rules.totals import Total

NOT_RUN = "not run"
_COUNT_IN_NAME = re.compile(r"(\d{1,9})\s*(?:人|条|行)(?!\w*\d)")


@dataclass(frozen=True, slots=True)
class Check:
    """One rule's outcome. ``observed`` is a share, a count or ``not run``; ``says`` is for the sender, in Chinese.
    ``waivable``: a named post may accept the file all the same, once the department has confirmed that it is right."""

    rule_id: str
    severity: Severity
    passed: bool
    observed: str
    says: str
    waivable: bool = False


def file_checks(
    accounts: Accounts, contract: Contract, feed: Feed, file_name: str, remarks: Mapping[Remark, int]
) -> tuple[Check, ...]:
    """The plan's gates and the contract's faults of a file by itself. What cannot apply (no total) is left out."""
    return (
        *_usable(accounts, contract),
        *_valid_share(accounts, contract, feed),
        *_faults(accounts, contract),
        *_count_in_name(accounts, contract, file_name),
        *_totals(accounts, contract),
        *_remarks(contract, remarks),
    )


def share_text(share: float) -> str:
    """A share as a percentage that never rounds a failure up to a pass: two digits after the point, cut off."""
    return f"{int(share * 10_000) / 100:.2f}%"


def _usable(accounts: Accounts, contract: Contract) -> Iterator[Check]:
    if accounts.data_rows:
        passed = accounts.accepted > 0
        says = told(f"可用的行：{accounts.accepted}", "请核对表头与内容后重新报送", passed)
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


def _faults(accounts: Accounts, contract: Contract) -> Iterator[Check]:
    for name, fault in contract.faults.items():
        if name in accounts.faulty and accounts.data_rows and fault.above is not None:
            rows = accounts.faulty[name]
            share = rows / accounts.data_rows
            says = told(f"{fault.says}：{rows} 行，占 {share:.2%}", fault.cure, share <= fault.above)
            yield Check(f"{contract.feed}.{name}", fault.severity, share <= fault.above, f"{share:.6f}", says, fault.waivable)


def told(finding: str, cure: str, passed: bool) -> str:
    """A cure is only of use where something is to be cured."""
    return finding if passed else f"{finding}。{cure}"


def _count_in_name(accounts: Accounts, contract: Contract, file_name: str) -> Iterator[Check]:
    """The number of rows that the file's name states (12)."""
    in_name, fault = _COUNT_IN_NAME.search(file_name), contract.faults["file_name_count"]
    if in_name is not None:
        stated, rows = int(in_name[1]), accounts.data_rows
        passed = abs(stated - rows) <= (fault.above or 0)
        says = told(f"{fault.says}：写明 {stated}，实有 {rows}", fault.cure, passed)
        yield Check(f"{contract.feed}.file_name_count", fault.severity, passed, f"{stated}/{rows}", says, fault.waivable)


def _totals(accounts: Accounts, contract: Contract) -> Iterator[Check]:
    """What the file's 合计 and 小计 rows state, counts and sums apart (10). The first that differs is told."""
    count, amount = contract.faults["control_total"], contract.faults["amount_total"]
    counts = [total for total in accounts.totals if total.column is None]
    sums = [total for total in accounts.totals if total.column is not None]
    groups = (("control_total", count, counts, [not total.within(0, count.above or 0) for total in counts]),
              ("amount_total", amount, sums, [not total.within(amount.above or 0) for total in sums]))
    for name, fault, stated, is_wrong in groups:
        if stated:
            passed = not any(is_wrong)
            shown = stated[is_wrong.index(True)] if not passed else stated[0]
            more = f"，共 {sum(is_wrong)} 处不符" if sum(is_wrong) > 1 else ""
            says = told(f"{fault.says}：{_compared(shown, contract)}{more}", fault.cure, passed)
            observed = f"{shown.stated:.10g}/{shown.found:.10g}"
            yield Check(f"{contract.feed}.{name}", fault.severity, passed, observed, says, fault.waivable)


def _compared(total: Total, contract: Contract) -> str:
    kind = {"total": "合计", "subtotal": "小计"}[total.kind]
    label = f"「{contract.columns[total.column].label}」" if total.column else ""
    return f"{kind}{label}写明 {total.stated:.10g}，实有 {total.found:.10g}"


def _remarks(contract: Contract, remarks: Mapping[Remark, int]) -> Iterator[Check]:
    """What was met while reading that the sender should know of; worded in the vocabulary."""
    for code, count in remarks.items():
        says = vocabulary()["remarks"][code].format(count=count)
        yield Check(f"{contract.feed}.{code}", "warn", False, str(count), says)
