"""What may be written in a plan, for editors and for readers: ``plan.schema.json`` and ``docs/plan.md``.

Both are made from the model (types, bounds, words, defaults) and from ``plan_keys.yaml`` (meaning and example of each key, in
Chinese and English), so that a new key needs nothing here. Tests hold both files to what this module makes.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from models import plan as model
from models.plan import Plan
from models.schema import Strict

REPOSITORY = Path(__file__).resolve().parents[1]
SCHEMA_FILE = REPOSITORY / "plan.schema.json"
PAGE_FILE = REPOSITORY / "docs" / "plan.md"
KEYS_FILE = Path(__file__).with_name("plan_keys.yaml")
MARK = "# yaml-language-server: $schema="
"""With this a plan's first line names the schema (the convention of YAML language servers)."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
HOUR = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
OF_THE_FILE = "File"
OF_AN_ITEM = "Item"
"""In ``plan_keys.yaml`` the keys that a file, or an item of its lists, may have and the model has not: ``models.plan_bases`` works
them in before the model is made."""
PUT_IN = "@\\{"
"""A text with a name to be put in (``@{ends-30}``) may stand where a day, a code or a month is wanted."""
_Schema = dict[str, Any]


# --- the keys -------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Days and hours stay text, as ``models.plan_file`` reads them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def described() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Class → key → ``zh``, ``en`` and ``example``."""
    return cast("dict[str, dict[str, dict[str, Any]]]", yaml.load(KEYS_FILE.read_text(encoding="utf-8"), Loader=_Loader))


def models_of_a_plan() -> dict[str, type[BaseModel]]:
    """Every class of the model that has keys, by name, in the order of the module. What contracts of feeds are written in stands in
    ``models.contract``, and what they say in docs/feeds.md."""
    return {name: kind for name, kind in vars(model).items() if inspect.isclass(kind) and issubclass(kind, BaseModel) and kind.model_fields
            and kind.__module__ in (model.__name__, Strict.__module__)}


def declaring(kind: type[BaseModel], key: str) -> str:
    """The name of the class in which ``key`` of ``kind`` is declared: its description stands there."""
    return next(base.__name__ for base in kind.__mro__ if key in vars(base).get("__annotations__", {}))


def described_key(kind: type[BaseModel], key: str) -> Mapping[str, Any]:
    """Meaning and example of a key. Raises KeyError where ``plan_keys.yaml`` has no entry."""
    return described()[declaring(kind, key)][key]


# --- the schema -----------------------------------------------------------------------------------------


@cache
def schema() -> _Schema:
    """JSON Schema (draft 2020-12) of a plan file.

    Types, words, patterns and bounds are held; nothing is required, because a plan that extends another states only what its own
    notice says. What is missing is told by ``canbao plan check``, which knows the whole.
    """
    kinds = models_of_a_plan()
    raw = Plan.model_json_schema()
    defs: dict[str, _Schema] = {"Plan": {key: value for key, value in raw.items() if key != "$defs"},
                                **{name: raw["$defs"][name] for name in raw["$defs"] if name in kinds}}
    of_an_item = {key: _of_the_file(entry) for key, entry in described().get(OF_AN_ITEM, {}).items()}
    for name, entry in defs.items():
        entry.pop("required", None)
        entry["description"] = _plain(entry.get("description", ""))
        for key, value in entry.get("properties", {}).items():
            known = described_key(kinds[name], key)
            value.pop("title", None)
            value["description"] = f"{known['zh']}\n{known['en']}"
            value["examples"] = [known["example"]]
            entry["properties"][key] = _or_dropped(value)
        if name != "Plan":
            entry["type"] = ["object", "null"]
            entry["properties"] = {**entry["properties"], **of_an_item}
        _mend(entry)
    top = defs.pop("Plan")
    top["properties"] = {**{key: _of_the_file(entry) for key, entry in described().get(OF_THE_FILE, {}).items()}, **top["properties"]}
    return {"$schema": DIALECT, "title": "canbao plan", **{key: value for key, value in top.items() if key != "title"}, "$defs": defs}


def _of_the_file(entry: Mapping[str, Any]) -> _Schema:
    return {**entry["schema"], "description": f"{entry['zh']}\n{entry['en']}", "examples": [entry["example"]]}


def _or_dropped(value: _Schema) -> _Schema:
    """The key's own schema, or nothing: an empty value drops what a base says."""
    if isinstance(value.get("patternProperties"), dict):
        value["patternProperties"] = {name: _or_dropped(entry) for name, entry in value["patternProperties"].items()}
    if "enum" in value:
        return {**value, "enum": [*value["enum"], None], "type": ["string", "null"]}
    if isinstance(value.get("type"), str) and "const" not in value:
        return {**value, "type": [value["type"], "null"]}
    return value  # an `anyOf` of the model holds null already, a `$ref` leads to a table that may be empty


