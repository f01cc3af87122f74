"""prefect.yaml is what the plans say, and Prefect takes it as it stands."""

from __future__ import annotations

import ast
import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from canbao.commands import app
from deployments import listing
from models.errors import WrongUse
from models.plan import Plan
from models.plan_file import read
from tests.plan.whole import whole_text

ROOT = Path(__file__).resolve().parents[2]
PLANS = [read(path).plan for path in sorted((ROOT / "campaigns").glob("*/plan.yaml"))]
ENTRIES = listing.read(ROOT / "prefect.yaml")


def _of(campaign: str) -> list[dict[str, Any]]:
    return [entry for entry in ENTRIES if entry["name"] == campaign]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
def test_the_list_in_the_repository_is_what_the_command_makes_of_the_plan(plan: Plan) -> None:
    assert _of(plan.id) == listing.entries(plan, active=plan.id == "chengjiang-2021")


def test_the_file_is_written_as_the_command_writes_it() -> None:
    assert (ROOT / "prefect.yaml").read_text(encoding="utf-8") == listing.text(ENTRIES)


def test_no_deployment_stands_twice() -> None:
    # Prefect knows a deployment by flow and name: of two, the one that comes last wins in silence.
    places = [(entry["entrypoint"], entry["name"]) for entry in ENTRIES]
    assert len(places) == len(set(places))


def test_runs_that_wait_for_a_form_keep_no_other_from_waiting() -> None:
    assert all("concurrency_limit" not in entry for entry in ENTRIES if entry["entrypoint"] == "flows/approval.py:approve_release")


def test_only_one_campaign_runs_by_itself_out_of_the_box() -> None:
    assert [plan.id for plan in PLANS if listing.is_active(ENTRIES, plan.id)] == ["chengjiang-2021"]


def test_every_flow_there_is_can_be_started_from_the_list() -> None:
    flows = {f"flows/{path.name}:{node.name}" for path in (ROOT / "flows").glob("*.py")
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
             and any(isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "flow" for mark in node.decorator_list)}
    assert {entry["entrypoint"] for entry in ENTRIES} == flows
    assert {flow["entrypoint"] for flow in (*listing.listing()["flows"], *listing.listing()["common"])} == flows


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry['name']}-{entry['entrypoint'].partition(':')[2]}")
def test_every_entry_names_a_flow_that_takes_its_parameters(entry: dict[str, Any]) -> None:
    file, _, name = entry["entrypoint"].partition(":")
    taken = inspect.signature(getattr(import_module(file.removesuffix(".py").replace("/", ".")), name).fn).parameters
    assert set(entry["parameters"]) <= set(taken)
    for cron in entry.get("schedules", ()):
        without_default = {key for key, found in taken.items() if found.default is inspect.Parameter.empty}
        assert without_default <= set(entry["parameters"]), "a schedule asks nobody"
        assert {"slug", "cron", "timezone", "active"} == set(cron)
    slugs = [cron["slug"] for cron in entry.get("schedules", ())]
    assert len(slugs) == len(set(slugs))
    assert entry["work_pool"]["work_queue_name"] in listing.listing()["queues"]


def test_a_flow_has_a_deployment_where_the_plan_has_its_phase() -> None:
    survey = {entry["name"] for entry in ENTRIES if entry["entrypoint"] == "flows/survey.py:survey"}
    assert survey == {plan.id for plan in PLANS if any(phase.kind == "survey" for phase in plan.phases)}


def _of_another_city(folder: Path) -> Path:
    """A plan of a site's own, outside the program."""
    plan = folder / "linhe" / "plan.yaml"
    plan.parent.mkdir()
    source = whole_text("chengjiang-2021")
    plan.write_text(source.replace("id: chengjiang-2021", "id: linhe-2021", 1).replace("day: 15\n", "day: 20\n"), encoding="utf-8")
    return plan


def _done(*arguments: str) -> int:
    return CliRunner().invoke(app, ["deployments", *arguments]).exit_code


def test_what_an_installation_adds_is_laid_over_what_comes_with_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CANBAO_PREFECT_FILE", raising=False)
    shipped, plan = listing.shipped_file().read_bytes(), _of_another_city(tmp_path)
    assert listing.in_force() == ENTRIES
    assert _done(str(plan), "--write") == 0
    found = listing.in_force()
    assert listing.campaigns(found) == [*listing.campaigns(ENTRIES), "linhe-2021"]
    assert [entry for entry in found if entry["name"] != "linhe-2021"] == ENTRIES
    assert _done("bozhou-2018", "--write", "--active") == 0
    assert [listing.is_active(listing.in_force(), name) for name in ("bozhou-2018", "lianyungang-2016", "linhe-2021")] == [True, False, True]
    assert listing.campaigns(listing.in_force()) == listing.campaigns(found), "each stands once and in its place"
    assert _done("bozhou-2018", "--remove") == _done(str(plan), "--remove") == 0
    assert listing.in_force() == ENTRIES
    assert listing.shipped_file().read_bytes() == shipped


def test_what_comes_with_the_program_is_put_to_sleep_and_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    monkeypatch.delenv("CANBAO_PREFECT_FILE", raising=False)
    refused = CliRunner().invoke(app, ["deployments", "chengjiang-2021", "--remove"])
    assert isinstance(refused.exception, WrongUse)
    assert "--inactive" in str(refused.exception)
    assert _done("chengjiang-2021", "--write", "--inactive") == 0
    assert not any(listing.is_active(listing.in_force(), campaign) for campaign in listing.campaigns(ENTRIES))


def test_a_list_that_the_environment_names_is_the_whole_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_PREFECT_FILE", str(tmp_path / "ours.yaml"))
    assert _done("bozhou-2018", "--write") == 0
    assert listing.campaigns(listing.in_force()) == ["bozhou-2018"]


def test_a_new_campaign_gets_its_deployments_from_its_plan_by_one_command(tmp_path: Path) -> None:
    plan = _of_another_city(tmp_path)
    target = tmp_path / "prefect.yaml"
    target.write_text((ROOT / "prefect.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    made = CliRunner().invoke(app, ["deployments", str(plan), "--write", "--file", str(target), "--json"])
    assert made.exit_code == 0, made.output
    found = yaml.safe_load(target.read_text(encoding="utf-8"))["deployments"]
    own = [entry for entry in found if entry["name"] == "linhe-2021"]
    assert own == json.loads(made.stdout)["deployments"]
    assert own[0]["parameters"] == {"plan": str(plan)}
    bulletin = next(entry for entry in own if entry["entrypoint"].endswith(":bulletin"))
    # The 20th; in June it is a Sunday, in September the day before 中秋 (off until the 21st), in November a Saturday.
    assert [cron["cron"] for cron in bulletin["schedules"]] == ["0 17 20 7,8,10,12 *", "0 17 21 6 *", "0 17 22 9,11 *"]
    assert [entry for entry in found if entry["name"] != "linhe-2021"] == ENTRIES
    assert CliRunner().invoke(app, ["deployments", str(plan), "--remove", "--file", str(target)]).exit_code == 0
    assert target.read_text(encoding="utf-8") == (ROOT / "prefect.yaml").read_text(encoding="utf-8")


def test_writing_again_keeps_whether_schedules_run(tmp_path: Path) -> None:
    target = tmp_path / "prefect.yaml"
    for options, runs in ((["--inactive"], False), ([], False), (["--active"], True), ([], True)):
        assert CliRunner().invoke(app, ["deployments", "bozhou-2018", "--write", "--file", str(target), *options]).exit_code == 0
        assert listing.is_active(listing.read(target), "bozhou-2018") is runs
