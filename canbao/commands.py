"""All commands of ``canbao``, in the order in which ``canbao --help`` shows their groups."""

from __future__ import annotations

# isort: off
from canbao import plan, month, reports, operations, audit
# isort: on
from canbao.app import app, run

__all__ = ["app", "audit", "month", "operations", "plan", "reports", "run"]
