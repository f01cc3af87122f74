"""What will be gone in the next release of a package is an error where our code uses it, and nobody's business elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
CATEGORIES = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
OURS = ("models.aged", "models.store.aged", "rules", "tests.aged")
OTHERS = ("prefect_aged", "modelsque.aged", "vendor.models")
OLD = "import warnings\n\n\ndef old(category):\n    warnings.warn('gone tomorrow', category, stacklevel=2)\n"
CALLS = "from somewhere_else import old\n\n\ndef call(category):\n    old(category)\n"
TEST = """
from importlib import import_module
import pytest

@pytest.mark.parametrize("category", [{categories}])
@pytest.mark.parametrize("module", {modules})
def test_it(module, category):
    import_module(module).call(category)
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Which tests fail, by our settings, of those that call a module which calls something old of another package."""
    folder = tmp_path_factory.mktemp("aged")
    for module in (*OURS, *OTHERS):
        target = (folder / module.replace(".", "/")).with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(CALLS)
    (folder / "somewhere_else.py").write_text(OLD)
    (folder / "test_it.py").write_text(TEST.format(categories=", ".join(CATEGORIES), modules=[*OURS, *OTHERS]))
    filters = "".join(f"    {line}\n" for line in SETTINGS["pytest"]["ini_options"]["filterwarnings"])
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = .\nfilterwarnings =\n{filters}")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True,
                          check=False, env={**os.environ, "COLUMNS": "200", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""})
    assert done.returncode == 1, done.stdout + done.stderr
    assert " warning" not in done.stdout.splitlines()[-1], "what others use is not even told"
    return set(re.findall(r"^FAILED test_it\.py::test_it\[(.+?)\] - \w+: gone tomorrow", done.stdout, re.MULTILINE))


def test_something_old_is_an_error_where_our_code_calls_it_and_nowhere_else(failed: set[str]) -> None:
    assert failed == {f"{module}-{category}" for module in OURS for category in CATEGORIES}


def test_every_room_is_watched() -> None:
    rooms = {package.partition(".")[0] for package in SETTINGS["setuptools"]["packages"]} | {"tests"}
    filters = [line.split(":") for line in SETTINGS["pytest"]["ini_options"]["filterwarnings"]]
    watched = {category: set(module[1:module.index(")")].split("|")) for action, _, category, module in
               (entry for entry in filters if entry[0] == "error" and len(entry) == 4)}
    assert watched == dict.fromkeys(CATEGORIES, rooms)
