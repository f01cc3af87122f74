"""Processes for heavy work that touches nothing but files, such as writing a roster of thousands of rows.

A flow that runs for long opens them once, and so does whoever has very many rows to write; where none are open the work is
done in place, because starting a process costs more than one file. What runs there gets everything as arguments and hands
back plain values.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from typing import ParamSpec, TypeVar

from models.garbage import spare_what_stays
from models.machine import machine
from models.private import keep_private
from models.stacks import answer_where

WORTH_A_PROCESS = 10_000
"""Rows of workbooks that take longer to write (a quarter of a millisecond each) than a process takes to start."""
ENDS_WITHIN_SECONDS = 20.0
"""What a process needs at most to finish what it is at."""
logger = logging.getLogger(__name__)
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_pool: ProcessPoolExecutor | None = None


@contextmanager
def processes(*warm_up: str, count: int | None = None) -> Iterator[None]:
    """Keeps the processes for the duration, ``count`` of them or as many as the machine bears; ``warm_up`` names modules that
    are imported once for all of them at once, in the process from which they are forked."""
    global _pool
    if _pool is not None:
        yield
        return
    count = count or machine().processes
    context = get_context("forkserver")
    context.set_forkserver_preload(list(warm_up))
    _pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(dict(os.environ), warm_up))
    # A pool starts its processes only when there is work, and whoever hands the first work over waits for the server to have
    # imported: not the caller.
    starting = threading.Thread(target=_start, args=(_pool, count), daemon=True)
    starting.start()
    try:
        yield
    finally:
        starting.join()
        _pool.shutdown(wait=False, cancel_futures=True)
        _pool = None
        _end_left()


def processes_for(rows: int, *warm_up: str) -> AbstractContextManager[None]:
    """As many processes for the duration as so many rows of workbooks are worth and the machine bears; one alone would not
    be done sooner than this one."""
    count = min(rows // WORTH_A_PROCESS, machine().processes)
    return processes(*warm_up, count=count) if count > 1 else nullcontext()


def submit(work: Callable[_Given, _Result], /, *args: _Given.args, **named: _Given.kwargs) -> Future[_Result]:
    """Does the work in a process if there are any, else here and now; the future gives its result or its error."""
    if _pool is not None:
        return _pool.submit(work, *args, **named)
    done: Future[_Result] = Future()
    try:
        done.set_result(work(*args, **named))
    except Exception as error:
        done.set_exception(error)
    return done


def _start(pool: ProcessPoolExecutor, count: int) -> None:
    for _ in range(count):
        pool.submit(time.sleep, 0.05)


def _end_left() -> None:
    """Waits for the processes to end by themselves and kills what does not: whoever asked for them would wait for it for ever
    when it ends itself."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    for process in active_children():
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            logger.warning("A worker process (%s) did not end by itself and was killed.", process.pid)
            process.kill()
            process.join()


def _begin(environment: dict[str, str], warm_up: tuple[str, ...]) -> None:
    """Takes over the settings of whoever asked for this process, which may be others than when the server it is forked from
    began; and ends when that one is gone: a killed flow leaves nobody behind."""
    keep_private()
    answer_where()
    os.environ.clear()
    os.environ.update(environment)

    def watch() -> None:
        # The server it is forked from lives as long as one of its processes: what has to be watched is who asked for them.
        parent = parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    for module in warm_up:
        import_module(module)
    spare_what_stays()
