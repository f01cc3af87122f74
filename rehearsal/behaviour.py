"""How organisations behave in a rehearsal: who reports in time, late, wrongly or not at all, and who works which list.

Everything follows from a seed, the organisation, the duty and the period, and from nothing that happened before: the
same rehearsal, run twice or resumed, sees the same conduct. Instants carry the zone of the deadline they are given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from models.plan import Feed, Obligation, Plan
from models.words import PHASE_KINDS
from rehearsal.place_config import PlaceConfig, StatedConduct
from rules.periods import month, next_month

Manner = Literal["punctual", "late", "wrong", "silent"]
OFFICE_OPENS_HOUR, OFFICE_HOURS = 9, 8
FAULTY_FIRST_SHARE = 0.6
"""How often an organisation that works carelessly hands in a faulty first file."""
REPEATS_SHARE = 0.5
"""How often a faulty report repeats last month's text; else a part of it is missing."""
FILLER_SHARE_OF_LATE, FILLER_SHARE = 0.6, 0.06
"""How often a report is filler: of those who are late, and of those who are in time."""


@dataclass(frozen=True)
class Conduct:
    """How one organisation behaves all through a rehearsal. Shares are between 0 and 1."""

    org: str
    manner: Manner
    late_days: int = 0
    corrects_after_days: int = 2
    acknowledges_share: float = 0.6
    visited_per_month_share: float = 0.4
    visited_share_by_list: tuple[tuple[str, float], ...] = ()


