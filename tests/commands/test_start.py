"""Help, version and wrong use of the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from canbao.app import AUDIT, MONTH, OPERATIONS, PLAN, REPORTS
from canbao.commands import app

GROUPS = (PLAN, MONTH, REPORTS, OPERATIONS, AUDIT)
RUNNER = CliRunner()


def _commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*names, name)
        if isinstance(command, TyperGroup):
            yield from _commands(command, *names, name)


COMMANDS: Any = typer.main.get_command(app)


def test_every_command_says_what_it_does_where_it_is_asked_shortly_or_at_length() -> None:
    for names in [(), *_commands(COMMANDS)]:
        told = RUNNER.invoke(app, [*names, "-h"])
        assert (told.exit_code, "Usage: " in told.output) == (0, True), names
    assert RUNNER.invoke(app, ["status", "--help"]).output == RUNNER.invoke(app, ["status", "-h"]).output


def test_the_version_is_that_of_the_package() -> None:
    assert RUNNER.invoke(app, ["--version"]).output == f"canbao {version('canbao')}\n"


def test_help_groups_commands_by_who_uses_them_in_the_order_of_the_work() -> None:
    panels = list(dict.fromkeys(command.rich_help_panel for command in COMMANDS.commands.values()))
    assert sorted(panels, key=GROUPS.index) == panels[:len(GROUPS)]
    shown = RUNNER.invoke(app, ["--help"]).output
    places = [shown.index(group) for group in GROUPS]
    assert places == sorted(places)


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "canbao", *arguments], capture_output=True, text=True, check=False,
                          env={"CANBAO_HOME": str(home), "PATH": "", "PYTHONUTF8": "1"})


@pytest.mark.parametrize(("arguments", "says"), [
    (("statsu",), "Did you mean 'status'?"), (("status",), "CAMPAIGN"), (("calendar", "nowhere"), "Campaigns here"),
    (("up", "--prot", "1"), "--port"),
])
def test_wrong_use_ends_with_two_and_says_what_would_be_right(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = _run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_whoever_stops_reading_gets_no_traceback(tmp_path: Path) -> None:
    calendar = subprocess.Popen([sys.executable, "-m", "canbao", "calendar", "chengjiang-2021", "--json"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env={"CANBAO_HOME": str(tmp_path), "PATH": "", "PYTHONUTF8": "1"})
    assert calendar.stdout is not None
    assert calendar.stderr is not None
    calendar.stdout.close()
    assert calendar.stderr.read() == ""
    calendar.wait()
