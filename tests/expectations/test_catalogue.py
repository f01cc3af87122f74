"""The catalogue of defects (domain.md, Files): for each of its 46 rows a real file that carries it, and what becomes of it.

The files are those of a synthetic place that makes one defect. For every one of them intake must end each row as the
place's truth says; what a row of the catalogue asks for beyond that stands in its own test. ``docs/catalogue.md`` names
the test of each row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy.engine import URL

from comparison.engine import compare
from documents.wording import safe_cell
from expectations.history import Held, History
from expectations.intake import Intake, take
from models import plan_file
from rehearsal import defect_files, defect_layout
from rehearsal.defect_chance import Chance
from rehearsal.defect_delivery import Sent, deliver
from rehearsal.defects import DefectSettings
from rehearsal.feeds import providers_in
from rehearsal.place import Place
from rehearsal.place_config import read_place
from rehearsal.truth import true_lists
from rules.drift import Profile
from tasks.campaign import store_plan
from tasks.intake import take_in
from tasks.obligations import make_obligations
from tests.conftest import fresh_record

LOADED = plan_file.read(plan_file.find("chengjiang-2021"))
PLAN = LOADED.plan
ZONE = ZoneInfo("Asia/Shanghai")
EVERY_ROW = 1.0


@pytest.fixture(scope="module")
def place() -> Place:
    """A small 澄江 at the end of April 2021; looked at, never changed."""
    return Place.create(PLAN, read_place(PLAN, LOADED.path), seed=5, persons=1500)


@dataclass
class Office:
    """A department that makes some defects, and the intake that its files meet."""

    place: Place
    folder: Path

    def send(self, feed: str, *numbers: int, has_previous: bool = False, **rates: float) -> list[Sent]:
        """The files of a feed with these defects; ``r20=0.1`` or ``r26_dotted=0.3`` sets a rate."""
        stated = {key[1:].replace("_", ".", 1): rate for key, rate in rates.items()}
        settings = DefectSettings.model_validate({"make": numbers, "rates": stated})
        entry = PLAN.item("feeds", feed)
        provider, = providers_in(PLAN, entry, self.place.period)
        return deliver(self.place, PLAN, entry, provider, self.folder / "inbox", settings, has_previous=has_previous)

    def take(self, sent: Sent, **known: Any) -> Intake:
        """The file through intake; the verdict must be the one that the place expects."""
        intake = take(sent.path, feed=sent.feed, plan=PLAN, period=sent.period, provider=None,
                      snapshots=self.folder / "snapshots", **known)
        assert (intake.verdict == "returned") == (sent.verdict == "returned"), intake.reason
        assert intake.accepted + intake.quarantined + intake.duplicate + intake.dropped == intake.rows
        return intake

    def settle(self, feed: str, *numbers: int, **rates: float) -> tuple[Sent, Intake, list[dict[str, Any]]]:
        """One accepted file: how it was sent, its receipt, and its rows beside the truth; they agree."""
        sent, = self.send(feed, *numbers, **rates)
        assert set(numbers) <= set(sent.defects) | _row_defects(sent), "the file does not carry the defect"
        intake = self.take(sent)
        rows = _beside_the_truth(sent, intake)
        wrong = [(row["defects"], row["expected"], row["found"]) for row in rows if row["expected"] != row["found"]]
        assert wrong == []
        return sent, intake, rows


@pytest.fixture
def office(place: Place, tmp_path: Path) -> Office:
    return Office(place, tmp_path)


Draw = Callable[[int, str, float], None]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Decide what chance would: which kind of a defect a file has."""
    by_chance = Chance.draw

    def decide(number: int, kind: str, drawn: float) -> None:
        def decided(self: Chance, asked: int, *what: str, part: str = "") -> float:
            return drawn if (asked, part) == (number, kind) else by_chance(self, asked, *what, part=part)

        monkeypatch.setattr(Chance, "draw", decided)

    return decide


def _row_defects(sent: Sent) -> set[int]:
    return set() if sent.truth is None else {number for defects in sent.truth["defects"].to_pylist() for number in defects}


