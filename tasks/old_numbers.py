"""The way in for the police's table of replaced citizen numbers; comparisons ask it in tier 0."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from expectations.old_numbers import read_old_numbers
from models.database import transaction
from models.errors import WrongUse
from models.store import campaigns
from tasks import accounts
from tasks.campaign import folder, plan_in_force
from tasks.decisions import old_numbers_file

COLUMNS = ("old", "new")


def take_old_numbers(campaign: str, file: Path, by: str, as_of: datetime) -> dict[str, Any]:
    """Adds a table of replaced numbers to what the campaign knows; the next comparison links by it.

    The same table twice changes nothing. ``by`` is the post that answers for it. The answer holds counts and line numbers,
    never a number. Raises FileReturned for a file that is no such table, WrongUse for an unnamed post.
    """
    plan = plan_in_force(campaign)
    if not by.strip():
        raise WrongUse("a table of numbers has somebody who answers for it.", cure="Give --by with the post that took it.")
    accounts.prove(plan, by, "old numbers taken", as_of, office=True)
    with transaction() as tx:
        campaigns.hold(tx, campaign, "old numbers")
        known = _known(campaign)
        table = read_old_numbers(file, known)
        added = len(table.replaced) - len(known)
        _write(folder(campaign) / "old_numbers.csv", table.replaced)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="old numbers taken", subject=f"{len(table.replaced)} known",
                        count=added, reason="canbao old-numbers")
    return {"campaign": campaign, "lines": table.lines, "added": added, "known": len(table.replaced),
            "refused": {reason: list(lines) for reason, lines in table.refused.items()}}


def _known(campaign: str) -> dict[str, str]:
    path = old_numbers_file(folder(campaign))
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as text:
        return {row["old"]: row["new"] for row in csv.DictReader(text)}


def _write(path: Path, replaced: Mapping[str, str]) -> None:
    """Sorted, so that the same table is the same file and so the same input of a comparison."""
    draft = path.with_suffix(f".{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows(sorted(replaced.items()))
    os.replace(draft, path)
