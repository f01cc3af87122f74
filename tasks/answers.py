"""Answers to departments: a quality page for every delivery and a return workbook wherever rows were refused; and the
return workbooks that come back, told by what is hidden in them, laid over the file they belong to.

Both documents are written in the transaction that records the delivery: either all of it is there, or none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from sqlalchemy import Connection, RowMapping

from documents.files import write_atomically
from documents.model import Origin
from documents.page import framed
from documents.return_workbook import (
    CorrectedRows,
    FileProblem,
    ReasonLine,
    RefusedRow,
    ReturnContent,
    RowColumn,
    is_copy_of_rows,
    is_return_workbook,
    read_return_workbook,
    write_return_workbook,
)
from documents.wording import chinese_date
from expectations.corrections import Account, Correction, Key
from expectations.intake import Intake
from expectations.quality_page import STYLE, Earlier, Surroundings, page_title, quality_page
from expectations.reasons import check_cure, choices, reason, told, wording
from models.contract import Column, Contract, for_feed
from models.errors import FileReturned
from models.places import file_name
from models.plan import Plan
from models.store import campaigns, documents
from models.store import deliveries as store
from rules.periods import period_name
from tasks.campaign import drill_note, folder, short_name, today
from tasks.originals import sha256_of

VERDICTS = {
    "accepted": "已接收；下列行未采用，请更正", "accepted_with_warnings": "已接收，有提示；下列行未采用，请更正",
    "returned": "退回，整份未采用；请更正后报回",
}
_WIDTHS = {"id": 21.0, "uscc": 21.0, "name": 11.0, "code": 12.0, "date": 12.0, "month": 10.0, "org": 14.0, "int": 9.0}
_OTHER_WIDTH = 15.0
_UNKNOWN = "未知单位"


# --- what goes out --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """One delivery as its answers need it, with the reason on record. ``redeliver_by`` is the last day for a returned one."""

    delivery: int
    taken: Intake
    received_at: datetime
    redeliver_by: date | None = None
    notes: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()


def answer(tx: Connection, plan: Plan, entry: Answered) -> dict[str, str | None]:
    """Writes the quality page and, where rows were refused, the return workbook; records both with the delivery and
    tells where they lie."""
    taken = entry.taken
    contract = for_feed(taken.feed, plan.contracts)
    refused = _refused(taken.quarantine)
    workbook = _write_workbook(tx, plan, contract, entry, refused) if refused else None
    page = folder(plan.id, "quality", taken.feed, taken.period) / f"{taken.sha256[:16]}_{entry.delivery}.html"
    around = _surroundings(tx, plan, entry)
    text = framed(page_title(contract, around.period), quality_page(taken, contract, around), STYLE, drill=drill_note(plan))
    write_atomically(page, lambda draft: _put(draft, text))
    places = {"quality_page": str(page), "return_workbook": str(workbook) if workbook else None}
    store.note_answers(tx, entry.delivery, places)
    return places


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_workbook(
    tx: Connection, plan: Plan, contract: Contract, entry: Answered, refused: list[dict[str, Any]]
) -> Path:
    """A file that names persons: for its owner only, recorded, and in the audit trail."""
    taken, unit = entry.taken, entry.taken.provider or ""
    content = _content(plan, contract, entry, refused)
    name = file_name(f"更正单_{short_name(plan, unit) or _UNKNOWN}_{contract.name}_{taken.period}_{entry.delivery}", ".xlsx")
    path = folder(plan.id, "documents", "corrections", unit or "unknown") / name
    write_return_workbook(path, content)
    documents.record(
        tx, campaign_id=plan.id, kind=f"corrections:{taken.feed}", period=taken.period, organisation=unit, path=str(path),
        sha256=sha256_of(path), made_at=entry.received_at, rows=len(content.refused), content_sha256=taken.sha256)
    campaigns.audit(
        tx, plan.id, at=entry.received_at, actor=plan.office, action="return workbook made",
        subject=f"{taken.feed}/{taken.period}/{taken.sha256[:16]}", count=len(content.refused), reason=taken.verdict)
    return path


def _refused(quarantine: Path | None, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """The refused rows that a return workbook lists: the first ones, in the order of the file."""
    if quarantine is None:
        return []
    with parquet.ParquetFile(quarantine) as file:
        batches = file.iter_batches(batch_size=wording()["workbook"]["most_rows"], columns=columns)
        first = next(batches, None)
    return first.to_pylist() if first is not None else []


def _content(plan: Plan, contract: Contract, entry: Answered, refused: list[dict[str, Any]]) -> ReturnContent:
    taken = entry.taken
    received_on = today(plan, entry.received_at)
    unit = taken.provider or ""
    origin = Origin(
        campaign=plan.id, campaign_name=plan.name, organisation=unit, organisation_name=short_name(plan, unit) or _UNKNOWN,
        period=taken.period, period_name=period_name(taken.period), as_of=received_on, run_id="", content_sha256=taken.sha256,
        drill=drill_note(plan))
    return ReturnContent(
        origin=origin, feed=taken.feed, feed_name=contract.name, delivery=entry.delivery, sha256=taken.sha256,
        file_name=taken.file_name, received_on=received_on, verdict=VERDICTS[taken.verdict],
        counts=(("文件行数", taken.rows), ("可用", taken.accepted), ("待核", taken.quarantined), ("重复", taken.duplicate),
                ("剔除", taken.dropped)),
        columns=_columns(contract, refused, plan, received_on), refused=tuple(_row(row, contract) for row in refused),
        reasons=_reasons(taken, contract), problems=tuple(_problems(taken)),
        unlisted=taken.quarantined - len(refused), notes=entry.notes,
        most_comments=wording()["workbook"]["most_comments"])


def _columns(contract: Contract, refused: list[dict[str, Any]], plan: Plan, day: date) -> tuple[RowColumn, ...]:
    """Required columns, and the others that the file has."""
    return tuple(
        RowColumn(name, column.label, _WIDTHS.get(column.type, _OTHER_WIDTH), _choices(column, plan, day))
        for name, column in contract.columns.items()
        if column.required or any(row[name] for row in refused)
    )


def _choices(column: Column, plan: Plan, day: date) -> tuple[str, ...]:
    if column.type == "org":
        return tuple(org.short for org in plan.organisations if org.kind in column.organisation_kinds and org.exists_on(day))
    return choices(column) if column.type == "code" else ()


def _row(row: dict[str, Any], contract: Contract) -> RefusedRow:
    """A refused row in words: the reason first, then whatever else is wrong with its cells."""
    reasons = told([row["reason"], *row["faults"]], contract)
    faults: dict[str, str] = {}
    for entry in reasons:
        for name in entry.columns:
            faults.setdefault(name, f"{entry.says}。\n{entry.cure}。")
    return RefusedRow(
        row_number=row["row_number"], member=row["member"], sheet=row["sheet"] or "", line=row["line"],
        cells={name: row[name] or "" for name in contract.columns}, faults=faults,
        problem="；".join(entry.says for entry in reasons), cure="；".join(entry.cure for entry in reasons))


def _reasons(taken: Intake, contract: Contract) -> tuple[ReasonLine, ...]:
    counted = sorted(taken.quarantine_reasons.items(), key=lambda item: -item[1])
    words = [(reason(code, contract), rows) for code, rows in counted]
    return tuple(ReasonLine(entry.says, rows, entry.cure) for entry, rows in words)


def _problems(taken: Intake) -> Iterator[FileProblem]:
    """The failed checks, the gravest first. What is returned for another reason says that."""
    failed = sorted((check for check in taken.checks if not check.passed), key=lambda check: check.severity != "return")
    if taken.verdict == "returned" and not any(check.severity == "return" for check in failed):
        yield FileProblem("退回", taken.reason, check_cure("default"))
    for check in failed:
        says, _, cure = check.says.partition("。")
        yield FileProblem("退回" if check.severity == "return" else "提示", says, cure or check_cure(check.rule_id))


def _surroundings(tx: Connection, plan: Plan, entry: Answered) -> Surroundings:
    taken, unit = entry.taken, entry.taken.provider or ""
    earlier = store.earlier_periods(tx, plan.id, taken.feed, unit, taken.period, wording()["page"]["earlier_periods"])
    return Surroundings(
        provider=short_name(plan, unit) or _UNKNOWN, period=period_name(taken.period),
        received=chinese_date(today(plan, entry.received_at)), notes=entry.notes, chain=entry.chain,
        next_steps=tuple(_next_steps(entry)),
        earlier=tuple(Earlier(period_name(row["period"]), int(row["accepted"]), int(row["quarantined"]), row["valid_id_share"])
                      for row in earlier))


def _next_steps(entry: Answered) -> Iterator[str]:
    taken, words = entry.taken, wording()["next"]
    kind = ("returned" if taken.verdict == "returned" else "accepted") + ("_with_rows" if taken.quarantined else "")
    yield words[kind].format(rows=taken.quarantined)
    if entry.redeliver_by is not None:
        yield words["due"].format(due=chinese_date(entry.redeliver_by))


# --- what comes back ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mended:
    """A return workbook that came back: what it belongs to, and what is laid over which original. ``refusal`` says why
    it cannot be; then nothing is. ``received_at`` is when the corrected file came."""

    feed: str
    period: str
    provider: str | None
    corrects: int | None
    received_at: datetime | None = None
    original: Path | None = None
    file_name: str = ""
    corrections: tuple[Correction, ...] = ()
    chain: tuple[str, ...] = ()
    repeated: int = 0
    unkeyed: int = 0
    refusal: str = ""


def mended(tx: Connection, campaign: str, path: Path, feed: str, period: str) -> Mended | None:
    """What a file corrects; None for a file that is no return workbook. ``feed`` and ``period`` are those of the door it
    came through: they count only where the workbook cannot say better."""
    if not is_return_workbook(path):
        return Mended(feed, period, None, None, refusal=refusal("copied")) if is_copy_of_rows(path) else None
    try:
        returned = read_return_workbook(path)
    except FileReturned as fault:
        return Mended(feed, period, None, None, refusal=str(fault))
    if returned.campaign != campaign:
        return Mended(feed, period, None, None, refusal=refusal("other_campaign"))
    corrected = store.one(tx, campaign, returned.delivery)
    if corrected is None or corrected["sha256"] != returned.sha256:
        return Mended(feed, period, None, None, refusal=refusal("unknown"))
    return _laid_over(tx, campaign, corrected, returned)


def _laid_over(tx: Connection, campaign: str, corrected: RowMapping, returned: CorrectedRows) -> Mended:
    corrected = store.latest_judgement(tx, corrected)
    belongs: dict[str, Any] = {
        "feed": corrected["feed"], "period": corrected["period"], "provider": corrected["provider"] or None,
        "corrects": corrected["id"], "received_at": corrected["received_at"]}
    if corrected["superseded_at"] is not None:
        return Mended(**belongs, refusal=refusal("superseded"))
    before = _line(tx, campaign, corrected)
    if before.refusal:
        return Mended(**belongs, refusal=before.refusal)
    last = Correction(returned.rows, _keys(corrected["quarantine"]))
    return replace(
        before, **belongs, corrections=(*before.corrections, last), repeated=returned.repeated, unkeyed=returned.unkeyed)


def _line(tx: Connection, campaign: str, row: RowMapping) -> Mended:
    """The file that a delivery goes back to, and the corrections laid over it so far, in their order."""
    line = [row, *_ancestors(tx, campaign, row)]
    originals = [_original(campaign, entry["sha256"]) for entry in line]
    belongs: dict[str, Any] = {"feed": row["feed"], "period": row["period"], "provider": row["provider"] or None}
    if None in originals or not all(Path(entry["quarantine"]).is_file() for entry in line if entry["quarantine"]):
        return Mended(**belongs, corrects=None, refusal=refusal("original_gone"))
    corrections = [
        Correction(read_return_workbook(found).rows, _keys(before["quarantine"]))
        for entry, before, found in zip(line[:-1], line[1:], originals, strict=False)
        if found is not None and entry["sha256"] != before["sha256"] and is_return_workbook(found)
    ]
    return Mended(
        **belongs, corrects=None, original=originals[-1], file_name=line[-1]["file_name"],
        corrections=tuple(reversed(corrections)), chain=tuple(dict.fromkeys(entry["sha256"] for entry in line)))


def _ancestors(tx: Connection, campaign: str, row: RowMapping) -> Iterator[RowMapping]:
    """The deliveries that this one corrects or judges again, back to the file as it first came."""
    while row["corrects"] is not None:
        before = store.one(tx, campaign, row["corrects"])
        if before is None:
            return
        row = before
        yield row


def _original(campaign: str, sha256: str) -> Path | None:
    """The file as it came, by its hash; None once it was deleted (PIPL art. 19)."""
    place = folder(campaign, "originals", sha256[:2])
    kept = (path for path in sorted(place.glob(f"{sha256}*")) if path.suffix != ".taken")
    return next(kept, None)


def _keys(quarantine: str | None) -> Collection[Key]:
    """The rows that the return workbook of these refused rows listed."""
    rows = _refused(Path(quarantine), ["row_number", "member"]) if quarantine is not None else []
    return frozenset((row["row_number"], row["member"]) for row in rows)


def correction_notes(account: Account, line: Mended) -> tuple[str, ...]:
    """What became of the rows that came back, in the sender's language. Nothing is passed over in silence."""
    counts = {
        "changed_rows": account.changed_rows, "changed_cells": account.changed_cells, "emptied": account.emptied,
        "untouched": account.untouched, "absent": account.absent, "foreign": account.foreign + line.unkeyed,
        "repeated": line.repeated,
    }
    words = wording()["corrections"]
    said = [words["taken" if account.changed_cells else "nothing"]]
    said += [words[name] for name in ("emptied", "untouched", "absent", "foreign", "repeated") if counts[name]]
    return ("；".join(text.format(**counts) for text in said) + "。",)


def refusal(name: str) -> str:
    """Why a return workbook is not taken, in the sender's language."""
    words: str = wording()["refusals"][name]
    return f"{words}。"
