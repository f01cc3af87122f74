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
    periods: Annotated[str | None, typer.Option(help="Months, comma separated.")] = None, as_json: Json = False,
) -> None:
    """A synthetic place: DIR/inbox/<feed>/<period>/… and DIR/truth/…"""
    from comparison.plan_check import load_sound
    from rehearsal.simulate import simulate as make

    labels = [_period(label.strip()) for label in periods.split(",")] if periods else None
    result = make(load_sound(campaign), persons=persons, seed=seed, periods=labels, out=out)
    _answer(result, as_json, f"{result['persons']:,} persons, {result['files']} files in {out}/inbox, truth in {out}/truth.")


@app.command()
def mobilise(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Puts a plan in force without Prefect: stores it and makes its obligations ahead."""
    from tasks.campaign import keep_phases, store_plan
    from tasks.obligations import make_obligations

    moment = datetime.fromisoformat(as_of) if as_of else datetime.now(UTC)
    stored = store_plan.fn(campaign, moment)
    result = {**stored, **make_obligations.fn(str(stored["campaign"]), moment)}
    keep_phases.fn(str(stored["campaign"]), moment)
    _answer(result, as_json, f"{result['campaign']}: in force, {result['expected']} obligations ({result['made']} new).")


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


@app.command()
def compare(
    campaign: CampaignArg, period: Month, as_of: AsOf = None,
    engine: Annotated[str, typer.Option(help="duckdb")] = "duckdb", as_json: Json = False,
) -> None:
    """One comparison run over the accepted snapshots of a period."""
    from tasks.campaign import actor
    from tasks.comparison import run_comparison
    from tasks.intake import missing_feeds
    from tasks.release import propose

    if engine != "duckdb":
        raise WrongUse(f"engine {engine!r} is not available.", cure="Use duckdb.")
    code, label = _id(campaign), _period(period)
    moment = _instant(code, as_of)
    if waiting := missing_feeds(code, label, moment):
        raise CanbaoError(f"{len(waiting)} required deliveries are missing: {', '.join(waiting)}.",
                          where=f"{code} {label}", cure="Take them in first (`canbao intake`).")
    result = run_comparison.fn(code, label, moment)
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
    by: Annotated[str, typer.Option("--by", help="Who approves; not who prepared.")], as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Approves the release of exactly the lists that were proposed (four eyes)."""
    from tasks.release import approve as approve_release

    code = _id(campaign)
    result = approve_release.fn(code, run_id, by, _instant(code, as_of))
    _answer(result, as_json, f"approved: {result['findings']:,} findings of run {run_id}.")


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
    from tasks.campaign import keep_phases
    from tasks.sending import send_messages
    from tasks.sweep import sweep_obligations

    code = _id(campaign)
    moment = _instant(code, as_of)
    keep_phases.fn(code, moment)
    result = {**sweep_obligations.fn(code, moment), "delivered": send_messages.fn(code, moment)["sent"]}
    _answer(result, as_json, f"{result.get('sent', 0)} steps sent, {result['delivered']} messages delivered.")


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
    campaign: CampaignArg, item: Item, org: Org, period: PeriodLabel, by: By, reason: Reason,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Excuses one organisation from one obligation, with the reason; an excused feed is not waited for."""
    from tasks.obligations import excuse as let_off

    code = _id(campaign)
    result = let_off(code, item, org, period, by, reason, _instant(code, as_of))
    _answer(result, as_json, f"{org} {item} {period}: excused.")


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
def rehearse(
    campaign: CampaignArg, persons: Annotated[int | None, typer.Option(help="Population.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same year.")] = 1,
    until: Annotated[str | None, typer.Option(help="Stop after this day, YYYY-MM-DD.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CANBAO_HOME for this rehearsal.")] = None,
    as_json: Json = False,
) -> None:
    """The whole campaign on a simulated clock, through the same flows; killed and started again, it continues."""
    if out is not None:
        os.environ["CANBAO_HOME"] = str(out.resolve())
        os.environ["PREFECT_HOME"] = str(out.resolve() / "prefect")
    from rehearsal.rehearse import rehearse as play

    result = play(campaign, persons=persons, seed=seed, until=_day(until) if until else None)
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    else:
        print(render.rehearsal(result))


@app.command()
def up(port: Annotated[int, typer.Option(help="Port of the Prefect UI.")] = 4200) -> None:
    """Database and Prefect server with its UI; stays until Ctrl-C."""
    import time

    from deployments.server import prefect_server

    with prefect_server(port) as api:
        _say(f"Prefect UI: {api.removesuffix('/api')}   (Ctrl-C stops everything)")
        while True:
            time.sleep(3600)


