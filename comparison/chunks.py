"""The chunks of a comparison: its SQL files cut where a run can stop and go on.

A chunk reads the feeds and tables it names, runs one or more SQL files, and leaves tables. Nothing else passes from one
chunk to the next, so each can be run in a process of its own, again after a kill, or alone when it failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from comparison import units
from comparison.database import period_end, quoted, script
from comparison.expressions import parameters_of, render
from comparison.lists import WITH_PEOPLE, finding_select, indicator_words, listed
from comparison.registers import Register, registers, told_columns
from comparison.units import employer_fills, unit_fills
from models import contract as contracts
from models.plan import Plan
from models.profile import profiles, schemes
from models.words import SUBJECT_KINDS
from rules.ownership import leads_on

Work = Callable[[duckdb.DuckDBPyConnection], None]
PROFILES = ("person_profile", "employer_profile", "project_profile")
CHUNKS = ("people", "numbers", *(f"link:{feed}" for feed in registers()), "identity", "registers", "profile", "units",
          "employers", "lists", "balance")
"""Names of the chunks of every comparison, in the order in which they are run: what a form offers to be made anew. Feeds of a
site's own have a ``link:`` of their own besides."""
ACCOUNTS = ("category_counts", "link_counts", "list_counts", "balance", "content")


@dataclass(frozen=True)
class Step:
    """SQL (or Python, where SQL cannot) and the tables it leaves, which are written before the next step."""

    sql: str
    makes: tuple[str, ...] = ()
    work: Work | None = None


@dataclass(frozen=True)
class Chunk:
    """A part of the comparison that is done as a whole or not at all."""

    name: str
    steps: tuple[Step, ...]
    reads: tuple[str, ...] = ()
    """Tables of earlier chunks."""
    feeds: tuple[str, ...] = ()
    parted: bool = False
    """The tables it leaves depend each on one of its feeds only, in the order in which both are named."""

    @property
    def makes(self) -> tuple[str, ...]:
        """The tables it leaves."""
        return tuple(table for step in self.steps for table in step.makes)


@dataclass(frozen=True)
class Known:
    """What people know that no register says: Parquet files of their decisions and of numbers that were replaced."""

    decisions: Path | None = None
    old_numbers: Path | None = None


def chunks_of(plan: Plan, period: str, known: Known = Known()) -> tuple[Chunk, ...]:
    """The chunks of one comparison in the order in which they are run."""
    found = registers(plan.contracts)
    every = tuple(found.values())
    linked, residual = _each("linked", every), _each("residual", every)
    of_units = units.feeds(plan)
    return (
        Chunk("people", (Step(script("10_people"), ("people",)),), feeds=("population", "residence_permits")),
        Chunk("numbers", (Step(script("19_numbers", _number_fills(every)), _each("apart", every)),),
              reads=("people",), feeds=tuple(found), parted=True),
        *(_link(register) for register in every),
        Chunk("identity", (Step("", ("resolved", "identity_candidates", "identity_cases"), _settle(known, tuple(found))),),
              reads=("people", *linked, *residual)),
        Chunk("registers", tuple(Step(script("30_registers", register.fill()), (f"several_{register.feed}",))
                                 for register in every),
              reads=("resolved", *linked, *residual)),
        Chunk("profile", (Step(script("40_profile", _profile_fills(plan, every)), ("person_profile",)),),
              reads=("people", "identity_cases", *linked, *_each("several", every)), feeds=("employers",)),
        Chunk("units", (Step(script("26_units", unit_fills(plan)), ("units", "unit_keys")),), feeds=of_units),
        Chunk("employers", (Step(script("45_employers", employer_fills(plan)), ("employer_profile", "project_profile")),),
              reads=("units", "unit_keys"), feeds=of_units),
        Chunk("lists", (Step(script("60_findings", _finding_fills(plan, period)), ("findings",)),),
              reads=("people", *PROFILES)),
        Chunk("balance", (Step(script("70_balance", _balance_fills(every)), ACCOUNTS),),
              reads=("people", "person_profile", "findings", "resolved", "unit_keys", *linked, *residual)),
    )


def _each(prefix: str, registers: tuple[Register, ...]) -> tuple[str, ...]:
    return tuple(f"{prefix}_{register.feed}" for register in registers)


def _link(register: Register) -> Chunk:
    feed = register.feed
    return Chunk(f"link:{feed}", (Step(script("20_links", register.fill()), (f"linked_{feed}", f"residual_{feed}")),),
                 reads=(f"apart_{feed}",), feeds=(feed,))


def _number_fills(registers: tuple[Register, ...]) -> dict[str, str]:
    return {
        "rows": "\n    UNION ALL\n    ".join(
            f"SELECT {place}::UTINYINT AS register, file, row_number, member, number_of(id_number) AS person, name "
            f"FROM {register.feed}" for place, register in enumerate(registers)),
        "parted": "\n".join(
            f"CREATE VIEW apart_{register.feed} AS SELECT file, row_number, member FROM apart WHERE register = {place};"
            for place, register in enumerate(registers)),
    }


