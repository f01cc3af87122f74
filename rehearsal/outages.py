"""Failures from outside that a rehearsal lets happen: a full disk, a database that is gone, once each, and put right.

Which months fail follows from the seed (``outages.yaml``). The campaign's own code knows nothing of it: while an outage
hangs over a month, the engine of its comparison raises what a real one would, says that it is simulated, and the mark that
it has struck is set first, so that a rehearsal that is killed and taken up again meets it once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from comparison.engine import Comparison, Outcome, Room
from models.database import transaction
from models.errors import StorageUnavailable
from models.plan import Strict
from models.store import campaigns
from rehearsal.behaviour import chance
from rehearsal.place_config import Share

POLICY = Path(__file__).with_name("outages.yaml")
MARK = "outage:"
"""The rehearsal's mark of an outage that has struck, before its period."""

SIMULATED = "演练模拟故障"
CURE = "排除后重新运行比对即可，已完成的步骤不再重做。"


class Kind(Strict):
    """One kind of failure: when in a comparison it strikes, and in what words."""

    id: str
    at: Share
    words: str


class OutagePolicy(Strict):
    """The whole of ``outages.yaml``."""

    months_to_one_failure: Annotated[int, Field(ge=1)]
    put_right_after_minutes: Annotated[int, Field(ge=1)]
    kinds: tuple[Kind, ...] = Field(min_length=1)


@cache
def policy() -> OutagePolicy:
    """What ``outages.yaml`` says."""
    return OutagePolicy.model_validate(yaml.safe_load(POLICY.read_text(encoding="utf-8")))


@dataclass
class Outage:
    """A failure that hangs over the comparison of one month; ``has_struck`` once it has."""

    campaign: str
    period: str
    kind: Kind
    has_struck: bool = field(default=False)

    @property
    def put_right_after(self) -> timedelta:
        """How long it takes somebody to see it, to put it right and to run the comparison again."""
        return timedelta(minutes=policy().put_right_after_minutes)


def planned(campaign: str, periods: Sequence[str], seed: int) -> dict[str, Outage]:
    """The outages of a campaign by month; ``periods`` are the months that will be compared, in order."""
    count = round(len(periods) / policy().months_to_one_failure)
    drawn = sorted(periods[1:], key=lambda period: chance(seed, "outage", campaign, period))[:count]
    kinds = policy().kinds
    return {period: Outage(campaign, period, kinds[place % len(kinds)]) for place, period in enumerate(sorted(drawn))}


@contextmanager
def hanging(outage: Outage, at: datetime) -> Iterator[None]:
    """While the block lasts, the month's comparison fails where the outage strikes, once. Raises StorageUnavailable there."""
    runs, counts = Comparison.run, Comparison.outcome

    def is_of(comparison: Comparison) -> bool:
        return not outage.has_struck and (comparison.plan.id, comparison.period) == (outage.campaign, outage.period)

    def run(self: Comparison, chunk: Any, room: Room | None = None) -> int:
        names = [entry.name for entry in self.chunks]
        if outage.kind.at < 1 and is_of(self) and chunk.name == names[int(len(names) * outage.kind.at)]:
            _strike(outage, at)
        return runs(self, chunk, room)

    def outcome(self: Comparison) -> Outcome:
        if outage.kind.at >= 1 and is_of(self):
            _strike(outage, at)
        return counts(self)

    Comparison.run, Comparison.outcome = run, outcome  # type: ignore[method-assign]
    consoles = logging.getLogger().handlers
    for handler in consoles:
        handler.addFilter(_is_news)
    try:
        yield
    finally:
        Comparison.run, Comparison.outcome = runs, counts  # type: ignore[method-assign]
        for handler in consoles:
            handler.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Nobody is shown a traceback of what was planned; it stands in Prefect's history, where it is to be found."""
    return SIMULATED not in record.getMessage()


def _strike(outage: Outage, at: datetime) -> None:
    with transaction() as tx:
        campaigns.mark(tx, outage.campaign, f"{MARK}{outage.period}", at)
    outage.has_struck = True
    raise StorageUnavailable(f"{SIMULATED}：{outage.kind.words}。", where=f"{outage.campaign} {outage.period}", cure=CURE)
