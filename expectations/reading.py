"""Reading a delivered file into columns of text, whatever it is called and however it was saved.

The kind of file is told from its bytes (domain.md 4). The header is the row, under title lines, that knows most of
the contract's aliases (5, 6, 9). Only the contract's columns are kept, and the first three of the file, in which
totals and signatures stand. Nothing is judged here but the file as a whole: every row below a header comes out, with
the line it stands on. A file that cannot be read raises ``FileReturned`` in the sender's language, which never
quotes a row.
"""

from __future__ import annotations

import codecs
import csv
import gc
import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from expectations.contract import Contract, header_key, vocabulary
from models.errors import FileReturned

LEADS = ("lead_1", "lead_2", "lead_3")
"""The first columns of the file: 合计 and 填表人 stand there, under whatever header."""
DELIMITERS = (",", "\t", ";", "|")
EXACT_DIGITS = 15
"""Excel keeps 15 significant digits: a longer number is no longer what was typed (domain.md, Identity)."""
CHUNK = 1 << 22
BLOCK = 1 << 20
"""How much text becomes one batch of rows; several batches can be worked on at once."""

Cells = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A run of rows with its own header: one sheet, or a text file. ``line = row_number - offset``; the first and the
    last row belong to it."""

    name: str
    offset: int
    first_row: int
    last_row: int


@dataclass(frozen=True, slots=True)
class Header:
    """A found header: which row, how many lines, where each canonical column stands and what it is called."""

    at: int
    height: int
    width: int
    positions: Mapping[str, int]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds. ``table`` has ``row_number`` (1-based line in the file; the sheets of a workbook count on),
    ``row_fault``, the leads and every column of the contract as text. ``units`` are factors that headers state
    (万元), ``counting_leads`` the leads in which a bare number may be a count of rows, ``notes`` rows of sheets that
    hold no data."""

    table: pa.Table
    kind: Literal["workbook", "text"]
    encoding: str | None
    headers: Mapping[str, str]
    parts: tuple[Part, ...]
    units: Mapping[str, int]
    counting_leads: tuple[str, ...]
    notes: int = 0
    remarks: tuple[str, ...] = ()


def read(path: Path, contract: Contract) -> Reading:
    """The file as columns of text. Raises FileReturned for a file that cannot be taken in as it is."""
    with path.open("rb") as file:
        start = file.read(4096)
        kind = _kind(start)
        file.seek(0)
        if kind == "zip":
            _refuse_bad_archive(path)
        if kind == "ole":
            _refuse_encrypted(file)
        if kind == "text":
            return _read_text(path, contract)
        with _no_garbage_collection():
            return _read_workbook(file, contract)


# --- what kind of file it is ----------------------------------------------------------------------------

_REFUSED_STARTS = (
    (b"%PDF", "这是 PDF 文件，不是数据表。"),
    (b"\x89PNG", "这是图片，不是数据表。"),
    (b"\xff\xd8\xff", "这是图片，不是数据表。"),
    (b"Rar!", "这是压缩包，不是数据表。"),
    (b"7z\xbc\xaf", "这是压缩包，不是数据表。"),
    (b"\x1f\x8b", "这是压缩包，不是数据表。"),
    (b"{\\rtf", "这是文字文档，不是数据表。"),
)
_SAVE_AS = "请用 Excel 另存为 .xlsx 或 CSV 后重新报送。"


def _kind(start: bytes) -> Literal["zip", "ole", "text"]:
    """What the first bytes say; the extension is not asked (domain.md 4)."""
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise FileReturned("文件是空的。", cure="请核对后重新报送。")
    for magic, what in _REFUSED_STARTS:
        if start.startswith(magic):
            raise FileReturned(what, cure=_SAVE_AS)
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "ole"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise FileReturned("文件内容是网页（HTML/XML）格式，不是真正的 Excel 工作簿。", cure=_SAVE_AS)
    return "text"


