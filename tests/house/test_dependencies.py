"""docs/dependencies.md says the truth: of what we declare, of what we import, and of each package's licence."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "dependencies.md"
ROOMS = ("canbao", "models", "rules", "comparison", "expectations", "documents", "tasks", "flows", "deployments", "rehearsal",
         "benchmarks", "tests")
NOT_IMPORTED = "Not imported: "
COLUMNS = ("package", "why", "rooms", "licence", "kept by", "way out")
FAMILIES = {"MIT": r"\bMIT\b", "BSD": r"\b0?BSD\b", "Apache": r"\bApache\b", "LGPL": r"LGPL|Lesser General Public",
            "MPL": r"\bMPL\b|Mozilla", "PSF": r"\bPSF\b|Python Software Foundation", "GPL": r"(?<![AL])GPL|(?<!Lesser )General Public License"}
IMPORTERS = {"import_module", "importorskip", "__import__"}
Row = dict[str, str]


def declared(dev: bool) -> set[str]:
    """The packages that pyproject.toml asks for, for running or for development alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"]["dev"] if dev else project["dependencies"]
    return {canonicalize_name(Requirement(line).name) for line in asked}


def rows(dev: bool) -> dict[str, Row]:
    """The lines of one of the page's tables, by the package's normal name."""
    _, running, developing = PAGE.read_text(encoding="utf-8").split("\n| package |")
    text = (developing if dev else running).split("\n\n")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    assert all(len(cells) == len(COLUMNS) for cells in found), "a cell holds a bar"
    return {canonicalize_name(cells[0]): dict(zip(COLUMNS, cells, strict=True)) for cells in found}


@cache
def imports() -> dict[str, dict[str, list[str]]]:
    """Who imports what does not come with Python: package, room, places."""
    distributions = metadata.packages_distributions()
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for module, line in _imported(ast.parse(path.read_text(encoding="utf-8"))):
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or (ROOT / top).is_dir() or (path.parent / f"{top}.py").is_file():
                    continue
                for package in {canonicalize_name(name) for name in distributions.get(top, [top])}:
                    found[package][room].append(f"{path.relative_to(ROOT)}:{line}")
    return found


def _imported(tree: ast.AST) -> list[tuple[str, int]]:
    """Modules that a file imports, by statement or by name, wherever in it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.append((node.module, node.lineno))
        elif (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IMPORTERS and node.args
              and isinstance(node.args[0], ast.Constant)):
            found.append((str(node.args[0].value), node.lineno))
    return found


def licence_of(package: str) -> tuple[str, set[str]]:
    """(the expression if the package has one, the families of licences that its metadata name)."""
    told = metadata.metadata(package)
    expression = told["License-Expression"] or ""
    classifiers = [line for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
    # Some put the whole text into the field: its first lines say which it is, the rest who said so before.
    text = " ".join([expression, *(classifiers or [(told["License"] or "")[:80]])])
    return expression, families(text)


def families(text: str) -> set[str]:
    """The families of licences that a text names."""
    return {name for name, pattern in FAMILIES.items() if re.search(pattern, text)}


@pytest.mark.parametrize("dev", [False, True], ids=["what runs", "development"])
def test_every_declared_package_stands_in_the_table_and_no_other(dev: bool) -> None:
    assert rows(dev).keys() == declared(dev)


def test_what_we_import_we_declare() -> None:
    known = declared(False) | declared(True)
    assert {package: dict(places) for package, places in imports().items() if package not in known} == {}


def test_what_runs_needs_nothing_of_development() -> None:
    needed = {package: set(places) - {"tests"} for package, places in imports().items() if package in declared(True) - declared(False)}
    assert {package: rooms for package, rooms in needed.items() if rooms} == {}


def test_what_only_tests_import_is_not_installed_on_a_site() -> None:
    only_tests = {package for package, places in imports().items() if set(places) == {"tests"}}
    assert only_tests & declared(False) == set()


@pytest.mark.parametrize("dev", [False, True], ids=["what runs", "development"])
def test_the_table_names_the_rooms_that_import_it_or_says_what_else_needs_it(dev: bool) -> None:
    for package, row in rows(dev).items():
        told = set() if row["rooms"] == "–" else set(row["rooms"].split(", "))
        really = set(imports().get(package, {}))
        assert told == (really if dev else really - {"tests"}), package
        assert row["why"].startswith(NOT_IMPORTED) == (not told), package


@pytest.mark.parametrize("dev", [False, True], ids=["what runs", "development"])
def test_the_licence_is_the_one_the_package_names_itself(dev: bool) -> None:
    for package, row in rows(dev).items():
        expression, named = licence_of(package)
        assert named, f"{package} names no licence we know: {metadata.metadata(package)['License']}"
        assert families(row["licence"]) == named, package
        assert not expression or row["licence"] == expression, package


def test_every_licence_that_asks_something_of_us_is_spoken_of() -> None:
    asking = {package for dev in (False, True) for package, row in rows(dev).items() if families(row["licence"]) & {"LGPL", "MPL", "GPL"}}
    (said,) = re.findall(r"- \*\*Licences\.\*\*.*?\n- ", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert {package for package in asking if package.removesuffix("-binary") not in said} == set()


@pytest.mark.parametrize("dev", [False, True], ids=["what runs", "development"])
def test_nobody_is_without_a_keeper_and_a_way_out(dev: bool) -> None:
    assert {package for package, row in rows(dev).items() if not all(row.values())} == set()


def test_an_import_is_seen_wherever_it_stands() -> None:
    tree = ast.parse("def f():\n    import a.b as c\n    if x:\n        from d.e import g\n    importlib.import_module('h.i')\nfrom . import j\n")
    assert sorted(name for name, _ in _imported(tree)) == ["a.b", "d.e", "h.i"]
