"""Deliveries as the record keeps them: parts, corrections, what an operator confirms, and the receipt."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from canbao import render
from canbao.pages import as_text
from models.database import transaction
from models.errors import WrongUse
from models.store import campaigns
from models.store import deliveries as store
from models.tables import Audit
from tasks import confirmations
from tasks.campaign import folder, plan_in_force, store_plan
from tasks.comparison import _inputs
from tasks.intake import take_in
from tasks.obligations import make_obligations, statuses
from tasks.receipts import receipt
from tests.expectations.a_file import POPULATION, a_number, a_person, csv_file, people, population_file

CAMPAIGN = "chengjiang-2021"
ARRIVAL = datetime(2021, 6, 9, 2, tzinfo=UTC)
LATER = datetime(2021, 6, 10, 2, tzinfo=UTC)

Deliver = Callable[..., dict[str, Any]]


@pytest.fixture
def deliver(record: Path, tmp_path: Path) -> Deliver:
    """Hand a file in for a feed and month."""
    start = datetime(2021, 3, 18, tzinfo=UTC)
    store_plan.fn(CAMPAIGN, start)
    make_obligations.fn(CAMPAIGN, start)

    def delivered(path: Path, feed: str = "population", period: str = "2021-05", at: datetime = ARRIVAL) -> dict[str, Any]:
        return take_in.fn(CAMPAIGN, feed, period, str(path), at)

    return delivered


@pytest.fixture
def some(tmp_path: Path) -> Callable[..., Path]:
    """A population register of the persons with these serials."""
    return lambda name, first, last: population_file(tmp_path / name, [a_person(serial) for serial in range(first, last)])


def in_force(period: str = "2021-05") -> dict[str, int]:
    """The files that a comparison of the month reads, with their accepted rows."""
    with transaction() as tx:
        rows = store.accepted(tx, CAMPAIGN, period)
    return {row["file_name"]: row["accepted"] for row in rows}


def audited() -> list[tuple[str, str, str]]:
    with transaction() as tx:
        rows = tx.execute(select(Audit.action, Audit.actor, Audit.reason).order_by(Audit.id)).all()
        assert campaigns.audit_is_whole(tx)
    return [tuple(row) for row in rows]


def feed_state(feed: str, period: str = "2021-05", at: datetime = LATER) -> str:
    return next(row["status"] for row in statuses(CAMPAIGN, at, item=f"feed:{feed}", period=period))


# --- parts ----------------------------------------------------------------------------------------------


def test_a_comparison_reads_every_part_in_force(deliver: Deliver, some: Any) -> None:
    deliver(some("人口_凤麓.csv", 1, 41))
    deliver(some("人口_右所.csv", 41, 81))
    deliver(some("人口_右所_更正.csv", 41, 83), at=LATER)
    assert in_force() == {"人口_凤麓.csv": 40, "人口_右所_更正.csv": 42}
    with transaction() as tx:
        inputs = _inputs(tx, plan_in_force(CAMPAIGN), "2021-05")
        assert len(store.all_of(tx, CAMPAIGN)) == 3
    assert [entry["period"] for entry in inputs["population"]] == ["2021-05", "2021-05"]
    assert all(Path(entry["path"]).is_file() for entry in inputs["population"])


def test_a_month_without_a_file_falls_back_on_all_parts_of_the_last(deliver: Deliver, some: Any) -> None:
    deliver(some("人口_凤麓.csv", 1, 41), period="2021-04")
    deliver(some("人口_右所.csv", 41, 81), period="2021-04")
    assert set(in_force("2021-06")) == {"人口_凤麓.csv", "人口_右所.csv"}


def test_two_files_of_one_register_are_never_judged_at_the_same_time(deliver: Deliver, some: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    paths = [some(f"人口{number}.csv", 1, 41 + number) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert {entry["verdict"] for entry in pool.map(deliver, paths)} == {"accepted"}
    assert len(in_force()) == 1


# --- the same again -------------------------------------------------------------------------------------


def test_the_same_bytes_for_another_month_or_feed_are_returned_saying_where_they_are(deliver: Deliver, some: Any) -> None:
    path = some("人口.csv", 1, 41)
    first = deliver(path)
    assert deliver(path) == {**deliver(path), "delivery": first["delivery"], "new": False, "verdict": "accepted"}
    june = deliver(path, period="2021-06", at=datetime(2021, 7, 2, tzinfo=UTC))
    assert (june["verdict"], june["new"]) == ("returned", True)
    assert "已作为2021年5月「户籍人口登记」接收" in june["reason"]
    assert june["next"] == [f"canbao waive {CAMPAIGN} --delivery {june['delivery']} --by 经办岗位 --reason 依据"]


def test_a_file_returned_in_the_wrong_place_is_taken_in_the_right_one(deliver: Deliver, tmp_path: Path) -> None:
    path = population_file(tmp_path / "户籍人口.csv", people(40))
    assert deliver(path, feed="deaths")["verdict"] == "returned"
    assert deliver(path)["verdict"] == "accepted"


def test_a_returned_file_under_a_new_name_is_judged_anew(deliver: Deliver, some: Any, tmp_path: Path) -> None:
    deliver(some("人口.csv", 1, 41))
    unclear = deliver(some("人口又.csv", 31, 61))
    assert unclear["verdict"] == "returned"
    assert deliver(some("人口又.csv", 31, 61))["new"] is False
    again = deliver(some("人口_补报.csv", 31, 61))
    assert (again["verdict"], again["new"], again["replaces"]) == ("accepted", True, [])
    with transaction() as tx:
        old = store.one(tx, CAMPAIGN, unclear["delivery"])
        new = store.one(tx, CAMPAIGN, again["delivery"])
    assert old is not None
    assert new is not None
    assert (old["superseded_at"], new["corrects"], new["sha256"]) == (ARRIVAL, old["id"], old["sha256"])


# --- what an operator confirms --------------------------------------------------------------------------

ODD = ["公民号", *POPULATION[1:]]


def test_a_confirmed_header_is_remembered_and_the_returned_file_taken(deliver: Deliver, tmp_path: Path) -> None:
    path = population_file(tmp_path / "人口.csv", people(40), ODD)
    refused = deliver(path)
    assert refused["verdict"] == "returned"
    assert refused["next"] == [f"canbao map {CAMPAIGN} --feed population --provider gongan --header '公民号' --column id_number "
                               "--by 经办岗位 --reason 依据"]
    result = confirmations.save_mapping(CAMPAIGN, "population", "gongan", "公 民 号", "id_number", "office", "电话确认", LATER)
    assert [entry["verdict"] for entry in result["judged"]] == ["accepted"]
    assert deliver(path)["new"] is False
    assert in_force() == {"人口.csv": 40}
    assert feed_state("population") == "accepted"
    assert ("header mapping saved", "office", "id_number: 电话确认") in audited()
    june = population_file(tmp_path / "六月.csv", people(41), ODD)
    assert deliver(june, period="2021-06", at=datetime(2021, 7, 2, tzinfo=UTC))["verdict"] == "accepted"


def test_a_mapping_is_one_departments_and_can_be_forgotten(deliver: Deliver, tmp_path: Path) -> None:
    def confirm(header: str, column: str, provider: str = "gongan") -> None:
        confirmations.save_mapping(CAMPAIGN, "population", provider, header, column, "office", "来函", ARRIVAL)

    confirm("公民号", "id_number")
    confirm("地址", "-")
    listed = confirmations.listed_mappings(CAMPAIGN, "population", None)
    assert [(entry["header"], entry["column"]) for entry in listed] == [("公民号", "id_number"), ("地址", "")]
    assert "（不采用）" in as_text(render.mappings(listed))
    confirmations.forget_mapping(CAMPAIGN, "population", "gongan", "公民号", "office", "换了系统", LATER)
    assert deliver(population_file(tmp_path / "人口.csv", people(40), ODD))["verdict"] == "returned"
    for wrong in (lambda: confirm("公民号", "number"), lambda: confirm("", "name"), lambda: confirm("x", "name", "nobody"),
                  lambda: confirmations.forget_mapping(CAMPAIGN, "population", "gongan", "公民号", "office", "x", LATER)):
        with pytest.raises(WrongUse):
            wrong()


def test_a_waived_file_counts_and_the_trail_names_who_and_why(deliver: Deliver, some: Any) -> None:
    deliver(some("人口.csv", 1, 101), period="2021-04", at=datetime(2021, 5, 8, tzinfo=UTC))
    shrunk = deliver(some("人口.csv", 1, 61))
    assert shrunk["verdict"] == "returned"
    assert feed_state("population") == "sent_back"
    taken = confirmations.waive(CAMPAIGN, shrunk["delivery"], "office", "公安局来函：撤并户口", LATER)
    assert (taken["verdict"], taken["accepted"]) == ("accepted_with_warnings", 60)
    assert in_force() == {"人口.csv": 60}
    assert feed_state("population") == "accepted"
    assert ("delivery waived", "office", "公安局来函：撤并户口") in audited()
    told = receipt(CAMPAIGN, taken["delivery"])
    assert (told["waived_by"], told["corrects"], told["in_force"]) == ("office", shrunk["delivery"], "in force")
    with pytest.raises(WrongUse, match="no returned file that still stands"):
        confirmations.waive(CAMPAIGN, shrunk["delivery"], "office", "再来一次", LATER)


def test_a_fault_that_nobody_can_talk_away_is_not_waived(deliver: Deliver, tmp_path: Path) -> None:
    lost = [["5.30422E+17", *a_person(serial)[1:]] for serial in range(1, 41)]
    returned = deliver(population_file(tmp_path / "人口.csv", lost))
    assert (returned["verdict"], returned["next"]) == ("returned", [])
    with pytest.raises(WrongUse, match="lost_digits"):
        confirmations.waive(CAMPAIGN, returned["delivery"], "office", "请放行", LATER)
    unread = deliver(csv_file(tmp_path / "b.csv", [["x"], ["y"]]))
    with pytest.raises(WrongUse, match="could not be read"):
        confirmations.waive(CAMPAIGN, unread["delivery"], "office", "请放行", LATER)
    with pytest.raises(WrongUse, match="who confirms it"):
        confirmations.waive(CAMPAIGN, unread["delivery"], " ", "请放行", LATER)


# --- the receipt and the clock --------------------------------------------------------------------------


def test_a_returned_file_says_by_when_to_send_it_again(deliver: Deliver, tmp_path: Path) -> None:
    late = datetime(2021, 6, 11, 2, tzinfo=UTC)  # due 06-10; three workdays later, over the Dragon Boat holiday
    returned = deliver(csv_file(tmp_path / "a.csv", [["x"], ["y"]]), at=late)
    assert returned["redeliver_by"] == date(2021, 6, 17).isoformat()
    assert returned["reason"].endswith("请于2021年6月17日前重新报送。")
    assert feed_state("population", at=late) == "sent_back"


def test_the_record_says_where_the_untouched_original_lies(deliver: Deliver, some: Any) -> None:
    sent = some("市公安局_人口.csv", 0, 20)
    taken = deliver(sent)
    with transaction() as tx:
        row = store.one(tx, CAMPAIGN, taken["delivery"])
    assert row is not None
    assert (folder(CAMPAIGN) / row["original"]).read_bytes() == sent.read_bytes()


def test_a_receipt_tells_all_and_names_nobody(deliver: Deliver, tmp_path: Path) -> None:
    secret = a_number(77)
    rows = [*people(200), a_person(77, 身份证号=secret[:-1] + "*", 姓名="独孤某某"), a_person(1), ["合计", "202人"]]
    taken = deliver(population_file(tmp_path / "人口.csv", rows))
    result = receipt(CAMPAIGN, taken["delivery"])
    assert (result["rows"], result["accepted"], result["quarantined"], result["duplicate"], result["dropped"]) == (203, 200, 1, 1, 1)
    assert result["quarantined_for"] == {"「身份证号」位数或格式不对": 1}
    assert {check["rule"] for check in result["checks"] if check["passed"]} >= {"population.control_total", "population.key_unique"}
    text = as_text(render.receipt(result))
    for said in (result["sha256"], "203 = 可用 200 + 待核 1 + 重复 1 + 剔除 1", "号码有效率", "合计行写明的条数与文件中的行数", "公安"):
        assert said in text
    assert not any(word in text for word in (secret[:-1], "独孤"))
    with pytest.raises(WrongUse, match="no delivery 999"):
        receipt(CAMPAIGN, 999)


def test_the_commands_say_what_to_do_next(deliver: Deliver, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from canbao.commands import app

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(words))
        return result.exit_code, result.output

    place = tmp_path / "inbox" / "population" / "2021-05"
    place.mkdir(parents=True)
    path = population_file(place / "人口.csv", people(40), ODD)
    os.utime(path, (ARRIVAL.timestamp(), ARRIVAL.timestamp()))
    code, text = run("intake", CAMPAIGN, "--inbox", str(tmp_path / "inbox"), "--period", "2021-05")
    assert code == 1
    assert f"canbao map {CAMPAIGN} --feed population --provider gongan --header '公民号' --column id_number" in text
    confirmed = ("map", CAMPAIGN, "--feed", "population", "--provider", "gongan", "--header", "公民号", "--column", "id_number",
                 "--by", "office", "--reason", "来函")
    code, text = run(*confirmed)
    assert (code, "means id_number" in text, "accepted" in text) == (0, True, True)
    assert "公民号" in run("map", CAMPAIGN, "--list")[1]
    assert run("receipt", CAMPAIGN, "--delivery", "2")[0] == 0
    assert '"verdict": "accepted"' in run("receipt", CAMPAIGN, "--delivery", "2", "--json")[1]
