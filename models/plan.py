"""The plan model: everything a campaign decided, in one strict, frozen schema.

A plan is data. Each item names its ``source``: the line of ``docs/requirements`` it comes from (``C20``) and, where
the document is silent or contradicts itself, the word ``choice`` and the reason. Units stand in field names
(``lock_working_days``) or in ``unit``. Nothing here opens a file or reads a clock; loading is in
``models.plan_file``, soundness across sections in ``rules.soundness``.
"""

from __future__ import annotations

import datetime as dt
from datetime import date, time
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from models.contract import Contract
from models.errors import harmless
from models.places import in_file_names, of_a_campaign
from models.schema import Expression as Expression
from models.schema import Number as Number
from models.schema import Slug as Slug
from models.schema import Sourced as Sourced
from models.schema import Strict as Strict
from models.schema import Text as Text
from models.words import ChannelWord, PhaseWord, SubjectWord

CampaignId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$"), AfterValidator(of_a_campaign)]
MonthLabel = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
FileName = Annotated[Text, AfterValidator(in_file_names)]
"""A name that stands in the names of files."""

RollPolicy = Literal["none", "next_workday", "previous_workday"]
OrganisationKind = Literal[
    "government", "leading_group", "office", "department", "agency", "county", "zone", "township", "village",
]
Role = Literal["clerk", "leader", "director", "approver"]
Unit = Literal[
    "person", "employer", "project", "percent", "yuan_per_year", "yuan", "day", "month", "year", "share", "times",
]

# --- who ------------------------------------------------------------------------------------------------


class Contact(Strict):
    """A post, not a person: messages go to the post's address. Real addresses come from the site's own copy."""

    role: Role
    title: Text
    address: str = ""


