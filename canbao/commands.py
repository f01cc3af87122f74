"""All commands of ``canbao``, in the order in which ``canbao --help`` shows their groups."""

from __future__ import annotations

# isort: off
from canbao import plan, month, reports, operations, accounts, audit
# isort: on
from canbao.app import app, run

__all__ = ["accounts", "app", "audit", "month", "operations", "plan", "reports", "run"]
