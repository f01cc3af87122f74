"""What leaves a task for Prefect names no person."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from prefect import Flow, Task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError

import flows
from models.errors import CanbaoError, FileReturned
from tasks.effect import effect

PERSON = "530422199001010015"


@effect("坏 bad")
def _quotes_a_key() -> None:
    raise ValueError(f"Key (id_number)=({PERSON}) already exists")


@effect("退 returned")
def _our_own() -> None:
    try:
        int(PERSON + "x")
    except ValueError:
        raise FileReturned("row 7 cannot be read.", where="a.xlsx", cure="Send it again.")  # noqa: B904 - the edge must cut it


def test_an_unforeseen_error_is_replaced_and_kept_privately(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))
    with pytest.raises(CanbaoError) as shown:
        _quotes_a_key.fn()
    assert PERSON not in str(shown.value)
    assert "ValueError" in str(shown.value)
    assert shown.value.__suppress_context__
    log = tmp_path / "errors.log"
    assert PERSON in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_our_own_error_goes_on_as_it_is_without_its_cause() -> None:
    with pytest.raises(FileReturned) as shown:
        _our_own.fn()
    assert "row 7" in str(shown.value)
    assert shown.value.__suppress_context__


def test_a_flow_gets_a_prefect_task_of_the_same_guarded_work_made_once() -> None:
    made = _quotes_a_key.task
    assert isinstance(made, Task)
    assert (made.name, made.fn, made.cache_policy) == ("坏 bad", _quotes_a_key.fn, NO_CACHE)
    assert _quotes_a_key.task is made


def test_every_flow_is_guarded_as_every_task_is() -> None:
    modules = [import_module(f"flows.{found.name}") for found in pkgutil.iter_modules(flows.__path__)]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Flow)}
    assert len(found) > 10
    assert [name for name, flow in found.items() if flow.fn.__code__.co_name != "guard"] == []
    # Prefect still knows the parameters and their types.
    given = {"campaign": "c", "period": "2021-05", "by": "岗", "reason": "口径调整", "chunks": ["lists"]}
    assert found["rerun-comparison"].validate_parameters(given)["chunks"][0].value == "lists"
    with pytest.raises(ParameterTypeError):
        found["rerun-comparison"].validate_parameters(given | {"period": "2021-13"})


def _nothing_below(floor: int) -> int | None:
    return 0 if floor < 10 else None


@effect("数 count", idle=_nothing_below)
def _counted(floor: int) -> int:
    return floor * 2


def test_an_effect_with_nothing_to_do_answers_without_a_task_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setitem(_counted.__dict__, "task", lambda floor: made.append(floor) or _counted.fn(floor))
    assert (_counted(9), _counted(10)) == (0, 20)
    assert made == [10]


def test_what_asks_whether_there_is_something_to_do_is_guarded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANBAO_HOME", str(tmp_path))

    def quotes_a_key() -> None:
        raise ValueError(f"Key (id_number)=({PERSON}) already exists")

    asked = effect("问 ask", idle=quotes_a_key)(_our_own.__wrapped__)  # type: ignore[attr-defined]
    with pytest.raises(CanbaoError) as shown:
        asked()
    assert PERSON not in str(shown.value)
