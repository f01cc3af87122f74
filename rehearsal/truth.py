"""The right answers of a synthetic place: who belongs where, worked out from what is really so.

A comparison is checked against this (``canbao evaluate``). What categories and lists mean stands in
``rehearsal.meanings``; only ids, the order of the categories, parameters and the owners' codes come from the plan. What
has no meaning there is left out, never guessed: :func:`write_truth` says what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from models.errors import StorageUnavailable
from models.plan import FindingList, OwnerCase, Plan
from rehearsal.facts import EmployerFacts, PersonFacts
from rehearsal.meanings import Meaning, categories, meaning_of
from rehearsal.names import Bools, Strings
from rehearsal.place import Place
from rehearsal.state import ACTIVE, CARD_ISSUED, CONVERTED, EP, PENSIONS, RP, UN, WI, day_number
from rules.deadlines import carrier
from rules.periods import month

if TYPE_CHECKING:
    from rehearsal.defect_delivery import Sent

PERSON_TRUTH, LIST_TRUTH, LINK_TRUTH, EMPLOYER_TRUTH = "persons.csv", "lists.csv", "links.csv", "employers.csv"
FILE_TRUTH, ROW_TRUTH = "files.csv", "rows"
"""What is to become of files with defects, and, by feed and month, of their rows."""


# --- who is on which list, and whose it is --------------------------------------------------------------


@dataclass(frozen=True)
class TrueList:
    """Who is to be on a list (citizen numbers, credit codes or permit numbers) and the lead owner of each."""

    item: FindingList
    keys: Strings
    owners: Strings


def true_lists(place: Place, plan: Plan) -> tuple[TrueList, ...]:
    """Every list of the plan that has a meaning here, as it is to stand now."""
    meaning = meaning_of(plan)
    return () if meaning is None else tuple(_lists(meaning, PersonFacts(place, plan), EmployerFacts(place, plan)))


def _lists(meaning: Meaning, who: PersonFacts, facts: EmployerFacts) -> Iterator[TrueList]:
    category = categories(who, meaning)
    for item in who.plan.lists:
        if not meaning.knows(item):
            continue
        if item.subject == "person":
            on_list = meaning.persons[item.id](who, category)
            leads = [case(who, category)[on_list] for case in meaning.person_leads.get(item.id, ())]
            yield _person_list(item, who, on_list, leads)
        elif item.subject == "employer":
            yield _employer_list(item, facts, meaning)
        else:
            yield _project_list(item, facts, meaning)


def _person_list(item: FindingList, who: PersonFacts, on_list: Bools, leads: list[Bools]) -> TrueList:
    people, firms, codes = who.place.people, who.place.employers, _codes(who.place)
    rows = who.rows[on_list]
    at = people.employer[rows]
    columns = {"township": codes[people.township[rows]],
               "employer_township": np.where(at >= 0, codes[firms.township[at]], "")}
    return TrueList(item, people.id_number[rows], _owners(who, item, columns, leads, len(rows)))


def _employer_list(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> TrueList:
    firms, rows = facts.place.employers, np.flatnonzero(meaning.employers[item.id](facts))
    columns = {"township": _codes(facts.place)[firms.township[rows]]}
    return TrueList(item, firms.credit_code[rows], _owners(facts, item, columns, [_leads(item, facts, meaning)[rows]], len(rows)))


def _project_list(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> TrueList:
    projects, rows = facts.place.projects, np.flatnonzero(meaning.projects[item.id](facts))
    departments = np.array(facts.place.departments, dtype="U40")
    columns = {"department": departments[projects.department[rows]],
               "township": _codes(facts.place)[projects.township[rows]]}
    return TrueList(item, projects.permit_no[rows], _owners(facts, item, columns, [_leads(item, facts, meaning)[rows]], len(rows)))


def _leads(item: FindingList, facts: EmployerFacts, meaning: Meaning) -> Bools:
    count = len(facts.place.projects if item.subject == "project" else facts.place.employers)
    return meaning.leads[item.id](facts) if item.id in meaning.leads else np.full(count, True)


def _owners(facts: PersonFacts | EmployerFacts, item: FindingList, columns: dict[str, Strings], leads: Sequence[Bools],
            count: int) -> Strings:
    """The lead owner of each subject: of the first case that holds; where it names nobody, the owner of last resort. Who
    has ended by the month's end is succeeded."""
    owner: Strings = np.full(count, "", dtype="U40")
    decided, conditions = np.full(count, False), iter(leads)
    for case in item.owner:
        holds = ~decided & (next(conditions) if case.when != "true" else True)
        owner = np.where(holds, _named_by(case, columns, count), owner)
        decided |= holds
    owner = np.where(owner == "", facts.plan.owner_of_last_resort, owner)
    day = month(facts.place.period).ends
    for code in np.unique(owner).tolist():
        owner = np.where(owner == code, carrier(facts.plan, code, day), owner)
    return owner


