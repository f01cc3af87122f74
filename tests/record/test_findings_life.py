"""The life of a finding: runs, owners and corrections move it, each step by the table, and nothing is ever there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from models.database import transaction
from models.errors import CanbaoError
from models.states import STATES
from models.store import findings
from models.store import life as store
from rules.finding_life import LIFE, TRANSITIONS, UNKNOWN
from tests.conftest import fresh_record
from tests.record.a_life import Life

A, B, C = ("uninsured", "P1"), ("uninsured", "P2"), ("no_card", "P1")


@pytest.fixture
def life(record: Path) -> Life:
    return Life(record.parent)


def test_a_finding_is_new_and_then_persists_until_it_is_handed_out(life: Life) -> None:
    assert life.run("2021-04", [A, B]) == {"new": 2, "persisting": 0}
    assert life.run("2021-05", [A, B, C]) == {"new": 1, "persisting": 2}
    assert [life.status(key) for key in (A, B, C)] == ["persisting", "persisting", "new"]
    assert life.release() == 3
    life.run("2021-06", [A, B, C])
    assert {life.status(key) for key in (A, B, C)} == {"released"}


def test_a_claim_is_confirmed_by_the_register_that_lists_it_no_more(life: Life) -> None:
    life.run("2021-04", [A, B])
    life.release()
    life.claim(A, "2021-05")
    assert life.run("2021-05", [A, B]) == {"persisting": 2}
    assert life.status(A) == "claimed"
    assert life.run("2021-06", [B]) == {"confirmed": 1, "persisting": 1}
    assert (life.status(A), life.row(A)["last_seen"], life.row(A)["closed_in"]) == ("confirmed", "2021-05", "2021-06")


def test_a_claim_is_contradicted_only_by_a_later_month(life: Life) -> None:
    life.run("2021-04", [A])
    life.release()
    life.claim(A, "2021-05")
    life.run("2021-05", [A])
    assert life.status(A) == "claimed"
    assert life.run("2021-06", [A]) == {"contradicted": 1, "persisting": 1}
    assert life.release() == 1
    life.claim(A, "2021-07")
    life.run("2021-07", [])
    assert life.events(A) == ["new", "released", "claimed", "contradicted", "released", "claimed", "confirmed"]


def test_who_leaves_the_scope_is_neither_confirmed_nor_contradicted(life: Life) -> None:
    life.run("2021-04", [A])
    life.claim(A, "2021-05")
    assert life.run("2021-05", [], gone=["P1"]) == {"closed": 1, "persisting": 0}


def test_what_ended_comes_back_as_reopened(life: Life) -> None:
    life.run("2021-04", [A])
    life.run("2021-05", [])
    assert life.run("2021-06", [A]) == {"reopened": 1, "persisting": 0}
    assert (life.row(A)["first_seen"], life.row(A)["last_seen"]) == ("2021-04", None)


def test_an_excuse_holds_to_its_last_month_and_then_the_finding_is_worked_again(life: Life) -> None:
    life.run("2021-04", [A, B])
    life.release()
    life.excuse(A, "2021-05", until="2021-07")
    life.excuse(B, "2021-05")
    for period in ("2021-05", "2021-06", "2021-07"):
        assert life.run(period, [A, B]) == {"persisting": 2}
    assert life.run("2021-08", [A, B]) == {"lapsed": 1, "persisting": 2}
    assert (life.status(A), life.status(B)) == ("reopened", "excused")


def test_an_excused_finding_that_was_away_for_a_month_is_still_excused(life: Life) -> None:
    life.run("2021-04", [A])
    life.excuse(A, "2021-04", until="2021-09")
    life.run("2021-05", [])
    assert life.run("2021-06", [A]) == {"still_excused": 1, "persisting": 0}
    life.run("2021-07", [])
    life.run("2021-10", [A])
    assert life.status(A) == "reopened"


def test_who_takes_an_answer_back_has_the_finding_on_the_roster_again(life: Life) -> None:
    life.run("2021-04", [A, B])
    life.release()
    life.claim(A, "2021-05")
    life.excuse(B, "2021-05")
    life.answer(A, "2021-05", "away")
    life.answer(B, "2021-05", "away")
    assert (life.status(A), life.status(B)) == ("released", "released")
    life.run("2021-06", [A, B])
    assert life.events(A) == ["new", "released", "claimed", "answered"]


# --- corrections ----------------------------------------------------------------------------------------


def test_a_corrected_feed_changes_only_the_findings_it_speaks_of(life: Life) -> None:
    life.run("2021-04", [A, B, C])
    life.release()
    assert life.run("2021-05", [A, C]) == {"closed": 1, "persisting": 2}
    assert life.run("2021-05", [A, B, C]) == {"restored": 1, "persisting": 2}
    assert {life.status(key) for key in (A, B, C)} == {"released"}
    assert life.events(A) == ["new", "released"]


def test_what_only_the_faulty_feed_listed_is_withdrawn(life: Life) -> None:
    life.run("2021-04", [A])
    life.run("2021-05", [A, B])
    life.release()
    assert life.run("2021-05", [A]) == {"withdrawn": 1, "persisting": 1}
    assert life.status(B) == "withdrawn"
    assert life.listed() == {A}
    life.run("2021-06", [A, B])
    assert (life.status(B), life.row(B)["first_seen"]) == ("new", "2021-06")


def test_a_claim_judged_by_the_faulty_feed_is_judged_again(life: Life) -> None:
    life.run("2021-04", [A, B])
    life.release()
    life.claim(A, "2021-04")
    life.claim(B, "2021-05")
    assert life.run("2021-05", [A]) == {"contradicted": 1, "confirmed": 1, "persisting": 1}
    assert life.run("2021-05", [B]) == {"confirmed": 1, "restored": 1, "persisting": 0}
    assert (life.status(A), life.status(B)) == ("confirmed", "claimed")
    assert life.run("2021-06", [B]) == {"contradicted": 1, "persisting": 1}


def test_a_run_of_an_older_month_turns_nothing_back(life: Life) -> None:
    life.run("2021-04", [A])
    life.run("2021-05", [A, B])
    life.release()
    before = life.seen()
    life.run("2021-04", [C])
    assert life.seen() == before


MONTHS = ("2021-04", "2021-05", "2021-06")
SUBJECTS = [("uninsured", f"P{number}") for number in range(4)]
LISTED = st.sets(st.sampled_from(SUBJECTS))
ANSWERS = st.lists(st.tuples(st.sampled_from(("claim", "excuse", "brief", "away")), st.sampled_from(SUBJECTS)), max_size=4)


@pytest.fixture(scope="module")
def lives(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Life]]:
    """Lives that begin with an empty record, one after the other: a database for each would take a second."""
    folder = tmp_path_factory.mktemp("lives")
    with fresh_record(server, folder / "home"):
        life = Life(folder)

        def begin() -> Life:
            life.forget()
            return life

        yield begin


def _answer(life: Life, month: str, answers: list[tuple[str, Any]]) -> None:
    there = life.rows()
    for kind, key in answers:
        if key not in there:
            continue
        if kind == "claim":
            life.claim(key, month)
        elif kind == "away":
            life.answer(key, month, "away")
        else:
            life.excuse(key, month, until=month if kind == "brief" else "9999-12")


@settings(max_examples=12)
@given(steps=st.lists(st.tuples(st.sampled_from(MONTHS), LISTED, st.booleans(), ANSWERS), min_size=1, max_size=8))
def test_any_sequence_of_runs_keeps_one_row_per_subject_and_legal_steps(lives: Callable[[], Life], steps: list[Any]) -> None:
    life, newest, expected = lives(), "", set()
    for month, listed, released, answers in steps:
        life.run(month, listed)
        if month >= newest:
            newest, expected = month, set(listed)
        assert life.listed() == expected
        if released:
            life.release()
        _answer(life, newest, answers)
    assert life.illegal_steps() == []
    assert all(row["owner"] for row in life.rows().values())


@settings(max_examples=12)
@example(months=[(set(), {("uninsured", "P0")}, [("brief", ("uninsured", "P0"))]), (set(), {("uninsured", "P0")}, [])])
@example(months=[(set(), {("uninsured", "P0")}, [("brief", ("uninsured", "P0"))]), ({("uninsured", "P0")}, set(), [])])
@given(months=st.lists(st.tuples(LISTED, LISTED, ANSWERS), min_size=1, max_size=3))
def test_a_corrected_run_leaves_what_the_right_feed_alone_would_have_left(lives: Callable[[], Life], months: list[Any]) -> None:
    states = []
    for is_corrected in (True, False):
        life = lives()
        for month, (wrong, right, answers) in zip(MONTHS, months, strict=False):
            if is_corrected:
                life.run(month, wrong)
            life.run(month, right)
            life.release()
            _answer(life, month, [(kind, key) for kind, key in answers if key in right])
        states.append(life.seen())
        assert life.illegal_steps() == []
    assert states[0] == states[1]


# --- the table ------------------------------------------------------------------------------------------


def test_every_state_is_reached_and_left_by_the_table() -> None:
    assert {before for moves in LIFE.values() for before in moves} - {UNKNOWN} == set(STATES)
    assert {after for _, _, after in TRANSITIONS} == set(STATES)


def test_a_move_that_is_not_in_the_table_changes_nothing(life: Life) -> None:
    life.run("2021-04", [A])
    forbidden = [step for step in TRANSITIONS if step[0] != "released"]
    with transaction() as tx:
        run = findings.latest_run(tx, "chengjiang-2021")
    assert run is not None
    with transaction() as tx, pytest.raises(CanbaoError, match="cannot move"):
        store.mark_released(tx, run, [life.row(A)["id"]], life.now, forbidden)
    assert life.status(A) == "new"
