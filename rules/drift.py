"""The profile of a register in counts, and how far its shares moved since the last period.

A register that keeps its size may still have changed: a department exports only one township, a code table was
renumbered, a column comes empty. The shares of the values show it. Counts only: a profile holds no person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """Accepted rows; per column of codes or organisations the rows with each value ('' = none); per column the rows in
    which it is filled."""

    rows: int = 0
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Profile:
        """The profile as the record holds it; an empty one where it holds none."""
        return cls(stored.get("rows", 0), stored.get("values", {}), stored.get("filled", {}))

    def to_store(self) -> dict[str, Any]:
        """For the record."""
        return {"rows": self.rows, "values": {name: dict(counts) for name, counts in self.values.items()},
                "filled": dict(self.filled)}


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a column moved (0 = not at all, 1 = nothing in common), and the value that moved most with its shares
    before and now. ``value`` is None where it is the share of filled cells that moved."""

    column: str
    distance: float
    value: str | None
    before: float
    now: float


def together(profiles: Iterable[Profile]) -> Profile:
    """The profile of several parts as one register."""
    rows, values, filled = 0, dict[str, Counter[str]](), Counter[str]()
    for profile in profiles:
        rows += profile.rows
        filled.update(profile.filled)
        for column, counts in profile.values.items():
            values.setdefault(column, Counter()).update(counts)
    return Profile(rows, values, filled)


def value_drifts(now: Profile, before: Profile) -> tuple[Drift, ...]:
    """Total variation distance per column of codes that both periods know: half the sum of the shares' differences."""
    if not now.rows or not before.rows:
        return ()
    return tuple(_moved(column, now, before) for column in now.values if column in before.values)


def filled_drifts(now: Profile, before: Profile) -> tuple[Drift, ...]:
    """Per column how far the share of filled cells moved."""
    if not now.rows or not before.rows:
        return ()
    shares = [(name, before.filled[name] / before.rows, now.filled[name] / now.rows)
              for name in now.filled if name in before.filled]
    return tuple(Drift(name, abs(then - today), None, then, today) for name, then, today in shares)


def _moved(column: str, now: Profile, before: Profile) -> Drift:
    today, then = now.values[column], before.values[column]
    shares = {value: (then.get(value, 0) / before.rows, today.get(value, 0) / now.rows) for value in {*today, *then}}
    distance = sum(abs(a - b) for a, b in shares.values()) / 2
    most = max(sorted(shares), key=lambda value: abs(shares[value][0] - shares[value][1]), default="")
    return Drift(column, distance, most, *shares.get(most, (0.0, 0.0)))
