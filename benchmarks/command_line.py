"""What a command costs: seconds of processor time of its process, importing and all, beside the bare interpreter.

The record holds two months of a small made-up place. Its server runs already, as it does beside `canbao up`: what is measured
is what each command costs. The last line has to start the server and to end it as well. `dispute --list` asks one small question of
the record: what the others cost more than it is their questions'.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Figure, table

CAMPAIGN, PERIODS = "chengjiang-2021", ("2021-04", "2021-05")
BEGUN, WORKED, ASKED = "2021-03-18T09:00+08:00", "2021-06-02T09:00+08:00", "2021-06-05T09:00+08:00"
HELP_SECONDS, READ_SECONDS = 0.6, 1.5
"""Bars: without any record, and of reading it before a question has its own cost."""
HELP = ("--version", "--help", "status --help")
READING = (
    f"plan check {CAMPAIGN}", f"calendar {CAMPAIGN}", f"deployments {CAMPAIGN}", f"receipt {CAMPAIGN} --delivery 1",
    f"candidates {CAMPAIGN} --as-of {ASKED}", f"dispute {CAMPAIGN} --list",
    f"explain {CAMPAIGN} --item monthly_report --org longjie --period 2021-04 --as-of {ASKED}",
    f"status {CAMPAIGN} --as-of {ASKED} --json", f"status {CAMPAIGN} --as-of {ASKED}",
)
HOLD = "from models.database import engine; engine(); print(flush=True); input()"


def _run(words: Sequence[str]) -> float:
    """Seconds of processor time (user and system) of one command and of those it waits for."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {told.decode()}")
    return used.ru_utime + used.ru_stime


def _canbao(line: str) -> float:
    return _run(["-m", "canbao", *line.split()])


@contextmanager
def _server() -> Iterator[None]:
    """The embedded server, held by a process that does nothing else."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
        holder.communicate(b"\n")


def _make(folder: Path, persons: int) -> None:
    """Two months of files taken in and compared, and one sweep."""
    _canbao(f"mobilise {CAMPAIGN} --as-of {BEGUN}")
    _canbao(f"simulate {CAMPAIGN} --persons {persons} --seed 1 --periods {','.join(PERIODS)} --out {folder}")
    for period in PERIODS:
        _canbao(f"intake {CAMPAIGN} --period {period} --inbox {folder / 'inbox'} --as-of {WORKED}")
        _canbao(f"compare {CAMPAIGN} --period {period} --as-of {WORKED}")
    _canbao(f"sweep {CAMPAIGN} --as-of {WORKED}")


def _figure(name: str, line: str, bar: float | None, rounds: int) -> Figure:
    """The median of some rounds, each beside the bare interpreter."""
    pairs = [(_canbao(line), _run(["-c", "pass"])) for _ in range(rounds)]
    own = [pair[0] for pair in pairs]
    return Figure(name, "CPU-s", statistics.median(own), bar, min(own), max(own), statistics.median(own),
                  statistics.median(pair[1] for pair in pairs))


def run(persons: int, rounds: int, folder: Path) -> list[Figure]:
    """Every line of the table. ``folder`` becomes the home; it holds the place as well."""
    os.environ["CANBAO_HOME"] = str(folder / "home")
    figures = [_figure(f"canbao {line}", line, HELP_SECONDS, rounds) for line in HELP]
    with _server():
        _make(folder / "place", persons)
        figures += [_figure(f"canbao {line.replace(CAMPAIGN, 'C')}", line, READ_SECONDS, rounds) for line in READING]
    return [*figures, _figure("the last, starting and ending the database", READING[-1], None, rounds)]


def main(arguments: list[str]) -> int:
    """``python -m benchmarks command-line [--persons N] [--rounds N]``: 1 if a bar is missed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks command-line", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--persons", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args(arguments)
    # Without compiled files every command would compile what it imports: `make setup` and the first call keep them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="canbao-command-line-") as folder:
        figures = run(chosen.persons, chosen.rounds, Path(folder))
    print(table(figures))
    return 0 if all(figure.met != "no" for figure in figures) else 1