def _mend(entry: Any) -> None:
    """Hours as ``HH:MM`` (JSON's own format asks for a time zone), a name to be put in beside what a text is held to, and no key of
    a table but those its pattern allows."""
    if isinstance(entry, list):
        for item in entry:
            _mend(item)
    if not isinstance(entry, dict):
        return
    if (name := entry.get("$ref", "").rpartition("/")[2]) and name not in models_of_a_plan():
        entry["type"] = "object"
        del entry["$ref"]
    if entry.get("format") == "time":
        del entry["format"]
        entry["pattern"] = HOUR
    if "patternProperties" in entry:
        entry["additionalProperties"] = False
    if entry.get("type") in ("string", ["string", "null"]) and (held := {key: entry.pop(key) for key in ("pattern", "format") if key in entry}):
        entry["anyOf"] = [held, {"pattern": PUT_IN}]
        return
    for value in entry.values():
        _mend(value)


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def schema_text() -> str:
    """The text of ``plan.schema.json``."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


# --- the page -------------------------------------------------------------------------------------------

_TYPES = {"string": "文字 text", "integer": "整数 whole number", "number": "数 number", "boolean": "true / false"}


def page() -> str:
    """The text of ``docs/plan.md``."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (
        "# 计划文件的每一个键 · Every key of a plan",
        "",
        "计划是一个 YAML 文件（UTF-8，缩进用空格）。先写 `canbao plan new`，再逐项修改；`canbao plan check` 说明每处错误所在的行和改法。",
        "不认识的键一律拒绝。日期写 `2027-05-31`，时刻写 `18:00`，代码加引号。单位写在键名（`…_days`、`…_share`）或 `unit` 里；`…_share` 为 0 到 1。",
        "",
        "A plan is one YAML file. Start with `canbao plan new`, then change it; `canbao plan check` names the line and the cure of every",
        "fault. Unknown keys are refused. Days are `2027-05-31`, hours `18:00`, codes stand in quotes. Units stand in the names of keys",
        "(`…_days`, `…_share`) or in `unit`; shares lie between 0 and 1. Conditions are explained in [profile.md](profile.md).",
        "",
        "必填 *required*: the whole plan needs it, after what it `extends`. This page is made by `canbao plan schema --write` from",
        "`models/plan.py` and `models/plan_keys.yaml`; a test holds it to them.",
    )
    for name, heading in ((OF_THE_FILE, "文件 · The file"), (OF_AN_ITEM, "列表中的任何一项 · Any item of a list")):
        yield from ("", f"## {heading}", "")
        yield from _HEAD
        yield from (_row(key, entry["schema"], "–", entry) for key, entry in described()[name].items())
    raw = Plan.model_json_schema()
    for name, kind in _in_order():
        entry = raw if name == "Plan" else raw["$defs"][name]
        yield from ("", f"## {name}", "", _plain(entry.get("description", "")), "")
        yield from _HEAD
        for key, value in entry["properties"].items():
            needed = key in entry.get("required", ())
            default = "必填 *required*" if needed else _default(value)
            yield _row(key, value, default, described_key(kind, key))


_HEAD = ("| 键 key | 含义 meaning | 类型 type | 默认 default | 例 example |", "|---|---|---|---|---|")


def _in_order() -> Iterator[tuple[str, type[BaseModel]]]:
    """The plan first, then what it is made of, in the order of the module."""
    kinds = models_of_a_plan()
    used = Plan.model_json_schema()["$defs"]
    yield "Plan", Plan
    yield from ((name, kind) for name, kind in kinds.items() if name in used)


def _row(key: str, value: Mapping[str, Any], default: str, known: Mapping[str, Any]) -> str:
    cells = (f"`{key}`", f"{known['zh']}<br>{known['en']}", _type(value), default, f"`{_flow(known['example'])}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if "$ref" in value and default:
        return "见该节 see there"
    return "–" if default in (None, "", [], {}) else f"`{_flow(default)}`"


def _type(value: Mapping[str, Any]) -> str:
    """What may stand there, in words: words of a closed set, a bound, a day, a list of items, a link to the class."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        if name not in models_of_a_plan():
            return "表 table"
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " / ".join(dict.fromkeys(_type(entry) for entry in value["anyOf"] if entry.get("type") != "null"))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{word}`" for word in (value.get("enum") or [value["const"]]))
    if value.get("type") == "array":
        inside = value.get("items", {})
        return f"列表 list: {_type(inside)}"
    if value.get("type") == "object":
        inside = next(iter(value.get("patternProperties", {}).values()), value.get("additionalProperties"))
        return f"表 table: {_type(inside)}" if isinstance(inside, Mapping) else "表 table"
    if value.get("format") == "date":
        return "日期 day"
    if value.get("format") == "time":
        return "时刻 hour"
    if "pattern" in value:
        return f"`{value['pattern']}`"
    bounds = [f"{sign} {value[word]:g}" for word, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"),
                                                         ("exclusiveMaximum", "<")) if word in value]
    return " ".join([_TYPES[value["type"]], ", ".join(bounds)]).strip()


def _flow(value: Any) -> str:
    """A value as it stands in a plan, on one line."""
    if isinstance(value, str | bool | int | float) or value is None:
        return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) or value.isdigit() else value
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10_000, sort_keys=False).strip()
