"""The periodic bulletin (按月通报, C19): figures from the record, nobody's person, every unit named as it stands.

What was published stays as it was: a bulletin is made once. A figure that changes afterwards is corrected by a bulletin
of its own (``tasks.correction``) and told again in the next one (C22).
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from documents.model import (
    BulletinContent,
    Correction,
    OfficialHead,
    Reference,
    RemarkLine,
    RestatedReport,
)
from documents.wording import quantity
from models.database import transaction
from models.errors import StorageUnavailable, WrongUse
from models.plan import Bulletin, Plan
from models.store import campaigns, documents
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from rules.bulletins import told
from rules.deadlines import item_periods
from rules.periods import Period, period_name, previous_month
from tasks.campaign import folder, plan_in_force, short_name, today
from tasks.contents import (
    feed_lines,
    list_lines,
    origin,
    progress_tables,
    reporting_lines,
    scorecard_lines,
    told_rows,
    words_for,
    work_done,
)
from tasks.effect import effect
from tasks.mobilisation import basis
from tasks.originals import sha256_of
from tasks.report_checks import changes_in_words
from tasks.reports import proven_period


@effect("编发通报 bulletin")
def issue_bulletin(campaign: str, bulletin_id: str, period: str, as_of: datetime) -> dict[str, Any]:
    """Issues one bulletin with its annex, once: what is published is never written again. Raises StorageUnavailable if
    a published one is gone from its place."""
    from documents.bulletin import write_bulletin, write_bulletin_annex

    plan = plan_in_force(campaign)
    entry, span = bulletin_of(plan, bulletin_id, period)
    with transaction() as tx:
        campaigns.hold(tx, campaign, "numbers")
        published = documents.of_period(tx, campaign, f"bulletin:{bulletin_id}", period)
        if published:
            if not Path(published[-1]["path"]).exists():
                raise StorageUnavailable("the published bulletin is not there any more.", where=published[-1]["path"],
                                         cure="Restore it from the backup; it is never drawn up anew.")
            return {"bulletin": bulletin_id, "period": period, "new": False, "notes": []}
        place = folder(campaign, "documents", "bulletins")
        path, annex = place / f"{entry.name}_{period}.docx", place / f"{entry.name}_{period}_附表.xlsx"
        proven = proven_period(campaign, span.ends)
        run = findings_store.latest_run(tx, campaign, proven) if proven else None
        content = _content(plan, entry, span, next_number(tx, plan, entry, today(plan, as_of)), proven, run, as_of)
        notes = write_bulletin(path, content)
        write_bulletin_annex(annex, content)
        new = documents.record(
            tx, campaign_id=campaign, kind=f"bulletin:{bulletin_id}", period=period, organisation=plan.office, path=str(path),
            sha256=sha256_of(path), made_at=as_of, rows=len(content.references), run_id=run["id"] if run else None,
            content_sha256=run["content_sha256"] if run else "")
    return {"bulletin": bulletin_id, "period": period, "new": new, "notes": list(notes)}


def bulletin_of(plan: Plan, bulletin_id: str, period: str) -> tuple[Bulletin, Period]:
    """A bulletin of the plan and one of its periods. Raises WrongUse for one it does not have, naming those it has."""
    entry = next((item for item in plan.bulletins if item.id == bulletin_id), None)
    if entry is None:
        raise WrongUse(f"the plan has no bulletin {bulletin_id!r}.", where=plan.id,
                       cure=f"It has: {', '.join(item.id for item in plan.bulletins)}.")
    spans = {span.label: span for span in item_periods(plan, entry.cadence, entry.due)}
    if period not in spans:
        labels = list(spans)
        raise WrongUse(f"bulletin {bulletin_id} has no period {period}.", where=plan.id,
                       cure=f"It runs from {labels[0]} to {labels[-1]}.")
    return entry, spans[period]


# --- numbers --------------------------------------------------------------------------------------------


def next_number(tx: Connection, plan: Plan, entry: Bulletin, day: date) -> str:
    """The next free number of a bulletin's series in the year of ``day``; corrections are counted in the same series."""
    taken = sum(today(plan, row["made_at"]).year == day.year for row in documents.series(tx, plan.id, _kinds(plan, entry)))
    return entry.number_pattern.format(year=day.year, n=taken + 1)


