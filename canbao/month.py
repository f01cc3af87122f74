"""The commands of a month's work on data: files in, what is doubtful settled, one comparison, its lists out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from canbao.app import (
    MONTH,
    AsOf,
    CampaignArg,
    Json,
    Month,
    Purpose,
    Receiver,
    answer,
    app,
    campaign_id,
    instant_of,
    period_of,
    purpose_of,
    show,
)
from models.errors import CanbaoError, WrongUse

Post = Annotated[str, typer.Option("--by", help="The post that confirms it; it stands in the audit trail.")]
Basis = Annotated[str, typer.Option("--reason", help="What the department answered, or the letter that says so.")]
MaybeText = Annotated[str | None, typer.Option()]
DeliveryOption = Annotated[int, typer.Option("--delivery", help="The number that intake and receipts print.")]


@app.command(rich_help_panel=MONTH)
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
    from canbao import render
    code, label = campaign_id(campaign), period_of(period)
    moment = instant_of(code, as_of)
    held: list[dict[str, str]] = []
    elsewhere: dict[str, int] = {}
    if url_env or view or feed:
        receipts = [_view_receipt(code, label, moment, feed, provider, url_env, view, column or [])]
    else:
        receipts, held, elsewhere = _inbox_receipts(code, inbox, label, moment)
    returned = sum(entry["verdict"] == "returned" for entry in receipts)
    answer({"campaign": code, "period": label, "files": receipts, "returned": returned, "held": held,
             "other_periods": elsewhere}, as_json, lambda: render.receipts(receipts, held, elsewhere))
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


@app.command(rich_help_panel=MONTH)
def receipt(campaign: CampaignArg, delivery: DeliveryOption, as_json: Json = False) -> None:
    """The receipt of one delivery: hash, counts, verdict, checks, repairs, reasons. No person stands on it."""
    from canbao import render
    from tasks.receipts import receipt as told

    result = told(campaign_id(campaign), delivery)
    show(result, as_json, lambda: render.receipt(result))


@app.command("map", rich_help_panel=MONTH)
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
    from canbao import render
    from tasks import confirmations

    code = campaign_id(campaign)
    if show:
        entries = confirmations.listed_mappings(code, feed, provider)
        answer({"campaign": code, "mappings": entries}, as_json, lambda: render.mappings(entries))
        return
    if not (feed and provider and header) or (column is None) != forget:
        raise WrongUse("say which header of whose files means what.",
                       cure="--feed F --provider P --header 某列 --column COLUMN (or --forget) --by POST --reason …")
    moment = instant_of(code, as_of)
    if forget:
        result = confirmations.forget_mapping(code, feed, provider, header, by, reason, moment)
    else:
        result = confirmations.save_mapping(code, feed, provider, header, column or "", by, reason, moment)
    answer(result, as_json, lambda: render.mapped(result))
    raise typer.Exit(1 if any(entry["verdict"] == "returned" for entry in result["judged"]) else 0)


@app.command(rich_help_panel=MONTH)
def waive(
    campaign: CampaignArg, delivery: DeliveryOption, by: Post, reason: Basis, as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Accepts a returned file that looks wrong and is right, once the department has confirmed it."""
    from tasks.confirmations import waive as accept

    code = campaign_id(campaign)
    result = accept(code, delivery, by, reason, instant_of(code, as_of))
    answer(result, as_json, f"delivery {result['delivery']} ({result['verdict']}) stands for {delivery}: {result['reason']}")
    raise typer.Exit(1 if result["verdict"] == "returned" else 0)


