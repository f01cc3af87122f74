"""The one word that opens Prefect's API: given by the site, or made here and kept where only this account reads it.

Prefect knows no persons. Whoever reaches its API runs commands as the account of canbao, so it never runs without this word.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from models.errors import StorageUnavailable
from models.loopback import LOOPBACK
from models.private import FILE_MODE

GIVEN, SENT = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
"""What Prefect's server asks for, and what its clients send."""
API = "PREFECT_API_URL"
FILE = "prefect-password"
USER = "canbao"
SECRET_BYTES = 24


def place(home: Path) -> Path:
    """Where a home keeps a word of its own."""
    return home / FILE


def password(home: Path) -> str:
    """The word of this home's server: the one that the site gives in ``PREFECT_SERVER_API_AUTH_STRING``, else one of the home's own,
    made at random by whoever needs it first. Raises StorageUnavailable if what is kept there is no word."""
    if given := os.environ.get(GIVEN):
        return given
    draft = place(home).with_name(f".{FILE}.{os.getpid()}")
    if not place(home).exists():
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="ascii") as written:
                written.write(f"{USER}:{secrets.token_hex(SECRET_BYTES)}\n")
                written.flush()
                os.fsync(written.fileno())
            with suppress(FileExistsError):  # another process was faster: its word is the home's
                os.link(draft, place(home))
        except OSError as error:
            raise StorageUnavailable(f"the password of Prefect's API cannot be kept ({error.strerror}).", where=str(place(home)),
                                     cure="Make CANBAO_HOME writable, or give a password in " + GIVEN + ".") from None
        finally:
            draft.unlink(missing_ok=True)
    found = kept(home)
    if found is None:
        raise StorageUnavailable("this file holds no password.", where=str(place(home)), cure="Remove it; `canbao up` makes a new one.")
    return found


def kept(home: Path) -> str | None:
    """The word that the site gives or the home keeps; None if there is none yet."""
    with suppress(OSError, UnicodeDecodeError):
        return os.environ.get(GIVEN) or place(home).read_text(encoding="ascii").strip() or None
    return None


def send_to_our_own(environment: MutableMapping[str, str], home: Path) -> None:
    """Has Prefect's clients of this process send this home's word, if the address that they know is on this machine: no other server
    is told it."""
    address = environment.get(API, "")
    if not environment.get(SENT) and urlsplit(address).hostname in LOOPBACK and (found := kept(home)):
        environment[SENT] = found
