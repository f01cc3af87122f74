"""What an operator confirms, by name and for a reason: what a department's header means, and that a file that looks
wrong is right. Both are remembered, both are in the audit trail, and the files concerned are judged again at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from models.contract import Contract, for_feed, header_key
from models.database import transaction
from models.errors import CanbaoError, WrongUse
from models.plan import Feed, Plan
from models.store import campaigns, mappings
from models.store import deliveries as store
from rules.actors import is_same, organisations_named
from tasks import accounts, refusals
from tasks.campaign import plan_in_force
from tasks.intake import Arrival, Waiver, judge, mapping_mark
from tasks.originals import kept_original

IGNORE = "-"
"""Stands for the column of a header that is to be left out."""


def save_mapping(
    campaign: str, feed: str, provider: str, header: str, column: str, by: str, reason: str, as_of: datetime
) -> dict[str, Any]:
    """Remembers that a provider's header means a column (``-``: is to be ignored), and judges its returned files anew."""
    plan = plan_in_force(campaign)
    entry, contract = _known(plan, feed, provider), for_feed(feed, plan.contracts)
    key, name = _confirmed(contract, header, column)
    _require(plan, by, reason, f"header mapping saved {feed}/{provider}", as_of)
    with transaction() as tx:
        mappings.save(tx, campaign, feed, provider, key, name, by=by, at=as_of, reason=reason)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="header mapping saved",
                        subject=f"{feed}/{provider}/{header}", count=1, reason=f"{name or 'ignored'}: {reason}")
    return {"feed": feed, "provider": provider, "header": header, "column": name, "judged": _judged_again(plan, entry, provider)}


def forget_mapping(campaign: str, feed: str, provider: str, header: str, by: str, reason: str, as_of: datetime) -> dict[str, Any]:
    """Forgets what was confirmed of a header. Files that were taken with it stay as they are."""
    _require(plan_in_force(campaign), by, reason, f"header mapping forgotten {feed}/{provider}", as_of)
    with transaction() as tx:
        if not mappings.forget(tx, campaign, feed, provider, header_key(header)):
            raise WrongUse(f"nothing is remembered of the header {header!r}.", where=f"{campaign} {feed}/{provider}",
                           cure="`canbao map CAMPAIGN --list` shows what is.")
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="header mapping forgotten",
                        subject=f"{feed}/{provider}/{header}", count=1, reason=reason)
    return {"feed": feed, "provider": provider, "header": header, "column": None, "judged": []}


def listed_mappings(campaign: str, feed: str | None, provider: str | None) -> list[dict[str, Any]]:
    """What is remembered of departments' headers."""
    with transaction() as tx:
        rows = mappings.listed(tx, campaign, feed, provider)
    return [{"feed": row["feed"], "provider": row["provider"], "header": row["header_key"], "column": row["column_name"],
             "by": row["confirmed_by"], "at": row["confirmed_at"].isoformat(), "reason": row["reason"]} for row in rows]


def waive(campaign: str, delivery: int, by: str, reason: str, as_of: datetime) -> dict[str, Any]:
    """Accepts a returned file although some of its checks failed, where these may be waived: it is judged again with
    them as warnings, and whatever else is found still counts. The department was asked first; the reason says what it
    answered."""
    plan = plan_in_force(campaign)
    _require(plan, by, reason, f"delivery waived {delivery}", as_of)
    with transaction() as tx:
        row = store.one(tx, campaign, delivery)
        failed = store.failed_checks(tx, delivery) if row else []
    if row is None or row["verdict"] != "returned" or row["superseded_at"] is not None:
        raise WrongUse(f"delivery {delivery} is no returned file that still stands.", where=campaign,
                       cure="`canbao receipt CAMPAIGN --delivery ID` shows what it is.")
    with refusals.kept(campaign, "delivery waived", f"delivery {delivery}", by, as_of):
        if row["provider"] and (is_same(by, row["provider"]) or row["provider"] in organisations_named(plan, by)):
            raise WrongUse("whoever delivered a file cannot waive what is wrong with it.", where=f"delivery {delivery}",
                           cure="Let a post of the office confirm it.")
    rules = _waivable(plan, row, [check["rule_id"] for check in failed if check["severity"] == "return"])
    waiver = Waiver(rules, by, reason, as_of)
    file = _arrival(plan, row)
    with transaction() as lock:
        store.hold(lock, campaign, row["feed"], row["period"], row["provider"])
        return judge(plan, file, again=row, waiver=waiver)


def _waivable(plan: Plan, row: RowMapping, rules: list[str]) -> tuple[str, ...]:
    """The rules to waive. Raises WrongUse where one of them stands for a fault that nobody can talk away."""
    faults = for_feed(row["feed"], plan.contracts).faults
    waivable = {f"{row['feed']}.{name}" for name, fault in faults.items() if fault.waivable}
    fixed = sorted(set(rules) - waivable)
    if fixed or not rules:
        what = f"cannot be waived: {', '.join(fixed)}." if fixed else "was returned because it could not be read."
        raise WrongUse(f"delivery {row['id']} {what}", where=row["feed"],
                       cure="The department has to mend the file and send it again.")
    return tuple(rules)


def _judged_again(plan: Plan, entry: Feed, provider: str) -> list[dict[str, Any]]:
    """A provider's returned files, judged with what is remembered now. One that cannot be read any more stays as it is."""
    with transaction() as tx:
        rows = store.returned(tx, plan.id, entry.feed, provider)
        mark = mapping_mark(mappings.mapping(tx, plan.id, entry.feed, provider))
    judged = []
    for row in rows:
        if row["reasons"].get("mapping", "") == mark:
            continue
        try:
            file = _arrival(plan, row)
            with transaction() as lock:
                store.hold(lock, plan.id, row["feed"], row["period"], row["provider"])
                judged.append({"file": row["file_name"], **judge(plan, file, again=row)})
        except CanbaoError as fault:
            judged.append({"file": row["file_name"], "verdict": "returned", "reason": str(fault), "new": False})
    return judged


def _arrival(plan: Plan, row: RowMapping) -> Arrival:
    return Arrival(plan.item("feeds", row["feed"]), row["period"], row["provider"] or None,
                   kept_original(plan.id, row["sha256"]), row["file_name"], row["sha256"], row["received_at"])


def _known(plan: Plan, feed: str, provider: str) -> Feed:
    for entry in plan.feeds:
        if entry.feed == feed:
            if provider in plan.by_code:
                return entry
            raise WrongUse(f"the plan has no organisation {provider!r}.", where=plan.id,
                           cure=f"{feed} comes from {', '.join(entry.providers)}.")
    raise WrongUse(f"the plan {plan.id} expects no feed {feed!r}.",
                   cure=f"It expects {', '.join(sorted(entry.feed for entry in plan.feeds))}.")


def _confirmed(contract: Contract, header: str, column: str) -> tuple[str, str]:
    """Header key and column. Raises WrongUse for a header that is nothing or a column that the contract has not."""
    key = header_key(header)
    if not key:
        raise WrongUse("the header is empty.", cure="Give its text as it stands in the file.")
    if column == IGNORE:
        return key, ""
    if column not in contract.columns:
        raise WrongUse(f"{contract.feed} has no column {column!r}.",
                       cure=f"It has {', '.join(contract.columns)}; `{IGNORE}` leaves the header out.")
    return key, column


def _require(plan: Plan, by: str, reason: str, what: str, as_of: datetime) -> None:
    if not by.strip() or not reason.strip():
        raise WrongUse("who confirms it, and why, must be said.", cure="Give --by and --reason.")
    accounts.prove(plan, by, what, as_of, office=True)
