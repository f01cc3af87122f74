"""Looks for persons where none may stand: any citizen number and any name of theirs, in any text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, text

_NUMBER = re.compile(r"\d{17}[\dX]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def every_row(connection: Connection) -> Iterator[tuple[str, str]]:
    """(table, row as text) of everything that a database holds."""
    for table in connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all():
        for (row,) in connection.execute(text(f'SELECT to_jsonb(t)::text FROM "{table}" t')):
            yield table, row


class Canary:
    """Knows whom to look for. A name in letters beyond ASCII is sought in each run of such letters once, however often the
    run stands there: a history repeats itself."""

    def __init__(self, numbers: set[str], names: set[str]) -> None:
        self._numbers = numbers
        self._plain = {name for name in names if _NOT_ASCII.fullmatch(name)}
        self._mixed = names - self._plain
        self._known: set[str] = set()

    def sees(self, text: str) -> bool:
        """Whether somebody's number or name stands in the text."""
        if not self._numbers.isdisjoint(_NUMBER.findall(text)) or any(name in text for name in self._mixed):
            return True
        new = set(_NOT_ASCII.findall(text)) - self._known
        if any(name in run for run in new for name in self._plain):
            return True
        self._known |= new
        return False
