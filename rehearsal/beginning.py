"""What a rehearsal can begin with before it is itself imported, which takes seconds: so this imports next to nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tasks import workers

HEAVY = ("rehearsal.world", "documents.returned", "expectations.intake", "great_expectations.expectations")
"""What the worker processes work with: imported once, beside everything else that is still to start."""


def processes() -> AbstractContextManager[None]:
    """The processes in which departments export, organisations write and files are judged, for the duration."""
    return workers.processes(*HEAVY)
