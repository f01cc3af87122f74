"""The synthetic place: true sizes, right numbers, months that follow from each other, and visits that mean something."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from models.errors import PlanUnsound, StorageUnavailable, WrongUse
from models.plan import Plan
from models.plan_file import read
from rehearsal import names
from rehearsal.place import Place, Visit
from rehearsal.place_config import PlaceConfig, VisitShares, derived, outcomes_of, read_place
from rehearsal.state import (
    ACTIVE,
    CANCELLED,
    CONVERTED,
    COVERED,
    ENROLLED_AT_SCHOOL,
    EP,
    INDIVIDUAL,
    OPERATING,
    PAYING,
    PENSIONS,
    RP,
    SUSPENDED,
    TERMINATED,
    UN,
    UNCOVERED,
    WI,
    People,
    day_number,
    pick,
    tilted,
)
from rehearsal.truth import PersonFacts, figures, meaning_of, true_lists
from tests.plan.whole import whole_text

PLAN_FILE = Path(__file__).parents[2] / "campaigns" / "chengjiang-2021" / "plan.yaml"
PLAN = read(PLAN_FILE).plan
CONFIG = read_place(PLAN, PLAN_FILE)
EVERYBODY_ENROLS = VisitShares(enrolled=1, away=0, unwilling=0, cannot_pay=0, student=0, other=0)


def config_with(**changes: object) -> PlaceConfig:
    """The place of 澄江 with other habits in all townships."""
    townships = {code: size.model_copy(update={"honesty": None, "visits": None}) for code, size in CONFIG.townships.items()}
    return CONFIG.model_copy(update={"townships": townships, **changes})


def a_place(config: PlaceConfig = CONFIG, seed: int = 7, persons: int = 6000) -> Place:
    """A small 澄江 at the end of April 2021."""
    return Place.create(PLAN, config, seed=seed, persons=persons)


def of_list(place: Place, list_id: str) -> list[str]:
    """Who is on a list of the plan now."""
    return next(entry.keys.tolist() for entry in true_lists(place, PLAN) if entry.item.id == list_id)


def rows_of(place: Place, numbers: list[str]) -> np.ndarray:
    """Row numbers of persons."""
    return np.flatnonzero(np.isin(place.people.id_number, numbers))


@pytest.fixture(scope="module")
def full() -> Place:
    """澄江 at its true size; looked at, never changed."""
    return Place.create(PLAN, CONFIG, seed=7)


# --- numbers and names ----------------------------------------------------------------------------------


def test_the_check_character_of_the_standards_own_example_is_right() -> None:
    # GB 11643-1999 prints 11010519491231002X.
    born = np.array([day_number(date(1949, 12, 31))])
    assert names.citizen_numbers(np.array([110105]), born, np.array([2])).tolist() == ["11010519491231002X"]


@given(st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_breaks_a_citizen_number(position: int, shift: int) -> None:
    number = "11010519491231002X"
    wrong = number[:position] + str((int(number[position]) + shift) % 10) + number[position + 1:]
    assert names.is_citizen_number(number)
    assert not names.is_citizen_number(wrong)


def test_every_person_has_a_number_of_their_own_with_a_right_check_character(full: Place) -> None:
    numbers = full.people.id_number
    assert len(np.unique(numbers)) == len(numbers)
    assert all(names.is_citizen_number(number) for number in numbers[::50].tolist())


def test_the_number_tells_birth_and_sex(full: Place) -> None:
    people = full.people
    born = np.char.replace(people.birth.astype("datetime64[D]").astype("U10"), "-", "")
    letters = people.id_number.astype("U18").view("U1").reshape(-1, 18)
    assert (np.array(["".join(row) for row in letters[::100, 6:14]]) == born[::100]).all()
    assert (letters[:, 16].astype(int) % 2 == people.male).all()


def test_numbers_from_before_the_county_became_a_city_keep_the_former_area_code(full: Place) -> None:
    area, since = full.people.id_number.astype("U6"), day_number(CONFIG.people.former_code_until or PLAN.starts)
    local = np.isin(area, ("530422", "530481"))
    assert (area[local & (full.people.birth < since)] == "530422").all()
    assert (area[local & (full.people.birth >= since)] == "530481").all()
    assert 0.02 < (~local).mean() < 0.15, "foreign areas are normal"


def test_credit_codes_are_right_to_an_independent_check_and_unique(full: Place) -> None:
    codes = full.employers.credit_code.tolist()
    assert len(set(codes)) == len(codes)
    assert all(uscc.is_valid(code) for code in codes[::7])


def test_minority_names_carry_the_middle_dot() -> None:
    dotted = names.dotted_names(np.random.default_rng(1), np.array([True, False]))
    assert all(name.count("·") == 1 for name in dotted.tolist())


def test_dotted_names_are_of_the_peoples_of_the_province_and_seldom_shared() -> None:
    male = np.arange(4000) % 2 == 0
    xinjiang = names.dotted_names(np.random.default_rng(1), male, region="652700").tolist()
    tibet = names.dotted_names(np.random.default_rng(1), male, region="540100").tolist()
    assert len(set(xinjiang)) > 0.95 * len(xinjiang)
    assert any("古丽" in name for name in xinjiang)
    assert not any("古丽" in name for name in tibet)


def test_brothers_and_sisters_share_the_fathers_name() -> None:
    house, male = np.zeros(40, dtype=np.int64), np.arange(40) % 2 == 0
    children = names.dotted_names(np.random.default_rng(1), male, households=house, is_child=male | True, region="652700")
    assert len({name.split("·")[1] for name in children.tolist()}) == 1


def test_no_household_is_a_village(full: Place) -> None:
    assert np.bincount(full.people.household).max() <= 30


def test_a_household_keeps_its_surname_for_a_child_born_later() -> None:
    houses = np.arange(50)
    assert (names.family_names(3, houses) == names.family_names(3, houses)).all()


# --- sizes ----------------------------------------------------------------------------------------------


def test_townships_have_their_true_sizes(full: Place) -> None:
    counted = np.bincount(full.people.township[full.people.registered])
    assert counted.tolist() == [30000, 51400, 31500, 18800, 11000, 28700]


def test_the_start_is_where_the_notice_starts_from(full: Place) -> None:
    # C1 17,900 - 5,525; C2 11,150 - 349; C3 23,800 - 396; C6 223 yuan; C8 asks for 106,800 in the end.
    real = figures(full, PLAN)
    assert (real["employee_pension"], real["unemployment"], real["work_injury"]) == (12375, 10801, 23404)
    assert real["average_payment_yuan"] == pytest.approx(223, abs=2)
    assert 104_000 < real["resident_pension"] < 106_800
    assert real["conversions"] == 0


def test_four_to_eight_in_a_hundred_of_the_eligible_have_no_pension(full: Place) -> None:
    people, age = full.people, full.ages()
    eligible = full.here & (age >= 16) & (people.student != ENROLLED_AT_SCHOOL)
    without = eligible & ~full.active(*PENSIONS) & (people.benefit_state != PAYING)
    assert 0.04 < without.sum() / eligible.sum() < 0.08


def test_sixty_and_over_are_fifteen_in_a_hundred_and_students_five_thousand(full: Place) -> None:
    assert (full.ages()[full.here] >= 60).mean() == pytest.approx(0.15, abs=0.01)
    assert (full.people.student == ENROLLED_AT_SCHOOL).sum() == pytest.approx(5000, abs=300)


def test_a_smaller_place_is_the_same_in_proportion() -> None:
    small = a_place(persons=17_140)
    assert len(small.people) == 17_140
    assert figures(small, PLAN)["employee_pension"] == pytest.approx(1237.5, abs=1)


def test_the_same_seed_gives_the_same_place_and_another_seed_another() -> None:
    first, again, other = a_place(), a_place(), a_place(seed=8)
    assert first.people.table().equals(again.people.table())
    assert first.employers.table().equals(again.employers.table())
    assert not first.people.table().equals(other.people.table())


def test_tilted_tiers_have_the_wanted_mean() -> None:
    values, chances = tilted({200: 80, 300: 10, 500: 5, 2000: 1}, 223)
    assert values @ chances == pytest.approx(223)
    assert chances.sum() == pytest.approx(1)


def test_picking_more_than_there_are_takes_everybody_once() -> None:
    assert sorted(pick(np.random.default_rng(1), np.array([3, 5]), 9).tolist()) == [3, 5]


# --- months ---------------------------------------------------------------------------------------------


def test_a_month_cannot_be_skipped() -> None:
    with pytest.raises(WrongUse, match="2021-05"):
        a_place().advance("2021-06")


def test_a_year_of_months_keeps_numbers_unique_and_nobody_paying_after_death() -> None:
    place = a_place()
    for number in range(5, 13):
        place.advance(f"2021-{number:02d}")
    place.advance("2022-01")
    people = place.people
    assert len(np.unique(people.id_number)) == len(people)
    assert (people.employer[~place.alive] == -1).all()
    assert (people.paid <= people.tier).all(), "in January the year's payments start at nothing again"
    assert (people.status[~place.alive & people.registered] == CANCELLED).mean() > CONFIG.habits.dead_cancelled_share, \
        "each month more of the dead are struck off than were at the beginning"


def test_active_members_of_monthly_schemes_have_paid_for_the_month() -> None:
    place = a_place()
    place.advance("2021-05")
    active = (place.people.scheme[EP] == ACTIVE) & place.alive
    assert (place.people.last_paid[EP, active] == place.now).all()


def test_a_death_is_reported_in_its_own_month() -> None:
    place = a_place(persons=30_000)
    place.advance("2021-05")
    new = (place.people.death_day >= place.first_of_month) & (place.people.death_day <= place.today)
    assert new.sum() > 5
    assert (place.people.reported_month[new] == place.now).all()


def test_a_newborn_enters_the_population_register_two_months_later() -> None:
    place = a_place()
    place.advance("2021-05")
    babies = np.flatnonzero(place.people.birth >= place.first_of_month)
    assert len(babies)
    assert not place.people.registered[babies].any()
    place.advance("2021-06")
    assert not place.people.registered[babies].any()
    place.advance("2021-07")
    assert place.people.registered[babies].all()


def test_pupils_of_eighteen_leave_school_in_july() -> None:
    place = a_place(persons=30_000)
    for period in ("2021-05", "2021-06"):
        place.advance(period)
    pupils = (place.people.student == ENROLLED_AT_SCHOOL).sum()
    place.advance("2021-07")
    assert (place.people.student == ENROLLED_AT_SCHOOL).sum() < 0.8 * pupils


def test_turning_sixty_brings_the_resident_benefit_and_ends_payments() -> None:
    place = a_place(persons=30_000)
    before = len(place.people)
    place.advance("2021-05")
    turned = np.zeros(len(place.people), dtype=bool)
    turned[:before] = True
    turned &= (place.ages() == 60) & place.here & (place.people.scheme[RP] == ACTIVE)
    assert (place.people.benefit_state[turned] == PAYING).mean() > 0.85


def test_a_kept_place_goes_on_exactly_like_one_that_never_stopped(tmp_path: Path) -> None:
    place = a_place()
    place.visit("longjie", "uninsured", of_list(place, "uninsured"), "2021-04")
    place.save(tmp_path)
    kept = Place.load(tmp_path)
    for one in (place, kept):
        one.advance("2021-05")
    assert kept.people.table().equals(place.people.table())
    assert kept.projects.table().equals(place.projects.table())


def test_loading_from_nowhere_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="no place is kept"):
        Place.load(tmp_path / "nowhere")


def test_rows_survive_the_way_through_parquet() -> None:
    people = People.blank(3)
    people.name[:] = ["买买提·艾力", "张伟", ""]
    people.scheme[EP] = [ACTIVE, 0, TERMINATED]
    again = People.from_table(people.table())
    assert all((getattr(again, item.name) == getattr(people, item.name)).all() for item in fields(People))


# --- visits ---------------------------------------------------------------------------------------------


def visited(place: Place, list_id: str, org: str = "longjie") -> tuple[list[str], list[Visit]]:
    """Everybody on a list, and what a clerk writes about them."""
    numbers = of_list(place, list_id)
    assert numbers, f"the place has nobody on {list_id}"
    return numbers, place.visit(org, list_id, numbers, place.period)


def test_true_claims_show_in_the_next_register_and_false_ones_never() -> None:
    for honesty, expected in ((1.0, True), (0.0, False)):
        place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=honesty))
        numbers, visits = visited(place, "uninsured")
        assert {visit.disposition_code for visit in visits} == {"enrolled_resident"}
        assert {visit.truly for visit in visits} == {expected}
        place.people.scheme[RP, rows_of(place, numbers)] = 0  # so that nobody could have joined without the visit
        monthly = CONFIG.monthly.model_copy(update=dict.fromkeys(
            ("joins_resident_share", "joins_flexible_share", "leaves_job_share", "staff_growth_per_thousand"), 0))
        place.config = place.config.model_copy(update={"monthly": monthly})
        place.advance("2021-05")
        rows = rows_of(place, numbers)
        rows = rows[place.here[rows]]
        assert (place.people.scheme[RP, rows] == ACTIVE).all() == expected


def test_the_same_person_asked_twice_in_a_period_gives_the_same_answer() -> None:
    place = a_place()
    numbers, first = visited(place, "uninsured")
    assert place.visit("longjie", "uninsured", numbers, "2021-04") == first
    assert place.visit("longjie", "uninsured", numbers[::-1], "2021-04") == first[::-1]


def test_a_visit_in_another_month_than_the_places_own_is_refused() -> None:
    with pytest.raises(WrongUse, match="stands at 2021-04"):
        a_place().visit("longjie", "uninsured", [], "2021-05")


def test_a_number_nobody_has_is_other_and_never_true() -> None:
    assert a_place().visit("longjie", "uninsured", ["11010519491231002X"], "2021-04")[0].disposition_code == "other"


def test_a_dead_person_is_found_dead_whatever_the_shares_say() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS))
    numbers = of_list(place, "uninsured")[:1]
    place.people.death_day[rows_of(place, numbers)] = place.today
    visit = place.visit("longjie", "uninsured", numbers, "2021-04")[0]
    assert (visit.disposition_code, visit.truly) == ("dead_not_cancelled", False)


def test_visits_find_what_the_shares_say(full: Place) -> None:
    visits = visited(full, "uninsured")[1]
    claimed = np.mean([visit.disposition_code == "enrolled_resident" for visit in visits])
    away = np.mean([visit.disposition_code == "away" for visit in visits])
    assert claimed == pytest.approx(0.45, abs=0.04)
    assert away == pytest.approx(0.20, abs=0.04)


def test_an_employed_person_enrols_through_the_employer() -> None:
    habits = CONFIG.habits.model_copy(update={"urged_unemployment_share": 1, "urged_work_injury_share": 1})
    place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=1.0, habits=habits))
    numbers, visits = visited(place, "employed_uninsured")
    assert {visit.disposition_code for visit in visits} == {"enrolled_employee"}
    rows = rows_of(place, numbers)
    place.advance("2021-05")
    working = rows[place.people.employer[rows] >= 0]
    assert len(working) > 0.9 * len(rows)
    for scheme in (EP, UN, WI):
        assert (place.people.scheme[scheme, working] == ACTIVE).all()


def test_an_interrupted_person_resumes_in_the_scheme_that_stopped() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=1.0))
    numbers, visits = visited(place, "interrupted")
    assert {visit.disposition_code for visit in visits} == {"resumed"}
    rows = rows_of(place, numbers)
    stopped = {scheme: rows[place.people.scheme[scheme, rows] == SUSPENDED] for scheme in (EP, RP)}
    place.advance("2021-05")
    assert place.active(*PENSIONS)[rows[place.here[rows]]].mean() > 0.98
    still_here = stopped[EP][place.here[stopped[EP]]]
    assert (place.people.scheme[EP, still_here] == ACTIVE).mean() > 0.95


def test_a_conversion_ends_the_resident_scheme_and_begins_the_employee_one() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=1.0), persons=20_000)
    numbers, visits = visited(place, "conversion_candidate")
    assert {visit.disposition_code for visit in visits} == {"converted"}
    place.advance("2021-05")
    rows = rows_of(place, numbers)
    rows = rows[place.here[rows] & (place.people.scheme[EP, rows] == ACTIVE)]
    assert len(rows) > 0.95 * len(numbers)
    assert (place.people.scheme[RP, rows] == TERMINATED).all()
    assert (place.people.end_reason[rows] == CONVERTED).all()
    assert (place.people.ended_day[rows] == place.first_of_month).all()


def test_a_low_tier_payer_pays_more_and_declining_owes_nothing() -> None:
    place = a_place(config_with(honesty=1.0))
    numbers, visits = visited(place, "low_tier_payer")
    raised = [visit.id_number for visit in visits if visit.disposition_code == "raised_tier"]
    assert {"declined_offer", "raised_tier"} <= {visit.disposition_code for visit in visits}
    assert not {"student", "unwilling"} & {visit.disposition_code for visit in visits}
    place.advance("2021-05")
    rows = rows_of(place, raised)
    payers = rows[(place.people.scheme[RP, rows] == ACTIVE) & (place.ages(rows) < 60) & place.alive[rows]]
    assert (place.people.tier[payers] >= 300).all()
    assert (place.people.paid[payers] == place.people.tier[payers]).all()
    assert len(numbers) == len(visits)


def test_an_employer_that_registers_enrols_its_staff() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=1.0), persons=20_000)
    firm = int(np.argmax(np.where(place.employers.cover == UNCOVERED, place.staff, -1)))
    staff = np.flatnonzero(place.people.employer == firm)
    visit = place.visit_employers("shuiwu", "uninsured_employer", [place.employers.credit_code[firm]], "2021-04")[0]
    assert (visit.disposition_code, visit.truly) == ("registered_employer", True)
    place.advance("2021-05")
    still = staff[place.people.employer[staff] == firm]
    assert len(still)
    assert (place.people.scheme[EP, still] == ACTIVE).all()
    assert place.employers.cover[firm] == COVERED


def test_an_employer_without_staff_has_nobody_to_enrol() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS))
    empty = np.flatnonzero((place.staff == 0) & (place.employers.status == OPERATING))[0]
    visit = place.visit_employers("shuiwu", "uninsured_employer", [place.employers.credit_code[empty]], "2021-04")[0]
    assert (visit.disposition_code, visit.truly) == ("employer_without_staff", False)


def test_a_project_is_insured_the_month_after_it_was_urged() -> None:
    place = a_place(config_with(visits=EVERYBODY_ENROLS, honesty=1.0))
    place.projects.insured_day[0] = -1
    visit = place.visit_projects("zhujian", "project_uninsured", [place.projects.permit_no[0]], "2021-04")[0]
    assert (visit.disposition_code, visit.truly) == ("project_insured", True)
    place.advance("2021-05")
    assert place.projects.insured_day[0] >= place.first_of_month


def test_every_answer_uses_a_disposition_of_the_plan() -> None:
    place, known = a_place(), {item.code for item in PLAN.dispositions}
    for entry in true_lists(place, PLAN):
        ask = {"person": place.visit, "employer": place.visit_employers, "project": place.visit_projects}[entry.item.subject]
        assert {visit.disposition_code for visit in ask("longjie", entry.item.id, entry.keys.tolist(), "2021-04")} <= known


# --- truth ----------------------------------------------------------------------------------------------


def category_of(place: Place, number: str) -> str:
    """A person's true category."""
    from rehearsal.truth import categories

    who, meaning = PersonFacts(place, PLAN), meaning_of(PLAN)
    assert meaning is not None
    return str(categories(who, meaning)[place.people.id_number[who.rows] == number][0])


