"""Looking at an SQLite database without changing a byte of its folder.

Opened in the usual way, even read-only, SQLite in WAL mode leaves or touches files beside the database; opened as
immutable, it does not see what still stands in the `-wal`, and reads torn pages when somebody writes. So: immutable
as long as nobody can write during the read, which a shared lock sees to, and nothing stands in the `-wal`; else, from
then on, a copy in a temporary folder.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine

from loom.errors import LoomError
from loom.store.databaselock import Others, others_at
from loom.store.engines import make_immutable, make_writer, parse_url
from loom.store.faults import faults_told
from loom.store.schema import is_current, upgrade
from loom.store.scratch import Scratch

_TRIES = 10
_State = tuple[int, int, int]


class Looking:
    """A database file that is only looked at. Safe for threads; `close` it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._seen: _State | None = None
        self._scratch: Scratch | None = None

    @contextmanager
    def still(self) -> Iterator[Engine]:
        """An engine over a file that nobody writes before the end of the block. Raises `DATABASE_UNREACHABLE`,
        `DATABASE_BUSY`, `DATABASE_NEWER`; an older database is brought up to date in a copy."""
        with others_at(self._path) as others:
            try:
                engine = self._opened(others)
            except OSError as error:
                raise LoomError("DATABASE_UNREACHABLE", "The database file cannot be read.") from error
            yield engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        if self._scratch is not None:
            self._scratch.remove()

    def _opened(self, others: Others) -> Engine:
        with self._lock:
            if self._scratch is None:
                if others is not Others.NONE or not self._path.exists() or _has_content(_wal(self._path)):
                    self._copy(others)
                elif (state := _state(self._path)) != self._seen:
                    self._open(self._path)
                    self._seen = state
                    if not _is_current(self._engine):
                        self._copy(others)
            assert self._engine is not None
            return self._engine

    def _open(self, path: Path) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = make_immutable(path)

    def _copy(self, others: Others) -> None:
        scratch = Scratch("loom-looking-")
        copy = scratch.path / "loom.db"
        try:
            if self._path.exists():
                _fill(self._path, copy, others)
            _bring_up_to_date(copy)
        except BaseException:
            scratch.remove()
            raise
        self._scratch = scratch
        self._open(copy)


def copy_in_one_step(source: Path, copy: Path) -> None:
    """The state of a database that may be in use; in one step, so that a busy writer cannot make it start again and
    again. The copy has no `-wal`."""
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, timeout=30.0, uri=True)) as read, closing(sqlite3.connect(copy)) as written:
        read.backup(written)
        written.execute("PRAGMA journal_mode = DELETE")


def _fill(path: Path, copy: Path, others: Others) -> None:
    """SQLite itself copies where someone writes, as then the files that it needs beside the database are there."""
    if others is Others.NONE or not _with_suffix(path, "-shm").exists():
        _copy_files(path, copy)
    else:
        with faults_told(sqlite3.Error):
            copy_in_one_step(path, copy)


def _copy_files(path: Path, copy: Path) -> None:
    """The database and its `-wal`; again when the database was written to meanwhile: even who only reads, and is the
    last to close it, moves pages from one to the other."""
    for _ in range(_TRIES):
        before = _state(path)
        shutil.copyfile(path, copy)
        try:
            shutil.copyfile(_wal(path), _wal(copy))
        except FileNotFoundError:
            _wal(copy).unlink(missing_ok=True)
        if _state(path) == before:
            return
    raise LoomError("DATABASE_BUSY", "The database is written to too often to be copied for a dry run.")


def _bring_up_to_date(copy: Path) -> None:
    """Afterwards all content is in the one file, and its tables are current."""
    writer = make_writer(parse_url(f"sqlite:///{copy}"), 0.1)
    try:
        if not _is_current(writer):
            with faults_told(writer.dialect.loaded_dbapi.Error):
                upgrade(writer)
    finally:
        writer.dispose()


def _is_current(engine: Engine | None) -> bool:
    assert engine is not None
    with faults_told(engine.dialect.loaded_dbapi.Error), engine.connect() as connection:
        return is_current(connection)


def _state(path: Path) -> _State:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _wal(path: Path) -> Path:
    return _with_suffix(path, "-wal")


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0
