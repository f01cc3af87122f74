"""On clean files every list equals the truth, person by person; the sum of categories is the population."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlalchemy.engine import URL

from comparison.exports import links_file
from comparison.plan_check import load_sound
from models.database import transaction
from models.errors import WrongUse
from models.store import findings
from rehearsal.simulate import simulate
from tasks.campaign import plan_in_force, store_plan
from tasks.comparison import latest_run, run_comparison
from tasks.doors import waiting_files
from tasks.explain import explain_indicator, export_rows
from tasks.intake import take_in
from tasks.obligations import make_obligations
from tests.conftest import fresh_record

SHANGHAI = ZoneInfo("Asia/Shanghai")


NOW = datetime(2021, 6, 20, 9, tzinfo=SHANGHAI)
CAMPAIGN, BEFORE, PERIOD = "chengjiang-2021", "2021-04", "2021-05"


@pytest.fixture(scope="module")
def compared(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, str]]:
    """(campaign, folder of the run, folder of the truth) for a plan and its second month."""
    folder = tmp_path_factory.mktemp("compared")
    with fresh_record(server, folder / "home"):
        yield _compare(CAMPAIGN, BEFORE, PERIOD, folder)


def _compare(campaign: str, before: str, period: str, tmp_path: Path) -> tuple[str, Path, str]:
    loaded = load_sound(campaign)
    simulate(loaded, persons=12_000, seed=7, periods=[before, period], out=tmp_path)
    now = datetime(int(period[:4]) + (period[5:] == "12"), int(period[5:]) % 12 + 1, 20, 9, tzinfo=SHANGHAI)
    store_plan.fn(campaign, now)
    make_obligations.fn(campaign, now)
    for label in (before, period):  # supplements add up from the first month on
        for feed, path, _ in waiting_files(campaign, tmp_path / "inbox", label):
            taken = take_in.fn(campaign, feed, label, str(path), now)
            assert taken["verdict"] != "returned", (feed, taken)
    run_comparison.fn(campaign, period, now)
    return campaign, Path(latest_run(campaign, period)["folder"]), str(tmp_path / "truth" / period)


def test_every_person_is_in_the_true_category(compared: tuple[str, Path, str]) -> None:
    _, run, truth = compared
    wrong = duckdb.execute(f"""
        SELECT a.category, t.category, count(*) FROM read_parquet('{run}/person_profile.parquet') a
        FULL JOIN read_csv('{truth}/persons.csv', all_varchar = true) t USING (id_number)
        WHERE a.category IS DISTINCT FROM t.category GROUP BY ALL""").fetchall()
    assert wrong == []


def test_every_list_equals_the_truth_with_its_owner(compared: tuple[str, Path, str]) -> None:
    _, run, truth = compared
    wrong = duckdb.execute(f"""
        SELECT coalesce(a.list, t.list), count(*) FROM read_parquet('{run}/findings.parquet') a
        FULL JOIN read_csv('{truth}/lists.csv', all_varchar = true) t ON a.list = t.list AND a.id_number = t.id_number
        WHERE a.owner IS DISTINCT FROM t.owner GROUP BY ALL""").fetchall()
    assert wrong == []
    lists = {row[0] for row in duckdb.execute(f"SELECT DISTINCT list FROM read_parquet('{run}/findings.parquet')").fetchall()}
    # The five of C13.
    assert {"uninsured_employer", "employed_uninsured", "uninsured", "interrupted", "dust_hazard_uninsured"} <= lists


def test_every_register_row_is_linked_or_counted_as_unlinked(compared: tuple[str, Path, str]) -> None:
    campaign, run, truth = compared
    counted = dict(duckdb.execute(f"SELECT feed, count(*) FROM read_parquet('{links_file(run)}') GROUP BY ALL").fetchall())
    true = dict(duckdb.execute(f"SELECT feed, count(*) FROM read_csv('{truth}/links.csv', all_varchar = true) GROUP BY ALL").fetchall())
    assert counted == {feed: rows for feed, rows in true.items() if feed in counted}
    with transaction() as tx:
        newest = findings.latest_run(tx, campaign)
        assert newest is not None
        assert newest["unbalanced"] == 0


def test_every_figure_opens_to_its_rule_run_files_and_as_many_rows_as_it_counts(
    compared: tuple[str, Path, str], tmp_path: Path
) -> None:
    campaign, _, _ = compared
    plan = plan_in_force(campaign)
    township = next(org.code for org in plan.organisations if org.kind == "township")
    counted = {entry.id: entry for entry in plan.indicators if not entry.numerator.statistic and not entry.numerator.sum}
    with transaction() as tx:
        made = [(row["indicator"], row["organisation"]) for row in findings.measurements(tx, campaign, PERIOD)]
    opened = 0
    for indicator, organisation in made:
        if indicator in counted and organisation in (township, plan.region_organisation):
            result = export_rows(campaign, indicator, organisation, PERIOD, tmp_path / "rows.csv", NOW, "核对数字来源")
            assert result["rows"] == result["numerator"], (indicator, organisation)
            assert result["files"], "the files that were read are named"
            assert result["rule"]["source"] == counted[indicator].source
            opened += 1
    assert opened >= 4
    with pytest.raises(WrongUse, match="no figure"):
        explain_indicator(campaign, "employee_pension", township, "2019-01")
