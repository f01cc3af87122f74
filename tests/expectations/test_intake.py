"""Intake: one file in, one receipt out; what is kept, what is sent back, and that doing it twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import suites
from expectations.history import Held, History
from expectations.intake import Intake
from expectations.quality_page import Earlier, Surroundings, quality_page
from models import contract
from models.errors import StorageUnavailable, WrongUse
from models.plan import Gates, Plan
from rules.drift import Profile
from tests.expectations.a_file import (
    POPULATION,
    a_credit_code,
    a_number,
    a_person,
    csv_file,
    people,
    population_file,
    workbook,
)

Take = Callable[..., Intake]


def failed(intake: Intake) -> set[str]:
    return {check.rule_id.partition(".")[2] for check in intake.checks if not check.passed}


def with_gates(plan: Plan, feed: str, **changes: Any) -> Plan:
    feeds = tuple(entry.model_copy(update=changes) if entry.feed == feed else entry for entry in plan.feeds)
    return plan.model_copy(update={"feeds": feeds})


# --- what is kept ---------------------------------------------------------------------------------------


def test_a_clean_file_is_accepted_and_becomes_a_typed_snapshot(take_in: Take, tmp_path: Path) -> None:
    path = population_file(tmp_path / "市公安局_户籍人口信息_2021年5月.csv", people(30))
    intake = take_in(path)
    assert (intake.verdict, intake.provider, intake.feed, intake.period) == ("accepted", "gongan", "population", "2021-05")
    assert (intake.rows, intake.accepted, intake.quarantined, intake.duplicate, intake.dropped) == (30, 30, 0, 0, 0)
    assert intake.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert intake.size_bytes == path.stat().st_size
    assert intake.snapshot == tmp_path / "snapshots" / "population" / "2021-05" / f"{intake.sha256[:16]}.parquet"
    assert intake.quarantine is None
    assert all(check.passed for check in intake.checks)
    assert len({check.rule_id for check in intake.checks}) == len(intake.checks)
    assert intake.reason == "已接收。共 30 行：可用 30，待核 0，重复 0，剔除（合计、签名、空行等）0。"


@pytest.mark.parametrize("feed", [entry.feed for entry in contract.all()])
def test_a_snapshot_has_the_documented_columns_and_types_of_every_feed(normalise: Any, tmp_path: Path, feed: str) -> None:
    entry = contract.for_feed(feed)
    normalise(csv_file(tmp_path / "a.csv", [[column.label for column in entry.columns.values()]]), feed)
    found = duckdb.sql(f"DESCRIBE SELECT * FROM '{tmp_path / 'accepted.parquet'}'").fetchall()
    types = {"date": "DATE", "amount": "DOUBLE", "number": "DOUBLE", "int": "BIGINT"}
    expected = {name: types.get(column.type, "VARCHAR") for name, column in entry.columns.items()}
    assert {row[0]: row[1] for row in found} == {**expected, "row_number": "BIGINT", "member": "INTEGER", "source_file": "VARCHAR"}


def test_taking_a_file_twice_leaves_the_same_bytes(take_in: Take, tmp_path: Path) -> None:
    path = population_file(tmp_path / "a.csv", [*people(40), a_person(1), a_person(41, 身份证号="1")])
    first = take_in(path)
    kept = {file: file.read_bytes() for file in (tmp_path / "snapshots").rglob("*") if file.is_file()}
    assert take_in(path) == first
    assert {file: file.read_bytes() for file in (tmp_path / "snapshots").rglob("*") if file.is_file()} == kept
    assert {file.suffixes[0] for file in kept} == {".parquet", ".quarantine", ".doubtful"}


def test_quarantined_rows_are_kept_for_the_way_back(take_in: Take, rows_of: Any, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a.csv", [*people(60), a_person(61, 身份证号="123")]))
    assert intake.quarantine_reasons == {"id_number_shape": 1}
    assert [(row["line"], row["reason"], row["id_number"]) for row in rows_of(intake.quarantine)] == [(62, "id_number_shape", "123")]


def test_dates_of_a_workbook_arrive_as_dates(take_in: Take, rows_of: Any, tmp_path: Path) -> None:
    dead = [a_number(1), "王二", date(2021, 5, 3)]
    rows = [["死亡人员信息"], ["死者身份证号", "死者姓名", "死亡日期"], dead, ["合计", "1人"], ["填表人：某某"]]
    intake = take_in(workbook(tmp_path / "a.xlsx", {"一": rows}), "deaths")
    assert rows_of(intake.snapshot)[0]["death_date"] == date(2021, 5, 3)
    assert (intake.dropped, intake.control_total, intake.verdict) == (2, 1, "accepted")


# --- who sent it ----------------------------------------------------------------------------------------

PROJECT = [["施工许可证号", "项目名称", "主管部门", "开工日期", "是否参加工伤保险", "工伤参保日期"],
           ["A-1", "某桥", "市交通局", "2021-04-01", "是", "2021-03-20"]]


@pytest.mark.parametrize(("name", "provider"), [
    ("市交通局_工程.csv", "jiaotong"), ("澄江市住房和城乡建设局_工程.csv", "zhujian"), ("shuili_工程.csv", "shuili"),
])
def test_of_several_providers_the_file_name_says_which(take_in: Take, tmp_path: Path, name: str, provider: str) -> None:
    assert take_in(csv_file(tmp_path / name, PROJECT), "construction_projects").provider == provider


def test_a_file_whose_sender_cannot_be_told_is_returned_saying_how_to_name_it(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(csv_file(tmp_path / "工程.csv", PROJECT), "construction_projects")
    assert (intake.verdict, intake.provider, intake.rows) == ("returned", None, 0)
    assert "文件名请以单位简称加下划线开头" in intake.reason


def test_the_provider_that_is_named_wins_over_the_file_name(take_in: Take, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "市交通局_工程.csv", PROJECT)
    assert take_in(path, "construction_projects", provider="shuili").provider == "shuili"


@pytest.mark.parametrize(("settings", "told"), [
    ({"feed": "cards", "plan": None}, "expects no feed"), ({"period": "2021-13"}, "2021-13"),
    ({"provider": "minzheng"}, "does not deliver"),
])
def test_what_the_plan_does_not_know_is_wrong_use(
    take_in: Take, tmp_path: Path, plan: Plan, settings: dict[str, Any], told: str
) -> None:
    if "plan" in settings:
        settings = {**settings, "plan": plan.model_copy(update={"feeds": plan.feeds[:1]})}
    with pytest.raises(WrongUse, match=told):
        take_in(population_file(tmp_path / "a.csv", people(1)), **settings)


def test_a_successor_delivers_in_the_place_of_the_unit_it_took_over(take_in: Take, tmp_path: Path, plan: Plan) -> None:
    old = plan.organisation("fupin")
    heir = old.model_copy(update={
        "code": "xiangcun", "name": "澄江市乡村振兴局", "short": "市乡村振兴局", "aliases": (), "succeeds": ("fupin",),
        "valid_from": date(2021, 5, 1)})
    others = tuple(org if org.code != "fupin" else old.model_copy(update={"valid_to": date(2021, 4, 30)}) for org in plan.organisations)
    later = plan.model_copy(update={"organisations": (*others, heir)})
    rows = [["身份证号", "姓名", "户类型"], [a_number(1), "王二", "脱贫户"]]
    assert take_in(csv_file(tmp_path / "脱贫.csv", rows), "poverty", plan=later).provider == "xiangcun"


# --- verdicts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("valid", "of", "verdict"), [
    (94, 100, "returned"), (95, 100, "accepted_with_warnings"), (97, 100, "accepted_with_warnings"), (98, 100, "accepted"),
])
def test_the_share_of_valid_numbers_decides_at_the_plans_gates(take_in: Take, tmp_path: Path, valid: int, of: int, verdict: str) -> None:
    rows = [[a_number(i), "王二", "凤麓", "1"] for i in range(valid)] + [[a_number(i)[:-1] + "*", "王二", "凤麓", "1"] for i in range(valid, of)]
    intake = take_in(csv_file(tmp_path / "a.csv", [["身份证号", "姓名", "乡镇", "参保状态"], *rows]), "resident_medical")
    assert intake.valid_id_share == pytest.approx(valid / of)
    assert intake.verdict == verdict
    assert (intake.snapshot is None) == (verdict == "returned")
    assert intake.quarantine is not None


def after(rows: int | None) -> History:
    """The last period's file had so many accepted rows; None: there was none."""
    last = () if rows is None else (Held(1, "", rows, Path("last.parquet"), Profile(rows)),)
    return History(last=last)


