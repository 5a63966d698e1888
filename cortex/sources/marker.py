"""By what a folder is known again wherever its disk is mounted, and where it lies now.

Of kind `filesystem`: the id of the file system and the folder's path inside it, on Linux, for every disk that has an
id, the one of the system too. Of kind `file`: an id in a file `.loom-source` in the folder, which goes with it wherever
it is moved; it is written only when a person asks for it, and comes first where it is. macOS, network disks and most
containers tell no ids, so that folders there have a marker only if they hold such a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from uuid import uuid4

from cortex.sources.ignore import MARK_FILE, read_small_file
from cortex.sources.mounts import Mounts
from cortex.sources.roots import join
from loom.errors import LoomError
from loom.sources import Marker

_MAX_MARK = 4096
_MARK = re.compile(rb"\s*([0-9A-Za-z-]{8,64})\s*")

MAX_LOOKED_AT = 1000
"""Of a folder so many entries are looked at, to find one that was moved there by hand."""


class Markers:
    """The markers of folders, as the machine is when they are first asked for: ask with a new one when something may
    have changed. Paths are absolute."""

    def __init__(self, mounts: Mounts | None = None) -> None:
        self._mounts = mounts or Mounts()
        self.of_disk = lru_cache(maxsize=None)(self._of_disk)
        """The marker by the file system; None where it has no id that is known. The path need not be there."""
        self.of_file = lru_cache(maxsize=None)(self._of_file)
        """The marker by the file `.loom-source` in the folder; None where there is none, or no folder."""

    @property
    def tell_disks(self) -> bool:
        """Whether markers of kind `filesystem` can be had here."""
        return self._mounts.tells_ids

    def of(self, path: bytes) -> Marker | None:
        """The marker to be stored with a source that lies there."""
        return self.of_file(path) or self.of_disk(path)

    def fits(self, marker: Marker, path: bytes) -> bool:
        """Whether the folder, or file, is the one that the marker is of."""
        if marker.kind == "file":
            found = self.of_file(path)
            return found is not None and found.id == marker.id
        return os.path.exists(path) and self.of_disk(path) == marker

    def is_mounted(self, marker: Marker) -> bool:
        """Whether a disk is there of which the marker, of kind `filesystem`, tells where the folder is or was."""
        return any(True for _ in self._by_disk(marker))

    def places(self, marker: Marker, may_be: Callable[[bytes], bool]) -> Iterator[bytes]:
        """Where the folder lies: each place is looked at only if it `may_be`. Nothing is looked at that another machine
        would have to answer for."""
        by_disk = self._by_path(marker) if marker.kind == "file" else self._by_disk(marker)
        for path in dict.fromkeys(by_disk):
            if may_be(path) and self.fits(marker, path):
                yield path

    def in_folder(self, marker: Marker, folder: bytes) -> bytes | None:
        """The folder in this one that holds the marker's file: one that was moved or renamed by hand."""
        try:
            with os.scandir(folder) as scan:
                names = sorted(entry.name for entry in islice(scan, MAX_LOOKED_AT) if entry.is_dir())
        except OSError:
            return None
        return next((path for name in names if self.fits(marker, path := join(folder, name))), None)

    def may_hang(self, path: bytes) -> bool:
        """Whether another machine may have to answer before it is known what lies there. Nothing is looked at."""
        mount = self._mounts.of(path)
        return mount is not None and mount.may_hang

    def _by_disk(self, marker: Marker) -> Iterator[bytes]:
        for mount in self._mounts.all:
            if self._mounts.id_of(mount) == marker.id and (path := mount.shows(marker.inside)) is not None:
                yield path

    def _by_path(self, marker: Marker) -> Iterator[bytes]:
        for mount in self._mounts.near():
            if (path := mount.shows(marker.inside)) is not None:
                yield path

    def _of_disk(self, path: bytes) -> Marker | None:
        real = os.path.realpath(path)
        mount = self._mounts.of(real)
        number = None if mount is None else self._mounts.id_of(mount)
        if mount is None or number is None:
            return None
        return Marker(kind="filesystem", id=number, inside=mount.inside(real))

    def _of_file(self, path: bytes) -> Marker | None:
        try:
            found = _MARK.fullmatch(read_small_file(join(path, MARK_FILE), _MAX_MARK))
        except OSError:
            return None
        return None if found is None else Marker(kind="file", id=found[1].decode(), inside=self._inside(path))

    def _inside(self, path: bytes) -> bytes:
        real = os.path.realpath(path)
        mount = self._mounts.of(real)
        return real if mount is None else mount.inside(real)


def set_mark(folder: bytes) -> None:
    """Writes `.loom-source` with a new id, unless there is one. Raises `USAGE` for what is no folder, or cannot be
    written to."""
    if Markers().of_file(folder) is not None:
        return
    new = join(folder, MARK_FILE + b".new")
    try:
        with open(new, "wb") as file:
            file.write(f"{uuid4()}\n".encode())
        os.replace(new, join(folder, MARK_FILE))
    except OSError as error:
        with suppress(OSError):
            os.unlink(new)
        raise LoomError("USAGE", f"{os.fsdecode(folder)} cannot be marked: {error.strerror}") from error
