"""Puts files below a folder: nothing is ever overwritten, nothing leads elsewhere, and a file is there whole or not."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path, PurePath
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple

from cortex.operators.sinks.naming import sayable
from loom.errors import NO_ROOM, LoomError

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.file import OpenFile

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_NUMBERS = 10_000
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
"""What the system says where a file cannot have a second name."""


class Conflict(StrEnum):
    """What becomes of a file whose name is taken by another content."""

    SKIP = "skip"
    RENAME = "rename"
    FAIL = "fail"


class Name(NamedTuple):
    """A name in a folder, and whether the content lies there already."""

    name: str
    is_there: bool


def demand_here(media: Media, what: str) -> None:
    """Raises `OPERATOR_FAILED` for a file that does not lie on this machine."""
    if media.local != media.path:
        raise LoomError("OPERATOR_FAILED", f"{sayable(media.path)} does not lie on this machine: {what}")


@contextmanager
def failing(what: str) -> Iterator[None]:
    """What the system says within is raised as `DISK_FULL` or `EFFECT_FAILED`."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise LoomError("DISK_FULL", f"{what}: {error.strerror}") from error
        raise LoomError("EFFECT_FAILED", f"{what}: {error.strerror or error}") from error


@contextmanager
def folder_below(root: str, names: Sequence[str]) -> Iterator[int]:
    """A descriptor of the folder of these names below `root`; those that are missing are made, but not `root` itself:
    where it is missing, a disk may be. Links below `root` are not followed. Raises
    `EFFECT_FAILED` when `root` cannot be opened, and `OSError`."""
    try:
        folder = os.open(Path(root).expanduser(), _FOLDER)
    except OSError as error:
        raise LoomError("EFFECT_FAILED", f"the folder {sayable(root)} cannot be opened: {error.strerror}") from error
    try:
        for name in names:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
                sync(folder)
            inner = os.open(name, _FOLDER | _FILE, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def choose(folder: int, wanted: str, file: OpenFile, blake3: bytes, conflict: Conflict) -> Name | None:
    """Where the content lies in the folder already, or the first free name; None when it is to be left. Raises
    `EFFECT_FAILED` for a name that is taken, where that is to fail."""
    for name in numbered(wanted):
        try:
            there = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return Name(name, is_there=False)
        if stat.S_ISREG(there.st_mode) and there.st_size == file.size and _digest_of(folder, name) == blake3:
            return Name(name, is_there=True)
        if conflict is Conflict.SKIP:
            return None
        if conflict is Conflict.FAIL:
            break
    raise LoomError("EFFECT_FAILED", "the name is taken by another content")


def numbered(wanted: str) -> Iterator[str]:
    """The name, and those that it may become where it is taken."""
    yield wanted
    parts = PurePath(wanted)
    for number in range(2, _MOST_NUMBERS):
        yield f"{parts.stem}-{number}{parts.suffix}"


def _digest_of(folder: int, name: str) -> bytes | None:
    """The BLAKE3 of a file; None when it is gone, or no file any more."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    with os.fdopen(descriptor, "rb") as opened:
        return _digest(opened.fileno())


def _digest(descriptor: int) -> bytes:
    """The BLAKE3 of what lies on the disk, as far as the system can be brought to look there."""
    from blake3 import blake3

    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    digest, buffer, position = blake3(), memoryview(bytearray(1024 * 1024)), 0
    while got := os.preadv(descriptor, [buffer], position):
        digest.update(buffer[:got])
        position += got
    return digest.digest()


@contextmanager
def copied(folder: int, file: OpenFile, mode: int, blake3: bytes, *, verify: bool) -> Iterator[str]:
    """The name of a copy of the file in the folder, on the disk and of that content, which is gone afterwards. Raises
    `CHANGED_WHILE_READ`, `EFFECT_FAILED` when it was written but not as it was read, and `OSError`."""
    from blake3 import blake3 as hasher

    name = f".{blake3.hex()[:32]}.part"
    with alone(folder, name) as descriptor:
        try:
            digest = hasher()
            with os.fdopen(os.dup(descriptor), "wb") as out:
                file.feed([digest.update, out.write])
            if digest.digest() != blake3 or file.changed():
                raise LoomError("CHANGED_WHILE_READ")
            os.utime(descriptor, ns=(file.stat.mtime_ns, file.stat.mtime_ns))
            with suppress(PermissionError):
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
            if verify and _digest(descriptor) != blake3:
                raise LoomError("EFFECT_FAILED", "what was written is not what was read")
            yield name
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)


@contextmanager
def alone(folder: int, name: str) -> Iterator[int]:
    """An empty file of that name that nobody else writes to; one that was left behind is taken. Raises `TRY_AGAIN`
    when somebody is at it."""
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | _FILE, 0o666, dir_fd=folder)
        try:
            if _is_mine(descriptor, folder, name):
                os.ftruncate(descriptor, 0)
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_mine(descriptor: int, folder: int, name: str) -> bool:
    """Takes the lock. False for a file that has got, or has already, another name: that one is complete."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LoomError("TRY_AGAIN", "another process copies this file at the moment") from None
    mine = os.fstat(descriptor)
    try:
        if not os.path.samestat(mine, os.stat(name, dir_fd=folder, follow_symlinks=False)):
            return False
    except FileNotFoundError:
        return False
    if mine.st_nlink > 1:
        os.unlink(name, dir_fd=folder)
        return False
    return True


def publish(folder: int, part: str, name: str) -> None:
    """Gives a finished file its name. Raises `FileExistsError` when that is taken meanwhile."""
    try:
        os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # On a file system without links the name is taken by an empty file first.
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, dir_fd=folder))
        try:
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(name, dir_fd=folder)
            raise
    sync(folder)


def sync(folder: int) -> None:
    """Names in the folder are on the disk, where its file system can do that."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise


def is_same_folder(one: int, other: int) -> bool:
    """Whether two descriptors are of one folder. A share that is mounted twice shows it under two devices: then what
    is made in one is seen in the other."""
    here, there = os.fstat(one), os.fstat(other)
    if here.st_dev == there.st_dev:
        return here.st_ino == there.st_ino
    name = f".{token_hex(16)}.part"
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, dir_fd=other))
    try:
        os.stat(name, dir_fd=one, follow_symlinks=False)
    except FileNotFoundError:
        return False
    finally:
        os.unlink(name, dir_fd=other)
    return True


def untold(name: str) -> None:
    """Nobody wants to know beforehand under which name a file will lie."""


def put(
    folder: int,
    wanted: str,
    file: OpenFile,
    mode: int,
    blake3: bytes,
    conflict: Conflict,
    *,
    verify: bool,
    before: Callable[[str], None] = untold,
) -> Name | None:
    """Copies the file into the folder unless its content lies there; where it is now, and whether it was there before.
    None when it is left. `before` is told each name that it tries to give. Raises as `choose` and `copied`."""
    found = choose(folder, wanted, file, blake3, conflict)
    if found is None or found.is_there:
        return found
    before(found.name)
    with copied(folder, file, mode, blake3, verify=verify) as part:
        while found is not None and not found.is_there:
            before(found.name)
            try:
                publish(folder, part, found.name)
                break
            except FileExistsError:
                found = choose(folder, wanted, file, blake3, conflict)
    return found
