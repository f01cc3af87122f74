"""A whole campaign, looked at from every side that somebody would ask about at its end."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Connection, create_engine, text

from rehearsal.outages import SIMULATED
from tests.addresses import address_of
from tests.canary import Canary, every_row
from tests.command_line import canbao

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def open_record(rehearsed: tuple[Path, dict[str, Any]]) -> Iterator[Connection]:
    """The record the rehearsal left, opened as an operator would afterwards."""
    home, _ = rehearsed
    address = address_of(home, "canbao")
    engine = create_engine(address)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_every_phase_was_opened_and_closed(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, answer = rehearsed
    assert answer["finished"]
    assert {phase["id"]: phase["state"] for phase in answer["status"]["phases"]} == {
        "mobilisation": "closed", "comparison": "closed", "contribution": "closed", "acceptance": "closed"}


def test_categories_add_up_to_the_population_in_every_run(open_record: Connection) -> None:
    runs = open_record.execute(text(
        "SELECT r.persons, r.unbalanced, sum(c.persons) AS counted FROM run r JOIN category_count c ON c.run_id = r.id "
        "WHERE r.state = 'done' GROUP BY r.id")).all()
    assert len(runs) >= 9  # one for each month from April to December
    assert all(run.unbalanced == 0 and run.counted == run.persons for run in runs)


def test_rows_of_every_file_are_accounted_for(open_record: Connection) -> None:
    bad = open_record.execute(text("SELECT count(*) FROM delivery WHERE rows <> accepted + quarantined + duplicate + dropped")).scalar()
    assert bad == 0
    assert open_record.execute(text("SELECT count(*) FROM delivery WHERE verdict = 'returned'")).scalar()


def test_eight_monthly_reports_of_each_unit_were_expected(open_record: Connection) -> None:
    rows = open_record.execute(text(
        "SELECT organisation, count(*) FROM obligation WHERE item = 'monthly_report' GROUP BY organisation")).all()
    assert len(rows) == 21
    assert {count for _, count in rows} == {8}


def test_the_october_report_is_due_on_the_eighth(open_record: Connection) -> None:
    row = open_record.execute(text(
        "SELECT DISTINCT nominal_due, effective_due FROM obligation WHERE item = 'monthly_report' AND period = '2021-09'")).one()
    assert (row.nominal_due.isoformat(), row.effective_due.isoformat()) == ("2021-10-02", "2021-10-08")


def test_the_silent_township_climbs_the_whole_ladder_once_per_step(rehearsed: tuple[Path, dict[str, Any]], open_record: Connection) -> None:
    _, answer = rehearsed
    assert [entry["steps"] for entry in answer["silent"]] == [[
        "remind_before", "remind_due_day", "overdue", "escalate", "name_in_bulletin", "supervision_candidate"]]
    twice = open_record.execute(text(
        "SELECT count(*) FROM (SELECT 1 FROM step GROUP BY obligation_id, step_id, occurrence HAVING count(*) > 1) AS x")).scalar()
    assert twice == 0


def test_nobody_is_accused_by_a_machine(open_record: Connection) -> None:
    rows = open_record.execute(text("SELECT kind, decided_by FROM candidate")).all()
    assert {row.kind for row in rows} >= {"supervision", "criticise"}
    assert {row.decided_by for row in rows} == {None}


def test_claims_are_confirmed_or_contradicted_by_a_later_register(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, answer = rehearsed
    outcomes = answer["status"]["outcomes"]
    assert outcomes["confirmed"] > outcomes["contradicted"] > 0
    assert outcomes["claimed"] == sum(outcomes.get(key, 0) for key in ("confirmed", "contradicted", "moot", "waiting"))


def test_no_release_without_another_persons_approval_of_exactly_its_content(open_record: Connection) -> None:
    rows = open_record.execute(text("SELECT prepared_by, approved_by FROM release WHERE released_at IS NOT NULL")).all()
    assert rows
    assert all(row.approved_by and row.approved_by != row.prepared_by for row in rows)


def test_the_audit_trail_is_whole(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    _, answer = rehearsed
    assert answer["status"]["audit_whole"]


def test_every_document_of_the_record_is_there_unchanged(open_record: Connection) -> None:
    import hashlib

    rows = open_record.execute(text("SELECT DISTINCT ON (path) kind, path, sha256 FROM document ORDER BY path, id DESC")).all()
    kinds = {row.kind for row in rows}
    assert {"handbook", "task_letter", "roster", "form:monthly_report", "bulletin:monthly_bulletin", "acceptance:final"} <= kinds
    for row in rows:
        assert hashlib.sha256(Path(row.path).read_bytes()).hexdigest() == row.sha256, row.path


def _canary(home: Path) -> Canary:
    """Knows the numbers and names of everybody in the last comparison."""
    people = max((home / "chengjiang-2021" / "runs").rglob("people.parquet"), key=lambda path: path.stat().st_mtime)
    rows = duckdb.execute(f"SELECT id_number, name FROM read_parquet('{people}')").fetchall()
    return Canary({row[0] for row in rows}, {row[1] for row in rows if row[1] and len(row[1]) >= 3})


def test_no_person_is_anywhere_in_prefects_database(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    """The canary: every text column of every table of Prefect's database (artifacts, events, inputs, states, logs), and its
    server's log."""
    home, _ = rehearsed
    canary = _canary(home)
    engine = create_engine(address_of(home, "prefect"))
    seen: Counter[str] = Counter()
    with engine.connect() as connection:
        for table, row in every_row(connection):
            seen[table] += 1
            assert not canary.sees(row), table
    engine.dispose()
    assert seen.total() > 1000
    # What an operator looks at was there to be searched: tables and pictures, events with what they concern, and their text.
    assert all(seen[table] for table in ("artifact", "events", "event_resources", "flow_run", "task_run"))
    log = (home / "prefect-server.log").read_text(encoding="utf-8", errors="replace")
    assert not canary.sees(log)


