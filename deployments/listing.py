"""prefect.yaml, the one list of deployments: made from each campaign's plan, so that no date stands in it by hand.

A campaign has a deployment for every flow that its plan has a phase for, named after the campaign. Schedules are cron in
the plan's time zone, each with a slug and an explicit ``active``.

The repository's file names the campaigns that come with the program. What an installation adds or changes stands in a file of
its own under CANBAO_HOME, laid over it, so that nobody who runs a campaign touches the program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from models.database import home
from models.errors import CanbaoError
from models.plan import Plan
from models.plan_file import REPOSITORY
from rules import schedule

LISTING = Path(__file__).with_name("listing.yaml")
HEADER = """\
# A list of deployments: `canbao deployments CAMPAIGN --write` makes a campaign's entries from its plan, and
# `PREFECT_API_AUTH_STRING="$(cat var/prefect-password)" prefect deploy --all` works as it stands while `canbao up` runs, against the
# work pool `canbao`. Change the plan, not this file.
# Every flow works out what is due from the record: a missed or doubled run changes nothing.
"""
ALARM = "flows/alarm.py:alarm"
"""Where the flow stands that automations start."""
LINE_WIDTH = 132


PREFECT_FILE = "prefect.yaml"


def shipped_file() -> Path:
    """The list that comes with the program; an installation does not write it."""
    return REPOSITORY / PREFECT_FILE


def own_file() -> Path:
    """The installation's own list: ``CANBAO_PREFECT_FILE``, which is then the whole list, else one under CANBAO_HOME, which is
    laid over the one that comes with the program."""
    given = os.environ.get("CANBAO_PREFECT_FILE")
    return Path(given).resolve() if given else home() / PREFECT_FILE


@cache
def listing() -> Mapping[str, Any]:
    """Pool, queues and flows as ``listing.yaml`` names them."""
    found: Mapping[str, Any] = yaml.safe_load(LISTING.read_text(encoding="utf-8"))
    return found


def flow_named(name: str) -> Callable[..., Any]:
    """The flow of that name. Raises CanbaoError where the listing has none."""
    for entry in listing()["flows"]:
        if entry["flow"] == name:
            file, _, function = entry["entrypoint"].partition(":")
            flow: Callable[..., Any] = getattr(import_module(file.removesuffix(".py").replace("/", ".")), function)
            return flow
    raise CanbaoError(f"there is no flow {name!r}.", where=LISTING.name, cure="Give it a row with its entrypoint there.")


def entries(plan: Plan, *, active: bool, plan_path: str | None = None) -> list[dict[str, Any]]:
    """The deployments of a campaign, in the order of the listing. ``active`` says whether its schedules run;
    ``plan_path`` where the plan stands if not under campaigns/."""
    kinds = {phase.kind for phase in plan.phases}
    return [_entry(plan, flow, active, plan_path or plan.id) for flow in listing()["flows"]
            if flow.get("phase") is None or flow["phase"] in kinds]


def common() -> list[dict[str, Any]]:
    """The deployments that belong to no campaign."""
    return [{"name": flow["name"], "entrypoint": flow["entrypoint"], "description": flow["description"], "tags": list(flow["tags"]),
             "parameters": {}, **_placed(flow)} for flow in listing()["common"]]


def _placed(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Where a flow's runs go, and, where the listing says so, that one runs at a time."""
    placed: dict[str, Any] = {"work_pool": {"name": listing()["pool"], "work_queue_name": flow["queue"]}}
    if "collision" in flow:
        placed["concurrency_limit"] = {"limit": 1, "collision_strategy": flow["collision"]}
    return placed


def _entry(plan: Plan, flow: Mapping[str, Any], active: bool, plan_path: str) -> dict[str, Any]:
    parameter = flow.get("plan_parameter")
    entry: dict[str, Any] = {
        "name": plan.id, "entrypoint": flow["entrypoint"], "description": flow["description"],
        "tags": [plan.id, *flow["tags"]],
        "parameters": {parameter: plan_path} if parameter else {"campaign": plan.id},
        **_placed(flow),
    }
    if found := _schedules(plan, flow):
        entry["schedules"] = [{"slug": cron.slug, "cron": cron.cron, "timezone": plan.time_zone, "active": active}
                              for cron in found]
    return entry


def _schedules(plan: Plan, flow: Mapping[str, Any]) -> tuple[schedule.CronEntry, ...]:
    name = flow["flow"]
    match flow.get("runs"):
        case None:
            return ()
        case "dated":
            return schedule.on_days(run.at for run in schedule.dated_runs(plan) if run.flow == name)
        case "returns":
            return (schedule.returns(plan, name),)
        case "inbox":
            return (schedule.inbox(plan),)
        case "sweep":
            return (schedule.sweep(plan),)
        case "preparation":
            return (schedule.preparation(plan),)
        case unknown:
            raise CanbaoError(f"flow {name} runs on {unknown!r}.", where=LISTING.name,
                              cure="Use dated, returns, inbox, sweep, preparation, or leave `runs` out.")


def in_force() -> list[dict[str, Any]]:
    """The deployments of this installation: those that come with the program, each campaign as the installation's own list
    says where it names it. With ``CANBAO_PREFECT_FILE`` that list alone."""
    own = read(own_file())
    if os.environ.get("CANBAO_PREFECT_FILE"):
        return own
    found = read(shipped_file())
    for campaign in campaigns(own):
        found = with_campaign(found, campaign, [entry for entry in own if entry["name"] == campaign])
    return found


def campaigns(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The campaigns of a list, in its order."""
    shared = {entry["name"] for entry in common()}
    return list(dict.fromkeys(entry["name"] for entry in found if entry["name"] not in shared))


def read(path: Path) -> list[dict[str, Any]]:
    """The deployments that a prefect.yaml holds; none where there is no such file."""
    if not path.is_file():
        return []
    return list((yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("deployments") or [])


def is_active(found: Iterable[Mapping[str, Any]], campaign: str) -> bool:
    """Whether a campaign's schedules run, by the entries of a prefect.yaml."""
    return any(cron["active"] for entry in found if entry["name"] == campaign for cron in entry.get("schedules", ()))


def with_campaign(found: Iterable[dict[str, Any]], campaign: str, own: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a prefect.yaml with those of one campaign in place of what it held; a new campaign comes last. Those
    that belong to no campaign stand first."""
    shared = common()
    before = [entry for entry in found if entry["name"] not in {entry["name"] for entry in shared}]
    place = next((number for number, entry in enumerate(before) if entry["name"] == campaign), len(before))
    kept = [entry for entry in before if entry["name"] != campaign]
    return [*shared, *kept[:place], *own, *kept[place:]]


def text(found: Iterable[Mapping[str, Any]]) -> str:
    """A prefect.yaml, whole."""
    head = yaml.safe_dump({"name": "canbao", "prefect-version": _prefect_version()}, sort_keys=False)
    return HEADER + head + "\ndeployments:\n" + entries_text(found)


def entries_text(found: Iterable[Mapping[str, Any]]) -> str:
    """Entries as they stand in a prefect.yaml."""
    return "".join(yaml.safe_dump([dict(entry)], allow_unicode=True, sort_keys=False, default_flow_style=None, width=LINE_WIDTH)
                   for entry in found)


def _prefect_version() -> str:
    from importlib.metadata import version

    return version("prefect")
