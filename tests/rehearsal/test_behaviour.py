"""How organisations behave in a rehearsal: in time, late, wrong, silent, always the same way for a seed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.plan_file import read
from rehearsal.behaviour import (
    Conduct,
    acknowledges,
    conducts,
    correction_instant,
    delivery_instant,
    first_is_faulty,
    plan_visits,
    submission_instant,
)
from rehearsal.place_config import ConductShares, StatedConduct, derived, read_place

PLAN_FILE = Path(__file__).parents[2] / "campaigns" / "chengjiang-2021" / "plan.yaml"
PLAN = read(PLAN_FILE).plan
ZONE = ZoneInfo("Asia/Shanghai")
REPORT, POPULATION = PLAN.item("obligations", "monthly_report"), PLAN.item("feeds", "population")
DUE_BEFORE = datetime(2021, 6, 3, tzinfo=ZONE)  # 「每月2日前」 for May: the 2nd itself is in time


def of_manner(manner: str, late_days: int = 0) -> Conduct:
    return Conduct("luju", manner, late_days)  # type: ignore[arg-type]


def test_a_punctual_report_comes_before_the_deadline_in_office_hours() -> None:
    for seed in range(40):
        at = submission_instant(of_manner("punctual"), REPORT, "2021-05", DUE_BEFORE, seed)
        assert at is not None
        assert DUE_BEFORE - timedelta(days=3) <= at < DUE_BEFORE
        assert 9 <= at.hour < 17
        assert at.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("days", [1, 3, 10])
def test_a_late_report_comes_that_many_days_after_the_due_day(days: int) -> None:
    at = submission_instant(of_manner("late", days), REPORT, "2021-05", DUE_BEFORE, 1)
    assert at is not None
    assert (at.date() - DUE_BEFORE.date()).days == days - 1, "the due day is the day before the exclusive deadline"


def test_a_silent_organisation_sends_nothing_answers_nothing_and_visits_nobody() -> None:
    silent = of_manner("silent")
    assert submission_instant(silent, REPORT, "2021-05", DUE_BEFORE, 1) is None
    assert delivery_instant(silent, POPULATION, "2021-05", DUE_BEFORE, 1) is None
    assert not any(acknowledges(silent, "monthly_report", "2021-05", step, 1) for step in ("a", "b", "c", "d"))
    assert plan_visits(silent, "uninsured", ["1", "2", "3"], "2021-05", 1) == []


def test_a_careless_organisation_is_in_time_but_often_wrong_and_corrects_two_days_after_the_return() -> None:
    wrong = Conduct("youshuo", "wrong", corrects_after_days=2)
    at = submission_instant(wrong, REPORT, "2021-05", DUE_BEFORE, 1)
    assert at is not None
    assert at < DUE_BEFORE
    faulty = [first_is_faulty(wrong, "monthly_report", f"2021-{month:02d}", 1) for month in range(1, 13)]
    assert 3 <= sum(faulty) < 12
    returned = datetime(2021, 6, 3, 17, 30, tzinfo=ZONE)
    corrected = correction_instant(wrong, "monthly_report", "2021-05", returned, 1)
    assert corrected.date() == returned.date() + timedelta(days=2)


def test_only_the_careless_send_faulty_files() -> None:
    for manner in ("punctual", "late", "silent"):
        assert not any(first_is_faulty(of_manner(manner), "population", "2021-05", seed) for seed in range(50))


def test_a_correction_never_precedes_the_return() -> None:
    at_once = Conduct("youshuo", "wrong", corrects_after_days=0)
    returned = datetime(2021, 6, 3, 23, 0, tzinfo=ZONE)
    assert correction_instant(at_once, "population", "2021-05", returned, 1) >= returned


@given(st.integers(0, 10**6), st.sampled_from(["2021-05", "2021-11"]))
def test_the_same_seed_always_gives_the_same_instant(seed: int, period: str) -> None:
    first = delivery_instant(of_manner("punctual"), POPULATION, period, DUE_BEFORE, seed)
    assert first == delivery_instant(of_manner("punctual"), POPULATION, period, DUE_BEFORE, seed)


def test_files_come_at_different_hours() -> None:
    instants = {delivery_instant(Conduct(org, "punctual"), POPULATION, "2021-05", DUE_BEFORE, 1) for org in "abcdefgh"}
    assert len(instants) > 4


def test_a_share_of_the_roster_is_worked_in_the_rosters_order() -> None:
    keys = [f"{number:018d}" for number in range(2000)]
    chosen = plan_visits(Conduct("luju", "punctual", visited_per_month_share=0.4), "uninsured", keys, "2021-06", 1)
    assert 0.36 * len(keys) < len(chosen) < 0.44 * len(keys)
    assert chosen == sorted(chosen)
    again = plan_visits(Conduct("luju", "punctual", visited_per_month_share=0.4), "uninsured", keys, "2021-07", 1)
    assert again != chosen


def test_an_offer_list_may_be_worked_more_slowly() -> None:
    conduct = Conduct("luju", "punctual", visited_per_month_share=1.0, visited_share_by_list=(("low_tier_payer", 0.0),))
    assert plan_visits(conduct, "low_tier_payer", ["1", "2"], "2021-06", 1) == []
    assert plan_visits(conduct, "uninsured", ["1", "2"], "2021-06", 1) == ["1", "2"]


def test_what_the_place_states_stands_and_exactly_one_township_is_silent() -> None:
    found = conducts(PLAN, read_place(PLAN, PLAN_FILE), seed=7)
    assert found["haikou"].manner == "silent"
    assert (found["luju"].manner, found["luju"].late_days) == ("late", 3)
    assert [code for code, conduct in found.items() if conduct.manner == "silent"] == ["haikou"]


@pytest.mark.parametrize("seed", range(5))
def test_without_statements_one_township_is_silent_and_most_others_punctual(seed: int) -> None:
    config = derived(PLAN)
    found = conducts(PLAN, config, seed)
    silent = [code for code, conduct in found.items() if conduct.manner == "silent"]
    assert len(silent) == 1
    assert PLAN.organisation(silent[0]).kind == "township"
    counted = Counter(conduct.manner for conduct in found.values())
    assert counted["punctual"] > counted["late"] > counted["wrong"] > 0
    assert all(conduct.late_days >= 1 for conduct in found.values() if conduct.manner == "late")


def test_everybody_who_owes_anything_has_a_conduct() -> None:
    found = conducts(PLAN, derived(PLAN), seed=1)
    owing = {org.code for item in PLAN.obligations for org in PLAN.select(item.who)}
    assert owing | {code for feed in PLAN.feeds for code in feed.providers} <= set(found)


def test_a_place_may_have_no_silent_township_at_all() -> None:
    config = derived(PLAN).model_copy(update={
        "conduct_shares": ConductShares(late=0, wrong=0, silent_townships=0),
        "conduct": {"fenglu": StatedConduct(manner="late", late_days=2)},
    })
    found = conducts(PLAN, config, seed=1)
    assert Counter(conduct.manner for conduct in found.values())["punctual"] == len(found) - 1
