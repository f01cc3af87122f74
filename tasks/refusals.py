"""What was tried and not allowed stands in the audit trail, although nothing else of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from models.database import transaction
from models.errors import CanbaoError
from models.store import campaigns

LONGEST_NAME = 60
"""Of what was typed as a name; nobody's post is longer."""


@contextmanager
def kept(campaign: str, what: str, subject: str, by: str, as_of: datetime) -> Iterator[None]:
    """Around an attempt: if it is refused, who tried what and why it was refused is put into the trail, and the refusal goes on."""
    try:
        yield
    except CanbaoError as refusal:
        with transaction() as tx:
            campaigns.audit(tx, campaign, at=as_of, actor=by[:LONGEST_NAME], action=f"not allowed: {what}", subject=subject, count=0,
                            reason=refusal.what)
        raise
