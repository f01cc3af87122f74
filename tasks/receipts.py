"""The receipt of one delivery: what came, what became of it, what is to be done. Counts and rules, never a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from expectations.reasons import reason, repair, rule_wording, wording
from models.contract import Contract, for_feed
from models.database import transaction
from models.errors import WrongUse
from models.store import deliveries as store
from tasks.campaign import plan_in_force, short_name


def receipt(campaign: str, delivery: int) -> dict[str, Any]:
    """Everything the record holds about one delivery. Raises WrongUse for one that the campaign does not have."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        row = store.one(tx, campaign, delivery)
        checks = store.checks_of(tx, delivery) if row else []
    if row is None:
        raise WrongUse(f"there is no delivery {delivery}.", where=campaign,
                       cure="`canbao intake` prints the number of each file that it takes in.")
    contract = for_feed(row["feed"], plan.contracts)
    kept = ("feed", "period", "part", "file_name", "sha256", "size_bytes", "rows", "accepted", "quarantined", "duplicate",
            "dropped", "unassigned", "valid_id_share", "verdict", "reason", "corrects", "quality_page", "return_workbook",
            "waived_by", "waived_reason")
    return {
        "delivery": delivery, "campaign": campaign, **{name: row[name] for name in kept},
        "feed_name": contract.name, "provider": row["provider"],
        "provider_name": short_name(plan, row["provider"]) if row["provider"] in plan.by_code else "",
        "received_at": row["received_at"].isoformat(), "in_force": _state(row),
        **_told(row["reasons"], contract),
        "checks": [{"rule": check["rule_id"], "says": rule_wording(check["rule_id"], contract), "passed": check["passed"],
                    "severity": check["severity"], "observed": check["observed"]} for check in checks],
    }


def _told(reasons: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """Counts under what the department calls them."""
    def counted(name: str, says: Callable[[str], str]) -> dict[str, int]:
        return {says(code): count for code, count in reasons.get(name, {}).items()}

    return {
        "repaired": counted("repaired", lambda code: repair(code, contract)),
        "quarantined_for": counted("quarantined", lambda code: reason(code, contract).says),
        "emptied": counted("emptied", lambda code: reason(code, contract).says),
        "dropped_kinds": counted("dropped", lambda code: wording()["dropped"].get(code, code)),
        "unknown_headers": reasons.get("unknown_headers", []), "redeliver_by": reasons.get("redeliver_by"),
    }


def _state(row: Any) -> str:
    """Whether a comparison reads the delivery: ``in force``, ``superseded`` by a later one, or ``returned``."""
    if row["superseded_at"] is not None:
        return "superseded"
    return "returned" if row["verdict"] == "returned" else "in force"
