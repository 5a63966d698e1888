"""The data folder: the embedded database, derived files, the token, and a lock that says who holds it all."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError


class Holder(NamedTuple):
    """The process that holds a data folder, or a database with another data folder, `folder`, than one's own; `address`
    (host:port) once it serves."""

    pid: int | None
    address: str | None
    folder: Path | None = None


class DataFolderLocked(LoomError):  # noqa: N818
    """`DATA_FOLDER_LOCKED`, with who holds it."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        who = f"process {holder.pid}" if holder.pid is not None else "another process"
        where = f", which serves at {holder.address}" if holder.address else ""
        what = "data folder" if holder.folder is None else "database"
        whose = "" if holder.folder is None else f" with the data folder {holder.folder}"
        super().__init__("DATA_FOLDER_LOCKED", f"The {what} is held by {who}{whose}{where}.")

    @property
    def address(self) -> str | None:
        return self.holder.address

    def with_another_token(self) -> LoomError:
        """For one who has called the holder and was not let in."""
        told = "LOOM_TOKEN to the token that it was started with"
        if self.holder.folder is not None:
            told = "LOOM_DATA_DIR to that data folder, or LOOM_TOKEN to what `loom token` prints with it"
        return LoomError(self.code, f"{self.message.removesuffix('.')} and takes another token: set {told}.")

    def __reduce__(self) -> tuple[type[DataFolderLocked], tuple[Holder]]:  # type: ignore[override]
        return type(self), (self.holder,)


class DataFolder:
    """A data folder that this process holds until `close`; the system lets go of it when the process dies."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> Self:
        """Makes the folder (for this user alone) when there is none, and takes hold of it. Raises
        `DataFolderLocked`, `DISK_FULL`, `DATABASE_UNREACHABLE` when the folder cannot be made or written."""
        with _faults_told(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataFolderLocked(holder_of(path)) from None
        folder = cls(path, descriptor)
        with _faults_told(path):
            folder._write_lock(None)
        return folder

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'loom.db'}"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    def token(self) -> str:
        """The token of this Loom, made at the first start, readable for this user alone."""
        return self._made_once("token", secrets.token_urlsafe(32))

    def identity(self) -> str:
        """A name that no other data folder has, and that goes with this one when it is moved or copied."""
        return self._made_once("id", secrets.token_hex(16))

    def _made_once(self, name: str, made: str) -> str:
        kept = _read(self.path / name)
        if kept is not None:
            return kept
        temporary = self.path / f"{name}.{os.getpid()}"
        with _faults_told(self.path):
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, made.encode("ascii") + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self.path / name)
        return made

    def set_address(self, address: str | None) -> None:
        """Tells others where this process serves (host:port), or that it no longer does."""
        with _faults_told(self.path):
            self._write_lock(address)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_lock(self, address: str | None) -> None:
        content = f"{os.getpid()}\n{address or ''}\n".encode()
        os.pwrite(self._descriptor, content, 0)
        os.ftruncate(self._descriptor, len(content))


def holder_of(path: Path) -> Holder:
    """Who holds the data folder, as far as its lock file tells."""
    try:
        lines = (path / "lock").read_text("utf-8", "replace").split("\n")
    except OSError:
        return Holder(None, None)
    pid = int(lines[0]) if lines[0].isdecimal() else None
    address = lines[1] if len(lines) > 1 and lines[1] else None
    return Holder(pid, address)


def read_token(path: Path) -> str | None:
    """The token of the Loom in this data folder; None when there is none or it may not be read."""
    return _read(path / "token")


def _read(file: Path) -> str | None:
    with suppress(OSError):
        return file.read_text("ascii", "replace").strip() or None
    return None


@contextmanager
def _faults_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(folder) from error
        where = f" {error.filename}" if error.filename else ""
        raise LoomError("DATABASE_UNREACHABLE", f"The data folder{where} cannot be used: {error.strerror}.") from error
