"""Expressions: the boolean (for sums: numeric) SQL by which a plan defines categories, lists, owners and indicators.

An expression asks one row of the documented profile (``models.profile``) and nothing else: no other row, no table, no
file, no clock. Hence an allow-list of what may stand in it, not a list of what may not. What passes is answered by
DuckDB for a made-up row of the same columns, so that a plan that starts does not fail in its first comparison.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import duckdb
from sqlglot import exp, parse, tokenize
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from comparison.evidence import PLACE
from models import contract as contracts
from models.contract import COLUMN_TYPES, LISTED
from models.errors import CanbaoError, Fault, harmless
from models.machine import small_database
from models.plan import Indicator, Measure, Number, OwnerCase, Plan
from models.profile import SUBJECTS, Column, profiles, told_by
from rules.plan_ground import nearest, place

DIALECT = "duckdb"
LENGTH_LIMIT = 4000
"""An expression that people can answer for fits on a page; the parser's depth grows with the length."""

ALLOWED_FUNCTIONS: dict[str, type[exp.Expression]] = {
    "coalesce": exp.Coalesce, "nullif": exp.Nullif, "if": exp.If,
    "least": exp.Least, "greatest": exp.Greatest, "abs": exp.Abs, "round": exp.Round, "floor": exp.Floor,
    "ceil": exp.Ceil,
    "length": exp.Length, "lower": exp.Lower, "upper": exp.Upper, "trim": exp.Trim, "left": exp.Left,
    "right": exp.Right, "substring": exp.Substring, "starts_with": exp.StartsWith, "contains": exp.Contains,
    "regexp_matches": exp.RegexpLike,
    "year": exp.Year, "month": exp.Month, "day": exp.Day, "extract": exp.Extract, "date_diff": exp.DateDiff,
    "strftime": exp.TimeToStr,
}
"""What a plan may call. Each looks at its arguments alone and is known to Spark too (design.md, decision 5)."""

_ALLOWED_NODES: frozenset[type[exp.Expression]] = frozenset({
    exp.Literal, exp.Boolean, exp.Null, exp.Column, exp.Identifier, exp.Placeholder, exp.Paren, exp.Var, exp.Tuple,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.Escape, exp.DPipe,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Interval, exp.Case, exp.If,
    exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, *ALLOWED_FUNCTIONS.values(),
})
_CLOCKS = frozenset({"now", "today", "get_current_timestamp", "transaction_timestamp"})
"""Functions that the parser does not know as a clock."""
_MADE_UP_TEXT = "字"
"""Neither a number nor a date: a column of texts that is read as one of these must fail here."""
_SOME = {
    "VARCHAR": f"'{_MADE_UP_TEXT}'", "BOOLEAN": "true", "INTEGER": "1", "DOUBLE": "1.0", "DATE": "DATE '2021-05-31'",
}
_ZEROS = _SOME | {"BOOLEAN": "false", "INTEGER": "0", "DOUBLE": "0.0"}
_NOTHING = dict.fromkeys(_SOME, "NULL")
_NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))")
_LITERAL_OF_ORGANISATION = (exp.EQ, exp.NEQ, exp.In, exp.NullSafeEQ, exp.NullSafeNEQ)

Tables = Mapping[str, Mapping[str, Column]]
"""What expressions may ask: columns by name, by profile."""
Answer = Literal["boolean", "number", "anything"]


@dataclass(frozen=True)
class Use:
    """One expression at its place: about which subject, what it must answer, and whether categories exist yet."""

    where: str
    text: str
    subject: str
    answer: Answer = "boolean"
    knows_category: bool = True


def faults(plan: Plan) -> list[Fault]:
    """Every fault of every expression of the plan and of its own contracts, of the columns it names as owners, and of feeds without
    a contract. Opens one DuckDB connection in memory; nothing is read."""
    found = [*_feed_faults(plan), *_contract_faults(plan)]
    if found:
        return found  # the profile itself is in doubt: what asks it cannot be judged
    tables = documented(plan)
    found = list(_column_faults(plan, tables))
    with duckdb.connect(":memory:", config={**small_database(), "enable_external_access": "false"}) as connection:
        for subject, columns in tables.items():
            connection.execute(_made_up(subject, tuple(columns.values())))
        for use in (*uses_of_contracts(plan), *uses(plan)):
            found += _faults_of(use, plan, tables, connection)
    return [replace(fault, what=harmless(fault.what), cure=harmless(fault.cure)) for fault in found]


