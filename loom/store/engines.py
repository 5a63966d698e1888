"""Engines: how SQLite and PostgreSQL are opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from loom.errors import LoomError

READERS = 8
CACHE_KIB = 8192
"""Of each SQLite connection."""


def parse_url(url: str) -> URL:
    """The URL with its driver named. Raises `CONFIG_INVALID` for a database that is not supported."""
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise LoomError("CONFIG_INVALID", "The database's URL cannot be understood.") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise LoomError("CONFIG_INVALID", f"Databases of the kind {backend!r} are not supported.")
    if parsed.database in (None, "", ":memory:"):
        raise LoomError("CONFIG_INVALID", "The database must be a file: sqlite:///path/to/loom.db")
    return parsed.set(drivername="sqlite+pysqlite")


def sqlite_path(url: URL) -> Path:
    return Path(url.database or "")


def make_writer(url: URL, busy_seconds: float) -> Engine:
    """An engine with a single connection, each transaction of which is a writing one from its start."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(sqlite_path(url), busy_seconds, begin="BEGIN IMMEDIATE", pool_size=1)
    return _postgresql(url, busy_seconds, pool_size=1)


def make_reader(url: URL, busy_seconds: float) -> Engine:
    """An engine whose transactions see one state of the database throughout and change nothing."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(sqlite_path(url), busy_seconds, begin="BEGIN", pool_size=READERS)
    return _postgresql(url, busy_seconds, pool_size=READERS, isolation_level="REPEATABLE READ", read_only=True)


def make_immutable(path: Path) -> Engine:
    """Reads an SQLite file of which nobody writes; leaves no trace beside it."""
    return _sqlite(path, 0.0, begin="BEGIN", pool_size=READERS, immutable=True)


def _sqlite(path: Path, busy_seconds: float, *, begin: str, pool_size: int, immutable: bool = False) -> Engine:
    query = {"mode": "ro", "immutable": "1", "uri": "true"} if immutable else {}
    database = path.absolute().as_uri() if immutable else str(path)
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=database, query=query),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=max(busy_seconds, 0.1),
    )
    writes = begin == "BEGIN IMMEDIATE"

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own: see `begin_as_told`
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
        else:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin_as_told(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)  # the driver's own: a third of the time of a small question

    return engine


def _postgresql(
    url: URL, busy_seconds: float, *, pool_size: int, isolation_level: str = "READ COMMITTED", read_only: bool = False
) -> Engine:
    options = f"-c lock_timeout={int(busy_seconds * 1000)} -c client_min_messages=warning"
    if read_only:
        options += " -c default_transaction_read_only=on"
    try:
        return create_engine(
            url,
            paramstyle="format",
            isolation_level=isolation_level,
            connect_args={"connect_timeout": 10, "options": options},
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=max(busy_seconds, 0.1),
            pool_pre_ping=True,
        )
    except ImportError as error:
        raise LoomError(
            "EXTRA_MISSING", "PostgreSQL needs the extra `postgres`: pip install 'loom-cortex[postgres]'"
        ) from error
