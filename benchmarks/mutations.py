"""Broken files by the thousand: real ones in every format, changed in ways that copying, exporting and malice change them.

Case ``number`` of a seed is always the same bytes, so that a failure can be made again from two numbers. The people are
made up and their names hold a letter that stands nowhere else, so that one in an answer is seen.
"""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import xlsxwriter

MARK = "犇"
"""Stands in every name, and nowhere else: an answer that holds it names a person."""
ROWS = 120
_HEADERS = ("身份证号", "姓名", "性别", "出生日期", "户口性质", "乡镇", "住址", "联系电话", "状态")
_TOWNSHIPS = ("凤麓街道", "龙街街道", "右所镇", "海口镇", "九村镇", "路居镇")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "expectations"
"""Old workbooks and open documents cannot be written by anything the product needs: these are kept with the tests."""


@dataclass(frozen=True, slots=True)
class Case:
    """One broken file: how it is called, which feed it is delivered for, what it was made of and how it was broken."""

    name: str
    feed: str
    content: bytes
    made_by: str


def case(number: int, seed: int = 1) -> Case:
    """The case of this number."""
    chance = random.Random(f"{seed}/{number}")
    kind = chance.choice(tuple(SEEDS))
    feed = chance.choices(("population", "deaths", "hardship"), (8, 1, 1))[0]
    content, steps = seed_file(kind), []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        name, mutate = chance.choice(_ways(kind))
        content = mutate(content, chance)
        steps.append(name)
    ending = chance.choices((kind.rpartition("_")[2], "xls", "csv", "dat"), (7, 1, 1, 1))[0]
    return Case(f"市公安局_{number:05d}.{ending}", feed, content, f"{kind}: {', '.join(steps)}")


def _ways(kind: str) -> list[tuple[str, Callable[[bytes, random.Random], bytes]]]:
    """How a file of this kind may be broken; what belongs to its form as often as what happens to any bytes."""
    own = TEXT_WAYS if kind in _TEXTS else ZIP_WAYS if kind in _ARCHIVES else PAGE_WAYS if kind in _PAGES else {}
    return [*BYTE_WAYS.items(), *own.items()]


# --- whole files ----------------------------------------------------------------------------------------


@cache
def rows() -> tuple[tuple[str, ...], ...]:
    """The register: header and people, one of them twice, one with a wrong digit."""
    people = [_person(serial) for serial in range(1, ROWS + 1)]
    wrong = (people[3][0][:-1] + ("1" if people[3][0][-1] != "1" else "2"), *people[3][1:])
    return (_HEADERS, *people, people[0], wrong)


def _person(serial: int) -> tuple[str, ...]:
    body = f"530422{1950 + serial % 60}{serial % 12 + 1:02d}{serial % 28 + 1:02d}{serial:03d}"
    number = body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]
    town = _TOWNSHIPS[serial % len(_TOWNSHIPS)]
    return (number, f"王{MARK}{'一二三四五六七八九十'[serial % 10]}", "男" if serial % 2 else "女",
            f"{body[6:10]}-{body[10:12]}-{body[12:14]}", "农业", town, f"澄江市{town}一村{serial}号",
            f"1380000{serial:04d}", "正常")


@cache
def seed_file(kind: str) -> bytes:
    """A whole file of one kind."""
    return SEEDS[kind]()


def _csv(encoding: str, separator: str = ",") -> bytes:
    return "".join(separator.join(row) + "\r\n" for row in rows()).encode(encoding)


def _quoted() -> bytes:
    return "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows()).encode("gb18030")


def _xlsx() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    for name, part in (("凤麓", rows()[:20]), ("龙街", (rows()[0], *rows()[20:]))):
        sheet = book.add_worksheet(name)
        sheet.merge_range(0, 0, 0, 5, "澄江市户籍人口登记表")
        for line, row in enumerate(part, start=1):
            for place, cell in enumerate(row):
                sheet.write_string(line, place, cell)
        sheet.write_string(len(part) + 1, 0, "合计")
        sheet.write_formula(len(part) + 1, 1, f"=COUNTA(A3:A{len(part) + 1})", None, len(part) - 1)
    book.add_worksheet("说明").write_string(0, 0, "本表由系统导出")
    book.close()
    return target.getvalue()