def documented(plan: Plan) -> dict[str, dict[str, Column]]:
    """What expressions may ask: each profile's columns, and under ``feed:<name>`` those of a feed of the plan's own."""
    tables = {subject: {column.name: column for column in columns} for subject, columns in profiles(plan.contracts).items()}
    return tables | {f"feed:{entry.feed}": {name: Column(name, _TYPE_OF.get(COLUMN_TYPES[column.type], COLUMN_TYPES[column.type]), column.label)
                                           for name, column in entry.columns.items()} for entry in plan.contracts}


_TYPE_OF = {"BIGINT": "INTEGER"}


def _feed_faults(plan: Plan) -> Iterator[Fault]:
    known = [*contracts.shipped(), *(entry.feed for entry in plan.contracts)]
    for index, feed in enumerate(plan.feeds):
        if feed.feed not in known:
            yield Fault(place("feeds", index, feed.feed, "feed"), f"no contract says what the feed `{feed.feed}` holds.", nearest(
                feed.feed, known, f"Describe it in feeds/{feed.feed}.yaml beside the plan (docs/plan.md), or name one that ships."))


_TAKEN = frozenset({
    "people", "units", "unit_keys", "links", "findings", "resolved", "identity_cases", "identity_candidates", "balance", "content",
    "person_profile", "employer_profile", "project_profile", "told", "coded", "known", "named", "cores", "uncoded", "candidates", "settled",
    "apart", "many", "extra", "rows", "registered", "local", "standing", "facts", "joined", "sound", "unlisted", "doubtful"})
"""Names that the comparison's own tables bear."""


def _contract_faults(plan: Plan) -> Iterator[Fault]:
    """Whether a plan's own contracts get along with those that ship, with each other, and with the profile."""
    feeds: set[str] = set(contracts.shipped()) | _TAKEN
    columns = {subject: {column.name: "the profile" for column in known} for subject, known in SUBJECTS.items()}
    for index, entry in enumerate(plan.contracts):
        where = place("contracts", index, entry.feed)
        if entry.feed in feeds:
            yield Fault(f"{where}.feed", f"`{entry.feed}` is the name of another feed or of a table of the comparison.",
                        "Give it a name of its own.")
        feeds.add(entry.feed)
        if entry.subject == "statistic":
            continue
        for column in told_by(entry):
            holder = columns[entry.subject].setdefault(column.name, entry.feed)
            if holder != entry.feed:
                yield Fault(f"{where}.tells.{column.name}" if column.name in entry.tells else f"{where}.scheme",
                            f"`{column.name}` is a column already, from {holder}.", "Call it otherwise.")


def uses_of_contracts(plan: Plan) -> Iterator[Use]:
    """Every expression of the plan's own contracts: over the feed's columns, and, for evidence, over the profile."""
    for index, entry in enumerate(plan.contracts):
        where, table = place("contracts", index, entry.feed), f"feed:{entry.feed}"
        if entry.counts_if:
            yield Use(f"{where}.counts_if", entry.counts_if.replace("$period_end", "DATE '2021-05-31'"), table)
        for name, fact in entry.tells.items():
            if fact.flag not in (None, LISTED):
                yield Use(f"{where}.tells.{name}.flag", str(fact.flag), table)
        for number, statement in enumerate(entry.evidence):
            subject = statement.about or entry.subject
            yield Use(f"{where}.evidence[{number}].when", statement.when, subject)
            for found in PLACE.finditer(statement.says):
                yield Use(f"{where}.evidence[{number}].says", found[1], subject, answer="anything")


