"""What a department gets back, and what becomes of it when it has corrected its rows: on a real record."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from canbao import render
from canbao.pages import as_text
from documents.return_workbook import CURE_TITLE, KEY_TITLE, PROBLEM_TITLE, ROWS_SHEET
from expectations.reasons import wording
from models.database import transaction
from models.plan_file import find
from models.store import campaigns, deliveries, documents, obligations
from tasks.campaign import plan_in_force, store_plan
from tasks.confirmations import save_mapping, waive
from tasks.contents import scorecard_lines
from tasks.doors import admit, waiting_files
from tasks.intake import take_in
from tasks.obligations import make_obligations
from tasks.status import status
from tasks.told import told_file

CAMPAIGN, FEED, PERIOD = "chengjiang-2021", "hardship", "2021-05"
MORNING = datetime(2021, 6, 1, 1, tzinfo=UTC)
HEADERS = ("序号", "乡镇", "姓名", "身份证号", "救助类别", "户号", "享受起始日期")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

Take = Callable[..., dict[str, Any]]


def a_number(serial: int) -> str:
    """A citizen number with its check character."""
    digits = f"53042219850607{serial:03d}"
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]


def a_wrong_number(serial: int) -> str:
    """The same with a wrong check character."""
    number = a_number(serial)
    return number[:-1] + ("0" if number[-1] != "0" else "1")


def a_row(serial: int, **cells: str) -> list[str]:
    """A correct row unless told otherwise; serials stand in the line after the title and the header."""
    row = {
        "序号": str(serial), "乡镇": "凤麓街道", "姓名": f"王{'一二三四五六七八九十'[serial % 10]}", "身份证号": a_number(serial),
        "救助类别": "低保", "户号": f"H{serial:03d}", "享受起始日期": "2020-01-01",
    }
    return [*{**row, **cells}.values()]


def a_file(path: Path, rows: Sequence[Sequence[str]], headers: Sequence[str] = HEADERS) -> Path:
    """A workbook as 民政 sends it: a title, a header, text cells."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False})
    sheet = book.add_worksheet("名册")
    for line, row in enumerate([["低保特困人员名册"], headers, *rows]):
        sheet.write_row(line, 0, row)
    book.close()
    return path


def thirty_rows(**wrong: dict[str, str]) -> list[list[str]]:
    """Rows 1 to 30; ``r7={"姓名": ""}`` changes the seventh."""
    return [a_row(serial, **wrong.get(f"r{serial}", {})) for serial in range(1, 31)]


TWO_WRONG = {"r7": {"身份证号": a_wrong_number(7)}, "r9": {"身份证号": a_wrong_number(9)}}


@pytest.fixture
def take(record: Path, tmp_path: Path) -> Take:
    """Takes a file in on the n-th morning of June."""
    store_plan.fn(str(find(CAMPAIGN)), MORNING - timedelta(days=60))
    make_obligations.fn(CAMPAIGN, MORNING - timedelta(days=60))

    def taken(path: Path, *, day: int = 1, feed: str = FEED, period: str = PERIOD) -> dict[str, Any]:
        result: dict[str, Any] = take_in.fn(CAMPAIGN, feed, period, str(path), MORNING + timedelta(days=day - 1))
        return result

    return taken


def delivery(number: int) -> dict[str, Any]:
    with transaction() as tx:
        row = deliveries.one(tx, CAMPAIGN, number)
    assert row is not None
    return dict(row)


def workbook_of(result: dict[str, Any]) -> Path:
    return Path(delivery(result["delivery"])["return_workbook"])


def page_of(result: dict[str, Any]) -> str:
    return Path(delivery(result["delivery"])["quality_page"]).read_text(encoding="utf-8")


def lines_of(path: Path) -> dict[str, dict[str, str]]:
    """The refused rows by their key, each as title to text."""
    rows = list(openpyxl.load_workbook(path)[ROWS_SHEET].iter_rows(min_row=3, values_only=True))
    titles = [str(title) for title in rows[0]]
    lines = [dict(zip(titles, (cell or "" for cell in row), strict=True)) for row in rows[1:]]
    return {str(line[KEY_TITLE]): line for line in lines}  # type: ignore[misc]


