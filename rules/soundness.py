"""Soundness: whether the sections of a plan agree with each other, and what a reader should know besides.

``models.plan`` refuses what one item alone shows to be wrong; here stands what only the whole shows: unknown names,
dates out of order, days that do not exist, messages to nobody, sums that do not add up. A fault stops the campaign
from starting; a note does not. Expressions are judged by ``comparison.expressions``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import get_args

from models.errors import Fault
from models.plan import RECORDED_FIGURES, Feed, Organisation, OwnerCase, Phase, Plan, Retention, Selector, Target
from models.words import PHASE_KINDS
from rules.calendar import WorkCalendar
from rules.ladder_soundness import ladder_faults, placeholder_faults, placeholders_in
from rules.periods import ONE_DAY
from rules.plan_ground import ADDS_UP, Check, Ground, Schedule, equal, place, twice, unknown
from rules.plan_notes import REMARKS

LONGEST_CAMPAIGN_YEARS = 20
SHORTEST_AUDIT_DAYS = 183
"""The audit is kept for at least six months (GB/T 22239; domain.md, Law)."""
NUMBER_PLACEHOLDERS = frozenset({"year", "n"})
RETAINED_KINDS: tuple[str, ...] = get_args(Retention.model_fields["what"].annotation)


def faults(plan: Plan) -> list[Fault]:
    """Everything that keeps the plan from running, section by section. An empty list is a sound plan."""
    ground = Ground.of(plan)
    return [fault for check in _CHECKS for fault in check(ground)]


def notes(plan: Plan) -> list[Fault]:
    """What does not hinder the campaign but should be known before it starts."""
    ground = Ground.of(plan)
    return [note for remark in REMARKS for note in remark(ground)]


# --- who ------------------------------------------------------------------------------------------------


def _organisations(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    yield from twice("organisations", (org.code for org in plan.organisations), "code")
    for index, org in enumerate(plan.organisations):
        where = place("organisations", index, org.code)
        if org.valid_from and org.valid_to and org.valid_from > org.valid_to:
            yield Fault(f"{where}.valid_to", f"it ends on {org.valid_to}, before it begins on {org.valid_from}.",
                        "Swap `valid_from` and `valid_to`, or correct one.")
        if org.parent is not None:
            yield from _parent(ground, f"{where}.parent", org)
        for number, code in enumerate(org.succeeds):
            yield from _succession(ground, f"{where}.succeeds[{number}]", org, code)
    yield from _shared_names(plan)


def _parent(ground: Ground, where: str, org: Organisation) -> Iterator[Fault]:
    passed: list[str] = []
    above = org.parent
    while above in ground.organisations and above not in passed and above != org.code:
        passed.append(above)
        above = ground.organisations[above].parent
    if org.parent not in ground.organisations:
        yield from ground.organisation_faults(where, org.parent or "")
    elif above == org.code:
        yield Fault(where, f"`{org.code}` stands above itself: {' > '.join([org.code, *passed, org.code])}.",
                    "Correct the `parent` of one of them; the uppermost has none.")


def _succession(ground: Ground, where: str, heir: Organisation, code: str) -> Iterator[Fault]:
    """A unit takes over on the day after its predecessor's last. An heir that gives no first day existed before and
    absorbs; so does one from before the campaign."""
    if code not in ground.organisations:
        yield from ground.organisation_faults(where, code)
        return
    predecessor = ground.organisations[code]
    if any(code == later.code for later in ground.line_of_succession(heir.code)):
        yield Fault(where, f"`{heir.code}` and `{code}` succeed each other in a ring.",
                    "Keep `succeeds` with the later of the two.")
    elif predecessor.valid_to is None:
        yield Fault(where, f"`{code}` is succeeded but has no end: both would owe the same reports.",
                    f"Give `{code}` a `valid_to`, the day before `{heir.code}` takes over.")
    elif heir.valid_from is not None and heir.valid_from > ground.plan.starts:
        takes_over = predecessor.valid_to + ONE_DAY
        if heir.valid_from < takes_over:
            yield Fault(where, f"`{heir.code}` begins on {heir.valid_from}, when `{code}` still exists.",
                        f"Let it begin on {takes_over}, or let `{code}` end the day before.")
        elif heir.valid_from > takes_over:
            yield Fault(where, f"nobody stands between `{code}`, which ends on {predecessor.valid_to}, and "
                               f"`{heir.code}`, which begins on {heir.valid_from}.",
                        f"Let `{heir.code}` begin on {takes_over}.")


def _shared_names(plan: Plan) -> Iterator[Fault]:
    """Files name organisations by name or alias: one that two units of a kind share at one time would assign rows
    to either."""
    bearers: dict[tuple[str, str], list[Organisation]] = defaultdict(list)
    for index, org in enumerate(plan.organisations):
        for name in dict.fromkeys((org.name, org.short, *org.aliases)):
            others = [other for other in bearers[org.kind, name] if _overlap(org, other) and other.code != org.code]
            if others:
                yield Fault(place("organisations", index, org.code),
                            f"「{name}」 also names `{others[0].code}`: rows that give it could belong to either.",
                            "Keep the name or alias with one of the two.")
            bearers[org.kind, name].append(org)


def _overlap(one: Organisation, other: Organisation) -> bool:
    starts = max(one.valid_from or date.min, other.valid_from or date.min)
    return starts <= min(one.valid_to or date.max, other.valid_to or date.max)


def _named_organisations(ground: Ground) -> Iterator[Fault]:
    """The organisations that the plan's single places name: they are needed from the first day to the last."""
    plan = ground.plan
    whole = (plan.starts, plan.ends) if plan.starts <= plan.ends else ()
    yield from ground.organisation_faults("office", plan.office, whole)
    yield from ground.organisation_faults("owner_of_last_resort", plan.owner_of_last_resort, whole)
    yield from ground.organisation_faults("approval.prepared_by", plan.approval.prepared_by, whole)
    yield from ground.organisation_faults("approval.approved_by", plan.approval.approved_by, whole)


