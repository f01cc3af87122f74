"""The documented profile: what a plan's expressions may ask about a person, an employer or a project.

One row of the profile is everything the registers say about one subject as of a period's end. Plans define lists,
categories and indicators as expressions over these columns; a column not named here is a plan fault. What one register
tells by itself stands in its contract (``models.contract``), a site's own among them; here stands what is told by several
together. ``docs/profile.md`` is made from both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models import contract as contracts
from models.contract import COLUMN_TYPES, FACT_KINDS, Contract, Fact


@dataclass(frozen=True)
class Column:
    """One documented column: its DuckDB type, what it means, and whether it names an organisation."""

    name: str
    type: str
    meaning: str
    names_organisation: bool = False


def schemes(own: Sequence[Contract] = (), covers: str | None = None) -> tuple[str, ...]:
    """The registers with one row per insured person, by rank; with ``covers`` those of one kind."""
    return tuple(entry.feed for entry in contracts.ranked(own)
                 if entry.scheme is not None and covers in (None, entry.scheme.covers))


SCHEMES = schemes()
"""Those that ship; each gives the same five columns to the profile."""


def _scheme_columns(scheme: str) -> tuple[Column, ...]:
    return (
        Column(f"{scheme}_status", "VARCHAR", "active, suspended or terminated; null = no row in the register"),
        Column(f"{scheme}_active", "BOOLEAN", "the register says the person is insured and paying (AAC031 = 1)"),
        Column(f"{scheme}_enrolled_on", "DATE", "first enrolment in the scheme"),
        Column(f"{scheme}_last_paid", "VARCHAR", "last month paid for, YYYY-MM"),
        Column(f"{scheme}_months_unpaid", "INTEGER", "whole months from the last month paid to the period"),
    )


_WHO = (
    Column("person_id", "VARCHAR", "stable pseudonymous key of a person"),
    Column("id_number", "VARCHAR", "citizen number, 18 characters"),
    Column("name", "VARCHAR", "name as the population register spells it"),
    Column("sex", "VARCHAR", "M or F"),
    Column("birth_date", "DATE", "from the number; it wins over a column that differs"),
    Column("age_years", "INTEGER", "completed years on the last day of the period"),
    Column("hukou_type", "VARCHAR", "rural or urban"),
    Column("population_status", "VARCHAR", "resident, away, cancelled or moved_out; null where it cannot be read"),
    Column("is_permit_holder", "BOOLEAN", "holds a residence certificate without local hukou (B14)"),
    Column("township", "VARCHAR", "code of the township or street", names_organisation=True),
    Column("village", "VARCHAR", "village or community, as written"),
    Column("address", "VARCHAR", "address, for the roster only"),
    Column("phone", "VARCHAR", "telephone, for the roster only"),
    Column("household_no", "VARCHAR", "household number"),
)
"""Who it is: from the population register and the holders of residence permits."""
_FOLLOWS = (
    Column("is_gone", "BOOLEAN", "hukou cancelled or moved away"),
    Column("is_newborn", "BOOLEAN", "reported as an unregistered newborn or under one year old"),
    Column("employer_township", "VARCHAR", "township of that employer", names_organisation=True),
    Column("any_pension_active", "BOOLEAN", "active in at least one pension scheme"),
    Column("any_pension_enrolled", "BOOLEAN", "has a row, not terminated, in at least one pension register"),
    Column("any_medical_active", "BOOLEAN", "active in at least one medical scheme"),
    Column("pension_schemes_active", "INTEGER", "number of pension schemes active at once"),
    Column("medical_schemes_active", "INTEGER", "number of medical schemes active at once"),
    Column("pension_months_unpaid", "INTEGER", "fewest months unpaid over the pension schemes enrolled and not active"),
    Column("was_converted", "BOOLEAN", "left the resident scheme for the employee scheme since the campaign began"),
    Column("needs_identity_review", "BOOLEAN", "registers disagree about who this is, or a status cannot be read; a person must decide"),
    Column("category", "VARCHAR", "the exclusive category; usable in lists and indicators, not in categories"),
)
"""What several registers tell together."""

EMPLOYER = (
    Column("employer_id", "VARCHAR", "stable key of an employer"),
    Column("credit_code", "VARCHAR", "unified social credit code, 18 characters"),
    Column("name", "VARCHAR", "registered name"),
    Column("kind", "VARCHAR", "enterprise, individual, institution, social_organisation or government"),
    Column("status", "VARCHAR", "operating, abnormal or deregistered"),
    Column("is_operating", "BOOLEAN", "registered and operating normally"),
    Column("township", "VARCHAR", "township of the address", names_organisation=True),
    Column("address", "VARCHAR", "address"),
    Column("phone", "VARCHAR", "telephone"),
    Column("registered_on", "DATE", "date of registration"),
    Column("is_taxed", "BOOLEAN", "has a tax record"),
    Column("last_taxed_month", "VARCHAR", "last month taxed, YYYY-MM"),
    Column("months_since_taxed", "INTEGER", "whole months from there to the period"),
    Column("withholding_employees", "INTEGER", "persons for whom income tax is withheld"),
    Column("employed_persons", "INTEGER", "persons the employment register names"),
    Column("pension_insured_persons", "INTEGER", "persons active in the employee or institution pension through it"),
    Column("work_injury_insured_persons", "INTEGER", "persons active in work injury through it"),
    Column("is_insured", "BOOLEAN", "at least one person active in any employee scheme through it"),
    Column("is_dust_hazard", "BOOLEAN", "on the list of key dust-hazard employers"),
    Column("exposed_workers", "INTEGER", "workers exposed to dust"),
    Column("dust_insured_workers", "INTEGER", "of these, covered by work injury (never more than exposed)"),
)

PROJECT = (
    Column("project_id", "VARCHAR", "stable key of a construction project"),
    Column("permit_no", "VARCHAR", "building permit number"),
    Column("name", "VARCHAR", "name of the project"),
    Column("employer_code", "VARCHAR", "credit code of the contractor"),
    Column("employer_name", "VARCHAR", "name of the contractor"),
    Column("department", "VARCHAR", "department in charge", names_organisation=True),
    Column("township", "VARCHAR", "township of the site", names_organisation=True),
    Column("started_on", "DATE", "start of works"),
    Column("is_new", "BOOLEAN", "started since the campaign's first day"),
    Column("is_insured", "BOOLEAN", "work injury taken out for the project"),
)

def _fact_column(entry: Contract, name: str, fact: Fact) -> Column:
    column = entry.columns[fact.column] if fact.column else None
    kind = FACT_KINDS[fact.kind]
    if fact.kind == "number" and column is not None and COLUMN_TYPES[column.type] != "DOUBLE":
        kind = "INTEGER"
    return Column(name, kind, fact.meaning, names_organisation=column is not None and column.type == "org")


def told_by(entry: Contract) -> tuple[Column, ...]:
    """The columns that one feed gives the profile of its subject."""
    scheme = _scheme_columns(entry.feed) if entry.scheme else ()
    return (*scheme, *(_fact_column(entry, name, fact) for name, fact in entry.tells.items()))


def _subject(subject: str, own: Sequence[Contract]) -> tuple[Column, ...]:
    told = tuple(column for entry in contracts.ranked(own) if entry.subject == subject for column in told_by(entry))
    return (*_WHO, *told, *_FOLLOWS) if subject == "person" else ({"employer": EMPLOYER, "project": PROJECT}[subject] + told)


PERSON = _subject("person", ())
SUBJECTS: dict[str, tuple[Column, ...]] = {"person": PERSON, "employer": EMPLOYER, "project": PROJECT}
"""The profiles where a site adds no feed of its own."""


def profiles(own: Sequence[Contract] = ()) -> Mapping[str, tuple[Column, ...]]:
    """Every profile by its subject, with what a plan's ``own`` feeds tell."""
    return SUBJECTS | {subject: _subject(subject, own) for subject in {entry.subject for entry in own} & set(SUBJECTS)}


def columns(subject: str, own: Sequence[Contract] = ()) -> dict[str, Column]:
    """The documented columns of a subject by name."""
    return {column.name: column for column in profiles(own)[subject]}
