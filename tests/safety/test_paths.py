"""No word that somebody chooses leads out of the home: codes, feeds, periods, campaigns, names of folders, links, names in plans."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from models.database import home
from models.errors import CanbaoError, FileReturned, PlanUnsound, WrongUse
from models.places import file_name, inside, is_campaign
from models.plan_file import REPOSITORY, read
from rules.periods import month
from tasks.campaign import DOORS, door, folder, plan_in_force, store_plan
from tasks.comparison import begin_comparison, rehearse_comparison
from tasks.intake import take_in
from tasks.submissions import returned_files, take_return, take_returns
from tests.conftest import fresh_record
from tests.safety.hostile import NAMES, ODD, OURS

CAMPAIGN, UNIT = "chengjiang-2021", "fenglu"
NOW = datetime(2021, 6, 3, 1, tzinfo=UTC)
OUTSIDE = Path("/tmp/canbao-outside")


@pytest.fixture(scope="module")
def place(server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a home in force in it, and nothing else."""
    around = tmp_path_factory.mktemp("paths")
    with fresh_record(server, around / "home"):  # type: ignore[arg-type]
        store_plan.fn(CAMPAIGN, NOW)
        yield around


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """A file as anybody might hand in."""
    path = tmp_path / "report.xlsx"
    path.write_bytes(b"no workbook")
    return path


def _tree(around: Path) -> set[Path]:
    return {path for path in around.rglob("*") if "/home/run" not in str(path)}


# --- one way from a word to a path ----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_hostile_word_becomes_a_path_wherever_it_stands(tmp_path: Path, name: str) -> None:
    for words in ((name,), (name, "inbox"), (CAMPAIGN, name), (CAMPAIGN, "sent_back", name), (CAMPAIGN, "quality", name, "2021-05"),
                  (CAMPAIGN, "runs", "2021-05", name)):
        with pytest.raises(WrongUse) as refusal:
            inside(tmp_path, *words)
        assert refusal.value.cure
        assert len(name) < 3 or name not in str(refusal.value), "what was given may be a person's name"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", OURS)
def test_no_campaign_is_called_like_a_folder_of_the_program(name: str) -> None:
    assert not is_campaign(name)


@pytest.mark.parametrize("unit", [*NAMES, *ODD], ids=ascii)
def test_a_return_of_a_unit_that_the_plan_does_not_have_writes_nothing(place: Path, workbook: Path, unit: str) -> None:
    before = _tree(place)
    with pytest.raises(WrongUse, match="no unit of this code") as refusal:
        take_return.fn(CAMPAIGN, unit, str(workbook), NOW)
    assert UNIT in refusal.value.cure
    assert _tree(place) == before
    assert not OUTSIDE.exists()


@pytest.mark.parametrize("period", [*NAMES, "2021-13", "2021-5", "２０２１-05", "2021-05/..", "05-2021"], ids=ascii)
def test_a_period_that_is_no_month_is_compared_nowhere(place: Path, period: str) -> None:
    before = _tree(place)
    for compare in (lambda: begin_comparison.fn(CAMPAIGN, period, NOW), lambda: rehearse_comparison(CAMPAIGN, period), lambda: month(period)):
        with pytest.raises(WrongUse):
            compare()
    assert _tree(place) == before


@pytest.mark.parametrize("name", [*NAMES, *ODD], ids=ascii)
def test_a_feed_or_a_campaign_that_nobody_knows_takes_nothing_in(place: Path, workbook: Path, name: str) -> None:
    before = _tree(place)
    with pytest.raises((CanbaoError, ValueError)):  # PostgreSQL's driver takes no NUL and no half letter
        take_in.fn(CAMPAIGN, name, "2021-05", str(workbook), NOW)
    with pytest.raises((CanbaoError, ValueError)):
        plan_in_force(name)
    assert _tree(place) == before


def test_a_link_below_a_campaigns_folder_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "home" / CAMPAIGN / "sent_back").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home" / CAMPAIGN / "sent_back" / UNIT).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WrongUse, match="a link leads out") as refusal:
        inside(tmp_path / "home", CAMPAIGN, "sent_back", UNIT)
    assert "Remove the link" in refusal.value.cure


def test_a_folder_that_its_owner_put_on_a_larger_disk_is_still_the_campaigns(tmp_path: Path) -> None:
    (tmp_path / "home" / CAMPAIGN).mkdir(parents=True)
    (tmp_path / "larger").mkdir()
    (tmp_path / "home" / CAMPAIGN / "snapshots").symlink_to(tmp_path / "larger")
    assert inside(tmp_path / "home", CAMPAIGN, "snapshots", "2021-05").parent.resolve() == tmp_path / "larger"


# --- what lies in returns/ ------------------------------------------------------------------------------


@pytest.fixture
def returns(place: Path, workbook: Path) -> Path:
    """A folder of returns in which one township has handed something in."""
    found = workbook.parent / "returns"
    (found / UNIT).mkdir(parents=True)
    return found


def _taken(returns: Path) -> list[str]:
    """What of a folder of returns is refused, in the words of the refusal."""
    said = []
    for entry in returned_files(CAMPAIGN, returns, datetime.now(UTC)):
        try:
            take_returns.fn(CAMPAIGN, [entry])
        except CanbaoError as refusal:
            said.append(str(refusal))
    return said


