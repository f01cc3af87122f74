"""Backup and restore: the record (and Prefect's history) by pg_dump, and the files they speak of, in one private archive.

The record is dumped first and the files are copied after: whatever a row names was written before the row. A backup is
restored under the same CANBAO_HOME, because rows name files by their whole path and a run's inputs are among its identity.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.engine import URL, make_url

from models import database
from models.embedded import binaries
from models.errors import CanbaoError, StorageUnavailable, WrongUse
from models.places import OURS
from models.prefect_password import FILE as PASSWORD_FILE
from models.private import FILE_MODE, FOLDER_MODE
from models.store import audit
from models.trail_key import HEAD_FILE, KEY_FILE
from tasks.campaign import actor

FOLDER = "backups"
NAME = "canbao-%Y%m%dT%H%M%SZ.tar"
MANIFEST, RECORD, HISTORY, FILES = "manifest.json", "record.dump", "prefect.dump", "files"
LEFT_OUT = OURS | {PASSWORD_FILE}
"""Under CANBAO_HOME: the database's own files (they are dumped instead), what is made anew, and the backups."""
ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
OF_THE_MOMENT = (".log", ".pid", ".lock")
NOT_KEPT = frozenset({"up.json", HEAD_FILE})
"""The head of the audit trail may be ahead of the dump by then, and a restore makes it anew. The key is kept: without it the trail
that comes back proves nothing (decision 0036)."""


def place() -> Path:
    """Where backups are kept unless said otherwise: ``CANBAO_BACKUPS``, else in CANBAO_HOME."""
    given = os.environ.get("CANBAO_BACKUPS")
    return Path(given).resolve() if given else database.home() / FOLDER


def latest() -> datetime | None:
    """When the newest backup was made; None if there is none."""
    made = [_made(path) for path in place().glob("canbao-*.tar")]
    return max((instant for instant in made if instant), default=None)


def _made(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name, NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def backup(out: Path, as_of: datetime, *, keep: int | None = None) -> dict[str, Any]:
    """Writes one archive into ``out`` (made if need be, readable by its owner only) and answers with what is in it.

    With ``keep`` only so many of the newest stay. Raises StorageUnavailable if the database or the folder cannot be used;
    a half-written archive is never left under a backup's name.
    """
    home = database.home()
    target = out / as_of.astimezone(UTC).strftime(NAME)
    _told(as_of, "backup begun", target.name, 0, str(out), only_current=True)
    try:
        out.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".backup-") as scratch:
            draft = Path(scratch) / target.name
            manifest = _write(draft, Path(scratch), home, as_of)
            draft.chmod(FILE_MODE)
            os.replace(draft, target)
    except OSError as error:
        raise StorageUnavailable(f"the backup cannot be written ({error.strerror or type(error).__name__}).", where=str(out),
                                 cure="Free space or give another folder with --out.") from None
    _told(as_of, "backup made", target.name, manifest["files"], f"sha256 {_sha256(target)}")
    removed = 0
    if keep is not None:
        for old in sorted(path for path in out.glob("canbao-*.tar") if _made(path))[:-keep]:
            old.unlink()
            removed += 1
    return {"backup": str(target), "bytes": target.stat().st_size, "files": manifest["files"], "removed": removed}


def _told(as_of: datetime, action: str, subject: str, count: int, reason: str, *, only_current: bool = False) -> None:
    """Puts it into the audit trail, if there is a record. A record of an older version is brought up to date by that: not before
    its backup is made (``only_current``)."""
    have, newest = database.revision()
    if have is None or (only_current and have != newest):
        return
    with database.transaction() as tx:
        audit.audit(tx, audit.EVERYWHERE, at=as_of, actor=actor(), action=action, subject=subject, count=count, reason=reason)


