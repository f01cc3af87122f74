"""Taking one delivered file in: read, normalise, judge, and keep what is fit for use.

Nothing is decided silently. A file is accepted, accepted with warnings, or returned with a reason in the sender's
language; a row is accepted, quarantined, duplicate or dropped. Accepted rows become a typed Parquet snapshot,
quarantined ones a file of their own for the way back. Names go by content and writes are atomic, so taking the same
file twice leaves the same. No clock is read, and no error and no check names a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal
from uuid import uuid4

from expectations import against, mistaken, suites
from expectations.checks import Check, file_checks
from expectations.corrections import Account, Correction, apply
from expectations.history import Found, History, commonest_area, found
from expectations.normalise import Accounts, Normalised
from expectations.reading import Reading, read
from models import contract as contracts
from models.contract import Contract, Severity, header_key
from models.errors import FileReturned, RunDoesNotBalance, StorageUnavailable, WrongUse
from models.plan import Feed, Organisation, Plan
from rules import periods
from rules.deadlines import carrier
from rules.drift import Profile

Verdict = Literal["accepted", "accepted_with_warnings", "returned"]


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of one file: its receipt. ``accepted + quarantined + duplicate + dropped = rows``, always.

    ``provider`` is an organisation code, None where it could not be told (the file is then returned). ``repaired`` and
    ``emptied`` count cells by ``<column>_<kind>``; ``unassigned`` counts accepted rows whose township (or department)
    nobody knows; ``control_total`` is the number of rows that a 合计 row states. ``reason`` is what the sender reads.
    ``snapshot`` is None for a returned file, ``quarantine`` where no row is quarantined. ``part`` says which part of the
    register it is ('' = the whole), ``replaces`` which deliveries in force it takes the place of, ``profile`` counts its
    rows by value. ``unknown_headers`` are those of a file that the contract does not know, ``missing_columns`` the
    required ones it was returned for: an operator may know which header means which.
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
    part: str = ""
    replaces: tuple[int, ...] = ()
    profile: Profile = field(default_factory=Profile)
    unknown_headers: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    correction: Account = field(default_factory=Account)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A file as it arrived, and what it is taken for. ``subject`` is its name without sender and extension."""

    path: Path
    name: str
    subject: str
    plan: Plan
    feed: Feed
    contract: Contract
    period: str
    period_end: date
    provider: str | None
    sha256: str
    size_bytes: int


def take(
    path: Path, *, feed: str, plan: Plan, period: str, provider: str | None, snapshots: Path, history: History | None = None,
    mapping: Mapping[str, str] | None = None, waived: Collection[str] = (), name: str | None = None,
    corrections: Sequence[Correction] = (), sent_in: Path | None = None,
) -> Intake:
    """Take one file of a feed in for a period.

    ``provider`` is the code of the organisation that sent it; without it the file name's beginning (``公安局_…``) or,
    for a feed of one provider, the plan says. ``history`` are its earlier deliveries, ``mapping`` what an operator
    confirmed of its headers (header key to column), ``waived`` the rules whose failure a named post has accepted,
    ``name`` the name under which a kept original arrived. ``corrections`` are laid over the rows of ``path`` in their
    order before anything is judged; the delivery then goes by the bytes of ``sent_in``, the workbook that brought the
    last of them. Faults of the file end in a receipt with the verdict
    ``returned``. Raises WrongUse for a feed, period or provider that the plan does not know, StorageUnavailable if the
    file cannot be read or ``snapshots`` not written: nothing is half done then.
    """
    entry = _feed(plan, feed)
    delivery = _delivery(path, name or path.name, entry, plan, period, provider, sent_in or path)
    if delivery.provider is None:
        return _returned(delivery, _unknown_provider(entry, plan))
    try:
        reading, account = apply(read(path, delivery.contract, mapping), corrections)
    except FileReturned as refusal:
        return _refused(delivery, refusal)
    except OSError as refusal:
        raise _unreadable(path, refusal) from None
    with closing(Normalised(reading, delivery.contract, plan, delivery.period_end, delivery.name)) as rows:
        return replace(_judged(delivery, reading, rows, snapshots, history or History(), waived), correction=account)


def refused(path: Path, *, feed: str, plan: Plan, period: str, provider: str | None, reason: str) -> Intake:
    """The receipt of a file that is not read at all, for a reason in the sender's language."""
    return _returned(_delivery(path, path.name, _feed(plan, feed), plan, period, provider, path), reason)


def sender(name: str, feed: Feed, plan: Plan, period: str) -> str | None:
    """The organisation that sent a file, as far as its name and the plan tell; None where they do not."""
    return _provider(name, feed, plan, None, _period_end(feed, plan, period))


# --- what it is taken for -------------------------------------------------------------------------------


def _feed(plan: Plan, feed: str) -> Feed:
    for entry in plan.feeds:
        if entry.feed == feed:
            return entry
    known = ", ".join(entry.feed for entry in plan.feeds)
    raise WrongUse(f"the plan {plan.id} expects no feed {feed!r}.", cure=f"It expects {known}.")


