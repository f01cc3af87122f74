"""The campaign board: every place on it, states right at both sides of a deadline, nobody's name, nothing from a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlalchemy.engine import URL

from benchmarks.sweep import plan_of
from documents.board import COLOURS, BoardContent, board_page
from models.database import transaction
from models.plan import Plan
from models.store import obligations as store
from tasks import campaign as campaign_tasks
from tasks.board import board_content, board_file, draw_board, refresh_board
from tasks.campaign import plan_in_force, store_plan
from tasks.comparison import run_comparison
from tasks.obligations import extend, make_obligations
from tasks.release import approve, propose, release
from tasks.sweep import sweep_obligations
from tests.conftest import fresh_record
from tests.tasks import a_comparison

CAMPAIGN = "chengjiang-2021"
FOUR = (CAMPAIGN, "bozhou-2018", "district-registration", "lianyungang-2016")
ZONE = ZoneInfo("Asia/Shanghai")
DUE = datetime(2021, 7, 3, tzinfo=ZONE)
"""「每月2日前」 for June: before 3 July, 00:00 (2 July is a Friday)."""


@pytest.fixture(scope="module")
def compared(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record of 连云港 in which two months were compared and one month's lists handed out: the folder of its files."""
    folder = tmp_path_factory.mktemp("board")
    with fresh_record(server, folder / "home"):
        a_comparison.accept(folder)
        make_obligations.fn(a_comparison.CAMPAIGN, a_comparison.NOW)
        for period in (a_comparison.BEFORE, a_comparison.PERIOD):
            run = run_comparison.fn(a_comparison.CAMPAIGN, period, a_comparison.NOW)["run"]
        propose.fn(a_comparison.CAMPAIGN, run, "经办岗", a_comparison.NOW)
        yield folder


@pytest.fixture
def mobilised(record: Path) -> Plan:
    """澄江 with everything it expects, and nothing handed in."""
    store_plan.fn(CAMPAIGN, datetime(2021, 3, 18, 9, tzinfo=ZONE))
    make_obligations.fn(CAMPAIGN, datetime(2021, 3, 18, 9, tzinfo=ZONE))
    return plan_in_force(CAMPAIGN)


def hand_in(organisation: str, period: str, at: datetime, *, sent_back: bool = False) -> None:
    """A monthly report that came at an instant, and was accepted or sent back then."""
    with transaction() as tx:
        row = store.one(tx, CAMPAIGN, "monthly_report", organisation, period)
        assert row is not None
        number, _ = store.submit(tx, row["id"], received_at=at, sha256=f"{organisation}{period}", path="", prepared_by=None,
                                 reviewed_by=None, texts={}, faults={})
        (store.send_back if sent_back else store.accept)(tx, number, at)


def duty(content: BoardContent, code: str) -> tuple[str, int | None]:
    """How the monthly report of a place stands: its words and the workdays it is late."""
    column = [entry.name for entry in content.report_columns].index("专项行动月进展情况报告")
    found = next(place for place in content.places if place.code == code).duties[column]
    assert found is not None
    return found.word, found.days_late


# --- states ---------------------------------------------------------------------------------------------


def test_a_report_is_due_soon_in_the_last_second_and_overdue_in_the_first_after_it(mobilised: Plan) -> None:
    before, after = (board_content(mobilised, DUE + timedelta(seconds=seconds)) for seconds in (-1, 0))
    assert duty(before, "fenglu") == ("即将到期", None)
    # Saturday, 3 July: overdue, and no workday has passed yet; by Monday the 5th one has.
    assert duty(after, "fenglu") == ("逾期未报", 0)
    assert duty(board_content(mobilised, datetime(2021, 7, 5, 9, tzinfo=ZONE)), "fenglu") == ("逾期未报", 1)
    assert "2021年6月" not in {period for owed in before.late if owed.unit == "凤麓" for period in owed.periods}
    assert "2021年6月" in {period for owed in after.late if owed.unit == "凤麓" for period in owed.periods}


def test_a_report_in_the_last_second_is_in_time_and_one_in_the_next_is_late_for_good(mobilised: Plan) -> None:
    hand_in("fenglu", "2021-06", DUE - timedelta(seconds=1))
    hand_in("longjie", "2021-06", DUE)
    content = board_content(mobilised, datetime(2021, 7, 20, 9, tzinfo=ZONE))
    assert duty(content, "fenglu") == ("按时", None)
    assert duty(content, "longjie") == ("迟报", 1)
    assert {owed.unit for owed in content.late if "2021年6月" in owed.periods} >= {"右所", "海口", "九村", "路居"}


