"""Making and sweeping one monthly obligation for every township of China, against the bare SQL statements as the floor.

The plan is 澄江's with its townships replaced by ``organisations`` made-up ones. Bars: making ≤ 30 s, a sweep in which
all are due ≤ 20 s, an idle sweep ≤ 0.5 s (with its look at the campaign board), memory ≤ 1 GB. Drawing the board has no bar: it
is done when something happened, and no reminder waits for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from sqlalchemy import text

from models.database import transaction
from models.plan import Plan
from models.plan_file import find, read
from models.store import campaigns
from tasks import campaign as campaign_tasks
from tasks.board import refresh_board
from tasks.obligations import make_obligations
from tasks.sweep import sweep_obligations

CAMPAIGN = "forty-thousand"
FLOOR_MAKE = """
    CREATE TEMP TABLE floor_obligation (LIKE obligation INCLUDING DEFAULTS INCLUDING INDEXES) ON COMMIT DROP;
    INSERT INTO floor_obligation SELECT * FROM obligation WHERE campaign_id = :campaign
"""
FLOOR_SWEEP = """
    CREATE TEMP TABLE floor_step ON COMMIT DROP AS
    SELECT o.id AS obligation_id, 'overdue' AS step_id, 1 AS occurrence, 'escalation' AS kind, o.due_before AS planned_at,
           CAST(:as_of AS timestamptz) AS recorded_at, 'sent' AS state
    FROM obligation o
    WHERE o.campaign_id = :campaign AND o.due_before <= :as_of AND o.excused_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.obligation_id = o.id AND s.received_at <= :as_of);
    CREATE UNIQUE INDEX ON floor_step (obligation_id, step_id, occurrence)
"""


def plan_of(organisations: int) -> Plan:
    """澄江's plan with one monthly report for so many townships, and nothing else that is owed."""
    plan = read(find("chengjiang-2021")).plan
    stated = plan.model_dump(mode="json", by_alias=True)
    township = next(org for org in stated["organisations"] if org["kind"] == "township")
    made_up = [{**township, "code": f"town{number:05}", "name": f"第{number}镇", "short": f"{number}镇", "aliases": []}
               for number in range(organisations)]
    report = {**next(entry for entry in stated["obligations"] if entry["id"] == "monthly_report"),
              "who": {"kinds": ["township"]},
              "cadence": {"every": "month", "first": "2021-05", "last": "2021-05"}}
    return plan.model_copy(update={
        "id": CAMPAIGN,
        "organisations": (*(org for org in plan.organisations if org.kind != "township"),
                          *(type(plan.organisations[0]).model_validate(org) for org in made_up)),
        "obligations": (type(plan.obligations[0]).model_validate(report),), "feeds": (),
    })


def run(organisations: int = 40_000) -> list[dict[str, Any]]:
    """Measures on this machine; one row per figure with its bar and its floor."""
    zone = ZoneInfo("Asia/Shanghai")
    plan = plan_of(organisations)
    overdue = datetime(2021, 6, 3, 10, tzinfo=zone)
    with transaction() as tx:
        sha256 = hashlib.sha256(json.dumps([plan.id, organisations]).encode()).hexdigest()
        campaigns.store_plan(tx, plan, "made up", sha256, overdue)
    with patch.object(campaign_tasks, "_parsed", lambda campaign, sha256: plan):
        make, made = _timed(lambda: make_obligations.fn(CAMPAIGN, datetime(2021, 5, 1, tzinfo=zone)))
        with transaction() as tx:
            tx.execute(text("ANALYZE obligation"))
        floor_make = _floor(FLOOR_MAKE, {})
        floor_sweep = _floor(FLOOR_SWEEP, {"as_of": overdue})
        full, swept = _timed(lambda: sweep_obligations.fn(CAMPAIGN, overdue))
        drawing, drawn = _timed(lambda: refresh_board.fn(CAMPAIGN, overdue))
        idle, nothing = _timed(lambda: {**sweep_obligations.fn(CAMPAIGN, overdue), **refresh_board.fn(CAMPAIGN, overdue)})
    assert made["made"] == swept["sent"] == organisations, "not every duty was made and swept"
    assert nothing["sent"] == 0, "an idle sweep sent something"
    assert (drawn["drawn"], nothing["drawn"]) == (True, False), "the board was drawn when nothing had happened"
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return [
        _row("making", make, 30.0, floor_make), _row("sweep, all due", full, 20.0, floor_sweep),
        _row("sweep, idle, board", idle, 0.5, None), _row("board drawn", drawing, None, None),
        {"figure": "peak memory, GB", "value": round(peak_gb, 2), "bar": 1.0, "met": peak_gb <= 1.0, "floor": None},
    ]


def _timed(work: Callable[[], Mapping[str, int]]) -> tuple[float, Mapping[str, int]]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _floor(statement: str, values: dict[str, Any]) -> float:
    """The bare statements, rolled back."""
    with transaction() as tx:
        started = time.perf_counter()
        for part in statement.split(";\n"):
            named = {name: value for name, value in {"campaign": CAMPAIGN, **values}.items() if f":{name}" in part}
            tx.execute(text(part), named)
        return time.perf_counter() - started


def _row(figure: str, seconds: float, bar: float | None, floor: float | None) -> dict[str, Any]:
    return {"figure": f"{figure}, s", "value": round(seconds, 2), "bar": bar, "met": bar is None or seconds <= bar,
            "floor": None if floor is None else round(floor, 2)}


def main(arguments: list[str]) -> int:
    """``python -m benchmarks sweep [ORGANISATIONS]``: prints a row per figure, in a record of its own; 1 if a bar is missed."""
    with tempfile.TemporaryDirectory(prefix="canbao-sweep-") as home:
        os.environ["CANBAO_HOME"] = home
        rows = run(int(arguments[0]) if arguments else 40_000)
    for row in rows:
        print(f"{row['figure']:<20}{row['value']:>9}  bar {row['bar'] or '—':>5}  floor {row['floor'] or '—':>6}  "
              f"{'met' if row['met'] else 'NOT MET'}")
    return 0 if all(row["met"] for row in rows) else 1
