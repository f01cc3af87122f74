"""批准下发: a proposal waits in Prefect for a form to be filled in; the approval row decides, the form only writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.states import Cancelled
from pydantic import Field

from flows.clock import is_of_deployment, run_name, typed
from flows.parameters import Campaign, Code, Post, Words
from flows.summary import publish
from models.errors import CanbaoError
from tasks import approvals
from tasks.approvals import Proposal
from tasks.effect import guarded
from tasks.events import announce
from tasks.release import release as hand_out

FLOW = "approve-release"
WORDS = {"lapsed": "超过期限未批准，请重新比对提请", "changed": "清单已变化，请重新提请", "replaced": "已有新的提请，本次作废",
         "refused": "不予下发", "released": "已下发", "approved": "已批准", "waiting": "等待批准"}


class Decision(RunInput):
    """The form. Prefect cannot prove who fills it in: the code of the post's holder does, in a campaign with accounts; the post stands in
    the audit trail; the preparer's and unknown ones are refused."""

    by: Post = Field(title="审批岗位", description="方案授权的审批岗位（见上），不得与提请岗位相同；不写个人姓名")
    decision: Literal["批准", "不批准"] = Field(title="决定")
    code: Code = Field(default="", title="验证码", description="该岗位验证器当前显示的六位数字，只能用一次；没有登记账号的行动不填")
    reason: Words = Field(default="", title="理由", description="不批准时必填；不写个人信息，不得有六位以上连续数字")


@flow(name=FLOW, description="批准下发：核对清单数量，批准或退回；批准后自动下发", flow_run_name=run_name("批准下发"))
@guarded
def approve_release(campaign: Campaign, release: int | None = None, as_of: datetime | None = None) -> dict[str, object]:
    """Waits until somebody other than the preparer decides on exactly these lists, then hands them out or ends.

    The run stands as *Suspended*: press Resume and fill in the form. `canbao approve` decides as well.

    Args:
        campaign: id of the campaign.
        release: number of the proposal; the newest one if left empty.
        as_of: the instant to act as of; now if left empty.
    """
    proposal = _wanted(campaign, release, as_of)
    told, asked = "", 0
    while proposal.state == "waiting":
        asked += 1
        answer = suspend_flow_run(
            wait_for_input=Decision.with_initial_data(description=what_is_asked(proposal, told, approvals.who_may_decide(campaign))),
            timeout=max(1, int((proposal.decide_before - _now(as_of)).total_seconds())),
            # A decision is on this proposal: run again for another content, it must be asked for again.
            key=f"{proposal.key}-{asked}")
        told = approvals.decide(campaign, proposal, answer.decision == "批准", answer.by, answer.reason, _now(as_of), typed(answer.code))
        proposal = approvals.standing(campaign, proposal.release, _now(as_of))
    result: dict[str, object] = {"release": proposal.release, "run": proposal.run, "state": WORDS[proposal.state]}
    if proposal.state == "approved":
        result |= hand_out(campaign, proposal.run, _now(as_of)) | {"state": WORDS["released"]}
    publish("approval", campaign, proposal.period, result)
    announce(campaign, _now(as_of))
    return result


def _now(as_of: datetime | None) -> datetime:
    """A decision is made when it is made: a run that waited for days goes on under its old scheduled time."""
    return as_of or datetime.now(UTC)


def _wanted(campaign: str, release: int | None, as_of: datetime | None) -> Proposal:
    if release is not None:
        return approvals.standing(campaign, release, _now(as_of))
    found = approvals.newest(campaign, _now(as_of))
    if found is None:
        raise CanbaoError("nothing was proposed for release.", where=campaign, cure="Run the comparison first.")
    return found


def what_is_asked(proposal: Proposal, told: str, by: str) -> str:
    """What the approver reads above the form: why the last answer did not count, who may decide, and the lists by owner, in counts."""
    by_list: dict[str, list[tuple[str, int]]] = {}
    for name, owner, count in proposal.lists:
        by_list.setdefault(name, []).append((owner, count))
    lines = [f"> **上一次填写无效：** {told}\n"] if told else []
    lines += [f"**{proposal.period} 清单下发**：共 {proposal.findings:,} 条，由「{proposal.prepared_by}」提请，",
              f"请在 {proposal.decide_before:%Y-%m-%d %H:%M} 前决定。内容指纹 `{proposal.content_sha256[:16]}`，",
              f"批准只对这一内容（花名册上每一格）有效，批准后自动下发。可以审批的岗位：{by}。\n", "| 清单 | 条数 | 责任单位 |", "|---|---:|---|"]
    lines += [f"| {name} | {sum(count for _, count in owners):,} | {'、'.join(f'{owner} {count:,}' for owner, count in owners)} |"
              for name, owners in by_list.items()]
    return "\n".join(lines)


def ask_for_approval(campaign: str, now: datetime) -> int:
    """Has a run wait for what is proposed and undecided (or hand out what was approved by command), one for each proposal,
    and ends the runs that wait for what nobody needs to decide any more. Returns how many runs were begun or are there.

    Only in a deployment's run: a rehearsal has nobody who could fill in a form.
    """
    if not is_of_deployment():
        return 0
    proposal = approvals.propose_what_changed(campaign, now)
    if proposal is None:
        return 0
    _end_needless(campaign, now)
    if proposal.state not in ("waiting", "approved"):
        return 0
    try:
        run_deployment(f"{FLOW}/{campaign}", parameters={"campaign": campaign, "release": proposal.release}, timeout=0,
                       as_subflow=False, idempotency_key=f"{FLOW}/{campaign}/{proposal.key}/{proposal.state}")
    except ObjectNotFound:  # this installation approves by command
        return 0
    return 1


def _end_needless(campaign: str, now: datetime) -> None:
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))),
        ):
            number = run.parameters.get("release")
            if run.parameters.get("campaign") != campaign or number is None:
                continue
            state = approvals.standing(campaign, number, now).state
            if state != "waiting":
                client.set_flow_run_state(UUID(str(run.id)), Cancelled(message=WORDS[state]), force=True)
