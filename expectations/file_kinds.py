"""What kind of file it is, told from its bytes (domain.md 4), and which files are not opened at all.

Refused, with a reason and a cure: what is no table, what is encrypted, what carries macros or links to other files (its
cells may be worked out elsewhere), and what unpacks to an absurd size.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Literal

from expectations.raw_rows import EXPORT_AGAIN, SAVE_AS
from models.contract import vocabulary
from models.errors import FileReturned

FileKind = Literal["zip", "ods", "ole", "html", "mhtml", "xml", "text"]

_REFUSED_STARTS = (
    (b"%PDF", "这是 PDF 文件，不是数据表。"),
    (b"\x89PNG", "这是图片，不是数据表。"),
    (b"\xff\xd8\xff", "这是图片，不是数据表。"),
    (b"Rar!", "这是压缩包，不是数据表。"),
    (b"7z\xbc\xaf", "这是压缩包，不是数据表。"),
    (b"\x1f\x8b", "这是压缩包，不是数据表。"),
    (b"{\\rtf", "这是文字文档，不是数据表。"),
)
_WORKBOOKS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
_MACROS = re.compile(r"xl/(vbaProject[^/]*\.bin|macrosheets/.*|intlMacrosheets/.*)|Basic/.+|Scripts/.+", re.IGNORECASE)
_LINKS = re.compile(r"xl/externalLinks/.+", re.IGNORECASE)


def nth_sheet(number: int) -> str:
    """How a sheet is called in what is told of it, counted from 1 as the workbook shows them: its own name may name a person."""
    return f"第{number}张工作表"


def kind_of(start: bytes) -> FileKind:
    """What the first bytes say; the extension is not asked. Raises FileReturned for what is no table."""
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise FileReturned("文件是空的。", cure="请核对后重新报送。")
    for magic, what in _REFUSED_STARTS:
        if start.startswith(magic):
            raise FileReturned(what, cure=SAVE_AS)
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "ole"
    return _kind_of_text(start.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower())


def _kind_of_text(start: bytes) -> FileKind:
    if start.startswith(b"mime-version:") and b"multipart/related" in start:
        return "mhtml"
    if start.startswith(b"<?xml") and b"<html" not in start:
        return "xml"
    if start.startswith(b"<") and re.match(rb"<(!doctype html|!--|html|head|meta|body|style|table|div|\?xml)", start):
        return "html"
    return "text"


def kind_of_archive(path: Path) -> FileKind:
    """A workbook or an open document. Raises FileReturned for an archive that is neither, is encrypted, carries macros or
    links to other files, or is a zip bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise damaged() from None
    names = {entry.filename.replace("\\", "/") for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise password()
    if not names & _WORKBOOKS:
        what = "这是 Word 文档，不是数据表。" if "word/document.xml" in names else "这是压缩包，不是 Excel 工作簿。"
        raise FileReturned(what, cure=SAVE_AS)
    _refuse_active(names)
    _refuse_bomb(entries, path.stat().st_size)
    return "ods" if "content.xml" in names else "zip"


def _refuse_active(names: set[str]) -> None:
    if any(_MACROS.fullmatch(name) for name in names):
        raise macros()
    if any(_LINKS.fullmatch(name) for name in names):
        raise outside_links()


def _refuse_bomb(entries: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    limits = vocabulary()["reading"]
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(packed_bytes, 1)
    if unpacked > limits["largest_unpacked_bytes"] or unpacked > packed * limits["largest_unpacked_ratio"]:
        raise FileReturned("工作簿解压后过大，未予打开。", cure="请删除多余的格式和空白区域，或改报 CSV。")


def refuse_bad_compound(path: Path) -> None:
    """An old workbook that is encrypted or carries macros, told by the names of its streams."""
    content = path.read_bytes()
    if _wide("EncryptedPackage") in content:
        raise password()
    if _wide("_VBA_PROJECT") in content:
        raise macros()
    if _wide("WordDocument") in content and _wide("Workbook") not in content:
        raise FileReturned("这是 Word 文档，不是数据表。", cure=SAVE_AS)


def _wide(name: str) -> bytes:
    return name.encode("utf-16-le")


def macros() -> FileReturned:
    """The refusal of a workbook that carries a program."""
    return FileReturned("工作簿带有宏，未予打开。", cure="请另存为不带宏的 .xlsx 后重新报送。")


def outside_links() -> FileReturned:
    """The refusal of a workbook whose cells are worked out from other files."""
    return FileReturned(
        "工作簿引用了其他文件（外部链接），其中的数值可能不是最新。",
        cure="请在 Excel 中点“数据—编辑链接—断开链接”，保存后重新报送。",
    )


def password() -> FileReturned:
    """The refusal of a file that only its sender can open."""
    return FileReturned("文件设有密码。", cure="请取消密码后重新报送。")


def damaged() -> FileReturned:
    """The refusal of a file that cannot be opened."""
    return FileReturned("文件已损坏或不是 Excel 工作簿，打不开。", cure=EXPORT_AGAIN)
