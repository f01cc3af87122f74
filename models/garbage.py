"""When Python looks for garbage: seldom, and not among what a process has imported."""

from __future__ import annotations

import gc

COLLECT_AFTER_OBJECTS = 50_000
"""Importing makes some two hundred thousand objects that live as long as the process. Looking through them every 700, as Python
does by itself, is a tenth of what a short command costs, and finds nothing."""


def collect_seldom() -> None:
    """For a process that is about to import."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *gc.get_threshold()[1:])


def spare_what_stays() -> None:
    """For a process that has imported what it needs and will work for long: all that is there by now is looked at no more."""
    collect_seldom()
    gc.freeze()