def _refuse_bad_archive(path: Path) -> None:
    """An archive that is no workbook, is encrypted, or unpacks to an absurd size (a zip bomb)."""
    limits = vocabulary()["reading"]
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileReturned("文件已损坏，打不开。", cure="请重新导出后报送。") from None
    names = {entry.filename.replace("\\", "/") for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileReturned("文件设有密码。", cure="请取消密码后重新报送。")
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        what = "这是 Word 文档，不是数据表。" if "word/document.xml" in names else "这是压缩包，不是 Excel 工作簿。"
        raise FileReturned(what, cure=_SAVE_AS)
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(path.stat().st_size, 1)
    if unpacked > limits["largest_unpacked_bytes"] or unpacked > packed * limits["largest_unpacked_ratio"]:
        raise FileReturned("工作簿解压后过大，未予打开。", cure="请删除多余的格式和空白区域，或改报 CSV。")


def _refuse_encrypted(file: BinaryIO) -> None:
    if "EncryptedPackage".encode("utf-16-le") in file.read():
        raise FileReturned("文件设有密码。", cure="请取消密码后重新报送。")
    file.seek(0)


# --- the header -----------------------------------------------------------------------------------------


def find_header(rows: Sequence[Sequence[str]], contract: Contract) -> Header | None:
    """The row that names most columns, alone or together with the row below it (two-line headers, domain.md 6).

    None where no row names two columns: fewer may be chance.
    """
    best: tuple[int, Header] | None = None
    for at, row in enumerate(rows):
        below = rows[at + 1] if at + 1 < len(rows) else ()
        for height, cells in ((1, list(row)), (2, _joined(row, below, contract))):
            found = _match(cells, contract)
            if len(found) >= 2 and (best is None or len(found) > best[0]):
                texts = {name: cells[position].strip() for name, position in found.items()}
                best = len(found), Header(at, height, len(cells), found, texts)
    return best[1] if best else None


def _joined(above: Sequence[str], below: Sequence[str], contract: Contract) -> list[str]:
    """Two header lines as one: the lower cell where it is known or the upper is blank, both together where that is."""
    if not _match(below, contract):
        return []
    width = max(len(above), len(below))
    upper = [*above, *[""] * (width - len(above))]
    lower = [*below, *[""] * (width - len(below))]
    known = contract.headers
    return [
        top + low if header_key(top + low) in known
        else low if header_key(low) in known or not top.strip()
        else top
        for top, low in zip(upper, lower, strict=True)
    ]


def _match(cells: Iterable[str], contract: Contract) -> dict[str, int]:
    """Canonical column to position. Of two headers for one column the one that the contract lists earlier wins."""
    known = contract.headers
    found: dict[str, tuple[int, int]] = {}
    for position, cell in enumerate(cells):
        if not cell or (key := header_key(cell)) not in known:
            continue
        name, rank = known[key]
        if name not in found or rank < found[name][0]:
            found[name] = rank, position
    return {name: position for name, (_, position) in found.items()}


def _complete(header: Header | None, rows: Sequence[Sequence[str]], contract: Contract, place: str) -> Header:
    """The header with stand-ins filled in. Raises FileReturned for a missing header or required column."""
    if header is None:
        wanted = "、".join(contract.columns[name].label for name in contract.required)
        raise FileReturned(
            f"{place}前 {len(rows)} 行里找不到表头。",
            cure=f"表头应含：{wanted}。请核对报送的是否为「{contract.name}」，补上表头后重新报送。",
        )
    positions = dict(header.positions)
    for name, column in contract.columns.items():
        if name not in positions and column.stands_in in positions:
            positions[name] = positions[column.stands_in]
    missing = [name for name in contract.required if name not in positions]
    if missing:
        raise _missing_columns(missing, header, rows, contract, place)
    return Header(header.at, header.height, header.width, positions, header.texts)


def _missing_columns(
    missing: list[str], header: Header, rows: Sequence[Sequence[str]], contract: Contract, place: str
) -> FileReturned:
    lines = rows[header.at:header.at + header.height]
    cells = dict.fromkeys(cell.strip() for line in lines for cell in line)
    there = "、".join(_harmless(cell) for cell in cells if cell)
    wanted = [contract.columns[name] for name in missing]
    labels = "、".join(f"「{column.label}」" for column in wanted)
    ways = "；".join(f"「{column.label}」也可写作 {'、'.join(column.aliases[:4])}" for column in wanted)
    return FileReturned(
        f"{place}缺少必需的列：{labels}。第 {header.at + 1} 行表头里有：{there}。", cure=f"请补上后重新报送。{ways}。"
    )


def _harmless(cell: str) -> str:
    """A header cell as it may be repeated to the sender: short, and nothing that could be a number of a person."""
    return "（数字）" if sum(letter.isdigit() for letter in cell) >= 6 else cell.replace("\n", "")[:16]


def _units(header: Header, contract: Contract) -> dict[str, int]:
    """Amounts in 万元 are told only by their header (domain.md 39: check the unit)."""
    amounts = contract.of_type("amount", "number")
    return {name: 10_000 for name in amounts if "万" in header.texts.get(name, "")}


def _counting_leads(header: Header, contract: Contract) -> tuple[str, ...]:
    """The leads that hold no amounts, dates or counts of their own: in a 合计 row a number there counts rows."""
    own_numbers = {
        position for name, position in header.positions.items()
        if contract.columns[name].type in ("amount", "number", "int", "date", "month")
    }
    return tuple(lead for position, lead in enumerate(LEADS) if position not in own_numbers)


# --- text files -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    """How a text file is written. ``lines`` is the number of line ends, 0 where it is not known (UTF-16)."""

    encoding: str
    quoted: bool
    lines: int


def _read_text(path: Path, contract: Contract) -> Reading:
    text = _text_of_file(path)
    sample = _sample(path, text.encoding)
    delimiter, header, rows, ends = _layout(sample, contract, text.quoted)
    header = _complete(header, rows, contract, "文件")
    body = header.at + header.height
    skipped = ends[body - 1]
    width = _usual_width(rows[body:], header.width)
    table = _parsed(path, text, delimiter, header, skipped, width)
    breaks_inside_cells = text.quoted and skipped + table.num_rows < (text.lines or math.inf)
    if breaks_inside_cells and _swallows_rows(path, text.encoding, delimiter, header.width):
        table = _parsed(path, replace(text, quoted=False), delimiter, header, skipped, width)
    return Reading(
        _canonical(table, header, contract), "text", text.encoding, header.texts,
        (Part("", 0, skipped + 1, skipped + table.num_rows),), _units(header, contract), _counting_leads(header, contract),
    )


def _parsed(path: Path, text: _Text, delimiter: str, header: Header, skipped: int, width: int) -> pa.Table:
    """Every row below the header, whatever its width, in its place."""
    broken: list[tuple[int, str]] = []
    table = _regular_rows(path, text, delimiter, skipped, width, _needed(header, width), broken)
    return _with_broken_rows(table, broken, delimiter, text.quoted, header, skipped)


def _text_of_file(path: Path) -> _Text:
    """The encoding, and whether quotes are quotes: an odd number of them means that they are not.

    UTF-8 is what decodes as UTF-8 to its last byte; everything else without a mark is GB18030 (domain.md 2, 3).
    """
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _Text("utf-16", True, 0)
        if b"\0" in start:  # separators and digits have a zero byte beside them in UTF-16, and nowhere else
            return _Text("utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be", True, 0)
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        is_utf8, quotes, lines = True, 0, 0
        while chunk := file.read(CHUNK):
            quotes += chunk.count(b'"')
            lines += chunk.count(b"\n")
            if is_utf8:
                is_utf8 = _decodes(decoder, chunk, final=len(chunk) < CHUNK)
    if start.startswith(codecs.BOM_UTF8) and not is_utf8:
        raise FileReturned("文件开头标明是 UTF-8，内容却不是，前后编码不一致。", cure="请用同一种编码重新导出后报送。")
    return _Text("utf-8" if is_utf8 else "gb18030", quotes > 0 and quotes % 2 == 0, lines)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _swallows_rows(path: Path, encoding: str, delimiter: str, width: int) -> bool:
    """Whether quotes hold whole rows between them: then they are stray marks, and no cell is quoted at all."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        try:
            return any(
                "\n" in cell and cell.count(delimiter) >= width - 1
                for row in csv.reader(file, delimiter=delimiter) for cell in row
            )
        except csv.Error:  # a cell of more than 128 kB is no cell
            return True


def _sample(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        start = file.read(vocabulary()["reading"]["sample_bytes"])
    return codecs.getincrementaldecoder(encoding)("replace").decode(start).lstrip("\ufeff")


def _layout(
    sample: str, contract: Contract, quoted: bool
) -> tuple[str, Header | None, list[list[str]], list[int]]:
    """Separator, header, sample rows and the line each ends on: the separator under which most columns are known."""
    within = vocabulary()["reading"]["header_within_rows"]
    best: tuple[int, str, Header | None, list[list[str]], list[int]] = (-1, ",", None, [], [])
    for delimiter in DELIMITERS:
        rows, lines = _rows_of(sample, delimiter, quoted)
        header = find_header(rows[:within], contract)
        known = len(header.positions) if header else 0
        if known > best[0]:
            best = known, delimiter, header, rows, lines
    _, delimiter, header, rows, lines = best
    return delimiter, header, rows if header else rows[:within], lines


def _rows_of(sample: str, delimiter: str, quoted: bool) -> tuple[list[list[str]], list[int]]:
    """Rows of a sample and the physical line each ends on. A row cut by the sample's end is left out."""
    reader = csv.reader(
        io.StringIO(sample, newline=""), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    )
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error:  # a field beyond the reader's limit: what was read before it is sample enough
        return rows, lines
    return (rows[:-1], lines[:-1]) if len(rows) > 50 and not sample.endswith(("\n", "\r")) else (rows, lines)


def _usual_width(rows: Sequence[Sequence[str]], header_width: int) -> int:
    """How many cells most rows have: rows saved without trailing separators are shorter than their header."""
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    return max(widths.most_common(1)[0][0], 2) if widths else header_width


def _needed(header: Header, width: int) -> list[int]:
    positions = {*range(len(LEADS)), *header.positions.values()}
    return sorted(position for position in positions if position < width)


def _regular_rows(
    path: Path, text: _Text, delimiter: str, skip: int, width: int, needed: list[int], broken: list[tuple[int, str]]
) -> pa.Table:
    """The rows of the usual width. Others go to ``broken`` with their number (one thread, or they would have none)."""

    def set_aside(row: Any) -> str:
        broken.append((row.number, row.text))
        return "skip"

    try:
        return arrow_csv.read_csv(
            pa.memory_map(str(path)),
            read_options=arrow_csv.ReadOptions(
                encoding=text.encoding, use_threads=False, skip_rows=skip, block_size=BLOCK,
                column_names=[f"c{position}" for position in range(width)],
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if text.quoted else False, newlines_in_values=text.quoted,
                ignore_empty_lines=False, invalid_row_handler=set_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=[f"c{position}" for position in needed],
                column_types={f"c{position}": pa.string() for position in needed}, strings_can_be_null=False,
            ),
        )
    except UnicodeDecodeError:
        raise FileReturned("文件既不是 UTF-8 也不是 GB18030 编码，或前后编码不一致。", cure=_SAVE_AS) from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError):
        # Arrow quotes the offending row in its message: it must not travel on.
        raise FileReturned("文本文件无法按列拆分。", cure=_SAVE_AS) from None


