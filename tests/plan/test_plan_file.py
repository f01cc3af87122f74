"""Reading a plan file: what its text may be, on which line a fault stands, and where plans are found."""

from __future__ import annotations

import hashlib
from datetime import time
from pathlib import Path

import pytest

from models import plan_file, plan_tree
from models.errors import Fault, PlanUnsound, WrongUse
from tests.plan.a_plan import a_plan, plan_text
from tests.plan.a_plan import plan_file as written


def faults_of(path: Path) -> list[Fault]:
    with pytest.raises(PlanUnsound) as refused:
        plan_file.read(path)
    return refused.value.faults


def a_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "plan.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def line_of(text: str, start: str, nth: int = 1) -> int:
    """The number of the nth line that begins with ``start``, indentation aside."""
    found = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start)]
    return found[nth - 1]


# --- reading --------------------------------------------------------------------------------------------


def test_a_plan_is_read_with_its_text_and_the_hash_of_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, a_plan())

    loaded = plan_file.read(path)

    assert loaded.plan.id == "small-2021"
    assert loaded.text == path.read_text(encoding="utf-8")
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.path == path


def test_a_byte_order_mark_of_windows_is_no_fault(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"\xef\xbb\xbf" + plan_text(a_plan()).encode())

    assert plan_file.read(path).plan.id == "small-2021"


def test_an_hour_without_quotes_is_an_hour_and_not_a_number_of_base_sixty(tmp_path: Path) -> None:
    # YAML 1.1 reads 18:00 as 1080, which would be 00:18 as seconds of the day.
    text = plan_text(a_plan()).replace("  name: 催报\n", "  name: 催报\n  quiet_from: 17:30\n", 1)

    assert plan_file.read(a_file(tmp_path, text)).plan.ladders[0].quiet_from == time(17, 30)


