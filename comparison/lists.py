"""The plan's lists as SQL over the profile: who is on each, whose it is, and the evidence a clerk can check."""

from __future__ import annotations

import re
from collections.abc import Mapping

from comparison.database import quoted
from comparison.evidence import BETWEEN, evidence_sql
from comparison.expressions import parameters_of, render
from models.plan import FindingList, OwnerCase, Plan
from models.profile import columns
from models.words import SUBJECT_KINDS

WITH_PEOPLE = ("person_id", "name", "village", "address", "phone", "household_no")
"""Columns of the person profile that stay with ``people``: only who is listed gets them, or for whom an indicator asks."""


def _owner(case: OwnerCase, parameters: Mapping[str, int | float], leads: Mapping[str, str]) -> str:
    """WHEN … THEN the organisation that leads in place of the one the case names: never one that has ended."""
    if case.org:
        chosen = quoted(leads[case.org])
    else:
        moved = {code: lead for code, lead in leads.items() if code != lead}
        chosen = str(case.column)
        if moved:
            chosen = (f"CASE {chosen} " + " ".join(f"WHEN {quoted(old)} THEN {quoted(new)}" for old, new in moved.items())
                      + f" ELSE {chosen} END")
    return f"WHEN coalesce({render(case.when, parameters)}, false) THEN {chosen}"


def listed(plan: Plan, subject: str) -> str:
    """Who of a profile stands on any list: the columns that its lists use, and the evidence."""
    items = [item for item in plan.lists if item.subject == subject]
    holds = " OR ".join(f"coalesce({render(item.where, parameters_of(plan))}, false)" for item in items) or "false"
    used = " ".join(finding_select(plan, item, _themselves(plan)) for item in items)
    wanted = [name for name in columns(subject, plan.contracts) if re.search(rf"\b{name}\b", used)] or [SUBJECT_KINDS[subject].key]
    joined = f" JOIN (SELECT person, {', '.join(_joined(plan))} FROM people) USING (person)" if subject == "person" else ""
    return (f"CREATE TABLE listed_{subject} AS SELECT {', '.join(wanted)}, {evidence_sql(plan, subject)} AS evidence "
            f"FROM {subject}_profile{joined} WHERE {holds};")


def indicator_words(plan: Plan) -> set[str]:
    """Every word of what the plan's indicators ask about persons; its columns are among them."""
    asked = [expression for indicator in plan.indicators for measure in (indicator.numerator, indicator.denominator)
             if measure is not None and measure.of == "person"
             for expression in (measure.where, measure.sum, indicator.by) if expression]
    return set(re.findall(r"\w+", " ".join(asked)))


def _joined(plan: Plan) -> list[str]:
    stored = indicator_words(plan)
    return [name for name in WITH_PEOPLE if name not in stored]


def _themselves(plan: Plan) -> dict[str, str]:
    return {org.code: org.code for org in plan.organisations}


def _co_owners(helpers: int) -> str:
    """Who helps, each once, in order, and never who leads. Most lists have one helper, or none: no list is sorted then."""
    if helpers == 0:
        return "helpers"
    if helpers == 1:
        return "CASE WHEN helpers[1] IS NULL OR helpers[1] = owner THEN []::VARCHAR[] ELSE helpers END"
    return "list_sort(list_distinct(list_filter(helpers, lambda x: x IS NOT NULL AND x <> owner)))"


def finding_select(plan: Plan, item: FindingList, leads: Mapping[str, str]) -> str:
    """The SELECT of one list's findings from those listed at all: lead owner, helpers, reason and evidence of each.

    ``leads`` says of every organisation who leads in its place (``rules.ownership.leads_on``). Where the plan's rule names
    nobody (a place that is not known), the owner of last resort leads: no orphan.
    """
    parameters = parameters_of(plan)
    kind = SUBJECT_KINDS[item.subject]
    owner = (
        f"coalesce(CASE {' '.join(_owner(case, parameters, leads) for case in item.owner)} END, "
        f"{quoted(leads[plan.owner_of_last_resort])})"
    )
    helpers = [f"CASE {_owner(case, parameters, leads)} END" for case in item.co_owners]
    person = item.subject == "person"
    besides = evidence_sql(plan, item.subject, item)
    told = "evidence" if besides == "''" else f"concat_ws('{BETWEEN}', nullif(evidence, ''), nullif({besides}, ''))"
    return f"""
SELECT list, subject, subject_kind, id_number, name, category, owner,
       {_co_owners(len(helpers))} AS co_owners,
       township, village, priority, reason, evidence, sex, birth_date, age_years, address, phone, employer_code,
       employer_name
FROM (
    SELECT {quoted(item.id)} AS list, {kind.key} AS subject, {quoted(item.subject)} AS subject_kind,
           {kind.number} AS id_number, name, {'category' if person else 'NULL::VARCHAR'} AS category,
           {owner} AS owner, [{', '.join(helpers)}]::VARCHAR[] AS helpers, township,
           {'village' if person else 'NULL::VARCHAR'} AS village, {item.priority} AS priority,
           {quoted(item.reason)} AS reason, {told} AS evidence,
           {'sex' if person else 'NULL::VARCHAR'} AS sex, {'birth_date' if person else 'NULL::DATE'} AS birth_date,
           {'age_years' if person else 'NULL::BIGINT'} AS age_years,
           {'NULL::VARCHAR' if item.subject == 'project' else 'address'} AS address,
           {'NULL::VARCHAR' if item.subject == 'project' else 'phone'} AS phone,
           {'credit_code' if item.subject == 'employer' else 'employer_code'} AS employer_code,
           {'name' if item.subject == 'employer' else 'employer_name'} AS employer_name
    FROM listed_{item.subject}
    WHERE coalesce({render(item.where, parameters)}, false)
)"""
