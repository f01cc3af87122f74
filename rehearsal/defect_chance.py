"""Who has which defect: drawn from the seed, the defect, the feed and the subject, and from nothing asked before."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rehearsal.behaviour import chance
from rehearsal.defects import DefectSettings, catalogue, words
from rehearsal.names import Bools, Integers, unit_hash

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Chance:
    """Draws what has which defect. ``feed`` is the register; rows are told apart by the subject's number in the place."""

    settings: DefectSettings
    seed: int
    feed: str

    def has(self, number: int, *what: str, part: str = "") -> bool:
        """Whether a department or a delivery (told apart by ``what``) has a defect."""
        return self.applies(number) and self.draw(number, *what, part=part) < self.settings.rate(number, part)

    def draw(self, number: int, *what: str, part: str = "") -> float:
        """A number in [0, 1) for a department or a delivery."""
        return chance(self.seed, "defect", f"{number}.{part}", self.feed, *what)

    def applies(self, number: int) -> bool:
        """Whether the defect is made, and may stand in this feed."""
        only = catalogue()[number].feeds
        return number in self.settings.numbers and (not only or self.feed in only)

    def rows(self, number: int, subjects: Integers, part: str = "", rate: float | Shares | None = None) -> Bools:
        """Which rows have a defect: by the stated rate times the feed's care, or by a given rate (one, or one each)."""
        if not self.applies(number):
            return np.zeros(len(subjects), dtype=bool)
        share = self.settings.rate(number, part) * self.care(number) if rate is None else rate
        return self.values(number, subjects, part) < share

    def values(self, number: int, subjects: Integers, part: str = "") -> Shares:
        """A number in [0, 1) for each row."""
        return unit_hash(self.seed, subjects, crc32(f"{self.feed}/{number}.{part}".encode()))

    def care(self, number: int) -> float:
        """By how much rows of this feed are better (below 1) or worse than the catalogue's rate."""
        care = words()["care"]
        if number not in care["worse_for"]:
            return 1.0
        return float(care["feeds"].get(self.feed, care["others"]))
