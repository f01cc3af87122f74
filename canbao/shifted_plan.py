"""A plan of another year made into one of this year: the text is edited where a value stands, comments stay.

Days keep month and day, multi-year campaigns their length. Which year something in quotes from a notice belongs to is not touched:
``source`` and ``note`` speak of the old notice.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from canbao.new_plan import OPEN
from models.errors import WrongUse

_DAY = re.compile(r"(?<![\d-])(\d{4})-(0[1-9]|1[0-2])-([0-2]\d|3[01])(?![\d-])")
_MONTH = re.compile(r"(?<![\d-])(\d{4})-(0[1-9]|1[0-2])(?![\d-])")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_SPOKEN = ("source", "note")
_FACTS = ("valid_from", "valid_to")
_OPEN_ENDS: dict[tuple[str, ...], str] = {
    ("document", "number"): "新通知的文号？",
    ("document", "issued"): "新通知的印发日期？",
    ("calendar", "extra_holidays"): "新一年当地的休息日？",
    ("calendar", "extra_workdays"): "新一年当地的工作日？",
}
_NUMBER = re.compile(r"[-+]?[\d_.]+")


@dataclass(frozen=True)
class _Value:
    """A text of the plan: where it stands, and the keys above it."""

    path: tuple[str, ...]
    node: yaml.ScalarNode


def shifted(text: str, year: int) -> str:
    """The plan's text with its days moved so that the campaign begins in ``year``. Raises WrongUse if the text is no plan, or states
    no day on which it begins."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise WrongUse("the plan to be like is no valid YAML.", where="--like", cure="Let `canbao plan check` show where.") from None
    values = list(_values(root, ()))
    stated = {value.path: value.node.value for value in values}
    starts, ends = stated.get(("starts",), ""), stated.get(("ends",), "")
    if not _DAY.fullmatch(starts) or not _DAY.fullmatch(ends):
        raise WrongUse("the plan to be like states no `starts` and `ends` of its own.", where="--like",
                       cure="Name a plan that states its days.")
    by, years = year - int(starts[:4]), range(int(starts[:4]), int(ends[:4]) + 1)
    edits: list[tuple[int, int, str]] = []
    for value in values:
        start, end = value.node.start_mark.index, value.node.end_mark.index
        old = text[start:end]
        new = _moved(old, value, by, years, (starts, ends))
        if value.path == ("id",) and new == old:
            new = f"{old}-{year}" if not re.search(r"['\"]", old) else f"{old[:-1]}-{year}{old[-1]}"
        if new != old:
            edits.append((start, end, new))
        ask = _OPEN_ENDS.get(tuple(part for part in value.path if not part.isdigit()))
        if value.path[-1] in _FACTS and new != old:
            ask = "单位变动的日期已随年份移动，请核对"
        if ask:
            line_end = text.find("\n", end)
            line_end = len(text) if line_end < 0 else line_end
            edits.append((line_end, line_end, f"  # {OPEN}{ask}"))
    names = stated.get(("name",), "")
    result = text
    for start, end, new in sorted(dict.fromkeys(edits), reverse=True):
        result = result[:start] + new + result[end:]
    return _in_comments(result, names, _YEAR.sub(lambda found: _year(found, by, years), names))


def _values(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[_Value]:
    """Every scalar of the text, keys of tables included: a parameter may be called after a year."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield _Value((*path, key.value, "key"), key)
                yield from _values(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _values(entry, (*path, str(number)))
    elif isinstance(node, yaml.ScalarNode):
        yield _Value(path, node)


def _moved(old: str, value: _Value, by: int, years: range, campaign: tuple[str, str]) -> str:
    if any(part in _SPOKEN for part in value.path):
        return old
    if value.path[-1] in _FACTS and not campaign[0] <= value.node.value <= campaign[1]:
        # What happened to a unit before the campaign is history.
        return old
    if _DAY.fullmatch(value.node.value) or _MONTH.fullmatch(value.node.value):
        return _MONTH.sub(lambda found: f"{int(found[1]) + by:04d}-{found[2]}", _DAY.sub(lambda found: _day(found, by), old))
    if value.node.style is None and _NUMBER.fullmatch(old):
        return old
    moved = _DAY.sub(lambda found: _day(found, by), old)
    return _YEAR.sub(lambda found: _year(found, by, years), moved) if moved == old else moved


def _day(found: re.Match[str], by: int) -> str:
    year, month, day = int(found[1]) + by, int(found[2]), int(found[3])
    return f"{year:04d}-{month:02d}-{min(day, monthrange(year, month)[1]):02d}"


def _year(found: re.Match[str], by: int, years: range) -> str:
    return str(int(found[1]) + by) if int(found[1]) in years else found[1]


def _in_comments(text: str, old: str, new: str) -> str:
    """The campaign's own name in comments follows the plan's."""
    if not old or old == new:
        return text
    return "\n".join(line.replace(old, new) if line.lstrip().startswith("#") else line for line in text.split("\n"))
