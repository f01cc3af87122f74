"""Bases: what campaigns of a kind share, and how a plan says only what its notice says.

A plan ``extends`` a base; a base may extend another. Keys of the plan win. Lists whose items have a key of their own (``id``,
``code``, ``feed``, ``list``, ``what``; a post its ``role``) are put together item by item: an item with a known key changes that one, key by key, an
unknown one is added. In an item ``remove: true`` takes the inherited one away, ``after`` and ``before`` say behind or before which
other it stands, and ``like`` takes over what another item, or an entry of ``templates``, says. An empty value (``~``) drops an
inherited key. Any other list replaces the inherited one. ``@{region}`` in a text is put in from the plan.

All of this is done on nodes, so that every value still knows the file and line that set it.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import cast

import yaml

from models.errors import Fault
from models.plan_tree import ITEM_KEYS, Spot, child, scalar, spot_of

EXTENDS, TEMPLATES = "extends", "templates"
LIKE, REMOVE, AFTER, BEFORE = "like", "remove", "after", "before"
_ABOUT_THE_ITEM = (LIKE, REMOVE, AFTER, BEFORE)
_NAME = re.compile(r"@\{([^{}]*)\}")
_SHIFTED = re.compile(r"(\w+)\s*([+-]\s*\d{1,4})")
Load = Callable[[str, str, Spot], "yaml.MappingNode | None"]
"""The root of a base by its name, asked for in a file; None where there is none, which has been told then."""


def needs_merging(text: str) -> bool:
    """Whether a text uses anything of this module at all; a plan of thirty thousand units that does not is left as it is."""
    return "@{" in text or re.search(rf"(?m)^[\"']?({EXTENDS}|{TEMPLATES})[\"']?\s*:|\b{LIKE}\s*:", text) is not None


@dataclass
class Bases:
    """Puts a plan together with its bases; what is wrong with that stands in ``faults`` afterwards."""

    load: Load
    faults: list[Fault] = field(default_factory=list)

    def whole(self, own: yaml.MappingNode) -> yaml.MappingNode:
        """The plan with everything that it inherits, in the order of the base."""
        root = self._extended(own, ())
        templates = _take(root, TEMPLATES)
        self._alike(root, templates[1] if templates else None)
        self._named(root)
        return root

    # --- extends ------------------------------------------------------------------------------------------

    def _extended(self, own: yaml.MappingNode, above: tuple[str, ...]) -> yaml.MappingNode:
        stated = _take(own, EXTENDS)
        if stated is None:
            return self._merged(_empty(own), own, ())
        key, value = stated
        name = value.value if isinstance(value, yaml.ScalarNode) else ""
        spot = spot_of(key)
        if name in above:
            self._fault(EXTENDS, f"the base {name} extends itself in the end.", "Take one `extends` out.", spot)
            return own
        base = self.load(name, spot.file, spot)
        return own if base is None else self._merged(self._extended(base, (*above, name)), own, ())

    def _merged(self, base: yaml.MappingNode, own: yaml.MappingNode, path: tuple[str, ...]) -> yaml.MappingNode:
        """The base's keys in their order, changed by the plan's, and the plan's own behind them."""
        result = copy.copy(base)
        pairs = list(base.value)
        known = {key.value: number for number, (key, _) in enumerate(pairs) if isinstance(key, yaml.ScalarNode)}
        dropped = set()
        for key, value in own.value:
            place = known.get(key.value) if isinstance(key, yaml.ScalarNode) else None
            if place is None:
                # Two equal keys of one file stay two: the schema tells of it.
                pairs.append((key, self._as_items(value, (*path, str(key.value)))))
            elif _is_empty(value):
                dropped.add(place)
            else:
                pairs[place] = (key, self._both(pairs[place][1], value, (*path, str(key.value))))
        result.value = [pair for number, pair in enumerate(pairs) if number not in dropped]
        result.start_mark, result.end_mark = own.start_mark, own.end_mark
        return _from(own, result)

    def _both(self, base: yaml.Node, own: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
        if isinstance(base, yaml.MappingNode) and isinstance(own, yaml.MappingNode):
            return self._merged(base, own, path)
        if isinstance(base, yaml.SequenceNode) and isinstance(own, yaml.SequenceNode) and _keyed(base, path) and _keyed(own, path):
            return self._items(base, own, path)
        return own

    # --- items --------------------------------------------------------------------------------------------

    def _as_items(self, node: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
        """A list that inherits nothing: what its items say of their place still holds."""
        if isinstance(node, yaml.SequenceNode) and _keyed(node, path) and any(_said(entry, word) for entry in node.value for word in
                                                                        (REMOVE, AFTER, BEFORE)):
            empty = copy.copy(node)
            empty.value = []
            return self._items(empty, node, path)
        return node

    def _items(self, base: yaml.SequenceNode, own: yaml.SequenceNode, path: tuple[str, ...]) -> yaml.SequenceNode:
        items: list[tuple[str, yaml.MappingNode]] = [(_key_of(entry, path), entry) for entry in base.value]
        written: set[str] = set()
        behind: str | None = None
        for entry in own.value:
            name = _key_of(entry, path)
            at = f"{'.'.join(path)} {name}"
            directives = {word: _take(entry, word) for word in (REMOVE, AFTER, BEFORE)}
            places = [place for place, (known, _) in enumerate(items) if known == name]
            if directives[REMOVE] is not None:
                if not places:
                    self._unknown(at, name, [known for known, _ in items], spot_of(entry), "to remove")
                items = [pair for pair in items if pair[0] != name]
                continue
            is_new = not places or name in written
            if is_new:
                items.append((name, entry))
                place = len(items) - 1
            else:
                place = places[0]
                items[place] = (name, self._merged(items[place][1], entry, (*path, name)))
            target = directives[AFTER] or directives[BEFORE]
            if target is not None:
                behind = name if self._moved(items, place, str(target[1].value), directives[AFTER] is not None, at, spot_of(entry)) else None
            elif is_new and behind is not None:
                self._moved(items, place, behind, True, at, spot_of(entry))
                behind = name
            else:
                behind = None
            written.add(name)
        result = copy.copy(own)
        result.value = [entry for _, entry in items]
        return result

    def _moved(self, items: list[tuple[str, yaml.MappingNode]], place: int, target: str, is_after: bool, at: str, spot: Spot) -> bool:
        others = [known for number, (known, _) in enumerate(items) if number != place]
        if target not in others:
            self._unknown(at, target, others, spot, "to stand beside")
            return False
        pair = items.pop(place)
        items.insert([known for known, _ in items].index(target) + int(is_after), pair)
        return True

    # --- like ---------------------------------------------------------------------------------------------

    def _alike(self, root: yaml.MappingNode, templates: yaml.Node | None) -> None:
        for section, node in root.value:
            if isinstance(node, yaml.SequenceNode):
                of_section = child(templates, section.value) if templates is not None else None
                self._alike_in(section.value, node, of_section[0] if of_section else None)

    def _alike_in(self, section: str, node: yaml.SequenceNode, templates: yaml.Node | None) -> None:
        named: dict[str, yaml.Node] = {_key_of(entry): entry for entry in node.value if isinstance(entry, yaml.MappingNode) and _key_of(entry)}
        named |= {key.value: value for key, value in templates.value} if isinstance(templates, yaml.MappingNode) else {}
        node.value = [self._resolved(section, entry, named, ()) if isinstance(entry, yaml.MappingNode) else entry for entry in node.value]

    def _resolved(self, section: str, entry: yaml.MappingNode, named: dict[str, yaml.Node], above: tuple[str, ...]) -> yaml.MappingNode:
        found = child(entry, LIKE)
        if found is None:
            return entry
        own = copy.copy(entry)
        own.value = [pair for pair in entry.value if pair[0].value != LIKE]
        name, at = str(found[0].value), f"{section} {_key_of(entry)}"
        template = named.get(name)
        if not isinstance(template, yaml.MappingNode) or template is entry:
            self._unknown(at, name, [known for known in named if known != _key_of(entry)], found[1], "to be like")
            return own
        if name in above:
            self._fault(at, f"`{name}` is like itself in the end.", "Take one `like` out.", found[1])
            return own
        return self._merged(self._resolved(section, template, named, (*above, name)), own, (section, name))

    # --- names --------------------------------------------------------------------------------------------

    def _named(self, root: yaml.MappingNode) -> None:
        names = dict(_names_of(root))
        for key, node in root.value:
            if isinstance(node, yaml.SequenceNode):
                node.value = [self._filled(entry, names | dict(_own_names(entry)), key.value) for entry in node.value]
            else:
                root.value[root.value.index((key, node))] = (key, self._filled(node, names, key.value))

    def _filled(self, node: yaml.Node, names: dict[str, str], at: str) -> yaml.Node:
        if isinstance(node, yaml.ScalarNode):
            if "@{" not in node.value:
                return node
            filled = copy.copy(node)
            filled.value = _NAME.sub(lambda found: self._name(found[1], names, at, spot_of(node)), node.value)
            filled.style = node.style or '"'
            return filled
        changed = copy.copy(node)
        if isinstance(node, yaml.MappingNode):
            changed.value = [(key, self._filled(value, names, f"{at}.{key.value}")) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            changed.value = [self._filled(entry, names, at) for entry in node.value]
        return changed

    def _name(self, asked: str, names: dict[str, str], at: str, spot: Spot) -> str:
        name, shift = _SHIFTED.fullmatch(asked).groups() if _SHIFTED.fullmatch(asked) else (asked, None)  # type: ignore[union-attr]
        if name not in names:
            self._unknown(at, name, list(names), spot, "to put in")
            return ""
        try:
            return names[name] if shift is None else _shifted(names[name], int(shift.replace(" ", "")))
        except ValueError:
            self._fault(at, f"`{name}` is no day and no month: nothing can be counted from it.", "Take the number out.", spot)
            return ""

    # --- faults -------------------------------------------------------------------------------------------

    def _fault(self, where: str, what: str, cure: str, spot: Spot) -> None:
        self.faults.append(Fault(where, what, cure, spot.line, spot.file))

    def _unknown(self, where: str, name: str, known: list[str], spot: Spot, what_for: str) -> None:
        close = difflib.get_close_matches(name, known, n=1)
        cure = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(list(dict.fromkeys(known))[:12]) or 'none'}."
        self._fault(where, f"there is no `{name}` {what_for}.", cure, spot)


def _from(source: yaml.Node, result: yaml.MappingNode) -> yaml.MappingNode:
    if hasattr(source, "file"):
        result.file = source.file  # type: ignore[attr-defined]
    elif hasattr(result, "file"):
        del result.file
    return result


def _empty(like: yaml.MappingNode) -> yaml.MappingNode:
    result = copy.copy(like)
    result.value = []
    return result


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and scalar(node) is None


def _take(node: yaml.Node, word: str) -> tuple[yaml.ScalarNode, yaml.Node] | None:
    """A key and its value, taken out of a mapping."""
    if not isinstance(node, yaml.MappingNode):
        return None
    for number, (key, value) in enumerate(node.value):
        if isinstance(key, yaml.ScalarNode) and key.value == word:
            node.value = [*node.value[:number], *node.value[number + 1:]]
            return key, value
    return None


def _said(node: yaml.Node, word: str) -> bool:
    return isinstance(node, yaml.MappingNode) and child(node, word) is not None


POSTS = {"contacts": ("role",)}
"""What an item of these lists is known by, where it has no key of its own: a unit's posts are told apart by their role."""


def _key_of(entry: yaml.Node, path: tuple[str, ...] = ()) -> str:
    for name in POSTS.get(path[-1] if path else "", ITEM_KEYS):
        found = child(entry, name)
        if found is not None and isinstance(found[0], yaml.ScalarNode):
            return cast(str, found[0].value)
    return ""


def _keyed(node: yaml.SequenceNode, path: tuple[str, ...]) -> bool:
    """Whether each item is a mapping with a key of its own; an empty list is."""
    return all(isinstance(entry, yaml.MappingNode) and _key_of(entry, path) for entry in node.value)


def _own_names(entry: yaml.Node) -> Iterator[tuple[str, str]]:
    """What an item says of itself in one word: its code, its name, the name it goes by."""
    if isinstance(entry, yaml.MappingNode):
        for key, value in entry.value:
            if isinstance(value, yaml.ScalarNode) and key.value in (*ITEM_KEYS, "name", "short") and "@{" not in value.value:
                yield key.value, value.value


NAMES = {"id": ("id",), "name": ("name",), "region": ("region", "name"), "region_code": ("region", "code"),
         "number": ("document", "number"), "title": ("document", "title"), "issuer": ("document", "issuer"), "starts": ("starts",), "ends": ("ends",)}
"""What a text may ask for, and where the plan says it. Besides: ``year`` in which it starts, ``first_month`` and ``last_month``, the
``office`` by its short name, and ``level``, the last letter of the region's name (市, 县, 区 …). Days and months can be counted from:
``@{starts+30}``, ``@{last_month-1}``."""


def _shifted(text: str, by: int) -> str:
    """A day so many days later, or a month so many months."""
    if re.fullmatch(r"\d{4}-\d\d", text):
        number = int(text[:4]) * 12 + int(text[5:]) - 1 + by
        return f"{number // 12:04d}-{number % 12 + 1:02d}"
    return (date.fromisoformat(text) + timedelta(days=by)).isoformat()


def _names_of(root: yaml.MappingNode) -> Iterator[tuple[str, str]]:
    for name, path in NAMES.items():
        node: yaml.Node | None = root
        for part in path:
            found = child(node, part) if node is not None else None
            node = found[0] if found else None
        if isinstance(node, yaml.ScalarNode):
            yield name, node.value
            if name == "starts":
                yield from (("year", node.value[:4]), ("first_month", node.value[:7]))
            if name == "ends":
                yield "last_month", node.value[:7]
            if name == "region":
                yield "level", node.value[-1:]
    office, organisations = child(root, "office"), child(root, "organisations")
    if office and organisations and isinstance(organisations[0], yaml.SequenceNode):
        for entry in organisations[0].value:
            short = child(entry, "short")
            if _key_of(entry) == office[0].value and short is not None:
                yield "office", str(short[0].value)
