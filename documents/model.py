"""What goes into the documents and what comes back: plain frozen values, already decided by the rules.

Nothing here counts, ranks or judges. Figures that are not known are ``None`` and are printed as a dash; ``None`` is
never zero. Shares are fractions (0.5 = 50 %); units are the plan's (``models.plan.Unit``). Texts in these values are
printed as they are: Chinese wording comes from the plan or the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

TextFormKind = Literal["summary", "acknowledgement", "record"]
FieldKind = Literal["text", "choice", "number", "date"]
CandidateKind = Literal["commend", "criticise"]
REPORT_SHEET = "月报表"
"""The sheet of a monthly report's form, on which its faults are pointed out."""


@dataclass(frozen=True)
class Origin:
    """Where a document comes from. ``as_of`` is the last day of the data and the file's creation date; ``drill`` is what a
    document of a rehearsal says of itself on every page."""

    campaign: str
    campaign_name: str
    organisation: str
    organisation_name: str
    period: str
    period_name: str
    as_of: date
    run_id: str = ""
    content_sha256: str = ""
    drill: str = ""


@dataclass(frozen=True)
class Deadline:
    """The last day, inclusive: as the notice states it and after moving for non-workdays. Both are printed."""

    nominal: date
    effective: date


@dataclass(frozen=True)
class Contact:
    """Whom to call: a post of an office and its telephone, never a private person."""

    post: str
    phone: str = ""


@dataclass(frozen=True)
class DispositionChoice:
    """One result a visit can have (核查结果). ``claims`` = counts only once the register proves it."""

    name: str
    claims: bool = False
    excuses: bool = False
    needs_note: bool = False
    explanation: str = ""


@dataclass(frozen=True)
class CellFault:
    """One cell of a returned workbook that cannot be taken: where, what, and the cure. Never quotes a person's data."""

    sheet: str
    cell: str
    what: str
    cure: str


# --- rosters --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RosterRow:
    """One finding to be worked. For an employer ``id_number`` is the credit code, for a project the permit number.

    ``sex`` is ``M``, ``F`` or empty. ``evidence`` says which register said what and when. ``history`` says what became
    of the finding in earlier periods.
    """

    finding_id: str
    name: str
    id_number: str
    evidence: str
    sex: str = ""
    age_years: int | None = None
    township: str = ""
    village: str = ""
    address: str = ""
    phone: str = ""
    employer_name: str = ""
    employer_code: str = ""
    co_owners: tuple[str, ...] = ()
    history: str = ""


@dataclass(frozen=True)
class RosterList:
    """One list of the plan with the findings of one owner, in the order to be printed."""

    id: str
    name: str
    subject: str
    reason: str
    closes_when: str
    rows: tuple[RosterRow, ...]


@dataclass(frozen=True)
class Roster:
    """Everything one owner is asked to work in one period. ``purpose`` is the legal purpose of the disclosure (L20)."""

    origin: Origin
    issuer: str
    purpose: str
    return_by: Deadline
    contact: Contact
    dispositions: tuple[DispositionChoice, ...]
    lists: tuple[RosterList, ...]


@dataclass(frozen=True)
class RosterResult:
    """What one visit found, as the owner wrote it down."""

    finding_id: str
    disposition_name: str
    note: str
    enrolled_on: date | None
    worker: str
    checked_on: date | None


@dataclass(frozen=True)
class RosterReturn:
    """A worked roster. ``results`` are rows that can be taken, ``faults`` cells that cannot, ``warnings`` cells of rows
    that were taken although something is missing. A row with a fault is not among the results."""

    campaign: str
    organisation: str
    period: str
    run_id: str
    content_sha256: str
    results: tuple[RosterResult, ...]
    faults: tuple[CellFault, ...]
    warnings: tuple[CellFault, ...] = ()


# --- figures used in several documents ------------------------------------------------------------------


