"""The figures of an evaluation against tables small enough to count by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import WrongUse
from rehearsal.evaluation import evaluate, share, true_pairs

PERIOD = "2021-05"
ANNA, BATU, CHEN = "A", "B", "C"
"""Three true persons; the run knows the first two, as P1 and D2 (whose number the population register misspells)."""
P1, D2 = "P" + hashlib.md5(ANNA.encode()).hexdigest()[:15], "D000000000000002"


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    """(folder of a run, folder of the truth)."""
    run, truth = tmp_path / "run", tmp_path / "truth" / PERIOD
    run.mkdir()
    truth.mkdir(parents=True)
    _parquet(run / "people.parquet", [
        {"person": 1, "id_number": ANNA, "name": "安"}, {"person": -2, "id_number": "9", "name": "巴图"}])
    _parquet(run / "findings.parquet", [
        {"list": "uninsured", "subject": P1, "id_number": ANNA}, {"list": "uninsured", "subject": D2, "id_number": "9"}])
    _parquet(run / "identity_cases.parquet", [{"person": 2, "person_id": D2, "reason": "number_in_doubt"}])
    _parquet(run / "links.parquet", [
        _link(1, P1, "exact"), _link(2, D2, "repaired"), _link(3, P1, "probable"), _link(4, None, "review"),
        _link(5, None, "unlinked"), _link(6, P1, "clerical")])
    _parquet(run / "identity_candidates.parquet", [
        {"feed": "cards", "source_file": "c.csv", "row_number": 4, "member": 1, "row_key": "k4", "person_id": person}
        for person in (P1, D2)])
    _csv(truth / "persons.csv", "id_number,has_dotted_name,age_years,is_permit_holder",
         f"{ANNA},false,70,false", f"{BATU},true,30,false", f"{CHEN},false,10,false")
    _csv(truth / "lists.csv", "list,id_number", f"uninsured,{BATU}", f"uninsured,{CHEN}")
    _csv(truth / "links.csv", "feed,source_file,row_number,member,id_number,id_number_written,name_written",
         f"population,p.csv,2,1,{BATU},9,巴图",
         *(f"cards,c.csv,{row},1,{truly},," for row, truly in enumerate((ANNA, BATU, BATU, BATU, CHEN, ANNA), start=1)))
    return run, tmp_path / "truth"


def _link(row: int, person: str | None, tier: str) -> dict[str, Any]:
    return {"feed": "cards", "source_file": "c.csv", "row_number": row, "member": 1, "person_id": person, "tier": tier}


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def _csv(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _parts(found: dict[str, Any]) -> tuple[int, int]:
    return found["part"], found["whole"]


def test_precision_counts_links_recall_the_rows_of_persons_whom_the_run_knows(place: tuple[Path, Path]) -> None:
    found = evaluate(*place, PERIOD)
    assert _parts(found["precision"]) == (2, 3), "of three automatic links the probable one is wrong"
    assert _parts(found["recall"]) == (2, 5), "the row of the third person, whom the run does not know, is nobody's miss"
    assert _parts(found["recall_with_clerical"]) == (3, 5)
    assert _parts(found["persons_known"]) == (2, 3)


def test_who_is_known_by_a_misspelt_number_is_known_by_what_stood_in_the_file(place: tuple[Path, Path]) -> None:
    assert _parts(evaluate(*place, PERIOD)["tiers"]["repaired"]) == (1, 1)


def test_missed_links_are_told_by_group(place: tuple[Path, Path]) -> None:
    groups = evaluate(*place, PERIOD)["groups"]
    assert _parts(groups["minority"]["missed"]) == (2, 3)
    assert _parts(groups["Han"]["missed"]) == (0, 2)
    assert groups["minority"]["ratio_to_han"] is None, "nothing can be a multiple of none"


def test_lists_are_judged_subject_by_subject(place: tuple[Path, Path]) -> None:
    entry = evaluate(*place, PERIOD)["lists"]["uninsured"]
    assert (_parts(entry["precision"]), _parts(entry["recall"])) == ((1, 2), (1, 2))


def test_the_bench_is_answered_by_the_truth(place: tuple[Path, Path]) -> None:
    assert true_pairs(*place, PERIOD) == {("k4", P1): False, ("k4", D2): True}


def test_a_share_near_one_has_an_interval_below_one() -> None:
    found = share(1000, 1000)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.99617, abs=1e-5)


def test_a_folder_without_truth_is_refused(place: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"no links\.csv"):
        evaluate(place[0], tmp_path, PERIOD)
