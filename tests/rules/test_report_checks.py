"""Whether a returned report can be believed: each check on both sides of its bound, and what blanks never do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models.plan import ReportChecks, Section
from rules.report_checks import Change, Ground, Stated, bare, changes, marks, similarity

CHECKS = ReportChecks()
TEXT = "本月组织干部入户走访未参保家庭，逐户讲解政策，动员外出务工返乡人员办理参保登记，并对中断缴费人员电话提醒续保。"
OTHER = "本月集中核查用人单位用工名册，督促两家企业为新招录职工办理登记，联合税务部门上门稽核欠费单位并下达限期整改通知。"
SECTIONS = (
    Section(id="progress", name="进展情况"),
    Section(id="counter", name="柜面登记", kind="number", cumulative=True),
    Section(id="household", name="入户调查", kind="number", cumulative=True),
    Section(id="total", name="合计", kind="number", cumulative=True, sum_of=("counter", "household")),
    Section(id="checked", name="已核查", kind="number", recorded="checked"),
    Section(id="visits", name="走访户数", kind="number", required=False),
)


def found(ground: Ground | None = None, *, explained: bool = False, progress: str = "", checks: ReportChecks = CHECKS,
          **figures: float | None) -> list[tuple[str, str, str]]:
    stated = Stated({"progress": progress}, figures, is_explained=explained)
    return [(mark.check, mark.section, mark.judgement) for mark in marks(SECTIONS, checks, stated, ground or Ground())]


def months(*figures: dict[str, float | None]) -> Ground:
    return Ground(earlier=[Stated(figures=entry) for entry in figures])


@pytest.mark.parametrize(("figures", "expected"), [
    pytest.param({"counter": 40, "household": 60, "total": 100}, [], id="a total that adds up"),
    pytest.param({"counter": 40, "household": 60, "total": 101}, [("sums", "total", "fault")], id="a total one too high"),
    pytest.param({"counter": 0, "household": 0, "total": 0}, [], id="zeros add up"),
    pytest.param({"counter": None, "household": 100, "total": 100}, [("sums", "total", "fault")], id="a blank part is no zero"),
    pytest.param({"counter": 40, "household": 60, "total": None}, [], id="nothing is concluded from a blank total"),
    pytest.param({"checked": 102}, [], id="at the tolerance of the record"),
    pytest.param({"checked": 103}, [("beyond_record", "checked", "fault")], id="beyond what the record holds"),
    pytest.param({"checked": 10}, [], id="less than the record holds"),
])
def test_numbers_are_held_against_each_other_and_the_record(figures: dict[str, Any], expected: list[Any]) -> None:
    assert found(Ground(recorded={"checked": 100}), **figures) == expected


@pytest.mark.parametrize(("earlier", "figures", "explained", "expected"), [
    pytest.param([{"counter": 50}], {"counter": 50}, False, [], id="a cumulative number may stand still"),
    pytest.param([{"counter": 50}], {"counter": 49}, False, [("falls", "counter", "fault")], id="but not fall"),
    pytest.param([{"counter": 50}], {"counter": 49}, True, [("falls", "counter", "remark")], id="unless a reason is given"),
    pytest.param([{"counter": None}], {"counter": 49}, False, [], id="a blank before says nothing"),
    pytest.param([{"counter": 50}], {"counter": None}, False, [], id="a blank now is no fall to zero"),
    pytest.param([{"counter": 0}, {"counter": 40}], {"counter": 240}, False, [], id="five times the growth before"),
    pytest.param([{"counter": 0}, {"counter": 40}], {"counter": 241}, False, [("jumps", "counter", "remark")],
                 id="more than five times"),
    pytest.param([{"counter": 0}, {"counter": 1}], {"counter": 100}, False, [], id="a small number may grow by any factor"),
    pytest.param([{"counter": 40}], {"counter": 900}, False, [], id="one earlier month shows no growth to compare"),
    pytest.param([{"visits": 30}], {"visits": 10}, False, [], id="a monthly number may fall"),
    pytest.param([{"visits": 30}], {"visits": 151}, False, [("jumps", "visits", "remark")], id="and must not leap"),
])
def test_numbers_are_held_against_last_month(
    earlier: list[dict[str, Any]], figures: dict[str, Any], explained: bool, expected: list[Any],
) -> None:
    assert found(months(*earlier), explained=explained, **figures) == expected


@pytest.mark.parametrize(("now", "expected"), [
    pytest.param(TEXT, [("copied_from_last", "progress", "fault")], id="the same text"),
    pytest.param(TEXT.replace("，", ", ").replace("本月", " 本月 "), [("copied_from_last", "progress", "fault")],
                 id="other marks and spaces"),
    pytest.param(TEXT + "共走访1260户。", [], id="new words at the end"),
    pytest.param(OTHER, [], id="another text"),
    pytest.param("按要求推进。", [], id="a short formula"),
])
def test_a_text_copied_from_last_month_is_sent_back(now: str, expected: list[Any]) -> None:
    checks = ReportChecks(copied_share=0.97)
    assert found(Ground(earlier=[Stated({"progress": TEXT})]), progress=now, checks=checks) == expected


def test_numbers_alone_make_no_new_text() -> None:
    assert bare("本月走访120户，新增三十人。") == bare("本月走访 98 户；新增四人")
    assert similarity("", "") == 0


def test_the_office_hears_whose_text_is_the_same_and_the_unit_does_not() -> None:
    ground = Ground(others={"凤麓": {"progress": TEXT}, "海口": {"progress": OTHER}})
    (remark,) = marks(SECTIONS, CHECKS, Stated({"progress": TEXT}), ground)
    assert (remark.check, remark.judgement) == ("copied_from_others", "remark")
    assert "凤麓" in remark.what
    assert "海口" not in remark.what
    (fault,) = marks(SECTIONS, ReportChecks(copied_from_others="fault"), Stated({"progress": TEXT}), ground)
    assert fault.judgement == "fault"
    assert "凤麓" not in fault.what


@pytest.mark.parametrize(("by_day", "expected"), [
    pytest.param({20: 10, 31: 10}, [], id="half on the last day"),
    pytest.param({20: 9, 31: 11}, [("last_day_claims", "", "remark")], id="more than half"),
    pytest.param({28: 15, 29: 5}, [("last_day_claims", "", "remark")], id="the last workday and the weekend after it"),
    pytest.param({31: 19}, [], id="too few to tell"),
    pytest.param({}, [], id="no claims"),
])
def test_claims_saved_up_for_the_last_workday_are_a_remark(by_day: dict[int, int], expected: list[Any]) -> None:
    last = date(2021, 5, 28) if 28 in by_day else date(2021, 5, 31)
    claims = {date(2021, 5, day): count for day, count in by_day.items()}
    assert found(Ground(claims_by_day=claims, last_workday=last)) == expected


def test_the_plan_says_what_is_a_fault() -> None:
    lenient = ReportChecks(sums="remark", beyond_record="remark")
    assert {judgement for *_, judgement in found(
        Ground(recorded={"checked": 1}), checks=lenient, counter=1, household=1, total=3, checked=9)} == {"remark"}


def test_a_restatement_says_number_by_number_what_it_changes_and_of_texts_only_that_they_do() -> None:
    before = Stated({"progress": TEXT}, {"counter": 40, "household": None, "total": 40})
    after = Stated({"progress": OTHER}, {"counter": 40, "household": 5, "total": 45})
    assert changes(SECTIONS, before, after) == (
        Change("进展情况", is_text=True), Change("入户调查", None, 5), Change("合计", 40, 45))
    assert changes(SECTIONS, before, before) == ()


@pytest.mark.parametrize("more", [{"unit": "person"}, {"cumulative": True}, {"sum_of": ["counter"]}, {"recorded": "checked"}])
def test_a_text_is_not_counted(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="kind: number"):
        Section(id="progress", name="进展情况", **more)
