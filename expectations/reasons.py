"""What a sender is told of a refused row or a repaired cell: reason codes in words, from ``reasons.yaml``.

A reason code is ``<column>_<kind>`` for a cell (``id_number_check_digit``) or a word of its own for a row
(``shifted_columns``). The words say what is wrong and how it is mended; they never quote a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from models.contract import HERE, Column, Contract, Expectation, vocabulary

REASONS = HERE / "reasons.yaml"
_FEW = 12
"""So many choices can be listed in a sentence; more stand in the drop-down list only."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in words. ``columns`` are the cells that are marked: none where the whole row is meant."""

    columns: tuple[str, ...]
    says: str
    cure: str


@cache
def wording() -> dict[str, Any]:
    """The whole of ``reasons.yaml``."""
    words: dict[str, Any] = yaml.safe_load(REASONS.read_text(encoding="utf-8"))
    return words


def kinds() -> tuple[str, ...]:
    """Every kind of fault or repair of a cell that has words: the SQL may find no other."""
    words = wording()
    faults = {kind for by_kind in words["cells"].values() for kind in by_kind}
    return tuple(sorted(faults | {str(kind) for kind in words["repairs"]}))


def reason(code: str, contract: Contract) -> Reason:
    """A reason code in words. Raises KeyError for a code without words: a test holds ``reasons.yaml`` complete."""
    row = wording()["rows"].get(code)
    if row is not None:
        return Reason(tuple(name for name in row.get("marks", ()) if name in contract.columns), row["says"], row["cure"])
    name, kind = split(code, contract)
    column = contract.columns[name]
    words = cell_words(column.type, kind)
    listed = choices(column)
    cure = words["cure"].format(label=column.label, choices="、".join(listed[:_FEW]) + ("等" if len(listed) > _FEW else ""))
    return Reason((name,), f"「{column.label}」{words['says']}", cure)


def cell_words(column_type: str, kind: str) -> dict[str, str]:
    """The words for a kind of fault in a column of a type, or for the kind in general."""
    cells = wording()["cells"]
    words: dict[str, str] = cells.get(column_type, {}).get(kind) or cells["any"][kind]
    return words


def split(code: str, contract: Contract) -> tuple[str, str]:
    """``id_number_check_digit`` as column and kind: the longest column name that it begins with."""
    fitting = [name for name in contract.columns if code.startswith(f"{name}_")]
    if not fitting:
        raise KeyError(code)
    name = max(fitting, key=len)
    return name, code[len(name) + 1:]


def choices(column: Column) -> tuple[str, ...]:
    """How each code is best written: its first spelling in Chinese, else the code itself."""
    return tuple(
        next((text for text in spellings if any(ord(letter) > 0x2E7F for letter in text)), code)
        for code, spellings in column.codes.items()
    )


def repair(code: str, contract: Contract) -> str:
    """A repair of cells in words: which column, and what was done."""
    name, kind = split(code, contract)
    return f"「{contract.columns[name].label}」{wording()['repairs'].get(kind, kind)}"


def told(codes: Sequence[str], contract: Contract) -> tuple[Reason, ...]:
    """Several codes in words, each once."""
    return tuple(reason(code, contract) for code in dict.fromkeys(codes))


def check_cure(rule_id: str) -> str:
    """How a file mends a failed check that states no cure of its own."""
    cures: dict[str, str] = wording()["checks"]
    return cures.get(rule_id.rpartition(".")[2], cures["default"])


def rule_wording(rule_id: str, contract: Contract) -> str:
    """What a rule asks of a file, in the sender's words, without what was found."""
    rule = rule_id.removeprefix(f"{contract.feed}.")
    for expectation in contract.expectations:
        if expectation.id == rule:
            return expected(contract, expectation)
    for name, fault in contract.faults.items():
        if name == rule:
            return fault.says
    words = vocabulary()
    return str(words["rules"].get(rule) or words["remarks"].get(rule, rule)).partition("。")[0].format(count="若干")


def expected(contract: Contract, expectation: Expectation) -> str:
    """What one expectation asks of a file, in the sender's words."""
    label = contract.columns[expectation.column].label if expectation.column else ""
    default = {"completeness": f"「{label}」已填写", "validity": f"「{label}」可识别", "uniqueness": "不重复的行"}
    return expectation.says or default[expectation.kind]
