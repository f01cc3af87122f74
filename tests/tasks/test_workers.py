"""Heavy work on files is done in processes where it is worth starting them, and in place where it is not."""

from __future__ import annotations

import os

import pytest

from tasks import workers


def test_many_rows_are_written_in_other_processes() -> None:
    with workers.processes_for(workers.WORTH_PROCESSES):
        assert workers.submit(os.getpid).result() != os.getpid()
    assert workers.submit(os.getpid).result() == os.getpid()


def test_few_rows_are_written_in_place() -> None:
    with workers.processes_for(workers.WORTH_PROCESSES - 1):
        assert workers.submit(os.getpid).result() == os.getpid()


def test_processes_that_are_open_already_are_used_and_left_open() -> None:
    with workers.processes():
        with workers.processes_for(workers.WORTH_PROCESSES):
            first = workers.submit(os.getpid).result()
        assert workers.submit(os.getpid).result() != os.getpid()
    assert first != os.getpid()


def test_an_error_of_the_work_reaches_whoever_waits_for_it() -> None:
    with workers.processes_for(workers.WORTH_PROCESSES), pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result()
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result()
