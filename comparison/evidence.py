"""The evidence of a finding: which register says what, from the feeds' contracts and ``evidence.yaml``; and when, put in where it
is shown.

What is stored names registers and facts only: a date in it would make every finding differ every month. The date of each
register is known to the run, and :func:`dated` puts it behind the register's name on rosters and in exports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from comparison.database import period_end, quoted
from models import contract as contracts
from models.contract import Contract, Statement
from models.plan import FindingList, Plan
from models.profile import profiles
from models.schema import Slug, Strict

BETWEEN, SAYS = "；", "："
PLACE = re.compile(r"\{(\w+)(?:\|(\w+))?\}")
"""A value in a sentence, and the words in which it is said if its fact has none of its own."""


class Evidence(Strict):
    """The whole of ``evidence.yaml``: words for what is no fact of one feed, and sentences of no register alone."""

    words: dict[str, dict[str, str]]
    statements: dict[Slug, tuple[Statement, ...]] = Field(min_length=1)


@dataclass(frozen=True)
class Sentence:
    """A statement with the register whose word it is, if it is one's."""

    statement: Statement
    feed: str | None
    rank: int


@cache
def evidence() -> Evidence:
    """What stands in ``evidence.yaml``."""
    return Evidence.model_validate(yaml.safe_load((Path(__file__).parent / "evidence.yaml").read_text(encoding="utf-8")))


def sentences(own: Sequence[Contract], subject: str) -> list[Sentence]:
    """Every sentence about a subject, in the order in which a clerk reads them."""
    found = [Sentence(statement, None, statement.rank or 0) for statement in evidence().statements.get(subject, ())]
    found += [Sentence(statement, entry.feed, entry.rank if statement.rank is None else statement.rank)
              for entry in contracts.ranked(own) for statement in entry.evidence if (statement.about or entry.subject) == subject]
    return sorted(found, key=lambda sentence: sentence.rank)


def evidence_sql(plan: Plan, subject: str, only_for: FindingList | None = None) -> str:
    """The evidence of a profile's row as SQL: what stands in every list's, or what one list's has besides ('' if
    nothing)."""
    names: dict[str, str] = {feed.feed: feed.name for feed in plan.feeds}
    told = sentences(plan.contracts, subject)
    heard = [sentence for sentence in told if sentence.feed is None or sentence.feed in names]
    if only_for is None:
        chosen = [sentence for sentence in heard if not sentence.statement.lists]
    elif any(only_for.id in sentence.statement.lists for sentence in told):
        chosen = [sentence for sentence in heard if only_for.id in sentence.statement.lists]
    else:
        chosen = [sentence for sentence in heard if sentence.statement.lists and _is_asked(plan, subject, sentence.statement, only_for)]
    if not chosen:
        return "''"
    teller = _Teller(plan, subject)
    parts = ", ".join(f"CASE WHEN {sentence.statement.when} THEN {teller.sentence(sentence, names)} END" for sentence in chosen)
    return f"concat_ws('{BETWEEN}', {parts})"


def _is_asked(plan: Plan, subject: str, statement: Statement, entry: FindingList) -> bool:
    """Whether a list that no sentence names asks what this one asks: what it is about, its evidence says."""
    known = {column.name for column in profiles(plan.contracts)[subject]}
    needed = known & set(re.findall(r"\w+", statement.when))
    return bool(needed) and needed <= set(re.findall(r"\w+", entry.where))


class _Teller:
    """Writes sentences as SQL, each value in its words."""

    def __init__(self, plan: Plan, subject: str) -> None:
        self._words = {name: fact.words for entry in contracts.all(plan.contracts) for name, fact in entry.tells.items() if fact.words}
        self._amounts = {column.name for column in profiles(plan.contracts)[subject] if column.type == "DOUBLE"}

    def sentence(self, sentence: Sentence, names: Mapping[str, str]) -> str:
        """One sentence, beginning with its register's name, so that the register's date can be put behind it."""
        says = sentence.statement.says
        return " || ".join([*([quoted(names[sentence.feed] + SAYS)] if sentence.feed else []), *self._pieces(says)])

    def _pieces(self, says: str) -> Iterator[str]:
        end = 0
        for found in PLACE.finditer(says):
            if found.start() > end:
                yield quoted(says[end:found.start()])
            yield self._value(found[1], found[2])
            end = found.end()
        if end < len(says):
            yield quoted(says[end:])

    def _value(self, column: str, named: str | None) -> str:
        words = evidence().words[named] if named else self._words.get(column)
        if words is None and column in self._amounts:
            # 200.0 yuan reads 200. Only amounts are looked at: a prefecture has millions of sentences.
            return f"coalesce(regexp_replace({column}::VARCHAR, '\\.0+$', ''), '不详')"
        if words is None:
            return f"coalesce({column}::VARCHAR, '不详')"
        cases = " ".join(f"WHEN {quoted(code)} THEN {quoted(word)}" for code, word in words.items())
        return f"coalesce(CASE {column} {cases} END, '不详')"


def dated(plan: Plan, text: str, stands: Mapping[str, str]) -> str:
    """The evidence with each register's date: 「企业职工养老（截至2021-05-31）：暂停缴费」. ``stands`` is the period of the
    data by feed; a register of an earlier month than the rest is told apart by it."""
    names = {feed.name: stands[feed.feed] for feed in plan.feeds if feed.feed in stands}
    told = []
    for part in text.split(BETWEEN):
        name, colon, says = part.partition(SAYS)
        told.append(f"{name}（截至{period_end(names[name])}）{SAYS}{says}" if colon and name in names else part)
    return BETWEEN.join(told)
