"""A synthetic place's defects: each switchable, at its rate, the same for the same seed, and with the truth beside it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook, PasswordError

from expectations.intake import take
from models import plan_file
from models.errors import PlanUnsound, WrongUse
from rehearsal import defect_names, defect_numbers, names
from rehearsal.defect_delivery import Sent, deliver, deliver_all
from rehearsal.defects import DefectSettings, asked, catalogue, words
from rehearsal.feeds import providers_in, write_feeds
from rehearsal.old_excel import OldSheet, locked_workbook, old_workbook
from rehearsal.place import Place
from rehearsal.place_config import PlaceConfig, read_place
from rehearsal.simulate import simulate

LOADED = plan_file.read(plan_file.find("chengjiang-2021"))
PLAN = LOADED.plan
CONFIG = read_place(PLAN, LOADED.path)
ROOT = Path(__file__).parents[2]


def a_place(persons: int = 1500, config: PlaceConfig = CONFIG) -> Place:
    """A small 澄江 at the end of April 2021."""
    return Place.create(PLAN, config, seed=5, persons=persons)


@pytest.fixture(scope="module")
def place() -> Place:
    """Looked at, never changed."""
    return a_place()


def defects(*numbers: int, **rates: float) -> DefectSettings:
    return DefectSettings.model_validate({"make": numbers, "rates": {k[1:].replace("_", ".", 1): v for k, v in rates.items()}})


def sent(place: Place, folder: Path, feed: str, settings: DefectSettings) -> Sent:
    """The last file that a department sends."""
    entry = PLAN.item("feeds", feed)
    return deliver(place, PLAN, entry, providers_in(PLAN, entry, place.period)[0], folder, settings, has_previous=False)[-1]


def truth(place: Place, folder: Path, feed: str, settings: DefectSettings) -> list[dict[str, Any]]:
    """The rows of that file."""
    table = sent(place, folder, feed, settings).truth
    assert table is not None
    rows: list[dict[str, Any]] = table.to_pylist()
    return [row for row in rows if row["expected_outcome"] != "dropped"]


# --- the catalogue and what is asked for ----------------------------------------------------------------


def test_the_catalogue_has_the_46_rows_of_the_field() -> None:
    assert list(catalogue()) == list(range(1, 47))
    assert len({defect.id for defect in catalogue().values()}) == 46


def test_the_table_for_readers_names_a_test_for_every_row() -> None:
    lines = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8").splitlines()
    told = {int(line.split("|")[1]): line for line in lines if re.match(r"\| \d+ \|", line)}
    tests = (ROOT / "tests" / "expectations" / "test_catalogue.py").read_text(encoding="utf-8")
    assert sorted(told) == list(range(1, 47))
    for number, line in told.items():
        named = re.findall(r"`(test_\w+)`", line)
        assert named, number
        assert all(f"def {name}(" in tests for name in named), (number, named)


def test_no_defects_are_made_unless_asked_for(place: Place, tmp_path: Path) -> None:
    assert CONFIG.defects.numbers == frozenset()
    clean, = write_feeds(place, PLAN, tmp_path, ["poverty"])
    settings = DefectSettings()
    assert sent(place, tmp_path / "other", "poverty", settings).defects == frozenset()
    assert clean.name == sent(place, tmp_path / "other", "poverty", settings).path.name


@pytest.mark.parametrize(("make", "rates", "numbers", "rate"), [
    ("all", [], 46, 0.005), ("none", [], 0, 0.0), ("1, 20", ["20=0.25"], 2, 0.25), (None, ["20=0.25"], 1, 0.25),
])
def test_the_command_line_says_which_defects_and_how_often(make: str | None, rates: list[str], numbers: int, rate: float) -> None:
    settings = asked(make, rates, DefectSettings(make=(20,)))
    assert (len(settings.numbers), settings.rate(20)) == (numbers, rate)


@pytest.mark.parametrize(("make", "rates", "told"), [
    ("47", [], "1 to 46"), ("some", [], "names no defects"), ("1", ["20"], "no rate"), ("1", ["20=2"], "between 0 and 1"),
    ("1", ["20.nothing=0.1"], "no such rate"),
])
def test_what_the_catalogue_does_not_know_is_wrong_use(make: str, rates: list[str], told: str) -> None:
    with pytest.raises(WrongUse, match=told):
        asked(make, rates, DefectSettings())


def test_a_place_may_state_its_defects_and_is_told_of_unknown_ones(tmp_path: Path) -> None:
    (tmp_path / "place.yaml").write_text("defects: {make: [1, 26], rates: {26.dotted: 0.4, 20: 0.1}}", encoding="utf-8")
    settings = read_place(PLAN, tmp_path / "plan.yaml").defects
    assert (settings.numbers, settings.rate(26, "dotted"), settings.rate(20)) == ({1, 26}, 0.4, 0.0)
    (tmp_path / "place.yaml").write_text("defects: {make: [0]}", encoding="utf-8")
    with pytest.raises(PlanUnsound, match="1 to 46"):
        read_place(PLAN, tmp_path / "plan.yaml")


def test_defects_of_the_place_itself_change_what_is_so() -> None:
    changed = CONFIG.with_defects(defects(22, 34, 41, r22=0.3, r34=0.02, r41=0.004))
    assert changed.people.foreign_area_share == 0.3
    assert changed.levels.two_pension_schemes > CONFIG.levels.two_pension_schemes
    assert changed.people.dead_still_insured_share > CONFIG.people.dead_still_insured_share
    assert CONFIG.with_defects(defects(20)).people == CONFIG.people


# --- who has what ---------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        files = deliver_all(a_place(600), PLAN, tmp_path / name, DefectSettings(make="all"), has_previous=False)
        contents.append({file.path.name: [[str(cell) for cell in line] for line in _cells(file.path)] for file in files})
    assert contents[0] == contents[1]


def _cells(path: Path) -> list[list[Any]]:
    """What a file holds; the bytes of a workbook carry the time at which it was written."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except Exception:
        return [[path.read_bytes()]]
    return [line for name in book.sheet_names for line in book.get_sheet_by_name(name).to_python()]


