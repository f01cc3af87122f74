"""What a site copies: every command in it exists, nothing names a registry, everything is pinned."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from canbao.commands import app

SITE = Path(__file__).resolve().parents[2] / "deployments" / "site"
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
UNITS = sorted((SITE / "systemd").glob("*.service"))


def _unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SITE / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_starts_a_command_that_exists_and_keeps_its_files_to_itself(path: Path) -> None:
    service = _unit(path)["Service"]
    _, command, *options = service["ExecStart"].split()
    assert command in COMMANDS
    known = {name for parameter in COMMANDS[command].params for name in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known
    assert (service["UMask"], service["ProtectSystem"], service["User"]) == ("0077", "strict", "canbao")
    assert service["EnvironmentFile"] == "/etc/canbao/canbao.env"


def test_the_sweep_has_a_timer_that_needs_no_prefect() -> None:
    timer = _unit(SITE / "systemd" / "canbao-sweep@.timer")["Timer"]
    assert timer["Persistent"] == "true"
    unit = _unit(SITE / "systemd" / "canbao-sweep@.service")
    assert "canbao.service" not in unit["Unit"].get("Requires", "")
    assert unit["Service"]["ExecStart"].endswith("canbao sweep %i")


def test_every_service_of_the_compose_file_runs_a_known_command() -> None:
    words = [" ".join(service.get("command", [])) for service in _compose()["services"].values()]
    named = re.findall(r"canbao (\w+)", " ".join(words))
    assert set(named) == {"sweep", "backup"}
    assert set(named) <= set(COMMANDS)


def test_images_are_plain_names_with_a_version() -> None:
    images = [service["image"] for service in _compose()["services"].values()]
    images += re.findall(r"^FROM (\S+)", (SITE / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(images) == 6
    assert all(re.fullmatch(r"[a-z]+:[0-9]+\.[0-9]+[\w.-]*", image) for image in images)


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    services = _compose()["services"]
    assert {name for name, service in services.items() if service.get("ports")} == {"canbao"}
    assert services["canbao"]["ports"] == ["443:8443"]
    assert services["proxy"]["network_mode"] == "service:canbao"
    proxy = (SITE / "nginx.conf").read_text(encoding="utf-8")
    assert "listen 8443 ssl" in proxy
    assert "auth_basic_user_file" in proxy
    assert set(re.findall(r"proxy_pass (\S+);", proxy)) == {"http://127.0.0.1:4200"}


def test_the_environment_example_names_only_variables_that_are_read() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", (SITE / "canbao.env.example").read_text(encoding="utf-8"), re.MULTILINE))
    root = SITE.parents[1]
    read = " ".join(path.read_text(encoding="utf-8") for room in ("models", "tasks", "deployments", "canbao")
                    for path in (root / room).rglob("*") if path.suffix in (".py", ".yaml"))
    assert {name for name in named if name not in read} == set()
