"""Only what is complete and in its place is taken; everything else is held, with what to do. A view is a file too."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from expectations.database_source import Limits, described, extract, read_description
from models import contract as contracts
from models import plan_file
from models.errors import CanbaoError, FileReturned, StorageUnavailable, WrongUse
from models.plan import Plan
from tasks.campaign import store_plan
from tasks.doors import admit, look, take_view
from tasks.inbox import Inbox, Moment, clean_name, observe, shown
from tasks.originals import keep_original, sha256_of
from tests.expectations.a_file import a_number, people, population_file, workbook

CAMPAIGN = "chengjiang-2021"
NOW = datetime(2021, 6, 1, 9, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=5)
LIMITS = Limits(5, 30, 1000)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_file.read(plan_file.find(CAMPAIGN)).plan


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "population" / "2021-05").mkdir(parents=True)
    return tmp_path / "inbox"


def put(inbox: Path, place: str, content: bytes = b"x", at: datetime = LONG_AGO) -> Path:
    """A file in the inbox, last changed at an instant."""
    path = inbox / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def seen(inbox: Path, plan: Plan, *, now: datetime | None = NOW, by_hand: bool = False) -> Inbox:
    return observe(inbox, plan, Moment(now, by_hand), "2021-05")


def names(found: Inbox) -> list[str]:
    return [file.path.name for file in found.arrived]


def kinds(found: Inbox) -> dict[str, str]:
    return {entry.place: entry.kind for entry in found.held}


# --- complete -------------------------------------------------------------------------------------------


def test_a_file_that_rests_in_its_place_is_taken_as_of_its_last_change(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/公安局_人口.csv")
    (file,) = seen(inbox, plan).arrived
    assert (file.feed, file.period, file.received_at) == ("population", "2021-05", LONG_AGO)


@pytest.mark.parametrize(("seconds", "taken"), [(59, []), (60, ["a.csv"])])
def test_a_file_that_changed_less_than_the_settle_time_ago_waits(inbox: Path, plan: Plan, seconds: int, taken: list[str]) -> None:
    put(inbox, "population/2021-05/a.csv", at=NOW - timedelta(seconds=seconds))
    assert names(seen(inbox, plan)) == taken


def test_by_hand_a_file_settles_in_two_seconds_and_may_carry_any_date(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/fresh.csv", at=NOW - timedelta(seconds=1))
    put(inbox, "population/2021-05/ahead.csv", at=NOW + timedelta(days=9))
    found = seen(inbox, plan, by_hand=True)
    assert names(found) == ["ahead.csv"]
    assert found.is_settling


def test_a_file_dated_ahead_waits_in_a_watched_folder(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/a.csv", at=NOW + timedelta(minutes=1))
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "dated_ahead"}


@pytest.mark.parametrize("name", ["a.csv.part", "a.xlsx.tmp", ".a.csv.Xa3f", "a.csv~", "a.crdownload", "a.filepart"])
def test_names_of_copies_under_way_wait_and_are_told_when_they_are_stale(inbox: Path, plan: Plan, name: str) -> None:
    put(inbox, f"population/2021-05/{name}", at=NOW - timedelta(minutes=5))
    assert [*kinds(seen(inbox, plan)).values()] == ["temporary"]
    put(inbox, f"population/2021-05/{name}", at=NOW - timedelta(hours=1))
    assert [*kinds(seen(inbox, plan)).values()] == ["stale_temporary"]


def test_a_file_that_is_open_for_writing_waits_however_old_it_looks(inbox: Path, plan: Plan) -> None:
    path = put(inbox, "population/2021-05/a.csv")
    with path.open("ab"):
        assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "writing"}
    assert names(seen(inbox, plan)) == ["a.csv"]


def test_a_workbook_open_in_excel_waits_until_its_lock_is_old(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/a.csv")
    put(inbox, "population/2021-05/~$a.csv", at=NOW - timedelta(minutes=3))
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "locked"}
    put(inbox, "population/2021-05/~$a.csv", at=NOW - timedelta(hours=3))
    assert names(seen(inbox, plan)) == ["a.csv"]


def test_a_half_copied_workbook_waits_and_is_taken_to_be_returned_when_patience_ends(inbox: Path, plan: Plan, tmp_path: Path) -> None:
    whole = workbook(tmp_path / "whole.xlsx", {"一": people(50)}).read_bytes()
    half = whole[:len(whole) // 2]
    put(inbox, "population/2021-05/a.xlsx", half, NOW - timedelta(minutes=29))
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.xlsx": "incomplete"}
    put(inbox, "population/2021-05/a.xlsx", whole, NOW - timedelta(minutes=29))
    assert names(seen(inbox, plan)) == ["a.xlsx"]
    put(inbox, "population/2021-05/a.xlsx", half, NOW - timedelta(minutes=31))
    assert names(seen(inbox, plan)) == ["a.xlsx"]


def test_an_empty_file_waits_for_its_content(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/a.csv", b"", NOW - timedelta(minutes=5))
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "empty"}


@pytest.mark.parametrize("sidecar", ["a.csv.sha256", "SHA256SUMS"])
def test_a_stated_sum_must_agree_and_is_never_waived(inbox: Path, plan: Plan, sidecar: str) -> None:
    put(inbox, "population/2021-05/a.csv", b"rows")
    right, wrong = hashlib.sha256(b"rows").hexdigest(), hashlib.sha256(b"row").hexdigest()
    put(inbox, f"population/2021-05/{sidecar}", f"{wrong}  a.csv\n".encode())
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "differs"}
    put(inbox, f"population/2021-05/{sidecar}", f"{right.upper()} *a.csv\n".encode())
    found = seen(inbox, plan)
    assert (names(found), found.held) == (["a.csv"], ())


def test_a_mark_not_older_than_the_file_ends_the_settling(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/a.csv", at=NOW - timedelta(seconds=5))
    put(inbox, "population/2021-05/a.csv.ok", b"", NOW - timedelta(seconds=9))
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "settling"}
    put(inbox, "population/2021-05/a.csv.ok", b"", NOW - timedelta(seconds=5))
    assert names(seen(inbox, plan)) == ["a.csv"]


def test_a_sum_or_manifest_without_its_file_is_told(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-05/a.csv.ok", b"")
    put(inbox, "population/2021-05/SHA256SUMS", f"{'0' * 64}  b.csv\n".encode())
    assert kinds(seen(inbox, plan)) == {"population/2021-05/a.csv": "announced", "population/2021-05/b.csv": "announced"}


# --- in its place ---------------------------------------------------------------------------------------


def test_files_in_the_wrong_place_are_named_with_where_they_may_belong(inbox: Path, plan: Plan) -> None:
    for place in ("人口.csv", "population/人口.csv", "populaton/2021-05/a.csv", "population/2021年5月/a.csv",
                  "population/2021-07/a.csv", "population/2012-05/a.csv", "population/2021-05/凤麓/a.csv", "资料/a.csv"):
        put(inbox, place)
    found = seen(inbox, plan)
    assert found.arrived == ()
    assert kinds(found) == {
        "人口.csv": "in_root", "population/人口.csv": "in_feed", "populaton/2021-05/a.csv": "unknown_feed",
        "population/2021年5月/a.csv": "unknown_period", "population/2021-07/a.csv": "not_begun",
        "population/2012-05/a.csv": "too_early", "population/2021-05/凤麓/a.csv": "nested", "资料/a.csv": "unknown_feed"}
    says = {entry.place: entry.says for entry in found.held}
    assert "population/？" in says["populaton/2021-05/a.csv"]
    assert "population/2021-05/" in says["population/2021年5月/a.csv"]


def test_files_of_another_period_are_counted_and_no_fault(inbox: Path, plan: Plan) -> None:
    put(inbox, "population/2021-04/a.csv")
    found = seen(inbox, plan)
    assert (found.arrived, found.held, found.elsewhere) == ((), (), {"2021-04": 1})


def test_links_and_devices_are_refused_wherever_they_stand(inbox: Path, plan: Plan, tmp_path: Path) -> None:
    secret = put(tmp_path, "elsewhere/2021-05/secret.csv")
    (inbox / "population" / "2021-05" / "a.csv").symlink_to(secret)
    (inbox / "deaths").symlink_to(secret.parent.parent)
    (inbox / "population" / "2021-04").symlink_to(secret.parent)
    os.mkfifo(inbox / "population" / "2021-05" / "b.csv")
    found = observe(inbox, plan, Moment(NOW))
    assert found.arrived == ()
    assert kinds(found) == {"deaths": "link", "population/2021-04": "link", "population/2021-05/a.csv": "link",
                            "population/2021-05/b.csv": "special"}


def test_a_link_put_in_a_files_place_after_the_look_is_not_followed(record: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret.csv", b"secret")
    (tmp_path / "a.csv").symlink_to(secret)
    with pytest.raises(FileReturned, match="link"):
        keep_original(CAMPAIGN, tmp_path / "a.csv", sha256_of(secret))


def test_a_file_that_changes_while_it_is_kept_is_not_kept(record: Path, tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", b"one")
    before = sha256_of(path)
    path.write_bytes(b"one two")
    with pytest.raises(StorageUnavailable, match="changed"):
        keep_original(CAMPAIGN, path, before)
    assert [found for found in record.rglob("*") if found.is_file()] == []


@pytest.mark.parametrize(("name", "clean"), [
    ("人口 (1)·表.csv", "人口 (1)·表.csv"), (os.fsdecode("人口.csv".encode("gb18030")), "人口.csv"), ("a\nb\x1b[2J.csv", "a?b?[2J.csv")])
def test_names_in_odd_letters_can_be_stored_and_shown(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_number_in_a_name_is_not_shown() -> None:
    assert shown("deaths", f"{a_number(1)}.csv") == "deaths/(数字).csv"


# --- together with the record ---------------------------------------------------------------------------


@pytest.fixture
def campaign(record: Path) -> str:
    store_plan.fn(CAMPAIGN, NOW)
    return CAMPAIGN


def test_a_file_is_taken_once_whatever_it_is_called(campaign: str, inbox: Path) -> None:
    odd = inbox / "population" / "2021-05" / os.fsdecode("人口\n.csv".encode("gb18030"))
    population_file(odd, people(30))
    os.utime(odd, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    (file,) = look(campaign, inbox, Moment(NOW), "2021-05").arrived
    taken = admit.fn(campaign, file.feed, file.period, str(file.path), file.received_at)
    assert (taken["verdict"], taken["rows"], taken["new"]) == ("accepted", 30, True)
    assert look(campaign, inbox, Moment(NOW), "2021-05").arrived == ()
    copy = put(inbox, "population/2021-05/又一份.csv", odd.read_bytes(), NOW - timedelta(hours=1))
    assert copy.is_file()
    assert look(campaign, inbox, Moment(NOW), "2021-05").arrived == ()


def a_view(path: Path, rows: list[list[str]]) -> str:
    """A SQLite file with a view under a system's own column names, a column nobody needs among them."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute('CREATE TABLE person (GMSFHM, XM, "所属 乡镇", ZT, birth, MINZU)')
        database.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, '汉')", rows)
        database.execute('CREATE VIEW "v 人口" AS SELECT * FROM person')
    return f"sqlite:///{path}"


