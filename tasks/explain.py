"""Every printed figure opens: the rule it was counted by, the run, the files, and, as an audited export, its rows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from models.database import transaction
from models.errors import WrongUse
from models.plan import Measure, Plan
from models.store import deliveries as deliveries_store
from models.store import findings as findings_store
from models.store import obligations as obligations_store
from models.words import SUBJECT_KINDS
from tasks.attempts import attempts_at
from tasks.campaign import plan_in_force, short_name
from tasks.obligations import statuses
from tasks.report_checks import changes_in_words


def explain_indicator(campaign: str, indicator: str, organisation: str, period: str) -> dict[str, Any]:
    """A figure of a bulletin: value, rule with its clause, the run, the files read, and what it was before (C22).

    Raises WrongUse where no such figure was ever made, saying which there are.
    """
    plan = plan_in_force(campaign)
    with transaction() as tx:
        rows = findings_store.measurement_history(tx, campaign, indicator, organisation, period)
        if not rows:
            raise WrongUse(f"there is no figure {indicator!r} of {organisation!r} for {period}.", where=campaign,
                           cure=f"Indicators: {', '.join(entry.id for entry in plan.indicators)}.")
        run = findings_store.run(tx, rows[-1]["run_id"])
        assert run is not None
        files = deliveries_store.by_sha256(tx, campaign, _hashes(run["inputs"]))
    entry = plan.item("indicators", indicator)
    latest = rows[-1]
    return {
        "campaign": campaign, "figure": entry.name, "indicator": indicator, "organisation": organisation,
        "organisation_name": short_name(plan, organisation), "period": period, "unit": entry.unit,
        "value": latest["value"], "numerator": latest["numerator"], "denominator": latest["denominator"],
        "rule": {"numerator": _rule(entry.numerator), "denominator": _rule(entry.denominator), "by": entry.by,
                 "source": entry.source},
        "run": {"id": run["id"], "as_of": run["as_of"].isoformat(), "plan_sha256": run["plan_sha256"],
                "inputs_sha256": run["inputs_sha256"], "attempts": attempts_at(campaign, run["id"])},
        "files": [_file(plan, row) for row in files if _is_read(entry.numerator, entry.denominator, row["feed"])],
        "history": [{"run": row["run_id"], "value": row["value"]} for row in rows],
    }


def export_rows(campaign: str, indicator: str, organisation: str, period: str, out: Path, as_of: datetime,
                purpose: str | None = None, receiver: str = "") -> dict[str, Any]:
    """The rows that a figure counts, in full, into a CSV file; who took them, how many and what for is in the audit trail."""
    from comparison.figures import rows_behind
    from tasks.export import export, write_csv

    explained = explain_indicator(campaign, indicator, organisation, period)
    plan = plan_in_force(campaign)
    entry = plan.item("indicators", indicator)
    with transaction() as tx:
        run = findings_store.run(tx, explained["run"]["id"])
    if entry.numerator.statistic is not None:
        raise WrongUse("this figure is a published one: it has no rows of persons.", where=indicator,
                       cure="See the statistics feed's files above.")
    assert run is not None
    rows = rows_behind(plan, Path(run["folder"]), entry.numerator, entry.by, organisation)
    export(campaign, "rows of a figure", f"{indicator}/{organisation}/{period}", len(rows), out,
           lambda: write_csv(out, SUBJECT_KINDS[entry.numerator.of].shown, rows), purpose=purpose, receiver=receiver, as_of=as_of)
    return {**explained, "rows": len(rows), "out": str(out)}


def explain_duty(campaign: str, item: str, organisation: str, period: str, as_of: datetime) -> dict[str, Any]:
    """A late or missing mark: both due dates, what was handed in when, extensions, and every rung of the ladder."""
    plan = plan_in_force(campaign)
    found = statuses(campaign, as_of, item=item, organisation=organisation, period=period)
    if not found:
        raise WrongUse(f"{organisation} owes no {item} for {period}.", where=campaign,
                       cure="`canbao status CAMPAIGN --json` lists what is owed.")
    row = found[0]
    with transaction() as tx:
        steps = [entry for entry in obligations_store.steps_of(tx, campaign, organisation, item) if entry["period"] == period]
        handed_in = obligations_store.submissions_of(tx, row["id"], as_of)
    return {
        "campaign": campaign, "item": item, "name": row["name"], "organisation": organisation,
        "organisation_name": short_name(plan, organisation), "period": period, "as_of": as_of.isoformat(),
        "status": row["status"], "late": row["late"], "nominal_due": row["nominal_due"].isoformat(),
        "effective_due": row["effective_due"].isoformat(), "due_before": row["due_in_force"].isoformat(),
        "excused": row["excuse_reason"], "submissions": [_submission(entry) for entry in handed_in],
        "extensions": row["extensions"],
        "steps": [{"step": entry["step_id"], "occurrence": entry["occurrence"], "state": entry["state"],
                   "planned_at": entry["planned_at"].isoformat(), "recorded_at": entry["recorded_at"].isoformat()}
                  for entry in steps],
    }


def _submission(row: Any) -> dict[str, Any]:
    """What became of one file: why it was sent back, what is remarked on it, and what it corrects in an earlier one (C22)."""
    instants = {name: row[name].isoformat() if row[name] else None for name in ("received_at", "sent_back_at", "accepted_at")}
    return {"id": row["id"], **instants, "sha256": row["sha256"], "restates": row["restates"],
            "changes": changes_in_words(row["changes"]), "remarks": [remark["what"] for remark in row["remarks"]],
            "faults": [fault["what"] for fault in row["faults"].get("cells", ())]}


def _rule(measure: Measure | None) -> dict[str, Any] | None:
    return None if measure is None else measure.model_dump(exclude_none=True)


def _hashes(inputs: dict[str, Any]) -> list[str]:
    return [entry["sha256"] for entries in inputs.values() for entry in entries]


def _is_read(numerator: Measure, denominator: Measure | None, feed: str) -> bool:
    """Published figures come from the statistics feed alone; everything else from the profile, which reads all feeds."""
    published = [measure.statistic is not None for measure in (numerator, denominator) if measure is not None]
    return any(published) if feed == "statistics" else not all(published)


def _file(plan: Plan, row: Any) -> dict[str, Any]:
    return {"feed": row["feed"], "period": row["period"], "provider": short_name(plan, row["provider"]),
            "file": row["file_name"], "sha256": row["sha256"], "received_at": row["received_at"].isoformat(),
            "rows": row["rows"], "accepted": row["accepted"]}