def _made_up(subject: str, known: tuple[Column, ...]) -> str:
    """A table of three rows: with a value in each column, with zeros, and with nothing. Bound against an empty table,
    `name = 1`, `birth_date > DATE '2005-13-01'` and a remainder by zero would pass, and fail in the first run."""
    fields = ", ".join(f'"{column.name}" {column.type}' for column in known)
    rows = (", ".join(values[column.type] for column in known) for values in (_SOME, _ZEROS, _NOTHING))
    return f'CREATE TABLE "{subject}" ({fields}); INSERT INTO "{subject}" VALUES ({"), (".join(rows)})'


def render(expression: str, parameters: Mapping[str, Number]) -> str:
    """The expression with every ``$name`` replaced by its value in ``parameters``; all else stays as the plan has it.

    A ``$name`` within quotes is text. Raises CanbaoError for a parameter the plan does not define.
    """
    rendered, end = "", 0
    for start, name in _parameters_in(expression):
        if name not in parameters:
            raise CanbaoError(f"the parameter ${name} is unknown.", where="expression",
                              cure="Define it under `parameters`.")
        value = parameters[name]
        rendered += expression[end:start] + (repr(value) if value >= 0 else f"({value!r})")
        end = start + len(name) + 1
    return rendered + expression[end:]


def parameters_of(plan: Plan) -> dict[str, Number]:
    """The plan's parameters by name, for ``render``."""
    return {name: parameter.value for name, parameter in plan.parameters.items()}


def uses(plan: Plan) -> Iterator[Use]:
    """Every expression of a plan with its place, in the plan's order."""
    for index, indicator in enumerate(plan.indicators):
        where = place("indicators", index, indicator.id)
        yield from _measure(f"{where}.numerator", indicator.numerator)
        if indicator.denominator is not None:
            yield from _measure(f"{where}.denominator", indicator.denominator)
    for index, category in enumerate(plan.categories):
        where = place("categories", index, category.id, "where")
        yield Use(where, category.where, "person", knows_category=False)
    for index, entry in enumerate(plan.lists):
        where = place("lists", index, entry.id)
        yield Use(f"{where}.where", entry.where, entry.subject)
        for word, cases in (("owner", entry.owner), ("co_owners", entry.co_owners)):
            for number, case in enumerate(cases):
                yield Use(f"{where}.{word}[{number}].when", case.when, entry.subject)


def _measure(where: str, measure: Measure) -> Iterator[Use]:
    if measure.where is not None:
        yield Use(f"{where}.where", measure.where, measure.of)
    if measure.sum is not None and measure.statistic is None:
        yield Use(f"{where}.sum", measure.sum, measure.of, answer="number")


# --- columns that name organisations --------------------------------------------------------------------


def _column_faults(plan: Plan, tables: Tables) -> Iterator[Fault]:
    for index, indicator in enumerate(plan.indicators):
        yield from _breakdown(place("indicators", index, indicator.id, "by"), indicator, tables)
    for index, entry in enumerate(plan.lists):
        for word, cases in (("owner", entry.owner), ("co_owners", entry.co_owners)):
            for number, case in enumerate(cases):
                where = place("lists", index, entry.id, f"{word}[{number}].column")
                yield from _owner_column(where, case, entry.subject, tables)


def _breakdown(where: str, indicator: Indicator, tables: Tables) -> Iterator[Fault]:
    """Numerator and denominator are broken down by the same column; a published figure has its region instead."""
    counted = [measure for measure in (indicator.numerator, indicator.denominator) if measure and not measure.statistic]
    for subject in dict.fromkeys(measure.of for measure in counted):
        yield from _organisation_column(where, indicator.by, subject, tables)


def _owner_column(where: str, case: OwnerCase, subject: str, tables: Tables) -> Iterator[Fault]:
    if case.column is not None:
        yield from _organisation_column(where, case.column, subject, tables)


def _organisation_column(where: str, name: str, subject: str, tables: Tables) -> Iterator[Fault]:
    naming = [column.name for column in tables[subject].values() if column.names_organisation]
    if name not in naming:
        what = "names no organisation" if name in tables[subject] else "is no column"
        yield Fault(where, f"`{name}` {what} of the {subject} profile.",
                    f"{nearest(name, naming, '')} Columns that name one: {', '.join(naming)}.".lstrip())


