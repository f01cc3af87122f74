"""What tasks ask of the Prefect server and tell it. Importing this imports Prefect: whoever needs it does so where it acts.

Nothing here decides anything: the record does. Without a server, or with one that does not answer, no duty is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.events.schemas.events import Event
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

log = logging.getLogger("canbao.prefect_server")


def is_configured() -> bool:
    """Whether this process knows a server."""
    return bool(PREFECT_API_URL.value())


def execution() -> tuple[str, str, int] | None:
    """(id, name, how many times it was begun) of the flow run that is being executed; None outside of one."""
    return (str(flow_run.id), str(flow_run.name), flow_run.run_count) if flow_run.id else None


def show_as_crashed(identity: UUID, execution: int, message: str) -> bool:
    """Shows a flow run as crashed if the server has that execution of it as running; one that is being retried is left alone."""
    if not is_configured():
        return False
    try:
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(identity)
            if run.run_count != execution or run.state is None or not run.state.is_running():
                return False
            client.set_flow_run_state(identity, Crashed(message=message), force=True)
    except ObjectNotFound:
        return False
    except httpx.HTTPError as error:
        log.warning("flow run %s could not be shown as crashed (%s).", identity, type(error).__name__)
        return False
    return True


def tell(events: Sequence[Mapping[str, Any]]) -> bool:
    """Hands events to the server and waits for its answer, since an event queue would lose them with the process. Whether
    it took them."""
    told = [Event.model_validate(event).model_dump(mode="json") for event in events]
    try:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=told).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("Prefect was not told of %s facts (%s); the next run tells them.", len(told), type(error).__name__)
        return False
    return True
