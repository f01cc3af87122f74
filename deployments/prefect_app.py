"""Prefect's server as canbao runs it: on the loopback, for whoever asks it under a name of its own and from no foreign page.

``prefect server start`` answers under any name. A page of somebody else's, open in an operator's browser, could have its own name
lead to the loopback (DNS rebinding) and speak to it as if it were the same place. So names and origins are looked at before
anything else, for requests and for web sockets alike. Run as a program by ``server.py``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from models.garbage import collect_seldom, spare_what_stays
from models.loopback import LOOPBACK
from models.private import close, keep_private, open_to_others
from models.stacks import answer_where

PUBLIC = "CANBAO_PUBLIC_URL"
POLICY_VIOLATION = 1008


class OnlyOurs:
    """Answers nobody who asks for another host, or from a page of another origin. Who is let through still needs the password."""

    def __init__(self, app: ASGIApp, public: str) -> None:
        self.app, self.public = app, urlsplit(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it."""
        fault = self._fault(Headers(scope=scope)) if scope["type"] in ("http", "websocket") else None
        if fault is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION, fault)(scope, receive, send)
        else:
            await JSONResponse({"exception_message": fault}, status_code=421 if "name" in fault else 403)(scope, receive, send)

    def _fault(self, headers: Headers) -> str | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_name_of_ours(hosts[0]):
            return (f"This server is not called by that name. Open it as http://127.0.0.1:PORT, or set {PUBLIC} "
                    "to the address that people use.")
        if any(not self._is_origin_of_ours(origin) for origin in origins):
            return f"A page of another origin asks. Open the UI under its own address; {PUBLIC} says which one a proxy has."
        return None

    def _is_name_of_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}")
            return name.hostname in (*LOOPBACK, self.public.hostname) and name.port != 0 and not (name.path or name.username is not None)
        except ValueError:
            return False

    def _is_origin_of_ours(self, origin: str) -> bool:
        try:
            found = urlsplit(origin)
            is_public = bool(self.public.hostname) and (found.scheme, found.netloc) == (self.public.scheme, self.public.netloc)
            return is_public or (found.scheme == "http" and found.hostname in LOOPBACK and found.port == _port())
        except ValueError:
            return False


def _port() -> int:
    return int(sys.argv[1])


def main() -> None:
    """Runs the server on a port of the loopback until it is asked to end. Everything else is in the environment."""
    keep_private()
    answer_where()
    collect_seldom()
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    settings = get_current_settings().server
    app = create_app(final=True)
    for path, mode in open_to_others(Path(settings.ui.static_directory or "")):
        close(path, mode)  # Prefect copies its pages with the modes that they have in its package
    spare_what_stays()
    uvicorn.run(
        OnlyOurs(app, os.environ.get(PUBLIC, "")), host="127.0.0.1", port=_port(), log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout, ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout)


if __name__ == "__main__":
    main()
