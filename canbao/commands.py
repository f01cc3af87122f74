"""The commands of ``canbao``. Each parses, calls one task or flow, and prints."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from canbao import render
from models.errors import CanbaoError, PlanUnsound, WrongUse

# Pretty tracebacks would print local variables, and with them people.
app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="全民参保计划 · runs a social insurance enrolment campaign from its plan to its acceptance.")
plan_app = typer.Typer(no_args_is_help=True, help="Plans: check one before it is put in force.")
app.add_typer(plan_app, name="plan")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
CampaignArg = Annotated[str, typer.Argument(help="An id under campaigns/ or a path to a plan file.")]
Month = Annotated[str, typer.Option("--period", help="Month of the data, YYYY-MM.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="An instant such as 2021-06-03T09:00+08:00; now if left out.")]


def run() -> None:
    """Runs the command line. Faults are printed with what, where and cure, never as a traceback."""
    try:
        # Without click's own handling an Exit comes back as the code it carries.
        sys.exit(app(standalone_mode=False) or 0)
    except CanbaoError as error:
        print(f"canbao: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(1)
    except KeyboardInterrupt:
        print("canbao: stopped; run the same command again to continue.", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        click_exit = getattr(error, "exit_code", None)
        if click_exit is None:
            raise
        if hasattr(error, "show"):
            error.show()
        sys.exit(click_exit)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _answer(result: dict[str, Any], as_json: bool, prose: str) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    else:
        _say(prose)


def _period(label: str) -> str:
    try:
        datetime.strptime(label, "%Y-%m")  # noqa: DTZ007 - a label, not an instant
    except ValueError:
        raise WrongUse(f"{label!r} is no month.", cure="Write it like 2021-05.") from None
    return label


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is no day.", cure="Write it like 2021-07-31.") from None


def _instant(campaign: str, text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    from tasks.campaign import as_instant, plan_in_force

    try:
        return as_instant(plan_in_force(campaign), datetime.fromisoformat(text))
    except ValueError:
        raise WrongUse(f"{text!r} is no instant.", cure="Write it like 2021-06-03T09:00:00+08:00.") from None


def _id(campaign: str) -> str:
    """The campaign's id, whether an id or a plan file was given; one in the record needs no file any more."""
    from models.database import transaction
    from models.plan_file import find, read
    from models.store import campaigns

    try:
        path = find(campaign)
    except WrongUse:
        with transaction() as tx:
            if campaigns.is_stored(tx, campaign):
                return campaign
        raise
    return campaign if path.parent.name == campaign else read(path).plan.id


@plan_app.command("check")
def plan_check(plan: CampaignArg, as_json: Json = False) -> None:
    """Is this plan sound? Every fault with its place and its cure."""
    from comparison.plan_check import check
    from models.plan_file import find

    try:
        report = check(find(plan))
    except PlanUnsound as unsound:
        faults, notes, name = unsound.faults, [], plan
    else:
        faults, notes, name = list(report.faults), list(report.notes), plan
    result = {"plan": name, "sound": not faults,
              "faults": [vars(fault) for fault in faults], "notes": [vars(note) for note in notes]}
    _answer(result, as_json, render.plan_report(name, faults, notes))
    raise typer.Exit(1 if faults else 0)


@app.command()
def calendar(campaign: CampaignArg, as_json: Json = False) -> None:
    """Every phase, deadline (nominal and effective), reminder and step."""
    from comparison.plan_check import load_sound

    plan = load_sound(campaign).plan
    table = render.calendar_rows(plan)
    if as_json:
        print(json.dumps({"campaign": plan.id, "calendar": table}, ensure_ascii=False, default=str))
    else:
        print(render.calendar_text(plan, table))