def _write(draft: Path, scratch: Path, home: Path, as_of: datetime) -> dict[str, Any]:
    dumps = [(name, scratch / name) for name in (RECORD, HISTORY) if _dump(database.url("canbao" if name == RECORD else "prefect"), scratch / name)]
    have, _ = database.revision()
    with tarfile.open(draft, "w") as archive:
        count = 0
        for path in _files(home):
            archive.add(path.resolve(), f"{FILES}/{path.relative_to(home)}", recursive=False)  # what a link points to, not the link
            count += path.is_file()
        manifest = {
            "canbao": importlib.metadata.version("canbao"), "made": as_of.isoformat(), "home": str(home), "revision": have, "files": count,
            "dumps": {name: _sha256(path) for name, path in dumps}}
        note = scratch / MANIFEST
        note.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        for name, path in (*dumps, (MANIFEST, note)):
            archive.add(path, name)
    return manifest


def _files(home: Path) -> Iterator[Path]:
    for top in sorted(home.iterdir()):
        if top.name in LEFT_OUT or top.name.startswith(".") or top.suffix in OF_THE_MOMENT or top.name in NOT_KEPT:
            continue
        yield from _under(top, frozenset())


def _under(path: Path, above: frozenset[Path]) -> Iterator[Path]:
    """A file, or a folder and all that is in it. A link is followed, for what it points to (a larger disk) belongs to the record's
    files; one that leads back into its own folder is not."""
    if path.is_dir() and (place := path.resolve()) not in above:
        yield path
        for entry in sorted(path.iterdir()):
            yield from _under(entry, above | {place})
    elif path.is_file():
        yield path


def restore(archive: Path, as_of: datetime) -> dict[str, Any]:
    """Puts a backup back into an empty CANBAO_HOME and an empty database; answers with what it held, and whether its audit trail is
    whole. The trail goes on from where the backup's ended, and its next row says so.

    Raises WrongUse for a file that is no backup, was made under another CANBAO_HOME, or by a newer canbao; and where there is a
    record already: nothing that exists is ever written over.
    """
    home = database.home()
    if not archive.is_file():
        raise WrongUse("there is no such file.", where=str(archive), cure="Give a backup's path.")
    with tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as folder:
        scratch = Path(folder)
        try:
            with tarfile.open(archive) as opened:
                _unpack(opened, scratch)
            manifest = json.loads((scratch / MANIFEST).read_text(encoding="utf-8"))
        except (tarfile.TarError, OSError, ValueError, KeyError) as error:
            raise WrongUse(f"this is no backup ({type(error).__name__}).", where=str(archive), cure="Take another one.") from None
        _refuse(manifest, home, archive)
        for name, digest in manifest["dumps"].items():
            if _sha256(scratch / name) != digest:
                raise CanbaoError(f"{name} is damaged.", where=str(archive), cure="Take another backup.")
        for name in manifest["dumps"]:
            _restore_dump(database.url("canbao" if name == RECORD else "prefect"), scratch / name)
        for entry in sorted((scratch / FILES).iterdir()) if (scratch / FILES).is_dir() else ():
            if not (entry.name == KEY_FILE and (home / KEY_FILE).exists()):  # who keeps the key elsewhere has put it back before
                shutil.move(str(entry), home / entry.name)
    flaws = _follow(archive, manifest, as_of) if RECORD in manifest["dumps"] else ()
    return {"restored": str(archive), "made": manifest["made"], "files": manifest["files"], "history": HISTORY in manifest["dumps"],
            "audit_whole": not flaws, "audit_flaws": [flaw.what for flaw in flaws]}