@dataclass(frozen=True)
class ProgressLine:
    """Progress against one target. ``label`` is an indicator in a form and an organisation in a bulletin.

    ``completion`` = current / target; ``pace`` (序时进度) = the share that should be reached by now; ``gap`` = what is
    still missing (negative once exceeded); ``month_on_month`` = change of ``added`` against the month before, as a
    share; ``needed_per_month`` = what must be added each month from now, ``actual_per_month`` what was so far,
    ``expected`` = where that leads by the target's date; ``reaches`` = whether it gets there. ``run_id`` is the
    comparison that ``current`` comes from. ``basis`` names the denominator, its source and date (B5). Where less is better ``pace`` is left blank.
    """

    label: str
    unit: str
    target: float | None = None
    previous: float | None = None
    added: float | None = None
    current: float | None = None
    completion: float | None = None
    pace: float | None = None
    gap: float | None = None
    rank: int | None = None
    month_on_month: float | None = None
    needed_per_month: float | None = None
    reaches: bool | None = None
    basis: str = ""
    actual_per_month: float | None = None
    expected: float | None = None
    run_id: int | None = None


@dataclass(frozen=True)
class ProgressTable:
    """One indicator over the organisations that have a target for it, best rank first, and the total if stated."""

    indicator: str
    unit: str
    lines: tuple[ProgressLine, ...]
    total: ProgressLine | None = None
    basis: str = ""


@dataclass(frozen=True)
class ReasonCount:
    """How many findings were excused for one reason."""

    reason: str
    count: int


@dataclass(frozen=True)
class ListLine:
    """Counts of findings. ``label`` is a list in a form and an owner in a bulletin.

    ``claimed`` = reported as enrolled; of these ``confirmed`` were proven and ``contradicted`` refuted by the next
    register.
    """

    label: str
    released: int
    checked: int
    claimed: int = 0
    confirmed: int = 0
    contradicted: int = 0
    excused: tuple[ReasonCount, ...] = ()

    @property
    def excused_total(self) -> int:
        return sum(entry.count for entry in self.excused)

    @property
    def check_share(self) -> float | None:
        """Checked of released; unknown if nothing was released."""
        return self.checked / self.released if self.released else None


@dataclass(frozen=True)
class FeedLine:
    """One delivery a department owed. ``state`` is printed as it is (按时, 迟交, 未交, 退回); ``verdict`` says how the one
    that stands was judged, where there is more to say than that it was accepted."""

    department: str
    feed: str
    due: Deadline | None
    delivered_on: date | None
    state: str
    rows: int | None = None
    valid_id_share: float | None = None
    remark: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class ScorecardLine:
    """One department's deliveries of a period in figures. ``trend`` is printed as it is (好转, 变差, 持平)."""

    department: str
    due: int
    on_time: int
    late: int
    missing: int
    late_working_days: int
    complete: float | None
    returned: int
    quarantined_share: float | None
    valid_id_share: float | None
    redelivery_days: float | None
    trend: str | None = None


@dataclass(frozen=True)
class DutyLine:
    """A duty that software only tracks, with its last day if the document names one."""

    what: str
    by: date | None = None


# --- forms ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FormSection:
    """One thing to be filled in. ``choices`` for kind ``choice``, ``unit`` (a plan unit) for kind ``number``."""

    id: str
    name: str
    required: bool = True
    kind: FieldKind = "text"
    choices: tuple[str, ...] = ()
    unit: str = ""
    hint: str = ""


