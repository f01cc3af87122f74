"""Data contracts: everything there is to say of a feed, once: what its file must hold, what it tells of whom, in which words a
clerk is told so, and how a made-up place fills it. Read from ``expectations/contracts/<feed>.yaml``; a site's own stand in its
plan, or beside it in ``feeds/``.

A contract names every column that is kept, how departments head it, its type, which rule needs it and whether it is
personal (PIPL art. 6: a column that no rule uses is not kept), the spellings of each code, and what is expected of a
file as a whole. Columns that many feeds share are described once in ``vocabulary.yaml``; a contract refers to them
by ``as:``. Codes and thresholds differ from place to place: they are data here, never conditions in code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from models.errors import CanbaoError
from models.schema import Expression, Share, Slug, Strict, Text

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HERE = Path(__file__).resolve().parents[1] / "expectations"
CONTRACTS = HERE / "contracts"
VOCABULARY = HERE / "vocabulary.yaml"

ColumnType = Literal[
    "id", "uscc", "name", "text", "code", "slug", "date", "month", "amount", "number", "int", "org",
]
Severity = Literal["return", "warn"]
FaultName = Literal[
    "lost_digits", "swapped_name_and_id", "blank_key", "shifted_columns", "file_name_count", "control_total",
    "two_names", "unassigned", "wrong_phone", "shared_phone", "amount_total", "shrink", "drift", "filled_drift", "same_content", "same_file",
    "other_feed", "other_period", "next_period", "other_county", "unclear_part",
]
ExpectationKind = Literal["completeness", "validity", "uniqueness", "cross_column"]


class Column(Strict):
    """One kept column.

    ``label`` is what it is called towards the sender. ``on_fault`` says what becomes of a row whose cell is blank or
    unreadable: ``quarantine`` (the default of required columns) or ``blank`` (the cell is emptied and counted).
    ``from_id`` names what of it the citizen number proves: the number wins over a cell that differs (domain.md 24-25).
    ``holds_certificate``: the cell may be a disability certificate, whose first 18 characters are the citizen number
    (domain.md 19). ``is_phone``: the cell is a telephone number (domain.md 38). ``stands_in`` names the column whose
    header serves where this one has none.
    """

    type: ColumnType
    label: Text
    why: Text
    required: bool = False
    personal: bool = False
    aliases: tuple[Text, ...] = ()
    codes: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    on_fault: Literal["quarantine", "blank"] | None = None
    from_id: Literal["sex", "birth_date"] | None = None
    holds_certificate: bool = False
    is_phone: bool = False
    stands_in: Slug | None = None
    organisation_kinds: tuple[Slug, ...] = ()
    address: Slug | None = None

    @field_validator("codes", mode="before")
    @classmethod
    def _codes_as_text(cls, codes: dict[Any, Any]) -> dict[str, Any]:
        """YAML reads ``[1, 2]`` as numbers, which a file never does, and ``yes`` as a truth value, which is refused."""
        if any(isinstance(word, bool) for code, spellings in codes.items() for word in (code, *spellings)):
            raise ValueError("quote yes, no, true and false: YAML reads them as truth values")
        return {str(code): tuple(str(spelling) for spelling in spellings) for code, spellings in codes.items()}

    @field_validator("codes")
    @classmethod
    def _spellings_are_unambiguous(cls, codes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        meant: dict[str, str] = {}
        for code, spellings in codes.items():
            for spelling in spellings:
                if meant.setdefault(header_key(spelling), code) != code:
                    raise ValueError(f"the spelling {spelling!r} means both {meant[header_key(spelling)]} and {code}")
        return codes

    @model_validator(mode="after")
    def _type_agrees(self) -> Column:
        if self.type == "code" and not self.codes:
            raise ValueError("a column of type `code` lists its spellings under `codes`")
        if self.codes and self.type not in ("code", "slug"):
            raise ValueError(f"`codes` belong to the types code and slug, not {self.type}")
        if (self.type == "org") != bool(self.organisation_kinds):
            raise ValueError("`organisation_kinds` belongs to columns of type org, and these need it")
        return self

    @property
    def fault_quarantines(self) -> bool:
        """Whether a row with a blank or unreadable cell here is quarantined. An unknown township is not, unless the
        contract says so: its row goes to the unassigned pool."""
        if self.on_fault is None:
            return self.required and self.type != "org"
        return self.on_fault == "quarantine"


class Expectation(Strict):
    """One expectation of the file as a whole, judged by Great Expectations on cell states, never on persons.

    ``completeness``: the share of filled cells; ``validity``: of readable ones among the filled; ``uniqueness``: of
    rows whose key stands once; ``cross_column``: of rows for which the SQL expression ``holds`` is true (a row for
    which it is null does not count). ``at_least`` is that share.
    """

    id: Slug
    kind: ExpectationKind
    column: Slug | None = None
    holds: Text | None = None
    at_least: Share
    severity: Severity
    says: Text | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Expectation:
        if (self.column is not None) != (self.kind in ("completeness", "validity")):
            raise ValueError(f"`column` belongs to completeness and validity, not {self.kind}, and these need it")
        if (self.holds is not None) != (self.kind == "cross_column"):
            raise ValueError("`holds` belongs to cross_column, and it needs it")
        if self.kind == "cross_column" and self.says is None:
            raise ValueError("a cross_column expectation says in Chinese what is wrong (`says`)")
        return self


class FileFault(Strict):
    """A fault of the file as a whole: from which share (or, for counts, difference) on, what follows, what the sender
    is told and how it is mended.

    ``above`` is absent where the plan sets the bound (shrink) or there is none (the same file again). Files of fewer
    than ``least_rows`` rows are not judged by it: small registers stand still, or jump, without a fault. ``waivable``:
    a named post may accept the file all the same, once the department has confirmed that it is right.
    """

    above: Annotated[float, Field(ge=0)] | None = None
    severity: Severity
    says: Text
    cure: Text
    least_rows: Annotated[int, Field(ge=0)] = 0
    waivable: bool = False


class Identity(Strict):
    """Which column says who or what a row is about. Without own shares the plan's gates judge it."""

    column: Slug
    return_below: Share | None = None
    warn_below: Share | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Identity:
        if (self.return_below is None) != (self.warn_below is None):
            raise ValueError("give both `return_below` and `warn_below`, or neither (the plan's gates then judge)")
        return self


