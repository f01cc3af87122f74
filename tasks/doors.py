"""The doors through which data comes in: the watched inbox, and a view in a department's database.

Both end in the same intake. What the inbox holds is decided by ``tasks/inbox.py``; here the record is asked what is
known already, and a view is turned into a file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from expectations import database_source
from expectations.database_source import DatabaseSource, Limits
from models import contract as contracts
from models.database import transaction
from models.errors import CanbaoError, WrongUse
from models.machine import machine
from models.plan import Feed, Plan
from models.store import deliveries as store
from rules.deadlines import carrier
from tasks import inbox as folders
from tasks.campaign import folder, plan_in_force, today
from tasks.effect import effect
from tasks.inbox import Arrived, Held, Inbox, Moment
from tasks.originals import open_delivered, sha256_of
from tasks.told import teller


def look(campaign: str, inbox: Path, moment: Moment, period: str | None = None) -> Inbox:
    """What lies in the inbox and is not taken yet: what may be taken now, and what is held, with reason and cure.

    A view is asked once for a period, and again whenever its description is changed or touched; by hand, always. Its
    rows arrive when it is asked.
    """
    plan = plan_in_force(campaign)
    known = _known(plan)
    found = folders.observe(inbox, plan, moment, period, known)
    arrived: list[Arrived] = []
    held = list(found.held)
    for file in found.arrived:
        with suppress(FileNotFoundError):  # taken away since
            if not folders.is_source(file.path):
                arrived.append(file)
            elif fault := _fault_of_source(plan, file):
                held.append(fault)
            elif moment.by_hand or not _asked_mark(campaign, file.feed, file.period, file.path).exists():
                arrived.append(replace(file, received_at=moment.now or file.received_at))
    return replace(found, arrived=tuple(arrived), held=tuple(held))


def _known(plan: Plan) -> folders.Known:
    """Tells a file that needs no more looking at: one that was taken in for its feed and period, or that corrected
    another there or elsewhere. One that was returned may come again under another name: that may have been its fault."""
    with transaction() as tx:
        rows = store.all_of(tx, plan.id)
    sizes = {row["size_bytes"] for row in rows}
    by_name = {(row["feed"], row["period"], row["file_name"], row["size_bytes"]): row["received_at"] for row in rows}
    judged = {(row["feed"], row["period"], row["sha256"], row["file_name"]) for row in rows}
    taken = {(row["feed"], row["period"], row["sha256"]) for row in rows if row["verdict"] != "returned"}
    tell = teller(plan)
    corrected = {row["sha256"] for row in rows if row["corrects"] is not None}

    def known(file: Arrived) -> bool:
        # Reading every file again each time would take longer than taking the new ones in: only what may be the same,
        # but for its time or its name, is read.
        if file.size_bytes not in sizes:
            return False
        name = tell(folders.clean_name(file.path.name))
        received_at = by_name.get((file.feed, file.period, name, file.size_bytes))
        if received_at is not None and file.received_at <= received_at:
            return True
        with suppress(CanbaoError), open_delivered(file.path) as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            place = (file.feed, file.period, sha256)
            return place in taken or (*place, name) in judged or sha256 in corrected
        return False

    return known


def waiting_files(
    campaign: str, inbox: Path, period: str, as_of: datetime | None = None
) -> Iterator[tuple[str, Path, datetime]]:
    """(feed, file, arrival) of what may be taken for a period, and had arrived by ``as_of`` if one is given."""
    for file in look(campaign, inbox, Moment(as_of), period).arrived:
        yield file.feed, file.path, file.received_at


def _nothing_came(campaign: str, arrived: Sequence[Arrived]) -> dict[str, int] | None:
    return None if arrived else dict.fromkeys(("files", "returned", "failed"), 0)


@effect("接收 admit files", idle=_nothing_came)
def admit_files(campaign: str, arrived: Sequence[Arrived]) -> dict[str, int]:
    """Takes in what :func:`look` found, as many files at a time as the machine bears: one is read while another is judged. One
    that fails (a department's database is down) keeps nobody else waiting. Counts of files, returned, failed."""
    counts: Counter[str] = Counter(files=0, returned=0, failed=0)
    with ThreadPoolExecutor(machine().files_at_once) as pool:
        for future in [pool.submit(copy_context().run, admit.fn, campaign, file.feed, file.period, str(file.path), file.received_at)
                       for file in arrived]:
            try:
                taken = future.result()
            except CanbaoError:
                counts["failed"] += 1
            else:
                counts["files"] += bool(taken["new"])
                counts["returned"] += bool(taken["new"]) and taken["verdict"] == "returned"
    return dict(counts)


@effect("接收 admit")
def admit(campaign: str, feed: str, period: str, path: str, received_at: datetime) -> dict[str, Any]:
    """Takes one entry of an inbox in: a file, or the rows of the view that it describes. The result holds counts only.

    Raises StorageUnavailable, and records nothing, where a department's database does not answer: the next look tries
    again.
    """
    source = Path(path)
    if not folders.is_source(source):
        return _take_file(campaign, feed, period, source, received_at)
    mark = _asked_mark(campaign, feed, period, source)
    result = take_view(campaign, feed, period, database_source.read_description(source), received_at)
    mark.touch()
    return result


def take_view(campaign: str, feed: str, period: str, source: DatabaseSource, received_at: datetime) -> dict[str, Any]:
    """Takes the rows of a department's view in as if they had come as a file; the file is the original that is kept."""
    from tasks.intake import take_in

    plan = plan_in_force(campaign)
    entry = _feed(plan, feed)
    provider = _provider(plan, entry, source, received_at)
    url = _address(source)
    scratch = folder(campaign, "extracts") / uuid4().hex
    scratch.mkdir(mode=0o700)
    try:
        target = scratch / f"{plan.organisation(provider).short}_{feed}_{period}.csv"
        limits = folders.policy()["database"]
        database_source.extract(url, source, contracts.for_feed(feed, plan.contracts), target, Limits(
            limits["connect_within_seconds"], limits["finish_within_seconds"], limits["rows_at_a_time"]))
        return take_in.fn(campaign, feed, period, str(target), received_at)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # the original is kept; no second copy of the rows stays behind


def _take_file(campaign: str, feed: str, period: str, source: Path, received_at: datetime) -> dict[str, Any]:
    """A name that cannot be stored or shown is cleaned first, in a copy: the file in the inbox is not touched."""
    from tasks.intake import take_in

    name = folders.clean_name(source.name)
    if name == source.name:
        return take_in.fn(campaign, feed, period, str(source), received_at)
    scratch = folder(campaign, "extracts") / uuid4().hex
    scratch.mkdir(mode=0o700)
    try:
        shutil.copyfile(source, scratch / name, follow_symlinks=False)
        return take_in.fn(campaign, feed, period, str(scratch / name), received_at)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


# --- views ----------------------------------------------------------------------------------------------


def _feed(plan: Plan, name: str) -> Feed:
    for entry in plan.feeds:
        if entry.feed == name:
            return entry
    raise WrongUse(f"the plan {plan.id} expects no feed {name!r}.",
                   cure=f"It expects {', '.join(sorted(entry.feed for entry in plan.feeds))}.")


def _provider(plan: Plan, entry: Feed, source: DatabaseSource, at: datetime) -> str:
    """The one that is named, else the only one there is (or who has taken its duties over by then, B36)."""
    day = today(plan, at)
    providers = tuple(dict.fromkeys(carrier(plan, code, day) for code in entry.providers))
    if source.provider in (*providers, *entry.providers):
        return str(source.provider)
    if source.provider is None and len(providers) == 1:
        return providers[0]
    raise WrongUse(f"`provider` {source.provider or 'is missing'}: who delivers {entry.feed}?",
                   cure=f"Name one of {', '.join(providers)}.")


def _address(source: DatabaseSource) -> str:
    """The address in the variable. Only variables with the prefix may be named: a description must reach no other
    secret of this process, least of all our own database."""
    prefix = folders.policy()["database"]["environment_prefix"]
    if not source.url_env.startswith(prefix):
        raise WrongUse(f"the variable {source.url_env} may not be named.", cure=f"Its name must begin with {prefix}.")
    if not (url := os.environ.get(source.url_env)):
        raise WrongUse(f"the variable {source.url_env} is not set.",
                       cure="Set it to the address of the department's database where canbao runs.")
    return url


def _fault_of_source(plan: Plan, file: Arrived) -> Held | None:
    try:
        source = database_source.read_description(file.path)
        _provider(plan, _feed(plan, file.feed), source, file.received_at)
        _address(source)
    except CanbaoError as fault:
        place = folders.shown(file.feed, file.period, file.path.name)
        return Held(place, "misplaced", "bad_source", folders.policy()["misplaced"]["bad_source"] + str(fault))
    return None


def _asked_mark(campaign: str, feed: str, period: str, path: Path) -> Path:
    """Stands for one description, as it was when its view was asked for a period."""
    said = (feed, period, path.name, sha256_of(path), str(path.stat().st_mtime_ns))
    return folder(campaign, "asked") / hashlib.sha256("\0".join(said).encode("utf-8", "surrogateescape")).hexdigest()
