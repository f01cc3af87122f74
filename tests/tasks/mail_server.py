"""A real SMTP server on a local port that does what a test tells it: take mail, refuse it, stall, or hang up."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message


@dataclass
class Mailbox:
    """What arrived, and how the server behaves: ``answers`` are used up one per recipient, then all is taken."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    hang_up_after_data: bool = False
    stall_seconds: float = 0.0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?from=office@example.invalid&starttls=no"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Runs the server in a thread of its own."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline():
                word = line[:4].upper().strip()
                if box.stall_seconds:
                    time.sleep(box.stall_seconds)
                if word in (b"EHLO", b"HELO"):
                    self._say("250 8BITMIME")
                elif word == b"RCPT":
                    self._say(box.answers.pop(0) if box.answers else "250 taken")
                elif word == b"DATA":
                    self._say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(part)
                    box.mails.append(message_from_bytes(b"".join(lines)))
                    if box.hang_up_after_data:
                        return
                    self._say("250 taken")
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 fine")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()
