"""Memory that processes share.

A segment is a file in memory without a name in any folder (`man 2 memfd_create`): processes get it handed down, and
the kernel frees it with the last of them, however they end. So there is nothing to unlink, nothing that another
program could find in its way, and nothing is left behind. The name it bears is seen in `/proc/<pid>/maps` alone.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import reduction
from pathlib import Path
from typing import Any

from cortex.shm.errors import ShmError

_LONGEST_NAME = 200
_CGROUP = Path("/sys/fs/cgroup")


class Segment:
    """`size` bytes, zero at first and reserved as a whole. Raises `ShmError` when there is not as much memory."""

    def __init__(self, name: str, size: int) -> None:
        descriptor = _reserve(name, size)
        try:
            self._open(name, descriptor, size)
        except OSError as error:
            self.close()
            raise _no_room(name, size, available_memory()) from error

    def _open(self, name: str, descriptor: int, size: int) -> None:
        self.name = name
        self.size = size
        self.descriptor = descriptor
        self._closing = weakref.finalize(self, os.close, descriptor)
        self._closing.atexit = False  # until the last moment it is needed by those that end pipelines
        self.memory = mmap.mmap(descriptor, size, mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self._thread_lock = threading.Lock()

    def __getstate__(self) -> tuple[str, Any, int]:
        """For a process that is being started: it gets the descriptor handed down."""
        if self.descriptor < 0:
            raise ShmError(f"The memory of {self.name!r} was given back.")
        return self.name, reduction.DupFd(self.descriptor), self.size

    def __setstate__(self, state: tuple[str, Any, int]) -> None:
        name, handed, size = state
        self._open(name, handed.detach(), size)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One process and thread at a time; one that dies lets go of it."""
        with self._thread_lock:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Views of the memory that are still held keep it mapped until they are gone."""
        self.descriptor = -1
        self._closing()
        with suppress(AttributeError, BufferError):
            self.memory.close()


def _reserve(name: str, size: int) -> int:
    if not sys.platform.startswith("linux"):
        raise ShmError("Process pipelines over shared memory need Linux.")
    if size > (room := available_memory()):
        raise _no_room(name, size, room)
    shown = name.encode("utf-8", "backslashreplace")[:_LONGEST_NAME].replace(b"\0", b"?")
    descriptor = os.memfd_create(os.fsdecode(shown), os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
            raise _no_room(name, size, room) from error
        raise
    return descriptor


def _no_room(name: str, size: int, room: int) -> ShmError:
    return ShmError(
        f"{name!r} needs {size / 2**20:,.0f} MiB of shared memory, and {room / 2**20:,.0f} MiB are available: "
        "choose fewer frames, or a depth in bytes (max_bytes)."
    )


def available_memory() -> int:
    """Bytes that the machine, or the container in which this runs, can still give."""
    room = sys.maxsize
    with suppress(OSError, StopIteration), open("/proc/meminfo", encoding="ascii") as lines:
        room = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    with suppress(OSError, ValueError):  # "max", or no such file
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        room = min(room, limit - int((_CGROUP / "memory.current").read_text(encoding="ascii")))
    return room
