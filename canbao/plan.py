"""The commands of whoever plans a campaign: is the plan sound, what does it ask for, and how would its year go?"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canbao.app import PLAN, AsOf, CampaignArg, Json, Month, answer, app, campaign_id, day_of, period_of, say, show
from models.errors import Fault, PlanUnsound

if TYPE_CHECKING:
    from comparison.plan_check import Report

plan_app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Plans: check one before it is put in force.")
app.add_typer(plan_app, name="plan", rich_help_panel=PLAN)
MOST_NAMED = 40
"""A plan may have thirty thousand units: so many are named to whoever asks for one that is not there."""


@plan_app.command("check")
def plan_check(plan: CampaignArg, as_json: Json = False) -> None:
    """Is this plan sound? Every fault with its place and its cure."""
    from canbao import render
    from comparison.plan_check import check
    from models.plan_file import find

    try:
        report = check(find(plan))
    except PlanUnsound as unsound:
        faults, notes, name = unsound.faults, [], plan
    else:
        faults, notes, name = list(report.faults), [*report.notes, *_overdue(report)], plan
    result = {"plan": name, "sound": not faults,
              "faults": [vars(fault) for fault in faults], "notes": [vars(note) for note in notes]}
    answer(result, as_json, lambda: render.plan_report(name, faults, notes))
    raise typer.Exit(1 if faults else 0)


def _overdue(report: Report) -> list[Fault]:
    """What of a sound plan lies in the past today: told before a campaign starts with hundreds of duties overdue."""
    from zoneinfo import ZoneInfo

    from rules.overdue import overdue_notes

    if report.plan is None or report.faults:
        return []
    return overdue_notes(report.plan, datetime.now(ZoneInfo(report.plan.time_zone)).date())


@plan_app.command("new")
def plan_new(
    out: Annotated[Path, typer.Argument(metavar="OUT.yaml", help="The plan to write; nothing is overwritten.")],
    base: Annotated[str, typer.Option("--base", help="The base to stand on: expansion (扩面), registration (登记), …")] = "",
    region: Annotated[str, typer.Option("--region", help="Name of the region: 示例县.")] = "",
    region_code: Annotated[str, typer.Option("--region-code", help="Its 6 digits (GB/T 2260).")] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the campaign.")] = "",
    plan_id: Annotated[str, typer.Option("--id", help="Its id: small letters, digits and -.")] = "",
    number: Annotated[str, typer.Option("--number", help="Number of the notice: 示政办发〔2027〕5号.")] = "",
    title: Annotated[str, typer.Option("--title", help="Its title.")] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="Who issued it.")] = "",
    issued: Annotated[str, typer.Option("--issued", help="Its day, YYYY-MM-DD.")] = "",
    starts: Annotated[str, typer.Option("--starts", help="First day of the campaign.")] = "",
    ends: Annotated[str, typer.Option("--ends", help="Last day, inclusive.")] = "",
    units: Annotated[Path | None, typer.Option("--units", help="CSV of name, level[, parent, code, short, region_code] and a column of "
                                                               "numbers for each indicator with targets.")] = None,
    unit: Annotated[list[str] | None, typer.Option("--unit", help="A unit by name: 东山镇. Repeat it.")] = None,
    target: Annotated[list[str] | None, typer.Option("--target", help="INDICATOR=NUMBER, or INDICATOR=UNIT:NUMBER,…. Repeat it.")] = None,
    measured_on: Annotated[str, typer.Option("--measured-on", help="Day on which targets are measured; the last day if left out.")] = "",
    like: Annotated[str | None, typer.Option("--like", help="A plan of another year, to be moved to --year.")] = None,
    year: Annotated[int | None, typer.Option("--year", min=1990, max=2099, help="With --like: the year in which it begins.")] = None,
    as_json: Json = False,
) -> None:
    """Writes a sound plan from flags or, at a terminal, from questions; or moves another year's plan (--like, --year)."""
    from canbao import render
    from canbao.new_plan_questions import Given, written
    from comparison.plan_check import check

    given = Given(base, region, region_code, name, plan_id, number, title, issuer, issued, starts, ends, units, tuple(unit or ()),
                  tuple(target or ()), measured_on)
    written(out, given, like, year)
    report = check(out)
    notes = [*report.notes, *_overdue(report)]
    result = {"plan": str(out), "sound": not report.faults, "lines": len(out.read_text(encoding="utf-8").splitlines()),
              "faults": [vars(fault) for fault in report.faults], "notes": [vars(note) for note in notes]}
    answer(result, as_json, lambda: render.plan_report(str(out), report.faults, notes))
    raise typer.Exit(1 if report.faults else 0)


@plan_app.command("schema")
def plan_schema(
    write: Annotated[bool, typer.Option("--write", help="Write plan.schema.json and docs/plan.md anew instead of printing.")] = False,
) -> None:
    """The JSON Schema of a plan, by which an editor completes and explains its keys."""
    from models import plan_schema as made

    if not write:
        print(made.schema_text(), end="")
        return
    made.SCHEMA_FILE.write_text(made.schema_text(), encoding="utf-8")
    made.PAGE_FILE.write_text(made.page(), encoding="utf-8")
    say(f"Written: {made.SCHEMA_FILE} and {made.PAGE_FILE}")


