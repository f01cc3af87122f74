"""What is published stays published: bulletins are made once, numbered in one series, and corrected in the open (C19, C22).

And who is slow becomes a candidate, on whom a person decides (C23).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from docx import Document
from sqlalchemy import text
from sqlalchemy.engine import URL

from canbao import render
from canbao.pages import as_text
from models.database import transaction
from models.errors import StorageUnavailable, WrongUse
from models.store import documents
from models.store import findings as store
from tasks.attention import attention
from tasks.bulletin import issue_bulletin
from tasks.campaign import plan_in_force, store_plan
from tasks.correction import issue_corrections
from tasks.explain import explain_indicator
from tasks.obligations import make_obligations
from tasks.supervision import candidates, decide, prepare_supervision
from tests.conftest import fresh_record

ZONE = ZoneInfo("Asia/Shanghai")
CAMPAIGN, BULLETIN = "chengjiang-2021", "monthly_bulletin"
TOWNSHIPS = {"fenglu": 6550, "longjie": 36000, "youshuo": 22050, "haikou": 13550, "jiucun": 7950, "luju": 20700}
STEADY = 0.95, 0.97, 0.98, 0.985, 0.99, 0.995
"""Shares of the target reached from April on, by every unit but one."""
SLOW = 0.60, 0.60, 0.61, 0.61, 0.62, 0.62
"""海口: it will not reach its target at this pace."""
MONTHS = "2021-04", "2021-05", "2021-06", "2021-07", "2021-08", "2021-09"


def _at(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2021, month, day, hour, tzinfo=ZONE)


def _compared(period: str, at: datetime, *, files: tuple[str, ...] = ("a",), plus: dict[str, int] | None = None) -> int:
    """A run of a month with figures worked out by hand; ``plus`` adds persons to a township."""
    place = MONTHS.index(period)
    with transaction() as tx:
        number = store.start_run(tx, campaign_id=CAMPAIGN, period=period, as_of=at, plan_sha256="p", folder="",
                                 inputs_sha256=f"{period}{files}", inputs={"resident_pension": [
                                     {"sha256": file, "period": period} for file in files]})
        store.finish_run(tx, number, persons=1, unbalanced=0, content_sha256=f"{number:064d}", categories=[("", "uninsured", 1)],
                         links=[])
        figures = []
        for code, level in TOWNSHIPS.items():
            share = (SLOW if code == "haikou" else STEADY)[place]
            value = float(round(level * share) + (plus or {}).get(code, 0))
            figures.append({"indicator": "resident_pension_enrolled", "organisation": code, "numerator": value,
                            "denominator": None, "value": value})
        store.record_measurements(tx, CAMPAIGN, period, number, figures)
    return number


def _deliver(sha256: str, period: str, at: datetime) -> None:
    with transaction() as tx:
        tx.execute(text("""
            INSERT INTO delivery (campaign_id, feed, period, provider, file_name, sha256, size_bytes, original, received_at,
                rows, accepted, quarantined, duplicate, dropped, unassigned, verdict, reason, reasons)
            VALUES (:campaign, 'resident_pension', :period, 'renshe', '补报.xlsx', :sha256, 1, '', :at, 1, 1, 0, 0, 0, 0,
                'accepted', '', '{}')"""), {"campaign": CAMPAIGN, "period": period, "sha256": sha256, "at": at})


@pytest.fixture(scope="module")
def year(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """April to June compared; May's bulletin; then a late file changes May, and what the office does about it."""
    with fresh_record(server, tmp_path_factory.mktemp("bulletins") / "home"):
        store_plan.fn(CAMPAIGN, _at(3, 18))
        make_obligations.fn(CAMPAIGN, _at(3, 18))
        _compared("2021-04", _at(5, 12))
        seen: dict[str, Any] = {"first_run": _compared("2021-05", _at(6, 12))}
        seen["may"] = issue_bulletin.fn(CAMPAIGN, BULLETIN, "2021-05", _at(6, 15, 18))
        seen["nothing"] = issue_corrections.fn(CAMPAIGN, _at(6, 16))
        _deliver("b", "2021-05", _at(6, 18))
        seen["second_run"] = _compared("2021-05", _at(6, 20), files=("a", "b"), plus={"longjie": 68})
        seen["attention"] = attention(plan_in_force(CAMPAIGN), _at(6, 20))["outdated_bulletins"]
        seen["may_again"] = issue_bulletin.fn(CAMPAIGN, BULLETIN, "2021-05", _at(6, 21))
        seen["corrected"] = issue_corrections.fn(CAMPAIGN, _at(6, 22))
        seen["corrected_again"] = issue_corrections.fn(CAMPAIGN, _at(6, 23))
        _compared("2021-06", _at(7, 12))
        seen["june"] = issue_bulletin.fn(CAMPAIGN, BULLETIN, "2021-06", _at(7, 15, 18))
        yield seen


