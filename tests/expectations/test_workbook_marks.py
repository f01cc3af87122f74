"""What a workbook hides, what it could not work out, and what is not opened at all - in each of its formats."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from benchmarks.mutations import seed_file
from expectations.binary_marks import stream_of
from expectations.reading import read
from models import contract
from models.errors import FileReturned
from rehearsal.old_excel import OldSheet, compound_file, old_workbook
from tests.expectations.a_file import POPULATION, a_number, a_person, people, workbook

PEOPLE = contract.for_feed("population")


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """A workbook of some people, changed and saved."""

    def saved(change: Callable[[Any], None] = lambda sheet: None, rows: int = 4, name: str = "a.xlsx") -> Path:
        made = openpyxl.Workbook()
        sheet = made.active
        assert sheet is not None
        for row in [POPULATION, *people(rows)]:
            sheet.append(list(row))
        change(sheet)
        made.save(tmp_path / name)
        return tmp_path / name

    return saved


def with_part(path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The same package with one part changed, or added."""
    with zipfile.ZipFile(path) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    parts[name] = change(parts.get(name, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    return path


def names(path: Path) -> list[str]:
    return [name for name in read(path, PEOPLE).table["name"].to_pylist() if name]


# --- hidden (domain.md 8) -------------------------------------------------------------------------------


def test_hidden_rows_and_columns_are_read_and_counted(book: Any) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True
        sheet.column_dimensions["C"].hidden = True

    found = read(book(hide), PEOPLE)
    assert found.table.num_rows == 4
    assert found.remarks == {"hidden_rows": 2, "hidden_columns": 1}


def test_hiding_everything_beside_the_table_hides_no_column(book: Any) -> None:
    def hide(sheet: Any) -> None:
        sheet.column_dimensions.group("J", "XFD", hidden=True)

    assert read(book(hide), PEOPLE).remarks == {}


def test_rows_filtered_away_are_read_and_counted_as_such(book: Any) -> None:
    def hide(sheet: Any) -> None:
        sheet.auto_filter.ref = "A1:H5"
        sheet.auto_filter.add_filter_column(2, ["男"])
        sheet.row_dimensions[3].hidden = True

    assert read(book(hide), PEOPLE).remarks == {"filtered": 1}


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_of_either_kind_are_read_and_counted(book: Any, state: str) -> None:
    def hide(sheet: Any) -> None:
        more = sheet.parent.create_sheet("二")
        more.append(list(POPULATION))
        more.append(a_person(9))
        more.sheet_state = state

    found = read(book(hide), PEOPLE)
    assert (found.table.num_rows, found.remarks) == (5, {"hidden_sheet": 1})


# --- formulas (44) --------------------------------------------------------------------------------------


def test_formulas_without_a_value_and_failed_ones_make_their_rows_doubtful(book: Any, normalise: Any) -> None:
    def spoil(sheet: Any) -> None:
        sheet["B3"], sheet["G4"] = "=VLOOKUP(A3,Z:Z,1)", "#N/A"

    path = book(spoil)
    found = read(path, PEOPLE)
    assert found.remarks == {"formulas_without_value": 1}
    assert found.table["name"].to_pylist()[1] == "#公式无结果"
    _, accepted, quarantined = normalise(path)
    assert [(row["row_number"], row["reason"]) for row in quarantined] == [(3, "name_unreadable"), (4, "failed_formula")]
    assert [row["row_number"] for row in accepted] == [2, 5]


def test_a_formula_whose_value_was_kept_is_its_value(tmp_path: Path) -> None:
    import xlsxwriter

    made = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = made.add_worksheet("一")
    sheet.write_row(0, 0, POPULATION)
    sheet.write_row(1, 0, a_person(1))
    sheet.write_formula(1, 1, '="王"&"二"', None, "王二")
    sheet.write_formula(1, 6, "=Z1", None, "")
    made.close()
    # Excel marks a formula whose value is an empty text.
    path = with_part(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", lambda content: re.sub(rb'(<c r="G2")', rb'\1 t="str"', content))
    found = read(path, PEOPLE)
    assert (found.table["name"].to_pylist(), found.remarks) == (["王二"], {})


def test_rows_of_nothing_but_formulas_without_value_are_not_lost(book: Any, normalise: Any) -> None:
    def spoil(sheet: Any) -> None:
        for place in range(1, 9):
            sheet.cell(6, place).value = "=A1"

    accounts, _, quarantined = normalise(book(spoil))
    assert (accounts.rows, [row["row_number"] for row in quarantined]) == (5, [6])


# --- dates from 1904 (31) -------------------------------------------------------------------------------


def test_days_counted_from_1904_are_the_same_days(tmp_path: Path) -> None:
    # 2021-05-03 is day 44319 counted from 1900, and 1462 days less from 1904: 42857.
    made = openpyxl.Workbook()
    made.epoch = CALENDAR_MAC_1904
    sheet = made.active
    assert sheet is not None
    for row in (["身份证号", "姓名", "死亡日期"], [a_number(1), "王二", date(2021, 5, 3)], [a_number(2), "王三", 42857],
                [a_number(3), "王四", "2021-05-03"], [a_number(4), "王五", 20210503]):
        sheet.append(row)
    made.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx", contract.for_feed("deaths")).table["death_date"].to_pylist() == [
        "2021-05-03", "44319", "2021-05-03", "20210503"]


# --- several sheets (7) ---------------------------------------------------------------------------------


def test_a_sheet_of_another_feed_is_left_out_and_counted(tmp_path: Path) -> None:
    deaths = [["身份证号", "姓名", "死亡日期", "报告单位"], [a_number(7), "王八", "2021-05-03", "医院"]]
    found = read(workbook(tmp_path / "a.xlsx", {"一": [POPULATION, *people(2)], "死亡": deaths}), PEOPLE)
    assert names(tmp_path / "a.xlsx") == ["王二", "王三"]
    assert (found.notes, found.remarks) == (2, {"other_feed_rows": 2})


def test_a_summary_by_township_is_a_sheet_of_notes(tmp_path: Path) -> None:
    summary = [["乡镇", "状态", "人数", "占比"], ["凤麓", "正常", 30_000, 0.4], ["龙街", "正常", 51_400, 0.6]]
    found = read(workbook(tmp_path / "a.xlsx", {"汇总": summary, "一": [POPULATION, *people(2)]}), PEOPLE)
    assert (names(tmp_path / "a.xlsx"), found.notes) == (["王二", "王三"], 3)
    assert found.table["row_number"].to_pylist() == [5, 6]


def test_headers_repeated_on_each_sheet_and_within_are_no_rows(tmp_path: Path, normalise: Any) -> None:
    sheets = {f"第{page}页": [["户籍人口"], POPULATION, a_person(page), POPULATION, a_person(page + 10)] for page in range(1, 4)}
    accounts, accepted, _ = normalise(workbook(tmp_path / "a.xlsx", sheets))
    assert (len(accepted), accounts.dropped_kinds) == (6, {"header": 3})


# --- what is not opened ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "told", "cure"), [
    ("xl/vbaProject.bin", "宏", "另存为不带宏"), ("xl/macrosheets/sheet1.xml", "宏", "另存为不带宏"),
    ("xl/externalLinks/externalLink1.xml", "外部链接", "断开链接"),
])
def test_programs_and_links_to_other_files_are_refused(book: Any, part: str, told: str, cure: str) -> None:
    with pytest.raises(FileReturned, match=told) as refusal:
        read(with_part(book(), part, lambda _: b"x"), PEOPLE)
    assert cure in refusal.value.cure


