"""Rows whose person alone is in doubt are kept for the comparison: number as it came, fault beside it, never accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.contract import for_feed
from tests.expectations.a_file import a_number, a_person, csv_file, people, population_file

Doubtful = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def doubtful(tmp_path: Path, take_in: Any, rows_of: Any) -> Doubtful:
    """The doubtful rows of a population file of 60 sound rows and the ones given."""

    def taken(*rows: list[str]) -> list[dict[str, Any]]:
        intake = take_in(population_file(tmp_path / "a.csv", [*people(60), *rows]))
        assert None not in {row["id_number"] for row in rows_of(intake.snapshot)}
        return rows_of(intake.snapshot.with_suffix(".doubtful.parquet"))  # type: ignore[no-any-return]

    return taken


def wrong(serial: int) -> str:
    """A number whose check letter is wrong."""
    number = a_number(serial)
    return number[:-1] + ("1" if number[-1] != "1" else "2")


def test_a_wrong_check_digit_is_doubtful_and_keeps_its_number(doubtful: Doubtful) -> None:
    (row,) = doubtful(a_person(71, 身份证号=f"'{wrong(71)}"))
    assert (row["id_number"], row["id_given"], row["id_fault"]) == (None, wrong(71), "id_number_check_digit")
    assert (row["name"], row["township"], row["row_number"]) == ("王二", "fenglu", 62)


def test_cut_off_numbers_are_doubtful_and_full_width_is_folded(doubtful: Doubtful) -> None:
    rows = doubtful(a_person(72, 身份证号=a_number(72)[:15] + "000"), a_person(73, 身份证号="５３０４"))
    assert [(row["id_given"], row["id_fault"]) for row in rows] == [
        (a_number(72)[:15] + "000", "id_number_lost_digits"), ("5304", "id_number_shape")]


def test_a_death_without_a_number_is_doubtful(tmp_path: Path, take_in: Any, rows_of: Any) -> None:
    header = ("死者身份证号", "死者姓名", "死亡日期", "户籍地乡镇")
    sound = [[a_number(serial), "王一", "2021-05-03", "凤麓街道"] for serial in range(1, 60)]
    intake = take_in(csv_file(tmp_path / "a.csv", [header, *sound, ["", "王大明", "2021-05-04", "龙街街道"]]), "deaths")
    (row,) = rows_of(intake.snapshot.with_suffix(".doubtful.parquet"))
    assert (row["id_given"], row["id_fault"], row["name"], row["township"]) == (None, "id_number_blank", "王大明", "longjie")


def test_both_names_of_one_number_are_doubtful(doubtful: Doubtful) -> None:
    rows = doubtful(a_person(71, 姓名="王大明"), a_person(71, 姓名="张小红"))
    assert {(row["id_given"], row["id_fault"]) for row in rows} == {(a_number(71), "id_number_two_names")}


def test_name_and_number_in_each_others_cells_are_put_back(doubtful: Doubtful) -> None:
    (row,) = doubtful(a_person(71, 身份证号="王大明", 姓名=a_number(71)))
    assert (row["id_given"], row["name"]) == (a_number(71), "王大明")


def test_a_row_whose_status_alone_cannot_be_read_keeps_its_person_and_says_no_status(doubtful: Doubtful) -> None:
    (row,) = doubtful(a_person(71, 状态="待核实"))
    assert (row["id_number"], row["id_given"], row["id_fault"]) == (None, a_number(71), "status_unknown")
    assert (row["name"], row["status"]) == ("王二", None)


def test_a_row_with_another_fault_beside_it_is_not_fit_for_the_comparison(doubtful: Doubtful) -> None:
    assert doubtful(a_person(71, 身份证号=wrong(71), 状态="待核实")) == []


def test_a_doubtful_row_that_stands_twice_stands_once(doubtful: Doubtful) -> None:
    assert len(doubtful(a_person(71, 身份证号=wrong(71)), a_person(71, 身份证号=wrong(71)))) == 1


def test_registers_of_employers_have_no_doubtful_rows() -> None:
    assert not for_feed("employers").names_persons
    assert not for_feed("newborns").names_persons
    assert for_feed("deaths").names_persons
