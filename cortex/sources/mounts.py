"""What is mounted where, as Linux tells it, and the ids of the file systems."""

from __future__ import annotations

import os
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from cortex.sources.roots import is_at_or_below

MOUNTINFO = Path("/proc/self/mountinfo")

BY_UUID = Path("/dev/disk/by-uuid")

_FAR = frozenset({"9p", "afs", "autofs", "ceph", "cifs", "coda", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"})
_NEAR_BY_FUSE = frozenset({"fuse.mergerfs", "fuse.exfat", "fuse.ntfs", "fuse.ntfs-3g", "fuse.bindfs"})
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """A file system, or the part of it below `root`, that is mounted at `point`. `device` is its number as `st_dev`
    holds it, `source` what was mounted, a device node for example."""

    device: int
    root: bytes
    point: bytes
    kind: str
    source: bytes

    @property
    def may_hang(self) -> bool:
        """Whether another machine, or a program, has to answer before anything can be read there."""
        return self.kind in _FAR or (self.kind.startswith("fuse.") and self.kind not in _NEAR_BY_FUSE)

    def shows(self, inside: bytes) -> bytes | None:
        """Where a path below the file system's top is to be seen; None where that is not below this mount's root."""
        if not is_at_or_below(inside, self.root):
            return None
        return _below(self.point, inside[len(self.root.rstrip(b"/")) :])

    def inside(self, path: bytes) -> bytes:
        """The path, which is at or below the mount point, below the file system's top."""
        return _below(self.root, path[len(self.point.rstrip(b"/")) :])


class Mounts:
    """All that was mounted when it was first asked for, in the order in which the system lists it, and the ids of the
    file systems that have one. Where the system tells neither (macOS, most containers), there is nothing here."""

    def __init__(self, mountinfo: Path = MOUNTINFO, by_uuid: Path = BY_UUID) -> None:
        self._mountinfo = mountinfo
        self._by_uuid = by_uuid
        self.id_of = lru_cache(maxsize=None)(self._id_of)
        """The id of a mount's file system; None where it has none that is known."""

    @cached_property
    def all(self) -> tuple[Mount, ...]:
        try:
            lines = self._mountinfo.read_bytes().splitlines()
        except OSError:
            return ()
        return tuple(mount for line in lines if (mount := _mount(line)) is not None)

    @cached_property
    def _ids(self) -> dict[int, str]:
        """By the number of the device."""
        try:
            links = sorted(self._by_uuid.iterdir())
        except OSError:
            return {}
        numbers = ((_number_of(os.fsencode(link)), link.name) for link in links)
        return {number: name for number, name in numbers if number is not None}

    @property
    def tells_ids(self) -> bool:
        """Whether the ids of file systems can be had here at all."""
        return bool(self.all and self._ids)

    def of(self, path: bytes) -> Mount | None:
        """What an absolute path without links lies on."""
        around = (mount for mount in reversed(self.all) if is_at_or_below(path, mount.point))
        return max(around, key=lambda mount: len(mount.point), default=None)

    def near(self) -> list[Mount]:
        """Those that can be looked at without waiting for another machine."""
        far = [mount.point for mount in self.all if mount.may_hang]
        return [mount for mount in self.all if not any(is_at_or_below(mount.point, point) for point in far)]

    def _id_of(self, mount: Mount) -> str | None:
        """File systems of several devices or volumes have a device number of their own, which no device node has."""
        found = self._ids.get(mount.device)
        if found is None and self._ids and mount.source.startswith(b"/dev/"):
            number = _number_of(mount.source)
            found = None if number is None else self._ids.get(number)
        return found


def _mount(line: bytes) -> Mount | None:
    """As proc_pid_mountinfo(5) has it; None for what is no folder (any more)."""
    fields, _, rest = line.partition(b" - ")
    _, _, device, root, point, *_ = fields.split(b" ")
    kind, source, *_ = rest.split(b" ")
    if not root.startswith(b"/") or root.endswith(b"//deleted"):
        return None
    major, minor = device.split(b":")
    number = os.makedev(int(major), int(minor))
    return Mount(number, _unescaped(root), _unescaped(point), os.fsdecode(kind), _unescaped(source))


def _unescaped(field: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), field)


def _number_of(node: bytes) -> int | None:
    """The number of the device that a device node, or a link to one, stands for."""
    try:
        return os.stat(node).st_rdev or None
    except OSError:
        return None


def _below(folder: bytes, rest: bytes) -> bytes:
    return (folder.rstrip(b"/") + rest).rstrip(b"/") or b"/"
