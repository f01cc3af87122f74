"""What a comparison run leaves for people to look at in Prefect: tables of counts. The record made the figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from models.database import transaction
from models.plan import Plan
from models.states import LISTED
from models.store import deliveries
from models.store import findings as store
from rules.periods import period_name
from tasks.campaign import plan_in_force, short_name
from tasks.contents import progress_tables

VERDICTS = {"accepted": "合格", "accepted_with_warnings": "合格，有提示", "returned": "退回"}
Line = dict[str, Any]


@dataclass(frozen=True)
class RunTables:
    """Tables of one run, each a list of lines of the same columns, in Chinese; sums stand first, for a page shows ten lines."""

    campaign: str
    name: str
    period: str
    period_name: str
    run: int
    persons: int
    accounts: list[Line]
    """Rows of every file that was compared: accepted, quarantined, duplicate and dropped add up to the rows."""
    categories: list[Line]
    """Persons of each exclusive category; they add up to the population."""
    lists: list[Line]
    """Findings that are listed now, by list and owner."""
    links: list[Line]
    """Register rows by how they were linked to a person."""
    ranks: list[Line]
    """Places of the units by target in force."""
    by_category: list[tuple[str, int]]
    by_owner: list[tuple[str, int]]


def run_tables(campaign: str, run_id: int) -> RunTables:
    """The tables of a finished run."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        run = store.run(tx, run_id)
        assert run is not None  # it was just recorded
        files = deliveries.by_sha256(tx, campaign, [entry["sha256"] for entries in run["inputs"].values() for entry in entries])
        failed = deliveries.failed_by_delivery(tx, [row["id"] for row in files])
        counted = store.categories(tx, run_id)
        linked = store.links(tx, run_id)
        held = store.counts_by_owner(tx, campaign)
    categories: Counter[str] = Counter()
    for row in counted:
        categories[row["category"]] += row["persons"]
    by_category = [(entry.name, categories[entry.id]) for entry in plan.categories if categories[entry.id]]
    listed: dict[str, Counter[str]] = defaultdict(Counter)
    for row in held:
        if row["status"] in LISTED:
            listed[row["list"]][row["owner"]] += row["findings"]
    owners: Counter[str] = sum(listed.values(), Counter())
    return RunTables(
        campaign=campaign, name=plan.name, period=run["period"], period_name=period_name(run["period"]), run=run_id,
        persons=run["persons"], accounts=_accounts(plan, files, failed), categories=_categories(by_category, run["persons"]),
        lists=_lists(plan, listed), links=_links(plan, linked), ranks=_ranks(plan, run["period"]), by_category=by_category,
        by_owner=[(short_name(plan, owner), count) for owner, count in owners.most_common()])


def _accounts(plan: Plan, files: list[Any], failed: dict[int, int]) -> list[Line]:
    names = _feed_names(plan)
    lines = [{
        "数据": names.get(row["feed"], row["feed"]), "单位": short_name(plan, row["provider"]), "月份": row["period"],
        "行数": row["rows"], "采用": row["accepted"], "隔离": row["quarantined"], "重复": row["duplicate"],
        "剔除": row["dropped"], "证件号有效率": _share(row["valid_id_share"]),
        "质量结论": VERDICTS.get(row["verdict"], row["verdict"]), "未通过检查": failed.get(row["id"], 0),
    } for row in files]
    sums = {name: sum(line[name] for line in lines) for name in ("行数", "采用", "隔离", "重复", "剔除")}
    return [{"数据": "合计", "单位": "", "月份": "", **sums, "证件号有效率": "", "质量结论": "",
             "未通过检查": sum(line["未通过检查"] for line in lines)}, *lines]


def _categories(counted: list[tuple[str, int]], persons: int) -> list[Line]:
    lines = [{"类别": name, "人数": count, "占比": _share(count / persons if persons else None)} for name, count in counted]
    total = sum(count for _, count in counted)
    return [{"类别": "户籍和居住证人口", "人数": persons, "占比": ""}, {"类别": "各类合计", "人数": total, "占比": ""},
            {"类别": "差额（应为 0）", "人数": persons - total, "占比": ""}, *lines]


def _lists(plan: Plan, listed: dict[str, Counter[str]]) -> list[Line]:
    lines = [{"清单": entry.name, "责任单位": short_name(plan, owner), "条数": count}
             for entry in plan.lists for owner, count in listed[entry.id].most_common()]
    return [{"清单": "合计", "责任单位": "", "条数": sum(line["条数"] for line in lines)}, *lines]


def _feed_names(plan: Plan) -> dict[str, str]:
    """What the plan calls its feeds. Contracts, which have names, too, take half a second to read in a fresh process."""
    return {feed.feed: feed.name for feed in plan.feeds}


def _links(plan: Plan, rows: list[Any]) -> list[Line]:
    names = _feed_names(plan)
    by_feed: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        by_feed[row["feed"]][row["tier"]] = row["rows"]
    tiers = sorted({row["tier"] for row in rows})
    return [{"数据": _link_name(feed, names), **{tier: counts.get(tier, 0) for tier in tiers}, "合计": sum(counts.values())}
            for feed, counts in sorted(by_feed.items())]


def _link_name(feed: str, names: dict[str, str]) -> str:
    """What was linked: a register, or the employers that one names."""
    register, _, part = feed.partition(":")
    return f"{names.get(register, register)}{'（单位）' if part else ''}"


def _ranks(plan: Plan, period: str) -> list[Line]:
    return [{"指标": table.indicator, "名次": line.rank or "", "单位": line.label, "目标": line.target, "现状": line.current,
             "完成率": _share(line.completion), "序时进度": _share(line.pace)}
            for table in progress_tables(plan, period) for line in table.lines]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
