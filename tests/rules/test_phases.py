"""Which phases run, and who is in play while a pilot runs alone."""

from __future__ import annotations

from datetime import date
from functools import cache

from models.plan import Plan
from models.plan_file import find, read
from rules.phases import field_work, owners_in_play, running


@cache
def _plan(campaign: str) -> Plan:
    return read(find(campaign)).plan


def test_two_phases_of_chengjiang_run_at_once() -> None:
    # C12 and C13 have the same dates.
    assert {phase.kind for phase in running(_plan("chengjiang-2021"), date(2021, 5, 31))} == {"mobilisation", "comparison"}
    assert {phase.kind for phase in running(_plan("chengjiang-2021"), date(2021, 6, 1))} == {"contribution"}


def test_an_open_end_runs_on() -> None:
    assert [phase.kind for phase in running(_plan("lianyungang-2016"), date(2017, 2, 1))] == ["routine"]


def test_only_pilot_places_get_rosters_while_the_pilot_runs_alone() -> None:
    plan = _plan("lianyungang-2016")
    pilots = {code for phase in plan.phases for code in phase.pilots}
    chosen = owners_in_play(plan, date(2016, 4, 15))
    assert chosen is not None
    assert pilots <= chosen
    assert len(chosen) < len(plan.organisations)
    assert owners_in_play(plan, date(2016, 6, 1)) is None  # the survey has begun (L9)
    assert owners_in_play(_plan("chengjiang-2021"), date(2021, 6, 1)) is None


def test_the_kind_of_field_work_follows_the_phases() -> None:
    assert field_work(_plan("lianyungang-2016"), date(2016, 6, 1)) == "survey"
    assert field_work(_plan("chengjiang-2021"), date(2021, 7, 1)) == "contribution"
    assert field_work(_plan("chengjiang-2021"), date(2021, 12, 1)) is None
