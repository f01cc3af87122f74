"""The engine that runs the comparison's SQL files in order over Parquet snapshots.

Pure data in, files out: no database, no clock. A run reads accepted snapshots, leaves profile, links and findings as
Parquet in its folder, and answers with counts only. A run whose categories do not add up to the population raises.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from comparison.expressions import render
from models.errors import RunDoesNotBalance, StorageUnavailable
from models.plan import FindingList, Measure, OwnerCase, Plan
from models.profile import SCHEMES
from rules.deadlines import carrier

SQL = Path(__file__).parent / "sql"
PERSON_REGISTERS = (
    "deaths", "students", "hardship", "poverty", "disability", "employment", *SCHEMES, "benefits", "cards",
)
STATUS_WORDS = {"active": "正常缴费", "suspended": "暂停缴费", "terminated": "终止缴费"}
SUBJECT_KEYS = {
    "person": ("person_id", "id_number"),
    "employer": ("employer_id", "credit_code"),
    "project": ("project_id", "permit_no"),
}
STAGES = ("10_people", "20_links", "30_registers", "40_profile", "45_employers", "60_findings", "70_balance")


@dataclass(frozen=True)
class Outcome:
    """What a run found, in counts: safe to log, to show and to store."""

    period: str
    folder: Path
    persons: int
    unbalanced: int
    register_rows: int
    categories: tuple[tuple[str, str, int], ...]
    """(township or '', category, persons)"""
    links: tuple[tuple[str, str, int], ...]
    """(feed, tier, rows)"""
    lists: tuple[tuple[str, str, int], ...]
    """(list, owner, findings)"""
    content_sha256: str


@dataclass(frozen=True)
class Figure:
    """One indicator for one organisation: value = numerator / denominator (x 100 for percent), or the numerator."""

    indicator: str
    organisation: str
    numerator: float | None
    denominator: float | None
    value: float | None


def period_end(period: str) -> date:
    """The last day of a month label."""
    year, month = map(int, period.split("-"))
    return date(year, month, monthrange(year, month)[1])


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def connect(work: Path | None = None, *, memory_gb: int = 4, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A private in-memory DuckDB with bounded memory that spills to ``work``."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{memory_gb}GB'")
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    if work is not None:
        connection.execute(f"SET temp_directory = {_quoted(work)}")
    return connection


def _script(name: str, fill: Mapping[str, str] | None = None) -> str:
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    for marker, replacement in (fill or {}).items():
        text = text.replace("{{" + marker + "}}", replacement)
    return text


def _open_feeds(connection: duckdb.DuckDBPyConnection, inputs: Mapping[str, Sequence[Path]]) -> None:
    """Typed views over the accepted snapshots; a feed that did not come is an empty table of the same shape."""
    connection.execute(_script("00_feeds"))
    names = [row[0] for row in connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'feed'").fetchall()]
    for feed in names:
        union = f"FROM feed.{feed}"
        if paths := inputs.get(feed):
            files = ", ".join(_quoted(path) for path in paths)
            union += f" UNION ALL BY NAME FROM read_parquet([{files}], union_by_name = true)"
        connection.execute(f"CREATE VIEW {feed} AS {union}")


def _said(scheme: str) -> str:
    extra = ", r.tier_yuan, r.paid_yuan, r.ended_on, r.end_reason" if scheme == "resident_pension" else ""
    return f"""
