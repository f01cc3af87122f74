"""The watched inbox ``inbox/<feed>/<period>/<file>``: what may be taken, what waits, and what lies in the wrong place.

A file is taken only when it is complete, and nothing is passed over silently: whatever is not taken is held with a
reason and a cure in the sender's language. Only the folder is looked at here: no record, no clock, nothing changed.
The policy (times, names, wording) stands in ``doors.yaml``.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml

from models.contract import for_feed
from models.errors import CanbaoError, FileReturned, WrongUse
from models.plan import Feed, Plan
from rules import periods
from tasks.originals import open_delivered

POLICY = Path(__file__).with_name("doors.yaml")
_LONG_NUMBER = re.compile(r"\d{13,}[\dXx]?")
_YEAR_AND_MONTH = re.compile(r"(\d{4})\D{0,2}(\d{1,2})\D{0,2}", re.ASCII)
_ZIP = b"PK\x03\x04"
LARGEST_MANIFEST = 1 << 20
_SUM_LINE = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+[* ]?(.*))?")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A complete file (or the description of a view) that may be taken in; it arrived at its modification time."""

    feed: str
    period: str
    path: Path
    received_at: datetime
    size_bytes: int


Known = Callable[[Arrived], bool]
"""Whether a file needs no more looking at."""


@dataclass(frozen=True, slots=True)
class Held:
    """An entry that is not taken. ``place`` is its path in the inbox, fit for a screen; ``kind`` a key of ``doors.yaml``;
    ``says`` what is wrong and what to do."""

    place: str
    state: Literal["waiting", "misplaced"]
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """What was found. ``elsewhere`` counts the files of other periods than the one asked for."""

    arrived: tuple[Arrived, ...]
    held: tuple[Held, ...]
    elsewhere: Mapping[str, int]

    @property
    def is_settling(self) -> bool:
        """Whether some file only waits because it has changed a moment ago."""
        return any(entry.kind == "settling" for entry in self.held)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the folder is looked at, and how strictly. ``now`` None: arrival and age do not matter (files laid out by a
    program). ``by_hand``: an operator asked, so a file may carry any modification time (decision 0011)."""

    now: datetime | None
    by_hand: bool = False

    def age(self, instant: datetime) -> timedelta | None:
        """How long ago the instant was; None where it does not matter."""
        return None if self.now is None else self.now - instant

    @property
    def settle(self) -> timedelta:
        """How long a file must not have changed."""
        complete = policy()["complete"]
        return timedelta(seconds=complete["by_hand_seconds" if self.by_hand else "settle_seconds"])

    @property
    def patience(self) -> timedelta:
        """How long a broken file may still become whole. An operator who asks for it wants an answer."""
        return self.settle if self.by_hand else timedelta(minutes=policy()["complete"]["patience_minutes"])


@cache
def policy() -> dict[str, Any]:
    """``doors.yaml``."""
    stated: dict[str, Any] = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    return stated


def is_source(path: Path) -> bool:
    """Whether a file describes a view in a database instead of holding rows."""
    return path.name.endswith(policy()["names"]["source"])


def clean_name(name: str) -> str:
    """A file name as it can be stored and shown: bytes that are no UTF-8 are read as GB18030 (old archives write names
    so), and what cannot be printed becomes ``?``."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("gb18030", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def shown(*parts: str) -> str:
    """A path in the inbox as it may stand on a screen: printable, and no number of a person in it."""
    return _LONG_NUMBER.sub("(数字)", "/".join(clean_name(part) for part in parts))


def observe(inbox: Path, plan: Plan, moment: Moment, period: str | None = None, known: Known | None = None) -> Inbox:
    """What lies in an inbox: files of one period, or of every period. ``known`` files are left out."""
    found = _Found(period, known)
    for entry in _entries(inbox, found):
        feed = next((feed for feed in plan.feeds if feed.feed == entry.name), None)
        if not _is_folder(entry):
            found.hold("link" if entry.is_symlink() else "in_root", entry.name)
        elif feed is None:
            found.hold_all_below(entry, (), "unknown_feed", _feed_meant(entry.name, plan))
        else:
            _look_into_feed(entry, feed, plan, moment, found)
    return Inbox(tuple(found.arrived), tuple(found.held), found.elsewhere)


class _Found:
    """What has been found so far."""

    def __init__(self, period: str | None, known: Known | None) -> None:
        self.period, self.known = period, known
        self.arrived: list[Arrived] = []
        self.held: list[Held] = []
        self.elsewhere: dict[str, int] = {}

    def hold(self, kind: str, *parts: str, hint: str = "") -> None:
        """Holds an entry, with where it may belong."""
        state: Literal["waiting", "misplaced"] = "waiting" if kind in policy()["waiting"] else "misplaced"
        advice = policy()["suggestion"].format(place=hint) if hint else ""
        self.held.append(Held(shown(*parts), state, kind, policy()[state][kind] + advice))

    def hold_all_below(self, folder: Path, above: tuple[str, ...], kind: str, hint: str = "") -> None:
        """Holds every file under a folder in which none is taken. Links are named, never followed."""
        for root, folders, names in os.walk(folder):
            folders.sort()
            linked = [name for name in folders if Path(root, name).is_symlink()]
            for name in sorted([*linked, *(name for name in names if not _matches(name, "ignored"))]):
                path = Path(root, name)
                parts = (*above, folder.name, *path.relative_to(folder).parts)
                self.hold("link" if path.is_symlink() else kind, *parts, hint=hint)


