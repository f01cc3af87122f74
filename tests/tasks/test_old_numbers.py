"""A table of replaced numbers from the command to the link: a register that still carries an old number finds its person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from canbao.commands import app
from models.database import transaction
from models.errors import WrongUse
from tasks import comparison as tasks
from tasks.old_numbers import take_old_numbers
from tests.comparison.a_question import a_number
from tests.conftest import fresh_record
from tests.tasks.a_comparison import CAMPAIGN, NOW, PERIOD, accept

OLD = a_number(7, born="19331231", area="533025")
"""Of nobody in the place, and like nobody's: only the table can tell whose it was."""


@pytest.fixture(scope="module")
def number(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The number of somebody whose row in the resident pension register carries ``OLD`` instead."""
    folder = tmp_path_factory.mktemp("old-numbers")
    with fresh_record(server, folder / "home"):
        accept(folder, persons=1000)
        with transaction() as tx:
            paths: dict[str, str] = dict(tx.execute(text("SELECT feed, snapshot FROM delivery WHERE period = :period"), {"period": PERIOD}).all())
        pension, people = paths["resident_pension"], paths["population"]
        ((chosen, line),) = duckdb.execute(f"""
            SELECT r.id_number, r.row_number FROM read_parquet('{pension}') r JOIN read_parquet('{people}') p USING (id_number, name)
            ORDER BY r.row_number LIMIT 1""").fetchall()
        renewed = Path(pension).with_suffix(".renewed")
        duckdb.execute(f"COPY (SELECT * REPLACE (CASE WHEN row_number = {line} THEN '{OLD}' ELSE id_number END AS id_number) "
                       f"FROM read_parquet('{pension}')) TO '{renewed}' (FORMAT parquet)")
        renewed.replace(pension)
        yield chosen


def tier() -> list[tuple[str, str | None]]:
    run = tasks.run_comparison.fn(CAMPAIGN, PERIOD, NOW)
    folder = tasks.latest_run(CAMPAIGN, PERIOD)["folder"]
    assert run["unbalanced"] == 0
    return duckdb.execute(f"""
        SELECT r.tier, p.id_number FROM read_parquet('{folder}/residual_resident_pension.parquet') a
        JOIN read_parquet('{folder}/resolved.parquet') r ON r.feed = 'resident_pension' AND r.file = a.file AND r.row_number = a.row_number
        LEFT JOIN read_parquet('{folder}/people.parquet') p ON p.person = r.person WHERE a.id_number = '{OLD}'""").fetchall()


def test_a_table_of_old_numbers_links_what_only_it_can(number: str, tmp_path: Path) -> None:
    assert tier() == [("unlinked", None)]
    table = tmp_path / "table.csv"
    table.write_text(f"旧身份证号,新身份证号\n{OLD},{number}\n{OLD},无\n", encoding="gb18030")
    command = ["old-numbers", CAMPAIGN, str(table), "--by", "公安接口岗", "--as-of", NOW.isoformat(), "--json"]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(told.stdout) == {"campaign": CAMPAIGN, "lines": 2, "added": 1, "known": 1, "refused": {"no_number": [3]}}
    assert not [secret for secret in (number, OLD) if secret in told.output]
    assert tier() == [("old_number", number)]
    again = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(again.stdout)["added"] == 0


def test_the_import_is_in_the_audit_trail_with_counts_alone(number: str) -> None:
    with transaction() as tx:
        rows = tx.execute(text("SELECT actor, subject, count FROM audit WHERE action = 'old numbers taken' ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("公安接口岗", "1 known", 1), ("公安接口岗", "1 known", 0)]


def test_nobody_takes_a_table_unnamed(number: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="answers for it"):
        take_old_numbers(CAMPAIGN, tmp_path / "none.csv", " ", NOW)
