"""The bench from one end to the other: a run leaves questions, a clerk answers them, the next run applies the answers and
asks no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import openpyxl
import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from comparison.plan_check import load_sound
from documents.bench_workbook import SHEET
from models.database import transaction
from models.errors import WrongUse
from models.tables import Audit
from rehearsal.simulate import simulate
from tasks.campaign import store_plan
from tasks.comparison import latest_run, run_comparison
from tasks.doors import waiting_files
from tasks.identities import bench, decide
from tasks.intake import take_in
from tasks.obligations import make_obligations
from tests.conftest import fresh_record
from tests.documents.test_bench_workbook import ANSWER, FIRST_LINE

CAMPAIGN, PERIOD = "chengjiang-2021", "2021-04"
NOW = datetime(2021, 5, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
DEFECTS = "20,23,26,27,28"


@pytest.fixture(scope="module")
def place(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small place whose numbers and names have every defect, taken in and compared once."""
    folder = tmp_path_factory.mktemp("bench")
    with fresh_record(server, folder / "home"):
        simulate(load_sound(CAMPAIGN), persons=6000, seed=9, periods=[PERIOD], out=folder, defects=DEFECTS)
        store_plan.fn(CAMPAIGN, NOW)
        make_obligations.fn(CAMPAIGN, NOW)
        for feed, path, _ in waiting_files(CAMPAIGN, folder / "inbox", PERIOD):
            take_in.fn(CAMPAIGN, feed, PERIOD, str(path), NOW)
        run_comparison.fn(CAMPAIGN, PERIOD, NOW)
        yield folder


def tiers() -> dict[str, int]:
    run = latest_run(CAMPAIGN, PERIOD)
    return dict(duckdb.execute(
        f"SELECT tier, count(*) FROM read_parquet('{run['folder']}/resolved.parquet') GROUP BY tier").fetchall())


def answered(path: Path, answers: dict[int, str]) -> Path:
    book = openpyxl.load_workbook(path)
    for line, answer in answers.items():
        book[SHEET].cell(FIRST_LINE + line, ANSWER, answer)
    book.save(path)
    return path


def test_a_decision_is_applied_remembered_and_audited(place: Path) -> None:
    before = tiers()
    assert before["review"] > 1
    out = place / "bench.xlsx"
    written = bench(CAMPAIGN, PERIOD, out, NOW, "演练核对身份疑点")
    sheet = openpyxl.load_workbook(out)[SHEET]
    numbers = [sheet.cell(FIRST_LINE + line, 1).value for line in range(written["pairs"])]
    firsts = [numbers.index(number) for number in dict.fromkeys(numbers)]
    assert len(firsts) == written["questions"]

    # The likeliest is the one; whoever else was shown beside is somebody else.
    answers = {line: "是" if line in firsts else "不是" for line in range(written["pairs"])}
    told = decide(CAMPAIGN, answered(out, answers), "专班综合岗", NOW)
    assert (told["changed"], told["undecided"]) == (written["pairs"], 0)
    run_comparison.fn(CAMPAIGN, PERIOD, NOW)
    after = tiers()
    assert after["clerical"] >= written["questions"]
    assert after.get("review", 0) == 0
    assert sum(after.values()) == sum(before.values())

    # The same workbook again, and another run: nothing new, nothing undone.
    assert decide(CAMPAIGN, out, "专班综合岗", NOW)["changed"] == 0
    assert run_comparison.fn(CAMPAIGN, PERIOD, NOW)["new"] is False
    assert bench(CAMPAIGN, PERIOD, place / "again.xlsx", NOW, "演练核对身份疑点")["pairs"] == 0
    with transaction() as tx:
        actions = [(row.action, row.count) for row in tx.execute(select(Audit.action, Audit.count))]
    assert ("identity bench exported", written["pairs"]) in actions
    assert ("identities decided", written["pairs"]) in actions


def test_a_bench_of_another_campaign_or_without_a_post_is_refused(place: Path) -> None:
    bench(CAMPAIGN, PERIOD, place / "b.xlsx", NOW, "演练核对身份疑点")
    with pytest.raises(WrongUse, match="answers for it"):
        decide(CAMPAIGN, place / "b.xlsx", " ", NOW)
    store_plan.fn("bozhou-2018", NOW)
    with pytest.raises(WrongUse, match="belongs to the campaign"):
        decide("bozhou-2018", place / "b.xlsx", "专班综合岗", NOW)
