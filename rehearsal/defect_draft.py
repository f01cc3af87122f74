"""The rows of one file while faults are put into them: cells as a department would write them, and the truth beside.

Everything goes by sets of rows: a column is replaced where a mask says so, and only the cells that change become
Python texts. A cell takes one fault at most, so that the truth can say what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.contract import Contract
from rehearsal import defect_names, defect_numbers
from rehearsal.cells import Columns
from rehearsal.defect_chance import Chance, Shares
from rehearsal.defects import words
from rehearsal.names import Bools, Integers, Strings
from rehearsal.place import Place

OUTCOMES = ("accepted", "fixed", "quarantined", "duplicate", "dropped", "returned")
"""What is to become of a row; a later one outweighs an earlier one."""
ACCEPTED, FIXED, QUARANTINED, DUPLICATE, DROPPED, RETURNED = range(len(OUTCOMES))
_ABOUT_THE_PERSON = ("id_number", "name")


class Draft:
    """One file's rows. ``rows`` are numbers of persons (or employers) of the place; ``unit`` is what a cell that is not
    about the person is written for: the row, or the household where a line holds a whole one."""

    def __init__(self, place: Place, contract: Contract, rows: Integers, columns: Columns, chance: Chance,
                 unit: Integers | None = None) -> None:
        self.place, self.contract, self.rows, self.chance = place, contract, rows, chance
        self.unit = rows if unit is None else unit
        self.columns: Columns = {name: _plain(values) for name, values in columns.items()}
        count = len(rows)
        self.touched = {name: np.zeros(count, dtype=bool) for name in columns}
        self.marks = np.zeros(count, dtype=np.uint64)
        self.number_mistake = np.zeros(count, dtype=np.int8)
        self.name_mistake = np.zeros(count, dtype=np.int8)
        self.outcome = np.zeros(count, dtype=np.int8)
        self.reasons: list[str] = [""]
        self.reason = np.zeros(count, dtype=np.int16)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_about_persons(self) -> bool:
        """Whether the rows are persons with a number of their own in the file."""
        return self.contract.subject == "person" and "id_number" in self.columns

    @property
    def by_household(self) -> bool:
        """Whether a line of the file will hold a whole household."""
        return self.unit is not self.rows

    def subjects(self, column: str) -> Integers:
        """By whom faults of a column are told apart."""
        return self.rows if column in _ABOUT_THE_PERSON else self.unit

    def pick(self, number: int, column: str, part: str = "", *, among: Bools | None = None,
             rate: float | Shares | None = None) -> Integers:
        """The rows whose cell gets a defect: by chance, of those still without one; they are marked and taken."""
        chosen = self.chance.rows(number, self.subjects(column), part, rate) & ~self.touched[column]
        if among is not None:
            chosen &= among
        where = self._limited(f"{number}.{part}" if part else str(number), np.flatnonzero(chosen), column)
        self.touched[column][where] = True
        self.mark(number, where)
        return where

    def _limited(self, key: str, where: Integers, column: str) -> Integers:
        """So many that a small file does not fall by them; a household stays whole."""
        share = words()["at_most_share_of_a_file"].get(key)
        limit = len(self) if share is None else int(len(self) * share)
        if len(where) <= limit:
            return where
        subjects = self.subjects(column)
        return where[:limit][~np.isin(subjects[where[:limit]], subjects[where[limit:]])]

    def drawn(self, number: int, column: str, where: Integers, part: str = "") -> Shares:
        """A number in [0, 1) for each of some rows, other than the one by which they were picked."""
        return self.chance.values(number, self.subjects(column)[where], f"{part}?")

    def cells(self, column: str, where: Integers) -> list[str]:
        """Some cells of a column, as text; a blank one is an empty text."""
        return [text or "" for text in self.columns[column].take(pa.array(where)).to_pylist()]

    def put(self, column: str, where: Integers, texts: Sequence[str | None]) -> None:
        """Other texts into some cells."""
        if not len(where):
            return
        mask = np.zeros(len(self), dtype=bool)
        mask[where] = True
        order = np.argsort(where, kind="stable")
        new = pa.array([texts[position] for position in order], pa.string())
        self.columns[column] = pc.replace_with_mask(self.columns[column], pa.array(mask), new)

    def rewrite(self, number: int, column: str, where: Integers, change: Callable[[str, float], str], part: str = "") -> None:
        """Some cells by a function of what stood there and a draw."""
        drawn = self.drawn(number, column, where, part)
        cells = self.cells(column, where)
        self.put(column, where, [change(cell, float(by)) for cell, by in zip(cells, drawn, strict=True)])

    def mark(self, number: int, where: Integers) -> None:
        """Rows carry a defect."""
        self.marks[where] |= np.uint64(1 << (number - 1))

    def carries(self, *numbers: int) -> Bools:
        """Rows that carry one of these defects."""
        bits = np.uint64(sum(1 << (number - 1) for number in numbers))
        return (self.marks & bits) != 0

    def end(self, outcome: int, where: Integers, reason: str = "") -> None:
        """What is to become of rows, unless something graver does."""
        graver = where[self.outcome[where] < outcome]
        self.outcome[graver] = outcome
        if reason:
            if reason not in self.reasons:
                self.reasons.append(reason)
            self.reason[graver] = self.reasons.index(reason)

    def unassign(self, where: Integers) -> None:
        """Rows whose township nobody can tell: kept, and waiting for somebody who can."""
        if "unassigned" not in self.reasons:
            self.reasons.append("unassigned")
        kept = where[self.outcome[where] < QUARANTINED]
        self.reason[kept] = self.reasons.index("unassigned")

    def spoil_number(self, mistake: defect_numbers.Mistake, where: Integers) -> None:
        """What happened to the numbers of rows."""
        self.number_mistake[where] = defect_numbers.MISTAKES.index(mistake)

    def spoil_names(self, mistakes: Iterable[defect_names.Mistake], where: Integers) -> None:
        """What happened to the names of rows, one for each."""
        self.name_mistake[where] = [defect_names.MISTAKES.index(mistake) for mistake in mistakes]

    def positions(self) -> Integers:
        """Where each person of the place stands in the file; -1 for who does not."""
        found = np.full(len(self.place.people), -1, dtype=np.int64)
        found[self.rows] = np.arange(len(self))
        return found

    def numbers(self) -> Strings:
        """The true number of each row's subject."""
        people, firms = self.place.people, self.place.employers
        return people.id_number[self.rows] if self.contract.subject == "person" else firms.credit_code[self.rows]

    def arrange(self, order: Integers) -> None:
        """The rows in another order, some twice or not at all."""
        picked = pa.array(order)
        was_by_household = self.by_household
        self.columns = {name: values.take(picked) for name, values in self.columns.items()}
        self.touched = {name: taken[order] for name, taken in self.touched.items()}
        self.rows, unit = self.rows[order], self.unit[order]
        self.unit = unit if was_by_household else self.rows
        self.marks, self.number_mistake, self.name_mistake = (
            self.marks[order], self.number_mistake[order], self.name_mistake[order])
        self.outcome, self.reason = self.outcome[order], self.reason[order]


def _plain(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
