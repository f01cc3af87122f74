"""Of a file's name is told what plan and contracts know, dates and counts; a person's name or number never."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.told import told_name

SECRET = b"a secret of this home"
WORDS = frozenset({"公安局", "户籍人口信息", "人口", "更正", "右所", "fenglu"})
LETTERS = "王小明张欧阳娜李zhangsan阿依古丽买买提"


def told(name: str) -> str:
    return told_name(name, WORDS, SECRET)


@pytest.mark.parametrize("name", [
    "公安局_户籍人口信息_2021-05.xlsx", "人口_右所_更正.csv", "公安局_人口_20210501-20210531.txt", "人口 共1234条.xls", "人口（第二批）.xlsx",
    "人口2021年5月(1).xlsx", "fenglu_2021-05-01.json", "人口截至2021年5月31日.et",
])
def test_what_everybody_knows_is_told_as_it_stands(name: str) -> None:
    assert told(name) == name


@pytest.mark.parametrize("hidden", [
    "王小明", "张三的身份证", "zhangsan", "530422198506070011", "53042219850607001X", "530422 19850607 0011", "530422-1985-06-07-0011",
    "13812345678", "138-1234-5678", "138 1234 5678", "６２２８４８００１２３４５６７８", "阿依古丽·买买提", "ZhangSan", "王fenglu明", "小明右所王",
])
@pytest.mark.parametrize("around", ["{}.xlsx", "公安局_{}_2021-05.csv", "人口{}更正.xls", "{}", "人口.{}", "2021{}05.xlsx", "人口({}).xlsx"])
def test_a_person_is_not(hidden: str, around: str) -> None:
    shown = re.sub("…[0-9a-f]{6}", "…", told(around.format(hidden)))
    assert hidden not in shown
    assert not set("王明张三娜阿依古丽买提ghnsZSX") & set(shown.removesuffix("xlsx").removesuffix("csv").removesuffix("xls").replace("fenglu", ""))
    assert not re.search(r"\d{5}", shown.replace("2021", ""))


@given(st.text("王小明张三zhang", min_size=2, max_size=12), st.text("王小明张三zhang", min_size=2, max_size=12))
def test_two_names_stay_two_and_one_stays_one(one: str, other: str) -> None:
    assert (told(f"人口_{one}.csv") == told(f"人口_{other}.csv")) == (one == other)
    assert told(f"人口_{one}.csv") != told_name(f"人口_{one}.csv", WORDS, b"another home")


@given(st.text())
def test_any_name_can_be_told_and_is_told_the_same_again(name: str) -> None:
    assert told(name) == told(name)
