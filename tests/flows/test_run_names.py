"""What runs are called: campaign, period, what. A campaign is called by its id, wherever its plan stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect.runtime import flow_run

from flows.clock import run_name
from models.plan_file import find


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The name of a run with these parameters."""
    def name(what: str, **parameters: object) -> str:
        monkeypatch.setitem(flow_run.__dict__, "parameters", parameters)
        return run_name(what)()

    return name


def test_a_run_says_campaign_period_and_what(named: Any) -> None:
    assert named("数据比对", campaign="chengjiang-2021", period="2021-05", by="经办岗") == "chengjiang-2021 2021-05 数据比对"
    assert named("总结验收", campaign="chengjiang-2021", final=True) == "chengjiang-2021 总结验收 终期=True"


@pytest.mark.parametrize("given", ["plan.yaml", "linhe.yml", "."])
def test_a_plan_outside_the_program_is_named_after_its_campaign_and_not_after_its_place(named: Any, tmp_path: Path, given: str) -> None:
    text = find("chengjiang-2021").read_text(encoding="utf-8")
    (tmp_path / ("plan.yaml" if given == "." else given)).write_text(text.replace("id: chengjiang-2021", "id: linhe-2021", 1), encoding="utf-8")
    assert named("宣传发动", plan=str(tmp_path / given)) == "linhe-2021 宣传发动"


def test_a_plan_that_cannot_be_read_has_a_name_all_the_same(named: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("id: [", encoding="utf-8")
    assert named("宣传发动", plan=str(broken)) == "broken.yaml 宣传发动"
    assert named("宣传发动", plan="nowhere") == "nowhere 宣传发动"
    assert named("宣传发动", plan="bozhou-2018") == "bozhou-2018 宣传发动"