def test_switching_one_defect_on_leaves_the_others_where_they_were(place: Place, tmp_path: Path) -> None:
    def wrong(*numbers: int) -> set[tuple[str, str]]:
        rows = truth(place, tmp_path, "resident_pension", defects(*numbers, r20=0.05, r26=0.1))
        return {(row["person_id"], row["id_number_written"]) for row in rows if 20 in row["defects"]}

    assert wrong(20) == wrong(20, 16, 26, 35) != set()


def test_a_fault_of_a_row_lasts_from_month_to_month(tmp_path: Path) -> None:
    place, settings = a_place(), defects(20, 26, 27, r20=0.05, r26=0.1, r27=0.1)

    def faults() -> dict[str, tuple[str, str]]:
        rows = truth(place, tmp_path, "resident_pension", settings)
        return {row["person_id"]: (row["id_number_written"], row["name_written"]) for row in rows if row["defects"]}

    april = faults()
    place.advance("2021-05")
    may = faults()
    both = april.keys() & may.keys()
    assert len(both) > 0.9 * len(april) > 50
    assert all(april[person] == may[person] for person in both)


def test_a_persons_earlier_number_is_the_same_in_every_register(place: Place, tmp_path: Path) -> None:
    settings = defects(28, r28=0.0, r28_second_number=0.05, r28_old_number_used=0.7)
    earlier: dict[str, set[str]] = {}
    for feed in ("resident_pension", "resident_medical", "employment", "benefits"):
        for row in truth(place, tmp_path, feed, settings):
            if row["number_mistake"] == "second_number":
                earlier.setdefault(row["person_id"], set()).add(row["id_number_written"])
    assert sum(len(numbers) == 1 for numbers in earlier.values()) == len(earlier) > 30
    assert all(names.is_citizen_number(next(iter(numbers))) for numbers in earlier.values())
    rows = truth(place, tmp_path, "population", settings)
    assert not any(row["number_mistake"] for row in rows)  # 公安 knows the number in force


@pytest.mark.parametrize(("number", "rate"), [
    (16, 0.02), (17, 0.013), (20, 0.005 * 0.5), (26, 0.015), (32, 0.010), (33, 2 * 0.008), (35, 0.122), (37, 0.155),
])
def test_the_rates_of_the_catalogue_are_met(tmp_path: Path, number: int, rate: float) -> None:
    # 人社 keeps numbers twice as well as the catalogue says (20). 33 counts both rows. A tenth have an end reason too (37).
    rows = truth(_large_place(), tmp_path, "resident_pension", defects(number))
    share = sum(number in row["defects"] for row in rows) / len(rows)
    assert share == pytest.approx(rate, rel=0.12, abs=4 * np.sqrt(rate / len(rows)))


