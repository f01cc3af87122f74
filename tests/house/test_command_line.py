"""The command line in the tests is watched for old calls like the tests themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import environment_of

WARNS = "import sys, warnings; warnings.warn_explicit('gone tomorrow', DeprecationWarning, 'a.py', 1, module=sys.argv[1])"


@pytest.mark.parametrize(("module", "code"), [("models.database", 1), ("canbao", 1), ("prefect.flows", 0), ("models.databases", 0)])
def test_something_old_ends_a_command_only_where_our_code_calls_it(tmp_path: Path, module: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", WARNS, module], env=environment_of(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
