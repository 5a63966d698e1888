"""What a source counts."""

from __future__ import annotations

import os
from collections.abc import Iterable

from cortex.sources.found import Found, Part
from cortex.sources.walk import file_stat, why_unreadable
from loom.model import KnownFile

MAX_NAMED = 1000
"""How many of what was not read are named; all are counted."""


class Counts:
    """Counted while and after iterating a source: `seen` files, `unchanged` ones among them (settled, and their stat as
    it was), `failed_before` of these (on their content some node had failed), the `bytes` of all seen, `found` and
    `bytes_found` of those that need work, `unreadable` files and folders (path, code, sentence; at most 1000 of
    `unreadable_total`), `special` pipes, sockets and devices that are passed over (their paths; at most 1000 of
    `special_total`). `unreachable` are the roots that cannot be read and the folders below them that lie on another
    disk than before, `why_unreachable` says why. `missing`: how many files that were present are gone, known when the
    source has ended in order.
    """

    def __init__(self, away: Iterable[tuple[bytes, str]] = ()) -> None:
        """`away` are unreachable folders, and why."""
        self.seen = self.unchanged = self.failed_before = self.bytes = 0
        self.found = self.bytes_found = 0
        self.missing = 0
        self.special: list[bytes] = []
        self.special_total = 0
        self.unreadable: list[tuple[bytes, str, str]] = []
        self.unreadable_total = 0
        self.why_unreachable = dict(away)
        self.unreachable = list(self.why_unreachable)

    def close(self) -> None:
        """Lets go of what it holds open."""

    @property
    def bytes_unchanged(self) -> int:
        """Of the files that need no work."""
        return self.bytes - self.bytes_found

    def count_unchanged(self, files: int, size: int, failed: int) -> None:
        """`size` is the bytes of these files together; on the content of `failed` of them some node had failed."""
        self.seen += files
        self.unchanged += files
        self.failed_before += failed
        self.bytes += size

    def offer(
        self,
        directory: bytes,
        name: bytes,
        relative: bytes,
        status: os.stat_result,
        known: KnownFile | None,
        trusts: bool,
        part: Part,
    ) -> Found:
        """A file that needs work, counted. `trusts`: an equal stat means equal content."""
        self.seen += 1
        self.found += 1
        self.bytes += status.st_size
        self.bytes_found += status.st_size
        asset = known.asset if known is not None and trusts and is_same(known, status) else None
        return Found(directory, name, relative, file_stat(status), asset, known is not None, part.lanes, part.settles)

    def note_error(self, path: bytes, error: OSError | ValueError) -> None:
        """A file or folder could not be asked for its stat, or listed."""
        code, message = why_unreadable(error) if isinstance(error, OSError) else ("FILE_UNREADABLE", f"{error}.")
        self.note_unreadable(path, code, message)

    def note_away(self, folder: bytes, why: str) -> None:
        """The first reason counts."""
        if folder not in self.why_unreachable:
            self.unreachable.append(folder)
            self.why_unreachable[folder] = why

    def note_special(self, path: bytes) -> None:
        """Something that is no regular file."""
        self.special_total += 1
        if len(self.special) < MAX_NAMED:
            self.special.append(path)

    def note_unreadable(self, path: bytes, code: str, message: str) -> None:
        self.unreadable_total += 1
        if len(self.unreadable) < MAX_NAMED:
            self.unreadable.append((path, code, message))


def looks_same(known: KnownFile, status: os.stat_result) -> bool:
    """Whether it may be the file that Loom last saw, on a file system that numbers its files anew when it is
    mounted."""
    return known.mtime_ns == status.st_mtime_ns and known.size == status.st_size


def is_same(known: KnownFile, status: os.stat_result) -> bool:
    """Whether the file was not written to since Loom last saw it."""
    return known.mtime_ns == status.st_mtime_ns and known.size == status.st_size and known.inode == status.st_ino
