"""``docs/feeds.md``: what each feed holds and tells, made from the contracts, so that nobody keeps a second list of them."""

from __future__ import annotations

from collections.abc import Iterator

from models import contract as contracts
from models.contract import Column, Contract
from models.profile import told_by

SUBJECTS = {"person": "persons", "employer": "employers", "project": "construction projects", "statistic": "published figures"}
HEAD = """# The feeds

What departments send: the columns that are kept, how they are headed, and what each feed tells the profile. This page is made from
the contracts in `expectations/contracts/` (`python -m models.feeds_page > docs/feeds.md`); a test holds it to them. A site's own
feed is one such file in `feeds/` beside its plan, or an item of the plan's `contracts`; it needs no other line anywhere.

`*` marks a column without which a file is returned; 〔〕 is what a row may be headed besides. Codes are given as they are kept.
"""


def feeds_markdown() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *(_section(entry) for entry in contracts.ranked())])


def _section(entry: Contract) -> str:
    rows = [f"| {_name(name, column)} | {column.label} | {column.type}{_codes(column)} | {'、'.join(column.aliases[:6]) or '–'} | {column.why} |"
            for name, column in entry.columns.items()]
    return "\n".join([
        f"## `{entry.feed}` {entry.name}", "", f"About {SUBJECTS[entry.subject]}. Known by {'、'.join(entry.known_as)}. Source: {entry.source}.", "",
        "| column | 列 | type | 〔also headed〕 | why it is kept |", "|---|---|---|---|---|", *rows, "", *_told(entry)])


def _name(name: str, column: Column) -> str:
    return f"`{name}`{'*' if column.required else ''}"


def _codes(column: Column) -> str:
    return f": {', '.join(column.codes)}" if column.codes else ""


def _told(entry: Contract) -> Iterator[str]:
    told = told_by(entry)
    if told:
        yield f"Tells the {entry.subject} profile: {', '.join(f'`{column.name}`' for column in told)}."
    if entry.counts_if or entry.newest:
        conditions = ([f"`{entry.counts_if}`"] if entry.counts_if else []) + ([f"`{entry.newest}` is the newest"] if entry.newest else [])
        yield f"Only rows count of which {' and '.join(conditions)}."
    for statement in entry.evidence:
        where = f" (on {', '.join(statement.lists)})" if statement.lists else ""
        yield f"Evidence where `{statement.when}`{where}: 「{statement.says}」"
    yield ""


if __name__ == "__main__":
    print(feeds_markdown(), end="")