@pytest.mark.parametrize(("previous", "verdict"), [(100, "accepted"), (101, "returned"), (None, "accepted"), (0, "accepted"), (50, "accepted")])
def test_a_full_snapshot_that_shrinks_by_more_than_the_gate_is_returned(take_in: Take, tmp_path: Path, previous: int | None, verdict: str) -> None:
    # The gate is 5 %: 95 of 100 is exactly five percent, 95 of 101 is more.
    intake = take_in(population_file(tmp_path / "a.csv", people(95)), history=after(previous))
    assert intake.verdict == verdict


def test_a_supplement_may_shrink_and_may_be_empty(take_in: Take, tmp_path: Path) -> None:
    headers = ["死者身份证号", "死者姓名", "死亡日期"]
    small = take_in(csv_file(tmp_path / "a.csv", [headers, [a_number(1), "王二", "2021-05-03"]]), "deaths", history=after(90))
    none = take_in(csv_file(tmp_path / "b.csv", [headers]), "deaths", history=after(90))
    assert (small.verdict, none.verdict, none.rows) == ("accepted", "accepted_with_warnings", 0)


def test_an_empty_full_snapshot_is_returned(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a.csv", []))
    assert (intake.verdict, intake.rows) == ("returned", 0)
    assert "rows_present" in failed(intake)


def test_one_blank_number_returns_a_full_population_register_but_no_other(take_in: Take, tmp_path: Path) -> None:
    register = take_in(population_file(tmp_path / "a.csv", [*people(200), a_person(201, 身份证号="")]))
    rows = [["身份证号", "姓名", "参保状态"], *([a_number(i), "王二", "1"] for i in range(1, 201)), ["", "王二", "1"]]
    scheme = take_in(csv_file(tmp_path / "b.csv", rows), "employee_pension")
    assert (register.verdict, scheme.verdict) == ("returned", "accepted_with_warnings")
    assert "blank_key" in failed(register) & failed(scheme)


def test_numbers_stored_as_numbers_return_the_file_with_the_cure(take_in: Take, tmp_path: Path) -> None:
    rows = [POPULATION, *([float(a_number(i)[:17] + "0"), *a_person(i)[1:]] for i in range(1, 30))]
    intake = take_in(workbook(tmp_path / "a.xlsx", {"一": rows}))
    assert intake.verdict == "returned"
    assert intake.quarantine_reasons == {"id_number_lost_digits": 29}
    assert "被存成数字" in intake.reason
    assert "文本" in intake.reason


def test_swapped_columns_are_told(take_in: Take, tmp_path: Path) -> None:
    headers = ["姓名", "身份证号", *POPULATION[2:]]
    assert "swapped_name_and_id" in failed(take_in(population_file(tmp_path / "a.csv", people(5), headers)))


@pytest.mark.parametrize(("name", "verdict"), [
    ("户籍人口_30人.csv", "accepted"), ("户籍人口（共31条）.csv", "returned"), ("户籍人口_2021年5月.csv", "accepted"),
])
def test_the_number_of_rows_in_the_file_name_must_be_right(take_in: Take, tmp_path: Path, name: str, verdict: str) -> None:
    assert take_in(population_file(tmp_path / name, people(30))).verdict == verdict


def test_a_control_total_that_differs_is_a_warning(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a.csv", [*people(30), ["合计", "31人"]]))
    assert (intake.verdict, failed(intake)) == ("accepted_with_warnings", {"control_total"})
    assert "写明 31，实有 30" in intake.reason


def test_employers_are_judged_by_the_contracts_own_shares(take_in: Take, tmp_path: Path) -> None:
    headers = ["统一社会信用代码", "企业名称", "登记状态", "乡镇"]
    codes = [*map(a_credit_code, range(90)), *(f"5304221000{i:05d}" for i in range(10))]
    rows = [[code, f"某厂{i}", "存续", "凤麓"] for i, code in enumerate(codes)]
    intake = take_in(csv_file(tmp_path / "a.csv", [headers, *rows]), "employers")
    assert (intake.verdict, intake.valid_id_share) == ("accepted_with_warnings", 0.9)
    assert intake.quarantine_reasons == {"credit_code_old_number": 10}


def test_townships_that_nobody_knows_are_counted_and_warned_about(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a.csv", [*people(30), a_person(31, 乡镇="某某镇", 住址="")]))
    assert (intake.accepted, intake.unassigned) == (31, 1)
    assert failed(intake) == {"unassigned"}


def test_the_plans_gates_and_no_constants_decide(take_in: Take, tmp_path: Path, plan: Plan) -> None:
    path = population_file(tmp_path / "a.csv", people(95))
    lenient = with_gates(plan, "population", gates=Gates(block_shrink_share=0.5))
    assert take_in(path, plan=lenient, history=after(150)).verdict == "accepted"
    assert take_in(path, plan=plan, history=after(150)).verdict == "returned"


def test_an_unreadable_file_is_returned_and_its_receipt_balances(take_in: Take, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"%PDF-1.4")
    intake = take_in(path)
    assert (intake.verdict, intake.rows, intake.accepted, intake.snapshot) == ("returned", 0, 0, None)
    assert intake.reason.startswith("退回：这是 PDF 文件")


def test_a_region_that_nobody_knows_is_no_denominator(take_in: Take, tmp_path: Path) -> None:
    rows = [["指标", "地区", "年份", "数值"], ["常住人口", "澄江市", "2021年", "17.14万"],
            ["常住人口", "某县", "2021", "1"], ["常住人口", "乙县", "2021", "2"]]
    intake = take_in(csv_file(tmp_path / "a.csv", rows), "statistics")
    assert (intake.accepted, intake.quarantine_reasons) == (1, {"region_unknown": 2})


# --- failing ---------------------------------------------------------------------------------------------


def test_a_missing_file_says_so(take_in: Take, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be read"):
        take_in(tmp_path / "none.csv")


def test_a_folder_that_cannot_be_written_leaves_nothing_half_done(take_in: Take, tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("a file where a folder should be")
    with pytest.raises(StorageUnavailable, match="could not be written"):
        take_in(population_file(tmp_path / "a.csv", people(3)))


def test_a_write_that_breaks_off_leaves_no_file(take_in: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, path: Path) -> None:
        path.write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("expectations.normalise.Normalised.write_snapshot", broken)
    with pytest.raises(StorageUnavailable):
        take_in(population_file(tmp_path / "a.csv", people(3)))
    left = [file for file in (tmp_path / "snapshots").rglob("*") if file.is_file()]
    assert [file for file in left if file.suffixes != [".doubtful", ".parquet"]] == []


def test_no_error_check_or_page_names_a_person(take_in: Take, tmp_path: Path) -> None:
    person = a_number(77)
    hidden = {"姓名": "独孤某某", "住址": "绝密路7号"}
    rows = [*people(5), [*a_person(77, **hidden), "13912345678"], a_person(78, 身份证号=person[:-1] + "*", **hidden)]
    intake = take_in(population_file(tmp_path / "a.csv", rows))
    told = [repr(intake), quality_page(intake, contract.for_feed("population"))]
    for path in (csv_file(tmp_path / "b.csv", rows), csv_file(tmp_path / "c.csv", [["x"], *rows])):
        told.append(repr(take_in(path)))
    for text in told:
        assert not any(secret in text for secret in (person, person[:-1], "独孤", "绝密路", "13912345678"))


# --- expectations ---------------------------------------------------------------------------------------


def test_an_expectation_that_fails_is_told_with_its_share(take_in: Take, tmp_path: Path) -> None:
    rows = [*people(9), a_person(10, 户口性质="居民户口")]
    intake = take_in(population_file(tmp_path / "a.csv", rows))
    check = next(check for check in intake.checks if check.rule_id == "population.hukou_type_valid")
    assert (check.passed, check.severity, check.observed) == (False, "warn", "0.900000")
    assert check.says == "「户口性质」可识别：90.00%，要求不低于 95.00%"


def test_a_check_across_columns_fails(take_in: Take, tmp_path: Path) -> None:
    headers = ["身份证号", "姓名", "乡镇", "参保状态", "参保日期", "终止日期"]
    rows = [[a_number(i), "王二", "凤麓", "3", "2021-01-01", "2020-01-01" if i == 1 else ""] for i in range(1, 5)]
    assert failed(take_in(csv_file(tmp_path / "a.csv", [headers, *rows]), "resident_pension")) >= {"ended_after_enrolled"}


def test_too_many_duplicates_are_a_warning(take_in: Take, tmp_path: Path) -> None:
    assert failed(take_in(population_file(tmp_path / "a.csv", [*people(20), *people(2)]))) == {"key_unique"}


def test_checks_that_could_not_run_count_as_failed(take_in: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> dict[str, Any]:
        raise RuntimeError("row 7: 王二 530422...")

    monkeypatch.setattr(suites, "_results", broken)
    intake = take_in(population_file(tmp_path / "a.csv", people(30)))
    assert intake.verdict == "returned"
    assert {check.observed for check in intake.checks if not check.passed} == {"not run"}
    assert "530422" not in repr(intake)


def test_a_single_expectation_without_a_result_counts_as_failed(take_in: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = suites._results
    monkeypatch.setattr(suites, "_results", lambda *given: {k: v for k, v in whole(*given).items() if k != "population.name_filled"})
    assert failed(take_in(population_file(tmp_path / "a.csv", people(30)))) == {"name_filled"}


def test_an_expectation_that_raises_counts_as_failed(take_in: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.normalise import Normalised

    whole = Normalised.flags
    monkeypatch.setattr(Normalised, "flags", lambda self: whole(self).drop(columns=["status"]))
    intake = take_in(population_file(tmp_path / "a.csv", people(30)))
    assert failed(intake) == {"columns_present", "status_valid"}
    assert intake.verdict == "returned"


@pytest.mark.parametrize("entry", contract.all(), ids=lambda entry: entry.feed)
def test_the_suite_of_every_contract_runs_whole_on_its_states(normalise: Any, tmp_path: Path, plan: Plan, entry: Any) -> None:
    from datetime import date as day

    from expectations.normalise import Normalised
    from expectations.reading import read

    path = csv_file(tmp_path / "a.csv", [[column.label for column in entry.columns.values()], ["1"] * len(entry.columns)])
    rows = Normalised(read(path, entry), entry, plan, day(2021, 5, 31), "a.csv")
    checks = suites.judge(entry, rows.flags(), empty="return")
    rows.close()
    assert len(checks) == len(entry.expectations) + 2
    assert all(check.observed != "not run" for check in checks)


# --- the quality page -----------------------------------------------------------------------------------


def test_the_quality_page_shows_the_account_that_adds_up(take_in: Take, tmp_path: Path) -> None:
    rows = [*people(900), a_person(1), a_person(901, 身份证号="1"), ["合计", "902人"]]
    intake = take_in(population_file(tmp_path / "a.csv", rows))
    page = quality_page(intake, contract.for_feed("population"))
    for text in ("可用", "900", "待核", "重复", "剔除", "903", "「身份证号」位数或格式不对", "合计行写明", "population.key_unique"):
        assert text in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_quality_page_escapes_what_came_from_outside(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(population_file(tmp_path / "a<script>.csv", people(1)))
    assert "<script>" not in quality_page(intake, contract.for_feed("population"))


def test_the_quality_page_of_a_returned_file_says_why(take_in: Take, tmp_path: Path) -> None:
    intake = take_in(csv_file(tmp_path / "a.csv", [["姓名", "性别"], ["王二", "男"]]))
    page = quality_page(intake, contract.for_feed("population"))
    assert "退回" in page
    assert "缺少必需的列" in page
    assert "王二" not in page


def test_the_quality_page_compares_with_earlier_periods_and_says_what_follows(take_in: Take, tmp_path: Path) -> None:
    rows = [*people(97), *(a_person(serial, 身份证号="1") for serial in (98, 99, 100))]
    intake = take_in(population_file(tmp_path / "a.csv", rows))
    around = Surroundings(
        "市公安局", "2021年5月", "2021年6月1日", notes=("更正单已并入原文件",), next_steps=("请于2021年6月4日前报回",),
        earlier=(Earlier("2021年3月", 90, 0, None), Earlier("2021年4月", 100, 1, 0.99)), chain=("c0ffee",))
    page = quality_page(intake, contract.for_feed("population"), around)
    for text in ("市公安局", "2021年6月1日", "更正单已并入原文件", "请于2021年6月4日前报回", "c0ffee", "2021年3月", "97.00%",
                 "可用行数比2021年4月减少 3，待核行数增加 2，号码有效率下降 2.00 个百分点"):
        assert text in page
    assert "与前几次报送相比" not in quality_page(intake, contract.for_feed("population"))


def test_the_quality_page_shows_no_number_that_a_sender_put_into_a_file_name(take_in: Take, tmp_path: Path) -> None:
    page = quality_page(take_in(population_file(tmp_path / f"{a_number(7)}.csv", people(3))), contract.for_feed("population"))
    assert a_number(7) not in page


def test_files_taken_in_at_the_same_time_do_not_mix(take_in: Take, tmp_path: Path) -> None:
    paths = [population_file(tmp_path / f"{count}.csv", people(count)) for count in range(20, 32)]
    with ThreadPoolExecutor(4) as pool:
        taken = [*pool.map(take_in, paths)]
    assert [intake.accepted for intake in taken] == [*range(20, 32)]
    assert {intake.verdict for intake in taken} == {"accepted"}
