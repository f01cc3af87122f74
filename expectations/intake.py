"""Taking one delivered file in: read, normalise, judge, and keep what is fit for use.

Nothing is decided silently. A file is accepted, accepted with warnings, or returned with a reason in the sender's
language; a row is accepted, quarantined, duplicate or dropped. Accepted rows become a typed Parquet snapshot,
quarantined ones a file of their own for the way back. Names go by content and writes are atomic, so taking the same
file twice leaves the same. No clock is read, and no error and no check names a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal
from uuid import uuid4

from expectations import contract as contracts
from expectations import suites
from expectations.checks import Check, file_checks
from expectations.contract import Contract, Severity
from expectations.normalise import Accounts, Normalised
from expectations.reading import Reading, read
from models.errors import FileReturned, RunDoesNotBalance, StorageUnavailable, WrongUse
from models.plan import Feed, Plan
from rules import periods
from rules.deadlines import carrier

Verdict = Literal["accepted", "accepted_with_warnings", "returned"]


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of one file: its receipt. ``accepted + quarantined + duplicate + dropped = rows``, always.

    ``provider`` is an organisation code, None where it could not be told (the file is then returned). ``repaired`` and
    ``emptied`` count cells by ``<column>_<kind>``; ``unassigned`` counts accepted rows whose township (or department)
    nobody knows; ``control_total`` is the number of rows that a 合计 row states. ``reason`` is what the sender reads.
    ``snapshot`` is None for a returned file, ``quarantine`` where no row is quarantined.
    """

    feed: str
    period: str
    provider: str | None
    file_name: str
    sha256: str
    size_bytes: int
    rows: int
    accepted: int
    quarantined: int
    duplicate: int
    dropped: int
    repaired: Mapping[str, int]
    quarantine_reasons: Mapping[str, int]
    unassigned: int
    valid_id_share: float | None
    checks: tuple[Check, ...]
    verdict: Verdict
    reason: str
    snapshot: Path | None
    quarantine: Path | None
    control_total: int | None
    emptied: Mapping[str, int] = field(default_factory=dict)
    dropped_kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A file as it arrived, and what it is taken for."""

    path: Path
    feed: Feed
    contract: Contract
    period: str
    period_end: date
    provider: str | None
    sha256: str
    size_bytes: int


def take(
    path: Path, *, feed: str, plan: Plan, period: str, provider: str | None, snapshots: Path, previous_rows: int | None
) -> Intake:
    """Take one file of a feed in for a period.

    ``provider`` is the code of the organisation that sent it; without it the file name's beginning (``公安局_…``) or,
    for a feed of one provider, the plan says. ``previous_rows`` is the number of rows accepted from the same provider
    last time, None if there was none. Faults of the file end in a receipt with the verdict ``returned``. Raises
    WrongUse for a feed, period or provider that the plan does not know, StorageUnavailable if the file cannot be read
    or ``snapshots`` not written: nothing is half done then.
    """
    entry = _feed(plan, feed)
    delivery = _delivery(path, entry, plan, period, provider)
    if delivery.provider is None:
        return _returned(delivery, _unknown_provider(entry, plan))
    try:
        reading = read(path, delivery.contract)
    except FileReturned as refusal:
        return _returned(delivery, str(refusal))
    except OSError as refusal:
        raise _unreadable(path, refusal) from None
    with closing(Normalised(reading, delivery.contract, plan, delivery.period_end, path.name)) as rows:
        return _judged(delivery, reading, rows, snapshots, previous_rows)


def sender(path: Path, feed: Feed, plan: Plan, period: str) -> str | None:
    """The organisation that sent a file, as far as its name and the plan tell; None where they do not."""
    return _provider(path, feed, plan, None, _period_end(feed, plan, period))


# --- what it is taken for -------------------------------------------------------------------------------


def _feed(plan: Plan, feed: str) -> Feed:
    for entry in plan.feeds:
        if entry.feed == feed:
            return entry
    known = ", ".join(entry.feed for entry in plan.feeds)
    raise WrongUse(f"the plan {plan.id} expects no feed {feed!r}.", cure=f"It expects {known}.")


def _delivery(path: Path, entry: Feed, plan: Plan, period: str, provider: str | None) -> _Delivery:
    try:
        sha256, size_bytes = _fingerprint(path)
    except OSError as refusal:
        raise _unreadable(path, refusal) from None
    day = _period_end(entry, plan, period)
    sender = _provider(path, entry, plan, provider, day)
    return _Delivery(path, entry, contracts.for_feed(entry.feed), period, day, sender, sha256, size_bytes)


def _period_end(entry: Feed, plan: Plan, label: str) -> date:
    """The last day of the period: a month, or a period of the feed's own cadence (a yearly feed is due for 2018)."""
    try:
        return periods.month(label).ends
    except WrongUse:
        return periods.period(entry.cadence, label, starts=plan.starts, ends=plan.ends).ends


