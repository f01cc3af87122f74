"""The correction bulletin (更正通报): a document of its own that names the bulletin it corrects (C22).

Old and new figure stand side by side with the cause. The bulletin corrected stays as it was published.
"""

from __future__ import annotations

from pathlib import Path

from documents.common_tables import correction_table
from documents.model import CorrectionContent
from documents.official import OfficialDocument
from documents.table import source_line, write_annex
from documents.wording import chinese_date


def write_correction(path: Path, content: CorrectionContent) -> None:
    """Write the correction bulletin. Raises StorageUnavailable."""
    document = OfficialDocument(content.origin, content.head.title)
    document.red_head(content.head)
    document.paragraph(
        f"{chinese_date(content.corrected_on)}印发的《{content.corrected_title}》（{content.corrected_number}）"
        f"中，有{len(content.corrections)}项数字因数据更正发生变化，现更正如下。"
    )
    document.heading("更正内容")
    document.table(correction_table(content.corrections))
    document.heading("更正原因")
    document.items(content.causes)
    document.paragraph(
        "以上数字以本通报为准，原通报其他内容不变。原数字和更正后数字的口径、比对批次、数据文件均已留存，可供核查。"
    )
    document.remark(source_line(content.origin))
    document.annex_note(("更正数字来源表",))
    document.signature(content.head)
    document.imprint(content.head)
    document.save(path)


def write_correction_annex(path: Path, content: CorrectionContent) -> None:
    """The corrected figures with the command that opens each of them. Raises StorageUnavailable."""
    table = correction_table(content.corrections, references=True)
    write_annex(path, content.origin, "更正数字来源表", (table,))
