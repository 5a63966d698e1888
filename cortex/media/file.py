"""A file opened once: its descriptor, what `stat` said, its bytes."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from cortex.media.phases import DISK_ERRORS
from loom.errors import LoomError
from loom.model import FileStat

KEEP_LIMIT = 64 * 1024 * 1024
"""Files of at most this many bytes are read once and kept; of larger ones only pieces are in memory."""
PIECE = 256 * 1024

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_SPECIAL = (errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.EOPNOTSUPP)


class OpenFile:
    """A regular file, open for reading. Every read says where it reads, so nothing depends on a shared position.

    Opening raises `LoomError`: FILE_VANISHED, FILE_UNREADABLE, NOT_A_REGULAR_FILE, READ_FAILED.
    """

    def __init__(self, path: bytes) -> None:
        self._descriptor = _open(path)
        try:
            self._status = os.fstat(self._descriptor)
            if not stat.S_ISREG(self._status.st_mode):
                raise LoomError("NOT_A_REGULAR_FILE")
        except BaseException:
            self.close()
            raise
        self.size = self._status.st_size
        self.bytes_read = 0
        """How many were read of it until now, some of them perhaps twice."""
        self._kept: bytes | None = None
        self._count: int | None = None

    @property
    def stat(self) -> FileStat:
        """As it was at opening."""
        status = self._status
        return FileStat(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)

    @property
    def keepable(self) -> bool:
        return self.size <= KEEP_LIMIT

    def changed(self) -> bool:
        """Whether the file was written to, replaced in place or cut since it was opened."""
        if self._count is not None and self._count != self.size:
            return True
        now, then = os.fstat(self._descriptor), self._status
        return (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino) != (
            then.st_size,
            then.st_mtime_ns,
            then.st_ctime_ns,
            then.st_ino,
        )

    def read_at(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset` on, fewer at the end of the file."""
        if self._kept is None and self.keepable and count >= self.size:
            self._keep()
        if self._kept is not None:
            return self._kept[offset : offset + count]
        return self._read(offset, count)

    def _read(self, offset: int, count: int) -> bytes:
        try:
            got = os.pread(self._descriptor, count, offset)
        except OSError as error:
            raise read_failure(error) from error
        self.bytes_read += len(got)
        return got

    def kept(self) -> bytes:
        """The whole content, read at the first call. Only for a file that is `keepable`."""
        return self._keep() if self._kept is None else self._kept

    def _keep(self) -> bytes:
        pieces: list[bytes] = []
        count = 0
        # One byte more than the size is asked for, so that a file that grew is noticed.
        while count <= self.size and (piece := self._read(count, self.size + 1 - count)):
            pieces.append(piece)
            count += len(piece)
            if count == self.size:  # less than was asked for, so that nothing follows
                break
        self._kept = kept = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._count = count
        return kept

    def feed(self, readers: list[Callable[[memoryview], object]]) -> None:
        """Gives every byte to each reader in order, in pieces that stay in the processor's cache."""
        if self.keepable:
            whole = memoryview(self.kept())
            for start in range(0, len(whole), PIECE):
                piece = whole[start : start + PIECE]
                for read in readers:
                    read(piece)
            return
        buffer = memoryview(bytearray(PIECE))
        count = 0
        while count <= self.size and (got := self._read_into(buffer, count)):
            count += got
            for read in readers:
                read(buffer[:got])
        self._count = count

    def _read_into(self, buffer: memoryview, offset: int) -> int:
        try:
            got = os.preadv(self._descriptor, [buffer], offset)
        except OSError as error:
            raise read_failure(error) from error
        self.bytes_read += got
        return got

    def handle(self) -> BinaryIO:
        """A new read-only, seekable file object with a position of its own, usable after `close()` too."""
        if self.keepable:
            return io.BytesIO(self.kept())
        return io.BufferedReader(_Window(os.dup(self._descriptor), self), 64 * 1024)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        self._kept = None
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


class _Window(io.RawIOBase):
    """A descriptor read with positions of its own: duplicates of a descriptor share one."""

    def __init__(self, descriptor: int, file: OpenFile) -> None:
        self._descriptor = descriptor
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        got = os.preadv(self._descriptor, [buffer], self._position)
        self._position += got
        self._file.bytes_read += got
        return got

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = (0, self._position, self._file.size)[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "a position before the start of the file")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def read_failure(error: OSError) -> LoomError:
    """What an error of the system says while a file is opened or read."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return LoomError("FILE_VANISHED")
    if error.errno in _SPECIAL:
        return LoomError("NOT_A_REGULAR_FILE")
    if error.errno in DISK_ERRORS:
        return LoomError("READ_FAILED", f"reading failed: {error.strerror}")
    return LoomError("FILE_UNREADABLE", f"the file cannot be opened: {error.strerror or error}")


def _open(path: bytes) -> int:
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        raise read_failure(error) from error
    except ValueError as error:
        raise LoomError("FILE_VANISHED", "no file can have a name that holds a zero byte") from error
