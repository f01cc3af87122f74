"""The canary itself: a look-out that sees nobody would be worse than none."""

from __future__ import annotations

import pytest

from tests.canary import Canary


@pytest.fixture
def canary() -> Canary:
    return Canary({"53048119900101001X"}, {"张小明", "买买提·吐尔逊", "A张三"})


@pytest.mark.parametrize("text", [
    "53048119900101001X", '{"value": "x53048119900101001X,"}', "张小明", "户主张小明等", "name=买买提·吐尔逊;", "A张三"])
def test_it_sees_whoever_is_there(canary: Canary, text: str) -> None:
    assert canary.sees(text)
    assert canary.sees(text)


@pytest.mark.parametrize("text", ["", "chengjiang-2021 2021-04 数据比对", "530481199001010019", "张小", "买买提 吐尔逊", "张三"])
def test_it_sees_nobody_where_nobody_is(canary: Canary, text: str) -> None:
    assert not canary.sees(text)
    assert not canary.sees(text)


def test_what_it_has_passed_over_does_not_hide_anybody(canary: Canary) -> None:
    assert not canary.sees("小明去了；张 小明")
    assert canary.sees("小明去了；张小明")