def corrected(path: Path, to: Path, changes: dict[str, dict[str, str]], *, delete: Sequence[str] = (),
              add: Sequence[dict[str, str]] = ()) -> Path:
    """The return workbook as a clerk saves it: cells changed by row key and title, lines deleted, lines added."""
    book = openpyxl.load_workbook(path)
    sheet = book[ROWS_SHEET]
    titles = [cell.value for cell in sheet[3]]
    at_key = titles.index(KEY_TITLE)
    for line in range(sheet.max_row, 3, -1):
        key = str(sheet.cell(line, at_key + 1).value)
        for title, text in changes.get(key, {}).items():
            sheet.cell(line, titles.index(title) + 1).value = text
        if key in delete:
            sheet.delete_rows(line)
    for number, cells in enumerate(add, start=sheet.max_row + 1):
        for title, text in cells.items():
            sheet.cell(number, titles.index(title) + 1).value = text
    book.save(to)
    return to


# --- the clerk's view -----------------------------------------------------------------------------------


def test_a_bad_file_goes_back_and_is_accepted_once_two_cells_are_corrected(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    assert (bad["verdict"], bad["rows"], bad["quarantined"]) == ("returned", 30, 2)

    lines = lines_of(workbook_of(bad))
    assert set(lines) == {"9", "11"}  # the lines on which the rows stand
    assert lines["9"]["姓名"] == "王八"
    assert lines["9"][PROBLEM_TITLE] == "「身份证号」校验位不符，至少有一位数字写错"
    assert "逐位核对" in lines["9"][CURE_TITLE]
    shown = as_text(render.status(status(CAMPAIGN, MORNING + timedelta(hours=1))))
    assert "待更正（1）" in shown
    assert str(workbook_of(bad)) in shown

    right = {"9": {"身份证号": a_number(7)}, "11": {"身份证号": a_number(9)}}
    sent = corrected(workbook_of(bad), tmp_path / "改好了.xlsx", right)
    good = take(sent, day=3, feed="deaths", period="2021-04")  # laid into the wrong folder: it says itself what it is
    assert (good["verdict"], good["feed"], good["rows"], good["accepted"], good["quarantined"]) == (
        "accepted", FEED, 30, 30, 0)

    new, old = delivery(good["delivery"]), delivery(bad["delivery"])
    assert (new["corrects"], new["period"], new["provider"], new["file_name"]) == (
        old["id"], PERIOD, "minzheng", told_file("改好了.xlsx", plan_in_force(CAMPAIGN)))
    assert new["return_workbook"] is None
    assert old["superseded_at"] == new["received_at"]
    assert old["verdict"] == "returned"
    shown = as_text(render.status(status(CAMPAIGN, MORNING + timedelta(days=3))))
    assert "待更正（0）；更正单已并入 1 份，改好 2 行" in shown
    page = page_of(good)
    assert "改动 2 行、2 个单元格" in page
    assert old["sha256"] in page
    with transaction() as tx:
        owed = obligations.facts(tx, CAMPAIGN, MORNING + timedelta(days=3), item=f"feed:{FEED}", period=PERIOD)[0]
        in_force = deliveries.in_force(tx, CAMPAIGN, FEED, "minzheng", PERIOD)
    assert [entry["accepted_at"] is not None for entry in owed["submissions"]] == [False, True]
    assert [row["id"] for row in in_force] == [new["id"]]


def test_a_half_corrected_file_is_accepted_and_the_rest_goes_back_again(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    half = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=2)
    assert (half["verdict"], half["accepted"], half["quarantined"]) == ("accepted_with_warnings", 29, 1)
    assert "1 行未作改动" in half["reason"]
    assert set(lines_of(workbook_of(half))) == {"11"}
    whole = take(corrected(workbook_of(half), tmp_path / "2.xlsx", {"11": {"身份证号": a_number(9)}}), day=3)
    assert (whole["verdict"], whole["rows"], whole["accepted"]) == ("accepted", 30, 30)
    assert [delivery(n["delivery"])["corrects"] for n in (bad, half, whole)] == [None, bad["delivery"], half["delivery"]]


def test_a_correction_comes_back_through_the_inbox_whatever_its_folder_and_is_taken_once(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    place = tmp_path / "inbox" / "disability" / "2021-04"
    place.mkdir(parents=True)
    sent = corrected(workbook_of(bad), place / "更正.xlsx", {"9": {"身份证号": a_number(7)}, "11": {"身份证号": a_number(9)}})
    arrived = MORNING + timedelta(days=2)
    os.utime(sent, (arrived.timestamp(), arrived.timestamp()))
    evening = arrived + timedelta(hours=9)
    (found,) = waiting_files(CAMPAIGN, tmp_path / "inbox", "2021-04", evening)
    result = admit.fn(CAMPAIGN, found[0], "2021-04", str(found[1]), found[2])
    assert (result["verdict"], result["feed"], result["accepted"]) == ("accepted", FEED, 30)
    assert list(waiting_files(CAMPAIGN, tmp_path / "inbox", "2021-04", evening)) == []


# --- what comes back otherwise --------------------------------------------------------------------------


def test_the_same_correction_twice_is_recognised(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    sent = corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}})
    first = take(sent, day=2)
    again = take(sent.rename(tmp_path / "又报一次.xlsx"), day=3)
    assert (again["delivery"], again["new"], again["verdict"]) == (first["delivery"], False, first["verdict"])