def _xlsb() -> bytes:
    """A binary workbook of one sheet, as MS-XLSB writes it: records of kind, length and content."""

    def record(kind: int, content: bytes = b"") -> bytes:
        head = bytes((kind,)) if kind < 128 else bytes((kind & 0x7F | 0x80, kind >> 7))
        length, size = bytearray(), len(content)
        while True:
            length.append(size & 0x7F | (0x80 if size > 0x7F else 0))
            size >>= 7
            if not size:
                return head + bytes(length) + content

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")

    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("凤麓")) + record(144)
    book += record(132)
    sheet = record(129) + record(148, struct.pack("<IIII", 0, len(rows()) - 1, 0, len(_HEADERS) - 1)) + record(145)
    for line, row in enumerate(rows()):
        sheet += record(0, struct.pack("<IIHBBBI", line, 0, 300, 0, 0, 0, 0))
        for place, cell in enumerate(row):
            sheet += record(6, struct.pack("<II", place, 0) + wide(cell))
    sheet += record(146) + record(130)
    types = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
             '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>')
    rels = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" '
            'Target="{}"/></Relationships>')
    return _zipped([("[Content_Types].xml", types.encode()), ("_rels/.rels", rels.format("officeDocument", "xl/workbook.bin").encode()),
                    ("xl/workbook.bin", book), ("xl/worksheets/sheet1.bin", sheet),
                    ("xl/_rels/workbook.bin.rels", rels.format("worksheet", "worksheets/sheet1.bin").encode())])


def _page() -> bytes:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows())
    return f"<html><head><meta charset='gbk'></head><body><table border=1>{body}</table></body></html>".encode("gb18030")


def _spreadsheet_xml() -> bytes:
    body = "".join("<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row) + "</Row>\n"
                   for row in rows())
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return (f'<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{space}" '
            f'xmlns:ss="{space}"><Worksheet ss:Name="1"><Table>{body}</Table></Worksheet></Workbook>').encode()


def _archived_page() -> bytes:
    import base64

    page = base64.encodebytes(_page()).decode()
    return ('MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="----=_1"\r\n\r\n------=_1\r\n'
            'Content-Location: file:///C:/1.htm\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/html; '
            f'charset="gb2312"\r\n\r\n{page}\r\n------=_1--\r\n').encode()


SEEDS: dict[str, Callable[[], bytes]] = {
    "gb18030_csv": lambda: _csv("gb18030"), "utf8_csv": lambda: _csv("utf-8"), "marked_csv": lambda: _csv("utf-8-sig"),
    "utf16_txt": lambda: _csv("utf-16", "\t"), "tabbed_tsv": lambda: _csv("gb18030", "\t"), "quoted_csv": _quoted,
    "book_xlsx": _xlsx, "binary_xlsb": _xlsb,
    "old_xls": lambda: (_FIXTURES / "old_workbook.xls").read_bytes(),
    "open_ods": lambda: (_FIXTURES / "open_document.ods").read_bytes(),
    "page_xls": _page, "sheet_xml": _spreadsheet_xml, "archived_mht": _archived_page,
}
"""Kind to the whole file of it; what follows the last ``_`` is the ending it usually has."""
_TEXTS = frozenset(("gb18030_csv", "utf8_csv", "marked_csv", "utf16_txt", "tabbed_tsv", "quoted_csv"))
_ARCHIVES = frozenset(("book_xlsx", "binary_xlsb", "open_ods"))
_PAGES = frozenset(("page_xls", "sheet_xml", "archived_mht"))


# --- what happens to any bytes --------------------------------------------------------------------------


def _span(content: bytes, chance: random.Random, at_most: int = 4096) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + int(at_most ** chance.random()))


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(64 ** chance.random()) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set_bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(int(64 ** chance.random()) if changed else 0):
        changed[chance.randrange(len(changed))] = chance.choice((0, 0xFF, 0x7F, 0x80, 0x22, 0x0A, 0x3C, chance.randrange(256)))
    return bytes(changed)


def _set_number(content: bytes, chance: random.Random) -> bytes:
    """Counts, lengths and places of a binary format become absurd."""
    size = chance.choice((2, 4, 8))
    at = chance.randrange(max(1, len(content) - size))
    value = chance.choice((0, 1, 2**(8 * size) - 1, 2**(8 * size - 1) - 1, 2**(8 * size - 1), chance.randrange(2**16)))
    return content[:at] + value.to_bytes(size, "little") + content[at + size:]


