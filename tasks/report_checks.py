"""What the record knows that a returned report can be held against, and how the answer is worded for the unit (C22)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from documents.model import REPORT_SHEET, CellFault, ReportReturn
from models.plan import RECORDED_FIGURES, Obligation, Plan, Section
from models.store import findings as findings_store
from models.store import obligations as store
from rules.calendar import WorkCalendar
from rules.deadlines import item_periods, opens
from rules.periods import is_month
from rules.report_checks import Change, Ground, Mark, Stated, marks
from tasks.campaign import short_name
from tasks.contents import list_lines, work_done

DISPUTE = "dispute"
"""The key under which what a unit says against prefilled figures is kept beside its texts."""


def stated(texts: Mapping[str, str], figures: Mapping[str, float | None]) -> Stated:
    """A report as the rules see it, whether just handed in or kept."""
    return Stated(texts, figures, is_explained=bool(texts.get(DISPUTE, "").strip()))


def sections_of(plan: Plan, item: str) -> tuple[Section, ...]:
    """What the plan asks for in a report; nothing of one owed under an older plan only."""
    return next((entry.content for entry in plan.obligations if entry.id == item), ())


def judge(tx: Connection, plan: Plan, owed: RowMapping, returned: ReportReturn) -> tuple[Mark, ...]:
    """Everything there is to say about a returned report, from the plan's thresholds and the record. One owed under an
    older plan only is checked where its form is read, no further."""
    obligation = next((entry for entry in plan.obligations if entry.id == returned.item), None)
    if obligation is None:
        return ()
    said = stated({**returned.texts, DISPUTE: returned.dispute}, returned.figures)
    return marks(obligation.content, plan.report_checks, said, _ground(tx, plan, obligation, owed))


def _ground(tx: Connection, plan: Plan, obligation: Obligation, owed: RowMapping) -> Ground:
    code, zone = owed["organisation"], plan.time_zone
    span = next(entry for entry in item_periods(plan, obligation.cadence, obligation.due) if entry.label == owed["period"])
    # A summary asked for once sums up what monthly reports have said: only reports that recur are compared with others.
    recurs = obligation.cadence.every != "once"
    claims = findings_store.claims_by_day(
        tx, plan.id, code, opens(span.starts, zone), opens(span.ends + timedelta(days=1), zone), zone) if recurs else {}
    return Ground(
        earlier=[stated(row["texts"], row["figures"]) for row in store.accepted_reports(
            tx, plan.id, obligation.id, code, owed["period_ends"])] if recurs else (),
        others={short_name(plan, row["organisation"]): row["texts"]
                for row in store.others_texts(tx, plan.id, obligation.id, owed["period"], code)},
        recorded=_recorded(tx, plan, obligation, owed),
        claims_by_day=claims, last_workday=WorkCalendar(plan.calendar).roll(span.ends, "previous_workday"))


def _recorded(tx: Connection, plan: Plan, obligation: Obligation, owed: RowMapping) -> dict[str, float | None]:
    """The record's own figures that the report's numbers name."""
    asked = {section.recorded for section in obligation.content if section.recorded}
    found: dict[str, float | None] = {}
    if asked & set(RECORDED_FIGURES):
        lines = list_lines(plan, work_done(plan), owner=owed["organisation"], by="list")
        found = {name: sum(getattr(line, "excused_total" if name == "excused" else name) for line in lines)
                 for name in RECORDED_FIGURES}
    month = f"{owed['period_ends']:%Y-%m}"
    if asked - set(RECORDED_FIGURES) and is_month(month):
        found |= {row["indicator"]: row["value"] for row in findings_store.measurements(tx, plan.id, month)
                  if row["organisation"] == owed["organisation"] and row["indicator"] in asked}
    return found


def as_cell_faults(found: Iterable[Mark], returned: ReportReturn) -> tuple[CellFault, ...]:
    """The marks that send a report back, each on the cell of its section."""
    return tuple(CellFault(*returned.cells.get(mark.section, (REPORT_SHEET, "A1")), mark.what, mark.cure)
                 for mark in found if mark.judgement == "fault")


def as_remarks(found: Iterable[Mark]) -> list[dict[str, Any]]:
    """The marks that the office sees, as they are kept."""
    return [{"check": mark.check, "part": mark.section, "what": mark.what} for mark in found if mark.judgement == "remark"]


def as_rows(found: Sequence[Change]) -> list[dict[str, Any]]:
    """The changes of a restatement, as they are kept. Of texts only that they differ: they may name somebody."""
    return [{"part": change.part, "was": change.was, "now": change.now, "is_text": change.is_text} for change in found]


def changes_in_words(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Kept changes in Chinese: 「走访户数由120改为150」."""
    return [f"“{row['part']}”文字内容更正" if row["is_text"]
            else f"“{row['part']}”由{_plain(row['was'])}改为{_plain(row['now'])}" for row in rows]


def _plain(value: float | None) -> str:
    return "空白" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
