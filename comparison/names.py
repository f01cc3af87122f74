"""Keys by which names in Chinese letters can be compared: a table of letters, and the macros that look names up in it.

DuckDB's text distances count bytes, so that 张伟 and 张华 differ as much as two letters in three (platform.md). Names
are therefore compared letter by letter, through what a letter means (simplified, variant), sounds like (toneless) and
looks like; all three are data in ``look_alikes.yaml``. Keys are for comparing only: no stored name is changed.
"""

from __future__ import annotations

import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import opencc
import pyarrow as pa
import yaml

from comparison.database import quoted, script

LOOK_ALIKES = Path(__file__).parent / "look_alikes.yaml"
_READINGS_AT_MOST = 3
"""Of a letter's readings, the first are those in use; the rest are found in old books only."""


@cache
def policy() -> dict[str, Any]:
    """The whole of ``look_alikes.yaml``."""
    policies: dict[str, Any] = yaml.safe_load(LOOK_ALIKES.read_text(encoding="utf-8"))
    return policies


@cache
def near(sound: str) -> str:
    """A toneless sound with the distinctions dropped that dialects drop (``near_sounds``): zhang and zan are one."""
    for old, new in policy()["near_sounds"]:
        sound = sound.replace(old, new)
    return sound


def near_sql(sound: str) -> str:
    """The same as an SQL expression over a column."""
    for old, new in policy()["near_sounds"]:
        sound = f"replace({sound}, {quoted(old)}, {quoted(new)})"
    return sound


def heads_sql(word: str) -> str:
    """A word with every listed transliteration in it put down as the first of its kind (``transliterations``)."""
    for head, *others in policy()["transliterations"]:
        for other in sorted(others, key=len, reverse=True):
            if other in head:
                # 巴特 stands in 巴特尔, which is to stay as it is.
                word = f"replace({word}, {quoted(head)}, {quoted(other)})"
            word = f"replace({word}, {quoted(other)}, {quoted(head)})"
    return word


@cache
def letters() -> pa.Table:
    """One row per letter: ``letter``, ``fold`` (simplified, one form of its variants), ``sound`` (toneless), ``first``
    (its reading as a surname) and ``tags``: two letters with a tag in common are alike.

    Built once a process: half a second, nearly all of it the import of pypinyin's own table.
    """
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # how words are read nobody asks here, and it takes as long again
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    known = sorted(chr(point) for point in PINYIN_DICT if point > 0x2E7F)
    plain: dict[str, str] = {}
    folded = _folded(known)
    surnames = policy()["surnames"]
    shapes = _shape_tags()
    rows: dict[str, list[Any]] = {"letter": known, "fold": [], "sound": [], "first": [], "tags": []}
    for letter in known:
        sounds = []
        for reading in PINYIN_DICT[ord(letter)].split(",")[:_READINGS_AT_MOST]:
            if reading not in plain:
                plain[reading] = to_normal(reading).replace("ê", "e")
            sounds.append(plain[reading])
        fold, first = folded[letter], surnames.get(letter, sounds[0])
        rows["fold"].append(fold)
        rows["sound"].append(sounds[0])
        rows["first"].append(first)
        likes = dict.fromkeys((fold, *(near(sound) for sound in (*sounds, first))))
        rows["tags"].append([*likes, *shapes[letter], *(shapes[fold] if fold != letter else ())])
    return pa.table(rows)


def _folded(known: list[str]) -> dict[str, str]:
    """Each letter's simplified form, and of variants the first in its class."""
    simplified = dict(zip(known, opencc.OpenCC("t2s").convert("\n".join(known)).split("\n"), strict=True))
    heads = {letter: variants[0] for variants in policy()["variants"] for letter in variants}
    return {letter: heads.get(letter, heads.get(plain, plain)) for letter, plain in simplified.items()}


def _shape_tags() -> dict[str, list[str]]:
    tags: dict[str, list[str]] = defaultdict(list)
    for number, letters_alike in enumerate(policy()["shapes"]):
        for letter in letters_alike:
            tags[letter].append(f"#{number}")
    return tags


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes ``letters`` and the macros of ``05_names.sql`` known to a database."""
    connection.register("letters_read", letters())
    connection.execute("CREATE TABLE letters AS FROM letters_read")
    connection.unregister("letters_read")
    long_names = policy()["long_names"]
    connection.execute(script("05_names", {
        "placeholders": "".join(f"\\x{{{ord(mark):x}}}" for mark in policy()["placeholders"]),
        "near_sound": near_sql("sound"), "headed": heads_sql("word"),
        "listed": "|".join(part for parts in policy()["transliterations"] for part in parts),
        **{name: str(value) for name, value in long_names.items()},
    }))
