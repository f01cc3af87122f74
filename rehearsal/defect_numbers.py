"""Citizen numbers and credit codes as clerks get them wrong. Strings in, strings out; nothing is drawn here but from
the number between 0 and 1 that comes with each (domain.md, Identity and rows 16 to 21 and 40)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rehearsal.names import FOREIGN_AREAS, is_citizen_number

Mistake = Literal[
    "", "wrong_digit", "swapped_digits", "undetected_digits", "impossible_birth", "blank", "15_digits", "certificate",
    "lower_x", "multiplication_sign", "full_width", "marks", "relatives_number", "shared_number", "second_number",
    "stored_as_number",
]
"""What happened to a number on its way into a register."""

MISTAKES: tuple[Mistake, ...] = (
    "", "wrong_digit", "swapped_digits", "undetected_digits", "impossible_birth", "blank", "15_digits", "certificate",
    "lower_x", "multiplication_sign", "full_width", "marks", "relatives_number", "shared_number", "second_number",
    "stored_as_number",
)
_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_IMPOSSIBLE_DAYS = ("0230", "1332", "0431", "0000", "1301", "0631")


def completed(body: str) -> str:
    """Seventeen digits and the check character they ask for (GB 11643)."""
    return next(body + letter for letter in "0123456789X" if is_citizen_number(body + letter))


def wrong_digit(number: str, drawn: float) -> str:
    """One digit of the 18 is another; the check finds it. The first never becomes 0."""
    place, shift = int(drawn * 17), 1 + int(drawn * 17 * 8 % 8)
    digit = (int(number[place]) + shift) % 10 or (1 if place == 0 else 0)
    if str(digit) == number[place]:
        digit = digit % 9 + 1
    return f"{number[:place]}{digit}{number[place + 1:]}"


def swapped_digits(number: str, drawn: float) -> str:
    """Two neighbouring digits that differ have changed places; the check finds it. Falls back on a wrong digit."""
    places = [i for i in range(1, 16) if number[i] != number[i + 1]]
    if not places:
        return wrong_digit(number, drawn)
    at = places[int(drawn * len(places))]
    return number[:at] + number[at + 1] + number[at] + number[at + 2:]


def undetected_digits(number: str, drawn: float) -> str:
    """Two wrong digits whose errors cancel out: a valid number of somebody who may not exist (domain.md: the check misses
    one double error in ten). One stands in the area, one in the serial."""
    first = 3 + int(drawn * 3)
    for step in range(1, 10):
        digit = (int(number[first]) + int(drawn * 97) + step) % 10
        for other in range(1, 10):
            serial = (int(number[15]) + other) % 10
            tried = f"{number[:first]}{digit}{number[first + 1:15]}{serial}{number[16:]}"
            if str(digit) != number[first] and is_citizen_number(tried):
                return tried
    return wrong_digit(number, drawn)


def impossible_birth(number: str, drawn: float) -> str:
    """A birth date that no calendar has, under a check character that holds."""
    return completed(number[:10] + _IMPOSSIBLE_DAYS[int(drawn * len(_IMPOSSIBLE_DAYS))] + number[14:17])


def fifteen_digits(number: str, drawn: float) -> str:
    """As it was issued before 1999: no century, no check character. Only births of the 1900s had one."""
    return number[:6] + number[8:17]


def second_number(number: str, drawn: float) -> str:
    """The number somebody had before a correction: another area at first registration, the rest the same."""
    areas = [str(area) for area in FOREIGN_AREAS if str(area) != number[:6]]
    return completed(areas[int(drawn * len(areas))] + number[6:17])


def lower_x(number: str, drawn: float) -> str:
    """``x``, ``×`` or the Cyrillic letter for X."""
    return number[:17] + "xx×Х"[int(drawn * 4)]


def full_width(number: str, drawn: float) -> str:
    """Typed with a Chinese keyboard left on."""
    return number.translate(_FULL_WIDTH)


def o_for_zero(code: str, drawn: float) -> str:
    """A credit code with the letter O where a zero stands; unchanged if there is none."""
    at = [place for place, letter in enumerate(code) if letter == "0"]
    if not at:
        return code
    place = at[int(drawn * len(at))]
    return f"{code[:place]}O{code[place + 1:]}"


def old_registration(code: str, drawn: float) -> str:
    """A fifteen-digit registration number as used before the unified credit code (40)."""
    return f"{code[2:8]}{int(drawn * 10**9):09d}"


NUMBER_FAULTS: dict[Mistake, Callable[[str, float], str]] = {
    "wrong_digit": wrong_digit, "swapped_digits": swapped_digits, "undetected_digits": undetected_digits,
    "impossible_birth": impossible_birth, "15_digits": fifteen_digits, "second_number": second_number,
    "lower_x": lower_x, "full_width": full_width,
}
"""The mistakes that a number alone, and a draw, decide."""
