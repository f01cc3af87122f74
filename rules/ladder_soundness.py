"""Soundness of ladders: their order and hours, whom they speak to, and the placeholders of their words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from string import Formatter

from models.errors import Fault
from models.plan import Ladder, LadderStep, Organisation, Recipient, Wording
from rules.ladder import PLACEHOLDERS, next_allowed
from rules.plan_ground import Ground, nearest, place, shortened, twice

_ACCUSING = ("bulletin", "candidate")


@dataclass(frozen=True)
class _LadderUse:
    """Whom a ladder speaks to: the codes of those who owe, and of those they owe to."""

    owing: tuple[str, ...]
    receiving: tuple[str, ...]


def ladder_faults(ground: Ground) -> Iterator[Fault]:
    plan = ground.plan
    yield from twice("ladders", (ladder.id for ladder in plan.ladders))
    for index, ladder in enumerate(plan.ladders):
        where = place("ladders", index, ladder.id)
        zoned = [word for word in ("quiet_from", "quiet_to") if getattr(ladder, word).tzinfo is not None]
        yield from (_zoned(f"{where}.{word}") for word in zoned)
        yield from _ladder_order(where, ladder)
        use = _use_of(ground, ladder)
        for number, step in enumerate(ladder.steps):
            at = f'{where}.steps[{number}] "{step.id}"'
            if step.at.tzinfo is not None:
                yield _zoned(f"{at}.at")
            elif not zoned:
                yield from _quiet(at, ladder, step)
            yield from _step(at, step)
            yield from _wording(f"{at}.wording", step.wording)
            for post, recipient in enumerate(step.to):
                yield from _recipient(ground, f'{at}.to[{post}] "{recipient.org}"', recipient, use)


def _zoned(where: str) -> Fault:
    return Fault(where, "hours of a ladder carry no time zone: the plan's own holds.", "Write HH:MM alone.")


def _ladder_order(where: str, ladder: Ladder) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, step in enumerate(ladder.steps):
        at = f'{where}.steps[{number}] "{step.id}"'
        if step.id in seen:
            yield Fault(f"{at}.id", f"`{step.id}` is used twice in this ladder.", "Give each step its own `id`.")
        seen.add(step.id)
        before = ladder.steps[number - 1] if number else None
        if before and (step.offset_working_days, step.at.replace(tzinfo=None)) <= (
            before.offset_working_days, before.at.replace(tzinfo=None)
        ):
            yield Fault(f"{at}.offset_working_days", f"the step does not come after the one before it, `{before.id}`.",
                        "Order the steps by offset and hour, no two at the same time.")


def _quiet(where: str, ladder: Ladder, step: LadderStep) -> Iterator[Fault]:
    planned = datetime.combine(date(2000, 1, 3), step.at, tzinfo=UTC)
    if next_allowed(ladder, planned) != planned:
        yield Fault(f"{where}.at", f"{step.at:%H:%M} lies in the quiet hours.",
                    f"Choose an hour from {ladder.quiet_to:%H:%M} and before {ladder.quiet_from:%H:%M}.")


def _step(where: str, step: LadderStep) -> Iterator[Fault]:
    if step.kind != "reminder" and step.offset_working_days < 1:
        yield Fault(f"{where}.offset_working_days", f"the {step.kind} comes before the due day is over.",
                    "Give an offset of at least 1, or make it a reminder.")
    accused = [recipient.org == "self" for recipient in step.to]
    if step.kind == "candidate" and any(accused):
        yield Fault(f"{where}.to", "a candidate for criticism is prepared for those who decide, not for the accused.",
                    "Address `to`, `parent` or an organisation's code (C23).")
    elif step.kind in _ACCUSING and all(accused):
        yield Fault(f"{where}.to", "a bulletin that only its own subject reads is none.",
                    "Address `to`, `parent` or an organisation's code as well.")
    if step.repeat_times > 1 and step.repeat_every_working_days is None:
        yield Fault(f"{where}.repeat_times", f"the step repeats {step.repeat_times} times at the same hour.",
                    "Add `repeat_every_working_days`.")
    if step.repeat_times == 1 and step.repeat_every_working_days is not None:
        yield Fault(f"{where}.repeat_every_working_days", "the step never repeats: it happens once in all.",
                    "Add `repeat_times` of 2 or more, or drop this.")


def _wording(where: str, wording: Wording) -> Iterator[Fault]:
    yield from placeholder_faults(f"{where}.subject", wording.subject, PLACEHOLDERS)
    yield from placeholder_faults(f"{where}.body", wording.body, PLACEHOLDERS)


def _use_of(ground: Ground, ladder: Ladder) -> _LadderUse:
    """Successors included: a message about an inherited duty goes to the heir."""
    owing: list[str] = []
    receiving: list[str] = []
    for obligation in ground.plan.obligations:
        if obligation.ladder == ladder.id:
            owing += [org.code for org in ground.plan.select(obligation.who)]
            receiving.append(obligation.to)
    for feed in ground.plan.feeds:
        if feed.ladder == ladder.id:
            owing += feed.providers
            receiving.append(ground.plan.office)
    return _LadderUse(_with_heirs(ground, owing), _with_heirs(ground, receiving))


def _with_heirs(ground: Ground, codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(org.code for code in dict.fromkeys(codes) for org in ground.line_of_succession(code)))


def _recipient(ground: Ground, where: str, recipient: Recipient, use: _LadderUse) -> Iterator[Fault]:
    if recipient.org == "self":
        addressed = use.owing
    elif recipient.org == "to":
        addressed = use.receiving
    elif recipient.org == "parent":
        orphans = [code for code in use.owing if ground.organisations[code].parent is None]
        if orphans:
            yield Fault(f"{where}.org", f"no organisation stands above {shortened(orphans)}.",
                        "Give each a `parent`, or address an organisation's code.")
        addressed = tuple(dict.fromkeys(
            parent for code in use.owing if (parent := ground.organisations[code].parent) in ground.organisations
        ))
    else:
        yield from ground.organisation_faults(f"{where}.org", recipient.org, (ground.plan.ends,))
        addressed = tuple(code for code in (recipient.org,) if code in ground.organisations)
    silent = [code for code in addressed if not _has_post(ground.organisations[code], recipient.role)]
    if silent:
        yield Fault(f"{where}.role", f"no post of the role {recipient.role} in {shortened(silent)}.",
                    f"Add a contact with `role: {recipient.role}` there, or address another role.")


def _has_post(org: Organisation, role: str) -> bool:
    return any(contact.role == role for contact in org.contacts)


# --- placeholders ---------------------------------------------------------------------------------------


def placeholders_in(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return set()


def placeholder_faults(where: str, text: str, known: Collection[str]) -> Iterator[Fault]:
    try:
        list(Formatter().parse(text))
    except ValueError:
        yield Fault(where, "a brace is not closed, or stands alone.", "Write {name}; a brace itself is written twice.")
    for name in sorted(placeholders_in(text) - set(known)):
        yield Fault(where, f"the placeholder {{{name}}} is unknown.",
                    nearest(name, sorted(known), f"Known: {', '.join(f'{{{entry}}}' for entry in sorted(known))}."))
