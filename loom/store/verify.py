"""Whether what the database says of files is so.

Derived files are compared with their rows; with `read_data` their bytes with their digests, and the bytes of the
originals on this host with their assets. An original whose stat is what it was but whose bytes are not has rotted; one
whose stat has changed is the next ingest's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3
from sqlalchemy import Connection, select

from loom.store.artifacts import ArtifactFiles
from loom.store.database import Database
from loom.store.tables import artifacts, assets, directories, locations
from loom.store.values import PRESENT, clean, join_path, shown_path, signed

_PIECE = 1000
_READ = 256 * 1024


class Finding(NamedTuple):
    """Something that is not as it should be. `code` is one of `DATABASE_DAMAGED`, `ARTIFACT_MISSING`,
    `ARTIFACT_DAMAGED`, `BIT_ROT`; `subject` a path or digest."""

    code: str
    subject: str
    message: str


@dataclass
class Verified:
    """What was looked at (numbers of things, bytes read), what was found, and what is merely worth knowing: derived
    files that no row names (`prune` removes them), originals that have changed, and that could not be read."""

    artifacts: int = 0
    locations: int = 0
    bytes_read: int = 0
    unnamed: int = 0
    changed: int = 0
    unreadable: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(database: Database, blobs: Path, host: str, *, read_data: bool = False) -> Verified:
    """Looks at everything and changes nothing."""
    verified = Verified()
    files = ArtifactFiles(blobs)
    with database.read() as connection:
        verified.findings.extend(_of_database(connection))
    for digest, size in _artifacts(database):
        _check_artifact(files, digest, size, read_data, verified)
    verified.unnamed = _count_unnamed(database, files)
    if read_data:
        for path, stat, digest in _originals(database, host):
            _check_original(path, stat, digest, verified)
    return verified


def _of_database(connection: Connection) -> Iterator[Finding]:
    """What the database's own checks say (SQLite; PostgreSQL has its own tools)."""
    if connection.dialect.name != "sqlite":
        return
    for (message,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if message != "ok":
            yield Finding("DATABASE_DAMAGED", "integrity_check", str(message))
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20):
        yield Finding("DATABASE_DAMAGED", str(table), f"Row {row} refers to a row of {parent} that is not there.")


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


def _check_artifact(files: ArtifactFiles, digest: bytes, size: int, read_data: bool, verified: Verified) -> None:
    verified.artifacts += 1
    path = files.path(digest)
    try:
        found = path.stat().st_size
        actual = _digest_of(path, verified) if read_data and found == size else digest
    except OSError as error:
        message = f"The derived file cannot be read: {error.strerror}."
        verified.findings.append(Finding("ARTIFACT_MISSING", digest.hex(), message))
        return
    if found != size:
        message = f"The derived file has {found} bytes instead of {size}."
        verified.findings.append(Finding("ARTIFACT_DAMAGED", digest.hex(), message))
    elif actual != digest:
        verified.findings.append(Finding("ARTIFACT_DAMAGED", digest.hex(), "The derived file has other bytes."))


def _count_unnamed(database: Database, files: ArtifactFiles) -> int:
    with database.read() as connection:
        return sum(
            connection.execute(select(artifacts.c.id).where(artifacts.c.digest == digest)).first() is None
            for digest, _ in files.names()
        )


Stat = tuple[int, int, int]


def _originals(database: Database, host: str) -> Iterator[tuple[bytes, Stat, bytes]]:
    """Path, stat (size, mtime, inode) and digest of every present file of this host whose stat can be trusted."""
    with database.read() as connection:
        numbers = connection.execute(select(directories.c.id).where(directories.c.host == clean(host))).scalars().all()
    for number in numbers:
        with database.read() as connection:
            rows = connection.execute(
                select(directories.c.path, locations, assets.c.blake3)
                .join(directories, directories.c.id == locations.c.directory)
                .join(assets, assets.c.id == locations.c.asset)
                .where(locations.c.directory == number, locations.c.state == PRESENT, locations.c.trusted == 1)
            ).all()
        for row in rows:
            yield join_path(row.path, row.name), (row.size, row.mtime_ns, row.inode), row.blake3


def _check_original(path: bytes, stat: Stat, digest: bytes, verified: Verified) -> None:
    verified.locations += 1
    file = Path(os.fsdecode(path))
    try:
        if _stat(file) != stat:
            verified.changed += 1
            return
        actual = _digest_of(file, verified)
        if actual != digest and _stat(file) == stat:
            message = "The file has other bytes than when it was ingested, though it was not written to since."
            verified.findings.append(Finding("BIT_ROT", shown_path(path), message))
    except OSError:
        verified.unreadable += 1


def _stat(file: Path) -> Stat:
    found = file.stat(follow_symlinks=False)
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
