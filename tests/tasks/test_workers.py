"""Heavy work on files is done in processes where it is worth starting them, and in place where it is not."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children

import pytest

from models.machine import PROCESSES
from tasks import workers
from tests import patience

WORTH_TWO = 2 * workers.WORTH_A_PROCESS


@pytest.fixture(autouse=True)
def room_for_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES, "3")


def test_many_rows_are_written_in_other_processes() -> None:
    with workers.processes_for(WORTH_TWO):
        assert workers.submit(os.getpid).result() != os.getpid()
    assert workers.submit(os.getpid).result() == os.getpid()


def test_few_rows_are_written_in_place() -> None:
    with workers.processes_for(WORTH_TWO - 1):
        assert workers.submit(os.getpid).result() == os.getpid()


def test_where_only_one_process_has_room_nothing_is_written_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROCESSES, "1")
    with workers.processes_for(100 * WORTH_TWO):
        assert workers.submit(os.getpid).result() == os.getpid()


@pytest.mark.parametrize(("rows", "begun"), [(WORTH_TWO, 2), (100 * WORTH_TWO, 3)])
def test_as_many_processes_begin_as_the_rows_are_worth_and_the_machine_bears(
    rows: int, begun: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts: list[int] = []

    class Noted(ProcessPoolExecutor):
        def __init__(self, max_workers: int, *args: object, **named: object) -> None:
            counts.append(max_workers)
            super().__init__(max_workers, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "ProcessPoolExecutor", Noted)
    with workers.processes_for(rows):
        pass
    assert counts == [begun]


def test_processes_that_are_open_already_are_used_and_left_open() -> None:
    with workers.processes():
        with workers.processes_for(WORTH_TWO):
            first = workers.submit(os.getpid).result()
        assert workers.submit(os.getpid).result() != os.getpid()
    assert first != os.getpid()


def test_an_error_of_the_work_reaches_whoever_waits_for_it() -> None:
    with workers.processes_for(WORTH_TWO), pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result()
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result()


def test_a_process_that_never_ends_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(workers, "ENDS_WITHIN_SECONDS", 0.5)
    with workers.processes(count=1):
        assert workers.submit(os.getpid).result() != os.getpid()
        workers.submit(time.sleep, patience.HANGS_AFTER_SECONDS)
        patience.until(lambda: workers._pool is not None and workers._pool._pending_work_items, "the work is not begun")
    assert "did not end by itself" in caplog.text
    assert not active_children()
