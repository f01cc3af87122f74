"""How a file is called wherever it is spoken of: in the record, on pages, in receipts, messages and errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from models import contract as contracts
from models import trail_key
from models.plan import Plan
from rules.told import told_name


def told_file(name: str, plan: Plan | None = None) -> str:
    """A file's name as it may be told: the words that the plan and the contracts know, dates, counts and the ending. The whole
    name stands where the sender has put the file, and nowhere else."""
    return teller(plan)(name)


def teller(plan: Plan | None = None) -> Callable[[str], str]:
    """The same for many files: an inbox is looked at every hour, with all that has come in since the campaign began."""
    return partial(_told, _words(plan.words) if plan is not None else frozenset(), trail_key.key(make=True))


@lru_cache(maxsize=50_000)
def _told(words: frozenset[str], secret: bytes, name: str) -> str:
    return told_name(name, words, secret)


@lru_cache(maxsize=16)
def _words(of_plan: frozenset[str]) -> frozenset[str]:
    parts = contracts.vocabulary()["parts"]
    said = [word for kind in ("adds", "replaces", "attempts", "generic") for word in parts[kind]]
    return of_plan.union(said, *((entry.feed, entry.name, *entry.known_as) for entry in contracts.all()))
