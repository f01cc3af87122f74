"""A second city is a plan file and no code: other townships, dates and targets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.plan_file import find, read
from tests.command_line import canbao

pytestmark = pytest.mark.long
TOWNSHIPS = {"fenglu": ("qinghe", "清河镇"), "longjie": ("baita", "白塔镇"), "youshuo": ("shuangqiao", "双桥乡"),
             "haikou": ("nanmen", "南门街道"), "jiucun": ("wulin", "五林乡"), "luju": ("xihu", "西湖街道")}


def _second_city() -> dict[str, Any]:
    """澄江's plan with other names and codes everywhere, a year later, with targets a quarter of the size."""
    source = json.dumps(read(find("chengjiang-2021")).plan.model_dump(mode="json", exclude_none=True), ensure_ascii=False)
    source = re.sub(r"\b202([012])(?=-\d\d)", lambda year: f"202{int(year[1]) + 1}", source)
    source = source.replace("chengjiang-2021", "linhe-2022").replace("澄江", "临河").replace("530481", "530999")
    for code, (other, _) in TOWNSHIPS.items():
        source = re.sub(rf'"{code}"', f'"{other}"', source)
    plan: dict[str, Any] = json.loads(source)
    names = dict(TOWNSHIPS.values())
    for org in plan["organisations"]:
        if org["code"] in names:
            org.update(name=names[org["code"]], short=names[org["code"]], aliases=[names[org["code"]][:2]])
    for target in plan["targets"]:
        if target["indicator"] in ("resident_pension_enrolled", "conversions"):
            for key in ("stated_total", "derived_total"):
                if key in target:
                    target[key] = target[key] // 4
            target["level"] = {code: level // 4 for code, level in target["level"].items()}
    by_id = {target["id"]: target for target in plan["targets"]}
    by_id["resident_enrolled"]["derived_total"] = sum(by_id["resident_enrolled"]["level"].values())
    by_id["conversions_township"]["derived_total"] = sum(by_id["conversions_township"]["level"].values())
    return plan


def test_a_copied_plan_runs_with_no_code_change(tmp_path: Path) -> None:
    path = tmp_path / "linhe" / "plan.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(_second_city(), allow_unicode=True, sort_keys=False), encoding="utf-8")
    checked = canbao(tmp_path / "home", "plan", "check", str(path), "--json")
    assert checked.returncode == 0, checked.stdout
    done = canbao(tmp_path / "home", "rehearse", str(path), "--persons", "2500", "--coarse", "--until", "2022-05-25", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    assert answer["campaign"] == "linhe-2022"
    run = answer["status"]["run"]
    assert sum(category["persons"] for category in run["categories"]) == run["persons"] > 2000
    owners = {owner for entry in answer["status"]["lists"] for owner in entry["owners"]}
    assert {name for _, name in TOWNSHIPS.values()} <= owners
    rosters = [path.name for path in (tmp_path / "home" / "linhe-2022" / "rosters").rglob("*.xlsx")]
    assert any(name.startswith("双桥乡") for name in rosters)