def test_a_correction_of_a_file_that_was_replaced_since_is_returned(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    take(a_file(tmp_path / "民政局_低保特困全表.xlsx", thirty_rows()), day=2)
    late = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=3)
    assert late["verdict"] == "returned"
    assert "已被后来的报送取代" in late["reason"]
    with transaction() as tx:
        (in_force,) = deliveries.in_force(tx, CAMPAIGN, FEED, "minzheng", PERIOD)
    assert in_force["accepted"] == 30
    assert late["delivery"] != in_force["id"]


def test_deleted_and_added_lines_are_said_and_change_nothing(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    new = {"身份证号": a_number(99), "姓名": "赵六", "救助类别": "低保"}
    sent = corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}, delete=["11"], add=[new])
    result = take(sent, day=2)
    assert (result["rows"], result["accepted"], result["quarantined"]) == (30, 29, 1)
    assert "1 行在报回的更正单中已不存在" in result["reason"]
    assert "1 行不是退回的行，未予采纳" in result["reason"]


def test_an_emptied_row_is_dropped_and_the_accounts_still_add_up(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    empty = dict.fromkeys(("身份证号", "姓名", "救助类别", "户号", "乡镇街道"), "")
    result = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": empty, "11": {"身份证号": a_number(9)}}), day=2)
    assert (result["verdict"], result["rows"], result["accepted"], result["dropped"]) == ("accepted", 30, 29, 1)
    assert "1 行各项已清空" in result["reason"]


def test_rows_copied_out_of_the_workbook_are_not_taken_for_a_register(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    lines = [*lines_of(workbook_of(bad)).values()]
    text = "\n".join(",".join(map(str, row)) for row in [[*lines[0]], *([*line.values()] for line in lines)])
    saved = tmp_path / "民政局_更正.csv"
    saved.write_bytes(text.encode("gb18030"))
    copied = a_file(tmp_path / "民政局_更正.xlsx", [[*map(str, line.values())] for line in lines], headers=[*lines[0]])
    for path in (saved, copied):
        result = take(path, day=2)
        assert result["verdict"] == "returned"
        assert "不能当作全表接收" in result["reason"]


def test_a_workbook_of_another_record_is_returned(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    book = openpyxl.load_workbook(workbook_of(bad))
    book["_meta"]["A1"] = str(book["_meta"]["A1"].value).replace(delivery(bad["delivery"])["sha256"], "0" * 64)
    book.save(tmp_path / "伪造.xlsx")
    result = take(tmp_path / "伪造.xlsx", day=2)
    assert result["verdict"] == "returned"
    assert "识别信息缺少或不符" in result["reason"]


def test_a_household_line_is_corrected_person_by_person(take: Take, tmp_path: Path) -> None:
    headers = ["户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号", "救助类别", "户号"]
    rows = [["王一", a_number(2 * n), "王二", a_number(2 * n + 1), "低保", f"H{n}"] for n in range(1, 21)]
    rows[4][3] = a_wrong_number(11)
    bad = take(a_file(tmp_path / "民政局_低保家庭.xlsx", rows, headers))
    assert bad["rows"] == 40
    assert set(lines_of(workbook_of(bad))) == {"7-2"}
    good = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"7-2": {"身份证号": a_number(11)}}), day=2)
    assert (good["verdict"], good["rows"], good["accepted"]) == ("accepted", 40, 40)