def _beside_the_truth(sent: Sent, intake: Intake) -> list[dict[str, Any]]:
    """Every row of the file with what was to become of it and what did, and the accepted cells."""
    truth = sent.truth
    assert truth is not None
    accepted = {(row["row_number"], row["member"]): row for row in _rows(intake.snapshot)}
    quarantined = {(row["row_number"], row["member"]): row["reason"] for row in _rows(intake.quarantine)}
    found = []
    for row in truth.to_pylist():
        at = row["row_number"], row["member"]
        became = "accepted" if at in accepted else f"quarantined {quarantined[at]}" if at in quarantined else "left out"
        outcome = row["expected_outcome"]
        expected = ("accepted" if outcome in ("accepted", "fixed")
                    else f"quarantined {row['expected_reason']}" if outcome == "quarantined" else "left out")
        found.append({**row, "expected": expected, "found": became, "cells": accepted.get(at, {})})
    return found


def _rows(path: Path | None) -> list[dict[str, Any]]:
    return [] if path is None else duckdb.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table().to_pylist()


def about_persons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of data: neither totals nor signatures."""
    found = [row for row in rows if row["expected_outcome"] != "dropped"]
    assert found
    return found


def failed(intake: Intake) -> set[str]:
    return {check.rule_id.partition(".")[2] for check in intake.checks if not check.passed}


def with_defect(rows: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    found = [row for row in rows if number in row["defects"]]
    assert found, "no row carries the defect"
    return found


def sheets(sent: Sent) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(sent.path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


XLSX, XLS, CSV = {"r1_xlsx": 1.0}, {"r1_xlsx": 0.0, "r1_xls": 1.0}, {"r1_xlsx": 0.0, "r1_xls": 0.0}


# --- 1 to 4: forms and encodings ------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "start"), [(XLSX, b"PK"), (XLS, b"\xd0\xcf\x11\xe0"), (CSV, "身份证号".encode("gb18030")[:1])],
                         ids=["xlsx", "xls", "csv"])
def test_01_the_three_forms_of_file_are_all_read(office: Office, form: dict[str, float], start: bytes) -> None:
    sent, intake, rows = office.settle("poverty", 1, **form)
    assert sent.path.read_bytes().lstrip(b'"').startswith((start, b'\xd6'))
    assert intake.accepted == len(rows) > 20


@pytest.mark.parametrize(("rates", "encoding"), [
    ({"r2_gb18030": 1.0}, "gb18030"), ({"r2_gb18030": 0.0, "r2_utf8_marked": 1.0}, "utf-8-sig"),
    ({"r2_gb18030": 0.0, "r2_utf8_marked": 0.0}, "utf-8"),
], ids=["gb18030", "utf-8-with-mark", "bare-utf-8"])
def test_02_text_is_decoded_whatever_its_encoding(office: Office, rates: dict[str, float], encoding: str) -> None:
    sent, _, rows = office.settle("resident_pension", 2, **rates)
    assert list(csv.reader(io.StringIO(sent.path.read_bytes().decode(encoding))))[1][1] == rows[0]["name_true"]
    assert [row["cells"]["name"] for row in rows] == [row["name_true"] for row in rows]


def test_03_an_encoding_is_not_guessed_from_the_header_alone(office: Office) -> None:
    sent, _, rows = office.settle("resident_pension", 2, 3, r2_gb18030=EVERY_ROW, r3=EVERY_ROW)
    header = sent.path.read_bytes().splitlines()[0]
    assert header.isascii()
    assert b"AAC003" in header
    assert [row["cells"]["name"] for row in rows] == [row["name_true"] for row in rows]


@pytest.mark.parametrize(("rates", "start"), [
    ({"r4_html": 1.0}, b"<html"), ({"r4_html": 0.0, "r4_csv": 1.0}, b'"'), ({"r4_html": 0.0, "r4_csv": 0.0}, b"PK"),
], ids=["html", "csv", "xlsx"])
def test_04_an_xls_that_is_none_is_read_by_its_bytes(office: Office, rates: dict[str, float], start: bytes) -> None:
    sent, intake, rows = office.settle("poverty", 4, r4=EVERY_ROW, **rates)
    assert (sent.path.suffix, sent.path.read_bytes()[:len(start)]) == (".xls", start)
    assert intake.accepted == len(rows)


# --- 5 to 14: what stands around the rows ---------------------------------------------------------------


def test_05_the_header_is_found_under_title_lines(office: Office) -> None:
    sent, intake, rows = office.settle("poverty", 1, 5, r5=EVERY_ROW, **XLS)
    lines = next(iter(sheets(sent).values()))
    assert sum(1 for cell in lines[0] if cell) == 1
    assert rows[0]["row_number"] > 2
    assert intake.accepted == len(rows)


@pytest.mark.parametrize("form", [XLSX, XLS], ids=["xlsx", "xls"])
def test_06_a_two_line_header_is_flattened(office: Office, form: dict[str, float]) -> None:
    sent, _, rows = office.settle("disability", 1, 6, r6=EVERY_ROW, **form)
    assert next(line for line in next(iter(sheets(sent).values())) if "人员基本信息" in line)
    assert all(row["cells"]["grade"] in "1234" for row in rows if row["cells"])


@pytest.mark.parametrize("form", [XLSX, XLS], ids=["xlsx", "xls"])
def test_07_one_sheet_per_township_is_read_whole_and_its_subtotals_reconcile(office: Office, form: dict[str, float]) -> None:
    sent, intake, _ = office.settle("poverty", 1, 7, 10, r7=EVERY_ROW, r10=EVERY_ROW, r10_wrong=0.0, **form)
    assert len(sheets(sent)) > 3
    assert intake.accepted == intake.control_total == sent.rows


def test_07_a_register_split_over_sheets_of_so_many_rows_is_read_whole(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defect_files, "XLSX_ROWS_AT_MOST", 1000)
    monkeypatch.setattr(defect_layout, "XLSX_ROWS_AT_MOST", 1000)
    sent, intake, rows = office.settle("population", 1, 7, r7=EVERY_ROW, **XLSX)
    assert [*sheets(sent)] == ["第1页", "第2页"]
    assert intake.accepted == len(rows) == 1500


@pytest.mark.parametrize(("kind", "told"), [(0.1, "hidden_sheet"), (0.5, "hidden_rows"), (0.9, "filtered")], ids=["sheet", "rows", "filter"])
def test_08_hidden_parts_are_read_and_warned_of(office: Office, draw: Draw, kind: float, told: str) -> None:
    draw(8, "kind", kind)
    _, intake, _ = office.settle("poverty", 1, 8, r8=EVERY_ROW, **XLSX)
    assert intake.verdict == "accepted_with_warnings"
    assert told in failed(intake)


def test_09_header_synonyms_are_known(office: Office) -> None:
    sent, _, rows = office.settle("resident_pension", 9, r9=EVERY_ROW, r9_unknown=0.0)
    header = sent.path.read_bytes().decode("gb18030").splitlines()[0]
    assert "身份证号码" not in header.split(",")[0] or "缴费档次" not in header
    assert all(row["cells"]["status"] for row in rows)


def test_09_an_unknown_required_column_blocks_and_says_what_is_there(office: Office) -> None:
    first, second = office.send("resident_pension", 9, r9=0.0, r9_unknown=EVERY_ROW)
    intake = office.take(first)
    assert (intake.verdict, intake.rows) == ("returned", 0)
    assert "身份证号" in intake.reason
    assert "编号" in intake.reason
    assert office.take(second).accepted == second.rows


def test_10_totals_are_dropped_and_used_as_control_totals(office: Office) -> None:
    _, intake, rows = office.settle("poverty", 1, 10, r10=EVERY_ROW, r10_wrong=0.0, **XLSX)
    assert (intake.dropped_kinds, intake.control_total) == ({"total": 1}, len(rows) - 1)
    _, wrong, rows = office.settle("poverty", 1, 10, r10=EVERY_ROW, r10_wrong=EVERY_ROW, **XLSX)
    assert wrong.control_total == len(rows) - 1 + 3
    assert "control_total" in failed(wrong)


def test_11_signatures_and_notes_are_dropped(office: Office) -> None:
    _, intake, rows = office.settle("poverty", 1, 11, r11=EVERY_ROW, **XLSX)
    assert intake.dropped_kinds == {"footer": 2}
    assert intake.accepted == len(rows) - 2


def test_12_a_count_in_the_file_name_that_differs_blocks(office: Office) -> None:
    first, second = office.send("poverty", 12, r12=EVERY_ROW)
    intake = office.take(first)
    assert intake.verdict == "returned"
    assert "file_name_count" in failed(intake)
    assert office.take(second).accepted == first.rows


def test_12_a_count_in_the_file_name_that_is_right_passes(office: Office) -> None:
    sent, intake, rows = office.settle("poverty", 12, r12=0.0, r12_stated=EVERY_ROW)
    assert f"_{len(rows)}人" in sent.path.stem
    assert "file_name_count" not in failed(intake)


@pytest.mark.parametrize("form", [XLSX, XLS, CSV], ids=["xlsx", "xls", "csv"])
def test_13_one_household_a_line_becomes_one_row_a_person(office: Office, form: dict[str, float]) -> None:
    _, intake, every = office.settle("hardship", 1, 13, **form)
    rows = about_persons(every)
    assert max(row["member"] for row in rows) > 2
    assert len({row["row_number"] for row in rows}) < len(rows) == intake.accepted
    assert [row["cells"]["id_number"] for row in rows] == [row["id_number_true"] for row in rows]
    assert all(row["cells"]["township"] and row["cells"]["kind"] for row in rows)


def test_14_vertically_merged_townships_count_for_every_row(office: Office) -> None:
    sent, intake, rows = office.settle("poverty", 1, 14, r14=EVERY_ROW, **XLSX)
    book = CalamineWorkbook.from_path(str(sent.path)).get_sheet_by_index(0)
    assert book.merged_cell_ranges
    assert all(row["cells"]["township"] for row in rows)
    assert intake.unassigned == 0


# --- 15 to 23: numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [XLSX, XLS, CSV], ids=["xlsx", "xls", "csv"])
def test_15_numbers_stored_as_numbers_block_and_the_cure_is_told(office: Office, form: dict[str, float]) -> None:
    first, second = office.send("poverty", 1, 15, r15=EVERY_ROW, **form)
    intake = office.take(first)
    assert intake.verdict == "returned"
    assert "lost_digits" in failed(intake)
    assert "文本" in intake.reason
    assert office.take(second).accepted == second.rows


def test_16_marks_and_spaces_around_a_number_are_taken_away(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 16, r16=0.5)
    for row in with_defect(rows, 16):
        assert row["id_number_written"] != row["id_number_true"] == row["cells"]["id_number"]
    assert intake.repaired["id_number_marks"] > 0


def test_17_small_and_foreign_letters_for_x_and_full_width_digits_are_mended(office: Office) -> None:
    _, _, rows = office.settle("resident_pension", 17, r17=0.05, r17_full_width=0.05)
    kinds = {row["number_mistake"] for row in with_defect(rows, 17)}
    assert kinds == {"lower_x", "full_width"}
    assert all(row["cells"]["id_number"] == row["id_number_true"] for row in rows)


def test_18_fifteen_digits_become_eighteen(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 18, r18=0.2, r18_sixty_plus=0.5)
    for row in with_defect(rows, 18):
        assert len(row["id_number_written"]) == 15
        assert row["cells"]["id_number"] == row["id_number_true"]
    assert intake.repaired["id_number_15_digits"] == len(with_defect(rows, 18))


def test_19_the_number_is_taken_out_of_a_disability_certificate(office: Office) -> None:
    _, intake, rows = office.settle("disability", 19)
    for row in with_defect(rows, 19):
        assert len(row["id_number_written"]) == 20
        assert row["cells"]["id_number"] == row["id_number_true"]
    assert intake.repaired["id_number_first_18"] == len(with_defect(rows, 19))


def test_20_a_wrong_check_digit_is_quarantined_and_never_mended(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 20, r20=0.03, r20_undetected=0.01)
    kinds = {row["number_mistake"]: row["expected"] for row in with_defect(rows, 20)}
    assert kinds["wrong_digit"] == kinds["swapped_digits"] == "quarantined id_number_check_digit"
    assert kinds["undetected_digits"] == "accepted"
    assert {row["number_mistake"] for row in rows if row["found"].startswith("quarantined")} == {"wrong_digit", "swapped_digits"}
    assert intake.quarantined > 0


def test_21_an_impossible_birth_date_is_quarantined(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 21, r21=0.05)
    assert intake.quarantine_reasons == {"id_number_birth_date": len(with_defect(rows, 21))}


def test_22_a_retired_or_foreign_prefix_is_accepted(tmp_path: Path) -> None:
    config = read_place(PLAN, LOADED.path).with_defects(DefectSettings(make=(22,), rates={"22": 0.5}))
    office = Office(Place.create(PLAN, config, seed=5, persons=800), tmp_path)
    sent, = office.send("population")
    intake = office.take(sent)
    rows = _beside_the_truth(sent, intake)
    foreign = [row for row in rows if row["id_number_true"][:6] not in ("530481", "530422")]
    retired = [row for row in rows if row["id_number_true"].startswith("530422")]
    assert len(foreign) > 100
    assert len(retired) > 100
    assert intake.accepted == len(rows)


def test_23_a_blank_number_is_quarantined(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 23, r23=0.02)
    assert intake.quarantine_reasons == {"id_number_blank": len(with_defect(rows, 23))}


def test_23_one_blank_number_blocks_a_full_register(office: Office) -> None:
    first, second = office.send("population", 23, r23_full_register=EVERY_ROW)
    intake = office.take(first)
    assert (intake.verdict, intake.quarantine_reasons) == ("returned", {"id_number_blank": 1})
    assert "blank_key" in failed(intake)
    assert office.take(second).accepted == second.rows


# --- 24 to 28: names, and what the number says otherwise ------------------------------------------------


def test_24_the_number_wins_over_a_sex_that_differs(office: Office) -> None:
    _, intake, rows = office.settle("population", 24, r24=0.1)
    for row in with_defect(rows, 24):
        assert row["cells"]["sex"] == ("M" if int(row["id_number_true"][16]) % 2 else "F")
    assert intake.repaired["sex_from_id"] == len(with_defect(rows, 24))


def test_25_the_number_wins_over_a_birth_date_that_differs(office: Office) -> None:
    _, intake, rows = office.settle("population", 25, r25=0.1)
    for row in with_defect(rows, 25):
        assert f"{row['cells']['birth_date']:%Y%m%d}" == row["id_number_true"][6:14]
    assert intake.repaired["birth_date_from_id"] == len(with_defect(rows, 25))


def test_26_spaces_in_names_and_other_separators_are_mended(place: Place, tmp_path: Path) -> None:
    office = Office(_with_many_dots(), tmp_path)
    _, _, rows = office.settle("population", 26, r26=0.5, r26_dotted=0.8)
    spaced = [row for row in with_defect(rows, 26) if row["name_mistake"] == "spacing" and len(row["name_true"]) <= 3]
    assert len(spaced) > 100
    assert all(row["cells"]["name"] == row["name_true"] for row in spaced)
    # A separator that was left out, or is a space, cannot be put back here: names without it link by their letters.
    dotted = [row for row in with_defect(rows, 26) if row["name_mistake"] == "separator"]
    mended = [row for row in dotted if row["name_written"].replace("\u3000", " ").count(" ") == 0
              and len(row["name_written"]) == len(row["name_true"])]
    assert len(mended) > 40
    assert all(row["cells"]["name"] == row["name_true"] for row in mended)


def _with_many_dots() -> Place:
    config = read_place(PLAN, LOADED.path)
    people = config.people.model_copy(update={"dotted_name_share": 0.4})
    return Place.create(PLAN, config.model_copy(update={"people": people}), seed=5, persons=600)


def test_27_another_letter_in_a_name_stays_as_it_is_written_for_the_comparison_to_weigh(tmp_path: Path) -> None:
    office = Office(_with_many_dots(), tmp_path)
    _, intake, rows = office.settle("resident_pension", 27, r27=1.0, r27_dotted=1.0, r27_renamed=0.01)
    kinds = {row["name_mistake"] for row in with_defect(rows, 27)}
    assert {"homophone", "variant", "traditional", "question_mark", "pinyin", "lookalike", "transliterated",
            "truncated", "reversed", "father_dropped", "renamed"} <= kinds
    assert intake.quarantined == 0
    assert all(row["cells"]["id_number"] == row["id_number_true"] for row in rows)


def test_28_one_number_under_two_names_sends_both_rows_to_review(office: Office) -> None:
    _, intake, rows = office.settle("population", 28, r28=0.1, r28_second_number=0.0)
    borrowed = [row for row in rows if row["number_mistake"] in ("relatives_number", "shared_number")]
    assert {row["number_mistake"] for row in borrowed} == {"relatives_number", "shared_number"}
    owners = {row["id_number_true"] for row in rows if row["expected_reason"] == "id_number_two_names" and not row["number_mistake"]}
    assert {row["id_number_written"] for row in borrowed if row["expected_reason"] == "id_number_two_names"} == owners
    assert intake.quarantine_reasons == {"id_number_two_names": len(with_defect(rows, 28))}


def test_28_a_persons_earlier_number_is_valid_and_left_to_the_comparison(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 28, r28=0.0, r28_second_number=0.02, r28_old_number_used=1.0)
    earlier = with_defect(rows, 28)
    assert {row["number_mistake"] for row in earlier} == {"second_number"}
    assert all(row["cells"]["id_number"] == row["id_number_written"] != row["id_number_true"] for row in earlier)
    assert intake.quarantined == 0


# --- 29 to 31: columns and dates ------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "told", "form"), [
    (29, "swapped_name_and_id", XLSX), (29, "swapped_name_and_id", CSV), (30, "", XLSX), (30, "", CSV),
], ids=["29-xlsx", "29-csv", "30-xlsx", "30-csv"])
def test_29_30_swapped_and_shifted_columns_are_returned(office: Office, number: int, told: str, form: dict[str, float]) -> None:
    first, second = office.send("poverty", 1, number, **{f"r{number}": EVERY_ROW}, **form)
    intake = office.take(first)
    assert intake.verdict == "returned"
    assert not told or told in failed(intake)
    assert office.take(second).accepted == second.rows


def _with_dates(office: Office, form: str, monkeypatch: pytest.MonkeyPatch, **file: float) -> tuple[Sent, Intake, list[dict[str, Any]]]:
    monkeypatch.setattr(defect_files, "DATE_FORMS", (form,) * 7)
    return office.settle("deaths", 1, 31, r31=EVERY_ROW, r31_impossible=0.0, **file)


@pytest.mark.parametrize("form", ["compact", "dots", "slashes", "chinese", "serial", "cells", "cells_1904"])
def test_31_dates_are_read_in_every_shape(office: Office, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    _, _, rows = _with_dates(office, form, monkeypatch, **XLSX)
    people = office.place.people
    truly = dict(zip(people.id_number.tolist(), people.death_day.tolist(), strict=True))
    for row in about_persons(rows):
        assert row["cells"]["death_date"] == date(1970, 1, 1) + timedelta(days=truly[row["id_number_true"]])


def test_31_impossible_dates_are_quarantined(place: Place, tmp_path: Path) -> None:
    office = Office(Place.create(PLAN, read_place(PLAN, LOADED.path), seed=5, persons=8000), tmp_path)
    _, intake, rows = office.settle("deaths", 31, r31=EVERY_ROW, r31_impossible=0.3)
    assert intake.quarantine_reasons == {"death_date_unreadable": 1}
    assert sum(row["expected_outcome"] == "quarantined" for row in rows) == 1


# --- 32 to 41: the same person twice, places, codes, cells -----------------------------------------------


def test_32_exact_duplicates_are_dropped_and_counted(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 32, r32=0.1)
    assert intake.duplicate == len(with_defect(rows, 32))
    assert intake.accepted == len(rows) - intake.duplicate


def test_33_a_person_in_two_townships_counts_once(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 33, r33=0.1)
    pairs = with_defect(rows, 33)
    assert intake.duplicate == len(pairs) / 2
    assert len({row["id_number_true"] for row in pairs}) == len(pairs) / 2
    assert intake.accepted == len(rows) - intake.duplicate


def test_35_townships_are_known_by_any_spelling_and_the_rest_waits_unassigned(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 35, r35=0.5, r35_unknown=0.05)
    codes = [org.code for org in office.place.townships]
    truly = dict(zip(office.place.people.id_number.tolist(), office.place.people.township.tolist(), strict=True))
    for row in with_defect(rows, 35):
        unknown = row["expected_reason"] == "unassigned"
        assert row["cells"]["township"] == (None if unknown else codes[truly[row["id_number_true"]]])
    assert intake.unassigned == sum(row["expected_reason"] == "unassigned" for row in rows) > 0


def test_35_where_the_township_says_nothing_the_address_may(office: Office) -> None:
    _, intake, rows = office.settle("population", 35, r35=0.0, r35_unknown=0.05)
    assert {row["expected_reason"] for row in with_defect(rows, 35)} == {"by_address"}
    assert all(row["cells"]["township"] for row in rows)
    assert intake.repaired["township_by_address"] == len(with_defect(rows, 35))


def test_36_an_address_tells_the_township_and_the_rest_waits_in_a_queue(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 36, r36=EVERY_ROW, r36_unreadable=0.05)
    assert all((row["cells"]["township"] is None) == (row["expected_reason"] == "unassigned") for row in rows)
    assert intake.unassigned == sum(row["expected_reason"] == "unassigned" for row in rows) > 0
    assert intake.repaired["township_longest_match"] > len(rows) / 2


def test_37_codes_are_known_by_any_spelling_and_unknown_ones_are_quarantined(office: Office) -> None:
    _, intake, rows = office.settle("resident_pension", 37, r37=0.6, r37_unknown=0.02)
    assert set(intake.quarantine_reasons) == {"status_unknown"}
    assert {row["cells"]["status"] for row in rows if row["cells"]} <= {"active", "suspended", "terminated"}


def test_38_wrong_and_shared_telephones_are_warned_of(office: Office) -> None:
    _, intake, rows = office.settle("population", 38, r38=0.3, r38_shared=0.3)
    assert intake.accepted == len(rows)
    assert intake.verdict == "accepted_with_warnings"
    assert {"wrong_phone", "shared_phone"} <= failed(intake)
    assert not {"wrong_phone", "shared_phone"} & failed(office.settle("population")[1])


@pytest.mark.parametrize("form", [0.1, 0.5, 0.9], ids=["330元", "0.0330万", "¥1,200.00"])
def test_39_amounts_with_their_unit_are_read_in_yuan(office: Office, draw: Draw, form: float) -> None:
    draw(39, "form", form)
    _, _, rows = office.settle("resident_pension", 39, r39=EVERY_ROW)
    people = office.place.people
    truly = dict(zip(people.id_number.tolist(), people.tier.tolist(), strict=True))
    assert all(row["cells"]["tier_yuan"] == truly[row["id_number_true"]] for row in rows)


def test_40_a_credit_code_with_o_is_mended_and_an_old_number_is_quarantined(office: Office) -> None:
    _, intake, rows = office.settle("employers", 40, r40=0.2)
    mended = [row for row in with_defect(rows, 40) if row["expected_outcome"] == "fixed"]
    assert mended
    assert all(row["cells"]["credit_code"] == row["id_number_true"] for row in mended)
    assert set(intake.quarantine_reasons) == {"credit_code_old_number"}


# --- 43 to 46 -------------------------------------------------------------------------------------------


def test_43_a_full_snapshot_that_shrinks_blocks(office: Office) -> None:
    whole, = office.send("resident_pension")
    before = office.take(whole)
    assert before.snapshot is not None
    last = History(last=(Held(1, "", before.accepted, before.snapshot, Profile(before.accepted)),))
    first, second = office.send("resident_pension", 43, r43=EVERY_ROW, has_previous=True)
    intake = office.take(first, history=last)
    assert (intake.verdict, "shrink" in failed(intake)) == ("returned", True)
    # The right file holds exactly what last month's did; here that is so because nothing has happened.
    assert office.take(second).accepted == before.accepted


def test_44_failed_formulas_and_formulas_without_a_value_are_quarantined(place: Place, tmp_path: Path) -> None:
    office = Office(Place.create(PLAN, read_place(PLAN, LOADED.path), seed=5, persons=6000), tmp_path)
    _, intake, rows = office.settle("students", 1, 44, r44=EVERY_ROW, r44_cells=0.5, **XLSX)
    assert intake.quarantine_reasons == {"name_unreadable": len(with_defect(rows, 44))}
    assert {row["name_written"] for row in with_defect(rows, 44)} == {"#N/A", None}
    assert "formulas_without_value" in failed(intake)


@pytest.mark.parametrize(("rates", "told"), [
    ({"r45_password": 1.0}, "密码"), ({"r45_password": 0.0, "r45_corrupt": 1.0}, "损坏"),
    ({"r45_password": 0.0, "r45_corrupt": 0.0}, "表头"),
], ids=["password", "corrupt", "wrong-template"])
def test_45_a_file_nobody_can_use_goes_back_saying_why(office: Office, rates: dict[str, float], told: str) -> None:
    first, second = office.send("poverty", 45, r45=EVERY_ROW, **rates)
    intake = office.take(first)
    assert (intake.verdict, intake.rows, intake.snapshot) == ("returned", 0, None)
    assert told in intake.reason
    assert office.take(second).accepted == second.rows


def test_46_a_cell_that_starts_like_a_formula_is_kept_and_escaped_on_the_way_out(office: Office) -> None:
    _, _, rows = office.settle("resident_pension", 46, r46=0.05)
    for row in with_defect(rows, 46):
        village = row["cells"]["village"]
        assert village[0] in "=+-@"
        assert safe_cell(village) == f"'{village}"


# --- 34, 41: what the comparison finds; 42: what the record knows ----------------------------------------


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[dict[str, Any]]]:
    """A place with double enrolments and insured dead, its files taken in, and the findings."""
    folder = tmp_path_factory.mktemp("compared")
    settings = DefectSettings.model_validate({"make": (34, 41), "rates": {"34": 0.02, "41": 0.005}})
    config = read_place(PLAN, LOADED.path).with_defects(settings)
    place = Place.create(PLAN, config.model_copy(update={"defects": DefectSettings()}), seed=5, persons=2000)
    snapshots: dict[str, list[Path]] = {}
    feeds = ("population", "deaths", "employee_pension", "institution_pension", "resident_pension", "benefits")
    for path in place.write_feeds(PLAN, place.period, folder / "inbox", feeds):
        feed = path.parent.parent.name
        intake = take(path, feed=feed, plan=PLAN, period=place.period, provider=None, snapshots=folder / "snapshots")
        assert intake.snapshot is not None, intake.reason
        snapshots.setdefault(feed, []).append(intake.snapshot)
    compare(PLAN, place.period, snapshots, folder / "run")
    return place, _rows(folder / "run" / "findings.parquet")


def _on(findings: list[dict[str, Any]], name: str) -> set[str]:
    return {row["id_number"] for row in findings if row["list"] == name}


def _truly_on(place: Place, name: str) -> set[str]:
    return next(set(entry.keys.tolist()) for entry in true_lists(place, PLAN) if entry.item.id == name)


def test_34_two_active_schemes_are_a_finding(compared: tuple[Place, list[dict[str, Any]]]) -> None:
    place, findings = compared
    assert _on(findings, "duplicate_enrolment") == _truly_on(place, "duplicate_enrolment")
    assert len(_on(findings, "duplicate_enrolment")) > 10


def test_41_the_dead_who_are_still_insured_are_a_finding_and_nothing_else(compared: tuple[Place, list[dict[str, Any]]]) -> None:
    place, findings = compared
    assert _on(findings, "deceased_enrolled") == _truly_on(place, "deceased_enrolled")
    assert len(_on(findings, "deceased_enrolled")) > 3
    # Somebody decides: the finding has an owner, and the category that says so counts nobody as removed.
    assert all(row["owner"] for row in findings if row["list"] == "deceased_enrolled")


@pytest.fixture
def opened(server: URL, tmp_path: Path) -> Iterator[Callable[[Sent], dict[str, Any]]]:
    """A campaign in force; takes a file in at the instant at which it arrived."""
    with fresh_record(server, tmp_path / "home"):
        store_plan.fn("chengjiang-2021", datetime(2021, 5, 1, 9, tzinfo=ZONE))
        make_obligations.fn("chengjiang-2021", datetime(2021, 5, 1, 9, tzinfo=ZONE))
        yield lambda sent: take_in.fn("chengjiang-2021", sent.feed, sent.period, str(sent.path), sent.arrived)


def test_42_last_months_file_goes_back_and_the_same_file_twice_counts_once(
    opened: Callable[[Sent], dict[str, Any]], tmp_path: Path,
) -> None:
    office = Office(Place.create(PLAN, read_place(PLAN, LOADED.path), seed=5, persons=1500), tmp_path)
    april, = office.send("poverty")
    assert opened(april)["verdict"].startswith("accepted")
    office.place.advance("2021-05")
    repeated, right, again = office.send("poverty", 42, has_previous=True, r42=0.0, r42_last_month=1.0, r42_twice=1.0)
    assert repeated.path.read_bytes() == april.path.read_bytes()
    returned = opened(repeated)
    assert (returned["verdict"], "4月" in returned["reason"] or "2021-04" in returned["reason"]) == ("returned", True)
    assert right.path.read_bytes() != april.path.read_bytes()
    first, second = opened(right), opened(again)
    assert (first["new"], second["new"]) == (True, False)
    assert second["delivery"] == first["delivery"]


def test_42_a_late_file_is_accepted_and_known_to_be_late(opened: Callable[[Sent], dict[str, Any]], tmp_path: Path) -> None:
    from models.database import transaction
    from models.store import obligations

    office = Office(Place.create(PLAN, read_place(PLAN, LOADED.path), seed=5, persons=1500), tmp_path)
    sent, = office.send("poverty", 42, r42=1.0, r42_last_month=0.0, r42_twice=0.0)
    assert sent.is_late
    assert opened(sent)["verdict"].startswith("accepted")
    with transaction() as tx:
        owed = obligations.one(tx, "chengjiang-2021", "feed:poverty", "fupin", "2021-04")
    assert owed is not None
    assert owed["due_before"] <= sent.arrived
