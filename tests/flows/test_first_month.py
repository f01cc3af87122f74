"""The first month of a small campaign on a coarse clock: a change that breaks the chain between the rooms is found in minutes.

Whole campaigns are played by the long tests beside this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from models.private import open_to_others
from tests.addresses import address_of
from tests.command_line import canbao

PERSONS, UNTIL = 800, "2021-05-28"
"""Until April is compared, its lists are out, and the first reports are in or overdue."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """澄江 2021 from its notice to the release of the first lists: (CANBAO_HOME, the answer as JSON)."""
    home = tmp_path_factory.mktemp("first-month") / "home"
    done = canbao(home, "rehearse", "chengjiang-2021", "--persons", str(PERSONS), "--coarse", "--until", UNTIL, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return home, answer


@pytest.fixture(scope="module")
def status(played: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """How the campaign stands at the end of that day."""
    found: dict[str, Any] = played[1]["status"]
    return found


@pytest.fixture(scope="module", params=["canbao", "prefect"])
def opened(request: pytest.FixtureRequest, played: tuple[Path, dict[str, Any]]) -> Iterator[tuple[str, Connection]]:
    """The record and Prefect's database, as they were left."""
    address = address_of(played[0], request.param)
    engine = create_engine(address)
    with engine.connect() as connection:
        yield request.param, connection
    engine.dispose()


def test_everybody_is_in_one_category_and_the_files_add_up(status: dict[str, Any]) -> None:
    run, files = status["run"], status["files"]
    assert run["unbalanced"] == 0
    assert sum(category["persons"] for category in run["categories"]) == run["persons"] >= PERSONS * 0.9
    assert files["rows"] == files["accepted"] + files["quarantined"] + files["duplicate"] + files["dropped"] > 0


def test_nothing_of_it_is_open_to_another_account(played: tuple[Path, dict[str, Any]]) -> None:
    assert len(list(played[0].rglob("*.xlsx"))) > 20
    assert [f"{path} {mode:o}" for path, mode in open_to_others(played[0])] == []


def test_reports_files_and_owners_are_told_apart(status: dict[str, Any]) -> None:
    reports = status["reports"]
    assert reports["on_time"] + reports["late"] + reports["missing"] == reports["expected"] == 21
    assert status["feeds"]["on_time"] + status["feeds"]["late"] == status["feeds"]["expected"]
    assert len([entry for entry in status["lists"] if entry["findings"]]) >= 6
    assert status["messages"]["sent"] > 0


def test_lists_went_out_approved_by_another_post(played: tuple[Path, dict[str, Any]], status: dict[str, Any]) -> None:
    assert status["proposal"]["state"] == "released"
    assert list((played[0] / "chengjiang-2021" / "rosters").rglob("*.xlsx"))
    assert list((played[0] / "chengjiang-2021" / "documents").rglob("*.docx"))
    assert status["audit_whole"]


def test_record_and_prefect_tell_the_same_story_in_rows(played: tuple[Path, dict[str, Any]], opened: tuple[str, Connection]) -> None:
    name, connection = opened
    if name == "prefect":
        states = dict(connection.execute(text("SELECT state_type::text, count(*) FROM flow_run GROUP BY 1")).all())
        assert states == {"COMPLETED": played[1]["flow_runs"]}
        names = set(connection.execute(text("SELECT name FROM flow")).scalars())
        assert {"mobilisation", "data-comparison", "release-lists", "sweep"} <= names
    else:
        assert connection.execute(text("SELECT count(*) FROM step")).scalar_one() > 0
        assert connection.execute(text("SELECT count(*) FROM release WHERE approved_by <> prepared_by")).scalar_one() == 1


def test_rehearsing_again_changes_nothing(played: tuple[Path, dict[str, Any]]) -> None:
    again = canbao(played[0], "rehearse", "chengjiang-2021", "--persons", str(PERSONS), "--coarse", "--until", UNTIL, "--json")
    assert again.returncode == 0, again.stderr[-3000:]
    assert json.loads(again.stdout)["flow_runs"] == 0
