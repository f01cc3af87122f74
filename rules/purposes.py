"""What a person must say before persons leave the record in full."""

from __future__ import annotations

from models.errors import WrongUse

SHORTEST = 4
"""Letters without blanks: 「核查」 tells nobody which; 「市局抽查」 does."""


UNSTATED = "未说明用途（脚本导出，未经询问）"
"""What stands in the trail where a script takes an export and nobody was there to be asked (decision 0037)."""


def stated_purpose(text: str | None, where: str) -> str:
    """The purpose as it is kept beside the export. Raises WrongUse where none is said, or too little to tell one from another."""
    stated = " ".join((text or "").split())
    if len(set(stated.replace(" ", ""))) < SHORTEST:
        raise WrongUse("an export in full needs a purpose.", where=where,
                       cure="Say with --purpose what it is for and who asked for it, such as --purpose '市社保局7月抽查，函〔2021〕8号'.",
                       told="完整导出须写明用途。")
    return stated
