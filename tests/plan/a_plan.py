"""A small plan in which everything happens once: two townships, two departments, and one item of each section.

A plain dict as YAML would give it, made anew on each call, so that a test may break exactly one thing in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

RETAINED = ("originals", "snapshots", "quarantine", "findings", "rosters", "submissions", "messages", "audit")


def a_plan(**overrides: Any) -> dict[str, Any]:
    """A sound plan; ``overrides`` replace whole top-level keys, and a value of None leaves the key out."""
    plan: dict[str, Any] = {
        "canbao": 1,
        "id": "small-2021",
        "name": "示例县全民参保专项行动",
        "document": {
            "number": "示政办发〔2021〕1号", "title": "示例县全民参保专项行动方案", "issuer": "示例县人民政府办公室",
            "issued": "2021-04-20", "source": "C12",
        },
        "region": {"code": "530999", "name": "示例县"},
        "starts": "2021-04-01",
        "ends": "2021-12-31",
        "office": "office",
        "owner_of_last_resort": "office",
        "purpose": "比对参保情况，找出应参保未参保的人员，督促其参保缴费。",
        "calendar": {"roll": "next_workday", "source": "C20"},
        "parameters": {
            "interruption_months": {"value": 3, "unit": "month", "source": "C13 (choice: three months)"},
            "pension_min_age_years": {"value": 16, "unit": "year", "source": "C16"},
        },
        "organisations": _organisations(),
        "phases": _phases(),
        "indicators": _indicators(),
        "targets": [{
            "id": "insured_total", "indicator": "insured", "measured_on": "2021-12-31",
            "level": {"east": 600, "west": 400}, "increase": {"east": 100}, "derived_base": {"east": 500},
            "stated_total": 1000, "derived_total": 1000, "source": "C8",
        }],
        "feeds": [{
            "feed": "population", "name": "户籍人口", "providers": ["gongan"], "cadence": _every_month(),
            "due": {"days_after_end": 0}, "ladder": "reports", "source": "C16",
        }],
        "categories": _categories(),
        "lists": [{
            "id": "uninsured", "name": "未参保人员", "subject": "person", "where": "category = 'uninsured'",
            "owner": [{"when": "is_hardship", "org": "renshe"}, {"column": "township"}],
            "co_owners": [{"when": "is_student", "org": "renshe"}], "priority": 10, "reason": "应参保未参保",
            "closes_when": "任一养老保险正常缴费", "source": "C13",
        }],
        "dispositions": [
            {"code": "enrolled", "name": "已参保", "claims": True, "source": "B15"},
            {"code": "deceased", "name": "死亡", "excuses": True, "source": "B15"},
            {"code": "not_found", "name": "联系不上", "needs_note": True, "source": "B15"},
        ],
        "ledgers": [{"id": "hardship_ledger", "name": "未参保台账", "lists": ["uninsured"], "source": "B14"}],
        "obligations": _obligations(),
        "ladders": [_ladder()],
        "bulletins": [{
            "id": "monthly_bulletin", "name": "工作通报", "number_pattern": "〔{year}〕{n}号",
            "cadence": _every_month(), "due": {"day": 10}, "about": {"kinds": ["township", "department"]},
            "to": {"kinds": ["township"]}, "indicators": ["insured"], "obligations": ["monthly_report"],
            "source": "C19",
        }],
        "duties": [{
            "id": "launch", "who": {"codes": ["office"]}, "what": "召开动员会", "by": "2021-04-30",
            "phase": "launch", "source": "C12",
        }],
        "acceptance": _acceptance(),
        "approval": {"prepared_by": "office", "approved_by": "office", "expires_days": 7, "source": "C22"},
        "guards": [{"list": "uninsured", "max_share_of_population": 0.4, "source": "C22"}],
        "retention": [
            {"what": what, "keep_days": 365, "source": "L20"}
            for what in RETAINED
        ],
        "not_built": [{"source": "B41", "note": "no biometrics, no trajectories"}],
    }
    plan.update(overrides)
    return {key: value for key, value in plan.items() if value is not None}


def plan_text(plan: dict[str, Any]) -> str:
    """The plan as YAML, without aliases and in its own order."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(plan, Dumper=Plain, allow_unicode=True, sort_keys=False)


def plan_file(folder: Path, plan: dict[str, Any]) -> Path:
    """The plan as a file in ``folder``."""
    path = folder / "plan.yaml"
    path.write_text(plan_text(plan), encoding="utf-8")
    return path


def _every_month() -> dict[str, Any]:
    return {"every": "month", "first": "2021-05", "last": "2021-11"}


def _contacts(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "title": f"岗位 {role}", "address": f"{role}@example.invalid"} for role in roles]


