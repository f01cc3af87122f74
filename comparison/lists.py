"""The plan's lists as SQL over the profile: who is on each, whose it is, and the evidence a clerk can check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from comparison.database import quoted
from comparison.expressions import parameters_of, render
from models.plan import FindingList, OwnerCase, Plan
from models.profile import SCHEMES
from rules.deadlines import carrier

STATUS_WORDS = {"active": "正常缴费", "suspended": "暂停缴费", "terminated": "终止缴费"}
SUBJECT_KEYS = {
    "person": ("person_id", "id_number"),
    "employer": ("employer_id", "credit_code"),
    "project": ("project_id", "permit_no"),
}


def _owner(case: OwnerCase, parameters: Mapping[str, int | float], heirs: Mapping[str, str]) -> str:
    chosen = quoted(heirs.get(case.org, case.org)) if case.org else str(case.column)
    if case.column and heirs:
        chosen = (f"CASE {chosen} " + " ".join(f"WHEN {quoted(old)} THEN {quoted(new)}" for old, new in heirs.items())
                  + f" ELSE {chosen} END")
    return f"WHEN coalesce({render(case.when, parameters)}, false) THEN {chosen}"


def _evidence(plan: Plan, subject: str) -> str:
    """A sentence a clerk can check: which register says what. Only registers this plan receives are quoted."""
    names = {feed.feed: feed.name for feed in plan.feeds}
    words = "CASE {column} " + " ".join(f"WHEN '{key}' THEN '{word}'" for key, word in STATUS_WORDS.items()) + " END"
    if subject == "person":
        parts = [
            f"CASE WHEN is_deceased THEN {quoted(names.get('deaths', '死亡登记') + '：')} || coalesce(death_date::VARCHAR, '有记录') END",
            f"CASE WHEN is_student THEN {quoted(names.get('students', '在校学生') + '：')} || coalesce(school, '在校') END",
            f"CASE WHEN is_employed THEN {quoted(names.get('employment', '就业登记') + '：')} || coalesce(employer_name, '') END",
        ]
        for scheme in SCHEMES:
            if scheme in names:
                parts.append(
                    f"CASE WHEN {scheme}_status IS NOT NULL THEN {quoted(names[scheme] + '：')} || "
                    f"{words.format(column=scheme + '_status')} || "
                    f"coalesce('（缴至' || {scheme}_last_paid || '）', '') END"
                )
        parts.append("CASE WHEN NOT any_pension_enrolled THEN '各养老保险均无有效登记' END")
        parts.append("CASE WHEN is_drawing_benefit THEN '养老待遇：发放中' END")
    elif subject == "employer":
        parts = [
            "CASE WHEN is_operating THEN '市场主体登记：在业' WHEN status IS NOT NULL THEN '市场主体登记：' || status END",
            "CASE WHEN is_taxed THEN '税务登记：缴至' || coalesce(last_taxed_month, '不详') || '，代扣代缴' || "
            "coalesce(withholding_employees, 0) || '人' END",
            "CASE WHEN employed_persons > 0 THEN '就业登记：' || employed_persons || '人' END",
            "'养老参保' || pension_insured_persons || '人，工伤参保' || work_injury_insured_persons || '人'",
            "CASE WHEN is_dust_hazard THEN '尘肺病重点企业：接尘' || coalesce(exposed_workers, 0) || '人' END",
        ]
    else:
        parts = [
            "'施工许可：' || permit_no", "'开工：' || coalesce(started_on::VARCHAR, '不详')",
            "CASE WHEN is_insured THEN '工伤保险：已按项目参保' ELSE '工伤保险：未按项目参保' END",
        ]
    return f"concat_ws('；', {', '.join(parts)})"


def heirs_on(plan: Plan, day: date) -> dict[str, str]:
    """Units whose duties somebody else carries on a day: their findings are the successor's (C24, B36)."""
    carriers = {org.code: carrier(plan, org.code, day) for org in plan.organisations}
    return {code: heir for code, heir in carriers.items() if heir != code}


def finding_select(plan: Plan, item: FindingList, heirs: Mapping[str, str]) -> str:
    """The SELECT of one list's findings: lead owner, helpers, reason and evidence of each subject it holds."""
    parameters = parameters_of(plan)
    key, number = SUBJECT_KEYS[item.subject]
    owner = (
        f"coalesce(CASE {' '.join(_owner(case, parameters, heirs) for case in item.owner)} END, "
        f"{quoted(heirs.get(plan.owner_of_last_resort, plan.owner_of_last_resort))})"
    )
    helpers = ", ".join(f"CASE {_owner(case, parameters, heirs)} END" for case in item.co_owners) or "NULL"
    person = item.subject == "person"
    return f"""
SELECT list, subject, subject_kind, id_number, name, category, owner,
       list_sort(list_distinct(list_filter(helpers, lambda x: x IS NOT NULL AND x <> owner))) AS co_owners,
       township, village, priority, reason, evidence, sex, birth_date, age_years, address, phone, employer_code,
       employer_name
FROM (
    SELECT {quoted(item.id)} AS list, {key} AS subject, {quoted(item.subject)} AS subject_kind,
           {number} AS id_number, name, {'category' if person else 'NULL::VARCHAR'} AS category,
           {owner} AS owner, [{helpers}]::VARCHAR[] AS helpers, township,
           {'village' if person else 'NULL::VARCHAR'} AS village, {item.priority} AS priority,
           {quoted(item.reason)} AS reason, {_evidence(plan, item.subject)} AS evidence,
           {'sex' if person else 'NULL::VARCHAR'} AS sex, {'birth_date' if person else 'NULL::DATE'} AS birth_date,
           {'age_years' if person else 'NULL::BIGINT'} AS age_years,
           {'NULL::VARCHAR' if item.subject == 'project' else 'address'} AS address,
           {'NULL::VARCHAR' if item.subject == 'project' else 'phone'} AS phone,
           {'credit_code' if item.subject == 'employer' else 'employer_code'} AS employer_code,
           {'name' if item.subject == 'employer' else 'employer_name'} AS employer_name
    FROM {item.subject}_profile
    WHERE coalesce({render(item.where, parameters)}, false)
)"""
