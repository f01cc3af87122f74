"""The header of a file: which row it is, and where each canonical column stands under it.

Title lines stand above (domain.md 5), two lines may make one header (6), synonyms are the contract's aliases or what
an operator once confirmed for the sender (9), and columns that repeat themselves hold a household a line (13).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expectations.households import Named, groups_of, member_of
from models import contract as contracts
from models.contract import Contract, header_key, vocabulary
from models.errors import FileReturned

LESS_THAN_ANY_ALIAS = 10_000
"""Added to a rank: no contract lists so many aliases."""


@dataclass(frozen=True, slots=True)
class Header:
    """A found header: which row, how many lines, where each canonical column stands and what it is called.

    ``groups`` is empty unless a line holds a household: then it has where the personal columns of each member stand,
    and ``positions`` those of the first one. ``cells`` are all its cells, ``titles`` the lines above it.
    """

    at: int
    height: int
    width: int
    positions: Mapping[str, int]
    texts: Mapping[str, str]
    groups: tuple[Mapping[str, int], ...] = ()
    cells: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What headers mean: header key to column and rank. What an operator confirmed outranks every alias."""

    known: Mapping[str, tuple[str, int]]
    ignored: frozenset[str] = field(default_factory=frozenset)

    def named(self, cell: str) -> Named | None:
        """The column that a header cell names, and which member of a household it is about."""
        key = header_key(cell)
        if not key or key in self.ignored:
            return None
        if key in self.known:
            column, rank = self.known[key]
            return Named(column, rank, key, None)
        member = member_of(key)
        if member is None or member.rest not in self.known:
            return None
        column, rank = self.known[member.rest]
        return Named(column, rank, key, member)


def words_of(contract: Contract, mapping: Mapping[str, str] | None = None) -> Words:
    """The contract's aliases, and over them a saved mapping: header key to column, '' for a header to leave out."""
    confirmed = {key: (name, -1) for key, name in (mapping or {}).items() if name in contract.columns}
    ignored = frozenset(key for key, name in (mapping or {}).items() if not name)
    return Words({**contract.headers, **confirmed}, ignored)


def find_header(rows: Sequence[Sequence[str]], contract: Contract, words: Words | None = None) -> Header | None:
    """The row that names most columns, alone or together with the row below it (two-line headers, domain.md 6).

    None where no row names two columns: fewer may be chance.
    """
    words = words or words_of(contract)
    best: tuple[int, Header] | None = None
    for at, row in enumerate(rows):
        below = rows[at + 1] if at + 1 < len(rows) else ()
        for height, cells in ((1, list(row)), (2, _joined(row, below, words))):
            positions, groups = _match(cells, words, contract)
            # Of a header line alone and the same line with a title above it, the line alone is the header.
            beats = best is None or (len(positions), best[1].height) > (best[0], height)
            if len(positions) >= 2 and beats:
                texts = {name: cells[position].strip() for name, position in positions.items()}
                titles = tuple(" ".join(cell for cell in line if cell) for line in rows[:at])
                best = len(positions), Header(at, height, len(cells), positions, texts, groups, tuple(cells), titles)
    return best[1] if best else None


def complete(header: Header | None, rows: Sequence[Sequence[str]], contract: Contract, place: str) -> Header:
    """The header with stand-ins filled in. Raises FileReturned for a missing header or required column."""
    if header is None:
        wanted = "、".join(contract.columns[name].label for name in contract.required)
        raise FileReturned(
            f"{place}前 {len(rows)} 行里找不到表头。",
            cure=f"表头应含：{wanted}。请核对报送的是否为「{contract.name}」，补上表头后重新报送。",
            headers=_headers_of_any_feed(rows),
        )
    if header.width > vocabulary()["reading"]["most_columns"]:
        raise too_wide(place)
    positions = with_stand_ins(header.positions, contract)
    missing = [name for name in contract.required if name not in positions]
    if missing:
        raise _missing_columns(missing, header, rows, contract, place)
    return replace(header, positions=positions)


