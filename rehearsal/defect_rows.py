"""Faults of rows and cells (domain.md 16 to 46), put into a draft one defect after the other.

Numbers come first, and the faults that make a number unusable before those that cleaning undoes: a cell has one fault.
A row whose number is somebody else's (28) gets no other fault that costs it its place: review needs both rows.
What each does to a row's fate stands beside it; what a file's own faults do to all rows is decided in
``defect_files``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.places import spellings
from models.plan import Plan
from rehearsal import defect_names, defect_numbers
from rehearsal.defect_draft import DUPLICATE, FIXED, QUARANTINED, Draft
from rehearsal.defects import words
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.place import Place
from rehearsal.state import day_number
from rules.periods import month

_BORN_1900, _BORN_2000 = -25_567, 10_957
"""Days since 1970-01-01; only births between them ever had a 15-digit number."""
_SECOND_NUMBER_SALT, _SECOND_NUMBER_DRAW = 281, 282
Thing = TypeVar("Thing")


def put_row_faults(draft: Draft) -> None:
    """Every fault of rows that is made, each in its cells; a row that two cells spoil has the graver fate."""
    if draft.is_about_persons:
        for make in (_shared_numbers, _second_numbers, _unusable_numbers, _old_and_odd_numbers, _marked_numbers):
            make(draft)
    if "name" in draft.columns and draft.contract.subject == "person":
        _names(draft)
    for make in (_sex_and_birth, _townships, _codes, _telephones, _credit_codes, _injections):
        make(draft)


# --- citizen numbers ------------------------------------------------------------------------------------


def _shared_numbers(draft: Draft) -> None:
    """28: the number of somebody else: of a member of the household, or of a stranger in the same register. Where its
    owner stands in the file too, both rows go to review."""
    people = draft.place.people
    where = draft.pick(28, "id_number", among=people.id_number[draft.rows] != "")
    if not len(where):
        return
    others = _others(draft, where)
    usable = (others >= 0) & (people.name[others] != people.name[draft.rows[where]])
    owners = np.where(usable, draft.positions()[others], -1)
    usable &= ~np.isin(owners, where)  # an owner whose own number is somebody else's
    _take_back(draft, 28, where[~usable])
    where, others, owners = where[usable], others[usable], owners[usable]
    relatives = people.household[others] == people.household[draft.rows[where]]
    draft.put("id_number", where, people.id_number[others].tolist())
    draft.spoil_number("shared_number", where[~relatives])
    draft.spoil_number("relatives_number", where[relatives])
    _, first, counts = np.unique(others, return_inverse=True, return_counts=True)
    seen_twice = (owners >= 0) | (counts[first] > 1)
    present = owners[owners >= 0]
    draft.touched["id_number"][present] = True
    draft.touched["name"][present] = True
    draft.mark(28, present)
    draft.end(QUARANTINED, np.concatenate([where[seen_twice], present]), "id_number_two_names")


def _others(draft: Draft, where: Integers) -> Integers:
    """Whose number is written instead: a household mate's, or a stranger's of the same register; -1 where there is nobody."""
    drawn = draft.drawn(28, "id_number", where)
    mates = _mates(draft.place)[draft.rows[where]]
    strangers = draft.rows[(draft.drawn(28, "id_number", where, "stranger") * len(draft)).astype(np.int64)]
    relative = (drawn < draft.chance.settings.rate(28, "relative")) & (mates >= 0)
    others = np.where(relative, mates, strangers)
    has_own = (others != draft.rows[where]) & (draft.place.people.id_number[others] != "")
    return np.where(has_own, others, -1)


class _Identified(Generic[Thing]):
    """A place or plan as part of a cache's key, by what it is and not by what it holds."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identified) and other.thing is self.thing


def _key(place: Place) -> tuple[str, int]:
    """A place grows from month to month."""
    return place.period, len(place.people)