def _follow(archive: Path, manifest: dict[str, Any], as_of: datetime) -> tuple[audit.Flaw, ...]:
    """Has the audit trail go on from the end of what was restored; returns what is wrong with that."""
    with database.transaction() as tx:
        verdict, replaced = audit.begin_again(tx)
        audit.audit(tx, audit.EVERYWHERE, at=as_of, actor=actor(), action="backup restored", subject=archive.name, count=manifest["files"],
                    reason=f"made {manifest['made']}, the trail ended at {verdict.ends_at}; the head before: {replaced}")
    return verdict.flaws


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Writes files and folders, and nothing outside of ``folder``. Raises WrongUse for an archive that holds a device, a link that
    leads out of it, or a name that does: no backup of ours does.

    What is read comes from the archive alone, and what is written is new: this needs no filter, which Python 3.11.2 does not have.
    """
    for member in archive:
        way = PurePosixPath(member.name)
        content = archive.extractfile(member) if member.isfile() or member.islnk() else None
        if way.is_absolute() or ".." in way.parts or not (member.isdir() or content):
            raise WrongUse("it holds a link, a device or a name that leads elsewhere.", where=str(archive.name),
                           cure="Take a backup that canbao made.")
        target = folder / way
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
            target.chmod(FOLDER_MODE)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("xb") as written:
            shutil.copyfileobj(content, written)
        target.chmod(FILE_MODE)
        os.utime(target, (member.mtime, member.mtime))


def _refuse(manifest: dict[str, Any], home: Path, archive: Path) -> None:
    if manifest["home"] != str(home):
        raise WrongUse(f"it was made under {manifest['home']}.", where=str(archive),
                       cure=f"Set CANBAO_HOME={manifest['home']} (a mount or a link will do): rows name files by that path.")
    in_the_way = sorted(path.name for path in home.iterdir() if path.name not in LEFT_OUT and not path.name.startswith(".")
                        and path.suffix not in OF_THE_MOMENT and path.name not in (KEY_FILE, HEAD_FILE))
    if in_the_way:
        raise WrongUse(f"CANBAO_HOME is not empty ({', '.join(in_the_way[:3])}).", where=str(home),
                       cure="Stop everything, move the old folder away, and restore into a new one.")
    if not database.is_empty():
        raise WrongUse("the database holds a record already.", where="CANBAO_DATABASE_URL",
                       cure="Restore into an empty database: nothing is ever written over.")


# --- pg_dump and pg_restore -----------------------------------------------------------------------------


def _dump(address: str, out: Path) -> bool:
    """Dumps a database unless it does not exist; returns whether it does."""
    if not database.exists(address):
        return False
    _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={out}", address=address)
    return True


def _restore_dump(address: str, dump: Path) -> None:
    database.create_if_missing(address)
    _postgres("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(dump), address=address)


def _postgres(tool: str, *arguments: str, address: str) -> None:
    """Runs a tool of the embedded PostgreSQL. A server newer than it needs tools of its own: ``CANBAO_PG_BIN``.

    Arguments are what every account sees in the list of processes: the password goes by a file that is this account's alone and
    is gone afterwards, and of our environment the tool gets nothing that is no business of PostgreSQL's.
    """
    folder = Path(os.environ.get("CANBAO_PG_BIN") or binaries())
    reached, word = _without_password(address)
    environment = {name: value for name, value in os.environ.items() if name in ENVIRONMENT or name.startswith("PG")}
    environment.pop("PGPASSWORD", None)
    with tempfile.TemporaryDirectory(dir=database.home(), prefix=".pgpass-") as scratch:
        if word is not None:
            kept = Path(scratch) / "pgpass"
            kept.touch(FILE_MODE)
            kept.write_text("*:*:*:*:" + word.replace("\\", "\\\\").replace(":", "\\:") + "\n", encoding="utf-8")
            environment["PGPASSFILE"] = str(kept)
        done = subprocess.run([str(folder / tool), *arguments, "--dbname", reached], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StorageUnavailable(f"{tool} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}",
                                 where=str(folder), cure="Set CANBAO_PG_BIN to the folder of the server's own pg_dump.")


def _without_password(address: str) -> tuple[str, str | None]:
    """An address as libpq takes it, and the password that stood in it. Raises WrongUse for one that no file can hold."""
    found = make_url(address).set(drivername="postgresql")
    stated = found.query.get("password")
    word = found.password if found.password is not None else stated if isinstance(stated, str) else None
    if word is not None and ("\n" in word or "\r" in word or "\0" in word):
        raise WrongUse("the password has a line break in it.", where="CANBAO_DATABASE_URL", cure="Give the account another one.")
    bare = URL.create("postgresql", found.username, None, found.host, found.port, found.database, found.query).difference_update_query(["password"])
    return bare.render_as_string(hide_password=False), str(word) if word else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
