"""The house stands as drawn: imports run one way, rules are pure, SQL lives in its rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("canbao", "models", "rules", "comparison", "expectations", "documents", "tasks", "flows", "deployments", "rehearsal")


def _modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def test_imports_run_one_way() -> None:
    done = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", _modules("rules"), ids=lambda path: path.name)
def test_a_rule_reads_no_clock_and_opens_no_file(path: Path) -> None:
    forbidden = {"now", "today", "utcnow", "open", "read_text", "write_text", "connect", "getenv"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
              for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & forbidden


@pytest.mark.parametrize("path", _modules(*(room for room in ROOMS if room not in ("flows", "canbao"))),
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_only_flows_and_the_command_line_read_the_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
             and isinstance(node.func.value, ast.Name) and node.func.value.id in ("datetime", "date")}
    assert not calls & {"now", "today", "utcnow"}


@pytest.mark.parametrize("path", _modules("rules", "documents", "tasks", "flows", "deployments"), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_outside_its_rooms(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {node.body[0].value.value for node in ast.walk(tree)
                  if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body
                  and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
             and node.value not in docstrings]
    assert not [text for text in texts if text.lstrip().startswith(("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "))]


def test_every_room_is_packaged() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    assert set(ROOMS) <= listed
    there = {str(path.parent.relative_to(ROOT)).replace("/", ".") for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    assert there <= listed


def test_the_lock_file_holds_hashes_and_no_index_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert "://" not in lock
