"""The four campaigns on their bases: the same campaigns as before, in less than half the lines; and what the bases promise."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from canbao.timetable import calendar_rows
from comparison.plan_check import check
from models.plan import Plan
from models.plan_file import BASES, PLAN_NAME, find, parse, read
from rules.deadlines import expected

CAMPAIGNS = ("bozhou-2018", "chengjiang-2021", "district-registration", "lianyungang-2016")
BEFORE = json.loads((Path(__file__).parent / "before_bases.json").read_text(encoding="utf-8"))
"""Of the plans as each stood in one file, 5,983 lines together."""
LINES_BEFORE = 5_983
LINES_AT_MOST = 2_692


def digests(plan: Plan) -> dict[str, str]:
    """What must stay the same: every date, every duty, who is in which category, on which list and whose, and what is excused."""
    parts: dict[str, Any] = {
        "calendar": calendar_rows(plan),
        "obligations": [str(row) for row in expected(plan)],
        "categories": [(entry.id, entry.name, entry.where, entry.in_scope, entry.insured) for entry in plan.categories],
        "lists": [(entry.id, entry.subject, entry.where, [str(case) for case in entry.owner], [str(case) for case in entry.co_owners],
                   entry.priority, entry.reason, entry.accusing, entry.asks, entry.batch_per_owner) for entry in plan.lists],
        "parameters": sorted((name, str(entry.value), entry.unit) for name, entry in plan.parameters.items()),
        "dispositions": [(entry.code, entry.name, entry.claims, entry.excuses, str(entry.expires)) for entry in plan.dispositions],
        "ladders": [str(entry.steps) for entry in plan.ladders],
        "clauses": sorted(str(entry.source) for section in (plan.lists, plan.categories, plan.obligations, plan.feeds, plan.duties,
                                                             plan.organisations, plan.targets) for entry in section),
    }
    return {name: hashlib.sha256(json.dumps(value, ensure_ascii=False, default=str).encode()).hexdigest()[:16] for name, value in parts.items()}


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_a_campaign_on_its_base_is_the_campaign_it_was(campaign: str) -> None:
    assert digests(read(find(campaign)).plan) == BEFORE[campaign]


def test_the_four_plans_say_it_in_less_than_half_the_lines() -> None:
    lines = {campaign: len(find(campaign).read_text(encoding="utf-8").splitlines()) for campaign in CAMPAIGNS}
    assert sum(lines.values()) <= LINES_AT_MOST < LINES_BEFORE * 0.451, lines


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_what_is_stored_of_a_plan_in_force_needs_no_base(campaign: str) -> None:
    loaded = read(find(campaign))
    assert "extends" not in json.loads(loaded.text)
    assert parse(loaded.text, campaign) == loaded.plan


MINIMAL = """\
canbao: 1
extends: {base}
id: try-2025
name: 示例县2025年全民参保工作
document: {{number: 示政办发〔2025〕1号, title: 示例县全民参保工作方案, issuer: 示例县人民政府办公室, issued: {issued}, source: 全文}}
region: {{code: "530999", name: 示例县}}
starts: {starts}
ends: {ends}
organisations:
  - {{code: east, like: township, name: 东山镇, short: 东山, source: 一}}
  - {{code: west, like: township, name: 西河乡, short: 西河, source: 一}}
targets:
  - {{id: t, indicator: {indicator}, measured_on: {ends}, level: {{gov: 90}}, source: 二}}
"""


@pytest.mark.parametrize(("base", "indicator"), [("expansion", "project_work_injury_rate"), ("registration", "register_complete")])
@pytest.mark.parametrize(("starts", "ends"), [("2024-03-01", "2024-12-31"), ("2025-01-02", "2025-12-31"), ("2023-07-15", "2024-06-30"),
                                               ("2024-10-15", "2026-06-30"), ("2025-03-01", "2025-06-02")])
def test_a_pattern_needs_names_days_and_units_and_is_sound(base: str, indicator: str, starts: str, ends: str, tmp_path: Path) -> None:
    path = tmp_path / PLAN_NAME
    path.write_text(MINIMAL.format(base=base, indicator=indicator, starts=starts, ends=ends, issued=starts), encoding="utf-8")
    report = check(path)
    assert report.faults == []
    assert report.plan is not None
    assert report.plan.organisation("renshe").name == "示例县人力资源和社会保障局"
    assert report.plan.organisation("gongan").short == "县公安局"
    said = report.plan.model_dump_json()
    assert "@{" not in said
    assert not [word for word in ("本市", "本区", "市领导小组", "区领导小组", "澄江") if word in said]


def test_a_base_is_no_campaign_and_says_so() -> None:
    report = check(BASES / "expansion.yaml")
    assert "this is a base" in report.faults[0].what
    assert "extends: expansion" in report.faults[0].cure
