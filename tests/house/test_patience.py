"""What moves is waited for, however long it takes; what does not is ended with all it started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from tests import patience

STILL = "import time; print('begun', flush=True); time.sleep(3600)"
SPEAKS = "import sys, time\nfor number in range(6): print(number, file=sys.stderr, flush=True); time.sleep(0.5)\nprint('done')"
WRITES = """
import sys, time
from pathlib import Path
for number in range(6):
    (Path(sys.argv[1]) / str(number)).write_text("a file")
    time.sleep(0.5)
"""
ONLY_ITS_SERVER_MOVES = """
import sys, time
from pathlib import Path
(Path(sys.argv[1]) / "postgres").mkdir()
while True:
    (Path(sys.argv[1]) / "postgres" / "pg_stat").write_text("a file")
    (Path(sys.argv[1]) / "prefect-server.log").write_text("a line")
    time.sleep(0.1)
"""


@pytest.mark.parametrize("code", [SPEAKS, WRITES])
def test_what_moves_is_waited_for_beyond_the_limit(tmp_path: Path, code: str) -> None:
    done = patience.run([sys.executable, "-c", code, str(tmp_path)], os.environ, tmp_path, hangs_after_seconds=2.5)
    assert done.returncode == 0


@pytest.mark.parametrize("code", [STILL, ONLY_ITS_SERVER_MOVES])
def test_what_stands_still_is_ended_and_its_last_words_are_told(tmp_path: Path, code: str) -> None:
    with pytest.raises(AssertionError, match="has not moved"):
        patience.run([sys.executable, "-c", code, str(tmp_path)], os.environ, tmp_path, hangs_after_seconds=1.0)
    assert not [process for process in psutil.Process().children(recursive=True) if str(tmp_path) in process.cmdline()]


def test_a_condition_that_never_holds_is_told_with_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match="the run is Pending"):
        patience.until(lambda: False, lambda: "the run is Pending", hangs_after_seconds=0.2)
    assert patience.until(lambda: "found", "nothing") == "found"