LISTED = "listed"
"""A flag that is up for whoever has a row that counts."""
FACT_KINDS: dict[str, str] = {
    "flag": "BOOLEAN", "text": "VARCHAR", "code": "VARCHAR", "month": "VARCHAR", "date": "DATE", "number": "DOUBLE"}
"""What a feed can tell, and the type of the profile's column. A whole number or a code of digits is an INTEGER."""
COLUMN_TYPES: dict[ColumnType, str] = {
    "id": "VARCHAR", "uscc": "VARCHAR", "name": "VARCHAR", "text": "VARCHAR", "code": "VARCHAR", "slug": "VARCHAR",
    "date": "DATE", "month": "VARCHAR", "amount": "DOUBLE", "number": "DOUBLE", "int": "BIGINT", "org": "VARCHAR",
}
"""How a column of a snapshot is typed."""


class Fact(Strict):
    """One thing that a feed tells the profile about its subject: the column of that name.

    Exactly one of the kinds is given: ``flag`` (``listed``: whoever has a row that counts; or a condition over the feed's
    columns), or the column of the feed that holds the ``text``, ``code``, ``month``, ``date`` or ``number``. ``words`` is how a
    code is written in evidence.
    """

    meaning: Text
    flag: Expression | None = None
    text: Slug | None = None
    code: Slug | None = None
    month: Slug | None = None
    date: Slug | None = None
    number: Slug | None = None
    words: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> Fact:
        given = [kind for kind in FACT_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(f'`{kind}`' for kind in FACT_KINDS)} (given: {', '.join(given) or 'none'})")
        if self.words and self.code is None:
            raise ValueError("`words` belong to a `code`")
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(kind for kind in FACT_KINDS if getattr(self, kind) is not None)

    @property
    def column(self) -> str | None:
        """The feed's column that holds it; None for a flag."""
        return None if self.kind == "flag" else str(getattr(self, self.kind))


class Scheme(Strict):
    """The feed is the register of an insurance scheme, one row per insured person: it gives the profile status, whether it is
    active, first enrolment, last month paid, months unpaid. ``covers`` counts it among the pensions or the medical schemes;
    ``through_employer``: its rows name the employer who pays."""

    covers: Literal["pension", "medical", "other"] = "other"
    through_employer: bool = False


class Statement(Strict):
    """One sentence of evidence that a clerk can check: ``says`` it where the condition ``when`` over the profile holds.

    ``{column}`` is the column's value, as its fact's ``words`` or those named behind ``|`` say it. With ``lists`` it stands in the
    evidence of these lists only, and of such lists as no sentence names and whose condition asks what ``when`` asks; without, in
    that of every list. ``rank`` is its place among the sentences, the feed's own if left out; ``about`` the subject, if not the feed's.
    """

    when: Expression
    says: Text
    lists: tuple[Slug, ...] = ()
    about: Slug | None = None
    rank: int | None = None


class MadeUpCell(Strict):
    """How a made-up place fills a column: the department's own ``header``, and a source of cells of ``rehearsal.cells`` (``cell``)
    with what it needs. ``written``: how each code is spelled, by its number in the place; ``among``: one of these texts by
    chance; ``least``, ``most``: a whole number, or so many days before the month's end."""

    header: Text
    cell: Slug
    written: tuple[str, ...] = ()
    among: tuple[Text, ...] = ()
    least: int = 0
    most: int = 0