@lru_cache(maxsize=1)
def _mates_of(key: tuple[str, int], place: _Identified[Place]) -> Integers:
    people = place.thing.people
    known = np.flatnonzero(people.id_number != "")
    order = known[np.argsort(people.household[known], kind="stable")]
    houses = people.household[order]
    after = np.roll(order, -1)
    same = houses == np.roll(houses, -1)
    starts = np.r_[0, np.flatnonzero(houses[1:] != houses[:-1]) + 1]
    first = np.repeat(order[starts], np.diff(np.r_[starts, len(order)]))
    mates = np.full(len(people), -1, dtype=np.int64)
    mates[order] = np.where(same, after, np.where(first != order, first, -1))
    return mates


def _mates(place: Place) -> Integers:
    """Another member of each person's household; -1 for who lives alone."""
    return _mates_of(_key(place), _Identified(place))


@lru_cache(maxsize=1)
def _numbers_of(key: tuple[str, int], place: _Identified[Place]) -> frozenset[str]:
    return frozenset(place.thing.people.id_number.tolist())


def _are_known(place: Place, numbers: list[str]) -> Bools:
    """Which numbers somebody in the place really has."""
    known = _numbers_of(_key(place), _Identified(place))
    return np.array([number in known for number in numbers], dtype=bool)


def _take_back(draft: Draft, number: int, where: Integers) -> None:
    """Rows for which no such fault can be made stay as they are."""
    draft.marks[where] &= ~np.uint64(1 << (number - 1))
    draft.touched["id_number"][where] = False


def _second_numbers(draft: Draft) -> None:
    """28: somebody whose number was corrected once; some registers still know the old one. Police know the new."""
    settings, place = draft.chance.settings, draft.place
    if draft.contract.feed == "population" or not draft.chance.applies(28):
        return
    had = unit_hash(place.seed, draft.rows, _SECOND_NUMBER_SALT) < settings.rate(28, "second_number")
    known = had & (place.people.id_number[draft.rows] != "")
    where = draft.pick(28, "id_number", "old_number_used", among=known, rate=settings.rate(28, "old_number_used"))
    drawn = unit_hash(place.seed, draft.rows[where], _SECOND_NUMBER_DRAW)
    old = [defect_numbers.second_number(number, float(by))
           for number, by in zip(place.people.id_number[draft.rows[where]].tolist(), drawn, strict=True)]
    free = ~_are_known(place, old)
    _take_back(draft, 28, where[~free])
    draft.put("id_number", where[free], [number for number, is_free in zip(old, free, strict=True) if is_free])
    draft.spoil_number("second_number", where[free])


def _unusable_numbers(draft: Draft) -> None:
    """20, 21, 23: wrong digits, impossible births, blanks."""
    settings, has_number = draft.chance.settings, draft.place.people.id_number[draft.rows] != ""
    where = draft.pick(20, "id_number", among=has_number)
    swapped = draft.drawn(20, "id_number", where, "way") < settings.rate(20, "swapped")
    for chosen, mistake in ((where[swapped], "swapped_digits"), (where[~swapped], "wrong_digit")):
        _spoil(draft, 20, chosen, mistake)  # type: ignore[arg-type]
    lost = np.array([number.endswith("000") for number in draft.cells("id_number", where)], dtype=bool)
    draft.end(QUARANTINED, where[lost], "id_number_lost_digits")
    draft.end(QUARANTINED, where[~lost], "id_number_check_digit")
    where = draft.pick(21, "id_number", among=has_number)
    _spoil(draft, 21, where, "impossible_birth")
    draft.end(QUARANTINED, where, "id_number_birth_date")
    _undetected_numbers(draft, has_number)
    _blank_numbers(draft)


def _undetected_numbers(draft: Draft, has_number: Bools) -> None:
    where = draft.pick(20, "id_number", "undetected", among=has_number)
    drawn = draft.drawn(20, "id_number", where, "undetected")
    cells = draft.cells("id_number", where)
    wrong = [defect_numbers.undetected_digits(cell, float(by)) for cell, by in zip(cells, drawn, strict=True)]
    free = ~_are_known(draft.place, wrong)
    _take_back(draft, 20, where[~free])
    draft.put("id_number", where[free], [number for number, is_free in zip(wrong, free, strict=True) if is_free])
    draft.spoil_number("undetected_digits", where[free])


