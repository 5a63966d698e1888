"""The folder in which files from elsewhere lie while they are worked on: bounded, and gone afterwards."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError

MOST_FILES = 1000
"""So many files lie there at most."""

_PREFIX = "remote-"
_HELD = ".held"
_LOOK_S = 0.05
"""How often one that waits for room looks whether it is still wanted."""


class Scratch:
    """A folder below `parent` with room for `most_bytes`; a larger file is let in when it is alone. What killed
    processes left is removed first. Raises `DISK_FULL`, and `CONFIG_INVALID` where it cannot be made."""

    def __init__(self, parent: Path, most_bytes: int, most_files: int = MOST_FILES) -> None:
        self._parent = parent
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._lock = threading.Condition()
        self.bytes = self.files = 0
        try:
            self.path, self._descriptor = _made(parent)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(parent) from error
            raise LoomError("CONFIG_INVALID", f"the scratch path cannot be written: {error.strerror}") from error

    def take(self, size: int, is_wanted: Callable[[], bool]) -> bool:
        """Waits until a file of this size may come; false when it is not wanted any more."""
        with self._lock:
            while is_wanted():
                if self.files < self._most_files and (not self.files or self.bytes + size <= self._most_bytes):
                    self.files += 1
                    self.bytes += size
                    return True
                self._lock.wait(_LOOK_S)
        return False

    def resize(self, former: int, size: int) -> None:
        """A file has another size than was said."""
        with self._lock:
            self.bytes += size - former
            self._lock.notify_all()

    def release(self, path: bytes, size: int) -> None:
        """A file is not needed any more."""
        with suppress(FileNotFoundError):
            os.unlink(path)
        with self._lock:
            self.files -= 1
            self.bytes -= size
            self._lock.notify_all()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._descriptor)
        with suppress(OSError):
            self._parent.rmdir()


def _made(parent: Path) -> tuple[Path, int]:
    with _alone_in(parent):
        _sweep(parent)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        descriptor = os.open(path / _HELD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return path, descriptor


@contextmanager
def _alone_in(parent: Path) -> Iterator[None]:
    """Nobody else makes or sweeps folders in it meanwhile."""
    while True:
        parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # another process has just removed it
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                yield
                return
        finally:
            os.close(descriptor)


def _sweep(parent: Path) -> None:
    """Removes those that no living process holds."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if not (folder / _HELD).exists() or _is_unheld(folder / _HELD):
                shutil.rmtree(folder, ignore_errors=True)


def _is_unheld(held: Path) -> bool:
    descriptor = os.open(held, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