def _selected(ground: Ground, where: str, selector: Selector, days: Sequence[date]) -> Iterator[Fault]:
    """A selector names known organisations, and on each of ``days`` somebody who exists."""
    for word, codes in (("codes", selector.codes), ("except_codes", selector.except_codes)):
        for index, code in enumerate(codes):
            yield from ground.organisation_faults(f"{where}.{word}[{index}]", code)
    for index, kind in enumerate(selector.kinds):
        if not any(org.kind == kind for org in ground.plan.organisations):
            yield Fault(f"{where}.kinds[{index}]", f"no organisation is of the kind {kind}.",
                        f"Kinds in this plan: {', '.join(sorted({org.kind for org in ground.plan.organisations}))}.")
    selected = ground.plan.select(selector)
    if not selected:
        yield Fault(where, "selects nobody.", "Name kinds or codes of this plan, and fewer `except_codes`.")
        return
    empty = [day for day in days if not any(ground.stands(org.code, day) for org in selected)]
    if empty:
        yield Fault(where, f"selects nobody who exists on {empty[0]}.",
                    "Name the successors too, or correct `valid_from` and `valid_to`.")
        return
    for index, code in enumerate(selector.codes):
        if days and code in ground.organisations and not any(ground.stands(code, day) for day in days):
            yield Fault(f"{where}.codes[{index}]", f"`{code}` exists in none of the periods.",
                        "Take it out, or correct its `valid_from` and `valid_to`.")


# --- when -----------------------------------------------------------------------------------------------


