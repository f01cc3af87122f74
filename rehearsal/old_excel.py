"""Workbooks of Excel 97-2003 (BIFF8 in a compound file), and the shell of a workbook that somebody locked.

Departments still save them (domain.md 1, 45), and no library of this project writes them. Only what a synthetic file
needs is here: sheets, text, numbers, hidden sheets. Sources: [MS-XLS], [MS-CFB].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROWS_AT_MOST = 20_000
"""A compound file without further sector lists ends at 7 MB; more rows go into the newer format."""
_SECTOR, _ENTRIES = 512, 128
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_RECORD_AT_MOST = 8224
Cell = str | float | int | None


@dataclass(frozen=True)
class OldSheet:
    """One sheet: its name, its lines, and whether it is hidden."""

    name: str
    lines: Sequence[Sequence[Cell]]
    is_hidden: bool = False


def old_workbook(sheets: Sequence[OldSheet]) -> bytes:
    """The bytes of an ``.xls`` with these sheets."""
    texts: dict[str, int] = {}
    bodies = [_sheet(sheet, texts) for sheet in sheets]
    strings = _shared_strings(texts)
    before = b"".join((_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)),
                       _record(0x0042, struct.pack("<H", 1200)), _fonts_and_formats()))
    names = [_utf16(sheet.name) for sheet in sheets]
    lengths = [4 + 8 + len(name) for name in names]
    at = len(before) + sum(lengths) + len(strings) + 4
    headings = b""
    for sheet, name, body in zip(sheets, names, bodies, strict=True):
        stated = struct.pack("<IBBBB", at, int(sheet.is_hidden), 0, len(sheet.name), 1) + name
        headings += _record(0x0085, stated)
        at += len(body)
    book = before + headings + strings + _record(0x000A, b"") + b"".join(bodies)
    return compound_file({"Workbook": book})


def locked_workbook(content: bytes) -> bytes:
    """What Excel saves under a password: a compound file with two streams, of which nobody can read one."""
    scrambled = bytes((byte * 167 + position * 31 + 91) % 256 for position, byte in enumerate(content[:6000]))
    return compound_file({"EncryptionInfo": struct.pack("<HHI", 4, 4, 0x40) + bytes(5000),
                          "EncryptedPackage": struct.pack("<Q", len(content)) + scrambled + bytes(5000)})


def _record(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", kind, len(payload)) + payload


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _fonts_and_formats() -> bytes:
    font = struct.pack("<HHHHHBBBBBB", 220, 0, 0x7FFF, 400, 0, 0, 0, 134, 0, 5, 0) + b"Arial"
    plain = struct.pack("<HHHBBBBIIH", 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0x20C0)
    return _record(0x0031, font) * 5 + _record(0x00E0, plain) * 16


def _sheet(sheet: OldSheet, texts: dict[str, int]) -> bytes:
    width = max((len(line) for line in sheet.lines), default=0)
    parts = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)),
             _record(0x0200, struct.pack("<IIHHH", 0, len(sheet.lines), 0, width, 0))]
    for row, line in enumerate(sheet.lines):
        for column, cell in enumerate(line):
            if isinstance(cell, str):
                number = texts.setdefault(cell, len(texts))
                parts.append(struct.pack("<HHHHHI", 0x00FD, 10, row, column, 15, number))
            elif cell is not None:
                parts.append(struct.pack("<HHHHHd", 0x0203, 14, row, column, 15, float(cell)))
    parts.append(_record(0x000A, b""))
    return b"".join(parts)


def _shared_strings(texts: Iterable[str]) -> bytes:
    """All texts once. A record holds 8224 bytes, and no text is cut between two."""
    all_texts = list(texts)
    records, current = [], struct.pack("<II", len(all_texts), len(all_texts))
    for text in all_texts:
        wide = _utf16(text)
        entry = struct.pack("<HB", len(wide) // 2, 1) + wide
        if len(current) + len(entry) > _RECORD_AT_MOST:
            records.append(current)
            current = b""
        current += entry
    records.append(current)
    return _record(0x00FC, records[0]) + b"".join(_record(0x003C, more) for more in records[1:])


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file of these streams, each padded to at least 4096 bytes: shorter ones live elsewhere."""
    contents = [(name, content.ljust(4096, b"\0")) for name, content in streams.items()]
    sizes = [-(-len(content) // _SECTOR) for _, content in contents]
    directory_sectors = -(-(len(contents) + 1) // 4)
    others = sum(sizes) + directory_sectors
    fat_sectors = 1
    while fat_sectors * _ENTRIES < others + fat_sectors:
        fat_sectors += 1
    if fat_sectors > 109:
        raise ValueError("more than a compound file without further sector lists can hold")
    chain = [_FAT] * fat_sectors + _chain(fat_sectors, directory_sectors)
    starts, at = [], fat_sectors + directory_sectors
    for size in sizes:
        starts.append(at)
        chain += _chain(at, size)
        at += size
    chain += [_FREE] * (fat_sectors * _ENTRIES - len(chain))
    fat = struct.pack(f"<{len(chain)}I", *chain)
    directory = _directory([(name, start, len(content)) for (name, content), start in zip(contents, starts, strict=True)])
    body = b"".join(content.ljust(size * _SECTOR, b"\0") for (_, content), size in zip(contents, sizes, strict=True))
    return _header(fat_sectors) + fat + directory.ljust(directory_sectors * _SECTOR, b"\0") + body


def _chain(start: int, length: int) -> list[int]:
    return [*range(start + 1, start + length), _END]


def _header(fat_sectors: int) -> bytes:
    places = [*range(fat_sectors), *[_FREE] * (109 - fat_sectors)]
    return (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
            + struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, fat_sectors, 0, 4096, _END, 0,
                          _END, 0, places[0]) + struct.pack("<108I", *places[1:]))


def _directory(entries: Sequence[tuple[str, int, int]]) -> bytes:
    """The root, then the streams as a chain of right-hand neighbours: by length of the name, then by the name."""
    ordered = sorted(entries, key=lambda entry: (len(entry[0]), entry[0].upper()))
    listed = [_entry("Root Entry", 5, _FREE, 1, _END, 0)]
    for number, (name, start, size) in enumerate(ordered, start=1):
        right = number + 1 if number < len(ordered) else _FREE
        listed.append(_entry(name, 2, right, _FREE, start, size))
    return b"".join(listed)


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    wide = _utf16(name)
    return (wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide) + 2, kind, 1)
            + struct.pack("<III", _FREE, right, child) + bytes(16 + 4 + 16) + struct.pack("<IQ", start, size))