def _with_broken_rows(
    table: pa.Table, broken: list[tuple[int, str]], delimiter: str, quoted: bool, header: Header, skipped: int
) -> pa.Table:
    """Rows of another width put back where they stood: short ones padded, longer ones marked as shifted."""
    total = table.num_rows + len(broken)
    numbers = np.arange(skipped + 1, skipped + total + 1, dtype=np.int64)
    if not broken:
        return _numbered(table, numbers, None)
    apart = np.array([number for number, _ in broken], dtype=np.int64)
    kept = np.delete(numbers, apart - skipped - 1)
    positions = _needed(header, header.width)
    for position in positions:  # columns that only the longer rows reach
        if f"c{position}" not in table.column_names:
            table = table.append_column(f"c{position}", pa.nulls(table.num_rows, pa.string()))
    table = table.select([f"c{position}" for position in positions])
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    cells = [next(csv.reader([text], delimiter=delimiter, quoting=quoting), []) for _, text in broken]
    faults = ["shifted_columns" if any(cell.strip() for cell in row[header.width:]) else None for row in cells]
    rows = pa.table(
        {f"c{position}": pa.array([row[position] if position < len(row) else "" for row in cells], pa.string())
         for position in positions}
    )
    both = pa.concat_tables([_numbered(table, kept, None), _numbered(rows, apart, faults)])
    return both.take(pa.array(np.argsort(np.concatenate([kept, apart]), kind="stable")))


