"""Reading a delivered file into columns of text, whatever it is called and however it was saved.

The kind of file is told from its bytes (domain.md 4). The header is the row, under title lines, that knows most of
the contract's aliases (5, 6, 9). Only the contract's columns are kept, and the first three of the file, in which
totals and signatures stand. Nothing is judged here but the file as a whole: every row below a header comes out, with
the line it stands on. A file that cannot be read raises ``FileReturned`` in the sender's language, which never
quotes a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from expectations.file_kinds import FileKind, kind_of, kind_of_archive, refuse_bad_compound
from expectations.headers import Words, find_header, words_of
from expectations.raw_rows import LEADS, Part, Reading
from expectations.text_files import read_text
from expectations.web_pages import read_archived_page, read_page
from expectations.workbooks import read_workbook
from expectations.xml_tables import read_open_document, read_spreadsheet_xml
from models.contract import Contract

__all__ = ["LEADS", "Part", "Reading", "find_header", "read"]

START_BYTES = 4096


def read(path: Path, contract: Contract, mapping: Mapping[str, str] | None = None) -> Reading:
    """The file as columns of text. ``mapping`` is what an operator once confirmed for the sender: header key
    (``contract.header_key``) to column, '' for a header to leave out; it wins over the contract's aliases.

    Raises FileReturned for a file that cannot be taken in as it is.
    """
    words = words_of(contract, mapping)
    with path.open("rb") as file:
        kind = kind_of(file.read(START_BYTES))
    if kind == "zip":
        kind = kind_of_archive(path)
    if kind == "ole":
        refuse_bad_compound(path)
    return _READERS[kind](path, contract, words)


_READERS: Mapping[FileKind, Callable[[Path, Contract, Words], Reading]] = {
    "text": read_text, "html": read_page, "mhtml": read_archived_page, "xml": read_spreadsheet_xml,
    "ods": read_open_document, "zip": read_workbook, "ole": read_workbook,
}