ROWS = [[row[0], row[1], row[5], row[7], row[3]] for row in people(30)]
STATED = {"url_env": "CANBAO_SOURCE_GONGAN", "view": "v 人口", "columns": {"status": "ZT", "birth_date": "birth"}}


def test_a_view_is_taken_in_like_a_file_and_its_rows_again_are_recognised(
    campaign: str, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Path
) -> None:
    monkeypatch.setenv("CANBAO_SOURCE_GONGAN", a_view(tmp_path / "d.sqlite", ROWS))
    description = "url_env: CANBAO_SOURCE_GONGAN\nview: v 人口\ncolumns: {status: ZT, birth_date: birth}\n"
    path = put(inbox, "population/2021-05/公安.source.yaml", description.encode())
    (file,) = look(campaign, inbox, Moment(NOW), "2021-05").arrived
    assert file.received_at == NOW
    taken = admit.fn(campaign, file.feed, file.period, str(file.path), file.received_at)
    assert (taken["rows"], taken["accepted"], taken["new"]) == (30, 30, True)
    assert look(campaign, inbox, Moment(NOW), "2021-05").arrived == ()
    put(inbox, "population/2021-05/公安.source.yaml", description.encode(), NOW - timedelta(hours=1))  # touched: asked again
    (file,) = look(campaign, inbox, Moment(NOW), "2021-05").arrived
    assert admit.fn(campaign, file.feed, file.period, str(path), NOW)["new"] is False
    (original,) = (record / CAMPAIGN / "originals").rglob("*.csv")
    assert "汉" not in original.read_text(encoding="utf-8-sig")
    assert [*(record / CAMPAIGN / "extracts").iterdir()] == []