# --- one expression -------------------------------------------------------------------------------------


def _faults_of(use: Use, plan: Plan, tables: Tables, connection: duckdb.DuckDBPyConnection) -> list[Fault]:
    """The faults of one expression; binding is tried only where the text itself is in order."""
    try:
        tree = _parsed(use)
    except _Refused as refused:
        return [refused.fault]
    found = list(_forbidden(use, tree)) or [
        *_unknown_columns(use, tree, tables), *_unknown_parameters(use, plan), *_unknown_literals(use, tree, plan, tables),
        *_fails_on_some_rows(use, tree, tables),
    ]
    return list(dict.fromkeys(found)) or list(_binding(use, plan, connection))


class _Refused(Exception):
    """The text is no single expression."""

    def __init__(self, where: str, what: str, cure: str) -> None:
        self.fault = Fault(where, what, cure)
        super().__init__(what)


def _parsed(use: Use) -> exp.Expression:
    if len(use.text) > LENGTH_LIMIT:
        raise _Refused(use.where, f"the expression has more than {LENGTH_LIMIT} characters.", "Say it in fewer words.")
    try:
        tokens = tokenize(use.text, read=DIALECT)
        statements = parse(use.text, read=DIALECT)
    except (SqlglotError, RecursionError) as error:
        raise _Refused(use.where, f"no valid SQL: {_first_line(error)}.",
                       "Check operators, quotes and brackets.") from None
    if any(token.comments for token in tokens) or _ends_in_comment(use.text, tokens):
        raise _Refused(use.where, "a comment stands in the expression.", "Write it into `note`.")
    tree = statements[0] if len(statements) == 1 else None
    if not isinstance(tree, exp.Expression) or any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise _Refused(use.where, "one expression is expected, not several statements.",
                       "Join conditions by AND or OR.")
    return tree


def _first_line(error: Exception) -> str:
    """The parser's reason without the marks by which it underlines."""
    text = re.sub(r"\x1b\[\d+m", "", str(error)).splitlines()[0] if str(error) else "too deeply nested"
    text = re.sub(r"<Token .*?>", "something else", text)
    return re.sub(r"<class '[\w.]*\.(\w+)'>", r"\1", text).rstrip(" .")


def _ends_in_comment(text: str, tokens: list[Token]) -> bool:
    """A comment without a token after it may belong to none."""
    rest = text[tokens[-1].end + 1:] if tokens else text
    return bool(rest.strip())


def _forbidden(use: Use, tree: exp.Expression) -> Iterator[Fault]:
    for node in tree.walk():
        if type(node) not in _ALLOWED_NODES:
            yield _not_allowed(use, node)
            return
        if isinstance(node, exp.Placeholder) and not node.this:
            yield Fault(use.where, "`?` stands for nothing here.", "Write `$name` for a parameter of the plan.")
        if isinstance(node, exp.Column) and node.table:
            yield Fault(use.where, f"`{node.sql()}`: columns stand alone.", f"Write `{node.name}`.")


def _not_allowed(use: Use, node: exp.Expr) -> Fault:
    is_clock = isinstance(node, exp.Anonymous) and node.name.lower() in _CLOCKS
    if is_clock or isinstance(node, exp.CurrentDate | exp.CurrentTime | exp.CurrentTimestamp | exp.Localtimestamp):
        return Fault(use.where, "an expression asks no clock.",
                     "The profile is as of the period's end: use its ages and months.")
    if not isinstance(node, exp.Func | exp.Window) or isinstance(node, exp.Exists):
        return Fault(use.where, "an expression asks one row; it cannot select, join or change anything.",
                     "Use the profile's own columns, compared by the operators of docs/profile.md.")
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_names()[0]).lower() if isinstance(
        node, exp.Func) else "over"
    close = difflib.get_close_matches(name, ALLOWED_FUNCTIONS, n=1)
    guess = f"Did you mean {close[0]}()? " if close else ""
    return Fault(use.where, f"{name}() cannot be used in a plan.",
                 f"{guess}Functions allowed: {', '.join(sorted(ALLOWED_FUNCTIONS))}.")