def _blank_numbers(draft: Draft) -> None:
    """A register that returns on one blank number has none here: that is a fault of its file (``defect_files``)."""
    blank = draft.contract.faults.get("blank_key")
    if blank is not None and blank.severity == "return":
        return
    is_health = draft.contract.feed in words()["care"]["health"]
    rate = draft.chance.settings.rate(23, "health") if is_health else None
    where = draft.pick(23, "id_number", rate=rate)
    blank_numbers(draft, where)


def blank_numbers(draft: Draft, where: Integers) -> None:
    """23: these rows have no number."""
    draft.mark(23, where)
    draft.put("id_number", where, [None] * len(where))
    draft.spoil_number("blank", where)
    draft.end(QUARANTINED, where, "id_number_blank")


def _old_and_odd_numbers(draft: Draft) -> None:
    """18, 17, 19: what cleaning undoes."""
    people, settings = draft.place.people, draft.chance.settings
    births, numbers = people.birth[draft.rows], people.id_number[draft.rows]
    had_fifteen = (births >= _BORN_1900) & (births < _BORN_2000) & (numbers != "")
    sixty = day_number(month(draft.place.period).ends) - births >= 60 * 365.2425
    rates = np.where(sixty, settings.rate(18, "sixty_plus"), settings.rate(18))
    _fix(draft, 18, draft.pick(18, "id_number", among=had_fifteen, rate=rates), "15_digits")
    ends_in_x = np.char.endswith(numbers, "X")
    # The rate is of all rows; one number in eleven ends in X.
    _fix(draft, 17, draft.pick(17, "id_number", among=ends_in_x, rate=settings.rate(17) * 11), "lower_x")
    _fix(draft, 17, draft.pick(17, "id_number", "full_width", among=numbers != ""), "full_width")
    if "certificate_no" in draft.columns:
        where = draft.pick(19, "id_number", among=numbers != "")
        draft.put("id_number", where, draft.cells("certificate_no", where))
        draft.spoil_number("certificate", where)
        draft.end(FIXED, where)


def _marked_numbers(draft: Draft) -> None:
    """16: what Excel, copying and typing leave around a number."""
    where = draft.pick(16, "id_number", among=draft.place.people.id_number[draft.rows] != "")
    draft.rewrite(16, "id_number", where, _marked)
    draft.spoil_number("marks", where)
    draft.end(FIXED, where)


def _marked(text: str, drawn: float) -> str:
    forms = words()["marks"]
    return str(forms[int(drawn * len(forms))]).format(text)


def _spoil(draft: Draft, number: int, where: Integers, mistake: defect_numbers.Mistake) -> None:
    draft.rewrite(number, "id_number", where, defect_numbers.NUMBER_FAULTS[mistake], mistake)
    draft.spoil_number(mistake, where)


def _fix(draft: Draft, number: int, where: Integers, mistake: defect_numbers.Mistake) -> None:
    _spoil(draft, number, where, mistake)
    draft.end(FIXED, where)


# --- names ----------------------------------------------------------------------------------------------


def _names(draft: Draft) -> None:
    """27 before 26: a name that is spelled otherwise, then one that is only spaced otherwise."""
    settings = draft.chance.settings
    has_dot = np.char.find(draft.place.people.name[draft.rows], defect_names.DOT) >= 0
    renamed = draft.pick(27, "name", "renamed")
    draft.rewrite(27, "name", renamed, defect_names.renamed, "renamed")
    draft.spoil_names(["renamed"] * len(renamed), renamed)
    rates = np.where(has_dot, settings.rate(27, "dotted"), settings.rate(27)) * draft.chance.care(27)
    where = draft.pick(27, "name", rate=rates)
    drawn = draft.drawn(27, "name", where)
    written = [defect_names.misspelled(name, float(by))
               for name, by in zip(draft.cells("name", where), drawn, strict=True)]
    draft.put("name", where, [name for name, _ in written])
    draft.spoil_names([mistake for _, mistake in written], where)
    _spacing(draft, has_dot)


