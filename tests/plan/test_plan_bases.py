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
from tests.campaigns.test_bases import MINIMAL
from tests.campaigns.test_files_touched import VETERANS, _written
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


def test_an_empty_list_leaves_nothing_of_the_inherited_one() -> None:
    assert merged({"guards": items("g"), "lists": items("a")}, {"guards": []})[0] == {"guards": [], "lists": items("a")}


def test_an_item_taken_away_may_be_written_anew() -> None:
    base = {"lists": [{"id": "a", "name": "甲", "priority": 1}, {"id": "b"}]}
    values, faults = merged(base, {"lists": [{"id": "a", "remove": True}, {"id": "a", "name": "乙", "before": "b"}]})
    assert (values["lists"], faults) == ([{"id": "a", "name": "乙"}, {"id": "b"}], [])


def test_a_key_that_stands_twice_in_the_plan_is_told_also_where_it_is_inherited() -> None:
    for stated in ("calendar: {roll: none}", "calendar: ~"):
        bases = Bases(lambda name, asked_in, spot: composed("calendar: {roll: none}\n", "base.yaml"))  # type: ignore[arg-type, return-value]
        root = bases.whole(composed(f"extends: base\n{stated}\ncalendar: {{roll: next_workday}}\n"))  # type: ignore[arg-type]
        _, faults = Tree(root).values()
        assert ["given twice" in fault.what for fault in faults] == [True]


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
    ("@{office}", "登记办"), ("@{year+1}年度", "2026年度"), ("@{name}", "示例县登记工作"), ("@{title}", "关于2025年示例县登记工作的通知"),
])
def test_texts_may_use_the_plan_s_names_and_days(text: str, says: str) -> None:
    own = {"region": {"name": "示例县"}, "starts": "2025-03-01", "ends": "2025-12-31", "office": "office",
           "name": "@{region}登记工作", "document": {"title": "关于@{year}年@{name}的通知"},
           "organisations": [{"code": "office", "short": "登记办"}]}
    values, faults = merged({"purpose": text}, own)
    assert (values["purpose"], values["name"], values["document"]["title"]) == (says, "示例县登记工作", "关于2025年示例县登记工作的通知")
    assert faults == []


def test_an_item_s_own_names_stand_above_the_plan_s_and_ask_for_the_plan_s_themselves() -> None:
    own = {"name": "登记工作", "region": {"name": "示例县"}, "office": "office", "organisations": [
        {"code": "office", "name": "@{name}办公室", "short": "@{level}登记办", "responsibility": "@{name}，@{short}，@{code}"}]}
    values, faults = merged({"purpose": "报@{office}"}, own)
    assert values["organisations"] == [
        {"code": "office", "name": "登记工作办公室", "short": "县登记办", "responsibility": "登记工作办公室，县登记办，office"}]
    assert (values["purpose"], faults) == ("报县登记办", [])


def test_a_contract_beside_a_plan_may_use_its_names_and_the_record_is_read_again(tmp_path: Path) -> None:
    path = _written(tmp_path, VETERANS.replace("source: B40 退役军人事务局", 'source: "@{region}退役军人事务局"'))
    loaded = plan_file.read(path)
    assert loaded.plan.contracts[-1].source == f"{loaded.plan.region.name}退役军人事务局"
    assert plan_file.parse(loaded.text, "x") == loaded.plan
    (tmp_path / "feeds" / "veterans.yaml").write_text(VETERANS.replace("served in the forces", "'@{1}'"), encoding="utf-8")
    fault, = check(path).faults
    assert (fault.file, "no `1` to put in" in fault.what) == ("feeds/veterans.yaml", True)


@pytest.mark.parametrize(("region", "level"), [("示例市", "市"), ("示例自治县", "县"), ("东山街道", "街道"), ("河西社区", "社区")])
def test_a_level_is_what_the_region_calls_itself(region: str, level: str) -> None:
    assert merged({"purpose": "本@{level}"}, {"region": {"name": region}})[0]["purpose"] == f"本{level}"


