"""Text files: encoding, separator, header, and every row below it, whatever its width, in its place.

UTF-8 is what decodes as UTF-8, everything else without a mark is GB18030 (domain.md 2, 3); a few broken bytes make
their rows doubtful, not the file. The text is cut into blocks at line ends; a block is decoded, split into columns and
given its line numbers by itself, so that memory holds what is kept and every processor has work.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from expectations.headers import Header, Words, complete, find_header
from expectations.raw_rows import (
    ODD,
    SAVE_AS,
    Part,
    Reading,
    Remark,
    RowFault,
    canonical,
    counting_leads,
    needed,
    numbered,
    refuse_odd,
    units,
    with_odd_rows,
)
from models.contract import Contract, vocabulary
from models.errors import FileReturned
from models.machine import machine

DELIMITERS = (",", "\t", ";", "|")
BLOCK_BYTES = 4 << 20
"""How much of the file becomes one batch of rows."""
SURE_LETTERS = 8
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a text file is written. ``is_plain``: UTF-8 without a fault, whose bytes can be used as they are;
    ``lone_returns``: lines end with CR alone, as on old Macs."""

    encoding: str
    quoted: bool
    is_plain: bool
    lone_returns: bool = False


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the table begins and how it is laid out."""

    delimiter: str
    header: Header
    skipped: int
    width: int


@dataclass(slots=True)
class _Lines:
    """What was met while the lines were read: line ends, rows of another width than the table's, characters that were
    no text, NUL bytes."""

    ends: int = 0
    other_width: int = 0
    odd: int = 0
    nul: int = 0


def read_text(path: Path, contract: Contract, words: Words) -> Reading:
    """A text file as columns of text. Raises FileReturned where it cannot be split or decoded."""
    form = form_of(path)
    layout = _layout_of(path, form, contract, words)
    table, lines = _parsed(path, form, layout, contract)
    rows = _lines_of(table)
    if form.quoted and rows < lines.ends and _swallows_rows(path, form, layout):
        table, lines = _parsed(path, replace(form, quoted=False), layout, contract)
        rows = _lines_of(table)
    header = layout.header
    return Reading(
        table, "text", form.encoding, header.texts, (Part("", 0, layout.skipped + 1, layout.skipped + rows),),
        units(header, contract), counting_leads(header, contract), remarks=_remarks(table, rows, lines),
        titles=header.titles, cells=header.cells,
    )


def _lines_of(table: pa.Table) -> int:
    """How many lines the rows come from: a line that holds a household has several."""
    return int(pc.sum(pc.equal(table["member"], 1)).as_py() or 0) if _has_households(table) else table.num_rows


def _has_households(table: pa.Table) -> bool:
    return bool(table.num_rows) and pc.max(table["member"]).as_py() > 1


def _remarks(table: pa.Table, rows: int, lines: _Lines) -> dict[Remark, int]:
    """Raises FileReturned where so many rows hold what is no text that the encoding itself must be wrong."""
    remarks: dict[Remark, int] = {"nul_bytes": lines.nul} if lines.nul else {}
    if not lines.odd:
        return remarks
    odd = pc.sum(pc.equal(table["row_fault"], "odd_bytes")).as_py() or 0
    refuse_odd(odd, rows)
    return remarks | ({"odd_bytes": odd} if odd else {})


# --- how it is written ----------------------------------------------------------------------------------


def form_of(path: Path) -> TextForm:
    """The encoding, and whether quotes are quotes: an odd number of them means that they are not."""
    with path.open("rb") as file:
        start = file.read(4096)
        if encoding := _wide_encoding(start):
            return TextForm(encoding, True, False, _has_lone_returns(path, encoding))
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        encoding, is_plain, quotes = "utf-8", True, 0
        while chunk := file.read(BLOCK_BYTES):
            quotes += chunk.count(b'"')
            if is_plain and not _decodes(decoder, chunk, final=len(chunk) < BLOCK_BYTES):
                is_plain, encoding = False, "utf-8" if start.startswith(codecs.BOM_UTF8) else _likelier(chunk)
            is_plain = is_plain and b"\0" not in chunk and ODD.encode() not in chunk
    lone_returns = _has_lone_returns(path, encoding)
    return TextForm(encoding, quotes > 0 and quotes % 2 == 0, is_plain and not lone_returns, lone_returns)


def _has_lone_returns(path: Path, encoding: str) -> bool:
    sample = _sample(path, encoding)
    return "\r" in sample and "\n" not in sample


def _wide_encoding(start: bytes) -> str | None:
    """UTF-16, by its mark or by the zero byte beside every separator and digit; a stray zero byte is none."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    evens, odds = start[::2].count(0), start[1::2].count(0)
    if max(evens, odds) < len(start) / 16 or min(evens, odds) > max(evens, odds) / 8:
        return None
    return "utf-16-le" if odds > evens else "utf-16-be"