@pytest.mark.parametrize(("description", "told"), [
    ("view: [", "YAML"), ("view: v", "url_env"), ("{url_env: HOME, view: v}", "CANBAO_SOURCE_"),
    ("{url_env: CANBAO_DATABASE_URL, view: v}", "CANBAO_SOURCE_"), ("{url_env: CANBAO_SOURCE_NONE, view: v}", "not set"),
    ("{url_env: CANBAO_SOURCE_NONE, view: v, where: '1=1'}", "where"),
    ("{url_env: CANBAO_SOURCE_NONE, view: v, provider: tongji}", "gongan")])
def test_a_bad_description_is_held_with_its_fault(campaign: str, inbox: Path, description: str, told: str) -> None:
    put(inbox, "population/2021-05/a.source.yaml", description.encode())
    found = look(campaign, inbox, Moment(NOW), "2021-05")
    assert found.arrived == ()
    assert [(entry.kind, told in entry.says) for entry in found.held] == [("bad_source", True)]


def test_a_database_that_is_down_records_nothing_and_is_asked_again(
    campaign: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANBAO_SOURCE_GONGAN", "postgresql+psycopg2://zhang:geheim@127.0.0.1:1/d")
    path = put(inbox, "population/2021-05/a.source.yaml", b"{url_env: CANBAO_SOURCE_GONGAN, view: v}")
    with pytest.raises(StorageUnavailable, match="does not answer") as refusal:
        admit.fn(campaign, "population", "2021-05", str(path), NOW)
    assert "geheim" not in str(refusal.value)
    assert "zhang" not in str(refusal.value)
    assert len(look(campaign, inbox, Moment(NOW), "2021-05").arrived) == 1


def test_who_gives_the_view_must_be_told_where_a_feed_has_several(campaign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = described({"url_env": "CANBAO_SOURCE_X", "view": "v"})
    with pytest.raises(WrongUse, match="who delivers"):
        take_view(campaign, "construction_projects", "2021-05", source, NOW)


# --- what is asked of a view ----------------------------------------------------------------------------


def extracted(url: str, stated: dict[str, Any], target: Path, feed: str = "population") -> list[str]:
    extract(url, described(stated), contracts.for_feed(feed), target, LIMITS)
    return target.read_text(encoding="utf-8-sig").splitlines()


def test_only_the_contracts_columns_are_asked_for_and_rows_have_an_order(tmp_path: Path) -> None:
    forwards = extracted(a_view(tmp_path / "a.sqlite", ROWS), {**STATED, "columns": {"status": "ZT"}}, tmp_path / "a.csv")
    backwards = extracted(a_view(tmp_path / "b.sqlite", ROWS[::-1]), {**STATED, "columns": {"status": "ZT"}}, tmp_path / "b.csv")
    assert forwards == backwards
    assert forwards[0] == "身份证号,姓名,乡镇街道,人员状态"
    assert len(forwards) == 31


def test_postgresql_gives_the_same_through_a_read_only_session(server: URL, tmp_path: Path) -> None:
    engine = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS share CASCADE"))
        connection.execute(text("CREATE SCHEMA share"))
        connection.execute(text("CREATE TABLE share.p (AAC002 char(18), AAC003 text, \"乡镇\" text, \"状态\" text, born date, n numeric)"))
        connection.execute(text("INSERT INTO share.p VALUES (:i, :n, :t, :s, :b, 1.50)"),
                           [{"i": row[0], "n": row[1], "t": row[2], "s": row[3], "b": row[4]} for row in ROWS])
        connection.execute(text("CREATE FUNCTION share.writes() RETURNS text VOLATILE LANGUAGE sql AS "
                                "$$ INSERT INTO share.p (AAC002) VALUES ('x') RETURNING 'x'::text $$"))
        connection.execute(text("CREATE VIEW share.v AS SELECT * FROM share.p"))
        connection.execute(text("CREATE VIEW share.w AS SELECT share.writes() AS AAC002, AAC003, \"乡镇\", \"状态\" FROM share.p"))
        connection.execute(text("CREATE VIEW share.slow AS SELECT pg_sleep(60)::text AS AAC002, AAC003, \"乡镇\", \"状态\" FROM share.p"))
    url = server.set(database="postgres").render_as_string(hide_password=False)
    stated = {"url_env": "CANBAO_SOURCE_X", "view": "share.v", "columns": {"birth_date": "born"}}
    lines = extracted(url, stated, tmp_path / "v.csv")
    assert lines[0] == "身份证号,姓名,出生日期,乡镇街道,人员状态"
    assert f"{ROWS[0][0]},{ROWS[0][1]},1985-06-07,凤麓街道,正常" in lines
    with pytest.raises(StorageUnavailable, match="25006"):  # read_only_sql_transaction
        extracted(url, {"url_env": "CANBAO_SOURCE_X", "view": "share.w"}, tmp_path / "w.csv")
    with pytest.raises(StorageUnavailable, match="longer than 1 seconds"):
        extract(url, described({"url_env": "CANBAO_SOURCE_X", "view": "share.slow"}), contracts.for_feed("population"),
                tmp_path / "s.csv", Limits(5, 1, 100))
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["v.csv"]
    engine.dispose()


@pytest.mark.parametrize("view", ["nothing", "person; DROP TABLE person", 'person" --', "other.person"])
def test_a_view_that_is_not_there_is_no_way_to_run_sql(tmp_path: Path, view: str) -> None:
    url = a_view(tmp_path / "d.sqlite", ROWS)
    with pytest.raises(CanbaoError):
        extracted(url, {"url_env": "CANBAO_SOURCE_X", "view": view}, tmp_path / "x.csv")
    assert len(extracted(url, {**STATED, "columns": {"status": "ZT"}}, tmp_path / "y.csv")) == 31


def test_a_missing_column_is_told_with_the_columns_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileReturned, match="MINZU"):
        extracted(a_view(tmp_path / "d.sqlite", ROWS), {"url_env": "CANBAO_SOURCE_X", "view": "v 人口"}, tmp_path / "x.csv")


@pytest.mark.parametrize(("url", "told"), [
    ("nonsense", "no SQLAlchemy address"), ("oracle+none://u:geheim@h/d", "not installed"), ("sqlite:////nowhere/d", "no such SQLite file")])
def test_an_address_that_cannot_be_is_told_without_repeating_it(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(CanbaoError, match=told) as refusal:
        extracted(url, STATED, tmp_path / "x.csv")
    assert "geheim" not in str(refusal.value)


def test_a_value_that_cannot_be_text_is_told_without_repeating_it(tmp_path: Path) -> None:
    url = a_view(tmp_path / "d.sqlite", [[b"geheim", *ROWS[0][1:]]])  # type: ignore[list-item]
    with pytest.raises(FileReturned, match="cannot be read") as refusal:
        extracted(url, STATED, tmp_path / "x.csv")
    assert "geheim" not in str(refusal.value)


def test_a_description_has_no_room_for_sql(tmp_path: Path) -> None:
    (tmp_path / "a.source.yaml").write_text("{url_env: CANBAO_SOURCE_X, view: v, sql: select 1}")
    with pytest.raises(FileReturned, match="sql"):
        read_description(tmp_path / "a.source.yaml")
