"""The audit trail: rows that are only ever added, each proven by a key outside the database together with the one before."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.dialects.postgresql import insert

from models import trail_key
from models.errors import StorageUnavailable
from models.tables import Audit
from models.trail_key import NOTHING, End, Head, HeadForged

EVERYWHERE = "*"
"""Stands for the campaign where something was done to all of them: a backup, a restore."""
_WRITTEN, _COMMITTED = "canbao.audit.written", "canbao.audit.committed"
_GUARDS = frozenset({"audit_refuses_change", "audit_refuses_truncate"})
"""The triggers of migration 0010."""


def audit(tx: Connection, campaign: str, *, at: datetime, actor: str, action: str, subject: str, count: int,
          reason: str) -> None:
    """Appends to the trail. Its head is written beside the database just before the transaction is committed, and confirmed after.

    Numbers have no gaps: one transaction at a time appends, and one that is rolled back leaves its numbers to the next.
    """
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('audit'))"))
    before = end(tx)
    secret, number = trail_key.key(make=not before.is_keyed), before.last + 1
    row = {"id": number, "campaign_id": campaign, "at": at, "actor": actor, "action": action, "subject": subject, "count": count,
           "reason": reason, "previous": before.digest}
    after = End(number, trail_key.seal(secret, _content(row)))
    tx.execute(insert(Audit).values(**row, digest=after.digest))
    _watch(tx)
    begun, _, _ = tx.info.get(_WRITTEN, (before, None, None))
    tx.info[_WRITTEN] = (begun, after, at)


def _content(row: Any) -> list[Any]:
    # In UTC: the server hands instants back in the session's own zone.
    return [row["id"], row["campaign_id"], row["at"].astimezone(UTC).isoformat(), row["actor"], row["action"], row["subject"],
            row["count"], row["reason"], row["previous"]]


def _content_before_keys(row: Any) -> str:
    return "|".join((row["previous"], row["campaign_id"], row["at"].astimezone(UTC).isoformat(), row["actor"], row["action"],
                     row["subject"], str(row["count"]), row["reason"]))


def end(tx: Connection) -> End:
    """Where the trail ends, as its table says."""
    last = tx.execute(select(Audit.id, Audit.digest).order_by(Audit.id.desc()).limit(1)).one_or_none()
    return NOTHING if last is None else End(last.id, last.digest)


def audited(tx: Connection, campaign: str, action: str) -> set[str]:
    """What an action of the audit trail was done to, in one campaign."""
    return set(tx.execute(select(Audit.subject).where(Audit.campaign_id == campaign, Audit.action == action)).scalars())


# --- the head follows each commit -----------------------------------------------------------------------


def _watch(tx: Connection) -> None:
    if not event.contains(tx.engine, "commit", _about_to_commit):
        event.listen(tx.engine, "commit", _about_to_commit)
        event.listen(tx.engine, "rollback", _rolled_back)
        event.listen(tx.engine.pool, "checkin", _given_back)


def _about_to_commit(tx: Connection) -> None:
    if (written := tx.info.pop(_WRITTEN, None)) is not None:
        before, after, at = written
        trail_key.intend(before, after, at.isoformat(timespec="seconds"))
        tx.info[_COMMITTED] = after


def _rolled_back(tx: Connection) -> None:
    tx.info.pop(_WRITTEN, None)
    tx.info.pop(_COMMITTED, None)


def _given_back(_connection: Any, record: Any) -> None:
    # SQLAlchemy tells of a commit before it is made; a connection comes back after. One that broke has lost what it knew.
    if (after := record.info.pop(_COMMITTED, None)) is not None:
        trail_key.confirm(after)


# --- verification ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with the trail: the number of the row (None: the trail as a whole), and what."""

    row: int | None
    what: str


@dataclass(frozen=True)
class Verdict:
    """What a verification found: where the trail ends, how many rows there are, and every flaw, the first row's first."""

    ends_at: str
    rows: int
    flaws: tuple[Flaw, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.flaws


MOST_FLAWS = 20
"""Flaws of rows that are told one by one: where a thousand rows are wrong, the first ones say how."""


def verify(tx: Connection, told: str = "", *, with_head: bool = True) -> Verdict:
    """Looks at every row, at the head, and at what keeps the table from being changed.

    ``told`` is a head as a message or the board printed it (``number:letters``): the trail must still hold that row. Without
    ``with_head`` only rows are looked at: after a restore the head is made anew from them.
    """
    # While this lock is held nobody appends: what is read is one state, and the head is that state's.
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('audit'))"))
    if tx.execute(text("SELECT to_regclass('audit')")).scalar() is None:
        return Verdict(str(NOTHING), 0, (Flaw(None, "the whole table is gone"),))
    last, flaws, head, secret = end(tx), list[Flaw](), None, b""
    try:
        secret = trail_key.key()
        head = trail_key.read_head() if with_head else None
    except HeadForged as why:
        flaws.append(Flaw(None, f"the head file is not ours: {why}"))
    except StorageUnavailable as why:
        if last.is_keyed or trail_key.has_head():
            return Verdict(str(last), last.last, (Flaw(None, f"nothing can be proven: {why}"),))
    walk = _Walk(secret, None if head is None else head.unkeyed, told)
    for row in tx.execute(select(Audit.__table__).order_by(Audit.id).execution_options(yield_per=5_000)).mappings():
        walk.step(row)
    told_singly, more = walk.flaws[:MOST_FLAWS], walk.flaws[MOST_FLAWS:]
    if more:
        told_singly.append(Flaw(more[0].row, f"and {len(more)} more"))
    if head is not None:
        flaws += _beside_the_head(head, walk)
    elif with_head and not flaws and (walk.end.is_keyed or trail_key.has_made_key()):
        flaws.append(Flaw(None, f"the head file is gone; the trail ends at {walk.end}"))
    return Verdict(str(walk.end), walk.rows, (*told_singly, *flaws, *walk.untold(), *_unguarded(tx)))


