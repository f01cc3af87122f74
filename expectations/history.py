"""What is known of earlier deliveries when a file is judged, and how the file stands to them.

Questions about rows are asked in SQL on the rows themselves (``sql/91`` on); what follows from the answers are rules
(``rules.parts``, ``rules.drift``). Nothing here holds a person: keys are counted, never handed out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from expectations.normalise import Normalised
from models.contract import Contract, vocabulary
from models.plan import Feed
from rules.drift import Profile, together
from rules.parts import Bounds, Overlap, Standing, Word, standing, word_in


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery in force. ``waived``: a post accepted it although something spoke against it."""

    delivery: int
    part: str
    rows: int
    snapshot: Path
    profile: Profile = field(default_factory=Profile)
    waived: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Earlier deliveries of the same provider and feed: those in force for the same period, and those of the latest
    period before it. ``same_file`` says, in the sender's language, where the very same bytes were taken already."""

    current: tuple[Held, ...] = ()
    last: tuple[Held, ...] = ()
    same_file: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """How a file stands to the earlier deliveries. ``now`` and ``before`` are what the register, or the part of it,
    holds in this period and held in the last one; ``before`` is None where there is nothing to compare with."""

    part: str
    profile: Profile
    standing: Standing
    now: Profile
    before: Profile | None
    repeats_last: bool
    beside_a_waived_one: bool


def found(rows: Normalised, contract: Contract, feed: Feed, name: str, history: History) -> Found:
    """The file's place among the earlier deliveries. ``name`` is the file's name without the sender before it."""
    part, profile = part_of(name, contract, feed), profile_of(rows, contract)
    stands = _standing(rows, contract, feed, name, history.current)
    beside = [held for held in history.current if held.delivery in stands.beside]
    now, before = _compared(part, profile, beside, history.last)
    return Found(part, profile, stands, now, before, _repeats(rows, contract, profile.rows, history.last),
                 any(held.waived for held in beside))


def _compared(
    part: str, profile: Profile, beside: Sequence[Held], last: Sequence[Held]
) -> tuple[Profile, Profile | None]:
    """What is compared with what: the same part with itself, or, where the last period had no such part, all that is
    in force with all that was."""
    same = [held.profile for held in last if held.part == part]
    if same:
        return together([profile, *(held.profile for held in beside if held.part == part)]), together(same)
    everything = together([profile, *(held.profile for held in beside)])
    return everything, together(held.profile for held in last) if last else None


def _standing(
    rows: Normalised, contract: Contract, feed: Feed, name: str, current: Iterable[Held]
) -> Standing:
    words = vocabulary()["parts"]
    keys, overlaps = 0, []
    for held in current:
        keys, in_force, shared = rows.ask("92_overlap", key=", ".join(contract.key), snapshot=_path(held.snapshot))[0]
        overlaps.append(Overlap(held.delivery, in_force, shared))
    said: dict[Word, Sequence[str]] = {"adds": words["adds"], "replaces": words["replaces"]}
    bounds = Bounds(words["disjoint_below"], words["same_from"])
    return standing(keys, overlaps, bounds, word_in(name, said), only_adds=feed.snapshot == "supplement")


def _repeats(rows: Normalised, contract: Contract, count: int, last: Iterable[Held]) -> bool:
    """Whether the accepted rows are exactly those of one of last period's files, saved anew or not (domain.md 42)."""
    columns = ", ".join(contract.columns)
    return any(
        rows.ask("93_same_content", columns=columns, snapshot=_path(held.snapshot))[0][0]
        for held in last if held.rows == count and count
    )


def profile_of(rows: Normalised, contract: Contract) -> Profile:
    """The accepted rows in counts."""
    coded, names = contract.of_type("code", "slug", "org"), [*contract.columns]
    counts = [*(f"histogram(coalesce({name}, ''))" for name in coded), *(f"count({name})" for name in names)]
    total, *answers = rows.ask("91_profile", counts="".join(f", {count}" for count in counts))[0]
    values = {name: dict(answer or {}) for name, answer in zip(coded, answers, strict=False)}
    return Profile(total, values, dict(zip(names, answers[len(coded):], strict=True)))


def commonest_area(rows: Normalised) -> tuple[str, int] | None:
    """The area that most accepted numbers begin with, and how many do."""
    answers = rows.ask("94_areas")
    return (answers[0][0], answers[0][1]) if answers else None


_BRACKETED = re.compile(r"[(（\[【].*?[)）\]】]")
_DATES_AND_COUNTS = re.compile(
    r"(?:截至|截止)?20\d\d[-._年]?(?:1[0-2]|0?[1-9])?月?(?:[-._]?[0-3]?\d日?)?|1?\d月份?|共?\d+(?:人|条|行)|\d{3,}"
)
_MARKS = re.compile(r"[\s_\-—.,，、·+&]+")


def part_of(name: str, contract: Contract, feed: Feed) -> str:
    """What the name says beyond sender, feed, date and version: which part of the register it is; '' where nothing
    more is said. ``户籍人口信息_凤麓街道_2021年5月（更正）`` is the part 凤麓街道."""
    words: Mapping[str, list[str]] = vocabulary()["parts"]
    known = [feed.name, contract.name, *contract.known_as,
             *words["adds"], *words["replaces"], *words["attempts"], *words["generic"]]
    rest = _DATES_AND_COUNTS.sub("", _BRACKETED.sub("", name))
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, "")
    return _MARKS.sub("", rest)


def _path(snapshot: Path) -> str:
    """As it stands between quotes in SQL."""
    return str(snapshot).replace("'", "''")