def _document(kind: str, period: str) -> Path:
    with transaction() as tx:
        row = documents.of_period(tx, CAMPAIGN, kind, period)[-1]
    return Path(row["path"])


def _said(path: Path) -> str:
    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def _sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(path).worksheets}


def test_a_published_bulletin_is_never_written_again(year: dict[str, Any]) -> None:
    assert (year["may"]["new"], year["may_again"]["new"]) == (True, False)
    said = _said(_document(f"bulletin:{BULLETIN}", "2021-05"))
    assert "34,920" in said  # 36,000 × 0.97, as it was published
    assert "34,988" not in said


def test_a_changed_figure_is_seen_and_corrected_once_by_a_document_of_its_own(year: dict[str, Any]) -> None:
    assert year["nothing"] == {"corrections": 0, "issued": []}
    assert year["attention"] == [{"bulletin": BULLETIN, "period": "2021-05", "figures": 1}]
    (issued,) = year["corrected"]["issued"]
    assert (issued["number"], issued["corrects"], issued["figures"]) == ("澄参保通〔2021〕2号", "澄参保通〔2021〕1号", 1)
    assert year["corrected_again"]["corrections"] == 0


def test_a_correction_names_the_bulletin_the_old_and_the_new_figure_and_the_cause(year: dict[str, Any]) -> None:
    said = _said(_document(f"correction:{BULLETIN}", "2021-05"))
    for part in ("澄参保通〔2021〕2号", "2021年6月15日印发的《", "（澄参保通〔2021〕1号）", "34,920人", "34,988人",
                 "于2021年6月18日补报或更正2021年5月", f"比对批次由{year['first_run']}变为{year['second_run']}"):
        assert part in said


def test_the_next_bulletin_bears_the_next_number_and_tells_the_correction_again(year: dict[str, Any]) -> None:
    said = _said(_document(f"bulletin:{BULLETIN}", "2021-06"))
    for part in ("澄参保通〔2021〕3号", "更正说明", "34,920人", "34,988人", "已以澄参保通〔2021〕2号更正"):
        assert part in said


def test_every_measured_figure_of_the_annex_opens_to_the_run_it_names(year: dict[str, Any]) -> None:
    path = _document(f"bulletin:{BULLETIN}", "2021-06")
    sheets = _sheets(path.with_name(f"{path.stem}_附表.xlsx"))
    (rows,) = [rows for name, rows in sheets.items() if "数字来源" in name]
    measured = [row for row in rows if row[3] and "--indicator" in str(row[3])]
    assert len(measured) == 2 * len(TOWNSHIPS)
    for _, value, run, command in measured:
        words = str(command).split()
        options = dict(zip(words[3::2], words[4::2], strict=True))
        told = explain_indicator(CAMPAIGN, options["--indicator"], options["--org"], options["--period"])
        assert (str(told["run"]["id"]), f"{told['value']:,.0f}人") == (run, value)
    assert {str(year["second_run"])} < {run for _, _, run, _ in measured}