def _named_by(case: OwnerCase, columns: dict[str, Strings], count: int) -> Strings:
    return np.full(count, case.org, dtype="U40") if case.org else columns[str(case.column)]


def _codes(place: Place) -> Strings:
    return np.array([org.code for org in place.townships], dtype="U40")


# --- files ----------------------------------------------------------------------------------------------


def write_truth(place: Place, plan: Plan, folder: Path) -> tuple[str, ...]:
    """``folder/<period>/`` with persons, lists, links and employers of the place's current month (CSV, UTF-8).

    Returns what was left out because no meaning is written for it: ``category`` for a plan whose categories are not
    all known here, and the ids of lists.
    """
    from rehearsal.feeds import links_table  # feeds and truth both read places; neither needs the other to be imported

    meaning, who, facts = meaning_of(plan), PersonFacts(place, plan), EmployerFacts(place, plan)
    lists = () if meaning is None else tuple(_lists(meaning, who, facts))
    target = folder / place.period
    try:
        target.mkdir(parents=True, exist_ok=True)
        pa_csv.write_csv(_persons_table(who, meaning), target / PERSON_TRUTH)
        pa_csv.write_csv(_lists_table(lists), target / LIST_TRUTH)
        pa_csv.write_csv(links_table(place, plan), target / LINK_TRUTH)
        pa_csv.write_csv(_employers_table(facts), target / EMPLOYER_TRUTH)
    except OSError as fault:
        raise _cannot_write(target, fault) from None
    written = {entry.item.id for entry in lists}
    return (*(() if meaning else ("category",)), *(item.id for item in plan.lists if item.id not in written))


def write_deliveries(sent: Sequence[Sent], folder: Path) -> None:
    """``folder/rows/<feed>/<period>.parquet`` with every row of every file of a month, and these files at the end of
    ``folder/files.csv``."""
    by_feed: dict[tuple[str, str], list[pa.Table]] = {}
    for file in sent:
        if file.truth is not None:
            by_feed.setdefault((file.feed, file.period), []).append(file.truth)
    try:
        for (feed, period), parts in by_feed.items():
            target = folder / ROW_TRUTH / feed / f"{period}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.concat_tables(parts, promote_options="default"), target, compression="zstd")
        path = folder / FILE_TRUTH
        listed = _files_table(sent)
        if path.exists():
            periods = pa.array(sorted({file.period for file in sent}), pa.string())
            known = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(
                column_types=listed.schema, strings_can_be_null=False))
            listed = pa.concat_tables([known.filter(pc.invert(pc.is_in(known["period"], periods))), listed])
        pa_csv.write_csv(listed, path)
    except OSError as fault:
        raise _cannot_write(folder, fault) from None


def _files_table(sent: Sequence[Sent]) -> pa.Table:
    """One row per file: what is wrong with it, and what is to become of it. ``corrects``: the returned file before it."""
    text = pa.string()
    return pa.table({
        "feed": pa.array([file.feed for file in sent], text), "period": pa.array([file.period for file in sent], text),
        "provider": pa.array([file.provider for file in sent], text),
        "file": pa.array([file.path.name for file in sent], text),
        "arrived": pa.array([file.arrived.isoformat() for file in sent], text),
        "is_late": pa.array([file.is_late for file in sent], pa.bool_()),
        "rows": pa.array([file.rows for file in sent], pa.int64()),
        "defects": pa.array([";".join(map(str, sorted(file.defects))) for file in sent], text),
        "expected_verdict": pa.array([file.verdict for file in sent], text),
        "expected_reason": pa.array([file.reason for file in sent], text),
        "corrects": pa.array([file.corrects for file in sent], text),
    })


def write_defective_links(place: Place, plan: Plan, folder: Path, periods: Sequence[str]) -> None:
    """Over the month's links of clean files: those of the files that were really written, by their rows' truth.

    Only files that are accepted count. Of supplements every month that was written is still in force. Beside the columns
    of clean links stand how number and name were written, the mistake in each, and what is to become of the row.
    """
    from rehearsal.feeds import is_of_persons  # as in write_truth

    parts = []
    for feed in plan.feeds:
        months = [when for when in periods if when <= place.period] if feed.snapshot == "supplement" else [place.period]
        for when in months:
            path = folder / ROW_TRUTH / feed.feed / f"{when}.parquet"
            if path.exists() and "person_id" in pq.read_schema(path).names and is_of_persons(plan, feed.feed):
                parts.append(_links_of(pq.read_table(path)))
    target = folder / place.period / LINK_TRUTH
    try:
        pa_csv.write_csv(pa.concat_tables(parts), target)
    except OSError as fault:
        raise _cannot_write(target.parent, fault) from None


