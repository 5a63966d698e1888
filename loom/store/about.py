"""What a database is, for people: never a password."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from loom.store.database import Database
from loom.store.schema import current_version


class About(NamedTuple):
    """`kind` is `sqlite` or `postgresql`, `place` a file, or host and name; `size` in bytes, with what SQLite has not
    yet moved into the file."""

    kind: str
    place: str
    size: int
    version: str


def about(database: Database) -> About:
    with database.read() as connection:
        version = current_version(connection) or ""
        if database.path is None:
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
            return About("postgresql", database.place, int(size), version)
    files = (database.path.with_name(database.path.name + suffix) for suffix in ("", "-wal"))
    return About("sqlite", database.place, sum(file.stat().st_size for file in files if file.exists()), version)