def test_the_annex_shows_needed_against_actual_pace_and_the_body_who_will_not_reach(year: dict[str, Any]) -> None:
    path = _document(f"bulletin:{BULLETIN}", "2021-06")
    sheets = _sheets(path.with_name(f"{path.stem}_附表.xlsx"))
    indicator = plan_in_force(CAMPAIGN).item("indicators", "resident_pension_enrolled").name
    rows = next(rows for rows in sheets.values() if str(rows[0][0]).startswith(f"{indicator}完成情况"))
    heads = next(list(map(str, row)) for row in rows if "后续月均需新增" in map(str, row))
    (haikou,) = [dict(zip(heads, row, strict=True)) for row in rows if "海口" in str(row[1])]
    # 13,550 × 0.60, 0.60, 0.61: 8,130, 8,130 and 8,266 (rounded); two months' growth of 136, six months to go.
    assert (haikou["前期月均新增"], haikou["后续月均需新增"], haikou["按目前进度能否完成"]) == (68, 881, "不能")
    assert f"{indicator}进度预测" in _said(path)
    assert "预计不能如期完成年度目标的有海口" in _said(path)


def test_a_bulletin_that_is_gone_is_not_drawn_up_anew(year: dict[str, Any], tmp_path: Path) -> None:
    path = _document(f"bulletin:{BULLETIN}", "2021-05")
    away = path.rename(tmp_path / path.name)
    with pytest.raises(StorageUnavailable, match="backup"):
        issue_bulletin.fn(CAMPAIGN, BULLETIN, "2021-05", _at(7, 20))
    away.rename(path)


def test_the_slow_become_candidates_once_a_quarter_with_months_and_runs(year: dict[str, Any]) -> None:
    before = prepare_supervision.fn(CAMPAIGN, _at(7, 19))
    assert before["supervisions"] == 0
    assert prepare_supervision.fn(CAMPAIGN, _at(7, 20)) == {"supervisions": 1, "candidates": 1}
    assert prepare_supervision.fn(CAMPAIGN, _at(7, 21))["supervisions"] == 0
    (found,) = candidates(CAMPAIGN, _at(7, 21))
    assert (found["organisation"], found["name"], found["occasion"], found["decision"]) == (
        "haikou", "季度督导", "quarterly_supervision/2021-Q2", None)
    (target,) = found["evidence"]["targets"]
    assert [month["period"] for month in target["months"]] == ["2021-05", "2021-06"]
    assert target["months"][0]["run"] == year["second_run"]
    shown = as_text(render.candidates([found]))
    assert "预计不可达" in shown
    assert "待" in shown


def test_a_quarter_whose_last_month_is_not_compared_waits(year: dict[str, Any]) -> None:
    assert prepare_supervision.fn(CAMPAIGN, _at(10, 25))["supervisions"] == 0


def test_a_person_decides_once_and_says_why(year: dict[str, Any]) -> None:
    (found,) = candidates(CAMPAIGN, _at(7, 21))
    with pytest.raises(WrongUse, match="why"):
        decide(CAMPAIGN, found["candidate"], accept=True, by="领导小组组长", reason=" ", as_of=_at(7, 22))
    made = decide(CAMPAIGN, found["candidate"], accept=False, by="领导小组组长", reason="当月区划调整", as_of=_at(7, 22))
    assert made["decision"] == "refused"
    with pytest.raises(WrongUse, match="was decided: refused"):
        decide(CAMPAIGN, found["candidate"], accept=True, by="领导小组组长", reason="再议", as_of=_at(7, 23))
    with pytest.raises(WrongUse, match="no candidate"):
        decide(CAMPAIGN, 10_000, accept=True, by="领导小组组长", reason="再议", as_of=_at(7, 23))
    assert candidates(CAMPAIGN, _at(7, 23)) == []
    (whole,) = candidates(CAMPAIGN, _at(7, 23), undecided_only=False)
    assert (whole["decided_by"], whole["reason"]) == ("领导小组组长", "当月区划调整")
    assert candidates(CAMPAIGN, _at(7, 22) - timedelta(hours=1))[0]["decision"] is None, "as it stood before"
    with transaction() as tx:
        audited = tx.execute(text("SELECT actor, reason FROM audit WHERE action = 'candidate refused'")).one()
    assert tuple(audited) == ("领导小组组长", "当月区划调整")