@pytest.mark.parametrize("written", ['"\\u0040{region}"', '"\\x40{region}"', '"@\\x7bregion}"', '"@\\\n  {region}"', '"@{region}"'])
def test_a_name_is_put_in_however_its_mark_is_written(written: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text({**a_plan(), "purpose": "HERE"}).replace("HERE", written), encoding="utf-8")
    loaded = plan_file.read(path)
    assert loaded.plan.purpose == loaded.plan.region.name
    assert plan_file.parse(loaded.text, "x") == loaded.plan


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
    found = order(merged({"lists": items(*base)}, {"lists": items(*own)})[0])
    assert found == (base + [name for name in own if name not in base] if own else [])


@given(base=NAMES, gone=NAMES.filter(bool))
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


@given(base=st.lists(st.sampled_from("abcd"), unique=True, min_size=1), own=st.lists(st.tuples(
    st.sampled_from("abcdef"), st.sampled_from(("", "after", "before", "remove")), st.sampled_from("abcdef")), max_size=8))
def test_whatever_is_written_what_nobody_took_away_stands_once_and_untold_words_are_told(base: list[str], own: list[tuple[str, str, str]]) -> None:
    written = [{"id": name, **({word: True if word == "remove" else beside} if word else {})} for name, word, beside in own]
    values, faults = merged({"lists": items(*base)}, {"lists": written or items(*base)})
    there, unknown = set(base), 0
    for name, word, beside in own:
        unknown += (name not in there) if word == "remove" else word != "" and (beside not in there or (beside == name))
        there = there - {name} if word == "remove" else there | {name}
    assert set(order(values)) == there
    if len({name for name, _, _ in own}) == len(own):
        assert len(order(values)) == len(there)
        assert len(faults) == unknown


# --- hostile --------------------------------------------------------------------------------------------


def test_a_long_chain_of_likes_is_put_together_and_so_are_thirty_thousand_units() -> None:
    chain = [{"code": f"u{number}", "like": f"u{number + 1}"} for number in range(3_000)] + [{"code": "u3000", "kind": "village"}]
    values, faults = merged({}, {"organisations": chain})
    assert faults == []
    assert {entry["kind"] for entry in values["organisations"]} == {"village"}
    many = [{"id": f"x{number}", "after": "a"} for number in range(30_000)]
    assert order(merged({"lists": items("a", "b")}, {"lists": many})[0])[:2] == ["a", "x29999"]


@pytest.mark.parametrize("own", [
    {"templates": {"lists": {"t": {"name": "甲", "who": ["aaaa"] * 20_000}}}, "lists": [{"id": f"x{n}", "like": "t"} for n in range(1_000)]},
    {"lists": [{"id": f"x{n}", "like": f"x{n + 1}", f"k{n}": 1} for n in range(6_000)] + items("x6000")},
    {"name": "长" * 100_000, "lists": items(*(f"x{n}" for n in range(500)), note="@{title}"), "document": {"title": "@{name}@{name}"}},
])
def test_a_small_file_does_not_become_a_huge_plan(own: dict[str, Any]) -> None:
    _, faults = merged({}, own)
    assert any("larger than any plan" in fault for fault in faults)


