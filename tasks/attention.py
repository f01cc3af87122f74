"""What waits for somebody in the office: reports to look at, candidates to decide on, bulletins to correct. Counts and words
of the rules only; nothing of it is decided here (C22, C23)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from models.database import transaction
from models.plan import Plan
from models.store import obligations as obligations_store
from tasks.campaign import short_name
from tasks.correction import outdated
from tasks.report_checks import changes_in_words
from tasks.supervision import candidates


def attention(plan: Plan, as_of: datetime) -> dict[str, Any]:
    """Remarks on accepted reports, reports restated, candidates nobody has decided on, published figures that changed."""
    with transaction() as tx:
        rows = obligations_store.worth_a_look(tx, plan.id, as_of)
        changed = list(outdated(tx, plan))
    waiting = candidates(plan.id, as_of)
    return {
        "remarks": [{**_report(plan, row), "check": remark["check"], "says": remark["what"]}
                    for row in rows for remark in row["remarks"]],
        "restated": [{**_report(plan, row), "received_at": row["received_at"].isoformat(),
                      "changes": changes_in_words(row["changes"])} for row in rows if row["restates"] is not None],
        "candidates": dict(Counter(entry["name"] for entry in waiting)),
        "outdated_bulletins": [{"bulletin": found.entry.id, "period": found.document["period"], "figures": len(found.changed)}
                               for found in changed],
    }


def _report(plan: Plan, row: Any) -> dict[str, Any]:
    return {"organisation": short_name(plan, row["organisation"]), "item": row["item"], "name": row["name"],
            "period": row["period"]}
