"""The commands of the office: how the campaign stands, what comes back from units, what is decided, what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from canbao.app import REPORTS, AsOf, CampaignArg, Json, PeriodLabel, answer, app, campaign_id, day_of, instant_of, show
from models.errors import WrongUse

Item = Annotated[str, typer.Option("--item", help="Obligation id, or feed:<feed>.")]
Org = Annotated[str, typer.Option("--org", help="Code of the organisation that owes it.")]
By = Annotated[str, typer.Option("--by", help="Post or account that decides; never a private person.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays beside the row.")]
BulletinOption = Annotated[str, typer.Option("--bulletin", help="Id of the bulletin in the plan.")]


@app.command(rich_help_panel=REPORTS)
def status(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Phases, obligations, feeds, lists, progress, forecast."""
    from canbao import render
    from tasks.status import status as stand

    code = campaign_id(campaign)
    result = stand(code, instant_of(code, as_of))
    show(result, as_json, lambda: render.status(result))


@app.command(rich_help_panel=REPORTS)
def board(
    campaign: CampaignArg, out: Annotated[Path | None, typer.Option("--out", help="File to write; the campaign's own board if left out.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """The campaign board: one HTML page in Chinese to look at, pin up or print. Counts only; sweeps keep it fresh."""
    from tasks.board import board_file, draw_board

    code = campaign_id(campaign)
    result = draw_board(code, instant_of(code, as_of), out or board_file(code))
    answer(result, as_json, f"{result['out']}: {result['places']} places, {result['late']} things late.")


@app.command(rich_help_panel=REPORTS)
def submit(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="The workbook.")],
    org: Annotated[str, typer.Option("--org", help="Code of the organisation that hands it in.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """A township's report or worked roster comes back."""
    from tasks.submissions import take_return

    code = campaign_id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the workbook's path.")
    result = take_return.fn(code, org, str(file), instant_of(code, as_of))
    state = "sent back" if result["sent_back"] else "accepted" if result["new"] else "already here"
    answer(result, as_json, f"{file.name}: {state}, {result['claims']} answers recorded.")
    raise typer.Exit(1 if result["sent_back"] else 0)


@app.command(rich_help_panel=REPORTS)
def acknowledge(
    campaign: CampaignArg, item: Item, org: Org, period: PeriodLabel, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records 「收到」 to a reminder: the ladder pauses as the plan says; it does not end."""
    from tasks.obligations import acknowledge as seen

    code = campaign_id(campaign)
    result = seen(code, item, org, period, instant_of(code, as_of))
    answer(result, as_json, f"{org} {item} {period}: acknowledged.")


@app.command(rich_help_panel=REPORTS)
def extend(
    campaign: CampaignArg, item: Item, org: Org, period: PeriodLabel, by: By, reason: Reason,
    until: Annotated[str, typer.Option("--until", help="The new last day, YYYY-MM-DD, inclusive.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Grants one organisation a later last day, as a dated row of its own."""
    from tasks.obligations import extend as grant

    code = campaign_id(campaign)
    result = grant(code, item, org, period, day_of(until), by, reason, instant_of(code, as_of))
    answer(result, as_json, f"{org} {item} {period}: due before {result['due_before']}.")


@app.command(rich_help_panel=REPORTS)
def excuse(
    campaign: CampaignArg, by: By, reason: Reason,
    item: Annotated[str | None, typer.Option("--item", help="Obligation id, or feed:<feed>.")] = None,
    org: Annotated[str | None, typer.Option("--org", help="Code of the organisation that owes it.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Label of the period, as `canbao status` shows it.")] = None,
    before: Annotated[str | None, typer.Option(
        "--before", help="Everything that fell due before this day, YYYY-MM-DD, and is not there; the others narrow it.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Excuses one organisation from one obligation, or, with --before, what fell due before a campaign was begun here.

    An excused feed is not waited for.
    """
    from tasks import obligations

    code = campaign_id(campaign)
    moment = instant_of(code, as_of)
    if before is not None:
        result = obligations.excuse_before(code, day_of(before), by, reason, moment, item=item, organisation=org, period=period)
        answer(result, as_json, f"{result['excused']:,} obligations that fell due before {before}: excused.")
    elif item and org and period:
        result = obligations.excuse(code, item, org, period, by, reason, moment)
        answer(result, as_json, f"{org} {item} {period}: excused.")
    else:
        raise WrongUse("say what is excused.", where=code, cure="Give --item, --org and --period, or --before DAY.")


@app.command(rich_help_panel=REPORTS)
def sweep(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Reminds, escalates, records; safe at any time, any number of times. Needs no Prefect."""
    from tasks.alarm import alarm_of_gap, tell_head
    from tasks.attempts import close_dead_runs
    from tasks.board import refresh_board
    from tasks.campaign import keep_phases
    from tasks.events import announce
    from tasks.sending import send_messages
    from tasks.supervision import prepare_supervision
    from tasks.sweep import sweep_obligations

    code = campaign_id(campaign)
    moment = instant_of(code, as_of)
    keep_phases.fn(code, moment)
    alarm_of_gap.fn(code, moment)
    tell_head.fn(code, moment)
    close_dead_runs.fn(code, moment)
    result = {**sweep_obligations.fn(code, moment), "candidates": prepare_supervision.fn(code, moment)["candidates"],
              "delivered": send_messages.fn(code, moment)["sent"]}
    announce(code, moment)
    result["board"] = refresh_board.fn(code, moment)["drawn"]
    answer(result, as_json, f"{result.get('sent', 0)} steps sent, {result['delivered']} messages delivered.")


@app.command(rich_help_panel=REPORTS)
def dispute(
    campaign: CampaignArg, finding: Annotated[int | None, typer.Option(help="Task number on the roster.")] = None,
    by: Annotated[str, typer.Option("--by", help="Code of the owner or co-owner that disputes it.")] = "",
    to: Annotated[str, typer.Option("--to", help="Code of the organisation that should lead.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stays beside the row.")] = "",
    waiting: Annotated[bool, typer.Option("--list", help="Show the disputes that wait to be settled.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records that another organisation should lead a finding. Until it is settled, who leads goes on leading."""
    from canbao import render
    from tasks import ownership

    code = campaign_id(campaign)
    if waiting:
        found = ownership.waiting(code)
        answer({"campaign": code, "disputes": found}, as_json, lambda: render.disputes(found))
        return
    if finding is None or not (by and to and reason):
        raise WrongUse("say who disputes which finding, who should lead, and why.",
                       cure="--finding NUMBER --by ORG --to ORG --reason …, or --list.")
    result = ownership.dispute(code, finding, by, to, reason, instant_of(code, as_of))
    answer(result, as_json, f"dispute {result['dispute']}: {result['lead']} leads until it is settled.")


@app.command(rich_help_panel=REPORTS)
def settle(
    campaign: CampaignArg, number: Annotated[int, typer.Option("--dispute", help="Number of the dispute.")], by: By,
    reason: Reason, accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether the wanted owner leads from now on.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Settles a dispute between owners; a party to it cannot (four eyes)."""
    from tasks import ownership

    code = campaign_id(campaign)
    result = ownership.settle(code, number, by, accept, reason, instant_of(code, as_of))
    answer(result, as_json, f"dispute {number}: {result['lead']} leads.")


@app.command(rich_help_panel=REPORTS)
def candidates(
    campaign: CampaignArg, everything: Annotated[bool, typer.Option("--all", help="Those decided on, too.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Who may be commended, criticised or supervised, with the evidence. Nothing follows unless somebody decides."""
    from canbao import render
    from tasks.supervision import candidates as prepared

    code = campaign_id(campaign)
    found = prepared(code, instant_of(code, as_of), undecided_only=not everything)
    show({"campaign": code, "candidates": found}, as_json, lambda: render.candidates(found))


@app.command("decide-candidate", rich_help_panel=REPORTS)
def decide_candidate(
    campaign: CampaignArg, number: Annotated[int, typer.Option("--candidate", help="Number of the candidate.")], by: By,
    reason: Reason, accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether it is to be followed.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records what a person decided on a candidate, and why. It stands for good; nothing is sent."""
    from tasks.supervision import decide as record_decision

    code = campaign_id(campaign)
    result = record_decision(code, number, accept=accept, by=by, reason=reason, as_of=instant_of(code, as_of))
    answer(result, as_json, f"candidate {number} ({result['organisation']}, {result['name']}): {result['decision']}.")


@app.command(rich_help_panel=REPORTS)
def bulletin(
    campaign: CampaignArg, bulletin_id: BulletinOption, period: PeriodLabel, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Issues one bulletin with its annex, once, and first corrects those published before that no longer hold."""
    from tasks.bulletin import issue_bulletin
    from tasks.correction import issue_corrections

    code = campaign_id(campaign)
    moment = instant_of(code, as_of)
    corrected = issue_corrections.fn(code, moment)
    result = {**issue_bulletin.fn(code, bulletin_id, period, moment), "corrections": corrected["issued"]}
    answer(result, as_json, f"{bulletin_id} {period}: {'issued' if result['new'] else 'published before, unchanged'}; "
                             f"{corrected['corrections']} corrections.")


@app.command("correct-bulletin", rich_help_panel=REPORTS)
def correct_bulletin(
    campaign: CampaignArg, bulletin_id: Annotated[str | None, typer.Option("--bulletin", help="Only this one.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Only that of this period.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Issues a correction (更正) for every published bulletin whose figures have changed. Exit 1 if none has."""
    from tasks.correction import issue_corrections

    code = campaign_id(campaign)
    result = issue_corrections.fn(code, instant_of(code, as_of), bulletin_id, period)
    answer(result, as_json, "\n".join(
        f"{entry['number']} corrects {entry['corrects']}: {entry['figures']} figures, {entry['document']}"
        for entry in result["issued"]) or "nothing that was published has changed.")
    raise typer.Exit(0 if result["corrections"] else 1)