def test_a_no_of_yaml_1_1_is_a_word_and_so_a_fault_for_a_yes_or_no(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("claims: true", "claims: yes")

    fault, = faults_of(a_file(tmp_path, text))

    assert (fault.where, fault.line) == ('dispositions[0] "enrolled".claims', line_of(text, "claims: yes"))
    assert fault.cure == "Write true or false."


def test_figures_may_be_grouped_by_underscores(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("stated_total: 1000", "stated_total: 1_000")

    assert plan_file.read(a_file(tmp_path, text)).plan.targets[0].stated_total == 1000


def test_a_code_with_a_leading_zero_stays_a_text(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("code: '530999'", "code: 053099")

    assert plan_file.read(a_file(tmp_path, text)).plan.region.code == "053099"


def test_a_number_beyond_all_numbers_is_no_number(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("stated_total: 1000", "stated_total: .inf")

    assert faults_of(a_file(tmp_path, text))[0].cure == "Write a whole number without quotes. Or: " \
                                                         "Write a number without quotes."


# --- what is no plan ------------------------------------------------------------------------------------


def test_a_key_given_twice_is_a_fault_though_the_rest_is_in_order(tmp_path: Path) -> None:
    text = plan_text(a_plan()) + "office: renshe\n"

    fault, = faults_of(a_file(tmp_path, text))

    assert (fault.where, fault.line) == ("office", len(text.splitlines()))
    assert fault.what == f"the key is given twice, first on line {line_of(text, 'office: office')}."


def test_a_key_given_twice_deep_inside_is_found_too(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("    value: 3\n", "    value: 3\n    value: 4\n")

    fault, = faults_of(a_file(tmp_path, text))

    assert (fault.where, fault.line) == ("parameters.interruption_months.value", line_of(text, "value: 4"))


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("office: office", "office: [office")

    fault, = faults_of(a_file(tmp_path, text))

    assert fault.where == "top of the plan"
    assert fault.line in (line_of(text, "office: ["), line_of(text, "office: [") + 1)
    assert fault.cure.startswith("Check indentation")


def test_a_tab_names_the_cure_for_tabs(tmp_path: Path) -> None:
    fault, = faults_of(a_file(tmp_path, "canbao: 1\ndocument:\n\tnumber: x\n"))

    assert (fault.line, fault.cure) == (3, "Indent with spaces, not with tabs.")


def test_aliases_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    faults = faults_of(a_file(tmp_path, "\n".join(levels)))

    assert faults[0] == Fault("top of the plan", "the alias `*a0` stands for another part of the file.",
                              "Plans have no aliases: write the value out.", 2)
    assert len(faults) == 11 * 9


def test_a_tag_that_would_build_an_object_is_refused(tmp_path: Path) -> None:
    fault, = faults_of(a_file(tmp_path, "canbao: !!python/object/apply:os.system ['true']\n"))

    assert (fault.line, fault.cure) == (1, "Plans have no tags: leave it out.")


def test_a_thousand_brackets_are_refused(tmp_path: Path) -> None:
    fault, = faults_of(a_file(tmp_path, "canbao: " + "[" * 100_000))

    assert fault.cure == "Look for an unclosed bracket."


def test_two_documents_in_one_file_are_refused(tmp_path: Path) -> None:
    text = plan_text(a_plan())

    fault, = faults_of(a_file(tmp_path, f"{text}---\n{text}"))

    assert (fault.line, fault.cure) == (len(text.splitlines()) + 1, "Keep one plan in one file.")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just a sentence\n", "# only a comment\n", "42"])
def test_a_file_without_keys_is_no_plan(tmp_path: Path, text: str) -> None:
    fault, = faults_of(a_file(tmp_path, text))

    assert fault.cure.startswith("Begin with `canbao: 1`")


def test_a_list_for_a_key_is_a_fault(tmp_path: Path) -> None:
    faults = faults_of(a_file(tmp_path, plan_text(a_plan()) + "? [a, b]\n: c\n"))

    assert [fault.cure for fault in faults] == ["Write a word before the colon."]


def test_text_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    fault, = faults_of(a_file(tmp_path, b"canbao: 1\nid: small\n" + "name: 示例县\n".encode("gb18030")))

    assert (fault.line, fault.cure) == (3, "Save the file as UTF-8.")


def test_a_control_character_names_the_line(tmp_path: Path) -> None:
    fault, = faults_of(a_file(tmp_path, "canbao: 1\nid: sm\x00all\n"))

    assert fault.line == 2
    assert "invisible character" in fault.cure


def test_half_a_character_in_an_escape_is_refused(tmp_path: Path) -> None:
    text = plan_text(a_plan()).replace("purpose: 比对", 'purpose: "\\ud83d" # ')

    assert len(faults_of(a_file(tmp_path, text))) == 1


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    fault, = faults_of(a_file(tmp_path, content))

    assert fault.what == "the file is empty."


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_tree, "SIZE_LIMIT_BYTES", 100)
    assert "larger" in faults_of(a_file(tmp_path, "#" * 101))[0].what
    assert "larger" not in faults_of(a_file(tmp_path, "#" * 100))[0].what


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    fault, = faults_of(tmp_path / "absent.yaml")

    assert fault.what == "the file cannot be read: no such file or directory."


# --- places and lines -----------------------------------------------------------------------------------


def test_a_missing_key_stands_on_the_line_of_its_item(tmp_path: Path) -> None:
    plan = a_plan()
    del plan["organisations"][4]["name"]
    text = plan_text(plan)

    fault, = faults_of(a_file(tmp_path, text))

    assert (fault.where, fault.line) == ('organisations[4] "east".name', line_of(text, "- code: east"))


def test_an_unknown_key_stands_on_its_own_line(tmp_path: Path) -> None:
    plan = a_plan()
    plan["organisations"][4]["alias"] = ["东山公社"]
    text = plan_text(plan)

    fault, = faults_of(a_file(tmp_path, text))

    assert (fault.where, fault.line) == ('organisations[4] "east".alias', line_of(text, "alias:"))
    assert fault.cure.startswith("Did you mean `aliases`? Known here: aliases, code, contacts")


def test_a_place_that_the_text_leaves_to_a_default_has_the_line_of_its_item() -> None:
    text = plan_text(a_plan())
    fault = Fault('obligations[0] "monthly_report".due.months_after', "x.", "y.")

    located, = plan_file.located([fault], text)

    assert located.line == line_of(text, "due:", nth=2)


def test_a_place_with_a_dictionary_key_has_its_line() -> None:
    text = plan_text(a_plan())

    located, = plan_file.located([Fault('targets[0] "insured_total".level.west', "x.", "y.")], text)

    assert text.splitlines()[(located.line or 0) - 1].strip() == "west: 400"


def test_a_message_shows_no_more_of_a_value_than_it_needs(tmp_path: Path) -> None:
    text = plan_text(a_plan(id="Z" * 500)).replace("value: 3", f"value: {'9' * 400}")

    assert [len(fault.what) < 100 for fault in faults_of(a_file(tmp_path, text))] == [True, True]


# --- where plans are ------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("north-2021", "south-2022"):
        folder = tmp_path / "campaigns" / name
        folder.mkdir(parents=True)
        written(folder, a_plan(id=name))
    return tmp_path


def test_a_campaign_is_found_by_its_id(repository: Path) -> None:
    assert plan_file.find("south-2022", repository) == repository / "campaigns" / "south-2022" / "plan.yaml"


def test_a_plan_is_found_by_the_path_of_its_file_or_folder(repository: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = written(elsewhere, a_plan())

    assert plan_file.find(str(path), repository) == path
    assert plan_file.find(str(elsewhere), repository) == path


def test_an_id_wins_over_a_folder_of_the_same_name(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "north-2021").mkdir()
    written(repository / "north-2021", a_plan())
    monkeypatch.chdir(repository)

    assert plan_file.find("north-2021", repository) == repository / "campaigns" / "north-2021" / "plan.yaml"


@pytest.mark.parametrize("campaign", ["north-2022", "", "../campaigns", "no/such/plan.yaml", "north-2021/../x"])
def test_an_unknown_campaign_names_those_there_are(repository: Path, campaign: str) -> None:
    with pytest.raises(WrongUse) as refused:
        plan_file.find(campaign, repository)

    assert "Campaigns here: north-2021, south-2022." in refused.value.cure


def test_the_campaigns_of_this_repository_are_the_default() -> None:
    assert plan_file.find("chengjiang-2021") == plan_file.REPOSITORY / "campaigns" / "chengjiang-2021" / "plan.yaml"


def test_braces_within_a_text_name_the_cure_for_them(tmp_path: Path) -> None:
    text = "canbao: 1\nbulletins:\n  - {id: b, number_pattern: 通报〔{year}〕{n}号, cadence: {every: once}}\n"
    fault, = faults_of(a_file(tmp_path, text))
    assert fault.line == 3
    assert "stands in quotes" in fault.cure
