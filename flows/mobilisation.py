"""宣传发动: the plan is checked and put in force, and everybody is told what they owe, before anyone reports."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.clock import instant, run_name
from flows.parameters import Place
from flows.summary import publish
from tasks.campaign import keep_phases, store_plan
from tasks.effect import guarded
from tasks.mobilisation import issue_handbook, issue_task_letters
from tasks.obligations import fallen_due, make_obligations
from tasks.reports import issue_forms


@flow(name="mobilisation", description="宣传发动：计划入库、任务分解、手册与报表下发", flow_run_name=run_name("宣传发动"))
@guarded
def mobilisation(plan: Place, as_of: datetime | None = None) -> dict[str, object]:
    """Starts a campaign from its plan, or puts a changed plan in force.

    Args:
        plan: id of a campaign under campaigns/, or the path of a plan file.
        as_of: the instant to act as of; the scheduled time if left empty.
    """
    now = instant(as_of)
    stored = store_plan(plan, now)
    campaign = str(stored["campaign"])
    obligations = {**make_obligations(campaign, now), "fallen_due": fallen_due(campaign, now)}
    phases = keep_phases(campaign, now)
    handbook = issue_handbook(campaign, now)
    letters = issue_task_letters(campaign, now)
    forms = issue_forms(campaign, now)
    result = {**stored, "obligations": obligations, "phases": phases, "handbook": handbook, "letters": letters,
              "forms": forms}
    publish("mobilisation", campaign, "", result)
    return result
