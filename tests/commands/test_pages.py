"""What a page shows on a terminal and what it becomes in a pipe: nothing is cut off, nothing is taken for markup."""

from __future__ import annotations

import io
from typing import Any

import pytest

from canbao.pages import as_text, page, table, write

LONG = "城乡居民基本养老保险转企业职工基本养老保险人数"
ROWS = [(LONG, "凤麓街道办事处", 17900, f"待核实：[bold]{LONG}[/bold] :smile:"), ("短", "九村", None, "")]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def _letters(text: str) -> str:
    return "".join(text.split())


def test_in_a_pipe_a_row_is_one_line_however_long_it_is() -> None:
    header, rule, first, second = as_text(table(ROWS, header=("指标", "单位", "目标", "说明"), numbers=(2,))).splitlines()
    assert header.split() == ["指标", "单位", "目标", "说明"]
    assert set(rule.strip()) == {"─"}
    assert first.split() == [LONG, "凤麓街道办事处", "17,900", f"待核实：[bold]{LONG}[/bold]", ":smile:"]
    assert second.split() == ["短", "九村", "–"]


def test_numbers_end_in_one_column_and_chinese_letters_count_as_two() -> None:
    first, second = as_text(table([("未参保", 50), ("abc", 1476)], numbers=(1,))).splitlines()
    assert first == "  未参保     50"
    assert second == "  abc     1,476"


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_a_table_is_as_wide_as_that_and_keeps_every_letter(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    write(table([(LONG, "凤麓", 17900)]), shown)
    lines = shown.getvalue().splitlines()
    wide = [sum(2 if ord(letter) > 0x2E7F else 1 for letter in line.rstrip()) for line in lines]
    assert max(wide) <= columns
    assert sorted(_letters("".join(lines))) == sorted(LONG + "凤麓17,900")
    assert "…" not in shown.getvalue()


def test_a_line_is_never_wrapped_for_there_are_commands_to_copy_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    command = "canbao excuse chengjiang-2021 --before 2021-06-01 --by 办公室 --reason [补录]"
    for stream in (Terminal(), io.StringIO()):
        write(page("下一步：", command), stream)
        assert stream.getvalue().splitlines() == ["下一步：", command]


@pytest.mark.parametrize("nothing", [table([]), page()])
def test_nothing_shows_nothing(nothing: Any) -> None:
    assert as_text(nothing).strip() == ""
