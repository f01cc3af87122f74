"""The command line as anybody uses it: in a process and a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from tests import patience

ROOT = Path(__file__).resolve().parents[1]


@cache
def _warnings() -> str:
    """PYTHONWARNINGS by which our modules fail where they use something old, as in the tests' own process. It takes no
    patterns: each module is named."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    files = sorted(path for package in packages for path in (ROOT / package.replace(".", "/")).glob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files]
    return ",".join(f"error::DeprecationWarning:{name}" for name in names)


def environment_of(home: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing but the home, and where something old is an error."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CANBAO_", "PREFECT_"))}
    return {**kept, "CANBAO_HOME": str(home), "PYTHONWARNINGS": _warnings()}


def canbao(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``canbao`` to its end. Fails only if it hangs."""
    return patience.run([sys.executable, "-m", "canbao", *arguments], environment_of(home), home)