def test_a_report_sent_back_is_late_only_once_its_day_is_over(mobilised: Plan) -> None:
    hand_in("fenglu", "2021-06", DUE - timedelta(days=2), sent_back=True)
    assert duty(board_content(mobilised, DUE - timedelta(seconds=1)), "fenglu") == ("退回待补", None)
    assert duty(board_content(mobilised, DUE), "fenglu") == ("退回未补", 0)


def test_an_extension_moves_the_day_from_which_lateness_counts(mobilised: Plan) -> None:
    extend(CAMPAIGN, "monthly_report", "fenglu", "2021-06", date(2021, 7, 9), "office", "停电", DUE - timedelta(days=1))
    assert duty(board_content(mobilised, datetime(2021, 7, 9, 23, 59, 59, tzinfo=ZONE)), "fenglu") == ("即将到期", None)
    assert duty(board_content(mobilised, datetime(2021, 7, 12, 9, tzinfo=ZONE)), "fenglu") == ("逾期未报", 1)


def test_the_rung_that_was_reached_stands_beside_what_is_late(mobilised: Plan) -> None:
    now = datetime(2021, 7, 8, 10, tzinfo=ZONE)
    sweep_obligations.fn(CAMPAIGN, now)
    owed = next(entry for entry in board_content(mobilised, now).late if entry.unit == "凤麓" and entry.periods[-1] == "2021年6月")
    assert owed.periods[0] == "2021年4月"
    assert owed.duty.step == "督办建议"  # April's report: ten workdays are long over


def test_what_comes_next_stands_with_the_day_it_was_moved_to(mobilised: Plan) -> None:
    ahead = board_content(mobilised, datetime(2021, 4, 28, 9, tzinfo=ZONE)).ahead
    report = next(entry for entry in ahead if "2021年4月专项行动月进展情况报告" in entry.what)
    # 2 May 2021 lies in the holiday; the 6th is the first workday.
    assert (report.day.isoformat(), report.moved_from and report.moved_from.isoformat(), report.units) == ("2021-05-06", "2021-05-02", 21)


def test_empty_states_are_said_in_words(mobilised: Plan) -> None:
    page = board_page(board_content(mobilised, datetime(2021, 3, 18, 9, tzinfo=ZONE)), "mark", 60)
    for words in ("首次比对后显示", "现在没有逾期事项", "还没有比对过", "还没有清单", "没有等待批准或决定的事项", "还没有到报送数据的时候"):
        assert words in page


# --- figures --------------------------------------------------------------------------------------------


def test_the_groups_add_up_to_everybody_and_the_lists_to_the_record(compared: Path) -> None:
    content = board_content(plan_in_force(a_comparison.CAMPAIGN), a_comparison.NOW)
    with transaction() as tx:
        run = tx.exec_driver_sql("SELECT persons FROM run ORDER BY id DESC LIMIT 1").scalar_one()
        listed = tx.exec_driver_sql("SELECT count(*) FROM finding WHERE status <> 'withdrawn'").scalar_one()
    assert content.persons == run
    assert sum(sum(row.figures) for row in content.by_owner) == sum(sum(row.figures) for row in content.by_list) == listed > 0
    assert [entry.what for entry in content.waiting][:1] == ["清单下发待批准"]


def test_a_release_waits_until_it_is_approved_and_handed_out(compared: Path) -> None:
    plan = plan_in_force(a_comparison.CAMPAIGN)
    run = board_content(plan, a_comparison.NOW).waiting[0].command.split()[4]
    undecided = a_comparison.NOW + timedelta(days=plan.approval.decide_within_days, minutes=1)
    assert board_content(plan, undecided).waiting[0].what == "清单下发逾期未批准"
    later = a_comparison.NOW + timedelta(hours=1)
    approve.fn(a_comparison.CAMPAIGN, int(run), "办公室副主任（复审）", later)
    assert board_content(plan, later).waiting[0].what == "清单已批准，待下发"
    assert board_content(plan, a_comparison.NOW).waiting[0].what == "清单下发待批准", "as it stood an hour before"
    too_late = later + timedelta(days=plan.approval.expires_days, minutes=1)
    assert board_content(plan, too_late).waiting[0].what == "清单下发批准已过期"
    release.fn(a_comparison.CAMPAIGN, int(run), later)
    assert "清单" not in "".join(entry.what for entry in board_content(plan, later).waiting)


def test_nobody_stands_on_the_board(compared: Path, tmp_path: Path) -> None:
    out = tmp_path / "board.html"
    draw_board(a_comparison.CAMPAIGN, a_comparison.NOW, out)
    page = out.read_text(encoding="utf-8")
    people = duckdb.sql(f"SELECT DISTINCT name, id_number FROM read_parquet('{compared}/snapshots/population/*.parquet', "
                        "union_by_name = true)").fetchall()
    assert len(people) > 1000
    assert [number for _, number in people if number and number in page] == []
    assert [name for name, _ in people if name and len(name) > 2 and name in page] == []
    assert re.findall(r"\d{15,}", re.sub(r"<meta[^>]*>", "", page)) == []
    assert "经办岗" not in page


