"""The commands of whoever operates an installation: up, deployments, doctor, backup, restore, resend."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from canbao.app import OPERATIONS, AsOf, CampaignArg, Json, answer, app, campaign_id, instant_of, print_json, say, show
from models.errors import WrongUse

if TYPE_CHECKING:
    from rich.console import RenderableType

    from deployments.doctor import Finding


@app.command(rich_help_panel=OPERATIONS)
def up(
    port: Annotated[int, typer.Option(help="Port of the Prefect UI on this machine; a free one if it is taken.")] = 4200,
    as_json: Json = False,
) -> None:
    """Database, Prefect server with its UI, worker, deployments, automations, a first sweep; stays until Ctrl-C.

    Whatever dies is started again. How it stands is in `up.json` under CANBAO_HOME; --json prints it once all runs.
    """
    from deployments.supervisor import only_one, refuse_root

    def ready(health: dict[str, Any]) -> None:
        say(lambda: _shown(health))
        if as_json:
            print_json(health)

    refuse_root()
    with only_one():
        say("starting database, Prefect server, deployments, automations and worker; a minute at first, less later …")
        from deployments.up import stay_up

        stay_up(port, lambda: datetime.now(UTC), say, ready)
    say("stopped.")


def _shown(health: dict[str, Any]) -> RenderableType:
    """How an installation stands, as a short table."""
    from canbao.pages import page, table

    rows = [("界面", health["ui"], ""), ("界面口令", health["password"], "只有运行账户能读"), *(
        (name, f"进程 {health[key]['pid']}", "正常" if health[key]["healthy"] else "异常") for name, key in (
            ("Prefect 服务", "server"), ("执行进程", "worker"))),
        ("部署", f"{health['deployments']} 项", f"本次更新 {health['deployed_now']}"), ("自动处置", f"{health['automations']} 项", "已就位"),
        *(("巡检", campaign, "完成" if done else "失败，见 sweep.log") for campaign, done in health["sweeps"].items()),
        ("停机期间", f"{health['superseded']} 次运行", "合并补办")]
    return page(table(rows), "", f"{health['ui']}    Ctrl-C 停止；运行状况随时见 {health['home']}/up.json")


@app.command(rich_help_panel=OPERATIONS)
def deployments(
    campaign: CampaignArg, write: Annotated[bool, typer.Option("--write", help="Put them into this installation's list.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the campaign out of this installation's list.")] = False,
    active: Annotated[bool | None, typer.Option(
        "--active/--inactive", help="Whether schedules run; as the list says if left out, a new campaign's do.")] = None,
    file: Annotated[Path | None, typer.Option(
        "--file", help="Another list; CANBAO_PREFECT_FILE, else prefect.yaml under CANBAO_HOME, if left out.")] = None,
    as_json: Json = False,
) -> None:
    """A campaign's deployments, their schedules made from its plan; `canbao up` then takes them.

    --write touches nothing of the program: this installation's own list is laid over the one that comes with it.
    """
    from comparison.plan_check import load_sound
    from deployments import listing
    from models.plan_file import REPOSITORY

    loaded = load_sound(campaign)
    target = file or listing.own_file()
    listed, found = listing.read(target), listing.read(target) if file else listing.in_force()
    if remove and loaded.plan.id not in listing.campaigns(listed):
        raise WrongUse(f"{loaded.plan.id} is not in this list.", where=str(target),
                       cure="One that comes with the program is put to sleep by --write --inactive.")
    runs = active if active is not None else listing.is_active(found, loaded.plan.id) or loaded.plan.id not in listing.campaigns(found)
    shipped = REPOSITORY / "campaigns" / loaded.plan.id
    own = [] if remove else listing.entries(loaded.plan, active=runs,
                                            plan_path=None if loaded.path.parent == shipped else str(loaded.path.resolve()))
    if write or remove:
        target.write_text(listing.text(listing.with_campaign(listed, loaded.plan.id, own)), encoding="utf-8")
    if as_json:
        print_json({"campaign": loaded.plan.id, "file": str(target), "written": write or remove, "deployments": own})
    elif write or remove:
        say(f"{target}: {len(own)} deployments of {loaded.plan.id}, schedules {'active' if runs else 'inactive'}.")
    else:
        sys.stdout.write(listing.entries_text(own))


@app.command(rich_help_panel=OPERATIONS)
def doctor(
    put_right: Annotated[bool, typer.Option("--mend", help="Take files and folders from other accounts that could open them.")] = False,
    as_json: Json = False,
) -> None:
    """Looks the installation over and says what to mend. Exit 1 if something must be."""
    from deployments.doctor import look_over

    found = look_over(datetime.now(UTC), mend=put_right)
    mend = sum(finding.state == "mend" for finding in found)
    result = {"findings": [asdict(finding) for finding in found], "mend": mend,
              "warn": sum(finding.state == "warn" for finding in found)}
    show(result, as_json, lambda: _findings(found))
    raise typer.Exit(1 if mend else 0)


def _findings(found: Sequence[Finding]) -> RenderableType:
    from canbao.pages import table

    marks = {"ok": "✔", "warn": "！", "mend": "✘"}
    return table([(marks[entry.state], entry.check, entry.says, f"→ {entry.cure}" if entry.cure else "") for entry in found])


@app.command(rich_help_panel=OPERATIONS)
def backup(
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the archive; CANBAO_BACKUPS, else backups/ in CANBAO_HOME.")] = None,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="How many of the newest stay in that folder; all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """The record, Prefect's history and all files in one private archive. Nothing need be stopped."""
    from deployments.backup import backup as make
    from deployments.backup import place

    result = make((out or place()).resolve(), datetime.now(UTC), keep=keep)
    answer(result, as_json, f"{result['backup']}: {result['files']:,} files, {result['bytes'] / 1e6:,.1f} MB; it holds persons: keep it private.")


@app.command(rich_help_panel=OPERATIONS)
def restore(archive: Annotated[Path, typer.Argument(help="A backup.")], as_json: Json = False) -> None:
    """Puts a backup back into an empty CANBAO_HOME and database; what exists is never written over."""
    from deployments.backup import restore as put_back

    result = put_back(archive.resolve(), datetime.now(UTC))
    flawed = "" if result["audit_whole"] else f" Its audit trail is NOT whole: {'; '.join(result['audit_flaws'])}."
    answer(result, as_json, f"{result['files']:,} files and the record of {result['made']} are back; `canbao doctor` looks them over.{flawed}")
    raise typer.Exit(0 if result["audit_whole"] else 1)


@app.command(rich_help_panel=OPERATIONS)
def resend(campaign: CampaignArg, as_of: AsOf = None, as_json: Json = False) -> None:
    """Lets messages that were given up be tried again, once the channel is mended."""
    from tasks.sending import resend_dead

    code = campaign_id(campaign)
    result = resend_dead(code, instant_of(code, as_of))
    answer(result, as_json, f"{result['revived']} messages wait again; the next sweep sends them.")
