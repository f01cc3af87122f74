"""Which employer a row belongs to: by code, by old number, by name and place; where two could be meant, nobody guesses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from comparison.database import script
from comparison.registers import common_sql
from comparison.units import core_sql, employer_fills, feeds, unit_feeds, unit_fills
from models.plan_file import find, read

PLAN = read(find("chengjiang-2021")).plan
A, B, C = "91530422MA6K5TQJ3R", "91530422MA6N8WXC7K", "92530422MA6P2LHD9F"


class Registers:
    """Empty registers, filled row by row; ``run`` compares them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        connection.execute("SET VARIABLE period = '2021-05'; SET VARIABLE period_end = DATE '2021-05-31'; "
                           "SET VARIABLE campaign_starts = DATE '2021-03-18'")
        connection.execute(common_sql())
        self.rows = 0
        for feed in feeds(PLAN):
            connection.execute(f"CREATE TABLE {feed} AS FROM feed.{feed}; CREATE TABLE {feed}_doubtful AS FROM feed.{feed}")

    def add(self, register: str, **columns: Any) -> None:
        """One row."""
        self.rows += 1
        columns |= {"file": 0, "row_number": self.rows, "member": 1}
        self.connection.execute(f"INSERT INTO {register} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                                list(columns.values()))

    def employer(self, code: str, name: str, township: str = "fenglu", **columns: Any) -> None:
        """One row of market supervision's register."""
        self.add("employers", **{"credit_code": code, "name": name, "township": township, "kind": "enterprise",
                                 "status": "operating", **columns})

    def insured(self, person: str, code: str | None, name: str | None, register: str = "employee_pension") -> None:
        """One insured person of an employer."""
        self.add(register, id_number=person, name="甲", employer_code=code, employer_name=name,
                 **({} if register == "employment" else {"status": "active"}))

    def run(self) -> Registers:
        """Compares."""
        self.connection.execute(script("26_units", unit_fills(PLAN)))
        self.connection.execute(script("45_employers", employer_fills(PLAN)))
        return self

    def asked(self, sql: str) -> Any:
        """All rows of a query."""
        return self.connection.execute(sql).fetchall()

    def tiers(self, feed: str) -> dict[str, int]:
        """Rows of a feed by tier."""
        return dict(self.asked(f"SELECT tier, sum(rows)::INT FROM unit_keys WHERE feed = '{feed}' GROUP BY tier"))

    def persons(self) -> dict[str, int]:
        """Persons insured through each employer."""
        return dict(self.asked("SELECT credit_code, pension_insured_persons FROM employer_profile"))


@pytest.fixture
def registers() -> Iterator[Registers]:
    with duckdb.connect() as connection:
        yield Registers(connection)


@pytest.mark.parametrize(("one", "other", "is_same"), [
    ("澄江宏达商贸有限公司", "澄江市宏达商贸有限责任公司", True),
    ("云南省澄江县宏达商贸有限公司", "宏达商贸有限公司", True),
    ("澄江宏达（集团）商贸有限公司", "澄江宏达(集团)商贸有限公司", True),
    ("ＡＢ商贸 有限公司", "AB商贸有限公司", True),
    ("宏达商贸股份有限公司", "宏达商贸有限公司", True),
    ("宏达商贸有限公司", "宏达商贸有限公司澄江分公司", False),
    ("宏达商贸有限公司", "宏远商贸有限公司", False),
])
def test_the_core_of_a_name_leaves_off_place_brackets_width_and_form(one: str, other: str, is_same: bool) -> None:
    with duckdb.connect() as connection:
        cores = {connection.execute(f"SELECT {core_sql(PLAN)} FROM (SELECT ? AS name)", [name]).fetchall()[0][0] for name in (one, other)}
    assert (len(cores) == 1) is is_same


def test_a_row_without_a_code_belongs_to_the_one_employer_of_that_name(registers: Registers) -> None:
    registers.employer(A, "澄江宏达商贸有限公司")
    registers.employer(B, "澄江宏远商贸有限公司")
    registers.insured("1", A, "澄江宏达商贸有限公司")
    registers.insured("2", None, "宏达商贸有限责任公司")
    registers.insured("3", None, "从未登记商贸有限公司")
    registers.insured("4", None, None)
    registers.run()
    assert registers.persons() == {A: 2, B: 0}
    assert registers.tiers("employee_pension") == {"exact": 1, "name": 1, "unlinked": 1, "no_employer": 1}


def test_two_employers_of_one_name_wait_for_a_person_unless_the_township_tells_them_apart(registers: Registers) -> None:
    registers.employer(A, "宏达餐馆", "fenglu")
    registers.employer(B, "宏达餐馆", "haikou")
    registers.insured("1", None, "宏达餐馆")
    registers.add("tax_units_doubtful", id_given="530422600012345", name="宏达餐馆", township="haikou", last_taxed_month="2021-05")
    registers.run()
    assert registers.persons() == {A: 0, B: 0}
    assert registers.tiers("employee_pension") == {"review": 1}
    assert registers.tiers("tax_units") == {"name": 1}
    assert registers.asked("SELECT credit_code FROM employer_profile WHERE is_taxed") == [(B,)]


def test_an_old_tax_number_holds_the_letters_of_the_credit_code(registers: Registers) -> None:
    registers.employer(A, "宏达商贸有限公司")
    registers.add("tax_units_doubtful", id_given=A[2:17], name="早已改名的公司", last_taxed_month="2021-05", township="fenglu")
    registers.run()
    assert registers.tiers("tax_units") == {"old_number": 1}


def test_a_renamed_employer_is_found_under_its_old_name(registers: Registers) -> None:
    registers.employer(A, "澄江新名商贸有限公司")
    registers.insured("1", A, "澄江旧名商贸有限公司", "work_injury")
    registers.insured("2", None, "旧名商贸有限公司")
    assert registers.run().persons() == {A: 1}


def test_two_old_numbers_of_one_name_are_not_both_the_same_employer(registers: Registers) -> None:
    registers.employer(A, "宏达商贸有限公司")
    for number in ("530422600012345", "530422600054321"):
        registers.add("tax_units_doubtful", id_given=number, name="宏达商贸有限公司", last_taxed_month="2021-05")
    assert registers.run().tiers("tax_units") == {"review": 2}


def test_a_second_row_in_a_register_of_employers_is_never_merged_by_name(registers: Registers) -> None:
    registers.employer(A, "宏达商贸有限公司")
    registers.add("tax_units", credit_code=A, name="宏达商贸有限公司", last_taxed_month="2021-05")
    registers.add("tax_units_doubtful", id_given="530422600012345", name="宏达商贸有限公司", last_taxed_month="2021-01")
    assert registers.run().tiers("tax_units") == {"exact": 1, "review": 1}


def test_an_employer_known_by_its_old_number_only_is_one_all_the_same(registers: Registers) -> None:
    registers.add("employers_doubtful", id_given="530422600012345", name="老字号商行", status="operating", township="fenglu",
                  kind="individual")
    registers.insured("1", "530422600012345", "老字号商行")
    registers.run()
    assert registers.persons() == {"530422600012345": 1}


def test_a_code_that_fails_its_check_is_no_employer(registers: Registers) -> None:
    registers.employer(A, "宏达商贸有限公司")
    registers.add("tax_units_doubtful", id_given="91530422MA6K5TQJ33", name="别家商贸有限公司", last_taxed_month="2021-05")
    registers.run()
    assert set(registers.persons()) == {A}
    assert registers.tiers("tax_units") == {"unlinked": 1}


def test_every_row_that_names_an_employer_is_accounted_for(registers: Registers) -> None:
    registers.employer(A, "宏达商贸有限公司")
    registers.employer(C, "小张餐馆", kind="individual")
    for feed in unit_feeds(PLAN)[1:]:
        registers.add(feed, credit_code=C, name="小张餐馆", township="fenglu")
    for number, (code, name) in enumerate([(A, "宏达"), (B, "外地公司"), (None, "小张餐馆"), (None, None)]):
        registers.insured(str(number), code, name, "employment")
    registers.run()
    counted = sum(registers.asked("SELECT sum(rows)::INT FROM unit_keys")[0])
    assert counted == registers.rows
    employed = dict(registers.asked("SELECT credit_code, employed_persons FROM employer_profile"))
    assert employed == {A: 1, C: 1}


def test_a_trader_who_is_not_in_the_register_is_told_by_the_code(registers: Registers) -> None:
    registers.add("tax_units", credit_code=C, name="小张餐馆", last_taxed_month="2021-05")
    assert registers.run().asked("SELECT kind, is_operating FROM employer_profile") == [("individual", False)]


def test_one_permit_told_by_two_departments_is_one_project(registers: Registers) -> None:
    for permit, insured in (("滇建许（2021）001号", "no"), ("滇建许(2021) 001号", "yes")):
        registers.add("construction_projects", permit_no=permit, name="甲工程", started_on=date(2021, 4, 1),
                      work_injury_insured=insured, department="zhujian")
    registers.run()
    assert registers.asked("SELECT is_new, is_insured FROM project_profile") == [(True, True)]
