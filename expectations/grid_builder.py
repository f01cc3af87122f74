"""Cells that come one after the other, as in a page or an XML file, put where they stand in a grid.

A cell may span columns and rows. As in a workbook its text stands in the first place only, and the range is known as
merged: what it means for the rows below is decided where the columns are known.
"""

from __future__ import annotations

from typing import Any

from expectations.grids import Grid, Place
from expectations.headers import too_wide
from expectations.raw_rows import Remark
from models.contract import vocabulary
from models.errors import FileReturned


class GridBuilder:
    """One table as it comes in. Rows and columns count from 0. Raises FileReturned where it grows absurdly large."""

    def __init__(self, name: str, called: str, *, spans_cover: bool = True) -> None:
        self.name, self.called = name, called
        self.rows: list[list[Any]] = []
        self.merged: list[tuple[Place, Place]] = []
        self.remarks: dict[Remark, int] = {}
        self._spans_cover = spans_cover
        self._covered: dict[int, int] = {}
        self._row: list[Any] = []
        self._cells = 0

    def remark(self, code: Remark, count: int = 1) -> None:
        """Note something that the sender should know of."""
        self.remarks[code] = self.remarks.get(code, 0) + count

    def skip_to_row(self, row: int) -> None:
        """The next row is this one: the rows before it are blank."""
        if row > len(self.rows):
            self.end_row(row - len(self.rows))

    def skip_to_column(self, column: int) -> None:
        """The next cell stands in this column: the cells before it are blank."""
        self._grow(column)

    def add(self, cell: Any, *, columns: int = 1, rows: int = 1) -> None:
        """The next cell; it may span columns and rows."""
        while self._spans_cover and self._covered.get(len(self._row), -1) >= len(self.rows):
            self._row.append("")
        line, place = len(self.rows), len(self._row)
        if columns > 1 or rows > 1:
            self.merged.append(((line, place), (line + rows - 1, place + columns - 1)))
        if rows > 1 and self._spans_cover:
            self._covered |= dict.fromkeys(range(place, place + min(columns, self._most_columns())), line + rows - 1)
        self._row.append(cell)
        if self._spans_cover:
            self._grow(place + columns)

    def end_row(self, times: int = 1) -> None:
        """The row is complete; it stands so many times."""
        self._cells += (len(self._row) + 1) * times
        if self._cells > vocabulary()["reading"]["most_cells"]:
            raise FileReturned("表格过大，未予读取。", cure="请删除多余的空白行和列，或改报 CSV。")
        self.rows += [self._row] * times
        self._row = []

    def extend(self, other: GridBuilder) -> None:
        """Go on with the rows of another table."""
        lines = len(self.rows)
        self.rows += other.rows
        self.merged += [((top + lines, left), (bottom + lines, right)) for (top, left), (bottom, right) in other.merged]
        for code, count in other.remarks.items():
            self.remark(code, count)

    def grid(self) -> Grid:
        """The table, every row as wide as the widest."""
        width = max(map(len, self.rows), default=0)
        for row in self.rows:
            row.extend([""] * (width - len(row)))
        return Grid(self.name, self.called, iter(self.rows), len(self.rows), merged=self.merged, remarks=self.remarks)

    def _grow(self, width: int) -> None:
        if width > self._most_columns():
            raise too_wide(self.called)
        self._row.extend([""] * (width - len(self._row)))

    def _most_columns(self) -> int:
        most: int = vocabulary()["reading"]["most_columns"]
        return most