def _spacing(draft: Draft, has_dot: Bools) -> None:
    settings = draft.chance.settings
    for among, rate, change, mistake in (
        (has_dot, settings.rate(26, "dotted"), defect_names.separator, "separator"),
        (~has_dot, settings.rate(26), defect_names.spacing, "spacing"),
    ):
        where = draft.pick(26, "name", mistake if mistake == "separator" else "", among=among, rate=rate)
        draft.rewrite(26, "name", where, change)
        draft.spoil_names([mistake] * len(where), where)  # type: ignore[list-item]
        draft.end(FIXED, where)


def _sex_and_birth(draft: Draft) -> None:
    """24, 25: what the number says otherwise; the number wins."""
    people, made_up = draft.place.people, draft.contract.made_up
    has_number = ~draft.carries(20, 21, 23, 28) if draft.is_about_persons else np.zeros(len(draft), dtype=bool)
    spelled = made_up.columns["sex"].written if made_up is not None and "sex" in made_up.columns else ()
    if "sex" in draft.columns and spelled:
        women, men = spelled
        where = draft.pick(24, "sex", among=has_number)
        draft.rewrite(24, "sex", where, lambda text, _: men if text == women else women)
        draft.end(FIXED, where)
    if "birth_date" in draft.columns:
        where = draft.pick(25, "birth_date", among=has_number)
        shift = 1 + (draft.drawn(25, "birth_date", where) * 60).astype(np.int64)
        days = (people.birth[draft.rows[where]] - shift).astype("datetime64[D]")
        draft.put("birth_date", where, days.astype("U10").tolist())
        draft.end(FIXED, where)


# --- townships, codes, dates ----------------------------------------------------------------------------


def township_of(draft: Draft) -> Integers:
    """The township of each row, as a number of the place."""
    people, firms, projects = draft.place.people, draft.place.employers, draft.place.projects
    if draft.contract.subject == "person":
        return people.township[draft.rows]
    return projects.township[draft.rows] if draft.contract.subject == "project" else firms.township[draft.rows]


@lru_cache(maxsize=4)
def _ways_to_write(period: str, plan: _Identified[Plan]) -> dict[str, tuple[str, ...]]:
    ways: dict[str, list[str]] = {}
    for way in spellings(plan.thing, month(period).ends, ("township", "zone", "county")):
        if not way.text.isdigit():
            ways.setdefault(way.organisation, []).append(way.text)
    return {code: tuple(dict.fromkeys(texts)) for code, texts in ways.items()}


def ways_to_write(place: Place) -> dict[str, tuple[str, ...]]:
    """Every unambiguous spelling of each township, by its code."""
    return _ways_to_write(place.period, _Identified(place.plan))


def _townships(draft: Draft) -> None:
    """35: another of the township's spellings; or one that nobody knows, which the address may still tell."""
    if "township" not in draft.columns:
        return
    which, ways = township_of(draft), ways_to_write(draft.place)
    unknown = draft.pick(35, "township", "unknown")
    draft.rewrite(35, "township", unknown, lambda _, by: _one_of(words()["unknown_townships"], by))
    if "address" in draft.columns:
        draft.touched["address"][unknown] = True
        draft.end(FIXED, unknown, "by_address")
    else:
        draft.unassign(unknown)
    where = draft.pick(35, "township")
    drawn = draft.drawn(35, "township", where)
    codes = [draft.place.townships[township].code for township in which[where].tolist()]
    draft.put("township", where, [_one_of(ways[code], float(by)) for code, by in zip(codes, drawn, strict=True)])
    draft.end(FIXED, where)


def _one_of(texts: Iterable[str], drawn: float) -> str:
    pool = tuple(texts)
    return pool[int(drawn * len(pool))]


