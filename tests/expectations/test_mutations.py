"""Broken files by number: each ends in a receipt that adds up. ``python -m benchmarks fuzz`` takes thousands (`make trials`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.fuzz import run
from benchmarks.mutations import ROWS, SEEDS, case, seed_file
from expectations.intake import Intake


def test_a_case_is_the_same_whenever_it_is_made() -> None:
    assert [case(number) for number in range(40)] == [case(number) for number in range(40)]
    assert case(1) != case(1, seed=2)


@pytest.mark.parametrize("kind", SEEDS)
def test_the_whole_file_of_every_kind_is_accepted(take_in: Callable[..., Intake], tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"市公安局_人口.{kind.rpartition('_')[2]}"
    path.write_bytes(seed_file(kind))
    receipt = take_in(path)
    assert receipt.verdict != "returned"
    assert receipt.accepted == (3 if kind in ("old_xls", "open_ods") else ROWS)


@pytest.mark.parametrize("files", [range(12), pytest.param(range(12, 300), marks=pytest.mark.long)], ids=["few", "many"])
def test_no_broken_file_ends_in_anything_but_a_receipt(files: range) -> None:
    outcomes = [*run(files)]
    assert [outcome for outcome in outcomes if outcome.failure] == []
    assert len({outcome.verdict for outcome in outcomes}) > 1
