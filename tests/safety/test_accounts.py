"""Who acts is proven: one person never passes for two, no post is taken by typing its name, and no code counts twice."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from models.database import transaction
from models.errors import ActorUnproven, ApprovalMissing, CanbaoError, WrongUse
from models.store.audit import audit_is_whole
from tasks import accounts, approvals, confirmations, identities, obligations, old_numbers, ownership, supervision
from tasks.campaign import plan_in_force
from tasks.release import approve, propose, refuse, release
from tests.record.a_life import CAMPAIGN, Life, newest_run

APPROVER, PREPARER, LEADER = "办公室副主任（审核）", "办公室经办", "办公室主任"
STEP = accounts.STEP_SECONDS


class Keyboard:
    """Who is logged in, and what time it is."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.login, self.now = "operator", 1_800_000_000.0
        patch.setattr(accounts, "login_name", lambda: self.login)

    def types(self, code: str) -> accounts.Typed:
        return accounts.Typed(code, datetime.fromtimestamp(self.now, UTC))


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Keyboard:
    return Keyboard(monkeypatch)


@pytest.fixture
def life(record: Path, tmp_path: Path, keyboard: Keyboard) -> Life:
    """A run that lists something, proposed by the office's clerk; two people have accounts, the approver codes besides."""
    made = Life(tmp_path)
    made.run("2021-04", [("uninsured", subject) for subject in "abc"])
    accounts.add(CAMPAIGN, PREPARER, "zhang", False, made.now)
    made.secret = accounts.add(CAMPAIGN, APPROVER, "li", True, made.now)["secret"]  # type: ignore[attr-defined]
    propose.fn(CAMPAIGN, newest_run(), PREPARER, made.now)
    return made


def _digits(life: Life, keyboard: Keyboard, steps: int = 0) -> str:
    return pyotp.TOTP(life.secret).generate_otp(int(keyboard.now) // STEP + steps)  # type: ignore[attr-defined]


def _code(life: Life, keyboard: Keyboard, steps: int = 0) -> accounts.Typed:
    return keyboard.types(_digits(life, keyboard, steps))


def _trail(action: str) -> list[tuple[str, str]]:
    with transaction() as tx:
        assert audit_is_whole(tx)
        return [tuple(row) for row in tx.execute(
            text("SELECT actor, subject FROM audit WHERE action LIKE :action ORDER BY id"), {"action": f"{action}%"})]


# --- by command -----------------------------------------------------------------------------------------


def test_two_people_prepare_and_approve_by_command(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"
    approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now)
    assert _trail("proven by login") == [(APPROVER, "account 2")]
    assert release.fn(CAMPAIGN, newest_run(), life.now)["findings"] == 3


def test_whoever_is_logged_in_otherwise_approves_nothing(life: Life, keyboard: Keyboard) -> None:
    logins = ("zhang", "operator", "root", "LI", "li ", "1000", "")
    for keyboard.login in logins:
        for attempt in (lambda: approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now),
                        lambda: refuse.fn(CAMPAIGN, newest_run(), APPROVER, life.now, "不同意")):
            with pytest.raises(ActorUnproven, match="login"):
                attempt()
    assert [actor for actor, _ in _trail("not allowed")] == [APPROVER] * 2 * len(logins)
    with pytest.raises(ApprovalMissing, match="not approved"):
        release.fn(CAMPAIGN, newest_run(), life.now)


