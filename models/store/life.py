"""The life of findings: every change of a finding's state or owner is made here, by the table of ``rules.finding_life``.

The table comes in as an argument (rules stand above the store), and a move that does not stand in it is refused: the
whole transaction is. Each move leaves an event with the state before and after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.errors import CanbaoError
from models.states import ENDED, LISTED, Transitions
from models.tables import Claim, Dispute, Finding

Row = RowMapping

CURRENT_COLUMNS = (
    "list", "subject", "subject_kind", "id_number", "name", "category", "owner", "co_owners", "priority", "reason",
    "evidence",
)


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_MOVED = """
CREATE TEMP TABLE moved (finding_id bigint PRIMARY KEY, event text, after text, period text, detail text DEFAULT '',
    first_seen text, last_seen text, closed_in text, excused_until text) ON COMMIT DROP;
"""

_MOVE = """
INSERT INTO finding_event (finding_id, event, period, at, run_id, detail, before, after, was_closed_in, was_last_seen)
SELECT f.id, m.event, m.period, %(at)s, %(run)s, m.detail, f.status, m.after, f.closed_in, f.last_seen
FROM moved m JOIN finding f ON f.id = m.finding_id
ON CONFLICT DO NOTHING;

UPDATE finding f SET status = m.after, first_seen = coalesce(m.first_seen, f.first_seen), last_seen = m.last_seen,
       closed_in = m.closed_in, excused_until = m.excused_until
FROM moved m WHERE f.id = m.finding_id;
"""

_JUDGE = """
-- Registers judge claims. No longer listed: confirmed at once (or moot, if a subject that was in scope has left it: died,
-- moved away). Still listed: contradicted, but only by the register of a later month, for an enrolment may take until then
-- to show. What an earlier run of this very month had decided is decided anew: a feed may have been corrected.
CREATE TEMP TABLE judged ON COMMIT DROP AS
SELECT c.id AS claim_id, c.finding_id, c.disposition, current.subject IS NOT NULL AS is_listed,
       CASE WHEN current.subject IS NOT NULL AND c.period < %(period)s THEN 'contradicted'
            WHEN current.subject IS NOT NULL THEN NULL
            WHEN gone.subject IS NOT NULL AND f.category IS NOT NULL AND f.category <> ALL(%(out_of_scope)s) THEN 'moot'
            ELSE 'confirmed' END AS outcome
FROM claim c JOIN finding f ON f.id = c.finding_id
LEFT JOIN current ON current.list = f.list AND current.subject = f.subject
LEFT JOIN gone ON gone.subject = f.subject
WHERE f.campaign_id = %(campaign)s AND c.claims AND c.period <= %(period)s
  AND (c.outcome IS NULL OR c.decided_in = %(period)s);

UPDATE claim SET outcome = judged.outcome, decided_in = CASE WHEN judged.outcome IS NOT NULL THEN %(period)s END
FROM judged WHERE claim.id = judged.claim_id AND claim.outcome IS DISTINCT FROM judged.outcome;

CREATE TEMP TABLE verdict ON COMMIT DROP AS
SELECT finding_id, min(outcome) AS outcome, max(disposition) AS disposition
FROM judged WHERE outcome IS NOT NULL GROUP BY finding_id;
"""

_UNLISTED = f"""
-- Not listed any more. What this very month had brought up is withdrawn: it goes back to what it was before.
INSERT INTO moved (finding_id, event, after, period, detail, last_seen, closed_in, excused_until)
SELECT f.id,
       CASE WHEN v.outcome = 'confirmed' THEN 'confirmed' WHEN e.event IS NOT NULL THEN 'withdrawn' ELSE 'closed' END,
       CASE WHEN v.outcome = 'confirmed' THEN 'confirmed'
            WHEN e.event IS NOT NULL THEN coalesce(nullif(e.before, ''), 'withdrawn') ELSE 'closed' END,
       %(period)s, coalesce(v.disposition, ''),
       CASE WHEN v.outcome IS DISTINCT FROM 'confirmed' AND e.was_closed_in IS NOT NULL THEN e.was_last_seen ELSE %(before)s END,
       CASE WHEN v.outcome IS DISTINCT FROM 'confirmed' THEN coalesce(e.was_closed_in, %(period)s) ELSE %(period)s END,
       -- An excuse that has run out meanwhile is gone, whichever run of the month finds it so.
       CASE WHEN f.excused_until >= %(period)s THEN f.excused_until END
