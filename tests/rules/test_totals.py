"""What 合计 and 小计 rows state, against what they may stand for."""

from __future__ import annotations

from typing import Any, Literal

from rules.totals import Mark, Total, stated_rows, totals


def a_mark(kind: Literal["total", "subtotal"], rows: int | None, paid: float | None = None, **scopes: tuple[int, float]) -> Mark:
    """A mark that states rows and a sum; each scope as (rows, sum)."""
    found: dict[str, Any] = {name: {"rows": 0, "lines": 0, "paid": 0} for name in ("sheet", "file", "above", "below")}
    for name, (count, amount) in scopes.items():
        found[name] = {"rows": count, "lines": count, "paid": amount}
    return Mark(kind, {"rows": rows, "paid": paid}, **found)


def test_a_total_may_stand_for_its_sheet_or_for_the_file() -> None:
    of_sheet = a_mark("total", 10, sheet=(10, 0), file=(30, 0))
    of_file = a_mark("total", 30, sheet=(10, 0), file=(30, 0))
    assert totals([of_sheet, of_file]) == (Total("total", None, 10, 10), Total("total", None, 30, 30))


def test_a_total_may_count_households_or_persons() -> None:
    mark = Mark("total", {"rows": 2}, *({"rows": 7, "lines": 2},) * 4)
    assert totals([mark]) == (Total("total", None, 2, 2),)


def test_subtotals_stand_below_their_rows_or_above_them_but_all_alike() -> None:
    below_their_rows = [a_mark("subtotal", 3, above=(3, 0), below=(4, 0)), a_mark("subtotal", 4, above=(4, 0))]
    above_their_rows = [a_mark("subtotal", 3, below=(3, 0)), a_mark("subtotal", 4, above=(3, 0), below=(4, 0))]
    assert all(total.within(0) for total in (*totals(below_their_rows), *totals(above_their_rows)))
    mixed = [a_mark("subtotal", 3, above=(3, 0), below=(9, 0)), a_mark("subtotal", 5, above=(9, 0), below=(5, 0))]
    assert [total.within(0) for total in totals(mixed)].count(False) == 1


def test_sums_are_compared_with_a_tolerance_of_what_is_stated() -> None:
    total = totals([a_mark("total", None, 1000.0, file=(5, 999.5), sheet=(5, 999.5))])[0]
    assert total == Total("total", "paid", 1000.0, 999.5)
    assert total.within(0.001)
    assert not total.within(0.0001)
    assert total.within(0, 1)


def test_the_largest_total_is_what_the_file_says_it_has() -> None:
    assert stated_rows([a_mark("total", 10), a_mark("total", 30), a_mark("subtotal", 99)]) == 30
    assert stated_rows([a_mark("subtotal", 3), a_mark("subtotal", 4)]) == 7
    assert stated_rows([a_mark("total", None)]) is None
    assert stated_rows([]) is None