def _unknown_columns(use: Use, tree: exp.Expression, tables: Tables) -> Iterator[Fault]:
    known = {name: column for name, column in tables[use.subject].items() if name != "category" or use.knows_category}
    for node in tree.find_all(exp.Column):
        name = node.name.lower()
        if name == "category" and not use.knows_category and use.subject == "person":
            yield Fault(use.where, "a category cannot ask for `category`: it is what is being decided.",
                        "Repeat the condition, or rely on the order: the first that holds takes the person.")
        elif name not in known:
            yield Fault(use.where, f"the {_called(use.subject)} has no column `{node.name}`.",
                        _for_unknown_column(node, known, use.subject, tables))


def _called(table: str) -> str:
    return f"feed {table.removeprefix('feed:')}" if table.startswith("feed:") else f"{table} profile"


def _for_unknown_column(node: exp.Column, known: dict[str, Column], subject: str, tables: Tables) -> str:
    identifier = node.this
    if isinstance(identifier, exp.Identifier) and identifier.quoted:
        return f"A text stands in single quotes: '{node.name}'."
    if subject.startswith("feed:"):
        return nearest(node.name.lower(), list(known), f"Its columns: {', '.join(known)}.")
    elsewhere = [other for other in SUBJECTS if other != subject and node.name.lower() in tables[other]]
    hint = f"It belongs to the {elsewhere[0]} profile; all" if elsewhere else "All"
    return nearest(node.name.lower(), list(known), f"{hint} columns stand in docs/profile.md.")


def _unknown_parameters(use: Use, plan: Plan) -> Iterator[Fault]:
    for _, name in _parameters_in(use.text):
        if name not in plan.parameters:
            yield Fault(use.where, f"the parameter `${name}` is unknown.",
                        nearest(name, list(plan.parameters), "Define it under `parameters`."))


def _parameters_in(text: str) -> Iterator[tuple[int, str]]:
    """Where each ``$name`` begins, and its name; what stands in quotes is no parameter."""
    tokens = tokenize(text, read=DIALECT)
    for mark, word in pairwise(tokens):
        if mark.token_type == TokenType.PARAMETER and mark.text == "$" and word.start == mark.end + 1:
            yield mark.start, word.text


def _unknown_literals(use: Use, tree: exp.Expression, plan: Plan, tables: Tables) -> Iterator[Fault]:
    """A code compared with a column of organisations or with `category` must exist, or the condition never holds."""
    organisations = {column.name for column in tables[use.subject].values() if column.names_organisation}
    for node in tree.find_all(*_LITERAL_OF_ORGANISATION):
        compared = [node.this, node.args.get("expression"), *(node.args.get("expressions") or [])]
        asked = {part.name.lower() for part in compared if isinstance(part, exp.Column)}
        literals = [part.name for part in compared if isinstance(part, exp.Literal) and part.is_string]
        if asked & organisations:
            yield from _undefined(use, "organisation", literals, [org.code for org in plan.organisations])
        elif "category" in asked and use.knows_category:
            yield from _undefined(use, "category", literals, [category.id for category in plan.categories])


def _undefined(use: Use, kind: str, literals: list[str], known: list[str]) -> Iterator[Fault]:
    for name in literals:
        if name not in known:
            yield Fault(use.where, f"the plan has no {kind} '{name}': this never holds.",
                        nearest(name, known, f"Define it, or name one of: {', '.join(known[:5])}."))


