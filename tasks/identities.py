"""The clerical bench: what a run could not decide goes out as a workbook, comes back, and is remembered for good."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from comparison.exports import bench_of
from documents.bench_workbook import BenchPair, read_bench, write_bench
from models.database import transaction
from models.errors import WrongUse
from models.plan import Plan
from models.store import campaigns, identities
from tasks import accounts
from tasks.campaign import plan_in_force, short_name, today
from tasks.comparison import latest_run
from tasks.contents import origin
from tasks.export import export

SEXES = {"M": "男", "F": "女"}


def bench(campaign: str, period: str, out: Path, as_of: datetime, purpose: str | None = None, receiver: str = "") -> dict[str, Any]:
    """Writes what the period's latest run left for a person to decide. An audited export: it holds full numbers.

    Raises WrongUse if there is no run, or its files have been deleted (retention).
    """
    plan, run = plan_in_force(campaign), latest_run(campaign, period)
    folder = Path(run["folder"])
    if not (folder / "identity_candidates.parquet").exists():
        raise WrongUse("the run's files have been deleted.", where=str(folder), cure="Run the comparison again.")
    pairs = tuple(_pair(plan, row) for row in bench_of(folder))
    stands = origin(plan, plan.office, period, today(plan, as_of), run_id=run["id"], content_sha256=run["content_sha256"] or "")
    export(campaign, "identity bench", f"run {run['id']}", len(pairs), out, lambda: write_bench(out, stands, pairs), purpose=purpose,
           receiver=receiver, as_of=as_of)
    questions = len({pair.row_key for pair in pairs})
    return {"campaign": campaign, "period": period, "run": run["id"], "questions": questions, "pairs": len(pairs),
            "file": str(out)}


def decide(campaign: str, file: Path, by: str, as_of: datetime) -> dict[str, Any]:
    """Takes a bench that came back and remembers its answers; the next comparison applies them before anything else.

    ``by`` is the post that decides. Raises FileReturned for a file that is no bench or contradicts itself, WrongUse for
    one of another campaign or an unnamed post.
    """
    plan = plan_in_force(campaign)
    if not by.strip():
        raise WrongUse("a decision has somebody who answers for it.", cure="Give --by with the post that decides.")
    accounts.prove(plan, by, "identities decided", as_of, office=True)
    returned = read_bench(file)
    if returned.campaign != campaign:
        raise WrongUse(f"this bench belongs to the campaign {returned.campaign}.", where=campaign,
                       cure="Name that campaign, or give the right file.")
    decisions = [identities.Decision(it.row_key, it.person_id, it.is_same, it.note) for it in returned.answers]
    with transaction() as tx:
        changed = identities.record(tx, campaign, decisions, period=returned.period, by=by, at=as_of)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="identities decided", subject=returned.period,
                        count=changed, reason="canbao decide")
    return {"campaign": campaign, "period": returned.period, "answers": len(decisions), "changed": changed,
            "same": sum(it.is_same for it in decisions), "undecided": returned.undecided}


def _pair(plan: Plan, row: dict[str, Any]) -> BenchPair:
    feeds = {feed.feed: feed.name for feed in plan.feeds}
    organisations = {org.code for org in plan.organisations}

    def place(code: str | None) -> str:
        return short_name(plan, code) if code in organisations and code else ""

    return BenchPair(
        question=row["question"], row_key=row["row_key"], person_id=row["person_id"],
        where="、".join(feeds.get(feed, feed) for feed in row["feeds"]),
        row_name=row["name"] or "", row_number=row["row_number_told"] or "", row_birth=_day(row["row_birth"]),
        row_township=place(row["row_township"]), person_name=row["person_name"], person_number=row["person_number"] or "",
        person_birth=_day(row["birth_date"]), person_sex=SEXES.get(row["sex"] or "", ""),
        person_place=place(row["township"]) + (row["village"] or ""), person_household=row["household_no"] or "",
        reason=row["reason"], likelihood=row["score"],
    )


def _day(value: Any) -> str:
    return "" if value is None else value.isoformat()