@app.command()
def simulate(
    campaign: CampaignArg, out: Annotated[Path, typer.Option("--out", help="Folder for inbox/ and truth/.")],
    persons: Annotated[int | None, typer.Option(help="Population; the place's own size if left out.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same place.")] = 1,
    periods: Annotated[str | None, typer.Option(help="Months, comma separated.")] = None,
    defects: Annotated[str | None, typer.Option(
        help="Faults of department files to make: all, none or numbers of docs/catalogue.md (1,5,13). Without it, as the place says: none.")] = None,
    defect_rate: Annotated[list[str] | None, typer.Option(help="A rate in place of the catalogue's: 20=0.01. Repeat it.")] = None,
    as_json: Json = False,
) -> None:
    """A synthetic place: DIR/inbox/<feed>/<period>/… and DIR/truth/…"""
    from comparison.plan_check import load_sound
    from rehearsal.simulate import simulate as make

    labels = [_period(label.strip()) for label in periods.split(",")] if periods else None
    result = make(load_sound(campaign), persons=persons, seed=seed, periods=labels, out=out, defects=defects,
                  defect_rates=defect_rate or ())
    _answer(result, as_json, f"{result['persons']:,} persons, {result['files']} files in {out}/inbox, truth in {out}/truth.")


@app.command()
def mobilise(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Puts a plan in force without Prefect: stores it and makes its obligations ahead."""
    from tasks.campaign import keep_phases, plan_in_force, store_plan, today
    from tasks.obligations import fallen_due, make_obligations

    moment = datetime.fromisoformat(as_of) if as_of else datetime.now(UTC)
    stored = store_plan.fn(campaign, moment)
    code = str(stored["campaign"])
    result = {**stored, **make_obligations.fn(code, moment), "fallen_due": fallen_due(code, moment)}
    keep_phases.fn(code, moment)
    late = (f"\n{result['fallen_due']:,} of them fell due before today and nothing is there. If they are not owed: "
            f"canbao excuse {code} --before {today(plan_in_force(code), moment)} --by POST --reason …") if result["fallen_due"] else ""
    _answer(result, as_json, f"{code}: in force, {result['expected']} obligations ({result['made']} new).{late}")


@app.command()
def intake(
    campaign: CampaignArg, period: Month,
    inbox: Annotated[Path | None, typer.Option(help="Folder with <feed>/<period>/<file>; the campaign's own if left out.")] = None,
    feed: Annotated[str | None, typer.Option(help="With --url-env: the feed that the view is.")] = None,
    provider: Annotated[str | None, typer.Option(help="With --url-env: who gives it, where a feed has several.")] = None,
    url_env: Annotated[str | None, typer.Option(help="A variable CANBAO_SOURCE_… with a SQLAlchemy address.")] = None,
    view: Annotated[str | None, typer.Option(help="With --url-env: the view or table, perhaps schema.view.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="With --url-env: canonical=column of the view; repeatable.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Takes every file in, or the rows of one view: receipts, snapshots, quarantine. Says what is not taken, and why."""
    code, label = _id(campaign), _period(period)
    moment = _instant(code, as_of)
    held: list[dict[str, str]] = []
    elsewhere: dict[str, int] = {}
    if url_env or view or feed:
        receipts = [_view_receipt(code, label, moment, feed, provider, url_env, view, column or [])]
    else:
        receipts, held, elsewhere = _inbox_receipts(code, inbox, label, moment)
    returned = sum(entry["verdict"] == "returned" for entry in receipts)
    _answer({"campaign": code, "period": label, "files": receipts, "returned": returned, "held": held,
             "other_periods": elsewhere}, as_json, render.receipts(receipts, held, elsewhere))
    raise typer.Exit(1 if returned or held else 0)


def _inbox_receipts(
    code: str, inbox: Path | None, label: str, moment: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, str]], dict[str, int]]:
    """Receipts, what is held, and how many files wait in other periods."""
    from tasks.campaign import folder
    from tasks.doors import admit, look
    from tasks.inbox import Moment, policy, shown

    place = inbox or folder(code, "inbox")
    if not place.is_dir():
        raise WrongUse("there is no such folder.", where=str(place), cure="Give the folder that holds <feed>/<period>/.")
    found = look(code, place, Moment(datetime.now(UTC), by_hand=True), label)
    if found.is_settling:
        time.sleep(policy()["complete"]["by_hand_seconds"])
        found = look(code, place, Moment(datetime.now(UTC), by_hand=True), label)
    receipts = []
    # Arrival is the moment of the command here: files copied by hand carry any modification time.
    for file in found.arrived:
        name = shown(file.path.name)
        try:
            receipts.append({"file": name, "feed": file.feed, **admit.fn(code, file.feed, label, str(file.path), moment)})
        except CanbaoError as fault:
            receipts.append({"file": name, "feed": file.feed, "verdict": "returned", "reason": str(fault), "new": True})
    if not receipts and not found.held and not any(place.glob(f"*/{label}/*")):
        raise WrongUse("no file for this period.", where=f"{place}/<feed>/{label}", cure="Check feed folders and period.")
    held = [{"place": entry.place, "state": entry.state, "kind": entry.kind, "says": entry.says} for entry in found.held]
    return receipts, held, dict(found.elsewhere)


