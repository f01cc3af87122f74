"""What each register of persons says: which of its columns the profile takes, which of its rows speak, and which of
several rows of one person is the strongest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.profile import SCHEMES


@dataclass(frozen=True)
class Register:
    """One register as SQL over its own columns.

    ``facts`` are the columns that are kept of a row, some of them ``computed``; ``speaks_if`` and ``strongest_first`` are
    over the facts. The order is by all that is kept, so that it never matters in which order rows or files arrive.
    """

    feed: str
    facts: tuple[str, ...]
    strongest_first: str
    speaks_if: str = "true"
    computed: Mapping[str, str] = field(default_factory=dict)

    def fill(self) -> dict[str, str]:
        """For the places of the SQL files that run once per register."""
        return {"feed": self.feed, "facts": ", ".join(self.facts),
                "coded_facts": ", ".join(f"{name}::{_TYPES[name]} AS {name}" if self.feed in SCHEMES and name in _TYPES
                                         else name for name in self.facts), "speaks_if": self.speaks_if,
                "computed": "".join(f", {source} AS {name}" for name, source in self.computed.items()),
                "linked_facts": ", ".join(f"{self.computed[name]} AS {name}" if name in self.computed
                                          else f"{name}::fact_code AS {name}" if name in _CODES else name
                                          for name in self.facts),
                "codes": " UNION ".join(f"SELECT {name} AS code FROM {self.feed}"
                                        for name in ("source_file", *self.facts) if name in _CODES),
                "strongest_first": self.strongest_first}


_CODES = frozenset({"source_file", "status", "last_paid_month", "kind", "scheme", "end_reason"})
"""Texts of which a register has only a few: written as enumerations, in a third of the time."""
_TYPES = {"status": "payment", "last_paid_month": "month_label"}
"""Types of ``40_profile`` that carry a scheme's codes."""
_SCHEME = ("status", "enrolled_on", "last_paid_month")
_RESIDENT_PENSION = ("tier_yuan", "paid_yuan", "ended_on", "end_reason")
# Active before suspended before terminated, then the latest month paid: an old row never hides a current one.
_STRONGEST = ("CASE status WHEN 'active' THEN 0 WHEN 'suspended' THEN 1 ELSE 2 END, last_paid_month DESC NULLS LAST, "
              "enrolled_on")

PERSON_REGISTERS: dict[str, Register] = {register.feed: register for register in (
    Register("deaths", ("death_date",), "death_date NULLS LAST",
             "(death_date IS NULL OR death_date <= getvariable('period_end'))"),
    Register("students", ("school", "status"), "school NULLS LAST", "status = 'enrolled'"),
    # 特困 outranks 低保: 'tekun' sorts after 'dibao'.
    Register("hardship", ("kind",), "kind DESC NULLS LAST"),
    Register("poverty", ("kind",), "kind NULLS LAST"),
    Register("disability", ("disability_grade",), "disability_grade NULLS LAST",
             computed={"disability_grade": "try_cast(grade AS INTEGER)"}),
    Register("employment", ("employer_code", "employer_name", "since", "is_current"),
             "since DESC NULLS LAST, employer_code, employer_name", "is_current",
             computed={"is_current": "month IS NULL OR month = (SELECT max(month) FROM employment)"}),
    *(Register(scheme, _SCHEME, _STRONGEST) for scheme in SCHEMES if scheme != "resident_pension"),
    Register("resident_pension", (*_SCHEME, *_RESIDENT_PENSION),
             f"{_STRONGEST}, {', '.join(f'{column} DESC NULLS LAST' for column in _RESIDENT_PENSION)}"),
    Register("benefits", ("scheme", "status", "monthly_yuan"), "monthly_yuan DESC NULLS LAST, scheme",
             "status = 'paying'"),
    Register("cards", ("is_issued",), "is_issued DESC", computed={"is_issued": "coalesce(status = 'issued', false)"}),
)}
"""The registers of persons, by feed."""
