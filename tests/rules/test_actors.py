"""When two names are one, and which posts of the plan a name means."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison.plan_check import load_sound
from models.errors import ApprovalMissing, WrongUse
from models.plan import Drill
from rules.actors import (
    SIMULATED_APPROVER,
    SIMULATED_PREPARER,
    approvers,
    is_same,
    named,
    normal,
    refuse_approver,
    refuse_decider,
    refuse_preparer,
)

PLAN = load_sound("chengjiang-2021").plan
DRILL = PLAN.model_copy(update={"drill": Drill(persons=1, of_persons=1, note="演练")})
APPROVER = "办公室副主任（审核）"
BLANKS = "".join(sign for code in range(0x110000) if unicodedata.category(sign := chr(code)) in ("Zs", "Zl", "Zp", "Cf", "Cc"))
NAMES = st.text(st.sampled_from("prepROOT审批岗经办7甲乙éШ"), min_size=1, max_size=12)


@given(st.text())
def test_what_is_normal_stays_as_it_is(name: str) -> None:
    assert normal(normal(name)) == normal(name)


@given(NAMES, st.data())
def test_a_blank_or_invisible_sign_anywhere_makes_no_second_name(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name)))
    assert is_same(name, name[:place] + data.draw(st.text(st.sampled_from(BLANKS), min_size=1)) + name[place:])


@given(NAMES)
def test_neither_case_nor_width_nor_form_makes_a_second_name(name: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in name)
    for other in (name.upper(), name.lower(), wide, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC", "NFKD"))):  # type: ignore[arg-type]
        assert is_same(name, other)


@given(NAMES, NAMES)
def test_the_order_of_two_names_does_not_matter(one: str, other: str) -> None:
    assert is_same(one, other) == is_same(other, one) == (normal(one) == normal(other))


@pytest.mark.parametrize(("one", "other"), [
    ("prep", "prep\u2009"), ("root", "ｒoot"), ("root", "rооt"), ("root", "r00t"), ("clerk1", "clerkl"), ("审批岗", "审 批\u200b岗"),
    ("工会岗", "エ会岗"),
    ("办公室副主任（审核）", "办公室副主任(审核)"), ("prep", "pre\u0301p"), ("prep.", "prep"),
    ("straße", "STRASSE"), ("人社局", "⼈社局"),
])
def test_what_looks_like_one_name_is_one(one: str, other: str) -> None:
    assert is_same(one, other)


@pytest.mark.parametrize(("one", "other"), [
    ("经办岗", "审批岗"), ("办公室经办", "办公室主任"), ("岗位2", "岗位3"), ("预审岗", "复审岗"), ("zhang", "wang")])
def test_two_posts_stay_two(one: str, other: str) -> None:
    assert not is_same(one, other)


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "--", "……"])
def test_a_name_of_nothing_is_nobodys(name: str) -> None:
    assert is_same(name, "审批岗")
    assert not named(PLAN, name)
    with pytest.raises(WrongUse, match="nobody is named"):
        refuse_preparer(PLAN, name)


@pytest.mark.parametrize("name", [
    APPROVER, "办公室副主任(审核)", "市扩面办办公室副主任（审核）", "office:approver", "office.approver@example.invalid"])
def test_the_plans_approver_may_approve_by_any_name_of_the_post(name: str) -> None:
    refuse_approver(PLAN, name, "经办岗", "run 1")


@pytest.mark.parametrize("name", ["不存在的岗位", "审批岗", "办公室经办", "office", "市扩面办", "领导小组组长", SIMULATED_APPROVER, "root", "canbao"])
def test_whoever_the_plan_does_not_name_is_told_who_may(name: str) -> None:
    with pytest.raises(ApprovalMissing, match="市扩面办·办公室副主任（审核）"):
        refuse_approver(PLAN, name, "经办岗", "run 1")


@pytest.mark.parametrize("prepared_by", [APPROVER, "office.approver", " 办公室副主任【审核】", "市扩面办办公室副主任审核"])
def test_one_post_under_two_names_is_one_pair_of_eyes(prepared_by: str) -> None:
    with pytest.raises(ApprovalMissing, match="preparer cannot approve"):
        refuse_approver(PLAN, APPROVER, prepared_by, "run 1")


def test_an_organisation_as_a_whole_approves_only_what_another_prepared() -> None:
    bozhou = load_sound("bozhou-2018").plan
    assert bozhou.approval.prepared_by != bozhou.approval.approved_by
    refuse_approver(bozhou, bozhou.approval.approved_by, "经办岗", "run 1")
    assert "" not in {post.title for post in approvers(PLAN)}


def test_a_rehearsals_posts_are_a_rehearsals_alone() -> None:
    refuse_preparer(DRILL, SIMULATED_PREPARER)
    refuse_approver(DRILL, SIMULATED_APPROVER, SIMULATED_PREPARER, "run 1")
    for name in (SIMULATED_PREPARER, SIMULATED_APPROVER, " 演练经办岗。"):
        with pytest.raises(WrongUse, match="rehearsal's post"):
            refuse_preparer(PLAN, name)


@pytest.mark.parametrize(("name", "may"), [
    ("leading_group", True), ("领导小组组长", True), ("市领导小组", True), ("办公室主任", False), ("某人", False), ("", False)])
def test_a_decision_is_for_the_organisation_that_the_plan_names(name: str, may: bool) -> None:
    if may:
        refuse_decider(PLAN, name, "leading_group", "candidate 1")
    else:
        with pytest.raises(WrongUse, match="市领导小组·领导小组组长"):
            refuse_decider(PLAN, name, "leading_group", "candidate 1")


@pytest.mark.parametrize("campaign", ["chengjiang-2021", "bozhou-2018", "district-registration", "lianyungang-2016"])
def test_every_plan_that_ships_has_somebody_who_may_approve(campaign: str) -> None:
    plan = load_sound(campaign).plan
    for post in approvers(plan):
        refuse_approver(plan, post.title or post.organisation, "经办岗", "run 1")
