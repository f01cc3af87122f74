"""A command that hangs says where, before it is ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import patience

HANGS = """
import threading
from models.stacks import answer_where
answer_where()
def waits_for_what_never_comes():
    threading.Event().wait()
waits_for_what_never_comes()
"""


def test_a_command_that_hangs_says_where(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has not moved") as told:
        patience.run([sys.executable, "-c", HANGS], os.environ, tmp_path, hangs_after_seconds=5.0)
    assert "waits_for_what_never_comes" in "".join(told.value.__notes__)


def test_a_process_that_does_not_answer_is_not_asked() -> None:
    assert not patience._catches(os.getpid(), 27)
