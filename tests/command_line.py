"""The command line as anybody uses it: in a process and a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import patience


def environment_of(home: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing but the home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CANBAO_", "PREFECT_"))}
    return {**kept, "CANBAO_HOME": str(home)}


def canbao(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``canbao`` to its end. Fails only if it hangs."""
    return patience.run([sys.executable, "-m", "canbao", *arguments], environment_of(home), home)
