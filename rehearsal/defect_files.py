"""How one delivery's file looks, with the faults of files (domain.md 1 to 15, 29 to 31, 36, 39, 42 to 45).

:func:`plan_of_file` draws what a department's export of a feed is like and what is wrong with this month's;
``defect_delivery`` writes it. What stops a delivery is followed by a right file, as it is in life: :meth:`FilePlan.mended`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from models.contract import Contract
from models.plan import Feed
from rehearsal import old_excel
from rehearsal.defect_chance import Chance
from rehearsal.feeds import XLSX_ROWS_AT_MOST

Form = Literal["csv", "xlsx", "xls", "html"]
DateForm = Literal["", "compact", "dots", "slashes", "chinese", "serial", "cells", "cells_1904"]
DATE_FORMS: tuple[DateForm, ...] = ("compact", "dots", "slashes", "chinese", "serial", "cells", "cells_1904")
PAGES_AT_MOST = 2
"""More than so many sheets of 60,000 rows no office keeps as a workbook."""


@dataclass(frozen=True)
class FilePlan:
    """How a file is written. What is blank, zero or false is as it should be; ``made`` are the numbers of its defects."""

    form: Form
    suffix: str
    encoding: str
    titles: int = 0
    numbered: bool = False
    two_lines: bool = False
    sheets: Literal["", "townships", "pages"] = ""
    hidden: Literal["", "sheet", "rows", "filter"] = ""
    headers: Literal["own", "synonyms", "codes"] = "own"
    unknown_header: bool = False
    total: Literal["", "right", "wrong"] = ""
    footer: bool = False
    count_in_name: Literal["", "right", "wrong"] = ""
    households: bool = False
    merged: bool = False
    numeric_ids: bool = False
    swapped: bool = False
    shifted: bool = False
    blanks: bool = False
    dates: DateForm = ""
    has_impossible_dates: bool = False
    amounts: int | None = None
    addresses: bool = False
    formulas: bool = False
    broken: Literal["", "password", "corrupt", "template"] = ""
    cut_share: float = 0.0
    made: frozenset[int] = frozenset()

    @property
    def returned_for(self) -> str:
        """The first fault for which the file comes back, or ``""``."""
        return next((reason for name, (_, reason, mended) in BLOCKING.items() if getattr(self, name) != mended
                     and not (name == "count_in_name" and self.count_in_name == "right")), "")

    def mended(self) -> FilePlan:
        """The same file put right, as it is sent after its return."""
        cured = {name: mended for name, (_, _, mended) in BLOCKING.items()}
        numbers = {number for number, _, _ in BLOCKING.values()} - ({9} if self.headers == "synonyms" else set())
        return replace(self, **cured, made=self.made - numbers)  # type: ignore[arg-type]


BLOCKING: dict[str, tuple[int, str, object]] = {
    "broken": (45, "unusable", ""), "unknown_header": (9, "unknown_header", False),
    "numeric_ids": (15, "lost_digits", False), "swapped": (29, "swapped_name_and_id", False),
    "shifted": (30, "shifted_columns", False), "blanks": (23, "blank_key", False),
    "count_in_name": (12, "file_name_count", ""), "cut_share": (43, "shrink", 0.0),
}
"""Fields of a plan for which a file is returned: defect, reason, and what is right. Graver ones first."""


def plan_of_file(
    chance: Chance, feed: Feed, contract: Contract, provider: str, period: str, rows: int, columns: set[str], *,
    has_previous: bool,
) -> FilePlan:
    """What this delivery's file is like. ``rows`` decides what a workbook can hold; a first snapshot cannot shrink."""
    shape = contract.made_up
    assert shape is not None
    habit, sent = (provider,), (provider, period)
    made = {number for number, is_made in _drawn(chance, feed, contract, columns, rows, habit, sent, has_previous) if is_made}
    form, suffix = _form(chance, made, shape.form, rows, habit)
    encoding = _encoding(chance, shape.encoding, habit)
    made = {number for number in made if _fits(number, form)}
    is_sheet = form != "csv"
    titles = 0
    if is_sheet:
        titles = (1 + int(chance.draw(5, *habit, part="lines") * 6) if 5 in made else 0) if chance.applies(5) else shape.titles
    has_foot = is_sheet and shape.footer
    plan = FilePlan(
        form, suffix, encoding, titles=titles, numbered=is_sheet and shape.numbered, two_lines=6 in made,
        sheets=_sheets(made, form, rows, columns), hidden=_hidden(chance, made, sent),
        headers="codes" if 3 in made else "synonyms" if 9 in made else "own",
        unknown_header=chance.has(9, *sent, part="unknown"),
        total=_total(chance, 10 in made if chance.applies(10) else has_foot, sent),
        footer=11 in made if chance.applies(11) else has_foot,
        count_in_name="wrong" if 12 in made else "right" if chance.has(12, *sent, part="stated") else "",
        households=13 in made, merged=14 in made and 13 not in made, numeric_ids=15 in made, swapped=29 in made,
        shifted=30 in made, blanks=23 in made, dates=_dates(chance, made, form, habit), has_impossible_dates=31 in made,
        amounts=int(chance.draw(39, *habit, part="form") * 3) if 39 in made else None, addresses=36 in made,
        formulas=44 in made, broken=_broken(chance, made, sent),
        cut_share=0.08 + 0.3 * chance.draw(43, *sent, part="share") if 43 in made else 0.0,
    )
    return replace(plan, made=frozenset(_made(plan, made)) & chance.settings.numbers)