def test_an_account_of_one_post_acts_for_no_other(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"
    for by in ("市扩面办", "office", "演练审批岗", "不存在的岗位", "", PREPARER, LEADER, "leading_group"):
        with pytest.raises(CanbaoError):
            approve.fn(CAMPAIGN, newest_run(), by, life.now)
    assert not _trail("release approved")


def test_one_login_cannot_hold_two_posts(life: Life) -> None:
    with pytest.raises(WrongUse, match="has an account already"):
        accounts.add(CAMPAIGN, APPROVER, "zhang", False, life.now)
    assert [(row["account"], row["login"], row["codes"]) for row in accounts.listed(CAMPAIGN)] == [(1, "zhang", False), (2, "li", True)]


def test_whoever_begins_a_comparison_prepares_it_although_they_type_nothing(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"
    mine = accounts.preparer(CAMPAIGN, None, "release prepared", life.now)
    assert mine == f"市扩面办·{APPROVER}"
    life.run("2021-05", [("uninsured", subject) for subject in "abcd"])
    propose.fn(CAMPAIGN, newest_run(), mine, life.now)
    with pytest.raises(ApprovalMissing, match="preparer"):
        approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now)


def test_nobody_prepares_in_another_name(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"
    with pytest.raises(ActorUnproven):
        accounts.preparer(CAMPAIGN, PREPARER, "release prepared", life.now)
    keyboard.login = "zhang"
    assert accounts.preparer(CAMPAIGN, PREPARER, "release prepared", life.now) == PREPARER


def test_a_removed_account_counts_no_more(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"
    accounts.remove(CAMPAIGN, 2, life.now)
    for code in (None, _code(life, keyboard)):
        with pytest.raises(ActorUnproven, match="nobody has an account"):
            approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now, code=code)
    with pytest.raises(WrongUse, match="no account 2"):
        accounts.remove(CAMPAIGN, 2, life.now)


# --- in a form ------------------------------------------------------------------------------------------


def test_the_holder_of_the_codes_approves_in_a_form(life: Life, keyboard: Keyboard) -> None:
    proposal = approvals.newest(CAMPAIGN, life.now)
    assert proposal is not None
    assert approvals.decide(CAMPAIGN, proposal, True, APPROVER, "", life.now, _code(life, keyboard)) == ""
    assert _trail("proven by code") == [(APPROVER, "account 2")]


def test_a_form_without_the_code_decides_nothing(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "li"  # the login of the process that runs the form counts for nothing there
    proposal = approvals.newest(CAMPAIGN, life.now)
    assert proposal is not None
    typed = ("", "000000", "12345", "１２３４５６", "abcdef", _digits(life, keyboard, -2), _digits(life, keyboard, 2),
             " ".join(_digits(life, keyboard)))
    for said in typed:
        assert "验证码无效" in approvals.decide(CAMPAIGN, proposal, True, APPROVER, "", life.now, keyboard.types(said))
    assert not _trail("release approved")
    assert len(_trail("not allowed")) == len(typed)


def test_a_code_counts_once_and_again_only_for_the_very_same(life: Life, keyboard: Keyboard) -> None:
    plan, code = plan_in_force(CAMPAIGN), _code(life, keyboard)
    accounts.prove(plan, APPROVER, "this", life.now, code=code)
    keyboard.now += 600
    accounts.prove(plan, APPROVER, "this", life.now, code=code)  # a run that is run again
    for other in ("that", ""):
        with pytest.raises(ActorUnproven):
            accounts.prove(plan, APPROVER, other, life.now, code=code)


def test_a_code_used_up_takes_those_before_it_along(life: Life, keyboard: Keyboard) -> None:
    plan, before = plan_in_force(CAMPAIGN), _code(life, keyboard, -1)
    accounts.prove(plan, APPROVER, "this", life.now, code=_code(life, keyboard))
    with pytest.raises(ActorUnproven):
        accounts.prove(plan, APPROVER, "that", life.now, code=before)


def test_nobody_tries_all_codes_out(life: Life, keyboard: Keyboard) -> None:
    plan = plan_in_force(CAMPAIGN)
    right = _digits(life, keyboard)
    for number in range(accounts.WRONG_CODES):
        with pytest.raises(ActorUnproven):
            accounts.prove(plan, APPROVER, "this", life.now, code=keyboard.types(f"{(int(right) + number + 1) % 10**6:06d}"))
    with pytest.raises(ActorUnproven):
        accounts.prove(plan, APPROVER, "this", life.now, code=keyboard.types(right))
    keyboard.now += (accounts.BLOCKED_STEPS + 1) * STEP
    accounts.prove(plan, APPROVER, "this", life.now, code=_code(life, keyboard))


def test_new_codes_end_the_old_ones_and_no_secret_is_kept(life: Life, keyboard: Keyboard, record: Path) -> None:
    old = life.secret  # type: ignore[attr-defined]
    new = accounts.renew(CAMPAIGN, 2, life.now)["secret"]
    assert new != old
    with pytest.raises(ActorUnproven):
        accounts.prove(plan_in_force(CAMPAIGN), APPROVER, "this", life.now, code=_code(life, keyboard))
    kept = b"".join(path.read_bytes() for path in record.rglob("*") if path.is_file())
    with transaction() as tx:
        rows = tx.execute(text("SELECT to_jsonb(t)::text FROM account t")).scalars().all() + tx.execute(
            text("SELECT to_jsonb(t)::text FROM audit t")).scalars().all()
    for secret in (old, new):
        assert secret.encode() not in kept
        assert base64.b32decode(secret) not in kept
        assert not any(secret in row for row in rows)


def test_codes_of_a_clerk_approve_nothing(life: Life, keyboard: Keyboard) -> None:
    secret = accounts.renew(CAMPAIGN, 1, life.now)["secret"]
    code = keyboard.types(pyotp.TOTP(secret).generate_otp(int(keyboard.now) // STEP))
    with pytest.raises(ActorUnproven):
        approve.fn(CAMPAIGN, newest_run(), APPROVER, life.now, code=code)
    with pytest.raises(ApprovalMissing, match="preparer"):
        approve.fn(CAMPAIGN, newest_run(), PREPARER, life.now, code=code)


# --- everything else that a post decides ----------------------------------------------------------------

OTHERS: dict[str, Callable[[str, datetime], object]] = {
    "extend": lambda by, now: obligations.extend(CAMPAIGN, "monthly_report", "fenglu", "2021-05", date(2021, 6, 20), by, "停电", now),
    "excuse": lambda by, now: obligations.excuse(CAMPAIGN, "monthly_report", "fenglu", "2021-05", by, "停电", now),
    "excuse before": lambda by, now: obligations.excuse_before(CAMPAIGN, date(2021, 4, 1), by, "以前", now),
    "waive": lambda by, now: confirmations.waive(CAMPAIGN, 1, by, "核实", now),
    "map": lambda by, now: confirmations.save_mapping(CAMPAIGN, "population", "gongan", "某列", "name", by, "核实", now),
    "old numbers": lambda by, now: old_numbers.take_old_numbers(CAMPAIGN, Path("none.csv"), by, now),
    "identities": lambda by, now: identities.decide(CAMPAIGN, Path("none.xlsx"), by, now),
    "settle": lambda by, now: ownership.settle(CAMPAIGN, 1, by, True, "核实", now),
    "candidate": lambda by, now: supervision.decide(CAMPAIGN, 1, accept=True, by=by, reason="核实", as_of=now),
}


@pytest.mark.parametrize("what", OTHERS)
def test_nothing_else_is_decided_in_another_name(life: Life, keyboard: Keyboard, what: str) -> None:
    attempts = (("li", PREPARER), ("operator", PREPARER), ("zhang", LEADER), ("zhang", "不存在的岗位"), ("zhang", "fenglu"))
    for keyboard.login, by in attempts:
        with pytest.raises(ActorUnproven):
            OTHERS[what](by, life.now)
    assert len(_trail("not allowed")) == len(attempts)


def test_whoever_holds_the_post_decides(life: Life, keyboard: Keyboard) -> None:
    keyboard.login = "zhang"
    obligations.make_obligations.fn(CAMPAIGN, life.now)
    assert obligations.extend(CAMPAIGN, "monthly_report", "fenglu", "2021-05", date(2021, 6, 20), PREPARER, "停电", life.now)


# --- without accounts -----------------------------------------------------------------------------------


def test_a_campaign_without_accounts_takes_names_unless_the_site_says_otherwise(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Life(tmp_path)
    plan = plan_in_force(CAMPAIGN)
    accounts.prove(plan, "whoever", "this", made.now)
    assert not accounts.are_asked_for(CAMPAIGN)
    monkeypatch.setenv(accounts.REQUIRED, "1")
    with pytest.raises(ActorUnproven):
        accounts.prove(plan, APPROVER, "this", made.now)


def test_an_account_is_for_a_post_of_the_plan(record: Path, tmp_path: Path) -> None:
    made = Life(tmp_path)
    for post in ("不存在的岗位", "市扩面办", "演练审批岗", ""):
        with pytest.raises(WrongUse):
            accounts.add(CAMPAIGN, post, "wang", False, made.now)
    with pytest.raises(WrongUse, match="login, codes"):
        accounts.add(CAMPAIGN, APPROVER, None, False, made.now)


