"""Whether what the database says of files is so.

Derived files and the originals on this host are compared with their rows, by their stat; with `read_data` their bytes
with their digests too. An original whose stat is what it was but whose bytes are not has rotted; one that was written
to and has its size still is the next ingest's business.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3
from sqlalchemy import Connection, exists, func, select

from loom.steering import SILENT_S
from loom.store import remedies
from loom.store.artifacts import ArtifactFiles
from loom.store.database import Database
from loom.store.locations import on_disk
from loom.store.tables import actions, artifacts, assets, directories, locations, result_artifacts, runs
from loom.store.values import ACTION_KINDS, BEGUN, PRESENT, RUNNING, clean, join_path, shown_path, signed

_PIECE = 1000
_READ = 256 * 1024
MOST_TOLD = 1000
"""Originals and folders that are told of one by one: a disk that is not mounted lacks them all."""


class Finding(NamedTuple):
    """Something that is not as it should be. `code` is one of `DATABASE_DAMAGED`, `ARTIFACT_MISSING`,
    `ARTIFACT_DAMAGED`, `ORIGINAL_MISSING`, `ORIGINAL_CHANGED` (its size), `BIT_ROT`, `ACTION_INTERRUPTED`; `subject` a
    path or digest. `remedy` says what helps, with its command."""

    code: str
    subject: str
    message: str
    remedy: str


@dataclass
class Verified:
    """What was looked at (numbers of things, bytes read), what was found (`amiss`: how many originals and folders are
    missing or changed, of which `MOST_TOLD` are findings), and what is merely worth knowing: derived files that no row
    names, and those whose row no result names (`prune` removes both), originals that were written to since, and that
    could not be read."""

    artifacts: int = 0
    locations: int = 0
    bytes_read: int = 0
    unnamed: int = 0
    unused: int = 0
    changed: int = 0
    unreadable: int = 0
    amiss: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def untold(self) -> int:
        """What was found beyond `findings`."""
        return max(0, self.amiss - MOST_TOLD)


class Folder(NamedTuple):
    number: int
    path: bytes


class Original(NamedTuple):
    """A file that is present as far as is known."""

    name: bytes
    size: int
    mtime_ns: int
    inode: int
    trusted: int
    blake3: bytes


def verify(database: Database, blobs: Path, host: str, *, read_data: bool = False) -> Verified:
    """Looks at everything and changes nothing."""
    verified = Verified()
    files = ArtifactFiles(blobs)
    with database.read() as connection:
        verified.findings.extend(_of_database(connection))
        verified.findings.extend(_of_actions(connection, host))
    for digest, size in _artifacts(database):
        found = _check_artifact(files, digest, size, read_data, verified)
        if found is not None:
            with database.read() as connection:
                remedy = remedies.of_artifact(connection, digest, host)
            verified.findings.append(Finding(found[0], digest.hex(), found[1], remedy))
    verified.unnamed, verified.unused = _count_unnamed(database, files), _count_unused(database)
    for folder in _folders(database, host):
        _check_folder(database, folder, read_data, verified)
    return verified


def _of_database(connection: Connection) -> Iterator[Finding]:
    """What the database's own checks say (SQLite; PostgreSQL has its own tools)."""
    if connection.dialect.name != "sqlite":
        return
    for (message,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if message != "ok":
            yield Finding("DATABASE_DAMAGED", "integrity_check", str(message), remedies.DATABASE)
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20):
        message = f"Row {row} refers to a row of {parent} that is not there."
        yield Finding("DATABASE_DAMAGED", str(table), message, remedies.DATABASE)


def _of_actions(connection: Connection, host: str) -> Iterator[Finding]:
    """What was begun with files of this host and is not told to have ended, though its run is over or silent."""
    since = (time.time_ns() // 1000) - int(SILENT_S * 1_000_000)
    heard = func.coalesce(runs.c.heard, runs.c.started) >= since
    goes_on = exists().where(runs.c.uuid == actions.c.run, runs.c.state == RUNNING, heard)
    begun = select(actions.c.origin, actions.c.target, actions.c.kind).where(
        actions.c.host == clean(host), actions.c.state == BEGUN, ~goes_on
    )
    for origin, target, kind in connection.execute(begun.order_by(actions.c.id).limit(MOST_TOLD)):
        message = f"It was about to be {_ABOUT_TO[ACTION_KINDS[kind]]} {shown_path(target)} when its process ended."
        yield Finding("ACTION_INTERRUPTED", shown_path(origin), message, remedies.INTERRUPTED)


_ABOUT_TO = {
    "moved": "moved to",
    "copied": "copied to",
    "wrote": "given",
    "removed": "removed in favour of",
}


def _artifacts(database: Database) -> Iterator[tuple[bytes, int]]:
    last = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(
                select(artifacts.c.id, artifacts.c.digest, artifacts.c.size)
                .where(artifacts.c.id > last)
                .order_by(artifacts.c.id)
                .limit(_PIECE)
            ).all()
        if not rows:
            return
        yield from ((row.digest, row.size) for row in rows)
        last = rows[-1].id


def _check_artifact(
    files: ArtifactFiles, digest: bytes, size: int, read_data: bool, verified: Verified
) -> tuple[str, str] | None:
    """The code and the message of what is wrong with it."""
    verified.artifacts += 1
    path = files.path(digest)
    try:
        found = path.stat().st_size
        actual = _digest_of(path, verified) if read_data and found == size else digest
    except OSError as error:
        return "ARTIFACT_MISSING", f"The derived file cannot be read: {error.strerror}."
    if found != size:
        return "ARTIFACT_DAMAGED", f"The derived file has {found} bytes instead of {size}."
    return None if actual == digest else ("ARTIFACT_DAMAGED", "The derived file has other bytes.")


def _count_unnamed(database: Database, files: ArtifactFiles) -> int:
    with database.read() as connection:
        return sum(
            connection.execute(select(artifacts.c.id).where(artifacts.c.digest == digest)).first() is None
            for digest, _ in files.names()
        )


def _count_unused(database: Database) -> int:
    named = exists().where(result_artifacts.c.artifact == artifacts.c.id)
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(artifacts).where(~named)).scalar_one()


