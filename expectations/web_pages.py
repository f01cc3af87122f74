"""Web pages that are called .xls (domain.md 4): their tables as grids of cells.

Systems that "export to Excel" often write a page with a table in it. Its text is taken as it stands: a number of 18
digits in it is whole. The page is read as a stream, nothing in it is run or fetched; a page saved with its parts in one
file (MHTML) has one table per sheet.
"""

from __future__ import annotations

import codecs
import email
import email.policy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from expectations.file_kinds import damaged
from expectations.grid_builder import GridBuilder
from expectations.grids import Grid, read_grids
from expectations.headers import Words
from expectations.raw_rows import ODD, SAVE_AS, Reading, with_odd_rows_told
from models.contract import Contract, vocabulary
from models.errors import FileReturned

_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""")
_CHINESE = {"gb2312", "gbk", "gb18030", "x-gbk", "gb_2312-80", "cp936", "hz-gb-2312"}
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HIDES = re.compile(r"display\s*:\s*none")
_BREAK = "\x0b"
"""Stands for <br> until the cell is complete; pages themselves have had it taken out."""
FED_LETTERS = 1 << 18
WIDEST_SPAN = 1_000
"""As browsers have it: what claims more spans one column."""
FATAL = 3


def read_page(path: Path, contract: Contract, words: Words) -> Reading:
    """A page's tables as columns of text. Raises FileReturned for a page without a table of this feed."""
    content = _content(path)
    encoding = _encoding(content)
    text = _text(content, encoding)
    reading = read_grids(_grids(text, "网页"), contract, words, "web_page", encoding)
    return with_odd_rows_told(reading) if ODD in text else reading


def read_archived_page(path: Path, contract: Contract, words: Words) -> Reading:
    """A page saved with its parts in one file: each part with a table is a sheet."""
    try:
        message = email.message_from_bytes(_content(path), policy=email.policy.compat32)
    except (ValueError, LookupError, RecursionError):
        raise damaged() from None
    parts = [part for part in message.walk() if part.get_content_type() == "text/html"]

    def grids() -> Iterator[Grid]:
        for number, part in enumerate(parts, start=1):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield from _grids(_text(content, _encoding(content)), f"网页{number}")

    return read_grids(grids(), contract, words, "web_page")


def _content(path: Path) -> bytes:
    if path.stat().st_size > vocabulary()["reading"]["largest_page_bytes"]:
        raise FileReturned("网页文件过大，未予打开。", cure=SAVE_AS)
    return path.read_bytes()


_READABLE = frozenset(("utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5", "big5hkscs", "cp950", "cp1252", "iso8859-1"))
"""What a page may say that it is written in. Python knows others that are no encodings of text, fail, or take for ever."""


def _encoding(content: bytes) -> str:
    """What the page says of itself, if its bytes bear it out; else UTF-8 or GB18030, as for text files."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return name
    stated = _CHARSET.search(content[:1 << 14])
    name = stated[1].decode("ascii").lower() if stated else "utf-8"
    name = "gb18030" if name in _CHINESE else name
    others = ("utf-8", "gb18030")
    known = [encoding for encoding in dict.fromkeys((name, *others)) if _is_known(encoding)]
    sample = content[:1 << 20]
    return min(known, key=lambda encoding: sample.decode(encoding, "replace").count(ODD))


def _is_known(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in _READABLE
    except LookupError:
        return False


def _text(content: bytes, encoding: str) -> str:
    return _NO_TEXT.sub("", content.decode(encoding, "replace")).removeprefix("\ufeff")


def _grids(text: str, name: str) -> Iterator[Grid]:
    """Every table, the ones inside others first; a table of the same width as the one before it goes on with it, for
    many pages keep the header in a table of its own."""
    page = _Page(name)
    parser = etree.HTMLParser(target=page, no_network=True, huge_tree=False, encoding="utf-8")
    try:
        for start in range(0, len(text), FED_LETTERS):
            parser.feed(text[start:start + FED_LETTERS].encode("utf-8", "replace"))
        parser.close()
    except etree.LxmlError:
        raise damaged() from None
    if any(entry.level >= FATAL for entry in parser.error_log):
        raise damaged()  # the parser stopped there: what follows would be lost
    yield from page.grids()


class _Page:
    """What the parser tells, element by element, as tables. Rows of an inner table are never rows of the outer."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[_OpenTable] = []
        self._done: list[GridBuilder] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "table":
            number = len(self._done) + len(self._open) + 1
            self._open.append(_OpenTable(GridBuilder(name := f"{self._name}表{number}", name)))
        elif self._open:
            self._open[-1].start(tag, attributes)

    def end(self, tag: str) -> None:
        if not self._open:
            return
        if tag == "table":
            table = self._open.pop()
            table.end_row()
            if table.builder.rows:
                self._done.append(table.builder)
        else:
            self._open[-1].end(tag)

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1].data(text)

    def close(self) -> None:
        while self._open:
            self.end("table")

    def grids(self) -> Iterator[Grid]:
        pending: GridBuilder | None = None
        for table in self._done:
            if pending is not None and _width(pending) == _width(table):
                pending.extend(table)
                continue
            if pending is not None:
                yield pending.grid()
            pending = table
        if pending is not None:
            yield pending.grid()


def _width(table: GridBuilder) -> int:
    return max(map(len, table.rows), default=0)


class _OpenTable:
    """A table whose end has not come yet."""

    def __init__(self, builder: GridBuilder) -> None:
        self.builder = builder
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._in_row = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        hides = bool(_HIDES.search(attributes.get("style") or ""))
        if tag == "tr":
            self.end_row()
            self._in_row = True
            if hides:
                self.builder.remark("hidden_rows")
        elif tag in ("td", "th"):
            self._end_cell()
            self._in_row = True
            self._cell = []
            self._span = _span(attributes.get("colspan"), WIDEST_SPAN), _span(attributes.get("rowspan"), 65_534)
        elif tag == "br" and self._cell is not None:
            self._cell.append(_BREAK)
        elif tag == "col" and hides:
            self.builder.remark("hidden_columns")

    def end(self, tag: str) -> None:
        if tag == "tr":
            self.end_row()
        elif tag in ("td", "th"):
            self._end_cell()

    def data(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)

    def end_row(self) -> None:
        self._end_cell()
        if self._in_row:
            self.builder.end_row()
            self._in_row = False

    def _end_cell(self) -> None:
        if self._cell is not None:
            columns, rows = self._span
            self.builder.add(_tidied("".join(self._cell)), columns=columns, rows=rows)
            self._cell = None


def _span(text: str | None, most: int) -> int:
    number = int(text) if text and text.isdecimal() and len(text) < 8 else 1
    return number if 1 <= number <= most else 1


def _tidied(text: str) -> str:
    """White space in a page means nothing; a line break that was meant stays."""
    return "\n".join(" ".join(line.split()) for line in text.split(_BREAK)).strip()
