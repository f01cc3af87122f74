"""The states of a finding, as the record writes them. What leads from one to another stands in ``rules.finding_life``."""

from __future__ import annotations

from collections.abc import Sequence

WAITING = ("new", "persisting", "reopened", "released", "contradicted")
"""Somebody has to work on it: it stands on a roster, or will. ``persisting`` was new in an earlier month and has not been
handed out yet."""
LISTED = (*WAITING, "claimed", "excused")
"""The registers still show the duty unmet, as far as the latest run knows."""
ENDED = ("closed", "confirmed", "withdrawn")
"""The registers show it met (``confirmed`` where somebody had claimed so), or it was listed by mistake (``withdrawn``)."""
STATES = (*LISTED, *ENDED)
NOT_HANDED_OUT = ("new", "persisting", "withdrawn")
"""No owner has it on a roster: the rest were released at least once."""

Transitions = Sequence[tuple[str, str, str]]
"""(event, state before, state after)"""
