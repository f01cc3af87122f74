"""One lead owner on every day: through successions, disputes and runs that name somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.database import transaction
from models.errors import WrongUse
from models.store import findings as store
from models.store import life as lives
from tasks import ownership
from tests.record.a_life import CAMPAIGN, Life

A, B = ("uninsured", "P1"), ("uninsured", "P2")
OFFICE = "办公室副主任岗"


@pytest.fixture
def life(record: Path) -> Life:
    life = Life(record.parent)
    life.run("2021-04", {A: "fenglu", B: "fenglu"})
    return life


def _dispute(life: Life, key: Any, to: str = "longjie", by: str = "fenglu") -> int:
    return int(ownership.dispute(CAMPAIGN, life.row(key)["id"], by, to, "户口已迁", life._tick())["dispute"])


def _owners(life: Life, key: Any) -> tuple[str, list[str]]:
    row = life.row(key)
    return row["owner"], row["co_owners"]


def test_until_a_dispute_is_settled_who_leads_goes_on_leading(life: Life) -> None:
    number = _dispute(life, A)
    assert _owners(life, A) == ("fenglu", ["renshe"])
    assert [entry["dispute"] for entry in ownership.waiting(CAMPAIGN)] == [number]
    assert life.release() == 2
    with pytest.raises(WrongUse, match="waiting already"):
        _dispute(life, A, to="haikou")
    with pytest.raises(WrongUse, match="is a party"):
        ownership.settle(CAMPAIGN, number, "fenglu", True, "同意", life._tick())


def test_an_accepted_dispute_transfers_the_finding_and_later_runs_keep_it_there(life: Life) -> None:
    ownership.settle(CAMPAIGN, _dispute(life, A), OFFICE, True, "经核实", life._tick())
    assert _owners(life, A) == ("longjie", ["fenglu", "renshe"])
    life.run("2021-05", {A: "fenglu", B: "fenglu"})
    assert _owners(life, A) == ("longjie", ["fenglu", "renshe"])
    assert _owners(life, B) == ("fenglu", ["renshe"])
    assert life.events(A) == ["new", "disputed", "transferred", "persisting"]
    assert ownership.waiting(CAMPAIGN) == []


def test_a_transfer_lapses_once_the_rule_names_somebody_else(life: Life) -> None:
    ownership.settle(CAMPAIGN, _dispute(life, A), OFFICE, True, "经核实", life._tick())
    life.run("2021-05", {A: "haikou", B: "fenglu"})
    assert _owners(life, A) == ("haikou", ["renshe"])
    life.run("2021-06", {A: "fenglu", B: "fenglu"})
    assert _owners(life, A) == ("fenglu", ["renshe"])


def test_a_refused_dispute_changes_nothing_but_the_history(life: Life) -> None:
    number = _dispute(life, A, by="renshe")
    ownership.settle(CAMPAIGN, number, OFFICE, False, "户口未迁", life._tick())
    assert _owners(life, A) == ("fenglu", ["renshe"])
    assert life.events(A) == ["new", "disputed", "dispute_refused"]
    with pytest.raises(WrongUse, match="settled already"):
        ownership.settle(CAMPAIGN, number, OFFICE, True, "改判", life._tick())
    assert _dispute(life, A) > number


def test_a_run_that_names_another_owner_records_the_transfer(life: Life) -> None:
    assert life.run("2021-05", {A: "longjie", B: "fenglu"})["transferred"] == 1
    with transaction() as tx:
        last = lives.events_of(tx, life.row(A)["id"])[-1]
    assert (last["event"], last["detail"]) == ("transferred", "fenglu → longjie")


def test_findings_of_a_unit_that_ended_pass_to_its_successor_between_two_runs(life: Life) -> None:
    leads = {"fenglu": "longjie", "renshe": "office"}
    with transaction() as tx:
        assert lives.hand_over(tx, CAMPAIGN, leads, "2021-05", life._tick()) == 2
        assert lives.hand_over(tx, CAMPAIGN, leads, "2021-05", life._tick()) == 0
    assert {row["owner"] for row in life.rows().values()} == {"longjie"}
    life.run("2021-05", {A: "fenglu", B: "haikou"}, leads=leads)
    assert (_owners(life, A), _owners(life, B)) == (("longjie", ["office"]), ("haikou", ["office"]))
    assert life.illegal_steps() == []


def test_the_roster_says_what_is_disputed_and_what_came_from_another(life: Life) -> None:
    from tasks.campaign import plan_in_force
    from tasks.release import _history

    plan = plan_in_force(CAMPAIGN)
    ownership.settle(CAMPAIGN, _dispute(life, A), OFFICE, True, "经核实", life._tick())
    _dispute(life, B)
    with transaction() as tx:
        disputes = {row["finding_id"]: row for row in lives.open_disputes(tx, CAMPAIGN)}
        rows = {(row["list"], row["subject"]): row for row in store.to_hand_out(tx, store.HandOut(CAMPAIGN, {}))}
    assert _history(plan, rows[A], disputes.get(rows[A]["id"])) == "经认定由凤麓转入"
    assert _history(plan, rows[B], disputes.get(rows[B]["id"])) == "凤麓提出应由龙街负责，认定前仍由凤麓牵头"
