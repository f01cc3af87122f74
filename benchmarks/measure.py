"""Ours beside a floor, in turn and several times: on a shared machine only the ratio of neighbours means anything."""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.machine import processors


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table: the median over the rounds, its bar (None: none was set), and the least and greatest seen."""

    name: str
    unit: str
    value: float
    bar: float | None
    least: float
    greatest: float
    ours_seconds: float | None = None
    floor_seconds: float | None = None

    @property
    def met(self) -> str:
        """Whether the bar is met: yes, no, or nothing where there is none."""
        return "" if self.bar is None else "yes" if self.value <= self.bar else "no"


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ratio(name: str, ours: Callable[[], object], floor: Callable[[], object], bar: float | None, rounds: int) -> Figure:
    """Ours over the floor: the median of the rounds, in each of which the two run one after the other."""
    ours(), floor()  # a warm-up that is not counted
    return of_pairs(name, [(seconds(ours), seconds(floor)) for _ in range(rounds)], bar)


def of_pairs(name: str, pairs: Sequence[tuple[float, float]], bar: float | None) -> Figure:
    """The figure of rounds already measured."""
    ratios = [own / least for own, least in pairs]
    own, least = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Figure(name, "×", statistics.median(ratios), bar, min(ratios), max(ratios), own, least)


@dataclass(frozen=True, slots=True)
class Cost:
    """What work took: by the clock, of the processor (all threads), and at most of memory."""

    seconds: float
    processor_seconds: float
    most_bytes: int


def _in_child(work: Callable[..., object], arguments: tuple[Any, ...], answer: Any) -> None:
    before = time.process_time()
    took = seconds(lambda: work(*arguments))
    answer.send(Cost(took, time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def alone(work: Callable[..., object], *arguments: object) -> tuple[float, int]:
    """(seconds, most bytes of memory) of work done in a process of its own; importing is not counted."""
    cost = cost_alone(work, *arguments)
    return cost.seconds, cost.most_bytes


def cost_alone(work: Callable[..., object], *arguments: object) -> Cost:
    """What work costs that is done in a process of its own; importing is not counted."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_in_child, args=(work, arguments, theirs))
    process.start()
    theirs.close()
    try:
        cost: Cost = ours.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{getattr(work, '__name__', work)} died with exit code {process.exitcode}") from None
    process.join()
    return cost


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table in Markdown, with how busy the machine was."""
    lines = ["| what | median | bar | met | least – greatest | ours | floor |", "|---|---:|---:|---|---:|---:|---:|"]
    for figure in figures:
        bar = "" if figure.bar is None else f"≤ {figure.bar:g} {figure.unit}"
        own, floor = (f"{value:.2f} s" if value is not None else "" for value in (figure.ours_seconds, figure.floor_seconds))
        lines.append(f"| {figure.name} | {figure.value:.2f} {figure.unit} | {bar} | {figure.met} | "
                     f"{figure.least:.2f} – {figure.greatest:.2f} | {own} | {floor} |")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join([*lines, "", f"{processors()} cores, load {load} at the end"])