FROM finding f
LEFT JOIN current c ON c.list = f.list AND c.subject = f.subject
LEFT JOIN verdict v ON v.finding_id = f.id
LEFT JOIN LATERAL (
    SELECT e.event, e.before, e.was_closed_in, e.was_last_seen FROM finding_event e
    WHERE e.finding_id = f.id AND e.period = %(period)s AND e.run_id IS NOT NULL
      AND e.event IN ('new', 'reopened', 'still_excused')
    ORDER BY e.id DESC LIMIT 1
) e ON true
WHERE f.campaign_id = %(campaign)s AND c.subject IS NULL AND f.status IN ({_quoted(LISTED)});

-- Ended by an earlier run of this month, and judged differently by this one.
INSERT INTO moved (finding_id, event, after, period, detail, last_seen, closed_in, excused_until)
SELECT f.id, k.event, k.event, %(period)s, v.disposition, f.last_seen, f.closed_in, f.excused_until
FROM finding f JOIN verdict v ON v.finding_id = f.id
CROSS JOIN LATERAL (SELECT CASE v.outcome WHEN 'moot' THEN 'closed' ELSE v.outcome END AS event) k
WHERE f.campaign_id = %(campaign)s AND f.closed_in = %(period)s AND f.status IN ('closed', 'confirmed')
  AND k.event IN ('closed', 'confirmed') AND k.event <> f.status;
"""

_RELISTED = f"""
-- Listed. What this very month had ended is restored to what it was; what an earlier one ended comes back.
INSERT INTO moved (finding_id, event, after, period, detail, first_seen, excused_until)
SELECT f.id, k.event,
       CASE k.event WHEN 'lapsed' THEN 'reopened' WHEN 'still_excused' THEN 'excused'
            WHEN 'restored' THEN
                CASE WHEN e.before = 'new' AND f.first_seen < %(period)s THEN 'persisting'
                     WHEN e.before = 'excused' AND f.excused_until >= %(period)s THEN 'excused'
                     WHEN e.before = 'excused' THEN 'reopened' ELSE e.before END
            ELSE k.event END,
       %(period)s, coalesce(v.disposition, ''), CASE WHEN k.event = 'new' THEN %(period)s END,
       CASE WHEN k.event = 'restored' AND e.before = 'excused' AND f.excused_until < %(period)s THEN NULL
            WHEN k.event IN ('still_excused', 'restored', 'persisting') THEN f.excused_until END
FROM finding f
JOIN current c ON c.list = f.list AND c.subject = f.subject
LEFT JOIN verdict v ON v.finding_id = f.id AND v.outcome = 'contradicted'
LEFT JOIN LATERAL (
    SELECT e.before FROM finding_event e
    WHERE f.closed_in = %(period)s AND e.finding_id = f.id AND e.period = %(period)s AND e.run_id IS NOT NULL
      AND e.event IN ('closed', 'confirmed', 'withdrawn') AND e.before IN ({_quoted(LISTED)})
    ORDER BY e.id DESC LIMIT 1
) e ON f.status IN ({_quoted(ENDED)})
CROSS JOIN LATERAL (SELECT
    CASE WHEN v.outcome IS NOT NULL AND f.status NOT IN ('contradicted', 'excused', 'withdrawn') THEN 'contradicted'
         WHEN f.status IN ({_quoted(ENDED)}) AND e.before IS NOT NULL THEN 'restored'
         WHEN f.status = 'withdrawn' THEN 'new'
         WHEN f.status IN ('closed', 'confirmed') AND f.excused_until >= %(period)s THEN 'still_excused'
         WHEN f.status IN ('closed', 'confirmed') THEN 'reopened'
         WHEN f.status = 'excused' AND f.excused_until < %(period)s THEN 'lapsed'
         WHEN f.status = 'new' AND f.first_seen < %(period)s THEN 'persisting' END AS event) k