def _delivery(
    path: Path, name: str, entry: Feed, plan: Plan, period: str, provider: str | None, sent_in: Path
) -> _Delivery:
    try:
        sha256, size_bytes = _fingerprint(sent_in)
    except OSError as refusal:
        raise _unreadable(path, refusal) from None
    day = _period_end(entry, plan, period)
    sender = _provider(name, entry, plan, provider, day)
    contract = contracts.for_feed(entry.feed, plan.contracts)
    return _Delivery(path, name, _subject(name, plan), plan, entry, contract, period, day, sender, sha256, size_bytes)


def _subject(name: str, plan: Plan) -> str:
    """What a file's name says of its content: without the sender before it, and without what kind of file it is."""
    stem = Path(name).stem
    prefix, separator, rest = stem.partition("_")
    is_sender = separator and any(prefix in _ways(org) for org in plan.organisations)
    return rest if is_sender else stem


def _period_end(entry: Feed, plan: Plan, label: str) -> date:
    """The last day of the period: a month, or a period of the feed's own cadence (a yearly feed is due for 2018)."""
    try:
        return periods.month(label).ends
    except WrongUse:
        return periods.period(entry.cadence, label, starts=plan.starts, ends=plan.ends).ends


def _provider(name: str, entry: Feed, plan: Plan, provider: str | None, day: date) -> str | None:
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
    prefix, separator, _ = name.partition("_")
    for code in known if separator else ():
        if prefix in _ways(plan.organisation(code)):
            return code
    return providers[0] if len(providers) == 1 else None


def _ways(org: Organisation) -> tuple[str, ...]:
    return (org.code, org.short, org.name, *org.aliases)


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
    delivery: _Delivery, reading: Reading, rows: Normalised, snapshots: Path, history: History, waived: Collection[str]
) -> Intake:
    accounts = rows.accounts()
    _assert_balance(delivery, accounts)
    place = found(rows, delivery.contract, delivery.feed, delivery.subject, history)
    checks = against.waived(_checks(delivery, reading, rows, accounts, place, history), waived)
    verdict = _verdict(checks)
    folder = snapshots / delivery.feed.feed / delivery.period
    name = delivery.sha256[:16]
    keeps = verdict != "returned"
    if keeps and delivery.contract.names_persons:
        _written(folder / f"{name}.doubtful.parquet", rows.write_doubtful)
    if keeps and "credit_code" in delivery.contract.columns:
        _written(folder / f"{name}.doubtful.parquet", rows.write_doubtful_units)
    return Intake(
        feed=delivery.feed.feed, period=delivery.period, provider=delivery.provider, file_name=delivery.name,
        sha256=delivery.sha256, size_bytes=delivery.size_bytes, rows=accounts.rows, accepted=accounts.accepted,
        quarantined=accounts.quarantined, duplicate=accounts.duplicate, dropped=accounts.dropped,
        repaired=accounts.repaired, quarantine_reasons=accounts.quarantine_reasons, unassigned=accounts.unassigned,
        valid_id_share=accounts.valid_share, checks=checks, verdict=verdict, reason=_reason(verdict, checks, accounts),
        snapshot=_written(folder / f"{name}.parquet", rows.write_snapshot) if keeps else None,
        quarantine=(
            _written(folder / f"{name}.quarantine.parquet", rows.write_quarantine) if accounts.quarantined else None
        ),
        control_total=accounts.control_total, emptied=accounts.emptied, dropped_kinds=accounts.dropped_kinds,
        part=place.part, replaces=place.standing.replaces, profile=place.profile,
    )


def _checks(
    delivery: _Delivery, reading: Reading, rows: Normalised, accounts: Accounts, place: Found, history: History
) -> tuple[Check, ...]:
    """The file by itself, against what is known, and cell by cell."""
    contract, feed, plan = delivery.contract, delivery.feed, delivery.plan
    # An empty full snapshot would remove everybody; an empty supplement is a month in which nobody died.
    empty: Severity = "return" if feed.snapshot == "full" else "warn"
    area = commonest_area(rows) if "other_county" in contract.faults else None
    texts = (delivery.subject, *reading.titles)
    return (
        *file_checks(accounts, contract, feed, delivery.name, reading.remarks),
        *against.history_checks(place, history, contract, feed, plan),
        *against.place_checks(texts, reading.cells, area, accounts.accepted, contract, delivery.period, plan),
        *suites.judge(contract, rows.flags(), empty=empty),
    )


def _refused(delivery: _Delivery, refusal: FileReturned) -> Intake:
    """The receipt of a file that could not be read, saying where it belongs if its header tells that."""
    contract = delivery.contract
    other = mistaken.other_feed((delivery.subject,), refusal.headers, contract, delivery.plan.contracts)
    if other is not None:
        fault = contract.faults["other_feed"]
        return _returned(delivery, f"{fault.says}：按文件名或表头应为「{other.name}」。{fault.cure}。")
    keys = {header: header_key(header) for header in refusal.headers}
    unknown = tuple(header for header, key in keys.items() if key not in contract.headers)
    known = {contract.headers[key][0] for key in keys.values() if key in contract.headers}
    missing = tuple(name for name in contract.required if name not in known) if known else ()
    return replace(_returned(delivery, str(refusal)), unknown_headers=unknown, missing_columns=missing)


def _returned(delivery: _Delivery, reason: str) -> Intake:
    """The receipt of a file that was not read: no row of it is known."""
    return Intake(
        feed=delivery.feed.feed, period=delivery.period, provider=delivery.provider, file_name=delivery.name,
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