def _drawn(
    chance: Chance, feed: Feed, contract: Contract, columns: set[str], rows: int, habit: tuple[str, ...],
    sent: tuple[str, ...], has_previous: bool,
) -> Iterator[tuple[int, bool]]:
    """Each defect of files, and whether chance has it in this file as far as the feed can have it."""
    can_have = {
        7: "township" in columns or rows > XLSX_ROWS_AT_MOST, 14: "township" in columns, 15: "id_number" in columns,
        23: _returns_on_a_blank(contract) and rows > 0, 29: {"id_number", "name"} <= columns and rows > 0,
        30: rows >= 20, 31: any(name in columns for name in contract.of_type("date")),
        36: "township" in columns and contract.feed != "statistics", 39: any(n in columns for n in contract.of_type("amount")),
        43: has_previous and feed.snapshot == "full" and rows >= 20, 44: {"id_number", "name"} <= columns,
    }
    for number in (3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 31, 36, 39):
        yield number, can_have.get(number, True) and chance.has(number, *habit)
    for number in (8, 12, 15, 29, 30, 43, 44, 45):
        yield number, can_have.get(number, True) and chance.has(number, *sent)
    yield 23, can_have[23] and chance.has(23, *sent, part="full_register")


def _returns_on_a_blank(contract: Contract) -> bool:
    fault = contract.faults.get("blank_key")
    return fault is not None and fault.severity == "return"


def _form(chance: Chance, made: set[int], usual: Form, rows: int, habit: tuple[str, ...]) -> tuple[Form, str]:
    """The form and what the file's name ends with (1, 4); 7 is what puts a long register into a workbook."""
    form: Form = usual
    if chance.applies(1):
        settings, drawn = chance.settings, chance.draw(1, *habit)
        xlsx, xls = settings.rate(1, "xlsx"), settings.rate(1, "xls")
        form = "xlsx" if drawn < xlsx else "xls" if drawn < xlsx + xls else "csv"
    if 4 in made:
        drawn, html, csv = chance.draw(4, *habit, part="form"), chance.settings.rate(4, "html"), chance.settings.rate(4, "csv")
        form = "html" if drawn < html else "csv" if drawn < html + csv else "xlsx"
    if rows > XLSX_ROWS_AT_MOST * (PAGES_AT_MOST if 7 in made and form == "xlsx" else 1):
        form = "csv"
    if form == "xls" and rows > old_excel.ROWS_AT_MOST:
        form = "xlsx"
    return form, "xls" if 4 in made or form == "html" else form


