"""The record: what PostgreSQL remembers. Prefect executes and shows; these rows decide.

Instants are ``timestamptz`` and come from the caller's ``as_of``, never from the database clock, so that a rehearsal
and any past status can be reproduced. Unique keys carry idempotence: every write can be made twice.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


TextArray = list[str]
"""A PostgreSQL text[]; named here because a table has a column called ``list``."""


class Base(DeclarativeBase):
    """All tables of the record."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text, datetime: DateTime(timezone=True), date: Date, float: Double, int: BigInteger,
        dict[str, Any]: JSONB, list[str]: ARRAY(Text),
    }


def _key() -> Any:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _campaign(**options: Any) -> Any:
    return mapped_column(ForeignKey("campaign.id"), **options)


class Campaign(Base):
    """One campaign and the plan version in force."""

    __tablename__ = "campaign"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    plan_sha256: Mapped[str]
    time_zone: Mapped[str]
    stored_at: Mapped[datetime]


class PlanVersion(Base):
    """Every plan text that was ever in force, whole."""

    __tablename__ = "plan_version"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    stored_at: Mapped[datetime]


class OrganisationRow(Base):
    """The dated organisation tree (C24, B36)."""

    __tablename__ = "organisation"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    short: Mapped[str]
    kind: Mapped[str]
    parent: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class PhaseRow(Base):
    """A phase of the plan and when its flow opened and closed it."""

    __tablename__ = "phase"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    starts: Mapped[date]
    ends: Mapped[date | None]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Obligation(Base):
    """What one organisation owes for one period: made ahead from the plan, before anyone reports."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("campaign_id", "item", "organisation", "period"),
        Index("ix_obligation_due", "campaign_id", "due_before"),
        Index("ix_obligation_look_at", "campaign_id", "look_at"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    kind: Mapped[str]
    item: Mapped[str]
    name: Mapped[str]
    organisation: Mapped[str]
    owed_to: Mapped[str]
    period: Mapped[str]
    period_ends: Mapped[date]
    nominal_due: Mapped[date]
    effective_due: Mapped[date]
    opens_at: Mapped[datetime]
    due_before: Mapped[datetime]
    lock_before: Mapped[datetime | None]
    ladder: Mapped[str | None]
    excused_at: Mapped[datetime | None]
    excuse_reason: Mapped[str | None]
    look_at: Mapped[datetime | None]
    """Before this instant a sweep finds nothing to do here; null = look now. Whatever happens to the row clears it."""


class Extension(Base):
    """A later due instant, granted on a date by somebody for a reason."""

    __tablename__ = "extension"
    id: Mapped[int] = _key()
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"), index=True)
    due_before: Mapped[datetime]
    granted_at: Mapped[datetime]
    granted_by: Mapped[str]
    reason: Mapped[str]


class Submission(Base):
    """A file handed in for an obligation. Sent back and accepted are instants; nothing is overwritten (C22)."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("obligation_id", "sha256"),)
    id: Mapped[int] = _key()
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"))
    received_at: Mapped[datetime]
    sha256: Mapped[str]
    path: Mapped[str]
    prepared_by: Mapped[str | None]
    reviewed_by: Mapped[str | None]
    texts: Mapped[dict[str, Any]]
    faults: Mapped[dict[str, Any]]
    sent_back_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    remarks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    """What the office should look at, though the report was accepted: check, part and Chinese wording."""
    restates: Mapped[int | None] = mapped_column(ForeignKey("submission.id"))
    """The accepted submission that this one corrects; ``changes`` says part by part what is different."""
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))


class Acknowledgement(Base):
    """「收到」: an organisation has seen a reminder. It pauses the ladder, it does not end it."""

    __tablename__ = "acknowledgement"
    __table_args__ = (UniqueConstraint("obligation_id", "acknowledged_at"),)
    id: Mapped[int] = _key()
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"))
    acknowledged_at: Mapped[datetime]
    acknowledged_by: Mapped[str]


class StepRow(Base):
    """The ledger of rungs: sent, superseded after downtime, or cancelled by the submission. Once each."""

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("obligation_id", "step_id", "occurrence"),)
    id: Mapped[int] = _key()
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"))
    step_id: Mapped[str]
    occurrence: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    planned_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    state: Mapped[str]