def _fails_on_some_rows(use: Use, tree: exp.Expression, tables: Tables) -> Iterator[Fault]:
    """What one row of a register, written otherwise than the rest, would stop: and with it the whole run."""
    known = tables[use.subject]
    for cast in tree.find_all(exp.Cast):
        inner = cast.this
        column = known.get(inner.name.lower()) if isinstance(inner, exp.Column) else None
        is_typed = column is not None and column.type != "VARCHAR"
        is_given = isinstance(inner, exp.Literal | exp.Neg | exp.Placeholder)
        if type(cast) is exp.Cast and not (is_typed or is_given or cast.to.is_type("text", "varchar")):
            yield Fault(use.where, f"`{cast.sql(dialect=DIALECT)}` fails on the first value that does not fit.",
                        "Use TRY_CAST, or a column that has the type already.")
    for matches in tree.find_all(exp.RegexpLike):
        if not isinstance(matches.expression, exp.Literal):
            yield Fault(use.where, "a pattern taken from the rows fails on the first that is none.",
                        "Write the pattern in single quotes.")


def _binding(use: Use, plan: Plan, connection: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    """Whether DuckDB understands the expression and gives the right kind of answer."""
    try:
        values = {name: parameter.value for name, parameter in plan.parameters.items()}
        statement = f'SELECT ({render(use.text, values)}) AS answer FROM "{use.subject}"'
        answer = str(connection.execute(statement).description[0][1])
    except duckdb.Error as error:
        yield Fault(use.where, f"the types do not fit: {_duckdb_reason(error)}.",
                    "Compare like with like: see the column's type in docs/profile.md.")
        return
    if use.answer == "boolean" and answer != "BOOLEAN":
        yield Fault(use.where, f"answers {_words_for(answer)}, but must answer yes or no.",
                    "Compare it with something, for example `> 0` or `IS NOT NULL`.")
    if use.answer == "number" and not _NUMERIC.fullmatch(answer):
        yield Fault(use.where, f"answers {_words_for(answer)}, but a sum needs a number.", "Name a column of figures.")


def _duckdb_reason(error: duckdb.Error) -> str:
    """DuckDB's first line without its own prefix, and without the made-up text."""
    line = str(error).splitlines()[0]
    if f"'{_MADE_UP_TEXT}'" in line:
        return "a column of texts is read as a number or a date"
    return re.sub(r"^[\w ]+ Error: ", "", line).rstrip(" .")


def _words_for(answer: str) -> str:
    return {"VARCHAR": "a text", "DATE": "a date", "BOOLEAN": "yes or no"}.get(
        answer, "a number" if _NUMERIC.fullmatch(answer) else f"a value of type {answer}")


# --- docs/profile.md ------------------------------------------------------------------------------------


def profile_markdown() -> str:
    """The text of ``docs/profile.md``: what expressions may ask, made from the profile and the allow-list."""
    return "\n".join([_PREFACE, *(_section(subject, documented) for subject, documented in SUBJECTS.items())])


def _section(subject: str, documented: tuple[Column, ...]) -> str:
    rows = [f"| `{column.name}` | {column.type} | {_meaning(column)} |" for column in documented]
    return "\n".join([f"## {subject}", "", "| column | type | meaning |", "|---|---|---|", *rows, ""])


def _meaning(column: Column) -> str:
    return column.meaning + (" → organisation" if column.names_organisation else "")


_PREFACE = f"""# The profile

What a plan's expressions may ask. One row is everything the registers say about one person, employer or project as of
the last day of a period. This page is made from `models/profile.py` and `comparison/expressions.py`; a test holds it
to them.

## How to write an expression

- One condition over the columns below, in SQL: `AND`, `OR`, `NOT`, `=`, `<>`, `<`, `>`, `BETWEEN`, `IN`, `LIKE`,
  `IS NULL`, `IS NOT TRUE`, `CASE`. Texts stand in single quotes, days as `DATE '2021-05-31'`.
- It answers yes or no; the `sum` of an indicator answers a number.
- `$name` is the value of a parameter of the plan.
- A column without an entry is null, and a comparison with null holds for nobody: write `IS NOT TRUE` where
  "no or unknown" is meant.
- `category` may be asked in lists and indicators, not in categories: these are tried in order, the first that holds
  takes the person, and the last is `true`.
- Columns marked → organisation hold organisation codes: they may be an owner's `column` or an indicator's `by`.
- Functions: {', '.join(f'`{name}`' for name in sorted(ALLOWED_FUNCTIONS))}.
  No clock, no other row, no file: the profile is already as of the period's end.
"""
