"""What a plan inherits: keys, items by their own key, places in a list, templates, names put in; and every fault with its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison.plan_check import check
from models import plan_file
from models.errors import PlanUnsound
from models.plan_bases import Bases
from models.plan_tree import Tree, composed
from tests.command_line import canbao
from tests.plan.a_plan import a_plan, plan_text

SHARED = ("calendar", "parameters", "categories", "dispositions", "ladders", "retention", "lists", "approval", "guards")


def merged(base: dict[str, Any], own: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What the two make together, and the faults in words."""
    bases = Bases(lambda name, asked_in, spot: composed(json.dumps(base), "base.yaml"))  # type: ignore[arg-type, return-value]
    root = bases.whole(composed(json.dumps({"extends": "base", **own})))  # type: ignore[arg-type]
    values, _ = Tree(root).values()
    return values, [f"{fault.what} {fault.cure}" for fault in bases.faults]


def items(*names: str, **more: Any) -> list[dict[str, Any]]:
    """Items that have an id and nothing else."""
    return [{"id": name, **more} for name in names]


def order(values: dict[str, Any]) -> list[str]:
    """The ids of the list in their order."""
    return [entry["id"] for entry in values["lists"]]


# --- merging --------------------------------------------------------------------------------------------


def test_keys_of_the_plan_win_and_mappings_are_put_together() -> None:
    values, faults = merged({"calendar": {"roll": "none", "source": "a"}, "office": "x"}, {"calendar": {"roll": "next_workday"}, "id": "p"})
    assert values == {"calendar": {"roll": "next_workday", "source": "a"}, "office": "x", "id": "p"}
    assert faults == []


def test_an_item_with_a_known_key_changes_that_one_key_by_key() -> None:
    base = {"lists": [{"id": "a", "name": "甲", "priority": 1}, {"id": "b", "name": "乙", "priority": 2}]}
    values, _ = merged(base, {"lists": [{"id": "b", "priority": 9}]})
    assert values["lists"] == [{"id": "a", "name": "甲", "priority": 1}, {"id": "b", "name": "乙", "priority": 9}]


def test_items_are_added_removed_and_placed() -> None:
    base = {"lists": items("a", "b", "c")}
    assert order(merged(base, {"lists": items("x", "y")})[0]) == ["a", "b", "c", "x", "y"]
    assert order(merged(base, {"lists": [{"id": "b", "remove": True}]})[0]) == ["a", "c"]
    assert order(merged(base, {"lists": [{"id": "x", "after": "a"}, {"id": "y"}]})[0]) == ["a", "x", "y", "b", "c"]
    assert order(merged(base, {"lists": [{"id": "x", "before": "a"}]})[0]) == ["x", "a", "b", "c"]
    assert order(merged(base, {"lists": [{"id": "c", "before": "a"}]})[0]) == ["c", "a", "b"]


def test_an_empty_value_drops_what_was_inherited() -> None:
    assert merged({"lists": [{"id": "a", "note": "n"}], "guards": items("g")}, {"lists": [{"id": "a", "note": None}], "guards": None})[0] == {
        "lists": [{"id": "a"}]}


def test_a_list_without_keys_replaces_the_inherited_one() -> None:
    assert merged({"who": ["a", "b"]}, {"who": ["c"]})[0] == {"who": ["c"]}


def test_an_item_is_like_a_template_or_another_item_and_posts_are_told_apart_by_role() -> None:
    base = {"templates": {"organisations": {"town": {"kind": "township", "contacts": [
        {"role": "clerk", "title": "@{short}经办", "address": "@{code}@example.invalid"}, {"role": "leader", "title": "镇长"}]}}}}
    own = {"organisations": [{"code": "east", "short": "东山", "like": "town", "contacts": [{"role": "leader", "title": "书记"}]},
                             {"code": "west", "short": "西河", "like": "east"}]}
    east, west = merged(base, own)[0]["organisations"]
    assert east["contacts"] == [{"role": "clerk", "title": "东山经办", "address": "east@example.invalid"}, {"role": "leader", "title": "书记"}]
    assert (west["kind"], west["contacts"][0]["title"], west["contacts"][1]["title"]) == ("township", "西河经办", "书记")


@pytest.mark.parametrize(("text", "says"), [
    ("@{region}公安局", "示例县公安局"), ("@{level}公安局", "县公安局"), ("@{year}年", "2025年"), ("@{first_month}", "2025-03"),
    ("@{last_month-1}", "2025-11"), ("@{starts+30}", "2025-03-31"), ("@{ends + 1}", "2026-01-01"), ("{org}", "{org}"), ("a@b", "a@b"),
    ("@{office}", "登记办"),
])
def test_texts_may_use_the_plan_s_names_and_days(text: str, says: str) -> None:
    own = {"region": {"name": "示例县"}, "starts": "2025-03-01", "ends": "2025-12-31", "office": "office",
           "organisations": [{"code": "office", "short": "登记办"}]}
    assert merged({"purpose": text}, own) == ({"purpose": says, **own}, [])


def test_a_base_may_extend_another(tmp_path: Path) -> None:
    plan = a_plan()
    (tmp_path / "one.yaml").write_text(plan_text({key: plan[key] for key in SHARED}), encoding="utf-8")
    (tmp_path / "two.yaml").write_text(plan_text({"extends": "one.yaml", "lists": [{"id": "uninsured", "priority": 77}]}), encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text({"extends": "two.yaml", **{key: value for key, value in plan.items() if key not in SHARED}}), encoding="utf-8")
    assert check(path).faults == []
    loaded = plan_file.read(path)
    assert loaded.plan.lists[0].priority == 77
    rows = {at: spot for at, _, spot in loaded.tree.leaves("lists.uninsured")}
    assert Path(rows["lists.uninsured.priority"].file).name == "two.yaml"
    assert Path(rows["lists.uninsured.name"].file).name == "one.yaml"


