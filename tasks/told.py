"""How a file is called wherever it is spoken of: in the record, on pages, in receipts, messages and errors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from expectations import contract as contracts
from models import trail_key
from models.plan import Plan
from rules.told import told_name


def told_file(name: str, plan: Plan | None = None) -> str:
    """A file's name as it may be told: the words that the plan and the contracts know, dates, counts and the ending. The whole
    name stands where the sender has put the file, and nowhere else."""
    return told_name(name, (*_of_plan(plan), *_of_contracts()) if plan is not None else (), trail_key.key(make=True))


def _of_plan(plan: Plan) -> Iterator[str]:
    yield from (plan.id, plan.name, plan.region.name)
    for org in plan.organisations:
        yield from (org.code, org.short, org.name, *org.aliases)
    for feed in plan.feeds:
        yield from (feed.feed, feed.name)
    yield from (entry.name for entry in plan.lists)
    yield from (entry.name for entry in plan.obligations)
    yield from (entry.name for entry in plan.ledgers)


@lru_cache(maxsize=1)
def _of_contracts() -> frozenset[str]:
    parts = contracts.vocabulary()["parts"]
    said = [word for kind in ("adds", "replaces", "attempts", "generic") for word in parts[kind]]
    return frozenset([*said, *(word for entry in contracts.all() for word in (entry.feed, entry.name, *entry.known_as))])