def _links_of(rows: pa.Table) -> pa.Table:
    kept = rows.filter(pc.invert(pc.is_in(rows["expected_outcome"], pa.array(["dropped", "returned"]))))
    return pa.table({
        "feed": kept["feed"], "source_file": kept["file"], "row_number": kept["row_number"], "id_number": kept["id_number_true"],
        "member": kept["member"], "person_id": kept["person_id"], "name": kept["name_true"],
        **{name: kept[name] for name in ("id_number_written", "name_written", "number_mistake", "name_mistake",
                                         "expected_outcome", "expected_reason")},
    })


def _cannot_write(folder: Path, fault: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"the truth cannot be written: {fault.strerror}.", where=str(folder),
                              cure="Make the folder writable and write again.")


def _texts(values: Strings) -> pa.Array:
    return pa.array(values.tolist(), type=pa.string())


def _persons_table(who: PersonFacts, meaning: Meaning | None) -> pa.Table:
    """One row per person: key, name, township, category, and the groups by which matching is measured."""
    people, rows, plan = who.place.people, who.rows, who.plan
    category = None if meaning is None else categories(who, meaning)
    nothing = pa.nulls(len(rows))
    return pa.table({
        "person_key": _texts(people.id_number[rows]),
        "id_number": _texts(people.id_number[rows]),
        "name": _texts(people.name[rows]),
        "township": _texts(_codes(who.place)[people.township[rows]]),
        "category": nothing if category is None else _texts(category),
        "in_scope": nothing if category is None else np.isin(category, [it.id for it in plan.categories if it.in_scope]),
        "insured": nothing if category is None else np.isin(category, [it.id for it in plan.categories if it.insured]),
        "age_years": who.age,
        "has_dotted_name": np.char.find(people.name[rows], "·") >= 0,
        "is_permit_holder": people.permit[rows],
        "has_card": people.card[rows] == CARD_ISSUED,
    })


def _lists_table(lists: tuple[TrueList, ...]) -> pa.Table:
    parts = [
        pa.table({
            "list": pa.array([entry.item.id] * len(entry.keys), type=pa.string()),
            "subject": pa.array([entry.item.subject] * len(entry.keys), type=pa.string()),
            "id_number": _texts(entry.keys),
            "owner": _texts(entry.owners),
        })
        for entry in lists
    ]
    text = pa.string()
    empty = pa.schema([("list", text), ("subject", text), ("id_number", text), ("owner", text)]).empty_table()
    return pa.concat_tables([empty, *parts])


def _employers_table(facts: EmployerFacts) -> pa.Table:
    firms = facts.place.employers
    return pa.table({
        "credit_code": _texts(firms.credit_code),
        "name": _texts(firms.name),
        "township": _texts(_codes(facts.place)[firms.township]),
        "is_operating": facts.operating,
        "employed_persons": facts.staff,
        "pension_insured_persons": facts.pension_insured,
        "work_injury_insured_persons": facts.injury_insured,
        "is_insured": facts.is_insured,
        "is_dust_hazard": firms.dust,
        "exposed_workers": firms.exposed,
        "dust_insured_workers": facts.dust_covered,
    })


def figures(place: Place, plan: Plan) -> dict[str, float]:
    """The campaign's figures as they really are: persons in each scheme, participants, conversions, payments (C1–C8)."""
    people, who = place.people, PersonFacts(place, plan)
    living, paid = ~who.dead, people.paid[who.rows]
    converted = (people.end_reason == CONVERTED) & (people.ended_day >= day_number(plan.starts)) & place.active(EP)
    from_residents = who.drawing & (people.benefit[who.rows] == PENSIONS.index(RP))

    def insured(scheme: int) -> float:
        return float(np.count_nonzero((people.scheme[scheme, who.rows] == ACTIVE) & living))

    return {
        "employee_pension": insured(EP), "unemployment": insured(UN), "work_injury": insured(WI),
        "resident_pension": float(np.count_nonzero((who.pays_into(RP) | from_residents) & living)),
        "conversions": float(np.count_nonzero(converted[who.rows])),
        "average_payment_yuan": float(paid[paid > 0].mean()) if (paid > 0).any() else 0.0,
    }