def numbers(tx: Connection, plan: Plan, entry: Bulletin) -> dict[tuple[str, str, int | None], str]:
    """(kind, period, run of a correction) → the number under which it was published."""
    counted: dict[int, int] = {}
    found = {}
    for row in documents.series(tx, plan.id, _kinds(plan, entry)):
        year = today(plan, row["made_at"]).year
        counted[year] = counted.get(year, 0) + 1
        found[row["kind"], row["period"], row["run_id"]] = entry.number_pattern.format(year=year, n=counted[year])
    return found


def _kinds(plan: Plan, entry: Bulletin) -> list[str]:
    """Bulletins that share a pattern share a series."""
    own = [other.id for other in plan.bulletins if other.number_pattern == entry.number_pattern]
    return [f"{word}:{name}" for name in own for word in ("bulletin", "correction")]


# --- content --------------------------------------------------------------------------------------------


def title_of(plan: Plan, entry: Bulletin, period: str) -> str:
    """A bulletin's title: what it is about, as its name says, or the progress of work."""
    when = "" if period == "once" else period_name(period)
    if entry.name.endswith("情况通报"):
        return f"关于{when}{entry.name.removesuffix('通报')}的通报"
    return f"关于{plan.name}{when}工作进展情况的通报"


def _content(plan: Plan, entry: Bulletin, span: Period, number: str, proven: str | None, run: Any,
             as_of: datetime) -> BulletinContent:
    day = today(plan, as_of)
    rows = told_rows(plan, entry, told(plan, entry, span.label), as_of)
    reports = reporting_lines(plan, rows)
    feeds = feed_lines(plan, proven, as_of) if proven else ()
    restated, remarks = _looked_at(plan, entry, span, as_of)
    office = plan.organisation(plan.office)
    return BulletinContent(
        origin=origin(plan, plan.office, span.label, min(day, span.ends), run_id=run["id"] if run else "",
                      content_sha256=run["content_sha256"] or "" if run else ""),
        head=OfficialHead(
            banner=office.name, issuer=office.name, number=number, title=title_of(plan, entry, span.label),
            addressees=tuple(org.short for org in plan.select(entry.to, day)), issued_on=day),
        basis=basis(plan), progress=progress_tables(plan, proven, entry, words_for(span.label, proven)) if proven else (),
        lists=list_lines(plan, work_done(plan)), reports=reports, feeds=feeds,
        scorecards=scorecard_lines(plan, proven, as_of) if proven else (), corrections=_corrections(plan, entry, span.label),
        asks=_asks(plan, reports, feeds), annex_name="数据附表", restated=restated, remarks=remarks,
        references=_references(plan, entry, proven, run, rows, as_of))


def _looked_at(plan: Plan, entry: Bulletin, span: Period,
               as_of: datetime) -> tuple[tuple[RestatedReport, ...], tuple[RemarkLine, ...]]:
    """Reports restated, and remarks on reports accepted, since the bulletin before was due."""
    after = told(plan, entry, span.label).after
    about = {org.code for org in plan.select(entry.about)}
    with transaction() as tx:
        rows = [row for row in obligations_store.worth_a_look(tx, plan.id, as_of)
                if row["organisation"] in about and (after is None or today(plan, row["received_at"]) > after)]
    restated = tuple(RestatedReport(
        short_name(plan, row["organisation"]), row["name"], period_name(row["period"]), today(plan, row["received_at"]),
        "；".join(changes_in_words(row["changes"])) or "签署或联系信息更正") for row in rows if row["restates"] is not None)
    remarks = tuple(RemarkLine(short_name(plan, row["organisation"]), row["name"], period_name(row["period"]), remark["what"])
                    for row in rows for remark in row["remarks"])
    return restated, remarks


def _corrections(plan: Plan, entry: Bulletin, period: str) -> tuple[Correction, ...]:
    """Figures published before that a later run of the same month has changed since the bulletin before this one."""
    with transaction() as tx:
        published = documents.issued_before(tx, plan.id, f"bulletin:{entry.id}", period)
        changed = findings_store.restatements(tx, plan.id, published) if published else []
        corrected = {row["run_id"]: numbers(tx, plan, entry)[row["kind"], row["period"], row["run_id"]]
                     for row in documents.series(tx, plan.id, [f"correction:{entry.id}"])}
        runs = {run["period"]: run["id"] for run in (
            findings_store.latest_run(tx, plan.id, label) for label in {row["period"] for row in changed}) if run}
    return tuple(correction(plan, row, "补报或更正数据后重新比对" + (
        f"，已以{corrected[runs[row['period']]]}更正" if runs.get(row["period"]) in corrected else ""))
        for row in changed if row["indicator"] in entry.indicators and shows(plan, row))


