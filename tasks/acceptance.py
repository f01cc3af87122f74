"""Acceptance: results against targets, scores and ranks, candidates for a person to decide (C15, C23)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from documents.acceptance import write_acceptance_annex, write_acceptance_report
from documents.model import (
    AcceptanceContent,
    Candidate,
    CategoryLine,
    ObligationLine,
    OfficialHead,
    ResultLine,
    ResultTable,
    ScoreItem,
    ScoreLine,
)
from models.database import transaction
from models.plan import AcceptanceItem, Plan, Target
from models.store import documents
from models.store import findings as findings_store
from rules.acceptance import Score, candidate_kinds, completion, score
from rules.periods import month
from rules.progress import rank
from tasks.campaign import folder, plan_in_force, short_name, today
from tasks.comparison import latest_run
from tasks.contents import Work, figures_by_period, list_lines, origin, work_done
from tasks.effect import effect
from tasks.mobilisation import basis
from tasks.obligations import punctuality, statuses
from tasks.originals import sha256_of


@effect("编制验收报告 acceptance report")
def draw_up(campaign: str, final: bool, as_of: datetime) -> dict[str, Any]:
    """Draws up the acceptance report with annex, and prepares candidates. The same content is the same report."""
    plan = plan_in_force(campaign)
    run = latest_run(campaign, plan.acceptance.final_period if final else None)
    period = run["period"]
    punctual = {org.code: punctuality([row for row in statuses(campaign, as_of, organisation=org.code)
                                       if row["kind"] == "report"])
                for org in plan.select(plan.acceptance.about)}
    work = work_done(plan)
    scores = {org.code: _score(plan, org.code, period, work, as_of) for org in plan.select(plan.acceptance.about)}
    candidates = _candidates(plan, scores, punctual, period, as_of)
    content = _content(plan, run, final, scores, punctual, candidates, work, as_of)
    place = folder(campaign, "documents", "acceptance")
    stem = f"{plan.name}验收报告{'' if final else '（初评）'}"
    path = place / f"{stem}.docx"
    write_acceptance_report(path, content)
    write_acceptance_annex(place / f"{stem}_附表.xlsx", content)
    with transaction() as tx:
        new = documents.record(
            tx, campaign_id=campaign, kind="acceptance:final" if final else "acceptance:provisional", period=period,
            organisation=plan.office, path=str(path), sha256=sha256_of(path), made_at=as_of, rows=len(scores),
            run_id=run["id"], content_sha256=run["content_sha256"])
    reached = sum(bool(line.reached) for table in content.results for line in table.lines)
    total = sum(line.reached is not None for table in content.results for line in table.lines)
    return {"period": period, "new": new, "organisations": len(scores), "targets": total, "reached": reached,
            "candidates": len(candidates)}


def _score(plan: Plan, code: str, period: str, work: Work, as_of: datetime) -> Score:
    shares = {item.id: _share(plan, item, code, period, work, as_of) for item in plan.acceptance.items}
    return score(plan.acceptance.items, shares)


def _share(plan: Plan, item: AcceptanceItem, code: str, period: str, work: Work,
           as_of: datetime) -> float | str | None:
    """How much of an item a unit earned (0 to 1); None while a person has to judge, "n/a" where it does not apply."""
    if item.judged_by is not None:
        return None
    if item.target is not None:
        target: Target = plan.item("targets", item.target)
        if code not in target.level:
            return "n/a"
        indicator = plan.item("indicators", target.indicator)
        value = figures_by_period(plan).get((indicator.id, code), {}).get(period)
        return completion(value, target.level[code], target.derived_base.get(code, 0), indicator.direction)
    if item.obligation is not None:
        counted = punctuality(statuses(plan.id, as_of, item=item.obligation, organisation=code))
        return counted["on_time"] / counted["expected"] if counted["expected"] else "n/a"
    lines = list_lines(plan, work, owner=code, by="list")
    decided = sum(line.confirmed + line.contradicted for line in lines)
    return sum(line.confirmed for line in lines) / decided if decided else "n/a"


def _candidates(plan: Plan, scores: dict[str, Score], punctual: dict[str, Any], period: str,
                as_of: datetime) -> list[Candidate]:
    found = []
    for code, entry in scores.items():
        counted = punctual[code]
        on_time = counted["on_time"] / counted["expected"] if counted["expected"] else None
        for kind in candidate_kinds(plan.acceptance.candidates, entry.total, on_time, counted["missing"]):
            evidence = (
                f"得分{entry.total:.1f}" if entry.total is not None else "尚无得分",
                f"应报{counted['expected']}次，按时{counted['on_time']}次，迟报{counted['late']}次，未报{counted['missing']}次")
            found.append(Candidate(short_name(plan, code), kind, evidence))
            with transaction() as tx:
                findings_store.propose_candidate(tx, plan.id, code, kind, f"acceptance/{period}",
                                                 {"evidence": list(evidence)}, as_of)
    return found


def _content(plan: Plan, run: dict[str, Any], final: bool, scores: dict[str, Score], punctual: dict[str, Any],
             candidates: list[Candidate], work: Work, as_of: datetime) -> AcceptanceContent:
    day = today(plan, as_of)
    office = plan.organisation(plan.office)
    with transaction() as tx:
        rows = findings_store.categories(tx, run["id"])
    names = {entry.id: entry for entry in plan.categories}
    held = {entry.id: sum(row["persons"] for row in rows if row["category"] == entry.id) for entry in plan.categories}
    places = rank({code: entry.total for code, entry in scores.items()})
    items = {item.id: item for item in plan.acceptance.items}
    lines = [ScoreLine(short_name(plan, code), places[code], entry.total, tuple(
        ScoreItem(items[key].name, items[key].weight, points) for key, points in entry.points.items()))
        for code, entry in scores.items()]
    decider = plan.organisation(plan.acceptance.candidates.decided_by)
    return AcceptanceContent(
        origin=origin(plan, plan.office, run["period"], month(run["period"]).ends, run_id=run["id"], content_sha256=run["content_sha256"]),
        head=OfficialHead(banner=office.name, issuer=office.name, number="",
                          title=f"{plan.name}{'验收报告' if final else '验收初评报告'}",
                          addressees=(decider.name,), issued_on=day),
        basis=basis(plan), provisional=not final, population=run["persons"],
        categories=tuple(CategoryLine(names[key].name, count, names[key].in_scope, names[key].insured)
                         for key, count in held.items()),
        decided_by=decider.name, results=_results(plan, run["period"]), lists=list_lines(plan, work),
        obligations=tuple(ObligationLine(short_name(plan, code), counted["expected"], counted["on_time"],
                                         counted["late"], counted["missing"]) for code, counted in punctual.items()),
        scores=tuple(sorted(lines, key=lambda line: (line.rank is None, line.rank or 0))),
        candidates=tuple(candidates), open_questions=tuple(
            f"{item.name}：由{short_name(plan, item.judged_by)}评定" for item in plan.acceptance.items if item.judged_by),
        annex_name="数据附表")


def _results(plan: Plan, period: str) -> tuple[ResultTable, ...]:
    figures = figures_by_period(plan)
    tables = []
    for target in plan.targets:
        indicator = plan.item("indicators", target.indicator)
        lines = []
        for code, level in target.level.items():
            value = figures.get((indicator.id, code), {}).get(period)
            base = target.derived_base.get(code)
            lines.append(ResultLine(
                organisation=short_name(plan, code), stated=level, result=value, increase=target.increase.get(code),
                reached=None if value is None else value >= level if indicator.direction == "at_least" else value <= level,
                derived_base=base, completion=completion(value, level, base or 0, indicator.direction)))
        tables.append(ResultTable(
            indicator=indicator.name, unit=indicator.unit, measured_on=target.measured_on, lines=tuple(lines),
            stated_total=target.stated_total, derived_total=target.derived_total))
    return tuple(tables)
