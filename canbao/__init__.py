"""canbao: the command line. Prose goes to stderr; ``--json`` prints one object on stdout; exit 0, 1 (no), 2 (wrong use)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from models.garbage import collect_seldom
from models.loopback import reach_directly
from models.prefect_password import send_to_our_own
from models.private import FOLDER_MODE, keep_private
from models.stacks import answer_where


def _prepare_environment() -> None:
    """Quiet, private defaults for the libraries, before any of them is imported: nothing phones home."""
    state = Path(os.environ.get("CANBAO_HOME", "var")).resolve()
    for name, value in {
        "PREFECT_HOME": str(state / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "WARNING", "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(state / "matplotlib"),
    }.items():
        os.environ.setdefault(name, value)
    reach_directly(os.environ)
    send_to_our_own(os.environ, state)
    # Prefect wants the parent of its home to exist; where it cannot be made, the first command that writes says so.
    with suppress(OSError):
        state.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def main() -> None:
    """Entry point of the ``canbao`` command."""
    collect_seldom()
    keep_private()
    answer_where()
    _prepare_environment()
    from canbao.commands import run

    run()