def _truncate(content: bytes, chance: random.Random) -> bytes:
    return content[:chance.randrange(len(content) + 1)]


def _behead(content: bytes, chance: random.Random) -> bytes:
    return content[_span(content, chance)[1]:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at, end = _span(content, chance)
    return content[:at] + chance.randbytes(end - at) + content[at:]


def _remove(content: bytes, chance: random.Random) -> bytes:
    start, end = _span(content, chance)
    return content[:start] + content[end:]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    start, end = _span(content, chance)
    return content[:end] + content[start:end] * chance.randrange(1, 30) + content[end:]


def _blank(content: bytes, chance: random.Random) -> bytes:
    start, end = _span(content, chance)
    return content[:start] + chance.choice((b"\0", b"\xff", b" ", b"\n")) * (end - start) + content[end:]


def _swap(content: bytes, chance: random.Random) -> bytes:
    first, second, third = sorted(chance.randrange(len(content) + 1) for _ in range(3))
    return content[:first] + content[second:third] + content[first:second] + content[third:]


def _graft(content: bytes, chance: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    other = seed_file(chance.choice(tuple(SEEDS)))
    return content[:chance.randrange(len(content) + 1)] + other[chance.randrange(len(other)):]


def _prefix(content: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\n" * 20,
                          b"\0" * 512, b"<html>", b"sep=,\r\n")) + content


BYTE_WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flip, "bytes set": _set_bytes, "number set": _set_number, "truncated": _truncate,
    "beheaded": _behead, "bytes inserted": _insert, "bytes removed": _remove, "span repeated": _repeat,
    "span blanked": _blank, "spans swapped": _swap, "grafted": _graft, "prefixed": _prefix,
}


# --- text -----------------------------------------------------------------------------------------------


def _lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")


