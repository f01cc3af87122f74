"""Candidates: who is slow is prepared with the evidence, once a period; a person decides, and why is kept (C23, B33)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from models.database import transaction
from models.errors import WrongUse
from models.plan import Plan, Supervision, Target
from models.store import campaigns
from models.store import findings as store
from rules.actors import refuse_decider
from rules.calendar import WorkCalendar
from rules.deadlines import effective_due, item_periods, nominal_due
from rules.periods import Period, month, previous_month
from rules.progress import forecast, rate, time_progress
from rules.supervision import Standing, slow_months
from tasks import accounts, refusals
from tasks.campaign import plan_in_force, short_name, today
from tasks.contents import Figures, figures_in_force, targets_in_force
from tasks.effect import effect

KIND_NAMES = {"commend": "通报表扬", "criticise": "通报批评", "supervision": "逾期未报督办"}
"""The kinds that acceptance and ladders prepare; a plan's supervisions bring their own names."""

PREPARED = "supervision prepared"
"""What the audit trail says of a period that was gone through; it also tells that it was."""


NONE_DUE = {"supervisions": 0, "candidates": 0}


def _none_due(campaign: str, as_of: datetime) -> dict[str, int] | None:
    plan = plan_in_force(campaign)
    if not plan.supervisions:
        return NONE_DUE
    with transaction() as tx:
        return None if _waiting(tx, plan, as_of) else NONE_DUE


@effect("督办建议 supervision", idle=_none_due)
def prepare_supervision(campaign: str, as_of: datetime) -> dict[str, int]:
    """Prepares the candidates of every supervision that is due by now and was not prepared yet; nobody is told.

    A period is gone through once, when it is due and its last month was compared; figures that change later make no new
    candidates for it. Safe at any time.
    """
    plan = plan_in_force(campaign)
    prepared = 0
    with transaction() as tx:
        campaigns.hold(tx, campaign, "supervision")
        waiting = _waiting(tx, plan, as_of)
        if not waiting:
            return NONE_DUE
        figures = figures_in_force(plan)
        for rule, span in waiting:
            found = _slow(plan, rule, span, figures)
            for code, evidence in found.items():
                prepared += store.propose_candidate(tx, campaign, code, rule.kind, f"{rule.id}/{span.label}", evidence, as_of)
            campaigns.audit(tx, campaign, at=as_of, actor="supervision", action=PREPARED,
                            subject=f"{rule.id}/{span.label}", count=len(found), reason=rule.source)
    return {"supervisions": len(waiting), "candidates": prepared}


def _waiting(tx: Connection, plan: Plan, as_of: datetime) -> list[tuple[Supervision, Period]]:
    """What is due by now, was not gone through, and whose last month was compared."""
    due = _due(plan, today(plan, as_of))
    done = campaigns.audited(tx, plan.id, PREPARED) if due else set()
    return [(rule, span) for rule, span in due if f"{rule.id}/{span.label}" not in done
            and store.latest_run(tx, plan.id, f"{span.ends:%Y-%m}") is not None]


def _due(plan: Plan, day: date) -> list[tuple[Supervision, Period]]:
    calendar = WorkCalendar(plan.calendar)
    return [(rule, span) for rule in plan.supervisions for span in item_periods(plan, rule.cadence, rule.due)
            if effective_due(nominal_due(rule.due, span), plan.calendar.roll, calendar) <= day]


def _slow(plan: Plan, rule: Supervision, span: Period, figures: Figures) -> dict[str, dict[str, Any]]:
    """Organisation → evidence: target by target the months in which it was slow."""
    last = f"{span.ends:%Y-%m}"
    targets = [target for target in targets_in_force(plan, span.ends) if not rule.targets or target.id in rule.targets]
    found: dict[str, dict[str, Any]] = {}
    for org in plan.select(rule.about, span.ends):
        evidence = [entry for target in targets if org.code in target.level
                    if (entry := _evidence(plan, rule, target, org.code, last, figures)) is not None]
        if evidence:
            found[org.code] = {"name": rule.name, "period": span.label, "targets": evidence}
    return found


def _evidence(plan: Plan, rule: Supervision, target: Target, code: str, last: str, figures: Figures) -> dict[str, Any] | None:
    labels = [last]
    while len(labels) < rule.months_running:
        labels.insert(0, previous_month(labels[0]))
    slow = slow_months(rule, [standing(plan, target, code, label, figures) for label in labels])
    if not slow:
        return None
    indicator = plan.item("indicators", target.indicator)
    return {"target": target.id, "indicator": indicator.name, "level": target.level[code], "unit": indicator.unit, "months": [
        {"period": entry.period, "completion": entry.completion, "pace": entry.pace, "behind": entry.behind,
         "reaches": entry.reaches, "run": figures.runs.get((indicator.id, code, entry.period)),
         "value": figures.values[indicator.id, code].get(entry.period)} for entry in slow]}


