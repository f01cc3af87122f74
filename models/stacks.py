"""Where a process stands, for whoever asks: ``kill -USR1 PID`` writes the stack of each of its threads to its error output.

A process that hangs tells nobody why. The stacks hold places in the code only, no value of anything.
"""

from __future__ import annotations

import faulthandler
import signal
import sys

ASKED_BY = signal.SIGUSR1


def answer_where() -> None:
    """From now on this process says where it stands when asked, and goes on. One without an error output cannot."""
    if sys.stderr is not None:
        faulthandler.register(ASKED_BY, all_threads=True)
