"""Whether the audit trail is whole, what to do if it is not, and its head, for whoever keeps it somewhere else."""

from __future__ import annotations

from typing import Any

from models.database import transaction
from models.store import audit

CURE = ("Stop the program, keep the database and CANBAO_HOME as they are for whoever looks into it, and compare with the newest backup "
        "whose head was told (`canbao restore` into an empty home, then `canbao audit verify --head …`).")


def look_at_trail(told: str = "") -> dict[str, Any]:
    """How the whole trail stands: every flaw with its row, where it ends, and what to do."""
    with transaction() as tx:
        verdict = audit.verify(tx, told)
    return {"whole": verdict.is_whole, "rows": verdict.rows, "head": verdict.ends_at,
            "flaws": [{"row": flaw.row, "what": flaw.what} for flaw in verdict.flaws], "cure": "" if verdict.is_whole else CURE}


def head_in_words() -> str:
    """Where the trail ends, as it is printed for people who keep it: number of the last row and what proves that one."""
    with transaction() as tx:
        return str(audit.end(tx))
