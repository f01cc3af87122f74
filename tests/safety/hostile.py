"""Words that somebody who means harm gives where a code, a feed, a period or a campaign is asked for."""

from __future__ import annotations

NAMES = (
    "..", ".", "", "../X", "../../../X", "fenglu/../../X", "/tmp/canbao-outside", "//tmp/canbao-outside", "fenglu/", "fenglu/X", "./fenglu",
    "..\\X", "fenglu\\..\\X", ".hidden", "~", "~root", "fenglu\0", "fenglu\0/../X", "fenglu\n", "\tfenglu", " fenglu", "fenglu ", "fenglu\x1b[2J",
    "fenglu\u2028", "fenglu\x85", "\ud800", "a" * 256, "参" * 100, "%2e%2e/X", "....//X", "\u202efenglu\x7f", "C:\\X",
)
"""None of them names one entry of a folder."""
ODD = ("FENGLU", "fenglu2", "ｆｅｎｇｌｕ", "fenglú", "fenglu'; DROP TABLE run; --", "$(touch X)", "%2e%2e", "-rf", "*",
       "fenglu,longjie", "2021-05", "凤麓街道", "None")
"""They lead nowhere, but no plan has them as a code."""
OURS = ("postgres", "run", "backups", "prefect", "matplotlib")
"""Folders in a home that are no campaign's."""