def standing(plan: Plan, target: Target, code: str, period: str, figures: Figures) -> Standing:
    """How a unit stood against a target at the end of a month, from the figures in force."""
    indicator = plan.item("indicators", target.indicator)
    values, ends = figures.values.get((indicator.id, code), {}), month(period).ends
    level, base, current = target.level[code], target.derived_base.get(code, 0), values.get(period)
    is_floor = indicator.direction == "at_least"
    ahead = forecast([(month(label).ends, value) for label, value in values.items() if label <= period], level,
                     target.measured_on, indicator.direction)
    completion = rate(current - base, level - base) if is_floor and current is not None else None
    pace = time_progress(plan.starts, target.measured_on, ends) if is_floor else None
    return Standing(period, completion, pace, None if current is None else ahead.reaches)


# --- deciding -------------------------------------------------------------------------------------------


def candidates(campaign: str, as_of: datetime, *, undecided_only: bool = True) -> list[dict[str, Any]]:
    """The candidates prepared by an instant with their evidence, and what was decided."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        rows = store.candidates(tx, campaign, as_of)
    shown = [_shown(plan, row, as_of) for row in rows]
    return [entry for entry in shown if not undecided_only or entry["decision"] is None]


def _shown(plan: Plan, row: RowMapping, as_of: datetime) -> dict[str, Any]:
    is_decided = row["decided_at"] is not None and row["decided_at"] <= as_of
    return {
        "candidate": row["id"], "kind": row["kind"], "name": kind_name(plan, row["kind"]), "organisation": row["organisation"],
        "organisation_name": short_name(plan, row["organisation"]), "occasion": row["occasion"], "evidence": row["evidence"],
        "prepared_at": row["prepared_at"].isoformat(), "decided_by_post": _decider(plan, row["kind"], row["occasion"]),
        "decision": row["decision"] if is_decided else None, "decided_by": row["decided_by"] if is_decided else None,
        "decided_at": row["decided_at"].isoformat() if is_decided else None, "reason": row["reason"] if is_decided else None,
    }


def kind_name(plan: Plan, kind: str) -> str:
    """What a kind of candidate is called, from the plan where it brings one."""
    return next((rule.name for rule in plan.supervisions if rule.kind == kind), KIND_NAMES.get(kind, kind))


def _decider(plan: Plan, kind: str, occasion: str) -> str:
    """Who decides, by the plan: the supervision's own post, or the one that decides on commendation and criticism."""
    return short_name(plan, _decided_by(plan, kind, occasion))


def _decided_by(plan: Plan, kind: str, occasion: str) -> str:
    rule = next((entry for entry in plan.supervisions if entry.kind == kind and occasion.startswith(f"{entry.id}/")), None)
    return rule.decided_by if rule else plan.acceptance.candidates.decided_by


def decide(campaign: str, candidate: int, *, accept: bool, by: str, reason: str, as_of: datetime) -> dict[str, Any]:
    """Records what a person decided on a candidate, and why. Decided once; nothing follows by itself.

    Raises WrongUse without a decider or reason, for a candidate there is none of, and for one decided already.
    """
    if not (by.strip() and reason.strip()):
        raise WrongUse("a decision needs who decides and why.", cure="Give --by POST and --reason TEXT.")
    plan = plan_in_force(campaign)
    decision = "accepted" if accept else "refused"
    accounts.prove(plan, by, f"candidate decided {candidate}", as_of)
    with refusals.kept(campaign, "candidate decided", f"candidate {candidate}", by, as_of), transaction() as tx:
        waiting = store.candidate(tx, campaign, candidate)
        if waiting is not None:
            refuse_decider(plan, by, _decided_by(plan, waiting["kind"], waiting["occasion"]), f"candidate {candidate}")
        row = store.decide_candidate(tx, campaign, candidate, decision=decision, by=by, reason=reason, at=as_of)
        if row is None:
            raise WrongUse(_why_not(tx, campaign, candidate), where=campaign,
                           cure="`canbao candidates CAMPAIGN` lists those that wait.")
        campaigns.audit(tx, campaign, at=as_of, actor=by, action=f"candidate {decision}", reason=reason, count=1,
                        subject=f"{row['kind']}/{row['organisation']}/{row['occasion']}")
    return {"candidate": candidate, "organisation": row["organisation"], "kind": row["kind"],
            "name": kind_name(plan, row["kind"]), "decision": decision, "decided_by": by}


def _why_not(tx: Connection, campaign: str, candidate: int) -> str:
    row = store.candidate(tx, campaign, candidate)
    return f"there is no candidate {candidate}." if row is None else f"candidate {candidate} was decided: {row['decision']}."