def _folders(database: Database, host: str) -> list[Folder]:
    """Number and path of each folder of the host; what lies in stores and on the web is not looked at."""
    statement = select(directories.c.id, directories.c.path).where(directories.c.host == clean(host), on_disk())
    with database.read() as connection:
        return [Folder(*row) for row in connection.execute(statement.order_by(directories.c.path))]


def _check_folder(database: Database, folder: Folder, read_data: bool, verified: Verified) -> None:
    """The originals in a folder; where it is gone itself, that is told once."""
    is_there = os.path.lexists(folder.path)
    gone = 0
    for original in _originals(database, folder.number):
        verified.locations += 1
        if is_there:
            _check_original(join_path(folder.path, original.name), original, read_data, verified)
        else:
            gone += 1
    if gone:
        message = f"The folder is gone, and {gone} files with it."
        _tell(verified, "ORIGINAL_MISSING", folder.path, message, remedies.of_missing(folder.path))


def _originals(database: Database, folder: int) -> Iterator[Original]:
    columns = (locations.c.name, locations.c.size, locations.c.mtime_ns, locations.c.inode, locations.c.trusted)
    statement = (
        select(*columns, assets.c.blake3)
        .join(assets, assets.c.id == locations.c.asset)
        .where(locations.c.directory == folder, locations.c.state == PRESENT)
        .order_by(locations.c.name)
        .limit(_PIECE)
    )
    last = b""
    while True:
        with database.read() as connection:
            rows = [Original(*row) for row in connection.execute(statement.where(locations.c.name > last))]
        yield from rows
        if len(rows) < _PIECE:
            return
        last = rows[-1].name


def _check_original(path: bytes, original: Original, read_data: bool, verified: Verified) -> None:
    try:
        found = _stat(path)
        if found[0] != original.size:
            message = f"The file has {found[0]} bytes; it had {original.size} when it was ingested."
            _tell(verified, "ORIGINAL_CHANGED", path, message, remedies.of_changed(path))
        elif found != (original.size, original.mtime_ns, original.inode):
            verified.changed += 1
        elif read_data and original.trusted and _has_rotted(path, original, verified):
            message = "The file has other bytes than when it was ingested, though it was not written to since."
            verified.findings.append(Finding("BIT_ROT", shown_path(path), message, remedies.of_rot(path)))
    except (FileNotFoundError, NotADirectoryError):
        _tell(verified, "ORIGINAL_MISSING", path, "The file is gone.", remedies.of_missing(path))
    except OSError:
        verified.unreadable += 1


def _has_rotted(path: bytes, original: Original, verified: Verified) -> bool:
    digest = _digest_of(Path(os.fsdecode(path)), verified)
    return digest != original.blake3 and _stat(path) == (original.size, original.mtime_ns, original.inode)


def _tell(verified: Verified, code: str, path: bytes, message: str, remedy: str) -> None:
    verified.amiss += 1
    if verified.amiss <= MOST_TOLD:
        verified.findings.append(Finding(code, shown_path(path), message, remedy))


def _stat(path: bytes) -> tuple[int, int, int]:
    """Size, mtime and inode as they are stored."""
    found = Path(os.fsdecode(path)).stat(follow_symlinks=False)
    return signed(found.st_size), signed(found.st_mtime_ns), signed(found.st_ino)


def _digest_of(path: Path, verified: Verified) -> bytes:
    """Read without mmap: a file that is cut short meanwhile would kill the process."""
    hasher = blake3()
    buffer = bytearray(_READ)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(memoryview(buffer)[:count])
            verified.bytes_read += count
    return hasher.digest()
