"""Every line of the four documents is carried by its plan, and no plan cites a line that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import CanbaoError
from models.plan import Duty, Plan, Selector
from models.plan_file import find, read
from rules.coverage import Requirement, coverage, requirements, uncovered, unknown_citations, without_line

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = requirements((REPOSITORY / "docs" / "requirements.csv").read_text(encoding="utf-8"))
LINES_OF_DOCUMENT = {"chengjiang-2021": 24, "bozhou-2018": 44, "district-registration": 19, "lianyungang-2016": 21}
PLAN_FILES = sorted((REPOSITORY / "campaigns").glob("*/plan.yaml"))

every_plan = pytest.mark.parametrize("path", PLAN_FILES, ids=[path.parent.name for path in PLAN_FILES])


def the_plan(campaign: str = "chengjiang-2021") -> Plan:
    return read(find(campaign)).plan


def with_duties(plan: Plan, *sources: str) -> Plan:
    duties = [Duty(id=f"duty_{number}", who=Selector(codes=(plan.office,)), what="…", source=source)
              for number, source in enumerate(sources)]
    return plan.model_copy(update={"duties": tuple(duties)})


@every_plan
def test_every_line_of_the_document_is_carried(path: Path) -> None:
    assert uncovered(read(path).plan, REQUIREMENTS) == ()


@every_plan
def test_no_plan_cites_a_line_its_document_does_not_have(path: Path) -> None:
    assert unknown_citations(read(path).plan, REQUIREMENTS) == {}


@every_plan
def test_every_item_cites_at_least_one_line(path: Path) -> None:
    assert without_line(read(path).plan) == ()


@pytest.mark.parametrize(("campaign", "count"), LINES_OF_DOCUMENT.items())
def test_the_requirements_number_every_line_of_a_document_without_a_gap(campaign: str, count: int) -> None:
    lines = [requirement.line for requirement in REQUIREMENTS if requirement.campaign == campaign]
    letter = lines[0][0]
    assert lines == [f"{letter}{number}" for number in range(1, count + 1)]


def test_an_item_is_named_by_its_section_and_its_own_name() -> None:
    found = coverage(the_plan(), ["C1", "C99"])
    assert {"indicators.employee_pension_insured", "targets.employee_pension"} <= set(found["C1"])
    assert "feeds.employee_pension" in found["C1"]
    assert found["C99"] == ()


def test_items_inside_items_are_found_too() -> None:
    assert "acceptance.items.judgement" in coverage(the_plan(), ["C23"])["C23"]
    assert "acceptance.candidates" in coverage(the_plan(), ["C23"])["C23"]


def test_a_duty_is_not_carried_by_an_organisation_that_merely_cites_it() -> None:
    plan = with_duties(the_plan(), "C1")
    asked = [Requirement("C16", plan.id, "…", "duty"), Requirement("C23", plan.id, "…", "plan")]
    assert uncovered(plan, asked) == ("C16",)
    assert uncovered(with_duties(plan, "C16 · 五（二）"), asked) == ()


def test_a_software_line_asks_nothing_of_a_plan() -> None:
    assert uncovered(the_plan(), [Requirement("C90", "chengjiang-2021", "…", "software")]) == ()
    assert uncovered(the_plan(), [Requirement("C90", "chengjiang-2021", "…", "plan")]) == ("C90",)


def test_a_line_of_another_campaign_asks_nothing_but_may_not_be_cited() -> None:
    plan = with_duties(the_plan(), "C16 · C17", "B1 and C18")
    foreign = [Requirement("B1", "bozhou-2018", "…", "plan")]
    assert uncovered(plan, foreign) == ()
    assert unknown_citations(plan, [*REQUIREMENTS, *foreign]) == {"B1": ("duties.duty_1",)}


def test_a_chinese_letter_right_after_the_number_ends_it() -> None:
    found = coverage(with_duties(the_plan(), "见C16条，不是AC17或C18x"), ["C16", "C17", "C18"])
    assert "duties.duty_0" in found["C16"]
    assert "duties.duty_0" not in found["C17"] + found["C18"]


def test_a_source_without_a_line_is_named() -> None:
    assert without_line(with_duties(the_plan(), "C16", "the usual practice")) == ("duties.duty_1",)


@pytest.mark.parametrize(("text", "told"), [
    ("", "requirements, line 1: the first line is not the header."),
    ("line,campaign,text,kind\nC1,x,a,b,plan", "requirements, line 2: 5 cells where 4 are expected."),
    ("line,campaign,text,kind\nZ1,x,a,plan", "requirements, line 2: 'Z1' is no line number."),
    ("line,campaign,text,kind\nC1,x,a,wish", "requirements, line 2: the kind 'wish' is unknown."),
    ("line,campaign,text,kind\nC1,x,a,plan\nC1,x,b,duty", "requirements, line 3: C1 stands twice."),
])
def test_a_damaged_list_of_requirements_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(CanbaoError) as error:
        requirements(text)
    assert str(error.value).startswith(told)