def _numbered(table: pa.Table, numbers: np.ndarray, faults: list[str | None] | None) -> pa.Table:
    fault = pa.nulls(table.num_rows, pa.string()) if faults is None else pa.array(faults, pa.string())
    return table.append_column("row_number", pa.array(numbers)).append_column("row_fault", fault)


def _canonical(table: pa.Table, header: Header, contract: Contract) -> pa.Table:
    """Columns by position become leads and canonical columns; what the file does not have is null."""
    absent = pa.nulls(table.num_rows, pa.string())

    def at(position: int | None) -> Any:
        return table[f"c{position}"] if f"c{position}" in table.column_names else absent

    columns = {"row_number": table["row_number"], "row_fault": table["row_fault"]}
    columns |= {lead: at(position) for position, lead in enumerate(LEADS)}
    columns |= {name: at(header.positions.get(name)) for name in contract.columns}
    return pa.table(columns)


# --- workbooks ------------------------------------------------------------------------------------------


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Millions of cells become objects that all stay: collecting among them doubles the time and frees nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet with data: its header, its rows as columns, and where they stand."""

    header: Header
    table: pa.Table
    part: Part
    is_hidden: bool


def _read_workbook(file: BinaryIO, contract: Contract) -> Reading:
    """All sheets with data, one after the other (domain.md 7); notes sheets are counted, hidden ones remarked upon."""
    workbook = _open_workbook(file)
    sheets: list[_Sheet] = []
    offset = notes = 0
    for meta in workbook.sheets_metadata:
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet, rows = _sheet(workbook, meta.name)
        header = _sheet_header(rows, contract, meta.name)
        if header is None:
            notes += sum(1 for row in rows if any(cell != "" for cell in row))
        else:
            table = _sheet_table(sheet, rows, header, contract, offset)
            first = offset + (sheet.start or (0, 0))[0] + header.at + header.height + 1
            part = Part(meta.name, offset, first, first + table.num_rows - 1)
            sheets.append(_Sheet(header, table, part, meta.visible != SheetVisibleEnum.Visible))
        offset += sheet.end[0] + 1 if sheet.end else 0
    if not sheets:
        _complete(None, [[]] * vocabulary()["reading"]["header_within_rows"], contract, "工作簿各表")
    return _joined_sheets(sheets, contract, notes)


def _joined_sheets(sheets: list[_Sheet], contract: Contract, notes: int) -> Reading:
    units = [_units(sheet.header, contract) for sheet in sheets]
    if any(unit != units[0] for unit in units):
        raise FileReturned("各工作表的金额单位不一致（元、万元）。", cure="请统一为元后重新报送。")
    first = sheets[0].header
    return Reading(
        pa.concat_tables([sheet.table for sheet in sheets]), "workbook", None, first.texts,
        tuple(sheet.part for sheet in sheets), units[0], _counting_leads(first, contract), notes,
        ("hidden_sheet",) if any(sheet.is_hidden for sheet in sheets) else (),
    )


def _open_workbook(file: BinaryIO) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise FileReturned("文件设有密码。", cure="请取消密码后重新报送。") from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # the reader's panics are no Exception; its messages may quote cells
        raise FileReturned("文件已损坏或不是 Excel 工作簿，打不开。", cure="请重新导出后报送。") from None


def _sheet(workbook: CalamineWorkbook, name: str) -> tuple[CalamineSheet, list[list[Any]]]:
    try:
        sheet = workbook.get_sheet_by_name(name)
        return sheet, sheet.to_python(skip_empty_area=True)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # as above
        raise FileReturned(f"工作表「{name}」已损坏，读不出来。", cure="请重新导出后报送。") from None


def _sheet_header(rows: list[list[Any]], contract: Contract, name: str) -> Header | None:
    """The sheet's header, or None for a sheet of notes. Raises FileReturned where rows of data stand without one."""
    within = vocabulary()["reading"]["header_within_rows"]
    top = [[_text(cell) for cell in row] for row in rows[:within]]
    header = find_header(top, contract)
    if header is None and not any(_looks_like_data(row, contract) for row in rows):
        return None
    return _complete(header, top, contract, f"工作表「{name}」")


