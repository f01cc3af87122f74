"""Plan files: where a campaign's plan stands, and how its text becomes a ``Plan`` or a list of faults with lines.

YAML is read by the rules of YAML 1.2, not 1.1: ``18:00`` is a time of day and not the number 1080, ``no`` is a word.
Values reach the model in strict mode, so that a number is never guessed from a text nor a date from a number.
Faults that need the whole plan are found by ``rules.soundness``; ``located`` gives those their lines too.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from calendar import month_name, monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models.contract import Contract
from models.errors import Fault, PlanUnsound, WrongUse, harmless
from models.plan import CampaignId, MonthLabel, Plan, Region, Slug

REPOSITORY = Path(__file__).resolve().parents[1]
PLAN_NAME = "plan.yaml"
FEEDS = "feeds"
"""The folder beside a plan with the contracts of a site's own feeds, one file each."""
MARK = "# from "
"""Begins the line of a plan's text behind which stands what another file says."""
SIZE_LIMIT_BYTES = 32 * 1024 * 1024
"""A plan naming every township of China (38,700 units) takes some 12 MB: more than this is no plan."""
DEPTH_LIMIT = 24
"""The schema is 7 deep. Beyond this the file is damaged or hostile, and reading it could exhaust the stack."""
TOP = "top of the plan"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class LoadedPlan:
    """A plan with the very text it was read from; ``sha256`` is that of the file's bytes."""

    plan: Plan
    sha256: str
    text: str
    path: Path


# --- where ----------------------------------------------------------------------------------------------


def find(campaign: str, root: Path | None = None) -> Path:
    """The plan file of a campaign: an id under ``campaigns/`` of ``root`` (default: this repository), or a path to a
    plan file or to a folder that holds ``plan.yaml``. An id wins over a path of the same name. Raises WrongUse."""
    campaigns = (root or REPOSITORY) / "campaigns"
    by_id = campaigns / campaign / PLAN_NAME
    if _is_campaign_id(campaign) and by_id.is_file():
        return by_id
    given = Path(campaign).expanduser()
    if given.is_dir() and (given / PLAN_NAME).is_file():
        return given / PLAN_NAME
    if campaign and given.exists() and not given.is_dir():
        return given
    known = sorted(entry.parent.name for entry in campaigns.glob(f"*/{PLAN_NAME}"))
    raise WrongUse(
        f"there is no campaign and no plan file {campaign!r}.",
        cure=f"Campaigns here: {', '.join(known) or 'none'}. Or give the path of a plan file.",
    )


def _is_campaign_id(text: str) -> bool:
    return re.fullmatch(_pattern_of(CampaignId), text) is not None


# --- reading --------------------------------------------------------------------------------------------


def read(path: Path) -> LoadedPlan:
    """Read and validate one plan file. Raises PlanUnsound with every fault of the schema, in the order of lines;
    where the text is no YAML at all, with the faults that hinder reading."""
    name = path.parent.name if path.name == PLAN_NAME and path.parent.name else path.stem
    text, sha256 = _text_of(path, name)
    for feed in sorted((path.parent / FEEDS).glob("*.yaml")) if path.parent.joinpath(FEEDS).is_dir() else ():
        described, digest = _text_of(feed, name)
        text = _with_contract(text, described, f"{FEEDS}/{feed.name}")
        sha256 = hashlib.sha256((sha256 + digest).encode()).hexdigest()
    return LoadedPlan(parse(text, name), sha256, text, path)


