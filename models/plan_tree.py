"""A plan's text as a tree that knows the file and line of every value.

YAML is read by the rules of YAML 1.2, not 1.1: ``18:00`` is a time of day and not the number 1080, ``no`` is a word. A tree may be
put together from several files (``models.plan_bases``): each node remembers its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import yaml

from models.errors import Fault, PlanUnsound, harmless

SIZE_LIMIT_BYTES = 32 * 1024 * 1024
"""A plan naming every township of China (38,700 units) takes some 12 MB: more than this is no plan."""
DEPTH_LIMIT = 24
"""The schema is 7 deep. Beyond this the file is damaged or hostile, and reading it could exhaust the stack."""
CROWD_LIMIT = 100_000
"""Values in one list or mapping. All townships of China are 38,700."""
LEAST_LETTERS_A_VALUE = 5
"""Of so many values a plan has more letters each, with keys and punctuation some twelve: fewer are a heap of numbers."""
TOP = "top of the plan"
ITEM_KEYS = ("id", "code", "feed", "list", "what")
"""What an item of a list is known by; the first of these that it has."""
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Place = tuple[str | int, ...]


# --- reading --------------------------------------------------------------------------------------------


def text_of(path: Path, name: str) -> str:
    """The text of a file. Raises PlanUnsound where it cannot be read, is no text, or too large."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "the system refuses it").lower()
        raise PlanUnsound(name, [Fault(str(path), f"the file cannot be read: {reason}.",
                                       "Check the path and the right to read it.")]) from None
    if len(content) > SIZE_LIMIT_BYTES:
        raise PlanUnsound(name, [Fault(str(path), f"the file is larger than {SIZE_LIMIT_BYTES // 1024 ** 2} MiB.",
                                       "Check that this is the plan and no data file.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanUnsound(name, [Fault(str(path), "the text is not UTF-8.", "Save the file as UTF-8.", line)]) from None
    if not text.strip():
        raise PlanUnsound(name, [Fault(str(path), "the file is empty.",
                                       "Copy a plan from campaigns/ and change it.")])
    return text


def obstacles(text: str) -> Iterator[Fault]:
    """What hinders reading the text as one plain YAML mapping. Events are looked at before anything is built, so
    that neither an alias bomb nor a thousand brackets cost more than their own length."""
    if (crowd := _crowd(text)) is not None:
        yield crowd
        return
    depth = documents = 0
    crowded = [0]
    root_is_mapping = True
    try:
        for event in yaml.parse(text, Loader=LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            tag = getattr(event, "tag", None)
            if isinstance(event, yaml.AliasEvent):
                yield Fault(TOP, f"the alias `*{event.anchor}` stands for another part of the file.",
                            "Plans have no aliases: write the value out.", line)
            elif tag is not None:
                yield Fault(TOP, f"the tag `{tag}` asks for a type of its own.",
                            "Plans have no tags: leave it out.", line)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    yield Fault(TOP, "a second document begins (`---`).", "Keep one plan in one file.", line)
            elif isinstance(event, yaml.CollectionStartEvent):
                root_is_mapping = root_is_mapping and (depth > 0 or isinstance(event, yaml.MappingStartEvent))
                depth += 1
                crowded.append(0)
                if depth > DEPTH_LIMIT:
                    yield _too_deep(line)
                    return
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                crowded.pop()
            elif isinstance(event, yaml.ScalarEvent):
                root_is_mapping = root_is_mapping and depth > 0
                crowded[-1] += 1
                if crowded[-1] > CROWD_LIMIT:
                    yield Fault(TOP, f"more than {CROWD_LIMIT:,} values stand in one list or mapping.", _NO_DATA, line)
                    return
    except yaml.YAMLError as error:
        yield _syntax_fault(error, text)
        return
    if documents == 0 or not root_is_mapping:
        yield Fault(TOP, "the file holds no plan: keys with values are expected.",
                    "Begin with `canbao: 1` and copy the rest from a plan under campaigns/.", 1)


def _crowd(text: str) -> Fault | None:
    """Whether the text is a heap of small values, and no plan: told by its commas and lines alone, before any is read."""
    marks = text.count(",") + text.count("\n")
    if marks <= CROWD_LIMIT or len(text) >= marks * LEAST_LETTERS_A_VALUE:
        return None
    before = accumulate(1 + line.count(",") for line in text.split("\n"))
    line = next(number for number, seen in enumerate(before, start=1) if seen > CROWD_LIMIT)
    return Fault(TOP, f"some {marks:,} values of a letter or two stand in the file.", _NO_DATA, line)


_NO_DATA = "Check that this is the plan and no data file; data come in as files of a feed."


def _too_deep(line: int) -> Fault:
    return Fault(TOP, f"the text is nested more than {DEPTH_LIMIT} deep.", "Look for an unclosed bracket.", line)


def _syntax_fault(error: yaml.YAMLError, text: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        return Fault(TOP, "the text holds a character that YAML does not allow.",
                     "Delete the invisible character, or write it as an escape in double quotes.",
                     text.count("\n", 0, position) + 1)
    lines = text.splitlines()
    line = min(mark.line, max(len(lines) - 1, 0))
    problem = str(getattr(error, "problem", "") or "it cannot be read").strip()
    if "nesting depth" in problem:  # the parser reads ahead and has a bound of its own
        return _too_deep(line + 1)
    if lines and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]:
        cure = "Indent with spaces, not with tabs."
    elif lines and re.search(r"\{[^{}\"']*:[^{}\"']*[^\s{}:,\"']\{", lines[line]):
        cure = "A text with braces of its own stands in quotes: `number_pattern: \"通报〔{year}〕{n}号\"`."
    else:
        cure = "Check indentation, colons, brackets and quotes here and on the line before."
    return Fault(TOP, f"no valid YAML: {problem}.", cure, line + 1)


# --- the tree of lines ----------------------------------------------------------------------------------


def composed(text: str, file: str = "") -> yaml.Node:
    """The text as nodes, each of which knows its file ('' for the plan's own)."""
    root = cast(yaml.Node, yaml.compose(text, Loader=LOADER))
    if file:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            node.file = file  # type: ignore[attr-defined]
            if isinstance(node, yaml.MappingNode):
                waiting += [part for pair in node.value for part in pair]
            elif isinstance(node, yaml.SequenceNode):
                waiting += node.value
    return root


def file_of(node: yaml.Node) -> str:
    """The file that a node comes from; '' for the plan's own."""
    return str(getattr(node, "file", ""))


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a file."""

    line: int
    file: str = ""


def spot_of(node: yaml.Node) -> Spot:
    """Where a node begins."""
    return Spot(node.start_mark.line + 1, file_of(node))


class Tree:
    """Values for the model, and the spot and label of every place."""

    def __init__(self, root: yaml.Node, own: yaml.Node | None = None) -> None:
        self.root, self.own = root, root if own is None else own

    def values(self) -> tuple[Any, list[Fault]]:
        """What the text says, as plain values, and the faults of its keys."""
        key_faults: list[Fault] = []
        return self._value(self.root, (), key_faults), key_faults

    def _value(self, node: yaml.Node, path: Place, key_faults: list[Fault]) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, key_faults)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(entry, (*path, index), key_faults) for index, entry in enumerate(node.value)]
        return scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Place, key_faults: list[Fault]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key, value in node.value:
            spot = spot_of(key)
            if not isinstance(key, yaml.ScalarNode):
                key_faults.append(Fault(self.place(path), "a list or mapping stands where a key is expected.",
                                        "Write a word before the colon.", spot.line, spot.file))
                continue
            if key.value in first_line:
                key_faults.append(Fault(
                    self.place((*path, key.value)), f"the key is given twice, first on line {first_line[key.value]}.",
                    "Keep one of the two.", spot.line, spot.file))
            first_line.setdefault(key.value, spot.line)
            values[key.value] = self._value(value, (*path, key.value), key_faults)
        return values

    def reach(self, path: Place) -> tuple[Place, Spot]:
        """The part of ``path`` that is there, and the spot of its end: a key's, or an item's."""
        node, spot = self.root, spot_of(self.root)
        for depth, part in enumerate(path):
            found = child(node, part)
            if found is None:
                return path[:depth], spot
            node, spot = found
        return path, spot

    def at(self, path: Place) -> yaml.Node | None:
        """The node of a place; None where the text has none."""
        node: yaml.Node | None = self.root
        for part in path:
            found = child(node, part) if node is not None else None
            node = found[0] if found else None
        return node

    def leaves(self, key: str = "") -> Iterator[tuple[str, Any, Spot]]:
        """Every value under a key (``obligations.monthly_report.due``; all, if left out) by its path, with the spot that set it. Items
        are named by what they call themselves. Raises KeyError with the word that is not there and those that are."""
        node, spot, at = self.root, spot_of(self.root), ""
        for word in key.split(".") if key else ():
            found = _by_word(node, word)
            if found is None:
                raise KeyError(word, [known for known, _, _ in _parts(node)])
            node, spot, at = found[1], found[2], f"{at}.{word}" if at else word
        yield from _leaves(node, spot, at)

    def place(self, path: Place) -> str:
        """A readable place: ``obligations[2] "monthly_report".due.day``."""
        words, node = "", cast("yaml.Node | None", self.root)
        for part in path:
            found = child(node, part) if node is not None else None
            node = found[0] if found else None
            if isinstance(part, int):
                words += f"[{part}]" + (f' "{harmless(label)}"' if node is not None and (label := _label(node)) else "")
            else:
                key = harmless(part)
                words += f".{key}" if words else key
        return words or TOP

    def spot_of_place(self, place: str) -> Spot:
        """The spot of a place written as ``place`` writes it."""
        path: list[str | int] = []
        for name, index in re.findall(r"(\w[\w-]*)|\[(\d+)\]", re.sub(r' "[^"]*"', "", place)):
            path.append(int(index) if index else name)
        return Spot(1) if place == TOP else self.reach(tuple(path))[1]


def _parts(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, Spot]]:
    """The parts of a node by the word that names each."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value, spot_of(key)
    elif isinstance(node, yaml.SequenceNode):
        labels = [_label(entry) for entry in node.value]
        for number, (label, entry, times) in enumerate(zip(labels, node.value, map(Counter(labels).get, labels), strict=True)):
            yield label if label and times == 1 else str(number), entry, spot_of(entry)


def _by_word(node: yaml.Node, word: str) -> tuple[str, yaml.Node, Spot] | None:
    return next((part for part in _parts(node) if part[0] == word), None)


def _leaves(node: yaml.Node, spot: Spot, at: str) -> Iterator[tuple[str, Any, Spot]]:
    if isinstance(node, yaml.ScalarNode):
        yield at, scalar(node), Spot(spot_of(node).line if not getattr(node, "style", None) else spot.line, file_of(node) or spot.file)
        return
    parts = list(_parts(node))
    if not parts or (isinstance(node, yaml.SequenceNode) and all(isinstance(entry, yaml.ScalarNode) for entry in node.value)):
        yield at, [scalar(entry) for entry in node.value if isinstance(entry, yaml.ScalarNode)], spot
        return
    for word, part, where in parts:
        yield from _leaves(part, where, f"{at}.{word}" if at else word)


def child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, Spot] | None:
    """A value of a mapping or an item of a list, and its spot: that of the key, or of the item."""
    if isinstance(node, yaml.MappingNode) and isinstance(part, str):
        # From the end: of two equal keys the later one is the value, and both are faults anyway.
        for key, value in reversed(node.value):
            if key.value == part:
                return value, spot_of(key)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        entry = node.value[part]
        return entry, spot_of(entry)
    return None


def _label(node: yaml.Node) -> str:
    """What an item of a list calls itself."""
    for name in (*ITEM_KEYS, "org", "role"):
        found = child(node, name)
        if found and isinstance(found[0], yaml.ScalarNode) and re.fullmatch(r"[\w-]{1,60}", found[0].value):
            return cast(str, found[0].value)
    return ""


_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17}|[1-9]\d{0,2}(_\d{3}){1,5})")
_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d{1,3})?")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}


def scalar(node: yaml.Node) -> str | int | float | bool | None:
    """The value of one scalar. Dates and times stay text, the model reads them; figures with leading zeros are codes
    and stay text; 6_550 is 6550."""
    text = cast(str, node.value)
    is_plain = not getattr(node, "style", None)
    if not is_plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