def _view_receipt(
    code: str, label: str, moment: datetime, feed: str | None, provider: str | None, url_env: str | None, view: str | None,
    columns: list[str],
) -> dict[str, Any]:
    from expectations.database_source import described
    from tasks.doors import take_view

    if not (feed and url_env and view):
        raise WrongUse("a view needs --feed, --url-env and --view.", cure="Give all three, or --inbox for files.")
    if not all("=" in pair for pair in columns):
        raise WrongUse("--column is canonical=column.", cure="Write it like --column id_number=GMSFHM.")
    source = described({"provider": provider, "url_env": url_env, "view": view,
                        "columns": dict(pair.split("=", 1) for pair in columns)})
    return {"file": view, "feed": feed, **take_view(code, feed, label, source, moment)}


Post = Annotated[str, typer.Option("--by", help="The post that confirms it; it stands in the audit trail.")]
Basis = Annotated[str, typer.Option("--reason", help="What the department answered, or the letter that says so.")]
MaybeText = Annotated[str | None, typer.Option()]


@app.command("map")
def map_header(
    campaign: CampaignArg, feed: MaybeText = None, provider: MaybeText = None,
    header: Annotated[str | None, typer.Option(help="The header as it stands in the department's file.")] = None,
    column: Annotated[str | None, typer.Option(help="The contract's column that it means; `-` leaves it out.")] = None,
    by: Post = "", reason: Basis = "",
    show: Annotated[bool, typer.Option("--list", help="Show what is remembered.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was confirmed of the header.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Remembers what a department's header means, and judges the files returned for it once more."""
    from tasks import confirmations

    code = _id(campaign)
    if show:
        entries = confirmations.listed_mappings(code, feed, provider)
        _answer({"campaign": code, "mappings": entries}, as_json, render.mappings(entries))
        return
    if not (feed and provider and header) or (column is None) != forget:
        raise WrongUse("say which header of whose files means what.",
                       cure="--feed F --provider P --header 某列 --column COLUMN (or --forget) --by POST --reason …")
    moment = _instant(code, as_of)
    if forget:
        result = confirmations.forget_mapping(code, feed, provider, header, by, reason, moment)
    else:
        result = confirmations.save_mapping(code, feed, provider, header, column or "", by, reason, moment)
    _answer(result, as_json, render.mapped(result))
    raise typer.Exit(1 if any(entry["verdict"] == "returned" for entry in result["judged"]) else 0)


DeliveryOption = Annotated[int, typer.Option("--delivery", help="The number that intake and receipts print.")]


@app.command()
def waive(
    campaign: CampaignArg, delivery: DeliveryOption, by: Post, reason: Basis, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Accepts a returned file that looks wrong and is right, once the department has confirmed it."""
    from tasks.confirmations import waive as accept

    code = _id(campaign)
    result = accept(code, delivery, by, reason, _instant(code, as_of))
    _answer(result, as_json, f"delivery {result['delivery']} ({result['verdict']}) stands for {delivery}: {result['reason']}")
    raise typer.Exit(1 if result["verdict"] == "returned" else 0)


@app.command()
def receipt(campaign: CampaignArg, delivery: DeliveryOption, as_json: Json = False) -> None:
    """The receipt of one delivery: hash, counts, verdict, checks, repairs, reasons. No person stands on it."""
    from tasks.receipts import receipt as told

    result = told(_id(campaign), delivery)
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    else:
        print(render.receipt(result))


@app.command()
def compare(
    campaign: CampaignArg, period: Month, as_of: AsOf = None,
    engine: Annotated[str, typer.Option(help="duckdb")] = "duckdb",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Old against new; nothing is recorded or replaced.")] = False,
    chunk: Annotated[list[str] | None, typer.Option(help="Run this chunk again, and what reads it; may be repeated.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands beside the attempt.")] = "", as_json: Json = False,
) -> None:
    """One comparison run over the accepted snapshots of a period."""
    from tasks.campaign import actor
    from tasks.comparison import rehearse_comparison, run_comparison
    from tasks.intake import missing_feeds
    from tasks.release import propose

    if engine != "duckdb":
        raise WrongUse(f"engine {engine!r} is not available.", cure="Use duckdb.")
    code, label = _id(campaign), _period(period)
    moment = _instant(code, as_of)
    if waiting := missing_feeds(code, label, moment):
        raise CanbaoError(f"{len(waiting)} required deliveries are missing: {', '.join(waiting)}.",
                          where=f"{code} {label}", cure="Take them in first (`canbao intake`).")
    if dry_run:
        found = rehearse_comparison(code, label, chunk or ())
        _answer(found, as_json, render.dry_run(found))
        raise typer.Exit(1 if found["stopped_by"] else 0)
    result = run_comparison.fn(code, label, moment, chunk or (), reason)
    result["proposal"] = propose.fn(code, result["run"], actor(), moment)
    _answer(result, as_json, f"run {result['run']}: {result['persons']:,} persons, unbalanced {result['unbalanced']}"
                             f"{'' if result['new'] else ' (these inputs were compared before)'}.")


@app.command()
def findings(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    as_json: Json = False,
) -> None:
    """The run's findings in full. An audited export: it holds full numbers."""
    from tasks.export import export_findings

    code = _id(campaign)
    result = export_findings(code, _period(period), out, datetime.now(UTC))
    _answer(result, as_json, f"{result['rows']:,} findings in {out}; the export is in the audit trail.")


@app.command()
def links(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    as_json: Json = False,
) -> None:
    """Which register row was linked to which person. An audited export."""
    from tasks.export import export_links

    code = _id(campaign)
    result = export_links(code, _period(period), out, datetime.now(UTC))
    _answer(result, as_json, f"{result['rows']:,} links in {out}; the export is in the audit trail.")


@app.command()
def approve(
    campaign: CampaignArg, run_id: Annotated[int, typer.Option("--run", help="The comparison run.")],
    by: Annotated[str, typer.Option("--by", help="Who decides; not who prepared.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Do not release these lists; needs a reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands beside the decision.")] = "", as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Approves the release of exactly the lists that were proposed (four eyes), or refuses it."""
    from tasks import release as releases

    code = _id(campaign)
    moment = _instant(code, as_of)
    if refuse:
        result = releases.refuse.fn(code, run_id, by, moment, reason)
    else:
        result = releases.approve.fn(code, run_id, by, moment, reason)
    _answer(result, as_json, f"{'refused' if refuse else 'approved'}: {result['findings']:,} findings of run {run_id}.")


@app.command()
def release(
    campaign: CampaignArg, run_id: Annotated[int, typer.Option("--run", help="The comparison run.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Writes the approved rosters, one workbook per owner."""
    from tasks.release import release as release_rosters

    code = _id(campaign)
    result = release_rosters.fn(code, run_id, _instant(code, as_of))
    _answer(result, as_json, f"{result['rosters']} rosters, {result['findings']:,} findings newly released.")


@app.command()
def submit(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="The workbook.")],
    org: Annotated[str, typer.Option("--org", help="Code of the organisation that hands it in.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """A township's report or worked roster comes back."""
    from tasks.submissions import take_return

    code = _id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the workbook's path.")
    result = take_return.fn(code, org, str(file), _instant(code, as_of))
    state = "sent back" if result["sent_back"] else "accepted" if result["new"] else "already here"
    _answer(result, as_json, f"{file.name}: {state}, {result['claims']} answers recorded.")
    raise typer.Exit(1 if result["sent_back"] else 0)


@app.command()
def sweep(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Reminds, escalates, records; safe at any time, any number of times. Needs no Prefect."""
    from tasks.alarm import alarm_of_gap
    from tasks.attempts import close_dead_runs
    from tasks.board import refresh_board
    from tasks.campaign import keep_phases
    from tasks.events import announce
    from tasks.sending import send_messages
    from tasks.supervision import prepare_supervision
    from tasks.sweep import sweep_obligations

    code = _id(campaign)
    moment = _instant(code, as_of)
    keep_phases.fn(code, moment)
    alarm_of_gap.fn(code, moment)
    close_dead_runs.fn(code, moment)
    result = {**sweep_obligations.fn(code, moment), "candidates": prepare_supervision.fn(code, moment)["candidates"],
              "delivered": send_messages.fn(code, moment)["sent"]}
    announce(code, moment)
    result["board"] = refresh_board.fn(code, moment)["drawn"]
    _answer(result, as_json, f"{result.get('sent', 0)} steps sent, {result['delivered']} messages delivered.")


@app.command()
def bench(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="Workbook to write.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Rows whose person is in doubt, beside whom they may be about, for a person to decide. An audited export."""
    from tasks.identities import bench as write

    code = _id(campaign)
    result = write(code, _period(period), out, _instant(code, as_of))
    _answer(result, as_json, f"{result['questions']:,} questions, {result['pairs']:,} pairs in {out}; the export is in the audit trail.")


@app.command()
def decide(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="A workbook of `canbao bench`, filled in.")],
    by: Annotated[str, typer.Option("--by", help="Post that decides; never a private person.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Remembers what was decided of doubtful identities; the next comparison applies it, and every one after."""
    from tasks.identities import decide as remember

    code = _id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the workbook's path.")
    result = remember(code, file, by, _instant(code, as_of))
    _answer(result, as_json, f"{result['changed']:,} decisions are new, {result['undecided']:,} pairs stay undecided. "
                             "Run the comparison again to apply them.")


@app.command(name="old-numbers")
def old_numbers(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="CSV: one column of old numbers, one of new ones.")],
    by: Annotated[str, typer.Option("--by", help="Post that answers for the table; never a private person.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Takes the police's table of replaced citizen numbers; comparisons link registers that still carry an old one."""
    from tasks.old_numbers import take_old_numbers

    code = _id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the table's path.")
    result = take_old_numbers(code, file, by, _instant(code, as_of))
    refused = "".join(f"\n  refused, {reason}: lines {', '.join(map(str, lines))}" for reason, lines in result["refused"].items())
    _answer(result, as_json, f"{result['added']:,} of {result['lines']:,} lines are new, {result['known']:,} numbers known. "
                             f"Run the comparison again to apply them.{refused}")


Item = Annotated[str, typer.Option("--item", help="Obligation id, or feed:<feed>.")]
Org = Annotated[str, typer.Option("--org", help="Code of the organisation that owes it.")]
PeriodLabel = Annotated[str, typer.Option("--period", help="Label of the period, as `canbao status` shows it.")]
By = Annotated[str, typer.Option("--by", help="Post or account that decides; never a private person.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays beside the row.")]


@app.command()
def extend(
    campaign: CampaignArg, item: Item, org: Org, period: PeriodLabel, by: By, reason: Reason,
    until: Annotated[str, typer.Option("--until", help="The new last day, YYYY-MM-DD, inclusive.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Grants one organisation a later last day, as a dated row of its own."""
    from tasks.obligations import extend as grant

    code = _id(campaign)
    result = grant(code, item, org, period, _day(until), by, reason, _instant(code, as_of))
    _answer(result, as_json, f"{org} {item} {period}: due before {result['due_before']}.")


@app.command()
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

    code = _id(campaign)
    moment = _instant(code, as_of)
    if before is not None:
        result = obligations.excuse_before(code, _day(before), by, reason, moment, item=item, organisation=org, period=period)
        _answer(result, as_json, f"{result['excused']:,} obligations that fell due before {before}: excused.")
    elif item and org and period:
        result = obligations.excuse(code, item, org, period, by, reason, moment)
        _answer(result, as_json, f"{org} {item} {period}: excused.")
    else:
        raise WrongUse("say what is excused.", where=code, cure="Give --item, --org and --period, or --before DAY.")


@app.command()
def dispute(
    campaign: CampaignArg, finding: Annotated[int | None, typer.Option(help="Task number on the roster.")] = None,
    by: Annotated[str, typer.Option("--by", help="Code of the owner or co-owner that disputes it.")] = "",
    to: Annotated[str, typer.Option("--to", help="Code of the organisation that should lead.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stays beside the row.")] = "",
    waiting: Annotated[bool, typer.Option("--list", help="Show the disputes that wait to be settled.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records that another organisation should lead a finding. Until it is settled, who leads goes on leading."""
    from tasks import ownership

    code = _id(campaign)
    if waiting:
        found = ownership.waiting(code)
        _answer({"campaign": code, "disputes": found}, as_json, render.disputes(found))
        return
    if finding is None or not (by and to and reason):
        raise WrongUse("say who disputes which finding, who should lead, and why.",
                       cure="--finding NUMBER --by ORG --to ORG --reason …, or --list.")
    result = ownership.dispute(code, finding, by, to, reason, _instant(code, as_of))
    _answer(result, as_json, f"dispute {result['dispute']}: {result['lead']} leads until it is settled.")


@app.command()
def settle(
    campaign: CampaignArg, number: Annotated[int, typer.Option("--dispute", help="Number of the dispute.")], by: By,
    reason: Reason, accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether the wanted owner leads from now on.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Settles a dispute between owners; a party to it cannot (four eyes)."""
    from tasks import ownership

    code = _id(campaign)
    result = ownership.settle(code, number, by, accept, reason, _instant(code, as_of))
    _answer(result, as_json, f"dispute {number}: {result['lead']} leads.")


@app.command()
def acknowledge(
    campaign: CampaignArg, item: Item, org: Org, period: PeriodLabel, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records 「收到」 to a reminder: the ladder pauses as the plan says; it does not end."""
    from tasks.obligations import acknowledge as seen

    code = _id(campaign)
    result = seen(code, item, org, period, _instant(code, as_of))
    _answer(result, as_json, f"{org} {item} {period}: acknowledged.")


@app.command()
def evaluate(
    campaign: CampaignArg, period: Month,
    truth: Annotated[Path, typer.Option("--truth", help="The truth/ folder that `canbao simulate` wrote.")],
    bench: Annotated[Path | None, typer.Option("--answer-bench", help="A workbook of `canbao bench`, to be answered by the "
                                                                      "truth, in place, as clerks would who asked.")] = None,
    as_json: Json = False,
) -> None:
    """How right a comparison was, against a synthetic place's truth: precision, recall, by tier, group and list."""
    from rehearsal.clerks import fill_bench
    from rehearsal.evaluation import evaluate as judge
    from rehearsal.evaluation import true_pairs
    from tasks.comparison import latest_run

    code, label = _id(campaign), _period(period)
    folder = Path(latest_run(code, label)["folder"])
    result = {"campaign": code, **judge(folder, truth, label)}
    if bench is not None:
        result["answered_same"] = fill_bench(bench, bench, true_pairs(folder, truth, label))
    _answer(result, as_json, render.evaluation(result))


@app.command()
def explain(
    campaign: CampaignArg, org: Annotated[str, typer.Option("--org", help="Code of the organisation it is about.")],
    period: PeriodLabel,
    indicator: Annotated[str | None, typer.Option(help="A figure: id of an indicator of the plan.")] = None,
    item: Annotated[str | None, typer.Option(help="A duty: obligation id, or feed:<feed>.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Write the rows the figure counts here (audited).")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Opens a printed figure or a late mark: its rule, run, files, steps and rows."""
    from tasks.explain import explain_duty, explain_indicator, export_rows

    code = _id(campaign)
    if (indicator is None) == (item is None):
        raise WrongUse("say what is to be explained.", cure="Give --indicator for a figure or --item for a duty.")
    if item is not None:
        result = explain_duty(code, item, org, period, _instant(code, as_of))
        _answer(result, as_json, render.duty_explained(result))
        return
    assert indicator is not None
    if rows is not None:
        result = export_rows(code, indicator, org, period, rows, _instant(code, as_of))
    else:
        result = explain_indicator(code, indicator, org, period)
    _answer(result, as_json, render.figure_explained(result))


@app.command()
def candidates(
    campaign: CampaignArg, everything: Annotated[bool, typer.Option("--all", help="Those decided on, too.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Who may be commended, criticised or supervised, with the evidence. Nothing follows unless somebody decides."""
    from tasks.supervision import candidates as prepared

    code = _id(campaign)
    found = prepared(code, _instant(code, as_of), undecided_only=not everything)
    if as_json:
        print(json.dumps({"campaign": code, "candidates": found}, ensure_ascii=False, default=str))
    else:
        print(render.candidates(found))


@app.command("decide-candidate")
def decide_candidate(
    campaign: CampaignArg, number: Annotated[int, typer.Option("--candidate", help="Number of the candidate.")], by: By,
    reason: Reason, accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether it is to be followed.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Records what a person decided on a candidate, and why. It stands for good; nothing is sent."""
    from tasks.supervision import decide as record_decision

    code = _id(campaign)
    result = record_decision(code, number, accept=accept, by=by, reason=reason, as_of=_instant(code, as_of))
    _answer(result, as_json, f"candidate {number} ({result['organisation']}, {result['name']}): {result['decision']}.")


BulletinOption = Annotated[str, typer.Option("--bulletin", help="Id of the bulletin in the plan.")]


@app.command()
def bulletin(
    campaign: CampaignArg, bulletin_id: BulletinOption, period: PeriodLabel, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Issues one bulletin with its annex, once, and first corrects those published before that no longer hold."""
    from tasks.bulletin import issue_bulletin
    from tasks.correction import issue_corrections

    code = _id(campaign)
    moment = _instant(code, as_of)
    corrected = issue_corrections.fn(code, moment)
    result = {**issue_bulletin.fn(code, bulletin_id, period, moment), "corrections": corrected["issued"]}
    _answer(result, as_json, f"{bulletin_id} {period}: {'issued' if result['new'] else 'published before, unchanged'}; "
                             f"{corrected['corrections']} corrections.")


@app.command("correct-bulletin")
def correct_bulletin(
    campaign: CampaignArg, bulletin_id: Annotated[str | None, typer.Option("--bulletin", help="Only this one.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Only that of this period.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Issues a correction (更正) for every published bulletin whose figures have changed. Exit 1 if none has."""
    from tasks.correction import issue_corrections

    code = _id(campaign)
    result = issue_corrections.fn(code, _instant(code, as_of), bulletin_id, period)
    _answer(result, as_json, "\n".join(
        f"{entry['number']} corrects {entry['corrects']}: {entry['figures']} figures, {entry['document']}"
        for entry in result["issued"]) or "nothing that was published has changed.")
    raise typer.Exit(0 if result["corrections"] else 1)


@app.command()
def resend(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Lets messages that were given up be tried again, once the channel is mended."""
    from tasks.sending import resend_dead

    code = _id(campaign)
    result = resend_dead(code, _instant(code, as_of))
    _answer(result, as_json, f"{result['revived']} messages wait again; the next sweep sends them.")


@app.command()
def status(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Phases, obligations, feeds, lists, progress, forecast."""
    from tasks.status import status as stand

    code = _id(campaign)
    result = stand(code, _instant(code, as_of))
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    else:
        print(render.status(result))


@app.command()
def board(
    campaign: CampaignArg, out: Annotated[Path | None, typer.Option("--out", help="File to write; the campaign's own board if left out.")] = None,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """The campaign board: one HTML page in Chinese to look at, pin up or print. Counts only; sweeps keep it fresh."""
    from tasks.board import board_file, draw_board

    code = _id(campaign)
    result = draw_board(code, _instant(code, as_of), out or board_file(code))
    _answer(result, as_json, f"{result['out']}: {result['places']} places, {result['late']} things late.")


@app.command()
def rehearse(
    campaign: CampaignArg, persons: Annotated[int | None, typer.Option(help="Population.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same year.")] = 1,
    until: Annotated[str | None, typer.Option(help="Stop after this day, YYYY-MM-DD.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CANBAO_HOME for this rehearsal.")] = None,
    coarse: Annotated[bool, typer.Option("--coarse", help="Look twice a month instead of every day: quicker, fewer reminders.")] = False,
    as_json: Json = False,
) -> None:
    """The whole campaign on a simulated clock, through the same flows; killed and started again, it continues."""
    if out is not None:
        os.environ["CANBAO_HOME"] = str(out.resolve())
        os.environ["PREFECT_HOME"] = str(out.resolve() / "prefect")
    from rehearsal.rehearse import rehearse as play

    result = play(campaign, persons=persons, seed=seed, until=_day(until) if until else None, coarse=coarse)
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    else:
        print(render.rehearsal(result))
