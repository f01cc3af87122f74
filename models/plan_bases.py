"""Bases: what campaigns of a kind share, and how a plan says only what its notice says.

A plan ``extends`` a base; a base may extend another. Keys of the plan win. Lists whose items have a key of their own (``id``,
``code``, ``feed``, ``list``, ``what``; a post its ``role``) are put together item by item: an item with a known key changes that one, key by key, an
unknown one is added. In an item ``remove: true`` takes the inherited one away, ``after`` and ``before`` say behind or before which
other it stands, and ``like`` takes over what another item, or an entry of ``templates``, says. An empty value (``~``) drops an
inherited key, and an empty list (``[]``) leaves nothing of it. Any other list replaces the inherited one. ``@{region}`` in a text is
put in from the plan.

All of this is done on nodes, so that every value still knows the file and line that set it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar, cast

import yaml

from models.errors import Fault, harmless
from models.plan import Plan
from models.plan_tree import ITEM_KEYS, SIZE_LIMIT_BYTES, TOP, Spot, child, file_of, scalar, spot_of

EXTENDS, TEMPLATES = "extends", "templates"
LIKE, REMOVE, AFTER, BEFORE = "like", "remove", "after", "before"
_ABOUT_THE_ITEM = (LIKE, REMOVE, AFTER, BEFORE)
_NAME = re.compile(r"@\{([^{}]*)\}")
_SHIFTED = re.compile(r"(\w+)\s*([+-]\s*\d{1,4})")
_ESCAPED = re.compile(r"\\(?:u0040|x40|U00000040|\r?\n)|\\(?:u007|x7|U0000007)[bB]")
"""How an ``@`` or a ``{`` can be written in double quotes without standing there."""
BASES_AT_MOST = 8
"""Bases that stand one on another: more are generated, or hostile."""
MERGED_AT_MOST = 10_000_000
"""Keys and items touched while a plan is put together: all townships of China, each like a template, are half a million."""
VALUES_AT_MOST = 4_000_000
"""Values of a whole plan; ``like`` multiplies what a file can say, as an alias would."""
Kind = TypeVar("Kind", bound="yaml.Node")
Load = Callable[[str, str, Spot], "yaml.MappingNode | None"]
"""The root of a base by its name, asked for in a file; None where there is none, which has been told then."""


def needs_merging(root: yaml.MappingNode, text: str) -> bool:
    """Whether a plan uses anything of this module at all; a plan of thirty thousand units that does not is left as it is."""
    if "@{" in text or ("\\" in text and _ESCAPED.search(text)):
        return True
    if any(key.value in (EXTENDS, TEMPLATES) for key, _ in root.value):
        return True
    entries = (entry for _, node in root.value if isinstance(node, yaml.SequenceNode) for entry in node.value if isinstance(entry, yaml.MappingNode))
    return any(key.value in _ABOUT_THE_ITEM for entry in entries for key, _ in entry.value if isinstance(key, yaml.ScalarNode))


class _Swollen(Exception):
    """A plan that becomes larger than any plan is, while it is put together."""


@dataclass
class Bases:
    """Puts a plan together with its bases; what is wrong with that stands in ``faults`` afterwards."""

    load: Load
    faults: list[Fault] = field(default_factory=list)
    is_broken: bool = False
    spent: int = 0
    letters: int = 0
    missed: set[str] = field(default_factory=set)

    def whole(self, own: yaml.MappingNode, beside: Callable[[yaml.MappingNode], yaml.MappingNode] | None = None) -> yaml.MappingNode:
        """The plan with everything that it inherits, in the order of the base; ``beside`` adds what stands in files beside it. Where
        ``is_broken`` afterwards, the faults hinder going on."""
        try:
            root = self._extended(own, ())
            templates = _take(root, TEMPLATES)
            known = self._templates(*templates) if templates else None
            if self.is_broken:
                return own
            root = beside(root) if beside is not None else root
            self._alike(root, known)
            if _size(root, {}) > VALUES_AT_MOST:
                raise _Swollen
            self._named(root)
        except _Swollen:
            self.is_broken = True
            self._fault(TOP, "put together with what it inherits, the plan is larger than any plan is.",
                        "Look for a `like`, a template or a name that is far too long.", spot_of(own))
            return own
        return root

    def _spend(self, number: int) -> None:
        self.spent += number
        if self.spent > MERGED_AT_MOST:
            raise _Swollen

    # --- extends ------------------------------------------------------------------------------------------

    def _extended(self, own: yaml.MappingNode, above: tuple[str, ...]) -> yaml.MappingNode:
        stated = _take(own, EXTENDS)
        if stated is None:
            return self._merged(_empty(own), own, ())
        key, value = stated
        spot = spot_of(key)
        again = child(own, EXTENDS)
        if again is not None:
            return self._broken(own, f"the key is given twice, first on line {spot.line}.", "Keep one: a base may extend the other.", again[1])
        if not isinstance(value, yaml.ScalarNode) or _is_empty(value):
            return self._broken(own, "it names no base.", "Write the name of one, or the path of a file; a base may extend another.", spot)
        base = self.load(value.value, spot.file, spot)
        if base is None:
            self.is_broken = True
            return own
        if file_of(base) in above:
            return self._broken(own, f"the base {harmless(value.value)} extends itself in the end.", "Take one `extends` out.", spot)
        if len(above) == BASES_AT_MOST:
            return self._broken(own, f"more than {BASES_AT_MOST} bases stand one on another.", "Put some of them together.", spot)
        return self._merged(self._extended(base, (*above, file_of(base))), own, ())

    def _broken(self, own: yaml.MappingNode, what: str, cure: str, spot: Spot) -> yaml.MappingNode:
        self.is_broken = True
        self._fault(EXTENDS, what, cure, spot)
        return own

    def _merged(self, base: yaml.MappingNode, own: yaml.MappingNode, path: tuple[str, ...]) -> yaml.MappingNode:
        """The base's keys in their order, changed by the plan's, and the plan's own behind them."""
        self._spend(len(base.value) + len(own.value))
        result = _copied(base)
        pairs = list(base.value)
        known = {key.value: number for number, (key, _) in enumerate(pairs) if isinstance(key, yaml.ScalarNode)}
        dropped: set[int] = set()
        seen: set[int] = set()
        for key, value in own.value:
            place = known.get(key.value) if isinstance(key, yaml.ScalarNode) else None
            if place is None or place in seen:
                # Two equal keys of one file stay two: the schema tells of it.
                dropped.discard(place if place is not None else -1)
                pairs.append((key, self._as_items(value, (*path, str(key.value)))))
                continue
            seen.add(place)
            if _is_empty(value):
                dropped.add(place)
            else:
                pairs[place] = (key, self._both(pairs[place][1], value, (*path, str(key.value))))
        result.value = [pair for number, pair in enumerate(pairs) if number not in dropped]
        result.start_mark, result.end_mark = own.start_mark, own.end_mark
        return _from(own, result)

    def _both(self, base: yaml.Node, own: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
        if isinstance(base, yaml.MappingNode) and isinstance(own, yaml.MappingNode):
            return self._merged(base, own, path)
        if isinstance(base, yaml.SequenceNode) and isinstance(own, yaml.SequenceNode) and own.value and _keyed(base, path) and _keyed(own, path):
            return self._items(base, own, path)
        return own

    # --- items --------------------------------------------------------------------------------------------

    def _as_items(self, node: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
        """A list that inherits nothing: what its items say of their place still holds."""
        if isinstance(node, yaml.SequenceNode) and _keyed(node, path) and any(_said(entry, word) for entry in node.value for word in
                                                                        (REMOVE, AFTER, BEFORE)):
            empty = _copied(node)
            empty.value = []
            return self._items(empty, node, path)
        return node

    def _items(self, base: yaml.SequenceNode, own: yaml.SequenceNode, path: tuple[str, ...]) -> yaml.SequenceNode:
        self._spend(len(base.value) + len(own.value))
        row = _Row()
        for entry in base.value:
            row.add(_key_of(entry, path), entry)
        written: set[str] = set()
        behind: int | None = None
        for entry in own.value:
            name = _key_of(entry, path)
            at = f"{'.'.join(path)} {harmless(name)}"
            is_removed, beside = self._place_of_item(entry, at)
            places = row.of(name)
            if is_removed:
                if not places:
                    self._unknown(at, name, row.names(), spot_of(entry), "to remove")
                row.remove(name)
                behind = None if behind in places else behind
                continue
            is_new = not places or name in written
            if is_new:
                place = row.add(name, entry)
            else:
                place = places[0]
                row.entries[place] = self._merged(row.entries[place], entry, (*path, name))
            if beside is not None:
                word, target = beside
                others = [number for number in row.of(target) if number != place]
                if others:
                    row.move(place, others[0], is_after=word == AFTER)
                    behind = place
                else:
                    self._unknown(at, target, [known for known in row.names() if known != name], spot_of(entry), "to stand beside")
                    behind = None
            elif is_new and behind is not None:
                row.move(place, behind, is_after=True)
                behind = place
            else:
                behind = None
            written.add(name)
        result = _copied(own)
        result.value = list(row)
        return result

    def _place_of_item(self, entry: yaml.MappingNode, at: str) -> tuple[bool, tuple[str, str] | None]:
        """Whether an item is to be taken away, or beside which other it is to stand; what it says of that is taken out of it."""
        said = {word: found for word in (REMOVE, AFTER, BEFORE) if (found := _take(entry, word)) is not None}
        if REMOVE in said:
            key, value = said[REMOVE]
            if not isinstance(value, yaml.ScalarNode) or scalar(value) is not True:
                self._fault(at, "`remove` is said with `true` alone.", "Write `remove: true`, or leave it out to keep the item.", spot_of(key))
                return False, None
            if len(said) > 1 or len(entry.value) > 1:
                self._fault(at, "the item is taken away, and yet more is said of it.",
                            "Keep its key and `remove: true`; another item of the same key may follow and stands in its place.", spot_of(key))
            return True, None
        if len(said) > 1:
            self._fault(at, "the item is to stand both after one and before another.", "Keep `after` or `before`.", spot_of(said[BEFORE][0]))
            return False, None
        for word, (key, value) in said.items():
            if isinstance(value, yaml.ScalarNode) and not _is_empty(value):
                return False, (word, value.value)
            self._fault(at, f"`{word}` names no item.", "Write the key of one item of this list.", spot_of(key))
        return False, None

    # --- like ---------------------------------------------------------------------------------------------

    def _templates(self, key: yaml.ScalarNode, node: yaml.Node) -> yaml.MappingNode | None:
        """The templates, section by section, if they are written so."""
        if not isinstance(node, yaml.MappingNode):
            self.is_broken = True
            self._fault(TEMPLATES, "templates stand by section and name.", "Write `templates: {organisations: {township: {kind: township}}}`.",
                        spot_of(key))
            return None
        for section, entries in node.value:
            if not isinstance(section, yaml.ScalarNode) or not _has_words(entries):
                self._fault(TEMPLATES, "a list or mapping stands where a key is expected.", "Write a word before the colon.", spot_of(section))
                self.is_broken = True
                continue
            at = f"{TEMPLATES}.{harmless(str(section.value))}"
            if section.value not in Plan.model_fields:
                self._unknown(at, str(section.value), sorted(Plan.model_fields), spot_of(section), "to have templates")
            elif not isinstance(entries, yaml.MappingNode) or not all(isinstance(entry, yaml.MappingNode) for _, entry in entries.value):
                self._fault(at, "templates have a name each, and keys with values.", "Write `name: {key: value}` for each.", spot_of(section))
        return node

    def _alike(self, root: yaml.MappingNode, templates: yaml.Node | None) -> None:
        for number, (section, node) in enumerate(root.value):
            if isinstance(node, yaml.SequenceNode) and any(_said(entry, LIKE) for entry in node.value):
                of_section = child(templates, section.value) if templates is not None else None
                root.value[number] = section, self._alike_in(section.value, node, of_section[0] if of_section else None)

    def _alike_in(self, section: str, node: yaml.SequenceNode, templates: yaml.Node | None) -> yaml.SequenceNode:
        named: dict[str, yaml.Node] = {_key_of(entry): entry for entry in node.value if isinstance(entry, yaml.MappingNode) and _key_of(entry)}
        named |= {key.value: value for key, value in templates.value} if isinstance(templates, yaml.MappingNode) else {}
        done: dict[int, yaml.MappingNode] = {}
        result = _copied(node)
        result.value = [self._resolved(section, entry, named, done) if isinstance(entry, yaml.MappingNode) else entry for entry in node.value]
        return result

    def _resolved(self, section: str, entry: yaml.MappingNode, named: dict[str, yaml.Node], done: dict[int, yaml.MappingNode]) -> yaml.MappingNode:
        """An item with what it is like, which may be like another; not by recursion, for a file may hold any number of them."""
        waiting: list[tuple[yaml.MappingNode, str]] = []
        seen: set[int] = set()
        current = entry
        while id(current) not in done:
            found = child(current, LIKE)
            if found is None:
                done[id(current)] = current
                break
            name = str(found[0].value) if isinstance(found[0], yaml.ScalarNode) else ""
            at = f"{section} {harmless(_key_of(current))}"
            template = named.get(name)
            seen.add(id(current))
            if not isinstance(template, yaml.MappingNode) or template is current:
                self._unknown(at, name, [known for known in named if known != _key_of(current)], found[1], "to be like")
                done[id(current)] = _without_like(current)
            elif id(template) in seen:
                self._fault(at, f"`{harmless(name)}` is like itself in the end.", "Take one `like` out.", found[1])
                done[id(current)] = _without_like(current)
            else:
                waiting.append((current, name))
                current = template
        whole = done[id(current)]
        for item, name in reversed(waiting):
            whole = done[id(item)] = self._merged(whole, _without_like(item), (section, name))
        return whole

    # --- names --------------------------------------------------------------------------------------------

    def _named(self, root: yaml.MappingNode) -> None:
        names = self._plain(dict(_names_of(root)), root)
        for number, (key, node) in enumerate(root.value):
            if isinstance(node, yaml.SequenceNode):
                changed = _copied(node)
                changed.value = [self._item_filled(entry, names, key.value) for entry in node.value]
                root.value[number] = key, changed
            else:
                root.value[number] = key, self._filled(node, names, key.value)

    def _plain(self, names: dict[str, str], root: yaml.MappingNode) -> dict[str, str]:
        """The plan's names, each with the names that stand in it put in. What asks for itself in the end is a fault."""
        for _ in names:
            plain = {name: value for name, value in names.items() if "@{" not in value}
            if len(plain) == len(names):
                break
            for name, value in names.items():
                if "@{" in value:
                    names[name] = _NAME.sub(lambda found, plain=plain: plain.get(found[1], found[0]), value)  # type: ignore[misc]
        for name, value in names.items():
            asked = [found for found in _NAME.findall(value) if found in names]
            if asked and name in NAMES:
                self._fault(".".join(NAMES[name]), f"`{name}` asks for itself in the end.", "Write it out.",
                            (child(root, NAMES[name][0]) or (root, spot_of(root)))[1])
        return {name: _NAME.sub("", value) for name, value in names.items()}

    def _item_filled(self, entry: yaml.Node, names: dict[str, str], at: str) -> yaml.Node:
        """An item, in whose texts its own names stand above the plan's. Its names themselves ask for the plan's."""
        own = dict(_own_names(entry))
        if not isinstance(entry, yaml.MappingNode) or not any("@{" in value for value in own.values()):
            return self._filled(entry, names | own, at)
        around = names | {name: value for name, value in own.items() if "@{" not in value}
        first = _copied(entry)
        first.value = [(key, self._filled(value, around, f"{at}.{key.value}") if key.value in own else value) for key, value in entry.value]
        return self._filled(first, around | dict(_own_names(first)), at)

    def _filled(self, node: yaml.Node, names: dict[str, str], at: str) -> yaml.Node:
        if isinstance(node, yaml.ScalarNode):
            if "@{" not in node.value:
                return node
            filled = _copied(node)
            filled.value = _NAME.sub(lambda found: self._name(found[1], names, at, spot_of(node)), node.value)
            filled.style = node.style or '"'
            if "@{" in filled.value:
                self._fault(at, "after `@{` no name stands that is closed by `}`.", "Write it as `@{region}`.", spot_of(node))
            return filled
        changed = _copied(node)
        if isinstance(node, yaml.MappingNode):
            changed.value = [(key, self._filled(value, names, f"{at}.{key.value}")) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            changed.value = [self._filled(entry, names, at) for entry in node.value]
        return changed

    def _name(self, asked: str, names: dict[str, str], at: str, spot: Spot) -> str:
        shifted = _SHIFTED.fullmatch(asked)
        name, shift = shifted.groups() if shifted else (asked, None)
        if name in OF_THE_PLAN and name not in names:
            self._missed(name, spot)
            return _INSTEAD.get(name, _INSTEAD[OF_THE_PLAN[name]])
        if name not in names:
            self._unknown(at, name, list(names), spot, "to put in")
            return "unknown"  # a text that is needed is not missed as well
        try:
            put = names[name] if shift is None else _shifted(names[name], int(shift.replace(" ", "")))
        except ValueError:
            self._fault(at, f"`{harmless(name)}` is no day and no month: nothing can be counted from it.", "Take the number out.", spot)
            return ""
        except OverflowError:
            self._fault(at, f"`{harmless(asked)}` lies outside the calendar.", f"Correct the number, or `{name}` of the plan.", spot)
            return _INSTEAD.get(name, "")
        self.letters += len(put)
        if self.letters > SIZE_LIMIT_BYTES:
            raise _Swollen
        return put

    def _missed(self, name: str, spot: Spot) -> None:
        """One fault for all texts that ask for what the plan does not say, or not as a day: the schema has told of the key itself."""
        key = OF_THE_PLAN[name]
        if key not in self.missed:
            self.missed.add(key)
            self._fault(key, f"texts ask for `@{{{name}}}`, and the plan does not say it.", f"Write `{key}` in the plan, as every plan has it.", spot)

    # --- faults -------------------------------------------------------------------------------------------

    def _fault(self, where: str, what: str, cure: str, spot: Spot) -> None:
        self.faults.append(Fault(where, what, cure, spot.line, spot.file))

    def _unknown(self, where: str, name: str, known: list[str], spot: Spot, what_for: str) -> None:
        words = list(dict.fromkeys(known))
        close = difflib.get_close_matches(name, words, n=1) if len(words) <= 2000 and len(name) <= 100 else []
        cure = f"Did you mean `{harmless(close[0])}`?" if close else f"There are: {', '.join(map(harmless, words[:12])) or 'none'}."
        self._fault(where, f"there is no `{harmless(name)[:60]}` {what_for}.", cure, spot)


class _Row:
    """Items in an order. Each is put behind or before another at a cost that does not grow with their number."""

    def __init__(self) -> None:
        self.entries: list[Any] = [None]
        self._behind, self._before = [0], [0]
        self._of: dict[str, list[int]] = {}

    def of(self, name: str) -> list[int]:
        """The items with this key, the first one first."""
        return list(self._of.get(name, ()))

    def names(self) -> list[str]:
        """The keys that there are."""
        return list(self._of)

    def add(self, name: str, entry: yaml.MappingNode) -> int:
        """Puts an item at the end and gives its number."""
        self.entries.append(entry)
        number = len(self.entries) - 1
        self._behind.append(0)
        self._before.append(0)
        self._link(number, self._before[0])
        self._of.setdefault(name, []).append(number)
        return number

    def remove(self, name: str) -> None:
        """Takes every item with this key out."""
        for number in self._of.pop(name, ()):
            self._unlink(number)

    def move(self, number: int, beside: int, *, is_after: bool) -> None:
        """Puts an item behind or before another."""
        self._unlink(number)
        self._link(number, beside if is_after else self._before[beside])

    def _link(self, number: int, behind: int) -> None:
        following = self._behind[behind]
        self._behind[behind], self._behind[number] = number, following
        self._before[following], self._before[number] = number, behind

    def _unlink(self, number: int) -> None:
        before, behind = self._before[number], self._behind[number]
        self._behind[before], self._before[behind] = behind, before

    def __iter__(self) -> Iterator[yaml.MappingNode]:
        number = self._behind[0]
        while number:
            yield self.entries[number]
            number = self._behind[number]


def _from(source: yaml.Node, result: yaml.MappingNode) -> yaml.MappingNode:
    if hasattr(source, "file"):
        result.file = source.file  # type: ignore[attr-defined]
    elif hasattr(result, "file"):
        del result.file
    return result


def _empty(like: yaml.MappingNode) -> yaml.MappingNode:
    result = _copied(like)
    result.value = []
    return result


def _copied(node: Kind) -> Kind:
    """A node with the same parts: as ``copy.copy``, at a fifth of its cost, for there may be a million."""
    result = object.__new__(type(node))
    result.__dict__.update(node.__dict__)
    return result


def _has_words(node: yaml.Node) -> bool:
    """Whether a mapping's keys are words; anything else has none."""
    return not isinstance(node, yaml.MappingNode) or all(isinstance(key, yaml.ScalarNode) for key, _ in node.value)


def _without_like(entry: yaml.MappingNode) -> yaml.MappingNode:
    own = _copied(entry)
    own.value = [pair for pair in entry.value if pair[0].value != LIKE]
    return own


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values stand in a node; what stands in several places counts in each, though it is looked at once."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    size = known.get(id(node))
    if size is None:
        parts = [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
        size = known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return size


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
            if isinstance(value, yaml.ScalarNode) and key.value in (*ITEM_KEYS, "name", "short"):
                yield key.value, value.value


NAMES = {"id": ("id",), "name": ("name",), "region": ("region", "name"), "region_code": ("region", "code"),
         "number": ("document", "number"), "title": ("document", "title"), "issuer": ("document", "issuer"), "starts": ("starts",), "ends": ("ends",)}
"""What a text may ask for, and where the plan says it. Besides: ``year`` in which it starts, ``first_month`` and ``last_month``, the
``office`` by its short name, and ``level``, what the region calls itself at the end of its name (市, 县, 区, 街道 …). Days, months and
years can be counted from: ``@{starts+30}``, ``@{last_month-1}``, ``@{year+1}``."""
OF_THE_PLAN = {**{name: path[0] for name, path in NAMES.items()}, "level": "region", "year": "starts", "first_month": "starts", "last_month": "ends"}
"""Which key of the plan a text asks for by each name."""
_INSTEAD = {"id": "try", "name": "name", "region": "name", "region_code": "000000", "number": "number", "document": "title", "starts": "2000-01-01",
            "ends": "2000-12-31", "year": "2000", "first_month": "2000-01", "last_month": "2000-12"}
"""What is put in for a name that the plan does not say, so that one fault does not look like forty."""
_LEVEL = re.compile(r"(?:街道|社区|苏木|嘎查|.)$")


def _shifted(text: str, by: int) -> str:
    """A day so many days later, a month so many months, a year so many years."""
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        number = int(text[:4]) * 12 + int(text[5:] or 1) - 1 + by * (1 if "-" in text else 12)
        if not 12 <= number < 120_000:
            raise OverflowError
        return f"{number // 12:04d}-{number % 12 + 1:02d}"[:len(text)]
    return (date.fromisoformat(text) + timedelta(days=by)).isoformat()


def _names_of(root: yaml.MappingNode) -> Iterator[tuple[str, str]]:
    for name, path in NAMES.items():
        node: yaml.Node | None = root
        for part in path:
            found = child(node, part) if node is not None else None
            node = found[0] if found else None
        if not isinstance(node, yaml.ScalarNode) or (name in ("starts", "ends") and not _is_day(node.value)):
            continue
        yield name, node.value
        if name == "starts":
            yield from (("year", node.value[:4]), ("first_month", node.value[:7]))
        if name == "ends":
            yield "last_month", node.value[:7]
        if name == "region" and (level := _LEVEL.search(node.value)):
            yield "level", level[0]
    office, organisations = child(root, "office"), child(root, "organisations")
    if office and organisations and isinstance(organisations[0], yaml.SequenceNode):
        for entry in organisations[0].value:
            if _key_of(entry) == office[0].value and (own := dict(_own_names(entry))).get("short"):
                yield "office", _NAME.sub(lambda found: own.get(found[1], found[0]), own["short"])


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
