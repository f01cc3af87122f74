"""Where the databases of a home lie, for tests that look into them as an operator would."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url

from models import database


def address_of(home: Path, name: str) -> URL:
    """The address of a database (``canbao``, ``prefect``) of a home's own server, which is started if it is not running."""
    return make_url(database._embedded(home)).set(drivername="postgresql+psycopg2", database=name)
