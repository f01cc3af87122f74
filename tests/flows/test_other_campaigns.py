"""The other three campaigns play through the same flows: every kind of phase, on a coarse clock and with few people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.addresses import address_of
from tests.command_line import canbao

pytestmark = pytest.mark.long
PLAYED = {
    # preparation, comparison, mobilisation, survey
    "district-registration": "2015-03-10",
    # preparation, comparison, contribution; five units end on 2018-12-31
    "bozhou-2018": "2019-01-31",
    # mobilisation, preparation, comparison, pilot, survey
    "lianyungang-2016": "2016-05-31",
}


@pytest.fixture(scope="module", params=PLAYED)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[str, Any]]:
    """(campaign, CANBAO_HOME, the answer) of a campaign played to a day."""
    campaign: str = request.param
    home = tmp_path_factory.mktemp(campaign) / "home"
    done = canbao(home, "rehearse", campaign, "--persons", "2500", "--coarse", "--until", PLAYED[campaign], "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    return campaign, home, json.loads(done.stdout)


def _rows(home: Path, sql: str) -> list[Any]:
    address = address_of(home, "canbao")
    engine = create_engine(address)
    with engine.connect() as connection:
        found = list(connection.execute(text(sql)).mappings())
    engine.dispose()
    return found


def test_a_campaign_compares_releases_and_hears_from_its_owners(played: tuple[str, Path, dict[str, Any]]) -> None:
    campaign, home, answer = played
    status = answer["status"]
    assert status["run"]["unbalanced"] == 0
    assert sum(category["persons"] for category in status["run"]["categories"]) == status["run"]["persons"] > 2000
    assert len([entry for entry in status["lists"] if entry["findings"]]) >= 6
    assert "open" in {phase["state"] for phase in status["phases"]}
    assert list((home / campaign / "rosters").rglob("*.xlsx"))
    assert status["outcomes"]["answers"] > 0
    assert status["audit_whole"]


def test_everything_that_is_listed_is_led_by_somebody_who_exists(played: tuple[str, Path, dict[str, Any]]) -> None:
    campaign, home, _ = played
    orphans = _rows(home, f"""
        SELECT DISTINCT f.owner FROM finding f LEFT JOIN organisation o ON o.campaign_id = f.campaign_id AND o.code = f.owner
        WHERE f.campaign_id = '{campaign}' AND (o.code IS NULL OR o.valid_to < DATE '{PLAYED[campaign]}')""")
    assert orphans == []


def test_every_step_in_the_life_of_every_finding_begins_where_the_one_before_ended(
    played: tuple[str, Path, dict[str, Any]]
) -> None:
    _, home, _ = played
    broken = _rows(home, """
        SELECT * FROM (SELECT before, lag(after, 1, '') OVER (PARTITION BY finding_id ORDER BY id) AS led_to FROM finding_event) s
        WHERE before IS DISTINCT FROM led_to""")
    assert broken == []


def test_no_report_that_several_owe_is_missed_by_all(played: tuple[str, Path, dict[str, Any]]) -> None:
    campaign, home, _ = played
    missed = _rows(home, f"""
        SELECT o.item, o.period FROM obligation o LEFT JOIN submission s ON s.obligation_id = o.id
        WHERE o.kind = 'report' AND o.due_before < DATE '{PLAYED[campaign]}' - 31 GROUP BY 1, 2
        HAVING count(DISTINCT o.id) > 1 AND count(s.id) = 0""")
    assert missed == []
