"""No test decides by how long something took: what is quick here is slow on a machine with neighbours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.patience import HANGS_AFTER_SECONDS

HERE = Path(__file__).resolve().parents[1]
MAY_READ_IT = {"patience.py", "test_child.py"}
"""Who waits for all others; and who tells a supervisor what time it is."""
LIMITS = ("timeout", "wait", "join")
"""What is given a number of seconds after which it fails: by name (``timeout=30``) or by place (``process.wait(30)``)."""


def _limits(tree: ast.AST) -> list[tuple[int, float]]:
    """(line, seconds) of every limit on the clock that is written as a number."""
    found: list[tuple[int, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [(node.lineno, keyword.value) for keyword in node.keywords if keyword.arg == "timeout"]
            if isinstance(node.func, ast.Attribute) and node.func.attr in LIMITS and len(node.args) == 1:
                found.append((node.lineno, node.args[0]))
    return [(line, value.value) for line, value in found if isinstance(value, ast.Constant) and isinstance(value.value, int | float)]


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.py")), ids=lambda path: str(path.relative_to(HERE)))
def test_no_limit_on_the_clock_is_within_reach(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(line, seconds) for line, seconds in _limits(tree) if seconds < HANGS_AFTER_SECONDS] == []
    if path.name not in MAY_READ_IT:
        read = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ("monotonic", "perf_counter")]
        # How long a thing took may be the measure of a chance (when to kill the next), never of a verdict.
        assert not read or path.name == "test_comparison_kills.py"