def shows(plan: Plan, row: Any) -> bool:
    """Whether a change can be seen in print at all."""
    unit = plan.item("indicators", row["indicator"]).unit
    return quantity(_rounded(row["was"]), unit) != quantity(_rounded(row["now"]), unit)


def correction(plan: Plan, row: Any, reason: str, published_in: str = "") -> Correction:
    """One changed figure in words."""
    indicator = plan.item("indicators", row["indicator"])
    return Correction(
        what=f"{short_name(plan, row['organisation'])}{period_name(row['period'])}{indicator.name}",
        was=quantity(_rounded(row["was"]), indicator.unit), now=quantity(_rounded(row["now"]), indicator.unit), reason=reason,
        published_in=published_in, reference=explain_command(plan, row["indicator"], row["organisation"], row["period"]))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _asks(plan: Plan, reports: Any, feeds: Any) -> tuple[str, ...]:
    """What is asked next, from what is open now."""
    asks = []
    missing = list(dict.fromkeys(name for line in reports for name in line.missing))
    if missing:
        asks.append(f"{'、'.join(missing)}应立即补报所欠材料，并书面说明原因。")
    late_feeds: dict[str, list[str]] = {}
    for line in feeds:
        if line.state in ("未交", "退回"):
            late_feeds.setdefault(line.department, []).append(line.feed)
    if late_feeds:
        named = "、".join(f"{department}（{own[0]}{f'等{len(own)}项' if len(own) > 1 else ''}）" for department, own in late_feeds.items())
        asks.append(f"{named}应尽快提供合格数据，以免影响下月比对。")
    asks.append("各单位对已下发花名册逐一核查，据实填写核查结果；核查结果以次月参保登记为准。")
    return tuple(asks)


# --- where each figure comes from -----------------------------------------------------------------------


def explain_command(plan: Plan, indicator: str, organisation: str, period: str) -> str:
    """The command that opens a figure to its rule, run, files and rows."""
    return f"canbao explain {plan.id} --indicator {indicator} --org {organisation} --period {period}"


def _references(plan: Plan, entry: Bulletin, proven: str | None, run: Any, rows: list[dict[str, Any]],
                as_of: datetime) -> tuple[Reference, ...]:
    """Every figure of the bulletin: measured ones with their run, late or missing reports and files with their ledger."""
    found = _measured(plan, entry, proven) if proven else []
    found += [Reference(
        f"{short_name(plan, row['organisation'])}{period_name(row['period'])}{row['name']}", _DUTY_STATES[row["status"]], "",
        f"canbao explain {plan.id} --item {row['item']} --org {row['organisation']} --period {row['period']}"
        f" --as-of {as_of.isoformat()}") for row in rows if row["status"] in _DUTY_STATES]
    if run is not None:
        found.append(Reference("各单位清单核查情况", "见清单表", str(run["id"]),
                               f"canbao findings {plan.id} --period {run['period']} --out 清单.csv --purpose 用途"))
        found.append(Reference("部门数据报送情况", "见数据表", str(run["id"]), f"canbao status {plan.id} --as-of {as_of.isoformat()}"))
    return tuple(found)


_DUTY_STATES = {"accepted_late": "迟报", "overdue": "未报", "missing": "未报", "sent_back": "退回未补"}


def _measured(plan: Plan, entry: Bulletin, proven: str) -> list[Reference]:
    months = (proven, previous_month(proven))
    with transaction() as tx:
        rows = [row for label in months for row in findings_store.measurements(tx, plan.id, label)]
    shown = {code for target in plan.targets for code in target.level} | {
        org.code for org in plan.select(entry.about)} | {plan.region_organisation}
    order = {name: place for place, name in enumerate(entry.indicators)}
    units = {org.code: place for place, org in enumerate(plan.organisations)}
    rows = [row for row in rows if row["indicator"] in order and row["organisation"] in shown]
    rows.sort(key=lambda row: (order[row["indicator"]], units.get(row["organisation"], 0), row["period"]))
    return [Reference(
        f"{short_name(plan, row['organisation'])}{period_name(row['period'])}{plan.item('indicators', row['indicator']).name}",
        quantity(_rounded(row["value"]), plan.item("indicators", row["indicator"]).unit), str(row["run_id"]),
        explain_command(plan, row["indicator"], row["organisation"], row["period"])) for row in rows]
