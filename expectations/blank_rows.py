"""Rows with nothing in them are counted and left out before anything is worked out for them.

A sheet with a stray mark in its last line, or a text file that ends in line ends, holds a million of them below its
data; each would cost as much as a row of a person.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

NOT_FROM_THE_FILE = ("row_number", "member", "row_fault")


def without_blank_rows(table: pa.Table) -> pa.Table:
    """The rows with a letter in any cell, in their order. One with nothing but spaces stays, and is told as blank later."""
    filled = pa.nulls(0, pa.bool_())
    for name in table.column_names:
        if name in NOT_FROM_THE_FILE:
            continue
        has_letters = pc.greater(pc.fill_null(pc.binary_length(table[name]), 0), 0)
        filled = pc.or_(filled, has_letters) if len(filled) else has_letters
        if len(filled) and pc.all(filled).as_py():  # most often after the first column
            return table
    return table.filter(filled) if len(filled) else table