def _with_contract(text: str, described: str, file: str) -> str:
    """The plan's text with a feed's contract at its end, marked with the file it comes from: what is stored of a plan is whole."""
    lines = described.removeprefix("---\n").splitlines()
    head = "" if f"\n{MARK}" in text else "\ncontracts:"
    first = next((number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    body = "\n".join(f"{'- ' if number == first else '  '}{line}" for number, line in enumerate(lines))
    return f"{text.rstrip()}\n{head}\n{MARK}{file}\n{body}\n" if head else f"{text.rstrip()}\n{MARK}{file}\n{body}\n"


def _in_its_file(fault: Fault, text: str) -> Fault:
    """A fault in what came from another file says which, and the line there."""
    if fault.line is None or f"\n{MARK}" not in text:
        return fault
    before = text.splitlines()[: fault.line]
    marked = next((number for number in range(len(before) - 1, -1, -1) if before[number].startswith(MARK)), None)
    if marked is None:
        return fault
    return replace(fault, where=f"{before[marked].removeprefix(MARK)}: {fault.where}", line=fault.line - marked - 1)


def parse(text: str, name: str) -> Plan:
    """Validate a plan's text, from a file or from the record. Raises PlanUnsound as ``read`` does."""
    obstacles = list(_obstacles(text))
    if obstacles:
        raise PlanUnsound(name, obstacles)
    tree = _Tree(text)
    plan, faults = _validated(tree)
    if plan is None or faults:
        raise PlanUnsound(name, [_in_its_file(fault, text) for fault in sorted(faults, key=lambda fault: fault.line or 0)])
    return plan


def located(faults: Iterable[Fault], text: str) -> list[Fault]:
    """The same faults with the line of their place in ``text``, in the order of lines. A place that the text leaves
    to a default gets the line of the item around it."""
    waiting = list(faults)
    if not waiting:
        return []
    tree = _Tree(text)
    found = [fault if fault.line else replace(fault, line=tree.line_of_place(fault.where)) for fault in waiting]
    return [_in_its_file(fault, text) for fault in sorted(found, key=lambda fault: fault.line or 0)]


def _text_of(path: Path, name: str) -> tuple[str, str]:
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
    return text, hashlib.sha256(content).hexdigest()


def _obstacles(text: str) -> Iterator[Fault]:
    """What hinders reading the text as one plain YAML mapping. Events are looked at before anything is built, so
    that neither an alias bomb nor a thousand brackets cost more than their own length."""
    depth = documents = 0
    root_is_mapping = True
    try:
        for event in yaml.parse(text, Loader=_Loader):
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
                if depth > DEPTH_LIMIT:
                    yield _too_deep(line)
                    return
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.ScalarEvent) and depth == 0:
                root_is_mapping = False
    except yaml.YAMLError as error:
        yield _syntax_fault(error, text)
        return
    if documents == 0 or not root_is_mapping:
        yield Fault(TOP, "the file holds no plan: keys with values are expected.",
                    "Begin with `canbao: 1` and copy the rest from a plan under campaigns/.", 1)


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
    else:
        cure = "Check indentation, colons, brackets and quotes here and on the line before."
    return Fault(TOP, f"no valid YAML: {problem}.", cure, line + 1)


# --- the tree of lines ----------------------------------------------------------------------------------


class _Tree:
    """The composed text: values for the model, and the line and label of every place."""

    def __init__(self, text: str) -> None:
        self.root: yaml.Node = cast(yaml.Node, yaml.compose(text, Loader=_Loader))

    def values(self) -> tuple[Any, list[Fault]]:
        """What the text says, as plain values, and the faults of its keys."""
        key_faults: list[Fault] = []
        return self._value(self.root, (), key_faults), key_faults

    def _value(self, node: yaml.Node, path: _Path, key_faults: list[Fault]) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, key_faults)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(entry, (*path, index), key_faults) for index, entry in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: _Path, key_faults: list[Fault]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                key_faults.append(Fault(self.place(path), "a list or mapping stands where a key is expected.",
                                        "Write a word before the colon.", line))
                continue
            if key.value in first_line:
                key_faults.append(Fault(
                    self.place((*path, key.value)), f"the key is given twice, first on line {first_line[key.value]}.",
                    "Keep one of the two.", line))
            first_line.setdefault(key.value, line)
            values[key.value] = self._value(value, (*path, key.value), key_faults)
        return values

    def reach(self, path: _Path) -> tuple[_Path, int]:
        """The part of ``path`` that stands in the text, and the line of its end: a key's line, or an item's."""
        node, line = self.root, self.root.start_mark.line + 1
        for depth, part in enumerate(path):
            child = _child(node, part)
            if child is None:
                return path[:depth], line
            node, line = child
        return path, line

    def place(self, path: _Path) -> str:
        """A readable place: ``obligations[2] "monthly_report".due.day``."""
        words, node = "", cast("yaml.Node | None", self.root)
        for part in path:
            found = _child(node, part) if node is not None else None
            node = found[0] if found else None
            if isinstance(part, int):
                words += f"[{part}]" + (f' "{harmless(label)}"' if node is not None and (label := _label(node)) else "")
            else:
                key = harmless(part)
                words += f".{key}" if words else key
        return words or TOP

    def line_of_place(self, place: str) -> int:
        """The line of a place written as ``place`` writes it."""
        path: list[str | int] = []
        for name, index in re.findall(r"(\w[\w-]*)|\[(\d+)\]", re.sub(r' "[^"]*"', "", place)):
            path.append(int(index) if index else name)
        return 1 if place == TOP else self.reach(tuple(path))[1]


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode) and isinstance(part, str):
        # From the end: of two equal keys the later one is the value, and both are faults anyway.
        for key, value in reversed(node.value):
            if key.value == part:
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        entry = node.value[part]
        return entry, entry.start_mark.line + 1
    return None


