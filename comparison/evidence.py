"""The evidence of a finding: which register says what, from ``evidence.yaml``; and when, put in where it is shown.

What is stored names registers and facts only: a date in it would make every finding differ every month. The date of each
register is known to the run, and :func:`dated` puts it behind the register's name on rosters and in exports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from comparison.database import period_end, quoted
from models.plan import FeedName, ListName, Plan, Strict
from models.profile import SCHEMES, SUBJECTS

BETWEEN, SAYS = "；", "："
_AMOUNTS = {column.name for documented in SUBJECTS.values() for column in documented if column.type == "DOUBLE"}
_PLACE = re.compile(r"\{(\w+)(?:\|(\w+))?\}")


class Statement(Strict):
    """One sentence; see the head of ``evidence.yaml``."""

    when: str
    says: str
    feed: FeedName | None = None
    lists: tuple[ListName, ...] = ()


class Evidence(Strict):
    """The whole of ``evidence.yaml``."""

    words: dict[str, dict[str, str]]
    person: tuple[Statement, ...] = Field(min_length=1)
    employer: tuple[Statement, ...] = Field(min_length=1)
    project: tuple[Statement, ...] = Field(min_length=1)

    def of(self, subject: str) -> tuple[Statement, ...]:
        """The statements about a subject."""
        return {"person": self.person, "employer": self.employer, "project": self.project}[subject]


@cache
def evidence() -> Evidence:
    """What stands in ``evidence.yaml``, each statement about schemes once for every scheme."""
    read = yaml.safe_load((Path(__file__).parent / "evidence.yaml").read_text(encoding="utf-8"))
    for subject in ("person", "employer", "project"):
        read[subject] = [entry for given in read[subject] for entry in _for_each_scheme(given)]
    return Evidence.model_validate(read)


def _for_each_scheme(given: dict[str, object]) -> list[dict[str, object]]:
    if given.get("feed") != "each_scheme":
        return [given]
    return [{key: value.replace("{scheme}", scheme) if isinstance(value, str) else value for key, value in given.items()}
            | {"feed": scheme} for scheme in SCHEMES]


def evidence_sql(plan: Plan, subject: str, only_for: ListName | None = None) -> str:
    """The evidence of a profile's row as SQL: what stands in every list's, or what one list's has besides ('' if
    nothing)."""
    names: dict[str, str] = {feed.feed: feed.name for feed in plan.feeds}
    chosen = [
        statement for statement in evidence().of(subject)
        if (statement.feed is None or statement.feed in names)
        and (only_for in statement.lists if only_for else not statement.lists)
    ]
    if not chosen:
        return "''"
    parts = ", ".join(f"CASE WHEN {statement.when} THEN {_sentence(statement, names)} END" for statement in chosen)
    return f"concat_ws('{BETWEEN}', {parts})"


def _sentence(statement: Statement, names: Mapping[str, str]) -> str:
    pieces = [quoted(names[statement.feed] + SAYS)] if statement.feed else []
    end = 0
    for place in _PLACE.finditer(statement.says):
        pieces += [quoted(statement.says[end:place.start()])] if place.start() > end else []
        pieces.append(_value(place[1], place[2]))
        end = place.end()
    pieces += [quoted(statement.says[end:])] if end < len(statement.says) else []
    return " || ".join(pieces)


def _value(column: str, words: str | None) -> str:
    if words is None and column in _AMOUNTS:
        # 200.0 yuan reads 200. Only amounts are looked at: a prefecture has millions of sentences.
        return f"coalesce(regexp_replace({column}::VARCHAR, '\\.0+$', ''), '不详')"
    if words is None:
        return f"coalesce({column}::VARCHAR, '不详')"
    cases = " ".join(f"WHEN {quoted(code)} THEN {quoted(word)}" for code, word in evidence().words[words].items())
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