def test_nobody_is_left_without_a_category() -> None:
    from rehearsal.truth import categories

    place, meaning = a_place(), meaning_of(PLAN)
    assert meaning is not None
    assert set(categories(PersonFacts(place, PLAN), meaning).tolist()) <= {entry.id for entry in PLAN.categories}


def test_a_pause_of_two_months_is_no_interruption_and_one_of_three_is() -> None:
    # C13, plan: three months since the last payment.
    place = a_place()
    number = of_list(place, "interrupted")[0]
    row = rows_of(place, [number])
    place.people.scheme[list(PENSIONS), row] = 0
    place.people.scheme[RP, row] = SUSPENDED
    for months, category in ((2, "paying_pause"), (3, "interrupted")):
        place.people.last_paid[RP, row] = place.now - months
        assert category_of(place, number) == category


def test_death_comes_before_everything_and_a_benefit_before_the_resident_scheme() -> None:
    place = a_place()
    row = np.flatnonzero((place.people.benefit_state == PAYING) & (place.people.scheme[RP] == ACTIVE) & place.here)[:1]
    number = str(place.people.id_number[row[0]])
    assert category_of(place, number) == "drawing_benefit"
    place.people.death_day[row] = place.today
    assert category_of(place, number) == "deceased"
    assert number in of_list(place, "deceased_enrolled")


