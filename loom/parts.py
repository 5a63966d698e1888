"""Bytes that are too many to be held in memory."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from typing import Protocol

from loom.errors import LoomError

PIECE = 1024 * 1024

Extents = tuple[tuple[int, int], ...]
"""Stretches of a file: where each begins and how many bytes it has."""


class Numbered(Protocol):
    """An open file."""

    def fileno(self) -> int: ...


class Descriptor:
    """An open file that is closed once nobody refers to it any more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        weakref.finalize(self, os.close, fd)

    def fileno(self) -> int:
        return self._fd


class Parts:
    """Bytes that lie in an open file, in stretches that belong one after the other."""

    def __init__(self, file: Numbered, extents: Extents) -> None:
        self.file = file
        self.extents = extents

    @classmethod
    def whole(cls, fd: int) -> Parts:
        """All of a file, which is taken over. Raises `OSError`."""
        file = Descriptor(fd)
        return cls(file, ((0, os.fstat(fd).st_size),))

    @property
    def size(self) -> int:
        return sum(count for _, count in self.extents)

    def pieces(self) -> Iterator[bytes]:
        """All of them, at most 1 MiB at a time. Raises `READ_FAILED` when there are fewer than there were."""
        fd = self.file.fileno()
        for start, count in self.extents:
            at, end = start, start + count
            while at < end:
                try:
                    piece = os.pread(fd, min(PIECE, end - at), at)
                except OSError as error:
                    raise LoomError("READ_FAILED", f"A derived file cannot be read: {error.strerror}.") from error
                if not piece:
                    raise LoomError("READ_FAILED", "A derived file has become shorter.")
                at += len(piece)
                yield piece

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def digest(self) -> bytes:
        """Their BLAKE3-256."""
        from blake3 import blake3

        hasher = blake3()
        for piece in self.pieces():
            hasher.update(piece)
        return hasher.digest()
