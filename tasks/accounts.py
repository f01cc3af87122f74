"""Who acts is proven: by the login at the keyboard for a command, by a single-use code of the post's holder in a form.

A campaign without accounts takes names as they are typed, and the doctor says so: a first try needs none, a demo has simulated
posts that no real campaign knows. From the first account on, whoever acts for a post needs one. ``CANBAO_ACCOUNTS_REQUIRED=1``
takes no unproven name at all.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models import trail_key
from models.database import transaction
from models.errors import ActorUnproven, WrongUse
from models.login import login_name
from models.plan import Plan
from models.store import accounts as store
from models.store import campaigns
from rules.actors import Post, is_simulated, named, posts
from tasks import refusals
from tasks.campaign import plan_in_force

if TYPE_CHECKING:
    import pyotp

REQUIRED = "CANBAO_ACCOUNTS_REQUIRED"
STEP_SECONDS, STEPS_ASIDE = 30, 1
"""As every authenticator counts; a clock may be half a minute wrong."""
WRONG_CODES, BLOCKED_STEPS = 5, 30
"""After so many that do not hold, an account's codes count for nothing for a quarter of an hour: nobody tries them all out."""
_SECRET_BYTES = 20


@dataclass(frozen=True)
class Typed:
    """A code as it was typed in a form, and when: by the clock, whatever day the flow acts as of."""

    code: str
    at: datetime


def add(campaign: str, post: str, os_user: str | None, with_codes: bool, as_of: datetime) -> dict[str, Any]:
    """A further account for a post of the plan. Raises WrongUse for a post that the plan does not have, for a login that has an
    account already (one person, one post), and where neither a login nor codes are asked for.

    The answer holds the secret of the codes, which is shown this once and kept nowhere: it follows from the key of the audit trail.
    """
    plan, by = plan_in_force(campaign), login_name()
    with refusals.kept(campaign, "account added", post, by, as_of):
        found = _one_post(plan, post)
        if not os_user and not with_codes:
            raise WrongUse("an account needs a login, codes, or both.", where=found.shown, cure="Give --login NAME, --codes, or both.")
        with transaction() as tx:
            number = store.add(tx, campaign, found.organisation, found.title, os_user, as_of, by)
            if number is None:
                raise WrongUse("this login has an account already.", where=campaign,
                               cure="`canbao account list CAMPAIGN` shows it; remove that one first. Who may do two things cannot be two people.")
            campaigns.audit(tx, campaign, at=as_of, actor=by, action="account added", subject=f"account {number}: {found.shown}", count=1,
                            reason="login" if os_user and not with_codes else "codes" if not os_user else "login and codes")
    return {"account": number, "post": found.shown, "login": os_user} | (renew(campaign, number, as_of) if with_codes else {})


def renew(campaign: str, number: int, as_of: datetime) -> dict[str, Any]:
    """New codes for an account; those before count no more. Raises WrongUse where there is no such account."""
    by = login_name()
    with transaction() as tx:
        count = store.new_codes(tx, campaign, number)
        if count is None:
            raise _no_such(campaign, number)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="codes given out", subject=f"account {number}", count=count, reason="")
    codes = _codes(campaign, number, count)
    return {"account": number, "secret": codes.secret, "uri": codes.provisioning_uri(name=f"{campaign}/{number}", issuer_name="canbao")}


def remove(campaign: str, number: int, as_of: datetime) -> dict[str, Any]:
    """Ends an account: nobody acts by it any more. Raises WrongUse where there is no such account."""
    by = login_name()
    with transaction() as tx:
        if not store.remove(tx, campaign, number, as_of):
            raise _no_such(campaign, number)
        campaigns.audit(tx, campaign, at=as_of, actor=by, action="account removed", subject=f"account {number}", count=1, reason="")
    return {"account": number}


