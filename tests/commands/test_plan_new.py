"""`canbao plan new` as a script and as a person at a terminal use it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from models import plan_schema
from tests.command_line import ROOT, canbao, environment_of
from tests.patience import HANGS_AFTER_SECONDS

pytestmark = pytest.mark.long
"""Each is a process of its own; tests/plan/test_new_plan.py guards the same logic in one."""
FLAGS = ("--base", "expansion", "--region", "示例县", "--region-code", "530999", "--number", "示政办发〔2021〕5号", "--issued", "2021-02-20",
         "--starts", "2021-03-01", "--ends", "2021-12-31", "--unit", "东湖街道", "--unit", "西山镇")


def test_a_script_gets_a_sound_plan_and_is_told_that_it_lies_in_the_past(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    done = canbao(tmp_path, "plan", "new", str(out), *FLAGS, "--target", "conversions=800", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["sound"] is True
    assert result["lines"] == len(out.read_text(encoding="utf-8").splitlines())
    assert any("overdue already" in note["what"] for note in result["notes"])

    checked = canbao(tmp_path, "plan", "check", str(out), "--json")
    assert any("overdue already" in note["what"] for note in json.loads(checked.stdout)["notes"])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    out.write_text("mine\n", encoding="utf-8")
    for arguments in (FLAGS, ("--like", "chengjiang-2021", "--year", "2024")):
        done = canbao(tmp_path, "plan", "new", str(out), *arguments)
        assert (done.returncode, out.read_text(encoding="utf-8")) == (2, "mine\n"), done.stderr
        assert "never overwritten" in done.stderr


@pytest.mark.parametrize(("arguments", "told"), [
    (FLAGS[2:], "--base is missing"),
    (FLAGS[:-4], "no unit is given"),
    (("--base", "expansoin", *FLAGS[2:]), "there is no base 'expansoin'"),
    ((*FLAGS, "--target", "conversion=8"), "indicators: "),
    ((*FLAGS, "--ends", "2020-12-31"), "before the campaign begins"),
    (("--like", "chengjiang-2021"), "belong together"),
])
def test_an_answer_that_is_missing_or_unfit_writes_nothing_and_is_told(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = canbao(tmp_path, "plan", "new", str(tmp_path / "plan.yaml"), *arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not (tmp_path / "plan.yaml").exists()


def test_a_plan_of_another_year_is_moved(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    done = canbao(tmp_path, "plan", "new", str(out), "--like", "chengjiang-2021", "--year", "2024")
    assert done.returncode == 0, done.stderr
    assert "id: chengjiang-2024" in out.read_text(encoding="utf-8")


def test_a_person_at_a_terminal_is_asked_and_asked_again_until_it_fits(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    answers = ["registration", "示例县", "53", "530999", "2021-02-30", "2021-03-01", "2021-12-31", "", "", "示政〔2021〕1号", "", "", "2021-02-20",
               "东湖", "东湖街道", "西山镇", "", "95", "", "", "", "", ""]
    ours, theirs = pty.openpty()
    os.write(ours, ("\n".join(answers) + "\n").encode())
    done = subprocess.run([sys.executable, "-m", "canbao", "plan", "new", str(out)], cwd=ROOT, env=environment_of(tmp_path), stdin=theirs,
                          capture_output=True, text=True, check=False, timeout=HANGS_AFTER_SECONDS)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    assert "id: shilixian-2021" in text
    assert "level: {gov: 95}" in text
    assert "no code of 6 digits" in done.stderr


def test_the_schema_is_printed_as_it_is_kept(tmp_path: Path) -> None:
    done = canbao(tmp_path, "plan", "schema")
    assert done.stdout == plan_schema.SCHEMA_FILE.read_text(encoding="utf-8")
