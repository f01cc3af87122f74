"""What comes from outside and becomes a path: a code, a feed, a period, a campaign's id, a word of a plan in a file's name.

Whoever types a command, names a folder, posts a parameter or writes a plan chooses these words. None of them may lead out of
the folder that they name a part of. What a place is called is never repeated in a refusal: it may be a person's name.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.errors import WrongUse

OURS = frozenset({"backups", "calendars", "import", "matplotlib", "postgres", "prefect", "run"})
"""Folders in CANBAO_HOME that belong to no campaign, and the word by which `canbao calendar` takes a year in."""
LONGEST_PART_BYTES = 200
"""Of a file system's 255: what is written beside a name (an ending, a draft's number) must still fit."""
_CAMPAIGN = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_plain(part: str) -> bool:
    """Whether a word names an entry of a folder and nothing else: no separator, no way up, nothing hidden or unprintable."""
    return bool(part) and part == part.strip() and part[0] not in ".~" and not _UNFIT.search(part) \
        and len(part.encode()) <= LONGEST_PART_BYTES


def is_campaign(name: str) -> bool:
    """Whether a word can be a campaign's id, and so a folder in CANBAO_HOME that is not one of ours."""
    return bool(_CAMPAIGN.fullmatch(name)) and is_plain(name) and name not in OURS


LONGEST_NAME_BYTES = 120
"""Two names of a plan may stand in one file's name."""


def in_file_names(name: str) -> str:
    """A name of a plan that files are called by. Raises ValueError, as pydantic wants it, for one that cannot be."""
    if not is_plain(name) or len(name.encode()) > LONGEST_NAME_BYTES:
        raise ValueError("files are called by this name; use one without separators, a leading dot or blanks around it, of at most "
                         f"{LONGEST_NAME_BYTES // 3} Chinese characters")
    return name


def of_a_campaign(name: str) -> str:
    """A campaign's id, by which its folder is called. Raises ValueError, as pydantic wants it, for a name of one of our folders."""
    if not is_campaign(name):
        raise ValueError("a folder of the program is called so; use another id")
    return name


def inside(home: Path, campaign: str, *parts: str) -> Path:
    """The place of a campaign's things under ``home``; nothing is made. Raises WrongUse for a word that leads elsewhere.

    The first part is a word of the program's own. Up to it a folder may stand on another disk behind a link, which only the
    owner of the home can have laid; below it no link leads out: there the words come from outside.
    """
    if not is_campaign(campaign):
        raise WrongUse("this is no campaign's id.", where="campaign", cure=(
            f"It is small letters, digits and dashes, and none of {', '.join(sorted(OURS))}; `canbao status CAMPAIGN` takes those there are."))
    for number, part in enumerate(parts, 1):
        if not is_plain(part):
            raise WrongUse(f"part {number} of the place names no entry of a folder.", where=f"{campaign}/",
                           cure="Give a code, feed or period as the plan writes it: no separator, no `..`, no leading dot.")
    top = found = home.joinpath(campaign, *parts[:1])
    for part in parts[1:]:
        found = found / part
        # Plain words lead nowhere but through a link; resolving every path would cost more than making its folder.
        if found.is_symlink() and not found.resolve().is_relative_to(top.resolve()):
            raise WrongUse("a link leads out of this folder.", where=str(top), cure="Remove the link; put the folder itself there.")
    return found


def file_name(text: str, ending: str = "") -> str:
    """A file's name made of words that people chose: what would lead elsewhere becomes ``_``, and what is too long is cut."""
    words = _UNFIT.sub("_", text.encode("utf-8", "replace").decode()).strip()
    words = "_" + words.lstrip(".~") if words[:1] in ("", ".", "~") else words
    return words.encode()[:LONGEST_PART_BYTES - len(ending.encode())].decode("utf-8", "ignore") + ending
