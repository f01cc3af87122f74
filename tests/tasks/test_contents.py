"""What documents print is put together from the plan's words."""

from __future__ import annotations

import pytest

from models.plan_file import find, read
from tasks.contents import contact, post_name

CAMPAIGNS = sorted(path.parent.name for path in find("chengjiang-2021").parents[1].glob("*/plan.yaml"))


@pytest.mark.parametrize(("short", "name", "title", "says"), [
    ("市扩面办", "市专项扩面工作领导小组办公室", "办公室经办", "市扩面办经办"),
    ("市政府办", "市人民政府办公室", "市政府办经办", "市政府办经办"),
    ("市人社局", "市人力资源和社会保障局", "养老保险股经办", "市人社局养老保险股经办"),
    ("市人社局", "市人力资源和社会保障局", "局长", "市人社局局长"),
    ("市社保中心", "市社会保险中心", "办公室经办", "市社保中心办公室经办"),
])
def test_a_post_names_its_unit_once(short: str, name: str, title: str, says: str) -> None:
    unit = read(find("chengjiang-2021")).plan.organisation("office").model_copy(update={"short": short, "name": name})
    assert post_name(unit, title) == says


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_whom_to_call_reads_like_a_post(campaign: str) -> None:
    said = contact(read(find(campaign)).plan).post
    assert said.endswith("经办")
    assert not any(doubled in said for doubled in ("办办", "办办公室", "办公室办公室"))
