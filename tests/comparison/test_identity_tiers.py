"""Whose row is it? Each tier with its conditions, and what goes to a person instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.comparison.a_question import World, a_number

NUMBER = a_number()


@pytest.fixture
def world() -> World:
    return World()


def with_digit(number: str, place: int, digit: str) -> str:
    """The number with another digit at a place counted from 1."""
    return number[:place - 1] + digit + number[place:]


def wrong(number: str, place: int) -> str:
    """One digit up."""
    return with_digit(number, place, str((int(number[place - 1]) + 1) % 10))


# --- tier 0: the same number ----------------------------------------------------------------------------


def test_the_same_number_under_a_spelling_of_the_name_is_the_person(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张維明", fault=None)
    assert world.resolved(tmp_path).of() == ("exact", person, "number_and_spelling")


def test_the_same_number_under_a_clearly_different_name_is_no_match(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "李思雨", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "number_under_another_name")
    assert answers.candidates() == [person]
    assert answers.cases() == {(person, "number_under_another_name")}


def test_a_spouses_number_on_a_row_is_shown_with_both(world: World, tmp_path: Path) -> None:
    husband = world.person(NUMBER, "张伟明", household_no="H1")
    wife = world.person(a_number(2), "李思雨", household_no="H1")
    world.row(NUMBER, "李思雨", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "number_of_relative")
    assert answers.candidates() == [wife, husband]
    assert (wife, "number_of_relative") in answers.cases()


def test_a_spouses_number_where_the_spouse_stands_too_is_linked_to_the_name_and_said(world: World, tmp_path: Path) -> None:
    husband = world.person(NUMBER, "张伟明", household_no="H1")
    wife = world.person(a_number(2), "李思雨", household_no="H1")
    world.has_row("resident_pension", husband)
    world.row(NUMBER, "李思雨", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("repaired", wife, "number_of_relative")
    assert answers.candidates() == [wife]
    assert (wife, "number_of_relative") in answers.cases()


def test_a_childs_number_in_a_register_without_children_is_the_parents_row_and_said(world: World, tmp_path: Path) -> None:
    world.person(a_number(born="20100607"), "张小宝", household_no="H1")
    mother = world.person(a_number(2), "李思雨", household_no="H1")
    world.row(a_number(born="20100607"), "李思雨", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("repaired", mother, "number_of_relative")
    assert (mother, "number_of_relative") in answers.cases()


@pytest.mark.parametrize(("works_at", "spouse_works_at", "tier"), [
    ("E1", None, "repaired"), ("E1", "E2", "repaired"), ("E1", "E1", "review"), ("E2", None, "review"), (None, None, "review"),
])
def test_a_spouses_number_is_linked_to_the_name_only_where_that_one_alone_works_at_the_rows_employer(
    world: World, tmp_path: Path, works_at: str | None, spouse_works_at: str | None, tier: str,
) -> None:
    husband = world.person(NUMBER, "张伟明", household_no="H1")
    wife = world.person(a_number(2), "李思雨", household_no="H1")
    for person, employer in ((wife, works_at), (husband, spouse_works_at)):
        if employer:
            world.has_row("employment", person, employer)
    world.row(NUMBER, "李思雨", feed="employee_pension", fault=None, employer_code="E1")
    answers = world.resolved(tmp_path)
    assert answers.of()[:2] == (tier, wife if tier == "repaired" else None)
    assert (wife, "number_of_relative") in answers.cases()


@pytest.mark.parametrize("feed", ["deaths", "resident_pension"])
def test_a_spouses_number_is_a_question_for_a_death_and_for_who_stands_there_already(
    world: World, tmp_path: Path, feed: str,
) -> None:
    husband = world.person(NUMBER, "张伟明", household_no="H1")
    wife = world.person(a_number(2), "李思雨", household_no="H1")
    world.has_row(feed, husband)
    if feed != "deaths":
        world.has_row(feed, wife)
    world.row(NUMBER, "李思雨", feed=feed, fault=None)
    assert world.resolved(tmp_path).of() == ("review", None, "number_of_relative")


def test_a_strangers_number_where_the_stranger_stands_too_is_linked_by_all_else_and_said(world: World, tmp_path: Path) -> None:
    holder = world.person(NUMBER, "张伟明")
    meant = world.person(a_number(2, born="19710203"), "段晓芸", village="小村")
    world.has_row("resident_pension", holder)
    world.row(NUMBER, "段晓芸", fault=None, township="fenglu", village="小村")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("probable", meant, "number_of_stranger")
    assert answers.cases() == {(meant, "number_of_stranger")}
    assert answers.candidates() == [meant, holder]


def test_a_homophone_that_is_exactly_the_brothers_name_goes_to_review(world: World, tmp_path: Path) -> None:
    world.person(NUMBER, "张文明", household_no="H1")
    world.person(a_number(3), "张文敏", household_no="H1")
    world.row(NUMBER, "张文敏", fault=None)
    assert world.resolved(tmp_path).of()[0] == "review"


def test_a_given_name_alone_is_the_holders_though_a_brother_bears_it_too(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "艾力·买买提", household_no="H1")
    world.person(a_number(3), "艾力·卡德尔", household_no="H1")
    world.row(NUMBER, "艾力", fault=None)
    assert world.resolved(tmp_path).of() == ("exact", person, "number_and_part")


def test_the_fathers_name_alone_on_a_childs_number_goes_to_review(world: World, tmp_path: Path) -> None:
    world.person(NUMBER, "阿力木·买买提", household_no="H1")
    father = world.person(a_number(3, born="19550607"), "买买提·艾力", household_no="H1")
    world.row(NUMBER, "买买提", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of()[0] == "review"
    assert father in answers.candidates()


def test_a_name_cut_off_is_the_holders_though_a_sisters_sounds_like_the_whole(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "沙吾列", household_no="H1")
    world.person(a_number(2), "萨吾列·巴合兰", household_no="H1")
    world.row(NUMBER, "沙吾列·巴合兰", fault=None)
    assert world.resolved(tmp_path).of() == ("exact", person, "number_and_part")


@pytest.mark.parametrize("stands", [True, False])
def test_a_name_cut_off_is_the_holders_unless_who_bears_just_that_name_is_missing_there(
    world: World, tmp_path: Path, stands: bool,
) -> None:
    person = world.person(NUMBER, "沙吾列", household_no="H1")
    sister = world.person(a_number(2), "沙吾列·巴合兰", household_no="H1")
    if stands:
        world.has_row("resident_pension", sister)
    world.row(NUMBER, "沙吾列·巴合兰", fault=None)
    found = world.resolved(tmp_path).of()
    assert found == (("exact", person, "number_and_part") if stands else ("review", None, "number_of_relative"))


def test_of_two_names_on_one_number_the_right_one_is_linked(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张伟明", fault="id_number_two_names")
    world.row(NUMBER, "李思雨", fault="id_number_two_names")
    answers = world.resolved(tmp_path)
    assert answers.of(0) == ("exact", person, "number")
    assert answers.of(1)[0] == "review"


def test_nobodys_number_is_unlinked(world: World, tmp_path: Path) -> None:
    world.person(NUMBER)
    world.row(a_number(7, born="19600101"), fault=None)
    assert world.resolved(tmp_path).of() == ("unlinked", None, None)


# --- old numbers, two numbers ---------------------------------------------------------------------------


def test_an_old_number_of_the_table_is_the_person(world: World, tmp_path: Path) -> None:
    old = a_number(9, born="19850608", area="530421")
    person = world.person(NUMBER, "张伟明")
    world.old_numbers.append((old, NUMBER))
    world.row(old, "张伟明", fault=None)
    assert world.resolved(tmp_path).of() == ("old_number", person, "old_number")


def test_an_old_number_under_another_name_goes_to_review(world: World, tmp_path: Path) -> None:
    old = a_number(9, born="19850608", area="530421")
    world.person(NUMBER, "张伟明")
    world.old_numbers.append((old, NUMBER))
    world.row(old, "李思雨", fault=None)
    assert world.resolved(tmp_path).of()[0] == "review"


def test_one_person_under_two_areas_is_linked_and_said(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(a_number(area="533025"), "张伟明", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("old_number", person, "other_area")
    assert answers.cases() == {(person, "two_numbers")}


def unseen(number: str) -> str:
    """A sound number two digits from this one, in area and serial, whose check letter is the same."""
    return next(other for digit in "0123456789" for serial in range(1, 999, 2)
                if (other := a_number(serial, area=f"53042{digit}"))[-1] == number[-1]
                and sum(a != b for a, b in zip(other, number, strict=True)) == 2)


def test_two_wrong_digits_that_the_check_letter_does_not_see_are_linked_and_said(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(unseen(NUMBER), "张伟明", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("repaired", person, "unseen_digits")
    assert answers.cases() == {(person, "two_numbers")}
    assert answers.candidates() == [person]


@pytest.mark.parametrize(("name", "feed"), [("张维明", "resident_pension"), ("张伟明", "deaths")])
def test_unseen_digits_under_another_spelling_or_of_a_death_are_a_question(
    world: World, tmp_path: Path, name: str, feed: str,
) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(unseen(NUMBER), name, feed=feed, fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "two_numbers")
    assert answers.candidates() == [person]


def test_a_neighbour_in_the_serial_is_a_question_never_a_link(world: World, tmp_path: Path) -> None:
    """Two children of one birthday and area differ by a serial and so by the check letter: that is no slip."""
    world.person(NUMBER, "张伟明")
    world.row(a_number(3), "张伟明", fault=None)
    assert world.resolved(tmp_path).of() == ("review", None, "two_numbers")


# --- rows that say unreadably what they say -------------------------------------------------------------


def test_a_row_whose_status_cannot_be_read_is_the_persons_and_is_asked_about(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张伟明", fault="status_unknown")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("exact", person, "number")
    assert answers.cases() == {(person, "status_in_doubt")}


def test_an_employment_without_a_readable_employer_is_an_employment(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张伟明", feed="employment", fault="employer_code_old_number")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("exact", person, "number")
    assert answers.cases() == set()


def test_a_death_whose_day_cannot_be_read_is_a_question(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张伟明", feed="deaths", fault="death_date_unreadable")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "status_in_doubt")
    assert answers.cases() == {(person, "status_in_doubt")}


def test_a_person_whose_status_in_the_population_register_cannot_be_read_is_asked_about(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明", is_in_doubt=True)
    assert world.resolved(tmp_path).cases() == {(person, "status_in_doubt")}


# --- tier 1: slips --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [1, 2, 6, 7, 10, 14, 15, 17])
def test_one_wrong_digit_is_found_wherever_it_stands(world: World, tmp_path: Path, place: int) -> None:
    person = world.person(NUMBER)
    world.row(wrong(NUMBER, place))
    assert world.resolved(tmp_path).of() == ("repaired", person, "wrong_digit")


@pytest.mark.parametrize(("given", "reason"), [
    (NUMBER[:17] + "0", "wrong_check_letter"),
    (NUMBER[:6] + NUMBER[7] + NUMBER[6] + NUMBER[8:], "swapped"),
    (NUMBER[:16] + NUMBER[17] + NUMBER[16], "swapped"),
    (NUMBER[:4] + NUMBER[5:], "missing_digit"), (NUMBER[:17], "missing_digit"),
    (NUMBER[:9] + "3" + NUMBER[9:], "extra_digit"),
    (NUMBER.replace("0", "O"), "letters"), (NUMBER.replace("5", "S").replace("0", "O"), "letters"),
    (NUMBER[:15] + "000", "lost_digits"), (f"{NUMBER[:6]}-{NUMBER[6:14]}.{NUMBER[14:]}", "letters"),
])
def test_every_slip_of_hand_scanner_or_excel_is_mended(world: World, tmp_path: Path, given: str, reason: str) -> None:
    person = world.person(NUMBER)
    world.row(given)
    assert world.resolved(tmp_path).of() == ("repaired", person, reason)


def test_a_birthday_no_calendar_has_is_mended(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER)
    world.row(a_number(born="19850230"), fault="id_number_birth_date")
    assert world.resolved(tmp_path).of() == ("repaired", person, "birth_day")


def test_a_slip_is_only_mended_under_the_same_name(world: World, tmp_path: Path) -> None:
    world.person(NUMBER, "张伟明")
    world.row(wrong(NUMBER, 7), "李思雨")
    assert world.resolved(tmp_path).of()[0] == "unlinked"


def test_a_slip_under_a_transliteration_of_the_name_is_mended(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "买买提·艾力")
    world.row(wrong(NUMBER, 7), "麦麦提艾力")
    assert world.resolved(tmp_path).of()[:2] == ("repaired", person)


def test_a_slip_is_not_mended_where_the_township_contradicts(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER)
    world.row(wrong(NUMBER, 7), township="haikou")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "several_fit")
    assert answers.candidates() == [person]


def test_a_slip_that_fits_two_persons_of_the_name_goes_to_review(world: World, tmp_path: Path) -> None:
    """Both are one digit from what was given, and both bear the name: nobody may choose."""
    one = NUMBER
    given = with_digit(one, 18, "0" if one[17] != "0" else "1")
    other = next(number for place in range(1, 18) for digit in "0123456789"
                 if (number := with_digit(given, place, digit)) != given and number[0] != "0"
                 and number == a_number(int(number[14:17]), born=number[6:14], area=number[:6])
                 and number[6:14].startswith("19") and "01" <= number[10:12] <= "12" and "01" <= number[12:14] <= "28")
    world.person(one)
    world.person(other)
    world.row(given)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "several_fit")
    assert len(answers.candidates()) == 2


def test_a_slip_about_somebody_who_has_a_row_already_goes_to_review(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER)
    world.has_row("resident_pension", person)
    world.row(wrong(NUMBER, 7))
    assert world.resolved(tmp_path).of() == ("review", None, "several_fit")


def test_a_second_employer_is_no_second_person(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER)
    world.has_row("employee_pension", person)
    world.row(wrong(NUMBER, 7), feed="employee_pension", employer_code="E2")
    assert world.resolved(tmp_path).of() == ("repaired", person, "wrong_digit")


def test_two_slips_about_one_person_in_one_register_go_to_review(world: World, tmp_path: Path) -> None:
    world.person(NUMBER)
    world.row(wrong(NUMBER, 7))
    world.row(wrong(NUMBER, 9))
    answers = world.resolved(tmp_path)
    assert [answers.of(0)[0], answers.of(1)[0]] == ["review", "review"]


def test_a_sound_number_is_never_repaired(world: World, tmp_path: Path) -> None:
    world.person(NUMBER)
    neighbour = a_number(3)
    world.row(neighbour, "王大明", fault=None)
    assert world.resolved(tmp_path).of()[1] is None


# --- whose own number is in doubt -----------------------------------------------------------------------


def test_a_register_that_has_the_whole_number_settles_the_populations_doubt(world: World, tmp_path: Path) -> None:
    person = world.person(wrong(NUMBER, 5), doubtful=True)
    world.row(NUMBER, fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("repaired", person, "corroborated")
    assert answers.cases() == set()


def test_a_person_without_number_and_birthday_is_who_stands_so_in_the_township(world: World, tmp_path: Path) -> None:
    person = world.person("", "段晓芸", doubtful=True)
    world.row(NUMBER, "段晓芸", fault=None, township="fenglu")
    world.row(NUMBER, "段晓芸", feed="employment", fault=None)
    answers = world.resolved(tmp_path)
    assert [answers.of(place) for place in range(2)] == [("repaired", person, "unnumbered")] * 2
    assert (person, "number_in_doubt") in answers.cases()


@pytest.mark.parametrize("said", [
    [("fenglu", NUMBER), ("fenglu", a_number(5))], [("longjie", NUMBER)], [(None, NUMBER)],
], ids=["two numbers", "another township", "no township"])
def test_a_person_without_number_and_birthday_is_not_guessed(
    world: World, tmp_path: Path, said: list[tuple[str | None, str]],
) -> None:
    world.person("", "段晓芸", doubtful=True)
    for feed, (township, number) in zip(("resident_pension", "employment"), said, strict=False):
        world.row(number, "段晓芸", feed=feed, fault=None, township=township)
    answers = world.resolved(tmp_path)
    assert {answers.of(place)[0] for place in range(len(said))} <= {"review", "unlinked"}


def test_a_person_with_somebody_elses_number_and_no_birthday_is_who_stands_so_in_the_township(
    world: World, tmp_path: Path,
) -> None:
    others = a_number(7)
    holder = world.person(others, "张伟明", doubtful=True, birth_date=None)
    person = world.person(others, "段晓芸", doubtful=True, birth_date=None)
    world.row(others, "张伟明", fault=None, township="fenglu")
    world.row(NUMBER, "段晓芸", fault=None, township="fenglu")
    answers = world.resolved(tmp_path)
    assert [answers.of(place)[1] for place in range(2)] == [holder, person]
    assert answers.of(1) == ("repaired", person, "unnumbered")


def test_whose_own_number_a_register_knows_is_not_looked_for_under_another(world: World, tmp_path: Path) -> None:
    person = world.person(a_number(7), "段晓芸", doubtful=True, birth_date=None)
    world.row(a_number(7), "段晓芸", fault=None, township="fenglu")
    world.row(NUMBER, "段晓芸", feed="hardship", fault=None, township="fenglu")
    answers = world.resolved(tmp_path)
    assert [answers.of(place)[1] for place in range(2)] == [person, None]


@pytest.mark.parametrize(("bearers", "tier"), [(0, "repaired"), (3, "unlinked")])
def test_a_person_without_number_is_found_by_name_alone_only_if_hardly_anybody_bears_it(
    world: World, tmp_path: Path, bearers: int, tier: str,
) -> None:
    person = world.person("", "段晓芸", doubtful=True)
    a_crowd(world)
    for serial in range(bearers):
        world.person(a_number(500 + serial, born="19520304"), "段晓芸")
    world.row(NUMBER, "段晓芸", feed="employment", fault=None)
    assert world.resolved(tmp_path).of()[:2] == (tier, person if tier == "repaired" else None)


def test_two_persons_on_one_number_each_get_their_rows_and_a_review(world: World, tmp_path: Path) -> None:
    one = world.person(NUMBER, "张伟明", doubtful=True)
    other = world.person(NUMBER, "李思雨", doubtful=True)
    world.row(NUMBER, "张伟明", fault=None)
    answers = world.resolved(tmp_path)
    assert answers.of() == ("exact", one, "number")
    assert answers.cases() == {(one, "number_in_doubt"), (other, "number_in_doubt")}


# --- tier 2: no number at all ---------------------------------------------------------------------------


def a_crowd(world: World, count: int = 60) -> None:
    """Other people, so that a name says something."""
    for serial in range(101, 101 + 2 * count, 2):
        world.person(a_number(serial, born="19700101"), f"陈{'安邦成德恩福光海'[serial // 2 % 8]}{'国华江军康'[serial // 16 % 5]}", village="小营村")


def test_a_row_without_number_is_the_only_one_of_the_name_in_the_village(world: World, tmp_path: Path) -> None:
    a_crowd(world)
    person = world.person(NUMBER, "王大明")
    world.row(None, township="fenglu", village="大河村")
    assert world.resolved(tmp_path).of() == ("probable", person, "residual_model")


def test_namesakes_in_one_village_are_shown_not_chosen(world: World, tmp_path: Path) -> None:
    a_crowd(world)
    world.person(NUMBER, "王大明")
    world.person(a_number(5), "王大明")
    world.row(None, township="fenglu", village="大河村")
    answers = world.resolved(tmp_path)
    assert answers.of() == ("review", None, "likeness")
    assert len(answers.candidates()) == 2


def test_of_two_namesakes_the_one_without_a_row_is_meant(world: World, tmp_path: Path) -> None:
    a_crowd(world)
    world.has_row("resident_pension", world.person(NUMBER, "王大明"))
    person = world.person(a_number(5), "王大明")
    world.row(None, township="fenglu", village="大河村")
    assert world.resolved(tmp_path).of() == ("probable", person, "residual_model")


def test_a_death_without_number_is_never_linked_by_likeness(world: World, tmp_path: Path) -> None:
    a_crowd(world)
    person = world.person(NUMBER, "王大明")
    world.row(None, feed="deaths", township="fenglu", village="大河村")
    answers = world.resolved(tmp_path)
    assert answers.of()[0] == "review"
    assert answers.candidates() == [person]


def test_a_child_is_not_taken_for_a_pensioner_of_the_name(world: World, tmp_path: Path) -> None:
    a_crowd(world)
    world.person(a_number(born="20150607"), "王大明")
    world.row(None, township="fenglu", village="大河村")
    assert world.resolved(tmp_path).of()[0] == "unlinked"


# --- what somebody decided ------------------------------------------------------------------------------


def test_a_decision_links_and_its_contrary_never_asks_again(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张梓涵", fault=None)
    key = world.resolved(tmp_path).row_key()
    world.decisions.append((key, person, True))
    answers = world.resolved(tmp_path)
    assert answers.of() == ("clerical", person, "decided")
    assert answers.cases() == set()
    world.decisions[:] = [(key, person, False)]
    answers = world.resolved(tmp_path)
    assert (answers.of(), answers.candidates(), answers.cases()) == (("unlinked", None, None), [], set())


def test_one_question_is_asked_once_for_all_registers(world: World, tmp_path: Path) -> None:
    world.person(NUMBER, "张伟明")
    world.row(NUMBER, "张梓涵", fault=None)
    world.row(NUMBER, "张梓涵", fault=None, feed="deaths")
    answers = world.resolved(tmp_path)
    assert answers.row_key(0) == answers.row_key(1)


def test_a_decision_survives_a_change_of_line_file_and_separator(world: World, tmp_path: Path) -> None:
    person = world.person(NUMBER, "买买提·艾力")
    world.row(NUMBER, "古丽·肉孜", fault=None)
    world.decisions.append((world.resolved(tmp_path).row_key(), person, True))
    world.rows[0] |= {"row_number": 77, "file": 2, "name": "古丽肉孜"}
    assert world.resolved(tmp_path).of()[0] == "clerical"


def test_the_order_of_rows_and_persons_changes_nothing(world: World, tmp_path: Path) -> None:
    a_crowd(world, 20)
    world.person(NUMBER, "王大明")
    world.row(wrong(NUMBER, 7))
    world.row(None, "陈安国", township="fenglu", village="小营村")
    world.row(NUMBER, "李思雨", fault=None)
    before = [world.resolved(tmp_path).of(place) for place in range(3)]
    world.persons.reverse()
    world.rows.reverse()
    assert [world.resolved(tmp_path).of(place) for place in (2, 1, 0)] == before
