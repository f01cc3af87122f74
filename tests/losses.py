"""What happens to installations."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import URL, create_engine, text

from models import database


def lose_everything(home: Path, server: URL) -> None:
    """Leaves an empty home and no database of this test."""
    shutil.rmtree(home)
    home.mkdir()
    database._engine(database.url()).dispose()
    database._engine.cache_clear()
    name = database.url().rpartition("/")[2].partition("?")[0]
    admin = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
