"""Backup to one file and back: a tar archive of the database and the derived files that it names.

The copy of the database is made by SQLite itself, so it is consistent while others write; derived files are kept from
being removed meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from blake3 import blake3

from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError
from loom.store.artifacts import ArtifactFiles, sync_folder
from loom.store.database import Database
from loom.store.engines import parse_url, sqlite_path
from loom.store.looking import copy_in_one_step
from loom.store.scratch import RESTORING, Scratch

_DATABASE = "loom.db"
_BLOB = re.compile(r"blobs/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_READ = 1024 * 1024


class Copied(NamedTuple):
    """What a backup holds or a restore has put in place: derived files, and bytes of all."""

    artifacts: int
    bytes: int


def backup(database: Database, blobs: Path, target: Path) -> Copied:
    """Writes the archive beside `target` first, then renames it. Raises `NOT_EMPTY` when `target` exists, `NOT_FOUND`
    when its folder does not, `BACKUP_UNSUPPORTED` for PostgreSQL, `BACKUP_INVALID` when a derived file is missing,
    `DISK_FULL`, `FILE_UNREADABLE`."""
    if database.path is None:
        raise LoomError(
            "BACKUP_UNSUPPORTED",
            "Backups of a PostgreSQL database are made with pg_dump; copy the folder of derived files after it.",
        )
    if target.exists():
        raise LoomError("NOT_EMPTY", f"{target} exists already and is not overwritten.")
    folder = target.absolute().parent
    if not folder.is_dir():
        raise LoomError("NOT_FOUND", f"There is no folder {folder}.")
    files = ArtifactFiles(blobs)
    with _faults_told(folder), Scratch(".loom-backup-", folder) as scratch:
        archive, copy = scratch.path / "archive", scratch.path / _DATABASE
        with files.lock(alone=False):
            copy_in_one_step(database.path, copy)
            archive.touch(0o600)  # it tells all that the data folder keeps to its owner
            copied = _write(archive, copy, files)
        with archive.open("rb") as written:
            os.fsync(written.fileno())
        archive.rename(target)
        sync_folder(folder)
    return copied


def target_of(url: str) -> Path:
    """Where a database of that URL is restored to. Raises `BACKUP_UNSUPPORTED` for PostgreSQL, `CONFIG_INVALID`."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise LoomError("BACKUP_UNSUPPORTED", "A PostgreSQL database is restored with pg_restore.")
    return sqlite_path(parsed)


def restore(archive: Path, database: Path, blobs: Path) -> Copied:
    """Puts a backup in place; nobody else may be using the data folder. Raises `NOT_EMPTY` when there is a database
    that holds anything, `BACKUP_INVALID` when the archive is not a whole backup, `DATABASE_NEWER`."""
    _refuse_overwriting(database)
    place = database.absolute().parent
    with _faults_told(place), Scratch(RESTORING, place) as scratch:
        folder = scratch.path
        copied = _unpack(archive, folder)
        _check(folder)
        if (folder / "blobs").is_dir():
            _move_blobs(folder / "blobs", blobs)
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        (folder / _DATABASE).rename(database)
        sync_folder(database.absolute().parent)
    return copied


def _named(database: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(database)) as connection:
        yield from (row[0] for row in connection.execute("SELECT digest FROM artifacts ORDER BY digest"))


def _write(archive: Path, copy: Path, files: ArtifactFiles) -> Copied:
    count, size = 0, copy.stat().st_size
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(copy, _DATABASE, recursive=False)
        for digest in _named(copy):
            path = files.path(digest)
            if not path.is_file():
                raise LoomError("BACKUP_INVALID", f"The derived file {digest.hex()} is missing: see `loom verify`.")
            tar.add(path, f"blobs/{path.parent.name}/{path.name}", recursive=False)
            count, size = count + 1, size + path.stat().st_size
    return Copied(count, size)


def _refuse_overwriting(database: Path) -> None:
    if not database.exists():
        return
    held = Database.open_readonly(f"sqlite:///{database}")
    try:
        with held.read() as connection:
            filled = [
                table
                for table in ("assets", "runs", "pipelines")
                if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first() is not None  # noqa: S608
            ]
    finally:
        held.close()
    if filled:
        raise LoomError("NOT_EMPTY", f"{database} holds {' and '.join(filled)} and is not overwritten.")


def _unpack(archive: Path, folder: Path) -> Copied:
    """Takes out regular files with the names that a backup has, nothing else; checks derived files as they come."""
    count = size = 0
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                blob = _BLOB.fullmatch(member.name)
                source = tar.extractfile(member) if member.isreg() else None
                if source is None or (blob is None and member.name != _DATABASE):
                    raise LoomError("BACKUP_INVALID", "The archive holds something that no backup holds.")
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = _extract(source, target)
                if blob is not None and digest != blob.group(2):
                    raise LoomError("BACKUP_INVALID", f"The derived file {blob.group(2)} is damaged in the backup.")
                count, size = count + (blob is not None), size + member.size
    except (tarfile.TarError, EOFError) as error:
        raise LoomError("BACKUP_INVALID") from error
    return Copied(count, size)


def _extract(source: IO[bytes], target: Path) -> str:
    hasher = blake3()
    with target.open("xb") as file:
        while piece := source.read(_READ):
            hasher.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return hasher.hexdigest()


def _check(folder: Path) -> None:
    """Whether the archive was whole: a database of a version that is known, sound, and all files that it names."""
    copy = folder / _DATABASE
    if not copy.is_file():
        raise LoomError("BACKUP_INVALID")
    Database.open_readonly(f"sqlite:///{copy}").close()
    with closing(sqlite3.connect(copy)) as connection:
        if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise LoomError("BACKUP_INVALID", "The database in the backup is damaged.")
    files = ArtifactFiles(folder / "blobs")
    if any(not files.path(digest).is_file() for digest in _named(copy)):
        raise LoomError("BACKUP_INVALID", "Derived files are missing in the backup.")


def _move_blobs(source: Path, blobs: Path) -> None:
    blobs.mkdir(parents=True, exist_ok=True)
    for part in sorted(source.iterdir()):
        (blobs / part.name).mkdir(exist_ok=True)
        for file in part.iterdir():
            shutil.move(file, blobs / part.name / file.name)
        sync_folder(blobs / part.name)
    sync_folder(blobs)


@contextmanager
def _faults_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LoomError("BACKUP_INVALID", "The database could not be copied or read.") from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(folder) from error
        file = error.filename or "A file of the backup"
        raise LoomError("FILE_UNREADABLE", f"{file} cannot be used: {error.strerror}.") from error
