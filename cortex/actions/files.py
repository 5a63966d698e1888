"""Single files, moved and compared."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress

from cortex.engine.walk import RACY_NS
from cortex.media.file import OpenFile
from cortex.operators.sinks.moving import Moving
from cortex.operators.sinks.naming import sayable
from cortex.operators.sinks.placing import Conflict, alone, failing, folder_below, numbered
from cortex.operators.sinks.sidecar import part_of
from loom.errors import LoomError
from loom.model import FileStat, FoundAt


def shown(path: bytes) -> str:
    return sayable(os.fsdecode(path))


def holds(path: bytes, digest: bytes) -> FileStat | None:
    """The stat of the file if it has these bytes (BLAKE3); None if it is not there, is no regular file or has others.
    Raises `FILE_UNREADABLE` and `READ_FAILED`."""
    from blake3 import blake3

    try:
        with closing(OpenFile(path)) as file:
            hasher = blake3()
            file.feed([hasher.update])
            return file.stat if hasher.digest() == digest and not file.changed() else None
    except LoomError as error:
        if error.code in ("FILE_VANISHED", "NOT_A_REGULAR_FILE"):
            return None
        raise


def is_still(path: bytes, then: FileStat) -> bool:
    """Whether the file is the one that had this stat."""
    try:
        now = os.lstat(path)
    except OSError:
        return False
    return FileStat(now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev) == then


def move(origin: bytes, root: bytes, below: bytes, digest: bytes) -> None:
    """Moves a file of these bytes to the path `below` the folder `root`, which is there; the folders between are made.
    A file of the same bytes at the target is as good; nothing is overwritten. Across disks what was written is read
    again and compared before the origin goes. Raises `CHANGED_WHILE_READ`, `FILE_VANISHED`, `DISK_FULL`,
    `EFFECT_FAILED` and the like; then nothing has happened."""
    home_path, own_name = os.path.split(os.fsdecode(origin))
    *folders, name = os.fsdecode(below).split("/")
    with (
        closing(OpenFile(origin)) as file,
        failing(f"moving {shown(origin)}"),
        folder_below(home_path, ()) as home,
        folder_below(os.fsdecode(root), folders) as folder,
    ):
        Moving(file, digest, home, own_name, folder).carry_out(name, Conflict.FAIL, verify=True)


def free(path: bytes) -> bytes:
    """The path, or where it is taken the first that differs by a number behind its name and is not."""
    folder, name = os.path.split(os.fsdecode(path))
    for candidate in numbered(name):
        target = os.fsencode(os.path.join(folder, candidate))
        if not os.path.lexists(target):
            return target
    raise LoomError("EFFECT_FAILED", f"there are too many files named {shown(path)}")


def remove(path: bytes, then: FileStat) -> None:
    """Removes the file that had this stat. Raises `CHANGED_WHILE_READ`, `EFFECT_FAILED`."""
    if not is_still(path, then):
        raise LoomError("CHANGED_WHILE_READ")
    with failing(f"removing {shown(path)}"):
        os.unlink(path)


def sweep(target: bytes, digest: bytes) -> None:
    """Takes away what a copy or a side file on its way to the target left behind when it was interrupted."""
    folder, placed = os.path.split(os.fsdecode(target))
    for name in (f".{digest.hex()[:32]}.part", part_of(placed)):
        if os.path.lexists(os.path.join(folder, name)):
            with suppress(LoomError, OSError), folder_below(folder, ()) as opened, alone(opened, name):
                os.unlink(name, dir_fd=opened)


def found_at(path: bytes) -> FoundAt:
    """The file as Loom is told of it. Raises `FILE_VANISHED`."""
    try:
        now = os.lstat(path)
    except OSError as error:
        raise LoomError("FILE_VANISHED") from error
    directory, name = os.path.split(path)
    stat = FileStat(now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev)
    return FoundAt(directory, name, stat, time.time_ns() - now.st_mtime_ns >= RACY_NS)
