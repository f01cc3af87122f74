"""The periodic bulletin (按月通报, C19): figures from the record, nobody's person, every unit named as it stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from documents.bulletin import write_bulletin, write_bulletin_annex
from documents.model import BulletinContent, Correction, OfficialHead
from models.database import transaction
from models.errors import WrongUse
from models.plan import Bulletin, Plan
from models.store import documents
from models.store import findings as findings_store
from rules.deadlines import item_periods
from tasks.campaign import folder, period_name, plan_in_force, short_name, today
from tasks.contents import feed_lines, list_lines, origin, progress_tables, reporting_lines, work_done
from tasks.effect import effect
from tasks.mobilisation import basis
from tasks.originals import sha256_of
from tasks.reports import proven_period


@effect("编发通报 bulletin")
def issue_bulletin(campaign: str, bulletin_id: str, period: str, as_of: datetime) -> dict[str, Any]:
    """Issues one bulletin with its annex. The same content again is the same bulletin."""
    plan = plan_in_force(campaign)
    entry = next((item for item in plan.bulletins if item.id == bulletin_id), None)
    if entry is None:
        raise WrongUse(f"the plan has no bulletin {bulletin_id!r}.", where=campaign,
                       cure=f"It has: {', '.join(item.id for item in plan.bulletins)}.")
    spans = item_periods(plan, entry.cadence, entry.due)
    labels = [span.label for span in spans]
    if period not in labels:
        raise WrongUse(f"bulletin {bulletin_id} has no period {period}.", where=campaign,
                       cure=f"It runs from {labels[0]} to {labels[-1]}.")
    covered = spans[labels.index(period)]
    content = _content(plan, entry, period, labels.index(period) + 1, covered.ends, as_of)
    place = folder(campaign, "documents", "bulletins")
    path, annex = place / f"{entry.name}_{period}.docx", place / f"{entry.name}_{period}_附表.xlsx"
    notes = write_bulletin(path, content)
    write_bulletin_annex(annex, content)
    with transaction() as tx:
        new = documents.record(tx, campaign_id=campaign, kind=f"bulletin:{bulletin_id}", period=period,
                               organisation=plan.office, path=str(path), sha256=sha256_of(path), made_at=as_of,
                               rows=len(content.lists), content_sha256="")
    return {"bulletin": bulletin_id, "period": period, "new": new, "notes": list(notes)}


def _content(plan: Plan, entry: Bulletin, period: str, number: int, period_ends: date,
             as_of: datetime) -> BulletinContent:
    day = today(plan, as_of)
    proven = proven_period(plan.id, period)
    reports = reporting_lines(plan, period, as_of)
    feeds = feed_lines(plan, proven, as_of) if proven else ()
    office = plan.organisation(plan.office)
    return BulletinContent(
        origin=origin(plan, plan.office, period, min(day, period_ends)),
        head=OfficialHead(
            banner=office.name, issuer=office.name, number=entry.number_pattern.format(year=day.year, n=number),
            title=f"关于{plan.name}{period_name(period)}工作进展情况的通报",
            addressees=tuple(org.short for org in plan.select(entry.to, day)), issued_on=day),
        basis=basis(plan), progress=progress_tables(plan, proven) if proven else (), lists=list_lines(plan, work_done(plan)),
        reports=reports, feeds=feeds, corrections=_corrections(plan, entry.id, period), asks=_asks(plan, reports, feeds),
        annex_name="数据附表")


def _corrections(plan: Plan, bulletin_id: str, period: str) -> tuple[Correction, ...]:
    """Published figures that a later run of the same month has changed since: never restated in silence (C22)."""
    with transaction() as tx:
        published = documents.issued_before(tx, plan.id, f"bulletin:{bulletin_id}", period)
        changed = findings_store.restatements(tx, plan.id, published) if published else []
    names = {entry.id: entry.name for entry in plan.indicators}
    return tuple(Correction(
        what=f"{short_name(plan, row['organisation'])}{period_name(row['period'])}{names.get(row['indicator'], '')}",
        was=f"{row['was']:,.2f}", now=f"{row['now']:,.2f}", reason="补报或更正数据后重新比对") for row in changed)


def _asks(plan: Plan, reports: Any, feeds: Any) -> tuple[str, ...]:
    """What is asked next, from what is open now."""
    asks = []
    missing = list(dict.fromkeys(name for line in reports for name in line.missing))
    if missing:
        asks.append(f"{'、'.join(missing)}应立即补报所欠材料，并书面说明原因。")
    late_feeds = list(dict.fromkeys(f"{line.department}（{line.feed}）" for line in feeds if line.state in ("未交", "退回")))
    if late_feeds:
        asks.append(f"{'、'.join(late_feeds)}应尽快提供合格数据，以免影响下月比对。")
    asks.append("各单位对已下发花名册逐一核查，据实填写核查结果；核查结果以次月参保登记为准。")
    return tuple(asks)