def listed(campaign: str) -> list[dict[str, Any]]:
    """The accounts in force: number, post, login, whether there are codes, and whether the plan still has the post."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        rows = store.in_force(tx, campaign)
    return [{"account": row["id"], "post": post.shown if (post := _post(plan, row)) else row["title"], "login": row["os_user"],
             "codes": row["codes"] > 0, "in_plan": post is not None} for row in rows]


def are_asked_for(campaign: str) -> bool:
    """Whether a name alone counts for nothing in this campaign."""
    with transaction() as tx:
        return _are_asked_for(store.in_force(tx, campaign))


def _are_asked_for(rows: Sequence[store.Row]) -> bool:
    return bool(rows) or os.environ.get(REQUIRED) == "1"


def prove(plan: Plan, by: str, purpose: str, as_of: datetime, *, code: Typed | None = None, office: bool = False) -> None:
    """Raises ActorUnproven unless whoever acts holds an account of the post ``by``, or the campaign asks for none.

    ``code`` is None for a command, where the login counts; in a form it is what was typed, and counts for ``purpose`` only, once: the
    same again for the same (a run that is run again) holds, for anything else it does not. With ``office`` the post must be one of
    the plan's office. What was proven stands in the audit trail, and so does what was not.
    """
    with transaction() as tx:
        rows = store.in_force(tx, plan.id)
    if (plan.drill is not None and is_simulated(by)) or not _are_asked_for(rows):
        return
    with refusals.kept(plan.id, purpose, "account", by, as_of):
        wanted = named(plan, by)
        if office and not any(post.organisation == plan.office for post in wanted):
            shown = "、".join(post.shown for post in posts(plan, plan.organisation(plan.office)))
            raise ActorUnproven("this is for the office's posts.", where=plan.id, cure=f"Those are: {shown}.",
                                told=f"只有牵头单位的岗位可以办理：{shown}。")
        held = [row for row in rows if _post(plan, row) in wanted]
        if not held:
            raise ActorUnproven("nobody has an account of this post.", where=plan.id,
                                cure="`canbao account list CAMPAIGN` shows who has one; whoever runs the installation adds one.",
                                told="该岗位没有登记账号，请联系系统管理员登记。")
        number = _by_login(plan, held) if code is None else _by_code(plan, held, code, purpose)
    with transaction() as tx:
        campaigns.audit(tx, plan.id, at=as_of, actor=by[:refusals.LONGEST_NAME], action="proven by login" if code is None else "proven by code",
                        subject=f"account {number}", count=1, reason=purpose)


def preparer(campaign: str, by: str | None, purpose: str, as_of: datetime, code: Typed | None = None) -> str | None:
    """Who prepares a release: the post that was typed, once it is proven; None for whoever runs the installation, where nothing was
    typed and the campaign asks for no proof. Else the post of the login, so that nobody approves what they have begun themselves."""
    plan = plan_in_force(campaign)
    if by:
        prove(plan, by, purpose, as_of, code=code)
        return by
    with transaction() as tx:
        rows = store.in_force(tx, campaign)
    if not _are_asked_for(rows):
        return None
    login = login_name()
    return next((post.shown for row in rows if row["os_user"] == login and (post := _post(plan, row)) is not None), login)


def _by_login(plan: Plan, held: Sequence[store.Row]) -> int:
    login = login_name()
    for row in held:
        if row["os_user"] == login:
            return int(row["id"])
    raise ActorUnproven("the login at this keyboard holds no account of this post.", where=plan.id,
                        cure="Act for the post that you hold (`canbao account list CAMPAIGN`), or have its holder act.")


def _by_code(plan: Plan, held: Sequence[store.Row], code: Typed, purpose: str) -> int:
    with transaction() as tx:
        for row in held:
            if row["codes"] and _holds(tx, plan.id, row, code, purpose):
                return int(row["id"])
        for row in held:
            store.failed(tx, row["id"], _step(code.at), code.at)
    raise ActorUnproven("the code does not hold.", where=plan.id,
                        cure="Type what the post's authenticator shows now; each code counts once, and after five wrong ones none for 15 minutes.",
                        told="验证码无效：请填写该岗位验证器当前显示的六位数字，每个只能用一次；"
                             "连续填错五次，十五分钟内不再接受。")


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def _holds(tx: Any, campaign: str, row: store.Row, code: Typed, purpose: str) -> bool:
    codes, number, step = _codes(campaign, row["id"], row["codes"]), int(row["id"]), _step(code.at)
    typed = unicodedata.normalize("NFKC", code.code).strip().encode()  # an input method may write digits of full width
    if any(hmac.compare_digest(codes.generate_otp(used).encode(), typed) for used in store.used_for(tx, number, purpose)):
        return True
    if store.failures_since(tx, number, step - BLOCKED_STEPS) >= WRONG_CODES:
        return False
    return any(hmac.compare_digest(codes.generate_otp(near).encode(), typed) and store.use(tx, number, near, purpose, code.at)
               for near in range(step - STEPS_ASIDE, step + STEPS_ASIDE + 1))


def _codes(campaign: str, number: int, count: int) -> pyotp.TOTP:
    import pyotp

    secret = hmac.new(trail_key.key(make=True), f"codes\0{campaign}\0{number}\0{count}".encode(), "sha256").digest()[:_SECRET_BYTES]
    return pyotp.TOTP(b32encode(secret).decode(), interval=STEP_SECONDS)


def _one_post(plan: Plan, name: str) -> Post:
    found = [post for post in named(plan, name) if post.title and post.organisation]
    if len(found) != 1:
        raise WrongUse("the plan has no post of this name." if not found else "several posts are called so.", where=plan.id,
                       cure="Its posts: " + "、".join(post.shown for org in plan.organisations for post in posts(plan, org)) + ".")
    return found[0]


def _post(plan: Plan, row: store.Row) -> Post | None:
    """The post of an account, as the plan in force has it; None where it has no such post any more."""
    org = plan.by_code.get(row["organisation"])
    return next((post for post in posts(plan, org) if post.title == row["title"]), None) if org is not None else None


def _no_such(campaign: str, number: int) -> WrongUse:
    return WrongUse(f"there is no account {number}.", where=campaign, cure="`canbao account list CAMPAIGN` shows those there are.")
