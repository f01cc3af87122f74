"""The edge of every task: what leaves it for Prefect names no person, whatever went wrong inside.

Our own errors are written to be shown. Any other one (a database's message quotes keys, a parser's quotes cells) stays
in a private log under CANBAO_HOME, and its kind and number go on.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, get_type_hints
from uuid import uuid4

from models.database import home
from models.errors import CanbaoError

if TYPE_CHECKING:
    from prefect import Task

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Effect(Generic[_Given, _Result]):
    """One effect: a Prefect task where a flow calls it, and ``fn``, the guarded work alone, wherever there is no flow.

    The task is made when it is first needed: importing Prefect costs more than most commands do. What ``idle`` answers, if
    anything, is the answer of an effect that has nothing to do: a flow that calls it then makes no task run, so that what stands
    in Prefect's history did something.
    """

    def __init__(self, work: Callable[_Given, _Result], name: str, run_name: str | None,
                 idle: Callable[..., _Result | None] | None) -> None:
        functools.update_wrapper(self, work)
        self.fn = _guard(work)
        self.name, self.run_name = name, run_name
        self._idle = None if idle is None else _guard(idle)

    @functools.cached_property
    def task(self) -> Task[_Given, _Result]:
        """The Prefect task. Prefect is not asked whether it has a result: what is done the record knows."""
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        return task(name=self.name, task_run_name=self.run_name, cache_policy=NO_CACHE)(self.fn)

    def __call__(self, *args: _Given.args, **named: _Given.kwargs) -> _Result:
        if self._idle is not None and (nothing := self._idle(*args, **named)) is not None:
            return nothing
        return self.task(*args, **named)


def effect(
    name: str, run_name: str | None = None, idle: Callable[..., Any] | None = None,
) -> Callable[[Callable[_Given, _Result]], Effect[_Given, _Result]]:
    """An effect of this name whose unforeseen errors are replaced by one that can be shown.

    ``run_name`` says what its runs are called, with parameters in braces. ``idle`` gets what the effect gets, only reads, and
    answers for it where there is nothing to do; None has it run.
    """

    def wrap(work: Callable[_Given, _Result]) -> Effect[_Given, _Result]:
        return Effect(work, name, run_name, idle)

    return wrap


def guarded(flow: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """The same for a flow's body: Prefect shows, and keeps, whatever ended it."""
    guard = _guard(flow)
    # Prefect checks parameters by their types, and would look for their names in this module.
    guard.__annotations__ = get_type_hints(flow, include_extras=True)
    guard.__signature__ = signature(flow, eval_str=True)  # type: ignore[attr-defined]
    return guard


def _guard(work: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    @functools.wraps(work)
    def guard(*args: _Given.args, **named: _Given.kwargs) -> _Result:
        try:
            return work(*args, **named)
        except CanbaoError as error:
            raise error from None
        except Exception as error:
            raise CanbaoError(
                f"{type(error).__name__} (number {_kept(error)}).", where=work.__name__,
                cure="The details are in errors.log under CANBAO_HOME; nothing of this step was recorded.") from None

    return guard


def _kept(error: Exception) -> str:
    """Writes an error with its traceback into the private log; returns its number there."""
    number = uuid4().hex[:8]
    log = home() / "errors.log"
    log.touch(mode=0o600)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"--- {number}\n{''.join(traceback.format_exception(error))}\n")
    return number
