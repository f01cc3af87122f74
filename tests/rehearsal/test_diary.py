"""What a rehearsal tells while it plays."""

from __future__ import annotations

import io
from datetime import date

from rich.console import Console

from rehearsal.diary import Diary, told


def test_each_day_is_one_line_in_a_pipe_and_empty_days_are_none() -> None:
    pipe = io.StringIO()
    with Diary(Console(file=pipe, width=80), "演练", 6) as diary:
        diary.happened(date(2021, 5, 6), "部门送数", None, 1, 6)
        diary.happened(date(2021, 5, 6), "部门送数", None, 2, 6)
        diary.happened(date(2021, 5, 6), "数据比对", {"files": 2, "returned": 1, "waiting_for": ["a", "b"]}, 3, 6)
        diary.happened(date(2021, 5, 7), "巡检催办", {"sent": 0}, 4, 6)
        diary.happened(date(2021, 5, 8), "巡检催办", {"sent": 3}, 5, 6)
    assert pipe.getvalue().splitlines() == ["2021-05-06 周四  部门送数 2 件；数据比对：收 2 份、退回 1 份、还缺 2 份",
                                            "2021-05-08 周六  巡检催办：催办 3 次"]


def test_a_line_is_never_broken_or_cut_however_narrow_the_log() -> None:
    pipe = io.StringIO()
    with Diary(Console(file=pipe, width=20), "演练", 1) as diary:
        diary.happened(date(2021, 5, 6), "回收报表", {"taken": 123, "sent_back": 45, "claims": 6789, "forms": {"new": 21}}, 1, 1)
    assert pipe.getvalue() == "2021-05-06 周四  回收报表：收 123 份、退回 45 份、核查结果 6,789 条、下发报表 21 份\n"


def test_an_answer_without_counts_is_not_told() -> None:
    assert told({"idle": "没有到期未办的验收报告"}) == ""
    assert told(None) == ""
