"""Derived files: content-addressed, under `<folder>/<2 hex>/<hex>`, and their rows.

A file is written under a temporary name, synced with the rest of its group and renamed before its row is committed, so
a row always has its file. What is too large for memory is copied piece by piece out of the file in which it lies. All
who write hold the folder's lock shared; who removes files holds it alone.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
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
from loom.verbs import Descriptor, NewArtifact, Parts

_GROUP = 64


class ArtifactFiles:
    """The folder of derived files; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._temporary = folder / ".new"

    def path(self, digest: bytes) -> Path:
        return Path(self._place(digest))

    def _place(self, digest: bytes) -> str:
        """The path as text, made without the many small steps of `Path`."""
        name = digest.hex()
        return f"{self.folder}/{name[:2]}/{name}"

    def keep(self, new: Sequence[NewArtifact]) -> None:
        """Writes files that are not there yet, or no longer whole; when it returns they are on the disk. The caller
        holds the lock. Raises `DIGEST_MISMATCH`, before anything is written or, of what is not in memory, named;
        `DISK_FULL`."""
        wanted = {artifact.digest: artifact for artifact in new}
        held = [artifact for artifact in wanted.values() if artifact.parts is None]
        if any(blake3(artifact.data).digest() != artifact.digest for artifact in held):
            raise LoomError("DIGEST_MISMATCH")
        missing = [artifact for artifact in wanted.values() if not self._has(artifact)]
        with _disk_faults_told(self.folder):
            for start in range(0, len(missing), _GROUP):
                self._write_group(missing[start : start + _GROUP])
            # also of files that were there: who renamed them may have been killed before this
            for folder in {os.path.dirname(self._place(digest)) for digest in wanted}:
                sync_folder(folder)
            sync_folder(self.folder)

    def read(self, digest: bytes) -> bytes:
        """Raises `NOT_FOUND`, `READ_FAILED`."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise LoomError("NOT_FOUND", f"The derived file {digest.hex()} is not there.") from None
        except OSError as error:
            raise LoomError("READ_FAILED", f"The derived file {digest.hex()} cannot be read.") from error

    def opened(self, digest: bytes) -> Parts:
        """The same, open. Raises `NOT_FOUND`, `READ_FAILED`."""
        try:
            return Parts.whole(os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            raise LoomError("NOT_FOUND", f"The derived file {digest.hex()} is not there.") from None
        except OSError as error:
            raise LoomError("READ_FAILED", f"The derived file {digest.hex()} cannot be read.") from error

    def unnamed(self) -> Descriptor:
        """An empty file without a name, for what is to be kept later; gone once it is closed. Raises `DISK_FULL`."""
        with _disk_faults_told(self.folder):
            self._temporary.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._temporary) as file:
                return Descriptor(os.dup(file.fileno()))

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

    def _has(self, artifact: NewArtifact) -> bool:
        try:
            if os.stat(self._place(artifact.digest)).st_size != artifact.size:  # noqa: PTH116
                return False
            if artifact.parts is None:
                return self.path(artifact.digest).read_bytes() == artifact.data
            return self.opened(artifact.digest).digest() == artifact.digest
        except (OSError, LoomError):  # not there, or rotten so that it cannot be read: a new one takes its place
            return False

    def _write_group(self, group: Sequence[NewArtifact]) -> None:
        opened: list[tuple[int, str, str]] = []
        try:
            for artifact in group:
                temporary = f"{self._temporary}/{uuid4().hex}"
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                opened.append((descriptor, temporary, self._place(artifact.digest)))
                _copy(descriptor, artifact)
                _begin_to_write(descriptor)
            for descriptor, _, _ in opened:
                os.fsync(descriptor)
            while opened:
                descriptor, temporary, path = opened[-1]
                _rename(temporary, path)
                opened.pop()
                os.close(descriptor)
        finally:
            for descriptor, temporary, _ in opened:
                os.close(descriptor)
                with suppress(FileNotFoundError):
                    os.unlink(temporary)


def remember(connection: Connection, new: Sequence[NewArtifact], now: int) -> None:
    """Makes the rows of files that are kept."""
    rows = {a.digest: (a.digest, a.media_type, a.size, now) for a in new}
    upsert(connection, artifacts, sorted(rows.values()), keep=("media_type",))


def media_type_of(connection: Connection, digest: bytes) -> str:
    """Raises `NOT_FOUND`."""
    found = connection.execute(select(artifacts.c.media_type).where(artifacts.c.digest == digest)).scalar()
    if found is None:
        raise LoomError("NOT_FOUND", f"There is no derived file {digest.hex()}.")
    return str(found)


def sync_folder(folder: Path | str) -> None:
    """Makes the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begin_to_write(descriptor: int) -> None:
    """Has the system bring what was written to the disk while the rest of the group is written: to wait for one file
    after the other then takes no longer than to wait for all at once in many threads."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _rename(temporary: str, path: str) -> None:
    """The folder is made when it turns out not to be there."""
    try:
        os.rename(temporary, path)  # noqa: PTH104
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        os.rename(temporary, path)  # noqa: PTH104


def _copy(descriptor: int, artifact: NewArtifact) -> None:
    """Raises `DIGEST_MISMATCH` for parts of a file that has other bytes by now."""
    hasher = blake3()
    for piece in artifact.pieces():
        if artifact.parts is not None:
            hasher.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
    if artifact.parts is not None and hasher.digest() != artifact.digest:
        raise LoomError("DIGEST_MISMATCH")


@contextmanager
def _disk_faults_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(folder) from error
        raise LoomError("DATABASE_UNREACHABLE", f"Derived files cannot be written: {error.strerror}.") from error