def test_an_individual_business_without_staff_is_on_no_list() -> None:
    place = a_place()
    alone = (place.employers.kind == INDIVIDUAL) & (place.staff == 0)
    assert not set(of_list(place, "uninsured_employer")) & set(place.employers.credit_code[alone].tolist())


def test_a_plan_whose_categories_are_unknown_gets_no_guessed_truth() -> None:
    renamed = [entry.model_copy(update={"id": f"new_{entry.id}"}) for entry in PLAN.categories]
    assert true_lists(a_place(), PLAN.model_copy(update={"categories": tuple(renamed)})) == ()


# --- place.yaml -----------------------------------------------------------------------------------------


def written(tmp_path: Path, **keys: object) -> PlaceConfig:
    """The place of a plan with these keys in ``place.yaml``."""
    (tmp_path / "place.yaml").write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    return read_place(PLAN, tmp_path / "plan.yaml")


def test_without_a_place_file_sizes_follow_from_the_plans_own_targets(tmp_path: Path) -> None:
    config = read_place(PLAN, tmp_path / "plan.yaml")
    # C8: 6,550 of 凤麓 are to take part; 62 % of a population usually do.
    assert config.townships["fenglu"].persons == round(6550 / 0.62)
    assert config.first_period == "2021-04"
    assert Place.create(PLAN, config, seed=1, persons=3000).people.registered.sum() == pytest.approx(3000, abs=6)


