"""The receipt that a unit gets for an accepted report, in its own folder and in the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from documents.model import ReportReceipt, ReportReturn
from documents.report_receipt import write_report_receipt
from models.plan import Plan
from models.store import documents
from models.store import obligations as store
from rules.deadlines import is_late
from rules.periods import period_name
from tasks.campaign import as_instant, folder, short_name
from tasks.contents import contact
from tasks.obligations import facts_of
from tasks.originals import sha256_of
from tasks.report_checks import changes_in_words


def give_receipt(tx: Connection, plan: Plan, returned: ReportReturn, digest: str, at: datetime, *, remarks: int,
                 restated: Sequence[Mapping[str, Any]] | None) -> None:
    """Writes the receipt of a report just accepted; one for each file, so that a correction does not replace the first.

    ``restated`` is what the file changes in the one accepted before, None for a first report.
    """
    owed = store.facts(tx, plan.id, at, item=returned.item, period=returned.period, organisation=returned.organisation)[0]
    stem = f"回执_{owed['name']}_{owed['period']}"
    path = folder(plan.id, "receipts", owed["organisation"]) / f"{stem}_{digest[:8]}.txt"
    filled = [*(text for text in returned.texts.values() if text), *(
        figure for figure in returned.figures.values() if figure is not None)]
    words = () if restated is None else tuple(changes_in_words(restated)) or ("签署或联系信息更正",)
    moment = f"{as_instant(plan, at):%Y-%m-%d %H:%M:%S}"
    write_report_receipt(path, ReportReceipt(
        report=owed["name"], campaign_name=plan.name, organisation_name=short_name(plan, owed["organisation"]),
        period_name=period_name(owed["period"]), received=moment, accepted=moment, taken_by=contact(plan).post,
        is_late=is_late(facts_of(owed)), file_sha256=digest, sections_filled=len(filled),
        sections_asked=len(returned.cells), is_disputed=bool(returned.dispute.strip()), remarks=remarks, restated=words))
    documents.record(
        tx, campaign_id=plan.id, kind=f"receipt:{owed['item']}", period=owed["period"], organisation=owed["organisation"],
        path=str(path), sha256=sha256_of(path), made_at=at, rows=len(filled), content_sha256=digest)
