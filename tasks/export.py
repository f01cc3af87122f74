"""Audited exports: the only files outside rosters that hold full numbers. Who, what, why and how many is recorded."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from comparison.exports import links_of
from documents.files import write_atomically
from documents.wording import safe_cell
from models.database import transaction
from models.store import campaigns
from models.store import findings as store
from tasks.campaign import actor
from tasks.comparison import latest_run

FINDINGS = ("list", "subject", "id_number", "name", "category", "owner", "co_owners", "reason", "evidence", "status",
            "first_seen", "last_seen")
LINKS = ("feed", "row_number", "id_number", "name", "person_id", "tier", "score")


def _write(out: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    def produce(path: Path) -> None:
        # With a BOM, so that Excel opens it; cells that begin like a formula are escaped (domain.md, 46).
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)

    write_atomically(out, produce, private=True)


def _audited(campaign: str, period: str, kind: str, count: int, as_of: datetime) -> None:
    with transaction() as tx:
        campaigns.audit(tx, campaign, at=as_of, actor=actor(), action=f"{kind} exported", subject=period, count=count,
                        reason="canbao export")


def export_findings(campaign: str, period: str, out: Path, as_of: datetime) -> dict[str, Any]:
    """Writes a period's findings in full and records the export."""
    latest_run(campaign, period)
    newest = latest_run(campaign)["period"]
    with transaction() as tx:
        rows = store.findings_of_period(tx, campaign, period)

    def cell(row: Any, key: str) -> Any:
        if key == "co_owners":
            return ";".join(row[key])
        return row[key] or newest if key == "last_seen" else row[key]

    _write(out, FINDINGS, ([cell(row, key) for key in FINDINGS] for row in rows))
    _audited(campaign, period, "findings", len(rows), as_of)
    return {"campaign": campaign, "period": period, "rows": len(rows), "file": str(out)}


def export_links(campaign: str, period: str, out: Path, as_of: datetime) -> dict[str, Any]:
    """Writes which register row was linked to which person and records the export."""
    run = latest_run(campaign, period)
    rows = links_of(Path(run["folder"]))
    _write(out, LINKS, rows)
    _audited(campaign, period, "links", len(rows), as_of)
    return {"campaign": campaign, "period": period, "rows": len(rows), "file": str(out)}