@plan_app.command("show")
def plan_show(
    plan: CampaignArg, key: Annotated[str, typer.Argument(help="Part of it: lists, obligations.monthly_report.due; all if left out.")] = "",
    as_json: Json = False,
) -> None:
    """The whole plan with all that it inherits, each value with the file and line that set it."""
    import difflib

    from canbao import render
    from models.errors import WrongUse
    from models.plan_file import find, read

    path = find(plan)
    loaded = read(path)
    try:
        rows = [{"key": at, "value": value, "file": spot.file or path.name, "line": spot.line} for at, value, spot in loaded.tree.leaves(key)]
    except KeyError as missing:
        word, known = missing.args
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        raise WrongUse(f"the plan has no {word!r} there.", where=key, cure=f"Did you mean {close[0]}?" if close else
                       f"There are: {', '.join(known[:MOST_NAMED]) or 'no parts'}{' …' if len(known) > MOST_NAMED else ''}.") from None
    show({"plan": loaded.plan.id, "key": key, "values": rows}, as_json, lambda: render.plan_values(rows))


@app.command(rich_help_panel=PLAN)
def calendar(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN | import", help="A campaign or plan file; or the word `import`.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="With `import`: a year's holidays and make-up workdays.")] = None,
    source: Annotated[str, typer.Option("--source", help="With `import`: the notice they come from, if the file does not say.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="With `import`: in place of other days of that year.")] = False,
    as_json: Json = False,
) -> None:
    """Every phase, deadline (nominal and effective), reminder and step. `canbao calendar import FILE` takes over the holidays and make-up
    workdays of a year as the State Council published them: CSV lines date,kind (2027-02-06,holiday or 2027-02-14,workday; also 休 and 班)
    under a line `# source: …`, or YAML with year, source, holidays and workdays."""
    from canbao import render
    if campaign == "import":
        _import_year(file, source, replace, as_json)
        return
    if file is not None:
        from models.errors import WrongUse

        raise WrongUse("a campaign's calendar takes no file.", where=str(file), cure="`canbao calendar import FILE` takes a year over.")
    from canbao.timetable import calendar_rows
    from comparison.plan_check import load_sound

    plan = load_sound(campaign).plan
    rows = calendar_rows(plan)
    show({"campaign": plan.id, "calendar": rows}, as_json, lambda: render.calendar_page(plan, rows))


def _import_year(file: Path | None, source: str, replace: bool, as_json: bool) -> None:
    from models import calendars
    from models.errors import WrongUse

    if file is None:
        raise WrongUse("no file is named.", where="canbao calendar import", cure=f"Give {calendars.FORMAT}.")
    year, is_new = calendars.take_over(file, source, replace=replace)
    result = {"year": year.year, "source": year.source, "holidays": len(year.holidays), "workdays": len(year.workdays), "changed": is_new}
    answer(result, as_json, f"{year.year}: {len(year.holidays)} holidays, {len(year.workdays)} make-up workdays ({year.source}). "
           + ("Plans that are checked or put in force from now on use it; one in force does when it is put in force again."
              if is_new else "Imported before, nothing changed."))


@app.command(rich_help_panel=PLAN)
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
    answer(result, as_json, f"{code}: in force, {result['expected']} obligations ({result['made']} new).{late}")


@app.command(rich_help_panel=PLAN)
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

    labels = [period_of(label.strip()) for label in periods.split(",")] if periods else None
    result = make(load_sound(campaign), persons=persons, seed=seed, periods=labels, out=out, defects=defects,
                  defect_rates=defect_rate or ())
    answer(result, as_json, f"{result['persons']:,} persons, {result['files']} files in {out}/inbox, truth in {out}/truth.")


@app.command(rich_help_panel=PLAN)
def rehearse(
    campaign: CampaignArg, persons: Annotated[int | None, typer.Option(help="Population.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same year.")] = 1,
    until: Annotated[str | None, typer.Option(help="Stop after this day, YYYY-MM-DD.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CANBAO_HOME for this rehearsal.")] = None,
    coarse: Annotated[bool, typer.Option("--coarse", help="Look twice a month instead of every day: quicker, fewer reminders.")] = False,
    as_json: Json = False,
) -> None:
    """The whole campaign on a simulated clock, through the same flows; killed and started again, it continues."""
    from canbao import render
    if out is not None:
        os.environ["CANBAO_HOME"] = str(out.resolve())
        os.environ["PREFECT_HOME"] = str(out.resolve() / "prefect")
    from comparison.plan_check import load_sound
    from rehearsal import beginning

    load_sound(campaign)  # nothing is started for a plan that is not sound
    with beginning.processes():  # they start while the rest is imported
        from rehearsal.rehearse import rehearse as play

        result = play(campaign, persons=persons, seed=seed, until=day_of(until) if until else None, coarse=coarse)
    show(result, as_json, lambda: render.rehearsal(result))


@app.command(rich_help_panel=PLAN)
def evaluate(
    campaign: CampaignArg, period: Month,
    truth: Annotated[Path, typer.Option("--truth", help="The truth/ folder that `canbao simulate` wrote.")],
    bench: Annotated[Path | None, typer.Option("--answer-bench", help="A workbook of `canbao bench`, to be answered by the "
                                                                      "truth, in place, as clerks would who asked.")] = None,
    as_json: Json = False,
) -> None:
    """How right a comparison was, against a synthetic place's truth: precision, recall, by tier, group and list."""
    from canbao import render
    from rehearsal.clerks import fill_bench
    from rehearsal.evaluation import evaluate as judge
    from rehearsal.evaluation import true_pairs
    from tasks.comparison import latest_run

    code, label = campaign_id(campaign), period_of(period)
    folder = Path(latest_run(code, label)["folder"])
    result = {"campaign": code, **judge(folder, truth, label)}
    if bench is not None:
        result["answered_same"] = fill_bench(bench, bench, true_pairs(folder, truth, label))
    answer(result, as_json, lambda: render.evaluation(result))