class Message(Base):
    """The outbox: written in the same transaction as the step it belongs to, sent afterwards."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("key"), Index("ix_message_waiting", "campaign_id", "sent_at"),
                      Index("ix_message_obligation", "obligation_id"))
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    key: Mapped[str]
    obligation_id: Mapped[int | None] = mapped_column(ForeignKey("obligation.id"))
    organisation: Mapped[str]
    role: Mapped[str]
    address: Mapped[str]
    channel: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    letter: Mapped[int | None]
    """The first message of the letter in which this one goes; set with the first attempt, and kept."""
    next_attempt_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    """Since when it has no way out of the house: the site names no channel for it, or no address of one."""
    last_error: Mapped[str | None]


class Delivery(Base):
    """One judgement of one file from a department. Its four counts add up to the rows in the file: the database insists.

    A file that is judged again (a mapping was saved, a check was waived) is a new row; the old one is superseded, not
    erased. ``part`` names which part of a register a file is (one township's, a supplement 补报), '' for a whole one.
    ``corrects`` is the delivery whose rows this one mends or judges again. ``profile`` holds counts by value only.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("uq_delivery_standing", "campaign_id", "feed", "period", "provider", "sha256", unique=True,
              postgresql_where="superseded_at IS NULL"),
        CheckConstraint("rows = accepted + quarantined + duplicate + dropped", name="rows_add_up"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    feed: Mapped[str]
    period: Mapped[str]
    provider: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    original: Mapped[str]
    received_at: Mapped[datetime]
    rows: Mapped[int]
    accepted: Mapped[int]
    quarantined: Mapped[int]
    duplicate: Mapped[int]
    dropped: Mapped[int]
    unassigned: Mapped[int]
    valid_id_share: Mapped[float | None]
    verdict: Mapped[str]
    reason: Mapped[str]
    reasons: Mapped[dict[str, Any]]
    snapshot: Mapped[str | None]
    quarantine: Mapped[str | None]
    superseded_at: Mapped[datetime | None]
    part: Mapped[str] = mapped_column(server_default="")
    corrects: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    profile: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    quality_page: Mapped[str | None]
    return_workbook: Mapped[str | None]
    waived_at: Mapped[datetime | None]
    waived_by: Mapped[str | None]
    waived_reason: Mapped[str | None]


class CheckRow(Base):
    """One expectation's outcome for one delivery: rule id and counts, never a value from the file."""

    __tablename__ = "check_result"
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    rule_id: Mapped[str] = mapped_column(primary_key=True)
    severity: Mapped[str]
    passed: Mapped[bool]
    observed: Mapped[str]


class SavedMapping(Base):
    """What an operator once confirmed of a department's headers: this header is that column, or is to be ignored ('').

    ``header_key`` is the header without width, case, spaces and remarks (``expectations.contract.header_key``).
    """

    __tablename__ = "saved_mapping"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    feed: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    header_key: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]
    reason: Mapped[str]


class Run(Base):
    """One comparison over exactly these inputs under exactly this plan. The same inputs never run twice."""

    __tablename__ = "run"
    __table_args__ = (
        Index("uq_run_done", "campaign_id", "period", "inputs_sha256", unique=True, postgresql_where="state = 'done'"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    period: Mapped[str]
    as_of: Mapped[datetime]
    inputs: Mapped[dict[str, Any]]
    inputs_sha256: Mapped[str]
    plan_sha256: Mapped[str]
    state: Mapped[str]
    persons: Mapped[int | None]
    unbalanced: Mapped[int | None]
    content_sha256: Mapped[str | None]
    folder: Mapped[str | None]
    reason: Mapped[str]
    lists: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """Findings by list: what next month's run is held against."""


class RunAttempt(Base):
    """Who had a run begun or resumed, why, over which inputs and with which code; ``chunks`` are those asked to be redone.

    ``flow_run`` is Prefect's id of the flow run that made it, if one did: an attempt whose process died is closed by the
    next sweep, and so is its flow run. ``outcome`` is done, failed or crashed; null while it goes on.
    """

    __tablename__ = "run_attempt"
    id: Mapped[int] = _key()
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
    inputs_sha256: Mapped[str]
    code_version: Mapped[str]
    chunks: Mapped[TextArray] = mapped_column(ARRAY(Text))
    flow_run: Mapped[str | None]
    flow_run_count: Mapped[int | None] = mapped_column(Integer)
    """Which execution of it: a retry is the same flow run again."""
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class RunChunk(Base):
    """One part of a run and whether it is done. Its tables lie in the run's folder, whole, before it is marked done.

    ``key`` is the hash of all that its result depends on (its snapshots, its SQL, the chunks it reads): a chunk of another
    run with the same key is the same result.
    """

    __tablename__ = "run_chunk"
    __table_args__ = (Index("ix_run_chunk_key", "key"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    key: Mapped[str]
    code_version: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    seconds: Mapped[float | None]
    rows: Mapped[int | None]
    error: Mapped[str | None]


class CategoryCount(Base):
    """Persons per exclusive category and township; their sum is the population."""

    __tablename__ = "category_count"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    persons: Mapped[int]


class LinkCount(Base):
    """Register rows linked to a person, by tier, and the rest: no register row vanishes."""

    __tablename__ = "link_count"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    feed: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int]


class IdentityDecision(Base):
    """What a person decided of one question of identity: this row is, or is not, about that person.

    ``row_key`` is the question (``comparison/sql/21_asked.sql``): the same number under the same name is one question in
    every register and every month. No run undoes a decision; only a person does, by another one (``superseded_at``).
    """

    __tablename__ = "identity_decision"
    __table_args__ = (
        Index("uq_identity_decision_standing", "campaign_id", "row_key", "person_id", unique=True,
              postgresql_where="superseded_at IS NULL"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    row_key: Mapped[str]
    person_id: Mapped[str]
    is_same: Mapped[bool]
    period: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    reason: Mapped[str]
    superseded_at: Mapped[datetime | None]


class Finding(Base):
    """One unmet duty on one owner's list. It lives across runs; its events say what became of it.

    ``owner`` leads, on every day. ``assigned_owner`` is who was made to lead by a settled dispute, in place of
    ``assigned_from``, whom the plan's rule names; it holds for as long as the rule names that one.
    """

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("campaign_id", "list", "subject"),
        Index("ix_finding_owner", "campaign_id", "owner", "status"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    list: Mapped[str]
    subject: Mapped[str]
    subject_kind: Mapped[str]
    id_number: Mapped[str]
    name: Mapped[str]
    category: Mapped[str | None]
    owner: Mapped[str]
    co_owners: Mapped[TextArray] = mapped_column(ARRAY(Text))
    priority: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    evidence: Mapped[str]
    status: Mapped[str]
    first_seen: Mapped[str]
    last_seen: Mapped[str | None]
    """The last period it was listed in; null while it is listed."""
    closed_in: Mapped[str | None]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    excused_until: Mapped[str | None]
    """The last month of its excuse, 9999-12 if it does not expire; null if there is none."""
    assigned_owner: Mapped[str | None]
    assigned_from: Mapped[str | None]


class FindingEvent(Base):
    """A step in the life of a finding (``rules.finding_life``): what happened, and the state before and after it."""

    __tablename__ = "finding_event"
    __table_args__ = (UniqueConstraint("finding_id", "event", "period", "at", "run_id", postgresql_nulls_not_distinct=True),)
    id: Mapped[int] = _key()
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"))
    event: Mapped[str]
    period: Mapped[str]
    at: Mapped[datetime]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    detail: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    was_closed_in: Mapped[str | None]
    was_last_seen: Mapped[str | None]


class Dispute(Base):
    """「不归我管」: an owner says that another should lead. Until somebody else settles it, who led goes on leading."""

    __tablename__ = "dispute"
    __table_args__ = (
        Index("uq_dispute_open", "finding_id", unique=True, postgresql_where="settled_at IS NULL"),
        CheckConstraint("settled_by IS NULL OR settled_by NOT IN (raised_by, wanted_owner)", name="four_eyes"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"))
    raised_by: Mapped[str]
    owner_then: Mapped[str]
    wanted_owner: Mapped[str]
    reason: Mapped[str]
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    accepted: Mapped[bool | None]
    settled_reason: Mapped[str | None]


class Claim(Base):
    """What an owner says of a finding. The register of a later month confirms or contradicts it (peers.md, 1)."""

    __tablename__ = "claim"
    __table_args__ = (UniqueConstraint("finding_id", "period"),)
    id: Mapped[int] = _key()
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"))
    period: Mapped[str]
    organisation: Mapped[str]
    disposition: Mapped[str]
    claims: Mapped[bool]
    excuses: Mapped[bool]
    note: Mapped[str]
    worker: Mapped[str]
    received_at: Mapped[datetime]
    outcome: Mapped[str | None]
    decided_in: Mapped[str | None]


class RosterReturn(Base):
    """A worked roster that came back, once per content."""

    __tablename__ = "roster_return"
    __table_args__ = (UniqueConstraint("campaign_id", "organisation", "sha256"),)
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    organisation: Mapped[str]
    period: Mapped[str]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    sha256: Mapped[str]
    path: Mapped[str]
    received_at: Mapped[datetime]
    results: Mapped[int] = mapped_column(Integer)
    faults: Mapped[dict[str, Any]]


class Release(Base):
    """Four eyes: a proposal for exactly this content, what somebody else decided on it and why, and the release itself."""

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("run_id", "content_sha256"),
        CheckConstraint("approved_by IS NULL OR approved_by <> prepared_by", name="four_eyes"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    content_sha256: Mapped[str]
    findings: Mapped[int]
    prepared_by: Mapped[str]
    prepared_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    refused_by: Mapped[str | None]
    refused_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    released_at: Mapped[datetime | None]


class ReleaseContent(Base):
    """What every row of a proposal's rosters said: number of the finding and the first bytes of its digest, packed one after the
    other. It tells how many rows differ by now, without keeping what stood in them."""

    __tablename__ = "release_content"
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"), primary_key=True)
    rows: Mapped[bytes]


class ReleaseDecision(Base):
    """Who decided what on exactly which content, and why. Only added to: ``release`` says what holds now, these what was decided."""

    __tablename__ = "release_decision"
    id: Mapped[int] = _key()
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    decision: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    content_sha256: Mapped[str]
    expires_at: Mapped[datetime | None]
    reason: Mapped[str]


class Account(Base):
    """Who may act for a post of the plan: a user of the operating system by command, the holder of its codes in a form.
    ``codes`` counts how often new codes were given out; 0 for none. No person is named: the site knows whose login it is."""

    __tablename__ = "account"
    __table_args__ = (Index("uq_account_os_user", "campaign_id", "os_user", unique=True, postgresql_where="removed_at IS NULL"),)
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    organisation: Mapped[str]
    title: Mapped[str]
    os_user: Mapped[str | None]
    codes: Mapped[int]
    added_at: Mapped[datetime]
    added_by: Mapped[str]
    removed_at: Mapped[datetime | None]


class AccountCode(Base):
    """A single-use code that was tried: one that held is used up, and so is every one before it."""

    __tablename__ = "account_code"
    __table_args__ = (Index("uq_account_code_step", "account_id", "step", unique=True, postgresql_where="held"),)
    id: Mapped[int] = _key()
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    step: Mapped[int]
    held: Mapped[bool]
    purpose: Mapped[str]
    at: Mapped[datetime]


class DocumentRow(Base):
    """A document that was made: where it lies and what it is made of."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("campaign_id", "kind", "period", "organisation", "sha256"),)
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    kind: Mapped[str]
    period: Mapped[str]
    organisation: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]
    made_at: Mapped[datetime]
    rows: Mapped[int]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    content_sha256: Mapped[str]


class Measurement(Base):
    """An indicator's figure with numerator, denominator and the run it comes from; a restatement is a second row."""

    __tablename__ = "measurement"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    indicator: Mapped[str] = mapped_column(primary_key=True)
    organisation: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    numerator: Mapped[float | None]
    denominator: Mapped[float | None]
    value: Mapped[float | None]


class Candidate(Base):
    """A candidate for commendation, criticism or supervision with its evidence. A person decides (C23)."""

    __tablename__ = "candidate"
    __table_args__ = (UniqueConstraint("campaign_id", "organisation", "kind", "occasion"),)
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    organisation: Mapped[str]
    kind: Mapped[str]
    occasion: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    prepared_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    reason: Mapped[str | None]


class Audit(Base):
    """Who did what, why, how many. Each row carries the digest of the one before: a gap or an edit shows."""

    __tablename__ = "audit"
    id: Mapped[int] = _key()
    campaign_id: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    count: Mapped[int]
    reason: Mapped[str]
    previous: Mapped[str]
    digest: Mapped[str]


class EventRow(Base):
    """A fact for Prefect's event feed, written with what it tells and told after that is committed; ``key`` is the fact.

    Organisations, ids and counts only. ``told_at`` is null until Prefect was told, or the fact has grown too old to be news.
    """

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("campaign_id", "event", "key"),
        Index("ix_event_waiting", "campaign_id", postgresql_where="told_at IS NULL"),
    )
    id: Mapped[int] = _key()
    campaign_id: Mapped[str] = _campaign()
    event: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime]
    subject: Mapped[str]
    organisations: Mapped[TextArray] = mapped_column(ARRAY(Text))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    facts: Mapped[dict[str, Any]]
    told_at: Mapped[datetime | None]


class Sweep(Base):
    """The last sweep of a campaign: a stale one is an alarm of its own."""

    __tablename__ = "sweep"
    campaign_id: Mapped[str] = _campaign(primary_key=True)
    as_of: Mapped[datetime]
    sent: Mapped[int] = mapped_column(Integer)


class Mark(Base):
    """A rehearsal's done-marks: what its simulated world has already done."""

    __tablename__ = "rehearsal_mark"
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
