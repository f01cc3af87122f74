"""Files that came to the wrong place: another feed's, another month's, another county's (domain.md 42, 45).

What a file says of itself stands in its name, in the titles above its header and in the header. Where these speak
clearly for something else the sender is asked; where they say nothing, nothing is concluded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from models import contract as contracts
from models.contract import Contract, header_key
from models.plan import Plan

_DATE = re.compile(
    r"(?P<until>截至|截止)?[^\d\n]{0,3}(?<!\d)(?P<year>20\d\d)(?:[-./年](?P<month>1[0-2]|0?[1-9])|(?P<digits>1[0-2]|0[1-9]))"
    r"(?:月份?|期)?(?P<day>[-./]?[0-3]?\d日?)?(?!\d)"
)


def stated_months(texts: Iterable[str]) -> frozenset[str]:
    """Months that texts name: ``2021年5月``, ``202105``, ``2021-05``, or the day up to which (截至2021年5月31日). A day
    alone is the day on which somebody made the file, and names no month."""
    return frozenset(
        f"{found['year']}-{int(found['month'] or found['digits']):02d}"
        for text in texts for found in _DATE.finditer(text) if found["until"] or not found["day"]
    )


def month_fault(stated: Collection[str], period: str) -> str | None:
    """The month that a file states in place of the period, None where that is fine. The period stands among several
    months (1月至5月), or is no month at all."""
    if not stated or period in stated or not _is_month(period):
        return None
    return max(stated)


def other_feed(
    texts: Iterable[str], headers: Iterable[str], own: Contract, of_the_plan: Sequence[Contract] = ()
) -> Contract | None:
    """The feed that a file belongs to by its own words, if that is clearly another one.

    By name or title: words of exactly one other feed, and none of its own. By header: all required columns of another
    feed, and more headers known there than here, while one of the own required columns is missing or twice as many
    are known there.
    """
    named = _named(texts, of_the_plan)
    if named:
        return None if own.feed in named or len(named) > 1 else contracts.for_feed(next(iter(named)), of_the_plan)
    return _fits_better([*headers], own, of_the_plan)


def _named(texts: Iterable[str], of_the_plan: Sequence[Contract]) -> set[str]:
    """Feeds whose words stand in the texts; a word inside a longer one of another feed does not count."""
    whole = "\n".join(texts)
    spoken = sorted(((word, entry.feed) for entry in contracts.all(of_the_plan) for word in entry.known_as),
                    key=lambda pair: -len(pair[0]))
    feeds: set[str] = set()
    for word, feed in spoken:
        if word in whole:
            feeds.add(feed)
            whole = whole.replace(word, "\n")
    return feeds


def _fits_better(headers: list[str], own: Contract, of_the_plan: Sequence[Contract]) -> Contract | None:
    keys = {header_key(header) for header in headers if header}
    known = _known(keys, own)
    is_whole = set(own.required) <= known
    better = []
    for entry in contracts.all(of_the_plan):
        columns = _known(keys, entry)
        if entry.feed != own.feed and set(entry.required) <= columns and len(columns) > len(known) * (2 if is_whole else 1):
            better.append((len(columns), entry))
    best = max((count for count, _ in better), default=0)
    winners = [entry for count, entry in better if count == best]
    return winners[0] if len(winners) == 1 else None


def _known(keys: Collection[str], entry: Contract) -> set[str]:
    return {entry.headers[key][0] for key in keys if key in entry.headers}


def is_local(area: str, plan: Plan) -> bool:
    """Whether the first six digits of a number are of the plan's region, today or formerly (domain.md 22)."""
    codes = {plan.region.code, *plan.region.former_codes, *(org.region_code[:6] for org in plan.organisations if org.region_code)}
    return any(area.startswith(_significant(code)) for code in codes)


def _significant(code: str) -> str:
    """A prefecture's code ends in 00 and a province's in 0000: what stands before covers their counties."""
    return re.sub(r"(00){1,2}$", "", code)


def _is_month(label: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}", label) is not None