def _label(node: yaml.Node) -> str:
    """What an item of a list calls itself."""
    for name in ("id", "code", "feed", "list", "what", "org", "role"):
        found = _child(node, name)
        if found and isinstance(found[0], yaml.ScalarNode) and re.fullmatch(r"[\w-]{1,60}", found[0].value):
            return cast(str, found[0].value)
    return ""


_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17}|[1-9]\d{0,2}(_\d{3}){1,5})")
_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d{1,3})?")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
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


# --- from pydantic's errors to ours ---------------------------------------------------------------------


def _validated(tree: _Tree) -> tuple[Plan | None, list[Fault]]:
    """The plan, or None, and every fault of keys and schema."""
    values, key_faults = tree.values()
    own, refused = _own_contracts(values)
    try:
        plan = Plan.model_validate_json(json.dumps(values), strict=True)
        if not refused:
            return plan.model_copy(update={"contracts": own}), key_faults
        details = refused
    except ValidationError as error:
        details = [*error.errors(include_url=False), *refused]
    by_place: dict[_Path, list[ErrorDetails]] = defaultdict(list)
    for detail in details:
        if detail["type"] == "too_short" and any(_lies_within(other["loc"], detail["loc"]) for other in details):
            continue  # entries are there: each has its own fault
        by_place[_place_of_error(detail, tree)].append(detail)
    return None, key_faults + [_schema_fault(path, details, tree) for path, details in by_place.items()]


def _own_contracts(values: Any) -> tuple[tuple[Contract, ...], list[ErrorDetails]]:
    """The plan's own contracts, taken out of its values, and what is wrong with them. They are not read in strict mode: a contract
    takes over what all contracts share before it is looked at, and that is no plain text any more."""
    stated = values.pop("contracts", None) if isinstance(values, dict) else None
    found: list[Contract] = []
    refused: list[ErrorDetails] = []
    for index, entry in enumerate(stated if isinstance(stated, list) else [] if stated is None else [stated]):
        try:
            found.append(Contract.model_validate(entry))
        except ValidationError as error:
            refused += [{**detail, "loc": ("contracts", index, *detail["loc"])} for detail in error.errors(include_url=False)]
    return tuple(found), refused


def _lies_within(place: _Path, around: _Path) -> bool:
    return len(place) > len(around) and place[:len(around)] == around


def _place_of_error(detail: ErrorDetails, tree: _Tree) -> _Path:
    """Where the error stands. Pydantic appends the branch of a union to the path: what the text does not hold is cut
    off, except a missing key."""
    if detail["type"] == "missing":
        return detail["loc"]
    reached, _ = tree.reach(detail["loc"])
    return reached


def _schema_fault(path: _Path, details: list[ErrorDetails], tree: _Tree) -> Fault:
    """One fault for one place, though each branch of a union complained."""
    told = [_told(detail, path) for detail in details]
    is_vague = [detail["type"].endswith("_type") for detail in details]
    what = told[is_vague.index(False) if False in is_vague else 0][0]
    cures = list(dict.fromkeys(cure for _, cure in told))
    return Fault(tree.place(path), what, " Or: ".join(cures), tree.reach(path)[1])


