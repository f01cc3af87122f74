"""The handbooks speak of what exists: every command with its options, every variable, every link and picture."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from canbao.commands import app

ROOT = Path(__file__).parents[2]
BOOKS = sorted((ROOT / "docs" / "handbook").glob("*/*.md"))
READERS = ("administrator", "department", "operator", "township")
COMMANDS = typer.main.get_command(app)


def commands(book: Path) -> Iterator[str]:
    """Everything after ``canbao``, in inline code and in the blocks that show a screen."""
    text = book.read_text(encoding="utf-8")
    blocks = re.findall(r"```\n(.*?)```", text, flags=re.S)
    for line in "\n".join(blocks).splitlines():
        if found := re.match(r"\$ (?:\.venv/bin/)?canbao (.*)", line):
            yield found[1]
    for code in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        if code.startswith("canbao ") and "…" not in code:
            yield code.removeprefix("canbao ")


def parse(line: str) -> list[str]:
    """What is wrong with a command as it stands in a handbook; a command's bare name only refers to it."""
    words = shlex.split(line, comments=True)
    command: Any = COMMANDS
    names: list[str] = []
    while isinstance(command, TyperGroup):
        if not words or words[0] not in command.commands:
            return [f"there is no command {' '.join([*names, *words[:1]])!r}"]
        names.append(words.pop(0))
        command = command.commands[names[-1]]
    options = {name: entry for entry in command.params for name in (*entry.opts, *entry.secondary_opts) if name.startswith("-")}
    given, places, faults = set(), 0, []
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("--"):
            places += 1
        elif word not in options:
            faults.append(f"{names[-1]} has no {word}")
        else:
            given.add(options[word].name)
            if not options[word].is_flag and next(waiting, "--").startswith("--"):
                faults.append(f"{names[-1]} {word} needs a value")
    if words:
        arguments = [entry for entry in command.params if entry.param_type_name == "argument"]
        needed = sum(entry.required for entry in arguments)
        faults += [] if needed <= places <= len(arguments) else [f"{names[-1]}: {places} places"]
        faults += [f"{names[-1]} needs {entry.opts[0]}" for entry in options.values() if entry.required and entry.name not in given]
    return faults


def test_every_reader_has_a_handbook_in_both_languages() -> None:
    assert [(book.parent.name, book.stem) for book in BOOKS] == [(language, reader) for language in ("en", "zh") for reader in READERS]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.parent.name}-{book.stem}")
def test_every_command_exists_with_the_options_it_is_given(book: Path) -> None:
    assert [fault for line in commands(book) for fault in parse(line)] == []


@pytest.mark.parametrize("reader", READERS)
def test_both_languages_show_the_same_commands(reader: str) -> None:
    chinese, english = (sorted(line.split("#")[0].split()[0] for line in commands(ROOT / "docs" / "handbook" / language / f"{reader}.md"))
                        for language in ("zh", "en"))
    assert chinese == english


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.parent.name}-{book.stem}")
def test_every_link_and_picture_is_there(book: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", book.read_text(encoding="utf-8"))
    assert [target for target in targets if not (book.parent / target).exists()] == []
    assert [name for name in re.findall(r"`(deployments/[^`]+)`", book.read_text(encoding="utf-8")) if not (ROOT / name).exists()] == []


def test_every_variable_is_one_that_the_software_reads() -> None:
    code = "".join(path.read_text(encoding="utf-8") for room in ("canbao", "deployments", "models", "tasks")
                   for path in [*(ROOT / room).rglob("*.py"), *(ROOT / room).rglob("*.yaml")])
    named = {name for book in BOOKS for name in re.findall(r"CANBAO_[A-Z]+(?:_[A-Z]+)*", book.read_text(encoding="utf-8"))}
    assert {name for name in named if name not in code and not name.startswith("CANBAO_SOURCE")} == set()


@pytest.mark.parametrize("wrong", ["sweeep chengjiang-2021", "approve chengjiang-2021 --runs 3 --by 岗", "approve chengjiang-2021 --by 岗",
                                   "approve --run 3 --by 岗", "approve chengjiang-2021 --run --by 岗"])
def test_a_wrong_command_is_found(wrong: str) -> None:
    assert parse(wrong)
    assert not parse("approve chengjiang-2021 --run 3 --by 审核岗")