CREATE TABLE said_{scheme} AS
SELECT l.person_id, r.status, r.enrolled_on, r.last_paid_month{extra}
FROM {scheme} r JOIN links l ON l.feed = '{scheme}' AND l.row_number = r.row_number AND l.source_file = r.source_file
WHERE l.person_id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY l.person_id ORDER BY strength(r.status), r.last_paid_month DESC NULLS LAST, r.enrolled_on) = 1;"""


def _scheme_columns(scheme: str) -> str:
    alias = "rp" if scheme == "resident_pension" else scheme
    return (
        f"{alias}.status AS {scheme}_status, coalesce({alias}.status = 'active', false) AS {scheme}_active, "
        f"{alias}.enrolled_on AS {scheme}_enrolled_on, {alias}.last_paid_month AS {scheme}_last_paid, "
        f"CASE WHEN {alias}.last_paid_month IS NULL THEN NULL "
        f"ELSE months_between({alias}.last_paid_month, getvariable('period')) END AS {scheme}_months_unpaid"
    )


def _scheme_join(scheme: str) -> str:
    alias = "rp" if scheme == "resident_pension" else scheme
    return f"LEFT JOIN said_{scheme} {alias} ON {alias}.person_id = p.person_id"


def _parameters(plan: Plan) -> dict[str, int | float]:
    return {name: parameter.value for name, parameter in plan.parameters.items()}


def _category_cases(plan: Plan) -> str:
    return "\n            ".join(
        f"WHEN coalesce({render(category.where, _parameters(plan))}, false) THEN {_quoted(category.id)}"
        for category in plan.categories
    )


def _owner(case: OwnerCase, parameters: Mapping[str, int | float], heirs: Mapping[str, str]) -> str:
    chosen = _quoted(heirs.get(case.org, case.org)) if case.org else str(case.column)
    if case.column and heirs:
        chosen = (f"CASE {chosen} " + " ".join(f"WHEN {_quoted(old)} THEN {_quoted(new)}" for old, new in heirs.items())
                  + f" ELSE {chosen} END")
    return f"WHEN coalesce({render(case.when, parameters)}, false) THEN {chosen}"


def _evidence(plan: Plan, subject: str) -> str:
    """A sentence a clerk can check: which register says what. Only registers this plan receives are quoted."""
    names = {feed.feed: feed.name for feed in plan.feeds}
    words = "CASE {column} " + " ".join(f"WHEN '{key}' THEN '{word}'" for key, word in STATUS_WORDS.items()) + " END"
    if subject == "person":
        parts = [
            f"CASE WHEN is_deceased THEN {_quoted(names.get('deaths', '死亡登记') + '：')} || coalesce(death_date::VARCHAR, '有记录') END",
            f"CASE WHEN is_student THEN {_quoted(names.get('students', '在校学生') + '：')} || coalesce(school, '在校') END",
            f"CASE WHEN is_employed THEN {_quoted(names.get('employment', '就业登记') + '：')} || coalesce(employer_name, '') END",
        ]
        for scheme in SCHEMES:
            if scheme in names:
                parts.append(
                    f"CASE WHEN {scheme}_status IS NOT NULL THEN {_quoted(names[scheme] + '：')} || "
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


def _heirs(plan: Plan, day: date) -> dict[str, str]:
    """Units whose duties somebody else carries on a day: their findings are the successor's (C24, B36)."""
    carriers = {org.code: carrier(plan, org.code, day) for org in plan.organisations}
    return {code: heir for code, heir in carriers.items() if heir != code}


def _finding_select(plan: Plan, item: FindingList, heirs: Mapping[str, str]) -> str:
    parameters = _parameters(plan)
    key, number = SUBJECT_KEYS[item.subject]
    owner = (
        f"coalesce(CASE {' '.join(_owner(case, parameters, heirs) for case in item.owner)} END, "
        f"{_quoted(heirs.get(plan.owner_of_last_resort, plan.owner_of_last_resort))})"
    )
    helpers = ", ".join(f"CASE {_owner(case, parameters, heirs)} END" for case in item.co_owners) or "NULL"
    person = item.subject == "person"
    return f"""
SELECT list, subject, subject_kind, id_number, name, category, owner,
       list_sort(list_distinct(list_filter(helpers, lambda x: x IS NOT NULL AND x <> owner))) AS co_owners,
       township, village, priority, reason, evidence, sex, birth_date, age_years, address, phone, employer_code,
       employer_name
FROM (
    SELECT {_quoted(item.id)} AS list, {key} AS subject, {_quoted(item.subject)} AS subject_kind,
           {number} AS id_number, name, {'category' if person else 'NULL::VARCHAR'} AS category,
           {owner} AS owner, [{helpers}]::VARCHAR[] AS helpers, township,
           {'village' if person else 'NULL::VARCHAR'} AS village, {item.priority} AS priority,
           {_quoted(item.reason)} AS reason, {_evidence(plan, item.subject)} AS evidence,
           {'sex' if person else 'NULL::VARCHAR'} AS sex, {'birth_date' if person else 'NULL::DATE'} AS birth_date,
           {'age_years' if person else 'NULL::BIGINT'} AS age_years,
           {'NULL::VARCHAR' if item.subject == 'project' else 'address'} AS address,
           {'NULL::VARCHAR' if item.subject == 'project' else 'phone'} AS phone,
           {'credit_code' if item.subject == 'employer' else 'employer_code'} AS employer_code,
           {'name' if item.subject == 'employer' else 'employer_name'} AS employer_name
    FROM {item.subject}_profile
    WHERE coalesce({render(item.where, parameters)}, false)
)"""


def _fills(plan: Plan, period: str) -> dict[str, str]:
    heirs = _heirs(plan, period_end(period))
    links = "\n    UNION ALL\n    ".join(
        f"SELECT '{feed}' AS feed, row_number, source_file, id_number, name FROM {feed}" for feed in PERSON_REGISTERS
    )
    return {
        "register_rows": links,
        "said_schemes": "\n".join(_said(scheme) for scheme in SCHEMES),
        "scheme_columns": ",\n           ".join(_scheme_columns(scheme) for scheme in SCHEMES),
        "scheme_joins": "\n    ".join(_scheme_join(scheme) for scheme in SCHEMES),
        "category_cases": _category_cases(plan),
        "findings": "\nUNION ALL".join(_finding_select(plan, item, heirs) for item in plan.lists),
    }


