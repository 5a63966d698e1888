"""Where a worker puts what is too large for its memory: one file without a name, which its parent has opened.

Nothing else can be written to in a worker. What is made of large films goes there on its way: packets that wait to be
joined, and the joined file.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterator

from loom.errors import LoomError
from loom.parts import Descriptor, Extents, Parts

IN_MEMORY = 32 * 1024 * 1024
"""What is larger goes to the file."""
_BLOCK = 1024 * 1024


class Scratch:
    """The file, which only grows. `file` None: there is none, and what does not fit into `in_memory` bytes cannot be
    made."""

    def __init__(self, file: Descriptor | None, in_memory: int = IN_MEMORY) -> None:
        self.in_memory = in_memory
        self._file = file
        self._end = 0

    @property
    def end(self) -> int:
        return self._end

    def add(self, data: bytes | bytearray | memoryview) -> tuple[int, int]:
        """Puts them at the end; returns where."""
        start = self._end
        self.put(data, start)
        return start, len(data)

    def put(self, data: bytes | bytearray | memoryview, at: int) -> None:
        """Raises FILE_TOO_LARGE where the file may not grow any more, DISK_FULL as `OSError`."""
        fd, rest = self._opened.fileno(), memoryview(data)
        while rest:
            try:
                written = os.pwrite(fd, rest, at)
            except OSError as error:
                if error.errno != errno.EFBIG:
                    raise
                raise LoomError("FILE_TOO_LARGE", f"what is made of it would be larger than {at:,} bytes") from error
            rest, at = rest[written:], at + written
        self._end = max(self._end, at)

    def parts(self, extents: Extents) -> Parts:
        return Parts(self._opened, extents)

    @property
    def _opened(self) -> Descriptor:
        if self._file is None:
            raise LoomError(
                "FILE_TOO_LARGE",
                f"what is made of it has more than {self.in_memory >> 20} MB, which is only possible where the kernel "
                "confines workers (see `cortex doctor`)",
            )
        return self._file


class Pile:
    """Bytes that are only added to, and read from the first to the last."""

    def __init__(self, scratch: Scratch) -> None:
        self.size = 0
        self._scratch = scratch
        self._blocks: list[bytes | tuple[int, int]] = []
        self._open = bytearray()

    def add(self, data: bytes | memoryview) -> None:
        self._open += data
        self.size += len(data)
        if len(self._open) >= _BLOCK:
            self._close()

    def blocks(self) -> Iterator[bytes]:
        """Each ends where what was added at once ends."""
        self._close()
        for block in self._blocks:
            yield block if isinstance(block, bytes) else self._scratch.parts((block,)).read()

    def _close(self) -> None:
        if self._open:
            is_large = self.size > self._scratch.in_memory
            self._blocks.append(self._scratch.add(self._open) if is_large else bytes(self._open))
            self._open = bytearray()


class Written(io.RawIOBase):
    """A file that is being written, as encoders want it: they go back and change what they wrote. From a certain size
    on it lies at the end of the scratch file, to which nothing else may be added meanwhile."""

    def __init__(self, scratch: Scratch) -> None:
        super().__init__()
        self._scratch = scratch
        self._held: io.BytesIO | None = io.BytesIO()
        self._base = 0
        self._at = 0
        self.size = 0

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        if self._held is not None and self._at + len(data) > self._scratch.in_memory:
            self._base, _ = self._scratch.add(self._held.getbuffer())
            self._held = None
        if self._held is not None:
            self._held.seek(self._at)
            self._held.write(data)
        else:
            self._scratch.put(data, self._base + self._at)
        self._at += len(data)
        self.size = max(self.size, self._at)
        return len(data)

    def read_at(self, offset: int, count: int) -> bytes:
        if self._held is not None:
            return bytes(self._held.getbuffer()[offset : offset + count])
        return self._scratch.parts(((self._base + offset, min(count, self.size - offset)),)).read()

    def taken(self, *pieces: tuple[int, int] | bytes) -> bytes | Parts:
        """What was written as a derived file, in another order if so: each of the `pieces` is a stretch of it, or new
        bytes."""
        if self._held is not None:
            return b"".join(one if isinstance(one, bytes) else self.read_at(*one) for one in pieces)
        extents = [
            self._scratch.add(one) if isinstance(one, bytes) else (self._base + one[0], one[1]) for one in pieces
        ]
        return self._scratch.parts(tuple(one for one in extents if one[1]))


_of_process: list[Scratch] = []


def use(scratch: Scratch) -> None:
    """Makes it that of this process."""
    _of_process[:] = [scratch]


def scratch() -> Scratch:
    """That of this process; one of its own where it was given none."""
    if not _of_process:
        with tempfile.TemporaryFile(prefix="cortex-") as file:
            use(Scratch(Descriptor(os.dup(file.fileno()))))
    return _of_process[0]