def _shuffle_columns(content: bytes, chance: random.Random) -> bytes:
    lines = [line.split(b",") for line in _lines(content)]
    order = chance.sample(range(len(lines[0])), len(lines[0]))
    start = chance.choice((0, 0, 1, len(lines) // 2))  # with the header, without it, or midway
    moved = [[line[at] for at in order if at < len(line)] for line in lines[start:]]
    return b"\n".join(b",".join(line) for line in (*lines[:start], *moved))


def _drop_cells(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    for at in chance.sample(range(len(lines)), min(len(lines), 5)):
        cells = lines[at].split(b",")
        lines[at] = b",".join(cells[:chance.randrange(len(cells) + 1)])
    return b"\n".join(lines)


def _add_cells(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    for at in chance.sample(range(len(lines)), min(len(lines), 5)):
        lines[at] += b",x" * int(5000 ** chance.random())
    return b"\n".join(lines)


def _shuffle_lines(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    chance.shuffle(lines)
    return b"\n".join(lines)


def _cut_lines(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    start, end = sorted(chance.randrange(len(lines) + 1) for _ in range(2))
    return b"\n".join(lines[:start] + lines[end:])


def _unbalance_quotes(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 3, 7))):
        at = chance.randrange(len(content) + 1)
        content = content[:at] + b'"' + content[at:]
    return content


def _mix_encodings(content: bytes, chance: random.Random) -> bytes:
    """The second half in another encoding, as two exports pasted together have it."""
    first, second = chance.sample(("gb18030", "utf-8", "utf-16-le", "big5", "utf-8-sig", "cp1252"), 2)
    text = "".join(",".join(row) + "\r\n" for row in rows())
    at = chance.randrange(len(text))
    return text[:at].encode(first, "replace") + text[at:].encode(second, "replace")


def _change_separators(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    at = chance.randrange(len(lines))
    other = chance.choice((b"\t", b";", b"|", "，".encode("gb18030"), b" "))
    return b"\n".join([*lines[:at], *(line.replace(b",", other) for line in lines[at:])])


def _change_line_ends(content: bytes, chance: random.Random) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", chance.choice((b"\r", b"\n\r", b"\r\r\n", b"\x0b", b"\x85", b"\n\n")))


def _long_cell(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice((b"x", b"9", "长".encode("gb18030"), b'"')) * chance.randrange(1, 400_000) + content[at:]


def _odd_cells(content: bytes, chance: random.Random) -> bytes:
    lines = [line.split(b",") for line in _lines(content)]
    odd = (b"=cmd|'/c calc'!A1", b"@SUM(1)", b"-1", b"#N/A", b"1e309", b"nan", b"-0", b"9" * 400, b"0001-01-01", b"99999999",
           b"2021-02-30", b"\x1a", b"\0", b"%s%n", b"{}", b"' OR 1=1 --", b"\xe2\x80\xae", "合计".encode("gb18030"), b"5.3E+17")
    for _ in range(chance.randrange(1, 40)):
        line = chance.choice(lines)
        line[chance.randrange(len(line))] = chance.choice(odd)
    return b"\n".join(b",".join(line) for line in lines)


TEXT_WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "columns shuffled": _shuffle_columns, "cells dropped": _drop_cells, "cells added": _add_cells, "lines shuffled": _shuffle_lines,
    "lines cut": _cut_lines, "quotes unbalanced": _unbalance_quotes, "encodings mixed": _mix_encodings,
    "separators changed": _change_separators, "line ends changed": _change_line_ends, "long cell": _long_cell, "odd cells": _odd_cells,
}


# --- archives -------------------------------------------------------------------------------------------

Entries = list[tuple[str, bytes]]


def _zipped(entries: Sequence[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", compression) as archive:
        warnings.simplefilter("ignore")  # a name that stands twice is meant
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name, (2021, 6, 1, 0, 0, 0)), content, compression)
    return target.getvalue()


def _inside(change: Callable[[Entries, random.Random], Entries]) -> Callable[[bytes, random.Random], bytes]:
    """A change of the entries, packed again so that sizes and sums agree: it reaches the parser behind them."""

    def mutate(content: bytes, chance: random.Random) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                entries = [(name, archive.read(name)) for name in archive.namelist()]
        except Exception:  # broken already, in one of the library's many ways
            return _flip(content, chance)
        return _zipped(change(entries, chance), chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) if entries else content

    return mutate


def _change_entry(entries: Entries, chance: random.Random) -> Entries:
    at = chance.randrange(len(entries))
    way = chance.choice(tuple(BYTE_WAYS.values()))
    return [*entries[:at], (entries[at][0], way(entries[at][1], chance)), *entries[at + 1:]]


def _change_sheet(entries: Entries, chance: random.Random) -> Entries:
    """Only what holds the cells."""
    sheets = [at for at, (name, _) in enumerate(entries) if "sheet" in name.lower() or name == "content.xml"] or [0]
    at = chance.choice(sheets)
    way = chance.choice(tuple(BYTE_WAYS.values()))
    return [*entries[:at], (entries[at][0], way(entries[at][1], chance)), *entries[at + 1:]]


def _drop_entry(entries: Entries, chance: random.Random) -> Entries:
    entries.pop(chance.randrange(len(entries)))
    return entries


def _double_entry(entries: Entries, chance: random.Random) -> Entries:
    return [*entries, (chance.choice(entries)[0], chance.choice(entries)[1])]


def _swap_entries(entries: Entries, chance: random.Random) -> Entries:
    names, contents = [name for name, _ in entries], [content for _, content in entries]
    chance.shuffle(contents)
    return list(zip(names, contents, strict=True))


def _rename_entry(entries: Entries, chance: random.Random) -> Entries:
    at = chance.randrange(len(entries))
    name = chance.choice(("../../etc/passwd", "/abs", "xl\\workbook.xml", "XL/WORKBOOK.XML", "a" * 3000, "content.xml", "xl/vbaProject.bin"))
    return [*entries[:at], (name, entries[at][1]), *entries[at + 1:]]


_ABSURD: tuple[tuple[bytes, bytes], ...] = (
    (b'r="A2"', b'r="XFD1048576"'), (b'r="A2"', b'r="ZZZZZZ99999999999"'), (b'r="B3"', b'r="A0"'), (b'r="2"', b'r="1048576"'),
    (b"<v>3</v>", b"<v>99999999</v>"), (b"<v>3</v>", b"<v>-1</v>"), (b"<v>3</v>", b"<v>1e999</v>"), (b"<v>3</v>", b"<v></v>"),
    (b't="s"', b't="d"'), (b't="s"', b't="b"'), (b't="s"', b't="e"'), (b't="s"', b""), (b't="s"', b't="inlineStr"'),
    (b"<dimension ref=", b'<dimension ref="A1:XFD1048576" x='), (b'count="', b'count="9999999999'),
    (b"<mergeCell ref=", b'<mergeCell ref="A1:XFD1048576"/><mergeCell ref='), (b"rId1", b"rId9"), (b"<sheetData>", b"<sheetData><sheetData>"),
    (b"<row ", b"<row spans='1:99999999' "), (b"<c ", b"<c s='99999' "), (b"UTF-8", b"UTF-16"), (b"utf-8", b"gbk"),
    (b"table:number-rows-repeated=\"", b"table:number-rows-repeated=\"99999999"),
    (b"<table:table-row", b"<table:table-row table:number-rows-repeated='1048576'"),
    (b"<table:table-cell", b"<table:table-cell table:number-columns-repeated='999999999'"),
    (b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>",
     b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;">]>'),
)


def _absurd_xml(entries: Entries, chance: random.Random) -> Entries:
    """Numbers and places that a program, not a hand, would write."""
    chosen = chance.sample(_ABSURD, 6)
    count = chance.choice((1, 1, -1))
    changed = []
    for name, content in entries:
        for old, new in chosen:
            content = content.replace(old, new, count)
        changed.append((name, content))
    return changed


def _swell_entry(entries: Entries, chance: random.Random) -> Entries:
    at = chance.randrange(len(entries))
    name, content = entries[at]
    middle = len(content) // 2
    return [*entries[:at], (name, content[:middle] + b" " * chance.choice((10**5, 10**7, 10**8)) + content[middle:]), *entries[at + 1:]]


def _break_directory(content: bytes, chance: random.Random) -> bytes:
    """The archive's own records: flags, methods, sizes, offsets."""
    marks = [at for at in range(len(content) - 30) if content[at:at + 4] in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")]
    if not marks:
        return _flip(content, chance)
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        changed[chance.choice(marks) + 4 + chance.randrange(26)] = chance.choice((0, 1, 8, 9, 0x63, 0xFF, chance.randrange(256)))
    return bytes(changed)


ZIP_WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "entry changed": _inside(_change_entry), "sheet changed": _inside(_change_sheet), "entry dropped": _inside(_drop_entry),
    "entry doubled": _inside(_double_entry), "entries swapped": _inside(_swap_entries), "entry renamed": _inside(_rename_entry),
    "absurd numbers": _inside(_absurd_xml), "entry swollen": _inside(_swell_entry), "directory broken": _break_directory,
}


# --- pages ----------------------------------------------------------------------------------------------

_TAGS = (b"<table>", b"</table>", b"<td colspan=999999999>", b"<td rowspan='999999999'>", b"<td rowspan=0 colspan=-1>", b"</tr>", b"<tr>", b"<!--",
         b"<![CDATA[", b"<script>", b"<style>", b"&#x110000;", b"&#xD800;", b"&amp", b"<td><table><tr><td>", b"<div>" * 5000, b"<td>" * 3000,
         b"<Cell ss:Index='999999999'>", b"<Row ss:Index=\"1048576\">", b"<Cell ss:MergeAcross='99999999' ss:MergeDown='99999999'>",
         b"<meta charset='undefined'>", b"<meta charset='punycode'>", b"<meta charset='unicode_escape'>", b"<meta charset='utf-7'>",
         b"<meta charset='utf-16'>", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;", b"\0", b"</")


def _insert_tags(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = [at for at in range(0, len(content), 1) if content[at:at + 1] == b"<"] or [0]
        at = chance.choice(places)
        content = content[:at] + chance.choice(_TAGS) + content[at:]
    return content


def _replace_tags(content: bytes, chance: random.Random) -> bytes:
    old = chance.choice((b"<tr>", b"</tr>", b"<td>", b"</td>", b"<Row>", b"</Row>", b"<Cell>", b"</Data>", b"gbk", b"base64", b"UTF-8", b"----=_1"))
    new = chance.choice((b"", *_TAGS[:14], b"quoted-printable", b"utf-16", b"x-unknown"))
    return content.replace(old, new, chance.choice((1, 3, -1)))


PAGE_WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "tags inserted": _insert_tags, "tags replaced": _replace_tags, "encodings mixed": _mix_encodings, "long cell": _long_cell,
}
