"""The life of a finding: which event may befall it in which state, and what becomes of it. A table, and its reading.

A finding is one unmet duty (a list and a subject); there is one row of it in the record for ever. Runs of the comparison
bring it up, judge it and take it away; owners answer; the office decides. Nothing else may change its state: the store
moves findings by this table and refuses what does not stand in it (C14, C22).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from models.plan import Expiry
from models.states import ENDED, LISTED, STATES, WAITING, Transitions

UNKNOWN = ""
"""The state of a finding before its first event."""
FOREVER = "9999-12"
"""The last month of an excuse that does not expire."""


def _all(states: tuple[str, ...], after: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(states, (after,))


LIFE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # --- a run of the comparison ---
    "new": {UNKNOWN: ("new",), "withdrawn": ("new",)},
    "persisting": {"new": ("persisting",)},
    "reopened": _all(("closed", "confirmed"), "reopened"),
    "still_excused": _all(("closed", "confirmed"), "excused"),
    "lapsed": {"excused": ("reopened",)},
    "confirmed": _all((*LISTED, "closed", "withdrawn"), "confirmed"),
    "contradicted": _all(("claimed", *WAITING, "closed", "confirmed"), "contradicted"),
    "closed": _all((*LISTED, "confirmed"), "closed"),
    # A corrected feed of the same month: what an earlier run of it had done is taken back.
    "withdrawn": dict.fromkeys(LISTED, ("withdrawn", "closed", "confirmed")),
    "restored": dict.fromkeys(ENDED, LISTED),
    # --- owners and the office ---
    "released": _all(tuple(state for state in WAITING if state != "released"), "released"),
    "claimed": _all(LISTED, "claimed"),
    "excused": _all(LISTED, "excused"),
    "answered": {"claimed": ("released",), "excused": ("released",)},
    "disputed": {state: (state,) for state in STATES},
    "dispute_refused": {state: (state,) for state in STATES},
    "transferred": {state: (state,) for state in STATES},
}
"""Event → state before → the states it may lead to. ``disputed`` and the like change the owner or nothing."""

TRANSITIONS: Transitions = tuple(
    (event, before, after) for event, moves in LIFE.items() for before, afters in moves.items() for after in afters)
"""The same as rows (event, before, after), as the store joins them."""


def is_legal(event: str, before: str, after: str) -> bool:
    """Whether the table allows this step."""
    return after in LIFE.get(event, {}).get(before, ())


def excused_until(expiry: Expiry | None, given_on: date) -> str:
    """The last month (YYYY-MM) in which an excuse given on a day holds; :data:`FOREVER` if it does not expire.

    A number of months counts from the month after the one it was given in. A month of the year (graduation in July) is
    the next such month, the current one included.
    """
    if expiry is None:
        return FOREVER
    if expiry.months is not None:
        whole = given_on.year * 12 + given_on.month - 1 + expiry.months
    else:
        assert expiry.month_of_year is not None  # the plan's schema gives exactly one
        whole = (given_on.year + (given_on.month > expiry.month_of_year)) * 12 + expiry.month_of_year - 1
    return f"{whole // 12:04d}-{whole % 12 + 1:02d}"
