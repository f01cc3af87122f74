"""Plan files: where a campaign's plan stands, and how its text becomes a ``Plan`` or a list of faults with lines.

Values reach the model in strict mode, so that a number is never guessed from a text nor a date from a number.
Faults that need the whole plan are found by ``rules.soundness``; ``located`` gives those their lines too.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from calendar import month_name, monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models import calendars
from models.contract import Contract
from models.errors import Fault, PlanUnsound, WrongUse, harmless
from models.plan import CampaignId, MonthLabel, Plan, Region, Slug
from models.plan_bases import Bases, needs_merging
from models.plan_tree import TOP, Place, Spot, Tree, child, composed, file_of, obstacles, text_of

REPOSITORY = Path(__file__).resolve().parents[1]
BASES = REPOSITORY / "campaigns" / "base"
PLAN_NAME = "plan.yaml"
LONGEST_PATH = 1000
YEARS = "years"
FEEDS, CONTRACTS = "feeds", "contracts"
"""The folder beside a plan with the contracts of a site's own feeds, one file each, and the key under which they stand in it."""


@dataclass(frozen=True)
class LoadedPlan:
    """A plan with its text and that text's ``sha256``: the file's own, or, where it extends a base or has feeds beside it, the text
    of the whole, so that a base that changes later changes no campaign in force."""

    plan: Plan
    sha256: str
    text: str
    path: Path
    tree: Tree

    def located(self, faults: Iterable[Fault]) -> list[Fault]:
        """The faults with the file and line of their place, in the order of files and lines."""
        return _placed(faults, self.tree)


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
    """Read and validate one plan file, with the bases it extends and the feeds beside it. Raises PlanUnsound with every fault of the
    schema, in the order of lines; where the text is no YAML at all, with the faults that hinder reading."""
    name = path.parent.name if path.name == PLAN_NAME and path.parent.name else path.stem
    if path.resolve().parent == BASES:
        raise PlanUnsound(name, [Fault(str(path.name), "this is a base: plans extend it, it is no plan by itself.",
                                       f"Write `extends: {path.stem}` in a plan, or let `canbao plan new` write one.")])
    text = text_of(path, name)
    tree, faults = _tree(text, path, name)
    plan = _plan_of(tree, name, faults)
    if tree.root is not tree.own:
        text = _whole_text(tree)
    return LoadedPlan(plan, hashlib.sha256(path.read_bytes() if tree.root is tree.own else text.encode()).hexdigest(), text, path, tree)


def parse(text: str, name: str) -> Plan:
    """Validate a plan's text, from a file or from the record. Raises PlanUnsound as ``read`` does."""
    tree, faults = _tree(text, None, name)
    return _plan_of(tree, name, faults)


def located(faults: Iterable[Fault], text: str) -> list[Fault]:
    """The same faults with the line of their place in ``text``, in the order of lines. A place that the text leaves
    to a default gets the line of the item around it."""
    waiting = list(faults)
    return _placed(waiting, Tree(composed(text))) if waiting else []


def _placed(faults: Iterable[Fault], tree: Tree) -> list[Fault]:
    found = []
    for fault in faults:
        spot = Spot(fault.line, fault.file) if fault.line else tree.spot_of_place(fault.where)
        found.append(replace(fault, line=spot.line, file=spot.file))
    return sorted(found, key=lambda fault: (fault.file, fault.line or 0))


def _plan_of(tree: Tree, name: str, faults: list[Fault]) -> Plan:
    plan, found = _validated(tree)
    faults = [*faults, *found]
    if plan is None or faults:
        raise PlanUnsound(name, sorted(faults, key=lambda fault: (fault.file, fault.line or 0)))
    return plan


def _tree(text: str, path: Path | None, name: str) -> tuple[Tree, list[Fault]]:
    """The plan's text as a tree, whole: with what it inherits, and the contracts of the feeds beside it."""
    hindered = list(obstacles(text))
    if hindered:
        raise PlanUnsound(name, hindered)
    own = composed(text)
    if not isinstance(own, yaml.MappingNode):
        return Tree(own), []
    root, faults = own, list[Fault]()
    beside = sorted((path.parent / FEEDS).glob("*.yaml")) if path is not None and (path.parent / FEEDS).is_dir() else []
    if beside or needs_merging(own, text):
        bases = Bases(lambda base, asked_in, spot: _base(base, asked_in, spot, path, name, faults))
        root = bases.whole(own, lambda merged: _with_contracts(merged, beside, name) if beside else merged)
        faults += bases.faults
        if bases.is_broken:
            raise PlanUnsound(name, faults)
    if path is not None:
        root = _with_years(root)
    return Tree(root, own), faults