def _organisations() -> list[dict[str, Any]]:
    return [
        {"code": "gov", "name": "示例县人民政府", "short": "县政府", "kind": "government",
         "contacts": _contacts("leader"), "source": "C12"},
        {"code": "office", "name": "示例县扩面办公室", "short": "扩面办", "kind": "office", "parent": "gov",
         "contacts": _contacts("clerk", "leader", "approver"), "source": "C15"},
        {"code": "renshe", "name": "示例县人力资源和社会保障局", "short": "人社局", "kind": "department",
         "parent": "gov", "contacts": _contacts("clerk", "leader"), "source": "C16"},
        {"code": "gongan", "name": "示例县公安局", "short": "公安局", "kind": "department", "parent": "gov",
         "contacts": _contacts("clerk", "leader"), "source": "C16"},
        {"code": "east", "name": "东山镇", "short": "东山", "kind": "township", "parent": "gov",
         "aliases": ["东山公社"], "region_code": "530999100", "contacts": _contacts("clerk", "leader"), "source": "C8"},
        {"code": "west", "name": "西河乡", "short": "西河", "kind": "township", "parent": "gov",
         "contacts": _contacts("clerk", "leader"), "source": "C8"},
    ]


def _phases() -> list[dict[str, Any]]:
    return [
        {"id": "launch", "kind": "mobilisation", "name": "宣传发动", "starts": "2021-04-01", "ends": "2021-04-30",
         "source": "C12"},
        {"id": "compare", "kind": "comparison", "name": "数据比对", "starts": "2021-05-01", "ends": "2021-09-30",
         "steps": [{"id": "first_lists", "name": "首批清单", "starts": "2021-05-01", "ends": "2021-06-30",
                    "source": "C13"}], "source": "C13"},
        {"id": "trial", "kind": "pilot", "name": "试点", "starts": "2021-05-01", "ends": "2021-05-31",
         "pilots": ["east"], "source": "L9"},
        {"id": "accept", "kind": "acceptance", "name": "总结验收", "starts": "2021-10-01", "ends": "2021-12-31",
         "source": "C15"},
    ]


def _indicators() -> list[dict[str, Any]]:
    return [
        {"id": "insured", "name": "参保人数", "unit": "person", "numerator": {"where": "any_pension_active"},
         "source": "C8"},
        {"id": "insured_share", "name": "参保率", "unit": "percent", "numerator": {"where": "any_pension_active"},
         "denominator": {"where": "category <> 'out_of_scope'"}, "source": "B1"},
        {"id": "paid", "name": "人均缴费", "unit": "yuan_per_year",
         "numerator": {"where": "resident_pension_active", "sum": "resident_pension_paid_yuan"},
         "denominator": {"where": "resident_pension_active"}, "source": "C6"},
    ]


def _categories() -> list[dict[str, Any]]:
    return [
        {"id": "out_of_scope", "name": "范围外", "in_scope": False, "source": "C13",
         "where": "is_deceased OR is_gone OR age_years < $pension_min_age_years"},
        {"id": "insured", "name": "正常参保", "insured": True, "where": "any_pension_active", "source": "C13"},
        {"id": "interrupted", "name": "中断缴费", "where": "pension_months_unpaid >= $interruption_months",
         "source": "C13"},
        {"id": "uninsured", "name": "未参保", "where": "true", "source": "C13"},
    ]


def _obligations() -> list[dict[str, Any]]:
    return [
        {"id": "monthly_report", "name": "月报", "form": "monthly_report", "who": {"kinds": ["township", "department"]},
         "to": "office", "cadence": _every_month(), "due": {"day": 2}, "ladder": "reports", "phase": "compare",
         "content": [{"id": "progress", "name": "进展"}, {"id": "problems", "name": "存在问题"}], "source": "C20"},
        {"id": "summary", "name": "总结", "form": "summary", "who": {"kinds": ["township"]}, "to": "office",
         "cadence": {"every": "once"}, "due": {"date": "2021-12-05"}, "phase": "accept", "source": "C15"},
    ]


def _ladder() -> dict[str, Any]:
    words = {"subject": "{report}（{period}）", "body": "{org}：{report}（{period}）请于{due}前报送。"}
    return {
        "id": "reports", "name": "催报", "source": "C19",
        "steps": [
            {"id": "remind", "name": "提醒", "offset_working_days": -2, "at": "09:00", "kind": "reminder",
             "to": [{"org": "self"}], "wording": words},
            {"id": "urge", "name": "催报", "offset_working_days": 1, "at": "09:00", "kind": "escalation",
             "to": [{"org": "self", "role": "leader"}, {"org": "parent", "role": "leader"}], "wording": words,
             "repeat_every_working_days": 2, "repeat_times": 2},
            {"id": "case", "name": "督办建议", "offset_working_days": 8, "at": "09:00", "kind": "candidate",
             "to": [{"org": "to", "role": "leader"}], "wording": words},
        ],
    }


def _acceptance() -> dict[str, Any]:
    return {
        "provisional_on": "2021-12-10", "final_on": "2021-12-31", "final_period": "2021-11",
        "about": {"kinds": ["township"]}, "source": "C15",
        "items": [
            {"id": "target", "name": "目标完成", "weight": 60, "target": "insured_total", "source": "C8"},
            {"id": "punctual", "name": "按时报送", "weight": 20, "obligation": "monthly_report", "source": "C20"},
            {"id": "judged", "name": "工作机制", "weight": 20, "judged_by": "office", "source": "C21"},
        ],
        "candidates": {
            "commend_score_at_least": 90, "commend_on_time_share_at_least": 0.9, "criticise_score_below": 60,
            "criticise_missing_reports_at_least": 2, "decided_by": "gov", "source": "C23",
        },
    }
