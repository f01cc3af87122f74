"""What proves the audit trail and lies outside the database: its key and its head, two private files under CANBAO_HOME.

Whoever can write to the database can neither make a row that holds without the key, nor take rows away from the end without
the head telling. The key is ``CANBAO_AUDIT_KEY`` where that is set, else a file that is made when the first row is written.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from models.database import home
from models.errors import StorageUnavailable, WrongUse
from models.private import FILE_MODE

KEY_FILE, HEAD_FILE, LOCK_FILE = "audit.key", "audit.head", "audit.head.lock"
KEY_VARIABLE = "CANBAO_AUDIT_KEY"
SHORTEST_KEY = 32
"""Characters: 128 bits written in hexadecimal, the least that nobody tries out."""
SHOWN = 16
"""Letters of a proof that are told in messages: nobody finds another row that has them."""


@dataclass(frozen=True)
class End:
    """Where the trail ends: the number of its last row, which is how many there are, and what proves that row."""

    last: int
    digest: str

    @property
    def is_keyed(self) -> bool:
        """Whether the last row was written under a key; those of earlier versions were not."""
        return ":" in self.digest

    def __str__(self) -> str:
        return f"{self.last}:{self.digest.rpartition(':')[2][:SHOWN]}"


NOTHING = End(0, "")


@dataclass(frozen=True)
class Head:
    """``known``: what is certainly committed. ``intended``: what was about to be when this was written; after a crash one of the
    two is the end of the trail. ``unkeyed``: the last row of the time before there was a key. ``lost``: ends that the file told of and that
    were not there when the next row was written; kept, so that going on working hides nothing."""

    known: End
    intended: End
    unkeyed: int
    lost: tuple[str, ...] = ()


class HeadForged(Exception):
    """The head file is no head, or was made under another key."""


def key(*, make: bool = False) -> bytes:
    """The key; with ``make`` one is made where neither a key nor a head is. Raises WrongUse for one that is too short, and
    StorageUnavailable where it is gone: rows under a new key would not follow those under the old one."""
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        if len(given.strip()) < SHORTEST_KEY:
            raise WrongUse(f"it has fewer than {SHORTEST_KEY} characters.", where=KEY_VARIABLE,
                           cure="Set a random one (`openssl rand -hex 32`), or unset it to have one made under CANBAO_HOME.")
        return given.strip().encode()
    path = home() / KEY_FILE
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        if not make or (home() / HEAD_FILE).exists():
            raise StorageUnavailable(
                "the key of the audit trail is not there.", where=str(path),
                cure=f"Put it back from the backup (`{KEY_FILE}` in the archive), or set {KEY_VARIABLE} as before.") from None
    with _locked():
        if not path.exists():
            _write(path, secrets.token_hex(32).encode() + b"\n")
    return path.read_bytes().strip()


def has_made_key() -> bool:
    """Whether a key was made in this home, as it is with the first row."""
    return (home() / KEY_FILE).exists()


def has_head() -> bool:
    """Whether there is a head file at all."""
    return (home() / HEAD_FILE).exists()


def key_name(secret: bytes) -> str:
    """What a key is called where it may be seen: nothing of the key follows from it."""
    return hashlib.sha256(b"canbao audit key\0" + secret).hexdigest()[:8]


def seal(secret: bytes, content: Any) -> str:
    """``<name of the key>:<HMAC-SHA-256>`` of anything JSON can hold; written out as JSON, no two contents are the same text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"{key_name(secret)}:{hmac.new(secret, text.encode(), 'sha256').hexdigest()}"


def read_head() -> Head | None:
    """The head; None if there is no file. Raises HeadForged for one that this key did not make."""
    try:
        found = json.loads((home() / HEAD_FILE).read_text(encoding="utf-8"))
        told = str(found.pop("seal"))
        head = Head(End(**found["known"]), End(**found["intended"]), int(found["unkeyed"]), tuple(found["lost"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HeadForged("it cannot be read") from None
    if not hmac.compare_digest(told, seal(key(), asdict(head) | {"lost": list(head.lost)})):
        raise HeadForged("it was changed, or made under another key")
    return head


def intend(before: End, after: End, now: str) -> None:
    """Just before a transaction is committed: the trail ends at ``before`` and is about to end at ``after``.

    What the file says otherwise is kept among what was lost: a row that is written must not cover the loss of another.
    """
    with _locked():
        lost: tuple[str, ...] = ()
        unkeyed = 0 if before.is_keyed else before.last
        try:
            head = read_head()
        except HeadForged as why:
            head, lost = None, (f"{now}: the head was not ours ({why})",)
        else:
            if head is None and before.is_keyed:
                lost = (f"{now}: there was no head beside a trail that ended at {before}",)
        if head is not None:
            lost, unkeyed = head.lost, head.unkeyed
            if before not in (head.known, head.intended):
                lost += (f"{now}: the head told {head.known}, the trail ended at {before}",)
        _put(Head(before, after, unkeyed, lost))


def confirm(after: End) -> None:
    """Just after the commit, unless another row has been written meanwhile."""
    with _locked():
        try:
            head = read_head()
        except HeadForged:
            return  # the next row, or a verification, tells
        if head is not None and head.intended == after and head.known != after:
            _put(replace(head, known=after))


def begin_again(at: End, unkeyed: int) -> None:
    """After a restore: the trail ends where the backup does."""
    with _locked():
        _put(Head(at, at, unkeyed))


def _put(head: Head) -> None:
    content: Mapping[str, Any] = asdict(head) | {"lost": list(head.lost)}
    _write(home() / HEAD_FILE, json.dumps({**content, "seal": seal(key(make=True), content)}, ensure_ascii=False, indent=1).encode() + b"\n")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner only, and on the disk before the database says that it is done."""
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, FILE_MODE)
            stream.write(content)
            stream.flush()
            os.fsync(handle)
        os.replace(draft, path)
    except OSError as error:
        raise StorageUnavailable(f"it cannot be written ({error.strerror or type(error).__name__}).", where=str(path),
                                 cure="Free space on the disk or mend the permissions, then run the same command again.") from None


@contextmanager
def _locked() -> Iterator[None]:
    handle = os.open(home() / LOCK_FILE, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
