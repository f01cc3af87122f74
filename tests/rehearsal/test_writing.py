"""What units write into their forms: with their own figures, never the same as their neighbours, but for the careless."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest

from documents.form_sheet import read_fields
from documents.report_form import read_report_form, write_report_form
from documents.workbook import FORM_SCHEMA, open_returned
from models.plan import Plan
from models.plan_file import read
from rehearsal.behaviour import Conduct, repeats_last_text, writes_filler
from rehearsal.clerks import Slip, fill_form
from rehearsal.writing import Author, own_figures, policy
from rules.report_checks import bare, similarity
from tests.documents.content import a_form

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
PLANS: dict[str, Plan] = {path.parent.name: read(path).plan for path in sorted(CAMPAIGNS.glob("*/plan.yaml"))}
PLAN = PLANS["chengjiang-2021"]
FIGURES = {"issued": "120", "checked": "40", "open": "80", "enrolled": "22", "cannot": "9", "list": "未参保人员", "list_open": "31",
           "indicator": "城乡居民基本养老保险参保人数", "reached": "35,900", "gap": "100", "unit_of": "人", "feed": "户籍人口信息",
           "duty": "按要求提供人员信息"}
PARTS = ("工作进展情况", "存在问题", "对策措施")
COPIED_SHARE = 0.95


def by(code: str, period: str = "2021-05", *, seed: int = 1, **more: object) -> Author:
    """The author of a unit's monthly report."""
    return Author.of(PLAN, seed, code, "monthly_report", period, int(period[5:]), **more)  # type: ignore[arg-type]


UNITS = [org.code for org in PLAN.organisations if org.kind in ("township", "department")]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_two_units_write_the_same_in_one_month(part: str, seed: int) -> None:
    texts = [bare(by(code, seed=seed).text(part, FIGURES)) for code in UNITS]
    alike = [pair for pair in combinations(texts, 2) if similarity(*pair) >= COPIED_SHARE]
    assert alike == []


@pytest.mark.parametrize("part", PARTS)
def test_no_unit_repeats_what_it_wrote_the_month_before(part: str) -> None:
    for code in UNITS:
        months = [bare(by(code, f"2021-{number:02d}").text(part, FIGURES)) for number in range(4, 12)]
        assert all(similarity(earlier, later) < COPIED_SHARE for earlier, later in pairwise(months)), code


def test_texts_say_the_units_own_figures_and_the_month() -> None:
    texts = "".join(by(code, f"2021-{number:02d}").text("工作进展情况", FIGURES) for code in UNITS for number in (5, 6, 7))
    assert "120条" in texts
    assert "6月" in texts
    assert "{" not in texts


def test_a_figure_the_form_does_not_show_is_not_written_about() -> None:
    texts = "".join(by(code, f"2021-{number:02d}").text(part, {}) for code in UNITS for part in PARTS for number in range(4, 12))
    assert "{" not in texts
    assert "下发任务" not in texts


@pytest.mark.parametrize("campaign", PLANS)
def test_every_part_of_every_form_gets_a_text_of_its_own_topic(campaign: str) -> None:
    plan = PLANS[campaign]
    for obligation in plan.obligations:
        for code in (org.code for org in plan.select(obligation.who)):
            for part in obligation.content:
                author = Author.of(plan, 1, code, obligation.id, "2016-05", 5)
                assert len(author.text(part.name, {})) >= 6, (obligation.id, part.name)
    assert policy().topic_of("存在问题").id == "problems"
    assert policy().topic_of("遗留问题和解决措施").id == "problems"
    assert policy().topic_of("下步打算").id == "next"
    assert policy().topic_of("收到实施方案和工作操作手册").id == "received"


def test_careless_units_hand_in_one_and_the_same_filler_that_the_check_finds() -> None:
    one, other = (bare(by(code, is_careless=True).text("存在问题", FIGURES)) for code in ("luju", "gongan"))
    assert similarity(one, other) == 1
    assert len(one) >= 30, "shorter texts are not compared"
    assert by("luju", "2021-05", is_careless=True).text("存在问题", {}) != by("luju", "2021-06", is_careless=True).text("存在问题", {})


def test_filler_is_of_the_late_and_seldom_of_the_punctual() -> None:
    def share(manner: str) -> float:
        conduct = Conduct("x", manner)  # type: ignore[arg-type]
        return sum(writes_filler(conduct, "monthly_report", str(number), 1) for number in range(400)) / 400

    assert 0.5 < share("late") < 0.7
    assert 0 < share("punctual") < 0.15
    assert share("wrong") == share("silent") == 0


def test_a_unit_that_repeats_itself_says_what_it_said_the_month_before() -> None:
    before, now = by("youshuo", "2021-05"), by("youshuo", "2021-06")
    again = now.text("存在问题", FIGURES, last_month=True)
    assert similarity(bare(again), bare(before.text("存在问题", FIGURES))) >= COPIED_SHARE
    assert similarity(bare(again), bare(now.text("存在问题", FIGURES))) < COPIED_SHARE
    answers = {repeats_last_text(Conduct("youshuo", "wrong"), "monthly_report", str(number), 1) for number in range(40)}
    assert answers == {True, False}


def test_numbers_only_the_unit_knows_grow_and_add_up() -> None:
    plan = PLANS["lianyungang-2016"]
    sections = plan.item("obligations", "progress_report").content

    def numbers(months_on: int) -> dict[str, float]:
        return Author.of(plan, 1, "donghai", "progress_report", "2016-05", 5, months_on=months_on, persons=2000).numbers(sections)

    first, later = numbers(0), numbers(3)
    parts = ("counter", "online", "by_employer", "household")
    assert first["surveyed"] == sum(first[part] for part in parts) > 0
    assert all(later[part] > first[part] for part in parts)


def test_a_form_is_filled_with_what_its_grey_cells_say(tmp_path: Path) -> None:
    issued, back = tmp_path / "issued.xlsx", tmp_path / "back.xlsx"
    write_report_form(issued, a_form())
    figures = own_figures(read_fields(open_returned(issued, FORM_SCHEMA)))
    assert int(figures["checked"]) <= int(figures["issued"])
    assert {"list", "list_open", "indicator", "gap"} <= figures.keys()
    fill_form(issued, back, by("longjie"), ())
    returned = read_report_form(back)
    assert returned.faults == ()
    assert len(set(returned.texts.values())) == len(returned.texts)
    assert not any("按要求推进" in text for text in returned.texts.values())



def test_a_forgotten_part_is_left_blank(tmp_path: Path) -> None:
    issued, back = tmp_path / "issued.xlsx", tmp_path / "back.xlsx"
    write_report_form(issued, a_form())
    part = next(filled.field.key for filled in read_fields(open_returned(issued, FORM_SCHEMA)) if filled.field.key.startswith("section:"))
    fill_form(issued, back, by("longjie"), (), Slip(part.removeprefix("section:")))
    assert len(read_report_form(back).faults) == 1
