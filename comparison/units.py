"""Employers as SQL: how names are brought to their core, and the views in which every row knows its employer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from comparison.database import quoted
from comparison.registers import added_columns, literals
from models import contract as contracts
from models.plan import Plan, Strict
from models.profile import schemes

MOST_TRUSTED = "employers"
"""The register by which an employer without a credit code is one all the same."""


def unit_feeds(plan: Plan) -> tuple[str, ...]:
    """Registers whose rows are employers: those known by a credit code."""
    return tuple(entry.feed for entry in contracts.ranked(plan.contracts) if entry.subject == "employer")


def naming_feeds(plan: Plan) -> tuple[str, ...]:
    """Registers of projects and persons whose rows name an employer, those of schemes only where it pays through him."""
    return tuple(entry.feed for entry in contracts.ranked(plan.contracts) if entry.subject in ("project", "person")
                 and {"employer_code", "employer_name"} <= set(entry.columns) and (entry.scheme is None or entry.scheme.through_employer))


def feeds(plan: Plan) -> tuple[str, ...]:
    """Every register from which employers are made."""
    return (*unit_feeds(plan), *naming_feeds(plan))


_OLD = "CASE WHEN length(id_given) IN (9, 15) THEN id_given END"
"""What a doubtful row gives as its code, if it may be an old number; a code that fails its check is none at all."""


class NamePolicy(Strict):
    """The whole of ``employers.yaml``."""

    marks: str
    wide: str
    narrow: str
    one_form: dict[str, str]
    forms_at_end: tuple[str, ...] = Field(min_length=1)
    never_left_off: tuple[str, ...]
    province: str
    core_at_least: Annotated[int, Field(ge=1)]


@cache
def policy() -> NamePolicy:
    """What stands in ``employers.yaml``."""
    return NamePolicy.model_validate(yaml.safe_load((Path(__file__).parent / "employers.yaml").read_text(encoding="utf-8")))


def core_sql(plan: Plan) -> str:
    """The core of ``name`` as SQL: see ``employers.yaml``."""
    rule = policy()
    plain = f"regexp_replace(translate(upper(name), {quoted(rule.wide)}, {quoted(rule.narrow)}), {quoted(rule.marks)}, '', 'g')"
    for form, one in rule.one_form.items():
        plain = f"replace({plain}, {quoted(form)}, {quoted(one)})"
    headless = f"regexp_replace({plain}, {quoted(f'^({rule.province})?({_place(plan)})?')}, '')"
    ends = quoted(f"({'|'.join(rule.forms_at_end)})$")
    branch = quoted(f"({'|'.join(rule.never_left_off)})$")
    return f"CASE WHEN regexp_matches({plain}, {branch}) THEN {headless} ELSE regexp_replace({headless}, {ends}, '') END"


def _place(plan: Plan) -> str:
    """The place's own names, the longest first, with or without what kind of place it is."""
    government = plan.organisation(plan.region_organisation)
    names = {name.removesuffix("人民政府") for name in (plan.region.name, government.name, *government.aliases)}
    short = {name[:-1] for name in names if name[-1:] in "省市县区州盟旗" and len(name) > 2}
    return "|".join(f"{name}[省市县区州盟旗]?" for name in sorted(names | short, key=lambda name: (-len(name), name)) if name)


def unit_fills(plan: Plan) -> dict[str, str]:
    """For the places of ``26_units.sql``."""
    told = [
        f"SELECT '{feed}' AS feed, code, min(name) AS name, max(name) AS other_name, township, count(*) AS rows\n"
        f"FROM (SELECT credit_code AS code, name, township FROM {feed} UNION ALL "
        f"SELECT {_OLD} AS code, name, township FROM {feed}_doubtful)\n"
        f"GROUP BY code, township, CASE WHEN length(code) = 18 THEN NULL ELSE name END"
        for feed in unit_feeds(plan)
    ] + [
        f"SELECT '{feed}' AS feed, employer_code AS code, min(employer_name) AS name, max(employer_name) AS other_name, "
        f"NULL AS township, count(*) AS rows\n"
        f"FROM {feed} GROUP BY employer_code, CASE WHEN length(employer_code) = 18 THEN NULL ELSE employer_name END"
        for feed in naming_feeds(plan)
    ]
    return {"unit_feeds": literals(unit_feeds(plan)),
            "core": core_sql(plan), "told": "\nUNION ALL\n".join(told), "core_at_least": str(policy().core_at_least)}


def employer_fills(plan: Plan) -> dict[str, str]:
    """For the place of ``45_employers.sql``: the views ``of_<feed>``, whose rows carry their employer as ``unit``."""
    units = [f"""
CREATE VIEW of_{feed} AS
SELECT x.*, coalesce(CASE WHEN length(x.code) = 18 THEN x.code END, k.credit_code) AS unit
FROM (SELECT *, credit_code AS code FROM {feed} UNION ALL BY NAME SELECT *, {_OLD} AS code FROM {feed}_doubtful) x
LEFT JOIN unit_keys k ON k.feed = '{feed}' AND coalesce(length(x.code), 0) <> 18 AND k.code IS NOT DISTINCT FROM x.code
     AND k.name IS NOT DISTINCT FROM x.name AND k.township IS NOT DISTINCT FROM x.township;""" for feed in unit_feeds(plan)]
    employees = [f"""
CREATE VIEW of_{feed} AS
SELECT *, employer_code AS unit FROM {feed} WHERE length(employer_code) = 18
UNION ALL BY NAME
SELECT f.*, k.credit_code AS unit
FROM {feed} f JOIN unit_keys k ON k.feed = '{feed}' AND k.code IS NOT DISTINCT FROM f.employer_code
     AND k.name IS NOT DISTINCT FROM f.employer_name
WHERE coalesce(length(f.employer_code), 0) <> 18 AND k.credit_code IS NOT NULL;"""
                 for feed in naming_feeds(plan)]
    fills = {"rows_with_their_employer": "\n".join(units + employees)}
    paying = [scheme for scheme in schemes(plan.contracts) if scheme in naming_feeds(plan)]
    fills["insured_through"] = "\n          UNION ALL ".join(f"SELECT unit FROM of_{scheme} WHERE status = 'active'" for scheme in paying)
    for subject in ("employer", "project"):
        fills |= {f"{subject}_{name}": sql for name, sql in added_columns(plan.contracts, subject).items()}
    return fills
