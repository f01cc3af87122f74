"""Errors that say what, where, why and what to do, and never name a person.

Every error a user can meet is a ``CanbaoError``. The command line prints it without a traceback; tasks raise
it ``from None`` so that no row content travels into Prefect with the cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PERHAPS_A_PERSON = re.compile(r"(?:[^\x00-\x7f]+|\d{9,}[Xx]?)+")


def harmless(text: str) -> str:
    """What stands in a plan where something else belongs, as a fault may repeat it (on a terminal, in a log, in Prefect): codes, columns,
    dates and numbers are in ASCII; whatever else stands there may be a person's, and its line is told anyway."""
    return _PERHAPS_A_PERSON.sub("…", text)


class CanbaoError(Exception):
    """A fault with its place and its cure. ``exit_code`` is what the command line returns (1 no, 2 wrong use); ``told`` says
    the same in Chinese to whoever meets it in a form."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", cure: str = "", told: str = "") -> None:
        self.what, self.where, self.cure, self.told = what, where, cure, told
        super().__init__(self.__str__())

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} {self.cure}".rstrip()


class WrongUse(CanbaoError):
    """The command was called with something that cannot mean anything (unknown campaign, malformed period)."""

    exit_code = 2


class PlanUnsound(CanbaoError):
    """The plan has faults; ``faults`` holds every one of them. A campaign never starts from an unsound plan."""

    def __init__(self, plan: str, faults: list[Fault]) -> None:
        self.faults = faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} fault(s) in the plan:\n{lines}", where=f"plan {plan}")


class FileReturned(CanbaoError):
    """A delivered file cannot be taken in as it is; the sender is told why and how to mend it.

    ``headers`` are the harmless texts of the header that was found where a required column is missing from it: an
    operator can say which of them means it.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "", headers: tuple[str, ...] = ()) -> None:
        self.headers = headers
        super().__init__(what, where=where, cure=cure)


class StorageUnavailable(CanbaoError):
    """Database down or a folder not writable: nothing was done, the same call can be made again."""


class RunDoesNotBalance(CanbaoError):
    """A comparison whose categories do not add up to the population, or that trips a runaway guard."""


class ApprovalMissing(CanbaoError):
    """A release without an approval of exactly this content by somebody other than the preparer."""


class ActorUnproven(ApprovalMissing):
    """Whoever acts has not shown that the post in whose name they do is theirs."""


class CalendarUnknown(CanbaoError):
    """A workday was asked for in a year the public holiday calendar does not cover."""


@dataclass(frozen=True)
class Fault:
    """One fault in a plan: where it stands, what is wrong, and the cure. ``file`` is named where it is not the plan's own: that of
    a base, or of a feed."""

    where: str
    what: str
    cure: str
    line: int | None = None
    file: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, {self.where}" if self.line else self.where
        place = f"{self.file}, {place}" if self.file else place
        return f"{place}: {self.what} {self.cure}".rstrip()
