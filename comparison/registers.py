"""Registers as SQL, made from the feeds' contracts: the table of each feed, what the profile takes of a register, which of its
rows speak, and which of several rows of one subject is the strongest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from comparison.database import quoted, script
from models import contract as contracts
from models.contract import COLUMN_TYPES, LISTED, Contract, Fact
from models.profile import told_by

BESIDE_PEOPLE = frozenset({"population", "residence_permits", "newborns"})
"""Feeds of persons that say who there is (10_people), not what is so of whom."""
_PLACED = {"file": "INTEGER", "source_file": "VARCHAR", "row_number": "BIGINT", "member": "INTEGER"}
_GIVEN = {"id_given": "VARCHAR", "id_fault": "VARCHAR"}
# Active before suspended before terminated, then the latest month paid: an old row never hides a current one.
_STRONGEST_OF_SCHEME = ("CASE status WHEN 'active' THEN 0 WHEN 'suspended' THEN 1 ELSE 2 END, last_paid_month DESC NULLS LAST, "
                        "enrolled_on")
_SCHEME = ("status", "enrolled_on", "last_paid_month")
_TYPES = {"status": "payment", "last_paid_month": "month_label"}
"""Types of ``40_profile`` that carry a scheme's codes."""


@dataclass(frozen=True)
class Register:
    """One register as SQL over its own columns.

    ``facts`` are the columns that are kept of a row, some of them ``computed``; ``speaks_if`` and ``strongest_first`` are
    over the facts. The order is by all that is kept, so that it never matters in which order rows or files arrive.
    ``coded``: texts of which a register has only a few, written as enumerations in a third of the time.
    """

    feed: str
    facts: tuple[str, ...]
    strongest_first: str
    speaks_if: str = "true"
    computed: Mapping[str, str] = field(default_factory=dict)
    coded: frozenset[str] = frozenset({"source_file"})
    is_scheme: bool = False

    def fill(self) -> dict[str, str]:
        """For the places of the SQL files that run once per register."""
        return {"feed": self.feed, "facts": ", ".join(self.facts),
                "coded_facts": ", ".join(f"{name}::{_TYPES[name]} AS {name}" if self.is_scheme and name in _TYPES
                                         else name for name in self.facts), "speaks_if": self.speaks_if,
                "computed": "".join(f", {source} AS {name}" for name, source in self.computed.items()),
                "linked_facts": ", ".join(f"{self.computed[name]} AS {name}" if name in self.computed
                                          else f"{name}::fact_code AS {name}" if name in self.coded else name
                                          for name in self.facts),
                "codes": " UNION ".join(f"SELECT {name} AS code FROM {self.feed}"
                                        for name in ("source_file", *self.facts) if name in self.coded),
                "strongest_first": self.strongest_first}


def registers(own: Sequence[Contract] = (), subject: str = "person") -> dict[str, Register]:
    """The registers about a kind of subject that tell its profile anything, by feed and in the order of their rank."""
    return {entry.feed: register_of(entry) for entry in contracts.ranked(own)
            if entry.subject == subject and (entry.tells or entry.scheme) and entry.feed not in BESIDE_PEOPLE}


def register_of(entry: Contract) -> Register:
    """What is taken of one feed's rows: the columns that its facts, its condition and its order name."""
    computed = {name: _as_sql(entry, source) for name, source in _computed(entry).items()}
    named = " ".join([*(fact.column or "" for name, fact in entry.tells.items() if name not in computed),
                      entry.counts_if or "", entry.strongest_first or ""])
    raw = [name for name in entry.columns if re.search(rf"\b{name}\b", named) and (not entry.scheme or name not in _SCHEME)]
    raw = [name for name in raw if not any(fact.column == name and told in computed for told, fact in entry.tells.items())
           or re.search(rf"\b{name}\b", entry.counts_if or "")]
    if not (entry.scheme or raw or computed):
        computed = {"is_listed": "true"}  # who is in it is all it tells
    facts = (*(_SCHEME if entry.scheme else ()), *raw, *computed)
    speaks = [_as_sql(entry, entry.counts_if)] if entry.counts_if else []
    speaks += [IS_NEWEST] if entry.newest else []
    return Register(
        entry.feed, facts, _order(entry, facts), " AND ".join(f"({part})" for part in speaks) or "true", computed,
        frozenset({"source_file", *(name for name in facts if name in entry.columns and entry.columns[name].type in ("code", "month"))}),
        is_scheme=entry.scheme is not None)


IS_NEWEST = "is_newest"


def _computed(entry: Contract) -> dict[str, str]:
    """What is worked out from a row: conditions that are flags, codes of digits that are numbers, whether its month is the newest."""
    found = {name: fact.flag for name, fact in entry.tells.items() if fact.flag not in (None, LISTED)}
    found = {name: f"coalesce({condition}, false)" for name, condition in found.items()}
    found |= {name: f"try_cast({fact.number} AS INTEGER)" for name, fact in entry.tells.items()
              if fact.number and COLUMN_TYPES[entry.columns[fact.number].type] != "DOUBLE"}
    if entry.newest:
        found[IS_NEWEST] = f"{entry.newest} IS NULL OR {entry.newest} = (SELECT max({entry.newest}) FROM {entry.feed})"
    return found