def test_every_fact_of_the_year_stands_in_the_event_feed_once(rehearsed: tuple[Path, dict[str, Any]], open_record: Connection) -> None:
    home, _ = rehearsed
    noted = {tuple(row) for row in open_record.execute(text("SELECT event, count(*) FROM event GROUP BY 1"))}
    engine = create_engine(address_of(home, "prefect"))
    with engine.connect() as connection:
        told = {tuple(row) for row in connection.execute(text("SELECT event, count(*) FROM events WHERE event LIKE 'canbao.%' GROUP BY 1"))}
    engine.dispose()
    assert told == noted
    assert {"canbao.report.missed", "canbao.step.sent", "canbao.feed.returned", "canbao.feed.late", "canbao.run.contradicted",
            "canbao.approval.waiting"} <= {event for event, _ in noted}


def test_an_operator_finds_every_flow_in_prefects_history(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    home, answer = rehearsed
    engine = create_engine(address_of(home, "prefect"))
    with engine.connect() as connection:
        states = dict(connection.execute(text("SELECT state_type::text, count(*) FROM flow_run GROUP BY 1")).all())
        names = set(connection.execute(text("SELECT f.name FROM flow f")).scalars())
    engine.dispose()
    failures = len(answer["simulated_failures"])
    assert states == {"COMPLETED": answer["flow_runs"] - failures, "FAILED": failures}
    assert {"mobilisation", "data-comparison", "release-lists", "contribution", "sweep", "bulletin", "acceptance"} <= names


def test_each_failure_that_was_planned_is_said_to_be_simulated_and_followed_by_a_success(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    home, answer = rehearsed
    engine = create_engine(address_of(home, "prefect"))
    with engine.connect() as connection:
        rows = connection.execute(text(
            "SELECT r.name, r.state_type::text AS state, r.end_time, s.message FROM flow_run r "
            "JOIN flow_run_state s ON s.id = r.state_id ORDER BY r.end_time")).all()
    engine.dispose()
    failed = [row for row in rows if row.state == "FAILED"]
    assert [period for row in failed for period in answer["simulated_failures"] if period in row.name] == answer["simulated_failures"]
    for row in failed:
        assert SIMULATED in row.message
        assert any(later.name == row.name and later.state == "COMPLETED" and later.end_time > row.end_time for later in rows)


def test_a_failed_run_left_nothing_wrong_in_the_record(rehearsed: tuple[Path, dict[str, Any]], open_record: Connection) -> None:
    _, answer = rehearsed
    failed = open_record.execute(text(
        "SELECT r.period, r.state, array_agg(a.outcome ORDER BY a.id) AS outcomes FROM run r JOIN run_attempt a ON a.run_id = r.id "
        "GROUP BY r.id HAVING bool_or(a.outcome = 'failed') ORDER BY r.period")).all()
    assert [row.period for row in failed] == answer["simulated_failures"]
    assert all(row.state == "done" and row.outcomes == ["failed", "done"] for row in failed)


def test_rehearsing_again_changes_nothing(rehearsed: tuple[Path, dict[str, Any]], open_record: Connection) -> None:
    home, first = rehearsed
    counts = "SELECT (SELECT count(*) FROM step), (SELECT count(*) FROM message), (SELECT count(*) FROM finding_event), " \
             "(SELECT count(*) FROM submission), (SELECT count(*) FROM delivery), (SELECT count(*) FROM document), (SELECT count(*) FROM run)"
    before = open_record.execute(text(counts)).one()
    open_record.rollback()
    again = canbao(home, "rehearse", "chengjiang-2021", "--persons", "4000", "--json")
    assert again.returncode == 0, again.stderr[-2000:]
    answer = json.loads(again.stdout)
    assert answer["flow_runs"] == 0
    assert answer["status"]["lists"] == first["status"]["lists"]
    assert open_record.execute(text(counts)).one() == before


@pytest.mark.parametrize("command", [
    ["sweep", "chengjiang-2021", "--as-of", "2022-01-20T10:00:00+08:00"],
    ["compare", "chengjiang-2021", "--period", "2021-12", "--as-of", "2022-01-20T10:00:00+08:00"],
])
def test_running_a_duty_again_by_hand_changes_nothing(rehearsed: tuple[Path, dict[str, Any]], open_record: Connection, command: list[str]) -> None:
    home, _ = rehearsed
    counts = text("SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM run), (SELECT count(*) FROM finding_event)")
    assert canbao(home, *command).returncode == 0
    open_record.rollback()
    before = open_record.execute(counts).one()
    done: subprocess.CompletedProcess[str] = canbao(home, *command)
    open_record.rollback()
    assert done.returncode == 0, done.stderr
    assert open_record.execute(counts).one() == before


def test_nothing_of_prefect_is_left_in_a_sqlite_file(rehearsed: tuple[Path, dict[str, Any]]) -> None:
    home, _ = rehearsed
    for path in (home / "prefect").rglob("*.db"):
        with sqlite3.connect(path) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "flow_run" not in tables, path
