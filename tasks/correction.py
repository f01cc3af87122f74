"""Correction bulletins (更正通报): what was published and no longer holds is corrected by a document of its own (C22).

A bulletin prints the figures of one month and of the month before. If a later run of such a month changes one, the
bulletin that printed it is corrected: by number, with old and new figure and the files that made the difference. The same
change is corrected once; a further one gets a correction of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from documents.model import CorrectionContent, OfficialHead
from documents.wording import chinese_date
from models.database import transaction
from models.plan import Bulletin, Plan
from models.store import campaigns, deliveries, documents
from models.store import findings as findings_store
from rules.periods import month, period_name, previous_month
from tasks.bulletin import bulletin_of, correction, next_number, numbers, shows, title_of
from tasks.campaign import folder, plan_in_force, short_name, today
from tasks.contents import origin
from tasks.effect import effect
from tasks.originals import sha256_of


@dataclass(frozen=True)
class Outdated:
    """A published bulletin of which figures have changed: its document, when it was last right, and what changed."""

    entry: Bulletin
    document: RowMapping
    right_until: datetime
    changed: tuple[RowMapping, ...]


@effect("编发更正通报 correction bulletin")
def issue_corrections(campaign: str, as_of: datetime, bulletin_id: str | None = None,
                      period: str | None = None) -> dict[str, Any]:
    """Issues a correction for every published bulletin that has changed, or for one; nothing where nothing has.

    Raises WrongUse for a bulletin or period that the plan does not have.
    """
    plan = plan_in_force(campaign)
    if bulletin_id is not None and period is not None:
        bulletin_of(plan, bulletin_id, period)
    issued = []
    with transaction() as tx:
        campaigns.hold(tx, campaign, "numbers")
        for found in outdated(tx, plan):
            if bulletin_id in (None, found.entry.id) and period in (None, found.document["period"]):
                issued.append(_issue(tx, plan, found, as_of))
    return {"corrections": len(issued), "issued": issued}


def outdated(tx: Connection, plan: Plan) -> Iterator[Outdated]:
    """Every published bulletin whose figures no longer hold, in the order in which they were published."""
    for entry in plan.bulletins:
        published: dict[str, RowMapping] = {}
        for row in documents.all_of(tx, plan.id, f"bulletin:{entry.id}"):
            if row["run_id"] is not None:
                published.setdefault(row["period"], row)
        owners = _printed_by(tx, list(published.values()))
        for row in published.values():
            later = documents.of_period(tx, plan.id, f"correction:{entry.id}", row["period"])
            right_until = max([row["made_at"], *(entry_row["made_at"] for entry_row in later)])
            changed = tuple(
                figure for figure in findings_store.restatements(tx, plan.id, right_until)
                if owners.get(figure["period"]) == row["id"] and figure["indicator"] in entry.indicators
                and shows(plan, figure))
            if changed:
                yield Outdated(entry, row, right_until, changed)


def _printed_by(tx: Connection, published: list[RowMapping]) -> dict[str, int]:
    """Month of a figure → the bulletin to correct: the last that printed it as its own month, or else as the one before."""
    months: dict[int, str] = {}
    for row in published:
        run = findings_store.run(tx, row["run_id"])
        if run is not None:
            months[row["id"]] = run["period"]
    as_before = {previous_month(label): number for number, label in months.items()}
    return as_before | {label: number for number, label in months.items()}


def _issue(tx: Connection, plan: Plan, found: Outdated, as_of: datetime) -> dict[str, Any]:
    from documents.correction import write_correction, write_correction_annex

    entry, document = found.entry, found.document
    day = today(plan, as_of)
    known = numbers(tx, plan, entry)
    corrected_number = known[document["kind"], document["period"], None]
    number = next_number(tx, plan, entry, day)
    label = document["period"]
    months = sorted({row["period"] for row in found.changed})
    causes, reason = _causes(tx, plan, months, found.right_until)
    office = plan.organisation(plan.office)
    newest = findings_store.latest_run(tx, plan.id, months[-1])
    assert newest is not None
    when = "" if label == "once" else period_name(label)
    content = CorrectionContent(
        origin=origin(plan, plan.office, label, month(months[-1]).ends, run_id=newest["id"], content_sha256=newest["content_sha256"] or ""),
        head=OfficialHead(
            banner=office.name, issuer=office.name, number=number, title=f"关于更正{plan.name}{when}通报有关数字的通报",
            addressees=tuple(org.short for org in plan.select(entry.to, day)), issued_on=day),
        corrected_title=title_of(plan, entry, label), corrected_number=corrected_number,
        corrected_on=today(plan, document["made_at"]), causes=causes,
        corrections=tuple(correction(plan, row, reason) for row in found.changed))
    count = len(documents.of_period(tx, plan.id, f"correction:{entry.id}", label)) + 1
    place = folder(plan.id, "documents", "bulletins")
    path = place / f"{entry.name}_{label}_更正{count}.docx"
    write_correction(path, content)
    write_correction_annex(path.with_name(f"{path.stem}_来源表.xlsx"), content)
    documents.record(
        tx, campaign_id=plan.id, kind=f"correction:{entry.id}", period=label, organisation=plan.office, path=str(path),
        sha256=sha256_of(path), made_at=as_of, rows=len(found.changed), run_id=newest["id"],
        content_sha256=newest["content_sha256"] or "")
    return {"bulletin": entry.id, "period": label, "number": number, "corrects": corrected_number,
            "figures": len(found.changed), "document": str(path)}


def _causes(tx: Connection, plan: Plan, months: list[str], right_until: datetime) -> tuple[tuple[str, ...], str]:
    """Why the figures changed, from what the two runs of each month read: files that came since, or another plan."""
    causes: list[str] = []
    feeds: list[str] = []
    for label in months:
        runs = findings_store.runs_of(tx, plan.id, label)
        before = next(run for run in reversed(runs) if run["as_of"] <= right_until)
        now = runs[-1]
        known = _hashes(before)
        fresh = deliveries.by_sha256(tx, plan.id, sorted(_hashes(now) - known))
        for row in fresh:
            name = next((feed.name for feed in plan.feeds if feed.feed == row["feed"]), row["feed"])
            feeds.append(name)
            causes.append(f"{short_name(plan, row['provider'])}于{chinese_date(today(plan, row['received_at']))}补报或更正"
                          f"{period_name(row['period'])}“{name}”，{period_name(label)}数据重新比对"
                          f"（比对批次由{before['id']}变为{now['id']}）。")
        if before["plan_sha256"] != now["plan_sha256"]:
            causes.append(f"工作方案口径调整，{period_name(label)}数据重新比对（比对批次由{before['id']}变为{now['id']}）。")
        elif not fresh:
            causes.append(f"身份核对结果更新，{period_name(label)}数据重新比对（比对批次由{before['id']}变为{now['id']}）。")
    named = "、".join(dict.fromkeys(feeds))
    return tuple(dict.fromkeys(causes)), f"{named}数据更正" if named else "重新比对"


def _hashes(run: RowMapping) -> set[str]:
    return {entry["sha256"] for entries in run["inputs"].values() for entry in entries}