def test_one_cell_in_the_last_corner_does_not_lay_out_seventeen_thousand_million(book: Any) -> None:
    def reach(sheet: Any) -> None:
        sheet["XFD1048576"] = "x"

    with pytest.raises(FileReturned, match="第 1048576 行第 16384 列"):
        read(book(reach), PEOPLE)


def test_a_part_that_unpacks_to_more_than_it_says_is_damage(book: Any) -> None:
    path = with_part(book(), "xl/sharedStrings.xml", lambda content: content + b" " * 10_000_000)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/sharedStrings.xml").file_size
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 100)))
    with pytest.raises(FileReturned, match="已损坏"):
        read(path, PEOPLE)


def test_entities_in_a_workbook_are_not_unfolded(book: Any) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>'
    path = with_part(book(), "xl/workbook.xml", lambda content: re.sub(rb"^(<\?xml.*?\?>)?", lambda head: head[0] + bomb, content, count=1))
    with pytest.raises(FileReturned, match="已损坏"):
        read(path, PEOPLE)


# --- .xlsb ----------------------------------------------------------------------------------------------


def xlsb_with(tmp_path: Path, records: bytes = b"", before: bytes = b"") -> Path:
    """The binary workbook with further records after its cells, or before them."""
    path = tmp_path / "a.xlsb"
    path.write_bytes(seed_file("binary_xlsb"))
    end, begin = b"\x92\x01\x00", b"\x91\x01\x00"
    return with_part(path, "xl/worksheets/sheet1.bin", lambda content: content.replace(begin, before + begin).replace(end, records + end))


def a_record(kind: int, content: bytes) -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(content)]) + content


def test_a_binary_workbook_is_read(tmp_path: Path) -> None:
    found = read(xlsb_with(tmp_path), PEOPLE)
    assert (found.kind, found.remarks) == ("workbook", {})
    assert found.table.num_rows > 2