def _told(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    """What is wrong and the cure, for one error."""
    tell = _TELL.get(detail["type"])
    if tell is not None:
        return tell(detail, path)
    if detail["type"].endswith("_type"):
        return f"{_shown(detail['input'])} has the wrong type.", _TYPE_CURES.get(detail["type"], "Check the schema.")
    reason = _lower_first(detail["msg"])
    return f"{_shown(detail['input'])} does not fit: {reason}.", "See models/plan.py for what fits."


def _missing(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    return "the key is missing.", f"Add `{path[-1]}:` with its value."


def _unknown_key(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    model = _model_at(path[:-1])
    known = sorted(model.model_fields) if model else []
    return "this key is unknown.", _suggestion(str(path[-1]), known, "Known here")


def _not_allowed(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    allowed = re.findall(r"'([^']*)'|(?<![\w'])(\d+)", str(detail.get("ctx", {}).get("expected", "")))
    values = [word or number for word, number in allowed]
    return f"{_shown(detail['input'])} is not allowed.", _suggestion(str(detail["input"]), values, "Allowed")


def _unfit_pattern(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    return f"{_shown(detail['input'])} is not written as it must be.", _PATTERN_CURES.get(
        pattern, f"It must match {pattern}.")


def _no_date(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    text = str(detail["input"])
    parts = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    if parts is None:
        return f"{_shown(text)} is no date.", "Write YYYY-MM-DD, for example 2021-05-31."
    year, month = int(parts[1]), int(parts[2])
    if year > 0 and 1 <= month <= 12:
        return f"the date {text} does not exist.", f"{month_name[month]} {year} has {monthrange(year, month)[1]} days."
    return f"the date {text} does not exist.", "Months run from 01 to 12 and years from 0001."


def _no_time(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    return f"{_shown(detail['input'])} is no time of day.", "Write HH:MM with two digits each, for example 09:00."


def _too_small(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    context = detail.get("ctx", {})
    bound = f"at least {context['ge']}" if "ge" in context else f"more than {context.get('gt')}"
    return f"{_shown(detail['input'])} is too small.", f"Give {bound}."


def _too_large(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    context = detail.get("ctx", {})
    bound = f"at most {context['le']}" if "le" in context else f"less than {context.get('lt')}"
    return f"{_shown(detail['input'])} is too large.", f"Give {bound}."


def _too_few(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    return "nothing stands here.", "Give at least one entry."


def _contradiction(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    """Our own validators' words: either an order (`give exactly one of …`) or a statement, sometimes with its cure."""
    message = detail["msg"].removeprefix("Value error, ")
    if message.startswith("give "):
        return "it is not clear which is meant.", f"{_upper_first(message)}."
    for mark in (": give ", "; use "):
        if mark in message:
            what, order = message.split(mark, 1)
            return f"{what}.", f"{_upper_first(mark.strip(':; '))} {order}."
    return f"{message}.", "Add them." if " needs " in message else "Correct one of the two."


def _unreadable(detail: ErrorDetails, path: _Path) -> tuple[str, str]:
    return "the text holds half a character (a lone surrogate).", "Look for \\ud8… in double quotes and write it out."


_TELL: dict[str, Callable[[ErrorDetails, _Path], tuple[str, str]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _not_allowed,
    "unknown_word": _not_allowed,
    "string_pattern_mismatch": _unfit_pattern,
    "date_parsing": _no_date,
    "date_from_datetime_parsing": _no_date,
    "time_parsing": _no_time,
    "greater_than_equal": _too_small,
    "greater_than": _too_small,
    "less_than_equal": _too_large,
    "less_than": _too_large,
    "too_short": _too_few,
    "string_too_short": _too_few,
    "value_error": _contradiction,
    "json_invalid": _unreadable,
}
_TYPE_CURES = {
    "string_type": "Write a text; a figure, `true` or `null` that is meant as text goes into quotes.",
    "int_type": "Write a whole number without quotes.",
    "float_type": "Write a number without quotes.",
    "bool_type": "Write true or false.",
    "date_type": "Write YYYY-MM-DD, for example 2021-05-31.",
    "time_type": "Write HH:MM, for example 09:00.",
    "tuple_type": "Write a list: `[a, b]`, or entries that begin with `- `. To say nothing, leave the key out.",
    "dict_type": "Write keys with values, indented below. To say nothing, leave the key out.",
    "model_type": "Write keys with values, indented below.",
}


def _pattern_of(annotated: Any) -> str:
    """The pattern that an annotated string type of the model asks for."""
    return str(next(entry.pattern for entry in get_args(annotated)[1:] if getattr(entry, "pattern", None)))


_PATTERN_CURES = {
    _pattern_of(Slug): "Use small letters, digits and _, beginning with a letter.",
    _pattern_of(CampaignId): "Use small letters, digits and -, beginning with a letter.",
    _pattern_of(MonthLabel): "Write a month as YYYY-MM, for example 2021-05.",
    str(Region.model_fields["code"].metadata[0].pattern): "Write the 6 digits of GB/T 2260 in quotes.",
    r"^\d{6}(\d{3})?(\d{3})?$": "Write 6, 9 or 12 digits in quotes.",
}


def _suggestion(given: str, known: list[str], heading: str) -> str:
    close = difflib.get_close_matches(given, known, n=1)
    question = f"Did you mean `{close[0]}`? " if close else ""
    return f"{question}{heading}: {', '.join(known) or 'nothing'}."


def _model_at(path: _Path) -> type[BaseModel] | None:
    """The model that holds the keys at ``path``; a dictionary's own keys are passed over."""
    model: type[BaseModel] = Plan
    is_dictionary_key = False
    for part in path:
        if isinstance(part, int) or is_dictionary_key:
            is_dictionary_key = False
            continue
        field = model.model_fields.get(part)
        nested = _nested_model(field.annotation) if field else None
        if field is None or nested is None:
            return None
        model, is_dictionary_key = nested, get_origin(field.annotation) is dict
    return model


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _nested_model(part))), None)


def _shown(value: Any) -> str:
    """A value of the plan as far as a message needs it."""
    if value is None:
        return "an empty value"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    text = harmless(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else f"{text[:57]}…"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
