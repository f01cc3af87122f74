"""What the example of a proxy lets through to Prefect: reading, resuming, beginning runs; judged on every route that Prefect has."""

from __future__ import annotations

import re
from functools import cache
from uuid import UUID

import pytest

from models.plan_file import REPOSITORY

CONF = REPOSITORY / "deployments" / "site" / "nginx.conf"
ACTS = {"POST /api/flow_runs/{id:uuid}/resume", "POST /api/deployments/{id:uuid}/create_flow_run"}
READS = re.compile(r"/(count|filter|history|lateness|paginate|counts|count-\S+|next-runs|concurrency_status|validate|\{countable\})$")
ID = str(UUID("6f0e5b1c-9d7a-4c3e-8a21-5d4b7c8e9f10"))


@cache
def _rules() -> list[tuple[re.Pattern[str], bool]]:
    block = re.search(r"map \"\$request_method \$request_uri\" \$goes_through \{(.*?)\n    \}", CONF.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return [(re.compile(rule), value == "1") for rule, value in re.findall(r'"~(.*)" ([01]);', block[1])]


def _goes_through(request: str) -> bool:
    """As nginx decides: the first expression that fits; otherwise not."""
    return next((value for rule, value in _rules() if rule.search(request)), False)


def _routes() -> list[str]:
    from prefect.server.api.server import API_ROUTERS

    return sorted({f"{method} /api{route.path}" for router in API_ROUTERS for route in router.routes  # type: ignore[attr-defined]
                   for method in getattr(route, "methods", None) or ["GET"]})


def _asked(route: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", lambda found: ID if "id" in found[0] else "canbao", route)


def test_of_all_that_prefect_can_do_only_two_things_act() -> None:
    routes = _routes()
    assert len(routes) > 150
    let = {route for route in routes if _goes_through(_asked(route))}
    acting = {route for route in let if not route.startswith("GET ") and not READS.search(route)}
    assert acting == ACTS
    assert {route.split()[0] for route in let} == {"GET", "POST"}


@pytest.mark.parametrize("request_line", [
    "POST /api/deployments/", "PATCH /api/deployments/" + ID, "DELETE /api/deployments/" + ID, "POST /api/flow_runs/",
    "POST /api/flow_runs/bulk_delete", f"POST /api/flow_runs/{ID}/set_state", f"POST /api/deployments/{ID}/create_flow_run/bulk",
    "POST /api/work_pools/", "PATCH /api/work_pools/canbao", "POST /api/block_documents/", "POST /api/block_documents/filter",
    f"GET /api/block_documents/{ID}?include_secrets=true", "POST /api/variables/filter", "GET /api/variables/name/x",
    "GET /api/admin/settings", "GET /api/admin/version/../settings", "GET /api/%61dmin/settings", "GET /%61pi/admin/settings",
    "GET /api//admin/settings%00", "POST /api/admin/database/clear", "POST /api/deployments/%2e%2e/filter",
    "POST /api/flow_runs/../deployments/", "POST /api/deployments/filter/..%2f", "POST /api/deployments/?x=/filter", "GET /api/events/in",
    "GET /api/work_pools/canbao/workers/connect", "GET /api/task_runs/subscriptions/scheduled", "OPTIONS /api/deployments/", "TRACE /",
    "PUT /api/automations/" + ID, "POST /api/automations/", "POST /API/deployments/", "POST //api/deployments/",
    "POST /api/deployments/\\filter", "POST /api/logs/", "POST /api/events"])
def test_what_is_no_reading_no_resuming_and_no_beginning_does_not_go_through(request_line: str) -> None:
    assert not _goes_through(request_line)


@pytest.mark.parametrize("request_line", [
    "GET /", "GET /v2/runs?tab=x", "GET /assets/index-DcpMCR-U.js", "GET /ui-settings", "GET /api/health", "GET /api/admin/version",
    f"GET /api/flow_runs/{ID}", f"GET /api/flow_runs/{ID}/graph-v2", "POST /api/flow_runs/filter", "POST /api/ui/flow_runs/history",
    "POST /api/work_pools/canbao/queues/filter", f"POST /api/flow_runs/{ID}/resume", f"POST /api/deployments/{ID}/create_flow_run",
    "GET /api/events/out", "GET /api/csrf-token?client=x"])
def test_what_an_operator_needs_goes_through(request_line: str) -> None:
    assert _goes_through(request_line)


def test_the_refusal_says_who_does_it_instead() -> None:
    assert "管理员在服务器上用 canbao 命令办理" in CONF.read_text(encoding="utf-8")
