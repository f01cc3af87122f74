"""The clerical bench goes out with pairs side by side, and comes back with decisions that cannot contradict each other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from documents.bench_workbook import REASONS, SHEET, BenchPair, read_bench, write_bench
from documents.model import Origin
from models.errors import FileReturned

ORIGIN = Origin(campaign="chengjiang-2021", campaign_name="某市专项行动", organisation="zhuanban", organisation_name="专班",
                period="2021-05", period_name="2021年5月", as_of=date(2021, 6, 3), run_id="7")
FIRST_LINE, ANSWER, NOTE = 5, 15, 16


def a_pair(question: int = 1, person: str = "P1", **said: object) -> BenchPair:
    values: dict[str, object] = {
        "question": question, "row_key": f"k{question}", "person_id": person, "where": "城乡居保、医保", "row_name": "张维明",
        "row_number": "530422198506070015", "row_birth": "", "row_township": "凤麓", "person_name": "张伟明",
        "person_number": "530422198506070015", "person_birth": "1985-06-07", "person_sex": "男", "person_place": "凤麓大河村",
        "person_household": "5304220000001", "reason": "number_under_another_name", "likelihood": 0.3}
    return BenchPair(**{**values, **said})  # type: ignore[arg-type]


def filled(path: Path, answers: list[str], notes: dict[int, str] | None = None) -> Path:
    """The bench as a clerk sends it back."""
    book = openpyxl.load_workbook(path)
    for line, answer in enumerate(answers):
        book[SHEET].cell(FIRST_LINE + line, ANSWER, answer or None)
        book[SHEET].cell(FIRST_LINE + line, NOTE, (notes or {}).get(line))
    book.save(path)
    return path


def test_a_pair_stands_side_by_side_in_full(tmp_path: Path) -> None:
    write_bench(tmp_path / "b.xlsx", ORIGIN, (a_pair(),))
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")[SHEET]
    cells = [cell.value for cell in sheet[FIRST_LINE]]
    assert cells[:9] == ["1", "城乡居保、医保", "张维明", "530422198506070015", None, "凤麓", "张伟明", "530422198506070015", "1985-06-07"]
    assert cells[12] == REASONS["number_under_another_name"]
    assert cells[13] == "30%"
    assert (tmp_path / "b.xlsx").stat().st_mode & 0o077 == 0


def test_decisions_come_back_and_what_is_unclear_stays_open(tmp_path: Path) -> None:
    write_bench(tmp_path / "b.xlsx", ORIGIN, (a_pair(1), a_pair(2), a_pair(2, "P2"), a_pair(3), a_pair(4)))
    back = read_bench(filled(tmp_path / "b.xlsx", ["是", "不是", "是", "查不清", ""], {0: "已核对户口簿"}))
    assert [(it.row_key, it.person_id, it.is_same, it.note) for it in back.answers] == [
        ("k1", "P1", True, "已核对户口簿"), ("k2", "P1", False, ""), ("k2", "P2", True, "")]
    assert (back.campaign, back.period, back.undecided) == ("chengjiang-2021", "2021-05", 2)


def test_one_row_cannot_be_two_persons(tmp_path: Path) -> None:
    write_bench(tmp_path / "b.xlsx", ORIGIN, (a_pair(1), a_pair(1, "P2")))
    with pytest.raises(FileReturned, match="认定为两个人"):
        read_bench(filled(tmp_path / "b.xlsx", ["是", "是"]))


def test_another_word_than_the_three_is_refused_with_its_line(tmp_path: Path) -> None:
    write_bench(tmp_path / "b.xlsx", ORIGIN, (a_pair(),))
    with pytest.raises(FileReturned, match=f"第 {FIRST_LINE} 行"):
        read_bench(filled(tmp_path / "b.xlsx", ["大概是"]))


def test_another_workbook_is_no_bench(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "b.xlsx")
    with pytest.raises(FileReturned, match="不是本系统下发"):
        read_bench(tmp_path / "b.xlsx")


def test_an_empty_bench_can_be_written_and_read(tmp_path: Path) -> None:
    write_bench(tmp_path / "b.xlsx", ORIGIN, ())
    assert read_bench(tmp_path / "b.xlsx").answers == ()
