"""The police's table of citizen numbers that were replaced: read, checked line by line, and laid over what is known.

A register that still carries the old number of somebody is linked through it (tier 0). Only numbers pass, no names; a line
that cannot be used is told by its place in the file, never by what stands in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import yaml

from expectations.text_files import DELIMITERS, form_of
from models.contract import header_key
from models.errors import FileReturned
from models.machine import small_database

Reason = Literal["no_number", "same_number", "two_new_numbers", "circle"]
_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class OldNumbers:
    """``replaced``: old number to the one in force. ``refused``: lines of the file (the header is 1) by reason."""

    replaced: Mapping[str, str]
    lines: int
    refused: Mapping[Reason, tuple[int, ...]]


def read_old_numbers(path: Path, known: Mapping[str, str]) -> OldNumbers:
    """The table laid over ``known``: a number that was replaced twice leads to the last one.

    15-digit numbers are made 18. An old number to which two new ones are given, in the file or by file and ``known``, is
    refused for a person to see; so is a number that in the end replaces itself. Raises FileReturned for a file without
    the two columns, or that is no text.
    """
    rows = _checked(_cells(path))
    refused: dict[Reason, list[int]] = {"no_number": [], "same_number": [], "two_new_numbers": [], "circle": []}
    stated: dict[str, str] = dict(known)
    for line, old, new, is_sound in rows:
        if not is_sound:
            refused["no_number"].append(line)
        elif old == new:
            refused["same_number"].append(line)
        elif stated.get(old, new) != new and _end(stated, old) != _end(stated, new):
            refused["two_new_numbers"].append(line)
        elif _end(stated, new) == old:
            refused["circle"].append(line)
        elif old not in stated:
            stated[old] = new
    return OldNumbers({old: _end(stated, old) for old in stated}, len(rows),
                      {reason: tuple(lines) for reason, lines in refused.items() if lines})


def _end(stated: Mapping[str, str], number: str) -> str:
    """Where a chain of replacements ends; no chain closes, for a line that would close one is refused."""
    while number in stated:
        number = stated[number]
    return number


@cache
def _headers() -> dict[str, set[str]]:
    stated: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {column: {header_key(text) for text in texts} for column, texts in stated.items()}


def _cells(path: Path) -> list[tuple[int, str, str]]:
    """(line, old, new) as written. Blank lines are none."""
    form = form_of(path)
    text = path.read_bytes().decode(form.encoding, "replace").removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    header = [header_key(cell) for cell in rows[0]] if rows else []
    places = {column: [place for place, key in enumerate(header) if key in keys] for column, keys in _headers().items()}
    if any(len(found) != 1 for found in places.values()):
        raise FileReturned(
            "the table of replaced numbers needs exactly one column of old and one of new numbers.", where=path.name,
            cure="Name them 旧身份证号 and 新身份证号 in the first line and save as CSV; numbers must be text.")
    old, new = places["old"][0], places["new"][0]
    return [(line, row[old], row[new]) for line, row in enumerate(rows[1:], start=2) if len(row) > max(old, new)]


def _checked(cells: Iterable[tuple[int, str, str]]) -> list[tuple[Any, ...]]:
    lines, olds, news = zip(*cells, strict=True) if (cells := list(cells)) else ((), (), ())
    given = pa.table({"line": pa.array(lines, pa.int64()), "old": pa.array(olds, pa.string()), "new": pa.array(news, pa.string())})
    with duckdb.connect(config=small_database()) as database:
        for name in ("10_text", "20_numbers"):
            database.execute((_SQL / f"{name}.sql").read_text(encoding="utf-8"))
        database.register("given", given)
        return database.execute((_SQL / "96_old_numbers.sql").read_text(encoding="utf-8")).fetchall()
