"""A command loads what it needs and no more: seconds of importing are paid again at every call.

What is looked at is which libraries a command has loaded when it ends, not how long it took: that says as much about the
machine. The seconds are measured by ``python -m benchmarks command-line``.
"""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import tasks
from tasks.campaign import store_plan
from tasks.obligations import make_obligations
from tests.tasks import a_comparison

ROOT = Path(__file__).parents[2]
CAMPAIGN, NOW, PERIOD = a_comparison.CAMPAIGN, a_comparison.NOW, a_comparison.PERIOD
SHOWING = {"typer", "rich"}
PARSING = {*SHOWING, "pydantic", "pydantic_core"}
"""With pydantic typer reads what a command is given, and begins with it when a command's own help is asked for."""
PLAN = {*PARSING, "yaml", "chinese_calendar", "duckdb", "sqlglot", "psutil"}
"""The expressions of a plan are tried on the engine that will run them, with what the machine lets it have."""
RECORD = {*PARSING, "yaml", "chinese_calendar", "sqlalchemy", "psycopg2", "rapidfuzz", "psutil"}
LOADED = """
import json, sys
import canbao
for line in json.loads(sys.argv.pop()):
    sys.argv = ["canbao", *line.split()]
    try:
        canbao.main()
    except SystemExit as end:
        assert not end.code, (line, end.code)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def _modules_of_dependencies() -> set[str]:
    """The top modules of everything that pyproject.toml names: whatever is added there is watched from then on."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=!~\[; ]", line)[0].lower().replace("_", "-") for line in declared}
    found = {module for module, owners in packages_distributions().items() if {owner.lower().replace("_", "-") for owner in owners} & names}
    assert {"prefect", "pandas", "great_expectations", "matplotlib", "splink", "sqlalchemy", "duckdb", "typer", "rich"} <= found
    return found


DEPENDENCIES = _modules_of_dependencies()


def _loaded(*lines: str) -> set[str]:
    """The libraries of ours that commands, run one after the other in one process, have loaded when they have ended."""
    done = subprocess.run([sys.executable, "-c", LOADED, json.dumps(lines)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return DEPENDENCIES & set(json.loads(done.stderr.splitlines()[-1]))


def test_help_and_version_load_nothing_but_the_command_line_itself() -> None:
    assert _loaded("--help", "-h", "--version") <= SHOWING
    assert _loaded("status --help", "up -h", "plan -h", "plan check -h") <= PARSING


def test_what_only_reads_a_plan_loads_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    assert _loaded(f"plan check {CAMPAIGN}", f"calendar {CAMPAIGN}", f"calendar {CAMPAIGN} --json") <= PLAN


def test_what_only_reads_the_record_loads_neither_prefect_nor_what_makes_tables_and_documents(record: Path, tmp_path: Path) -> None:
    store_plan.fn(CAMPAIGN, NOW)
    make_obligations.fn(CAMPAIGN, NOW)
    delivered = tmp_path / "人口.csv"
    delivered.touch()
    a_comparison.deliver("population", PERIOD, "gongan", delivered)
    assert _loaded(*(f"{name} {CAMPAIGN} {options}" for name, options in (
        ("status", ""), ("status", "--json"), ("candidates", "--all"), ("receipt", "--delivery 1"), ("dispute", "--list"),
        ("explain", f"--item feed:population --org gongan --period {PERIOD}")))) <= RECORD
    # A plan's deployments are made of the plan, and of the list under CANBAO_HOME.
    assert _loaded(f"deployments {CAMPAIGN}") <= RECORD | PLAN


def test_no_module_of_tasks_imports_prefect_but_the_one_that_speaks_with_its_server() -> None:
    names = [f"tasks.{found.name}" for found in pkgutil.iter_modules(tasks.__path__) if found.name != "prefect_server"]
    code = f"import sys\nfor name in {names}:\n    __import__(name)\n    assert 'prefect' not in sys.modules, name"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
