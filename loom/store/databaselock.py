"""The lock of an SQLite database, beside its file, as several data folders may name the same database: who may write
holds it alone, who looks on shares it for the moment of a read."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from loom.errors import LoomError
from loom.store.datafolder import DataFolderLocked, Holder, holder_of

_WAIT_S = 5.0
"""For how long those who look on are waited for: each of their reads is short."""

_LOOK_S = 0.01


class Others(Enum):
    """What is known of others who may write a database."""

    NONE = "none, until the lock is let go"
    UNKNOWN = "unknown: the database has no lock"
    THERE = "one holds it"


def lock_of(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


@contextmanager
def hold_database(database: Path, data_folder: Path) -> Iterator[None]:
    """Nobody else writes this database until the end of the block. `data_folder` is that of this process. Raises
    `DataFolderLocked` with who holds it, `DATABASE_UNREACHABLE`."""
    try:
        descriptor = os.open(lock_of(database), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"The database {database} cannot be locked: {error.strerror}."
        raise LoomError("DATABASE_UNREACHABLE", message) from error
    try:
        if not _take(descriptor):
            raise DataFolderLocked(_holder(descriptor))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, os.fsencode(data_folder.absolute()), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def others_at(database: Path) -> Iterator[Others]:
    """Whether somebody may write the database meanwhile. Never waits and changes nothing."""
    try:
        descriptor = os.open(lock_of(database), os.O_RDONLY)
    except OSError:
        yield Others.UNKNOWN
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found = Others.THERE
        else:
            found = Others.NONE
        yield found
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    """False when another process holds the lock alone."""
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(_LOOK_S)
        else:
            return True
    return False


def _holder(descriptor: int) -> Holder:
    folder = os.pread(descriptor, 4096, 0)
    if not folder:
        return Holder(None, None)
    path = Path(os.fsdecode(folder))
    return holder_of(path)._replace(folder=path)
