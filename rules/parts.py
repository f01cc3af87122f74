"""How a file stands to those in force of the same provider, feed and period: another part, or in their place.

A register may come in one file, or in one per township, per sheet that was saved apart, with a 补报 behind it. Nobody
declares which: the content says. A file that shares hardly any key with one in force is another part beside it; one
that shares most takes its place; in between the file's name decides (补报 adds, 更正 replaces), and where it says
nothing the sender is asked. Nothing is ever guessed: rows lost by a wrong replacement are persons off the register.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Word = Literal["adds", "replaces"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Shares of shared keys: below ``disjoint_below`` two files are parts, from ``same_from`` on they are the same."""

    disjoint_below: float
    same_from: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """A delivery in force beside a new file: its number of keys, and how many of them the new file has too."""

    delivery: int
    keys: int
    shared: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a new file means for each delivery in force. While any is ``unclear`` the file cannot be taken."""

    replaces: tuple[int, ...] = ()
    beside: tuple[int, ...] = ()
    unclear: tuple[int, ...] = ()


def standing(keys: int, overlaps: Iterable[Overlap], bounds: Bounds, word: Word | None, *, only_adds: bool) -> Standing:
    """Where a file of so many keys stands. ``word`` is what its name says of it; ``only_adds``: a supplement, whose
    files add up, so that nothing is lost by keeping both.

    A name that says 补报 never replaces anything; one that says 更正 does not replace what it hardly shares a key
    with: the correction of one township's part leaves the others in force.
    """
    sorted_by: dict[str, list[int]] = {"replaces": [], "beside": [], "unclear": []}
    for overlap in overlaps:
        sorted_by[_relation(keys, overlap, bounds, word, only_adds)].append(overlap.delivery)
    return Standing(**{relation: tuple(found) for relation, found in sorted_by.items()})


def _relation(keys: int, overlap: Overlap, bounds: Bounds, word: Word | None, only_adds: bool) -> str:
    if overlap.keys == 0:  # an empty file says nothing that could be lost
        return "replaces"
    share = overlap.shared / min(keys, overlap.keys) if keys else 0.0
    if share < bounds.disjoint_below or word == "adds":
        return "beside"
    if share >= bounds.same_from or word == "replaces":
        return "replaces"
    return "beside" if only_adds else "unclear"


def word_in(name: str, words: Mapping[Word, Sequence[str]]) -> Word | None:
    """What a file's name says it does; None where it says nothing, or both."""
    said = [word for word, spellings in words.items() if any(spelling in name for spelling in spellings)]
    return said[0] if len(said) == 1 else None