def test_a_copied_plan_with_other_townships_needs_no_code() -> None:
    text = whole_text("chengjiang-2021").replace("fenglu", "dongmen").replace("凤麓", "东门")
    plan = Plan.model_validate(yaml.safe_load(text))
    place = Place.create(plan, derived(plan), seed=1, persons=3000)
    place.advance("2021-05")
    assert place.townships[0].code == "dongmen"
    assert dict.fromkeys(entry.item.id for entry in true_lists(place, plan)) == dict.fromkeys(it.id for it in plan.lists)


def test_unknown_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanUnsound, match="honestly"):
        written(tmp_path, honestly=0.9)


def test_a_township_the_plan_does_not_have_is_refused_and_a_missing_one_named(tmp_path: Path) -> None:
    with pytest.raises(PlanUnsound) as refusal:
        written(tmp_path, townships={"fenglu": {"persons": 10}, "atlantis": {"persons": 10}})
    told = str(refusal.value)
    assert "atlantis" in told
    assert "longjie is missing" in told


def test_shares_that_do_not_make_a_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanUnsound, match=r"0\.950"):
        written(tmp_path, visits={"enrolled": 0.4})


def test_a_disposition_the_plan_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanUnsound, match="vanished"):
        written(tmp_path, outcomes={"away": "vanished"})


def test_outcomes_find_the_plans_own_words() -> None:
    found = outcomes_of(PLAN)
    assert (found["away"], found["cannot_pay"], found["deceased"]) == ("away", "cannot_pay", "dead_not_cancelled")
    assert (found["declined"], found["without_staff"]) == ("declined_offer", "employer_without_staff")
