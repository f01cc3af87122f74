"""The commands of whoever asks where a figure comes from, and of exports that the audit trail keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from canbao.app import (
    AUDIT,
    AsOf,
    CampaignArg,
    Json,
    Month,
    PeriodLabel,
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
from models.errors import WrongUse


@app.command(rich_help_panel=AUDIT)
def explain(
    campaign: CampaignArg, org: Annotated[str, typer.Option("--org", help="Code of the organisation it is about.")],
    period: PeriodLabel,
    indicator: Annotated[str | None, typer.Option(help="A figure: id of an indicator of the plan.")] = None,
    item: Annotated[str | None, typer.Option(help="A duty: obligation id, or feed:<feed>.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Write the rows the figure counts here (audited).")] = None,
    purpose: Purpose = None, receiver: Receiver = "",
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Opens a printed figure or a late mark: its rule, run, files, steps and rows."""
    from canbao import render
    from tasks.explain import explain_duty, explain_indicator, export_rows

    code = campaign_id(campaign)
    if (indicator is None) == (item is None):
        raise WrongUse("say what is to be explained.", cure="Give --indicator for a figure or --item for a duty.")
    if item is not None:
        result = explain_duty(code, item, org, period, instant_of(code, as_of))
        answer(result, as_json, lambda: render.duty_explained(result))
        return
    assert indicator is not None
    if rows is not None:
        result = export_rows(code, indicator, org, period, rows, instant_of(code, as_of), purpose_of(purpose), receiver)
    else:
        result = explain_indicator(code, indicator, org, period)
    answer(result, as_json, lambda: render.figure_explained(result))


trail = typer.Typer(no_args_is_help=True, help="The audit trail: whether it is whole.")
app.add_typer(trail, name="audit", rich_help_panel=AUDIT)


@trail.callback()
def _trail() -> None:
    pass


@trail.command("verify")
def verify_trail(
    head: Annotated[str, typer.Option(help="A head as the board or a message printed it: the trail must still hold that row.")] = "",
    as_json: Json = False,
) -> None:
    """Looks for rows of the audit trail that were changed, taken away, put in or moved. Exit 1 if one was, and what to do."""
    from canbao import render
    from tasks.trail import look_at_trail

    found = look_at_trail(head)
    show(found, as_json, lambda: render.trail(found))
    raise typer.Exit(0 if found["whole"] else 1)


@app.command(rich_help_panel=AUDIT)
def findings(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    purpose: Purpose = None, receiver: Receiver = "", as_json: Json = False,
) -> None:
    """The run's findings in full. An audited export: it holds full numbers."""
    from tasks.export import export_findings

    code = campaign_id(campaign)
    result = export_findings(code, period_of(period), out, datetime.now(UTC), purpose_of(purpose), receiver)
    answer(result, as_json, f"{result['rows']:,} findings in {out}; the export is in the audit trail.")


@app.command(rich_help_panel=AUDIT)
def links(
    campaign: CampaignArg, period: Month, out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    purpose: Purpose = None, receiver: Receiver = "", as_json: Json = False,
) -> None:
    """Which register row was linked to which person. An audited export."""
    from tasks.export import export_links

    code = campaign_id(campaign)
    result = export_links(code, period_of(period), out, datetime.now(UTC), purpose_of(purpose), receiver)
    answer(result, as_json, f"{result['rows']:,} links in {out}; the export is in the audit trail.")
