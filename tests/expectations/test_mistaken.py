"""Files that came to the wrong place say so in their names, titles and headers."""

from __future__ import annotations

import pytest

from expectations import mistaken
from models import contract, plan_file
from models.plan import Plan


@pytest.mark.parametrize(("text", "months"), [
    ("户籍人口信息_2021年5月", {"2021-05"}), ("户籍人口202105", {"2021-05"}), ("2021-05_人口", {"2021-05"}), ("2021.5期", {"2021-05"}),
    ("人口_20210602", set()), ("人口_2021-06-02", set()), ("填报日期：2021年6月2日", set()), ("截至2021年5月31日", {"2021-05"}),
    ("截至 20210531 数据", {"2021-05"}), ("2021年度", set()), ("统计年鉴2020", set()), ("第3批300人", set()), ("文号〔2021〕12号", set()),
    ("2021年4月、2021年5月", {"2021-04", "2021-05"}),
])
def test_a_month_is_told_from_a_day(text: str, months: set[str]) -> None:
    assert mistaken.stated_months([text]) == months


@pytest.mark.parametrize(("stated", "period", "fault"), [
    ({"2021-04"}, "2021-05", "2021-04"), ({"2021-05"}, "2021-05", None), (set(), "2021-05", None),
    ({"2021-04", "2021-05"}, "2021-05", None), ({"2021-04"}, "2021", None), ({"2021-04"}, "2021-H1", None),
])
def test_only_a_file_that_names_other_months_alone_is_doubted(stated: set[str], period: str, fault: str | None) -> None:
    assert mistaken.month_fault(stated, period) == fault


@pytest.mark.parametrize(("feed", "text", "other"), [
    ("employee_pension", "失业保险参保_2021年5月", "unemployment"), ("employee_pension", "企业职工养老保险", None),
    ("resident_pension", "养老待遇发放", "benefits"), ("resident_pension", "居民养老待遇发放", None), ("benefits", "城乡居民养老待遇发放", None),
    ("construction_projects", "工程建设项目工伤参保情况", None), ("work_injury", "工程建设项目工伤参保情况", None),
    ("population", "5月数据", None), ("deaths", "低保户死亡人员", None), ("students", "低保户残疾人", None),
])
def test_a_name_with_words_of_exactly_one_other_feed_belongs_there(feed: str, text: str, other: str | None) -> None:
    found = mistaken.other_feed([text], [], contract.for_feed(feed))
    assert (found.feed if found else None) == other


def test_words_that_tell_feeds_apart_belong_to_one_of_them() -> None:
    words = [word for entry in contract.all() for word in entry.known_as]
    assert len(words) == len(set(words))


def test_a_header_that_fits_another_feed_and_lacks_a_required_column_here_belongs_there() -> None:
    headers = ["死者身份证号", "死者姓名", "死亡日期", "报告单位"]
    found = mistaken.other_feed([], headers, contract.for_feed("students"))
    assert found is not None
    assert found.feed == "deaths"


@pytest.mark.parametrize("entry", contract.all(), ids=lambda entry: entry.feed)
def test_no_feed_is_taken_for_another_by_its_own_full_header(entry: contract.Contract) -> None:
    headers = [column.label for column in entry.columns.values()]
    assert mistaken.other_feed([], headers, entry) is None
    assert mistaken.other_feed([entry.name], headers, entry) is None


@pytest.mark.parametrize("campaign", ["chengjiang-2021", "bozhou-2018", "district-registration", "lianyungang-2016"])
def test_no_feed_is_taken_for_another_by_the_plans_own_name_for_it(campaign: str) -> None:
    for feed in plan_file.read(plan_file.find(campaign)).plan.feeds:
        assert mistaken.other_feed([feed.name], [], contract.for_feed(feed.feed)) is None, feed.name


@pytest.mark.parametrize(("area", "local"), [("530422", True), ("530481", True), ("532422", False), ("650104", False)])
def test_numbers_of_the_region_are_local_by_its_code_today_or_formerly(plan: Plan, area: str, local: bool) -> None:
    assert mistaken.is_local(area, plan) == local