class Organisation(Sourced):
    """One unit of the dated organisation tree. ``succeeds`` says whose duties it took over (C24, B36)."""

    code: Slug
    name: Text
    short: FileName
    kind: OrganisationKind
    parent: Slug | None = None
    aliases: tuple[Text, ...] = ()
    region_code: Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3})?(\d{3})?$")] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    succeeds: tuple[Slug, ...] = ()
    responsibility: str = ""
    contacts: tuple[Contact, ...] = ()

    def exists_on(self, day: date) -> bool:
        """Whether the unit exists on ``day``; both ends are inclusive."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Selector(Strict):
    """Which organisations: all of some kinds and/or named codes, less exceptions."""

    kinds: tuple[OrganisationKind, ...] = ()
    codes: tuple[Slug, ...] = ()
    except_codes: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _selects_something(self) -> Selector:
        if not (self.kinds or self.codes):
            raise ValueError("selects nobody: give `kinds`, `codes` or both")
        return self


# --- when -----------------------------------------------------------------------------------------------


class CalendarYear(Strict):
    """A year's holidays and make-up workdays as they were published, and where. `canbao calendar import` brings them to a site; a plan
    that is read there takes over the years it runs in."""

    year: Annotated[int, Field(ge=2000, le=2200)]
    source: Text
    holidays: tuple[date, ...] = Field(min_length=1)
    workdays: tuple[date, ...] = ()


class CalendarPolicy(Sourced):
    """How a nominal date becomes an effective one. Local additions to the public calendar are listed here.

    ``cut_off`` is the hour of the due day before which something must arrive; the whole day counts if it is left out. ``years``
    are such as are published later than the program was; of a year that nobody published yet a deadline is a fault, unless
    ``unpublished: weekends`` says that Saturdays and Sundays alone shall count.
    """

    roll: RollPolicy = "next_workday"
    cut_off: time | None = None
    extra_holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()
    years: tuple[CalendarYear, ...] = ()
    unpublished: Literal["refuse", "weekends"] = "refuse"


class Cadence(Strict):
    """Which periods there are. Months, quarters and years run ``first`` to ``last`` inclusive; fortnights and
    half-months run from ``starts`` to ``ends``; ``once`` is one period."""

    every: Literal["month", "two_weeks", "half_month", "quarter", "year", "once"]
    first: MonthLabel | None = None
    last: MonthLabel | None = None
    starts: date | None = None
    ends: date | None = None

    @model_validator(mode="after")
    def _complete(self) -> Cadence:
        by_month, by_day = self.every in ("month", "quarter", "year"), self.every in ("two_weeks", "half_month")
        if by_month and not (self.first and self.last):
            raise ValueError(f"every {self.every} needs `first` and `last` (YYYY-MM)")
        if by_day and not (self.starts and self.ends):
            raise ValueError(f"every {self.every} needs `starts` and `ends` (dates)")
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"`first` {self.first} is after `last` {self.last}")
        if self.starts and self.ends and self.starts > self.ends:
            raise ValueError(f"`starts` {self.starts} is after `ends` {self.ends}")
        return self


class Due(Strict):
    """The nominal last day, inclusive: a fixed ``date``, a ``day`` of a month counted from the period's last month,
    or a number of days after the period's last day."""

    date: dt.date | None = None
    day: Annotated[int, Field(ge=1, le=31)] | Literal["last_day"] | None = None
    months_after: Annotated[int, Field(ge=0, le=12)] = 1
    days_after_end: Annotated[int, Field(ge=0, le=366)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Due:
        given = [name for name in ("date", "day", "days_after_end") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of `date`, `day`, `days_after_end` (given: {', '.join(given) or 'none'})")
        return self


class Step(Sourced):
    """A dated part of a phase (B10's three tasks, L9's three)."""

    id: Slug
    name: Text
    starts: date | None = None
    ends: date


class Phase(Sourced):
    """A phase; phases may overlap. Each kind has one flow. An open end means routine operation."""

    id: Slug
    kind: PhaseWord
    name: Text
    starts: date
    ends: date | None = None
    steps: tuple[Step, ...] = ()
    pilots: tuple[Slug, ...] = ()


# --- what is to be reached ------------------------------------------------------------------------------


class Parameter(Sourced):
    """A number the rules use, with unit and clause; expressions call it ``$name``."""

    value: Number
    unit: Unit


class Measure(Strict):
    """What is counted. ``statistic`` takes a published figure of the ``statistics`` feed instead of counting."""

    of: SubjectWord = "person"
    where: Expression | None = None
    sum: Expression | None = None
    statistic: Slug | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Measure:
        if (self.statistic is None) == (self.where is None):
            raise ValueError("give either `where` (count what we hold) or `statistic` (a published figure)")
        return self


class Indicator(Sourced):
    """A figure with numerator, denominator and unit. ``by`` is the profile column that breaks it down by owner."""

    id: Slug
    name: Text
    unit: Unit
    numerator: Measure
    denominator: Measure | None = None
    by: Slug = "township"
    direction: Literal["at_least", "at_most"] = "at_least"


class Target(Sourced):
    """Stated levels per organisation on a date. What the document states and what we derive stay apart (C1, C8)."""

    id: Slug
    indicator: Slug
    measured_on: date
    level: dict[Slug, Number] = Field(min_length=1)
    increase: dict[Slug, Number] = Field(default_factory=dict)
    stated_total: Number | None = None
    derived_base: dict[Slug, Number] = Field(default_factory=dict)
    derived_total: Number | None = None


# --- what comes in --------------------------------------------------------------------------------------


class Gates(Strict):
    """When a delivery is returned, loads with a warning, or blocks (shares between 0 and 1)."""

    return_below_valid_id_share: Annotated[float, Field(ge=0, le=1)] = 0.95
    warn_below_valid_id_share: Annotated[float, Field(ge=0, le=1)] = 0.98
    block_shrink_share: Annotated[float, Field(ge=0, le=1)] = 0.05

    @model_validator(mode="after")
    def _ordered(self) -> Gates:
        if self.return_below_valid_id_share > self.warn_below_valid_id_share:
            raise ValueError("`return_below_valid_id_share` must not exceed `warn_below_valid_id_share`")
        return self


class Feed(Sourced):
    """A file some departments owe each period. ``required`` feeds must be in before a comparison runs."""

    feed: Slug
    name: Text
    providers: tuple[Slug, ...] = Field(min_length=1)
    cadence: Cadence
    due: Due
    required: bool = True
    snapshot: Literal["full", "supplement"] = "full"
    gates: Gates = Gates()
    redeliver_within_working_days: Annotated[int, Field(ge=1, le=60)] = 3
    """How long a department has to send a returned file again, counted from the day after it was returned."""
    ladder: Slug | None = None


# --- what follows from it -------------------------------------------------------------------------------


class Category(Sourced):
    """One exclusive category; the first whose ``where`` holds takes the person (ordered precedence)."""

    id: Slug
    name: Text
    where: Expression
    in_scope: bool = True
    insured: bool = False


class OwnerCase(Strict):
    """Who leads if ``when`` holds: a named organisation, or the one a profile column names."""

    when: Expression = "true"
    org: Slug | None = None
    column: Slug | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> OwnerCase:
        if (self.org is None) == (self.column is None):
            raise ValueError("give either `org` (a code) or `column` (a profile column that names an organisation)")
        return self


class FindingList(Sourced):
    """A list pushed to owners: a boolean expression over the profile, one lead owner, co-owners, a priority."""

    id: Slug
    name: Text
    subject: SubjectWord
    where: Expression
    owner: tuple[OwnerCase, ...] = Field(min_length=1)
    co_owners: tuple[OwnerCase, ...] = ()
    priority: Annotated[int, Field(ge=1, le=99)]
    reason: Text
    closes_when: Text
    accusing: bool = False
    asks: bool = True
    """Whether its owner is to do something; a ledger of the insured (B14) asks nothing and stands on no roster."""
    batch_per_owner: Annotated[int, Field(ge=1)] | None = None
    """Pushed in batches (C13 「分批次」): how many open findings of the list one owner holds at a time; all if left out."""


class Expiry(Strict):
    """How long an excuse holds: some ``months``, or to the next such ``month_of_year`` (7 = who is at school graduates)."""

    months: Annotated[int, Field(ge=1, le=120)] | None = None
    month_of_year: Annotated[int, Field(ge=1, le=12)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Expiry:
        if (self.months is None) == (self.month_of_year is None):
            raise ValueError("give either `months` or `month_of_year`")
        return self


class Disposition(Sourced):
    """What a visit can find (结果). ``claims`` = the register must prove it; ``excuses`` = off the list, with a reason,
    for as long as ``expires`` says (left out: as long as the campaign runs)."""

    code: Slug
    name: Text
    claims: bool = False
    excuses: bool = False
    needs_note: bool = False
    expires: Expiry | None = None

    @model_validator(mode="after")
    def _only_excuses_expire(self) -> Disposition:
        if self.expires is not None and not self.excuses:
            raise ValueError("only what excuses can expire: drop `expires`, or say `excuses: true`")
        return self


class PolicyRule(Strict):
    """For one group: the lists it stands on, who leads there, and what is done for it."""

    group: Text
    lists: tuple[Slug, ...] = Field(min_length=1)
    lead: OwnerCase
    measure: Text


class Policy(Sourced):
    """A mechanism that the document names: each group its measure (分类施策), who answers for nobody being left out
    (双兜底), which schemes are looked at together (双联动). The lists it names must be led as it says."""

    id: Slug
    name: Text
    rules: tuple[PolicyRule, ...] = Field(min_length=1)


class Ledger(Sourced):
    """A standing ledger (台账): the findings of a list, or those with an excusing disposition."""

    id: Slug
    name: Text
    lists: tuple[Slug, ...] = ()
    only_excused: bool = False


# --- what is owed ---------------------------------------------------------------------------------------


RECORDED_FIGURES = ("released", "checked", "claimed", "confirmed", "contradicted", "excused")
"""What the record itself counts of an owner's findings: a stated number may be held against one of these."""


class Section(Strict):
    """One part of a report: a text, or a number that no register proves.

    ``cumulative`` is counted since the campaign began, so it never falls without a reason. ``sum_of`` names the parts
    it must add up to. ``recorded`` is what the record holds of it: one of ``RECORDED_FIGURES`` or an indicator.
    """

    id: Slug
    name: Text
    required: bool = True
    kind: Literal["text", "number"] = "text"
    unit: Unit | None = None
    cumulative: bool = False
    sum_of: tuple[Slug, ...] = ()
    recorded: Slug | None = None

    @model_validator(mode="after")
    def _only_numbers_are_counted(self) -> Section:
        if self.kind == "text" and (self.unit or self.cumulative or self.sum_of or self.recorded):
            raise ValueError("`unit`, `cumulative`, `sum_of` and `recorded` are for numbers: add `kind: number`")
        return self


class Obligation(Sourced):
    """A report, plan, summary or record that organisations owe per period. Rows are made ahead from this."""

    id: Slug
    name: FileName
    form: Literal["monthly_report", "summary", "acknowledgement", "record"]
    who: Selector
    to: Slug
    cadence: Cadence
    due: Due
    opens_days_before: Annotated[int, Field(ge=0, le=366)] = 7
    lock_working_days: Annotated[int, Field(ge=0, le=250)] | None = None
    roll: RollPolicy | None = None
    ladder: Slug | None = None
    phase: Slug | None = None
    content: tuple[Section, ...] = ()


Judgement = Literal["fault", "remark"]
"""A fault sends a report back with the cell marked; a remark accepts it and is shown to the office."""


class ReportChecks(Strict):
    """How a report that came back is judged, check by check (C22). Shares are between 0 and 1.

    ``sums``: totals that do not add up. ``beyond_record``: a number above what the record holds, by more than
    ``beyond_record_share``. ``falls``: a cumulative number below last month's. ``jumps``: growth of more than
    ``jump_times`` the growth before, and of at least ``jump_at_least``. ``copied_from_last`` and
    ``copied_from_others``: texts as similar as ``copied_share``, of at least ``copied_letters_at_least`` letters.
    More than ``last_day_claims_share`` of a month's claims handed in on its last workday is always a remark only.
    """

    sums: Judgement = "fault"
    beyond_record: Judgement = "fault"
    beyond_record_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    falls: Judgement = "fault"
    jumps: Judgement = "remark"
    jump_times: Annotated[float, Field(gt=1, le=1000)] = 5
    jump_at_least: Annotated[float, Field(ge=0)] = 100
    copied_from_last: Judgement = "fault"
    copied_from_others: Judgement = "remark"
    copied_share: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    copied_letters_at_least: Annotated[int, Field(ge=1)] = 30
    last_day_claims_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    last_day_claims_at_least: Annotated[int, Field(ge=1)] = 20


class Recipient(Strict):
    """A post: ``self`` is the organisation that owes, ``to`` the one it owes to, ``parent`` the one above, or a code."""

    org: Literal["self", "to", "parent"] | Slug
    role: Role = "clerk"


class Wording(Strict):
    """A message in Chinese with placeholders, e.g. ``{org} {report} {period} {due}``."""

    subject: Text
    body: Text


class LadderStep(Strict):
    """One rung: days from the effective due day (negative before), at an hour, to whom, in which words."""

    id: Slug
    name: Text
    offset_working_days: Annotated[int, Field(ge=-60, le=120)]
    at: time = time(9, 0)
    kind: Literal["reminder", "escalation", "bulletin", "candidate"]
    to: tuple[Recipient, ...] = Field(min_length=1)
    channel: ChannelWord = "message"
    wording: Wording
    repeat_every_working_days: Annotated[int, Field(ge=1, le=60)] | None = None
    repeat_times: Annotated[int, Field(ge=1, le=60)] = 1


class Ladder(Sourced):
    """Reminders before and steps after. Accusing steps only prepare a candidate for a person to decide (C23)."""

    id: Slug
    name: Text
    quiet_from: time = time(18, 0)
    quiet_to: time = time(8, 30)
    workdays_only: bool = True
    acknowledgement_pauses_working_days: Annotated[int, Field(ge=0, le=30)] = 0
    steps: tuple[LadderStep, ...] = Field(min_length=1)


class Sending(Strict):
    """How messages leave. ``retry_after_minutes`` are the pauses after the first, second, … failed attempt; after the last
    one a message is given up and the office is alarmed (``alarm``); what has no way out at all is kept, and the office is told
    (``held``). Several messages to one post go as one ``digest``. A sweep older than ``stale_sweep_hours`` is an alarm of its
    own. What happened longer than ``news_days`` ago does not enter the event feed any more."""

    retry_after_minutes: Annotated[tuple[Annotated[int, Field(ge=1, le=10_080)], ...], Field(min_length=1)] = (
        5, 30, 120, 720, 1440)
    digest: Wording = Wording(subject="【{campaign}】{org}有{count}项事项待办理", body="{org}：以下{count}项事项请及时办理。")
    alarm: Wording = Wording(
        subject="【{campaign}】消息发送失败", body="有{count}条消息多次发送未成功（{kind}），已停止重试。请检查发送通道和收件地址，再重新发送。")
    held: Wording = Wording(
        subject="【{campaign}】消息无法发出",
        body="有{count}条消息无法发出（{kind}），已留存待发，相应的逐级催办暂停。请设置发送通道，设置后自动补发。")
    stale_sweep_hours: Annotated[int, Field(ge=1, le=720)] = 26
    news_days: Annotated[int, Field(ge=1, le=366)] = 3

    @model_validator(mode="after")
    def _known_placeholders(self) -> Sending:
        known = {"digest": ("campaign", "org", "count"), "alarm": ("campaign", "count", "kind"), "held": ("campaign", "count", "kind")}
        for name, places in known.items():
            words: Wording = getattr(self, name)
            try:
                (words.subject + words.body).format(**dict.fromkeys(places, ""))
            except (KeyError, IndexError, ValueError):
                raise ValueError(f"`{name}` may ask for {', '.join('{' + place + '}' for place in places)} only") from None
        return self


class Board(Strict):
    """The campaign board on the wall. A sweep draws it anew when something has happened, a day has begun, or the one that
    hangs there is older than ``oldest_minutes``, but not within ``rest_minutes`` after the last time. Of more than
    ``most_units`` places, and of more than ``most_late`` things that are late, those with the most days late stand on it; the
    rest are counted."""

    oldest_minutes: Annotated[int, Field(ge=1, le=10_080)] = 240
    rest_minutes: Annotated[int, Field(ge=0, le=100_800)] = 0
    most_units: Annotated[int, Field(ge=1, le=2000)] = 200
    most_late: Annotated[int, Field(ge=1, le=2000)] = 60
    next_days: Annotated[int, Field(ge=1, le=366)] = 31


class Schedule(Strict):
    """When flows run by themselves, in the plan's time zone. The days follow from deadlines and phases; these are the hours.

    ``compare_at`` is the first such hour after a month's files were due. What came back is taken in every
    ``returns_every_minutes``, and duties are swept every ``sweep_every_minutes``, from the hour at which the first ladder may
    speak to the hour at which the last one falls quiet. What was missed (downtime) is begun ``catch_up_after_minutes`` after its
    instant; a bulletin only up to ``catch_up_days`` later, after that a person decides.
    """

    inbox_every_minutes: Literal[5, 10, 15, 20, 30, 60] = 10
    returns_every_minutes: Literal[10, 15, 20, 30, 60] = 60
    sweep_every_minutes: Literal[10, 15, 20, 30, 60] = 30
    prepare_at: time = time(8, 0)
    compare_at: time = time(6, 0)
    bulletins_at: time = time(17, 0)
    acceptance_at: time = time(19, 0)
    catch_up_after_minutes: Annotated[int, Field(ge=10, le=1440)] = 60
    catch_up_days: Annotated[int, Field(ge=1, le=366)] = 31


class Bulletin(Sourced):
    """A periodic circular (通报) on named organisations, issued by the office."""

    id: Slug
    name: FileName
    number_pattern: Text
    cadence: Cadence
    due: Due
    about: Selector
    to: Selector
    indicators: tuple[Slug, ...] = ()
    obligations: tuple[Slug, ...] = ()


class Supervision(Sourced):
    """When the slow become candidates for supervision (季度督导, 专项督办): a rule over their progress, asked once a
    period. A named post decides on each; nothing follows by itself (C23, B33).

    An organisation is slow in a month if its completion stays ``behind_share`` or more behind the share of time gone
    (序时进度), or, with ``not_reaching``, if its pace does not lead to the target; a candidate if it was slow in each of
    the last ``months_running`` months. Without ``targets`` all of the plan's count.
    """

    id: Slug
    name: Text
    kind: Slug
    cadence: Cadence
    due: Due
    about: Selector
    targets: tuple[Slug, ...] = ()
    behind_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    not_reaching: bool = False
    months_running: Annotated[int, Field(ge=1, le=12)] = 2
    decided_by: Slug


class Duty(Sourced):
    """A duty of people that software only tracks: who, what, and by when if the document says so."""

    id: Slug
    who: Selector
    what: Text
    by: date | None = None
    phase: Slug | None = None


# --- how it ends ----------------------------------------------------------------------------------------


class AcceptanceItem(Sourced):
    """One scored item: a target, the punctuality of an obligation, a ledger's upkeep, or a judgement of people."""

    id: Slug
    name: Text
    weight: Annotated[float, Field(gt=0, le=100)]
    target: Slug | None = None
    obligation: Slug | None = None
    confirmation: bool = False
    judged_by: Slug | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> AcceptanceItem:
        given = [self.target is not None, self.obligation is not None, self.confirmation, self.judged_by is not None]
        if sum(given) != 1:
            raise ValueError("give exactly one of `target`, `obligation`, `confirmation`, `judged_by`")
        return self


class Candidates(Sourced):
    """When an organisation becomes a candidate for commendation or criticism. A named post decides (C23)."""

    commend_score_at_least: Annotated[float, Field(ge=0, le=100)]
    commend_on_time_share_at_least: Annotated[float, Field(ge=0, le=1)]
    criticise_score_below: Annotated[float, Field(ge=0, le=100)]
    criticise_missing_reports_at_least: Annotated[int, Field(ge=1)]
    decided_by: Slug


class Acceptance(Sourced):
    """Items with weights, the days on which results are drawn up, and who is weighed."""

    provisional_on: date
    final_on: date
    final_period: MonthLabel
    about: Selector
    items: tuple[AcceptanceItem, ...] = Field(min_length=1)
    candidates: Candidates


class Approval(Sourced):
    """Four eyes: who prepares does not approve. A proposal waits ``decide_within_days`` for a decision, then it is to be
    made anew; an approval expires after ``expires_days``."""

    prepared_by: Slug
    approved_by: Slug
    approver_role: Role = "approver"
    expires_days: Annotated[int, Field(ge=1, le=90)]
    decide_within_days: Annotated[int, Field(ge=1, le=90)] = 14


class Guard(Sourced):
    """A runaway guard: a list longer than this share of the population stops the run, and so does one that has grown or
    shrunk by more than ``max_jump_share`` of the population since the month before (left out: by any number)."""

    list: Slug
    max_share_of_population: Annotated[float, Field(gt=0, le=1)]
    max_jump_share: Annotated[float, Field(gt=0, le=1)] | None = None


class Retention(Sourced):
    """How long a kind of data is kept after the campaign's end (PIPL art. 19)."""

    what: Literal["originals", "snapshots", "quarantine", "findings", "rosters", "submissions", "messages", "audit"]
    keep_days: Annotated[int, Field(ge=1)]


class Document(Sourced):
    """The notice that starts the campaign."""

    number: Text
    title: Text
    issuer: Text
    issued: date


class Region(Strict):
    """Where: 6-digit code (GB/T 2260), former codes still found in ID numbers, and the name."""

    code: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    name: Text
    former_codes: tuple[Annotated[str, StringConstraints(pattern=r"^\d{6}$")], ...] = ()


class Drill(Strict):
    """Marks the plan of a rehearsal: how many made-up persons stand for how many, and what every document says of it."""

    persons: Annotated[int, Field(ge=1)]
    of_persons: Annotated[int, Field(ge=1)]
    note: Text


class Plan(Strict):
    """One campaign. Everything that runs is derived from this and from the record."""

    canbao: Literal[1]
    id: CampaignId
    name: FileName
    document: Document
    time_zone: Text = "Asia/Shanghai"
    region: Region
    starts: date
    ends: date
    office: Slug
    owner_of_last_resort: Slug
    purpose: Text
    calendar: CalendarPolicy
    parameters: dict[Slug, Parameter]
    organisations: tuple[Organisation, ...] = Field(min_length=1)
    phases: tuple[Phase, ...] = Field(min_length=1)
    indicators: tuple[Indicator, ...] = ()
    targets: tuple[Target, ...] = ()
    contracts: tuple[Contract, ...] = ()
    feeds: tuple[Feed, ...] = Field(min_length=1)
    categories: tuple[Category, ...] = Field(min_length=1)
    lists: tuple[FindingList, ...] = Field(min_length=1)
    dispositions: tuple[Disposition, ...] = Field(min_length=1)
    policies: tuple[Policy, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    obligations: tuple[Obligation, ...] = Field(min_length=1)
    ladders: tuple[Ladder, ...] = ()
    sending: Sending = Sending()
    schedule: Schedule = Schedule()
    board: Board = Board()
    report_checks: ReportChecks = ReportChecks()
    bulletins: tuple[Bulletin, ...] = ()
    supervisions: tuple[Supervision, ...] = ()
    duties: tuple[Duty, ...] = ()
    acceptance: Acceptance
    approval: Approval
    guards: tuple[Guard, ...] = ()
    retention: tuple[Retention, ...] = Field(min_length=1)
    not_built: tuple[Sourced, ...] = ()
    drill: Drill | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {harmless(zone)!r}; use an IANA name such as Asia/Shanghai") from None
        return zone

    @cached_property
    def by_code(self) -> dict[str, Organisation]:
        """The organisations by code; of two with one code (a plan fault) the first."""
        return {org.code: org for org in reversed(self.organisations)}

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name by which the plan calls something of its own: what may stand in a file's name and names no person."""
        return frozenset({self.id, self.name, self.region.name}.union(
            *((org.code, org.short, org.name, *org.aliases) for org in self.organisations),
            *((feed.feed, feed.name) for feed in self.feeds),
            (entry.name for entry in self.lists), (entry.name for entry in self.obligations), (entry.name for entry in self.ledgers)))

    def organisation(self, code: str) -> Organisation:
        """The organisation with this code. Raises KeyError: a sound plan never asks for an unknown one."""
        return self.by_code[code]

    @property
    def region_organisation(self) -> str:
        """The code of the government whose region this is: figures for the region as a whole stand under it."""
        return next((org.code for org in self.organisations if org.kind == "government"), self.organisations[0].code)

    def select(self, who: Selector, on: date | None = None) -> tuple[Organisation, ...]:
        """The organisations a selector names, in the plan's order; with ``on``, only those existing that day."""
        return tuple(
            org for org in self.organisations
            if (org.kind in who.kinds or org.code in who.codes)
            and org.code not in who.except_codes
            and (on is None or org.exists_on(on))
        )

    def item(self, section: str, key: str) -> Any:
        """The item of a section by its ``id`` (``code`` for organisations, ``feed`` for feeds)."""
        for entry in getattr(self, section):
            if key == (getattr(entry, "id", None) or getattr(entry, "code", None) or getattr(entry, "feed", None)):
                return entry
        raise KeyError(f"{section}: {key}")