def _with_years(root: yaml.MappingNode) -> yaml.MappingNode:
    """The plan with the imported calendars of the years it runs in, and of the one after, into which its last deadlines fall. A year
    that the plan states itself stays as it is."""
    starts, ends, policy = (child(root, key) for key in ("starts", "ends", "calendar"))
    first, last = (re.match(r"\d{4}", found[0].value) if found and isinstance(found[0], yaml.ScalarNode) else None for found in (starts, ends))
    if policy is None or first is None or last is None or not isinstance(policy[0], yaml.MappingNode):
        return root
    stated = child(policy[0], YEARS)
    known = [child(entry, "year") for entry in stated[0].value] if stated and isinstance(stated[0], yaml.SequenceNode) else []
    own = {found[0].value for found in known if found}
    beside = [year for year in calendars.years_beside(int(first[0]), int(last[0]) + 1) if str(year.year) not in own]
    if not beside:
        return root
    added = [composed(json.dumps(year.values(), ensure_ascii=False), str(calendars.place() / f"{year.year}.yaml")) for year in beside]
    listed = [*(stated[0].value if stated else []), *added]
    mark = policy[0].start_mark
    years = (yaml.ScalarNode("tag:yaml.org,2002:str", YEARS, mark, mark), yaml.SequenceNode("tag:yaml.org,2002:seq", listed, mark, mark))
    changed = yaml.MappingNode(policy[0].tag, [*(pair for pair in policy[0].value if pair[0].value != YEARS), years], mark, policy[0].end_mark)
    return yaml.MappingNode(root.tag, [(key, changed if value is policy[0] else value) for key, value in root.value], root.start_mark, root.end_mark)


def _base(base: str, asked_in: str, spot: Spot, path: Path | None, name: str, faults: list[Fault]) -> yaml.MappingNode | None:
    """The root of a base: one that ships, by its name, or a file beside the one that asks for it, by its path."""
    file = BASES / f"{base}.yaml" if re.fullmatch(_pattern_of(Slug), base) else None
    if base.endswith((".yaml", ".yml")) and len(base) <= LONGEST_PATH and base.isprintable():
        around = REPOSITORY / Path(asked_in).parent if asked_in else (path.parent if path is not None else Path())
        file = (around / base).resolve()
    if file is None or not os.path.isfile(file):  # of a name that the system cannot have, `Path.is_file` raises
        shipped = sorted(entry.stem for entry in BASES.glob("*.yaml"))
        close = difflib.get_close_matches(base[:LONGEST_PATH], shipped, n=1)
        faults.append(Fault("extends", f"there is no base {_shown(base)}.", (f"Did you mean `{close[0]}`? " if close else "")
                            + f"Bases here: {', '.join(shipped)}. Or give the path of a file, ending in .yaml.", spot.line, spot.file))
        return None
    root = composed(_text_of(file, _called(file), name), _called(file))
    return root if isinstance(root, yaml.MappingNode) else None


def _text_of(file: Path, called: str, name: str) -> str:
    """The text of a file that the plan is put together with. Raises PlanUnsound with that file's name."""
    try:
        text = text_of(file, name)
    except PlanUnsound as unsound:
        raise PlanUnsound(name, [replace(fault, where=TOP, file=called, line=fault.line or 1) for fault in unsound.faults]) from None
    if hindered := [replace(fault, file=called) for fault in obstacles(text)]:
        raise PlanUnsound(name, hindered)
    return text


def _called(file: Path) -> str:
    """How a file is called in faults: from the repository's root if it lies there."""
    try:
        return str(file.relative_to(REPOSITORY))
    except ValueError:
        return str(file)


def _with_contracts(root: yaml.MappingNode, files: list[Path], name: str) -> yaml.MappingNode:
    """The plan with the contracts that stand in files of their own at the end of its ``contracts``."""
    found = []
    for file in files:
        told = f"{FEEDS}/{file.name}"
        found.append(composed(_text_of(file, told, name), told))
    pairs = [pair for pair in root.value if pair[0].value != CONTRACTS]
    stated = next((pair for pair in root.value if pair[0].value == CONTRACTS), None)
    key = stated[0] if stated else yaml.ScalarNode("tag:yaml.org,2002:str", CONTRACTS, root.start_mark, root.start_mark)
    entries = stated[1].value if stated and isinstance(stated[1], yaml.SequenceNode) else []
    listed = yaml.SequenceNode("tag:yaml.org,2002:seq", [*entries, *found], root.start_mark, root.end_mark)
    return yaml.MappingNode(root.tag, [*pairs, (key, listed)], root.start_mark, root.end_mark)


_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _whole_text(tree: Tree) -> str:
    """The whole plan as text: JSON, which is YAML whose every text is quoted, so that it is read again as it was."""
    values, _ = tree.values()
    text = json.dumps(values, ensure_ascii=False, indent=1)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


# --- from pydantic's errors to ours ---------------------------------------------------------------------


def _validated(tree: Tree) -> tuple[Plan | None, list[Fault]]:
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
    by_place: dict[Place, list[ErrorDetails]] = defaultdict(list)
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


