"""Derived files: content-addressed, under `<folder>/<2 hex>/<hex>`, and their rows.

A file is written under a temporary name, synced with the rest of its group and renamed before its row is committed, so
a row always has its file. All who write hold the folder's lock shared; who removes files holds it alone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from blake3 import blake3
from sqlalchemy import Connection, select

from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError
from loom.store.statements import upsert
from loom.store.tables import artifacts
from loom.verbs import NewArtifact

_GROUP = 64


class ArtifactFiles:
    """The folder of derived files; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._temporary = folder / ".new"

    def path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / name[:2] / name

    def keep(self, new: Sequence[NewArtifact]) -> None:
        """Writes files that are not there yet, or no longer whole; when it returns they are on the disk. The caller
        holds the lock. Raises `DIGEST_MISMATCH` before anything is written, `DISK_FULL`."""
        wanted = {artifact.digest: artifact.data for artifact in new}
        if any(blake3(data).digest() != digest for digest, data in wanted.items()):
            raise LoomError("DIGEST_MISMATCH")
        missing = [(digest, data) for digest, data in wanted.items() if not self._has(digest, data)]
        with _disk_faults_told(self.folder):
            for start in range(0, len(missing), _GROUP):
                self._write_group(missing[start : start + _GROUP])
            # also of files that were there: who renamed them may have been killed before this
            for folder in {self.folder, *(self.path(digest).parent for digest in wanted)}:
                sync_folder(folder)

    def read(self, digest: bytes) -> bytes:
        """Raises `NOT_FOUND`, `READ_FAILED`."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise LoomError("NOT_FOUND", f"The derived file {digest.hex()} is not there.") from None
        except OSError as error:
            raise LoomError("READ_FAILED", f"The derived file {digest.hex()} cannot be read.") from error

    @contextmanager
    def lock(self, *, alone: bool) -> Iterator[None]:
        """Shared for those who write or copy, alone for who removes."""
        with _disk_faults_told(self.folder):
            self._temporary.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def sweep(self) -> int:
        """Removes what killed writers left; returns how many files. Does nothing while someone writes."""
        if not self._temporary.is_dir():
            return 0
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self.sweep_locked()
        except BlockingIOError:
            return 0
        finally:
            os.close(descriptor)

    def sweep_locked(self) -> int:
        """The same for who holds the lock alone."""
        leftovers = list(self._temporary.iterdir())
        for file in leftovers:
            file.unlink(missing_ok=True)
        return len(leftovers)

    def names(self) -> Iterator[tuple[bytes, Path]]:
        """Digest and path of every file there is."""
        if not self.folder.is_dir():
            return
        for part in sorted(self.folder.iterdir()):
            if len(part.name) != 2 or not part.is_dir():
                continue
            for file in sorted(part.iterdir()):
                with suppress(ValueError):
                    yield bytes.fromhex(file.name), file

    def _has(self, digest: bytes, data: bytes) -> bool:
        try:
            return self.path(digest).stat().st_size == len(data) and self.path(digest).read_bytes() == data
        except OSError:  # not there, or rotten so that it cannot be read: a new one takes its place
            return False

    def _write_group(self, group: Sequence[tuple[bytes, bytes]]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        opened: list[tuple[int, Path, Path]] = []
        try:
            for digest, data in group:
                temporary = self._temporary / uuid4().hex
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                opened.append((descriptor, temporary, self.path(digest)))
                _write_all(descriptor, data)
            # side by side, so that the file system joins them
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(os.fsync, [descriptor for descriptor, _, _ in opened]))
            for _, temporary, path in opened:
                path.parent.mkdir(exist_ok=True)
                temporary.rename(path)
        finally:
            for descriptor, temporary, _ in opened:
                os.close(descriptor)
                temporary.unlink(missing_ok=True)


def remember(connection: Connection, new: Sequence[NewArtifact], now: int) -> None:
    """Makes the rows of files that are kept."""
    rows = {a.digest: (a.digest, a.media_type, len(a.data), now) for a in new}
    upsert(connection, artifacts, sorted(rows.values()), keep=("media_type",))


def media_type_of(connection: Connection, digest: bytes) -> str:
    """Raises `NOT_FOUND`."""
    found = connection.execute(select(artifacts.c.media_type).where(artifacts.c.digest == digest)).scalar()
    if found is None:
        raise LoomError("NOT_FOUND", f"There is no derived file {digest.hex()}.")
    return str(found)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


@contextmanager
def _disk_faults_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(folder) from error
        raise LoomError("DATABASE_UNREACHABLE", f"Derived files cannot be written: {error.strerror}.") from error