class MadeUp(Strict):
    """How a made-up place fills the feed. ``rows`` is a source of ``rehearsal.cells``: who or what stands in it; of these a
    ``share`` by chance, of which another part every month, so that all have changed after ``changes_in_months``. The rest is
    the file's shape as the department's system exports it."""

    rows: Slug
    share: Share = 1
    changes_in_months: Annotated[int, Field(ge=1, le=1200)] = 60
    form: Literal["csv", "xlsx"] = "xlsx"
    encoding: Literal["gb18030", "utf-8", "utf-8-sig"] = "gb18030"
    titles: Annotated[int, Field(ge=0, le=3)] = 1
    numbered: bool = False
    footer: bool = False
    dates: Text = "%Y-%m-%d"
    months: str = "-"
    columns: dict[Slug, MadeUpCell] = Field(min_length=1)


class Contract(Strict):
    """One feed's contract. ``key`` is what makes a row the same row again; a blank in it is a value of its own.
    ``known_as``: words by which titles and file names tell this feed from the others. ``rank`` is its place among the feeds,
    in the profile and in evidence; a site's own come last.

    ``tells`` is what it gives the profile, a ``scheme`` its columns besides. Only rows for which ``counts_if`` holds tell
    anything, and with ``newest`` only those of the latest month in that column (or without one); of several rows of one
    subject the first by ``strongest_first`` speaks.
    """

    feed: Slug
    name: Text
    subject: Literal["person", "employer", "project", "statistic"]
    source: Text
    known_as: tuple[Text, ...] = Field(min_length=1)
    key: tuple[Slug, ...] = Field(min_length=1)
    rank: int = 1000
    scheme: Scheme | None = None
    tells: dict[Slug, Fact] = Field(default_factory=dict)
    counts_if: Expression | None = None
    newest: Slug | None = None
    strongest_first: Expression | None = None
    evidence: tuple[Statement, ...] = ()
    made_up: MadeUp | None = None
    identity: Identity | None = None
    columns: dict[Slug, Column] = Field(min_length=1)
    expectations: tuple[Expectation, ...] = ()
    faults: dict[FaultName, FileFault] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _refers_to_its_own_columns(self) -> Contract:
        named = [*self.key, *(e.column for e in self.expectations if e.column)]
        named += [column.stands_in for column in self.columns.values() if column.stands_in]
        named += [column.address for column in self.columns.values() if column.address]
        named += [fact.column for fact in self.tells.values() if fact.column] + ([self.newest] if self.newest else [])
        if self.identity:
            named.append(self.identity.column)
        unknown = sorted(set(named) - set(self.columns))
        if unknown:
            raise ValueError(f"names columns it does not have: {', '.join(unknown)}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _completed_from_vocabulary(cls, stated: Any) -> Any:
        """Takes over what all contracts share: columns referred to by ``as``, and faults of the file as a whole."""
        if not isinstance(stated, dict) or not isinstance(stated.get("columns"), dict):
            return stated
        return _completed(stated, vocabulary())

    @model_validator(mode="after")
    def _tells_whom_it_knows(self) -> Contract:
        if (self.tells or self.scheme) and self.subject == "statistic":
            raise ValueError("a feed of statistics is about no subject: drop `tells` and `scheme`")
        if self.scheme and not {"status", "enrolled_on", "last_paid_month"} <= set(self.columns):
            raise ValueError("the register of a scheme needs the columns status, enrolled_on and last_paid_month")
        needs = {"person": "id_number", "employer": "credit_code", "project": "permit_no"}
        if self.tells and needs[self.subject] not in self.columns:
            raise ValueError(f"who is told of is known by the column {needs[self.subject]}, which it does not have")
        return self

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Contract:
        ids = [expectation.id for expectation in self.expectations]
        if len(ids) != len(set(ids)) or set(ids) & set(self.columns):
            raise ValueError("expectation ids stand once and differ from column names")
        return self

    @model_validator(mode="after")
    def _headers_are_unambiguous(self) -> Contract:
        owner: dict[str, str] = {}
        for name, header in self._all_headers():
            if owner.setdefault(header, name) != name:
                raise ValueError(f"the header {header!r} belongs to both {owner[header]} and {name}")
        return self

    def _all_headers(self) -> Iterator[tuple[str, str]]:
        for name, column in self.columns.items():
            for alias in (name, column.label, *column.aliases):
                yield name, header_key(alias)

    @cached_property
    def headers(self) -> dict[str, tuple[str, int]]:
        """Header key to (column, rank): of two headers for one column the one listed earlier wins."""
        ranked: dict[str, tuple[str, int]] = {}
        for rank, (name, header) in enumerate(self._all_headers()):
            ranked.setdefault(header, (name, rank))
        return ranked

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which a file is returned."""
        return tuple(name for name, column in self.columns.items() if column.required)

    @property
    def names_persons(self) -> bool:
        """Whether every row is about a person with a citizen number."""
        return self.identity is not None and self.identity.column == "id_number"

    def of_type(self, *types: ColumnType) -> tuple[str, ...]:
        """Names of the columns of these types, in the contract's order."""
        return tuple(name for name, column in self.columns.items() if column.type in types)


_BRACKETED = re.compile(r"[(\[【〔（].*?[)\]】〕）]")
_NOT_IN_HEADERS = re.compile(r"[\s*:：'\"“”·、,，。_\-—/\\\u200b-\u200f\ufeff]+")


def header_key(text: str) -> str:
    """What of a header decides: width, case, spaces, stars, colons and bracketed remarks do not."""
    plain = unicodedata.normalize("NFKC", text).upper()
    without = _BRACKETED.sub("", plain)
    return _NOT_IN_HEADERS.sub("", without or plain)


def for_feed(name: str, own: Sequence[Contract] = ()) -> Contract:
    """The contract of a feed: one of a plan's ``own``, else one that ships. Raises CanbaoError for an unknown feed, saying which
    there are, or a bad contract."""
    found = next((entry for entry in own if entry.feed == name), None) or shipped().get(name)
    if found is None:
        known = ", ".join(sorted({*shipped(), *(entry.feed for entry in own)}))
        raise CanbaoError(f"there is no feed {name!r}.", cure=f"The feeds are {known}. A site's own stand in feeds/ beside its plan.")
    return found


def all(own: Sequence[Contract] = ()) -> tuple[Contract, ...]:
    """Every contract that ships, and a plan's own, by feed name."""
    return tuple(sorted((*shipped().values(), *own), key=lambda entry: entry.feed))


def ranked(own: Sequence[Contract] = ()) -> tuple[Contract, ...]:
    """Every contract in the order in which profile and evidence have them."""
    return tuple(sorted((*shipped().values(), *own), key=lambda entry: (entry.rank, entry.feed)))


@cache
def shipped() -> dict[str, Contract]:
    """The contracts that ship, by feed."""
    return {path.stem: read_contract(path) for path in sorted(CONTRACTS.glob("*.yaml"))}


def read_contract(path: Path) -> Contract:
    """The contract in a file, completed from the vocabulary. Raises CanbaoError naming every fault with its place."""
    try:
        stated = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        return Contract.model_validate(stated)
    except ValidationError as refusal:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in refusal.errors())
        raise CanbaoError(f"the contract is unsound: {faults}.", where=str(path)) from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as refusal:
        raise CanbaoError(f"the contract cannot be read: {refusal}.", where=str(path)) from None