def _order(entry: Contract, facts: tuple[str, ...]) -> str:
    """Which of several rows speaks: as the contract says, and by all the rest that is kept."""
    stated = entry.strongest_first or (_STRONGEST_OF_SCHEME if entry.scheme else "")
    for name, fact in entry.tells.items():  # an order by a column that is kept as a number only
        if name in facts and fact.column and fact.column not in facts:
            stated = re.sub(rf"\b{fact.column}\b", name, stated)
    rest = [f"{name} DESC NULLS LAST" for name in facts if not re.search(rf"\b{name}\b", stated) and name != IS_NEWEST]
    return ", ".join([*([_as_sql(entry, stated)] if stated else []), *rest]) or "1"


def _as_sql(entry: Contract, condition: str) -> str:
    """A contract's condition as the comparison runs it: ``$period_end`` is the last day of the period."""
    return condition.replace("$period_end", "getvariable('period_end')")


# --- the profile ----------------------------------------------------------------------------------------


def told_columns(entry: Contract) -> str:
    """What a register gives the profile, as SQL over ``said_<feed>`` joined to its subjects."""
    said = f"said_{entry.feed}"
    parts = [_scheme_columns(entry.feed, said)] if entry.scheme else []
    parts += [f"{_told(entry, name, fact, said)} AS {name}" for name, fact in entry.tells.items()]
    return ",\n           ".join(parts)


def _told(entry: Contract, name: str, fact: Fact, said: str) -> str:
    if fact.flag == LISTED:
        return f"{said}.{_KEYS[entry.subject]} IS NOT NULL"
    if fact.flag is not None:
        return f"coalesce({said}.{name}, false)"
    kept = name if name in _computed(entry) else fact.column
    return f"{said}.{kept}"


_KEYS = {"person": "person", "employer": "unit", "project": "permit"}


def _scheme_columns(scheme: str, said: str) -> str:
    return (
        f"{said}.status AS {scheme}_status_code, {said}.status::VARCHAR AS {scheme}_status, "
        f"coalesce({said}.status = 'active', false) AS {scheme}_active, "
        f"{said}.enrolled_on AS {scheme}_enrolled_on, "
        f"{said}.last_paid_month AS {scheme}_last_paid_code, {said}.last_paid_month::VARCHAR AS {scheme}_last_paid, "
        f"months_between({scheme}_last_paid, getvariable('period')) AS {scheme}_months_unpaid"
    )


# --- tables ---------------------------------------------------------------------------------------------


def common_sql(own: Sequence[Contract] = ()) -> str:
    """What every stage uses: macros, and an empty table for every feed, so that a view of it is typed where no file came."""
    return "\n".join([script("00_common"), *(_table(entry) for entry in contracts.ranked(own))])


def _table(entry: Contract) -> str:
    columns = {**_PLACED, **(_GIVEN if entry.identity else {}),
               **{name: COLUMN_TYPES[column.type] for name, column in entry.columns.items()}}
    return f"CREATE TABLE feed.{entry.feed} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())});"


def added_columns(own: Sequence[Contract], subject: str) -> dict[str, str]:
    """For the profiles of employers and projects: what a plan's own feeds tell about them, and the joins that bring it."""
    found = [entry for entry in own if entry.subject == subject and entry.tells]
    return {
        "told": "".join(f",\n       {told_columns(entry)}" for entry in found),
        "said": "\n".join(_said_of_unit(entry, subject) for entry in found),
        "joins": "\n".join(f"LEFT JOIN said_{entry.feed} ON said_{entry.feed}.{_KEYS[subject]} = {_JOINED[subject]}" for entry in found),
    }


_JOINED = {"employer": "u.unit", "project": "p.permit"}
PERMIT = "upper(regexp_replace(permit_no, '[\\s()（）\\[\\]［］【】〔〕]', '', 'g'))"
"""A building permit, however it is spaced and bracketed."""


def _said_of_unit(entry: Contract, subject: str) -> str:
    register = register_of(entry)
    rows = f"of_{entry.feed}" if subject == "employer" else f"(SELECT *, {PERMIT} AS permit FROM {entry.feed})"
    key = _KEYS[subject]
    kept = ", ".join(f"{register.computed[name]} AS {name}" if name in register.computed else name for name in register.facts)
    return (f"CREATE VIEW said_{entry.feed} AS SELECT {', '.join((key, *register.facts))} "
            f"FROM (SELECT {', '.join(part for part in (key, kept) if part)} FROM {rows} WHERE {key} IS NOT NULL) WHERE {register.speaks_if} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {register.strongest_first}) = 1;")


def told_names(own: Sequence[Contract] = ()) -> set[str]:
    """Every column that some feed gives a profile."""
    return {column.name for entry in contracts.all(own) for column in told_by(entry)}


def literals(words: Sequence[str]) -> str:
    """Texts as a list for ``IN``."""
    return ", ".join(quoted(word) for word in words)
