"""What clerks find on their lists and in what words they write it down: by the shares of the place, fitting who is visited.

The policy stands in ``visits.yaml``. What is drawn is a lasting trait of the person or the unit (who is away in May is
away in June, mostly), so that asking twice in a month changes nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from models.plan import Strict
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.place_config import Outcome, VisitShares, Weight
from rehearsal.state import Array

POLICY = Path(__file__).with_name("visits.yaml")
EMPLOYERS, PROJECTS = "employers", "projects"
"""What stands for every list of that subject in the policy."""

Weights = dict[Outcome, Weight]
_CHANGES, _ANEW, _LASTING, _FINER, _INSTEAD, _WORDS = range(34, 40)
"""Salts: each question is answered apart from the others."""


class Fit(Strict):
    """Who can be found so: completed years, and only men where it says so."""

    from_age: int
    below_age: int
    male: bool = False


class VisitPolicy(Strict):
    """The whole of ``visits.yaml``."""

    finer: dict[Outcome, Weights]
    fits: dict[Outcome, Fit]
    lists: dict[str, dict[Outcome, Weights]]
    notes: dict[Outcome, tuple[str, ...]]
    notes_of: dict[str, dict[Outcome, tuple[str, ...]]]


@cache
def policy() -> VisitPolicy:
    """What ``visits.yaml`` says."""
    return VisitPolicy.model_validate(yaml.safe_load(POLICY.read_text(encoding="utf-8")))


class Finder:
    """Draws what is found in one place in one month on one list.

    ``changes`` is the share of subjects whose answer is drawn anew this month.
    """

    def __init__(self, seed: int, now: int, list_id: str, *, changes: float, subject: str = "") -> None:
        self.seed, self.now, self.changes = seed, now, changes
        self.kind = subject or list_id
        self.list_salt = zlib.crc32(list_id.encode()) % 2**20 * 64

    def _monthly(self, rows: Integers, salt: int) -> Array:
        return unit_hash(self.seed, rows * 8192 + self.now % 8192, salt)

    def persons(self, rows: Integers, shares: VisitShares, age: Integers, male: Bools, young_share: float) -> Strings:
        """What is found of each person. Only the young are students: the share of students is drawn among them alone, so
        that it holds over all visits where ``young_share`` of those visited are young."""
        fit = policy().fits["student"]
        young = (age >= fit.from_age) & (age < fit.below_age)
        of_young = min(0.6, shares.student / max(young_share, 1e-6))
        found = self._drawn(rows, shares.as_pairs(), np.where(young, of_young, 0.0))
        found = self._changed(found, rows, policy().finer, _FINER)
        for outcome, who in policy().fits.items():
            fits = (age >= who.from_age) & (age < who.below_age) & (male | (not who.male))
            found[(found == outcome) & ~fits] = "away"
        return self._changed(found, rows, policy().lists.get(self.kind, {}), _INSTEAD)

    def units(self, rows: Integers, shares: VisitShares) -> Strings:
        """What is found of each employer or project."""
        found = self._drawn(rows, shares.as_pairs(), np.full(len(rows), shares.student))
        found = self._changed(found, rows, policy().finer, _FINER)
        return self._changed(found, rows, policy().lists[self.kind], _INSTEAD)

    def _drawn(self, rows: Integers, shares: Mapping[Outcome, float], student: Array) -> Strings:
        anew = self._monthly(rows, _CHANGES) < self.changes
        drawn = np.where(anew, self._monthly(rows, _ANEW), unit_hash(self.seed, rows, _LASTING))
        others = [outcome for outcome in shares if outcome != "student"]
        bounds = np.cumsum([shares[outcome] for outcome in others])
        # Students take the end of the line, the others share what is left in proportion.
        position = drawn / np.maximum(1 - student, 1e-9) * bounds[-1]
        chosen = np.searchsorted(bounds, np.minimum(position, bounds[-1]), side="left")
        found: Strings = np.array(others, dtype="U20")[np.minimum(chosen, len(others) - 1)]
        found[drawn >= 1 - student] = "student"
        return found

    def _changed(self, found: Strings, rows: Integers, instead: Mapping[Outcome, Weights], salt: int) -> Strings:
        """Each outcome replaced by one of those that stand for it, by weight."""
        result, drawn = found.copy(), unit_hash(self.seed, rows, salt + self.list_salt)
        for outcome, weights in instead.items():
            at = found == outcome
            bounds = np.cumsum(list(weights.values()))
            chosen = np.searchsorted(bounds, drawn[at] * bounds[-1], side="right")
            result[at] = np.array(list(weights), dtype="U20")[np.minimum(chosen, len(weights) - 1)]
        return result

    def notes(self, rows: Integers, outcomes: Strings) -> list[str]:
        """What is written beside each answer."""
        own = policy().notes_of.get(self.kind, {})
        drawn, visited = self._monthly(rows, _WORDS), (self.now + 1) % 12 + 1
        written = []
        for outcome, which in zip(outcomes.tolist(), drawn.tolist(), strict=True):
            words = own.get(outcome) or policy().notes[outcome]
            written.append(words[int(which * len(words))].replace("{month}", str(visited)))
        return written