def _looks_like_data(row: Cells, contract: Contract) -> bool:
    """As many filled cells as the contract requires, and more than a line of explanation has."""
    return sum(1 for cell in row if cell != "") >= max(len(contract.required), 3)


def _sheet_table(
    sheet: CalamineSheet, rows: list[list[Any]], header: Header, contract: Contract, offset: int
) -> pa.Table:
    body = header.at + header.height
    data = rows[body:]
    top, left = sheet.start or (0, 0)
    columns = {position: [row[position] for row in data] for position in _needed(header, len(rows[0]))}
    _fill_down(columns, sheet, header, contract, (top + body, left))
    table = pa.table({f"c{position}": _text_array(cells) for position, cells in columns.items()})
    first = offset + top + body + 1
    numbers = np.arange(first, first + len(data), dtype=np.int64)
    return _canonical(_numbered(table, numbers, None), header, contract)


def _fill_down(
    columns: dict[int, list[Any]], sheet: CalamineSheet, header: Header, contract: Contract, corner: tuple[int, int]
) -> None:
    """A township or household merged over several rows counts for each of them (domain.md 14); a key never does."""
    fillable = {
        position for name, position in header.positions.items()
        if name not in contract.key and contract.columns[name].type in ("org", "text", "code")
    }
    height = len(next(iter(columns.values())))
    for (first_row, first_column), (last_row, last_column) in sheet.merged_cell_ranges or ():
        position, start, end = first_column - corner[1], first_row - corner[0], last_row - corner[0]
        if position in fillable and first_column == last_column and 0 <= start < end < height:
            columns[position][start:end + 1] = [columns[position][start]] * (end - start + 1)


def _text_array(cells: list[Any]) -> pa.Array:
    if {str}.issuperset(map(type, cells)):
        return pa.array(cells, pa.string())
    return pa.array([cell if type(cell) is str else _text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str:
    """A cell as it would have been typed: no trailing ``.0``, dates as ISO. A number of more than 15 digits is written
    with an exponent, for what Excel stores is not what was typed, and must never pass for it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if abs(cell) >= 10**EXACT_DIGITS:
            return f"{cell:.14E}"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, datetime):
        midnight = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
