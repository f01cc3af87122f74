"""Departments' files: headers the contracts know, shapes as offices send them, and rows that say what is so."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from comparison.engine import compare
from comparison.exports import links_file
from expectations.intake import take
from models.errors import WrongUse
from models.plan import Plan
from models.plan_file import read
from rehearsal import names
from rehearsal.feeds import file_name, headers_of, made_up_of, providers_in, write_feeds
from rehearsal.place import Place
from rehearsal.place_config import derived, read_place
from rehearsal.truth import LINK_TRUTH, LIST_TRUTH, PERSON_TRUTH, true_lists

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
PLAN_FILE = CAMPAIGNS / "chengjiang-2021" / "plan.yaml"
PLAN = read(PLAN_FILE).plan
PERSONS = 4000


def a_place(persons: int = PERSONS) -> Place:
    """A small 澄江 at the end of April 2021."""
    return Place.create(PLAN, read_place(PLAN, PLAN_FILE), seed=5, persons=persons)


def another_plan(campaign: str) -> Plan:
    """The plan of another campaign."""
    return read(CAMPAIGNS / campaign / "plan.yaml").plan


def sheet(path: Path) -> list[list[Any]]:
    """All rows of a workbook's only sheet."""
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def one_file(place: Place, inbox: Path, feed: str) -> Path:
    """The file of a feed with one provider."""
    (path,) = write_feeds(place, PLAN, inbox, [feed])
    return path


# --- shapes ---------------------------------------------------------------------------------------------


def test_a_file_says_whose_it_is_which_feed_and_which_month(tmp_path: Path) -> None:
    path = one_file(a_place(), tmp_path, "population")
    assert path == tmp_path / "population" / "2021-04" / "市公安局_户籍人口信息_2021年4月.csv"


def test_the_population_register_is_gb18030_text_with_one_line_a_person(tmp_path: Path) -> None:
    place = a_place()
    content = one_file(place, tmp_path, "population").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    lines = list(csv.DictReader(io.StringIO(content.decode("gb18030"))))
    assert len(lines) == PERSONS
    assert lines[17]["公民身份号码"] == place.people.id_number[17]
    assert lines[17]["姓名"] == place.people.name[17]
    assert lines[17]["性别"] == ("男" if place.people.male[17] else "女")
    assert lines[17]["出生日期"] == str(place.people.birth[17].astype("datetime64[D]"))


def test_a_workbook_has_titles_above_and_a_total_and_a_signature_below(tmp_path: Path) -> None:
    rows = sheet(one_file(a_place(), tmp_path, "hardship"))
    assert rows[0][0] == "澄江市低保对象、特困人员信息（2021年4月）"
    assert rows[1][0] == "填报单位：澄江市民政局"
    assert rows[2][0] == "救助对象身份证号"
    assert rows[-2][:2] == ["合计", f"{len(rows) - 5}条"]
    assert str(rows[-1][0]).startswith("填表人")


def test_numbers_of_persons_are_text_in_workbooks(tmp_path: Path) -> None:
    place = a_place()
    for feed in (entry.feed for entry in PLAN.feeds):
        shape, headers = made_up_of(PLAN, feed), headers_of(PLAN, feed)
        if shape.form == "xlsx" and "id_number" in headers:
            rows = sheet(one_file(place, tmp_path, feed))
            at = rows[shape.titles].index(headers["id_number"])
            assert names.is_citizen_number(str(rows[shape.titles + 1][at])), feed


def test_a_disability_certificate_is_the_citizen_number_with_kind_and_grade(tmp_path: Path) -> None:
    rows = sheet(one_file(a_place(), tmp_path, "disability"))
    titles = made_up_of(PLAN, "disability").titles
    row = dict(zip(map(str, rows[titles]), map(str, rows[titles + 1]), strict=True))
    assert row["残疾人证号"][:18] == row["身份证号"]
    assert row["残疾等级"] == {"1": "一级", "2": "二级", "3": "三级", "4": "四级"}[row["残疾人证号"][19]]