# --- the page -------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and whether all were closed."""

    VOID = ("meta", "br", "link", "img", "input", "hr", "col")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("campaign", FOUR)
def test_every_place_of_every_campaign_stands_on_a_page_that_needs_no_network(record: Path, campaign: str) -> None:
    plan_id = str(store_plan.fn(campaign, datetime(2014, 1, 1, tzinfo=ZONE))["campaign"])
    make_obligations.fn(plan_id, datetime(2014, 1, 1, tzinfo=ZONE))
    plan = plan_in_force(plan_id)
    middle = datetime.combine(plan.starts + (plan.ends - plan.starts) / 2, datetime.min.time(), tzinfo=ZONE)
    page = board_page(board_content(plan, middle), "mark", 60)
    tags = Tags(page)
    assert tags.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in tags.found}
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page)
    assert not [attributes for _, attributes in tags.found if "src" in attributes or "href" in attributes]
    for org in plan.organisations:
        if org.kind in ("county", "zone", "township") and org.exists_on(middle.date()):
            assert f">{org.short}<" in page
    assert all(mark in page for mark in ("✕", "截至", plan.name))


def test_forty_townships_stand_on_the_board_and_of_four_hundred_those_that_owe_most(
        record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, shown in ((40, 40), (400, 200)):
        plan = plan_of(number).model_copy(update={"id": f"towns-{number}"})
        monkeypatch.setattr(campaign_tasks, "_parsed", lambda campaign, sha256, plan=plan: plan)
        with transaction() as tx:
            campaign_tasks.campaigns.store_plan(tx, plan, "made up", f"{number}", DUE)
        make_obligations.fn(plan.id, datetime(2021, 5, 1, tzinfo=ZONE))
        content = board_content(plan, DUE)
        assert (len(content.places), content.places_left_out) == (shown, number - shown)
        assert len(content.late) + content.late_left_out == number
        assert Tags(board_page(content, "mark", 60)).open == []


@pytest.mark.parametrize("tone", COLOURS)
def test_letters_can_be_read_on_their_ground(tone: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted(luminance(colour) for colour in COLOURS[tone])  # type: ignore[index]
    assert (light + 0.05) / (dark + 0.05) >= 4.5


# --- hanging it up --------------------------------------------------------------------------------------


def test_the_board_is_drawn_anew_only_when_something_happened_a_day_began_or_it_is_old(mobilised: Plan) -> None:
    now = datetime(2021, 6, 16, 9, tzinfo=ZONE)
    drawn = [refresh_board.fn(CAMPAIGN, now)["drawn"], refresh_board.fn(CAMPAIGN, now + timedelta(minutes=30))["drawn"]]
    assert drawn == [True, False]
    hand_in("fenglu", "2021-05", now)
    assert refresh_board.fn(CAMPAIGN, now + timedelta(minutes=31))["drawn"], "a report came"
    old = now + timedelta(minutes=31 + mobilised.board.oldest_minutes)
    assert [refresh_board.fn(CAMPAIGN, at)["drawn"] for at in (old - timedelta(minutes=1), old)] == [False, True]
    assert refresh_board.fn(CAMPAIGN, old.replace(hour=0, minute=1) + timedelta(days=1))["drawn"], "a day began"


def test_a_board_of_an_earlier_instant_does_not_take_the_place_of_a_later_one(mobilised: Plan) -> None:
    now = datetime(2021, 6, 16, 9, tzinfo=ZONE)
    refresh_board.fn(CAMPAIGN, now)
    before = board_file(CAMPAIGN).read_bytes()
    hand_in("fenglu", "2021-05", now - timedelta(days=1))
    assert not refresh_board.fn(CAMPAIGN, now - timedelta(days=1))["drawn"]
    assert board_file(CAMPAIGN).read_bytes() == before
    assert [path.name for path in board_file(CAMPAIGN).parent.iterdir()] == ["board.html"], "no draft is left behind"


def test_a_board_that_somebody_damaged_is_drawn_anew(mobilised: Plan) -> None:
    now = datetime(2021, 6, 16, 9, tzinfo=ZONE)
    board_file(CAMPAIGN).write_text("gone")
    assert refresh_board.fn(CAMPAIGN, now)["drawn"]
    assert "截至 2021年6月16日" in board_file(CAMPAIGN).read_text(encoding="utf-8")