WHERE f.campaign_id = %(campaign)s AND k.event IS NOT NULL
  AND (v.outcome IS NOT NULL OR f.status IN ('new', 'excused', {_quoted(ENDED)}));
"""

_SUCCEEDED = """
-- Who leads today in place of a unit that has ended.
UPDATE current c SET owner = coalesce(%(leads)s::jsonb ->> c.owner, c.owner),
       co_owners = ARRAY(SELECT DISTINCT coalesce(%(leads)s::jsonb ->> o, o) FROM unnest(c.co_owners) AS o
                         WHERE coalesce(%(leads)s::jsonb ->> o, o) <> coalesce(%(leads)s::jsonb ->> c.owner, c.owner)
                         ORDER BY 1)
WHERE %(leads)s::jsonb ?| (c.owner || c.co_owners);
"""

_ASSIGNED = """
-- Who was made to lead by a settled dispute, for as long as the rule names the one it was settled against.
UPDATE finding f SET assigned_owner = NULL, assigned_from = NULL
FROM current c
WHERE f.campaign_id = %(campaign)s AND f.assigned_owner IS NOT NULL AND f.list = c.list AND f.subject = c.subject
  AND coalesce(%(leads)s::jsonb ->> f.assigned_from, f.assigned_from) <> c.owner;

UPDATE current c SET owner = a.lead,
       co_owners = ARRAY(SELECT DISTINCT o FROM unnest(c.co_owners || c.owner) AS o WHERE o <> a.lead ORDER BY 1)
FROM (SELECT list, subject, coalesce(%(leads)s::jsonb ->> assigned_owner, assigned_owner) AS lead
      FROM finding WHERE campaign_id = %(campaign)s AND assigned_owner IS NOT NULL) a
WHERE a.list = c.list AND a.subject = c.subject;
"""

_CONTENT = """
INSERT INTO finding_event (finding_id, event, period, at, run_id, detail, before, after, was_closed_in, was_last_seen)
SELECT f.id, 'transferred', %(period)s, %(at)s, %(run)s, f.owner || ' → ' || c.owner, f.status, f.status, f.closed_in, f.last_seen
FROM finding f JOIN current c ON c.list = f.list AND c.subject = f.subject
WHERE f.campaign_id = %(campaign)s AND f.owner <> c.owner
ON CONFLICT DO NOTHING;

-- Only what differs is written: most findings persist as they are.
UPDATE finding f SET owner = c.owner, co_owners = c.co_owners, category = c.category, name = coalesce(c.name, ''),
       id_number = c.id_number, priority = c.priority, reason = c.reason, evidence = c.evidence, run_id = %(run)s
FROM current c
WHERE f.campaign_id = %(campaign)s AND f.list = c.list AND f.subject = c.subject
  AND (f.owner, f.co_owners, f.category, f.name, f.id_number, f.priority, f.reason, f.evidence)
      IS DISTINCT FROM
      (c.owner, c.co_owners, c.category, coalesce(c.name, ''), c.id_number, c.priority, c.reason, c.evidence);

