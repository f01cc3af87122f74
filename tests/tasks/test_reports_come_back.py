"""A returned report: sent back with marked cells, accepted with a receipt, corrected in the open, and looked at (C20, C22)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from canbao import render
from canbao.pages import as_text
from models.database import home, transaction
from models.store import documents
from models.store import obligations as store
from tasks.attention import attention
from tasks.campaign import plan_in_force, store_plan
from tasks.explain import explain_duty
from tasks.obligations import make_obligations
from tasks.reports import issue_forms
from tasks.submissions import take_return
from tests.conftest import fresh_record
from tests.documents.content import fill_form

ZONE = ZoneInfo("Asia/Shanghai")
CAMPAIGN, ITEM = "lianyungang-2016", "progress_report"
START = datetime(2016, 2, 1, 8, tzinfo=ZONE)
MARCH, APRIL = datetime(2016, 4, 11, 9, tzinfo=ZONE), datetime(2016, 5, 11, 9, tzinfo=ZONE)
PROGRESS = "工作进展情况（柜面、网上、单位排查、入户四个渠道）"
NUMBERS = ("累计柜面登记人数", "累计网上登记人数", "累计单位排查人数", "累计入户调查人数", "累计调查登记人数")
SAID = "本月在两个试点社区设立登记点，柜面与网上同步受理，安排协理员逐户上门核对参保信息，对外出家庭由村组电话联系登记。"
SAID_NEXT = "试点社区登记全部结束，转入面上推开，抽调人员分片包干，先行核查用人单位名册，随后对重点家庭补登并建立台账备查。"


@pytest.fixture(scope="module")
def forms(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The forms of March and April, issued to every county."""
    with fresh_record(server, tmp_path_factory.mktemp("reports") / "home") as place:
        store_plan.fn(CAMPAIGN, START)
        make_obligations.fn(CAMPAIGN, START)
        issue_forms.fn(CAMPAIGN, MARCH)
        issue_forms.fn(CAMPAIGN, APRIL)
        yield place


@pytest.fixture(autouse=True)
def _nothing_handed_in(forms: Path) -> Iterator[None]:
    yield
    with transaction() as tx:
        tx.execute(text("TRUNCATE submission CASCADE"))
        tx.execute(text("DELETE FROM document WHERE kind LIKE 'receipt:%'"))


def _filled(tmp_path: Path, org: str, period: str, *numbers: float | None, progress: str = SAID, dispute: str = "",
            **more: str) -> Path:
    with transaction() as tx:
        issued = documents.latest(tx, CAMPAIGN, f"form:{ITEM}", period, org)
    assert issued is not None
    copy = tmp_path / f"{org}-{period}-{len(list(tmp_path.iterdir()))}.xlsx"
    copy.write_bytes(Path(issued["path"]).read_bytes())
    values: dict[str, Any] = {
        PROGRESS: progress, "存在问题": f"{org}人手不足。", "下步措施": f"{org}增派人手。", "填报人": "甲某", "审核人": "乙某", **more}
    values |= {name: number for name, number in zip(NUMBERS, numbers, strict=True) if number is not None}
    if dispute:
        values["数据异议说明"] = dispute
    return fill_form(copy, values)


def _hand_in(path: Path, org: str, at: datetime) -> dict[str, Any]:
    return take_return.fn(CAMPAIGN, org, str(path), at)


def _sent_back(org: str) -> str:
    found = max((home() / CAMPAIGN / "sent_back" / org).glob("*.xlsx"), key=lambda path: path.stat().st_mtime_ns)
    listing = openpyxl.load_workbook(found)["退回说明"]
    return "\n".join(str(cell.value) for row in listing.iter_rows() for cell in row if cell.value is not None)


def _duty(org: str, period: str, at: datetime) -> dict[str, Any]:
    return explain_duty(CAMPAIGN, ITEM, org, period, at)


def test_a_total_that_does_not_add_up_goes_back_with_its_cell_and_cure(tmp_path: Path) -> None:
    path = _filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 40, 101)
    assert _hand_in(path, "guanyun", MARCH)["sent_back"]
    listing = _sent_back("guanyun")
    for part in ("“累计调查登记人数”为101，各分项之和为100，不相等。", "请核对合计与分项后更正。"):
        assert part in listing
    book = openpyxl.load_workbook(path)
    (cell,) = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == 101]
    assert cell.coordinate in listing
    assert _duty("guanyun", "2016-03", MARCH)["status"] == "sent_back"