def chance(seed: int, *what: str) -> float:
    """A number in [0, 1): the same for the same seed and words, on every machine."""
    digest = hashlib.blake2b("\x1f".join((str(seed), *what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def conducts(plan: Plan, config: PlaceConfig, seed: int) -> dict[str, Conduct]:
    """The conduct of every organisation that owes a report or provides a feed.

    What the place states stands; the others are drawn so that the shares are met as nearly as whole organisations can
    meet them, and exactly as many townships are silent as the shares say, counting the stated ones.
    """
    owing = _owing(plan)
    shares = config.conduct_shares
    stated = {org: _stated(config, org, config.conduct[org]) for org in owing if org in config.conduct}
    free = sorted((org for org in owing if org not in stated), key=lambda org: chance(seed, "manner", org))
    townships = {org.code for org in plan.organisations if org.kind == "township"}
    silent_already = sum(conduct.manner == "silent" for conduct in stated.values())
    silent = [org for org in free if org in townships][: max(0, shares.silent_townships - silent_already)]
    others = [org for org in free if org not in silent]
    late_count, wrong_count = round(shares.late * len(others)), round(shares.wrong * len(others))
    manners: dict[str, Manner] = dict.fromkeys(silent, "silent")
    manners |= dict.fromkeys(others[:late_count], "late")
    manners |= dict.fromkeys(others[late_count: late_count + wrong_count], "wrong")
    return {
        org: stated.get(org) or _drawn(config, org, manners.get(org, "punctual"), seed)
        for org in owing
    }


def _owing(plan: Plan) -> tuple[str, ...]:
    """Organisations with a duty of their own, in the plan's order."""
    owing = {org.code for obligation in plan.obligations for org in plan.select(obligation.who)}
    owing |= {provider for feed in plan.feeds for provider in feed.providers}
    return tuple(org.code for org in plan.organisations if org.code in owing)


def _stated(config: PlaceConfig, org: str, wish: StatedConduct) -> Conduct:
    return Conduct(
        org, wish.manner, wish.late_days, wish.corrects_after_days, wish.acknowledges_share,
        wish.visited_per_month_share, _by_list(config))


def _drawn(config: PlaceConfig, org: str, manner: Manner, seed: int) -> Conduct:
    shares = config.conduct_shares
    late_days = 1 + int(chance(seed, "late_days", org) * shares.late_days_at_most) if manner == "late" else 0
    return Conduct(
        org, manner, late_days, acknowledges_share=shares.acknowledges_share,
        visited_per_month_share=shares.visited_per_month_share, visited_share_by_list=_by_list(config))


def _by_list(config: PlaceConfig) -> tuple[tuple[str, float], ...]:
    return tuple(config.conduct_shares.visited_share_by_list.items())


# --- when something arrives -----------------------------------------------------------------------------


def submission_instant(
    conduct: Conduct, obligation: Obligation, period: str, due_before: datetime, seed: int,
) -> datetime | None:
    """When the organisation's report for a period arrives, or None if it never does.

    ``due_before`` is the exclusive deadline: its due day is the day before. Punctual (and wrong) reports come in
    office hours on the due day or up to two days earlier, never before the duty opens; late ones ``late_days`` after.
    """
    return _instant(conduct, obligation.id, period, due_before, seed, days_ahead=min(2, obligation.opens_days_before))


def delivery_instant(conduct: Conduct, feed: Feed, period: str, due_before: datetime, seed: int) -> datetime | None:
    """When a department's file for a period arrives, or None if it never does; up to four days ahead if in time."""
    return _instant(conduct, feed.feed, period, due_before, seed, days_ahead=4)


def _instant(
    conduct: Conduct, duty: str, period: str, due_before: datetime, seed: int, *, days_ahead: int,
) -> datetime | None:
    if conduct.manner == "silent":
        return None
    drawn = chance(seed, "instant", conduct.org, duty, period)
    due_day = (due_before - timedelta(microseconds=1)).date()
    shift = conduct.late_days if conduct.manner == "late" else -int(drawn * (days_ahead + 1))
    return _in_office_hours(datetime.combine(due_day + timedelta(days=shift), time(), due_before.tzinfo),
                            chance(seed, "hour", conduct.org, duty, period))


def _in_office_hours(day: datetime, position: float) -> datetime:
    minutes = int(position * OFFICE_HOURS * 60)
    return day.replace(hour=OFFICE_OPENS_HOUR) + timedelta(minutes=minutes)


def first_is_faulty(conduct: Conduct, duty: str, period: str, seed: int) -> bool:
    """Whether the first file for a duty (an obligation's id, or a feed) has a fault for which it will be returned."""
    return conduct.manner == "wrong" and chance(seed, "fault", conduct.org, duty, period) < FAULTY_FIRST_SHARE


def repeats_last_text(conduct: Conduct, duty: str, period: str, seed: int) -> bool:
    """Whether the fault of a first report is that it says what last month's said; otherwise a part of it is missing."""
    return chance(seed, "repeats", conduct.org, duty, period) < REPEATS_SHARE


def writes_filler(conduct: Conduct, duty: str, period: str, seed: int) -> bool:
    """Whether a report holds the filler that others hand in too: mostly of those who are late with everything."""
    share = FILLER_SHARE_OF_LATE if conduct.manner == "late" else FILLER_SHARE
    return conduct.manner in ("late", "punctual") and chance(seed, "filler", conduct.org, duty, period) < share


def correction_instant(conduct: Conduct, duty: str, period: str, returned_at: datetime, seed: int) -> datetime:
    """When the right file follows one that was returned: some days later, in office hours."""
    day = datetime.combine(returned_at.date() + timedelta(days=conduct.corrects_after_days), time(), returned_at.tzinfo)
    return max(returned_at, _in_office_hours(day, chance(seed, "correction", conduct.org, duty, period)))


def acknowledges(conduct: Conduct, duty: str, period: str, step: str, seed: int) -> bool:
    """Whether the organisation answers a reminder (which pauses its ladder). Who is silent answers nothing."""
    drawn = chance(seed, "answer", conduct.org, duty, period, step)
    return conduct.manner != "silent" and drawn < conduct.acknowledges_share


# --- who is visited -------------------------------------------------------------------------------------


def working_months(plan: Plan) -> list[date]:
    """The first days of the months in which rosters are worked: those of the phases made for it (C14, L9, G15)."""
    months: set[date] = set()
    for phase in plan.phases:
        if not PHASE_KINDS[phase.kind].takes_back:
            continue
        day, last = phase.starts.replace(day=1), phase.ends or plan.ends
        while day <= last:
            months.add(day)
            day = month(next_month(f"{day:%Y-%m}")).starts
    return sorted(months)


def plan_visits(conduct: Conduct, list_id: str, keys: Sequence[str], period: str, seed: int) -> list[str]:
    """Which part of a roster the organisation works in a month, in the roster's order. Who is silent works none."""
    if conduct.manner == "silent":
        return []
    share = dict(conduct.visited_share_by_list).get(list_id, conduct.visited_per_month_share)
    return [key for key in keys if chance(seed, "visit", conduct.org, list_id, period, key) < share]