def _codes(draft: Draft) -> None:
    """37: a code in another of the contract's spellings; or in one that it does not know."""
    for column, stated in draft.contract.columns.items():
        if stated.type != "code" or column not in draft.columns:
            continue
        meant = {text: code for code, texts in stated.codes.items() for text in (code, *texts)}
        filled = pc.fill_null(pc.not_equal(draft.columns[column], ""), False).to_numpy(zero_copy_only=False)
        if stated.fault_quarantines:
            unknown = draft.pick(37, column, "unknown", among=filled & ~draft.carries(28))
            draft.rewrite(37, column, unknown, lambda _, by: _one_of(words()["unknown_codes"], by))
            draft.end(QUARANTINED, unknown, f"{column}_unknown")
        where = draft.pick(37, column, among=filled)
        draft.rewrite(37, column, where, lambda text, by, m=meant, s=stated: (  # type: ignore[misc]
            _one_of(s.codes[m[text]], by) if text in m else text))
        draft.end(FIXED, where)


def impossible_dates(draft: Draft) -> None:
    """31: dates no calendar has, in the files of departments that keep them by hand."""
    for column in draft.contract.of_type("date"):
        if column not in draft.columns:
            continue
        stated = draft.contract.columns[column]
        filled = draft.columns[column].is_valid().to_numpy(zero_copy_only=False)
        where = draft.pick(31, column, "impossible", among=filled & ~draft.carries(28))
        draft.rewrite(31, column, where, lambda text, by: f"{text[:4]}0230" if by < 0.5 else f"{text[2:4]}-{text[5:7].lstrip('0')}")
        if stated.fault_quarantines:
            draft.end(QUARANTINED, where, f"{column}_unreadable")
        else:
            draft.end(FIXED, where, f"{column}_emptied")


def _telephones(draft: Draft) -> None:
    """38: no number at all, or the village clerk's for everybody."""
    if "phone" not in draft.columns:
        return
    wrong = draft.pick(38, "phone")
    draft.rewrite(38, "phone", wrong, lambda _, by: _one_of(words()["wrong_phones"], by))
    shared = draft.pick(38, "phone", "shared")
    draft.rewrite(38, "phone", shared, lambda _, by: f"139087700{int(by * 5):02d}")


def _credit_codes(draft: Draft) -> None:
    """40: O for 0 is mended by the check character; an old registration number is not."""
    for column in draft.contract.of_type("uscc"):
        if column not in draft.columns:
            continue
        stated = draft.contract.columns[column]
        filled = draft.columns[column].is_valid().to_numpy(zero_copy_only=False)
        share = draft.chance.settings.rate(40, "old_number")
        old = draft.pick(40, column, "old_number", among=filled & ~draft.carries(28), rate=min(share, _tolerated(draft, column)))
        draft.rewrite(40, column, old, defect_numbers.old_registration)
        if stated.fault_quarantines:
            draft.end(QUARANTINED, old, f"{column}_old_number")
        else:
            draft.end(FIXED, old, f"{column}_emptied")
        where = draft.pick(40, column, among=filled)
        draft.rewrite(40, column, where, defect_numbers.o_for_zero)
        draft.end(FIXED, where)


def _tolerated(draft: Draft, column: str) -> float:
    """As many old numbers as leave a file above the share of readable codes for which it would be returned."""
    identity = draft.contract.identity
    bounds = [expectation.at_least for expectation in draft.contract.expectations
              if expectation.column == column and expectation.kind == "validity" and expectation.severity == "return"]
    if identity is not None and identity.column == column and identity.return_below is not None:
        bounds.append(identity.return_below)
    return (1 - max(bounds)) / 2 if bounds else 1.0


def _injections(draft: Draft) -> None:
    """46: a cell that a spreadsheet would take for a formula. It is text, and stays text on the way out."""
    for column in draft.contract.of_type("text"):
        if column in draft.columns and column not in ("household_no", "certificate_no", "permit_no", "phone", "address"):
            draft.rewrite(46, column, draft.pick(46, column), lambda _, by: _one_of(words()["injections"], by))
            return


