"""Audited exports: the only files outside rosters that hold full numbers. Who, what, why and how many is recorded."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from comparison.evidence import dated
from comparison.exports import findings_of, links_of
from documents.files import write_atomically
from documents.wording import safe_cell
from models.database import transaction
from models.errors import WrongUse
from models.store import campaigns
from models.store import findings as store
from rules.purposes import stated_purpose
from tasks.campaign import actor, plan_in_force
from tasks.comparison import latest_run
from tasks.contents import register_periods
from tasks.originals import sha256_of

FINDINGS = ("list", "subject", "id_number", "name", "category", "owner", "co_owners", "reason", "evidence", "status",
            "first_seen", "last_seen")
LINKS = ("feed", "row_number", "id_number", "name", "person_id", "tier", "score")


def write_csv(out: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table that may hold persons, readable by its owner only."""

    def produce(path: Path) -> None:
        # With a BOM, so that Excel opens it; cells that begin like a formula are escaped (domain.md, 46).
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)

    write_atomically(out, produce)


def export(campaign: str, what: str, subject: str, count: int, out: Path, produce: Callable[[], object], *, purpose: str | None,
           receiver: str, as_of: datetime) -> None:
    """Writes an export that holds persons in full: who takes how many rows of what, for whom and what for is in the audit trail
    before the file is there, its hash after. Raises WrongUse without a purpose; nothing is written then."""
    stated = f"{stated_purpose(purpose, campaign)}; for {receiver.strip() or actor()}"
    with transaction() as tx:
        campaigns.audit(tx, campaign, at=as_of, actor=actor(), action=f"{what} export begun", subject=subject, count=count, reason=stated)
    produce()
    with transaction() as tx:
        campaigns.audit(tx, campaign, at=as_of, actor=actor(), action=f"{what} exported", subject=subject, count=count,
                        reason=f"sha256 {sha256_of(out)}; {stated}")


def export_findings(campaign: str, period: str, out: Path, as_of: datetime, purpose: str | None = None,
                    receiver: str = "") -> dict[str, Any]:
    """Writes the findings of a period's latest run in full and records the export.

    What a finding has become since (status, first and last month it was listed) comes from the record, and for the newest
    period also who leads: disputes are settled there. A month compared anew after later ones has findings that never lived:
    their status is empty. Raises WrongUse if the run's files have been deleted (retention).
    """
    run, newest, plan = latest_run(campaign, period), latest_run(campaign)["period"], plan_in_force(campaign)
    path = Path(run["folder"]) / "findings.parquet"
    if not path.exists():
        raise WrongUse("the run's files have been deleted.", where=str(path.parent), cure="Run the comparison again.")
    with transaction() as tx:
        lives = {(row["list"], row["subject"]): row for row in store.lives(tx, campaign)}
    stands = register_periods(run)

    def row(found: dict[str, Any]) -> list[Any]:
        life = lives.get((found["list"], found["subject"]))
        if life is not None:
            found |= {"status": life["status"], "first_seen": life["first_seen"], "last_seen": life["last_seen"] or newest}
            if period == newest:
                found |= {"owner": life["owner"], "co_owners": life["co_owners"]}
        found |= {"co_owners": ";".join(found["co_owners"]), "evidence": dated(plan, found["evidence"], stands)}
        return [found.get(key, "") for key in FINDINGS]

    rows = [row(found) for found in findings_of(path)]
    export(campaign, "findings", period, len(rows), out, lambda: write_csv(out, FINDINGS, rows), purpose=purpose, receiver=receiver,
           as_of=as_of)
    return {"campaign": campaign, "period": period, "rows": len(rows), "file": str(out)}


def export_links(campaign: str, period: str, out: Path, as_of: datetime, purpose: str | None = None,
                 receiver: str = "") -> dict[str, Any]:
    """Writes which register row was linked to which person and records the export."""
    run = latest_run(campaign, period)
    rows = links_of(Path(run["folder"]))
    export(campaign, "links", period, len(rows), out, lambda: write_csv(out, LINKS, rows), purpose=purpose, receiver=receiver,
           as_of=as_of)
    return {"campaign": campaign, "period": period, "rows": len(rows), "file": str(out)}
