"""A half-monthly bulletin on two-weekly reports (G19): who was late stands in the bulletin of the half-month it fell due in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from sqlalchemy.engine import URL

from models.database import transaction
from models.plan import Plan
from models.store import documents
from models.store import obligations as store
from rules.bulletins import issue_day
from rules.deadlines import item_periods
from tasks.bulletin import issue_bulletin
from tasks.campaign import plan_in_force, short_name, store_plan
from tasks.obligations import make_obligations
from tests.conftest import fresh_record

ZONE = ZoneInfo("Asia/Shanghai")
CAMPAIGN, BULLETIN, ITEM = "district-registration", "half_monthly_bulletin", "fortnightly_report"
START = datetime(2014, 12, 1, 8, tzinfo=ZONE)


@pytest.fixture(scope="module")
def said(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The text of the first four bulletins; 东湖 reports each fortnight on the day after it ends, 西山 a week late."""
    with fresh_record(server, tmp_path_factory.mktemp("halves") / "home"):
        store_plan.fn(CAMPAIGN, START)
        make_obligations.fn(CAMPAIGN, START)
        plan = plan_in_force(CAMPAIGN)
        for org, days in (("donghu", 1), ("xishan", 9)):
            _report(plan, org, days)
        texts = {}
        entry = plan.bulletins[0]
        for span in item_periods(plan, entry.cadence, entry.due)[:4]:
            at = datetime.combine(issue_day(plan, entry, span), time(18), tzinfo=ZONE)
            issue_bulletin.fn(CAMPAIGN, BULLETIN, span.label, at)
            texts[span.label] = _text(span.label)
        yield texts


def _report(plan: Plan, org: str, days: int) -> None:
    with transaction() as tx:
        for row in store.facts(tx, CAMPAIGN, START, item=ITEM, organisation=org)[:4]:
            at = datetime.combine(date.fromordinal(row["period_ends"].toordinal() + days), time(10), tzinfo=ZONE)
            submission, _ = store.submit(tx, row["id"], received_at=at, sha256=f"{org}{row['period']}", path="", prepared_by="",
                                         reviewed_by="", texts={}, faults={})
            store.accept(tx, submission, at)


def _text(label: str) -> str:
    with transaction() as tx:
        row = documents.of_period(tx, CAMPAIGN, f"bulletin:{BULLETIN}", label)[-1]
    document = Document(str(Path(row["path"])))
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs),
                      *(cell.text for table in document.tables for line in table.rows for cell in line.cells)])


@pytest.mark.parametrize(("label", "fortnights"), [
    # By hand: fortnights end on 01-14, 01-28, 02-11, 02-25; two days later they are due; bulletins on 01-20, 02-05, 02-25
    # (02-20 is a holiday), 03-05.
    ("2015-01a", (1,)), ("2015-01b", (2,)), ("2015-02a", (3,)), ("2015-02b", (4,)),
])
def test_each_fortnight_is_told_in_the_half_month_it_fell_due_in(said: dict[str, str], label: str, fortnights: tuple[int, ...]) -> None:
    told = {number for number in range(1, 27) if f"2015年第{number}期（两周）全民参保登记工作进展报告应报" in said[label]}
    assert told == set(fortnights)


def test_who_had_not_reported_by_the_bulletin_is_named_and_who_came_late_too(said: dict[str, str]) -> None:
    late = f"{short_name(plan_in_force(CAMPAIGN), 'xishan')}（迟"
    assert late not in said["2015-01a"], "it came on the 23rd, after the bulletin of the 20th"
    assert late in said["2015-02a"], "it came on 02-20, before the bulletin of 02-25"
    missing = next(line for line in said["2015-01a"].splitlines() if line.endswith("应立即补报所欠材料，并书面说明原因。"))
    assert short_name(plan_in_force(CAMPAIGN), "xishan") in missing
    assert short_name(plan_in_force(CAMPAIGN), "donghu") not in missing


def test_numbers_run_on_within_the_year(said: dict[str, str]) -> None:
    assert [next(line for line in text.splitlines() if "〔2015〕" in line) for text in said.values()] == [
        f"X参登通〔2015〕{number}号" for number in (1, 2, 3, 4)]


def test_the_title_says_which_half_of_the_month(said: dict[str, str]) -> None:
    assert "关于2015年1月上半月全民参保登记计划工作进展情况的通报" in said["2015-01a"].replace("\n", "")
