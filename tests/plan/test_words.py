"""The closed words: each stands in one table, and a made-up word works by its row there and by nothing else."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from comparison.expressions import faults as expression_faults
from comparison.lists import finding_select
from deployments import listing
from models import profile, words
from models.errors import PlanUnsound
from models.plan import Plan
from models.plan_file import parse
from rules import phases, soundness
from tasks import channels
from tests.plan.a_plan import a_plan, plan_text


def _plan(old: str = "", new: str = "") -> Plan:
    text = plan_text(a_plan())
    assert old in text
    return parse(text.replace(old, new, 1), "a plan")


def test_a_made_up_kind_of_phase_is_a_row_that_names_its_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(words.PHASE_KINDS, "pension_fair", words.PhaseKind("养老保险赶集日", "pension-fair", takes_back=True, open_ended=True))
    plan = _plan("kind: pilot", "kind: pension_fair")
    day = next(phase.starts for phase in plan.phases if phase.kind == "pension_fair")
    assert phases.field_work(plan, day) == "pension_fair"
    assert phases.field_flow(plan, day) == "pension-fair"
    assert "pension-fair" in str(phases.turn_of_another(plan, "contribution", day))
    assert phases.turn_of_another(plan, "pension-fair", day) is None
    assert soundness.faults(plan) == []


def test_every_kind_of_phase_names_a_flow_that_can_be_started() -> None:
    for kind, row in words.PHASE_KINDS.items():
        assert listing.flow_named(row.flow).name == row.flow, kind  # type: ignore[attr-defined]
    assert {flow["phase"] for flow in listing.listing()["flows"] if "phase" in flow} <= set(words.PHASE_KINDS)


def test_outside_all_phases_the_one_marked_row_takes_back() -> None:
    assert [kind for kind, row in words.PHASE_KINDS.items() if row.takes_back_otherwise] == ["contribution"]
    assert phases.field_flow(_plan(), date(1999, 1, 1)) == "contribution"


def test_a_made_up_channel_is_a_row_and_its_sender(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []

    class Pager(channels.Files):
        def deliver(self, letter: channels.Letter, at: datetime) -> None:
            told.append(letter.subject)

    monkeypatch.setitem(words.CHANNELS, "pager", words.Channel("传呼", sender="pager", setting="CANBAO_PAGER"))
    monkeypatch.setitem(channels.SENDERS, "pager", lambda _address, folder: Pager(folder))
    monkeypatch.setenv("CANBAO_PAGER", "line 7")
    plan = _plan("kind: reminder", "kind: reminder\n    channel: pager")
    assert "pager" in {step.channel for ladder in plan.ladders for step in ladder.steps}
    now = datetime(2021, 6, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    channels.Channels(tmp_path).of("pager").deliver(channels.Letter("k", "海口", "", "请报送", "请报送", now), now)
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", "pager")
    channels.Channels(tmp_path).of("message").deliver(channels.Letter("l", "海口", "", "再报送", "请报送", now), now)
    assert told == ["请报送", "再报送"]


def test_every_channel_has_a_sender_or_is_named_by_the_site() -> None:
    for name, row in words.CHANNELS.items():
        assert row.is_named_by_site or row.sender in channels.SENDERS, name
        assert not row.otherwise or row.otherwise in words.CHANNELS


@pytest.mark.parametrize("named", ["emial", "message", "E-Mail"])
def test_a_channel_that_there_is_not_is_never_taken_for_another(named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANBAO_MESSAGE_CHANNEL", named)
    with pytest.raises(channels.Held):
        channels.Channels(tmp_path).of("message")


def test_a_made_up_subject_is_a_row_and_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    row = words.SubjectKind("车辆", "vehicle_id", "plate", "车主", "车牌", "单位", ("plate", "name", "township"))
    columns = tuple(profile.Column(name, "VARCHAR", name) for name in ("vehicle_id", "plate", "name", "address", "phone", "employer_code",
                                                                       "employer_name"))
    monkeypatch.setitem(words.SUBJECT_KINDS, "vehicle", row)
    monkeypatch.setitem(profile.SUBJECTS, "vehicle", (*columns, profile.Column("township", "VARCHAR", "township", names_organisation=True)))
    sound = _plan()
    item = sound.lists[0].model_copy(update={"subject": "vehicle", "where": "plate IS NOT NULL", "co_owners": (),
                                             "owner": sound.lists[0].owner[-1:]})
    plan = sound.model_copy(update={"lists": (item,)})
    assert expression_faults(plan) == []
    assert "plate AS id_number" in finding_select(plan, item, {plan.owner_of_last_resort: plan.owner_of_last_resort})


@pytest.mark.parametrize(("old", "new", "allowed"), [
    ("kind: mobilisation", "kind: mobilization", "mobilisation"),
    ("subject: person", "subject: persons", "person"),
    ("kind: reminder", "kind: reminder\n    channel: emial", "email"),
])
def test_an_unknown_word_is_refused_with_the_nearest_one(old: str, new: str, allowed: str) -> None:
    with pytest.raises(PlanUnsound) as refused:
        _plan(old, new)
    fault = refused.value.faults[0]
    assert fault.line
    assert f"Did you mean `{allowed}`?" in fault.cure