WITH fresh AS (
    INSERT INTO finding (campaign_id, list, subject, subject_kind, id_number, name, category, owner, co_owners,
                         priority, reason, evidence, status, first_seen, run_id)
    SELECT %(campaign)s, list, subject, subject_kind, id_number, coalesce(name, ''), category, owner, co_owners,
           priority, reason, evidence, 'new', %(period)s, %(run)s
    FROM current c
    WHERE NOT EXISTS (SELECT 1 FROM finding f
                      WHERE f.campaign_id = %(campaign)s AND f.list = c.list AND f.subject = c.subject)
    ON CONFLICT (campaign_id, list, subject) DO NOTHING
    RETURNING id
)
INSERT INTO finding_event (finding_id, event, period, at, run_id, detail, before, after)
SELECT id, 'new', %(period)s, %(at)s, %(run)s, '', '', 'new' FROM fresh;
"""

_DIFFERENCE = """
SELECT event, count(*) FROM finding_event WHERE run_id = %(run)s AND at = %(at)s AND event <> 'persisting' GROUP BY event
"""


def merge(tx: Connection, campaign: str, period: str, run_id: int, at: datetime, current: Path, gone: Path,
          out_of_scope: Sequence[str], transitions: Transitions, leads: Mapping[str, str]) -> dict[str, int]:
    """Merges a run's findings (CSV files made by the engine) into the life of findings; returns the difference it makes.

    ``current`` holds one line per list and subject, ``gone`` the subjects that are out of scope now, ``out_of_scope``
    the categories that are; ``leads`` says who leads today in place of whom. All in the caller's transaction: either the
    whole difference is recorded or nothing. The period must not be before the newest one merged. A run over a corrected
    feed of the same period leaves what a run over the right feed alone would have left; what it took back stays as
    ``withdrawn``.
    """
    tx.execute(text(f"""
        CREATE TEMP TABLE current ON COMMIT DROP AS SELECT {', '.join(CURRENT_COLUMNS)} FROM finding WITH NO DATA;
        CREATE TEMP TABLE gone (subject text PRIMARY KEY) ON COMMIT DROP;
    """))
    cursor = tx.connection.cursor()
    with current.open("rb") as stream:
        cursor.copy_expert(f"COPY current ({', '.join(CURRENT_COLUMNS)}) FROM STDIN (FORMAT csv)", stream)
    with gone.open("rb") as stream:
        cursor.copy_expert("COPY gone FROM STDIN (FORMAT csv)", stream)
    cursor.execute("CREATE INDEX ON current (subject, list); ANALYZE current")
    values = {"campaign": campaign, "period": period, "run": run_id, "at": at, "out_of_scope": list(out_of_scope),
              "leads": json.dumps(dict(leads)), "before": _month_before(tx, campaign, period)}
    if leads:
        cursor.execute(_SUCCEEDED, values)
    cursor.execute(_ASSIGNED, values)
    cursor.execute(_JUDGE + _MOVED + _UNLISTED + _RELISTED, values)
    _move(tx, transitions, at, run_id)
    cursor.execute(_CONTENT, values)
    cursor.execute(_DIFFERENCE, values)
    difference = dict(cursor.fetchall())
    listed = tx.execute(text("SELECT count(*) FROM current")).scalar_one()
    # Listed before and still: also where it was contradicted, lapsed or got another owner.
    arrived = sum(difference.get(event, 0) for event in ("new", "reopened", "restored", "still_excused"))
    return {**difference, "persisting": listed - arrived}


def _month_before(tx: Connection, campaign: str, period: str) -> str:
    """The period compared before this one; without one, the month before it."""
    return str(tx.execute(text("""
        SELECT coalesce((SELECT max(period) FROM run WHERE campaign_id = :campaign AND state = 'done' AND period < :period),
                        to_char(to_date(:period, 'YYYY-MM') - interval '1 month', 'YYYY-MM'))
    """), {"campaign": campaign, "period": period}).scalar_one())


def _move(tx: Connection, transitions: Transitions, at: datetime, run_id: int | None = None) -> int:
    """Makes the moves laid out in the temporary table ``moved``, all or none; returns how many."""
    steps = tx.execute(text("SELECT m.event, f.status, m.after, count(*) FROM moved m JOIN finding f ON f.id = m.finding_id "
                            "GROUP BY 1, 2, 3")).all()
    illegal = [f"{event}: {before} → {after}" for event, before, after, _ in steps if (event, before, after) not in set(transitions)]
    if illegal:
        raise CanbaoError(f"findings cannot move like this ({', '.join(illegal)}).", where="the life of findings",
                          cure="Nothing was changed. Report this: the record and the rules disagree.")
    tx.connection.cursor().execute(_MOVE, {"at": at, "run": run_id})
    return sum(step[3] for step in steps)


def _lay_out(tx: Connection, rows: str, values: Mapping[str, Any]) -> None:
    tx.execute(text("DROP TABLE IF EXISTS moved"))
    tx.execute(text(_MOVED))
    tx.execute(text(f"INSERT INTO moved (finding_id, event, after, period, detail, last_seen, closed_in, excused_until) {rows}"),
               dict(values))


# --- owners answer --------------------------------------------------------------------------------------


def mark_released(tx: Connection, run: Row, finding_ids: Sequence[int], at: datetime, transitions: Transitions) -> int:
    """Marks findings as handed out to their owners; returns how many newly so."""
    _lay_out(tx, """
        SELECT id, 'released', 'released', :period, owner, last_seen, closed_in, excused_until
        FROM finding WHERE id = ANY(:ids) AND status IN ('new', 'persisting', 'reopened', 'contradicted')
    """, {"ids": list(finding_ids), "period": run["period"]})
    return _move(tx, transitions, at, run["id"])


def record_claims(tx: Connection, campaign: str, at: datetime, claims: Sequence[Mapping[str, Any]],
                  transitions: Transitions) -> int:
    """Records what an owner found: claimed, excused (``excused_until`` says for how long), or merely visited. A later
    answer for the same month replaces the earlier one until a register has decided. Returns how many answers stand."""
    if not claims:
        return 0
    until = {claim["finding_id"]: claim["excused_until"] for claim in claims}
    statement = insert(Claim).values([
        {"received_at": at, **{key: value for key, value in claim.items() if key != "excused_until"}} for claim in claims])
    new = statement.excluded
    stored = tx.execute(statement.on_conflict_do_update(
        index_elements=["finding_id", "period"],
        set_={"disposition": new.disposition, "claims": new.claims, "excuses": new.excuses, "note": new.note,
              "worker": new.worker, "received_at": new.received_at},
        where=Claim.outcome.is_(None)).returning(Claim.finding_id, Claim.claims, Claim.excuses,
                                                 Claim.disposition, Claim.period)).mappings().all()
    for event, chosen in (("claimed", [row for row in stored if row["claims"]]),
                          ("excused", [row for row in stored if row["excuses"]]),
                          ("answered", [row for row in stored if not row["claims"] and not row["excuses"]])):
        if chosen:
            _lay_out(tx, _ANSWERS[event], {
                "campaign": campaign, "ids": [row["finding_id"] for row in chosen],
                "periods": [row["period"] for row in chosen], "details": [row["disposition"] for row in chosen],
                "until": [until[row["finding_id"]] for row in chosen]})
            _move(tx, transitions, at)
    return len(stored)


_ANSWERED = """
    FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id, unnest(CAST(:periods AS text[])) AS period,
                 unnest(CAST(:details AS text[])) AS detail, unnest(CAST(:until AS text[])) AS until) AS a
    JOIN finding f ON f.id = a.id AND f.campaign_id = :campaign