_PLACES: list[Place] = []


def _large_place() -> Place:
    if not _PLACES:
        _PLACES.append(a_place(20_000))
    return _PLACES[0]


def test_old_people_have_fifteen_digits_more_often_and_nobody_born_since_2000(tmp_path: Path) -> None:
    rows = truth(_large_place(), tmp_path, "resident_pension", defects(18, r18=0.02, r18_sixty_plus=0.10))
    old = [row for row in rows if row["id_number_true"][6:10] < "1961"]
    young = [row for row in rows if "1961" < row["id_number_true"][6:10] < "2000"]
    share = [sum(18 in row["defects"] for row in group) / len(group) for group in (old, young)]
    assert share[0] == pytest.approx(0.10, rel=0.3)
    assert share[1] == pytest.approx(0.02, rel=0.3)
    assert not any(18 in row["defects"] for row in rows if row["id_number_true"][6:10] >= "2000")


def test_relatives_numbers_come_from_the_same_household(place: Place, tmp_path: Path) -> None:
    people = place.people
    house = dict(zip(people.id_number.tolist(), people.household.tolist(), strict=True))
    rows = truth(place, tmp_path, "resident_medical", defects(28, r28=0.1, r28_second_number=0.0))
    borrowed = [row for row in rows if row["number_mistake"] in ("relatives_number", "shared_number")]
    assert len(borrowed) > 10
    for row in borrowed:
        is_relative = house[row["id_number_written"]] == house[row["id_number_true"]]
        assert is_relative == (row["number_mistake"] == "relatives_number")
        assert row["name_written"] == row["name_true"]


# --- letters and digits ---------------------------------------------------------------------------------

NUMBERS = st.integers(0, 999).map(lambda serial: defect_numbers.completed(f"53042219850607{serial:03d}"))
DRAWS = st.floats(0, 1, exclude_max=True)


@given(NUMBERS, DRAWS)
def test_what_the_check_finds_it_finds_and_what_it_misses_it_misses(number: str, drawn: float) -> None:
    for mistake, change in defect_numbers.NUMBER_FAULTS.items():
        written = change(number, drawn)
        valid = len(written) == 18 and names.is_citizen_number(written)
        assert valid == (mistake in ("undetected_digits", "impossible_birth", "second_number")), mistake
        assert written != number or mistake == "lower_x"


@given(DRAWS, st.sampled_from(["张晓伟", "王斌", "买买提·艾力", "努尔买买提·阿不都拉", "欧阳静", "矣媛"]))
def test_a_misspelling_differs_from_the_name_and_says_how(drawn: float, name: str) -> None:
    written, mistake = defect_names.misspelled(name, drawn)
    assert written != name
    assert mistake in (defect_names.DOTTED if "·" in name else defect_names.HAN)
    assert defect_names.renamed(name, drawn)[0] == name[0] or "·" in name


def test_names_come_with_every_separator_there_is() -> None:
    written = {defect_names.separator("买买提·艾力", i / 24) for i in range(24)}
    assert written == {f"买买提{mark}艾力" for mark in words()["separators"]}
    assert {"•", "‧", "∙", "⋅", "・", "･", "．", ".", "●", " ", "\u3000", ""} == set(words()["separators"])


# --- files ----------------------------------------------------------------------------------------------


def test_an_old_workbook_holds_its_sheets_texts_and_numbers(tmp_path: Path) -> None:
    lines = [["身份证号", "人数"], ["53042219850607001X", 3], *[[f"第{number}行", number] for number in range(5000)]]
    book = CalamineWorkbook.from_filelike(io.BytesIO(old_workbook([OldSheet("凤麓", lines), OldSheet("隐藏", [["a"]], True)])))
    assert book.sheet_names == ["凤麓", "隐藏"]
    found = book.get_sheet_by_name("凤麓").to_python()
    assert found == lines
    (tmp_path / "a.xlsx").write_bytes(locked_workbook(b"x" * 9000))
    with pytest.raises(PasswordError):
        CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))


