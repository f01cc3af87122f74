"""One household a line (domain.md 13): columns of names and numbers that repeat themselves become rows of persons.

民政 writes 户主姓名, 户主身份证号, 成员1姓名, 成员1身份证号, … or simply 姓名, 身份证号, 姓名, 身份证号, … in one line. Columns outside
these groups (township, kind, household) hold for every person of the line.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.contract import Contract, header_key, vocabulary

PERSON = ("id_number", "name")
"""A group of columns is about a person if it has both."""
_DIGITS = "一二三四五六七八九"
_ORDINAL = "[0-9]{1,2}|十?[一二三四五六七八九]|十"
Who = Literal["head", "member"]
_NO_WORD: tuple[str, Who] = "", "member"


@dataclass(frozen=True, slots=True)
class Member:
    """Which person of a household a header is about, and what is left of the header without saying so."""

    who: Who
    ordinal: int | None
    rest: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a header cell names: a column by an alias of a rank, for everybody or for one member of a household."""

    column: str
    rank: int
    key: str
    member: Member | None


@cache
def _household_words() -> tuple[tuple[str, Who], ...]:
    """The longest first, so that 家庭成员 is not taken for 成员."""
    stated = vocabulary()["households"]
    words: list[tuple[str, Who]] = [(header_key(word), "head") for word in stated["heads"]]
    words += [(header_key(word), "member") for word in stated["members"]]
    return tuple(sorted(words, key=lambda word: -len(word[0])))


@cache
def member_of(key: str) -> Member | None:
    """Which member a header key is about (成员1姓名, 姓名2, 户主身份证号); None where it says of none."""
    word, who = next((entry for entry in _household_words() if entry[0] in key), _NO_WORD)
    found = re.fullmatch(rf"第?({_ORDINAL})?[个位名号]?(.*?)({_ORDINAL})?", key.replace(word, "", 1) if word else key)
    if found is None or not (word or found[1] or found[3]):
        return None
    return Member(who, _number(found[1] or found[3]), found[2])


def _number(ordinal: str | None) -> int | None:
    if not ordinal:
        return None
    if ordinal.isascii():
        return int(ordinal)
    return 10 * ("十" in ordinal) + (_DIGITS.index(ordinal[-1]) + 1 if ordinal[-1] in _DIGITS else 0)


def groups_of(named: Mapping[int, Named], contract: Contract) -> tuple[Mapping[str, int], ...]:
    """Where the columns of each person of a line stand, by position in the line; () for one person a line.

    A group needs a name and a number. A line holds a household if groups are counted (成员1, 成员2) or the same headers
    come twice. 户主 beside one plain pair is no household: then the head is only named with each member.
    """
    if not set(PERSON) <= set(contract.columns):
        return ()
    times: Counter[str] = Counter()
    repeated = Counter(name.key for name in named.values())
    found: dict[tuple[str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    for position, name in sorted(named.items()):
        group = _group(name, times[name.key])
        times[name.key] += 1
        is_shared = group == ("nth", 0) and repeated[name.key] == 1 and name.column not in PERSON
        if not is_shared and (name.column not in found[group] or name.rank < found[group][name.column][0]):
            found[group][name.column] = name.rank, position
    persons = {group: columns for group, columns in found.items() if set(PERSON) <= set(columns)}
    kinds = Counter(kind for kind, _ in persons)
    if not kinds["counted"] and kinds["nth"] < 2:
        return ()
    in_order = sorted(persons, key=lambda group: (group[0] != "head", min(at for _, at in persons[group].values())))
    return tuple({column: at for column, (_, at) in persons[group].items()} for group in in_order)


def _group(name: Named, nth: int) -> tuple[str, int]:
    if name.member is None:
        return "nth", nth
    if name.member.ordinal is not None:
        return "counted", name.member.ordinal
    return ("head", nth) if name.member.who == "head" else ("nth", nth)


def one_row_a_person(
    table: pa.Table, groups: Sequence[Mapping[str, int]], shared: Mapping[str, int]
) -> list[tuple[pa.Table, Mapping[str, int]]]:
    """For each member in turn the lines that have one, and where its columns stand.

    A member without a single filled cell is none. A line without any member (a footer, a blank) stays once, as the
    first member's. Where only some members have a phone column, the others have none.
    """
    has = [_any_filled(table, list(group.values())) for group in groups]
    nobody = ~np.logical_or.reduce(has)
    taken = [has[0] | nobody, *has[1:]]
    grouped = {name for group in groups for name in group}
    outside = {name: position for name, position in shared.items() if name not in grouped}
    return [
        (table.filter(pa.array(lines)), {**outside, **group}) for group, lines in zip(groups, taken, strict=True)
    ]


def _any_filled(table: pa.Table, positions: Sequence[int]) -> np.ndarray:
    filled = np.zeros(table.num_rows, bool)
    for position in positions:
        if f"c{position}" in table.column_names:
            cells = pc.utf8_trim_whitespace(table[f"c{position}"])
            filled |= pc.fill_null(pc.not_equal(cells, ""), False).to_numpy(zero_copy_only=False)
    return filled