def _encoding(chance: Chance, own: str, habit: tuple[str, ...]) -> str:
    if not chance.applies(2):
        return own
    drawn, settings = chance.draw(2, *habit), chance.settings
    gb18030 = settings.rate(2, "gb18030")
    return "gb18030" if drawn < gb18030 else "utf-8-sig" if drawn < gb18030 + settings.rate(2, "utf8_marked") else "utf-8"


_ONLY_IN = {5: ("xlsx", "xls", "html"), 6: ("xlsx", "xls"), 7: ("xlsx", "xls"), 8: ("xlsx",), 10: ("xlsx", "xls", "html"),
            11: ("xlsx", "xls", "html"), 14: ("xlsx",), 15: ("xlsx", "xls", "csv"), 3: ("csv",)}
"""Forms in which a defect of files can stand; the others can stand in all."""


def _fits(number: int, form: Form) -> bool:
    return form in _ONLY_IN.get(number, (form,))


def _sheets(made: set[int], form: Form, rows: int, columns: set[str]) -> Literal["", "townships", "pages"]:
    if 7 not in made or 13 in made:
        return ""
    if rows > XLSX_ROWS_AT_MOST:
        return "pages"
    return "townships" if "township" in columns else ""


def _hidden(chance: Chance, made: set[int], sent: tuple[str, ...]) -> Literal["", "sheet", "rows", "filter"]:
    kinds: tuple[Literal["sheet", "rows", "filter"], ...] = ("sheet", "rows", "filter")
    return kinds[int(chance.draw(8, *sent, part="kind") * 3)] if 8 in made else ""


def _total(chance: Chance, has_total: bool, sent: tuple[str, ...]) -> Literal["", "right", "wrong"]:
    if not has_total:
        return ""
    return "wrong" if chance.has(10, *sent, part="wrong") else "right"


def _dates(chance: Chance, made: set[int], form: Form, habit: tuple[str, ...]) -> DateForm:
    if 31 not in made:
        return ""
    forms = DATE_FORMS if form == "xlsx" else DATE_FORMS[:5]
    return forms[int(chance.draw(31, *habit, part="form") * len(forms))]


def _broken(chance: Chance, made: set[int], sent: tuple[str, ...]) -> Literal["", "password", "corrupt", "template"]:
    if 45 not in made:
        return ""
    drawn, password = chance.draw(45, *sent, part="kind"), chance.settings.rate(45, "password")
    return "password" if drawn < password else "corrupt" if drawn < password + chance.settings.rate(45, "corrupt") else "template"


def _made(plan: FilePlan, drawn: set[int]) -> Iterator[int]:
    """The defects that the file really carries, after what its form leaves no room for."""
    carried = {
        1: True, 2: plan.form == "csv", 3: plan.headers == "codes", 4: plan.form == "html" or (plan.suffix == "xls" and plan.form != "xls"),
        5: plan.titles > 0, 6: plan.two_lines, 7: bool(plan.sheets), 8: bool(plan.hidden), 9: plan.headers == "synonyms",
        10: bool(plan.total), 11: plan.footer, 12: bool(plan.count_in_name), 13: plan.households, 14: plan.merged,
        15: plan.numeric_ids, 23: plan.blanks, 29: plan.swapped, 30: plan.shifted, 31: bool(plan.dates),
        36: plan.addresses, 39: plan.amounts is not None, 43: plan.cut_share > 0, 44: plan.formulas, 45: bool(plan.broken),
    }
    yield from (number for number, is_carried in carried.items() if is_carried)
    if plan.unknown_header and 9 not in drawn:
        yield 9
