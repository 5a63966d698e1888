"""What Loom could not yet be told: batches in files on this machine, bounded, sent in order when Loom is back."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from loom.errors import LoomError
from loom.model import AssetReport, RunClosing, RunOpening
from loom.verbs import NewArtifact


class Told(msgspec.Struct, array_like=True):
    """One message that waits, exactly one of its fields set."""

    opening: RunOpening | None = None
    closing: RunClosing | None = None
    artifacts: list[NewArtifact] | None = None
    run: UUID | None = None
    reports: list[AssetReport] | None = None


class Spool:
    """A folder of numbered messages, held by one process. `limit_bytes` bounds it: beyond, `put` raises
    `LOOM_UNREACHABLE`."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Raises `BlockingIOError` when another process holds the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit_bytes
        self._hold = (folder / "lock").open("wb")
        try:
            fcntl.flock(self._hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._hold.close()
            raise
        last = max((int(path.stem) for path in self._waiting()), default=0)
        self._numbers = itertools.count(last + 1)
        self._bytes = sum(path.stat().st_size for path in self._waiting())

    def close(self) -> None:
        """Lets go of the folder, and removes it when nothing waits in it."""
        if self.empty:
            (self._folder / "lock").unlink(missing_ok=True)
            self._folder.rmdir()
        self._hold.close()

    def _waiting(self) -> list[Path]:
        return sorted(self._folder.glob("*.msg"), key=lambda path: int(path.stem))

    @property
    def empty(self) -> bool:
        return not self._waiting()

    def put(self, told: Told) -> None:
        """Keeps a message; it is on the disk when this returns."""
        data = msgspec.msgpack.encode(told)
        if self._bytes + len(data) > self._limit:
            raise LoomError(
                "LOOM_UNREACHABLE",
                f"Loom cannot be reached, and more than {self._limit:,} bytes of results wait for it",
            )
        place = self._folder / f"{next(self._numbers):012d}.msg"
        temporary = place.with_suffix(".writing")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
        self._bytes += len(data)

    def send(self, tell: Callable[[Told], None]) -> None:
        """Tells the messages in order; each is forgotten once it was told. Raises what `tell` raises."""
        for path in self._waiting():
            data = path.read_bytes()
            tell(msgspec.msgpack.decode(data, type=Told))
            path.unlink()
            self._bytes -= len(data)


def new_spool(room: Path, limit_bytes: int) -> Spool:
    """A spool of this process's own below `room`."""
    return Spool(room / uuid4().hex, limit_bytes)


def left_behind(room: Path, limit_bytes: int) -> Iterator[Spool]:
    """The spools below `room` that no living process holds."""
    for folder in sorted(room.iterdir()) if room.is_dir() else ():
        try:
            yield Spool(folder, limit_bytes)
        except BlockingIOError:
            continue
