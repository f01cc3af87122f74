"""How proposals of a release stand, and what an approver is shown. The rows decide; a form is one way to write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.database import transaction
from models.errors import ApprovalMissing, WrongUse
from models.plan import Plan
from models.store import findings as store
from rules.actors import approvers
from tasks.accounts import Typed
from tasks.campaign import as_instant, plan_in_force, short_name
from tasks.release import approve, content, decide_before, limits, propose, refuse

State = Literal["waiting", "approved", "refused", "released", "lapsed", "changed", "replaced"]


@dataclass(frozen=True)
class Proposal:
    """One proposal to release a run's lists: exactly this content, by whom, and how it stands.

    lapsed: nobody decided in time, or the approval has expired. changed: the lists are others by now and were not
    proposed yet. replaced: a newer proposal or a newer run stands in its place.
    """

    release: int
    run: int
    period: str
    content_sha256: str
    findings: int
    prepared_by: str
    prepared_at: datetime
    decide_before: datetime
    state: State
    lists: tuple[tuple[str, str, int], ...]
    """(list, owner, findings) of what would be handed out, in Chinese names."""

    @property
    def key(self) -> str:
        """The same as long as it is the same proposal of the same content at the same time."""
        return f"{self.release}-{self.prepared_at:%Y%m%d%H%M%S}"


def newest(campaign: str, as_of: datetime) -> Proposal | None:
    """The latest proposal of the latest run; None if there is none."""
    with transaction() as tx:
        run = store.latest_run(tx, campaign)
        found = store.release_of(tx, campaign, run["id"]) if run is not None else None
    return None if found is None else standing(campaign, found["id"], as_of)


def standing(campaign: str, release: int, as_of: datetime) -> Proposal:
    """How one proposal stands. Raises WrongUse if there is none."""
    plan = plan_in_force(campaign)
    with transaction() as tx:
        row = store.proposal(tx, campaign, release)
        if row is None:
            raise WrongUse(f"there is no proposal {release}.", where=campaign, cure="Run the comparison first.")
        run, latest = store.run(tx, row["run_id"]), store.latest_run(tx, campaign)
        last = store.release_of(tx, campaign, row["run_id"])
        assert run is not None  # the proposal's foreign key holds it
        listed = store.hand_out_counts(tx, limits(plan, as_of))
        is_replaced = last is None or last["id"] != release or (latest is not None and latest["id"] != row["run_id"])
        state = _settled(plan, row, is_replaced, as_of)
        if state is None:
            state = ("changed" if content(tx, plan, run, as_of).digest != row["content_sha256"]
                     else "approved" if row["approved_at"] is not None else "waiting")
    return Proposal(
        release, row["run_id"], run["period"], row["content_sha256"], row["findings"], row["prepared_by"],
        as_instant(plan, row["prepared_at"]), as_instant(plan, decide_before(plan, row)), state,
        tuple((entry.name, short_name(plan, found["owner"]), found["findings"]) for entry in plan.lists
              for found in listed if found["list"] == entry.id))


def _settled(plan: Plan, row: store.Row, is_replaced: bool, as_of: datetime) -> State | None:
    """How a proposal stands that nothing can come of any more, whatever its lists say by now; None for one that is alive."""
    if row["released_at"] is not None:
        return "released"
    if is_replaced:
        return "replaced"
    if row["refused_at"] is not None:
        return "refused"
    return "lapsed" if as_of > (row["expires_at"] or decide_before(plan, row)) else None


def who_may_decide(campaign: str) -> str:
    """The posts that the plan lets approve, in Chinese, for whoever fills in the form."""
    return "、".join(post.shown for post in approvers(plan_in_force(campaign)))


def decide(campaign: str, proposal: Proposal, approves: bool, by: str, reason: str, as_of: datetime, code: Typed | None = None) -> str:
    """Writes a decision on exactly the content that was shown; returns why it does not count, in Chinese, '' if it does."""
    try:
        if approves:
            approve.fn(campaign, proposal.run, by, as_of, reason, proposal.content_sha256, code)
        else:
            refuse.fn(campaign, proposal.run, by, as_of, reason, proposal.content_sha256, code)
    except (ApprovalMissing, WrongUse) as fault:
        return fault.told or str(fault)
    return ""


def propose_what_changed(campaign: str, as_of: datetime) -> Proposal | None:
    """The newest proposal as it stands; lists that have changed since they were proposed are proposed anew, by the same
    preparer: an approval counts for one content only."""
    found = newest(campaign, as_of)
    if found is None or found.state != "changed":
        return found
    propose.fn(campaign, found.run, found.prepared_by, as_of)
    return newest(campaign, as_of)
