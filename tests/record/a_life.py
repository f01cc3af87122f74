"""A record with a campaign and nothing else, and runs made up of lists written by hand: for tests of a finding's life."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from models.database import transaction
from models.store import findings as store
from models.store import life
from rules.finding_life import FOREVER, TRANSITIONS, is_legal
from tasks.campaign import store_plan

CAMPAIGN = "chengjiang-2021"
ZONE = ZoneInfo("Asia/Shanghai")
Key = tuple[str, str]
"""list, subject"""


def newest_run() -> int:
    """The number of the campaign's newest run."""
    with transaction() as tx:
        run = store.latest_run(tx, CAMPAIGN)
    assert run is not None
    return int(run["id"])


class Life:
    """Runs, releases and answers of one campaign, one after the other; each takes a minute of its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime(2021, 5, 1, 9, tzinfo=ZONE)
        store_plan.fn(CAMPAIGN, self.now)

    def forget(self) -> None:
        """Begins anew: no run, no finding."""
        with transaction() as tx:
            tx.execute(text("TRUNCATE run, finding CASCADE"))

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def run(self, period: str, listed: Iterable[Key] | Mapping[Key, str], gone: Iterable[str] = (),
            leads: Mapping[str, str] | None = None) -> dict[str, int]:
        """A run that lists these; the difference it makes."""
        owners = dict(listed) if isinstance(listed, Mapping) else dict.fromkeys(listed, "fenglu")
        at, current, away = self._tick(), self.folder / "current.csv", self.folder / "gone.csv"
        with current.open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [name, subject, "person", f"number {subject}", "甲", "uninsured", owner, "{renshe}", 5, "原因", f"依据 {owner}"]
                for (name, subject), owner in sorted(owners.items()))
        with away.open("w", newline="") as stream:
            csv.writer(stream).writerows([subject] for subject in sorted(set(gone)))
        with transaction() as tx:
            newest = store.latest_run(tx, CAMPAIGN)
            number = store.start_run(tx, campaign_id=CAMPAIGN, period=period, as_of=at, inputs={}, inputs_sha256=at.isoformat(),
                                     plan_sha256="", folder="")
            store.finish_run(tx, number, persons=1, unbalanced=0, content_sha256="", categories=[("", "uninsured", 1)], links=[])
            if newest is not None and newest["period"] > period:
                return {}
            return life.merge(tx, CAMPAIGN, period, number, at, current, away, ["deceased"], TRANSITIONS, leads or {})

    def release(self) -> int:
        """Hands out whatever waits."""
        with transaction() as tx:
            waiting = [row["id"] for row in store.to_hand_out(tx, store.HandOut(CAMPAIGN, {}))]
            run = store.latest_run(tx, CAMPAIGN)
            assert run is not None
            return life.mark_released(tx, run, waiting, self._tick(), TRANSITIONS)

    def answer(self, key: Key, period: str, disposition: str = "enrolled_resident", *, claims: bool = False,
               until: str | None = None) -> None:
        """An owner's answer: a claim, an excuse up to a month, or merely a visit."""
        with transaction() as tx:
            life.record_claims(tx, CAMPAIGN, self._tick(), [{
                "period": period, "finding_id": self.row(key)["id"], "organisation": "fenglu", "disposition": disposition,
                "claims": claims, "excuses": until is not None, "note": "", "worker": "", "excused_until": until}], TRANSITIONS)

    def claim(self, key: Key, period: str) -> None:
        """"Enrolled": the register must prove it."""
        self.answer(key, period, claims=True)

    def excuse(self, key: Key, period: str, until: str = FOREVER) -> None:
        """"At school", "abroad": off the list up to a month."""
        self.answer(key, period, "student", until=until)

    def rows(self) -> dict[Key, Any]:
        """Every finding of the record by list and subject."""
        with transaction() as tx:
            found = tx.execute(text("SELECT * FROM finding")).mappings().all()
        by_key = {(row["list"], row["subject"]): row for row in found}
        assert len(by_key) == len(found)
        return by_key

    def row(self, key: Key) -> Any:
        """One finding."""
        return self.rows()[key]

    def status(self, key: Key) -> str:
        """Its state."""
        return str(self.row(key)["status"])

    def listed(self) -> set[Key]:
        """What the record holds as listed."""
        return {key for key, row in self.rows().items() if row["last_seen"] is None and row["status"] != "withdrawn"}

    def seen(self) -> dict[Key, tuple[Any, ...]]:
        """How every finding stands, without what only says how it came there."""
        return {key: (row["status"], row["owner"], row["first_seen"], row["last_seen"], row["closed_in"], row["excused_until"])
                for key, row in self.rows().items() if row["status"] != "withdrawn"}

    def events(self, key: Key) -> list[str]:
        """What happened to one finding, in order."""
        with transaction() as tx:
            return [row["event"] for row in life.events_of(tx, self.row(key)["id"])]

    def illegal_steps(self) -> Sequence[Any]:
        """Steps that do not stand in the table, and steps that do not begin where the one before ended."""
        with transaction() as tx:
            steps = tx.execute(text(
                "SELECT event, before, after, finding_id, lag(after, 1, '') OVER (PARTITION BY finding_id ORDER BY id) AS led_to "
                "FROM finding_event")).all()
        return [step for step in steps if not is_legal(step.event, step.before, step.after) or step.led_to != step.before]