def _settle(known: Known, feeds: tuple[str, ...]) -> Work:
    def work(connection: duckdb.DuckDBPyConnection) -> None:
        from comparison.identity import resolve  # reads a table of all letters: only here

        resolve(connection, feeds, decisions=known.decisions, old_numbers=known.old_numbers)

    return work


KEPT = ("id_number", "sex", "birth_date", "age_years", "hukou_type", "population_status",
        "is_permit_holder", "township", "is_deceased", "is_gone", "needs_identity_review", "category")
"""Who somebody is, and where: columns of the profile that are kept whatever the plan asks."""


def _coded(plan: Plan) -> frozenset[str]:
    """Columns of the person profile that are written as enumerations."""
    return frozenset({"sex", "hukou_type", "population_status", "township"}.union(
        f"{scheme}_{said}" for scheme in schemes(plan.contracts) for said in ("status", "last_paid")))


def profile_columns(plan: Plan) -> tuple[str, ...]:
    """The columns of the person profile that a run keeps: who it is, and what some rule of the plan asks.

    What no list, owner, evidence or indicator asks is not stored (PIPL art. 6, minimum necessary). Categories are decided
    before. Addresses stay with ``people`` and are joined to those who are listed.
    """
    words = set(re.findall(r"\w+", listed(plan, "person"))) - set(WITH_PEOPLE) | indicator_words(plan)
    return tuple(column.name for column in profiles(plan.contracts)["person"] if column.name in KEPT or column.name in words)


def _profile_fills(plan: Plan, registers: tuple[Register, ...]) -> dict[str, str]:
    cases = (f"WHEN coalesce({render(category.where, parameters_of(plan))}, false) "
             f"THEN {quoted(category.id)}::category_code" for category in plan.categories)
    own = plan.contracts
    every_scheme, pensions, medical = schemes(own), schemes(own, "pension"), schemes(own, "medical")
    months = (f"SELECT DISTINCT last_paid_month FROM {table}_{scheme}"
              for scheme in every_scheme for table in ("linked", "several"))
    told = [entry for entry in contracts.ranked(own) if entry.feed in {register.feed for register in registers}]
    coded = _coded(plan)
    return {
        "said": "\n".join(script("35_said", register.fill()) for register in registers),
        "months": " UNION ALL ".join(months),
        "categories": ", ".join(quoted(category.id) for category in plan.categories),
        "told_columns": ",\n           ".join(told_columns(entry) for entry in told),
        "told_joins": "\n    ".join(f"LEFT JOIN said_{entry.feed} USING (person)" for entry in told),
        "any_pension_active": " OR ".join(f"{scheme}_active" for scheme in pensions),
        "any_pension_enrolled": "\n             OR ".join(
            f"coalesce({scheme}_status IN ('active', 'suspended'), false)" for scheme in pensions),
        "any_medical_active": " OR ".join(f"{scheme}_active" for scheme in medical),
        "pensions_at_once": " + ".join(f"{scheme}_active::INTEGER" for scheme in pensions),
        "medical_at_once": " + ".join(f"{scheme}_active::INTEGER" for scheme in medical),
        "pension_months": ",\n               ".join(
            f"CASE WHEN {scheme}_status = 'suspended' THEN {scheme}_months_unpaid END" for scheme in pensions),
        "category_cases": "\n            ".join(cases),
        "columns": ",\n       ".join(f"{name}_code AS {name}" if name in coded else name for name in profile_columns(plan)),
    }


def _finding_fills(plan: Plan, period: str) -> Mapping[str, str]:
    leads = leads_on(plan, period_end(period))
    return {"listed": "\n".join(listed(plan, subject) for subject in SUBJECT_KINDS),
            "findings": "\nUNION ALL".join(finding_select(plan, item, leads) for item in plan.lists)}


def links_sql(feeds: Sequence[str]) -> str:
    """The view ``links`` over the tables of a run, of whose registers some were linked: not a chunk, for only an export asks for it."""
    return script("65_links", {
        "linked": "\n    UNION ALL\n    ".join(
            f"SELECT {quoted(feed)} AS feed, source_file, row_number, member, person FROM linked_{feed}"
            for feed in feeds),
        "residual": "\n    UNION ALL\n    ".join(
            f"SELECT {quoted(feed)} AS feed, file, source_file, row_number, member, id_number, id_given, name "
            f"FROM residual_{feed}" for feed in feeds),
    })


def _balance_fills(registers: tuple[Register, ...]) -> dict[str, str]:
    return {
        "linked_counts": " UNION ALL ".join(
            f"SELECT {quoted(register.feed)} AS feed, 'exact' AS tier, count(*) AS rows FROM linked_{register.feed}"
            for register in registers),
        "residual_count": " + ".join(f"(SELECT count(*) FROM residual_{register.feed})" for register in registers),
    }