# --- in the wrong place ---------------------------------------------------------------------------------


def _entries(folder: Path, found: _Found, *above: str) -> list[Path]:
    """What lies in a folder, in order of name. A folder that may not be read is held."""
    try:
        return sorted(path for path in folder.iterdir() if not _matches(path.name, "ignored"))
    except FileNotFoundError:
        return []
    except OSError:
        found.hold("unreadable", *above, folder.name)
        return []


def _matches(name: str, which: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in policy()["names"][which])


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _look_into_feed(folder: Path, feed: Feed, plan: Plan, moment: Moment, found: _Found) -> None:
    for place in _entries(folder, found):
        if not _is_folder(place):
            found.hold("link" if place.is_symlink() else "in_feed", feed.feed, place.name)
        elif fault := _period_fault(place.name, feed, plan, moment):
            meant = _period_meant(place.name, feed, plan, moment)
            found.hold_all_below(place, (feed.feed,), fault, meant)
        else:
            _Folder(place, feed.feed, moment, found).look()


def _feed_meant(name: str, plan: Plan) -> str:
    """The feed that a folder name resembles: by the feed's own name, the plan's or the contract's."""
    names = {text: feed.feed for feed in plan.feeds for text in (feed.feed, feed.name, for_feed(feed.feed, plan.contracts).name)}
    wanted = clean_name(name).strip()
    contained = {feed for text, feed in names.items() if wanted and wanted in text}
    close = difflib.get_close_matches(wanted.lower(), names, n=1)
    if close:
        return f"{names[close[0]]}/"
    return f"{contained.pop()}/" if len(contained) == 1 else ""


def _span(label: str, feed: Feed, plan: Plan) -> periods.Period | None:
    """The period a folder name stands for: a month, or a period of the feed's own cadence."""
    with suppress(WrongUse):
        return periods.month(label)
    with suppress(CanbaoError):
        return periods.period(feed.cadence, label, starts=plan.starts, ends=plan.ends)
    return None


def _period_fault(label: str, feed: Feed, plan: Plan, moment: Moment) -> str | None:
    span = _span(label, feed, plan)
    if span is None:
        return "unknown_period"
    if moment.now is not None and span.starts > moment.now.astimezone(ZoneInfo(plan.time_zone)).date():
        return "not_begun"
    return "too_early" if span.ends < _earliest(plan) else None


def _earliest(plan: Plan) -> date:
    label = f"{plan.starts:%Y-%m}"
    for _ in range(policy()["complete"]["months_before_start"]):
        label = periods.previous_month(label)
    return periods.month(label).starts


def _period_meant(name: str, feed: Feed, plan: Plan, moment: Moment) -> str:
    """``2021年5月`` and ``202105`` mean 2021-05, unless that is no period here either."""
    stated = _YEAR_AND_MONTH.fullmatch(clean_name(name).strip())
    label = f"{stated[1]}-{int(stated[2]):02d}" if stated else ""
    is_meant = label not in ("", name) and _period_fault(label, feed, plan, moment) is None
    return f"{feed.feed}/{label}/" if is_meant else ""


# --- in its place ---------------------------------------------------------------------------------------