def _headers_of_any_feed(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Cells among the first rows that are headers in some contract: they tell a file that belongs to another feed, and
    being aliases they name no person."""
    known = {key for entry in contracts.all() for key in entry.headers}
    return tuple(dict.fromkeys(cell.strip() for row in rows for cell in row if cell and header_key(cell) in known))


def with_stand_ins(positions: Mapping[str, int], contract: Contract) -> dict[str, int]:
    """Where a column has no header of its own, the one that stands in for it serves."""
    found = dict(positions)
    for name, column in contract.columns.items():
        if name not in found and column.stands_in in found:
            found[name] = found[column.stands_in]
    return found


def too_wide(place: str) -> FileReturned:
    """The refusal of a table with an absurd number of columns."""
    most = vocabulary()["reading"]["most_columns"]
    return FileReturned(f"{place}的列数超过 {most} 列，未予读取。", cure="请删除多余的列后重新报送。")


def _joined(above: Sequence[str], below: Sequence[str], words: Words) -> list[str]:
    """Two header lines as one: the lower cell where it is known or the upper is blank, both together where that is."""
    if not any(words.named(cell) for cell in below):
        return []
    width = max(len(above), len(below))
    upper = [*above, *[""] * (width - len(above))]
    lower = [*below, *[""] * (width - len(below))]
    repeats = Counter(header_key(low) for low in lower)
    joined: list[str] = []
    merged = ""
    for top, low in zip(upper, lower, strict=True):
        merged = top.strip() or merged
        # 成员1 merged over 姓名 and 身份证号 stands above the first of them only.
        over = merged if repeats[header_key(low)] > 1 else top
        joined.append(over + low if words.named(over + low) else low if words.named(low) or not top.strip() else top)
    return joined


def _match(
    cells: Iterable[str], words: Words, contract: Contract
) -> tuple[dict[str, int], tuple[Mapping[str, int], ...]]:
    """Canonical column to position, and the groups of a household line. Of two headers for one column the one that the
    contract lists earlier wins."""
    named = {position: name for position, cell in enumerate(cells) if cell and (name := words.named(cell))}
    groups = groups_of(named, contract)
    grouped = {position for group in groups for position in group.values()}
    found: dict[str, tuple[int, int]] = {}
    for position, name in named.items():
        rank = _rank(name)
        if rank is not None and position not in grouped and rank < found.get(name.column, (rank + 1, 0))[0]:
            found[name.column] = rank, position
    shared = {name: position for name, (_, position) in found.items()}
    return ({**shared, **groups[0]} if groups else shared), groups


def _rank(name: Named) -> int | None:
    """成员姓名 is 姓名 where nothing better is; what is said of the head or of the second member is about nobody else."""
    if name.member is None:
        return name.rank
    return None if name.member.who == "head" or name.member.ordinal is not None else name.rank + LESS_THAN_ANY_ALIAS


def _missing_columns(
    missing: list[str], header: Header, rows: Sequence[Sequence[str]], contract: Contract, place: str
) -> FileReturned:
    lines = rows[header.at:header.at + header.height]
    cells = dict.fromkeys(cell for line in lines for cell in _before_data(line, contract))
    there = tuple(_harmless(cell) for cell in cells if cell)
    wanted = [contract.columns[name] for name in missing]
    labels = "、".join(f"「{column.label}」" for column in wanted)
    ways = "；".join(f"「{column.label}」也可写作 {'、'.join(column.aliases[:4])}" for column in wanted)
    return FileReturned(
        f"{place}缺少必需的列：{labels}。第 {header.at + 1} 行表头里有：{'、'.join(there)}。",
        cure=f"请补上后重新报送。{ways}。", headers=there,
    )


_LONG_NUMBER = re.compile("[0-9]{11}")


def _before_data(line: Sequence[str], contract: Contract) -> list[str]:
    """A header's cells, up to where data may begin: where line ends are not recognised, people stand in its line too.
    Then only what lies before the last known header can be trusted to be one."""
    kept: list[str] = []
    for cell in map(str.strip, line):
        if _LONG_NUMBER.search(cell) or not cell.replace("\n", "").isprintable():
            known = [place for place, header in enumerate(kept, start=1) if header_key(header) in contract.headers]
            return kept[:max(known, default=0)]
        kept.append(cell)
    return kept


def _harmless(cell: str) -> str:
    """A header cell as it may be repeated to the sender: short, and nothing that could be a number of a person."""
    return "（数字）" if sum(letter.isdigit() for letter in cell) >= 6 else cell.replace("\n", "")[:16]
