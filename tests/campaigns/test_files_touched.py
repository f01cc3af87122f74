"""How many files it takes to say something new: each test writes exactly these, and the rest follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comparison.engine import compare
from comparison.exports import findings_of
from comparison.plan_check import check, load_sound
from expectations.intake import take
from models.contract import for_feed
from models.plan import Plan
from models.plan_file import parse
from models.profile import profiles
from rehearsal.place import Place
from rehearsal.place_config import derived
from rules.phases import running
from tests.plan.a_plan import a_plan, plan_file, plan_text

PERIOD = "2021-05"
VETERANS = """\
feed: veterans
name: 退役军人
subject: person
source: B40 退役军人事务局
known_as: [退役军人, 优抚]
key: [id_number]
identity: {column: id_number}
columns:
  id_number: {as: person_number, required: true, aliases: [退役军人身份证号]}
  name: {as: person_name, required: true, aliases: [退役军人姓名]}
  kind:
    type: code
    label: 优抚类别
    required: true
    aliases: [类别]
    codes: {disabled: [残疾军人], dependant: [烈属], demobilised: [退役士兵]}
    why: the group decides who pays (B40)
  left_on: {type: date, label: 退役日期, why: years of service count (B40)}
expectations:
  - {id: kind_valid, kind: validity, column: kind, at_least: 0.95, severity: return}
  - {id: key_unique, kind: uniqueness, at_least: 0.95, severity: warn}
tells:
  is_veteran: {flag: listed, meaning: served in the forces}
  is_cared_for: {flag: "kind IN ('disabled', 'dependant')", meaning: the state cares for them}
  veteran_kind: {code: kind, words: {disabled: 残疾军人, dependant: 烈属, demobilised: 退役士兵}, meaning: "disabled, dependant or demobilised"}
  left_forces_on: {date: left_on, meaning: day of discharge}
evidence:
  - {when: is_veteran, says: "{veteran_kind}，{left_forces_on}退役", lists: [veteran_uninsured]}
made_up:
  rows: registered
  share: 0.2
  columns:
    id_number: {header: 退役军人身份证号, cell: id_number}
    name: {header: 退役军人姓名, cell: name}
    kind: {header: 优抚类别, cell: among, among: [残疾军人, 烈属, 退役士兵]}
    left_on: {header: 退役日期, cell: days_ago, least: 400, most: 9000}
"""


def _with_veterans() -> dict[str, Any]:
    """A plan that expects the feed and has a list on what it tells."""
    plan = a_plan(guards=None)
    entry = {**plan["feeds"][0], "feed": "veterans", "name": "退役军人信息", "providers": ["renshe"]}
    listed = {**plan["lists"][0], "id": "veteran_uninsured", "name": "未参保退役军人", "where": "is_veteran AND NOT any_pension_active"}
    return {**plan, "feeds": [*plan["feeds"], entry], "lists": [*plan["lists"], listed]}


def _written(folder: Path, contract: str = VETERANS) -> Path:
    (folder / "feeds").mkdir()
    (folder / "feeds" / "veterans.yaml").write_text(contract, encoding="utf-8")
    return plan_file(folder, _with_veterans())


def test_a_list_is_one_file(tmp_path: Path) -> None:
    plan = a_plan(guards=None)
    plan["lists"].append({**plan["lists"][0], "id": "disabled_uninsured", "name": "未参保残疾人", "where": "is_disabled AND category = 'uninsured'"})
    report = check(plan_file(tmp_path, plan))
    assert report.faults == []


def test_a_phase_of_a_kind_there_is_is_one_file(tmp_path: Path) -> None:
    plan = a_plan(guards=None)
    plan["phases"].append({"id": "home_visits", "kind": "survey", "name": "入户摸排", "starts": "2021-06-01", "ends": "2021-06-30", "source": "L9"})
    report = check(plan_file(tmp_path, plan))
    assert report.faults == []
    assert report.plan is not None
    day = report.plan.phases[-1].starts
    assert "home_visits" in {phase.id for phase in running(report.plan, day)}


def test_a_feed_with_a_flag_and_a_list_on_it_are_two_files(tmp_path: Path) -> None:
    path = _written(tmp_path)
    assert check(path).faults == []
    loaded = load_sound(str(path))
    plan = loaded.plan
    assert {"is_veteran", "is_cared_for", "veteran_kind", "left_forces_on"} <= {column.name for column in profiles(plan.contracts)["person"]}
    # What is stored of the plan is whole: the contract is in the text.
    assert parse(loaded.text, "stored") == plan

    place = Place.create(plan, derived(plan), seed=3, persons=800)
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    place.write_feeds(plan, PERIOD, inbox)
    inputs: dict[str, list[Path]] = {}
    for feed in plan.feeds:
        for file in sorted((inbox / feed.feed / PERIOD).iterdir()):
            taken = take(file, plan=plan, feed=feed.feed, period=PERIOD, provider=feed.providers[0], snapshots=out)
            assert taken.verdict == "accepted", (feed.feed, taken.reason)
            assert taken.snapshot is not None
            inputs.setdefault(feed.feed, []).append(taken.snapshot)
    outcome = compare(plan, PERIOD, inputs, tmp_path / "run")
    assert outcome.unbalanced == 0
    assert outcome.by_list["veteran_uninsured"] > 50
    row = next(row for row in findings_of(tmp_path / "run" / "findings.parquet") if row["list"] == "veteran_uninsured")
    assert "退役军人信息：" in row["evidence"]
    assert any(word in row["evidence"] for word in ("残疾军人", "烈属", "退役士兵"))


def test_of_the_same_feed_two_months_differ(tmp_path: Path) -> None:
    plan = load_sound(str(_written(tmp_path))).plan
    place = Place.create(plan, derived(plan), seed=3, persons=800)
    contents = []
    for period in ("2021-05", "2021-06"):
        if contents:
            place.advance(period)
        file, = place.write_feeds(plan, period, tmp_path / "inbox", ["veterans"])
        assert file.suffix == ".xlsx"
        taken = take(file, plan=plan, feed="veterans", period=period, provider="renshe", snapshots=tmp_path / "out")
        assert taken.snapshot is not None
        contents.append(taken.accepted)
        contents.append(taken.sha256)
    assert contents[1] != contents[3]


@pytest.mark.parametrize(("old", "new", "where", "told"), [
    ("{flag: listed, meaning: served", "{flag: listed, code: kind, meaning: served", "tells.is_veteran", "exactly one"),
    ("kind IN ('disabled'", "kinds IN ('disabled'", "tells.is_cared_for.flag", "`kinds`"),
    ("{date: left_on,", "{date: left_at,", "contracts[0]", "left_at"),
    ("is_veteran: {flag", "is_disabled: {flag", "tells.is_disabled", "a column already"),
    ("feed: veterans", "feed: cards", "feed", "name of another feed"),
    ("when: is_veteran,", "when: is_veterans,", "evidence[0].when", "is_veterans"),
    ("{veteran_kind}，", "{veteran_sort}，", "evidence[0].says", "veteran_sort"),
    ("as: person_name", "as: persons_name", "contracts[0]", "persons_name"),
    ("type: code\n", "type: coed\n", "columns.kind.type", "not allowed"),
])
def test_a_fault_of_a_site_s_own_feed_names_its_file_line_and_cure(tmp_path: Path, old: str, new: str, where: str, told: str) -> None:
    assert old in VETERANS
    faults = check(_written(tmp_path, VETERANS.replace(old, new))).faults
    fault = next(fault for fault in faults if told in fault.what + fault.cure)
    assert fault.file == "feeds/veterans.yaml"
    assert where in fault.where
    line = VETERANS.replace(old, new).splitlines()[(fault.line or 0) - 1]
    assert fault.line == 1 or line.strip()
    assert fault.cure


def test_a_feed_that_nobody_describes_is_refused_with_its_line(tmp_path: Path) -> None:
    fault, = check(plan_file(tmp_path, _with_veterans() | {"lists": a_plan()["lists"]})).faults
    assert "no contract says" in fault.what
    assert "feeds/veterans.yaml" in fault.cure
    assert "veterans" in plan_text(_with_veterans()).splitlines()[(fault.line or 0) - 1]


def test_two_feeds_of_employers_and_projects_tell_their_profiles_too(tmp_path: Path) -> None:
    units = """\
