"""Files that lie in a store or behind an address: how one tells whether they changed, and how they are brought here."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from loom.errors import LoomError
from loom.model import FileStat, KnownFile

if TYPE_CHECKING:
    from cortex.sources.found import Found

DEVICE = 0
"""What stands for the disk of a file that lies on none of this machine."""

ATTEMPTS = 4
"""So often a file is read that is another one each time."""

_RACY_NS = 2_000_000_000
"""Stores that tell no etag tell times in seconds."""


class Version(NamedTuple):
    """What a store says of a file: bytes (None: not before it is read), nanoseconds since 1970 when it was last changed
    (0: nobody knows) and an etag, which is another for another content (empty: there is none)."""

    size: int | None
    modified_ns: int
    etag: str

    @property
    def stat(self) -> FileStat:
        """What stands for its stat in Loom: a number made of the etag is in the place of the inode."""
        number = int.from_bytes(blake2b(self.etag.encode(), digest_size=8).digest(), "big") if self.etag else 0
        return FileStat(self.size or 0, self.modified_ns, number, DEVICE)

    def is_as(self, known: KnownFile) -> bool:
        """Whether it is what Loom last saw: by size and etag, and by the time where there is no etag."""
        stat = self.stat
        if self.size != known.size or stat.inode != known.inode:
            return False
        return bool(self.etag) or (self.modified_ns != 0 and self.modified_ns == known.mtime_ns)

    def is_trusted(self, now_ns: int) -> bool:
        """Whether the same version means the same content."""
        return bool(self.etag) or 0 < self.modified_ns <= now_ns - _RACY_NS

    @property
    def names_bytes(self) -> bool:
        """Whether two parts of the same version fit together. A weak etag stands for more than one row of bytes."""
        return self.modified_ns != 0 or (bool(self.etag) and not self.etag.startswith("W/"))

    def is_same(self, other: Version) -> bool:
        """Whether two answers may be about the same content; what one of them leaves unsaid does not count."""
        if None not in (self.size, other.size) and self.size != other.size:
            return False
        if self.etag and other.etag:
            return self.etag == other.etag
        return not (self.modified_ns and other.modified_ns) or self.modified_ns == other.modified_ns


class Landing(Protocol):
    """Where a file is brought to. `part` is the version of which the first bytes lie there, None before the first."""

    path: str
    part: Version | None

    def expect(self, size: int | None) -> None:
        """Waits until there is room for a file of this size. Raises `UnwantedError`."""
        ...

    def came(self, total: int) -> None:
        """So many bytes of it are there. Raises `UnwantedError` when no more are wanted."""
        ...


class UnwantedError(Exception):
    """The ingest ends: what is on its way is not wanted any more."""


class Listed(NamedTuple):
    """What is in a folder: files by name with their versions (None: must be asked for), folders by name, and names of
    what is neither."""

    files: list[tuple[bytes, Version | None]]
    folders: list[bytes]
    special: list[bytes]


class Store(Protocol):
    """What has the files. `look` and `read` may be called by any thread, and raise `LoomError`: FILE_VANISHED,
    FILE_UNREADABLE, READ_FAILED, FILE_TOO_LARGE, DISK_FULL."""

    def look(self, url: bytes) -> Version: ...

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        """Writes the file to the path of the landing, from where it was left when a former try broke off and the file
        is still the same `version` (`Kept`); what the store says of it during or after that."""
        ...


class Arrived(NamedTuple):
    """What was brought; `unchanged`: nothing was, for it is what Loom knows, and there is nothing left to do."""

    version: Version
    unchanged: bool = False


@dataclass(frozen=True)
class Remote:
    """One file that is not here. `version` is what a listing told of it, None if it must be asked for. `known` is what
    Loom remembers of it, None where that is not to be trusted. `origin` is what is away when such files cannot be
    read: a bucket, a server."""

    store: Store
    url: bytes
    origin: bytes
    version: Version | None = None
    known: KnownFile | None = None

    def bring(self, landing: Landing) -> Arrived:
        """Raises as `Store`, `CHANGED_WHILE_READ` when it is another one each time, and `UnwantedError`."""
        version = landing.part or self.version or self.store.look(self.url)
        for _ in range(ATTEMPTS):
            asked = self.version is None and landing.part is None
            if asked and self.known is not None and self.known.settled and version.is_as(self.known):
                return Arrived(version, unchanged=True)
            landing.expect(version.size)
            seen = self.store.read(self.url, landing, version)
            if seen.is_same(version):
                return Arrived(Version(seen.size, version.modified_ns or seen.modified_ns, version.etag or seen.etag))
            version = seen
        raise LoomError("CHANGED_WHILE_READ")

    def asset(self, version: Version) -> bytes | None:
        """The BLAKE3 of this version, if Loom knows it."""
        return self.known.asset if self.known is not None and version.is_as(self.known) else None


@dataclass(frozen=True)
class Local:
    """Where the bytes of a remote file lie for a while, with the stat that they have there. `trusted`: the same version
    means the same content. `size` is the room that they take."""

    path: bytes
    stat: FileStat
    trusted: bool
    room: Room
    size: int

    def release(self) -> None:
        """They are not needed any more."""
        self.room.release(self.path, self.size)


class Room(Protocol):
    def release(self, path: bytes, size: int) -> None: ...


@runtime_checkable
class RemoteFiles(Protocol):
    """A source of which some files may be remote; the thread that iterates it tells it what became of them."""

    def has_arrived(self, found: Found) -> None: ...

    def was_unchanged(self, found: Found, version: Version) -> None: ...

    def has_vanished(self, found: Found) -> None: ...

    def note_away(self, folder: bytes, why: str) -> None: ...

    def note_unreadable(self, path: bytes, code: str, message: str) -> None: ...

    def close(self) -> None: ...