def test_a_file_that_was_waived_meanwhile_can_still_be_corrected(take: Take, tmp_path: Path) -> None:
    before = take(a_file(tmp_path / "民政局_低保特困.xlsx", [*thirty_rows(), *map(a_row, range(31, 61))]), period="2021-04")
    assert before["verdict"] == "accepted"
    half = take(a_file(tmp_path / "民政局_低保特困5月.xlsx", thirty_rows(r7={"身份证号": a_wrong_number(7)})))
    assert (half["verdict"], half["quarantined"]) == ("returned", 1)  # half of last month's rows are gone
    stands = waive(CAMPAIGN, half["delivery"], "office", "民政局已书面说明", MORNING + timedelta(days=1))
    good = take(corrected(workbook_of(half), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=3)
    assert delivery(good["delivery"])["corrects"] == stands["delivery"]
    assert good["accepted"] == 30


def test_a_refused_correction_that_is_judged_again_stays_refused(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    take(a_file(tmp_path / "民政局_低保特困全表.xlsx", thirty_rows()), day=2)
    late = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=3)
    judged = save_mapping(CAMPAIGN, FEED, "minzheng", "对象编码", "-", "office", "民政局答复", MORNING + timedelta(days=4))["judged"]
    again = next(entry for entry in judged if entry["file"] == "1.xlsx")
    assert again["verdict"] == late["verdict"] == "returned"
    with transaction() as tx:
        (in_force,) = deliveries.in_force(tx, CAMPAIGN, FEED, "minzheng", PERIOD)
    assert in_force["accepted"] == 30


def test_what_a_long_return_does_not_list_waits_for_the_next_one(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(wording()["workbook"], "most_rows", 1)
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    assert set(lines_of(workbook_of(bad))) == {"9"}
    half = take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=2)
    assert set(lines_of(workbook_of(half))) == {"11"}
    assert "已不存在" not in half["reason"]


# --- what goes out --------------------------------------------------------------------------------------


def test_a_return_workbook_is_private_recorded_and_audited(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    path = workbook_of(bad)
    assert path.stat().st_mode & 0o077 == 0
    with transaction() as tx:
        (row,) = documents.all_of(tx, CAMPAIGN, f"corrections:{FEED}")
        assert campaigns.audit_is_whole(tx)
    assert (row["path"], row["rows"], row["organisation"], row["period"]) == (str(path), 2, "minzheng", PERIOD)


def test_a_file_without_refused_rows_gets_a_page_and_no_workbook(take: Take, tmp_path: Path) -> None:
    good = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows()))
    assert delivery(good["delivery"])["return_workbook"] is None
    assert "数据已采用" in page_of(good)


def test_a_page_names_nobody_even_where_rows_are_refused(take: Take, tmp_path: Path) -> None:
    page = page_of(take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG))))
    assert "王" not in page
    assert a_wrong_number(7) not in page


def test_a_cell_that_begins_a_formula_goes_out_escaped_and_comes_back_untouched(take: Take, tmp_path: Path) -> None:
    rows = thirty_rows(r7={"身份证号": a_wrong_number(7), "户号": "=cmd|calc", "姓名": "@王"})
    mixed = take(a_file(tmp_path / "民政局_低保特困.xlsx", rows))
    assert (lines_of(workbook_of(mixed))["9"]["户号"], lines_of(workbook_of(mixed))["9"]["姓名"]) == ("'=cmd|calc", "'@王")
    good = take(corrected(workbook_of(mixed), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=2)
    assert "改动 1 行、1 个单元格" in good["reason"]


# --- scorecards -----------------------------------------------------------------------------------------


def test_a_scorecard_shows_the_return_and_how_long_the_way_back_took(take: Take, tmp_path: Path) -> None:
    bad = take(a_file(tmp_path / "民政局_低保特困.xlsx", thirty_rows(**TWO_WRONG)))
    take(corrected(workbook_of(bad), tmp_path / "1.xlsx", {"9": {"身份证号": a_number(7)}}), day=3)
    cards = {card.department: card for card in scorecard_lines(plan_in_force(CAMPAIGN), PERIOD, MORNING + timedelta(days=30))}
    card = cards["市民政局"]
    assert (card.returned, card.redelivery_days) == (1, 2.0)
    assert card.quarantined_share == pytest.approx(1 / 30)
    assert card.valid_id_share == pytest.approx(29 / 30)
    assert card.due == card.on_time + card.late + card.missing
    assert cards["市公安局"].missing == cards["市公安局"].due