LOUD = {
    "make": "all",
    "rates": {"6": 0.5, "7": 0.4, "8": 0.4, "12": 0.1, "14": 0.5, "15": 0.08, "29": 0.05, "30": 0.05, "31": 0.7, "31.impossible": 0.02,
              "39": 0.5, "4": 0.2, "3": 0.3, "44": 0.3, "45": 0.1, "20.undetected": 0.003, "28": 0.02, "28.second_number": 0.01},
}
"""Every defect, and those of files often enough that a small place has them all."""


def test_with_every_defect_each_file_and_each_row_ends_as_the_truth_says(tmp_path: Path) -> None:
    settings = DefectSettings.model_validate(LOUD)
    place = a_place(1200, CONFIG.with_defects(settings))
    files = deliver_all(place, PLAN, tmp_path / "inbox", settings, has_previous=False)
    assert {file.verdict for file in files} >= {"accepted", "returned"}
    for file in files:
        intake = take(file.path, feed=file.feed, plan=PLAN, period=file.period, provider=None, snapshots=tmp_path / "snapshots")
        assert (intake.verdict == "returned") == (file.verdict == "returned"), (file.path.name, intake.reason)
        if file.truth is not None and file.verdict == "accepted":
            assert _ended(intake) == _expected(file), file.path.name


def _expected(file: Sent) -> dict[tuple[int, int], str]:
    assert file.truth is not None
    kept = {"accepted": "accepted", "fixed": "accepted", "quarantined": "quarantined"}
    return {(row["row_number"], row["member"]): kept[row["expected_outcome"]] for row in file.truth.to_pylist()
            if row["expected_outcome"] in kept}


def _ended(intake: Any) -> dict[tuple[int, int], str]:
    return {(row[0], row[1]): outcome for outcome, path in (("accepted", intake.snapshot), ("quarantined", intake.quarantine))
            if path is not None for row in duckdb.sql(f"SELECT row_number, member FROM read_parquet('{path}')").fetchall()}


def test_a_rehearsals_departments_send_one_file_each_that_is_accepted(tmp_path: Path) -> None:
    config = CONFIG.with_defects(DefectSettings.model_validate(LOUD))
    paths = write_feeds(a_place(600, config), PLAN, tmp_path / "inbox", ["poverty", "hardship", "resident_pension", "disability"])
    assert len(paths) == 4
    for path in paths:
        intake = take(path, feed=path.parent.parent.name, plan=PLAN, period="2021-04", provider=None, snapshots=tmp_path / "kept")
        assert intake.verdict != "returned", intake.reason


def test_a_simulated_place_tells_what_becomes_of_every_file_and_whom_every_row_means(tmp_path: Path) -> None:
    # In so small a place somebody dies in May with one seed and nobody with another: this one has a supplement in May.
    made = simulate(LOADED, persons=1600, seed=3, periods=["2021-04", "2021-05"], out=tmp_path, defects="all",
                    defect_rates=["12=0.2", "42.twice=0.3"])
    with (tmp_path / "truth" / "files.csv").open(encoding="utf-8") as stream:
        files = list(csv.DictReader(stream))
    assert made["files"] == len(files) == sum(1 for path in (tmp_path / "inbox").rglob("*") if path.is_file())
    assert made["returned"] == sum(file["expected_verdict"] == "returned" for file in files) > 0
    assert {file["period"] for file in files} == {"2021-04", "2021-05"}
    with (tmp_path / "truth" / "2021-05" / "links.csv").open(encoding="utf-8") as stream:
        links = list(csv.DictReader(stream))
    assert {"feed", "source_file", "row_number", "id_number", "member", "person_id", "name", "id_number_written"} <= set(links[0])
    accepted = {file["file"] for file in files if file["expected_verdict"] == "accepted"}
    assert {link["source_file"] for link in links} <= accepted
    # What April's supplement told is still so in May.
    told = {link["source_file"] for link in links if link["feed"] == "deaths"}
    assert len({name.partition("年")[2][:2] for name in told}) == 2
    rows = pq.read_table(tmp_path / "truth" / "rows" / "population" / "2021-05.parquet")
    assert {"defects", "expected_outcome", "expected_reason", "number_mistake", "name_mistake"} <= set(rows.column_names)