# --- rows that stand twice ------------------------------------------------------------------------------


def put_repeated_rows(draft: Draft) -> None:
    """32, 33: rows that stand twice, further down: exactly, or in another township."""
    if draft.by_household:
        return
    sound = (draft.outcome < QUARANTINED) & ~draft.carries(28)
    again = np.flatnonzero(sound & draft.chance.rows(32, draft.rows))
    elsewhere = np.empty(0, dtype=np.int64)
    if draft.is_about_persons and "township" in draft.columns:
        moved = sound & draft.chance.rows(33, draft.rows)
        moved[again] = False
        elsewhere = np.flatnonzero(moved)
    count, copies = len(draft), np.concatenate([again, elsewhere])
    if not len(copies):
        return
    draft.mark(33, elsewhere)
    place_in_file = np.concatenate([np.arange(count), copies + 0.5 + draft.chance.values(32, draft.rows[copies], "far") * 40])
    draft.arrange(np.concatenate([np.arange(count), copies]))
    _move(draft, count + len(again) + np.arange(len(elsewhere)))
    draft.mark(32, count + np.arange(len(again)))
    draft.outcome[count:] = DUPLICATE
    draft.reason[count:] = 0
    draft.arrange(np.argsort(place_in_file, kind="stable"))


def _move(draft: Draft, where: Integers) -> None:
    """These rows stand in the next township."""
    townships, ways = draft.place.townships, ways_to_write(draft.place)
    others = (township_of(draft)[where] + 1) % len(townships)
    draft.put("township", where, [ways[townships[other].code][0] for other in others.tolist()])


# --- columns as a whole ---------------------------------------------------------------------------------


def addresses_for_townships(draft: Draft) -> None:
    """36: the township column holds addresses; some name no township."""
    place, which = draft.place, township_of(draft)
    full = np.array([place.plan.region.name + org.name for org in place.townships], dtype="U60")
    house = np.char.add((draft.unit % 300 + 1).astype("U4"), "号")
    texts: Strings = np.char.add(full[which], house)
    unreadable = draft.chance.rows(36, draft.unit, "unreadable")
    texts = np.where(unreadable, np.char.add("环城路", house), texts)
    draft.columns["township"] = pa.array(texts.tolist(), pa.string())
    draft.touched["township"][:] = True
    everywhere = np.arange(len(draft))
    draft.mark(36, everywhere)
    draft.end(FIXED, everywhere)
    if "address" not in draft.columns:
        draft.unassign(np.flatnonzero(unreadable))


AMOUNT_FORMS: tuple[Callable[[float], str], ...] = (
    lambda yuan: f"{yuan:g}元", lambda yuan: f"{yuan / 10_000:.4f}万", lambda yuan: f"¥{yuan:,.2f}",
)
"""39: how amounts are written where they are not plain numbers."""


def amounts_with_units(draft: Draft, form: Callable[[float], str]) -> None:
    """39: every amount of the file, with its unit."""
    for column in draft.contract.of_type("amount"):
        if column in draft.columns and not draft.touched[column].any():
            texts = [None if yuan is None else form(yuan) for yuan in draft.columns[column].to_pylist()]
            draft.columns[column] = pa.array(texts, pa.string())
            everywhere = np.arange(len(draft))
            draft.mark(39, everywhere)
            draft.end(FIXED, everywhere)


FORMULA = "\x00formula"
"""Stands for a formula whose value was never saved; only a workbook can hold one."""


def failed_formulas(draft: Draft, *, may_hold_formulas: bool) -> None:
    """44: #N/A where a name was looked up in vain, or a formula that a program wrote without working it out."""
    where = draft.pick(44, "name", "cells", among=~draft.carries(28))
    unsaved = (draft.drawn(44, "name", where) < 0.5) & may_hold_formulas
    draft.put("name", where, [FORMULA if is_unsaved else "#N/A" for is_unsaved in unsaved])
    draft.end(QUARANTINED, where, "name_unreadable")
