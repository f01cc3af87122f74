"""The receipt for an accepted report (报送回执): what came, when, who took it, and by which mark it is known again."""

from __future__ import annotations

from pathlib import Path

from documents.files import write_atomically
from documents.model import ReportReceipt


def write_report_receipt(path: Path, receipt: ReportReceipt) -> None:
    """Write the receipt as plain text. It names posts and counts, never a person. Raises StorageUnavailable."""
    lines = [
        f"{receipt.campaign_name}　报送回执", "",
        f"报送单位：{receipt.organisation_name}",
        f"报告名称：{receipt.report}（{receipt.period_name}）",
        f"收到时间：{receipt.received}{'（逾期）' if receipt.is_late else '（按时）'}",
        f"接收时间：{receipt.accepted}",
        f"接收岗位：{receipt.taken_by}",
        f"填报内容：应填{receipt.sections_asked}项，已填{receipt.sections_filled}项；"
        f"预填数据未改动；{'有' if receipt.is_disputed else '无'}数据异议说明",
        f"待核实提示：{receipt.remarks}项{'，办公室将与你单位核实' if receipt.remarks else ''}",
        f"文件校验码（SHA-256）：{receipt.file_sha256}",
    ]
    if receipt.restated:
        lines += ["", "本报告更正此前已接收的同期报告，两份均予留存，更正内容：", *(f"　　{entry}" for entry in receipt.restated)]
    lines += ["", "报告内容以所附校验码对应的文件为准。如需更正，请重新报送同期报告，系统将保留前后两份并注明变化。"]

    def produce(draft: Path) -> None:
        # With a mark at the start, so that an old editor reads it as what it is.
        draft.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig", newline="")

    write_atomically(path, produce)
