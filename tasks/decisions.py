"""What people know of identities that no register says, as files that a comparison reads beside its snapshots."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from models.store import identities


def decisions_file(tx: Connection, campaign: str, folder: Path) -> Path | None:
    """The decisions in force (row_key, person_id, is_same), or None if there are none.

    It holds no name and no number, and is called after what it says: the same decisions are the same file, and so the
    same input.
    """
    rows = [(row["row_key"], row["person_id"], row["is_same"]) for row in identities.standing(tx, campaign)]
    if not rows:
        return None
    digest = hashlib.sha256("\n".join("|".join(map(str, row)) for row in rows).encode()).hexdigest()
    path = folder / f"{digest[:16]}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        pq.write_table(pa.table({name: [row[place] for row in rows]
                                 for place, name in enumerate(("row_key", "person_id", "is_same"))}), draft)
        os.replace(draft, path)
    return path


def old_numbers_file(folder: Path) -> Path | None:
    """The table of citizen numbers that were replaced, if the police gave one: ``old_numbers.csv`` in the campaign's folder
    under CANBAO_HOME, with the columns ``old`` and ``new``."""
    path = folder / "old_numbers.csv"
    return path if path.exists() else None