@pytest.mark.parametrize("what", ["file", "device", "folder", "pipe", "socket", "loop"])
def test_what_is_no_file_in_a_units_folder_is_named_and_never_read(returns: Path, what: str) -> None:
    secret = returns.parent / "secret.xlsx"
    secret.write_bytes(b"somebody else's")
    target = returns / UNIT / "report.xlsx"
    if what == "pipe":
        os.mkfifo(target)
    elif what == "socket":
        os.mknod(target, stat.S_IFSOCK | 0o600)
    else:
        target.symlink_to({"file": secret, "device": Path("/dev/zero"), "folder": Path("/etc"), "loop": target}[what])
    (said,) = _taken(returns)
    assert "Copy the file itself" in said or "Check that it is there" in said
    assert not list((home() / CAMPAIGN).rglob("*somebody*"))
    assert not any(path.read_bytes() == b"somebody else's" for path in (home() / CAMPAIGN).rglob("*") if path.is_file())


def test_a_linked_folder_of_returns_is_named_and_not_looked_into(returns: Path) -> None:
    other = returns.parent / "other"
    other.mkdir()
    (other / "theirs.xlsx").write_bytes(b"theirs")
    (returns / "longjie").symlink_to(other)
    (said,) = _taken(returns)
    assert "a link is not taken" in said


def test_a_folder_that_is_called_after_no_unit_keeps_nobody_else_waiting(returns: Path) -> None:
    (returns / "张三").mkdir()
    for unit in ("张三", UNIT):
        (returns / unit / "report.xlsx").write_bytes(unit.encode())
    found = list(returned_files(CAMPAIGN, returns, datetime.now(UTC)))
    with pytest.raises(WrongUse, match="no unit of this code") as refusal:
        take_returns.fn(CAMPAIGN, found)
    assert "张三" not in str(refusal.value)
    assert list((home() / CAMPAIGN / "sent_back" / UNIT).glob("*_退回说明.txt")), "the township's own file was answered"


def test_a_file_of_the_longest_name_is_answered(returns: Path) -> None:
    (returns / UNIT / ("参" * 83 + ".xlsx")).write_bytes(b"long")
    assert _taken(returns) == []
    assert all(len(path.name.encode()) <= 255 for path in (home() / CAMPAIGN / "sent_back" / UNIT).iterdir())


@pytest.mark.parametrize("text", [*NAMES, "更正单/../x"], ids=ascii)
def test_a_files_name_made_of_any_words_stays_one_name(tmp_path: Path, text: str) -> None:
    name = file_name(text, ".xlsx")
    (tmp_path / name).touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


# --- folders that a request names -----------------------------------------------------------------------


@pytest.mark.parametrize("given", ["/etc", "/", "..", "/proc/self/root", "/dev"])
def test_whoever_begins_a_run_does_not_choose_what_is_read(place: Path, given: str) -> None:
    with pytest.raises(WrongUse, match=DOORS) as refusal:
        door(CAMPAIGN, "inbox", given)
    assert given not in str(refusal.value) or given in ("/", "..")


def test_a_link_in_the_home_is_no_door_to_what_is_outside(place: Path, tmp_path: Path) -> None:
    (home() / "out").symlink_to(tmp_path)
    with pytest.raises(WrongUse):
        door(CAMPAIGN, "returns", str(home() / "out"))
    (home() / "out").unlink()


def test_a_folder_that_the_operator_listed_is_a_door(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DOORS, f"/srv/nowhere{os.pathsep}{tmp_path}")
    assert door(CAMPAIGN, "inbox", str(tmp_path / "share")) == tmp_path / "share"
    assert door(CAMPAIGN, "inbox", None) == folder(CAMPAIGN, "inbox")


# --- words of a plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["id", "name"])
@pytest.mark.parametrize("value", ["../../X", "..", "/tmp/canbao-outside", "a/b", ".x", "a\\b", "长" * 60])
def test_a_plan_whose_names_lead_elsewhere_is_unsound(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "plan.yaml"
    stated = yaml.safe_load((REPOSITORY / "campaigns" / CAMPAIGN / "plan.yaml").read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**stated, key: value}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PlanUnsound) as unsound:
        read(path)
    assert [fault.where for fault in unsound.value.faults if fault.cure and fault.where == key] == [key]


@pytest.mark.parametrize("name", OURS)
def test_a_plan_called_like_a_folder_of_the_program_is_unsound(tmp_path: Path, name: str) -> None:
    path = tmp_path / "plan.yaml"
    stated = yaml.safe_load((REPOSITORY / "campaigns" / CAMPAIGN / "plan.yaml").read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**stated, "id": name}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PlanUnsound, match="another id"):
        read(path)


def test_a_file_is_returned_whose_name_is_a_link(place: Path, workbook: Path) -> None:
    link = workbook.with_name("link.xlsx")
    link.symlink_to(workbook)
    with pytest.raises(FileReturned, match="Copy the file itself"):
        take_in.fn(CAMPAIGN, "population", "2021-05", str(link), NOW)
