"""What all commands share: the application, its groups, common options, how answers are shown and how faults end.

Nothing heavy is imported here or in any module of commands: ``canbao --help`` loads them all. A command imports what it
needs when it is called.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from models.errors import CanbaoError, WrongUse

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAN = "Plan: before a campaign, and to try it out"
MONTH = "Month: files in, comparison, lists out"
REPORTS = "Reports: duties, reminders, decisions, bulletins"
OPERATIONS = "Operations: the installation"
AUDIT = "Audit: where figures come from, and exports"
"""Who uses a command; `canbao --help` groups them by it."""

# Pretty tracebacks would print local variables, and with them people.
app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]},
                  help="全民参保计划 · runs a social insurance enrolment campaign from its plan to its acceptance.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
CampaignArg = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="An id under campaigns/ or a path to a plan file.")]
Month = Annotated[str, typer.Option("--period", help="Month of the data, YYYY-MM.")]
PeriodLabel = Annotated[str, typer.Option("--period", help="Label of the period, as `canbao status` shows it.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="An instant such as 2021-06-03T09:00+08:00; now if left out.")]
Purpose = Annotated[str | None, typer.Option("--purpose", help="What it is for, and who asked; it stands in the audit trail.")]
Receiver = Annotated[str, typer.Option("--receiver", help="Post or unit that gets it; whoever runs the command if left out.")]


MUST_STATE = "CANBAO_PURPOSE_REQUIRED"


def purpose_of(given: str | None) -> str | None:
    """What an export in full is for: as told, as CANBAO_PURPOSE says, or as whoever sits at the terminal answers. A script that says
    nothing gets its file, and that it said nothing stands in the audit trail; where CANBAO_PURPOSE_REQUIRED=1 it gets none
    (decision 0037)."""
    stated = given or os.environ.get("CANBAO_PURPOSE")
    if stated is not None or os.environ.get(MUST_STATE) == "1":
        return stated
    if sys.stdin.isatty():
        return str(typer.prompt("用途（做什么用、谁要求的） purpose", err=True))
    from rules.purposes import UNSTATED

    print("No purpose was given (--purpose, CANBAO_PURPOSE); the audit trail says so.", file=sys.stderr)
    return UNSTATED


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"canbao {version('canbao')}")
        raise typer.Exit


@app.callback()
def _canbao(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is.")] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command line. Faults are printed with what, where and cure, never as a traceback."""
    try:
        # Without click's own handling an Exit comes back as the code it carries.
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
        sys.exit(code)
    except CanbaoError as error:
        print(f"canbao: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(1)
    except KeyboardInterrupt:
        print("canbao: stopped; run the same command again to continue.", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever reads (`| head`) has seen enough. What is still buffered would fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        click_exit = getattr(error, "exit_code", None)
        if click_exit is None:
            raise
        if hasattr(error, "show"):
            error.show()
        sys.exit(click_exit)


Prose = str | Callable[[], "RenderableType"]
"""What a person is told: a sentence, or what makes a page when it is to be shown (with ``--json`` it is not)."""


def say(prose: Prose) -> None:
    """Tells a person something, on stderr."""
    _show(prose, sys.stderr)


def answer(result: dict[str, Any], as_json: bool, prose: Prose) -> None:
    """The answer of a command that does something: the object on stdout, or prose on stderr."""
    if as_json:
        print_json(result)
    else:
        say(prose)


def show(result: dict[str, Any], as_json: bool, page: Prose) -> None:
    """The answer of a command that is asked for a page to look at: either way it goes to stdout."""
    if as_json:
        print_json(result)
    else:
        _show(page, sys.stdout)


def print_json(result: dict[str, Any]) -> None:
    """One object on stdout."""
    print(json.dumps(result, ensure_ascii=False, default=str), flush=True)


def _show(prose: Prose, stream: TextIO) -> None:
    if isinstance(prose, str):
        print(prose, file=stream)
        return
    from canbao.pages import write

    write(prose(), stream)


def period_of(label: str) -> str:
    """A month as it was typed. Raises WrongUse for anything else."""
    from rules.periods import month

    return month(label).label


def day_of(text: str) -> date:
    """A day as it was typed. Raises WrongUse for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is no day.", cure="Write it like 2021-07-31.") from None


def instant_of(campaign: str, text: str | None) -> datetime:
    """An instant as it was typed, in the plan's zone; now where none was. Raises WrongUse without a zone."""
    if text is None:
        return datetime.now(UTC)
    from tasks.campaign import as_instant, plan_in_force

    try:
        return as_instant(plan_in_force(campaign), datetime.fromisoformat(text))
    except ValueError:
        raise WrongUse(f"{text!r} is no instant.", cure="Write it like 2021-06-03T09:00:00+08:00.") from None


def campaign_id(campaign: str) -> str:
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
