"""Which cells need no mending, told from their bytes before the SQL looks at them.

Nearly all cells of a register are as they should be, and a pattern over text costs a hundred times what a look at its
bytes does. What is sound here is taken as it stands; everything else goes the long way through ``sql/``, which alone
decides what is a fault. Both ways must come to the same: tests hold them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from models.contract import Contract

NUMBER_LETTERS = 18
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], np.float32)
_CHECK_LETTERS = np.frombuffer(b"10X98765432", np.uint8)
_DAYS_OF_MONTHS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)

_HAN = [*range(0x80, 0xC0), *range(0xE4, 0xEA)]
"""UTF-8 of the letters from U+4000 to U+9FFF, among which are no marks and no spaces."""
_PLAIN_NAME = frozenset(_HAN)
_PLAIN_TEXT = _PLAIN_NAME | frozenset(range(0x21, 0x7F)) - frozenset(b"'`#")
_ODD_IN = {plain: bytes(byte not in plain for byte in range(256)) for plain in (_PLAIN_NAME, _PLAIN_TEXT)}
"""For ``bytes.translate``: 1 for a byte that may have to be mended."""
_MAY_MEAN_NOTHING = np.isin(np.arange(8), (0, 1, 2, 3, 4))
"""How many bytes 无, NULL and the like have; those of six are looked at."""
_NOTHING_OF_SIX = [np.frombuffer(word.encode(), np.uint8) for word in ("不详", "暂无")]


def sound_columns(table: pa.Table, contract: Contract) -> Mapping[str, pa.ChunkedArray]:
    """Beside each number ``<column>_sound``, the day of birth in it where it is a whole citizen number whose check letter
    holds and whose day there is; beside each name and text ``<column>_plain``, whether nothing in it is to be mended."""
    columns: dict[str, pa.ChunkedArray] = {}
    for name in contract.of_type("id"):
        columns[f"{name}_sound"] = _each(table[name], _births)
    for name in contract.of_type("name"):
        columns[f"{name}_plain"] = _each(table[name], partial(_plain, plain_bytes=_PLAIN_NAME))
    for name in contract.of_type("text"):
        columns[f"{name}_plain"] = _each(table[name], partial(_plain, plain_bytes=_PLAIN_TEXT))
    return columns


def _each(cells: pa.ChunkedArray, look: Callable[[np.ndarray, np.ndarray], pa.Array]) -> pa.ChunkedArray:
    return pa.chunked_array([look(*_bytes_of(chunk)) for chunk in _chunks(cells)])


def _chunks(cells: pa.ChunkedArray | pa.Array) -> Sequence[pa.Array]:
    if isinstance(cells, pa.Array):
        return [cells]
    return cells.chunks or [pa.array([], pa.string())]


def _bytes_of(cells: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of a run of cells, and where in them each cell begins, with the end of the last. A null is no bytes."""
    _, offsets, data = cells.buffers()
    begins = np.frombuffer(offsets, np.int32)[cells.offset:cells.offset + len(cells) + 1] if offsets else np.zeros(1, np.int32)
    return np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8), begins


def _letters(data: np.ndarray, begins: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """The bytes of cells that are all so many bytes long, one row each."""
    if len(rows) == len(begins) - 1:
        return data[begins[0]:begins[0] + count * len(rows)].reshape(len(rows), count)
    return data[begins[rows][:, None] + np.arange(count)]


def _births(data: np.ndarray, begins: np.ndarray) -> pa.Array:
    rows = np.flatnonzero(np.diff(begins) == NUMBER_LETTERS)
    letters = _letters(data, begins, rows, NUMBER_LETTERS)
    digits = letters[:, :17] - ord("0")  # what is no digit wraps round to more than nine
    sums = (digits.astype(np.float32) @ _WEIGHTS).astype(np.int64)
    is_number = (digits <= 9).all(axis=1) & (digits[:, 0] > 0) & (letters[:, 17] == _CHECK_LETTERS[sums % 11])
    days, is_day = _days(digits.astype(np.int64)[:, 6:14])
    born = np.zeros(len(begins) - 1, np.int32)
    sound = np.zeros(len(begins) - 1, bool)
    born[rows], sound[rows] = days, is_number & is_day
    return pa.array(born, mask=~sound).view(pa.date32())


def _days(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 of eight digits, and whether there is such a day."""
    year, month, day = digits[:, :4] @ (1000, 100, 10, 1), digits[:, 4] * 10 + digits[:, 5], digits[:, 6] * 10 + digits[:, 7]
    is_month = (month >= 1) & (month <= 12)
    month = np.where(is_month, month, 1)
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS_OF_MONTHS[month] + (is_leap & (month == 2))
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first + day - 1, is_month & (day >= 1) & (day <= last) & (year > 0)


def _plain(data: np.ndarray, begins: np.ndarray, plain_bytes: frozenset[int]) -> pa.Array:
    lengths = np.diff(begins)
    plain = ~_MAY_MEAN_NOTHING[np.minimum(lengths, len(_MAY_MEAN_NOTHING) - 1)]
    six = np.flatnonzero(lengths == len(_NOTHING_OF_SIX[0]))
    letters = _letters(data, begins, six, len(_NOTHING_OF_SIX[0]))
    for word in _NOTHING_OF_SIX:
        plain[six[(letters == word).all(axis=1)]] = False
    marks = data[begins[0]:begins[-1]].tobytes().translate(_ODD_IN[plain_bytes])
    odd = np.flatnonzero(np.frombuffer(marks, np.uint8)) + begins[0]
    plain[np.searchsorted(begins[1:], odd, side="right")] = False
    return pa.array(plain)
