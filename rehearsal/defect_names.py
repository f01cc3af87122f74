"""Names as clerks spell them: another letter that sounds or looks alike, an old form, a question mark; and names of
citizens whose language is not Chinese cut, turned, transliterated or run together (domain.md, Identity; rows 26, 27).

``letters.yaml`` holds the letters. Each function takes a name and a number in [0, 1) and gives the misspelling, or the
name itself where this way does not apply to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from rehearsal.defects import words

DOT = "·"
Mistake = Literal[
    "", "spacing", "separator", "homophone", "lookalike", "variant", "traditional", "question_mark", "pinyin",
    "transliterated", "truncated", "reversed", "father_dropped", "renamed",
]
MISTAKES: tuple[Mistake, ...] = (
    "", "spacing", "separator", "homophone", "lookalike", "variant", "traditional", "question_mark", "pinyin",
    "transliterated", "truncated", "reversed", "father_dropped", "renamed",
)
"""What happened to a name on its way into a register. From ``homophone`` on, no cleaning brings it back."""


@cache
def letters() -> dict[str, Any]:
    """How letters are misread, misheard and written otherwise."""
    stated: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("letters.yaml").read_text(encoding="utf-8"))
    return stated


def _replaced(table: str) -> Callable[[str, float], str]:
    """One letter that the table knows becomes another; the surname's seldom, for it is typed most carefully."""

    def replaced(name: str, drawn: float) -> str:
        known = letters()[table]
        places = [place for place, letter in enumerate(name) if letter in known]
        if not places:
            return name
        at = places[-1 - int(drawn * len(places))]
        others = known[name[at]]
        return name[:at] + others[int(drawn * 7919) % len(others)] + name[at + 1:]

    return replaced


def _question_mark(name: str, drawn: float) -> str:
    at = [place for place, letter in enumerate(name) if letter in letters()["rare"]]
    return f"{name[:at[0]]}?{name[at[0] + 1:]}" if at else name


def _pinyin(name: str, drawn: float) -> str:
    at = [place for place, letter in enumerate(name) if letter in letters()["rare"]]
    return f"{name[:at[0]]}{letters()['rare'][name[at[0]]]}{name[at[0] + 1:]}" if at else name


def spacing(name: str, drawn: float) -> str:
    """``张 三``, ``张　三``, a space behind: a Han name of two or three letters as typists align it."""
    gap = (" ", "\u3000", "\u00a0", "  ")[int(drawn * 4)]
    return f"{name[0]}{gap}{name[1:]}" if len(name) <= 3 else f"{name}{gap}"


def separator(name: str, drawn: float) -> str:
    """Another of the twelve separators, or none at all (domain.md, Identity)."""
    others = words()["separators"]
    return name.replace(DOT, others[int(drawn * len(others))])


def _transliterated(name: str, drawn: float) -> str:
    known = [part for part in letters()["transliterations"] if part in name]
    if not known:
        return name
    part = known[int(drawn * len(known))]
    others = letters()["transliterations"][part]
    return name.replace(part, others[int(drawn * 7919) % len(others)], 1)


def _truncated(name: str, drawn: float) -> str:
    """Cut at four to eight letters, as fixed-width fields do."""
    return name[: 4 + int(drawn * 5)].rstrip(DOT)


def _reversed(name: str, drawn: float) -> str:
    given, _, father = name.partition(DOT)
    return f"{father}{DOT}{given}" if father else name


def _father_dropped(name: str, drawn: float) -> str:
    return name.partition(DOT)[0]


HAN: dict[Mistake, Callable[[str, float], str]] = {
    "homophone": _replaced("homophones"), "lookalike": _replaced("lookalikes"), "variant": _replaced("variants"),
    "traditional": _replaced("traditional"), "question_mark": _question_mark, "pinyin": _pinyin,
}
DOTTED: dict[Mistake, Callable[[str, float], str]] = {
    "transliterated": _transliterated, "truncated": _truncated, "reversed": _reversed, "father_dropped": _father_dropped,
}


def misspelled(name: str, drawn: float) -> tuple[str, Mistake]:
    """A misspelling of a name that has one, beginning with the way that was drawn; ``""`` where none applies."""
    ways = list((DOTTED if DOT in name else HAN).items())
    first, fine = divmod(drawn * len(ways), 1)
    for step in range(len(ways)):
        mistake, write = ways[(int(first) + step) % len(ways)]
        written = write(name, fine)
        if written != name:
            return written, mistake
    return name, ""


def renamed(name: str, drawn: float) -> str:
    """The name after a legal change: another given name of as many letters, the family's kept."""
    pool = "安宁和瑞景辰朗清远致行知言若昭"
    if DOT in name:
        return _transliterated(name, drawn) if drawn < 0.5 else name
    first = int(drawn * len(pool))
    given = "".join(pool[(first + 5 * step) % len(pool)] for step in range(len(name) - 1))
    return name[0] + given