def _execute(connection: duckdb.DuckDBPyConnection, stage: str, sql: str) -> None:
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        # A DuckDB message may quote a cell: keep only its kind and the part that names columns.
        known = re.search(r'(Referenced column "[^"]+" not found|Table with name \S+ does not exist)', str(error))
        raise RunDoesNotBalance(
            f"stage {stage} failed: {type(error).__name__}{': ' + known.group(1) if known else ''}.",
            where="comparison", cure="Check the snapshots' columns against the contracts, then run it again.",
        ) from None


def compare(
    plan: Plan, period: str, inputs: Mapping[str, Sequence[Path]], folder: Path,
    *, on_stage: Callable[[str, float], None] | None = None,
) -> Outcome:
    """One comparison of a period's accepted snapshots.

    Leaves ``person_profile``, ``employer_profile``, ``project_profile``, ``links`` and ``findings`` as Parquet in
    ``folder`` (made anew: a half-written earlier attempt is replaced). Raises RunDoesNotBalance when a person has no
    category, the sum differs from the population, or a guard trips; StorageUnavailable when the folder cannot be
    written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(folder)) from None
    with connect(folder / "spill") as connection:
        connection.execute("SET VARIABLE period = ?", [period])
        connection.execute("SET VARIABLE period_end = ?::DATE", [period_end(period)])
        connection.execute("SET VARIABLE campaign_starts = ?::DATE", [plan.starts])
        _open_feeds(connection, inputs)
        fills = _fills(plan, period)
        for position, stage in enumerate(STAGES):
            _execute(connection, stage, _script(stage, fills))
            if on_stage:
                on_stage(stage, (position + 1) / len(STAGES))
        outcome = _outcome(connection, period, folder)
        _refuse_runaways(plan, outcome)
        for table in ("person_profile", "employer_profile", "project_profile", "links", "findings"):
            connection.execute(
                f"COPY {table} TO {_quoted(folder / f'{table}.parquet')} (FORMAT parquet, COMPRESSION snappy)")
    return outcome


def _outcome(connection: duckdb.DuckDBPyConnection, period: str, folder: Path) -> Outcome:
    rows = lambda sql: tuple(connection.execute(sql).fetchall())  # noqa: E731
    persons, unbalanced, register_rows = rows("FROM balance")[0]
    digest = rows(
        "SELECT sha256(coalesce(string_agg(list || '|' || subject || '|' || owner, chr(10) "
        "ORDER BY list, subject), '')) FROM findings")[0][0]
    return Outcome(
        period=period, folder=folder, persons=persons, unbalanced=int(unbalanced), register_rows=int(register_rows),
        categories=rows("FROM category_counts ORDER BY ALL"), links=rows("FROM link_counts ORDER BY ALL"),
        lists=rows("FROM list_counts ORDER BY ALL"), content_sha256=digest,
    )


def _refuse_runaways(plan: Plan, outcome: Outcome) -> None:
    if outcome.persons == 0:
        raise RunDoesNotBalance(
            "the population is empty.", where=f"{plan.id} {outcome.period}",
            cure="Take in the population feed of this period first.")
    if outcome.unbalanced:
        raise RunDoesNotBalance(
            f"categories and population differ by {outcome.unbalanced} persons.",
            where=f"{plan.id} {outcome.period}", cure="Nothing was replaced; check the plan's categories.")
    by_list: dict[str, int] = {}
    for name, _, findings in outcome.lists:
        by_list[name] = by_list.get(name, 0) + findings
    for guard in plan.guards:
        share = by_list.get(guard.list, 0) / outcome.persons
        if share > guard.max_share_of_population:
            raise RunDoesNotBalance(
                f"list {guard.list} holds {share:.1%} of the population; the plan allows "
                f"{guard.max_share_of_population:.1%}.", where=f"{plan.id} {outcome.period}",
                cure="A register is probably incomplete: check the deliveries' row counts, then run it again.")


def _measure_sql(measure: Measure, by: str, parameters: Mapping[str, int | float]) -> str:
    value = f"sum({render(measure.sum, parameters)})" if measure.sum else "count(*)"
    where = render(measure.where or "true", parameters)
    return (
        f"SELECT {by} AS organisation, grouping({by}) = 1 AS is_whole, ({value})::DOUBLE AS value "
        f"FROM {measure.of}_profile WHERE coalesce({where}, false) GROUP BY ROLLUP ({by})"
    )


def _by_organisation(
    connection: duckdb.DuckDBPyConnection, measure: Measure, by: str, plan: Plan
) -> dict[str, float]:
    """Figures per organisation; units above a township get the sum of theirs, the region gets everybody, the
    unassigned included."""
    result: dict[str, float] = {}
    parents = {org.code: org.parent for org in plan.organisations}
    for code, is_whole, value in connection.execute(_measure_sql(measure, by, _parameters(plan))).fetchall():
        if is_whole:
            result[plan.region_organisation] = value or 0.0
            continue
        while code and code != plan.region_organisation:
            result[code] = result.get(code, 0.0) + (value or 0.0)
            code = parents.get(code)
    return result


def figures(plan: Plan, period: str, folder: Path, statistics: Sequence[Path] = ()) -> list[Figure]:
    """Every indicator of the plan, per organisation of its breakdown and for the region as a whole.

    The region as a whole is counted, never summed from rounded parts. A denominator of zero gives no value: blank is
    never zero.
    """
    result: list[Figure] = []
    with connect() as connection:
        for subject in ("person", "employer", "project"):
            connection.execute(
                f"CREATE VIEW {subject}_profile AS FROM read_parquet({_quoted(folder / f'{subject}_profile.parquet')})")
        published = _published(connection, statistics)
        for indicator in plan.indicators:
            parts: list[dict[str, float] | None] = []
            for measure in (indicator.numerator, indicator.denominator):
                if measure is None:
                    parts.append(None)
                elif measure.statistic:
                    parts.append({org: value for (name, org), value in published.items() if name == measure.statistic})
                else:
                    parts.append(_by_organisation(connection, measure, indicator.by, plan))
            numerators, denominators = parts
            assert numerators is not None
            codes = sorted(set(numerators) | set(denominators or ()))
            for code in codes:
                top = numerators.get(code, 0.0)
                bottom = None if denominators is None else denominators.get(code)
                result.append(Figure(indicator.id, code, top, bottom, _value(indicator.unit, top, bottom, denominators)))
    return result


def _value(unit: str, top: float | None, bottom: float | None, denominators: object) -> float | None:
    if denominators is None:
        return top
    if not bottom or top is None:
        return None
    return top / bottom * (100 if unit == "percent" else 1)


def _published(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[tuple[str, str], float]:
    if not paths:
        return {}
    files = ", ".join(_quoted(path) for path in paths)
    rows = connection.execute(
        f"SELECT indicator, region, arg_max(value, year) FROM read_parquet([{files}], union_by_name = true) GROUP BY ALL"
    ).fetchall()
    return {(indicator, region): value for indicator, region, value in rows}


def export_for_record(plan: Plan, folder: Path) -> tuple[Path, Path]:
    """Two CSV files for PostgreSQL's COPY: the findings, and the subjects that left the scope (dead, moved away).

    The caller deletes them: they hold persons.
    """
    current, gone = folder / "findings.csv", folder / "gone.csv"
    out_of_scope = ", ".join(_quoted(category.id) for category in plan.categories if not category.in_scope) or "''"
    with connect() as connection:
        connection.execute(f"""
            COPY (SELECT list, subject, subject_kind, id_number, name, category, owner,
                         '{{' || array_to_string(co_owners, ',') || '}}', priority, reason, evidence
                  FROM read_parquet({_quoted(folder / 'findings.parquet')}))
            TO {_quoted(current)} (FORMAT csv, HEADER false)""")
        connection.execute(f"""
            COPY (SELECT person_id FROM read_parquet({_quoted(folder / 'person_profile.parquet')})
                  WHERE category IN ({out_of_scope}))
            TO {_quoted(gone)} (FORMAT csv, HEADER false)""")
    for path in (current, gone):
        path.chmod(0o600)
    return current, gone


def details(folder: Path, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, object]]:
    """What rosters print beside the ``wanted`` findings, by (list, subject): age, sex, village, address, phone,
    employer."""
    with connect() as connection:
        connection.register("wanted", pa.table({"list": [entry[0] for entry in wanted],
                                                "subject": [entry[1] for entry in wanted]}))
        cursor = connection.execute(
            f"SELECT list, subject, sex, age_years, township, village, address, phone, employer_code, employer_name "
            f"FROM read_parquet({_quoted(folder / 'findings.parquet')}) SEMI JOIN wanted USING (list, subject)")
        names = [column[0] for column in cursor.description]
        return {(row[0], row[1]): dict(zip(names[2:], row[2:], strict=True)) for row in cursor.fetchall()}


def links_of(folder: Path) -> list[tuple[object, ...]]:
    """feed, row_number, id_number, name, person_id, tier, score of every register row of a run."""
    with connect() as connection:
        return connection.execute(
            f"SELECT feed, row_number, id_number, name, person_id, tier, score "
            f"FROM read_parquet({_quoted(folder / 'links.parquet')}) ORDER BY feed, source_file, row_number").fetchall()