def _likelier(chunk: bytes) -> str:
    """Of bytes that are no clean UTF-8: broken UTF-8 or GB18030. A run of letters before the first fault settles it, for
    GB18030 passes for UTF-8 in one letter of eight; else whichever leaves fewer bytes that mean nothing."""
    begins = codecs.getincrementaldecoder("utf-8")("ignore").decode(chunk[:_first_fault(chunk)])
    if len(begins) - len(begins.encode("ascii", "ignore")) >= SURE_LETTERS:
        return "utf-8"
    broken = {encoding: chunk.decode(encoding, "replace").count(ODD) for encoding in ("gb18030", "utf-8")}
    return min(broken, key=lambda encoding: broken[encoding])


def _first_fault(chunk: bytes) -> int:
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError as fault:
        return fault.start
    return len(chunk)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _swallows_rows(path: Path, form: TextForm, layout: _Layout) -> bool:
    """Whether quotes hold whole rows between them: then they are stray marks, and no cell is quoted at all."""
    with path.open(encoding=form.encoding, errors="replace", newline="") as file:
        try:
            return any(
                "\n" in cell and cell.count(layout.delimiter) >= layout.header.width - 1
                for row in csv.reader(file, delimiter=layout.delimiter) for cell in row
            )
        except csv.Error:  # a cell of more than 128 kB is no cell
            return True


# --- where the table begins -----------------------------------------------------------------------------


def _layout_of(path: Path, form: TextForm, contract: Contract, words: Words) -> _Layout:
    """Separator, header and usual width: the separator under which most columns are known."""
    limits = vocabulary()["reading"]
    sample = _sample(path, form.encoding)
    best: tuple[int, str, Header | None, list[list[str]], list[int]] = (-1, ",", None, [], [])
    for delimiter in DELIMITERS:
        rows, ends = _rows_of(sample, delimiter, form.quoted)
        top = [row[:limits["most_columns"] + 1] for row in rows[:limits["header_within_rows"]]]
        header = find_header(top, contract, words)
        known = len(header.positions) if header else 0
        if known > best[0]:
            best = known, delimiter, header, rows, ends
    _, delimiter, found, rows, ends = best
    header = complete(found, rows if found else rows[:limits["header_within_rows"]], contract, "文件")
    body = header.at + header.height
    return _Layout(delimiter, header, ends[body - 1], _usual_width(rows[body:], header.width))