def _campaign_days(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    if plan.starts > plan.ends:
        yield Fault("ends", f"the campaign ends on {plan.ends}, before it starts on {plan.starts}.",
                    "Swap `starts` and `ends`, or correct one.")
    elif plan.ends.year - plan.starts.year > LONGEST_CAMPAIGN_YEARS:
        yield Fault("ends", f"the campaign would last more than {LONGEST_CAMPAIGN_YEARS} years.", "Correct a year.")
    for day in sorted(set(plan.calendar.extra_holidays) & set(plan.calendar.extra_workdays)):
        yield Fault("calendar", f"{day} is named as a holiday and as a workday.",
                    "Take it out of `extra_holidays` or of `extra_workdays`.")


def _published_days(ground: Ground) -> Iterator[Fault]:
    """A deadline in a year whose holidays nobody has published: when it falls is not known."""
    plan = ground.plan
    calendar = WorkCalendar(plan.calendar) if not set(plan.calendar.extra_holidays) & set(plan.calendar.extra_workdays) else None
    if calendar is None or plan.calendar.unpublished == "weekends":
        return
    days = [(nominal, f"{schedule.key} {period.label}") for schedule in ground.schedules.values() for period, nominal in schedule.dates]
    days += [(plan.acceptance.provisional_on, "acceptance"), (plan.acceptance.final_on, "acceptance")]
    for year in sorted({day.year for day, _ in days}):
        if not calendar.knows_year(year):
            falling = sorted(entry for entry in days if entry[0].year == year)
            yield Fault("calendar", f"no holidays of {year} are known, and {len(falling)} deadlines fall into it, the first ({falling[0][1]}) on "
                        f"{falling[0][0]}.", f"When the State Council has published {year}: `canbao calendar import FILE`. Until then the plan may "
                        "say `calendar: {unpublished: weekends}`.")
    for index, entry in enumerate(plan.calendar.years):
        strange = [day for day in (*entry.holidays, *entry.workdays) if abs(day.year - entry.year) > 1]
        if strange or set(entry.holidays) & set(entry.workdays):
            yield Fault(f"calendar.years[{index}]", f"the days of {entry.year} do not make a year's calendar.",
                        "Import the year again, or correct its days.")


def _phases(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    yield from twice("phases", (phase.id for phase in plan.phases))
    for index, phase in enumerate(plan.phases):
        where = place("phases", index, phase.id)
        yield from _phase_days(plan, where, phase)
        yield from _phase_steps(plan, where, phase)
        for number, code in enumerate(phase.pilots):
            yield from ground.organisation_faults(f"{where}.pilots[{number}]", code, (phase.starts,))
        if PHASE_KINDS[phase.kind].in_chosen_places and not phase.pilots:
            yield Fault(f"{where}.pilots", "the pilot has no place to run in.", "Name the organisations it runs in.")


def _phase_days(plan: Plan, where: str, phase: Phase) -> Iterator[Fault]:
    if phase.ends is None and not PHASE_KINDS[phase.kind].open_ended:
        endless = " or ".join(f"{word} ({row.name})" for word, row in PHASE_KINDS.items() if row.open_ended)
        yield Fault(f"{where}.ends", f"only a phase of kind {endless} may stay without an end.", "Give the last day.")
    if phase.ends is not None and phase.starts > phase.ends:
        yield Fault(f"{where}.ends", f"the phase ends on {phase.ends}, before it starts on {phase.starts}.",
                    "Swap `starts` and `ends`, or correct one.")
    elif phase.starts < plan.starts or (phase.ends or phase.starts) > plan.ends:
        yield Fault(where, f"the phase ({phase.starts} to {phase.ends or 'open'}) leaves the campaign "
                           f"({plan.starts} to {plan.ends}).", "Correct the phase or the campaign's dates.")


def _phase_steps(plan: Plan, where: str, phase: Phase) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, step in enumerate(phase.steps):
        at = f'{where}.steps[{index}] "{step.id}"'
        starts, last = step.starts or phase.starts, phase.ends or plan.ends
        if step.id in seen:
            yield Fault(f"{at}.id", f"`{step.id}` is used twice in this phase.", "Give each step its own `id`.")
        seen.add(step.id)
        if starts > step.ends:
            yield Fault(f"{at}.ends", f"the step ends on {step.ends}, before it starts on {starts}.",
                        "Swap `starts` and `ends`, or correct one.")
        elif starts < phase.starts or step.ends > last:
            yield Fault(at, f"the step ({starts} to {step.ends}) leaves its phase ({phase.starts} to {last}).",
                        "Correct the step or the phase.")


def _schedules(ground: Ground) -> Iterator[Fault]:
    for schedule in ground.schedules.values():
        yield from schedule.faults
        if schedule.dates and not schedule.faults:
            yield from _due_dates(schedule)


def _due_dates(schedule: Schedule) -> Iterator[Fault]:
    cadence, where = schedule.cadence, f"{schedule.where}.due"
    if cadence.every == "once":
        if schedule.due.date is None and cadence.ends is None and cadence.last is None:
            yield Fault(where, "what is owed once needs its day.", "Give `due: {date: YYYY-MM-DD}`.")
        return
    if schedule.due.date is not None and len(schedule.dates) > 1:
        yield Fault(f"{where}.date", f"one fixed date stands for {len(schedule.dates)} periods.",
                    "Use `day` or `days_after_end`, or the cadence `once`.")
        return
    early = [(period, nominal) for period, nominal in schedule.dates if nominal < period.ends]
    if early:
        period, nominal = early[0]
        yield Fault(where, f"{period.label} is due on {nominal}, before the period ends on {period.ends}.",
                    "Count from the period's end (`months_after`, `days_after_end`), or use the cadence `once`.")


# --- what is to be reached ------------------------------------------------------------------------------


def _indicators(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    has_statistics = any(feed.feed == "statistics" for feed in plan.feeds)
    yield from twice("indicators", (indicator.id for indicator in plan.indicators))
    for index, indicator in enumerate(plan.indicators):
        where = place("indicators", index, indicator.id)
        if indicator.unit in ("percent", "share") and indicator.denominator is None:
            yield Fault(f"{where}.denominator", f"a {indicator.unit} needs a denominator.",
                        "Say of what: add `denominator:` with `where` or `statistic`.")
        for word, measure in (("numerator", indicator.numerator), ("denominator", indicator.denominator)):
            if measure is None or measure.statistic is None:
                continue
            if not has_statistics:
                yield Fault(f"{where}.{word}.statistic", "no feed delivers published figures.",
                            "Add the feed `statistics`, or count with `where`.")
            if measure.sum is not None:
                yield Fault(f"{where}.{word}.sum", "a published figure is taken as it is, there is nothing to sum.",
                            "Drop `sum`, or replace `statistic` by `where`.")


def _targets(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    units = {indicator.id: indicator.unit for indicator in plan.indicators}
    yield from twice("targets", (target.id for target in plan.targets))
    taken: dict[tuple[str, str, date], str] = {}
    for index, target in enumerate(plan.targets):
        where = place("targets", index, target.id)
        if target.indicator not in units:
            yield unknown(f"{where}.indicator", "indicator", target.indicator, units)
        if not plan.starts <= target.measured_on <= plan.ends:
            yield Fault(f"{where}.measured_on", f"{target.measured_on} lies outside the campaign.",
                        f"Measure between {plan.starts} and {plan.ends}.")
        for word in ("level", "increase", "derived_base"):
            for code in getattr(target, word):
                yield from ground.organisation_faults(f"{where}.{word}.{code}", code, (target.measured_on,))
        for code in target.level:
            other = taken.setdefault((target.indicator, code, target.measured_on), target.id)
            if other != target.id:
                yield Fault(f"{where}.level.{code}", f"the target `{other}` sets a level for the same organisation, "
                            "indicator and day.", "Keep one of the two.")
        yield from _derived(where, target, units.get(target.indicator, ""))


def _derived(where: str, target: Target, unit: str) -> Iterator[Fault]:
    """What we derive must follow from what is stated (C1, C8); what is stated may contradict itself."""
    for code in target.increase:
        if code not in target.level:
            yield Fault(f"{where}.increase.{code}", f"`{code}` has an increase but no level.", "Add its level.")
    for code, base in target.derived_base.items():
        if code not in target.level or code not in target.increase:
            yield Fault(f"{where}.derived_base.{code}", "there is no level and increase to derive it from.",
                        "State both, or drop the base.")
        elif not equal(base, target.level[code] - target.increase[code]):
            derived = target.level[code] - target.increase[code]
            yield Fault(f"{where}.derived_base.{code}",
                        f"{base:g} is not {target.level[code]:g} less {target.increase[code]:g}.",
                        f"Write {derived:g}.")
    levels, total = target.level.values(), target.derived_total
    if total is None:
        return
    if unit in ADDS_UP and not equal(total, sum(levels)):
        yield Fault(f"{where}.derived_total", f"{total:g} is not the sum of the levels.", f"Write {sum(levels):g}.")
    elif unit not in ADDS_UP and not min(levels) <= total <= max(levels):
        yield Fault(f"{where}.derived_total", f"an average of {total:g} lies outside the levels it is made of.",
                    f"It must lie between {min(levels):g} and {max(levels):g}.")


# --- what comes in and follows --------------------------------------------------------------------------


def _feeds(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    ladders = {ladder.id for ladder in plan.ladders}
    yield from twice("feeds", (feed.feed for feed in plan.feeds), "feed")
    for index, feed in enumerate(plan.feeds):
        where = place("feeds", index, feed.feed)
        if feed.ladder is not None and feed.ladder not in ladders:
            yield unknown(f"{where}.ladder", "ladder", feed.ladder, ladders)
        for number, code in enumerate(feed.providers):
            yield from ground.organisation_faults(f"{where}.providers[{number}]", code)
            if code in feed.providers[:number]:
                yield Fault(f"{where}.providers[{number}]", f"`{code}` stands here twice.", "Name it once.")
        yield from _providers_exist(ground, where, feed)


def _providers_exist(ground: Ground, where: str, feed: Feed) -> Iterator[Fault]:
    days = ground.schedules[where].days
    known = [code for code in feed.providers if code in ground.organisations]
    for day in days:
        if known and not any(ground.stands(code, day) for code in known):
            yield Fault(f"{where}.providers", f"none of them exists on {day}.",
                        "Name the successors, or correct `valid_from` and `valid_to`.")
            return
    for number, code in enumerate(feed.providers):
        if days and code in known and not any(ground.stands(code, day) for day in days):
            yield Fault(f"{where}.providers[{number}]", f"`{code}` exists in none of the periods.",
                        "Take it out, or correct its `valid_from` and `valid_to`.")


def _categories(ground: Ground) -> Iterator[Fault]:
    categories = ground.plan.categories
    yield from twice("categories", (category.id for category in categories))
    last = len(categories) - 1
    for index, category in enumerate(categories):
        where = place("categories", index, category.id, "where")
        if index < last and _holds_always(category.where):
            yield Fault(where, "takes everybody: the categories after it can never be reached.",
                        "Move it to the end, or give it a condition.")
        if index == last and not _holds_always(category.where):
            yield Fault(where, "the last category must take whoever is left, or the population does not balance.",
                        "Write `true`, or add a last category with `where: \"true\"`.")


def _holds_always(expression: str) -> bool:
    return re.fullmatch(r"[\s(]*true[\s)]*", expression, flags=re.IGNORECASE) is not None


def _lists(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    yield from twice("lists", (entry.id for entry in plan.lists))
    for index, entry in enumerate(plan.lists):
        where = place("lists", index, entry.id)
        yield from _owner_cases(ground, f"{where}.owner", entry.owner)
        for number, case in enumerate(entry.co_owners):
            if case.org is not None:
                yield from ground.organisation_faults(f"{where}.co_owners[{number}].org", case.org, (plan.ends,))


def _owner_cases(ground: Ground, where: str, cases: Sequence[OwnerCase]) -> Iterator[Fault]:
    last = len(cases) - 1
    for number, case in enumerate(cases):
        if case.org is not None:
            yield from ground.organisation_faults(f"{where}[{number}].org", case.org, (ground.plan.ends,))
        if number < last and _holds_always(case.when):
            yield Fault(f"{where}[{number}].when", "holds always: the owners after it can never be reached.",
                        "Move it to the end, or give it a condition.")
        if number == last and not _holds_always(case.when):
            yield Fault(f"{where}[{number}].when", "the last owner has a condition: whoever fails it has no owner.",
                        "Add a last case without `when`.")


def _list_users(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    defined = {entry.id for entry in plan.lists}
    yield from twice("ledgers", (ledger.id for ledger in plan.ledgers))
    for index, ledger in enumerate(plan.ledgers):
        where = place("ledgers", index, ledger.id)
        if not ledger.lists and not ledger.only_excused:
            yield Fault(f"{where}.lists", "the ledger would stay empty.", "Name its lists, or set `only_excused`.")
        for number, name in enumerate(ledger.lists):
            if name not in defined:
                yield unknown(f"{where}.lists[{number}]", "list", name, defined)
    yield from twice("guards", (guard.list for guard in plan.guards), "list")
    for index, guard in enumerate(plan.guards):
        if guard.list not in defined:
            yield unknown(place("guards", index, guard.list, "list"), "list", guard.list, defined)


def _dispositions(ground: Ground) -> Iterator[Fault]:
    dispositions = ground.plan.dispositions
    yield from twice("dispositions", (entry.code for entry in dispositions), "code")
    for index, entry in enumerate(dispositions):
        if entry.claims and entry.excuses:
            yield Fault(place("dispositions", index, entry.code), "claims an enrolment and excuses one at once.",
                        "Set one of `claims` and `excuses` to false.")
    if not any(entry.claims for entry in dispositions):
        yield Fault("dispositions", "no result claims an enrolment: nothing could ever be confirmed.",
                    "Set `claims: true` on one.")
    if not any(entry.excuses for entry in dispositions):
        yield Fault("dispositions", "no result takes a person off the list with a reason (B15).",
                    "Set `excuses: true` on one.")


# --- what is owed ---------------------------------------------------------------------------------------


def _obligations(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    ladders = {ladder.id for ladder in plan.ladders}
    yield from twice("obligations", (obligation.id for obligation in plan.obligations))
    for index, obligation in enumerate(plan.obligations):
        where = place("obligations", index, obligation.id)
        days = ground.schedules[where].days
        yield from _selected(ground, f"{where}.who", obligation.who, days)
        yield from ground.organisation_faults(f"{where}.to", obligation.to, days)
        yield from _phase_known(plan, where, obligation.phase)
        if obligation.ladder is not None and obligation.ladder not in ladders:
            yield unknown(f"{where}.ladder", "ladder", obligation.ladder, ladders)
        for part, count in Counter(section.id for section in obligation.content).items():
            if count > 1:
                yield Fault(f"{where}.content", f"the part `{part}` stands here {count} times.",
                            "Give each part its own `id`.")


def _duties(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    first_day = {phase.id: phase.starts for phase in plan.phases}
    yield from twice("duties", (duty.id for duty in plan.duties))
    for index, duty in enumerate(plan.duties):
        where = place("duties", index, duty.id)
        day = duty.by or first_day.get(duty.phase or "", plan.starts)
        yield from _selected(ground, f"{where}.who", duty.who, (day,))
        yield from _phase_known(plan, where, duty.phase)
        if duty.by is not None and not plan.starts <= duty.by <= plan.ends:
            yield Fault(f"{where}.by", f"{duty.by} lies outside the campaign.",
                        f"Give a day between {plan.starts} and {plan.ends}, or none.")


def _phase_known(plan: Plan, where: str, phase: str | None) -> Iterator[Fault]:
    phases = [entry.id for entry in plan.phases]
    if phase is not None and phase not in phases:
        yield unknown(f"{where}.phase", "phase", phase, phases)


def _policies(ground: Ground) -> Iterator[Fault]:
    """What a mechanism promises a group must be what the lists' own rules do (B19–B26)."""
    plan = ground.plan
    lists = {entry.id: entry for entry in plan.lists}
    yield from twice("policies", (policy.id for policy in plan.policies))
    for index, policy in enumerate(plan.policies):
        for number, rule in enumerate(policy.rules):
            where = place("policies", index, policy.id, f"rules[{number}]")
            if rule.lead.org is not None:
                yield from ground.organisation_faults(f"{where}.lead.org", rule.lead.org)
            for name in rule.lists:
                if name not in lists:
                    yield unknown(f"{where}.lists", "list", name, lists)
                elif not any((case.org, case.column) == (rule.lead.org, rule.lead.column) for case in lists[name].owner):
                    yield Fault(f"{where}.lead", f"`{name}` is never led by `{rule.lead.org or rule.lead.column}`.",
                                "Name who leads in the list's `owner`, or correct one of the two.")


def _stated_numbers(ground: Ground) -> Iterator[Fault]:
    """What a report's number is held against exists: its parts are other numbers of the same report, and what the record
    holds of it is a count of findings or an indicator."""
    held = [*RECORDED_FIGURES, *(indicator.id for indicator in ground.plan.indicators)]
    for index, obligation in enumerate(ground.plan.obligations):
        numbers = [section.id for section in obligation.content if section.kind == "number"]
        for number, section in enumerate(obligation.content):
            where = f"{place('obligations', index, obligation.id)}.content[{number}]"
            parts = [name for name in numbers if name != section.id]
            for name in section.sum_of:
                if name not in parts:
                    yield unknown(f"{where}.sum_of", "number", name, parts)
            if section.recorded is not None and section.recorded not in held:
                yield unknown(f"{where}.recorded", "figure", section.recorded, held)


def _supervisions(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    targets = [target.id for target in plan.targets]
    yield from twice("supervisions", (rule.id for rule in plan.supervisions))
    for index, rule in enumerate(plan.supervisions):
        where = place("supervisions", index, rule.id)
        days = ground.schedules[where].days
        yield from _selected(ground, f"{where}.about", rule.about, days)
        for number, name in enumerate(rule.targets):
            if name not in targets:
                yield unknown(f"{where}.targets[{number}]", "target", name, targets)
        if not targets:
            yield Fault(where, "the plan sets no target: nobody could be slow.", "Leave the supervision out, or set targets.")
        yield from ground.organisation_faults(f"{where}.decided_by", rule.decided_by, days)
        if rule.decided_by in ground.organisations and not ground.organisations[rule.decided_by].contacts:
            yield Fault(f"{where}.decided_by", f"`{rule.decided_by}` has no post: a person must decide (C23).",
                        "Give it a contact.")


def _bulletins(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    indicators = {indicator.id for indicator in plan.indicators}
    obligations = {obligation.id for obligation in plan.obligations}
    yield from twice("bulletins", (bulletin.id for bulletin in plan.bulletins))
    for index, bulletin in enumerate(plan.bulletins):
        where = place("bulletins", index, bulletin.id)
        days = ground.schedules[where].days
        yield from _selected(ground, f"{where}.about", bulletin.about, days)
        yield from _selected(ground, f"{where}.to", bulletin.to, days)
        for number, name in enumerate(bulletin.indicators):
            if name not in indicators:
                yield unknown(f"{where}.indicators[{number}]", "indicator", name, indicators)
        for number, name in enumerate(bulletin.obligations):
            if name not in obligations:
                yield unknown(f"{where}.obligations[{number}]", "obligation", name, obligations)
        yield from placeholder_faults(f"{where}.number_pattern", bulletin.number_pattern, NUMBER_PLACEHOLDERS)
        for name in sorted(NUMBER_PLACEHOLDERS - placeholders_in(bulletin.number_pattern)):
            yield Fault(f"{where}.number_pattern", f"{{{name}}} is missing: two bulletins would share a number.",
                        "Write for example 「〔{year}〕{n}号」.")




# --- how it ends ----------------------------------------------------------------------------------------


def _acceptance(ground: Ground) -> Iterator[Fault]:
    plan, acceptance = ground.plan, ground.plan.acceptance
    yield from _selected(ground, "acceptance.about", acceptance.about, (acceptance.provisional_on,))
    if acceptance.provisional_on > acceptance.final_on:
        yield Fault("acceptance.final_on", f"{acceptance.final_on} comes before the provisional result of "
                                           f"{acceptance.provisional_on}.", "Swap the two, or correct one.")
    if acceptance.provisional_on < plan.starts:
        yield Fault("acceptance.provisional_on", "results are drawn up before the campaign starts.",
                    f"Give a day after {plan.starts}.")
    if acceptance.final_period > f"{acceptance.final_on:%Y-%m}":
        yield Fault("acceptance.final_period", f"{acceptance.final_period} begins after the final result is drawn up.",
                    "Name an earlier month, or a later `final_on`.")
    labels = {period.label for index, feed in enumerate(plan.feeds)
              for period, _ in ground.schedules[place("feeds", index, feed.feed)].dates}
    if acceptance.final_period not in labels:
        yield Fault("acceptance.final_period", f"no feed delivers the period {acceptance.final_period}.",
                    f"The last month delivered is {max(labels, default='none')}.")
    yield from _acceptance_items(ground)
    yield from _candidates(ground)


def _acceptance_items(ground: Ground) -> Iterator[Fault]:
    plan, items = ground.plan, ground.plan.acceptance.items
    known = {"target": [target.id for target in plan.targets], "obligation": [entry.id for entry in plan.obligations]}
    yield from twice("acceptance.items", (item.id for item in items))
    for index, item in enumerate(items):
        where = place("acceptance.items", index, item.id)
        for word, names in known.items():
            name = getattr(item, word)
            if name is not None and name not in names:
                yield unknown(f"{where}.{word}", word, name, names)
        if item.judged_by is not None:
            judged_on = (plan.acceptance.provisional_on,)
            yield from ground.organisation_faults(f"{where}.judged_by", item.judged_by, judged_on)
    weights = sum(item.weight for item in items)
    if not equal(weights, 100):
        yield Fault("acceptance.items", f"the weights add up to {weights:g}.", "Let them add up to 100.")


def _candidates(ground: Ground) -> Iterator[Fault]:
    candidates, where = ground.plan.acceptance.candidates, "acceptance.candidates"
    if candidates.commend_score_at_least <= candidates.criticise_score_below:
        yield Fault(f"{where}.commend_score_at_least",
                    "a score could be commended and criticised at once.",
                    f"Give more than {candidates.criticise_score_below:g}, the score below which is criticised.")
    decided_on = (ground.plan.acceptance.final_on,)
    yield from ground.organisation_faults(f"{where}.decided_by", candidates.decided_by, decided_on)
    if candidates.decided_by in ground.organisations and not ground.organisations[candidates.decided_by].contacts:
        yield Fault(f"{where}.decided_by", f"`{candidates.decided_by}` has no post: a person must decide (C23).",
                    "Give it a contact.")


def _approval(ground: Ground) -> Iterator[Fault]:
    """Four eyes: the post that approves exists, and another one prepares."""
    approval = ground.plan.approval
    approver, preparer = (ground.organisations.get(code) for code in (approval.approved_by, approval.prepared_by))
    if approver is not None and approval.approver_role not in {post.role for post in approver.contacts}:
        yield Fault("approval.approver_role", f"`{approver.code}` has no post of the role {approval.approver_role}.",
                    f"Add a contact with `role: {approval.approver_role}`, or name another role.")
    if preparer is None:
        return
    posts = [post for post in preparer.contacts
             if not (preparer is approver and post.role == approval.approver_role)]
    if not posts and preparer.contacts:
        yield Fault("approval.prepared_by", "the only post that could prepare is the one that approves.",
                    "Give it a second contact with another role, or name another organisation.")
    elif not posts:
        yield Fault("approval.prepared_by", f"`{preparer.code}` has no post that could prepare.", "Give it a contact.")


def _retention(ground: Ground) -> Iterator[Fault]:
    kept = ground.plan.retention
    yield from twice("retention", (entry.what for entry in kept), "what")
    if missing := [kind for kind in RETAINED_KINDS if kind not in {entry.what for entry in kept}]:
        yield Fault("retention", f"nothing says how long to keep: {', '.join(missing)}.",
                    "Add an entry with `keep_days` for each (PIPL art. 19).")
    for index, entry in enumerate(kept):
        if entry.what == "audit" and entry.keep_days < SHORTEST_AUDIT_DAYS:
            yield Fault(place("retention", index, "audit", "keep_days"),
                        f"an audit of {entry.keep_days} days is shorter than six months (GB/T 22239).",
                        f"Keep it for {SHORTEST_AUDIT_DAYS} days or more.")


_CHECKS: tuple[Check, ...] = (
    _campaign_days, _published_days, _organisations, _named_organisations, _phases, _schedules, _indicators, _targets, _feeds,
    _categories, _lists, _list_users, _policies, _dispositions, _obligations, _stated_numbers, _duties, ladder_faults, _bulletins, _supervisions,
    _acceptance,
    _approval, _retention,
)
