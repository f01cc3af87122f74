"""The ladder, climbed day by day: rungs at hand-worked instants, sweeps as they come in an office's year."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CanbaoError
from models.plan import CalendarPolicy, Ladder, LadderStep
from rules.calendar import WorkCalendar
from rules.ladder import (
    PLACEHOLDERS,
    Actions,
    next_actions,
    next_allowed,
    pause_ends,
    rungs,
    unknown_placeholders,
    wording,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(CalendarPolicy(source="choice"))
WEDNESDAY = date(2021, 6, 2)
SECOND = timedelta(seconds=1)


# --- builders -------------------------------------------------------------------------------------------


def a_step(slug, offset, **changes) -> dict:
    return {
        "id": slug, "name": slug, "offset_working_days": offset, "kind": "escalation" if offset > 0 else "reminder",
        "to": [{"org": "self"}], "wording": {"subject": "s", "body": "b"}, **changes,
    }


def a_ladder(*steps: dict, **changes) -> Ladder:
    return Ladder(**{
        "id": "reports", "name": "催报", "source": "C20",
        "steps": steps or (a_step("remind", -3), a_step("due_today", 0), a_step("urge", 1), a_step("leader", 3)),
        **changes,
    })


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2021-{text}").replace(tzinfo=SHANGHAI)


def climb(ladder: Ladder, due: date = WEDNESDAY) -> list[tuple[str, int, str]]:
    return [
        (rung.step_id, rung.occurrence, f"{rung.planned_at:%m-%d %H:%M}")
        for rung in rungs(ladder, due, CALENDAR, SHANGHAI)
    ]


class Sweeper:
    """Sweeps one row and records what it did, as the ledger would."""

    def __init__(self, ladder: Ladder, due: date = WEDNESDAY) -> None:
        self.ladder, self.rungs = ladder, rungs(ladder, due, CALENDAR, SHANGHAI)
        self.recorded: dict[tuple[str, int], str] = {}

    def sweep(self, text: str, **facts) -> Actions:
        done = next_actions(self.ladder, self.rungs, set(self.recorded), at(text), **facts, calendar=CALENDAR)
        for word in ("send", "supersede", "cancel"):
            for rung in getattr(done, word):
                assert rung.key not in self.recorded
                self.recorded[rung.key] = word
        return done

    def outcome(self) -> dict[str, str]:
        return {step: word for (step, _), word in self.recorded.items()}


def names(found) -> list[str]:
    return [rung.step_id for rung in found]


# --- when -----------------------------------------------------------------------------------------------


def test_rungs_count_workdays_from_the_effective_due_day():
    # -3: 06-01, 05-31, 05-28. +3: 06-03, 06-04, 06-07, over the weekend.
    assert climb(a_ladder()) == [
        ("remind", 1, "05-28 09:00"), ("due_today", 1, "06-02 09:00"), ("urge", 1, "06-03 09:00"),
        ("leader", 1, "06-07 09:00"),
    ]


def test_rungs_stand_in_the_zone_of_the_plan():
    by_name = rungs(a_ladder(), WEDNESDAY, CALENDAR, "Asia/Shanghai")
    assert by_name[0].planned_at.isoformat() == "2021-05-28T09:00:00+08:00"


def test_the_first_workday_after_a_holiday_deadline_may_be_a_made_up_saturday():
    assert climb(a_ladder(a_step("urge", 1), a_step("leader", 2)), date(2021, 5, 6)) == [
        ("urge", 1, "05-07 09:00"), ("leader", 1, "05-08 09:00"),
    ]


def test_rungs_are_ordered_by_their_instant_and_then_as_the_ladder_has_them():
    ladder = a_ladder(a_step("leader", 3), a_step("clerk", 1), a_step("parent", 1), a_step("early", 1, at="08:45"))
    assert [name for name, _, _ in climb(ladder)] == ["early", "clerk", "parent", "leader"]


def test_a_step_repeats_as_often_as_the_plan_says_in_all():
    ladder = a_ladder(a_step("urge", 1, repeat_every_working_days=2, repeat_times=3))
    assert climb(ladder) == [("urge", 1, "06-03 09:00"), ("urge", 2, "06-07 09:00"), ("urge", 3, "06-09 09:00")]


def test_repeats_pass_over_the_due_day():
    ladder = a_ladder(a_step("remind", -2, repeat_every_working_days=2, repeat_times=3))
    assert climb(ladder) == [("remind", 1, "05-31 09:00"), ("remind", 2, "06-02 09:00"), ("remind", 3, "06-04 09:00")]


@pytest.mark.parametrize(
    ("hour", "planned"),
    [
        ("08:29:59", "06-03 08:30"),
        ("08:30", "06-03 08:30"),
        ("17:59:59", "06-03 17:59"),
        ("18:00", "06-04 08:30"),
        ("23:00", "06-04 08:30"),
        ("00:00", "06-03 08:30"),
    ],
)
def test_a_rung_in_the_quiet_hours_waits_for_their_end(hour, planned):
    assert climb(a_ladder(a_step("urge", 1, at=hour))) == [("urge", 1, planned)]


def test_a_rung_on_a_friday_evening_waits_for_monday_morning():
    assert climb(a_ladder(a_step("urge", 2, at="19:00"))) == [("urge", 1, "06-07 08:30")]


def test_a_ladder_that_works_on_days_off_speaks_on_saturday_morning():
    assert climb(a_ladder(a_step("urge", 2, at="19:00"), workdays_only=False)) == [("urge", 1, "06-05 08:30")]


def test_a_rung_on_a_due_day_that_did_not_move_off_the_holiday_waits_for_the_next_workday():
    assert climb(a_ladder(a_step("due_today", 0)), date(2021, 5, 2)) == [("due_today", 1, "05-06 08:30")]


@pytest.mark.parametrize(
    ("hour", "planned"), [("11:59:59", "11:59"), ("12:00", "14:00"), ("13:59:59", "14:00"), ("14:00", "14:00")]
)
def test_quiet_hours_at_midday_end_on_the_same_day(hour, planned):
    ladder = a_ladder(a_step("urge", 1, at=hour), quiet_from="12:00", quiet_to="14:00")
    assert climb(ladder) == [("urge", 1, f"06-03 {planned}")]


def test_equal_hours_mean_no_quiet_hours():
    ladder = a_ladder(a_step("urge", 1, at="23:00"), quiet_from="00:00", quiet_to="00:00")
    assert climb(ladder) == [("urge", 1, "06-03 23:00")]


@given(st.integers(0, 365 * 24 * 60), st.times(), st.times(), st.booleans())
def test_the_next_allowed_instant_is_allowed_and_never_earlier(minutes, quiet_from, quiet_to, workdays_only):
    ladder = a_ladder(quiet_from=quiet_from, quiet_to=quiet_to, workdays_only=workdays_only)
    instant = at("01-01T00:00") + timedelta(minutes=minutes)
    allowed = next_allowed(ladder, instant, CALENDAR)
    assert allowed >= instant
    assert next_allowed(ladder, allowed, CALENDAR) == allowed
    assert CALENDAR.is_workday(allowed.date()) or not workdays_only


# --- what now -------------------------------------------------------------------------------------------


def test_nothing_happens_before_the_first_rung_and_it_is_sent_at_its_second():
    sweeper = Sweeper(a_ladder())
    assert sweeper.sweep("05-28T08:59:59") == Actions()
    assert names(sweeper.sweep("05-28T09:00:00").send) == ["remind"]


def test_a_silent_unit_climbs_every_rung_once_when_swept_daily():
    sweeper = Sweeper(a_ladder())
    sent = []
    for day in range(30):
        morning = at("05-25T09:05") + timedelta(days=day)
        sent += names(sweeper.sweep(f"{morning:%m-%dT%H:%M}").send)
    assert sent == ["remind", "due_today", "urge", "leader"]
    assert set(sweeper.recorded.values()) == {"send"}


def test_a_second_sweep_at_the_same_instant_changes_nothing():
    sweeper = Sweeper(a_ladder())
    sweeper.sweep("05-28T09:00")
    assert sweeper.sweep("05-28T09:00") == Actions()


def test_after_downtime_only_the_highest_rung_reached_is_sent():
    done = Sweeper(a_ladder()).sweep("06-08T10:00")
    assert names(done.send) == ["leader"]
    assert names(done.supersede) == ["remind", "due_today", "urge"]
    assert done.cancel == ()


def test_of_two_rungs_at_the_same_instant_the_later_of_the_ladder_is_sent():
    done = Sweeper(a_ladder(a_step("clerk", 1), a_step("parent", 1))).sweep("06-03T09:00")
    assert (names(done.send), names(done.supersede)) == (["parent"], ["clerk"])


def test_nobody_is_taken_a_rung_down():
    ladder = a_ladder()
    found = rungs(ladder, WEDNESDAY, CALENDAR, SHANGHAI)
    done = next_actions(ladder, found, {("leader", 1)}, at("06-08T10:00"))
    assert done.send == ()
    assert names(done.supersede) == ["remind", "due_today", "urge"]


def test_after_downtime_only_the_last_repeat_is_sent():
    sweeper = Sweeper(a_ladder(a_step("urge", 1, repeat_every_working_days=1, repeat_times=3)))
    done = sweeper.sweep("06-07T10:00")
    assert [rung.occurrence for rung in done.send] == [3]
    assert [rung.occurrence for rung in done.supersede] == [1, 2]


def test_each_repeat_is_sent_once_when_swept_daily():
    sweeper = Sweeper(a_ladder(a_step("urge", 1, repeat_every_working_days=1, repeat_times=3)))
    sent = [(rung.occurrence, day) for day in range(1, 12) for rung in sweeper.sweep(f"06-{day:02d}T09:05").send]
    assert sent == [(1, 3), (2, 4), (3, 7)]


def test_a_server_that_wakes_at_night_waits_for_the_morning_and_says_so():
    sweeper = Sweeper(a_ladder())
    assert sweeper.sweep("06-03T23:30") == Actions(held_until=at("06-04T08:30"))
    assert sweeper.sweep("06-04T08:29:59").send == ()
    assert names(sweeper.sweep("06-04T08:30").send) == ["urge"]


def test_a_server_that_wakes_on_saturday_waits_for_monday():
    assert Sweeper(a_ladder()).sweep("06-05T10:00") == Actions(held_until=at("06-07T08:30"))


def test_without_a_calendar_only_the_hours_are_looked_at():
    ladder = a_ladder()
    found = rungs(ladder, WEDNESDAY, CALENDAR, SHANGHAI)
    assert names(next_actions(ladder, found, set(), at("06-05T10:00")).send) == ["urge"]
    assert next_actions(ladder, found, set(), at("06-05T20:00")).held_until == at("06-06T08:30")


def test_quiet_hours_are_those_of_the_plans_zone_whatever_zone_the_sweep_is_in():
    ladder = a_ladder()
    found = rungs(ladder, WEDNESDAY, CALENDAR, SHANGHAI)
    berlin = at("06-03T23:30").astimezone(ZoneInfo("Europe/Berlin"))
    assert next_actions(ladder, found, set(), berlin, calendar=CALENDAR).held_until == at("06-04T08:30")


def test_quiet_hours_can_be_lifted_by_whoever_asks():
    done = Sweeper(a_ladder()).sweep("06-05T23:30", send_in_quiet_hours=True)
    assert names(done.send) == ["urge"]


def test_an_acknowledgement_keeps_the_ladder_silent_for_its_workdays():
    ladder = a_ladder(acknowledgement_pauses_working_days=3)
    # Acknowledged on Thursday 06-03: 06-04, 06-07 and 06-08 are silent.
    paused_until = pause_ends(ladder, at("06-03T15:00"), CALENDAR, SHANGHAI)
    assert paused_until == at("06-09T00:00")
    sweeper = Sweeper(ladder)
    sweeper.sweep("06-03T09:00")
    assert sweeper.sweep("06-08T17:59", paused_until=paused_until) == Actions(held_until=at("06-09T08:30"))
    assert names(sweeper.sweep("06-09T08:30", paused_until=paused_until).send) == ["leader"]


def test_an_acknowledgement_late_in_the_evening_counts_on_the_day_of_the_plans_zone():
    ladder = a_ladder(acknowledgement_pauses_working_days=1)
    evening = at("06-03T23:00").astimezone(ZoneInfo("UTC"))
    assert pause_ends(ladder, evening, CALENDAR, SHANGHAI) == at("06-05T00:00")


def test_a_ladder_without_a_pause_goes_on_at_once():
    assert pause_ends(a_ladder(), at("06-03T15:00"), CALENDAR, SHANGHAI) == at("06-03T15:00")


def test_lifting_the_quiet_hours_does_not_lift_a_pause():
    done = Sweeper(a_ladder()).sweep("06-07T20:00", paused_until=at("06-09T00:00"), send_in_quiet_hours=True)
    assert done == Actions(held_until=at("06-09T00:00"))


def test_a_pause_that_holds_nothing_back_is_not_mentioned():
    assert Sweeper(a_ladder()).sweep("05-27T10:00", paused_until=at("06-09T00:00")) == Actions()


def test_a_submission_ends_the_ladder_and_the_ledger_stays_full():
    sweeper = Sweeper(a_ladder())
    for day in ("05-28", "06-02", "06-03"):
        sweeper.sweep(f"{day}T09:05")
    assert sweeper.sweep("06-04T10:00", ended_at=at("06-04T09:30")) == Actions()
    assert names(sweeper.sweep("06-07T09:00", ended_at=at("06-04T09:30")).cancel) == ["leader"]
    assert sweeper.outcome() == {"remind": "send", "due_today": "send", "urge": "send", "leader": "cancel"}


def test_a_submission_during_downtime_sends_nothing_at_all():
    done = Sweeper(a_ladder()).sweep("06-08T23:00", ended_at=at("06-03T09:00"))
    assert names(done.supersede) == ["remind", "due_today"]
    assert names(done.cancel) == ["urge", "leader"]  # the urge was planned for the very second of the submission
    assert done.send == ()


def test_a_submission_one_second_after_a_rung_supersedes_it():
    done = Sweeper(a_ladder(a_step("urge", 1))).sweep("06-08T10:00", ended_at=at("06-03T09:00") + SECOND)
    assert (names(done.supersede), names(done.cancel)) == (["urge"], [])


def test_a_submission_at_the_second_of_the_sweep_is_known_and_nothing_is_sent():
    done = Sweeper(a_ladder(a_step("urge", 1))).sweep("06-03T09:00", ended_at=at("06-03T09:00"))
    assert (names(done.send), names(done.cancel)) == ([], ["urge"])


def test_a_submission_that_comes_later_is_not_known_yet():
    assert names(Sweeper(a_ladder()).sweep("06-03T09:00", ended_at=at("06-03T09:30")).send) == ["urge"]


@given(st.lists(st.integers(0, 24 * 30), min_size=1, max_size=12), st.none() | st.integers(0, 24 * 30))
def test_however_it_is_swept_each_rung_is_settled_once_and_one_message_goes_out_at_a_time(hours, ended_after):
    start = at("05-25T00:00")
    ladder = a_ladder(
        a_step("remind", -3), a_step("urge", 1, repeat_every_working_days=2, repeat_times=3), a_step("leader", 4)
    )
    sweeper = Sweeper(ladder)
    ended_at = None if ended_after is None else start + timedelta(hours=ended_after)
    for hour in sorted(hours):
        done = sweeper.sweep(f"{start + timedelta(hours=hour):%m-%dT%H:%M}", ended_at=ended_at)
        assert len(done.send) <= 1
    last = start + timedelta(days=41, hours=10)  # a Monday morning, on which anything may be sent
    sweeper.sweep(f"{last:%m-%dT%H:%M}", ended_at=ended_at)
    assert set(sweeper.recorded) == {rung.key for rung in sweeper.rungs}


# --- in which words -------------------------------------------------------------------------------------


def a_message(subject: str, body: str = "b") -> LadderStep:
    return LadderStep(**a_step("urge", 1, name="催报", wording={"subject": subject, "body": body}))


def test_the_placeholders_are_filled_from_the_facts():
    step = a_message("【{step}】{org}{period}{report}", "应于{due}前报{office}，已逾期{days_late}个工作日。")
    assert wording(
        step, org="龙街街道", period="2021年5月", report="进展报告", due="6月2日", office="领导小组办公室", days_late=1
    ) == ("【催报】龙街街道2021年5月进展报告", "应于6月2日前报领导小组办公室，已逾期1个工作日。")


def test_every_known_placeholder_can_be_filled():
    step = a_message("".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS)))
    subject, _ = wording(step, **{name: name for name in PLACEHOLDERS})
    assert subject == "".join(sorted(PLACEHOLDERS))


@pytest.mark.parametrize("name", ["name", "id_number", "org.code", "org[0]", "org!r", "due:>99", "", "0"])
def test_an_unknown_placeholder_is_refused_by_its_name(name):
    step = a_message("s", f"{{{name}}}")
    assert unknown_placeholders(step) == (name,)
    with pytest.raises(CanbaoError) as refused:
        wording(step, org="龙街街道")
    assert refused.value.what == f"unknown placeholder {{{name}}}."
    assert refused.value.where == 'ladder step "urge", wording'
    assert "nominal_due" in refused.value.cure


def test_a_placeholder_without_a_fact_is_refused_by_its_name():
    with pytest.raises(CanbaoError, match=r"nothing to put in for \{due\}"):
        wording(a_message("{org} {due}"), org="龙街街道")


def test_a_brace_without_a_partner_is_refused_with_a_cure():
    with pytest.raises(CanbaoError, match="has no partner") as refused:
        wording(a_message("{org"), org="龙街街道")
    assert "{{" in refused.value.cure


def test_a_value_with_braces_is_not_read_again():
    assert wording(a_message("{org}"), org="{due}") == ("{due}", "b")
