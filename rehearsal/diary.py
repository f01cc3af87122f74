"""What a rehearsal tells while it plays: a line for every simulated day on which something happened, also in a log or pipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

WEEKDAYS = "一二三四五六日"
COUNTED = {
    "files": "收 {} 份", "returned": "退回 {} 份", "taken": "收 {} 份", "sent_back": "退回 {} 份", "claims": "核查结果 {} 条",
    "forms": "下发报表 {} 份", "sent": "催办 {} 次", "candidates": "督导建议 {} 条", "findings": "清单 {} 条", "rosters": "花名册 {} 份",
    "letters": "告知书 {} 份", "handbook": "手册 {} 份", "corrections": "更正 {} 份",
}
"""Counts of a flow's answer that are worth a word, in this order; nothing is said of zero."""


def told(result: object) -> str:
    """A flow's answer in a few words: its counts, and how many files it still waits for."""
    if not isinstance(result, Mapping):
        return ""
    counts = {key: value.get("new") if isinstance(value, Mapping) else value for key, value in result.items()}
    words = [form.format(f"{counts[key]:,}") for key, form in COUNTED.items()
             if isinstance(counts.get(key), int) and counts[key] and not isinstance(counts[key], bool)]
    if waiting := result.get("waiting_for"):
        words.append(f"还缺 {len(waiting)} 份")
    elif result.get("proposal"):
        words.append("已比对，提请下发")
    return "、".join(words)


class Diary:
    """Collects what happened on a day and prints it when the day is over; a bar below on a terminal."""

    def __init__(self, console: Console, name: str, events: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
        self._console = console
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task: TaskID = self._bar.add_task(name, total=events)
        self._day: date | None = None
        self._lines: list[str] = []
        self._counted: Counter[str] = Counter()

    def __enter__(self) -> Diary:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._end_day()
        self._bar.stop()

    def happened(self, day: date, what: str, result: object, done: int, total: int) -> None:
        """Something was done; with a flow's ``result``, or (None) something of the world that is only counted."""
        if day != self._day:
            self._end_day()
            self._day = day
        if result is None:
            self._counted[what] += 1
        elif words := told(result):
            self._lines.append(f"{what}：{words}")
        self._bar.update(self._task, completed=done, total=total, description=f"{day} {what}")

    def _end_day(self) -> None:
        parts = [f"{what} {count} 件" for what, count in self._counted.items()] + self._lines
        if self._day is not None and parts:
            self._console.print(f"{self._day} 周{WEEKDAYS[self._day.weekday()]}  {'；'.join(parts)}", highlight=False,
                                soft_wrap=True)
        self._lines, self._counted = [], Counter()
