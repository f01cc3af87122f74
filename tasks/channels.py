"""The ways a message leaves: a file (the embedded default), e-mail over SMTP, a group robot or webhook by Apprise.

Where they lead is the site's business and comes from the environment: ``CANBAO_SMTP_URL``
(``smtp://user:password@host:25?from=office@example.invalid``, ``smtps://`` for TLS from the start, ``starttls=no`` to do
without), ``CANBAO_WEBHOOK_URL`` (any Apprise address: WeCom, DingTalk, Feishu, JSON), ``CANBAO_MESSAGE_CHANNEL`` (what
the plan's plain ``message`` means here: ``files``, ``email`` or ``webhook``) and ``CANBAO_ALARM_URL``. Which there are stands in
``models.words.CHANNELS``. What cannot leave because the site names a channel that there is not, or no address for it, is held:
never written to a folder that nobody looks into as if it had been sent.

Delivering is at least once. The mark of a message is the same on every attempt (``Message-ID``, the file's name, the
last line of a webhook), so that whoever receives one twice can tell.
"""

from __future__ import annotations

import hashlib
import os
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from documents.files import write_atomically
from models.errors import WrongUse
from models.words import CHANNELS

TIMEOUT_SECONDS = 20.0
"""A server that says nothing for so long counts as failed; the next attempt is the outbox's business."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What one recipient gets at once: a message, or several in a digest. ``to`` is a post, ``address`` where it reads."""

    key: str
    to: str
    address: str
    subject: str
    body: str
    written_at: datetime

    @property
    def mark(self) -> str:
        """The same for every attempt at the same letter, and for no other."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:24]


class NotDelivered(Exception):
    """One attempt failed. ``kind`` names no address and quotes no text; ``for_good`` says that trying again is no use."""

    def __init__(self, kind: str, *, for_good: bool = False) -> None:
        super().__init__(kind)
        self.kind, self.for_good = kind, for_good


class Held(Exception):
    """Nothing can leave this way until somebody mends the site. ``kind`` says what is missing and quotes no address."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Channel(Protocol):
    """Delivers a letter or raises NotDelivered."""

    def deliver(self, letter: Letter, at: datetime) -> None:
        """One attempt."""

    def close(self) -> None:
        """Ends what is kept open between letters."""


class Files:
    """Each letter a file; its name is its mark, so a letter written before a crash and again after it is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, letter: Letter, at: datetime) -> None:
        text = (f"收件：{letter.to} <{letter.address}>\n主题：{letter.subject}\n时间：{at.isoformat()}\n\n{letter.body}\n")
        name = f"{letter.written_at:%Y%m%d}-{letter.mark[:12]}.txt"


        def produce(path: Path) -> None:
            path.write_text(text, encoding="utf-8")

        write_atomically(self._folder / name, produce)

    def close(self) -> None:
        """Nothing is kept open."""


class Mail:
    """E-mail over one SMTP connection, opened with the first letter and again after a failure."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._options = {name: values[-1] for name, values in parse_qs(self._url.query).items()}
        if self._url.scheme not in ("smtp", "smtps") or not self._url.hostname or "from" not in self._options:
            raise WrongUse("CANBAO_SMTP_URL is no mail server.", cure="Write smtp://user:password@host:25?from=office@host.")
        self._server: smtplib.SMTP | None = None

    def deliver(self, letter: Letter, at: datetime) -> None:
        if not letter.address:
            raise NotDelivered("no address", for_good=True)
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = letter.subject, self._options["from"], letter.address
        mail["Date"], mail["Message-ID"] = format_datetime(at), f"<{letter.mark}@canbao>"
        mail.set_content(letter.body)
        try:
            self._connected().send_message(mail)
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = [code for code, _ in refusal.recipients.values()]
            raise NotDelivered(f"SMTP {codes[0]}", for_good=min(codes) >= 500) from None
        except smtplib.SMTPResponseException as refusal:
            self.close()
            raise NotDelivered(f"SMTP {refusal.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as fault:
            self.close()
            raise NotDelivered(type(fault).__name__) from None
        except (ValueError, UnicodeError):
            raise NotDelivered("the address cannot be written to", for_good=True) from None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            secure, host = self._url.scheme == "smtps", str(self._url.hostname)
            make = smtplib.SMTP_SSL if secure else smtplib.SMTP
            server = make(host, self._url.port or (465 if secure else 25), timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if not secure and self._options.get("starttls") != "no" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            self._server = server
        return self._server

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class Webhook:
    """A group robot or any other receiver that Apprise knows."""

    def __init__(self, url: str) -> None:
        from apprise import Apprise

        self._receiver = Apprise()
        if not self._receiver.add(url):
            raise WrongUse("the webhook's address is none that Apprise knows.",
                           cure="See Apprise's list: wecombot://, dingtalk://, feishu://, json://, jsons:// …")

    def deliver(self, letter: Letter, at: datetime) -> None:
        body = f"{letter.to}\n\n{letter.body}\n\n〔{letter.mark}〕"
        if not self._receiver.notify(title=letter.subject, body=body):
            raise NotDelivered("the webhook refused it or did not answer")

    def close(self) -> None:
        """Apprise keeps nothing open."""


SENDERS: dict[str, Callable[[str, Path], Channel]] = {
    "files": lambda _address, folder: Files(folder),
    "mail": lambda address, _folder: Mail(address),
    "webhook": lambda address, _folder: Webhook(address),
}
"""Who knows how to deliver, by the word that a row of ``models.words.CHANNELS`` calls it by: made of the address that the site
sets, and the campaign's folder of messages."""


class Channels:
    """The channels of this site, each made when it is first needed. With ``files_only`` nothing leaves the house: a
    rehearsal's plan has the addresses of real posts."""

    def __init__(self, folder: Path, *, files_only: bool = False) -> None:
        self._folder, self._files_only = folder, files_only
        self._made: dict[str, Channel] = {}

    def of(self, channel: str) -> Channel:
        """The channel a message names. Raises Held where there is none of that name, or the site does not say where to."""
        if self._files_only:
            channel = "files"
        if channel not in self._made:
            self._made[channel] = self._make(channel)
        return self._made[channel]

    def _make(self, channel: str) -> Channel:
        row = CHANNELS.get(channel)
        if row is None:
            raise Held(f"there is no channel {channel!r}")
        given = os.environ.get(row.setting, "") if row.setting else ""
        if row.is_named_by_site:
            meant = CHANNELS.get(given or row.otherwise)
            if meant is None or meant.is_named_by_site:
                raise Held(f"{row.setting} names no channel")
            return self.of(given or row.otherwise)
        if row.setting and not given:
            if row.otherwise:
                return self.of(row.otherwise)
            raise Held(f"{row.setting} is not set")
        try:
            return SENDERS[row.sender](given, self._folder)
        except WrongUse:
            raise Held(f"{row.setting} is no address") from None

    def close(self) -> None:
        """Closes every channel that was used."""
        for channel in self._made.values():
            channel.close()
