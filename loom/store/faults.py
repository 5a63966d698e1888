"""What a database's errors mean for a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from loom.ending import disk_full, room_in
from loom.errors import LoomError

_NO_ROOM = "the disk or quota is full, a file may not grow further, or the disk fails"
_NOT_WRITTEN = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})

_SQLITE: dict[int, tuple[str, str | None]] = {
    sqlite3.SQLITE_BUSY: ("DATABASE_BUSY", None),
    sqlite3.SQLITE_LOCKED: ("DATABASE_BUSY", None),
    sqlite3.SQLITE_FULL: ("DISK_FULL", None),
    sqlite3.SQLITE_CORRUPT: ("DATABASE_DAMAGED", None),
    sqlite3.SQLITE_NOTADB: ("DATABASE_DAMAGED", "{file} is not a database of Loom, or its beginning is damaged."),
    sqlite3.SQLITE_CANTOPEN: ("DATABASE_UNREACHABLE", "{file} cannot be opened."),
    sqlite3.SQLITE_PERM: ("DATABASE_UNREACHABLE", "{file} may not be opened."),
    sqlite3.SQLITE_READONLY: ("DATABASE_UNREACHABLE", "{file} may not be written."),
    sqlite3.SQLITE_IOERR: ("DATABASE_UNREACHABLE", "The disk reported an error while the database was used."),
}

_POSTGRESQL: dict[str, tuple[str, str | None]] = {
    "53100": ("DISK_FULL", "The disk of the database server is full."),
    "55P03": ("DATABASE_BUSY", None),
    "57014": ("DATABASE_BUSY", None),
    "40P01": ("DATABASE_BUSY", None),
    "40001": ("DATABASE_BUSY", None),
    "23503": ("DATABASE_BUSY", "Something was removed while it was written about."),
    "23505": ("DATABASE_BUSY", "Two processes wrote the same thing at once."),
    "25006": ("DATABASE_UNREACHABLE", "The database may only be read: it is a stand-by, or its server says so."),
    "XX001": ("DATABASE_DAMAGED", None),
    "XX002": ("DATABASE_DAMAGED", None),
    "42501": ("DATABASE_UNREACHABLE", "The database does not let this user do what Loom needs."),
}

_POSTGRESQL_CLASSES: dict[str, str] = {
    "08": "DATABASE_UNREACHABLE",
    "28": "DATABASE_UNREACHABLE",
    "3D": "DATABASE_UNREACHABLE",
    "53": "DATABASE_BUSY",
    "57": "DATABASE_UNREACHABLE",
}


def fault(error: BaseException, path: Path | None = None) -> LoomError | None:
    """The error as a person should see it, or None when it is a defect of ours. `path` is the file of an SQLite
    database."""
    if isinstance(error, PoolTimeout):
        return LoomError("DATABASE_BUSY", "All connections to the database are in use.")
    if isinstance(error, DBAPIError):
        return fault(error.orig, path) if error.orig is not None else None
    if isinstance(error, sqlite3.Error):
        return _sqlite_fault(error, path)
    return _postgresql_fault(error)


def _sqlite_fault(error: sqlite3.Error, path: Path | None) -> LoomError | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code in _NOT_WRITTEN:
        where, free = ("", "") if path is None else (f" {path}", f"; {room_in(path.parent)}")
        return LoomError("DISK_FULL", f"The database{where} cannot be written: {_NO_ROOM}{free}.")
    if code == sqlite3.SQLITE_FULL and path is not None:
        return disk_full(path.parent)
    row = _SQLITE.get(code & 0xFF) if code is not None else None
    if row is None:
        return None
    file = "The database file" if path is None else f"The database file {path}"
    return LoomError(row[0], None if row[1] is None else row[1].replace("{file}", file))


def _postgresql_fault(error: BaseException) -> LoomError | None:
    state: str | None = getattr(error, "sqlstate", None)
    if state is not None:
        row = _POSTGRESQL.get(state)
        if row is None and state[:2] in _POSTGRESQL_CLASSES:
            row = (_POSTGRESQL_CLASSES[state[:2]], None)
        return None if row is None else LoomError(*row)
    if type(error).__name__ in {"OperationalError", "ConnectionTimeout", "PoolTimeout"}:
        return LoomError("DATABASE_UNREACHABLE")
    if type(error).__name__ == "DataError":  # by the driver itself, before the server heard of it
        return LoomError("REQUEST_INVALID", "The request holds a text that the database cannot take, with a NUL in it.")
    return None


@contextmanager
def faults_told(driver_error: Any, path: Path | None = None) -> Iterator[None]:
    """Turns errors of the database into `LoomError`; `driver_error` is the driver's own base class, `path` the file of
    an SQLite database."""
    try:
        yield
    except (DBAPIError, PoolTimeout, driver_error) as error:
        told = fault(error, path)
        if told is None:
            raise
        raise told from error
