"""Which of several files of one register stand together, and which takes another's place."""

from __future__ import annotations

import pytest

from rules.parts import Bounds, Overlap, Standing, Word, standing, word_in

BOUNDS = Bounds(disjoint_below=0.05, same_from=0.50)
WORDS: dict[Word, list[str]] = {"adds": ["补报"], "replaces": ["更正", "全量"]}


def relation(keys: int, held: int, shared: int, word: Word | None = None, *, only_adds: bool = False) -> str:
    """What a file of so many keys is to one in force."""
    found = standing(keys, [Overlap(7, held, shared)], BOUNDS, word, only_adds=only_adds)
    return next(name for name in ("replaces", "beside", "unclear") if getattr(found, name) == (7,))


@pytest.mark.parametrize(("shared", "expected"), [
    (0, "beside"), (4, "beside"), (5, "unclear"), (49, "unclear"), (50, "replaces"), (100, "replaces"),
])
def test_the_share_of_shared_keys_decides(shared: int, expected: str) -> None:
    assert relation(100, 1000, shared) == expected


def test_the_share_is_one_of_the_smaller_file() -> None:
    assert relation(1000, 100, 60) == "replaces"
    assert relation(1000, 2000, 60) == "unclear"


@pytest.mark.parametrize(("word", "shared", "expected"), [
    ("adds", 30, "beside"), ("adds", 100, "beside"), ("replaces", 30, "replaces"), ("replaces", 3, "beside"),
])
def test_the_name_decides_where_the_content_does_not(word: Word, shared: int, expected: str) -> None:
    assert relation(100, 1000, shared, word) == expected


def test_files_of_a_supplement_add_up_unless_one_is_the_other_again() -> None:
    assert relation(5, 5, 1, only_adds=True) == "beside"
    assert relation(5, 5, 4, only_adds=True) == "replaces"


def test_an_empty_file_in_force_is_replaced_and_an_empty_one_replaces_nothing() -> None:
    assert relation(10, 0, 0) == "replaces"
    assert relation(0, 10, 0) == "beside"


def test_one_file_may_replace_one_part_and_stand_beside_another() -> None:
    overlaps = [Overlap(1, 100, 100), Overlap(2, 100, 0), Overlap(3, 100, 20)]
    assert standing(100, overlaps, BOUNDS, None, only_adds=False) == Standing((1,), (2,), (3,))


@pytest.mark.parametrize(("name", "word"), [
    ("户籍人口_5月_补报", "adds"), ("户籍人口（更正）", "replaces"), ("户籍人口", None), ("补报更正", None),
])
def test_a_name_that_says_both_says_nothing(name: str, word: Word | None) -> None:
    assert word_in(name, WORDS) == word
