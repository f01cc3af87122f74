"""Whoever sends a file may have named a person in its name, in a sheet's name, beside the table: it stands nowhere else then."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.database import engine
from models.errors import CanbaoError
from tasks import doors
from tasks.campaign import folder, store_plan
from tasks.inbox import Moment
from tasks.intake import take_in
from tasks.obligations import make_obligations
from tasks.receipts import receipt
from tasks.submissions import take_return
from tests.canary import Canary, every_row
from tests.conftest import fresh_record
from tests.expectations.a_file import POPULATION, a_number, a_person, population_file, workbook

CAMPAIGN, UNIT = "chengjiang-2021", "fenglu"
START, ARRIVAL = datetime(2021, 3, 18, tzinfo=UTC), datetime(2021, 6, 9, 2, tzinfo=UTC)
NAMED, NUMBER = "欧阳小娜", a_number(977)
CANARY = Canary({NUMBER}, {NAMED, "ouyangxiaona"})
SAID = (f"{NAMED}.csv", f"公安局_{NAMED}的家人_2021-05.csv", f"人口{NUMBER}.csv", "ouyangxiaona.csv", f"公安局_人口_{NAMED}{NUMBER}_更正.csv")
IN_SECRET = ("originals", "snapshots", "inbox")
"""Folders whose files are people's: what came, and its rows."""


_serial = itertools.count(1, 40)


@pytest.fixture(scope="module")
def place(server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in force, for all of them: what one test has left must not be seen either."""
    with fresh_record(server, tmp_path_factory.mktemp("names") / "home") as home:  # type: ignore[arg-type]
        store_plan.fn(CAMPAIGN, START)
        make_obligations.fn(CAMPAIGN, START)
        yield home


def _others() -> list[list[str]]:
    """Forty people whom no file had before."""
    first = next(_serial)
    return [a_person(serial) for serial in range(first, first + 40)]


def _told(home: Path) -> Iterator[tuple[str, str]]:
    """Every row of the record, and every file of the home that is no file of people: its name, and what stands in it."""
    with engine().connect() as connection:
        yield from every_row(connection)
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts
        if path.is_file() and not set(inside) & {*IN_SECRET, "run"}:
            yield str(path.relative_to(home)), path.name
            yield str(path.relative_to(home)), path.read_text(encoding="utf-8", errors="replace")


def _assert_nowhere(home: Path, *answers: Any) -> None:
    seen = 0
    for where, what in _told(home):
        seen += 1
        assert not CANARY.sees(what), where
    assert seen > 100
    for answer in answers:
        assert not CANARY.sees(json.dumps(answer, ensure_ascii=False, default=str))


@pytest.mark.parametrize("name", SAID, ids=ascii)
@pytest.mark.parametrize("is_empty", [False, True], ids=["accepted", "returned"])
def test_a_file_called_after_a_person(place: Path, tmp_path: Path, name: str, is_empty: bool) -> None:
    path = population_file(tmp_path / name, [] if is_empty else _others())
    taken = take_in.fn(CAMPAIGN, "population", "2021-05", str(path), ARRIVAL)
    assert taken["new"]
    assert (taken["verdict"] == "returned") == is_empty
    assert not take_in.fn(CAMPAIGN, "population", "2021-05", str(path), ARRIVAL)["new"]
    _assert_nowhere(place, taken, receipt(CAMPAIGN, taken["delivery"]))


def test_two_files_that_differ_in_a_persons_name_are_two_parts(place: Path, tmp_path: Path) -> None:
    for name in (NAMED, "司马小兰"):
        path = population_file(tmp_path / f"人口_{name}.csv", _others())
        assert take_in.fn(CAMPAIGN, "population", "2021-04", str(path), ARRIVAL)["replaces"] == []
    _assert_nowhere(place)


def test_a_file_in_the_inbox_is_known_again_and_another_of_its_size_is_not(place: Path) -> None:
    door = folder(CAMPAIGN, "inbox", "population", "2021-05")
    for name in (NAMED, "司马小兰"):
        path = population_file(door / f"人口_{name}.csv", _others())
        os.utime(path, (ARRIVAL.timestamp() - 86_400,) * 2)
        found = doors.look(CAMPAIGN, folder(CAMPAIGN, "inbox"), Moment(ARRIVAL))
        assert [file.path.name for file in found.arrived] == [path.name]
        doors.admit_files.fn(CAMPAIGN, found.arrived)
    assert not doors.look(CAMPAIGN, folder(CAMPAIGN, "inbox"), Moment(ARRIVAL)).arrived
    _assert_nowhere(place)


def test_a_sheet_called_after_a_person(place: Path, tmp_path: Path) -> None:
    head = [list(POPULATION)]
    path = workbook(tmp_path / "公安局_人口.xlsx", {f"{NAMED}{NUMBER}"[:31]: head + _others(), NAMED: head + _others()[:20]})
    taken = take_in.fn(CAMPAIGN, "population", "2021-05", str(path), ARRIVAL)
    _assert_nowhere(place, taken, receipt(CAMPAIGN, taken["delivery"]))


@pytest.mark.parametrize("header", [NUMBER, f"{NAMED}{NUMBER}"], ids=["number", "both"])
def test_a_header_with_a_persons_number(place: Path, tmp_path: Path, header: str) -> None:
    path = population_file(tmp_path / "公安局_人口.csv", _others(), headers=(header, *POPULATION[1:]))
    taken = take_in.fn(CAMPAIGN, "population", "2021-05", str(path), ARRIVAL)
    assert taken["verdict"] == "returned"
    _assert_nowhere(place, taken, receipt(CAMPAIGN, taken["delivery"]))


@pytest.mark.parametrize("content", [b"no workbook", b"PK\x03\x04 broken"], ids=["text", "broken"])
def test_a_workbook_handed_in_under_a_persons_name(place: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"{NAMED}{NUMBER}.xlsx"
    path.write_bytes(content)
    taken = take_return.fn(CAMPAIGN, UNIT, str(path), ARRIVAL)
    assert taken["sent_back"]
    _assert_nowhere(place, taken)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_refused_without_its_name(place: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{NAMED}{NUMBER}.csv"
    path.symlink_to(tmp_path / "else") if kind == "link" else os.mkfifo(path)
    for ask in (lambda: take_in.fn(CAMPAIGN, "population", "2021-05", str(path), ARRIVAL),
                lambda: take_return.fn(CAMPAIGN, UNIT, str(path), ARRIVAL)):
        with pytest.raises(CanbaoError) as refusal:
            ask()
        assert not CANARY.sees(str(refusal.value))


def test_a_feed_that_nobody_expects_is_refused_without_the_files_name(place: Path, tmp_path: Path) -> None:
    with pytest.raises(CanbaoError) as refusal:
        take_in.fn(CAMPAIGN, "nothing", "2021-05", str(population_file(tmp_path / f"{NAMED}.csv", _others())), ARRIVAL)
    assert not CANARY.sees(str(refusal.value))
