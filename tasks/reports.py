"""Report forms, prefilled with what the data already proves: one workbook per organisation, report and period."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import date, datetime
from pathlib import Path
from typing import Any

from documents.model import DutyLine, Fact, FormSection, ProgressLine, ProgressTable, ReportForm, TextForm
from models.database import transaction
from models.plan import Obligation, Plan
from models.store import documents
from models.store import findings as findings_store
from rules.periods import period_name
from tasks import workers
from tasks.campaign import folder, plan_in_force, short_name, today
from tasks.contents import (
    Work,
    contact,
    deadline_of,
    feed_lines,
    list_lines,
    origin,
    progress_tables,
    words_for,
    work_done,
)
from tasks.effect import effect
from tasks.obligations import statuses
from tasks.originals import sha256_of


def sections(plan_item: Obligation) -> tuple[FormSection, ...]:
    """The parts of a report as the plan names them."""
    return tuple(FormSection(part.id, part.name, part.required, part.kind, unit=part.unit or "") for part in plan_item.content)


def proven_period(campaign: str, ends: date) -> str | None:
    """The latest compared month that is not after the month in which a period ends, or the latest of all if there is
    none such; None before the first comparison. A form or bulletin says which it is."""
    wanted = f"{ends:%Y-%m}"
    with transaction() as tx:
        run = findings_store.latest_run(tx, campaign)
        if run is not None and run["period"] > wanted:
            run = findings_store.latest_run(tx, campaign, wanted) or run
    return run["period"] if run is not None else None


@effect("下发报表 issue forms")
def issue_forms(campaign: str, as_of: datetime) -> dict[str, int]:
    """Issues the forms of every report that is open and not handed in; each once per content of its prefilled data."""
    plan = plan_in_force(campaign)
    held = _held(campaign)
    work = work_done(plan)
    months: dict[str, str | None] = {}
    tables: dict[str | None, tuple[ProgressTable, ...]] = {None: ()}
    writing: list[tuple[dict[str, Any], Future[None]]] = []
    for row in statuses(campaign, as_of, only_open=True):
        if row["kind"] != "report" or row["status"] not in ("open", "due_soon", "overdue", "sent_back"):
            continue
        if row["period"] not in months:
            months[row["period"]] = proven_period(campaign, row["period_ends"])
        proven = months[row["period"]]
        # Reissuing under a clerk's hands would lose what is typed: a form is renewed only by newer proven data.
        known = held.get((row["item"], row["period"], row["organisation"]))
        if known is not None and known[0] == (proven or "") and Path(known[1]).exists():
            continue
        if proven is not None and proven not in tables:
            tables[proven] = progress_tables(plan, proven)
        path, written = _write(plan, row, proven, tables[proven], work, as_of)
        writing.append(({"kind": "form:" + row["item"], "period": row["period"], "organisation": row["organisation"],
                         "path": str(path), "content_sha256": proven or ""}, written))
    for _, written in writing:
        written.result()
    made = [{**document, "sha256": sha256_of(Path(document["path"]))} for document, _ in writing]
    with transaction() as tx:
        new = sum(documents.record(tx, campaign_id=campaign, made_at=as_of, rows=0, **document) for document in made)
    return {"forms": len(made), "new": new}


def _held(campaign: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    """(obligation, period, organisation) → (what the latest form was made from, where it lies)."""
    with transaction() as tx:
        rows = documents.all_of(tx, campaign)
    return {(row["kind"].removeprefix("form:"), row["period"], row["organisation"]): (row["content_sha256"], row["path"])
            for row in rows if row["kind"].startswith("form:")}


def _write(plan: Plan, row: dict[str, Any], proven: str | None, tables: tuple[ProgressTable, ...], work: Work,
           as_of: datetime) -> tuple[Path, Future[None]]:
    """Begins to write one form: where it will lie, and the writing itself."""
    from documents.report_form import write_report_form, write_text_form

    obligation: Obligation = plan.item("obligations", row["item"])
    code = row["organisation"]
    path = (folder(plan.id, "forms", row["period"])
            / f"{short_name(plan, code)}_{obligation.name}_{row['period']}.xlsx")
    # A periodic report speaks of its period's last day, whenever its form is issued; one asked for once, of today.
    once = obligation.cadence.every == "once"
    data_until = min(today(plan, as_of), row["period_ends"]) if once else row["period_ends"]
    source = origin(plan, code, row["period"], data_until, content_sha256=proven or "")
    if obligation.form == "monthly_report":
        return path, workers.submit(write_report_form, path, ReportForm(
            origin=source, item=obligation.id, title=obligation.name, addressee=plan.organisation(obligation.to).name,
            due=deadline_of(row), contact=contact(plan), sections=sections(obligation),
            indicators=own_progress(plan, code, proven, tables), words=words_for(row["period"], proven or row["period"]),
            lists=list_lines(plan, work, owner=code, by="list"),
            feeds=feed_lines(plan, row["period"], as_of, provider=code),
            duties=tuple(DutyLine(duty.what, duty.by) for duty in plan.duties
                         if plan.organisation(code) in plan.select(duty.who))))
    return path, workers.submit(write_text_form, path, TextForm(
        origin=source, item=obligation.id, title=obligation.name, form=obligation.form,
        addressee=plan.organisation(obligation.to).name, due=deadline_of(row), contact=contact(plan),
        sections=sections(obligation), facts=_facts(plan, code, proven, tables)))


def own_progress(plan: Plan, code: str, proven: str | None, tables: tuple[ProgressTable, ...]) -> tuple[ProgressLine, ...]:
    """One line per indicator an organisation has a target for, labelled by the indicator."""
    if proven is None:
        return ()
    name = short_name(plan, code)
    return tuple(
        ProgressLine(**{**vars(line), "label": table.indicator, "basis": f"数据截至{period_name(proven)}末"})
        for table in tables for line in table.lines if line.label == name)


def _facts(plan: Plan, code: str, proven: str | None, tables: tuple[ProgressTable, ...]) -> tuple[Fact, ...]:
    return tuple(
        Fact(line.label, f"目标{line.target:,.0f}，现状{'—' if line.current is None else f'{line.current:,.0f}'}")
        for line in own_progress(plan, code, proven, tables) if line.target is not None)