@pytest.mark.parametrize("stated", ["../base/expansion", "/etc/passwd", "..", "''", "[expansion]", "", "{a: b}", '"a\\0.yaml"', "长" * 400 + ".yaml"])
def test_what_names_no_base_is_told_alone_with_its_line(stated: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(f"canbao: 1\nextends: {stated}\n", encoding="utf-8")
    fault, = check(path).faults
    assert (fault.where, fault.line, fault.file) == ("extends", 2, "")
    assert fault.cure


@pytest.mark.parametrize(("content", "line", "told"), [
    (b"", 1, "empty"), (b"a: 1\nb: \xff\n", 2, "UTF-8"), (b"a: 1\nb: [\n", 2, "YAML"), (b"- a\n", 1, "keys")])
def test_a_base_that_cannot_be_read_is_told_with_its_own_file_and_line(content: bytes, line: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(content)
    (tmp_path / "plan.yaml").write_text("canbao: 1\nextends: b.yaml\n", encoding="utf-8")
    fault, = check(tmp_path / "plan.yaml").faults
    assert Path(fault.file).name == "b.yaml"
    assert (fault.line, told in fault.what) == (line, True)


def test_bases_of_one_name_in_several_folders_are_no_circle_and_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b" / "b").mkdir(parents=True)
    (tmp_path / "plan.yaml").write_text("canbao: 1\nextends: b/b.yaml\n", encoding="utf-8")
    (tmp_path / "b" / "b.yaml").write_text("extends: b/b.yaml\n", encoding="utf-8")
    (tmp_path / "b" / "b" / "b.yaml").write_text("extends: expansion\n", encoding="utf-8")
    monkeypatch.setattr(plan_file, "REPOSITORY", tmp_path)
    monkeypatch.chdir("/")
    assert not any(fault.where == "extends" for fault in check(tmp_path / "plan.yaml").faults)


def test_a_tower_of_bases_is_refused(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"b{number}.yaml").write_text(f"extends: b{number + 1}.yaml\n", encoding="utf-8")
    (tmp_path / "plan.yaml").write_text("canbao: 1\nextends: b0.yaml\n", encoding="utf-8")
    fault, = check(tmp_path / "plan.yaml").faults
    assert "bases stand one on another" in fault.what


# --- faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "told"), [
    ({"lists": [{"id": "uninsuredd", "remove": True}]}, "Did you mean `uninsured`?"),
    ({"lists": [{"id": "x", "after": "uninsurd"}]}, "Did you mean `uninsured`?"),
    ({"organisations": [{"code": "x", "like": "tonw"}], "templates": {"organisations": {"town": {"kind": "township"}}}}, "Did you mean `town`?"),
    ({"organisations": [{"code": "x", "like": "y"}, {"code": "y", "like": "x"}]}, "like itself"),
    ({"purpose": "@{regoin}"}, "there is no `regoin` to put in"),
    ({"purpose": "@{name+3}", "name": "甲"}, "no day and no month"),
    ({"purpose": "@{ends+2}", "ends": "9999-12-31"}, "outside the calendar"),
    ({"purpose": "@{first_month-2}", "starts": "0001-01-01"}, "outside the calendar"),
    ({"name": "@{title}", "document": {"title": "@{name}"}}, "asks for itself"),
    ({"lists": [{"id": "uninsured", "remove": False}]}, "with `true` alone"),
    ({"lists": [{"id": "uninsured", "remove": "yes"}]}, "with `true` alone"),
    ({"lists": [{"id": "uninsured", "remove": True, "priority": 3}]}, "yet more is said"),
    ({"lists": [{"id": "x", "after": "uninsured", "before": "uninsured"}]}, "both after one and before another"),
    ({"lists": [{"id": "x", "after": ["uninsured"]}]}, "names no item"),
    ({"lists": [{"id": "x", "like": ["uninsured"]}]}, "to be like"),
    ({"templates": {"organisation": {"t": {"kind": "township"}}}}, "Did you mean `organisations`?"),
    ({"templates": {"organisations": {"t": "township"}}}, "a name each"),
    ({"templates": ["t"]}, "by section and name"),
    ({"purpose": "@{region"}, "closed by"),
    ({"purpose": "@{{region}}"}, "closed by"),
    ({"lists": [{"id": "x", "note": "@{}"}]}, "to put in"),
])
def test_a_word_that_means_nothing_is_told_with_its_cure(own: dict[str, Any], told: str) -> None:
    _, faults = merged({"lists": items("uninsured"), "region": {"name": "示例县"}}, own)
    assert told in "\n".join(faults)


