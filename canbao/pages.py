"""Pages of a terminal: lines as they are, and tables by rich.

On a terminal a table takes the width there is and folds what does not fit. In a pipe or a file every row stays one line, of
whatever length: ``grep`` finds it whole. Nothing is ever cut off.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

ANY_WIDTH = 100_000
"""Columns of a page that is not shown on a terminal: more than any line has."""


def page(*parts: RenderableType) -> Group:
    """Parts one below the other. Lines are not wrapped: commands and paths in them are there to be copied."""
    return Group(*(Text(part, no_wrap=True, overflow="ignore") if isinstance(part, str) else part for part in parts))


def table(rows: Iterable[Sequence[object]], *, header: Sequence[str] = (), numbers: Iterable[int] = ()) -> RenderableType:
    """Aligned columns; those in ``numbers`` to the right. Without rows and header it is nothing."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    width = len(header) or max(map(len, cells), default=0)
    right = set(numbers)
    drawn = Table(box=box.SIMPLE_HEAD if header else None, show_header=bool(header), show_edge=False, pad_edge=False,
                  padding=(0, 2, 0, 0), header_style="bold")
    for column in range(width):
        drawn.add_column(Text(header[column]) if header else "", justify="right" if column in right else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    return Padding.indent(drawn, 2) if width else Group()


def _cell(cell: object) -> str:
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell)


def write(shown: RenderableType, stream: TextIO) -> None:
    """Shows a page on a terminal, or writes its text where the stream is none."""
    if stream.isatty():
        Console(file=stream, highlight=False).print(shown, crop=False)
    else:
        print(as_text(shown), file=stream)


def as_text(shown: RenderableType) -> str:
    """A page as plain lines, each whole."""
    written = io.StringIO()
    Console(file=written, width=ANY_WIDTH, color_system=None, force_terminal=False, highlight=False).print(shown, crop=False)
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip("\n").split("\n"))