@pytest.mark.parametrize(("changes", "says"), [
    pytest.param({"审核人": "甲某"}, "同一人", id="one person twice"),
    pytest.param({"填报人": None}, "“填报人”未填", id="nobody prepared it"),
    pytest.param({"存在问题": None}, "“存在问题”未填", id="a blank part"),
])
def test_what_the_form_itself_asks_for_is_told_together_with_the_sums(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = _filled(tmp_path, "donghai", "2016-03", 10, None, 30, 40, 80, **changes)
    assert _hand_in(path, "donghai", MARCH)["sent_back"]
    listing = _sent_back("donghai")
    assert says in listing
    assert "确无发生填 0，留空不等于零" in listing


def test_an_accepted_report_gets_a_receipt_that_names_no_person(tmp_path: Path) -> None:
    path = _filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 40, 100)
    assert not _hand_in(path, "guanyun", MARCH)["sent_back"]
    with transaction() as tx:
        (row,) = documents.all_of(tx, CAMPAIGN, f"receipt:{ITEM}")
    receipt = Path(row["path"]).read_text(encoding="utf-8-sig")
    assert Path(row["path"]).parent.name == "guanyun"
    for part in ("报送回执", "2016年3月", "2016-04-11 09:00:00（按时）", "应填8项，已填8项", row["content_sha256"]):
        assert part in receipt
    assert "甲某" not in receipt
    assert "乙某" not in receipt


def test_a_late_report_says_so_on_its_receipt(tmp_path: Path) -> None:
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 0, 0, 0, 0, 0), "guanyun", MARCH + timedelta(days=10))
    with transaction() as tx:
        (row,) = documents.all_of(tx, CAMPAIGN, f"receipt:{ITEM}")
    assert "（逾期）" in Path(row["path"]).read_text(encoding="utf-8-sig")


def test_a_cumulative_number_never_falls_without_a_reason(tmp_path: Path) -> None:
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 40, 100), "guanyun", MARCH)
    fewer = (10, 20, 30, 39, 99)
    assert _hand_in(_filled(tmp_path, "guanyun", "2016-04", *fewer, progress=SAID_NEXT), "guanyun", APRIL)["sent_back"]
    assert "上期为40，本期为39，不应减少" in _sent_back("guanyun")
    explained = _filled(tmp_path, "guanyun", "2016-04", *fewer, progress=SAID_NEXT, dispute="上月一户重复登记，核减。")
    assert not _hand_in(explained, "guanyun", APRIL)["sent_back"]
    assert {remark["check"] for remark in attention(plan_in_force(CAMPAIGN), APRIL)["remarks"]} == {"falls"}


def test_a_text_copied_from_last_month_goes_back_and_one_copied_from_a_neighbour_is_shown_to_the_office(tmp_path: Path) -> None:
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 1, 1, 1, 1, 4), "guanyun", MARCH)
    assert _hand_in(_filled(tmp_path, "guanyun", "2016-04", 2, 2, 2, 2, 8), "guanyun", APRIL)["sent_back"]
    assert "与上期报告基本相同" in _sent_back("guanyun")
    assert not _hand_in(_filled(tmp_path, "donghai", "2016-03", 1, 1, 1, 1, 4), "donghai", MARCH)["sent_back"]
    (remark,) = _duty("donghai", "2016-03", APRIL)["submissions"][0]["remarks"]
    assert "灌云" in remark


def test_a_second_report_after_acceptance_stands_beside_the_first_with_what_it_changes(tmp_path: Path) -> None:
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 40, 100), "guanyun", MARCH)
    later = MARCH + timedelta(days=8)
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 50, 110, progress=SAID_NEXT), "guanyun", later)
    duty = _duty("guanyun", "2016-03", later)
    first, second = duty["submissions"]
    assert duty["status"] == "accepted"
    assert not duty["late"]
    assert (first["restates"], second["restates"]) == (None, first["id"])
    assert second["changes"] == [
        f"“{PROGRESS}”文字内容更正", "“累计入户调查人数”由40改为50", "“累计调查登记人数”由100改为110"]
    assert "更正第" in as_text(render.duty_explained(duty))
    (told,) = attention(plan_in_force(CAMPAIGN), later)["restated"]
    assert told["changes"] == second["changes"]
    assert not attention(plan_in_force(CAMPAIGN), MARCH)["restated"], "as it stood before"
    with transaction() as tx:
        receipts = [Path(row["path"]).read_text(encoding="utf-8-sig") for row in documents.all_of(tx, CAMPAIGN, f"receipt:{ITEM}")]
    assert len(receipts) == 2
    assert "由100改为110" in receipts[1]


def test_a_faulty_correction_leaves_the_accepted_report_standing(tmp_path: Path) -> None:
    _hand_in(_filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 40, 100), "guanyun", MARCH)
    later = MARCH + timedelta(days=1)
    assert _hand_in(_filled(tmp_path, "guanyun", "2016-03", 10, 20, 30, 50, 100), "guanyun", later)["sent_back"]
    duty = _duty("guanyun", "2016-03", later)
    assert duty["status"] == "accepted"
    assert duty["submissions"][1]["restates"] is None
    with transaction() as tx:
        owed = store.one(tx, CAMPAIGN, ITEM, "guanyun", "2016-03")
        assert owed is not None
        standing = store.accepted(tx, owed["id"])
    assert standing is not None
    assert standing["figures"]["surveyed"] == 100