def test_a_base_that_changes_changes_the_hash(tmp_path: Path) -> None:
    plan = a_plan()
    base, path = tmp_path / "one.yaml", tmp_path / "plan.yaml"
    base.write_text(plan_text({key: plan[key] for key in SHARED}), encoding="utf-8")
    path.write_text(plan_text({"extends": "one.yaml", **{key: value for key, value in plan.items() if key not in SHARED}}), encoding="utf-8")
    before = plan_file.read(path).sha256
    base.write_text(base.read_text(encoding="utf-8").replace("priority: 10", "priority: 11"), encoding="utf-8")
    assert plan_file.read(path).sha256 != before


# --- properties -----------------------------------------------------------------------------------------

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(base=NAMES, own=NAMES)
def test_adding_keeps_the_order_of_the_base_and_of_the_plan(base: list[str], own: list[str]) -> None:
    found = order(merged({"lists": items(*base)}, {"lists": items(*own)})[0]) if base or own else []
    assert found == base + [name for name in own if name not in base]


@given(base=NAMES, gone=NAMES)
def test_removing_takes_away_exactly_what_is_named_and_tells_of_the_rest(base: list[str], gone: list[str]) -> None:
    values, faults = merged({"lists": items(*base)}, {"lists": [{"id": name, "remove": True} for name in gone]})
    assert order(values) == [name for name in base if name not in gone]
    assert len(faults) == len(set(gone) - set(base))


@given(base=NAMES.filter(lambda names: len(names) > 1), data=st.data())
def test_an_item_stands_where_it_says(base: list[str], data: st.DataObject) -> None:
    moved, beside = data.draw(st.permutations(base))[:2]
    where = data.draw(st.sampled_from(("after", "before")))
    found = order(merged({"lists": items(*base)}, {"lists": [{"id": moved, where: beside}]})[0])
    assert sorted(found) == sorted(base)
    assert found.index(moved) - found.index(beside) == (1 if where == "after" else -1)


# --- faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "told"), [
    ({"lists": [{"id": "uninsuredd", "remove": True}]}, "Did you mean `uninsured`?"),
    ({"lists": [{"id": "x", "after": "uninsurd"}]}, "Did you mean `uninsured`?"),
    ({"organisations": [{"code": "x", "like": "tonw"}], "templates": {"organisations": {"town": {"kind": "township"}}}}, "Did you mean `town`?"),
    ({"organisations": [{"code": "x", "like": "y"}, {"code": "y", "like": "x"}]}, "like itself"),
    ({"purpose": "@{regoin}"}, "there is no `regoin` to put in"),
    ({"purpose": "@{name+3}", "name": "甲"}, "no day and no month"),
])
def test_a_word_that_means_nothing_is_told_with_its_cure(own: dict[str, Any], told: str) -> None:
    _, faults = merged({"lists": items("uninsured"), "region": {"name": "示例县"}}, own)
    assert told in "\n".join(faults)


def test_a_base_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("canbao: 1\nextends: expansoin\n", encoding="utf-8")
    fault = next(fault for fault in check(path).faults if "no base" in fault.what)
    assert "Did you mean `expansion`?" in fault.cure
    assert fault.line == 2


def test_bases_that_extend_each_other_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n", encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text("canbao: 1\nextends: one.yaml\n", encoding="utf-8")
    assert any("extends itself" in fault.what for fault in check(path).faults)


def test_a_fault_in_a_base_names_the_base_s_file_and_line(tmp_path: Path) -> None:
    plan = a_plan()
    text = plan_text({key: plan[key] for key in SHARED}).replace("priority: 10", "priority: 1000")
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text({"extends": "one.yaml", **{key: value for key, value in plan.items() if key not in SHARED}}), encoding="utf-8")
    with pytest.raises(PlanUnsound) as refused:
        plan_file.read(path)
    fault, = refused.value.faults
    assert fault.file.endswith("one.yaml")
    assert "priority: 1000" in text.splitlines()[(fault.line or 0) - 1]


# --- as a user sees it ----------------------------------------------------------------------------------


def test_plan_show_tells_of_each_value_the_file_and_line_that_set_it(tmp_path: Path) -> None:
    done = canbao(tmp_path, "plan", "show", "chengjiang-2021", "lists.uninsured_employer", "--json")
    values = {row["key"]: row for row in json.loads(done.stdout)["values"]}
    for row in values.values():
        file = plan_file.REPOSITORY / (row["file"] if "/" in row["file"] else f"campaigns/chengjiang-2021/{row['file']}")
        assert file.is_file()
    reason = values["lists.uninsured_employer.source"]
    line = (plan_file.REPOSITORY / "campaigns/chengjiang-2021/plan.yaml").read_text(encoding="utf-8").splitlines()[reason["line"] - 1]
    assert "C13" in line
    assert values["lists.uninsured_employer.subject"]["file"] == "campaigns/base/expansion.yaml"


def test_plan_show_knows_what_it_is_asked_for(tmp_path: Path) -> None:
    done = canbao(tmp_path, "plan", "show", "chengjiang-2021", "obligations.montly_report")
    assert done.returncode == 2
    assert "Did you mean monthly_report?" in done.stderr