def test_township_names_differ_between_files_and_never_within_one(tmp_path: Path) -> None:
    place, spelt = a_place(), set()
    for path in write_feeds(place, PLAN, tmp_path, ["population", "resident_pension", "resident_medical", "employers"]):
        text = path.read_bytes()
        decoded = text.decode("utf-8-sig" if text.startswith(b"\xef\xbb\xbf") else "gb18030")
        header = headers_of(PLAN, path.parent.parent.name)["township"]
        written = {line[header] for line in csv.DictReader(io.StringIO(decoded))}
        assert len(written) == 6
        spelt |= written
    assert len(spelt) > 6


# --- who sends what -------------------------------------------------------------------------------------


def test_each_department_sends_its_own_projects(tmp_path: Path) -> None:
    place = a_place(persons=40_000)
    paths = write_feeds(place, PLAN, tmp_path, ["construction_projects"])
    assert [path.name.split("_")[0] for path in paths] == ["市住建局", "市交通局", "市水利局"]
    counted = 0
    for path, name in zip(paths, ("住房和城乡建设局", "交通运输局", "水利局"), strict=True):
        rows = sheet(path)
        at = rows[2].index("行业主管部门")
        assert {row[at] for row in rows[3:-2]} == {f"澄江市{name}"}
        counted += len(rows) - 5
    assert counted == len(place.projects)


def test_one_provider_can_be_asked_alone(tmp_path: Path) -> None:
    (path,) = write_feeds(a_place(), PLAN, tmp_path, ["construction_projects"], "shuili")
    assert path.name.startswith("市水利局_")


def test_a_feed_the_plan_does_not_expect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="cards"):
        write_feeds(a_place(), PLAN, tmp_path, ["cards"])


def test_after_the_reform_the_successor_sends_the_file() -> None:
    # B36: in 博州 工商局 became 市场监管局 during the campaign.
    plan = another_plan("bozhou-2018")
    feed = plan.item("feeds", "employers")
    assert (providers_in(plan, feed, "2018-10"), providers_in(plan, feed, "2020-10")) == (("gongshang",), ("shichang",))


def test_a_feed_of_several_providers_is_dealt_out_once(tmp_path: Path) -> None:
    plan = another_plan("bozhou-2018")
    place = Place.create(plan, derived(plan), seed=1, persons=9000)
    feed = plan.item("feeds", "deaths")
    seen: list[str] = []
    for code in providers_in(plan, feed, place.period):
        rows = sheet(write_feeds(place, plan, tmp_path, ["deaths"], code)[0])
        at = rows[1].index("死者身份证号")
        seen += [str(row[at]) for row in rows[2:-2]]
    dead = place.people.id_number[place.people.death_day >= 0].tolist()
    assert sorted(seen) == sorted(dead)


# --- full and supplementary -----------------------------------------------------------------------------


def test_a_supplement_holds_only_what_is_new_and_the_first_one_all_there_was(tmp_path: Path) -> None:
    place = a_place(persons=20_000)
    above_and_below = made_up_of(PLAN, "deaths").titles + 1 + 2
    first = len(sheet(one_file(place, tmp_path, "deaths"))) - above_and_below
    assert first == (place.people.death_day >= 0).sum()
    place.advance("2021-05")
    second = len(sheet(one_file(place, tmp_path, "deaths"))) - above_and_below
    assert second == (place.people.death_day >= 0).sum() - first


def test_a_newborn_without_a_number_is_told_of_through_the_mother(tmp_path: Path) -> None:
    plan = another_plan("bozhou-2018")
    place = Place.create(plan, derived(plan), seed=1, persons=20_000)
    rows = sheet(write_feeds(place, plan, tmp_path, ["newborns"])[0])
    header = made_up_of(plan, "newborns").titles
    assert "身份证号" not in rows[header]
    mothers = {str(row[rows[header].index("母亲身份证号")]) for row in rows[header + 1:]}
    assert mothers
    assert mothers <= set(place.people.id_number[place.people.registered & ~place.people.male].tolist())


def test_statistics_carry_a_figure_for_every_region_a_denominator_needs(tmp_path: Path) -> None:
    plan = another_plan("bozhou-2018")
    place = Place.create(plan, derived(plan), seed=1, persons=9000)
    rows = sheet(write_feeds(place, plan, tmp_path, ["statistics"])[0])
    table = {(str(row[0]), str(row[1])): row[3] for row in rows[2:]}
    whole = next(org.name for org in plan.organisations if org.kind == "government")
    counties = [org.name for org in plan.organisations if org.kind == "county"]
    assert table["常住人口", whole] == sum(table["常住人口", name] for name in counties)


