"""Two installations on one machine never talk to one server."""

from __future__ import annotations

import subprocess
import sys

from deployments.server import free_port

ASK = "import sys; from deployments.server import free_port; print(free_port(int(sys.argv[1])))"


def test_a_port_that_another_process_has_chosen_is_not_chosen_though_nobody_listens_there_yet() -> None:
    wanted = free_port(0)
    assert free_port(wanted) == wanted
    assert free_port(wanted) == wanted
    other = subprocess.run([sys.executable, "-c", ASK, str(wanted)], capture_output=True, text=True, check=True)
    assert int(other.stdout) != wanted
