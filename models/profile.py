"""The documented profile: what a plan's expressions may ask about a person, an employer or a project.

One row of the profile is everything the registers say about one subject as of a period's end. Plans define lists,
categories and indicators as expressions over these columns; a column not named here is a plan fault.
``docs/profile.md`` is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMES = (
    "employee_pension", "institution_pension", "resident_pension", "employee_medical", "resident_medical",
    "unemployment", "work_injury", "maternity",
)
"""The registers with one row per insured person; each gives the same five columns to the profile."""


@dataclass(frozen=True)
class Column:
    """One documented column: its DuckDB type, what it means, and whether it names an organisation."""

    name: str
    type: str
    meaning: str
    names_organisation: bool = False


def _scheme_columns(scheme: str) -> tuple[Column, ...]:
    return (
        Column(f"{scheme}_status", "VARCHAR", "active, suspended or terminated; null = no row in the register"),
        Column(f"{scheme}_active", "BOOLEAN", "the register says the person is insured and paying (AAC031 = 1)"),
        Column(f"{scheme}_enrolled_on", "DATE", "first enrolment in the scheme"),
        Column(f"{scheme}_last_paid", "VARCHAR", "last month paid for, YYYY-MM"),
        Column(f"{scheme}_months_unpaid", "INTEGER", "whole months from the last month paid to the period"),
    )


PERSON = (
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
    Column("is_deceased", "BOOLEAN", "a death is reported on or before the period's end"),
    Column("death_date", "DATE", "date of death as reported"),
    Column("is_gone", "BOOLEAN", "hukou cancelled or moved away"),
    Column("is_student", "BOOLEAN", "at school, from the education register"),
    Column("school", "VARCHAR", "school"),
    Column("is_newborn", "BOOLEAN", "reported as an unregistered newborn or under one year old"),
    Column("is_hardship", "BOOLEAN", "low-income allowance or special support (低保 / 特困)"),
    Column("hardship_kind", "VARCHAR", "dibao or tekun"),
    Column("is_poor", "BOOLEAN", "out of poverty, registered poor or at the margin"),
    Column("poverty_kind", "VARCHAR", "tuopin, bianyuan or jiandanglika"),
    Column("is_disabled", "BOOLEAN", "certified disability, grade 1 to 4"),
    Column("disability_grade", "INTEGER", "1 (severe) to 4"),
    Column("is_employed", "BOOLEAN", "works for an employer in the period"),
    Column("employer_code", "VARCHAR", "unified credit code of that employer"),
    Column("employer_name", "VARCHAR", "name of that employer"),
    Column("employer_township", "VARCHAR", "township of that employer", names_organisation=True),
    *(column for scheme in SCHEMES for column in _scheme_columns(scheme)),
    Column("resident_pension_tier_yuan", "DOUBLE", "yearly payment tier chosen, yuan"),
    Column("resident_pension_paid_yuan", "DOUBLE", "paid by the person in the calendar year so far, yuan"),
    Column("resident_pension_ended_on", "DATE", "when the resident scheme ended for the person"),
    Column("resident_pension_end_reason", "VARCHAR", "converted, death, moved or other"),
    Column("is_drawing_benefit", "BOOLEAN", "a pension is being paid"),
    Column("benefit_scheme", "VARCHAR", "scheme that pays it"),
    Column("benefit_monthly_yuan", "DOUBLE", "monthly amount, yuan"),
    Column("has_card", "BOOLEAN", "social security card issued"),
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

SUBJECTS = {"person": PERSON, "employer": EMPLOYER, "project": PROJECT}


def columns(subject: str) -> dict[str, Column]:
    """The documented columns of a subject by name."""
    return {column.name: column for column in SUBJECTS[subject]}
