"""Whatever somebody types into a form of Prefect's, no number of a person is kept there: it is refused before it is stored."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.schema_tools.validation import is_valid

from comparison.plan_check import load_sound
from deployments.listing import listing
from models.plan_file import REPOSITORY
from rules.deadlines import expected, item_periods

NUMBERS = ("53290119900101123X", "532901199001011234", "13987654321", "６２２８４８００１２３４５６７８", "张三53290119900101123X。",
           "532901 19900101 123X", "2021-05 532901199001011234", "chengjiang-532901199001011234", "a53290119900101123x")
ENTRYPOINTS = sorted({entry["entrypoint"] for entry in (*listing()["flows"], *listing()["common"])})


def _schema(entrypoint: str) -> dict[str, Any]:
    file, name = entrypoint.split(":")
    flow = getattr(import_module(file.removesuffix(".py").replace("/", ".")), name)
    assert isinstance(flow, Flow)
    schema: dict[str, Any] = flow.parameters.model_dump(mode="json")
    return schema


def _texts(schema: dict[str, Any]) -> list[str]:
    """The parameters into which words may be typed."""
    def takes_text(said: dict[str, Any]) -> bool:
        if "$ref" in said or "enum" in said or "const" in said or said.get("format") in ("date-time", "uuid"):
            return False
        return said.get("type") == "string" or any(map(takes_text, said.get("anyOf", ()))) or ("items" in said and takes_text(said["items"]))

    return [name for name, said in schema["properties"].items() if takes_text(said)]


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS)
@pytest.mark.parametrize("number", NUMBERS)
def test_no_flow_takes_a_persons_number_for_any_of_its_words(entrypoint: str, number: str) -> None:
    schema = _schema(entrypoint)
    good = {"campaign": "chengjiang-2021", "plan": "chengjiang-2021", "period": "2021-05", "by": "经办岗", "reason": "口径调整", "kind": "feed_late",
            "run_id": 1}
    given = {name: good[name] for name in schema.get("required", ())}
    assert is_valid(given, schema)
    for name in _texts(schema):
        assert not is_valid({**given, name: number}, schema), name


@pytest.mark.parametrize("entrypoint", [entry for entry in ENTRYPOINTS if "period" in _schema(entry)["properties"]])
def test_every_period_of_every_plan_is_taken_where_a_flow_asks_for_one(entrypoint: str) -> None:
    schema = _schema(entrypoint)
    alone = {"type": "object", "properties": {"period": schema["properties"]["period"]}}
    for path in sorted((REPOSITORY / "campaigns").glob("*/plan.yaml")):
        plan = load_sound(str(path)).plan
        labels = {row.period for row in expected(plan) if row.kind == "feed" and row.period[5:].isdigit()}
        if entrypoint.endswith(":bulletin"):
            labels |= {span.label for entry in plan.bulletins for span in item_periods(plan, entry.cadence, entry.due)}
        assert labels
        assert all(is_valid({"period": label}, alone) for label in labels)


@pytest.mark.parametrize("words", ["经办岗", "root", "2021年5月口径调整，影响 12,345 人", "按 2021-05-06 会议纪要第3条重做", ""])
def test_a_reason_may_say_what_reasons_say(words: str) -> None:
    schema = _schema("flows/rerun_comparison.py:rerun_comparison")
    alone = {"type": "object", "properties": {"reason": schema["properties"]["reason"]}}
    assert is_valid({"reason": words}, alone) is (len(words) >= 4)