"""
_ANSWERS = {
    "claimed": f"SELECT f.id, 'claimed', 'claimed', a.period, a.detail, f.last_seen, f.closed_in, NULL {_ANSWERED} "
               f"WHERE f.status IN ({_quoted(LISTED)})",
    "excused": f"SELECT f.id, 'excused', 'excused', a.period, a.detail, f.last_seen, f.closed_in, a.until {_ANSWERED} "
               f"WHERE f.status IN ({_quoted(LISTED)})",
    # Who takes an answer back ("enrolled", then "away") has the finding on the roster again.
    "answered": f"""SELECT f.id, 'answered', 'released', a.period, a.detail, f.last_seen, f.closed_in, NULL {_ANSWERED}
               WHERE (f.status = 'claimed' AND NOT EXISTS (
                          SELECT 1 FROM claim c WHERE c.finding_id = f.id AND c.claims AND c.outcome IS NULL))
                  OR (f.status = 'excused' AND NOT EXISTS (
                          SELECT 1 FROM claim c WHERE c.finding_id = f.id AND c.excuses))""",
}


# --- who leads ------------------------------------------------------------------------------------------


def hand_over(tx: Connection, campaign: str, leads: Mapping[str, str], period: str, at: datetime) -> int:
    """Gives the findings of units that have ended to who leads in their place (``leads``); returns how many."""
    if not leads:
        return 0
    values = {"campaign": campaign, "leads": json.dumps(dict(leads)), "ended": list(leads), "period": period, "at": at}
    tx.execute(text("""
        INSERT INTO finding_event (finding_id, event, period, at, detail, before, after, was_closed_in, was_last_seen)
        SELECT id, 'transferred', :period, :at, owner || ' → ' || (CAST(:leads AS jsonb) ->> owner), status, status,
               closed_in, last_seen
        FROM finding WHERE campaign_id = :campaign AND owner = ANY(:ended)
        ON CONFLICT DO NOTHING
    """), values)
    return tx.execute(text("""
        UPDATE finding SET owner = CAST(:leads AS jsonb) ->> owner,
               co_owners = array_remove(co_owners, CAST(:leads AS jsonb) ->> owner)
        WHERE campaign_id = :campaign AND owner = ANY(:ended)
    """), values).rowcount


def one(tx: Connection, campaign: str, finding_id: int) -> Row | None:
    """One finding."""
    return tx.execute(select(Finding.__table__).where(
        Finding.campaign_id == campaign, Finding.id == finding_id)).mappings().first()


def events_of(tx: Connection, finding_id: int) -> list[Row]:
    """The life of one finding, in order."""
    return list(tx.execute(text("SELECT * FROM finding_event WHERE finding_id = :id ORDER BY id"), {"id": finding_id}).mappings())


def raise_dispute(tx: Connection, campaign: str, finding: Row, by: str, to: str, reason: str, at: datetime,
                  period: str) -> int | None:
    """Records that ``by`` wants ``to`` to lead; None if a dispute about this finding is waiting already."""
    dispute = tx.execute(insert(Dispute).values(
        campaign_id=campaign, finding_id=finding["id"], raised_by=by, owner_then=finding["owner"], wanted_owner=to,
        reason=reason, raised_at=at).on_conflict_do_nothing().returning(Dispute.id)).scalar()
    if dispute is not None:
        _record(tx, finding, "disputed", period, at, f"{by}: {finding['owner']} → {to}")
    return dispute


def dispute(tx: Connection, campaign: str, dispute_id: int) -> Row | None:
    """One dispute."""
    return tx.execute(select(Dispute.__table__).where(
        Dispute.campaign_id == campaign, Dispute.id == dispute_id)).mappings().first()


def open_disputes(tx: Connection, campaign: str, finding_ids: Sequence[int] | None = None) -> list[Row]:
    """Disputes that wait for a decision, the oldest first."""
    query = select(Dispute.__table__).where(Dispute.campaign_id == campaign, Dispute.settled_at.is_(None))
    if finding_ids is not None:
        query = query.where(Dispute.finding_id.in_(finding_ids))
    return list(tx.execute(query.order_by(Dispute.id)).mappings())


def settle_dispute(tx: Connection, dispute: Row, finding: Row, by: str, accepted: bool, reason: str, at: datetime,
                   period: str) -> None:
    """Records the decision; the database refuses the parties. If accepted, the wanted owner leads from now on, and who
    led helps; the rule of the plan no longer moves this finding while it names the same owner."""
    tx.execute(update(Dispute).where(Dispute.id == dispute["id"], Dispute.settled_at.is_(None)).values(
        settled_at=at, settled_by=by, accepted=accepted, settled_reason=reason))
    if not accepted:
        _record(tx, finding, "dispute_refused", period, at, f"{by}: {finding['owner']}")
        return
    _record(tx, finding, "transferred", period, at, f"{finding['owner']} → {dispute['wanted_owner']}")
    helpers = sorted({*finding["co_owners"], finding["owner"]} - {dispute["wanted_owner"]})
    tx.execute(update(Finding).where(Finding.id == finding["id"]).values(
        owner=dispute["wanted_owner"], co_owners=helpers, assigned_owner=dispute["wanted_owner"],
        assigned_from=finding["assigned_from"] or finding["owner"]))


def _record(tx: Connection, finding: Row, event: str, period: str, at: datetime, detail: str) -> None:
    tx.execute(text("""
        INSERT INTO finding_event (finding_id, event, period, at, detail, before, after, was_closed_in, was_last_seen)
        VALUES (:id, :event, :period, :at, :detail, :status, :status, :closed_in, :last_seen) ON CONFLICT DO NOTHING
    """), {"id": finding["id"], "event": event, "period": period, "at": at, "detail": detail, "status": finding["status"],
           "closed_in": finding["closed_in"], "last_seen": finding["last_seen"]})
