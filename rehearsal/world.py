"""The simulated world of a rehearsal: one place, and organisations that deliver, work their rosters and report.

It acts only through files, as the real world does: departments drop files into the inbox, organisations hand workbooks
back, each with its time of arrival. What it remembers is the place, kept per month, so that it can be taken up again.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from openpyxl import load_workbook

from documents.files import settle_zip
from models.database import home, transaction
from models.plan import Obligation, Plan, Section
from models.plan_file import LoadedPlan
from models.store import documents
from rehearsal import behaviour
from rehearsal.behaviour import Conduct
from rehearsal.clerks import Answer, Slip, fill_form, fill_roster, read_tasks
from rehearsal.feeds import file_name, headers_of, providers_in
from rehearsal.place import Place, Visit
from rehearsal.place_config import read_place
from rehearsal.state import ordinal
from rehearsal.writing import Author
from rules.deadlines import Expected
from rules.periods import next_month, previous_month
from tasks import workers
from tasks.obligations import excuse

Delivery = tuple[str, str, str, datetime, bool]
"""feed, provider, period, arrival, whether the file is faulty"""
HandIn = tuple[str, str, str, datetime, bool]
"""obligation, organisation, period, arrival, whether a part was forgotten"""


class World:
    """A place and the conduct of its organisations."""

    def __init__(self, plan: Plan, place: Place, seed: int) -> None:
        self.plan, self.place, self.seed = plan, place, seed
        self.conduct: dict[str, Conduct] = behaviour.conducts(plan, place.config, seed)
        self.root = home() / plan.id
        self._elsewhere: Place | None = None
        # The world works beside the campaign, in processes: departments export while the office compares.
        self._exports: dict[tuple[str, str, str], Future[Path]] = {}
        self._rosters: dict[str, tuple[str, Path, Future[int]]] = {}
        self._expected: set[tuple[str, str, str, bool]] = set()
        self._authors: dict[tuple[str, str, str], Author] = {}
        self._drafts: dict[tuple[str, str, str, bool], tuple[str, Future[None]]] = {}

    @classmethod
    def open(cls, loaded: LoadedPlan, *, persons: int | None, seed: int) -> World:
        """The world as it was left, or a new one. The latest month kept is the one it stands at."""
        kept = sorted((home() / loaded.plan.id / "world").glob("????-??/place.json"))
        if kept:
            place = Place.load(kept[-1].parent)
        else:
            place = Place.create(loaded.plan, read_place(loaded.plan, loaded.path), seed=seed, persons=persons)
        world = cls(loaded.plan, place, seed)
        if not kept:
            world._keep()
            world._export()
        return world

    def _keep(self) -> None:
        self.place.save(self.root / "world" / self.place.period)

    def _export(self) -> None:
        """Lets the departments write all files of the month; each is handed over on its own day."""
        period = self.place.period
        kept = self.root / "world" / period
        for feed in self.plan.feeds:
            for provider in providers_in(self.plan, feed, period):
                self._exports[feed.feed, provider, period] = workers.submit(
                    export, kept, self._outgoing(period), feed.feed, provider)

    def _outgoing(self, period: str) -> Path:
        return self.root / "world" / "outgoing" / period

    # --- departments -------------------------------------------------------------------------------------

    def deliveries(self, rows: Iterable[Expected]) -> Iterator[Delivery]:
        """When each department's files will arrive; a careless one sends a faulty file first."""
        for row in rows:
            if row.kind != "feed" or row.organisation not in self.conduct or row.period < self.place.config.first_period:
                continue
            feed, conduct = self.plan.item("feeds", row.item.removeprefix("feed:")), self.conduct[row.organisation]
            arrival = behaviour.delivery_instant(conduct, feed, row.period, row.due_before, self.seed)
            if arrival is None:
                continue
            arrival = max(arrival, row.opens_at + timedelta(days=1, hours=9))
            if behaviour.first_is_faulty(conduct, feed.feed, row.period, self.seed):
                yield feed.feed, row.organisation, row.period, arrival, True
                arrival = behaviour.correction_instant(conduct, feed.feed, row.period, arrival, self.seed)
            yield feed.feed, row.organisation, row.period, arrival, False

    def deliver(self, feed: str, provider: str, period: str, at: datetime, *, is_faulty: bool) -> None:
        """Puts a department's file into the inbox, arriving at ``at``."""
        place = self._place_of(period)
        target = self.root / "inbox" / feed / period
        target.mkdir(parents=True, exist_ok=True)
        path = self._exported(feed, provider, period)
        if path is None or not path.exists():
            path, = place.write_feeds(self.plan, period, self._outgoing(period), [feed], provider)
        final = target / (f"{path.stem}_初次{path.suffix}" if is_faulty else path.name)
        if not is_faulty and self._is_unchanged(path, feed, provider, period):
            excuse(self.plan.id, f"feed:{feed}", provider, period, self.plan.office, "本月无变动，沿用上期数据", at)
            path.unlink()
            return
        if is_faulty:
            _rename_header(path, next(iter(headers_of(self.plan, feed).values())), "编号")
        if path.suffix == ".xlsx":
            settle_zip(path, at.date())
        os.utime(path, (at.timestamp(), at.timestamp()))
        path.replace(final)

    def _is_unchanged(self, path: Path, feed: str, provider: str, period: str) -> bool:
        """Whether nothing has moved in a small register since its last file: a department says so rather than send the very
        same file again, which would be returned."""
        before = previous_month(period)
        while before >= self.place.config.first_period:
            name = file_name(self.plan, self.plan.item("feeds", feed), provider, before, path.suffix[1:])
            sent = self.root / "inbox" / feed / before / name
            if sent.exists():
                return sent.read_bytes() == path.read_bytes()
            before = previous_month(before)
        return False

    def _exported(self, feed: str, provider: str, period: str) -> Path | None:
        """The file a department has written ahead; None if it must be written now (a rehearsal taken up again)."""
        writing = self._exports.pop((feed, provider, period), None)
        return None if writing is None else writing.result()

    def pass_month(self, period: str) -> None:
        """A month comes to its end: people move, and departments begin to export it."""
        if period > self.place.config.first_period:
            self._place_of(period)

    def _place_of(self, period: str) -> Place:
        """The place at the end of a month: moved on to it, or as it was kept then."""
        while self.place.period < period:
            self.place.advance(next_month(self.place.period))
            self._keep()
            self._export()
        if self.place.period == period:
            return self.place
        if self._elsewhere is None or self._elsewhere.period != period:
            self._elsewhere = Place.load(self.root / "world" / period)
        return self._elsewhere

    # --- organisations -----------------------------------------------------------------------------------

    def submissions(self, rows: Iterable[Expected]) -> Iterator[HandIn]:
        """When each report will be handed in; a careless unit forgets a part first."""
        for row in rows:
            if row.kind != "report" or row.organisation not in self.conduct:
                continue
            obligation, conduct = self.plan.item("obligations", row.item), self.conduct[row.organisation]
            arrival = behaviour.submission_instant(conduct, obligation, row.period, row.due_before, self.seed)
            if arrival is None:
                continue
            arrival = max(arrival, row.opens_at + timedelta(hours=9))
            self._authors[row.item, row.organisation, row.period] = self._author(conduct, obligation, row.period, arrival)
            if behaviour.first_is_faulty(conduct, row.item, row.period, self.seed):
                self._expected.add((row.item, row.organisation, row.period, True))
                yield row.item, row.organisation, row.period, arrival, True
                arrival = behaviour.correction_instant(conduct, row.item, row.period, arrival, self.seed)
            self._expected.add((row.item, row.organisation, row.period, False))
            yield row.item, row.organisation, row.period, arrival, False

    def draft_forms(self) -> None:
        """Organisations begin to fill in what was issued to them; each hands its form in on a day of its own."""
        with transaction() as tx:
            issued = {row["path"]: row for row in documents.all_of(tx, self.plan.id) if row["kind"].startswith("form:")}
        for row in issued.values():
            for faulty in (True, False):
                key = (row["kind"].removeprefix("form:"), row["organisation"], row["period"], faulty)
                if key in self._expected and self._drafts.get(key, ("",))[0] != row["sha256"]:
                    draft = self._draft(key)
                    self._drafts[key] = row["sha256"], workers.submit(
                        fill_form, Path(row["path"]), draft, *self._written(key[:3]), self._slip(key))

    def _draft(self, key: tuple[str, str, str, bool]) -> Path:
        place = self.root / "world" / "drafts"
        place.mkdir(parents=True, exist_ok=True)
        return place / f"{'-'.join(key[:3])}{'-first' if key[3] else ''}.xlsx"

    def _author(self, conduct: Conduct, obligation: Obligation, period: str, arrival: datetime) -> Author:
        """Who will write a report: about its own month, or the one in which it is handed in."""
        is_month, first = len(period) == 7 and period[5:].isdigit(), obligation.cadence.first
        return Author.of(
            self.plan, self.seed, conduct.org, obligation.id, period, int(period[5:]) if is_month else arrival.month,
            months_on=ordinal(period) - ordinal(first) if is_month and first else 0, persons=self._persons_below(conduct.org),
            is_careless=behaviour.writes_filler(conduct, obligation.id, period, self.seed))

    def _persons_below(self, organisation: str) -> int:
        """How many people live in an organisation's area."""
        parents = {org.code: org.parent for org in self.plan.organisations}

        def within(code: str | None) -> bool:
            while code is not None and code != organisation:
                code = parents.get(code)
            return code is not None

        return self.place.scaled(sum(size.persons for code, size in self.place.config.townships.items() if within(code)))

    def _written(self, key: tuple[str, str, str]) -> tuple[Author, tuple[Section, ...]]:
        return self._authors[key], self.plan.item("obligations", key[0]).content

    def _slip(self, key: tuple[str, str, str, bool]) -> Slip | None:
        """What is wrong with a careless unit's first form: its first part is missing, or says what it said last month."""
        item, organisation, period, is_faulty = key
        part = next((part for part in self.plan.item("obligations", item).content if part.required), None)
        if not is_faulty or part is None:
            return None
        return Slip(part.id, repeats=part.kind == "text" and self._authors[key[:3]].months_on > 0 and behaviour.repeats_last_text(
            self.conduct[organisation], item, period, self.seed))

    def hand_in(self, item: str, organisation: str, period: str, at: datetime, *, is_faulty: bool) -> None:
        """Hands the filled form in; nothing if none was issued."""
        key = (item, organisation, period, is_faulty)
        self._expected.discard(key)
        with transaction() as tx:
            issued = documents.latest(tx, self.plan.id, f"form:{item}", period, organisation)
        if issued is None:
            return
        source = Path(issued["path"])
        target = self._returned(organisation, f"{source.stem}{'_初次' if is_faulty else ''}.xlsx")
        sha256, drafting = self._drafts.pop(key, ("", None))
        if drafting is not None and sha256 == issued["sha256"]:
            drafting.result()
            self._draft(key).replace(target)
        else:  # issued anew since, or a rehearsal taken up again
            fill_form(source, target, *self._written(key[:3]), self._slip(key))
        self._arrive(target, at)

    def _returned(self, organisation: str, name: str) -> Path:
        place = self.root / "returns" / organisation
        place.mkdir(parents=True, exist_ok=True)
        return place / name

    @staticmethod
    def _arrive(path: Path, at: datetime) -> None:
        """The workbook is complete; it arrives at ``at``."""
        os.utime(path, (at.timestamp(), at.timestamp()))
        if path.suffix == ".part":
            path.replace(path.with_suffix(""))

    def working_months(self) -> list[date]:
        """The months in which rosters are worked: those of the phases made for it (C14, L9, G15)."""
        return behaviour.working_months(self.plan)

    def work_rosters(self, at: datetime) -> None:
        """Every owner works part of its latest roster and hands the workbook back the same day."""
        before = previous_month(f"{at:%Y-%m}")
        if self.place.period > before:
            return  # a resumed rehearsal: these visits were made, and the month has passed
        self._fill_rosters(self._place_of(before), at)
        self._keep()
        for _, target, filling in self._rosters.values():
            if filling.result():
                self._arrive(target, at)
        self._rosters.clear()

    def begin_rosters(self, at: datetime) -> None:
        """Owners begin to write down what they will hand in at ``at``. The visits themselves are made then: this looks
        at a copy of the place."""
        if self.place.period == previous_month(f"{at:%Y-%m}"):
            self._fill_rosters(Place.load(self.root / "world" / self.place.period), at)

    def _fill_rosters(self, place: Place, at: datetime) -> None:
        with transaction() as tx:
            latest = {row["organisation"]: row["path"] for row in documents.all_of(tx, self.plan.id, "roster")}
        for organisation, path in latest.items():
            source = Path(path)
            answers = self._answers(place, organisation, source, at.date())
            begun = self._rosters.get(organisation)
            if begun is not None and begun[0] == path:
                continue
            if begun is not None:
                begun[2].result()  # a newer roster has come: what was begun is thrown away
                begun[1].unlink(missing_ok=True)
            target = self._returned(organisation, f"{source.stem}_反馈_{at:%Y-%m}.xlsx.part")
            self._rosters[organisation] = path, target, workers.submit(fill_roster, source, target, answers)

    def _answers(self, place: Place, organisation: str, roster: Path, day: date) -> dict[str, Answer]:
        conduct = self.conduct.get(organisation) or Conduct(organisation, "punctual")
        lists = {entry.name: entry for entry in self.plan.lists}
        by_list: dict[str, dict[str, str]] = defaultdict(dict)
        for task in read_tasks(roster):
            by_list[task.list_name][task.subject_number] = task.finding_id
        answers: dict[str, Answer] = {}
        for name, tasks in by_list.items():
            entry = lists[name]
            chosen = behaviour.plan_visits(conduct, entry.id, list(tasks), place.period, self.seed)
            ask = {"person": place.visit, "employer": place.visit_employers, "project": place.visit_projects}[entry.subject]
            for visit in ask(organisation, entry.id, chosen, place.period) if chosen else ():
                answers[tasks[visit.id_number]] = self._answer(visit, day)
        return answers

    def _answer(self, visit: Visit, day: date) -> Answer:
        found = self.plan.item("dispositions", visit.disposition_code)
        note = visit.note or ("见走访记录" if found.needs_note else "")
        return Answer(found.name, note, day if found.claims else None, "演练核查岗", day)

    # --- for the summary ---------------------------------------------------------------------------------

    def silent_example(self) -> list[tuple[str, str, str]]:
        """(organisation, obligation, period): the first monthly report that each silent organisation never sent."""
        monthly = next((entry for entry in self.plan.obligations if entry.form == "monthly_report"), None)
        if monthly is None or monthly.cadence.first is None:
            return []
        return [(code, monthly.id, monthly.cadence.first) for code, conduct in self.conduct.items()
                if conduct.manner == "silent"]


@lru_cache(maxsize=1)
def _kept(place: Path) -> Place:
    return Place.load(place)


def export(kept: Path, outgoing: Path, feed: str, provider: str) -> Path:
    """Writes one department's file of a month from the place as it was kept."""
    place = _kept(kept)
    path, = place.write_feeds(place.plan, place.period, outgoing, [feed], provider)
    return path


def _rename_header(path: Path, header: str, wrong: str) -> None:
    """A careless export: a required column under a name nobody knows."""
    if path.suffix == ".csv":
        content = path.read_bytes()
        for encoding in ("utf-8", "gb18030"):
            if header.encode(encoding) in content.splitlines()[0]:
                path.write_bytes(content.replace(header.encode(encoding), wrong.encode(encoding), 1))
                return
        return
    book = load_workbook(path)
    for row in book.worksheets[0].iter_rows(max_row=8):
        for cell in row:
            if cell.value == header:
                cell.value = wrong
    book.save(path)