@pytest.mark.parametrize("written", [
    "templates: {? [a] : {b: {c: d}}}", "templates: {lists: {? [z] : {c: d}}}", "? [a]\n: b", "lists: [{id: uninsured, ? [a] : c}]",
    "lists: [{id: uninsured, like: t, ? [a] : c}]\ntemplates: {lists: {t: {name: a}}}", "lists: [{id: [a], remove: true}]", "lists: [[a], b]",
    "lists: {? [a] : b}", "office: [a]\npurpose: '@{office}'", "lists: [{like: t}]\ntemplates: {lists: {t: ~}}", "extends: base",
    "lists: [{id: a, name: {b: '@{id}'}}]", "name: {a: '@{name}'}", "starts: [a]\npurpose: '@{starts+1}'",
])
def test_odd_yaml_is_told_and_stops_nothing(written: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(f"canbao: 1\nextends: expansion\n{written}\n", encoding="utf-8")
    assert check(tmp_path / "plan.yaml").faults


def test_a_word_that_may_be_a_person_s_is_not_repeated() -> None:
    _, faults = merged({"lists": items("uninsured")}, {"purpose": "@{王小明530102199001011234}", "lists": [{"id": "王小明", "remove": True}]})
    assert "王小明" not in "".join(faults)
    assert "5301" not in "".join(faults)


def test_what_the_plan_does_not_say_is_told_once_and_not_for_each_text_that_asks() -> None:
    base = {"purpose": "@{region}", "lists": items("a", "b", name="@{level}@{region}@{region_code}", since="@{starts+3}@{first_month}")}
    _, faults = merged(base, {"starts": "2025-13-01"})
    assert len(faults) == 2


def test_keys_that_contradict_each_other_say_which_are_inherited(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("canbao: 1\nextends: expansion\nobligations:\n  - {id: monthly_report, due: {days_after_end: 3}}\n", encoding="utf-8")
    fault, = (fault for fault in check(path).faults if fault.where.endswith("due"))
    assert "`day` (campaigns/base/expansion.yaml line" in fault.cure
    assert "`day: ~`" in fault.cure
    assert (fault.line, fault.file) == (4, "")


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


def test_a_fault_of_an_inherited_value_says_where_it_is_said_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(MINIMAL.format(base="expansion", indicator="project_work_injury_rate", starts="2025-03-01", ends="2025-04-15",
                                   issued="2025-03-01"), encoding="utf-8")
    done = canbao(tmp_path, "plan", "check", str(path))
    assert done.returncode == 1
    assert "campaigns/base/expansion.yaml, line" in done.stderr
    assert "write the same key in the plan" in done.stderr


def test_plan_show_knows_what_it_is_asked_for(tmp_path: Path) -> None:
    done = canbao(tmp_path, "plan", "show", "chengjiang-2021", "obligations.montly_report")
    assert done.returncode == 2
    assert "Did you mean monthly_report?" in done.stderr


def test_plan_show_calls_each_part_by_a_word_of_its_own_and_names_no_thirty_thousand(tmp_path: Path) -> None:
    tree = plan_file.read(plan_file.find("chengjiang-2021")).tree
    keys = [at for at, _, _ in tree.leaves()]
    assert len(keys) == len(set(keys))
    for key in keys[::97]:
        assert [at for at, _, _ in tree.leaves(key)] == [key]
    wide = [{**unit, "code": f"{unit['code']}_{number}"} for number in range(200) for unit in a_plan()["organisations"]]
    (tmp_path / "plan.yaml").write_text(plan_text({**a_plan(), "organisations": a_plan()["organisations"] + wide}), encoding="utf-8")
    done = canbao(tmp_path, "plan", "show", str(tmp_path / "plan.yaml"), "organisations.nobody_of_them")
    assert done.returncode == 2
    assert len(done.stderr) < 2000
