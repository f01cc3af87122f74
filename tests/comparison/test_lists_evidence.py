"""The lists of a plan as SQL: an owner on every row, and evidence that names the register, the fact and the date."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from comparison.evidence import dated, evidence_sql, sentences
from comparison.lists import WITH_PEOPLE, finding_select, listed
from models.plan import Plan
from models.plan_file import find, read
from models.profile import SUBJECTS
from rules.ownership import leads_on

CAMPAIGNS = ("bozhou-2018", "chengjiang-2021", "district-registration", "lianyungang-2016")


def _plan(campaign: str) -> Plan:
    return read(find(campaign)).plan


def _profiles(connection: duckdb.DuckDBPyConnection, **of_person: object) -> None:
    """Empty profiles of every subject; one person of whom the given columns are known."""
    for subject, documented in SUBJECTS.items():
        kept = [column for column in documented if subject != "person" or column.name not in WITH_PEOPLE]
        columns = ", ".join(f"{column.name} {column.type}" for column in kept)
        connection.execute(f"CREATE TABLE {subject}_profile ({columns})")
    # Names and addresses stay with the people, and are joined to those who are listed.
    connection.execute("ALTER TABLE person_profile ADD COLUMN person BIGINT")
    connection.execute("CREATE TABLE people AS SELECT 1::BIGINT AS person, "
                       + ", ".join(f"?::VARCHAR AS {name}" for name in WITH_PEOPLE), [of_person.get(name) for name in WITH_PEOPLE])
    of_person = {"person": 1, **{name: value for name, value in of_person.items() if name not in WITH_PEOPLE}}
    names = ", ".join(of_person)
    connection.execute(f"INSERT INTO person_profile ({names}) VALUES ({', '.join('?' * len(of_person))})", list(of_person.values()))


def _findings(plan: Plan, day: date, **of_person: object) -> list[dict[str, object]]:
    with duckdb.connect() as connection:
        _profiles(connection, person_id="P1", id_number="1", name="甲", **of_person)
        for subject in SUBJECTS:
            connection.execute(listed(plan, subject))
        sql = " UNION ALL ".join(finding_select(plan, item, leads_on(plan, day)) for item in plan.lists)
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_every_list_of_every_plan_is_sound_sql_over_the_documented_profile(campaign: str) -> None:
    plan = _plan(campaign)
    assert all(row["owner"] for row in _findings(plan, plan.starts))


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_who_lives_nowhere_known_has_the_owner_of_last_resort(campaign: str) -> None:
    plan = _plan(campaign)
    found = _findings(plan, plan.starts, category="uninsured" if campaign != "bozhou-2018" else "uninsured_rural",
                      any_pension_enrolled=False, any_medical_active=False, is_drawing_benefit=False, is_newborn=False,
                      is_permit_holder=False, has_card=False, is_deceased=False, is_gone=False, needs_identity_review=False)
    assert {row["list"] for row in found} >= {"uninsured"}
    assert {row["owner"] for row in found if row["list"] == "uninsured"} == {plan.owner_of_last_resort}
    assert all(row["owner"] for row in found)


def test_a_successor_stands_in_the_place_of_the_unit_the_plan_names() -> None:
    plan = _plan("bozhou-2018")
    newborn = {"category": "uninsured_rural", "is_newborn": True, "township": next(
        org.code for org in plan.organisations if org.kind == "township")}
    for day, helper in ((date(2018, 12, 31), "weiji"), (date(2019, 1, 31), "weijian")):
        row, = (entry for entry in _findings(plan, day, **newborn) if entry["list"] == "newborn_uninsured")
        assert row["co_owners"] == [helper]


def test_the_evidence_says_which_register_says_what() -> None:
    plan = _plan("chengjiang-2021")
    told = {row["list"]: row["evidence"] for row in _findings(
        plan, date(2021, 5, 31), category="interrupted", township="fenglu", is_employed=True, employer_name="甲公司",
        employee_pension_status="suspended", employee_pension_last_paid="2021-01", any_pension_enrolled=True,
        employee_pension_active=False, any_medical_active=True, is_drawing_benefit=False)}
    names = {feed.feed: feed.name for feed in plan.feeds}
    assert told["interrupted"] == (
        f"{names['employment']}：在甲公司就业；{names['employee_pension']}：暂停缴费（缴至2021-01）")


def test_a_list_may_say_more_than_the_others() -> None:
    plan = _plan("chengjiang-2021")
    told = {row["list"]: row["evidence"] for row in _findings(
        plan, date(2021, 5, 31), category="insured_resident", age_years=40, sex="M", is_employed=True, employer_name="甲公司",
        resident_pension_active=True, resident_pension_status="active", resident_pension_last_paid="2021-03",
        resident_pension_tier_yuan=200.0, resident_pension_paid_yuan=200.0, any_pension_enrolled=True,
        is_hardship=False, is_poor=False, is_disabled=False)}
    assert "缴费档次200元，本年已缴200元" in str(told["low_tier_payer"])


def test_the_date_of_a_register_stands_behind_its_name_where_it_is_shown() -> None:
    plan = _plan("chengjiang-2021")
    name = next(feed.name for feed in plan.feeds if feed.feed == "employee_pension")
    text = f"{name}：暂停缴费（缴至2021-01）；各养老保险均无有效登记"
    assert dated(plan, text, {"employee_pension": "2021-05"}) == (
        f"{name}（截至2021-05-31）：暂停缴费（缴至2021-01）；各养老保险均无有效登记")
    assert dated(plan, text, {}) == text


@pytest.mark.parametrize("subject", SUBJECTS)
def test_evidence_asks_only_for_documented_columns(subject: str) -> None:
    plan = _plan("bozhou-2018")
    with duckdb.connect() as connection:
        _profiles(connection, person_id="P1")
        lists = {name for sentence in sentences((), subject) for name in sentence.statement.lists}
        for name in (None, *(plan.lists[0].model_copy(update={"id": name}) for name in sorted(lists))):
            joined = " JOIN people USING (person)" if subject == "person" else ""
            connection.execute(f"SELECT {evidence_sql(plan, subject, name)} FROM {subject}_profile{joined}").fetchall()
