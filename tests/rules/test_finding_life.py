"""How long an excuse holds, and who leads when a unit has ended."""

from __future__ import annotations

from datetime import date

import pytest

from models.errors import WrongUse
from models.plan import Expiry, Plan
from models.plan_file import find, read
from rules.finding_life import FOREVER, excused_until, is_legal
from rules.ownership import leads_on, refuse_dispute, refuse_settlement, replaced_on, standing


@pytest.fixture(scope="module")
def bozhou() -> Plan:
    return read(find("bozhou-2018")).plan


@pytest.mark.parametrize(("expiry", "given_on", "until"), [
    (None, date(2021, 6, 2), FOREVER),
    (Expiry(months=12), date(2021, 6, 2), "2022-06"),
    (Expiry(months=1), date(2021, 12, 31), "2022-01"),
    (Expiry(month_of_year=7), date(2021, 6, 2), "2021-07"),
    (Expiry(month_of_year=7), date(2021, 7, 31), "2021-07"),
    (Expiry(month_of_year=7), date(2021, 8, 1), "2022-07"),
])
def test_an_excuse_holds_as_long_as_its_code_says(expiry: Expiry | None, given_on: date, until: str) -> None:
    assert excused_until(expiry, given_on) == until


def test_what_is_not_in_the_table_is_not_legal() -> None:
    assert is_legal("released", "persisting", "released")
    assert not is_legal("released", "confirmed", "released")
    assert not is_legal("contradicted", "excused", "contradicted")
    assert not is_legal("forgotten", "new", "closed")


def test_a_successor_leads_from_its_first_day(bozhou: Plan) -> None:
    assert "gongshang" not in replaced_on(bozhou, date(2018, 12, 31))
    assert replaced_on(bozhou, date(2019, 1, 1))["gongshang"] == "shichang"


def test_somebody_leads_on_every_day_whatever_organisation_is_named(bozhou: Plan) -> None:
    for day in (date(2018, 9, 12), date(2018, 12, 31), date(2019, 1, 1), date(2020, 12, 31)):
        leads = leads_on(bozhou, day)
        assert set(leads) == {org.code for org in bozhou.organisations}
        assert all(bozhou.organisation(lead).exists_on(day) for lead in leads.values())


def test_where_nobody_took_over_the_owner_of_last_resort_leads(bozhou: Plan) -> None:
    ended = [org.model_copy(update={"succeeds": ()}) for org in bozhou.organisations]
    without = bozhou.model_copy(update={"organisations": tuple(ended)})
    assert leads_on(without, date(2019, 1, 1))["gongshang"] == bozhou.owner_of_last_resort


def test_the_last_file_of_a_provider_that_ended_stands_only_until_its_successor_sends_one(bozhou: Plan) -> None:
    old, new = {"feed": "employers", "provider": "gongshang"}, {"feed": "employers", "provider": "shichang"}
    other = {"feed": "tax_units", "provider": "shuiwu"}
    assert standing(bozhou, date(2018, 12, 31), [old, other]) == [old, other]
    assert standing(bozhou, date(2019, 1, 31), [old, other]) == [old, other]
    assert standing(bozhou, date(2019, 1, 31), [old, new, other]) == [new, other]


FINDING = {"id": 7, "owner": "jiaoyu", "co_owners": ["canlian"]}


@pytest.mark.parametrize(("by", "to", "why"), [
    ("minzheng", "canlian", "neither leads nor helps"),
    ("jiaoyu", "nobody", "does not exist"),
    ("jiaoyu", "gongshang", "does not exist"),
    ("canlian", "jiaoyu", "leads already"),
])
def test_a_dispute_that_can_lead_nowhere_is_refused(bozhou: Plan, by: str, to: str, why: str) -> None:
    with pytest.raises(WrongUse, match=why):
        refuse_dispute(bozhou, date(2019, 6, 1), FINDING, by, to)


def test_no_party_settles_its_own_dispute(bozhou: Plan) -> None:
    dispute = {"id": 1, "raised_by": "canlian", "wanted_owner": "minzheng", "owner_then": "jiaoyu", "settled_at": None}
    for party in ("canlian", "minzheng", "jiaoyu"):
        with pytest.raises(WrongUse, match="is a party"):
            refuse_settlement(bozhou, dispute, party)
    refuse_settlement(bozhou, dispute, "办公室副主任")