def _lies_within(place: Place, around: Place) -> bool:
    return len(place) > len(around) and place[:len(around)] == around


def _place_of_error(detail: ErrorDetails, tree: Tree) -> Place:
    """Where the error stands. Pydantic appends the branch of a union to the path: what the text does not hold is cut
    off, except a missing key."""
    if detail["type"] == "missing":
        return detail["loc"]
    reached, _ = tree.reach(detail["loc"])
    return reached


def _schema_fault(path: Place, details: list[ErrorDetails], tree: Tree) -> Fault:
    """One fault for one place, though each branch of a union complained."""
    told = [_told(detail, path) for detail in details]
    is_vague = [detail["type"].endswith("_type") for detail in details]
    what = told[is_vague.index(False) if False in is_vague else 0][0]
    cures = list(dict.fromkeys(cure for _, cure in told))
    if any(detail["type"] == "value_error" for detail in details):
        cures[-1] += _inherited(tree.at(path))
    spot = tree.reach(path)[1]
    return Fault(tree.place(path), what, " Or: ".join(cures), spot.line, spot.file)


def _inherited(node: yaml.Node | None) -> str:
    """Where keys that contradict each other come from several files: which are inherited, and how one is dropped."""
    keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    if len({file_of(key) for key in keys}) < 2:
        return ""
    files = [f"`{key.value}` ({file_of(key)} line {key.start_mark.line + 1})" for key in keys if file_of(key)]
    return f" Inherited: {', '.join(files[:6])}; an empty value (`{next(key.value for key in keys if file_of(key))}: ~`) drops one."


def _told(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    """What is wrong and the cure, for one error."""
    tell = _TELL.get(detail["type"])
    if tell is not None:
        return tell(detail, path)
    if detail["type"].endswith("_type"):
        return f"{_shown(detail['input'])} has the wrong type.", _TYPE_CURES.get(detail["type"], "Check the schema.")
    reason = _lower_first(detail["msg"])
    return f"{_shown(detail['input'])} does not fit: {reason}.", "See models/plan.py for what fits."


def _missing(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    return "the key is missing.", f"Add `{path[-1]}:` with its value."


def _unknown_key(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    model = _model_at(path[:-1])
    known = sorted(model.model_fields) if model else []
    return "this key is unknown.", _suggestion(str(path[-1]), known, "Known here")


def _not_allowed(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    allowed = re.findall(r"'([^']*)'|(?<![\w'])(\d+)", str(detail.get("ctx", {}).get("expected", "")))
    values = [word or number for word, number in allowed]
    return f"{_shown(detail['input'])} is not allowed.", _suggestion(str(detail["input"]), values, "Allowed")


def _unfit_pattern(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    return f"{_shown(detail['input'])} is not written as it must be.", _PATTERN_CURES.get(
        pattern, f"It must match {pattern}.")


def _no_date(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    text = str(detail["input"])
    parts = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    if parts is None:
        return f"{_shown(text)} is no date.", "Write YYYY-MM-DD, for example 2021-05-31."
    year, month = int(parts[1]), int(parts[2])
    if year > 0 and 1 <= month <= 12:
        return f"the date {text} does not exist.", f"{month_name[month]} {year} has {monthrange(year, month)[1]} days."
    return f"the date {text} does not exist.", "Months run from 01 to 12 and years from 0001."


def _no_time(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    return f"{_shown(detail['input'])} is no time of day.", "Write HH:MM with two digits each, for example 09:00."


def _too_small(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    context = detail.get("ctx", {})
    bound = f"at least {context['ge']}" if "ge" in context else f"more than {context.get('gt')}"
    return f"{_shown(detail['input'])} is too small.", f"Give {bound}."


def _too_large(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    context = detail.get("ctx", {})
    bound = f"at most {context['le']}" if "le" in context else f"less than {context.get('lt')}"
    return f"{_shown(detail['input'])} is too large.", f"Give {bound}."


def _too_few(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    return "nothing stands here.", "Give at least one entry."


def _contradiction(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    """Our own validators' words: either an order (`give exactly one of …`) or a statement, sometimes with its cure."""
    message = detail["msg"].removeprefix("Value error, ")
    if message.startswith("give "):
        return "it is not clear which is meant.", f"{_upper_first(message)}."
    for mark in (": give ", "; use "):
        if mark in message:
            what, order = message.split(mark, 1)
            return f"{what}.", f"{_upper_first(mark.strip(':; '))} {order}."
    return f"{message}.", "Add them." if " needs " in message else "Correct one of the two."


def _unreadable(detail: ErrorDetails, path: Place) -> tuple[str, str]:
    return "the text holds half a character (a lone surrogate).", "Look for \\ud8… in double quotes and write it out."


_TELL: dict[str, Callable[[ErrorDetails, Place], tuple[str, str]]] = {
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


def _model_at(path: Place) -> type[BaseModel] | None:
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