feed: labour_dispatch
name: 劳务派遣单位
subject: employer
source: L9
known_as: [劳务派遣]
key: [credit_code]
identity: {column: credit_code, return_below: 0.8, warn_below: 0.9}
columns:
  credit_code: {as: unit_code, required: true}
  name: {as: unit_name, required: true}
  dispatched: {type: int, label: 派遣人数, required: true, why: who is dispatched is insured there (L9)}
  township: {as: township}
expectations:
  - {id: key_unique, kind: uniqueness, at_least: 0.95, severity: warn}
tells:
  is_dispatcher: {flag: listed, meaning: hires out workers}
  dispatched_workers: {number: dispatched, meaning: workers hired out}
made_up:
  rows: units
  share: 0.5
  columns:
    credit_code: {header: 统一社会信用代码, cell: unit_code}
    name: {header: 单位名称, cell: unit_name}
    dispatched: {header: 派遣人数, cell: whole_number, least: 3, most: 80}
    township: {header: 乡镇, cell: unit_township}
"""
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "labour_dispatch.yaml").write_text(units, encoding="utf-8")
    plan = a_plan(guards=None)
    plan["feeds"].append({**plan["feeds"][0], "feed": "labour_dispatch", "name": "劳务派遣单位名录", "providers": ["renshe"]})
    plan["feeds"].append({**plan["feeds"][0], "feed": "employers", "name": "市场主体", "providers": ["renshe"]})
    plan["lists"].append({**plan["lists"][0], "id": "dispatcher_uninsured", "name": "未参保派遣单位", "subject": "employer",
                          "where": "is_dispatcher AND dispatched_workers >= 3 AND NOT is_insured", "owner": [{"column": "township"}],
                          "co_owners": []})
    loaded: Plan = load_sound(str(plan_file(tmp_path, plan))).plan
    place = Place.create(loaded, derived(loaded), seed=4, persons=900)
    place.write_feeds(loaded, PERIOD, tmp_path / "inbox")
    inputs: dict[str, list[Path]] = {}
    for feed in loaded.feeds:
        for file in sorted((tmp_path / "inbox" / feed.feed / PERIOD).iterdir()):
            taken = take(file, plan=loaded, feed=feed.feed, period=PERIOD, provider=feed.providers[0], snapshots=tmp_path / "out")
            assert taken.snapshot is not None, taken.reason
            inputs.setdefault(feed.feed, []).append(taken.snapshot)
    outcome = compare(loaded, PERIOD, inputs, tmp_path / "run")
    assert outcome.by_list["dispatcher_uninsured"] > 0


def test_what_ships_is_described_where_a_site_describes_its_own() -> None:
    assert for_feed("cards").tells["has_card"].flag == "status = 'issued'"
    with (Path(__file__).parents[2] / "docs" / "feeds.md").open(encoding="utf-8") as page:
        assert "`has_card`" in page.read()