@dataclass(frozen=True)
class ReportForm:
    """The monthly report of one organisation, prefilled with what the registers already prove (C20)."""

    origin: Origin
    item: str
    title: str
    addressee: str
    due: Deadline
    contact: Contact
    sections: tuple[FormSection, ...]
    indicators: tuple[ProgressLine, ...] = ()
    lists: tuple[ListLine, ...] = ()
    feeds: tuple[FeedLine, ...] = ()
    duties: tuple[DutyLine, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A prefilled line of a text form: what it is and what it says."""

    label: str
    text: str


@dataclass(frozen=True)
class TextForm:
    """A summary, an acknowledgement or a record. Without ``sections`` the customary ones of its kind are taken."""

    origin: Origin
    item: str
    title: str
    form: TextFormKind
    addressee: str
    due: Deadline
    contact: Contact
    sections: tuple[FormSection, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class ReportReturn:
    """A form that came back. ``texts`` holds texts, choices and dates (ISO) by section; ``figures`` holds numbers,
    ``None`` where the cell is blank. ``dispute`` is what the organisation says against prefilled figures. Faulty cells
    are left out. ``cells`` says on which sheet and in which cell a section is filled in."""

    campaign: str
    organisation: str
    item: str
    period: str
    run_id: str
    content_sha256: str
    texts: dict[str, str]
    figures: dict[str, float | None]
    dispute: str
    prepared_by: str
    reviewed_by: str
    phone: str
    data_until: date | None
    faults: tuple[CellFault, ...]
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportReceipt:
    """What a unit is given for an accepted report: what came when, who took it (a post), and its content in counts.

    ``restated`` says in Chinese what this report changes in the one accepted before; empty for a first report.
    ``remarks`` is how many things the office will look at.
    """

    report: str
    campaign_name: str
    organisation_name: str
    period_name: str
    received: str
    accepted: str
    taken_by: str
    is_late: bool
    file_sha256: str
    sections_filled: int
    sections_asked: int
    is_disputed: bool
    remarks: int
    restated: tuple[str, ...] = ()


# --- official documents ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfficialHead:
    """Head and foot of an official document: ``banner`` is the red head (发文机关标志), ``issuer`` signs."""

    banner: str
    issuer: str
    number: str
    title: str
    addressees: tuple[str, ...]
    issued_on: date
    copies_to: tuple[str, ...] = ()
    printed_by: str = ""


@dataclass(frozen=True)
class LateReport:
    """An organisation that reported late, and by how many working days."""

    organisation: str
    late_working_days: int


@dataclass(frozen=True)
class ReportingLine:
    """Who handed in one report of one period in time, late, not at all, or holds an extension: organisations."""

    report: str
    period_name: str
    on_time: tuple[str, ...] = ()
    late: tuple[LateReport, ...] = ()
    missing: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Correction:
    """A figure published before that a corrected file has changed: never restated in silence (C22). ``published_in``
    is the number of the bulletin that printed it, ``reference`` the command that opens it."""

    what: str
    was: str
    now: str
    reason: str
    published_in: str = ""
    reference: str = ""


@dataclass(frozen=True)
class RestatedReport:
    """A report that a unit corrected after it had been accepted (更正), and which parts it changed."""

    organisation: str
    report: str
    period_name: str
    restated_on: date
    changed: str


@dataclass(frozen=True)
class RemarkLine:
    """Something in an accepted report that the office should look at. It concludes nothing."""

    organisation: str
    report: str
    period_name: str
    remark: str


@dataclass(frozen=True)
class Reference:
    """Where a printed figure comes from: what it is, the comparison it was counted in, and the command that opens it."""

    what: str
    value: str
    run: str
    command: str


@dataclass(frozen=True)
class BulletinContent:
    """A monthly circular on progress (按月通报, C19). ``basis`` cites the notice; ``asks`` is what is asked next."""

    origin: Origin
    head: OfficialHead
    basis: str
    progress: tuple[ProgressTable, ...] = ()
    lists: tuple[ListLine, ...] = ()
    reports: tuple[ReportingLine, ...] = ()
    feeds: tuple[FeedLine, ...] = ()
    corrections: tuple[Correction, ...] = ()
    asks: tuple[str, ...] = ()
    annex_name: str = ""
    scorecards: tuple[ScorecardLine, ...] = ()
    restated: tuple[RestatedReport, ...] = ()
    remarks: tuple[RemarkLine, ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class CorrectionContent:
    """A correction bulletin (更正通报): which bulletin it corrects, old and new figures, and why they changed."""

    origin: Origin
    head: OfficialHead
    corrected_title: str
    corrected_number: str
    corrected_on: date
    causes: tuple[str, ...]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True)
class ResultLine:
    """One organisation's result. What the document states and what is derived stand apart (C1, C8)."""

    organisation: str
    stated: float | None
    result: float | None
    reached: bool | None
    increase: float | None = None
    derived_base: float | None = None
    completion: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ResultTable:
    """One target: its results by organisation, and the totals, stated and derived apart (C11)."""

    indicator: str
    unit: str
    measured_on: date
    lines: tuple[ResultLine, ...]
    stated_total: float | None = None
    derived_total: float | None = None
    result_total: float | None = None
    basis: str = ""


@dataclass(frozen=True)
class CategoryLine:
    """How many persons one exclusive category holds."""

    name: str
    count: int
    in_scope: bool = True
    insured: bool = False


@dataclass(frozen=True)
class ObligationLine:
    """How many reports an organisation owed, and how they came in. ``on_time + late + missing`` may be less than
    ``expected`` while some are not due yet."""

    organisation: str
    expected: int
    on_time: int
    late: int
    missing: int


@dataclass(frozen=True)
class ScoreItem:
    """Points for one scored item; ``points`` is ``None`` while a person has not judged it yet."""

    name: str
    weight: float
    points: float | None


@dataclass(frozen=True)
class ScoreLine:
    """An organisation's score and rank."""

    organisation: str
    rank: int | None
    score: float | None
    items: tuple[ScoreItem, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An organisation a person may commend or criticise, with the evidence. Nothing is decided here (C23)."""

    organisation: str
    kind: CandidateKind
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class AcceptanceContent:
    """The acceptance report. ``population`` must equal the sum of ``categories``; ``decided_by`` is a post."""

    origin: Origin
    head: OfficialHead
    basis: str
    provisional: bool
    population: int
    categories: tuple[CategoryLine, ...]
    decided_by: str
    results: tuple[ResultTable, ...] = ()
    lists: tuple[ListLine, ...] = ()
    obligations: tuple[ObligationLine, ...] = ()
    scores: tuple[ScoreLine, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    open_questions: tuple[str, ...] = ()
    annex_name: str = ""


@dataclass(frozen=True)
class PhaseLine:
    """A phase or one of its steps. An open end means routine operation."""

    name: str
    starts: date | None
    ends: date | None
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoleLine:
    """What one organisation is responsible for."""

    organisation: str
    responsibility: str


@dataclass(frozen=True)
class DeadlineLine:
    """One thing owed: what, by whom, for which period, until when."""

    what: str
    who: str
    period_name: str
    due: Deadline


@dataclass(frozen=True)
class FeedDuty:
    """A file a department owes: how often and until when, in words, and the columns it must have."""

    feed: str
    providers: tuple[str, ...]
    rhythm: str
    due: str
    required: bool
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListGuide:
    """What a list is, who works it, and when a finding closes."""

    name: str
    reason: str
    owner: str
    closes_when: str
    co_owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyLine:
    """What a mechanism of the plan does for one group, and who leads."""

    policy: str
    group: str
    lead: str
    measure: str
    lists: tuple[str, ...]


@dataclass(frozen=True)
class LadderLine:
    """One step of reminding and escalating: when, to whom, what."""

    when: str
    to: str
    what: str


@dataclass(frozen=True)
class ParameterLine:
    """A number or wording the plan chose, and the clause it comes from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class HandbookContent:
    """The operating handbook of a campaign (工作操作手册, C12), made from its plan."""

    origin: Origin
    issuer: str
    title: str
    issued_on: date
    basis: str
    purpose: str
    contact: Contact
    phases: tuple[PhaseLine, ...]
    roles: tuple[RoleLine, ...]
    targets: tuple[ProgressTable, ...]
    deadlines: tuple[DeadlineLine, ...]
    feeds: tuple[FeedDuty, ...]
    lists: tuple[ListGuide, ...]
    dispositions: tuple[DispositionChoice, ...]
    policies: tuple[PolicyLine, ...] = ()
    ladder: tuple[LadderLine, ...] = ()
    parameters: tuple[ParameterLine, ...] = ()
    not_collected: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskLetterContent:
    """The letter that tells one organisation its targets, files, reports, lists and duties (C18)."""

    origin: Origin
    head: OfficialHead
    basis: str
    contact: Contact
    targets: tuple[ProgressLine, ...] = ()
    feeds: tuple[FeedDuty, ...] = ()
    deadlines: tuple[DeadlineLine, ...] = ()
    lists: tuple[ListGuide, ...] = ()
    duties: tuple[DutyLine, ...] = ()
    acknowledge_by: Deadline | None = None
