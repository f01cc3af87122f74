"""Deadlines: dates and instants worked out from the clauses, and both sides of every boundary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CanbaoError
from models.plan import CalendarPolicy, Due, Plan
from rules.calendar import WorkCalendar
from rules.deadlines import (
    Expected,
    ObligationFacts,
    SubmissionFact,
    closes,
    due_in_force,
    effective_due,
    expected,
    is_late,
    nominal_due,
    opens,
    status,
)
from rules.periods import month, period

SHANGHAI = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)
CALENDAR = WorkCalendar(CalendarPolicy(source="choice"))

OPENS = datetime(2021, 5, 26, tzinfo=SHANGHAI)
DUE = datetime(2021, 6, 3, tzinfo=SHANGHAI)
LOCK = datetime(2021, 6, 10, tzinfo=SHANGHAI)
EXTENDED = datetime(2021, 6, 6, tzinfo=SHANGHAI)


# --- builders -------------------------------------------------------------------------------------------


def an_organisation(code, kind="township", **changes) -> dict:
    return {"code": code, "name": code, "short": code, "kind": kind, "source": "C8", **changes}


def an_obligation(**changes) -> dict:
    return {
        "id": "monthly_report", "name": "月度进展报告", "form": "monthly_report", "source": "C20",
        "who": {"kinds": ["township"]}, "to": "office",
        "cadence": {"every": "month", "first": "2021-04", "last": "2021-11"}, "due": {"day": 2}, **changes,
    }


def a_feed(**changes) -> dict:
    return {
        "feed": "deaths", "name": "死亡人员信息", "source": "C16", "providers": ["health"],
        "cadence": {"every": "month", "first": "2021-05", "last": "2021-06"}, "due": {"day": 5}, **changes,
    }


def a_plan(organisations=None, obligations=None, feeds=None, **changes) -> Plan:
    """A small sound plan: two townships, a health department, an office."""
    return Plan(**{
        "canbao": 1, "id": "a-plan", "name": "一个方案", "starts": "2021-03-18", "ends": "2021-12-31",
        "document": {"number": "1", "title": "t", "issuer": "i", "issued": "2021-05-26", "source": "C"},
        "region": {"code": "530481", "name": "澄江市"}, "office": "office", "owner_of_last_resort": "office",
        "purpose": "p", "calendar": {"source": "choice"}, "parameters": {},
        "organisations": organisations or [
            an_organisation("office", "office"), an_organisation("health", "department"),
            an_organisation("longjie"), an_organisation("youso"),
        ],
        "phases": [{"id": "contribution", "kind": "contribution", "name": "参保缴费", "starts": "2021-06-01",
                    "ends": "2021-10-31", "source": "C14"}],
        "feeds": feeds or [a_feed()],
        "categories": [{"id": "rest", "name": "其余", "where": "true", "source": "choice"}],
        "lists": [{"id": "uninsured", "name": "未参保人员", "subject": "person", "where": "true", "source": "C13",
                   "owner": [{"column": "township"}], "priority": 1, "reason": "r", "closes_when": "c"}],
        "dispositions": [{"code": "other", "name": "其他", "source": "choice"}],
        "obligations": obligations or [an_obligation()],
        "acceptance": {
            "source": "C15", "provisional_on": "2021-12-10", "final_on": "2021-12-31", "final_period": "2021-12",
            "about": {"kinds": ["township"]},
            "items": [{"id": "reports", "name": "n", "weight": 100, "obligation": "monthly_report", "source": "C20"}],
            "candidates": {
                "source": "C23", "commend_score_at_least": 90, "commend_on_time_share_at_least": 1,
                "criticise_score_below": 60, "criticise_missing_reports_at_least": 2, "decided_by": "office",
            },
        },
        "approval": {"source": "choice", "prepared_by": "office", "approved_by": "office", "expires_days": 7},
        "retention": [{"what": "originals", "keep_days": 180, "source": "choice"}],
        **changes,
    })


def of(rows: list[Expected], item: str, organisation: str | None = None) -> list[Expected]:
    return [row for row in rows if row.item == item and organisation in (None, row.organisation)]


def facts(*submissions: SubmissionFact, **changes) -> ObligationFacts:
    return ObligationFacts(**{
        "opens_at": OPENS, "due_before": DUE, "lock_before": LOCK, "submissions": submissions, **changes,
    })


# --- one date -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "label", "nominal"),
    [
        ({"day": 2}, "2021-05", "2021-06-02"),
        ({"day": 2}, "2021-12", "2022-01-02"),
        ({"day": 25, "months_after": 0}, "2021-05", "2021-05-25"),
        ({"day": "last_day"}, "2021-01", "2021-02-28"),
        ({"day": "last_day", "months_after": 0}, "2020-02", "2020-02-29"),
        ({"day": 1, "months_after": 12}, "2021-05", "2022-05-01"),
        ({"days_after_end": 0}, "2021-05", "2021-05-31"),
        ({"days_after_end": 3}, "2021-12", "2022-01-03"),
        ({"date": "2021-12-05"}, "2021-05", "2021-12-05"),
    ],
)
def test_the_nominal_day_follows_from_the_period(due, label, nominal):
    assert nominal_due(Due(**due), month(label)) == date.fromisoformat(nominal)


def test_a_day_that_the_month_does_not_have_is_refused_with_a_cure():
    with pytest.raises(CanbaoError, match="due day 31 does not exist in 2021-06") as refused:
        nominal_due(Due(day=31), month("2021-05"))
    assert refused.value.cure == "Use day 30 or `last_day`."


def test_the_second_of_the_month_belongs_to_the_time_allowed():
    assert closes(date(2021, 6, 2), "Asia/Shanghai").isoformat() == "2021-06-03T00:00:00+08:00"
    assert closes(date(2021, 6, 2), SHANGHAI) == datetime(2021, 6, 2, 16, tzinfo=UTC)
    assert opens(date(2021, 6, 2), "Asia/Shanghai").isoformat() == "2021-06-02T00:00:00+08:00"


def test_the_last_day_of_the_year_closes_in_the_next():
    assert closes(date(2021, 12, 31), SHANGHAI).isoformat() == "2022-01-01T00:00:00+08:00"


def test_an_obligation_can_roll_otherwise_than_the_plan():
    assert effective_due(date(2021, 5, 2), None, CALENDAR) == date(2021, 5, 6)
    assert effective_due(date(2021, 5, 2), "previous_workday", CALENDAR) == date(2021, 4, 30)


@given(st.dates(date(2004, 2, 1), date(2026, 11, 30)))
def test_the_effective_day_is_never_before_the_nominal_one(nominal):
    assert effective_due(nominal, "next_workday", CALENDAR) >= nominal


# --- everything a plan expects --------------------------------------------------------------------------


def test_the_eight_reports_of_chengjiang_keep_both_dates():
    # C20: 「2021年5月—12月期间，于每月2日前」. Holidays and weekends of 2021 looked up in the calendar of that year.
    rows = of(expected(a_plan()), "monthly_report", "longjie")
    assert [(row.period, row.nominal.isoformat(), row.effective.isoformat()) for row in rows] == [
        ("2021-04", "2021-05-02", "2021-05-06"),  # Labour Day
        ("2021-05", "2021-06-02", "2021-06-02"),
        ("2021-06", "2021-07-02", "2021-07-02"),
        ("2021-07", "2021-08-02", "2021-08-02"),
        ("2021-08", "2021-09-02", "2021-09-02"),
        ("2021-09", "2021-10-02", "2021-10-08"),  # National Day
        ("2021-10", "2021-11-02", "2021-11-02"),
        ("2021-11", "2021-12-02", "2021-12-02"),
    ]


def test_a_report_opens_before_it_is_due_and_locks_after_it():
    first = of(expected(a_plan(obligations=[an_obligation(lock_working_days=5)])), "monthly_report", "longjie")[0]
    assert first.opens_at.isoformat() == "2021-04-25T00:00:00+08:00"  # seven days before the nominal 05-02
    assert first.due_before.isoformat() == "2021-05-07T00:00:00+08:00"
    assert first.lock_before is not None
    assert first.lock_before.isoformat() == "2021-05-13T00:00:00+08:00"  # 05-07, 08 (made up), 10, 11, 12
    assert first.period_ends == date(2021, 4, 30)
    assert (first.kind, first.name, first.to) == ("report", "月度进展报告", "office")


def test_a_report_without_a_lock_is_never_locked():
    assert {row.lock_before for row in of(expected(a_plan()), "monthly_report")} == {None}


def test_every_township_owes_every_month_exactly_once():
    rows = of(expected(a_plan()), "monthly_report")
    assert len(rows) == 2 * 8
    assert len({(row.organisation, row.period) for row in rows}) == 2 * 8


def test_a_summary_due_on_a_sunday_is_owed_once_by_the_monday():
    summary = an_obligation(id="summary", cadence={"every": "once"}, due={"date": "2021-12-05"})
    rows = of(expected(a_plan(obligations=[summary])), "summary", "longjie")
    assert [(row.period, row.nominal, row.effective) for row in rows] == [
        ("once", date(2021, 12, 5), date(2021, 12, 6)),
    ]
    assert rows[0].period_ends == date(2021, 12, 5)


def test_once_without_a_fixed_date_counts_from_the_campaigns_end():
    record = an_obligation(id="record", cadence={"every": "once"}, due={"days_after_end": 3})
    rows = of(expected(a_plan(obligations=[record])), "record", "longjie")
    assert [(row.period_ends, row.nominal) for row in rows] == [(date(2021, 12, 31), date(2022, 1, 3))]


def test_feeds_are_owed_to_the_office_from_the_last_day_of_the_period():
    rows = of(expected(a_plan()), "feed:deaths")
    assert [(row.organisation, row.to, row.period, row.nominal, row.effective) for row in rows] == [
        ("health", "office", "2021-05", date(2021, 6, 5), date(2021, 6, 7)),  # a Saturday
        ("health", "office", "2021-06", date(2021, 7, 5), date(2021, 7, 5)),
    ]
    assert rows[0].kind == "feed"
    assert rows[0].opens_at.isoformat() == "2021-05-31T00:00:00+08:00"
    assert rows[0].lock_before is None


def test_a_feed_asked_for_once_can_come_from_the_first_day_on():
    feed = a_feed(cadence={"every": "once"}, due={"date": "2021-05-31"})
    (row,) = of(expected(a_plan(feeds=[feed])), "feed:deaths")
    assert row.opens_at.isoformat() == "2021-03-18T00:00:00+08:00"
    assert row.due_before.isoformat() == "2021-06-01T00:00:00+08:00"


def test_a_day_that_does_not_exist_is_reported_with_the_place_in_the_plan():
    with pytest.raises(CanbaoError) as refused:
        expected(a_plan(obligations=[an_obligation(due={"day": 31})]))
    assert str(refused.value) == (
        'plan a-plan, obligations "monthly_report", period 2021-05: due day 31 does not exist in 2021-06. '
        "Use day 30 or `last_day`."
    )


def test_the_fortnightly_and_the_half_monthly_report_are_two_cycles():
    # G19: units report every two weeks, the office every half month.
    year = {"starts": "2021-01-01", "ends": "2021-12-31"}
    plan = a_plan(obligations=[
        an_obligation(id="unit_report", cadence={"every": "two_weeks", **year}, due={"days_after_end": 1}),
        an_obligation(id="office_report", who={"codes": ["office"]}, to="office",
                      cadence={"every": "half_month", **year}, due={"days_after_end": 1}),
    ])
    rows = expected(plan)
    assert len(of(rows, "unit_report", "longjie")) == 26
    assert len(of(rows, "office_report", "office")) == 24


def a_succession(**obligation) -> Plan:
    """The poverty office ends on 2021-06-30; the rural revitalisation bureau takes over on 07-01 (B36)."""
    return a_plan(
        organisations=[
            an_organisation("office", "office"), an_organisation("health", "department"),
            an_organisation("poverty", "department", valid_to="2021-06-30"),
            an_organisation("revitalisation", "agency", valid_from="2021-07-01", succeeds=["poverty"]),
        ],
        obligations=[an_obligation(who={"codes": ["poverty"]}, **obligation)],
        feeds=[a_feed(providers=["poverty"])],
    )


def test_a_successor_owes_from_its_first_day_although_the_plan_names_only_its_predecessor():
    rows = of(expected(a_succession()), "monthly_report")
    assert [(row.period, row.organisation) for row in rows] == [
        ("2021-04", "poverty"), ("2021-05", "poverty"), ("2021-06", "poverty"),
        ("2021-07", "revitalisation"), ("2021-08", "revitalisation"), ("2021-09", "revitalisation"),
        ("2021-10", "revitalisation"), ("2021-11", "revitalisation"),
    ]


@pytest.mark.parametrize(("due", "bearer"), [("2021-06-30", "poverty"), ("2021-07-01", "revitalisation")])
def test_a_single_report_is_owed_by_whoever_exists_on_its_due_day(due, bearer):
    (row,) = of(expected(a_succession(cadence={"every": "once"}, due={"date": due})), "monthly_report")
    assert row.organisation == bearer


def test_a_successor_delivers_the_feed_of_its_predecessor():
    feed = a_feed(providers=["poverty"], cadence={"every": "month", "first": "2021-06", "last": "2021-07"})
    rows = of(expected(a_succession().model_copy(update={"feeds": a_plan(feeds=[feed]).feeds})), "feed:deaths")
    assert [(row.period, row.organisation) for row in rows] == [("2021-06", "poverty"), ("2021-07", "revitalisation")]


def test_a_successor_receives_in_place_of_its_predecessor():
    plan = a_plan(organisations=[
        an_organisation("office", "office", valid_to="2021-08-31"), an_organisation("health", "department"),
        an_organisation("new_office", "office", valid_from="2021-09-01", succeeds=["office"]),
        an_organisation("longjie"),
    ])
    rows = of(expected(plan), "monthly_report", "longjie")
    assert [row.to for row in rows] == ["office"] * 5 + ["new_office"] * 3


def test_one_successor_of_two_merged_units_owes_once():
    plan = a_plan(organisations=[
        an_organisation("office", "office"), an_organisation("health", "department"),
        an_organisation("east", valid_to="2021-06-30"), an_organisation("west", valid_to="2021-06-30"),
        an_organisation("whole", valid_from="2021-07-01", succeeds=["east", "west"]),
    ])
    rows = of(expected(plan), "monthly_report")
    assert [row.organisation for row in rows if row.period == "2021-06"] == ["east", "west"]
    assert [row.organisation for row in rows if row.period == "2021-07"] == ["whole"]


def test_a_predecessor_without_an_end_owes_nothing_beside_its_successor():
    plan = a_plan(organisations=[
        an_organisation("office", "office"), an_organisation("health", "department"), an_organisation("old"),
        an_organisation("new", valid_from="2021-07-01", succeeds=["old"]),
    ])
    assert [row.organisation for row in of(expected(plan), "monthly_report")] == ["old"] * 3 + ["new"] * 5


def test_units_that_succeed_each_other_in_a_ring_do_not_hang_the_plan():
    plan = a_plan(organisations=[
        an_organisation("office", "office"), an_organisation("health", "department"),
        an_organisation("old", valid_to="2021-06-30", succeeds=["new"]),
        an_organisation("new", valid_from="2021-07-01", succeeds=["old"]),
    ])
    assert [row.organisation for row in of(expected(plan), "monthly_report")] == ["old"] * 3 + ["new"] * 5


def test_an_excepted_successor_owes_nothing():
    plan = a_succession()
    obligation = plan.obligations[0].model_copy(update={
        "who": plan.obligations[0].who.model_copy(update={"except_codes": ("revitalisation",)}),
    })
    rows = of(expected(plan.model_copy(update={"obligations": (obligation,)})), "monthly_report")
    assert {row.organisation for row in rows} == {"poverty"}


def test_a_township_that_is_gone_without_a_successor_owes_no_more():
    plan = a_plan(organisations=[
        an_organisation("office", "office"), an_organisation("health", "department"),
        an_organisation("luju", valid_to="2021-06-29"),
    ])
    assert [row.period for row in of(expected(plan), "monthly_report")] == ["2021-04", "2021-05"]


@given(st.integers(1, 12), st.integers(0, 30))
def test_no_period_of_a_plan_is_lost_or_doubled(first, further):
    years, before_last = divmod(first + further - 1, 12)
    cadence = {"every": "month", "first": f"2021-{first:02d}", "last": f"{2021 + years}-{before_last + 1:02d}"}
    plan = a_plan(obligations=[an_obligation(cadence=cadence)])
    rows = of(expected(plan), "monthly_report", "longjie")
    assert len({row.period for row in rows}) == len(rows) == further + 1
    assert all(row.opens_at < row.due_before and row.effective >= row.nominal for row in rows)
    assert [period(plan.obligations[0].cadence, row.period).ends for row in rows] == [row.period_ends for row in rows]


# --- how a row stands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "stands"),
    [
        (OPENS - SECOND, "not_yet_due"),
        (OPENS, "open"),
        (DUE - timedelta(days=3) - SECOND, "open"),
        (DUE - timedelta(days=3), "due_soon"),
        (DUE - SECOND, "due_soon"),
        (DUE, "overdue"),
        (LOCK - SECOND, "overdue"),
        (LOCK, "missing"),
    ],
)
def test_a_silent_unit_passes_every_boundary_at_its_second(as_of, stands):
    assert status(facts(), as_of) == stands


def test_an_instant_counts_the_same_in_any_zone():
    assert status(facts(), datetime(2021, 6, 2, 15, 59, 59, tzinfo=UTC)) == "due_soon"
    assert status(facts(), datetime(2021, 6, 2, 16, tzinfo=UTC)) == "overdue"


def test_without_a_lock_a_report_stays_overdue():
    assert status(facts(lock_before=None), LOCK + timedelta(days=300)) == "overdue"


def test_how_soon_is_soon_can_be_asked_for():
    assert status(facts(), DUE - timedelta(days=5), due_soon_days=5) == "due_soon"
    assert status(facts(), DUE - SECOND, due_soon_days=0) == "open"


@pytest.mark.parametrize(("received_at", "late"), [(DUE - SECOND, False), (DUE, True), (DUE + SECOND, True)])
def test_the_second_before_the_third_is_on_time_and_midnight_is_late(received_at, late):
    row = facts(SubmissionFact(received_at, accepted_at=received_at + SECOND))
    assert is_late(row) is late
    assert status(row, LOCK) == ("accepted_late" if late else "accepted")


def test_a_report_handed_in_waits_until_it_is_accepted():
    row = facts(SubmissionFact(DUE - timedelta(days=1), accepted_at=DUE + timedelta(days=2)))
    assert status(row, DUE - timedelta(days=1) - SECOND) == "due_soon"
    assert status(row, DUE - timedelta(days=1)) == "submitted"
    assert status(row, DUE + timedelta(days=2) - SECOND) == "submitted"
    assert status(row, DUE + timedelta(days=2)) == "accepted"


def test_a_report_handed_in_before_it_opened_is_submitted():
    assert status(facts(SubmissionFact(OPENS - timedelta(days=2))), OPENS - timedelta(days=1)) == "submitted"


def test_a_report_sent_back_and_handed_in_again_too_late_is_late_for_ever():
    row = facts(
        SubmissionFact(DUE - timedelta(hours=2), sent_back_at=DUE + timedelta(hours=9)),
        SubmissionFact(DUE + timedelta(hours=12), accepted_at=DUE + timedelta(hours=15)),
    )
    assert status(row, DUE) == "submitted"
    assert status(row, DUE + timedelta(hours=9)) == "sent_back"
    assert status(row, DUE + timedelta(hours=12)) == "submitted"
    assert status(row, DUE + timedelta(hours=15)) == "accepted_late"
    assert is_late(row)


def test_a_correction_handed_in_later_does_not_make_a_report_late():
    row = facts(
        SubmissionFact(DUE - timedelta(days=1), accepted_at=DUE - timedelta(hours=1)),
        SubmissionFact(DUE + timedelta(days=1), accepted_at=DUE + timedelta(days=2)),
    )
    assert status(row, LOCK) == "accepted"


def test_lateness_is_not_healed_by_a_second_report():
    row = facts(
        SubmissionFact(DUE, accepted_at=DUE + SECOND),
        SubmissionFact(DUE + timedelta(days=1), accepted_at=DUE + timedelta(days=2)),
    )
    assert is_late(row)
    assert status(row, LOCK + timedelta(days=300)) == "accepted_late"


def test_an_acceptance_withdrawn_leaves_the_report_sent_back():
    entry = SubmissionFact(DUE - timedelta(days=2), sent_back_at=DUE, accepted_at=DUE - timedelta(days=1))
    assert status(facts(entry), DUE - SECOND) == "accepted"
    assert status(facts(entry), DUE) == "sent_back"


def test_a_report_accepted_after_all_stands():
    entry = SubmissionFact(DUE - timedelta(days=2), sent_back_at=DUE - timedelta(days=1), accepted_at=DUE)
    assert status(facts(entry), DUE - SECOND) == "sent_back"
    assert status(facts(entry), DUE) == "accepted"


def test_of_both_decisions_in_the_same_second_the_acceptance_holds():
    assert status(facts(SubmissionFact(OPENS, sent_back_at=DUE, accepted_at=DUE)), DUE) == "accepted"


def test_a_report_sent_back_and_never_mended_is_missing_once_locked():
    row = facts(SubmissionFact(DUE - SECOND, sent_back_at=DUE))
    assert status(row, LOCK - SECOND) == "sent_back"
    assert status(row, LOCK) == "missing"


def test_a_report_pending_at_the_lock_is_not_missing():
    assert status(facts(SubmissionFact(DUE + SECOND)), LOCK) == "submitted"


def test_an_extension_granted_in_time_moves_the_deadline():
    row = facts(SubmissionFact(EXTENDED - SECOND), extensions=((DUE - SECOND, EXTENDED),))
    assert due_in_force(row) == EXTENDED
    assert not is_late(row)
    assert status(row, DUE) == "due_soon"
    assert is_late(facts(SubmissionFact(EXTENDED), extensions=((DUE - SECOND, EXTENDED),)))


def test_an_extension_granted_at_the_second_it_was_due_heals_nothing():
    row = facts(SubmissionFact(DUE), extensions=((DUE, EXTENDED),))
    assert due_in_force(row) == DUE
    assert is_late(row)
    assert status(facts(extensions=((DUE, EXTENDED),)), DUE) == "overdue"


def test_an_extension_is_unknown_before_it_is_granted():
    row = facts(extensions=((DUE - timedelta(days=1), EXTENDED),))
    assert status(row, DUE - timedelta(days=2)) == "due_soon"  # soon before the original instant
    assert status(row, DUE - timedelta(days=1)) == "open"  # four days before the extended one, the 6th


def test_a_second_extension_counts_if_granted_within_the_first():
    later = EXTENDED + timedelta(days=2)
    assert due_in_force(facts(extensions=((EXTENDED - SECOND, later), (DUE - SECOND, EXTENDED)))) == later
    assert due_in_force(facts(extensions=((EXTENDED, later), (DUE - SECOND, EXTENDED)))) == EXTENDED


def test_an_extension_never_shortens():
    assert due_in_force(facts(extensions=((OPENS, DUE - timedelta(days=1)),))) == DUE


def test_an_extension_beyond_the_lock_holds_off_the_lock():
    beyond = LOCK + timedelta(days=4)
    in_time = facts(extensions=((DUE - SECOND, beyond),))
    too_late = facts(extensions=((DUE + SECOND, beyond),))
    assert status(in_time, LOCK) == "open"
    assert status(too_late, LOCK) == "overdue"
    assert status(in_time, beyond) == status(too_late, beyond) == "missing"


def test_an_excused_unit_owes_nothing_from_that_second_on():
    row = facts(excused_at=DUE + timedelta(days=1))
    assert status(row, DUE + timedelta(days=1) - SECOND) == "overdue"
    assert status(row, DUE + timedelta(days=1)) == "excused"
    assert status(row, LOCK) == "excused"


def test_an_accepted_report_stays_accepted_although_the_unit_was_excused():
    row = facts(SubmissionFact(OPENS, accepted_at=OPENS + SECOND), excused_at=DUE)
    assert status(row, LOCK) == "accepted"


instants = st.integers(0, 20 * 24).map(lambda hours: OPENS - timedelta(days=1) + timedelta(hours=hours))
submissions = st.builds(
    SubmissionFact, received_at=instants, sent_back_at=st.none() | instants, accepted_at=st.none() | instants
)


@given(
    st.lists(submissions, max_size=3), st.lists(st.tuples(instants, instants), max_size=2), st.none() | instants,
    instants, st.integers(1, 400),
)
def test_what_happens_later_never_changes_a_past_status(entries, extensions, excused_at, as_of, hours_later):
    later = as_of + timedelta(hours=hours_later)
    row = facts(*entries, extensions=tuple(extensions), excused_at=excused_at)
    grown = facts(
        *entries, SubmissionFact(later, accepted_at=later), extensions=(*extensions, (later, later)),
        excused_at=excused_at or later,
    )
    assert status(grown, as_of) == status(row, as_of)
