"""What an operator once confirmed for a sender: it wins over the aliases, and only where it says something."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.reading import read
from models import contract
from models.errors import FileReturned
from tests.expectations.a_file import POPULATION, a_number, csv_file, people, population_file

PEOPLE = contract.for_feed("population")
STRANGE = ("身份证号", "姓名", "性别", "出生日期", "户口性质", "片区", "住址", "状态")


def test_a_required_column_under_an_unknown_header_returns_the_file_with_the_headers_it_has(tmp_path: Path) -> None:
    with pytest.raises(FileReturned) as refusal:
        read(population_file(tmp_path / "a.csv", people(2), STRANGE), PEOPLE)
    assert refusal.value.headers == STRANGE


def test_a_confirmed_header_names_its_column(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(2), STRANGE)
    found = read(path, PEOPLE, {contract.header_key("片区"): "township"})
    assert found.table["township"].to_pylist() == ["凤麓街道"] * 2
    assert found.headers["township"] == "片区"


def test_a_confirmed_header_wins_over_an_alias(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", [[*row, "龙街街道"] for row in people(2)], [*POPULATION, "管辖"])
    assert read(path, PEOPLE, {"管辖": "township"}).table["township"].to_pylist() == ["龙街街道"] * 2


def test_a_header_that_is_to_be_left_out_is_not_read(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(2))
    assert read(path, PEOPLE, {"住址": ""}).table["address"].to_pylist() == [None] * 2


def test_a_column_that_the_contract_no_longer_has_maps_nothing(tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", people(2))
    assert read(path, PEOPLE, {"住址": "shoe_size"}).table["address"].to_pylist() == ["澄江市凤麓街道一村1号"] * 2


def test_headers_handed_on_hold_nothing_that_could_be_a_persons_number(tmp_path: Path) -> None:
    rows = [["姓名", "出生日期", a_number(1)], ["王二", "1985-06-07", "x"]]
    with pytest.raises(FileReturned) as refusal:
        read(csv_file(tmp_path / "a.csv", rows), PEOPLE)
    assert refusal.value.headers == ("姓名", "出生日期")
