"""Who sits at the keyboard is what the login has set, not what somebody writes into the environment."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from models import login

NOBODY = pwd.getpwnam("nobody")


@pytest.mark.parametrize("environment", [{}, {"SUDO_UID": "0"}, {"USER": "root", "LOGNAME": "root", "SUDO_USER": "root", "CANBAO_ACTOR": "root"}])
def test_a_login_is_known_through_sudo_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str],
) -> None:
    monkeypatch.setattr(login, "LOGIN", tmp_path / "loginuid")
    (tmp_path / "loginuid").write_text(str(NOBODY.pw_uid))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert login.login_name() == "nobody"


@pytest.mark.parametrize("unset", ["4294967295", "", None])
def test_where_no_login_set_one_it_is_who_called_by_sudo_or_the_account_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unset: str | None,
) -> None:
    monkeypatch.setattr(login, "LOGIN", tmp_path / "loginuid")
    if unset is not None:
        (tmp_path / "loginuid").write_text(unset)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert login.login_name() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("SUDO_UID", str(NOBODY.pw_uid))
    assert login.login_name() == "nobody"


def test_an_account_without_a_name_is_called_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "LOGIN", tmp_path / "loginuid")
    (tmp_path / "loginuid").write_text("4000000001")
    assert login.login_name() == "4000000001"
