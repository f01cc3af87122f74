"""One installation on one home: whoever keeps it up holds the home's lock, and a second one is told so before it does anything."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from models.database import home
from models.errors import CanbaoError, WrongUse

HEALTH_FILE = "up.json"
LOCK_FILE = "supervisor.lock"


ALLOW_ROOT = "CANBAO_ALLOW_ROOT"


def refuse_root() -> None:
    """Raises WrongUse for root unless ``CANBAO_ALLOW_ROOT=1`` says that it is meant: whatever a flow, a file or a form talks an
    installation into, it can then do to the whole machine. A machine with nothing else on it, such as a developer's container,
    may not mind."""
    if os.geteuid() == 0 and os.environ.get(ALLOW_ROOT) != "1":
        raise WrongUse("`canbao up` does not run as root.", where=str(home()), cure=(
            "Run it under an account of its own that owns CANBAO_HOME (deployments/site/README.md), for example "
            f"`sudo -u canbao canbao up`; on a machine with nothing else on it, set {ALLOW_ROOT}=1."))


@contextmanager
def only_one() -> Iterator[None]:
    """Holds this home's lock as long as the block lasts. The kernel lets go of it with the process, however that ends: a file
    that is left behind means nothing. Raises CanbaoError, naming the process and its address, if another one holds it."""
    with (home() / LOCK_FILE).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise _already_up(lock.read().strip() or "of unknown number") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _already_up(pid: str) -> CanbaoError:
    place = home()
    try:
        ui = json.loads((place / HEALTH_FILE).read_text(encoding="utf-8"))["ui"]
        stands, use = f"runs already ({ui}), process {pid}.", f"Open {ui}."
    except (OSError, ValueError, KeyError):  # no health is written before everything runs
        stands, use = f"is being started already by process {pid}.", "Wait a minute and open the address that it prints."
    return CanbaoError(
        f"`canbao up` {stands}", where=str(place),
        cure=f"{use} To start it anew, end that one first: Ctrl-C where it runs, `systemctl stop canbao` if it is a service, or "
             f"`kill {pid}`. A second installation needs a CANBAO_HOME of its own.")
