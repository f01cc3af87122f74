"""Self-assessment: units below their targets by the latest register."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.database import transaction
from models.store import findings as store
from tasks.campaign import plan_in_force
from tasks.effect import effect
from tasks.status import progress


@effect("差距分析 shortfalls")
def shortfalls(campaign: str, as_of: datetime) -> dict[str, Any]:
    """Targets not reached by the latest compared month, as ``indicator/unit: current of level``; none before the first
    comparison."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        run = store.latest_run(tx, campaign)
    if run is None:
        return {"assessed": 0, "below": []}
    lines = progress(plan, run["period"])
    below = [f"{line['indicator']}/{line['organisation']}: {line['current']:,.1f} / {line['level']:,}"
             for line in lines if line["reached"] is False]
    return {"assessed": len(lines), "below": below}