class _Walk:
    """One pass over the rows in their order."""

    def __init__(self, secret: bytes, unkeyed: int | None, told: str) -> None:
        self.secret, self.key_name, self.unkeyed = secret, trail_key.key_name(secret), unkeyed
        self.told, self.is_told = told.strip(), not told.strip()
        self.end, self.rows, self.flaws = NOTHING, 0, list[Flaw]()

    def step(self, row: Any) -> None:
        here = End(row["id"], row["digest"])
        self.rows += 1
        if here.is_keyed or self.end.is_keyed:
            self._of_our_time(row, here)
        elif hashlib.sha256(_content_before_keys(row).encode()).hexdigest() != here.digest:
            self._flaw(row, "was changed")
        elif row["previous"] != self.end.digest:
            self._flaw(row, "does not follow the row before it: one is missing, or the order was changed")
        elif self.unkeyed is not None and here.last > self.unkeyed:
            self._flaw(row, "carries no proof under a key: it was not written by canbao")
        self.end = here
        self.is_told |= str(here) == self.told

    def _of_our_time(self, row: Any, here: End) -> None:
        proof = trail_key.seal(self.secret, _content(row))
        if here.last > self.end.last + 1 and (self.end.is_keyed or here.last > (self.unkeyed or 0) + 1):
            missing = f"row {self.end.last + 1}" if here.last == self.end.last + 2 else f"rows {self.end.last + 1} to {here.last - 1}"
            self.flaws.append(Flaw(self.end.last + 1, f"{missing} missing before row {here.last}"))
        elif row["previous"] != self.end.digest:
            self._flaw(row, "does not follow the row before it: one of them was replaced, inserted or put in another place")
        if not hmac.compare_digest(proof, here.digest):
            name = here.digest.partition(":")[0] if here.is_keyed else ""
            self._flaw(row, "carries no proof under a key: it was not written by canbao" if not name
                       else "was changed" if name == self.key_name
                       else f"was written under another key ({name}; ours is {self.key_name})")

    def _flaw(self, row: Any, what: str) -> None:
        self.flaws.append(Flaw(row["id"], f"row {row['id']} {what}"))

    def untold(self) -> list[Flaw]:
        return [] if self.is_told else [Flaw(None, f"the head that was told ({self.told}) stands nowhere in the trail, which ends at {self.end}")]


def _beside_the_head(head: Head, walk: _Walk) -> list[Flaw]:
    """What the head file tells otherwise than the rows."""
    flaws = [Flaw(None, f"an earlier loss is on record: {entry}") for entry in head.lost]
    if walk.end not in (head.known, head.intended):
        if walk.end.last < head.known.last:
            what = (f"rows {walk.end.last + 1} to {head.known.last} are missing at the end" if walk.rows
                    else f"all {head.known.last} rows are gone")
        elif walk.end.last > head.intended.last:
            what = f"the head file is older than the trail: it ends at {head.known}, the trail at {walk.end}; it was put back"
        else:
            what = f"the last rows are others than those the head tells of ({head.known}; the trail ends at {walk.end})"
        flaws.append(Flaw(min(walk.end.last, head.known.last) + 1, what))
    return flaws


def _unguarded(tx: Connection) -> list[Flaw]:
    standing = set(tx.execute(text(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled = 'A'")).scalars())
    return [Flaw(None, f"the table can be changed: its trigger {name} is off or gone") for name in sorted(_GUARDS - standing)]


def audit_is_whole(tx: Connection) -> bool:
    """Whether no row of the audit trail was changed or removed since it was written."""
    return verify(tx).is_whole


def begin_again(tx: Connection) -> tuple[Verdict, str]:
    """After a restore: looks at the rows alone, and makes the head anew where they end. Rows that do not hold stay so: they are
    found again at every verification. Returns what was found, and what the head in its place told.

    Raises StorageUnavailable where rows were written under a key that is not there.
    """
    last = end(tx)
    trail_key.key(make=not last.is_keyed)
    try:
        before = trail_key.read_head()
        replaced = "none" if before is None else str(before.known)
    except HeadForged as why:
        replaced = f"not ours ({why})"
    verdict = verify(tx, with_head=False)
    unkeyed = tx.execute(select(func.coalesce(func.max(Audit.id), 0)).where(Audit.digest.not_like("%:%"))).scalar_one()
    trail_key.begin_again(last, unkeyed)
    return verdict, replaced
