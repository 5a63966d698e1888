"""The database: one writer and many readers for each process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine

from loom.errors import LoomError
from loom.store import schema
from loom.store.engines import make_reader, make_writer, parse_url, sqlite_path
from loom.store.faults import faults_told
from loom.store.values import shown_path

if TYPE_CHECKING:
    from loom.store.looking import Looking

BUSY_SECONDS = 30.0


class Database:
    """Use `open` or `open_readonly`. Every method may raise `DATABASE_BUSY` (another process, or a long write of this
    one, has held the database for `busy_seconds`), `DATABASE_UNREACHABLE`, `DATABASE_DAMAGED` or `DISK_FULL`."""

    def __init__(
        self,
        url: URL,
        reader: Engine,
        writer: Engine | None,
        busy_seconds: float = BUSY_SECONDS,
        looking: Looking | None = None,
    ) -> None:
        self._url = url
        self._reader = reader
        self._writer = writer
        self._busy_seconds = busy_seconds
        self._looking = looking
        self._writing = threading.Lock()
        self._driver_error = reader.dialect.loaded_dbapi.Error

    @classmethod
    def open(cls, url: str, *, migrate: bool = True, busy_seconds: float = BUSY_SECONDS) -> Database:
        """Opens the database, with `migrate` creating or updating its tables first; without, `DATABASE_OUTDATED` says
        that this is to be done. Raises `DATABASE_NEWER` when a newer Loom wrote it, `CONFIG_INVALID` for a URL that
        cannot be used, `EXTRA_MISSING` when PostgreSQL's driver is not installed."""
        parsed = parse_url(url)
        writer = make_writer(parsed, busy_seconds)
        database = cls(parsed, make_reader(parsed, busy_seconds), writer, busy_seconds)
        try:
            with faults_told(database._driver_error, database.path):
                database._bring_up_to_date(writer, migrate)
        except BaseException:
            database.close()
            raise
        return database

    def _bring_up_to_date(self, writer: Engine, migrate: bool) -> None:
        if not migrate and self.path is not None and not self.path.exists():
            raise LoomError("DATABASE_OUTDATED", "There is no database yet: run `loom migrate`.")
        with self._reader.connect() as connection, connection.begin():
            current = schema.is_current(connection)
        if not current and not migrate:
            raise LoomError("DATABASE_OUTDATED")
        if not current:
            schema.upgrade(writer)

    @classmethod
    def open_readonly(cls, url: str) -> Database:
        """Opens the database for looking only: nothing at all changes on the disk, beside it neither. What another
        process writes from now on may not be seen. Without a database, an empty one is offered."""
        from loom.store.looking import Looking

        parsed = parse_url(url)
        looking = Looking(sqlite_path(parsed)) if parsed.get_backend_name() == "sqlite" else None
        database = cls(parsed, make_reader(parsed, BUSY_SECONDS), None, looking=looking)
        try:
            with database.read() as connection:
                if not schema.is_current(connection):
                    raise LoomError("DATABASE_OUTDATED")
        except BaseException:
            database.close()
            raise
        return database

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        return sqlite_path(self._url) if self._url.get_backend_name() == "sqlite" else None

    @property
    def place(self) -> str:
        """Where it is, for people: a file, or host and name."""
        if self.path is not None:
            return shown_path(bytes(self.path))
        port = "" if self._url.port is None else f":{self._url.port}"
        return f"{self._url.host or 'localhost'}{port}/{self._url.database or ''}"

    @property
    def readonly(self) -> bool:
        return self._writer is None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with faults_told(self._driver_error, self.path), ExitStack() as stack:
            reader = self._reader if self._looking is None else stack.enter_context(self._looking.still())
            connection = stack.enter_context(reader.connect())
            stack.enter_context(connection.begin())
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writing transaction of this process: committed at the end of the block, undone by an exception."""
        if self._writer is None:
            raise LoomError("INTERNAL", "A database opened for looking only was to be written.")
        if not self._writing.acquire(timeout=self._busy_seconds):
            raise LoomError("DATABASE_BUSY", "Another part of this process has been writing for too long.")
        try:
            with faults_told(self._driver_error, self.path), self._writer.connect() as connection, connection.begin():
                yield connection
        finally:
            self._writing.release()

    def close(self) -> None:
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()
        if self._looking is not None:
            self._looking.close()