def _sample(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        start = file.read(vocabulary()["reading"]["sample_bytes"])
    return codecs.getincrementaldecoder(encoding)("replace").decode(start).lstrip("\ufeff").replace("\0", "")


def _rows_of(sample: str, delimiter: str, quoted: bool) -> tuple[list[list[str]], list[int]]:
    """Rows of a sample and the physical line each ends on. A row cut by the sample's end is left out."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quoting=_quoting(quoted))
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    except csv.Error:  # a field beyond the reader's limit: what was read before it is sample enough
        return rows, ends
    return (rows[:-1], ends[:-1]) if len(rows) > 50 and not sample.endswith(("\n", "\r")) else (rows, ends)


def _quoting(quoted: bool) -> Literal[0, 3]:
    return csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE


def _usual_width(rows: Sequence[Sequence[str]], header_width: int) -> int:
    """How many cells most rows have: rows saved without trailing separators are shorter than their header."""
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    usual = widths.most_common(1)[0][0] if widths else header_width
    return min(max(usual, 2), vocabulary()["reading"]["most_columns"])


# --- lines into columns ---------------------------------------------------------------------------------


def _parsed(path: Path, form: TextForm, layout: _Layout, contract: Contract) -> tuple[pa.Table, _Lines]:
    """Every row below the header, in its place."""
    lines = _Lines()
    tables: list[pa.Table] = []
    offset = layout.skipped
    running: deque[Future[pa.Table]] = deque()

    def taken() -> int:
        table = running.popleft().result()
        first = pa.array(np.full(table.num_rows, offset, np.int64))
        at = table.column_names.index("row_number")
        table = table.set_column(at, "row_number", pc.add(table["row_number"], first))
        tables.append(canonical(table, layout.header, contract))
        return table.num_rows

    at_once = machine().threads  # splitting needs no interpreter lock
    with ThreadPoolExecutor(at_once) as pool:
        for block in _blocks(path, form, layout.skipped, lines):
            running.append(pool.submit(_columns, block, form.quoted, layout, lines))
            if len(running) > at_once:
                offset += taken()
        while running:
            offset += taken()
    if not tables:
        empty = _with_broken_rows(_no_rows(layout), [], form.quoted, layout)
        tables = [canonical(empty, layout.header, contract)]
    return pa.concat_tables(tables), lines


def _no_rows(layout: _Layout) -> pa.Table:
    return pa.table({f"c{position}": pa.array([], pa.string()) for position in needed(layout.header, layout.width)})


def _blocks(path: Path, form: TextForm, skipped: int, lines: _Lines) -> Iterator[bytes]:
    """The file below its header as UTF-8, in pieces that end where a row ends. Counts what it meets."""
    decoder = None if form.is_plain else codecs.getincrementaldecoder(form.encoding)("replace")
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(BLOCK_BYTES):
            text = rest + (chunk if decoder is None else _utf8(decoder.decode(chunk), form, lines))
            if skipped:
                text, skipped = _below(text, skipped)
            cut = _last_row_end(text, form.quoted)
            rest = text[cut:]
            if len(rest) > vocabulary()["reading"]["largest_row_bytes"]:
                raise FileReturned("文件中有一行过长，无法按列拆分。", cure=SAVE_AS)
            if cut:
                lines.ends += text.count(b"\n", 0, cut)
                yield text[:cut]
    rest += b"" if decoder is None else _utf8(decoder.decode(b"", True), form, lines)
    if skipped:
        rest, _ = _below(rest, skipped)
    if rest:
        lines.ends += rest.count(b"\n")
        yield rest


def _utf8(text: str, form: TextForm, lines: _Lines) -> bytes:
    if form.lone_returns:
        text = text.replace("\r", "\n")
    lines.odd += text.count(ODD)
    if "\0" in text:
        lines.nul += text.count("\0")
        text = text.replace("\0", "")
    return text.encode("utf-8", "replace")


def _below(text: bytes, skipped: int) -> tuple[bytes, int]:
    """The text without so many of its first lines, and how many of them are yet to come."""
    at = 0
    for end in _LINE_END.finditer(text):
        at, skipped = end.end(), skipped - 1
        if not skipped:
            return text[at:], 0
    return b"", skipped


def _last_row_end(text: bytes, quoted: bool) -> int:
    """Behind the last line end that stands outside quotes; 0 if there is none."""
    end = text.rfind(b"\n") + 1
    inside = text.count(b'"', 0, end) % 2 if quoted else 0
    while end and inside:
        before = text.rfind(b"\n", 0, end - 1) + 1
        inside = (inside + text.count(b'"', before, end)) % 2
        end = before
    return end


def _columns(block: bytes, quoted: bool, layout: _Layout, lines: _Lines) -> pa.Table:
    """The kept columns of a block by position, line numbers from 1."""
    broken: list[tuple[int, str]] = []
    table = _regular_rows(block, quoted, layout, broken, lines)
    table = _with_broken_rows(table, broken, quoted, layout)
    return with_odd_rows(table) if ODD.encode() in block else table


def _regular_rows(
    block: bytes, quoted: bool, layout: _Layout, broken: list[tuple[int, str]], lines: _Lines
) -> pa.Table:
    """The rows of the usual width. Others go to ``broken`` with their number (one thread, or they would have none)."""
    most = vocabulary()["reading"]["most_rows_of_other_width"]

    def set_aside(row: Any) -> str:
        broken.append((row.number, row.text))
        lines.other_width += 1
        return "error" if lines.other_width > most else "skip"

    positions = needed(layout.header, layout.width)
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(block),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=[f"c{place}" for place in range(layout.width)],
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=layout.delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted,
                ignore_empty_lines=False, invalid_row_handler=set_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=[f"c{position}" for position in positions],
                column_types={f"c{position}": pa.string() for position in positions}, strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError):
        # Arrow quotes the offending row in its message: it must not travel on.
        raise FileReturned("文本文件无法按列拆分。", cure=SAVE_AS) from None


def _with_broken_rows(table: pa.Table, broken: list[tuple[int, str]], quoted: bool, layout: _Layout) -> pa.Table:
    """Rows of another width put back where they stood: short ones padded, longer ones marked as shifted."""
    header, total = layout.header, table.num_rows + len(broken)
    numbers = np.arange(1, total + 1, dtype=np.int64)
    positions = needed(header, header.width)
    for position in positions:  # columns that only longer rows reach
        if f"c{position}" not in table.column_names:
            table = table.append_column(f"c{position}", pa.nulls(table.num_rows, pa.string()))
    table = table.select([f"c{position}" for position in positions])
    if not broken:
        return numbered(table, numbers, None)
    apart = np.array([number for number, _ in broken], dtype=np.int64)
    kept = np.delete(numbers, apart - 1)
    cells = [_cells(text, layout.delimiter, quoted) for _, text in broken]
    shifted: RowFault = "shifted_columns"
    faults = [shifted if any(cell.strip() for cell in row[header.width:]) else None for row in cells]
    rows = pa.table(
        {f"c{position}": pa.array([row[position] if position < len(row) else "" for row in cells], pa.string())
         for position in positions}
    )
    both = pa.concat_tables([numbered(table, kept, None), numbered(rows, apart, pa.array(faults, pa.string()))])
    return both.take(pa.array(np.argsort(np.concatenate([kept, apart]), kind="stable")))


def _cells(row: str, delimiter: str, quoted: bool) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=delimiter, quoting=_quoting(quoted)), [])
    except csv.Error:  # a cell of more than 128 kB, or a lone line end within a cell
        return row.split(delimiter)