def _provider(path: Path, entry: Feed, plan: Plan, provider: str | None, day: date) -> str | None:
    """Who sent it: as told, else whose name the file name begins with, else the only one there is, else None.

    A unit that has taken over a provider's duties by then delivers in its place (B36).
    """
    providers = tuple(dict.fromkeys(carrier(plan, code, day) for code in entry.providers))
    known = (*providers, *entry.providers)
    if provider is not None:
        if provider not in known:
            raise WrongUse(
                f"{provider!r} does not deliver the feed {entry.feed}.", cure=f"Its providers: {', '.join(providers)}."
            )
        return provider
    prefix, separator, _ = path.name.partition("_")
    for code in known if separator else ():
        org = plan.organisation(code)
        if prefix in (org.code, org.short, org.name, *org.aliases):
            return code
    return providers[0] if len(providers) == 1 else None


def _unknown_provider(entry: Feed, plan: Plan) -> str:
    shorts = "、".join(plan.organisation(code).short for code in entry.providers)
    return f"看不出是哪个单位报送的。文件名请以单位简称加下划线开头（{shorts}）。"


def _fingerprint(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size


def _unreadable(path: Path, refusal: OSError) -> StorageUnavailable:
    return StorageUnavailable(
        f"the file cannot be read ({refusal.strerror or type(refusal).__name__}).", where=str(path),
        cure="Check that it is there and may be read, then take it in again.",
    )


# --- what becomes of it ---------------------------------------------------------------------------------


def _judged(
    delivery: _Delivery, reading: Reading, rows: Normalised, snapshots: Path, previous_rows: int | None
) -> Intake:
    accounts = rows.accounts()
    _assert_balance(delivery, accounts)
    # An empty full snapshot would remove everybody; an empty supplement is a month in which nobody died.
    empty: Severity = "return" if delivery.feed.snapshot == "full" else "warn"
    checks = (
        *file_checks(accounts, delivery.contract, delivery.feed, delivery.path.name, previous_rows, reading.remarks),
        *suites.judge(delivery.contract, rows.flags(), empty=empty),
    )
    verdict = _verdict(checks)
    folder = snapshots / delivery.feed.feed / delivery.period
    name = delivery.sha256[:16]
    keeps = verdict != "returned"
    return Intake(
        feed=delivery.feed.feed, period=delivery.period, provider=delivery.provider, file_name=delivery.path.name,
        sha256=delivery.sha256, size_bytes=delivery.size_bytes, rows=accounts.rows, accepted=accounts.accepted,
        quarantined=accounts.quarantined, duplicate=accounts.duplicate, dropped=accounts.dropped,
        repaired=accounts.repaired, quarantine_reasons=accounts.quarantine_reasons, unassigned=accounts.unassigned,
        valid_id_share=accounts.valid_share, checks=checks, verdict=verdict, reason=_reason(verdict, checks, accounts),
        snapshot=_written(folder / f"{name}.parquet", rows.write_snapshot) if keeps else None,
        quarantine=(
            _written(folder / f"{name}.quarantine.parquet", rows.write_quarantine) if accounts.quarantined else None
        ),
        control_total=accounts.control_total, emptied=accounts.emptied, dropped_kinds=accounts.dropped_kinds,
    )


def _returned(delivery: _Delivery, reason: str) -> Intake:
    """The receipt of a file that was not read: no row of it is known."""
    return Intake(
        feed=delivery.feed.feed, period=delivery.period, provider=delivery.provider, file_name=delivery.path.name,
        sha256=delivery.sha256, size_bytes=delivery.size_bytes, rows=0, accepted=0, quarantined=0, duplicate=0,
        dropped=0, repaired={}, quarantine_reasons={}, unassigned=0, valid_id_share=None, checks=(),
        verdict="returned", reason=f"退回：{reason}", snapshot=None, quarantine=None, control_total=None,
    )


def _assert_balance(delivery: _Delivery, accounts: Accounts) -> None:
    ended = accounts.accepted + accounts.quarantined + accounts.duplicate + accounts.dropped
    if ended != accounts.rows:
        raise RunDoesNotBalance(
            f"{ended} rows have an outcome, the file has {accounts.rows}.", where=f"intake of {delivery.feed.feed}",
            cure="This is a fault of the software: keep the file and report it.",
        )


def _verdict(checks: tuple[Check, ...]) -> Verdict:
    failed = {check.severity for check in checks if not check.passed}
    if "return" in failed:
        return "returned"
    return "accepted_with_warnings" if failed else "accepted"


def _reason(verdict: Verdict, checks: tuple[Check, ...], accounts: Accounts) -> str:
    """What the sender reads: the verdict, the account of the rows, and what failed, the gravest first."""
    head = {"accepted": "已接收", "accepted_with_warnings": "已接收，请注意下列问题", "returned": "退回"}[verdict]
    account = (
        f"共 {accounts.rows} 行：可用 {accounts.accepted}，待核 {accounts.quarantined}，"
        f"重复 {accounts.duplicate}，剔除（合计、签名、空行等）{accounts.dropped}"
    )
    failed = sorted((check for check in checks if not check.passed), key=lambda check: check.severity != "return")
    faults = [f"{number}. {check.says}" for number, check in enumerate(failed, start=1)]
    return "；".join([f"{head}。{account}", *faults]) + "。"


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    """The file, whole or not at all: written under another name, then renamed."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except Exception as refusal:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        # Which exception a full disk or a missing right becomes is the database's secret; its text may quote rows.
        raise StorageUnavailable(
            f"the snapshot could not be written ({type(refusal).__name__}).", where=str(path.parent),
            cure="Check that the folder may be written and the disk has room, then take the file in again.",
        ) from None
    return path
