"""What may be told of a file's name: whoever sends a file may have named a person in it, or written a number of theirs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

LONGEST_NUMBER = 8
"""A date without separators. What is longer may be a person's, or a telephone."""
MARK_LENGTH = 6
_UNITS = r"(?:年度?|月份?|日|号|期|季度?|批次?|次|版|稿|份|人|条|行|点|时|分)?"
_ORDINARY = (
    r"第[一二三四五六七八九十百]{1,3}(?:批次?|次|期|版|部分|组|册|片)"
    rf"|(?:第|共|截至|截止|至)?\s?(?<!\d)\d{{1,{LONGEST_NUMBER}}}(?!\d)\s?{_UNITS}"
)
_SPLIT = r"[\s\-_.·]"
_DATE = rf"20\d\d{_SPLIT}?(?:1[0-2]|0?[1-9])(?:{_SPLIT}?[0-3]?\d)?"
_DIGITS = re.compile(rf"\d+(?:{_SPLIT}\d+)*[Xx]?")
_DATES = re.compile(rf"{_DATE}(?:{_SPLIT}{_DATE})?(?:{_SPLIT}\d{{1,6}})?")
"""Of more digits in a row, split or not, only one or two dates and a count after them: a number of a person in pieces would pass for
dates one by one."""
_WORD, _ENDING = re.compile(r"[^\W_]+"), re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}", re.ASCII)


def told_name(name: str, words: frozenset[str], secret: bytes) -> str:
    """A file's name with only what is surely no person's: ``words`` that plan and contracts know, dates and counts, marks, the
    ending. Anything else becomes ``…`` and six letters, the same for the same text under the same secret: two files stay two,
    and nobody finds out what stood there.

    What is decided by a name (who sent it, which part of a register it is, how many rows it promises) follows from this as it
    would from the whole name.
    """
    known = _known(words)
    stem, dot, ending = name.rpartition(".")
    if not stem or not _ENDING.fullmatch(dot + ending):
        stem, dot, ending = name, "", ""

    def mark(found: re.Match[str]) -> str:
        return "…" + hmac.new(secret, found[0].encode(), "sha256").hexdigest()[:MARK_LENGTH]

    def between_numbers(text: str) -> str:
        return _around(known.finditer(text), text, lambda rest: _WORD.sub(mark, rest), lambda found: found[0])

    return _around(filter(_is_long, _DIGITS.finditer(stem)), stem, between_numbers, mark) + dot + ending


def _is_long(digits: re.Match[str]) -> bool:
    return sum(letter.isdigit() for letter in digits[0]) > LONGEST_NUMBER and not _DATES.fullmatch(digits[0])


def _around(
    found: Iterable[re.Match[str]], text: str, rest: Callable[[str], str], match: Callable[[re.Match[str]], str],
) -> str:
    parts, end = [], 0
    for one in found:
        parts += [rest(text[end:one.start()]), match(one)]
        end = one.end()
    return "".join((*parts, rest(text[end:])))


@lru_cache(maxsize=64)
def _known(words: frozenset[str]) -> re.Pattern[str]:
    # The longest first: a word that is part of another does not split it.
    longest_first = sorted((word for word in words if word.strip()), key=lambda word: (-len(word), word))
    return re.compile("|".join((*(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" if word.isascii() else re.escape(word)
                                  for word in longest_first), _ORDINARY)))
