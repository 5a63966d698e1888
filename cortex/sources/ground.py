"""What a folder lies on: the device, and whether that is a disk of its own with nothing on it."""

from __future__ import annotations

import os
from typing import NamedTuple

from cortex.sources.ignore import is_litter


class Ground(NamedTuple):
    """What a folder lies on at the moment. `is_bare_disk`: it is where a disk is mounted, and shows nothing."""

    device: int
    is_bare_disk: bool


def ground_of(folder: bytes, *, is_bare: bool) -> Ground | None:
    """None when it is not there any more. `is_bare`: it shows nothing."""
    try:
        device = os.stat(folder).st_dev
        return Ground(device, is_bare and os.stat(os.path.dirname(folder)).st_dev != device)
    except OSError:
        return None


def folders_in(directory: bytes) -> tuple[Ground | None, frozenset[bytes]]:
    """What a directory lies on, and the names of folders and links in it, as they are written there: a file system
    that ignores case would say that the old spelling of a renamed folder is still there."""
    try:
        with os.scandir(directory) as scan:
            entries = list(scan)
        folders = frozenset(one.name for one in entries if one.is_symlink() or one.is_dir(follow_symlinks=False))
    except OSError:
        return None, frozenset()
    is_bare = all(one.name.startswith(b".") or is_litter(one.name) for one in entries)
    return ground_of(directory, is_bare=is_bare), folders