@app.command(rich_help_panel=MONTH)
def compare(
    campaign: CampaignArg, period: Month, as_of: AsOf = None,
    engine: Annotated[str, typer.Option(help="duckdb")] = "duckdb",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Old against new; nothing is recorded or replaced.")] = False,
    chunk: Annotated[list[str] | None, typer.Option(help="Run this chunk again, and what reads it; may be repeated.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands beside the attempt.")] = "", as_json: Json = False,
) -> None:
    """One comparison run over the accepted snapshots of a period."""
    from canbao import render
    from tasks.accounts import preparer
    from tasks.campaign import actor
    from tasks.comparison import rehearse_comparison, run_comparison
    from tasks.intake import missing_feeds
    from tasks.release import propose

    if engine != "duckdb":
        raise WrongUse(f"engine {engine!r} is not available.", cure="Use duckdb.")
    code, label = campaign_id(campaign), period_of(period)
    moment = instant_of(code, as_of)
    if waiting := missing_feeds(code, label, moment):
        raise CanbaoError(f"{len(waiting)} required deliveries are missing: {', '.join(waiting)}.",
                          where=f"{code} {label}", cure="Take them in first (`canbao intake`).")
    if dry_run:
        found = rehearse_comparison(code, label, chunk or ())
        answer(found, as_json, lambda: render.dry_run(found))
        raise typer.Exit(1 if found["stopped_by"] else 0)
    result = run_comparison.fn(code, label, moment, chunk or (), reason)
    by = preparer(code, None, f"release prepared {label}", moment) or actor()
    result["proposal"] = propose.fn(code, result["run"], by, moment)
    answer(result, as_json, f"run {result['run']}: {result['persons']:,} persons, unbalanced {result['unbalanced']}"
                             f"{'' if result['new'] else ' (these inputs were compared before)'}.")


@app.command(rich_help_panel=MONTH)
def bench(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="Workbook to write.")],
    purpose: Purpose = None, receiver: Receiver = "", as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Rows whose person is in doubt, beside whom they may be about, for a person to decide. An audited export."""
    from tasks.identities import bench as write

    code = campaign_id(campaign)
    result = write(code, period_of(period), out, instant_of(code, as_of), purpose_of(purpose), receiver)
    answer(result, as_json, f"{result['questions']:,} questions, {result['pairs']:,} pairs in {out}; the export is in the audit trail.")


@app.command(rich_help_panel=MONTH)
def decide(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="A workbook of `canbao bench`, filled in.")],
    by: Annotated[str, typer.Option("--by", help="Post that decides; never a private person.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Remembers what was decided of doubtful identities; the next comparison applies it, and every one after."""
    from tasks.identities import decide as remember

    code = campaign_id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the workbook's path.")
    result = remember(code, file, by, instant_of(code, as_of))
    answer(result, as_json, f"{result['changed']:,} decisions are new, {result['undecided']:,} pairs stay undecided. "
                             "Run the comparison again to apply them.")


@app.command("old-numbers", rich_help_panel=MONTH)
def old_numbers(
    campaign: CampaignArg, file: Annotated[Path, typer.Argument(help="CSV: one column of old numbers, one of new ones.")],
    by: Annotated[str, typer.Option("--by", help="Post that answers for the table; never a private person.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Takes the police's table of replaced citizen numbers; comparisons link registers that still carry an old one."""
    from tasks.old_numbers import take_old_numbers

    code = campaign_id(campaign)
    if not file.is_file():
        raise WrongUse("there is no such file.", where=str(file), cure="Give the table's path.")
    result = take_old_numbers(code, file, by, instant_of(code, as_of))
    refused = "".join(f"\n  refused, {reason}: lines {', '.join(map(str, lines))}" for reason, lines in result["refused"].items())
    answer(result, as_json, f"{result['added']:,} of {result['lines']:,} lines are new, {result['known']:,} numbers known. "
                             f"Run the comparison again to apply them.{refused}")


@app.command(rich_help_panel=MONTH)
def approve(
    campaign: CampaignArg, run_id: Annotated[int, typer.Option("--run", help="The comparison run.")],
    by: Annotated[str, typer.Option("--by", help="Who decides; not who prepared.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Do not release these lists; needs a reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands beside the decision.")] = "", as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Approves the release of exactly the lists that were proposed (four eyes), or refuses it."""
    from tasks import release as releases

    code = campaign_id(campaign)
    moment = instant_of(code, as_of)
    if refuse:
        result = releases.refuse.fn(code, run_id, by, moment, reason)
    else:
        result = releases.approve.fn(code, run_id, by, moment, reason)
    answer(result, as_json, f"{'refused' if refuse else 'approved'}: {result['findings']:,} findings of run {run_id}.")


@app.command(rich_help_panel=MONTH)
def release(
    campaign: CampaignArg, run_id: Annotated[int, typer.Option("--run", help="The comparison run.")],
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Writes the approved rosters, one workbook per owner."""
    from tasks.release import release as release_rosters

    code = campaign_id(campaign)
    result = release_rosters.fn(code, run_id, instant_of(code, as_of))
    answer(result, as_json, f"{result['rosters']} rosters, {result['findings']:,} findings newly released.")