class _Folder:
    """One feed and period: its files, and what stands beside them."""

    def __init__(self, folder: Path, feed: str, moment: Moment, found: _Found) -> None:
        self.feed, self.period, self.moment, self.found = feed, folder.name, moment, found
        self.entries = {path.name: path for path in _entries(folder, found, feed)}
        names = policy()["names"]
        self.sums = _stated_sums(self.entries)
        self.beside = {name: name.removesuffix(ending) for name in self.entries
                       for ending in (*names["checksums"], *names["marks"]) if name.endswith(ending)}
        self.locks = {pattern.format(name=name): name for name in self.entries for pattern in names["locks"]}

    def look(self) -> None:
        """Hands over what may be taken, in order of arrival, and holds the rest."""
        is_asked_for = self.found.period in (None, self.period)
        arrived: list[Arrived] = []
        for name, path in self.entries.items():
            is_company = name in self.beside or self.locks.get(name) in self.entries
            if is_company or name in policy()["names"]["manifests"]:
                continue
            result = self._looked_at(path)
            if isinstance(result, Arrived):
                arrived.append(result)
            elif result is not None and is_asked_for:
                self._hold(result, path)
        if is_asked_for:
            for name in sorted({*self.sums, *self.beside.values()} - set(self.entries)):
                self.found.hold("announced", self.feed, self.period, name)
            self.found.arrived.extend(sorted(arrived, key=lambda file: (file.received_at, file.path.name)))
        elif arrived:
            self.found.elsewhere[self.period] = self.found.elsewhere.get(self.period, 0) + len(arrived)

    def _hold(self, kind: str, path: Path) -> None:
        if kind == "nested":
            self.found.hold_all_below(path, (self.feed, self.period), kind)
        else:
            self.found.hold(kind, self.feed, self.period, path.name)

    def _looked_at(self, path: Path) -> Arrived | str | None:
        """The file if it may be taken, the kind of hold if not, None if it is known already."""
        try:
            facts = path.lstat()
        except FileNotFoundError:  # moved away while the folder was read
            return None
        if not stat.S_ISREG(facts.st_mode):
            return "link" if stat.S_ISLNK(facts.st_mode) else "nested" if stat.S_ISDIR(facts.st_mode) else "special"
        file = Arrived(self.feed, self.period, path, datetime.fromtimestamp(facts.st_mtime, UTC), facts.st_size)
        if self.found.known is not None and self.found.known(file):
            return None
        if _matches(path.name, "temporary"):
            return "temporary" if self._is_younger(file.received_at, self.moment.patience) else "stale_temporary"
        try:
            with open_delivered(path) as opened:
                return self._hold_on(file, opened) or (file if _is_same(opened, facts) else "settling")
        except FileReturned:
            return "special"
        except CanbaoError:
            return "unreadable"

    def _is_younger(self, instant: datetime, than: timedelta) -> bool:
        age = self.moment.age(instant)
        return age is None or age < than

    def _hold_on(self, file: Arrived, opened: BufferedReader) -> str | None:
        """Why the file is not taken yet."""
        age = self.moment.age(file.received_at)
        if self._is_locked(file.path.name):
            return "locked"
        if _has_writer(opened.fileno()):
            return "writing"
        if age is not None and age < timedelta(0) and not self.moment.by_hand:
            return "dated_ahead"
        if age is not None and timedelta(0) <= age < self.moment.settle and not self._is_marked(file):
            return "settling"
        # A file that differs from its stated sum is never taken; one that stays broken is, to be returned.
        if file.path.name in self.sums and _sum(opened) != self.sums[file.path.name]:
            return "differs"
        return _incomplete(opened, file.size_bytes) if age is not None and age < self.moment.patience else None

    def _is_locked(self, name: str) -> bool:
        """Whether Excel or LibreOffice has it open; a lock left behind by a crash grows old."""
        patience = timedelta(minutes=policy()["complete"]["patience_minutes"])
        return any(
            self._is_younger(_changed(self.entries[lock]), patience)
            for lock, locked in self.locks.items() if locked == name and lock in self.entries
        )

    def _is_marked(self, file: Arrived) -> bool:
        """Whether a mark that is not older than the file says that it is complete."""
        marks = (self.entries.get(file.path.name + ending) for ending in policy()["names"]["marks"])
        return any(mark is not None and _changed(mark) >= file.received_at for mark in marks)


def _stated_sums(entries: Mapping[str, Path]) -> dict[str, str]:
    """File name to the SHA-256 that a manifest or a sum beside it states; a sum of its own wins. One that cannot be
    read is no sum, and equals none."""
    names = policy()["names"]
    sums: dict[str, str] = {}
    for name in names["manifests"]:
        for line in _lines(entries.get(name)):
            if (found := _SUM_LINE.fullmatch(line)) and found[2]:
                sums[Path(found[2]).name] = found[1].lower()
    for name, path in entries.items():
        for ending in names["checksums"]:
            if name.endswith(ending):
                found = _SUM_LINE.match("".join(_lines(path)[:1]))
                sums[name.removesuffix(ending)] = found[1].lower() if found else ""
    return sums


def _lines(path: Path | None) -> list[str]:
    with suppress(OSError, CanbaoError):
        if path is not None:
            with open_delivered(path) as file:
                return file.read(LARGEST_MANIFEST).decode("utf-8-sig", "surrogateescape").splitlines()
    return []


def _changed(path: Path) -> datetime:
    """When the file last changed; one that is gone changes now and always."""
    with suppress(OSError):
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    return datetime.max.replace(tzinfo=UTC)


def _is_same(opened: BufferedReader, facts: os.stat_result) -> bool:
    now = os.fstat(opened.fileno())
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _has_writer(descriptor: int) -> bool:
    """Whether somebody holds the file open for writing: a read lease is only given where nobody does. Where there are no
    leases (network file systems, a file of another account) nothing can be told."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _sum(opened: BufferedReader) -> str:
    return hashlib.file_digest(opened, "sha256").hexdigest()


def _incomplete(opened: BufferedReader, size: int) -> str | None:
    """What of the content shows that it is not all there: nothing, or a workbook whose end is missing."""
    if size == 0:
        return "empty"
    opened.seek(0)
    if opened.read(len(_ZIP)) != _ZIP:
        return None
    try:
        zipfile.ZipFile(opened).close()  # its directory stands at the end
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "incomplete"
    return None
