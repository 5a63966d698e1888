"""Looking at an SQLite database without changing a byte of its folder.

Opened in the usual way, even read-only, SQLite in WAL mode leaves or touches files beside the database; opened as
immutable, it does not see what still stands in the `-wal`. So: immutable when there is no such file or an empty one,
else a copy of both in a temporary folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from loom.errors import LoomError
from loom.store.engines import make_immutable, make_writer, parse_url
from loom.store.faults import faults_told
from loom.store.schema import is_current, upgrade


def open_for_looking(path: Path) -> tuple[Path, TemporaryDirectory[str] | None]:
    """The file that may be opened as immutable, and the temporary folder that holds it if it is not the database
    itself. A database of an older version is copied too, and the copy brought up to date."""
    try:
        if not path.exists():
            return _in_scratch(lambda copy: None)
        if not _has_content(_wal(path)) and _is_current(path):
            return path, None
        return _in_scratch(lambda copy: _copy(path, copy))
    except OSError as error:
        raise LoomError("DATABASE_UNREACHABLE", "The database file cannot be read.") from error


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _is_current(path: Path) -> bool:
    engine = make_immutable(path)
    try:
        with faults_told(engine.dialect.loaded_dbapi.Error), engine.connect() as connection:
            return is_current(connection)
    finally:
        engine.dispose()


def _in_scratch(fill: Callable[[Path], None]) -> tuple[Path, TemporaryDirectory[str]]:
    """A database in a temporary folder; opened once for writing, so that all its content is in the one file and its
    tables are current."""
    scratch = TemporaryDirectory(prefix="loom-")
    copy = Path(scratch.name) / "loom.db"
    writer = make_writer(parse_url(f"sqlite:///{copy}"), 0.1)
    try:
        fill(copy)
        with faults_told(writer.dialect.loaded_dbapi.Error):
            upgrade(writer)
    except BaseException:
        writer.dispose()
        scratch.cleanup()
        raise
    writer.dispose()
    return copy, scratch


def _copy(path: Path, copy: Path) -> None:
    """Copies the database and its `-wal`; again when the database was written to meanwhile, for a checkpoint moves
    pages from one to the other."""
    for _ in range(10):
        before = path.stat().st_mtime_ns
        shutil.copyfile(path, copy)
        try:
            shutil.copyfile(_wal(path), _wal(copy))
        except FileNotFoundError:
            _wal(copy).unlink(missing_ok=True)
        if path.stat().st_mtime_ns == before:
            return
    raise LoomError("DATABASE_BUSY", "The database is written to too often to be copied for a dry run.")