@cache
def vocabulary() -> dict[str, Any]:
    """What all contracts share: columns, file faults, bounds of dates and limits of reading."""
    words: dict[str, Any] = yaml.load(VOCABULARY.read_text(encoding="utf-8"), Loader=_LOADER)
    return words


def _completed(stated: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """A contract with what it takes over from the vocabulary: shared columns, and file faults it does not restate."""
    columns = {
        name: _completed_column(name, column or {}, words["columns"])
        for name, column in (stated.get("columns") or {}).items()
    }
    own = stated.get("faults") or {}
    faults = {
        name: {**words["faults"][name], **own.get(name, {})} for name in _applicable(columns, words["faults"])
    }
    return {**stated, "columns": columns, "faults": {**own, **faults}}


def _completed_column(name: str, column: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Own words first: own aliases stand before the shared ones, every other own key replaces the shared one."""
    if "as" not in column:
        return column
    entry = column["as"]
    if entry not in shared:
        raise ValueError(f"column {name}: nothing shared is called {entry!r}; use {', '.join(sorted(shared))}")
    base = shared[entry]
    own = {key: value for key, value in column.items() if key != "as"}
    aliases = [*own.get("aliases", []), *base.get("aliases", [])]
    return {**base, **own, "aliases": list(dict.fromkeys(aliases))}


def _applicable(columns: dict[str, dict[str, Any]], faults: Iterable[str]) -> list[str]:
    """Faults about citizen numbers belong to feeds that must have them, those about telephones to feeds that have any;
    the others to every feed."""
    about_numbers = {"lost_digits", "swapped_name_and_id", "two_names", "other_county"}
    id_number = columns.get("id_number", {})
    has_number = id_number.get("type") == "id" and bool(id_number.get("required"))
    has_phone = any(column.get("is_phone") for column in columns.values())
    return [
        name for name in faults
        if (has_number or name not in about_numbers) and (has_phone or not name.endswith("_phone"))
    ]