def test_a_binary_workbook_tells_hidden_rows_columns_and_failed_formulas(tmp_path: Path) -> None:
    rows = read(xlsb_with(tmp_path), PEOPLE).table.num_rows
    row = a_record(0, struct.pack("<IIHBBBI", rows + 1, 0, 300, 0, 0x10, 0, 0))
    failed = a_record(3, struct.pack("<IIB", 1, 0, 0x2A))
    column = a_record(390, b"") + a_record(60, struct.pack("<IIIIH", 2, 2, 0, 0, 1)) + a_record(391, b"")
    found = read(xlsb_with(tmp_path, row + failed, column), PEOPLE)
    assert found.remarks == {"hidden_rows": 1, "hidden_columns": 1}
    assert "#N/A" in [cell for line in found.table.slice(rows).to_pylist() for cell in line.values()]


def test_a_binary_workbook_that_reaches_absurdly_far_is_not_opened(tmp_path: Path) -> None:
    row = a_record(0, struct.pack("<IIHBBBI", 1_048_575, 0, 300, 0, 0, 0, 0))
    with pytest.raises(FileReturned, match="未予打开"):
        read(xlsb_with(tmp_path, row + a_record(4, struct.pack("<IIB", 16_383, 0, 1))), PEOPLE)


# --- .xls -----------------------------------------------------------------------------------------------


def old_book(tmp_path: Path, at_the_end: bytes = b"", *, before_the_sheets: bytes = b"") -> Path:
    """A workbook of 1997 with further records at the end of its sheet, or of the book."""
    stream = stream_of(old_workbook([OldSheet("一", [POPULATION, *people(40)])]), "Workbook")
    end, sheet = stream.rindex(b"\x0a\x00\x00\x00"), stream.index(b"\x85\x00")
    position, = struct.unpack_from("<I", stream, sheet + 4)
    moved = struct.pack("<I", position + len(before_the_sheets))
    changed = stream[:sheet] + before_the_sheets + stream[sheet:sheet + 4] + moved + stream[sheet + 8:end] + at_the_end + stream[end:]
    (tmp_path / "a.xls").write_bytes(compound_file({"Workbook": changed}))
    return tmp_path / "a.xls"


def old_record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def test_an_old_workbook_tells_hidden_rows_columns_and_failed_formulas(tmp_path: Path) -> None:
    extra = old_record(0x0208, struct.pack("<HHHHHHHH", 3, 0, 8, 300, 0, 0, 0x20, 0))
    extra += old_record(0x007D, struct.pack("<HHHHHH", 2, 2, 0, 0, 1, 0))
    extra += old_record(0x0205, struct.pack("<HHHBB", 41, 1, 15, 0x2A, 1))
    found = read(old_book(tmp_path, extra), PEOPLE)
    assert found.remarks == {"hidden_rows": 1, "hidden_columns": 1}
    assert found.table["name"].to_pylist()[-1] == "#N/A"
    assert found.table.num_rows == 41


def test_an_old_workbook_with_a_filter_counts_what_it_hides_as_filtered(tmp_path: Path) -> None:
    extra = old_record(0x009B, b"") + old_record(0x0208, struct.pack("<HHHHHHHH", 3, 0, 8, 300, 0, 0, 0x20, 0))
    assert read(old_book(tmp_path, extra), PEOPLE).remarks == {"filtered": 1}


def test_an_old_workbook_with_links_to_other_files_is_refused(tmp_path: Path) -> None:
    link = old_record(0x01AE, struct.pack("<HH", 1, 9) + b"\x00\x01other.xls")
    with pytest.raises(FileReturned, match="外部链接"):
        read(old_book(tmp_path, before_the_sheets=link), PEOPLE)


def test_an_old_workbook_with_a_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(compound_file({"Workbook": bytes(5000), "_VBA_PROJECT": bytes(5000)}))
    with pytest.raises(FileReturned, match="宏"):
        read(tmp_path / "a.xls", PEOPLE)


def test_an_old_workbook_whose_sectors_run_in_a_circle_is_damage(tmp_path: Path) -> None:
    content = bytearray(old_workbook([OldSheet("一", [POPULATION, *people(40)])]))
    table = 512 * (1 + struct.unpack_from("<I", content, 0x4C)[0])
    for at in range(128):
        struct.pack_into("<I", content, table + 4 * at, 0)
    (tmp_path / "a.xls").write_bytes(bytes(content))
    with pytest.raises(FileReturned, match="已损坏"):
        read(tmp_path / "a.xls", PEOPLE)


def test_a_password_is_told_from_damage(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(compound_file({"EncryptionInfo": bytes(5000), "EncryptedPackage": bytes(5000)}))
    with pytest.raises(FileReturned, match="密码"):
        read(tmp_path / "a.xlsx", PEOPLE)