# --- what the rest of the house makes of it -------------------------------------------------------------


def taken_in(place: Place, folder: Path, feeds: list[str] | None = None) -> dict[str, list[Path]]:
    """Files of the month through the real intake; each must be accepted whole. The snapshots by feed."""
    snapshots: dict[str, list[Path]] = {}
    for path in place.write_feeds(place.plan, place.period, folder / "inbox", feeds):
        feed = path.parent.parent.name
        receipt = take(path, feed=feed, plan=place.plan, period=place.period, provider=None,
                       snapshots=folder / "snapshots")
        assert (receipt.verdict, receipt.quarantined, receipt.duplicate) == ("accepted", 0, 0), receipt.reason
        assert receipt.snapshot is not None
        snapshots.setdefault(feed, []).append(receipt.snapshot)
    return snapshots


def differences(truth: Path, found: Path, columns: str) -> int:
    """How many rows of a truth file and of a run's table have no equal on the other side."""
    return len(duckdb.connect().execute(f"""
        WITH told AS (SELECT {columns} FROM read_csv('{truth}', all_varchar = true)),
             found AS (SELECT {columns} FROM read_parquet('{found}'))
        (FROM told EXCEPT FROM found) UNION ALL (FROM found EXCEPT FROM told)""").df())


def test_clean_files_pass_the_intake_whole_and_the_comparison_finds_exactly_the_truth(tmp_path: Path) -> None:
    place = a_place()
    earlier = taken_in(place, tmp_path, ["deaths"])  # a supplement: what April told is still so in May
    for entry in true_lists(place, PLAN):
        if entry.item.subject == "person":
            place.visit("longjie", entry.item.id, entry.keys.tolist(), place.period)
    place.advance("2021-05")
    snapshots = taken_in(place, tmp_path)
    place.write_truth(PLAN, place.period, tmp_path / "truth")
    run, truth = tmp_path / "run", tmp_path / "truth" / "2021-05"
    inputs = {**snapshots, "deaths": earlier["deaths"] + snapshots["deaths"]}
    assert compare(PLAN, place.period, inputs, run).unbalanced == 0
    assert differences(truth / PERSON_TRUTH, run / "person_profile.parquet", "id_number, category, township") == 0
    assert differences(truth / LIST_TRUTH, run / "findings.parquet", "list, id_number, owner") == 0
    # The run does not link the population register to itself; every other row's link is the true one.
    line = "feed, source_file, row_number::BIGINT AS row_number, id_number"
    assert differences(truth / LINK_TRUTH, links_file(run), line) == place.people.registered.sum()


def test_links_name_the_line_a_person_stands_on(tmp_path: Path) -> None:
    place = a_place()
    place.write_truth(PLAN, "2021-04", tmp_path)
    with (tmp_path / "2021-04" / LINK_TRUTH).open(encoding="utf-8") as stream:
        links = {(row["feed"], int(row["row_number"])): row for row in csv.DictReader(stream)}
    rows = sheet(one_file(place, tmp_path / "inbox", "students"))
    line = made_up_of(PLAN, "students").titles + 2
    assert links["students", line]["id_number"] == rows[line - 1][0]
    population = one_file(place, tmp_path / "inbox", "population").read_bytes().decode("gb18030").splitlines()
    assert links["population", 2]["id_number"] == population[1].split(",")[0].strip('"')
    assert links["population", 2]["source_file"] == file_name(PLAN, PLAN.item("feeds", "population"), "gongan", "2021-04", "csv")


def test_the_same_month_of_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (one_file(a_place(), tmp_path / name, "population").read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("campaign", [
    "district-registration", *(pytest.param(other, marks=pytest.mark.long) for other in ("bozhou-2018", "lianyungang-2016"))])
def test_the_files_of_every_campaign_are_accepted(campaign: str, tmp_path: Path) -> None:
    plan = another_plan(campaign)
    place = Place.create(plan, read_place(plan, CAMPAIGNS / campaign / "plan.yaml"), seed=2, persons=6000)
    assert set(taken_in(place, tmp_path)) == {entry.feed for entry in plan.feeds}
    assert np.char.find(place.people.name, "·").max() > 0
